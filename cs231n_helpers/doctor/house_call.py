"""The house call: which functions of an assignment 1 are right, which wrong, which are left.

    python -m cs231n_helpers.doctor PATH/assignment1

The files of any year are parsed for what they define; the code runs in a process of its own
(`house_process`), where each function is tried (`house_checks`).
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ..progress_bar import progress
from .house_checks import ITEMS, UNKNOWN, Answer, Item
from .house_process import LARGEST, Child, read_source
from .house_report import STEPS, Line, as_html, as_text

SKIPPED = ("datasets", "node_modules", "site-packages", "venv", "env", "build")
PENALTY = {0.5: "0.5 * reg * sum(W**2)", 1.0: "reg * sum(W**2)"}


@dataclass
class Source:
    """A file of the student's: on which lines what is defined, or why it cannot be read."""

    path: Path  # from the root
    text: str = ""
    error: str = ""
    line: int | None = None  # of the error
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    @property
    def takes_reg(self) -> bool:
        """Its net takes the strength of the penalty with each loss, as until 2020."""
        loss = self.functions.get("TwoLayerNet.loss")
        return loss is not None and any(a.arg == "reg" for a in loss.args.args)


def find_root(folder: Path) -> Path:
    """The folder that holds `cs231n`: this one, one around it, or one in it."""
    inside = sorted([*folder.glob("*/"), *folder.glob("*/*/")], key=lambda p: "1" not in p.name)
    places = [folder, *folder.parents[:2], *inside]
    return next((p for p in places if (p / "cs231n" / "classifiers").is_dir()), folder)


def read_sources(root: Path) -> dict[str, Source]:
    """The Python files below the root, by their names without the suffix."""
    found: dict[str, Source] = {}
    start = root / "cs231n"
    for place, folders, files in os.walk(start if start.is_dir() else root):
        folders[:] = sorted(f for f in folders if f[0] not in "._" and f not in SKIPPED)
        for path in (Path(place, file) for file in sorted(files)):
            if path.suffix == ".py" and path.is_file() and path.stat().st_size < LARGEST:
                found.setdefault(path.stem, _read(path, Source(path.relative_to(root))))
    return found


def _read(file: Path, source: Source) -> Source:
    try:
        with warnings.catch_warnings(action="ignore"):
            source.text = read_source(file)
            source.functions = dict(_functions(ast.parse(source.text).body))
    except SyntaxError as error:
        source.error, source.line = f"Syntax error: {error.msg}.", error.lineno
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        source.error = f"The file cannot be read: {error}."
    return source


