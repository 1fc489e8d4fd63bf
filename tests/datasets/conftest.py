"""Folders of small data sets, and an environment that names none."""

import pytest
from small_sets import WRITERS, make_batches, write_fashion, write_pickled


@pytest.fixture(autouse=True)
def no_switches(monkeypatch):
    for name in ("CS231N_DATA", "CS231N_CIFAR10", "CS231N_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fashion(tmp_path):
    """Return a folder with 30 images to train and 12 to test, and the arrays in it."""
    return tmp_path, write_fashion(tmp_path, 30, 12)


@pytest.fixture(params=WRITERS)
def cifar(request, tmp_path):
    """Return a folder in one of the layouts, 8 records a file, and what is in it."""
    root = tmp_path / request.param
    root.mkdir()
    batches = make_batches(8)
    WRITERS[request.param](root, batches)
    return root, batches


@pytest.fixture
def pickled(tmp_path):
    batches = make_batches(4)
    write_pickled(tmp_path, batches)
    return tmp_path, batches
