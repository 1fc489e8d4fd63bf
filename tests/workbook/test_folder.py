"""A workbook's folder: what a learner wrote is never overwritten, and what has changed is said."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from cs231n_helpers.workbook import command, folder, lessons
from cs231n_helpers.workbook.edition import RECORD

NAMES = lessons.lesson_names()
ALL = sorted([*(f"{name}.ipynb" for name in NAMES), "README.md"])
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def book(tmp_path, capsys):
    assert command.main([str(tmp_path / "book")]) == 0
    said = capsys.readouterr().out
    assert said == f"{tmp_path / 'book'}: your copy of {len(NAMES)} lessons, with open exercises\n"
    return tmp_path / "book"


def names(place):
    return sorted(path.name for path in place.iterdir())


def again(place, *options, status=0):
    assert command.main([str(place), *options]) == status


def test_the_first_run_copies_and_the_next_leaves_all_as_it_is(book, capsys):
    assert names(book) == ALL
    for name in NAMES:
        nbformat.validate(nbformat.read(book / f"{name}.ipynb", as_version=4))
    mine = book / "02_softmax.ipynb"
    solved = mine.read_text("utf-8").replace("raise NotImplementedError", "return 7 #")
    mine.write_text(solved, "utf-8")
    (book / "04_dx_derivation.ipynb").unlink()
    before = {path.name: path.read_bytes() for path in book.iterdir()}
    again(book)
    assert capsys.readouterr().out == f"{book}: 04_dx_derivation.ipynb put beside what you have\n"
    assert names(book) == ALL
    assert {name: (book / name).read_bytes() for name in before} == before
    again(book)
    assert capsys.readouterr().out == f"{book}: your copy, as you left it\n"


def test_what_has_changed_in_a_lesson_is_said_until_there_is_a_fresh_copy(
    book, capsys, monkeypatch
):
    def lesson(name):
        notebook = lessons.lesson(name)
        if name == "02_softmax":
            headings = [c for c in notebook.cells if c.source.startswith("## ")]
            headings[0].source += "\n\nMore."
            notebook.cells += [new_markdown_cell("## A new section\n\nText.", id="new")]
            notebook.cells.remove(headings[3])
        return notebook

    first, *_ = [c.source for c in lessons.lesson("02_softmax").cells if c.source.startswith("## ")]
    monkeypatch.setattr(folder, "lesson", lesson)
    monkeypatch.setattr("cs231n_helpers.workbook.edition.lesson", lesson)
    before = (book / "02_softmax.ipynb").read_bytes()
    again(book)
    changed, remedy, _ = capsys.readouterr().out.splitlines()
    heading = first.splitlines()[0].lstrip("# ")
    assert changed == (
        f'02_softmax.ipynb: the lesson has changed since, in "{heading}" and "A new section", and '
        "1 cell has gone"
    )
    assert remedy == (
        f"A fresh copy beside yours: python -m cs231n_helpers.workbook --fresh 02_softmax {book}"
    )
    again(book, "--fresh", "02")
    assert capsys.readouterr().out == f"{book / '02_softmax-2.ipynb'}: a fresh copy\n"
    assert (book / "02_softmax.ipynb").read_bytes() == before
    again(book)
    assert capsys.readouterr().out == f"{book}: your copy, as you left it\n"


def test_many_changes_are_counted():
    notebook = lessons.lesson("01_svm")
    was = {cell.id: "" for cell in notebook.cells} | {"a": "", "b": ""}
    said = folder.changes(was, notebook)
    assert re.fullmatch(r"in \d+ sections, and 2 cells have gone", said)
    was = folder.fingerprints(notebook) | {"a": ""}
    assert folder.changes(was, notebook) == "1 cell has gone"


def test_a_fresh_copy_takes_the_next_free_name(book, capsys):
    for name in ("02_softmax", "02_softmax.ipynb", "02"):
        again(book, "--fresh", name)
    (book / "03_two_layer_net.ipynb").unlink()
    again(book, "--fresh", "03")
    more = {"02_softmax-2.ipynb", "02_softmax-3.ipynb", "02_softmax-4.ipynb"}
    assert set(names(book)) == {*ALL, *more}
    capsys.readouterr()
    again(book, "--fresh", "42_answers", status=1)
    assert capsys.readouterr().err.startswith("there is no lesson '42_answers': the choices are 0")


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"metadata": {"cs231n_helpers": 7}}',
                                     '{"metadata": {"cs231n_helpers": {"lesson": "01_svm"}}}',
                                     "[" * 100_000])  # fmt: skip
def test_what_cannot_be_read_stays(book, capsys, content):
    (book / "01_svm.ipynb").write_text(content, "utf-8")
    again(book)
    assert "01_svm.ipynb stays as it is, but it cannot be read" in capsys.readouterr().out
    assert (book / "01_svm.ipynb").read_text("utf-8") == content


def test_a_link_that_leads_nowhere_is_something(book):
    (book / "01_svm.ipynb").unlink()
    try:
        (book / "01_svm.ipynb").symlink_to(book / "elsewhere")
    except OSError:
        pytest.skip("this system lets users make no links")
    again(book)
    assert not (book / "elsewhere").exists()


def test_another_copy_has_its_own_record(book):
    noted = json.loads((book / "01_svm.ipynb").read_text("utf-8"))["metadata"][RECORD]
    assert noted["lesson"] == "01_svm"
    assert folder.record(book / "01_svm.ipynb", "01_svm") == noted["cells"]
    assert folder.record(book / "01_svm.ipynb", "02_softmax") is None


# ---- what is in the way ----


def test_a_file_in_its_place_is_told(tmp_path, capsys):
    (tmp_path / "book").write_text("mine", "utf-8")
    again(tmp_path / "book", status=1)
    assert capsys.readouterr().err == (
        f"{tmp_path / 'book'} is a file, no folder: move it away, or name another folder\n"
    )
    again(tmp_path / "book" / "inside", status=1)
    assert " cannot be written (" in capsys.readouterr().err


def test_the_worked_edition_is_no_workbook(capsys):
    before = names(lessons.lessons_folder())
    again(lessons.lessons_folder(), status=1)
    again(lessons.lessons_folder(), "--fresh", "01", status=1)
    assert capsys.readouterr().err.count("is the worked edition: name another folder\n") == 2
    assert names(lessons.lessons_folder()) == before


def test_a_full_disk_leaves_nothing_half_done(tmp_path, capsys, monkeypatch):
    def full(notebook, path):
        Path(path).write_text("half", "utf-8")
        if notebook.metadata[RECORD]["lesson"] == NAMES[1]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(nbformat, "write", full)
    again(tmp_path / "book", status=1)
    assert capsys.readouterr().err == (
        f"{tmp_path / 'book'} cannot be written ({os.strerror(errno.ENOSPC)}): mend that, or name "
        "another folder; what you have stays\n"
    )
    assert names(tmp_path / "book") == [f"{NAMES[0]}.ipynb"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path, capsys):
    (tmp_path / "book").mkdir(mode=0o500)
    again(tmp_path / "book", status=1)
    assert "cannot be written (Permission denied)" in capsys.readouterr().err


def test_from_the_command_line(tmp_path):
    command_line = [sys.executable, "-m", "cs231n_helpers.workbook"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command_line, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"workbook: your copy of {len(NAMES)} lessons, with open exercises\n"
    assert names(tmp_path / "workbook") == ALL


@pytest.mark.skipif(os.name != "posix", reason="make may be missing")
def test_make_lab_opens_it_and_make_workbook_brings_a_fresh_copy():
    def would_run(*arguments):
        command_line = ["make", "-n", "-o", ".venv/.ready", *arguments]
        done = subprocess.run(command_line, cwd=ROOT, capture_output=True, encoding="utf-8")
        return [line for line in done.stdout.splitlines() if " -m " in line]

    made, opened = would_run("lab")
    assert made.endswith(" -m cs231n_helpers.workbook workbook")
    assert " -m jupyterlab " in opened
    assert " workbook/ " in f"{opened} "
    (opened,) = would_run("lab", "FOLDER=notebooks", "NAME=02_softmax.ipynb")
    assert " notebooks/02_softmax.ipynb" in opened
    (fresh,) = would_run("workbook", "FRESH=02_softmax")
    assert fresh.endswith(" -m cs231n_helpers.workbook workbook --fresh 02_softmax")
