"""The students' bundle gives nothing away, runs, and its checks say what is wrong."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from contextlib import suppress
from itertools import pairwise

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.preprocessors import CheckCellMetadata

from classroom.release import bundle, student_edition
from cs231n_helpers.exercises import visible as exercises
from cs231n_helpers.exercises.visible import EXERCISES

#: What graders, students and the hidden tests rely on.
CONTRACT = """
svm_naive 01_svm 5 hinge_loops(W, X, y, delta=1.0)
svm_gradient 01_svm 6 hinge_gradient_loops(W, X, y, delta=1.0)
svm_vectorized 01_svm 8 hinge_arrays(W, X, y, delta=1.0)
penalty 01_svm 5 penalty(W, reg, reg_scale=0.5)
sgd 01_svm 8 \
gradient_descent(loss_function, W, X, y, learning_rate, reg, num_iters, batch_size, rng)
search 01_svm 6 grid_search(evaluate, learning_rates, regs)
softmax_naive 02_softmax 5 softmax_loops(W, X, y, reg)
softmax_gradient 02_softmax 6 softmax_gradient_loops(W, X, y, reg)
softmax_vectorized 02_softmax 8 softmax_arrays(W, X, y, reg)
net_forward 03_two_layer_net 6 net_forward(params, X)
net_backward 03_two_layer_net 10 net_backward(params, X, hidden, dscores, reg, reg_scale=0.5)
net_training 03_two_layer_net 8 \
train_net(loss_function, params, X, y, learning_rate, decay, reg, num_iters, batch_size, rng)
svm_dx 04_dx_derivation 6 svm_dx(W, X, y, delta=1.0)
softmax_dx 04_dx_derivation 5 softmax_dx(W, X, y)
net_dx 04_dx_derivation 8 net_dx(params, X, y)
"""
ROWS = [line.split(" ", 3) for line in CONTRACT.strip().splitlines()]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    bundle.make(folder)
    return folder


@pytest.fixture
def assignment(build, tmp_path):
    """A student's own copy, as unpacked from the zip."""
    with zipfile.ZipFile(build / "assignment.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "assignment"


# ---- the table ----


def test_the_table_is_the_contract():
    assert list(EXERCISES) == [row[0] for row in ROWS]
    for exercise, notebook, points, signature in ROWS:
        it = EXERCISES[exercise]
        assert (it.notebook, it.points, it.function) == (
            notebook,
            int(points),
            signature.split("(")[0],
        )
        assert signature in bundle.solutions()[exercise].splitlines()[0]
        assert it.number.startswith(f"{int(notebook[:2])}.")
    assert sum(it.points for it in EXERCISES.values()) == 100
    assert exercises.CHECKS.keys() == EXERCISES.keys()


@pytest.mark.parametrize("name", bundle.NOTEBOOKS)
def test_metadata_says_the_same(name):
    for notebook in (bundle.finished(name), bundle.student_notebook(name)):
        CheckCellMetadata().preprocess(notebook, {})  # nbgrader's own rules
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        mine = [e for e, it in EXERCISES.items() if it.notebook == name]
        assert [bundle.exercise_of(cell) for cell in code if bundle.exercise_of(cell)] == mine
        for cell, check in pairwise(code):
            if (exercise := bundle.exercise_of(cell)) is None:
                continue
            it = EXERCISES[exercise]
            assert check.source == f'check_exercise("{exercise}", {it.function})'
            assert check.metadata.nbgrader.items() >= {
                "grade": True, "grade_id": f"{exercise}_check", "locked": True,
                "points": it.points, "solution": False,
            }.items()  # fmt: skip
            prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
            assert f"**Exercise {it.number}** ({it.points} points)" in prose


# ---- nothing is given away ----


def squeezed(text):
    return re.sub(r"\s", "", text).replace('"', "'")


#: Lines of solutions that stand elsewhere for a reason: the text gives the first as a formula and
#: explains the second; the third notes the losses of other loops.
ALLOWED = {"scores=X@W", "rows=np.arange(len(y))", "losses.append(loss)"}


def solution_lines():
    """Each line of a solution with an operator, a call or an index: more than the bundler asks."""
    lines = set()
    for source in bundle.solutions().values():
        inside = source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        for line in inside.splitlines():
            code = line.split("#")[0].strip()
            if re.search(r"[-+*/@<>\[(]", code):
                lines.add(squeezed(code).removeprefix("return"))
    return lines - ALLOWED


def texts(value):
    """All texts in a JSON value, those that are stored as lists of lines as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        yield "".join(value)
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts(part)


def traces(files):
    """Yield (file, line) for each line of a solution in files, a dict of names and contents."""
    for name, content in files.items():
        if name.endswith(".npz") or "/doctor/" in name:  # which needs its pieces to name mistakes
            continue
        found = texts(json.loads(content)) if name.endswith((".ipynb", ".json")) else [content]
        whole = "\0".join(squeezed(text) for text in found)
        for line in solution_lines() | bundle.telling_lines().keys():
            if line in whole:
                yield name, line


def files_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def test_no_solution_line_is_anywhere(build):
    files = files_of(build / "assignment.zip")
    assert list(traces(files)) == []
    assert len(solution_lines()) > 50
    for part in ("/tests/", "/benchmarks/", "/classroom/", "reference.zip", ".pyc"):
        assert not [name for name in files if part in name]
    on_disk = {
        f"assignment/{path.relative_to(build / 'assignment').as_posix()}": path.read_bytes()
        for path in (build / "assignment").rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(build / "assignment.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == on_disk


@pytest.mark.parametrize("place", ["metadata", "output", "attachment", "source"])
def test_a_trace_is_found_wherever_it_is(build, place):
    name = "assignment/01_svm.ipynb"
    files = files_of(build / "assignment.zip")
    notebook = nbformat.reads(files[name], as_version=4)
    line = "A[ rows,y ] = - A.sum(axis = 1)"
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    if place == "metadata":
        cell.metadata["note"] = {"deep": [line]}
    elif place == "output":
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=line)]
    elif place == "attachment":
        cell.attachments = {"a.txt": {"text/plain": line}}
    else:
        cell.source += "\n" + line
    assert {n for n, _ in traces({**files, name: nbformat.writes(notebook)})} == {name}


def test_functions_of_the_package_only_hand_on(build):
    full, given = bundle.ROOT / "cs231n_helpers", build / "assignment" / "cs231n_helpers"
    for module, names in bundle.HANDED_ON.items():
        before, after = (
            dict(bundle._definitions(ast.parse((folder / f"{module}.py").read_text())))
            for folder in (full, given)
        )
        assert after.keys() == before.keys() - set(bundle.DROPPED.get(module, ()))
        for name in names:
            assert ast.unparse(after[name].args) == ast.unparse(before[name].args)
            body = [s for s in after[name].body if not isinstance(s, ast.Expr)]
            assert [type(s) for s in body] == [ast.ImportFrom, ast.Return]
            assert ast.unparse(body[1]).startswith("return student_edition._")
            if docstring := ast.get_docstring(before[name]):
                assert ast.get_docstring(after[name]).split("\n")[0] == docstring.split("\n")[0]
    for path in (full / "doctor").glob("*.py"):
        assert path.read_bytes() == (given / "doctor" / path.name).read_bytes()


def test_what_stands_for_a_figure_is_what_to_see():
    finished = bundle.finished("01_svm").cells
    place = next(i for i, cell in enumerate(finished) if cell.id == "svm-33-code")
    assert bundle._seen(finished, place).startswith("The error against the weight, for 20 weights.")
    text = "To see them, plot.\n\n**What to see:** left, $C - 1$ `lines`.\n\nEnd."
    to_see = new_markdown_cell(text)
    assert bundle._seen([to_see, new_code_cell()], 1) == "Left, C - 1 lines."


def test_no_cell_shows_a_stable_softmax():
    """Its two lines are half of Exercise 2.3, under any names."""
    for name in bundle.NOTEBOOKS:
        for cell in bundle.student_notebook(name).cells:
            if cell.cell_type == "code":
                assert not re.search(r"scores\S*\.max\(axis=1, keepdims", cell.source), cell.id


def test_waiting_cells_name_each_notebook_once():
    some = ["svm_naive", "svm_gradient", "penalty", "softmax_dx"]
    assert student_edition._named(some) == (
        "Exercises 1.1 (hinge_loops), 1.2 (hinge_gradient_loops) and 1.4 (penalty) of 01_svm.ipynb"
        ", and 4.2 (softmax_dx) of 04_dx_derivation.ipynb"
    )
    assert student_edition._named(["svm_dx"]) == "Exercise 4.1 (svm_dx) of 04_dx_derivation.ipynb"


def test_folded_answers_and_stored_outputs_of_exercises_are_gone():
    for name in bundle.NOTEBOOKS:
        notebook = bundle.student_notebook(name)
        assert "<details>" not in nbformat.writes(notebook)
        assert bundle.GIVES_AWAY not in nbformat.writes(notebook)
        pictures = 0
        for cell in notebook.cells:
            if "nbgrader" in cell.metadata:
                assert cell.outputs == []
            for output in cell.get("outputs", ()):
                pictures += "image/png" in output.get("data", {})
            for file in cell.get("attachments", {}):
                pictures += 1
                alt = re.search(rf"!\[([^]]+)\]\(attachment:{re.escape(file)}\)", cell.source)
                assert len(alt[1]) > 30
                assert alt[1][0] == alt[1][0].upper()
        stored = nbformat.writes(bundle.finished(name)).count('"image/png": "')
        assert pictures == stored, name  # what the result should look like is kept, all of it


# ---- making it ----


def test_making_it_again_changes_nothing(build, tmp_path):
    def content():
        return {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    assert bundle.main(["--build", str(tmp_path)]) == 0
    first = content()
    (tmp_path / "assignment" / "left over.txt").write_text("from before")
    bundle._student_notebook.cache_clear()
    bundle.make(tmp_path)
    assert content() == first
    for file in ("assignment.zip", "reference.zip"):
        assert (tmp_path / file).read_bytes() == (build / file).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "assignment", "assignment.zip", "reference.zip",
    ]  # fmt: skip


def test_what_students_read_is_true(assignment):
    project = tomllib.loads((bundle.ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["notebooks"]]
    names = [re.match(r"[\w-]+", requirement)[0] for requirement in needed]
    readme = (assignment / "README.md").read_text()
    assert re.search(r"pip install (.*)", readme)[1].split() == names
    environment = yaml.safe_load((assignment / "environment.yml").read_text())
    wanted = [f"python{project['requires-python']}", *needed]
    conda = [
        entry.replace("matplotlib-base", "matplotlib") for entry in environment["dependencies"]
    ]
    assert conda == wanted
    for target in re.findall(r"\]\(([^)]+)\)", readme):
        assert (assignment / target).exists()
    for it in EXERCISES.values():
        low, high = re.search(rf"\({it.notebook}\.ipynb\) \| (\S+) to (\S+):", readme).groups()
        assert low <= it.number <= high


def test_the_edition_imports_and_its_examples_run(assignment):
    command = [sys.executable, "-m", "pytest", "--doctest-modules", "cs231n_helpers", "-q", "-p",
               "no:cacheprovider", "--ignore=cs231n_helpers/doctor", "--rootdir", "."]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(assignment)}
    result = subprocess.run(
        command, cwd=assignment, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) > 20


# ---- the rules ----


def names(**position):
    return bundle._Names(position)


def test_a_cell_waits_for_what_is_further_down_or_elsewhere():
    notebook = names(svm_vectorized=5, penalty=9)
    assert notebook.read("loss = svm_loss(S, y)", 2) == ({"svm_vectorized"}, False)
    assert notebook.read("loss = svm_loss(S, y)", 6) == (set(), False)
    assert notebook.read("loss = svm_loss_vectorized(W, X, y)", 6) == (set(), False)
    assert notebook.read("loss = svm_loss_vectorized(W, X, y, 0.1)", 6) == ({"penalty"}, False)
    assert notebook.read("check_gradient(svm_loss_vectorized, W, X, y, 0.1)", 6)[0] == {"penalty"}
    assert notebook.read("softmax_loss(S, y)", 12)[0] == {"softmax_vectorized"}
    assert notebook.read("def f(S):\n    return svm_loss(S, y)", 2)[0] == {"svm_vectorized"}
    model = names()
    assert model.read("net = TwoLayerNet(2, 3, 4)", 1) == (set(), False)
    assert model.read("classes = net.predict(X)", 2)[0] == {"net_forward"}
    assert "net_training" in model.read("for k in range(3):\n    net.train(X, y, X, y)", 3)[0]


def test_a_cell_waits_with_the_one_whose_names_it_takes():
    notebook = names(svm_vectorized=5)
    assert notebook.read("a = svm_loss(S, y)[0]", 2)[0] == {"svm_vectorized"}
    assert notebook.read("b = a + 1", 3)[0] == {"svm_vectorized"}
    assert notebook.read("a = 1\nc = a", 4)[0] == set()
    assert notebook.read("d = a", 4)[0] == set()
    with pytest.raises(ValueError, match="b is made by a cell that waits for svm_vectorized"):
        notebook.read("print(b)", 6)


def test_a_cell_goes_with_the_one_whose_names_it_takes():
    notebook = names()
    notebook.leave_out("def secret(x):\n    return x\ntable, (row, _) = {}, (1, 2)")
    assert notebook.read("print(row)", 1)[1]
    assert notebook.read("z = [row for row in range(3)]", 1) == (set(), False)
    assert notebook.read("def f(row):\n    return row", 1) == (set(), False)
    assert notebook.read("row = 2\nprint(row)", 1) == (set(), False)
    assert notebook.read("print(row)", 2) == (set(), False)
    assert notebook.read("secret(3)", 3)[1]


def test_what_gives_away_is_found_under_other_names():
    assert bundle.code_gives_away("P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)")
    assert bundle.code_gives_away("dW[:, j] += x_i") == "svm_gradient"
    assert not bundle.code_gives_away("loss, dW = hinge_arrays(W, X, y)\nprint(dW / 2)")
    assert (
        bundle._without_answers("a\n\n<details><summary>A</summary>\n\nb\n</details>\n\nc")
        == "a\n\nc"
    )
    assert bundle._without_answers("* one\n* `A[rows, y] = -A.sum(axis=1)` is\n  two\n* three") == (
        "* one\n\n* three"
    )


# ---- running it ----


def run(folder, notebooks, **options):
    """Run notebooks as Jupyter's Run All does, two at a time: to the end, or to the first error."""

    async def execute(notebook, turn):
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3",
            resources={"metadata": {"path": str(folder)}}, **options,
        )  # fmt: skip
        environment = {**os.environ, "CS231N_PROGRESS": "0", "OPENBLAS_NUM_THREADS": "1"}
        async with turn:
            with suppress(CellExecutionError):
                await client.async_execute(env=environment)

    async def execute_all():
        turn = asyncio.Semaphore(2)
        await asyncio.gather(*(execute(notebook, turn) for notebook in notebooks))

    asyncio.run(execute_all())


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(notebook):
    return "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))


