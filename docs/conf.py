"""The site: pages of docs/, the lessons as they are stored, the READMEs where they lie.

`make site` builds it into build/site, with nothing executed and nothing fetched. The source folder
is the checkout, so that links hold there and here alike.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "A companion to CS231n, assignment 1"
html_title = "CS231n companion"
author = "the contributors"
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "notebooks/*.ipynb",
    "notebooks/README.md",
    "classroom/README.md",
    "benchmarks/*.md",
    "data/README.md",
    "CONTRIBUTING.md",
]
exclude_patterns = [".*", "build", "dist", "workbook", "tests", "cs231n_helpers"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
]
mathjax_path = "tex-svg-full.js"  # needs no other file
mathjax3_config = {"options": {"enableMenu": False}}

nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "text/html", 5)]
myst_enable_extensions = ["amsmath", "dollarmath", "substitution"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["myst.header", "misc.highlighting_failure"]  # ## left out in a lesson; csv
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc has them in words, with shapes
numpydoc_show_class_members = False
default_role = "code"

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_extra_path = ["root"]
html_show_sourcelink = False
html_copy_source = False
html_domain_indices = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def lesson(name: str) -> list[dict[str, Any]]:
    """Return the cells of a stored notebook."""
    cells: list[dict[str, Any]] = json.loads((ROOT / "notebooks" / name).read_text("utf-8"))[
        "cells"
    ]
    return cells


def markdown(name: str, start: str) -> str:
    """Return the table of a lesson's cell that begins so, its links as seen from docs/."""
    (source,) = (s for s in ("".join(c["source"]) for c in lesson(name)) if s.startswith(start))
    table = "\n".join(line for line in source.splitlines() if line.startswith("|"))
    return re.sub(r"\]\((\w+\.ipynb)", r"](../notebooks/\1", table)


def code(name: str, text: str) -> str:
    """Return the first code cell of a lesson that holds a text, and what it printed."""
    cell = next(
        c for c in lesson(name) if c["cell_type"] == "code" and text in "".join(c["source"])
    )
    printed = "".join("".join(o.get("text", "")) for o in cell["outputs"]).rstrip()
    return f"```python\n{''.join(cell['source'])}\n```\n\n```text\n{printed}\n```"


CLINIC = "08_gradient_clinic.ipynb"
myst_substitutions = {
    "symptoms": markdown(CLINIC, "## 2. Find your symptom"),
    "right": code(CLINIC, "print(check_gradient(linear_softmax, W, X, y, 0.1))"),
    "house_call": code(CLINIC, '"-m", "cs231n_helpers.doctor"'),
}


def mend(app: Any, docname: str, content: list[str]) -> None:
    """Write a lesson as MyST-NB reads it: alternative texts in the cells, anchors as its slugs."""
    if app.env.doc2path(docname).suffix != ".ipynb":
        return
    notebook = json.loads(content[0])
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                alt = output["metadata"]["image/png"]["alt"]
                cell["metadata"]["mystnb"] = {"image": {"alt": alt}}
        if cell["cell_type"] == "markdown":
            cell["source"] = re.sub(ANCHOR, slug, "".join(cell["source"]))
    content[0] = json.dumps(notebook)


ANCHOR = re.compile(r"(?<=\]\()([\w.]*)#([^)\s]+)(?=\))")  # of a link; JupyterLab's form


def slug(link: re.Match[str]) -> str:
    """Return the address of a heading as GitHub and MyST write it."""
    return f"{link[1]}#{re.sub(r'[^a-z0-9_-]', '', link[2].lower())}"


def leave_formulas(app: Any, doctree: nodes.document) -> None:
    """Keep Sphinx from wrapping displayed formulas of several lines, where no tag may stand."""
    for formula in doctree.findall(nodes.math_block):
        if not formula.get("no-wrap"):
            formula["no-wrap"] = formula["nowrap"] = True
            formula[0] = nodes.Text(rf"\[{formula.astext()}\]")


def level_captions(app: Any, page: str, template: str, context: dict[str, Any], _: Any) -> None:
    """Say of the menu's captions, which are headings, of which level they are."""
    tree = context["furo_navigation_tree"]
    context["furo_navigation_tree"] = tree.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )


def add_mathjax(app: Any, error: Exception | None) -> None:
    """Put MathJax beside the pages."""
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if error is None and found and found.origin:
        file = Path(found.origin).parent / "static/mathjax" / mathjax_path
        shutil.copy(file, app.outdir / "_static")


def setup(app: Any) -> None:
    """Connect the hooks."""
    app.connect("source-read", mend)
    app.connect("doctree-read", leave_formulas)
    app.connect("html-page-context", level_captions, priority=900)
    app.connect("build-finished", add_mathjax)
