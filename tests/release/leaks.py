"""The search for lines of the solutions in what students get.

A line is known by its text without spaces, whatever stands around it; in code also by its form, its
variables numbered in the order in which they occur.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache

from cs231n_helpers.workbook import solutions

#: Lines of solutions that stand elsewhere for a reason: the text gives the first as a formula and
#: explains the second; the third notes the losses of other loops.
ALLOWED = {"scores=X@W", "rows=np.arange(len(y))", "losses.append(loss)"}
#: Parts of lines that say no more than the text does, or that stand everywhere.
COMMON = {"np.arange(len(y))", "rng.choice(len(X), batch_size)", "x.reshape(len(x), -1)"}
OPERATIONS = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.Subscript, ast.Call, ast.AugAssign,
)  # fmt: skip


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text).replace('"', "'")


@cache
def lines() -> set[str]:
    """Each line with an operator, a call or an index, and each part with two operations."""
    found = {squeezed(ast.unparse(part)) for part in _telling(2)}
    for source in solutions().values():
        inside = source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        for line in inside.splitlines():
            code = line.split("#")[0].strip()
            if re.search(r"[-+*/@<>\[(]", code):
                found.add(squeezed(code).removeprefix("return"))
    return found - ALLOWED


@cache
def forms() -> set[str]:
    """The forms of the parts with three operations."""
    return {_form(part) for part in _telling(3)}


def in_text(text: str) -> list[str]:
    """Return the lines of solutions that stand in a text."""
    text = squeezed(text)
    return [line for line in lines() if line in text]


def in_code(source: str) -> list[str]:
    """Return the same, and the forms that stand there, whatever the variables are called."""
    return [*in_text(source), *(forms() & {_form(part) for part in _parts(ast.parse(source))})]


def in_files(files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (file, line) for each line of a solution in files, given by names and contents."""
    for name, content in files.items():
        if name.endswith(".npz") or "/doctor/" in name:  # which needs its pieces to name mistakes
            continue
        found = _texts(json.loads(content)) if name.endswith((".ipynb", ".json")) else [content]
        for line in in_text("\0".join(found)):
            yield name, line


def _texts(value: object) -> Iterator[str]:
    """All texts in a JSON value, those that are stored as lists of lines as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        yield "".join(value)
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _telling(operations: int) -> Iterator[ast.AST]:
    """Yield the parts of the solutions that carry information, by so many operations."""
    for source in solutions().values():
        (function,) = ast.parse(source).body
        for statement in function.body[1:]:
            for part in _parts(statement):
                transposes = sum(getattr(node, "attr", "") == "T" for node in ast.walk(part))
                count = transposes + sum(isinstance(node, OPERATIONS) for node in ast.walk(part))
                if count >= operations and ast.unparse(part) not in COMMON:
                    yield part


def _parts(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the values of assignments and returns, the changes in place and the conditions."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Subscript()]) | ast.AugAssign():
                yield node
            case (
                ast.Assign(value=ast.Tuple(elts=values) | ast.Dict(values=values))
                | ast.Return(value=ast.Tuple(elts=values))
            ):
                yield from values
            case ast.Assign(value=value) | ast.Return(value=value) if value is not None:
                yield value
            case ast.If(test=test):
                yield test


def _form(part: ast.AST) -> str:
    numbers: dict[str, str] = {}
    part = deepcopy(part)
    for node in ast.walk(part):
        if isinstance(node, ast.Name) and node.id != "np":
            node.id = numbers.setdefault(node.id, f"v{len(numbers)}")
    return ast.unparse(part)
