"""Refusing bad input by name, before anything is computed.

Every error names the thing, what was got, the rule and the remedy. A wrong kind of value (dtype)
is a ``TypeError``, a wrong shape or value a ``ValueError``, NaN and infinity a `NotFiniteError`.
Nothing here copies the examples: they may be a ``np.memmap`` larger than memory, so whoever needs a
copy, of another dtype for example, goes through them in `blocks`.

Shapes: N examples, D features, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.intp]
Rng = np.random.Generator | np.random.RandomState

BLOCK_BYTES = 6 * 2**20  # fits into the last cache of most processors
MAX_COUNT = 10**9  # of steps, examples, units: nobody means more


class NotFiniteError(ValueError, FloatingPointError):
    """NaN or infinity, in the data or in what was computed from it.

    Where training diverged, `iteration` says when, else it is None.
    """

    iteration: int | None = None


def blocks(num_rows: int, row_bytes: int, *, even: bool = False) -> Iterator[slice]:
    """Cut `num_rows` rows of `row_bytes` each into slices of one size, about BLOCK_BYTES.

    What is done to a block next finds it in the cache, and a copy of a block is small. The size is
    fixed, so that the order of summation, and with it the rounding, is the same on every machine.
    `even` makes an even number of them, where there are two rows.

    >>> list(blocks(150, 100_000))
    [slice(0, 50, None), slice(50, 100, None), slice(100, 150, None)]
    """
    count = -(-num_rows // max(64, BLOCK_BYTES // row_bytes))  # products of fewer rows are slow
    count = min(count + count % 2, num_rows) if even else count
    step = -(-num_rows // max(count, 1))
    for start in range(0, num_rows, max(step, 1)):
        yield slice(start, min(start + step, num_rows))


class Minibatch:
    """Rows of X (N, D), which each thread copies for itself, a block at a time, into its cache.

    >>> batch = Minibatch(np.eye(3), np.array([2, 0]))
    >>> batch.shape, batch[1:]
    ((2, 3), array([[1., 0., 0.]]))
    """

    def __init__(self, X: Floats, rows: Labels) -> None:
        self.X, self.rows, self.dtype = X, rows, X.dtype
        self.shape = len(rows), X.shape[1]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, block: slice) -> Floats:
        return self.X[self.rows[block]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.asarray(self[:], dtype)


def as_array(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return `values` as an array; a mask, which NumPy would drop, and ragged rows are refused."""
    if _is_masked(values):
        raise TypeError(
            f"{name} is a masked array, whose masked entries would count like the others: leave "
            "them out, or put numbers in their place with filled()"
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} is ragged, but its rows must all have the same length: pad or cut them"
        ) from error
    except Exception as error:  # of an object that makes arrays of itself
        raise TypeError(f"{name} cannot be read as an array ({error}): make one of it") from error


def _is_masked(values: Any, depth: int = 4) -> bool:
    if isinstance(values, list | tuple) and depth:
        return any(_is_masked(value, depth - 1) for value in values)
    return isinstance(values, np.ma.MaskedArray)


def as_floats(name: str, values: ArrayLike, integers_become: Any = np.float64) -> Floats:
    """Return `values` as a floating-point array; integers are converted, float32 stays float32.

    float16 becomes float32, because a sum of many examples is more than it can hold. With
    `integers_become` None, integers and float16 stay as small as they are.
    """
    array: Floats = as_array(name, values)
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"{name} has dtype {array.dtype}, but it must hold real numbers: "
            f"convert it with {name}.astype(float)"
        )
    if integers_become is None:
        return array
    if array.dtype.kind != "f":
        return array.astype(integers_become)
    return array.astype(np.float32) if array.dtype.itemsize < 4 else array


def as_float_dtype(name: str, dtype: DTypeLike, least_bytes: int = 4) -> np.dtype[Any]:
    """Return `dtype` if it is floating and wide enough; sums of many examples need float32."""
    found = np.dtype(object)
    with suppress(TypeError, ValueError):  # np.dtype(None) is float64
        found = np.dtype(object if dtype is None else dtype)
    if found.kind != "f" or found.itemsize < least_bytes or not found.isnative:
        raise TypeError(
            f"{name} = {shown(dtype)}, but it must be np.float32 or np.float64: pass one of them"
        )
    return found


def as_matrix(name: str, values: ArrayLike, axes: str, integers_become: Any = np.float64) -> Floats:
    """Return `values` as a 2-D array with at least one row and one column, else as `as_floats`."""
    array = as_floats(name, values, integers_become)
    if array.ndim == 1:
        remedy = f"for one example pass {name}[np.newaxis, :]"
    else:
        remedy = f"flatten images with {name}.reshape(len({name}), -1)"
    if array.ndim != 2:
        raise ValueError(
            f"{name} has shape {array.shape}, but it must be a matrix of shape {axes}: {remedy}"
        )
    if array.size == 0:
        raise ValueError(
            f"{name} of shape {array.shape} is empty: {axes} needs at least one row and one column"
        )
    return array


