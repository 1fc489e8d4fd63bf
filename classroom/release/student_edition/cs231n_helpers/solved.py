"""The learner's functions that are right, and the cells of a notebook that wait for them.

The students' edition of the package calls `solution` in the place of what it must not give away: it
returns the learner's function once `check_exercise` has found it right, in this notebook or in
another one, or `use_reference` was asked for it. Where there is neither, `OpenExerciseError` names
the exercise.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Function = Callable[..., Any]

SOLVED = Path("solved")  # sources of functions that are right, for the other notebooks
EXPECTED = Path("expected")  # what the cells show that wait for an exercise

#: The learner's functions that this notebook has called or checked, by exercise.
functions: dict[str, Function] = {}


def keep(exercise: str, function: Function) -> None:
    """Keep a function that is right for this notebook, and the source of its cell for others."""
    functions[exercise] = function
    code = getattr(function, "__code__", None)
    source = "".join(linecache.getlines(code.co_filename)) if code else ""
    if source:
        SOLVED.mkdir(exist_ok=True)
        unfinished = SOLVED / f"{exercise}.part"
        unfinished.write_text(source, encoding="utf-8")
        os.replace(unfinished, SOLVED / f"{exercise}.py")


def is_solved(exercise: str) -> bool:
    """Whether there is a function to call."""
    return exercise in functions or (SOLVED / f"{exercise}.py").exists()


def solution(exercise: str) -> Function:
    """Return the learner's function, or raise OpenExerciseError."""
    from cs231n_helpers.exercises import reference, table  # which need the losses first

    if not is_solved(exercise):
        it = table.EXERCISES[exercise]
        raise table.OpenExerciseError(
            table.paragraphs(
                f"This needs {it} of {it.notebook}.ipynb, which is open: solve it there, and run "
                "the check after it.",
                table.reference_hint(exercise),
            )
        )
    if exercise not in functions:
        source = (SOLVED / f"{exercise}.py").read_text(encoding="utf-8")
        functions[exercise] = reference.function_from(source, exercise)
    return functions[exercise]


def after(line: str, cell: str) -> None:
    """Run a cell once some exercises are solved: IPython's magic ``%%after cell exercises``.

    Its errors stop "Run All" as in any other cell, which they would not from within `run_cell`.
    """
    name, *needed = line.split()
    still_open = [exercise for exercise in needed if not is_solved(exercise)]
    if still_open:
        show_expected(name, still_open)
        return
    shell = sys.modules["IPython"].get_ipython()
    source = shell.transform_cell(cell)
    file = shell.compile.cache(source, shell.execution_count, raw_code=cell)
    body = ast.parse(source).body
    shown = [body.pop()] if isinstance(body[-1], ast.Expr) else []
    exec(compile(ast.Module(body, []), file, "exec"), shell.user_ns)
    exec(compile(ast.Interactive(shown), file, "single"), shell.user_ns)


def show_expected(cell: str, still_open: Sequence[str]) -> None:
    """Show what a waiting cell shows in the finished notebook."""
    from IPython.display import publish_display_data

    from cs231n_helpers.exercises.table import paragraphs

    print(f"{paragraphs(f'This cell waits for {named(still_open)}.')}\nIt will show:\n")
    for output in json.loads((EXPECTED / f"{cell}.json").read_text(encoding="utf-8")):
        if "text" in output:
            print(output["text"], end="")
        else:
            publish_display_data(output["data"], output["metadata"])  # type: ignore[no-untyped-call]


def named(some: Sequence[str]) -> str:
    """Name exercises, each notebook once.

    >>> named(["svm_naive", "penalty"])
    'Exercises 1.1 (hinge_loops) and 1.4 (penalty) of 01_svm.ipynb'
    """
    from cs231n_helpers.exercises.table import EXERCISES

    notebooks: dict[str, list[str]] = {}
    for it in (EXERCISES[exercise] for exercise in some):
        notebooks.setdefault(it.notebook, []).append(f"{it.number} ({it.function})")
    parts = [f"{_and(names)} of {notebook}.ipynb" for notebook, names in notebooks.items()]
    return f"{'Exercise' if len(some) == 1 else 'Exercises'} {', and '.join(parts)}"


def _and(names: Sequence[str]) -> str:
    return " and ".join([*filter(None, [", ".join(names[:-1])]), names[-1]])


def install() -> None:
    """Listen to `check_exercise` and, in a notebook, to cells that wait."""
    from cs231n_helpers.exercises import reference, stuck, table

    reference.when_right.append(keep)
    stuck.after_hints.append(table.reference_hint)
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        shell.register_magic_function(after, "cell")
