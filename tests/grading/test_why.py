"""Why an exercise got its points: who is meant, what is shown, and what stops it."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from handed_in import hand_in
from right_solutions import defined
from wrong_solutions import FIRST, WRONG

from classroom.grading import why
from classroom.grading.example import named, shown
from classroom.grading.rubrics import grade_exercise
from classroom.release.bundle import write_zip
from classroom.sandbox import Limits, Stopped, UnavailableError
from cs231n_helpers.workbook import solutions

HALF = """\
def penalty(W, reg, reg_scale=0.5):
    return reg_scale * reg * np.sum(W**2), reg_scale * reg * W
"""


@pytest.fixture
def ask(tmp_path, released, capsys):
    """Ask about a class of one who did something and one who did not."""
    place = tmp_path / "class"
    hand_in(place / "Anna Lee", {"penalty": HALF})
    (place / "bob").mkdir()

    def ask(student, exercise, *options, status=0):
        command = [str(place), student, exercise, "--released", str(released)]
        assert why.main([*command, "--out", str(tmp_path / "out"), *options]) == status
        return capsys.readouterr()

    ask.place = place
    return ask


class TestWho:
    @pytest.mark.parametrize("name", ["Anna Lee", "annalee", "ANNA LEE", "Anna_Lee-987d0b0b"])
    def test_a_student_is_found_as_on_the_page_or_by_file(self, ask, name):
        assert "Anna Lee, hinge_loops, seed 0: " in ask(name, "svm_naive").out

    def test_an_exercise_goes_by_its_key_or_its_function(self, ask):
        assert ask("bob", "gradient_descent").out == ask("bob", "sgd").out

    def test_by_the_id_of_the_lms(self, ask):
        hand_in(ask.place / "Doe Eve_17_assignsubmission_file_")
        assert "Doe Eve, hinge_loops" in ask("17", "svm_naive").out

    def test_nobody(self, ask):
        said = ask("ann", "penalty", status=2).err
        assert said == f"{ask.place}: nobody is called 'ann': there are 'Anna Lee', 'bob'\n"

    def test_two_of_one_name(self, ask):
        hand_in(ask.place / "anna.lee")
        hand_in(ask.place / "anna lee")
        assert "several are called 'Anna Lee'" in ask("Anna Lee", "penalty", status=2).err

    def test_by_the_name_on_the_roster_of_the_last_run(self, ask, tmp_path):
        table = tmp_path / "class.csv"
        table.write_text('id,name\nbob,"Chen, Bo"\nAnna Lee,Ann Li\ndan,Dan\n', "utf-8")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "run.json").write_text(json.dumps({"roster": str(table)}), "utf-8")
        for name in ("Bo Chen", "Chen, Bo", "Chen, Bo (bob)", "bob"):
            assert "bob, hinge_loops" in ask(name, "svm_naive").out
        assert "'Dan' handed in nothing" in ask("Dan", "penalty", status=2).err
        assert "there are 'Chen, Bo (bob)', 'Ann Li (Anna Lee)'" in ask("Che", "adam", status=2).err
        table.unlink()
        assert "there are 'Anna Lee', 'bob'\n" in ask("Bo Chen", "penalty", status=2).err

    @pytest.mark.parametrize(
        ("position", "value", "text"),
        [(0, "nowhere", "nowhere is not there: give what was graded"),
         (2, "svm", "no exercise 'svm': the choices are svm_naive (hinge_loops), svm_gradient"),
         (1, "", "STUDENT missing: make grade-why STUDENT=anna"),
         (2, "", "EXERCISE missing: make grade-why STUDENT=anna"),
         (4, "nowhere", "nowhere has no 01_svm.ipynb: run `make assignment` first")],
    )  # fmt: skip
    def test_what_is_not_there(self, ask, released, capsys, position, value, text):
        arguments = [str(ask.place), "bob", "penalty", "--released", str(released)]
        arguments[position] = value
        with pytest.raises(SystemExit, match="2"):
            why.main(arguments)
        assert text in capsys.readouterr().err

    def test_the_data_are_those_of_its_grades(self, ask, tmp_path):
        (tmp_path / "out" / "results").mkdir(parents=True)
        (tmp_path / "out" / "results" / "bob.json").write_text(json.dumps({"seed": 77}), "utf-8")
        assert "bob, penalty, seed 77" in ask("bob", "penalty").out


class TestNothingToCall:
    """Says so, without a sandbox."""

    def test_not_handed_in(self, ask):
        assert ask("bob", "penalty").out.endswith(
            "penalty, seed 0: not judged, of 5 points\n  01_svm.ipynb was not handed in.\n"
        )

    def test_not_begun(self, ask):
        assert ask("Anna Lee", "sgd").out.endswith(
            "seed 0: 0 of 8 points\n  Not begun: the cell is as it was handed out.\n"
        )


class TestStopped:
    @pytest.mark.parametrize(
        ("error", "status", "said"),
        [(UnavailableError("bwrap is not installed"), 2, "bwrap is not installed. Submissions are"),
         (Stopped("time", "Stopped in a cell: \x1b[2J"), 1, "Stopped in a cell: \\x1b[2J\n"),
         (RuntimeError("Anna Lee: changed while"), 1, "Anna Lee: changed while\n")],
    )  # fmt: skip
    def test_grading_cannot_begin(self, ask, monkeypatch, error, status, said):
        def grade_student(*_, **settings):
            assert settings["contained"]
            raise error

        monkeypatch.setattr(why, "grade_student", grade_student)
        assert said in ask("Anna Lee", "penalty", status=status).err

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("source", "said"),
        [("def penalty(W, reg, reg_scale=0.5):\n    import os\n    os._exit(3)",
          "raised\n    Stopped in penalty: it ended its process, with status 3."),
         ("import os\nos._exit(3)\ndef penalty(): pass", "Stopped in a cell: it ended its")],
    )  # fmt: skip
    def test_a_contained_run_that_dies(self, ask, source, said):
        hand_in(ask.place / "Anna Lee", {"penalty": source})
        found = ask("Anna Lee", "penalty")
        assert said in found.out
        assert found.out.startswith("Anna Lee, penalty, seed 0: 0 of 5 points\n")
        assert "Traceback" not in found.err

    @pytest.mark.slow
    def test_its_time_is_limited(self, ask, monkeypatch):
        monkeypatch.setattr(why, "Limits", lambda: Limits(call=0.5))
        hand_in(ask.place / "Anna Lee", {"penalty": "def penalty(*_, **__):\n    while True: pass"})
        assert "it took longer than 0.5 s" in ask("Anna Lee", "penalty").out


@pytest.mark.slow
class TestContained:
    """What is printed, from the verdict to the code."""

    def test_the_verdict_then_one_small_call_then_the_code(self, ask):
        verdict, call, code = ask("Anna Lee", "penalty").out.split("\n\n", 2)
        assert verdict.startswith("Anna Lee, penalty, seed 0: 2 of 5 points\n  value (2): passed\n")
        assert "  gradient (3): lost\n    " in verdict
        assert call == "One call:"
        shown, code = code.split("\n\nThe code:\n\n")
        assert code.startswith("   1  def penalty(W, reg, reg_scale=0.5):\n   2      return ")
        assert re.fullmatch(
            r"penalty\(W, reg\) with\n    W = (.*)\n    reg = (.*)\n"
            r"returned\n    penalty = .*\n    gradient of the penalty = (.*)\n"
            r"expected\n    gradient of the penalty = (.*)\n"  # no penalty, which is right
            r"differs most\n    gradient of the penalty\[\d, \d\] is (\S*), expected (\S*)",
            shown, re.DOTALL,
        )  # fmt: skip
        assert all(len(numbers.split(",")) <= 3 for numbers in re.findall(r"\[([^[\]]*)\]", shown))

    def test_all_calls_where_they_are_asked_for(self, ask):
        found = ask("Anna Lee", "penalty", "--all").out
        assert "\ncall 1: penalty(\n" in found.split("\nThe code:")[1]
        assert found.count("\n  returned  ") == found.count("\ncall ") > 5

    def test_where_all_is_right_no_call_is_shown(self, ask):
        hand_in(ask.place / "Anna Lee", {"penalty": FIRST["penalty"]})
        assert "5 of 5 points\n  value (2), gradient (3): passed\n\nThe code" in (
            ask("Anna Lee", "penalty").out
        )

    def test_a_reference_that_was_pasted_in_is_flagged(self, ask, tmp_path, released):
        build = tmp_path / "build"
        shutil.copytree(released, build / "assignment")
        source = solutions()["penalty"]
        write_zip(build / "reference.zip", {"penalty.py": source.encode()})
        hand_in(ask.place / "Anna Lee", {"penalty": source})
        found = ask("Anna Lee", "penalty", "--released", str(build / "assignment"))
        assert "Lee, penalty, seed 0: 5 of 5 points\n" in found.out
        assert "  Flagged: As in the reference: penalty.\n" in found.out


NO_CALL = "labels|the whole of X|drawn once|first rows|generator|penalty is not passed|in order|few"


FEW = [it for it in WRONG[::4] if it.name != "x never flat"]  # wrong with images alone, all large


@pytest.mark.parametrize("wrong", FEW, ids=lambda it: f"{it.exercise}: {it.name}")
def test_nearly_every_mistake_is_shown_by_a_small_call(wrong):
    function = defined(wrong.source, wrong.exercise)
    watched = why.Watched()
    rng = np.random.default_rng(3)
    grade_exercise(wrong.exercise, watched(wrong.exercise, function), rng)
    if not watched.failed:  # what it returns fits what its callback was asked
        assert wrong.exercise in ("sgd", "net_training", "search")
        assert re.search(NO_CALL, wrong.name)
        return
    tried = why.Smaller(watched.failed[0])
    with pytest.raises(Stopped):
        tried(wrong.exercise, lambda *args: function(*map(as_rng, args)))()
    assert tried.found
    text = shown(tried.found)
    assert "..." not in text
    assert ("expected" in text) == bool(tried.found.wrong or tried.found.error)
    assert ("which is now" in text) == bool(tried.found.changed)


def as_rng(value):
    return np.random.RandomState(int(value)) if isinstance(value, why.Seed) else value


class TestWatched:
    def shown(self, exercise, function, *args):
        watched = why.Watched()
        watched(exercise, function)(*args)
        return watched

    def test_a_call(self):
        watched = self.shown("penalty", lambda W, reg: (7, None), np.array([[1.0, 2.0]]), 2.0)
        assert watched.calls == [
            "penalty(\n    [[1, 2]],\n    2,\n)\n"
            "  returned  (7, None)\n  expected  {'penalty': 5, 'gradient of the penalty': [[2, 4]]}"
        ]
        assert watched.failed == [watched.first]

    def test_only_what_the_function_returns_is_expected(self):
        data = np.ones((2, 3)), np.ones((4, 2)), np.zeros(4, int)
        assert list(self.shown("svm_gradient", lambda *_: 7, *data).first.expected) == ["dW"]

    def test_what_the_reference_refuses_has_no_expected_value(self):
        assert "expected" not in self.shown("penalty", lambda W: 7, np.ones(2)).calls[0]

    def test_an_error_passes(self):
        watched = why.Watched()
        with pytest.raises(ZeroDivisionError):
            watched("penalty", lambda W: 1 / 0)(np.ones(2))
        assert watched.calls[0].endswith("  raised    division by zero")


def test_numbers_of_large_arrays_are_left_out():
    assert named("X", np.arange(36.0).reshape(6, 6)).endswith(
        "[30., 31., ..., 34., 35.]]  # (6, 6)"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"W1": np.zeros(2)}, "{'W1': [0, 0]}"),
        ((1.0, None), "(1, None)"),
        (why.Seed(3), "RandomState(3)"),
        (len, "a function that notes how it is called"),
        ("\x1b[2J", "'\\x1b[2J'"),
        (np.full((5, 5), np.nan), "(5, 5) float64 from nan to nan, mean nan"),
        ("long" * 999, repr("long" * 999)[:300]),
    ],
)
def test_values_as_text(value, text):
    assert why.as_text(value) == text
