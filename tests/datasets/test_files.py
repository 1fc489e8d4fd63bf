"""What may be in a file's place, and what the system may say, on the way of every loader."""

import errno
import gzip
import io
import os
import shutil
import struct
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from small_sets import WRITERS, idx, make_batches, write_fashion

from cs231n_helpers.datasets import (
    fashion_mnist,
    files,
    load_cifar10,
    load_fashion_mnist,
    load_images,
)
from cs231n_helpers.datasets.download import fetch

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither pipes nor /dev")
KINDS = [*WRITERS, "idx", "gzip", "shipped"]


@pytest.fixture(params=KINDS)
def loader(request, monkeypatch, tmp_path):
    """Return a function that loads a small set, and the path of a file that it needs."""
    root = tmp_path / request.param
    root.mkdir()
    if request.param in WRITERS:
        WRITERS[request.param](root, make_batches(3))
        path = next(root.glob("data_batch_3*"))
        return lambda: load_cifar10(root, num_val=2, num_test=2), path
    if request.param == "shipped":
        module = root / "cs231n_helpers" / "datasets" / "fashion_mnist.py"
        path = root / "data" / "fashion_mnist_mini.npz"
        path.parent.mkdir()
        shutil.copy(Path(__file__).parents[2] / "data" / path.name, path)
        monkeypatch.setattr(fashion_mnist, "__file__", str(module))
        return load_fashion_mnist, path
    for name, array in write_fashion(root, 6, 3).items():
        if request.param == "idx":
            (root / f"{name}.gz").unlink()
            (root / name).write_bytes(idx(array))
    path = next(root.glob("train-images*"))
    return lambda: load_fashion_mnist(root, num_val=2), path


def refused(load, path, kinds, match):
    """Expect an error of one of these kinds that names the file and the remedy, within a second."""
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(kinds, match=match) as caught:
        load()
    seconds, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    message = str(caught.value)
    assert path.name in message
    assert (
        "git checkout" if path.suffix == ".npz" else "`python -m cs231n_helpers.datasets.download`"
    ) in message
    assert peak < 100_000_000, f"{peak:,} bytes"
    assert seconds < 5, f"{seconds} s"  # well below one where nobody else is at work
    return caught.value


IN_PLACE = {
    "a folder": (Path.mkdir, "lacks|neither"),
    "a pipe": (os.mkfifo if hasattr(os, "mkfifo") else None, "lacks|neither"),
    "a link to itself": (lambda path: path.symlink_to(path), "symbolic links"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "lacks|neither"),
    "a device without end": (lambda path: path.symlink_to("/dev/zero"), "lacks|neither"),
    "nothing": (lambda path: None, "lacks|neither"),
}


@POSIX
@pytest.mark.parametrize(("make", "match"), IN_PLACE.values(), ids=IN_PLACE)
def test_what_is_no_file(loader, make, match):
    load, path = loader
    load()
    path.unlink()
    make(path)
    refused(load, path, OSError, match)


@POSIX
@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda path: None, "No such file or directory"),
        (Path.mkdir, "Is a directory"),
        (IN_PLACE["a pipe"][0], "is a pipe or a device, no file"),
        (IN_PLACE["a device without end"][0], "is a pipe or a device, no file"),
    ],
)
def test_file_that_is_replaced_between_two_looks(loader, monkeypatch, make, match):
    load, path = loader

    def replaced(name, flags):
        if Path(name) == path:
            path.unlink()
            make(path)
        return os.open(name, flags | os.O_NONBLOCK)

    monkeypatch.setattr(files, "_without_waiting", replaced)
    refused(load, path, OSError, match)


@pytest.mark.parametrize("number", ["EACCES", "EIO", "EMFILE", "ENAMETOOLONG", "ELOOP"])
@pytest.mark.parametrize("call", ["stat", "open"])
def test_what_the_system_refuses(loader, monkeypatch, number, call):
    load, path = loader
    error = OSError(getattr(errno, number), os.strerror(getattr(errno, number)))
    whole = getattr(os, call)

    def refuses(name, *args, **options):
        if str(name) == str(path):
            raise OSError(*error.args, str(path))
        return whole(name, *args, **options)

    monkeypatch.setattr(os, call, refuses)
    caught = refused(load, path, type(error), f"{error.strerror}: put that right, or")
    assert caught.__cause__.errno == error.errno


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux")
def test_file_that_cannot_be_read(loader):
    load, path = loader
    path.unlink()
    path.symlink_to("/proc/self/mem")  # a file of no size, whose first byte is an error
    refused(load, path, OSError, "Input/output error: put that right, or (get|restore)")


@POSIX
def test_enormous_file_is_not_read(loader):
    load, path = loader
    os.truncate(path, 3_000_000_000)  # of holes
    refused(load, path, ValueError, "has 3,000,000,000 bytes, ")


def fields(flag, content):
    """Return a gzip header with a name (8), a comment (16) or an extra field (4)."""
    return b"\x1f\x8b\x08" + bytes([flag]) + bytes(6) + content


EMPTY, NOTHING = gzip.compress(b"", mtime=0), b"\0\0\0\xff\xff"  # a member, a block of a member


def zeros_and_more(count):
    """Return a compressed block of an images header and zeros, after which others may come."""
    packer = zlib.compressobj(9, wbits=-15)
    return packer.compress(
        idx(np.zeros((1, 28, 28), np.uint8))[:16] + bytes(count - 16)
    ) + packer.flush(zlib.Z_FULL_FLUSH)


