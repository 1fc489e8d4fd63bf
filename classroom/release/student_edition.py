"""What the students' edition of the package calls in the place of what it must not give away.

The bundle holds this file as ``cs231n_helpers/student_edition.py``. A function of the package
whose body was taken out, say ``svm_loss_vectorized``, calls ``_svm_loss_vectorized`` here, which
calls the learner's `hinge_arrays`: once `check_exercise` has found it right, in this notebook or in
another one, or `use_reference` was asked for it. Where there is neither, `OpenExerciseError` names
the exercise.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, product
from pathlib import Path
from typing import Any

import numpy as np

from cs231n_helpers import losses, validation
from cs231n_helpers.exercises import visible as exercises
from cs231n_helpers.exercises.visible import EXERCISES, Function, OpenExerciseError
from cs231n_helpers.validation import (
    Floats,
    Labels,
    NotFiniteError,
    Rng,
    as_batch,
    check_finite_loss,
)

SOLVED = Path("solved")  # sources of functions that are right, for the other notebooks
EXPECTED = Path("expected")  # what the cells show that wait for an exercise

_functions: dict[str, Function] = {}


def keep(exercise: str, function: Function) -> None:
    """Keep a function that is right for this notebook, and the source of its cell for others."""
    _functions[exercise] = function
    code = getattr(function, "__code__", None)
    source = "".join(linecache.getlines(code.co_filename)) if code else ""
    if source:
        SOLVED.mkdir(exist_ok=True)
        unfinished = SOLVED / f"{exercise}.part"
        unfinished.write_text(source, encoding="utf-8")
        os.replace(unfinished, SOLVED / f"{exercise}.py")


def solved(exercise: str) -> bool:
    """Whether there is a function to call."""
    return exercise in _functions or (SOLVED / f"{exercise}.py").exists()


def learners(exercise: str) -> Function:
    """Return the learner's function, or raise OpenExerciseError."""
    if not solved(exercise):
        it = EXERCISES[exercise]
        raise OpenExerciseError(
            exercises.paragraphs(
                f"This needs {it} of {it.notebook}.ipynb, which is open: solve it there, and run "
                "the check after it.",
                exercises.reference_hint(exercise),
            )
        )
    if exercise not in _functions:
        source = (SOLVED / f"{exercise}.py").read_text(encoding="utf-8")
        _functions[exercise] = exercises.function_from(source, exercise)
    return _functions[exercise]


def wait(lines: list[str]) -> list[str]:
    """IPython's hook: a cell that begins with ``%%after cell ids`` waits for these exercises."""
    if not lines or not lines[0].startswith("%%after "):
        return lines
    cell, *needed = lines[0].split()[1:]
    still_open = [exercise for exercise in needed if not solved(exercise)]
    if not still_open:
        return lines[1:]
    return [f"__import__({__name__!r}, fromlist=['']).show_expected({cell!r}, {still_open!r})\n"]


def show_expected(cell: str, still_open: Sequence[str]) -> None:
    """Show what a waiting cell shows in the finished notebook."""
    from IPython.display import publish_display_data

    print(f"{exercises.paragraphs(f'This cell waits for {_named(still_open)}.')}\nIt will show:\n")
    for output in json.loads((EXPECTED / f"{cell}.json").read_text(encoding="utf-8")):
        if "text" in output:
            print(output["text"], end="")
        else:
            publish_display_data(output["data"], output["metadata"])  # type: ignore[no-untyped-call]


def _named(some: Sequence[str]) -> str:
    """Name exercises, each notebook once.

    >>> _named(["svm_naive", "penalty"])
    'Exercises 1.1 (hinge_loops) and 1.4 (penalty) of 01_svm.ipynb'
    """
    notebooks: dict[str, list[str]] = {}
    for it in (EXERCISES[exercise] for exercise in some):
        notebooks.setdefault(it.notebook, []).append(f"{it.number} ({it.function})")
    parts = [f"{_and(names)} of {notebook}.ipynb" for notebook, names in notebooks.items()]
    return f"{'Exercise' if len(some) == 1 else 'Exercises'} {', and '.join(parts)}"


def _and(names: Sequence[str]) -> str:
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def install() -> None:
    """Listen to `check_exercise` and, in a notebook, to cells that wait."""
    exercises.when_right.append(keep)
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        shell.input_transformers_cleanup.append(wait)


# ---- losses ----


