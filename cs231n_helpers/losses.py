"""Losses, from scores to weights and to the input.

One thing is shared by all that follows: a loss on scores, ``(scores, y) -> (loss, dscores)``.
What the scores came from decides where its gradient goes next:

====================  =======================  ==============================
model                 scores                   gradient
====================  =======================  ==============================
linear, its weights   ``X @ W``                ``dW = X.T @ dscores``
linear, its input     ``X @ W``                ``dX = dscores @ W.T``
net of layers         ``hidden @ W + b``       goes on backwards, see `layers`
====================  =======================  ==============================

Shapes: N examples, D features, C classes; X (N, D), y (N,) integers in 0..C-1, W (D, C),
scores S = X W (N, C). Losses are means over the N examples. The penalty on the weights is
``reg_scale * reg * sum(W**2)``: reg_scale = 0.5 is the convention of the course notes and of the
assignments up to 2016, reg_scale = 1 that of later assignments.

Input of the wrong dtype raises TypeError, of the wrong shape or range ValueError; NaN and infinity,
in the input or where something overflows, `NotFiniteError`, by name. float16 is computed in
float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from .layers import net_backward, net_forward
from .threads import in_blocks
from .validation import (
    Floats,
    Labels,
    as_batch,
    as_floats,
    as_non_negative,
    as_scores,
    check_finite_result,
)

Result = TypeVar("Result")
ScoresLoss = Callable[[Floats, Labels], tuple[float, Floats]]


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

    References
    ----------
    Weston and Watkins, Support vector machines for multi-class pattern recognition, ESANN 1999.

    Examples
    --------
    The margins are 1 - 3 + 1 = -1 and 2.5 - 3 + 1 = 0.5, so only the last class is active.

    >>> svm_loss([[3.0, 1.0, 2.5]], [0])
    (0.5, array([[-1.,  0.,  1.]]))
    """
    scores, y = as_scores(scores, y)
    delta = as_non_negative("delta", delta)
    loss, dscores = _hinge(scores, y, delta)
    check_finite_result("loss overflows", loss, scores=scores, delta=delta)
    return loss, dscores


