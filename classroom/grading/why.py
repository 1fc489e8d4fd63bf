"""Why an exercise got its points: ``make grade-why STUDENT=anna EXERCISE=svm_dx``.

Grades it once more, on the same data, and prints what was called with what, what came back and what
was expected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from classroom.sandbox import Limits, Seed, Stopped, UnavailableError

from .collect import Student, open_class
from .exercises import CALLED, FUNCTION, NOTEBOOKS, POINTS, exercise_of
from .roster import Roster
from .run import ADVICE, FIRST, ROOT, read_json
from .submission import grade_student
from .text import clean, folded
from .value_rubrics import VALUE_RUBRICS

MOST_CALLS = 12  # that are printed


def as_text(value: Any) -> str:
    """Return a value as a person reads it: small arrays whole, large ones by shape and range.

    >>> as_text([np.arange(2.0), np.ones((30, 40))])
    '[[0, 1], (30, 40) float64 from 1 to 1, mean 1]'
    """
    if isinstance(value, np.ndarray):
        if value.size <= 12:
            shown = np.array2string(np.asarray(value), precision=5, separator=", ")
            return " ".join(shown.replace("\n", " ").replace(". ", " ").replace(".,", ",")
                            .replace(".]", "]").split())  # fmt: skip
        with np.errstate(all="ignore"):
            low, high, mean = value.min(), value.max(), value.mean()
        return f"{value.shape} {value.dtype} from {low:.5g} to {high:.5g}, mean {mean:.5g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {as_text(it)}" for key, it in value.items()) + "}"
    if isinstance(value, list | tuple):
        left, right = ("[", "]") if isinstance(value, list) else ("(", ")")
        return left + ", ".join(map(as_text, value)) + right
    if isinstance(value, Seed):
        return f"RandomState({int(value)})"
    if callable(value):
        return "a function that notes how it is called"
    return clean(f"{value:.6g}" if isinstance(value, float) else repr(value))[:300]


class Watched:
    """Calls a function, and prints what went in, what came out, and what was expected."""

    def __init__(self, exercise: str, function: Any) -> None:
        self._exercise, self._function, self._count = exercise, function, 0
        self.__name__ = FUNCTION[exercise]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._count += 1
        shown = self._count <= MOST_CALLS
        if shown:
            given = [as_text(it) for it in args]
            given += [f"{name}={as_text(it)}" for name, it in kwargs.items()]
            print(f"\ncall {self._count}: {self.__name__}(")
            print("".join(f"    {it},\n" for it in given) + ")")
            expected = self._expected(args, kwargs)
        try:
            result = self._function(*args, **kwargs)
        except Exception as error:
            if shown:
                print(f"  raised    {clean(str(error))}")
            raise
        if shown:
            print(f"  returned  {as_text(result)}")
            if expected:
                print(f"  expected  {expected}")
        elif self._count == MOST_CALLS + 1:
            print("\nand more calls")
        return result

    def _expected(self, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
        rubric = VALUE_RUBRICS.get(self._exercise)
        if rubric is None:
            return ""
        try:
            with np.errstate(all="ignore"):
                return as_text(rubric.right(*args, **kwargs))
        except Exception:  # inputs on which the reference refuses to work
            return ""


def explain(arguments: argparse.Namespace) -> int:
    """Print why; return the exit status."""
    exercise = arguments.exercise
    last = FIRST | (read_json(arguments.out / "run.json") or {})
    with tempfile.TemporaryDirectory() as temporary:
        everybody, _ = open_class(arguments.submissions, Path(temporary))
        listed_in = last["roster"] and Path(last["roster"])
        roster = Roster.read(listed_in) if listed_in and listed_in.is_file() else Roster()
        students = _named(arguments.student, everybody, roster)
        if len(students) != 1:
            why = roster.nobody(arguments.student, everybody)
            print(f"{arguments.submissions}: {why}", file=sys.stderr)
            return 2
        stored = arguments.out / "results" / f"{students[0].file_name}.json"
        seed = (read_json(stored) or {"seed": 0})["seed"]
        try:
            result = grade_student(
                students[0],
                assignment=arguments.assignment or last["assignment"],
                released=arguments.released,
                seed=seed,
                limits=Limits(),
                contained=arguments.contained,
                exercises=[exercise],
                watch=Watched,
            )
        except UnavailableError as error:
            print(f"{error}. {ADVICE}.", file=sys.stderr)
            return 2
    found_exercise = result["exercises"][exercise]
    print(f"\n{students[0].name}, {FUNCTION[exercise]}, seed {seed}")
    for part in found_exercise["parts"]:
        points = part["share"] * POINTS[exercise]
        verdict = "passed" if part["passed"] else f"failed: {part['sentence']}"
        print(f"  {part['name']} ({points:g}): {verdict}")
    for note in found_exercise["notes"]:
        print(f"  {note}")
    got = found_exercise["points"]
    print(f"  {'not judged,' if got is None else f'{got:g}'} of {POINTS[exercise]} points")
    return 0


def _named(name: str, students: Sequence[Student], roster: Roster) -> list[Student]:
    """Return who goes by a name: that of the files, of the roster, or an id."""
    called = roster.called(students)
    return [it for it in students if folded(name) in (*called[it], folded(it.file_name))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom.grading.why", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("submissions", type=Path, help="the folder or zip that was graded")
    add("student", help="name or id")
    add("exercise", help=", ".join(CALLED.values()))
    add("--out", type=Path, default=Path("build/grades"), help="the grades (%(default)s)")
    add("--released", type=Path, default=ROOT / "build" / "assignment", help="build/assignment")
    add("--assignment", help="as for make grade (that of its last run)")
    add("--uncontained", dest="contained", action="store_false", help="as for make grade")
    found = parser.parse_args(arguments)
    try:
        found.exercise = exercise_of(found.exercise)
    except ValueError as error:
        parser.error(str(error))
    if not found.submissions.exists():
        parser.error(f"{found.submissions} is not there: give what was graded")
    if not (found.released / f"{NOTEBOOKS[0]}.ipynb").is_file():
        parser.error(f"{found.released} has no {NOTEBOOKS[0]}.ipynb: run `make assignment` first")
    try:
        return explain(found)
    except (Stopped, ValueError, RuntimeError) as error:
        print(clean(str(error)), file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
