"""What is wrong: which of the declared mistakes predicts the learner's own gradient.

On small data of our own the loss is differentiated numerically (true), and the gradient that the
learner returns (given) is laid beside it, apart for the data and for the penalty. Three questions:

1. Of which textbook loss is the true one a multiple? (`identify`)
2. Which mistakes predict the given one, array by array, up to a factor? (`explanations`)
3. Which few of them explain all the arrays that are wrong? (`choose`)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..gradient_check import eval_numerical_gradient
from .backward import ACTIVATIONS, OUTPUT_LOSSES, Array, Layer, Model, OutputLoss
from .codes import Code
from .evaluate import UnusableGradientError
from .layouts import ParameterLayout
from .mistakes import FACTORS, LOCAL_ERRORS, MESSAGES, MISTAKES, PENALTIES, Mistake
from .report import Finding, Step
from .small_problem import REG, D, N, Problem
from .wrong_losses import WRONG_LOSSES, WrongLoss

EXACT = 1e-5  # residual, relative to the larger of the two, below which a prediction fits
INEXACT = 2e-2  # the same for a loss computed in float32


@dataclass(frozen=True)
class Block:
    """One array of the gradient: what the loss does (true), what the learner returns (given)."""

    label: str | None  # key of the parameter
    name: str  # in words
    bias: bool
    values: Array  # the parameter itself
    true: Array
    given: Array
    true_penalty: Array
    given_penalty: Array
    size: float  # of the whole gradient: what is far below it is zero
    exact: float

    def zero(self, array: Array) -> bool:
        """Tell whether this is nothing, beside the whole gradient."""
        return float(np.linalg.norm(array)) <= self.exact * max(self.size, 1e-8)

    def same(self, a: Array, b: Array) -> bool:
        """Tell whether these are equal, up to the accuracy of the measurement."""
        close = np.linalg.norm(a - b) <= self.exact * max(np.linalg.norm(a), np.linalg.norm(b))
        return bool(close) or (self.zero(a) and self.zero(b))

    @property
    def right(self) -> bool:
        """The part of the data is right."""
        return self.same(self.true, self.given)


@dataclass
class Explanation:
    """One mistake that predicts some of the wrong arrays, each up to a factor (1: exactly)."""

    code: Code
    says: str
    factors: dict[int, float]
    cost: float  # the lower, the simpler
    contradicts: int = 0  # arrays that are right and would not be
    where: str = ""


@dataclass
class Diagnosis:
    """Findings, most likely first, and what was done."""

    findings: list[Finding] = field(default_factory=list)
    cautions: list[Finding] = field(default_factory=list)
    capped: bool = False  # the loss seems to take log(p + eps)
    steps: list[Step] = field(default_factory=list)


def diagnose(problem: Problem, *, single: bool = False, trusted: bool = False) -> Diagnosis:
    """Find out what is wrong with the gradient on the small problem, if anything.

    A `trusted` gradient is taken for the true one: only value and overflow are looked at.
    """
    return _Diagnostician(problem, single, trusted).run()


class _Diagnostician:
    """One diagnosis; the methods are in the order in which they are used."""

    def __init__(self, problem: Problem, single: bool, trusted: bool) -> None:
        self.problem, self.trusted = problem, trusted
        self.h, self.exact = (3e-3, INEXACT) if single else (1e-6, EXACT)
        self.none = 0.0 if problem.reg else None  # strength that takes the penalty away
        self.factor = 1.0  # of the textbook's gradient
        self.still: list[Block] = []  # parameters that do not move the loss
        self.result = Diagnosis()

    def run(self) -> Diagnosis:
        if self.measure():
            self.raw = self.named = self.blocks(None)
            self.patterns()
            if len(self.still) == len(self.raw):
                self.say_still()
            if not self.result.findings:
                self.compare_with_textbook()
        self.result.findings = list({(f.code, f.place): f for f in self.result.findings}.values())
        return self.result

    # ---- figures ----

    def measure(self) -> bool:
        problem = self.problem
        try:
            self.at = problem.evaluate(reg=self.none)
            given = given_both = self.at.gradient
            if problem.reg:
                given_both = problem.evaluate(reg=REG).gradient
            true, true_both = given, given_both
            if not self.trusted:
                true = problem.numerical(self.none, self.h)
                true_both = problem.numerical(REG, self.h) if problem.reg else true
        except UnusableGradientError as unusable:
            self.result.findings = unusable.findings
            return False
        self.vectors = (true, given, true_both - true, given_both - given)
        self.note(
            "The same function on small random data of sizes that are distinct primes "
            f"(N = {N}, D = {D}, C = {problem.T.shape[1]}).",
            f"{problem.evaluations} evaluations; entries of up to {np.abs(true).max():.2g}"
            + ("." if self.trusted else f", wrong by {_shown(np.abs(true - given).max())}."),
        )
        return self.at.finite and all(np.isfinite(v.sum()) for v in self.vectors)

    def blocks(self, layout: ParameterLayout | None) -> list[Block]:
        """The arrays of the gradient, as the learner has them or read as layers."""
        problem = self.problem
        parts = [problem.arrays(v) for v in (self.at.x, *self.vectors)]
        names: list[tuple[str | None, str, bool]] = []
        if layout is None or problem.of_scores:
            lists = [list(p.values()) for p in parts]
            is_dict = isinstance(problem.params, dict)
            names = [(k, k, False) if is_dict else (None, "", False) for k in parts[0]]
        else:
            lists = [_arrays_of(layout.unpack(p)) for p in parts]
            labels = iter(layout.names)
            layers = layout.unpack(parts[0])
            for k, (_, b) in enumerate(layers):
                of = f" of layer {k + 1}" if len(layers) > 1 else ""
                names.append((next(labels, None), f"the weights{of}", False))
                if b is not None:
                    names.append((next(labels, None), f"the biases{of}", True))
        size = float(np.linalg.norm(self.vectors[0]) + np.linalg.norm(self.vectors[1]))
        rows: Any = zip(names, *lists, strict=True)
        return [Block(*name, *arrays, size, self.exact) for name, *arrays in rows]  # type: ignore[call-arg]

    def note(self, title: str, outcome: str) -> None:
        self.result.steps.append(Step(title, outcome))

    def add(self, code: Code, block: Block | None, says: str, where: str = "", **seen: Any) -> None:
        several = block is not None and not block.label and len(self.named) > 1
        of = block.name if block is not None and several else ""
        place = f"{where} of {of}" if where and of else where or of or "everywhere"
        label = block.label if block else None
        self.result.findings.append(
            Finding.of_gradient(code, says, parameter=label, where=place, evidence=seen)
        )

    # ---- patterns that need no formula ----

    def patterns(self) -> None:
        """The right numbers in the wrong place, cut off, or of a loss that does not move."""
        moves = not all(b.zero(b.true) and b.zero(b.true_penalty) for b in self.raw)
        if moves and all(b.zero(b.given) and b.zero(b.given_penalty) for b in self.raw):
            self.add(Code.GRAD_ZERO, None, MESSAGES["all zero"])
            return
        for block in self.raw:
            still = block.zero(block.true) and block.zero(block.true_penalty)
            other = next((b for b in self.raw if b is not block and _equal(block, b)), None)
            if block.right:
                continue
            if other is not None:
                says = f"This is the gradient of {other.label}: the two have changed names."
                self.add(Code.SWAPPED_KEYS, block, says)
            elif still:
                self.still.append(block)
            elif block.true.size > 3 and _permuted(block.given, block.true):
                code = self.order(block)
                self.add(code, block, MESSAGES[code])
            elif block.same(block.given, np.trunc(block.true)) and not block.zero(block.given):
                self.add(Code.INT_TRUNCATION, block, MESSAGES["int_truncation"])

    def say_still(self) -> None:
        for block in self.still:
            self.add(Code.IGNORES_ARGUMENT, block, MESSAGES["ignores_argument"])

    def order(self, block: Block) -> Code:
        """In which way the right numbers are out of order."""
        true, given = block.true.ravel(), block.given.ravel()
        if block.true.ndim == 2 and min(block.true.shape) > 1:
            return Code.TRANSPOSE
        if any(block.same(np.roll(true, k), given) for k in range(1, true.size)):
            return Code.UNROLL_ORDER
        vectors = [self.problem.arrays(v) for v in self.vectors[:2]]
        orders = set()
        for first in self.problem.layouts:
            for second in self.problem.layouts:
                a = _arrays_of(first.unpack(vectors[0]))
                b = _arrays_of(second.unpack(vectors[1]))
                if all(np.allclose(i, j, atol=1e-7) for i, j in zip(a, b, strict=True)):
                    orders.add(first.part_order == second.part_order)
        return Code.UNROLL_ORDER if orders == {False} else Code.FLATTEN_ORDER

    # ---- 1. which textbook loss ----

    def compare_with_textbook(self) -> None:
        found = self.identify("true")
        if found is None:
            self.other_loss()
            return
        model, layout = found
        self.named = self.split_penalty(self.blocks(layout), model)
        wrong = {k for k, block in enumerate(self.named) if not block.right}
        names = ", ".join(self.named[k].label or self.named[k].name or "it" for k in sorted(wrong))
        self.note(
            "Which textbook loss has this derivative?",
            f"{model}, times {self.factor:.4g}; "
            + (f"wrong: {names}." if wrong else "the part of the data is right everywhere."),
        )
        for explanation in self.choose(wrong, list(self.explanations(model, wrong))):
            self.say(explanation)
        self.penalties()
        if not self.result.findings:
            self.check_value(model)
        self.check_overflow(model, layout)

    def models(self) -> Iterator[tuple[Model, ParameterLayout]]:
        """Every textbook model that the small problem may be."""
        problem = self.problem
        arrays = problem.arrays(self.at.x)
        signs = [2 * problem.T - 1] if set(np.unique(problem.T)) <= {0.0, 1.0} else []
        for layout in problem.layouts:
            layers = tuple(layout.unpack(arrays))
            X = next(iter(arrays.values())) if problem.of_scores else problem.X
            hidden = list(ACTIVATIONS.values()) if len(layers) > 1 else [ACTIVATIONS["ReLU"]]
            for output_loss in OUTPUT_LOSSES.values():
                squared = output_loss.name in ("squared error", "tanh squared")
                for T in (problem.T, *signs) if squared else (problem.T,):
                    for margin in self.margins() if "hinge" in output_loss.name else [1.0]:
                        for activation in hidden:
                            model = Model(layers, X, T, output_loss, activation, margin)
                            yield replace(model, by_input=problem.by_input), layout

    def margins(self) -> list[float]:
        """Margins that a hinge loss may have: 1, what is passed, what its value at 0 says."""
        if not hasattr(self, "_margins"):
            call, found = self.problem.call, [1.0]
            for binding, value in call.bindings.items():
                number = isinstance(value, float | int) and not isinstance(value, bool)
                if number and call.name(binding).lower().startswith(("delta", "margin")):
                    found.append(float(value))
            zero = self.problem.evaluate(np.zeros_like(self.at.x), reg=self.none).value
            if np.isfinite(zero):
                per_class = zero / max(self.problem.T.shape[1] - 1, 1)
                found += [per_class, per_class / N]
            self._margins = list(dict.fromkeys(round(m, 9) for m in found if m >= 0))
        return self._margins

    def identify(self, which: str) -> tuple[Model, ParameterLayout] | None:
        """The first model whose gradient is a multiple of the true (or given) one."""
        for model, layout in self.models():
            factors = []
            with np.errstate(all="ignore"):
                predicted = model.gradients()
            for block, prediction in zip(self.blocks(layout), predicted, strict=True):
                target = getattr(block, which)
                if block.zero(target) and np.linalg.norm(prediction) < 1e-9:
                    continue
                fit = self.fit(block, target, prediction)
                if fit is None or abs(fit[0]) < 1e-9:
                    break
                factors.append(fit[0])
            else:
                alike = factors and np.ptp(factors) <= 1e-3 * abs(factors[0])
                if alike and (factors[0] > 0 or which == "given"):
                    self.factor = factors[0]
                    return model, layout
        return None

    def fit(self, block: Block, target: Array, predicted: Array) -> tuple[float, float] | None:
        """(a, r) with target = a * predicted, plus r * values where no penalty is set apart."""
        if predicted.shape != target.shape or not np.isfinite(predicted).all():
            return None
        columns = [predicted.ravel()]
        if self.problem.reg is None and not self.problem.of_scores and block.values.size > 4:
            columns.append(block.values.ravel())
        basis = np.stack(columns, axis=1)
        lengths = np.maximum(np.linalg.norm(basis, axis=0), 1e-300)
        if lengths[0] <= 1e-12 or not target.any():
            return None
        factors = np.linalg.lstsq(basis / lengths, target.ravel(), rcond=None)[0] / lengths
        if np.linalg.norm(basis @ factors - target.ravel()) > self.exact * np.linalg.norm(target):
            return None
        return float(factors[0]), float(factors[1]) if len(factors) > 1 else 0.0

    def split_penalty(self, blocks: list[Block], model: Model) -> list[Block]:
        """Where the strength of the penalty cannot be set, tell it by its form, r * W."""
        if self.problem.reg is not None or self.problem.of_scores:
            return blocks
        found = []
        for block, predicted in zip(blocks, model.gradients(), strict=True):
            fits = [self.fit(block, target, predicted) for target in (block.true, block.given)]
            penalties = [(fit[1] if fit else 0.0) * block.values for fit in fits]
            if fits[1] is None:  # wrong in the part of the data: suppose that this part is right
                penalties[1] = penalties[0]
            found.append(
                replace(
                    block,
                    true=block.true - penalties[0],
                    given=block.given - penalties[1],
                    true_penalty=penalties[0],
                    given_penalty=penalties[1],
                )
            )
        return found

    # ---- 2. which mistakes predict it ----

    def explanations(self, model: Model, wrong: set[int]) -> Iterator[Explanation]:
        """All mistakes that predict at least one of the wrong arrays."""
        if not wrong:
            return
        yield from self.simple(wrong)
        yield from self.examples_left_out(model, wrong, "given")
        self.textbook = model.gradients()
        tags = {model.output_loss.name, model.activation.name if len(model.layers) > 1 else ""}
        for mistake in MISTAKES:
            if mistake.when and not tags & set(mistake.when):
                continue
            for layer in _layers_of(mistake, len(model.layers)):
                other = replace(model, replaced={mistake.term: mistake.wrong}, only=layer)
                yield from self.predicted(other, mistake.code, mistake.message, wrong, 1.5)
        for output_loss in OUTPUT_LOSSES.values():
            says = (
                f"this is the gradient of another loss, {output_loss.title}; the loss itself is "
                f"{model.output_loss.title}: make them the same"
            )
            if output_loss is not model.output_loss:
                other = replace(model, output_loss=output_loss)
                yield from self.predicted(other, Code.LOSS_WRONG_GRAD_OF_OTHER, says, wrong, 1.9)

    def predicted(
        self, model: Model, code: Code, says: str, wrong: set[int], cost: float
    ) -> Iterator[Explanation]:
        """Compare the given gradient with that of a model that has one wrong piece."""
        explanation = Explanation(code, says, {}, cost)
        try:
            with np.errstate(all="ignore"):
                arrays = [np.asarray(a, dtype=float) for a in model.gradients()]
        except (ValueError, IndexError, TypeError):  # the piece does not fit this model's shapes
            return
        for k, (block, array) in enumerate(zip(self.named, arrays, strict=True)):
            if array.shape != block.given.shape:
                continue
            if k in wrong and block.same(array, self.textbook[k]):
                continue  # this mistake leaves the array as it is
            fit = self.fit(block, block.given, array)
            if k not in wrong:
                explanation.contradicts += fit is None or not _close(fit[0], self.factor)
            elif fit is not None and block.true.size > 2:
                factor = fit[0] / self.factor
                explanation.factors[k] = factor
                usual = _usual_factor(factor, self.problem) is not None
                explanation.cost += 0.0 if _close(factor, 1) else 0.5 if usual else 1.5
        if explanation.factors:
            yield explanation

    def simple(self, wrong: set[int]) -> Iterator[Explanation]:
        """Nothing at all, a multiple of the right one, wrong in one spot, shifted by a number."""
        by_factor: dict[float, dict[int, float]] = {}
        for k in wrong:
            block = self.named[k]
            if block.zero(block.given):
                code = Code.GRAD_ZERO if block.zero(block.given_penalty) else Code.DATA_MISSING
                yield Explanation(code, MESSAGES[code], {k: 1.0}, 0.4)
                continue
            fit = self.fit(block, block.given, block.true)
            if fit is not None and abs(fit[0]) > 1e-9 and not _close(fit[0], 1):
                known = next((f for f in by_factor if _close(f, fit[0])), fit[0])
                by_factor.setdefault(known, {})[k] = 1.0
            yield from self.spots(k)
            shift = block.given - block.true
            if block.true.size > 3 and np.ptp(shift) <= 1e-6 * np.abs(shift).max():
                yield Explanation(Code.REG_SUM_SCALAR, MESSAGES["reg_sum_scalar"], {k: 1.0}, 2.0)
        for factor, blocks in by_factor.items():
            usual = _usual_factor(factor, self.problem)
            says = (
                f"{{it}} is {factor:.4g} times what it should be: this factor stands in only one "
            )
            says += "of loss and gradient"
            if usual is None:
                yield Explanation(Code.SCALE_CONST, says, blocks, 2.2)
            else:
                yield Explanation(usual.code, usual.message, blocks, 1.0)

    def spots(self, k: int) -> Iterator[Explanation]:
        """The error sits in one entry, row or column, or in all but one."""
        block = self.named[k]
        off = np.abs(block.given - block.true) > 1e-6 * max(float(np.abs(block.true).max()), 1e-9)
        for local in LOCAL_ERRORS:
            where = _line_of(off, local.axis, local.all_but)
            if where:
                cost = 2.0 if local.axis == "entry" else 2.6
                yield Explanation(local.code, local.message, {k: 1.0}, cost, where=where)

    def examples_left_out(
        self, model: Model, wrong: Iterable[int], which: str
    ) -> Iterator[Explanation]:
        """Give each example a weight of its own: those that are left out have the weight 0."""
        wanted = sorted(wrong)
        blocks = [self.named[k] for k in wanted]
        target = np.concatenate([getattr(b, which).ravel() for b in blocks])
        full = np.asarray(model.terms_of_scores(model.forward()[0][-1]).dscores)
        columns = []
        for i in range(len(full)):
            row = np.where(np.arange(len(full))[:, None] == i, full, 0.0)
            gradients = model.gradients(dscores=row)
            columns.append(np.concatenate([gradients[k].ravel() for k in wanted]))
        basis = np.stack(columns, axis=1)
        weights = self.weights_of(basis, target)
        if weights is None:
            return
        counts = [i for i, row in enumerate(full) if np.linalg.norm(row) > 1e-9]
        kept = [i for i in counts if abs(weights[i]) > 1e-4 * np.abs(weights).max()]
        left_out = [i for i in counts if i not in kept]
        if not kept or not left_out or np.ptp(weights[kept]) > 1e-3 * abs(weights[kept[0]]):
            return
        if len(kept) == 1:
            says = f"only example {_counted(kept[0])} contributes: sum over all, += inside the loop"
        else:
            who = ", ".join(map(_counted, left_out))
            says = f"of {N} examples these contribute nothing: {who}; loop over range(N)"
        yield Explanation(Code.EXAMPLE_DROPPED, says, dict.fromkeys(wanted, 1.0), 1.7)

    def weights_of(self, basis: Array, target: Array) -> Array | None:
        """Weights of the columns that give the target; all or all but one, where many do."""
        if basis.shape[0] > basis.shape[1]:
            weights = np.linalg.lstsq(basis, target, rcond=None)[0]
            fits = np.linalg.norm(basis @ weights - target) <= self.exact * np.linalg.norm(target)
            return np.asarray(weights) if fits else None
        for i in range(basis.shape[1]) if basis.shape[0] > 2 else ():
            for weights in (np.arange(basis.shape[1]) != i, np.arange(basis.shape[1]) == i):
                only = basis @ weights
                factor = float(only @ target) / max(float(only @ only), 1e-300)
                if np.linalg.norm(factor * only - target) <= self.exact * np.linalg.norm(target):
                    return np.asarray(factor * weights)
        return None

    # ---- 3. which few explain it all ----

    def choose(self, wrong: set[int], explanations: list[Explanation]) -> list[Explanation]:
        """The fewest explanations that cover all wrong arrays, the simplest first."""
        left, chosen = set(wrong), list[Explanation]()
        while left:
            best = max(
                explanations,
                key=lambda e: (len(left & set(e.factors)) - 0.3 * e.contradicts, -e.cost),
                default=None,
            )
            if best is None or not left & set(best.factors):
                rest = dict.fromkeys(left, 1.0)
                return [*chosen, Explanation(Code.UNEXPLAINED, MESSAGES["unexplained"], rest, 9.0)]
            chosen.append(best)
            left -= set(best.factors)
        return chosen

    def say(self, explanation: Explanation) -> None:
        everywhere = len(explanation.factors) == len(self.named) > 1
        for k in [None] if everywhere else sorted(explanation.factors):
            factor = 1.0 if k is None else explanation.factors[k]
            says = explanation.says
            usual = None if _close(factor, 1.0) else _usual_factor(factor, self.problem)
            if usual is not None:
                said = usual.message.split(":")[0].replace("{it}", "it")
                says += f" (besides, {said})"
            block = None if k is None else self.named[k]
            self.add(explanation.code, block, f"{says}.", explanation.where, factor=factor)

    def penalties(self) -> None:
        """Compare the gradient of the penalty with what the penalty in the loss does."""
        for block in self.named:
            true, given = block.true_penalty, block.given_penalty
            if block.same(true, given):
                continue
            error = block.given - block.true
            if not block.right and _same_lines(given - true, error):
                continue  # the same lines are wrong in the part of the data: said already
            fit = self.fit(block, block.given, block.true)
            if fit is not None and not _close(fit[0], 1) and block.same(given, fit[0] * true):
                continue  # the whole array is off by this factor: said already
            apart = any(b.bias for b in self.named)
            part = Penalised(true, given, block.values, block.bias, apart)
            entry = next(p for p in PENALTIES if p.seen(part))
            says = entry.message.format(
                line=part.line, only_in=part.only_in, factor=part.factor, right=part.right
            )
            in_line = entry.code in (Code.REG_BIAS, Code.REG_SLICE_WRONG)
            where = (in_line and part.line) or ""
            self.add(entry.code, block, says, where, reg=REG, factor=part.factor)

    # ---- a right gradient of a wrong loss ----

    def check_value(self, model: Model) -> None:
        """Compare the loss itself, which no derivative shows, with the textbook's."""
        if self.problem.reg is None and not self.problem.of_scores:
            return
        hinge = "hinge" in model.output_loss.name
        if hinge:
            model = self.with_its_margin(model)
        expected = self.factor * model.loss()
        offset = self.at.value - expected
        problem_classes = self.problem.T.shape[1]
        known = (
            hinge or model.output_loss.name == "softmax"
        )  # a constant is a matter of taste elsewhere
        if known and abs(offset) > 1e-4 * max(abs(expected), abs(self.at.value)):
            code = Code.LOSS_OFFSET if hinge else Code.LOSS_VALUE
            self.add(code, None, MESSAGES[code].format(offset=offset), offset=offset)
        elif hinge and model.delta_margin == 0:
            self.add(Code.LOSS_VALUE, None, MESSAGES["no delta"])
        elif _close(self.factor, 1 / problem_classes) and model.output_loss.name in (
            "softmax",
            "hinge",
        ):
            self.add(Code.LOSS_VALUE, None, MESSAGES["mean over classes"])
        elif _close(self.factor, N) and model.output_loss.name in ("softmax", "hinge"):
            caution = Finding(Code.LOSS_VALUE, MESSAGES["sum"], caution=True)
            self.result.cautions.append(caution)

    def with_its_margin(self, model: Model) -> Model:
        """Of the margins with the same slopes here, the one that explains the value, if any does.

        Where every class is active, any margin and any offset would: there the first is kept.
        """
        active = model.terms_of_scores(model.forward()[0][-1]).active
        if active.sum() == active.size - len(active):
            return model
        for margin in self.margins():
            other = replace(model, delta_margin=margin)
            slopes = zip(other.gradients(), model.gradients(), strict=True)
            alike = all(np.allclose(a, b) for a, b in slopes)
            if alike and _close(self.factor * other.loss(), self.at.value):
                return other
        return model

    def check_overflow(self, model: Model, layout: ParameterLayout) -> None:
        """Shift the scores of each example by some thousands: softmax must not notice.

        A sigmoid does notice, but its cross-entropy need not be infinite.
        """
        if model.output_loss.name not in ("softmax", "logistic") or self.problem.by_input:
            return
        problem, rng = self.problem, np.random.RandomState(7)
        arrays = problem.arrays(self.at.x.copy())  # views
        if problem.of_scores:
            scores = next(iter(arrays.values()))
            scores += 1500 * rng.uniform(-2, 2, (len(scores), 1))
        else:
            W, b = layout.unpack(arrays)[-1]
            W += 1500 * rng.standard_normal((len(W), 1))
            if b is not None:
                b += 700
        x = np.concatenate([(a.T if problem.columns else a).ravel() for a in arrays.values()])
        self.check_cap(1e4 * self.at.x)
        shifted = problem.evaluate(x, reg=self.none)
        change = abs(shifted.value - self.at.value)
        if model.output_loss.name == "logistic":
            if not shifted.finite:
                says = MESSAGES["saturated"]
                self.result.cautions.append(Finding(Code.OVERFLOW, says, caution=True))
            return
        apart = problem.reg is not None or problem.of_scores  # no penalty in the value
        if not shifted.finite or (apart and change > 1e-3 * abs(self.at.value)):
            seen = "nan or infinity" if not shifted.finite else "another loss"
            self.add(Code.OVERFLOW, None, MESSAGES["overflow"].format(seen=seen), change=change)

    def check_cap(self, x: Array) -> None:
        """Where some probabilities are 0 the loss is huge or infinite, unless eps is in the log."""
        far = self.problem.evaluate(x, reg=self.none).value
        if np.isfinite(far) and far < 100 * max(self.factor, 1e-3):
            self.result.capped = True
            says = MESSAGES["eps in log"]
            self.result.cautions.append(Finding(Code.EPS_IN_LOG, says, caution=True))

    def other_loss(self) -> None:
        """Find out which loss it is, where the true gradient is that of no textbook loss."""
        wrong = {k for k, block in enumerate(self.raw) if not block.right}
        found = self.identify("given") if wrong else None
        says = "None that is known here."
        if found is not None:
            model, layout = found
            self.named = self.blocks(layout)
            says = f"None, but the gradient that was returned is that of the {model}."
            self.add(*self.loss_beside(model))
        elif (known := self.known_wrong_loss(bool(wrong))) is not None:
            says = "None, but a known mistake has it."
            self.add(*known)
        else:
            self.say_still()
            wrong -= {k for k, block in enumerate(self.raw) if block in self.still}
            for explanation in self.choose(wrong, list(self.simple(wrong))):
                self.say(explanation)
        self.note("Which textbook loss has this derivative?", says)
        self.penalties()

    def loss_beside(self, model: Model) -> tuple[Code, None, str]:
        """Find out which loss stands beside the given gradient, which is this model's."""
        every = range(len(self.named))
        for explanation in self.examples_left_out(model, every, "true"):
            return Code.EXAMPLE_DROPPED, None, f"In the loss, {explanation.says}."
        for entry in WRONG_LOSSES:
            if entry.output_loss == model.output_loss.name and self.has_loss(model, entry):
                says = (
                    f"The gradient is that of the {model.output_loss.title}, but {entry.message}."
                )
                return entry.code, None, says
        return Code.LOSS_WRONG_GRAD_OF_OTHER, None, MESSAGES["other loss"].format(model=model)

    def known_wrong_loss(self, gradient_is_wrong: bool) -> tuple[Code, None, str] | None:
        """Find the known wrong loss, where neither loss nor gradient is a textbook's."""
        for model, layout in self.models():
            self.named = self.blocks(layout)
            for entry in WRONG_LOSSES:
                tried = entry.output_loss == model.output_loss.name and (
                    gradient_is_wrong or entry.always
                )
                if tried and self.has_value(model, layout, entry) and self.has_loss(model, entry):
                    if gradient_is_wrong:
                        return entry.code, None, f"{entry.message}."
                    return Code.LOSS_VALUE, None, f"Loss and gradient agree, but {entry.message}."
        self.named = self.raw
        return None

    def has_value(self, model: Model, layout: ParameterLayout, entry: WrongLoss) -> bool:
        """Tell whether the loss is a multiple of this wrong one at a few points: a quick test."""
        problem = self.problem
        if problem.reg is None and not problem.of_scores:
            return len(problem.layouts) < 3  # a penalty may be in the value
        if not hasattr(self, "_points"):
            rng = np.random.RandomState(1)
            steps = [0.3 * rng.standard_normal(self.at.x.size) for _ in range(3)]
            self._points = [problem.evaluate(self.at.x + s, reg=self.none) for s in steps]
        ratios = []
        for at in self._points:
            arrays = problem.arrays(at.x)
            X = next(iter(arrays.values())) if problem.of_scores else problem.X
            moved = replace(model, layers=tuple(layout.unpack(arrays)), X=X)
            with np.errstate(all="ignore"):
                value = float(entry.loss(moved.terms_of_scores(moved.forward()[0][-1])))
            ratios.append(at.value / value if value else np.nan)
        return bool(np.ptp(ratios) <= self.exact * abs(ratios[0]))

    def has_loss(self, model: Model, entry: WrongLoss) -> bool:
        """Tell whether the true gradient is a multiple of that of this wrong loss."""
        output_loss = OutputLoss(
            entry.output_loss, entry.message, entry.loss, _numerical_dscores(entry.loss, model)
        )
        with np.errstate(all="ignore"):
            predicted = replace(model, output_loss=output_loss).gradients()
        return all(
            self.fit(block, block.true, array) is not None or block.zero(block.true)
            for block, array in zip(self.named, predicted, strict=True)
        )


