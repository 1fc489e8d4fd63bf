"""What the years do differently, and what is not here."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..validation import as_count

_penalty = {"reg_scale": 1.0}


def use_year(year: int) -> None:
    """Take a year's penalty for linear classifiers and `neural_net`: with a half in 2016 only.

    Without this call it is that of 2017 and later.

    >>> use_year(2016)
    >>> reg_scale()
    0.5
    >>> use_year(2026)
    >>> reg_scale()
    1.0
    """
    if not 2016 <= as_count("year", year) <= 2026:
        raise ValueError(f"year = {year}, but the assignments known are those of 2016 to 2026")
    _penalty["reg_scale"] = 0.5 if year == 2016 else 1.0


def reg_scale() -> float:
    """Return the factor before reg * sum(W**2) that `use_year` has chosen."""
    return _penalty["reg_scale"]


def global_rng() -> np.random.RandomState:
    """Return NumPy's global generator, that of ``np.random.seed``."""
    rng: np.random.RandomState = np.random.mtrand._rand
    return rng


def refusing(names: str, what: str, own: str) -> Callable[[str], Any]:
    """Return a module's ``__getattr__`` that says why these names cannot be imported."""

    def refuse(name: str) -> Any:
        if name in names.split():
            raise ImportError(
                f"{what} no gradient and no place in cs231n_helpers: take {own} from the course"
            )
        raise AttributeError(f"there is no {name} here")

    return refuse
