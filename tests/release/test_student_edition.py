"""What replaces modules of the package does the same by the learner's functions, or waits."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook
from shorter import shorter

import cs231n_helpers
from classroom.release.notebooks import fill_in, student_notebook
from classroom.release.student_edition.cs231n_helpers import (
    layers,
    losses,
    many_runs,
    optim,
    solved,
    training,
)
from cs231n_helpers import FullyConnectedNet, LinearSVM, Softmax, Solver, TwoLayerNet, search
from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.exercises.reference import function_from
from cs231n_helpers.exercises.table import OpenExerciseError
from cs231n_helpers.workbook import NOTEBOOKS, solutions

REPLACED = (losses, layers, optim, training, many_runs)
USERS = [
    sys.modules[f"cs231n_helpers.{name}"]
    for name in ("classifiers", "solver", "single_run", "search")
]


def original(module):
    return sys.modules[f"cs231n_helpers.{module.__name__.split('.')[-1]}"]


def functions(module):
    found = inspect.getmembers(module, inspect.isfunction)
    return {k: f for k, f in found if f.__module__ == module.__name__ and not k.startswith("_")}


# ---- module by module ----


@pytest.mark.parametrize("module", REPLACED, ids=lambda module: module.__name__.split(".")[-1])
def test_the_same_names_signatures_and_summaries(module):
    theirs, ours = functions(original(module)), functions(module)
    assert theirs.keys() == ours.keys()
    for name, function in ours.items():
        parameters = inspect.signature(function).parameters
        assert [(p.name, p.default, p.kind) for p in parameters.values()] == [
            (p.name, p.default, p.kind) for p in inspect.signature(theirs[name]).parameters.values()
        ]
        assert (
            inspect.getdoc(function).split("\n")[0] == inspect.getdoc(theirs[name]).split("\n")[0]
        )


@pytest.fixture
def _solved(monkeypatch):
    reference = {exercise: function_from(s, exercise) for exercise, s in solutions().items()}
    monkeypatch.setattr(solved, "functions", reference)


@pytest.fixture
def _edition(monkeypatch):
    """The package, with the modules of the students' edition in their places."""
    for module in REPLACED:
        for name, function in functions(module).items():
            for user in (original(module), *USERS):
                if hasattr(user, name):
                    monkeypatch.setattr(user, name, function)


rng = np.random.default_rng(3)
W, X, S = rng.normal(size=(4, 3)), rng.normal(size=(300, 4)), rng.normal(size=(300, 3))
y = rng.integers(3, size=300)
PARAMS = {"W1": rng.normal(size=(4, 5)), "b1": np.ones(5), "W2": rng.normal(size=(5, 3)),
          "b2": np.zeros(3)}  # fmt: skip
DEEP = {**PARAMS, "W2": rng.normal(size=(5, 5)), "b2": np.ones(5), "W3": PARAMS["W2"],
        "b3": PARAMS["b2"]}  # fmt: skip
CALLS = [
    ("svm_loss", (S, y), {"delta": 0.7}),
    ("softmax_loss", (S, y), {}),
    ("svm_loss_vectorized", (W, X, y, 0.3), {"delta": 0.7, "reg_scale": 1.0}),
    ("svm_loss_naive", (W, X, y, 0.3), {"delta": 0.7}),
    ("softmax_loss_vectorized", (W, X, y, 0.3), {"reg_scale": 1.0}),
    ("softmax_loss_naive", (W, X, y, 0.3), {}),
    ("svm_input_gradient", (W, X, y), {"delta": 0.7}),
    ("softmax_input_gradient", (W, X, y), {}),
    ("l2_penalty", (W, 0.3), {}),
    ("net_scores", (PARAMS, X), {}),
    ("net_loss", (PARAMS, X, y, 0.3, 1.0), {}),
    ("net_scores", (DEEP, X), {}),
    ("net_loss", (DEEP, X, y, 0.3, 1.0), {}),
]


