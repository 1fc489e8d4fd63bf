"""Grade a class: ``make grade SUBMISSIONS=...`` or ``python -m classroom.grading ...``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from classroom.orderly import status

from .files import NOTEBOOKS
from .run import ROOT, RefusedError, grade


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line, checked."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom.grading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    add = parser.add_argument
    add("submissions", type=Path, nargs="?", help="a folder with a folder for each student")
    add("--out", type=Path, default=Path("build/grades"), help="where to write (%(default)s)")
    add(
        "--released",
        type=Path,
        default=ROOT / "build" / "assignment",
        help="what the students were given, made by `make assignment` (build/assignment)",
    )
    add(
        "--assignment",
        default="assignment1",
        metavar="NAME",
        help="its name in the gradebook and in nbgrader's folders (%(default)s)",
    )
    add(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="submissions graded at a time (the number of processors, %(default)s)",
    )
    add(
        "--uncontained",
        dest="contained",
        action="store_false",
        help="where there is no bubblewrap: run submissions with limits on time and memory, but "
        "let them read, write and connect to all that you can",
    )
    add("--db", metavar="URL", help="the gradebook (sqlite:///OUT/gradebook.db)")
    add(
        "--deadline",
        type=_time,
        metavar="TIME",
        help="as in 2030-01-31T23:59+01:00, UTC without an offset, and a date alone is its first "
        "minute; kept in the gradebook",
    )
    add(
        "--late",
        metavar="RULE",
        help="penalty for being late: none, zero, 10%%/day, 2%%/hour or the class of an nbgrader "
        "plugin such as late.SubMarks (the one of the last run, at first none)",
    )
    add("--seed", type=int, metavar="N", help="of the hidden tests (a fresh one each run)")
    add(
        "--budget",
        type=float,
        default=300,
        metavar="SECONDS",
        help="time for all exercises of a submission (%(default)g)",
    )
    add(
        "--call",
        type=float,
        default=20,
        metavar="SECONDS",
        help="time for a cell, and for one call of a function (%(default)g)",
    )
    found = parser.parse_args(arguments)
    if found.submissions is None:
        parser.error("no submissions: give their folder, as in `make grade SUBMISSIONS=submitted`")
    if not found.submissions.is_dir():
        parser.error(f"{found.submissions} is no folder: give the one that holds the submissions")
    missing = [name for name in NOTEBOOKS if not (found.released / f"{name}.ipynb").is_file()]
    if missing:
        parser.error(f"{found.released} has no {missing[0]}.ipynb: run `make assignment` first")
    if found.workers < 1 or not (found.budget > 0 and found.call > 0):
        parser.error("--workers must be at least 1, --budget and --call more than 0")
    if found.seed is not None and found.seed < 0:
        parser.error(f"--seed {found.seed} is negative, but a seed is 0 or larger")
    if found.late:
        from .gradebook import late_plugin

        try:
            late_plugin(found.late)
        except ValueError as error:
            parser.error(str(error))
    for name in ("submissions", "out", "released"):
        setattr(found, name, getattr(found, name).resolve())
    found.db = found.db or f"sqlite:///{found.out / 'gradebook.db'}"
    return found


EPILOG = """\
SUBMISSIONS holds a folder for each student, named like the student, with 01_svm.ipynb to
04_dx_derivation.ipynb in it or at most two folders below, as nbgrader's submitted/ has it.
timestamp.txt beside the notebooks, which nbgrader's collect writes, says when they were handed in.

Written are grades.csv, feedback/STUDENT.html, summary.html and the gradebook. Points, comments
and penalties are in the gradebook, where `nbgrader export` and nbgrader's API find them.
What a teacher enters there (a manual score, extra credit, an extension) is kept, and counts in all
files from the next run on. In grades.csv a name that begins with = + - or @ has a ' before it.

A second run grades only what is new or changed, in submissions, hidden tests or package; one that
was stopped goes on.
"""


def _time(text: str) -> datetime:
    """Return a time in UTC without a zone, as nbgrader keeps it."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write it as in 2030-01-31T23:59+01:00"
        ) from error
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


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
