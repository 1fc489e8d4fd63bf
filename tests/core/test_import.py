"""What an import brings along: the names of the package, and nothing that is not needed yet."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cs231n_helpers

HEAVY = {"matplotlib", "scipy", "joblib", "multiprocessing", "tqdm", "pooch"}


@pytest.mark.parametrize("statement", ["import cs231n_helpers", "import cs231n_helpers.losses"])
def test_the_losses_load_neither_pictures_nor_optimizers(statement):
    code = f"import sys; {statement}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert "cs231n_helpers.losses" in loaded.stdout.split()
    assert not HEAVY & set(loaded.stdout.split())


def test_every_name_is_there_and_listed():
    names = {name: getattr(cs231n_helpers, name) for name in cs231n_helpers.__all__}
    assert [thing.__name__ for thing in names.values()] == list(names) == sorted(names)
    assert {*names, "plots", "doctor"} <= set(dir(cs231n_helpers))
    assert callable(cs231n_helpers.search)  # the function, not the module of the same name
    assert cs231n_helpers.plots.plot_search is cs231n_helpers.plot_search


def test_no_other_name_is_there():
    with pytest.raises(AttributeError, match=r"'cs231n_helpers' has no attribute 'sofmax_loss'"):
        cs231n_helpers.sofmax_loss  # noqa: B018