@dataclass(frozen=True)
class Penalised:
    """The gradient of the penalty by one array W: what the loss has (true) and what is given."""

    true: Array
    given: Array
    W: Array
    bias: bool
    biases_apart: bool  # the model has biases of their own
    n: int = N

    @property
    def small(self) -> float:
        """Entries below this are nothing."""
        return 1e-5 * max(1e-12, *(float(np.abs(a).max()) for a in (self.true, self.given)))

    @property
    def no_true(self) -> bool:
        """The loss has no penalty on this array."""
        return float(np.abs(self.true).max()) <= self.small

    @property
    def no_given(self) -> bool:
        """The gradient has no penalty for this array."""
        return float(np.abs(self.given).max()) <= self.small

    @property
    def factor(self) -> float | None:
        """Given over true, where both are multiples of W."""
        true, given = (_multiple(a, self.W) for a in (self.true, self.given))
        return given / true if true and given else None

    def factor_is(self, value: float) -> bool:
        """Compare the factor, where there is one."""
        return self.factor is not None and _close(self.factor, value)

    @property
    def right(self) -> str:
        """The gradient that belongs to the penalty in the loss."""
        r = _multiple(self.true, self.W)
        scale = "" if r is None or _close(r, REG) else f"{r / REG:.3g} * "
        return f"{scale}reg * W" if r else "2 * reg_scale * reg * W"

    @property
    def constant(self) -> bool:
        """Every entry is given the same number."""
        return self.W.size > 1 and float(np.ptp(self.given)) <= self.small

    @property
    def given_sign(self) -> bool:
        """The gradient is that of an L1 penalty."""
        return _multiple(self.given, np.sign(self.W)) is not None

    @property
    def true_sign(self) -> bool:
        """The loss has an L1 penalty."""
        return _multiple(self.true, np.sign(self.W)) is not None

    @property
    def off(self) -> NDArray[np.bool_]:
        """Where the two differ."""
        return np.abs(self.true - self.given) > self.small

    @property
    def line(self) -> str | None:
        """The one row or column that holds all of the error."""
        off = self.off if self.off.ndim == 2 else self.off.reshape(-1, 1)
        if off.shape[0] == 1 or off.ndim != 2:
            return None
        return _line_of(off, "row", False) or _line_of(off, "column", False)

    @property
    def line_is_bias(self) -> bool:
        """That line is where the bias trick puts the biases."""
        return not self.biases_apart and self.line in ("row 0", f"row {len(self.W) - 1}")

    @property
    def proportional(self) -> bool:
        """Both are multiples of W where they are not 0, and one of them is 0 in the line."""
        both = [_multiple(a[np.abs(a) > self.small], self.W[np.abs(a) > self.small])
                for a in (self.true, self.given) if (np.abs(a) > self.small).any()]  # fmt: skip
        sizes = [np.abs(a[self.off]).max(initial=0) for a in (self.true, self.given)]
        return all(r is not None for r in both) and float(min(sizes)) <= self.small

    @property
    def other_entries(self) -> bool:
        """Both are the same multiple of W, but on different entries."""
        masks = [np.abs(a) > self.small for a in (self.true, self.given)]
        found = [
            _multiple(a[m], self.W[m]) for a, m in zip((self.true, self.given), masks, strict=True)
        ]
        return None not in found and _close(*found) and bool((masks[0] != masks[1]).any())  # type: ignore[arg-type]

    @property
    def only_in(self) -> str:
        """Where the penalty is that the other lacks: loss or gradient."""
        given, true = (np.abs(a[self.off]).sum() for a in (self.given, self.true))
        return "gradient" if given > true else "loss"