def _functions(body: Sequence[ast.stmt], inside: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield inside + node.name, node
        elif isinstance(node, ast.ClassDef) and not inside:
            yield from _functions(node.body, f"{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _functions([*node.body, *node.orelse], inside)


def find_items(sources: Mapping[str, Source]) -> Iterator[tuple[Item, Source]]:
    """What the assignment asks for, with the file that has it, or should have it."""
    for item in ITEMS:
        holders = [s for s in sources.values() if item.name in s.functions]
        if item.name.startswith("TwoLayerNet."):
            holders = [s for s in holders if s.takes_reg == (item.file == "neural_net")]
        usual = sources.get(item.file)
        if item.file == "optim" and "2025" not in year_of(sources)[0]:
            continue
        if holders:
            yield item, usual if usual in holders else holders[0]
        elif usual is not None and (usual.error or not item.name.startswith(("Fully", "svm_loss"))):
            yield item, usual


def year_of(sources: Mapping[str, Source]) -> tuple[str, dict[bool, float]]:
    """The years with such files, and the factors of their penalties: of nets, of the others."""
    if "fc_net" in sources:
        is_late = "FullyConnectedNet.loss" in sources["fc_net"].functions
        return "2025 or later" if is_late else "2021 to 2024", {True: 0.5, False: 1.0}
    if "neural_net" not in sources:
        return "", {}
    text = "".join(source.text for source in sources.values())
    if re.search("^from (builtins|past.builtins|__future__) import", text, re.MULTILINE):
        return "2017 to 2020", {True: 1.0, False: 1.0}
    return "2016", {True: 0.5, False: 0.5}


class HouseCall:
    """Asks for one function after the other; the later ones rely on what was found."""

    def __init__(self, root: Path, seconds: float) -> None:
        self.child, self.seconds = Child(root), seconds
        self.endless: dict[str, Answer] = {}  # modules whose import does not end
        self.lines: list[Line] = []

    def visit(self, item: Item, source: Source) -> None:
        """Judge one function."""
        status = {line.name: line.answer.status for line in self.lines}
        exchange = [name for name in item.needs if status.get(name, "right") != "right"]
        answer = self._answer(item, source, exchange)
        if exchange and answer.status == "right":
            note = f"{answer.note} Judged on right layers, not on your {', '.join(exchange)}."
            answer = replace(answer, note=note.strip())
        function = source.functions.get(item.name)
        number = function.lineno if function else source.line
        self.lines.append(Line(str(source.path), item.name, number, answer))

    def _answer(self, item: Item, source: Source, exchange: Sequence[str]) -> Answer:
        if source.error:
            return Answer("wrong", source.error)
        if item.name not in source.functions:
            return Answer("not written yet", "It is not in this file.")
        module = ".".join(source.path.with_suffix("").parts)
        if module in self.endless:
            return self.endless[module]
        task = {"item": ITEMS.index(item), "module": module, "exchange": exchange}
        self.child.send({**task, "absent": [*self.endless], "seconds": self.seconds})
        stage = "Importing the file"
        try:
            self.child.receive(self.seconds)
            stage = "It"
            return _as_answer(self.child.receive(self.seconds))
        except TimeoutError:
            limit = f"{stage} does not end within {self.seconds:g} seconds"
            answer = Answer("wrong", f"{limit}: is there a loop that never stops?")
            if stage != "It":
                self.endless[module] = answer
            return answer
        except EOFError:
            return Answer("wrong", f"{stage} ends Python itself, or takes more than 4 GB.")


def _as_answer(reply: Mapping[str, Any]) -> Answer:
    """What came from a process that runs code of others: text, and not too much of it."""
    texts = {
        f.name: "".join(c if c.isprintable() or c == "\n" else " " for c in reply[f.name][:9000])
        for f in fields(Answer) if isinstance(reply.get(f.name), str)
    }  # fmt: skip
    if texts.get("status") not in ("right", *STEPS):
        return Answer("wrong", "It ends Python itself.")
    penalty = next((factor for factor in PENALTY if factor == reply.get("penalty")), None)
    return Answer(**texts, penalty=penalty)


def _with_note(line: Line, year: str, expected: Mapping[bool, float]) -> Line:
    """Note a penalty that is not the one of the year."""
    penalty, due = line.answer.penalty, expected.get("Net" in line.name)
    if penalty is None or due is None or penalty == due:
        return line
    note = f"{line.answer.note} The penalty is {PENALTY[penalty]}; {year} has {PENALTY[due]}."
    return replace(line, answer=replace(line.answer, note=note.strip()))


def examine(folder: Path, only: str = "", seconds: float = 20.0) -> tuple[list[Line], str]:
    """Judge the functions whose names contain `only`; return them, and the years of the files."""
    if not folder.expanduser().is_dir():
        raise ValueError(f"{folder} is no folder: name the one that holds cs231n")
    root = find_root(folder.expanduser().resolve())
    sources = read_sources(root)
    found = list(find_items(sources))
    chosen = {item.name for item, _ in found if only.lower() in item.name.lower()}
    if not chosen:
        all_names = ", ".join(dict.fromkeys(item.name for item, _ in found))
        there = f"there are {all_names}" if found else "name the folder that holds cs231n"
        raise ValueError(f"no such function of assignment 1 in {root}: {there}")
    asked = chosen.union(*(item.needs for item, _ in found if item.name in chosen))
    call = HouseCall(root, seconds)
    try:
        for item, source in progress([p for p in found if p[0].name in asked], "house call"):
            call.visit(item, source)
    finally:
        call.child.end()
    lines, (year, expected) = call.lines, year_of(sources)
    files = {str(source.path): source.functions for _, source in found}
    names = {item.name for item, _ in found}
    for file, functions in files.items():
        others = [n for n in functions if not n.startswith("_") and "." not in n and n not in names]
        chosen |= {name for name in others if only.lower() in name.lower()}
        lines += [Line(file, name, functions[name].lineno, UNKNOWN) for name in others]
    lines.sort(key=lambda line: [*files].index(line.file))
    return [_with_note(line, year, expected) for line in lines if line.name in chosen], year


def main(argv: Sequence[str] | None = None) -> int:
    """Make the house call of the command line; return 0 where everything is right."""
    parser = argparse.ArgumentParser(
        prog="python -m cs231n_helpers.doctor",
        description="Look at all functions of an assignment 1, of any year: which are right, which "
        "wrong and why, and which are not written yet. The exit status is 0 where all are right.",
    )
    parser.add_argument("folder", type=Path, help="assignment1, the folder that holds cs231n")
    parser.add_argument("--only", metavar="NAME", default="", help="functions with this name")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a page as well")
    parser.add_argument("--seconds", type=float, default=20.0, help="for one function (20)")
    args = parser.parse_args(argv)
    try:
        lines, year = examine(args.folder, args.only, args.seconds)
        print(as_text(lines, year))
        if args.html is not None:
            args.html.write_text(as_html(lines, year), "utf-8")
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return int(any(line.answer.status != "right" and line.answer != UNKNOWN for line in lines))
