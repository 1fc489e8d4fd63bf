"""Notebook 05: the step of a numerical derivative, between Taylor's error and rounding."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from ..described_values import ROUNDING
from ..drawable import as_drawable, check_function
from ..plots import CLASS_COLORS
from ..validation import Floats, NotFiniteError, as_array, as_number, shown
from .shell import SMALL, Explorer, finish

BLUE, ORANGE, GREEN, _, _, RED = CLASS_COLORS[:6]
METHODS = {"forward": ("-", ORANGE), "central": ("-", BLUE), "complex": ("--", GREEN)}

PRECISIONS = ("float64", "float32")
LOST = 0.01  # of the measured change, about: a rounding error that is to be seen
WITHIN = np.linspace(-2, 2, 161)  # where f is drawn, in steps h from the point


def explore_step_size(f: Callable[[Any], Any], x: float, slope: float) -> Explorer:
    """Move the step h of a numerical derivative: Taylor's error, rounding, and the best between.

    Parameters
    ----------
    f : callable
        Function of one number of dtype float32, float64, complex64 or complex128, which computes
        in that precision and is analytic, so that the complex step is allowed.
    x : float
        The point.
    slope : float
        The true derivative there.

    Returns
    -------
    Explorer
        `draw_step_size`: central differences in both precisions, with a good step and a poor one.

    Examples
    --------
    >>> explorer = explore_step_size(lambda t: t**3, 1.0, 3.0)
    >>> explorer.controls["method"]
    ['forward', 'central', 'complex']
    """
    check_function("f", f, "one number")
    x, slope = as_number("x", x), as_number("slope", slope)
    if slope == 0:
        raise ValueError("slope = 0, but errors are relative to it: take a point on a slope")
    exponents = (np.arange(-64, 1) / 4).tolist()
    steps = 10.0 ** np.array(exponents)

    def checked_f(t: Any) -> Any:
        try:
            value = as_array("f(t)", f(t))
        except (TypeError, np.exceptions.ComplexWarning) as error:
            raise TypeError(
                f"f takes no {type(t).__name__} ({error}): write it with NumPy, as np.sin and not "
                "math.sin, which takes complex numbers, too"
            ) from error
        if value.shape or value.dtype.kind not in "fc":
            raise TypeError(
                f"f({t}) is {shown(value)}, but it must be one number of the precision of t"
            )
        if not np.isfinite(value):
            raise NotFiniteError(
                f"f({t}) = {value}, but the picture needs numbers within 2 of x: take another x"
            )
        return value[()]

    @cache
    def errors(dtype: str, method: str) -> Floats:
        slopes = np.array([numerical_slope(checked_f, x, h, method, dtype) for h in steps])
        return as_drawable("the error relative to slope", np.abs(slopes - slope) / abs(slope))

    with np.errstate(all="ignore"), warnings.catch_warnings():
        # all that will be drawn is asked for now, so that it is refused before
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        for dtype in PRECISIONS:
            for u in WITHIN:
                checked_f(np.dtype(dtype).type(x + u))
            for method in METHODS:
                errors(dtype, method)

    def draw(axes: Sequence[Axes], *, log10_of_h: float, method: str, precision: str) -> str:
        curves = {name: errors(precision, name) for name in METHODS}
        k = exponents.index(log10_of_h)
        return draw_step_size(axes, checked_f, x, slope, steps, curves, k, method, precision)

    controls = {
        "log10_of_h": exponents,
        "method": list(METHODS),
        "precision": list(PRECISIONS),
    }
    states = [(-4.0, "central", "float64"), (-6.5, "central", "float32"),
              (-1.0, "central", "float32"), (0.0, "forward", "float64")]  # fmt: skip
    row = [dict(zip(controls, state, strict=True)) for state in states]
    return Explorer("A numerical slope and its error against the step h", draw, controls, row, 2)


def numerical_slope(f: Callable[[Any], Any], x: float, h: float, method: str, dtype: str) -> float:
    """Return (f(x+h) - f(x)) / h, (f(x+h) - f(x-h)) / 2h or Im f(x+ih) / h, computed in dtype.

    >>> round(numerical_slope(lambda t: t**3, 1.0, 0.1, "central", "float64"), 6)
    3.01
    """
    number = np.dtype(dtype).type
    x, h = number(x), number(h)
    if method == "complex":
        direction = np.result_type(number, np.complex64).type(1j)
        return float(np.imag(f(x + h * direction)) / h)
    if method == "forward":
        return float((f(x + h) - f(x)) / h)
    return float((f(x + h) - f(x - h)) / (2 * h))


def draw_step_size(
    axes: Sequence[Axes],
    f: Callable[[Any], Any],
    x: float,
    slope: float,
    steps: Floats,
    errors: Mapping[str, Floats],
    k: int,
    method: str,
    dtype: str,
) -> str:
    """Draw f within 2 h of x into axes[0], the errors of all methods against h into axes[1].

    In axes[0] the true slope is the diagonal whatever h is: what is measured should lie on it.
    `errors` holds, for each method, the relative error at each of `steps`; the state is that of
    ``steps[k]`` and `method`. Returns the sentence.
    """
    h, error = float(steps[k]), float(errors[method][k])
    number = np.dtype(dtype).type
    here = f(number(x))
    rise = np.vectorize(lambda u: float(f(number(x) + number(u * h)) - here) / (h * slope))
    eps = float(np.finfo(number).eps)
    rounded = method != "complex" and eps > LOST * h and error > 1e-4
    gid = ROUNDING if eps > 1e-6 * h else None
    axes[0].plot(WITHIN, rise(WITHIN), color="0.35", label="f, as computed", gid=gid)
    axes[0].plot(WITHIN, WITHIN, ":", color=GREEN, label="true slope")
    if method != "complex":
        ends = np.array([-1.0 if method == "central" else 0.0, 1.0])
        axes[0].plot(ends, rise(ends), "o-", color=RED, label="measured slope", gid=gid)
    finish(axes[0], f"{dtype}, h = {h:.1e}", xlabel="way from the point, in h",
           ylabel="change of f / (h slope)", xlim=(-2.1, 2.1), ylim=(-3, 3))  # fmt: skip
    axes[0].legend(fontsize=SMALL, loc="upper left")
    for name, (style, color) in METHODS.items():
        axes[1].loglog(steps, np.maximum(errors[name], 1e-17), style, color=color, label=name,
                       gid=f"{ROUNDING} below {1e-3 if dtype == 'float64' else 0.3:g}")  # fmt: skip
    axes[1].plot(
        h, max(error, 1e-17), "o", color=RED, markersize=10, label="this step", gid=ROUNDING
    )
    told = "lost in rounding" if rounded else f"error {error:.0e}"
    finish(axes[1], f"{method}: {told}", xlabel="step h",
           ylabel="relative error of the slope", ylim=(3e-18, 1e5))  # fmt: skip
    for axis in (axes[1].xaxis, axes[1].yaxis):  # few and plain: mathematical text is slow to set
        axis.set_major_locator(FixedLocator([1e-16, 1e-8, 1]))
        axis.set_major_formatter("{x:.0e}")
        axis.set_minor_locator(NullLocator())
    axes[1].legend(
        handles=axes[1].lines[:3],
        fontsize=SMALL,
        loc="upper center",
        ncols=3,
        handlelength=0.8,
        columnspacing=0.6,
    )
    best = {"forward": 1 / 2, "central": 1 / 3}.get(method)
    off = (
        "rounding errors of a percent or more"
        if rounded
        else f"an error of {error:.0e} of the slope"
    )
    return f"In {dtype} with h = {h:.1e} the {method} difference has {off}; " + (
        f"it does best near h = {eps**best:.0e}, where rounding takes over."
        if best
        else "it subtracts nothing, so no h is too small."
    )
