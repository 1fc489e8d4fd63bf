"""Layers, forward and backward: in the students' edition, back by your functions.

A layer goes forward, ``(x, ...) -> (out, cache)``, and back, ``(dout, cache) -> gradients``: dout
is dL/dout, the cache what the way back needs to know of the way there. Shapes: N examples of D
numbers each, M outputs, C classes; x is (N, d_1, ..., d_k) with D = d_1 * ... * d_k.

The way back calls yours, once the check has found it right: `OpenExerciseError` names the exercise
that is still open. Bad input is refused as in `losses`.

References: CS231n course notes, Neural Networks Part 1, and Backpropagation, Intuitions. Nair and
Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from cs231n_helpers.validation import (
    Floats,
    as_floats,
    as_matrix,
    check_columns,
    check_finite,
    check_finite_result,
)

from .solved import solution

AffineCache = tuple[Floats, Floats, Floats]


@np.errstate(over="ignore", invalid="ignore")
def affine_forward(x: ArrayLike, w: ArrayLike, b: ArrayLike) -> tuple[Floats, AffineCache]:
    """Affine (fully connected) layer: out = X w + b, where X (N, D) is x with its rows flattened.

    Returns out (N, M) and the cache (x, w, b), for weights w (D, M) and biases b (M,).
    """
    w, b = as_matrix("w", w, "(D, M)"), as_floats("b", b)
    x = as_floats("x", x, w.dtype)
    X = as_matrix("x", x.reshape(len(x), -1), "(N, d_1, ..., d_k)")
    check_columns(X, len(w), "w", "x", transposed=X.shape[1] == w.shape[1])
    out = X @ w + b
    check_finite_result("output overflows", out, x=x, w=w, b=b)
    return out, (x, w, b)


def affine_backward(dout: ArrayLike, cache: AffineCache) -> tuple[Floats, Floats, Floats]:
    """Gradients of an affine layer: dX = dout @ w.T, dw = X.T @ dout, db = the sum of dout's rows.

    Returns dx like x, dw (D, M) and db (M,) for dout (N, M) and the cache of `affine_forward`.
    """
    dx, dw, db = solution("affine_backward")(as_floats("dout", dout), cache)
    return dx, dw, db


def relu_forward(x: ArrayLike) -> tuple[Floats, Floats]:
    """Rectified linear unit: out = max(0, x), entry by entry; x, of any shape, is the cache."""
    x = as_floats("x", x)
    check_finite("x", x)
    return np.maximum(0, x), x


def relu_backward(dout: ArrayLike, cache: ArrayLike) -> Floats:
    """Gradient of the ReLU: dx = dout where x > 0, else 0, also at the kink; `cache` is x."""
    dx: Floats = solution("relu_backward")(as_floats("dout", dout), as_floats("cache", cache))
    return dx


def affine_relu_forward(
    x: ArrayLike, w: ArrayLike, b: ArrayLike
) -> tuple[Floats, tuple[AffineCache, Floats]]:
    """Affine layer, then the ReLU; the cache holds those of both."""
    out, affine_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(out)
    return out, (affine_cache, relu_cache)


def affine_relu_backward(
    dout: ArrayLike, cache: tuple[AffineCache, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Gradients (dx, dw, db) of an affine layer with the ReLU behind it: back in reverse order."""
    affine_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), affine_cache)


def net_forward(
    params: Mapping[str, Floats], X: Floats, rows: slice = slice(None)
) -> tuple[Floats, list[Floats]]:
    """Scores (n, C) of n rows of X, and what each affine layer was given: X, then hidden ones."""
    inputs, L = [X[rows]], len(params) // 2
    for k in range(1, L):
        hidden, _ = affine_relu_forward(inputs[-1], params[f"W{k}"], params[f"b{k}"])
        inputs.append(hidden)
    return affine_forward(inputs[-1], params[f"W{L}"], params[f"b{L}"])[0], inputs


def net_backward(
    params: Mapping[str, Floats], dscores: Floats, inputs: list[Floats]
) -> dict[str, Floats]:
    """Gradient for each parameter from that of the scores (N, C); `inputs` are `net_forward`'s."""
    grads, dout = {}, dscores
    for k in range(len(inputs), 0, -1):
        cache = (inputs[k - 1], params[f"W{k}"], params[f"b{k}"])
        dout, grads[f"W{k}"], grads[f"b{k}"] = affine_backward(dout, cache)
        if k > 1:  # a hidden layer is 0 where its ReLU stopped what came in
            dout = relu_backward(dout, inputs[k - 1])
    return {name: grads[name] for name in params}
