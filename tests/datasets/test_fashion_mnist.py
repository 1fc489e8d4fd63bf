"""Fashion-MNIST: the shipped subset, the full set's files, and the switch between data sets."""

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from small_sets import ARRAYS, assert_same, idx

from cs231n_helpers import datasets
from cs231n_helpers.datasets import fashion_mnist, load_cifar10, load_fashion_mnist, load_images
from cs231n_helpers.datasets.fashion_mnist import FASHION_MNIST_CLASSES, SHIPPED_SHA256

ROOT = Path(__file__).resolve().parent.parent.parent
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


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
    monkeypatch.setattr(datasets, "load_cifar10", lambda: load_cifar10(num_val=3, num_test=2))
    monkeypatch.setenv("CS231N_DATA", "cifar10")
    assert load_images().name == "cifar10"
    assert load_images("fashion_mnist").name == "fashion_mnist"
    monkeypatch.setenv("CS231N_DATA", "")
    assert load_images().name == "fashion_mnist"
    assert load_images("cifar10").name == "cifar10"
    for name in ("mnist", "", 3, b"cifar10", ["cifar10"], np.zeros(3)):
        match = (
            rf"no data set {re.escape(repr(name))}: the choices are fashion_mnist, fashion_mnist_"
        )
        with pytest.raises(ValueError, match=match):
            load_images(name)


def test_switch_to_the_full_set(fashion, monkeypatch, tmp_path):
    root, _ = fashion
    monkeypatch.setenv("CS231N_CACHE", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError, match="get the official files with `python -m"):
        load_images("fashion_mnist_full")
    (tmp_path / "cache" / "fashion-mnist").mkdir(parents=True)
    for file in root.glob("*.gz"):
        shutil.copy(file, tmp_path / "cache" / "fashion-mnist")
    monkeypatch.setattr(
        datasets, "load_fashion_mnist", lambda folder: load_fashion_mnist(folder, num_val=4)
    )
    assert_same(load_images("fashion_mnist_full"), load_fashion_mnist(root, num_val=4))


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
    assert len(set.union(*rows)) == sum(map(len, rows)), "images in two parts"


def test_shipped_images_belong_to_their_labels():
    """Class means, as nearest neighbors, tell 7 in 10 of the test images: labels in order."""
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
    with pytest.raises(ValueError, match=r"num_val = 6000, but there are 5999 images for it"):
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
    message = f"mini.npz has SHA-256 {digest}, expected {SHIPPED_SHA256}: .*`git checkout -- data`"
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(ValueError, match=message):
        load_fashion_mnist()


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_shipped_file_can_be_made_again():
    script = ROOT / "data/make_fashion_mnist_mini.py"
    run = subprocess.run([sys.executable, script, "--check"], capture_output=True, encoding="utf-8")
    assert run.stdout == "fashion_mnist_mini.npz: the same arrays\n", run.stderr
    assert run.returncode == 0


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


def test_idx_validation_images_by_default(fashion):
    with pytest.raises(ValueError, match=r"num_val = 5000, but there are 29 images for it"):
        load_fashion_mnist(fashion[0])


IMAGES = np.zeros((30, 28, 28), np.uint8)
LABELS = IMAGES[:, 0, 0]
BAD_IDX = {
    "empty": ("images", b"", r"ubyte.gz starts with , not with 00 00 08 03 and its sizes"),
    "labels": ("images", idx(LABELS), r"starts with 00 00 08 01, not"),
    "images": ("labels", idx(IMAGES), r"starts with 00 00 08 03, not with 00 00 08 01"),
    "ints": ("images", idx(IMAGES, b"\0\0\x0c\3"), r"starts with 00 00 0c 03"),
    "header": ("images", idx(IMAGES)[:15], r"starts with 00 00 08 03, not .*its sizes"),
    "shape": ("images", idx(IMAGES[:, 1:]), r"30 x 27 x 28 .* expected are N x 28 x 28"),
    "none": ("images", idx(IMAGES[:0]), r"says 0 x 28 x 28 bytes and holds 0, exp"),
    "short": ("images", idx(IMAGES)[:-1], r"30 x 28 x 28 bytes and holds 23519, exp"),
    "long": ("images", idx(IMAGES) + b"0", r"30 x 28 x 28 bytes and holds 23521, exp"),
    "many": ("labels", idx(np.zeros(60_001, np.uint8)), r"60001 .* N from 1 to 60,000"),
    "fewer": ("labels", idx(LABELS[:29]), r"holds 29 labels for 30 images: get"),
    "class": ("labels", idx(LABELS + 10), r"record 0 has label 10, but labels"),
    "not zipped": ("labels", None, r"labels-idx1-ubyte.gz is damaged \(.+\): get the official"),
}


@pytest.mark.parametrize(("kind", "content", "match"), BAD_IDX.values(), ids=BAD_IDX)
def test_bad_idx_files(fashion, kind, content, match):
    root, _ = fashion
    path = next(root.glob(f"train-{kind}*"))
    path.write_bytes(b"x" if content is None else gzip.compress(content))
    with pytest.raises(ValueError, match=match) as caught:
        load_fashion_mnist(root, num_val=5)
    assert str(path.with_suffix("")) in str(caught.value)
    assert "`python -m cs231n_helpers.datasets.download`" in str(caught.value)


def test_missing_idx_file(fashion):
    (fashion[0] / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"neither .*ubyte nor train-images-idx3-ubyte.gz"):
        load_fashion_mnist(fashion[0])


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:40] + b"damage" + b[46:]])
def test_damaged_gzip(fashion, damage):
    path = fashion[0] / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz is damaged \(.+\): get"):
        load_fashion_mnist(fashion[0], num_val=5)


def test_no_more_is_unpacked_than_a_file_may_hold(fashion):
    zeros = np.zeros(100_000_000, np.uint8)
    (fashion[0] / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(zeros), 1))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"says 100000000 bytes and holds 60001, exp"):
        load_fashion_mnist(fashion[0], num_val=5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 90_000_000  # the zeros take 100 MB; room for 47 MB of images and gzip's buffers


def test_swapped_idx_files(fashion):
    root, arrays = fashion
    for name, array in arrays.items():
        other = name.replace("t10k", "xx").replace("train", "t10k").replace("xx", "train")
        (root / f"{other}.gz").write_bytes(gzip.compress(idx(array)))
    with pytest.raises(ValueError, match=r"train files hold 12 images and the t10k files 30: "):
        load_fashion_mnist(root, num_val=5)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_full_fashion_mnist():
    splits = load_fashion_mnist(DEBIAN)
    lengths = [len(getattr(splits, f"X_{part}")) for part in ("train", "val", "test")]
    assert lengths == [55_000, 5_000, 10_000]
    shipped = load_fashion_mnist()
    official = dict(zip(map(bytes, splits.X_test), splits.y_test, strict=True))
    assert [official[bytes(image)] for image in shipped.X_test] == shipped.y_test.tolist()
