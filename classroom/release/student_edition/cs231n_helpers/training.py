"""Minibatch gradient descent: in the students' edition, by your functions.

Shapes: N examples, D features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from operator import getitem
from typing import Any

import numpy as np

from cs231n_helpers.progress_bar import warn_of_growth
from cs231n_helpers.validation import Floats, Labels, NotFiniteError, Rng

from .solved import solution


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

    Yours is `sgd`, whose weights stand still here: `step` moves those that there are.
    """

    @_numbered
    def loss_function(iteration: int, W: Floats, A: Floats, b: Labels, _: float) -> Any:
        return step(iteration, A, b), np.zeros_like(W)

    still = np.zeros((1, 1))
    _, losses = solution("sgd")(loss_function, still, X, y, 0.0, 0.0, num_iters, batch_size, rng)
    return _told(losses, verbose, stacklevel)


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
    """Step ``model.W`` (D, C) against the gradient of ``model.loss``; return the losses."""
    loss_function = _numbered(lambda _, *given: model.loss_function(*given))
    W, losses = solution("sgd")(
        loss_function, model.W, X, y, learning_rate, reg, num_iters, batch_size, rng
    )
    model.W = np.asarray(W, model.W.dtype)
    return _told(losses, verbose)


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
    """Step all of ``net.params`` against the gradients of ``net.loss``; return the losses."""
    steps_an_epoch = len(X) // batch_size or 1

    @_numbered
    def loss_function(
        iteration: int, params: Mapping[str, Floats], A: Floats, b: Labels, reg: float
    ) -> Any:
        net.params = dict(params)
        if iteration and iteration % steps_an_epoch == 0:
            after_epoch()
        return net.loss(A, b, reg)

    params, losses = solution("net_training")(
        loss_function, dict(net.params), X, y, learning_rate, decay, reg, num_iters, batch_size, rng
    )
    net.params = dict(params)
    with _iteration_named(num_iters):
        after_epoch()
    return _told(losses, verbose)


def _numbered(loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loss function that tells `loss` its iteration, and stops where it is not finite."""
    iterations = count()

    def loss_function(*given: Any) -> Any:
        with _iteration_named(iteration := next(iterations)):
            value, gradient = loss(iteration, *given)
            if not np.isfinite(value):
                raise NotFiniteError(f"the loss is {value}")
        return value, gradient

    return loss_function


@contextmanager
def _iteration_named(iteration: int) -> Iterator[None]:
    """Let an error of a loss that is not finite name the iteration, as the full package does."""
    try:
        yield
    except NotFiniteError as error:
        error.iteration = iteration
        error.args = (
            f"training diverged at iteration {iteration}: {error}; "
            "a learning rate ten times smaller is the first thing to try",
        )
        raise


def _told(found: Sequence[float], verbose: bool, stacklevel: int = 4) -> list[float]:
    """Return the losses, each hundredth printed where that is asked for; warn if one has grown."""
    losses = [float(loss) for loss in found]
    for iteration, loss in enumerate(losses):
        if warn_of_growth(losses[0], loss, iteration, stacklevel + 1):
            break
    for iteration in range(0, len(losses) if verbose else 0, 100):
        print(f"iteration {iteration} / {len(losses)}: loss {losses[iteration]:f}")
    return losses
