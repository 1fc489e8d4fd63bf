r"""Run the cells of a submission contained, and call the functions that they define.

The submission is hostile until shown otherwise. It runs in a process of its own (`worker.py`),
shut in as well as the system allows (`jail.py`), which gets arrays and numbers and answers with
arrays and numbers (`wire.py`). What is right, what is tested and what is graded never goes there.

>>> import cs231n_helpers
>>> package = Path(cs231n_helpers.__file__).parent
>>> with Contained(package, [Cell("double", "def double(x):\n    return 2 * x")]) as box:
...     box.function("double")(np.arange(3.0))
array([0., 2., 4.])
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import matplotlib
import numpy as np

from .errors import NotDefinedError, Stopped, StudentError, UnavailableError
from .protocol import LENGTHS, MAX_TEXT, MalformedError, Reader, Writer, frame, parse

OUTPUT_KEPT = 20_000  # bytes of what it prints
TEXT_KEPT = 400  # characters of an error
STARTING = 60.0  # seconds that a worker has until it is ready, on a busy machine
NO_ANSWER = (LookupError, TypeError, ValueError, RecursionError, MemoryError)
HERE = Path(__file__).resolve().parent
SYSTEM = [
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/nix/store",
    "/etc/ld.so.cache", "/etc/alternatives",
]  # fmt: skip
USERS = range(61184, 65520)  # taken by nobody for long, systemd's range for such users
WORK = "/box/work"  # no system and no checkout has its files below /box
LEVELS = {
    "bubblewrap": "Contained by bubblewrap",
    "namespaces": "Contained in namespaces of its own",
    "limits": "Not contained, in a process of its own with limits only",
}
INSIDE = ": no network, no other processes, Python and its packages read-only, nothing else to see"
OUTSIDE = (
    ": this system has neither bubblewrap nor namespaces that we may make, so that a submission "
    "can read what this user can read, use the network, fill the disk and kill this user's "
    "processes"
)
LIMITED = {
    "AS": "memory", "CPU": "processor time", "NPROC": "number of processes",
    "FSIZE": "file size", "NOFILE": "open files", "CORE": "core dumps",
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a submission may use up; sizes in bytes, times in seconds.

    Parameters
    ----------
    cpu : int
        Processor time of each of its processes, in all.
    call, wall : float
        Time on the clock of a cell or a call, and of everything together.
    memory : int
        Address space of each of its processes.
    processes : int
        Processes and threads, our own three or four included.
    files : int
        Its working directory, and each file.
    output : int
        Printed in all.
    returned : int
        Arrays that come back from a call.
    open_files : int
    """

    cpu: int = 60
    call: float = 20
    wall: float = 180
    memory: int = 1 << 30
    processes: int = 12
    files: int = 32 << 20
    output: int = 1 << 20
    returned: int = 128 << 20
    open_files: int = 64


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: how we call it, and its code."""

    id: str
    source: str


class Seed(int):
    """An argument that becomes ``np.random.RandomState(seed)`` in the submission's process."""


