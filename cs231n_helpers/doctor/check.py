"""`check_gradient`: is it wrong, where is it wrong, what is wrong, one after the other.

Raises TypeError or ValueError where the loss or its parameters are not of the form described.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ..validation import Rng, as_rng
from .codes import Code
from .diagnose import Diagnosis, diagnose
from .evaluate import Evaluation, LossFunction, UnusableGradientError
from .locate import Place, locate
from .plot import draw
from .report import Finding, GradientReport, Step, ignores_argument, never_filled
from .slopes import Detection, Detector, Outcome, Slope, detect, second_point
from .small_problem import REG, Call, N, Problem, recognize
from .snapshot import StateSnapshot

BUDGET = 80  # evaluations on the caller's data to fail and locate
SURE = (Code.OVERFLOW, Code.LOSS_OFFSET, Code.LOSS_VALUE)  # wrong, however right the slopes are
SPOTS = (Code.ENTRY_WRONG, Code.LAST_ROW_WRONG, Code.SINGLE_CLASS_WRONG)
DERIVE = "check the derivation one piece at a time, from the scores back."


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
        with further arguments, ... The loss must read the parameters that it is given; for a net
        that keeps its own::

            def loss(params, X, y, reg):
                net.params = params
                return net.loss(X, y, reg)
    params : array or dict of arrays
        Where to check. The function is called with float64 copies.
    *args, **kwargs
        Passed on, arrays as copies. What the loss changes, in arguments, in its closure, in
        globals or in objects that it can reach, is put back. The loss is also called at other
        parameters, and on small data where its arguments are recognised.
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
    call = (loss, params, args, kwargs)
    with StateSnapshot(loss, *args, *kwargs.values()) as snapshot:
        function, steps = LossFunction(*call), list[Step]()
        found = _conclude(call, function, as_rng(rng), snapshot, steps)
        function.notice_changed_arguments()
    return _report(call, function, found, steps)


@dataclass
class _Conclusion:
    """What a check has come to, and what it rests on."""

    verdict: str
    findings: list[Finding]
    reason: str = ""
    cautions: list[Finding] = field(default_factory=list)
    detector: Detector | None = None
    small_evaluations: int = 0


def _conclude(
    call: tuple[Any, ...],
    function: LossFunction,
    rng: Rng,
    snapshot: StateSnapshot,
    steps: list[Step],
) -> _Conclusion:
    """Detect, locate, diagnose; add to the steps what was done."""
    try:
        first = function(function.x)
    except UnusableGradientError as unusable:
        steps.append(Step("Called the function once.", unusable.findings[0].message))
        return _Conclusion("wrong", unusable.findings)
    except (ValueError, IndexError) as error:
        return _Conclusion("wrong", [_needs_equal_sizes(call, error)])
    function.notice_changed_arguments()
    _notice_changed_data(function, snapshot)
    steps.append(_first_call(function, first))
    if not first.finite:
        return _Conclusion("wrong", [_not_finite(function, first)])
    detector = Detector(function, rng)
    second = _second(detector, first)
    different = _nondeterministic(function, first)
    outcome = "Something else came back." if different else "The same loss and gradient came back."
    steps.append(Step("Called it at a second, random point, and again at the first.", outcome))
    if different:
        return _Conclusion("wrong", [different], detector=detector)
    detector, detection = _detect(detector, first, second)
    steps.append(_compared(detector, detection))
    return _judge(call, detector, detection, steps)


def _judge(
    call: tuple[Any, ...], detector: Detector, detection: Detection, steps: list[Step]
) -> _Conclusion:
    """Say where and what is wrong, and what this check could not see."""
    function = detector.function
    wrong = detection.outcome == Outcome.DIFFERS
    places = _located(detector, detection, steps) if wrong else {}
    findings = [ignores_argument(label) for label, place in places.items() if place.constant]
    problem, shape_error = recognize(*call)
    diagnosis, small_evaluations = Diagnosis(), 0
    if findings:
        pass  # it would compute with its own values on other data too
    elif problem is not None and not function.mutates:
        diagnosis = _diagnosis(problem, detector, wrong)
        small_evaluations = problem.evaluations
        steps += diagnosis.steps
    elif wrong and shape_error is not None:
        findings.append(_shape_error(shape_error))
    cautions = [*_cautions(detector, detection, problem), *diagnosis.cautions]
    done = partial(
        _Conclusion, cautions=cautions, detector=detector, small_evaluations=small_evaluations
    )
    if wrong:
        if diagnosis.adds_epsilon and not diagnosis.findings:
            return done("correct", findings)
        findings += [_placed(finding, places) for finding in diagnosis.findings]
        if not findings and not function.mutates:
            findings += _unidentified(call, detector, detection.at, places)
        return done("wrong", findings)
    seen = [] if detector.float32 else diagnosis.findings
    sure = [f for f in seen if f.code in SURE]
    if findings or sure or any(not f.caution for f in function.findings.values()):
        return done("wrong", [*findings, *sure])
    if seen:
        return done(
            "inconclusive",
            seen,
            "no error shows with these parameters and data, but on other data the function is "
            f"wrong ({seen[0].code}): check with reg = 0.1, weights that are not tiny, and "
            "different numbers of examples, features and classes",
        )
    if detection.outcome == Outcome.UNCLEAR:
        return done(
            "inconclusive",
            [],
            "the measured slopes scatter more than rounding or a kink explains, so they can "
            "neither confirm nor refute the gradient: check at another point, in float64, with "
            "smaller data",
        )
    return done("correct", [])


def _report(
    call: tuple[Any, ...], function: LossFunction, found: _Conclusion, steps: list[Step]
) -> GradientReport:
    own = list(function.findings.values())
    sure = [f for f in own if not f.caution]
    findings, verdict, detector = found.findings, found.verdict, found.detector
    if sure:  # what was seen directly explains what no mistake predicts
        findings = [f for f in findings if f.code != Code.UNEXPLAINED]
        verdict = "wrong"
    error, pictures = float("nan"), None
    if detector is not None:
        rests_on = [s.relative_error for s in detector.slopes if s.agrees or verdict == "wrong"]
        least = 2e-3 if detector.float32 and verdict == "correct" else 0.0
        error = max([*rests_on, least]) if detector.slopes else error
        pictures = partial(draw, call, float32=detector.float32)
    return GradientReport(
        verdict=verdict,
        findings=(*sure, *findings, *(f for f in own if f.caution), *found.cautions),
        evaluations=function.evaluations,
        max_relative_error=error,
        reason=found.reason if verdict == found.verdict else "",
        small_evaluations=found.small_evaluations,
        steps=tuple(steps),
        _pictures=pictures,
    )


# ---- before there is anything to compare ----


def _needs_equal_sizes(call: tuple[Any, ...], error: Exception) -> Finding:
    """An error about shapes may be a mistake that shows only where sizes differ."""
    square, _ = recognize(*call, classes=N)
    if square is None or recognize(*call)[0] is not None:
        raise error
    return _shape_error(error, " (here it raises: {text})")


def _shape_error(error: Exception, seen: str = ", as here") -> Finding:
    text = str(error).split("\n")[0]
    code, cure = (
        Code.BROADCAST_SHAPE,
        "a row stands where a column is needed: keep the axis with keepdims=True or "
        "[:, np.newaxis]",
    )
    if any(word in text for word in ("matmul", "aligned", "core dimension", "einsum")):
        code, cure = (
            Code.TRANSPOSE,
            "a product lacks a transpose: write the shapes of the factors side by side, the inner "
            "ones must meet",
        )
    message = (
        "The function runs only where the number of examples, features or classes is the same"
        f"{seen.format(text=text)}; on other data NumPy refuses. Most likely {cure}."
    )
    return Finding(code, message, evidence={"error": text})


def _not_finite(function: LossFunction, first: Evaluation) -> Finding:
    smaller = function(first.x * 1e-3)
    what, value = "loss", first.value
    if np.isfinite(value):
        what, value = "gradient", np.nan
    code = Code.OVERFLOW if smaller.finite else Code.NAN_LOSS
    message = (
        f"The {what} is not finite ({value:g}) although every parameter is harmless: a logarithm "
        "or a division meets a number that is 0 or negative. Check that nothing is subtracted "
        "from the probabilities before the loss is taken (work on a copy)."
    )
    if code == Code.OVERFLOW:
        message = (
            f"The {what} is {value:g} here but {smaller.value:.4g} with the parameters divided by "
            "1,000: exp overflows, or log meets 0. Subtract each row's maximum before exp, and "
            "take the log of the sum, not of the quotient."
        )
    return Finding(code, message, evidence={"loss": first.value})


def _notice_changed_data(function: LossFunction, snapshot: StateSnapshot) -> None:
    """Data that the function reads from its closure or globals, and has changed."""
    for array, before in snapshot.changed_arrays():
        if not array.flags.writeable:
            continue
        after = array.copy()
        array[...] = before
        if array.size == 0 or array.dtype.kind not in "fiu":
            continue
        reference = function(function.x)
        array[...] = before
        if function(function.x).value != reference.value:
            return  # random: said later
        array[...] = before + 1 if array.dtype.kind in "iu" else before + 0.1 * (1 + abs(before))
        try:
            other = function(function.x)
        except (ValueError, IndexError):
            other = reference
        array[...] = before
        if other.value != reference.value:  # it is read, so it is data and no work space
            function.add_mutation("an array it reads from outside", before, after)


def _first_call(function: LossFunction, first: Evaluation) -> Step:
    changed = "an argument came back changed." if function.mutates else "no argument changed."
    return Step(
        "Called the function once, with float64 copies of the parameters.",
        f"The loss is {first.value:.6g}, the gradient has the norm "
        f"{np.linalg.norm(first.gradient):.4g}; {changed}",
    )


# ---- is it wrong ----


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
        x = first.x + (x - first.x) / 30
    return first


def _nondeterministic(function: LossFunction, first: Evaluation) -> Finding | None:
    again = function(first.x)
    tolerance = 1e-6 if function.gradient_is_float32 else 1e-12
    largest = float(np.abs(first.gradient).max(initial=0.0))
    same = np.isclose(again.value, first.value, rtol=tolerance, atol=0) and np.allclose(
        again.gradient, first.gradient, rtol=tolerance, atol=tolerance * largest
    )
    if same:
        return None
    what, (a, b) = "loss", (first.value, again.value)
    if a == b:
        what = "norm of the gradient"
        a, b = (float(np.linalg.norm(e.gradient)) for e in (first, again))
    message = (
        f"Two calls with the same arguments differ ({what} {a:.6g}, then {b:.6g}): the function "
        "draws random numbers (a minibatch, dropout, noise) or keeps something from the call "
        "before. Draw outside and pass it in, and start every sum at 0."
    )
    evidence = {"first": a, "again": b, "what": what}
    return Finding(Code.NONDETERMINISTIC, message, evidence=evidence)


def _detect(
    detector: Detector, first: Evaluation, second: Evaluation
) -> tuple[Detector, Detection]:
    """Compare slopes; again with the steps of float32, where the outcome is unclear."""
    values = (first.value, second.value)
    detector.float32 = all(v != 0 and float(np.float32(v)) == v for v in values)
    found = detect(detector, first, second)
    if found.outcome != Outcome.UNCLEAR or detector.float32:
        return detector, found
    coarse = Detector(detector.function, detector.rng, float32=True)
    again = detect(coarse, first, second)
    coarse.float32 = again.outcome == Outcome.AGREES
    return coarse, again if coarse.float32 else found


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
        return diagnose(problem, float32=detector.float32, trusted=trusted)
    except Exception as error:  # a loss need not be defined on data of our own
        outcome = f"It raises {type(error).__name__} there, so that no mistake can be named."
        return Diagnosis(steps=[Step("The same function on small random data.", outcome)])


def _is_right_on(problem: Problem, detector: Detector) -> bool:
    """Check on the small data as well, which show what the caller's may hide."""
    try:
        function = problem.function(REG if problem.reg else None)
        detector = Detector(function, detector.rng, float32=detector.float32)
        first = function(function.x)
        second = function(second_point(detector, first))
        detector.scale = min(abs(second.value), 1.0) if second.finite else 0.0
        outcome = detect(detector, first, second).outcome if first.finite else Outcome.DIFFERS
    except UnusableGradientError:
        return False
    problem.evaluations += function.evaluations
    return outcome in (Outcome.AGREES, Outcome.KINK)


