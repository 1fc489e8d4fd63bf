"""What is wrong with the loss itself: another function, another value, or one that overflows.

`WRONG_LOSSES` declares the known wrong losses: the gradient is the right one of a textbook's loss,
but the learner's loss is another function, given by its formula in the terms of `backward.TERMS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import log_softmax

from ..gradient_check import eval_numerical_gradient
from .backward import OUTPUT_LOSSES, Array, Formula, Model
from .codes import Code
from .explain import examples_left_out
from .guarded import Guard
from .identify import Block, Match, Measurement, close, models
from .layouts import ParameterLayout
from .mistakes import LABELED, WRONG_TARGETS
from .report import Finding, capitalized

OVERFLOW = (
    "Adding the same number, some thousands, to all scores of an example must change nothing, but "
    "here it gives {seen}: exp overflows or vanishes. Subtract each row's own maximum first, "
    "scores - scores.max(axis=1, keepdims=True)."
)
AGREE = "Loss and gradient agree, but"


@dataclass(frozen=True)
class WrongLoss:
    """A loss that is another function than the one whose gradient is returned."""

    output_loss: str
    loss: Formula
    message: str
    code: Code = Code.LOSS_WRONG_GRAD_OF_OTHER
    always: bool = False  # a mistake also where the gradient agrees with it


def _with_targets(loss: Formula, targets: Formula) -> Formula:
    return lambda p: loss(p.but(T=targets(p)))


WRONG_LOSSES = [
    WrongLoss("softmax", lambda p: (np.log(p.E.sum(axis=1)) - (p.S * p.T).sum(axis=1)).mean(),
              "the loss takes the sum of the shifted scores and the correct score unshifted: shift "
              "both, or neither", Code.MAX_SHIFT_INCONSISTENT),
    WrongLoss("softmax", lambda p: (np.log(np.exp(p.S).sum(axis=1)) - (p.S * p.T).sum(axis=1)
                                    + p.S.max(axis=1)).mean(),
              "the loss takes the correct score shifted and the sum of the raw scores: shift both, "
              "or neither", Code.MAX_SHIFT_INCONSISTENT),
    WrongLoss("softmax",
              lambda p: -(p.T * log_softmax(p.S - p.S.max(axis=0), axis=1)).sum() / p.N,
              "the largest score of each column is subtracted: subtract that of each row, axis 1, "
              "with keepdims=True", Code.NORMALIZE_AXIS, always=True),
    *[WrongLoss("softmax", loss, "the loss normalizes over the examples: sum over axis 1, the "
                "classes", Code.NORMALIZE_AXIS, always=True) for loss in (
        lambda p: -np.log((p.T * (p.E / p.E.sum(axis=0))).sum(axis=1)).mean(),
        lambda p: -np.log((p.T * (np.exp(p.S) / np.exp(p.S).sum(axis=0))).sum(axis=1)).mean())],
    *[WrongLoss("softmax", loss, "the loss normalizes over the whole matrix: sum over axis 1, the "
                "classes", Code.NORMALIZE_AXIS, always=True) for loss in (
        lambda p: np.log(np.exp(p.S).sum()) - (p.S * p.T).sum() / p.N,
        lambda p: -np.log((p.T * p.E / p.E.sum()).sum(axis=1)).mean())],
    *[WrongLoss(name, _with_targets(OUTPUT_LOSSES[name].loss, wrong), message,
                Code.ONEHOT_INDEXING, always=True)
      for name in LABELED for message, wrong in WRONG_TARGETS],
    WrongLoss("softmax", lambda p: -(np.log(p.P) * p.T.sum(axis=0)).sum() / p.N,
              "`P[:, y]` takes whole columns in the loss: use P[np.arange(N), y]",
              Code.ONEHOT_INDEXING, always=True),
    WrongLoss("hinge", lambda p: (p.margins * ~p.T.any(axis=0)).sum() / p.N,
              "`margins[:, y] = 0` sets whole columns to 0, one for each class that occurs: use "
              "margins[np.arange(N), y] = 0", Code.ONEHOT_INDEXING, always=True),
    WrongLoss("softmax",
              lambda p: (np.log1p(np.exp(p.S).sum(axis=1)) - (p.S * p.T).sum(axis=1)).mean(),
              "the sum of exponentials starts at 1 (log(C + 1) at W = 0 instead of log C): start "
              "it at 0", Code.LOSS_VALUE, always=True),
    WrongLoss("softmax", lambda p: -(p.T * p.P).sum() / p.N,
              "the logarithm is missing in the loss: it is -log(p_y)"),
    WrongLoss("softmax", lambda p: -np.log(p.P.max(axis=1)).mean(),
              "the loss takes the largest probability: that of the correct class counts",
              always=True),
    WrongLoss("softmax", lambda p: -np.log(p.P[:, p.y[0]]).mean(),
              "the loss takes the first example's label for every example: use P[np.arange(N), y]",
              always=True),
    WrongLoss("softmax", lambda p: -np.log(p.P).sum() / p.N,
              "the loss sums -log p over all classes: only the correct class counts", always=True),
    WrongLoss("softmax", lambda p: -(p.T * np.log(p.P) + (1 - p.T) * np.log(1 - p.P)).sum() / p.N,
              "the loss is the binary cross-entropy of each class: softmax needs -log p_y only",
              always=True),
    WrongLoss("softmax", lambda p: -(p.T * log_softmax(np.maximum(p.S, 0), axis=1)).sum() / p.N,
              "the forward pass clips the scores with a ReLU: leave them as they are",
              Code.ACTIVATION_MISMATCH, always=True),
    WrongLoss("softmax", lambda p: -(p.T * log_softmax(np.tanh(p.S), axis=1)).sum() / p.N,
              "the forward pass sends the scores through a tanh: leave them as they are",
              Code.ACTIVATION_MISMATCH, always=True),
    WrongLoss("softmax", lambda p: -(p.T * log_softmax(p.Q, axis=1)).sum() / p.N,
              "the forward pass sends the scores through a sigmoid: leave them as they are",
              Code.ACTIVATION_MISMATCH, always=True),
    *[WrongLoss("hinge", loss, "the loss is not clipped at 0: use max(0, margin)", always=True)
      for loss in (lambda p: (p.gap + p.delta_margin).sum() / p.N,
                   lambda p: ((p.gap + p.delta_margin) * (1 - p.T)).sum() / p.N)],
    WrongLoss("hinge", lambda p: (np.maximum(0, p.gap) * (1 - p.T)).sum() / p.N,
              "delta stands outside the max, or is missing in the loss: max(0, s_j - s_y + delta)"),
    WrongLoss("hinge", lambda p: (np.maximum(0, p.gap - p.delta_margin) * (1 - p.T)).sum() / p.N,
              "the loss subtracts delta: the margin is s_j - s_y + delta", always=True),
    WrongLoss("hinge", lambda p: (np.maximum(0, p.delta_margin - p.gap) * (1 - p.T)).sum() / p.N,
              "the two scores are exchanged: the margin is s_j - s_y + delta", always=True),
    WrongLoss("hinge", lambda p: np.maximum(0, p.S - p.S[:, [p.y[0]]] + 1).sum() / p.N,
              "the loss takes the first example's label for every example: index with y",
              always=True),
    WrongLoss("squared error", lambda p: np.abs(p.R).sum() / p.N,
              "the loss is the absolute error, the gradient that of the squared error"),
    WrongLoss("squared error", lambda p: p.R.sum() ** 2 / p.N,
              "the loss squares the sum of the residuals: sum their squares"),
    WrongLoss("squared error", lambda p: np.sqrt((p.R**2).sum(axis=1)).mean(),
              "the loss is the mean length of the residual, without the square"),
    WrongLoss("squared error", lambda p: (p.R**3).sum() / p.N,
              "the loss is the cube of the residuals"),
    WrongLoss("squared error", lambda p: (p.R**4).sum() / p.N,
              "the loss is the fourth power of the residuals"),
    WrongLoss("logistic", lambda p: -(p.T * np.log(p.Q)).sum() / p.N,
              "the loss lacks its second half, (1 - t) log(1 - a)"),
    WrongLoss("logistic", lambda p: -((1 - p.T) * np.log(1 - p.Q)).sum() / p.N,
              "the loss lacks its first half, t log(a)"),
    WrongLoss("logistic", lambda p: -(p.T * np.log(p.Q) - (1 - p.T) * np.log(1 - p.Q)).sum() / p.N,
              "the two halves of the loss have opposite signs: t log(a) + (1 - t) log(1 - a)",
              always=True),
]  # fmt: skip


# ---- another function ----


def loss_beside(match: Match) -> Finding:
    """Find out which loss stands beside an analytic gradient that is this textbook model's."""
    model, every = match.model, range(len(match.blocks))
    if message := examples_left_out(model, match.blocks, every, "numerical"):
        return Finding(Code.EXAMPLE_DROPPED, f"In the loss, {message}.")
    entries = (e for e in WRONG_LOSSES if e.output_loss == model.output_loss.name)
    entry = next((e for e in entries if _has_gradient(match.blocks, model, e)), None)
    if entry is not None:
        code, title, message = entry.code, model.output_loss.title, entry.message
    else:
        code, title = Code.LOSS_WRONG_GRAD_OF_OTHER, str(model)
        message = (
            "the loss is another function: compare the loss with its formula, term by term, and "
            "see whether the gradient lacks a term of it"
        )
    return Finding(
        code, f"The gradient is that of the {title}, but {message}.",
        loss_name=title, loss_message=capitalized(f"{message}."),
    )  # fmt: skip


