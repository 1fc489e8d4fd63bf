"""The exercises of notebooks 01 to 04 and 09, and how an exercise says that it is open or wrong."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from ..validation import shown


@dataclass(frozen=True)
class Exercise:
    """One exercise: notebook, number there, the signature of its function, and points.

    Examples
    --------
    >>> EXERCISES["penalty"].function, EXERCISES["penalty"].parameters
    ('penalty', ('W', 'reg', 'reg_scale'))
    """

    notebook: str
    number: str
    signature: str
    points: int
    may_change: tuple[str, ...] = ()  # arguments that the function may change in place

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.signature.partition("(")[0]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in order."""
        return tuple(re.findall(r"[(,] *(\w+)", self.signature))

    def __str__(self) -> str:
        return f"Exercise {self.number} ({self.function})"


LENGTH = "num_iters, batch_size, rng"
EXERCISES = {
    "svm_naive": Exercise("01_svm", "1.1", "hinge_loops(W, X, y, delta=1.0)", 5),
    "svm_gradient": Exercise("01_svm", "1.2", "hinge_gradient_loops(W, X, y, delta=1.0)", 6),
    "svm_vectorized": Exercise("01_svm", "1.3", "hinge_arrays(W, X, y, delta=1.0)", 8),
    "penalty": Exercise("01_svm", "1.4", "penalty(W, reg, reg_scale=0.5)", 5),
    "sgd": Exercise(
        "01_svm", "1.5",
        f"gradient_descent(loss_function, W, X, y, learning_rate, reg, {LENGTH})", 8,
    ),
    "search": Exercise("01_svm", "1.6", "grid_search(evaluate, learning_rates, regs)", 6),
    "softmax_naive": Exercise("02_softmax", "2.1", "softmax_loops(W, X, y, reg)", 5),
    "softmax_gradient": Exercise("02_softmax", "2.2", "softmax_gradient_loops(W, X, y, reg)", 6),
    "softmax_vectorized": Exercise("02_softmax", "2.3", "softmax_arrays(W, X, y, reg)", 8),
    "net_forward": Exercise("03_two_layer_net", "3.1", "net_forward(params, X)", 6),
    "net_backward": Exercise(
        "03_two_layer_net", "3.2",
        "net_backward(params, X, hidden, dscores, reg, reg_scale=0.5)", 10,
    ),
    "net_training": Exercise(
        "03_two_layer_net", "3.3",
        f"train_net(loss_function, params, X, y, learning_rate, decay, reg, {LENGTH})", 8,
    ),
    "svm_dx": Exercise("04_dx_derivation", "4.1", "svm_dx(W, X, y, delta=1.0)", 6),
    "softmax_dx": Exercise("04_dx_derivation", "4.2", "softmax_dx(W, X, y)", 5),
    "net_dx": Exercise("04_dx_derivation", "4.3", "net_dx(params, X, y)", 8),
    "affine_backward": Exercise("09_layers", "9.1", "affine_backward(dout, cache)", 6),
    "relu_backward": Exercise("09_layers", "9.2", "relu_backward(dout, cache)", 3),
    "sgd_momentum": Exercise(
        "09_layers", "9.3", "sgd_momentum(w, dw, config=None)", 5, ("config",)
    ),
    "adam": Exercise("09_layers", "9.4", "adam(w, dw, config=None)", 6, ("config",)),
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
