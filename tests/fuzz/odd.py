"""Odd arguments, drawn at random: what people pass by mistake, and what numbers can be at worst.

`Odd` draws a value of each kind. It mostly leaves values as they should be, and otherwise changes
one thing about them, so that a function sees one oddity at a time more often than two.
"""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

EXTREMES = [np.nan, np.inf, -np.inf, 1e308, -1e308, 1e30, 3e38, 65504.0, 1e-30, 5e-324, 0.0, -0.0]
REAL_DTYPES = ["f2", "f4", "f8", "g", ">f4", ">f8", "i1", "u1", "i4", "u4", "i8", "u8"]
OTHER_DTYPES = ["?", "c8", "c16", "O", "U8", "S8", "M8[s]"]
NUMBERS: list[Any] = [
    0, 0.0, -0.0, 1, 2, 0.5, 1e-5, 1e-300, 5e-324, 1e30, 1e300, 1e308, -1, -1e-9, np.nan, np.inf,
    -np.inf, 2**40, 2**63, 10**400, -(10**400), True, np.True_, np.float16(0.5), np.float32(0.5),
    np.float64(1e300), np.int8(1), np.uint64(2**64 - 1), np.longdouble(2), Fraction(1, 3),
    Fraction(10**400, 3), Decimal("0.5"), 1j, np.complex64(1), "1", b"1", None, [1.0], (), {},
    np.array(0.5), np.array([0.5]), np.array([0.5, 1.0]), np.ma.masked, object, print,
]  # fmt: skip
COUNTS: list[Any] = [
    0, -1, 1, 2, 3, 7, 2.0, 2.5, True, np.int8(2), np.uint64(3), np.float64(2), 2**40, 10**30,
    "2", None, [2], np.array(2), np.nan, Fraction(2, 1), 1j,
]  # fmt: skip
LABELS = [-1, -(2**63), 2**31, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 3, 2**64 - 1, 10**30]


class Odd:
    """Draws arguments; `changed` says what was odd about those that it drew."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.changed: list[str] = []

    def pick(self, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def happens(self, one_in: int = 4) -> bool:
        return int(self.rng.integers(one_in)) == 0

    def note(self, what: str) -> None:
        self.changed.append(what)

    def number(self, name: str, usual: float) -> Any:
        if not self.happens(5):
            return usual
        value = self.pick(NUMBERS)
        self.note(f"{name} = {value!r:.40}")
        return value

    def count(self, name: str, usual: int) -> Any:
        if not self.happens(5):
            return usual
        value = self.pick(COUNTS)
        self.note(f"{name} = {value!r:.40}")
        return value

    def array(self, name: str, *shape: int, scale: float = 1.0) -> Any:
        """Draw an array of standard normal numbers, times `scale`, or something like one."""
        array = scale * self.rng.standard_normal(shape)
        if self.happens(3):
            array = array.astype(np.float32)  # as usual as float64
        if not self.happens(3):
            return array
        change = self.pick([self._dtype, self._entries, self._layout, self._shape, self._container])
        changed, what = change(array)
        self.note(f"{name}: {what}")
        return changed

    def labels(self, name: str, num_examples: int, num_classes: int) -> Any:
        """Draw labels 0..C-1, or something like them."""
        y = self.rng.integers(num_classes, size=num_examples)
        if not self.happens(3):
            return y
        match int(self.rng.integers(7)):
            case 0:
                dtype = self.pick(REAL_DTYPES + OTHER_DTYPES)
                self.note(f"{name}: dtype {dtype}")
                return y.astype(dtype)
            case 1:
                labels = [int(label) for label in y]
                labels[self.pick(range(num_examples))] = label = self.pick([*LABELS, num_classes])
                self.note(f"{name}: label {label}")
                return np.array(labels) if self.happens(2) else labels
            case 2:
                self.note(f"{name}: labels from 1, unsigned, less 2")
                return (y + 1).astype(self.pick(["u1", "u4", "u8"])) - 2
            case 3:
                self.note(f"{name}: one-hot")
                return np.eye(num_classes, dtype=int)[y]
            case 4:
                self.note(f"{name}: a column")
                return y[:, np.newaxis]
            case _:
                changed, what = self.pick([self._container, self._shape, self._layout])(y)
                self.note(f"{name}: {what}")
                return changed

    def _dtype(self, array: Any) -> tuple[Any, str]:
        dtype = self.pick(REAL_DTYPES + OTHER_DTYPES)
        size = 10 if "i" in dtype or "u" in dtype else 1  # or all integers are near 0
        if "u" in dtype:
            array = np.abs(array)
        with np.errstate(all="ignore"):
            return (size * array).astype(dtype), f"dtype {dtype}"

    def _entries(self, array: Any) -> tuple[Any, str]:
        value = self.pick(EXTREMES)
        with np.errstate(all="ignore"):
            if self.happens(3):
                return np.full_like(array, value), f"all {value}"
            array = array.copy()
            array[self.rng.random(array.shape) < self.pick([0.05, 0.5])] = value
        return array, f"some {value}"

    def _layout(self, array: Any) -> tuple[Any, str]:
        match int(self.rng.integers(5)):
            case 0:
                return np.asfortranarray(array), "Fortran order"
            case 1:
                return np.repeat(array, 2, axis=0)[::2], "strided"
            case 2:
                return array[::-1].copy()[::-1], "backwards in memory"
            case 3:
                array = array.copy()
                array.flags.writeable = False
                return array, "read-only"
            case _:
                return np.broadcast_to(array[:1], array.shape), "one row broadcast"

    def _shape(self, array: Any) -> tuple[Any, str]:
        change = self.pick(
            [np.transpose, np.ravel, lambda a: a[:-1], lambda a: a[..., :-1], lambda a: a[:0],
             lambda a: a[np.newaxis], lambda a: a[..., np.newaxis], lambda a: a.ravel()[0],
             lambda a: np.concatenate([a, a]), lambda a: a[..., :0]]
        )  # fmt: skip
        changed = change(array)
        return changed, f"shape {np.shape(changed)}"

    def _container(self, array: Any) -> tuple[Any, str]:
        match int(self.rng.integers(9)):
            case 0:
                return array.tolist(), "a list"
            case 1:
                return tuple(map(tuple, np.atleast_2d(array).tolist())), "tuples"
            case 2:
                mask = self.rng.random(array.shape) < 0.3
                return np.ma.array(array, mask=mask), "masked"
            case 3:
                return [np.ma.array(row, mask=True) for row in array], "a list of masked rows"
            case 4:
                rows = array.tolist()
                rows[0] = [1.0] * (1 + 2 * array.shape[-1])
                return rows, "ragged"
            case 5:
                return [Fraction(1, 3)] * len(array), "Fractions"
            case 6:
                return [10**400] * len(array), "beyond float"
            case 7:
                return self.pick([None, "abc", {}, {1: 2}, iter([1.0]), object(), 3]), "no array"
            case _:
                with warnings.catch_warnings(action="ignore"):  # of NumPy, not to use it
                    return np.asmatrix(np.atleast_2d(array)), "np.matrix"
