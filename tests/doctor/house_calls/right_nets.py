"""Right nets: layers, columns, one example at a time, recurrent ones, and parts of nets."""

from __future__ import annotations

import numpy as np
from scipy.special import erf, expit, log_softmax

from house_calls import drawn, normal, right

N, D, H, C = 9, 6, 5, 4
X = normal(N, D)
y = np.arange(N) * 3 % C
Y = np.eye(C)[y]
rows = drawn(W1=(D, H), b1=(H,), W2=(H, C), b2=(C,))
cols = drawn(W1=(H, D), b1=(H, 1), W2=(C, H), b2=(C, 1))
thin = drawn(W1=(H, D), b1=(H,), W2=(C, H), b2=(C,))
x_col, t_col = np.abs(normal(D, 1)), Y[:1].T


# ---- one example at a time


@right("single example", cols, x_col, t_col)
def tanh_column_into_softmax(p, x, t):
    h = np.tanh(np.dot(p["W1"], x) + p["b1"])
    s = np.dot(p["W2"], h) + p["b2"]
    q = np.exp(s - np.max(s)) / np.sum(np.exp(s - np.max(s)))
    ds = q - t
    dh = np.dot(p["W2"].T, ds) * (1 - h * h)
    grads = {"W1": np.dot(dh, x.T), "b1": dh, "W2": np.dot(ds, h.T), "b2": ds}
    return -np.log(np.sum(q * t)), grads


@right("single example", cols, x_col, t_col)
def quadratic_cost_of_a_column(p, x, t):
    a0, z1 = x, p["W1"] @ x + p["b1"]
    a1 = expit(z1)
    a2 = expit(p["W2"] @ a1 + p["b2"])
    delta = (a2 - t) * a2 * (1 - a2)
    nabla = {"W2": delta @ a1.T, "b2": delta}
    delta = p["W2"].T @ delta * a1 * (1 - a1)
    return 0.5 * np.linalg.norm(a2 - t) ** 2, nabla | {"W1": delta @ a0.T, "b1": delta}


@right("single example", thin, X[0], Y[0])
def vectors_without_axes(p, x, t):
    h = np.maximum(0, p["W1"] @ x + p["b1"])
    out = p["W2"] @ h + p["b2"]
    e = out - t
    back = (p["W2"].T @ e) * (h > 0)
    return e @ e, {
        "W1": 2 * np.outer(back, x), "b1": 2 * back, "W2": 2 * np.outer(e, h), "b2": 2 * e,
    }  # fmt: skip


@right("single example", thin, X[1], 2)
def vector_into_softmax(p, x, label):
    h = expit(p["W1"] @ x + p["b1"])
    L = log_softmax(p["W2"] @ h + p["b2"])
    d = np.exp(L)
    d[label] -= 1
    dz = d @ p["W2"] * h * (1 - h)
    return -L[label], {"W1": dz[:, None] * x, "b1": dz, "W2": d[:, None] * h, "b2": d}


@right("single example", drawn(W1=(D, H), b1=(1, H), W2=(H, C), b2=(1, C)), X[:1], Y[:1])
def row_through_a_leaky_relu(p, x, t):
    z = x @ p["W1"] + p["b1"]
    a = np.where(z > 0, z, 0.1 * z)
    out = a @ p["W2"] + p["b2"]
    d2 = out - t
    d1 = (d2 @ p["W2"].T) * np.where(z > 0, 1, 0.1)
    return 0.5 * ((out - t) ** 2).sum(), {"W1": x.T @ d1, "b1": d1, "W2": a.T @ d2, "b2": d2}


@right(
    "single example",
    drawn(W1=(7, D), b1=(7, 1), W2=(H, 7), b2=(H, 1), W3=(C, H), b3=(C, 1)),
    x_col,
    t_col,
)
def three_columns_in_a_loop(p, x, t):
    a, depth = [x], len(p) // 2
    for layer in range(1, depth + 1):
        a.append(expit(p[f"W{layer}"] @ a[-1] + p[f"b{layer}"]))
    loss = -np.sum(t * np.log(a[-1]) + (1 - t) * np.log(1 - a[-1]))
    grads, delta = {}, a[-1] - t
    for layer in range(depth, 0, -1):
        grads[f"W{layer}"], grads[f"b{layer}"] = delta @ a[layer - 1].T, delta
        delta = p[f"W{layer}"].T @ delta * a[layer - 1] * (1 - a[layer - 1])
    return loss, grads


