"""The cells of a notebook that was handed in are sorted into the student's and ours."""

from __future__ import annotations

import ast
import json
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from classroom.sandbox import Cell

from .exercises import FUNCTION, NOTEBOOK, POINTS
from .text import clean, parsed

MAX_CELLS = 1_000
MAX_SOURCE = 100_000  # characters of a cell
DEFINES = re.compile(r"^(?:async )?def (\w+)|^(\w+) *=(?!=)", re.MULTILINE)
KEPT = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.ClassDef)


@dataclass
class HandedIn:
    """A student's notebook: the cells to be run, in order, and what is known of them."""

    cells: list[Cell] = field(default_factory=list)
    written: dict[str, list[Cell]] = field(default_factory=dict)  # by exercise
    untouched: set[str] = field(default_factory=set)  # exercises as they were handed out
    defined: set[str] = field(default_factory=set)  # the names, by whatever cell of the student's
    notes: list[str] = field(default_factory=list)
    readable: bool = True


@dataclass(frozen=True)
class Released:
    """A notebook as it was handed out."""

    exercises: Mapping[str, str]  # cell id -> exercise
    sources: Mapping[str, str]  # cell id -> source of a code cell, stripped
    ids: frozenset[str]  # of all cells
    lessons: frozenset[str]  # of the code cells that are neither exercises nor checks


@lru_cache
def released_notebook(path: Path) -> Released:
    """Read a notebook of ours."""
    exercises, sources, lessons = {}, {}, set()
    cells = json.loads(path.read_bytes())["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            sources[cell["id"]] = "".join(cell["source"]).strip()
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in POINTS:
                exercises[cell["id"]] = grade_id
            elif grade_id is None:
                lessons.add(cell["id"])
    ids = frozenset(cell["id"] for cell in cells)
    return Released(exercises, sources, ids, frozenset(lessons))


def parse_notebook(name: str, content: bytes, released: Released) -> HandedIn:
    """Sort the cells of a hostile notebook into the student's and ours.

    An exercise cell is recognized by its nbgrader grade_id or cell id, or, where these are lost, by
    the function that it defines. Cells of ours are left out, an exercise cell nobody wrote into as
    well, and all others are the student's and will be run.
    """
    cells = None
    problem = (
        "has no cells as a notebook has them since 2015 (nbformat 4): save it in a current "
        "Jupyter and hand it in again."
    )
    try:
        notebook = json.loads(content)
        cells = notebook.get("cells") if isinstance(notebook, dict) else None
    except RecursionError:
        problem = "is nested too deeply to be a notebook."
    except ValueError:
        problem = "is no notebook: it is not valid JSON. Save it in Jupyter and hand it in again."
    if not isinstance(cells, list):
        return HandedIn(notes=[f"{name}.ipynb {problem}"], readable=False)
    handed_in = HandedIn()
    if (version := _version(notebook)) > sys.version_info[:2]:
        handed_in.notes.append(
            f"{name}.ipynb was written with Python {version[0]}.{version[1]}, and is graded with "
            f"Python {platform.python_version()}, which may not know all of its syntax."
        )
    if len(cells) > MAX_CELLS:
        handed_in.notes.append(
            f"{name}.ipynb has {len(cells)} cells; only the first {MAX_CELLS} were looked at."
        )

    of_notebook = [exercise for exercise in POINTS if NOTEBOOK[exercise] == name]
    templates = {released.sources[id_]: e for id_, e in released.exercises.items()}
    ours = set(released.sources.values())
    changed, malformed = 0, 0
    for number, cell in enumerate(cells[:MAX_CELLS], start=1):
        if isinstance(cell, dict) and cell.get("cell_type") != "code":
            continue
        source = _source(cell)
        if source is None or len(source) > MAX_SOURCE:
            malformed += 1
            continue
        stripped = source.strip()
        exercise, is_ours = _whose(cell, released, of_notebook)
        if stripped in templates:
            handed_in.untouched |= {templates[stripped]}
        elif is_ours:
            if stripped in ours:
                continue
            changed += 1
            id_ = cell.get("id") if isinstance(cell.get("id"), str) else ""
            if id_ in released.lessons and (added := _added(source, released.sources[id_])):
                handed_in.cells.append(Cell(f"{name}, cell {number}", added))
        elif stripped and stripped not in ours:
            defined = _defined(source)
            handed_in.defined |= defined
            exercises = {exercise} if exercise else set()
            exercises |= {e for e in of_notebook if FUNCTION[e] in defined}
            made = Cell(f"{name}, cell {number}", source)
            handed_in.cells.append(made)
            for exercise in sorted(exercises):
                handed_in.written.setdefault(exercise, []).append(made)
    for count, sentence in [
        (malformed, "could not be read and were left out"),
        (changed, "of ours were changed; of these only imports, constants and functions that you "
         "added were run: what your functions need belongs into their own cells"),
    ]:  # fmt: skip
        if count:
            handed_in.notes.append(f"{name}.ipynb: {count} cell(s) {sentence}.")
    return handed_in


def _version(notebook: dict[str, Any]) -> tuple[int, int]:
    """Return the version of Python in a notebook's metadata, (0, 0) where it has none."""
    try:
        text = notebook["metadata"]["language_info"]["version"]
        return int(text.split(".")[0][:3]), int(text.split(".")[1][:3])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return 0, 0


def _source(cell: Any) -> str | None:
    source = cell.get("source") if isinstance(cell, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # as Python reads lines; a form feed is nothing to it
    return clean(source.replace("\r\n", "\n").replace("\r", "\n").replace("\f", ""))


def _whose(
    cell: Mapping[str, Any], released: Released, of_notebook: Sequence[str]
) -> tuple[str | None, bool]:
    """Return the exercise that a cell belongs to, and whether it is a cell of ours."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    if isinstance(grade_id, str):
        if grade_id in of_notebook:
            return grade_id, False
        if grade_id.removesuffix("_check") in of_notebook or grade_id in released.sources:
            return None, True  # whatever is in it
    cell_id = cell.get("id")
    if not isinstance(cell_id, str) or cell_id not in released.sources:
        return None, False
    exercise = released.exercises.get(cell_id)
    return exercise, exercise is None


def _defined(source: str) -> set[str]:
    """Return the names that a cell defines; one that only Jupyter can parse is read by line."""
    if not (statements := parsed(source).body):
        return {name for pair in DEFINES.findall(source) for name in pair if name}
    names: set[str] = set()
    for statement in statements:
        match statement:
            case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _added(source: str, ours: str) -> str:
    """Return the imports, constants and functions that a cell of ours has and had not."""
    with suppress(RecursionError):  # nested too deeply to be written
        before = {ast.dump(statement) for statement in parsed(ours).body}
        new = [it for it in parsed(source).body if ast.dump(it) not in before]
        return "\n".join(ast.unparse(it) for it in new if isinstance(it, KEPT))
    return ""
