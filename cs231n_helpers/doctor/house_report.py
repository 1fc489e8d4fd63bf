"""What a house call found, as text and as a page."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from .house_checks import UNKNOWN, Answer

COLORS = {"right": "#0072b2", "wrong": "#c04a00"}
STEPS = {"wrong": "mend", "not written yet": "write", "not covered": "look at"}
INDENT = " " * 19


@dataclass(frozen=True)
class Line:
    """What was found of one function."""

    file: str
    name: str
    line: int | None
    answer: Answer

    @property
    def place(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


def _title(year: str) -> str:
    return f"Assignment 1, as it was in {year}" if year else "Assignment 1"


def _counts(lines: Sequence[Line]) -> str:
    statuses = [line.answer.status for line in lines]
    return ", ".join(f"{statuses.count(status)} {status}" for status in ("right", *STEPS)) + "."


def _next(lines: Sequence[Line]) -> str:
    for status, step in STEPS.items():
        for line in lines:
            if line.answer.status == status and line.answer != UNKNOWN:
                return f"Next: {step} {line.name} in {line.place}."
    return "Next: the notebooks. What you write there is not covered here."


def _grouped(lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    """Lines that say the same of functions that follow each other, with their names."""
    for _, group in groupby(
        lines, lambda line: (line.file, line.answer.message or line, line.answer)
    ):
        same = list(group)
        yield ", ".join(line.name for line in same), same


def as_text(lines: Sequence[Line], year: str) -> str:
    said, file = [_title(year)], ""
    for names, (line, *_) in _grouped(lines):
        said += ["", line.file] if line.file != file else []
        file, answer = line.file, line.answer
        place = f"  {Path(line.place).name}" if answer.status != "right" else ""
        said += _wrapped(f"{answer.status:<16} {names}{place}", "  ")
        said += _wrapped(answer.message + (answer.code and f" [{answer.code}]"))
        said += _wrapped(answer.note and f"Note: {answer.note}")
    return "\n".join([*said, "", _counts(lines), _next(lines)])


def _wrapped(text: str, start: str = INDENT) -> list[str]:
    return textwrap.wrap(
        text, 96, initial_indent=start, subsequent_indent=INDENT, break_on_hyphens=False
    )


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52em; margin: auto; padding: 1em;
  overflow-wrap: anywhere }}
body, p, pre {{ color: #222 }}
div {{ border-left: 4px solid; padding-left: .8em; margin: .8em 0 }}
h2 {{ font-size: 1.1em; margin-top: 2em }}
p {{ margin: .2em 0 }}
pre {{ overflow-x: auto; font-size: .8em }}
</style>
<h1>{title}</h1><p><b>{counts}</b></p><p>{next}</p>
{rows}
</html>
"""


def as_html(lines: Sequence[Line], year: str) -> str:
    parts = {"title": _title(year), "counts": _counts(lines), "next": _next(lines)}
    escaped = {name: html.escape(text) for name, text in parts.items()}
    return PAGE.format(**escaped, rows="\n".join(_rows(lines)))


def _rows(lines: Sequence[Line]) -> Iterator[str]:
    file = ""
    for names, (line, *_) in _grouped(lines):
        if line.file != file:
            yield f"<h2>{html.escape(line.file)}</h2>"
        file, answer = line.file, line.answer
        color = COLORS.get(answer.status, "#666666")
        yield f"<div style='border-color:{color}'><b style='color:{color}'>{answer.status}</b> "
        yield html.escape(names)
        if answer.message:
            code = answer.code and f" <code>{html.escape(answer.code)}</code>"
            yield f"<code>{html.escape(Path(line.place).name)}</code>"
            yield f"<p>{html.escape(answer.message)}{code}</p>"
        if answer.note:
            yield f"<p>Note: {html.escape(answer.note)}</p>"
        if answer.details:
            yield "<details><summary>Why?</summary>"
            yield f"<pre>{html.escape(answer.details)}</pre></details>"
        yield "</div>"