def known_wrong_loss(
    measurement: Measurement, gradient_is_wrong: bool
) -> tuple[Finding, Sequence[Block]] | None:
    """Find the known wrong loss, where neither loss nor gradient is a textbook's."""
    texts = {text for text, _ in WRONG_TARGETS} if measurement.problem.labels_lack_0 else ()
    entries = [entry for entry in WRONG_LOSSES if entry.message not in texts]
    for layout in measurement.problem.layouts:
        blocks = measurement.blocks(layout)
        for model in models(measurement, layout):
            for entry in entries:
                if (
                    entry.output_loss == model.output_loss.name
                    and (gradient_is_wrong or entry.always)
                    and _has_value(measurement, model, layout, entry)
                    and _has_gradient(blocks, model, entry)
                ):
                    code, about_loss = entry.code, capitalized(f"{entry.message}.")
                    message = about_loss
                    if not gradient_is_wrong:
                        code, message = Code.LOSS_VALUE, f"{AGREE} {entry.message}."
                    return Finding(code, message, loss_message=about_loss), blocks
    return None


def _has_value(
    measurement: Measurement, model: Model, layout: ParameterLayout, entry: WrongLoss
) -> bool:
    """Tell whether the loss is a multiple of this wrong one at a few points: a quick test."""
    if measurement.penalty_is_inside:
        return len(measurement.problem.layouts) < 3  # a penalty may be in the value
    ratios = []
    for at in measurement.nearby:
        layers, X = measurement.unpack(layout, at.x)
        with np.errstate(all="ignore"):
            value = float(entry.loss(replace(model, layers=layers, X=X).terms_of_scores()))
        ratios.append(at.value / value if value else np.nan)
    return bool(np.ptp(ratios) <= measurement.exact * abs(ratios[0]))