# ---- comparing arrays ----


def _close(a: float, b: float) -> bool:
    return bool(abs(a - b) <= 2e-4 * max(abs(a), abs(b)))


def _multiple(a: Array, b: Array) -> float | None:
    """Return r != 0 where a = r * b, else None."""
    square = float(np.sum(b * b))
    r = float(np.sum(a * b)) / square if square else 0.0
    return r if r and np.allclose(a, r * b, rtol=1e-4, atol=1e-5 * np.abs(a).max()) else None


def _usual_factor(factor: float, problem: Problem) -> Any:
    classes = problem.T.shape[1]
    usual = (f for f in FACTORS if classes > 1 or f.code != Code.SCALE_C)
    return next((f for f in usual if _close(factor, f.value(N, classes))), None)


def _equal(block: Block, other: Block) -> bool:
    """Tell whether what is given for one parameter is the gradient of another."""
    sizes = block.given.size == other.true.size > 1
    return sizes and block.same(block.given.ravel(), other.true.ravel())


def _permuted(a: Array, b: Array) -> bool:
    """The same numbers in another order; of numbers that repeat, any order may be chance."""
    scale = max(float(np.abs(b).max()), 1e-12)
    same = np.allclose(a.ravel(), b.ravel(), atol=1e-6 * scale, rtol=0)
    if same or np.unique(np.round(b / scale, 5)).size < 0.9 * b.size:
        return False
    return bool(np.allclose(np.sort(a.ravel()), np.sort(b.ravel()), atol=1e-6 * scale, rtol=0))


