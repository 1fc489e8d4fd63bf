"""Grading a class: cells, runs that are killed, what a teacher enters, the pages."""

from __future__ import annotations

import csv
import html.parser
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import dying
import psutil
import pytest
import right_solutions
from filelock import FileLock
from handed_in import CELLS, code, hand_in, notebook

from classroom.grading import command, pages, pool, submission
from classroom.grading import run as grading
from classroom.grading.cells import parse_notebook, released_notebook
from classroom.grading.collect import Submission, read_submission, students_in
from classroom.grading.exercises import NOTEBOOK, POINTS
from classroom.grading.ledger import Row
from classroom.grading.pages import Graded, feedback_page, histogram, shown_points, summary_page
from classroom.grading.submission import ExerciseResult, PartResult, Result, grade_submission
from classroom.sandbox import Limits, UnavailableError

ROOT = Path(__file__).resolve().parent.parent.parent
PENALTY = """\
def penalty(W, reg, reg_scale=0.5):
    return reg_scale * reg * np.sum(W**2), 2 * reg_scale * reg * W
"""
PENALTY_TWICE = PENALTY.replace("2 * reg_scale", "reg_scale")
FORWARD = """\
def net_forward(params, X):
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    return hidden, hidden @ params["W2"] + params["b2"]
"""


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class TestCells:
    @pytest.fixture
    def ours(self, released):
        return released_notebook(released / "01_svm.ipynb")

    def parse(self, ours, *cells):
        content = json.dumps({"nbformat": 4, "cells": cells}).encode()
        return parse_notebook("01_svm", content, ours)

    def test_as_handed_out(self, released, ours):
        found = parse_notebook("01_svm", (released / "01_svm.ipynb").read_bytes(), ours)
        assert found.cells == []
        assert found.notes == []
        assert found.untouched == {e for e in POINTS if NOTEBOOK[e] == "01_svm"}

    @pytest.mark.parametrize(
        "cell",
        [
            code("pen = 1", grade_id="penalty"),
            code("pen = 1", "penalty-cell"),
            code(PENALTY),
            code("penalty = make(1)"),
            code([*PENALTY.splitlines(keepends=True)], "x", grade_id="of somebody else"),
        ],
    )
    def test_an_exercise_is_recognized(self, ours, cell):
        found = self.parse(ours, cell)
        assert found.written == {"penalty": found.cells}
        assert found.cells[0].id == "01_svm, cell 1"
        assert found.cells[0].source == "".join(cell["source"])

    @pytest.mark.parametrize(
        "cell",
        [
            code("print('a cell of ours')"),
            code("print('changed')", "ours"),
            code("x == 1", "ours"),
            code("penalty = None", "x", grade_id="penalty_check"),
            code("penalty = None", "penalty-x"),
            {"cell_type": "markdown", "source": PENALTY},
            {"cell_type": "raw", "source": PENALTY},
            code("  \n"),
        ],
    )
    def test_what_is_never_run(self, ours, cell):
        assert self.parse(ours, cell).cells == []

    def test_changed_cells_of_ours_are_told(self, ours):
        found = self.parse(ours, code("changed = 1", "ours"), code("x", grade_id="penalty_check"))
        assert (
            "01_svm.ipynb: 2 cell(s) of ours were changed; of these only imports" in found.notes[0]
        )
        assert [cell.source for cell in found.cells] == ["changed = 1"]

    def test_what_is_added_to_a_cell_of_ours_is_run(self, ours):
        source = "import math\nprint('a cell of ours')\nEPS = 1e-12\ndef f():\n    return EPS\nf()"
        found = self.parse(ours, code(source, "ours"))
        assert found.cells[0].source == "import math\nEPS = 1e-12\ndef f():\n    return EPS"

    @pytest.mark.parametrize(
        ("version", "said"), [("3.99.1", 1), ("3.9.1", 0), ("x", 0), (None, 0), ("99.9", 1)]
    )
    def test_a_newer_python_is_told(self, ours, version, said):
        content = {"cells": [], "metadata": {"language_info": {"version": version}}}
        found = parse_notebook("01_svm", json.dumps(content).encode(), ours)
        assert sum("was written with Python" in note for note in found.notes) == said

    def test_lines_of_other_systems(self, ours):
        source = self.parse(ours, code("a = 1\r\nb = 2\rc = 3\n\fd = 4")).cells[0].source
        assert source == "a = 1\nb = 2\nc = 3\nd = 4"

    def test_order_and_duplicates(self, ours):
        added = code("helper = 1")
        template = json.loads(notebook("01_svm"))["cells"]
        penalty = next(c for c in template if c.get("id") == "penalty-cell")
        found = self.parse(ours, code(PENALTY), added, code(PENALTY_TWICE), penalty)
        assert [cell.source for cell in found.cells] == [PENALTY, "helper = 1", PENALTY_TWICE]
        assert [cell.source for cell in found.written["penalty"]] == [PENALTY, PENALTY_TWICE]

    def test_commands_of_jupyter(self, ours):
        source = "%matplotlib inline\nif True:\n    !ls\n" + PENALTY
        assert list(self.parse(ours, code(source)).written) == ["penalty"]

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x80\x81", b"null", b"[]", b'{"cells": 3}', b'{"worksheets": []}', b"1" * 9999,
         b"[" * 100_000, b'{"cells":' * 5_000, b"\x00", b"PK\x03\x04"],
    )  # fmt: skip
    def test_no_notebook(self, ours, content):
        found = parse_notebook("01_svm", content, ours)
        assert found.cells == []
        assert len(found.notes) == 1
        assert found.notes[0].startswith("01_svm.ipynb ")

    @pytest.mark.parametrize(
        "cell",
        [None, 3, "x", [], {"cell_type": "code"}, {"cell_type": "code", "source": 3},
         {"cell_type": "code", "source": ["x", 3]}, code("x" * 100_001)],
    )  # fmt: skip
    def test_a_malformed_cell_costs_itself_alone(self, ours, cell):
        found = self.parse(ours, cell, code(PENALTY))
        assert list(found.written) == ["penalty"]
        assert found.notes == ["01_svm.ipynb: 1 cell(s) could not be read and were left out."]

    @pytest.mark.parametrize(
        "metadata", [None, [], {"nbgrader": 3}, {"nbgrader": {"grade_id": []}}]
    )
    def test_malformed_metadata(self, ours, metadata):
        cell = {"cell_type": "code", "source": PENALTY, "metadata": metadata, "id": {}}
        assert list(self.parse(ours, cell).written) == ["penalty"]

    def test_source_becomes_harmless_text(self, ours):
        hostile = "x = '\ud800\u202e\x1b[2J'"
        source = self.parse(ours, code(hostile)).cells[0].source
        assert source == r"x = '\ud800\u202e\x1b[2J'"
        source.encode()

    @pytest.mark.parametrize(
        "source", ["\n" * 90_000 + "(", "(" * 10_000, "-" * 50_000 + "1", "\0", "x" + ".x" * 30_000]
    )
    def test_hostile_syntax(self, ours, source):
        assert len(self.parse(ours, code(source)).cells) == 1

    def test_too_many_cells(self, ours, monkeypatch):
        monkeypatch.setattr("classroom.grading.cells.MAX_CELLS", 3)
        found = self.parse(ours, *[code(f"x = {i}") for i in range(5)])
        assert len(found.cells) == 3
        assert "has 5 cells; only the first 3" in found.notes[0]


