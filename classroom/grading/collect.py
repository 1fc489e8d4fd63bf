"""What a class handed in: a folder a student, or the download of a Canvas, Moodle or nbgrader.

All of it is hostile. The grader itself only lists files and hashes their bytes; they are opened as
archives and read as notebooks in the process of their student, by `read_submission`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO
from zoneinfo import ZoneInfo

from .exercises import NOTEBOOKS
from .text import clean, folded, reason, some_of

MAX_BYTES = {  # what is looked at
    ".ipynb": 16 * 2**20, ".zip": 64 * 2**20, ".txt": 200, ".md": 4_000,
}  # fmt: skip
OTHER_ARCHIVES = {".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz"}
STAMP = "timestamp.txt"
REGRADE = "regrade.md"  # in which a student asks for another look
MAX_ENTRIES = 2_000  # files and folders that are looked at in a submission
MAX_DEPTH = 4  # folders in folders
LARGEST_CLASS = 4 << 30  # bytes that the archive of a class may unpack to
LEFT_OUT = re.compile(r"\.|__MACOSX$|Thumbs\.db$|desktop\.ini$")
#: The first place where they fit counts: what follows it, the file's name, students choose.
MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<file>.*)", re.DOTALL
)
CANVAS = re.compile(
    r"(?P<late_too>LATE_)?(?P<anonymous>anon_[^_]+)_\d+_(?P<file_too>.+)"
    r"|(?P<name>.+?)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)",
    re.DOTALL,
)
COPY_OF = re.compile(r"(?:copy of|kopie von|copie de|copia de|cópia de) ", re.IGNORECASE)
COPY = re.compile(r"(?:[ _-]*copy ?(?P<jupyter>\d*)| ?\((?P<browser>\d+)\)|-(?P<canvas>\d{1,3}))$")
TIME = re.compile(  # 2030-01-31 23:59:00.0 Europe/Paris, or with UTC, Z, +01:00 or nothing
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r" ?(Z|[+-]\d\d:?\d\d|[A-Z][\w+/-]{1,40})?",
    re.ASCII,
)


@dataclass(frozen=True)
class File:
    """A file on disk, and what it is called in the submission."""

    path: Path
    name: PurePosixPath


@dataclass(frozen=True)
class Student:
    """Who handed in what; not the content, which may be large."""

    name: str  # as it is shown
    file_name: str  # as the student's files are called
    id: str = ""  # in the LMS
    files: tuple[File, ...] = ()
    digest: str = ""  # of the files
    timestamp: datetime | None = None  # UTC without a zone
    notes: tuple[str, ...] = ()


@dataclass
class Submission:
    """The notebooks of a student, and what is to be said of the rest."""

    notebooks: dict[str, bytes] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)  # notebooks that are there all the same
    regrade: str = ""  # what a student wants to have looked at again
    notes: list[str] = field(default_factory=list)


@dataclass
class _Found:
    """What belongs to one student, while it is being collected."""

    by_lms: bool = False
    files: list[File] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


# ---- the class, in the grader's process: names and bytes ----


def open_class(
    place: Path,
    temporary: Path,
    collected: Mapping[str, datetime] | None = None,
    stamped: str = "",
) -> tuple[list[Student], list[str]]:
    """Return what `students_in` does, of a folder or of the archive of a class.

    What is unpacked lies in the folder `temporary` as long as that is there. ValueError where an
    archive cannot be read.
    """
    if not place.is_file():
        return students_in(place, collected, stamped)
    unpacked = temporary / "class"
    unpacked.mkdir()
    try:
        left_out = unpack_class(place, unpacked)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    students, notes = students_in(unpacked, collected, stamped, unpacked=True)
    return students, left_out + notes


def students_in(
    place: Path,
    collected: Mapping[str, datetime] | None = None,
    stamped: str = "",
    *,
    unpacked: bool = False,
) -> tuple[list[Student], list[str]]:
    """Return the students, by name, and a sentence for all else that lies there.

    Parameters
    ----------
    place : Path
        It holds, for each student, a folder or an archive of that name, or files as Canvas
        (``name_id_id_file``) and Moodle (``name_id_assignsubmission_file_file``) name them.
    collected : dict, optional
        When each student handed in.
    stamped : str
        The assignment into whose folder, in that of each student, nbgrader's collect has written
        timestamp.txt. Any other is the student's own, and never counts.
    unpacked : bool
        From an archive, which may hold the class in a folder of its own.
    """
    found: dict[tuple[str, str], _Found] = defaultdict(_Found)  # by name and id
    notes: list[str] = []
    for entry in _entries(place, unpacked, notes):
        folder = entry.is_dir() or entry.is_symlink()
        name, id_, file, late = _of_lms(entry.name, folder)
        if not name and not folder and entry.suffix.lower() != ".zip":
            notes.append(f"{clean(entry.name)} belongs to no student and was left out.")
            continue
        one = found[name or (entry.name if folder else entry.stem), id_]
        one.by_lms |= bool(name)
        if folder:
            one.files += _walk(entry, one.notes)
        else:
            one.files.append(File(entry, PurePosixPath(file or entry.name)))
        if late:
            one.notes.append("Canvas marks it as late.")
    names = Counter(name for name, _ in found)
    with ThreadPoolExecutor() as threads:  # what reads and hashes needs no interpreter
        digests = threads.map(digest_of, [it.files for _, it in sorted(found.items())])
    students = []
    for ((name, id_), it), digest in zip(sorted(found.items()), digests, strict=True):
        only = name if names[name] == 1 else f"{name} ({id_})"
        students.append(_student(only, id_, it, digest, collected, stamped))
    if collected is None:
        notes += _on_times(students, stamped)
    return students, notes


def _entries(place: Path, unpacked: bool, notes: list[str]) -> list[Path]:
    """Return what lies in a folder, or in the only folder in it if that holds the whole class."""
    entries = []
    for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
        if not LEFT_OUT.match(entry.name):
            entries.append(entry)
        elif entry.name not in (".git", ".ipynb_checkpoints", ".DS_Store", "__MACOSX"):
            notes.append(f"{clean(entry.name)} is hidden and was left out.")
    if len(entries) == 1 and entries[0].is_dir() and not entries[0].is_symlink():
        below = [it for it in entries[0].iterdir() if not LEFT_OUT.match(it.name)]
        whole = len(below) > 1 and all(it.is_dir() or it.suffix.lower() == ".zip" for it in below)
        if (unpacked and whole) or any(_of_lms(it.name, it.is_dir())[0] for it in below):
            notes.append(f"The class was taken from the folder {clean(entries[0].name)}.")
            return _entries(entries[0], unpacked, notes)
    return entries


def _of_lms(name: str, folder: bool) -> tuple[str, str, str, bool]:
    """Return whose file it is by Canvas or Moodle: name, id, the file's own name, whether late.

    >>> _of_lms("leeanna_LATE_17_900_01_svm-1.ipynb", False)
    ('leeanna', '17', '01_svm-1.ipynb', True)
    >>> _of_lms("Anna Lee_17_assignsubmission_file_", True), _of_lms("anna", True)
    (('Anna Lee', '17', '', False), ('', '', '', False))
    >>> _of_lms("LATE_anon_x7Gtb_900_01_svm.ipynb", False)
    ('anon_x7Gtb', 'x7Gtb', '01_svm.ipynb', True)
    """
    if match := MOODLE.fullmatch(name):
        return match["name"], match["id"], match["file"], False
    if folder or not (match := CANVAS.fullmatch(name)):
        return "", "", "", False
    if anonymous := match["anonymous"]:
        return anonymous, anonymous[5:], match["file_too"], bool(match["late_too"])
    return match["name"], match["id"], match["file"], bool(match["late"])


def _student(
    name: str,
    id_: str,
    found: _Found,
    digest: str,
    collected: Mapping[str, datetime] | None,
    stamped: str,
) -> Student:
    shown, notes = _shown_name(name), list(dict.fromkeys(found.notes))
    timestamp = None
    if collected is not None:
        timestamp = collected.get(folded(id_)) or collected.get(folded(shown))
    elif stamped and not found.by_lms:
        timestamp = _timestamp(found.files, PurePosixPath(stamped, STAMP), notes)
    return Student(
        shown, _file_name(name), id_, tuple(found.files), digest, timestamp, tuple(notes)
    )


def digest_of(files: Iterable[File]) -> str:
    """Return a hash of all that the points depend on."""
    digest = hashlib.sha256()
    for file in files:
        if file.name.suffix.lower() in (".ipynb", ".zip") or file.name.name == REGRADE:
            content = "cannot be read"
            with (
                suppress(OSError, ValueError),
                opened(file.path, MAX_BYTES[file.name.suffix.lower()]) as stream,
            ):
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"\0{file.name}\0{content}\0".encode(errors="replace"))
    return digest.hexdigest()


def _walk(folder: Path, notes: list[str]) -> Iterator[File]:
    """Yield files at most MAX_DEPTH folders down, the uppermost first; links are not followed."""
    level, seen = [folder], 0
    for _ in range(MAX_DEPTH + 1):
        below: list[Path] = []
        for directory in level:
            where = "The folder of this submission"
            if directory != folder:
                where = clean(f"The folder {directory.relative_to(folder)}")
            if directory.is_symlink():
                notes.append(f"{where} is a link to somewhere else, which is not followed.")
                continue
            entries = []
            try:
                with os.scandir(directory) as scanned:
                    for entry in scanned:
                        seen += 1
                        if seen > MAX_ENTRIES:
                            break
                        entries.append(entry)
            except OSError as error:
                notes.append(f"{where} cannot be read: {reason(error)}.")
                continue
            for entry in sorted(entries, key=lambda entry: entry.name):
                if LEFT_OUT.match(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
                else:
                    name = PurePosixPath(Path(entry.path).relative_to(folder).as_posix())
                    yield File(Path(entry.path), name)
            if seen > MAX_ENTRIES:
                notes.append(
                    f"This submission holds more than {MAX_ENTRIES} files and folders; only that "
                    "many were looked at. Hand in the notebooks and nothing else."
                )
                return
        level = sorted(below)
    if level:
        notes.append(f"Folders more than {MAX_DEPTH} levels down were not looked at.")


def _timestamp(files: Iterable[File], believed: PurePosixPath, notes: list[str]) -> datetime | None:
    """Return the time in the file that is believed; others that say another have a note."""
    times: dict[PurePosixPath, datetime] = {}
    for file in sorted(files, key=lambda file: (file.name != believed, file.name)):
        if file.name.name != STAMP or len(times) == 5:
            continue
        try:
            text = read(file.path, MAX_BYTES[".txt"]).decode("ascii")
            times[file.name] = as_time(text.strip())
        except (OSError, ValueError, KeyError, OverflowError) as error:
            if file.name == believed:
                notes.append(
                    f"{clean(str(believed))} is not what nbgrader writes, so this submission "
                    f"counts as in time: {reason(error)}."
                )
    time = times.get(believed)
    if time and {*times.values()} != {time}:
        notes.append(
            f"{len(times)} files {STAMP} disagree: nbgrader's counts, {time:%Y-%m-%d %H:%M} UTC."
        )
    return time


def _on_times(students: Sequence[Student], stamped: str) -> Iterator[str]:
    """Yield sentences on whose timestamp.txt counts."""
    if any(it.timestamp for it in students):
        yield f"{clean(stamped)}/{STAMP}, which nbgrader's collect wrote, has the times."
    if own := [
        it.name
        for it in students
        if it.timestamp is None and any(file.name.name == STAMP for file in it.files)
    ]:
        yield (
            f"{STAMP} of {some_of(own)} does not count, as students can write one: --collected "
            "FILE gives the times, --collected nbgrader says that its collect wrote them."
        )


def as_time(text: str) -> datetime:
    """Return a time as nbgrader and ISO 8601 write it, in UTC without a zone.

    >>> as_time("2030-01-31 23:59:00 Europe/Paris")
    datetime.datetime(2030, 1, 31, 22, 59)
    """
    match = TIME.fullmatch(text)
    if match is None:
        raise ValueError("it holds no time")
    time, zone = match[1], match[2] or "UTC"
    if zone == "Z" or zone[0] in "+-":
        parsed = datetime.fromisoformat(time + zone)
    else:
        parsed = datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone))
    return parsed.astimezone(UTC).replace(tzinfo=None)


CONFLICTS = FileExistsError, IsADirectoryError, NotADirectoryError  # one is a file and a folder


def unpack_class(archive: Path, folder: Path) -> list[str]:
    """Unpack what an LMS gives as the archive of a class: notebooks, archives and times alone.

    Return a sentence for each file that was left out; ValueError where it is no archive, or too
    large, or leads out of the folder.
    """
    notes = []
    try:
        with zipfile.ZipFile(archive) as opened:
            wanted = tuple(MAX_BYTES)
            members = [it for it in opened.infolist() if it.filename.lower().endswith(wanted)]
            most = max(MAX_BYTES.values())
            if sum(min(it.file_size, most) for it in members) > LARGEST_CLASS:
                raise ValueError(f"it unpacks to more than {LARGEST_CLASS >> 30} GB")
            for member in members:
                parts = PurePosixPath(member.filename.replace("\\", "/")).parts
                target = folder.joinpath(*map(_short, parts))
                shown = clean(member.filename)[:200]
                if (
                    parts[:1] == ("/",)
                    or ".." in parts
                    or not target.resolve().is_relative_to(folder.resolve())
                ):
                    raise ValueError(f"{shown} leads out of it")
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with _member(opened, member) as source, target.open("wb") as file:
                        for _ in range(0, most + 1, 1 << 20):  # too large stays so
                            file.write(source.read(1 << 20))
                except (*CONFLICTS, zipfile.BadZipFile, zlib.error) as error:
                    notes.append(f"{shown} cannot be unpacked and was left out: {reason(error)}.")
                    with suppress(OSError):
                        target.unlink()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"it is no archive that can be read ({reason(error)})") from error
    return notes


# ---- a submission, in the process of its student ----


def read_submission(
    student: Student, assignment: str, cells: Mapping[str, frozenset[str]]
) -> Submission:
    """Read the notebooks of a student; what cannot be read has a sentence in `notes`.

    A notebook is known by its name, whatever a system or an LMS has made of it, else by its cells:
    `cells` has the ids of each notebook's. Of several, the newest counts: the one with the highest
    number, else the one in a folder named `assignment`, else the uppermost.
    """
    found = Submission(notes=list(student.notes))
    candidates: dict[str, list[tuple[tuple[int, bool, int], str, bytes]]] = defaultdict(list)
    others = []
    for name, content in _notebooks(student.files, found.notes):
        where = clean(str(name))
        notebook, number = _known_name(name.stem)
        if content is None:
            found.unreadable.add(notebook)
            continue
        if not notebook and (notebook := _known_cells(content, cells)):
            found.notes.append(f"{where} was taken for {notebook}.ipynb, whose cells it has.")
        if not notebook:
            others.append(where)
            continue
        order = number, assignment in name.parts[:-1], -len(name.parts)
        candidates[notebook].append((order, where, content))
    for notebook in NOTEBOOKS:
        last_first = candidates[notebook][::-1]  # of two with one name, as unzip does
        if several := sorted(last_first, key=lambda it: it[:2], reverse=True):
            _, counts, found.notebooks[notebook] = several[0]
            if older := [where for _, where, _ in several[1:]]:
                last = "the last " * (counts in older)
                found.notes.append(
                    f"{notebook}.ipynb was handed in {len(several)} times: {last}{counts} counts, "
                    f"and not {some_of(older)}."
                )
    _note_missing(found, others)
    found.regrade = _regrade(student.files)
    return found


def _regrade(files: Iterable[File]) -> str:
    """Return what a student wrote below the comment in regrade.md."""
    for file in files:
        if file.name.name == REGRADE:
            with suppress(OSError, ValueError):
                text = read(file.path, MAX_BYTES[".md"]).decode(errors="replace")
                return clean(re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)).strip()
    return ""


def _note_missing(found: Submission, others: Sequence[str]) -> None:
    there = {*found.notebooks, *found.unreadable}
    missing = [f"{name}.ipynb" for name in NOTEBOOKS if name not in there]
    if len(missing) == len(NOTEBOOKS):
        found.notes.append(
            f"None of the notebooks was found: they are called {', '.join(missing)}."
        )
    elif missing:
        found.notes.append(f"Not handed in: {', '.join(missing)}.")
    if others:
        found.notes.append(
            f"Not looked at, as neither name nor cells are known: {some_of(others)}."
        )


def _notebooks(
    files: Sequence[File], notes: list[str]
) -> Iterator[tuple[PurePosixPath, bytes | None]]:
    """Yield names and contents of the notebooks among files, those in archives too.

    What cannot be read has no content, and a note.
    """
    for file in files:
        suffix = file.name.suffix.lower()
        if suffix in OTHER_ARCHIVES:
            notes.append(f"{clean(str(file.name))} was not opened: hand in a zip, or the files.")
        if suffix not in (".ipynb", ".zip"):
            continue
        try:
            content = read(file.path, MAX_BYTES[suffix])
            if suffix == ".ipynb":
                yield file.name, content
            else:
                yield from _in_archive(file.name, content, notes)
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError,
                EOFError, zlib.error) as error:  # fmt: skip
            notes.append(f"{clean(str(file.name))} cannot be read: {reason(error)}.")
            yield file.name, None


def _in_archive(
    archive: PurePosixPath, content: bytes, notes: list[str]
) -> Iterator[tuple[PurePosixPath, bytes | None]]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        members = opened.infolist()
        if len(members) > MAX_ENTRIES:
            notes.append(f"{clean(str(archive))}: only {MAX_ENTRIES} of its files were looked at.")
        for member in members[:MAX_ENTRIES]:
            name = PurePosixPath(member.filename)
            hidden = any(LEFT_OUT.match(part) for part in name.parts if part != "..")
            if name.suffix.lower() == ".zip" and not hidden:
                notes.append(f"{clean(str(archive))}: {clean(str(name))} in it was not opened.")
            if name.suffix.lower() != ".ipynb" or hidden or member.is_dir():
                continue
            with _member(opened, member) as file:
                notebook = file.read(MAX_BYTES[".ipynb"] + 1)
            if len(notebook) > MAX_BYTES[".ipynb"]:
                notes.append(f"{clean(str(name))} cannot be read: it is larger than 16 MB.")
                yield name, None
            else:
                yield archive.with_suffix("") / name, notebook


def _member(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    if member.flag_bits & 1:
        raise ValueError("it is encrypted; make it without a password")
    return opened.open(member)


def _known_name(stem: str) -> tuple[str, int]:
    """Return the notebook that a file is called after, "" if none, and the number of the copy.

    >>> _known_name("Copy of 01_SVM (2)"), _known_name("02_softmax-1"), _known_name("notes")
    (('01_svm', 2), ('02_softmax', 1), ('', 0))
    """
    number = 0
    stem = COPY_OF.sub("", stem.strip())
    while match := COPY.search(stem.lower()):
        digits = "".join(filter(None, match.groups()))
        number, stem = max(number, int(digits[:6] or 1)), stem[: match.start()]
    known = {re.sub(r"[\s_-]+", "_", name): name for name in NOTEBOOKS}
    return known.get(re.sub(r"[\s_-]+", "_", stem.strip().lower()), ""), number


def _known_cells(content: bytes, cells: Mapping[str, frozenset[str]]) -> str:
    """Return the notebook that has at least half of a file's cells, "" if none."""
    try:
        ids = {cell["id"] for cell in json.loads(content)["cells"] if type(cell["id"]) is str}
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    name, shared = max(
        ((name, len(ids & known)) for name, known in cells.items()), key=lambda it: it[1]
    )
    return name if shared and 2 * shared >= min(len(ids), len(cells[name])) else ""


