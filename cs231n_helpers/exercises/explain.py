"""Right values from the gradient checker's own models, and what it finds beside them.

There is no solution in here: a gradient is judged as the slope of a right loss, `check_gradient`
says why it is none.

Shapes: N examples, D features, H hidden units, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..doctor.backward import OUTPUT_LOSSES, Model, one_per_row
from ..validation import as_labels, check_label_range

Array = NDArray[np.float64]
Function = Callable[..., Any]


def model_of(params: Any, X: Array, y: Any = None, loss: str = "softmax", **more: Any) -> Model:
    """The model of a linear classifier W, or of a net with W1, b1, W2 and b2.

    `loss` is "softmax" or "hinge"; without labels any will do.
    """
    layers: tuple[Any, ...] = ((params, None),)
    if isinstance(params, dict):
        layers = ((params["W1"], params["b1"]), (params["W2"], params["b2"]))
    classes = layers[-1][0].shape[1]
    labels = as_labels(np.zeros(len(X), int) if y is None else y, len(X))
    check_label_range(labels, classes, "W")  # the checker tries others
    return Model(layers, X, one_per_row(labels, classes), OUTPUT_LOSSES[loss], **more)


def penalty_value(reg: float, *weights: Array, reg_scale: float = 0.5) -> float:
    """The penalty of all these weights."""
    return float(reg_scale * reg * sum(np.vdot(w, w) for w in weights))


def as_loss_of_net(gradient: Function) -> Function:
    """A loss for the checker with the gradients of `net_backward`'s signature."""

    def gradient_of_loss(params: dict[str, Array], X: Array, y: Any, reg: float) -> Any:
        model = model_of(params, X, y)
        _, hidden, scores = model.forward()[0]
        return gradient(params, X, hidden, model.terms_of_scores(scores).dscores, reg)

    spared = SparingGradient(gradient_of_loss)

    def loss(params: dict[str, Array], X: Array, y: Any, reg: float) -> tuple[float, Any]:
        value = model_of(params, X, y).loss() + penalty_value(reg, params["W1"], params["W2"])
        return value, spared(params, X, y, reg)

    return loss


def as_loss_of_input(gradient: Function, loss_name: str) -> Function:
    """A loss for the checker whose parameter is X: `gradient` takes (W or params, X, y)."""

    def loss(X: Array, W: Any, y: Any) -> tuple[float, Any]:
        return model_of(W, X, y, loss_name).loss(), gradient(W, X, y)

    return loss


class SparingGradient:
    """A gradient that is not computed again where one single number has moved.

    The checker differentiates the loss numerically, one number at a time, and looks at the loss
    alone there; each gradient would be a call of the student's function for nothing.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.called: dict[tuple[float, ...], tuple[Array, Any]] = {}  # by strength and the like

    def __call__(self, *args: Any) -> Any:
        """The function at these arguments, or where it was called last."""
        leaves = _leaves(args)
        at = np.concatenate([v.ravel() for v in leaves if isinstance(v, np.ndarray)])
        numbers = tuple(v for v in leaves if not isinstance(v, np.ndarray))
        last, answer = self.called.get(numbers, (np.zeros(0), None))
        if at.size != last.size or np.count_nonzero(at != last) != 1:
            answer = self.function(*args)
            self.called[numbers] = (at, answer)
        return answer


def _leaves(value: Any) -> list[Any]:
    """Arrays and numbers in nested tuples and dicts."""
    if isinstance(value, dict):
        value = tuple(value.values())
    return [leaf for v in value for leaf in _leaves(v)] if isinstance(value, tuple) else [value]
