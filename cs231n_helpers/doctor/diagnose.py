"""What is wrong: the gradient on small data of our own, and the mistake that predicts it.

Four questions, a module for each:

1. Of which textbook loss is the numerical gradient a multiple? (`identify`)
2. Which few of the known mistakes predict the analytic gradient, array by array? (`explain`)
3. Is the gradient of the penalty that of the penalty in the loss? (`penalty`)
4. Is the loss itself the textbook's, everywhere? (`wrong_losses`)
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .backward import Array
from .codes import Code
from .evaluate import UnusableGradientError
from .explain import choose, explain, plain_errors
from .guarded import find_guard
from .identify import Block, Match, Measurement, arrays_of, identify, measure
from .not_a_loss import COUNTS
from .penalty import penalty_findings, set_penalty_apart
from .report import Finding, Step, ignores_argument, never_filled
from .small_problem import HIDDEN, D, Problem
from .wrong_losses import epsilon, known_wrong_loss, loss_beside, overflow_findings, value_findings


@dataclass(frozen=True)
class Diagnosis:
    """What was found, most likely first, and what was done."""

    found: Sequence[Finding] = ()
    steps: Sequence[Step] = ()

    @property
    def findings(self) -> list[Finding]:
        """The mistakes, each said once."""
        mistakes = [f for f in self.found if not f.caution]
        return list({(f.code, f.place): f for f in mistakes}.values())

    @property
    def cautions(self) -> list[Finding]:
        return [f for f in self.found if f.caution]

    @property
    def names_no_more(self) -> bool:
        """No mistake beyond a loss that does not change with its parameters."""
        known = {f.code for f in self.findings}
        return not known or bool(known & {Code.IGNORES_ARGUMENT, Code.UNEXPLAINED})


def diagnose(problem: Problem, *, float32: bool = False, trusted: bool = False) -> Diagnosis:
    """Find out what is wrong with the gradient on the small problem, if anything.

    A `trusted` gradient is taken for the numerical one: only value and overflow are looked at.
    """
    try:
        measurement = measure(problem, float32=float32, trusted=trusted)
    except UnusableGradientError as unusable:
        return Diagnosis([_in_letters(finding, problem) for finding in unusable.findings])
    error = float(np.abs(measurement.numerical - measurement.at.gradient).max())
    wrong_by = f"up to {error:.2g}" if error > 1e-7 else "less than 1e-7"
    step = Step(
        "The same function on small random data of sizes that are distinct primes "
        f"(N = {problem.examples}, D = {D}, C = {measurement.classes}).",
        f"{problem.evaluations} evaluations; entries of up to "
        f"{np.abs(measurement.numerical).max():.2g}"
        + ("." if trusted else f", wrong by {wrong_by}."),
    )
    if not measurement.is_finite:
        return Diagnosis(steps=[step])
    match = identify(measurement)
    guard = find_guard(measurement, match)
    if guard:
        measurement, match = guard.unguarded, identify(guard.unguarded)
    rest = _of_measurement(measurement, match, guard is None)
    return replace(
        rest, found=[*rest.found, *([epsilon(guard)] if guard else [])], steps=[step, *rest.steps]
    )


def _of_measurement(
    measurement: Measurement, match: Match | None, may_be_guarded: bool
) -> Diagnosis:
    """Compare with what is known, simple patterns first."""
    raw = measurement.blocks()
    found = _patterns(measurement, raw)
    if all(block.is_ignored for block in raw):
        found += [ignores_argument(block.label) for block in raw]
    if found:
        return Diagnosis(found)
    if match:
        return _of_textbook_loss(measurement, match, may_be_guarded)
    return _of_other_loss(measurement, raw)


def _of_textbook_loss(measurement: Measurement, match: Match, may_be_guarded: bool) -> Diagnosis:
    """Compare with the textbook's gradient."""
    if measurement.penalty_is_inside:
        match = replace(match, blocks=set_penalty_apart(match.blocks, match.model))
    names = ", ".join(b.label or b.name or "it" for b in match.blocks if not b.is_right)
    outcome = f"wrong: {names}." if names else "the part of the data is right everywhere."
    found = [*explain(match), *penalty_findings(match.blocks, match)]
    if not found:
        found += value_findings(measurement, match)
    found += overflow_findings(measurement, match, may_be_guarded)
    return Diagnosis(found, [_compared(f"{match.model}, times {match.factor:.4g}; {outcome}")])


def _of_other_loss(measurement: Measurement, raw: Sequence[Block]) -> Diagnosis:
    """Find out which loss it is, where the numerical gradient is that of no textbook loss."""
    if measurement.problem.T.size == 1:  # any loss of one number has a multiple of this gradient
        return Diagnosis()
    wrong = [k for k, block in enumerate(raw) if not block.is_right]
    match = identify(measurement, "analytic") if wrong else None
    if match is not None:
        found, blocks = [loss_beside(match)], match.blocks
        outcome = f"None, but the gradient that was returned is that of the {match.model}."
    elif (known := known_wrong_loss(measurement, bool(wrong))) is not None:
        (finding, blocks), outcome = known, "None, but a known mistake has it."
        found = [finding]
    else:
        blocks, outcome = raw, "None that is known here."
        found = [ignores_argument(block.label) for block in raw if block.is_ignored]
        wrong = [k for k in wrong if not raw[k].is_ignored]
        found += choose(plain_errors(raw, wrong), raw, wrong)
    return Diagnosis([*found, *penalty_findings(blocks)], [_compared(outcome)])