@right("single example", drawn(V=(H, D), v=(H, 1), U=(D, H), u=(D, 1)), x_col)
def autoencoder_of_a_column(p, x):
    code = np.tanh(p["V"] @ x + p["v"])
    e = p["U"] @ code + p["u"] - x
    d = p["U"].T @ e * (1 - code**2)
    return 0.5 * np.sum(e**2), {"V": d @ x.T, "v": d, "U": e @ code.T, "u": e}


@right("single example", drawn(w1=(H,), b1=(H,), w2=(H,), b2=()), 0.7, 0.3)
def function_of_one_number(p, x, t):
    h = np.tanh(p["w1"] * x + p["b1"])
    e = h @ p["w2"] + p["b2"] - t
    d = e * p["w2"] * (1 - h**2)
    return e**2 / 2, {"w1": d * x, "b1": d, "w2": e * h, "b2": e}


# ---- examples in columns or rows


@right("columns", cols, X.T.copy(), Y.T.copy(), 0.7)
def columns_with_a_penalty_over_m(p, X, Y, lambd):
    m = X.shape[1]
    A1 = np.maximum(0, p["W1"] @ X + p["b1"])
    Z2 = p["W2"] @ A1 + p["b2"]
    A2 = np.exp(Z2 - Z2.max(0)) / np.exp(Z2 - Z2.max(0)).sum(0)
    cost = -(Y * np.log(A2)).sum() / m + lambd / (2 * m) * sum(
        (p[k] ** 2).sum() for k in ("W1", "W2")
    )
    dZ2 = A2 - Y
    dZ1 = (p["W2"].T @ dZ2) * (A1 > 0)
    return cost, {
        "W2": (dZ2 @ A1.T + lambd * p["W2"]) / m,
        "b2": dZ2.sum(1, keepdims=True) / m,
        "W1": (dZ1 @ X.T + lambd * p["W1"]) / m,
        "b1": dZ1.sum(1, keepdims=True) / m,
    }


@right("columns", drawn(W1=(H, D), b1=(H, 1), W2=(1, H), b2=(1, 1)), X.T.copy(), Y[:, :1].T.copy())
def planar_classifier(p, X, Y):
    m = Y.shape[1]
    A1 = np.tanh(p["W1"] @ X + p["b1"])
    A2 = expit(p["W2"] @ A1 + p["b2"])
    logprobs = Y * np.log(A2) + (1 - Y) * np.log(1 - A2)
    dZ2 = A2 - Y
    dZ1 = p["W2"].T * dZ2 * (1 - np.power(A1, 2))
    return -logprobs.sum() / m, {
        "W1": dZ1 @ X.T / m, "b1": dZ1.mean(axis=1, keepdims=True),
        "W2": dZ2 @ A1.T / m, "b2": dZ2.mean(axis=1, keepdims=True),
    }  # fmt: skip


@right("layers", rows, X, y, 0.2)
def layers_with_caches(p, X, y, reg):
    def forward(x, w, b):
        return x @ w + b, (x, w)

    def backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)

    h, first = forward(X, p["W1"], p["b1"])
    s, second = forward(np.maximum(h, 0), p["W2"], p["b2"])
    L = log_softmax(s, axis=1)
    loss = -L[np.arange(len(y)), y].mean() + 0.5 * reg * (
        (p["W1"] ** 2).sum() + (p["W2"] ** 2).sum()
    )
    ds = (np.exp(L) - np.eye(s.shape[1])[y]) / len(y)
    dh, dW2, db2 = backward(ds, second)
    _, dW1, db1 = backward(dh * (h > 0), first)
    return loss, {"W1": dW1 + reg * p["W1"], "b1": db1, "W2": dW2 + reg * p["W2"], "b2": db2}


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def __call__(self, x):
        self.x = x
        return x @ self.W + self.b

    def back(self, d):
        self.dW, self.db = self.x.T @ d, d.sum(0)
        return d @ self.W.T


class Swish:
    def __call__(self, x):
        self.x = x
        return x * expit(x)

    def back(self, d):
        s = expit(self.x)
        return d * (s + self.x * s * (1 - s))


