"""Right losses of one array, or of several that are no net."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import expit, gammaln, log_softmax, logsumexp

from house_calls import drawn, normal, right

N, D, C = 14, 6, 4
X, W, w = normal(N, D), normal(D, C) / 2, normal(D) / 2
y = np.arange(N) * 3 % C
Y = np.eye(C)[y]
t, T = normal(N, seed=5), normal(N, C, seed=5)
zero_one = np.arange(N) % 3 % 2
signs = 2 * zero_one - 1
counts = np.arange(N) % 5
many = (normal(N, C, seed=8) > 0).astype(float)
positive = np.abs(normal(N, seed=9)) + 0.5

# ---- many classes


@right("loops", W, X, y, 0.3)
def hinge_all_by_hand(W, X, y, lam):
    total, dW = 0.0, [[0.0] * W.shape[1] for _ in range(W.shape[0])]
    for row, label in zip(X, y, strict=True):
        s = [sum(row[d] * W[d][c] for d in range(len(row))) for c in range(W.shape[1])]
        for c, value in enumerate(s):
            if c != label and value - s[label] + 1 > 0:
                total += (value - s[label] + 1) / len(y)
                for d, x in enumerate(row):
                    dW[d][c] += x / len(y)
                    dW[d][label] -= x / len(y)
    return total + lam / 2 * sum(v * v for v in W.ravel()), np.array(dW) + lam * W


@right("loops", W, X, y, 0.1)
def hinge_example_by_example(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        margins = X[i] @ W - X[i] @ W[:, y[i]] + 1
        margins[y[i]] = 0
        over = (margins > 0).astype(float)
        loss += margins[margins > 0].sum()
        over[y[i]] = -over.sum()
        dW += np.outer(X[i], over)
    return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


@right("linear", W, X, y, 0.1)
def hinge_with_columns_of_ones(W, X, y, reg):
    margins = np.maximum(0, X @ W - (X @ W)[range(len(y)), y][:, None] + 1)
    margins[range(len(y)), y] = 0
    mask = np.where(margins > 0, 1.0, 0.0)
    mask[range(len(y)), y] = -mask.sum(axis=1)
    return margins.sum() / len(y) + reg * (W**2).sum(), X.T @ mask / len(y) + 2 * reg * W


@right("linear", W, X, y)
def crammer_singer(W, X, y):
    rivals = X @ W + 1
    rivals[np.arange(len(y)), y] -= 1
    worst = rivals.argmax(axis=1)
    value = rivals.max(axis=1) - (X @ W)[np.arange(len(y)), y]
    pull = np.eye(W.shape[1])[worst] - np.eye(W.shape[1])[y]
    return value.mean(), X.T @ pull / len(y)


@right("linear", W, X, y, 0.2)
def squared_hinge_of_margins(W, X, y, reg):
    S = X @ W
    M = np.clip(S - np.take_along_axis(S, y[:, None], 1) + 1, 0, None)
    np.put_along_axis(M, y[:, None], 0, 1)
    G = 2 * M
    np.put_along_axis(G, y[:, None], -G.sum(1, keepdims=True), 1)
    return np.square(M).sum() / len(X) + reg * np.vdot(W, W), X.T @ G / len(X) + 2 * reg * W


@right("linear", W, X, y, 0.5)
def softmax_example_by_example(W, X, y, reg):
    loss, grad = 0.0, np.zeros(W.shape)
    for x, k in zip(X, y, strict=True):
        logits = W.T.dot(x)
        logits -= logits.max()
        p = np.exp(logits) / np.exp(logits).sum()
        loss -= np.log(p[k])
        for j in range(len(p)):
            grad[:, j] += (p[j] - (j == k)) * x
    n = len(X)
    return loss / n + 0.5 * reg * (W**2).sum(), grad / n + reg * W


@right("einsum", W, X, Y, 0.1)
def softmax_by_einsum(W, X, Y, reg):
    S = np.einsum("nd,dc->nc", X, W)
    L = S - logsumexp(S, axis=1, keepdims=True)
    G = np.einsum("nd,nc->dc", X, np.exp(L) - Y) / len(X)
    return -np.einsum("nc,nc->", L, Y) / len(X) + reg * np.einsum("dc,dc->", W, W), G + 2 * reg * W


@right("columns", W.T.copy(), X.T.copy(), Y.T.copy(), 0.1)
def softmax_of_columns(W, X, Y, decay):
    Z = W @ X
    A = np.exp(Z - Z.max(axis=0))
    A /= A.sum(axis=0)
    m = X.shape[1]
    return -(Y * np.log(A)).sum() / m + decay / 2 * (W**2).sum(), (A - Y) @ X.T / m + decay * W


@right("temperature", W, X, y, 2.5)
def softmax_at_a_temperature(W, X, y, tau):
    L = log_softmax(X @ W / tau, axis=1)
    return -L[np.arange(len(y)), y].mean(), X.T @ (np.exp(L) - np.eye(L.shape[1])[y]) / (
        tau * len(y)
    )


@right("label smoothing", W, X, y, 0.1)
def smoothed_labels(W, X, y, smoothing):
    k = W.shape[1]
    Q = np.full((len(y), k), smoothing / k)
    Q[np.arange(len(y)), y] += 1 - smoothing
    L = log_softmax(X @ W, axis=1)
    return -(Q * L).sum() / len(y), X.T @ (np.exp(L) - Q) / len(y)


@right("label smoothing", {"W": W, "b": normal(C)}, X, y)
def smoothed_labels_with_a_bias(p, X, y, eps=0.05):
    S = X @ p["W"] + p["b"]
    P = np.exp(S - S.max(1)[:, None])
    P /= P.sum(1)[:, None]
    Q = (1 - eps) * np.eye(S.shape[1])[y] + eps / (S.shape[1] - 1) * (1 - np.eye(S.shape[1])[y])
    d = (P - Q) / len(y)
    return -np.sum(Q * np.log(P)) / len(y), {"W": X.T @ d, "b": d.sum(0)}


@right("focal", W, X, y, 2.0)
def focal(W, X, y, gamma):
    P = np.exp(log_softmax(X @ W, axis=1))
    n = np.arange(len(y))
    q = P[n, y]
    slope = gamma * (1 - q) ** (gamma - 1) * np.log(q) - (1 - q) ** gamma / q
    dS = (slope * q)[:, None] * (np.eye(P.shape[1])[y] - P)
    return -np.mean((1 - q) ** gamma * np.log(q)), X.T @ dS / len(y)


@right("focal", w, X, zero_one.astype(float), 0.25, 2.0)
def focal_of_two_classes(w, X, t, alpha, gamma):
    p = expit(X @ w)
    a = np.where(t == 1, alpha, 1 - alpha)
    q, sign = np.where(t == 1, p, 1 - p), np.where(t == 1, 1, -1)
    dq = a * (gamma * (1 - q) ** (gamma - 1) * np.log(q) - (1 - q) ** gamma / q)
    return -np.sum(a * (1 - q) ** gamma * np.log(q)), X.T @ (dq * sign * p * (1 - p))


@right("weighted classes", W, X, y, np.array([0.5, 1.0, 2.0, 4.0]))
def weighted_classes(W, X, y, weights):
    L, v = log_softmax(X @ W, axis=1), weights[y]
    loss = -(v * L[np.arange(len(y)), y]).sum() / v.sum()
    return loss, X.T @ (v[:, None] * (np.exp(L) - np.eye(len(weights))[y])) / v.sum()


@right("weighted examples", W, X, y, positive)
def weighted_examples(W, X, y, importance):
    P = np.exp(X @ W - logsumexp(X @ W, axis=1, keepdims=True))
    loss = -(importance * np.log(P[np.arange(len(y)), y])).mean()
    P[np.arange(len(y)), y] -= 1
    return loss, X.T @ (importance[:, None] * P) / len(y)


@right("multi-label", W, X, many)
def several_labels_at_once(W, X, M):
    Z = X @ W
    return np.mean(np.logaddexp(0, Z) - M * Z), X.T @ (expit(Z) - M) / Z.size


@right("multi-label", {"V": W, "c": normal(C)}, X, many, 3.0)
def several_labels_with_rare_ones(p, X, M, pos_weight):
    Z = X @ p["V"] + p["c"]
    loss = (1 - M) * np.logaddexp(0, Z) + pos_weight * M * np.logaddexp(0, -Z)
    d = (1 - M) * expit(Z) - pos_weight * M * expit(-Z)
    return loss.sum(1).mean(), {"V": X.T @ d / len(X), "c": d.mean(0)}


@right("distillation", W, X, Y * 0.7 + 0.075, 3.0)
def taught_by_another_net(W, X, teacher, temperature):
    L = log_softmax(X @ W / temperature, axis=1)
    kl = np.sum(teacher * (np.log(teacher) - L)) / len(X)
    return temperature**2 * kl, temperature * X.T @ (np.exp(L) - teacher) / len(X)


@right("own penalty", W, X, y, 0.2)
def rewards_entropy(W, X, y, beta):
    L = log_softmax(X @ W, axis=1)
    P, n = np.exp(L), len(y)
    entropy = -(P * L).sum(axis=1)
    dH = -P * (L + entropy[:, None])
    value = -L[np.arange(n), y].mean() - beta * entropy.mean()
    return value, X.T @ (P - np.eye(P.shape[1])[y] - beta * dH) / n


@right("columns", W.T.copy(), X, y, 0.0)
def softmax_of_rows_of_weights(theta, X, y, lam):
    S = theta @ X.T
    S = S - S.max(0)
    loss = np.log(np.exp(S).sum(0)) - S[y, np.arange(len(y))]
    P = np.exp(S) / np.exp(S).sum(0)
    P[y, np.arange(len(y))] -= 1
    return loss.mean() + lam * (theta**2).sum(), P @ X / len(y) + 2 * lam * theta


@right("scores", X @ W, y)
def scores_alone(S, y):
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    loss = -np.log(P[np.arange(len(y)), y]).sum()
    P[np.arange(len(y)), y] -= 1
    return loss, P


@right("scores", (X @ W)[0], 2)
def scores_of_one_example(s, label):
    p = np.exp(s - s.max())
    p = p / p.sum()
    d = p.copy()
    d[label] -= 1
    return -np.log(p[label]), d


@right("scores", normal(3, 5, C), np.arange(15).reshape(3, 5) % C, np.tri(3, 5, 2))
def scores_in_time_with_a_mask(x, labels, mask):
    n, steps, v = x.shape
    flat, keep = x.reshape(n * steps, v), mask.reshape(n * steps)
    L = log_softmax(flat, axis=1)
    loss = -np.sum(keep * L[np.arange(n * steps), labels.reshape(-1)]) / n
    d = (np.exp(L) - np.eye(v)[labels.reshape(-1)]) * keep[:, None] / n
    return loss, d.reshape(n, steps, v)


@right("single example", W, X[3], 1)
def softmax_of_one_image(W, x, label):
    s = x @ W
    p = np.exp(s - logsumexp(s))
    return logsumexp(s) - s[label], np.outer(x, p - np.eye(len(s))[label])


@right("single example", {"W": W.T.copy(), "b": normal(C, 1)}, X[2][:, None], Y[2][:, None])
def softmax_of_one_column(p, x, t):
    z = p["W"] @ x + p["b"]
    a = np.exp(z) / np.exp(z).sum()
    return float(-(t * np.log(a)).sum()), {"W": (a - t) @ x.T, "b": a - t}


@right("single example", {"w": w, "b": np.array(0.2)}, X[0], 1.0)
def logistic_of_one_example(p, x, t):
    a = expit(x @ p["w"] + p["b"])
    return -(t * np.log(a) + (1 - t) * np.log(1 - a)), {"w": (a - t) * x, "b": a - t}


# ---- two classes


@right("signs", w, X, signs, 0.1)
def logistic_of_signs(w, X, s, C):
    m = s * (X @ w)
    return C * np.log1p(np.exp(-m)).sum() + 0.5 * w @ w, -C * X.T @ (s * expit(-m)) + w


@right("signs", w, X, signs, 2.0)
def hinge_of_signs(w, X, s, C):
    slack = np.maximum(0, 1 - s * (X @ w))
    return 0.5 * w @ w + C * slack.sum(), w - C * X.T @ (s * (slack > 0))


@right("signs", {"w": w, "b": np.array([0.1])}, X, signs)
def smooth_hinge(p, X, s):
    m = s * (X @ p["w"] + p["b"])
    loss = np.where(m < 0, 0.5 - m, np.where(m < 1, 0.5 * (1 - m) ** 2, 0.0))
    d = s * np.where(m < 0, -1.0, np.where(m < 1, m - 1, 0.0))
    return loss.mean(), {"w": X.T @ d / len(s), "b": np.array([d.mean()])}


@right("signs", w, X, signs)
def exponential_loss(w, X, s):
    e = np.exp(-s * (X @ w))
    return e.mean(), -X.T @ (s * e) / len(s)


@right("columns", {"w": w[:, None], "b": np.zeros((1, 1))}, X.T.copy(), zero_one[None, :] * 1.0)
def logistic_of_columns(p, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(p["w"].T @ X + p["b"])))
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    return np.squeeze(cost), {"w": X @ (A - Y).T / m, "b": np.sum(A - Y, keepdims=True) / m}


@right("flat vector", np.r_[0.3, w], np.c_[np.ones(N), X], zero_one.astype(float), 1.0)
def logistic_that_spares_the_intercept(theta, X, y, lam):
    h, m, rest = expit(X @ theta), len(y), np.r_[0, theta[1:]]
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lam / (2 * m) * rest @ rest
    return J, (X.T @ (h - y) + lam * rest) / m


@right("other link", w / 3, X, zero_one)
def complementary_log_log(w, X, t):
    e = np.exp(X @ w)
    p = 1 - np.exp(-e)
    return -np.sum(t * np.log(p) - (1 - t) * e), -X.T @ (t * e * (1 - p) / p - (1 - t) * e)


@right("other link", w, X, zero_one.astype(float))
def squared_error_of_a_sigmoid(w, X, t):
    a = expit(X @ w)
    return np.mean((a - t) ** 2), 2 * X.T @ ((a - t) * a * (1 - a)) / len(t)


# ---- regression


@right("regression", w, X, t, 0.3)
def ridge(w, X, t, alpha):
    r = X.dot(w) - t
    return r.dot(r) + alpha * w.dot(w), 2 * (X.T.dot(r) + alpha * w)


@right("regression", np.array([0.2, -0.4]), normal(N), t)
def straight_line(theta, x, t):
    error = theta[0] + theta[1] * x - t
    return (error**2).sum() / (2 * len(x)), np.array([error.mean(), (error * x).mean()])


@right("regression", {"m": np.array(0.5), "c": np.array(-0.2)}, list(range(6)), [1, 3, 2, 5, 4, 6])
def line_of_two_scalars(p, xs, ts):
    loss = dm = dc = 0.0
    for x, target in zip(xs, ts, strict=True):
        e = p["m"] * x + p["c"] - target
        loss, dm, dc = loss + e**2, dm + 2 * e * x, dc + 2 * e
    return loss / len(xs), {"m": dm / len(xs), "c": dc / len(xs)}


@right("regression", normal(4), np.linspace(-1, 1, N), t)
def polynomial(a, x, t):
    V = np.vander(x, len(a), increasing=True)
    return 0.5 * np.linalg.norm(V @ a - t) ** 2, V.T @ (V @ a - t)


@right("regression", W, X, T)
def several_targets(B, X, T):
    R = X @ B - T
    return np.mean(R**2), 2 * X.T @ R / R.size


@right("huber", w, X, 3 * t, 1.35)
def huber(w, X, t, delta):
    r = X @ w - t
    small = abs(r) <= delta
    value = np.where(small, r**2 / 2, delta * (abs(r) - delta / 2))
    return value.sum(), X.T @ np.where(small, r, delta * np.sign(r))


@right("huber", {"w": w, "b": np.array([0.1])}, X, 2 * t)
def pseudo_huber(p, X, t, delta=0.8):
    r = X @ p["w"] + p["b"] - t
    root = np.sqrt(1 + (r / delta) ** 2)
    return delta**2 * np.mean(root - 1), {
        "w": X.T @ (r / root) / len(t),
        "b": np.array([np.mean(r / root)]),
    }


@right("huber", w, X, t)
def log_cosh(w, X, t):
    r = X @ w - t
    return np.mean(np.logaddexp(r, -r) - np.log(2)), X.T @ np.tanh(r) / len(t)


@right("quantile", w, X, t, 0.8)
def pinball(w, X, t, tau):
    r = t - X @ w
    return np.mean(np.maximum(tau * r, (tau - 1) * r)), -X.T @ (tau - (r < 0)) / len(t)


@right("absolute error", w, X, t)
def absolute_error(w, X, t):
    r = X @ w - t
    return np.abs(r).mean(), X.T @ np.sign(r) / len(t)


@right("epsilon tube", w, X, t, 0.1)
def epsilon_insensitive(w, X, t, epsilon):
    r = X @ w - t
    return np.maximum(abs(r) - epsilon, 0).sum(), X.T @ (np.sign(r) * (abs(r) > epsilon))


@right("weighted examples", w, X, t, positive)
def weighted_least_squares(w, X, t, v):
    return v @ (X @ w - t) ** 2, 2 * X.T @ (v * (X @ w - t))


@right("counts", w / 3, X, counts)
def poisson(w, X, k):
    rate = np.exp(X @ w)
    return np.sum(rate - k * (X @ w) + gammaln(k + 1)), X.T @ (rate - k)


@right("likelihood", {"mu": w, "log_sigma": normal(D, seed=3) / 4}, X, t)
def noise_that_varies(p, X, t):
    r, log_s = t - X @ p["mu"], X @ p["log_sigma"]
    q = (r * np.exp(-log_s)) ** 2
    return np.mean(log_s + q / 2), {
        "mu": -X.T @ (r * np.exp(-2 * log_s)) / len(t),
        "log_sigma": X.T @ (1 - q) / len(t),
    }


@right("likelihood", w, X, positive)
def gamma_regression(w, X, t):
    eta = X @ w
    return np.mean(eta + t * np.exp(-eta)), X.T @ (1 - t * np.exp(-eta)) / len(t)


@right("likelihood", w, X, np.argsort(positive))
def cox_partial_likelihood(w, X, order):
    Z = X[order]
    e = np.exp(Z @ w)
    at_risk = np.cumsum(e[::-1])[::-1]
    mean = np.cumsum((e[:, None] * Z)[::-1], axis=0)[::-1] / at_risk[:, None]
    return np.sum(np.log(at_risk) - Z @ w), (mean - Z).sum(axis=0)


# ---- own penalties


@right("own penalty", w, X, t, 0.1, 0.05)
def elastic_net(w, X, t, l1, l2):
    r = X @ w - t
    value = r @ r / 2 / len(t) + l1 * np.abs(w).sum() + l2 / 2 * w @ w
    return value, X.T @ r / len(t) + l1 * np.sign(w) + l2 * w


@right("own penalty", W, X, T, 0.2)
def grouped_rows(W, X, T, strength):
    R, length = X @ W - T, np.sqrt((W**2).sum(axis=1, keepdims=True))
    return (R**2).sum() / 2 + strength * length.sum(), X.T @ R + strength * W / length


@right("own penalty", w, X, t, 0.3)
def neighbors_alike(w, X, t, smooth):
    step = np.diff(w)
    pull = np.r_[0, step] - np.r_[step, 0]
    return np.mean((X @ w - t) ** 2) + smooth * step @ step, (
        2 * X.T @ (X @ w - t) / len(t) + 2 * smooth * pull
    )


@right("own penalty", W, X, y, 0.1)
def softmax_with_l1(W, X, y, reg):
    L = log_softmax(X @ W, axis=1)
    data = -L[np.arange(len(y)), y].mean()
    return data + reg * np.abs(W).sum(), X.T @ (np.exp(L) - np.eye(L.shape[1])[y]) / len(
        y
    ) + reg * np.sign(W)


@right("own penalty", w, X, zero_one, np.linspace(0.1, 1, D))
def a_strength_for_each_weight(w, X, t, strengths):
    z = X @ w
    value = np.sum(np.logaddexp(0, z) - t * z) + 0.5 * strengths @ w**2
    return value, X.T @ (expit(z) - t) + strengths * w


@right("own penalty", W, X, T, 0.4)
def columns_at_right_angles(W, X, T, mu):
    G = W.T @ W - np.eye(W.shape[1])
    R = X @ W - T
    return np.sum(R**2) + mu * np.sum(G**2), 2 * X.T @ R + 4 * mu * W @ G


@right("own penalty", w, X, t, 0.2)
def penalty_is_a_length(w, X, t, strength):
    r = X @ w - t
    return r @ r + strength * np.linalg.norm(w), 2 * X.T @ r + strength * w / np.linalg.norm(w)


@right("own penalty", W, X, y, 0.3)
def prior_at_another_point(W, X, y, reg, center=0.1):
    L = log_softmax(X @ W, axis=1)
    value = -L[np.arange(len(y)), y].mean() + reg * np.sum((W - center) ** 2)
    return value, X.T @ (np.exp(L) - np.eye(L.shape[1])[y]) / len(y) + 2 * reg * (W - center)


# ---- pairs and rankings


@right("contrastive", normal(D, 3), X, X[::-1].copy(), zero_one, 1.5)
def pairs_of_images(W, A, B, same, margin):
    gap = (A - B) @ W
    d = np.sqrt((gap**2).sum(axis=1))
    short = np.maximum(0, margin - d)
    value = np.mean(same * d**2 + (1 - same) * short**2)
    pull = same - (1 - same) * short / d
    return value, 2 * (A - B).T @ (pull[:, None] * gap) / len(A)


@right("contrastive", normal(D, 3), X[:5], X[5:10], X[9:14], 0.2)
def triplets(W, anchor, good, bad, margin):
    P, Q = anchor - good, anchor - bad
    over = np.sum((P @ W) ** 2, axis=1) - np.sum((Q @ W) ** 2, axis=1) + margin
    on = (over > 0)[:, None]
    return np.maximum(over, 0).sum(), 2 * (P.T @ (on * (P @ W)) - Q.T @ (on * (Q @ W)))


@right("contrastive", normal(N, 5), normal(N, 5, seed=1), 0.5)
def info_nce(Z, partner, tau):
    n, S = len(Z), Z @ partner.T / tau
    L = log_softmax(S, axis=1)
    return -np.trace(L) / n, (np.exp(L) - np.eye(n)) @ partner / (tau * n)


@right("contrastive", normal(6, 4))
def uniform_on_the_sphere(Z):
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    U = Z / length
    K = np.exp(2 * U @ U.T - 2)
    dU = 4 * K @ U / K.sum()
    return np.log(K.mean()), (dU - U * np.sum(U * dU, axis=1, keepdims=True)) / length


@right("cosine", normal(D), X)
def cosine_to_all(v, X):
    U = X / np.linalg.norm(X, axis=1, keepdims=True)
    length = np.sqrt(v @ v)
    c = U @ v / length
    return np.sum(1 - c), -(U.sum(0) - c.sum() * v / length) / length


@right("ranking", w, X[:7], X[7:])
def better_above_worse(w, better, worse):
    gap = (better - worse) @ w
    return np.logaddexp(0, -gap).mean(), -(better - worse).T @ expit(-gap) / len(gap)


@right("ranking", w, X, t)
def listwise_ranking(w, X, relevance):
    target = np.exp(relevance) / np.exp(relevance).sum()
    L = log_softmax(X @ w)
    return -target @ L, X.T @ (np.exp(L) - target)


# ---- factors, mixtures, densities


@right("factors", drawn(users=(5, 2), items=(6, 2)), normal(5, 6), np.tri(5, 6, 1), 0.1)
def ratings(p, R, seen, lam):
    E = seen * (p["users"] @ p["items"].T - R)
    value = np.sum(E**2) / 2 + lam / 2 * sum(np.sum(a**2) for a in p.values())
    return value, {
        "users": E @ p["items"] + lam * p["users"],
        "items": E.T @ p["users"] + lam * p["items"],
    }


@right("factors", normal(D, 2), X)
def principal_plane(V, X):
    R = X @ V @ V.T - X
    return np.sum(R**2), 2 * (X.T @ R + R.T @ X) @ V


@right("mixture", normal(3, D), X)
def soft_k_means(centers, X):
    gaps = X[:, None] - centers
    E = -0.5 * np.sum(gaps**2, axis=2)
    share = np.exp(E - logsumexp(E, axis=1, keepdims=True))
    return -logsumexp(E, axis=1).sum(), -np.einsum("nk,nkd->kd", share, gaps)


@right("density", normal(5, 5) + 3 * np.eye(5), normal(12, 5))
def gaussian_by_its_factor(L, X):
    Z = X @ L
    logdet = np.linalg.slogdet(L)[1]
    return 0.5 * np.sum(Z**2) - len(X) * logdet, X.T @ Z - len(X) * np.linalg.inv(L).T


@right("kernel", normal(N) / 3, np.exp(-((X[:, None] - X) ** 2).sum(2)), t, 0.1)
def kernel_ridge(alpha, K, t, lam):
    r = K @ alpha - t
    return 0.5 * r @ r + lam / 2 * alpha @ K @ alpha, K @ (r + lam * alpha)


@right("likelihood", np.array([0.4, -0.3]), normal(N, seed=4))
def normal_by_mean_and_log_scale(theta, x):
    z = (x - theta[0]) * np.exp(-theta[1])
    return len(x) * theta[1] + z @ z / 2, np.array([-z.sum() * np.exp(-theta[1]), len(x) - z @ z])


@right("chain", drawn(unary=(5, 3), pair=(3, 3)), [0, 2, 1, 1, 0])
def linear_chain_crf(p, tags):
    U, P, n = p["unary"], p["pair"], len(tags)
    a, b = np.zeros_like(U), np.zeros_like(U)
    a[0] = U[0]
    for i in range(1, n):
        a[i] = U[i] + logsumexp(a[i - 1][:, None] + P, axis=0)
        b[n - 1 - i] = logsumexp(P + U[n - i] + b[n - i], axis=1)
    logZ = logsumexp(a[-1])
    gold = U[np.arange(n), tags].sum() + sum(P[s, e] for s, e in itertools.pairwise(tags))
    dU, dP = np.exp(a + b - logZ), np.zeros_like(P)
    dU[np.arange(n), tags] -= 1
    for i in range(n - 1):
        dP += np.exp(a[i][:, None] + P + U[i + 1] + b[i + 1] - logZ)
        dP[tags[i], tags[i + 1]] -= 1
    return logZ - gold, {"unary": dU, "pair": dP}
