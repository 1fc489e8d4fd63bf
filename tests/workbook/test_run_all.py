"""In a workbook "Run All" goes through: exercises that are open stop nobody.

A lesson without exercises, and one whose exercises are solved, have the cells that `make test` runs
(`test_edition.test_what_runs_is_what_the_lesson_runs`), so that one of each is enough. `browser.py`
goes through 09_layers.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from shorter import SHORTER, shorter

from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.workbook import NOTEBOOKS, exercise_of, folder

ROOT = Path(__file__).resolve().parent.parent.parent
SOLUTION = re.compile(r"<summary>Solution</summary>\n\n```python\n(.*?)\n```", re.DOTALL)


def run(notebook, place):
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    )
    ours = {"PYTHONPATH": str(ROOT), "CS231N_PROGRESS": "0", "OPENBLAS_NUM_THREADS": "1"}
    asyncio.run(client.async_execute(env={**os.environ, **ours}))


CASES = [
    ("00_numpy", False), ("01_svm", True),
    *((name, False) for name in NOTEBOOKS if name != "09_layers"),
]  # fmt: skip


@pytest.mark.slow(10)
@pytest.mark.parametrize(("name", "solved"), CASES)
def test_run_all_goes_through(name, solved, tmp_path):
    text = shorter(folder.fresh(tmp_path, name).read_text("utf-8"))
    notebook = nbformat.reads(text, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    exercises = [cell for cell in notebook.cells if exercise_of(cell)]
    for cell, solution in zip(exercises, SOLUTION.findall(text), strict=True):
        cell.source = solution if solved else cell.source
    run(notebook, tmp_path)
    said = "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))
    for it in EXERCISES.values():
        if it.notebook == name:
            assert f"{it} is {'right:' if solved else 'open: '}" in said


def test_what_is_shortened_stands_in_one_lesson():
    lessons = [path.read_text("utf-8") for path in (ROOT / "notebooks").glob("*.ipynb")]
    for long in SHORTER:
        assert sum(text.count(json.dumps(long)[1:-1]) for text in lessons) == 1, long
