"""Open the pages of a class in a headless Chromium: wide and narrow, light and dark.

Run by `make test-browser`. Students are honest, have done nothing, or hand in what is long, wide
or harmful.
"""

from __future__ import annotations

import hostile
import pytest
from accessibility import all_but_contrast, low_contrast
from test_class import grade
from test_downloads import Makers, write_all

from classroom.release import bundle

pytestmark = pytest.mark.slow(30)  # so that it begins
WIDTHS = {"wide": 1280, "narrow": 390}
HARMFUL = ("loops", "an error with HTML in it", "a long error")
TOO_WIDE = """[...document.querySelectorAll('body *')]
.filter(it => it.clientWidth && it.scrollWidth > it.clientWidth + 1
    && !['hidden', 'visible'].includes(getComputedStyle(it).overflowX))
.map(it => `${it.outerHTML.slice(0, 80)} scrolls sideways`)"""
LEADS_NOWHERE = """[...document.querySelectorAll('a[href^="#"]')]
.filter(it => !document.querySelector(it.getAttribute('href'))).map(it => it.outerHTML)"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The summary, and a page for each student."""
    place = tmp_path_factory.mktemp("pages")
    bundle.write_bundle(place / "released")
    makers = Makers(place / "released")
    right, attempts = makers.first(), makers.hostile()
    files = {f"honest {k}": makers.honest(k).files for k in (0, 1, 2, 4)}
    files |= {name: attempts[name].files for name in ("bomb", "wants", "=1+1<b>x")}
    files |= {"nothing": makers.notebooks({}), "alike": files["honest 0"]}
    cells = {case.name: case.source for case in hostile.CELLS if case.name in HARMFUL}
    for name, source in cells.items():
        files[name] = makers.notebooks(right | {hostile.EXERCISE: source})
    wide = f"print('x' * 999)\n{right['svm_dx']}    # {'y' * 999}"
    files["l" * 99] = makers.notebooks(right | {"svm_dx": wide})
    for student, handed_in in files.items():
        write_all(place / "in" / student, handed_in)
    (place / "in" / "honest 1" / "timestamp.txt").write_text("2030-01-03", "utf-8")
    out = place / "out"
    out.mkdir()
    decisions = (
        "student,exercise,points,why\nhonest 0,svm_dx,4.5,transposed\nhonest 0,extra,1,found it"
    )
    (out / "overrides.csv").write_text(decisions, "utf-8")
    late = ("--deadline", "2030-01-01", "--late", "10%/day")
    assert len(grade(place / "in", out, place / "released", *late)) == len(files)
    return [out / "summary.html", *sorted(out.glob("feedback/*.html"))]


def looked_at(chromium, pages):
    """Return what is wrong with each page: its width, its colors, and what axe-core says of it."""
    wrong, said = [], []
    tab = chromium.new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("request", lambda it: it.url.startswith("file:") or said.append(it.url))
    for page in pages:
        tab.goto(page.as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
        for width, pixels in WIDTHS.items():
            tab.set_viewport_size({"width": pixels, "height": 900})
            found = tab.evaluate(TOO_WIDE) + tab.evaluate(LEADS_NOWHERE) + all_but_contrast(tab)
            if (scrolled := tab.evaluate("document.documentElement.scrollWidth")) > pixels:
                found.append(f"is {scrolled} wide")
            for scheme in ("light", "dark"):
                tab.emulate_media(color_scheme=scheme)
                tab.wait_for_function("!document.getAnimations().length")
                found += [f"{scheme}, {it}" for it in low_contrast(tab)]
            wrong += [f"{page.name}, {width}: {it}" for it in found]
    tab.close()
    return wrong + said


def test_pages_of_a_class(chromium, pages):
    assert looked_at(chromium, pages) == []


def test_what_is_ugly_is_found(chromium, pages, tmp_path):
    texts = (page.read_text("utf-8") for page in pages[1:])
    text = next(it for it in texts if 'href="#' in it)  # a student's who has points to gain
    for old, new in [
        ("--text: #e6eaf0", "--text: #444"),
        ("pre-wrap", "pre"),
        ('href="#', 'href="#x'),
    ]:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "ugly.html").write_text(text, "utf-8")
    found = "\n".join(looked_at(chromium, [tmp_path / "ugly.html"]))
    for word in ("dark, ('color-contrast'", "narrow: is ", 'href="#x'):
        assert word in found
    assert "light, ('color-contrast'" not in found
