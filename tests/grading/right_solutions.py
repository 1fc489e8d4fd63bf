"""Right solutions of the classroom's exercises, in different styles: each must get everything.

RIGHT: (exercise id, name, source). A source defines the exercise's function and needs only `np`.
"""

# ruff: noqa: E501
# fmt: off
from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import Any

import numpy as np

from classroom.grading.exercises import FUNCTION

RIGHT: list[tuple[str, str, str]] = []


def defined(source: str, exercise: str) -> Callable[..., Any]:
    """Run a source and return the function that the exercise asks for."""
    namespace: dict[str, Any] = {"np": np}
    exec(source, namespace)
    function: Callable[..., Any] = namespace[FUNCTION[exercise]]
    return function


def right(exercise: str, name: str, source: str) -> None:
    RIGHT.append((exercise, name, dedent(source)))


right("svm_naive", "loops", """
    def hinge_loops(W, X, y, delta=1.0):
        loss = 0.0
        for i in range(len(X)):
            scores = X[i] @ W
            for j in range(W.shape[1]):
                if j != y[i]:
                    loss += max(0, scores[j] - scores[y[i]] + delta)
        return loss / len(X)
""")
right("svm_naive", "scalars", """
    def hinge_loops(W, X, y, delta=1.0):
        N, D = X.shape
        C = W.shape[1]
        total = 0
        for i in range(N):
            s = [sum(X[i, d] * W[d, c] for d in range(D)) for c in range(C)]
            total += sum(max(0.0, s[c] - s[y[i]] + delta) for c in range(C)) - delta
        return total / N
""")
right("svm_naive", "an array of size one", """
    def hinge_loops(W, X, y, delta=1.0):
        S = np.einsum("nd,dc->nc", X, W)
        M = np.maximum(0, S - S[np.arange(len(y)), y].reshape(-1, 1) + delta)
        return np.array([(M.sum() - delta * len(y)) / len(y)])
""")
right("svm_gradient", "loops, slope 0 at a kink", """
    def hinge_gradient_loops(W, X, y, delta=1.0):
        dW = np.zeros(W.shape)
        for i in range(len(X)):
            scores = X[i] @ W
            for j in range(W.shape[1]):
                if j != y[i] and scores[j] - scores[y[i]] + delta > 0:
                    dW[:, j] += X[i]
                    dW[:, y[i]] -= X[i]
        return dW / len(X)
""")
right("svm_gradient", "loops, slope 1 at a kink", """
    def hinge_gradient_loops(W, X, y, delta=1.0):
        dW = np.zeros_like(W)
        for x, label in zip(X, y):
            s = W.T @ x
            for j in range(len(s)):
                if j == label or s[j] - s[label] + delta < 0:
                    continue
                dW[:, j] += x / len(X)
                dW[:, label] -= x / len(X)
        return dW
""")
right("svm_gradient", "outer products", """
    def hinge_gradient_loops(W, X, y, delta=1.0):
        dW = np.zeros_like(W)
        for i, label in enumerate(y):
            s = X[i] @ W
            a = (s - s[label] + delta > 0) * 1.0
            a[label] -= a.sum()
            dW += np.outer(X[i], a)
        return dW / len(y)
""")
right("svm_vectorized", "mask", """
    def hinge_arrays(W, X, y, delta=1.0):
        rows = np.arange(len(y))
        scores = X @ W
        margins = np.maximum(0, scores - scores[rows, y][:, None] + delta)
        margins[rows, y] = 0
        A = (margins > 0).astype(float)
        A[rows, y] = -A.sum(axis=1)
        return margins.sum() / len(y), X.T @ A / len(y)
""")
right("svm_vectorized", "one-hot and einsum", """
    def hinge_arrays(W, X, y, delta=1.0):
        T = np.eye(W.shape[1])[y]
        S = np.einsum("nd,dc->nc", X, W)
        M = (S - (S * T).sum(1, keepdims=True) + delta) * (1 - T)
        A = np.where(M >= 0, 1.0, 0.0) * (1 - T)
        A = A - T * A.sum(1, keepdims=True)
        return [np.mean(np.sum(np.clip(M, 0, None), axis=1)), np.einsum("nd,nc->dc", X, A) / len(y)]
""")
right("svm_vectorized", "float32 stays float32, labels as a list", """
    def hinge_arrays(W, X, y, delta=1.0):
        labels = y.tolist()
        S = X.dot(W)
        correct = S[range(len(labels)), labels]
        M = np.maximum(0, S.T - correct + X.dtype.type(delta))
        M[labels, range(len(labels))] = 0
        A = (M > 0).astype(X.dtype)
        A[labels, range(len(labels))] = -A.sum(0)
        return M.sum() / len(labels), (A @ X).T / len(labels)
""")
right("penalty", "formula", """
    def penalty(W, reg, reg_scale=0.5):
        return reg_scale * reg * np.sum(W * W), 2 * reg_scale * reg * W
""")
right("penalty", "loops", """
    def penalty(W, reg, reg_scale=0.5):
        value, gradient = 0.0, np.zeros(W.shape)
        for i in range(W.shape[0]):
            for j in range(W.shape[1]):
                value += reg_scale * reg * W[i, j] ** 2
                gradient[i, j] = reg_scale * reg * 2 * W[i, j]
        return value, gradient
""")
right("penalty", "norm", """
    def penalty(W, reg, reg_scale=0.5):
        strength = reg * reg_scale
        return strength * np.linalg.norm(W) ** 2, np.multiply(W, strength) + strength * W
""")
right("sgd", "as asked", """
    def gradient_descent(loss_function, W, X, y, learning_rate, reg, num_iters, batch_size, rng):
        losses = []
        for _ in range(num_iters):
            rows = rng.choice(len(X), batch_size)
            loss, dW = loss_function(W, X[rows], y[rows], reg)
            losses.append(loss)
            W = W - learning_rate * dW
        return W, losses
""")
right("sgd", "on a copy, losses in an array, drawn beforehand", """
    def gradient_descent(loss_function, W, X, y, learning_rate, reg, num_iters, batch_size, rng):
        W = W.copy()
        losses = np.empty(num_iters)
        rows = rng.choice(len(X), (num_iters, batch_size))
        for k in range(num_iters):
            losses[k], dW = loss_function(W, X[rows[k]], y[rows[k]], reg)
            W -= learning_rate * dW
        return W, losses
""")
right("sgd", "without replacement, evaluates twice", """
    def gradient_descent(loss_function, W, X, y, learning_rate, reg, num_iters, batch_size, rng):
        W, losses = 1.0 * W, []
        while len(losses) < num_iters:
            rows = rng.permutation(len(X))[:batch_size]
            losses += [float(loss_function(W, X[rows], y[rows], reg)[0])]
            W = W - learning_rate * loss_function(W, X[rows], y[rows], reg)[1]
        return [W, losses]
""")
right("search", "two loops", """
    def grid_search(evaluate, learning_rates, regs):
        accuracies, best = {}, None
        for learning_rate in learning_rates:
            for reg in regs:
                accuracies[learning_rate, reg] = evaluate(learning_rate, reg)
                if best is None or accuracies[learning_rate, reg] > accuracies[best]:
                    best = (learning_rate, reg)
        return accuracies, best
""")
right("search", "comprehension", """
    def grid_search(evaluate, learning_rates, regs):
        accuracies = {(a, b): evaluate(a, b) for b in regs for a in learning_rates}
        return accuracies, max(accuracies, key=accuracies.get)
""")
right("search", "argmax of a table", """
    def grid_search(evaluate, learning_rates, regs):
        table = np.array([[evaluate(a, b) for b in sorted(regs)] for a in learning_rates])
        i, j = np.unravel_index(table.argmax(), table.shape)
        pairs = [(a, b) for a in learning_rates for b in sorted(regs)]
        best = [np.float64(learning_rates[i]), sorted(regs)[j]]
        return dict(zip(pairs, table.ravel())), best
""")
right("softmax_naive", "loops", """
    def softmax_loops(W, X, y, reg):
        loss = 0.0
        for i in range(len(X)):
            scores = X[i] @ W
            scores = scores - scores.max()
            loss += np.log(np.sum(np.exp(scores))) - scores[y[i]]
        return loss / len(X) + 0.5 * reg * np.sum(W * W)
""")
right("softmax_naive", "log of the quotient", """
    def softmax_loops(W, X, y, reg):
        losses = []
        for x, label in zip(X, y):
            s = x @ W
            e = np.exp(s - max(s))
            losses.append(-np.log(e[label] / sum(e)))
        return np.mean(losses) + reg / 2 * np.linalg.norm(W) ** 2
""")
right("softmax_naive", "logaddexp", """
    def softmax_loops(W, X, y, reg):
        S = X @ W
        return (np.logaddexp.reduce(S, axis=1) - S[np.arange(len(y)), y]).mean() + 0.5 * reg * (W**2).sum()
""")
right("softmax_gradient", "loops", """
    def softmax_gradient_loops(W, X, y, reg):
        dW = np.zeros_like(W)
        for i in range(len(X)):
            e = np.exp(X[i] @ W - (X[i] @ W).max())
            p = e / e.sum()
            for j in range(W.shape[1]):
                dW[:, j] += (p[j] - (j == y[i])) * X[i]
        return dW / len(X) + reg * W
""")
right("softmax_gradient", "product", """
    def softmax_gradient_loops(W, X, y, reg):
        S = X @ W
        P = np.exp(S - S.max(1, keepdims=True))
        P /= P.sum(1, keepdims=True)
        return np.einsum("nd,nc->dc", X, P - np.eye(W.shape[1])[y]) / len(y) + W * reg
""")
right("softmax_vectorized", "in place on its own arrays", """
    def softmax_arrays(W, X, y, reg):
        N = len(y)
        P = X @ W
        P -= P.max(axis=1, keepdims=True)
        np.exp(P, out=P)
        P /= P.sum(axis=1, keepdims=True)
        loss = -np.log(P[np.arange(N), y]).mean() + 0.5 * reg * np.sum(W**2)
        P[np.arange(N), y] -= 1
        P /= N
        return loss, X.T @ P + reg * W
""")
right("softmax_vectorized", "log-sum-exp, other layout", """
    def softmax_arrays(W, X, y, reg):
        S = W.T @ X.T
        logP = S - np.logaddexp.reduce(S, axis=0)
        T = np.arange(len(S))[:, None] == y
        return -logP[T].mean() + reg * np.sum(W**2) / 2, ((np.exp(logP) - T) @ X).T / len(y) + reg * W
""")
right("softmax_vectorized", "a tiny number in the logarithm", """
    def softmax_arrays(W, X, y, reg):
        S = X @ W
        E = np.exp(S - S.max(1)[:, None])
        P = E / E.sum(1)[:, None]
        T = np.eye(W.shape[1])[y]
        loss = -(T * np.log(P + 1e-12)).sum() / len(y)
        return loss + 0.5 * reg * np.sum(W * W), X.T.dot(P - T) / len(y) + reg * W
""")
right("net_forward", "arrays", """
    def net_forward(params, X):
        hidden = np.maximum(0, X @ params["W1"] + params["b1"])
        return hidden, hidden @ params["W2"] + params["b2"]
""")
right("net_forward", "loops", """
    def net_forward(params, X):
        hidden = np.zeros((len(X), len(params["b1"])))
        scores = np.zeros((len(X), len(params["b2"])))
        for i, x in enumerate(X):
            z = params["W1"].T @ x + params["b1"]
            z[z < 0] = 0
            hidden[i] = z
            scores[i] = params["W2"].T @ z + params["b2"]
        return hidden, scores
""")
right("net_backward", "arrays", """
    def net_backward(params, X, hidden, dscores, reg, reg_scale=0.5):
        dhidden = dscores @ params["W2"].T
        dhidden[hidden <= 0] = 0
        return {
            "W1": X.T @ dhidden + 2 * reg_scale * reg * params["W1"],
            "b1": dhidden.sum(axis=0),
            "W2": hidden.T @ dscores + 2 * reg_scale * reg * params["W2"],
            "b2": dscores.sum(axis=0),
        }
""")
right("net_backward", "loops", """
    def net_backward(params, X, hidden, dscores, reg, reg_scale=0.5):
        grads = {name: np.zeros(array.shape) for name, array in params.items()}
        for x, h, d in zip(X, hidden, dscores):
            dz = (params["W2"] @ d) * (h > 0)
            grads["W2"] += np.outer(h, d)
            grads["b2"] += d
            grads["W1"] += np.outer(x, dz)
            grads["b1"] += dz
        for name in ("W1", "W2"):
            grads[name] += reg * reg_scale * 2 * params[name]
        return grads
""")
right("net_backward", "einsum, the mask computed anew", """
    def net_backward(params, X, hidden, dscores, reg, reg_scale=0.5):
        on = X @ params["W1"] + params["b1"] >= 0
        dz = np.einsum("nc,hc,nh->nh", dscores, params["W2"], on)
        strength = 2 * reg_scale * reg
        return dict(
            b2=np.einsum("nc->c", dscores), W2=np.einsum("nh,nc->hc", hidden, dscores) + strength * params["W2"],
            b1=np.ones(len(X)) @ dz, W1=np.einsum("nd,nh->dh", X, dz) + strength * params["W1"],
        )
""")
right("net_training", "as asked", """
    def train_net(loss_function, params, X, y, learning_rate, decay, reg, num_iters, batch_size, rng):
        epoch = max(len(X) // batch_size, 1)
        losses = []
        for step in range(num_iters):
            rows = rng.choice(len(X), batch_size)
            loss, grads = loss_function(params, X[rows], y[rows], reg)
            losses.append(loss)
            params = {name: params[name] - learning_rate * grads[name] for name in params}
            if (step + 1) % epoch == 0:
                learning_rate *= decay
        return params, losses
""")
right("net_training", "copies, the rate computed", """
    def train_net(loss_function, params, X, y, learning_rate, decay, reg, num_iters, batch_size, rng):
        params = {name: array.copy() for name, array in params.items()}
        epoch = max(X.shape[0] // batch_size, 1)
        losses = []
        for step in range(num_iters):
            rows = rng.choice(X.shape[0], size=batch_size, replace=True)
            loss, grads = loss_function(params, X[rows], y[rows], reg)
            for name in grads:
                params[name] -= learning_rate * decay ** (step // epoch) * grads[name]
            losses += [loss]
        return params, np.array(losses)
""")
right("net_training", "without replacement", """
    def train_net(loss_function, params, X, y, learning_rate, decay, reg, num_iters, batch_size, rng):
        epoch, losses = max(len(X) // batch_size, 1), []
        for step in range(1, num_iters + 1):
            rows = rng.choice(len(X), batch_size, replace=False)
            loss, grads = loss_function(params, X[rows], y[rows], reg)
            losses.append(float(loss))
            params = dict((k, v - learning_rate * grads[k]) for k, v in params.items())
            learning_rate = learning_rate * decay if step % epoch == 0 else learning_rate
        return params, tuple(losses)
""")
right("svm_dx", "arrays", """
    def svm_dx(W, X, y, delta=1.0):
        rows = np.arange(len(y))
        scores = X @ W
        A = (scores - scores[rows, y][:, None] + delta > 0).astype(float)
        A[rows, y] = 0
        A[rows, y] = -A.sum(axis=1)
        return A @ W.T / len(y)
""")
right("svm_dx", "loops, slope 1 at a kink", """
    def svm_dx(W, X, y, delta=1.0):
        dX = np.zeros_like(X)
        for i in range(len(X)):
            s = X[i] @ W
            for j in range(W.shape[1]):
                if j != y[i] and s[j] - s[y[i]] + delta >= 0:
                    dX[i] += (W[:, j] - W[:, y[i]]) / len(X)
        return dX
""")
right("softmax_dx", "arrays", """
    def softmax_dx(W, X, y):
        S = X @ W
        P = np.exp(S - S.max(1, keepdims=True))
        P /= P.sum(1, keepdims=True)
        P[np.arange(len(y)), y] -= 1
        return P @ W.T / len(y)
""")
right("softmax_dx", "unshifted, by the Jacobian", """
    def softmax_dx(W, X, y):
        dX = np.zeros(X.shape)
        for i in range(len(X)):
            p = np.exp(X[i] @ W)
            p = p / p.sum()
            jacobian = np.diag(p) - np.outer(p, p)
            dX[i] = W @ (jacobian[y[i]] * -1 / p[y[i]]) / len(X)
        return dX
""")
right("net_dx", "arrays", """
    def net_dx(params, X, y):
        hidden = np.maximum(0, X @ params["W1"] + params["b1"])
        S = hidden @ params["W2"] + params["b2"]
        P = np.exp(S - S.max(1, keepdims=True))
        P /= P.sum(1, keepdims=True)
        P[np.arange(len(y)), y] -= 1
        dhidden = P / len(y) @ params["W2"].T
        dhidden[hidden <= 0] = 0
        return dhidden @ params["W1"].T
""")
right("net_dx", "row by row", """
    def net_dx(params, X, y):
        dX = []
        for x, label in zip(X, y):
            z = x @ params["W1"] + params["b1"]
            s = np.where(z > 0, z, 0) @ params["W2"] + params["b2"]
            p = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
            p[label] -= 1
            dX.append(params["W1"] @ ((z >= 0) * (params["W2"] @ p)))
        return np.array(dX) / len(X)
""")
right("affine_backward", "products", """
    def affine_backward(dout, cache):
        x, w, b = cache
        rows = x.reshape(len(x), -1)
        return (dout @ w.T).reshape(x.shape), rows.T @ dout, dout.sum(axis=0)
""")
right("affine_backward", "example by example", """
    def affine_backward(dout, cache):
        x, w, b = cache
        dx, dw, db = np.zeros_like(x), np.zeros_like(w), 0 * b
        for i, d in enumerate(dout):
            dx[i] = (w @ d).reshape(x[i].shape)
            dw += np.outer(x[i], d)
            db += d
        return [dx, dw, db]
""")
right("relu_backward", "a mask", """
    def relu_backward(dout, cache):
        return dout * (cache > 0)
""")
right("relu_backward", "a copy, then zeros", """
    def relu_backward(dout, cache):
        dx = dout.copy()
        dx[cache < 0] = 0
        return dx
""")
right("sgd_momentum", "a new config", """
    def sgd_momentum(w, dw, config=None):
        config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": np.zeros_like(w), **(config or {})}
        config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
        return w + config["velocity"], config
""")
right("sgd_momentum", "the config in place", """
    def sgd_momentum(w, dw, config=None):
        if config is None:
            config = {}
        config.setdefault("learning_rate", 1e-2)
        config.setdefault("momentum", 0.9)
        v = config.get("velocity", np.zeros_like(w))
        v *= config["momentum"]
        v -= config["learning_rate"] * dw
        config["velocity"] = v
        return w + v, config
""")
right("adam", "a new config", """
    def adam(w, dw, config=None):
        usual = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
        config = {**usual, "m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0, **(config or {})}
        config["t"] = config["t"] + 1
        config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
        config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw**2
        m = config["m"] / (1 - config["beta1"] ** config["t"])
        v = config["v"] / (1 - config["beta2"] ** config["t"])
        return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config
""")
right("adam", "the paper's other form, config in place", """
    def adam(w, dw, config=None):
        config = {} if config is None else config
        for k, v in {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}.items():
            config.setdefault(k, v)
        for k in "mv":
            config.setdefault(k, np.zeros_like(w))
        config["t"] += 1
        config["m"] += (1 - config["beta1"]) * (dw - config["m"])
        config["v"] += (1 - config["beta2"]) * (dw * dw - config["v"])
        root = np.sqrt(1 - config["beta2"] ** config["t"])
        rate = config["learning_rate"] * root / (1 - config["beta1"] ** config["t"])
        return w - rate * config["m"] / (np.sqrt(config["v"]) + root * config["epsilon"]), config
""")
