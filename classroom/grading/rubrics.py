"""Hidden tests: judge a learner's function, part by part, and say what is wrong with it.

A function is judged by what it returns on data that nobody has seen: drawn from `rng`, of sizes
that all differ (so that no transposed product fits by luck), far from every kink (so that any
subgradient is right), and such that each known mistake shows on every draw. A part passes where
its values agree with the package's. Where they do not, the gradient checker says why: for a part
that is a loss it is asked about the learner's loss beside the right gradient, for a gradient
about the learner's gradient beside the right loss. So each part stands for itself.

Loops (gradient descent, training, search) get a callback that writes down what it is asked and
answers with known numbers; batches, steps, rates and losses are judged from that record.

Nothing here trusts the function: it may run in another process, return anything, raise, keep
state or change its arguments. All of that becomes a sentence for the learner. One exception is
passed on: `Stopped`, which says that the process it ran in is gone.

Shapes: N examples, D features, C classes, H hidden units, B rows of a minibatch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cs231n_helpers.exercises.visible import EXERCISES

from .student_function import CallError, Faults, Learner, capped
from .training_rubrics import MakeRng, judge_search, judge_training
from .value_rubrics import SHEETS

LONGEST = 700  # characters of a sentence


@dataclass(frozen=True)
class Part:
    """One part of an exercise, judged.

    Attributes
    ----------
    name : str
        "loss", "gradient", "W1", ...
    share : float
        Of the exercise's points; the shares of an exercise add up to 1.
    passed : bool
    sentence : str
        For the learner, in plain text: what is wrong and what to change.
    codes : tuple of str
        What was found, in the vocabulary of the gradient checker and some of our own.
    """

    name: str
    share: float
    passed: bool
    sentence: str
    codes: tuple[str, ...] = ()


def grade_exercise(
    exercise_id: str,
    function: Any,
    rng: np.random.Generator,
    *,
    make_rng: MakeRng = np.random.RandomState,
) -> list[Part]:
    """Judge one function by the hidden tests of an exercise.

    Parameters
    ----------
    exercise_id : str
        A key of `FUNCTION`.
    function : callable
        Has the exercise's signature; whatever else it is becomes a sentence.
    rng : Generator
        Draws the data. The points do not depend on it.
    make_rng : callable
        Takes a seed; what it returns is passed as the argument `rng` of functions that draw.

    Returns
    -------
    list of Part
        In the order of `PARTS`.

    Raises
    ------
    KeyError
        If there is no such exercise.
    Stopped
        Any exception of that name that `function` raises.

    Examples
    --------
    >>> def penalty(W, reg, reg_scale=0.5):
    ...     return reg_scale * reg * np.sum(W**2), reg * np.sum(W)
    >>> for part in grade_exercise("penalty", penalty, np.random.default_rng(0)):
    ...     print(part.name, part.passed, part.codes)
    value True ()
    gradient False ('wrong_type',)
    """
    learner = Learner(function, FUNCTION[exercise_id], JUDGED[exercise_id].arguments)
    try:
        with np.errstate(all="ignore"):  # what was returned may be anything, nan and inf too
            faults = JUDGES[exercise_id](learner, rng, make_rng)
    except CallError as error:
        faults = dict.fromkeys(PARTS[exercise_id], error.fault)
    parts = []
    for name, share in PARTS[exercise_id].items():
        fault = faults.get(name)
        sentence = fault.sentence if fault else f"The part {name!r} is right on all hidden data."
        codes = tuple(dict.fromkeys(fault.codes)) if fault else ()
        parts.append(Part(name, share, fault is None, capped(sentence, LONGEST), codes))
    return parts


# ---- the exercises ----

Judge = Callable[[Learner, np.random.Generator, MakeRng], Faults]


@dataclass(frozen=True)
class Judged:
    """The arguments of an exercise's function, and its parts with their points."""

    arguments: Sequence[str]
    parts: Mapping[str, int]


LINEAR = ("W", "X", "y")
LENGTH = ("num_iters", "batch_size", "rng")

JUDGED: dict[str, Judged] = {
    "svm_naive": Judged((*LINEAR, "delta"), {"loss": 5}),
    "svm_gradient": Judged((*LINEAR, "delta"), {"gradient": 6}),
    "svm_vectorized": Judged((*LINEAR, "delta"), {"loss": 4, "gradient": 4}),
    "penalty": Judged(("W", "reg", "reg_scale"), {"value": 2, "gradient": 3}),
    "sgd": Judged(
        ("loss_function", *LINEAR, "learning_rate", "reg", *LENGTH),
        {"minibatches": 3, "update": 3, "losses": 2},
    ),
    "search": Judged(("evaluate", "learning_rates", "regs"), {"all pairs": 3, "best": 3}),
    "softmax_naive": Judged((*LINEAR, "reg"), {"loss": 3, "large scores": 2}),
    "softmax_gradient": Judged((*LINEAR, "reg"), {"gradient": 5, "large scores": 1}),
    "softmax_vectorized": Judged((*LINEAR, "reg"), {"loss": 3, "gradient": 4, "large scores": 1}),
    "net_forward": Judged(("params", "X"), {"hidden": 3, "scores": 3}),
    "net_backward": Judged(
        ("params", "X", "hidden", "dscores", "reg", "reg_scale"),
        {"W1": 3, "b1": 2, "W2": 3, "b2": 2},
    ),
    "net_training": Judged(
        ("loss_function", "params", "X", "y", "learning_rate", "decay", "reg", *LENGTH),
        {"minibatches": 2, "update": 2, "decay": 2, "losses": 2},
    ),
    "svm_dx": Judged((*LINEAR, "delta"), {"gradient": 6}),
    "softmax_dx": Judged(LINEAR, {"gradient": 5}),
    "net_dx": Judged(("params", "X", "y"), {"gradient": 8}),
}

JUDGES: dict[str, Judge] = {
    "sgd": partial(judge_training, net=False),
    "net_training": partial(judge_training, net=True),
    "search": judge_search,
    **{name: sheet.judge for name, sheet in SHEETS.items()},
}

POINTS = {name: exercise.points for name, exercise in EXERCISES.items()}
FUNCTION = {name: exercise.function for name, exercise in EXERCISES.items()}
NOTEBOOK = {name: exercise.notebook for name, exercise in EXERCISES.items()}
PARTS = {
    name: {part: points / POINTS[name] for part, points in judged.parts.items()}
    for name, judged in JUDGED.items()
}
