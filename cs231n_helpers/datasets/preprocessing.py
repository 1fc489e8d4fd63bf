"""From images to design matrices: flatten, subtract the mean of the training images, add a bias.

Symbols: N images, D features: the 28 * 28 = 784 or 32 * 32 * 3 = 3,072 pixels of an image, row by
row, channels last. What is not a batch of numbers is a TypeError or a ValueError.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..validation import all_finite, as_array, as_float_dtype, as_floats, check_finite, shown
from .splits import Array, Splits


def mean_image(X_train: ArrayLike) -> NDArray[np.float64]:
    """Return the mean of the training images, pixel by pixel.

    Parameters
    ----------
    X_train : (N, ...) array of real numbers
        Training images or rows. Leave validation and test images out: they stand for images that
        nobody has seen yet.

    Returns
    -------
    (D,) float64 array, in the units of `X_train`

    Examples
    --------
    >>> mean_image(np.array([[[0, 10], [20, 30]], [[2, 20], [20, 31]]], np.uint8))
    array([ 1. , 15. , 20. , 30.5])
    """
    rows = _as_rows("X_train", X_train)  # (N, D)
    exact: Any = np.result_type(rows, np.float64)
    if rows.dtype.kind in "iu":
        largest = max(int(rows.max()), -int(rows.min())) if rows.dtype.itemsize == 8 else 0
        exact = np.int64 if largest * len(rows) < 2**63 else object  # Python's own have no end
    with np.errstate(over="ignore", invalid="ignore"):
        mean: NDArray[np.float64] = (rows.sum(axis=0, dtype=exact) / len(rows)).astype(np.float64)
        if not all_finite(mean):  # the sum has no place where the mean has one
            mean = (rows / len(rows)).sum(axis=0).astype(np.float64)
    check_finite("mean_image(X_train)", mean)
    return mean


def design_matrix(
    X: ArrayLike,
    mean: ArrayLike | None = None,
    *,
    bias: bool = True,
    dtype: DTypeLike = np.float32,
) -> Array:
    """Flatten images, subtract a mean, append a column of ones.

    The ones make the last row of W the bias: ``[x, 1] @ W = x @ W[:-1] + W[-1]``.

    Parameters
    ----------
    X : (N, ...) array of real numbers
    mean : (D,) array, optional
        What to subtract from each row: `mean_image` of the training images. By default nothing.
    bias : bool
        Whether to append the column of ones.
    dtype : floating dtype

    Returns
    -------
    (N, D + 1) array, or (N, D) without the bias

    Examples
    --------
    >>> design_matrix(np.array([[[0, 10]], [[2, 20]]], np.uint8), mean=[1, 15])
    array([[-1., -5.,  1.],
           [ 1.,  5.,  1.]], dtype=float32)
    """
    rows = _as_rows("X", X)  # (N, D)
    num_features = rows.shape[1]
    mean = np.zeros(num_features) if mean is None else as_floats("mean", mean)
    check_finite("mean", mean)
    if mean.shape != (num_features,):
        raise ValueError(
            f"mean has shape {mean.shape} and a row of X {num_features} features: pass "
            "mean_image(X_train) of the same images"
        )
    if not isinstance(bias, bool | np.bool_):
        raise TypeError(f"bias = {shown(bias)}, but it must be True or False")
    return center(
        rows, mean, np.empty((len(rows), num_features + bias), as_float_dtype("dtype", dtype, 2))
    )


def preprocess(splits: Splits, *, bias: bool = True, dtype: DTypeLike = np.float32) -> Splits:
    """Turn images into design matrices: flatten, subtract the training mean, append the bias.

    The mean is that of `X_train` alone, so that nothing of the validation and test images leaks
    into what is learned.

    Parameters
    ----------
    splits : Splits
        Images, as loaded; they are not changed.
    bias, dtype
        As for `design_matrix`.

    Returns
    -------
    Splits
        The same with X_train, X_val and X_test of shape (N, D + 1), or (N, D) without the bias.

    Examples
    --------
    >>> from cs231n_helpers import load_images
    >>> preprocess(load_images("fashion_mnist"))
    <fashion_mnist: train (5000, 785), val (1000, 785), test (1000, 785), float32>
    """
    if not isinstance(splits, Splits):
        raise TypeError(f"splits is {shown(splits)}: pass what a loader returns")
    shape = as_array("X_train", splits.X_train).shape
    if shape[1:] != splits.image_shape:
        raise ValueError(
            f"X_train has shape {shape}, but images are (N, *{splits.image_shape}): "
            "preprocess what a loader returns"
        )
    mean = mean_image(splits.X_train)
    X_train, X_val, X_test = (
        design_matrix(X, mean, bias=bias, dtype=dtype)
        for X in (splits.X_train, splits.X_val, splits.X_test)
    )
    return replace(splits, X_train=X_train, X_val=X_val, X_test=X_test)


def _as_rows(name: str, images: ArrayLike) -> Array:
    """Return images (N, ...) as rows (N, D), N >= 1."""
    array = as_array(name, images)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}: use uint8 or float")
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}, but must be (N, ...) with N >= 1 images: "
            f"for a single one pass {name}[np.newaxis]"
        )
    if array.dtype.kind == "f":
        check_finite(name, array)
    return array.reshape(len(array), -1)


def center(rows: Array, mean: Array, out: Array) -> Array:
    """Fill `out` (N, D) or (N, D + 1) with rows (N, D) - mean (D,), rounded once, and with ones.

    Block by block, so that no temporary is large; `rows` may be the first D columns of `out`.
    """
    exact = np.result_type(rows, mean, np.float64)
    try:
        with np.errstate(over="raise"):
            for i in range(0, len(rows), 256):
                block = out[i : i + 256, : len(mean)]
                np.subtract(rows[i : i + 256], mean, out=block, casting="same_kind", dtype=exact)
    except FloatingPointError as error:
        raise ValueError(
            f"X - mean is beyond {out.dtype}, which ends at {np.finfo(out.dtype).max:.3g}: use a "
            "larger dtype, or scale X down"
        ) from error
    out[:, len(mean) :] = 1
    return out
