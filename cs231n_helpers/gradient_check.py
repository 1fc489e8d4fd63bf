"""Numerical gradients and the course's gradient check.

All use the central difference (f(x + h) - f(x - h)) / 2h, whose error is about h**2 from the
formula and ``eps |f| / h`` from rounding. In float64 the default h = 1e-5 balances the two; in
float32 rounding alone makes correct gradients look wrong, so check in float64.

An x that is not floating point raises TypeError (integers would round the step away), and so does
an f that does not return what it should; shapes that do not fit raise ValueError, and so does an h
that is lost in the rounding of x + h. For 2h the difference of the rounded points is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .validation import (
    Floats,
    Rng,
    as_array,
    as_count,
    as_floats,
    as_positive,
    as_rng,
    check_finite,
    shown,
)


def eval_numerical_gradient(
    f: Callable[[Floats], float], x: Floats, verbose: bool = False, h: float = 1e-5
) -> Floats:
    """Numerical gradient of a scalar function, one coordinate after the other.

    Formula: ``df/dx_k = (f(x + h e_k) - f(x - h e_k)) / 2h``.

    Parameters
    ----------
    f : callable
        Takes x, returns one number. It may ignore its argument and read `x` where it lives, as the
        course's ``lambda W: net.loss(X, y, reg)[0]`` does: x is changed in place, then restored.
    x : array of any shape, floating point
        Restored to the bit, also if f raises; an array that cannot be written to is copied.
    verbose : bool
        Print each coordinate and its slope.
    h : float
        Step, > 0, in units of x.

    Returns
    -------
    array like x
        2 x.size evaluations of f.

    References
    ----------
    CS231n course notes, Neural Networks Part 3, Gradient checks.

    Examples
    --------
    >>> eval_numerical_gradient(lambda x: float(np.sum(x**2)), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    x, h = _perturbable(x, h)
    gradient = np.zeros(x.shape, np.result_type(x, np.float32))
    for index in np.ndindex(x.shape):
        gradient[index] = _slope(f, x, index, h)
        if verbose:
            print(index, gradient[index])
    return gradient


def eval_numerical_gradient_array(
    f: Callable[[Floats], ArrayLike], x: Floats, df: ArrayLike, h: float = 1e-5
) -> Floats:
    """Numerical gradient of sum(f(x) * df) for a function that returns an array.

    Formula: ``sum((f(x + h e_k) - f(x - h e_k)) * df) / 2h``: what backprop hands to x when df
    arrives from above.

    Parameters
    ----------
    f : callable
        Takes x, returns an array of df's shape.
    x : array of any shape, floating point
        As in `eval_numerical_gradient`.
    df : array
        Gradient of the loss with respect to f's output.
    h : float
        Step, > 0, in units of x.

    Returns
    -------
    array like x

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> eval_numerical_gradient_array(lambda x: x**2, x, np.array([10.0, 1.0])).round(6)
    array([20.,  4.])
    """
    x, h = _perturbable(x, h)
    df = as_floats("df", df)
    gradient = np.zeros(x.shape, np.result_type(x, np.float32))
    for index in np.ndindex(x.shape):
        above, below, step = _both_sides(lambda x: np.array(as_floats("f(x)", f(x))), x, index, h)
        if above.shape != df.shape:
            raise ValueError(
                f"f(x) has shape {above.shape} and df has shape {df.shape}, but df holds one "
                "number for each output of f: pass the gradient that arrives at f's output"
            )
        gradient[index] = np.sum((above - below) * df) / step
    return gradient


def grad_check_sparse(
    f: Callable[[Floats], float],
    x: Floats,
    analytic_grad: ArrayLike,
    num_checks: int = 10,
    h: float = 1e-5,
    *,
    rng: Rng | None = None,
) -> NDArray[np.float64]:
    """Compare an analytic gradient with the numerical one in a few random coordinates.

    Formula: ``|numerical - analytic| / (|numerical| + |analytic|)``, and 0 where both are 0.

    Parameters
    ----------
    f, x, h
        As in `eval_numerical_gradient`.
    analytic_grad : array like x
    num_checks : int
        How many different coordinates to draw, >= 1; all, where x has fewer.
    rng : Generator or RandomState

    Returns
    -------
    (num_checks,) array
        Relative errors in [0, 1]; a line for each is printed.

    Examples
    --------
    >>> x = np.array([3.0])
    >>> grad_check_sparse(lambda x: float(x[0] ** 2), x, np.array([2.0])).round(3)
    numerical: 6.000000 analytic: 2.000000, relative error: 5.000000e-01
    array([0.5])
    """
    x, h = _perturbable(x, h)
    analytic = as_floats("analytic_grad", analytic_grad)
    if analytic.shape != x.shape:
        raise ValueError(
            f"analytic_grad has shape {analytic.shape} and x has shape {x.shape}, but the "
            "gradient must have the shape of the parameter: check the order of the matrix product"
        )
    num_checks = min(as_count("num_checks", num_checks), x.size)
    errors = np.zeros(num_checks)
    for k, flat in enumerate(as_rng(rng).choice(x.size, num_checks, replace=False)):
        index = np.unravel_index(flat, x.shape)
        numerical, exact = _slope(f, x, index, h), float(analytic[index])
        size = abs(numerical) + abs(exact)
        errors[k] = 0.0 if size == 0 else abs(numerical - exact) / size
        print(f"numerical: {numerical:f} analytic: {exact:f}, relative error: {errors[k]:e}")
    return errors


def rel_error(x: ArrayLike, y: ArrayLike) -> float:
    """Return the largest relative error between two arrays of the same shape.

    Formula: ``max(|x - y| / max(1e-8, |x| + |y|))``, between 0 and 1; NaN if either holds NaN or
    infinity. The shapes must be the same; NumPy would broadcast.

    >>> rel_error([1.0, 2.0], [1.0, 3.0])
    0.2
    """
    a, b = (as_floats(name, it).astype(np.float64) for name, it in (("x", x), ("y", y)))
    if a.shape != b.shape or a.size == 0:
        raise ValueError(
            f"x has shape {a.shape} and y has shape {b.shape}, but both must have the same shape "
            "and hold something: compare a gradient with one of the same parameter"
        )
    a, b = a / 2, b / 2  # so that their sum cannot overflow
    with np.errstate(invalid="ignore"):
        return float(np.max(np.abs(a - b) / np.maximum(0.5e-8, np.abs(a) + np.abs(b))))


def _perturbable(x: Floats, h: float) -> tuple[Floats, float]:
    """Return x itself where it can be changed and restored, else a copy; and h."""
    h, given, x = as_positive("h", h), x, as_array("x", x)
    if not isinstance(given, np.ndarray):
        raise TypeError(
            f"x is a {type(given).__name__}, but f must see x change in place: pass np.array(x)"
        )
    if x.dtype.kind != "f":
        raise TypeError(
            f"x has dtype {x.dtype}, but x + h needs floating point (integers would round the "
            "step away): pass x.astype(float)"
        )
    if x.size == 0:
        raise ValueError(f"x of shape {x.shape} is empty: pass a filled array")
    check_finite("x", x)
    return x if x.flags.writeable else x.copy(), h


def _both_sides(
    f: Callable[[Floats], Any], x: Floats, index: Any, h: float
) -> tuple[Any, Any, float]:
    """Return f(x + h e), f(x - h e) along one coordinate, and 2h; x is restored to the bit."""
    before = x[index].copy()
    with np.errstate(over="ignore"):
        start, end = (np.asarray(before + step, x.dtype) for step in (-h, h))
    if not -np.inf < start < before < end < np.inf:
        fitting = np.cbrt(float(np.finfo(x.dtype).eps)) * max(abs(float(before)), 1)
        wider = ", or better pass x.astype(np.float64)" if x.dtype.itemsize < 8 else ""
        raise ValueError(
            f"h = {h:g} is lost when it is added to x[{', '.join(map(str, index))}] = {before} of "
            f"dtype {x.dtype}: take h = {fitting:.0e}{wider}"
        )
    try:
        x[index] = end
        above = f(x)
        x[index] = start
        below = f(x)
    finally:
        x[index] = before
    return above, below, float(end) - float(start)


def _slope(f: Callable[[Floats], float], x: Floats, index: Any, h: float) -> float:
    above, below, step = _both_sides(lambda x: _number(f(x)), x, index, h)
    return float(above - below) / step


def _number(value: Any) -> float:
    number = as_array("f(x)", value) if not isinstance(value, tuple) else np.empty(0)
    if number.size != 1 or number.dtype.kind not in "fiu":
        raise TypeError(
            f"f returned {type(value).__name__} {shown(value)}, but it must return one "
            "number: take the loss alone, as in lambda W: loss(W)[0]"
        )
    return float(number.item())