def _on_scores(loss: Function, scores: Floats, y: Labels) -> tuple[float, Floats]:
    """Return a loss of weights as a loss on scores: where X is the identity, X W is W."""
    total, dscores = 0.0, np.empty_like(scores)
    for rows in (slice(k, k + 256) for k in range(0, len(y), 256)):
        part = scores[rows]
        value, gradient = loss(part, np.eye(len(part), dtype=part.dtype), y[rows])
        total += float(value) * len(part) / len(y)
        dscores[rows] = gradient * (len(part) / len(y))
    return total, dscores


def _hinge(scores: Floats, y: Labels, delta: float) -> tuple[float, Floats]:
    return _on_scores(lambda W, X, y: learners("svm_vectorized")(W, X, y, delta), scores, y)


def _cross_entropy(scores: Floats, y: Labels) -> tuple[float, Floats]:
    return _on_scores(lambda W, X, y: learners("softmax_vectorized")(W, X, y, 0.0), scores, y)


def _l2_penalty(W: Floats, reg: float, reg_scale: float = 0.5) -> tuple[float, Floats]:
    reg, reg_scale = (
        validation.as_non_negative("reg", reg),
        validation.as_non_negative("scale", reg_scale),
    )
    if reg * reg_scale == 0:
        return 0.0, np.zeros_like(W)
    value, gradient = learners("penalty")(W, reg, reg_scale)
    return float(value), gradient


def _linear(
    loss: Callable[..., Any], W: Any, X: Any, y: Any, reg: float, reg_scale: float
) -> tuple[float, Floats]:
    W, X, y = as_batch(W, X, y)
    with np.errstate(over="ignore", invalid="ignore"):
        value, dW = loss(W, X.astype(W.dtype, copy=False), y)
        penalty, dW_penalty = losses.l2_penalty(W, reg, reg_scale)
    total = float(value) + penalty
    check_finite_loss(total, W=W, X=X)
    return total, (dW + dW_penalty).astype(W.dtype, copy=False)


def _svm_loss_vectorized(
    W: Any, X: Any, y: Any, reg: float, *, delta: float, reg_scale: float
) -> tuple[float, Floats]:
    def loss(W: Floats, X: Floats, y: Labels) -> Any:
        return learners("svm_vectorized")(W, X, y, delta)

    return _linear(loss, W, X, y, reg, reg_scale)


def _svm_loss_naive(
    W: Any, X: Any, y: Any, reg: float, *, delta: float, reg_scale: float
) -> tuple[float, Floats]:
    def loss(W: Floats, X: Floats, y: Labels) -> Any:
        return tuple(learners(e)(W, X, y, delta) for e in ("svm_naive", "svm_gradient"))

    return _linear(loss, W, X, y, reg, reg_scale)


def _softmax_loss_vectorized(
    W: Any, X: Any, y: Any, reg: float, *, reg_scale: float
) -> tuple[float, Floats]:
    def loss(W: Floats, X: Floats, y: Labels) -> Any:
        return learners("softmax_vectorized")(W, X, y, 2 * reg_scale * reg)  # theirs has the half

    return _linear(loss, W, X, y, 0.0, reg_scale)


def _softmax_loss_naive(
    W: Any, X: Any, y: Any, reg: float, *, reg_scale: float
) -> tuple[float, Floats]:
    def loss(W: Floats, X: Floats, y: Labels) -> Any:
        strength = 2 * reg_scale * reg
        both = ("softmax_naive", "softmax_gradient")
        return tuple(learners(e)(W, X, y, strength) for e in both)

    return _linear(loss, W, X, y, 0.0, reg_scale)


def _svm_input_gradient(W: Any, X: Any, y: Any, *, delta: float) -> Floats:
    W, X, y = as_batch(W, X, y)
    dX: Floats = learners("svm_dx")(W, X.astype(W.dtype, copy=False), y, delta)
    return dX.astype(W.dtype, copy=False)


def _softmax_input_gradient(W: Any, X: Any, y: Any) -> Floats:
    W, X, y = as_batch(W, X, y)
    dX: Floats = learners("softmax_dx")(W, X.astype(W.dtype, copy=False), y)
    return dX.astype(W.dtype, copy=False)


# ---- training ----


@contextmanager
def _says_when(iteration: int) -> Iterator[None]:
    """Let an error of a loss that is not finite name the iteration, as the full package does."""
    try:
        yield
    except NotFiniteError as error:
        error.iteration = iteration
        error.args = (
            f"training diverged at iteration {iteration}: {error}; "
            "a learning rate ten times smaller is the first thing to try",
        )
        raise


