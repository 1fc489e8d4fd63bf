"""The example of a sandbox is run by make test-classroom, beside the tests of containment."""

import os

import pytest

collect_ignore = [] if hasattr(os, "fork") else ["sandbox"]  # Windows cannot contain submissions


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark it."""
    for item in items:
        if item.path.name == "sandbox.py":
            item.add_marker("slow")
