"""Which textbook loss is it? The gradient on the small problem, measured and compared.

On small data of our own the loss is differentiated numerically, and beside that is laid the
analytic gradient, the one that the learner returns, apart for the data and for the penalty.
`identify` finds the textbook loss of whose gradient one of the two is a multiple.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backward import ACTIVATIONS, OUTPUT_LOSSES, Array, Layer, Model
from .codes import Code
from .evaluate import Evaluation, Vector
from .layouts import ParameterLayout
from .report import Finding
from .small_problem import REG, Problem, scaled

EXACT = 1e-5  # residual, relative to the larger of the two, below which a prediction fits
EXACT_FLOAT32 = 2e-2
STEP, STEP_FLOAT32 = 1e-6, 3e-3
OF_CLASSES = ("softmax", "hinge", "squared hinge", "worst hinge", "softmax squared")
SAME_FACTOR = 1e-3  # how far the factors of the arrays of one gradient may differ


@dataclass(frozen=True)
class Block:
    """One array of the gradient: what the loss does (numerical), what is returned (analytic)."""

    label: str | None  # key of the parameter
    name: str  # in words, where it is read as part of a layer
    is_bias: bool
    is_alone: bool
    values: Array  # the parameter itself
    numerical: Array
    analytic: Array
    numerical_penalty: Array
    analytic_penalty: Array
    measurement: Measurement
    index: int
    part_of: Callable[[Vector], Array]  # the view of this array in a vector of all parameters

    def is_zero(self, array: Array) -> bool:
        """Tell whether this is nothing, beside the whole gradient."""
        whole = max(self.measurement.total, 1e-8)
        return float(np.linalg.norm(array)) <= self.measurement.exact * whole

    def same(self, a: Array, b: Array) -> bool:
        """Tell whether these are equal, up to the accuracy of the measurement."""
        longest = max(np.linalg.norm(a), np.linalg.norm(b))
        near = np.linalg.norm(a - b) <= self.measurement.exact * longest
        return bool(near) or (self.is_zero(a) and self.is_zero(b))

    @cached_property
    def is_right(self) -> bool:
        """The part of the data is right."""
        return self.same(self.numerical, self.analytic)

    @cached_property
    def off(self) -> NDArray[np.bool_]:
        """Where the part of the data is wrong."""
        largest = max(float(np.abs(self.numerical).max(initial=0.0)), 1e-9)
        return np.abs(self.analytic - self.numerical) > 1e-6 * largest

    @property
    def is_right_in_part(self) -> bool:
        """It is right in some entries, and not because these are 0."""
        return not self.is_zero(self.numerical[~self.off])

    @property
    def is_insensitive(self) -> bool:
        """The loss does not change with this parameter."""
        return self.is_zero(self.numerical) and self.is_zero(self.numerical_penalty)

    @property
    def is_ignored(self) -> bool:
        """The loss does not change with this parameter, and has a gradient nonetheless."""
        return self.is_insensitive and not self.is_right

    def fit(self, target: Array, predicted: Array) -> tuple[float, float] | None:
        """(a, r) with target = a * predicted, plus r * values where the penalty is inside."""
        if predicted.shape != target.shape or not np.isfinite(predicted).all():
            return None
        columns = [predicted.ravel()]
        if self.measurement.penalty_is_inside and self.values.size > 4:
            columns.append(self.values.ravel())
        basis = np.stack(columns, axis=1)
        lengths = np.maximum(np.linalg.norm(basis, axis=0), 1e-300)
        if lengths[0] <= 1e-12 or not target.any():
            return None
        factors = np.linalg.lstsq(basis / lengths, target.ravel(), rcond=None)[0] / lengths
        rest = np.linalg.norm(basis @ factors - target.ravel())
        if rest > self.measurement.exact * np.linalg.norm(target):
            return None
        return float(factors[0]), float(factors[1]) if len(factors) > 1 else 0.0

    def is_factor(self, factor: float) -> bool:
        """The analytic gradient is this many times the numerical one at other parameters, too."""
        there = self.measurement.elsewhere
        v = np.zeros_like(there.at.x)
        gradient, values = (self.part_of(u) for u in (there.at.gradient, there.at.x))
        self.part_of(v)[...] = there.apart_from_penalty(gradient, values)
        slope = factor * there.slope(v)
        return math.isclose(there.at.gradient @ v, slope, rel_tol=self.measurement.near)

    def finding(self, code: Code, message: str, where: str | None = None, **fields: Any) -> Finding:
        """A finding in this array; `where` in it, if it is not wrong everywhere."""
        of = "" if self.label or self.is_alone else self.name
        where = f"{where} of {of}" if where and of else where or of or "everywhere"
        return Finding.of_gradient(code, message, parameter=self.label, where=where, **fields)


@dataclass(frozen=True)
class Measurement:
    """Gradients at the small parameters, as vectors."""

    problem: Problem
    at: Evaluation  # without the penalty, as far as its strength can be set
    numerical: Vector
    numerical_penalty: Vector
    analytic_penalty: Vector
    exact: float
    scale: float = 1.0  # of the data, see `elsewhere`
    # what eps in the log adds to the value of this loss
    excess: Callable[[Measurement, Vector], float] | None = None

    @property
    def classes(self) -> int:
        return int(self.problem.T.shape[1])

    @cached_property
    def total(self) -> float:
        """The length of the whole gradient: what is far below it is zero."""
        return float(np.linalg.norm(self.numerical) + np.linalg.norm(self.at.gradient))

    @property
    def is_finite(self) -> bool:
        vectors = (self.numerical, self.numerical_penalty, self.analytic_penalty)
        return self.at.finite and all(np.isfinite(v.sum()) for v in vectors)

    @property
    def penalty_is_inside(self) -> bool:
        """No strength can be set to 0: a multiple of W may be in the gradient."""
        return self.problem.reg is None and not self.problem.of_scores

    def evaluate(self, x: Vector, reg: float = 0.0) -> Evaluation:
        """Value and gradient at another point; without the penalty, if its strength can be set."""
        at = self.problem.evaluate(x, reg if self.problem.reg else None, self.scale)
        return replace(at, value=at.value - self.excess(self, x)) if self.excess else at

    def unpack(self, layout: ParameterLayout, x: Vector) -> tuple[tuple[Layer, ...], Array]:
        """Layers and input of the model at these parameters."""
        arrays = self.problem.arrays(x)
        X = scaled(self.problem.X, self.scale)
        X = next(iter(arrays.values())) if self.problem.of_scores else X
        return tuple(layout.unpack(arrays)), X

    @property
    def near(self) -> float:
        """How far factors at two points may differ."""
        return max(SAME_FACTOR, self.exact)

    @cached_property
    def elsewhere(self) -> Measurement:
        """The same with other parameters and data, where nothing is differentiated."""
        return self.moved(
            self.at.x + 0.3 * np.random.RandomState(2).standard_normal(self.at.x.size)
        )

    def moved(self, x: Vector, scale: float = 1.25) -> Measurement:
        other = replace(self, scale=scale)
        return replace(other, at=other.evaluate(x))

    def slope(self, v: Vector, reg: float = 0.0) -> float:
        """The slope of the loss along v, times the length of v."""
        length = float(np.linalg.norm(v)) or 1.0
        h = STEP if self.exact == EXACT else STEP_FLOAT32
        steps = (sign * h / length * v for sign in (1, -1))
        above, below = (self.evaluate(self.at.x + step, reg).value for step in steps)
        return (above - below) / (2 * h) * length

    def apart_from_penalty(self, array: Array, values: Array) -> Array:
        """The part of an array that no multiple of W changes, where one may be in the gradient."""
        if not self.penalty_is_inside or values.size <= 4:
            return array
        return array - np.sum(array * values) / max(float(np.sum(values**2)), 1e-300) * values

    @cached_property
    def nearby(self) -> list[Evaluation]:
        """Value and gradient at a few points near by."""
        rng = np.random.RandomState(1)
        steps = [0.3 * rng.standard_normal(self.at.x.size) for _ in range(3)]
        return [self.evaluate(self.at.x + step) for step in steps]

    @cached_property
    def margins(self) -> list[float]:
        """Margins that a hinge loss may have: 1, what is passed, what its value at 0 says."""
        call, found = self.problem.call, [1.0]
        for binding, value in call.bindings.items():
            number = isinstance(value, float | int) and not isinstance(value, bool)
            if number and call.name(binding).lower().startswith(("delta", "margin")):
                found.append(float(value))
        zero = self.evaluate(np.zeros_like(self.at.x)).value
        if np.isfinite(zero):
            per_class = zero / max(self.classes - 1, 1)
            found += [per_class, per_class / self.problem.examples]
        return list(dict.fromkeys(round(m, 9) for m in found if m >= 0))

    def blocks(self, layout: ParameterLayout | None = None) -> list[Block]:
        """The arrays of the gradient, as the learner has them or read as layers."""
        problem, penalties = self.problem, (self.numerical_penalty, self.analytic_penalty)
        vectors = (self.at.x, self.numerical, self.at.gradient, *penalties)
        names: list[tuple[str | None, str, bool]] = []
        if layout is None or problem.of_scores:
            is_dict = isinstance(problem.params, dict)
            names = [(k if is_dict else None, "", False) for k in problem.blocks.slices]
        else:
            labels, layers = iter(layout.names), layout.unpack(problem.arrays(self.at.x))
            for k, (_, b) in enumerate(layers, start=1):
                of = f" of layer {k}" if len(layers) > 1 else ""
                for what in ("weights", "biases")[: 1 if b is None else 2]:
                    names.append((next(labels, None), f"the {what}{of}", what == "biases"))
        parts = [self.parts(layout, v) for v in vectors]
        rows: Any = zip(names, range(len(names)), *parts, strict=True)
        return [
            Block(*name, len(names) == 1, *values, self, k, lambda v, k=k: self.parts(layout, v)[k])  # type: ignore[call-arg]
            for name, k, *values in rows
        ]

    def parts(self, layout: ParameterLayout | None, v: Vector) -> list[Array]:
        """Views of the arrays in a vector of all parameters."""
        arrays = self.problem.arrays(v)
        if layout is None or self.problem.of_scores:
            return list(arrays.values())
        return arrays_of(layout.unpack(arrays))


def measure(problem: Problem, *, float32: bool = False, trusted: bool = False) -> Measurement:
    """Differentiate the small problem; a `trusted` gradient is taken for the numerical one, too.

    Raises `UnusableGradientError` where the function returns nothing that can be compared.
    """
    h, exact = (STEP_FLOAT32, EXACT_FLOAT32) if float32 else (STEP, EXACT)
    none = 0.0 if problem.reg else None  # strength that takes the penalty away
    at = problem.evaluate(reg=none)
    analytic = at.gradient
    analytic_both = problem.evaluate(reg=REG).gradient if problem.reg else analytic
    numerical, numerical_both = analytic, analytic_both
    if not trusted:
        numerical = numerical_both = problem.numerical(none, h)
        if problem.reg and not float32 and _is_penalty(problem, analytic_both - analytic, h):
            numerical_both = numerical + (analytic_both - analytic)
        elif problem.reg:
            numerical_both = problem.numerical(REG, h)
    penalties = (numerical_both - numerical, analytic_both - analytic)
    return Measurement(problem, at, numerical, *penalties, exact)


def _is_penalty(problem: Problem, gradient: Vector, h: float) -> bool:
    """Tell by one slope for each array whether this is the gradient of the penalty in the loss."""
    x, rng = problem.blocks.start, np.random.RandomState(5)
    for part in problem.blocks.slices.values():
        v = np.zeros_like(x)
        v[part] = rng.standard_normal(v[part].size)
        values = [problem.evaluate(x + s * h * v, reg).value for s in (1, -1) for reg in (REG, 0.0)]
        slope = float(np.dot(values, [1, -1, -1, 1])) / (2 * h)
        noise = 1e-8 * max(1.0, float(np.abs(values).max()))
        if not abs(slope - gradient @ v) <= noise + 1e-7 * float(np.linalg.norm(gradient[part])):
            return False
    return True


@dataclass(frozen=True)
class Match:
    """A textbook model whose gradient, times a factor, is the one that was looked for."""

    model: Model
    layout: ParameterLayout
    factor: float
    blocks: Sequence[Block]  # read by this layout

    def gradients_at(self, there: Measurement) -> list[Array]:
        """What the model predicts at other parameters and data, without the factor."""
        return model_at(self.model, self.layout, there).gradients()

    @property
    def wrong(self) -> list[int]:
        return [k for k, block in enumerate(self.blocks) if not block.is_right]


def identify(measurement: Measurement, which: str = "numerical") -> Match | None:
    """The first model whose gradient is a multiple of the "numerical" or "analytic" one."""
    for layout in measurement.problem.layouts:
        blocks = measurement.blocks(layout)
        for model in models(measurement, layout):
            with np.errstate(all="ignore"):
                factor = _common_factor(blocks, which, model.gradients())
            if factor is None or (factor < 0 and which == "numerical"):
                continue
            if _holds_elsewhere(measurement, layout, model, factor, which):
                return Match(model, layout, factor, blocks)
    return None


def model_at(model: Model, layout: ParameterLayout, there: Measurement) -> Model:
    """The same model with other parameters and data."""
    layers, X = there.unpack(layout, there.at.x)
    return replace(model, layers=layers, X=X)


def _holds_elsewhere(
    measurement: Measurement, layout: ParameterLayout, model: Model, factor: float, which: str
) -> bool:
    """The gradient is this multiple of the model's at other parameters, too: not by chance."""
    there = measurement.elsewhere
    v = np.zeros_like(there.at.x)
    views, values = (there.parts(layout, u) for u in (v, there.at.x))
    for k, predicted in enumerate(model_at(model, layout, there).gradients()):
        views[k][...] = there.apart_from_penalty(predicted, values[k])
    slope = there.at.gradient @ v if which == "analytic" else there.slope(v)
    return math.isclose(slope, factor * (v @ v), rel_tol=there.near)


