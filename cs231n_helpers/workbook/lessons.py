"""The lessons: where they lie, and their exercises, solved and open.

In a lesson an exercise is a cell with nbgrader's metadata, whose solution stands between two lines
with ``### BEGIN SOLUTION`` and ``### END SOLUTION``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..exercises.table import EXERCISES

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: The lessons that have exercises.
NOTEBOOKS = tuple(dict.fromkeys(it.notebook for it in EXERCISES.values()))
#: What stands in the place of a solution.
STUB = 'raise NotImplementedError("open: write your code in the place of this line")'
SOLUTION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION\n(.*?)\n[ \t]*### END SOLUTION", re.DOTALL | re.MULTILINE
)
# Tags of cells.
GIVES_AWAY, LEFT_OUT, HINTS = "gives-away", "left-out", "hints"


def lessons_folder() -> Path:
    """Return the folder of the lessons: that of the checkout, or the one that was installed."""
    package = Path(__file__).resolve().parent.parent
    places = (package.parent / "notebooks", package / "_shipped" / "notebooks")
    for place in places:
        if (place / "01_svm.ipynb").is_file():
            return place
    raise FileNotFoundError(
        f"the lessons are neither in {places[0]} nor in {places[1]}: take a checkout with git, or "
        "install the package again"
    )


def lesson_names() -> list[str]:
    """Return the names of all lessons, say "01_svm"."""
    return sorted(path.stem for path in lessons_folder().glob("[0-9][0-9]_*.ipynb"))


def lesson(name: str) -> NotebookNode:
    """Return the lesson of that name, say "01_svm", with its solutions and outputs."""
    try:
        import nbformat
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the workbook needs nbformat, which comes with JupyterLab: "
            "python -m pip install jupyterlab ipywidgets",
            name="nbformat",
        ) from error
    return nbformat.read(lessons_folder() / f"{name}.ipynb", as_version=4)


def exercise_of(cell: NotebookNode) -> str | None:
    """Return the exercise that a cell is to be filled in for."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return nbgrader["grade_id"] if nbgrader.get("solution") else None


def checked_by(cell: NotebookNode) -> str | None:
    """Return the exercise that a cell checks."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return nbgrader["grade_id"].removesuffix("_check") if nbgrader.get("grade") else None


def tags_of(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", ()))


def opened(source: str) -> str:
    r"""Return the source of an exercise's cell without the solution.

    >>> print(opened("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"))
    def f(x):
        raise NotImplementedError("open: write your code in the place of this line")
    """
    return SOLUTION.sub(lambda found: found[1] + STUB, source)


def solved(source: str) -> str:
    r"""Return the source of an exercise's cell without the lines around the solution.

    >>> print(solved("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"))
    def f(x):
        return x
    """
    return SOLUTION.sub(lambda found: found[2], source)


@cache
def solutions() -> dict[str, str]:
    """Return the source of the finished cell of each exercise."""
    cells = [cell for name in NOTEBOOKS for cell in lesson(name).cells]
    found = {exercise: cell.source for cell in cells if (exercise := exercise_of(cell))}
    return {exercise: found[exercise] for exercise in EXERCISES}
