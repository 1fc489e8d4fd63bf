"""A headless Chromium for the tests that look at pages.

It is an installed Chrome or Chromium; where there is none, one is installed: by apt for root on
Debian or Ubuntu, else by Playwright. Run as a script, it only sees to that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = launch(playwright)
        yield launched
        launched.close()


def launch(playwright: Any) -> Any:
    """Start the first browser there is, or install one."""
    from playwright.sync_api import Error

    def start() -> Any:
        found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
        paths = [{"executable_path": path} for path in found if path]
        tried = []
        for settings in [*paths, {"channel": "chrome"}, {}]:
            try:
                return playwright.chromium.launch(**settings)
            except Error as error:
                tried.append(str(error).splitlines()[0])
        raise RuntimeError("no browser starts: " + "; ".join(tried))

    with FileLock(Path(sys.prefix) / "browser.lock"):  # one worker installs it for all
        try:
            return start()
        except RuntimeError:
            if shutil.which("apt-get") and os.geteuid() == 0:
                commands = [
                    ["apt-get", "-qq", "update"],
                    ["apt-get", "-qq", "install", "-y", "chromium"],
                ]
            else:
                commands = [[sys.executable, "-m", "playwright", "install", "chromium"]]
            for command in commands:
                subprocess.run(command, check=True)
            return start()


if __name__ == "__main__":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launch(playwright).close()
