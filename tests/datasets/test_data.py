"""Loaders, on small synthetic files and on hostile ones; preprocessing; the spiral.

With the environment variable CS231N_CIFAR10 naming a folder of real files, also on those.
"""

import contextlib
import gzip
import hashlib
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cs231n_helpers.datasets import (
    Splits,
    design_matrix,
    fashion_mnist,
    images,
    load_cifar10,
    load_fashion_mnist,
    load_images,
    make_spiral,
    mean_image,
    preprocess,
)
from cs231n_helpers.datasets.cifar10 import CIFAR10_CLASSES
from cs231n_helpers.datasets.fashion_mnist import FASHION_MNIST_CLASSES, SHIPPED_SHA256

ROOT = Path(__file__).resolve().parent.parent.parent
ARRAYS = ("X_train", "y_train", "X_val", "y_val", "X_test", "y_test")
STEMS = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5")
STEMS = (*STEMS, "test_batch")
REAL = os.environ.get("CS231N_CIFAR10")
needs_real = pytest.mark.skipif(not REAL, reason="CS231N_CIFAR10 names no folder of real files")
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(autouse=True)
def no_switches(monkeypatch):
    for name in ("CS231N_DATA", "CS231N_CIFAR10", "CS231N_CACHE"):
        monkeypatch.delenv(name, raising=False)


def assert_same(a: Splits, b: Splits) -> None:
    for name in ARRAYS:
        x, y = getattr(a, name), getattr(b, name)
        assert x.dtype == y.dtype, name
        np.testing.assert_array_equal(x, y, err_msg=name)


# Splits and the switch


def test_splits_tell_what_they_hold_in_one_line():
    splits = load_fashion_mnist(num_val=600)
    assert repr(splits) == (
        "<fashion_mnist: train (5400, 28, 28), val (600, 28, 28), test (1000, 28, 28), uint8>"
    )
    with pytest.raises(FrozenInstanceError):
        splits.name = "mine"
    assert splits != replace(splits)  # by identity: comparing arrays would be an error


def test_switch(monkeypatch, cifar):
    root, _ = cifar
    assert load_images().name == "fashion_mnist"
    monkeypatch.setenv("CS231N_CIFAR10", str(root))
    monkeypatch.setattr(images, "load_cifar10", lambda: load_cifar10(num_val=3, num_test=2))
    monkeypatch.setenv("CS231N_DATA", "cifar10")
    assert load_images().name == "cifar10"
    assert load_images("fashion_mnist").name == "fashion_mnist"
    monkeypatch.setenv("CS231N_DATA", "")
    assert load_images().name == "fashion_mnist"
    assert load_images("cifar10").name == "cifar10"
    with pytest.raises(ValueError, match=r"no data set 'mnist': the choices are fashion_mnist, f"):
        load_images("mnist")


# Fashion-MNIST, shipped


def test_shipped_subset():
    splits = load_fashion_mnist()
    assert splits.name == "fashion_mnist"
    assert splits.image_shape == (28, 28)
    assert splits.class_names == FASHION_MNIST_CLASSES
    assert splits.class_names[0] == "T-shirt/top"
    assert splits.class_names[9] == "Ankle boot"
    assert len(set(splits.class_names)) == 10
    for split, n in (("train", 5_000), ("val", 1_000), ("test", 1_000)):
        X, y = getattr(splits, f"X_{split}"), getattr(splits, f"y_{split}")
        assert X.shape == (n, 28, 28)
        assert X.dtype == np.uint8
        assert y.dtype == np.int64
        assert np.bincount(y).tolist() == [n // 10] * 10
        assert X.flags.writeable
        assert y.flags.writeable
        assert len(np.unique(y[:50])) > 5, "not shuffled"
    assert splits.X_train.min() == 0
    assert splits.X_train.max() == 255
    rows = [set(map(bytes, X)) for X in (splits.X_train, splits.X_val, splits.X_test)]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]


def test_shipped_images_belong_to_their_labels():
    """Class means, as nearest neighbours, tell 7 in 10 of the test images: labels in order."""
    splits = load_fashion_mnist()
    X, X_test = (x.reshape(len(x), -1) / 255 for x in (splits.X_train, splits.X_test))
    means = np.stack([X[splits.y_train == c].mean(axis=0) for c in range(10)])
    nearest = ((X_test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert np.mean(nearest == splits.y_test) > 0.65


def test_shipped_validation_images_are_the_last(tmp_path):
    few, default = load_fashion_mnist(num_val=250), load_fashion_mnist()
    assert (len(few.y_train), len(few.y_val), len(few.y_test)) == (5_750, 250, 1_000)
    np.testing.assert_array_equal(few.X_train[:5_000], default.X_train)
    np.testing.assert_array_equal(few.X_train[5_000:], default.X_val[:750])
    np.testing.assert_array_equal(few.y_val, default.y_val[750:])
    with pytest.raises(ValueError, match=r"num_val = 6000, but there are 5999 images for it: ask"):
        load_fashion_mnist(num_val=6_000)
    with pytest.raises(ValueError, match=r"num_val = 0, but it must be an integer >= 1"):
        load_fashion_mnist(num_val=0)


def test_shipped_file_is_the_one_described():
    digest = hashlib.sha256((ROOT / "data/fashion_mnist_mini.npz").read_bytes()).hexdigest()
    assert digest == SHIPPED_SHA256
    readme = (ROOT / "data/README.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[0-9a-f]{64}\b", readme) == [digest]
    with np.load(ROOT / "data/fashion_mnist_mini.npz", allow_pickle=False) as arrays:
        assert sorted(arrays) == sorted(ARRAYS)
        assert {array.dtype for array in arrays.values()} == {np.dtype(np.uint8)}


def test_shipped_file_is_verified_before_it_is_parsed(monkeypatch, tmp_path):
    package = tmp_path / "cs231n_helpers"
    monkeypatch.setattr(fashion_mnist, "__file__", str(package / "datasets" / "fashion_mnist.py"))
    with pytest.raises(FileNotFoundError, match=r"neither .*mini.npz nor .*_shipped.*git checkout"):
        load_fashion_mnist()
    installed = package / "_shipped" / "fashion_mnist_mini.npz"
    installed.parent.mkdir(parents=True)
    shutil.copy(ROOT / "data" / installed.name, installed)
    assert len(load_fashion_mnist().y_train) == 5_000
    in_checkout = tmp_path / "data" / installed.name
    in_checkout.parent.mkdir()
    content = bytearray(installed.read_bytes())
    content[1_000_000] ^= 1
    in_checkout.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    message = f"mini.npz has SHA-256 {digest}, expected {SHIPPED_SHA256}: .* `git checkout -- data`"
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(ValueError, match=message):
        load_fashion_mnist()


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_shipped_file_can_be_made_again():
    script = ROOT / "data/make_fashion_mnist_mini.py"
    run = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert run.stdout == "fashion_mnist_mini.npz: the same arrays\n", run.stderr
    assert run.returncode == 0


# Fashion-MNIST, full


def idx(array, magic=None):
    magic = magic or bytes([0, 0, 8, array.ndim])
    return magic + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def fashion(tmp_path):
    """Return a folder with 30 images to train and 12 to test, and the arrays in it."""
    rng = np.random.default_rng(5)
    arrays = {}
    for prefix, n in (("train", 30), ("t10k", 12)):
        arrays[f"{prefix}-images-idx3-ubyte"] = rng.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{prefix}-labels-idx1-ubyte"] = rng.integers(0, 10, n, np.uint8)
    for name, array in arrays.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array), 1))
    return tmp_path, arrays


