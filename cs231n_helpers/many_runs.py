"""The runs of a search: which of them are trained together, and on which processors.

Linear models are trained together, all settings as one matrix of weights, because one wide matrix
product is several times as fast as many narrow ones. All else is trained run by run. Either way the
tasks go to joblib, which maps large data into its processes instead of copying it.

Shapes: N examples, D features, C classes, K runs that are trained together.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .classifiers import LinearClassifier, LinearSVM, Softmax, TwoLayerNet, first_weights
from .leftovers import clean_up_after, end_with_parent
from .losses import softmax_loss, softmax_loss_vectorized, svm_loss, svm_loss_vectorized
from .progress_bar import progress
from .single_run import Record, Setting, best_of, make, parameters, record_of, train_one
from .threads import in_blocks
from .validation import (
    Floats,
    Labels,
    Rng,
    as_count,
    as_floats,
    as_matrix,
    as_non_negative,
    blocks,
)

#: So many linear runs are trained together: their weights take 16 times the memory of one, and
#: the products gain little beyond.
RUNS_TOGETHER = 16

_ON_SCORES: dict[Any, Any] = {svm_loss_vectorized: svm_loss, softmax_loss_vectorized: softmax_loss}
_FILLED_IN = {"X", "y", "X_val", "y_val", "rng"}
_RULES: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(["learning_rate", "learning_rate_decay", "reg"], as_non_negative),
    **dict.fromkeys(["std", "delta", "reg_scale"], as_non_negative),
    **dict.fromkeys(["num_iters", "batch_size", "hidden_size"], as_count),
}


def train_all(
    model: Callable[..., Any],
    settings: list[Setting],
    rng: Rng,
    data: Sequence[Any],
    n_jobs: int | None,
) -> tuple[list[Record], Any]:
    """Train `model` with each of the settings; return the records, and the best model or None."""
    from joblib import Parallel, delayed, effective_n_jobs

    groups = _groups(model, settings, rng)
    tasks = [
        delayed(_train_group)(model, [settings[i] for i in group], rng, os.getpid(), *data)
        for group in groups
    ]
    runs = {}
    if effective_n_jobs(n_jobs) > 1:
        clean_up_after(os.getpid())
    parallel = Parallel(n_jobs, return_as="generator", initializer=end_with_parent)
    with closing(parallel(tasks)) as outcomes:
        found = progress(outcomes, "search", total=len(tasks))
        for group, (group_records, best_model) in zip(groups, found, strict=True):
            for i, record in zip(group, group_records, strict=True):
                runs[i] = record, best_model
    records = [runs[i][0] for i in range(len(settings))]
    best = best_of(records)
    return records, None if best is None else runs[best][1]


def _groups(model: Callable[..., Any], settings: list[Setting], rng: Rng) -> list[list[int]]:
    """Check all settings on a tiny model each; group the numbers of those to be trained together.

    Linear runs that differ in rate and reg alone make one group, up to RUNS_TOGETHER of them.
    """
    groups: list[list[int]] = []
    open_groups: dict[str, list[int]] = {}  # what the runs share -> their numbers
    for i, setting in enumerate(settings):
        made, _ = make(model, setting, deepcopy(rng), 1, 1)
        known = (parameters(model) | parameters(made.train)).keys() - _FILLED_IN
        unknown = sorted(setting.keys() - known)
        if unknown:
            name = getattr(model, "__name__", repr(model))
            raise ValueError(
                f"settings name {', '.join(unknown)}, which neither {name} nor its train knows: "
                f"they take {', '.join(sorted(known))}"
            )
        if isinstance(made, LinearClassifier | TwoLayerNet):
            for name in setting.keys() & _RULES.keys():
                _RULES[name](name, setting[name])
        shared = repr({k: v for k, v in setting.items() if k not in ("learning_rate", "reg")})
        group = open_groups.get(shared)
        if group and len(group) < RUNS_TOGETHER:
            group.append(i)
            continue
        groups.append([i])
        if _on_scores(made) is not None:
            open_groups[shared] = groups[-1]
    return groups


def _train_group(
    model: Callable[..., Any], settings: list[Setting], rng: Rng, caller: int, *data: Any
) -> tuple[list[Record], Any]:
    """Train one group; return its records and its best model. This is joblib's task."""
    from threadpoolctl import threadpool_limits

    elsewhere = os.getpid() != caller  # one of several processes: a thread each, no bars
    if elsewhere:
        os.environ["CS231N_PROGRESS"] = "0"
    try:
        with threadpool_limits(1 if elsewhere else None), np.errstate(all="ignore"):
            runs = _train_batched(model, settings, rng, *data)
            for i, setting in enumerate(settings):
                if i not in runs:
                    runs[i] = train_one(model, setting, rng, *data)
    except Exception as error:
        error.add_note(f"search: while training with {settings}")
        raise
    records = [runs[i][1] for i in range(len(settings))]
    best = best_of(records)
    return records, None if best is None else runs[best][0]


