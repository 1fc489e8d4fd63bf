"""What whoever is stuck opens next: the hints below a check, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any

HINTS = 3

#: The different solutions of each exercise that were found wrong, since one was right.
wrong: dict[str, list[Any]] = {}

#: What comes after the hints, by exercise; in the students' edition, the teacher's reference.
after_hints: list[Callable[[str], str]] = []


def next_hint(exercise: str, function: Any) -> str:
    """Note a wrong solution; from the second one on, say what to open.

    The same code checked again counts once.

    >>> for text in ("1", "2", "2", "3"):
    ...     print(next_hint("an exercise", eval(f"lambda: {text}")))
    <BLANKLINE>
    Stuck? Open hint 1 below.
    Stuck? Open hint 1 below.
    Stuck? Open hint 2 below.
    """
    tried, code = wrong.setdefault(exercise, []), getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or code not in tried:
        tried.append(code)
    if len(tried) <= 1:
        return ""
    if len(tried) <= 1 + HINTS:
        return f"Stuck? Open hint {len(tried) - 1} below."
    return "\n".join(say(exercise) for say in after_hints) or "Stuck? Open the solution below."


def forget(exercise: str) -> None:
    """Begin anew: a solution was right."""
    wrong.pop(exercise, None)
