"""What all tests share: no window, no open figures, and a summary of the notebooks."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

pytest_plugins = ["pytester"]
matplotlib.use("agg")
# Windows cannot contain submissions, and so not grade them.
collect_ignore = (
    [] if hasattr(os, "fork") else ["sandbox", "grading/test_grade.py", "grading/test_class.py"]
)


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds: dict[str, float] = defaultdict(float)
    cells: dict[str, int] = defaultdict(int)
    failed: dict[str, int] = defaultdict(int)
    for reports in terminalreporter.stats.values():
        for report in reports:
            file = getattr(report, "nodeid", "").split("::")[0]
            if not file.endswith(".ipynb"):
                continue
            seconds[file] += report.duration
            cells[file] += report.when == "call"
            failed[file] += report.failed
    for file in sorted(seconds):
        verdict = f"{failed[file]} FAILED" if failed[file] else "passed"
        terminalreporter.write_line(
            f"{Path(file).name}: {cells[file]} cells {verdict}, {seconds[file]:.0f} s"
        )
