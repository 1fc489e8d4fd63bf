"""What a gradient check found, in words, as a table and as pictures."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .codes import Code
from .explanations import explanation

# wrong, however right the slopes are
OF_THE_LOSS = (Code.OVERFLOW, Code.LOSS_OFFSET, Code.LOSS_VALUE)


@dataclass(frozen=True)
class Finding:
    """One thing that was found: a mistake, or (`caution`) something to know about this check.

    Attributes
    ----------
    code : Code
        Short name of the mistake, for example "scale_N"; `cs231n_helpers.doctor.codes` has all.
    message : str
        What was seen, with figures, and what to change, in one or two sentences.
    parameter : str or None
        Key of the parameter, None for a single array or for the function as a whole.
    where : str
        "everywhere", "entry (i, j)", "row i", "column j", "example i", ...
    evidence : mapping
        The figures that the message rests on.
    caution : bool
        Not a mistake, but something that this check could not see, or that limits it.
    factor : float or None
        The gradient (of the penalty, where the code begins with "reg") is this many times the right
        one.
    loss_name : str or None
        The loss whose gradient is returned, where that is another than the function's own.
    actual_loss : str or None
        The loss that the function computes, where it is known beside `loss_name`.
    loss_message : str
        What the message says of the loss alone, without the gradient that is right or another's;
        empty where it says nothing of it.
    template : str
        The message with ``{it}`` where it speaks of the gradient, or of the place in it.

    Examples
    --------
    >>> finding = Finding.of_gradient(Code.SCALE_N, "{it} is N times too large: divide by N.")
    >>> finding.message
    'It is N times too large: divide by N.'
    >>> finding.about("dW")
    'dW is N times too large: divide by N.'
    """

    code: Code
    message: str
    parameter: str | None = None
    where: str = "everywhere"
    evidence: Mapping[str, Any] = field(default_factory=dict)
    caution: bool = False
    factor: float | None = None
    loss_name: str | None = None
    actual_loss: str | None = None
    loss_message: str = ""
    template: str = ""

    @classmethod
    def of_gradient(cls, code: Code, template: str, **fields: Any) -> Finding:
        """A finding from a text that may say ``{it}`` for the gradient, or the place in it."""
        message = capitalized(template.replace("{it}", "it"))
        return cls(code, message, template=template, **fields)

    def about(self, subject: str) -> str:
        """The message with the gradient called `subject`, and with the place in it."""
        place = "" if self.where == "everywhere" else f"{self.where} of {subject}"
        if "{it}" in self.template:
            return self.template.replace("{it}", place or subject)
        return f"{place}: {self.message}" if place else self.message

    def as_caution(self) -> Finding:
        """The same, as something to know rather than a mistake."""
        return replace(self, caution=True)

    @property
    def place(self) -> str:
        """Parameter and place in it, empty for everywhere."""
        where = "" if self.where == "everywhere" else self.where
        return " ".join(filter(None, [self.parameter, where]))


def ignores_argument(parameter: str | None) -> Finding:
    message = (
        "The loss does not change when this parameter changes, yet its gradient is not 0: the "
        "function computes with other values (a global variable, or the object's own weights), or "
        "never adds to the loss. Use the argument that is passed in."
    )
    return Finding(Code.IGNORES_ARGUMENT, message, parameter)


def not_written(seen: str) -> Finding:
    return Finding(Code.NOT_WRITTEN, f"Not written yet: {seen}.")


def never_filled(parameter: str | None) -> Finding:
    message = "The gradient is 0 throughout: it is never filled in."
    return Finding(Code.GRAD_ZERO, message, parameter)


@dataclass(frozen=True)
class Step:
    """One step of a check: what was asked, what came out."""

    title: str
    outcome: str


class WrongGradientError(AssertionError):
    """A gradient check did not pass; `report` says why."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True, repr=False)
