"""Interrupt each long command at a random moment, and look at what it leaves behind.

    python tests/interrupts.py --times 10 --seed 1 search grading

A command is clean when, some seconds after the signal, no process of it lives, its temporary folder
and /dev/shm are as they were, and a second run works and leaves the files of a run that nobody
disturbed. Linux only; half an hour for everything ten times, and more on a busy machine.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from classroom.release import bundle
from classroom.release.notebooks import fill_in
from cs231n_helpers.workbook import solutions

ROOT = Path(__file__).resolve().parent.parent
#: What is sent, and whether to the whole group, as a terminal does, or to the leader alone.
SIGNALS = {
    "SIGINT": (signal.SIGINT, False),
    "Ctrl-C": (signal.SIGINT, True),
    "SIGTERM": (signal.SIGTERM, False),
    "SIGKILL": (signal.SIGKILL, False),
    "SIGHUP": (signal.SIGHUP, False),
    "hang-up": (signal.SIGHUP, True),
    "kill -9 all": (signal.SIGKILL, True),
}
PATIENCE = 20.0  # seconds after which a process that lives, and a file, are left behind
SEARCH = """
import numpy as np
from cs231n_helpers import TwoLayerNet, search
X = np.random.RandomState(0).standard_normal((2000, 200))
rates = {"learning_rate": [1e-3, 2e-3, 3e-3]}
search(TwoLayerNet, X, np.arange(2000) % 10, X[:99], np.arange(99) % 10, rates, n_jobs=2,
       num_iters=1000, hidden_size=50).best["val_accuracy"] >= 0
