"""Layers, forward and backward, and the net of any depth that they make.

A layer goes forward, ``(x, ...) -> (out, cache)``, and back, ``(dout, cache) -> gradients``: dout
is dL/dout, the cache what the way back needs to know of the way there. Shapes: N examples of D
numbers each, M outputs, C classes; x is (N, d_1, ..., d_k) with D = d_1 * ... * d_k.

Bad input is refused as in `losses`; NaN, infinity and what overflows are a `NotFiniteError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .validation import (
    Floats,
    as_floats,
    as_matrix,
    as_rows,
    check_columns,
    check_finite,
    check_finite_result,
    shown,
)

AffineCache = tuple[Floats, Floats, Floats]


@np.errstate(over="ignore", invalid="ignore")
def affine_forward(x: ArrayLike, w: ArrayLike, b: ArrayLike) -> tuple[Floats, AffineCache]:
    """Affine (fully connected) layer: out = X w + b, where X (N, D) is x with its rows flattened.

    Parameters
    ----------
    x : (N, d_1, ..., d_k) array
        Integers are converted to w's dtype.
    w : (D, M) array of weights
    b : (M,) array of biases

    Returns
    -------
    out : (N, M) array
    cache : tuple
        (x, w, b).

    References
    ----------
    CS231n course notes, Neural Networks Part 1.

    Examples
    --------
    1 * 3 + 2 * 4 + 5 = 16:

    >>> affine_forward([[1.0, 2.0]], [[3.0], [4.0]], [5.0])[0]
    array([[16.]])
    """
    x, X, w, b = _affine_inputs(x, w, b)
    out = _affine(X, w, b)
    check_finite_result("output overflows", out, x=x, w=w, b=b)
    return out, (x, w, b)


@np.errstate(over="ignore", invalid="ignore")
def affine_backward(dout: ArrayLike, cache: AffineCache) -> tuple[Floats, Floats, Floats]:
    """Gradients of an affine layer: dX = dout @ w.T, dw = X.T @ dout, db = the sum of dout's rows.

    Parameters
    ----------
    dout : (N, M) array
    cache : tuple
        That of `affine_forward`.

    Returns
    -------
    dx : array like x
    dw : (D, M) array
    db : (M,) array

    References
    ----------
    CS231n course notes, Backpropagation, Intuitions.

    Examples
    --------
    >>> out, cache = affine_forward([[1.0, 2.0]], [[3.0], [4.0]], [5.0])
    >>> dx, dw, db = affine_backward([[10.0]], cache)
    >>> dx.tolist(), dw.tolist(), db.tolist()
    ([[30.0, 40.0]], [[10.0], [20.0]], [10.0])
    """
    x, X, w, _ = _affine_inputs(*_as_cache(cache, 3, "affine_forward"))
    dout = _as_dout(dout, (len(x), w.shape[1]))
    gradients = (dout @ w.T).reshape(x.shape), X.T @ dout, dout.sum(axis=0)
    for gradient in gradients:
        check_finite_result("gradient overflows", gradient, dout=dout, x=x, w=w)
    return gradients


def relu_forward(x: ArrayLike) -> tuple[Floats, Floats]:
    """Rectified linear unit: out = max(0, x), entry by entry; x, of any shape, is the cache.

    References
    ----------
    Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.

    Examples
    --------
    >>> relu_forward([-1.0, 2.0])[0]
    array([0., 2.])
    """
    x = as_floats("x", x)
    check_finite("x", x)
    return np.maximum(0, x), x


def relu_backward(dout: ArrayLike, cache: ArrayLike) -> Floats:
    """Gradient of the ReLU: dx = dout where x > 0, else 0, also at the kink; `cache` is x.

    >>> relu_backward([10.0, 10.0, 10.0], np.array([-1.0, 0.0, 2.0]))
    array([ 0.,  0., 10.])
    """
    x = as_floats("cache", cache)
    dx = np.array(_as_dout(dout, x.shape))
    check_finite("cache", x)
    check_finite("dout", dx)
    return _stopped(dx, x)


def affine_relu_forward(
    x: ArrayLike, w: ArrayLike, b: ArrayLike
) -> tuple[Floats, tuple[AffineCache, Floats]]:
    """Affine layer, then the ReLU; the cache holds those of both.

    >>> affine_relu_forward([[1.0], [-1.0]], [[3.0]], [1.0])[0].tolist()
    [[4.0], [0.0]]
    """
    out, affine_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(out)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(
    dout: ArrayLike, cache: tuple[AffineCache, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Gradients (dx, dw, db) of an affine layer with the ReLU behind it: back in reverse order.

    >>> out, cache = affine_relu_forward([[1.0], [-1.0]], [[3.0]], [1.0])
    >>> [gradient.tolist() for gradient in affine_relu_backward([[10.0], [10.0]], cache)]
    [[[30.0], [0.0]], [[10.0]], [10.0]]
    """
    affine_cache, relu_cache = _as_cache(cache, 2, "affine_relu_forward")
    return affine_backward(relu_backward(dout, relu_cache), affine_cache)


