"""Data for the hidden tests, and what is right on them.

Sizes all differ, so that no transposed product fits by luck. No example is near a kink, so that
any subgradient is right. Each known mistake shows on every draw, so that no points are chance. And
float32 holds every number exactly, so that the same data serve in both precisions.

Shapes: N examples, D features, C classes, H hidden units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs231n_helpers import softmax_loss_naive as softmax_linear
from cs231n_helpers import svm_input_gradient
from cs231n_helpers import svm_loss_naive as svm_linear
from cs231n_helpers.doctor.backward import OUTPUT_LOSSES, Model, one_per_row
from cs231n_helpers.losses import l2_penalty

from .student_function import Array

Arrays = dict[str, Array]


@dataclass(frozen=True)
class Case:
    """Arguments to call the function with.

    `option` names what this case tries besides: the plain cases come first, and where only those
    with an option fail, that is what is wrong.
    """

    args: tuple[Any, ...]
    says: str
    option: str = ""
    value: float = 0.0
    tolerance: float = 1e-6

    def in_float32(self) -> Case:
        """The same numbers, in float32: all data are such that it holds them exactly."""
        args = cast(self.args, np.float32)
        return Case(args, f"{self.says}, float32", "float32", 0.0, 1e-3)


def cast(value: Any, dtype: Any) -> Any:
    """All floating arrays in nested dicts and tuples in another dtype."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    if isinstance(value, dict):
        return {k: cast(v, dtype) for k, v in value.items()}
    return tuple(cast(v, dtype) for v in value) if type(value) is tuple else value


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
    best = scores.argmax(axis=1)
    return np.where(
        rng.random(len(scores)) < 0.5, best, rng.integers(0, scores.shape[1], len(best))
    )


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


def net_data(rng: np.random.Generator) -> tuple[Arrays, Array, NDArray[np.int64]]:
    """Parameters, X, y: every hidden unit is on for some examples and off for some."""
    while True:
        N, D, C, H = draw_sizes(rng)
        params = {
            "W1": normal(rng, 0.6, D, H), "b1": normal(rng, 0.5, H),
            "W2": normal(rng, 0.6, H, C), "b2": normal(rng, 0.5, C),
        }  # fmt: skip
        X = normal(rng, 1.0, N, D)
        z = X @ params["W1"] + params["b1"]
        y = _labels(rng, np.maximum(z, 0) @ params["W2"] + params["b2"])
        on = z > 0
        mixed = on.any(axis=0).all() and not on.all(axis=0).any()
        if mixed and np.abs(z).min() > 1e-3 and _uneven(y, len(params["b2"])):
            return params, X, y


def draw_strength(rng: np.random.Generator) -> float:
    """A strength of the penalty at which its mistakes show."""
    return round(float(rng.uniform(0.15, 0.6)), 2)


def _named(**sizes: float) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())


def _linear_sizes(W: Array, X: Array, **more: float) -> str:
    return _named(N=len(X), D=W.shape[0], C=W.shape[1], **more)


def _net_sizes(params: Arrays, X: Array, **more: float) -> str:
    W2 = params["W2"]
    return _named(N=len(X), D=X.shape[1], H=W2.shape[0], C=W2.shape[1], **more)


def hinge_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y), (W, X, y, delta)."""
    low, high = ((0.35, 0.7), (1.4, 2.2))[int(rng.integers(2))]
    delta = round(float(rng.uniform(low, high)), 2)
    plain = [linear_data(rng) for _ in range(2)]
    W, X, y = linear_data(rng, delta)
    cases = [Case(data, _linear_sizes(*data[:2])) for data in plain]
    option = Case((W, X, y, delta), _linear_sizes(W, X, delta=delta), "delta", delta)
    return [*cases, option, cases[1].in_float32()]


def softmax_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y, reg)."""
    cases = []
    for reg in (0.0, draw_strength(rng), draw_strength(rng)):
        W, X, y = linear_data(rng)
        cases.append(Case((W, X, y, reg), _linear_sizes(W, X, reg=reg)))
    return [*cases, cases[1].in_float32()]


