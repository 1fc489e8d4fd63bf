"""`check_gradient`: is it wrong, where is it wrong, what is wrong, one after the other.

Raises TypeError or ValueError where the loss or its parameters are not of the form described.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..validation import Rng, as_rng
from .arguments import blamed, mixed_examples
from .calls import as_function, as_net
from .codes import Code
from .conditions import (
    blame_numbers,
    cautions,
    is_starter,
    needs_equal_sizes,
    nondeterministic,
    not_finite,
    notice_changed_data,
    shape_error,
)
from .diagnose import Diagnosis, diagnose
from .evaluate import Evaluation, LossFunction, UnusableGradientError
from .locate import Place, locate, unidentified
from .not_a_loss import COUNTS, is_count, output_not_loss
from .plot import draw
from .probes import probed
from .report import (
    OF_THE_LOSS,
    Finding,
    GradientReport,
    Step,
    ignores_argument,
    not_written,
    rounded_error,
)
from .slopes import Detection, Detector, Outcome, Slope, detect, second_point
from .small_problem import REG, InPlace, Problem, recognize
from .snapshot import StateSnapshot

BUDGET = 80  # evaluations on the caller's data to fail and locate
NEARLY = 0.01  # an error of the gradient that a training does not notice
VAGUE = {Code.LOSS_WRONG_GRAD_OF_OTHER, Code.SCALE_CONST, Code.UNEXPLAINED}
UNSURE = (Code.IGNORES_ARGUMENT, Code.UNEXPLAINED)  # a count of mistakes looks like that
SPOTS = (Code.ENTRY_WRONG, Code.LAST_ROW_WRONG, Code.SINGLE_CLASS_WRONG)
Call = tuple[Any, ...]  # (loss, params, args, kwargs)
Explain = Callable[[Call, Detector, Evaluation, dict[str | None, Place]], list[Finding]]
# the figures are filled in at the end
_report = partial(GradientReport, evaluations=0, max_relative_error=np.nan)


def check_gradient(
    loss: Callable[..., Any], params: Any, *args: Any, rng: Rng | None = None, **kwargs: Any
) -> GradientReport:
    r"""Check the gradient that a loss function returns, and say what is wrong with it.

    Along random directions v, the slope by the gradient is compared with the numerical one:

    .. math:: \langle g, v \rangle = \frac{f(x + h v) - f(x - h v)}{2 h}

    at the parameters given and at a generic second point, with a tolerance that sits at the noise
    of rounding. Where that fails, halving finds out where it is wrong, and the same function on
    small data of the checker's own finds out what is wrong.

    Parameters
    ----------
    loss : callable
        ``loss(params, *args, **kwargs) -> (value, gradient)``: ``(W, X, y, reg)``, a function of
        scores ``(S, y)``, a closure ``lambda W: svm_loss(W, X, y, reg)``, a flat parameter vector
        with further arguments, ... A loss that ignores its argument and reads the very arrays that
        are passed is checked in place: ``lambda _: net.loss(X, y)`` with ``net.params``.

        Or a net, or a method of it, without `params`: ``check_gradient(net, X, y, reg)``, for any
        object with ``loss(X, y, reg) -> (value, gradient)`` and a dict `params` or an array `W`.
        Its parameters are exchanged for each call, and put back.
    params : array or dict of arrays
        Where to check. The function is called with float64 copies.
    *args, **kwargs
        Passed on, arrays as copies. What the loss changes, in arguments, in its closure, in
        globals or in objects that it can reach, is put back. The loss is also called at other
        parameters, and on small data where its arguments are recognized.
    rng : Generator or RandomState
        Draws the directions; default: a fresh one, so that each call gives the same report.

    Returns
    -------
    GradientReport
        True where the gradient is correct. Print it; in a notebook it shows as a table.

    Raises
    ------
    Exception
        Whatever the loss itself raises, with a note on what it was called with.

    References
    ----------
    CS231n course notes, Neural Networks Part 3, Gradient checks; on Taylor remainders and kinks:
    Griewank and Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, chapters 3 and 14.

    Examples
    --------
    The loss is a mean over three examples, the gradient is a sum:

    >>> X, t = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 1.0]]), np.array([1.0, 0.0, 2.0])
    >>> def squared_error(w, X, t):
    ...     r = X @ w - t
    ...     return np.mean(r**2), 2 * X.T @ r
    >>> report = check_gradient(squared_error, np.array([0.5, -0.5]), X, t)
    >>> report.verdict, report.findings[0].code
    ('wrong', 'scale_N')
    """
    return examine((*as_function(loss, params, args), kwargs), as_rng(rng))


def examine(call: Call, rng: Rng, explain: Explain | None = None) -> GradientReport:
    """Check a call (loss, params, args, kwargs).

    What is wrong is said by `explain`, or else from small data of our own.
    """
    detector = Detector(LossFunction(*call), rng)

    def causes_in_arguments(*, raised: bool) -> list[Finding]:
        def examine_other(other: Call) -> GradientReport:
            return _examined(other, Detector(LossFunction(*other), rng), explain)

        with StateSnapshot(call[0], *call[2], *call[3].values()), np.errstate(all="ignore"):
            return blamed(call, examine_other, raised=raised)

    try:
        report = _examined(call, detector, explain)
    except Exception as error:
        is_the_loss = error is detector.function.raised
        causes = causes_in_arguments(raised=True) if is_the_loss else []
        if not causes:
            raise
        step = Step("Called the function.", f"It raises {type(error).__name__}: {error}")
        return _report(
            "wrong", tuple(causes), evaluations=detector.function.evaluations, steps=(step,)
        )
    if report.verdict == "wrong" and report.is_written and explain is None:
        causes = causes_in_arguments(raised=False)
        report = replace(report, findings=(*causes, *report.cautions)) if causes else report
    return report


def _examined(call: Call, detector: Detector, explain: Explain | None) -> GradientReport:
    loss, _, args, kwargs = call
    steps = list[Step]()
    with StateSnapshot(loss, *args, *kwargs.values()) as snapshot, np.errstate(all="ignore"):
        report = _conclude(call, detector, snapshot, steps, explain)
        detector.function.notice_changed_arguments()
    return _with_what_was_seen(report, detector, steps)


def _conclude(
    call: Call,
    detector: Detector,
    snapshot: StateSnapshot,
    steps: list[Step],
    explain: Explain | None,
) -> GradientReport:
    """Detect, locate, diagnose; add to the steps what was done."""
    function = detector.function
    try:
        first = function(function.x)
    except UnusableGradientError as unusable:
        steps.append(Step("Called the function once.", unusable.findings[0].message))
        return _report("wrong", tuple(unusable.findings))
    except (ValueError, IndexError) as error:
        if error is not function.raised:
            raise
        return _report("wrong", (needs_equal_sizes(call, error),))
    function.notice_changed_arguments()
    notice_changed_data(function, snapshot)
    changed = "an argument came back changed." if function.mutates else "no argument changed."
    steps.append(
        Step(
            "Called the function once, with float64 copies of the parameters.",
            f"The loss is {first.value:.6g}, the gradient has the norm "
            f"{np.linalg.norm(first.gradient):.4g}; {changed}",
        )
    )
    if not first.finite:
        blame_numbers(call, snapshot, first)
        return _report("wrong", (not_finite(function, first),))
    mixed = mixed_examples(call)
    if mixed:
        return _report("wrong", (mixed,))
    second = _second(detector, first)
    if _read_in_place(detector, first, second):
        call = as_net(call) or (function.loss, *call[1:])
        detector.function = function = function.again(call)
        first = function(function.x)
        second = _second(detector, first)
    if is_starter(function, first, second):
        function.findings.clear()  # of the form of these zeros
        seen = "the loss is 0 and the gradient all zeros, whatever the parameters"
        return _report("wrong", (not_written(seen),))
    different = nondeterministic(function, first)
    outcome = "Something else came back." if different else "The same loss and gradient came back."
    steps.append(Step("Called it at a second, random point, and again at the first.", outcome))
    if different:
        return _report("wrong", (different,), _pictures=partial(draw, call))
    detection = _detect(detector, first, second)
    steps.append(_compared(detector, detection))
    return _judge(call, detector, detection, steps, explain)


def _judge(
    call: Call,
    detector: Detector,
    detection: Detection,
    steps: list[Step],
    explain: Explain | None,
) -> GradientReport:
    """Say where and what is wrong, and what this check could not see."""
    function = detector.function
    wrong = detection.outcome == Outcome.DIFFERS
    if wrong:
        function.blame_integers()
    places = _located(detector, detection, steps) if wrong else {}
    findings = [ignores_argument(label) for label, place in places.items() if place.constant]
    problem, error = (None, None) if explain else recognize(*call)
    diagnosis, small_evaluations = Diagnosis(), 0
    if problem is not None and not function.mutates:
        diagnosis = _diagnosis(problem, detector, wrong)
        small_evaluations = problem.evaluations
        if findings and diagnosis.names_no_more:
            diagnosis = Diagnosis()
        elif findings:
            findings = []  # only on the caller's data does the loss never change
        steps += diagnosis.steps
    notes = [*cautions(detector, detection, problem), *diagnosis.cautions]
    epsilon = [f for f in notes if f.code == Code.EPS_IN_LOG]
    if epsilon and all(f.code in OF_THE_LOSS for f in diagnosis.findings):
        off = max(s.relative_error for s in detector.slopes if s.at.x is function.x)
        wrong = wrong and off > NEARLY
        here = f": here its relative error is {rounded_error(off)}"
        told = replace(epsilon[0], message=epsilon[0].template.format(here=here), caution=not wrong)
        notes.remove(epsilon[0])
        (findings if wrong else notes).append(replace(told, template=""))

    def done(verdict: str, findings: list[Finding], reason: str = "") -> GradientReport:
        return _report(
            verdict, (*findings, *notes), reason=reason, small_evaluations=small_evaluations,
            _pictures=partial(draw, call, float32=detector.float32),
        )  # fmt: skip

    if wrong:
        named = [_placed(finding, places) for finding in diagnosis.findings]
        if not explain and {f.code for f in (*findings, *named)} <= VAGUE:
            output = output_not_loss(detector, detection.at)
            if output and (output.code == Code.NOT_A_LOSS or not named):
                named = [output]
        findings += named
        if not findings and not function.mutates:
            by_place = partial(explain or unidentified, call, detector, detection.at, places)
            findings = by_place() if error is None else [shape_error(error)]
        unsure = {f.code for f in findings} <= {*UNSURE, Code.NOT_A_LOSS}
        if unsure and is_count(detector, detection.at):
            findings = [Finding(Code.NOT_A_LOSS, COUNTS)]
        unnamed = {Code.UNEXPLAINED, *(SPOTS if problem is None else ())}
        if error is not None or {f.code for f in findings} <= unnamed:
            knows = explain or function.mutates
            args = (call, detector, detection.at, [*places], problem is not None)
            findings = ([] if knows else probed(*args)) or findings
        return done("wrong", findings)
    seen = [] if detector.coarse else diagnosis.findings
    sure = [f for f in seen if f.code in OF_THE_LOSS]
    if findings or sure or any(not f.caution for f in function.findings.values()):
        return done("wrong", [*findings, *sure])
    if seen:
        return done(
            "inconclusive" if seen[0].code == Code.UNEXPLAINED else "wrong",
            seen,
            "no error shows with these parameters and data, but on other data the gradient is "
            "wrong: check with reg = 0.1, weights that are not tiny, and different numbers of "
            "examples, features and classes",
        )
    is_rough = detection.outcome == Outcome.UNCLEAR or detector.roughness
    if is_rough and is_count(detector, detection.at):
        return done("wrong", [Finding(Code.NOT_A_LOSS, COUNTS)])
    if detection.outcome == Outcome.UNCLEAR:
        return done(
            "inconclusive",
            [],
            "the measured slopes scatter more than rounding or a kink explains, so they can "
            "neither confirm nor refute the gradient: check at another point, in float64, with "
            "smaller data",
        )
    if not any(s.is_visible for s in detector.slopes):
        why = (
            "all slopes drown in the rounding of the loss, so they can neither confirm nor refute "
            "the gradient: scale the data or the parameters up"
        )
        if not any(s.analytic or s.numerical for s in detector.slopes):
            why = (
                "the loss does not change with the parameters and the gradient is 0, and that 0 is "
                "0 shows nothing: check with other data, for example with more than one class"
            )
        return done("inconclusive", [], why)
    return done("correct", [])


def _with_what_was_seen(
    report: GradientReport, detector: Detector, steps: list[Step]
) -> GradientReport:
    """Add the figures, and what was seen directly: it explains what no mistake predicts."""
    function, verdict, mistakes = detector.function, report.verdict, report.mistakes
    own = function.findings.values()
    sure = [f for f in own if not f.caution]
    if sure:
        verdict, mistakes = "wrong", tuple(f for f in mistakes if f.code != Code.UNEXPLAINED)
    nearly = any(f.code == Code.EPS_IN_LOG for f in report.findings)  # elsewhere it may be far off
    rests_on = [
        s.relative_error for s in detector.slopes
        if (s.at.x is function.x if nearly else s.agrees or verdict == "wrong")
    ]  # fmt: skip
    least = 2e-3 if detector.coarse and verdict == "correct" else 0.0
    return replace(
        report,
        verdict=verdict,
        findings=(*sure, *mistakes, *(f for f in own if f.caution), *report.cautions),
        evaluations=function.evaluations,
        max_relative_error=max([*rests_on, least]) if detector.slopes else np.nan,
        reason="" if sure else report.reason,
        steps=tuple(steps),
        seen=_seen(detector.slopes) or report.seen,
    )


# ---- is it wrong ----


def _read_in_place(detector: Detector, first: Evaluation, second: Evaluation) -> bool:
    """Where a function ignores its argument, see whether it reads the very arrays passed."""

    def differs(other: Evaluation) -> bool:
        return first.value != other.value or not np.array_equal(first.gradient, other.gradient)

    function = detector.function
    loss, params = function.loss, function.params
    if second is first or differs(second) or isinstance(loss, InPlace):
        return False
    function.loss = InPlace(loss, params)
    there = _second(detector, first)
    if there is first or differs(there):
        return True
    function.loss = loss
    return False


def _second(detector: Detector, first: Evaluation) -> Evaluation:
    """Evaluate at a second point, nearer to the first where the loss is not finite."""
    x = second_point(detector, first)
    for _ in range(4):
        try:
            second = detector.function(x)
        except Exception:  # outside the domain of this loss
            second = Evaluation(x, np.nan, first.gradient)
        if second.finite:
            detector.scale = min(abs(second.value), 1.0)
            return second
        detector.function.notice_lost_gradient(second)
        x = first.x + (x - first.x) / 30
    return first


def _detect(detector: Detector, first: Evaluation, second: Evaluation) -> Detection:
    """Compare slopes; again with the steps of float32, where the outcome is unclear."""
    values = (first.value, second.value)
    whole = all(v == round(v) for v in values)  # as a count of mistakes is
    rounded = not whole and all(float(np.float32(v)) == v for v in values)
    detector.float32 = rounded or getattr(detector.function.loss, "rounds", False)
    found = detect(detector, first, second)
    if found.outcome != Outcome.UNCLEAR or detector.float32 or whole:
        return found
    detector.float32, detector.scale, detector.slopes = True, 0.0, []
    again = detect(detector, first, second)
    detector.float32 = again.outcome == Outcome.AGREES
    return again if detector.float32 else found


def _compared(detector: Detector, found: Detection) -> Step:
    most = detector.most_noise(found.at.value) / found.slope.h
    shown = ", ".join(
        f"{_shown(s.analytic, s)} promised and {_shown(s.numerical, s)} measured at h = {s.h:.1g}"
        for s in detector.slopes[:4]
    )
    said = {
        Outcome.AGREES: "they agree",
        Outcome.DIFFERS: "they differ, by the same amount at other steps and on both sides",
        Outcome.KINK: "the two sides differ at every step, but close by all is well",
        Outcome.UNCLEAR: "they neither agree nor differ clearly",
    }[found.outcome]
    return Step(
        "Compared slopes along random directions, at both points.",
        f"{shown}: {said} (rounding makes at most {most:.0e}).",
    )


def _seen(slopes: list[Slope]) -> str:
    """One slope of the gradient beside that of the loss, the first that differs, if any does."""
    for slope in sorted(slopes, key=lambda s: s.agrees)[:1]:
        analytic, numerical = (_shown(v, slope) for v in (slope.analytic, slope.numerical))
        return (
            f"along a random direction your gradient promises the slope {analytic}, and the loss "
            f"itself changes at {numerical} per unit."
        )
    return ""


def _shown(value: float, slope: Slope) -> str:
    """In a few digits; 0 where it is nothing but rounding, and no two machines agree."""
    return f"{value:.4g}" if abs(value) > 100 * slope.tolerance else "0"


# ---- where, and what ----


def _located(detector: Detector, found: Detection, steps: list[Step]) -> dict[str | None, Place]:
    """The places in the wrong parameters, by label."""
    function = detector.function
    budget = BUDGET - function.evaluations - 4 * len(function.blocks.slices)
    places = {
        function.blocks.label(place.parameter): place
        for place in locate(detector, found.at, budget)
    }
    said = "; ".join(f"{label or 'the gradient'}: {p}" for label, p in places.items())
    title = "Where is it wrong? Halved the entries, and asked each half."
    steps.append(Step(title, said or "not found out"))
    return places


def _diagnosis(problem: Problem, detector: Detector, wrong: bool) -> Diagnosis:
    try:
        trusted = not wrong and _is_right_on(problem, detector)
        return diagnose(problem, float32=detector.coarse, trusted=trusted)
    except Exception as error:  # a loss need not be defined on data of our own
        outcome = f"It raises {type(error).__name__} there, so that no mistake can be named."
        return Diagnosis(steps=[Step("The same function on small random data.", outcome)])


def _is_right_on(problem: Problem, detector: Detector) -> bool:
    """Check on the small data as well, which show what the caller's may hide."""
    function = problem.function(REG)
    detector = Detector(function, detector.rng, float32=detector.float32)
    try:
        first = function(function.x)
        outcome = Outcome.DIFFERS
        if first.finite:
            outcome = detect(detector, first, _second(detector, first)).outcome
    except UnusableGradientError:
        if not problem.equal_sizes:
            raise  # no luck explains that it is right on the caller's data: another assignment
        return False
    problem.evaluations += function.evaluations
    return outcome in (Outcome.AGREES, Outcome.KINK)


def _placed(finding: Finding, places: dict[str | None, Place]) -> Finding:
    """Put what was located on the caller's data into a finding that names no place."""
    place = places.get(finding.parameter)
    if finding.code not in SPOTS or place is None or place.everywhere:
        return finding
    return replace(finding, where=str(place), evidence={**finding.evidence, "axes": place.axes})
