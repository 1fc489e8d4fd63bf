"""One submission: its functions are run in a sandbox and judged by the hidden tests."""

from __future__ import annotations

import difflib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

import cs231n_helpers
from classroom.sandbox import Limits, Sandbox, Seed, Stopped

from .cells import HandedIn, parse_notebook, released_notebook
from .collect import Student, Submission, digest_of, read_submission
from .exercises import FUNCTION, NOTEBOOK, NOTEBOOKS, POINTS
from .flags import flags, pieces, references
from .rubrics import grade_exercise
from .text import clean

PACKAGE = frozenset(cs231n_helpers.__all__)
MAX_OUTPUT = 2_000  # characters that are kept of what a notebook printed


class PartResult(TypedDict):
    """One part of an exercise, as `rubrics.Part` has it."""

    name: str
    share: float
    passed: bool
    sentence: str
    codes: list[str]


class ExerciseResult(TypedDict):
    """What a student gets for an exercise, and why."""

    points: float | None  # None where it could not be judged
    parts: list[PartResult]
    notes: list[str]
    source: str
    flags: list[str]  # for the teacher alone
    pieces: list[int]  # of the source, to be compared with others


class Result(TypedDict):
    """What `grade_submission` returns: only text and numbers, ready for JSON."""

    exercises: dict[str, ExerciseResult]
    notes: list[str]
    left_out: list[str]  # of these, what is said of files: which count, which do not, and why
    regrade: str  # what the student asks to have looked at again
    output: str
    contained: str


Watch = Callable[[str, Any], Any]


def grade_student(student: Student, *, assignment: str, released: Path, **settings: Any) -> Result:
    """Read and grade what a student handed in, by `grade_submission`."""
    ids = {name: released_notebook(released / f"{name}.ipynb").ids for name in NOTEBOOKS}
    if digest_of(student.files) != student.digest:
        raise RuntimeError(f"{student.name}: changed while the class was graded; grade again")
    submission = read_submission(student, assignment, ids)
    return grade_submission(submission, released=released, **settings)


def grade_submission(
    files: Submission,
    *,
    released: Path,
    seed: int,
    limits: Limits,
    contained: bool = True,
    exercises: Sequence[str] = tuple(POINTS),
    watch: Watch = lambda _, function: function,
    copies: Path | None = None,
) -> Result:
    """Grade what a student handed in; the same for the same arguments, unless time runs out.

    Parameters
    ----------
    files : Submission
    released : Path
        The folder that the students were given: notebooks and the package without solutions.
    seed : int
        Of the hidden tests.
    limits : Limits
        Of each of its worker processes; `wall` holds for all exercises together.
    contained : bool
        In bubblewrap; else with limits only.
    exercises : sequence of str
        Those to be graded.
    watch : callable
        ``watch(exercise, function)`` returns what is called in the function's place.
    copies : Path, optional
        As for `Sandbox`: where the released package is copied to already.
    """
    start = partial(Sandbox, released / "cs231n_helpers", contained=contained, copies=copies)
    grading = _Grading(start, seed, limits, watch)
    grading.result["notes"] += files.notes
    grading.result["left_out"] += files.notes
    grading.result["regrade"] = files.regrade
    found = grading.result["exercises"]
    for name in NOTEBOOKS:
        of_notebook = [exercise for exercise in exercises if NOTEBOOK[exercise] == name]
        if not of_notebook:
            continue
        if name not in files.notebooks:
            read = name not in files.unreadable
            note = f"{name}.ipynb {'was not handed in' if read else 'could not be read'}."
            points = 0.0 if read and files.notebooks else None  # perhaps it has another form
            found |= {exercise: _no_points(note, points) for exercise in of_notebook}
            continue
        ours = released_notebook(released / f"{name}.ipynb")
        handed_in = parse_notebook(name, files.notebooks[name], ours)
        if handed_in.readable:
            grading.result["notes"] += handed_in.notes
        else:  # why there is no grade comes first, as of many notes only the first are shown
            for said in (grading.result["notes"], grading.result["left_out"]):
                said[:0] = handed_in.notes
        given = references(released.parent / "reference.zip")
        for exercise in of_notebook:
            found[exercise] = _before_grading(exercise, handed_in, given.get(exercise, ""))
        grading.run(name, handed_in)
    return grading.result


def _no_points(note: str, points: float | None = 0.0) -> ExerciseResult:
    return ExerciseResult(points=points, parts=[], notes=[note], source="", flags=[], pieces=[])