def _same_lines(a: Array, b: Array) -> bool:
    """Tell whether two arrays differ from 0 in the same rows or columns, but not in all."""
    if a.ndim != 2:
        return False
    off = [np.abs(x) > 1e-4 * np.abs(x).max() for x in (a, b)]
    lines = [[o.any(axis=k) for o in off] for k in (0, 1)]
    return any((first == second).all() and not first.all() for first, second in lines)


def _line_of(off: NDArray[np.bool_], axis: str, all_but: bool) -> str | None:
    """Name the one entry, row or column where a mask is true (or, `all_but`, where it is not)."""
    if axis == "entry":
        index = tuple(int(i) for i in np.argwhere(off)[0])
        return f"entry {index if off.ndim > 1 else index[0]}" if off.sum() == 1 else None
    if off.ndim != 2 or off.all():
        return None
    lines: NDArray[np.bool_] = np.any(off, axis=1 if axis == "row" else 0)
    entry = off.sum() == 1 and min(off.shape) > 1
    if len(lines) < 3 - (not all_but) or entry:
        return None
    found = np.flatnonzero(~lines if all_but else lines)
    if len(found) != 1:
        return None
    return f"all {axis}s but {found[0]}" if all_but else f"{axis} {found[0]}"


def _shown(error: float) -> str:
    return f"up to {error:.2g}" if error > 1e-7 else "less than 1e-7"


def _counted(i: int) -> str:
    return f"{i} (the last)" if i == N - 1 else str(i)


def _arrays_of(layers: list[Layer]) -> list[Array]:
    return [a for W, b in layers for a in (W, b) if a is not None]


def _layers_of(mistake: Mistake, layers: int) -> list[int | None]:
    """The layers in which a mistake is tried: in all alike, and in each one alone."""
    if layers < 2 or mistake.term not in ("dW", "db", "dh", "slope", "dz"):
        return [None]
    return [None, *range(0 if mistake.term in ("dW", "db") else 1, layers)]


def _numerical_dscores(loss: Callable[[Any], Any], model: Model) -> Callable[[Any], Array]:
    """The gradient of a loss by the scores, by central differences."""

    def value(S: Any) -> float:
        return float(loss(model.terms_of_scores(S)))

    def dscores(pieces: Any) -> Array:
        gradient = eval_numerical_gradient(value, pieces.S.copy(), h=1e-6)
        return np.asarray(gradient, dtype=np.float64)

    return dscores
