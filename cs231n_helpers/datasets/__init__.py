"""Fashion-MNIST, CIFAR-10 and the spiral: files, splits, preprocessing."""

from .images import (
    Splits,
    design_matrix,
    load_cifar10,
    load_fashion_mnist,
    load_images,
    make_spiral,
    mean_image,
    preprocess,
)

__all__ = [
    "Splits",
    "design_matrix",
    "load_cifar10",
    "load_fashion_mnist",
    "load_images",
    "make_spiral",
    "mean_image",
    "preprocess",
]