class TestOutcomes:
    """Items that are worked on in processes, some of which die."""

    def outcomes(self, items, folder, workers=2, seconds=60.0):
        task = partial(dying.work, folder=folder)
        found = pool.outcomes(task, items, workers=workers, seconds=seconds, modules=["dying"])
        return {item: (result, failure) for item, result, failure in found}

    def test_each_costs_itself_alone(self, tmp_path):
        items = [("a", ""), ("b", "die"), ("c", ""), ("d", "raise"), ("e", "kill"), ("f", "")]
        found = self.outcomes(items, tmp_path)
        assert {name: result for (name, _), (result, _) in found.items() if result} == {
            "a": "A", "c": "C", "f": "F",
        }  # fmt: skip
        assert {name: failure for (name, _), (_, failure) in found.items() if failure} == {
            "b": "its process ended with status 3",
            "d": "KeyError: 'a mistake of ours'",
            "e": "its process ended with status -9",
        }
        assert len(list(tmp_path.iterdir())) == 6  # each was begun once
        assert not active_children()

    def test_it_takes_too_long(self, tmp_path):
        found = self.outcomes([("a", "sleep")], tmp_path, seconds=0.1)
        assert found == {("a", "sleep"): (None, "it took longer than 0.1 s")}

    @pytest.mark.skipif(sys.platform != "linux", reason="this system does not limit memory")
    def test_it_takes_too_much_memory(self, tmp_path):
        found = self.outcomes([("a", "take all memory")], tmp_path)
        assert found == {("a", "take all memory"): (None, "MemoryError: ")}

    def test_no_more_at_a_time_than_there_are_workers(self, tmp_path):
        items = [(str(i), "") for i in range(9)]
        task, begun, done = partial(dying.work, folder=tmp_path), 0, 0
        for _ in pool.outcomes(task, items, workers=3, seconds=60):
            done += 1
            begun = len(list(tmp_path.iterdir()))
            assert begun <= done + 3
        assert done == begun == 9

    def test_nothing_to_do(self, tmp_path):
        assert self.outcomes([], tmp_path) == {}

    @pytest.mark.parametrize("ended", ["killed", "closed"])
    def test_none_is_left_behind(self, tmp_path, ended):
        if ended == "closed":
            running = pool.outcomes(
                partial(dying.work, folder=tmp_path),
                [("a", "sleep"), ("b", "sleep"), ("c", "")], workers=3, seconds=600,
            )  # fmt: skip
            assert next(running)[1] == "C"
            running.close()
        else:
            script = (
                "import dying\nfrom functools import partial\nfrom pathlib import Path\n"
                "from classroom.grading.pool import outcomes\n"
                f"task = partial(dying.work, folder=Path({str(tmp_path)!r}))\n"
                "items = [('a', 'sleep'), ('b', 'sleep')]\n"
                "list(outcomes(task, items, workers=2, seconds=600))\n"
            )
            paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "grading")])
            environment = {**os.environ, "PYTHONPATH": paths}
            temporary = Path(tempfile.mkdtemp())  # as a socket in it needs a short path
            environment |= {"TMPDIR": str(temporary)}
            process = subprocess.Popen([sys.executable, "-c", script], env=environment)
            wait_for(lambda: len(list(tmp_path.glob("[ab]-*"))) == 2)
            assert len(list(temporary.glob("*/tmp*"))) == 2
            process.kill()
            process.wait()
            wait_for(lambda: not list(temporary.iterdir()))
            temporary.rmdir()
        for path in tmp_path.glob("[ab]-*"):
            wait_for(lambda pid=int(path.name[2:]): not is_alive(pid))


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# Runs of a class, with a grader that only counts: the number of exercises that define a function


def pretend(files: Submission, *, released: Path, seed: int, **settings) -> Result:
    """Full points for a cell that says "right", half of them for one that says "half"."""
    result = Result(
        exercises={},
        notes=list(files.notes),
        left_out=list(files.notes),
        regrade=files.regrade,
        output="",
        contained="pretended",
    )
    for exercise, points in POINTS.items():
        content = files.notebooks.get(NOTEBOOK[exercise], b"").decode()
        share = 1.0 if f"{exercise} right" in content else 0.5 * (f"{exercise} half" in content)
        passed, sentence = share == 1, "dW is N times too large"
        part = {"name": "all", "share": 1.0, "passed": passed, "sentence": sentence,
                "codes": [] if passed else ["scale_N"]}  # fmt: skip
        result["exercises"][exercise] = ExerciseResult(
            points=share * points,
            parts=[part],
            notes=[],
            source=f"# {exercise}",
            flags=[],
            pieces=[],
        )
    with (released / "graded").open("a", encoding="utf-8") as file:
        file.write(f"{seed}\n")
    return result


def answers(right=(), half=()):
    return {e: f"# {e} right" for e in right} | {e: f"# {e} half" for e in half}


def here(task, items, **settings):
    """Do in this process what `pool.outcomes` does in others."""
    for item in items:
        try:
            yield item, task(item), ""
        except Exception as error:
            yield item, None, f"{type(error).__name__}: {error}"


@pytest.fixture
def course(tmp_path, released, monkeypatch):
    """A class of three and a function that grades it here."""
    given = shutil.copytree(released, tmp_path / "released")
    hand_in(tmp_path / "class" / "anna", answers(POINTS))
    (tmp_path / "gradebook.db").touch()  # so that nbgrader has written the time
    bob = hand_in(
        tmp_path / "class" / "bob" / "assignment1",
        answers(["penalty"], ["sgd"]), timestamp="2030-01-02 12:00",
    )  # fmt: skip
    (tmp_path / "class" / "carol").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(submission, "grade_submission", pretend)
    monkeypatch.setattr(grading, "outcomes", here)
    monkeypatch.setattr(grading, "check_sandbox", lambda *_: "Contained, it is pretended.")

    def run(*options, expected=0, place=tmp_path / "class"):
        (given / "graded").unlink(missing_ok=True)
        folders = [str(place), "--out", str(tmp_path / "out")]
        status = command.main([*folders, "--released", str(given), "--workers", "2", *options])
        assert status == expected
        seeds = (given / "graded").read_text("utf-8").split() if (given / "graded").exists() else []
        return [int(seed) for seed in seeds]

    run.submissions, run.bob, run.out = tmp_path / "class", bob, tmp_path / "out"
    run.csv = lambda: (tmp_path / "out" / "grades.csv").read_bytes().decode()
    run.rows = lambda: {row["student"]: row for row in csv.DictReader(run.csv().splitlines())}
    run.of = lambda archive: run(place=archive)
    return run


