"""Make the students' bundle from the finished notebooks: ``python -m classroom.release.bundle``.

Writes build/assignment/, the same as build/assignment.zip, and build/reference.zip, the solutions
for a teacher to hand out. The same input gives the same bytes.

What would give a solution away is left out, by these rules:

* An exercise's cell keeps its signature and docstring; nbgrader's ClearSolutions empties it.
* A code cell with the tag ``gives-away``, or in which a line of a solution stands, be it with other
  names of variables, is replaced by what it shows in the finished notebook; and so is a cell that
  needs names of such a cell.
* A Markdown cell with that tag goes; so do folded answers, and paragraphs that quote a solution.
* A code cell that needs an exercise further down, or one of another notebook, waits for it: its
  first line says so, and until then it shows what it shows in the finished notebook.
* Functions of the package that do what an exercise asks for keep signature and docstring, and call
  the learner's function (see `student_edition`); `HANDED_ON` and `DROPPED` list them.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Set
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import (
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from cs231n_helpers.exercises.visible import EXERCISES

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOKS = tuple(dict.fromkeys(it.notebook for it in EXERCISES.values()))
GIVES_AWAY = "gives-away"
STUB = 'raise NotImplementedError("open: write your code in the place of this line")'

#: Functions whose bodies call `student_edition`, by module.
HANDED_ON = {
    "losses": [
        "svm_loss_vectorized",
        "softmax_loss_vectorized",
        "svm_loss_naive",
        "softmax_loss_naive",
        "svm_input_gradient",
        "softmax_input_gradient",
        "l2_penalty",
        "_hinge",
        "_cross_entropy",
        "net_scores",
        "net_loss",
    ],
    "training": ["train_linear", "train_net"],
    "many_runs": ["train_all"],
    "explorers/figures": ["_costs"],
}
#: What only they had called.
DROPPED = {
    "losses": ["_linear_loss", "_input_gradient"],
    "training": ["sgd"],
    "many_runs": [
        "_Group",
        "_groups",
        "_on_executor",
        "_gather",
        "_local_processes",
        "_prepare_process",
        "_travels",
        "_run",
        "_train_batched",
        "_stays_finite",
        "_accuracies",
        "_on_scores",
    ],
}
#: Exercises that a name of the package needs: called, or as the method of an object of that class.
NEEDS: dict[str, set[str]] = {
    "svm_loss": {"svm_vectorized"},
    "svm_loss_vectorized": {"svm_vectorized"},
    "svm_loss_naive": {"svm_naive", "svm_gradient"},
    "softmax_loss": {"softmax_vectorized"},
    "softmax_loss_vectorized": {"softmax_vectorized"},
    "softmax_loss_naive": {"softmax_naive", "softmax_gradient"},
    "svm_input_gradient": {"svm_dx"},
    "softmax_input_gradient": {"softmax_dx"},
    "search": {"search"},
    "explore_svm": {"svm_vectorized"},
    "explore_softmax": {"softmax_vectorized"},
    "LinearSVM.loss": {"svm_vectorized", "penalty"},
    "LinearSVM.train": {"svm_vectorized", "penalty", "sgd"},
    "Softmax.loss": {"softmax_vectorized"},
    "Softmax.train": {"softmax_vectorized", "sgd"},
    "LinearClassifier.train": {"sgd"},
    "TwoLayerNet.loss": {"net_forward", "softmax_vectorized", "net_backward", "penalty"},
    "TwoLayerNet.predict": {"net_forward"},
}
NEEDS["TwoLayerNet.train"] = NEEDS["TwoLayerNet.loss"] | {"net_training"}
NEEDS["explore_net"] = NEEDS["TwoLayerNet.train"]
CLASSES = {name.split(".")[0] for name in NEEDS if "." in name}
WITH_REG = {"svm_loss_vectorized", "svm_loss_naive"}  # need penalty where reg is given
#: Lines of solutions that say no more than the text does, or that stand everywhere.
COMMON = {
    "np.arange(len(y))",
    "rng.choice(len(X), batch_size)",
}


# ---- solutions ----


def finished(name: str) -> NotebookNode:
    """Return the notebook of that name, say "01_svm", as it stands in notebooks/."""
    return nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)


def exercise_of(cell: NotebookNode) -> str | None:
    """Return the exercise that a cell is to be filled in for."""
    nbgrader = cell.metadata.get("nbgrader", {})
    return nbgrader["grade_id"] if nbgrader.get("solution") else None


@cache
def solutions() -> dict[str, str]:
    """Return the source of the finished cell of each exercise."""
    found = {}
    for name in NOTEBOOKS:
        for cell in finished(name).cells:
            if exercise := exercise_of(cell):
                found[exercise] = cell.source
    return {exercise: found[exercise] for exercise in EXERCISES}


@cache
def telling_lines() -> dict[str, str]:
    """Return the lines of the solutions that carry information, without spaces -> exercise.

    A line is the value of an assignment or of a return, a change in place, or a condition. It
    carries information where it has two operations or more: arithmetic, transposes, comparisons,
    indices and calls.
    """
    return {_squeezed(ast.unparse(line)): exercise for exercise, line in _lines(2)}


@cache
def _telling_forms() -> dict[str, str]:
    """Return the same for three operations or more, whatever the variables are called."""
    return {_form(line): exercise for exercise, line in _lines(3)}


def _lines(operations: int) -> Iterator[tuple[str, ast.AST]]:
    for exercise, source in solutions().items():
        (function,) = ast.parse(source).body
        assert isinstance(function, ast.FunctionDef)
        for statement in function.body[1:]:
            for line in _parts_of(statement):
                if _operations(line) >= operations and ast.unparse(line) not in COMMON:
                    yield exercise, line


def _parts_of(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        yield from _parts(node)


def _form(line: ast.AST) -> str:
    """Return a line with its variables numbered in the order in which they occur."""
    numbers: dict[str, str] = {}
    line = deepcopy(line)
    for node in ast.walk(line):
        if isinstance(node, ast.Name) and node.id != "np":
            node.id = numbers.setdefault(node.id, f"v{len(numbers)}")
    return ast.unparse(line)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Assign(targets=[ast.Subscript()]) | ast.AugAssign():
            yield node
        case ast.Assign(value=ast.Tuple(elts=values)) | ast.Return(value=ast.Tuple(elts=values)):
            yield from values
        case ast.Assign(value=ast.Dict(values=values)):
            yield from values
        case ast.Assign(value=value) | ast.Return(value=value) if value is not None:
            yield value
        case ast.If(test=test):
            yield test


def _operations(node: ast.AST) -> int:
    kinds = (
        ast.BinOp,
        ast.UnaryOp,
        ast.Compare,
        ast.BoolOp,
        ast.Subscript,
        ast.Call,
        ast.AugAssign,
    )
    transposes = sum(
        isinstance(part, ast.Attribute) and part.attr == "T" for part in ast.walk(node)
    )
    return transposes + sum(isinstance(part, kinds) for part in ast.walk(node))


def _squeezed(text: str) -> str:
    return re.sub(r"\s", "", text).replace('"', "'")


def gives_away(text: str) -> str | None:
    """Return the exercise of which a solution's line stands in a text."""
    squeezed = _squeezed(text)
    return next((exercise for line, exercise in telling_lines().items() if line in squeezed), None)


