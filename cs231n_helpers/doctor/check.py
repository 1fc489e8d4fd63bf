"""`check_gradient`: detection, localisation and diagnosis, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..validation import Rng, as_rng
from .codes import Code
from .evaluate import Evaluation, Probe, Restored, UnusableGradientError, restored
from .identify import Diagnosis, diagnose
from .mistakes import MESSAGES
from .plot import draw
from .report import Finding, GradientReport, Step
from .slopes import Detection, Detector, Localiser, Place, Slope, detect, second_point
from .small_problem import REG, Call, N, Problem, recognize

BUDGET = 80  # evaluations on the caller's data to fail and localise


def check_gradient(
    loss: Callable[..., Any], params: Any, *args: Any, rng: Rng | None = None, **kwargs: Any
) -> GradientReport:
    r"""Check the gradient that a loss function returns, and say what is wrong with it.

    Along random directions v, the slope that the gradient promises is compared with the one that
    the loss has:

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
    TypeError
        If `loss` is no function of this form, or `params` holds no real numbers.
    ValueError
        If `params` is empty.
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
    with restored(loss, *args, *kwargs.values()) as world:
        return _Check(loss, params, args, kwargs, as_rng(rng), world).run()


class _Check:
    def __init__(
        self,
        loss: Callable[..., Any],
        params: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        rng: Rng,
        world: Restored,
    ) -> None:
        self.call = (loss, params, args, kwargs)
        self.probe = Probe(loss, params, args, kwargs)
        self.rng, self.world = rng, world
        self.findings: list[Finding] = []
        self.cautions: list[Finding] = []
        self.steps: list[Step] = []
        self.small_evaluations = 0
        self.detector: Detector | None = None

    # ---- the course of a check ----

    def run(self) -> GradientReport:
        try:
            first = self.probe(self.probe.x)
        except UnusableGradientError as unusable:
            self.findings += unusable.findings
            self.note("Called the function once.", unusable.findings[0].message)
            return self.report("wrong")
        except (ValueError, IndexError) as error:
            return self.shapes_do_not_fit(error)
        self.probe.notice_changed_arguments()
        self.changed_surroundings()
        self.note(
            "Called the function once, with float64 copies of the parameters.",
            f"The loss is {first.value:.6g}, the gradient has the norm "
            f"{np.linalg.norm(first.gradient):.4g}; "
            + ("an argument came back changed." if self.probe.mutates else "no argument changed."),
        )
        if not first.finite:
            return self.not_finite(first)
        self.detector = Detector(self.probe, self.rng)
        second = self.second(first)
        if not self.repeats(first):
            return self.report("wrong")
        self.detector.single = _is_single(first, second)
        found = detect(self.detector, first, second)
        if found.verdict == "inconclusive" and not self.detector.single:
            self.detector = Detector(self.probe, self.rng, single=True)
            coarse = detect(self.detector, first, second)
            found = coarse if coarse.verdict == "correct" else found
            self.detector.single = coarse.verdict == "correct"
        self.describe(found)
        return self.judge(found)

    def second(self, first: Evaluation) -> Evaluation:
        assert self.detector is not None
        x = second_point(self.detector, first)
        for _ in range(4):
            try:
                second = self.probe(x)
            except Exception:  # outside the domain of this loss
                second = Evaluation(x, np.nan, first.gradient)
            if second.finite:
                self.detector.scale = min(abs(second.value), 1.0)
                return second
            x = first.x + (x - first.x) / 30
        return first

    def repeats(self, first: Evaluation) -> bool:
        again = self.probe(first.x)
        tolerance = 1e-6 if self.probe.gradient_is_float32 else 1e-12
        same = np.isclose(again.value, first.value, rtol=tolerance, atol=0) and np.allclose(
            again.gradient,
            first.gradient,
            rtol=tolerance,
            atol=tolerance * _largest(first.gradient),
        )
        self.note(
            "Called it at a second, random point, and again at the first.",
            "The same loss and gradient came back." if same else "Something else came back.",
        )
        if not same:
            values = {"first": first.value, "again": again.value, "what": "loss"}
            if again.value == first.value:
                norms = (float(np.linalg.norm(e.gradient)) for e in (first, again))
                values = dict(
                    zip(("first", "again"), norms, strict=True), what="norm of the gradient"
                )
            says = MESSAGES["nondeterministic"].format(**values)
            self.findings.append(Finding(Code.NONDETERMINISTIC, says, evidence=values))
        return bool(same)

    def judge(self, found: Detection) -> GradientReport:
        wrong = found.verdict == "wrong"
        places = self.localise(found) if wrong else {}
        problem, misfit = recognize(*self.call)
        diagnosis = Diagnosis()
        if any(f.code == Code.IGNORES_ARGUMENT for f in self.findings):
            pass  # it would compute with its own values on other data too
        elif problem is not None and not self.probe.mutates:
            diagnosis = self.diagnosis_of(problem, wrong)
            self.small_evaluations = problem.evaluations
            self.steps += diagnosis.steps
        elif wrong and misfit is not None:
            self.misfit(misfit)
        self.cautions += self.blind_spots(found, problem) + diagnosis.cautions
        if wrong:
            if diagnosis.capped and not diagnosis.findings:
                return self.report("correct")
            self.findings += self.placed(diagnosis.findings, places)
            if not self.findings and not self.probe.mutates:
                self.findings += self.undiagnosed(found, places)
            return self.report("wrong")
        return self.not_wrong(found, diagnosis)

    def diagnosis_of(self, problem: Problem, wrong: bool) -> Diagnosis:
        try:
            trusted = not wrong and self.right_on(problem)
            return diagnose(problem, single=self.detector_is_single, trusted=trusted)
        except Exception as error:  # a loss need not be defined on data of our own
            self.note(
                "The same function on small random data.",
                f"It raises {type(error).__name__} there, so that no mistake can be named.",
            )
            return Diagnosis()

    def right_on(self, problem: Problem) -> bool:
        """Check on the small data as well, which show what the caller's may hide."""
        try:
            probe = problem.probe(REG if problem.reg else None)
            detector = Detector(probe, self.rng, single=self.detector_is_single)
            first = probe(probe.x)
            second = probe(second_point(detector, first))
            detector.scale = min(abs(second.value), 1.0) if second.finite else 0.0
            verdict = detect(detector, first, second).verdict if first.finite else "wrong"
        except UnusableGradientError:
            return False
        problem.evaluations += probe.evaluations
        return verdict in ("correct", "kink")

    def not_wrong(self, found: Detection, diagnosis: Diagnosis) -> GradientReport:
        certain = {Code.OVERFLOW, Code.LOSS_OFFSET, Code.LOSS_VALUE}
        if not self.detector_is_single:
            self.findings += [f for f in diagnosis.findings if f.code in certain]
        if self.findings or any(not f.caution for f in self.probe.findings.values()):
            return self.report("wrong")
        if diagnosis.findings and not self.detector_is_single:
            first = diagnosis.findings[0]
            self.findings += diagnosis.findings
            return self.report("inconclusive", MESSAGES["hidden"].format(code=first.code))
        if found.verdict == "inconclusive":
            return self.report("inconclusive", found.reason)
        return self.report("correct")

    @property
    def detector_is_single(self) -> bool:
        return self.detector is not None and self.detector.single

    # ---- before there is anything to compare ----

    def shapes_do_not_fit(self, error: Exception) -> GradientReport:
        """An error about shapes may be a mistake that shows only where sizes differ."""
        square, _ = recognize(*self.call, classes=N)
        if square is None or recognize(*self.call)[0] is not None:
            raise error
        self.misfit(error, " (here it raises: {text})")
        return self.report("wrong")

    def misfit(self, error: Exception, seen: str = ", as here") -> None:
        text = str(error).split("\n")[0]
        product = any(word in text for word in ("matmul", "aligned", "core dimension", "einsum"))
        code = Code.TRANSPOSE if product else Code.BROADCAST_SHAPE
        seen = seen.format(text=text)
        says = MESSAGES["misfit"].format(seen=seen, cure=MESSAGES[f"misfit {code}"])
        self.findings.append(Finding(code, says, evidence={"error": text}))

    def not_finite(self, first: Evaluation) -> GradientReport:
        smaller = self.probe(first.x * 1e-3)
        code = Code.OVERFLOW if smaller.finite else Code.NAN_LOSS
        says = MESSAGES["overflow here" if code == Code.OVERFLOW else "nan_loss"].format(
            what="loss" if not np.isfinite(first.value) else "gradient",
            value=first.value if not np.isfinite(first.value) else np.nan,
            smaller=smaller.value,
        )
        self.findings.append(Finding(code, says, evidence={"loss": first.value}))
        return self.report("wrong")

    def changed_surroundings(self) -> None:
        """Data that the function reads from its closure or globals, and has changed."""
        for array, before in self.world.changed():
            if not array.flags.writeable:
                continue
            after = array.copy()
            array[...] = before
            if array.size == 0 or array.dtype.kind not in "fiu":
                continue
            reference = self.probe(self.probe.x)
            array[...] = before
            if self.probe(self.probe.x).value != reference.value:
                return  # random: said later
            array[...] = (
                before + 1 if array.dtype.kind in "iu" else before + 0.1 * (1 + abs(before))
            )
            try:
                other = self.probe(self.probe.x)
            except (ValueError, IndexError):
                other = reference
            array[...] = before
            if other.value != reference.value:  # it is read, so it is data and no work space
                self.probe._mutated("an array it reads from outside", before, after)

    # ---- where ----

    def localise(self, found: Detection) -> dict[str | None, Place]:
        assert self.detector is not None
        blocks = self.probe.blocks
        room = BUDGET - self.probe.evaluations - 4 * len(blocks.slices)
        localiser = Localiser(self.detector, found.at, room)
        names = localiser.parameters()
        places = {}
        for name, error in names.items():
            places[blocks.label(name)] = localiser.place(name, error)
        for name in localiser.still:
            said = MESSAGES["ignores_argument"]
            self.findings.append(Finding(Code.IGNORES_ARGUMENT, said, blocks.label(name)))
        said = "; ".join(f"{label or 'the gradient'}: {p}" for label, p in places.items())
        self.note(
            "Where is it wrong? Halved the entries, and asked each half.", said or "not found out"
        )
        return places

    def placed(self, findings: list[Finding], places: dict[str | None, Place]) -> list[Finding]:
        """Put what was located on the caller's data into findings that name no place."""
        single = {Code.ENTRY_WRONG, Code.LAST_ROW_WRONG, Code.SINGLE_CLASS_WRONG}
        told = []
        for finding in findings:
            place = places.get(finding.parameter)
            if finding.code in single and place is not None and not place.everywhere:
                evidence = {**finding.evidence, "axes": place.axes}
                finding = replace(finding, where=str(place), evidence=evidence)
            told.append(finding)
        return told

    def undiagnosed(self, found: Detection, places: dict[str | None, Place]) -> list[Finding]:
        """Findings from place and factor alone, where the assignment is not known."""
        return [self.one_undiagnosed(found, *item) for item in places.items()] or [
            Finding(Code.UNEXPLAINED, MESSAGES["nowhere"])
        ]

    def one_undiagnosed(self, found: Detection, label: str | None, place: Place) -> Finding:
        assert self.detector is not None
        if not place.everywhere:
            lines = [axis is not None and len(axis) == 1 for axis in place.axes]
            code = Code.ENTRY_WRONG if all(lines) else Code.UNEXPLAINED
            if len(lines) == 2 and sum(lines) == 1:
                code = Code.LAST_ROW_WRONG if lines[0] else Code.SINGLE_CLASS_WRONG
            says = MESSAGES["spot"].format(place=place)
            return Finding(code, says, label, str(place), {"axes": place.axes})
        slopes = []
        for _ in range(2):
            v = self.detector.direction([place.parameter])
            slopes.append(self.detector.measure(found.at, v, self.detector.step(found.at, v)))
        if not any(s.analytic for s in slopes):
            return Finding(Code.GRAD_ZERO, MESSAGES["all zero"], label)
        ratios = [s.analytic / s.numerical for s in slopes if s.numerical]
        alike = len(ratios) == 2 and abs(ratios[0] - ratios[1]) < 1e-3 * abs(ratios[0])
        if alike and abs(ratios[0] - 1) > 2e-3:
            return self.factor_of(ratios[0], label)
        return Finding(Code.UNEXPLAINED, MESSAGES["everywhere"], label)

    def factor_of(self, factor: float, label: str | None) -> Finding:
        """Name a factor: a usual one, or the length of one of the arguments."""
        loss, _, args, kwargs = self.call
        arrays = Call(loss, args, kwargs).arrays().values()
        named = [(Code.SIGN, -1.0, ""), (Code.SCALE_HALF, 0.5, "")]
        for n in sorted({len(a) for a in arrays if a.ndim and len(a) > 2}):
            named.append((Code.SCALE_N, n, f", the length {n} of an argument"))
            named.append((Code.SCALE_INV_N, 1 / n, f", one over the length {n} of an argument"))
        close = [(c, of) for c, value, of in named if abs(factor - value) < 1e-3 * abs(factor)]
        code, of = close[0] if close else (Code.SCALE_CONST, "")
        says = MESSAGES["factor"].format(factor=factor, of=of)
        return Finding(code, says, label, evidence={"factor": factor}, factor=factor)

    # ---- what this check could not see ----

    def blind_spots(self, found: Detection, problem: Problem | None) -> list[Finding]:
        """Cautions: what limits this check, and what it could not see."""
        kinds = {str(d) for d in self.probe.blocks.dtypes.values()}
        rounded = self.detector_is_single or self.probe.gradient_is_float32
        seen = {
            Code.KINK: found.verdict == "kink",
            Code.FLOAT32: rounded or "float32" in kinds,
            Code.INTEGER_PARAMS: any("int" in kind for kind in kinds),
            Code.ZERO_WEIGHTS: not np.any(self.probe.x),
        }
        figures: dict[str, Any] = {"kinds": ", ".join(sorted(kinds))}
        figures["limit"] = "0.2 %" if self.detector_is_single else "one in a million"
        if problem is not None:
            seen[Code.EQUAL_SIZES] = bool(problem.equal_sizes)
            figures["sizes"] = " and ".join(problem.equal_sizes)
        if problem is not None and problem.reg is not None:
            figures["strength"] = float(problem.call.bindings[problem.reg])
            figures["reg"] = problem.call.name(problem.reg) or "reg"
            seen[Code.SMALL_PENALTY] = abs(figures["strength"]) < 1e-4
        says = {**MESSAGES, Code.FLOAT32: MESSAGES["float32 inside" if rounded else "float32"]}
        return [
            Finding(code, says[code].format(**figures), caution=True)
            for code, is_seen in seen.items()
            if is_seen
        ]

    # ---- the report ----

    def note(self, title: str, outcome: str) -> None:
        self.steps.append(Step(title, outcome))

    def describe(self, found: Detection) -> None:
        assert self.detector is not None
        most = self.detector.most_noise(found.at.value) / found.slope.h
        shown = ", ".join(
            f"{_shown(s.analytic, s)} promised and {_shown(s.numerical, s)} measured "
            f"at h = {s.h:.1g}"
            for s in self.detector.slopes[:4]
        )
        said = {
            "correct": "they agree",
            "wrong": "they differ, by the same amount at other steps and on both sides",
            "kink": "the two sides differ at every step, but close by all is well",
            "inconclusive": "they neither agree nor differ clearly",
        }[found.verdict]
        self.note(
            "Compared slopes along random directions, at both points.",
            f"{shown}: {said} (rounding makes at most {most:.0e}).",
        )

    def report(self, verdict: str, reason: str = "") -> GradientReport:
        self.probe.notice_changed_arguments()
        own = list(self.probe.findings.values())
        sure = [f for f in own if not f.caution]
        if sure:  # what was seen directly explains what no mistake predicts
            self.findings = [f for f in self.findings if f.code != Code.UNEXPLAINED]
        if sure and verdict != "wrong":
            verdict, reason = "wrong", ""
        slopes = self.detector.slopes if self.detector else []
        rests_on = [s.relative_error for s in slopes if s.agrees or verdict == "wrong"]
        least = 2e-3 if self.detector_is_single and verdict == "correct" else 0.0
        pictures = None
        if self.detector is not None:
            call, single = self.call, self.detector.single
            pictures = partial(draw, call, single=single)
        return GradientReport(
            verdict=verdict,
            findings=(*sure, *self.findings, *(f for f in own if f.caution), *self.cautions),
            evaluations=self.probe.evaluations,
            max_relative_error=max([*rests_on, least]) if slopes else float("nan"),
            reason=reason,
            small_evaluations=self.small_evaluations,
            steps=tuple(self.steps),
            _pictures=pictures,
        )


def _is_single(first: Evaluation, second: Evaluation) -> bool:
    values = (first.value, second.value)
    return all(v != 0 and float(np.float32(v)) == v for v in values)


def _shown(value: float, slope: Slope) -> str:
    """In a few digits; 0 where it is nothing but rounding, and no two machines agree."""
    return f"{value:.4g}" if abs(value) > 100 * slope.tolerance else "0"


def _largest(array: Any) -> float:
    return float(np.abs(array).max(initial=0.0))
