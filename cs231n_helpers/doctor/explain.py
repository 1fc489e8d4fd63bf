"""Which of the known mistakes predict the analytic gradient, and which few explain all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from .backward import OUTPUT_LOSSES, Array, Model
from .codes import Code
from .identify import Block, Match, arrays_of, close, line_of
from .mistakes import FACTORS, LOCAL_ERRORS, MISTAKES, Factor, Mistake
from .report import Finding
from .small_problem import Problem

SIZES = {
    "N": "N, the number of examples", "D": "D, the number of features",
    "C": "C, the number of classes or outputs", "H": "H, the number of hidden units",
}  # fmt: skip


# what goes wrong between examples, of which one call may have only one
AMONG_EXAMPLES = (Code.ONEHOT_INDEXING, Code.WRONG_INDEX, Code.SUM_AXIS_WRONG, Code.BIAS_AXIS)


@dataclass(frozen=True)
class Explanation:
    """One mistake that predicts some of the wrong arrays, each up to a factor (1: exactly)."""

    code: Code
    message: str
    factors: Mapping[int, float]
    cost: float  # the lower, the simpler
    contradicts: int = 0  # arrays that are right and would not be
    where: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)  # of the finding

    def findings(self, blocks: Sequence[Block]) -> Iterator[Finding]:
        """One finding for the whole gradient, or one for each array that it explains."""
        if len(self.factors) == len(blocks) > 1:
            where = self.where or "everywhere"
            yield Finding.of_gradient(self.code, f"{self.message}.", where=where, **self.fields)
            return
        for k, factor in sorted(self.factors.items()):
            message, known = self.message, _known_factor(factor, blocks[k])
            if known is not None:
                besides = known.message.split(":")[0].replace("{it}", "it")
                message += f" (besides, {besides})"
            yield blocks[k].finding(self.code, f"{message}.", self.where, **self.fields)


def explain(match: Match) -> list[Finding]:
    """Say which mistakes explain the arrays that are wrong, where the loss is a textbook's."""
    blocks, wrong = match.blocks, match.wrong
    if not wrong:
        return []
    found = [*plain_errors(blocks, wrong), *_predictions(match)]
    message = examples_left_out(match.model, blocks, wrong, "analytic")
    if message:
        found.append(Explanation(Code.EXAMPLE_DROPPED, message, dict.fromkeys(wrong, 1.0), 1.7))
    return choose(found, blocks, wrong)


def choose(
    explanations: Iterable[Explanation], blocks: Sequence[Block], wrong: Iterable[int]
) -> list[Finding]:
    """The fewest explanations that cover all wrong arrays, the simplest first, as findings."""
    explanations, left, found = list(explanations), set(wrong), list[Finding]()
    while left:
        best = max(
            explanations,
            key=lambda e: (len(left & set(e.factors)) - 0.3 * e.contradicts, -e.cost),
            default=None,
        )
        if best is None or not left & set(best.factors):
            message = (
                "no known mistake predicts this gradient: derive this array anew, and check its "
                "pieces one by one, from the loss back"
            )
            if all(blocks[k].is_right_in_part for k in left):
                message = (
                    "no known mistake predicts this gradient, which is wrong in scattered entries "
                    "and right in the others: look for a mask, an index or a condition"
                )
            best = Explanation(Code.UNEXPLAINED, message, dict.fromkeys(left, 1.0), 9.0)
        found += best.findings(blocks)
        left -= set(best.factors)
    return found


# ---- errors that need no formula ----


def plain_errors(blocks: Sequence[Block], wrong: Iterable[int]) -> Iterator[Explanation]:
    """Nothing at all, a multiple of the right one, wrong in one line, shifted by a number."""
    by_factor: dict[float, dict[int, float]] = {}
    for k in wrong:
        block, alone = blocks[k], {k: 1.0}
        if block.is_zero(block.analytic):
            if block.is_zero(block.analytic_penalty):
                message = "the gradient is never filled in: it is 0 throughout"
                yield Explanation(Code.GRAD_ZERO, message, alone, 0.4)
            else:
                message = "only the gradient of the penalty is returned: add the part of the data"
                yield Explanation(Code.DATA_MISSING, message, alone, 0.4)
            continue
        fit = block.fit(block.analytic, block.numerical)
        if fit is not None and abs(fit[0]) > 1e-9 and not close(fit[0], 1):
            factor = next((f for f in by_factor if close(f, fit[0])), fit[0])
            by_factor.setdefault(factor, {})[k] = 1.0
        shift = block.analytic - block.numerical
        for local in LOCAL_ERRORS if block.is_right_in_part else ():
            where = line_of(block.off, local.axis, local.all_but)
            if where:
                cost = 2.0 if local.axis == "entry" else 2.6
                yield Explanation(local.code, local.message, alone, cost, where=where)
        if block.numerical.size > 3 and np.ptp(shift) <= 1e-6 * np.abs(shift).max():
            message = (
                "the same number is added to every entry: the gradient of a penalty is the array "
                "reg * W, not a sum over it"
            )
            yield Explanation(Code.REG_SUM_SCALAR, message, alone, 2.0)
    for factor, arrays in by_factor.items():
        known, fields = _known_factor(factor, blocks[0]), {"factor": factor}
        if known is not None:
            yield Explanation(known.code, known.message, arrays, 1.0, fields=fields)
        elif all(blocks[k].is_factor(factor) for k in arrays):
            message = _of_factor(factor, blocks[0].measurement.problem)
            yield Explanation(Code.SCALE_CONST, message, arrays, 2.2, fields=fields)


