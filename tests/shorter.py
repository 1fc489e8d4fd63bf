"""Lessons with shorter training, for tests in which each cell must run, whatever its numbers."""

from __future__ import annotations

import json

#: Texts that stand once in the lessons, and what stands there instead.
SHORTER = {
    "search_steps=250": "search_steps=50", "epochs=30)": "epochs=4)",
    "poor=500": "poor=100", "steps=1000, linear=(1e-5": "steps=200, linear=(1e-5",
    "(500, 400)": "(100, 80)",
    "num_epochs=5": "num_epochs=1", "num_epochs=12": "num_epochs=2",
    "[1e2, 1e3, 1e4], 500)": "[1e2, 1e3, 1e4], 100)",
}  # fmt: skip


def shorter(notebook: str) -> str:
    """Return the text of a notebook's file with shorter training."""
    for long, short in SHORTER.items():
        notebook = notebook.replace(json.dumps(long)[1:-1], json.dumps(short)[1:-1])
    return notebook
