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

from .hidden_loops import MakeRng, judge_search, judge_training
from .hidden_values import SHEETS
from .learner import CallError, Faults, Learner, capped

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
    exercise = EXERCISES[exercise_id]
    learner = Learner(function, exercise.function, exercise.arguments)
    try:
        with np.errstate(all="ignore"):  # what was returned may be anything, nan and inf too
            faults = JUDGES[exercise_id](learner, rng, make_rng)
    except CallError as error:
        faults = dict.fromkeys(exercise.parts, error.fault)
    parts = []
    for name, points in exercise.parts.items():
        fault = faults.get(name)
        sentence = fault.sentence if fault else f"The part {name!r} is right on all hidden data."
        codes = tuple(dict.fromkeys(fault.codes)) if fault else ()
        share = points / exercise.points
        parts.append(Part(name, share, fault is None, capped(sentence, LONGEST), codes))
    return parts


# ---- the exercises ----

Judge = Callable[[Learner, np.random.Generator, MakeRng], Faults]


@dataclass(frozen=True)
class Exercise:
    """An exercise: where it is, and its parts with their points."""

    notebook: str
    function: str
    arguments: Sequence[str]
    parts: Mapping[str, int]

    @property
    def points(self) -> int:
        """Of all parts."""
        return sum(self.parts.values())


LINEAR = ("W", "X", "y")

EXERCISES: dict[str, Exercise] = {
    "svm_naive": Exercise("01_svm", "hinge_loops", (*LINEAR, "delta"), {"loss": 5}),
    "svm_gradient": Exercise(
        "01_svm", "hinge_gradient_loops", (*LINEAR, "delta"), {"gradient": 6}
    ),
    "svm_vectorised": Exercise(
        "01_svm", "hinge_arrays", (*LINEAR, "delta"), {"loss": 4, "gradient": 4}
    ),
    "penalty": Exercise(
        "01_svm", "penalty", ("W", "reg", "reg_scale"), {"value": 2, "gradient": 3}
    ),
    "sgd": Exercise(
        "01_svm", "gradient_descent",
        ("loss_function", "W", "X", "y", "learning_rate", "reg", "num_iters", "batch_size", "rng"),
        {"minibatches": 3, "update": 3, "losses": 2},
    ),
    "search": Exercise(
        "01_svm", "grid_search", ("evaluate", "learning_rates", "regs"),
        {"all pairs": 3, "best": 3},
    ),
    "softmax_naive": Exercise(
        "02_softmax", "softmax_loops", (*LINEAR, "reg"), {"loss": 3, "large scores": 2}
    ),
    "softmax_gradient": Exercise(
        "02_softmax", "softmax_gradient_loops", (*LINEAR, "reg"),
        {"gradient": 5, "large scores": 1},
    ),
    "softmax_vectorised": Exercise(
        "02_softmax", "softmax_arrays", (*LINEAR, "reg"),
        {"loss": 3, "gradient": 4, "large scores": 1},
    ),
    "net_forward": Exercise(
        "03_two_layer_net", "net_forward", ("params", "X"), {"hidden": 3, "scores": 3}
    ),
    "net_backward": Exercise(
        "03_two_layer_net", "net_backward",
        ("params", "X", "hidden", "dscores", "reg", "reg_scale"),
        {"W1": 3, "b1": 2, "W2": 3, "b2": 2},
    ),
    "net_training": Exercise(
        "03_two_layer_net", "train_net",
        ("loss_function", "params", "X", "y", "learning_rate", "decay", "reg", "num_iters",
         "batch_size", "rng"),
        {"minibatches": 2, "update": 2, "decay": 2, "losses": 2},
    ),
    "svm_dx": Exercise("04_dx_derivation", "svm_dx", (*LINEAR, "delta"), {"gradient": 6}),
    "softmax_dx": Exercise("04_dx_derivation", "softmax_dx", LINEAR, {"gradient": 5}),
    "net_dx": Exercise("04_dx_derivation", "net_dx", ("params", "X", "y"), {"gradient": 8}),
}  # fmt: skip

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
    name: {part: points / exercise.points for part, points in exercise.parts.items()}
    for name, exercise in EXERCISES.items()
}
