"""The language between the grader and a contained submission: JSON and raw bytes, never pickle.

A frame is two lengths, a JSON text and the bytes of all arrays in it, in their order. None, bool,
int, float and str stand for themselves and a list for a list; everything else is an object of one
entry: ``{"t": [...]}`` a tuple, ``{"d": [[key, value], ...]}`` a dict, ``{"a": [dtype, shape]}`` an
array, ``{"n": dtype}`` a NumPy scalar, ``{"f": number}`` a callable, ``{"r": seed}`` a generator.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
DTYPES = frozenset({"bool", "float16", "float32", "float64"} | INTEGERS)
LENGTHS = struct.Struct("<IQ")
OUT_OF_MEMORY = 71  # the status with which a worker ends that has none left for an answer
MAX_TEXT = 4 << 20  # bytes of JSON in a frame
MAX_STRING = 10_000  # characters
MAX_ITEMS = 100_000  # values in a frame
MAX_KEYS = 5_000  # of dicts, which could be chosen to collide
MAX_DEPTH = 20  # containers in containers
MAX_BITS = 1024  # of an integer

Hook = Callable[[Any], Any]


class UnsendableError(TypeError):
    """A value is nothing that a frame can hold; the text says what it is instead."""


class MalformedError(ValueError):
    """A frame breaks the rules above."""


def refuse(value: Any) -> Any:
    """Refuse what frames have no form for: the hook where no other is given."""
    raise UnsendableError(f"a value of type {type(value).__name__}")


class Writer:
    """Turns values into what JSON can hold, and collects the bytes of their arrays.

    `hook` is asked for the form of a value of any other type, or raises `UnsendableError`.

    >>> writer = Writer()
    >>> writer.form({"W": np.zeros((2, 3)), (1, 0.5): [True, None]})
    {'d': [['W', {'a': ['float64', [2, 3]]}], [{'t': [1, 0.5]}, [True, None]]]}
    >>> len(b"".join(writer.body))
    48
    """

    def __init__(self, hook: Hook = refuse) -> None:
        self.body: list[bytes] = []
        self._hook = hook
        self._items = 0

    def form(self, value: Any, depth: int = 0) -> Any:
        self._items += 1
        if self._items > MAX_ITEMS:
            raise UnsendableError(f"more than {MAX_ITEMS} values")
        kind = type(value)
        if value is None or kind is bool or kind is float:
            return value
        if isinstance(value, np.ndarray | np.generic):
            return self._array(value)
        if kind is int:
            if value.bit_length() > MAX_BITS:
                raise UnsendableError(f"an integer of {value.bit_length()} bits")
            return value
        if kind is str:
            if len(value) > MAX_STRING:
                raise UnsendableError(f"a text of {len(value)} characters")
            return value
        if isinstance(value, list | tuple | dict):
            if depth == MAX_DEPTH:
                raise UnsendableError(f"{kind.__name__}s nested deeper than {MAX_DEPTH}")
            if isinstance(value, dict):
                pairs = value.items()
                return {"d": [[self.form(item, depth + 1) for item in pair] for pair in pairs]}
            items = [self.form(item, depth + 1) for item in value]
            return items if isinstance(value, list) else {"t": items}
        return self._hook(value)

    def _array(self, value: Any) -> Any:
        array = np.asarray(value)  # a plain array also of a subclass
        name = array.dtype.name
        if name not in DTYPES:
            raise UnsendableError(f"an array of dtype {array.dtype}")
        self.body.append(np.ascontiguousarray(array, dtype=name).tobytes())
        return {"n": name} if isinstance(value, np.generic) else {"a": [name, list(array.shape)]}


class Reader:
    """Turns forms back into values; each length is checked before anything is made of it.

    `hook` is asked for the value of any other form, or raises `MalformedError`. A key that cannot
    be one is a TypeError, as in any dict.

    >>> Reader(np.array([1.0, np.nan]).tobytes()).value({"t": [{"a": ["float64", [2]]}, 3]})
    (array([ 1., nan]), 3)
    >>> Reader(bytes(8)).value({"a": ["float64", [2]]})
    Traceback (most recent call last):
    ...
    classroom.sandbox.protocol.MalformedError: an array of 16 bytes, but 8 are left
    """

    def __init__(self, body: bytes | bytearray | memoryview, hook: Hook | None = None) -> None:
        self._body = memoryview(body)
        self._hook = hook
        self._items = self._keys = 0
        self.at = 0

    def value(self, form: Any, depth: int = 0) -> Any:
        self._items += 1
        if self._items > MAX_ITEMS or depth > MAX_DEPTH:
            raise MalformedError("too many values, or nested too deeply")
        kind = type(form)
        if form is None or kind in (bool, int, float, str):
            return form
        if kind is list:
            return [self.value(item, depth + 1) for item in form]
        if kind is not dict or len(form) != 1:
            raise MalformedError("neither a value nor an object of one entry")
        ((tag, inner),) = form.items()
        if tag == "a" and type(inner) is list and len(inner) == 2:
            return self._array(*inner)
        if tag == "n":
            return self._array(inner, [])[()]
        if tag == "t" and type(inner) is list:
            return tuple(self.value(item, depth + 1) for item in inner)
        if tag == "d" and type(inner) is list:
            self._keys += len(inner)
            if self._keys > MAX_KEYS:
                raise MalformedError(f"more than {MAX_KEYS} keys")
            if not all(type(pair) is list and len(pair) == 2 for pair in inner):
                raise MalformedError("an entry of a dict that is no pair")
            return {self.value(k, depth + 1): self.value(v, depth + 1) for k, v in inner}
        if self._hook is None:
            raise MalformedError("an object of an unknown kind")
        return self._hook(form)

    def _array(self, name: Any, shape: Any) -> Any:
        if type(name) is not str or name not in DTYPES:
            raise MalformedError("an array of an unknown dtype")
        good = type(shape) is list and len(shape) <= 16
        if not good or not all(type(n) is int and 0 <= n < 1 << 40 for n in shape):
            raise MalformedError("an array of an impossible shape")
        dtype = np.dtype(name)
        size, left = math.prod(shape) * dtype.itemsize, len(self._body) - self.at
        if size > left:
            raise MalformedError(f"an array of {size} bytes, but {left} are left")
        flat = np.frombuffer(self._body[self.at : self.at + size], dtype=dtype)
        self.at += size
        return flat.reshape(shape).copy()


def frame(message: Mapping[str, Any], body: Sequence[bytes]) -> bytes:
    text = json.dumps(message, separators=(",", ":")).encode()
    if len(text) > MAX_TEXT:
        raise UnsendableError(f"{len(text)} bytes of text")
    return b"".join([LENGTHS.pack(len(text), sum(map(len, body))), text, *body])


def parse(text: bytes | bytearray) -> dict[str, Any]:
    """Return the message in the JSON text of a frame."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedError("no JSON") from None
    if type(message) is not dict:
        raise MalformedError("no JSON object")
    return message
