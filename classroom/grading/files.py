"""What a student handed in is read: the only place that touches these files, which are hostile."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from .rubrics import NOTEBOOK

NOTEBOOKS = tuple(dict.fromkeys(NOTEBOOK.values()))
MAX_NOTEBOOK_BYTES = 16 * 2**20
MAX_ENTRIES = 2_000  # files and folders that are looked at in a submission
_TIMESTAMP = re.compile(  # 2030-01-31 23:59:00.0 Europe/Paris, or with UTC, Z, +01:00 or nothing
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r" ?(Z|[+-]\d\d:?\d\d|[A-Z][\w+/-]{1,40})?",
    re.ASCII,
)


@dataclass(frozen=True)
class Files:
    """What a student handed in."""

    notebooks: Mapping[str, bytes]
    timestamp: datetime | None  # UTC without a zone, as nbgrader keeps it
    notes: tuple[str, ...]  # what was wrong with the rest

    @property
    def digest(self) -> str:
        """Hash of all that the points depend on."""
        digest = hashlib.sha256("\0".join(self.notes).encode())
        for name, content in sorted(self.notebooks.items()):
            digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()


def read_folder(folder: Path, assignment: str) -> Files:
    """Read the notebooks of a student, without following a link or trusting a size.

    Parameters
    ----------
    folder : Path
        It holds the notebooks, or they are in a subfolder, at most two levels down. Of several
        with one name, the one in a folder named `assignment` counts, else the uppermost.
    assignment : str

    Returns
    -------
    Files
        What cannot be read is missing there and has a sentence in `notes`.
    """
    notes: list[str] = []
    found: dict[str, list[Path]] = {}
    for path in _walk(folder, notes):
        found.setdefault(path.name, []).append(path)

    notebooks: dict[str, bytes] = {}
    places: list[Path] = []
    for name in NOTEBOOKS:
        paths = sorted(
            found.get(f"{name}.ipynb", []),
            key=lambda path: (path.parent.name != assignment, len(path.parts), path),
        )
        if not paths:
            continue
        where = clean(str(paths[0].relative_to(folder)))
        if len(paths) > 1:
            notes.append(f"{name}.ipynb was handed in {len(paths)} times: {where} counts.")
        places.append(paths[0].parent)
        try:
            notebooks[name] = _read(paths[0], MAX_NOTEBOOK_BYTES)
        except (OSError, ValueError) as error:
            notes.append(f"{where} cannot be read: {_reason(error)}.")
    if not places:
        notes.append(
            "None of the notebooks was found: they are called "
            + ", ".join(f"{name}.ipynb" for name in NOTEBOOKS)
            + " and lie in the folder that is handed in."
        )
    wanted = [f"{name}.ipynb" for name in NOTEBOOKS]
    missing = [name for name in wanted if name not in found]
    if 0 < len(missing) < len(wanted):
        notes.append(f"Not handed in: {', '.join(missing)}.")
    others = sorted(clean(n)[:80] for n in found if n.endswith(".ipynb") and n not in wanted)
    if missing and others:
        notes.append(
            f"Not looked at, for their names: {', '.join(others[:5])}. If one of them is a missing "
            "notebook, give it the name under which it was handed out."
        )
    timestamp = None
    for path in (*places, folder):
        if path / "timestamp.txt" in found.get("timestamp.txt", []):
            try:
                timestamp = _timestamp(path / "timestamp.txt")
            except (OSError, ValueError, KeyError, OverflowError) as error:
                notes.append(
                    "timestamp.txt is not what nbgrader writes, so this submission counts as in "
                    f"time: {_reason(error)}."
                )
            break
    return Files(notebooks, timestamp, tuple(notes))


def _walk(folder: Path, notes: list[str]) -> Iterator[Path]:
    """Yield files at most two levels down, the uppermost first; links are not followed."""
    level, seen = [folder], 0
    for _ in range(3):
        below: list[Path] = []
        for directory in level:
            where = "The folder of this submission"
            if directory != folder:
                where = clean(f"The folder {directory.relative_to(folder)}")
            if directory.is_symlink():
                notes.append(f"{where} is a link to somewhere else, which is not followed.")
                continue
            try:
                with os.scandir(directory) as scanned:
                    some = islice(scanned, MAX_ENTRIES + 1)
                    entries = sorted(some, key=lambda entry: entry.name)
            except OSError as error:
                notes.append(f"{where} cannot be read: {_reason(error)}.")
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    notes.append(
                        f"This submission holds more than {MAX_ENTRIES} files and folders; only "
                        "that many were looked at. Hand in the notebooks and nothing else."
                    )
                    return
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        below.append(Path(entry.path))
                else:
                    yield Path(entry.path)
        level = sorted(below)


def _read(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; OSError or ValueError says why not."""
    if path.is_symlink():
        raise ValueError("it is a link to another file; hand in the file itself")
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # a pipe would be waited for
        flags |= getattr(os, name, 0)
    with open(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit // 2**20 or 1} MB; clear its outputs")
    return content


def _timestamp(path: Path) -> datetime:
    """Read the time of submission that nbgrader writes."""
    match = _TIMESTAMP.fullmatch(_read(path, 200).decode("ascii").strip())
    if match is None:
        raise ValueError("it holds no time")
    time, zone = match[1], match[2] or "UTC"
    if zone == "Z" or zone[0] in "+-":
        parsed = datetime.fromisoformat(time + zone)
    else:
        parsed = datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone))
    return parsed.astimezone(UTC).replace(tzinfo=None)


def _reason(error: Exception) -> str:
    return clean(getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]


def clean(text: str) -> str:
    r"""Return text that every file and page can hold: what would control them is made visible.

    >>> clean("a\x1b[2J\u202eb\ud800\n")
    'a\\x1b[2J\\u202eb\\ud800\n'
    """
    return re.sub(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]",
        lambda match: match[0].encode("unicode_escape").decode("ascii"),
        text.replace("\r\n", "\n"),
    )
