"""Where is the gradient wrong? Halving the entries, and asking each half.

Where the assignment is not known, place and factor alone make the findings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .codes import Code
from .evaluate import Evaluation, Vector
from .report import Finding, never_filled
from .slopes import Detector
from .small_problem import Call

MANY = 24  # entries along an axis, beyond which only a few wrong ones are worth counting up
FEW = 4
SAMPLE = 6  # single entries that are asked, where an error may be scattered
DERIVE = "check the derivation one piece at a time, from the loss back."


@dataclass(frozen=True)
class Place:
    """Where a parameter's gradient is wrong: along each axis the indices, or None for many."""

    parameter: str
    shape: tuple[int, ...]
    axes: tuple[tuple[int, ...] | None, ...]
    constant: bool = False  # the loss does not change with this parameter at all

    @property
    def everywhere(self) -> bool:
        pairs = zip(self.axes, self.shape, strict=True)
        return all(axis is None or len(axis) == n for axis, n in pairs)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """True for the entries in all of these rows and columns."""
        mask = np.zeros(self.shape, dtype=bool)
        pairs = zip(self.axes, self.shape, strict=True)
        mask[np.ix_(*(range(n) if axis is None else axis for axis, n in pairs))] = True
        return mask

    @property
    def is_entry(self) -> bool:
        return all(self.lines)

    @property
    def lines(self) -> list[bool]:
        """For each axis, whether one single index is wrong."""
        return [axis is not None and len(axis) == 1 for axis in self.axes]

    def __str__(self) -> str:
        if self.everywhere:
            return "everywhere"
        if self.is_entry and len(self.shape) > 1:
            return f"entry {tuple(axis[0] for axis in self.axes if axis)}"
        names = [("row", "rows"), ("column", "columns"), ("axis 2",) * 2, ("axis 3",) * 2]
        if len(self.shape) == 1:
            names = [("entry", "entries")]
        said = []
        for (one, many), axis, n in zip(names, self.axes, self.shape, strict=False):
            if axis is None or len(axis) == n:
                continue
            left_out = set(range(n)) - set(axis)
            if len(axis) == 1:
                said.append(f"{one} {axis[0]}")
            elif len(left_out) == 1:
                said.append(f"all {many} but {left_out.pop()}")
            else:
                said.append(f"{many} {', '.join(map(str, axis[:5]))}{', ...' * (len(axis) > 5)}")
        return ", ".join(said)


