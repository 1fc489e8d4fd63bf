"""Hyperparameter search: many runs of a model, the one with the best validation accuracy is kept.

Linear models are trained together, all settings as one matrix of weights, because one wide matrix
product is several times as fast as many narrow ones. All else is trained run by run, on the
processors of this machine or on any ``concurrent.futures.Executor``.

Shapes: N examples, D features, C classes, K runs that are trained together.
"""

from __future__ import annotations

import inspect
import itertools
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .classifiers import LinearClassifier, LinearSVM, Softmax, TwoLayerNet, first_weights
from .losses import softmax_loss, softmax_loss_vectorized, svm_loss, svm_loss_vectorized
from .progress_bar import progress
from .validation import (
    Floats,
    Labels,
    Rng,
    as_count,
    as_floats,
    as_labels,
    as_matrix,
    as_non_negative,
    as_rng,
    blocks,
    check_finite,
)

Setting = dict[str, Any]
Record = dict[str, Any]

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


@dataclass(frozen=True, eq=False, repr=False)
class SearchResult:
    """What `search` found; printed, it is a table of all runs and a line on the best one.

    Attributes
    ----------
    records : list of dict
        One a run, in the order of the settings, ready for ``pandas.DataFrame``: the settings, then
        ``train_accuracy`` and ``val_accuracy`` in [0, 1], ``final_loss`` of the last minibatch
        before its step, ``status``, "ok" or "diverged", and ``diverged_at``, the iteration at which
        a run diverged. The numbers of a run that diverged are NaN.
    names : tuple of str
        The settings that were searched.
    """

    records: list[Record]
    names: tuple[str, ...]
    _model: Any

    @property
    def best(self) -> Record:
        """The record with the highest validation accuracy, the first one of equals.

        Raises ValueError where all runs diverged.
        """
        best = _best(self.records)
        if best is None:
            raise ValueError(
                f"all {len(self.records)} runs diverged, so none is best: learning rates ten times "
                "smaller are the first thing to try"
            )
        return self.records[best]

    @property
    def best_model(self) -> Any:
        """The trained model of the best run; raises ValueError where all runs diverged."""
        _ = self.best  # refuses where there is none
        return self._model

    @property
    def accuracies(self) -> dict[tuple[float, float], float]:
        """(learning_rate, reg) -> validation accuracy, NaN for diverged, as `plot_search` takes it.

        Where runs share a pair and differ in other settings, the best of them counts.

        Raises ValueError where one of the two was not searched.
        """
        if not {"learning_rate", "reg"} <= set(self.names):
            raise ValueError(
                f"{' and '.join(self.names)} were searched, but the axes are learning_rate and "
                "reg: search both, a list of one number will do"
            )
        best: dict[tuple[float, float], float] = {}
        for record in self.records:
            pair = (record["learning_rate"], record["reg"])
            best[pair] = float(np.fmax(best.get(pair, np.nan), record["val_accuracy"]))
        return best

    def __repr__(self) -> str:
        rows = [[*self.names, "train", "val", "loss", "status"]]
        for record in self.records:
            row = [_shown(record[name]) for name in self.names]
            if record["status"] == "ok":
                row += [f"{record[f'{part}_accuracy']:.3f}" for part in ("train", "val")]
                row += [f"{record['final_loss']:.3g}", "ok"]
            else:
                step = record["diverged_at"]
                row += ["-", "-", "-", "diverged" if step is None else f"diverged at {step}"]
            rows.append(row)
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
        if _best(self.records) is None:
            return "\n".join([*lines, "best: none, all runs diverged"])
        found = ", ".join(f"{name} {_shown(self.best[name])}" for name in self.names)
        return "\n".join(
            [*lines, f"best: {found}: validation accuracy {self.best['val_accuracy']:.3f}"]
        )