@pytest.mark.usefixtures("_solved")
@pytest.mark.parametrize(("name", "args", "options"), CALLS, ids=[call[0] for call in CALLS])
def test_the_same_values_by_the_reference(name, args, options):
    wanted = getattr(original(losses), name)(*args, **options)
    assert_alike(getattr(losses, name)(*args, **options), wanted)


IMAGES, BIAS = rng.normal(size=(6, 2, 2)), np.ones(3)
AFFINE_RELU = ((IMAGES, W, BIAS), rng.normal(size=(6, 3)))
LAYER_CALLS = [
    ("affine_forward", (IMAGES, W, BIAS)),
    ("affine_backward", (S[:6], (IMAGES, W, BIAS))),
    ("relu_forward", (S,)),
    ("relu_backward", (S, S[::-1])),
    ("affine_relu_forward", (IMAGES, W, BIAS)),
    ("affine_relu_backward", (S[:6], AFFINE_RELU)),
    ("net_forward", (PARAMS, X)),
    ("net_backward", (PARAMS, S, [X, np.maximum(0, rng.normal(size=(300, 5)))])),
]


@pytest.mark.usefixtures("_solved")
@pytest.mark.parametrize(("name", "args"), LAYER_CALLS, ids=[call[0] for call in LAYER_CALLS])
def test_the_same_layers_by_the_reference(name, args):
    assert_alike(getattr(layers, name)(*args), getattr(original(layers), name)(*args))


@pytest.mark.usefixtures("_solved")
@pytest.mark.parametrize("rule", optim.RULES)
def test_the_same_steps_by_the_reference(rule):
    for options in ({}, {"learning_rate": 0.3}):
        found, wanted = W, W
        ours, theirs = dict(options), dict(options)
        for step in (W[::-1], np.cos(W)):
            found, ours = optim.RULES[rule](found, step, ours)
            wanted, theirs = original(optim).RULES[rule](wanted, step, theirs)
            assert_alike(found, wanted)
            assert_alike(ours, theirs)


def assert_alike(found, wanted):
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        found, wanted = (tuple(it[key] for key in wanted) for it in (found, wanted))
    if isinstance(wanted, tuple | list):
        for one, other in zip(found, wanted, strict=True):
            assert_alike(one, other)
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-13)


def trained(model, *args):
    history = model.train(*args, num_iters=25, batch_size=80, rng=np.random.default_rng(1))
    weights = model.params if isinstance(model, TwoLayerNet) else {"W": model.W}
    history = history if isinstance(history, dict) else {"losses": history}
    return {**weights, **history}


@pytest.mark.usefixtures("_solved")
@pytest.mark.parametrize("make", [LinearSVM, Softmax, lambda: TwoLayerNet(4, 5, 3, 1.0)])
def test_the_same_training_by_the_reference(make, request):
    args = (X, y, X[:50], y[:50], 0.1, 0.5, 0.2) if "Two" in repr(make()) else (X, y, 0.1, 0.2)
    wanted = trained(make(), *args)
    request.getfixturevalue("_edition")
    found = trained(make(), *args)
    assert wanted.keys() == found.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("_solved")
