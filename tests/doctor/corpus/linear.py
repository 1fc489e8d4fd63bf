"""Wrong and right loss functions of linear classifiers, for measuring a gradient checker.

Each function returns the loss and the gradient by its first argument: hinge and squared hinge,
softmax and binary logistic regression, on weights in either layout or directly on the scores.
A wrong one holds exactly one mistake, named in ``diagnosis``; what is right comes in as many
conventions as learners use, with kinks, float32 and other awkward points among the arguments.
"""

import inspect

import numpy as np

REGISTRY = []


def _register(code, inputs, note, case):
    def keep(obj):
        name = obj.__name__
        low = name.lower()
        family = next(f for f in ("sqhinge", "hinge", "softmax", "logistic") if f in low)
        REGISTRY.append(
            {
                "id": name,
                "family": family,
                "inputs": inputs,
                "func": obj() if inspect.isclass(obj) else obj,
                "diagnosis": code,
                "case": case,
                "note": note,
            }
        )
        return obj

    return keep


def wrong(code, inputs, note, **case):
    """Register a function with one mistake, called `code`."""
    return _register(code, inputs, note, case)


def right(inputs, note, **case):
    """Register a function without a mistake."""
    return _register(None, inputs, note, case)


# ------------------------------------------------------------------------------------------
# Arguments
# ------------------------------------------------------------------------------------------
SIZES = {"N": 23, "D": 9, "C": 5}


def _draw_labels(rng, n, c):
    once = np.arange(min(n, c))
    rest = rng.integers(0, c, size=n - once.size)
    return rng.permutation(np.concatenate([once, rest]))


def make_inputs(entry, seed=0):
    """Return the arguments of ``entry["func"]``; the gradient is taken by the first.

    kind            arguments
    rows_dc         weights (D, C), images (N, D), labels (N,), strength
    rows_cd         weights (C, D), images (N, D), labels, strength
    cd_yx           weights (C, D), labels, images (N, D), strength
    cols_cd         weights (C, D), images (D, N), labels, strength
    cols_dc         weights (D, C), images (D, N), labels, strength
    onehot          weights (D, C), images (N, D), targets (N, C), strength
    trick_last      weights (D + 1, C), images (N, D + 1) whose last column is ones, ...
    trick_first     weights (C, 1 + D), images (N, 1 + D) whose first column is ones, ...
    affine          {"weights": (D, C), "bias": (C,)}, images (N, D), labels, strength
    affine_cd       {"Theta1": (C, D), "bias1": (C,)}, images (N, D), labels, strength
    affine_cols     {"A": (C, D), "b": (C, 1)}, images (D, N), labels, strength
    flat            vector (C * D,), images (N, D), labels, strength
    flat_b          vector (C * D + C,), images (N, D), labels, strength
    scores          scores (N, C), labels
    scores_cols     scores (C, N), labels
    bin01           vector (D,), images (N, D), labels 0.0 and 1.0, strength
    binpm           vector (D,), images (N, D), labels -1.0 and +1.0, strength
    bin_column      vector (D, 1), images (N, D), labels 0.0 and 1.0 of shape (N,), strength
    bin_b           {"w": (D,), "b": (1,)}, images (N, D), labels 0.0 and 1.0, strength
    closed_dc       weights (D, C) alone: the function holds its data
    closed_cd       weights (C, D) alone
    """
    kind = entry["inputs"]
    o = {**SIZES, "lam": None, "scale": 1.0, "point": "generic", "dtype": np.float64}
    o.update(entry["case"])
    rng = np.random.default_rng([20240, seed])
    if kind.startswith("closed"):
        return (0.5 * rng.normal(size=_HELD_W[kind]),)
    n, d, c, point, dtype = o["N"], o["D"], o["C"], o["point"], o["dtype"]
    lam = float(rng.uniform(0.08, 0.45)) if o["lam"] is None else o["lam"]
    spread = 800.0 if point == "huge" else 1.0

    if kind.startswith("scores"):
        y = _draw_labels(rng, n, c)
        s = rng.normal(scale=1.7, size=(n, c))
        if point == "integer":
            s = rng.integers(-2, 3, size=(n, c)).astype(float)
        if point == "near":
            s[3, (y[3] + 2) % c] = s[3, y[3]] - 1.0 + 2e-8
        s = (s * spread).astype(dtype)
        return (np.ascontiguousarray(s.T) if kind == "scores_cols" else s), y

    x = o["scale"] * rng.normal(size=(n, d))
    if point == "integer":
        x = rng.integers(-2, 3, size=(n, d)).astype(float)
    if point == "faint":  # example 0 has all scores near 0: its margins are violated
        x[0] *= 0.1
    if kind.startswith("bin"):
        y = rng.permutation(np.arange(n) % 2).astype(dtype)
        w = rng.normal(scale=0.5, size=d) * spread
        if point == "integer":
            w = rng.integers(-1, 2, size=d).astype(float)
        if point == "zero":
            w = np.zeros(d)
        w, x = w.astype(dtype), x.astype(dtype)
        if kind == "binpm":
            y = 2 * y - 1
        if kind == "bin_column":
            w = w[:, None]
        if kind == "bin_b":
            w = {"w": w, "b": rng.normal(size=1).astype(dtype)}
        return w, x, y, lam

    y = _draw_labels(rng, n, c)
    if kind.startswith("trick"):
        ones = np.ones((n, 1))
        x = np.hstack([x, ones] if kind == "trick_last" else [ones, x])
        d += 1
    w = spread * rng.normal(scale=0.55, size=(d, c))
    b = rng.normal(scale=0.8, size=c)
    if point == "integer":
        w = rng.integers(-1, 2, size=(d, c)).astype(float)
    if point == "zero":
        w = np.zeros((d, c))
    w, x, b = w.astype(dtype), x.astype(dtype), b.astype(dtype)
    if kind in ("rows_cd", "cd_yx", "cols_cd", "trick_first", "affine_cd", "affine_cols"):
        w = np.ascontiguousarray(w.T)
    if kind.startswith("cols") or kind == "affine_cols":
        x = np.ascontiguousarray(x.T)
    if point == "fortran":
        w, x = np.asfortranarray(w), np.asfortranarray(x)
    if kind == "affine":
        return {"weights": w, "bias": b}, x, y, lam
    if kind == "affine_cd":
        return {"Theta1": w, "bias1": b}, x, y, lam
    if kind == "affine_cols":
        return {"A": w, "b": b[:, None]}, x, y, lam
    if kind == "flat":
        return w.T.ravel(), x, y, lam
    if kind == "flat_b":
        return np.concatenate([w.T.ravel(), b]), x, y, lam
    if kind == "onehot":
        return w, x, np.eye(c, dtype=dtype)[y], lam
    if kind == "cd_yx":
        return w, y, x, lam
    return w, x, y, lam


_held = np.random.default_rng(77)
_HELD_X = _held.normal(size=(19, 7))
_HELD_Y = _draw_labels(_held, 19, 6)
_HELD_W = {"closed_dc": (7, 6), "closed_cd": (6, 7)}


# ------------------------------------------------------------------------------------------
# Pieces several functions use
# ------------------------------------------------------------------------------------------
def row_softmax(logits):
    """Probabilities along axis 1."""
    logits = logits - np.amax(logits, axis=1, keepdims=True)
    expd = np.exp(logits)
    return expd / expd.sum(axis=1, keepdims=True)


def col_softmax(logits):
    """Probabilities along axis 0."""
    expd = np.exp(logits - np.amax(logits, axis=0))
    return expd / np.sum(expd, axis=0)