class TestRun:
    def test_csv(self, course):
        assert len(course()) == 3
        header = "student,timestamp," + ",".join(POINTS) + ",extra,raw,late_penalty,total"
        nothing = ["0.00"] * len(POINTS)
        bob = [{"penalty": "5.00", "sgd": "4.00"}.get(exercise, "0.00") for exercise in POINTS]
        all_ = [f"{p}.00" for p in POINTS.values()]
        lines = [
            header,
            ",".join(["anna", "", *all_, "0.00,120.00,0.00,120.00"]),
            ",".join(["bob", "2030-01-02 12:00:00", *bob, "0.00,9.00,0.00,9.00"]),
            ",".join(["carol", "", *nothing, "0.00,0.00,0.00,0.00"]),
        ]
        assert course.csv() == "\n".join([*lines, ""])

    def test_only_what_is_new_or_changed_is_graded(self, course):
        first, before = course(), course.csv()
        assert len(set(first)) == 1
        assert course() == []
        assert course.csv() == before
        hand_in(course.bob, answers(["penalty"]), timestamp="2030-01-02 12:00")
        hand_in(course.submissions / "dave", answers(["search"]))
        second = course()
        assert len(second) == 2
        assert set(second) != set(first)  # a fresh seed for each run
        assert [course.rows()[name]["total"] for name in ("bob", "dave")] == ["5.00", "6.00"]

    def test_submissions_are_counted_and_a_seed_belongs_to_what_is_graded(self, course, capsys):
        course("--seed", "5")
        assert "3 submissions, 3 to be graded; seed 5\n" in capsys.readouterr().out
        course()
        assert "3 submissions, 0 to be graded\n" in capsys.readouterr().out
        for name in ("anna", "carol"):
            shutil.rmtree(course.submissions / name)
        course()
        assert "1 submission, 0 to be graded\n" in capsys.readouterr().out
        assert " 1 submission 9 points" in text_of((course.out / "summary.html").read_text("utf-8"))

    def test_seed(self, course):
        assert course("--seed", "7") == [7, 7, 7]
        assert course("--seed", "7") == []
        assert course() == []
        assert course("--seed", "8") == [8, 8, 8]

    def test_new_tests_or_settings_grade_again(self, course, monkeypatch):
        course()
        assert len(course("--budget", "200")) == 3
        assert len(course("--budget", "200")) == 0
        assert len(course("--budget", "200", "--call", "5")) == 3
        monkeypatch.setattr(grading, "version", lambda *_: "another")
        assert len(course()) == 3

    @pytest.mark.parametrize(
        ("stop", "status"), [(KeyboardInterrupt(), 130), (KeyboardInterrupt(signal.SIGTERM), 143)]
    )
    def test_an_interrupted_run_goes_on_with_its_seed(
        self, course, monkeypatch, capsys, stop, status
    ):
        written = []

        def write(path, text):
            if path.parent.name == "results":
                written.append(path)
                if len(written) == 2:
                    raise stop
            original(path, text)

        original = grading.write
        monkeypatch.setattr(grading, "write", write)
        (seed,) = set(course(expected=status))
        assert "all results so far are kept" in capsys.readouterr().err
        monkeypatch.setattr(grading, "write", original)
        assert not (course.out / "grades.csv").exists()
        assert set(course()) == {seed}
        assert course("--seed", "1") == [1, 1, 1]

    def test_a_page_is_made_again_only_when_something_has_changed(self, course, monkeypatch):
        made = []
        monkeypatch.setattr(grading, "version", lambda *_: "the same")

        def feedback_page(one, late, make=pages.feedback_page):
            made.append(one.student)
            return make(one, late)

        def made_by(*options):
            made.clear()
            course(*options)
            return made

        monkeypatch.setattr(pages, "feedback_page", feedback_page)
        assert made_by() == ["anna", "bob", "carol"]
        page = course.out / "feedback" / "anna.html"
        before = page.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(pages, "summary_page", None)
            assert made_by() == []
        page.write_text("edited", "utf-8")
        (course.out / "feedback" / "bob.html").unlink()
        (course.out / "summary.html").unlink()
        assert made_by() == ["anna", "bob"]
        assert page.read_bytes() == before
        assert (course.out / "summary.html").exists()
        hand_in(course.bob, answers(["penalty"]), timestamp="2030-01-02 12:00")
        assert made_by() == ["bob"]
        (course.out / "overrides.csv").write_text(
            "student,exercise,points,why\ncarol,sgd,1,x\n", "utf-8"
        )
        assert made_by() == ["carol"]
        assert made_by("--late", "zero") == ["anna", "bob", "carol"]
        monkeypatch.setattr(grading, "hash_of_code", lambda *_: "another template")
        assert made_by() == ["anna", "bob", "carol"]

    def test_a_result_that_is_no_json_is_graded_again(self, course):
        course()
        before = course.csv()
        (course.out / "results" / "anna.json").write_text('{"key": ', "utf-8")
        assert len(course()) == 1
        assert course.csv() == before

    def test_a_student_that_cannot_be_graded(self, course, monkeypatch, capsys):
        def failing(files, **settings):
            if b"sgd half" in files.notebooks.get(NOTEBOOK["sgd"], b""):
                raise ZeroDivisionError("a mistake of ours")
            return pretend(files, **settings)

        monkeypatch.setattr(submission, "grade_submission", failing)
        course(expected=1)
        assert "not graded: bob: ZeroDivisionError: a mistake of ours" in capsys.readouterr().err
        assert course.rows()["anna"]["total"] == "120.00"
        assert "ZeroDivisionError" in (course.out / "summary.html").read_text("utf-8")
        assert course.rows()["bob"]["total"] == course.rows()["bob"]["sgd"] == ""  # and no 0
        monkeypatch.setattr(submission, "grade_submission", pretend)
        assert len(course()) == 1
        assert course.rows()["bob"]["total"] == "9.00"

    def test_files_that_change_meanwhile(self, course, monkeypatch):
        def meddling(files, **settings):
            result = pretend(files, **settings)
            if not files.notebooks:
                hand_in(course.bob, answers(["search"]))
            return result

        monkeypatch.setattr(submission, "grade_submission", meddling)
        monkeypatch.setattr(grading, "outcomes", carol_first)
        course(expected=1)
        assert course.rows()["bob"]["total"] == ""  # not graded, and not half of each
        assert len(course()) == 1
        assert course.rows()["bob"]["total"] == "6.00"

    def test_where_submissions_cannot_be_contained(self, course, capsys, monkeypatch):
        def unavailable(*_, **__):
            raise UnavailableError("bubblewrap (bwrap) is not installed")

        monkeypatch.undo()
        monkeypatch.setattr(grading, "Sandbox", unavailable)
        course(expected=2)
        refusal = capsys.readouterr().err
        assert "make grade: bubblewrap (bwrap) is not installed. Submissions are con" in refusal
        assert "`apt-get install bubblewrap`" in refusal
        assert "Or give --uncontained" in refusal
        course("--uncontained", expected=2)
        assert capsys.readouterr().err.endswith("bubblewrap (bwrap) is not installed\n")

    def test_how_submissions_are_contained_is_said(self, course, capsys, monkeypatch):
        monkeypatch.setattr(
            grading, "check_sandbox", lambda _, contained, copies: f"contained {contained}"
        )
        course()
        assert "contained True" in capsys.readouterr().out
        course("--uncontained", "--seed", "4")
        assert "contained False" in capsys.readouterr().out

    def test_lock(self, course, capsys):
        course()
        with FileLock(course.out / ".lock"):
            course(expected=2)
        assert "another grader is at work in " in capsys.readouterr().err
        course()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--late", "sometimes"], "'sometimes' is no rule for late submissions"),
            (["--roster", "nowhere.csv"], "nowhere.csv is no file"),
            (["--workers", "0"], "must be at least 1"),
            (["--seed", "-3"], "--seed -3 is negative"),
            (["--released", "nowhere"], "run `make assignment` first"),
            (["--deadline", "tomorrow"], "'tomorrow' is no time: write it as in 2030-01-31T23:59"),
        ],
    )
    def test_refusals(self, course, options, message, capsys):
        with pytest.raises(SystemExit):
            course(*options)
        assert message in capsys.readouterr().err

    def test_an_output_that_is_a_file(self, course, capsys):
        (course.out / "file").touch()
        course("--out", str(course.out / "file"), expected=2)
        assert "cannot be written (Not a directory): give a folder that" in capsys.readouterr().err

    def test_help(self, capsys):
        with pytest.raises(SystemExit):
            command.main(["--help"])
        text = capsys.readouterr().out
        for option in ("--uncontained", "--roster", "--deadline", "--late", "--seed", "--released"):
            assert option in text
        assert str(ROOT) not in text

    def test_no_submissions_named(self, capsys):
        with pytest.raises(SystemExit):
            command.main([])
        assert "as in `make grade SUBMISSIONS=submitted`" in capsys.readouterr().err

    def test_no_students(self, course, capsys):
        shutil.rmtree(course.submissions)
        course.submissions.mkdir()
        (course.submissions / "all.txt").touch()
        course(expected=2)
        assert "holds no submission, but each student needs a folder" in capsys.readouterr().err

    def test_names_of_all_kinds(self, course):
        names = ["=1+1", "@x", "-a", "Ann Other", "a" * 255, "\u202egnp.exe", "é", "con", "ann\nb",
                 "'; DROP TABLE student;--", "<script>alert(1)<", "a.", "A", "a"]  # fmt: skip
        for name in names:
            (course.submissions / name).mkdir(exist_ok=True)
        (course.submissions / ".hidden").mkdir()
        (course.submissions / "notes.txt").touch()
        os.symlink(course.submissions / "anna", course.submissions / "link")
        undecodable = os.fsencode(course.submissions) + b"/\xff"
        os.mkdir(undecodable)
        course()
        rows = course.rows()
        assert len(rows) == 3 + len(names) + 2
        assert {"'=1+1", "'@x", "'-a", "Ann Other", "'; DROP TABLE student;--"} <= rows.keys()
        assert not any(name.startswith(tuple("=+-@\t\r")) for name in rows)
        assert rows["link"]["total"] == "0.00"
        pages = [path.name for path in (course.out / "feedback").iterdir()]
        assert len({page.casefold() for page in pages}) == len(rows)
        assert all(name.isascii() and name[0] not in ".-" for name in pages)
        summary = (course.out / "summary.html").read_text("utf-8")
        assert "notes.txt belongs to no student" in summary
        assert ".hidden is hidden" in summary
        assert course() == []


