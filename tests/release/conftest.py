"""The bundle, made once, and a student's own copy of it."""

from __future__ import annotations

import zipfile

import pytest

from classroom.release import bundle


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("build")
    bundle.make(folder)
    return folder


@pytest.fixture
def assignment(build, tmp_path):
    with zipfile.ZipFile(build / "assignment.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path / "assignment"
