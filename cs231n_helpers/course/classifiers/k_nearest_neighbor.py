"""kNN has no gradient and is not in this package."""

from ..conventions import refusing

__getattr__ = refusing("__all__ KNearestNeighbor", "kNN has", "cs231n.classifiers")
