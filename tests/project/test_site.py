"""The pages of the site: their examples run, their commands exist, lessons have one order."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_are_run(page):
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert all(block.startswith(">>> ") and block.endswith("\n\n") for block in blocks)
    failed, _ = doctest.testfile(
        str(page), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
    )
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page):
    text = page.read_text("utf-8")
    for target in re.findall(r"make ([a-z-]+)`", text):
        assert re.search(rf"^{target}:.*##", MAKEFILE, re.MULTILINE), target
    for module in re.findall(r"python -m ([\w.]+)", text):
        file = ROOT / module.replace(".", "/")
        assert (file / "__main__.py").exists() or file.with_suffix(".py").exists(), module


def test_lessons_stand_in_the_order_of_the_readme():
    index = (ROOT / "docs/index.md").read_text("utf-8")
    order = re.findall(r"^\.\./notebooks/(\d\d_\w+)$", index, re.MULTILINE)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert order == re.findall(r"^\|.*?\(notebooks/(\w+)\.ipynb\)", readme, re.MULTILINE)
