"""Refusing what no picture can show, before anything is drawn.

Shapes: N images.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .validation import Floats, as_array, as_floats, as_matrix, as_number, check_finite, shown

LARGEST = 1e100  # beyond, the arithmetic of scales and ticks may overflow


def as_drawable(name: str, values: ArrayLike) -> Floats:
    """Return `values` as float64, none of them NaN, infinite or beyond LARGEST.

    >>> as_drawable("heights", [1, 2])
    array([1., 2.])
    """
    array = as_floats(name, values)
    check_finite(name, array)
    size = max(float(array.max()), -float(array.min())) if array.size else 0.0
    if size > LARGEST:
        raise ValueError(
            f"{name} reaches {size:.3g}, but pictures end at {LARGEST:g}: scale it down"
        )
    return array.astype(float, copy=False)


def as_images(name: str, values: ArrayLike) -> Floats:
    """Return `values` as N >= 1 gray or RGB images."""
    stack = as_drawable(name, values)
    if stack.ndim not in (3, 4) or stack.size == 0 or (stack.ndim == 4 and stack.shape[3] != 3):
        raise ValueError(
            f"{name} has shape {stack.shape}, but must be (N, height, width) or "
            "(N, height, width, 3): reshape rows with X.reshape(-1, *image_shape)"
        )
    return stack


def as_plane(name: str, points: ArrayLike) -> Floats:
    """Return `points` as (N, 2), one point a row."""
    found = as_drawable(name, as_matrix(name, points, "(N, 2)"))
    if found.shape[1] != 2:
        raise ValueError(
            f"{name} has {found.shape[1]} columns, but a picture of the plane needs 2: "
            "pick two features"
        )
    return found


def as_names(name: str, values: Any) -> list[str]:
    """Return `values` as a list of texts; a set has no order, and a text is no list."""
    names = as_array(name, values)
    if names.ndim != 1 or not all(isinstance(it, str) for it in names):
        raise TypeError(f"{name} is {shown(values)}, but it must be a list of str, one for each")
    return list(map(str, names))


def as_limits(limits: Any) -> tuple[float, float]:
    """Return (low, high) with low < high, and room between them for scales and ticks."""
    pair = as_drawable("limits", limits)
    if pair.shape != (2,) or pair[1] - pair[0] < 1 / LARGEST:
        raise ValueError(
            f"limits = {shown(limits)}, but they must be (low, high) with low < high: leave them "
            "out for those of the images"
        )
    return float(pair[0]), float(pair[1])


def as_image_shape(image_shape: Any) -> tuple[int, ...]:
    """Return (height, width) or (height, width, 3)."""
    shape = as_array("image_shape", image_shape)
    whole = shape.dtype.kind in "iu" and shape.ndim == 1 and shape.size and shape.min() > 0
    if not whole or (len(shape) != 2 and tuple(shape[2:]) != (3,)):
        raise ValueError(
            f"image_shape = {shown(image_shape)}, but it must be (height, width) or "
            "(height, width, 3), integers >= 1: pass the data's own, as in X.shape[1:]"
        )
    return tuple(shape.tolist())


def as_history(history: Any) -> list[Floats]:
    """Return [losses], and of a dict [losses, training accuracies, validation accuracies]."""
    if not isinstance(history, Mapping):
        return [_as_curve("history", history)]
    names = ("loss_history", "train_acc_history", "val_acc_history")
    lacking = [name for name in names if name not in history]
    if lacking:
        raise ValueError(
            f"history lacks {', '.join(lacking)}: pass all that TwoLayerNet.train returned"
        )
    curves = [_as_curve(name, history[name]) for name in names]
    for name, accuracies in zip(names[1:], curves[1:], strict=True):
        low, high = accuracies.min(), accuracies.max()
        if low < 0 or high > 1:
            raise ValueError(
                f"{name} goes from {low:g} to {high:g}, but accuracies are in [0, 1]: divide "
                "percentages by 100"
            )
    return curves


def _as_curve(name: str, values: Any) -> Floats:
    curve = as_array(name, values)
    if curve.ndim != 1 or curve.size == 0:
        raise ValueError(
            f"{name} has shape {curve.shape}, but it must hold one number a step: pass what "
            "train returned"
        )
    return as_drawable(name, curve)


def as_table(results: Any) -> dict[tuple[float, float], float]:
    """Return (learning_rate, reg) -> validation accuracy, all of them floats."""
    if not isinstance(results, Mapping):
        raise TypeError(
            f"results is {shown(results)}, but it must be a dict (learning_rate, reg) -> accuracy: "
            "pass `accuracies` of what search returned"
        )
    if not results:
        raise ValueError("results is empty, but a heat map needs at least one pair")
    table = {}
    for pair, value in results.items():
        name = f"results[{shown(pair)}]"
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"{name} has no pair (learning_rate, reg) as its key: give both")
        rate, reg = (as_number(f"{name}: {k}", pair[i]) for i, k in enumerate(("rate", "reg")))
        if min(rate, reg) < 1 / LARGEST or max(rate, reg) > LARGEST:
            raise ValueError(
                f"{name} is beyond log axes, from {1 / LARGEST:g} to {LARGEST:g}: leave out 0, or "
                "take a small number in its place"
            )
        last = as_floats(name, value).ravel()[-1:]
        if not last.size or last[0] < 0 or last[0] > 1:  # NaN is neither
            raise ValueError(
                f"{name} = {shown(value)}, but it must be an accuracy in [0, 1], NaN where a run "
                "diverged, or a tuple that ends in one"
            )
        table[rate, reg] = float(last[0])
    return table


def check_function(name: str, function: Any, of: str, remedy: str = "") -> None:
    """Refuse what cannot be called with the arguments that `of` lists."""
    fits = not isinstance(function, type)
    try:
        inspect.signature(function).bind(*of.split(" and "))
    except TypeError:
        fits = False
    except ValueError:
        pass  # some of what is written in C does not say what it takes
    if not fits:
        raise TypeError(f"{name} is {shown(function)}, but it must be a function of {of}{remedy}")


def check_axes(ax: Any) -> None:
    """Refuse what is not one plain Axes of a figure."""
    if not isinstance(ax, Axes) or ax.name != "rectilinear" or ax.figure is None:
        raise TypeError(
            f"ax is {shown(ax)}, but it must be one plain Axes: pass one of those that "
            "plt.subplots() makes"
        )
