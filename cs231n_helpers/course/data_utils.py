"""CIFAR-10 as the course's notebooks have it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets import load_cifar10
from ..datasets.preprocessing import mean_image
from ..datasets.splits import as_part
from ..validation import Floats, Labels

HERE = Path("cs231n/datasets/cifar-10-batches-py")  # where the course's script puts it


def load_CIFAR10(root: str | os.PathLike[str] | None) -> tuple[Floats, Labels, Floats, Labels]:
    """Load all of CIFAR-10: Xtr (50000, 32, 32, 3) float64, Ytr, Xte (10000, ...), Yte.

    `root` and errors are those of `load_cifar10`; the training images take 1.2 GB.
    """
    X, y, X_test, y_test = _images(root)
    return X.astype(float), y, X_test.astype(float), y_test


def get_CIFAR10_data(
    num_training: int = 49_000, num_validation: int = 1_000, num_test: int = 1_000,
    subtract_mean: bool = True,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Load CIFAR-10 in three parts, channels first, the mean training image subtracted.

    They are looked for as by `load_cifar10`, and in cs231n/datasets of the working directory where
    CS231N_CIFAR10 says nothing; errors are the same.

    Parameters
    ----------
    num_training, num_validation : int
        The first images of the training set, and those that come next.
    num_test : int
        The first of the test set.
    subtract_mean : bool
        Whether to subtract the mean of the training part from all.

    Returns
    -------
    dict
        X_train, X_val, X_test: (N, 3, 32, 32) float64; y_train, y_val, y_test: (N,) integers.
    """
    X, y, X_test, y_test = _images(
        HERE if HERE.is_dir() and not os.environ.get("CS231N_CIFAR10") else None
    )
    n = as_part("num_training", num_training, len(X) - 1)
    end = n + as_part("num_validation", num_validation, len(X) - n)
    m = as_part("num_test", num_test, len(X_test))
    mean = mean_image(X[:n]).reshape(32, 32, 3).transpose(2, 0, 1) if subtract_mean else 0.0
    data: dict[str, NDArray[Any]] = {}
    for part, images, labels in (
        ("train", X[:n], y[:n]), ("val", X[n:end], y[n:end]), ("test", X_test[:m], y_test[:m]),
    ):  # fmt: skip
        images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))  # (N, 3, 32, 32)
        data |= {f"X_{part}": images - mean, f"y_{part}": labels}
    return data


def _images(root: str | os.PathLike[str] | None) -> tuple[Any, Labels, Any, Labels]:
    s = load_cifar10(root, num_val=1, num_test=None)
    X, y = np.concatenate([s.X_train, s.X_val]), np.concatenate([s.y_train, s.y_val])
    return X, y, s.X_test, s.y_test
