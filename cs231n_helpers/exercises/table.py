"""The exercises of the lessons, and how an exercise says that it is open or wrong."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from ..validation import shown


@dataclass(frozen=True)
class Exercise:
    """One exercise: where it stands, the signature of its function, its points and how hard it is.

    `difficulty` and `importance` go from 1 to 5; `minutes` is the time for a first solution.

    Examples
    --------
    >>> EXERCISES["penalty"].function, EXERCISES["penalty"].parameters
    ('penalty', ('W', 'reg', 'reg_scale'))
    """

    notebook: str
    number: str
    signature: str
    points: int
    difficulty: int
    importance: int
    minutes: int
    may_change: tuple[str, ...] = ()  # arguments that the function may change in place

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.signature.partition("(")[0]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in order."""
        return tuple(re.findall(r"[(,] *(\w+)", self.signature))

    @property
    def effort(self) -> str:
        """The line under its heading in a notebook.

        >>> EXERCISES["penalty"].effort
        'Difficulty 1 of 5 · importance 4 of 5 · 5 minutes'
        """
        return (
            f"Difficulty {self.difficulty} of 5 · importance {self.importance} of 5 · "
            f"{self.minutes} minutes"
        )

    def __str__(self) -> str:
        return f"Exercise {self.number} ({self.function})"


LENGTH = "num_iters, batch_size, rng"
#: The numbers behind a signature are points, difficulty, importance and minutes.
EXERCISES = {
    "svm_naive": Exercise("01_svm", "1.1", "hinge_loops(W, X, y, delta=1.0)", 5, 2, 4, 10),
    "svm_gradient": Exercise(
        "01_svm", "1.2", "hinge_gradient_loops(W, X, y, delta=1.0)", 6, 3, 4, 10,
    ),
    "svm_vectorized": Exercise("01_svm", "1.3", "hinge_arrays(W, X, y, delta=1.0)", 8, 4, 5, 20),
    "penalty": Exercise("01_svm", "1.4", "penalty(W, reg, reg_scale=0.5)", 5, 1, 4, 5),
    "sgd": Exercise(
        "10_images", "10.1",
        f"gradient_descent(loss_function, W, X, y, learning_rate, reg, {LENGTH})", 8, 2, 5, 10,
    ),
    "search": Exercise(
        "10_images", "10.2", "grid_search(evaluate, learning_rates, regs)", 6, 1, 3, 5,
    ),
    "softmax_naive": Exercise("02_softmax", "2.1", "softmax_loops(W, X, y, reg)", 5, 2, 4, 10),
    "softmax_gradient": Exercise(
        "02_softmax", "2.2", "softmax_gradient_loops(W, X, y, reg)", 6, 3, 4, 10,
    ),
    "softmax_vectorized": Exercise(
        "02_softmax", "2.3", "softmax_arrays(W, X, y, reg)", 8, 3, 5, 15,
    ),
    "net_forward": Exercise("03_two_layer_net", "3.1", "net_forward(params, X)", 6, 2, 5, 5),
    "net_backward": Exercise(
        "03_two_layer_net", "3.2",
        "net_backward(params, X, hidden, dscores, reg, reg_scale=0.5)", 10, 4, 5, 20,
    ),
    "net_training": Exercise(
        "03_two_layer_net", "3.3",
        f"train_net(loss_function, params, X, y, learning_rate, decay, reg, {LENGTH})", 8, 3, 4, 15,
    ),
    "svm_dx": Exercise("04_dx_derivation", "4.1", "svm_dx(W, X, y, delta=1.0)", 6, 3, 3, 10),
    "softmax_dx": Exercise("04_dx_derivation", "4.2", "softmax_dx(W, X, y)", 5, 2, 3, 5),
    "net_dx": Exercise("04_dx_derivation", "4.3", "net_dx(params, X, y)", 8, 4, 3, 15),
    "affine_backward": Exercise("09_layers", "9.1", "affine_backward(dout, cache)", 6, 2, 5, 10),
    "relu_backward": Exercise("09_layers", "9.2", "relu_backward(dout, cache)", 3, 1, 4, 5),
    "sgd_momentum": Exercise(
        "09_layers", "9.3", "sgd_momentum(w, dw, config=None)", 5, 2, 3, 5, ("config",)
    ),
    "adam": Exercise("09_layers", "9.4", "adam(w, dw, config=None)", 6, 3, 3, 10, ("config",)),
}  # fmt: skip


def find_exercise(exercise: str) -> Exercise:
    """Return an entry of `EXERCISES`, or say what the choices are."""
    if not isinstance(exercise, str) or exercise not in EXERCISES:
        raise ValueError(
            f"there is no exercise {shown(exercise)}: the choices are {', '.join(EXERCISES)}"
        )
    return EXERCISES[exercise]


class ExerciseError(Exception):
    """What to do next; a notebook shows it as a paragraph, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).split("\n")


class OpenExerciseError(ExerciseError, NotImplementedError):
    """An exercise that has not been solved yet."""


class WrongExerciseError(ExerciseError, AssertionError):
    """A solution that is not right yet, and what was found."""


def paragraphs(*lines: str) -> str:
    """Text of one paragraph a line, wrapped; what is wrapped already stays as it is."""
    return "\n".join(line if "\n" in line else textwrap.fill(line, 96) for line in lines)


def reference_hint(exercise: str) -> str:
    """Return what to do for whoever is stuck."""
    return (
        "Stuck? The other exercises do not need this one: go on with the next. Where your\n"
        "teacher has handed out the reference, two lines in a cell give it to later cells:\n"
        "    from cs231n_helpers import use_reference\n"
        f'    {EXERCISES[exercise].function} = use_reference("{exercise}")'
    )
