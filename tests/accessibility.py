"""What axe-core finds seriously wrong with a page that is open in a browser."""

from __future__ import annotations

from typing import Any

# Contrast is axe-core's slowest rule. What has the same letters on the same grounds has the same
# contrast: one text of each kind is marked.
MARK_KINDS = """() => {
  const grounds = new Map([[null, ""]]);
  const ground = box => {
    if (!grounds.has(box)) {
      const {backgroundColor, backgroundImage, opacity} = getComputedStyle(box);
      const all = [backgroundColor, backgroundImage, opacity, ground(box.parentElement)];
      grounds.set(box, all.join());
    }
    return grounds.get(box);
  };
  const kinds = new Set();
  for (const box of document.querySelectorAll("body *")) {
    box.removeAttribute("data-kind");
    const texts = [...box.childNodes].filter(node => node.nodeType === Node.TEXT_NODE);
    if (!texts.some(node => node.data.trim())) continue;
    if (!box.checkVisibility({visibilityProperty: true})) continue;
    const {color, fontSize, fontWeight} = getComputedStyle(box);
    const kind = [color, fontSize, fontWeight, ground(box)].join();
    if (!kinds.has(kind)) box.setAttribute("data-kind", "");
    kinds.add(kind);
  }
  return kinds.size;
}"""
RUN = """([selector, options]) => axe.run({include: [[selector]]},
    {resultTypes: ['violations'], preload: false, ...options}).then(found => found.violations)"""


def low_contrast(tab: Any) -> list[Any]:
    """Return the texts that stand out too little, one of each kind."""
    assert tab.evaluate(MARK_KINDS)
    return _serious(tab, "[data-kind]", {"runOnly": ["color-contrast"]})


def all_but_contrast(tab: Any) -> list[Any]:
    """Return what else is wrong."""
    return _serious(tab, "html", {"rules": {"color-contrast": {"enabled": False}}})


def _serious(tab: Any, selector: str, options: dict[str, Any]) -> list[Any]:
    from axe_playwright_python.base import AXE_SCRIPT

    if not tab.evaluate("'axe' in window"):
        tab.evaluate(AXE_SCRIPT)
    return [
        (it["id"], len(it["nodes"]), it["nodes"][0]["html"][:200], it["nodes"][0]["failureSummary"])
        for it in tab.evaluate(RUN, [selector, options])
        if it["impact"] in ("serious", "critical")
    ]
