"""CIFAR-10: find its six files, check them, and split them as the course does.

Both official layouts are read. A record is a label and 3,072 pixels in planes: 1,024 of red, then
of green, then of blue. A file that is damaged or not what its name says is a ValueError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..validation import as_float_dtype
from .cifar10_pickle import MAX_RECORDS, PIXELS, read_pickled
from .files import REMEDY, as_path, is_file, mode_of, opened, told
from .preprocessing import center, mean_image
from .splits import CIFAR10_STEMS, Array, Splits, as_classes, as_part, default_cache

# fmt: off
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer",
                   "dog", "frog", "horse", "ship", "truck")
# fmt: on


def load_cifar10(
    root: str | os.PathLike[str] | None = None,
    *,
    num_train: int | None = None,
    num_val: int = 1_000,
    num_test: int | None = 1_000,
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
    num_test : int, optional
        Images to test on, the first of the test set; None takes all.
    dtype : floating dtype, optional
        Return what ``preprocess(load_cifar10(root), dtype=dtype)`` would, without ever holding the
        images as well: 49,000 of them take 602 MB as float32.

    Returns
    -------
    Splits
        Images (N, 32, 32, 3) uint8, channels R, G, B; with `dtype` matrices (N, 3073).

    Raises
    ------
    FileNotFoundError
        If files are missing.

    References
    ----------
    Krizhevsky, Learning multiple layers of features from tiny images, Toronto, 2009.
    """
    kind = np.dtype(np.uint8) if dtype is None else as_float_dtype("dtype", dtype, 2)
    width = PIXELS + (dtype is not None)
    parts: list[_Part] = []
    for k, (planes, labels) in enumerate(_batches(_find(root))):
        n = len(labels)
        if not parts:  # the six files are one row of records: 5 n to train on, then n to test
            val_at = 5 * n - as_part("num_val", num_val, 5 * n - 1)
            train_end = val_at if num_train is None else as_part("num_train", num_train, val_at)
            test_end = 5 * n + (n if num_test is None else as_part("num_test", num_test, n))
            spans = (0, train_end), (val_at, 5 * n), (5 * n, test_end)
            parts = [_Part(start, stop, width, kind) for start, stop in spans]
        for part in parts:
            part.take(planes, labels, k * n)
    train, val, test = parts
    if dtype is not None:
        mean = mean_image(train.X[:, :PIXELS])
        for part in parts:
            center(part.X[:, :PIXELS], mean, out=part.X)
    shape = (-1, 32, 32, 3) if dtype is None else (-1, width)
    X_train, X_val, X_test = (part.X.reshape(shape) for part in parts)
    return Splits(X_train, train.y, X_val, val.y, X_test, test.y,
                  CIFAR10_CLASSES, (32, 32, 3), "cifar10")  # fmt: skip


class _Part:
    """The examples from record `start` to record `stop` of the six files, to be filled."""

    def __init__(self, start: int, stop: int, width: int, dtype: np.dtype[Any]) -> None:
        self.start, self.stop = start, stop
        self.X = np.empty((stop - start, width), dtype)
        self.y = np.empty(stop - start, np.int64)

    def take(self, planes: Array, labels: NDArray[np.int64], first: int) -> None:
        """Copy those of a file, of which the first is record `first`; channels come last."""
        lo, hi = max(self.start, first), min(self.stop, first + len(labels))
        if lo >= hi:
            return
        here, there = slice(lo - self.start, hi - self.start), slice(lo - first, hi - first)
        self.y[here] = labels[there]
        for channel, plane in enumerate(np.split(planes[there], 3, axis=1)):
            self.X[here, channel:PIXELS:3] = plane


def _find(root: str | os.PathLike[str] | None) -> list[Path]:
    """Return the six files of an official layout, in order, from `root` or one level below."""
    if root is not None:
        folder = as_path("root", root)
    elif place := os.environ.get("CS231N_CIFAR10"):
        folder = as_path("CS231N_CIFAR10", place)
    else:
        folder = default_cache()
    remedy = f"name a folder that holds cifar-10-batches-bin or cifar-10-batches-py, or {REMEDY}"
    if not stat.S_ISDIR(mode := mode_of(folder)):
        what = "is a file (if an archive, extract it)" if mode else "does not exist"
        raise FileNotFoundError(f"CIFAR-10's folder {folder} {what}: {remedy}")
    places = [(folder, ".bin"), (folder, "")]
    places += [(folder / "cifar-10-batches-bin", ".bin"), (folder / "cifar-10-batches-py", "")]
    layouts = [[place / f"{stem}{end}" for stem in CIFAR10_STEMS] for place, end in places]
    paths = min(layouts, key=lambda paths: sum(not is_file(path) for path in paths))
    missing = [path for path in paths if not is_file(path)]
    if not missing:
        return paths
    if len(missing) < len(paths):
        lacks = ", ".join(f"{path.name}{' (no file)' * bool(mode_of(path))}" for path in missing)
        raise FileNotFoundError(f"{paths[0].parent} lacks {lacks}: {REMEDY}")
    with told(folder):
        names = sorted(path.name for path in islice(folder.iterdir(), 1_000))
    found = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    if any(name in ("train", "train.bin") or name.startswith("cifar-100") for name in names):
        found += "; that looks like CIFAR-100, another data set"
    if any(name.endswith((".gz", ".zip", ".tar")) for name in names):
        found += "; extract the archive first"
    raise FileNotFoundError(
        f"no CIFAR-10 files in {folder} (found: {found or 'nothing'}): {remedy}"
    )


def _batches(paths: list[Path]) -> Iterator[tuple[Array, NDArray[np.int64]]]:
    """Yield pixels (n, 3072) uint8 in planes, and labels (n,), of six files of one size.

    Pixels are overwritten by the next file: copy what is to last.
    """
    buffer = np.empty((MAX_RECORDS, 1 + PIXELS), np.uint8)
    seen: dict[bytes, Path] = {}
    num_records, balanced = 0, []
    for path in paths:
        planes, labels = _read(path, buffer)
        y = as_classes(path, labels)
        num_records = num_records or len(y)
        if len(y) != num_records:
            held = f"{len(y)} images and {paths[0].name} {num_records}"
            raise ValueError(f"{path} holds {held}, not equally many: {REMEDY}")
        looks = y.tobytes() + planes[:: max(1, len(y) // 100)].tobytes()
        if (twin := seen.setdefault(looks, path)) != path:
            raise ValueError(f"{path} is a copy of {twin.name}: {REMEDY}")
        balanced.append(bool((np.bincount(y, minlength=10) == 1_000).all()))
        if path == paths[-1] and any(balanced) and not balanced[-1]:  # only possible with 10,000
            raise ValueError(
                f"{path} looks swapped with {paths[balanced.index(True)].name}: only the test file "
                f"has exactly 1,000 images of each class; rename them, or {REMEDY}"
            )
        yield planes, y


def _read(path: Path, buffer: Array) -> tuple[Array, ArrayLike]:
    """Return pixels (n, 3072) and labels of a file; those of a binary one stay in `buffer`."""
    if not path.suffix:
        return read_pickled(path)
    rule = "not 1 to 10,000 times 3,073"
    with opened(path, buffer.nbytes, rule) as stream:
        size = stream.readinto(buffer.data) + len(stream.read(1))
    count, rest = divmod(size, buffer.shape[1])
    if count == 0 or rest:
        raise ValueError(f"{path} has {size:,} bytes, {rule}: {REMEDY}")
    return buffer[:count, 1:], buffer[:count, 0]
