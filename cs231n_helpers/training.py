"""Stochastic gradient descent, the one loop that all models share, and its progress bar.

Shapes: N examples, D features.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

import numpy as np

from .validation import Floats, Labels, NotFiniteError, Rng

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


def sgd(
    step: Callable[[int, Floats, Labels], float],
    X: Floats,
    y: Labels,
    *,
    num_iters: int,
    batch_size: int,
    verbose: bool,
    rng: Rng,
) -> list[float]:
    """Call ``step(iteration, X_batch, y_batch) -> loss`` on random minibatches.

    Parameters
    ----------
    step : callable
        Takes one step of gradient descent and returns the loss before it.
    X, y : (N, D) and (N,) arrays
        Each minibatch draws `batch_size` rows with replacement, as the course does.
    num_iters, batch_size : int
        Both >= 1.
    verbose : bool
        Print the loss every 100 iterations.
    rng : Generator or RandomState

    Returns
    -------
    list of float
        The loss of each minibatch.

    Raises
    ------
    NotFiniteError
        When a loss is not finite; it says at which iteration.

    Examples
    --------
    >>> sgd(lambda i, X, y: i / 2, np.ones((9, 2)), np.ones(9, int), num_iters=3, batch_size=4,
    ...     verbose=False, rng=np.random.RandomState(0))
    [0.0, 0.5, 1.0]
    """
    losses: list[float] = []
    for iteration in progress(range(num_iters), "training"):
        rows = rng.choice(len(X), batch_size)
        try:
            loss = float(step(iteration, X[rows], y[rows]))
            if not np.isfinite(loss):
                raise NotFiniteError(f"the loss is {loss}")
        except NotFiniteError as error:
            before = f"{losses[-1]:.3g}" if losses else "not known"
            diverged = NotFiniteError(
                f"training diverged at iteration {iteration} (loss before: {before}): {error}; "
                "a learning rate ten times smaller is the first thing to try"
            )
            diverged.iteration = iteration
            raise diverged from error
        losses.append(loss)
        if verbose and iteration % 100 == 0:
            print(f"iteration {iteration} / {num_iters}: loss {loss:f}")
    return losses


@cache
def _tqdm() -> Any:
    with warnings.catch_warnings():  # without ipywidgets tqdm warns, and a text bar will do
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm
