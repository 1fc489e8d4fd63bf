"""A task that ends the process it runs in; a module of its own, which is imported quickly."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path


def work(item: tuple[str, str], folder: Path) -> str:
    """Note that it was begun, and by which process; then return, raise or die."""
    name, what = item
    if what == "sleep":
        tempfile.mkdtemp()
    (folder / f"{name}-{os.getpid()}").touch()
    match what:
        case "die":
            os._exit(3)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise KeyError("a mistake of ours")
        case "sleep":
            time.sleep(600)
        case "take all memory":
            bytes(1 << 40)
    return name.upper()
