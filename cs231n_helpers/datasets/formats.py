"""The files of the data sets, read without trusting any of them.

The shipped subset is checked against its SHA-256, everything else for its size, format and labels,
and CIFAR-10's pickled batches are interpreted here, opcode by opcode, by code that has no way to
import or call anything.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import pickletools
import re
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]

SHIPPED_SHA256 = "2715353a93a53ceb371c5d926fecace2278f0c36806a89a48686e3856451f0f0"
CIFAR10_STEMS = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
PIXELS = 3_072  # of a CIFAR-10 image
REMEDY = "get the official files with `make data`"
FOLDERS = {"fashion_mnist": "fashion-mnist", "cifar10": "cifar-10-batches-bin"}  # in the cache

_MAX_RECORDS, _MAX_PICKLE_BYTES, _MAX_PICKLE_STEPS = 10_000, 40_000_000, 100_000
_SHIPPED_REMEDY = "restore it with `git checkout -- data`, or reinstall the package"


def default_cache() -> Path:
    """Return the folder that downloads go to: CS231N_CACHE, else one in the user's cache folder."""
    import pooch

    return Path(os.environ.get("CS231N_CACHE") or pooch.os_cache("cs231n_helpers"))


def read_shipped() -> tuple[Array, Array, Array, Array]:
    """Return X (6,000, 28, 28), y, X_test, y_test of the shipped subset, validation images last."""
    name = "fashion_mnist_mini.npz"
    package = Path(__file__).resolve().parent.parent
    places = (package.parent / "data" / name, package / "_shipped" / name)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"neither {places[0]} nor {places[1]} is there: {_SHIPPED_REMEDY}")
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHIPPED_SHA256:
        raise ValueError(
            f"{path} has SHA-256 {digest}, expected {SHIPPED_SHA256}: it was changed or damaged, "
            f"{_SHIPPED_REMEDY}"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        X, y = (np.concatenate([arrays[f"{a}_train"], arrays[f"{a}_val"]]) for a in "Xy")
        return X, y.astype(np.int64), arrays["X_test"], arrays["y_test"].astype(np.int64)


def read_idx_pair(folder: Path, prefix: str) -> tuple[Array, Array]:
    """Return images (N, 28, 28) uint8 and labels (N,) int64 of one of Fashion-MNIST's two parts."""
    images = _read_idx(folder / f"{prefix}-images-idx3-ubyte", 28, 28)
    path = folder / f"{prefix}-labels-idx1-ubyte"
    labels = _read_idx(path)
    if len(images) != len(labels):
        raise ValueError(
            f"{path} holds {len(labels)} labels for {len(images)} images, but each image has one: "
            f"{REMEDY}"
        )
    return images, _as_classes(path, labels)


def _read_idx(path: Path, *shape: int) -> Array:
    """Return the uint8 array (N, *shape) of an idx file, which may be gzipped, N <= 60,000."""
    zipped = path.with_name(f"{path.name}.gz")
    path = zipped if zipped.is_file() else path
    if not path.is_file():
        raise FileNotFoundError(f"there is neither {path} nor {zipped.name}: {REMEDY}")
    header = 8 + 4 * len(shape)
    try:
        with gzip.open(path) if path == zipped else path.open("rb") as stream:
            content = stream.read(header + 60_000 * prod(shape) + 1)  # a bomb goes no further
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): {REMEDY}") from error
    magic = bytes([0, 0, 8, 1 + len(shape)])  # 8: unsigned bytes
    if content[:4] != magic or len(content) < header:
        raise ValueError(
            f"{path} starts with {content[:4].hex(' ')}, but an idx file of this name starts with "
            f"{magic.hex(' ')} and its sizes: {REMEDY}"
        )
    sizes = [int(size) for size in np.frombuffer(content, ">u4", len(shape) + 1, offset=4)]
    found = len(content) - header
    if not 1 <= sizes[0] <= 60_000 or tuple(sizes[1:]) != shape or prod(sizes) != found:
        raise ValueError(
            f"{path} says that it holds {' x '.join(map(str, sizes))} bytes and holds {found}, but "
            f"expected are {' x '.join(map(str, ('N', *shape)))}, N from 1 to 60,000: {REMEDY}"
        )
    return np.frombuffer(bytearray(content), np.uint8, offset=header).reshape(sizes)


