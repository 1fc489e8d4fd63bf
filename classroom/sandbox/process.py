"""A worker's process: frames to it and back within a time limit, what it prints, how it ended."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .protocol import LENGTHS, MAX_TEXT, OUT_OF_MEMORY, MalformedError, frame, parse

OUTPUT_KEPT = 20_000  # bytes of what it prints
STARTING = 60.0  # seconds that a worker has until it is ready, on a busy machine


@dataclass(frozen=True)
class Limits:
    """What a submission may use up; sizes in bytes, times in seconds."""

    cpu: int = 60  # processor time of each of its processes, in all
    call: float = 20  # on the clock, for a cell or a call
    wall: float = 180  # on the clock, for everything together
    memory: int = 1 << 30  # address space of each of its processes
    processes: int = 12  # threads, and processes where they cannot be refused
    files: int = 32 << 20  # its working directory, and each file
    output: int = 1 << 20  # printed in all
    returned: int = 128 << 20  # arrays that come back from a call
    open_files: int = 64
    entries: int = 2_000  # files and folders in its working directory


class Stopped(Exception):  # noqa: N818
    """The submission's process is gone; the text is a sentence that says why.

    `reason` is "time", "memory", "output", "files", "exit" (it ended, or was killed) or "protocol"
    (what it sent is no answer); `cell` is the cell in which it happened, None in a call.
    """

    def __init__(self, reason: str, sentence: str, cell: str | None = None):
        self.reason, self.cell = reason, cell
        super().__init__(sentence)


class WorkerProcess:
    """A process that has one end of the control socket.

    It must be started by a thread that outlives it: bubblewrap ends with the thread.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        limits: Limits,
        contained: bool,
    ) -> None:
        self.where = "the start"  # for the sentence that says where it stopped
        self.cell: str | None = None
        self.stopped: Stopped | None = None
        self.deadline = self._end = time.monotonic() + STARTING
        self._limits, self._contained = limits, contained
        self._folder: int | None = None  # open, as the worker sees it
        self._printed, self._count, self._pending = bytearray(), 0, bytearray()
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*command, str(theirs.fileno())],
                    cwd=folder,
                    env=environment,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError:
                self._control.close()
                raise
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        self._poll = select.poll()
        for fd in (self._control.fileno(), self._output):
            self._poll.register(fd, select.POLLIN)

    def close(self) -> None:
        """Kill it and what it has started: all of it in bubblewrap, else what is in its group."""
        self._control.close()
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None
        with self._process, suppress(ProcessLookupError, PermissionError):  # it waits for the end
            os.killpg(self._process.pid, signal.SIGKILL)

    @property
    def output(self) -> str:
        text = self._printed.decode("utf-8", "replace")
        return "".join(
            c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
        )

    def is_ready(self) -> None:
        """Begin to count the time of everything together."""
        self._end = time.monotonic() + self._limits.wall

    def begin(self, where: str, cell: str | None = None) -> None:
        """Begin to count the time of a request."""
        if self.stopped is not None:
            raise self.stopped
        self.where, self.cell = where, cell
        self.deadline = min(time.monotonic() + self._limits.call, self._end)

    def send(self, message: Mapping[str, Any], body: Sequence[bytes]) -> None:
        self._control.settimeout(max(self.deadline - time.monotonic(), 0.001))
        try:
            self._control.sendall(frame(message, body))
        except TimeoutError:
            self._stop_for_time()
        except OSError:
            self._stop_for_its_end()

    def receive(self) -> tuple[dict[str, Any], bytearray]:
        """Return the message and the bytes of the arrays of the next frame."""
        text_length, body_length = LENGTHS.unpack(self._read(LENGTHS.size))
        if text_length > MAX_TEXT:
            self.stop("protocol", "it sent what is no answer")
        if body_length > self._limits.returned:
            most = f"{self._limits.returned:,} are the most"
            self.stop("memory", f"{self.where} returned {body_length:,} bytes, but {most}")
        try:
            return parse(self._read(text_length)), self._read(body_length)
        except MalformedError as error:
            self.stop("protocol", "it sent what is no answer", error)

    def _read(self, size: int) -> bytearray:
        """Return so many bytes of the worker's; meanwhile take up what it prints."""
        pending = self._pending
        while len(pending) < size:
            left = self.deadline - time.monotonic()
            if left <= 0:
                self._stop_for_time()
            ready = dict(self._poll.poll(min(1000 * left, 100)))
            self._count_entries()
            if self._output in ready:
                self._take_output()
            if self._control.fileno() in ready:
                part = self._receive()
                if not part:
                    self._stop_for_its_end()
                pending += part
            elif not ready and self._process.poll() is not None:  # but a child has the socket
                self._stop_for_its_end()
        taken = pending[:size]
        del pending[:size]
        return taken

    def _receive(self) -> bytes:
        """Return what is there, b"" at the end; keep the first folder that comes with it."""
        try:
            part, files, *_ = socket.recv_fds(self._control, 1 << 18, 4)
        except OSError:
            return b""
        for file in files:
            if self._folder is None and self._contained:
                self._folder = file
            else:
                os.close(file)
        return part

    def _count_entries(self) -> None:
        """Stop a submission that fills the memory with the names of files."""
        if self._folder is not None:
            found = os.fstatvfs(self._folder)
            if found.f_files - found.f_ffree > self._limits.entries:
                self.stop("files", f"it made more than {self._limits.entries:,} files and folders")

    def _take_output(self) -> None:
        part = os.read(self._output, 1 << 16)
        if not part:
            self._poll.unregister(self._output)
        self._count += len(part)
        self._printed += part[: max(OUTPUT_KEPT - len(self._printed), 0)]
        if self._count > self._limits.output:
            self.stop("output", f"it printed more than {self._limits.output:,} bytes")

    def _stop_for_its_end(self) -> NoReturn:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            self.stop("exit", "it closed the connection to the grader")
        if self._output in dict(self._poll.poll(0)):  # such as why bubblewrap did not start it
            self._take_output()
        number = -status if status < 0 else status - 128  # bubblewrap reports signals like a shell
        names = {known.value: known.name for known in signal.Signals}
        if number == signal.SIGXCPU:
            self.stop("time", f"it used more than {self._limits.cpu} s of processor time")
        if status == OUT_OF_MEMORY:
            self.stop("memory", f"it used more than {self._limits.memory >> 20:,} MB of memory")
        if number in names:
            self.stop("exit", f"its process was killed by signal {number} ({names[number]})")
        self.stop("exit", f"it ended its process, with status {status}")

    def _stop_for_time(self) -> NoReturn:
        if self.deadline >= self._end:
            self.stop("time", f"everything together took longer than {self._limits.wall:g} s")
        self.stop("time", f"it took longer than {self._limits.call:g} s")

    def stop(self, reason: str, what: str, cause: Exception | None = None) -> NoReturn:
        """End the process for a reason; nothing can be asked of it any more."""
        self.stopped = Stopped(reason, f"Stopped in {self.where}: {what}.", self.cell)
        self.close()
        raise self.stopped from cause
