"""The hinge loss of a linear classifier, with the penalty of the year: see `use_year`."""

from numpy.typing import ArrayLike

from ... import losses
from ...validation import Floats
from ..conventions import reg_scale


def svm_loss_naive(W: ArrayLike, X: ArrayLike, y: ArrayLike, reg: float) -> tuple[float, Floats]:
    """See `cs231n_helpers.svm_loss_naive`."""
    return losses.svm_loss_naive(W, X, y, reg, reg_scale=reg_scale())


def svm_loss_vectorized(
    W: ArrayLike, X: ArrayLike, y: ArrayLike, reg: float
) -> tuple[float, Floats]:
    """See `cs231n_helpers.svm_loss_vectorized`."""
    return losses.svm_loss_vectorized(W, X, y, reg, reg_scale=reg_scale())