def _has_gradient(blocks: Sequence[Block], model: Model, entry: WrongLoss) -> bool:
    """Tell whether the numerical gradient is a multiple of that of this wrong loss."""

    def value(S: Any) -> float:
        return float(entry.loss(model.terms_of_scores(S)))

    def fits(block: Block, array: Array) -> bool:
        fit = block.fit(block.numerical, array)
        if fit is None or abs(fit[0]) < 1e-9:  # no multiple of it, or a penalty and nothing else
            return block.is_zero(block.numerical)
        return True

    with np.errstate(all="ignore"):
        scores, last = model.forward()[0][-1].copy(), blocks[-1]
        if model.layers[-1][1] is not None:  # biases shift whole columns: few slopes, tried first
            shifts = eval_numerical_gradient(
                lambda b: value(scores + b), np.zeros(scores.shape[1]), h=1e-6
            )
            if not fits(last, np.reshape(shifts, last.numerical.shape)):
                return False
        predicted = model.gradients(eval_numerical_gradient(value, scores, h=1e-6))
    return all(map(fits, blocks, predicted))


# ---- another value ----


def value_findings(measurement: Measurement, match: Match) -> Iterator[Finding]:
    """Compare the loss itself, which no derivative shows, with the textbook's."""
    model, name = match.model, match.model.output_loss.name
    hinge = "hinge" in name
    if measurement.penalty_is_inside or not (hinge or name == "softmax"):
        return  # elsewhere a constant is a matter of taste
    if hinge:
        model = _with_its_margin(measurement, match)
    expected = match.factor * model.loss()
    offset = measurement.at.value - expected
    code = Code.LOSS_VALUE
    if abs(offset) > 1e-4 * max(abs(expected), abs(measurement.at.value)):
        off = "the loss is off by a constant: compare with the known value at W = 0."
        if hinge:
            code = Code.LOSS_OFFSET
            off = (
                "the loss is off by delta: the correct class is counted too; leave j = y_i out of "
                "the sum."
            )
        yield Finding(
            code, f"The gradient is right but {off}", evidence={"offset": offset},
            loss_message=capitalized(off),
        )  # fmt: skip
    elif hinge and model.delta_margin == 0:
        yield Finding(
            code, f"{AGREE} the margin delta is missing in both: at W = 0 the loss is 0 and must "
            "be C - 1. Use max(0, s_j - s_y + 1).",
        )  # fmt: skip
    elif name not in ("softmax", "hinge"):
        return
    elif close(match.factor, 1 / measurement.classes):
        yield Finding(
            code, f"{AGREE} np.mean runs over the classes as well: at W = 0 the loss is C times "
            "too small. Sum over the classes, and divide by N.",
        )  # fmt: skip
    elif len(model.T) > 1 and close(match.factor, len(model.T)):
        yield Finding(
            code, f"{AGREE} both are sums over the examples where the assignment asks for the mean "
            "(at W = 0 the loss is N times log C or C - 1): divide both by N, or the learning rate "
            "depends on the size of the batch.", caution=True,
        )  # fmt: skip