def _train_linear(
    model: Any,
    X: Floats,
    y: Labels,
    learning_rate: float,
    reg: float,
    num_iters: int,
    batch_size: int,
    *,
    verbose: bool,
    rng: Rng,
) -> list[float]:
    iterations = count()

    def loss_function(W: Floats, X_batch: Floats, y_batch: Labels, reg: float) -> Any:
        with _says_when(next(iterations)):
            loss, dW = model.loss_function(W, X_batch, y_batch, reg)
            if not np.isfinite(loss):
                raise NotFiniteError(f"the loss is {loss}")
        return loss, dW

    descend = learners("sgd")
    W, found = descend(loss_function, model.W, X, y, learning_rate, reg, num_iters, batch_size, rng)
    model.W = np.asarray(W, model.W.dtype)
    return _told(found, verbose)


def _told(found: Sequence[float], verbose: bool) -> list[float]:
    for iteration in range(0, len(found) if verbose else 0, 100):
        print(f"iteration {iteration} / {len(found)}: loss {found[iteration]:f}")
    return [float(loss) for loss in found]


def _train_net(
    net: Any,
    X: Floats,
    y: Labels,
    learning_rate: float,
    decay: float,
    reg: float,
    num_iters: int,
    batch_size: int,
    *,
    verbose: bool,
    rng: Rng,
    after_epoch: Callable[[], None],
) -> list[float]:
    steps_an_epoch = len(X) // batch_size or 1
    iterations = count()

    def loss_function(params: Mapping[str, Floats], A: Floats, b: Labels, reg: float) -> Any:
        iteration = next(iterations)
        net.params = dict(params)
        if iteration and iteration % steps_an_epoch == 0:
            after_epoch()
        with _says_when(iteration):
            return net.loss(A, b, reg)

    descend = learners("net_training")
    params, found = descend(
        loss_function, dict(net.params), X, y, learning_rate, decay, reg, num_iters, batch_size, rng
    )
    net.params = dict(params)
    after_epoch()
    return _told(found, verbose)


def _net_scores(params: Mapping[str, Floats], X: Floats) -> Any:
    with np.errstate(over="ignore", invalid="ignore"):
        return learners("net_forward")(params, X)


def _net_loss(
    params: Mapping[str, Floats], X: Floats, y: Labels, reg: float, reg_scale: float
) -> tuple[float, Any]:
    hidden, scores = _net_scores(params, X)
    loss, dscores = _cross_entropy(scores, y)
    loss += sum(losses.l2_penalty(params[name], reg, reg_scale)[0] for name in ("W1", "W2"))
    check_finite_loss(loss, X=X, **params)
    grads = learners("net_backward")(params, X, hidden, dscores, reg, reg_scale)
    return loss, {name: grads[name] for name in params}


# ---- search and figures ----


def _train_all(
    model: Any, settings: Sequence[Any], rng: Any, data: Sequence[Any], executor: Any, workers: Any
) -> Any:
    from cs231n_helpers import single_run

    axes = [dict.fromkeys(it.get(name) for it in settings) for name in ("learning_rate", "reg")]
    pairs = [(it.get("learning_rate"), it.get("reg")) for it in settings]
    alike = all(
        {**settings[0], "learning_rate": a, "reg": b} in settings for a, b in product(*axes)
    )
    if not alike or len(settings) != len(axes[0]) * len(axes[1]) or None in pairs[0]:
        raise ValueError(
            "settings must be a grid in the students' edition, which calls your grid_search: pass "
            '{"learning_rate": [...], "reg": [...]}'
        )
    runs: dict[tuple[float, float], Any] = {}

    def evaluate(learning_rate: float, reg: float) -> float:
        setting = {**settings[0], "learning_rate": learning_rate, "reg": reg}
        with np.errstate(all="ignore"):  # a run that explodes is one of the results
            run = single_run.train_one(model, setting, rng, *data)
        runs[learning_rate, reg] = run
        return run[1]["val_accuracy"] if run[1]["status"] == "ok" else 0.0

    _, best = learners("search")(evaluate, *map(list, axes))
    return [runs[pair][1] for pair in pairs], runs[best][0]


def _costs(scores: Floats, y: Labels, delta: float) -> Floats:
    """What each class costs each example, (N, C): the loss of that class and the right one."""
    costs = np.zeros_like(scores)
    for i, k in np.ndindex(*scores.shape):
        if k != y[i]:
            costs[i, k] = losses.svm_loss(scores[i : i + 1, [k, y[i]]], [1], delta=delta)[0]
    return costs
