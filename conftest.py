"""What all tests share: nobody's settings, no open figures, and a summary of the notebooks."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from isolation import isolate

from notebooks import connections

isolate()  # before the imports that read settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # which & makes a shell ignore

import matplotlib  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402

pytest_plugins = ["pytester", "chromium"]
matplotlib.rcParams.update(matplotlib.rcParamsDefault)  # a matplotlibrc may lie here
matplotlib.use("agg")
#: Files that take seconds; slow tests say how many.
TAKE_LONG = ("notebooks/", "tests/grading/", "tests/project/", "tests/release/")
# Windows cannot contain submissions, and so not grade them.
collect_ignore = (
    []
    if hasattr(os, "fork")
    else ["tests/sandbox", "tests/grading/test_grade.py", "tests/grading/test_class.py"]
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For --dist loadgroup, keep a file of tests/grading together: its tests share a graded class.

    The mark xdist_group does nothing: xdist 3.8 writes it where pytest 9 no longer reads it.
    """
    if config.getvalue("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False  # they come in the order of `slow`, below
    from xdist.scheduler import LoadScopeScheduling

    class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.split("::")[0] if nodeid.startswith("tests/grading/") else nodeid

    return TogetherScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process is at work after the others."""

    def seconds(item: pytest.Item) -> float:
        mark = item.get_closest_marker("slow")
        return float(mark.args[0] if mark and mark.args else item.nodeid.startswith(TAKE_LONG))

    items.sort(key=seconds, reverse=True)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through 5,000 tests again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Let a kernel's connection file lie where the next run removes it, if this one is killed."""
    if item.path.suffix == ".ipynb":
        with mock.patch.object(tempfile, "tempdir", str(connections(Path(os.environ["HOME"])))):
            return (yield)
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write a line for each notebook."""
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
