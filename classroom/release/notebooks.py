"""The notebooks as students get them, made from the finished ones by what their cells are tagged.

=================== ===============================================================================
tag                 what becomes of the cell
=================== ===============================================================================
gives-away          code that would give an exercise away: the cell shows what it shows when run
left-out            it goes: not even what it shows may stay
needs:<exercise>    the cell waits for an exercise further down or of another notebook: it shows
                    what it shows when run until the exercise is solved; one tag an exercise
=================== ===============================================================================

An exercise is opened as in a workbook (`cs231n_helpers.workbook`); folded answers go from the text,
the hints stay (cells tagged hints).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import ComputeChecksums, LockCells

from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.workbook import exercise_of, lesson
from cs231n_helpers.workbook.lessons import GIVES_AWAY, HINTS, LEFT_OUT, opened, tags_of

NEEDS = "needs:"
EFFORT = re.compile(r"(?m)^\*(Difficulty \d of 5 · .* minutes)\*$")


def needed(cell: NotebookNode) -> list[str]:
    """Return the exercises that a cell of a finished notebook waits for."""
    return [tag.removeprefix(NEEDS) for tag in tags_of(cell) if tag.startswith(NEEDS)]


@cache
def released(name: str) -> tuple[NotebookNode, dict[str, list[Any]]]:
    """Return a notebook as students get it, and what its waiting cells show when run."""
    notebook = lesson(name)
    cells = notebook.cells
    expected = {cell.id: [_what(o) for o in cell.outputs] for cell in cells if needed(cell)}
    handed_out = (_released(cells, place) for place in range(len(cells)))
    notebook.cells = [cell for cell in handed_out if cell.source]
    for step in (LockCells(), ComputeChecksums()):
        notebook, _ = step.preprocess(notebook, {})
    return notebook, expected


def student_notebook(name: str) -> NotebookNode:
    """Return the notebook of that name as students get it."""
    return deepcopy(released(name)[0])


def fill_in(notebook: NotebookNode, sources: Mapping[str, str]) -> NotebookNode:
    """Return a copy of a student's notebook with these sources in its exercises' cells."""
    filled = deepcopy(notebook)
    for cell in filled.cells:
        cell.source = sources.get(exercise_of(cell) or "", cell.source)
    return filled


def _released(cells: list[NotebookNode], place: int) -> NotebookNode:
    """Return a cell as students get it; one that goes has no source."""
    cell, needs = cells[place], needed(cells[place])
    tags = cell.metadata.pop("tags", [])
    kept = [tag for tag in tags if not tag.startswith(NEEDS)]
    if kept:
        cell.metadata["tags"] = kept
    if LEFT_OUT in tags:
        cell.source = ""
    elif cell.cell_type == "markdown":
        if HINTS not in tags:
            answers = r"<details>.*?</details>\s*"
            cell.source = re.sub(answers, "", cell.source, flags=re.DOTALL).strip()
        if exercise := exercise_of(cells[place + 1]) if place + 1 < len(cells) else None:
            points = EXERCISES[exercise].points
            cell.source = EFFORT.sub(rf"*\1 · {points} points*", cell.source)
    elif GIVES_AWAY in tags:
        return _shown(cell, _what_to_see(cells, place))
    else:
        cell.execution_count = None
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = None
        if "nbgrader" in cell.metadata:
            cell.source, cell.outputs = opened(cell.source), []
        if needs:
            cell.source = f"%%after {cell.id} {' '.join(needs)}\n{cell.source}"
    return cell


def _what(output: NotebookNode) -> dict[str, Any]:
    """Return what an output shows, as `solved.show_expected` takes it."""
    if "text" in output:
        return {"text": output.text}
    return {"data": output.data, "metadata": output.metadata}


def _shown(cell: NotebookNode, seen: str) -> NotebookNode:
    """Return a Markdown cell with what a code cell shows."""
    lines = ["*The code that stood here would give an exercise away. This is what it shows:*"]
    attachments = {}
    for k, output in enumerate(cell.outputs):
        data = output.get("data", {})
        if "image/png" in data:
            alt = output.metadata.get("image/png", {}).get("alt", seen)
            file = f"{cell.id}-{k}.png"
            lines.append(f"![{alt}](attachment:{file})")
            attachments[file] = {"image/png": data["image/png"]}
        elif "text/html" in data:
            lines.append(data["text/html"])
        else:
            lines.append(f"```text\n{output.get('text', data.get('text/plain', '')).rstrip()}\n```")
    shown = new_markdown_cell("\n\n".join(lines), id=cell.id)
    if attachments:
        shown.attachments = attachments
    return shown


def _what_to_see(cells: list[NotebookNode], place: int) -> str:
    """Return what the text around the figure of a cell says is to be seen in it."""
    around = (cells[place - 1], *cells[place + 1 : place + 2])
    for text in (cell.source for cell in around if cell.cell_type == "markdown"):
        if match := re.search(r"[Ww]hat to see\W+(.+?)(?:\n\n|$)", text, re.DOTALL):
            words = re.sub(r"\s+", " ", re.sub(r"[\[\]*$`]", "", match[1])).strip()
            return words[0].upper() + words[1:]
    return "the figure of this section"
