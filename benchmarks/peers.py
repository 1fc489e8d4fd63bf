"""What the package is measured against: the usual course solution, PyTorch, scikit-learn.

The usual solution is written here the way nearly every public solution of the assignment writes it.

Shapes: N examples, D features, H hidden units, C classes.
"""

from __future__ import annotations

import importlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np

Array = Any  # of NumPy or of PyTorch


def usual_softmax(W: Array, X: Array, y: Array, reg: float) -> tuple[float, Array]:
    """Softmax loss and gradient, vectorized."""
    N = X.shape[0]
    scores = X.dot(W)  # (N, C)
    scores -= scores.max(axis=1, keepdims=True)
    probabilities = np.exp(scores)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = -np.log(probabilities[np.arange(N), y]).mean() + 0.5 * reg * np.sum(W * W)
    probabilities[np.arange(N), y] -= 1
    return loss, X.T.dot(probabilities) / N + reg * W


def usual_svm(W: Array, X: Array, y: Array, reg: float) -> tuple[float, Array]:
    """Hinge loss and gradient, vectorized."""
    N = X.shape[0]
    scores = X.dot(W)  # (N, C)
    margins = np.maximum(0, scores - scores[np.arange(N), y][:, np.newaxis] + 1)
    margins[np.arange(N), y] = 0
    loss = margins.sum() / N + 0.5 * reg * np.sum(W * W)
    mask = (margins > 0).astype(X.dtype)
    mask[np.arange(N), y] = -mask.sum(axis=1)
    return loss, X.T.dot(mask) / N + reg * W


def usual_linear_training(
    X: Array, y: Array, rate: float, reg: float, num_iters: int, batch_size: int
) -> Array:
    """Return W (D, C) of a linear SVM after the usual training loop."""
    rng = np.random.RandomState(0)
    W = (0.001 * rng.randn(X.shape[1], y.max() + 1)).astype(X.dtype)
    losses = []
    for _ in range(num_iters):
        rows = rng.choice(X.shape[0], batch_size)
        loss, dW = usual_svm(W, X[rows], y[rows], reg)
        losses.append(loss)
        W -= rate * dW
    return W


def usual_net(params: dict[str, Array], X: Array, y: Array, reg: float) -> tuple[float, Any]:
    """Loss and gradients of the two-layer net."""
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(params["W1"]) + params["b1"])  # (N, H)
    scores = hidden.dot(params["W2"]) + params["b2"]  # (N, C)
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    dscores = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = -np.log(dscores[np.arange(N), y]).mean()
    loss += 0.5 * reg * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dhidden = dscores.dot(params["W2"].T)
    dhidden[hidden <= 0] = 0
    return loss, {
        "W1": X.T.dot(dhidden) + reg * params["W1"],
        "b1": dhidden.sum(axis=0),
        "W2": hidden.T.dot(dscores) + reg * params["W2"],
        "b2": dscores.sum(axis=0),
    }


def usual_net_training(
    params: dict[str, Array], X: Array, y: Array, rate: float, reg: float, num_iters: int
) -> None:
    """Train the two-layer net in place, on minibatches of 200."""
    rng = np.random.RandomState(0)
    losses = []
    for _ in range(num_iters):
        rows = rng.choice(X.shape[0], 200)
        loss, grads = usual_net(params, X[rows], y[rows], reg)
        losses.append(loss)
        for name in params:
            params[name] -= rate * grads[name]


def usual_cifar10(folder: Path) -> Array:
    """Load the pickled CIFAR-10 as the course's data_utils.py and notebooks do.

    Returns X_train (49000, 3073), float32, mean subtracted, bias column appended.
    """

    def batch(name: str) -> tuple[Array, Array]:
        with open(folder / name, "rb") as file:
            content = pickle.load(file, encoding="latin1")
        images = content["data"].reshape(10000, 3, 32, 32).transpose(0, 2, 3, 1).astype("float")
        return images, np.array(content["labels"])

    images, labels = zip(*(batch(f"data_batch_{i}") for i in range(1, 6)), strict=True)
    X, y = np.concatenate(images), np.concatenate(labels)
    X_test, y_test = batch("test_batch")
    X_train, X_val, X_test = X[range(49000)], X[range(49000, 50000)], X_test[range(1000)]
    _ = y[range(49000)], y[range(49000, 50000)], y_test[range(1000)]
    parts = [part.reshape(len(part), -1) for part in (X_train, X_val, X_test)]
    mean = np.mean(parts[0], axis=0)
    for part in parts:
        part -= mean
    parts = [np.hstack([part, np.ones((len(part), 1))]) for part in parts]
    X_train, X_val, X_test = (part.astype(np.float32) for part in parts)
    return X_train


def installed(name: str) -> Any:
    """Return the module of that name, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


class Torch:
    """The same work by PyTorch's automatic differentiation, on the same memory."""

    def __init__(self, torch: Any, X: Array, y: Array) -> None:
        self.torch = torch
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)

    def _loss(self, kind: str, scores: Array, y: Array) -> Any:
        functional = self.torch.nn.functional
        if kind == "softmax":
            return functional.cross_entropy(scores, y)
        return functional.multi_margin_loss(scores, y) * scores.shape[1]  # PyTorch divides by C

    def linear(self, kind: str, W: Array, reg: float) -> tuple[float, Array]:
        """Loss and gradient of the linear model at W."""
        W = self.torch.from_numpy(W).requires_grad_()
        loss = self._loss(kind, self.X @ W, self.y) + 0.5 * reg * (W * W).sum()
        loss.backward()
        return float(loss.detach()), W.grad.numpy()

    def training(
        self, kind: str, params: list[Array], rate: float, reg: float, num_iters: int
    ) -> None:
        """Steps of minibatches of 200: params (W,) for a linear model, (W1, b1, W2, b2) a net."""
        params = [self.torch.from_numpy(p.copy()).requires_grad_() for p in params]
        optimizer = self.torch.optim.SGD(params, lr=rate)
        for _ in range(num_iters):
            rows = self.torch.randint(len(self.X), (200,))
            scores = self.X[rows]
            if len(params) == 1:
                scores = scores @ params[0]
            else:
                hidden = self.torch.relu(self.torch.addmm(params[1], scores, params[0]))
                scores = self.torch.addmm(params[3], hidden, params[2])
            loss = self._loss(kind, scores, self.y[rows])
            loss = loss + 0.5 * reg * sum((p * p).sum() for p in params[::2])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def sklearn_net_training(X: Array, y: Array, hidden_size: int, rate: float, epochs: int) -> None:
    """Train scikit-learn's two-layer net: the same minibatches of 200, plain gradient descent."""
    net = importlib.import_module("sklearn.neural_network").MLPClassifier(
        (hidden_size,), solver="sgd", momentum=0, batch_size=200, learning_rate_init=rate,
        max_iter=epochs, n_iter_no_change=epochs + 1, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few epochs do not converge is no news
        net.fit(X, y)