def sample_settings(
    ranges: Mapping[str, Sequence[Any]], num_samples: int, *, rng: Rng | None = None
) -> list[Setting]:
    """Draw random settings for `search`.

    Random points find better settings than a grid of as many, because none of them repeats a
    value of the setting that matters.

    Parameters
    ----------
    ranges : mapping
        Name -> a tuple (low, high), both > 0, from which values are drawn uniformly in their
        logarithm; or name -> a list of values, one of which is taken.
    num_samples : int
        How many settings, >= 1.
    rng : Generator or RandomState

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        For a tuple that is no range, or an empty list.

    References
    ----------
    Bergstra and Bengio, Random search for hyper-parameter optimization, JMLR 13, 2012.

    Examples
    --------
    The logarithm of the rate is uniform, so about half of the rates lie below 0.001.

    >>> drawn = sample_settings({"learning_rate": (1e-5, 1e-1), "reg": [0.1, 1.0]}, 1000)
    >>> round(sum(setting["learning_rate"] < 1e-3 for setting in drawn) / 1000, 1)
    0.5
    """
    num_samples = as_count("num_samples", num_samples)
    rng = as_rng(rng)
    for name, values in ranges.items():
        if isinstance(values, tuple):
            if len(values) != 2 or not 0 < values[0] <= values[1] < np.inf:
                raise ValueError(
                    f"ranges[{name!r}] = {values}, but a range is (low, high) with 0 < low <= high:"
                    " pass a list to choose from its values"
                )
        elif not len(values):
            raise ValueError(f"ranges[{name!r}] is empty, but a choice needs at least one value")

    def draw(values: Sequence[Any]) -> Any:
        if isinstance(values, tuple):
            return float(np.exp(rng.uniform(*np.log(values))))
        return _plain(values[rng.choice(len(values))])

    return [{name: draw(values) for name, values in ranges.items()} for _ in range(num_samples)]


def search(
    model: Callable[..., Any],
    X_train: ArrayLike,
    y_train: ArrayLike,
    X_val: ArrayLike,
    y_val: ArrayLike,
    settings: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]],
    *,
    rng: Rng | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    **fixed: Any,
) -> SearchResult:
    """Train `model` with each of the settings, and keep the best by validation accuracy.

    A run is what the course's loop does: make the model, ``train``, ``predict``. Runs that diverge
    are recorded and not raised.

    Parameters
    ----------
    model : callable
        `LinearSVM`, `Softmax`, `TwoLayerNet`, or anything that makes an object with ``train`` and
        ``predict`` of the same form. Each setting goes to the call where it has a parameter of that
        name, else to ``train``; input_size, output_size and rng are filled in where it has them.
    X_train, X_val : (N, D) and (M, D) arrays
    y_train, y_val : (N,) and (M,) integer arrays
        Labels 0..C-1, with C = max(y_train) + 1.
    settings : mapping or iterable of mappings
        Name -> list of values for the full grid, the last name changing fastest; or a list of
        settings, for example from `sample_settings`.
    rng : Generator or RandomState
        Each run works with a copy of it, so all start from the same weights and see the same
        minibatches, and `rng` stays as it is.
    executor : concurrent.futures.Executor, optional
        Where the runs go, and stays open. By default linear models are trained here, other models
        in as many processes as there are processors.
    workers : int, optional
        Number of local processes; 1 trains here. A model that another process cannot import (a
        lambda, or what is defined in a notebook) is trained here, too. In a script, search under
        ``if __name__ == "__main__":``, since each process imports the script.
    **fixed
        Settings that are the same for all runs: num_iters, batch_size, hidden_size.

    Returns
    -------
    SearchResult

    Raises
    ------
    TypeError, ValueError, NotFiniteError
        For bad data or settings, before anything is trained. What else goes wrong in a run is
        raised as it is, with a note that names the settings.

    Notes
    -----
    LinearSVM and Softmax runs that differ only in learning_rate and reg are trained together, 16
    at a time, with the results of single runs to rounding. (Rounding matters where a learning rate
    is so large that the weights leap about: such a run ends elsewhere on each machine.)

    Beyond one machine, let Dask (``pip install cs231n-helpers[dask]``) hold the data, once a worker
    and not once a task; a run that is lost with its worker is trained again by another::

        client = distributed.Client("tcp://scheduler:8786")
        data = client.scatter([X_train, y_train, X_val, y_val], broadcast=True, hash=False)
        search(TwoLayerNet, *data, settings, executor=client.get_executor(), hidden_size=50)

    Such data is checked where it lies.

    Examples
    --------
    A step multiplies the weights by 1 - learning_rate * reg = -4 in the second run, which explodes.

    >>> X, y = np.array([[-1.0, 1.0], [2.0, 1.0]]), np.array([0, 1])
    >>> search(Softmax, X, y, X, y, {"learning_rate": [0.5], "reg": [0.0, 10.0]}, num_iters=1000)
    learning_rate  reg  train    val     loss           status
              0.5    0  1.000  1.000  0.00054               ok
              0.5   10      -      -        -  diverged at 257
    best: learning_rate 0.5, reg 0: validation accuracy 1.000
    """
    if not callable(model):
        raise TypeError(
            f"model is {model!r}, but each run makes a fresh one: pass the class and not an "
            "object, as in search(LinearSVM, ...)"
        )
    rng = as_rng(rng)
    varied = _as_list(settings)
    for name in fixed.keys() & varied[0].keys():
        raise ValueError(
            f"{name} = {fixed[name]!r} is the same for all runs and is searched, too: leave it out "
            "of one of the two"
        )
    groups = _groups(model, [{**fixed, **setting} for setting in varied], rng)
    data: Sequence[Any] = (X_train, y_train, X_val, y_val)
    if all(hasattr(part, "__len__") for part in data):  # and no handle of data that lie elsewhere
        data = _checked(*data)
    workers = None if workers is None else as_count("workers", workers)
    runs = [[{**fixed, **varied[i]} for i in group.runs] for group in groups]
    together = all(group.together for group in groups)
    if executor is not None:
        outcomes = _on_executor(executor, model, runs, rng, data)
    elif workers == 1 or (together and workers is None) or len(runs) == 1 or not _travels(model):
        outcomes = _gather(runs, [partial(_run, model, group, rng, *data) for group in runs])
    else:
        with _local_processes(workers, data) as (pool, paths):
            outcomes = _on_executor(pool, model, runs, rng, paths)

    records: list[Record] = [{} for _ in varied]
    models = {}
    for group, (group_records, best_model) in zip(groups, outcomes, strict=True):
        for i, record in zip(group.runs, group_records, strict=True):
            records[i] = {**varied[i], **record}
            models[i] = best_model
    best = _best(records)
    return SearchResult(records, tuple(varied[0]), None if best is None else models[best])


