"""What students are given, once for all tests of grading."""

import shutil
from pathlib import Path

import pytest
from handed_in import hand_in

PACKAGE = Path(__file__).resolve().parent.parent.parent / "cs231n_helpers"


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """Small notebooks, and here the whole package, which no test of ours uses."""
    folder = hand_in(tmp_path_factory.mktemp("released"))
    unused = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=unused)
    return folder