def _placed(finding: Finding, places: dict[str | None, Place]) -> Finding:
    """Put what was located on the caller's data into a finding that names no place."""
    place = places.get(finding.parameter)
    if finding.code not in SPOTS or place is None or place.everywhere:
        return finding
    return replace(finding, where=str(place), evidence={**finding.evidence, "axes": place.axes})


def _unidentified(
    call: tuple[Any, ...], detector: Detector, at: Evaluation, places: dict[str | None, Place]
) -> list[Finding]:
    """Findings from place and factor alone, where the assignment is not known."""
    found = [_spot_or_factor(call, detector, at, *item) for item in places.items()]
    message = f"The gradient is wrong, and where could not be found out: {DERIVE}"
    return found or [Finding(Code.UNEXPLAINED, message)]


def _spot_or_factor(
    call: tuple[Any, ...], detector: Detector, at: Evaluation, label: str | None, place: Place
) -> Finding:
    if not place.everywhere:
        code = Code.ENTRY_WRONG if place.is_entry else Code.UNEXPLAINED
        if len(place.lines) == 2 and sum(place.lines) == 1:
            code = Code.LAST_ROW_WRONG if place.lines[0] else Code.SINGLE_CLASS_WRONG
        message = (
            f"The gradient is wrong in {place}, and right elsewhere: look at what the code does "
            "differently there."
        )
        return Finding(code, message, label, str(place), {"axes": place.axes})
    directions = (detector.direction([place.parameter]) for _ in range(2))
    slopes = [detector.measure(at, v, detector.step(at, v)) for v in directions]
    if not any(s.analytic for s in slopes):
        return never_filled(label)
    ratios = [s.analytic / s.numerical for s in slopes if s.numerical]
    if len(ratios) == 2 and _close(*ratios) and abs(ratios[0] - 1) > 2e-3:
        return _factor(ratios[0], label, call)
    message = f"The gradient is wrong everywhere, and no known mistake explains it: {DERIVE}"
    return Finding(Code.UNEXPLAINED, message, label)


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