def _as_list(settings: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]]) -> list[Setting]:
    """Return the settings one by one, with Python's own numbers."""
    if isinstance(settings, Mapping):
        for name, values in settings.items():
            if not isinstance(values, Iterable) or isinstance(values, str):
                raise TypeError(
                    f"settings[{name!r}] = {values!r}, but a grid needs a list of values: pass "
                    f"[{values!r}], or {name}={values!r} outside the grid for all runs alike"
                )
        grid = itertools.product(*settings.values())
        found = [dict(zip(settings, values, strict=True)) for values in grid]
    else:
        found = [dict(setting) for setting in settings]
    if not found or not found[0]:
        raise ValueError(
            f"settings = {settings!r} holds no run, but a search needs at least one: give each "
            'name a list that is not empty, as in {"learning_rate": [1e-3, 1e-2]}'
        )
    for i, setting in enumerate(found):
        if setting.keys() != found[0].keys():
            raise ValueError(
                f"settings[{i}] names {', '.join(setting)} and settings[0] "
                f"{', '.join(found[0])}, but all must name the same: give each a value"
            )
    return [{name: _plain(value) for name, value in setting.items()} for setting in found]


@dataclass
class _Group:
    """Runs that make one task, by their number, and what they share besides rate and reg."""

    runs: list[int]
    shared: Setting
    together: bool


def _groups(model: Callable[..., Any], settings: list[Setting], rng: Rng) -> list[_Group]:
    """Check all settings on a tiny model each, and group those that can be trained together."""
    groups: list[_Group] = []
    for i, setting in enumerate(settings):
        made, _ = _make(model, setting, deepcopy(rng), 1, 1)
        known = (_parameters(model) | _parameters(made.train)) - _FILLED_IN
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
        together = _on_scores(made) is not None
        shared = {k: v for k, v in setting.items() if k not in ("learning_rate", "reg")}
        for group in groups:
            if group.together and group.shared == shared and len(group.runs) < RUNS_TOGETHER:
                group.runs.append(i)
                break
        else:
            groups.append(_Group([i], shared, together))
    return groups


