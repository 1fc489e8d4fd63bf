"""Hidden tests: judge a student's function, part by part, and say what is wrong with it.

A function is judged by what it returns on new data, drawn from `rng` (`hidden_data`). Values are
compared with the package's, and the gradient checker says why they differ (`value_rubrics`). Loops
get a callback that writes down what it is asked (`training_rubrics`, `search_rubrics`).

Nothing here trusts the function: it may run in another process, return anything, raise, keep
state or change its arguments. All of that becomes a sentence for the student. One exception is
passed on: `Stopped`, which says that the process it ran in is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from classroom.sandbox import NotDefinedError, Stopped, StudentError
from cs231n_helpers.exercises.student_function import (
    CallError,
    Feedback,
    StudentFunction,
    capped,
    read_error,
)
from cs231n_helpers.exercises.table import EXERCISES

from .exercises import POINTS
from .search_rubrics import judge_search
from .training_rubrics import MakeRng, judge_training
from .value_rubrics import VALUE_RUBRICS

LONGEST = 700  # characters of a sentence


@dataclass(frozen=True)
class Part:
    """One part of an exercise, judged."""

    name: str  # "loss", "gradient", "W1", ...
    share: float  # of the exercise's points; the shares of an exercise add up to 1
    passed: bool
    sentence: str  # for the student: what is wrong and what to change
    codes: tuple[str, ...] = ()  # of the gradient checker, and some of our own


def grade_exercise(
    exercise_id: str,
    function: Any,
    rng: np.random.Generator,
    *,
    make_rng: MakeRng = np.random.RandomState,
) -> list[Part]:
    """Judge one function by the hidden tests of an exercise: its parts, as in `PARTS`.

    Whatever the function is becomes a sentence. `rng` draws the data; the points do not depend on
    it. `make_rng` takes a seed and returns the argument `rng` of functions that draw.

    Examples
    --------
    >>> def penalty(W, reg, reg_scale=0.5):
    ...     return reg_scale * reg * np.sum(W**2), reg * np.sum(W)
    >>> for part in grade_exercise("penalty", penalty, np.random.default_rng(0)):
    ...     print(part.name, part.passed, part.codes)
    value True ()
    gradient False ('wrong_type',)
    """
    student = StudentFunction(
        function, EXERCISES[exercise_id], passed_on=(Stopped,), read_error=_read_error
    )
    try:
        with np.errstate(all="ignore"):  # what was returned may be anything, nan and inf too
            found = JUDGES[exercise_id](student, rng, make_rng)
    except CallError as error:
        found = dict.fromkeys(PARTS[exercise_id], error.feedback)
    parts = []
    for name, share in PARTS[exercise_id].items():
        right = Feedback(f"The part {name!r} is right on all hidden data.", ())
        feedback = found.get(name, right)
        sentence, codes = capped(feedback.sentence, LONGEST), tuple(dict.fromkeys(feedback.codes))
        parts.append(Part(name, share, name not in found, sentence, codes))
    return parts


def _read_error(error: Exception) -> tuple[str, str] | None:
    """Read an exception of a function in this process, or in the sandbox."""
    if isinstance(error, NotDefinedError):
        return None
    if isinstance(error, StudentError):
        return error.kind, str(error).removeprefix(f"{error.kind}: ")  # with the line
    return read_error(error)


# ---- the exercises ----

Judge = Callable[[StudentFunction, np.random.Generator, MakeRng], dict[str, Feedback]]

#: The points of each part.
PARTS_POINTS: dict[str, dict[str, int]] = {
    "svm_naive": {"loss": 5},
    "svm_gradient": {"gradient": 6},
    "svm_vectorized": {"loss": 4, "gradient": 4},
    "penalty": {"value": 2, "gradient": 3},
    "sgd": {"minibatches": 3, "update": 3, "losses": 2},
    "search": {"all pairs": 3, "best": 3},
    "softmax_naive": {"loss": 3, "large scores": 2},
    "softmax_gradient": {"gradient": 5, "large scores": 1},
    "softmax_vectorized": {"loss": 3, "gradient": 4, "large scores": 1},
    "net_forward": {"hidden": 3, "scores": 3},
    "net_backward": {"W1": 3, "b1": 2, "W2": 3, "b2": 2},
    "net_training": {"minibatches": 2, "update": 2, "decay": 2, "losses": 2},
    "svm_dx": {"gradient": 6},
    "softmax_dx": {"gradient": 5},
    "net_dx": {"gradient": 8},
    "affine_backward": {"dx": 2, "dw": 2, "db": 2},
    "relu_backward": {"dx": 3},
    "sgd_momentum": {"next_w": 3, "velocity": 2},
    "adam": {"next_w": 3, "m": 1, "v": 1, "t": 1},
}
JUDGES: dict[str, Judge] = {
    "sgd": partial(judge_training, net=False),
    "net_training": partial(judge_training, net=True),
    "search": judge_search,
    **{name: rubric.judge for name, rubric in VALUE_RUBRICS.items()},
}
PARTS = {
    name: {part: points / POINTS[name] for part, points in parts.items()}
    for name, parts in PARTS_POINTS.items()
}
