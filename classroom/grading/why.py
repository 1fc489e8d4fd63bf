"""Why an exercise got its points: ``make grade-why STUDENT=anna EXERCISE=svm_dx``.

Grades it once more, on the same data, and prints what each part got, one call that shows what is
wrong, as small as one can be found, and the code.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from textwrap import fill, indent
from typing import Any

import numpy as np

from classroom.sandbox import Limits, Seed, Stopped, UnavailableError

from .collect import Student, open_class
from .example import WIDTH, Call, observe, shown, smaller
from .exercises import CALLED, FUNCTION, NOTEBOOKS, POINTS, exercise_of
from .roster import Roster
from .run import ADVICE, FIRST, ROOT, read_json
from .submission import ExerciseResult, grade_student
from .text import clean, folded

MOST_CALLS = 12  # that failed, of which the smallest is shown


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
    """Stands in a function's place while it is graded: keeps its calls, as text or as they are."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.first: Call
        self.failed: list[Call] = []

    def __call__(self, exercise: str, function: Any) -> Any:
        """Return what is called in the place of a function."""

        def call(*args: Any) -> Any:
            made = observe(exercise, function, args)
            if not self.calls:
                self.first = made
            self.calls.append(as_line(made))
            if made.fails and len(self.failed) < MOST_CALLS:
                self.failed.append(made)
            if made.error:
                raise made.error
            return made.returned

        return call


class Smaller:
    """Stands in a function's place, and tries small calls until one fails; then grading ends."""

    def __init__(self, like: Call) -> None:
        self._like = like
        self.found: Call | None = None

    def __call__(self, exercise: str, function: Any) -> Any:
        """Return what is called in the place of a function."""

        def call(*_: Any) -> Any:
            for args in smaller(self._like):
                made = observe(exercise, function, args)
                if made.fails or not self._like.fails:  # then it shows the steps
                    self.found = made
                    break
            raise Stopped("call", "that was enough")

        return call


def as_line(call: Call) -> str:
    """Return a call as --all shows it: large arrays by shape and range."""
    lines = [f"{FUNCTION[call.exercise]}(", *(f"    {as_text(it)}," for it in call.args), ")"]
    if call.error:
        lines.append(f"  raised    {clean(str(call.error))}")
    else:
        lines.append(f"  returned  {as_text(call.returned)}")
    if call.expected:
        lines.append(f"  expected  {as_text(call.expected)}")
    return "\n".join(lines)


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
        grade = partial(
            grade_student,
            students[0],
            assignment=arguments.assignment or last["assignment"],
            released=arguments.released,
            seed=seed,
            limits=Limits(),
            contained=arguments.contained,
            exercises=[exercise],
        )
        watched = Watched()
        try:
            result = grade(watch=watched)
            example = None
            if result["exercises"][exercise]["points"] != POINTS[exercise] and watched.calls:
                example = min(watched.failed, key=lambda call: call.size, default=watched.first)
                if not isinstance(example.error, Stopped):
                    # in a process of its own, so that these calls change no verdict
                    tried = Smaller(watched.failed[0] if watched.failed else watched.first)
                    grade(watch=tried)
                    example = tried.found or example
        except UnavailableError as error:
            print(f"{error}. {ADVICE}.", file=sys.stderr)
            return 2
    graded = result["exercises"][exercise]
    print(f"{students[0].name}, {FUNCTION[exercise]}, seed {seed}: {_verdict(graded, exercise)}")
    if example:
        nothing = "" if example.fails else ", though nothing that it returned is wrong"
        print(f"\nOne call{nothing}:\n\n{shown(example)}")
    if graded["source"]:
        print(f"\nThe code:\n\n{numbered(graded['source'])}")
    if arguments.all:
        for k, text in enumerate(watched.calls, start=1):
            print(f"\ncall {k}: {text}")
    return 0


def _verdict(found: ExerciseResult, exercise: str) -> str:
    """Return the points, and below a line or more for each part and note."""
    got = found["points"]
    lines = [f"{'not judged,' if got is None else f'{got:g}'} of {POINTS[exercise]} points"]
    told: dict[str, list[str]] = defaultdict(list)  # a sentence may be that of several parts
    for part in found["parts"]:
        sentence = "" if part["passed"] else part["sentence"]
        told[sentence].append(f"{part['name']} ({part['share'] * POINTS[exercise]:g})")
    for sentence, parts in told.items():
        lines.append(f"  {', '.join(parts)}: {'lost' if sentence else 'passed'}")
        lines += [indent(fill(sentence, WIDTH), "    ")] if sentence else []
    said = [*found["notes"], *(f"Flagged: {flag}." for flag in found["flags"])]
    return "\n".join([*lines, *(indent(fill(it, WIDTH), "  ") for it in said)])


def numbered(source: str) -> str:
    r"""Return a source with the numbers of its lines.

    >>> print(numbered("def f(x):\n    return x"))
       1  def f(x):
       2      return x
    """
    return "\n".join(f"{k:4}  {line}" for k, line in enumerate(source.split("\n"), start=1))


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
    add("--all", action="store_true", help="print each call, too")
    add("--out", type=Path, default=Path("build/grades"), help="the grades (%(default)s)")
    add("--released", type=Path, default=ROOT / "build" / "assignment", help="build/assignment")
    add("--assignment", help="as for make grade (that of its last run)")
    add("--uncontained", dest="contained", action="store_false", help="as for make grade")
    found = parser.parse_args(arguments)
    needed = {"STUDENT": found.student, "EXERCISE": found.exercise}
    if missing := " and ".join(name for name, value in needed.items() if not value):
        parser.error(f"{missing} missing: make grade-why STUDENT=anna EXERCISE=svm_dx")
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
