"""Grade one class with classroom.grading and with plain `nbgrader autograde`, in turns.

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
from pathlib import Path

import nbformat
from report import machine, replace
from tqdm import tqdm

from classroom.release import bundle, notebooks
from cs231n_helpers.workbook import solutions

HERE = Path(__file__).resolve().parent
COURSE = "cs231n"


def write_class(folder: Path, number: int) -> None:
    """Write so many submissions, each the student's bundle with all exercises solved."""
    assignment = folder.parent / "assignment"
    bundle.write_bundle(assignment)
    for k in range(number):
        student = shutil.copytree(assignment, folder / f"student{k:03d}")
        for path in sorted(student.glob("*.ipynb")):
            notebook = nbformat.read(path, as_version=4)
            nbformat.write(notebooks.fill_in(notebook, solutions()), path)


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


def measure(folder: Path, students: int, rounds: int, workers: Sequence[int]) -> str:
    """Return the table of times and ratios."""
    submissions, course, log = folder / "submissions", folder / "course", folder / "log"
    write_class(submissions, students)
    prepare_course(course, submissions, log)
    plain = nbgrader("autograde", COURSE, "--force", "--course-dir", course)
    commands = {"nbgrader autograde": plain}
    for count in workers:
        ours: list[str | Path] = [sys.executable, "-m", "classroom.grading", submissions]
        ours += ["--workers", str(count), "--out", folder / f"out{count}"]
        ours += ["--released", folder / "assignment"]
        commands[f"classroom.grading, workers: {count}"] = ours
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tqdm(total=rounds * len(commands), leave=False, disable=None) as bar:
        for _ in range(rounds):
            for name, command in commands.items():
                bar.set_description(name)
                for out in folder.glob("out*"):  # nothing is left to resume from
                    shutil.rmtree(out)
                seconds[name].append(run(command, log))
                bar.update()
    lines = ["| | seconds a submission | times nbgrader's rate |", "|---|---:|---:|"]
    for name, times in seconds.items():
        ratio = statistics.median(
            theirs / ours for theirs, ours in zip(seconds["nbgrader autograde"], times, strict=True)
        )
        lines.append(f"| {name} | {statistics.median(times) / students:.1f} | {ratio:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--students", type=int, default=6, help="size of the class (default: 6)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default: 3)")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[1, 2], help="of ours (default: 1 2)"
    )
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as make test has it
    here = str(Path(sys.executable).parent)  # nbgrader calls alembic by its name
    os.environ["PATH"] = os.pathsep.join([here, os.environ["PATH"]])
    with tempfile.TemporaryDirectory() as folder:
        table = measure(Path(folder), options.students, options.rounds, options.workers)
    text = (
        "# How fast grading is\n\n"
        "Written by `make bench-grading`: one class, every exercise solved, graded in turns. "
        "nbgrader executes the whole notebooks; ours runs the student's cells alone, contained, "
        f"and calls their functions.\n\n{machine()}\n{options.students} submissions of four "
        f"notebooks, median of {options.rounds} rounds.\n\n{table}"
    )
    print(text)
    replace(HERE / "grading.md", lambda part: part.write_text(text, "utf-8"))


if __name__ == "__main__":
    main()
