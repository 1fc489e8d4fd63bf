"""Mistakes that are named by the value they give, because the gradient checker does not see them.

An entry of a table is a code, a sentence and the value that comes out. Each function here is the
`named` of a `ValueRubric`.

Shapes: N examples, D features, C classes, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from cs231n_helpers.doctor.mistakes import FACTORS, MISTAKES
from cs231n_helpers.exercises.compare import Array, near
from cs231n_helpers.exercises.explain import model_of, penalty_value
from cs231n_helpers.exercises.student_function import Feedback

from . import hidden_data
from .hidden_data import forward

Known = tuple[str, str, Callable[[Any], Any]]


def _first(mistakes: Iterable[Known], given: Any, right: Any, plus: float = 0.0) -> Feedback | None:
    """The first mistake that gives this value; it is computed from the right terms."""
    for code, text, value in mistakes:
        if near(np.asarray(given, dtype=np.float64), value(right) + plus):
            return Feedback(text, (code,))
    return None


# ---- losses: p has the terms of the right loss, S (N, C) scores and T (N, C) one-hot labels ----


def _margins(p: Any, over: Any, *, first: bool = False) -> Any:
    """Margins over the classes where `over` is not 0, to the correct score or the first label's."""
    S, y = p.S, np.full_like(p.y, p.y[0]) if first else p.y
    margins = np.maximum(0, S - np.take_along_axis(S, y[:, np.newaxis], axis=1) + p.delta_margin)
    return margins * over


HINGE: list[Known] = [
    ("loss_offset", "The loss is off by delta: the correct class is counted too; leave j = y_i out "
     "of the sum.", lambda p: _margins(p, 1).sum() / p.N),
    ("onehot_indexing", "The label of the first example is used for every example: index with "
     "y[i], or with [np.arange(N), y].", lambda p: _margins(
         p, np.arange(p.C) != p.y[0], first=True).sum() / p.N),
    ("onehot_indexing", "The score of the first example's label is used for every example: "
     "compare with s[y[i]].", lambda p: _margins(p, 1 - p.T, first=True).sum() / p.N),
    *[("single_class_wrong", "The loop over the classes leaves one out: it must run over all of "
       "them, range(C), except j = y_i.",
       lambda p, c=c: (p.margins * (np.arange(p.C) != c % p.C)).sum() / p.N) for c in (0, -1)],
    ("loss_wrong_grad_of_other", "Only the class with the largest margin counts: the loss sums "
     "over all classes but the correct one.", lambda p: p.margins.max(axis=1).sum() / p.N),
]  # fmt: skip
SOFTMAX: list[Known] = [
    ("exp_of_sum", "The exponential is taken of the sum: it must be the sum of the exponentials, "
     "np.sum(np.exp(scores)).", value)
    for value in (
        lambda p: (p.S.sum(axis=1) - (p.S * p.T).sum(axis=1)).mean(),
        lambda p: ((p.S - p.S.max(axis=1, keepdims=True)) * (1 - p.T)).sum(axis=1).mean(),
    )
]  # fmt: skip


def in_hinge(part: str, given: Any, W: Array, X: Array, y: Any, delta: float = 1.0) -> Any:
    terms = model_of(W, X, y, "hinge", delta_margin=delta).terms_of_scores(X @ W)
    return _first(HINGE, given, terms) if part == "loss" else None


def in_softmax(part: str, given: Any, W: Array, X: Array, y: Any, reg: float) -> Any:
    """Name the loss in which the logarithm and the exponential cancel."""
    terms = model_of(W, X, y).terms_of_scores(X @ W)
    return _first(SOFTMAX, given, terms, penalty_value(reg, W)) if part == "loss" else None


# ---- the net's gradient by the input ----


def in_net_dx(part: str, given: Any, params: Any, X: Array, y: Any) -> Feedback | None:
    """Name the known mistake in the net's backward pass that gives this gradient."""
    right = model_of(params, X, y, by_input=True).gradients()[0]
    for factor in FACTORS:
        if near(given, factor.value(len(X), len(params["b2"])) * right):
            text = factor.message if "{it}" in factor.message else f"{{it}}: {factor.message}"
            return Feedback(f"{text.replace('{it}', 'dX')}.", (factor.code,))
    for mistake in MISTAKES:
        if mistake.when and not {"softmax", "ReLU"} & set(mistake.when):
            continue
        for layer in (None, 0, 1):
            replaced = {mistake.term: mistake.wrong}
            try:
                with np.errstate(all="ignore"):
                    model = model_of(params, X, y, by_input=True, replaced=replaced, only=layer)
                    wrong = model.gradients()[0]
            except (ValueError, IndexError, TypeError):  # the term does not fit these shapes
                continue
            if wrong.shape == given.shape and near(given, wrong):
                return Feedback(f"In dX, {mistake.message}.", (mistake.code,))
    return None


# ---- the net's forward pass: p has the parameters, what is right, and z before the ReLU ----

