"""No setting of the user's reaches a test, a kernel or what these start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import environments
import isolation
import nbformat
import pytest
from environments import ENVIRONMENTS, Strange
from isolation import ROOT
from nbformat.v4 import new_code_cell, new_notebook, new_output

STRANGE = {
    "COLUMNS": "20",
    "CS231N_DATA": "cifar10",
    "FORCE_COLOR": "1",
    "IPYTHONDIR": "/nowhere",
    "JUPYTER_CONFIG_PATH": "/nowhere",
    "MPLBACKEND": "module://nonsense",
    "MPLCONFIGDIR": "/nowhere",
    "PYTEST_ADDOPTS": "--nonsense",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "ascii",
    "PYTHONOPTIMIZE": "2",
    "PYTHONPATH": "/nowhere",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "error",
    "XDG_CONFIG_HOME": "/nowhere",
}


def outside(home):
    """The environment of a user with settings and this home folder."""
    ours = {k: v for k, v in os.environ.items() if k != "CS231N_HOME"}
    return {**ours, **STRANGE, "HOME": str(home)}


def test_no_variable_of_the_user_s_is_left(tmp_path):
    program = "import json, os, sys; print(json.dumps([dict(os.environ), sys.flags.optimize]))"
    command = [sys.executable, "-E", isolation.__file__, "-c", program]
    done = subprocess.run(
        command, env=outside(tmp_path), capture_output=True, encoding="utf-8", check=True
    )
    environment, optimize = json.loads(done.stdout)
    assert not environment.keys() & STRANGE.keys()
    assert optimize == 0
    assert environment["PATH"] == os.environ["PATH"]


def test_neither_do_settings_in_files_reach_a_kernel(tmp_path):
    """Nor pytest, whose options and colors they are."""
    home, folder = tmp_path / "home", tmp_path / "notebooks"
    startup = home / ".ipython" / "profile_default" / "startup"
    for path in (startup, home / ".config" / "matplotlib", folder):
        path.mkdir(parents=True)
    (startup / "mine.py").write_text("print('hello')\nnp = 1\n", "utf-8")
    (startup.parent / "ipython_config.py").write_text(
        "c = get_config()\nc.InteractiveShellApp.exec_lines = ['%precision 2']\n", "utf-8"
    )
    settings = "figure.figsize: 1, 1\nfigure.max_open_warning: 1\nbackend: TkAgg\n"
    for path in (folder, home / ".config" / "matplotlib"):
        (path / "matplotlibrc").write_text(settings, "utf-8")
    cells = {
        "import matplotlib.pyplot as plt\nplt.rcParams['figure.figsize']": "[6.4, 4.8]",
        "(0.123456, 'np' in globals(), 'os' in globals())": "(0.123456, False, False)",
        "'inline' in plt.get_backend(), plt.rcParams['figure.max_open_warning']": "(True, 20)",
    }
    code = [
        new_code_cell(
            source, execution_count=1, outputs=[new_output("execute_result", {"text/plain": text})]
        )
        for source, text in cells.items()
    ]
    nbformat.write(new_notebook(cells=code), folder / "a.ipynb")
    (folder / "conftest.py").write_text((ROOT / "conftest.py").read_text("utf-8"), "utf-8")
    options = ["--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "-q", "a.ipynb"]
    command = [sys.executable, "-E", isolation.__file__, "-m", "pytest", *options]
    done = subprocess.run(
        [*command, "-o", f"pythonpath={ROOT / 'tests'}"],
        cwd=folder, env=outside(home), capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "a.ipynb: 3 cells passed" in done.stdout
    assert not (home / ".cache").exists()


def test_where_the_checkout_cannot_be_written_home_is_a_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {})
    (tmp_path / "file").touch()
    monkeypatch.setattr(isolation, "ROOT", tmp_path / "file")
    isolation.isolate()
    home = Path(os.environ["HOME"])
    assert home.name.startswith("cs231n-home-")
    assert (home / ".ipython").is_dir()
    assert os.environ["CS231N_HOME"] == str(home)


def test_processes_that_are_started_keep_the_home(monkeypatch):
    monkeypatch.setattr(isolation, "clean", lambda: pytest.fail("once is enough"))
    isolation.isolate()
    assert os.environ["HOME"] == os.environ["CS231N_HOME"] != ""


@pytest.mark.skipif(os.name != "posix", reason="env and false")
def test_an_environment_is_made_and_goes(tmp_path):
    """Those of tests/environments.py are run by hand; this is how they come about."""
    strange = Strange("odd", {"A": "{home}/b"}, {"{home}/b": "c"}, ["env", "D={root}"])
    program = "import os; print(open(os.environ['A']).read(), os.environ['A'], os.environ['D'])"
    log = tmp_path / "log"
    assert environments.run(strange, [sys.executable, "-c", program], log)
    content, path, root = log.read_text("utf-8").split()
    assert (content, root) == ("c", str(ROOT))
    assert not Path(path).exists()
    assert not environments.run(strange, ["false"], log)
    assert len(ENVIRONMENTS) > 8
