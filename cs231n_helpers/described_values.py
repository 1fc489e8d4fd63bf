"""Numbers, extremes, trends and colors in words, the same on every machine.

Two machines compute slightly different numbers, so nothing here depends on the last digits: what
is tiny beside the rest is 0, what is equal up to rounding is a tie, and a number halfway between
two roundings goes away from 0 even where noise has moved it.
"""

from __future__ import annotations

import colorsys
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

NOISE = 1e-9  # of the largest number: what is smaller is rounding
#: The `gid` of a line or image whose numbers differ between machines: rounding errors, or chaos.
#: Where those of a line do so only for small x, it goes on as in "rounding below 1e-5".
ROUNDING = "rounding"
DIGITS = 3
SEEN = 5  # digits below the first of the largest number: smaller differences cannot be seen
FINER = 3  # more digits at most, where the numbers lie close together
HUES = (
    (15, "red"), (27.5, "red-orange"), (48, "orange"), (70, "yellow"), (165, "green"),
    (190, "cyan"), (250, "blue"), (292, "purple"), (345, "pink"), (360, "red"),
)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How numbers of one kind are written: three digits, or more where they differ in later ones.

    Parameters
    ----------
    size : float
        The largest absolute number; what is tiny beside it is written 0. 0 on a log axis.
    span : float
        What the numbers extend over.
    name : callable, optional
        What a place is called instead of its number, a category or a date; None if it is a number.

    Examples
    --------
    >>> [Scale(2.0, 2.0).text(value) for value in (1e-17, -0.0, 1 / 3, 0.3125, 2.0)]
    ['0', '0', '0.333', '0.313', '2']
    >>> Scale(1000.25, 0.25).text(1000.125)
    '1000.13'
    """

    size: float = 0.0
    span: float = 0.0
    name: Callable[[float], str | None] | None = None

    def text(self, value: float) -> str:
        """Return the number as text."""
        value = float(value)
        if not math.isfinite(value):
            return "missing" if math.isnan(value) else f"{value:+}"
        named = self.name(value) if self.name else None
        if named is not None:
            return named
        size = max(self.size, abs(value) if self.size else 0.0)
        if value == 0 or abs(value) <= NOISE * size:
            return "0"
        whole = round(value)
        if abs(value - whole) <= NOISE * max(size, abs(value)) and 0 < abs(whole) < 10**6:
            return str(whole)
        last = _power(abs(value)) - DIGITS + 1
        if self.span > NOISE * self.size:
            last = min(last, max(_power(self.span) - DIGITS + 1, last - FINER))
        if size:
            last = max(last, _power(size) - SEEN)
        text = _rounded(abs(value), last)
        return f"-{text}" if value < 0 and text != "0" else text

    def texts(self, values: Iterable[float]) -> str:
        """Return several numbers as text."""
        return ", ".join(self.text(value) for value in values)


def _power(value: float) -> int:
    """Return the power of ten of the first digit; noise below a power of ten is that power."""
    return math.floor(math.log10(value) + 1e-9)


def _rounded(value: float, last: int) -> str:
    """Return a number > 0, rounded to units of 10**last."""
    units = int(Decimal(value).scaleb(-last) + Decimal("0.501"))  # a tie, even from a bit below
    if not units:
        return "0"
    digits = Decimal(units).scaleb(last).normalize()
    power = digits.adjusted()
    if -5 < power < 6:
        return format(digits, "f")
    return f"{format(digits.scaleb(-power), 'f')}e{power}"


def scale_of(
    *values: NDArray[np.float64],
    log: bool = False,
    limits: tuple[float, float] = (0.0, 0.0),
    name: Callable[[float], str | None] | None = None,
) -> Scale:
    """Return the scale of what is drawn within `limits`."""
    kept = [finite(array) for array in values]
    low = min((float(array.min()) for array in kept if array.size), default=0.0)
    high = max((float(array.max()) for array in kept if array.size), default=0.0)
    if log:
        return Scale(name=name)
    ends = [abs(float(end)) for end in limits if math.isfinite(end)]
    span = min(high - low, sys.float_info.max)
    return Scale(max(-low, high, *ends), span, name)


def finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the finite ones of some values, as a vector."""
    flat = np.ravel(values)
    return flat[np.isfinite(flat)]


