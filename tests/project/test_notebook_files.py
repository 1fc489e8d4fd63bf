"""The guard over stored notebooks: each hole that nbval leaves open is seen, and nothing else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import notebooks as tool


def printed(text, name="stdout"):
    return [new_output("stream", name=name, text=text)]


def shown(data, **metadata):
    return [new_output("display_data", data=data, metadata=metadata)]


def cell(source="1 + 1", count=1, *, outputs=None, tags=()):
    outputs = printed("2\n") if outputs is None else outputs
    metadata = {"tags": list(tags)}
    return new_code_cell(source, execution_count=count, outputs=outputs, metadata=metadata)


def problems(*cells):
    return list(tool.problems(new_notebook(cells=list(cells))))


ERROR = new_output("error", ename="ValueError", evalue="x", traceback=[])


def test_a_good_notebook_has_none():
    text = r"[link](https://cs231n.github.io/classify/), $L/N$, `a/b/c`, </details>, $\frac12/3/4$"
    figure = shown({"image/png": ""}, **{"image/png": {"alt": "A line."}})
    assert problems(cell(outputs=figure)) == []
    assert problems(new_markdown_cell(text), cell(), cell("x / y / z", 2), cell("a/b", 3)) == []
    assert problems(cell(outputs=[ERROR], tags=["raises-exception"])) == []


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([cell(count=None)], r"execution counts are \[None\], not 1 to 1"),
        ([cell(count=2), cell(count=1)], "not run top to bottom"),
        ([cell(count=1), cell(count=3)], "not run top to bottom"),
        ([cell(outputs=[])], "has no stored output"),
        ([cell("")], "is an empty code cell"),
        ([cell(tags=["nbval-skip"])], "is marked to be skipped"),
        ([cell("1 # NBVAL_SKIP")], "is marked to be skipped"),
        ([cell(tags=["raises-exception"])], "is marked raises-exception and raised nothing"),
        ([cell("1\n# NBVAL_RAISES_EXCEPTION")], "is marked raises-exception and raised nothing"),
        ([cell(outputs=[ERROR])], "ended in ValueError"),
        ([cell(outputs=printed("oh no", "stderr"))], "stderr: 'oh no'"),
        ([cell("open('/srv/me/x.npz')")], "names the absolute path /srv/me/x.npz"),
        ([cell(r"open('C:\\Users\\me')")], "names the absolute path C:"),
        ([new_markdown_cell("see /usr/share/x"), cell()], "names the absolute path /usr/share/x"),
        ([cell(outputs=printed("at /opt/x/y.py:3"))], "stores the absolute path /opt/x/y.py"),
        ([cell(outputs=shown({"text/plain": "'/opt/x'"}))], "stores the absolute path /opt/x"),
        ([cell(outputs=shown({"image/png": ""}))], "stores a figure without alternative text"),
        ([cell(outputs=shown({tool.LIVE: {"model_id": "0"}}))], "stores a live control"),
    ],
)
def test_each_hole(cells, text):
    found = problems(*cells)
    assert len(found) == 1
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(found[0])


def write(path, *sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


def test_run_stores_what_came_out(tmp_path, capsys):
    path = write(tmp_path / "a.ipynb", "import os\nprint(os.environ['CS231N_PROGRESS'])", "2 + 3")
    assert tool.main(["run", str(path)]) == 0
    stored = nbformat.read(path, as_version=4)
    assert [c.execution_count for c in stored.cells] == [1, 2]
    assert stored.cells[0].outputs[0].text == "0\n"
    assert stored.cells[1].outputs[0].data == {"text/plain": "5"}
    assert stored.metadata.language_info == {"name": "python"}
    assert all(not c.metadata for c in stored.cells)
    assert tool.check(path) == []
    assert capsys.readouterr().out.startswith("a.ipynb: ")
    assert list(tmp_path.iterdir()) == [path]


def test_run_stores_the_picture_that_stands_for_a_control(tmp_path):
    path = write(tmp_path / "a.ipynb", "import cs231n_helpers\ncs231n_helpers.explore_softmax()")
    assert tool.main(["run", str(path)]) == 0
    stored = nbformat.read(path, as_version=4)
    assert set(stored.cells[0].outputs[0].data) == {"image/png", "text/plain"}
    assert "widgets" not in stored.metadata
    assert tool.check(path) == []


def test_run_leaves_a_failing_notebook_as_it_was(tmp_path, capsys):
    path = write(tmp_path / "a.ipynb", "print(1)", "1 / 0")
    before = path.read_bytes()
    assert tool.main(["run", str(path)]) == 1
    assert path.read_bytes() == before
    assert "not stored" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_it_as_it_was_too(tmp_path, capsys, monkeypatch):
    def full(_notebook, path):
        path.write_text("half", "utf-8")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = write(tmp_path / "a.ipynb", "1 + 1")
    before = path.read_bytes()
    monkeypatch.setattr(tool, "execute", lambda _: None)
    monkeypatch.setattr(nbformat, "write", full)
    assert tool.main(["run", str(path)]) == 1
    assert path.read_bytes() == before
    first = capsys.readouterr().err.splitlines()[0]
    assert first == (
        "a.ipynb: not stored, and as it was: No space left on device; mend that and run it again"
    )
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no signals")
def test_an_interrupt_ends_it_with_one_line_and_its_kernel(tmp_path):
    first = write(tmp_path / "a.ipynb", "1 + 1")
    second = write(
        tmp_path / "b.ipynb",
        "import os, time\nopen('kernel', 'w').write(str(os.getpid()))",
        "time.sleep(600)",
    )
    before = second.read_bytes()
    command = [sys.executable, tool.__file__, "run", first, second]
    with subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as runs:
        while not (tmp_path / "kernel").exists():
            assert runs.poll() is None
            time.sleep(0.05)
        runs.send_signal(signal.SIGINT)
        said = runs.stderr.read().splitlines()
    assert runs.returncode == 130
    assert said[-1] == "stopped: a.ipynb stored, the rest is as it was"
    assert not [line for line in said if "Traceback" in line]
    assert second.read_bytes() == before
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "kernel").read_text("utf-8")), 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ipynb", "b.ipynb", "kernel"]


def test_check_says_what_and_fails(tmp_path, capsys):
    path = write(tmp_path / "a.ipynb", "print(1)")
    assert tool.main(["check", str(path)]) == 1
    assert "a.ipynb: execution counts are [None]" in capsys.readouterr().err
    (tmp_path / "b.ipynb").write_text("not json", "utf-8")
    assert tool.main(["check", str(tmp_path / "b.ipynb")]) == 1
    assert "b.ipynb: is no valid notebook" in capsys.readouterr().err
    assert tool.main(["check", str(tmp_path / "c.ipynb")]) == 1
    assert "c.ipynb: is no file" in capsys.readouterr().err


def test_what_nbval_sees(pytester, monkeypatch):
    """A cell that no longer raises fails, a progress bar is silent, and the summary has a line."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    pytester.makeconftest((tool.FOLDER.parent / "conftest.py").read_text("utf-8"))
    bar = (
        "import time\nfrom cs231n_helpers import progress\n"
        "for _ in progress(range(3)):\n    time.sleep(0.6)\nprint('done')"
    )
    cells = {
        "raises": cell("x = 1", outputs=[ERROR], tags=["raises-exception"]),
        "silent": cell(bar, outputs=printed("done\n")),
    }
    for name, only in cells.items():
        nbformat.write(new_notebook(cells=[only]), pytester.path / f"{name}.ipynb")
    arguments = ["--nbval", "--nbval-current-env", "-p", "no:xdist", "-p", "no:cacheprovider"]
    result = pytester.runpytest_subprocess(*arguments, *(f"{name}.ipynb" for name in cells))
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["raises.ipynb: 1 cells 1 FAILED, * s", "silent.ipynb: 1 cells passed, * s"]
    )


