"""Linear classifiers that draw from NumPy's global state, and can be saved."""

from typing import Any

from ... import classifiers
from ...validation import Floats
from ..conventions import global_rng
from ..saved import Saved
from .linear_svm import svm_loss_vectorized
from .softmax import softmax_loss_vectorized


class LinearClassifier(Saved, classifiers.LinearClassifier):
    """`cs231n_helpers.LinearClassifier` as the course has it."""

    def train(self, *args: Any, **kwargs: Any) -> list[float]:
        """See `cs231n_helpers.LinearClassifier.train`; draws from NumPy's global state."""
        return super().train(*args, **{"rng": global_rng(), **kwargs})

    @property
    def params(self) -> dict[str, Floats]:
        """W by its name."""
        return {"W": self._weights()}

    @params.setter
    def params(self, params: dict[str, Floats]) -> None:
        self.W = params["W"]


class LinearSVM(LinearClassifier):
    """Linear classifier with the hinge loss."""

    def __init__(self) -> None:
        super().__init__(svm_loss_vectorized)


class Softmax(LinearClassifier):
    """Linear classifier with the softmax loss."""

    def __init__(self) -> None:
        super().__init__(softmax_loss_vectorized)
