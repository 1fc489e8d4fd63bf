"""The contained side: runs the cells of a submission and calls the functions that they define.

`launch.py` calls `main`, with SETTINGS and CONTROL on the command line: the one is JSON, the other
the number of a socket that this process has inherited.

There is nothing worth stealing in this process: no reference, no hidden test. Whatever a submission
does to this module, it only gets its own answers wrong.
"""

from __future__ import annotations

import ast
import builtins
import ctypes
import importlib.util
import inspect
import json
import os
import signal
import socket
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from .protocol import LENGTHS, OUT_OF_MEMORY, Reader, UnsendableError, Writer, frame, parse
from .seccomp import refuse_processes

#: What our own first cells import, bound where a cell uses it: pictures take most of a second.
IMPORTS = {"np": "numpy", "plt": "matplotlib.pyplot"}
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


def main() -> NoReturn:
    """Read the settings, give up every right, answer until the grader hangs up."""
    settings = json.loads(sys.argv[1])
    try:
        missing = limit(settings["limits"])
        drop_rights(settings["uid"])
        worker = Worker(socket.socket(fileno=int(sys.argv[2])), settings["package"])
        if not refuse_processes():
            missing.append("processes that it starts")
        worker.greet(missing)
        while True:
            worker.answer(*worker.receive())
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(70)


def limit(limits: Mapping[str, Any]) -> list[str]:
    """Set the limits of this process and its children; return those the system does not have."""
    import resource  # which Windows has not, though cells are parsed there

    wanted = {
        "CORE": ("core dumps", 0),
        "CPU": ("processor time", limits["cpu"]),
        "AS": ("memory", limits["memory"]),
        "NPROC": ("number of processes", limits["processes"]),
        "FSIZE": ("file size", limits["files"]),
        "NOFILE": ("open files", limits["open_files"]),
    }
    missing = []
    for name, (what, value) in wanted.items():
        try:
            # The second CPU signal, which cannot be caught, comes a second after the first.
            hard = value + (name == "CPU")
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, hard))
        except (AttributeError, OSError, ValueError):
            missing.append(what)
    return missing


def drop_rights(uid: int | None) -> None:
    """Become another user where this one is root; end with the grader also without bubblewrap."""
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        open(os.__file__, "rb").close()  # PermissionError where this Python is root's alone
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)