def test_a_solver_goes_by_the_learner_s_loop(request):
    def history():
        net = FullyConnectedNet([5, 5], 4, 3, weight_scale=1.0)
        data = {"X_train": X, "y_train": y, "X_val": X[:50], "y_val": y[:50]}
        config = {"learning_rate": 0.1}
        solver = Solver(net, data, optim_config=config, num_epochs=3, verbose=False)
        solver.train()
        return [*solver.loss_history, *solver.train_acc_history, *net.params["W1"].ravel()]

    wanted = history()
    request.getfixturevalue("_edition")
    np.testing.assert_allclose(history(), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.usefixtures("_solved")
def test_the_same_search_by_the_reference(request):
    grid = {"learning_rate": [0.1, 0.5, 0.0, 1e9], "reg": [0.0, 0.1, 1e9]}
    data = (X, y, X[:50], y[:50])
    wanted = search(Softmax, *data, grid, num_iters=30)
    request.getfixturevalue("_edition")
    found = search(Softmax, *data, grid, num_iters=30)
    assert repr(found) == repr(wanted)
    np.testing.assert_allclose(found.best_model.W, wanted.best_model.W)
    for settings in ([{"learning_rate": 0.1, "reg": 1.0}, {"learning_rate": 0.2, "reg": 2.0}],
                     {"learning_rate": [0.1, 0.2], "batch_size": [1, 2]}):  # fmt: skip
        with pytest.raises(ValueError, match="settings must be a grid in the students' edition"):
            search(Softmax, *data, settings, num_iters=30)


@pytest.mark.usefixtures("_solved", "_edition")
def test_who_diverges_is_told_the_iteration(capsys):
    with pytest.raises(
        cs231n_helpers.NotFiniteError, match=r"diverged at iteration [1-9]"
    ) as caught:
        TwoLayerNet(4, 5, 3, 1.0).train(X, y, X, y, 1e200)
    assert caught.value.iteration > 0
    with pytest.raises(
        cs231n_helpers.NotFiniteError, match="diverged at iteration 0: the loss is nan"
    ):
        cs231n_helpers.LinearClassifier(lambda W, *_: (np.nan, W)).train(X, y)
    LinearSVM().train(X, y, num_iters=101, verbose=True)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "iteration 0 / 101", "iteration 100 / 101",
    ]  # fmt: skip


def test_what_is_open_is_named_and_what_is_right_is_kept(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(solved, "functions", {})
    with pytest.raises(OpenExerciseError) as caught:
        losses.svm_input_gradient(W, X, y)
    assert "This needs Exercise 4.1 (svm_dx) of 04_dx_derivation.ipynb" in str(caught.value)
    assert losses.l2_penalty(W, 0.0)[0] == 0.0  # no penalty needs nobody
    solved.keep("penalty", function_from(solutions()["penalty"], "penalty"))
    monkeypatch.setattr(solved, "functions", {})  # as in another notebook
    assert losses.l2_penalty(np.ones(3), 2.0)[0] == 3.0
    assert [path.name for path in (tmp_path / "solved").iterdir()] == ["penalty.py"]


def test_waiting_cells_name_each_notebook_once():
    some = ["svm_naive", "svm_gradient", "penalty", "softmax_dx"]
    assert solved.named(some) == (
        "Exercises 1.1 (hinge_loops), 1.2 (hinge_gradient_loops) and 1.4 (penalty) of 01_svm.ipynb"
        ", and 4.2 (softmax_dx) of 04_dx_derivation.ipynb"
    )
    assert solved.named(["svm_dx"]) == "Exercise 4.1 (svm_dx) of 04_dx_derivation.ipynb"


# ---- the bundle ----

EXAMPLES = """
import doctest, importlib, pkgutil
import cs231n_helpers
for module in list(pkgutil.walk_packages(cs231n_helpers.__path__, "cs231n_helpers.")):
    module = importlib.import_module(module.name)
    assert "assignment" in module.__file__
    if module.__name__.split(".")[1] in ("losses", "classifiers", "search", "explorers"):
        print(doctest.testmod(module).failed, "failed:", module.__name__)
"""


def put_solutions(assignment):
    (assignment / "solved").mkdir()
    for exercise, source in solutions().items():
        (assignment / "solved" / f"{exercise}.py").write_text(source, "utf-8")


def in_bundle(assignment):
    return {**os.environ, "PYTHONPATH": str(assignment), "CS231N_PROGRESS": "0"}


def test_the_edition_imports_and_its_examples_run(assignment):
    put_solutions(assignment)
    command = [sys.executable, "-c", EXAMPLES]
    result = subprocess.run(
        command, cwd=assignment, env=in_bundle(assignment), capture_output=True, encoding="utf-8"
    )
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) > 3
    assert all(line.startswith("0 failed") for line in lines), result.stdout


