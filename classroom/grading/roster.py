"""The list of a class as Canvas, Moodle or nbgrader exports it, and the way back.

The file that the LMS gave is the one that it takes: grades go into its own columns, and all other
cells stay as they came.

======== ============================================== =========================================
from     first columns                                  what comes back
======== ============================================== =========================================
Canvas   Student, ID, SIS User ID, SIS Login ID,         the column of the assignment, made where
         Section, then assignments                       there is none; its line of points possible
Moodle   Identifier, Full name, Email address, ...,      Grade and Feedback comments
         Grade, ...
others   id or student, perhaps name, email (nbgrader:   a column of the assignment's name
         id, first_name, last_name, email)
======== ============================================== =========================================

Sources: Instructure Community, "How do I import grades in the Gradebook?"; Moodle docs, "Upload
grading worksheet"; nbgrader docs, "nbgrader db student import".
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from .collect import Student, as_time
from .exercises import POINTS
from .ledger import Row
from .text import clean, folded, label, nearest, reason, some_of, table_cell

IDENTITY = (
    "id", "student", "identifier", "sis user id", "sis login id", "username", "email",
    "email address", "lms_user_id", "full name", "name",
)  # fmt: skip
TIMES = ("time", "timestamp", "collected", "submitted", "last modified (submission)")
OF_CANVAS = re.compile(r"(.+) \(\d+\)")  # a column of an assignment
MOODLE_TIME = "%A, %d %B %Y, %I:%M %p"


@dataclass
class Roster:
    """Who is in the class: the lines of the file, and whose line is whose."""

    head: list[str] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Roster:
        """Read a table; ValueError says what is wrong with it."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = [line for line in csv.reader(file) if any(cell.strip() for cell in line)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"{path} cannot be read: {reason(error)}") from None
        head = [cell.strip() for cell in lines[0]] if lines else []
        if not {name.lower() for name in head} & {*IDENTITY}:
            raise ValueError(
                f"{path}: its first line, {','.join(head)[:100]!r}, names no column of identities, "
                "such as id, student or Identifier: export it from Canvas, Moodle or nbgrader, "
                "with commas between the columns"
            )
        return cls(head, [line + [""] * (len(head) - len(line)) for line in lines[1:]])

    @property
    def of_canvas(self) -> bool:
        return {"Student", "ID", "Section"} <= {*self.head}

    @property
    def of_moodle(self) -> bool:
        return {"Identifier", "Grade"} <= {*self.head}

    def identities(self, line: Sequence[str]) -> dict[str, int]:
        """Return all by which the student of a line may be known, each with its rank.

        >>> roster = Roster(["Student", "ID"], [["Lee, Anna", "17"]])
        >>> [*roster.identities(roster.lines[0])]
        ['annalee', 'leeanna', '17']
        """
        cells = {name.lower(): cell for name, cell in zip(self.head, line, strict=False)}
        names = [cells.get(name, "") for name in IDENTITY]
        names += [cells.get("first_name", "") + cells.get("last_name", "")]
        names += [" ".join(reversed(name.split(","))) for name in names if "," in name]
        names = [name.removeprefix("Participant ") for name in names]
        # the surest last, which stands where two are the same
        return {folded(names[k]): k for k in range(len(names) - 1, -1, -1) if folded(names[k])}

    def students(self) -> list[tuple[int, dict[str, int]]]:
        """Return the numbers of the lines that are students', each with its identities."""
        rows = [(k, self.identities(line)) for k, line in enumerate(self.lines)]
        return [(k, known) for k, known in rows if known and not _is_nobody(self.lines[k])]

    def matched(self, students: Iterable[Student]) -> tuple[dict[int, Student], list[Student]]:
        """Return whose line is whose, by the number of the line, and the students without one.

        An id counts before a name, and a name that fits several lines fits none.
        """
        surest: dict[str, tuple[int, int | None]] = {}  # rank and line; None: it fits several
        for place, identities in self.students():
            for identity, rank in identities.items():
                before, _ = surest.get(identity, (rank + 1, None))
                if rank <= before:
                    surest[identity] = rank, None if rank == before else place
        found: dict[int, Student] = {}
        without = []
        for student in students:
            names = [folded(it) for it in (student.id, student.name) if it]
            numbers = [surest[it][1] for it in names if it in surest]
            number = next((it for it in numbers if it is not None), None)
            if number is None or number in found:
                without.append(student)
            else:
                found[number] = student
        return found, without

    def name(self, number: int) -> str:
        """Return what to call the student of a line."""
        cells = dict(zip((it.lower() for it in self.head), self.lines[number], strict=False))
        both = f"{cells.get('first_name', '')} {cells.get('last_name', '')}".strip()
        names = (cells.get("student"), cells.get("full name"), cells.get("name"), both)
        return clean(next((it for it in (*names, *self.lines[number]) if it), ""))

    def called(self, students: Sequence[Student]) -> dict[Student, list[str]]:
        """Return, folded, by what each student may be named; the roster's names, where unique."""
        names = {it: [folded(name) for name in (it.name, it.id) if name] for it in students}
        taken = {name for known in names.values() for name in known}
        count = Counter(name for _, known in self.students() for name in known)
        for number, student in self.matched(students)[0].items():
            listed = [it for it in self.identities(self.lines[number]) if count[it] == 1]
            listed.append(folded(label(student.name, self.name(number))))
            names[student] += [it for it in listed if it not in taken]
        return names

    def nobody(self, name: str, students: Sequence[Student]) -> str:
        """Return why none of the students is meant by a name, and the nearest who are there."""
        here = sum(folded(name) in known for known in self.called(students).values())
        listed_as = sum(folded(name) in known for _, known in self.students())
        if listed_as == 1 and not here:
            return f"{name!r} handed in nothing"
        listed = {it: self.name(number) for number, it in self.matched(students)[0].items()}
        labels = [label(it.name, listed.get(it, "")) for it in students]
        there = some_of([*map(repr, nearest(name, labels))])
        many = "several are" if max(here, listed_as) > 1 else "nobody is"
        return f"{many} called {name!r}: there are {there}"

    def filled(
        self,
        rows: Mapping[int, Row],
        comments: Mapping[int, str],
        assignment: str,
        *,
        exercises: bool = False,
    ) -> tuple[str, list[str]]:
        """Return the table with the grades in it, and sentences on columns that count otherwise.

        Points are scaled to the maximum that the LMS has for a column, as they else were too many
        for it or too few. Who has none keeps the cell as it came.
        """
        head, lines = list(self.head), [list(line) for line in self.lines]

        def column(name: str, starts: bool = False) -> int:
            for k, existing in enumerate(head):
                if existing == name or (starts and existing.startswith(f"{name} (")):
                    return k
            head.append(name)
            for line in lines:
                line.append("")
            return len(head) - 1

        total = column("Grade" if self.of_moodle else assignment, starts=self.of_canvas)
        comment = column("Feedback comments") if self.of_moodle else None
        columns = {total: (sum(POINTS.values()), {k: row.total for k, row in rows.items()})}
        for exercise in POINTS if exercises else ():
            points = {k: row.points[exercise] for k, row in rows.items()}
            columns[column(f"{assignment} {exercise}", starts=True)] = POINTS[exercise], points
        notes = (
            self._on_new_column(assignment) if self.of_canvas and total >= len(self.head) else []
        )
        for place, (ours, found) in columns.items():
            theirs = self._maximum(place)
            most = ours if theirs is None else theirs
            scale, above = most / ours or 1.0, []
            for number, value in found.items():
                if value is not None:
                    lines[number][place] = f"{value * scale:.2f}"
                    if round(value * scale, 2) > most:
                        above.append(self.name(number))
            for line in lines:
                if _says_maximum(line):
                    line[place] = line[place] or f"{ours:g}"
            where = f"{clean(head[place])} in grades-lms.csv"
            if scale != 1.0:
                notes.append(f"{where} is scaled from {ours:g} to {most:g} points, as the LMS has.")
            if above:
                notes.append(f"{where} is above its maximum of {most:g}: {some_of(above)}.")
        for number, text in comments.items():
            if comment is not None and rows[number].total is not None:
                lines[number][comment] = table_cell(text)
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([head, *lines])
        return table.getvalue(), notes

    def _on_new_column(self, assignment: str) -> list[str]:
        """Say that Canvas gets a column which it did not have, and which it has."""
        note = f"No column of the roster is called {assignment!r}: grades-lms.csv has a new one."
        exercises = {f"{assignment} {exercise}" for exercise in POINTS}
        found = filter(None, map(OF_CANVAS.fullmatch, self.head))
        theirs = {it[1]: it[0] for it in found if it[1] not in exercises}
        if theirs:
            names = nearest(assignment, theirs)
            columns = some_of([repr(theirs[it]) for it in names])
            note += f" The roster has {columns}: is it --assignment {names[0]!r}?"
        return [note]

    def _maximum(self, place: int) -> float | None:
        """Return what the LMS has as the maximum of a column, None where its file does not say."""
        cells = [line[place] for line in self.lines if _says_maximum(line) and place < len(line)]
        names = [name.lower() for name in self.head]
        if names[place : place + 1] == ["grade"] and "maximum grade" in names:  # Moodle's
            cells = [line[names.index("maximum grade")] for line in self.lines]
        for cell in cells:
            with suppress(ValueError):
                return float(cell.replace(",", "."))
        return None


