"""What is wrong with the gradient of the penalty: told by what it does to each array of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .backward import Array, Model
from .codes import Code
from .identify import Block, Match, close, line_of
from .report import Finding, capitalized
from .small_problem import REG, Problem


@dataclass(frozen=True)
class PenaltyGradient:
    """The gradient of the penalty by one array W: the loss's (numerical), and what is returned."""

    numerical: Array
    analytic: Array
    block: Block
    biases_apart: bool  # the model has biases of their own
    match: Match | None

    @property
    def W(self) -> Array:
        return self.block.values

    @property
    def problem(self) -> Problem:
        return self.block.measurement.problem

    @property
    def noise(self) -> float:
        """Entries below this are nothing."""
        return 1e-5 * max(1e-12, float(np.abs([self.numerical, self.analytic]).max()))

    def is_zero(self, array: Array) -> bool:
        return float(np.abs(array).max(initial=0)) <= self.noise

    @property
    def factor(self) -> float | None:
        """Analytic over numerical, where one is a multiple of the other, at other W too."""
        factor = _multiple(self.analytic, self.numerical)
        return factor if factor and np.isclose(*self.growths, rtol=0.02) else None

    @cached_property
    def growths(self) -> tuple[float, float]:
        """How the gradient grows with W, numerical and analytic: of W**2 it doubles with W."""
        measurement, match = self.block.measurement, self.match
        there = measurement.moved(2 * measurement.at.x, scale=1.0)
        v = np.zeros_like(there.at.x)
        self.block.part_of(v)[...] = self.W
        slopes = np.array([there.slope(v), there.at.gradient @ v])
        if self.problem.reg is not None:
            slopes = [there.slope(v, REG), there.evaluate(there.at.x, REG).gradient @ v] - slopes
        elif match is not None:  # what is left beside the part of the data
            slopes -= match.factor * np.sum(match.gradients_at(there)[self.block.index] * self.W)
        before = [np.sum(a * self.W) or np.nan for a in (self.numerical, self.analytic)]
        numerical, analytic = slopes / before
        return float(numerical), float(analytic)

    @cached_property
    def norms(self) -> tuple[Norm | None, Norm | None]:
        """Of which norm the penalty in the loss is, and of which the gradient."""
        both = zip((self.numerical, self.analytic), self.growths, strict=True)
        numerical, analytic = (
            next((n for n in NORMS if n.fits(array, self.W, growth)), None)
            for array, growth in both
        )
        return numerical, analytic

    @property
    def norms_differ(self) -> bool:
        return None not in self.norms and self.norms[0] is not self.norms[1]

    @property
    def is_rooted(self) -> bool:
        """The loss has the norm, and the gradient is that of its square."""
        return [n and n.of for n in self.norms] == ["sqrt(sum(W**2))", "sum(W**2)"]

    def factor_is(self, *values: float) -> bool:
        return self.factor is not None and any(close(self.factor, value) for value in values)

    @property
    def right(self) -> str:
        """The gradient that belongs to the penalty in the loss."""
        norm = self.norms[0]
        if self.problem.reg is None:
            return "reg * W (2 * reg * W where the loss has no 0.5)"
        if norm is None:
            return "its derivative"
        r = (_multiple(self.numerical, norm.gradient(self.W)) or REG) / REG
        scale = "" if close(r, 1) else f"{self.said(r)} * "
        return f"reg / N * {norm.slope}" if scale == "1 / N * " else f"{scale}reg * {norm.slope}"

    def said(self, factor: float) -> str:
        """A factor in letters, where it is made of sizes."""
        letters = self.problem.in_letters(factor)
        return letters[0] if letters else f"{factor:.3g}"

    @property
    def off(self) -> NDArray[np.bool_]:
        """Where the two differ."""
        return np.abs(self.numerical - self.analytic) > self.noise

    @property
    def line(self) -> str | None:
        """The one row or column that holds all of the error."""
        off = self.off if self.off.ndim == 2 else self.off.reshape(-1, 1)
        return None if len(off) == 1 else line_of(off, "row") or line_of(off, "column")

    @property
    def line_is_bias(self) -> bool:
        """That line is where the bias trick puts the biases."""
        return not self.biases_apart and self.line in ("first row", "last row")

    def multiples_of_W(self) -> list[float | None]:
        """Of numerical and analytic, where each is not 0."""
        penalized = [(a, np.abs(a) > self.noise) for a in (self.numerical, self.analytic)]
        return [_multiple(a[mask], self.W[mask]) for a, mask in penalized if mask.any()]

    @property
    def is_missing_in_line(self) -> bool:
        """Both are multiples of W where they are not 0, and one of them is 0 in the line."""
        is_zero = self.is_zero(self.numerical[self.off]) or self.is_zero(self.analytic[self.off])
        return self.line is not None and None not in self.multiples_of_W() and is_zero

    @property
    def is_of_other_entries(self) -> bool:
        """Both are the same multiple of W, but on different entries."""
        factors = [r or np.nan for r in self.multiples_of_W()]
        return len(factors) == 2 and close(*factors)

    @property
    def only_in(self) -> str:
        """Where the penalty is that the other lacks: loss or gradient."""
        analytic, numerical = (np.abs(a[self.off]).sum() for a in (self.analytic, self.numerical))
        return "gradient" if analytic > numerical else "loss"


