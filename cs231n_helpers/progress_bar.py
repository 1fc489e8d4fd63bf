"""What is told while something takes long: a progress bar, and that a training goes wrong."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")
GROWTH = 10.0  # times the first loss: then a training is about to explode


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


def warn_of_growth(first: float, loss: float, iteration: int, stacklevel: int) -> bool:
    """Warn if a loss is more than ten times the first, or than 1 if that is less.

    Losses far below 1 jump tenfold from one minibatch to the next; that is no explosion. Returns
    whether it has warned, as from the caller `stacklevel` calls up.

    >>> warn_of_growth(2.3, 22.0, 7, 2), warn_of_growth(0.01, 0.5, 7, 2)
    (False, False)
    """
    grown = loss > GROWTH * max(first, 1.0)
    if grown:
        message = (
            f"the loss has grown from {first:.3g} to {loss:.3g} by iteration {iteration}: take a "
            "learning rate ten times smaller"
        )
        warnings.warn(message, RuntimeWarning, stacklevel)
    return grown
