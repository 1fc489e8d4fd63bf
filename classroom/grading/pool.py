"""Each item is worked on in a process of its own, with a limit on its time and memory.

A process that fails, dies or takes too long costs its own item and no other. They are forked from
a server that has imported what they need, so that each costs milliseconds.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, get_context, parent_process, util
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

if sys.platform != "win32":
    import resource

MEMORY = 4 << 30  # bytes of address space
UNWINDING = 5.0  # seconds that a process has to remove its files
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

Item = TypeVar("Item")
Result = TypeVar("Result")


def outcomes(
    task: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int,
    seconds: float,
    modules: Sequence[str] = (),
) -> Iterator[tuple[Item, Result | None, str]]:
    """Yield each item with its result, or None and what went wrong, as soon as it is there.

    The task is found by its name in the other processes, of which there are `workers` at a time,
    each killed after so many seconds. The server imports `modules`.
    """
    waiting = deque(items)
    running: dict[Any, tuple[Item, Any, float]] = {}  # by the pipe that brings the result
    context = get_context("forkserver")
    _start_server(modules)
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                ours, theirs = context.Pipe(duplex=False)
                with theirs:
                    process = context.Process(target=_work, args=(task, waiting[0], theirs))
                    process.start()
                running[ours] = waiting.popleft(), process, time.monotonic() + seconds
            next_end = min(end for *_, end in running.values())
            ready = set(wait(running, max(0, next_end - time.monotonic())))
            for pipe, (item, process, end) in list(running.items()):
                failure = f"it took longer than {seconds:g} s" if end <= time.monotonic() else ""
                result = None
                if pipe in ready:
                    try:
                        result, failure = pipe.recv()
                    except EOFError:
                        process.join()
                        failure = f"its process ended with status {process.exitcode}"
                elif not failure:
                    continue
                _end(pipe, process)
                del running[pipe]
                yield item, result, failure
    finally:
        for pipe, (_, process, _) in running.items():
            _end(pipe, process)


@contextmanager
def own_temporary_folder() -> Iterator[str]:
    """Keep all temporary files where multiprocessing has its own, and removes them in the end.

    The processes that work on items know the folder. Where this one is killed, they remove it.
    """
    before, tempfile.tempdir = tempfile.tempdir, util.get_temp_dir()
    os.chmod(tempfile.tempdir, 0o711)  # a worker started by root is another user
    try:
        yield tempfile.tempdir
    finally:
        tempfile.tempdir = before


def _start_server(modules: Sequence[str]) -> None:
    os.environ.update(ONE_THREAD)  # a process a processor
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: interrupts are ours alone
    try:
        forkserver.set_forkserver_preload([*modules])
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)


def _end(pipe: Connection, process: Any) -> None:
    process.terminate()
    process.join(UNWINDING)
    process.kill()
    process.join()
    pipe.close()


def _work(task: Callable[[Item], Result], item: Item, pipe: Connection) -> None:
    """Be the process: send the result, or what went wrong."""
    signal.signal(signal.SIGTERM, _unwind)
    with suppress(OSError, ValueError):  # macOS has no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tempfile.tempdir = util.get_temp_dir()  # that of the process that wants the result
    try:
        outcome: tuple[Result | None, str] = task(item), ""
    except Exception as error:
        outcome = None, f"{type(error).__name__}: {error}"
    finally:
        _leave_nothing_of_the_dead()
    pipe.send(outcome)


def _unwind(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(UNWINDING)
        _leave_nothing_of_the_dead()
        os._exit(1)


def _leave_nothing_of_the_dead() -> None:
    parent = parent_process()
    if parent is not None and not parent.is_alive():
        shutil.rmtree(util.get_temp_dir(), ignore_errors=True)
