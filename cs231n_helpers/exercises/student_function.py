"""Calling a student's function without trusting it, and what can be said of it then.

A function may be none, raise, return anything, or change its arguments. What is wrong becomes
`Feedback`: a sentence for the student, and codes for the statistics of a class.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..doctor.snapshot import copied, first_change
from .table import Exercise


@dataclass(frozen=True)
class Feedback:
    """What is wrong, in a sentence for the student and in codes."""

    sentence: str
    codes: tuple[str, ...]

    def in_float32(self) -> Feedback:
        """The same, of what is wrong in float32 alone."""
        text = f"With float32 input, and not with float64: {self.sentence}"
        return Feedback(text, ("float32", *self.codes))


class FeedbackError(Exception):
    """Something is wrong with a student's function, or with what it returned.

    >>> FeedbackError("The loss is nan.", "not_finite").feedback
    Feedback(sentence='The loss is nan.', codes=('not_finite',))
    """

    def __init__(self, sentence: str, *codes: str) -> None:
        super().__init__(sentence)
        self.feedback = Feedback(sentence, codes)


def feedback_of(check: Callable[..., Any], *args: Any) -> Feedback | None:
    """What a check finds wrong, None where it raises no `FeedbackError`."""
    try:
        check(*args)
    except FeedbackError as error:
        return error.feedback
    return None


class CallError(FeedbackError):
    """The function raised, or is none; `kind` is the name of the exception's type."""

    def __init__(self, kind: str, sentence: str, code: str) -> None:
        super().__init__(sentence, code)
        self.kind = kind


def read_error(error: Exception) -> tuple[str, str] | None:
    """Name and text of an exception, whose own __str__ may raise."""
    try:
        return type(error).__name__, str(error)
    except Exception:
        return type(error).__name__, ""


class StudentFunction:
    """A student's function, called on copies of its arguments and watched.

    Parameters
    ----------
    function : callable
        Whatever else it is becomes a sentence.
    exercise : Exercise
        Tells the names of the function and of its parameters.
    passed_on : tuple of exception types
        What it raises of these is passed on; the last one is kept in `stopped`, because the
        gradient checker catches what a loss raises.
    read_error : callable
        Takes an exception, returns the name of its type and its text, or None for "there is no such
        function": exceptions of a function in another process need to be read in their own way.

    Examples
    --------
    >>> from .table import EXERCISES
    >>> def penalty(W, reg):
    ...     W *= W
    ...     return reg * W.sum(), W
    >>> f = StudentFunction(penalty, EXERCISES["penalty"])
    >>> _ = f.call(np.array([1.0, 2.0]), 1.0)
    >>> str(f.changed)[:75]
    'Your function changes its argument W in place (entry (1,) went from 2 to 4)'
    """

    # No __dict__, so that this is no state that a gradient check puts back (doctor.snapshot).
    __slots__ = ("changed", "exercise", "function", "given", "passed_on", "read_error", "stopped")

    def __init__(
        self,
        function: Any,
        exercise: Exercise,
        *,
        passed_on: tuple[type[Exception], ...] = (),
        read_error: Callable[[Exception], tuple[str, str] | None] = read_error,
    ) -> None:
        self.function, self.exercise = function, exercise
        self.passed_on: tuple[type[Exception], ...] = (FeedbackError, *passed_on)
        self.read_error = read_error
        self.changed: FeedbackError | None = None  # by the last call
        self.given: tuple[Any, ...] = ()  # the arguments of the last call, as it has left them
        self.stopped: Exception | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it as `call` does; raise `FeedbackError` where it changes an argument."""
        returned = self.call(*args, **kwargs)
        if self.changed:
            raise self.changed
        return returned

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call it on copies, and note in `changed` which of them comes back changed."""
        self.given, self.changed = copied(args), None
        returned = self._call(*self.given, **kwargs)
        names = self.exercise.parameters
        for name, before, after in zip(names, args, self.given, strict=False):
            if name not in self.exercise.may_change:
                self.changed = self.changed or argument_change(name, before, after)
        return returned

    def call_again(self) -> Any:
        """Call it once more with the arguments as the last call has left them."""
        return self._call(*self.given)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        if not callable(self.function):
            raise self._call_error(None)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.function(*args, **kwargs)
        except self.passed_on as error:
            self.stopped = error
            raise
        except Exception as error:
            raise self._call_error(self.read_error(error)) from None

    def _call_error(self, read: tuple[str, str] | None) -> CallError:
        name = self.exercise.function
        if read is None:
            text = f"There is no function {name}: its cell does not define it, or failed before."
            return CallError("", text, "not_defined")
        kind, text = capped(read[0], 40), capped(read[1], 250)
        if kind == "NotImplementedError":
            return CallError(kind, "This exercise is not done yet.", "not_done")
        return CallError(kind, f"{name} raised {kind}: {text}", "raises")


def argument_change(name: str, before: Any, after: Any) -> FeedbackError | None:
    """Tell how an argument differs from what it was before the call."""
    seen = ""
    if isinstance(before, dict):
        if set(before) == set(after):
            found = (argument_change(f"{name}[{k!r}]", before[k], after[k]) for k in before)
            return next(filter(None, found), None)
        seen = "its keys are others now"
    elif isinstance(before, tuple):
        pairs = enumerate(zip(before, after, strict=True))
        return next(
            filter(None, (argument_change(f"{name}[{k}]", *pair) for k, pair in pairs)), None
        )
    elif isinstance(before, list) and not _same_items(before, after):
        seen = "its items are others now"
    elif isinstance(before, np.ndarray):
        if type(after) is not np.ndarray or after.shape != before.shape:
            seen = f"it is {described(after)} now"
        elif after.dtype != before.dtype:
            seen = f"its dtype is {after.dtype} now"
        else:
            seen = first_change(before, after)
    if not seen:
        return None
    text = (
        f"Your function changes its argument {name} in place ({seen}), so that whoever called it "
        "goes on with other data. Work on a copy: A = A - b instead of A -= b, or A.copy() first."
    )
    return FeedbackError(text, "mutates_input")


def _same_items(before: list[Any], after: list[Any]) -> bool:
    pairs = zip(before, after, strict=False)
    alike = all(a is b or (type(a) is type(b) and a == b) for a, b in pairs)
    return len(before) == len(after) and alike


def quoted(value: Any) -> str:
    """As it would be typed in, where it is of a form that can be."""
    try:
        return capped(repr(value), 400)
    except Exception:  # a __repr__ of their own
        return described(value)


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
