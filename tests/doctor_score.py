"""How good `check_gradient` is, over each collection of functions: ``make doctor-score``.

Prints a table, writes it into benchmarks/doctor.md. ``--list`` names what falls short, ``--print``
writes nothing. The gradient doctor that is imported is scored, whichever that is.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = map(str, [HERE, HERE / "doctor"])

import test_corpus  # noqa: E402
import test_declared_mistakes as declared  # noqa: E402
from house_calls import RIGHT, WRONG, mistakes, reported  # noqa: E402, F401

from cs231n_helpers.leftovers import replacing  # noqa: E402

PAGE = HERE.parent / "benchmarks" / "doctor.md"
# they say where it is wrong, and not what
PLACES = ("unexplained", "entry_wrong", "last_row_wrong", "single_class_wrong")
# name, how the report is made, whether the function is right, whether the report says so
Entry = tuple[str, Callable[[], Any], bool, Callable[[Any], bool]]


def corpus() -> Iterator[Entry]:
    """The functions of tests/doctor/corpus."""
    for module, entry in test_corpus.CORPUS:
        right, name = not entry["diagnosis"], entry["id"]
        codes = {entry["diagnosis"]} | module.EQUIVALENT.get(name, set())
        yield (
            name,
            lambda module=module, entry=entry: test_corpus.check(module, entry),
            right,
            lambda report, codes=codes: report.findings[0].code in codes,
        )


def declared_mistakes() -> Iterator[Entry]:
    """The mistakes that the doctor declares, each put into a right function.

    Two mistakes may be one formula, so each of the findings counts.
    """
    for case in declared.CASES:
        mistake, activation = case.values
        yield (
            str(case.id),
            lambda case=case: declared.report_of(*case.values),
            declared.is_right_here(mistake, activation),
            lambda report, code=mistake.code: code in [f.code for f in report.mistakes],
        )
    for entry in declared.WRONG_LOSSES:
        codes = {entry.code, "hinge_mask_wrong"}  # the second: of a hinge with delta = 0
        yield (
            f"{entry.code}-{entry.output_loss}",
            lambda entry=entry: declared.report_of_loss(entry),
            False,
            lambda report, codes=codes: report.findings[0].code in codes,
        )


def house_calls() -> Iterator[Entry]:
    """Calls that people make; each must also say the words that it should."""
    for case in RIGHT + WRONG:
        ok = lambda report, case=case: not case.complaints(report)  # noqa: E731
        yield case.name, case.report, case.verdict == "correct", ok


COLLECTIONS = {
    "many styles": corpus,
    "declared mistakes": declared_mistakes,
    "house calls": house_calls,
}


def outcome(report: Any, right: bool, is_named: Callable[[Any], bool]) -> str:
    """One word for how good a report is."""
    verdict = getattr(report, "verdict", "raised")
    if right:
        return {"correct": "right", "inconclusive": "inconclusive"}.get(verdict, "false alarm")
    if verdict == "correct":
        return "missed"
    if is_named(report):
        return "named"
    first = next((f.code for f in getattr(report, "findings", ())), "unexplained")
    return "unnamed" if first in PLACES else "wrongly named"


def score(title: str, entries: Iterator[Entry], falls_short: list[str]) -> str:
    """Return one row of the table."""
    count, calls, seconds = Counter[str](), {True: [], False: []}, time.process_time()
    for name, report_of, right, is_named in entries:
        report = report_of()
        word = outcome(report, right, is_named)
        count[word] += 1
        calls[right].append(getattr(report, "evaluations", 1))
        if word not in ("named", "right"):
            falls_short.append(f"{title}: {name}: {word}")
    seconds = time.process_time() - seconds
    words = [
        ("named", "unnamed", "wrongly named", "missed"),
        ("right", "false alarm", "inconclusive"),
    ]
    wrong, right = ([count[word] for word in row] for row in words)
    cells = [title, sum(wrong), *wrong, sum(right), *right[1:]]
    cells += [statistics.median_low(calls[k]) for k in (False, True)]
    cells += [f"{1000 * seconds / sum(count.values()):.0f}"]
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Score, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--list", action="store_true", help="name what falls short")
    parser.add_argument("--print", action="store_true", help="write no page")
    options = parser.parse_args()
    falls_short = list[str]()
    table = "\n".join(
        [
            "| collection | wrong functions | named | unnamed | wrongly named | missed "
            "| right functions | false alarms | inconclusive "
            "| calls of a wrong one | of a right one | ms each |",
            "|---|" + 11 * "---:|",
            *(score(title, entries(), falls_short) for title, entries in COLLECTIONS.items()),
        ]
    )
    print(*(falls_short if options.list else []), table, sep="\n")
    if not options.print:
        before, after = re.split(
            r"\| collection [^\n]*\n(?:\|[^\n]*\n)+", PAGE.read_text("utf-8"), maxsplit=1
        )
        with replacing(PAGE) as part:
            part.write_text(f"{before}{table}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
