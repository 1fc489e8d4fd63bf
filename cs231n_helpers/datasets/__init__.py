"""Fashion-MNIST, CIFAR-10 and the spiral: files, splits, preprocessing."""

from .cifar10 import load_cifar10
from .fashion_mnist import load_fashion_mnist
from .images import load_images
from .preprocessing import design_matrix, mean_image, preprocess
from .spiral import make_spiral
from .splits import Splits

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
