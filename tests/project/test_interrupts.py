"""The script that interrupts commands sees what is left behind."""

from __future__ import annotations

import signal
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
LEAVES = """
import subprocess, sys, tempfile, time
tempfile.mkstemp(suffix=".left")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(4)"], start_new_session=True)
time.sleep(1.5)
"""


def test_processes_and_files_that_are_left_are_seen(tmp_path, monkeypatch):
    import interrupts  # which takes signals that Windows has not

    monkeypatch.setattr(interrupts, "PATIENCE", 0.5)
    command = interrupts.Command(lambda folder: interrupts.python("-c", LEAVES))
    folder = interrupts.fresh(command, tmp_path)
    wrong = interrupts.interrupted(command, folder, signal.SIGKILL, False, 1, 1, set())
    lives, left, after = wrong.split("; ")
    assert lives.startswith("lives: psutil.Process(")
    assert left.startswith("left: ")
    assert ".left" in left
    assert after.startswith("left after the second run: ")


@pytest.mark.slow(50)
@pytest.mark.parametrize("name", ["search", "grading"])
def test_a_signal_of_each_kind_leaves_nothing_behind(name, capfd):
    import interrupts

    assert interrupts.main([name]) == 0, capfd.readouterr().out