class Contained:
    """A submission's cells, run contained; used as a context.

    Parameters
    ----------
    package : Path
        The folder ``cs231n_helpers`` that the submission may import, with no solutions in it.
    cells : sequence of Cell
        Run in this order, each by itself. ``np``, ``plt`` and the helpers' names need no import.
    limits : Limits
    level : "bubblewrap", "namespaces" or "limits"
        Default: the best that works here.

    Attributes
    ----------
    errors : dict
        What went wrong in which cell, by the cell's id.
    level : str
        A sentence: how the submission is contained on this machine.

    Raises
    ------
    Stopped
        On entering, where a cell ends the process; its `cell` says which.
    UnavailableError
        Where this system has no such level, or its Python does not start contained.
    """

    def __init__(
        self,
        package: Path,
        cells: Sequence[Cell],
        limits: Limits | None = None,
        *,
        level: str | None = None,
    ) -> None:
        self.errors: dict[str, str] = {}
        self._package, self._cells = package.resolve(), list(cells)
        self._limits = limits or Limits()
        self._kind = level or best_level()
        self._stopped: Stopped | None = None
        self._printed, self._count = bytearray(), 0
        self._pending = bytearray()
        self._numbers = itertools.count()
        self._where = "the start"
        self._cell: str | None = None
        self._worker, self._ended = 0, False
        self._resources = ExitStack()
        self._news = b""  # of the warder, up to the next line

    # ---- begin and end ----

    def __enter__(self) -> Self:
        try:
            self._start()
            for cell in self._cells:
                self._where, self._cell = "a cell", cell.id
                try:
                    self._request({"cell": cell.id, "source": cell.source}, [], {})
                except StudentError as error:
                    self.errors[cell.id] = str(error)
            self._cell = None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the submission's processes and remove its files."""
        self._resources.close()

    def _start(self) -> None:
        if not hasattr(os, "fork"):
            raise UnavailableError("submissions can be contained on Linux and macOS only")
        self._end = self._deadline = time.monotonic() + STARTING
        package, work = self._make_folders()
        inside = self._kind != "limits"
        uid = secrets.choice(USERS)
        if not inside and os.getuid() == 0:
            os.chown(work, uid, uid)
        site = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
        settings = {
            "level": self._kind,
            "limits": asdict(self._limits),
            "mounts": self._mounts(site, package) if inside else [],
            "site": [os.path.realpath(p) for p in site],
            "package": "/box/package" if inside else str(package),
            "work": WORK if inside else str(work),
            "uid": uid,
        }
        try:
            self._launch(settings)
            hello, _ = self._receive()
            while not self._worker:
                self._listen()
        except (Stopped, OSError) as error:
            text = f"no worker at level {self._kind}: {error} {_plain(self.output)}"
            raise UnavailableError(text.rstrip()) from None
        self._end = time.monotonic() + self._limits.wall
        lacks = " and ".join(LIMITED[name] for name in hello["missing"])
        self.level = LEVELS[self._kind] + (INSIDE if inside else OUTSIDE)
        self.level += f"; not limited here: {lacks}." if lacks else "."

    def _make_folders(self) -> tuple[Path, Path]:
        """Make a working directory, and a copy of the package that nobody else changes."""
        folder = Path(tempfile.mkdtemp(prefix="submission-"))
        self._resources.callback(_remove, folder)
        package, work = folder / "package", folder / "work"
        shutil.copytree(self._package, package / "cs231n_helpers")
        fonts = package / "fonts"  # what Matplotlib has found out here takes it seconds there
        fonts.mkdir()
        for file in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
            shutil.copy(file, fonts)
        work.mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755)  # whatever the umask: inside, it is another user's
        return package, work

    def _launch(self, settings: dict[str, Any]) -> None:
        lifeline, self._lifeline = socket.socketpair()
        control, self._control = socket.socketpair()
        self._output, printed = os.pipe()
        self._resources.callback(os.close, self._output)
        for end in (self._lifeline, self._control):
            self._resources.callback(end.close)
        python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
        jail = "/box/classroom/jail.py" if self._kind == "bubblewrap" else str(HERE / "jail.py")
        work = settings["work"]
        with lifeline, control, open(printed, "wb") as theirs:
            fds = (lifeline.fileno(), control.fileno())
            command = [python, "-s", "-S", "-P", jail, *map(str, fds)]
            if self._kind == "bubblewrap":
                command = [*self._bubblewrap(settings["mounts"]), *command]
            self._jail = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                pass_fds=fds,
                start_new_session=True,
                env={
                    "PATH": work, "HOME": work, "TMPDIR": work, "LANG": "C.UTF-8",
                    "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1",
                    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
                    "MPLBACKEND": "Agg", "MPLCONFIGDIR": work, "CS231N_PROGRESS": "0",
                },
            )  # fmt: skip
        self._resources.callback(self._kill)
        self._poll = select.poll()
        for fd in (self._control.fileno(), self._output, self._lifeline.fileno()):
            self._poll.register(fd, select.POLLIN)
        self._lifeline.sendall(json.dumps(settings).encode() + b"\n")

    def _kill(self) -> None:
        self._lifeline.close()  # the warder kills everything, then ends
        with suppress(subprocess.TimeoutExpired):
            self._jail.wait(5)
        self._jail.kill()
        self._jail.wait()
        if self._kind == "limits" and self._worker and not self._ended:
            with suppress(OSError):  # where the submission has killed its warder
                os.killpg(self._worker, signal.SIGKILL)

    def _mounts(self, site: list[str], package: Path) -> list[tuple[str, str, str]]:
        """What there is to see inside: (kind, source, target), in this order."""
        mounts = []
        for path in SYSTEM:
            if os.path.islink(path):
                mounts.append(("link", os.readlink(path), path))
            elif os.path.exists(path):
                mounts.append(("bind", path, path))
        base = os.path.realpath(sys.base_prefix)
        if not base.startswith("/usr"):
            mounts.append(("bind", base, base))
        shown = [target for kind, _, target in mounts if kind == "bind"]
        repository = str(HERE.parent.parent)
        if any(Path(repository).is_relative_to(path) for path in shown):
            mounts.append(("hide", "", repository))
        for path in map(os.path.realpath, site):
            mounts.append(("bind", path, path))
            for name in ("cs231n_helpers", "classroom"):  # the full ones, where installed there
                if os.path.isdir(os.path.join(path, name)):
                    mounts.append(("hide", "", os.path.join(path, name)))
        for name in ("jail", "protocol", "worker"):
            mounts.append(("bind", str(HERE / f"{name}.py"), f"/box/classroom/{name}.py"))
        mounts.append(("bind", str(package), "/box/package"))
        return mounts

    def _bubblewrap(self, mounts: Any) -> list[str]:
        program = shutil.which("bwrap")
        if program is None:
            raise UnavailableError("bubblewrap (bwrap) is not installed")
        command = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
        command += ["--as-pid-1", "--new-session", "--dev", "/dev"]
        folders = {str(p) for _, _, target in mounts for p in Path(target).parents}
        for folder in sorted(folders - {"/"}):
            if not Path(folder).is_relative_to("/usr"):  # else root's alone
                command += ["--perms", "0755", "--dir", folder]
        for kind, source, target in mounts:
            if kind == "hide":
                command += ["--perms", "0755", "--tmpfs", target]
            else:
                command += ["--symlink" if kind == "link" else "--ro-bind", source, target]
        size = str(self._limits.files)
        command += ["--perms", "0777", "--size", size, "--tmpfs", WORK]
        for target in ("/", "/dev", *(target for kind, _, target in mounts if kind == "hide")):
            command += ["--remount-ro", target]
        return [*command, "--"]

    # ---- what the grader uses ----

    @property
    def output(self) -> str:
        """The beginning of what the submission has printed, as plain text."""
        text = bytes(self._printed).decode("utf-8", "replace")
        return "".join(
            c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
        )

    def function(self, name: str) -> Function:
        """Return a stand-in for a function of the submission, called as that would be.

        Arrays, numbers, text, None, and lists, tuples and dicts of these go in and come out; a
        `Seed` goes in as a generator; a callable that goes in is called back here. Arguments that
        the function changes in place are changed here as well.

        Raises
        ------
        StudentError
            When called: the function is not defined or raises, or returns something else.
        Stopped
            When called: the process has ended in this call, or had before.
        """
        self._where = name
        reply, _ = self._request({"signature": name}, [], {})
        try:
            return Function(self, name, _signature(reply.get("signature")))
        except (TypeError, ValueError, KeyError):
            return Function(self, name, None)

    # ---- the conversation ----

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        callbacks: list[Callable[..., Any]] = []

        def form_of(value: Any) -> Any:
            if isinstance(value, Seed):
                return {"r": int(value)}
            if callable(value):
                callbacks.append(value)
                return {"f": len(callbacks) - 1}
            raise TypeError(
                f"{name} is contained and was given {type(value).__name__}, but takes arrays, "
                "numbers, text, None, lists, tuples, dicts, functions and Seed"
            )

        writer = Writer(form_of)
        given = dict([*enumerate(args), *kwargs.items()])
        forms = [[key, writer.form(value)] for key, value in given.items()]
        self._where = name
        reply, body = self._request(
            {"call": name, "arguments": forms}, writer.body, dict(enumerate(callbacks))
        )

        def as_it_was(form: Any) -> Any:
            return Seed(form["r"]) if "r" in form else callbacks[form["f"]]

        try:
            reader = Reader(body)
            result = reader.value(reply["result"])
            rest = Reader(memoryview(body)[reader.at :], as_it_was)
            changes = [(given[key], rest.value(form)) for key, form in reply["changed"]]
        except NO_ANSWER as error:
            self._stop("protocol", f"what {name} sent back is no answer", error)
        for old, new in changes:
            _change(old, new)
        return result

    def _request(
        self,
        message: dict[str, Any],
        body: list[bytes],
        callbacks: dict[int, Callable[..., Any]],
    ) -> tuple[dict[str, Any], bytearray]:
        if self._stopped is not None:
            raise Stopped(self._stopped.reason, str(self._stopped), self._stopped.cell)
        number, raised = next(self._numbers), None
        self._deadline = min(time.monotonic() + self._limits.call, self._end)
        self._send({**message, "id": number}, body)
        while True:
            reply, arrays = self._receive()
            if "callback" not in reply:
                break
            raised = self._call_back(reply, arrays, callbacks)
        if reply.get("id") != number:
            self._stop("protocol", "it answered what it was not asked")
        if "not_defined" in reply:
            raise NotDefinedError("NameError", _plain(str(reply["not_defined"])))
        if "error" in reply:
            error = self._student_error(reply["error"])
            if raised is not None and reply["error"].get("callback") is True:
                raised.add_note(f"raised in a function that was passed to {self._where}, {error}")
                raise raised
            raise error
        return reply, arrays

    def _call_back(
        self, reply: dict[str, Any], body: bytearray, callbacks: dict[int, Callable[..., Any]]
    ) -> Exception | None:
        try:
            reader = Reader(body)
            given = [(key, reader.value(form)) for key, form in reply["arguments"]]
            function = callbacks[reply["callback"]]
            args = [value for key, value in given if type(key) is int]
            kwargs = {key: value for key, value in given if type(key) is str}
        except NO_ANSWER as error:
            self._stop("protocol", f"{self._where} called something that is no function", error)
        where, deadline = self._where, self._deadline
        try:
            writer = Writer()
            answer = {"value": writer.form(function(*args, **kwargs))}
        except Exception as error:
            if self._stopped is not None:  # it called another function of this submission
                raise
            self._where, self._deadline = where, deadline
            self._send({"raise": [type(error).__name__, _plain(str(error))]}, [])
            return error
        self._where, self._deadline = where, deadline
        self._send(answer, writer.body)
        return None

    def _student_error(self, said: Any) -> StudentError:
        if type(said) is not dict:
            said = {}
        kind, text, cell, line = map(said.get, ("type", "text", "cell", "line"))
        if type(kind) is not str or type(text) is not str:
            self._stop("protocol", "it reported an error that is none")
        known = any(cell == c.id for c in self._cells) and type(line) is int and 0 < line < 10**6
        kind, text = _plain(kind, 60), _plain(text)
        return StudentError(kind, text, cell if known else None, line if known else None)

    # ---- frames, with a deadline ----

    def _send(self, message: dict[str, Any], body: list[bytes]) -> None:
        self._control.settimeout(max(self._deadline - time.monotonic(), 0.001))
        try:
            self._control.sendall(frame(message, body))
        except TimeoutError:
            self._stop_for_time()
        except OSError:
            self._died()

    def _receive(self) -> tuple[dict[str, Any], bytearray]:
        text_length, body_length = LENGTHS.unpack(self._read(LENGTHS.size))
        if text_length > MAX_TEXT:
            self._stop("protocol", "it sent what is no answer")
        if body_length > self._limits.returned:
            self._stop(
                "memory",
                f"{self._where} returned {body_length:,} bytes, but {self._limits.returned:,} are "
                "the most",
            )
        try:
            return parse(self._read(text_length)), self._read(body_length)
        except MalformedError as error:
            self._stop("protocol", "it sent what is no answer", error)

    def _read(self, size: int) -> bytearray:
        """Return so many bytes of the worker's; meanwhile take up what it prints."""
        pending = self._pending
        while len(pending) < size:
            left = self._deadline - time.monotonic()
            ready = dict(self._poll.poll(left * 1000)) if left > 0 else {}
            if not ready:
                self._stop_for_time()
            if self._output in ready:
                self._take_output()
            if self._control.fileno() in ready:
                try:
                    part = self._control.recv(1 << 18)
                except OSError:
                    part = b""
                if not part:
                    self._died()
                pending += part
            elif self._lifeline.fileno() in ready:
                self._listen()
        taken = pending[:size]
        del pending[:size]
        return taken

    def _take_output(self) -> None:
        part = os.read(self._output, 1 << 16)
        if not part:
            self._poll.unregister(self._output)
        self._count += len(part)
        self._printed += part[: max(OUTPUT_KEPT - len(self._printed), 0)]
        if self._count > self._limits.output:
            self._stop("output", f"it printed more than {self._limits.output:,} bytes")

    # ---- how it ended ----

    def _listen(self) -> None:
        """Take up what the warder says."""
        part = self._lifeline.recv(4096)
        if not part:
            self._stop("exit", "its process was killed")
        self._news += part
        while b"\n" in self._news:
            line, self._news = self._news.split(b"\n", 1)
            try:
                self._hear(json.loads(line))
            except NO_ANSWER as error:
                self._stop("protocol", "its warder says nonsense", error)

    def _hear(self, news: dict[str, Any]) -> None:
        if "failed" in news:
            self._stop("exit", news["failed"])
        if "worker" in news:
            self._worker = news["worker"]
            return
        self._ended, status = True, news["status"]
        if news["cpu"] >= self._limits.cpu or status == -signal.SIGXCPU:
            self._stop("time", f"it used more than {self._limits.cpu} s of processor time")
        if status == 71:
            self._stop("memory", f"it used more than {_size(self._limits.memory)} of memory")
        if status < 0:
            name = signal.Signals(-status).name if -status in signal.valid_signals() else "unknown"
            self._stop("exit", f"its process was killed by signal {-status} ({name})")
        self._stop("exit", f"it ended its process, with status {status}")

    def _died(self) -> NoReturn:
        """Say why there is nothing more to come."""
        self._lifeline.settimeout(1)
        with suppress(OSError):
            while True:
                self._listen()
        self._stop("exit", "it closed the connection to the grader")

    def _stop_for_time(self) -> NoReturn:
        if self._deadline >= self._end:
            self._stop("time", f"everything together took longer than {self._limits.wall:g} s")
        self._stop("time", f"it took longer than {self._limits.call:g} s")

    def _stop(self, reason: str, what: str, cause: Exception | None = None) -> NoReturn:
        sentence = f"Stopped in {self._where}: {what}."
        self._stopped = Stopped(reason, sentence, self._cell)
        for end in (self._lifeline, self._control):
            end.close()
        raise self._stopped from cause


