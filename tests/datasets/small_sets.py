"""Small data sets in the official formats, written for the tests."""

import gzip
import struct

import numpy as np

from cs231n_helpers.datasets.splits import CIFAR10_STEMS as STEMS

ARRAYS = ("X_train", "y_train", "X_val", "y_val", "X_test", "y_test")


def assert_same(a, b):
    """Compare two `Splits`, array by array."""
    for name in ARRAYS:
        x, y = getattr(a, name), getattr(b, name)
        assert x.dtype == y.dtype, name
        np.testing.assert_array_equal(x, y, err_msg=name)


def idx(array, magic=None):
    magic = magic or bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_fashion(root, num_train, num_test):
    """Write the four gzipped files of Fashion-MNIST and return the arrays in them."""
    rng = np.random.default_rng(5)
    arrays = {}
    for prefix, n in (("train", num_train), ("t10k", num_test)):
        arrays[f"{prefix}-images-idx3-ubyte"] = rng.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{prefix}-labels-idx1-ubyte"] = rng.integers(0, 10, n, np.uint8)
    for name, array in arrays.items():
        (root / f"{name}.gz").write_bytes(gzip.compress(idx(array), 1))
    return arrays


def make_batches(n, seed=0):
    """Return six pairs of pixels (n, 3072) in planes and labels (n,)."""
    rng = np.random.default_rng(seed)
    return [
        (rng.integers(0, 256, (n, 3_072), np.uint8), rng.integers(0, 10, n, np.uint8))
        for _ in STEMS
    ]


def write_binary(root, batches):
    for stem, (pixels, labels) in zip(STEMS, batches, strict=True):
        (root / f"{stem}.bin").write_bytes(np.column_stack([labels, pixels]).tobytes())


def text(value):
    return b"U" + bytes([len(value)]) + value


def integer(value):
    return b"K" + bytes([value]) if value < 256 else b"J" + struct.pack("<i", value)


def pickled_array(pixels, *, name=b"numpy.core.multiarray", code=b"u1", order=b"\x89", shape=None):
    """Return the opcodes of a uint8 array as NumPy wrote them under Python 2."""
    shape = shape or b"".join(integer(size) for size in pixels.shape) + b"\x86"
    raw = pixels.tobytes()
    return (
        b"c" + name + b"\n_reconstruct\nq\x10cnumpy\nndarray\nq\x11K\x00\x85U\x01b\x87Rq\x12(K\x01"
        + shape + b"cnumpy\ndtype\nq\x13" + text(code) + b"K\x00K\x01\x87Rq\x14(K\x03U\x01|NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + order
        + b"T" + struct.pack("<I", len(raw)) + raw + b"tb"
    )  # fmt: skip


def pickled_batch(pixels, labels, label, /, **changes):
    """Return a batch as Python 2's cPickle wrote it; `changes` are opcodes of entries."""
    entries = {
        "batch_label": text(label.encode()) + b"q\x03",
        "labels": b"]q\x05(" + b"".join(map(integer, labels.tolist())) + b"e",
        "data": pickled_array(pixels),
        "filenames": b"]q\x0d(" + text(b"x_00000.png") * len(labels) + b"e",
    } | changes
    pairs = (text(key.encode()) + value for key, value in entries.items() if value)
    return b"\x80\x02}q\x01(" + b"".join(pairs) + b"u."


def official_label(stem):
    return "testing batch 1 of 1" if stem == "test_batch" else f"training batch {stem[-1]} of 5"


def write_pickled(root, batches):
    for stem, (pixels, labels) in zip(STEMS, batches, strict=True):
        (root / stem).write_bytes(pickled_batch(pixels, labels, official_label(stem)))


WRITERS = {"cifar-10-batches-bin": write_binary, "cifar-10-batches-py": write_pickled}
