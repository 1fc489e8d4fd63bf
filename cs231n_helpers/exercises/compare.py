"""Comparing what a student's function returned with what is right, and saying how it differs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..doctor.report import capitalized
from .student_function import FeedbackError, described

Array = NDArray[np.float64]

SHOWN = 12  # numbers of an array that are written out


def as_tuple(returned: Any, what: str) -> tuple[Any, ...]:
    """Two or three things, as many as `what` names, in a tuple or list; else FeedbackError."""
    count = len(what.split(","))
    if type(returned) not in (tuple, list) or len(returned) != count:
        number = {2: "two", 3: "three"}[count]
        text = f"It returned {described(returned)}; it must return {number} things, ({what})."
        raise FeedbackError(text, "wrong_type")
    return tuple(returned)


def as_number(value: Any, name: str) -> float:
    """A real number, be it NaN or infinite; else FeedbackError."""
    if type(value) is np.ndarray and value.size == 1 and value.dtype.kind in "fiu":
        value = value.reshape(-1)[0]
    if isinstance(value, int | float | np.integer | np.floating) and type(value) is not bool:
        _refuse_float16(value, name)
        try:
            return float(value)
        except Exception:  # an integer beyond all floats, a __float__ of their own
            return np.inf
    hint = ": sum or average over the examples" if isinstance(value, np.ndarray) else ""
    text = f"{capitalized(name)} is {described(value)}; it must be one real number{hint}."
    raise FeedbackError(text, "wrong_type")


def as_numbers(value: Any, name: str, form: str) -> Array:
    """The numbers in a list, tuple or 1-D array, which must be `form`; else FeedbackError."""
    if type(value) not in (list, tuple) and not (type(value) is np.ndarray and value.ndim == 1):
        raise FeedbackError(f"{name} is {described(value)}; it must be {form}.", "wrong_type")
    return np.array([as_number(v, f"{name}[{i}]") for i, v in enumerate(value[:9999])])


def as_array(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """An array of real numbers of this shape, else FeedbackError."""
    name = capitalized(name)
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu":
        text = f"{name} is {described(value)}; it must be a NumPy array of real numbers of the "
        raise FeedbackError(f"{text}shape {shape}.", "wrong_type")
    if value.shape != shape:
        text = f"{name} has the shape {value.shape}; it must have the shape {shape}."
        raise FeedbackError(text, "wrong_shape")
    _refuse_float16(value, name)
    with np.errstate(over="ignore"):  # a long double goes further
        return np.array(value, dtype=np.float64)


def as_dict(value: Any, keys: Iterable[str], name: str) -> dict[str, Any]:
    """A dict with these keys, else FeedbackError."""
    *most, last = keys
    if type(value) is not dict or value.keys() != {*most, last}:
        text = f"it must be a dict with {', '.join(most)} and {last}."
        raise FeedbackError(f"{capitalized(name)} is {described(value)}; {text}", "wrong_type")
    return value


def _refuse_float16(value: Any, name: str) -> None:
    if getattr(value, "dtype", None) == np.float16:
        text = "has the dtype float16, which keeps three digits; compute in float64."
        raise FeedbackError(f"{capitalized(name)} {text}", "wrong_type")


def near(a: Any, b: Any, tolerance: float = 1e-6) -> bool:
    """Equal, relative to the largest number of `b`; what is not finite is near nothing.

    >>> near(np.array([1.0, 1e-9]), np.array([1.0, 0.0])), near(np.nan, np.nan)
    (True, False)
    """
    largest = np.abs(b).max(initial=0.0)
    finite = np.isfinite(a).all() and np.isfinite(largest)
    return bool(finite and np.abs(a - b).max(initial=0.0) <= tolerance * largest)


def compare(given: Any, right: Any, name: str, where: str = "", tolerance: float = 1e-6) -> None:
    """Raise `FeedbackError` unless a value is right; numbers may be off by ten times as much.

    Small arrays are written out unless `where` says with which data they came out.

    >>> try:
    ...     compare(np.array([1.0, 3.0]), np.array([1.0, 2.0]), "the hidden layer")
    ... except FeedbackError as error:
    ...     print(error)
    The hidden layer is [1.0, 3.0] and must be [1.0, 2.0].
    """
    if isinstance(right, float):
        given, tolerance = as_number(given, name), 10 * tolerance
    else:
        given = as_array(given, right.shape, name)
    if near(given, right, tolerance):
        return
    finite, shown = bool(np.isfinite(given).all()), not where and np.size(right) <= SHOWN
    if isinstance(right, float):
        text = f"is {given:.5g} and must be {right:.5g}{where}"
    elif shown:
        text = f"is {figures(given)} and must be {figures(right)}"
    elif not finite:
        text = f"holds nan or infinity{where}"
    else:
        largest, off = np.abs(right).max(), np.abs(given - right)
        wrong = off > tolerance * largest
        text = f"is wrong in {wrong.sum()} of {off.size} entries"
        if where:
            text += f"{where}, by up to {off.max():.2g}; the largest right entry is {largest:.2g}"
        else:
            at = tuple(np.argwhere(wrong)[0].tolist())
            text += f": at {at} it is {figures(given[at])} and must be {figures(right[at])}"
    raise FeedbackError(f"{capitalized(name)} {text}.", "unexplained" if finite else "not_finite")


def figures(array: Array) -> str:
    """The numbers of an array in a few digits."""
    return str(np.round(array, 4).tolist())