def code_gives_away(source: str) -> str | None:
    """Return the same for code, in which the variables may have other names."""
    forms = (_telling_forms().get(_form(line)) for line in _parts_of(ast.parse(source)))
    return gives_away(source) or next(filter(None, forms), None)


# ---- notebooks ----


@dataclass
class _Names:
    """Who made the names that the cells of a notebook use, and what these need."""

    position: dict[str, int]  # of the exercises of this notebook
    carried: dict[str, set[str]] = field(default_factory=dict)  # name -> exercises and classes
    left_out: set[str] = field(default_factory=set)  # names that only cells make that are left out
    late: dict[str, set[str]] = field(default_factory=dict)  # name -> exercises of this notebook

    def read(self, source: str, place: int) -> tuple[set[str], bool]:
        """Return the exercises that a cell waits for, and whether it needs what is left out."""
        needs: set[str] = set()
        taken: set[str] = set()
        made: dict[str, set[str]] = {}
        broken = False
        for statement in ast.parse(source).body:
            loads, stores = _loads_and_stores(statement)
            broken = broken or bool((loads - made.keys()) & self.left_out)
            tokens = {t for n in loads for t in made.get(n, self.carried.get(n, set()))}
            tokens |= _tokens(statement, tokens, self.carried.keys() | made.keys())
            needs |= tokens & EXERCISES.keys()
            for name in stores:
                made[name] = made.get(name, set()) | tokens
            taken |= loads - made.keys()
        waits = {e for e in needs if self.position.get(e, sys.maxsize) > place}
        for name in taken & self.late.keys():
            if not self.late[name] <= waits:
                raise ValueError(
                    f"{name} is made by a cell that waits for {', '.join(self.late[name])} further "
                    f"down, but a cell beyond takes it: make it there, in {source[:60]!r}"
                )
        for name, tokens in made.items():
            self.carried[name] = tokens | waits
            self.late.pop(name, None)
            if waits & self.position.keys():
                self.late[name] = waits & self.position.keys()
        self.left_out -= made.keys()
        return waits, broken

    def leave_out(self, source: str) -> None:
        for statement in ast.parse(source).body:
            self.left_out |= _loads_and_stores(statement)[1]


