"""One call that shows what is wrong with a function: as small as one can be found, and in full.

The hidden tests tell the sizes apart, N, D, C and H, all different and most above ten. A call that
fails is cut down to a handful of rows and columns and tried again; where that is right, the call
of the hidden tests stays, and of large arrays their corners are shown.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classroom.sandbox import Seed
from cs231n_helpers.doctor.snapshot import copied
from cs231n_helpers.exercises.compare import near
from cs231n_helpers.exercises.student_function import argument_change
from cs231n_helpers.exercises.table import EXERCISES

from .hidden_data import Arrays, Case, cast, forward
from .search_rubrics import RecordingEvaluator
from .text import clean
from .training_rubrics import RecordingLoss
from .value_rubrics import VALUE_RUBRICS

SMALL = (2, 3, 4, 5)  # what the sizes become, in their order; all differ here, too
TRIED = 40  # small calls
MOST_STEPS = 6  # that are shown
WIDTH = 96  # of sentences
SHOWN = 25  # numbers of an array that is shown in full


@dataclass
class Call:
    """A call, what came of it, and what should have, part by part."""

    exercise: str
    args: tuple[Any, ...]
    after: tuple[Any, ...] = ()  # the arguments as the call left them
    returned: Any = None
    error: Exception | None = None
    got: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # the parts of `expected` that are

    @property
    def changed(self) -> list[int]:
        """Return which arguments came back changed, and may not."""
        names, free = EXERCISES[self.exercise].parameters, EXERCISES[self.exercise].may_change
        pairs = enumerate(zip(names, self.args, self.after, strict=False))
        return [k for k, (name, *it) in pairs if name not in free and argument_change(name, *it)]

    @property
    def fails(self) -> bool:
        return bool(self.error or self.wrong or self.changed)

    @property
    def size(self) -> int:
        return sum(array.size for array in _arrays(self.args))


def observe(exercise: str, function: Callable[..., Any], args: tuple[Any, ...]) -> Call:
    """Call a function on these arguments, and note what came of it, be it an exception."""
    call = Call(exercise, copied(args))
    with np.errstate(all="ignore"):
        try:
            call.returned = copied(function(*args))
        except Exception as error:
            call.error = error
        call.after = copied(args)
        with suppress(Exception):  # the reference refuses these arguments
            call.expected = _expected(call)
        if not call.error:
            with suppress(Exception):  # of whatever form it is
                call.got = _split(call)
            with suppress(Exception):
                call.wrong = _wrong(call)
    return call


def _expected(call: Call) -> dict[str, Any]:
    """Return what is right, by the name of what is returned; {} where that is unknown."""
    callback = call.args[0]
    if rubric := VALUE_RUBRICS.get(call.exercise):
        right = rubric.right(*cast(call.args, np.float64))
        return {name.removeprefix("the "): right[part] for part, name in rubric.names.items()}
    if isinstance(callback, RecordingEvaluator):
        known = callback.accuracies
        return {"accuracies": known, "best": max(known, key=known.__getitem__)}
    _, _, _, _, rate, *decay, reg, steps, size, _ = call.args
    params, losses = copied(callback.start), []
    all_asked = callback.asked
    if len(all_asked) > steps:  # then those from which it moved on
        moved = [a for a, b in pairwise(all_asked) if not _same_arrays(a.params, b.params)]
        all_asked = [*moved, all_asked[-1]][:steps]
    for k, asked in enumerate(all_asked):  # on the minibatches that were drawn
        answer = callback.answer(callback.as_given(params), asked.X, asked.y, reg)
        losses.append(answer.value)
        times = k // max(len(call.args[2]) // size, 1)
        step = rate * (decay[0] ** times if decay else 1)
        params = {name: params[name] - step * answer.gradient[name] for name in params}
    named = {f"params[{k!r}]": v for k, v in params.items()} if decay else params
    return {**named, "losses": np.array(losses)}


def _split(call: Call) -> dict[str, Any]:
    """Return what was returned by the names of `_expected`."""
    if rubric := VALUE_RUBRICS.get(call.exercise):
        given = rubric.split(call.returned)
        named = ((part, name.removeprefix("the ")) for part, name in rubric.names.items())
        return {name: given[part] for part, name in named if part in given}
    first, second = call.returned
    if isinstance(call.args[0], RecordingEvaluator):
        return {"accuracies": first, "best": second}
    of_net = type(first) is dict
    params = {f"params[{k!r}]": first[k] for k in call.args[1]} if of_net else {"W": first}
    return {**params, "losses": np.array(second, dtype=np.float64)}


def _wrong(call: Call) -> list[str]:
    rubric = VALUE_RUBRICS.get(call.exercise)
    if rubric and call.expected:
        narrow = any(array.dtype == np.float32 for array in _arrays(call.args))
        failures = rubric.compare(call.returned, Case(call.args, "", "", 1e-3 if narrow else 1e-6))
        return [rubric.names[part].removeprefix("the ") for part in failures]
    return [name for name, right in call.expected.items() if not _alike(call.got.get(name), right)]


def _alike(got: Any, right: Any) -> bool:
    if isinstance(right, np.ndarray):
        return type(got) is np.ndarray and got.shape == right.shape and near(got, right)
    with suppress(Exception):
        return bool(got == right or tuple(got) == right)
    return False


def _same_arrays(a: Arrays, b: Arrays) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


def _arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict | tuple | list):
        for it in value.values() if isinstance(value, dict) else value:
            yield from _arrays(it)


# ---- small calls ----


def smaller(call: Call) -> Iterator[tuple[Any, ...]]:
    """Yield arguments of a few numbers, drawn from those of a call, others each time."""
    for start in range(TRIED):
        rng = np.random.default_rng(start)
        if isinstance(call.args[0], RecordingEvaluator):
            pairs = [(rate, reg) for rate in call.args[1][:2] for reg in call.args[2][:2]]
            values = rng.permutation([0.31, 0.35, 0.42, 0.5]).tolist()
            known = dict(zip(pairs, values, strict=True))
            yield RecordingEvaluator(known, 80), call.args[1][:2], call.args[2][:2]
            continue
        sizes = sorted({size for array in _arrays(call.args) for size in array.shape})
        kept = {n: rng.permutation(n)[:few] for n, few in zip(sizes, SMALL, strict=False)}
        try:
            args = tuple(_cut(it, kept) for it in call.args)
        except KeyError:  # a size that is the product of two
            return
        if isinstance(args[0], RecordingLoss):
            loss = RecordingLoss(rng, args[1], args[2].shape[1])
            N = len(args[2])
            size = 2 if call.args[-2] <= len(call.args[2]) else N + 1
            args = (loss, *args[1:-3], N + 1, size, Seed(start))
        elif call.exercise == "net_backward":
            args = (*args[:2], forward(*args[:2])["hidden"], *args[3:])
        yield args


def _cut(value: Any, kept: dict[int, NDArray[np.int64]]) -> Any:
    """Return what is left of arrays when of axes of each size these places are kept."""
    if isinstance(value, np.ndarray):
        labels = value.dtype.kind in "iu"
        return (value % SMALL[0] if labels else value)[np.ix_(*(kept[n] for n in value.shape))]
    if isinstance(value, dict):
        return {key: _cut(it, kept) for key, it in value.items()}
    return tuple(_cut(it, kept) for it in value) if isinstance(value, tuple) else value


# ---- as text ----


def shown(call: Call) -> str:
    """Return a call, what came back and what was expected, as a person reads it."""
    exercise = EXERCISES[call.exercise]
    given = dict(zip(exercise.parameters, call.args, strict=False))
    lines = [f"{exercise.function}({', '.join(given)}) with"]
    lines += [named(name, value) for name, value in given.items()]
    if isinstance(call.args[0], RecordingLoss) and call.args[0].asked:
        lines += ["in which", *_steps(call)]
    if isinstance(call.args[0], RecordingEvaluator):
        asked = ", ".join(map(_plain, call.args[0].asked[:SHOWN])) or "nothing"
        lines += ["in which", f"    evaluate was asked for {asked}"]
    if call.error:
        lines += ["raised", textwrap.indent(textwrap.fill(str(call.error), WIDTH), "    ")]
    else:
        lines += ["returned", *(named(*it) for it in (call.got or {"": call.returned}).items())]
    of_training = isinstance(call.args[0], RecordingLoss)
    whole = call.error and not of_training  # which has taken some of its steps
    if awaited := {k: it for k, it in call.expected.items() if whole or k in call.wrong}:
        lines += ["expected on these minibatches" if of_training else "expected"]
        lines += [named(name, it) for name, it in awaited.items()]
    for k in call.changed:
        name = exercise.parameters[k]
        lines += [f"changed its argument {name}, which is now", named(name, call.after[k])]
    if differences := [text for name in call.wrong if (text := _difference(call, name))]:
        lines += ["differs most", *(f"    {text}" for text in differences)]
    return clean("\n".join(lines))


def _steps(call: Call) -> list[str]:
    """Return a line for each minibatch: its rows and labels, and the loss that it was told."""
    _, _, X, y, *_ = call.args
    asked, lines = call.args[0].asked, []
    for k, it in enumerate(asked[:MOST_STEPS]):
        apart = np.abs(it.X[:, np.newaxis] - X).max(axis=2)  # (B, N)
        rows = apart.argmin(axis=1)
        listed = ", ".join(map(str, rows[:8])) + (", ..." if len(rows) > 8 else "")
        drawn = "no rows of X" if (apart.min(axis=1) > 1e-5).any() else f"rows {listed} of X"
        if not np.array_equal(y[rows], it.y):
            drawn += f" with labels {_plain(it.y.astype(np.int64))}"
        drawn += f" with reg = {it.reg:g}" if it.reg != call.args[-4] else ""
        lines.append(f"    step {k} has {drawn}, and loss_function returned {it.value:.4g}")
    if len(asked) > MOST_STEPS:
        lines.append(f"    and {len(asked) - MOST_STEPS} more steps")
    return lines


def named(name: str, value: Any) -> str:
    """Return ``name = value`` in the lines of a call.

    >>> print(named("W", np.array([[1.0, -1.028e-17], [0.5, 2 / 3]])))
        W = [[1.    , 0.    ],
             [0.5   , 0.6667]]
    """
    start = f"    {name} = " if name else "    "
    if isinstance(value, dict) and any(isinstance(it, np.ndarray) for it in value.values()):
        return "\n".join(named(f"{name}[{key!r}]", it) for key, it in value.items())
    if isinstance(value, tuple) and any(isinstance(it, np.ndarray) for it in value):
        return "\n".join(named(f"{name}[{k}]", it) for k, it in enumerate(value[:SHOWN]))
    return start + _plain(value, len(start))


def _plain(value: Any, indent: int = 0) -> str:
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        largest = np.abs(value[np.isfinite(value)]).max(initial=0.0)
        if value.dtype.kind == "f" and largest >= 0.01:
            value = np.round(value.astype(np.float64), 4) + 0.0  # no minus before a zero
        text = np.array2string(
            value, precision=4, separator=", ", threshold=SHOWN, edgeitems=2,
            suppress_small=bool(largest >= 0.01), prefix=" " * indent, max_line_width=100,
        )  # fmt: skip
        return text + (f"  # {value.shape}" if value.size > SHOWN else "")
    if isinstance(value, float | np.number):
        return f"{value:.4g}"
    if isinstance(value, Seed):
        return f"RandomState({int(value)})"
    if isinstance(value, list | tuple):
        left, right = ("[", "]") if isinstance(value, list) else ("(", ")")
        return left + ", ".join(_plain(it) for it in value[:SHOWN]) + right
    if isinstance(value, dict):
        items = [f"{_plain(key)}: {_plain(it)}" for key, it in [*value.items()][:SHOWN]]
        return "{" + ", ".join(items) + "}"
    if callable(value):
        return "a function that notes how it is called"
    return clean(repr(value))[:300]


def _difference(call: Call, name: str) -> str:
    """Return where a part differs most from what is right, "" where that cannot be said."""
    right = np.asarray(call.expected[name])
    try:
        got = np.asarray(call.got[name])
    except (KeyError, ValueError):
        return ""
    if got.dtype.kind not in "fiu":
        return ""
    if got.shape != right.shape:
        return f"{name} has the shape {got.shape}, expected {right.shape}"
    off = np.abs(got - right)
    at = np.unravel_index(int(np.argmax(np.where(np.isnan(off), np.inf, off))), off.shape)
    place = f"[{', '.join(map(str, at))}]" if at else ""
    return f"{name}{place} is {got[at]:.4g}, expected {right[at]:.4g}"
