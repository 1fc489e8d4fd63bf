"""Calls that misled somebody, rebuilt: a right function, and what its author had instead."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from cs231n_helpers import check_gradient
from house_calls import drawn, normal, right, wrong

N, D, H, C = 21, 10, 7, 5
X, W = normal(N, D), 0.1 * normal(D, C)
y = np.arange(N) * 2 % C
Y, x_col, t_col = np.eye(C)[y], np.abs(normal(D, 1)), np.eye(C)[:, [2]]
A, t, zero_one = np.c_[np.ones(N), X[:, :4]], normal(N), (normal(N) > 0) * 1.0


@right("single example", drawn(W1=(H, D), b1=(H, 1), W2=(C, H), b2=(C, 1)), x_col, t_col)
def sigmoid_column(p, x, t):
    hidden = expit(p["W1"] @ x + p["b1"])
    out = expit(p["W2"] @ hidden + p["b2"])
    d2 = out - t
    d1 = p["W2"].T @ d2 * hidden * (1 - hidden)
    value = -np.sum(t * np.log(out) + (1 - t) * np.log(1 - out))
    return value, {"W1": d1 @ x.T, "b1": d1, "W2": d2 @ hidden.T, "b2": d2}


@right("single example", drawn(W1=(D, H), b1=(1, H), W2=(H, C), b2=(1, C)), x_col.T, normal(1, C))
def tanh_row(p, x, t):
    hidden = np.tanh(x @ p["W1"] + p["b1"])
    d2 = hidden @ p["W2"] + p["b2"] - t
    d1 = d2 @ p["W2"].T * (1 - hidden**2)
    return 0.5 * np.sum(d2**2), {"W1": x.T @ d1, "b1": d1, "W2": hidden.T @ d2, "b2": d2}


@right("regression", np.ones(2), np.c_[np.ones(60), np.arange(60.0)], np.arange(60) + 9.0)
def mean_square(theta, A, t):
    r = A @ theta - t
    return np.sum(r**2) / (2 * A.shape[0]), A.T @ r / A.shape[0]


@right("regression", normal(5), A, t, 0.6)
def penalized_square(beta, A, t, strength):
    r = A @ beta - t
    return 0.5 * r @ r + strength / 2 * np.sum(beta**2), A.T @ r + strength * beta


class HoldsReg:
    def __init__(self):
        self.reg = 0.8
        self.params = drawn(W1=(D, H), b1=(H,), W2=(H, C), b2=(C,))

    def loss(self, X, y):
        p, n = self.params, len(X)
        hidden = np.maximum(0, X @ p["W1"] + p["b1"])
        S = hidden @ p["W2"] + p["b2"]
        P = np.exp(S - S.max(1, keepdims=True))
        P /= P.sum(1, keepdims=True)
        squares = np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2)
        value = -np.log(P[np.arange(n), y]).mean() + 0.5 * self.reg * squares
        P[np.arange(n), y] -= 1
        d = P @ p["W2"].T / n * (hidden > 0)
        grads = {"W1": X.T @ d + self.reg * p["W1"], "b1": d.sum(0)}
        return value, grads | {"W2": hidden.T @ P / n + self.reg * p["W2"], "b2": P.mean(0)}


def with_params_set(make):
    net = make()

    def loss(params, X, y):
        net.params = params
        return net.loss(X, y)

    return check_gradient(loss, net.params, X, y)


right("net", ask=with_params_set)(HoldsReg)


@right("linear", W, X, Y, 0.1)
def softmax_of_one_hot(W, X, Y, reg):
    S = X @ W
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    value = -np.mean(np.sum(Y * np.log(P), axis=1)) + 0.5 * reg * np.sum(W**2)
    return value, X.T @ (P - Y) / len(X) + reg * W


@right("linear", W, X, y, 0.1)
def softmax_of_labels(W, X, y, reg):
    S = X @ W
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    value = -np.log(P[np.arange(len(X)), y]).sum() / len(X) + reg * np.sum(W**2)
    P[np.arange(len(X)), y] -= 1
    return value, X.T @ P / len(X) + 2 * reg * W


@right("linear", W, X, y, 0.1)
def hinge_of_labels(W, X, y, reg):
    n, S = len(X), X @ W
    M = np.maximum(0, S - S[np.arange(n), y][:, None] + 1)
    M[np.arange(n), y] = 0
    G = (M > 0).astype(float)
    G[np.arange(n), y] -= G.sum(axis=1)
    return M.sum() / n + reg * np.sum(W**2), X.T @ G / n + 2 * reg * W


@right("loops", W, X, y)
def hinge_in_loops(W, X, y):
    dW, value = np.zeros_like(W), 0.0
    for x, label in zip(X, y, strict=True):
        s = x @ W
        for j in range(W.shape[1]):
            if j != label and s[j] - s[label] + 1 > 0:
                value += s[j] - s[label] + 1
                dW[:, j] += x
                dW[:, label] -= 1.0 * x
    return value / len(X), dW / len(X)


@right("linear", normal(5), A, zero_one)
def logistic(w, A, t):
    a = expit(A @ w)
    return -np.mean(t * np.log(a) + (1 - t) * np.log(1 - a)), A.T @ (a - t) / len(t)


@right("own penalty", np.abs(normal(5)), A, zero_one, 0.3)
def logistic_with_a_penalty(w, A, t, strength):
    a = expit(A @ w)
    value = -np.mean(t * np.log(a) + (1 - t) * np.log(1 - a)) + strength * np.abs(w).sum()
    return value, A.T @ (a - t) / len(t) + strength * np.sign(w)


@right("single example", {"w": np.array([0.3, 0.6]), "b": np.array(0.5)}, np.array([1.0, 0.0]), 0.1)
def one_linear_neuron(p, x, t):
    out = float(p["w"] @ x + p["b"])
    return 0.5 * (out - t) ** 2, {"w": (out - t) * x, "b": np.array(out - t)}


@right("scores", normal(5, 3), np.array([0, 1, 2, 0, 1]))
def loss_of_scores(S, y):
    P = np.exp(S - S.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    return -np.log(P[np.arange(5), y]).mean(), (P - np.eye(3)[y]) / 5


@right("layers", {"x": normal(4, 5), "w": normal(5, 3), "b": normal(3)}, normal(4, 3))
def affine(p, dout):
    out = p["x"] @ p["w"] + p["b"]
    return np.sum(out * dout), {"x": dout @ p["w"].T, "w": p["x"].T @ dout, "b": dout.sum(0)}


# fmt: off
wrong("single example", "reported: slope of the sigmoid again", sigmoid_column,
      ("d2 = out - t", "d2 = (out - t) * out * (1 - out)"),
      codes="extra_activation_derivative", says="cancel", never="shape")
wrong("single example", "reported: squared error without slope", sigmoid_column,
      ("-np.sum(t * np.log(out) + (1 - t) * np.log(1 - out))", "0.5 * np.sum((out - t) ** 2)"),
      codes="activation_derivative_missing", never="shape")
wrong("own figures", "reported: divided by features", mean_square,
      ("A.T @ r / A.shape[0]", "A.T @ r / A.shape[1]"), codes="scale_const", says=("N / D", "30"))
wrong("own figures", "reported: norm not squared", penalized_square,
      ("strength / 2 * np.sum(beta**2)", "strength * np.linalg.norm(beta)"),
      codes="reg_not_squared reg_wrong_norm", says="norm", never=r"\d\.\d+ \*")
wrong("own figures", "reported: reg in the object", HoldsReg,
      (' + self.reg * p["W1"]', ""), codes="reg_missing", says="W1", never=r"\d\.\d+ \*")
wrong("eps in log", "reported: eps and no shift", softmax_of_one_hot,
      ("S - S.max(axis=1, keepdims=True)", "S"), ("np.log(P)", "np.log(P + 1e-7)"),
      codes="overflow", says="1e-0?7", never="another loss")
wrong("eps in log", "reported: larger eps", softmax_of_one_hot, ("np.log(P)", "np.log(P + 1e-5)"),
      verdict="correct", says="1e-0?5", never="another loss")
wrong("whole matrix", "reported: softmax of everything", softmax_of_labels,
      ("S.max(axis=1, keepdims=True)", "S.max()"), ("P.sum(axis=1, keepdims=True)", "P.sum()"),
      codes="normalize_axis")
wrong("arguments", "reported: labels as a column", softmax_of_labels,
      call=(W, X, y[:, None], 0.1), says=(r"\(21, 1\)", "ravel"))
wrong("arguments", "reported: column of labels and a hinge", hinge_of_labels,
      ("[:, None] + 1", "[:, :1] + 1"), ("G.sum(axis=1)", "G.sum(1)"),
      call=(W, X, y[:, None], 0.1), says=(r"\(21, 1\)", "ravel"), never="softmax")
wrong("arguments", "reported: bytes", hinge_in_loops, ("-= 1.0 * x", "+= -x"),
      call=(W / 1000, (100 + 50 * X).clip(0, 255).astype(np.uint8), y),
      says=("uint8", r"astype\(float\)"))
wrong("not a loss", "reported: counts mistakes", logistic,
      ("    a = expit(A @ w)\n", "    a = (A @ w > 0).astype(int)\n"),
      ("-np.mean(t * np.log(a) + (1 - t) * np.log(1 - a))", "np.mean(a != t)"),
      says=("count", "slope"))
wrong("not a loss", "reported: output for a loss", one_linear_neuron,
      ("return 0.5 * (out - t) ** 2,", "return out,"), says=("output", r"squared error|\*\*2"))
wrong("starter", "reported: zeros", softmax_of_labels,
      ("    S = X @ W\n", "    return 0.0, np.zeros_like(W)\n"), says="not written")
wrong("starter", "reported: None", loss_of_scores,
      ("    P = np.exp", "    return None, None\n    P = np.exp"), says="not written")
wrong("words", "reported: saturated and smooth", logistic, verdict="correct",
      call=(np.array([1.0, 2.0, 2.0]), np.array([[1.0, 3, 1], [2, 4, 1], [-1, -3.2, 1]]),
            np.array([1.0, 0, 1])), never=("kink", "float32"))
wrong("penalty", "reported: squared sum of absolute values", logistic_with_a_penalty,
      ("strength * np.abs(w).sum()", "0.5 * strength * np.abs(w).sum() ** 2"),
      codes="reg_wrong_norm reg_not_squared", says=r"square|\*\*2", never=r"sum\(W\*\*2\)")
wrong("words", "reported: sign of dx", affine, ('"x": dout', '"x": -dout'), codes="sign",
      says="x", never="scores")
