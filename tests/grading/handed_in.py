"""What students hand in, for tests: notebooks with some exercises answered."""

from __future__ import annotations

import json

from classroom.grading.collect import read_submission, students_in
from classroom.grading.exercises import FUNCTION, NOTEBOOK, NOTEBOOKS, POINTS


def code(source, id_=None, **nbgrader):
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}
    if id_:
        cell["id"] = id_
    if nbgrader:
        cell["metadata"]["nbgrader"] = nbgrader
    return cell


def notebook(name, answers=(), added=()):
    """Return a notebook as it was handed out, with some exercises answered."""
    answers = dict(answers)
    cells = [
        {"cell_type": "markdown", "metadata": {}, "id": "title", "source": ["# ", name]},
        code("print('a cell of ours')", "ours"),
    ]
    for exercise in POINTS:
        if NOTEBOOK[exercise] == name:
            empty = f"def {FUNCTION[exercise]}():\n    raise NotImplementedError"
            source = answers.get(exercise, empty)
            cells.append(code(source, f"{exercise}-cell", grade_id=exercise, solution=True))
            check = f"check_exercise({exercise!r}, {FUNCTION[exercise]})"
            cells.append(code(check, f"{exercise}-x", grade_id=f"{exercise}_check", grade=True))
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [*cells, *added]}
    )


def hand_in(folder, answers=(), names=NOTEBOOKS, timestamp=None):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.ipynb").write_text(notebook(name, answers), "utf-8")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp, "utf-8")
    return folder


#: The cells by which a notebook is known that was given another name.
CELLS = {
    name: frozenset(cell["id"] for cell in json.loads(notebook(name))["cells"] if "-" in cell["id"])
    for name in NOTEBOOKS
}


def read_class(place, collected=None, assignment="assignment1", stamped=""):
    """Return the students, what each handed in, and what was left out."""
    students, notes = students_in(place, collected, stamped)
    read = {student.name: read_submission(student, assignment, CELLS) for student in students}
    return {student.name: student for student in students}, read, notes
