"""The examples that the notebooks work out by hand, and random data: mostly (W, X, y).

Shapes: N examples, D features, H hidden units, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compare import Array

Data = tuple[Any, Array, Any]  # W (D, C) or the parameters of a net, X (N, D), y (N,)

# the four examples of notebook 01
X = np.array([[1.0, 1], [2, 1], [-1, -2], [2, -2]])
SVM: Data = (np.array([[1.0, 2, 1], [2, 0, 0]]), X, np.array([0, 2, 1, 1]))
SVM_DW = np.array([[0.5, 0.75, -1.25], [0.25, 0.75, -1.0]])  # with the margin 1/2

# the two examples of notebook 02, and scores of 10000
W = np.log([[1 / 2, 3, 1 / 7], [4, 1 / 3, 49]])
SOFTMAX: Data = (W, np.array([[1.0, 1], [2, 1]]), np.array([1, 0]))
SOFTMAX_DW = np.array([[-0.7, 0.15, 0.55], [-0.3, -0.15, 0.45]])
LARGE: Data = (np.array([[1e4, 0, -1e4]]), np.ones((2, 1)), np.array([0, 2]))

# the net for a pencil of notebook 03
PENCIL = {
    "W1": np.array([[0.0, 1, 0], [1, 0, 2]]),
    "b1": np.array([0.0, -2, -3]),
    "W2": np.array([[0.0, 0, 0, 1], [1, 0, -1, 0], [2, 1, 0, 0]]),
    "b2": np.array([-1.0, 0, 1, -1]),
}
NET: Data = (PENCIL, np.array([[1.0, 2], [3, 1]]), np.array([2, 0]))
NET_HIDDEN = np.array([[2.0, 0, 1], [1, 1, 0]])
NET_SCORES = np.array([[1.0] * 4, [0] * 4])
NET_DSCORES = np.array([[1.0, 1, -3, 1], [-3, 1, 1, 1]]) / 8
NET_GRADS = {  # in eighths, in the order of the way back
    "W2": np.array([[-1.0, 3, -5, 3], [-3, 1, 1, 1], [1, 1, -3, 1]]),
    "b2": np.array([-2.0, 2, -2, 2]),
    "W1": np.array([[4.0, -12, 3], [3, -4, 6]]),
    "b1": np.array([2.0, -4, 3]),
}
NET_PRE = np.array([[2.0, -1, 1], [1, 1, -1]])  # before the ReLU
NET_DHIDDEN = np.array([[1.0, 4, 3], [1, -4, -5]])  # in eighths, before the mask
NET_DPRE = np.array([[1.0, 0, 3], [1, -4, 0]])  # in eighths, after it
NET_DX = np.array([[0.0, 7], [-4, 1]])  # in eighths

# the two examples of notebook 04; for the softmax X is 0 or log 2
W = np.array([[2.0, 1, 0, -1], [1, 2, 1, 0], [0, 1, 3, 1]])
BY_INPUT: Data = (W, np.array([[2.0, 1, 0], [1, 1, 1]]), np.array([1, 0]))
SVM_DX = {1.0: [[0.5, -0.5, -0.5], [-1.5, 0.5, 2.0]], 4.0: [[0, -1, 0.5], [-3, 0, 2.5]]}
BY_INPUT_LOG: Data = (W, np.log(2) * np.eye(2, 3), np.array([1, 0]))
SOFTMAX_DX = np.array([[4.0, -12, -4], [-55 / 3, 5, 55 / 3]])  # in thirtieths

# a step of the update rules of notebook 09
STEP = (np.array([1.0, -2.0]), np.array([2.0, 4.0]))  # w and dw


def random_data() -> Data:
    """W (5, 4), X (7, 5), y (7,): no two sizes are equal, so no product fits by luck."""
    rng = np.random.RandomState(231)
    W, X = rng.standard_normal((5, 4)), rng.standard_normal((7, 5))
    return W, X, np.array([0, 3, 3, 1, 3, 2, 1])


def random_net() -> Data:
    """A net with D, H, C = 4, 6, 3 and N = 5 examples."""
    rng = np.random.RandomState(231)
    shapes = {"W1": (4, 6), "b1": (6,), "W2": (6, 3), "b2": (3,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return params, rng.standard_normal((5, 4)), np.array([0, 2, 1, 1, 2])


def random_layer() -> tuple[Array, Array, Array]:
    """An affine layer: x (4, 2, 3), w (6, 5) and b (5,)."""
    rng = np.random.RandomState(231)
    return rng.standard_normal((4, 2, 3)), rng.standard_normal((6, 5)), rng.standard_normal(5)


def published_step() -> tuple[Array, Array, Array]:
    """The w, dw and state, (4, 5) each, of the course's own checks of its update rules."""
    w, dw, state = (np.linspace(*ends, 20) for ends in ((-0.4, 0.6), (-0.6, 0.4), (0.6, 0.9)))
    return w.reshape(4, 5), dw.reshape(4, 5), state.reshape(4, 5)
