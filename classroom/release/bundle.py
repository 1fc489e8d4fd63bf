"""Make the students' bundle from the finished notebooks: ``python -m classroom.release``.

Writes build/assignment/, the same as build/assignment.zip, and build/reference.zip, the solutions
for a teacher to hand out. The same input gives the same bytes. What was there stays until all is
made, and a second run waits for the first.

Nothing in the bundle gives a solution away. What becomes of the notebooks' cells is in `notebooks`;
the package is copied, and then the files of student_edition/ over it: where they replace a module,
theirs calls the learner's functions.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import nbformat
from filelock import FileLock, Timeout

from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.workbook import NOTEBOOKS, solutions

from .notebooks import released

ROOT = Path(__file__).resolve().parent.parent.parent
EDITION = Path(__file__).with_name("student_edition")


def write_package(folder: Path) -> None:
    """Write the students' edition of cs231n_helpers, and README.md, into a folder."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "cs231n_helpers", folder / "cs231n_helpers", ignore=unwanted)
    unwanted = shutil.ignore_patterns("__pycache__", "__init__.py")
    shutil.copytree(EDITION, folder, ignore=unwanted, dirs_exist_ok=True)
    with (folder / "cs231n_helpers" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\nfrom . import solved as _solved\n\n_solved.install()\n")


def environment() -> str:
    """Return environment.yml for students: what the notebooks need, and no tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["notebooks"]]
    conda = [re.sub(r"^matplotlib\b", "matplotlib-base", requirement) for requirement in needed]
    lines = [
        "# conda env create -f environment.yml, then conda activate cs231n",
        "name: cs231n", "channels:", "  - conda-forge", "dependencies:",
        *(f"  - {requirement}" for requirement in [f"python{project['requires-python']}", *conda]),
    ]  # fmt: skip
    return "\n".join([*lines, ""])


def write_bundle(folder: Path) -> None:
    """Write all that students get into an empty folder."""
    write_package(folder)
    (folder / "expected").mkdir()
    for name in NOTEBOOKS:
        notebook, expected = released(name)
        nbformat.write(notebook, folder / f"{name}.ipynb")
        for cell, outputs in expected.items():
            text = json.dumps(outputs, indent=1) + "\n"
            (folder / "expected" / f"{cell}.json").write_text(text, encoding="utf-8")
    (folder / "data").mkdir()
    for file in ("data/README.md", "data/fashion_mnist_mini.npz", "LICENSE"):
        shutil.copyfile(ROOT / file, folder / file)
    (folder / "environment.yml").write_text(environment(), encoding="utf-8")


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip whose bytes depend on the files alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)


def write_all(folder: Path) -> None:
    """Write the bundle, its zip and the reference into an empty folder."""
    bundle = folder / "assignment"
    bundle.mkdir()
    write_bundle(bundle)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in bundle.rglob("*")
        if path.is_file()
    }
    write_zip(folder / "assignment.zip", files)
    reference = {f"{exercise}.py": source.encode() for exercise, source in solutions().items()}
    write_zip(folder / "reference.zip", reference)


def make(build: Path) -> Path:
    """Write all into a folder, in the place of what is there; return that of the bundle."""
    build.mkdir(parents=True, exist_ok=True)
    fresh, target = build / ".unfinished", build / "assignment"
    with _locked(build):
        shutil.rmtree(fresh, ignore_errors=True)  # that of a run that was killed
        fresh.mkdir()
        try:
            write_all(fresh)
            if target.exists():
                os.replace(target, fresh / "before")
            for name in ("assignment", "assignment.zip", "reference.zip"):
                os.replace(fresh / name, build / name)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return target


def _locked(build: Path) -> AbstractContextManager[object]:
    """Wait until no other process writes into a folder; the system tells when one has died."""
    lock = FileLock(build / ".lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"another run writes into {build}: waiting for its end", file=sys.stderr)
        return lock.acquire()


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m classroom.release",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="folder to write into")
    options = parser.parse_args(arguments)
    try:
        target = make(options.build)
    except OSError as error:  # that of copytree has a list of what went wrong
        reason = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror
        print(
            f"{options.build} cannot be written ({reason}): mend that, or give another "
            "folder with --build",
            file=sys.stderr,
        )
        return 1
    points = sum(it.points for it in EXERCISES.values())
    print(f"{target}: {len(NOTEBOOKS)} notebooks, {len(EXERCISES)} exercises, {points} points")
    print(f"{options.build / 'reference.zip'}: the solutions, for a teacher to hand out")
    return 0
