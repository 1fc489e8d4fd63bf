"""Images to learn from: the shipped Fashion-MNIST subset, the full sets, and preprocessing.

Symbols: N examples, C classes, D features: the 28 * 28 = 784 or 32 * 32 * 3 = 3,072 pixels of an
image, row by row, channels last. Images are uint8, 0 to 255; labels are int64, 0 <= y < C.

Files are read by formats.py, which trusts none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..validation import Rng, as_count, as_non_negative, as_rng
from .formats import (
    FOLDERS,
    PIXELS,
    REMEDY,
    cifar10_batches,
    default_cache,
    find_cifar10,
    read_idx_pair,
    read_shipped,
)

Array = NDArray[Any]

# fmt: off
FASHION_MNIST_CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                         "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
                   "dog", "frog", "horse", "ship", "truck")
# fmt: on


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test examples of one data set.

    Attributes
    ----------
    X_train, X_val, X_test : (N, *image_shape) uint8 arrays, or (N, D) or (N, D + 1) matrices
        Images, 0 to 255, as loaded; float matrices after `preprocess`.
    y_train, y_val, y_test : (N,) int64 arrays, 0 <= y < C
    class_names : tuple of C str
    image_shape : tuple of int
        (28, 28) or (32, 32, 3), to turn a row or a column of weights back into a picture.
    name : str
        'fashion_mnist' or 'cifar10'.
    """

    X_train: Array
    y_train: Array
    X_val: Array
    y_val: Array
    X_test: Array
    y_test: Array
    class_names: tuple[str, ...]
    image_shape: tuple[int, ...]
    name: str

    def __repr__(self) -> str:
        shapes = ", ".join(f"{s} {getattr(self, f'X_{s}').shape}" for s in ("train", "val", "test"))
        return f"<{self.name}: {shapes}, {self.X_train.dtype}>"


def load_images(name: str | None = None) -> Splits:
    """Load the images that the notebooks use: the one switch between the data sets.

    Parameters
    ----------
    name : {'fashion_mnist', 'fashion_mnist_full', 'cifar10'}, optional
        The shipped subset, or what `make data` has fetched. By default what the environment
        variable CS231N_DATA says, else 'fashion_mnist'.

    Raises
    ------
    ValueError
        If there is no data set of that name.

    Examples
    --------
    >>> load_images("fashion_mnist")
    <fashion_mnist: train (5000, 28, 28), val (1000, 28, 28), test (1000, 28, 28), uint8>
    """
    loaders: dict[str, Callable[[], Splits]] = {
        "fashion_mnist": load_fashion_mnist,
        "fashion_mnist_full": lambda: load_fashion_mnist(
            default_cache() / FOLDERS["fashion_mnist"]
        ),
        "cifar10": load_cifar10,
    }
    name = name or os.environ.get("CS231N_DATA") or "fashion_mnist"
    if name not in loaders:
        raise ValueError(
            f"there is no data set {name!r}: the choices are {', '.join(loaders)}, "
            "given as the argument or in the environment variable CS231N_DATA"
        )
    return loaders[name]()


def load_fashion_mnist(
    root: str | os.PathLike[str] | None = None, *, num_val: int | None = None
) -> Splits:
    """Load Fashion-MNIST: the subset shipped with this package, or the full data set.

    Parameters
    ----------
    root : path, optional
        Folder of the four official idx files, gzipped or not. By default the shipped subset:
        5,000 images to train, 1,000 to validate and 1,000 to test, each class as often.
    num_val : int, optional
        How many images, the last of the training set, are kept for validation. By default 1,000
        of the subset's 6,000 and 5,000 of the full 60,000.

    Returns
    -------
    Splits
        Images (N, 28, 28) uint8; 0 is the background.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, damaged, or not what its name says.

    References
    ----------
    Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017.

    Examples
    --------
    >>> load_fashion_mnist().class_names[9]
    'Ankle boot'
    """
    if root is None:
        X, y, X_test, y_test = read_shipped()
    else:
        X, y = read_idx_pair(Path(root), "train")
        X_test, y_test = read_idx_pair(Path(root), "t10k")
        if len(y) < len(y_test):
            raise ValueError(
                f"{root}: the train files hold {len(y)} images and the t10k files {len(y_test)}, "
                f"but there are more to train than to test: they look swapped, {REMEDY}"
            )
    default = 1_000 if root is None else 5_000
    cut = len(y) - _as_part("num_val", default if num_val is None else num_val, len(y) - 1)
    parts = (X[:cut], y[:cut], X[cut:], y[cut:], X_test, y_test)
    return Splits(*parts, FASHION_MNIST_CLASSES, (28, 28), "fashion_mnist")


