"""The folder of a workbook: nothing in it is ever overwritten.

Each copy notes in its metadata which version of the lesson it was made from, cell by cell; so a
later run can say what has changed in the lessons since.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ..leftovers import replacing
from ..validation import shown
from .edition import RECORD, fingerprints, open_lesson
from .lessons import lesson, lesson_names, lessons_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

MAP = "README.md"  # beside the lessons; they link to it


def update(folder: Path) -> Iterator[str]:
    """Copy the lessons that are missing in a folder; yield what there is to say, a line each."""
    _make(folder)
    new, old = [], []
    for name in lesson_names():
        path = folder / f"{name}.ipynb"
        if not _is_there(path):
            _write(open_lesson(name), path)
            new.append(path.name)
        elif said := compared(name, folder):
            old.append(name)
            yield said
    if old:
        yield f"A fresh copy beside yours: {command(old[0], folder)}"
    if not _is_there(folder / MAP) and (lessons_folder() / MAP).is_file():
        with replacing(folder / MAP) as unfinished:
            shutil.copyfile(lessons_folder() / MAP, unfinished)
    kept = len(lesson_names()) - len(new)
    if not kept:
        yield f"{folder}: your copy of {len(new)} lessons, with open exercises"
    elif new:
        yield f"{folder}: {', '.join(new)} put beside what you have"
    else:
        yield f"{folder}: your copy, as you left it"


def fresh(folder: Path, wanted: str) -> Path:
    """Put a fresh copy of a lesson beside those that are there; return where."""
    name = named(wanted)
    _make(folder)
    stems = (name if k == 1 else f"{name}-{k}" for k in count(1))
    path = next(path for stem in stems if not _is_there(path := folder / f"{stem}.ipynb"))
    _write(open_lesson(name), path)
    return path


def named(wanted: str) -> str:
    """Return the name of a lesson, which may be given as a number or a file, too.

    >>> named("02"), named("02_softmax.ipynb")
    ('02_softmax', '02_softmax')
    """
    stem = wanted.removesuffix(".ipynb")
    found = [name for name in lesson_names() if stem in (name, name[:2])]
    if not found:
        raise ValueError(
            f"there is no lesson {shown(wanted)}: the choices are {', '.join(lesson_names())}"
        )
    return found[0]


def compared(name: str, folder: Path) -> str:
    """Say what has changed in a lesson since it was copied; nothing if a copy is up to date."""
    first = folder / f"{name}.ipynb"
    later = sorted(folder.glob(f"{name}-*.ipynb"), key=lambda path: (len(path.name), path))
    records = {path: record(path, name) for path in (first, *later)}
    now = fingerprints(lesson(name))
    if now in records.values():
        return ""
    path, was = next(((path, it) for path, it in reversed(records.items()) if it), (first, None))
    if was is None:
        return (
            f"{path.name} stays as it is, but it cannot be read as a copy of the lesson: it is "
            "damaged or from elsewhere"
        )
    return f"{path.name}: the lesson has changed since, {changes(was, lesson(name))}"


def command(name: str, folder: Path) -> str:
    """Return what to type for a fresh copy."""
    if folder == Path("workbook") and (lessons_folder().parent / "Makefile").is_file():
        return f"make workbook FRESH={name}"
    return f"python -m cs231n_helpers.workbook --fresh {name} {folder}"


def record(path: Path, name: str) -> dict[str, str] | None:
    """Return what a copy notes of its lesson; None if it cannot be read or is none."""
    try:
        noted = json.loads(path.read_bytes())["metadata"][RECORD]
        if noted["lesson"] == name:
            return {str(cell): str(text) for cell, text in noted["cells"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        pass
    return None


def changes(was: Mapping[str, str], now: NotebookNode) -> str:
    """Say which sections of a lesson have changed, are new or have gone."""
    section, touched, cells = "the beginning", list[str](), fingerprints(now)
    for cell in now.cells:
        if cell.cell_type == "markdown":
            headings = [line for line in cell.source.splitlines() if line.startswith("#")]
            section = headings[0].lstrip("# ") if headings else section
        if was.get(cell.id) != cells[cell.id] and section not in touched:
            touched.append(section)
    gone = len(was.keys() - cells.keys())
    named = " and ".join(f'"{section}"' for section in touched)
    said = [f"in {named if len(touched) < 3 else f'{len(touched)} sections'}"] if touched else []
    if gone:
        said.append(f"{gone} cell{'s have' if gone > 1 else ' has'} gone")
    return ", and ".join(said)


def _make(folder: Path) -> None:
    if _is_there(folder) and not folder.is_dir():
        raise ValueError(f"{folder} is a file, no folder: move it away, or name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    if folder.resolve() == lessons_folder().resolve():
        raise ValueError(f"{folder} is the worked edition: name another folder")


def _is_there(path: Path) -> bool:
    """Return whether anything is there, be it a link that leads nowhere."""
    return path.exists() or path.is_symlink()


def _write(notebook: NotebookNode, path: Path) -> None:
    import nbformat

    with replacing(path) as unfinished:
        nbformat.write(notebook, unfinished)
