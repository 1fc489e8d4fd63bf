"""What is measured of the lessons, from the notebooks as stored: ``python tests/lessons.py``.

Words are those of the text, without code, displayed formulas and hints. Minutes are words / 200,
lines of code / 10, half a minute for a displayed formula, and those of the exercises, whose own
cells and hints are in them.
"""

from __future__ import annotations

import math
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cs231n_helpers.exercises import EXERCISES  # noqa: E402

FOLDER = ROOT / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.ipynb"))
MOST_LINES, MEDIAN_LINES, LONGER = 12, 8, 20  # one cell in twenty may be longer
FIRST_FIGURE = 400  # words
HINT_WORDS = range(80, 161)
OFF = 0.15  # by which minutes that are stated may differ
#: Identifiers of the map, as in "(A4)" or "M12".
IDENTIFIER = re.compile(r"\b(?:A(?:[1-9]|1[0-3])|M(?:[1-9]|1[0-7]))\b")
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
RUNG = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)


@cache
def cells_of(name: str) -> list[NotebookNode]:
    """Return the cells of a lesson."""
    return list(nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells)


def words(markdown: str) -> list[str]:
    """Return the words of a text, those of formulas within a line too."""
    text = FORMULA.sub(" ", re.sub(r"```.*?```", " ", markdown, flags=re.DOTALL))
    return re.sub(r"<[^>]+>", " ", text).split()


def lines(cell: NotebookNode) -> int:
    """Return how many lines of a code cell are not blank."""
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def asserts(cell: NotebookNode) -> int:
    """Return how many asserts a code cell has."""
    return len(
        re.findall(r"^\s*(?:assert\b|(?:np\.testing\.)?assert_\w+\()", cell.source, re.MULTILINE)
    )


def has_figure(cell: NotebookNode) -> bool:
    """Return whether a figure is stored below a cell."""
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return list(cell.metadata.get("tags", ()))


