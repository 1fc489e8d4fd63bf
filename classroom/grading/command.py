"""Grade a class: ``make grade SUBMISSIONS=...`` or ``python -m classroom.grading ...``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from classroom.orderly import status

from .exercises import NOTEBOOKS
from .ledger import as_deadline, share_lost
from .run import NBGRADER, NO_ROSTER, ROOT, RefusedError, grade


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom.grading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    add = parser.add_argument
    # fmt: off
    add("submissions", type=Path, nargs="?",
        help="a folder or zip: a folder for each student, or what Canvas or Moodle gives")
    add("--out", type=Path, default=Path("build/grades"), help="where to write (%(default)s)")
    add("--released", type=Path, default=ROOT / "build" / "assignment",
        help="what the students were given, made by `make assignment` (build/assignment)")
    add("--assignment", metavar="NAME",
        help="its name in nbgrader's folders and in the LMS's tables (that of the last run, at "
        "first assignment1)")
    add("--workers", type=int, default=os.cpu_count() or 1, metavar="N",
        help="submissions graded at a time (the number of processors, %(default)s)")
    add("--uncontained", dest="contained", action="store_false",
        help="where there is no bubblewrap: run submissions with limits on time and memory, but "
        "let them read, write and connect to all that you can")
    add("--deadline", type=_time, metavar="TIME",
        help="as in 2030-01-31T23:59+01:00, UTC without an offset, and a date alone is its first "
        "minute (that of the last run)")
    add("--late", metavar="RULE",
        help="penalty for being late: none, zero, 10%%/day or 2%%/hour (that of the last run, at "
        "first none)")
    add("--roster", type=Path, metavar="FILE",
        help="the class as Canvas, Moodle or nbgrader exports it (csv): OUT/grades-lms.csv is that "
        "file with the grades in it, and who handed in nothing is named (that of the last run; "
        "none: go on without)")
    add("--lms-exercises", action=argparse.BooleanOptionalAction,
        help="a column for each exercise there, too (as in the last run)")
    add("--collected", type=Path, metavar="FILE",
        help="when each student handed in (csv, as the LMS exports it), or the word nbgrader: its "
        "collect wrote STUDENT/NAME/timestamp.txt (known where nbgrader_config.py or gradebook.db "
        "lies beside SUBMISSIONS)")
    add("--seed", type=int, metavar="N", help="of the hidden tests (a fresh one each run)")
    add("--budget", type=float, default=300, metavar="SECONDS",
        help="time for all exercises of a submission (%(default)g)")
    add("--call", type=float, default=20, metavar="SECONDS",
        help="time for a cell, and for one call of a function (%(default)g)")
    # fmt: on
    found = parser.parse_args(arguments)
    if found.submissions is None:
        parser.error("no submissions: give their folder, as in `make grade SUBMISSIONS=submitted`")
    is_zip = found.submissions.is_file() and found.submissions.suffix.lower() == ".zip"
    if not (found.submissions.is_dir() or is_zip):
        parser.error(
            f"{found.submissions} is no folder or zip: give the one that holds the submissions"
        )
    for table, word in ((found.roster, NO_ROSTER), (found.collected, NBGRADER)):
        if table not in (None, word) and not table.is_file():
            parser.error(f"{table} is no file: give the table that the LMS exports (csv)")
    missing = [name for name in NOTEBOOKS if not (found.released / f"{name}.ipynb").is_file()]
    if missing:
        parser.error(f"{found.released} has no {missing[0]}.ipynb: run `make assignment` first")
    if found.workers < 1 or not (found.budget > 0 and found.call > 0):
        parser.error("--workers must be at least 1, --budget and --call more than 0")
    if found.seed is not None and found.seed < 0:
        parser.error(f"--seed {found.seed} is negative, but a seed is 0 or larger")
    if found.late:
        try:
            share_lost(found.late, 1.0)
        except ValueError as error:
            parser.error(str(error))
    for name in ("submissions", "out", "released"):
        setattr(found, name, getattr(found, name).resolve())
    return found


EPILOG = """\
SUBMISSIONS holds, for each student, a folder of that name with the notebooks in it or at most four
folders below, or an archive of it; or the files of a bulk download, as Canvas and Moodle name them.
A timestamp.txt counts only where nbgrader's collect wrote it, see --collected.

Written are grades.csv, feedback/STUDENT.html, summary.html and, with a roster, grades-lms.csv,
which is removed when there is none. What you write into overrides.csv (points and why) and
extensions.csv there counts from the next run on.

A second run grades only what is new or changed, in submissions, hidden tests or package; one that
was stopped goes on.
"""


def _time(text: str) -> datetime:
    try:
        return as_deadline(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when all were graded, 1 when some were not, 2 when nothing began."""
    try:
        return min(1, grade(parse_arguments(arguments)))
    except RefusedError as refusal:
        print(f"make grade: {refusal}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(
            "\nstopped: all results so far are kept, and the same command goes on with the rest",
            file=sys.stderr,
        )
        return status(stop)