def test_idx_files(fashion):
    root, arrays = fashion
    splits = load_fashion_mnist(root, num_val=7)
    X, y = arrays["train-images-idx3-ubyte"], arrays["train-labels-idx1-ubyte"]
    np.testing.assert_array_equal(splits.X_train, X[:23])
    np.testing.assert_array_equal(splits.y_train, y[:23])
    np.testing.assert_array_equal(splits.X_val, X[23:])
    np.testing.assert_array_equal(splits.y_val, y[23:])
    np.testing.assert_array_equal(splits.X_test, arrays["t10k-images-idx3-ubyte"])
    np.testing.assert_array_equal(splits.y_test, arrays["t10k-labels-idx1-ubyte"])
    assert splits.name == "fashion_mnist"
    for name in ARRAYS:
        array = getattr(splits, name)
        assert array.flags.writeable
        assert array.dtype == (np.uint8 if name[0] == "X" else np.int64)
    for name, array in arrays.items():  # and unzipped
        (root / f"{name}.gz").unlink()
        (root / name).write_bytes(idx(array))
    assert_same(load_fashion_mnist(root, num_val=7), splits)


def test_switch_to_the_full_set(fashion, monkeypatch, tmp_path):
    root, _ = fashion
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError, match="get the official files with `make data`"):
        load_images("fashion_mnist_full")
    (tmp_path / "cache" / "fashion-mnist").mkdir(parents=True)
    for file in root.glob("*.gz"):
        shutil.copy(file, tmp_path / "cache" / "fashion-mnist")
    monkeypatch.setattr(
        images, "load_fashion_mnist", lambda folder: load_fashion_mnist(folder, num_val=4)
    )
    assert_same(load_images("fashion_mnist_full"), load_fashion_mnist(root, num_val=4))


def test_idx_validation_images_by_default(fashion):
    with pytest.raises(ValueError, match=r"num_val = 5000, but there are 29 images for it"):
        load_fashion_mnist(fashion[0])


IMAGES = np.zeros((30, 28, 28), np.uint8)
BAD_IDX = {
    "missing": (
        "images",
        None,
        FileNotFoundError,
        r"neither .*ubyte nor train-images-idx3-ubyte.gz: g",
    ),
    "empty": (
        "images",
        b"",
        ValueError,
        r"ubyte.gz starts with , but .* 00 00 08 03 and its sizes",
    ),
    "labels": ("images", idx(IMAGES[:, 0, 0]), ValueError, r"starts with 00 00 08 01, but"),
    "images": ("labels", idx(IMAGES), ValueError, r"starts with 00 00 08 03, but .* 00 00 08 01"),
    "ints": ("images", idx(IMAGES, b"\0\0\x0c\3"), ValueError, r"starts with 00 00 0c 03"),
    "header": ("images", idx(IMAGES)[:15], ValueError, r"starts with 00 00 08 03, but .*its sizes"),
    "shape": (
        "images",
        idx(IMAGES[:, 1:]),
        ValueError,
        r"30 x 27 x 28 .* expected are N x 28 x 28",
    ),
    "none": ("images", idx(IMAGES[:0]), ValueError, r"holds 0 x 28 x 28 bytes and holds 0, but"),
    "short": ("images", idx(IMAGES)[:-1], ValueError, r"30 x 28 x 28 bytes and holds 23519, but"),
    "long": ("images", idx(IMAGES) + b"0", ValueError, r"30 x 28 x 28 bytes and holds 23521, but"),
    "many": ("labels", idx(np.zeros(60_001, np.uint8)), ValueError, r"60001 .* N from 1 to 60,000"),
    "fewer": ("labels", idx(IMAGES[:29, 0, 0]), ValueError, r"holds 29 labels for 30 images, but"),
    "class": (
        "labels",
        idx(IMAGES[:, 0, 0] + 10),
        ValueError,
        r"record 0 has label 10, but labels",
    ),
}


@pytest.mark.parametrize(("kind", "content", "error", "match"), BAD_IDX.values(), ids=BAD_IDX)
def test_bad_idx_files(fashion, kind, content, error, match):
    root, _ = fashion
    path = next(root.glob(f"train-{kind}*"))
    path.unlink()
    if content is not None:
        path.write_bytes(gzip.compress(content))
    with pytest.raises(error, match=match) as caught:
        load_fashion_mnist(root, num_val=5)
    assert str(path.with_suffix("")) in str(caught.value)
    assert "`make data`" in str(caught.value)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b[:40] + b"damage" + b[46:], lambda b: b"x"]
)
def test_damaged_gzip(fashion, damage):
    path = fashion[0] / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ValueError, match=r"t10k-images-idx3-ubyte.gz is damaged \(.+\): get the off"
    ):
        load_fashion_mnist(fashion[0], num_val=5)


def test_gzip_bomb_is_not_unpacked(fashion):
    bomb = np.zeros(100_000_000, np.uint8)
    (fashion[0] / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(bomb), 1))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"holds 100000000 bytes and holds 60001, but"):
        load_fashion_mnist(fashion[0], num_val=5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 90_000_000  # the bomb has 100 MB; room for 47 MB of images and gzip's buffers


def test_swapped_idx_files(fashion):
    root, arrays = fashion
    for name, array in arrays.items():
        other = name.replace("t10k", "xx").replace("train", "t10k").replace("xx", "train")
        (root / f"{other}.gz").write_bytes(gzip.compress(idx(array)))
    with pytest.raises(
        ValueError, match=r"train files hold 12 images and the t10k files 30, .*swap"
    ):
        load_fashion_mnist(root, num_val=5)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_full_fashion_mnist():
    splits = load_fashion_mnist(DEBIAN)
    assert [len(getattr(splits, name)) for name in ARRAYS] == [55_000] * 2 + [5_000] * 2 + [
        10_000
    ] * 2
    shipped = load_fashion_mnist()
    official = dict(zip(map(bytes, splits.X_test), splits.y_test, strict=True))
    assert [official[bytes(image)] for image in shipped.X_test] == shipped.y_test.tolist()


# CIFAR-10: small files of both layouts, written here


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
        "filenames": b"]q\x0d("
        + b"".join(text(b"x_%05d.png" % i) for i in range(len(labels)))
        + b"e",
    } | changes
    pairs = (text(key.encode()) + value for key, value in entries.items() if value)
    return b"\x80\x02}q\x01(" + b"".join(pairs) + b"u."