def is_exercise(cell: NotebookNode) -> bool:
    """Return whether a cell is to be filled in by the reader."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


@dataclass(frozen=True)
class Measures:
    """The measures of a lesson; lines are those of the cells that are no exercises."""

    words: int
    lines: list[int]
    asserts: list[int]
    figures: int
    before_figure: int  # words
    formulas: int
    exercises: int  # minutes

    @property
    def longer(self) -> int:
        """How many cells are longer than most may be."""
        return sum(length > MOST_LINES for length in self.lines)

    @property
    def minutes(self) -> float:
        """How long an honest reader takes."""
        reading = self.words / 200 + sum(self.lines) / 10 + self.formulas / 2
        return reading + self.exercises


def measure(name: str) -> Measures:
    """Measure the lesson of that name, say "01_svm"."""
    cells = cells_of(name)
    texts = [c.source for c in cells if c.cell_type == "markdown" and "hints" not in tags(c)]
    code = [cell for cell in cells if cell.cell_type == "code" and not is_exercise(cell)]
    first = next((k for k, cell in enumerate(cells) if has_figure(cell)), len(cells))
    before = [c.source for c in cells[:first] if c.cell_type == "markdown"]
    return Measures(
        words=sum(len(words(text)) for text in texts),
        lines=[lines(cell) for cell in code],
        asserts=[asserts(cell) for cell in code],
        figures=sum(has_figure(cell) for cell in code),
        before_figure=sum(len(words(text)) for text in before),
        formulas=sum(len(FORMULA.findall(text)) for text in texts),
        exercises=sum(it.minutes for it in EXERCISES.values() if it.notebook == name),
    )


def problems(name: str) -> Iterator[str]:
    """Yield in what a lesson does not keep the measures."""
    it, cells = measure(name), cells_of(name)
    if statistics.median(it.lines) > MEDIAN_LINES:
        yield f"the median cell has {statistics.median(it.lines):g} lines, and not {MEDIAN_LINES}"
    if it.longer > math.ceil(len(it.lines) / LONGER):
        yield f"{it.longer} of {len(it.lines)} cells have more than {MOST_LINES} lines"
    if it.before_figure > FIRST_FIGURE:
        yield f"{it.before_figure} words stand before the first figure, and not {FIRST_FIGURE}"
    yield from _minutes(name, it)
    yield from _exercises(name)
    for k, cell in enumerate(cells):
        for problem in problems_of_cell(cells, k):
            yield f"cell {k} ({cell.source.strip().splitlines()[0][:50]!r}) {problem}"
    start, first = [cell for cell in cells if cell.cell_type == "code"][:2]
    if "start" not in tags(start):
        yield "the first code cell does not say what to install where the package is missing"
    if not first.source.startswith("%load_ext cs231n_helpers\n"):
        yield "the second code cell does not begin with %load_ext cs231n_helpers"


def _minutes(name: str, it: Measures) -> Iterator[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    places = {
        "README": re.search(rf"\({re.escape(f'notebooks/{name}.ipynb')}\).*\| (\d+) \|", readme),
        "the first cell": re.search(r"\*\*Time:\*\* about (\d+) minutes", cells_of(name)[0].source),
    }
    for place, found in places.items():
        if not found:
            yield f"{place} does not say how many minutes, about {it.minutes:.0f}"
        elif abs(int(found[1]) / it.minutes - 1) > OFF:
            yield f"{place} says {found[1]} minutes, and it is {it.minutes:.0f}"


def _exercises(name: str) -> Iterator[str]:
    cells = cells_of(name)
    for exercise, it in EXERCISES.items():
        if it.notebook != name:
            continue
        k = next(k for k, c in enumerate(cells) if is_exercise(c)
                 and c.metadata.nbgrader.grade_id == exercise)  # fmt: skip
        heading = rf"^### Exercise {re.escape(it.number)}: .+\n+\*{re.escape(it.effort)}\*$"
        if not re.search(heading, cells[k - 1].source, re.MULTILINE):
            yield f"above {it} stands no '### Exercise {it.number}: ...' with '*{it.effort}*' below"
        hints = cells[k + 2] if k + 2 < len(cells) else cells[k]
        rungs = RUNG.findall(hints.source) if "hints" in tags(hints) else []
        if [summary.partition(":")[0] for summary, _ in rungs] != ["Hint 1", "Hint 2", "Hint 3"]:
            yield f"below the check of {it} stands no cell tagged hints with three rungs"
        for summary, text in rungs:
            if len(words(text)) not in HINT_WORDS:
                yield f"{it}: {summary!r} has {len(words(text))} words, not 80 to 160"


def problems_of_cell(cells: Sequence[NotebookNode], k: int) -> Iterator[str]:
    """Yield in what cell k of a lesson does not keep the measures."""
    cell = cells[k]
    if cell.cell_type == "markdown":
        plain = re.sub(r"`[^`]*`|\$[^$]*\$", " ", FORMULA.sub(" ", cell.source))
        if found := IDENTIFIER.search(plain):
            yield f"names {found[0]}, which only the map should"
        for target in re.findall(r"\]\((?!https?:|#|attachment:)([^)#\s]+)", cell.source):
            if not (FOLDER / target).is_file() or "/" in target:
                yield f"links to {target}, which is no lesson beside it"
        return
    if not is_exercise(cell) and asserts(cell) > 1:
        yield f"has {asserts(cell)} asserts"
    for output in cell.outputs:
        text = output.get("text", output.get("data", {}).get("text/plain", ""))
        if found := re.search(r"(?<!=)\b(True|False)\b", text):
            yield f"prints {found[0]}"
    if has_figure(cell):
        above = []
        for before in reversed(cells[:k]):
            if before.cell_type != "markdown":
                break
            above.append(before.source)
        if "to see" not in " ".join(above).lower():
            yield "draws a figure, and the text above does not say what to see"


def main() -> None:
    """Print the measures of each lesson, and what it does not keep."""
    verbose = "-v" in sys.argv
    wanted = [arg for arg in sys.argv[1:] if arg != "-v"]
    print(
        f"{'':20} words cells median longest >{MOST_LINES} asserts figures before minutes problems"
    )
    for name in NAMES:
        if wanted and name not in wanted and name[:2] not in wanted:
            continue
        it, found = measure(name), list(problems(name))
        print(f"{name:20} {it.words:5} {len(it.lines):5} {statistics.median(it.lines):6g} "
              f"{max(it.lines):7} {it.longer:3} {sum(it.asserts):7} {it.figures:7} "
              f"{it.before_figure:6} {it.minutes:7.0f} {len(found):8}")  # fmt: skip
        for problem in found if verbose or wanted else ():
            print(f"    {problem}")


if __name__ == "__main__":
    main()
