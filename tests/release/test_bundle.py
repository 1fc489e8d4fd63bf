"""The bundle holds what it says, gives nothing away, and is the same each time."""

from __future__ import annotations

import re
import tomllib
import zipfile

import leaks
import yaml

from classroom.release import bundle
from cs231n_helpers.exercises import EXERCISES


def content(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def unpacked(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_line_of_a_solution_is_anywhere(build):
    files = unpacked(build / "assignment.zip")
    assert {f"assignment/{k}": v for k, v in content(build / "assignment").items()} == files
    texts = {name: data.decode("utf-8", "replace") for name, data in files.items()}
    assert list(leaks.in_files(texts)) == []
    for part in ("/tests/", "/benchmarks/", "/classroom/", "reference.zip", ".pyc"):
        assert not [name for name in files if part in name]
    for name, source in texts.items():
        if name.endswith(".py") and "/doctor/" not in name:
            assert not leaks.in_code(source), name


def test_all_but_what_is_replaced_is_the_package(build):
    full = {k: v for k, v in content(bundle.ROOT / "cs231n_helpers").items() if k.endswith(".py")}
    given = content(build / "assignment" / "cs231n_helpers")
    assert given.keys() - full.keys() == {"solved.py"}
    assert {name for name in full if given[name] != full[name]} == {
        "__init__.py", "losses.py", "training.py", "many_runs.py",
    }  # fmt: skip
    assert given["__init__.py"].startswith(full["__init__.py"])


def test_making_it_again_changes_nothing(build, tmp_path):
    assert bundle.main(["--build", str(tmp_path)]) == 0
    first = content(tmp_path)
    (tmp_path / "assignment" / "left over.txt").write_text("from before", "utf-8")
    bundle.released.cache_clear()
    bundle.make(tmp_path)
    assert content(tmp_path) == first == content(build)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "assignment", "assignment.zip", "reference.zip",
    ]  # fmt: skip


def test_what_students_read_is_true(build):
    assignment = build / "assignment"
    project = tomllib.loads((bundle.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["notebooks"]]
    names = [re.match(r"[\w-]+", requirement)[0] for requirement in needed]
    readme = (assignment / "README.md").read_text("utf-8")
    assert re.search(r"pip install (.*)", readme)[1].split() == names
    environment = yaml.safe_load((assignment / "environment.yml").read_text("utf-8"))
    conda = [it.replace("matplotlib-base", "matplotlib") for it in environment["dependencies"]]
    assert conda == [f"python{project['requires-python']}", *needed]
    for target in re.findall(r"\]\(([^)]+)\)", readme):
        assert (assignment / target).exists()
    for it in EXERCISES.values():
        low, high = re.search(rf"\({it.notebook}\.ipynb\) \| (\S+) to (\S+):", readme).groups()
        assert low <= it.number <= high
