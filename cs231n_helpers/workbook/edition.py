"""A lesson as it stands in a workbook.

- Exercises are open; the last of the folded hints below each check is the solution.
- What would give an exercise away is folded: the code of cells tagged gives-away, all of those
  tagged left-out (`lessons` names the tags).
- The outputs are those of the lesson, except where the reader is to find out: of exercises, of
  their checks, and of a cell below a question that begins with **Predict**.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .lessons import (
    GIVES_AWAY,
    HINTS,
    LEFT_OUT,
    checked_by,
    exercise_of,
    lesson,
    opened,
    solved,
    tags_of,
)

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: The key of what a notebook's metadata say of the lesson that it is a copy of.
RECORD = "cs231n_helpers"
NOTE = (
    "**This copy is yours.** An exercise is open until you write your code in the place of "
    "`raise NotImplementedError`; the check below it says what is right and what is not. Below the "
    "check wait hints and the solution: click on one to open it. Later cells use the package, so "
    "you can leave an exercise open and go on. Code that would give an exercise away is folded. "
    "Outputs that you have not made yourself are those of the worked edition."
)


def open_lesson(name: str) -> NotebookNode:
    """Return the lesson of that name, say "01_svm", as it stands in a workbook."""
    notebook = lesson(name)
    notebook.metadata[RECORD] = {"lesson": name, "cells": fingerprints(notebook)}
    finished = {it: cell.source for cell in notebook.cells if (it := exercise_of(cell))}
    cells: list[NotebookNode] = []
    waiting = ""  # the exercise whose solution is still to be put in
    for cell in notebook.cells:
        if waiting and HINTS not in tags_of(cell):  # no hints have been written
            cells.append(_markdown(solution(finished[waiting]), f"{waiting}-solution"))
        elif waiting:
            cell.source = f"{cell.source.rstrip()}\n\n{solution(finished[waiting])}"
        waiting = ""
        if cell.cell_type == "code":
            _prepare(cell, cells[-1].source if cells else "")
            waiting = checked_by(cell) or ""
        elif LEFT_OUT in tags_of(cell):
            cell.source = folded("When you have solved it", cell.source)
        cells.append(cell)
    if waiting:
        cells.append(_markdown(solution(finished[waiting]), f"{waiting}-solution"))
    if finished:
        cells.insert(1, _markdown(NOTE, "workbook-note"))
    notebook.cells = cells
    return notebook


def fingerprints(notebook: NotebookNode) -> dict[str, str]:
    """Return a short hash of the source of each cell of a lesson, by the cell's id."""
    return {
        cell.id: hashlib.sha256(cell.source.encode()).hexdigest()[:12] for cell in notebook.cells
    }


def _prepare(cell: NotebookNode, above: str) -> None:
    """Open an exercise, fold what would give one away, take out what the reader is to find."""
    cell.execution_count = None
    for output in cell.outputs:
        if "execution_count" in output:
            output.execution_count = None
    if exercise_of(cell):
        cell.source = opened(cell.source)
    if "nbgrader" in cell.metadata or "**Predict" in above:
        cell.outputs = []
    tags = tags_of(cell)
    if GIVES_AWAY in tags or LEFT_OUT in tags:
        cell.metadata["jupyter"] = {"source_hidden": True, "outputs_hidden": LEFT_OUT in tags}


def solution(source: str) -> str:
    """Return the last of the folded hints: the solution."""
    return folded("Solution", f"```python\n{solved(source)}\n```")


def folded(summary: str, text: str) -> str:
    """Return Markdown that a click on the summary opens."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def _markdown(text: str, cell_id: str) -> NotebookNode:
    from nbformat.v4 import new_markdown_cell

    return new_markdown_cell(text, id=cell_id.replace("_", "-"))
