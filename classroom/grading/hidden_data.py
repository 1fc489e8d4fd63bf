"""Data for the hidden tests, and what is right on them.

Sizes all differ, so that no transposed product fits by luck. No example is near a kink, so that
any subgradient is right. Each known mistake shows on every draw, so that no points are chance. And
float32 holds every number exactly, so that the same data serve in both precisions.

Shapes: N examples, D features, C classes, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs231n_helpers.doctor.backward import one_per_row
from cs231n_helpers.doctor.snapshot import copied
from cs231n_helpers.exercises.compare import Array
from cs231n_helpers.exercises.explain import model_of, penalty_value
from cs231n_helpers.layers import affine_backward, relu_backward

Arrays = dict[str, Array]
Values = dict[str, Any]  # by part


@dataclass(frozen=True)
class Case:
    """Arguments to call the function with.

    `option` names what this case tries besides: the plain cases come first, and where only those
    with an option fail, that is what is wrong.
    """

    args: tuple[Any, ...]
    where: str  # "with N = 19, ..."
    option: str = ""
    tolerance: float = 1e-6

    def in_float32(self) -> Case:
        """The same numbers, in float32: all data are such that it holds them exactly."""
        return Case(cast(self.args, np.float32), f"{self.where}, float32", "float32", 1e-3)


def case(*arrays: Any, **numbers: float) -> Case:
    """Arrays, then numbers by name, as they follow in the signature; an option comes last.

    >>> case(np.zeros((2, 3)), np.zeros((5, 2)), np.zeros(5), reg=0.1).where
    'with N = 5, D = 2, C = 3, reg = 0.1'
    """
    params, *rest = arrays
    if isinstance(params, dict):
        (D, H), C = params["W1"].shape, len(params["b2"])
        sizes = {"D": D, "H": H, "C": C}
    else:
        sizes = dict(zip("DC", params.shape, strict=True))
    named = ({"N": len(rest[0])} if rest else {}) | sizes | numbers
    where = "with " + ", ".join(f"{name} = {value}" for name, value in named.items())
    option = next((name for name in ("delta", "reg_scale") if name in numbers), "")
    return Case((*arrays, *numbers.values()), where, option)


def cast(value: Any, dtype: Any) -> Any:
    """All floating arrays in nested dicts, lists and tuples in another dtype."""
    return copied(value, lambda array: array.astype(dtype) if array.dtype.kind == "f" else array)


def normal(rng: np.random.Generator, scale: float, *shape: int) -> Array:
    """Normal numbers that float32 holds exactly."""
    return (scale * rng.standard_normal(shape)).astype(np.float32).astype(np.float64)


def draw_sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """N, D, C and H: ranges that do not meet, so that all of them differ."""
    return (
        int(rng.integers(17, 24)), int(rng.integers(7, 10)),
        int(rng.integers(4, 7)), int(rng.integers(11, 16)),
    )  # fmt: skip


def _labels(rng: np.random.Generator, scores: Array) -> NDArray[np.int64]:
    """Labels of which about half are those with the highest score."""
    N, C = scores.shape
    return np.where(rng.random(N) < 0.5, scores.argmax(axis=1), rng.integers(0, C, N))


def _uneven(y: NDArray[np.int64], classes: int) -> bool:
    counts = np.bincount(y, minlength=classes)
    return bool(counts.min() > 0 and counts.max() > counts.min())


def linear_data(
    rng: np.random.Generator, delta: float = 1.0
) -> tuple[Array, Array, NDArray[np.int64]]:
    """W, X, y on which every known mistake with the hinge or the softmax loss shows.

    No margin is near its kink; some classes violate the margin by less than delta and some by
    more, some examples have no violation, some have several, the first and the last have some.
    """
    while True:
        N, D, C, _ = draw_sizes(rng)
        W, X = normal(rng, 0.5, D, C), normal(rng, 1.0, N, D)
        y = _labels(rng, X @ W)
        wrong = one_per_row(y, C) == 0
        gaps = X @ W - (X @ W)[np.arange(N), y, np.newaxis]
        if _uneven(y, C) and all(_tells(gaps, wrong, d) for d in {1.0, delta}):
            return W, X, y


def _tells(gaps: Array, wrong: NDArray[np.bool_], delta: float) -> bool:
    active = wrong & (gaps + delta > 0)
    counts = active.sum(axis=1)
    kinks = np.stack([gaps, gaps + delta, gaps - delta])[:, wrong]
    return bool(
        np.abs(kinks).min() > 1e-3
        and counts.min() == 0 and counts.max() > 1 and counts[0] and counts[-1]
        and active.any(axis=0).all()
        and (wrong & (gaps > -delta) & (gaps < 0)).any() and (wrong & (gaps > 0)).any()
    )  # fmt: skip


def draw_net(rng: np.random.Generator, scale: float, D: int, H: int, C: int) -> Arrays:
    """Parameters, the weights scaled."""
    return {
        "W1": normal(rng, scale, D, H), "b1": normal(rng, 0.5, H),
        "W2": normal(rng, scale, H, C), "b2": normal(rng, 0.5, C),
    }  # fmt: skip


def net_data(rng: np.random.Generator) -> tuple[Arrays, Array, NDArray[np.int64]]:
    """Parameters, X, y: every hidden unit is on for some examples and off for some."""
    while True:
        N, D, C, H = draw_sizes(rng)
        params, X = draw_net(rng, 0.6, D, H, C), normal(rng, 1.0, N, D)
        z = X @ params["W1"] + params["b1"]
        y = _labels(rng, np.maximum(z, 0) @ params["W2"] + params["b2"])
        on = z > 0
        mixed = on.any(axis=0).all() and not on.all(axis=0).any()
        if mixed and np.abs(z).min() > 1e-3 and _uneven(y, C):
            return params, X, y


def draw_strength(rng: np.random.Generator) -> float:
    """A strength of the penalty at which its mistakes show."""
    return round(float(rng.uniform(0.15, 0.6)), 2)


def hinge_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y), (W, X, y, delta)."""
    low, high = ((0.35, 0.7), (1.4, 2.2))[int(rng.integers(2))]
    delta = round(float(rng.uniform(low, high)), 2)
    plain = [case(*linear_data(rng)) for _ in range(2)]
    return [*plain, case(*linear_data(rng, delta), delta=delta), plain[1].in_float32()]


