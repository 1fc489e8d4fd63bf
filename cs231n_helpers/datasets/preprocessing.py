"""From images to design matrices: flatten, subtract the mean of the training images, add a bias.

Symbols: N images, D features: the 28 * 28 = 784 or 32 * 32 * 3 = 3,072 pixels of an image, row by
row, channels last. What is not a batch of numbers is a TypeError or a ValueError.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

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
    exact = np.int64 if rows.dtype.kind in "iu" else np.float64
    mean: NDArray[np.float64] = rows.sum(axis=0, dtype=exact) / len(rows)
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
    mean = np.zeros(num_features) if mean is None else np.asarray(mean)
    if mean.shape != (num_features,):
        raise ValueError(
            f"mean has shape {mean.shape} and a row of X {num_features} features: pass "
            "mean_image(X_train) of the same images"
        )
    return center(rows, mean, np.empty((len(rows), num_features + bias), as_float_dtype(dtype)))


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
    if splits.X_train.shape[1:] != splits.image_shape:
        raise ValueError(
            f"X_train has shape {splits.X_train.shape}, but images are (N, *{splits.image_shape}): "
            "preprocess what a loader returns"
        )
    mean = mean_image(splits.X_train)
    X_train, X_val, X_test = (
        design_matrix(X, mean, bias=bias, dtype=dtype)
        for X in (splits.X_train, splits.X_val, splits.X_test)
    )
    return replace(splits, X_train=X_train, X_val=X_val, X_test=X_test)


def as_float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` if it can hold images with their mean subtracted."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"dtype {np.dtype(dtype)} is not floating: use np.float32")
    return np.dtype(dtype)


def _as_rows(name: str, images: ArrayLike) -> Array:
    """Return images (N, ...) as rows (N, D), N >= 1."""
    array = np.asarray(images)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} has dtype {array.dtype}: use uint8 or float")
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}, but must be (N, ...) with N >= 1 images: "
            f"for a single one pass {name}[np.newaxis]"
        )
    return array.reshape(len(array), -1)


def center(rows: Array, mean: Array, out: Array) -> Array:
    """Fill `out` (N, D) or (N, D + 1) with rows (N, D) - mean (D,), rounded once, and with ones.

    Block by block, so that no temporary is large; `rows` may be the first D columns of `out`.
    """
    for i in range(0, len(rows), 256):
        block = out[i : i + 256, : len(mean)]
        np.subtract(rows[i : i + 256], mean, out=block, casting="same_kind", dtype=np.float64)
    out[:, len(mean) :] = 1
    return out