def _of_factor(factor: float, problem: Problem) -> str:
    """Tell a factor without a cause of its own: in letters, where it is made of sizes."""
    letters = problem.in_letters(factor)
    text, here = (letters[0], f", here {letters[1]:.4g}") if letters else (f"{factor:.4g}", "")
    cause = "this factor stands in only one of loss and gradient"
    over, _, under = text.partition(" / ")
    if over in SIZES and under in SIZES:
        cause = f"divide by {SIZES[over]}, not by {SIZES[under]}"
    return f"{{it}} is {text} times what it should be{here}: {cause}"


def _known_factor(factor: float, block: Block) -> Factor | None:
    """The factor with a cause of its own that this is, if it is one."""
    sizes = block.measurement.problem.T.shape
    return next(
        (f for f in FACTORS if close(factor, f.value(*sizes)) and not close(factor, 1)), None
    )


def examples_left_out(
    model: Model, blocks: Sequence[Block], wanted: Sequence[int], which: str
) -> str | None:
    """Give each example a weight of its own: those that are left out have the weight 0."""
    target = np.concatenate([getattr(blocks[k], which).ravel() for k in wanted])
    full = np.asarray(model.terms_of_scores().dscores)
    columns = []
    for mask in np.eye(len(full), dtype=bool):
        gradients = model.gradients(dscores=np.where(mask[:, np.newaxis], full, 0.0))
        columns.append(np.concatenate([gradients[k].ravel() for k in wanted]))
    weights = _weights_of(np.stack(columns, axis=1), target, blocks[0].measurement.exact)
    if weights is None:
        return None
    counts = [i for i, row in enumerate(full) if np.linalg.norm(row) > 1e-9]
    kept = [i for i in counts if abs(weights[i]) > 1e-4 * np.abs(weights).max()]
    left_out = [i for i in counts if i not in kept]
    if not kept or not left_out or np.ptp(weights[kept]) > 1e-3 * abs(weights[kept[0]]):
        return None
    ends = {counts[0]: "the first example", counts[-1]: "the last example"}
    if len(kept) == 1:
        who = ends.get(kept[0], "one example")
        return f"only {who} contributes: sum over all, += inside the loop"
    if len(left_out) == 1:
        return f"{ends.get(left_out[0], 'one example')} contributes nothing: loop over range(N)"
    who = "the last" if left_out == counts[-len(left_out) :] else "some"
    return f"{who} examples contribute nothing: loop over range(N)"


def _weights_of(basis: Array, target: Array, exact: float) -> Array | None:
    """Weights of the columns that give the target; all or all but one, where many do."""
    rows, columns = basis.shape
    if rows > columns:
        weights = np.linalg.lstsq(basis, target, rcond=None)[0]
        fits = np.linalg.norm(basis @ weights - target) <= exact * np.linalg.norm(target)
        return np.asarray(weights) if fits else None
    for i in range(columns) if rows > 2 else ():
        for weights in (np.arange(columns) != i, np.arange(columns) == i):
            only = basis @ weights
            factor = float(only @ target) / max(float(only @ only), 1e-300)
            if np.linalg.norm(factor * only - target) <= exact * np.linalg.norm(target):
                return np.asarray(factor * weights)
    return None


# ---- one term computed wrongly ----