def carol_first(task, items, **settings):
    return here(task, sorted(items, key=lambda student: student.name != "carol"))


class TestTeacher:
    """What is entered in the tables counts from the next run on."""

    def test_points_by_hand_and_extensions(self, course):
        course("--deadline", "2030-01-02T00:00", "--late", "zero")
        assert course.rows()["bob"]["total"] == "0.00"
        with (course.out / "overrides.csv").open("a", encoding="utf-8") as file:
            file.write("bob,sgd,6.5,a good idea\nbob,extra,1,\n")
        with (course.out / "extensions.csv").open("a", encoding="utf-8") as file:
            file.write("bob,2030-01-03T00:00,ill\n")
        assert course() == []  # with the deadline and the rule of the last run
        page = (course.out / "feedback" / "bob.html").read_text("utf-8")
        assert "due 2030-01-03 00:00 UTC" in page
        assert "Changed by your teacher (4 by the tests): a good idea" in page
        row = course.rows()["bob"]
        assert (row["sgd"], row["extra"], row["total"]) == ("6.50", "1.00", "12.50")
        hand_in(course.bob, answers(["sgd"]), timestamp="2030-01-02 12:00")
        assert len(course()) == 1
        assert course.rows()["bob"]["total"] == "7.50"

    def test_a_table_that_is_wrong_is_refused_before_grading(self, course, capsys):
        course.out.mkdir(exist_ok=True)
        (course.out / "overrides.csv").write_text("student,exercise,points\nbob,sgd,x\n", "utf-8")
        assert course(expected=2) == []
        assert "line 2: 'x' is no number of points" in capsys.readouterr().err

    def test_times_of_students_do_not_count(self, course, tmp_path, capsys):
        late = ("--deadline", "2030-01-02T00:00", "--late", "zero")
        course(*late)
        assert course.rows()["bob"]["total"] == "0.00"
        said = capsys.readouterr().err
        assert "assignment1/timestamp.txt, which nbgrader's collect wrote, has the times." in said
        assert "2 have no time at which they were handed in, and count as in time: give" in said
        (tmp_path / "gradebook.db").unlink()
        assert course() == []
        assert (course.rows()["bob"]["total"], course.rows()["bob"]["timestamp"]) == ("9.00", "")
        note = "timestamp.txt of bob does not count, as students can write one"
        assert note in capsys.readouterr().err
        assert note in (course.out / "summary.html").read_text("utf-8")
        course("--collected", "nbgrader")
        assert course.rows()["bob"]["total"] == "0.00"
        (tmp_path / "times.csv").write_text("student,time\nbob,2030-01-01 12:00\n", "utf-8")
        course("--collected", str(tmp_path / "times.csv"))
        assert course.rows()["bob"]["total"] == "9.00"

    def test_another_maximum_is_told(self, course, tmp_path, capsys):
        roster = "Student,ID,Section,assignment1 (12)\n    Points Possible,,,100\nAnna,anna,,\n"
        (tmp_path / "class.csv").write_text(roster, "utf-8")
        course("--roster", str(tmp_path / "class.csv"))
        note = "assignment1 (12) in grades-lms.csv is scaled from 120 to 100 points"
        assert note in capsys.readouterr().err
        assert note in (course.out / "summary.html").read_text("utf-8")
        assert "Anna,anna,,100.00\n" in (course.out / "grades-lms.csv").read_text("utf-8")

    def test_a_new_column_is_told(self, course, tmp_path, capsys):
        roster = "Student,ID,Section,Assignment 1 (777)\n    Points Possible,,,100\nAnna,anna,,\n"
        (tmp_path / "class.csv").write_text(roster, "utf-8")
        course("--roster", str(tmp_path / "class.csv"))
        note = "No column of the roster is called 'assignment1'"
        assert note in capsys.readouterr().err
        assert note in text_of((course.out / "summary.html").read_text("utf-8"))
        course("--assignment", "Assignment 1")
        assert "Anna,anna,,100.00\n" in (course.out / "grades-lms.csv").read_text("utf-8")
        assert note not in capsys.readouterr().err

    def test_roster(self, course, tmp_path, capsys):
        (tmp_path / "class.csv").write_text("id,name\nanna,Anna\nbob,Bob\ndan,Dan\n", "utf-8")
        course("--roster", str(tmp_path / "class.csv"), "--lms-exercises")
        assert "handed in nothing: Dan" in capsys.readouterr().out
        with (course.out / "grades-lms.csv").open(encoding="utf-8") as file:
            rows = {row["id"]: row for row in csv.DictReader(file)}
        assert {name: row["assignment1"] for name, row in rows.items()} == {
            "anna": "120.00", "bob": "9.00", "dan": "",
        }  # fmt: skip
        assert rows["bob"]["assignment1 sgd"] == "4.00"
        page = text_of((course.out / "summary.html").read_text("utf-8"))
        assert "Handed in nothing Dan" in page
        assert "carol is not in class.csv." in page

    def test_the_roster_of_the_last_run_counts(self, course, tmp_path, capsys):
        table, filled = tmp_path / "class.csv", course.out / "grades-lms.csv"
        table.write_text("id,name\nanna,Anna\nbob,Bob\n", "utf-8")
        course("--roster", str(table), "--assignment", "first", "--lms-exercises")
        hand_in(course.bob, answers(["sgd"]), timestamp="2030-01-02 12:00")
        course()
        assert f"the roster is that of the last run, {table}" in capsys.readouterr().out
        (_, bob) = csv.DictReader(filled.read_text("utf-8").splitlines())
        assert (bob["first"], bob["first sgd"]) == ("8.00", "8.00")
        table.rename(tmp_path / "elsewhere.csv")
        course(expected=2)
        said = capsys.readouterr().err
        assert f"the roster of the last run, {table}, is gone: give another --roster" in said
        (tmp_path / "elsewhere.csv").rename(table)
        course("--no-lms-exercises")
        assert filled.read_text("utf-8") == "id,name,first\nanna,Anna,120.00\nbob,Bob,8.00\n"
        course("--roster", "none")
        said = capsys.readouterr().err
        assert f"{filled} of an earlier run is removed, as there is no roster" in said
        course()
        assert not filled.exists()

    def test_pages_call_students_by_their_names_on_the_roster(self, course, tmp_path):
        for name, new in {"bob": "17", "carol": "leon"}.items():
            shutil.move(course.submissions / name, course.submissions / new)
        roster = 'id,name\nanna,"Lee, Anna"\n17,Bob Day\n18,Dan\nleon,Noel\n'
        (tmp_path / "class.csv").write_text(roster, "utf-8")
        course("--roster", str(tmp_path / "class.csv"))
        page = text_of((course.out / "summary.html").read_text("utf-8"))
        for name in ("Handed in nothing Dan", "Bob Day (17)", "Lee, Anna (anna)", "Noel (leon)"):
            assert f" {name} " in page
        assert "Feedback for Bob Day (17)" in (course.out / "feedback/17.html").read_text("utf-8")
        assert course.rows()["17"]["total"] == "9.00"

    def test_tables_may_name_students_as_the_roster_does(self, course, tmp_path, capsys):
        roster = "id,name\nbob,Bo Chen\nanna,Al Yu\ncarol,Al Yu\ndan,Dan\n"
        (tmp_path / "class.csv").write_text(roster, "utf-8")
        with (course.out / "overrides.csv").open("w", encoding="utf-8") as file:
            file.write("student,exercise,points,why\n")
            file.writelines(f"{name},sgd,1,\n" for name in ("Bo Chen", "Dan", "Al Yu", "Bo Chan"))
        with (course.out / "extensions.csv").open("w", encoding="utf-8") as file:
            file.write("student,until,why\nBo Chen (bob),2030-01-03T00:00,ill\n")
        rules = ("--deadline", "2030-01-02T00:00", "--late", "zero")
        course(*rules, "--roster", str(tmp_path / "class.csv"))
        assert [course.rows()[it]["sgd"] for it in ("anna", "bob", "carol")] == [
            "8.00", "1.00", "0.00",
        ]  # fmt: skip
        assert course.rows()["bob"]["total"] == "6.00"  # in time
        table, said = course.out / "overrides.csv", capsys.readouterr().err
        assert f"{table}, line 3: 'Dan' handed in nothing." in said
        assert f"{table}, line 4: several are called 'Al Yu': there are 'Al Yu (" in said
        assert f"{table}, line 5: nobody is called 'Bo Chan': there are 'Bo Chen (bob)'" in said
        assert "line 2" not in said

    def test_who_is_gone_leaves_nothing(self, course):
        course()
        shutil.rmtree(course.submissions / "bob")
        assert course() == []
        assert {path.name for path in (course.out / "feedback").iterdir()} == {
            "anna.html", "carol.html",
        }  # fmt: skip
        assert "bob" not in course.csv() + (course.out / "summary.html").read_text("utf-8")

    def test_who_asks_for_another_look(self, course):
        template = "<!-- write below -->\n"
        (course.submissions / "anna" / "regrade.md").write_text(template, "utf-8")
        (course.submissions / "bob" / "regrade.md").write_text(template + "sgd: see why\n", "utf-8")
        course()
        page = text_of((course.out / "summary.html").read_text("utf-8"))
        assert "Asks for another look bob: sgd: see why" in page

    def test_the_archive_of_a_class(self, course, tmp_path):
        (course.submissions / "carol").rmdir()  # of an empty folder an archive knows nothing
        archive = shutil.make_archive(str(tmp_path / "all"), "zip", course.submissions)
        before = course() and course.csv()
        assert course.of(archive) == []  # the same bytes
        assert course.csv() == before

    def test_an_archive_is_unpacked_again_only_when_something_has_changed(
        self, course, tmp_path, monkeypatch
    ):
        def zip_class():
            return shutil.make_archive(str(tmp_path / "all"), "zip", course.submissions)

        def again(*options):
            unpacked.clear()
            course(*options, place=Path(archive))
            return len(unpacked)

        def opened(*arguments, open_class=grading.open_class):
            unpacked.append(arguments)
            shutil.rmtree(arguments[1] / "class", ignore_errors=True)  # which ends with a process
            return open_class(*arguments)

        unpacked, archive = [], zip_class()
        monkeypatch.setattr(grading, "open_class", opened)
        assert again() == 1
        before = course.csv(), (course.out / "summary.html").read_bytes()
        assert "2030-01-02 12:00:00" in before[0]
        assert again() == 0
        assert (course.csv(), (course.out / "summary.html").read_bytes()) == before
        (course.out / "results" / "bob.json").unlink()
        assert again() == 1
        assert course.csv() == before[0]
        assert [again("--seed", "5"), again("--seed", "5"), again()] == [1, 0, 0]
        (tmp_path / "gradebook.db").unlink()
        assert again() == 1
        assert "2030-01-02" not in course.csv()
        hand_in(course.bob, answers(["penalty"]))
        archive = zip_class()
        assert again() == 1
        assert course.rows()["bob"]["total"] == "5.00"