def _with_its_margin(measurement: Measurement, match: Match) -> Model:
    """Of the margins with the same slopes here, the one that explains the value, if any does.

    Where every class is active, any margin and any offset would: there the first is kept.
    """
    model = match.model
    active = model.terms_of_scores().active
    if active.sum() == active.size - len(active):
        return model
    for margin in measurement.margins:
        other = replace(model, delta_margin=margin)
        slopes = zip(other.gradients(), model.gradients(), strict=True)
        alike = all(np.allclose(a, b) for a, b in slopes)
        if alike and close(match.factor * other.loss(), measurement.at.value):
            return other
    return model


# ---- a value that overflows ----


def epsilon(guard: Guard | str) -> Finding:
    """The loss takes the log of a probability with eps beside it."""
    message = (
        f"The loss takes {guard}, so P - onehot(y) is only nearly its gradient{{here}}. Without "
        "eps: subtract the maximum from the scores and use log(sum(exp)); for a sigmoid use "
        "np.logaddexp."
    )
    return Finding(Code.EPS_IN_LOG, message.format(here=""), template=message, caution=True)


def overflow_findings(
    measurement: Measurement, match: Match, may_be_guarded: bool
) -> Iterator[Finding]:
    """Shift the scores of each example by some thousands: softmax must not notice.

    A sigmoid does notice, but its cross-entropy need not be infinite.
    """
    problem, name = measurement.problem, match.model.output_loss.name
    if name not in ("softmax", "logistic") or problem.by_input:
        return
    far = measurement.evaluate(1e4 * measurement.at.x).value  # some probabilities are 0 there
    if may_be_guarded and np.isfinite(far) and far < 100 * max(match.factor, 1e-3):
        yield epsilon("some log(p + eps)")
    shifted = measurement.evaluate(_shifted(measurement, match.layout))
    change = abs(shifted.value - measurement.at.value)
    apart = not measurement.penalty_is_inside  # no penalty in the value
    if name == "logistic":
        if not shifted.finite:
            message = (
                "With scores of some thousands the loss is nan or infinite: log meets 0 where a "
                "sigmoid saturates. np.logaddexp(0, z) - t * z is the same cross-entropy without "
                "that."
            )
            yield Finding(Code.OVERFLOW, message, caution=True)
    elif not shifted.finite or (apart and change > 1e-3 * abs(measurement.at.value)):
        seen = "nan or infinity" if not shifted.finite else "another loss"
        yield Finding(Code.OVERFLOW, OVERFLOW.format(seen=seen), evidence={"change": change})


def _shifted(measurement: Measurement, layout: ParameterLayout) -> Array:
    """Parameters that shift all scores of an example by the same large number."""
    problem, rng = measurement.problem, np.random.RandomState(7)
    x = measurement.at.x.copy()
    arrays = problem.arrays(x)  # views of x
    if problem.of_scores:
        scores = next(iter(arrays.values()))
        scores += 1500 * rng.uniform(-2, 2, (len(scores), 1))
    else:
        W, b = layout.unpack(arrays)[-1]
        W += 1500 * rng.standard_normal((len(W), 1))
        if b is not None:
            b += 700
    return x
