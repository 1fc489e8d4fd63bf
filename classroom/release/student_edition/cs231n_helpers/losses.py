"""Losses, from scores to weights and to the input: in the students' edition, by your functions.

Shapes: N examples, D features, C classes; X (N, D), y (N,) integers in 0..C-1, W (D, C),
scores S = X W (N, C). Losses are means over the N examples. The penalty on the weights is
``reg_scale * reg * sum(W**2)``: reg_scale = 0.5 is the convention of the course notes and of the
assignments up to 2016, reg_scale = 1 that of later assignments.

Each function calls yours, once the check has found it right: `OpenExerciseError` names the exercise
that is still open. TypeError or ValueError is raised for input of the wrong dtype, shape or range,
NotFiniteError for NaN and infinity.

References: Weston and Watkins, Support vector machines for multi-class pattern recognition, ESANN
1999. Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4. CS231n course notes,
Linear classification, and Backpropagation, Intuitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs231n_helpers.layers import net_backward, net_forward
from cs231n_helpers.validation import (
    Floats,
    Labels,
    as_batch,
    as_non_negative,
    as_scores,
    check_finite,
    check_finite_result,
)

from .solved import solution

_ROWS = 256  # of scores that are a loss of weights at a time


def svm_loss(scores: ArrayLike, y: ArrayLike, *, delta: float = 1.0) -> tuple[float, Floats]:
    r"""Multiclass SVM (hinge) loss of scores, sum over j != y_i, and its gradient.

    .. math:: L = \frac1N \sum_i \sum_{j \ne y_i} \max(0, s_{ij} - s_{i y_i} + \Delta)

    Parameters
    ----------
    scores : (N, C) array
    y : (N,) integer array, 0 <= y < C
    delta : float
        The margin, >= 0, in units of the scores.

    Returns
    -------
    loss : float, >= 0
    dscores : (N, C) array
        dL/dscores. Each row sums to zero. At a kink (a margin of exactly 0) the slope 0 is taken.
    """
    delta = as_non_negative("delta", delta)
    return _on_scores(lambda W, X, y: solution("svm_vectorized")(W, X, y, delta), scores, y)


def softmax_loss(scores: ArrayLike, y: ArrayLike) -> tuple[float, Floats]:
    r"""Softmax cross-entropy loss of scores (natural logarithm) and its gradient.

    .. math:: L = \frac1N \sum_i \Big(\log\sum_j e^{s_{ij}} - s_{i y_i}\Big)

    Parameters
    ----------
    scores : (N, C) array of logits
    y : (N,) integer array, 0 <= y < C

    Returns
    -------
    loss : float, >= 0, in nats
    dscores : (N, C) array
        dL/dscores = (P - Y) / N with the probabilities P and the one-hot labels Y.
    """
    return _on_scores(lambda W, X, y: solution("softmax_vectorized")(W, X, y, 0.0), scores, y)


def svm_loss_vectorized(
    W: ArrayLike,
    X: ArrayLike,
    y: ArrayLike,
    reg: float = 0.0,
    *,
    delta: float = 1.0,
    reg_scale: float = 0.5,
) -> tuple[float, Floats]:
    """Regularized hinge loss of a linear classifier and its gradient, without a Python loop.

    Parameters
    ----------
    W : (D, C) array of weights
    X : (N, D) array
        One example a row. Integer images are converted to W's dtype; float32 stays float32.
    y : (N,) integer array, 0 <= y < C
    reg : float
        Strength of the penalty, >= 0.
    delta : float
        The margin, >= 0, in units of the scores.
    reg_scale : float
        Factor of the penalty, >= 0; see the module header.

    Returns
    -------
    loss : float, >= 0
        C - 1 at W = 0 with delta = 1.
    dW : (D, C) array like W
    """
    delta = as_non_negative("delta", delta)
    return _linear(
        lambda W, X, y: solution("svm_vectorized")(W, X, y, delta), W, X, y, reg, reg_scale
    )


def softmax_loss_vectorized(
    W: ArrayLike, X: ArrayLike, y: ArrayLike, reg: float = 0.0, *, reg_scale: float = 0.5
) -> tuple[float, Floats]:
    """Regularized softmax loss of a linear classifier and its gradient, without a Python loop.

    See `svm_loss_vectorized`; there is no delta, and the loss is log C at W = 0.
    """
    strength = _strength(reg, reg_scale)
    return _linear(lambda W, X, y: solution("softmax_vectorized")(W, X, y, strength), W, X, y)


def svm_loss_naive(
    W: ArrayLike,
    X: ArrayLike,
    y: ArrayLike,
    reg: float = 0.0,
    *,
    delta: float = 1.0,
    reg_scale: float = 0.5,
) -> tuple[float, Floats]:
    """Compute `svm_loss_vectorized` with explicit loops over examples and classes, to be read.

    Yours are `hinge_loops` and `hinge_gradient_loops`.
    """
    delta = as_non_negative("delta", delta)

    def loss(W: Floats, X: Floats, y: Labels) -> Any:
        return tuple(solution(it)(W, X, y, delta) for it in ("svm_naive", "svm_gradient"))

    return _linear(loss, W, X, y, reg, reg_scale)


def softmax_loss_naive(
    W: ArrayLike, X: ArrayLike, y: ArrayLike, reg: float = 0.0, *, reg_scale: float = 0.5
) -> tuple[float, Floats]:
    """Compute `softmax_loss_vectorized` with explicit loops over examples and classes, to be read.

    Yours are `softmax_loops` and `softmax_gradient_loops`.
    """
    strength = _strength(reg, reg_scale)

    def loss(W: Floats, X: Floats, y: Labels) -> Any:
        both = ("softmax_naive", "softmax_gradient")
        return tuple(solution(it)(W, X, y, strength) for it in both)

    return _linear(loss, W, X, y)


def svm_input_gradient(W: ArrayLike, X: ArrayLike, y: ArrayLike, *, delta: float = 1.0) -> Floats:
    """Gradient of the hinge loss with respect to the examples: dX = dscores @ W.T.

    Parameters
    ----------
    W : (D, C) array of weights
    X : (N, D) array, one example a row
    y : (N,) integer array, 0 <= y < C
    delta : float
        The margin, >= 0, in units of the scores.

    Returns
    -------
    dX : (N, D) array
        dL/dX of the mean loss. The penalty on W does not depend on X and adds nothing.
    """
    return _of_input("svm_dx", W, X, y, as_non_negative("delta", delta))


def softmax_input_gradient(W: ArrayLike, X: ArrayLike, y: ArrayLike) -> Floats:
    """Gradient of the softmax loss with respect to the examples: dX = (P - Y) @ W.T / N.

    See `svm_input_gradient`; there is no delta.
    """
    return _of_input("softmax_dx", W, X, y)


def net_scores(params: Mapping[str, Floats], X: Floats) -> Floats:
    """Scores (N, C) of a net, see `TwoLayerNet`."""
    return (net_forward if len(params) != 4 else _net_forward)(params, X)[0]


@np.errstate(over="ignore", invalid="ignore")
def net_loss(
    params: Mapping[str, Floats], X: Floats, y: Labels, reg: float, reg_scale: float
) -> tuple[float, dict[str, Floats]]:
    """Regularized softmax loss of a net, and its gradient for each parameter."""
    two_layers = len(params) == 4
    scores, hidden = (_net_forward if two_layers else net_forward)(params, X)
    loss, dscores = softmax_loss(scores, y)
    penalties = {k: l2_penalty(W, reg, reg_scale) for k, W in params.items() if k[0] == "W"}
    loss += sum(penalty for penalty, _ in penalties.values())
    check_finite_result("loss overflows", loss, X=X, **params)
    if two_layers:
        grads = solution("net_backward")(params, X, hidden, dscores, reg, reg_scale)
    else:
        grads = net_backward(params, dscores, hidden)
        for name, (_, dW_penalty) in penalties.items():
            grads[name] = grads[name] + dW_penalty
    return loss, {name: grads[name] for name in params}


def l2_penalty(W: Floats, reg: float, reg_scale: float = 0.5) -> tuple[float, Floats]:
    """Penalty reg_scale * reg * sum(W**2) on weights W of any shape, and its gradient like W."""
    if _strength(reg, reg_scale) == 0:
        return 0.0, np.zeros_like(W)
    value, gradient = solution("penalty")(W, float(reg), float(reg_scale))
    return float(value), gradient


@np.errstate(over="ignore", invalid="ignore")
def _net_forward(params: Mapping[str, Floats], X: Floats) -> tuple[Floats, Any]:
    """Scores (N, C) and hidden layer (N, H) of a two-layer net, by yours."""
    check_finite("X", X)
    hidden, scores = solution("net_forward")(params, X)
    check_finite_result("scores overflow", scores, X=X, **params)
    return scores, hidden


def _strength(reg: float, reg_scale: float) -> float:
    """Return the factor whose half stands before the sum of squares, as in the course notes."""
    return 2 * as_non_negative("reg_scale", reg_scale) * as_non_negative("reg", reg)


@np.errstate(over="ignore", invalid="ignore")
def _on_scores(loss: Callable[..., Any], scores: Any, y: Any) -> tuple[float, Floats]:
    """Return a loss of weights as a loss on scores: where X is the identity, X W is W."""
    scores, y = as_scores(scores, y)
    total, dscores = 0.0, np.empty_like(scores)
    for rows in (slice(k, k + _ROWS) for k in range(0, len(y), _ROWS)):
        part = scores[rows]
        value, gradient = loss(part, np.eye(len(part), dtype=part.dtype), y[rows])
        total += float(value) * len(part) / len(y)
        dscores[rows] = gradient * (len(part) / len(y))
    check_finite_result("loss overflows", total, scores=scores)
    return total, dscores


@np.errstate(over="ignore", invalid="ignore")
def _linear(
    loss: Callable[..., Any], W: Any, X: Any, y: Any, reg: float = 0.0, reg_scale: float = 0.0
) -> tuple[float, Floats]:
    """Return a loss of weights and its gradient, with the learner's penalty added."""
    W, X, y = as_batch(W, X, y)
    check_finite("W", W)
    check_finite("X", X)
    value, dW = loss(W, X.astype(W.dtype, copy=False), y)
    penalty, dW_penalty = l2_penalty(W, reg, reg_scale)
    total, dW = float(value) + penalty, (dW + dW_penalty).astype(W.dtype, copy=False)
    check_finite_result("loss overflows", total, W=W, X=X)
    check_finite_result("gradient overflows", dW, W=W, X=X)
    return total, dW


def _of_input(exercise: str, W: Any, X: Any, y: Any, *margin: float) -> Floats:
    W, X, y = as_batch(W, X, y)
    check_finite("W", W)
    check_finite("X", X)
    dX: Floats = solution(exercise)(W, X.astype(W.dtype, copy=False), y, *margin)
    check_finite_result("gradient overflows", dX, W=W, X=X)
    return dX.astype(W.dtype, copy=False)
