"""The pages that a class and its teacher read: one file each, without scripts or links outside."""

from __future__ import annotations

import math
import platform
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from .exercises import FUNCTION, NOTEBOOK, POINTS, TITLES
from .flags import copies
from .ledger import Row

if TYPE_CHECKING:  # the one is slow to import, the other imports the doctor
    from jinja2 import Template

    from .submission import PartResult, Result

MOST_FREQUENT = 15  # findings on the summary
MOST_PAIRS = 50  # of students who wrote alike


@dataclass(frozen=True)
class Graded:
    """All that is known of a student when the pages are written."""

    student: str
    page: str  # address of the feedback page from the folder of the summary
    timestamp: datetime | None
    row: Row
    result: Result | None  # None when grading failed
    failure: str = ""


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = shown_points
    environment.filters["time"] = "{:%Y-%m-%d %H:%M} UTC".format
    environment.filters["duration"] = shown_duration
    environment.filters["rule"] = shown_rule
    environment.filters["address"] = quote
    return environment.get_template(name)


def shown_points(points: float | None) -> str:
    """Return points with as many digits as they need, at most two; a dash where there are none.

    >>> shown_points(8.0), shown_points(2.5), shown_points(8 / 3), shown_points(None)
    ('8', '2.5', '2.67', '–')
    """
    return "\N{EN DASH}" if points is None else f"{points:.2f}".rstrip("0").rstrip(".")


def shown_duration(seconds: float) -> str:
    """Return a duration in two units, so that it shows whether a day or an hour has begun.

    >>> shown_duration(59), shown_duration(3600), shown_duration(86401)
    ('59 seconds', '1 hour', '1 day 1 second')
    """
    left, shown = math.ceil(seconds), []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            shown.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(shown[:2])


def shown_rule(late: str) -> str:
    """Return a rule of `ledger.share_lost` in words.

    >>> shown_rule("10%/day")
    '10% is taken off for each day that has begun'
    """
    if found := re.fullmatch(r"(.+%)/(day|hour)", late):
        return f"{found[1]} is taken off for each {found[2]} that has begun"
    known = {"none": "being late costs nothing", "zero": "a late submission earns nothing"}
    return known.get(late, f"{late} says what being late costs")


def feedback_page(graded: Graded, late: str) -> str:
    """Return the page of a student: points, what passed, and what to do about the rest."""
    result = graded.result
    notebooks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    full = 0
    for exercise, maximum in POINTS.items():
        one = result["exercises"][exercise] if result else None
        points = graded.row.points[exercise]
        auto = one["points"] if one else None
        full += points is not None and points >= maximum
        notebooks[NOTEBOOK[exercise]].append(
            {
                "title": TITLES[exercise],
                "function": FUNCTION[exercise],
                "points": points,
                "counted": points or 0.0,
                "maximum": maximum,
                "state": _state(points, maximum),
                "by_teacher": f"{shown_points(auto)} by the tests" if points != auto else "",
                "why": graded.row.why.get(exercise, ""),
                "parts": _parts(one["parts"], maximum) if one else [],
                "notes": one["notes"] if one else [],
                "source": one["source"] if one else "",
            }
        )
    return _template("feedback.html").render(
        graded=graded,
        result=result,
        row=graded.row,
        late=late,
        maximum=sum(POINTS.values()),
        notebooks=notebooks,
        sentence=_sentence(graded.row, full),
        python=platform.python_version(),
        numpy=np.__version__,
    )


def _state(points: float | None, maximum: float) -> str:
    points = points or 0.0
    return "full" if points >= maximum else "part" if points > 0 else "none"


def _parts(parts: Sequence[PartResult], maximum: int) -> list[dict[str, Any]]:
    """Return the parts with their points; what was said of an earlier one is not said again."""
    first: dict[str, str] = {}
    shown = []
    for part in parts:
        earlier = first.setdefault(part["sentence"], part["name"])
        sentence = part["sentence"] if earlier == part["name"] else f"as for {earlier}."
        shown.append({**part, "sentence": sentence, "points": part["share"] * maximum})
    return shown


def _sentence(row: Row, full: int) -> str:
    """Return what a student wants to know first."""
    if full == len(POINTS):
        return "Every exercise is solved. Well done!"
    lost = {exercise: POINTS[exercise] - (row.points[exercise] or 0.0) for exercise in POINTS}
    most = max(lost, key=lambda exercise: lost[exercise])
    solved = "1 exercise is" if full == 1 else f"{full or 'None'} of {len(POINTS)} exercises are"
    if not any(row.points.values()):
        return (
            "No points yet. Below it says why, exercise by exercise; each can be solved without "
            "the others."
        )
    return (
        f"{solved} solved. Most is to be gained in {FUNCTION[most]} ({TITLES[most]}): "
        f"{shown_points(lost[most])} points."
    )


