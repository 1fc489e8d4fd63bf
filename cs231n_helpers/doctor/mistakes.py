"""The known mistakes, each declared in one entry.

There are four kinds, for the places where a mistake can sit (wrong losses have
a file of their own, `wrong_losses`):

`Mistake`
    A term of the backward pass computed wrongly (see `backward.TERMS`). The entry says which
    term, what the wrong formula is, and what to change. The checker runs the whole backward pass
    with that one term replaced; where the learner's gradient equals the result, that is it.
`Factor`
    The gradient is the right one times a number.
`Penalty`
    The gradient of the penalty is not that of the penalty in the loss.
`LocalError`
    The gradient is wrong in one entry, row or column only.

To add a mistake of your class, add an entry. For example, learners who shift the one-hot labels by
one class write::

    MISTAKES.append(Mistake(
        Code.ONEHOT_INDEXING, "dscores", lambda p: (p.P - np.roll(p.T, 1, axis=1)) / p.N,
        "the one-hot labels are shifted by one class: subtract 1 at column y_i", ("softmax",),
    ))

Nothing else is needed: the entry is tried on linear classifiers, on losses of scores and on nets.
The codes are a vocabulary for graders and tests; a new mistake may bring a code of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from .backward import LEAKS, Formula, one_per_row
from .codes import Code


@dataclass(frozen=True)
class Mistake:
    """A term of the backward pass computed wrongly.

    Attributes
    ----------
    code : Code
    term : str
        Name of the term that is wrong.
    wrong : callable
        Takes the terms, returns what the learner computed instead.
    message : str
        What was seen and what to change: completes "your gradient is what comes out when ...".
    when : tuple of str
        Output losses or activations that it is tried with; empty: all.
    """

    code: Code
    term: str
    wrong: Formula
    message: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Factor:
    """A number that the right gradient is multiplied by; `value` takes N and C."""

    code: Code
    value: Callable[[int, int], float]
    message: str


@dataclass(frozen=True)
class Penalty:
    """A wrong gradient of the penalty: `seen` takes an `identify.Penalised`."""

    code: Code
    seen: Callable[[Any], bool]
    message: str


@dataclass(frozen=True)
class LocalError:
    """A part of an array: `lines` is its axis, `all_but` whether it is all but one of them."""

    code: Code
    axis: str  # "entry", "row" or "column"
    all_but: bool
    message: str


HINGE = ("hinge", "squared hinge")
KINKED = ("ReLU", *(f"leaky ReLU ({k})" for k in LEAKS))
SMOOTH = ("sigmoid", "tanh", "softplus")


def without_class(c: int) -> Formula:
    """Active classes as a loop over the classes sees them that leaves out class c."""
    return lambda p: p.active * (np.arange(p.C) != c % p.C)


def leaky_slope(k: float) -> Formula:
    """Slope of a leaky ReLU."""
    return lambda p: np.where(p.z_in > 0, 1.0, k)


def last_of_class(p: Any) -> Any:
    """One-hot labels of the last example of each class; what `A[y] = b` leaves of repeated y."""
    later = np.cumsum(p.T[::-1], axis=0)[::-1]
    return p.T * (later == 1)


MISTAKES = [
    # --- softmax: dscores = (P - T) / N
    Mistake(Code.MISSING_ONEHOT, "dscores", lambda p: p.P / p.N,
            "the 1 at the correct class is never subtracted: use P - onehot(y), "
            "for example `P[np.arange(N), y] -= 1`", ("softmax",)),
    Mistake(Code.ONEHOT_SIGN, "dscores", lambda p: (p.P + p.T) / p.N,
            "the one-hot labels are added instead of subtracted: use P - onehot(y)", ("softmax",)),
    Mistake(Code.MISSING_PROBS, "dscores", lambda p: -p.T / p.N,
            "the probabilities are left out and only -onehot(y) is kept: use P - onehot(y)",
            ("softmax",)),
    Mistake(Code.MISSING_OTHER_CLASSES, "dscores", lambda p: (p.P - 1) * p.T / p.N,
            "only the column of the correct class is filled: the others get p_ij x_i, because "
            "raising any score raises the sum in the denominator", ("softmax",)),
    Mistake(Code.MISSING_CORRECT_CLASS, "dscores", lambda p: p.P * (1 - p.T) / p.N,
            "the column of the correct class gets nothing: there it must be P - 1", ("softmax",)),
    Mistake(Code.ONEHOT_INDEXING, "dscores",
            lambda p: (p.P - p.T.any(axis=0)) / p.N,
            "`P[:, y] -= 1` subtracts 1 from whole columns: use P[np.arange(N), y] -= 1",
            ("softmax",)),
    Mistake(Code.ONEHOT_INDEXING, "dscores",
            lambda p: (p.P - one_per_row(np.roll(p.y, 1), p.C)) / p.N,
            "the labels belong to other rows than the probabilities: keep y in the order of X",
            ("softmax",)),
    Mistake(Code.ONEHOT_INDEXING, "dscores",
            lambda p: (p.P - one_per_row(np.full(p.N, p.y[0]), p.C)) / p.N,
            "the label of the first example is used for every example: index with y[i], or "
            "with [np.arange(N), y]", ("softmax",)),
    Mistake(Code.ONEHOT_INDEXING, "dscores",
            lambda p: (p.P - one_per_row(p.S.argmax(axis=1), p.C)) / p.N,
            "1 is subtracted at the class with the largest score, not at the correct one: "
            "index with y", ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P", lambda p: p.E / p.E.sum(axis=0, keepdims=True),
            "the probabilities are normalised over the examples: sum over axis 1, the classes, so "
            "that each row adds up to 1", ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P",
            lambda p: np.exp(p.S) / np.exp(p.S).sum(axis=0, keepdims=True),
            "the probabilities are normalised over the examples: sum over axis 1, the classes, so "
            "that each row adds up to 1", ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P", lambda p: p.E / p.E.sum(),
            "the probabilities are normalised over the whole matrix: sum over axis 1, the classes, "
            "so that each row adds up to 1", ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P", lambda p: np.exp(p.S) / np.exp(p.S).sum(),
            "the probabilities are normalised over the whole matrix: sum over axis 1, the classes, "
            "so that each row adds up to 1", ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P", lambda p: p.E,
            "exp(scores) is used where the probabilities belong: divide each row by its sum",
            ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P", lambda p: np.exp(p.S),
            "exp(scores) is used where the probabilities belong: divide each row by its sum",
            ("softmax",)),
    Mistake(Code.NORMALIZE_AXIS, "P", lambda p: p.S,
            "the scores are used where the probabilities belong: take exp and divide each row by "
            "its sum", ("softmax",)),
    Mistake(Code.STOPS_AT_PROBS, "dscores", lambda p: -p.T / p.P / p.N,
            "this is dL/dp, the gradient with respect to the probabilities: go on through the "
            "softmax, which leaves P - onehot(y)", ("softmax",)),
    Mistake(Code.EXTRA_ACTIVATION_DERIVATIVE, "dscores",
            lambda p: (p.P - p.T) * p.P * (1 - p.P) / p.N,
            "P - onehot(y) is multiplied by p (1 - p) again: the derivative of the softmax is "
            "already in it", ("softmax",)),
    # --- sigmoid outputs and squared error
    Mistake(Code.EXTRA_ACTIVATION_DERIVATIVE, "dscores",
            lambda p: (p.Q - p.T) * p.Q * (1 - p.Q) / p.N,
            "a - t is multiplied by a (1 - a): with cross-entropy the derivative of the sigmoid "
            "has cancelled already, use a - t", ("logistic",)),
    Mistake(Code.ACTIVATION_DERIVATIVE_MISSING, "dscores", lambda p: 2 * (p.Q - p.T) / p.N,
            "the derivative a (1 - a) of the output's sigmoid is missing: with squared error it "
            "does not cancel", ("logistic squared",)),
    Mistake(Code.ACTIVATION_DERIVATIVE_MISSING, "dscores", lambda p: 2 * (np.tanh(p.S) - p.T) / p.N,
            "the derivative 1 - a**2 of the output's tanh is missing: with squared error it does "
            "not cancel", ("tanh squared",)),
    Mistake(Code.ACTIVATION_DERIVATIVE_MISSING, "dscores", lambda p: 2 * (p.P - p.T) / p.N,
            "the derivative of the softmax is missing: with squared error it does not cancel",
            ("softmax squared",)),
    Mistake(Code.SOFTMAX_JACOBIAN_DIAGONAL, "dscores",
            lambda p: 2 * (p.P - p.T) * p.P * (1 - p.P) / p.N,
            "only the diagonal p (1 - p) of the softmax derivative is used: off the diagonal it is "
            "-p_i p_j", ("softmax squared",)),
    Mistake(Code.ACTIVATION_DERIVATIVE_INPUT, "dscores",
            lambda p: 2 * (p.Q - p.T) * p.S * (1 - p.S) / p.N,
            "a (1 - a) is evaluated at the scores z: put a = sigmoid(z) in", ("logistic squared",)),
    Mistake(Code.DOUBLE_ACTIVATION, "dscores",
            lambda p: 2 * (p.Q - p.T) * expit(p.Q) * (1 - expit(p.Q)) / p.N,
            "the sigmoid is applied twice: the helper that returns its derivative wants z, and "
            "gets a = sigmoid(z)", ("logistic squared",)),
    Mistake(Code.MISSING_ONEHOT, "dscores", lambda p: p.Q / p.N,
            "the targets are never subtracted: use a - t", ("logistic",)),
    Mistake(Code.MISSING_ONEHOT, "dscores", lambda p: 2 * p.S / p.N,
            "the targets are never subtracted: use prediction - target", ("squared error",)),
    Mistake(Code.ONEHOT_SIGN, "dscores", lambda p: (p.Q + p.T) / p.N,
            "the targets are added: use a - t", ("logistic",)),
    Mistake(Code.MISSING_PROBS, "dscores", lambda p: -p.T / p.N,
            "the outputs are left out and only -t is kept: use a - t", ("logistic",)),
    Mistake(Code.ACTIVATION_MISMATCH, "dscores", lambda p: (p.S - p.T) / p.N,
            "the scores are used where their sigmoid belongs: use sigmoid(z) - t", ("logistic",)),
    Mistake(Code.MISSING_INPUT_FACTOR, "dW",
            lambda p: np.broadcast_to(p.delta.mean(axis=0), p.W.shape),
            "every weight gets the mean residual: multiply each residual by its x, X.T @ residual"),
    Mistake(Code.MISSING_INPUT_FACTOR, "dW",
            lambda p: np.broadcast_to(p.delta.sum(axis=0), p.W.shape),
            "the input is left out: multiply the signal of each example by its x, X.T @ delta"),
    # --- hinge: dscores = (active - T * count) / N
    Mistake(Code.MISSING_CORRECT_CLASS, "dscores", lambda p: p.active / p.N,
            "the column of the correct class is never updated: subtract x_i from it once for each "
            "class that violates the margin", ("hinge",)),
    Mistake(Code.MISSING_OTHER_CLASSES, "dscores", lambda p: -p.T * p.count / p.N,
            "only the column of the correct class is updated: add x_i to the column of each class "
            "that violates the margin", ("hinge",)),
    Mistake(Code.CORRECT_CLASS_SIGN, "dscores", lambda p: (p.active + p.T * p.count) / p.N,
            "the column of the correct class gets +x_i: raising that score lowers the loss, so it "
            "needs a minus", ("hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "count", lambda p: (p.count > 0).astype(float),
            "x_i is subtracted from column y_i once for each example: subtract it once for each "
            "class that violates the margin", ("hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "count", lambda p: np.ones_like(p.count),
            "x_i is subtracted from column y_i exactly once, whatever the margins: subtract it "
            "once for each class that violates the margin", ("hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "count", lambda p: p.count + 1,
            "the correct class is counted among those that violate the margin: leave j = y_i out",
            ("hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "count", lambda p: p.count - 1,
            "x_i is subtracted from column y_i once too few: subtract it once for each class that "
            "violates the margin", ("hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "count", lambda p: np.full_like(p.count, p.C - 1.0),
            "x_i is subtracted from column y_i for every other class: only those that violate the "
            "margin count", ("hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "count", lambda p: np.full_like(p.count, float(p.C)),
            "x_i is subtracted from column y_i for every class: only those that violate the "
            "margin count", ("hinge",)),
    Mistake(Code.MASK_NOT_BINARY, "dscores",
            lambda p: (p.margins - p.T * p.margins.sum(axis=1, keepdims=True)) / p.N,
            "the margins themselves stand where a 0/1 mask belongs: use margins > 0", ("hinge",)),
    Mistake(Code.MASK_NOT_BINARY, "active", lambda p: p.margins,
            "the margins themselves stand where a 0/1 mask belongs: use margins > 0", ("hinge",)),
    Mistake(Code.MASK_NOT_BINARY, "dscores", lambda p: (p.margins - p.T * p.count) / p.N,
            "the margins themselves stand where a 0/1 mask belongs: use margins > 0", ("hinge",)),
    Mistake(Code.MASK_NOT_BINARY, "dscores",
            lambda p: (p.active - p.T * p.margins.sum(axis=1, keepdims=True)) / p.N,
            "column y_i gets the sum of the margins: it needs their number, (margins > 0).sum()",
            ("hinge",)),
    Mistake(Code.MASK_NOT_BINARY, "dscores",
            lambda p: 2 * (p.active - p.T * p.count) / p.N,
            "the margins are missing: the derivative of margin**2 is 2 * margin, not 2",
            ("squared hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "dscores",
            lambda p: 2 * (p.margins - p.T * p.margins.max(axis=1, keepdims=True)) / p.N,
            "column y_i gets the largest margin: for the squared hinge it needs their sum",
            ("squared hinge",)),
    Mistake(Code.MISSING_CORRECT_CLASS, "dscores", lambda p: 2 * p.margins / p.N,
            "the column of the correct class is never updated: subtract the sum of the margins "
            "from it", ("squared hinge",)),
    Mistake(Code.CORRECT_CLASS_SIGN, "dscores",
            lambda p: 2 * (p.margins + p.T * p.margins.sum(axis=1, keepdims=True)) / p.N,
            "the column of the correct class needs a minus", ("squared hinge",)),
    Mistake(Code.CORRECT_CLASS_COUNT, "dscores", lambda p: 2 * (p.margins - p.T * p.count) / p.N,
            "column y_i gets the number of margins: for the squared hinge it needs their sum",
            ("squared hinge",)),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: 1 - p.T,
            "every class counts as violating the margin: the mask must be margins > 0, and after "
            "the clipping >= 0 is always true", HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: np.ones_like(p.T),
            "every class counts as violating the margin, the correct one too: the mask must be "
            "margins > 0", HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: (p.gap > 0).astype(float),
            "the gradient tests s_j > s_y and the loss s_j - s_y + delta > 0: use the same margins "
            "for both", HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: (p.gap > p.delta_margin).astype(float),
            "the gradient tests s_j - s_y - delta > 0 and the loss s_j - s_y + delta > 0: use the "
            "same margins for both", HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active",
            lambda p: (p.gap + 1 > 0) * (1 - p.T) if p.delta_margin != 1 else p.gap * np.nan,
            "the gradient tests the margin 1 and the loss another one: use the same delta for both",
            HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: (p.S > 0).astype(float),
            "the mask is scores > 0: it must be margins > 0", HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: (p.margins > 1).astype(float),
            "the mask is margins > 1: delta is in the margins already, so it must be margins > 0",
            HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active", lambda p: (p.margins == 0) * (1 - p.T),
            "the mask is the wrong way round: classes with margin 0 add nothing, the others do",
            HINGE),
    Mistake(Code.HINGE_MASK_WRONG, "active",
            lambda p: one_per_row(p.margins.argmax(axis=1), p.C) * (p.margins > 0),
            "only the class with the largest margin is updated: the loss sums over all of them",
            HINGE),
    Mistake(Code.SUM_AXIS_WRONG, "count",
            lambda p: (p.T * p.active.sum(axis=0)).sum(axis=1, keepdims=True),
            "the violations are counted down the columns: count along each row, sum(axis=1)",
            ("hinge",)),
    Mistake(Code.SUM_AXIS_WRONG, "count", lambda p: np.full_like(p.count, p.active.sum()),
            "the violations of all examples are counted together: count along each row, "
            "sum(axis=1)", ("hinge",)),
    Mistake(Code.ONEHOT_INDEXING, "dscores",
            lambda p: (p.active - one_per_row(np.full(p.N, p.y[0]), p.C) * p.count) / p.N,
            "the label of the first example is used for every example: index with y[i]",
            ("hinge",)),
    *[Mistake(Code.SINGLE_CLASS_WRONG, "active", without_class(c),
              "the loop over the classes leaves one out: it must run over all of them, "
              "range(C), except j = y_i", HINGE) for c in (0, -1)],
    # --- the layer's own products
    Mistake(Code.WRONG_INDEX, "dW",
            lambda p: np.where(np.arange(p.delta.shape[1]) < p.N,
                               (p.a[np.arange(p.delta.shape[1]) % p.N]
                                * p.delta.sum(axis=0)[:, None]).T, np.nan),
            "X[j] is used where X[i] belongs: j numbers the classes, i the examples"),
    Mistake(Code.WRONG_INDEX, "dW", lambda p: p.a[: p.C].T * p.active.sum(axis=0) / p.N
            - p.a.T[:, : p.C] @ (p.active.T @ p.T) / p.N,
            "X[j] is used where X[i] belongs: j numbers the classes, i the examples", ("hinge",)),
    Mistake(Code.WRONG_INDEX, "dW", lambda p: p.a[: p.C].T * p.active.sum(axis=0) / p.N
            - p.a.T @ (p.T * p.count) / p.N,
            "X[j] is used where X[i] belongs: j numbers the classes, i the examples", ("hinge",)),
    Mistake(Code.WRONG_INDEX, "dW", lambda p: p.a.T @ p.active / p.N
            - p.a.T[:, : p.C] @ (p.active.T @ p.T) / p.N,
            "X[j] is used where X[i] belongs: j numbers the classes, i the examples", ("hinge",)),
    Mistake(Code.WRONG_INDEX, "dW",
            lambda p: p.a[: p.C].T * p.P.sum(axis=0) / p.N - p.a.T @ p.T / p.N,
            "X[j] is used where X[i] belongs: j numbers the classes, i the examples", ("softmax",)),
    Mistake(Code.WRONG_INDEX, "dW",
            lambda p: p.a.T @ p.P / p.N - p.a[: p.C].T * p.T.sum(axis=0) / p.N,
            "X[j] is used where X[i] belongs: j numbers the classes, i the examples", ("softmax",)),
    Mistake(Code.ONEHOT_INDEXING, "dW",
            lambda p: p.a.T @ p.active / p.N - p.a.T @ (last_of_class(p) * p.count) / p.N,
            "`dW[:, y] -= ...` keeps only the last example of each class: use np.add.at, or the "
            "product with the one-hot labels", ("hinge",)),
    Mistake(Code.ONEHOT_INDEXING, "dW",
            lambda p: p.a.T @ (p.P - last_of_class(p)) / p.N,
            "`dW[:, y] -= ...` keeps only the last example of each class: use np.add.at, or the "
            "product with the one-hot labels", ("softmax",)),
    Mistake(Code.WRONG_INDEX, "dW", lambda p: np.outer(p.a[0], p.delta.sum(axis=0)),
            "the first example's input is used for all: use X[i] in the loop"),
    Mistake(Code.WRONG_INDEX, "dW", lambda p: np.outer(p.a[-1], p.delta.sum(axis=0)),
            "the last example's input is used for all: the line stands outside the loop"),
    Mistake(Code.WRONG_ACTIVATION, "dW", lambda p: p.z_in.T @ p.delta if p.layer else np.nan * p.W,
            "the product uses the pre-activation z: use the hidden layer after its activation, "
            "h.T @ delta"),
    Mistake(Code.WRONG_ACTIVATION, "dW",
            lambda p: p.slope.T @ p.delta if p.layer else np.nan * p.W,
            "the product uses the slope of the activation: use the hidden layer itself, "
            "h.T @ delta"),
    Mistake(Code.BIAS_AXIS, "db", lambda p: np.full(p.delta.shape[1], p.delta.sum()),
            "every bias gets the sum over everything: sum over the examples only, axis=0"),
    Mistake(Code.BIAS_FROM_DW, "db", lambda p: p.dW.sum(axis=0),
            "the column sums of dW stand here: the bias needs the sum of delta over the examples"),
    Mistake(Code.BIAS_AXIS, "db", lambda p: p.delta[0],
            "only the first example is used: sum over the examples, axis=0"),
    Mistake(Code.BIAS_AXIS, "db", lambda p: p.delta[-1],
            "only the last example is used: sum over the examples, axis=0"),
    Mistake(Code.BIAS_AXIS, "db", lambda p: p.delta.max(axis=0),
            "the maximum over the examples is taken: sum over the examples, axis=0"),
    # --- hidden layers: dz = dh * slope
    Mistake(Code.RELU_MASK_MISSING, "slope", lambda p: np.ones_like(p.z_in),
            "the gradient passes the ReLU unchanged: set it to 0 where the hidden unit was off, "
            "`dh[h <= 0] = 0`", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: (p.z_in <= 0).astype(float),
            "the mask is the wrong way round: keep the units with z > 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: p.slope.max() + p.slope.min() - p.slope,
            "the two slopes are exchanged: z > 0 has the slope 1", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: p.a,
            "the signal is multiplied by h instead of by the mask h > 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: p.z_in,
            "the signal is multiplied by z instead of by the mask z > 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: (p.dh > 0).astype(float),
            "the mask is taken from the gradient (dh > 0): it is the unit that is on or off, "
            "so use z > 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: (p.dh < 0).astype(float),
            "the mask is taken from the gradient: it is the unit that is on or off, so use z > 0",
            KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: ((p.z_in > 0) & (p.dh > 0)).astype(float),
            "the ReLU is applied to the gradient as well: use the mask z > 0 alone", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: np.sign(p.z_in),
            "the units that are off get -1: their mask is 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: (p.z_in > 1).astype(float),
            "the mask is z > 1: keep the units with z > 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope", lambda p: (p.z_in > p.z_in.mean()).astype(float),
            "the mask compares with the mean: keep the units with z > 0", KINKED),
    Mistake(Code.RELU_MASK_WRONG, "slope",
            lambda p: (p.z_in - (0 if p.below is None else p.below) > 0).astype(float),
            "the mask is taken before the bias was added: use z = X @ W + b", KINKED),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: p.a * (1 - p.a),
            "the backward pass uses the derivative of a sigmoid, h (1 - h): take the slope of the "
            "activation that the forward pass uses", (*KINKED, "tanh")),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: 1 - p.a**2,
            "the backward pass uses the derivative of a tanh, 1 - h**2: take the slope of the "
            "activation that the forward pass uses", (*KINKED, "sigmoid")),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: expit(p.z_in) * (1 - expit(p.z_in)),
            "the backward pass uses the derivative of a sigmoid: take the slope of the "
            "activation that the forward pass uses", (*KINKED, "tanh", "softplus")),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: 1 - np.tanh(p.z_in) ** 2,
            "the backward pass uses the derivative of a tanh: take the slope of the "
            "activation that the forward pass uses", (*KINKED, "sigmoid", "softplus")),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: (p.z_in > 0).astype(float),
            "the backward pass uses the mask of a ReLU: take the slope of the "
            "activation that the forward pass uses", (*SMOOTH, *KINKED[1:])),
    *[Mistake(Code.ACTIVATION_MISMATCH, "slope", leaky_slope(k),
              f"the backward pass uses the slope {k} of a leaky ReLU: take the slope of the "
            "activation that the forward pass uses", KINKED)
      for k in (*LEAKS, 0.02)],
    Mistake(Code.ACTIVATION_DERIVATIVE_MISSING, "slope", lambda p: np.ones_like(p.z_in),
            "the derivative of the hidden activation is missing: multiply the signal by it",
            SMOOTH),
    Mistake(Code.ACTIVATION_DERIVATIVE_INPUT, "slope", lambda p: p.z_in * (1 - p.z_in),
            "h (1 - h) is evaluated at z: put h = sigmoid(z) in", ("sigmoid",)),
    Mistake(Code.ACTIVATION_DERIVATIVE_INPUT, "slope", lambda p: 1 - p.z_in**2,
            "1 - h**2 is evaluated at z: put h = tanh(z) in", ("tanh",)),
    Mistake(Code.DOUBLE_ACTIVATION, "slope", lambda p: expit(p.a) * (1 - expit(p.a)),
            "the sigmoid is applied twice: the helper that returns its derivative wants z, and "
            "gets h", ("sigmoid",)),
    Mistake(Code.DOUBLE_ACTIVATION, "slope", lambda p: 1 - np.tanh(p.a) ** 2,
            "the tanh is applied twice: the helper that returns its derivative wants z, and gets h",
            ("tanh",)),
    Mistake(Code.ACTIVATION_DERIVATIVE_INPUT, "slope", lambda p: expit(p.a),
            "the slope sigmoid(z) of the softplus is evaluated at h: put z in", ("softplus",)),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: 1 - p.a, "the slope of the activation is "
            "1 - h: for the sigmoid it is h (1 - h), for the tanh 1 - h**2", SMOOTH),
    Mistake(Code.ACTIVATION_MISMATCH, "slope", lambda p: p.a, "the slope of the activation is "
            "taken to be h itself", SMOOTH),
    Mistake(Code.BIAS_ROW_WRONG, "dh",
            lambda p: p.delta @ np.vstack([p.b, p.W])[:-1].T if p.b is not None else np.nan * p.a,
            "the last column of the weights is dropped on the way back: drop the bias column, the "
            "first, Theta[:, 1:]"),
    Mistake(Code.BIAS_ROW_WRONG, "dz",
            lambda p: ((p.delta @ np.vstack([p.b, p.W]).T)
                       * np.hstack([np.ones((p.N, 1)) * p.act_slope(np.ones(1)), p.slope]))[:, :-1]
            if p.b is not None else np.nan * p.a,
            "the last column of delta is dropped: drop the column of the bias, the first"),
    Mistake(Code.BIAS_ROW_WRONG, "dz",
            lambda p: ((p.delta @ np.vstack([p.b, p.W]).T)
                       * np.hstack([np.zeros((p.N, 1)), p.slope]))[:, :-1]
            if p.b is not None else np.nan * p.a,
            "the last column of delta is dropped: drop the column of the bias, the first"),
    # --- an earlier signal used too late, a later one too early
    Mistake(Code.TRANSPOSE, "dh",
            lambda p: (p.W @ p.delta.T).reshape(p.a.shape),
            "W2 @ delta.T is forced into shape with reshape: transpose it, delta @ W2.T"),
    Mistake(Code.TRANSPOSE, "dh",
            lambda p: p.delta @ p.W if p.W.shape[0] == p.W.shape[1] else np.nan * p.a,
            "delta @ W2 lacks a transpose: use delta @ W2.T"),
    Mistake(Code.TRANSPOSE, "dW",
            lambda p: (p.delta.T @ p.a).reshape(p.W.shape),
            "delta.T @ X is forced into shape with reshape: use X.T @ delta"),
]  # fmt: skip


FACTORS = [
    Factor(Code.SIGN, lambda n, c: -1,
           "the sign is wrong: the gradient must point uphill, and the update subtracts it"),
    Factor(Code.SCALE_N, lambda n, c: n,
           "{it} is N times too large: divide by the number of examples, as the loss does"),
    Factor(Code.SCALE_INV_N, lambda n, c: 1 / n,
           "{it} is N times too small: it was divided by N twice, or the loss is a sum where the "
           "gradient is a mean"),
    Factor(Code.SCALE_C, lambda n, c: c,
           "{it} is C times too large: np.mean also averages over the classes; divide loss and "
           "gradient by the same number"),
    Factor(Code.SCALE_C, lambda n, c: 1 / c,
           "{it} is C times too small: divide loss and gradient by the same number"),
    Factor(Code.SCALE_HALF, lambda n, c: 0.5,
           "{it} is half of what it should be: the 2 of the derivative of a square is missing"),
]  # fmt: skip


PENALTIES = [
    Penalty(Code.REG_BIAS, lambda p: p.bias and (p.no_true or p.no_given),
            "The biases are penalised in the {only_in} only: leave them out of the penalty, or put "
            "them into both."),
    Penalty(Code.REG_BIAS, lambda p: p.line is not None and p.line_is_bias and p.proportional,
            "The {line}, that of the biases, is penalised in the {only_in} only: leave it out of "
            "the penalty, or put it into both."),
    Penalty(Code.REG_SLICE_WRONG, lambda p: p.line is not None and p.proportional,
            "The {line} is penalised in the {only_in} only: the slice that leaves out the biases "
            "starts or ends in the wrong place."),
    Penalty(Code.REG_MISSING, lambda p: p.no_given,
            "The gradient of the penalty is missing: for the penalty in the loss, add {right}."),
    Penalty(Code.LOSS_REG_MISSING, lambda p: p.no_true,
            "The gradient has a penalty term and the loss has none: add reg_scale * reg * "
            "np.sum(W * W) to the loss."),
    Penalty(Code.REG_SIGN, lambda p: p.factor_is(-1),
            "The gradient of the penalty has the wrong sign: add it."),
    Penalty(Code.REG_SCALE_N, lambda p: p.factor_is(p.n) or p.factor_is(1 / p.n),
            "The penalty is divided by N in one of loss and gradient only: divide it in both, or "
            "in neither."),
    Penalty(Code.REG_FACTOR_2, lambda p: p.factor is not None,
            "The gradient of the penalty is {factor:.3g} times what it should be: for the penalty "
            "in the loss it is {right} (reg * sum(W**2) gives 2 * reg * W, half of that gives "
            "reg * W)."),
    Penalty(Code.REG_SUM_SCALAR, lambda p: p.constant,
            "One number is added to every entry: the gradient of the penalty is the array {right}, "
            "not a sum over it."),
    Penalty(Code.REG_WRONG_NORM, lambda p: p.given_sign,
            "The gradient is that of the L1 penalty, sign(W), and the loss has the L2 penalty, "
            "sum(W**2), whose gradient is proportional to W."),
    Penalty(Code.REG_WRONG_NORM, lambda p: p.true_sign,
            "The loss has the L1 penalty, sum |W|, whose gradient is proportional to sign(W), and "
            "the gradient is that of an L2 penalty."),
    Penalty(Code.REG_SLICE_WRONG, lambda p: p.other_entries,
            "Loss and gradient leave out different weights of the penalty: use the same slice in "
            "both."),
    Penalty(Code.REG_WRONG_MATRIX, lambda p: True,
            "The gradient of the penalty is built from the wrong array: it must be proportional to "
            "the parameter itself, {right}."),
]  # fmt: skip


LOCAL_ERRORS = [
    LocalError(Code.ENTRY_WRONG, "entry", False,
         "{it} alone is wrong: look for a line that sets one entry"),
    LocalError(Code.LAST_ROW_WRONG, "row", False,
         "{it} alone is wrong: a slice or a loop over the features leaves it out, or treats it "
         "apart"),
    LocalError(Code.SINGLE_CLASS_WRONG, "column", False,
         "{it} alone is wrong: this class is treated differently from the others"),
    LocalError(Code.SINGLE_CLASS_WRONG, "column", True,
         "all others are wrong: a line that belongs into the loop over the classes stands after "
         "it"),
    LocalError(Code.LAST_ROW_WRONG, "row", True,
         "all others are wrong: a line that belongs into the loop stands after it"),
]  # fmt: skip


#: What to say of mistakes that are found by what they do, not by a formula.
MESSAGES = {
    "ignores_argument": "The loss does not change when this parameter changes, yet its gradient is "
    "not 0: the function computes with other values (a global variable, or the object's own "
    "weights), or never adds to the loss. Use the argument that is passed in.",
    "transpose": "These are the right numbers in the wrong places: the gradient was forced into "
    "its shape with reshape. Transpose it, or exchange the factors: X.T @ dscores.",
    "int_truncation": "Every entry is the right one without its decimals: an integer array was "
    "used on the way. Allocate with np.zeros(W.shape).",
    "unroll_order": "These are the right numbers in another order: the parts are joined in another "
    "order than the parameters. Unroll the gradient exactly as the parameters.",
    "flatten_order": "These are the right numbers in another order: the matrices are flattened by "
    "rows in one place and by columns in the other. Use ravel() for both.",
    "grad_zero": "the gradient is never filled in: it is 0 throughout",
    "data_missing": "only the gradient of the penalty is returned: add the part of the data",
    "reg_sum_scalar": "the same number is added to every entry: the gradient of a penalty is the "
    "array reg * W, not a sum over it",
    "unexplained": "no known mistake predicts this gradient: derive this array anew, and check its "
    "pieces one by one, from the scores back",
    "loss_offset": "The gradient is right but the loss is off by {offset:.4g}: the correct class "
    "is counted too; leave j = y_i out of the sum.",
    "loss_value": "The gradient is right but the loss is off by {offset:.4g}: a constant is added; "
    "compare with the known value at W = 0.",
    "no delta": "Loss and gradient agree, but the margin delta is missing in both: at W = 0 the "
    "loss is 0 and must be C - 1. Use max(0, s_j - s_y + 1).",
    "mean over classes": "Loss and gradient agree, but np.mean runs over the classes as well: at "
    "W = 0 the loss is C times too small. Sum over the classes, and divide by N.",
    "sum": "Loss and gradient agree, but both are sums over the examples where the assignment asks "
    "for the mean (at W = 0 the loss is N times log C or C - 1): divide both by N, or the learning "
    "rate depends on the size of the batch.",
    "overflow": "Adding the same number, some thousands, to all scores of an example must change "
    "nothing, but here it gives {seen}: exp overflows or vanishes. Subtract each row's own maximum "
    "first, scores - scores.max(axis=1, keepdims=True).",
    "all zero": "The gradient is 0 throughout: it is never filled in.",
    "factor": "The whole gradient is {factor:.4g} times what the loss says{of}: a factor stands in "
    "one of them and not in the other.",
    "spot": "The gradient is wrong in {place}, and right elsewhere: look at what the code does "
    "differently there.",
    "everywhere": "The gradient is wrong everywhere, and no known mistake explains it: check the "
    "derivation one piece at a time, from the scores back.",
    "nowhere": "The gradient is wrong, and where could not be found out: check the derivation one "
    "piece at a time, from the scores back.",
    "saturated": "With scores of some thousands the loss is nan or infinite: log meets 0 where a "
    "sigmoid saturates. np.logaddexp(0, z) - t * z is the same cross-entropy without that.",
    "nondeterministic": "Two calls with the same arguments differ ({what} {first:.6g}, then "
    "{again:.6g}): the function draws random numbers (a minibatch, dropout, noise) or keeps "
    "something from the call before. Draw outside and pass it in, and start every sum at 0.",
    "overflow here": "The {what} is {value:g} here but {smaller:.4g} with the parameters divided "
    "by 1,000: exp overflows, or log meets 0. Subtract each row's maximum before exp, and take the "
    "log of the sum, not of the quotient.",
    "nan_loss": "The {what} is not finite ({value:g}) although every parameter is harmless: a "
    "logarithm or a division meets a number that is 0 or negative. Check that nothing is "
    "subtracted from the probabilities before the loss is taken (work on a copy).",
    "misfit": "The function runs only where the number of examples, features or classes is the "
    "same{seen}; on other data NumPy refuses. Most likely {cure}.",
    "misfit transpose": "a product lacks a transpose: write the shapes of the factors side by "
    "side, the inner ones must meet",
    "misfit broadcast_shape": "a row stands where a column is needed: keep the axis with "
    "keepdims=True or [:, np.newaxis]",
    "hidden": "no error shows with these parameters and data, but on other data the function is "
    "wrong ({code}): check with reg = 0.1, weights that are not tiny, and different numbers of "
    "examples, features and classes",
    # cautions
    "kink": "These parameters lie exactly on a kink (a margin or a ReLU at 0), where no gradient "
    "exists and any slope between the two sides is right. Close by the gradient is correct. "
    "Random parameters avoid this.",
    "float32": "The parameters are {kinds}; they were raised to float64 for this check.",
    "float32 inside": "The function computes in float32, so errors below {limit} drown in "
    "rounding. Check in float64, train in float32.",
    "integer_params": "The parameters are {kinds}; they were raised to float64 for this check.",
    "zero_weights": "All parameters are 0: every margin is active and every class equally likely, "
    "so masks and penalties cannot be told apart there. The check went to a random second point "
    "too.",
    "equal_sizes": "Your data have {sizes}: a missing transpose or axis goes unnoticed there. "
    "Check with different sizes.",
    "small_penalty": "{reg} = {strength:g} hides mistakes in the penalty from this data: pass "
    "{reg}=0.1 when you check (here it was tried on small data).",
    "other loss": "The gradient is that of the {model}, but the loss is another function: compare "
    "the loss with its formula, term by term, and see whether the gradient lacks a term of it.",
    "eps in log": "The loss stays finite where a probability is 0, so it seems to take "
    "log(p + eps). P - onehot(y) is then only nearly its gradient; subtract the maximum from the "
    "scores and use log(sum(exp)) instead of eps.",
}
