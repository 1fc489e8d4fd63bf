"""Check the exercises of notebooks without opening them.

    python -m cs231n_helpers.exercises [FOLDER]

says of each exercise in the folder's notebooks whether it is right, wrong (and why) or still open:
the words of the check below it. Of a notebook only imports, functions and constants are run. The
exit status is 1 where one is wrong.
"""

from __future__ import annotations

import argparse
import ast
import json
import linecache
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .table import EXERCISES, WrongExerciseError
from .visible import judged


def definitions(path: Path) -> tuple[dict[str, Any], set[str]]:
    """Run the imports, functions and constants of a notebook; return names, and its exercises."""
    names: dict[str, Any] = {}
    exec("import numpy as np", names)
    exercises = set()
    for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"], start=1):
        if cell["cell_type"] != "code":
            continue
        nbgrader = cell["metadata"].get("nbgrader", {})
        if nbgrader.get("solution"):
            exercises.add(nbgrader["grade_id"])
        source = "".join(cell["source"])
        file = f"<{path.stem}, cell {number}>"
        # for the lines that errors quote
        linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
        try:
            for statement in _harmless(source, file):
                exec(compile(ast.Module([statement], []), file, "exec"), names)
        except Exception as error:
            print(f"{path.name}, cell {number}: {type(error).__name__}: {error}")
    return names, exercises & EXERCISES.keys()


def _harmless(source: str, file: str) -> Iterator[ast.stmt]:
    plain = "\n".join(
        "" if line.lstrip()[:1] in ("%", "!") else line for line in source.split("\n")
    )
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(plain, file)
    for statement in tree.body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef():
                yield statement
            case ast.Assign(value=value) if all(
                isinstance(it, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.UnaryOp
                           | ast.BinOp | ast.operator | ast.unaryop | ast.expr_context)
                for it in ast.walk(value)
            ):  # fmt: skip
                yield statement


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m cs231n_helpers.exercises", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="(%(default)s)")
    folder = parser.parse_args(arguments).folder
    paths = [
        folder / f"{name}.ipynb" for name in dict.fromkeys(it.notebook for it in EXERCISES.values())
    ]
    paths = [path for path in paths if path.is_file()]
    if not paths:
        print(
            f"{folder} has no notebook with exercises: give the folder they are in", file=sys.stderr
        )
        return 2
    count: Counter[str] = Counter()
    for path in paths:
        try:
            names, here = definitions(path)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            print(f"{path.name} is no notebook: {error}", file=sys.stderr)
            count["wrong"] += 1
            continue
        for exercise in (it for it in EXERCISES if it in here):
            count[_checked(exercise, names)] += 1
    print(f"{count['right']} right, {count['wrong']} wrong, {count['open']} open")
    return int(count["wrong"] > 0)


def _checked(exercise: str, names: dict[str, Any]) -> str:
    it = EXERCISES[exercise]
    if it.function not in names:
        print(f"{it} is wrong: no cell defines {it.function}.\n")
        return "wrong"
    try:
        return judged(exercise, names[it.function])
    except WrongExerciseError as error:
        print(error)
        return "wrong"
    finally:
        print()


if __name__ == "__main__":
    raise SystemExit(main())