def _predictions(match: Match) -> Iterator[Explanation]:
    """All known mistakes that predict at least one of the wrong arrays."""
    model, textbook = match.model, match.model.gradients()
    tags = {model.output_loss.name, model.activation.name if len(model.layers) > 1 else ""}
    for mistake in (*MISTAKES, *_fitted_slopes(match)):
        if mistake.when and not tags & set(mistake.when):
            continue
        less_likely = mistake.code in AMONG_EXAMPLES and len(model.T) == 1
        draft = Explanation(mistake.code, mistake.message, {}, 1.8 if less_likely else 1.5)
        for layer in _layers_of(mistake, len(model.layers)):
            other = replace(model, replaced={mistake.term: mistake.wrong}, only=layer)
            yield from _compared(match, textbook, other, draft)
    actual = model.output_loss.title
    for loss in OUTPUT_LOSSES.values():
        if loss is not model.output_loss:
            message = (
                f"this is the gradient of another loss, {loss.title}; the loss itself is "
                f"{actual}: make them the same"
            )
            names = {"loss_name": loss.title, "actual_loss": actual}
            draft = Explanation(Code.LOSS_WRONG_GRAD_OF_OTHER, message, {}, 1.9, fields=names)
            yield from _compared(match, textbook, replace(model, output_loss=loss), draft)


SLOPES = {"tanh": "1 - {0}**2", "sigmoid": "{0} (1 - {0})", "softplus": "sigmoid(z)"}


def _fitted_slopes(match: Match) -> Iterator[Mistake]:
    """Polynomials, such as 1 + h**2, that stand where the slope of the activation belongs."""
    model, top = match.model, len(match.model.layers) - 1
    right = SLOPES.get(model.activation.name)
    first, end = (len(arrays_of(model.layers[: top - k])) for k in (1, 0))
    below = [k for k in match.wrong if first <= k < end] if top and right else []
    for term, letter in (("a", "h"), ("z_in", "z")) if below else ():
        columns = []
        for power in np.eye(3):
            other = replace(model, replaced={"slope": partial(_polynomial, term, power)}, only=top)
            columns.append(_joined(other.gradients(), below))
        basis, exact = np.stack(columns, axis=1), match.blocks[0].measurement.exact
        target = _joined([b.analytic for b in match.blocks], below) / match.factor
        weights = np.round(2 * np.linalg.lstsq(basis, target, rcond=None)[0]) / 2
        rest = np.linalg.norm(basis @ weights - target)
        if weights.any() and rest <= exact * np.linalg.norm(target):
            names = ("", letter, f"{letter}**2")
            said = " + ".join(
                f"{w:g} {name}".strip() if abs(w) != 1 or not name else "-" * bool(w < 0) + name
                for w, name in zip(weights, names, strict=True)
                if w
            ).replace("+ -", "- ")
            message = (
                f"the slope of the {model.activation.name} is taken to be {said}: it is "
                f"{str(right).format('h')}"
            )
            wrong = partial(_polynomial, term, weights)
            yield Mistake(Code.ACTIVATION_MISMATCH, "slope", wrong, message)


def _polynomial(term: str, weights: Array, p: Any) -> Array:
    x = getattr(p, term)
    return np.asarray(weights[0] + weights[1] * x + weights[2] * x**2)


def _joined(arrays: Sequence[Array], which: Iterable[int]) -> Array:
    return np.concatenate([arrays[k].ravel() for k in which])


def _layers_of(mistake: Mistake, layers: int) -> list[int | None]:
    """The layers in which a mistake is tried: in all alike, and in each one alone."""
    lowest = {"dW": 0, "db": 0, "dh": 1, "slope": 1, "dz": 1}.get(mistake.term)
    return [None] if lowest is None or layers < 2 else [None, *range(lowest, layers)]


def _compared(
    match: Match, textbook: list[Array], other: Model, draft: Explanation
) -> Iterator[Explanation]:
    """Compare the analytic gradient with that of a model that has one wrong term."""
    try:
        with np.errstate(all="ignore"):
            arrays = [np.asarray(a, dtype=float) for a in other.gradients()]
    except (ValueError, IndexError, TypeError):  # the term does not fit this model's shapes
        return
    factors, cost, contradicts = dict[int, float](), draft.cost, 0
    for k, (block, array, right) in enumerate(zip(match.blocks, arrays, textbook, strict=True)):
        if array.shape != block.analytic.shape:
            continue
        if not block.is_right and block.same(array, right):
            continue  # this mistake leaves the array as it is
        fit = block.fit(block.analytic, array)
        if block.is_right:
            contradicts += fit is None or not close(fit[0], match.factor)
        elif fit is not None and (array.size > 2 or close(fit[0], match.factor)):
            factors[k] = factor = fit[0] / match.factor
            known = _known_factor(factor, block) is not None
            cost += 0.0 if close(factor, 1) else 0.5 if known else 1.5
    if factors:
        yield replace(draft, factors=factors, cost=cost, contradicts=contradicts)
