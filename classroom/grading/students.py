"""The students of a class: their folders, their names, what each has handed in."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .files import clean, read_folder
from .submission import Result, grade_submission


@dataclass(frozen=True)
class Student:
    """A folder of submissions, without the notebooks, which may be large."""

    folder: Path
    name: str  # as it is shown
    file_name: str  # as the student's files are called
    digest: str  # of the files that were handed in
    timestamp: datetime | None


def students_in(submissions: Path, assignment: str) -> tuple[list[Student], list[str]]:
    """Return the students, by name, and a sentence for all else that lies there."""
    students, notes = [], []
    for path in submissions.iterdir():
        if path.name.startswith("."):  # of a system or an editor
            if path.is_dir() and path.name not in (".ipynb_checkpoints", ".git"):
                notes.append(f"{clean(path.name)} is a hidden folder and was left out.")
        elif path.is_dir() or path.is_symlink():
            files = read_folder(path, assignment)
            names = _shown_name(path.name), _file_name(path.name)
            students.append(Student(path, *names, files.digest, files.timestamp))
        else:
            notes.append(f"{clean(path.name)} is no folder of a student and was left out.")
    return sorted(students, key=lambda student: student.name), sorted(notes)


def grade_student(student: Student, *, assignment: str, **settings: Any) -> Result:
    """Grade one submission by `grade_submission`, if it is what the class was begun with."""
    files = read_folder(student.folder, assignment)
    if files.digest != student.digest:
        raise RuntimeError(f"{student.folder} was changed while the class was graded; grade again")
    return grade_submission(files, **settings)


def _hash_of(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8]


def _shown_name(name: str) -> str:
    """Return a name that the gradebook can hold: 128 printable characters, unlike all others."""
    shown = clean(name).replace("\n", " ").replace("\t", " ")
    return shown if shown == name and len(name) <= 128 else f"{shown[:119]}-{_hash_of(name)}"


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