# The whole way: contained, with the hidden tests

RIGHT = {exercise: source for exercise, _, source in reversed(right_solutions.RIGHT)}
STOPS = {
    "svm_naive": "def hinge_loops(W, X, y, delta=1.0):\n    import os\n    os._exit(0)",
    "penalty": PENALTY_TWICE,
}


@pytest.mark.slow
class TestSubmission:
    def grade_folder(self, folder, released, **limits):
        (student,) = students_in(folder.parent)[0]
        files = read_submission(student, "assignment1", CELLS)
        return grade_submission(files, released=released, seed=1, limits=Limits(**limits))

    def grade(self, tmp_path, released, answers, added=()):
        anna = hand_in(tmp_path / "anna", answers)
        (anna / "01_svm.ipynb").write_text(notebook("01_svm", answers, added), "utf-8")
        return self.grade_folder(anna, released)

    def points(self, result):
        return {e: found["points"] for e, found in result["exercises"].items() if found["points"]}

    def test_all_right(self, tmp_path, released):
        assert self.points(self.grade(tmp_path, released, RIGHT)) == POINTS

    def test_nothing_done(self, tmp_path, released):
        result = self.grade(tmp_path, released, {})
        assert self.points(result) == {}
        assert {e["notes"][0] for e in result["exercises"].values()} == {
            "Not begun: the cell is as it was handed out."
        }
        assert result["contained"] == ""  # nothing was run

    def test_no_notebook_but_one(self, tmp_path, released):
        anna = hand_in(tmp_path / "anna", RIGHT, names=["04_dx_derivation"])
        result = self.grade_folder(anna, released)
        assert self.points(result) == {e: POINTS[e] for e in ("svm_dx", "softmax_dx", "net_dx")}
        assert result["exercises"]["penalty"]["notes"] == ["01_svm.ipynb was not handed in."]

    def test_no_notebook_at_all(self, tmp_path, released):
        anna = hand_in(tmp_path / "anna", {})
        (anna / "01_svm.ipynb").write_bytes(b"PK\x03\x04")
        result = self.grade_folder(anna, released)
        assert result["exercises"]["penalty"]["points"] is None  # and no 0
        assert result["exercises"]["penalty"]["notes"] == ["01_svm.ipynb could not be read."]
        assert result["notes"][0].startswith("01_svm.ipynb is no notebook: it is not valid JSON.")

    def test_one_that_is_no_notebook_and_no_other(self, tmp_path, released):
        anna = hand_in(tmp_path / "anna", {}, names=["01_svm"])
        (anna / "01_svm.ipynb").write_bytes(b"PK\x03\x04")
        result = self.grade_folder(anna, released)
        why, missing = result["left_out"]
        assert why.startswith("01_svm.ipynb is no notebook: it is not valid JSON.")
        assert missing.startswith("Not handed in: 10_images.ipynb, 02_softmax")
        assert result["notes"] == result["left_out"]

    def test_one_that_ends_the_process_costs_itself_alone(self, tmp_path, released):
        ends, again = code("import os\nos._exit(0)"), code(RIGHT["svm_gradient"])
        right = {e: RIGHT[e] for e in ("svm_gradient", "svm_dx")}
        result = self.grade(tmp_path, released, right | STOPS, [ends, again])
        assert self.points(result) == {"svm_gradient": 6, "svm_dx": 6, "penalty": 2}
        (note,) = result["exercises"]["svm_naive"]["notes"]
        assert note == "Stopped in hinge_loops: it ended its process, with status 0."
        assert result["notes"] == [
            "01_svm, cell 11: Stopped in a cell: it ended its process, with status 0. The cell was "
            "left out."
        ]
        assert "2 cells belong to this exercise" in result["exercises"]["svm_gradient"]["notes"][0]

    def test_an_exercise_whose_cell_ends_the_process(self, tmp_path, released):
        kills = PENALTY + "import os; os.kill(os.getpid(), 9)"
        result = self.grade(tmp_path, released, {"sgd": "exit = 1 / 0", "penalty": kills})
        assert self.points(result) == {}
        assert "The cell was left out" in result["exercises"]["penalty"]["notes"][0]
        assert result["exercises"]["sgd"]["notes"][0].startswith(
            "10_images, cell 3: ZeroDivisionError: division by zero"
        )

    def test_each_notebook_has_its_own_names(self, tmp_path, released):
        """As in Jupyter: a helper of one notebook is no helper of another."""
        penalty = "def helper(W):\n    return W\n" + PENALTY.replace("reg * W", "reg * helper(W)")
        answers = {"penalty": penalty, "softmax_naive": "def helper(W):\n    return None"}
        result = self.grade(tmp_path, released, answers)
        assert self.points(result) == {"penalty": 5}

    def test_a_cell_that_fails_defines_nothing(self, tmp_path, released):
        result = self.grade(tmp_path, released, {"penalty": "import nosuch\n" + PENALTY})
        part = result["exercises"]["penalty"]["parts"][0]
        assert part["codes"] == ["not_defined"]
        assert part["sentence"].startswith("There is no function penalty: its cell does not define")

    @pytest.mark.parametrize("in_its_cell", [True, False])
    def test_a_misspelled_name_is_told(self, tmp_path, released, in_its_cell):
        source = PENALTY.replace("def penalty", "def penatly")
        answers, added = ({"penalty": source}, []) if in_its_cell else ({}, [code(source)])
        if not in_its_cell:
            answers["penalty"] = "pass"
        result = self.grade(tmp_path, released, answers, added)
        notes = " ".join(result["exercises"]["penalty"]["notes"])
        assert "penatly is defined instead: is it meant to be penalty?" in notes

    def test_printed(self, tmp_path, released):
        result = self.grade(tmp_path, released, {"penalty": PENALTY + "print('<b>\\x1b[2J')"})
        assert result["output"] == "01_svm:\n<b>\ufffd[2J\n\n"

    def test_out_of_time(self, tmp_path, released):
        anna = hand_in(tmp_path / "anna", {"penalty": "while True: pass", "sgd": "x = 1"})
        result = self.grade_folder(anna, released, wall=0.5)
        assert result["exercises"]["penalty"]["notes"] == [
            "01_svm, cell 9: Stopped here: the time for all exercises together was used up. The "
            "cell was left out."
        ]
        assert "was used up before this one" in result["exercises"]["sgd"]["notes"][0]


