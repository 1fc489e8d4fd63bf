"""Is the gradient wrong, and where? Slopes along random directions, then halving.

Along a unit direction v the loss is a function of one number, phi(t) = f(x + t v), and the gradient
promises its slope at every t. Two evaluations at +h and -h bring two values and two promises, so
each half of the interval can be tested by itself: the rise phi(h) - phi(0) must be the mean of the
promised slopes (trapezoid), both halves together must follow Simpson's rule. A wrong gradient
fails on both sides alike, a kink between 0 and h only on its own side.

The step is chosen so that rounding is a fixed, tiny share of the slope, ``h = STEP |f| / slope``.
The tolerance sits at the noise, because one wrong entry of 30,730 is seen through a v whose entries
are about 1/175; the noise itself is read from how far the two sides differ, which a wrong gradient
does not change. The entries of v have random signs, so that errors do not cancel for good, and
magnitudes between 1/2 and 3/2, so that none is overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..validation import Rng
from .evaluate import Evaluation, Probe, Vector

ROUNDING = 2.0**-53  # of |f|
ROUNDING_SINGLE = 2.0**-24
LEAST, MOST = 4, 16  # times rounding: what a loss loses at least, and in a plain loop at most
STEP = 5e-7  # rounding is then some 1e-9 of the slope
SHRINK = 8.0  # from one step to the next smaller one


@dataclass(frozen=True)
class Slope:
    """One measurement along v: what the gradient promises, what the loss does."""

    analytic: float
    numerical: float
    h: float
    error: float  # promised minus measured, by Simpson's rule over [-h, h]
    right: float  # the same over [0, h] and over [-h, 0], by the trapezoid rule
    left: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """The promise holds, on both sides together or on one of them."""
        halves = min(abs(self.right), abs(self.left)) / 2  # half the interval, twice the noise
        return min(abs(self.error), halves) <= self.tolerance

    @property
    def jump(self) -> float:
        """How far the two sides are from telling the same; a kink at x keeps it at any h."""
        return abs(self.right - self.left)

    @property
    def even(self) -> bool:
        """Both sides show the same error: no kink does that."""
        size = max(abs(self.right), abs(self.left))
        return self.jump <= 0.05 * size + 2 * self.tolerance

    @property
    def clear(self) -> bool:
        """Both sides show the same error, well above the noise."""
        return self.even and abs(self.error) > 2 * self.tolerance

    @property
    def flat(self) -> bool:
        """The loss did not move at all."""
        return self.numerical == 0 and self.right + self.left == self.analytic * 2

    @property
    def best_error(self) -> float:
        """The error, of the side that fits better where a kink tells the sides apart."""
        if self.even:
            return self.error
        return min((self.error, self.right, self.left), key=abs)

    @property
    def relative_error(self) -> float:
        """The error over the larger of promise and measurement."""
        size = max(abs(self.analytic), abs(self.numerical))
        if self.agrees and size <= 100 * self.tolerance:
            return 0.0  # nothing but rounding
        return abs(self.best_error) / max(size, 1e-300)


class Detector:
    """Measures slopes of a probe; knows the noise of its loss."""

    def __init__(self, probe: Probe, rng: Rng, *, single: bool = False) -> None:
        self.probe = probe
        self.rng = rng
        self.single = single  # the loss is computed in float32
        self.scale = 0.0  # of the loss elsewhere: a loss near 0 is rounded like its terms
        self.slopes: list[Slope] = []

    def direction(self, names: list[str] | None = None) -> Vector:
        """A random vector, of length 1 in each of the parameters named (default: all)."""
        v = np.zeros(self.probe.blocks.size)
        for name, part in self.probe.blocks.slices.items():
            size = part.stop - part.start
            if size and (names is None or name in names):
                z = self.rng.uniform(-1, 1, size)
                z += np.copysign(0.5, z)
                v[part] = z / np.linalg.norm(z)
        return v

    def typical_slope(self, at: Evaluation, v: Vector) -> float:
        """Root mean square of the promised slope over all directions like v."""
        parts = [p for p in self.probe.blocks.slices.values() if v[p].any()]
        return float(np.sqrt(sum(float(np.mean(at.gradient[p] ** 2)) for p in parts)))

    def noise(self, value: float) -> float:
        """What rounding may change in the loss; from how much the two sides differed so far."""
        most = self.most_noise(value)
        if self.single or len(self.slopes) < 3:
            return most
        seen = float(np.median([s.jump * s.h for s in self.slopes]))
        return float(np.clip(4 * seen, LEAST / MOST * most, most))

    def most_noise(self, value: float) -> float:
        """What rounding changes in the loss at most."""
        unit = ROUNDING_SINGLE if self.single else ROUNDING
        return MOST * unit * max(abs(value), self.scale)

    def step(self, at: Evaluation, v: Vector) -> float:
        """The step size to begin with, along a unit direction v."""
        size = max(1.0, float(np.abs(at.x[v != 0]).max(initial=0.0)))
        if self.single:
            spread = float(np.sqrt(np.mean(at.x**2))) * np.sqrt(at.x.size)
            return 0.1 * max(float(spread), 1e-3 * size)
        slope = self.typical_slope(at, v)
        h = STEP * max(abs(at.value), self.scale) / slope if slope > 0 else np.inf
        return float(np.clip(h, 1e-6 * size, 2e-4 * size))

    def measure(self, at: Evaluation, v: Vector, h: float) -> Slope:
        """Two evaluations, h up and h down along v."""
        above, below = self.probe(at.x + h * v), self.probe(at.x - h * v)
        promised = np.array([below.slope(v), at.slope(v), above.slope(v)])
        rise, fall = above.value - at.value, at.value - below.value
        largest = max(abs(above.value), abs(below.value), abs(at.value))
        relative = 2e-3 if self.single else 1e-6 if self.probe.gradient_is_float32 else 2e-9
        typical = self.typical_slope(at, v)
        return Slope(
            analytic=promised[1],
            numerical=(rise + fall) / (2 * h),
            h=h,
            error=float(promised @ [1, 4, 1]) / 6 - (rise + fall) / (2 * h),
            right=float(promised[1:].mean()) - rise / h,
            left=float(promised[:2].mean()) - fall / h,
            tolerance=self.noise(largest) / h
            + relative * max(typical, abs(promised[1]), abs(rise + fall) / (2 * h)),
        )

    def test(self, at: Evaluation, v: Vector, start: float | None = None) -> tuple[str, Slope]:
        """Does the promised slope along v hold? Take other steps until that is clear.

        The answer is "agrees", "differs", "kink" (the two sides disagree at any step) or "unclear",
        with the slope that told.
        """
        if self.single:
            return self._test_single(at, v)
        h = self.step(at, v) if start is None else start
        before: Slope | None = None
        for _ in range(6):
            now = self.measure(at, v, h)
            self.slopes.append(now)
            if before is not None and before.clear:
                if before.error * now.error > 0 and abs(now.error) > 0.5 * abs(before.error):
                    return "differs", before
            elif before is not None and not (before.even or now.even):
                stays = now.jump > max(0.5 * before.jump, 10 * now.tolerance)
                if stays:
                    return "kink", now
            if now.agrees:
                return "agrees", now
            if now.clear:
                h = now.h / 3
            elif now.even and (before is None or before.h < now.h):
                h = now.h * 4  # an error near the noise: a longer step sees better
            else:
                h = now.h / SHRINK
            before = now
        return "unclear", now

    def _test_single(self, at: Evaluation, v: Vector) -> tuple[str, Slope]:
        """The same in float32: steps so long that kinks are averaged over, and all must agree."""
        found = [self.measure(at, v, self.step(at, v) * k) for k in (1, 0.3, 0.1)]
        self.slopes += found
        for slope in found:
            if slope.agrees:
                return "agrees", slope
        errors = [s.error for s in found]
        steady = min(errors) * max(errors) > 0 and np.ptp(errors) < 0.3 * abs(errors[1])
        clear = all(abs(s.error) > 10 * s.tolerance for s in found)
        return ("differs" if steady and clear else "unclear"), found[1]


@dataclass(frozen=True)
class Detection:
    """The verdict, with the point and the slope that it rests on."""

    verdict: str  # "correct", "wrong", "kink" (correct beside this point), "inconclusive"
    reason: str
    at: Evaluation
    slope: Slope


def second_point(detector: Detector, first: Evaluation) -> Vector:
    """A generic point: far enough from the first to change the loss, also if that one is 0."""
    x = first.x
    spread = float(np.sqrt(np.mean(x * x)))
    steepness = float(np.linalg.norm(first.gradient)) * np.sqrt(x.size)
    reach = 3 * abs(first.value) / steepness if steepness > 0 else 0.0
    scale = max(1.5 * spread, min(reach, 1.0)) or 0.5
    return scale * detector.rng.standard_normal(x.size)


def detect(detector: Detector, first: Evaluation, second: Evaluation) -> Detection:
    """Decide between correct and wrong from the slopes at the point given and at generic ones.

    Wrong is what is wrong at a generic point: at a kink no gradient exists, and a correct function
    may return any slope between the two.
    """
    probe = detector.probe
    outcome, v, slope = _at_every_array(detector, first)
    if outcome in ("agrees", "differs"):
        u = detector.direction() if outcome == "agrees" else v
        # a step that kinks have made smaller at the first point starts out smaller at the second
        shrunk = min(slope.h / detector.step(first, v), 1.0)
        there, other = detector.test(second, u, shrunk * detector.step(second, u))
        if there == "differs":
            at, slope = (first, slope) if outcome == "differs" else (second, other)
            return Detection("wrong", "", at, slope)
        if outcome == there == "agrees":
            return _along_the_gradient(detector, first, slope)
    v = v if outcome == "differs" else detector.direction()
    scale = max(float(np.sqrt(np.mean(first.x**2))), 1e-2)
    for k in range(1, 5):
        near = probe(first.x + 1e-3 * 4**k * scale * detector.rng.standard_normal(first.x.size))
        beside, other = detector.test(near, v)
        if beside == "differs":
            return Detection("wrong", "", near, other)
        if beside == "agrees":
            return Detection("kink" if outcome == "kink" else "correct", "", first, slope)
    reason = (
        "the measured slopes scatter more than rounding or a kink explains, so they can neither "
        "confirm nor refute the gradient: check at another point, in float64, with smaller data"
    )
    return Detection("inconclusive", reason, first, slope)


def _at_every_array(detector: Detector, first: Evaluation) -> tuple[str, Vector, Slope]:
    """Test each array by itself; the answer is the first that differs, or else does not agree."""
    found: list[tuple[str, Vector, Slope]] = []
    for name, part in detector.probe.blocks.slices.items():
        if part.stop > part.start:
            v = detector.direction([name])
            outcome, slope = detector.test(first, v)
            found.append((outcome, v, slope))
            if found[-1][0] == "differs":
                return found[-1]
    return next((answer for answer in found if answer[0] != "agrees"), found[-1])


def _along_the_gradient(detector: Detector, first: Evaluation, slope: Slope) -> Detection:
    """One more test, along the gradient itself: there a wrong factor shows most."""
    room = detector.probe.evaluations <= 5 + 2 * len(detector.probe.blocks.slices)
    if not room or not first.gradient.any():
        return Detection("correct", "", first, slope)
    v = first.gradient / np.linalg.norm(first.gradient)
    outcome, last = detector.test(first, v)
    if outcome == "differs":
        return Detection("wrong", "", first, last)
    return Detection("correct", "", first, slope)


# ---- where ----


@dataclass(frozen=True)
class Place:
    """Where a parameter's gradient is wrong: along each axis the indices, or None for many."""

    parameter: str
    shape: tuple[int, ...]
    axes: tuple[tuple[int, ...] | None, ...]

    @property
    def is_entry(self) -> bool:
        """A single number is wrong."""
        return all(axis is not None and len(axis) == 1 for axis in self.axes)

    @property
    def everywhere(self) -> bool:
        """No row and no column is right."""
        return all(
            axis is None or len(axis) == n for axis, n in zip(self.axes, self.shape, strict=True)
        )

    def __str__(self) -> str:
        if self.everywhere:
            return "everywhere"
        if self.is_entry:
            index = ", ".join(str(axis[0]) for axis in self.axes if axis is not None)
            return f"entry ({index})" if len(self.shape) > 1 else f"entry {index}"
        names = ("entries",) if len(self.shape) == 1 else ("rows", "columns", "axis 2", "axis 3")
        said = []
        for name, axis, n in zip(names, self.axes, self.shape, strict=False):
            if axis is None or len(axis) == n:
                continue
            left_out = sorted(set(range(n)) - set(axis))
            if len(axis) == 1:
                said.append(f"{_singular(name)} {axis[0]}")
            elif len(left_out) == 1:
                said.append(f"all {name} but {left_out[0]}")
            else:
                shown = ", ".join(map(str, axis[:5])) + (", ..." if len(axis) > 5 else "")
                said.append(f"{name} {shown}")
        return ", ".join(said)