def models(measurement: Measurement, layout: ParameterLayout) -> Iterator[Model]:
    """Every textbook model that the small problem, read by this layout, may be."""
    problem = measurement.problem
    layers, X = measurement.unpack(layout, measurement.at.x)
    signs = [2 * problem.T - 1] if set(np.unique(problem.T)) <= {0.0, 1.0} else []
    hidden = list(ACTIVATIONS.values()) if len(layers) > 1 else [ACTIVATIONS["ReLU"]]
    for loss in OUTPUT_LOSSES.values():
        if measurement.classes == 1 and loss.name in OF_CLASSES:
            continue
        squared = loss.name in ("squared error", "tanh squared")
        for T in (problem.T, *signs) if squared else (problem.T,):
            for margin in measurement.margins if "hinge" in loss.name else [1.0]:
                for activation in hidden:
                    yield Model(layers, X, T, loss, activation, margin, by_input=problem.by_input)


def _common_factor(blocks: Sequence[Block], which: str, predicted: list[Array]) -> float | None:
    """The factor between prediction and gradient, where it is the same in all arrays."""
    factors = []
    for block, prediction in zip(blocks, predicted, strict=True):
        target = getattr(block, which)
        if block.is_zero(target) and np.linalg.norm(prediction) < 1e-9:
            continue
        fit = block.fit(target, prediction)
        if fit is None or abs(fit[0]) < 1e-9:
            return None
        factors.append(fit[0])
    alike = factors and np.ptp(factors) <= SAME_FACTOR * abs(factors[0])
    return factors[0] if alike else None


