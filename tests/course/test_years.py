"""The course's names of every year, used as its notebooks use them after the swap of an import.

The notebooks here are our own, cells of Python that import from ``cs231n``. They run on small
images in the official layout, and, where CS231N_CIFAR10 names a folder, on CIFAR-10 itself. Years
with the same notebook and the same penalty are one run.
"""

# The course draws from NumPy's global state, and so do these.
# ruff: noqa: NPY002

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from datasets.small_sets import make_batches, write_pickled

from cs231n_helpers.course import use_year

NOTEBOOKS = Path(__file__).with_name("notebooks")
OLD = ("svm", "softmax", "neural_net")
YEARS = {
    **dict.fromkeys(range(2016, 2021), OLD),
    **dict.fromkeys(range(2021, 2025), ("svm", "softmax", "two_layer_net")),
    **dict.fromkeys((2025, 2026), ("softmax", "two_layer_net", "fully_connected_nets")),
}
RUNS = {(name, year == 2016): [] for year, names in YEARS.items() for name in names}
for year, names in YEARS.items():
    for name in names:
        RUNS[name, year == 2016].append(year)
SMALL = {"VAL": 20, "ITERS": 20, "PARTS": (80, 20, 20), "HIDDEN": 20, "BATCH": 40, "EPOCHS": 2,
         "SOME": 60, "DIMS": [20, 20]}  # fmt: skip
FULL = {"VAL": 1_000, "ITERS": 1_500, "PARTS": (), "HIDDEN": 100, "BATCH": 200, "EPOCHS": 10,
        "SOME": 4_000, "DIMS": [200, 100]}  # fmt: skip
#: Of the validation images; the course names 0.35, 0.48 and 0.50.
ACCURACIES = {"softmax": 0.35, "two_layer_net": 0.48, "fully_connected_nets": 0.50}


def run(name, year, root, **settings):
    """Run a notebook of a year after the swap; return what its cells have made."""
    if year == 2016:
        use_year(2016)
    text = (NOTEBOOKS / f"{name}.txt").read_text("utf-8")
    swapped = re.sub(r"\bcs231n\.", "cs231n_helpers.course.", text)
    made = {"ROOT": root, "PENALTY": 0.5 if year == 2016 else 1.0, **settings}
    np.random.seed(year)
    for cell in re.split(r"^# %% ", swapped, flags=re.MULTILINE)[1:]:
        title, code = cell.split("\n", 1)
        exec(compile(code, f"{name}: {title}", "exec"), made)
    return made


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("cifar") / "cifar-10-batches-py"
    root.mkdir()
    write_pickled(root, make_batches(20))
    return root


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """What is saved is saved here; no year lasts, and no draw."""
    monkeypatch.chdir(tmp_path)
    state = np.random.get_state()
    yield
    np.random.set_state(state)
    use_year(2026)


@pytest.mark.parametrize(("name", "years"), [(name, years) for (name, _), years in RUNS.items()])
def test_notebooks_go_on_after_the_swap(name, years, images, monkeypatch):
    monkeypatch.setenv("CS231N_CIFAR10", str(images))
    run(name, years[0], images, **SMALL)


@pytest.mark.slow(30)
@pytest.mark.skipif("CS231N_CIFAR10" not in os.environ, reason="no folder of CIFAR-10 is named")
@pytest.mark.parametrize(("name", "least"), ACCURACIES.items())
def test_the_course_s_accuracies_are_reached_on_cifar10(name, least):
    year = max(year for year, names in YEARS.items() if name in names)
    assert run(name, year, os.environ["CS231N_CIFAR10"], **FULL)["val_accuracy"] > least


def test_the_table_says_what_runs_and_which_lesson_helps():
    map_ = (NOTEBOOKS.parents[2] / "notebooks" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (20\d\d) to (20\d\d) \| (\w+) \| (\w+)[^|]* \| (.*)\|$", map_, re.M)
    ours = {
        ("two_layer_net", 2016): "neural_net",
        ("FullyConnectedNets", 2025): "fully_connected_nets",
    }
    said: dict[int, set[str]] = {year: set() for year in YEARS}
    for first, last, name, runs, lessons in rows:
        assert (runs == "all") == bool(lessons.strip()), name
        for year in range(int(first), int(last) + 1):
            said[year].add(ours.get((name, int(first)), name) if runs == "all" else f"no {name}")
    assert said == {year: {*names, "no knn", "no features"} for year, names in YEARS.items()}