def test_untouched_it_stops_at_the_first_open_exercise(assignment):
    notebooks = {
        name: nbformat.read(assignment / f"{name}.ipynb", as_version=4) for name in bundle.NOTEBOOKS
    }
    run(assignment, notebooks.values())
    for name, notebook in notebooks.items():
        exercise, it = next((e, it) for e, it in EXERCISES.items() if it.notebook == name)
        last = max(code_of(notebook), key=lambda cell: cell.execution_count or 0)
        assert last.source == f'check_exercise("{exercise}", {it.function})'
        (error,) = last.outputs
        assert error.ename == "OpenExerciseError"
        assert error.traceback[0] == f"{it} is open."
        assert error.traceback[1].startswith("Put your code in the place of `raise NotImpl")
        assert len(error.traceback) < 8
        if name in ("01_svm", "03_two_layer_net"):
            assert "This cell waits for Exercise" in said(notebook)
    assert not (assignment / "solved").exists()


#: Shorter training, for the time it takes; what is demanded of the accuracies is lowered alike.
SHORTER = {
    '"steps": 500': '"steps": 200', '"goal": 0.80': '"goal": 0.75',
    "epochs=30, floors=(0.80, 0.78)": "epochs=8, floors=(0.70, 0.68)",
}  # fmt: skip


