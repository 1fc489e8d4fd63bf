"""Draw faults at random over the lines that the lessons run, and see who notices each.

    python tests/random_faults.py --number 40 --seed 1

A fault changes an operator, a constant or an axis, or drops a line, in what the lessons teach;
guards, which refuse what no lesson passes, are left to the tests. Each is written into a copy
of the project; the notebooks that run its line are run on it under strict nbval, and where
they stay green, the tests. What nobody notices is either a hole or no fault at all, because it
changes no result: somebody has to look at it.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from faults import ROOT, TIMEOUT
from tqdm import tqdm

PACKAGE = ROOT / "cs231n_helpers"
TAUGHT = re.compile(
    r"(losses|layers|classifiers|training|optim|solver|gradient_check|search|single_run|many_runs"
    r"|plots|datasets/(preprocessing|splits|spiral)|explorers/(?!shell)\w+)\.py"
)
OPERATORS = {
    "+": "-", "-": "+", "*": "/", "/": "*", "@": "*", "**": "*", "//": "/", "%": "//",
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not",
    "is not": "is", "in": "not in", "not in": "in", "and": "or", "or": "and", "&": "|", "|": "&",
}  # fmt: skip
#: Put into a kernel as sitecustomize: notes each line of a function of the package that is run.
TRACER = """\
import os, sys, threading
package, seen = {package!r}, set()
log = open({folder!r} + "/" + str(os.getpid()), "a", buffering=1)
def line(frame, event, arg):
    place = frame.f_code.co_filename[len(package) + 1:], frame.f_lineno
    if event == "line" and place not in seen:
        seen.add(place)
        log.write("%s %d\\n" % place)
    return line
def call(frame, event, arg):
    code = frame.f_code
    inside = code.co_filename.startswith(package) and code.co_name != "<module>"
    return line if inside else None
sys.settrace(call)
threading.settrace(call)
"""


@dataclass(frozen=True)
class Fault:
    file: str  # within the package
    line: int
    start: int  # of the text that is changed, in characters of the file
    end: int
    wrong: str

    def put_into(self, package: Path) -> None:
        path = package / self.file
        text = path.read_text("utf-8")
        path.write_text(text[: self.start] + self.wrong + text[self.end :], "utf-8")

    def __str__(self) -> str:
        text = (PACKAGE / self.file).read_text("utf-8")
        before, after = text[: self.start], text[self.end :]
        wrong = before.rpartition("\n")[2] + self.wrong + after.partition("\n")[0]
        right = text.splitlines()[self.line - 1].strip()
        return f"{self.file}:{self.line}: {right} -> {wrong.strip() or '(dropped)'}"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a copy of the project, with its package."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8"
    )


def run_notebook(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    cell = f"--nbval-cell-timeout={TIMEOUT}"
    return run(folder, "--nbval", "--nbval-current-env", cell, f"notebooks/{name}")


def copied(folder: str) -> Path:
    """Copy what is checked in, as it stands here, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8"
    ).stdout
    for name in listed.splitlines():
        target = Path(folder) / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return Path(folder)


