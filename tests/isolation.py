"""Tests and lessons without the settings of whoever runs them.

``python -E tests/isolation.py ...`` runs Python with the arguments ... in an environment in which
no variable of the user's speaks to Python, pytest, Jupyter, Matplotlib and their like.
`isolate` also gives this process and those that it starts, kernels for instance, a home folder of
their own: build/home, or a temporary one where the checkout cannot be written.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: All that begins with one of these changes what is shown, said or read, or makes each of a hundred
#: processes compile what it imports.
SETTINGS = re.compile(
    r"CLICOLOR|COLUMNS$|CS231N_(CACHE|DATA|PROGRESS)|DASK_|FORCE_COLOR|HYPOTHESIS_|IPYTHON|JUPYTER"
    r"|LINES$|MATPLOTLIB|MPL|NO_COLOR|NPY_|PIP_|PYTEST_(ADDOPTS|DEBUG|DISABLE|PLUGINS|THEME)"
    r"|PYTHON(?!PATH$|PYCACHEPREFIX$)|PY_COLORS|XDG_"
)
HOMES = ("CS231N_HOME", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
#: Run by each kernel: the matplotlibrc of a notebook's folder would come before all others.
STARTUP = """\
import os

if os.path.exists("matplotlibrc"):
    import matplotlib

    matplotlib.rcParams.update(matplotlib.rcParamsDefault)
    del matplotlib
del os
"""


def clean() -> None:
    """Take the user's settings out of the environment."""
    for name in list(os.environ):
        if SETTINGS.match(name):
            del os.environ[name]


def isolate() -> None:
    """Do so, and make a home folder without settings that of this process and its children."""
    if os.environ.get("CS231N_HOME"):
        return  # a parent has done it
    clean()
    home = ROOT / "build" / "home"
    try:
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
    except OSError:
        home = Path(tempfile.mkdtemp(prefix="cs231n-home-"))
        atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in HOMES:
        os.environ[name] = str(home)
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(home / "hypothesis")
    startup = home / ".ipython" / "profile_default" / "startup" / "isolation.py"
    startup.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text(STARTUP, "utf-8")


if __name__ == "__main__":
    clean()
    os.environ.pop("PYTHONPATH", None)
    command = [sys.executable, *sys.argv[1:]]
    sys.path.insert(0, str(ROOT))
    from classroom.orderly import end_with_make

    end_with_make()
    if os.name == "posix":
        os.execv(sys.executable, command)
    sys.exit(subprocess.call(command))