def collected_times(path: Path) -> dict[str, datetime]:
    """Return when each student handed in, from a table of the LMS's; ValueError says what is wrong.

    It has a column of identities and one of times, as nbgrader and ISO 8601 or Moodle write them.
    """
    roster = Roster.read(path)
    column = next((k for k, name in enumerate(roster.head) if name.lower() in TIMES), None)
    if column is None:
        raise ValueError(f"{path} has no column of times: name it {TIMES[0]} or {TIMES[1]}")
    times: dict[str, datetime] = {}
    for number, line in enumerate(roster.lines, start=2):
        text = line[column].strip()
        if not text or text == "-":
            continue
        try:
            time = as_time(text)
        except (ValueError, KeyError):
            try:
                time = datetime.strptime(text, MOODLE_TIME)
            except ValueError:
                raise ValueError(
                    f"{path}, line {number}: {clean(text)!r} is no time: write it as in "
                    "2030-01-31 23:59:00 UTC"
                ) from None
        times |= dict.fromkeys(roster.identities(line), time)
    return times


def _says_maximum(line: Sequence[str]) -> bool:
    """Canvas' second line."""
    return any(cell.strip() == "Points Possible" for cell in line[:2])


def _is_nobody(line: Sequence[str]) -> bool:
    """That line, and the student whom Canvas makes up."""
    return _says_maximum(line) or "Student, Test" in line[:2]
