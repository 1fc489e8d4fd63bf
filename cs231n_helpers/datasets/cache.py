"""Where the downloaded data sets are kept, and under which names."""

from __future__ import annotations

import os
from pathlib import Path

FOLDERS = {"fashion_mnist": "fashion-mnist", "cifar10": "cifar-10-batches-bin"}
CIFAR10_STEMS = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
REMEDY = "get the official files with `make data`"


def default_cache() -> Path:
    """Return the folder that downloads go to: CS231N_CACHE, else one in the user's cache folder."""
    import pooch

    return Path(os.environ.get("CS231N_CACHE") or pooch.os_cache("cs231n_helpers"))
