"""JupyterLab as `make lab` starts it, for tests."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTING = 120  # seconds, on a busy machine


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it answers, its token, the process of make, and its log."""

    address: str
    token: str
    process: int
    log: Path

    def get(self, path: str) -> str:
        """Return a page that needs the token."""
        with urllib.request.urlopen(
            f"{self.address}/{path}?token={self.token}", timeout=30
        ) as page:
            return str(page.read(), "utf-8")


@contextmanager
def make_lab(home: Path, folder: Path) -> Iterator[Lab]:
    """Run `make lab` on the notebooks in a folder, as a user with an empty home folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, log = secrets.token_hex(16), home / "jupyterlab.log"
    options = f"--no-browser --ServerApp.port={port} --IdentityProvider.token={token}"
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "OPENBLAS"))}
    with log.open("wb") as file:
        server = subprocess.Popen(
            ["make", "lab", "-o", ".venv/.ready", f"FOLDER={folder}", f"ARGS={options}"],
            cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            env={**ours, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")},
        )  # fmt: skip
    lab = Lab(f"http://127.0.0.1:{port}", token, server.pid, log)
    try:
        end = time.monotonic() + STARTING
        while True:
            try:
                lab.get("api")
                break
            except OSError:
                assert server.poll() is None, log.read_text("utf-8")
                assert time.monotonic() < end, f"it does not answer:\n{log.read_text('utf-8')}"
                time.sleep(0.2)
        yield lab
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)