@right("layers", rows, X, Y)
def layers_as_objects(p, X, Y):
    net = [Affine(p["W1"], p["b1"]), Swish(), Affine(p["W2"], p["b2"])]
    out = X
    for layer in net:
        out = layer(out)
    d = 2 * (out - Y) / Y.size
    for layer in reversed(net):
        d = layer.back(d)
    first, _, last = net
    return np.mean((out - Y) ** 2), {"W1": first.dW, "b1": first.db, "W2": last.dW, "b2": last.db}


@right("einsum", rows, X, Y)
def einsum_all_the_way(p, X, Y):
    z = np.einsum("ij,jk->ik", X, p["W1"]) + p["b1"]
    h = np.logaddexp(0, z)
    e = np.einsum("ij,jk->ik", h, p["W2"]) + p["b2"] - Y
    dz = np.einsum("ik,jk->ij", e, p["W2"]) * expit(z)
    return np.einsum("ij,ij->", e, e) / 2, {
        "W1": np.einsum("ij,ik->jk", X, dz),
        "b1": np.einsum("ij->j", dz),
        "W2": np.einsum("ij,ik->jk", h, e),
        "b2": np.einsum("ij->j", e),
    }


@right("activation", rows, X, Y)
def gelu(p, X, Y):
    z = X @ p["W1"] + p["b1"]
    gate = (1 + erf(z / np.sqrt(2))) / 2
    h = z * gate
    e = h @ p["W2"] + p["b2"] - Y
    dz = e @ p["W2"].T * (gate + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi))
    return (e**2).sum() / 2, {"W1": X.T @ dz, "b1": dz.sum(0), "W2": h.T @ e, "b2": e.sum(0)}


@right("activation", rows, X, y)
def elu_into_softmax(p, X, y):
    z = X @ p["W1"] + p["b1"]
    h = np.where(z > 0, z, np.expm1(np.minimum(z, 0)))
    L = log_softmax(h @ p["W2"] + p["b2"], axis=1)
    d = np.exp(L) - np.eye(L.shape[1])[y]
    dz = d @ p["W2"].T * np.where(z > 0, 1, h + 1)
    return -L[np.arange(len(y)), y].sum(), {
        "W1": X.T @ dz, "b1": dz.sum(0), "W2": h.T @ d, "b2": d.sum(0),
    }  # fmt: skip


@right("activation", rows, X, Y)
def waves(p, X, Y):
    z = 3 * (X @ p["W1"] + p["b1"])
    e = np.sin(z) @ p["W2"] + p["b2"] - Y
    dz = 3 * np.cos(z) * (e @ p["W2"].T)
    grads = {"W1": X.T @ dz, "b1": dz.sum(0), "W2": np.sin(z).T @ e, "b2": e.sum(0)}
    return 0.5 * (e**2).sum() / len(X), {k: g / len(X) for k, g in grads.items()}


@right("activation", drawn(W=(3, D, H), b=(3, H), V=(H, C)), X, Y)
def maxout(p, X, Y):
    z = np.einsum("nd,kdh->knh", X, p["W"]) + p["b"][:, None]
    best = z == z.max(axis=0)
    h = z.max(axis=0)
    e = h @ p["V"] - Y
    dz = best * (e @ p["V"].T)
    return np.sum(e**2) / 2, {"W": np.einsum("nd,knh->kdh", X, dz), "b": dz.sum(1), "V": h.T @ e}


@right("flat vector", np.concatenate([a.ravel() for a in rows.values()]), X, Y, (D, H, C))
def net_in_one_vector(theta, X, Y, sizes):
    d, h, c = sizes
    shapes, parts, start = [(d, h), (h,), (h, c), (c,)], [], 0
    for s in shapes:
        parts.append(theta[start : start + int(np.prod(s))].reshape(s))
        start += int(np.prod(s))
    W1, b1, W2, b2 = parts
    A = np.tanh(X @ W1 + b1)
    E = A @ W2 + b2 - Y
    dZ = E @ W2.T * (1 - A**2)
    pieces = [X.T @ dZ, dZ.sum(0), A.T @ E, E.sum(0)]
    return np.sum(E**2) / 2, np.concatenate([p.ravel() for p in pieces])


@right("float32", {k: a.astype(np.float32) for k, a in rows.items()}, X.astype(np.float32), y)
def net_in_float32(p, X, y):
    h = np.maximum(X @ p["W1"] + p["b1"], np.float32(0))
    s = h @ p["W2"] + p["b2"]
    s = s - s.max(axis=1, keepdims=True)
    L = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    d = (np.exp(L) - np.eye(C, dtype=np.float32)[y]) / np.float32(len(y))
    dh = d @ p["W2"].T * (h > 0)
    return -L[np.arange(len(y)), y].mean(), {
        "W1": X.T @ dh, "b1": dh.sum(0), "W2": h.T @ d, "b2": d.sum(0),
    }  # fmt: skip


