"""The models that learn by a gradient; kNN is not among them."""

from ..conventions import refusing
from .linear_classifier import LinearClassifier, LinearSVM, Softmax

__all__ = ["LinearClassifier", "LinearSVM", "Softmax"]

__getattr__ = refusing("KNearestNeighbor", "kNN has", "cs231n.classifiers")