HIDDEN: list[Known] = [
    ("relu_missing", "The ReLU is missing: hidden = np.maximum(0, X @ W1 + b1).", lambda p: p["z"]),
    ("bias_missing", "The bias b1 is missing: hidden = np.maximum(0, X @ W1 + b1).",
     lambda p: np.maximum(0, p["z"] - p["b1"])),
    ("bias_missing", "The bias b1 is added after the ReLU: it belongs inside, "
     "hidden = np.maximum(0, X @ W1 + b1).",
     lambda p: np.maximum(0, p["z"] - p["b1"]) + p["b1"]),
    ("activation_mismatch", "The hidden layer has another activation, a sigmoid: this net has a "
     "ReLU, np.maximum(0, z).", lambda p: 1 / (1 + np.exp(-p["z"]))),
    ("activation_mismatch", "The hidden layer has another activation, a tanh: this net has a "
     "ReLU, np.maximum(0, z).", lambda p: np.tanh(p["z"])),
    ("relu_mask_wrong", "This is the mask of the ReLU, z > 0: the hidden layer is max(0, z).",
     lambda p: np.where(p["z"] > 0, 1.0, 0.0)),
    ("relu_mask_wrong", "The ReLU is the wrong way round: it keeps what is positive, max(0, z).",
     lambda p: np.minimum(0, p["z"])),
]  # fmt: skip
SCORES: list[Known] = [
    ("activation_mismatch", "The scores go through a ReLU: they are affine in the hidden layer, "
     "hidden @ W2 + b2, and may be negative.", lambda p: np.maximum(0, p["scores"])),
    ("bias_missing", "The bias b2 is missing: scores = hidden @ W2 + b2.",
     lambda p: p["scores"] - p["b2"]),
    ("wrong_activation", "The scores are taken from the pre-activation: use the hidden layer after "
     "its ReLU, hidden @ W2 + b2.", lambda p: p["z"] @ p["W2"] + p["b2"]),
    ("stops_at_probs", "These are probabilities: return the scores, hidden @ W2 + b2; the softmax "
     "belongs to the loss.",
     lambda p: np.exp(p["scores"]) / np.exp(p["scores"]).sum(axis=1, keepdims=True)),
]  # fmt: skip


def in_forward(part: str, given: Any, params: Any, X: Array) -> Feedback | None:
    right = {**params, **forward(params, X), "z": X @ params["W1"] + params["b1"]}
    return _first(HIDDEN if part == "hidden" else SCORES, given, right)


# ---- layers: p has dout, x as rows, w, and what is right ----

AFFINE: dict[str, list[Known]] = {
    "dx": [("sign", "The sign of dx is the other way round.", lambda p: -p["dx"])],
    "dw": [
        ("scale_inv_N", "dw is a mean over the examples: it is their sum, x.T @ dout; whether the "
         "loss is a mean is in dout already.", lambda p: p["dw"] / len(p["dout"])),
        ("sign", "The sign of dw is the other way round.", lambda p: -p["dw"]),
    ],
    "db": [
        ("scale_inv_N", "db is the mean of dout over the examples: b is added to each of them, so "
         "db is the sum.", lambda p: p["dout"].mean(axis=0)),
        ("unexplained", "db is the sum of all of dout: sum over the examples only, axis 0.",
         lambda p: 0 * p["db"] + p["dout"].sum()),
        ("example_dropped", "db is dout of one example: b is added to each of them, so db is the "
         "sum.", lambda p: p["dout"][0]),
    ],
}  # fmt: skip
RELU: list[Known] = [
    ("relu_mask_missing", "dout passes unchanged: the ReLU passes on only what it let through, "
     "where x > 0.", lambda p: p["dout"]),
    ("relu_mask_wrong", "The mask is taken from dout: it must be that of the forward pass, x > 0.",
     lambda p: np.maximum(0, p["dout"])),
    ("relu_mask_wrong", "dout is multiplied by the output instead of by the mask x > 0.",
     lambda p: p["dout"] * np.maximum(0, p["x"])),
    ("relu_mask_wrong", "dout is left out: this is the mask alone, x > 0; multiply it by dout.",
     lambda p: np.where(p["x"] > 0, 1.0, 0.0)),
    ("relu_mask_wrong", "The mask is the wrong way round: it must be x > 0.",
     lambda p: p["dout"] - p["dx"]),
]  # fmt: skip


def in_affine(part: str, given: Any, dout: Array, cache: Any) -> Feedback | None:
    return _first(AFFINE[part], given, {"dout": dout, **hidden_data.affine(dout, cache)})


def in_relu(part: str, given: Any, dout: Array, cache: Array) -> Feedback | None:
    return _first(RELU, given, {"dout": dout, "x": cache, **hidden_data.relu(dout, cache)})


# ---- update rules: p has w, dw, the settings, the state before (old_...) and what is right ----

