"""Mistakes that are named by the value they give, because the gradient checker does not see them.

An entry of a table is a code, a sentence and the value that comes out. Each function here is the
`named` of a `ValueRubric`.

Shapes: N examples, D features, C classes, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from cs231n_helpers.doctor.mistakes import FACTORS, MISTAKES
from cs231n_helpers.exercises.compare import Array, near
from cs231n_helpers.exercises.explain import model_of, penalty_value
from cs231n_helpers.exercises.student_function import Feedback

from .hidden_data import forward

Known = tuple[str, str, Callable[[Any], Any]]


def _first(mistakes: Iterable[Known], given: Any, right: Any, plus: float = 0.0) -> Feedback | None:
    """The first mistake that gives this value; it is computed from the right terms."""
    for code, text, value in mistakes:
        if near(np.asarray(given, dtype=np.float64), value(right) + plus):
            return Feedback(text, (code,))
    return None


# ---- losses: p has the terms of the right loss, S (N, C) scores and T (N, C) one-hot labels ----


def _margins(p: Any, *, over: Any = None, labels: Any = None) -> Any:
    """Margins over the classes where `over` is not 0, and to the scores at `labels`."""
    S, y = p.S, p.y if labels is None else labels
    margins = np.maximum(0, S - np.take_along_axis(S, y[:, np.newaxis], axis=1) + p.delta_margin)
    return margins * (1 - p.T if over is None else over)


def _first_label(p: Any) -> Any:
    return np.full_like(p.y, p.y[0])


HINGE: list[Known] = [
    ("loss_offset", "The loss is off by delta: the correct class is counted too; leave j = y_i out "
     "of the sum.", lambda p: _margins(p, over=1).sum() / p.N),
    ("onehot_indexing", "The label of the first example is used for every example: index with "
     "y[i], or with [np.arange(N), y].", lambda p: _margins(
         p, over=np.arange(p.C) != p.y[0], labels=_first_label(p)).sum() / p.N),
    ("onehot_indexing", "The score of the first example's label is used for every example: "
     "compare with s[y[i]].", lambda p: _margins(p, labels=_first_label(p)).sum() / p.N),
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
