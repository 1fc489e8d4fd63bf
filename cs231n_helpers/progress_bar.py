"""A progress bar that is silent where nobody watches."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str = "", **settings: Any) -> Iterable[Item]:
    """Iterate over `items` behind a progress bar that appears after a second and leaves no trace.

    Other settings, such as the total of items that do not know their number, are tqdm's own.
    Silent where nobody watches: standard error is not a terminal, the notebook runs under nbval,
    or the environment variable CS231N_PROGRESS is 0.

    >>> sum(progress([1, 2, 3], "adding"))
    6
    """
    if "PYTEST_CURRENT_TEST" in os.environ or os.environ.get("CS231N_PROGRESS") == "0":
        return items
    settings = {"delay": 1, "leave": False, "disable": None} | settings  # None: at a terminal
    bar: Iterable[Item] = _tqdm()(items, desc=description, **settings)
    return bar


@cache
def _tqdm() -> Any:
    with warnings.catch_warnings():  # without ipywidgets tqdm warns, and a text bar will do
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm
