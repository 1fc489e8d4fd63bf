"""What a teacher decides besides the tests: points by hand, extensions, and what lateness costs.

Two tables in the folder of the grades, made when they are missing and never written again:

============== ================================ ==============================================
file           columns                          meaning
============== ================================ ==============================================
overrides.csv  student, exercise, points, why   points in place of those of the tests; the
                                                exercise, by key or function; `extra` adds
                                                points of its own
extensions.csv student, until, why              a deadline of the student's own
============== ================================ ==============================================
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .exercises import POINTS, exercise_of
from .text import clean, folded, reason

OVERRIDES, EXTENSIONS = "overrides.csv", "extensions.csv"
COLUMNS = {
    OVERRIDES: ("student", "exercise", "points", "why"),
    EXTENSIONS: ("student", "until", "why"),
}
EXTRA = "extra"
RULE = re.compile(r"(\d+(?:\.\d+)?)%/(day|hour)")
SECONDS = {"day": 86_400, "hour": 3_600}


@dataclass(frozen=True)
class Row:
    """What counts of a student."""

    points: Mapping[str, float | None]  # by exercise; None where nobody judged it
    why: Mapping[str, str]  # the teacher's reasons, by exercise
    extra: float
    raw: float | None  # the sum; None where one was not judged
    penalty: float  # for being late
    total: float | None
    seconds_late: float
    due: datetime | None  # for this student; UTC without a zone


@dataclass
class Ledger:
    """The teacher's decisions of an assignment."""

    deadline: datetime | None = None
    late: str = "none"
    overrides: dict[str, dict[str, tuple[float, str]]] = field(default_factory=dict)
    extensions: dict[str, datetime] = field(default_factory=dict)
    #: The students that the tables name: where, and as it stands there.
    named: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, deadline: datetime | None, late: str) -> Ledger:
        """Read the two tables; ValueError names the line that is wrong."""
        ledger = cls(deadline, late)
        for where, row in _rows(folder / OVERRIDES):
            exercise, points = row["exercise"], as_number(row["points"], where)
            if exercise != EXTRA:
                try:
                    exercise = exercise_of(exercise)
                except ValueError as error:
                    raise ValueError(f"{where}: {error} and {EXTRA}") from None
            student = ledger.noted(where, row["student"])
            ledger.overrides.setdefault(student, {})[exercise] = points, row["why"]
        for where, row in _rows(folder / EXTENSIONS):
            student = ledger.noted(where, row["student"])
            ledger.extensions[student] = as_deadline(row["until"], f"{where}: ")
        return ledger

    def noted(self, where: str, student: str) -> str:
        """Return the key of a student, and remember where it is named first."""
        key = folded(student)
        self.named.setdefault(key, (where, student))
        return key

    def row(
        self, names: Sequence[str], points: Mapping[str, float | None], timestamp: datetime | None
    ) -> Row:
        """Return what counts for a student of these names.

        `points` are those of the tests; an exercise that they could not judge is None or missing,
        and as long as nobody gives it points there is no sum.
        """
        keys = [folded(name) for name in names if name]
        changed = {k: v for key in keys for k, v in self.overrides.get(key, {}).items()}
        extra = changed.get(EXTRA, (0.0, ""))[0]
        counted = {
            exercise: changed[exercise][0] if exercise in changed else points.get(exercise)
            for exercise in POINTS
        }
        why = {exercise: text for exercise, (_, text) in changed.items()}
        due = next((self.extensions[key] for key in keys if key in self.extensions), self.deadline)
        late = max(0.0, (timestamp - due).total_seconds()) if timestamp and due else 0.0
        known = [value for value in counted.values() if value is not None]
        if len(known) < len(counted):
            return Row(counted, why, extra, None, 0.0, None, late, due)
        raw = sum(known) + extra
        penalty = min(raw, raw * share_lost(self.late, late)) if raw > 0 else 0.0
        return Row(counted, why, extra, raw, penalty, raw - penalty, late, due)


def share_lost(rule: str, seconds_late: float) -> float:
    """Return the share of the points that being late costs: none, zero, 10%/day, 2%/hour.

    >>> share_lost("10%/day", 1.0), share_lost("10%/day", 86_401.0), share_lost("zero", 0.0)
    (0.1, 0.2, 0.0)
    """
    if rule == "none" or seconds_late <= 0:
        return 0.0
    if rule == "zero":
        return 1.0
    match = RULE.fullmatch(rule)
    if match is None:
        raise ValueError(
            f"{rule!r} is no rule for late submissions: give none, zero, 10%/day or 2%/hour"
        )
    return min(1.0, float(match[1]) / 100 * math.ceil(seconds_late / SECONDS[match[2]]))


def as_deadline(text: str, where: str = "") -> datetime:
    """Return a time in UTC without a zone; ValueError says how to write one."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{where}{clean(text)!r} is no time: write it as in 2030-01-31T23:59+01:00"
        ) from None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def as_number(text: str, where: str) -> float:
    """Return finite points."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: {clean(text)!r} is no number of points: write it as in 4.5")
    return number


def make_tables(folder: Path) -> None:
    """Make the tables that are missing, with nothing but their heads."""
    for name, columns in COLUMNS.items():
        if not (folder / name).exists():
            (folder / name).write_text(",".join(columns) + "\n", encoding="utf-8")


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where a line is and what it holds; lines without a student are passed over."""
    columns = COLUMNS[path.name]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if table.fieldnames is None or not {*columns[:-1]} <= {*table.fieldnames}:
                raise ValueError(f"{path}: its first line must be {','.join(columns)}")
            for row in table:
                values = {name: (row.get(name) or "").strip() for name in columns}
                if values["student"]:
                    yield f"{path}, line {table.line_num}", values
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read ({reason(error)}): mend it or remove it") from None