def counted(number: int, what: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "point"), counted(0, "point"), counted(2, "box", "boxes")
    ('1 point', '0 points', '2 boxes')
    """
    return f"{number} {what if number == 1 else many or what + 's'}"


def missing(values: NDArray[np.float64]) -> str:
    """Return how many values are missing, as the end of a phrase.

    >>> missing(np.array([1.0, np.nan]))
    ', 1 missing'
    """
    lacking = int(values.size - np.isfinite(values).sum())
    return f", {lacking} missing" if lacking else ""


def as_numbers(values: object) -> NDArray[np.float64]:
    """Return values as floats; what is masked, or no number, is NaN."""
    try:
        if isinstance(values, np.ma.MaskedArray):
            return np.ma.filled(values.astype(float), np.nan)
        return np.real(np.asarray(values)).astype(float)
    except (TypeError, ValueError):
        return np.full(np.shape(np.asarray(values, dtype=object)), np.nan)


def ties(values: NDArray[np.float64], sign: int, size: float) -> NDArray[np.intp]:
    """Return the indices of all that are as good as the largest (or the smallest, sign -1).

    >>> ties(np.array([0.3, 0.1 + 0.2, 0.0, np.nan]), 1, 0.3)
    array([0, 1])
    """
    flat = sign * np.ravel(values)
    best = np.max(flat[np.isfinite(flat)])
    with np.errstate(invalid="ignore", over="ignore"):
        return np.flatnonzero(flat >= best - NOISE * size)


def mean_of(values: NDArray[np.float64]) -> float:
    """Return the mean of the finite ones, without overflow."""
    kept = finite(values)
    size = float(np.abs(kept).max(initial=0.0))
    return float(np.mean(kept / size) * size) if size else 0.0


def log_mean_of(values: NDArray[np.float64]) -> float:
    """Return the geometric mean of those above 0, NaN if there is none.

    >>> float(round(log_mean_of(np.array([1.0, 100.0])), 9))
    10.0
    """
    kept = finite(values)
    kept = kept[kept > 0]
    return float(np.exp(np.mean(np.log(kept)))) if kept.size else math.nan


def trend(values: NDArray[np.float64], size: float) -> str:
    """Return how values go on, as a verb.

    >>> [trend(np.array(v), 3.0) for v in ([1.0, 2], [2.0, 1, 3], [1.0, 1], [1.0, 3, 1, 3])]
    ['rises', 'falls, then rises,', 'stays', 'goes up and down']
    """
    with np.errstate(over="ignore"):
        steps = np.diff(finite(values))
    signs = np.sign(steps[np.abs(steps) > NOISE * size])
    if not signs.size:
        return "stays"
    turns = np.flatnonzero(np.diff(signs))
    if turns.size > 1:
        return "goes up and down"
    first, last = ("rises" if sign > 0 else "falls" for sign in (signs[0], signs[-1]))
    return first if not turns.size else f"{first}, then {last},"


def color_name(color: object) -> str:
    """Return the name of an RGB color.

    >>> color_name((0.0, 0.45, 0.7)), color_name((0.75, 0.75, 0.75)), color_name((0, 0, 0))
    ('blue', 'light gray', 'black')
    """
    red, green, blue = (min(max(float(part), 0.0), 1.0) for part in np.ravel(color)[:3])  # type: ignore[call-overload]
    hue, lightness, _ = colorsys.rgb_to_hls(red, green, blue)
    chroma = max(red, green, blue) - min(red, green, blue)
    if chroma < 0.06:
        if lightness < 0.08 or lightness > 0.96:
            return "black" if lightness < 0.5 else "white"
        name, light, dark = "gray", 0.7, 0.35
    else:
        name = next(name for end, name in HUES if 360 * hue <= end)
        light, dark = 0.6, 0.2
    return ("light " if lightness > light else "dark " if lightness < dark else "") + name