def official_label(stem):
    return "testing batch 1 of 1" if stem == "test_batch" else f"training batch {stem[-1]} of 5"


def write_pickled(root, batches):
    for stem, (pixels, labels) in zip(STEMS, batches, strict=True):
        (root / stem).write_bytes(pickled_batch(pixels, labels, official_label(stem)))


WRITERS = {"cifar-10-batches-bin": write_binary, "cifar-10-batches-py": write_pickled}


@pytest.fixture(params=WRITERS)
def cifar(request, tmp_path):
    """Return a folder in one of the layouts, 8 records a file, and what is in it."""
    root = tmp_path / request.param
    root.mkdir()
    batches = make_batches(8)
    WRITERS[request.param](root, batches)
    return root, batches


@pytest.fixture
def pickled(tmp_path):
    batches = make_batches(4)
    write_pickled(tmp_path, batches)
    return tmp_path, batches


def test_what_is_written_here_is_a_pickle(pickled):
    root, batches = pickled
    batch = pickle.loads((root / "data_batch_2").read_bytes(), encoding="latin1")
    np.testing.assert_array_equal(batch["data"], batches[1][0])
    assert batch["labels"] == batches[1][1].tolist()
    assert batch["batch_label"] == "training batch 2 of 5"


def test_cifar10_images(cifar):
    root, batches = cifar
    splits = load_cifar10(root, num_val=5, num_test=3)
    pixels = np.concatenate([planes for planes, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    for split, start, stop in (("train", 0, 35), ("val", 35, 40), ("test", 40, 43)):
        X, y = getattr(splits, f"X_{split}"), getattr(splits, f"y_{split}")
        assert X.shape == (stop - start, 32, 32, 3)
        assert (X.dtype, y.dtype) == (np.uint8, np.int64)
        assert X.flags.writeable
        assert y.flags.writeable
        np.testing.assert_array_equal(y, labels[start:stop])
        for i in range(stop - start):
            for row, column, channel in ((0, 0, 0), (0, 1, 0), (1, 0, 0), (31, 7, 2), (5, 31, 1)):
                place = 1024 * channel + 32 * row + column
                assert X[i, row, column, channel] == pixels[start + i, place]
        np.testing.assert_array_equal(
            X.transpose(0, 3, 1, 2).reshape(len(X), -1), pixels[start:stop]
        )
    assert splits.name == "cifar10"
    assert splits.image_shape == (32, 32, 3)
    assert splits.class_names == CIFAR10_CLASSES
    assert splits.class_names[0] == "airplane"
    assert splits.class_names[9] == "truck"


def test_cifar10_parts(cifar):
    root, _ = cifar
    whole = load_cifar10(root, num_val=9, num_test=8)
    part = load_cifar10(root, num_train=10, num_val=9, num_test=1)
    np.testing.assert_array_equal(part.X_train, whole.X_train[:10])
    np.testing.assert_array_equal(part.y_val, whole.y_val)
    np.testing.assert_array_equal(part.X_test, whole.X_test[:1])
    assert len(load_cifar10(root, num_train=31, num_val=9, num_test=8).y_train) == 31
    assert len(load_cifar10(root, num_val=39, num_test=8).y_train) == 1
    for name, limit in (("num_train", 31), ("num_val", 39), ("num_test", 8)):
        options = {"num_val": 9, "num_test": 8} | {name: limit + 1}
        match = f"{name} = {limit + 1}, but there are {limit} images for it: ask for fewer"
        with pytest.raises(ValueError, match=match):
            load_cifar10(root, **options)
        with pytest.raises(ValueError, match=f"{name} = 0, but it must be an integer >= 1"):
            load_cifar10(root, **options | {name: 0})


def test_cifar10_default_parts(tmp_path):
    batches = make_batches(1_001)
    write_binary(tmp_path, batches)
    splits = load_cifar10(tmp_path)
    assert [len(getattr(splits, name)) for name in ARRAYS] == [4_005] * 2 + [1_000] * 4
    np.testing.assert_array_equal(splits.y_val, batches[4][1][1:])
    np.testing.assert_array_equal(splits.y_test, batches[5][1][:-1])


@pytest.mark.parametrize("dtype", [np.float32, "float64", np.float16])
def test_cifar10_design_matrices_from_disk_are_those_of_preprocess(cifar, dtype):
    root, _ = cifar
    options = {"num_val": 11, "num_test": 6}
    direct = load_cifar10(root, **options, dtype=dtype)
    assert direct.X_train.shape == (29, 3_073)
    assert direct.X_train.dtype == np.dtype(dtype)
    assert_same(direct, preprocess(load_cifar10(root, **options), dtype=dtype))
    part = load_cifar10(root, **options, num_train=13, dtype=dtype)  # another mean
    assert_same(part, preprocess(load_cifar10(root, **options, num_train=13), dtype=dtype))
    assert not np.array_equal(part.X_val, direct.X_val)


@pytest.mark.parametrize("dtype", [np.uint8, int, complex])
def test_dtype_without_fractions(cifar, dtype):
    with pytest.raises(
        TypeError, match=r"dtype \w+ has no room for negative fractions: use np.flo"
    ):
        load_cifar10(cifar[0], num_val=5, num_test=3, dtype=dtype)


def test_cifar10_is_found(cifar, monkeypatch, tmp_path):
    root, _ = cifar
    options = {"num_val": 5, "num_test": 3}
    expected = load_cifar10(root, **options)
    assert_same(load_cifar10(str(root.parent), **options), expected)
    monkeypatch.setenv("CS231N_CACHE", str(root.parent))
    assert_same(load_cifar10(**options), expected)
    monkeypatch.setenv("CS231N_CIFAR10", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"folder .*nowhere does not exist: .*`make data`"):
        load_cifar10(**options)
    monkeypatch.setenv("CS231N_CIFAR10", str(root))
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path / "nowhere"))
    assert_same(load_cifar10(**options), expected)