def locate(detector: Detector, at: Evaluation, budget: int) -> list[Place]:
    """The places in all wrong parameters, worst first, by at most `budget` evaluations or so.

    Fix a random z and ask about its parts, z restricted to some of the entries. What z sees on one
    half of a set, it does not see on the other: the sibling costs nothing.
    """
    function, z = detector.function, detector.direction()
    shapes, slices = function.blocks.shapes, function.blocks.slices
    stop_at = function.evaluations + budget

    def part(name: str, mask: Any = True) -> Vector:
        """Restrict z to one parameter, and there to a mask."""
        v = np.zeros(z.size)
        v[slices[name]] = np.where(np.ravel(mask), z[slices[name]], 0.0)
        return v

    steps = {name: detector.step(at, part(name)) for name in slices}

    def indices(name: str, axis: int, error: float) -> tuple[int, ...] | None:
        """The indices along one axis at which this error arises."""
        length = shapes[name][axis]
        found: list[int] = []
        open_sets = [(np.arange(length), error)]
        while open_sets:
            indices, whole = open_sets.pop(0)
            if len(indices) == 1:
                found.append(int(indices[0]))
                continue
            many = length > MANY and len(open_sets) + len(found) >= FEW
            if many or function.evaluations + 2 > stop_at:
                return None
            half = indices[: len(indices) // 2]
            mask = np.zeros(shapes[name], bool)
            np.moveaxis(mask, axis, 0)[half] = True
            slope = detector.measure(at, part(name, mask), steps[name])
            parts = [(half, slope.best_error), (indices[len(half) :], whole - slope.best_error)]
            wrong = [part for part in parts if abs(part[1]) > 3 * slope.tolerance]
            open_sets += wrong or [max(parts, key=lambda part: abs(part[1]))]
        return tuple(sorted(found))

    filled = [name for name, shape in shapes.items() if 0 not in shape]
    slopes = {name: detector.measure(at, part(name), steps[name]) for name in filled}
    wrong = [(name, s) for name, s in slopes.items() if abs(s.best_error) > 2 * s.tolerance]
    found = []
    for name, slope in sorted(wrong, key=lambda item: -abs(item[1].best_error)):
        axes = (indices(name, axis, slope.best_error) for axis in range(len(shapes[name])))
        found.append(Place(name, shapes[name], tuple(axes), slope.is_constant))
    return found


# ---- what place and factor alone say ----


def unidentified(
    call: tuple[Any, ...], detector: Detector, at: Evaluation, places: dict[str | None, Place]
) -> list[Finding]:
    """Findings from place and factor alone, where the assignment is not known."""
    other = _another(detector, at)
    found = [_spot_or_factor(call, detector, at, other, *item) for item in places.items()]
    message = f"The gradient is wrong, and where could not be found out: {DERIVE}"
    return found or [Finding(Code.UNEXPLAINED, message)]


def _another(detector: Detector, at: Evaluation) -> Evaluation:
    """A second point: a factor that depends on the parameters is none."""
    spread = max(float(np.sqrt(np.mean(at.x**2))), 0.1)
    step = 0.2 * spread * detector.rng.standard_normal(at.x.size)
    with suppress(Exception):  # a loss need not be defined there
        other = detector.function(at.x + step)
        return other if other.finite else at
    return at


def _spot_or_factor(
    call: tuple[Any, ...], detector: Detector, at: Evaluation, other: Evaluation,
    label: str | None, place: Place,
) -> Finding:  # fmt: skip
    gradient = at.gradient[detector.function.blocks.slices[place.parameter]].reshape(place.shape)
    if gradient[~place.mask].any():  # "right elsewhere" needs an elsewhere that is not 0
        code = Code.ENTRY_WRONG if place.is_entry else Code.UNEXPLAINED
        if len(place.lines) == 2 and sum(place.lines) == 1:
            code = Code.LAST_ROW_WRONG if place.lines[0] else Code.SINGLE_CLASS_WRONG
        where = f"{place}{_of_bias(call, place)}"
        if sum(len(axis or ()) != 1 for axis in place.axes) > 1:
            where = _scattered(detector, at, place, gradient) or where
        message = (
            f"The gradient is wrong in {where}, and right elsewhere: look at what the code does "
            "differently there."
        )
        return Finding(code, message, label, str(place), {"axes": place.axes})
    points = (at, other)
    directions = [detector.direction(place.parameter) for _ in points]
    slopes = [
        detector.measure(point, v, detector.step(point, v))
        for point, v in zip(points, directions, strict=True)
    ]
    if not any(s.analytic for s in slopes):
        return never_filled(label)
    ratios = [s.analytic / s.numerical for s in slopes if s.numerical]
    if len(ratios) == 2 and _close(*ratios) and abs(ratios[0] - 1) > 2e-3:
        return _factor(ratios[0], label, call)
    message = f"The gradient is wrong everywhere, and no known mistake explains it: {DERIVE}"
    if where := _scattered(detector, at, place, gradient):
        message = (
            f"The gradient is wrong in {where}, and no known mistake explains it: look for a mask, "
            "an index or a condition that picks them."
        )
    return Finding(Code.UNEXPLAINED, message, label)


def _scattered(detector: Detector, at: Evaluation, place: Place, gradient: Vector) -> str:
    """Ask single entries of a place, the largest: in which it is wrong, if not in all of them."""
    size = np.where(place.mask, np.abs(gradient), 0.0).ravel()
    asked = np.argsort(-size, kind="stable")[:SAMPLE]
    found: dict[bool, list[str]] = {True: [], False: []}
    for k in asked[size[asked] > 0]:
        v = np.zeros(at.x.size)
        v[detector.function.blocks.slices[place.parameter].start + k] = 1.0
        slope = detector.measure(at, v, detector.step(at, v))
        index = tuple(int(i) for i in np.unravel_index(k, place.shape))
        found[slope.agrees].append(str(index[0] if len(index) == 1 else index))
    wrong, right = found[False], found[True]
    among = f"among others {wrong[0]}, " if wrong else ""
    return f"scattered entries ({among}but not {right[0]})" if right else ""


def _of_bias(call: tuple[Any, ...], place: Place) -> str:
    """Name the bias, where a row belongs to a column of ones in the data."""
    loss, _, args, kwargs = call
    row = place.axes[0] if place.axes else None
    if row is None or len(row) != 1:
        return ""
    for X in Call(loss, args, kwargs).arrays().values():
        if X.ndim == 2 and X.shape[1] == place.shape[0] and np.all(X[:, row[0]] == 1):
            return ", that of the bias (its column of the data is all ones)"
    return ""


def _factor(factor: float, label: str | None, call: tuple[Any, ...]) -> Finding:
    """Name a factor: a usual one, or the length of one of the arguments."""
    loss, _, args, kwargs = call
    named = [(Code.SIGN, -1.0, ""), (Code.SCALE_HALF, 0.5, "")]
    arrays = Call(loss, args, kwargs).arrays().values()
    for n in sorted({len(a) for a in arrays if a.ndim and len(a) > 2}):
        named.append((Code.SCALE_N, n, f", the length {n} of an argument"))
        named.append((Code.SCALE_INV_N, 1 / n, f", one over the length {n} of an argument"))
    close = [(code, of) for code, value, of in named if _close(factor, value)]
    code, of = close[0] if close else (Code.SCALE_CONST, "")
    message = (
        f"The whole gradient is {factor:.4g} times what the loss says{of}: a factor stands in one "
        "of them and not in the other."
    )
    return Finding(code, message, label, evidence={"factor": factor}, factor=factor)


def _close(factor: float, other: float) -> bool:
    return abs(factor - other) < 1e-3 * abs(factor)
