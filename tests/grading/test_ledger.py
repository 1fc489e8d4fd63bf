"""Points by hand, extensions, lateness, and the tables that go back to the LMS."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from test_collect import CANVAS, MOODLE, NBGRADER

from classroom.grading.collect import Student
from classroom.grading.exercises import POINTS
from classroom.grading.ledger import Ledger, make_tables, share_lost
from classroom.grading.roster import Roster
from classroom.grading.text import table_cell

DUE = datetime(2030, 1, 1, 12)
FULL = {exercise: float(points) for exercise, points in POINTS.items()}


@pytest.fixture
def ledger(tmp_path):
    def make(overrides="", extensions="", late="10%/day"):
        make_tables(tmp_path)
        for name, lines in [("overrides", overrides), ("extensions", extensions)]:
            with (tmp_path / f"{name}.csv").open("a", encoding="utf-8") as file:
                file.write(lines)
        return Ledger.read(tmp_path, DUE, late)

    return make


@pytest.mark.parametrize(
    ("rule", "shares"),
    [("none", [0, 0, 0]), ("zero", [1, 1, 1]), ("10%/day", [0.1, 0.2, 1]),
     ("1.5%/hour", [0.015, 0.375, 1])],
)  # fmt: skip
def test_late(ledger, rule, shares):
    """An hour, 24.5 hours and a month late."""
    late = (timedelta(hours=1), timedelta(hours=24.5), timedelta(30))
    for by, share in zip(late, shares, strict=True):
        row = ledger(late=rule).row(["anna"], FULL, DUE + by)
        assert row.raw == 120
        assert row.penalty == pytest.approx(120 * share)
        assert row.total == pytest.approx(120 - 120 * share)
    assert ledger(late=rule).row(["anna"], FULL, DUE).penalty == 0
    assert ledger(late=rule).row(["anna"], FULL, None).penalty == 0


def test_points_by_hand(ledger):
    book = ledger("anna,sgd,6.5,nearly there\nanna,extra,2,a bonus\n")
    row = book.row(["anna", "17"], FULL, None)
    assert (row.points["sgd"], row.extra, row.raw) == (6.5, 2, 120 - 8 + 6.5 + 2)
    assert row.why == {"sgd": "nearly there", "extra": "a bonus"}
    assert book.row(["bob"], FULL, None).raw == 120
    assert [*book.named] == ["anna"]


def test_an_exercise_goes_by_its_function_too(ledger):
    row = ledger("anna,gradient_descent,6.5,nearly\n").row(["anna"], FULL, None)
    assert (row.points["sgd"], row.why) == (6.5, {"sgd": "nearly"})


def test_they_can_name_the_id_of_the_lms(ledger):
    assert ledger("17,sgd,1,x\n").row(["leeanna", "17"], FULL, None).points["sgd"] == 1


def test_an_extension(ledger):
    book = ledger(extensions="anna,2030-01-02T12:00,ill\n")
    assert book.row(["anna"], FULL, DUE + timedelta(1)).penalty == 0
    assert book.row(["anna"], FULL, DUE + timedelta(1.5)).penalty == 12
    assert book.row(["anna"], FULL, None).due == datetime(2030, 1, 2, 12)


def test_what_was_not_judged_is_no_zero(ledger):
    row = ledger().row(["anna"], {}, DUE)
    assert (row.raw, row.total) == (None, None)
    partly = dict.fromkeys(list(POINTS)[1:], 1.0)
    assert ledger().row(["anna"], partly, DUE).total is None
    by_hand = ledger(f"anna,{next(iter(POINTS))},1,by hand\n")
    assert by_hand.row(["anna"], partly, DUE).total == len(POINTS)


@pytest.mark.parametrize(
    ("overrides", "extensions", "text"),
    [
        (
            "anna,sdg,1,x\n",
            "",
            "line 2: there is no exercise 'sdg': the choices are svm_naive .hinge_loops.",
        ),
        ("anna,sdg,1,x\n", "", "sgd_momentum, adam and extra"),
        ("anna,sgd,many,x\n", "", "line 2: 'many' is no number of points"),
        ("anna,sgd,nan,x\n", "", "'nan' is no number of points"),
        ("", "anna,soon,x\n", "line 2: 'soon' is no time: write it as in 2030-01-31T23:59"),
    ],
)
def test_a_line_that_is_wrong(ledger, overrides, extensions, text):
    with pytest.raises(ValueError, match=text):
        ledger(overrides, extensions)


def test_a_table_with_another_head(tmp_path):
    (tmp_path / "overrides.csv").write_text("name,points\n", "utf-8")
    with pytest.raises(ValueError, match="its first line must be student,exercise,points,why"):
        Ledger.read(tmp_path, None, "none")


def test_tables_that_are_there_stay(tmp_path):
    (tmp_path / "overrides.csv").write_text("student,exercise,points,why\na,sgd,1,x\n", "utf-8")
    make_tables(tmp_path)
    assert Ledger.read(tmp_path, None, "none").named.keys() == {"a"}
    assert (tmp_path / "extensions.csv").read_text("utf-8") == "student,until,why\n"


@pytest.mark.parametrize("rule", ["sometimes", "10%", "-1%/day", "10%/week", ""])
def test_no_rule(rule):
    with pytest.raises(ValueError, match="is no rule for late submissions: give none, zero"):
        share_lost(rule, 1.0)


class TestTables:
    def rows(self, text):
        return list(csv.DictReader(io.StringIO(text)))

    def filled(self, ledger, tmp_path, text, *overrides, **settings):
        (tmp_path / "roster.csv").write_text(text, "utf-8")
        roster = Roster.read(tmp_path / "roster.csv")
        first = roster.students()[0][0]
        row = ledger(*overrides).row(["anna"], FULL, DUE + timedelta(hours=1))
        filled, self.notes = roster.filled({first: row}, {first: "=x"}, "assignment1", **settings)
        return self.rows(filled)

    def test_canvas(self, ledger, tmp_path):
        head, anna, bob, nobody = self.filled(ledger, tmp_path, CANVAS)
        assert self.notes == []
        assert nobody["assignment1 (12)"] == ""  # the student that Canvas makes up
        assert head["assignment1 (12)"] == "120.00"
        assert anna["assignment1 (12)"] == "108.00"
        assert bob["assignment1 (12)"] == ""
        assert anna["Assignment 0 (11)"] == "9.00"

    def test_canvas_has_no_such_assignment_yet(self, ledger, tmp_path):
        text = CANVAS.replace(",assignment1 (12)", "").replace("10.00,120.00", "10.00")
        head, anna, bob, _ = self.filled(ledger, tmp_path, text)
        assert (head["assignment1"], anna["assignment1"], bob["assignment1"]) == (
            "120", "108.00", "",
        )  # fmt: skip
        assert self.notes == [
            "No column of the roster is called 'assignment1': grades-lms.csv has a new one. The "
            "roster has 'Assignment 0 (11)': is it --assignment 'Assignment 0'?"
        ]

    def test_canvas_has_the_assignment_by_another_name(self, ledger, tmp_path):
        text = CANVAS.replace("assignment1 (12)", "Assignment 1 (777)")
        self.filled(ledger, tmp_path, text, exercises=True)
        (note,) = self.notes
        assert note.endswith(
            "The roster has 'Assignment 1 (777)', 'Assignment 0 (11)': is it --assignment "
            "'Assignment 1'?"
        )
        self.filled(ledger, tmp_path, "Student,ID,Section\nAnna,17,A\n")
        (note,) = self.notes
        assert note.endswith("has a new one.")

    def test_moodle(self, ledger, tmp_path):
        anna, bob = self.filled(ledger, tmp_path, MOODLE)
        assert (anna["Grade"], anna["Feedback comments"]) == ("108.00", "'=x")
        assert (bob["Grade"], bob["Feedback comments"]) == ("", "")

    def test_others(self, ledger, tmp_path):
        anna, bob = self.filled(ledger, tmp_path, NBGRADER, exercises=True)
        assert (anna["assignment1"], bob["assignment1"]) == ("108.00", "")
        assert anna["assignment1 sgd"] == "8.00"
        assert anna["email"] == "anna@x.org"

    @pytest.mark.parametrize(
        ("text", "column"),
        [(CANVAS, "assignment1 (12)"), (MOODLE, "Grade"),
         (MOODLE.replace("120.00", '"120,00"'), "Grade")],
    )  # fmt: skip
    def test_the_maximum_of_the_lms(self, ledger, tmp_path, text, column):
        text = text.replace("120.00", "100.00").replace("120,00", "100,00")
        lines = self.filled(ledger, tmp_path, text)
        assert [line[column] for line in lines if "Anna" in "".join(line.values())] == ["90.00"]
        assert self.notes == [
            f"{column} in grades-lms.csv is scaled from 120 to 100 points, as the LMS has."
        ]

    def test_each_column_has_its_own(self, ledger, tmp_path):
        text = CANVAS.replace("assignment1 (12)", "assignment1 sgd (12)").replace("120.00", "4")
        _, anna, *_ = self.filled(ledger, tmp_path, text, exercises=True)
        assert (anna["assignment1 sgd (12)"], anna["assignment1 penalty"]) == ("4.00", "5.00")
        assert anna["assignment1"] == "108.00"
        new, note = self.notes
        assert new.endswith(
            "The roster has 'Assignment 0 (11)': is it --assignment 'Assignment 0'?"
        )
        assert note.startswith("assignment1 sgd (12) in grades-lms.csv is scaled from 8 to 4")

    @pytest.mark.parametrize(
        ("most", "shown", "notes"),
        [("120.00", "126.00", 1), ("0.00", "126.00", 1), ("60", "63.00", 2)],
    )
    def test_points_above_the_maximum_are_named(self, ledger, tmp_path, most, shown, notes):
        text = CANVAS.replace("120.00", most)
        _, anna, *_ = self.filled(ledger, tmp_path, text, "anna,extra,20,a bonus\n")
        assert anna["assignment1 (12)"] == shown
        assert len(self.notes) == notes
        assert self.notes[-1] == (
            f"assignment1 (12) in grades-lms.csv is above its maximum of {float(most):g}: "
            "Lee, Anna."
        )

    def test_a_maximum_that_is_no_number(self, ledger, tmp_path):
        _, anna, *_ = self.filled(ledger, tmp_path, CANVAS.replace("120.00", "(read only)"))
        assert anna["assignment1 (12)"] == "108.00"
        assert self.notes == []


def test_an_id_counts_before_a_name_and_a_name_of_two_counts_for_none(tmp_path):
    (tmp_path / "r.csv").write_text('Student,ID\n17,20\n"Lee, Anna",17\n"Lee, Anna",18\n', "utf-8")
    roster = Roster.read(tmp_path / "r.csv")
    anna, seventeen, lee = (
        Student("a", "a", "17"),
        Student("17", "17", "20"),
        Student("leeanna", "l"),
    )
    assert roster.matched([anna, seventeen, lee]) == ({1: anna, 0: seventeen}, [lee])


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-a",
        "@x",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        " =1",
        "\t=1",
        "|x",
        "\r=1",
    ],
)
def test_no_cell_is_a_formula(text):
    assert table_cell(text).startswith("'")
    assert "\t" not in table_cell(text)
