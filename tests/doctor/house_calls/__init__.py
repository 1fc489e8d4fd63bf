"""Calls that people make: right functions of unusual style, and mistakes put into them.

`right_losses`, `right_nets` and `right_ways` register the right ones, `mistakes` what goes wrong.
"""

from __future__ import annotations

import inspect
import linecache
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import cs231n_helpers


@dataclass(frozen=True)
class Case:
    """A call, and what its report must and must not say; `codes` are equivalent, empty: any.

    `verdict` may be "raises", where the answer is an error, or "wrong raises" where it may be.
    """

    name: str
    kind: str
    function: Any
    call: tuple[Any, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    ask: Callable[..., Any] | None = None  # how check_gradient is called, where it is unusual
    verdict: str = "correct"
    codes: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    def report(self) -> Any:
        """Check it, as its author does; an error is an answer, too."""
        ask = self.ask or cs231n_helpers.check_gradient
        try:
            with np.errstate(all="ignore"):
                return ask(self.function, *self.call, **self.settings)
        except Exception as error:
            return error

    def complaints(self, report: Any) -> list[str]:
        """What the report says otherwise than it should."""
        text = " ".join([str(report), *getattr(report, "__notes__", [])])
        text, verdict = " ".join(text.split()), getattr(report, "verdict", "raises")
        first = next((f.code for f in getattr(report, "findings", ())), "")
        found = [] if verdict in self.verdict.split() else [f"{verdict}, not {self.verdict}"]
        if self.codes and first not in self.codes:
            found.append(f"{first} first, not {' or '.join(self.codes)}")
        found += [f"no word of {w!r}" for w in self.says if not re.search(w, text, re.I)]
        return found + [f"speaks of {w!r}" for w in self.never if re.search(w, text, re.I)]


RIGHT: list[Case] = []
WRONG: list[Case] = []


def normal(*shape: int, seed: int = 0) -> Any:
    """Numbers that depend on nothing but the shape and the seed."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def drawn(**shapes: tuple[int, ...]) -> dict[str, Any]:
    """Parameters of these shapes."""
    return {k: normal(*s, seed=i) / 2 for i, (k, s) in enumerate(shapes.items())}


def right(kind: str, *call: Any, ask: Callable[..., Any] | None = None, **settings: Any) -> Any:
    """Register a right function and how it is called."""

    def keep(function: Any) -> Any:
        RIGHT.append(Case(function.__name__, kind, function, call, settings, ask))
        return function

    return keep


def wrong(
    kind: str,
    name: str,
    base: Any,
    *changes: tuple[str, str],
    codes: str = "",
    says: str | tuple[str, ...] = (),
    never: str | tuple[str, ...] = (),
    verdict: str = "wrong",
    **other: Any,
) -> None:
    """Register a right function with texts exchanged, or (`call`, `ask`) called otherwise."""
    case = next(c for c in RIGHT if c.function is base)
    source = textwrap.dedent(inspect.getsource(base))
    source = source[re.search(r"^(def|class) ", source, re.M).start() :]
    for old, new in changes:
        assert old in source, f"{name}: {old!r} is not in {case.name}"
        source = source.replace(old, new)
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = dict(inspect.getmodule(base).__dict__)
    exec(compile(source, file, "exec"), scope)
    expected = {"verdict": verdict, "codes": tuple(codes.split())}
    expected |= {
        k: (w,) if isinstance(w, str) else w for k, w in (("says", says), ("never", never))
    }
    call = {"call": case.call, "settings": case.settings, "ask": case.ask} | other
    WRONG.append(Case(name, kind, scope[base.__name__], **call, **expected))
