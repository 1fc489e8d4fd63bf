"""Why a finding happens, on two examples; what to do next; what to ask oneself.

The texts are in explanations.md: for each code a paragraph, a next step and a question.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def explanations() -> dict[str, list[str]]:
    """The paragraphs for each code."""
    text = (files(__package__) / "explanations.md").read_text(encoding="utf-8")
    sections = (section.strip().split("\n") for section in text.split("\n## ")[1:])
    return {code: paragraphs for code, *paragraphs in sections}


def explanation(code: str, seen: str) -> list[str]:
    """What was seen, why, what next, and a question; a mistake of your own need have no text."""
    return [f"Seen: {seen}", *explanations().get(code, ())]
