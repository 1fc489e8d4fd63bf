"""What the loaders share: the examples that they return, and where downloads are kept."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..validation import as_count, shown
from .files import REMEDY, as_path

Array = NDArray[Any]

FOLDERS = {"fashion_mnist": "fashion-mnist", "cifar10": "cifar-10-batches-bin"}
CIFAR10_STEMS = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")


def default_cache() -> Path:
    """Return the folder that downloads go to: CS231N_CACHE, else one in the user's cache folder."""
    import pooch

    cache = os.environ.get("CS231N_CACHE") or pooch.os_cache("cs231n_helpers")
    return as_path("CS231N_CACHE", cache)


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test examples of one data set.

    Attributes
    ----------
    X_train, X_val, X_test : (N, ...) uint8 arrays, or (N, D) or (N, D + 1) matrices
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


def check_name(name: object, choices: Collection[str], where: str = "") -> None:
    """Refuse what is not the name of a data set."""
    if not isinstance(name, str) or name not in choices:
        raise ValueError(
            f"there is no data set {shown(name)}: the choices are {', '.join(choices)}{where}"
        )


def as_part(name: str, value: int, available: int) -> int:
    """Return the number of images asked for as an int from 1 to `available`."""
    if as_count(name, value) > available:
        raise ValueError(f"{name} = {value}, but there are {available} images for it")
    return int(value)


def as_classes(path: Path, labels: ArrayLike) -> NDArray[np.int64]:
    """Return the labels of a file as int64, all of them 0 to 9."""
    y = np.asarray(labels, np.int64)
    outside = np.flatnonzero((y < 0) | (y > 9))
    if outside.size:
        i = outside[0]
        raise ValueError(f"{path}: record {i} has label {y[i]}, but labels are 0 to 9: {REMEDY}")
    return y
