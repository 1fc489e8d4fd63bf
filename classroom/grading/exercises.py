"""The exercises as grading needs them: points, functions, notebooks and titles, by their keys."""

from __future__ import annotations

from cs231n_helpers.exercises.table import EXERCISES

POINTS = {name: exercise.points for name, exercise in EXERCISES.items()}
FUNCTION = {name: exercise.function for name, exercise in EXERCISES.items()}
CALLED = {name: name if name == it else f"{name} ({it})" for name, it in FUNCTION.items()}
NOTEBOOK = {name: exercise.notebook for name, exercise in EXERCISES.items()}
NOTEBOOKS = tuple(dict.fromkeys(NOTEBOOK.values()))
TITLES = {
    "svm_naive": "The hinge loss in loops",
    "svm_gradient": "The hinge gradient in loops",
    "svm_vectorized": "Hinge loss and gradient without loops",
    "penalty": "The penalty and its gradient",
    "sgd": "Stochastic gradient descent",
    "search": "The search for settings",
    "softmax_naive": "The softmax loss in loops",
    "softmax_gradient": "The softmax gradient in loops",
    "softmax_vectorized": "Softmax loss and gradient without loops",
    "net_forward": "The net, forward",
    "net_backward": "The net, backward",
    "net_training": "Training the net",
    "svm_dx": "dX of the SVM",
    "softmax_dx": "dX of the softmax classifier",
    "net_dx": "dX of the net",
    "affine_backward": "The affine layer, backward",
    "relu_backward": "The ReLU, backward",
    "sgd_momentum": "A step with momentum",
    "adam": "A step of Adam",
}


def exercise_of(name: str) -> str:
    """Return the key of an exercise, given as key or function; ValueError says which there are.

    >>> exercise_of("sgd"), exercise_of("gradient_descent")
    ('sgd', 'sgd')
    """
    for key, function in FUNCTION.items():
        if name in (key, function):
            return key
    raise ValueError(f"there is no exercise {name!r}: the choices are {', '.join(CALLED.values())}")