class GradientReport:
    """The result of `check_gradient`; true where the gradient is correct.

    Attributes
    ----------
    verdict : str
        "correct", "wrong" or "inconclusive".
    reason : str
        Why it is inconclusive, or wrong though no slope shows it, and what to do; or empty.
    findings : tuple of Finding
        Most likely first, cautions last.
    evaluations : int
        Calls of the loss on the caller's data.
    small_evaluations : int
        Calls on small data of the checker's own, where the assignment was recognized.
    max_relative_error : float
        Largest ``|analytic - numerical| / max(|analytic|, |numerical|)`` of the slopes that the
        verdict rests on, 0 up to rounding for a correct gradient; NaN where none was compared.
    steps : tuple of Step
        What was done, for `explain`.
    seen : str
        What was seen in the caller's numbers, for `explain`.

    Examples
    --------
    >>> import numpy as np
    >>> from cs231n_helpers import check_gradient
    >>> report = check_gradient(lambda w: (np.sum(w**2), w), np.array([1.0, 2.0, 5.0]))
    >>> report.verdict, bool(report), report.findings[0].code
    ('wrong', False, 'scale_half')
    """

    verdict: str
    findings: tuple[Finding, ...]
    evaluations: int
    max_relative_error: float
    reason: str = ""
    small_evaluations: int = 0
    steps: tuple[Step, ...] = ()
    seen: str = "no slope could be compared, for the reason above."
    _pictures: Callable[[], Figure] | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        codes = ", ".join(dict.fromkeys(f.code for f in self.mistakes))
        return f"<GradientReport {self.verdict}{': ' if codes else ''}{codes}>"

    def __bool__(self) -> bool:
        return self.verdict == "correct"

    @property
    def is_written(self) -> bool:
        """False where the function is a starter still: it returns nothing, or zeros throughout."""
        return all(f.code != Code.NOT_WRITTEN for f in self.findings)

    @property
    def mistakes(self) -> tuple[Finding, ...]:
        """The findings that are not cautions."""
        return tuple(f for f in self.findings if not f.caution)

    @property
    def cautions(self) -> tuple[Finding, ...]:
        """The findings that are cautions."""
        return tuple(f for f in self.findings if f.caution)

    def _headline(self) -> str:
        error = f"relative error {rounded_error(self.max_relative_error)}"
        if self.verdict == "correct":
            return f"The gradient is correct ({error})."
        if not self.is_written:
            return "There is nothing to check yet."
        if np.isnan(self.max_relative_error):
            return "Something is wrong, before any slope can be compared."
        if self.reason:
            cannot = "This check cannot tell: " * (self.verdict == "inconclusive")
            return capitalized(f"{cannot}{self.reason}.")
        agrees = {f.code for f in self.mistakes} <= {*OF_THE_LOSS}
        if self.max_relative_error < 1e-7 or agrees:
            return "The slopes agree, yet something is wrong."
        return f"The gradient is wrong ({error})."

    def __str__(self) -> str:
        said = [line for _, lines in self._said() for line in lines]
        return "\n".join([self._headline(), *said])

    def _said(self) -> Iterator[tuple[Finding, list[str]]]:
        """Each finding with its lines of text."""
        for number, (place, finding) in enumerate(_merged(self.findings), start=1):
            where = f"{place}: " if place else ""
            begin, end = (
                ("Note: ", "") if finding.caution else (f"{number}. ", f" [{finding.code}]")
            )
            yield finding, _wrapped(f"{begin}{where}{finding.message}{end}")

    def _repr_html_(self) -> str:
        color = {"correct": "#0072b2", "wrong": "#d55e00"}.get(self.verdict, "#666666")
        rows = "".join(
            "<tr>"
            f"<td style='text-align:left'>{html.escape(place or 'everywhere')}</td>"
            f"<td style='text-align:left;white-space:normal'>{_with_code(f.message)}"
            f"{self._folded(f)}</td>"
            f"<td style='text-align:left'><code>{html.escape(f.code)}</code></td></tr>"
            for place, f in _merged(self.findings)
        )
        titles = ("where", "finding", "code")
        head = "".join(f"<th style='text-align:left'>{title}</th>" for title in titles)
        table = f"<table><tr>{head}</tr>{rows}</table>" if rows else ""
        return (
            f"<div style='border-left:4px solid {color};padding-left:0.8em'>"
            f"<p><b style='color:{color}'>{self.verdict}</b> {html.escape(self._headline())}</p>"
            f"{table}</div>"
        )

    def _folded(self, finding: Finding) -> str:
        """The explanation of a finding as HTML, closed at first."""
        paragraphs = map(_with_code, explanation(finding.code, self.seen))
        return f"<details><summary>Why?</summary><p>{'</p><p>'.join(paragraphs)}</p></details>"

    def raise_if_wrong(self) -> None:
        """Raise `WrongGradientError`, an AssertionError with the whole report, unless correct."""
        if not self:
            raise WrongGradientError(self)

    def explain(self) -> str:
        """Return as text why each finding happens, and the steps of this check with figures."""
        lines = list[str]()
        for finding, said in self._said():
            lines += said
            for paragraph in explanation(finding.code, self.seen):
                lines += _wrapped(f"   {paragraph}")
            lines.append("")
        lines += ["What was done:"] * bool(lines)
        for number, step in enumerate(self.steps, start=1):
            lines += _wrapped(f"{number}. {step.title}") + _wrapped(f"   {step.outcome}")
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Draw analytic against numerical slopes, the error over the parameter, and the step size.

        Evaluates the loss some hundred times more, which `evaluations` does not count.
        """
        if self._pictures is None:
            raise ValueError(
                "there is nothing to draw: the loss has returned no gradient of the parameters' "
                "shapes; fix the findings first"
            )
        return self._pictures()


def capitalized(text: str) -> str:
    """Begin like a sentence, unless with a symbol.

    >>> [capitalized(text) for text in ("the loss", "dW is", "db2 is", "learning_rate is")]
    ['The loss', 'dW is', 'db2 is', 'learning_rate is']
    """
    is_word = re.match(r"(?!d[bwx]\d? )[a-z]{2}[^\[_ ]*( |$)", text)
    return text[:1].upper() + text[1:] if is_word else text


def rounded_error(error: float) -> str:
    """In few digits: enough to act on, and the same on every machine."""
    return "below 1e-7" if error < 1e-7 else f"{error:.3g}" if error > 0.01 else f"{error:.1g}"


def _merged(findings: tuple[Finding, ...]) -> list[tuple[str, Finding]]:
    """Findings that say the same once, with all their places."""
    places: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        places.setdefault((finding.code, finding.message), []).append(finding)
    return [(", ".join(filter(None, [f.place for f in same])), same[0]) for same in places.values()]


def _with_code(message: str) -> str:
    """The message as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(message))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, width=96, subsequent_indent="   ", break_long_words=False)
