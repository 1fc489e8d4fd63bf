"""What is asked of a worker, and what it answers, which is read as if it were hostile."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .process import WorkerProcess
from .protocol import Reader, Writer

NO_ANSWER = (LookupError, TypeError, ValueError, RecursionError, MemoryError)
Callbacks = Sequence[Callable[..., Any]]


class StudentError(Exception):
    """The submission's own code raised an error, or returned what is no plain data.

    `kind` is the name of the error's type, `text` its message, `cell` and `line` the place in the
    submission's cells, None where unknown. All is plain text of limited length.
    """

    def __init__(self, kind: str, text: str, cell: str | None = None, line: int | None = None):
        self.kind, self.text, self.cell, self.line = kind, text, cell, line
        where = "" if line is None else f" (line {line} of the cell)"
        super().__init__(f"{kind}{': ' if text else ''}{text}{where}")


class NotDefinedError(StudentError):
    """No cell defines the function, or its name stands for something else."""


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: how we call it, and its code."""

    id: str
    source: str


class Seed(int):
    """An argument that becomes ``np.random.RandomState(seed)`` in the submission's process."""


class Conversation:
    """Requests to a worker, one after the other; see `Sandbox.function` for what can be sent."""

    def __init__(self, process: WorkerProcess, cells: Sequence[Cell]) -> None:
        self._process = process
        self._cells = {cell.id for cell in cells}
        self._numbers = itertools.count()

    def run(self, cell: Cell) -> None:
        self._process.begin("a cell", cell.id)
        self._request({"cell": cell.id, "source": cell.source})

    def call(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a function, and change the arguments that it has changed."""
        callbacks: list[Callable[..., Any]] = []

        def form_of(value: Any) -> Any:
            if isinstance(value, Seed):
                return {"r": value}
            if callable(value):
                callbacks.append(value)
                return {"f": len(callbacks) - 1}
            raise TypeError(
                f"{name} is contained and was given {type(value).__name__}, but takes arrays, "
                "numbers, text, None, lists, tuples, dicts, functions and Seed"
            )

        def as_it_was(form: Any) -> Any:
            return Seed(form["r"]) if "r" in form else callbacks[form["f"]]

        writer = Writer(form_of)
        given = dict([*enumerate(args), *kwargs.items()])
        forms = [[key, writer.form(value)] for key, value in given.items()]
        self._process.begin(name)
        reply, body = self._request({"call": name, "arguments": forms}, writer.body, callbacks)
        try:
            reader = Reader(body)
            result = reader.value(reply["result"])
            rest = Reader(memoryview(body)[reader.at :], as_it_was)
            changes = [(given[key], rest.value(form)) for key, form in reply["changed"]]
        except NO_ANSWER as error:
            self._process.stop("protocol", f"what {name} sent back is no answer", error)
        for old, new in changes:
            if _same_kind(old, new):
                _change(old, new)
        return result

    def _request(
        self, message: Mapping[str, Any], body: Sequence[bytes] = (), callbacks: Callbacks = ()
    ) -> tuple[dict[str, Any], bytearray]:
        number, raised = next(self._numbers), None
        self._process.send({**message, "id": number}, body)
        while True:
            reply, arrays = self._process.receive()
            if "callback" not in reply:
                break
            raised = self._call_back(reply, arrays, callbacks)
        if reply.get("id") != number:
            self._process.stop("protocol", "it answered what it was not asked")
        if "not_defined" in reply:
            raise NotDefinedError("NameError", one_line(str(reply["not_defined"])))
        if "error" in reply:
            error = self._student_error(reply["error"])
            if raised is not None and reply["error"].get("callback") is True:
                where = self._process.where
                raised.add_note(f"raised in a function that was passed to {where}, {error}")
                raise raised
            raise error
        return reply, arrays

    def _call_back(
        self, reply: Mapping[str, Any], body: bytearray, callbacks: Callbacks
    ) -> Exception | None:
        """Answer a request of the worker's; return what its function raised."""
        process = self._process
        where, deadline = process.where, process.deadline
        try:
            reader = Reader(body)
            given = [(key, reader.value(form)) for key, form in reply["arguments"]]
            function = callbacks[reply["callback"]]
            args = [value for key, value in given if type(key) is int]
            kwargs = {key: value for key, value in given if type(key) is str}
        except NO_ANSWER as error:
            process.stop("protocol", f"{where} called something that is no function", error)
        raised, writer = None, Writer()
        try:
            answer = {"value": writer.form(function(*args, **kwargs))}
        except Exception as error:
            if process.stopped is not None:  # it called another function of this submission
                raise
            raised, writer = error, Writer()
            answer = {"raise": [type(error).__name__, one_line(str(error))]}
        process.where, process.deadline = where, deadline
        process.send(answer, writer.body)
        return raised

    def _student_error(self, message: Any) -> StudentError:
        if type(message) is not dict:
            message = {}
        kind, text, cell, line = map(message.get, ("type", "text", "cell", "line"))
        if type(kind) is not str or type(text) is not str:
            self._process.stop("protocol", "it reported an error that is none")
        kind, text = one_line(kind, 60), one_line(text)
        if type(cell) is str and cell in self._cells and type(line) is int and 0 < line < 10**6:
            return StudentError(kind, text, cell, line)
        return StudentError(kind, text)


class Function:
    """A stand-in for a function of the submission."""

    __slots__ = ("__name__", "_conversation")

    def __init__(self, conversation: Conversation, name: str) -> None:
        self._conversation, self.__name__ = conversation, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._conversation.call(self.__name__, args, kwargs)


def _change(old: Any, new: Any) -> None:
    """Give an argument the contents that the function has left in it."""
    if isinstance(old, np.ndarray):
        if old.flags.writeable:
            old[...] = new
        return
    if isinstance(old, dict):
        for key in old.keys() - new.keys():
            del old[key]
    elif isinstance(old, list) and len(old) != len(new):
        old[:] = new
    for key, value in new.items() if isinstance(new, dict) else enumerate(new):
        if (not isinstance(old, dict) or key in old) and _same_kind(old[key], value):
            _change(old[key], value)
        elif not isinstance(old, tuple):
            old[key] = value


def _same_kind(old: Any, new: Any) -> bool:
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        return bool(old.shape == new.shape and old.dtype == new.dtype)
    return isinstance(old, dict | list | tuple) and type(new) is type(old)


def one_line(text: str, length: int = 400) -> str:
    """One line of printable characters, not too long."""
    text = text[: 10 * length]
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"
