"""`make lab` opens the notebooks, for root too, without what is no business of learners."""

from __future__ import annotations

import os
import re
import sys
import urllib.request
from pathlib import Path

import pytest
from lab import ROOT, make_lab

pytestmark = pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv" or os.name != "posix", reason="make has another environment"
)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_make_lab_opens_the_notebooks(tmp_path):
    with make_lab(tmp_path, ROOT / "notebooks") as lab:
        page = lab.get("lab")
        assert "<title>JupyterLab</title>" in page
        (disabled,) = re.findall(r'"disabledExtensions": \[(.*?)\]', page)
        assert '"@jupyter/nbgrader"' in disabled  # a teacher's menu
        assert ':announcements"' in disabled  # a question over the text
        assert '"news": {"disabled": true}' in page
        assert "01_svm.ipynb" in lab.get("api/contents")
        with urllib.request.urlopen(f"{lab.address}/lab", timeout=30) as without_token:
            assert "/login?" in without_token.url
        (server,) = (
            Path(f"/proc/{lab.process}/task/{lab.process}/children").read_text("utf-8").split()
        )
        assert b"OPENBLAS_NUM_THREADS" not in Path(f"/proc/{server}/environ").read_bytes()
        said = lab.log.read_text("utf-8")
        assert ("starts with --allow-root: you are root\n" in said) == (os.geteuid() == 0)
        assert "http://127.0.0.1:" in said
        assert "0.0.0.0" not in said
