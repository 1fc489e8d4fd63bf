"""Fashion-MNIST: the subset shipped with this package, and the full set.

The shipped file is checked against its SHA-256 before it is parsed, a downloaded one for its size,
format and labels. One that is damaged or not what its name says is a ValueError.
"""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from math import prod
from pathlib import Path

import numpy as np

from .files import REMEDY, as_path, is_file, opened, unzip
from .splits import Array, Splits, as_classes, as_part

SHIPPED_SHA256 = "2715353a93a53ceb371c5d926fecace2278f0c36806a89a48686e3856451f0f0"
# fmt: off
FASHION_MNIST_CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                         "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
# fmt: on
_SHIPPED_REMEDY = "restore it with `git checkout -- data`, or reinstall the package"


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
    FileNotFoundError
        If a file is missing.

    References
    ----------
    Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017.

    Examples
    --------
    >>> load_fashion_mnist().class_names[9]
    'Ankle boot'
    """
    if root is None:
        X, y, X_test, y_test = _read_shipped()
    else:
        folder = as_path("root", root)
        X, y = _read_pair(folder, "train")
        X_test, y_test = _read_pair(folder, "t10k")
        if len(y) < len(y_test):
            raise ValueError(
                f"{folder}: the train files hold {len(y)} images and the t10k files {len(y_test)}: "
                f"they look swapped, {REMEDY}"
            )
    default = 1_000 if root is None else 5_000
    cut = len(y) - as_part("num_val", default if num_val is None else num_val, len(y) - 1)
    parts = (X[:cut], y[:cut], X[cut:], y[cut:], X_test, y_test)
    return Splits(*parts, FASHION_MNIST_CLASSES, (28, 28), "fashion_mnist")


def _read_shipped() -> tuple[Array, Array, Array, Array]:
    """Return X (6,000, 28, 28), y, X_test, y_test of the shipped subset, validation images last."""
    name = "fashion_mnist_mini.npz"
    package = Path(__file__).resolve().parent.parent
    places = (package.parent / "data" / name, package / "_shipped" / name)
    path = next((place for place in places if is_file(place, _SHIPPED_REMEDY)), None)
    if path is None:
        raise FileNotFoundError(f"neither {places[0]} nor {places[1]} is a file: {_SHIPPED_REMEDY}")
    with opened(path, 4_000_000, "but the subset has about 3,100,000", _SHIPPED_REMEDY) as stream:
        content = stream.read(4_000_000)
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHIPPED_SHA256:
        raise ValueError(
            f"{path} has SHA-256 {digest}, expected {SHIPPED_SHA256}: {_SHIPPED_REMEDY}"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        X, y = (np.concatenate([arrays[f"{a}_train"], arrays[f"{a}_val"]]) for a in "Xy")
        return X, y.astype(np.int64), arrays["X_test"], arrays["y_test"].astype(np.int64)


def _read_pair(folder: Path, prefix: str) -> tuple[Array, Array]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of one of Fashion-MNIST's two parts."""
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte", 28, 28)
    path = folder / f"{prefix}-labels-idx1-ubyte"
    labels = _read_idx(path)
    if len(images) != len(labels):
        raise ValueError(f"{path} holds {len(labels)} labels for {len(images)} images: {REMEDY}")
    return images, as_classes(path, labels)


def _read_idx(path: Path, *shape: int) -> Array:
    """Return the uint8 array (N, *shape) of an idx file, which may be gzipped, N <= 60,000."""
    zipped = path.with_name(f"{path.name}.gz")
    if is_file(zipped):
        path = zipped
    elif not is_file(path):
        raise FileNotFoundError(f"neither {path} nor {zipped.name} is a file: {REMEDY}")
    header = 8 + 4 * len(shape)
    most = header + 60_000 * prod(shape)
    with opened(path, most + 2**20, f"but 60,000 examples take {most:,}") as stream:
        try:
            content = unzip(stream, most) if path == zipped else bytearray(stream.read(most + 1))
        except zlib.error as error:
            raise ValueError(f"{path} is damaged ({error}): {REMEDY}") from error
    magic = bytes([0, 0, 8, 1 + len(shape)])  # 8: unsigned bytes
    if content[:4] != magic or len(content) < header:
        raise ValueError(
            f"{path} starts with {content[:4].hex(' ')}, not with {magic.hex(' ')} and its sizes: "
            f"{REMEDY}"
        )
    sizes = [int(size) for size in np.frombuffer(content, ">u4", len(shape) + 1, offset=4)]
    found = len(content) - header
    if not 1 <= sizes[0] <= 60_000 or tuple(sizes[1:]) != shape or prod(sizes) != found:
        raise ValueError(
            f"{path} says {' x '.join(map(str, sizes))} bytes and holds {found}, expected are "
            f"{' x '.join(map(str, ('N', *shape)))}, N from 1 to 60,000: {REMEDY}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(sizes)