@right("float32", normal(D, C), X.astype(np.float32), Y.astype(np.float32))
def casts_on_the_way(W, X, Y):
    W = W.astype(np.float32)
    R = X @ W - Y
    return np.sum(R * R, dtype=np.float32), 2 * X.T @ R


@right("shared weights", drawn(W=(D, H), b=(H,), c=(D,)), X, 0.01)
def autoencoder_with_tied_weights(p, X, sparsity):
    h = expit(X @ p["W"] + p["b"])
    e = h @ p["W"].T + p["c"] - X
    dz = (e @ p["W"] + sparsity) * h * (1 - h)
    value = 0.5 * np.sum(e**2) + sparsity * h.sum()
    return value, {"W": X.T @ dz + e.T @ h, "b": dz.sum(0), "c": e.sum(0)}


@right("residual", drawn(W=(D, D), b=(D,), V=(D, C)), X, y)
def skip_connection(p, X, y):
    r = np.maximum(0, X @ p["W"] + p["b"])
    h = X + r
    L = log_softmax(h @ p["V"], axis=1)
    d = (np.exp(L) - np.eye(L.shape[1])[y]) / len(y)
    dr = d @ p["V"].T * (r > 0)
    return -L[np.arange(len(y)), y].mean(), {"W": X.T @ dr, "b": dr.sum(0), "V": h.T @ d}


@right("gates", drawn(Wt=(D, D), bt=(D,), Wh=(D, D), bh=(D,)), X, normal(N, D, seed=2))
def highway(p, X, T):
    gate, h = expit(X @ p["Wt"] + p["bt"]), np.tanh(X @ p["Wh"] + p["bh"])
    e = gate * h + (1 - gate) * X - T
    dg, dh = e * (h - X) * gate * (1 - gate), e * gate * (1 - h**2)
    return np.sum(e**2) / 2, {
        "Wt": X.T @ dg, "bt": dg.sum(0), "Wh": X.T @ dh, "bh": dh.sum(0),
    }  # fmt: skip


# ---- parts of nets


@right("normalization", drawn(gamma=(D,), beta=(D,), W=(D, C)), X, y)
def batch_norm_before_softmax(p, X, y):
    mu, var = X.mean(0), X.var(0)
    hat = (X - mu) / np.sqrt(var + 1e-5)
    h = p["gamma"] * hat + p["beta"]
    L = log_softmax(h @ p["W"], axis=1)
    d = (np.exp(L) - np.eye(L.shape[1])[y]) / len(y)
    dh = d @ p["W"].T
    return -L[np.arange(len(y)), y].mean(), {
        "gamma": (dh * hat).sum(0), "beta": dh.sum(0), "W": h.T @ d,
    }  # fmt: skip


@right("normalization", normal(N, D), normal(D, seed=3), normal(N, D, seed=4))
def batch_norm_of_its_input(x, gamma, dout):
    n, mu = len(x), x.mean(axis=0)
    std = np.sqrt(((x - mu) ** 2).mean(axis=0) + 1e-5)
    hat = (x - mu) / std
    g = dout * gamma
    dx = (n * g - g.sum(axis=0) - hat * (g * hat).sum(axis=0)) / (n * std)
    return np.sum(gamma * hat * dout), dx


@right("normalization", {"x": normal(N, D), "g": normal(D, seed=3)}, normal(N, D, seed=4))
def layer_norm(p, dout):
    x, g = p["x"], p["g"]
    c = x - x.mean(-1, keepdims=True)
    inv = 1 / np.sqrt(np.mean(c**2, -1, keepdims=True) + 1e-5)
    up = dout * g
    dx = inv * (up - up.mean(-1, keepdims=True) - c * inv**2 * (up * c).mean(-1, keepdims=True))
    return np.vdot(g * c * inv, dout), {"x": dx, "g": (dout * c * inv).sum(0)}


