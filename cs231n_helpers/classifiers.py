"""The models of the assignment: linear SVM, softmax classifier, two-layer net, net of any depth.

Shapes: N examples, D features, H hidden units, C classes.

Bad input is refused as in `losses`, before anything is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from operator import getitem
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .losses import net_loss, net_scores, softmax_loss_vectorized, svm_loss_vectorized
from .threads import in_blocks
from .training import train_linear, train_net
from .validation import (
    Floats,
    Labels,
    Minibatch,
    NotFiniteError,
    Rng,
    as_array,
    as_count,
    as_examples,
    as_float_dtype,
    as_floats,
    as_labels,
    as_matrix,
    as_non_negative,
    as_rng,
    as_rows,
    blocks,
    check_columns,
    check_finite,
    check_finite_result,
    check_label_range,
    count_classes,
    shown,
)

_TAKE_MINIBATCHES = (svm_loss_vectorized, softmax_loss_vectorized)
LinearLoss = Callable[[Floats, Floats, Labels, float], tuple[float, Floats]]


class LinearClassifier:
    """Linear classifier, scores = X W, trained by minibatch gradient descent on any loss.

    Parameters
    ----------
    loss_function : callable
        ``(W, X, y, reg) -> (loss, dW)``, for example `svm_loss_vectorized`, or one of your own.

    Attributes
    ----------
    W : (D, C) array or None
        The weights; None until `train` has made them, or set by the caller.

    Examples
    --------
    >>> X, y = np.array([[-1.0, 1.0], [2.0, 1.0]]), np.array([0, 1])
    >>> model = LinearClassifier(softmax_loss_vectorized)
    >>> losses = model.train(X, y, learning_rate=0.5, num_iters=50)
    >>> model.predict(X)
    array([0, 1])
    """

    def __init__(self, loss_function: LinearLoss) -> None:
        if not callable(loss_function):
            raise TypeError(
                f"loss_function is {shown(loss_function)}, but it must be a function "
                "(W, X, y, reg) -> (loss, dW): pass svm_loss_vectorized or one of your own"
            )
        self.loss_function = loss_function
        self.W: Floats | None = None

    def loss(self, X: ArrayLike, y: ArrayLike, reg: float) -> tuple[float, Floats]:
        """Return (loss, dW) of the current weights on X (N, D), y (N,)."""
        return self.loss_function(self._weights(), X, y, reg)  # type: ignore[arg-type]

    def predict(self, X: ArrayLike) -> Labels:
        """Return the class (N,) with the highest score for each row of X (N, D)."""
        W = self._weights()
        X = as_matrix("X", X, "(N, D)", integers_become=None)
        check_columns(X, len(W), "W")

        @np.errstate(over="ignore", invalid="ignore")
        def of_block(rows: slice) -> Labels:
            scores = as_floats("X", X[rows], W.dtype) @ W
            check_finite_result("scores overflow", scores, W=W, X=X)
            classes: Labels = np.argmax(scores, axis=1)
            return classes

        row_bytes, work = X.shape[1] * W.itemsize, X.size * W.shape[1]
        return np.concatenate([*in_blocks(of_block, len(X), row_bytes, work)])

    def train(
        self,
        X: ArrayLike,
        y: ArrayLike,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
        *,
        rng: Rng | None = None,
    ) -> list[float]:
        """Run gradient descent on minibatches: each step goes against dW, as far as the rate says.

        A second call goes on from the weights of the first.

        Parameters
        ----------
        X : (N, D) array
            Integer images are converted a minibatch at a time; float32 stays float32. A
            ``np.memmap`` larger than memory will do: besides one pass to look for NaN, only the
            rows of a minibatch are read.
        y : (N,) integer array
            Labels 0..C-1; the first call takes C = max(y) + 1.
        learning_rate, reg : float
            Both >= 0.
        num_iters, batch_size : int
            Both >= 1.
        verbose : bool
            Print the loss every 100 iterations.
        rng : Generator or RandomState
            Draws the first weights, 0.001 * N(0, 1), and the minibatches.

        Returns
        -------
        list of float
            The loss of each minibatch before its step.

        Raises
        ------
        NotFiniteError
            When the loss is no longer finite, with the iteration; W stays as it was before it.

        References
        ----------
        CS231n course notes, Optimization.
        """
        learning_rate = as_non_negative("learning_rate", learning_rate)
        reg = as_non_negative("reg", reg)
        num_iters = as_count("num_iters", num_iters)
        batch_size = as_count("batch_size", batch_size)
        rng = as_rng(rng)
        X, y = training_data(X, y)
        if self.W is None:
            self.W = first_weights(X, count_classes(y), rng)
        self.W = W = self._weights()
        check_columns(X, len(W), "W")
        check_label_range(y, W.shape[1], "W")
        ours = getattr(self.loss_function, "func", self.loss_function) in _TAKE_MINIBATCHES
        return train_linear(
            self, X, y, learning_rate, reg, num_iters, batch_size,
            verbose=verbose, rng=rng, gather=_gather(self.loss, LinearClassifier.loss, ours),
        )  # fmt: skip

    def _weights(self) -> Floats:
        if self.W is None:
            raise ValueError("the model has no weights yet: call train first, or set W")
        W: Floats = as_matrix("W", self.W, "(D, C)")
        return W


class LinearSVM(LinearClassifier):
    """Linear classifier with the multiclass hinge loss, see `svm_loss_vectorized`."""

    def __init__(self, *, delta: float = 1.0, reg_scale: float = 0.5) -> None:
        super().__init__(partial(svm_loss_vectorized, delta=delta, reg_scale=reg_scale))


class Softmax(LinearClassifier):
    """Linear classifier with the softmax cross-entropy loss, see `softmax_loss_vectorized`."""

    def __init__(self, *, reg_scale: float = 0.5) -> None:
        super().__init__(partial(softmax_loss_vectorized, reg_scale=reg_scale))


class TwoLayerNet:
    """Two-layer net: affine, ReLU, affine, softmax loss; a penalty on W1 and W2.

    Formula: ``scores = max(0, X W1 + b1) W2 + b2``.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        D, H and C, all >= 1.
    std : float
        Standard deviation of the first weights, >= 0.
    rng : Generator or RandomState
        Draws W1, then W2.
    dtype : floating dtype
        Of the parameters and so of the gradients.

    Attributes
    ----------
    params : dict
        W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).

    References
    ----------
    CS231n course notes, Neural Networks case study.

    Examples
    --------
    >>> net = TwoLayerNet(4, 10, 3)
    >>> net.loss(np.ones((5, 4))).shape
    (5, 3)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        std: float = 1e-4,
        *,
        rng: Rng | None = None,
        dtype: Any = np.float64,
    ) -> None:
        D = as_count("input_size", input_size)
        H = as_count("hidden_size", hidden_size)
        C = as_count("output_size", output_size)
        std = as_non_negative("std", std)
        dtype = as_float_dtype("dtype", dtype)
        rng = as_rng(rng)
        self.params = first_net((D, H, C), std, rng, dtype)

    def loss(
        self, X: ArrayLike, y: ArrayLike | None = None, reg: float = 0.0, *, reg_scale: float = 0.5
    ) -> Any:
        """Return the scores (N, C), or with labels the loss and the gradients of all parameters.

        Parameters
        ----------
        X : (N, D) array
        y : (N,) integer array, optional
            Labels 0..C-1.
        reg, reg_scale : float
            The penalty is reg_scale * reg * (sum(W1**2) + sum(W2**2)); both >= 0.

        Returns
        -------
        scores : (N, C) array
            Only where y is None.
        loss, grads : float, dict
            The gradients have the keys and shapes of `params`.
        """
        return net_answer(self._checked_params(), X, y, reg, reg_scale)

    def predict(self, X: ArrayLike) -> Labels:
        """Return the class (N,) with the highest score for each row of X (N, D)."""
        X = as_matrix("X", X, "(N, D)", integers_become=None)
        classes = np.empty(len(X), np.intp)
        for rows in blocks(len(X), X.shape[1] * self._checked_params()["W1"].itemsize):
            try:
                classes[rows] = np.argmax(self.loss(X[rows]), axis=1)
            except NotFiniteError:
                check_finite("X", X)  # names the row of X and not that of the block
                raise
        return classes

    def train(
        self,
        X: ArrayLike,
        y: ArrayLike,
        X_val: ArrayLike,
        y_val: ArrayLike,
        learning_rate: float = 1e-3,
        learning_rate_decay: float = 0.95,
        reg: float = 5e-6,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
        *,
        rng: Rng | None = None,
    ) -> dict[str, list[float]]:
        """Run gradient descent on minibatches; the learning rate decays after each epoch.

        An epoch is max(N // batch_size, 1) steps, an integer. The training accuracy is that of one
        fixed sample, up to 1,000 examples at equal distances in X: that of the last minibatch
        would be noise.

        Parameters
        ----------
        X, X_val : (N, D) and (M, D) arrays
        y, y_val : (N,) and (M,) integer arrays
            Labels 0..C-1.
        learning_rate, learning_rate_decay, reg : float
            All >= 0; the rate is multiplied by the decay after each epoch.
        num_iters, batch_size : int
            Both >= 1.
        verbose : bool
            Print the loss every 100 iterations.
        rng : Generator or RandomState
            Draws the minibatches.

        Returns
        -------
        dict
            ``loss_history``, the loss of each minibatch before its step; ``train_acc_history`` and
            ``val_acc_history``, accuracies in [0, 1] at the end of each epoch and of the training.

        Raises
        ------
        NotFiniteError
            As in `LinearClassifier.train`, and where accuracies cannot be computed after a step;
            the parameters stay as they were when the loss was last finite.
        """
        rate = as_non_negative("learning_rate", learning_rate)
        decay = as_non_negative("learning_rate_decay", learning_rate_decay)
        reg = as_non_negative("reg", reg)
        num_iters = as_count("num_iters", num_iters)
        batch_size = as_count("batch_size", batch_size)
        rng = as_rng(rng)
        self.params = params = self._checked_params()
        X, y = training_data(X, y)
        X_val, y_val = training_data(X_val, y_val, "_val")
        for suffix, data, labels in (("", X, y), ("_val", X_val, y_val)):
            check_columns(data, len(params["W1"]), "W1", "X" + suffix)
            check_label_range(labels, len(params["b2"]), "W2", "y" + suffix)
        sample = np.linspace(0, len(X) - 1, min(len(X), 1000)).astype(int)
        history: dict[str, list[float]] = {"train_acc_history": [], "val_acc_history": []}

        def note_accuracies() -> None:
            train, val = history.values()
            train.append(float(np.mean(self.predict(X[sample]) == y[sample])))
            val.append(float(np.mean(self.predict(X_val) == y_val)))

        losses = train_net(
            self, X, y, rate, decay, reg, num_iters, batch_size,
            verbose=verbose, rng=rng, gather=_gather(self.loss, TwoLayerNet.loss),
            after_epoch=note_accuracies,
        )  # fmt: skip
        return {"loss_history": losses, **history}

    def _checked_params(self) -> dict[str, Floats]:
        return as_net_params(self.params, 2)