def softmax_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y, reg)."""
    strengths = (0.0, draw_strength(rng), draw_strength(rng))
    cases = [case(*linear_data(rng), reg=reg) for reg in strengths]
    return [*cases, cases[1].in_float32()]


def penalty_cases(rng: np.random.Generator) -> list[Case]:
    """(W, reg), (W, reg, reg_scale)."""
    cases = []
    for has_scale in (False, False, True, True):
        _, D, C, _ = draw_sizes(rng)
        W, reg = normal(rng, 1.0, D, C), draw_strength(rng)
        scale = {"reg_scale": round(rng.uniform(0.6, 2), 2)}
        cases.append(case(W, reg=reg, **(scale if has_scale else {})))
    return [*cases, cases[0].in_float32()]


def two_cases(draw: Callable[[np.random.Generator], Any], rng: np.random.Generator) -> list[Case]:
    """What `draw` draws, twice, and once more in float32."""
    cases = [case(*draw(rng)), case(*draw(rng))]
    return [*cases, cases[1].in_float32()]


def backward_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X, hidden, dscores, reg), (..., reg_scale)."""
    cases = []
    strengths = (0.0, draw_strength(rng), draw_strength(rng))
    for reg, scale in zip(strengths, ({}, {}, {"reg_scale": 1}), strict=True):
        params, X, _ = net_data(rng)
        hidden, scores = forward(params, X).values()
        dscores = normal(rng, 1 / len(X), *scores.shape)
        cases.append(case(params, X, hidden, dscores, reg=reg, **scale))
    return [*cases, cases[1].in_float32()]


def affine_cases(rng: np.random.Generator) -> list[Case]:
    """(dout, (x, w, b)), with rows x and with images x."""
    cases = []
    for with_images in (False, True):
        N, D, C, H = draw_sizes(rng)
        shape = (N, D, C) if with_images else (N, D)
        size = D * C if with_images else D
        x, w, b = normal(rng, 1.0, *shape), normal(rng, 1.0, size, H), normal(rng, 1.0, H)
        where = f"with x of the shape {shape} and w of the shape {w.shape}"
        cases.append(Case((normal(rng, 1.0, N, H), (x, w, b)), where))
    return [*cases, cases[0].in_float32()]