@right("dropout", rows, X, y, (normal(N, H, seed=9) > -0.4) / 0.65)
def dropout_with_its_mask(p, X, y, mask):
    h = np.maximum(0, X @ p["W1"] + p["b1"])
    dropped = h * mask
    L = log_softmax(dropped @ p["W2"] + p["b2"], axis=1)
    d = (np.exp(L) - np.eye(L.shape[1])[y]) / len(y)
    dh = d @ p["W2"].T * mask * (h > 0)
    return -L[np.arange(len(y)), y].mean(), {
        "W1": X.T @ dh, "b1": dh.sum(0), "W2": dropped.T @ d, "b2": d.sum(0),
    }  # fmt: skip


@right("convolution", drawn(x=(2, 2, 5, 4), w=(3, 2, 3, 3), b=(3,)), normal(2, 3, 5, 4))
def convolution_in_loops(p, dout):
    x, w, b = p["x"], p["w"], p["b"]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out, dpad, dw = np.zeros(dout.shape), np.zeros(padded.shape), np.zeros(w.shape)
    for n in range(len(x)):
        for f in range(len(w)):
            for i in range(x.shape[2]):
                for j in range(x.shape[3]):
                    window = padded[n, :, i : i + 3, j : j + 3]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
                    dw[f] += dout[n, f, i, j] * window
                    dpad[n, :, i : i + 3, j : j + 3] += dout[n, f, i, j] * w[f]
    dx = dpad[:, :, 1:-1, 1:-1]
    return np.sum(out * dout), {"x": dx, "w": dw, "b": dout.sum(axis=(0, 2, 3))}


@right("convolution", {"k": normal(3)}, normal(11), normal(9))
def convolution_in_one_dimension(p, signal, target):
    e = np.correlate(signal, p["k"], "valid") - target
    return e @ e / 2, {"k": np.correlate(signal, e, "valid")}


@right("pooling", normal(2, 3, 4, 6), normal(2, 3, 2, 3))
def max_pooling(x, dout):
    tiles = x.reshape(2, 3, 2, 2, 3, 2)
    top = tiles.max(axis=(3, 5), keepdims=True)
    dx = (tiles == top) * dout[:, :, :, None, :, None]
    return np.sum(top[:, :, :, 0, :, 0] * dout), dx.reshape(x.shape)


@right("pooling", normal(3, 8), normal(3, 4))
def average_pooling(x, dout):
    means = x.reshape(len(x), -1, 2).mean(axis=2)
    return (means * dout).sum(), np.repeat(dout, 2, axis=1) / 2


# ---- words and sequences


@right(
    "indices", drawn(E=(7, 3), V=(6, C)), np.array([[0, 2], [2, 2], [5, 0], [6, 1]]), [0, 1, 3, 1]
)
def embedding_with_repeated_words(p, words, labels):
    h = p["E"][words].reshape(len(words), -1)
    L = log_softmax(h @ p["V"], axis=1)
    d = np.exp(L)
    d[np.arange(len(labels)), labels] -= 1
    dE = np.zeros_like(p["E"])
    np.add.at(dE, words, (d @ p["V"].T).reshape(*words.shape, -1))
    return -L[np.arange(len(labels)), labels].sum(), {"E": dE, "V": h.T @ d}


@right("indices", drawn(center=(6, 3), outside=(6, 3)), 2, [4, 0, 4, 5])
def skip_gram_with_negative_samples(p, word, context):
    v, (true, *noise) = p["center"][word], context
    dv, dU = np.zeros_like(v), np.zeros_like(p["outside"])
    loss = 0.0
    for k, sign in [(true, 1), *((k, -1) for k in noise)]:
        s = expit(sign * p["outside"][k] @ v)
        loss -= np.log(s)
        dv += sign * (s - 1) * p["outside"][k]
        dU[k] += sign * (s - 1) * v
    dV = np.zeros_like(p["center"])
    dV[word] = dv
    return loss, {"center": dV, "outside": dU}


