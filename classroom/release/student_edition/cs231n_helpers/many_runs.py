"""The runs of a search: in the students' edition, by your grid_search, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from cs231n_helpers.single_run import Record, Setting, train_one
from cs231n_helpers.validation import Rng

from .solved import solution


def train_all(
    model: Callable[..., Any],
    settings: list[Setting],
    rng: Rng,
    data: Sequence[Any],
    n_jobs: int | None,
) -> tuple[list[Record], Any]:
    """Train `model` with each of the settings; return the records, and the best model or None."""
    rates, regs = (
        list({it.get(name): None for it in settings}) for name in ("learning_rate", "reg")
    )
    grid = [{**settings[0], "learning_rate": a, "reg": b} for a, b in product(rates, regs)]
    if (
        None in (*rates, *regs)
        or len(grid) != len(settings)
        or any(it not in settings for it in grid)
    ):
        raise ValueError(
            "settings must be a grid in the students' edition, which calls your grid_search: pass "
            '{"learning_rate": [...], "reg": [...]}'
        )
    runs: dict[tuple[float, float], tuple[Any, Record]] = {}

    def evaluate(learning_rate: float, reg: float) -> float:
        setting = {**settings[0], "learning_rate": learning_rate, "reg": reg}
        with np.errstate(all="ignore"):  # a run that explodes is one of the results
            run = runs[learning_rate, reg] = train_one(model, setting, rng, *data)
        return float(run[1]["val_accuracy"]) if run[1]["status"] == "ok" else 0.0

    _, best = solution("search")(evaluate, rates, regs)
    return [runs[it["learning_rate"], it["reg"]][1] for it in settings], runs[best][0]
