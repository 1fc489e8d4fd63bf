"""The nets since 2021, see `cs231n_helpers.FullyConnectedNet`; a `Solver` trains them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import classifiers
from ...validation import as_number, shown
from .. import layer_utils, layers
from ..conventions import global_rng
from ..layer_utils import *  # noqa: F403
from ..layers import *  # noqa: F403
from ..saved import Saved

# The notebooks take the layers from here, by *.
__all__ = ["FullyConnectedNet", "TwoLayerNet"]
__all__ += layers.__all__
__all__ += layer_utils.__all__


class FullyConnectedNet(Saved, classifiers.FullyConnectedNet):
    """`cs231n_helpers.FullyConnectedNet`, drawn from NumPy's global state, float32 by default.

    Dropout and normalization are of assignment 2: accepted at their defaults only. `seed` belongs
    to dropout and decides nothing.
    """

    def __init__(
        self, hidden_dims: Sequence[int], input_dim: int = 3 * 32 * 32, num_classes: int = 10,
        dropout_keep_ratio: float = 1, normalization: str | None = None, reg: float = 0.0,
        weight_scale: float = 1e-2, dtype: Any = np.float32, seed: int | None = None,
    ) -> None:  # fmt: skip
        if as_number("dropout_keep_ratio", dropout_keep_ratio) != 1 or normalization is not None:
            raise ValueError(
                f"dropout_keep_ratio = {shown(dropout_keep_ratio)} and normalization = "
                f"{shown(normalization)}, but they belong to assignment 2: leave them at 1 and None"
            )
        super().__init__(
            hidden_dims, input_dim, num_classes,
            reg=reg, weight_scale=weight_scale, dtype=dtype, rng=global_rng(),
        )  # fmt: skip


class TwoLayerNet(FullyConnectedNet):
    """The net with one hidden layer, in float64."""

    def __init__(
        self, input_dim: int = 3 * 32 * 32, hidden_dim: int = 100, num_classes: int = 10,
        weight_scale: float = 1e-3, reg: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(
            [hidden_dim], input_dim, num_classes,
            reg=reg, weight_scale=weight_scale, dtype=np.float64,
        )  # fmt: skip
