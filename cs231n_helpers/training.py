"""Minibatch gradient descent: the one loop that all models share, and the steps they take in it.

Shapes: N examples, D features, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import getitem
from typing import Any

import numpy as np

from .progress_bar import progress, warn_of_growth
from .validation import Floats, Labels, NotFiniteError, Rng


def sgd(
    step: Callable[[int, Any, Labels], float],
    X: Floats,
    y: Labels,
    *,
    num_iters: int,
    batch_size: int,
    verbose: bool,
    rng: Rng,
    stacklevel: int = 4,
    gather: Callable[[Floats, Labels], Any] = getitem,
) -> list[float]:
    """Call ``step(iteration, X_batch, y_batch) -> loss`` on random minibatches.

    A step goes against the gradient and returns the loss before it; the losses are returned. Each
    minibatch draws `batch_size` of the rows of X (N, D) and y (N,) with replacement, as the course
    does. `verbose` prints the loss every 100 iterations. A loss that is not finite ends it with
    NotFiniteError, which says at which iteration; one that grows tenfold is warned of once, as
    from the caller `stacklevel` calls up. X_batch is ``gather(X, rows)``, X[rows] or `Minibatch`.

    >>> sgd(lambda i, X, y: i / 2, np.ones((9, 2)), np.ones(9, int), num_iters=3, batch_size=4,
    ...     verbose=False, rng=np.random.RandomState(0))
    [0.0, 0.5, 1.0]
    """
    losses: list[float] = []
    warned = False
    for iteration in progress(range(num_iters), "training"):
        rows = rng.choice(len(X), batch_size)
        try:
            loss = float(step(iteration, gather(X, rows), y[rows]))
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
        warned = warned or warn_of_growth(losses[0], loss, iteration, stacklevel + 1)
        if verbose and iteration % 100 == 0:
            print(f"iteration {iteration} / {num_iters}: loss {loss:f}")
    return losses


def train_linear(
    model: Any,
    X: Floats,
    y: Labels,
    learning_rate: float,
    reg: float,
    num_iters: int,
    batch_size: int,
    *,
    verbose: bool,
    rng: Rng,
    gather: Callable[[Floats, Labels], Any],
) -> list[float]:
    """Step ``model.W`` (D, C) against the gradient of ``model.loss``; return the losses.

    Each step makes a new W, so that a loss may keep those that it was given.
    """
    # Laid out like the gradient, see `losses`: the update runs straight through memory.
    model.W = np.asfortranarray(model.W)

    def step(_: int, X_batch: Any, y_batch: Labels) -> float:
        loss, dW = model.loss(X_batch, y_batch, reg)
        if np.shape(dW) != model.W.shape:
            raise ValueError(
                f"the loss function returned a gradient of shape {np.shape(dW)}, but it must "
                f"be like W, {model.W.shape}: check the order of the matrix product"
            )
        if np.isfinite(loss):
            with np.errstate(over="ignore", invalid="ignore"):  # said at the next loss
                model.W = model.W - learning_rate * dW
        return float(loss)

    return sgd(
        step, X, y, num_iters=num_iters, batch_size=batch_size, verbose=verbose, rng=rng,
        gather=gather,
    )  # fmt: skip


def train_net(
    net: Any,
    X: Floats,
    y: Labels,
    learning_rate: float,
    decay: float,
    reg: float,
    num_iters: int,
    batch_size: int,
    *,
    verbose: bool,
    rng: Rng,
    gather: Callable[[Floats, Labels], Any],
    after_epoch: Callable[[], None],
) -> list[float]:
    """Step all of ``net.params`` against the gradients of ``net.loss``; return the losses.

    The rate is multiplied by `decay` after each epoch; `after_epoch` is called then, and at the
    end. The run has parameters of its own, changed in place; those that came stay as they are.
    """
    net.params = {name: np.array(p) for name, p in net.params.items()}
    steps_an_epoch = max(len(X) // batch_size, 1)
    rate = learning_rate

    def step(iteration: int, X_batch: Any, y_batch: Labels) -> float:
        nonlocal rate
        loss, grads = net.loss(X_batch, y_batch, reg)
        if np.isfinite(loss):  # a loss of one's own may return NaN instead of raising
            with np.errstate(over="ignore", invalid="ignore"):
                for name, p in net.params.items():
                    p -= rate * grads[name]
        epoch_ends = (iteration + 1) % steps_an_epoch == 0
        if epoch_ends or iteration + 1 == num_iters:
            after_epoch()
        if epoch_ends:
            rate *= decay
        return float(loss)

    return sgd(
        step, X, y, num_iters=num_iters, batch_size=batch_size, verbose=verbose, rng=rng,
        gather=gather,
    )  # fmt: skip