def stable_sigmoid(z):
    """1 / (1 + exp(-z)) for any z."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def one_hot(labels, num_classes):
    """Rows of the identity."""
    return np.array([[float(k == lab) for k in range(num_classes)] for lab in labels])


# ------------------------------------------------------------------------------------------
# Hinge loss, right
# ------------------------------------------------------------------------------------------
@right("rows_dc", "two loops over images and classes, lam * sum(weights ** 2)")
def hinge_loops(weights, images, labels, lam):
    num, classes = len(images), weights.shape[1]
    total = 0.0
    slope = np.zeros(weights.shape)
    for image, lab in zip(images, labels, strict=True):
        scores = image.dot(weights)
        for k in [k for k in range(classes) if k != lab]:
            gap = 1.0 + scores[k] - scores[lab]
            if gap > 0.0:
                total += gap
                slope[:, k] += image
                slope[:, lab] -= image
    return total / num + lam * np.sum(weights**2), slope / num + 2.0 * lam * weights


@right("rows_cd", "one row of theta per class, einsum, half the penalty")
def hinge_einsum_cd(theta, feats, targets, strength):
    s = np.einsum("cd,nd->nc", theta, feats)
    own = np.take_along_axis(s, targets[:, None], axis=1)
    t = one_hot(targets, len(theta))
    slack = np.clip(s - own + 1.0, 0.0, None) * (1.0 - t)
    active = (slack > 0) * 1.0
    active = active - t * active.sum(1, keepdims=True)
    cost = slack.sum(1).mean() + 0.5 * strength * np.vdot(theta, theta)
    return cost, np.einsum("nc,nd->cd", active, feats) / len(feats) + strength * theta


@right("cols_cd", "columns are examples and delta is 2.5; no reshaping needed there")
def hinge_columns_delta(W, X, y, reg, delta=2.5):
    N = X.shape[1]
    S = W @ X
    M = np.maximum(0, S - S[y, np.arange(N)] + delta)
    M[y, np.arange(N)] = 0
    A = np.where(M > 0, 1.0, 0.0)
    A[y, np.arange(N)] -= A.sum(axis=0)
    return M.sum() / N + reg * np.sum(W * W), A @ X.T / N + 2 * reg * W


@right("cd_yx", "labels before images, penalty lam / (2 N)")
def hinge_penalty_over_2n(theta, labels, images, lam):
    m = len(labels)
    grad = np.zeros_like(theta)
    loss = 0.0
    for i in range(m):
        logits = theta @ images[i]
        h = np.maximum(0.0, logits - logits[labels[i]] + 1.0)
        h[labels[i]] = 0.0
        loss += h.sum()
        hit = np.flatnonzero(h)
        grad[hit] += images[i]
        grad[labels[i]] -= hit.size * images[i]
    loss = loss / m + lam / (2 * m) * (theta**2).sum()
    return loss, (grad + lam * theta) / m


@right("rows_dc", "the mask counts the correct class too, but then it cancels itself")
def hinge_mask_cancels(weights, images, labels, lam):
    n = len(labels)
    scores = images @ weights
    raw = scores - scores[np.arange(n), labels].reshape(n, 1) + 1
    loss = np.maximum(raw, 0).sum() / n - 1 + 0.5 * lam * (weights * weights).sum()
    mask = (raw > 0).astype(weights.dtype)
    mask[np.arange(n), labels] -= mask.sum(axis=1)
    return loss, images.T.dot(mask) / n + lam * weights


@right("rows_cd", "whole numbers: many margins are exactly zero", point="integer")
def hinge_integer_data(theta, images, labels, lam):
    n = len(labels)
    scores = images @ theta.T
    margins = np.maximum(0, scores - scores[range(n), labels][:, np.newaxis] + 1)
    margins[range(n), labels] = 0
    mask = np.sign(margins)
    mask[range(n), labels] = -mask.sum(axis=1)
    return margins.sum() / n + lam * (theta**2).sum(), mask.T @ images / n + 2 * lam * theta


@right("cols_cd", "weights all zero: every margin is delta", point="zero")
def hinge_columns_at_zero(W, X, y, reg):
    return hinge_columns_delta(W, X, y, reg, delta=1.0)


@right("rows_dc", "Fortran order, no penalty", point="fortran", lam=0.0)
def hinge_fortran(weights, images, labels, lam):
    return hinge_mask_cancels(weights, images, labels, lam)


@right("rows_cd", "a single image", N=1)
def hinge_single_image(theta, images, labels, lam):
    return hinge_einsum_cd(theta, images, labels, lam)


@right("rows_dc", "only the worst class counts (Crammer and Singer)")
def hinge_worst_class(weights, images, labels, lam):
    n = images.shape[0]
    idx = np.arange(n)
    scores = images @ weights
    margins = scores - scores[idx, labels][:, None] + 1.0
    margins[idx, labels] = 0.0
    worst = margins.argmax(axis=1)
    coef = np.zeros_like(scores)
    np.add.at(coef, (idx, worst), 1.0)
    np.add.at(coef, (idx, labels), -1.0)
    loss = margins[idx, worst].mean() + lam * np.linalg.norm(weights) ** 2
    return loss, images.T @ coef / n + 2 * lam * weights


@right("scores", "summed hinge on the scores")
def hinge_on_scores(scores, y):
    rows = np.arange(y.size)
    margins = scores - scores[rows, y][:, None] + 1.0
    margins[rows, y] = -np.inf
    on = margins > 0
    d = on.astype(float)
    d[rows, y] = -on.sum(axis=1)
    return margins[on].sum(), d


@right("scores", "one margin is 2e-8: a step crosses it", point="near")
def hinge_on_scores_near_kink(scores, y):
    total, d = hinge_on_scores(scores, y)
    return total / len(y), d / len(y)


@right("affine", "the bias is penalized in the loss and in the gradient")
def hinge_bias_penalized(params, images, labels, lam):
    w, b = params["weights"], params["bias"]
    n = len(images)
    s = images.dot(w) + b
    m = np.maximum(0, s.T - s[np.arange(n), labels] + 1.0).T
    m[np.arange(n), labels] = 0
    k = 1.0 * (m > 0)
    k[np.arange(n), labels] = -np.count_nonzero(m, axis=1)
    loss = m.sum() / n + lam * (np.sum(w**2) + np.sum(b**2))
    return loss, {
        "weights": images.T.dot(k) / n + 2 * lam * w,
        "bias": k.sum(axis=0) / n + 2 * lam * b,
    }


@right("binpm", "two classes, 0.5 |w|^2 + C * sum of the hinges")
def hinge_binary_libsvm(w, samples, signs, C):
    violation = 1.0 - signs * (samples @ w)
    inside = violation > 0
    cost = 0.5 * (w @ w) + C * violation[inside].sum()
    return cost, w - C * (signs[inside] @ samples[inside])


@right("rows_dc", "squared hinge, with the 2 and the margin in the gradient")
def sqhinge_vectorized(weights, images, labels, lam):
    n = len(labels)
    scores = images @ weights
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    coef = 2 * m
    coef[np.arange(n), labels] = -coef.sum(axis=1)
    return (m**2).sum() / n + lam * (weights**2).sum(), images.T @ coef / n + 2 * lam * weights


@right("cols_dc", "half the squared hinge, weights (D, C) with examples in columns")
def sqhinge_half_columns(W, X, y, reg):
    m = X.shape[1]
    grad = np.zeros_like(W)
    loss = 0.0
    for i in range(m):
        s = W.T @ X[:, i]
        v = np.maximum(0.0, s - s[y[i]] + 1.0)
        v[y[i]] = 0.0
        loss += 0.5 * v @ v
        v[y[i]] = -v.sum()
        grad += np.outer(X[:, i], v)
    return loss / m + reg * np.sum(np.square(W)), grad / m + 2 * reg * W


# ------------------------------------------------------------------------------------------
# Softmax, right
# ------------------------------------------------------------------------------------------
@right("cols_cd", "columns are examples, np.add.at for the labels")
def softmax_columns_add_at(W, X, y, reg):
    N = X.shape[1]
    P = col_softmax(W @ X)
    loss = -np.log(P[y, np.arange(N)]).sum() / N + 0.5 * reg * (W**2).sum()
    dW = P @ X.T
    np.add.at(dW, y, -X.T)
    return loss, dW / N + reg * W


@right("rows_cd", "loss in bits and its gradient in bits")
def softmax_bits(theta, feats, targets, strength):
    p_hat = row_softmax(feats @ theta.T)
    picked = p_hat[np.arange(len(feats)), targets]
    err = p_hat - one_hot(targets, theta.shape[0])
    loss = -np.mean(np.log2(picked)) + strength * np.sum(theta * theta)
    return loss, err.T @ feats / (len(feats) * np.log(2)) + 2 * strength * theta


@right("onehot", "one-hot targets, outer products summed up")
def softmax_outer_products(weights, images, onehot, lam):
    loss, grad = 0.0, 0.0
    for x, t in zip(images, onehot, strict=True):
        z = x @ weights
        z = z - z.max()
        logp = z - np.log(np.sum(np.exp(z)))
        loss -= t @ logp
        grad = grad + np.outer(x, np.exp(logp) - t)
    n = len(images)
    return loss / n + lam * (weights**2).sum(), grad / n + 2 * lam * weights


@right("rows_dc", "an object that is called")
class SoftmaxObjective:
    """Keeps the probabilities of the last call, as layers do."""

    def __call__(self, weights, images, labels, lam):
        """Forward, then backward."""
        self.p = row_softmax(images @ weights)
        n = len(labels)
        loss = -np.log(self.p[np.arange(n), labels]).mean()
        return loss + lam * np.sum(weights**2), self.backward(images, labels) + 2 * lam * weights

    def backward(self, images, labels):
        """Gradient of the data part."""
        d = self.p.copy()
        d[np.arange(len(labels)), labels] -= 1
        return images.T @ (d / len(labels))


@right("affine_cols", "bias column (C, 1), not penalized")
def softmax_affine_columns(params, X, y, reg):
    A, b = params["A"], params["b"]
    N = X.shape[1]
    P = col_softmax(A @ X + b)
    loss = -np.mean([np.log(P[c, i]) for i, c in enumerate(y)]) + reg * np.sum(A * A)
    P[y, np.arange(N)] -= 1.0
    P /= N
    return loss, {"A": P @ X.T + 2 * reg * A, "b": np.sum(P, axis=1, keepdims=True)}


@right("trick_first", "bias in the first column, left out of the penalty and of its gradient")
def softmax_first_column_free(theta, X, y, lam):
    n = len(y)
    p = row_softmax(X @ theta.T)
    loss = -np.log(p[np.arange(n), y]).mean() + lam / 2 * (theta[:, 1:] ** 2).sum()
    grad = (p - one_hot(y, len(theta))).T @ X / n
    grad[:, 1:] += lam * theta[:, 1:]
    return loss, grad


@right("trick_last", "bias row penalized like all others")
def softmax_last_row_penalized(weights, images, labels, lam):
    return softmax_outer_products(weights, images, one_hot(labels, weights.shape[1]), lam)


@right("flat", "one long vector, as an optimizer wants it")
def softmax_flat(theta, images, labels, lam):
    W = theta.reshape(-1, images.shape[1])
    p = row_softmax(images @ W.T)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean() + 0.5 * lam * theta @ theta
    p[np.arange(n), labels] -= 1
    return loss, (p.T @ images / n).ravel() + lam * theta


@right("scores_cols", "scores (C, N), log-sum-exp", point="huge")
def softmax_scores_columns_huge(scores, y):
    n = scores.shape[1]
    top = scores.max(axis=0)
    lse = top + np.log(np.exp(scores - top).sum(axis=0))
    loss = (lse - scores[y, np.arange(n)]).mean()
    return loss, (np.exp(scores - lse) - one_hot(y, scores.shape[0]).T) / n


@right("cols_cd", "float32 throughout", dtype=np.float32)
def softmax_columns_float32(W, X, y, reg):
    return softmax_columns_add_at(W, X, y, np.float32(reg))


@right("rows_cd", "theta is zero: every probability is 1/C", point="zero")
def softmax_at_zero(theta, feats, targets, strength):
    p = row_softmax(feats @ theta.T)
    loss = -np.log(p[np.arange(len(feats)), targets]).sum() + strength * np.sum(theta**2)
    return loss, (p - one_hot(targets, len(theta))).T @ feats + 2 * strength * theta


@right("rows_dc", "smoothed labels in the loss and in the gradient")
def softmax_smoothed_labels(weights, images, labels, lam, smooth=0.2):
    c = weights.shape[1]
    target = (1 - smooth) * one_hot(labels, c) + smooth / c
    p = row_softmax(images @ weights)
    loss = -(target * np.log(p)).sum(axis=1).mean() + lam * (weights**2).sum()
    return loss, images.T @ (p - target) / len(images) + 2 * lam * weights


@right("rows_dc", "elastic net: absolute values and squares in the penalty")
def softmax_elastic_net(weights, images, labels, lam, ratio=0.3):
    n = len(labels)
    p = row_softmax(images @ weights)
    loss = -np.log(p[np.arange(n), labels]).mean()
    loss += lam * (ratio * np.abs(weights).sum() + (1 - ratio) / 2 * (weights**2).sum())
    p[np.arange(n), labels] -= 1
    slope = ratio * np.sign(weights) + (1 - ratio) * weights
    return loss, images.T @ p / n + lam * slope


def softmax_objective_for(data, targets, strength):
    """Build the objective of one data set."""

    def softmax_held_data(W):
        p = row_softmax(data @ W)
        n = len(targets)
        loss = -np.log(p[np.arange(n), targets]).mean() + strength * np.sum(W**2)
        return loss, data.T @ (p - one_hot(targets, p.shape[1])) / n + 2 * strength * W

    return softmax_held_data


right("closed_dc", "a closure over its data")(softmax_objective_for(_HELD_X, _HELD_Y, 0.2))


# ------------------------------------------------------------------------------------------
# Logistic regression, right
# ------------------------------------------------------------------------------------------
@right("bin01", "labels 0 and 1, penalty lam / (2 N) without the first weight")
def logistic_zero_one(theta, X, y, lam):
    m = len(y)
    z = X @ theta
    J = np.mean(np.logaddexp(0, z) - y * z) + lam / (2 * m) * np.sum(theta[1:] ** 2)
    grad = X.T @ (stable_sigmoid(z) - y) / m
    grad[1:] += lam / m * theta[1:]
    return J, grad


@right("binpm", "labels -1 and +1")
def logistic_plus_minus(w, feats, signs, lam):
    margin = signs * feats.dot(w)
    loss = np.logaddexp(0.0, -margin).sum() + 0.5 * lam * w.dot(w)
    return loss, lam * w - feats.T.dot(signs * stable_sigmoid(-margin))


@right("bin_b", "separate bias, which is penalized too")
def logistic_with_bias(params, X, y, lam):
    z = X @ params["w"] + params["b"]
    err = (stable_sigmoid(z) - y) / len(y)
    loss = np.mean(np.logaddexp(0, z) - y * z)
    loss += lam * sum(float(np.sum(v**2)) for v in params.values())
    return loss, {
        "w": err @ X + 2 * lam * params["w"],
        "b": np.array([err.sum()]) + 2 * lam * params["b"],
    }


@right("bin_column", "column vector w, labels turned into a column first")
def logistic_column(w, X, y, lam):
    t = y.reshape(-1, 1)
    z = X @ w
    loss = (np.logaddexp(0, z) - t * z).mean() + lam * float((w.T @ w).item())
    return loss, X.T @ (stable_sigmoid(z) - t) / len(t) + 2 * lam * w


# ------------------------------------------------------------------------------------------
# Hinge loss, wrong
# ------------------------------------------------------------------------------------------
@wrong("scale_N", "rows_cd", "the loss is divided by N after the loop, the gradient is not")
def hinge_loop_grad_not_averaged(theta, images, labels, lam):
    loss, grad = 0.0, np.zeros(theta.shape)
    for i, x in enumerate(images):
        s = theta @ x
        for k in range(len(theta)):
            if k == labels[i]:
                continue
            gap = s[k] - s[labels[i]] + 1
            if gap > 0:
                loss += gap
                grad[k] += x
                grad[labels[i]] -= x
    loss /= len(images)
    loss += lam * np.sum(theta * theta)
    grad += 2 * lam * theta
    return loss, grad


@wrong("scale_inv_N", "cols_cd", "divided by N in the mask and a second time after the product")
def hinge_columns_divided_twice(W, X, y, reg):
    N = X.shape[1]
    idx = np.arange(N)
    S = W @ X
    M = np.maximum(0, S - S[y, idx] + 1)
    M[y, idx] = 0
    A = (M > 0) / N
    A[y, idx] = -A.sum(axis=0)
    return M.sum() / N + reg * np.sum(W * W), A @ X.T / N + 2 * reg * W


@wrong("scale_C", "rows_dc", "np.mean over the whole margin matrix, gradient divided by N alone")
def hinge_mean_over_everything(weights, images, labels, lam):
    n = len(labels)
    scores = images @ weights
    margins = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    margins[np.arange(n), labels] = 0
    coef = (margins > 0).astype(float)
    coef[np.arange(n), labels] = -coef.sum(1)
    return np.mean(margins) + lam * np.sum(weights**2), images.T @ coef / n + 2 * lam * weights


@wrong("reg_scale_N", "rows_cd", "penalty added before everything is divided by N")
def hinge_penalty_divided_too(theta, images, labels, lam):
    n = len(labels)
    loss, grad = 0.0, np.zeros_like(theta)
    for i in range(n):
        s = theta.dot(images[i])
        over = s - s[labels[i]] + 1
        over[labels[i]] = 0
        bad = over > 0
        loss += over[bad].sum()
        grad[bad] += images[i]
        grad[labels[i]] -= bad.sum() * images[i]
    loss = loss / n + 0.5 * lam * np.sum(theta**2)
    grad += lam * theta
    grad /= n
    return loss, grad


def hinge_objective_for(data, targets, strength):
    """Build the objective of one data set."""

    def hinge_held_data_no_penalty(W):
        n = len(targets)
        s = data @ W.T
        m = np.maximum(0, s - s[np.arange(n), targets][:, None] + 1)
        m[np.arange(n), targets] = 0
        a = (m > 0).astype(float)
        a[np.arange(n), targets] -= a.sum(axis=1)
        return m.sum() / n + strength * np.sum(W * W), a.T @ data / n

    return hinge_held_data_no_penalty


wrong("reg_missing", "closed_cd", "a closure whose gradient leaves the penalty out")(
    hinge_objective_for(_HELD_X, _HELD_Y, 0.25)
)


@wrong("reg_sum_scalar", "rows_dc", "adds the number lam * norm(weights) to every entry")
def hinge_norm_as_penalty_gradient(weights, images, labels, lam):
    loss, grad = hinge_loops(weights, images, labels, 0.0)
    loss += lam * np.linalg.norm(weights) ** 2
    grad += 2 * lam * np.linalg.norm(weights)
    return loss, grad


@wrong("loss_reg_missing", "rows_cd", "penalty in the gradient, but the loss comes back bare")
def hinge_loss_without_penalty(theta, images, labels, lam):
    cost, grad = hinge_einsum_cd(theta, images, labels, 0.0)
    penalty = lam * np.sum(theta**2)  # noqa: F841
    return cost, grad + 2 * lam * theta


@wrong("reg_bias", "affine", "the loss penalizes weights and bias, the gradient only weights")
def hinge_bias_penalty_in_loss_only(params, images, labels, lam):
    loss, grads = hinge_bias_penalized(params, images, labels, 0.0)
    loss += lam * sum(np.sum(v * v) for v in params.values())
    grads["weights"] = grads["weights"] + 2 * lam * params["weights"]
    return loss, grads


@wrong("missing_correct_class", "scores", "ones where a margin is violated and nothing else")
def hinge_scores_no_correct_class(scores, y):
    n = len(y)
    correct = np.array([row[k] for row, k in zip(scores, y, strict=True)])
    margins = np.maximum(0, scores - correct[:, None] + 1)
    margins[np.arange(n), y] = 0
    return margins.sum() / n, (margins > 0) / n


@wrong("missing_correct_class", "cols_cd", "the loop only adds to the row of the other class")
def hinge_columns_no_correct_class(W, X, y, reg):
    num = X.shape[1]
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(num):
        f = W.dot(X[:, i])
        for j in range(W.shape[0]):
            margin = f[j] - f[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[j, :] += X[:, i].T
    return loss / num + 0.5 * reg * np.sum(W * W), dW / num + reg * W


@wrong("missing_other_classes", "cd_yx", "only the row of the correct class is touched")
def hinge_only_correct_row(theta, labels, images, lam):
    n = len(labels)
    loss, grad = 0.0, np.zeros_like(theta)
    for x, lab in zip(images, labels, strict=True):
        s = theta @ x
        h = np.maximum(0, s - s[lab] + 1)
        h[lab] = 0
        loss += h.sum()
        grad[lab] -= np.count_nonzero(h) * x
    return loss / n + lam * np.sum(theta**2), grad / n + 2 * lam * theta


@wrong("correct_class_count", "cols_cd", "-1 at the correct class if any margin is violated")
def hinge_columns_any_violation(W, X, y, reg):
    N = X.shape[1]
    S = W @ X
    M = np.maximum(0, S - S[y, np.arange(N)] + 1)
    M[y, np.arange(N)] = 0
    A = np.where(M > 0, 1.0, 0.0)
    A[y, np.arange(N)] = np.where((M > 0).any(axis=0), -1.0, 0.0)
    return M.sum() / N + reg * np.sum(W * W), A @ X.T / N + 2 * reg * W


@wrong(
    "correct_class_count", "rows_dc", "the correct class counts itself as violated: one too many"
)
def hinge_counts_itself(weights, images, labels, lam):
    n = len(labels)
    scores = images @ weights
    gaps = scores - scores[np.arange(n), labels][:, None] + 1.0
    violated = (gaps > 0).astype(float)
    how_many = violated.sum(axis=1)
    violated[np.arange(n), labels] = -how_many
    gaps[np.arange(n), labels] = 0
    loss = gaps.clip(min=0).sum() / n + lam * np.sum(weights**2)
    return loss, images.T @ violated / n + 2 * lam * weights


@wrong("correct_class_count", "scores", "the correct class gets -1 in each row, violated or not")
def hinge_scores_always_minus_one(scores, y):
    n = len(y)
    loss, d = 0.0, np.zeros_like(scores)
    for i in range(n):
        for j in range(scores.shape[1]):
            if j == y[i]:
                d[i, j] = -1
                continue
            gap = scores[i, j] - scores[i, y[i]] + 1
            if gap > 0:
                loss += gap
                d[i, j] = 1
    return loss / n, d / n


@wrong("correct_class_count", "rows_cd", "grad[labels] -= keeps one image of each repeated label")
def hinge_fancy_subtract(theta, images, labels, lam):
    n = len(labels)
    scores = images @ theta.T
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    on = (m > 0).astype(float)
    grad = on.T @ images
    grad[labels] -= on.sum(axis=1)[:, None] * images
    return m.sum() / n + lam * np.sum(theta**2), grad / n + 2 * lam * theta


@wrong("correct_class_sign", "affine_cd", "the correct class is added where it must be subtracted")
def hinge_correct_class_added(params, images, labels, lam):
    W, b = params["Theta1"], params["bias1"]
    loss, dW, db = 0.0, np.zeros_like(W), np.zeros_like(b)
    for x, lab in zip(images, labels, strict=True):
        s = W @ x + b
        for k in range(len(b)):
            if k != lab and s[k] - s[lab] + 1 > 0:
                loss += s[k] - s[lab] + 1
                dW[k] += x
                dW[lab] += x
                db[k] += 1
                db[lab] += 1
    n = len(labels)
    return loss / n + lam * np.sum(W**2), {"Theta1": dW / n + 2 * lam * W, "bias1": db / n}


@wrong("mask_not_binary", "cols_dc", "multiplies by the size of the margin, not by 0 or 1")
def hinge_columns_margin_sizes(W, X, y, reg):
    N = X.shape[1]
    S = W.T @ X
    M = np.maximum(0, S - S[y, np.arange(N)] + 1)
    M[y, np.arange(N)] = 0
    loss = M.sum() / N + reg * np.sum(W * W)
    A = M - one_hot(y, W.shape[1]).T * M.sum(axis=0)
    return loss, np.einsum("dn,cn->dc", X, A) / N + 2 * reg * W


@wrong("hinge_mask_wrong", "rows_dc", "delta is 3 in the loss and 1 in the gradient's test")
def hinge_two_deltas(weights, images, labels, lam, delta=3.0):
    n = len(labels)
    scores = images @ weights
    diff = scores - scores[np.arange(n), labels][:, None]
    margins = np.maximum(0, diff + delta)
    margins[np.arange(n), labels] = 0
    on = (diff + 1 > 0).astype(float)
    on[np.arange(n), labels] = 0
    on[np.arange(n), labels] = -on.sum(axis=1)
    return margins.sum() / n + lam * np.sum(weights**2), images.T @ on / n + 2 * lam * weights


@wrong("hinge_mask_wrong", "scores_cols", "asks whether the score is positive, not the margin")
def hinge_scores_columns_positive_score(scores, y):
    n = scores.shape[1]
    m = np.maximum(0, scores - scores[y, np.arange(n)] + 1)
    m[y, np.arange(n)] = 0
    on = (scores > 0).astype(float)
    on[y, np.arange(n)] = 0
    on[y, np.arange(n)] = -on.sum(axis=0)
    return m.sum() / n, on / n


@wrong("sum_axis_wrong", "cols_cd", "violations counted per class (axis 1), not per example")
def hinge_columns_count_axis(W, X, y, reg):
    N = X.shape[1]
    S = W @ X
    M = np.maximum(0, S - S[y, np.arange(N)] + 1)
    M[y, np.arange(N)] = 0
    A = (M > 0).astype(float)
    A[y, np.arange(N)] = -np.sum(M > 0, axis=1)[y]
    return M.sum() / N + 0.5 * reg * np.sum(W * W), A.dot(X.T) / N + reg * W


@wrong("broadcast_shape", "rows_cd", "correct scores stay a flat vector", N=5, C=5, D=8)
def hinge_flat_correct_scores_square(theta, images, labels, lam):
    n = len(labels)
    scores = images @ theta.T
    correct = np.array([scores[i, k] for i, k in enumerate(labels)])
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(n), labels] = 0
    on = (margins > 0).astype(float)
    on[np.arange(n), labels] = -on.sum(axis=1)
    return margins.sum() / n + lam * np.sum(theta**2), on.T @ images / n + 2 * lam * theta


@wrong("example_dropped", "cd_yx", "the gradient's loop starts at example 1", point="faint")
def hinge_loop_starts_at_one(theta, labels, images, lam):
    n = len(labels)
    scores = images @ theta.T
    h = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    h[np.arange(n), labels] = 0
    grad = np.zeros_like(theta)
    for i in range(1, n):
        for k in np.flatnonzero(h[i]):
            grad[k] += images[i]
            grad[labels[i]] -= images[i]
    return h.sum() / n + lam * np.sum(theta**2), grad / n + 2 * lam * theta


@wrong("wrong_index", "rows_cd", "images[k] with the class number k where images[i] belongs")
def hinge_image_of_class_number(theta, images, labels, lam):
    n = len(images)
    loss, grad = 0.0, np.zeros_like(theta)
    for i in range(n):
        s = theta @ images[i]
        for k in range(theta.shape[0]):
            if k == labels[i]:
                continue
            gap = s[k] - s[labels[i]] + 1
            if gap > 0:
                loss += gap
                grad[k] += images[k]
                grad[labels[i]] -= images[k]
    return loss / n + lam * np.sum(theta**2), grad / n + 2 * lam * theta


@wrong("loss_wrong_grad_of_other", "rows_dc", "the loss takes the worst class, the gradient all")
def hinge_worst_class_loss_only(weights, images, labels, lam):
    n = len(labels)
    scores = images @ weights
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    coef = (m > 0).astype(float)
    coef[np.arange(n), labels] = -coef.sum(axis=1)
    return m.max(axis=1).mean() + lam * np.sum(weights**2), images.T @ coef / n + 2 * lam * weights


@wrong("int_truncation", "rows_cd", "np.full(shape, 0) makes an integer array: slopes lose digits")
def hinge_integer_gradient(theta, images, labels, lam):
    n = len(labels)
    scores = images @ theta.T
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    on = (m > 0).astype(float)
    on[np.arange(n), labels] = -on.sum(axis=1)
    grad = np.full(theta.shape, 0)
    for k in range(len(theta)):
        grad[k] = on[:, k] @ images + 2 * lam * theta[k]
    return m.sum() + lam * np.sum(theta**2), grad


@wrong("mutates_input", "scores", "margins is the caller's array, changed in place")
def hinge_scores_in_place(scores, y):
    rows = np.arange(len(y))
    margins = scores
    margins -= scores[rows, y][:, None] - 1.0
    margins[rows, y] = 0.0
    margins[margins < 0] = 0.0
    d = np.sign(margins)
    d[rows, y] = -d.sum(axis=1)
    return margins.sum() / len(y), d / len(y)


@wrong("nondeterministic", "rows_dc", "the class keeps adding to the gradient of earlier calls")
class HingeAccumulates:
    """A layer that never clears its gradient."""

    grad = 0.0

    def __call__(self, weights, images, labels, lam):
        """Loss, and the gradient with what was there before."""
        if np.shape(self.grad) != weights.shape:
            self.grad = np.zeros_like(weights)
        loss, now = hinge_loops(weights, images, labels, lam)
        self.grad = self.grad + now
        return loss, self.grad


@wrong("grad_zero", "rows_cd", "fills dW and returns grad, which is still zeros")
def hinge_returns_the_zeros(theta, images, labels, lam):
    grad = np.zeros(theta.shape)
    n = len(labels)
    scores = images @ theta.T
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    on = (m > 0).astype(float)
    on[np.arange(n), labels] = -on.sum(axis=1)
    dW = on.T @ images / n
    dW += 2 * lam * theta
    return m.sum() / n + lam * np.sum(theta**2), grad


@wrong("loss_offset", "rows_dc", "the correct class is not skipped: its margin adds 1 per image")
def hinge_correct_class_not_skipped(weights, images, labels, lam):
    loss, grad = 0.0, np.zeros_like(weights)
    for i in range(len(images)):
        s = images[i] @ weights
        for k in range(len(s)):
            gap = s[k] - s[labels[i]] + 1
            if gap > 0:
                loss += gap
                grad[:, k] += images[i]
                grad[:, labels[i]] -= images[i]
    n = len(images)
    return loss / n + lam * np.sum(weights**2), grad / n + 2 * lam * weights


@wrong("loss_value", "rows_cd", "no delta anywhere: zero weights cost nothing")
def hinge_without_delta(theta, images, labels, lam):
    n = len(labels)
    s = images @ theta.T
    m = np.maximum(0, s - s[np.arange(n), labels][:, None])
    on = (m > 0).astype(float)
    on[np.arange(n), labels] = -on.sum(axis=1)
    return m.sum() / n + lam * np.sum(theta**2), on.T @ images / n + 2 * lam * theta


@wrong("bias_axis", "affine_cols", "bias gradient summed over the classes: one number per example")
def hinge_columns_bias_axis(params, X, y, reg):
    A, b = params["A"], params["b"]
    N = X.shape[1]
    S = A @ X + b
    M = np.maximum(0, S - S[y, np.arange(N)] + 1)
    M[y, np.arange(N)] = 0
    G = np.where(M > 0, 1.0, 0.0)
    G[y, np.arange(N)] = -G.sum(axis=0)
    G = G / N
    grads = {"A": G @ X.T + 2 * reg * A, "b": np.sum(G, axis=0, keepdims=True)}
    return M.sum() / N + reg * np.sum(A * A), grads


@wrong("single_class_wrong", "rows_dc", "class 0 is skipped in the gradient's loop")
def hinge_classes_from_one(weights, images, labels, lam):
    n, c = len(labels), weights.shape[1]
    scores = images @ weights
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    on = (m > 0).astype(float)
    on[np.arange(n), labels] = -on.sum(axis=1)
    grad = np.zeros_like(weights)
    for k in range(1, c):
        grad[:, k] = sum(on[i, k] * images[i] for i in range(n)) / n
    return m.sum() / n + lam * np.sum(weights**2), grad + 2 * lam * weights


@wrong("sign", "binpm", "hinge of two classes, inner derivative -y x taken as +y x")
def hinge_binary_sign(w, samples, signs, C):
    gap = 1.0 - signs * (samples @ w)
    grad = np.zeros_like(w)
    for g, s, x in zip(gap, signs, samples, strict=True):
        if g > 0:
            grad += s * x
    return np.maximum(0, gap).mean() + C * (w @ w), grad / len(signs) + 2 * C * w


@wrong("scale_half", "cols_cd", "the 2 of the square is missing, the margin is there")
def sqhinge_columns_no_two(W, X, y, reg):
    N = X.shape[1]
    S = W @ X
    M = np.maximum(0, S - S[y, np.arange(N)] + 1)
    M[y, np.arange(N)] = 0
    loss = np.sum(M**2) / N + reg * np.sum(W * W)
    M[y, np.arange(N)] = -M.sum(axis=0)
    return loss, M @ X.T / N + 2 * reg * W


@wrong("missing_correct_class", "rows_dc", "squared hinge without the column of the correct class")
def sqhinge_no_correct_class(weights, images, labels, lam):
    n = len(labels)
    scores = images @ weights
    m = np.maximum(0, scores - scores[np.arange(n), labels][:, None] + 1)
    m[np.arange(n), labels] = 0
    return np.sum(m * m) / n + lam * np.sum(weights**2), 2 * images.T @ m / n + 2 * lam * weights


@wrong("correct_class_count", "scores", "squared hinge: correct class gets the largest margin only")
def sqhinge_scores_largest_margin(scores, y):
    n = len(y)
    m = np.maximum(0, scores - scores[np.arange(n), y][:, None] + 1)
    m[np.arange(n), y] = 0
    d = 2 * m
    d[np.arange(n), y] = -2 * m.max(axis=1)
    return np.sum(m * m) / n, d / n


# ------------------------------------------------------------------------------------------
# Softmax, wrong
# ------------------------------------------------------------------------------------------
@wrong("scale_N", "cols_cd", "np.mean in the loss, outer products merely added up")
def softmax_columns_outer_sum(W, X, y, reg):
    P = col_softmax(W @ X)
    loss = np.mean([-np.log(P[k, i]) for i, k in enumerate(y)]) + reg * np.sum(W**2)
    dW = 2 * reg * W
    for i, k in enumerate(y):
        err = P[:, i].copy()
        err[k] -= 1
        dW = dW + np.outer(err, X[:, i])
    return loss, dW


@wrong("scale_inv_N", "scores", "the loss is a sum, the gradient an average")
def softmax_scores_sum_and_average(scores, y):
    p = row_softmax(scores)
    n = len(y)
    return -np.log(p[np.arange(n), y]).sum(), (p - one_hot(y, p.shape[1])) / n


@wrong("scale_inv_N", "affine", "the bias averages errors that were divided by N already")
def softmax_bias_mean_of_mean(params, images, labels, lam):
    w, b = params["weights"], params["bias"]
    n = len(labels)
    p = row_softmax(images @ w + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(w**2)
    p[np.arange(n), labels] -= 1
    p /= n
    return loss, {"weights": images.T @ p + 2 * lam * w, "bias": p.mean(axis=0)}


@wrong("scale_const", "rows_cd", "scores divided by the temperature, gradient not")
def softmax_temperature_forgotten(theta, feats, targets, strength, temperature=2.7):
    p = row_softmax(feats @ theta.T / temperature)
    n = len(targets)
    loss = -np.log(p[np.arange(n), targets]).mean() + strength * np.sum(theta**2)
    return loss, (p - one_hot(targets, len(theta))).T @ feats / n + 2 * strength * theta


@wrong("sign", "scores_cols", "one-hot minus probabilities")
def softmax_scores_columns_sign(scores, y):
    p = col_softmax(scores)
    n = scores.shape[1]
    truth = np.eye(scores.shape[0])[:, y]
    return -np.sum(truth * np.log(p)) / n, (truth - p) / n


@wrong("reg_missing", "cd_yx", "penalty in the loss, forgotten in the gradient")
def softmax_no_penalty_gradient(theta, labels, images, lam):
    p = row_softmax(images @ theta.T)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean() + 0.5 * lam * np.sum(theta**2)
    return loss, np.einsum("nc,nd->cd", p - one_hot(labels, len(theta)), images) / n


@wrong("reg_factor_2", "cols_cd", "reg * sum(W^2) in the loss, reg * W in the gradient")
def softmax_columns_half_penalty(W, X, y, reg):
    N = X.shape[1]
    P = col_softmax(W @ X)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(W * W)
    P[y, np.arange(N)] -= 1
    return loss, P @ X.T / N + reg * W


@wrong("reg_wrong_norm", "rows_dc", "L2 penalty, but the gradient holds the signs of the weights")
def softmax_sign_of_weights(weights, images, labels, lam):
    loss, grad = softmax_smoothed_labels(weights, images, labels, 0.0, smooth=0.0)
    return loss + lam * np.sum(np.square(weights)), grad + lam * np.sign(weights)


@wrong(
    "reg_wrong_norm", "rows_cd", "the loss adds absolute values, the gradient belongs to squares"
)
def softmax_l1_loss_l2_gradient(theta, feats, targets, strength):
    loss, grad = softmax_bits(theta, feats, targets, 0.0)
    return loss + strength * np.abs(theta).sum(), grad + 2 * strength * theta


@wrong("reg_wrong_matrix", "onehot", "adds lam * W^2, the penalty itself, to the gradient")
def softmax_penalty_not_differentiated(weights, images, onehot, lam):
    loss, grad = softmax_outer_products(weights, images, onehot, 0.0)
    return loss + lam * np.sum(weights**2), grad + 2 * lam * weights**2


@wrong("reg_bias", "trick_first", "bias column left out of the loss's penalty, not the gradient's")
def softmax_bias_column_in_gradient(theta, X, y, lam):
    n = len(y)
    p = row_softmax(X @ theta.T)
    loss = -np.log(p[np.arange(n), y]).mean() + lam / 2 * np.sum(theta[:, 1:] ** 2)
    return loss, (p - one_hot(y, len(theta))).T @ X / n + lam * theta


@wrong("reg_slice_wrong", "trick_first", "the gradient's penalty starts at column 2, not 1")
def softmax_penalty_from_column_two(theta, X, y, lam):
    n = len(y)
    p = row_softmax(X @ theta.T)
    loss = -np.log(p[np.arange(n), y]).mean() + lam / 2 * np.sum(theta[:, 1:] ** 2)
    grad = (p - one_hot(y, len(theta))).T @ X / n
    grad[:, 2:] += lam * theta[:, 2:]
    return loss, grad


@wrong("missing_onehot", "rows_cd", "probabilities times images, labels never subtracted")
def softmax_labels_never_subtracted(theta, feats, targets, strength):
    n = len(targets)
    p_hat = row_softmax(feats @ theta.T)
    loss = -sum(np.log(p_hat[i, t]) for i, t in enumerate(targets)) / n
    loss += 0.5 * strength * np.sum(theta**2)
    return loss, np.einsum("nc,nd->cd", p_hat, feats) / n + strength * theta


@wrong("missing_onehot", "scores_cols", "returns the probabilities themselves")
def softmax_scores_columns_probabilities(scores, y):
    n = scores.shape[1]
    p = col_softmax(scores)
    return -np.log(p[y, np.arange(n)]).mean(), p / n


@wrong("missing_onehot", "affine_cols", "the one-hot is subtracted from a copy nobody uses")
def softmax_columns_unused_copy(params, X, y, reg):
    A, b = params["A"], params["b"]
    N = X.shape[1]
    P = col_softmax(A @ X + b)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(A * A)
    delta = P.copy()
    delta[y, np.arange(N)] -= 1
    return loss, {"A": P @ X.T / N + 2 * reg * A, "b": P.sum(axis=1, keepdims=True) / N}


@wrong("onehot_sign", "cols_dc", "adds the image to its own class instead of subtracting it")
def softmax_columns_onehot_added(W, X, y, reg):
    N = X.shape[1]
    P = col_softmax(W.T @ X)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(W * W)
    grad = X @ P.T
    np.add.at(grad.T, y, X.T)
    return loss, grad / N + 2 * reg * W


@wrong("missing_probs", "rows_cd", "only minus the image at its own class, no probability terms")
def softmax_only_minus_image(theta, feats, targets, strength):
    n = len(targets)
    p = row_softmax(feats @ theta.T)
    grad = np.zeros_like(theta)
    for x, t in zip(feats, targets, strict=True):
        grad[t] -= x
    loss = -np.log(p[np.arange(n), targets]).mean() + strength * np.sum(theta**2)
    return loss, grad / n + 2 * strength * theta


@wrong(
    "missing_other_classes", "cols_cd", "only the row of the correct class, (p - 1) x, is filled"
)
def softmax_columns_correct_row_only(W, X, y, reg):
    N = X.shape[1]
    P = col_softmax(W @ X)
    grad = np.zeros_like(W)
    np.add.at(grad, y, ((P[y, np.arange(N)] - 1) * X).T)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(W * W)
    return loss, grad / N + 2 * reg * W


@wrong("normalize_axis", "cols_cd", "examples are columns, but the sum runs over the examples")
def softmax_columns_wrong_axis(W, X, y, reg):
    N = X.shape[1]
    S = W @ X
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(W * W)
    P[y, np.arange(N)] -= 1
    return loss, P @ X.T / N + 2 * reg * W


@wrong("onehot_indexing", "cols_cd", "P[y] -= 1 takes 1 from whole rows, not at each label")
def softmax_columns_whole_rows(W, X, y, reg):
    N = X.shape[1]
    P = col_softmax(W @ X)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(W * W)
    P[y] -= 1
    return loss, P @ X.T / N + 2 * reg * W


@wrong("softmax_jacobian_diagonal", "rows_dc", "dL/dp times p (1 - p): no cross terms")
def softmax_diagonal_only(weights, images, labels, lam):
    n = len(labels)
    p = row_softmax(images @ weights)
    t = one_hot(labels, p.shape[1])
    dp = -t / p / n
    ds = dp * p * (1 - p)
    return -np.sum(t * np.log(p)) / n + lam * np.sum(weights**2), images.T @ ds + 2 * lam * weights


@wrong(
    "stops_at_probs", "rows_cd", "-1/p times the image, the softmax itself is not passed through"
)
def softmax_stops_before_softmax(theta, feats, targets, strength):
    n = len(targets)
    p = row_softmax(feats @ theta.T)
    grad = np.zeros_like(theta)
    for i in range(n):
        grad[targets[i]] += -1.0 / p[i, targets[i]] * feats[i]
    loss = -np.log(p[np.arange(n), targets]).mean() + 0.5 * strength * np.sum(theta**2)
    return loss, grad / n + strength * theta


@wrong("max_shift_inconsistent", "cols_cd", "log-sum of shifted scores minus the unshifted score")
def softmax_columns_half_shifted(W, X, y, reg):
    N = X.shape[1]
    S = W @ X
    shifted = S - S.max(axis=0)
    E = np.exp(shifted)
    loss = np.mean(np.log(E.sum(axis=0)) - S[y, np.arange(N)]) + reg * np.sum(W * W)
    P = E / E.sum(axis=0)
    P[y, np.arange(N)] -= 1
    return loss, P @ X.T / N + 2 * reg * W


@wrong("nan_loss", "onehot", "log of one-hot times p: the zeros go into the logarithm")
def softmax_log_of_masked(weights, images, onehot, lam):
    p = row_softmax(images @ weights)
    n = len(images)
    loss = -np.sum(np.log(onehot * p)) / n + lam * np.sum(weights**2)
    return loss, images.T @ (p - onehot) / n + 2 * lam * weights


@wrong("overflow", "rows_dc", "np.exp of raw scores, no maximum subtracted", special="huge")
def softmax_raw_exp(weights, images, labels, lam):
    e = np.exp(images @ weights)
    p = e / e.sum(axis=1, keepdims=True)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(weights**2)
    return loss, images.T @ (p - one_hot(labels, p.shape[1])) / n + 2 * lam * weights


@wrong("overflow", "scores", "log(sum(exp)) of scores of a thousand", point="huge")
def softmax_scores_raw_logsumexp(scores, y):
    n = len(y)
    lse = np.log(np.exp(scores).sum(axis=1))
    loss = (lse - scores[np.arange(n), y]).mean()
    return loss, (np.exp(scores - lse[:, None]) - one_hot(y, scores.shape[1])) / n


@wrong("loss_value", "rows_cd", "an extra 1 in the denominator, as with two classes")
def softmax_one_plus_sum(theta, feats, targets, strength):
    n = len(targets)
    s = feats @ theta.T
    top = np.maximum(0, s.max(axis=1, keepdims=True))
    z = np.exp(-top) + np.exp(s - top).sum(axis=1, keepdims=True)
    logp = s - top - np.log(z)
    loss = -logp[np.arange(n), targets].mean() + strength * np.sum(theta**2)
    err = np.exp(logp) - one_hot(targets, len(theta))
    return loss, err.T @ feats / n + 2 * strength * theta


@wrong(
    "loss_wrong_grad_of_other", "rows_dc", "smoothed labels in the loss, hard ones in the gradient"
)
def softmax_smoothing_in_loss_only(weights, images, labels, lam, smooth=0.25):
    c = weights.shape[1]
    p = row_softmax(images @ weights)
    hard = one_hot(labels, c)
    soft = (1 - smooth) * hard + smooth / c
    loss = -np.sum(soft * np.log(p)) / len(labels) + lam * np.sum(weights**2)
    return loss, images.T @ (p - hard) / len(labels) + 2 * lam * weights


@wrong("transpose", "scores", "works with columns inside and forgets to turn back")
def softmax_scores_returned_transposed(scores, y):
    n = len(y)
    p = col_softmax(scores.T)
    loss = -np.log(p[y, np.arange(n)]).mean()
    p[y, np.arange(n)] -= 1
    return loss, p / n


@wrong("transpose", "rows_cd", "(D, C) squeezed into (C, D) with reshape")
def softmax_reshaped_gradient(theta, feats, targets, strength):
    n = len(targets)
    p = row_softmax(feats @ theta.T)
    loss = -np.log(p[np.arange(n), targets]).mean() + strength * np.sum(theta**2)
    p[np.arange(n), targets] -= 1
    return loss, (feats.T @ p / n).reshape(theta.shape) + 2 * strength * theta


@wrong("flatten_order", "flat", "vector read row by row, gradient written column by column")
def softmax_flat_column_order(theta, images, labels, lam):
    W = theta.reshape(-1, images.shape[1])
    p = row_softmax(images @ W.T)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * theta @ theta
    grad = (p - one_hot(labels, len(W))).T @ images / n + 2 * lam * W
    return loss, grad.flatten(order="F")


@wrong("unroll_order", "flat_b", "weights come first in theta, the bias first in the gradient")
def softmax_bias_first_in_gradient(theta, images, labels, lam):
    d = images.shape[1]
    c = theta.size // (d + 1)
    W, b = theta[: c * d].reshape(c, d), theta[c * d :]
    p = row_softmax(images @ W.T + b)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(W**2)
    p[np.arange(n), labels] -= 1
    return loss, np.hstack([p.sum(axis=0) / n, (p.T @ images / n + 2 * lam * W).ravel()])


@wrong("last_row_wrong", "rows_dc", "the loop over pixels stops one short of the last")
def softmax_last_pixel_skipped(weights, images, labels, lam):
    n, d = images.shape
    p = row_softmax(images @ weights)
    err = p - one_hot(labels, p.shape[1])
    grad = 2 * lam * weights
    for j in range(d - 1):
        grad[j] += images[:, j] @ err / n
    return -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(weights**2), grad


@wrong("single_class_wrong", "rows_cd", "range(C - 1): the last class has no data gradient")
def softmax_last_class_skipped(theta, feats, targets, strength):
    n, c = len(targets), len(theta)
    p = row_softmax(feats @ theta.T)
    grad = 2 * strength * theta
    for k in range(c - 1):
        grad[k] += np.mean([(p[i, k] - (targets[i] == k)) * feats[i] for i in range(n)], axis=0)
    return -np.log(p[np.arange(n), targets]).mean() + strength * np.sum(theta**2), grad


@wrong("example_dropped", "onehot", "grad = instead of grad +=: only the last image is left")
def softmax_overwrites_gradient(weights, images, onehot, lam):
    loss = 0.0
    for x, t in zip(images, onehot, strict=True):
        z = x @ weights
        logp = z - z.max() - np.log(np.sum(np.exp(z - z.max())))
        loss -= t @ logp
        grad = np.outer(x, np.exp(logp) - t)
    n = len(images)
    return loss / n + lam * np.sum(weights**2), grad / n + 2 * lam * weights


@wrong("example_dropped", "cols_cd", "batches of four: the incomplete last batch is left out")
def softmax_incomplete_batch(W, X, y, reg, batch=4):
    N = X.shape[1]
    P = col_softmax(W @ X)
    loss = -np.log(P[y, np.arange(N)]).mean() + reg * np.sum(W * W)
    P[y, np.arange(N)] -= 1
    grad = np.zeros_like(W)
    for k in range(N // batch):
        part = slice(k * batch, (k + 1) * batch)
        grad += P[:, part] @ X[:, part].T
    return loss, grad / N + 2 * reg * W


@wrong("entry_wrong", "cd_yx", "one entry set by hand while debugging, never removed")
def softmax_debugging_leftover(theta, labels, images, lam):
    n = len(labels)
    p = row_softmax(images @ theta.T)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(theta**2)
    grad = (p - one_hot(labels, len(theta))).T @ images / n + 2 * lam * theta
    grad[3, 1] = 1.0
    return loss, grad


@wrong("data_missing", "affine_cd", "= where += belongs: the penalty overwrites the data part")
def softmax_penalty_overwrites(params, images, labels, lam):
    W, b = params["Theta1"], params["bias1"]
    n = len(labels)
    p = row_softmax(images @ W.T + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * (np.sum(W**2) + np.sum(b**2))
    p[np.arange(n), labels] -= 1
    grads = {"Theta1": p.T @ images / n, "bias1": p.sum(axis=0) / n}
    for key in grads:
        grads[key] = 2 * lam * params[key]
    return loss, grads


@wrong("ignores_argument", "affine", "the bias is never added to the scores")
def softmax_bias_not_added(params, images, labels, lam):
    w = params["weights"]
    n = len(labels)
    p = row_softmax(images @ w)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(w**2)
    p[np.arange(n), labels] -= 1
    return loss, {"weights": images.T @ p / n + 2 * lam * w, "bias": p.sum(axis=0) / n}


@wrong("missing_key", "affine", "no gradient for the bias")
def softmax_no_bias_gradient(params, images, labels, lam):
    w = params["weights"]
    n = len(labels)
    p = row_softmax(images @ w + params["bias"])
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(w**2)
    p[np.arange(n), labels] -= 1
    return loss, {"weights": images.T @ p / n + 2 * lam * w}


@wrong("swapped_keys", "affine_cd", "the two gradients are stored under each other's name")
def softmax_swapped_names(params, images, labels, lam):
    W, b = params["Theta1"], params["bias1"]
    n = len(labels)
    p = row_softmax(images @ W.T + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(W**2)
    p[np.arange(n), labels] -= 1
    return loss, {"bias1": p.T @ images / n + 2 * lam * W, "Theta1": p.sum(axis=0) / n}


@wrong("bias_from_dW", "affine_cd", "bias gradient as the row sums of the weights' gradient")
def softmax_bias_from_weights_gradient(params, images, labels, lam):
    W, b = params["Theta1"], params["bias1"]
    n = len(labels)
    p = row_softmax(images @ W.T + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(W**2)
    dW = (p - one_hot(labels, len(b))).T @ images / n
    return loss, {"Theta1": dW + 2 * lam * W, "bias1": dW.sum(axis=1)}


_flip = np.random.default_rng(5)


@wrong("nondeterministic", "rows_cd", "each call drops a random tenth of the pixels")
def softmax_random_pixels(theta, feats, targets, strength):
    seen = feats * (_flip.random(feats.shape) > 0.1)
    p = row_softmax(seen @ theta.T)
    n = len(targets)
    loss = -np.log(p[np.arange(n), targets]).mean() + strength * np.sum(theta**2)
    return loss, (p - one_hot(targets, len(theta))).T @ seen / n + 2 * strength * theta


# ------------------------------------------------------------------------------------------
# Logistic regression, wrong
# ------------------------------------------------------------------------------------------
@wrong("scale_N", "bin_b", "errors are summed for w and b, the loss is a mean")
def logistic_summed_gradient(params, X, y, lam):
    z = X @ params["w"] + params["b"]
    err = stable_sigmoid(z) - y
    loss = np.mean(np.logaddexp(0, z) - y * z) + 0.5 * lam * np.sum(params["w"] ** 2)
    return loss, {"w": X.T @ err + lam * params["w"], "b": np.sum(err, keepdims=True)}


@wrong("scale_const", "bin01", "returns the step, learning rate times gradient")
def logistic_returns_step(theta, X, y, lam, rate=0.03):
    m = len(y)
    z = X @ theta
    J = np.mean(np.logaddexp(0, z) - y * z) + lam / (2 * m) * theta @ theta
    return J, rate * (X.T @ (stable_sigmoid(z) - y) + lam * theta) / m


@wrong("sign", "binpm", "the minus of exp(-y s) is lost on the way")
def logistic_plus_minus_sign(w, feats, signs, lam):
    margin = signs * (feats @ w)
    loss = np.logaddexp(0, -margin).mean() + lam * w @ w
    return loss, feats.T @ (signs * stable_sigmoid(-margin)) / len(signs) + 2 * lam * w


@wrong("reg_missing", "bin_b", "loss with penalty, gradient of the data part alone")
def logistic_no_penalty_gradient(params, X, y, lam):
    w, b = params["w"], params["b"]
    loss, gw, gb = 0.0, np.zeros_like(w), np.zeros_like(b)
    for x, t in zip(X, y, strict=True):
        z = x @ w + b[0]
        loss += np.logaddexp(0, z) - t * z
        gw += (stable_sigmoid(z) - t) * x
        gb += stable_sigmoid(z) - t
    m = len(y)
    return loss / m + lam * w @ w, {"w": gw / m, "b": gb / m}


@wrong("reg_factor_2", "bin01", "lam / (2 N) in the cost, 2 lam / N in the gradient")
def logistic_penalty_doubled(theta, X, y, lam):
    m = len(y)
    z = X @ theta
    J = np.mean(np.logaddexp(0, z) - y * z) + lam / (2 * m) * theta @ theta
    return J, (X.T @ (stable_sigmoid(z) - y) + 2 * lam * theta) / m


@wrong("reg_sign", "bin01", "the penalty's gradient is subtracted, as in a weight update")
def logistic_penalty_subtracted(theta, X, y, lam):
    z = X @ theta
    J = np.mean(np.logaddexp(0, z) - y * z) + lam * theta @ theta
    return J, X.T @ (stable_sigmoid(z) - y) / len(y) - 2 * lam * theta


@wrong("broadcast_shape", "bin_column", "(N, 1) minus (N,) gives an N by N matrix")
def logistic_column_minus_row(w, X, y, lam):
    p = stable_sigmoid(X @ w)
    z = (X @ w).ravel()
    loss = np.mean(np.logaddexp(0, z) - y * z) + lam * np.sum(w**2)
    return loss, X.T @ (p - y) / len(y) + 2 * lam * w


@wrong("shape_2d", "bin01", "w is flat, its gradient comes back as a column")
def logistic_column_gradient(w, X, y, lam):
    z = X @ w[:, None]
    t = y[:, None]
    loss = np.mean(np.logaddexp(0, z) - t * z) + lam * np.sum(w**2)
    return loss, X.T @ (stable_sigmoid(z) - t) / len(y) + 2 * lam * w[:, None]


@wrong("extra_activation_derivative", "bin01", "cross-entropy, yet times p (1 - p) once more")
def logistic_extra_derivative(theta, X, y, lam):
    z = X @ theta
    p = stable_sigmoid(z)
    J = np.mean(np.logaddexp(0, z) - y * z) + lam * theta @ theta
    return J, X.T @ ((p - y) * p * (1 - p)) / len(y) + 2 * lam * theta


@wrong("activation_derivative_missing", "bin01", "squared error of p without the slope p (1 - p)")
def logistic_squared_error_no_slope(theta, X, y, lam):
    p = stable_sigmoid(X @ theta)
    J = 0.5 * np.mean((p - y) ** 2) + 0.5 * lam * theta @ theta
    return J, X.T @ (p - y) / len(y) + lam * theta


@wrong("double_activation", "bin01", "the slope helper wants z and is given p")
def logistic_slope_of_p(theta, X, y, lam):
    def slope(z):
        return stable_sigmoid(z) * (1 - stable_sigmoid(z))

    p = stable_sigmoid(X @ theta)
    J = np.mean((p - y) ** 2) + lam * theta @ theta
    return J, 2 * X.T @ ((p - y) * slope(p)) / len(y) + 2 * lam * theta


@wrong("activation_derivative_input", "bin_b", "z (1 - z) where p (1 - p) belongs")
def logistic_slope_from_z(params, X, y, lam):
    w, b = params["w"], params["b"]
    z = X @ w + b
    p = stable_sigmoid(z)
    d = (p - y) * z * (1 - z) / len(y)
    loss = 0.5 * np.mean((p - y) ** 2) + 0.5 * lam * w @ w
    return loss, {"w": d @ X + lam * w, "b": np.array([d.sum()])}


@wrong("missing_input_factor", "bin01", "the mean error for every weight, features left out")
def logistic_features_left_out(theta, X, y, lam):
    z = X @ theta
    J = np.mean(np.logaddexp(0, z) - y * z) + lam * theta @ theta
    grad = np.zeros_like(theta)
    for j in range(theta.size):
        grad[j] = np.mean(stable_sigmoid(z) - y)
    return J, grad + 2 * lam * theta


@wrong("bias_axis", "bin_b", "the bias gradient is not summed: one number per example")
def logistic_bias_not_summed(params, X, y, lam):
    w = params["w"]
    z = X @ w + params["b"]
    err = (stable_sigmoid(z) - y) / len(y)
    return np.mean(np.logaddexp(0, z) - y * z) + lam * w @ w, {
        "w": X.T @ err + 2 * lam * w,
        "b": err,
    }


@wrong("mutates_input", "bin01", "turns the caller's labels 0 into -1")
def logistic_relabels_caller(theta, X, y, lam):
    y[y == 0] = -1
    margin = y * (X @ theta)
    J = np.logaddexp(0, -margin).mean() + lam * theta @ theta
    return J, -X.T @ (y * stable_sigmoid(-margin)) / len(y) + 2 * lam * theta


@right("bin01", "log of a sigmoid: infinite only where it saturates")
def logistic_log_of_sigmoid(theta, X, y, lam):
    p = 1 / (1 + np.exp(-X @ theta))
    J = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + lam * theta @ theta
    return J, X.T @ (p - y) / len(y) + 2 * lam * theta


# Other codes that describe the very same array (or the same symptom) equally well.
EQUIVALENT = {
    # in the block of the bias alone, the penalty's gradient is missing
    "hinge_bias_penalty_in_loss_only": {"reg_missing"},
    # the margins as coefficients are the gradient of half the squared hinge
    "hinge_columns_margin_sizes": {"loss_wrong_grad_of_other"},
    # the gradient of the hinge with delta = 1
    "hinge_two_deltas": {"loss_wrong_grad_of_other"},
    # no code of its own: repeated labels are lost in the piece of the correct class
    "hinge_fancy_subtract": {"example_dropped", "onehot_indexing"},
    # -onehot (1 - p) is both
    "softmax_columns_correct_row_only": {"softmax_jacobian_diagonal"},
    "softmax_diagonal_only": {"missing_other_classes"},
    # rows of (C, D) are classes
    "softmax_last_class_skipped": {"last_row_wrong"},
    # the penalty's slice starts at column 0 where the loss starts at column 1
    "softmax_bias_column_in_gradient": {"reg_slice_wrong"},
    # the textbook penalty gradient of a loss with another penalty
    "softmax_l1_loss_l2_gradient": {"loss_wrong_grad_of_other"},
    # the gradient of the cross-entropy
    "logistic_squared_error_no_slope": {"loss_wrong_grad_of_other"},
    # not finite at the point itself
    "softmax_scores_raw_logsumexp": {"nan_loss"},
}