def as_examples(X: ArrayLike | Minibatch) -> Floats:
    """Return examples (N, D): a matrix, whose integers stay so, or a `Minibatch`, as if it were."""
    examples: Any = X
    if not isinstance(X, Minibatch):
        examples = as_matrix("X", X, "(N, D)", integers_become=None)
    return examples  # type: ignore[no-any-return]


def as_rows(
    name: str, values: ArrayLike, integers_become: Any = np.float64
) -> tuple[Floats, Floats]:
    """Return examples (N, d_1, ..., d_k), and the same as a matrix (N, d_1 * ... * d_k).

    >>> as_rows("X", np.zeros((2, 3, 5)))[1].shape
    (2, 15)
    """
    array = as_floats(name, values, integers_become)
    rows = array.reshape(len(array), math.prod(array.shape[1:])) if array.ndim > 2 else array
    return array, as_matrix(name, rows, "(N, d_1, ..., d_k)", integers_become)


def as_labels(y: ArrayLike, num_examples: int, examples_of: str = "X", name: str = "y") -> Labels:
    """Return `y` as (N,) non-negative integer labels, one for each of `num_examples` examples."""
    labels = as_array(name, y)
    if labels.ndim != 1:
        raise ValueError(
            f"{name} has shape {labels.shape}, but it must be (N,), one label an example: "
            f"use {name}.argmax(axis=1) if its rows are one-hot, {name}.ravel() if it is a column"
        )
    if labels.size and labels.dtype.kind not in "iu":
        raise TypeError(
            f"{name} has dtype {labels.dtype}, but labels are integers 0..C-1: "
            f"convert them with {name}.astype(int)"
        )
    if len(labels) != num_examples:
        raise ValueError(
            f"{name} has {len(labels)} labels and {examples_of} has {num_examples} rows, "
            "but each row needs one label: slice both alike"
        )
    if labels.min() < 0:
        i = int(np.argmin(labels))
        raise ValueError(
            f"{name}[{i}] = {labels[i]} is not a valid label: labels start at 0 "
            "(NumPy would take -1 for the last class); relabel or drop this example"
        )
    if labels.max() > np.iinfo(np.intp).max:  # of dtype uint64: the cast below would wrap around
        i = int(np.argmax(labels))
        raise ValueError(
            f"{name}[{i}] = {labels[i]} is not a valid label: labels are 0..C-1, so it is likely "
            "a negative number that was made unsigned; relabel or drop this example"
        )
    return labels.astype(np.intp, copy=False)


def count_classes(y: Labels, name: str = "y") -> int:
    """Return C = max(y) + 1; refuse labels that are far too large to be those of classes."""
    largest = int(y.max())
    if largest >= max(10_000, len(y)):
        raise ValueError(
            f"{name}[{int(np.argmax(y))}] = {largest} would make {largest + 1:,} classes for "
            f"{len(y):,} examples, but labels are 0..C-1: number the classes with "
            f"np.unique({name}, return_inverse=True)[1]"
        )
    return largest + 1


def check_label_range(y: Labels, num_classes: int, columns_of: str, name: str = "y") -> None:
    """Refuse labels beyond the last class."""
    if y.max() >= num_classes:
        i = int(np.argmax(y))
        raise ValueError(
            f"{name}[{i}] = {y[i]} is not a valid label: {columns_of} has {num_classes} columns, "
            f"so 0 <= {name} < {num_classes}; relabel, or give {columns_of} a column for each class"
        )


def as_scores(scores: ArrayLike, y: ArrayLike) -> tuple[Floats, Labels]:
    """Return (scores (N, C), y (N,)) ready for a loss on scores."""
    scores = as_matrix("scores", scores, "(N, C)")
    y = as_labels(y, len(scores), "scores")
    check_label_range(y, scores.shape[1], "scores")
    check_finite("scores", scores)
    return scores, y


def as_batch(W: ArrayLike, X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats, Labels]:
    """Return (W (D, C), X (N, D), y (N,)) for a linear classifier; integer images stay so."""
    W = as_matrix("W", W, "(D, C)")
    X = as_examples(X)
    check_columns(X, len(W), "W", transposed=W.shape[1] == X.shape[1])
    y = as_labels(y, len(X))
    check_label_range(y, W.shape[1], "W")
    return W, X, y