def load_cifar10(
    root: str | os.PathLike[str] | None = None,
    *,
    num_train: int | None = None,
    num_val: int = 1_000,
    num_test: int = 1_000,
    dtype: DTypeLike | None = None,
) -> Splits:
    """Load CIFAR-10, split as the course does: 49,000 to train, 1,000 to validate, 1,000 to test.

    Parameters
    ----------
    root : path, optional
        Folder of the official binary (cifar-10-batches-bin) or pickled (cifar-10-batches-py)
        layout, or the folder that holds it. By default what the environment variable
        CS231N_CIFAR10 says, else the cache that `make data` fills.
    num_train : int, optional
        Images to train on, the first of the training set. By default all but the last `num_val`.
    num_val : int
        Images to validate on: always the last of the training set.
    num_test : int
        Images to test on, the first of the test set.
    dtype : floating dtype, optional
        Return what ``preprocess(load_cifar10(root), dtype=dtype)`` would, without ever holding the
        images as well: 49,000 of them take 602 MB as float32.

    Returns
    -------
    Splits
        Images (N, 32, 32, 3) uint8, channels R, G, B; with `dtype` matrices (N, 3073).

    Raises
    ------
    FileNotFoundError, ValueError
        If files are missing, damaged, not what their names say, or hold more than images.

    References
    ----------
    Krizhevsky, Learning multiple layers of features from tiny images, Toronto, 2009.
    """
    dtype = None if dtype is None else _as_float_dtype(dtype)
    width = PIXELS + (dtype is not None)
    X: dict[str, Array] = {}
    y: dict[str, Array] = {}
    total = np.zeros(PIXELS, np.int64)  # of the training images, pixel by pixel, in planes
    for k, (planes, labels) in enumerate(cifar10_batches(find_cifar10(root))):
        n = len(labels)
        if k == 0:  # the six files are one stream of records: [0, 5 n) to train, [5 n, 6 n) to test
            val_at = 5 * n - _as_part("num_val", num_val, 5 * n - 1)
            last = val_at if num_train is None else _as_part("num_train", num_train, val_at)
            test_end = 5 * n + _as_part("num_test", num_test, n)
            spans = {"train": (0, last), "val": (val_at, 5 * n), "test": (5 * n, test_end)}
            for split, (start, stop) in spans.items():
                X[split] = np.empty((stop - start, width), np.uint8 if dtype is None else dtype)
                y[split] = np.empty(stop - start, np.int64)
        for split, (start, stop) in spans.items():
            lo, hi = max(start - k * n, 0), min(stop - k * n, n)  # which of this file's records
            if lo < hi:
                rows = slice(lo + k * n - start, hi + k * n - start)
                y[split][rows] = labels[lo:hi]
                pixels = X[split][rows, :PIXELS].reshape(hi - lo, 1024, 3)
                for i in range(0, hi - lo, 128):  # a block stays in the cache for its three planes
                    for channel, plane in enumerate(np.split(planes[lo:hi][i : i + 128], 3, 1)):
                        pixels[i : i + 128, :, channel] = plane
                if split == "train":
                    total += planes[lo:hi].sum(axis=0, dtype=np.uint32)
    if dtype is None:
        X = {split: images.reshape(-1, 32, 32, 3) for split, images in X.items()}
    else:
        mean = total.reshape(3, 1024).T.ravel() / len(y["train"])  # (D,), channels last
        for matrix in X.values():
            _centre(matrix[:, :PIXELS], mean, out=matrix)
    parts = (X["train"], y["train"], X["val"], y["val"], X["test"], y["test"])
    return Splits(*parts, CIFAR10_CLASSES, (32, 32, 3), "cifar10")


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

    Raises
    ------
    TypeError, ValueError
        If `X_train` does not hold numbers, or no example.

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

    Raises
    ------
    TypeError, ValueError
        If `X` does not hold numbers, or the mean belongs to images of another size.

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
            f"mean has shape {mean.shape} and a row of X {num_features} features, but each feature "
            "needs one mean: pass mean_image(X_train) of the same images"
        )
    return _centre(rows, mean, np.empty((len(rows), num_features + bias), _as_float_dtype(dtype)))


