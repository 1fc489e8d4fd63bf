"""CIFAR-10's pickled files, read without running what a pickle may ask for.

Three steps: the opcodes must be those of an official file, about as many of each; what they name
of NumPy is replaced by classes that only keep what they are given; pixels and labels are then
taken from what was kept, if everything is as it should be.
"""

from __future__ import annotations

import pickle
import pickletools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .files import REMEDY, opened
from .splits import Array

PIXELS = 3_072  # of an image
MAX_RECORDS = 10_000  # of a file
_MAX_BYTES = 32_000_000

#: How often an opcode may stand in a file; officially it does half as often. What keeps to this
#: cannot nest deeply, nor fill the memory, nor hash tuples of tuples without end.
_LIMITS = {
    **dict.fromkeys(("BININT1", "SHORT_BINSTRING", "BINPUT", "LONG_BINPUT"), 2 * MAX_RECORDS + 100),
    **dict.fromkeys(("MARK", "APPENDS"), 100),
    **dict.fromkeys(
        ("PROTO", "EMPTY_DICT", "EMPTY_LIST", "SETITEMS", "GLOBAL", "REDUCE", "BUILD", "TUPLE",
         "TUPLE1", "TUPLE2", "TUPLE3", "BININT", "BININT2", "BINSTRING", "NONE", "NEWFALSE",
         "BINGET", "LONG_BINGET", "STOP"),
        10,
    ),
}  # fmt: skip


#: By its byte: name, limit and bytes that follow an opcode, where `_check_opcodes` does not say.
_OPCODES = {
    ord(it.code): (it.name, _LIMITS.get(it.name, 0), it.arg.n if it.arg else 0)
    for it in pickletools.opcodes
}


def read_pickled(path: Path) -> tuple[Array, list[int]]:
    """Return pixels (n, 3072) and labels of a pickled file."""
    with opened(path, _MAX_BYTES, "but a batch has about 31,000,000") as file:
        try:
            _check_opcodes(file.read(_MAX_BYTES))
            file.seek(0)
            return _as_arrays(path, _Unpickler(file, encoding="bytes").load())
        except OSError:  # of reading: not the pickle's fault
            raise
        except Exception as error:  # a damaged pickle may raise any, a MemoryError too
            raise ValueError(
                f"{path} is refused, nothing in it was run: {error}; {REMEDY}"
            ) from error


def _check_opcodes(content: bytes) -> None:
    """Refuse a pickle of other opcodes, or of more, than an official file has.

    Its own pass over the opcodes, because `pickle.Unpickler` makes room for a memo as large as the
    index that a pickle names, and builds whatever it is told to. `pickletools.genops` is ten times
    as slow.
    """
    seen: Counter[int] = Counter()
    at = 0
    name = ""
    while name != "STOP":
        if at >= len(content):
            raise ValueError("it ends before its last opcode")
        code = content[at]
        name, limit, size = _OPCODES.get(code, (f"{code:#04x}", 0, 0))
        seen[code] += 1
        if seen[code] > limit:
            raise ValueError(
                f"at byte {at} is opcode {name}, which a batch has {limit:,} times at most"
            )
        if name == "LONG_BINPUT" and (index := _number(content, at)) > limit:
            raise ValueError(f"at byte {at} is memo index {index}, which no batch needs")
        if name == "SHORT_BINSTRING":
            size = 1 + content[at + 1]
        elif name == "BINSTRING":
            size = 4 + _number(content, at)
        elif name == "GLOBAL":  # a module and a name, each with the end of its line
            size = len(b"".join(content[at + 1 : at + 201].splitlines(keepends=True)[:2]))
        at += 1 + size
    if at < len(content):
        raise ValueError(f"it goes on after its end at byte {at}")


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at + 1 : at + 5], "little")


class _Inert:
    """Stands for an object of NumPy: keeps how it is made, and does nothing."""

    state: Any = None

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Array(_Inert):
    pass


class _DType(_Inert):
    pass


class _Unpickler(pickle.Unpickler):
    """Finds no class but those."""

    def find_class(self, module: str, name: str) -> type[_Inert]:
        match module, name:
            case "numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct":
                return _Array
            case "numpy", "ndarray":
                return _Array
            case "numpy", "dtype":
                return _DType
        raise ValueError(f"it asks for {module}.{name}")


def _as_arrays(path: Path, batch: Any) -> tuple[Array, list[int]]:
    """Return pixels (n, 3072) and labels of the dict that a pickle describes."""
    if not isinstance(batch, dict):
        raise ValueError(f"it holds a {type(batch).__name__}, not a dict")
    entries = {str(key, "latin-1"): value for key, value in batch.items()}
    if not {"data", "labels"} <= set(entries) <= {"batch_label", "data", "filenames", "labels"}:
        raise ValueError(
            f"found are {str(sorted(entries))[:200]}, expected data, labels, filenames"
        )
    label = entries.get("batch_label")
    label = str(label[:100], "latin-1") if isinstance(label, bytes) else ""
    said = re.search(r"(?:train|data)\w*?[ _]batch[ _](\d+)|test\w*?[ _]batch", label)
    if said and path.name != (f"data_batch_{said[1]}" if said[1] else "test_batch"):
        raise ValueError(f"its batch_label is {label!r}, so it is not {path.name}")
    match entries["data"]:  # version, shape, dtype, Fortran order, content
        case _Array(state=(1, (int(n), 3_072), _DType(args=(b"u1", *_)), False, bytes(pixels))) if (
            1 <= n <= MAX_RECORDS and len(pixels) == n * PIXELS
        ):
            planes = np.frombuffer(pixels, np.uint8).reshape(n, PIXELS)
        case _:
            raise ValueError("data must be a uint8 array (n, 3072) in C order, 1 <= n <= 10,000")
    labels = entries["labels"]
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise ValueError("labels must be a list of whole numbers")
    if len(labels) != n:
        raise ValueError(f"it has {len(labels)} labels for {n} images")
    return planes, labels
