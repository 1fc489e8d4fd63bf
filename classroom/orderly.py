"""Commands that leave nothing half done, whatever ends them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

END_WITH_PARENT = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>


def stop_at_signals() -> None:
    """Let those that ask this process to end raise KeyboardInterrupt(number), and only once.

    What is ignored, as SIGHUP is under nohup, stays so.
    """
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ends = [getattr(signal, name) for name in names]
    numbers = [number for number in ends if signal.getsignal(number) != signal.SIG_IGN]

    def stop(number: int, _frame: object) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    for each in numbers:
        signal.signal(each, stop)


def end_with_make() -> None:
    """Where make runs this process, let it be asked to end when make does; on Linux alone."""
    if sys.platform == "linux" and "MAKELEVEL" in os.environ:
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM, 0, 0, 0)


def status(stop: KeyboardInterrupt) -> int:
    """Return the exit status of a command that was stopped: 130 after Ctrl-C."""
    return 128 + int(stop.args[0] if stop.args else signal.SIGINT)
