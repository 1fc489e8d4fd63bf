"""The process in which a student's code runs: it may hang, crash, print and lack modules.

The parent asks for one function at a time, by a line of JSON each way.
"""

from __future__ import annotations

import builtins
import importlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
import types
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source
from pathlib import Path
from typing import Any

MEMORY = 4 * 2**30  # bytes
START = 120.0  # seconds until a process is ready, on a busy machine
LARGEST = 10**6  # characters of a file that somebody wrote, or of an answer
FORBIDDEN = (
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink",
    "os.chmod", "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess", "socket.connect",
)  # fmt: skip


# ---- the parent's side ----


class Child:
    """A process for the code below `root`: started when asked, and again after its end."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process: subprocess.Popen[str] | None = None

    def send(self, task: Mapping[str, Any]) -> None:
        if self.process is None:
            self._start()
            self.receive(START)
        with suppress(OSError):  # it has ended, which `receive` will notice
            assert self.process is not None
            print(json.dumps(task), file=self.process.stdin, flush=True)

    def receive(self, seconds: float) -> dict[str, Any]:
        """What comes next; TimeoutError or EOFError where nothing does, and the process ends."""
        try:
            reply = json.loads(self.lines.get(timeout=seconds))
            return reply if isinstance(reply, dict) else {}
        except queue.Empty:
            self.end()
            raise TimeoutError from None
        except ValueError:
            self.end()
            raise EOFError from None

    def _start(self) -> None:
        settings = {f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL")}
        settings |= {"MPLBACKEND": "Agg", "PYTHONUTF8": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-m", __name__, str(self.root)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parents[2], env=os.environ | settings,
            encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(self.process.stdout, self.lines), daemon=True).start()

    def end(self) -> None:
        """End the process, and what it has started."""
        if self.process is not None:
            with suppress(AttributeError, OSError):  # Windows has no groups
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            with suppress(OSError):
                self.process.stdin.close()  # type: ignore[union-attr]
            self.process = None


def _read(stream: Any, lines: queue.Queue[str]) -> None:
    with stream:
        while line := stream.readline(LARGEST):
            lines.put(line)
    lines.put("")  # the process has ended


def read_source(file: Path) -> str:
    """The text of a Python file, with the print statements of Python 2 as calls."""
    lines = decode_source(file.read_bytes()).split("\n")
    for _ in lines:
        try:
            compile("\n".join(lines), str(file), "exec", dont_inherit=True)
        except SyntaxError as error:
            if "call to 'print'" not in str(error):
                break
            i = (error.lineno or 1) - 1
            lines[i] = re.sub(r"\bprint\b *(.*)", r"print(\1)", lines[i], count=1)
        else:
            break
    return "\n".join(lines)


# ---- the child's side ----


class NeedsError(Exception):
    """The code uses what is not there."""


class Absent:
    """Stands in for what is not there; whoever calls it is told what it needs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return range if name == "xrange" else Absent(f"{self.name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise NeedsError(self.name)


class StudentModules(MetaPathFinder, Loader):
    """Finds the student's modules by their paths, and inert ones in place of those missing.

    No ``__init__.py`` is run, so that a file with errors does not keep the others from being read.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.wanted = root, ""
        self.absent: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        file = self._file(name)
        is_own = file.is_file() or file.with_suffix("").is_dir()
        if name.split(".")[0] in sys.stdlib_module_names or not (is_own or self._is_absent(name)):
            return None
        is_package = self._is_absent(name) or not file.is_file()
        return ModuleSpec(name, self, origin=str(file), is_package=is_package)

    def _file(self, name: str) -> Path:
        return self.root.joinpath(*name.split(".")).with_suffix(".py")

    def _is_absent(self, name: str) -> bool:
        return any(f"{name}.".startswith(f"{other}.") for other in self.absent)

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        file, names = self._file(name), vars(module)
        if self._is_absent(name):
            names["__getattr__"] = Absent(name).__getattr__
        elif file.is_file():
            try:
                names["__file__"] = str(file)
                exec(compile(read_source(file), str(file), "exec", dont_inherit=True), names)
            except Exception as error:
                if name == self.wanted or self._missing(error):
                    raise
                self.absent.add(name)  # what is wrong in it is said of its own functions
                names["__getattr__"] = Absent(name).__getattr__

    def _missing(self, error: Exception) -> str:
        """The name of a module that is not there, or is not as it was in its year."""
        name = error.name or "" if isinstance(error, ImportError) else ""
        return "" if self._file(name).is_file() else name

    def load(self, name: str) -> types.ModuleType:
        """Import a module; what is missing becomes absent, one after the other."""
        self.wanted, missing = name, name
        self.absent.discard(name)
        while True:
            for loaded in {name, missing, *(self.own() if missing != name else ())}:
                sys.modules.pop(loaded, None)
            try:
                return importlib.import_module(name)
            except ImportError as error:
                missing = self._missing(error)
                if not missing or self._is_absent(missing):
                    raise
                self.absent.add(missing)

    def own(self) -> dict[str, types.ModuleType]:
        """The modules that were found here."""
        loaders = {n: getattr(m, "__loader__", None) for n, m in sys.modules.items()}
        return {n: sys.modules[n] for n, loader in loaders.items() if loader is self}


def serve(root: Path) -> None:
    """Answer one task after the other, and leave the student's code no way in or out."""
    from .house_checks import ITEMS, LAYERS, UNWRITTEN, Answer

    tasks = os.fdopen(os.dup(0), encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    for number, mode in enumerate((os.O_RDONLY, os.O_WRONLY)):
        os.dup2(os.open(os.devnull, mode), number)
    builtins.xrange = range  # type: ignore[attr-defined]
    modules = StudentModules(root)
    sys.meta_path.insert(0, modules)
    os.chdir(root)
    warnings.simplefilter("ignore")
    sys.addaudithook(_refuse)
    print("{}", file=replies)  # ready
    for task in map(json.loads, tasks):
        _limit(task["seconds"])
        modules.absent |= set(task["absent"])
        try:
            try:
                module = modules.load(task["module"])
            finally:
                print("{}", file=replies)  # not at the import any more
            item = ITEMS[task["item"]]
            right = {name: LAYERS[name] for name in task["exchange"]}
            for own in modules.own().values():
                vars(own).update(right)
            subject = getattr(module, item.name.split(".")[0])
            answer = item.check(subject, (LAYERS | vars(module)).__getitem__)
        except NotImplementedError:
            answer = UNWRITTEN
        except NeedsError as error:
            answer = Answer("not covered", f"It needs {error}, which is not there.")
        except BaseException as error:
            answer = Answer("wrong", _raised(error, root))
        print(json.dumps(asdict(answer)), file=replies)


def _raised(error: BaseException, root: Path) -> str:
    """What was raised, and where in the student's code."""
    places = [(f.filename, f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places = [(error.filename or "", error.lineno)]
    own = [f"{Path(f).relative_to(root)}:{n}" for f, n in places if f.startswith(str(root))]
    text = f"{type(error).__name__}: {error}".split("\n")[0].rstrip(": .")
    return f"It raises {text}{f' ({own[-1]})' if own else ''}."


def _limit(seconds: float) -> None:
    """Limit memory, and processor time in case that no parent is left to end this process."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no limits
        import resource

        limit = int(time.process_time() + seconds + 10)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    """Let the student's code change no file and start no program."""
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    opens = event == "open" and isinstance(args[2], int) and args[2] & writing
    if event.startswith(FORBIDDEN) or (opens and args[0] != os.devnull):
        raise PermissionError(f"no file is changed and no program started in a house call: {event}")


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