def run(notebooks, **options):
    """Run notebooks as Jupyter's Run All does, two at a time: to the end, or to the first error.

    They come as pairs of a folder and a notebook.
    """

    async def execute(folder, notebook, turn):
        client = NotebookClient(
            notebook, timeout=300, kernel_name="python3",
            resources={"metadata": {"path": str(folder)}}, **options,
        )  # fmt: skip
        async with turn:
            with suppress(CellExecutionError):
                await client.async_execute(env=in_bundle(folder) | {"OPENBLAS_NUM_THREADS": "1"})

    async def execute_all():
        turn = asyncio.Semaphore(2)
        await asyncio.gather(*(execute(*pair, turn) for pair in notebooks))

    asyncio.run(execute_all())


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(notebook):
    return "".join(o.get("text", "") for c in notebook.cells for o in c.get("outputs", ()))


def test_untouched_it_says_what_is_open_and_goes_on(assignment):
    """One after the other in one kernel, whose names are cleared: to start four takes most time."""
    cells = []
    for name in NOTEBOOKS:
        first = next(it.function for it in EXERCISES.values() if it.notebook == name)
        code = code_of(nbformat.read(assignment / f"{name}.ipynb", as_version=4))
        end = next(k for k, cell in enumerate(code) if f", {first})" in cell.source) + 1
        sources = [cell.source for cell in code[:end]]
        cells += [new_code_cell(source) for source in (*sources, "%reset -f")]
    notebook = new_notebook(cells=cells)
    run([(assignment, notebook)], allow_errors=True)
    assert said(notebook).count("This cell waits for Exercise") >= 2
    assert said(notebook).count(" is open: write it in the cell above") == len(NOTEBOOKS)
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "error"]
    assert not (assignment / "solved").exists()


@pytest.mark.slow(40)
@pytest.mark.parametrize("others", ["solved", "open"])
def test_with_the_reference_it_runs_to_the_end(build, tmp_path, others):
    """What needs an exercise that is open waits for it: elsewhere a tag "needs:" is missing."""
    notebooks = []
    for name in NOTEBOOKS:
        folder = tmp_path / name
        shutil.copytree(build / "assignment", folder)
        if others == "solved":  # as in a second run: no cell waits any more
            put_solutions(folder)
        text = shorter((folder / f"{name}.ipynb").read_text("utf-8"))
        notebooks.append((folder, fill_in(nbformat.reads(text, as_version=4), solutions())))
    run(notebooks)
    for _, notebook in notebooks:
        errors = [o for c in code_of(notebook) for o in c.outputs if o.output_type == "error"]
        assert not errors, "\n".join(errors[0].traceback)
        assert all(cell.execution_count for cell in code_of(notebook))
        if others == "solved":
            assert "This cell waits" not in said(notebook)


def test_whoever_is_stuck_goes_on(build, assignment):
    """Exercise 4.1 stays open: 4.2 and 4.3 can be solved, and what needs 4.1 says so."""
    reference = (build / "reference.zip").read_bytes()
    given = fill_in(student_notebook("04_dx_derivation"), solutions())
    cells = {cell.id: cell for cell in given.cells}
    empty = student_notebook("04_dx_derivation")
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
        new_code_cell("%%after dx-05-code svm_dx\nten = 10\nten + 1"),
        new_code_cell("%%after dx-05-code svm_dx\nten / 0"),
    ])  # fmt: skip
    run([(assignment, notebook)], allow_errors=True)
    outputs = [cell.outputs for cell in notebook.cells]
    assert "Exercise 4.1 (svm_dx) is open" in outputs[2][0].text
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
    assert outputs[17][0].data == {"text/plain": "11"}
    assert [output.ename for output in outputs[18]] == ["ZeroDivisionError"]
    assert "----> 1 ten / 0" in re.sub(r"\x1b\[[\d;]*m", "", "\n".join(outputs[18][0].traceback))
    assert {path.name for path in (assignment / "solved").iterdir()} >= {"softmax_dx.py"}
