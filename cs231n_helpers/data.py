"""Images to learn from: the shipped Fashion-MNIST subset, the full sets, and preprocessing.

Symbols: N examples, C classes, D features: the 28 * 28 = 784 or 32 * 32 * 3 = 3,072 pixels of an
image, row by row, channels last. Images are uint8, 0 to 255; labels are int64, 0 <= y < C.

No file is trusted: the shipped subset is checked against its SHA-256, everything else for its size,
format and labels, and CIFAR-10's pickled batches are interpreted here, opcode by opcode, by code
that has no way to import or call anything.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import pickletools
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .checks import Rng, as_count, as_non_negative, as_rng

Array = NDArray[Any]

# fmt: off
FASHION_MNIST_CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                         "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
                   "dog", "frog", "horse", "ship", "truck")
# fmt: on
SHIPPED_SHA256 = "2715353a93a53ceb371c5d926fecace2278f0c36806a89a48686e3856451f0f0"

CIFAR10_STEMS = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")

_PIXELS, _MAX_RECORDS, _MAX_PICKLE_BYTES, _MAX_PICKLE_STEPS = 3_072, 10_000, 40_000_000, 100_000
_REMEDY = "get the official files with `make data`"
_SHIPPED_REMEDY = "restore it with `git checkout -- data`, or reinstall the package"


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
    name : {'fashion_mnist', 'cifar10'}, optional
        By default what the environment variable CS231N_DATA says, else 'fashion_mnist'.

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
        "cifar10": load_cifar10,
    }
    name = name or os.environ.get("CS231N_DATA") or "fashion_mnist"
    if name not in loaders:
        raise ValueError(
            f"there is no data set {name!r}: the choices are 'fashion_mnist' and 'cifar10', "
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
    """
    if root is None:
        X, y, X_test, y_test = _read_shipped()
    else:
        X, y = _read_idx_pair(Path(root), "train")
        X_test, y_test = _read_idx_pair(Path(root), "t10k")
        if len(y) < len(y_test):
            raise ValueError(
                f"{root}: the train files hold {len(y)} images and the t10k files {len(y_test)}, "
                f"but there are more to train than to test: they look swapped, {_REMEDY}"
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
    width = _PIXELS + (dtype is not None)
    X: dict[str, Array] = {}
    y: dict[str, Array] = {}
    total = np.zeros(_PIXELS, np.int64)  # of the training images, pixel by pixel, in planes
    for k, (planes, labels) in enumerate(_cifar10_batches(_find_cifar10(root))):
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
                pixels = X[split][rows, :_PIXELS].reshape(hi - lo, 1024, 3)
                pixels[...] = planes[lo:hi].reshape(hi - lo, 3, 1024).transpose(0, 2, 1)
                if split == "train":
                    total += planes[lo:hi].sum(axis=0, dtype=np.uint32)
    if dtype is None:
        X = {split: images.reshape(-1, 32, 32, 3) for split, images in X.items()}
    else:
        mean = total.reshape(3, 1024).T.ravel() / len(y["train"])  # (D,), channels last
        for matrix in X.values():
            _centre(matrix[:, :_PIXELS], mean, out=matrix)
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


def _read_shipped() -> tuple[Array, Array, Array, Array]:
    """Return X (6,000, 28, 28), y, X_test, y_test of the shipped subset, validation images last."""
    name = "fashion_mnist_mini.npz"
    package = Path(__file__).resolve().parent
    places = (package.parent / "data" / name, package / "_shipped" / name)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"neither {places[0]} nor {places[1]} is there: {_SHIPPED_REMEDY}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHIPPED_SHA256:
        raise ValueError(
            f"{path} has SHA-256 {digest}, expected {SHIPPED_SHA256}: it was changed or damaged, "
            f"{_SHIPPED_REMEDY}"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        X, y = (np.concatenate([arrays[f"{a}_train"], arrays[f"{a}_val"]]) for a in "Xy")
        return X, y.astype(np.int64), arrays["X_test"], arrays["y_test"].astype(np.int64)


def _read_idx_pair(folder: Path, prefix: str) -> tuple[Array, Array]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of one of Fashion-MNIST's two parts."""
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte", 28, 28)
    path = folder / f"{prefix}-labels-idx1-ubyte"
    labels = _read_idx(path)
    if len(images) != len(labels):
        raise ValueError(
            f"{path} holds {len(labels)} labels for {len(images)} images, but each image has one: "
            f"{_REMEDY}"
        )
    return images, _as_classes(path, labels)


def _read_idx(path: Path, *shape: int) -> Array:
    """Return the uint8 array (N, *shape) of an idx file, which may be gzipped, N <= 60,000."""
    zipped = path.with_name(f"{path.name}.gz")
    path = zipped if zipped.is_file() else path
    if not path.is_file():
        raise FileNotFoundError(f"there is neither {path} nor {zipped.name}: {_REMEDY}")
    header = 8 + 4 * len(shape)
    try:
        with gzip.open(path) if path == zipped else path.open("rb") as stream:
            content = stream.read(header + 60_000 * prod(shape) + 1)  # a bomb goes no further
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): {_REMEDY}") from error
    magic = bytes([0, 0, 8, 1 + len(shape)])  # 8: unsigned bytes
    if content[:4] != magic or len(content) < header:
        raise ValueError(
            f"{path} starts with {content[:4].hex(' ')}, but an idx file of this name starts with "
            f"{magic.hex(' ')} and its sizes: {_REMEDY}"
        )
    sizes = [int(size) for size in np.frombuffer(content, ">u4", len(shape) + 1, offset=4)]
    found = len(content) - header
    if not 1 <= sizes[0] <= 60_000 or tuple(sizes[1:]) != shape or prod(sizes) != found:
        raise ValueError(
            f"{path} says that it holds {' x '.join(map(str, sizes))} bytes and holds {found}, but "
            f"expected are {' x '.join(map(str, ('N', *shape)))}, N from 1 to 60,000: {_REMEDY}"
        )
    return np.frombuffer(bytearray(content), np.uint8, offset=header).reshape(sizes)


def _as_classes(path: Path, labels: ArrayLike) -> NDArray[np.int64]:
    """Return labels as int64, all of them 0 to 9."""
    y = np.asarray(labels, np.int64)
    outside = np.flatnonzero((y < 0) | (y > 9))
    if outside.size:
        i = outside[0]
        raise ValueError(f"{path}: record {i} has label {y[i]}, but labels are 0 to 9: {_REMEDY}")
    return y


def _find_cifar10(root: str | os.PathLike[str] | None) -> list[Path]:
    """Return the six files of an official layout, in order, from `root` or one level below."""
    from .download import default_cache

    folder = Path(root or os.environ.get("CS231N_CIFAR10") or default_cache())
    remedy = f"name a folder that holds cifar-10-batches-bin or cifar-10-batches-py, or {_REMEDY}"
    if not folder.is_dir():
        what = "is a file (if an archive, extract it)" if folder.exists() else "does not exist"
        raise FileNotFoundError(f"CIFAR-10's folder {folder} {what}: {remedy}")
    places = [(folder, ".bin"), (folder, "")]
    places += [(folder / "cifar-10-batches-bin", ".bin"), (folder / "cifar-10-batches-py", "")]
    layouts = [[place / f"{stem}{end}" for stem in CIFAR10_STEMS] for place, end in places]
    missing, paths = min(
        (([p.name for p in paths if not p.is_file()], paths) for paths in layouts),
        key=lambda found: len(found[0]),
    )
    if not missing:
        return paths
    if len(missing) < len(paths):
        raise FileNotFoundError(f"{paths[0].parent} lacks {', '.join(missing)}: {_REMEDY}")
    names = sorted(path.name for path in folder.iterdir())
    found = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    if any(name in ("train", "train.bin") or name.startswith("cifar-100") for name in names):
        found += "; that looks like CIFAR-100, another data set"
    if any(name.endswith((".gz", ".zip", ".tar")) for name in names):
        found += "; extract the archive first"
    raise FileNotFoundError(
        f"no CIFAR-10 files in {folder} (found: {found or 'nothing'}): {remedy}"
    )


def _cifar10_batches(paths: list[Path]) -> Iterator[tuple[Array, NDArray[np.int64]]]:
    """Yield pixels (n, 3072) uint8 in planes R, G, B, and labels (n,), of six files of one size.

    Pixels are overwritten by the next file: copy what is to last.
    """
    buffer = np.empty((_MAX_RECORDS, 1 + _PIXELS), np.uint8)
    first_images: dict[bytes, Path] = {}
    num_records, balanced = 0, []
    for path in paths:
        planes, labels = _read_binary(path, buffer) if path.suffix else _read_pickled(path)
        y = _as_classes(path, labels)
        num_records = num_records or len(y)
        if len(y) != num_records:
            raise ValueError(
                f"{path} holds {len(y)} images and {paths[0].name} {num_records}, but all "
                f"six files hold equally many, officially 10,000: {_REMEDY}"
            )
        twin = first_images.setdefault(planes[0].tobytes(), path)
        if twin != path and twin.read_bytes() == path.read_bytes():
            raise ValueError(
                f"{path} is a copy of {twin.name}, but each file has its own images: {_REMEDY}"
            )
        balanced.append(bool((np.bincount(y, minlength=10) == 1_000).all()))
        if path == paths[-1] and any(balanced) and not balanced[-1]:  # only possible with 10,000
            raise ValueError(
                f"{path} looks swapped with {paths[balanced.index(True)].name}: the test file, and "
                f"no other, has exactly 1,000 images of each class; rename them, or {_REMEDY}"
            )
        yield planes, y


def _read_binary(path: Path, buffer: Array) -> tuple[Array, Array]:
    """Read records of one label byte and 3,072 pixel bytes into `buffer`: (pixels, labels)."""
    with path.open("rb", buffering=0) as stream:
        count, rest = divmod(stream.readinto(buffer.data) or 0, buffer.shape[1])
        if count == 0 or rest or stream.read(1):
            raise ValueError(
                f"{path} has {path.stat().st_size:,} bytes, but a CIFAR-10 file has 1 to 10,000 "
                f"records of 3,073: it is empty, truncated or something else, {_REMEDY}"
            )
    return buffer[:count, 1:], buffer[:count, 0]


def _read_pickled(path: Path) -> tuple[Array, list[int]]:
    """Return (pixels, labels) of a pickled batch, without unpickling it."""
    size = path.stat().st_size
    if size > _MAX_PICKLE_BYTES:
        raise ValueError(f"{path} has {size:,} bytes, but a batch has about 31,000,000: {_REMEDY}")
    try:
        return _batch_arrays(path, _interpret(path.read_bytes()))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is refused, nothing in it was run: {error}; {_REMEDY}") from error


class _Inert:
    """Stands for a global, or for what a call with `args` would have returned; does nothing."""

    def __init__(self, name: str, args: Any = None) -> None:
        self.name, self.args, self.state = name, args, None


_GLOBALS = {
    b"numpy.core.multiarray\n_reconstruct\n": "_reconstruct",
    b"numpy._core.multiarray\n_reconstruct\n": "_reconstruct",
    b"numpy\nndarray\n": "ndarray",
    b"numpy\ndtype\n": "dtype",
}
_RESULTS = {"_reconstruct": "an array", "dtype": "a dtype"}


def _interpret(content: bytes) -> Any:
    """Return what a pickle describes, made of dict, list, tuple, str, int, False, None, _Inert.

    An interpreter of the opcodes in the official batches, which has no way to import or call what
    a pickle names. Whatever else a pickle asks for is an error that tells the opcode and its
    offset. Long strings come as views of `content`, not as copies.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    position = 0

    def take(size: int) -> bytes | memoryview:
        nonlocal position
        start, position = position, position + size
        if position > len(content):
            raise ValueError(f"it ends within a value that starts at byte {start}")
        return content[start:position] if size < 256 else memoryview(content)[start:position]

    def number(size: int, signed: bool = False) -> int:
        return int.from_bytes(take(size), "little", signed=signed)

    def pop_from(start: int) -> list[Any]:
        items = stack[start:]
        del stack[start:]
        return items

    for _ in range(_MAX_PICKLE_STEPS):  # an official batch takes 30,000
        at = position
        match opcode := take(1):
            case pickle.BININT1 | pickle.BININT2:
                stack.append(number(1 if opcode == pickle.BININT1 else 2))
            case pickle.SHORT_BINSTRING:
                stack.append(str(take(number(1)), "latin-1"))
            case pickle.BINPUT | pickle.LONG_BINPUT:
                index = number(1 if opcode == pickle.BINPUT else 4)
                if index > at:  # they count from 0 or 1, and each takes 2 bytes
                    raise ValueError(f"memo index {index} at byte {at} is out of all proportion")
                memo[index] = stack[-1]
            case pickle.BINGET | pickle.LONG_BINGET:
                stack.append(memo[number(1 if opcode == pickle.BINGET else 4)])
            case pickle.BININT:
                stack.append(number(4, signed=True))
            case pickle.BINSTRING:
                stack.append(take(number(4)))
            case pickle.NONE | pickle.NEWFALSE:
                stack.append(None if opcode == pickle.NONE else False)
            case pickle.EMPTY_DICT | pickle.EMPTY_LIST:
                stack.append({} if opcode == pickle.EMPTY_DICT else [])
            case pickle.MARK:
                marks.append(len(stack))
            case pickle.APPENDS:
                items = pop_from(marks.pop())
                stack[-1].extend(items)
            case pickle.SETITEMS:
                items = pop_from(marks.pop())
                if not all(isinstance(key, str) for key in items[::2]):  # a tuple's hash can hang
                    raise ValueError(f"at byte {at} a key is no string")
                stack[-1].update(zip(items[::2], items[1::2], strict=True))
            case pickle.TUPLE1 | pickle.TUPLE2 | pickle.TUPLE3:
                size = b" \x85\x86\x87".index(opcode)
                stack.append(tuple(pop_from(-size)))
            case pickle.TUPLE:
                stack.append(tuple(pop_from(marks.pop())))
            case pickle.GLOBAL:
                end = content.index(b"\n", content.index(b"\n", position) + 1) + 1
                name = bytes(take(end - position))
                if name not in _GLOBALS:
                    asked = ".".join(str(name[:80], "latin-1").split())
                    raise ValueError(f"at byte {at} it asks for {asked}")
                stack.append(_Inert(_GLOBALS[name]))
            case pickle.REDUCE:
                function, args = pop_from(-2)
                stack.append(_Inert(_RESULTS[function.name], args))
            case pickle.BUILD:
                state = stack.pop()
                stack[-1].state = state
            case pickle.PROTO:
                take(1)
            case pickle.STOP if position == len(content):
                return stack.pop()
            case _:
                names = {op.code.encode("latin-1"): op.name for op in pickletools.opcodes}
                found = names.get(bytes(opcode), bytes(opcode).hex())
                raise ValueError(f"at byte {at} is opcode {found}, which no batch has")
    raise ValueError(f"it goes on after {_MAX_PICKLE_STEPS:,} opcodes")


def _batch_arrays(path: Path, batch: Any) -> tuple[Array, list[int]]:
    """Return pixels (n, 3072) and labels of the dict that a pickled batch describes."""
    keys = set(batch) if isinstance(batch, dict) else {type(batch).__name__}
    if not {"data", "labels"} <= keys <= {"batch_label", "data", "filenames", "labels"}:
        hint = " (CIFAR-100 has those)" if "fine_labels" in keys else ""
        raise ValueError(f"found are {sorted(keys)[:9]}{hint}, expected data, labels, filenames")
    label = batch.get("batch_label")
    wording = r"(?:train|data)\w*?[ _]batch[ _](\d+)|test\w*?[ _]batch"
    said = re.search(wording, label[:100]) if isinstance(label, str) else None
    if said and path.name != (f"data_batch_{said[1]}" if said[1] else "test_batch"):
        raise ValueError(f"its batch_label is {label[:100]!r}, so it is not {path.name}")
    data, labels = batch["data"], batch["labels"]
    match getattr(data, "state", None):
        case 1, (int(n), 3_072), _Inert(
            name="a dtype", args=("u1", *_)
        ), False, memoryview() as raw if (
            data.name == "an array" and 1 <= n <= _MAX_RECORDS and len(raw) == n * _PIXELS
        ):
            planes = np.frombuffer(raw, np.uint8).reshape(n, _PIXELS)
        case (
            1,
            tuple(shape),
            _Inert(args=(str(code), *_)),
            order,
            str() | bytes() | memoryview() as raw,
        ):
            sizes = tuple(size if isinstance(size, int) else "?" for size in shape[:5])
            layout = "C" if order is False else "Fortran"
            raise ValueError(
                f"data has dtype {code[:9]!r}, shape {sizes}, {layout} order, {len(raw):,} bytes, "
                "expected 'u1', (n, 3072), C, 3,072 n, with n from 1 to 10,000"
            )
        case _:
            raise ValueError("data is no array of numbers, expected are uint8 pixels (n, 3,072)")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise ValueError("labels is no list of whole numbers")
    if len(labels) != n:
        raise ValueError(f"it has {len(labels)} labels for {n} images, but each image has one")
    return planes, labels
