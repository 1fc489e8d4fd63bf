"""The table, the notebooks' metadata and their tags agree, and nothing gives a solution away."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import leaks
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.preprocessors import CheckCellMetadata

from classroom.release import notebooks
from classroom.release.notebooks import student_notebook
from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.exercises.visible import CHECKS
from cs231n_helpers.workbook import NOTEBOOKS, exercise_of, lesson, solutions

#: What graders, students and the hidden tests rely on.
CONTRACT = """
svm_naive 5 hinge_loops(W, X, y, delta=1.0)
svm_gradient 6 hinge_gradient_loops(W, X, y, delta=1.0)
svm_vectorized 8 hinge_arrays(W, X, y, delta=1.0)
penalty 5 penalty(W, reg, reg_scale=0.5)
sgd 8 \
gradient_descent(loss_function, W, X, y, learning_rate, reg, num_iters, batch_size, rng)
search 6 grid_search(evaluate, learning_rates, regs)
softmax_naive 5 softmax_loops(W, X, y, reg)
softmax_gradient 6 softmax_gradient_loops(W, X, y, reg)
softmax_vectorized 8 softmax_arrays(W, X, y, reg)
net_forward 6 net_forward(params, X)
net_backward 10 net_backward(params, X, hidden, dscores, reg, reg_scale=0.5)
net_training 8 \
train_net(loss_function, params, X, y, learning_rate, decay, reg, num_iters, batch_size, rng)
svm_dx 6 svm_dx(W, X, y, delta=1.0)
softmax_dx 5 softmax_dx(W, X, y)
net_dx 8 net_dx(params, X, y)
affine_backward 6 affine_backward(dout, cache)
relu_backward 3 relu_backward(dout, cache)
sgd_momentum 5 sgd_momentum(w, dw, config=None)
adam 6 adam(w, dw, config=None)
"""
ROWS = [line.split(" ", 2) for line in CONTRACT.strip().splitlines()]


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


# ---- the table ----


def test_the_table_is_the_contract():
    assert list(EXERCISES) == [row[0] for row in ROWS]
    for exercise, points, signature in ROWS:
        it = EXERCISES[exercise]
        assert (it.points, it.signature) == (int(points), signature)
        assert signature in solutions()[exercise].splitlines()[0]
        assert it.number.startswith(f"{int(it.notebook[:2])}.")
    assert sum(it.points for it in EXERCISES.values()) == 120
    assert CHECKS.keys() == EXERCISES.keys()
    for it in EXERCISES.values():
        assert it.difficulty in range(1, 6)
        assert it.importance in range(1, 6)
        assert 2 <= it.minutes <= 30


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_metadata_says_the_same(name):
    for notebook in (lesson(name), student_notebook(name)):
        CheckCellMetadata().preprocess(notebook, {})  # nbgrader's own rules
        code = code_of(notebook)
        mine = [e for e, it in EXERCISES.items() if it.notebook == name]
        assert [exercise_of(cell) for cell in code if exercise_of(cell)] == mine
        for cell, check in pairwise(code):
            if (exercise := exercise_of(cell)) is None:
                continue
            it = EXERCISES[exercise]
            assert check.source == f'check_exercise("{exercise}", {it.function})'
            assert check.metadata.nbgrader.items() >= {
                "grade": True, "grade_id": f"{exercise}_check", "locked": True,
                "points": it.points, "solution": False,
            }.items()  # fmt: skip
            prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
            headed = f"### Exercise {it.number}: " in prose and f"*{it.effort}" in prose
            assert headed or f"**Exercise {it.number}** ({it.points} points)" in prose


# ---- tags ----


def released(monkeypatch, *cells):
    monkeypatch.setattr(notebooks, "lesson", lambda _: new_notebook(cells=list(cells)))
    return notebooks.released.__wrapped__("any")


def test_each_tag_does_what_it_says(monkeypatch):
    def code(cell_id, *tags):
        printed = new_output("stream", text="7\n")
        return new_code_cell("print(7)", id=cell_id, metadata={"tags": [*tags]}, outputs=[printed])

    notebook, expected = released(
        monkeypatch, code("a"), code("b", "gives-away"), code("c", "left-out"),
        code("d", "nbval-ignore-output", "needs:svm_dx", "needs:penalty"),
        new_markdown_cell("one\n\n<details><summary>A</summary>\n\ntwo\n</details>\n\nthree"),
        new_markdown_cell("four", metadata={"tags": ["left-out"]}),
        new_markdown_cell("<details>\nfive\n</details>"),
        new_markdown_cell("<details>\nsix\n</details>", metadata={"tags": ["hints"]}),
    )  # fmt: skip
    a, b, d, text, hints = notebook.cells
    assert (a.source, a.outputs[0].text) == ("print(7)", "7\n")
    assert (b.cell_type, b.source.splitlines()[-2:]) == ("markdown", ["7", "```"])
    assert d.source == "%%after d svm_dx penalty\nprint(7)"
    assert d.metadata["tags"] == ["nbval-ignore-output"]
    assert expected == {"d": [{"text": "7\n"}]}
    assert text.source == "one\n\nthree"
    assert "six" in hints.source


def test_the_points_stand_beside_the_effort(monkeypatch):
    heading = new_markdown_cell(
        f"### Exercise 1.4: P\n*{EXERCISES['penalty'].effort}*\n\nWrite it."
    )
    nbgrader = {"grade_id": "penalty", "solution": True, "schema_version": 3}
    cell = new_code_cell("### BEGIN SOLUTION\n### END SOLUTION", metadata={"nbgrader": nbgrader})
    notebook, _ = released(monkeypatch, heading, cell)
    assert notebook.cells[0].source.splitlines()[1] == (
        "*Difficulty 1 of 5 · importance 4 of 5 · 5 minutes · 5 points*"
    )


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_wait_for_what_is_further_down_or_elsewhere(name):
    """Whether all that need one are tagged shows when a notebook runs."""
    above = set()
    for cell in lesson(name).cells:
        if exercise := exercise_of(cell):
            above.add(exercise)
        needed = notebooks.needed(cell)
        assert not above & set(needed), cell.id
        assert needed == [exercise for exercise in EXERCISES if exercise in needed], cell.id
        if needed:
            assert cell.cell_type == "code"
            assert not {"gives-away", "left-out"} & set(cell.metadata["tags"])


# ---- nothing is given away ----


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_cell_holds_a_line_of_a_solution(name):
    """Not even with other names of variables."""
    for cell in code_of(student_notebook(name)):
        source = re.sub("^%.*", "", cell.source)
        assert not leaks.in_code(source), f"{name}, {cell.id}: tag it gives-away"
        # a stable softmax is half of Exercise 2.3, under any names
        assert not re.search(r"scores\S*\.max\(axis=1, keepdims", source), cell.id


def test_lines_are_found_under_other_names():
    assert leaks.in_code("P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)")
    assert leaks.in_code("dW[:, j] += x_i")
    assert leaks.in_text("* one\n* `A[rows, y] = -A.sum(axis=1)` is\n  two")
    assert not leaks.in_code("loss, dW = hinge_arrays(W, X, y)\nprint(dW / 2)")
    assert len(leaks.lines()) > 80


@pytest.mark.parametrize("place", ["metadata", "output", "attachment", "source"])
def test_a_line_is_found_wherever_it_is(place):
    notebook = student_notebook("01_svm")
    line = "A[ rows,y ] = - A.sum(axis = 1)"
    cell = code_of(notebook)[0]
    assert not list(leaks.in_files({"a.ipynb": nbformat.writes(notebook)}))
    if place == "metadata":
        cell.metadata["note"] = {"deep": [line]}
    elif place == "output":
        cell.outputs = [new_output("stream", name="stdout", text=line)]
    elif place == "attachment":
        cell.attachments = {"a.txt": {"text/plain": line}}
    else:
        cell.source += "\n" + line
    assert list(leaks.in_files({"a.ipynb": nbformat.writes(notebook)}))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_folded_answers_go_and_pictures_stay(name):
    notebook = student_notebook(name)
    text = nbformat.writes(notebook)
    for word in ("<summary>Answer", "gives-away", "left-out", "needs:"):
        assert word not in text
    pictures = 0
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            assert cell.outputs == []
        pictures += sum("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
        for file in cell.get("attachments", {}):
            pictures += 1
            alt = re.search(rf"!\[([^]]+)\]\(attachment:{re.escape(file)}\)", cell.source)
            assert len(alt[1]) > 30
            assert alt[1][0] == alt[1][0].upper()
    stored = json.dumps(lesson(name)).count('"image/png": "')
    assert pictures == stored  # what the result should look like is kept, all of it


def test_what_stands_for_a_figure_is_what_to_see(monkeypatch):
    picture = new_output("display_data", data={"image/png": "eA=="})
    figure = new_code_cell("f()", metadata={"tags": ["gives-away"]}, outputs=[picture])
    text = "To see them, plot.\n\n**What to see:** left, $C - 1$ `lines`.\n\nEnd."
    for cells in ([new_markdown_cell(text), figure], [figure, new_markdown_cell(text)]):
        notebook, _ = released(monkeypatch, new_markdown_cell("Before."), *cells)
        shown = next(cell for cell in notebook.cells if cell.get("attachments"))
        assert "![Left, C - 1 lines.](attachment:" in shown.source
