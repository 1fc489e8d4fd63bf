"""What a teacher may want to look at: loops where none are asked, copies, and the like.

Nothing here changes points. A flag is a sentence beside the exercise; copies are a table.
"""

from __future__ import annotations

import ast
import io
import itertools
import keyword
import tokenize
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .exercises import FUNCTION
from .text import parsed

#: Exercises that ask for arrays where a loop would do.
WITHOUT_LOOPS = {
    "svm_vectorized", "softmax_vectorized", "net_forward", "net_backward", "svm_dx", "softmax_dx",
    "net_dx", "affine_backward", "relu_backward", "sgd_momentum", "adam",
}  # fmt: skip
GRADIENTS = WITHOUT_LOOPS | {"svm_gradient", "softmax_gradient", "penalty"}
COUNTING = {"range", "enumerate", "zip", "ndindex", "ndenumerate", "nditer"}
HIDDEN_LOOPS = {"vectorize", "apply_along_axis", "apply_over_axes", "frompyfunc", "fromiter"}
NUMERICAL = {
    "eval_numerical_gradient", "eval_numerical_gradient_array", "approx_fprime", "grad",
    "grad_check_sparse", "jacobian",
}  # fmt: skip
LENGTH = 8  # tokens of a piece
MOST_TOKENS = 5_000  # of an exercise
MARKS = ("### BEGIN SOLUTION", "### END SOLUTION")  # around a reference's solution
TELLING = 75  # pieces of a reference that nobody writes word for word
SHARED = 25  # rare pieces that two must share
ALIKE = 0.6  # and the share that they are of the shorter's rare pieces


def flags(exercise: str, source: str, package: frozenset[str], reference: str = "") -> list[str]:
    r"""Return sentences on what is against an exercise; `package` are the names of the package.

    `reference` is the solution that was or will be handed out, "" where there is none.

    >>> flags("svm_dx", "def svm_dx(W, X, y):\n    for i in range(len(X)): pass", frozenset())
    ['Loops where arrays are asked for: svm_dx (line 2)']
    """
    tree, name, found = parsed(source), FUNCTION[exercise], []
    if exercise in WITHOUT_LOOPS and (line := next(_loops(tree), None)):
        found.append(f"Loops where arrays are asked for: {name} (line {line})")
    if exercise in GRADIENTS and (line := next(_differences(tree), None)):
        found.append(f"Finite differences where a formula is asked for: {name} (line {line})")
    defined = {it.name for it in ast.walk(tree) if isinstance(it, ast.FunctionDef)}
    used = {it.id for it in ast.walk(tree) if isinstance(it, ast.Name)}
    imported = {
        alias.name
        for it in ast.walk(tree)
        if isinstance(it, ast.ImportFrom) and (it.module or "").startswith("cs231n_helpers")
        for alias in it.names
    }
    if borrowed := sorted(((used & package) | imported) - defined):
        found.append(f"Calls of the package: {name} ({', '.join(borrowed[:5])})")
    if _is_reference(source, reference):
        found.append(f"As in the reference: {name}")
    return found


def _loops(tree: ast.AST) -> Iterator[int]:
    """Yield the lines of loops over indices or examples; one over names of parameters is none."""
    for node in ast.walk(tree):
        called = _called(node)
        if isinstance(node, ast.While) or called in HIDDEN_LOOPS:
            yield node.lineno  # type: ignore[attr-defined]
        elif isinstance(node, ast.For | ast.comprehension):
            over = node.iter
            if _called(over) in COUNTING or (isinstance(over, ast.Name) and over.id in ("X", "y")):
                yield over.lineno


def _differences(tree: ast.AST) -> Iterator[int]:
    """Yield the lines of (f(a) - f(b)) / h, and of calls that do as much."""
    for node in ast.walk(tree):
        if _called(node) in NUMERICAL:
            yield node.lineno  # type: ignore[attr-defined]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            top = node.left
            if isinstance(top, ast.BinOp) and isinstance(top.op, ast.Sub):
                names = {_called(top.left), _called(top.right)}
                if len(names) == 1 and None not in names:
                    yield node.lineno


def _called(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)


# ---- copies ----


@lru_cache
def references(archive: Path) -> dict[str, str]:
    """Return the solutions in reference.zip by exercise, none where it is not there."""
    if not archive.is_file():
        return {}
    with zipfile.ZipFile(archive) as opened:
        files = [it for it in opened.namelist() if it.endswith(".py")]
        return {it.removesuffix(".py"): opened.read(it).decode() for it in files}


def _is_reference(source: str, reference: str) -> bool:
    """Tell whether a source has the reference's marks, or the whole of a telling one in it.

    Alike in tokens is no sign: who solves it as it was taught writes those of the reference. Nor
    are the same words in few lines without comments.
    """
    if any(mark in source for mark in MARKS):
        return True
    return _bare(reference) in _bare(source) and _is_telling(reference)


def _is_telling(reference: str) -> bool:
    lines = (line for line in reference.splitlines() if line.strip() not in MARKS)
    return any("#" in line for line in lines) or len(pieces(reference)) >= TELLING


def _bare(source: str) -> str:
    """Return a source without spaces, ends of lines and marks."""
    for mark in MARKS:
        source = source.replace(mark, "")
    return "".join(source.split())


@dataclass(frozen=True)
class Pair:
    """Two students who wrote alike, and in which exercises."""

    first: str
    second: str
    share: float  # of the rare pieces of the shorter
    exercises: tuple[str, ...]


def pieces(source: str) -> list[int]:
    """Return the runs of tokens in a source, as hashes, whatever its names, comments and spaces.

    >>> pieces("a = b + 1  # sum") == pieces("total = first+1")
    True
    """
    tokens: list[str] = []
    with suppress(tokenize.TokenError, SyntaxError, ValueError):  # what could be read counts
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NAME:
                tokens.append(token.string if keyword.iskeyword(token.string) else "name")
            elif token.type in (tokenize.OP, tokenize.NUMBER):
                tokens.append(token.string)
            elif token.type == tokenize.STRING:
                tokens.append("text")
            if len(tokens) > MOST_TOKENS:
                break
    runs = {" ".join(tokens[k : k + LENGTH]) for k in range(max(len(tokens) - LENGTH + 1, 0))}
    return sorted(zlib.crc32(run.encode()) for run in runs)


def copies(written: Mapping[str, Mapping[str, Sequence[int]]]) -> list[Pair]:
    """Return the pairs of students whose code is alike in what is rare in the class.

    `written` has student -> exercise -> pieces of the code.
    """
    owners: dict[tuple[str, int], set[str]] = defaultdict(set)
    for student, exercises in written.items():
        for exercise, code in exercises.items():
            for piece in code:
                owners[exercise, piece].add(student)
    most = max(2, len(written) // 25)
    rare = {key: them for key, them in owners.items() if len(them) <= most}
    sizes = Counter(student for them in rare.values() for student in them)
    shared: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (exercise, _), them in rare.items():
        for pair in itertools.combinations(sorted(them), 2):
            shared[pair][exercise] += 1
    found = []
    for (first, second), by_exercise in shared.items():
        together = by_exercise.total()
        share = together / min(sizes[first], sizes[second])
        if together >= SHARED and share >= ALIKE:
            found.append(Pair(first, second, share, tuple(sorted(by_exercise))))
    return sorted(found, key=lambda pair: (-pair.share, pair.first, pair.second))
