"""Why an exercise got its points: who is meant, what is shown, and what stops it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from handed_in import hand_in

from classroom.grading import why
from classroom.sandbox import Limits, Stopped, UnavailableError

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
        assert "\nAnna Lee, hinge_loops, seed 0\n" in ask(name, "svm_naive").out

    def test_an_exercise_goes_by_its_key_or_its_function(self, ask):
        assert ask("bob", "gradient_descent").out == ask("bob", "sgd").out

    def test_by_the_id_of_the_lms(self, ask):
        hand_in(ask.place / "Doe Eve_17_assignsubmission_file_")
        assert "\nDoe Eve, hinge_loops" in ask("17", "svm_naive").out

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
            assert "\nbob, hinge_loops" in ask(name, "svm_naive").out
        assert "'Dan' handed in nothing" in ask("Dan", "penalty", status=2).err
        assert "there are 'Chen, Bo (bob)', 'Ann Li (Anna Lee)'" in ask("Che", "adam", status=2).err
        table.unlink()
        assert "there are 'Anna Lee', 'bob'\n" in ask("Bo Chen", "penalty", status=2).err

    @pytest.mark.parametrize(
        ("position", "value", "text"),
        [(0, "nowhere", "nowhere is not there: give what was graded"),
         (2, "svm", "no exercise 'svm': the choices are svm_naive (hinge_loops), svm_gradient"),
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
            "  01_svm.ipynb was not handed in.\n  not judged, of 5 points\n"
        )

    def test_not_begun(self, ask):
        assert ask("Anna Lee", "sgd").out.endswith(
            "  Not begun: the cell is as it was handed out.\n  0 of 8 points\n"
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
          "  raised    Stopped in penalty: it ended its process, with status 3."),
         ("import os\nos._exit(3)\ndef penalty(): pass", "Stopped in a cell: it ended its")],
    )  # fmt: skip
    def test_a_contained_run_that_dies(self, ask, source, said):
        hand_in(ask.place / "Anna Lee", {"penalty": source})
        found = ask("Anna Lee", "penalty")
        assert said in found.out
        assert found.out.endswith("\n  0 of 5 points\n")
        assert "Traceback" not in found.err

    @pytest.mark.slow
    def test_its_time_is_limited(self, ask, monkeypatch):
        monkeypatch.setattr(why, "Limits", lambda: Limits(call=0.5))
        hand_in(ask.place / "Anna Lee", {"penalty": "def penalty(*_, **__):\n    while True: pass"})
        assert "it took longer than 0.5 s" in ask("Anna Lee", "penalty").out


@pytest.mark.slow
def test_a_contained_run_shows_what_was_called_returned_and_expected(ask):
    found = ask("Anna Lee", "penalty").out
    first = found.split("call 2:")[0]
    returned, expected = (
        [line.split(maxsplit=1)[1] for line in first.splitlines() if line.startswith(f"  {word}")]
        for word in ("returned", "expected")
    )
    assert first.startswith("\ncall 1: penalty(\n")
    assert len(returned) == len(expected) == 1
    assert returned != expected
    assert "): passed\n" in found
    assert "): failed: " in found
    assert found.endswith("\n  2 of 5 points\n")


class TestWatched:
    def shown(self, capsys, exercise, function, *args, **kwargs):
        why.Watched(exercise, function)(*args, **kwargs)
        return capsys.readouterr().out

    def test_a_call(self, capsys):
        W = np.array([[1.0, 2.0]])
        assert self.shown(capsys, "penalty", lambda W, reg: (7, None), W, reg=2.0) == (
            "\ncall 1: penalty(\n    [[1, 2]],\n    reg=2,\n)\n"
            "  returned  (7, None)\n  expected  {'value': 5, 'gradient': [[2, 4]]}\n"
        )

    def test_what_the_reference_refuses_has_no_expected_value(self, capsys):
        assert "expected" not in self.shown(capsys, "penalty", lambda W: 7, np.ones(2))

    def test_what_has_no_reference(self, capsys):
        assert "expected" not in self.shown(capsys, "sgd", lambda loss: 7, lambda: 1)

    def test_an_error_passes(self, capsys):
        with pytest.raises(ZeroDivisionError):
            self.shown(capsys, "sgd", lambda: 1 / 0)
        assert "  raised    division by zero\n" in capsys.readouterr().out

    def test_the_first_calls_are_shown(self, capsys):
        watched = why.Watched("sgd", lambda: 7)
        assert [watched() for _ in range(why.MOST_CALLS + 3)] == [7] * (why.MOST_CALLS + 3)
        shown = capsys.readouterr().out
        assert shown.count("returned") == why.MOST_CALLS
        assert shown.endswith("\nand more calls\n")


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