ZIPPED = {
    "a million members": (lambda valid: EMPTY * 1_000_000, "goes on after its end"),
    "then a million members": (lambda valid: valid + EMPTY * 1_000_000, "goes on after its end"),
    "the same again": (lambda valid: valid + valid, "goes on after its end"),
    "a byte more": (lambda valid: valid + b"\0", "goes on after its end"),
    "a name without end": (lambda valid: fields(8, b"x" * 4_000_000), "81,920 bytes hold 0"),
    "a comment without end": (lambda valid: fields(16, b"x" * 4_000_000), "81,920 bytes hold 0"),
    "a name, cut short": (lambda valid: fields(8, b"x" * 9), "ends too early"),
    "blocks of nothing": (lambda valid: fields(0, NOTHING * 1_000_000), "81,920 bytes hold 0"),
    "blocks of nothing after zeros": (
        lambda valid: fields(0, zeros_and_more(10**7) + NOTHING * 1_000_000),
        "bytes hold 10,000,000",
    ),
    "zeros": (lambda valid: gzip.compress(bytes(2**26), 1), r"starts with 00 00 00 00"),
    "images without end": (
        lambda valid: gzip.compress(idx(np.zeros((1, 28, 28), np.uint8)) + bytes(48_000_000), 1),
        r"says 1 x 28 x 28 bytes and holds 47040001",
    ),
    "larger than it may be": (lambda valid: bytes(49_000_000), "has 49,000,000 bytes, but 60,000"),
}


@pytest.mark.parametrize(("change", "match"), ZIPPED.values(), ids=ZIPPED)
def test_zipped_file_that_asks_for_much(tmp_path, change, match):
    write_fashion(tmp_path, 6, 3)
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(change(path.read_bytes()))
    refused(lambda: load_fashion_mnist(tmp_path, num_val=2), path, ValueError, match)


@pytest.mark.parametrize("level", [0, 1, 9])
def test_what_hardly_shrinks_is_unzipped(level):
    noise = np.random.default_rng(0).bytes(3_000_000)
    packed = gzip.compress(noise, level)
    assert files.unzip(io.BufferedReader(io.BytesIO(packed)), 3_000_000) == noise
    assert files.unzip(io.BufferedReader(io.BytesIO(packed)), 999) == noise[:1_000]


PATH_TAKERS = {
    "load_cifar10": load_cifar10,
    "load_fashion_mnist": load_fashion_mnist,
    "fetch": lambda cache: fetch([], cache),
}
NO_PATHS = {
    3: (TypeError, r"(root|cache) is no path but of type int: pass a str or Path"),
    b"folder": (TypeError, r"(root|cache) is no path but of type bytes"),
    (): (TypeError, r"(root|cache) is no path but of type tuple"),
    "": (ValueError, r"(root|cache) = '' can be no path: pass the name of a folder"),
    "a\0b": (ValueError, r"(root|cache) = 'a\\x00b' can be no path"),
    "\ud800": (ValueError, r"(root|cache) = '\\ud800' can be no path"),
}


@pytest.mark.parametrize("take", PATH_TAKERS.values(), ids=PATH_TAKERS)
@pytest.mark.parametrize(("path", "expected"), NO_PATHS.items(), ids=map(repr, NO_PATHS))
def test_what_is_no_path(take, path, expected):
    kind, match = expected
    with pytest.raises(kind, match=match):
        take(path)


@pytest.mark.parametrize("load", [load_cifar10, load_fashion_mnist])
@pytest.mark.parametrize("name", ["x" * 300, "x/" * 3_000])
def test_name_that_is_too_long(load, name):
    match = r"x.?: File name too long: put that right, or get the offic"
    with pytest.raises(OSError, match=match) as caught:
        load(name)
    assert len(str(caught.value)) < 500


def test_home_is_meant_by_a_tilde(monkeypatch, tmp_path):
    home, options = tmp_path / "home", {"num_val": 2, "num_test": 2}
    place = home / "sets" / "cifar-10-batches-bin"
    place.mkdir(parents=True)
    WRITERS[place.name](place, make_batches(3))
    write_fashion(place.parent, 6, 3)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(tmp_path)
    assert len(load_cifar10("~/sets", **options).y_val) == 2
    assert len(load_cifar10(Path("~/sets"), **options).y_val) == 2
    assert len(load_fashion_mnist("~/sets", num_val=2).y_val) == 2
    monkeypatch.setenv("CS231N_CACHE", "~/sets")
    assert len(load_cifar10(**options).y_val) == 2
    monkeypatch.setenv("CS231N_CIFAR10", "~/sets/cifar-10-batches-bin")
    monkeypatch.setenv("CS231N_CACHE", "~/nowhere")
    assert len(load_cifar10(**options).y_val) == 2
    with pytest.raises(FileNotFoundError, match=str(home / "nowhere").replace("\\", ".")):
        load_images("fashion_mnist_full")
    assert fetch([], "~/new") == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    monkeypatch.setenv("CS231N_CIFAR10", "~nobody-of-this-name/sets")  # a home that nobody has
    with pytest.raises(FileNotFoundError, match=r"folder ~nobody-of-this-name.sets does not exist"):
        load_cifar10()


def test_names_in_a_pickle_are_not_repeated_at_length(pickled):
    root, _ = pickled
    key = b"T" + struct.pack("<i", 2_000_000) + b"x" * 2_000_000
    (root / "data_batch_1").write_bytes(b"\x80\x02}(" + key + b"K\x01u.")
    with pytest.raises(ValueError, match=r"found are .*xxx, expected data, labels") as caught:
        load_cifar10(root, num_val=2, num_test=2)
    assert len(str(caught.value)) < 600
