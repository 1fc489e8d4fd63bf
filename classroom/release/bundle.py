"""Make the students' bundle from the finished notebooks: ``python -m classroom.release.bundle``.

Writes build/assignment/, the same as build/assignment.zip, and build/reference.zip, the solutions
for a teacher to hand out. The same input gives the same bytes.

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
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from cs231n_helpers.exercises import EXERCISES

from .notebooks import NOTEBOOKS, released, solutions

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
    unfinished = path.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    os.replace(unfinished, path)


def make(build: Path) -> Path:
    """Write the bundle, its zip and the reference into a folder; return that of the bundle."""
    build.mkdir(parents=True, exist_ok=True)
    target = build / "assignment"
    with tempfile.TemporaryDirectory(dir=build) as folder:
        fresh = Path(folder, "assignment")
        fresh.mkdir()
        write_bundle(fresh)
        files = {
            f"assignment/{path.relative_to(fresh).as_posix()}": path.read_bytes()
            for path in fresh.rglob("*")
            if path.is_file()
        }
        if target.exists():
            os.replace(target, Path(folder, "before"))
        os.replace(fresh, target)
    write_zip(build / "assignment.zip", files)
    reference = {f"{exercise}.py": source.encode() for exercise, source in solutions().items()}
    write_zip(build / "reference.zip", reference)
    return target


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="folder to write into")
    options = parser.parse_args(arguments)
    target = make(options.build)
    points = sum(it.points for it in EXERCISES.values())
    print(f"{target}: {len(NOTEBOOKS)} notebooks, {len(EXERCISES)} exercises, {points} points")
    print(f"{options.build / 'reference.zip'}: the solutions, for a teacher to hand out")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