def _train_batched(
    model: Callable[..., Any],
    settings: list[Setting],
    rng: Rng,
    X: Floats,
    y: Labels,
    X_val: Floats,
    y_val: Labels,
) -> dict[int, tuple[Any, Record]]:
    """Train linear models as one; return {number of the run: (model, record)} of those it could.

    All runs see the same minibatches, so their weights stand below each other in one matrix, and
    one product gives the scores of all of them. To a loss on scores a run is just more examples.
    Runs that might overflow are left out, so that infinities need not be looked for.
    """
    D, C, rng = X.shape[1], int(y.max()) + 1, deepcopy(rng)
    made = [make(model, setting, rng, D, C) for setting in settings]
    on_scores = _on_scores(made[0][0])
    if on_scores is None:
        return {}
    scores_loss, reg_scale = on_scores
    models = [linear for linear, _ in made]
    if models[0].W is None:  # the same first weights as in LinearClassifier.train
        weights = first_weights(X, C, rng)
        for linear in models:
            linear.W = weights
    if any(np.shape(linear.W) != (D, C) for linear in models):
        return {}
    options = [inspect.signature(linear.train).bind(X, y, **rest) for linear, rest in made]
    for bound in options:
        bound.apply_defaults()
    rates, regs = (
        np.array([float(bound.arguments[name]) for bound in options])
        for name in ("learning_rate", "reg")
    )
    num_iters, batch_size = (options[0].arguments[name] for name in ("num_iters", "batch_size"))

    W = np.stack([as_matrix("W", linear.W, "(D, C)").T for linear in models])  # (K, C, D)
    strengths = 2 * reg_scale * regs
    kept = np.flatnonzero(_stays_finite(W, X, rates, strengths, num_iters))
    if not kept.size:
        return {}
    K, models, rates = len(kept), [models[k] for k in kept], rates[kept]
    W = W[kept].reshape(K * C, D)  # so that dscores.T @ X, the faster order, is its gradient
    for linear, rows_of_W in zip(models, W.reshape(K, C, D), strict=True):
        linear.W = rows_of_W.T  # a view, which follows each step
    shrink = np.repeat(1 - rates * strengths[kept], C).astype(W.dtype)[:, np.newaxis]  # (K * C, 1)
    step_sizes = np.repeat(rates, C).astype(W.dtype)

    for iteration in progress(range(num_iters), "training"):
        rows = rng.choice(len(X), batch_size)
        X_batch, y_batch = as_floats("X_train", X[rows], W.dtype), y[rows]
        if iteration == num_iters - 1:  # train reports the loss before the last step
            losses = [
                linear.loss(X_batch, y_batch, regs[k])[0]
                for linear, k in zip(models, kept, strict=True)
            ]
        step = partial(_step, scores_loss, W, C, shrink, step_sizes, X_batch, y_batch)
        list(in_blocks(step, K, C * D * W.itemsize, work=batch_size * W.size))

    accuracies = _accuracies(W, C, X, y), _accuracies(W, C, X_val, y_val)
    for linear in models:
        linear.W = np.ascontiguousarray(linear.W)
    return {
        int(k): (linear, record_of(*numbers))
        for k, linear, *numbers in zip(kept, models, losses, *accuracies, strict=True)
    }


def _step(
    scores_loss: Any, W: Floats, C: int, shrink: Floats, step_sizes: Floats,
    X_batch: Floats, y_batch: Labels, runs: slice,
) -> None:  # fmt: skip
    """Change the weights of some of the runs, W (K * C, D), by a step of each."""
    num_runs, mine = runs.stop - runs.start, slice(C * runs.start, C * runs.stop)
    scores = X_batch @ W[mine].T  # (N, num_runs * C)
    _, dscores = scores_loss(scores.reshape(-1, C), np.repeat(y_batch, num_runs))
    steps = num_runs * step_sizes[mine]  # as the loss is a mean over N * num_runs
    W[mine] *= shrink[mine]  # W - rate * (dW + strength * W)
    W[mine] -= (dscores.reshape(scores.shape) * steps).T @ X_batch


def _stays_finite(
    W: Floats, X: Floats, rates: Floats, strengths: Floats, num_iters: int
) -> NDArray[np.bool_]:
    """Which of K runs with first weights W (K, C, D) cannot overflow, (K,).

    No entry of the data gradient exceeds C max|X|, for either loss. Each step multiplies the
    weights by 1 - rate * strength and adds at most rate * C max|X|, so they grow slowly, unless
    that factor is beyond 1. Loss and scores stay finite where the squares of D * C weights do.
    """
    _, C, D = W.shape
    largest = max(float(X.max()), -float(X.min()))
    growth = np.maximum(1, np.abs(1 - rates * strengths)) ** num_iters
    bound = growth * (np.abs(W).max(axis=(1, 2)) + num_iters * rates * C * largest)
    room = np.sqrt(float(np.finfo(W.dtype).max)) / (D * C * max(1, largest))
    finite: NDArray[np.bool_] = bound * np.maximum(1, strengths) < room
    return finite


def _accuracies(W: Floats, num_classes: int, X: Floats, y: Labels) -> Floats:
    """Accuracy (K,) of each run with weights W (K * C, D), a block of rows of X at a time."""
    right = np.zeros(len(W) // num_classes)
    for rows in blocks(len(X), (X.shape[1] + len(W)) * W.itemsize):  # a row and its scores
        scores = as_floats("X", X[rows], W.dtype) @ W.T  # (rows, K * C)
        classes = scores.reshape(len(scores), -1, num_classes).argmax(axis=2)  # (rows, K)
        right += (classes == y[rows, np.newaxis]).sum(axis=0)
    return right / len(X)


def _on_scores(made: Any) -> tuple[Callable[..., tuple[float, Floats]], float] | None:
    """Return the loss on scores and reg_scale of a model whose runs can be joined, else None."""
    if type(made) not in (LinearSVM, Softmax) or not isinstance(made.loss_function, partial):
        return None
    options = dict(made.loss_function.keywords)
    reg_scale = as_non_negative("reg_scale", options.pop("reg_scale"))
    loss = _ON_SCORES.get(made.loss_function.func)
    return None if loss is None else (partial(loss, **options), reg_scale)