def softmax_loss(scores: ArrayLike, y: ArrayLike) -> tuple[float, Floats]:
    r"""Softmax cross-entropy loss of scores (natural logarithm) and its gradient.

    .. math:: L = \frac1N \sum_i \Big(\log\sum_j e^{s_{ij}} - s_{i y_i}\Big)

    Each row is shifted by its maximum first, which changes nothing but keeps exp from overflowing.

    Parameters
    ----------
    scores : (N, C) array of logits
    y : (N,) integer array, 0 <= y < C

    Returns
    -------
    loss : float, >= 0, in nats
    dscores : (N, C) array
        dL/dscores = (P - Y) / N with the probabilities P and the one-hot labels Y.

    References
    ----------
    Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.

    Examples
    --------
    Equal scores for two classes: the loss is log 2, the probabilities are one half.

    >>> loss, dscores = softmax_loss([[7.0, 7.0]], [1])
    >>> round(loss, 6), dscores
    (0.693147, array([[ 0.5, -0.5]]))
    """
    scores, y = as_scores(scores, y)
    loss, dscores = _cross_entropy(scores, y)
    check_finite_result("loss overflows", loss, scores=scores)
    return loss, dscores


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

    Formula: ``svm_loss(X @ W, y) + reg_scale * reg * sum(W**2)`` and
    ``dW = X.T @ dscores + 2 * reg_scale * reg * W``.

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

    References
    ----------
    CS231n course notes, Linear classification.

    Examples
    --------
    One example, scores (3, 1, 2.5) as in `svm_loss`, and a penalty of 0.5 * 2 * 16.25.

    >>> svm_loss_vectorized([[3.0, 1.0, 2.5]], [[1.0]], [0], reg=2.0)
    (16.75, array([[5., 2., 6.]]))
    """
    delta = as_non_negative("delta", delta)
    return _linear_loss(lambda S, y: _hinge(S, y, delta), W, X, y, reg, reg_scale)


def softmax_loss_vectorized(
    W: ArrayLike, X: ArrayLike, y: ArrayLike, reg: float = 0.0, *, reg_scale: float = 0.5
) -> tuple[float, Floats]:
    """Regularized softmax loss of a linear classifier and its gradient, without a Python loop.

    Formula: ``softmax_loss(X @ W, y) + reg_scale * reg * sum(W**2)`` and
    ``dW = X.T @ (P - Y) / N + 2 * reg_scale * reg * W``.

    See `svm_loss_vectorized`; there is no delta, and the loss is log C at W = 0.

    Examples
    --------
    >>> loss, dW = softmax_loss_vectorized([[0.0, 0.0]], [[4.0]], [1])
    >>> round(loss, 6), dW
    (0.693147, array([[ 2., -2.]]))
    """
    return _linear_loss(_cross_entropy, W, X, y, reg, reg_scale)


@np.errstate(over="ignore", invalid="ignore")
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

    >>> svm_loss_naive([[3.0, 1.0, 2.5]], [[1.0]], [0], reg=2.0)
    (16.75, array([[5., 2., 6.]]))
    """
    W, X, y = as_batch(W, X, y)
    delta = as_non_negative("delta", delta)
    penalty, dW_penalty = l2_penalty(W, reg, reg_scale)
    data_loss = 0.0
    dW = np.zeros_like(W)
    for x_i, label in zip(X, y, strict=True):
        scores = x_i @ W  # (C,)
        check_finite_result("scores overflow", scores, W=W, X=X)
        for j in range(W.shape[1]):
            margin = scores[j] - scores[label] + delta
            if j == label or margin <= 0:
                continue
            data_loss += float(margin)
            dW[:, j] += x_i  # raising this score raises the loss
            dW[:, label] -= x_i  # raising the right score lowers it
    loss = data_loss / len(X) + penalty
    dW = dW / len(X) + dW_penalty
    check_finite_result("loss overflows", loss, W=W, X=X)
    check_finite_result("gradient overflows", dW, W=W, X=X)
    return loss, dW