@pytest.mark.slow
def test_with_the_reference_it_runs_to_the_end(assignment):
    (assignment / "solved").mkdir()  # as in a second run: no cell waits any more
    for exercise, source in bundle.solutions().items():
        (assignment / "solved" / f"{exercise}.py").write_text(source)

    notebooks = []
    for name in bundle.NOTEBOOKS:
        text = (assignment / f"{name}.ipynb").read_text()
        for long, short in SHORTER.items():
            text = text.replace(json.dumps(long)[1:-1], json.dumps(short)[1:-1])
        notebooks.append(bundle.fill_in(nbformat.reads(text, as_version=4), bundle.solutions()))
    run(assignment, notebooks)
    for notebook in notebooks:
        errors = [o for c in code_of(notebook) for o in c.outputs if o.output_type == "error"]
        assert not errors, "\n".join(errors[0].traceback)
        assert all(cell.execution_count for cell in code_of(notebook))
        assert "This cell waits" not in said(notebook)


def test_whoever_is_stuck_goes_on(build, assignment):
    """Exercise 4.1 stays open: 4.2 and 4.3 can be solved, and what needs 4.1 says so."""
    reference = (build / "reference.zip").read_bytes()
    given = bundle.fill_in(bundle.student_notebook("04_dx_derivation"), bundle.solutions())
    cells = {cell.id: cell for cell in given.cells}
    empty = bundle.student_notebook("04_dx_derivation")
    cells["svm-dx-code"] = next(cell for cell in empty.cells if cell.id == "svm-dx-code")
    waiting = cells["dx-05-code"]
    assert waiting.source.startswith("%%after dx-05-code svm_vectorized svm_dx\n")
    notebook = new_notebook(cells=[
        *(cells[name] for name in ("dx-01-code", "svm-dx-code", "svm-dx-check", "softmax-dx-code",
                                   "softmax-dx-check", "net-dx-code", "net-dx-check")),
        waiting,
        new_code_cell("svm_input_gradient(W_toy, X_toy, y_toy)"),
        new_code_cell("print(softmax_input_gradient(W_toy, X_toy, y_toy).shape)"),
        new_code_cell("from cs231n_helpers import use_reference\nuse_reference('svm_dx')"),
        new_code_cell(f"open('reference.zip', 'wb').write({reference!r})"),
        new_code_cell("from cs231n_helpers import use_reference\nsvm_dx = use_reference('svm_dx')"),
        new_code_cell("_ = use_reference('svm_vectorized')"),
        new_code_cell("print(svm_input_gradient(W_toy, X_toy, y_toy))"),
        new_code_cell(cells["svm-dx-check"].source),
        new_code_cell(waiting.source),
    ])  # fmt: skip
    run(assignment, [notebook], allow_errors=True)
    outputs = [cell.outputs for cell in notebook.cells]
    assert outputs[2][0].ename == "OpenExerciseError"
    assert "Exercise 4.2 (softmax_dx) is right" in outputs[4][0].text
    assert "Exercise 4.3 (net_dx) is right" in outputs[6][0].text
    assert outputs[7][0].text.startswith(
        "This cell waits for Exercises 1.3 (hinge_arrays) of 01_svm.ipynb, and 4.1 (svm_dx) of\n"
    )
    assert outputs[7][1].data.keys() == {"image/png", "text/plain"}  # what it will show
    assert outputs[8][0].ename == "OpenExerciseError"
    assert "This needs Exercise 4.1 (svm_dx) of 04_dx_derivation.ipynb" in outputs[8][0].evalue
    assert outputs[9][0].text == "(2, 3)\n"
    assert "There is no reference for Exercise 4.1" in outputs[10][0].evalue
    assert outputs[12] == []
    assert outputs[14][0].text.startswith("[[ 0.5 -0.5 -0.5]")
    assert "Exercise 4.1 (svm_dx) is right" in outputs[15][0].text
    assert [output.output_type for output in outputs[16]] == ["display_data"]
    assert {path.name for path in (assignment / "solved").iterdir()} >= {"softmax_dx.py"}
