"""Update rules: where a step goes, from the gradient and what the rule remembers of earlier ones.

All are ``(w, dw, config=None) -> (next_w, config)``: w a parameter of any shape, dw its gradient.
`config` is a dict of the rule's numbers and of what it remembers, one for each parameter. It is the
one argument that changes: what it lacks is filled in, what the rule remembers is put into it anew.
None stands for an empty one.

Bad input is refused as in `losses`; a step that is not finite is a `NotFiniteError`.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .validation import Floats, as_floats, as_non_negative, as_number, check_finite_result, shown

Config = MutableMapping[str, Any]


@np.errstate(over="ignore", invalid="ignore")
def sgd(w: ArrayLike, dw: ArrayLike, config: Config | None = None) -> tuple[Floats, Config]:
    """Step against the gradient: next_w = w - learning_rate dw.

    Parameters
    ----------
    w : array of any shape, floating point
    dw : array like w
        dL/dw.
    config : dict, optional
        learning_rate, 1e-2 by default.

    Returns
    -------
    next_w : array like w
    config : dict

    References
    ----------
    CS231n course notes, Optimization.

    Examples
    --------
    >>> next_w, config = sgd([1.0], [10.0], {"learning_rate": 0.05})
    >>> next_w.tolist()
    [0.5]
    """
    w, dw, config = _inputs(w, dw, config, learning_rate=1e-2)
    return _taken(w, dw, -_rate(config) * dw), config


@np.errstate(over="ignore", invalid="ignore")
def sgd_momentum(
    w: ArrayLike, dw: ArrayLike, config: Config | None = None
) -> tuple[Floats, Config]:
    """Gather speed: velocity = momentum velocity - learning_rate dw, next_w = w + velocity.

    See `sgd`. `config` has learning_rate 1e-2, momentum 0.9, and the velocity, like w, at first 0.

    References
    ----------
    Polyak, Some methods of speeding up the convergence of iteration methods, 1964.

    Examples
    --------
    0.9 * 2 - 0.05 * 10 = 1.3:

    >>> config = {"learning_rate": 0.05, "velocity": np.array([2.0])}
    >>> sgd_momentum([1.0], [10.0], config)[0].round(9).tolist(), config["momentum"]
    ([2.3], 0.9)
    """
    w, dw, config = _inputs(w, dw, config, learning_rate=1e-2, momentum=0.9)
    velocity = _share(config, "momentum") * _memory(config, "velocity", w) - _rate(config) * dw
    next_w = _taken(w, dw, velocity)
    config["velocity"] = velocity
    return next_w, config


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def rmsprop(w: ArrayLike, dw: ArrayLike, config: Config | None = None) -> tuple[Floats, Config]:
    r"""Divide each entry of the gradient by its usual size, a moving root mean square.

    .. math:: c \leftarrow \rho c + (1 - \rho)\, dw^2, \quad
              w \leftarrow w - \eta \, dw / (\sqrt{c} + \epsilon)

    See `sgd`. `config` has learning_rate (eta) 1e-2, decay_rate (rho) 0.99, epsilon 1e-8, and the
    cache c, like w, at first 0.

    References
    ----------
    Tieleman and Hinton, Lecture 6.5, RMSProp, Neural networks for machine learning, 2012.

    Examples
    --------
    The first step is learning_rate / sqrt(1 - decay_rate), whatever the gradient's size:

    >>> rmsprop([1.0], [1000.0], {"learning_rate": 0.05})[0].round(6).tolist()
    [0.5]
    """
    w, dw, config = _inputs(w, dw, config, learning_rate=1e-2, decay_rate=0.99, epsilon=1e-8)
    rho = _share(config, "decay_rate")
    cache = rho * _memory(config, "cache", w) + (1 - rho) * dw * dw
    next_w = _taken(w, dw, -_rate(config) * dw / (np.sqrt(cache) + _epsilon(config)), cache)
    config["cache"] = cache
    return next_w, config


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def adam(w: ArrayLike, dw: ArrayLike, config: Config | None = None) -> tuple[Floats, Config]:
    r"""Momentum and RMSProp together, both corrected for having started at 0.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1)\, dw, \quad
              v \leftarrow \beta_2 v + (1 - \beta_2)\, dw^2, \quad
              w \leftarrow w - \eta \,
              \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}

    See `sgd`. `config` has learning_rate (eta) 1e-3, beta1 0.9, beta2 0.999, epsilon 1e-8, m and v,
    like w, at first 0, and the number t of steps, raised before it is used.

    References
    ----------
    Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1.

    Examples
    --------
    The first step is the learning rate, whatever the gradient's size:

    >>> next_w, config = adam([1.0], [1000.0])
    >>> next_w.round(9).tolist(), config["t"]
    ([0.999], 1)
    """
    w, dw, config = _inputs(
        w, dw, config, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, t=0
    )
    beta1, beta2 = _share(config, "beta1"), _share(config, "beta2")
    t = as_non_negative("t", config["t"]) + 1
    m = beta1 * _memory(config, "m", w) + (1 - beta1) * dw
    v = beta2 * _memory(config, "v", w) + (1 - beta2) * dw * dw
    size = np.sqrt(v / (1 - beta2**t)) + _epsilon(config)
    next_w = _taken(w, dw, -_rate(config) * (m / (1 - beta1**t)) / size, v)
    config.update(m=m, v=v, t=config["t"] + 1)
    return next_w, config


#: By name, as `Solver` takes them.
RULES = {"sgd": sgd, "sgd_momentum": sgd_momentum, "rmsprop": rmsprop, "adam": adam}


def _inputs(
    w: ArrayLike, dw: ArrayLike, config: Config | None, **defaults: float
) -> tuple[Floats, Floats, Config]:
    w, dw = as_floats("w", w), as_floats("dw", dw)
    if dw.shape != w.shape:
        raise ValueError(
            f"dw has shape {dw.shape} and w has shape {w.shape}, but a gradient has the shape of "
            "its parameter: check the order of the matrix product"
        )
    config = {} if config is None else config
    if not isinstance(config, MutableMapping):
        raise TypeError(
            f"config is {shown(config)}, but it must be a dict: pass {{'learning_rate': 1e-2}}"
        )
    for name, value in defaults.items():
        config.setdefault(name, value)
    as_w = dw.astype(w.dtype, copy=False)
    if as_w is not dw:
        check_finite_result("gradient overflows", as_w, dw=dw)
    return w, as_w, config


def _rate(config: Config) -> float:
    return as_non_negative("learning_rate", config["learning_rate"])


def _epsilon(config: Config) -> float:
    return as_non_negative("epsilon", config["epsilon"])


def _share(config: Config, name: str) -> float:
    """Return a number that says how much is kept of what was."""
    return as_number(name, config[name], 0.0, "a number >= 0 and < 1", below=1.0)


def _memory(config: Config, name: str, w: Floats) -> Floats:
    """Return what the rule remembers, at first zeros."""
    memory = as_floats(name, config.get(name, np.zeros_like(w)))
    if memory.shape != w.shape:
        raise ValueError(
            f"{name} has shape {memory.shape} and w has shape {w.shape}, but each parameter needs "
            "a config of its own: start with an empty one"
        )
    return memory.astype(w.dtype, copy=False)


def _taken(w: Floats, dw: Floats, step: Floats, squares: Floats | float = 0.0) -> Floats:
    next_w: Floats = w + step
    for result in (next_w, squares):  # by infinite squares a step would be 0
        check_finite_result("step overflows", result, w=w, dw=dw)
    return next_w