@np.errstate(over="ignore", invalid="ignore")
def softmax_loss_naive(
    W: ArrayLike, X: ArrayLike, y: ArrayLike, reg: float = 0.0, *, reg_scale: float = 0.5
) -> tuple[float, Floats]:
    """Compute `softmax_loss_vectorized` with explicit loops over examples and classes, to be read.

    >>> loss, dW = softmax_loss_naive([[0.0, 0.0]], [[4.0]], [1])
    >>> round(loss, 6), dW
    (0.693147, array([[ 2., -2.]]))
    """
    W, X, y = as_batch(W, X, y)
    penalty, dW_penalty = l2_penalty(W, reg, reg_scale)
    data_loss = 0.0
    dW = np.zeros_like(W)
    for x_i, label in zip(X, y, strict=True):
        scores = x_i @ W  # (C,)
        check_finite_result("scores overflow", scores, W=W, X=X)
        scores = scores - scores.max()  # the same probabilities, and exp cannot overflow
        total = np.exp(scores).sum()
        data_loss += float(np.log(total) - scores[label])
        for j in range(W.shape[1]):
            probability = np.exp(scores[j]) / total
            dW[:, j] += (probability - (j == label)) * x_i
    loss = data_loss / len(X) + penalty
    dW = dW / len(X) + dW_penalty
    check_finite_result("loss overflows", loss, W=W, X=X)
    check_finite_result("gradient overflows", dW, W=W, X=X)
    return loss, dW


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

    References
    ----------
    CS231n course notes, Backpropagation, Intuitions.

    Examples
    --------
    The active class has weight 2.5, the right one 3: the loss falls by 0.5 per unit of x.

    >>> svm_input_gradient([[3.0, 1.0, 2.5]], [[1.0]], [0])
    array([[-0.5]])
    """
    delta = as_non_negative("delta", delta)
    return _input_gradient(lambda S, y: _hinge(S, y, delta), W, X, y)


def softmax_input_gradient(W: ArrayLike, X: ArrayLike, y: ArrayLike) -> Floats:
    """Gradient of the softmax loss with respect to the examples: dX = (P - Y) @ W.T / N.

    See `svm_input_gradient`; there is no delta.

    Both probabilities are one half at x = 0, so dX = 0.5 * 3 - 0.5 * 1.

    >>> softmax_input_gradient([[3.0, 1.0]], [[0.0]], [1])
    array([[1.]])
    """
    return _input_gradient(_cross_entropy, W, X, y)


def net_scores(params: Mapping[str, Floats], X: Floats) -> Floats:
    """Scores (N, C) of a net, see `TwoLayerNet`."""
    scores = _net_in_blocks(lambda rows: net_forward(params, X, rows)[0], params, X)
    return np.concatenate([*scores])


@np.errstate(over="ignore", invalid="ignore")
def net_loss(
    params: Mapping[str, Floats], X: Floats, y: Labels, reg: float, reg_scale: float
) -> tuple[float, dict[str, Floats]]:
    """Regularized softmax loss of a net, and its gradient for each parameter.

    It may have any depth, see `layers`. Each W adds its penalty; biases have none.
    """

    def of_block(rows: slice) -> tuple[float, dict[str, Floats]]:
        scores, inputs = net_forward(params, X, rows)
        block_loss, dscores = _cross_entropy(scores, y[rows])
        share = len(scores) / len(X)  # as in _linear_loss
        return share * block_loss, net_backward(params, share * dscores, inputs)

    loss = 0.0
    grads: dict[str, Floats] = {}
    for block_loss, block_grads in _net_in_blocks(of_block, params, X):
        loss += block_loss
        if grads:
            for name, gradient in block_grads.items():
                grads[name] += gradient
            continue
        grads = block_grads
        for name, W in params.items():  # while other blocks are still worked on
            if name[0] == "W":
                penalty, dW_penalty = l2_penalty(W, reg, reg_scale)
                loss += penalty
                grads[name] += dW_penalty
    check_finite_result("loss overflows", loss, X=X, **params)
    return loss, grads


def _net_in_blocks(function: Callable[[slice], Result], params: Any, X: Floats) -> Iterator[Result]:
    work = len(X) * sum(p.size for p in params.values())
    return in_blocks(function, len(X), X.shape[1] * params["W1"].itemsize, work)


@np.errstate(over="ignore", invalid="ignore")
def l2_penalty(W: Floats, reg: float, reg_scale: float = 0.5) -> tuple[float, Floats]:
    """Penalty reg_scale * reg * sum(W**2) on weights W of any shape, and its gradient like W.

    >>> l2_penalty(np.array([3.0, -1.0]), reg=0.2)
    (1.0, array([ 0.6, -0.2]))
    """
    W = as_floats("W", W)
    reg, reg_scale = as_non_negative("reg", reg), as_non_negative("reg_scale", reg_scale)
    strength = 2 * reg_scale * reg
    rows = W.reshape(len(W), -1) if W.ndim else W.reshape(1, 1)
    # of float32, too, summed up in float64: a check sees each digit
    squares = float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64))
    if not math.isfinite(squares):  # beyond float32, but perhaps not beyond float64
        squares = float(np.square(W, dtype=np.float64).sum())
    penalty, gradient = 0.5 * strength * squares, strength * W
    results: list[Floats | float] = [strength, penalty]
    if strength * math.sqrt(squares) > np.finfo(W.dtype).max:  # else no entry can overflow
        results.append(gradient)
    for result in results:
        check_finite_result("penalty overflows", result, W=W, reg=reg, reg_scale=reg_scale)
    return penalty, gradient


@np.errstate(over="ignore", invalid="ignore")
def _hinge(scores: Floats, y: Labels, delta: float) -> tuple[float, Floats]:
    rows = np.arange(len(y))
    scores = np.asfortranarray(scores)  # class by class: NumPy's loops run over N, not over C
    margins = scores - scores[rows, y, np.newaxis] + delta  # (N, C)
    margins[rows, y] = 0
    active = margins > 0  # (N, C)
    loss = np.maximum(margins, 0).sum(dtype=np.float64) / len(y)
    dscores = active.astype(scores.dtype)
    dscores[rows, y] = -active.sum(axis=1)
    dscores /= len(y)
    return float(loss), dscores


@np.errstate(over="ignore", invalid="ignore")
def _cross_entropy(scores: Floats, y: Labels) -> tuple[float, Floats]:
    rows = np.arange(len(y))
    scores = np.asfortranarray(scores)  # as in _hinge
    shifted = scores - scores.max(axis=1, keepdims=True)  # (N, C)
    dscores = np.exp(shifted)
    totals = dscores.sum(axis=1, keepdims=True)  # (N, 1)
    loss = (np.log(totals[:, 0]) - shifted[rows, y]).sum(dtype=np.float64) / len(y)
    dscores /= totals  # the probabilities
    dscores[rows, y] -= 1
    dscores /= len(y)
    return float(loss), dscores


@np.errstate(over="ignore", invalid="ignore")
def _linear_loss(
    scores_loss: ScoresLoss,
    W: ArrayLike,
    X: Any,
    y: ArrayLike,
    reg: float,
    reg_scale: float,
) -> tuple[float, Floats]:
    """Loss of the scores ``X @ W`` and gradient ``X.T @ dscores``, in blocks of rows of X.

    The second product finds its block still in the cache, so X is read from memory once and not
    twice. It is taken transposed, ``dW.T = dscores.T @ X``: BLAS is up to twice as fast that way.
    """
    W, X, y = as_batch(W, X, y)
    W = np.asfortranarray(W)  # laid out like its gradient, whose transpose is what is summed up
    loss, dW = l2_penalty(W, reg, reg_scale)
    dtype = np.result_type(W, X.dtype)

    @np.errstate(over="ignore", invalid="ignore")
    def of_block(rows: slice) -> tuple[float, Floats]:
        X_block = X[rows].astype(dtype, copy=False)  # (n, D)
        scores = X_block @ W  # (n, C)
        check_finite_result("scores overflow", scores, W=W, X=X)
        block_loss, dscores = scores_loss(scores, y[rows])  # means over the n examples
        share = len(X_block) / len(X)  # n / N makes them shares of the mean over all N
        return share * block_loss, (share * dscores).T @ X_block

    row_bytes, work = X.shape[1] * dtype.itemsize, len(X) * W.size
    for block_loss, block_gradient in in_blocks(of_block, len(X), row_bytes, work):
        loss += block_loss
        dW += block_gradient.T
    check_finite_result("loss overflows", loss, W=W, X=X)
    check_finite_result("gradient overflows", dW, W=W, X=X)
    return loss, dW


@np.errstate(over="ignore", invalid="ignore")
def _input_gradient(scores_loss: ScoresLoss, W: ArrayLike, X: ArrayLike, y: ArrayLike) -> Floats:
    W, X, y = as_batch(W, X, y)
    X = as_floats("X", X, W.dtype)

    @np.errstate(over="ignore", invalid="ignore")
    def of_block(rows: slice) -> Floats:
        scores = X[rows] @ W  # (n, C)
        check_finite_result("scores overflow", scores, W=W, X=X)
        share = len(scores) / len(X)  # as in _linear_loss
        gradient: Floats = (share * scores_loss(scores, y[rows])[1]) @ W.T
        return gradient.astype(X.dtype, copy=False)

    row_bytes, work = X.shape[1] * X.itemsize, X.size * W.shape[1]
    dX = np.concatenate([*in_blocks(of_block, len(X), row_bytes, work)])
    check_finite_result("gradient overflows", dX, W=W, X=X)
    return dX
