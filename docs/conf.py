"""The site: pages of docs/, the lessons as they are stored, the READMEs where they lie.

`make site` builds it into build/site, with nothing executed and nothing fetched. The source folder
is the checkout, so that links hold there and here alike.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import nbformat  # noqa: E402

from cs231n_helpers.workbook.edition import folded, solution  # noqa: E402
from cs231n_helpers.workbook.lessons import (  # noqa: E402
    GIVES_AWAY,
    HINTS,
    LEFT_OUT,
    exercise_of,
    opened,
    tags_of,
)

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
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["amsmath", "dollarmath", "substitution"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["myst.header", "misc.highlighting_failure"]  # ## left out in a lesson; csv
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc has them in words, with shapes
autodoc_preserve_defaults = True
add_module_names = False  # the headings have them
numpydoc_show_class_members = False
default_role = "code"
smartquotes = False  # a message is found as it stands on the screen

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


def lesson(name: str) -> list[nbformat.NotebookNode]:
    """Return the cells of a stored notebook."""
    return nbformat.read(ROOT / "notebooks" / name, as_version=4).cells


def anchor(title: str) -> str:
    """Return the address of a heading as MyST writes it, which leaves out formulas."""
    text = re.sub(r"\$.*?\$", "", title.strip())
    return re.sub(r"[^\w-]", "", text.lower().replace(" ", "-"))


def section(name: str, number: str) -> str:
    """Return the address of a numbered section of a lesson."""
    text = "\n".join(cell.source for cell in lesson(name) if cell.cell_type == "markdown")
    (title,) = re.findall(rf"^## ({number}\. .+)", text, re.MULTILINE)
    return f"../notebooks/{name}#{anchor(title)}"


def lessons() -> str:
    """Return the README's table of lessons, by their questions."""
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[.*?\]\((.*?)\) \| (.*) \| (\d+) \|$", readme, re.MULTILINE)
    lines = [f"| {it[10:12]} | [{asks}](../{it}) | {time} |" for it, asks, time in rows]
    return "\n".join(["| lesson | question | minutes |", "|---|---|---|", *lines])


def symptoms() -> str:
    """Return the clinic's table, with links from docs/ to the sections that it numbers."""
    (source,) = (c.source for c in lesson(CLINIC) if c.source.startswith("## 2. Find your symptom"))
    table = "\n".join(line for line in source.splitlines() if line.startswith("|"))
    table = table.replace("| below |", "| patients |")
    table = re.sub(r"\| (\d+) \|", lambda it: f"| [{it[1]}]({section(CLINIC, it[1])}) |", table)
    return re.sub(
        r"\[(\d\d)\]\((\w+\.ipynb)\), section (\d+)",
        lambda it: f"[{it[1]}, section {it[3]}]({section(it[2], it[3])})",
        table,
    )


def code(text: str) -> tuple[str, str]:
    """Return the first code cell of the clinic that holds a text, and what it printed."""
    cell = next(c for c in lesson(CLINIC) if c.cell_type == "code" and text in c.source)
    printed = "".join(output.get("text", "") for output in cell.outputs).rstrip()
    return f"```python\n{cell.source}\n```", f"```text\n{printed}\n```"


CLINIC = "08_gradient_clinic.ipynb"
myst_substitutions = {
    "lessons": lessons(),
    "symptoms": symptoms(),
    "right": "\n\n".join(code("print(check_gradient(linear_softmax, W, X, y, 0.1))")),
    "house_call": code('"-m", "cs231n_helpers.doctor"')[1],
}


def mend(app: Any, docname: str, content: list[str]) -> None:
    """Write a source as it is to be read on a page."""
    if app.env.doc2path(docname).suffix == ".ipynb":
        content[0] = nbformat.writes(as_page(nbformat.reads(content[0], as_version=4)))
    elif docname == "notebooks/README":  # GitHub knows no sections of a notebook
        row = r"\[(\d\d)\]\((\w+\.ipynb)\) \| (.+) \|$"
        content[0] = re.sub(
            row,
            lambda it: f"[{it[1]}]({it[2]}) | [{it[3]}]({it[2]}#{anchor(it[3])}) |",
            content[0],
            flags=re.MULTILINE,
        )
    else:
        content[0] = content[0].replace("\n\n```\n", "\n```\n")  # doctests end in an empty line


def as_page(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Fold what answers a question, as in the workbook; put texts where MyST-NB looks for them.

    A check stands below the hints and the solution that it is about.
    """
    cells = []
    for cell in notebook.cells:
        tags = tags_of(cell)
        if cell.cell_type == "markdown":
            cell.source = ANCHOR.sub(lambda it: f"{it[1]}#{anchor(it[2])}", cell.source)
        if exercise_of(cell):
            finished, cell.source = cell.source, opened(cell.source)
        elif HINTS in tags:
            cell.source += f"\n\n{solution(finished)}"
            cells.insert(-1, cell)
            continue
        elif LEFT_OUT in tags and cell.cell_type == "markdown":
            cell.source = folded("When you have solved it", cell.source)
        elif LEFT_OUT in tags or GIVES_AWAY in tags:
            cell.metadata.tags = ["hide-cell" if LEFT_OUT in tags else "hide-input"]
        elif cell.source.startswith("from importlib.util import find_spec"):
            continue  # says what to install where a lesson is run alone
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                cell.metadata.mystnb = {"image": {"alt": output.metadata["image/png"]["alt"]}}
        cells.append(cell)
    notebook.cells = cells
    return notebook


ANCHOR = re.compile(r"(?<=\]\()([\w.]*)#([^)\s]+)(?=\))")  # of a link; JupyterLab's form


def leave_formulas(app: Any, doctree: nodes.document) -> None:
    """Keep Sphinx from wrapping displayed formulas of several lines, where no tag may stand."""
    for formula in doctree.findall(nodes.math_block):
        if not formula.get("no-wrap"):
            formula["no-wrap"] = formula["nowrap"] = True
            formula[0] = nodes.Text(rf"\[{formula.astext()}\]")


def keep_marks(app: Any, doctree: nodes.document) -> None:
    """Keep a comma or a period from being parted from the formula before it."""
    for formula in list(doctree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and (marks := re.match(r"[.,;:?!)]+", after)):
            parent, at = formula.parent, formula.parent.index(formula)
            together = nodes.inline("", "", formula, nodes.Text(marks[0]), classes=["together"])
            parent[at : at + 2] = [together, nodes.Text(after[marks.end() :])]


def link_modules(app: Any, doctree: nodes.document) -> None:
    """Lead from the table of modules to their sections."""
    if app.env.docname == "docs/api":
        ids = {it[0].astext(): it["ids"][0] for it in doctree.findall(nodes.section)}
        for name in next(doctree.findall(nodes.tbody)).findall(nodes.paragraph):
            if name.astext() in ids:
                target = ids[name.astext()]
                name[:] = [nodes.reference("", name.astext(), refid=target, internal=True)]


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
    app.connect("doctree-read", keep_marks)
    app.connect("doctree-read", link_modules)
    app.connect("html-page-context", level_captions, priority=900)
    app.connect("build-finished", add_mathjax)