def penalty_cases(rng: np.random.Generator) -> list[Case]:
    """(W, reg), (W, reg, reg_scale)."""
    cases = []
    for option in ("", "", "reg_scale", "reg_scale"):
        _, D, C, _ = draw_sizes(rng)
        W, reg, scale = normal(rng, 1.0, D, C), draw_strength(rng), round(rng.uniform(0.6, 2), 2)
        given = _named(D=D, C=C, reg=reg, **({option: scale} if option else {}))
        cases.append(Case((W, reg, scale) if option else (W, reg), given, option, scale))
    return [*cases, cases[0].in_float32()]


def forward_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X)."""
    data = [net_data(rng)[:2] for _ in range(2)]
    cases = [Case(d, _net_sizes(*d)) for d in data]
    return [*cases, cases[1].in_float32()]


def backward_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X, hidden, dscores, reg), (..., reg_scale)."""
    cases = []
    for reg, scale in ((0.0, None), (draw_strength(rng), None), (draw_strength(rng), 1.0)):
        params, X, _ = net_data(rng)
        hidden, scores = net_forward(params, X)
        dscores = normal(rng, 1 / len(X), *scores.shape)
        args: tuple[Any, ...] = (params, X, hidden, dscores, reg)
        says = _net_sizes(params, X, reg=reg)
        if scale is None:
            cases.append(Case(args, says))
        else:
            cases.append(Case((*args, scale), f"{says}, reg_scale = 1", "reg_scale", scale))
    return [*cases, cases[1].in_float32()]


def input_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y)."""
    data = [linear_data(rng) for _ in range(2)]
    cases = [Case(d, _linear_sizes(*d[:2])) for d in data]
    return [*cases, cases[1].in_float32()]


def net_input_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X, y)."""
    data = [net_data(rng) for _ in range(2)]
    cases = [Case(d, _net_sizes(*d[:2])) for d in data]
    return [*cases, cases[1].in_float32()]


# ---- what is right ----


def net_forward(params: Arrays, X: Array) -> tuple[Array, Array]:
    """Hidden layer (N, H) after the ReLU, and scores (N, C)."""
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    return hidden, hidden @ params["W2"] + params["b2"]


def net_model(params: Arrays, X: Array, y: Any = None, **more: Any) -> Model:
    """The net as the checker's own chain of named pieces; without labels any will do."""
    classes = len(params["b2"])
    labels = np.zeros(len(X), int) if y is None else y
    layers = ((params["W1"], params["b1"]), (params["W2"], params["b2"]))
    return Model(layers, X, one_per_row(labels, classes), OUTPUT_LOSSES["softmax"], **more)


def net_backward(
    params: Arrays, X: Array, hidden: Array, dscores: Array, reg: float, reg_scale: float = 0.5
) -> Arrays:
    """Gradients of all four arrays, the penalty on W1 and W2 included."""
    W1, b1, W2, b2 = net_model(params, X).gradients(dscores=dscores)
    scale = 2 * reg_scale * reg
    return {"W1": W1 + scale * params["W1"], "b1": b1, "W2": W2 + scale * params["W2"], "b2": b2}


def net_dx(params: Arrays, X: Array, y: NDArray[np.int64]) -> Array:
    """Gradient of the softmax loss of the net by its input, (N, D)."""
    return net_model(params, X, y, by_input=True).gradients()[0]


def hinge(W: Array, X: Array, y: Any, delta: float = 1.0) -> dict[str, Any]:
    """Hinge loss and its gradient, by part."""
    loss, dW = svm_linear(W, X, y, 0.0, delta=delta)
    return {"loss": loss, "gradient": dW}


def softmax(W: Array, X: Array, y: Any, reg: float) -> dict[str, Any]:
    """Softmax loss with its penalty, and its gradient, by part."""
    loss, dW = softmax_linear(W, X, y, reg)
    return {"loss": loss, "gradient": dW}


def penalty_of(W: Array, reg: float, reg_scale: float = 0.5) -> dict[str, Any]:
    """Penalty and its gradient, by part."""
    return dict(zip(("value", "gradient"), l2_penalty(W, reg, reg_scale), strict=True))


def forward(params: Arrays, X: Array) -> dict[str, Any]:
    """Hidden layer and scores, by part."""
    return dict(zip(("hidden", "scores"), net_forward(params, X), strict=True))


def hinge_dx(W: Array, X: Array, y: Any, delta: float = 1.0) -> Array:
    """Gradient of the hinge loss by the input, (N, D)."""
    return np.asarray(svm_input_gradient(W, X, y, delta=delta), dtype=np.float64)
