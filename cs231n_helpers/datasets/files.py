"""The way to a file: what is there is looked at before it is opened, and no more of it is read.

What the system refuses, and what is too large, no file at all or damaged, ends in a sentence that
names the file, what happened and what to do.
"""

from __future__ import annotations

import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..validation import shown

REMEDY = "get the official files with `python -m cs231n_helpers.datasets.download`"


def as_path(name: str, value: Any) -> Path:
    """Return `value`, a str or a path, as a path; ``~`` is the user's home."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise TypeError(f"{name} is no path but of type {type(text).__name__}: pass a str or Path")
    try:
        usable = text != "" and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValueError(f"{name} = {shown(text)} can be no path: pass the name of a folder")
    return Path(os.path.expanduser(text))


@contextmanager
def told(path: Path, remedy: str = REMEDY) -> Iterator[None]:
    """Say which file it was, what happened and what to do, where the system refuses.

    The kind of error stays. Our own have no number of the system's and pass.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        kind = type(OSError(error.errno, ""))  # PermissionError, FileNotFoundError, ...
        raise kind(
            f"{(error.filename or path)!s:.300}: {error.strerror}: put that right, or {remedy}"
        ) from error


def mode_of(path: Path, remedy: str = REMEDY) -> int:
    """Return the kind of what is there, for ``stat.S_ISREG`` and the like: 0 if nothing is."""
    with told(path, remedy):
        try:
            return path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return 0


def is_file(path: Path, remedy: str = REMEDY) -> bool:
    """Return whether a file is there; `Path.is_file` says no where it may not look, too."""
    return stat.S_ISREG(mode_of(path, remedy))


@contextmanager
def opened(path: Path, most: int, rule: str, remedy: str = REMEDY) -> Iterator[io.BufferedReader]:
    """Open a file of at most `most` bytes; a pipe or a device in its place is not waited for."""
    with told(path, remedy), open(path, "rb", opener=_without_waiting) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is a pipe or a device, no file: {remedy}")
        if status.st_size > most:
            raise ValueError(f"{path} has {status.st_size:,} bytes, {rule}: {remedy}")
        yield stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def unzip(stream: io.BufferedReader, most: int) -> bytearray:
    """Return what a gzip file of one member holds, or its first `most` + 1 bytes.

    A file that goes on and gives nothing, in its header or in empty blocks, is refused as soon
    as it has gained 64 KiB on its content: what cannot be compressed gains 5 bytes a block.
    """
    unzipper, content, least = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), bytearray(), 0
    while len(content) <= most and not unzipper.eof:
        packed = unzipper.unconsumed_tail or stream.read(2**14)
        if not packed:
            raise zlib.error("it ends too early")
        content += unzipper.decompress(packed, most + 1 - len(content))
        excess = stream.tell() - len(content)
        least = min(least, excess)
        if excess - least > 2**16:
            raise zlib.error(f"{stream.tell():,} bytes hold {len(content):,}")
    if unzipper.eof and (unzipper.unused_data or stream.read(1)):
        raise zlib.error("it goes on after its end")
    return content