MOMENTUM: dict[str, list[Known]] = {
    "velocity": [
        ("sign", "The gradient is added to the velocity: a step goes against it, momentum * "
         "velocity - learning_rate * dw.",
         lambda p: p["momentum"] * p["old_velocity"] + p["rate"] * p["dw"]),
        ("rate_missing", "The learning rate is missing before dw.",
         lambda p: p["momentum"] * p["old_velocity"] - p["dw"]),
        ("momentum_wrong", "The gradient is multiplied by 1 - momentum, too: here it is "
         "learning_rate * dw alone.",
         lambda p: p["momentum"] * p["old_velocity"] - (1 - p["momentum"]) * p["rate"] * p["dw"]),
        ("momentum_wrong", "The velocity before the step is not used: keep momentum times it.",
         lambda p: -p["rate"] * p["dw"]),
        ("momentum_wrong", "The old velocity is not multiplied by momentum.",
         lambda p: p["old_velocity"] - p["rate"] * p["dw"]),
        ("momentum_wrong", "This is the velocity before the step: leave the new one in config.",
         lambda p: p["old_velocity"]),
    ],
    "next_w": [
        ("sign", "The velocity is subtracted: it points downhill already, w + velocity.",
         lambda p: p["w"] - p["velocity"]),
        ("momentum_wrong", "w moves by the velocity before the step: update it first.",
         lambda p: p["w"] + p["old_velocity"]),
        ("momentum_wrong", "w moves by the gradient alone: w + velocity.",
         lambda p: p["w"] - p["rate"] * p["dw"]),
        ("momentum_wrong", "This is Nesterov's rule, which looks ahead: here it is w + velocity.",
         lambda p: p["w"] + p["momentum"] * p["velocity"] - p["rate"] * p["dw"]),
    ],
}  # fmt: skip
ADAM: dict[str, list[Known]] = {
    "m": [
        ("adam_moment", "m is divided by 1 - beta1**t before it is kept: keep m itself, and divide "
         "in the step.", lambda p: p["m"] / (1 - p["beta1"] ** p["t"])),
        ("adam_moment", "The weight 1 - beta1 before dw is missing.",
         lambda p: p["beta1"] * p["old_m"] + p["dw"]),
        ("adam_moment", "beta1 and 1 - beta1 are exchanged.",
         lambda p: (1 - p["beta1"]) * p["old_m"] + p["beta1"] * p["dw"]),
        ("adam_moment", "beta2 stands in m: that is for v.",
         lambda p: p["beta2"] * p["old_m"] + (1 - p["beta2"]) * p["dw"]),
    ],
    "v": [
        ("adam_moment", "v is divided by 1 - beta2**t before it is kept: keep v itself, and divide "
         "in the step.", lambda p: p["v"] / (1 - p["beta2"] ** p["t"])),
        *[("adam_moment", "dw is not squared in v.",
           lambda p, size=size: p["beta2"] * p["old_v"] + (1 - p["beta2"]) * size(p["dw"]))
          for size in (np.abs, np.positive)],
        ("adam_moment", "The weight 1 - beta2 before dw**2 is missing.",
         lambda p: p["beta2"] * p["old_v"] + p["dw"] ** 2),
        ("adam_moment", "beta1 stands in v: that is for m.",
         lambda p: p["beta1"] * p["old_v"] + (1 - p["beta1"]) * p["dw"] ** 2),
    ],
    "t": [
        ("adam_time", "t is what it was before the step: raise it by one, before it is used.",
         lambda p: p["t"] - 1),
    ],
    "next_w": [
        ("adam_bias", "m and v are not divided by 1 - beta**t, so the first steps are wrong.",
         lambda p: adam_step(p, 1, 1)),
        ("adam_bias", "Only m is divided by 1 - beta**t: v as well.",
         lambda p: adam_step(p, share_v=1)),
        ("adam_time", "t is raised after it is used: raise it first.",
         lambda p: adam_step({**p, "t": p["t"] - 1})),
        ("sign", "The step goes along the gradient: subtract it.",
         lambda p: 2 * p["w"] - p["next_w"]),
        ("adam_epsilon", "epsilon stands inside the square root: add it after.",
         lambda p: adam_step(p, size=lambda v: np.sqrt(v + p["epsilon"]))),
        ("adam_root", "The square root of v is missing.",
         lambda p: adam_step(p, size=lambda v: v + p["epsilon"])),
    ],
}  # fmt: skip


def adam_step(p: Any, share_m: Any = None, share_v: Any = None, size: Any = None) -> Array:
    """Where Adam moves w by m, v and t in `p`; the rest stands in place of what is right."""
    m = p["m"] / (1 - p["beta1"] ** p["t"] if share_m is None else share_m)
    v = p["v"] / (1 - p["beta2"] ** p["t"] if share_v is None else share_v)
    moved: Array = p["w"] - p["rate"] * m / (size(v) if size else np.sqrt(v) + p["epsilon"])
    return moved


def in_rule(
    rule: Callable[..., Any], mistakes: Mapping[str, list[Known]]
) -> Callable[..., Feedback | None]:
    """Return the `named` of an update rule."""

    def named(part: str, given: Any, w: Array, dw: Array, config: Any = None) -> Feedback | None:
        before = config or {}
        next_w, after = rule(w, dw, dict(before))
        old = {f"old_{k}": before.get(k, 0 * w) for k, v in after.items() if np.ndim(v)}
        p = {**after, "w": w, "dw": dw, "next_w": next_w, "rate": after["learning_rate"]}
        return _first(mistakes[part], given, p | old)

    return named
