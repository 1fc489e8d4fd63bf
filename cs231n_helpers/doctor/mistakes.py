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

To add a mistake of your class, add an entry. For example, learners who subtract the number of the
class instead of 1 write::

    MISTAKES.append(Mistake(
        Code.ONEHOT_INDEXING, "dscores", lambda p: (p.P - p.T * p.y[:, None]) / p.N,
        "the label itself is subtracted: subtract 1 at column y_i", ("softmax",),
    ))

Nothing else is needed: the entry is tried on linear classifiers, on losses of scores and on nets.
A new mistake may bring a code of its own. Those below that share a term stand together.
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
    """A term of the backward pass computed wrongly."""

    code: Code
    term: str  # the one that is wrong
    wrong: Formula  # what the learner computed instead, from the right terms
    message: str  # completes "your gradient is what comes out when ..."
    when: tuple[str, ...] = ()  # output losses or activations that it is tried with; empty: all


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


SOFTMAX = ("softmax",)
LABELED = ("softmax", "hinge", "squared hinge")
KINKED = ("ReLU", *(f"leaky ReLU ({k})" for k in LEAKS))
SMOOTH = ("sigmoid", "tanh", "softplus")
MARGINS_FOR_MASK = "the margins themselves stand where a 0/1 mask belongs: use margins > 0"
J_FOR_I = "X[j] is used where X[i] belongs: j numbers the classes, i the examples"
COLUMNS = "`A[:, y]` changes whole columns, one for each class that occurs: use A[np.arange(N), y]"
LAST_OF_CLASS = (
    "`dW[:, y] -= ...` keeps only the last example of each class: use np.add.at, or the product "
    "with the one-hot labels"
)


def last_of_class(p: Any) -> Any:
    """One-hot labels of the last example of each class; what `A[y] = b` leaves of repeated y."""
    later = np.cumsum(p.T[::-1], axis=0)[::-1]
    return p.T * (later == 1)


def count_of_last(p: Any) -> Any:
    """For each class, the count of its last example: what `A[:, y] = count` keeps."""
    return (last_of_class(p) * p.count).sum(axis=0)


def labels_moved(by: int, wraps: bool = True) -> Formula:
    """One-hot labels moved by a class; past the end they come in at the other side, or nowhere."""

    def moved(p: Any) -> Any:
        T = np.roll(p.T, by, axis=1)
        T[:, 0 if by > 0 else -1] *= wraps
        return T

    return moved


Y_MINUS_1 = "the labels are shifted by one class: use y, not y - 1, where they begin at 0"
Y_PLUS_1 = "the labels are shifted by one class: use y, not y + 1"
ROWS = "the labels belong to other rows than the scores: keep y in the order of X"
WRONG_TARGETS: list[tuple[str, Formula]] = [  # what stands in place of the right targets
    (Y_MINUS_1, labels_moved(-1)),
    (Y_MINUS_1, labels_moved(-1, wraps=False)),
    (Y_PLUS_1, labels_moved(1)),
    (Y_PLUS_1, labels_moved(1, wraps=False)),
    (ROWS, lambda p: np.roll(p.T, 1, axis=0)),
    (ROWS, lambda p: np.roll(p.T, -1, axis=0)),
    (ROWS, lambda p: p.T[::-1]),
]


def counted_at(targets: Formula) -> Formula:
    """The gradient of the hinge loss, where the count of each row is subtracted elsewhere."""
    return lambda p: (p.active - targets(p) * p.count) / p.N


def in_columns(changed: Formula) -> Formula:
    """The same, where whole columns are changed, one for each class that occurs."""
    return lambda p: np.where(p.T.any(axis=0), changed(p), p.active) / p.N


def without_last_column(p: Any, slope_of_bias: Any) -> Any:
    """Signal below a layer whose biases are the first row of the weights, the wrong end cut off."""
    first = p.delta @ p.b[:, np.newaxis] * slope_of_bias
    return np.hstack([first, p.dh * p.slope])[:, :-1]


def _in_term(
    term: str, when: tuple[str, ...], *entries: tuple[Code, str, *tuple[Formula, ...]]
) -> list[Mistake]:
    """Mistakes in one term; an entry has a code, a message and the formulas that earn it."""
    return [Mistake(code, term, w, text, when) for code, text, *wrong in entries for w in wrong]