def _before_grading(exercise: str, handed_in: HandedIn, reference: str) -> ExerciseResult:
    """Say what there is to grade, and what of it is to be flagged."""
    function = FUNCTION[exercise]
    if not handed_in.readable:
        return _no_points(f"{NOTEBOOK[exercise]}.ipynb could not be read.", points=None)
    written = handed_in.written.get(exercise)
    if not written:
        if exercise in handed_in.untouched:
            return _no_points("Not begun: the cell is as it was handed out.")
        return _no_points(
            f"No cell defines {function}: write it in the cell of this exercise."
            + _misspelled(function, handed_in)
        )
    source = written[-1].source.strip()
    found = ExerciseResult(
        points=0.0, parts=[], notes=[], source=source,
        flags=flags(exercise, source, PACKAGE, reference), pieces=pieces(source),
    )  # fmt: skip
    if len(written) > 1:
        found["notes"].append(
            f"{len(written)} cells belong to this exercise; what the last one of them defines as "
            f"{function} counts."
        )
    return found


def _misspelled(function: str, handed_in: HandedIn) -> str:
    """Return a sentence on a function that may have been meant, "" where there is none."""
    others = sorted(handed_in.defined - {*FUNCTION.values()})
    near = difflib.get_close_matches(function, [it[:100] for it in others], 1, 0.75)
    return f" {near[0]} is defined instead: is it meant to be {function}?" if near else ""


class _Grading:
    """A submission's result so far, and what its notebooks share."""

    def __init__(
        self, start: Callable[..., Sandbox], seed: int, limits: Limits, watch: Watch
    ) -> None:
        self.result = Result(
            exercises={}, notes=[], left_out=[], regrade="", output="", contained=""
        )
        self._start, self._seed, self._limits, self._watch = start, seed, limits, watch
        self._end = time.monotonic() + limits.wall

    def run(self, name: str, handed_in: HandedIn) -> None:
        """Run the cells of a notebook, and grade its exercises one after the other.

        An exercise that stops the process loses its points, and another process goes on with the
        next one. A cell that does is left out from then on.
        """
        wanted = self.result["exercises"]
        left = deque(exercise for exercise in wanted if exercise in handed_in.written)
        cells = list(handed_in.cells)
        errors: dict[str, str] = {}
        output = ""
        while left:
            seconds = self._end - time.monotonic()
            if seconds <= 0:
                for exercise in left:
                    self._add_note(
                        exercise, "The time for all exercises together was used up before this one."
                    )
                break
            limits, begun = replace(self._limits, wall=seconds), ""
            sandbox = self._start(cells, limits)
            try:
                with sandbox:
                    self.result["contained"] = sandbox.containment
                    while left:
                        begun = left[0]
                        self._judge(begun, sandbox, handed_in)
                        left.popleft()
            except Stopped as stop:
                why = clean(str(stop))
                if time.monotonic() >= self._end:
                    why = "Stopped here: the time for all exercises together was used up."
                if begun:
                    self._add_note(left.popleft(), why)
                else:
                    cells = [cell for cell in cells if cell.id != stop.cell]
                    errors[str(stop.cell)] = f"{why} The cell was left out."
                    for exercise in list(left):
                        if all(cell.id == stop.cell for cell in handed_in.written[exercise]):
                            left.remove(exercise)
            errors = sandbox.errors | errors
            output = output or clean(sandbox.output)[:MAX_OUTPUT]
        self._add_errors(errors, handed_in)
        if output:
            self.result["output"] += f"{name}:\n{output}\n"

    def _judge(self, exercise: str, sandbox: Sandbox, handed_in: HandedIn) -> None:
        number = list(POINTS).index(exercise)
        rng = np.random.default_rng([self._seed, number])  # whatever went before
        function = self._watch(exercise, sandbox.function(FUNCTION[exercise]))
        found = self.result["exercises"][exercise]
        try:
            parts = grade_exercise(exercise, function, rng, make_rng=Seed)
        except Stopped:
            raise
        except Exception as error:  # it costs nobody's points, and the rest goes on
            found["points"] = None
            self._add_note(exercise, f"The tests failed on it: {clean(repr(error))[:300]}")
            return
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
        if any("not_defined" in part.codes for part in parts) and (
            hint := _misspelled(FUNCTION[exercise], handed_in)
        ):
            self._add_note(exercise, hint.strip())
        share = sum(part.share for part in parts if part.passed)
        found["points"] = round(POINTS[exercise] * share, 2)

    def _add_note(self, exercise: str, note: str) -> None:
        self.result["exercises"][exercise]["notes"].append(note)

    def _add_errors(self, errors: dict[str, str], handed_in: HandedIn) -> None:
        """Add a note about each cell to its exercises, else to the submission."""
        for cell in handed_in.cells:
            if cell.id in errors:
                note = f"{cell.id}: {clean(errors[cell.id])}"
                theirs = [e for e, written in handed_in.written.items() if cell in written]
                for exercise in self.result["exercises"].keys() & {*theirs}:
                    self._add_note(exercise, note)
                if not theirs:
                    self.result["notes"].append(note)