def _as_classes(path: Path, labels: ArrayLike) -> NDArray[np.int64]:
    """Return labels as int64, all of them 0 to 9."""
    y = np.asarray(labels, np.int64)
    outside = np.flatnonzero((y < 0) | (y > 9))
    if outside.size:
        i = outside[0]
        raise ValueError(f"{path}: record {i} has label {y[i]}, but labels are 0 to 9: {REMEDY}")
    return y


def find_cifar10(root: str | os.PathLike[str] | None) -> list[Path]:
    """Return the six files of an official layout, in order, from `root` or one level below."""
    folder = Path(root or os.environ.get("CS231N_CIFAR10") or default_cache())
    remedy = f"name a folder that holds cifar-10-batches-bin or cifar-10-batches-py, or {REMEDY}"
    if not folder.is_dir():
        what = "is a file (if an archive, extract it)" if folder.exists() else "does not exist"
        raise FileNotFoundError(f"CIFAR-10's folder {folder} {what}: {remedy}")
    places = [(folder, ".bin"), (folder, "")]
    places += [(folder / "cifar-10-batches-bin", ".bin"), (folder / "cifar-10-batches-py", "")]
    layouts = [[place / f"{stem}{end}" for stem in CIFAR10_STEMS] for place, end in places]
    missing, paths = min(
        (([p.name for p in paths if not p.is_file()], paths) for paths in layouts),
        key=lambda found: len(found[0]),
    )
    if not missing:
        return paths
    if len(missing) < len(paths):
        raise FileNotFoundError(f"{paths[0].parent} lacks {', '.join(missing)}: {REMEDY}")
    names = sorted(path.name for path in folder.iterdir())
    found = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    if any(name in ("train", "train.bin") or name.startswith("cifar-100") for name in names):
        found += "; that looks like CIFAR-100, another data set"
    if any(name.endswith((".gz", ".zip", ".tar")) for name in names):
        found += "; extract the archive first"
    raise FileNotFoundError(
        f"no CIFAR-10 files in {folder} (found: {found or 'nothing'}): {remedy}"
    )


def cifar10_batches(paths: list[Path]) -> Iterator[tuple[Array, NDArray[np.int64]]]:
    """Yield pixels (n, 3072) uint8 in planes R, G, B, and labels (n,), of six files of one size.

    Pixels are overwritten by the next file: copy what is to last.
    """
    buffer = np.empty((_MAX_RECORDS, 1 + PIXELS), np.uint8)
    first_images: dict[bytes, Path] = {}
    num_records, balanced = 0, []
    for path in paths:
        planes, labels = _read_binary(path, buffer) if path.suffix else _read_pickled(path)
        y = _as_classes(path, labels)
        num_records = num_records or len(y)
        if len(y) != num_records:
            raise ValueError(
                f"{path} holds {len(y)} images and {paths[0].name} {num_records}, but all "
                f"six files hold equally many, officially 10,000: {REMEDY}"
            )
        twin = first_images.setdefault(planes[0].tobytes(), path)
        if twin != path and twin.read_bytes() == path.read_bytes():
            raise ValueError(
                f"{path} is a copy of {twin.name}, but each file has its own images: {REMEDY}"
            )
        balanced.append(bool((np.bincount(y, minlength=10) == 1_000).all()))
        if path == paths[-1] and any(balanced) and not balanced[-1]:  # only possible with 10,000
            raise ValueError(
                f"{path} looks swapped with {paths[balanced.index(True)].name}: the test file, and "
                f"no other, has exactly 1,000 images of each class; rename them, or {REMEDY}"
            )
        yield planes, y


