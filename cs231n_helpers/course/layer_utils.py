"""Layers that often come together, see `cs231n_helpers.layers`."""

from ..layers import affine_relu_backward, affine_relu_forward

__all__ = ["affine_relu_backward", "affine_relu_forward"]
