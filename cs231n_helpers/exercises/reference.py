"""The reference solution of an exercise, where there is one, and functions from their source.

The students' edition of this package has no code of its own where that would give an exercise
away; it adds a hook to `when_right` for the functions that it can call instead.
"""

from __future__ import annotations

import linecache
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .table import OpenExerciseError, find_exercise, paragraphs

Function = Callable[..., Any]

REFERENCE = Path("reference.zip")  # from the teacher

#: Called as ``hook(exercise, function)`` with each function that is right, or taken from the
#: reference.
when_right: list[Callable[[str, Function], None]] = []


def announce(exercise: str, function: Function) -> None:
    """Pass a function that is right to the hooks in `when_right`."""
    for hook in when_right:
        hook(exercise, function)


def use_reference(exercise: str) -> Function:
    """Return the reference solution of an exercise, where your teacher has handed it out.

    It is read from ``reference.zip`` beside the notebook. From then on the package uses it, too.

    Parameters
    ----------
    exercise : str
        A key of `EXERCISES`.

    Raises
    ------
    OpenExerciseError
        If there is no ``reference.zip``, or the exercise is not in it.

    Examples
    --------
    >>> try:
    ...     hinge_loops = use_reference("svm_naive")
    ... except OpenExerciseError as error:
    ...     print(str(error)[:56])
    There is no reference for Exercise 1.1 (hinge_loops) her
    """
    it = find_exercise(exercise)
    try:
        with zipfile.ZipFile(REFERENCE) as archive:
            source = archive.read(f"{exercise}.py").decode()
    except (OSError, KeyError, zipfile.BadZipFile):
        raise OpenExerciseError(
            paragraphs(
                f"There is no reference for {it} here.",
                f"Your teacher may hand out {REFERENCE}: put it beside this notebook, as it is.",
            )
        ) from None
    function = function_from(source, exercise)
    announce(exercise, function)
    return function


def function_from(source: str, exercise: str) -> Function:
    """Return the function that the source of an exercise's cell defines.

    Raises OpenExerciseError where the source does not run by itself.

    >>> function_from("def penalty(W, reg): return 0.0, np.zeros_like(W)", "penalty")([1.0], 2.0)
    (0.0, array([0.]))
    """
    it = find_exercise(exercise)
    namespace: dict[str, Any] = {"np": np, "__name__": "solved"}
    name = f"<{it}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        exec(compile(source, name, "exec"), namespace)
        function: Function = namespace[it.function]
    except Exception as error:
        raise OpenExerciseError(
            paragraphs(
                f"{it} of {it.notebook}.ipynb does not run by itself ({type(error).__name__}: "
                f"{error}). Let its cell use NumPy alone, and run the check after it once more."
            )
        ) from None
    return function