def _read_binary(path: Path, buffer: Array) -> tuple[Array, Array]:
    """Read records of one label byte and 3,072 pixel bytes into `buffer`: (pixels, labels)."""
    with path.open("rb", buffering=0) as stream:
        count, rest = divmod(stream.readinto(buffer.data) or 0, buffer.shape[1])
        if count == 0 or rest or stream.read(1):
            raise ValueError(
                f"{path} has {path.stat().st_size:,} bytes, but a CIFAR-10 file has 1 to 10,000 "
                f"records of 3,073: it is empty, truncated or something else, {REMEDY}"
            )
    return buffer[:count, 1:], buffer[:count, 0]


def _read_pickled(path: Path) -> tuple[Array, list[int]]:
    """Return (pixels, labels) of a pickled batch, without unpickling it."""
    size = path.stat().st_size
    if size > _MAX_PICKLE_BYTES:
        raise ValueError(f"{path} has {size:,} bytes, but a batch has about 31,000,000: {REMEDY}")
    try:
        return _batch_arrays(path, _interpret(path.read_bytes()))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is refused, nothing in it was run: {error}; {REMEDY}") from error


class _Inert:
    """Stands for a global, or for what a call with `args` would have returned; does nothing."""

    def __init__(self, name: str, args: Any = None) -> None:
        self.name, self.args, self.state = name, args, None


_GLOBALS = {
    b"numpy.core.multiarray\n_reconstruct\n": "_reconstruct",
    b"numpy._core.multiarray\n_reconstruct\n": "_reconstruct",
    b"numpy\nndarray\n": "ndarray",
    b"numpy\ndtype\n": "dtype",
}
_RESULTS = {"_reconstruct": "an array", "dtype": "a dtype"}


