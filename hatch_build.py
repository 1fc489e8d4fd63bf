"""The README as an index of packages shows it, and the project's addresses, from one line.

`repository` in pyproject.toml's [tool.hatch.metadata.hooks.custom] is that line. Where it is filled
in, links and pictures of the README lead there; where it is empty, links that lead into the checkout
become plain text and the picture goes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)")


def index_readme(text: str, repository: str) -> str:
    """Return the README for an index of packages.

    >>> index_readme("![a](b.png) and [c](d.md)", "https://example.org/r")
    '![a](https://example.org/r/raw/main/b.png) and [c](https://example.org/r/blob/main/d.md)'
    >>> index_readme("![a](b.png) and [c](d.md)", "")
    ' and c'
    """

    def absolute(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if not repository:
            return "" if picture else words
        return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/main/{target})"

    return LINK.sub(absolute, text)


class CustomMetadataHook(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Change the project's metadata."""
        repository = self.config.get("repository", "").rstrip("/")
        text = (Path(self.root) / "README.md").read_text("utf-8")
        text = index_readme(text, repository)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        if repository:
            metadata["urls"] = {
                "Homepage": repository,
                "Issues": f"{repository}/issues",
                "Changelog": f"{repository}/blob/main/CHANGELOG.md",
            }