def relu_cases(rng: np.random.Generator) -> list[Case]:
    """(dout, x), none of whose entries is near 0."""
    cases = []
    for _ in range(2):
        N, D, C, _ = draw_sizes(rng)
        x = normal(rng, 1.0, N, D, C)
        x += np.copysign(np.float32(0.01), x)
        cases.append(Case((normal(rng, 1.0, N, D, C), x), f"with x of the shape {x.shape}"))
    return [*cases, cases[0].in_float32()]


def _rule_cases(
    rng: np.random.Generator, names: tuple[str, ...], *configs: dict[str, float]
) -> list[Case]:
    """(w, dw, config) for each, then (w, dw) alone, and the first in float32.

    A config has the settings; the names are those of arrays besides, which are positive.
    """
    cases = []
    for config in configs:
        _, D, C, _ = draw_sizes(rng)
        said = ", ".join(f"{name} = {value}" for name, value in config.items())
        state = {name: np.abs(normal(rng, 1.0, D, C)) + 0.125 for name in names}
        args = (normal(rng, 1.0, D, C), normal(rng, 1.0, D, C), {**config, **state})
        cases.append(Case(args, f"with {said} in config"))
    alone = Case(cases[0].args[:2], "without config")
    return [*cases, alone, cases[0].in_float32()]


def momentum_cases(rng: np.random.Generator) -> list[Case]:
    rates = [round(float(rng.uniform(0.1, 0.4)), 2) for _ in range(2)]
    momentum = round(float(rng.uniform(0.3, 0.7)), 2)
    configs = {"learning_rate": rates[0]}, {"learning_rate": rates[1], "momentum": momentum}
    return _rule_cases(rng, ("velocity",), *configs)


def adam_cases(rng: np.random.Generator) -> list[Case]:
    """The second has settings of its own, among them an epsilon that shows."""
    rates = [round(float(rng.uniform(0.1, 0.4)), 2) for _ in range(2)]
    settings = {"beta1": 0.6, "beta2": 0.8, "epsilon": 0.25}
    t = int(rng.integers(2, 5))
    configs = {"learning_rate": rates[0]}, {"learning_rate": rates[1], **settings}
    return _rule_cases(rng, ("m", "v"), *({**config, "t": t} for config in configs))


# ---- what is right, by part ----


def hinge(W: Array, X: Array, y: Any, delta: float = 1.0) -> Values:
    model = model_of(W, X, y, "hinge", delta_margin=delta)
    return {"loss": model.loss(), "gradient": model.gradients()[0]}


def softmax(W: Array, X: Array, y: Any, reg: float) -> Values:
    model = model_of(W, X, y)
    return {
        "loss": model.loss() + penalty_value(reg, W),
        "gradient": model.gradients()[0] + reg * W,
    }


def penalty(W: Array, reg: float, reg_scale: float = 0.5) -> Values:
    return {
        "value": penalty_value(reg, W, reg_scale=reg_scale),
        "gradient": 2 * reg_scale * reg * W,
    }


def forward(params: Arrays, X: Array) -> Values:
    """Hidden layer (N, H) after the ReLU, and scores (N, C)."""
    _, hidden, scores = model_of(params, X).forward()[0]
    return {"hidden": hidden, "scores": scores}


def backward(
    params: Arrays, X: Array, hidden: Array, dscores: Array, reg: float, reg_scale: float = 0.5
) -> Values:
    """Gradients of all four arrays, the penalty on W1 and W2 included."""
    gradients = zip(("W1", "b1", "W2", "b2"), model_of(params, X).gradients(dscores), strict=True)
    scale = 2 * reg_scale * reg
    return {k: g + scale * params[k] if k[0] == "W" else g for k, g in gradients}


def by_input(loss: str) -> Callable[..., Values]:
    """The gradient of a loss by the input, (N, D), of a linear classifier or of a net."""

    def right(params: Any, X: Array, y: Any, delta: float = 1.0) -> Values:
        model = model_of(params, X, y, loss, delta_margin=delta, by_input=True)
        return {"gradient": model.gradients()[0]}

    return right


def affine(dout: Array, cache: Any) -> Values:
    return dict(zip(("dx", "dw", "db"), affine_backward(dout, cache), strict=True))


def relu(dout: Array, cache: Array) -> Values:
    return {"dx": relu_backward(dout, cache)}
