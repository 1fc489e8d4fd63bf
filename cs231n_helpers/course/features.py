"""Image features have no gradient and are not in this package."""

from .conventions import refusing

__getattr__ = refusing(
    "__all__ color_histogram_hsv extract_features hog_feature",
    "image features have",
    "cs231n.features",
)