#: The command, but it says when a result is written, and waits for a line before it goes on.
STEPS = """
import sys
from classroom.grading import run
def write(path, text, write=run.write):
    write(path, text)
    if path.parent.name == "results":
        print("written", flush=True)
        sys.stdin.readline()
run.write = write
import classroom.grading.__main__
"""


class Killed:
    """A class that is graded by the command itself, in a folder of its own."""

    QUICK = ("svm_naive", "penalty", "search", "net_forward")

    def __init__(self, folder, released):
        self.out = folder / "out"
        self.out.mkdir()
        for i, exercise in enumerate(self.QUICK):
            hand_in(folder / "class" / f"student {i}", {exercise: RIGHT[exercise]})
        hand_in(folder / "class" / "wild", STOPS | {"search": RIGHT["search"]})
        self.options = [folder / "class", "--out", self.out, "--released", released]
        self.options += ["--workers", "2", "--deadline", "2030-01-01"]

    def start(self, program, *options):
        return subprocess.Popen(
            [sys.executable, *program, *self.options, *options],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", start_new_session=True,
        )  # fmt: skip

    def start_until_a_result(self, *options):
        process = self.start(["-c", STEPS], *options)
        said = ""
        for line in process.stdout:
            if line == "written\n":
                return process, said
            said += line
        raise AssertionError(process.communicate())

    def run(self, *options):
        process = self.start(["-m", "classroom.grading"], *options)
        output = process.communicate()
        assert process.returncode == 0, output
        return output[0]

    def csv(self):
        return (self.out / "grades.csv").read_bytes().decode()

    def results(self):
        return list((self.out / "results").glob("[!.]*"))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, released):
    graded = Killed(tmp_path_factory.mktemp("undisturbed"), released)
    graded.run("--seed", "3")
    return graded


