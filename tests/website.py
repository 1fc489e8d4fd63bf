"""Open each page of build/site from its file in a headless Chromium; run by `make test-site`.

Each is looked at wide and narrow, all folded answers open: nothing is fetched from elsewhere,
formulas stand rendered, pictures are there and described, the page does not scroll sideways, and
axe-core finds nothing serious. Contrast of at least 4.5 is asked in light and in dark of all wide
pages, and of the first narrow one, for its header. On paper folded answers are open and nothing is
dark. Links are followed without the browser, to the anchor.
"""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from accessibility import all_but_contrast, low_contrast

import cs231n_helpers
from cs231n_helpers.exercises import EXERCISES
from cs231n_helpers.workbook import NOTEBOOKS

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "site"
PAGES = sorted(
    p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html") if "_static" not in p.parts
)
WIDTHS = {"wide": 1280, "narrow": 390}
UNRENDERED = """[...document.querySelectorAll('.math')]
.filter(box => !box.querySelector('mjx-container svg') || box.querySelector('[data-mjx-error]'))
.map(box => box.textContent)"""
NOT_SEEN = """[...document.querySelectorAll('article img')]
.filter(image => !image.complete || !image.naturalWidth || image.alt.length < 20)
.map(image => image.src)"""
BACKGROUND = "Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])"
# Their curves are half of all elements: axe-core takes long for them, and finds nothing to read.
EMPTY_CURVES = "document.querySelectorAll('mjx-container svg').forEach(it => it.replaceChildren())"
# They have the color of the text around them.
EMPTY_FORMULAS = "document.querySelectorAll('mjx-container').forEach(it => it.replaceChildren())"
ANSWERED = "() => new Promise(it => requestAnimationFrame(() => requestAnimationFrame(it)))"
FOLDED = """[...document.querySelectorAll('details:not([open]) > :not(summary)')]
.filter(box => getComputedStyle(box).display !== 'none' && !box.checkVisibility())
.map(box => box.textContent)"""