def read(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes; OSError or ValueError says why not."""
    with opened(path, limit) as file:
        return file.read(limit)


@contextmanager
def opened(path: Path, limit: int) -> Iterator[io.BufferedReader]:
    """Open what `read` reads."""
    if path.is_symlink():
        raise ValueError("it is a link to another file; hand in the file itself")
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # a pipe would be waited for
        flags |= getattr(os, name, 0)
    with open(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no regular file")
        if status.st_size > limit:
            raise ValueError(f"it is larger than {limit // 2**20 or 1} MB; clear its outputs")
        yield file


# ---- names ----


def _hash_of(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def _shown_name(name: str) -> str:
    """Return a name that tables and pages can hold: 128 printable characters, unlike all others."""
    shown = clean(name).replace("\n", " ").replace("\t", " ")
    return shown if shown == name and len(name) <= 128 else f"{shown[:119]}-{_hash_of(name)}"


def _short(part: str) -> str:
    """Return a part of a path that every system can hold, with the end of the name.

    >>> _short("01_svm.ipynb"), len(_short("long" * 100 + ".ipynb"))
    ('01_svm.ipynb', 175)
    """
    part = re.sub(r"[\0/]", "_", part)
    if len(encoded := os.fsencode(part)) <= 255:
        return part
    return f"{encoded[:160].decode(errors='ignore')}-{_hash_of(part)}{Path(part).suffix[:40]}"


def _file_name(name: str) -> str:
    """Return a file name that no system minds and no other student has.

    >>> _file_name("anna.lee"), _file_name("Zoë")
    ('anna.lee', 'Zo_-c6a12698')
    """
    if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]{0,63}", name) and not re.match(
        r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)|.*\.$|.*-[0-9a-f]{8}$", name
    ):
        return name
    return re.sub(r"[^A-Za-z0-9]", "_", name)[:48] + "-" + _hash_of(name)
