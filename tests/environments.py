"""Run `make test` on strange machines: ``python tests/environments.py [NAMES] [--args ARGS]``.

Each environment is this machine with something odd. By hand, as each takes as long as the tests
do; with --args=tests/core, for instance, it is less. Some need Linux and bubblewrap.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BWRAP = ["bwrap", "--dev-bind", "/", "/"]
MATPLOTLIBRC = (
    "figure.figsize: 1, 1\nfont.family: fantasy\nfont.size: 30\nfigure.max_open_warning: 1\n"
)
STARTUP = "import numpy\nprint('hello')\nnp = 1\nnumpy.set_printoptions(precision=2)\n"
IPYTHON = """\
c = get_config()
c.InteractiveShellApp.exec_lines = ["%precision 2", "%load_ext autoreload"]
"""


@dataclass(frozen=True)
class Strange:
    """What is odd: {home} is a new home folder, {root} the checkout."""

    what: str
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    around: list[str] = field(default_factory=list)  # the command that runs the rest


ENVIRONMENTS = {
    "backend": Strange("a backend of Matplotlib that is not there", {"MPLBACKEND": "module://no"}),
    "window": Strange("a backend with windows", {"MPLBACKEND": "TkAgg"}),
    "matplotlibrc": Strange(
        "other fonts and sizes, wherever Matplotlib looks for them",
        {"MATPLOTLIBRC": "{home}/.config/matplotlib"},
        {
            f"{folder}/matplotlibrc": MATPLOTLIBRC
            for folder in ("{root}", "{root}/notebooks", "{home}/.config/matplotlib")
        },
    ),
    "ascii": Strange(
        "an ASCII locale that Python does not mend",
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    "read-only": Strange(
        "a checkout that cannot be written", around=[*BWRAP, "--ro-bind", "{root}", "{root}"]
    ),
    "ipython": Strange(
        "IPython's and Jupyter's settings",
        {"JUPYTER_CONFIG_DIR": "{home}/.jupyter", "PYTHONSTARTUP": "{home}/startup.py"},
        {
            "{home}/startup.py": STARTUP,
            "{home}/.ipython/profile_default/startup/mine.py": STARTUP,
            "{home}/.ipython/profile_default/ipython_config.py": IPYTHON,
            "{home}/.jupyter/jupyter_config.py": "c.KernelManager.kernel_cmd = ['false']\n",
            "{home}/.local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"]}',
        },
    ),
    "no-home": Strange("no home folder", {"HOME": "/nonexistent"}),
    "locked-home": Strange(
        "a home folder that cannot be written", around=[*BWRAP, "--ro-bind", "{home}", "{home}"]
    ),
    "small": Strange(
        "a small temporary folder",
        {"TMPDIR": "/mnt"},
        around=[*BWRAP, "--size", str(400 * 2**20), "--tmpfs", "/mnt"],
    ),
    "python": Strange(
        "Python's own variables, and pytest's",
        {
            "PYTEST_ADDOPTS": "--maxfail=1 --nonsense",
            "PYTHONOPTIMIZE": "2",
            "PYTHONPATH": "{home}",
            "PYTHONSAFEPATH": "1",
            "PYTHONWARNINGS": "error",
        },
        {"{home}/cs231n_helpers.py": "1 / 0", "{home}/sitecustomize.py": "1 / 0"},
    ),
    "terminal": Strange(
        "a narrow, colored terminal, another time zone, files for their owner only",
        {"COLUMNS": "20", "FORCE_COLOR": "1", "TERM": "dumb", "TZ": "Pacific/Chatham"},
        around=["sh", "-c", 'umask 077; exec "$@"', "sh"],
    ),
    "background": Strange(
        "a shell that starts it with & and nohup",
        around=["sh", "-c", 'trap "" INT HUP; exec "$@"', "sh"],
    ),
    "settings": Strange(
        "this project's variables",
        {"CS231N_CACHE": "/nonexistent", "CS231N_DATA": "cifar10", "CS231N_PROGRESS": "1"},
    ),
    "threads": Strange(
        "eight threads", {"OMP_NUM_THREADS": "8", "OPENBLAS_NUM_THREADS": "8"}
    ),
}  # fmt: skip


def run(strange: Strange, make: list[str], log: Path) -> bool:
    """Run a command in an environment; return whether it succeeded."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as end:
        filled = {"{home}": home, "{root}": str(ROOT)}

        def fill(text: str) -> str:
            return re.sub(r"\{home\}|\{root\}", lambda match: filled[match[0]], text)

        for name, content in strange.files.items():
            path = Path(fill(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
            end.callback(path.unlink)
        variables = {name: fill(value) for name, value in strange.variables.items()}
        command = [*map(fill, strange.around), *make]
        environment = {**os.environ, "HOME": home, **variables}
        with log.open("wb") as file:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
    return done.returncode == 0


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:14}{it.what}" for name, it in ENVIRONMENTS.items()),
    )
    parser.add_argument("names", nargs="*", metavar="NAMES", help="which (all)")
    parser.add_argument("--args", default="", help="for pytest: what else than all is run")
    options = parser.parse_args()
    if unknown := set(options.names) - ENVIRONMENTS.keys():
        parser.error(f"no such environment: {', '.join(unknown)}; there are the ones below --help")
    failed = 0
    for name in options.names or ENVIRONMENTS:
        started, log = time.perf_counter(), Path(tempfile.gettempdir(), f"environment-{name}.log")
        passed = run(ENVIRONMENTS[name], ["make", "test", f"ARGS={options.args}"], log)
        failed += not passed
        counts = re.findall(r"\d+ \w+(?:, \d+ \w+)* in .*", log.read_text("utf-8", "replace"))
        print(
            f"{name:14}{'passed' if passed else 'FAILED'} {time.perf_counter() - started:5.0f} s  "
            f"{counts[-1] if counts else ''}{'' if passed else f' {log}'}",
            flush=True,
        )
    return failed


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # what is odd then goes, too
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    raise SystemExit(main())
