"""The pages that a class and its teacher read: one file each, without scripts or links outside."""

from __future__ import annotations

import math
import platform
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from markupsafe import Markup, escape

from .exercises import FUNCTION, NOTEBOOK, POINTS, TITLES
from .flags import copies
from .ledger import Row
from .text import label

if TYPE_CHECKING:  # the one is slow to import, the other imports the doctor
    from jinja2 import Template

    from .submission import PartResult, Result

MOST_FREQUENT = 15  # findings on the summary
MOST_PAIRS = 50  # of students who wrote alike
MOST_NOTES, MOST_TO_KNOW = 20, 6  # sentences on a submission, on its page and on the summary


@dataclass(frozen=True)
class Graded:
    """All that is known of a student when the pages are written."""

    student: str
    page: str  # address of the feedback page from the folder of the summary
    timestamp: datetime | None
    row: Row
    result: Result | None  # None when grading failed
    failure: str = ""
    listed: str = ""  # what the roster calls the student

    @property
    def name(self) -> str:
        """What the pages call the student."""
        return label(self.student, self.listed)


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
    environment.filters["code"] = with_code
    return environment.get_template(name)


def shown_points(points: float | None) -> str:
    """Return points with as many digits as they need, at most two; a dash where there are none.

    >>> shown_points(8.0), shown_points(2.5), shown_points(8 / 3), shown_points(None)
    ('8', '2.5', '2.67', '–')
    """
    return "\N{EN DASH}" if points is None else f"{points:.2f}".rstrip("0").rstrip(".")


def with_code(text: str) -> Markup:
    """Return a sentence for a page, what stands in backticks as code.

    >>> with_code("<b>: set `dh[h <= 0] = 0`")
    Markup('&lt;b&gt;: set <code>dh[h &lt;= 0] = 0</code>')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


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
    row, notebooks = graded.row, defaultdict(list)
    for name, entries in groupby(map(partial(_entry, graded), POINTS), _alike):
        notebooks[name[0]].append(_together([*entries]))
    lost = {it: POINTS[it] - points for it, points in row.points.items() if points is not None}
    return _template("feedback.html").render(
        graded=graded,
        result=graded.result,
        notes=_most(graded.result["notes"], MOST_NOTES) if graded.result else [],
        row=row,
        late=late,
        maximum=sum(POINTS.values()),
        notebooks=notebooks,
        solved=sum(it <= 0 for it in lost.values()),
        count=len(POINTS),
        to_gain=sorted(
            ((it, FUNCTION[it], points) for it, points in lost.items() if points > 0),
            key=lambda it: -it[2],
        ),
        python=platform.python_version(),
        numpy=np.__version__,
    )


def _entry(graded: Graded, exercise: str) -> dict[str, Any]:
    """Return what a page says of an exercise."""
    one = graded.result["exercises"][exercise] if graded.result else None
    points, maximum = graded.row.points[exercise], POINTS[exercise]
    auto = one["points"] if one else None
    return {
        "title": TITLES[exercise],
        "exercises": {exercise: FUNCTION[exercise]},
        "notebook": NOTEBOOK[exercise],
        "points": points,
        "maximum": maximum,
        "state": _state(points, maximum),
        "by_teacher": f"{shown_points(auto)} by the tests" if points != auto else "",
        "why": graded.row.why.get(exercise, ""),
        "parts": _parts(one["parts"], maximum) if one else [],
        "notes": _most(one["notes"], MOST_NOTES) if one else [],
        "source": one["source"] if one else "",
    }


def _alike(entry: dict[str, Any]) -> tuple[Any, ...]:
    """Return the notebook, and what else two entries share of which little is to be said."""
    more = entry["parts"] or entry["source"] or entry["by_teacher"]
    return entry["notebook"], entry["state"], entry["title"] if more else entry["notes"]


def _together(entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one entry for several of which the same is said."""
    first = entries[0]
    if len(entries) == 1:
        return first
    sums = {it: sum(entry[it] or 0 for entry in entries) for it in ("points", "maximum")}
    names = {name: function for it in entries for name, function in it["exercises"].items()}
    points = None if first["points"] is None else sums["points"]
    title = f"{len(entries)} exercises"
    return {**first, **sums, "title": title, "exercises": names, "points": points}


def _state(points: float | None, maximum: float) -> str:
    if points is None:
        return "open"
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


def summary_page(
    graded: Sequence[Graded],
    notes: Sequence[str],
    deadline: datetime | None,
    late: str,
    assignment: str,
    absent: Sequence[str] = (),
) -> str:
    """Return the page of the class: how it went, what went wrong most, and what needs a look."""
    whole = [one.row for one in graded if one.row.total is not None]
    totals = [row.total for row in whole if row.total is not None]
    maximum = sum(POINTS.values())
    exercises = []
    for exercise, points in POINTS.items():
        got = [p for row in whole if (p := row.points[exercise]) is not None]
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
            one.result["contained"] or "No code was run." for one in graded if one.result
        ).most_common(),
        failed=[one for one in graded if one.row.total is None],
        to_know={one.student: _to_know(one) for one in graded},
    )


def _most(sentences: Sequence[str], most: int) -> list[str]:
    """Return no more than so many sentences, and how many are left."""
    left = len(sentences) - most
    return [*sentences[:most], *([f"And {left} more of this kind."] if left > 0 else [])]


def _to_know(graded: Graded) -> list[str]:
    """Return what a teacher may want to look into: files, stops, and points entered by hand."""
    if graded.result is None:
        return [graded.failure]
    said = _most(graded.result["notes"], MOST_TO_KNOW)
    flagged: dict[str, list[str]] = defaultdict(list)
    for exercise, one in graded.result["exercises"].items():
        points = graded.row.points[exercise]
        if one["source"] and not one["parts"]:  # stopped before it could be judged
            name = FUNCTION[exercise]
            notes = _most(one["notes"], 1)
            said += [it if name in it else f"{name}: {it}" for it in notes]
        for flag in one["flags"]:
            kind, _, place = flag.partition(": ")
            flagged[kind].append(place)
        if points != one["points"]:
            why = graded.row.why.get(exercise) or "no reason given"
            said.append(
                f"{FUNCTION[exercise]}: {shown_points(points)} points by the teacher ({why}), "
                f"{shown_points(one['points'])} by the tests."
            )
    return said + [f"{kind}: {', '.join(places)}." for kind, places in flagged.items()]


def _copies(graded: Sequence[Graded]) -> list[dict[str, Any]]:
    """Return who wrote alike, with the addresses of both pages."""
    written = {
        one.student: {name: it["pieces"] for name, it in one.result["exercises"].items()}
        for one in graded
        if one.result
    }
    by_name = {one.student: one for one in graded}
    return [
        {
            "students": [by_name[name] for name in (pair.first, pair.second)],
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
    told: dict[str, list[tuple[Graded, str, str]]] = defaultdict(list)  # who, where, and what
    for one in graded:
        for exercise, outcome in (one.result["exercises"] if one.result else {}).items():
            for part in outcome["parts"]:
                for code in set(part["codes"]) - {"not_done", "not_defined"}:  # the bars say so
                    told[code].append((one, FUNCTION[exercise], part["sentence"]))
    found: list[dict[str, Any]] = [
        {
            "code": code,
            "count": len({one.student for one, *_ in them}),
            "places": Counter(place for _, place, _ in them).most_common(),
            "sentence": them[0][2],
            "example": them[0][0],
        }
        for code, them in sorted(told.items())
    ]
    return sorted(found, key=lambda it: -it["count"])[:MOST_FREQUENT]
