"""Helpers for the companion to Stanford CS231n, assignment 1.

To read the package, take losses, classifiers, training, gradient_check and plots, in this order.

=================  ============================================================================
module             what it holds
=================  ============================================================================
losses             SVM and softmax loss: on scores, of linear classifiers, gradient of the input
layers             affine and ReLU layers forward and backward, and the net that they make
classifiers        LinearSVM, Softmax, LinearClassifier for any loss, TwoLayerNet, FullyConnectedNet
optim              update rules: plain steps, momentum, RMSProp, Adam
solver             trains any model that is made of parameters, by any update rule
parameter_files    parameters written to a file and read back
training           minibatch gradient descent, the steps of a linear classifier and of a net
gradient_check     numerical gradients, relative errors: the course's own checks
plots              images, weights, training curves, searches, decision regions
validation         the errors for bad input
drawable           the same for what is to be drawn
describe           a figure in words, as text form and alternative text in notebooks
described_artists  lines, points, bars, images, texts in words
described_values   numbers, extremes, trends, colors in words
progress_bar       a bar for what takes long, a warning where a loss grows
search             hyperparameter search: settings, result
single_run         one run of a search
many_runs          all linear runs of a search at once, others in processes or on a cluster
threads            work in parts that run side by side
leftovers          nothing is left of a run that was ended
datasets           Fashion-MNIST, CIFAR-10, the spiral, preprocessing, download, file formats
doctor             is a gradient wrong, where, and what is wrong with it
explorers          figures with sliders, for notebooks 01 to 05 and 09
course             the course's modules and names, for its notebooks of any year
exercises          the exercises of the lessons, and the check after each
workbook           a learner's own copy of the lessons, exercises open
=================  ============================================================================
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .classifiers import FullyConnectedNet, LinearClassifier, LinearSVM, Softmax, TwoLayerNet
from .describe import describe
from .describe import load_ipython_extension as load_ipython_extension
from .gradient_check import (
    eval_numerical_gradient,
    eval_numerical_gradient_array,
    grad_check_sparse,
    rel_error,
)
from .losses import (
    softmax_input_gradient,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
    svm_input_gradient,
    svm_loss,
    svm_loss_naive,
    svm_loss_vectorized,
)
from .progress_bar import progress
from .search import SearchResult, sample_settings, search
from .solver import Solver
from .validation import NotFiniteError

# What needs Matplotlib, SciPy or the data is imported when it is first asked for.
# ruff: noqa: F403, F405
if TYPE_CHECKING:
    from .datasets import *
    from .doctor import Finding, GradientReport, WrongGradientError, check_gradient, check_layer
    from .exercises import check_exercise, use_reference
    from .explorers import *
    from .plots import (
        plot_decision_regions,
        plot_search,
        plot_training,
        show_images,
        show_weights,
        visualize_grid,
    )
else:
    _LATER = {
        "datasets": "Splits design_matrix load_cifar10 load_fashion_mnist load_images make_spiral "
        "mean_image preprocess",
        "doctor": "Finding GradientReport WrongGradientError check_gradient check_layer",
        "exercises": "check_exercise use_reference",
        "explorers": "Explorer explore_graph explore_input_step explore_net explore_softmax "
        "explore_step_size explore_svm explore_update_rules",
        "plots": "plot_decision_regions plot_search plot_training show_images show_weights "
        "visualize_grid",
    }

    def __getattr__(name: str) -> Any:
        for module, names in _LATER.items():
            if name == module:
                return import_module(f".{module}", __name__)
            if name in names.split():
                return getattr(import_module(f".{module}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER, *__all__})


__all__ = [
    "Explorer", "Finding", "FullyConnectedNet", "GradientReport", "LinearClassifier",
    "LinearSVM", "NotFiniteError", "SearchResult", "Softmax", "Solver", "Splits", "TwoLayerNet",
    "WrongGradientError", "check_exercise", "check_gradient", "check_layer", "describe",
    "design_matrix",
    "eval_numerical_gradient", "eval_numerical_gradient_array", "explore_graph",
    "explore_input_step", "explore_net", "explore_softmax", "explore_step_size", "explore_svm",
    "explore_update_rules", "grad_check_sparse", "load_cifar10", "load_fashion_mnist",
    "load_images", "make_spiral", "mean_image", "plot_decision_regions", "plot_search",
    "plot_training", "preprocess", "progress", "rel_error", "sample_settings", "search",
    "show_images", "show_weights", "softmax_input_gradient", "softmax_loss",
    "softmax_loss_naive", "softmax_loss_vectorized", "svm_input_gradient", "svm_loss",
    "svm_loss_naive", "svm_loss_vectorized", "use_reference", "visualize_grid",
]  # fmt: skip
