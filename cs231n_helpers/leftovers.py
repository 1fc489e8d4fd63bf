"""Nothing is left of a run that was ended, whatever ended it: no process, no file."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import gettempdir

#: Joblib's own cleaner, where it lives, has three seconds.
CLEANER = """
import glob, pathlib, shutil, sys, time
sys.stdin.read()
end = time.monotonic() + 3
while left := [path for pattern in sys.argv[1:] for path in glob.glob(pattern)]:
    time.sleep(0.1)
    for path in left if time.monotonic() > end else []:
        shutil.rmtree(path, ignore_errors=True)
        pathlib.Path(path).is_file() and pathlib.Path(path).unlink(missing_ok=True)
"""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a place to write to, which takes that of `path` at the end and goes after an error.

    At any moment the file is there as a whole, the old one or the new one. A process that is killed
    leaves the place, under a name that the next one writes to again.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def exit_at_signals() -> None:
    """Let those that ask this process to end do so by way of every `finally`.

    What is ignored, as SIGHUP is under nohup, stays so.
    """

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows knows no SIGHUP
        if number and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, leave)


def end_with_parent() -> None:
    """Let this process, one of joblib's, end with the one that started it, and not before.

    A Ctrl-C goes to all processes of a terminal: a task that it ended would make room for the next.
    """
    from multiprocessing import connection, parent_process

    parent = parent_process()
    if parent is None:  # of a cluster
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end() -> None:
        if parent.sentinel is not None:  # on Windows
            connection.wait([parent.sentinel])
        else:
            while os.getppid() == parent.pid:
                time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


@cache
def clean_up_after(process: int) -> None:
    """Start a process that waits for the end of this one, and removes what joblib leaves of it.

    Joblib has such a cleaner, but in the same group: a terminal that closes ends that as well.
    """
    folders = {"/dev/shm", os.environ.get("JOBLIB_TEMP_FOLDER", ""), gettempdir()} - {""}
    mapped = [f"{glob.escape(it)}/joblib_memmapping_folder_{process}_*" for it in folders]
    command = [sys.executable, "-I", "-S", "-c", CLEANER, *mapped, f"/dev/shm/sem.loky-{process}-*"]
    ends_with_this_process, _ = os.pipe()
    cleaner = subprocess.Popen(
        command,
        stdin=ends_with_this_process,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(ends_with_this_process)
    cleaner.returncode = 0  # else Python warns that nobody waited for it
