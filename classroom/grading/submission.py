"""One submission: hostile files are read, its cells sorted, its functions run contained and graded.

`read_folder` is the only place that touches the files of a student, `grade_submission` a pure
function of what it returned, so that it can run in any process on any machine.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import stat
import time
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import numpy as np

from classroom.sandbox import Cell, Limits, Sandbox, Seed, Stopped

from .rubrics import FUNCTION, NOTEBOOK, POINTS, Part, grade_exercise

NOTEBOOKS = tuple(dict.fromkeys(NOTEBOOK.values()))

MAX_NOTEBOOK_BYTES = 16 * 2**20
MAX_ENTRIES = 2_000  # files and folders that are looked at in a submission
MAX_CELLS = 1_000
MAX_SOURCE = 100_000  # characters of a cell
MAX_OUTPUT = 2_000  # characters that are kept of what a notebook printed
_TIMESTAMP = re.compile(  # 2030-01-31 23:59:00.0 Europe/Paris, or with UTC, Z, +01:00 or nothing
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r" ?(Z|[+-]\d\d:?\d\d|[A-Z][\w+/-]{1,40})?",
    re.ASCII,
)


class PartResult(TypedDict):
    """One part of an exercise, as `classroom.hidden.Part` has it."""

    name: str
    share: float
    passed: bool
    sentence: str
    codes: list[str]


class ExerciseResult(TypedDict):
    """What a student gets for an exercise, and why."""

    points: float
    parts: list[PartResult]
    notes: list[str]
    source: str


class Result(TypedDict):
    """What `grade_submission` returns: only text and numbers, ready for JSON."""

    exercises: dict[str, ExerciseResult]
    notes: list[str]
    output: str
    contained: str


@dataclass(frozen=True)
class Files:
    """What a student handed in.

    Attributes
    ----------
    notebooks : mapping
        Name -> bytes.
    timestamp : datetime or None
        UTC without a zone, as nbgrader keeps it.
    notes : tuple of str
        What was wrong with the rest.
    """

    notebooks: Mapping[str, bytes]
    timestamp: datetime | None
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Hash of all that the points depend on."""
        digest = hashlib.sha256("\0".join(self.notes).encode())
        for name, content in sorted(self.notebooks.items()):
            digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()


def read_folder(folder: Path, assignment: str) -> Files:
    """Read the notebooks of a student, without following a link or trusting a size.

    Parameters
    ----------
    folder : Path
        It holds the notebooks, or they are in a subfolder, at most two levels down. Of several
        with one name, the one in a folder named `assignment` counts, else the uppermost.
    assignment : str

    Returns
    -------
    Files
        What cannot be read is missing there and has a sentence in `notes`.
    """
    notes: list[str] = []
    found: dict[str, list[Path]] = {}
    for path in _walk(folder, notes):
        found.setdefault(path.name, []).append(path)

    notebooks: dict[str, bytes] = {}
    places: list[Path] = []
    for name in NOTEBOOKS:
        paths = sorted(
            found.get(f"{name}.ipynb", []),
            key=lambda path: (path.parent.name != assignment, len(path.parts), path),
        )
        if not paths:
            continue
        where = clean(str(paths[0].relative_to(folder)))
        if len(paths) > 1:
            notes.append(f"{name}.ipynb was handed in {len(paths)} times: {where} counts.")
        places.append(paths[0].parent)
        try:
            notebooks[name] = _read(paths[0], MAX_NOTEBOOK_BYTES)
        except (OSError, ValueError) as error:
            notes.append(f"{where} cannot be read: {_reason(error)}.")
    if not notebooks and not places:
        notes.append(
            "None of the notebooks was found: they are called "
            + ", ".join(f"{name}.ipynb" for name in NOTEBOOKS)
            + " and lie in the folder that is handed in."
        )
    missing = [f"{name}.ipynb" for name in NOTEBOOKS if f"{name}.ipynb" not in found]
    if 0 < len(missing) < len(NOTEBOOKS):
        notes.append(f"Not handed in: {', '.join(missing)}.")
    others = sorted(
        clean(name)[:80]
        for name in found
        if name.endswith(".ipynb") and name.removesuffix(".ipynb") not in NOTEBOOKS
    )
    if missing and others:
        notes.append(
            f"Not looked at, for their names: {', '.join(others[:5])}. If one of them is a missing "
            "notebook, give it the name under which it was handed out."
        )
    timestamp = None
    for path in (*places, folder):
        if path / "timestamp.txt" in found.get("timestamp.txt", []):
            timestamp, note = _timestamp(path / "timestamp.txt")
            notes += [note] if note else []
            break
    return Files(notebooks, timestamp, tuple(notes))


