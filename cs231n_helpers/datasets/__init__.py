"""Fashion-MNIST, CIFAR-10 and the spiral: files, splits, preprocessing."""

import os
from collections.abc import Callable

from .cifar10 import load_cifar10
from .fashion_mnist import load_fashion_mnist
from .preprocessing import design_matrix, mean_image, preprocess
from .spiral import make_spiral
from .splits import FOLDERS, Splits, check_name, default_cache

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


def load_images(name: str | None = None) -> Splits:
    """Load the images that the notebooks use.

    Parameters
    ----------
    name : {'fashion_mnist', 'fashion_mnist_full', 'cifar10'}, optional
        The shipped subset, or what `make data` has fetched. By default what the environment
        variable CS231N_DATA says, else 'fashion_mnist'.

    Examples
    --------
    >>> load_images("fashion_mnist")
    <fashion_mnist: train (5000, 28, 28), val (1000, 28, 28), test (1000, 28, 28), uint8>
    """
    full = FOLDERS["fashion_mnist"]
    loaders: dict[str, Callable[[], Splits]] = {
        "fashion_mnist": load_fashion_mnist,
        "fashion_mnist_full": lambda: load_fashion_mnist(default_cache() / full),
        "cifar10": load_cifar10,
    }
    name = (os.environ.get("CS231N_DATA") or "fashion_mnist") if name is None else name
    check_name(name, loaders, ", given as the argument or in the environment variable CS231N_DATA")
    return loaders[name]()