def check_columns(
    X: Floats, num_features: int, rows_of: str, name: str = "X", *, transposed: bool = False
) -> None:
    """Refuse X (N, D) whose D is not the `num_features` rows of the weights called `rows_of`."""
    if X.shape[1] == num_features:
        return
    if transposed:
        remedy = f"{rows_of} looks transposed, pass {rows_of}.T"
    elif X.shape[1] == num_features - 1:
        remedy = f"{name} may lack its bias column of ones"
    elif X.shape[1] == num_features + 1:
        remedy = f"{name} may have a bias column of ones too many"
    else:
        remedy = f"{name} and the weights come from different data"
    raise ValueError(
        f"{name} has {X.shape[1]} columns and {rows_of} has {num_features} rows, "
        f"but {rows_of}.shape[0] must equal {name}.shape[1]: {remedy}"
    )


def shown(value: object) -> str:
    """Return what an error says of an argument: its repr in one short line.

    >>> shown([1.0] * 100)
    '[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1....'
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an object may have any repr, and a number too many digits for one
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:33]}..."


def as_number(
    name: str,
    value: float,
    least: float = -math.inf,
    rule: str = "a finite number",
    *,
    below: float = math.inf,
) -> float:
    """Return `value` as a Python float: a NumPy scalar would turn float32 to float64."""
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # an integer or a fraction beyond float
            number = float(value)
    if not math.isfinite(number) or not least <= number < below:
        raise ValueError(
            f"{name} = {shown(value)}, but it must be {rule}: "
            "check its sign, and that a number and not an array was passed"
        )
    return number


def as_non_negative(name: str, value: float) -> float:
    """Return `value` as a Python float >= 0."""
    return as_number(name, value, 0.0, "a finite number >= 0")


def as_positive(name: str, value: float) -> float:
    """Return `value` as a Python float > 0."""
    return as_number(name, value, math.ulp(0.0), "a finite number > 0")


def as_count(name: str, value: int) -> int:
    """Return `value` as a Python int from 1 to MAX_COUNT."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not 1 <= value <= MAX_COUNT:
        raise ValueError(
            f"{name} = {shown(value)}, but it must be an integer >= 1, at most {MAX_COUNT:,}: "
            "divide with // where a whole number of steps is meant"
        )
    return int(value)


def as_rng(rng: Rng | None) -> Rng:
    """Return `rng`, or a fresh generator with seed 0: the global generator is never read.

    The default is a ``RandomState`` because its stream is frozen (NEP 19), so that a notebook's
    figures stay the same in every NumPy version.
    """
    if rng is None:
        return np.random.RandomState(0)
    if not isinstance(rng, np.random.Generator | np.random.RandomState):
        raise TypeError(
            f"rng is {shown(rng)}, but it must be a generator that draws: "
            "pass np.random.default_rng(seed) or np.random.RandomState(seed)"
        )
    return rng


def all_finite(array: Floats | float) -> bool:
    """Whether no entry is NaN or infinite; one pass without a temporary where all is well."""
    if isinstance(array, float):
        return math.isfinite(array)
    with np.errstate(over="ignore", invalid="ignore"):
        small = array.size < 2**20  # for which it takes half as long to look at each
        return bool((not small and np.isfinite(array.sum())) or np.isfinite(array).all())


def check_finite(name: str, array: Floats) -> None:
    """Refuse NaN and infinity, a block of rows at a time."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return
    array = np.atleast_1d(array)
    first: tuple[int, ...] = ()
    count = 0
    for rows in blocks(len(array), array[0].nbytes):
        wrong = np.argwhere(~np.isfinite(array[rows]))
        if count == 0 and len(wrong):
            first = (rows.start + int(wrong[0, 0]), *map(int, wrong[0, 1:]))
        count += len(wrong)
    if count:
        where = ", ".join(str(i) for i in first)
        raise NotFiniteError(
            f"{name}[{where}] = {array[first]} ({count} of {array.size} entries are not "
            "finite), but every entry must be a number: find out where it comes from"
        )


def check_finite_result(what: str, result: Floats | float, **inputs: Floats | float) -> None:
    """Where a result is not finite, name the input that is to blame, or say that it overflowed.

    `what` is a noun with its verb, as in "scores overflow".
    """
    if all_finite(result):
        return
    result = np.asarray(result)
    arrays = {name: np.asarray(array) for name, array in inputs.items()}
    for name, array in arrays.items():
        check_finite(name, array)
    sizes = ", ".join(
        f"max |{name}| = {max(float(a.max(initial=0)), -float(a.min(initial=0))):.3g}"
        for name, a in arrays.items()
    )
    raise NotFiniteError(
        f"the {what} {result.dtype}, although every input is finite ({sizes}): scale the data "
        "down, or take a smaller learning rate or reg"
    )