def _checked(
    X_train: ArrayLike, y_train: ArrayLike, X_val: ArrayLike, y_val: ArrayLike
) -> tuple[Floats, Labels, Floats, Labels]:
    """Check the data as the models do, but all of it before the first run."""
    X, X_held_out = (
        as_matrix(name, values, "(N, D)", integers_become=None)
        for name, values in (("X_train", X_train), ("X_val", X_val))
    )
    if X_held_out.shape[1] != X.shape[1]:
        raise ValueError(
            f"X_val has {X_held_out.shape[1]} columns and X_train has {X.shape[1]}, but both must "
            "have the same features: preprocess both alike, with a bias column or without"
        )
    for name, matrix in (("X_train", X), ("X_val", X_held_out)):
        if matrix.dtype.kind == "f":
            check_finite(name, matrix)
    y = as_labels(y_train, len(X), "X_train", "y_train")
    y_held_out = as_labels(y_val, len(X_held_out), "X_val", "y_val")
    if y_held_out.max() > y.max():
        i = int(np.argmax(y_held_out))
        raise ValueError(
            f"y_val[{i}] = {y_held_out[i]} is no class: the labels of y_train end at {y.max()}; "
            "split so that each class has examples to train on"
        )
    return X, y, X_held_out, y_held_out


def _on_executor(
    executor: Executor,
    model: Callable[..., Any],
    runs: list[list[Setting]],
    rng: Rng,
    data: Sequence[Any],
) -> list[Any]:
    futures = [executor.submit(_run, model, group, rng, *data) for group in runs]
    try:
        return _gather(runs, [future.result for future in futures])
    finally:
        for future in futures:  # after an error or an interrupt: what has not begun need not begin
            future.cancel()


def _gather(runs: list[list[Setting]], calls: list[Callable[[], Any]]) -> list[Any]:
    """Return the results in order, behind a progress bar; an error names its settings."""
    results = []
    for call in progress(calls, "search"):
        try:
            results.append(call())
        except Exception as error:
            error.add_note(f"search: while training with {runs[len(results)]}")
            if isinstance(error, BrokenExecutor):
                error.add_note(
                    'In a script, call search under `if __name__ == "__main__":`. Where memory '
                    "ran out, pass fewer workers; workers=1 trains without other processes."
                )
            raise
    return results


@contextmanager
def _local_processes(
    workers: int | None, data: Sequence[Any]
) -> Iterator[tuple[Executor, list[Path]]]:
    """Yield an executor of processes on this machine, and the data as files for them to map.

    The data is written once and mapped by all, so that it is in memory once for any number of
    processes. They are spawned and not forked, as the fork of a process with threads, which a
    notebook's kernel is, may hang.
    """
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{i}.npy") for i in range(len(data))]
        for path, part in zip(paths, data, strict=True):
            np.save(path, part)
        others = set(active_children())
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_prepare_process)
        try:
            yield pool, paths
        except BaseException:
            for process in set(active_children()) - others:
                process.terminate()  # a run may take minutes, so nobody waits for its end
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _prepare_process() -> None:
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)  # a process a processor: more threads would only get into each other's way
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent, which ends all
    os.environ["CS231N_PROGRESS"] = "0"


def _travels(model: Callable[..., Any]) -> bool:
    """Whether a spawned process can import the model."""
    try:
        pickled = pickle.dumps(model)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return b"__main__" not in pickled or hasattr(sys.modules["__main__"], "__file__")


def _run(
    model: Callable[..., Any], settings: list[Setting], rng: Rng, *data: Any
) -> tuple[list[Record], Any]:
    """Train one group; return its records and its best model. This is what executors are given."""
    mapped = (np.load(part, mmap_mode="r") if isinstance(part, Path) else part for part in data)
    X, y, X_val, y_val = _checked(*mapped)
    with np.errstate(all="ignore"):  # a run that explodes is one of the results
        runs = _together(model, settings, rng, X, y, X_val, y_val)
        for i, setting in enumerate(settings):
            if i not in runs:
                runs[i] = _alone(model, setting, rng, X, y, X_val, y_val)
    records = [runs[i][1] for i in range(len(settings))]
    best = _best(records)
    return records, None if best is None else runs[best][0]


