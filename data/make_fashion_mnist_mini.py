#!/usr/bin/env python3
"""Make fashion_mnist_mini.npz: 500 + 100 + 100 images of each class of Fashion-MNIST.

Training and validation images come from the official training set, without overlap, test images
from the official test set; each part is in shuffled order. The draw is seeded, so everybody gets
the same arrays, and with the same version of zlib the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TARGET = Path(__file__).resolve().parent / "fashion_mnist_mini.npz"
PER_CLASS = {"train": 500, "val": 100, "test": 100}
SHA256 = {  # of the unzipped files
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def read(source: Path, name: str, header: int) -> NDArray[np.uint8]:
    """Return what follows the header of an official file, as bytes."""
    content = gzip.decompress((source / f"{name}.gz").read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256[name]:
        sys.exit(f"{source / name}.gz unpacks to SHA-256 {digest}, expected {SHA256[name]}")
    return np.frombuffer(content, np.uint8, offset=header)


def draw(y: NDArray[np.uint8], counts: list[int], rng: np.random.RandomState) -> list[NDArray[Any]]:
    """Return for each count the indices of as many examples of each class, shuffled, no overlap."""
    by_class = [rng.permutation(np.flatnonzero(y == c)) for c in range(10)]
    ends = np.cumsum([0, *counts])
    parts = [
        np.concatenate([indices[lo:hi] for indices in by_class])
        for lo, hi in itertools.pairwise(ends)
    ]
    return [rng.permutation(part) for part in parts]


def make(source: Path) -> dict[str, Any]:
    """Return the six arrays, drawn from the official files in `source`."""
    rng = np.random.RandomState(231)
    arrays: dict[str, Any] = {}
    for prefix, splits in (("train", ["train", "val"]), ("t10k", ["test"])):
        y = read(source, f"{prefix}-labels-idx1-ubyte", 8)
        X = read(source, f"{prefix}-images-idx3-ubyte", 16).reshape(len(y), 28, 28)
        picked = draw(y, [PER_CLASS[split] for split in splits], rng)
        for split, indices in zip(splits, picked, strict=True):
            arrays[f"X_{split}"], arrays[f"y_{split}"] = X[indices], y[indices]
    return arrays


def main() -> int:
    """Write the file, or compare it with what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--source",
        type=Path,
        default=Path("/usr/share/datasets/fashion-mnist"),
        help="folder of the four official .gz files (default: that of Debian's package "
        "dataset-fashion-mnist; `make data` prints another)",
    )
    parser.add_argument("--check", action="store_true", help="compare with the file, write nothing")
    args = parser.parse_args()
    arrays = make(args.source)
    if args.check:
        with np.load(TARGET, allow_pickle=False) as old:
            same = sorted(old) == sorted(arrays) and all(
                old[name].dtype == new.dtype and np.array_equal(old[name], new)
                for name, new in arrays.items()
            )
        print(f"{TARGET.name}: {'the same arrays' if same else 'other arrays'}")
        return int(not same)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    TARGET.write_bytes(stream.getvalue())
    print(f"{hashlib.sha256(stream.getvalue()).hexdigest()}  {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
