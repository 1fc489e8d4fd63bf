"""The visible checks from the command line, as a student's repository runs them."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from cs231n_helpers.exercises import __main__ as command
from cs231n_helpers.workbook.lessons import lesson, opened


def write(folder, edit=lambda source: source, name="01_svm"):
    notebook = lesson(name)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = edit(cell.source)
    nbformat.write(notebook, folder / f"{name}.ipynb")


def test_solved(tmp_path, capsys):
    write(tmp_path, name="04_dx_derivation")
    assert command.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Exercise 4.1 (svm_dx) is right:" in said
    assert said.endswith("3 right, 0 wrong, 0 open\n")


def test_open(tmp_path, capsys):
    write(tmp_path, opened, "04_dx_derivation")
    assert command.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("0 right, 0 wrong, 3 open\n")


def test_wrong(tmp_path, capsys):
    write(tmp_path, lambda source: source.replace("@ W.T", "@ W.T * 2"), "04_dx_derivation")
    assert command.main([str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "Exercise 4.2 (softmax_dx) is not right yet." in said


def test_helpers_and_errors_of_cells(tmp_path, capsys):
    sources = [
        "%matplotlib inline\nFACTOR = 2 * 0.5\nprint('never')",
        "import nosuch",
        "def penalty(W, reg, reg_scale=0.5):\n"
        "    return FACTOR * reg_scale * reg * np.sum(W**2), 2 * reg_scale * reg * W",
    ]
    cells = [new_code_cell(source) for source in sources]
    cells[2].metadata["nbgrader"] = {"solution": True, "grade_id": "penalty"}
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_svm.ipynb")
    assert command.main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "01_svm.ipynb, cell 2: ModuleNotFoundError: No module named 'nosuch'" in said
    assert "never" not in said
    assert said.endswith("1 right, 0 wrong, 0 open\n")


def test_no_function_and_no_notebook(tmp_path, capsys):
    write(tmp_path, lambda _: "x = 1", "04_dx_derivation")
    (tmp_path / "01_svm.ipynb").write_text("[", "utf-8")
    assert command.main([str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "no cell defines svm_dx" in said.out
    assert "01_svm.ipynb is no notebook" in said.err


def test_no_notebooks(tmp_path, capsys):
    assert command.main([str(tmp_path)]) == 2
    assert "has no notebook with exercises" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["--help"])