def _walk(folder: Path, notes: list[str]) -> Iterator[Path]:
    """Yield files at most two levels down, the uppermost first; links are not followed."""
    level, seen = [folder], 0
    for _ in range(3):
        below: list[Path] = []
        for directory in level:
            where = "The folder of this submission"
            if directory != folder:
                where = clean(f"The folder {directory.relative_to(folder)}")
            if directory.is_symlink():
                notes.append(f"{where} is a link to somewhere else, which is not followed.")
                continue
            try:
                with os.scandir(directory) as scanned:
                    some = islice(scanned, MAX_ENTRIES + 1)
                    entries = sorted(some, key=lambda entry: entry.name)
            except OSError as error:
                notes.append(f"{where} cannot be read: {_reason(error)}.")
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    notes.append(
                        f"This submission holds more than {MAX_ENTRIES} files and folders; only "
                        "that many were looked at. Hand in the four notebooks and nothing else."
                    )
                    return
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        below.append(Path(entry.path))
                else:
                    yield Path(entry.path)
        level = sorted(below)


def _read(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; OSError or ValueError says why not."""
    if path.is_symlink():
        raise ValueError("it is a link to another file; hand in the file itself")
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # a pipe would be waited for
        flags |= getattr(os, name, 0)
    with open(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit // 2**20 or 1} MB; clear its outputs")
    return content


def _timestamp(path: Path) -> tuple[datetime | None, str]:
    """Read the time of submission that nbgrader writes; the second value says what was wrong."""
    try:
        text = _read(path, 200).decode("ascii").strip()
        match = _TIMESTAMP.fullmatch(text)
        if match is None:
            raise ValueError("it holds no time")
        time, zone = match[1], match[2] or "UTC"
        if zone == "Z" or zone[0] in "+-":
            parsed = datetime.fromisoformat(time + zone)
        else:
            parsed = datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone))
        return parsed.astimezone(UTC).replace(tzinfo=None), ""
    except (OSError, ValueError, KeyError, OverflowError) as error:
        return None, (
            "timestamp.txt is not what nbgrader writes, so this submission counts as in time: "
            f"{_reason(error)}."
        )


def _reason(error: Exception) -> str:
    return clean(getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]


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


# From a notebook to cells


@dataclass
class HandedIn:
    """A student's notebook: the cells to be run, in order, and what is known of them."""

    cells: list[Cell] = field(default_factory=list)
    written: dict[str, list[Cell]] = field(default_factory=dict)  # by exercise
    untouched: set[str] = field(default_factory=set)  # exercises as they were handed out
    notes: list[str] = field(default_factory=list)
    readable: bool = True


@dataclass(frozen=True)
class Released:
    """A notebook as it was handed out."""

    exercises: Mapping[str, str]  # cell id -> exercise
    sources: Mapping[str, str]  # cell id -> source of a code cell, stripped


@lru_cache
def released_notebook(path: Path) -> Released:
    """Read a notebook of ours."""
    exercises, sources = {}, {}
    for cell in json.loads(path.read_bytes())["cells"]:
        if cell["cell_type"] == "code":
            sources[cell["id"]] = "".join(cell["source"]).strip()
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in POINTS:
                exercises[cell["id"]] = grade_id
    return Released(exercises, sources)


def parse_notebook(name: str, content: bytes, released: Released) -> HandedIn:
    """Sort the cells of a hostile notebook into the student's and ours.

    An exercise cell is recognised by its nbgrader grade_id or cell id, or, where these are lost, by
    the function that it defines. Cells of ours are left out, an exercise cell nobody wrote into as
    well, and all others are the student's and will be run.
    """
    try:
        notebook = json.loads(content)
    except RecursionError:
        return _unreadable(f"{name}.ipynb is nested too deeply to be a notebook.")
    except ValueError:
        return _unreadable(
            f"{name}.ipynb is no notebook: it is not valid JSON. Save it in Jupyter and hand it in "
            "again."
        )
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        return _unreadable(
            f"{name}.ipynb has no cells as a notebook has them since 2015 (nbformat 4): save it in "
            "a current Jupyter and hand it in again."
        )
    handed_in = HandedIn()
    if len(cells) > MAX_CELLS:
        handed_in.notes.append(
            f"{name}.ipynb has {len(cells)} cells; only the first {MAX_CELLS} were looked at."
        )

    of_notebook = [exercise for exercise in POINTS if NOTEBOOK[exercise] == name]
    templates = {released.sources[id_]: e for id_, e in released.exercises.items()}
    ours = set(released.sources.values())
    changed, malformed = 0, 0
    for number, cell in enumerate(cells[:MAX_CELLS], start=1):
        if not isinstance(cell, dict):
            malformed += 1
            continue
        if cell.get("cell_type") != "code":
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
            changed += stripped not in ours
        elif stripped and stripped not in ours:
            defined = _defined(source)
            exercises = {exercise} if exercise else set()
            exercises |= {e for e in of_notebook if FUNCTION[e] in defined}
            made = Cell(f"{name}, cell {number}", source)
            handed_in.cells.append(made)
            for exercise in sorted(exercises):
                handed_in.written.setdefault(exercise, []).append(made)
    for count, sentence in [
        (malformed, "could not be read and were left out"),
        (changed, "of ours were changed; they are not run: what your functions need belongs into "
         "their own cells, or into cells that you add"),
    ]:  # fmt: skip
        if count:
            handed_in.notes.append(f"{name}.ipynb: {count} cell(s) {sentence}.")
    return handed_in


def _unreadable(note: str) -> HandedIn:
    return HandedIn(notes=[note], readable=False)


def _source(cell: Mapping[str, Any]) -> str | None:
    source = cell.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return clean(source) if isinstance(source, str) else None


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
    """Return the names that a cell defines, commands that only Jupyter knows aside."""
    tree = _parse(source) or _parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))
    names: set[str] = set()
    for statement in tree.body if tree else []:
        match statement:
            case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _parse(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes and the like
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# From cells to points


def grade_submission(
    files: Files, *, released: Path, seed: int, limits: Limits, contained: bool = True
) -> Result:
    """Grade what a student handed in.

    Parameters
    ----------
    files : Files
    released : Path
        The folder that the students were given: notebooks and the package without solutions.
    seed : int
        Of the hidden tests.
    limits : Limits
        Of each of its worker processes; `wall` holds for all exercises together.
    contained : bool
        In bubblewrap; else with limits only.

    Returns
    -------
    Result
        The same for the same arguments, unless time runs out.
    """
    result = Result(exercises={}, notes=list(files.notes), output="", contained="")
    end = time.monotonic() + limits.wall
    for name in NOTEBOOKS:
        of_notebook = [exercise for exercise in POINTS if NOTEBOOK[exercise] == name]
        if name not in files.notebooks:
            for exercise in of_notebook:
                result["exercises"][exercise] = _no_points(f"{name}.ipynb was not handed in.")
            continue
        handed_in = parse_notebook(
            name, files.notebooks[name], released_notebook(released / f"{name}.ipynb")
        )
        result["notes"] += handed_in.notes
        for exercise in of_notebook:
            result["exercises"][exercise] = _before_grading(exercise, handed_in)
        _run_notebook(
            name,
            handed_in,
            result,
            package=released / "cs231n_helpers",
            seed=seed,
            limits=limits,
            contained=contained,
            end=end,
        )
    return result


def _no_points(note: str) -> ExerciseResult:
    return ExerciseResult(points=0.0, parts=[], notes=[note], source="")


def _before_grading(exercise: str, handed_in: HandedIn) -> ExerciseResult:
    """Say what there is to grade."""
    function = FUNCTION[exercise]
    if not handed_in.readable:
        return _no_points(f"{NOTEBOOK[exercise]}.ipynb could not be read.")
    written = handed_in.written.get(exercise)
    if not written:
        if exercise in handed_in.untouched:
            return _no_points("Not begun: the cell is as it was handed out.")
        return _no_points(f"No cell defines {function}: write it in the cell of this exercise.")
    found = ExerciseResult(points=0.0, parts=[], notes=[], source=written[-1].source.strip())
    if len(written) > 1:
        found["notes"].append(
            f"{len(written)} cells belong to this exercise; what the last one of them defines as "
            f"{function} counts."
        )
    return found


def _run_notebook(
    name: str,
    handed_in: HandedIn,
    result: Result,
    *,
    package: Path,
    seed: int,
    limits: Limits,
    contained: bool,
    end: float,
) -> None:
    """Run the cells of a notebook contained, and grade its exercises one after the other.

    An exercise that stops the process loses its points, and another process goes on with the next
    one. A cell that does is left out from then on.
    """
    exercises = deque(exercise for exercise in POINTS if exercise in handed_in.written)
    cells = list(handed_in.cells)
    errors: dict[str, str] = {}
    output = ""
    while exercises:
        begun = None
        left = end - time.monotonic()
        if left <= 0:
            for exercise in exercises:
                result["exercises"][exercise]["notes"].append(
                    "The time for all exercises together was used up before this one."
                )
            break
        box = Sandbox(package, cells, replace(limits, wall=left), contained=contained)
        try:
            with box:
                result["contained"] = box.containment
                while exercises:
                    begun = exercises[0]
                    number = list(POINTS).index(begun)
                    parts = grade_exercise(
                        begun,
                        box.function(FUNCTION[begun]),
                        np.random.default_rng([seed, number]),  # whatever went before
                        make_rng=Seed,
                    )
                    _enter(result["exercises"][exercises.popleft()], begun, parts)
        except Stopped as stop:
            why = clean(str(stop))
            if time.monotonic() >= end:
                why = "Stopped here: the time for all exercises together was used up."
            if begun is not None:
                result["exercises"][exercises.popleft()]["notes"].append(why)
            else:
                cells = [cell for cell in cells if cell.id != stop.cell]
                errors[str(stop.cell)] = f"{why} The cell was left out."
                for exercise in list(exercises):
                    if all(cell.id == stop.cell for cell in handed_in.written[exercise]):
                        exercises.remove(exercise)
        errors = box.errors | errors
        output = output or clean(box.output)[:MAX_OUTPUT]
    for cell in handed_in.cells:
        if cell.id in errors:
            _note(f"{cell.id}: {clean(errors[cell.id])}", cell.id, handed_in, result)
    if output:
        result["output"] += f"{name}:\n{output}\n"


def _note(note: str, cell_id: str, handed_in: HandedIn, result: Result) -> None:
    """Add a note about a cell to its exercises, else to the submission."""
    found = False
    for exercise, written in handed_in.written.items():
        if any(cell.id == cell_id for cell in written):
            result["exercises"][exercise]["notes"].append(note)
            found = True
    if not found:
        result["notes"].append(note)


def _enter(found: ExerciseResult, exercise: str, parts: Sequence[Part]) -> None:
    found["parts"] = [
        PartResult(
            name=part.name,
            share=part.share,
            passed=part.passed,
            sentence=clean(part.sentence),
            codes=list(part.codes),
        )
        for part in parts
    ]
    share = sum(part.share for part in parts if part.passed)
    found["points"] = round(POINTS[exercise] * share, 2)
