"""A class of 60, graded as a teacher would grade it, and six of them by one killed ten times.

40 students are honest: one with every exercise solved, one who did nothing, and 38 who made one
mistake each. The others hand in what is hostile or broken.
"""

from __future__ import annotations

import csv
import html
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from itertools import zip_longest
from pathlib import Path

import hostile
import nbformat
import pytest
from wrong_solutions import WRONG

from classroom.grading.exercises import NOTEBOOK, NOTEBOOKS, POINTS
from classroom.grading.rubrics import PARTS
from classroom.release import bundle
from classroom.release.notebooks import fill_in
from cs231n_helpers.workbook import solutions

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.slow(80)


def one_mistake_each(number: int) -> list:
    """Take wrong solutions from all exercises in turn."""
    by_exercise = [[w for w in WRONG if w.exercise == exercise] for exercise in POINTS]
    turns = (w for turn in zip_longest(*by_exercise) for w in turn if w is not None)
    return [w for w, _ in zip(turns, range(number), strict=False)]


HONEST = {f"honest{k:02d}": wrong for k, wrong in enumerate(one_mistake_each(38))}
CELLS = hostile.CELLS
KINDS = [*CELLS[:: len(CELLS) // 13][:13], *hostile.FILES[:: len(hostile.FILES) // 7][:7]]
TWO = [hostile.NOTEBOOK.removesuffix(".ipynb"), "10_images"]  # that the hostile hand in
HOSTILE = {f"hostile{k:02d}": case for k, case in enumerate(KINDS)}


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    """The students' bundle."""
    folder = tmp_path_factory.mktemp("classroom") / "assignment"
    bundle.write_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def notebooks(assignment):
    """The released notebooks, by file name."""
    return {p.name: nbformat.read(p, as_version=4) for p in sorted(assignment.glob("*.ipynb"))}


def write(folder: Path, notebooks, sources, names=NOTEBOOKS) -> None:
    """Write a submission: the released notebooks with these sources in their exercise cells."""
    folder.mkdir(parents=True)
    for name in names:
        notebook = fill_in(notebooks[f"{name}.ipynb"], sources)
        nbformat.write(notebook, folder / f"{name}.ipynb")


def write_honest(folder: Path, notebooks) -> None:
    """Write the 40 honest submissions."""
    right = solutions()
    write(folder / "neighbor", notebooks, right)
    write(folder / "untouched", notebooks, {})
    for student, wrong in HONEST.items():
        write_one(folder / student, notebooks, wrong)


def write_one(folder: Path, notebooks, wrong) -> None:
    """Write the notebook of one mistake; whole submissions are in test_downloads."""
    sources = {**solutions(), wrong.exercise: wrong.source}
    write(folder, notebooks, sources, [NOTEBOOK[wrong.exercise]])


def write_hostile(folder: Path, notebooks) -> None:
    """Write the others, honest but for one cell or one file."""
    right = solutions()
    for student, case in HOSTILE.items():
        if isinstance(case, hostile.Hostile):
            source = case.source.replace("GRADEBOOK", str(folder.parent / "gradebook.db"))
            write(folder / student, notebooks, {**right, hostile.EXERCISE: source}, TWO)
        else:
            write(folder / student, notebooks, right, TWO)
            path = folder / student / hostile.NOTEBOOK
            notebook = json.loads(path.read_text("utf-8"))
            path.unlink()
            case.write(path, notebook)


def command(submissions: Path, out: Path, assignment: Path, *options: str) -> list[Path | str]:
    """The command that grades."""
    start = [sys.executable, "-m", "classroom.grading", "--call", "3"]
    return [*start, submissions, "--out", out, "--released", assignment, *options]


def grade(submissions: Path, out: Path, assignment: Path, *options: str) -> dict[str, dict]:
    """Grade and return the rows of grades.csv by student."""
    arguments = command(submissions, out, assignment, *options)
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def points(row: dict[str, str]) -> dict[str, float | None]:
    """Points by exercise, None where it could not be judged."""
    return {exercise: float(row[exercise]) if row[exercise] else None for exercise in POINTS}


def expected(exercise: str, lost: frozenset[str] | None) -> dict[str, float]:
    """Full points but for the lost parts of one exercise (None: all of it)."""
    kept = [s for name, s in PARTS[exercise].items() if lost is not None and name not in lost]
    return POINTS | {exercise: POINTS[exercise] * sum(kept)}


def full(names) -> dict[str, float]:
    """Full points for some notebooks, none for the others."""
    return {e: most if NOTEBOOK[e] in names else 0 for e, most in POINTS.items()}


def page(out: Path, student: str) -> str:
    """Text of a feedback page, as it is read."""
    return html.unescape((out / "feedback" / f"{student}.html").read_text("utf-8"))


@pytest.fixture(scope="module")
def everybody(assignment, notebooks, tmp_path_factory):
    """Grades of the honest and the hostile in one class, and where they were written."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # of several processes one alone grades
        (tmp_path_factory.getbasetemp().parent / "everybody").touch(exist_ok=False)
    folder = tmp_path_factory.mktemp("class")
    write_honest(folder / "submissions", notebooks)
    write_hostile(folder / "submissions", notebooks)
    return grade(folder / "submissions", folder / "out", assignment), folder / "out"


def test_the_round_trip(everybody):
    grades, _ = everybody
    assert points(grades["neighbor"]) == POINTS
    assert float(grades["neighbor"]["total"]) == 120
    assert float(grades["untouched"]["total"]) == 0 == sum(points(grades["untouched"]).values())


@pytest.mark.parametrize("student", HONEST)
def test_a_mistake_costs_its_exercise_alone_and_is_named(everybody, student):
    grades, out = everybody
    wrong = HONEST[student]
    handed_in = full([NOTEBOOK[wrong.exercise]])
    due = handed_in | {wrong.exercise: expected(wrong.exercise, wrong.lost)[wrong.exercise]}
    assert points(grades[student]) == pytest.approx(due)
    assert wrong.message in page(out, student)


def test_the_class_has_40_honest_and_at_least_20_hostile_students(everybody):
    assert len(HONEST) + 2 == 40
    assert len(HOSTILE) >= 20
    assert len(everybody[0]) == 60


@pytest.mark.parametrize("student", HOSTILE)
def test_a_hostile_submission_gets_its_own_points_and_a_sentence(everybody, student):
    grades, out = everybody
    case, got, most = HOSTILE[student], points(grades[student]), full(TWO)
    outcomes = case.outcome.split("|")
    if "unreadable" in outcomes:
        unread = [e for e, name in NOTEBOOK.items() if f"{name}.ipynb" == hostile.NOTEBOOK]
        assert got == most | dict.fromkeys(unread)
    elif outcomes == ["right"]:
        assert got == most
    else:
        assert got | {hostile.EXERCISE: 0} == most | {hostile.EXERCISE: 0}
        assert "right" in outcomes or got[hostile.EXERCISE] < POINTS[hostile.EXERCISE]
    if outcomes != ["right"]:
        assert case.word in page(out, student)


def test_a_grader_that_is_killed_ten_times_ends_with_the_same_grades(
    everybody, assignment, tmp_path
):
    grades, undisturbed = everybody
    wild = [student for student, it in HOSTILE.items() if it in (CELLS[0], hostile.FILES[0])]
    students, submissions = [*list(HONEST)[:4], *wild], tmp_path / "submissions"
    for student in students:
        shutil.copytree(undisturbed.parent / "submissions" / student, submissions / student)

    out, moments = tmp_path / "out", random.Random(time.time_ns())
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    kills = 0
    while kills < 10:
        arguments = command(submissions, out, assignment)
        grader = subprocess.Popen(arguments, cwd=ROOT, start_new_session=True, **quiet)
        try:
            grader.wait(moments.uniform(0.3, 3))
            shutil.rmtree(out)  # it was done before: kill another one
        except subprocess.TimeoutExpired:
            only_itself = moments.random() < 0.5
            (os.kill if only_itself else os.killpg)(grader.pid, signal.SIGKILL)
            grader.wait()
            kills += 1
    assert len(students) == 6
    assert grade(submissions, out, assignment) == {it: grades[it] for it in students}
    assert not list(out.rglob("*.part"))