class Worker:
    """The names that the cells define, and the conversation about them."""

    def __init__(self, control: socket.socket, package: str) -> None:
        self.control, self.incoming = control, control.makefile("rb")
        self.pid, self._getpid, self._exit = os.getpid(), os.getpid, os._exit
        self.cells: dict[str, str] = {}  # file names in tracebacks -> ids
        self.callback_error: BaseException | None = None
        self.cell = ""  # that runs
        module = types.ModuleType("__main__")
        sys.modules["__main__"], self.names = module, module.__dict__
        self.names["np"] = np
        jupyter = Jupyter(lambda source: self.run_cell(self.cell, source))
        self.names["get_ipython"] = lambda: jupyter
        self.package, self.helpers = package, public_names(package)  # imported when used

    def greet(self, missing: list[str]) -> None:
        """Say what is not limited here; hand over the folder, so that its files can be counted."""
        folder = os.open(".", os.O_RDONLY)
        socket.send_fds(self.control, [frame({"missing": missing}, [])], [folder])
        os.close(folder)

    def send(self, message: dict[str, Any], body: Sequence[bytes] = ()) -> None:
        self.control.sendall(frame(message, body))

    def receive(self) -> tuple[dict[str, Any], bytes]:
        text_length, body_length = LENGTHS.unpack(self.read(LENGTHS.size))
        return parse(self.read(text_length)), self.read(body_length)

    def read(self, size: int) -> bytes:
        """Read so many bytes; the process ends where the grader has hung up."""
        content = self.incoming.read(size)
        if len(content) < size:
            self._exit(0)
        return content

    def answer(self, message: dict[str, Any], body: bytes) -> None:
        """Do what a request asks for, and send one reply."""
        reply: dict[str, Any]
        arrays: list[bytes] = []
        self.callback_error = None
        try:
            if "cell" in message:
                self.run_cell(message["cell"], message["source"])
                reply = {}
            else:
                reply, arrays = self.call(message, body)
        except BaseException as error:  # SystemExit and KeyboardInterrupt as well
            reply = {"error": self.describe(error)}
            del error
        if self._getpid() != self.pid:
            self._exit(0)  # a child that the submission forked came back from its code
        for stream in (sys.stdout, sys.stderr):
            with suppress(BaseException):  # closed or replaced: the submission's own affair
                stream.flush()
        self.send({**reply, "id": message["id"]}, arrays)

    def run_cell(self, cell: str, source: str) -> None:
        name = f"<cell {len(self.cells)}>"
        self.cells[name] = self.cell = cell
        tree = parsed(source, name)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for wanted in sorted(used - self.names.keys()):
            if wanted in IMPORTS:
                self.names[wanted] = importlib.import_module(IMPORTS[wanted])
            elif wanted in self.helpers:
                helpers = importlib.import_module(self.package)
                self.names[wanted] = getattr(helpers, wanted)
        code = compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            import asyncio  # slow, and seldom needed

            asyncio.run(eval(code, self.names))
        else:
            exec(code, self.names)

    def describe(self, error: BaseException) -> dict[str, Any]:
        """Return type and text of an error, and the last line of a cell that it passed."""
        cell, line = None, None
        if isinstance(error, SyntaxError) and error.filename in self.cells:
            cell, line = self.cells[error.filename], error.lineno
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if file in self.cells:
                cell, line = self.cells[file], trace.tb_lineno
            trace = trace.tb_next
        try:
            text = error.msg if isinstance(error, SyntaxError) else str(error)
        except BaseException:
            text = "(an error that cannot be shown)"
        found = {"type": type(error).__name__[:100], "text": str(text)[:2000]}
        return found | {"cell": cell, "line": line, "callback": error is self.callback_error}

    def call(self, message: dict[str, Any], body: bytes) -> tuple[dict[str, Any], list[bytes]]:
        """Call a function, return its result and the arguments that it has changed."""
        special: dict[int, tuple[Any, Any]] = {}

        def revive(form: Any) -> Any:
            ((tag, number),) = form.items()
            value = np.random.RandomState(number) if tag == "r" else self.callback(number)
            special[id(value)] = value, form
            return value

        def form_of(value: Any) -> Any:
            if id(value) in special:
                return special[id(value)][1]
            raise UnsendableError(f"a value of type {type(value).__name__}")

        reader, given, values = Reader(body, revive), [], []
        for key, form in message["arguments"]:
            start = reader.at
            values.append((key, reader.value(form)))
            given.append((form, body[start : reader.at]))
        function = self.names.get(message["call"])
        if not callable(function):
            text = "is not defined" if function is None else f"is {type(function).__name__}"
            return {"not_defined": f"{message['call']} {text}, but must be a function"}, []
        result = function(
            *[value for key, value in values if type(key) is int],
            **{key: value for key, value in values if type(key) is str},
        )
        writer, changed = Writer(), []
        try:
            form = writer.form(result)
        except UnsendableError as error:
            raise TypeError(f"returned {error}, which is no number, {KINDS}") from None
        for (key, value), before in zip(values, given, strict=True):
            after = Writer(form_of)
            try:
                new = after.form(value)
            except UnsendableError as error:
                name = key if type(key) is str else f"number {key + 1}"
                raise TypeError(f"put {error} into its argument {name}") from None
            if (new, b"".join(after.body)) != before:
                changed.append([key, new])
                writer.body += after.body
        return {"result": form, "changed": changed}, writer.body

    def callback(self, number: int) -> Any:
        """Return a function that asks the grader for its value."""

        def ask(*args: Any, **kwargs: Any) -> Any:
            writer = Writer()
            pairs = [*enumerate(args), *kwargs.items()]
            try:
                forms = [[key, writer.form(value)] for key, value in pairs]
            except UnsendableError as error:
                raise TypeError(f"passed on {error}, which is no number, {KINDS}") from None
            self.send({"callback": number, "arguments": forms}, writer.body)
            while True:
                message, body = self.receive()
                if "id" not in message:
                    break
                self.answer(message, body)  # the grader's function calls one of ours
            if "raise" in message:
                name, text = message["raise"]
                self.callback_error = error_named(name, text)
                raise self.callback_error
            return Reader(body).value(message["value"])

        return ask


KINDS = "array of numbers, text, None, or list, tuple or dict of these"


def public_names(package: str) -> set[str]:
    """Return the names in the ``__all__`` of a package, without running it."""
    spec = importlib.util.find_spec(package)
    source = Path(spec.origin).read_text("utf-8") if spec and spec.origin else ""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def error_named(name: str, text: str) -> Exception:
    """Make an error of a built-in type, where it is one."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with suppress(TypeError):  # it takes more than a text
            return kind(text)
    return RuntimeError(f"{name}: {text}")


def parsed(source: str, name: str) -> ast.Module:
    """Parse a cell; what only Jupyter understands becomes calls of `get_ipython`."""
    try:
        return ast.parse(source, name)
    except SyntaxError as error:
        from IPython.core.inputtransformer2 import TransformerManager  # takes half a second

        try:
            return ast.parse(TransformerManager().transform_cell(source), name)  # type: ignore[no-untyped-call]
        except (SyntaxError, RuntimeError):  # the latter where it finds no end
            raise error from None


class Jupyter:
    """What cells find as `get_ipython()`: magics that run their cell do, all others do nothing."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run

    def run_cell_magic(self, name: str, line: str, cell: str) -> None:
        if name in ("time", "timeit", "capture", "prun"):
            self._run(cell)

    def getoutput(self, *_: Any, **__: Any) -> list[str]:
        return []

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
