"""The two-layer net of 2016 to 2020, which trains itself."""

from typing import Any

from numpy.typing import ArrayLike

from ... import classifiers
from ..conventions import global_rng, reg_scale


class TwoLayerNet(classifiers.TwoLayerNet):
    """`cs231n_helpers.TwoLayerNet`, drawn from NumPy's global state, with the year's penalty."""

    def __init__(
        self, input_size: int, hidden_size: int, output_size: int, std: float = 1e-4
    ) -> None:
        super().__init__(input_size, hidden_size, output_size, std, rng=global_rng())

    def loss(
        self, X: ArrayLike, y: ArrayLike | None = None, reg: float = 0.0, **kwargs: float
    ) -> Any:
        """See `cs231n_helpers.TwoLayerNet.loss`; the penalty is the year's, see `use_year`."""
        return super().loss(X, y, reg, **{"reg_scale": reg_scale(), **kwargs})

    def train(self, *args: Any, **kwargs: Any) -> dict[str, list[float]]:
        """See `cs231n_helpers.TwoLayerNet.train`; draws from NumPy's global state."""
        return super().train(*args, **{"rng": global_rng(), **kwargs})