def _in_letters(finding: Finding, problem: Problem) -> Finding:
    """Shapes of the small problem, (13, 11), as the caller knows them: (H, N)."""
    letters = {str(size): f"H{k}" for k, size in enumerate(HIDDEN, start=1)}
    letters |= {str(size): letter for letter, size in problem.small_sizes.items() if size > 1}

    def shape(match: re.Match[str]) -> str:
        return re.sub(r"\d+", lambda m: letters.get(m[0], m[0]), match[0])

    message = re.sub(r"\(\d+,[\d, ]*\)", shape, finding.message)
    return replace(finding, message=message)


def _compared(outcome: str) -> Step:
    return Step("Which textbook loss has this derivative?", outcome)


# ---- patterns that need no formula ----


def _patterns(measurement: Measurement, raw: Sequence[Block]) -> list[Finding]:
    """The right numbers in the wrong place or cut off, or no numbers at all."""
    flat = not measurement.numerical.any() and measurement.at.gradient.any()
    if flat and len({e.value for e in measurement.nearby}) > 1:
        return [Finding(Code.NOT_A_LOSS, COUNTS)]
    moves = not all(block.is_insensitive for block in raw)
    if moves and all(b.is_zero(b.analytic) and b.is_zero(b.analytic_penalty) for b in raw):
        return [never_filled(None)]
    found = []
    for block in (b for b in raw if not b.is_right):
        other = next((b for b in raw if b is not block and _is_gradient_of(block, b)), None)
        if other is not None:
            message = f"This is the gradient of {other.label}: the two have changed names."
            found.append(block.finding(Code.SWAPPED_KEYS, message))
        elif block.is_insensitive or block.is_zero(block.analytic):
            continue
        elif block.numerical.size > 3 and _is_permuted(block.analytic, block.numerical):
            found.append(block.finding(*_order(measurement, block)))
        elif np.count_nonzero(whole := np.trunc(block.numerical)) > 1 and block.same(
            block.analytic, whole
        ):
            message = (
                "Every entry is the right one without its decimals: an integer array was used on "
                "the way. Allocate with np.zeros(W.shape)."
            )
            found.append(block.finding(Code.INT_TRUNCATION, message))
    return found


def _is_gradient_of(block: Block, other: Block) -> bool:
    sizes = block.analytic.size == other.numerical.size > 1
    return sizes and block.same(block.analytic.ravel(), other.numerical.ravel())


def _is_permuted(a: Array, b: Array) -> bool:
    """The same numbers in another order; of numbers that repeat, any order may be chance."""
    scale = max(float(np.abs(b).max()), 1e-12)
    same = np.allclose(a.ravel(), b.ravel(), atol=1e-6 * scale, rtol=0)
    if same or np.unique(np.round(b / scale, 5)).size < 0.9 * b.size:
        return False
    return bool(np.allclose(np.sort(a.ravel()), np.sort(b.ravel()), atol=1e-6 * scale, rtol=0))


def _order(measurement: Measurement, block: Block) -> tuple[Code, str]:
    """In which way the right numbers are out of order."""
    numerical, analytic = block.numerical.ravel(), block.analytic.ravel()
    if block.numerical.ndim == 2 and min(block.numerical.shape) > 1:
        return Code.TRANSPOSE, (
            "These are the right numbers in the wrong places: the gradient was forced into its "
            "shape with reshape. Transpose it, or exchange the factors: X.T @ dscores."
        )
    rolled = any(block.same(np.roll(numerical, k), analytic) for k in range(1, numerical.size))
    if rolled or _is_joined_otherwise(measurement):
        return Code.UNROLL_ORDER, (
            "These are the right numbers in another order: the parts are joined in another order "
            "than the parameters. Unroll the gradient exactly as the parameters."
        )
    return Code.FLATTEN_ORDER, (
        "These are the right numbers in another order: the matrices are flattened by rows in one "
        "place and by columns in the other. Use ravel() for both."
    )


def _is_joined_otherwise(measurement: Measurement) -> bool:
    """The gradient is right, read in a layout that joins its parts in another order."""
    problem = measurement.problem
    vectors = [problem.arrays(v) for v in (measurement.numerical, measurement.at.gradient)]
    same_order = []
    for layouts in itertools.product(problem.layouts, repeat=2):
        pair = [arrays_of(one.unpack(v)) for one, v in zip(layouts, vectors, strict=True)]
        if all(np.allclose(a, b, atol=1e-7) for a, b in zip(*pair, strict=True)):
            same_order.append(layouts[0].part_order == layouts[1].part_order)
    return bool(same_order) and not any(same_order)