def lines_run(name: str) -> set[tuple[str, int]]:
    """Return the lines (file, number) of the package's functions that a notebook runs."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as log:
        copy = copied(folder)
        tracer = TRACER.format(package=str(copy / "cs231n_helpers"), folder=log)
        (copy / "sitecustomize.py").write_text(tracer, "utf-8")
        result = run_notebook(copy, name)
        if result.returncode:
            raise RuntimeError(f"{name} is not green without a fault:\n{result.stdout}")
        noted = "".join(path.read_text("utf-8") for path in Path(log).iterdir())
    pairs = (line.split() for line in noted.splitlines())
    return {(pair[0], int(pair[1])) for pair in pairs if len(pair) == 2}


def is_guard(node: ast.AST) -> bool:
    """Tell whether a statement only refuses bad input: a check, or an `if` around a raise."""
    match node:
        case ast.If(body=[*_, ast.Raise()], orelse=[]):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name.startswith("check_")
        case ast.Assign(value=ast.Call(func=ast.Name(id=name))):
            return name.startswith("as_")
    return False


def changes(file: str) -> Iterator[Fault]:
    """Yield what can be changed in a file of the package."""
    text = (PACKAGE / file).read_text("utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(node: ast.AST) -> tuple[int, int]:
        def at(line: int, byte: int) -> int:
            start = starts[line - 1]
            return start + len(text[start : starts[line]].encode()[:byte].decode())

        return at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)

    def operator(left: ast.AST, right: ast.AST) -> Iterator[Fault]:
        start, end = place(left)[1], place(right)[0]
        between = re.sub(r"#.*", lambda comment: " " * len(comment[0]), text[start:end])
        for match in re.finditer(r"[-+*/@%<>=!&|]+|\b(?:is not|is|not in|in|and|or)\b", between):
            if match[0] in OPERATORS:
                yield Fault(file, left.lineno, start + match.start(), start + match.end(),
                            OPERATORS[match[0]])  # fmt: skip

    def visit(node: ast.AST) -> Iterator[Fault]:
        if isinstance(node, ast.Raise | ast.JoinedStr | ast.Assert) or is_guard(node):
            return
        match node:
            case ast.BinOp():
                yield from operator(node.left, node.right)
            case ast.Compare():
                yield from operator(node.left, node.comparators[0])
            case ast.BoolOp():
                yield from operator(node.values[0], node.values[1])
            case ast.Constant(value=bool()):
                yield Fault(file, node.lineno, *place(node), str(not node.value))
            case ast.Constant(value=int() | float()):
                other = 1 - node.value if node.value in (0, 1) else 2 * node.value
                yield Fault(file, node.lineno, *place(node), repr(other))
            case ast.UnaryOp(op=ast.USub() | ast.Not()):
                start, end = place(node)[0], place(node.operand)[0]
                yield Fault(file, node.lineno, start, end, "")
            case ast.AugAssign() | ast.Expr(value=ast.Call()):
                yield Fault(file, node.lineno, *place(node), "pass")
            case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
                yield Fault(file, node.lineno, *place(node), "pass")
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "decorator_list"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from visit(child)

    yield from visit(ast.parse(text))


def noticed(fault: Fault, notebooks: list[str], test: bool) -> str:
    """Return who turns red: a notebook, "tests", or "" for nobody."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(folder)
        fault.put_into(copy / "cs231n_helpers")
        for name in notebooks:
            if run_notebook(copy, name).returncode:
                return name
        if test:
            quick = ("-m", "not slow", "tests", "cs231n_helpers", "--ignore=tests/project")
            return "tests" if run(copy, *quick).returncode else ""
    return ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=40, help="faults to draw (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time")
    parser.add_argument("--no-tests", action="store_true", help="ask the notebooks alone")
    options = parser.parse_args(arguments)
    notebooks = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    with ThreadPoolExecutor(options.jobs) as pool:
        found = pool.map(lines_run, notebooks)
        run_by = dict(tqdm(zip(notebooks, found, strict=True), "lines", len(notebooks)))
        lines = sorted(set().union(*run_by.values()))
        files = sorted({file for file, _ in lines if TAUGHT.fullmatch(file)})
        possible = [it for file in files for it in changes(file)]
        possible = [it for it in possible if (it.file, it.line) in lines]
        faults = random.Random(options.seed).sample(possible, options.number)

        def who(fault: Fault) -> str:
            theirs = [it for it in notebooks if (fault.file, fault.line) in run_by[it]]
            return noticed(fault, theirs, not options.no_tests)

        score: Counter[str] = Counter()
        for fault, name in zip(
            faults, tqdm(pool.map(who, faults), "faults", len(faults)), strict=True
        ):
            score["notebooks" if name.endswith(".ipynb") else name or "nobody"] += 1
            tqdm.write(f"{name or 'NOBODY':24} {fault}", file=sys.stdout)
    print(f"of {len(possible)} possible faults {len(faults)} were drawn: {dict(score)}")
    return int(score["nobody"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
