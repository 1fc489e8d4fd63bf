"""Damage data files and load them: ``python tests/fuzz/files.py --cases 10000 --seed 1``.

A case makes a small data set, changes some of its files, one to three times, and loads it. It may
end in two ways. The loader returns what an independent reading of those files says; or it refuses
with an error of its own that names the file and a remedy. What an independent reading finds sound
must load. Either way soon, in little memory, and nothing stays open or is left behind.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import sys
import tempfile
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from runner import ViolationError, main

from cs231n_helpers.datasets import Splits, fashion_mnist, load_cifar10, load_fashion_mnist

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "datasets"))
from small_sets import ARRAYS, STEMS, WRITERS, idx, make_batches, write_fashion  # noqa: E402

Content = dict[str, bytes]
Parts = tuple[Any, ...]
PIPES = hasattr(os, "mkfifo")
TRAIN, TEST, KEPT = 6, 3, 2  # images of Fashion-MNIST, and how many of them for validation
SECONDS, BYTES = 2.0, 150_000_000  # of the processor and of memory that a case may take


class DamagedError(Exception):
    """The independent reading finds a file that is not as its name says."""


# ---- valid files ----


@cache
def valid(kind: str) -> Content:
    """Return the files of a small data set, name to content."""
    if kind == "shipped":
        return {"data/fashion_mnist_mini.npz": (ROOT / "data/fashion_mnist_mini.npz").read_bytes()}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if kind in WRITERS:
            WRITERS[kind](root, make_batches(KEPT + 1))
        else:
            for name, array in write_fashion(root, TRAIN, TEST).items():
                if kind == "idx":
                    (root / f"{name}.gz").unlink()
                    (root / name).write_bytes(idx(array))
        return {path.name: path.read_bytes() for path in sorted(root.iterdir())}


# ---- independent readings ----


def content(path: Path) -> bytes:
    if not stat.S_ISREG(os.stat(path).st_mode) or os.path.getsize(path) > 60_000_000:
        raise DamagedError
    return path.read_bytes()


def read_idx(path: Path, *shape: int) -> Any:
    zipped = path.with_name(f"{path.name}.gz")
    data = content(zipped if os.path.isfile(zipped) else path)
    if os.path.isfile(zipped):
        unzipper = zlib.decompressobj(31)
        packed, data = data, unzipper.decompress(data)
        if unzipper.unused_data or not unzipper.eof:  # the official files have one member
            raise DamagedError
        if len(packed) - len(data) > 2**16:  # most of it in a name
            raise DamagedError
    sizes = struct.unpack_from(f">{1 + len(shape)}I", data, 4)
    start = 8 + 4 * len(shape)
    if data[:4] != bytes([0, 0, 8, 1 + len(shape)]) or sizes[1:] != shape:
        raise DamagedError
    if not 1 <= sizes[0] <= 60_000 or len(data) - start != np.prod(sizes, dtype=object):
        raise DamagedError
    return np.array(list(data[start:]), np.uint8).reshape(sizes)


def read_fashion(root: Path) -> Parts:
    arrays = []
    for prefix in ("train", "t10k"):
        images = read_idx(root / f"{prefix}-images-idx3-ubyte", 28, 28)
        labels = read_idx(root / f"{prefix}-labels-idx1-ubyte")
        if len(images) != len(labels) or labels.max() > 9:
            raise DamagedError
        arrays += [images, labels]
    X, y, X_test, y_test = arrays
    if len(y) < len(y_test) or len(y) <= KEPT:
        raise DamagedError
    return X[:-KEPT], y[:-KEPT], X[-KEPT:], y[-KEPT:], X_test, y_test


def read_binary(root: Path) -> Parts:
    files = [content(root / f"{stem}.bin") for stem in STEMS]
    n, rest = divmod(len(files[0]), 3_073)
    if rest or not 1 <= n <= 10_000 or len(set(map(len, files))) > 1 or len(set(files)) < 6:
        raise DamagedError
    records = [file[i : i + 3_073] for file in files for i in range(0, len(file), 3_073)]
    y = np.array([record[0] for record in records])
    if y.max() > 9 or 5 * n <= KEPT or n < KEPT:
        raise DamagedError
    X = np.array([list(record[1:]) for record in records], np.uint8)
    X = X.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    parts = slice(5 * n - KEPT), slice(5 * n - KEPT, 5 * n), slice(5 * n, 5 * n + KEPT)
    return tuple(array[part] for part in parts for array in (X, y))


def read_shipped(root: Path) -> Parts:
    path = root / "data/fashion_mnist_mini.npz"
    if content(path) != valid("shipped")["data/fashion_mnist_mini.npz"]:
        raise DamagedError
    with np.load(path) as arrays:
        return tuple(arrays[name] for name in ARRAYS)


READERS: dict[str, Callable[[Path], Parts]] = {
    "idx": read_fashion,
    "gzip": read_fashion,
    "cifar-10-batches-bin": read_binary,
    "shipped": read_shipped,
}
KINDS = [*WRITERS, "idx", "gzip", "shipped"]


def check_pickled(root: Path, splits: Splits) -> None:
    """See that each image of a pickled data set is, byte for byte, in the file it comes from."""
    n = (len(splits.y_train) + KEPT) // 5
    for i, image in enumerate([*splits.X_train, *splits.X_val, *splits.X_test]):
        if image.transpose(2, 0, 1).tobytes() not in (root / STEMS[i // n]).read_bytes():
            raise ViolationError(f"image {i} is not in {STEMS[i // n]}")
    for y in (splits.y_train, splits.y_val, splits.y_test):
        if y.min() < 0 or y.max() > 9:
            raise ViolationError(f"labels {y}")


# ---- damage ----


def damaged(rng: np.random.Generator, data: bytes) -> bytes:
    """Return content with one thing changed, most often near its beginning or its end."""
    size = len(data)
    near, k = int(rng.integers(40)), int(rng.integers(size + 1))
    i = min(max([near, size - near, k][rng.integers(3)], 0), max(size - 1, 0))
    j = min(size, i + int(rng.choice([1, 2, 4, 16, 300, 3_073])))
    noise = rng.bytes(j - i)
    extremes = [0, 1, 9, 10, 255, 2**15, 60_000, 60_001, 2**31 - 1, 2**31, 2**32 - 1]
    order = ">I" if rng.integers(2) else "<I"
    match int(rng.integers(12)):
        case 0:  # a bit
            byte = bytes([data[i] ^ 1 << int(rng.integers(8))]) if size else b""
            return data[:i] + byte + data[i + 1 :]
        case 1:
            return data[:i] + noise + data[j:]
        case 2:
            return data[:i]
        case 3:
            return data[i:]
        case 4:
            return data[:i] + noise + data[i:]
        case 5:
            return data[:i] + data[j:]
        case 6:
            return data[:i] + data[i:j] + data[i:]
        case 7:  # two blocks change places
            a, b = sorted((i, k))
            return data[:a] + data[b : b + j - i] + data[a:b] + data[b + j - i :]
        case 8:
            return data[:i] + struct.pack(order, int(rng.choice(extremes))) + data[i + 4 :]
        case 9:
            return data[:i] + bytes(j - i) + data[j:]
        case 10:
            return data * int(rng.integers(2, 4))
        case _:
            return data + noise


def zipped_again(rng: np.random.Generator, data: bytes) -> bytes:
    """Return a gzip file of changed content, or with another shell round the same."""
    try:
        inner = gzip.decompress(data)
    except (EOFError, OSError, zlib.error):
        return data
    level = int(rng.integers(10))
    match int(rng.integers(7)):
        case 0:
            return gzip.compress(damaged(rng, inner), level)
        case 1:  # in two members
            cut = int(rng.integers(len(inner) + 1))
            return gzip.compress(inner[:cut], level) + gzip.compress(inner[cut:], level)
        case 2:
            return gzip.compress(b"") * int(rng.choice([1, 100, 3_000])) + data
        case 3:
            return data + gzip.compress(b"") * int(rng.choice([1, 100, 3_000]))
        case 4:  # a name, which may be without end
            name = b"x" * int(rng.choice([3, 70_000, 1_000_000]))
            end = b"\0" * int(rng.integers(2))
            return data[:3] + b"\x08" + data[4:10] + name + end + data[10:]
        case 5:  # a great many zeros
            return gzip.compress(inner + bytes(int(rng.choice([1, 10**6, 10**6, 3 * 10**7]))), 1)
        case _:
            return gzip.compress(inner, level)


def replace(rng: np.random.Generator, path: Path, others: list[Path]) -> str:
    """Put something else in the place of a file."""
    other = others[rng.integers(len(others))]
    choice = int(rng.integers(10))
    if choice > 3:
        path.unlink()
    match choice:
        case 0:
            path.write_bytes(other.read_bytes())
            return f"{path.name} is a copy of {other.name}"
        case 1:
            if other != path:
                aside = path.with_name("aside")
                path.rename(aside)
                other.rename(path)
                aside.rename(other)
            return f"{path.name} and {other.name} have changed places"
        case 2:
            names = [path.name.upper(), f"{path.name}.gz", path.name.removesuffix(".gz"), "x"]
            path.rename(path.with_name(name := names[rng.integers(4)]))
            return f"{path.name} is called {name}"
        case 3:
            os.truncate(path, size := int(rng.choice([0, 1, 31_999_999, 2**31, 2**34])))
            return f"{path.name} has {size} bytes"
        case 4:
            path.mkdir()
            return f"{path.name} is a folder"
        case 5 if PIPES:
            os.mkfifo(path)
            return f"{path.name} is a pipe"
        case 6 if PIPES:
            path.symlink_to(path.name)
            return f"{path.name} is a link to itself"
        case 7 if PIPES:
            targets = ["/dev/zero", "/dev/null", "/dev/full", "/proc/self/mem", "nowhere"]
            path.symlink_to(target := targets[rng.integers(5)])
            return f"{path.name} is a link to {target}"
        case 8 if PIPES and other != path:
            path.symlink_to(other.name)
            return f"{path.name} is a link to {other.name}"
        case _:
            return f"{path.name} is missing"


def plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size < 10**8


def change(rng: np.random.Generator, kind: str, paths: list[Path]) -> str:
    """Change one of the files, and say what was done."""
    path = paths[rng.integers(len(paths))]
    if not plain(path):
        return ""
    if rng.integers(4) == 0:
        return replace(rng, path, list(filter(plain, paths)))
    before = path.read_bytes()
    again = path.suffix == ".gz" and rng.integers(2)
    path.write_bytes((zipped_again if again else damaged)(rng, before))
    return f"{path.name} is {'zipped again' if again else 'damaged'}"


# ---- a case ----


@contextmanager
def nothing_left(root: Path) -> Iterator[None]:
    """See to it that what happens inside is soon over, takes little, and leaves nothing."""
    entries, files = sorted(root.rglob("*")), open_files()
    tracemalloc.start()
    start = time.process_time()
    try:
        yield
    finally:
        seconds, (_, peak) = time.process_time() - start, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        if sorted(root.rglob("*")) != entries or open_files() > files:
            raise ViolationError("something is left behind or stays open")
        if seconds > SECONDS or peak > BYTES:
            raise ViolationError(f"{seconds:.1f} s, {peak / 1e6:.0f} MB")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0


def load(kind: str, root: Path) -> Splits:
    if kind in WRITERS:
        return load_cifar10(root, num_val=KEPT, num_test=KEPT)
    if kind != "shipped":
        return load_fashion_mnist(root, num_val=KEPT)
    module = root / "cs231n_helpers" / "datasets" / "fashion_mnist.py"
    with mock.patch.object(fashion_mnist, "__file__", str(module)):
        return load_fashion_mnist()


def outcome(kind: str, root: Path) -> Splits | None:
    """Return what is loaded, None if it is refused as it should be."""
    remedy = (
        "git checkout -- data"
        if kind == "shipped"
        else "`python -m cs231n_helpers.datasets.download`"
    )
    try:
        with nothing_left(root), warnings.catch_warnings():
            warnings.simplefilter("error")
            return load(kind, root)
    except (ValueError, OSError) as error:
        text = str(error)
        if remedy not in text or str(root) not in text or "\n" in text or len(text) > 1_000:
            few = isinstance(error, ValueError) and text.startswith("num_")  # sound, but too small
            if not few:
                raise ViolationError(f"{type(error).__name__}: {text}") from error
        return None


def judge(kind: str, root: Path, *, sound: bool) -> str:
    """Load a data set and compare with the independent reading."""
    expected = None
    if kind in READERS:
        with suppress(DamagedError, OSError, struct.error, zlib.error):
            expected = READERS[kind](root)
    splits = outcome(kind, root)
    if splits is None:
        if sound or expected is not None:
            raise ViolationError("sound, but refused")
        return "refused"
    if kind not in READERS:
        check_pickled(root, splits)
        return "loaded"
    if expected is None:
        raise ViolationError("loaded, but damaged")
    for name, array in zip(ARRAYS, expected, strict=True):
        if not np.array_equal(getattr(splits, name), array):
            raise ViolationError(f"{name} is not what the files hold")
    return "loaded"


def case(rng: np.random.Generator) -> str:
    """Damage a data set and load it; return how that ended."""
    kind = str(rng.choice(KINDS, p=[0.3, 0.25, 0.2, 0.24, 0.01]))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / kind
        for name, data in valid(kind).items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        paths = [root / name for name in valid(kind)]
        changes = [change(rng, kind, paths) for _ in range(rng.integers(4))]
        try:
            return judge(kind, root, sound=not any(changes))
        except ViolationError as error:
            raise ViolationError(f"{kind}: {', '.join(changes)}: {error}") from error


if __name__ == "__main__":
    sys.exit(main(__doc__ or "", case))
