"""Helpers for the companion to Stanford CS231n, assignment 1.

================ =============================================================================
module           what it holds
================ =============================================================================
losses           SVM and softmax loss: on scores, of linear classifiers, gradient of the input
classifiers      LinearSVM, Softmax, LinearClassifier for any loss, TwoLayerNet
training         minibatch gradient descent, progress bar
gradient_check   numerical gradients, relative errors: the course's own checks
plots            images, weights, training curves, searches, decision regions
validation       the errors for bad input
search           hyperparameter search, all linear runs at once, others on any executor
datasets         Fashion-MNIST, CIFAR-10, the spiral, preprocessing, download, file formats
doctor           is a gradient wrong, where, and what is wrong with it
explorers        figures with sliders, one for each notebook from 01 to 05
exercises        the exercises of notebooks 01 to 04, and the check after each
================ =============================================================================
"""

from .classifiers import LinearClassifier, LinearSVM, Softmax, TwoLayerNet
from .datasets import (
    Splits,
    design_matrix,
    load_cifar10,
    load_fashion_mnist,
    load_images,
    make_spiral,
    mean_image,
    preprocess,
)
from .doctor import Finding, GradientReport, WrongGradientError, check_gradient
from .exercises import check_exercise, use_reference
from .explorers import (
    Explorer,
    explore_input_step,
    explore_net,
    explore_softmax,
    explore_step_size,
    explore_svm,
)
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
from .plots import (
    plot_decision_regions,
    plot_search,
    plot_training,
    show_images,
    show_weights,
    visualize_grid,
)
from .search import SearchResult, sample_settings, search
from .training import progress
from .validation import NotFiniteError

__all__ = [
    "Explorer",
    "Finding",
    "GradientReport",
    "LinearClassifier",
    "LinearSVM",
    "NotFiniteError",
    "SearchResult",
    "Softmax",
    "Splits",
    "TwoLayerNet",
    "WrongGradientError",
    "check_exercise",
    "check_gradient",
    "design_matrix",
    "eval_numerical_gradient",
    "eval_numerical_gradient_array",
    "explore_input_step",
    "explore_net",
    "explore_softmax",
    "explore_step_size",
    "explore_svm",
    "grad_check_sparse",
    "load_cifar10",
    "load_fashion_mnist",
    "load_images",
    "make_spiral",
    "mean_image",
    "plot_decision_regions",
    "plot_search",
    "plot_training",
    "preprocess",
    "progress",
    "rel_error",
    "sample_settings",
    "search",
    "show_images",
    "show_weights",
    "softmax_input_gradient",
    "softmax_loss",
    "softmax_loss_naive",
    "softmax_loss_vectorized",
    "svm_input_gradient",
    "svm_loss",
    "svm_loss_naive",
    "svm_loss_vectorized",
    "use_reference",
    "visualize_grid",
]