# ---- a net of layers 1 to L, with a ReLU behind each but the last ----


@np.errstate(over="ignore", invalid="ignore")
def net_forward(
    params: Mapping[str, Floats], X: Floats, rows: slice = slice(None)
) -> tuple[Floats, list[Floats]]:
    """Scores (n, C) of n rows of X, and what each affine layer was given: X, then hidden ones.

    `params` are W1, b1, ..., WL, bL as checked arrays that fit.

    >>> eye = np.eye(1)
    >>> scores, inputs = net_forward({"W1": eye, "b1": eye[0], "W2": eye, "b2": eye[0]}, 2 * eye)
    >>> scores.tolist(), [it.tolist() for it in inputs]
    ([[4.0]], [[[2.0]], [[3.0]]])
    """
    inputs = [as_floats("X", X[rows], params["W1"].dtype)]
    for k in range(1, len(params) // 2):
        hidden = _affine(inputs[-1], params[f"W{k}"], params[f"b{k}"])  # (n, H)
        check_finite_result("hidden layer overflows", hidden, X=X, **params)
        inputs.append(np.maximum(0, hidden, out=hidden))
    L = len(inputs)
    scores = _affine(inputs[-1], params[f"W{L}"], params[f"b{L}"])
    check_finite_result("scores overflow", scores, X=X, **params)
    return scores, inputs


@np.errstate(over="ignore", invalid="ignore")
def net_backward(
    params: Mapping[str, Floats], dscores: Floats, inputs: list[Floats]
) -> dict[str, Floats]:
    """Gradient for each parameter from that of the scores (N, C); `inputs` are `net_forward`'s.

    >>> params = {"W1": np.eye(1), "b1": np.ones(1)}
    >>> net_backward(params, np.array([[10.0]]), [np.array([[2.0]])])
    {'W1': array([[20.]]), 'b1': array([10.])}
    """
    grads = {}
    dout = dscores
    for k in range(len(inputs), 0, -1):
        grads[f"W{k}"], grads[f"b{k}"] = inputs[k - 1].T @ dout, dout.sum(axis=0)
        if k > 1:  # a hidden layer is 0 where its ReLU stopped what came in
            dout = _stopped(dout @ params[f"W{k}"].T, inputs[k - 1])
    return {name: grads[name] for name in params}


# ---- the computation itself ----


def _affine(X: Floats, W: Floats, b: Floats) -> Floats:
    out = X @ W
    out += b
    return out


def _stopped(dout: Floats, x: Floats) -> Floats:
    """Change `dout` in place: the ReLU passes on only what it let through."""
    np.copyto(dout, 0, where=x <= 0)
    return dout


# ---- what layers are given ----


def _affine_inputs(
    x: ArrayLike, w: ArrayLike, b: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return x, the same as a matrix X (N, D), w and b."""
    w, b = as_matrix("w", w, "(D, M)"), as_floats("b", b)
    x, X = as_rows("x", x, w.dtype)
    check_columns(X, len(w), "w", "x", transposed=X.shape[1] == w.shape[1])
    if b.shape != w.shape[1:]:
        raise ValueError(
            f"b has shape {b.shape}, but w {w.shape} needs {w.shape[1:]}, one bias an output: "
            "reshape it"
        )
    return x, X, w, b


def _as_dout(dout: ArrayLike, shape: tuple[int, ...]) -> Floats:
    dout = as_floats("dout", dout)
    if dout.shape != shape:
        raise ValueError(
            f"dout has shape {dout.shape}, but the layer's output has shape {shape}: pass the "
            "gradient that arrives at the output"
        )
    return dout


def _as_cache(cache: Any, length: int, forward: str) -> Any:
    if not isinstance(cache, tuple) or len(cache) != length:
        raise TypeError(
            f"cache is {shown(cache)}, but it must be the second value of {forward}: pass that"
        )
    return cache
