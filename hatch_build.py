"""What a build changes: the README, the project's addresses, and the lessons in the wheel.

`repository` in pyproject.toml is the one line to fill in: links and pictures of the README then
lead there. Where it is empty, links that lead into the checkout
become plain text and the picture goes. The wheel has the lessons without their pictures, which
running them draws again and which would be most of it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
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


class CustomBuildHook(BuildHookInterface):
    """Puts the lessons into a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them without pictures, and say where they belong; not for an editable install."""
        if version == "editable":
            return
        folder, there = Path(self.root) / "build" / "lessons", "cs231n_helpers/_shipped/notebooks"
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((Path(self.root) / "notebooks").glob("*.ipynb")):
            notebook = json.loads(path.read_text("utf-8"))
            for cell in notebook["cells"]:
                for output in cell.get("outputs", ()):
                    output.get("data", {}).pop("image/png", None)
            small = folder / path.name
            small.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
            build_data["force_include"][str(small)] = f"{there}/{path.name}"