# ---- comparing arrays ----


def arrays_of(layers: Sequence[Layer]) -> list[Array]:
    """W1, b1, W2, ... without the biases that are None."""
    return [a for W, b in layers for a in (W, b) if a is not None]


def close(a: float, b: float) -> bool:
    """Compare two factors."""
    return math.isclose(a, b, rel_tol=2e-4)


def line_of(off: NDArray[np.bool_], axis: str, all_but: bool = False) -> str | None:
    """Name the one entry, row or column where a mask is true (or, `all_but`, where it is not).

    Without its number, unless it is the first or the last: that is one of the small problem.
    """
    if axis == "entry":
        return "one entry" if off.sum() == 1 < off.size else None
    if off.ndim != 2 or off.all():
        return None
    lines: NDArray[np.bool_] = np.any(off, axis=1 if axis == "row" else 0)
    is_entry = off.sum() == 1 and min(off.shape) > 1
    found = np.flatnonzero(~lines if all_but else lines)
    if is_entry or len(found) != 1 or len(lines) < (3 if all_but else 2):
        return None
    others = off if axis == "row" else off.T
    if all_but and others[lines].mean() < 0.9:
        return None
    which = {0: "first", len(lines) - 1: "last"}.get(int(found[0]), "")
    if all_but:
        return f"all {axis}s but {f'the {which}' if which else 'one'}"
    return f"{which or 'one'} {axis}"
