"""Calling a learner's function, and reading what it returned, without trusting it.

A function may be none, raise, return anything, or change its arguments. What is wrong becomes a
`Fault`: a sentence for the learner and codes for the statistics of a class.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Fault:
    """Why a part is lost."""

    sentence: str
    codes: tuple[str, ...]


Faults = dict[str, Fault]  # by part; a part that is not in it has passed


# ---- calling the learner's function ----


class CallError(Exception):
    """The learner's function raised, or is none; `kind` is the name of the exception."""

    def __init__(self, kind: str, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.kind, self.fault = kind, fault


class Learner:
    """The learner's function, called on copies of its arguments, counted and watched."""

    # No __dict__: the gradient checker puts back the attributes of all objects that it can reach,
    # and what runs on the other side of a pipe must not be put back.
    __slots__ = ("arguments", "calls", "changed", "function", "given", "name", "stopped")

    def __init__(self, function: Any, name: str, arguments: Sequence[str]) -> None:
        self.function, self.name, self.arguments = function, name, arguments
        self.calls = 0
        self.changed: Fault | None = None  # by the last call
        self.given: tuple[Any, ...] = ()  # the arguments of the last call, as it has left them
        self.stopped: Exception | None = None

    def __call__(self, *args: Any) -> Any:
        """Call it on copies; note which of them come back changed."""
        self.given, self.changed = copied(args), None
        returned = self._call(self.given)
        for name, before, after in zip(self.arguments, args, self.given, strict=False):
            self.changed = self.changed or _changed(name, before, after)
        return returned

    def again(self) -> Any:
        """Call it once more with the arguments as the last call has left them."""
        return self._call(self.given)

    def _call(self, args: tuple[Any, ...]) -> Any:
        if not callable(self.function):
            raise self._undefined()
        self.calls += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.function(*args)
        except Exception as error:
            if type(error).__name__ == "Stopped" and hasattr(error, "reason"):
                self.stopped = error
                raise
            raise self._error(error) from None

    def _undefined(self) -> CallError:
        says = f"There is no function {self.name}: its cell does not define it, or failed before."
        return CallError("", Fault(says, ("not_defined",)))

    def _error(self, error: Exception) -> CallError:
        try:
            kind, text = type(error).__name__, str(error)
        except Exception:  # a __str__ of their own
            kind, text = type(error).__name__, ""
        if kind in (
            "StudentError",
            "NotDefinedError",
        ):  # "TypeName: message"
            kind, _, text = text.partition(":")
        kind, text = capped(kind.strip(), 40), capped(text.strip(), 250)
        if kind == "NameError" and text.startswith(self.name):  # the worker's own words
            return self._undefined()
        if kind == "NotImplementedError":
            return CallError(kind, Fault("This exercise is not done yet.", ("not_done",)))
        return CallError(kind, Fault(f"{self.name} raised {kind}: {text}", ("raises",)))


def copied(value: Any) -> Any:
    """A copy of the arrays in nested dicts, lists and tuples; everything else as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {k: copied(v) for k, v in value.items()}
    return type(value)(map(copied, value)) if type(value) in (list, tuple) else value


def _changed(name: str, before: Any, after: Any) -> Fault | None:
    """Tell how an argument differs from what it was before the call."""
    if isinstance(before, dict):
        if set(before) != set(after):
            return _mutated(name, "its keys are others now")
        found = (_changed(f"{name}[{k!r}]", before[k], after[k]) for k in before)
        return next(filter(None, found), None)
    if isinstance(before, list):
        return _mutated(name, "its items are others now") if before != after else None
    if not isinstance(before, np.ndarray):
        return None
    if type(after) is not np.ndarray or after.shape != before.shape:
        return _mutated(name, f"it is {described(after)} now")
    if after.dtype != before.dtype:
        return _mutated(name, f"its dtype is {after.dtype} now")
    places = np.argwhere((after != before) & ((after == after) | (before == before)))
    if not len(places):
        return None
    at = tuple(int(i) for i in places[0])
    return _mutated(name, f"entry {at} went from {before[at]:.4g} to {after[at]:.4g}")


def _mutated(name: str, seen: str) -> Fault:
    says = (
        f"Your function changes its argument {name} in place ({seen}), so that whoever called it "
        "goes on with other data. Work on a copy: A = A - b instead of A -= b, or A.copy() first."
    )
    return Fault(says, ("mutates_input",))


# ---- reading what it returned ----


class UnfitError(Exception):
    """What was returned is not of the form that the exercise asks for."""

    def __init__(self, sentence: str, code: str = "wrong_type") -> None:
        super().__init__(sentence)
        self.fault = Fault(sentence, (code,))


def as_pair(returned: Any, what: str) -> tuple[Any, Any]:
    """Two things in a tuple or list, else UnfitError."""
    if type(returned) not in (tuple, list) or len(returned) != 2:
        raise UnfitError(f"It returned {described(returned)}; it must return {what}.")
    return returned[0], returned[1]


def as_number(value: Any, name: str) -> float:
    """A real number, be it NaN or infinite; else UnfitError."""
    if type(value) is np.ndarray and value.size == 1 and value.dtype.kind in "fiu":
        return float(value.reshape(-1)[0])
    if isinstance(value, int | float | np.integer | np.floating) and type(value) is not bool:
        try:
            return float(value)
        except Exception:  # an integer beyond all floats, a __float__ of their own
            return np.inf
    hint = ": sum or average over the examples" if isinstance(value, np.ndarray) else ""
    raise UnfitError(f"{capital(name)} is {described(value)}; it must be one real number{hint}.")


def as_array(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """An array of real numbers of this shape, else UnfitError."""
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu":
        raise UnfitError(
            f"{capital(name)} is {described(value)}; it must be a NumPy array of real numbers "
            f"of the shape {shape}."
        )
    if value.shape != shape:
        says = f"{capital(name)} has the shape {value.shape}; it must have the shape {shape}."
        raise UnfitError(says, "wrong_shape")
    return np.array(value, dtype=np.float64)


def described(value: Any) -> str:
    """In words what something is, whatever it is."""
    kind = capped(type(value).__name__, 40)
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        of = "" if type(value) is np.ndarray else f" ({kind})"
        return f"an array of shape {value.shape} and dtype {capped(str(value.dtype), 40)}{of}"
    if isinstance(value, bool | int | float | np.number):
        return f"a number ({kind})"
    if isinstance(value, tuple | list | dict):
        try:
            return f"a {kind} of {len(value)}"
        except Exception:  # a __len__ of their own
            return f"a {kind}"
    return f"an object of the type {kind}"


def capped(text: str, most: int) -> str:
    """Printable, on one line and not too long."""
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * most])
    text = re.sub(r" +", " ", text).strip()
    return text if len(text) <= most else text[: most - 4].rstrip() + " ..."


def capital(text: str) -> str:
    """Begin like a sentence, unless with a symbol, dW or grads['W1']."""
    words = text.replace(" ", "").isalpha() and text.islower()
    return text[0].upper() + text[1:] if words else text