class Parsed(HTMLParser):
    """The ids of a page, and where its links and sources lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.ids |= {named[name] for name in ("id", "name") if name in named}
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        elif tag != "a":
            self.loaded += [named[name] for name in ("src", "href") if name in named]


PARSED = {page: Parsed(SITE / page) for page in PAGES}


def test_there_is_a_site():
    assert len(PAGES) > 20


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in PARSED[page].links + PARSED[page].loaded:
        parts = urlsplit(link)
        if parts.scheme in ("http", "https", "mailto"):
            assert link in PARSED[page].links, f"{link} is loaded from elsewhere"
            continue
        if parts.scheme == "data":
            continue
        target = (SITE / page).parent / unquote(parts.path) if parts.path else SITE / page
        target = target.resolve()
        assert target.is_file(), link
        if parts.fragment and target.suffix == ".html":
            ids = PARSED[target.relative_to(SITE).as_posix()].ids
            assert unquote(parts.fragment) in ids | {"top"}, link


@pytest.mark.parametrize("page", [page for page in PAGES if page != "index.html"])
def test_page(chromium, page):
    tab = chromium.new_page()
    wrong: list[Any] = []
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("requestfailed", lambda request: wrong.append(f"{request.url} failed"))
    tab.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
    tab.goto((SITE / page).as_uri())
    tab.evaluate("() => window.MathJax?.startup?.promise")
    tab.emulate_media(media="print", color_scheme="dark")
    wrong += tab.evaluate(FOLDED)
    assert tab.evaluate(BACKGROUND) > 250
    tab.emulate_media(media="screen", color_scheme="light")
    tab.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    for width, pixels in WIDTHS.items():
        tab.set_viewport_size({"width": pixels, "height": 900})
        tab.evaluate(ANSWERED)  # the page has a script for other widths
        scrolled = tab.evaluate("document.documentElement.scrollWidth")
        if scrolled > pixels:
            wrong.append(f"is {scrolled} wide")
        wrong += tab.evaluate(UNRENDERED) + tab.evaluate(NOT_SEEN)
        tab.evaluate(EMPTY_CURVES)
        wrong += [(width, it) for it in all_but_contrast(tab)]
    tab.evaluate(EMPTY_FORMULAS)
    for width in WIDTHS if page == "docs/index.html" else ("wide",):
        tab.set_viewport_size({"width": WIDTHS[width], "height": 900})
        for scheme in ("light", "dark"):
            tab.emulate_media(color_scheme=scheme)
            tab.wait_for_function("!document.getAnimations().length")
            assert (tab.evaluate(BACKGROUND) < 128) == (scheme == "dark")
            wrong += [(width, scheme, it) for it in low_contrast(tab)]
    assert not wrong, "\n".join(map(str, wrong))
    tab.close()


def test_contrast_is_measured(chromium):
    tab = chromium.new_page()
    tab.goto((SITE / "docs/errors.html").as_uri())
    tab.add_style_tag(content="article h3 { color: #999 }")
    assert [found[0] for found in low_contrast(tab)] == ["color-contrast"]
    tab.close()


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_figures_carry_their_own_descriptions(chromium, path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    drawn = [o for o in outputs if "image/png" in o.get("data", {})]
    tab = chromium.new_page()
    tab.goto((SITE / "notebooks" / f"{path.stem}.html").as_uri())
    images = "[...document.querySelectorAll('.cell_output img')].map(image => image.alt)"
    stored = [o["metadata"]["image/png"]["alt"].split() for o in drawn]
    assert [alt.split() for alt in tab.evaluate(images)] == stored
    tab.close()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_solutions_are_folded_below_the_hints(name):
    text = (SITE / "notebooks" / f"{name}.html").read_text("utf-8")
    assert "BEGIN SOLUTION" not in text
    rungs = re.findall(r"<summary>(Hint \d|Solution)", text)
    assert rungs == ["Hint 1", "Hint 2", "Hint 3", "Solution"] * len(
        [it for it in EXERCISES.values() if it.notebook == name]
    )


def test_printed_sentences_are_read_without_scrolling(chromium):
    tab = chromium.new_page(viewport={"width": WIDTHS["narrow"], "height": 900})
    tab.goto((SITE / "notebooks/08_gradient_clinic.html").as_uri())
    boxes = "[...document.querySelectorAll('pre.sentences')]"
    assert tab.evaluate(f"{boxes}.length") > 30
    assert not tab.evaluate(
        f"{boxes}.filter(it => it.scrollWidth > it.clientWidth + 1).map(it => it.textContent)"
    )
    tab.close()


@pytest.mark.parametrize("width", [1280, 1440])
def test_a_hundred_characters_of_code_are_read_without_scrolling(chromium, width):
    tab = chromium.new_page(viewport={"width": width, "height": 900})
    tab.goto((SITE / "notebooks/04_dx_derivation.html").as_uri())
    boxes = """[...document.querySelectorAll('.cell > .cell_input pre')]
    .filter(it => it.textContent.split('\\n').every(line => line.length <= 100))"""
    assert tab.evaluate(f"{boxes}.length") > 20
    assert not tab.evaluate(
        f"{boxes}.filter(it => it.scrollWidth > it.clientWidth + 1).map(it => it.textContent)"
    )
    tab.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_begins_with_the_mark_after_a_formula(chromium, width):
    tab = chromium.new_page(viewport={"width": WIDTHS[width], "height": 900})
    tab.goto((SITE / "notebooks/04_dx_derivation.html").as_uri())
    tab.evaluate("() => window.MathJax?.startup?.promise")
    marked = """[...document.querySelectorAll('span.math')]
    .filter(it => it.checkVisibility() && /^[.,;:?!]/.test(it.nextSibling?.data ?? ''))"""
    below = """it => {
      const mark = document.createRange();
      mark.setStart(it.nextSibling, 0);
      mark.setEnd(it.nextSibling, 1);
      return mark.getBoundingClientRect().top > it.getBoundingClientRect().bottom;
    }"""
    assert tab.evaluate(f"{marked}.length") > 50
    assert not tab.evaluate(f"{marked}.filter({below}).map(it => it.parentElement.textContent)")
    tab.close()


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("hinge", "notebooks/01_svm.html"),
        ("momentum", "notebooks/09_layers.html"),
        ("imageio", "docs/errors.html"),
        ("bubblewrap", "classroom/README.html"),
        ("use_year", "notebooks/README.html"),
    ],
)
def test_search_finds(chromium, word, found):
    tab = chromium.new_page()
    tab.goto((SITE / "search.html").as_uri() + f"?q={word}")
    tab.locator("#search-results li a").first.wait_for()
    tab.wait_for_function("/found/i.test(document.querySelector('#search-results').textContent)")
    results = tab.evaluate("[...document.querySelectorAll('#search-results a')].map(a => a.href)")
    assert any(found in result for result in results), results
    tab.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_keyboard_reaches_menu_and_search(chromium, width):
    tab = chromium.new_page(viewport={"width": WIDTHS[width], "height": 900})
    tab.goto((SITE / "notebooks" / "01_svm.html").as_uri())
    tab.evaluate("() => window.MathJax?.startup?.promise")

    def press_tab_to(selector: str) -> None:
        for _ in range(12):
            tab.keyboard.press("Tab")
            if tab.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"twelve times Tab do not reach {selector}")

    if width == "narrow":
        press_tab_to("#__navigation")
        tab.keyboard.press("Space")
    press_tab_to(".sidebar-search")
    tab.wait_for_function("document.activeElement.getBoundingClientRect().left >= 0")
    press_tab_to(".sidebar-tree a")
    assert tab.evaluate("document.activeElement.checkVisibility({visibilityProperty: true})")
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate("document.activeElement.matches('.sidebar-search')")
    tab.keyboard.type("hinge")
    tab.keyboard.press("Enter")
    tab.wait_for_url(re.compile("search.html"))
    tab.close()


def test_the_first_page_leads_through_all_lessons():
    readme = (ROOT / "README.md").read_text("utf-8")
    order = re.findall(r"^\|.*?\(notebooks/(\w+)\.ipynb\)", readme, re.MULTILINE)
    text = (SITE / "docs/index.html").read_text("utf-8")
    for name in order:
        (following,) = re.findall(r'class="next-page" href="([^"]+)"', text)
        assert following.endswith(f"{name}.html")
        text = (SITE / "notebooks" / f"{name}.html").read_text("utf-8")


def test_each_public_name_is_explained():
    explained = {name.rpartition(".")[2] for name in PARSED["docs/api.html"].ids}
    assert set(cs231n_helpers.__all__) <= explained
    assert "../genindex.html" in PARSED["docs/api.html"].links
    text = (SITE / "docs/api.html").read_text("utf-8")
    linked = re.findall(r'<td><p><a [^>]*"#module-cs231n_helpers\.(\w+)">\1<', text)
    assert {"losses", "datasets"} <= set(linked)
