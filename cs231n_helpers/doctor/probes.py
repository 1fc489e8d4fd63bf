"""What can be asked of a loss that is not known: the same function on parts of its data.

Each probe lets a mistake show itself: numbers that are right some places further on, entries that
are wrong only where an index repeats, steps of which one alone is right and two are not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .backward import Array
from .codes import Code
from .evaluate import Blocks, Evaluation, LossFunction, Vector
from .report import Finding
from .slopes import Detector, Outcome, Slope
from .small_problem import Call

REACH = 3  # places that a pad may shift a gradient by


def probed(
    call: tuple[Any, ...],
    detector: Detector,
    at: Evaluation,
    labels: Sequence[str | None],
    has_examples: bool,
) -> list[Finding]:
    """Mistakes that parts of the data give away, in the gradients of these parameters."""
    blocks = detector.function.blocks
    names = [name for name in blocks.slices if blocks.label(name) in labels]
    return [finding for name in names for finding in _first(call, detector, at, name, has_examples)]


def _first(
    call: tuple[Any, ...], detector: Detector, at: Evaluation, name: str, has_examples: bool
) -> Iterator[Finding]:
    """The first mistake that shows in one parameter, if any does."""
    bound, params = Call(call[0], call[2], call[3]), call[1]
    for code, messages in (
        (Code.PAD_SHIFT, _moved(detector, at, name)),
        (Code.OVERWRITTEN, _overwritten(bound, detector, at, name)),
        (Code.OVERWRITTEN, _replaced(bound, params, detector, name)),
        (Code.STEPS_NOT_ADDED, () if has_examples else _right_alone(bound, params, detector, name)),
    ):
        for message in messages:
            yield Finding(code, message, detector.function.blocks.label(name))
            return


def _moved(detector: Detector, at: Evaluation, name: str) -> Iterator[str]:
    """The right numbers, some places further on along the last two axes or one of them."""
    blocks = detector.function.blocks
    shape, gradient = blocks.shapes[name], blocks.split(at.gradient)[name]
    axes = tuple(range(len(shape)))[-2:]
    if not axes:
        return
    mask = np.zeros(shape, bool)  # the middle, which stays inside wherever it is moved to
    mask[(..., *(shape[axis] // 2 for axis in axes))] = True
    measured = _slopes(detector, at, name, mask)
    ways = itertools.product(range(1, REACH + 1), (-1, 1), (axes, axes[:1], axes[-1:]))
    for by, sign, where in ways:
        if any(2 * by >= shape[axis] for axis in where):
            continue
        moved = np.roll(gradient, [sign * by] * len(where), where)
        if _explains(measured, moved, blocks, name):
            yield (
                f"These are the right numbers, but {by} place{'s' * (by > 1)} off along axis "
                f"{' and '.join(map(str, where))}: with a pad p around x, the gradient of x is "
                "the padded one without its edges, dpad[..., p:-p, p:-p]."
            )


def _overwritten(bound: Call, detector: Detector, at: Evaluation, name: str) -> Iterator[str]:
    """Wrong for those indices alone that an array of whole numbers holds more than once."""
    blocks = detector.function.blocks
    shape, gradient = blocks.shapes[name], blocks.split(at.gradient)[name]
    for (binding, array), axis in itertools.product(bound.arrays().items(), range(len(shape))):
        n = shape[axis]
        if array.dtype.kind not in "iu" or array.size < 2 or array.min() < 0 or array.max() >= n:
            continue
        count = np.bincount(array.ravel(), minlength=n)
        along = tuple(n if k == axis else 1 for k in range(len(shape)))
        if not ((count > 1).any() and (count == 1).any()):
            continue
        once, again = (
            _explains(_slopes(detector, at, name, mask.reshape(along)), gradient, blocks, name)
            for mask in (count == 1, count > 1)
        )
        if once and not again:
            what = bound.name(binding) or "the indices"
            yield (
                f"Wrong only where {what} holds an index more than once "
                f"({', '.join(map(str, np.flatnonzero(count > 1)[:4]))}): each new value replaces "
                "the one before. In a loop use += instead of =; without one use "
                f"np.add.at(dE, {what}, ...), because dE[{what}] += ... adds only once."
            )


def _replaced(bound: Call, params: Any, detector: Detector, name: str) -> Iterator[str]:
    """Right where only the last entry of what comes from above is not 0, wrong for the first."""
    for binding, array in bound.arrays().items():
        if array.dtype.kind != "f" or array.ndim < 2:
            continue
        values = [_value(bound, {binding: factor * array}, params) for factor in (1.0, 2.0)]
        if not math.isclose(2 * values[0], values[1], rel_tol=1e-9):
            continue  # only in what comes from above is the loss of a layer linear
        agrees = []
        for place in (-1, 0):
            alone = np.zeros_like(array)
            alone.flat[place] = 1.0
            agrees.append(_agrees(bound, {binding: alone}, params, detector, name))
        if agrees == [True, False]:
            yield (
                f"Right where only the last entry of {bound.name(binding) or 'the data'} is not "
                "0, and wrong for the first: what a window adds is replaced by later windows. "
                "Where windows overlap, use += instead of =."
            )


def _right_alone(bound: Call, params: Any, detector: Detector, name: str) -> Iterator[str]:
    """Right for the first step or example alone, and wrong for the first two."""
    shapes = detector.function.blocks.shapes.values()
    data = {b: v for b, v in bound.arrays().items() if v.ndim and b[0] in ("arg", "kw")}
    lengths = {(axis, n) for v in data.values() for axis, n in enumerate(v.shape) if n > 1}
    for axis, length in sorted(lengths):
        cut = {b: v for b, v in data.items() if v.ndim > axis and v.shape[axis] == length}
        agrees = []
        for kept in (1, 2):
            new = {b: np.take(v, range(kept), axis) for b, v in cut.items()}
            lists = {b: v.tolist() for b, v in new.items() if isinstance(bound.bindings[b], list)}
            agrees.append(_agrees(bound, new | lists, params, detector, name))
        if agrees == [True, False]:
            recurrent = any(
                len(s) == 2 and max(s) in (min(s), 3 * min(s), 4 * min(s)) for s in shapes
            )
            lost = "what comes back from the next step, dh = ... + dh_next, " * recurrent
            who = " and ".join(dict.fromkeys(bound.name(b) for b in cut)) or "the data"
            yield (
                f"Right where {who} hold one step or example, wrong where they hold two, so look "
                f"at what puts them together: {lost}a sum over them (+= in a loop, not =) or an "
                "axis."
            )


# ---- the questions ----


def _slopes(detector: Detector, at: Evaluation, name: str, mask: Any) -> list[tuple[Vector, Slope]]:
    """Two random directions within a mask, and the slopes along them."""
    blocks, found = detector.function.blocks, []
    for _ in range(2):
        v = detector.direction(name)
        v[blocks.slices[name]] *= np.broadcast_to(mask, blocks.shapes[name]).ravel()
        v /= np.linalg.norm(v)
        found.append((v, detector.measure(at, v, detector.step(at, v))))
    return found


def _explains(
    measured: list[tuple[Vector, Slope]], gradient: Array, blocks: Blocks, name: str
) -> bool:
    """Tell whether another gradient of this parameter has the slopes that were measured."""
    pairs = [(s, float(gradient.ravel() @ v[blocks.slices[name]])) for v, s in measured]
    return any(s.is_visible for s, _ in pairs) and all(
        abs(s.numerical - slope) <= 2 * s.tolerance + 1e-6 * abs(s.numerical) for s, slope in pairs
    )


def _value(bound: Call, new: Any, params: Any) -> float:
    """The loss on other data; NaN where it does not run on them."""
    try:
        loss, args, kwargs = bound.rebind(new)
        function = LossFunction(loss, params, args, kwargs)
        return function(function.x).value
    except Exception:
        return math.nan


def _agrees(bound: Call, new: Any, params: Any, detector: Detector, name: str) -> bool | None:
    """Tell whether this parameter's gradient is right on other data; None where nobody can."""
    try:
        loss, args, kwargs = bound.rebind(new)
        twin = Detector(LossFunction(loss, params, args, kwargs), detector.rng)
        at = twin.function(twin.function.x)
        outcomes = [twin.test(at, twin.direction(name))[0] for _ in range(2)]
    except Exception:  # it need not run on part of its data
        return None
    visible = any(slope.is_visible for slope in twin.slopes)
    return all(outcome == Outcome.AGREES for outcome in outcomes) if visible else None
