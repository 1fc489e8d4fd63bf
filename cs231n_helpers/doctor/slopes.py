"""Is the gradient wrong? Analytic and numerical slopes along random directions.

Along a unit direction v the loss is a function of one number, phi(t) = f(x + t v), and the gradient
gives its slope at every t. Two evaluations at +h and -h bring two values and two slopes, so each
half of the interval can be tested by itself: the rise phi(h) - phi(0) must be the mean of the
analytic slopes (trapezoid), both halves together must follow Simpson's rule. A wrong gradient
fails on both sides alike, a kink between 0 and h only on its own side.

The step is chosen so that rounding is a fixed, tiny share of the slope, ``h = STEP |f| / slope``.
The tolerance sits at the noise, because one wrong entry of 30,730 is seen through a v whose entries
are about 1/175; the noise itself is read from how far the two sides differ, which a wrong gradient
does not change. The entries of v have random signs, so that errors do not cancel for good, and
magnitudes between 1/2 and 3/2, so that none is overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from ..validation import Rng
from .evaluate import Evaluation, LossFunction, Vector

ROUNDING = 2.0**-53  # of |f|
ROUNDING_FLOAT32 = 2.0**-24
LEAST_FLOAT16 = 2.0**-14  # below, float16 has fewer digits
LEAST, MOST = 4, 16  # times rounding: what a loss loses at least, and in a plain loop at most
STEP = 5e-7  # rounding is then some 1e-9 of the slope
LEAST_SPREAD = 1e-8  # of parameters; below, they are 0 to any step
SHRINK = 8.0  # from one step to the next smaller one
PERSISTS = 0.5  # an error that halves with h is truncation, and a difference of the sides curvature
SYMMETRIC = 0.05  # of the larger side: what the two sides may differ without a kink
SMOOTH = 500.0  # times the slope: what a step rises above the roughness
GROWS = 2.0  # an error, or a difference of the sides, that grows as h shrinks is rounding


class Outcome(Enum):
    """What a comparison of slopes says of the gradient."""

    AGREES = auto()
    DIFFERS = auto()
    KINK = auto()  # the two sides differ at every step; beside this point the gradient agrees
    UNCLEAR = auto()


@dataclass(frozen=True)
class Slope:
    """The analytic and the numerical slope along v, by steps of h."""

    analytic: float
    numerical: float
    h: float
    error: float  # analytic minus numerical, by Simpson's rule over [-h, h]
    right: float  # the same over [0, h] and over [-h, 0], by the trapezoid rule
    left: float
    tolerance: float
    at: Evaluation

    @property
    def agrees(self) -> bool:
        """Both slopes are the same, on both sides together or on one of them."""
        halves = min(abs(self.right), abs(self.left)) / 2  # half the interval, twice the noise
        return min(abs(self.error), halves) <= self.tolerance

    @property
    def asymmetry(self) -> float:
        """How far the errors of the two sides differ; a kink at x keeps it at any h."""
        return abs(self.right - self.left)

    @property
    def is_symmetric(self) -> bool:
        """Both sides show the same error: no kink does that."""
        size = max(abs(self.right), abs(self.left))
        return self.asymmetry <= SYMMETRIC * size + 2 * self.tolerance

    @property
    def is_significant(self) -> bool:
        """Both sides show the same error, well above the noise."""
        return self.is_symmetric and abs(self.error) > 2 * self.tolerance

    @property
    def is_constant(self) -> bool:
        return self.numerical == 0 and self.right + self.left == self.analytic * 2

    @property
    def is_visible(self) -> bool:
        return max(abs(self.analytic), abs(self.numerical)) > self.tolerance

    @property
    def best_error(self) -> float:
        """The error, of the side that fits better where a kink tells the sides apart."""
        if self.is_symmetric:
            return self.error
        return min((self.error, self.right, self.left), key=abs)

    @property
    def relative_error(self) -> float:
        size = max(abs(self.analytic), abs(self.numerical))
        if self.agrees and size <= 100 * self.tolerance:
            return 0.0  # nothing but rounding
        return abs(self.best_error) / max(size, 1e-300)


class Detector:
    """Measures slopes of a loss; knows its noise."""

    def __init__(self, function: LossFunction, rng: Rng, *, float32: bool = False) -> None:
        self.function = function
        self.rng = rng
        self.float32 = float32  # the loss is computed in it
        self.scale = 0.0  # of the loss elsewhere: a loss near 0 is rounded like its terms
        self.roughness = 0.0  # what rounding was seen to change, where that is more than expected
        self.slopes: list[Slope] = []

    @property
    def coarse(self) -> bool:
        """Three digits are all that can be compared."""
        return self.float32 or self.function.gradient_bytes < 4

    def direction(self, only: str | None = None) -> Vector:
        """A random vector, of length 1 in each of the parameters, or in only one."""
        v = np.zeros(self.function.blocks.size)
        for name, part in self.function.blocks.slices.items():
            size = part.stop - part.start
            if size and only in (None, name):
                z = self.rng.uniform(-1, 1, size)
                z += np.copysign(0.5, z)
                v[part] = z / np.linalg.norm(z)
        return v

    def typical_slope(self, at: Evaluation, v: Vector) -> float:
        """Root mean square of the analytic slope over all directions like v."""
        parts = [p for p in self.function.blocks.slices.values() if v[p].any()]
        return float(np.sqrt(sum(float(np.mean(at.gradient[p] ** 2)) for p in parts)))

    def noise(self, value: float) -> float:
        """What rounding may change in the loss; from how much the two sides differed so far."""
        most = self.most_noise(value)
        if self.float32 or len(self.slopes) < 3:
            return max(most, self.roughness)
        seen = float(np.median([s.asymmetry * s.h for s in self.slopes]))
        return max(float(np.clip(4 * seen, LEAST / MOST * most, most)), self.roughness)

    def most_noise(self, value: float) -> float:
        unit = ROUNDING_FLOAT32 if self.float32 else ROUNDING
        return MOST * unit * max(abs(value), self.scale)

    def step(self, at: Evaluation, v: Vector) -> float:
        """The step size to begin with, along a unit direction v."""
        size = max(1.0, float(np.abs(at.x[v != 0]).max(initial=0.0)))
        if self.float32:
            spread = float(np.sqrt(np.mean(at.x**2))) * np.sqrt(at.x.size)
            return 0.1 * max(float(spread), 1e-3 * size)
        slope = self.typical_slope(at, v)
        if self.roughness and slope > 0:  # so long that it is a small share of the slope
            return float(np.clip(SMOOTH * self.roughness / slope, 1e-6 * size, 1e-2 * size))
        h = STEP * max(abs(at.value), self.scale) / slope if slope > 0 else np.inf
        return float(np.clip(h, 1e-6 * size, 2e-4 * size))

    def measure(self, at: Evaluation, v: Vector, h: float) -> Slope:
        """Two evaluations, h up and h down along v."""
        above, below = self.function(at.x + h * v), self.function(at.x - h * v)
        analytic = np.array([float(e.gradient @ v) for e in (below, at, above)])
        rise, fall = above.value - at.value, at.value - below.value
        numerical = (rise + fall) / (2 * h)
        largest = max(abs(above.value), abs(below.value), abs(at.value))
        relative = 2e-3 if self.coarse else 1e-6 if self.function.gradient_bytes < 8 else 2e-9
        usable = above.finite and below.finite  # else nothing agrees
        least = LEAST_FLOAT16 if self.function.gradient_bytes < 4 else 0.0
        steepest = max(self.typical_slope(at, v), abs(analytic[1]), abs(numerical), least)
        return Slope(
            analytic=analytic[1],
            numerical=numerical,
            h=h,
            error=float(analytic @ [1, 4, 1]) / 6 - numerical,
            right=float(analytic[1:].mean()) - rise / h,
            left=float(analytic[:2].mean()) - fall / h,
            tolerance=self.noise(largest) / h + relative * steepest if usable else np.nan,
            at=at,
        )

    def test(self, at: Evaluation, v: Vector, start: float | None = None) -> tuple[Outcome, Slope]:
        """Does the analytic slope along v hold? Take other steps until that is clear.

        Returns the slope that told, too.
        """
        if self.float32:
            return self._test_float32(at, v)
        h = self.step(at, v) if start is None else start
        before: Slope | None = None
        for _ in range(6):
            now = self.measure(at, v, h)
            self.slopes.append(now)
            if before is not None and _persists(before, now):
                return Outcome.DIFFERS, before
            if before is not None and _stays_asymmetric(before, now):
                return Outcome.KINK, now
            if now.agrees:
                return Outcome.AGREES, now
            if before is not None and _is_rough(before, now):
                self.roughness = max(self.roughness, 4 * now.asymmetry * now.h)
                h = 64 * before.h
            elif now.is_significant:
                h = now.h / 3
            elif now.is_symmetric and (before is None or before.h < now.h):
                h = now.h * 4  # an error near the noise: a longer step sees better
            else:
                h = now.h / SHRINK
            before = now
        return Outcome.UNCLEAR, now

    def _test_float32(self, at: Evaluation, v: Vector) -> tuple[Outcome, Slope]:
        """The same in float32: steps so long that kinks are averaged over, and all must agree."""
        found = [self.measure(at, v, self.step(at, v) * k) for k in (1, 0.3, 0.1)]
        self.slopes += found
        for slope in found:
            if slope.agrees:
                return Outcome.AGREES, slope
        errors = [s.error for s in found]
        steady = min(errors) * max(errors) > 0 and np.ptp(errors) < 0.3 * abs(errors[1])
        clear = all(abs(s.error) > 10 * s.tolerance for s in found)
        return (Outcome.DIFFERS if steady and clear else Outcome.UNCLEAR), found[1]


def _persists(before: Slope, now: Slope) -> bool:
    """The error is the same at a smaller step."""
    ratio = now.error / before.error if before.error else 0.0
    return before.is_significant and PERSISTS < ratio < GROWS


def _stays_asymmetric(before: Slope, now: Slope) -> bool:
    """The two sides differ as much at a smaller step."""
    least = max(PERSISTS * before.asymmetry, 10 * now.tolerance)
    stays = least < now.asymmetry < GROWS * before.asymmetry
    return not (before.is_symmetric or now.is_symmetric) and stays


def _is_rough(before: Slope, now: Slope) -> bool:
    """The sides differ by the more, the smaller the step: the loss loses digits, as log(1 - a)."""
    grown = max(now.asymmetry / GROWS, abs(now.error)) > max(before.asymmetry, abs(before.error))
    return now.h < before.h and now.asymmetry > 4 * now.tolerance and grown


@dataclass(frozen=True)
class Detection:
    """The outcome, with the point and the slope that it rests on."""

    outcome: Outcome
    at: Evaluation
    slope: Slope


def second_point(detector: Detector, first: Evaluation) -> Vector:
    """A generic point: far enough from the first to change the loss, also if that one is 0."""
    x = first.x
    spread = float(np.sqrt(np.mean(x * x)))
    steepness = float(np.linalg.norm(first.gradient)) * np.sqrt(x.size)
    reach = 3 * abs(first.value) / steepness if steepness > 0 else 0.0
    scale = max(1.5 * spread, min(reach, 1.0))
    scale = scale if scale > LEAST_SPREAD else 0.5
    return scale * detector.rng.standard_normal(x.size)


def detect(detector: Detector, first: Evaluation, second: Evaluation) -> Detection:
    """Decide between correct and wrong from the slopes at the point given and at generic ones.

    Wrong is what is wrong at a generic point: at a kink no gradient exists, and a correct function
    may return any slope between the two.
    """
    outcome, v, slope = _at_every_array(detector, first)
    if outcome in (Outcome.AGREES, Outcome.DIFFERS):
        u = detector.direction() if outcome == Outcome.AGREES else v
        # a step that kinks have made smaller at the first point starts out smaller at the second
        shrunk = min(slope.h / detector.step(first, v), 1.0)
        there, other = detector.test(second, u, shrunk * detector.step(second, u))
        if there == Outcome.DIFFERS and outcome == Outcome.AGREES:
            there = _at_a_longer_step(detector, second, u, other)
        if there == Outcome.DIFFERS:
            at, slope = (first, slope) if outcome == Outcome.DIFFERS else (second, other)
            return Detection(Outcome.DIFFERS, at, slope)
        if outcome == there == Outcome.AGREES:
            return _along_the_gradient(detector, first, slope)
    # The array that has differed, or may do so: among others its error might not show. What was
    # unclear may be so for its tiny slope, so that it says little by itself.
    directions = [v] if outcome in (Outcome.DIFFERS, Outcome.UNCLEAR) else []
    if outcome != Outcome.DIFFERS:
        directions.append(detector.direction())
    scale = max(float(np.sqrt(np.mean(first.x**2))), 1e-2)
    for k in range(1, 5):
        shift = 1e-3 * 4**k * scale * detector.rng.standard_normal(first.x.size)
        near = detector.function(first.x + shift)
        tests = [detector.test(near, v) for v in directions]
        for v, (beside, other) in zip(directions, tests, strict=True):
            if beside == Outcome.DIFFERS:
                beside = _at_a_longer_step(detector, near, v, other)
            if beside == Outcome.DIFFERS:
                return Detection(Outcome.DIFFERS, near, other)
        if all(beside == Outcome.AGREES for beside, _ in tests):
            kink = outcome == Outcome.KINK
            return Detection(Outcome.KINK if kink else Outcome.AGREES, first, slope)
    return Detection(Outcome.UNCLEAR, first, slope)


def _at_a_longer_step(detector: Detector, at: Evaluation, v: Vector, differs: Slope) -> Outcome:
    """Where only one point speaks against the gradient: an error stays, a loss of digits fades."""
    h = min(100 * differs.h, 2e-4 * max(1.0, float(np.abs(at.x).max())))
    longer = detector.measure(at, v, h)
    fades = abs(longer.error) < PERSISTS * abs(differs.error)
    return Outcome.UNCLEAR if fades and not detector.float32 else Outcome.DIFFERS


def _at_every_array(detector: Detector, first: Evaluation) -> tuple[Outcome, Vector, Slope]:
    """Test each array by itself; the answer is the first that differs, or else does not agree."""
    found: list[tuple[Outcome, Vector, Slope]] = []
    for name, part in detector.function.blocks.slices.items():
        if part.stop > part.start:
            v = detector.direction(name)
            outcome, slope = detector.test(first, v)
            found.append((outcome, v, slope))
            if outcome == Outcome.DIFFERS:
                return found[-1]
    return next((answer for answer in found if answer[0] != Outcome.AGREES), found[-1])


def _along_the_gradient(detector: Detector, first: Evaluation, slope: Slope) -> Detection:
    """One more test, along the gradient itself: there a wrong factor shows most."""
    function = detector.function
    if function.evaluations <= 5 + 2 * len(function.blocks.slices) and first.gradient.any():
        v = first.gradient / np.abs(first.gradient).max()  # the square of a tiny one would be 0
        outcome, last = detector.test(first, v / np.linalg.norm(v))
        if outcome == Outcome.DIFFERS:
            return Detection(Outcome.DIFFERS, first, last)
    return Detection(Outcome.AGREES, first, slope)