def test_a_complete_layout_is_preferred(tmp_path):
    for name, write in WRITERS.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name, make_batches(2))
    expected = load_cifar10(tmp_path, num_val=1, num_test=1)
    (tmp_path / "cifar-10-batches-py" / "test_batch").write_bytes(b"")
    assert_same(load_cifar10(tmp_path, num_val=1, num_test=1), expected)
    (tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin").unlink()
    with pytest.raises(ValueError, match="test_batch is refused"):
        load_cifar10(tmp_path, num_val=1, num_test=1)


def test_wrong_folders(tmp_path, fashion):
    def refused(match, folder=tmp_path / "here"):
        with pytest.raises(FileNotFoundError, match=match) as caught:
            load_cifar10(folder)
        assert "`make data`" in str(caught.value)
        assert str(folder) in str(caught.value)
        return str(caught.value)

    folder = tmp_path / "here"
    refused(r"folder \S*here does not exist: name a folder that holds cifar-10-batches-bin or ")
    folder.mkdir()
    refused(r"no CIFAR-10 files in \S+ \(found: nothing\): name a folder that holds")
    (folder / "cifar-10-python.tar.gz").touch()
    refused(r"\(found: cifar-10-python.tar.gz; extract the archive first\)")
    refused(r"tar.gz is a file \(if an archive, extract it\): ", folder / "cifar-10-python.tar.gz")
    (folder / "cifar-10-python.tar.gz").unlink()
    for name in "abcdefgh":
        (folder / name).touch()
    refused(r"\(found: a, b, c, d, e, f, g, h\)")
    (folder / "i").touch()
    refused(r"\(found: a, b, c, d, e, f, g, h, \.\.\.\)")
    for name in ("train", "train.bin", "cifar-100-python"):
        (folder / name).touch()
        refused(r"\.\.\.; that looks like CIFAR-100, another data set\)")
        (folder / name).unlink()
    assert "CIFAR-100" not in refused("train-images-idx3-ubyte.gz", fashion[0])


def test_missing_files(cifar):
    root, _ = cifar
    for stem in ("data_batch_2", "test_batch"):
        next(root.glob(f"{stem}*")).unlink()
    with pytest.raises(
        FileNotFoundError, match=r"batches-\w+ lacks data_batch_2\S*, test_batch\S*: g"
    ):
        load_cifar10(root)
    (root / "data_batch_1").unlink(missing_ok=True)
    for path in root.iterdir():
        path.unlink()
    (root / "test_batch.bin").mkdir()  # no file
    with pytest.raises(FileNotFoundError, match="no CIFAR-10 files in"):
        load_cifar10(root)


RECORD = 3_073
BAD_SIZES = {
    "empty": 0,
    "less than a record": 3_072,
    "truncated": 8 * RECORD - 1,
    "one byte too many": 8 * RECORD + 1,
    "one image too many": 10_001 * RECORD,
    "one byte more than the largest": 10_000 * RECORD + 1,
}


@pytest.mark.parametrize("size", BAD_SIZES.values(), ids=BAD_SIZES)
def test_binary_files_of_a_wrong_size(tmp_path, size):
    write_binary(tmp_path, make_batches(8))
    os.truncate(tmp_path / "data_batch_2.bin", size)
    match = (
        rf"data_batch_2.bin has {size:,} bytes, but .* 1 to 10,000 records of 3,073: .*`make data`"
    )
    with pytest.raises(ValueError, match=match):
        load_cifar10(tmp_path, num_val=5, num_test=3)


def test_largest_binary_file_is_read_to_its_end(tmp_path):
    write_binary(tmp_path, make_batches(8))
    os.truncate(tmp_path / "data_batch_2.bin", 10_000 * RECORD)
    with pytest.raises(
        ValueError, match=r"_2.bin holds 10000 images and data_batch_1.bin 8, but all"
    ):
        load_cifar10(tmp_path, num_val=5, num_test=3)


def test_files_of_unequal_length(cifar, tmp_path):
    root, batches = cifar
    batches[5] = (batches[5][0][:7], batches[5][1][:7])
    WRITERS[root.name](root, batches)
    with pytest.raises(
        ValueError, match=r"test_batch\S* holds 7 images and data_batch_1\S* 8, but all"
    ):
        load_cifar10(root, num_val=5, num_test=3)


def test_label_that_is_no_class(cifar):
    root, batches = cifar
    batches[3][1][6] = 10
    WRITERS[root.name](root, batches)
    with pytest.raises(
        ValueError, match=r"data_batch_4\S*: record 6 has label 10, but labels are 0 to 9"
    ):
        load_cifar10(root, num_val=5, num_test=3)


def test_file_given_twice(tmp_path):
    batches = make_batches(8)
    batches[1][0][0] = batches[0][0][0]  # one image in common is none of our business
    write_binary(tmp_path, batches)
    load_cifar10(tmp_path, num_val=5, num_test=3)
    shutil.copy(tmp_path / "data_batch_3.bin", tmp_path / "data_batch_5.bin")
    with pytest.raises(
        ValueError, match=r"data_batch_5.bin is a copy of data_batch_3.bin, but each"
    ):
        load_cifar10(tmp_path, num_val=5, num_test=3)


def test_pickled_file_given_twice(pickled):
    root, batches = pickled
    for stem in STEMS[:2]:
        (root / stem).write_bytes(pickled_batch(*batches[0], "of mine"))
    with pytest.raises(ValueError, match=r"data_batch_2 is a copy of data_batch_1, but each"):
        load_cifar10(root, num_val=2, num_test=2)


def test_swapped_test_file(tmp_path):
    """The official test file has exactly 1,000 images of each class, the others have not."""
    rng = np.random.default_rng(1)
    for stem in STEMS:
        records = np.zeros((10_000, RECORD), np.uint8)
        records[:, 0] = np.repeat(np.arange(10), 1_000)
        if stem != "test_batch":
            records[0, 0] = 1
        records[0, 1:] = rng.integers(0, 256, 3_072)
        (tmp_path / f"{stem}.bin").write_bytes(records.tobytes())
    assert load_cifar10(tmp_path, num_train=1).y_test.tolist() == [0] * 1_000
    (tmp_path / "test_batch.bin").rename(tmp_path / "x")
    (tmp_path / "data_batch_4.bin").rename(tmp_path / "test_batch.bin")
    (tmp_path / "x").rename(tmp_path / "data_batch_4.bin")
    match = (
        r"test_batch.bin looks swapped with data_batch_4.bin: .* 1,000 images of each class; rename"
    )
    with pytest.raises(ValueError, match=match):
        load_cifar10(tmp_path, num_train=1)


# CIFAR-10, pickled: what is in it, and what must not be


def refused(root, content, match, stem="data_batch_1"):
    (root / stem).write_bytes(content)
    with pytest.raises(ValueError, match=match) as caught:
        load_cifar10(root, num_val=2, num_test=2)
    message = str(caught.value)
    assert str(root / stem) in message
    assert "`make data`" in message
    assert len(message) < 800
    return message


@pytest.mark.parametrize(
    ("stem", "label"),
    [
        ("data_batch_1", "data_batch_1"),
        ("data_batch_3", "training batch 3 of 5"),
        ("test_batch", "test_batch"),
        ("test_batch", "testing batch 1 of 1"),
        ("data_batch_2", "my own pictures"),
        ("data_batch_2", ""),
    ],
)
def test_batch_label_that_agrees(pickled, stem, label):
    root, batches = pickled
    batch = batches[STEMS.index(stem)]
    (root / stem).write_bytes(pickled_batch(*batch, label))
    load_cifar10(root, num_val=2, num_test=2)
    (root / stem).write_bytes(pickled_batch(*batch, "", batch_label=b"", filenames=b""))
    load_cifar10(root, num_val=2, num_test=2)


@pytest.mark.parametrize(
    ("stem", "label"),
    [
        ("data_batch_1", "training batch 2 of 5"),
        ("data_batch_1", "training batch 11 of 50"),
        ("data_batch_2", "testing batch 1 of 1"),
        ("data_batch_1", "testing batch 1 of 1"),
        ("test_batch", "training batch 1 of 5"),
        ("test_batch", "data_batch_1"),
        ("data_batch_5", "test_batch"),
    ],
)
def test_batch_label_that_contradicts(pickled, stem, label):
    root, batches = pickled
    content = pickled_batch(*batches[0], label)
    refused(
        root, content, f"{stem} is refused, .* batch_label is '{label}', so it is not {stem}", stem
    )


PIXELS, LABELS = make_batches(4, seed=3)[0]
SHORT = b"]q\x05(K\x01K\x02K\x03e"
BAD_ARRAYS = {
    "dtype": (
        pickled_array(PIXELS, code=b"i1"),
        r"dtype 'i1', shape \(4, 3072\), C order, 12,288 bytes, expected 'u1', \(n, 3072\), C, 3,",
    ),
    "objects": (pickled_array(PIXELS, code=b"O8"), r"data has dtype 'O8'"),
    "Fortran": (pickled_array(PIXELS, order=b"K\x01"), r"\(4, 3072\), Fortran order"),
    "narrow": (pickled_array(PIXELS[:, 1:]), r"shape \(4, 3071\), C order, 12,284 bytes"),
    "1-D": (pickled_array(PIXELS[0], shape=b"M\x00\x0c\x85"), r"shape \(3072,\), C order"),
    "nested shape": (pickled_array(PIXELS, shape=b"]]\x86"), r"shape \('\?', '\?'\), C"),
    "bytes": (
        pickled_array(PIXELS, shape=integer(5) + integer(3072) + b"\x86"),
        r"shape \(5, 3072\), C order, 12,288 bytes",
    ),
    "no images": (pickled_array(PIXELS[:0]), r"shape \(0, 3072\), C order, 0 bytes"),
    "too many": (
        pickled_array(np.zeros((10_001, 3_072), np.uint8)),
        r"shape \(10001, 3072\), C order, 30,723,072 bytes, .* with n from 1 to 10,000",
    ),
    "of another module": (pickled_array(PIXELS, name=b"numpy"), r"asks for numpy._reconstruct"),
    "made by dtype": (
        pickled_array(PIXELS).replace(b"numpy.core.multiarray\n_reconstruct", b"numpy\ndtype"),
        r"data has dtype 'u1'",
    ),
    "made without dtype": (
        pickled_array(PIXELS).replace(b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct"),
        r"data has dtype 'u1'",
    ),
    "list for bytes": (
        pickled_array(PIXELS[:1]).partition(b"T\x00\x0c")[0] + b"](" + b"K\7" * 3072 + b"etb",
        r"data is no array of numbers, expected are uint8 pixels",
    ),
    "number": (b"K\x01", r"data is no array of numbers"),
}
BAD_BATCHES = {
    "no data": (
        {"data": b""},
        r"found are \['batch_label', 'filenames', 'labels'\], expected data",
    ),
    "no labels": ({"labels": b""}, r"found are \['batch_label', 'data', 'filenames'\], expected"),
    "more": ({"extra": b"K\x01"}, r"\['batch_label', 'data', 'extra', 'filenames', 'labels'\]"),
    "fine labels": (
        {"labels": b"", "fine_labels": SHORT},
        r"\['batch_label', 'data', 'filenames', 'fine_labels'\] \(CIFAR-100 has those\), expected",
    ),
    "floats": (
        {"labels": b"](" + b"G" + bytes(8) + b"e"},
        r"opcode BINFLOAT, which a batch has 0 times",
    ),
    "strings": ({"labels": b"](" + text(b"1") * 4 + b"e"}, r"labels is no list of whole numbers"),
    "booleans": ({"labels": b"](" + b"\x89" * 4 + b"e"}, r"labels is no list of whole numbers"),
    "tuple": ({"labels": b"(K\x01K\x02K\x03K\x04t"}, r"labels is no list of whole numbers"),
    "too few": ({"labels": SHORT}, r"it has 3 labels for 4 images, but each image has one"),
} | {f"array, {kind}": ({"data": array}, match) for kind, (array, match) in BAD_ARRAYS.items()}


@pytest.mark.parametrize(("changes", "match"), BAD_BATCHES.values(), ids=BAD_BATCHES)
def test_bad_batches(pickled, changes, match):
    refused(pickled[0], pickled_batch(PIXELS, LABELS, "mine", **changes), match)


def test_negative_label(pickled):
    labels = b"](K\x01K\x02J\xff\xff\xff\xffK\x04e"
    content = pickled_batch(PIXELS, LABELS, "mine", labels=labels)
    refused(pickled[0], content, r"data_batch_1: record 2 has label -1, but labels are 0 to 9")


def test_array_of_a_later_numpy(pickled):
    root, batches = pickled
    array = pickled_array(batches[0][0], name=b"numpy._core.multiarray")
    (root / "data_batch_1").write_bytes(pickled_batch(*batches[0], "mine", data=array))
    load_cifar10(root, num_val=2, num_test=2)


def test_oversized_pickle_is_not_read(pickled):
    root, _ = pickled
    os.truncate(root / "data_batch_1", 32_000_001)
    content_matters_not = (
        r"data_batch_1 has 32,000,001 bytes, but a batch has about 31,000,000: get"
    )
    with pytest.raises(ValueError, match=content_matters_not):
        load_cifar10(root, num_val=2, num_test=2)
    os.truncate(root / "data_batch_1", 32_000_000)
    with pytest.raises(ValueError, match=r"goes on after its end at byte"):
        load_cifar10(root, num_val=2, num_test=2)


COMMAND = text(b"touch canary")
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
HOSTILE = {  # the messages that are left open are Python's own
    "GLOBAL": (b"cos\nsystem\n" + COMMAND + b"\x85R.", "it asks for os.system"),
    "GLOBAL of builtins": (b"cbuiltins\neval\n" + COMMAND + b"\x85R.", "asks for builtins.eval"),
    "GLOBAL in a batch": (b"}(U\x04datacos\nsystem\n" + COMMAND + b"\x85Ru.", "asks for os.sys"),
    "GLOBAL of numpy": (b"cnumpy\nload\n" + COMMAND + b"\x85R.", "asks for numpy.load"),
    "GLOBAL that runs on": (b"cnumpy dtype\n\nK\x01\x85R.", ""),
    "GLOBAL cut short": (b"cos\nsystem", ""),
    "GLOBAL, long": (b"c" + b"x" * 99_999 + b"\ny\n.", "no newline"),
    "GLOBAL, giant": (b"c" + b"x" * 31_000_000 + b"\n\n.", "no newline"),
    "STACK_GLOBAL": (b"U\x02osU\x06system\x93" + COMMAND + b"\x85R.", "14 is opcode STACK_GLOBAL"),
    "INST": (b"(" + COMMAND + b"ios\nsystem\n.", "byte 17 is opcode INST"),
    "OBJ": (b"(cnumpy\nndarray\n" + COMMAND + b"o.", "is opcode OBJ"),
    "OBJ of another": (b"(cos\nsystem\n" + COMMAND + b"o.", "is opcode OBJ"),
    "NEWOBJ": (b"cnumpy\nndarray\n)\x81.", "is opcode EMPTY_TUPLE"),
    "NEWOBJ, not empty": (b"cnumpy\nndarray\nK\x01\x85\x81.", "is opcode NEWOBJ"),
    "NEWOBJ_EX": (b"cnumpy\nndarray\nK\x01\x85}\x92.", "is opcode NEWOBJ_EX"),
    "EXT1": (b"\x82\x01.", "at byte 2 is opcode EXT1, which a batch has 0 times at most"),
    "EXT2": (b"\x83\x01\x01.", "is opcode EXT2"),
    "EXT4": (b"\x84\x01\x01\x01\x01.", "is opcode EXT4"),
    "PERSID": (b"Pcanary\n.", "is opcode PERSID"),
    "BINPERSID": (COMMAND + b"Q.", "is opcode BINPERSID"),
    "BUFFER": (b"\x97.", "is opcode NEXT_BUFFER"),
    "BYTEARRAY8, giant": (b"\x96" + struct.pack("<Q", 2**40) + b".", "but only 1 remain"),
    "no opcode": (b"\xff.", "at position 2"),
    "BUILD of a global": (b"cnumpy\nndarray\n}(U\x0c__setstate__" + COMMAND + b"ub.", "setstate"),
    "BUILD of a dict": (b"}}b.", "'dict'"),
    "BUILD of nothing": (b"}b.", ""),
    "REDUCE of a string": (COMMAND + b"K\x01\x85R.", "not callable"),
    "REDUCE of ndarray": (b"cnumpy\nndarray\nK\x01\x85R.", "it holds a _Array, not a dict"),
    "REDUCE of a result": (ARRAY + b"K\x01\x85RK\x01\x85R.", "not callable"),
    "REDUCE without arguments": (ARRAY + b"R.", ""),
    "memo index": (b"}r\xff\xff\xff\x7f.", "at byte 3 is memo index 2147483647, which"),
    "memo of nothing": (b"q\x00.", ""),
    "memo that is not there": (b"h\x07.", "7"),
    "memo that is not there, long": (b"j\x07\x01\x00\x00.", "263"),
    "length": (b"T\xff\xff\xff\x7f.", "but only 1 remain"),
    "negative length": (b"T\xff\xff\xff\xff.", ""),
    "short length": (b"U\xff.", "but only 1 remain"),
    "giant string": (b"T" + struct.pack("<i", 31_000_000) + bytes(31_000_000) + b".", "a bytes"),
    "tuple as a key": (b"}(K\x01\x85K\x01u.", "tuple found"),
    "tuples in a key": (b"}(K\x01" + b"\x85" * 60_000 + b"K\x01u.", "is opcode TUPLE1, which a"),
    "tuples of one tuple": (b"}(K\x01q\x00" + b"h\0\x86q\0" * 60 + b"K\x01u.", "opcode BINGET,"),
    "list as a key": (b"}(]K\x01u.", "unhashable"),
    "lists": (b"](" * 30_000 + b"K\x01" + b"e" * 30_000 + b".", "22 is opcode EMPTY_LIST, which"),
    "unending": (b"N" * 120_000 + b".", "opcode NONE, which a batch has 10 times at most"),
    "unending numbers": (b"K\1" * 30_000 + b".", "opcode BININT1, which a batch has 20,100 "),
    "nested batch": (b"]q\x01(h\x01e.", "it holds a list, not a dict"),
    "APPENDS to a dict": (b"}(K\x01e.", "'dict'"),
    "SETITEMS of a list": (b"](U\x01aK\x01u.", "list indices"),
    "odd SETITEMS": (b"}(U\x01au.", ""),
    "no MARK": (b"}e.", ""),
    "no MARK for a tuple": (b"}t.", ""),
    "only STOP": (b".", ""),
    "no STOP": (b"}", "exhausted before seeing STOP"),
    "bytes after STOP": (b"}.}", "it goes on after its end at byte 3"),
    "protocol 0": (b"(dp0\n.", "is opcode DICT"),
    "frame": (pickle.dumps({"labels": []}, 4), "is opcode FRAME"),
}  # fmt: skip


@pytest.mark.parametrize(("payload", "match"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles(pickled, monkeypatch, tmp_path, payload, match):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    content = payload if payload[:1] == b"\x80" else b"\x80\x02" + payload
    tracemalloc.start()
    message = refused(pickled[0], content, f"refused, nothing in it was run: .*{match}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000
    assert "\n" not in message
    assert not (tmp_path / "canary").exists()
    assert set(sys.modules) == before


@pytest.mark.skipif(sys.platform == "win32", reason="uses touch")
@pytest.mark.parametrize(
    "kind", ["GLOBAL", "GLOBAL in a batch", "INST", "STACK_GLOBAL", "OBJ of another"]
)
def test_hostile_pickles_are(monkeypatch, tmp_path, kind):
    """The canary sings where such a file is unpickled."""
    monkeypatch.chdir(tmp_path)
    payload, _ = HOSTILE[kind]
    pickle.loads(b"\x80\x02" + payload, encoding="latin1")
    assert (tmp_path / "canary").exists()


def test_truncated_pickles(pickled):
    root, batches = pickled
    content = pickled_batch(*batches[0], "mine")
    for stop in [*range(200), 5_000, *range(len(content) - 200, len(content))]:
        (root / "data_batch_1").write_bytes(content[:stop])
        with pytest.raises(ValueError, match="data_batch_1 is refused, nothing in it was run"):
            load_cifar10(root, num_val=2, num_test=2)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    changes=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=4)
)
def test_damaged_pickles_raise_nothing_but_value_errors(pickled, changes):
    root, batches = pickled
    content = bytearray(pickled_batch(*batches[0], "mine"))
    for where, value in changes:
        content[where if where < 300 else where - 600] = value
    (root / "data_batch_1").write_bytes(content)
    with contextlib.suppress(ValueError):
        assert load_cifar10(root, num_val=2, num_test=2).X_train.shape == (18, 32, 32, 3)


# Preprocessing


def pictures(n=7, shape=(3, 2), seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_mean_image(dtype):
    X = pictures(dtype=dtype)
    mean = mean_image(X)
    expected = [sum(float(x[r, c]) for x in X) / 7 for r in range(3) for c in range(2)]
    assert mean.dtype == np.float64
    np.testing.assert_allclose(mean, expected, rtol=1e-15)
    np.testing.assert_array_equal(mean_image(X.reshape(7, 6)), mean)


def test_mean_image_of_many_bright_images_is_exact():
    assert mean_image(np.full((70_000, 1, 2), 255, np.uint8)).tolist() == [255, 255]
    assert mean_image(np.full((70_000, 2), 0.1, np.float32)) == pytest.approx([0.1, 0.1], rel=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("n", [1, 255, 256, 257, 600])
def test_design_matrix(n, dtype):
    X = pictures(n)
    mean = np.linspace(0.1, 99.9, 6)
    matrix = design_matrix(X, mean, dtype=dtype)
    assert matrix.shape == (n, 7)
    assert matrix.dtype == dtype
    np.testing.assert_array_equal(matrix[:, 6], np.ones(n))
    expected = (X.reshape(n, 6).astype(np.float64) - mean).astype(dtype)
    np.testing.assert_array_equal(matrix[:, :6], expected)
    np.testing.assert_array_equal(design_matrix(X, mean, bias=False, dtype=dtype), expected)
    np.testing.assert_array_equal(
        design_matrix(X, dtype=dtype)[:, :6], X.reshape(n, 6).astype(dtype)
    )


def test_design_matrix_by_default_is_float32_with_bias():
    matrix = design_matrix(pictures())
    assert matrix.dtype == np.float32
    assert matrix.shape == (7, 7)


def test_design_matrix_flattens_row_by_row_with_channels_last():
    X = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    matrix = design_matrix(X, bias=False)
    assert matrix[1, 3 * 3 * 1 + 3 * 2 + 1] == X[1, 1, 2, 1]


def test_bad_images():
    with pytest.raises(
        TypeError, match=r"X_train has dtype bool, but images are numbers: use uint8"
    ):
        mean_image(np.ones((2, 3), bool))
    with pytest.raises(TypeError, match=r"X has dtype <U1, but images are numbers"):
        design_matrix([["a"]])
    for shape in ((), (4,), (0, 28, 28), (3, 0)):
        match = re.escape(f"X_train has shape {shape}, but it must be (N, ...) with N >= 1 images")
        with pytest.raises(ValueError, match=match + r".*pass X_train\[np.newaxis\]"):
            mean_image(np.zeros(shape))
    for mean in (np.zeros(5), np.zeros((1, 6)), 0.0):
        match = r"mean has shape .* and a row of X 6 features, but .*pass mean_image\(X_train\)"
        with pytest.raises(ValueError, match=match):
            design_matrix(pictures(), mean)
    with pytest.raises(
        TypeError, match=r"dtype uint8 has no room for negative fractions: use np.flo"
    ):
        design_matrix(pictures(), dtype=np.uint8)


@pytest.fixture
def splits():
    rng = np.random.default_rng(4)
    X = [rng.integers(0, 256, (n, 28, 28)).astype(np.uint8) for n in (300, 20, 10)]
    y = [rng.integers(0, 10, len(x)) for x in X]
    return Splits(X[0], y[0], X[1], y[1], X[2], y[2], FASHION_MNIST_CLASSES, (28, 28), "mine")


def test_preprocess(splits):
    before = {name: getattr(splits, name).copy() for name in ARRAYS}
    result = preprocess(splits)
    mean = splits.X_train.mean(axis=0).ravel()
    for name in ("X_train", "X_val", "X_test"):
        X, matrix = getattr(splits, name), getattr(result, name)
        assert matrix.shape == (len(X), 785)
        assert matrix.dtype == np.float32
        np.testing.assert_allclose(matrix[:, :784], X.reshape(len(X), 784) - mean, atol=1e-5)
        assert (matrix[:, 784] == 1).all()
    for name in ("y_train", "y_val", "y_test", "class_names", "image_shape", "name"):
        assert getattr(result, name) is getattr(splits, name)
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(splits, name), array)
    assert abs(result.X_train[:, :784].mean(axis=0, dtype=float)).max() < 1e-4
    assert preprocess(splits, bias=False).X_val.shape == (20, 784)
    assert preprocess(splits, dtype=np.float64).X_test.dtype == np.float64


def test_nothing_leaks_into_the_mean(splits):
    result = preprocess(splits)
    other = preprocess(
        replace(
            splits, X_val=255 - splits.X_val, y_val=splits.y_val[::-1], X_test=splits.X_test[:1]
        )
    )
    np.testing.assert_array_equal(other.X_train, result.X_train)
    np.testing.assert_array_equal(other.X_test, result.X_test[:1])
    shifted = preprocess(replace(splits, X_train=np.full((300, 28, 28), 9, np.uint8)))
    np.testing.assert_array_equal(shifted.X_val[:, :784], splits.X_val.reshape(20, 784) - 9.0)


def test_nothing_leaks_into_the_mean_on_the_way_from_disk(cifar):
    root, batches = cifar
    options = {"num_val": 8, "num_test": 8, "dtype": np.float64}
    before = load_cifar10(root, **options)
    for k in (4, 5):  # the files of the validation and test images
        batches[k] = (255 - batches[k][0], batches[k][1])
    WRITERS[root.name](root, batches)
    after = load_cifar10(root, **options)
    np.testing.assert_array_equal(after.X_train, before.X_train)
    assert not np.array_equal(after.X_val, before.X_val)
    assert not np.array_equal(after.X_test, before.X_test)


def test_preprocess_twice(splits):
    match = r"X_train has shape \(300, 785\), but images are \(N, \*\(28, 28\)\): .* once only"
    with pytest.raises(ValueError, match=match):
        preprocess(preprocess(splits))


# The spiral


def course_notes_spiral():
    """The points of the course notes, arm by arm, from the global generator seeded with 0."""
    rng = np.random.RandomState(0)
    X, y = np.zeros((300, 2)), np.zeros(300, int)
    for arm in range(3):
        radius = np.linspace(0, 1, 100)
        angle = np.linspace(4 * arm, 4 * arm + 4, 100) + 0.2 * rng.randn(100)
        X[100 * arm : 100 * (arm + 1), 0] = radius * np.sin(angle)
        X[100 * arm : 100 * (arm + 1), 1] = radius * np.cos(angle)
        y[100 * arm : 100 * (arm + 1)] = arm
    return X, y


def test_spiral_is_that_of_the_course_notes():
    X, y = make_spiral()
    expected_X, expected_y = course_notes_spiral()
    np.testing.assert_allclose(X, expected_X, atol=1e-14)
    np.testing.assert_array_equal(y, expected_y)
    assert (X.dtype, y.dtype) == (np.float64, np.int64)


def test_linear_classifier_on_the_spiral():
    """Accuracy 0.49 in the course notes: no straight lines separate the arms."""
    X, y = make_spiral()
    W, b, target = np.zeros((2, 3)), np.zeros(3), np.eye(3)[y]
    for _ in range(200):
        scores = np.exp(X @ W + b)
        slope = (scores / scores.sum(axis=1, keepdims=True) - target) / len(y)
        W, b = W - X.T @ slope - 1e-3 * W, b - slope.sum(axis=0)
    assert 0.47 < np.mean((X @ W + b).argmax(axis=1) == y) < 0.55


def test_spiral_options():
    X, y = make_spiral(5, 4, noise=0)
    assert X.shape == (20, 2)
    assert y.tolist() == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    np.testing.assert_allclose(np.hypot(*X.T), np.tile([0, 0.25, 0.5, 0.75, 1], 4), atol=1e-15)
    np.testing.assert_allclose(X[-1], [np.sin(16), np.cos(16)])
    np.testing.assert_allclose(X[6], [0.25 * np.sin(5), 0.25 * np.cos(5)])
    quiet, loud = (make_spiral(noise=noise)[0] for noise in (0.1, 0.3))
    still = make_spiral(noise=0)[0]
    assert np.abs(quiet - still).max() < np.abs(loud - still).max()


def test_spiral_draws_from_its_own_generator():
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(make_spiral()[0], make_spiral(rng=np.random.RandomState(0))[0])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    rng = np.random.default_rng(0)
    first, second = make_spiral(rng=rng)[0], make_spiral(rng=rng)[0]
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, make_spiral(rng=np.random.default_rng(0))[0])


def test_bad_spirals():
    for options, match in (
        ({"points_per_class": 0}, "points_per_class = 0, but it must be an integer >= 1"),
        ({"num_classes": 2.5}, "num_classes = 2.5, but it must be an integer >= 1"),
        ({"noise": -0.1}, "noise = -0.1, but it must be a finite number >= 0"),
    ):
        with pytest.raises(ValueError, match=match):
            make_spiral(**options)
    with pytest.raises(TypeError, match="rng is 0, but it must be a generator"):
        make_spiral(rng=0)


# Real files


@needs_real
def test_real_cifar10():
    splits = load_cifar10(REAL)
    n = len(splits.y_train) + 1_000
    assert n % 5 == 0
    assert splits.X_train.shape == (n - 1_000, 32, 32, 3)
    assert splits.X_val.shape == splits.X_test.shape == (1_000, 32, 32, 3)
    counts = np.bincount(splits.y_train, minlength=10) / len(splits.y_train)
    assert abs(counts - 0.1).max() < 0.02
    flat, y = splits.X_train[:4_000].astype(np.float32), splits.y_train[:4_000]
    along = np.abs(np.diff(flat, axis=2)).mean()  # a picture is smooth along its rows
    assert along < 0.3 * np.abs(flat - flat[::-1]).mean()
    ship, frog = CIFAR10_CLASSES.index("ship"), CIFAR10_CLASSES.index("frog")
    red, _, blue = flat[y == ship].mean(axis=(0, 1, 2))
    assert blue > red  # sea and sky
    red, _, blue = flat[y == frog].mean(axis=(0, 1, 2))
    assert red > blue  # earth


@needs_real
def test_real_layouts_agree():
    places = [Path(REAL), *(Path(REAL).parent / name for name in WRITERS)]
    places += [Path(REAL) / name for name in WRITERS]
    binary = next((place for place in places if (place / "test_batch.bin").is_file()), None)
    python = next((place for place in places if (place / "test_batch").is_file()), None)
    if not binary or not python:
        pytest.skip("only one layout is there")
    assert_same(load_cifar10(binary), load_cifar10(python))


@needs_real
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getrusage")
def test_real_cifar10_fits_in_memory():
    """Peak of a fresh process below 800 MB, of which the matrix is 602 MB; same as the long way."""
    program = """if True:
        import pathlib, re, resource, sys
        import numpy as np
        from cs231n_helpers import load_cifar10

        splits = load_cifar10(sys.argv[1], dtype=np.float32)
        status = pathlib.Path("/proc/self/status")
        if status.exists():  # on Linux, ru_maxrss starts with that of the parent process
            peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
        print(peak, len(splits.y_train))
    """
    run = subprocess.run(
        [sys.executable, "-c", program, REAL], capture_output=True, text=True, cwd=ROOT, check=True
    )
    peak, n = map(int, run.stdout.split())
    assert peak < 800_000_000, f"{peak / 1e6:.0f} MB for {n} images"
    part = {"num_train": min(n, 5_000)}
    assert_same(
        load_cifar10(REAL, dtype=np.float32, **part), preprocess(load_cifar10(REAL, **part))
    )