@right(
    "recurrent",
    drawn(Wxh=(H, 3), Whh=(H, H), Why=(3, H), bh=(H, 1), by=(3, 1)),
    [0, 2, 1, 1],
    [2, 1, 1, 0],
)
def character_rnn(p, inputs, targets):
    hs, ps, loss = {-1: np.zeros_like(p["bh"])}, {}, 0
    for i, (c, t) in enumerate(zip(inputs, targets, strict=True)):
        hs[i] = np.tanh(p["Wxh"][:, [c]] + p["Whh"] @ hs[i - 1] + p["bh"])
        ys = p["Why"] @ hs[i] + p["by"]
        ps[i] = np.exp(ys) / np.sum(np.exp(ys))
        loss += -np.log(ps[i][t, 0])
    g, dnext = {k: np.zeros_like(v) for k, v in p.items()}, np.zeros_like(hs[0])
    for i in reversed(range(len(inputs))):
        dy = np.copy(ps[i])
        dy[targets[i]] -= 1
        g["Why"] += dy @ hs[i].T
        g["by"] += dy
        draw = (1 - hs[i] * hs[i]) * (p["Why"].T @ dy + dnext)
        g["bh"] += draw
        g["Wxh"][:, [inputs[i]]] += draw
        g["Whh"] += draw @ hs[i - 1].T
        dnext = p["Whh"].T @ draw
    return loss, g


@right("recurrent", drawn(Wx=(3, H), Wh=(H, H), b=(H,)), normal(2, 4, 3), normal(2, H, seed=6))
def last_state_of_a_batch(p, x, target):
    states = [np.zeros((len(x), len(p["b"])))]
    for step in range(x.shape[1]):
        states.append(np.tanh(x[:, step] @ p["Wx"] + states[-1] @ p["Wh"] + p["b"]))
    dh = states[-1] - target
    dWx, dWh, db = (np.zeros_like(p[k]) for k in ("Wx", "Wh", "b"))
    for step in range(x.shape[1] - 1, -1, -1):
        dz = dh * (1 - states[step + 1] ** 2)
        dWx, dWh, db = dWx + x[:, step].T @ dz, dWh + states[step].T @ dz, db + dz.sum(0)
        dh = dz @ p["Wh"].T
    return 0.5 * np.sum((states[-1] - target) ** 2), {"Wx": dWx, "Wh": dWh, "b": db}


@right("recurrent", drawn(Wx=(3, 8), Wh=(2, 8), b=(8,)), normal(4, 3), normal(4, 2))
def lstm_of_one_sequence(p, xs, targets):
    h, c, tape, loss = np.zeros(2), np.zeros(2), [], 0.0
    for x, t in zip(xs, targets, strict=True):
        a = x @ p["Wx"] + h @ p["Wh"] + p["b"]
        i, f, o, g = expit(a[:2]), expit(a[2:4]), expit(a[4:6]), np.tanh(a[6:])
        before, was = h, c
        c = f * c + i * g
        h = o * np.tanh(c)
        tape.append((x, before, was, i, f, o, g, c, h - t))
        loss += np.sum((h - t) ** 2) / 2
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dh, dc = np.zeros(2), np.zeros(2)
    for x, before, was, i, f, o, g, c, e in reversed(tape):
        dh = dh + e
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        da = np.r_[
            dc * g * i * (1 - i), dc * was * f * (1 - f), dh * np.tanh(c) * o * (1 - o),
            dc * i * (1 - g**2),
        ]  # fmt: skip
        grads["Wx"] += np.outer(x, da)
        grads["Wh"] += np.outer(before, da)
        grads["b"] += da
        dh, dc = p["Wh"] @ da, dc * f
    return loss, grads


@right("recurrent", {"w": np.array(0.8), "u": np.array(0.4)}, np.array([1.0, -0.5, 2.0]), 0.7)
def scalar_recurrence(p, xs, target):
    s = [0.0]
    for x in xs:
        s.append(p["w"] * s[-1] + p["u"] * x)
    e = s[-1] - target
    dw = du = 0.0
    back = e
    for x, before in zip(xs[::-1], s[-2::-1], strict=True):
        dw, du, back = dw + back * before, du + back * x, back * p["w"]
    return e**2 / 2, {"w": dw, "u": du}


@right("attention", drawn(Q=(3, 3), K=(3, 3), V=(3, 3)), normal(5, 3), normal(5, 3, seed=1))
def one_head_of_attention(p, X, T):
    q, k, v = X @ p["Q"], X @ p["K"], X @ p["V"]
    A = np.exp(log_softmax(q @ k.T / np.sqrt(3), axis=1))
    e = A @ v - T
    dA = e @ v.T
    dS = A * (dA - (A * dA).sum(axis=1, keepdims=True)) / np.sqrt(3)
    grads = {"Q": X.T @ dS @ k, "K": X.T @ dS.T @ q, "V": X.T @ A.T @ e}
    return np.sum(e**2) / 2, grads