class FullyConnectedNet:
    """Net of any depth: affine layers, ReLUs between them, softmax loss, 0.5 * reg on each W.

    Formula: ``hidden_k = max(0, hidden_(k-1) Wk + bk)``, ``scores = hidden_(L-1) WL + bL`` and the
    penalty ``0.5 * reg * (sum(W1**2) + ... + sum(WL**2))``. `Solver` trains it.

    Parameters
    ----------
    hidden_dims : sequence of int
        Units of each hidden layer; without any it is a linear classifier.
    input_dim, num_classes : int
        D and C.
    reg, weight_scale : float
        Strength of the penalty and standard deviation of the first weights, both >= 0.
    dtype : floating dtype
        Of the parameters, and of what is computed.
    rng : Generator or RandomState
        Draws W1, W2, ...

    Attributes
    ----------
    params : dict
        W1 (D, H1), b1 (H1,), W2 (H1, H2), b2 (H2,), ...
    reg : float
    dtype : dtype

    References
    ----------
    CS231n course notes, Neural Networks Part 1.

    Examples
    --------
    >>> net = FullyConnectedNet([10, 5], input_dim=12, num_classes=3)
    >>> net.loss(np.ones((2, 3, 2, 2))).shape, list(net.params)
    ((2, 3), ['W1', 'b1', 'W2', 'b2', 'W3', 'b3'])
    """

    def __init__(
        self,
        hidden_dims: Sequence[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        *,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        dtype: Any = np.float64,
        rng: Rng | None = None,
    ) -> None:
        if as_array("hidden_dims", hidden_dims).ndim != 1:
            raise TypeError(
                f"hidden_dims is {shown(hidden_dims)}, but it must be a list with the units of "
                "each hidden layer: pass [100] for one of 100"
            )
        sizes = (
            as_count("input_dim", input_dim),
            *(as_count(f"hidden_dims[{k}]", size) for k, size in enumerate(hidden_dims)),
            as_count("num_classes", num_classes),
        )
        weight_scale = as_non_negative("weight_scale", weight_scale)
        self.reg, self.dtype = as_non_negative("reg", reg), as_float_dtype("dtype", dtype)
        self.params = first_net(sizes, weight_scale, as_rng(rng), self.dtype)
        self.num_layers = len(sizes) - 1

    def loss(self, X: ArrayLike, y: ArrayLike | None = None) -> Any:
        """Return the scores (N, C), or with labels the loss and the gradients of all parameters.

        X is (N, d_1, ..., d_k) with d_1 * ... * d_k = D, y (N,) integers 0..C-1; the gradients have
        the keys and shapes of `params`.
        """
        X = as_rows("X", X, self.dtype)[1]
        with np.errstate(over="ignore"):
            X = X.astype(self.dtype, copy=False)
        return net_answer(as_net_params(self.params, self.num_layers), X, y, self.reg, 0.5)


def _gather(loss: Any, ours: Any, function_is_ours: bool = True) -> Callable[..., Any]:
    """How minibatches are copied: a loss of one's own, in a subclass for example, gets arrays."""
    is_ours = function_is_ours and getattr(loss, "__func__", None) is ours
    return Minibatch if is_ours else getitem


def first_net(sizes: Sequence[int], std: float, rng: Rng, dtype: Any) -> dict[str, Floats]:
    """Draw W1, b1, W2, ... of a net with layers of these sizes: std * N(0, 1), biases 0."""
    params: dict[str, Floats] = {}
    for k, shape in enumerate(pairwise(sizes), start=1):
        with np.errstate(over="ignore"):
            params[f"W{k}"] = (std * rng.standard_normal(shape)).astype(dtype)
        params[f"b{k}"] = np.zeros(shape[1], dtype)
        check_finite_result("weights overflow", params[f"W{k}"], std=std)
    return params


def as_net_params(params: Any, num_layers: int) -> dict[str, Floats]:
    """Return a net's parameters as arrays of real numbers; a shape that would broadcast is none."""
    names = [f"{letter}{k}" for k in range(1, num_layers + 1) for letter in "Wb"]
    if not isinstance(params, Mapping) or params.keys() != set(names):
        raise ValueError(
            f"params is {shown(params)}, but it must be a dict of {', '.join(names[:-1])} and "
            f"{names[-1]}"
        )
    arrays = {name: as_floats(name, params[name]) for name in names}
    weights = {name: as_matrix(name, arrays[name], "(D, M)") for name in names[::2]}
    sizes = [len(arrays["W1"]), *(W.shape[1] for W in weights.values())]
    for k, shape in enumerate(pairwise(sizes), start=1):
        for name, wanted in ((f"b{k}", shape[1:]), (f"W{k}", shape)):
            if arrays[name].shape != wanted:
                given = " and ".join(f"{name} {W.shape}" for name, W in weights.items())
                raise ValueError(
                    f"{name} has shape {arrays[name].shape}, but {given} need {wanted}: reshape it"
                )
    return arrays


def net_answer(
    params: Mapping[str, Floats], X: Any, y: ArrayLike | None, reg: float, reg_scale: float
) -> Any:
    """Return the scores (N, C) of X (N, D), or with labels (loss, gradients)."""
    dtype = params["W1"].dtype
    X = as_examples(X)
    check_columns(X, len(params["W1"]), "W1")
    if y is None:
        return net_scores(params, X)
    y = as_labels(y, len(X))
    last = len(params) // 2
    check_label_range(y, len(params[f"b{last}"]), f"W{last}")
    loss, grads = net_loss(params, X, y, reg, reg_scale)
    with np.errstate(over="ignore"):
        grads = {name: g.astype(dtype, copy=False) for name, g in grads.items()}
    for gradient in grads.values():
        check_finite_result("gradient overflows", gradient, X=X, **params)
    return loss, grads


def first_weights(X: Floats, num_classes: int, rng: Rng) -> Floats:
    """Draw weights (D, C) for X (N, D), 0.001 * N(0, 1), in its dtype or float64 for integers."""
    weights: Floats = 0.001 * rng.standard_normal((X.shape[1], num_classes))
    return weights.astype(as_floats("X", X[:1]).dtype)


def training_data(X: ArrayLike, y: ArrayLike, suffix: str = "") -> tuple[Floats, Labels]:
    """Check the data of a whole training run once; integer images stay as small as they are."""
    matrix = as_matrix("X" + suffix, X, "(N, D)", integers_become=None)
    if matrix.dtype.kind == "f":
        check_finite("X" + suffix, matrix)
    return matrix, as_labels(y, len(matrix), "X" + suffix, "y" + suffix)