def _alone(
    model: Callable[..., Any],
    setting: Setting,
    rng: Rng,
    X: Floats,
    y: Labels,
    X_val: Floats,
    y_val: Labels,
) -> tuple[Any, Record]:
    """Return the trained model of one run, and its record."""
    rng = deepcopy(rng)
    made, options = _make(model, setting, rng, X.shape[1], int(y.max()) + 1)
    offered = {"X_val": X_val, "y_val": y_val, "rng": rng, **options}
    known = _parameters(made.train)
    try:
        history = made.train(X, y, **{name: offered[name] for name in offered if name in known})
    except FloatingPointError as error:  # the package's NotFiniteError is one
        return made, _record(diverged_at=getattr(error, "iteration", None))
    losses = history["loss_history"] if isinstance(history, Mapping) else history
    infinite = np.flatnonzero(~np.isfinite(losses))  # of a model that goes on after that
    if infinite.size:
        return made, _record(diverged_at=int(infinite[0]))
    accuracies = (np.mean(made.predict(A) == b) for A, b in ((X, y), (X_val, y_val)))
    return made, _record(losses[-1], *accuracies)


def _together(
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
    made = [_make(model, setting, rng, D, C) for setting in settings]
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
    W = W[kept].reshape(K * C, D)  # so that dscores^T X, the faster order, is its gradient
    for linear, rows_of_W in zip(models, W.reshape(K, C, D), strict=True):
        linear.W = rows_of_W.T  # a view, which follows each step
    shrink = np.repeat(1 - rates * strengths[kept], C).astype(W.dtype)[:, np.newaxis]  # (K * C, 1)
    step_sizes = np.repeat(K * rates, C).astype(W.dtype)  # times K: the loss is a mean over N * K

    for iteration in progress(range(num_iters), "training"):
        rows = rng.choice(len(X), batch_size)
        X_batch, y_batch = as_floats("X_train", X[rows], W.dtype), y[rows]
        if iteration == num_iters - 1:  # train reports the loss before the last step
            losses = [
                linear.loss(X_batch, y_batch, regs[k])[0]
                for linear, k in zip(models, kept, strict=True)
            ]
        scores = X_batch @ W.T  # (N, K * C)
        _, dscores = scores_loss(scores.reshape(-1, C), np.repeat(y_batch, K))  # (N * K, C)
        W *= shrink  # W - rate * (dW + strength * W)
        W -= (dscores.reshape(scores.shape) * step_sizes).T @ X_batch

    train_accuracy, val_accuracy = _accuracies(W, C, X, y), _accuracies(W, C, X_val, y_val)
    for linear in models:
        linear.W = np.ascontiguousarray(linear.W)
    return {
        int(k): (linear, _record(*numbers))
        for k, linear, *numbers in zip(
            kept, models, losses, train_accuracy, val_accuracy, strict=True
        )
    }


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


def _make(
    model: Callable[..., Any], setting: Setting, rng: Rng, num_features: int, num_classes: int
) -> tuple[Any, Setting]:
    """Make a model with the settings that it takes; return it and the rest, which train takes."""
    known = _parameters(model)
    filled_in = {"input_size": num_features, "output_size": num_classes, "rng": rng}
    offered = {**filled_in, **setting}
    made = model(**{name: value for name, value in offered.items() if name in known})
    return made, {name: value for name, value in setting.items() if name not in known}


def _record(
    final_loss: float = np.nan,
    train_accuracy: float = np.nan,
    val_accuracy: float = np.nan,
    diverged_at: int | None = None,
) -> Record:
    """Return what is reported of a run besides its settings; without a loss, it diverged."""
    return {
        "train_accuracy": float(train_accuracy),
        "val_accuracy": float(val_accuracy),
        "final_loss": float(final_loss),
        "status": "diverged" if np.isnan(final_loss) else "ok",
        "diverged_at": diverged_at,
    }


def _best(records: list[Record]) -> int | None:
    """Return the number of the first record with the highest validation accuracy."""
    finished = [i for i, record in enumerate(records) if record["status"] == "ok"]
    return max(finished, key=lambda i: records[i]["val_accuracy"], default=None)


def _parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
