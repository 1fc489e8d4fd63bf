"""The examples in here run by the reference solutions."""

import pytest

from classroom.release.notebooks import solutions
from cs231n_helpers.exercises.reference import function_from

from .cs231n_helpers import solved


@pytest.fixture(autouse=True)
def _solved(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = {
        exercise: function_from(source, exercise) for exercise, source in solutions().items()
    }
    monkeypatch.setattr(solved, "functions", reference)
