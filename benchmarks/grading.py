"""Grade a class of 200, and a small one in turns with plain `nbgrader autograde`.

A ratio is the median over the rounds. Writes grading.md beside itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
from report import machine, replace
from tqdm import tqdm

from classroom.grading.exercises import NOTEBOOKS
from classroom.release import bundle, notebooks
from cs231n_helpers.workbook import solutions

HERE = Path(__file__).resolve().parent
COURSE = "cs231n"


def write_class(folder: Path, number: int, mistakes: Sequence[Any] = ()) -> None:
    """Write so many submissions, each the student's bundle with all exercises solved.

    Of three students two make one of the mistakes each, which takes more time than what is right.
    """
    assignment = folder.parent / "assignment"
    if not assignment.exists():
        bundle.write_bundle(assignment)
    given = {p.name: nbformat.read(p, as_version=4) for p in sorted(assignment.glob("*.ipynb"))}
    for k in range(number):
        answers = solutions()
        if mistakes and k % 3:
            wrong = mistakes[k % len(mistakes)]
            answers[wrong.exercise] = wrong.source
        student = shutil.copytree(assignment, folder / f"student{k:03d}")
        for name, notebook in given.items():
            nbformat.write(notebooks.fill_in(notebook, answers), student / name)


def run(command: Sequence[str | Path], log: Path) -> float:
    """Run a command and return the seconds it took; a failure ends the comparison."""
    start = time.perf_counter()
    with log.open("ab") as output:
        subprocess.run(
            [str(part) for part in command], check=True, stdout=output, stderr=subprocess.STDOUT
        )
    return time.perf_counter() - start


def nbgrader(*args: str | Path) -> list[str | Path]:
    """Return the command line of an nbgrader app, run by this Python."""
    return [sys.executable, "-m", "nbgrader", *args]


def prepare_course(course: Path, submissions: Path, log: Path) -> None:
    """Lay out nbgrader's folders: the finished notebooks as source, each student's bundle."""
    source = course / "source" / COURSE
    source.mkdir(parents=True)
    for path in sorted(submissions.glob("student000/*.ipynb")):
        shutil.copy(HERE.parent / "notebooks" / path.name, source)
    for student in sorted(submissions.iterdir()):
        shutil.copytree(student, course / "submitted" / student.name / COURSE)
    run(nbgrader("generate_assignment", COURSE, "--create", "--course-dir", course), log)


def ours(submissions: Path, workers: int) -> list[str | Path]:
    """Return the command line that grades a class, beside which lies what it was given."""
    place = submissions.parent
    start: list[str | Path] = [sys.executable, "-m", "classroom.grading", submissions]
    start += ["--workers", str(workers), "--out", place / f"out-{submissions.name}-{workers}"]
    return [*start, "--released", place / "assignment"]


def measure_class(folder: Path, students: int, workers: int) -> str:
    """Return how long a whole class takes, from nothing and with nothing new."""
    sys.path.append(str(HERE.parent / "tests" / "grading"))
    mistakes = import_module("wrong_solutions").WRONG
    write_class(folder / "class", students, mistakes)
    command, log = ours(folder / "class", workers), folder / "log"
    first = run(command, log)
    again = statistics.median(run(command, log) for _ in range(5))
    return (
        f"{students} submissions, two of three with a mistake, {workers} workers: {first:.0f} s "
        f"from nothing, {again:.1f} s with nothing new.\n"
    )


def measure(folder: Path, students: int, rounds: int, workers: Sequence[int]) -> str:
    """Return the table of times and ratios."""
    submissions, course, log = folder / "submissions", folder / "course", folder / "log"
    write_class(submissions, students)
    prepare_course(course, submissions, log)
    plain = nbgrader("autograde", COURSE, "--force", "--course-dir", course)
    commands = {"nbgrader autograde": plain}
    for count in workers:
        commands[f"classroom.grading, workers: {count}"] = ours(submissions, count)
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tqdm(total=rounds * len(commands), leave=False, disable=None) as bar:
        for _ in range(rounds):
            for name, command in commands.items():
                bar.set_description(name)
                for out in folder.glob("out-*"):  # nothing is left to resume from
                    shutil.rmtree(out)
                seconds[name].append(run(command, log))
                bar.update()
    lines = ["| | seconds a submission | times nbgrader's rate |", "|---|---:|---:|"]
    for name, times in seconds.items():
        ratio = statistics.median(
            theirs / time for theirs, time in zip(seconds["nbgrader autograde"], times, strict=True)
        )
        lines.append(f"| {name} | {statistics.median(times) / students:.1f} | {ratio:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--students", type=int, default=6, help="size of the class (default: 6)")
    parser.add_argument("--class", type=int, default=200, dest="whole", help="the large one (200)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default: 3)")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[1, 2], help="of ours (default: 1 2)"
    )
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as make test has it
    here = str(Path(sys.executable).parent)  # nbgrader calls alembic by its name
    os.environ["PATH"] = os.pathsep.join([here, os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        large = measure_class(Path(folder), options.whole, max(options.workers))
        table = measure(Path(folder), options.students, options.rounds, options.workers)
    text = (
        f"# How fast grading is\n\nWritten by `make bench-grading`.\n\n{machine({})}\n{large}\n"
        "## Beside nbgrader\n\nA small class, every exercise solved, graded in turns. nbgrader "
        "executes the whole notebooks; ours runs the student's cells alone, contained, and calls "
        f"their functions. {options.students} submissions of {len(NOTEBOOKS)} notebooks; "
        f"rounds, of which the median counts: {options.rounds}.\n\n{table}"
    )
    print(text)
    replace(HERE / "grading.md", lambda part: part.write_text(text, "utf-8"))


if __name__ == "__main__":
    main()