def _singular(name: str) -> str:
    return {"rows": "row", "columns": "column", "entries": "entry"}.get(name, name)


class Localiser:
    """Halving: fix a random z and ask about its parts, z restricted to some of the entries.

    What z sees on one half of a set, it does not see on the other: the sibling costs nothing.
    """

    def __init__(self, detector: Detector, at: Evaluation, budget: int) -> None:
        self.detector, self.at, self.probe = detector, at, detector.probe
        self.stop_at = self.probe.evaluations + budget
        self.z = detector.direction()
        self.steps = {
            name: detector.step(at, self._part(name)) for name in self.probe.blocks.slices
        }
        self.still: list[str] = []  # parameters that do not move the loss at all

    def _part(self, name: str, mask: NDArray[np.bool_] | None = None) -> Vector:
        """Restrict z to one parameter, and there to a mask."""
        v, part = np.zeros(self.z.size), self.probe.blocks.slices[name]
        v[part] = self.z[part] if mask is None else np.where(mask.ravel(), self.z[part], 0.0)
        return v

    def _ask(self, name: str, mask: NDArray[np.bool_] | None = None) -> Slope:
        return self.detector.measure(self.at, self._part(name, mask), self.steps[name])

    def parameters(self) -> dict[str, float]:
        """The wrong parameters, each with the error that z sees in it, worst first."""
        found = {}
        for name, part in self.probe.blocks.slices.items():
            if part.stop == part.start:
                continue
            slope = self._ask(name)
            if abs(slope.best_error) > 2 * slope.tolerance:
                found[name] = slope.best_error
                if slope.flat:
                    self.still.append(name)
        return dict(sorted(found.items(), key=lambda item: -abs(item[1])))

    def place(self, name: str, error: float) -> Place:
        """Along each axis of one wrong parameter, the indices where it is wrong."""
        shape = self.probe.blocks.shapes[name]
        axes = tuple(self._axis(name, axis, error) for axis in range(len(shape)))
        return Place(name, shape, axes)

    def _axis(self, name: str, axis: int, error: float) -> tuple[int, ...] | None:
        shape = self.probe.blocks.shapes[name]
        length = shape[axis]
        if length == 1:
            return (0,)
        found: list[int] = []
        open_sets = [(np.arange(length), error)]
        while open_sets:
            indices, whole = open_sets.pop(0)
            if len(indices) == 1:
                found.append(int(indices[0]))
                continue
            many = length > 24 and len(open_sets) + len(found) >= 4
            if many or self.probe.evaluations + 2 > self.stop_at:
                return None
            half = indices[: len(indices) // 2]
            mask = np.zeros(shape, bool)
            np.moveaxis(mask, axis, 0)[half] = True
            slope = self._ask(name, mask)
            parts = [(half, slope.best_error), (indices[len(half) :], whole - slope.best_error)]
            wrong = [part for part in parts if abs(part[1]) > 3 * slope.tolerance]
            open_sets += wrong or [max(parts, key=lambda part: abs(part[1]))]
        return tuple(sorted(found))
