"""A lesson in a workbook: open, with hints and solution below each check, and nothing else lost."""

from __future__ import annotations

import re
import sys
import tomllib
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import hatch_build
from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.workbook import NOTEBOOKS, exercise_of, lesson, lessons, open_lesson, solutions

ROOT = Path(__file__).resolve().parent.parent.parent
SOLVED = re.compile(r"<summary>Solution</summary>\n\n```python\n(.*?)\n```", re.DOTALL)


def made_of(monkeypatch, *cells):
    monkeypatch.setattr(
        "cs231n_helpers.workbook.edition.lesson",
        lambda _: new_notebook(cells=deepcopy(list(cells))),
    )
    return open_lesson("any").cells


def code(source, *tags, outputs=True, **nbgrader):
    printed = [new_output("execute_result", {"text/plain": "7"}, execution_count=3)]
    metadata = {"tags": [*tags]} | ({"nbgrader": nbgrader} if nbgrader else {})
    return new_code_cell(
        source, execution_count=3, metadata=metadata, outputs=printed if outputs else []
    )


EXERCISE = code(
    "def penalty(W):\n    ### BEGIN SOLUTION\n    W = W + 1\n    return W\n    ### END SOLUTION",
    solution=True, grade_id="penalty",
)  # fmt: skip
CHECK = code('check_exercise("penalty", penalty)', grade=True, solution=False,
             grade_id="penalty_check")  # fmt: skip


def test_an_exercise_is_open_and_its_solution_is_the_last_rung(monkeypatch):
    hints = new_markdown_cell("<details>1</details>", metadata={"tags": ["hints"]})
    _, note, exercise, check, ladder = made_of(
        monkeypatch, new_markdown_cell("# Title"), EXERCISE, CHECK, hints
    )
    assert note.source.startswith("**This copy is yours.**")
    assert exercise.source == f"def penalty(W):\n    {lessons.STUB}"
    assert exercise.outputs == check.outputs == []
    assert ladder.source == (
        "<details>1</details>\n\n<details><summary>Solution</summary>\n\n```python\n"
        "def penalty(W):\n    W = W + 1\n    return W\n```\n\n</details>"
    )


def test_without_hints_the_solution_has_a_cell_of_its_own(monkeypatch):
    for after in ([], [new_markdown_cell("## 2.")], [code("2 + 5")]):
        cells = made_of(monkeypatch, new_markdown_cell("# Title"), EXERCISE, CHECK, *after)
        assert SOLVED.search(cells[4].source)[1].startswith("def penalty(W):\n    W = W + 1")
        assert [cell.source for cell in cells[5:]] == [cell.source for cell in after]


def test_what_gives_away_is_folded_and_what_is_to_be_predicted_is_left_out(monkeypatch):
    a, b, c, _, d, e = made_of(
        monkeypatch, code("a"), code("b", "gives-away"), code("c", "left-out"),
        new_markdown_cell("Look. **Predict:** what comes?"), code("d"),
        new_markdown_cell("Because.", metadata={"tags": ["left-out"]}),
    )  # fmt: skip
    assert (a.execution_count, a.outputs[0].execution_count) == (None, None)
    assert a.outputs[0].data == {"text/plain": "7"}
    assert "jupyter" not in a.metadata
    assert b.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": False}
    assert c.metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}
    assert d.outputs == []
    summary = "<summary>When you have solved it</summary>"
    assert e.source == f"<details>{summary}\n\nBecause.\n\n</details>"


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_each_lesson_is_whole(name):
    worked, mine = lesson(name), open_lesson(name)
    nbformat.validate(mine)
    ours = {exercise: it for exercise, it in EXERCISES.items() if it.notebook == name}
    assert [exercise_of(cell) for cell in mine.cells if exercise_of(cell)] == list(ours)
    given = {cell.id: cell for cell in mine.cells}
    for cell in worked.cells:
        if not exercise_of(cell):
            assert cell.source in given[cell.id].source
    solved = [text for cell in mine.cells for text in SOLVED.findall(cell.source)]
    assert len(solved) == len(ours)
    for text, exercise in zip(solved, ours, strict=True):
        assert text == lessons.solved(solutions()[exercise])
        assert "### " not in text
    code_of_all = [cell.source for cell in mine.cells if cell.cell_type == "code"]
    assert sum(lessons.STUB in source for source in code_of_all) == len(ours)
    assert not any("SOLUTION" in source for source in code_of_all)


@pytest.mark.parametrize("name", lessons.lesson_names())
def test_what_runs_is_what_the_lesson_runs(name):
    """Once its exercises are solved as its last hints say; `make test` runs the lesson."""
    worked, mine = ([c for c in it(name).cells if c.cell_type == "code"]
                    for it in (lesson, open_lesson))  # fmt: skip
    texts = iter(SOLVED.findall("\n".join(cell.source for cell in open_lesson(name).cells)))
    filled = [next(texts) if exercise_of(cell) else cell.source for cell in mine]
    assert filled == [
        lessons.solved(cell.source) if exercise_of(cell) else cell.source for cell in worked
    ]


def test_lessons_are_those_of_the_checkout_or_of_the_installation(monkeypatch, tmp_path):
    assert lessons.lessons_folder().name == "notebooks"
    package = tmp_path / "cs231n_helpers"
    monkeypatch.setattr(lessons, "__file__", str(package / "workbook" / "lessons.py"))
    with pytest.raises(FileNotFoundError, match=r"neither in .*notebooks nor in .*_shipped"):
        lessons.lessons_folder()
    shipped = package / "_shipped" / "notebooks"
    shipped.mkdir(parents=True)
    (shipped / "01_svm.ipynb").touch()
    assert lessons.lessons_folder() == shipped.resolve()


def test_an_installation_brings_the_lessons(tmp_path):
    """Without their pictures; the rest of each is as it is stored."""
    hook = hatch_build.CustomBuildHook(str(ROOT), {}, None, None, str(tmp_path), "wheel")
    build = {"force_include": {}}
    hook.initialize("standard", build)
    shipped = {to: Path(of) for of, to in build["force_include"].items()}
    assert len(shipped) == len(lessons.lesson_names())
    for to, file in shipped.items():
        stored = ROOT / "notebooks" / file.name
        assert to == f"cs231n_helpers/_shipped/notebooks/{file.name}"
        cells = [nbformat.read(path, as_version=4).cells for path in (file, stored)]
        assert [cell.source for cell in cells[0]] == [cell.source for cell in cells[1]]
        outputs = [it for cell in cells[0] for it in cell.get("outputs", ())]
        assert not any("image/png" in it.get("data", {}) for it in outputs)
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
    assert "custom" in hatch["build"]["targets"]["wheel"]["hooks"]


def test_without_nbformat_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(ModuleNotFoundError, match="python -m pip install jupyterlab ipywidgets"):
        lesson(NOTEBOOKS[0])
