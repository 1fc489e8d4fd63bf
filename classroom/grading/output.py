"""The folder that grading writes into: files that are whole at any moment, one grader at a time."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout


class RefusedError(Exception):
    """Something that the teacher has to mend before anything can be graded."""


def write(path: Path, text: str) -> None:
    """Write a file so that at any moment it is there as a whole, the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def read_json(path: Path) -> Any:
    """Return what a file holds, None where it is missing or no JSON."""
    with suppress(OSError, ValueError):
        return json.loads(path.read_bytes())
    return None


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the output folder for this process; the system lets go of it when the process dies."""
    try:
        with FileLock(out / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise RefusedError(
            f"another grader is at work in {out}: wait for its end, or give another --out"
        ) from error


def begin(path: Path, seed: int | None, late: str | None) -> dict[str, Any]:
    """Note what this run was begun with: by default the rule of the last one, and a fresh seed.

    A run that was interrupted is gone on with, so its seed stays.
    """
    last = read_json(path) or {"seed": None, "late": "none", "finished": True}
    if seed is None:
        seed = secrets.randbits(32) if last["finished"] else last["seed"]
    run = {"seed": seed, "late": late or last["late"], "finished": False}
    write(path, json.dumps(run))
    return run