def _interpret(content: bytes) -> Any:
    """Return what a pickle describes, made of dict, list, tuple, str, int, False, None, _Inert.

    An interpreter of the opcodes in the official batches, which has no way to import or call what
    a pickle names. Whatever else a pickle asks for is an error that tells the opcode and its
    offset. Long strings come as views of `content`, not as copies.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    position = 0

    def take(size: int) -> bytes | memoryview:
        nonlocal position
        start, position = position, position + size
        if position > len(content):
            raise ValueError(f"it ends within a value that starts at byte {start}")
        return content[start:position] if size < 256 else memoryview(content)[start:position]

    def number(size: int, signed: bool = False) -> int:
        return int.from_bytes(take(size), "little", signed=signed)

    def pop_from(start: int) -> list[Any]:
        items = stack[start:]
        del stack[start:]
        return items

    for _ in range(_MAX_PICKLE_STEPS):  # an official batch takes 30,000
        at = position
        match opcode := take(1):
            case pickle.BININT1 | pickle.BININT2:
                stack.append(number(1 if opcode == pickle.BININT1 else 2))
            case pickle.SHORT_BINSTRING:
                stack.append(str(take(number(1)), "latin-1"))
            case pickle.BINPUT | pickle.LONG_BINPUT:
                index = number(1 if opcode == pickle.BINPUT else 4)
                if index > at:  # they count from 0 or 1, and each takes 2 bytes
                    raise ValueError(f"memo index {index} at byte {at} is out of all proportion")
                memo[index] = stack[-1]
            case pickle.BINGET | pickle.LONG_BINGET:
                stack.append(memo[number(1 if opcode == pickle.BINGET else 4)])
            case pickle.BININT:
                stack.append(number(4, signed=True))
            case pickle.BINSTRING:
                stack.append(take(number(4)))
            case pickle.NONE | pickle.NEWFALSE:
                stack.append(None if opcode == pickle.NONE else False)
            case pickle.EMPTY_DICT | pickle.EMPTY_LIST:
                stack.append({} if opcode == pickle.EMPTY_DICT else [])
            case pickle.MARK:
                marks.append(len(stack))
            case pickle.APPENDS:
                items = pop_from(marks.pop())
                stack[-1].extend(items)
            case pickle.SETITEMS:
                items = pop_from(marks.pop())
                if not all(isinstance(key, str) for key in items[::2]):  # a tuple's hash can hang
                    raise ValueError(f"at byte {at} a key is no string")
                stack[-1].update(zip(items[::2], items[1::2], strict=True))
            case pickle.TUPLE1 | pickle.TUPLE2 | pickle.TUPLE3:
                size = b" \x85\x86\x87".index(opcode)
                stack.append(tuple(pop_from(-size)))
            case pickle.TUPLE:
                stack.append(tuple(pop_from(marks.pop())))
            case pickle.GLOBAL:
                end = content.index(b"\n", content.index(b"\n", position) + 1) + 1
                name = bytes(take(end - position))
                if name not in _GLOBALS:
                    asked = ".".join(str(name[:80], "latin-1").split())
                    raise ValueError(f"at byte {at} it asks for {asked}")
                stack.append(_Inert(_GLOBALS[name]))
            case pickle.REDUCE:
                function, args = pop_from(-2)
                stack.append(_Inert(_RESULTS[function.name], args))
            case pickle.BUILD:
                state = stack.pop()
                stack[-1].state = state
            case pickle.PROTO:
                take(1)
            case pickle.STOP if position == len(content):
                return stack.pop()
            case _:
                names = {op.code.encode("latin-1"): op.name for op in pickletools.opcodes}
                found = names.get(bytes(opcode), bytes(opcode).hex())
                raise ValueError(f"at byte {at} is opcode {found}, which no batch has")
    raise ValueError(f"it goes on after {_MAX_PICKLE_STEPS:,} opcodes")


def _batch_arrays(path: Path, batch: Any) -> tuple[Array, list[int]]:
    """Return pixels (n, 3072) and labels of the dict that a pickled batch describes."""
    keys = set(batch) if isinstance(batch, dict) else {type(batch).__name__}
    if not {"data", "labels"} <= keys <= {"batch_label", "data", "filenames", "labels"}:
        hint = " (CIFAR-100 has those)" if "fine_labels" in keys else ""
        raise ValueError(f"found are {sorted(keys)[:9]}{hint}, expected data, labels, filenames")
    label = batch.get("batch_label")
    wording = r"(?:train|data)\w*?[ _]batch[ _](\d+)|test\w*?[ _]batch"
    said = re.search(wording, label[:100]) if isinstance(label, str) else None
    if said and path.name != (f"data_batch_{said[1]}" if said[1] else "test_batch"):
        raise ValueError(f"its batch_label is {label[:100]!r}, so it is not {path.name}")
    data, labels = batch["data"], batch["labels"]
    match getattr(data, "state", None):
        case 1, (int(n), 3_072), _Inert(
            name="a dtype", args=("u1", *_)
        ), False, memoryview() as raw if (
            data.name == "an array" and 1 <= n <= _MAX_RECORDS and len(raw) == n * PIXELS
        ):
            planes = np.frombuffer(raw, np.uint8).reshape(n, PIXELS)
        case (
            1,
            tuple(shape),
            _Inert(args=(str(code), *_)),
            order,
            str() | bytes() | memoryview() as raw,
        ):
            sizes = tuple(size if isinstance(size, int) else "?" for size in shape[:5])
            layout = "C" if order is False else "Fortran"
            raise ValueError(
                f"data has dtype {code[:9]!r}, shape {sizes}, {layout} order, {len(raw):,} bytes, "
                "expected 'u1', (n, 3072), C, 3,072 n, with n from 1 to 10,000"
            )
        case _:
            raise ValueError("data is no array of numbers, expected are uint8 pixels (n, 3,072)")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise ValueError("labels is no list of whole numbers")
    if len(labels) != n:
        raise ValueError(f"it has {len(labels)} labels for {n} images, but each image has one")
    return planes, labels
