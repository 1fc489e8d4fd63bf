"""Right solutions of the exercises get everything; wrong ones lose their parts and are told why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from freeze import golden, parts_record
from right_solutions import RIGHT, defined
from wrong_solutions import WRONG

from classroom.grading import value_rubrics
from classroom.grading.exercises import POINTS
from classroom.grading.rubrics import PARTS, grade_exercise

MOST_CALLS = 400  # of the student's function and of what it calls back, for one exercise
IDS = [f"{w.exercise}: {w.name}" for w in WRONG]


def lost(exercise: str, function: Any, seed: int) -> set[str]:
    parts = grade_exercise(exercise, function, np.random.default_rng(seed))
    return {part.name for part in parts if not part.passed}


def counting(function: Callable[..., Any]) -> tuple[Callable[..., Any], list[int]]:
    """The same function; and the number of its calls and of those that it calls back."""
    calls = [0]

    def counted(inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            return inner(*[counted(a) if callable(a) else a for a in args], **kwargs)

        return call

    return counted(function), calls


@pytest.mark.parametrize(
    ("exercise", "name", "source"), RIGHT, ids=[f"{e}: {name}" for e, name, _ in RIGHT]
)
def test_right_solutions_get_everything(exercise, name, source):
    function, calls = counting(defined(source, exercise))
    for seed in range(6):
        calls[0] = 0
        for part in grade_exercise(exercise, function, np.random.default_rng(seed)):
            assert part.passed, part
            assert part.codes == ()
        assert calls[0] <= MOST_CALLS


@pytest.mark.parametrize("wrong", WRONG, ids=IDS)
def test_wrong_solutions_lose_their_parts_and_are_told_why(wrong):
    function, calls = counting(defined(wrong.source, wrong.exercise))
    seed = len(wrong.name)  # any will do
    np.random.seed(seed)  # noqa: NPY002  # some of the wrong ones draw from it
    parts = grade_exercise(wrong.exercise, function, np.random.default_rng(seed))
    assert {part.name for part in parts if not part.passed} == wrong.lost
    for part in parts:
        if not part.passed:
            assert wrong.message in part.sentence
            assert any(code.startswith(wrong.code) for code in part.codes), part
            assert part.sentence.isprintable()
    assert calls[0] <= MOST_CALLS
    assert parts_record(parts) == golden("solutions")[f"{wrong.exercise}: {wrong.name}"]


@pytest.mark.parametrize("wrong", WRONG, ids=IDS)
def test_points_do_not_depend_on_the_seed(wrong, monkeypatch):
    monkeypatch.setattr(value_rubrics, "check_gradient", None)  # the diagnosis costs no points
    function = defined(wrong.source, wrong.exercise)
    assert all(lost(wrong.exercise, function, seed) == wrong.lost for seed in range(100, 102))


def test_the_corpus_is_wide_enough():
    assert len(WRONG) >= 200
    assert {w.exercise for w in WRONG} == set(POINTS) == {e for e, _, _ in RIGHT}
    cannot = {"M11", "M12", "M16"}
    assert {w.mistake for w in WRONG} - {""} == {f"M{i}" for i in range(1, 18)} - cannot
    for exercise, shares in PARTS.items():
        for part in shares:  # each part can be lost, alone or with others
            assert any(part in w.lost for w in WRONG if w.exercise == exercise)
        if exercise not in ("softmax_vectorized", "softmax_gradient"):
            alone = [w for w in WRONG if w.exercise == exercise and len(w.lost) == 1]
            assert {next(iter(w.lost)) for w in alone} == set(shares)