@dataclass(frozen=True)
class Norm:
    """A penalty on an array W, and its gradient."""

    of: str
    gradient: Callable[[Array], Array]
    slope: str  # the same in words
    growth: float  # of the gradient, where W is doubled

    def fits(self, array: Array, W: Array, growth: float) -> bool:
        """Whether this is the gradient of that norm, on the entries where it is not 0."""
        on = np.abs(array) > 1e-5 * np.abs(array).max(initial=0)
        direction = _multiple(array[on], self.gradient(W)[on])
        return direction is not None and abs(growth - self.growth) < 0.02


NORMS = [
    Norm("sum(W**2)", lambda W: W, "W", 2),
    Norm("sqrt(sum(W**2))", lambda W: W / np.linalg.norm(W), "W / sqrt(sum(W**2))", 1),
    Norm("sum(|W|)", np.sign, "sign(W)", 1),
    Norm(
        "the squared sum, sum(|W|)**2",
        lambda W: np.abs(W).sum() * np.sign(W),
        "sum(|W|) * sign(W)",
        2,
    ),
    Norm("sum(W**4)", lambda W: W**3, "W**3", 8),
    Norm("sum(|W|**3)", lambda W: W * np.abs(W), "W * |W|", 4),
]


@dataclass(frozen=True)
class Penalty:
    """A wrong gradient of the penalty: when it is that, and what to say."""

    code: Code
    applies: Callable[[PenaltyGradient], bool]
    message: str  # with {line}, {only_in}, {factor}, {right}, and both norms


PENALTIES = [
    Penalty(Code.REG_BIAS,
            lambda p: p.block.is_bias and (p.is_zero(p.numerical) or p.is_zero(p.analytic)),
            "The biases are penalized in the {only_in} only: leave them out of the penalty, or put "
            "them into both."),
    Penalty(Code.REG_BIAS, lambda p: p.line_is_bias and p.is_missing_in_line,
            "{line}, that of the biases, is penalized in the {only_in} only: leave it out of "
            "the penalty, or put it into both."),
    Penalty(Code.REG_SLICE_WRONG, lambda p: p.is_missing_in_line,
            "{line} is penalized in the {only_in} only: the slice that leaves out the biases "
            "starts or ends in the wrong place."),
    Penalty(Code.REG_MISSING, lambda p: p.is_zero(p.analytic),
            "The gradient of the penalty is missing: for the penalty in the loss, add {right}."),
    Penalty(Code.LOSS_REG_MISSING, lambda p: p.is_zero(p.numerical),
            "The gradient has a penalty term and the loss has none: add reg_scale * reg * "
            "np.sum(W * W) to the loss."),
    Penalty(Code.REG_NOT_SQUARED, lambda p: p.is_rooted,
            "The penalty in the loss is the norm, {numerical}, not its square, whose gradient this "
            "is: square it (np.linalg.norm(W)**2), or divide the gradient by the norm."),
    Penalty(Code.REG_WRONG_NORM, lambda p: p.norms_differ,
            "The penalty in the loss is a multiple of {numerical}, with the gradient {right}, and "
            "what is added to the gradient is that of {analytic}: take the same in both."),
    Penalty(Code.REG_SIGN, lambda p: p.factor_is(-1),
            "The gradient of the penalty has the wrong sign: add it."),
    Penalty(Code.REG_SCALE_N, lambda p: p.factor_is(p.problem.examples, 1 / p.problem.examples),
            "The penalty is divided by N in one of loss and gradient only: divide it in both, or "
            "in neither."),
    Penalty(Code.REG_FACTOR_2, lambda p: p.factor is not None,
            "The gradient of the penalty is {factor} times what it should be: for the penalty "
            "in the loss it is {right} (reg * sum(W**2) gives 2 * reg * W, half of that gives "
            "reg * W)."),
    Penalty(Code.REG_SUM_SCALAR,
            lambda p: p.W.size > 1 and float(np.ptp(p.analytic)) <= p.noise,
            "One number is added to every entry: the gradient of the penalty is the array {right}, "
            "not a sum over it."),
    Penalty(Code.REG_SLICE_WRONG, lambda p: p.is_of_other_entries,
            "Loss and gradient leave out different weights of the penalty: use the same slice in "
            "both."),
    Penalty(Code.REG_WRONG_MATRIX, lambda p: p.norms[0] is None,
            "The gradient of the penalty is not that of the penalty in the loss: differentiate "
            "that one by itself, with the part of the data left out."),
    Penalty(Code.REG_WRONG_MATRIX, lambda p: True,
            "The gradient of the penalty is built from the wrong array: it must be {right}, with "
            "the parameter itself for W."),
]  # fmt: skip