@pytest.mark.slow(20)
class TestWholeRun:
    def test_stopped_and_started_again(self, undisturbed, tmp_path, released, monkeypatch):
        """By Ctrl-C, which a terminal sends to the group; test_interrupts sends other signals."""
        temporary = Path(tempfile.mkdtemp())
        monkeypatch.setenv("TMPDIR", str(temporary))
        graded = Killed(tmp_path, released)
        process, _ = graded.start_until_a_result("--seed", "3")
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate()
        assert process.returncode == 128 + signal.SIGINT
        assert errors.strip() == (
            "stopped: all results so far are kept, and the same command goes on with the rest"
        )
        process, said = graded.start_until_a_result()  # with the seed of the one interrupted
        process.kill()
        process.communicate()
        assert "5 submissions, 4 to be graded; seed 3" in said
        assert len(graded.results()) == 2

        output = graded.run()
        assert "5 submissions, 3 to be graded; seed 3" in output
        assert graded.csv() == undisturbed.csv()
        temporary.rmdir()  # which is empty

    def test_points(self, undisturbed):
        rows = {row["student"]: row for row in csv.DictReader(undisturbed.csv().splitlines())}
        for i, exercise in enumerate(Killed.QUICK):
            row = rows[f"student {i}"]
            assert float(row["total"]) == float(row[exercise]) == POINTS[exercise]
        assert rows["wild"]["total"] == "8.00"


HOSTILE = (
    "</pre></style><script>alert(1)</script><img src=x onerror='a' \"> {{ 7 * 7 }} {% raw %} &lt;"
)


def graded(text, code_="scale_N"):
    """Return a student with one text in all places where a student, or a checker, has a say."""
    exercises = {}
    for i, (exercise, points) in enumerate(POINTS.items()):
        parts = [
            {"name": "loss", "share": 0.5, "passed": i % 3 != 0, "sentence": text, "codes": []},
            {"name": text, "share": 0.5, "passed": i % 3 == 2, "sentence": text,
             "codes": [] if i % 3 == 2 else [code_]},
        ]  # fmt: skip
        share = sum(part["share"] for part in parts if part["passed"])
        exercises[exercise] = ExerciseResult(
            points=points * share,
            parts=parts,
            notes=[text],
            source=text,
            flags=[text],
            pieces=[*range(99)],
        )
    result = Result(
        exercises=exercises, notes=[text], left_out=[], regrade=text, output=text, contained=text
    )
    points = {e: found["points"] for e, found in exercises.items()}
    raw = sum(points.values())
    row = Row(points, {}, 0.0, raw, 0.1 * raw, 0.9 * raw, 4000.0, datetime(2030, 1, 1))
    return Graded(text, "feedback/x.html", datetime(2030, 1, 2, 3, 4, 5), row, result)


