"""Right functions called in unusual ways: objects, closures, keywords, one example, layers."""

from __future__ import annotations

import functools
import itertools

import numpy as np
from scipy.special import expit, log_softmax

import cs231n_helpers
from cs231n_helpers import check_gradient
from house_calls import drawn, normal, right

N, D, H, C = 13, 6, 5, 4
X, W = normal(N, D), normal(D, C) / 2
y = np.arange(N) * 3 % C
Y = np.eye(C)[y]
t = normal(N)


def check_layer(*args, **settings):
    return cs231n_helpers.check_layer(*args, **settings)


# ---- one example, written for one example only


@right("single example", drawn(W1=(D, H), b1=(H,), W2=(H, C), b2=(C,)), X[:1], y[:1])
def row_whose_biases_are_vectors(p, x, y):
    h = np.maximum(0, x @ p["W1"] + p["b1"])
    L = log_softmax(h @ p["W2"] + p["b2"], axis=1)
    d = np.exp(L)
    d[0, y[0]] -= 1
    dz = d @ p["W2"].T * (h > 0)
    return -L[0, y[0]], {"W1": x.T @ dz, "b1": dz[0], "W2": h.T @ d, "b2": d.ravel()}


@right("single example", {"W": W, "b": np.zeros(C)}, X[:1], Y[:1])
def one_row_of_softmax(p, x, t):
    s = x @ p["W"] + p["b"]
    q = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
    return -np.log(q[0] @ t[0]), {"W": np.outer(x, q - t), "b": (q - t)[0]}


@right("single example", {"W": W.T.copy(), "b": normal(C, 1)}, X[:1].T.copy(), [1])
def one_column_and_its_label(p, x, label):
    z = p["W"] @ x + p["b"]
    margins = np.maximum(0, z - z[label[0]] + 1)
    margins[label[0]] = 0
    d = (margins > 0) * 1.0
    d[label[0]] = -d.sum()
    return margins.sum(), {"W": d @ x.T, "b": d}


@right(
    "single example",
    {"w": normal(1, D) / 2, "b": np.zeros((1, 1))},
    X[:1].T.copy(),
    np.ones((1, 1)),
)
def one_neuron(p, x, t):
    a = expit(p["w"] @ x + p["b"])
    d = (a - t) * a * (1 - a)
    return 0.5 * ((a - t) ** 2).item(), {"w": d @ x.T, "b": d}


@right("single example", normal(D) / 2, X[4], 1)
def perceptron_with_a_margin(w, x, sign):
    return max(0.0, 1 - sign * (w @ x)), -sign * x * (sign * (w @ x) < 1)


# ---- closures, partial functions, keywords


def softmax_of(X, y, reg=0.0):
    def loss(W):
        L = log_softmax(X @ W, axis=1)
        data = -L[np.arange(len(y)), y].mean()
        return data + reg * np.sum(W**2), X.T @ (np.exp(L) - np.eye(L.shape[1])[y]) / len(
            y
        ) + 2 * reg * W

    return loss


@right("closure", X, y, 0.2, ask=lambda make, *a: check_gradient(make(*a), W))
def closure_over_data(X, y, reg):
    return softmax_of(X, y, reg)


@right("closure", ask=lambda f: check_gradient(functools.partial(f, X=X, target=t), normal(D)))
def partial_function(w, X, target, half=0.5):
    r = X @ w - target
    return half * r @ r, 2 * half * X.T @ r


@right("keywords", W, images=X, labels=y, strength=0.1)
def keywords_alone(weights, *, images, labels, strength):
    value, gradient = softmax_of(images, labels)(weights)
    return value + strength / 2 * np.sum(weights**2), gradient + strength * weights


@right("keywords", W, {"X": X, "y": y}, settings={"reg": 0.1})
def batch_in_a_dict(W, batch, settings):
    value, gradient = softmax_of(batch["X"], batch["y"])(W)
    return value + settings["reg"] * np.sum(W**2), gradient + 2 * settings["reg"] * W


# ---- objects that are called with their parameters


class CallableModel:
    def __init__(self):
        self.X, self.y, self.reg, self.calls = X, y, 0.1, 0

    def __call__(self, W):
        self.calls += 1
        S = self.X @ W
        P = np.exp(S - S.max(1, keepdims=True))
        P /= P.sum(1, keepdims=True)
        value = -np.log(P[np.arange(len(S)), self.y]).mean() + self.reg * np.sum(W**2)
        P[np.arange(len(S)), self.y] -= 1
        return value, self.X.T @ P / len(S) + 2 * self.reg * W


right("class", ask=lambda model: check_gradient(model(), W))(CallableModel)


class TakesItsWeights:
    reg = 0.3

    def objective(self, W, X, y):
        self.W = W
        return self.data(X, y) + 0.5 * self.reg * np.sum(W**2), self.gradient(X, y)

    def data(self, X, y):
        self.L = log_softmax(X @ self.W, axis=1)
        return -self.L[np.arange(len(y)), y].mean()

    def gradient(self, X, y):
        return X.T @ (np.exp(self.L) - np.eye(self.W.shape[1])[y]) / len(y) + self.reg * self.W


right("class", ask=lambda model: check_gradient(model().objective, W, X, y))(TakesItsWeights)


# ---- objects that hold their parameters


