"""What the fuzzers share: one case from one seed, its outcome judged, many of them behind a bar."""

from __future__ import annotations

import argparse
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import cs231n_helpers
from cs231n_helpers.progress_bar import progress

PACKAGE = Path(cs231n_helpers.__file__).parent


class ViolationError(AssertionError):
    """A call ended in none of the ways that are allowed."""


def refused(error: Exception) -> bool:
    """Whether an error is one of ours: raised by a line of the package, short, in one line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error)
    ours = Path(last.filename).is_relative_to(PACKAGE) and (last.line or "").startswith("raise")
    return (
        ours and isinstance(error, TypeError | ValueError) and "\n" not in text and len(text) < 500
    )


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call returns, or the error with which it refuses; warnings are violations."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return call()
    except Exception as error:
        if not refused(error):
            raise ViolationError(f"foreign error {type(error).__name__}: {error}") from error
        return error


def run(
    case: Callable[[np.random.Generator], str], seeds: Sequence[Sequence[int]]
) -> tuple[Counter[str], dict[tuple[int, ...], Exception]]:
    """Run a case for each seed; return how often each outcome came, and the violations."""
    counts: Counter[str] = Counter()
    violations: dict[tuple[int, ...], Exception] = {}
    for seed in progress(seeds, "fuzzing", delay=0):
        try:
            counts[case(np.random.default_rng(seed))] += 1
        except Exception as error:
            counts["violation"] += 1
            violations[tuple(seed)] = error
    return counts, violations


def main(description: str, case: Callable[[np.random.Generator], str]) -> int:
    """Run the command: many cases, or one of them again with its traceback."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=1_000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all of them (%(default)s)")
    parser.add_argument("--only", type=int, metavar="CASE", help="this one, with its traceback")
    options = parser.parse_args()
    if options.only is not None:
        print(case(np.random.default_rng([options.seed, options.only])))
        return 0
    counts, violations = run(case, [(options.seed, k) for k in range(options.cases)])
    for (_, number), error in list(violations.items())[:20]:
        print(f"--seed {options.seed} --only {number}: {error}", file=sys.stderr)
    print(", ".join(f"{count:,} {name}" for name, count in counts.most_common()))
    return int(bool(violations))