MISTAKES = [
    # --- the labels
    *[Mistake(Code.ONEHOT_INDEXING, "T", wrong, text, LABELED) for text, wrong in WRONG_TARGETS],
    *[Mistake(Code.ONEHOT_INDEXING, "dscores", counted_at(wrong), text, ("hinge",))
      for text, wrong in WRONG_TARGETS],
    # --- softmax: dscores = (P - T) / N
    *_in_term(
        "dscores", SOFTMAX,
        (Code.MISSING_ONEHOT, "the 1 at the correct class is never subtracted: use P - onehot(y), "
         "for example `P[np.arange(N), y] -= 1`", lambda p: p.P / p.N),
        (Code.ONEHOT_SIGN, "the one-hot labels are added instead of subtracted: use P - onehot(y)",
         lambda p: (p.P + p.T) / p.N),
        (Code.MISSING_PROBS, "the probabilities are left out and only -onehot(y) is kept: use "
         "P - onehot(y)", lambda p: -p.T / p.N),
        (Code.MISSING_OTHER_CLASSES, "only the column of the correct class is filled: the others "
         "get p_ij x_i, because raising any score raises the sum in the denominator",
         lambda p: (p.P - 1) * p.T / p.N),
        (Code.MISSING_CORRECT_CLASS, "the column of the correct class gets nothing: there it must "
         "be P - 1", lambda p: p.P * (1 - p.T) / p.N),
        (Code.ONEHOT_INDEXING, "`P[:, y] -= 1` subtracts 1 from whole columns: use "
         "P[np.arange(N), y] -= 1", lambda p: (p.P - p.T.any(axis=0)) / p.N),
        (Code.ONEHOT_INDEXING, "the label of the first example is used for every example: index "
         "with y[i], or with [np.arange(N), y]", lambda p: (p.P - p.T[0]) / p.N),
        (Code.ONEHOT_INDEXING, "1 is subtracted at the class with the largest score, not at the "
         "correct one: index with y",
         lambda p: (p.P - one_per_row(p.S.argmax(axis=1), p.C)) / p.N),
        (Code.STOPS_AT_PROBS, "this is dL/dp, the gradient with respect to the probabilities: go "
         "on through the softmax, which leaves P - onehot(y)", lambda p: -p.T / p.P / p.N),
        (Code.EXTRA_ACTIVATION_DERIVATIVE, "P - onehot(y) is multiplied by p (1 - p) again: the "
         "derivative of the softmax is already in it",
         lambda p: (p.P - p.T) * p.P * (1 - p.P) / p.N),
    ),
    *_in_term(
        "P", SOFTMAX,
        (Code.NORMALIZE_AXIS, "the probabilities are normalized over the examples: sum over axis "
         "1, the classes, so that each row adds up to 1",
         lambda p: p.E / p.E.sum(axis=0), lambda p: np.exp(p.S) / np.exp(p.S).sum(axis=0)),
        (Code.NORMALIZE_AXIS, "the probabilities are normalized over the whole matrix: sum over "
         "axis 1, the classes, so that each row adds up to 1",
         lambda p: p.E / p.E.sum(), lambda p: np.exp(p.S) / np.exp(p.S).sum()),
        (Code.NORMALIZE_AXIS, "exp(scores) is used where the probabilities belong: divide each row "
         "by its sum", lambda p: p.E, lambda p: np.exp(p.S)),
        (Code.NORMALIZE_AXIS, "the scores are used where the probabilities belong: take exp and "
         "divide each row by its sum", lambda p: p.S),
    ),
    # --- sigmoid outputs and squared error
    *_in_term(
        "dscores", ("logistic",),
        (Code.EXTRA_ACTIVATION_DERIVATIVE, "a - t is multiplied by a (1 - a): with cross-entropy "
         "the derivative of the sigmoid has canceled already, use a - t",
         lambda p: (p.Q - p.T) * p.Q * (1 - p.Q) / p.N),
        (Code.MISSING_ONEHOT, "the targets are never subtracted: use a - t", lambda p: p.Q / p.N),
        (Code.ONEHOT_SIGN, "the targets are added: use a - t", lambda p: (p.Q + p.T) / p.N),
        (Code.MISSING_PROBS, "the outputs are left out and only -t is kept: use a - t",
         lambda p: -p.T / p.N),
        (Code.ACTIVATION_MISMATCH, "the scores are used where their sigmoid belongs: use "
         "sigmoid(z) - t", lambda p: (p.S - p.T) / p.N),
    ),
    *_in_term(
        "dscores", ("logistic squared",),
        (Code.ACTIVATION_DERIVATIVE_MISSING, "the derivative a (1 - a) of the output's sigmoid is "
         "missing: with squared error it does not cancel", lambda p: 2 * (p.Q - p.T) / p.N),
        (Code.ACTIVATION_DERIVATIVE_INPUT, "a (1 - a) is evaluated at the scores z: put "
         "a = sigmoid(z) in", lambda p: 2 * (p.Q - p.T) * p.S * (1 - p.S) / p.N),
        (Code.DOUBLE_ACTIVATION, "the sigmoid is applied twice: the helper that returns its "
         "derivative wants z, and gets a = sigmoid(z)",
         lambda p: 2 * (p.Q - p.T) * expit(p.Q) * (1 - expit(p.Q)) / p.N),
    ),
    Mistake(Code.ACTIVATION_DERIVATIVE_MISSING, "dscores", lambda p: 2 * (np.tanh(p.S) - p.T) / p.N,
            "the derivative 1 - a**2 of the output's tanh is missing: with squared error it does "
            "not cancel", ("tanh squared",)),
    *_in_term(
        "dscores", ("softmax squared",),
        (Code.ACTIVATION_DERIVATIVE_MISSING, "the derivative of the softmax is missing: with "
         "squared error it does not cancel", lambda p: 2 * (p.P - p.T) / p.N),
        (Code.SOFTMAX_JACOBIAN_DIAGONAL, "only the diagonal p (1 - p) of the softmax derivative is "
         "used: off the diagonal it is -p_i p_j",
         lambda p: 2 * (p.P - p.T) * p.P * (1 - p.P) / p.N),
    ),
    Mistake(Code.MISSING_ONEHOT, "dscores", lambda p: 2 * p.S / p.N,
            "the targets are never subtracted: use prediction - target", ("squared error",)),
    *_in_term(
        "dW", (),
        (Code.MISSING_INPUT_FACTOR, "every weight gets the mean residual: multiply each residual "
         "by its x, X.T @ residual", lambda p: np.broadcast_to(p.delta.mean(axis=0), p.W.shape)),
        (Code.MISSING_INPUT_FACTOR, "the input is left out: multiply the signal of each example by "
         "its x, X.T @ delta", lambda p: np.broadcast_to(p.delta.sum(axis=0), p.W.shape)),
    ),
    # --- hinge: dscores = (active - T * count) / N
    *_in_term(
        "dscores", ("hinge",),
        (Code.MISSING_CORRECT_CLASS, "the column of the correct class is never updated: subtract "
         "x_i from it once for each class that violates the margin", lambda p: p.active / p.N),
        (Code.MISSING_OTHER_CLASSES, "only the column of the correct class is updated: add x_i to "
         "the column of each class that violates the margin", lambda p: -p.T * p.count / p.N),
        (Code.CORRECT_CLASS_SIGN, "the column of the correct class gets +x_i: raising that score "
         "lowers the loss, so it needs a minus", lambda p: (p.active + p.T * p.count) / p.N),
        (Code.MASK_NOT_BINARY, MARGINS_FOR_MASK,
         lambda p: (p.margins - p.T * p.margins.sum(axis=1, keepdims=True)) / p.N,
         lambda p: (p.margins - p.T * p.count) / p.N),
        (Code.MASK_NOT_BINARY, "column y_i gets the sum of the margins: it needs their number, "
         "(margins > 0).sum()",
         lambda p: (p.active - p.T * p.margins.sum(axis=1, keepdims=True)) / p.N),
        (Code.ONEHOT_INDEXING, "the label of the first example is used for every example: index "
         "with y[i]", lambda p: (p.active - p.T[0] * p.count) / p.N),
    ),
    *[Mistake(Code.ONEHOT_INDEXING, "dscores", in_columns(changed), COLUMNS, ("hinge",))
      for changed in (
        lambda p: p.active - count_of_last(p), lambda p: -count_of_last(p), count_of_last,
        lambda p: p.active - p.count, lambda p: -p.count, lambda p: p.count,
        lambda p: p.active - 1, lambda p: -1, lambda p: 0)],
    Mistake(Code.ONEHOT_INDEXING, "active", lambda p: p.active * ~p.T.any(axis=0), COLUMNS,
            ("hinge", "squared hinge")),
    Mistake(Code.MASK_NOT_BINARY, "active", lambda p: p.margins, MARGINS_FOR_MASK, ("hinge",)),
    *_in_term(
        "count", ("hinge",),
        (Code.CORRECT_CLASS_COUNT, "x_i is subtracted from column y_i once for each example: "
         "subtract it once for each class that violates the margin", lambda p: p.count > 0),
        (Code.CORRECT_CLASS_COUNT, "x_i is subtracted from column y_i exactly once, whatever the "
         "margins: subtract it once for each class that violates the margin", lambda p: 1),
        (Code.CORRECT_CLASS_COUNT, "the correct class is counted among those that violate the "
         "margin: leave j = y_i out", lambda p: p.count + 1),
        (Code.CORRECT_CLASS_COUNT, "x_i is subtracted from column y_i once too few: subtract it "
         "once for each class that violates the margin", lambda p: p.count - 1),
        (Code.CORRECT_CLASS_COUNT, "x_i is subtracted from column y_i for every other class: only "
         "those that violate the margin count", lambda p: p.C - 1),
        (Code.CORRECT_CLASS_COUNT, "x_i is subtracted from column y_i for every class: only those "
         "that violate the margin count", lambda p: p.C),
        (Code.SUM_AXIS_WRONG, "the violations are counted down the columns: count along each row, "
         "sum(axis=1)", lambda p: p.active.sum(axis=0)),
        (Code.SUM_AXIS_WRONG, "the violations of all examples are counted together: count along "
         "each row, sum(axis=1)", lambda p: p.active.sum()),
    ),
    *_in_term(
        "dscores", ("squared hinge",),
        (Code.MASK_NOT_BINARY, "the margins are missing: the derivative of margin**2 is "
         "2 * margin, not 2", lambda p: 2 * (p.active - p.T * p.count) / p.N),
        (Code.CORRECT_CLASS_COUNT, "column y_i gets the largest margin: for the squared hinge it "
         "needs their sum",
         lambda p: 2 * (p.margins - p.T * p.margins.max(axis=1, keepdims=True)) / p.N),
        (Code.MISSING_CORRECT_CLASS, "the column of the correct class is never updated: subtract "
         "the sum of the margins from it", lambda p: 2 * p.margins / p.N),
        (Code.CORRECT_CLASS_SIGN, "the column of the correct class needs a minus",
         lambda p: 2 * (p.margins + p.T * p.margins.sum(axis=1, keepdims=True)) / p.N),
        (Code.CORRECT_CLASS_COUNT, "column y_i gets the number of margins: for the squared hinge "
         "it needs their sum", lambda p: 2 * (p.margins - p.T * p.count) / p.N),
    ),
    *_in_term(
        "active", ("hinge", "squared hinge"),
        (Code.HINGE_MASK_WRONG, "every class counts as violating the margin: the mask must be "
         "margins > 0, and after the clipping >= 0 is always true", lambda p: 1 - p.T),
        (Code.HINGE_MASK_WRONG, "every class counts as violating the margin, the correct one too: "
         "the mask must be margins > 0", lambda p: np.ones_like(p.T)),
        (Code.HINGE_MASK_WRONG, "the gradient tests s_j > s_y and the loss s_j - s_y + delta > 0: "
         "use the same margins for both", lambda p: p.gap > 0),
        (Code.HINGE_MASK_WRONG, "the gradient tests s_j - s_y - delta > 0 and the loss s_j - s_y + "
         "delta > 0: use the same margins for both", lambda p: p.gap > p.delta_margin),
        (Code.HINGE_MASK_WRONG, "the gradient tests the margin 1 and the loss another one: use the "
         "same delta for both", lambda p: (p.gap + 1 > 0) * (1 - p.T)),
        (Code.HINGE_MASK_WRONG, "the mask is scores > 0: it must be margins > 0",
         lambda p: p.S > 0),
        (Code.HINGE_MASK_WRONG, "the mask is margins > 1: delta is in the margins already, so it "
         "must be margins > 0", lambda p: p.margins > 1),
        (Code.HINGE_MASK_WRONG, "the mask is the wrong way round: classes with margin 0 add "
         "nothing, the others do", lambda p: (p.margins == 0) * (1 - p.T)),
        (Code.HINGE_MASK_WRONG, "only the class with the largest margin is updated: the loss sums "
         "over all of them",
         lambda p: one_per_row(p.margins.argmax(axis=1), p.C) * (p.margins > 0)),
        (Code.SINGLE_CLASS_WRONG, "the loop over the classes leaves one out: it must run over all "
         "of them, range(C), except j = y_i",
         lambda p: p.active * (np.arange(p.C) != 0),
         lambda p: p.active * (np.arange(p.C) != p.C - 1)),
    ),
    # --- the layer's own products
    *_in_term(
        "dW", ("hinge",),
        (Code.WRONG_INDEX, J_FOR_I,
         lambda p: p.a[: p.C].T * p.active.sum(axis=0) / p.N
         - p.a.T[:, : p.C] @ (p.active.T @ p.T) / p.N,
         lambda p: p.a[: p.C].T * p.active.sum(axis=0) / p.N - p.a.T @ (p.T * p.count) / p.N,
         lambda p: p.a.T @ p.active / p.N - p.a.T[:, : p.C] @ (p.active.T @ p.T) / p.N),
        (Code.ONEHOT_INDEXING, LAST_OF_CLASS,
         lambda p: p.a.T @ p.active / p.N - p.a.T @ (last_of_class(p) * p.count) / p.N),
    ),
    *_in_term(
        "dW", SOFTMAX,
        (Code.WRONG_INDEX, J_FOR_I,
         lambda p: p.a[: p.C].T * p.P.sum(axis=0) / p.N - p.a.T @ p.T / p.N,
         lambda p: p.a.T @ p.P / p.N - p.a[: p.C].T * p.T.sum(axis=0) / p.N),
        (Code.ONEHOT_INDEXING, LAST_OF_CLASS, lambda p: p.a.T @ (p.P - last_of_class(p)) / p.N),
    ),
    *_in_term(
        "dW", (),
        (Code.WRONG_INDEX, J_FOR_I,
         lambda p: p.a[: p.delta.shape[1]].T * p.delta.sum(axis=0)),
        (Code.WRONG_INDEX, "the first example's input is used for all: use X[i] in the loop",
         lambda p: np.outer(p.a[0], p.delta.sum(axis=0))),
        (Code.WRONG_INDEX, "the last example's input is used for all: the line stands outside the "
         "loop", lambda p: np.outer(p.a[-1], p.delta.sum(axis=0))),
        (Code.WRONG_ACTIVATION, "the product uses the pre-activation z: use the hidden layer after "
         "its activation, h.T @ delta", lambda p: p.z_in.T @ p.delta),
        (Code.WRONG_ACTIVATION, "the product uses the slope of the activation: use the hidden "
         "layer itself, h.T @ delta", lambda p: p.slope.T @ p.delta),
        (Code.TRANSPOSE, "delta.T @ X is forced into shape with reshape: use X.T @ delta",
         lambda p: (p.delta.T @ p.a).reshape(p.W.shape)),
    ),
    *_in_term(
        "db", (),
        (Code.BIAS_AXIS, "every bias gets the sum over everything: sum over the examples only, "
         "axis=0", lambda p: np.full(p.delta.shape[1], p.delta.sum())),
        (Code.BIAS_FROM_DW, "the column sums of dW stand here: the bias needs the sum of delta "
         "over the examples", lambda p: p.dW.sum(axis=0)),
        (Code.BIAS_AXIS, "only the first example is used: sum over the examples, axis=0",
         lambda p: p.delta[0]),
        (Code.BIAS_AXIS, "only the last example is used: sum over the examples, axis=0",
         lambda p: p.delta[-1]),
        (Code.BIAS_AXIS, "the maximum over the examples is taken: sum over the examples, axis=0",
         lambda p: p.delta.max(axis=0)),
    ),
    # --- hidden layers: dz = dh * slope
    *_in_term(
        "slope", KINKED,
        (Code.RELU_MASK_MISSING, "the gradient passes the ReLU unchanged: set it to 0 where the "
         "hidden unit was off, `dh[h <= 0] = 0`", lambda p: np.ones_like(p.z_in)),
        (Code.RELU_MASK_WRONG, "the mask is the wrong way round: keep the units with z > 0",
         lambda p: p.z_in <= 0),
        (Code.RELU_MASK_WRONG, "the two slopes are exchanged: z > 0 has the slope 1",
         lambda p: p.slope.max() + p.slope.min() - p.slope),
        (Code.RELU_MASK_WRONG, "the signal is multiplied by h instead of by the mask h > 0",
         lambda p: p.a),
        (Code.RELU_MASK_WRONG, "the signal is multiplied by z instead of by the mask z > 0",
         lambda p: p.z_in),
        (Code.RELU_MASK_WRONG, "the mask is taken from the gradient (dh > 0): it is the unit that "
         "is on or off, so use z > 0", lambda p: p.dh > 0),
        (Code.RELU_MASK_WRONG, "the mask is taken from the gradient: it is the unit that is on or "
         "off, so use z > 0", lambda p: p.dh < 0),
        (Code.RELU_MASK_WRONG, "the ReLU is applied to the gradient as well: use the mask z > 0 "
         "alone", lambda p: (p.z_in > 0) & (p.dh > 0)),
        (Code.RELU_MASK_WRONG, "the units that are off get -1: their mask is 0",
         lambda p: np.sign(p.z_in)),
        (Code.RELU_MASK_WRONG, "the mask is z > 1: keep the units with z > 0",
         lambda p: p.z_in > 1),
        (Code.RELU_MASK_WRONG, "the mask compares with the mean: keep the units with z > 0",
         lambda p: p.z_in > p.z_in.mean()),
        (Code.RELU_MASK_WRONG, "the mask is taken before the bias was added: use z = X @ W + b",
         lambda p: p.z_in > p.below),
    ),
    *[
        Mistake(Code.ACTIVATION_MISMATCH, "slope", wrong, f"the backward pass uses {what}: take "
                "the slope of the activation that the forward pass uses", when)
        for what, wrong, when in [
            ("the derivative of a sigmoid, h (1 - h)", lambda p: p.a * (1 - p.a),
             (*KINKED, "tanh")),
            ("the derivative of a tanh, 1 - h**2", lambda p: 1 - p.a**2, (*KINKED, "sigmoid")),
            ("the derivative of a sigmoid", lambda p: expit(p.z_in) * (1 - expit(p.z_in)),
             (*KINKED, "tanh", "softplus")),
            ("the derivative of a tanh", lambda p: 1 - np.tanh(p.z_in) ** 2,
             (*KINKED, "sigmoid", "softplus")),
            ("the mask of a ReLU", lambda p: p.z_in > 0, (*SMOOTH, *KINKED[1:])),
            *((f"the slope {k} of a leaky ReLU", lambda p, k=k: np.where(p.z_in > 0, 1.0, k),
               KINKED) for k in (*LEAKS, 0.02)),
        ]
    ],
    *_in_term(
        "slope", SMOOTH,
        (Code.ACTIVATION_DERIVATIVE_MISSING, "the derivative of the hidden activation is missing: "
         "multiply the signal by it", lambda p: np.ones_like(p.z_in)),
    ),
    *_in_term(
        "slope", ("sigmoid",),
        (Code.ACTIVATION_DERIVATIVE_INPUT, "h (1 - h) is evaluated at z: put h = sigmoid(z) in",
         lambda p: p.z_in * (1 - p.z_in)),
        (Code.DOUBLE_ACTIVATION, "the sigmoid is applied twice: the helper that returns its "
         "derivative wants z, and gets h", lambda p: expit(p.a) * (1 - expit(p.a))),
    ),
    *_in_term(
        "slope", ("tanh",),
        (Code.ACTIVATION_DERIVATIVE_INPUT, "1 - h**2 is evaluated at z: put h = tanh(z) in",
         lambda p: 1 - p.z_in**2),
        (Code.DOUBLE_ACTIVATION, "the tanh is applied twice: the helper that returns its "
         "derivative wants z, and gets h", lambda p: 1 - np.tanh(p.a) ** 2),
    ),
    Mistake(Code.ACTIVATION_DERIVATIVE_INPUT, "slope", lambda p: expit(p.a),
            "the slope sigmoid(z) of the softplus is evaluated at h: put z in", ("softplus",)),
    # --- back through the weights: dh = delta @ W.T
    *_in_term(
        "dh", (),
        (Code.BIAS_ROW_WRONG, "the last column of the weights is dropped on the way back: drop the "
         "bias column, the first, Theta[:, 1:]",
         lambda p: p.delta @ np.vstack([p.b, p.W])[:-1].T),
        (Code.TRANSPOSE, "W2 @ delta.T is forced into shape with reshape: transpose it, "
         "delta @ W2.T", lambda p: (p.W @ p.delta.T).reshape(p.a.shape)),
        (Code.TRANSPOSE, "delta @ W2 lacks a transpose: use delta @ W2.T",
         lambda p: p.delta @ p.W),
    ),
    *_in_term(
        "dz", (),
        (Code.BIAS_ROW_WRONG, "the last column of delta is dropped: drop the column of the bias, "
         "the first",
         lambda p: without_last_column(p, p.act_slope(np.ones(1))),
         lambda p: without_last_column(p, 0)),
    ),
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