def _tokens(statement: ast.stmt, carried: Set[str], own: Set[str]) -> set[str]:
    """Return the exercises, and the classes of the package, that a statement needs by itself.

    `carried` is what the names that it loads bring along, `own` are names of the notebook's own.
    """
    tokens: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id not in own:
            tokens |= NEEDS.get(node.id, set()) | ({node.id} & CLASSES)
        if isinstance(node, ast.Call) and _gives_reg(node):
            tokens.add("penalty")
    methods = {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
    for owner in (carried | tokens) & CLASSES:
        for method in methods:
            tokens |= NEEDS.get(f"{owner}.{method}", set())
    return tokens


def _gives_reg(call: ast.Call) -> bool:
    """Whether a call of a linear SVM loss, or a call that is given one, passes reg."""
    names = [getattr(argument, "id", None) for argument in (call.func, *call.args)]
    places = [i for i, name in enumerate(names) if name in WITH_REG]
    reg = any(keyword.arg == "reg" for keyword in call.keywords)
    return bool(places) and (reg or len(names) - places[0] > 4)


def _loads_and_stores(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Names that a statement takes from before it, and those that it leaves behind."""
    loads: set[str] = set()
    stores: set[str] = set()
    inner: set[str] = set()
    simple = isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.Assert)
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            (loads if isinstance(node.ctx, ast.Load) else stores).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            stores.add(node.name)
        elif isinstance(node, ast.arg):
            inner.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            inner.add(node.name)
        elif isinstance(node, ast.comprehension):
            inner |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.alias):
            stores.add((node.asname or node.name).split(".")[0])
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        loads.add(statement.target.id)
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return set(), set()  # of no interest: NEEDS speaks of the package by name
    own = inner | (set() if simple else stores)
    if isinstance(statement, ast.FunctionDef):
        return loads - own, {statement.name}
    return loads - own, stores - inner


@cache
def _student_notebook(name: str) -> tuple[NotebookNode, dict[str, list[Any]]]:
    """Return the released notebook, and what its waiting cells are expected to show."""
    notebook = finished(name)
    position = {e: i for i, cell in enumerate(notebook.cells) if (e := exercise_of(cell))}
    names = _Names(position)
    cells: list[NotebookNode] = []
    expected: dict[str, list[Any]] = {}
    for place, cell in enumerate(notebook.cells):
        exercise = exercise_of(cell)
        tagged = GIVES_AWAY in cell.metadata.get("tags", ())
        if cell.cell_type == "markdown":
            text = "" if tagged else _without_answers(cell.source)
            if text:
                cells.append(NotebookNode({**cell, "source": text}))
            continue
        cell.execution_count = None
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = None
        if "nbgrader" in cell.metadata:
            cell.outputs = []
            if exercise:
                names.carried[EXERCISES[exercise].function] = {exercise}
                names.left_out.discard(EXERCISES[exercise].function)
        else:
            waits, broken = names.read(cell.source, place)
            if tagged or broken or code_gives_away(cell.source):
                names.leave_out(cell.source)
                cells += _picture_of(cell, _seen(notebook.cells, place))
                continue
            if waits:
                ordered = [e for e in EXERCISES if e in waits]
                expected[cell.id] = [_shown(output) for output in cell.outputs]
                cell.source = f"%%after {cell.id} {' '.join(ordered)}\n{cell.source}"
        cells.append(cell)
    notebook.cells = cells
    stub = Config({"ClearSolutions": {"code_stub": {"python": STUB}}})
    for step in (ClearSolutions(config=stub), LockCells(), ComputeChecksums()):
        notebook, _ = step.preprocess(notebook, {})
    return notebook, expected


def student_notebook(name: str) -> NotebookNode:
    """Return the notebook of that name as students get it."""
    return deepcopy(_student_notebook(name)[0])


def released_cells(name: str) -> dict[str, str]:
    """Return the sources of a released notebook's cells, by cell id."""
    return {cell.id: cell.source for cell in student_notebook(name).cells}


def fill_in(notebook: NotebookNode, sources: Mapping[str, str]) -> NotebookNode:
    """Return a copy of a student's notebook with these sources in its exercises' cells."""
    filled = deepcopy(notebook)
    for cell in filled.cells:
        cell.source = sources.get(exercise_of(cell) or "", cell.source)
    return filled


def _without_answers(text: str) -> str:
    """Leave out folded answers, and paragraphs and list items that quote a solution."""
    text = re.sub(r"<details>.*?</details>\s*", "", text, flags=re.DOTALL)
    paragraphs = re.split(r"\n\s*\n|\n(?=[*-] )", text)
    kept = [paragraph for paragraph in paragraphs if not gives_away(paragraph)]
    return text.strip() if len(kept) == len(paragraphs) else "\n\n".join(kept).strip()


def _shown(output: NotebookNode) -> dict[str, Any]:
    if "text" in output:
        return {"text": output.text}
    return {"data": output.data, "metadata": output.metadata}


def _picture_of(cell: NotebookNode, seen: str) -> list[NotebookNode]:
    """Return a Markdown cell with what a code cell shows; none where that is nothing."""
    lines, attachments = [], {}
    for k, output in enumerate(cell.outputs):
        data = output.get("data", {})
        if "image/png" in data:
            alt = output.metadata.get("image/png", {}).get("alt", seen)
            file = f"{cell.id}-{k}.png"
            lines.append(f"![{alt}](attachment:{file})")
            attachments[file] = {"image/png": data["image/png"]}
        elif "text/html" in data:
            lines.append(data["text/html"])
        else:
            lines.append(f"```text\n{output.get('text', data.get('text/plain', '')).rstrip()}\n```")
    lines = [line for line in lines if not gives_away(line)]
    if not lines:
        return []
    lead = "*The code that stood here would give an exercise away. This is what it shows:*"
    shown = new_markdown_cell("\n\n".join([lead, *lines]), id=cell.id)
    if attachments:
        shown.attachments = attachments
    return [shown]


def _seen(cells: list[NotebookNode], place: int) -> str:
    """Say what the figure of a cell shows: the text around each figure does."""
    texts = [
        c.source
        for c in (cells[place - 1], *cells[place + 1 : place + 2])
        if c.cell_type == "markdown"
    ]
    for text in texts:
        if match := re.search(r"[Ww]hat to see\W+(.+?)(?:\n\n|$)", text, re.DOTALL):
            words = re.sub(r"\s+", " ", re.sub(r"[\[\]*$`]", "", match[1])).strip()
            return words[0].upper() + words[1:]
    return "the figure of this section"


# ---- the package ----


def write_package(folder: Path) -> Path:
    """Write the students' edition of cs231n_helpers into a folder, and return that folder."""
    target = folder / "cs231n_helpers"
    for path in sorted((ROOT / "cs231n_helpers").rglob("*.py")):
        place = target / path.relative_to(ROOT / "cs231n_helpers")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_stripped(path), encoding="utf-8")
    student_edition = (ROOT / "classroom" / "release" / "student_edition.py").read_text(
        encoding="utf-8"
    )
    (target / "student_edition.py").write_text(student_edition, encoding="utf-8")
    return folder


def _stripped(path: Path) -> str:
    """Return a module of the package without what would give an exercise away."""
    source = path.read_text(encoding="utf-8")
    if path.parent.name == "doctor":  # it needs its pieces to name mistakes
        return source
    if path == ROOT / "cs231n_helpers" / "__init__.py":
        return f"{source}\nfrom . import student_edition\n\nstudent_edition.install()\n"
    name = path.relative_to(ROOT / "cs231n_helpers").with_suffix("").as_posix()
    handed, dropped = HANDED_ON.get(name, []), DROPPED.get(name, [])
    gone = {name for names in DROPPED.values() for name in names}
    lines: list[str | None] = list(source.splitlines())

    def put(first: int, last: int, text: str | None) -> None:
        lines[first - 1 : last] = [text] + [None] * (last - first)

    for name, node in _definitions(ast.parse(source)):
        if name in dropped:
            put(min([node.lineno, *(d.lineno for d in node.decorator_list)]), _end(node), None)
            continue
        body = node.body
        has_docstring = ast.get_docstring(node) is not None
        if name in handed and isinstance(node, ast.FunctionDef):
            first = body[1] if has_docstring else body[0]
            indent = " " * first.col_offset
            call = _call(name, node)
            text = f"{indent}from . import student_edition\n\n{indent}return student_edition.{call}"
            put(first.lineno, _end(node), text)
        if has_docstring and (name in handed or _depends(name)):
            docstring = body[0]
            text = "\n".join(source.splitlines()[docstring.lineno - 1 : _end(docstring)])
            put(docstring.lineno, _end(docstring), _without_examples(text))
    for line in ast.parse(source).body:
        if isinstance(line, ast.ImportFrom) and any(a.name in gone for a in line.names):
            line.names = [a for a in line.names if a.name not in gone]
            put(line.lineno, _end(line), ast.unparse(line) if line.names else None)
    return "\n".join(line for line in lines if line is not None) + "\n"


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield f"{node.name}.{method.name}", method


def _end(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno


def _depends(name: str) -> bool:
    """Whether examples of a function or class call what is handed on."""
    return name in NEEDS or any(key.startswith(f"{name}.") for key in NEEDS)


def _call(name: str, node: ast.FunctionDef) -> str:
    """Return the call of student_edition's function with the parameters of this one."""
    arguments = [a.arg for a in node.args.args]
    arguments += [f"{a.arg}={a.arg}" for a in node.args.kwonlyargs]
    arguments += [f"**{node.args.kwarg.arg}"] if node.args.kwarg else []
    return f"_{name.replace('.', '_').lstrip('_')}({', '.join(arguments)})"


def _without_examples(docstring: str) -> str:
    """Leave out the examples, which cannot run, and paragraphs that quote a solution."""
    parts = re.fullmatch(r'(\s*r?""")(.*)"""', docstring, re.DOTALL)
    assert parts is not None
    text = re.sub(r"\n *Examples\n *-+\n.*", "\n", parts[2], flags=re.DOTALL)
    kept = [p for p in re.split(r"\n\s*\n", text.rstrip()) if ">>>" not in p and not gives_away(p)]
    closing = '"""' if len(kept) == 1 and "\n" not in kept[0] else f'\n{_indent(docstring)}"""'
    return parts[1] + "\n\n".join(kept) + closing


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


# ---- the bundle ----


def environment() -> str:
    """Return environment.yml for students: what the notebooks need, and no tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["notebooks"]]
    conda = [re.sub(r"^matplotlib\b", "matplotlib-base", requirement) for requirement in needed]
    lines = [
        f"  - {requirement}" for requirement in [f"python{project['requires-python']}", *conda]
    ]
    head = "# conda env create -f environment.yml, then conda activate cs231n\n"
    return head + "\n".join(
        ["name: cs231n", "channels:", "  - conda-forge", "dependencies:", *lines, ""]
    )


def write_bundle(folder: Path) -> None:
    """Write all that students get into an empty folder."""
    write_package(folder)
    for name in NOTEBOOKS:
        notebook, expected = _student_notebook(name)
        nbformat.write(notebook, folder / f"{name}.ipynb")
        for cell, outputs in expected.items():
            file = folder / "expected" / f"{cell}.json"
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(outputs, indent=1) + "\n", encoding="utf-8")
    (folder / "data").mkdir()
    for data in ("README.md", "fashion_mnist_mini.npz"):
        shutil.copyfile(ROOT / "data" / data, folder / "data" / data)
    shutil.copyfile(ROOT / "classroom" / "release" / "student.md", folder / "README.md")
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
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