def penalty_findings(blocks: Sequence[Block], match: Match | None = None) -> Iterator[Finding]:
    """Compare the gradient of the penalty with what the penalty in the loss does."""
    biases_apart = any(block.is_bias for block in blocks)
    for block in blocks:
        numerical, analytic = block.numerical_penalty, block.analytic_penalty
        if block.same(numerical, analytic):
            continue
        error = block.analytic - block.numerical
        if not block.is_right and _in_same_lines(analytic - numerical, error):
            continue  # the same lines are wrong in the part of the data: said already
        fit = block.fit(block.analytic, block.numerical)
        if fit is not None and not close(fit[0], 1) and block.same(analytic, fit[0] * numerical):
            continue  # the whole array is off by this factor: said already
        part = PenaltyGradient(numerical, analytic, block, biases_apart, match)
        rule = next(rule for rule in PENALTIES if rule.applies(part))
        factor = part.said(part.factor) if part.factor else ""
        line = capitalized(f"the {part.line}".replace("the one", "one"))
        norms = zip(("numerical", "analytic"), part.norms, strict=True)
        names = {which: norm.of if norm else "" for which, norm in norms}
        message = rule.message.format(
            factor=factor, line=line, only_in=part.only_in, right=part.right, **names
        )
        where = part.line if rule.code in (Code.REG_BIAS, Code.REG_SLICE_WRONG) else None
        evidence = {"reg": REG}
        yield block.finding(rule.code, message, where, factor=part.factor, evidence=evidence)


def set_penalty_apart(blocks: Sequence[Block], model: Model) -> list[Block]:
    """Where the strength of the penalty cannot be set, tell the penalty by its form, r * W."""
    found = []
    for block, predicted in zip(blocks, model.gradients(), strict=True):
        fits = [block.fit(target, predicted) for target in (block.numerical, block.analytic)]
        numerical, analytic = ((fit[1] if fit else 0.0) * block.values for fit in fits)
        if fits[1] is None:  # wrong in the part of the data: suppose that this part is right
            analytic = numerical
        found.append(
            replace(
                block, numerical=block.numerical - numerical, analytic=block.analytic - analytic,
                numerical_penalty=numerical, analytic_penalty=analytic,
            )
        )  # fmt: skip
    return found


def _multiple(a: Array, b: Array) -> float | None:
    """Return r != 0 where a = r * b, else None."""
    square = float(np.sum(b * b))
    r = float(np.sum(a * b)) / square if square else 0.0
    return r if r and np.allclose(a, r * b, rtol=1e-4, atol=1e-5 * np.abs(a).max()) else None


def _in_same_lines(a: Array, b: Array) -> bool:
    """Tell whether two arrays differ from 0 in the same rows or columns, but not in all."""
    off = [np.abs(x) > 1e-4 * np.abs(x).max() for x in (a, b)]
    lines = [[mask.any(axis=k) for mask in off] for k in (0, 1)] if a.ndim == 2 else []
    return any((first == second).all() and not first.all() for first, second in lines)
