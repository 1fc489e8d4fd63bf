"""Causes that stand in the arguments: labels of another form, bytes, a matrix transposed.

A suspect is tried: only where the function is right with the argument mended is the argument to
blame. It is said as the package's own losses say it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from ..validation import as_labels, as_matrix, check_columns, check_label_range
from .calls import written
from .codes import Code
from .evaluate import LossFunction
from .report import Finding, GradientReport
from .small_problem import Call

Bound = tuple[Any, ...]  # (loss, params, args, kwargs)
VAGUE = (Code.UNEXPLAINED, Code.ENTRY_WRONG, Code.SCALE_CONST, Code.IGNORES_ARGUMENT)


def blamed(
    call: Bound, examine: Callable[[Bound], GradientReport], *, raised: bool
) -> list[Finding]:
    """What is wrong with an argument, and with the function beside it; nothing where none is."""
    second_best: list[Finding] = []
    given = None
    with suppress(Exception):  # it may raise, or return nothing that can be compared
        given = _value(call)
    for finding, other in _mended(call, raised=raised):
        with suppress(Exception):  # it need not run with that
            if given == _value(other):
                continue  # this form makes no difference
            report = examine(other)
            if report:
                return [finding]
            if raised and report.mistakes[0].code not in VAGUE:
                second_best = second_best or [finding, *report.mistakes]
    return second_best


def _value(call: Bound) -> tuple[float, bytes]:
    function = LossFunction(*call)
    at = function(function.x)
    return at.value, at.gradient.tobytes()


def _finding(name: str, message: str) -> Finding:
    return Finding(Code.ARGUMENT, f"{message}.", evidence={"argument": name})


def _mended(call: Bound, *, raised: bool) -> Iterator[tuple[Finding, Bound]]:
    """The call with one argument put into another form, or with another order of all."""
    loss, params, args, kwargs = call
    bound = Call(loss, args, kwargs)
    is_matrix = isinstance(params, np.ndarray) and params.ndim == 2
    W = params if is_matrix else np.zeros((0, 0))
    sizes = {
        n for v in (params.values() if isinstance(params, dict) else [params]) for n in np.shape(v)
    }
    for binding, array in bound.arrays().items():
        name = bound.name(binding) or "an argument"
        given = bound.bindings[binding]
        forms = [*_labels(name, given, array, sizes), *_images(name, array, W)]
        for message, other in forms:
            loss_, args_, kwargs_ = bound.rebind({binding: other})
            yield _finding(name, message), (loss_, params, args_, kwargs_)
        if array.ndim == 2 and is_matrix and array.shape[1] == W.shape[1] != len(W):
            message = _refusal(check_columns, array, len(W), "W", name, transposed=True)
            yield _finding("W", message), (loss, W.T, args, kwargs)
    given = (params, *args)
    places = [k for k, v in enumerate(given) if isinstance(v, np.ndarray)] if raised else []
    for order in itertools.permutations(places) if 1 < len(places) < 5 else ():
        moved = list(given)
        for place, source in zip(places, order, strict=True):
            moved[place] = given[source]
        names = [written(v) for v in (loss, *moved, *kwargs.values())]
        for k, keyword in enumerate(kwargs, start=len(names) - len(kwargs)):
            names[k] = f"{keyword}={names[k]}"
        message = f"The arguments stand in another order, call check_gradient({', '.join(names)})"
        if order != tuple(places):
            yield _finding("order", message), (loss, moved[0], tuple(moved[1:]), kwargs)


def _labels(name: str, given: Any, array: Any, sizes: set[int]) -> Iterator[tuple[str, Any]]:
    """Labels as (N,) integers from 0."""
    is_whole = array.size > 0 and array.dtype.kind in "iuf" and np.all(array == np.round(array))
    if not is_whole or array.ndim not in (1, 2) or array.min() < 0:
        return
    one_hot = array.ndim == 2 and array.max() == 1 and np.all(array.sum(axis=1) == 1)
    if not (array.ndim == 1 or 1 in array.shape or one_hot):
        return
    one_hot = bool(one_hot) and array.shape[1] > 1
    labels = array.argmax(axis=1) if one_hot else array.ravel().astype(int)
    message = _refused(name, given, one_hot)
    highest = int(labels.max())
    if labels.min() == 1 and highest in sizes and highest + 1 not in sizes:
        message = message or _refusal(check_label_range, labels, highest, "W", name)
        message = f"{message}; labels start from 0, use {name} - 1"
        labels = labels - 1
    if isinstance(given, list) and not message:
        message = (
            f"{name} is a list, which cannot be compared with a number, nor indexed by an array: "
            f"pass np.asarray({name})"
        )
    if message:
        yield message, labels


def _images(name: str, array: Any, W: Any) -> Iterator[tuple[str, Any]]:
    """Examples as (N, D) floats, which meet W (D, C)."""
    if array.ndim > 1 and array.dtype.kind in "iu":
        loses = "wrap around below 0" if array.dtype.kind == "u" else "lose their decimals"
        yield (
            (
                f"{name} has dtype {array.dtype}, where results {loses}: convert it with "
                f"{name}.astype(float)"
            ),
            array.astype(float),
        )
    if array.ndim == 2 and array.shape[1] == 1 < len(array):
        message = f"{name} has shape {array.shape}, a column that makes a table with every row"
        yield f"{message}: pass {name}.ravel()", array.ravel()
    if array.ndim > 2:
        yield _refusal(as_matrix, name, array, "(N, D)"), array.reshape(len(array), -1)
    if array.ndim == 2 and array.shape[1] != len(W) > 0:
        message = _refusal(check_columns, array, len(W), "W", name)
        if len(array) == len(W):
            yield f"{name} has shape {array.shape} and looks transposed: pass {name}.T", array.T
        if array.shape[1] == len(W) - 1:
            ones = np.ones((len(array), 1))
            yield message, np.hstack([array, ones])
            yield message, np.hstack([ones, array])


def _refused(name: str, y: Any, one_hot: bool = False) -> str:
    """What the package says of these labels, with the remedy that fits alone."""
    message = _refusal(as_labels, y, len(y) if np.ndim(y) < 2 else np.size(y), "X", name)
    said, _, remedy = message.partition(": ")
    if np.ndim(y) == 2:
        remedy = f"use {name}.ravel()"
    if one_hot:
        remedy = f"its rows are one-hot, use {name}.argmax(axis=1)"
    return f"{said}: {remedy}" if message else ""


def _refusal(check: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """What a check of the package says, empty where it refuses nothing."""
    try:
        check(*args, **kwargs)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def mixed_examples(call: Bound) -> Finding | None:
    """Tell whether labels that are a column make a table of all examples and all labels.

    A loss is the mean, or the sum, of those of its examples: two halves of them must add up.
    """
    loss, params, args, kwargs = call
    bound = Call(loss, args, kwargs)
    arrays = bound.arrays()
    for binding, y in arrays.items():
        n, name = len(y) if y.ndim else 0, bound.name(binding) or "y"
        if n < 4 or y.shape != (n, 1) or y.dtype.kind not in "iu" or y.max() < 2 or y.min() < 0:
            continue
        rows_of = {b: v for b, v in arrays.items() if v.ndim and len(v) == n}

        def value(rows: list[int], rows_of: Any = rows_of) -> float:
            part = bound.rebind({b: v[rows] for b, v in rows_of.items()})
            function = LossFunction(part[0], params, *part[1:])
            return function(function.x).value

        with suppress(Exception):
            whole, a, b, c, d = map(value, ([0, 1, 2, 3], [0, 1], [2, 3], [0], [1, 2, 3]))
            is_mean = np.isclose(4 * whole, 2 * (a + b)) and np.isclose(4 * whole, c + 3 * d)
            is_sum = np.isclose(whole - a - b, whole - c - d)
            if np.isfinite(whole + a + b + c + d) and not (is_mean or is_sum):
                return _finding(name, _refused(name, y))
    return None
