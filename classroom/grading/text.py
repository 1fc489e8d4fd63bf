"""Text that somebody else wrote, made fit for files, pages, consoles and spreadsheets."""

from __future__ import annotations

import ast
import difflib
import re
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress


def clean(text: str) -> str:
    r"""Return text that every file and page can hold: what would control them is made visible.

    >>> clean("a\x1b[2J\u202eb\ud800\n")
    'a\\x1b[2J\\u202eb\\ud800\n'
    """
    return re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]",
        lambda match: match[0].encode("unicode_escape").decode("ascii"),
        text.replace("\r\n", "\n"),
    )


def reason(error: BaseException) -> str:
    """Return why something failed, in a line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return clean(text).replace("\n", " ")[:200]


def table_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, fullwidth signs included.

    >>> table_cell("=1+1"), table_cell("\uff1d1"), table_cell(" @a"), table_cell("anna")
    ("'=1+1", "'\uff1d1", "' @a", 'anna')
    """
    text = text.replace("\t", " ").replace("\n", " ").replace("\r", " ")
    first = unicodedata.normalize("NFKC", text).lstrip()[:1]
    return f"'{text}" if first and first in "=+-@|%" else text


def parsed(source: str) -> ast.Module:
    """Return the tree of a cell, an empty one where Python cannot parse it."""
    unparsable = (SyntaxError, ValueError, RecursionError, MemoryError)
    with suppress(*unparsable), warnings.catch_warnings(action="ignore"):  # invalid escapes
        return ast.parse(source)
    return ast.Module([], [])


def folded(text: str) -> str:
    """Return letters and digits alone, without case: what all systems keep of a name.

    >>> folded("Lee, Anna"), folded("José O'Neil")
    ('leeanna', 'joseoneil')
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if c.isalnum() or c in "@.").strip(".")


def label(student: str, listed: str) -> str:
    """Return the name on the roster; with the one of the files, such as an id, where it is another.

    >>> label("leeanna", "Lee, Anna"), label("17", "Lee, Anna"), label("anna", "")
    ('Lee, Anna', 'Lee, Anna (17)', 'anna')
    """
    last, _, first = listed.partition(",")
    if not listed or folded(student) in (folded(first + last), folded(last + first)):
        return listed or student
    return f"{listed} ({student})"


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return names, those first that are spelled most like one.

    >>> nearest("Bo Chan", ["Al", "Bo Chen"])
    ['Bo Chen', 'Al']
    """
    return sorted(names, key=lambda it: -difflib.SequenceMatcher(None, name, it).ratio())


def some_of(names: Sequence[str], most: int = 5) -> str:
    """Return the first of many names, and how many more there are.

    >>> some_of(["anna", "bob"]), some_of("abcdefg")
    ('anna, bob', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