@pytest.mark.parametrize("path", sorted(tool.FOLDER.glob("*.ipynb")), ids=lambda path: path.name)
def test_every_figure_is_put_into_words(path):
    cells = nbformat.read(path, as_version=4).cells
    for k, figure in enumerate(cells):
        if any("image/png" in output.get("data", {}) for output in figure.get("outputs", ())):
            before = next(c.source for c in cells[k::-1] if c.cell_type == "markdown")
            after = cells[k + 1].source if cells[k + 1].cell_type == "markdown" else ""
            assert "to see" in before.lower() + after.lower(), figure.source


@pytest.mark.skipif(os.name != "posix", reason="asks whether a process is alive")
def test_connection_files_of_a_run_that_was_killed_are_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    ours = tool.connections(tmp_path)
    (ours.parent / str(dead.pid)).mkdir()
    (ours.parent / str(dead.pid) / "kernel.json").touch()
    assert tool.connections(tmp_path) == ours
    assert list(ours.parent.iterdir()) == [ours]


def pages():
    return sorted(tool.FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_no_stored_figure_lacks_its_alternative_text(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                assert tool.alternative(output) == output.data["text/plain"], cell.source
                assert not output.data["text/plain"].startswith("<Figure"), cell.source


@pytest.mark.slow
def test_no_image_of_a_page_lacks_it():
    """Of one lesson, which has all kinds: figures, images and what can be moved."""
    images = BeautifulSoup(tool.page(tool.FOLDER / "01_svm.ipynb"), "html.parser").select("img")
    assert len(images) == 5
    for image in images:
        text = image.get("alt", "")
        assert text, str(image)[:80]
        assert "No description" not in text