class TwoLayers:
    def __init__(self):
        self.reg = 0.4
        self.params = drawn(W1=(D, H), b1=(H,), W2=(H, C), b2=(C,))

    def loss(self, X, y=None):
        p, n = self.params, len(X)
        h = np.maximum(0, X @ p["W1"] + p["b1"])
        S = h @ p["W2"] + p["b2"]
        if y is None:
            return S
        L = log_softmax(S, axis=1)
        value = -L[np.arange(n), y].mean()
        value += 0.5 * self.reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))
        d = (np.exp(L) - np.eye(L.shape[1])[y]) / n
        dh = d @ p["W2"].T * (h > 0)
        return value, {
            "W1": X.T @ dh + self.reg * p["W1"],
            "b1": dh.sum(0),
            "W2": h.T @ d + self.reg * p["W2"],
            "b2": d.sum(0),
        }


def read_in_place(make):
    net = make()
    return check_gradient(lambda _: net.loss(X, y), net.params)


right("net", ask=lambda make: check_gradient(make(), X, y))(TwoLayers)


class DeepNet:
    def __init__(self, *sizes):
        self.params = {}
        for i, (m, n) in enumerate(itertools.pairwise((D, *sizes, C)), start=1):
            self.params |= {f"W{i}": normal(m, n) / 2, f"b{i}": normal(n) / 3}

    def loss(self, X, y, reg=0.0):
        p, depth, a = self.params, len(self.params) // 2, [X]
        for i in range(1, depth):
            a.append(np.tanh(a[-1] @ p[f"W{i}"] + p[f"b{i}"]))
        L = log_softmax(a[-1] @ p[f"W{depth}"] + p[f"b{depth}"], axis=1)
        value, grads = -L[np.arange(len(y)), y].mean(), {}
        d = (np.exp(L) - np.eye(L.shape[1])[y]) / len(y)
        for i in range(depth, 0, -1):
            grads |= {f"W{i}": a[i - 1].T @ d + reg * p[f"W{i}"], f"b{i}": d.sum(0)}
            value += reg / 2 * np.sum(p[f"W{i}"] ** 2)
            d = d @ p[f"W{i}"].T * (1 - a[i - 1] ** 2)
        return value, grads


right("net", ask=lambda make: check_gradient(make(7, H).loss, X, y, 0.2))(DeepNet)


class Regressor:
    def __init__(self, data):
        self.X, self.t = data
        self.params = {"w": normal(D), "b": np.array(0.1)}

    def loss(self):
        r = self.X @ self.params["w"] + self.params["b"] - self.t
        return np.mean(r**2), {"w": 2 * self.X.T @ r / len(r), "b": 2 * r.mean()}


def ask_in_place(make):
    model = make((X, t))
    return check_gradient(lambda _: model.loss(), model.params)


right("net", ask=ask_in_place)(Regressor)


# ---- layers


@right("check_layer", ask=lambda make, *a: check_layer(*make(), *a))
def dense_of_images():
    def forward(x, w, b):
        return x.reshape(len(x), -1) @ w + b, (x, w)

    def backward(dout, cache):
        x, w = cache
        dx = (dout @ w.T).reshape(x.shape)
        return dx, x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)

    return forward, backward, normal(3, 2, 4), normal(8, 5), normal(5)


@right("check_layer", ask=lambda make: check_layer(*make()))
def relu_layer():
    def forward(x):
        return np.maximum(x, 0), x

    def backward(dout, x):
        return dout * (x > 0)

    return forward, backward, normal(4, 5)


@right("check_layer", ask=lambda make: check_layer(*make()))
def batch_norm_layer():
    def forward(x, gamma, beta):
        mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0) + 1e-5)
        hat = (x - mean) / std
        return gamma * hat + beta, (hat, std, gamma)

    def backward(dout, cache):
        hat, std, gamma = cache
        dgamma, dbeta = (dout * hat).sum(axis=0), dout.sum(axis=0)
        dx = gamma / std * (dout - dout.mean(axis=0) - hat * (dout * hat).mean(axis=0))
        return dx, dgamma, dbeta

    return forward, backward, normal(7, 3), normal(3), normal(3, seed=1)


@right("check_layer", ask=lambda make: check_layer(*make()[:3], dout=make()[3]))
def dropout_layer():
    mask = (normal(4, 6, seed=2) > 0) / 0.5

    def forward(x):
        return x * mask, mask

    def backward(dout, mask):
        return dout * mask

    return forward, backward, normal(4, 6), normal(4, 6, seed=3)


@right("check_layer", ask=lambda make: check_layer(*make()))
def convolution_layer():
    def forward(x, w, b):
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        out = np.zeros((len(x), len(w), *x.shape[2:]))
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                window = padded[:, None, :, i : i + 3, j : j + 3]
                out[:, :, i, j] = (window * w).sum(axis=(2, 3, 4)) + b
        return out, (x, w, padded)

    def backward(dout, cache):
        x, w, padded = cache
        dpad, dw = np.zeros_like(padded), np.zeros_like(w)
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                d = dout[:, :, i, j, None, None, None]
                dpad[:, :, i : i + 3, j : j + 3] += (d * w).sum(axis=1)
                dw += (d * padded[:, None, :, i : i + 3, j : j + 3]).sum(axis=0)
        return dpad[:, :, 1:-1, 1:-1], dw, dout.sum(axis=(0, 2, 3))

    return forward, backward, normal(2, 2, 4, 5), normal(3, 2, 3, 3), normal(3)


@right("check_layer", ask=lambda make: check_layer(*make()))
def pooling_layer():
    def forward(x):
        out = np.zeros((*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(2, 3))
        return out, (x, out)

    def backward(dout, cache):
        x, out = cache
        dx = np.zeros_like(x)
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                here = (..., slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2))
                dx[here] += (x[here] == out[:, :, i, j, None, None]) * dout[:, :, i, j, None, None]
        return dx

    return forward, backward, normal(2, 3, 4, 6)
