"""The known mistakes, each declared in one entry.

There are three kinds here; `penalty` has those of the penalty, `wrong_losses` the wrong losses.

`Mistake`
    A term of the backward pass computed wrongly (see `backward.TERMS`). The entry says which
    term, what the wrong formula is, and what to change. The checker runs the whole backward pass
    with that one term replaced; where the learner's gradient equals the result, that is it.
`Factor`
    The gradient is the right one times a number.
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
class LocalError:
    """One wrong entry, row or column (`axis`) of an array, or, `all_but`, all but one of them."""

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