def preprocess(splits: Splits, *, bias: bool = True, dtype: DTypeLike = np.float32) -> Splits:
    """Turn images into design matrices: flatten, subtract the training mean, append the bias.

    The mean is that of `X_train` alone, so that nothing of the validation and test images leaks
    into what is learnt.

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

    Raises
    ------
    ValueError
        If `splits` holds matrices already.

    Examples
    --------
    >>> preprocess(load_images("fashion_mnist"))
    <fashion_mnist: train (5000, 785), val (1000, 785), test (1000, 785), float32>
    """
    if splits.X_train.shape[1:] != splits.image_shape:
        raise ValueError(
            f"X_train has shape {splits.X_train.shape}, but images are (N, *{splits.image_shape}): "
            "preprocess what a loader returns, and once only"
        )
    mean = mean_image(splits.X_train)
    X_train, X_val, X_test = (
        design_matrix(X, mean, bias=bias, dtype=dtype)
        for X in (splits.X_train, splits.X_val, splits.X_test)
    )
    return replace(splits, X_train=X_train, X_val=X_val, X_test=X_test)


def make_spiral(
    points_per_class: int = 100,
    num_classes: int = 3,
    *,
    noise: float = 0.2,
    rng: Rng | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw the spiral of the course notes: classes that no straight line separates.

    Class c is an arm with radius r from 0 to 1 and angle t from 4 c to 4 (c + 1) radians plus
    ``noise`` times a standard normal; its points are (r sin t, r cos t).

    Parameters
    ----------
    points_per_class, num_classes : int
    noise : float
        Standard deviation of the angle, in radians, >= 0.
    rng : Generator or RandomState, optional
        By default ``np.random.RandomState(0)``, the points of the course notes.

    Returns
    -------
    X : (N, 2) float64 array, N = points_per_class * num_classes, inside the unit circle
    y : (N,) int64 array, class by class

    Raises
    ------
    TypeError, ValueError
        If a number is not one, or out of range.

    References
    ----------
    CS231n course notes, https://cs231n.github.io/neural-networks-case-study/

    Examples
    --------
    >>> make_spiral(2, 2, noise=0)[0].round(3) + 0.0  # arms end at the angles 4 and 8
    array([[ 0.   ,  0.   ],
           [-0.757, -0.654],
           [ 0.   ,  0.   ],
           [ 0.989, -0.146]])
    """
    n, classes = (
        as_count("points_per_class", points_per_class),
        as_count("num_classes", num_classes),
    )
    noise, rng = as_non_negative("noise", noise), as_rng(rng)
    y = np.repeat(np.arange(classes, dtype=np.int64), n)  # (N,)
    along = np.tile(np.linspace(0, 1, n), classes)  # (N,), from the centre out
    t = 4 * (y + along) + noise * rng.standard_normal(len(y))
    return np.stack([along * np.sin(t), along * np.cos(t)], axis=1), y


def _as_part(name: str, value: int, available: int) -> int:
    """Return `value` as an int from 1 to `available`."""
    if as_count(name, value) > available:
        raise ValueError(
            f"{name} = {value}, but there are {available} images for it: ask for fewer"
        )
    return int(value)


def _as_float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return `dtype` if it can hold images with their mean subtracted."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(
            f"dtype {np.dtype(dtype)} has no room for negative fractions: use np.float32"
        )
    return np.dtype(dtype)


def _as_rows(name: str, images: ArrayLike) -> Array:
    """Return images (N, ...) as rows (N, D), N >= 1."""
    array = np.asarray(images)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{name} has dtype {array.dtype}, but images are numbers: use uint8 or float"
        )
    if array.ndim < 2 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}, but it must be (N, ...) with N >= 1 images: "
            f"for a single one pass {name}[np.newaxis]"
        )
    return array.reshape(len(array), -1)


def _centre(rows: Array, mean: Array, out: Array) -> Array:
    """Fill `out` (N, D) or (N, D + 1) with rows (N, D) - mean (D,), rounded once, and with ones.

    Block by block, so that no temporary is large; `rows` may be the first D columns of `out`.
    """
    for i in range(0, len(rows), 256):
        block = out[i : i + 256, : len(mean)]
        np.subtract(rows[i : i + 256], mean, out=block, casting="same_kind", dtype=np.float64)
    out[:, len(mean) :] = 1
    return out
