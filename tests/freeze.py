"""What the checker and the graders say, frozen: ``python tests/freeze.py`` writes it anew.

The files in golden/ hold verdict, codes, places and messages for each function of the corpus, codes
and sentences for each wrong solution, the text of each error of the package, and the signature of
each public name. Tests compare with them, so that a change of any word shows in the commit that
makes it. Figures with a decimal point and counts of entries are masked: they depend on rounding.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("golden")
PACKAGE = Path(__file__).resolve().parent.parent / "cs231n_helpers"


@cache
def golden(kind: str) -> Any:
    """Return what is frozen of "reports", "solutions", "errors" or "signatures"."""
    return json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))


def masked(text: str) -> str:
    """Return the text without its decimal figures.

    >>> masked("entry (0, 1) is 0.25 and not 1e-07, reg 2 times")
    'entry (0, 1) is # and not #, reg 2 times'
    """
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?|\d+e[-+]?\d+|\d+(?= of \d+ entries)", "#", text)


def report_record(report: Any) -> list[str]:
    """Return verdict and findings of a `GradientReport`, a line each."""
    lines = [
        f"{'note ' if f.caution else ''}{f.code} | {f.place} | {masked(f.message)}"
        for f in report.findings
    ]
    return [report.verdict, *lines]


def parts_record(parts: Iterable[Any]) -> list[str]:
    """Return the judged parts of an exercise, a line each."""
    return [
        f"{p.name} | {'passed' if p.passed else ', '.join(p.codes)} | {masked(p.sentence)}"
        for p in parts
    ]


def error_texts() -> list[str]:
    """Return the text of each error that the package raises, what is filled in as {}."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                text = _template(node.exc.args[0])
                if text and isinstance(node.exc.func, ast.Name):
                    found.add(f"{node.exc.func.id}: {text}")
    return sorted(found)


def signatures() -> dict[str, str]:
    """Return the signatures of the package's public functions, classes and their methods."""
    import cs231n_helpers

    found = {}
    for name in cs231n_helpers.__all__:
        public = getattr(cs231n_helpers, name)
        methods = vars(public).items() if inspect.isclass(public) else ()
        callables = [(name, public), *((f"{name}.{k}", v) for k, v in methods if k[0] != "_")]
        for full_name, function in callables:
            if callable(function) and full_name != "NotFiniteError":  # it has that of ValueError
                found[full_name] = ", ".join(
                    f"{p.name}{'' if p.default is p.empty else f'={p.default!r}'}"
                    for p in inspect.signature(function).parameters.values()
                )
    return found


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(v) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    return ""


def main() -> None:
    """Write the files."""
    import numpy as np
    from doctor.test_corpus import CORPUS, check
    from right_solutions import defined
    from wrong_solutions import WRONG

    from classroom.grading.rubrics import grade_exercise
    from cs231n_helpers.leftovers import replacing

    reports = {entry["id"]: report_record(check(corpus, entry)) for corpus, entry in CORPUS}
    solutions = {
        f"{w.exercise}: {w.name}": parts_record(
            grade_exercise(
                w.exercise, defined(w.source, w.exercise), np.random.default_rng(len(w.name))
            )
        )
        for w in WRONG
    }
    frozen = {"reports": reports, "solutions": solutions}
    frozen |= {"errors": error_texts(), "signatures": signatures()}
    for kind, values in frozen.items():
        text = json.dumps(values, indent=0, ensure_ascii=False)
        with replacing(FOLDER / f"{kind}.json") as part:
            part.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:0] = map(str, [here.parent, here / "doctor", here / "grading", here / "sandbox"])
    main()