def summary_page(
    graded: Sequence[Graded],
    notes: Sequence[str],
    deadline: datetime | None,
    late: str,
    assignment: str,
    absent: Sequence[str] = (),
) -> str:
    """Return the page of the class: how it went, what went wrong most, and what needs a look."""
    totals = [one.row.total for one in graded if one.row.total is not None]
    maximum = sum(POINTS.values())
    exercises = []
    for exercise, points in POINTS.items():
        got = [p for one in graded if (p := one.row.points[exercise]) is not None]
        counts = Counter(_state(g, points) for g in got)
        exercises.append(
            {
                "function": FUNCTION[exercise],
                "notebook": NOTEBOOK[exercise],
                "maximum": points,
                "mean": mean(got) if got else None,
                "counts": [(state, counts[state]) for state in ("full", "part", "none")],
            }
        )
    return _template("summary.html").render(
        graded=graded,
        notes=notes,
        absent=absent,
        deadline=deadline,
        assignment=assignment,
        maximum=maximum,
        mean=mean(totals) if totals else None,
        median=median(totals) if totals else None,
        rule=late,
        late=sum(one.row.seconds_late > 0 for one in graded),
        without_time=sum(one.timestamp is None for one in graded),
        histogram=histogram(totals, maximum),
        exercises=exercises,
        findings=_findings(graded),
        copies=_copies(graded),
        regrade=[one for one in graded if one.result and one.result["regrade"]],
        contained=Counter(
            one.result["contained"] for one in graded if one.result and one.result["contained"]
        ).most_common(),
        failed=[one for one in graded if one.row.total is None],
        to_know={one.student: _to_know(one) for one in graded},
    )


def _to_know(graded: Graded) -> list[str]:
    """Return what a teacher may want to look into: files, stops, and points entered by hand."""
    if graded.result is None:
        return [graded.failure]
    said = list(graded.result["notes"])
    for exercise, one in graded.result["exercises"].items():
        points = graded.row.points[exercise]
        if one["source"] and not one["parts"]:  # stopped before it could be judged
            said += [f"{FUNCTION[exercise]}: {note}" for note in one["notes"]]
        said += one["flags"]
        if points != one["points"]:
            why = graded.row.why.get(exercise) or "no reason given"
            said.append(
                f"{FUNCTION[exercise]}: {shown_points(points)} points by the teacher ({why}), "
                f"{shown_points(one['points'])} by the tests."
            )
    return said


def _copies(graded: Sequence[Graded]) -> list[dict[str, Any]]:
    """Return who wrote alike, with the addresses of both pages."""
    written = {
        one.student: {name: it["pieces"] for name, it in one.result["exercises"].items()}
        for one in graded
        if one.result
    }
    pages = {one.student: one.page for one in graded}
    return [
        {
            "students": [(name, pages[name]) for name in (pair.first, pair.second)],
            "share": round(100 * pair.share),
            "functions": [FUNCTION[exercise] for exercise in pair.exercises],
        }
        for pair in copies(written)[:MOST_PAIRS]
    ]


def histogram(totals: Sequence[float], maximum: float) -> list[dict[str, Any]]:
    """Return the bars of the distribution: from, to, how many, and the share of the largest."""
    counts, edges = np.histogram(np.clip(totals, 0, maximum), bins=10, range=(0, maximum))
    return [
        {
            "low": shown_points(low),
            "high": shown_points(high),
            "count": int(count),
            "height": count / max(counts.max(), 1),
        }
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _findings(graded: Sequence[Graded]) -> list[dict[str, Any]]:
    """Return what the gradient checker found, the most frequent first."""
    students: dict[str, set[str]] = defaultdict(set)
    places: dict[str, Counter[str]] = defaultdict(Counter)
    sentences: dict[str, str] = {}
    for one in graded:
        for exercise, outcome in (one.result["exercises"] if one.result else {}).items():
            for part in outcome["parts"]:
                for code in set(part["codes"]) - {"not_done", "not_defined"}:  # the bars say so
                    students[code].add(one.student)
                    places[code][FUNCTION[exercise]] += 1
                    sentences.setdefault(code, part["sentence"])
    order = sorted(students, key=lambda code: (-len(students[code]), code))
    return [
        {
            "code": code,
            "count": len(students[code]),
            "places": places[code].most_common(),
            "sentence": sentences[code],
        }
        for code in order[:MOST_FREQUENT]
    ]