# ---- what this check could not see ----


def _cautions(detector: Detector, found: Detection, problem: Problem | None) -> list[Finding]:
    """What limits this check, and what it could not see."""
    function = detector.function
    kinds = {str(dtype) for dtype in function.blocks.dtypes.values()}
    raised = f"The parameters are {', '.join(sorted(kinds))}; they were raised to float64 for this"
    limit = "0.2 %" if detector.float32 else "one in a million"
    rounded = detector.float32 or function.gradient_is_float32
    inside = (
        f"The function computes in float32, so errors below {limit} drown in rounding. Check in "
        "float64, train in float32."
    )
    seen = [
        (
            found.outcome == Outcome.KINK,
            Code.KINK,
            "These parameters lie exactly on a kink (a margin or a ReLU at 0), where no gradient "
            "exists and any slope between the two sides is right. Close by the gradient is "
            "correct. Random parameters avoid this.",
        ),
        (rounded or "float32" in kinds, Code.FLOAT32, inside if rounded else f"{raised} check."),
        (any("int" in kind for kind in kinds), Code.INTEGER_PARAMS, f"{raised} check."),
        (
            not np.any(function.x),
            Code.ZERO_WEIGHTS,
            "All parameters are 0: every margin is active and every class equally likely, so "
            "masks and penalties cannot be told apart there. The check went to a random second "
            "point too.",
        ),
        *(_cautions_of_data(problem) if problem is not None else ()),
    ]
    return [Finding(code, message, caution=True) for is_seen, code, message in seen if is_seen]


def _cautions_of_data(problem: Problem) -> Iterable[tuple[bool, Code, str]]:
    yield (
        bool(problem.equal_sizes),
        Code.EQUAL_SIZES,
        f"Your data have {' and '.join(problem.equal_sizes)}: a missing transpose or axis goes "
        "unnoticed there. Check with different sizes.",
    )
    if problem.reg is not None:
        strength = float(problem.call.bindings[problem.reg])
        reg = problem.call.name(problem.reg) or "reg"
        yield (
            abs(strength) < 1e-4,
            Code.SMALL_PENALTY,
            f"{reg} = {strength:g} hides mistakes in the penalty from this data: pass {reg}=0.1 "
            "when you check (here it was tried on small data).",
        )
