"""The known wrong losses, each declared in one entry.

The gradient is the right one of a textbook's loss, but the learner's loss is another function,
given by its formula in the terms of `backward.TERMS`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax

from .backward import Formula
from .codes import Code


@dataclass(frozen=True)
class WrongLoss:
    """A loss that is another function than the one whose gradient is returned.

    `always`: it is a mistake also where the gradient agrees with it.
    """

    code: Code
    output_loss: str
    loss: Formula
    message: str
    always: bool = False


WRONG_LOSSES = [
    WrongLoss(Code.MAX_SHIFT_INCONSISTENT, "softmax",
              lambda p: (np.log(p.E.sum(axis=1)) - (p.S * p.T).sum(axis=1)).mean(),
              "the loss takes the sum of the shifted scores and the correct score unshifted: shift "
              "both, or neither"),
    WrongLoss(Code.MAX_SHIFT_INCONSISTENT, "softmax",
              lambda p: (np.log(np.exp(p.S).sum(axis=1)) - (p.S * p.T).sum(axis=1)
                         + p.S.max(axis=1)).mean(),
              "the loss takes the correct score shifted and the sum of the raw scores: shift both, "
              "or neither"),
    WrongLoss(Code.NORMALIZE_AXIS, "softmax",
              lambda p: -np.log((p.T * (p.E / p.E.sum(axis=0))).sum(axis=1)).mean(),
              "the loss normalises over the examples: sum over axis 1, the classes", always=True),
    WrongLoss(Code.NORMALIZE_AXIS, "softmax",
              lambda p: -np.log((p.T * (np.exp(p.S) / np.exp(p.S).sum(axis=0))).sum(axis=1)).mean(),
              "the loss normalises over the examples: sum over axis 1, the classes", always=True),
    WrongLoss(Code.NORMALIZE_AXIS, "softmax",
              lambda p: -np.log((p.T * p.E / p.E.sum()).sum(axis=1)).mean(),
              "the loss normalises over the whole matrix: sum over axis 1, the classes",
              always=True),
    WrongLoss(Code.LOSS_VALUE, "softmax",
              lambda p: (np.log1p(np.exp(p.S).sum(axis=1)) - (p.S * p.T).sum(axis=1)).mean(),
              "the sum of exponentials starts at 1 (log(C + 1) at W = 0 instead of log C): start "
              "it at 0", always=True),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "softmax", lambda p: -(p.T * p.P).sum() / p.N,
              "the logarithm is missing in the loss: it is -log(p_y)"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "softmax", lambda p: -np.log(p.P.max(axis=1)).mean(),
              "the loss takes the largest probability: that of the correct class counts"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "softmax", lambda p: -np.log(p.P[:, p.y[0]]).mean(),
              "the loss takes the first example's label for every example: use P[np.arange(N), y]"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "softmax", lambda p: -np.log(p.P).sum() / p.N,
              "the loss sums -log p over all classes: only the correct class counts"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "softmax",
              lambda p: -(p.T * np.log(p.P) + (1 - p.T) * np.log(1 - p.P)).sum() / p.N,
              "the loss is the binary cross-entropy of each class: softmax needs -log p_y only",
              always=True),
    WrongLoss(Code.ACTIVATION_MISMATCH, "softmax",
              lambda p: -(p.T * log_softmax(np.maximum(p.S, 0), axis=1)).sum() / p.N,
              "the forward pass clips the scores with a ReLU, the backward pass does not know it: "
              "leave the scores as they are"),
    WrongLoss(Code.ACTIVATION_MISMATCH, "softmax",
              lambda p: -(p.T * log_softmax(np.tanh(p.S), axis=1)).sum() / p.N,
              "the forward pass sends the scores through a tanh, the backward pass does not"),
    WrongLoss(Code.ACTIVATION_MISMATCH, "softmax",
              lambda p: -(p.T * log_softmax(expit(p.S), axis=1)).sum() / p.N,
              "the forward pass sends the scores through a sigmoid, the backward pass does not"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "hinge",
              lambda p: (p.gap + p.delta_margin).sum() / p.N,
              "the loss is not clipped at 0: use max(0, margin)"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "hinge",
              lambda p: (np.maximum(0, p.gap) * (1 - p.T)).sum() / p.N,
              "delta stands outside the max, or is missing in the loss: max(0, s_j - s_y + delta)"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "hinge",
              lambda p: (np.maximum(0, p.gap - p.delta_margin) * (1 - p.T)).sum() / p.N,
              "the loss subtracts delta: the margin is s_j - s_y + delta"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "hinge",
              lambda p: (np.maximum(0, p.S - p.S[:, [p.y[0]]] + 1)).sum() / p.N,
              "the loss takes the first example's label for every example: index with y"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "squared error", lambda p: np.abs(p.R).sum() / p.N,
              "the loss is the absolute error, the gradient that of the squared error"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "squared error", lambda p: p.R.sum() ** 2 / p.N,
              "the loss squares the sum of the residuals: sum their squares"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "squared error",
              lambda p: np.sqrt((p.R**2).sum(axis=1)).mean(),
              "the loss is the mean length of the residual, without the square"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "squared error", lambda p: (p.R**3).sum() / p.N,
              "the loss is the cube of the residuals"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "squared error", lambda p: (p.R**4).sum() / p.N,
              "the loss is the fourth power of the residuals"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "logistic",
              lambda p: -(p.T * np.log(p.Q)).sum() / p.N,
              "the loss lacks its second half, (1 - t) log(1 - a)"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "logistic",
              lambda p: -((1 - p.T) * np.log(1 - p.Q)).sum() / p.N,
              "the loss lacks its first half, t log(a)"),
    WrongLoss(Code.LOSS_WRONG_GRAD_OF_OTHER, "logistic",
              lambda p: -(p.T * np.log(p.Q) - (1 - p.T) * np.log(1 - p.Q)).sum() / p.N,
              "the two halves of the loss have opposite signs: t log(a) + (1 - t) log(1 - a)"),
]  # fmt: skip
