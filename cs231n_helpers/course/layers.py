"""Layers and losses on scores, see `cs231n_helpers.layers` and `cs231n_helpers.losses`."""

from ..layers import affine_backward, affine_forward, relu_backward, relu_forward
from ..losses import softmax_loss, svm_loss

__all__ = [
    "affine_backward", "affine_forward", "relu_backward", "relu_forward", "softmax_loss",
    "svm_loss",
]  # fmt: skip