"""
DOWNLOAD = """
import sys
from cs231n_helpers.datasets import download
download.SHA256SUMS["cifar10"] = f"{sys.argv.pop()}  cifar-10-binary.tar.gz"
sys.exit(download.main())
"""


@dataclass
class Command:
    """A long command, run in a folder that holds `out`, what it writes, and `tmp`."""

    arguments: Callable[[Path], list[str]]
    prepare: Callable[[Path], None] = lambda folder: None
    kept: tuple[str, ...] = ()  # beginnings of names in tmp that are there for the next run
    resumed: tuple[str, ...] = ()  # the same, where the next run removes them
    waits: bool = False  # as make does for its children, but on SIGTERM
    environment: Mapping[str, str] = field(default_factory=dict)


class Started:
    """A command that was started, in a session of its own, with a mark that others inherit."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.folder, self._mark = folder, uuid.uuid4().hex
        self._others = {*Path("/dev/shm").iterdir()}
        self._family: set[psutil.Process] = set()
        environment = {"CS231N_INTERRUPTED": self._mark, "TMPDIR": str(folder / "tmp")}
        with (folder / "errors.txt").open("wb") as errors:
            self._process = subprocess.Popen(
                command.arguments(folder),
                cwd=ROOT,
                env={**os.environ, **environment, **command.environment, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def wait(self, seconds: float | None = None) -> int | None:
        """Return its status, None where it runs on."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send(self, number: int, to_all: bool) -> None:
        with suppress(psutil.NoSuchProcess):  # it ends by itself
            self._family |= {*psutil.Process(self._process.pid).children(recursive=True)}
        (os.killpg if to_all else os.kill)(self._process.pid, number)

    def living(self) -> set[psutil.Process]:
        """Its processes: those it had, and those that have its mark."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("CS231N_INTERRUPTED") == self._mark:
                    self._family.add(process)
        return {it for it in self._family if is_alive(it)}

    def files(self) -> set[str]:
        """What is in its temporary folder, and what it has in shared memory."""
        pids = {str(process.pid) for process in self._family} | {str(self._process.pid)}
        shared = {*Path("/dev/shm").iterdir()} - self._others
        ours = {path.name for path in shared if pids & {*path.name.replace("-", "_").split("_")}}
        return ours | {path.name for path in (self.folder / "tmp").iterdir()}


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in (folder / "out").rglob("*")}


def interrupted(
    command: Command,
    folder: Path,
    number: int,
    to_all: bool,
    moment: float,
    seconds: float,
    expected: set[str],
) -> str:
    """Interrupt a command at a moment, run it again; return what was wrong, if anything."""
    started, wrong = Started(command, folder), []
    if started.wait(moment) is not None:
        return "was done before"
    started.send(number, to_all)
    end = time.monotonic() + PATIENCE + command.waits * seconds
    left: set[str] = set()
    while time.monotonic() < end:
        ended = started.wait(0) is not None
        left = {it for it in started.files() if not it.startswith(command.kept + command.resumed)}
        living = started.living()
        if ended and not living and not left:
            break
        time.sleep(0.1)
    else:
        wrong += [f"lives: {it}" for it in living]
        wrong += [f"left: {', '.join(sorted(left))}"] if left else []
    for process in started.living():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    again = Started(command, folder)
    status = again.wait(300)
    if status != 0:
        said = (folder / "errors.txt").read_text("utf-8", errors="replace").strip()
        wrong.append(f"the second run ended with {status}: {said[-300:]}")
    elif written(folder) != expected:
        wrong.append(f"differs from undisturbed: {sorted(written(folder) ^ expected)}")
    left = {it for it in again.files() if not it.startswith(command.kept)}
    if left:
        wrong.append(f"left after the second run: {', '.join(sorted(left))}")
    return "; ".join(wrong)


def fresh(command: Command, place: Path) -> Path:
    """Return a new folder for a run."""
    folder = Path(tempfile.mkdtemp(dir=place, prefix="r"))  # short: sockets have short paths
    for name in ("out", "tmp"):
        (folder / name).mkdir()
    command.prepare(folder)
    return folder


def python(*arguments: str | Path) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def write_notebook(folder: Path) -> None:
    cells = [new_code_cell(SEARCH + "print(2)"), new_code_cell("print(3)")]
    for count, cell in enumerate(cells, start=1):
        cell.execution_count = count
        said = {"output_type": "stream", "name": "stdout", "text": f"{count + 1}\n"}
        cell.outputs = [nbformat.from_dict(said)]
    nbformat.write(new_notebook(cells=cells), folder / "out" / "search.ipynb")
    (folder / "out" / "test_slow.py").write_text(
        "import time\nimport pytest\n@pytest.mark.parametrize('i', range(20))\n"
        "def test_slow(i):\n    time.sleep(0.2)\n",
        encoding="utf-8",
    )


def archive() -> bytes:
    """Return an archive that looks like CIFAR-10's."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as tar:
        for stem in [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]:
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{stem}.bin")
            info.size = 3_073 * 300
            tar.addfile(info, io.BytesIO(random.Random(stem).randbytes(info.size)))
    return stream.getvalue()


class SlowMirror(http.server.BaseHTTPRequestHandler):
    content = archive()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        for start in range(0, len(self.content), 1 << 17):
            time.sleep(0.05)
            try:
                self.wfile.write(self.content[start : start + (1 << 17)])
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        pass


def commands(place: Path, port: int) -> dict[str, Command]:
    """Return the commands by name; those that grade, grade what is written into a place."""
    released = place / "assignment"

    def write_class() -> None:
        released.mkdir()
        bundle.write_bundle(released)
        for student in ("anna", "bob", "carol"):
            (place / "class" / student).mkdir(parents=True)
            for path in sorted(released.glob("*.ipynb"))[:1]:  # for the time it takes
                solved = fill_in(nbformat.read(path, as_version=4), solutions())
                nbformat.write(solved, place / "class" / student / path.name)

    def graded(folder: Path) -> list[str]:
        if not released.exists():
            write_class()
        options = ["--out", folder / "out", "--released", released, "--workers", "2"]
        return python("-m", "classroom.grading", place / "class", *options)

    digest = hashlib.sha256(SlowMirror.content).hexdigest()
    mirror = ["--base-url", f"http://127.0.0.1:{port}", "cifar10", digest]
    tests = "--nbval --nbval-current-env -n 2 --dist loadfile -q -p no:cacheprovider"

    def made(folder: Path) -> list[str]:
        line = f"{sys.executable} -E tests/isolation.py -m pytest {tests} {folder / 'out'}"
        (folder / "Makefile").write_text(f"test:\n\t{line}\n", "utf-8")
        return ["make", "-f", str(folder / "Makefile")]

    return {
        "search": Command(lambda folder: python("-c", SEARCH)),
        "grading": Command(graded, resumed=("pymp-",)),
        "download": Command(
            lambda folder: python("-c", DOWNLOAD, "--cache", folder / "out", *mirror)
        ),
        "notebooks": Command(
            lambda folder: python("tests/notebooks.py", "run", folder / "out" / "search.ipynb"),
            write_notebook,
        ),
        "bundle": Command(
            lambda folder: python("-m", "classroom.release", "--build", folder / "out")
        ),
        "make-test": Command(
            made,
            write_notebook,
            kept=("pytest-of-",),
            waits=True,
            environment={"PYTHONDONTWRITEBYTECODE": "1"},
        ),
    }


def rounds(names: list[str], times: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """Yield command, signal and what was wrong."""
    moments = random.Random(seed)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowMirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    build = ROOT / "build"  # below the conftest.py, as what make test runs
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="i", dir=build, ignore_cleanup_errors=True) as place:
        known = commands(Path(place), server.server_address[1])
        for name in names or known:
            command = known[name]
            folder = fresh(command, Path(place))
            command.arguments(folder)  # which may have to be prepared
            begun = time.monotonic()
            started = Started(command, folder)
            if started.wait(300) != 0:
                raise SystemExit(f"{name} fails:\n{(folder / 'errors.txt').read_text('utf-8')}")
            seconds, expected = time.monotonic() - begun, written(folder)
            for _ in range(times):
                for sent, (number, to_all) in SIGNALS.items():
                    last, wrong = seconds, "was done before"
                    while wrong == "was done before":
                        folder, moment = fresh(command, Path(place)), moments.uniform(0, last)
                        wrong = interrupted(
                            command, folder, number, to_all, moment, seconds, expected
                        )
                        last = moment
                    print(f"{name}, {sent} after {moment:.2f} s: {wrong or 'clean'}", flush=True)
                    shutil.rmtree(folder, ignore_errors=True)
                    yield name, sent, wrong
    server.shutdown()
    server.server_close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--times", type=int, default=1, metavar="N", help="each signal (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the moments (%(default)s)")
    parser.add_argument(
        "commands", nargs="*", metavar="COMMAND",
        choices=[[], *commands(Path(), 0)], help=", ".join(commands(Path(), 0)),
    )  # fmt: skip
    options = parser.parse_args(arguments)
    clean: Counter[tuple[str, str]] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    for name, sent, wrong in rounds(options.commands, options.times, options.seed):
        done[name, sent] += 1
        clean[name, sent] += not wrong
    print("\n" + " ".join(f"{sent:>11}" for sent in ["", *SIGNALS]))
    for name in dict.fromkeys(name for name, _ in done):
        cells = (f"{clean[name, sent]} of {done[name, sent]}" for sent in SIGNALS)
        print(" ".join(f"{cell:>11}" for cell in [name, *cells]))
    return int(clean != done)


if __name__ == "__main__":
    raise SystemExit(main())