class Structure(html.parser.HTMLParser):
    """The tags and attributes of a page, without its text; and all of its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, sorted(name for name, _ in attributes)))

    def handle_data(self, data):
        self.text += data


def text_of(page):
    return " ".join(Structure(page).text.split())


class TestPages:
    DUE = datetime(2030, 1, 1)

    def pages(self, text):
        one = graded(text)
        failed = Graded(text, "feedback/y.html", None, one.row, None, text)
        return (
            feedback_page(one, "10%/day"),
            feedback_page(failed, "none"),
            summary_page([one, failed], [text], self.DUE, "10%/day", text),
        )

    def test_no_text_becomes_a_tag(self):
        for hostile, harmless in zip(self.pages(HOSTILE), self.pages("harmless"), strict=True):
            found, expected = Structure(hostile), Structure(harmless)
            assert found.tags == expected.tags
            assert HOSTILE in found.text  # and is shown as it is
            assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in found.tags}
            assert "Content-Security-Policy" in hostile
            assert "://" not in hostile  # nothing is loaded from elsewhere

    def test_feedback_says_what_happened(self):
        text = text_of(self.pages("dW is N times too large")[0])
        for sentence in [
            "Feedback for",
            "Handed in 2030-01-02 03:04 UTC, due 2030-01-01 00:00 UTC.",
            "Handed in 1 hour 6 minutes after the deadline; 10% is taken off for each day",
            "loss (2.5): dW is N times too large",
            "6 of 19 exercises are solved.",
        ]:
            assert sentence in text

    def test_a_sentence_is_said_once(self):
        one = graded("anna")
        part = PartResult(name="W1", share=0.3, passed=False, sentence="W1 is None.", codes=[])
        one.result["exercises"]["net_backward"]["parts"] = [part, {**part, "name": "b1"}]
        text = text_of(feedback_page(one, "none"))
        assert text.count("W1 is None.") == 1
        assert "b1 (3): as for W1." in text

    def test_exercises_of_which_the_same_is_said_share_a_card(self):
        one = graded("anna")
        empty = {"points": 0.0, "parts": [], "source": "", "notes": ["Not begun."]}
        for exercise in ("sgd", "search", "svm_naive"):
            one.result["exercises"][exercise] |= empty
            one.row.points[exercise] = 0.0
        text = text_of(feedback_page(one, "none"))
        assert "2 exercises gradient_descent grid_search 0 of 14 Not begun." in text
        assert text.count("Not begun.") == 2  # another notebook has a card of its own
        for exercise in ("sgd", "search"):
            one.row.points[exercise] = one.result["exercises"][exercise]["points"] = None
        text = text_of(feedback_page(one, "none"))
        assert "of 14 points 2 exercises gradient_descent grid_search not graded" in text

    def test_where_points_are_to_be_gained(self):
        one = graded("anna")
        one.row.points.update(POINTS)
        assert "Every exercise is solved. Well done!" in text_of(feedback_page(one, "none"))
        one.row.points.update(adam=4.5, sgd=0.0)
        text = text_of(feedback_page(one, "none"))
        assert "17 of 19 exercises are solved. To be gained are" in text
        assert "8 in gradient_descent, 1.5 in adam." in text

    def test_pages_stay_small(self):
        one = graded("anna")
        one.result["notes"] = many = [f"cell {k}: {'x' * 400}" for k in range(6000)]
        one.result["regrade"] = "y" * 100_000
        for found in one.result["exercises"].values():
            found |= {"parts": [], "notes": many}
        failed = Graded("ben", "feedback/y.html", None, one.row, one.result)
        summary = summary_page([one, failed], [], None, "none", "assignment1")
        feedback = feedback_page(one, "none")
        assert "And 5994 more of this kind." in summary
        assert "And 5980 more of this kind." in feedback
        assert len(summary) < 60_000
        assert len(feedback) < 400_000

    def test_flags_of_one_kind_share_a_line(self):
        one = graded("anna")
        for number, found in enumerate(one.result["exercises"].values()):
            found["flags"] = [f"Loops: f{number} (line 2)"] if number < 2 else []
        page = text_of(summary_page([one], [], None, "none", "assignment1"))
        assert "Loops: f0 (line 2), f1 (line 2)." in page

    def test_summary_counts(self):
        class_ = [graded(f"student {i}", code_) for i, code_ in enumerate(["a", "b", "b"])]
        text = text_of(summary_page(class_, [], None, "none", "assignment1"))
        assert text.index("2 students in") < text.index("1 student in")  # the most frequent first
        total = shown_points(class_[0].row.total)
        assert f"{total} points on average, of 120" in text

    def test_who_is_not_graded_is_in_no_mean(self):
        one, other = graded("anna"), graded("bob")
        points = dict.fromkeys(POINTS, 0.0) | {"adam": None}
        other = replace(other, row=replace(other.row, points=points, raw=None, total=None))
        alone = text_of(summary_page([one], [], None, "none", "assignment1"))
        both = text_of(summary_page([one, other], [], None, "none", "assignment1"))
        exercises = [it.split("Mean ")[1].split("What went")[0] for it in (alone, both)]
        assert exercises[0] == exercises[1]

    def test_summary_says_what_a_teacher_may_look_into(self):
        one = graded("anna")
        of_sgd, points = one.result["exercises"]["sgd"], one.row.points["penalty"]
        of_sgd |= {"parts": [], "notes": ["Stopped: it took longer than 20 s."]}
        one.row.points["penalty"] = points + 1
        page = text_of(summary_page([one], [], None, "none", "assignment1"))
        assert "gradient_descent: Stopped: it took longer than 20 s." in page
        by_hand, by_tests = shown_points(points + 1), shown_points(points)
        assert (
            f"penalty: {by_hand} points by the teacher (no reason given), {by_tests} by the tests."
            in page
        )

    def test_summary_says_how_many_were_contained(self):
        class_ = [graded(name) for name in "abc"]
        class_[1].result["contained"] = ""
        for one in (class_[0], class_[2]):
            one.result["contained"] = "Contained by bubblewrap."
        page = text_of(summary_page(class_, [], None, "none", "assignment1"))
        assert page.endswith(
            "2 submissions: Contained by bubblewrap. 1 submission: No code was run."
        )

    def test_summary_says_who_has_no_time(self):
        page = self.pages("text")[2]
        assert "10% is taken off for each day that has begun" in page
        assert "1 of 2 submissions have no time at which they were handed in" in page

    @pytest.mark.parametrize("totals", [[0.0], [100.0], [99.99, 0, 50, 105, -1]])
    def test_histogram(self, totals):
        bars = histogram(totals, 100)
        assert sum(bar["count"] for bar in bars) == len(totals)
        assert max(bar["height"] for bar in bars) == 1
        assert bars[-1]["high"] == "100"