class Function:
    """A stand-in for a function of the submission; has its name and signature."""

    __slots__ = ("__name__", "__signature__", "_box")

    def __init__(self, box: Contained, name: str, signature: inspect.Signature | None) -> None:
        self._box, self.__name__, self.__signature__ = box, name, signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function in the submission's process."""
        return self._box._call(self.__name__, args, kwargs)

    def __repr__(self) -> str:
        return f"<contained function {self.__name__}>"


def _signature(said: Any) -> inspect.Signature | None:
    """The signature that the worker claims the function has, where it is one."""
    if said is None:
        return None
    parameters = []
    for name, kind, default in said[:100]:
        parameter = inspect.Parameter(name, inspect._ParameterKind(kind))
        parameters.append(parameter.replace(default=default[0]) if default else parameter)
    return inspect.Signature(parameters)


def _change(old: Any, new: Any) -> None:
    """Give an argument the contents that the function has left in it."""
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        if old.shape == new.shape and old.dtype == new.dtype and old.flags.writeable:
            old[...] = new
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() - new.keys():
            del old[key]
        for key, value in new.items():
            if key in old and _same_kind(old[key], value):
                _change(old[key], value)
            else:
                old[key] = value
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            old[:] = new
        for i, value in enumerate(new):
            if _same_kind(old[i], value):
                _change(old[i], value)
            else:
                old[i] = value


def _remove(folder: Path) -> None:
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)


def _same_kind(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return bool(old.shape == new.shape and old.dtype == new.dtype)
    return isinstance(old, dict | list) and type(new) is type(old)


def _plain(text: str, length: int = TEXT_KEPT) -> str:
    """One line of printable characters."""
    text = text[: 10 * length]
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _size(number: int) -> str:
    return f"{number / (1 << 20):,.0f} MB"


@functools.cache
def best_level() -> str:
    """Return the best level that works on this system, found out by trying.

    >>> best_level() in LEVELS
    True
    """
    with tempfile.TemporaryDirectory() as folder:
        for level in LEVELS:
            try:
                with Contained(Path(folder), [], level=level):
                    return level
            except (UnavailableError, OSError):
                continue
    raise UnavailableError(
        "no process could be started for submissions, not even with limits only: run as an "
        "ordinary user, on Linux or macOS, with a Python that this user can read"
    )
