"""Update rules: in the students' edition, with your momentum and your Adam.

All are ``(w, dw, config=None) -> (next_w, config)``: w a parameter of any shape, dw its gradient.
`config` is a dict of the rule's numbers and of what it remembers, one for each parameter; what it
lacks is filled in, None stands for an empty one.

Yours are called once the check has found them right: `OpenExerciseError` names the exercise that is
still open. A step that is not finite is a `NotFiniteError`.

References: CS231n course notes, Optimization. Polyak, Some methods of speeding up the convergence
of iteration methods, 1964. Tieleman and Hinton, Lecture 6.5, RMSProp, 2012. Kingma and Ba, Adam,
ICLR 2015.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs231n_helpers.validation import Floats, as_floats, check_finite_result

from .solved import solution

Config = MutableMapping[str, Any]


def sgd(w: ArrayLike, dw: ArrayLike, config: Config | None = None) -> tuple[Floats, Config]:
    """Step against the gradient: next_w = w - learning_rate dw."""
    w, dw = as_floats("w", w), as_floats("dw", dw)
    config = {"learning_rate": 1e-2, **(config or {})}
    return _finite(w - config["learning_rate"] * dw, w, dw), config


def sgd_momentum(
    w: ArrayLike, dw: ArrayLike, config: Config | None = None
) -> tuple[Floats, Config]:
    """Gather speed: velocity = momentum velocity - learning_rate dw, next_w = w + velocity."""
    return _yours("sgd_momentum", w, dw, config)


@np.errstate(over="ignore", invalid="ignore")
def rmsprop(w: ArrayLike, dw: ArrayLike, config: Config | None = None) -> tuple[Floats, Config]:
    """Divide each entry of the gradient by its usual size, a moving root mean square."""
    w, dw = as_floats("w", w), as_floats("dw", dw)
    usual = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, "cache": np.zeros_like(w)}
    config = dict(usual, **(config or {}))
    config["cache"] = config["cache"] + (1 - config["decay_rate"]) * (dw * dw - config["cache"])
    step = config["learning_rate"] / (np.sqrt(config["cache"]) + config["epsilon"])
    return _finite(w - step * dw, w, dw), config


def adam(w: ArrayLike, dw: ArrayLike, config: Config | None = None) -> tuple[Floats, Config]:
    """Momentum and RMSProp together, both corrected for having started at 0."""
    return _yours("adam", w, dw, config)


#: By name, as `Solver` takes them.
RULES = {"sgd": sgd, "sgd_momentum": sgd_momentum, "rmsprop": rmsprop, "adam": adam}


@np.errstate(over="ignore", invalid="ignore")
def _yours(
    exercise: str, w: ArrayLike, dw: ArrayLike, config: Config | None
) -> tuple[Floats, Config]:
    w, dw = as_floats("w", w), as_floats("dw", dw)
    next_w, config = solution(exercise)(w, dw, config)
    return _finite(next_w, w, dw).astype(w.dtype, copy=False), config


def _finite(next_w: Floats, w: Floats, dw: Floats) -> Floats:
    check_finite_result("step overflows", next_w, w=w, dw=dw)
    return next_w
