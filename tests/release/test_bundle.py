"""The bundle holds what it says, gives nothing away, and is the same each time."""

from __future__ import annotations

import errno
import os
import re
import runpy
import shutil
import signal
import threading
import tomllib
import zipfile

import leaks
import pytest
import yaml
from filelock import FileLock

from classroom import orderly
from classroom.release import bundle
from cs231n_helpers.exercises import EXERCISES

ALL = [".lock", "assignment", "assignment.zip", "reference.zip"]


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
    full = {
        k: v for k, v in content(bundle.ROOT / "cs231n_helpers").items() if "__pycache__" not in k
    }
    given = content(build / "assignment" / "cs231n_helpers")
    assert given.keys() - full.keys() == {"solved.py"}
    assert {name for name in full if given[name] != full[name]} == {
        "__init__.py", "layers.py", "losses.py", "optim.py", "training.py", "many_runs.py",
    }  # fmt: skip
    assert given["__init__.py"].startswith(full["__init__.py"])


def test_making_it_again_changes_nothing(build, tmp_path):
    assert bundle.main(["--build", str(tmp_path)]) == 0
    first = content(tmp_path)
    (tmp_path / "assignment" / "left over.txt").write_text("from before", "utf-8")
    bundle.released.cache_clear()
    bundle.make(tmp_path)
    assert content(tmp_path) == first == content(build)
    assert sorted(path.name for path in tmp_path.iterdir()) == ALL


def write_little(folder):
    (folder / "assignment").mkdir()
    for name in ("assignment.zip", "reference.zip"):
        (folder / name).write_text("new", "utf-8")


def test_a_second_run_waits_for_the_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bundle, "write_all", write_little)
    second = threading.Thread(target=bundle.make, args=[tmp_path])
    with FileLock(tmp_path / ".lock"):
        second.start()
        second.join(0.2)
        assert second.is_alive()
    second.join()
    assert capsys.readouterr().err == (f"another run writes into {tmp_path}: waiting for its end\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ALL


def test_what_a_killed_run_leaves_goes_with_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "write_all", write_little)
    (tmp_path / ".unfinished" / "assignment").mkdir(parents=True)
    bundle.make(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ALL


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        shutil.Error([("from", "to", "No space left on device")]),
    ],
)
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, capsys, error):
    def full(folder):
        write_little(folder)
        raise error

    (tmp_path / "assignment.zip").write_text("old", "utf-8")
    monkeypatch.setattr(bundle, "write_all", full)
    assert bundle.main(["--build", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"{tmp_path} cannot be written (No space left on device): mend that, or give another "
        "folder with --build\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "assignment.zip"]
    assert (tmp_path / "assignment.zip").read_text("utf-8") == "old"


def test_stopped_it_says_so_in_a_line(monkeypatch, capsys):
    def stopped():
        raise KeyboardInterrupt(signal.SIGTERM)

    monkeypatch.setattr(bundle, "main", stopped)
    monkeypatch.setattr(orderly, "stop_at_signals", lambda: None)
    with pytest.raises(SystemExit) as end:
        runpy.run_module("classroom.release", run_name="__main__")
    assert end.value.code == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "stopped before all was made: run it again\n"


@pytest.fixture
def signals():
    """Those that ask a process to end; what is done with them is restored."""
    numbers = [getattr(signal, name, signal.SIGTERM) for name in ("SIGINT", "SIGTERM", "SIGHUP")]
    before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no signals")
def test_of_several_signals_the_first_counts(signals):
    orderly.stop_at_signals()
    with pytest.raises(KeyboardInterrupt) as stop:
        os.kill(os.getpid(), signal.SIGHUP)
    for number in signals:
        os.kill(os.getpid(), number)
    assert orderly.status(stop.value) == 128 + signal.SIGHUP
    assert orderly.status(KeyboardInterrupt()) == 130


def test_a_signal_that_is_ignored_stays_so(signals):
    signal.signal(signals[0], signal.SIG_IGN)
    orderly.stop_at_signals()
    handlers = [signal.getsignal(number) for number in signals]
    assert handlers[0] == signal.SIG_IGN
    assert callable(handlers[1])


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
