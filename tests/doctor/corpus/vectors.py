"""Wrong and right losses of parameters in one vector, and of linear regression.

Softmax regression and nets with one or two hidden layers keep all their weights in one flat
array, in several orders, as optimizers want it; linear regression takes w, a column or a dict.
A wrong function holds exactly one mistake, named in ``diagnosis``; the right ones differ in how
they are told the sizes, in what they penalize and in their awkward points.
"""

import itertools

import numpy as np

REGISTRY = []


def _register(code, inputs, note, case):
    def keep(func):
        name = func.__name__
        REGISTRY.append(
            {
                "id": name,
                "family": name.split("_")[0],
                "inputs": inputs,
                "func": func,
                "diagnosis": code,
                "case": case,
                "note": note,
            }
        )
        return func

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
SIZES = {"N": 16, "D": 8, "H": 5, "K": 3}


def _labels(rng, n, k):
    return rng.permutation(np.arange(n) % k)


def make_inputs(entry, seed=0):
    """Return the arguments of ``entry["func"]``; the gradient is taken by the first.

    Softmax regression: W (D, K), b (K,), images (N, D), labels (N,)

    soft            [W, b] in a vector, images, labels, lam, (D, K)
    soft_ints       [b, W] in a vector, D, K, images, labels, lam
    soft_cols       [W.T, b] in a vector, images.T (D, N), labels, lam, K
    soft_keywords   [W, b] in a vector, images, labels, lam
    soft_held       [W, b] alone: the function holds its data (HELD_X, HELD_Y)

    One hidden layer: W1 (D, H), b1, W2 (H, K), b2

    net             [W1, b1, W2, b2] in a vector, images, labels, lam, (D, H, K)
    net_ints        [W1, W2, b1, b2] in a vector, images, labels, D, H, K, lam
    net_out_first   [W2, b2, W1, b1] in a vector, images, labels, lam, (D, H, K)
    net_keywords    [W1, b1, W2, b2] in a vector, images, labels, lam
    net_held        [W1, b1, W2, b2] alone: the function holds its data

    Theta1 (H, 1 + D), Theta2 (K, 1 + H), their first columns are biases

    octave          both in column order, D, H, K, images, labels from 1 to K, lam
    theta           both in row order, images, labels from 0, lam, (D, H, K)
    theta_yes_no    the same with one-hot targets (N, K) instead of labels
    theta_deep      Theta1 (H, 1 + D), Theta2 (6, 1 + H), Theta3 (K, 7), images, labels, lam,
                    (D, H, 6, K)

    Linear regression

    line            w (D,), X (N, D), t (N,), lam
    line_free       w (D,), X (N, D), t (N,)
    line_tn1        w (D,), X (N, D), t (N, 1), lam
    line_column     w (D, 1), X (N, D), t (N, 1), lam
    line_mixed      w (D, 1), X (N, D), t (N,), lam
    line_multi      W (D, K), X (N, D), T (N, K), lam
    line_cols       W (K, D), X (D, N), T (K, N), lam
    line_trick      w (1 + D,), X (N, 1 + D) whose first column is ones, t (N,), lam
    line_b          {"w": (D,), "b": (1,)}, X (N, D), t (N,), lam
    line_column_b   {"slope": (D, 1), "intercept": (1, 1)}, X (N, D), t (N, 1), lam
    line_multi_b    {"W": (D, K), "b": (K,)}, X (N, D), T (N, K), lam
    line_held       w (D,) alone: the function holds its data
    """
    kind = entry["inputs"]
    o = {**SIZES, "lam": None, "point": "generic", "dtype": np.float64}
    o.update(entry["case"])
    rng = np.random.default_rng([31337, seed])
    n, d, h, k, point, dtype = (o[name] for name in ("N", "D", "H", "K", "point", "dtype"))
    lam = float(rng.uniform(0.1, 0.5)) if o["lam"] is None else o["lam"]

    def draw(*shape, scale=0.7):
        if point == "zero":
            return np.zeros(shape, dtype)
        if point == "integer":
            return rng.integers(-2, 3, size=shape).astype(dtype)
        return rng.normal(scale=scale, size=shape).astype(dtype)

    def rows(*blocks):
        return np.concatenate([block.ravel() for block in blocks])

    if point == "integer":
        x = rng.integers(-3, 4, size=(n, d)).astype(dtype)
    else:
        x = rng.normal(size=(n, d)).astype(dtype)
    y = _labels(rng, n, k)

    if kind.startswith("soft"):
        w, b = draw(d, k), draw(k)
        return {
            "soft": (rows(w, b), x, y, lam, (d, k)),
            "soft_ints": (rows(b, w), d, k, x, y, lam),
            "soft_cols": (rows(w.T, b), np.ascontiguousarray(x.T), y, lam, k),
            "soft_keywords": (rows(w, b), x, y, lam),
            "soft_held": (rows(w, b),),
        }[kind]
    if kind.startswith("net"):
        w1, b1, w2, b2 = draw(d, h, scale=0.5), draw(h), draw(h, k), draw(k)
        return {
            "net": (rows(w1, b1, w2, b2), x, y, lam, (d, h, k)),
            "net_ints": (rows(w1, w2, b1, b2), x, y, d, h, k, lam),
            "net_out_first": (rows(w2, b2, w1, b1), x, y, lam, (d, h, k)),
            "net_keywords": (rows(w1, b1, w2, b2), x, y, lam),
            "net_held": (rows(w1, b1, w2, b2),),
        }[kind]
    if kind == "theta_deep":
        thetas = draw(h, 1 + d), draw(6, 1 + h), draw(k, 7)
        return rows(*thetas), x, y, lam, (d, h, 6, k)
    if kind.startswith("theta") or kind == "octave":
        theta1, theta2 = draw(h, 1 + d), draw(k, 1 + h)
        return {
            "octave": (rows(theta1.T, theta2.T), d, h, k, x, y + 1, lam),
            "theta": (rows(theta1, theta2), x, y, lam, (d, h, k)),
            "theta_yes_no": (rows(theta1, theta2), x, np.eye(k)[y], lam, (d, h, k)),
        }[kind]

    w, b = draw(d, k), draw(k)
    t = x @ rng.normal(size=(d, k)) + 0.6 * rng.normal(size=(n, k)) + 1.3
    t = np.rint(t).astype(dtype) if point == "integer" else t.astype(dtype)
    if point == "fortran":
        w, x, t = np.asfortranarray(w), np.asfortranarray(x), np.asfortranarray(t)
    w0, t0 = w[:, 0].copy(), t[:, 0].copy()
    return {
        "line": (w0, x, t0, lam),
        "line_free": (w0, x, t0),
        "line_tn1": (w0, x, t0[:, None], lam),
        "line_column": (w0[:, None], x, t0[:, None], lam),
        "line_mixed": (w0[:, None], x, t0, lam),
        "line_multi": (w, x, t, lam),
        "line_cols": (*(np.ascontiguousarray(m.T) for m in (w, x, t)), lam),
        "line_trick": (rows(b[:1], w0), np.hstack([np.ones((n, 1), dtype), x]), t0, lam),
        "line_b": ({"w": w0, "b": b[:1].copy()}, x, t0, lam),
        "line_column_b": ({"slope": w0[:, None], "intercept": b[:1, None]}, x, t0[:, None], lam),
        "line_multi_b": ({"W": w, "b": b}, x, t, lam),
        "line_held": (w0,),
    }[kind]


_held = np.random.default_rng(4711)
HELD_X = _held.normal(size=(SIZES["N"], SIZES["D"]))
HELD_Y = _labels(_held, SIZES["N"], SIZES["K"])
HELD_T = HELD_X @ _held.normal(size=SIZES["D"]) + _held.normal(size=SIZES["N"])


# ------------------------------------------------------------------------------------------
# Pieces several functions use
# ------------------------------------------------------------------------------------------
def softmax_rows(scores):
    """Probabilities along axis 1."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    """1 / (1 + exp(-z))."""
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_gradient(z):
    """Derivative of the sigmoid at z."""
    return sigmoid(z) * (1.0 - sigmoid(z))


def with_ones(a):
    """Put a column of ones in front."""
    return np.hstack([np.ones((a.shape[0], 1), a.dtype), a])


def cut(vector, *shapes):
    """Cut a vector into arrays of these shapes, in this order."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(vector, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


# ------------------------------------------------------------------------------------------
# Softmax regression on a vector, right
# ------------------------------------------------------------------------------------------
@right("soft", "weights, then biases; sizes as a tuple; the biases are free of the penalty")
def soft_vector_tuple(theta, images, labels, lam, sizes):
    d, k = sizes
    W, b = theta[: d * k].reshape(d, k), theta[d * k :]
    n = len(labels)
    p = softmax_rows(images @ W + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(W**2)
    p[np.arange(n), labels] -= 1
    dW = images.T @ p / n + 2 * lam * W
    return loss, np.concatenate([dW.ravel(), p.mean(axis=0)])


@right("soft_ints", "biases first, sizes as integers, half the penalty on the whole vector")
def soft_vector_bias_first(vec, num_features, num_classes, X, y, strength):
    bias, weights = vec[:num_classes], vec[num_classes:].reshape(num_features, num_classes)
    grad = np.zeros_like(vec)
    dbias = grad[:num_classes]
    dweights = grad[num_classes:].reshape(num_features, num_classes)
    nll = 0.0
    for x, label in zip(X, y, strict=True):
        s = x @ weights + bias
        s = s - s.max()
        prob = np.exp(s) / np.exp(s).sum()
        nll -= s[label] - np.log(np.exp(s).sum())
        prob[label] -= 1.0
        dbias += prob
        dweights += np.outer(x, prob)
    return nll / len(y) + 0.5 * strength * vec @ vec, grad / len(y) + strength * vec


@right("soft_cols", "columns are examples, rows of weights are classes; float32", dtype=np.float32)
def soft_vector_columns(theta, X, y, lam, k):
    W = theta[: k * len(X)].reshape(k, len(X))
    b = theta[k * len(X) :, None]
    n = X.shape[1]
    scores = W @ X + b
    scores = scores - scores.max(axis=0)
    logp = scores - np.log(np.exp(scores).sum(axis=0))
    delta = np.exp(logp)
    delta[y, np.arange(n)] -= 1
    loss = -logp[y, np.arange(n)].mean() + lam * (W**2).sum()
    dW = delta @ X.T / n + 2 * lam * W
    return loss, np.concatenate([dW.ravel(), delta.mean(axis=1)])


@right("soft_held", "the data and the sizes come from the module, the bias from the vector")
def soft_closure(theta):
    W, b = np.split(theta, [SIZES["D"] * SIZES["K"]])
    p = softmax_rows(HELD_X @ W.reshape(SIZES["D"], -1) + b)
    hit = np.eye(SIZES["K"], dtype=bool)[HELD_Y]
    g = (p - hit) / len(hit)
    return -np.log(p[hit]).mean(), np.append(np.einsum("nd,nk->dk", HELD_X, g), g.sum(0))


# ------------------------------------------------------------------------------------------
# Softmax regression on a vector, wrong
# ------------------------------------------------------------------------------------------
@wrong("unroll_order", "soft", "reads weights, biases, but returns biases, weights")
def soft_vector_bias_gradient_in_front(theta, images, labels, lam, sizes):
    d, k = sizes
    W, b = theta[: d * k].reshape(d, k), theta[d * k :]
    n = len(labels)
    p = softmax_rows(images @ W + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(W**2)
    delta = (p - np.eye(k)[labels]) / n
    grad_b = delta.sum(axis=0)
    grad_w = images.T @ delta + 2 * lam * W
    return loss, np.hstack((grad_b, grad_w.flatten()))


@wrong("flatten_order", "soft_ints", "flattens the gradient in column order, reads in row order")
def soft_vector_column_flatten(vec, num_features, num_classes, X, y, strength):
    bias = vec[:num_classes]
    weights = np.reshape(vec[num_classes:], (num_features, num_classes))
    probs = softmax_rows(X.dot(weights) + bias)
    target = np.equal.outer(y, np.arange(num_classes))
    cost = -np.sum(np.log(probs[target])) / y.size + 0.5 * strength * np.sum(weights**2)
    err = (probs - target) / y.size
    dweights = X.T.dot(err) + strength * weights
    return cost, np.append(err.sum(0), dweights.flatten("F"))


@wrong("reg_bias", "soft", "adds lam times the whole vector, biases too; the loss has W only")
def soft_vector_penalty_on_all(theta, images, labels, lam, sizes):
    W, b = cut(theta, sizes, sizes[1:])
    n = len(labels)
    logits = images @ W + b
    logp = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
    loss = -logp[range(n), labels].sum() / n + 0.5 * lam * np.linalg.norm(W) ** 2
    delta = np.exp(logp)
    delta[range(n), labels] -= 1
    grad = np.concatenate([(images.T @ delta).ravel(), delta.sum(axis=0)]) / n
    grad += lam * theta
    return loss, grad


@wrong("shape_2d", "soft_cols", "stacked as a column: (P, 1) where the vector is (P,)")
def soft_vector_as_column(theta, X, y, lam, k):
    d, n = X.shape
    W, b = theta[: k * d].reshape(k, d), theta[k * d :].reshape(k, 1)
    e = np.exp(W @ X + b)
    p = e / e.sum(axis=0)
    Y = np.eye(k)[:, y]
    loss = -np.sum(Y * np.log(p)) / n + 0.5 * lam * np.sum(W * W)
    dW = (p - Y) @ X.T / n + lam * W
    db = np.mean(p - Y, axis=1)
    return loss, np.vstack([dW.reshape(-1, 1), db.reshape(-1, 1)])


@wrong("reg_missing", "soft_keywords", "the penalty is in the loss only")
def soft_vector_no_penalty_gradient(params, data, target, reg=0.0, *, dims=(8, 3)):
    W, b = params[: -dims[1]].reshape(dims), params[-dims[1] :]
    out = data.dot(W) + b
    out -= out.max(axis=1, keepdims=True)
    total = 0
    dW, db = np.zeros(dims), np.zeros(dims[1])
    for i in range(len(data)):
        p = np.exp(out[i]) / sum(np.exp(out[i]))
        total += -np.log(p[target[i]])
        for j in range(dims[1]):
            dW[:, j] += (p[j] - (j == target[i])) * data[i]
            db[j] += p[j] - (j == target[i])
    total = total / len(data) + reg * np.sum(W * W)
    return total, np.concatenate([dW.ravel(), db]) / len(data)


@wrong(
    "missing_onehot", "soft_held", "the probabilities alone, nothing taken off the correct class"
)
def soft_closure_only_probabilities(theta):
    d, k = SIZES["D"], SIZES["K"]
    W, b = cut(theta, (d, k), (k,))
    p = softmax_rows(HELD_X @ W + b)
    loss = np.mean([-np.log(row[label]) for row, label in zip(p, HELD_Y, strict=True)])
    p /= len(p)
    return loss, np.concatenate([(HELD_X.T @ p).ravel(), p.sum(axis=0)])


@wrong("mutates_input", "soft", "centers the caller's images in place")
def soft_vector_centers_images(theta, images, labels, lam, sizes):
    W, b = cut(theta, sizes, sizes[1:])
    images -= images.mean(axis=0)
    n = len(labels)
    p = softmax_rows(images @ W + b)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * np.sum(W**2)
    p[np.arange(n), labels] -= 1
    return loss, np.append(images.T @ p / n + 2 * lam * W, p.mean(axis=0))


_bias_of_first_try = np.array([0.4, -0.9, 0.25])


@wrong("ignores_argument", "soft_ints", "the scores use a global bias, not the one in the vector")
def soft_vector_global_bias(vec, num_features, num_classes, X, y, strength):
    weights = vec[num_classes:].reshape(num_features, num_classes)
    p = softmax_rows(X @ weights + _bias_of_first_try)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y]).sum() / len(y) + strength * np.sum(weights**2)
    p[rows, y] -= 1
    p /= len(y)
    return loss, np.append(p.sum(axis=0), X.T @ p + 2 * strength * weights)


@wrong("scale_C", "soft", "np.mean over the whole one-hot product: N K terms, gradient over N")
def soft_vector_mean_of_matrix(theta, images, labels, lam, sizes):
    W, b = cut(theta, sizes, sizes[1:])
    p = softmax_rows(images @ W + b)
    Y = np.eye(sizes[1])[labels]
    loss = np.mean(-Y * np.log(p)) + 0.5 * lam * np.sum(W**2)
    err = (p - Y) / len(images)
    return loss, np.append((images.T @ err + lam * W).ravel(), err.sum(axis=0))


# ------------------------------------------------------------------------------------------
# Nets with the layers in one vector, right
# ------------------------------------------------------------------------------------------
@right("net", "ReLU, layer after layer, sizes as a tuple")
def net_relu_tuple(theta, images, labels, lam, sizes):
    d, h, k = sizes
    W1, b1, W2, b2 = cut(theta, (d, h), (h,), (h, k), (k,))
    n = len(labels)
    z = images @ W1 + b1
    hidden = np.maximum(z, 0)
    p = softmax_rows(hidden @ W2 + b2)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * ((W1**2).sum() + (W2**2).sum())
    delta = (p - np.eye(k)[labels]) / n
    back = (delta @ W2.T) * (z > 0)
    grads = (
        images.T @ back + 2 * lam * W1,
        back.sum(axis=0),
        hidden.T @ delta + 2 * lam * W2,
        delta.sum(axis=0),
    )
    return loss, np.concatenate([g.ravel() for g in grads])


@right("net_ints", "tanh, both weights before both biases, everything penalized")
def net_tanh_weights_first(flat, X, y, n_in, n_hid, n_out, decay):
    shapes = [(n_in, n_hid), (n_hid, n_out), (n_hid,), (n_out,)]
    w_in, w_out, b_in, b_out = cut(flat, *shapes)
    grad = np.zeros_like(flat)
    gw_in, gw_out, gb_in, gb_out = cut(grad, *shapes)
    loss = 0.0
    for x, label in zip(X, y, strict=True):
        a = np.tanh(x @ w_in + b_in)
        s = a @ w_out + b_out
        p = softmax_rows(s[None])[0]
        loss -= np.log(p[label])
        p[label] -= 1
        gw_out += np.outer(a, p)
        gb_out += p
        da = (w_out @ p) * (1 - a * a)
        gw_in += np.outer(x, da)
        gb_in += da
    m = len(X)
    return loss / m + decay / (2 * m) * np.sum(flat * flat), (grad + decay * flat) / m


@right("net_out_first", "leaky ReLU, the output layer comes first; one example", N=1)
def net_leaky_output_first(theta, images, labels, lam, sizes):
    d, h, k = sizes
    V, c, U, b = cut(theta, (h, k), (k,), (d, h), (h,))
    slope = 0.1
    pre = images @ U + b
    act = np.where(pre > 0, pre, slope * pre)
    logits = act @ V + c
    logz = np.logaddexp.reduce(logits, axis=1, keepdims=True)
    n = len(images)
    cost = np.mean(logz[:, 0] - logits[np.arange(n), labels])
    cost += 0.5 * lam * (np.vdot(U, U) + np.vdot(V, V))
    err = np.exp(logits - logz)
    err[np.arange(n), labels] -= 1
    err /= n
    dpre = err @ V.T * np.where(pre > 0, 1, slope)
    dU = images.T @ dpre + lam * U
    dV = act.T @ err + lam * V
    return cost, np.hstack([dV.ravel(), err.sum(0), dU.ravel(), dpre.sum(0)])


@right("net_keywords", "softplus, sizes as keyword arguments with defaults")
def net_softplus_keywords(theta, images, labels, lam=0.1, *, inputs=8, hidden=5, classes=3):
    w1, b1, w2, b2 = cut(theta, (inputs, hidden), (hidden,), (hidden, classes), (classes,))
    pre = images @ w1 + b1
    act = np.logaddexp(0, pre)
    p = softmax_rows(act @ w2 + b2)
    own = np.eye(classes)[labels]
    loss = -np.sum(own * np.log(p)) / len(images) + lam * (np.sum(w1**2) + np.sum(w2**2))
    d2 = (p - own) / len(images)
    d1 = (d2 @ w2.T) * sigmoid(pre)
    dw1, dw2 = images.T @ d1 + 2 * lam * w1, act.T @ d2 + 2 * lam * w2
    return loss, np.r_[dw1.ravel(), d1.sum(0), dw2.ravel(), d2.sum(0)]


# ------------------------------------------------------------------------------------------
# Nets with the layers in one vector, wrong
# ------------------------------------------------------------------------------------------
@wrong("unroll_order", "net_ints", "reads W1, W2, b1, b2 but returns dW1, db1, dW2, db2")
def net_gradient_by_layers(flat, X, y, n_in, n_hid, n_out, decay):
    w_in, w_out, b_in, b_out = cut(flat, (n_in, n_hid), (n_hid, n_out), (n_hid,), (n_out,))
    a = np.tanh(X @ w_in + b_in)
    p = softmax_rows(a @ w_out + b_out)
    rows = np.arange(len(y))
    loss = -np.mean(np.log(p[rows, y])) + decay * (np.sum(w_in**2) + np.sum(w_out**2))
    p[rows, y] -= 1
    p /= len(y)
    da = p @ w_out.T * (1 - a**2)
    layers = [(X.T @ da + 2 * decay * w_in, da), (a.T @ p + 2 * decay * w_out, p)]
    return loss, np.concatenate([part for dw, e in layers for part in (dw.ravel(), e.sum(axis=0))])


@wrong("relu_mask_missing", "net_held", "the hidden error passes units that were off")
def net_closure_all_units_on(theta):
    d, h, k = SIZES["D"], SIZES["H"], SIZES["K"]
    W1, b1, W2, b2 = cut(theta, (d, h), (h,), (h, k), (k,))
    h1 = np.maximum(0, HELD_X @ W1 + b1)
    p = softmax_rows(h1 @ W2 + b2)
    loss = -np.log(np.take_along_axis(p, HELD_Y[:, None], axis=1)).mean()
    dscores = (p - (HELD_Y[:, None] == range(k))) / len(HELD_X)
    dh = dscores @ W2.T
    parts = HELD_X.T @ dh, dh.sum(axis=0), h1.T @ dscores, dscores.sum(axis=0)
    return loss, np.concatenate([part.reshape(-1) for part in parts])


@wrong("relu_mask_wrong", "net", "masks where the error is positive, not where the unit was on")
def net_masks_the_error(theta, images, labels, lam, sizes):
    d, h, k = sizes
    W1, b1, W2, b2 = cut(theta, (d, h), (h,), (h, k), (k,))
    n = len(labels)
    hidden = np.maximum(images @ W1 + b1, 0)
    p = softmax_rows(hidden @ W2 + b2)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * ((W1**2).sum() + (W2**2).sum())
    delta = (p - np.eye(k)[labels]) / n
    back = delta @ W2.T
    back[back <= 0] = 0
    dW1, dW2 = images.T @ back + 2 * lam * W1, hidden.T @ delta + 2 * lam * W2
    return loss, np.concatenate((dW1.ravel(), back.sum(0), dW2.ravel(), delta.sum(0)))


@wrong("activation_derivative_input", "net_ints", "1 - z ** 2 where 1 - tanh(z) ** 2 belongs")
def net_tanh_slope_from_z(flat, X, y, n_in, n_hid, n_out, decay):
    w_in, w_out, b_in, b_out = cut(flat, (n_in, n_hid), (n_hid, n_out), (n_hid,), (n_out,))
    z = X @ w_in + b_in
    a = np.tanh(z)
    p = softmax_rows(a @ w_out + b_out)
    onehot = np.eye(n_out)[y]
    loss = -np.sum(onehot * np.log(p)) / len(y) + 0.5 * decay * np.sum(w_in**2)
    loss += 0.5 * decay * np.sum(w_out**2)
    e2 = (p - onehot) / len(y)
    e1 = (e2 @ w_out.T) * (1 - z**2)
    blocks = [X.T @ e1 + decay * w_in, a.T @ e2 + decay * w_out, e1.sum(0), e2.sum(0)]
    return loss, np.concatenate([block.ravel() for block in blocks])


@wrong(
    "wrong_activation", "net_out_first", "the gradient of the output weights uses z, not relu(z)"
)
def net_output_gradient_from_z(theta, images, labels, lam, sizes):
    d, h, k = sizes
    V, c, U, b = cut(theta, (h, k), (k,), (d, h), (h,))
    z = images.dot(U) + b
    p = softmax_rows(np.where(z > 0, z, 0).dot(V) + c)
    n = labels.size
    loss = sum(-np.log(p[i, labels[i]]) for i in range(n)) / n
    loss += 0.5 * lam * sum(float(np.sum(m * m)) for m in (U, V))
    for i in range(n):
        p[i, labels[i]] -= 1
    dV = z.T.dot(p) / n + lam * V
    dz = p.dot(V.T) * (z > 0)
    dU = images.T.dot(dz) / n + lam * U
    return loss, np.hstack([dV.flat, p.mean(axis=0), dU.flat, dz.mean(axis=0)])


@wrong("grad_zero", "net_keywords", "fills copies of the pieces; the vector returned stays zero")
def net_fills_copies(theta, images, labels, lam=0.1, *, inputs=8, hidden=5, classes=3):
    shapes = (inputs, hidden), (hidden,), (hidden, classes), (classes,)
    w1, b1, w2, b2 = cut(theta, *shapes)
    grad = np.zeros(theta.size)
    dw1, db1, dw2, db2 = (piece.copy() for piece in cut(grad, *shapes))
    act = np.maximum(0, images @ w1 + b1)
    p = softmax_rows(act @ w2 + b2)
    own = np.eye(classes)[labels]
    loss = -np.sum(own * np.log(p)) / len(images) + lam * (np.sum(w1**2) + np.sum(w2**2))
    d2 = (p - own) / len(images)
    d1 = (d2 @ w2.T) * (act > 0)
    dw1 += images.T @ d1 + 2 * lam * w1
    db1 += d1.sum(0)
    dw2 += act.T @ d2 + 2 * lam * w2
    db2 += d2.sum(0)
    return loss, grad


@wrong("nondeterministic", "net", "dropout with a fresh mask at each call")
def net_dropout(theta, images, labels, lam, sizes):
    d, h, k = sizes
    W1, b1, W2, b2 = cut(theta, (d, h), (h,), (h, k), (k,))
    keep = 0.8
    z = images @ W1 + b1
    mask = (np.random.default_rng().random(z.shape) < keep) / keep
    hidden = np.maximum(z, 0) * mask
    p = softmax_rows(hidden @ W2 + b2)
    n = len(labels)
    loss = -np.log(p[np.arange(n), labels]).mean() + lam * ((W1**2).sum() + (W2**2).sum())
    delta = (p - np.eye(k)[labels]) / n
    back = (delta @ W2.T) * mask * (z > 0)
    dW1, dW2 = images.T @ back + 2 * lam * W1, hidden.T @ delta + 2 * lam * W2
    return loss, np.concatenate((dW1.ravel(), back.sum(0), dW2.ravel(), delta.sum(0)))


# ------------------------------------------------------------------------------------------
# Sigmoid nets with a bias column in each Theta, right
# ------------------------------------------------------------------------------------------
@right("octave", "column order, labels from 1, bias columns free of the penalty")
def theta_octave(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lam):
    cut_at = hidden_layer_size * (input_layer_size + 1)
    Theta1 = nn_params[:cut_at].reshape((hidden_layer_size, input_layer_size + 1), order="F")
    Theta2 = nn_params[cut_at:].reshape((num_labels, hidden_layer_size + 1), order="F")
    m = X.shape[0]
    a1 = with_ones(X)
    z2 = a1 @ Theta1.T
    a2 = with_ones(sigmoid(z2))
    a3 = sigmoid(a2 @ Theta2.T)
    Y = (y[:, None] == np.arange(1, num_labels + 1)).astype(float)
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    delta3 = a3 - Y
    delta2 = (delta3 @ Theta2)[:, 1:] * sigmoid_gradient(z2)
    Theta1_grad = delta2.T @ a1 / m
    Theta2_grad = delta3.T @ a2 / m
    Theta1_grad[:, 1:] += lam / m * Theta1[:, 1:]
    Theta2_grad[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([Theta1_grad.ravel(order="F"), Theta2_grad.ravel(order="F")])


@right("theta", "row order, squared error with the slope of the output, all penalized")
def theta_squared_error(theta, images, labels, lam, sizes):
    d, h, k = sizes
    first, second = cut(theta, (h, d + 1), (k, h + 1))
    J, g1, g2 = 0.0, np.zeros_like(first), np.zeros_like(second)
    for image, label in zip(images, labels, strict=True):
        a1 = np.append(1.0, image)
        a2 = np.append(1.0, sigmoid(first @ a1))
        a3 = sigmoid(second @ a2)
        miss = a3 - np.eye(k)[label]
        J += 0.5 * miss @ miss
        e3 = miss * a3 * (1 - a3)
        e2 = (second.T @ e3 * a2 * (1 - a2))[1:]
        g2 += np.outer(e3, a2)
        g1 += np.outer(e2, a1)
    n = len(images)
    return J / n + lam / 2 * theta @ theta, np.append(g1, g2) / n + lam * theta


@right("theta_deep", "two hidden layers, a loop over the layers, at zero weights", point="zero")
def theta_deep_loop(theta, images, labels, lam, sizes):
    shapes = [(out, 1 + into) for into, out in itertools.pairwise(sizes)]
    thetas = cut(theta, *shapes)
    acts = [with_ones(images)]
    for T in thetas:
        acts.append(with_ones(sigmoid(acts[-1] @ T.T)))
    out = acts[-1][:, 1:]
    Y = np.eye(sizes[-1])[labels]
    m = len(images)
    J = -np.sum(np.where(Y == 1, np.log(out), np.log(1 - out))) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in thetas)
    err = out - Y
    grads = []
    for T, a in zip(reversed(thetas), reversed(acts[:-1]), strict=True):
        g = err.T @ a
        g[:, 1:] += lam * T[:, 1:]
        grads.insert(0, g.ravel() / m)
        err = ((err @ T) * a * (1 - a))[:, 1:]
    return J, np.concatenate(grads)


# ------------------------------------------------------------------------------------------
# Sigmoid nets with a bias column in each Theta, wrong
# ------------------------------------------------------------------------------------------
@wrong("bias_row_wrong", "octave", "drops the last column of Theta2 on the way back, not the bias")
def theta_octave_drops_last(nn_params, input_size, hidden_size, num_labels, X, y, lam):
    split = hidden_size * (input_size + 1)
    t1 = nn_params[:split].reshape(input_size + 1, hidden_size).T
    t2 = nn_params[split:].reshape(hidden_size + 1, num_labels).T
    m = len(X)
    a1 = np.c_[np.ones(m), X]
    z2 = a1.dot(t1.T)
    a2 = np.c_[np.ones(m), sigmoid(z2)]
    h = sigmoid(a2.dot(t2.T))
    Y = np.eye(num_labels)[y - 1]
    J = (-Y * np.log(h) - (1 - Y) * np.log(1 - h)).sum() / m
    J += lam / 2 / m * ((t1[:, 1:] ** 2).sum() + (t2[:, 1:] ** 2).sum())
    d3 = h - Y
    d2 = d3.dot(t2[:, :-1]) * sigmoid_gradient(z2)
    reg1, reg2 = np.copy(t1), np.copy(t2)
    reg1[:, 0] = reg2[:, 0] = 0
    g1 = (d2.T.dot(a1) + lam * reg1) / m
    g2 = (d3.T.dot(a2) + lam * reg2) / m
    return J, np.concatenate([g1.T.ravel(), g2.T.ravel()])


@wrong("reg_bias", "theta", "the bias columns are penalized in the gradient only")
def theta_bias_columns_penalized(theta, X, y, lam, sizes):
    d, h, k = sizes
    Theta1, Theta2 = cut(theta, (h, d + 1), (k, h + 1))
    m = len(y)
    a1 = with_ones(X)
    a2 = with_ones(sigmoid(a1 @ Theta1.T))
    a3 = sigmoid(a2 @ Theta2.T)
    Y = np.eye(k)[y]
    J = -(Y * np.log(a3) + (1 - Y) * np.log1p(-a3)).sum() / m
    J += lam / (2 * m) * sum((T[:, 1:] ** 2).sum() for T in (Theta1, Theta2))
    d3 = a3 - Y
    d2 = ((d3 @ Theta2) * a2 * (1 - a2))[:, 1:]
    Theta1_grad = (d2.T @ a1 + lam * Theta1) / m
    Theta2_grad = (d3.T @ a2 + lam * Theta2) / m
    return J, np.concatenate([Theta1_grad.ravel(), Theta2_grad.ravel()])


@wrong("reg_slice_wrong", "theta", "the penalty's gradient starts at column 2, the loss at 1")
def theta_penalty_from_column_two(theta, X, y, lam, sizes):
    d, h, k = sizes
    Theta1, Theta2 = cut(theta, (h, d + 1), (k, h + 1))
    m = len(y)
    a1 = with_ones(X)
    a2 = with_ones(sigmoid(a1 @ Theta1.T))
    z3 = a2 @ Theta2.T
    Y = np.eye(k)[y]
    J = (np.logaddexp(0, z3) - Y * z3).sum() / m
    J += 0.5 * lam * sum(np.linalg.norm(T[:, 1:]) ** 2 for T in (Theta1, Theta2))
    d3 = (sigmoid(z3) - Y) / m
    d2 = (d3 @ Theta2[:, 1:]) * (a2 * (1 - a2))[:, 1:]
    G1, G2 = d2.T @ a1, d3.T @ a2
    for G, T in ((G1, Theta1), (G2, Theta2)):
        G[:, 2:] += lam * T[:, 2:]
    return J, np.concatenate([G1.ravel(), G2.ravel()])


@wrong("reg_scale_N", "octave", "lam / (2 m) in the cost, lam in the gradient")
def theta_octave_penalty_not_averaged(nn_params, n_in, n_hid, n_out, X, y, lam):
    k = n_hid * (n_in + 1)
    Theta1 = np.reshape(nn_params[:k], (n_hid, n_in + 1), order="F")
    Theta2 = np.reshape(nn_params[k:], (n_out, n_hid + 1), order="F")
    m = len(X)
    J = 0.0
    D1, D2 = np.zeros_like(Theta1), np.zeros_like(Theta2)
    for t in range(m):
        a1 = np.concatenate(([1], X[t]))
        a2 = np.concatenate(([1], sigmoid(Theta1 @ a1)))
        a3 = sigmoid(Theta2 @ a2)
        yt = np.zeros(n_out)
        yt[y[t] - 1] = 1
        J -= (yt @ np.log(a3) + (1 - yt) @ np.log(1 - a3)) / m
        d3 = a3 - yt
        d2 = (Theta2.T @ d3)[1:] * sigmoid_gradient(Theta1 @ a1)
        D1 += np.outer(d2, a1) / m
        D2 += np.outer(d3, a2) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    D1[:, 1:] += lam * Theta1[:, 1:]
    D2[:, 1:] += lam * Theta2[:, 1:]
    return J, np.concatenate((D1.ravel("F"), D2.ravel("F")))


@wrong("extra_activation_derivative", "theta_yes_no", "cross-entropy, yet the output's a * (1 - a)")
def theta_output_slope_twice(theta, X, Y, lam, sizes):
    d, h, k = sizes
    A, B = cut(theta, (h, d + 1), (k, h + 1))
    m = len(X)
    ones = np.ones((m, 1))
    x1 = np.hstack([ones, X])
    hid = np.hstack([ones, sigmoid(x1 @ A.T)])
    out = sigmoid(hid @ B.T)
    cost = -np.mean(np.sum(Y * np.log(out) + (1 - Y) * np.log(1 - out), axis=1))
    cost += lam / 2 * (np.sum(A[:, 1:] ** 2) + np.sum(B[:, 1:] ** 2))
    err_out = (out - Y) * out * (1 - out)
    err_hid = (err_out @ B[:, 1:]) * hid[:, 1:] * (1 - hid[:, 1:])
    penal = np.concatenate([np.insert(T[:, 1:], 0, 0, axis=1).ravel() for T in (A, B)])
    return cost, np.append(err_hid.T @ x1, err_out.T @ hid) / m + lam * penal


@wrong("double_activation", "theta", "the slope's helper wants z2 and is given sigmoid(z2)")
def theta_slope_of_activation(theta, X, y, lam, sizes):
    d, h, k = sizes
    cutoff = h * (d + 1)
    Theta1, Theta2 = theta[:cutoff].reshape(h, -1), theta[cutoff:].reshape(k, -1)
    m = y.size
    X1 = with_ones(X)
    a2 = sigmoid(X1 @ Theta1.T)
    a3 = sigmoid(with_ones(a2) @ Theta2.T)
    J = 0.0
    for c in range(k):
        yc = np.where(y == c, 1, 0)
        J += -yc @ np.log(a3[:, c]) - (1 - yc) @ np.log(1 - a3[:, c])
    J = J / m + lam / (2 * m) * ((Theta1[:, 1:] ** 2).sum() + (Theta2[:, 1:] ** 2).sum())
    e3 = a3 - np.eye(k)[y]
    e2 = (e3 @ Theta2[:, 1:]) * sigmoid_gradient(a2)
    free1, free2 = Theta1 * (np.arange(d + 1) > 0), Theta2 * (np.arange(h + 1) > 0)
    g1, g2 = e2.T @ X1 + lam * free1, e3.T @ with_ones(a2) + lam * free2
    return J, np.concatenate([g1.ravel(), g2.ravel()]) / m


@wrong("unroll_order", "theta_deep", "gradients collected going backwards and never reversed")
def theta_deep_never_reversed(theta, images, labels, lam, sizes):
    shapes = [(out, 1 + into) for into, out in itertools.pairwise(sizes)]
    thetas = cut(theta, *shapes)
    acts = [with_ones(images)]
    for T in thetas:
        acts.append(with_ones(sigmoid(acts[-1] @ T.T)))
    out = acts[-1][:, 1:]
    Y = np.eye(sizes[-1])[labels]
    m = len(images)
    J = -np.sum(np.where(Y == 1, np.log(out), np.log(1 - out))) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in thetas)
    err = out - Y
    grads = []
    for T, a in list(zip(thetas, acts[:-1], strict=True))[::-1]:
        g = err.T @ a / m
        g[:, 1:] += lam / m * T[:, 1:]
        grads.append(g.ravel())
        err = ((err @ T) * a * (1 - a))[:, 1:]
    return J, np.concatenate(grads)


@wrong("flatten_order", "octave", "read in Octave's column order, flattened in NumPy's row order")
def theta_octave_ravel(nn_params, n_in, n_hid, n_out, X, y, lam):
    k = n_hid * (n_in + 1)
    Theta1 = nn_params[:k].reshape(n_hid, n_in + 1, order="F")
    Theta2 = nn_params[k:].reshape(n_out, n_hid + 1, order="F")
    m = len(X)
    a1 = with_ones(X)
    a2 = with_ones(sigmoid(a1 @ Theta1.T))
    z3 = a2 @ Theta2.T
    Y = np.equal.outer(y, 1 + np.arange(n_out)) * 1.0
    J = np.mean(np.sum(np.logaddexp(0, z3) - Y * z3, axis=1))
    J += lam / 2 * (np.sum(Theta1**2) + np.sum(Theta2**2))
    d3 = (sigmoid(z3) - Y) / m
    d2 = (d3 @ Theta2 * a2 * (1 - a2))[:, 1:]
    G1 = d2.T @ a1 + lam * Theta1
    G2 = d3.T @ a2 + lam * Theta2
    return J, np.concatenate([G1.flatten(), G2.flatten()])


@wrong("activation_derivative_missing", "theta_yes_no", "no a2 * (1 - a2) on the way back")
def theta_hidden_slope_missing(theta, X, Y, lam, sizes):
    d, h, k = sizes
    A, B = cut(theta, (h, d + 1), (k, h + 1))
    m = len(X)
    x1 = with_ones(X)
    a2 = with_ones(sigmoid(x1 @ A.T))
    a3 = sigmoid(a2 @ B.T)
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m + lam / (2 * m) * theta @ theta
    e3 = a3 - Y
    e2 = np.einsum("nk,kh->nh", e3, B[:, 1:])
    g1 = np.einsum("nh,nd->hd", e2, x1)
    g2 = np.einsum("nk,nh->kh", e3, a2)
    return J, (np.append(g1, g2) + lam * theta) / m


@wrong("scale_N", "theta", "the sums over the examples are never divided by m in the gradient")
def theta_sum_not_averaged(theta, X, y, lam, sizes):
    d, h, k = sizes
    Theta1, Theta2 = cut(theta, (h, d + 1), (k, h + 1))
    m = len(X)
    cost, acc1, acc2 = 0.0, 0.0, 0.0
    for row, label in zip(with_ones(X), y, strict=True):
        a2 = np.r_[1, sigmoid(Theta1 @ row)]
        a3 = sigmoid(Theta2 @ a2)
        target = np.eye(k)[label]
        cost -= np.log(np.where(target > 0, a3, 1 - a3)).sum()
        d3 = a3 - target
        acc2 = acc2 + np.outer(d3, a2)
        acc1 = acc1 + np.outer((d3 @ Theta2 * a2 * (1 - a2))[1:], row)
    cost = cost / m + 0.5 * lam * np.sum(theta**2)
    return cost, np.append(acc1, acc2) + lam * theta


# ------------------------------------------------------------------------------------------
# Linear regression, right
# ------------------------------------------------------------------------------------------
@right("line", "mean squared error over 2, lam / (2 N)")
def line_half_mean(w, X, t, lam):
    n = len(t)
    r = X @ w - t
    return (r @ r + lam * w @ w) / (2 * n), (X.T @ r + lam * w) / n


@right("line_multi_b", "several targets, summed over targets, averaged over examples")
def line_several_targets(model, X, T, lam):
    r = X @ model["W"] + model["b"] - T
    loss = np.mean(np.sum(r**2, axis=1)) + lam * np.sum(model["W"] ** 2)
    return loss, {
        "W": 2 * np.einsum("nd,nk->dk", X, r) / len(T) + 2 * lam * model["W"],
        "b": 2 * r.mean(axis=0),
    }


@right(
    "line_column",
    "everything a column, summed, Fortran order, no penalty",
    point="fortran",
    lam=0.0,
)
def line_column_sum(w, X, t, lam):
    r = np.dot(X, w) - t
    return (r.T @ r).item() + lam * (w.T @ w).item(), 2 * (X.T @ r + lam * w)


@right("line_cols", "columns are examples; whole numbers", point="integer")
def line_columns_targets(W, X, T, lam):
    E = W @ X - T
    n = X.shape[1]
    return 0.5 * np.sum(E * E) / n + 0.5 * lam * np.sum(W * W), E @ X.T / n + lam * W


@right(
    "line_trick", "ones in front, the first weight is free of the penalty; a single example", N=1
)
def line_trick_free_intercept(w, X, t, lam):
    r = X @ w - t
    free = np.concatenate([[0.0], w[1:]])
    return np.mean(r**2) + lam * free @ free, 2 * np.mean(X * r[:, None], axis=0) + 2 * lam * free


@right("line_mixed", "column of weights, flat targets, raveled before the difference")
def line_mixed_shapes(w, X, t, lam):
    r = (X @ w).ravel() - t
    grad = np.array([[2 * np.mean(r * X[:, j])] for j in range(X.shape[1])])
    return np.mean(r**2) + lam * np.sum(w**2), grad + 2 * lam * w


@right("line_free", "Huber's loss: squared near zero, linear far away")
def line_huber(w, X, t):
    r = X @ w - t
    small = np.abs(r) <= 1.5
    loss = np.where(small, 0.5 * r**2, 1.5 * np.abs(r) - 1.125)
    return loss.mean(), X.T @ np.where(small, r, 1.5 * np.sign(r)) / len(t)


@right("line_held", "root of the mean square, the data in the module")
def line_closure_rmse(w):
    r = HELD_X @ w - HELD_T
    rmse = np.sqrt(np.mean(r**2))
    return rmse, HELD_X.T @ r / (r.size * rmse)


# ------------------------------------------------------------------------------------------
# Linear regression, wrong
# ------------------------------------------------------------------------------------------
@wrong("scale_half", "line_column", "mean of r ** 2, but the 2 is missing in the gradient")
def line_column_no_two(w, X, t, lam):
    r = X.dot(w) - t
    mse = (r**2).mean() + 0.5 * lam * float((w**2).sum())
    return mse, X.T.dot(r) / X.shape[0] + lam * w


@wrong("scale_C", "line_multi", "np.mean over examples and targets, gradient divided by N only")
def line_mean_over_targets(W, X, T, lam):
    residual = X @ W - T
    loss = np.mean(residual**2) + lam * np.sum(W * W)
    grad = np.zeros_like(W)
    for x, r in zip(X, residual, strict=True):
        grad += 2 * np.outer(x, r)
    return loss, grad / len(X) + 2 * lam * W


@wrong("sign", "line_multi_b", "target minus prediction in the gradients, without the minus")
def line_several_targets_sign(model, X, T, lam):
    diff = T - (X.dot(model["W"]) + model["b"])
    cost = 0.5 * (diff * diff).sum() / len(X)
    return cost, {"W": X.T.dot(diff) / len(X), "b": diff.sum(axis=0) / len(X)}


@wrong("missing_input_factor", "line_b", "the mean residual serves as the gradient of every weight")
def line_residual_without_x(params, X, t, lam):
    r = X @ params["w"] + params["b"] - t
    loss = np.mean(r**2) + lam * np.sum(params["w"] ** 2)
    dw = [2 * np.mean(r) + 2 * lam * wj for wj in params["w"]]
    return loss, {"w": np.array(dw), "b": np.array([2 * np.mean(r)])}


@wrong("shape_2d", "line_tn1", "targets (N, 1) make the gradient a column, w is flat")
def line_gradient_column(w, X, t, lam):
    r = X @ w.reshape(-1, 1) - t
    loss = np.sum(r**2) / (2 * len(X)) + lam / 2 * np.sum(w**2)
    return loss, X.T @ r / len(X) + lam * w.reshape(-1, 1)


@wrong("broadcast_shape", "line_mixed", "(N, 1) minus (N,) is (N, N) in the loss")
def line_square_residual(w, X, t, lam):
    pred = X @ w
    loss = np.mean((pred - t) ** 2) + lam * np.sum(w**2)
    return loss, 2 * X.T @ (pred[:, 0] - t)[:, None] / len(t) + 2 * lam * w


@wrong("loss_wrong_grad_of_other", "line_free", "Huber's loss with the gradient of the square")
def line_huber_square_gradient(w, X, t):
    r = X @ w - t
    size = np.abs(r)
    loss = sum(0.5 * s * s if s <= 1 else s - 0.5 for s in size) / len(t)
    return loss, X.T @ r / len(t)


@wrong("scale_const", "line_held", "the root of the mean square, differentiated without the root")
def line_closure_root_forgotten(w):
    r = HELD_X @ w - HELD_T
    return np.sqrt(np.mean(r**2)), 2 * HELD_X.T @ r / r.size


@wrong("mutates_input", "line_column", "takes the prediction off the caller's targets")
def line_residual_in_targets(w, X, t, lam):
    residual = t
    residual -= X @ w
    loss = 0.5 * np.mean(residual**2) + 0.5 * lam * np.sum(w**2)
    return loss, -X.T @ residual / len(X) + lam * w


@wrong("nondeterministic", "line", "a new random batch at each call")
def line_random_batch(w, X, t, lam):
    batch = np.random.default_rng().choice(len(t), size=6, replace=False)
    r = X[batch] @ w - t[batch]
    return 0.5 * np.mean(r**2) + lam * w @ w, X[batch].T @ r / len(batch) + 2 * lam * w


@wrong("ignores_argument", "line_column_b", "the prediction uses a global intercept")
def line_global_intercept(params, X, t, lam):
    r = X @ params["slope"] + _bias_of_first_try[0] - t
    loss = np.mean(r**2) / 2 + lam * np.sum(params["slope"] ** 2)
    d_slope = X.T @ r / len(X) + 2 * lam * params["slope"]
    return loss, {"slope": d_slope, "intercept": r.mean(axis=0, keepdims=True)}


@wrong("grad_zero", "line_cols", "each example's gradient goes into a name that is thrown away")
def line_columns_never_stored(W, X, T, lam):
    grad = np.zeros_like(W)
    loss = 0.0
    for x, target in zip(X.T, T.T, strict=True):
        r = W @ x - target
        loss += r @ r
        step = grad + 2 * np.outer(r, x)
        step += 2 * lam * W
    return loss / X.shape[1] + lam * np.sum(W**2), grad


@wrong("bias_axis", "line_multi_b", "the bias gradient is summed over the targets as well")
def line_one_number_for_biases(model, X, T, lam):
    r = X @ model["W"] + model["b"] - T
    n = r.shape[0]
    grads = {"W": X.T @ r / n + lam * model["W"], "b": np.full(r.shape[1], np.sum(r) / n)}
    return 0.5 * np.sum(r**2) / n + 0.5 * lam * np.sum(model["W"] ** 2), grads


@wrong(
    "entry_wrong", "line_trick", "sets the gradient of the intercept to 0, meant for its penalty"
)
def line_intercept_never_learns(w, X, t, lam):
    r = X @ w - t
    loss = r @ r / len(t) + lam * np.sum(w[1:] ** 2)
    grad = 2 * X.T @ r / len(t) + 2 * lam * w
    grad[0] = 0
    return loss, grad


@wrong("reg_bias", "line_trick", "the loss penalizes every weight, the gradient not the intercept")
def line_intercept_penalty_lost(w, X, t, lam):
    r = X @ w - t
    loss = 0.5 * np.mean(r**2) + 0.5 * lam * np.sum(w**2)
    mask = np.ones_like(w)
    mask[0] = 0.0
    return loss, np.mean(r[:, None] * X, axis=0) + lam * mask * w


@wrong("reg_slice_wrong", "line_trick", "ones are in front, the gradient spares the last weight")
def line_spares_last_weight(w, X, t, lam):
    m = len(t)
    r = X @ w - t
    J = (r @ r + lam * w[1:] @ w[1:]) / (2 * m)
    grad = X.T @ r
    grad[:-1] += lam * w[:-1]
    return J, grad / m


@wrong("reg_sum_scalar", "line", "adds the number sum(w) times lam to every entry")
def line_penalty_is_a_number(w, X, t, lam):
    r = X @ w - t
    loss = np.mean(r**2) + lam * np.sum(w**2)
    return loss, 2 * X.T @ r / len(t) + 2 * lam * np.sum(w)


@wrong("reg_factor_2", "line_multi", "lam * sum(W ** 2) in the loss, lam * W in the gradient")
def line_penalty_without_two(W, X, T, lam):
    r = X @ W - T
    loss = 0.5 * np.linalg.norm(r) ** 2 / len(X) + lam * np.linalg.norm(W) ** 2
    return loss, X.T @ r / len(X) + lam * W


@wrong("reg_wrong_norm", "line_column", "ridge in the loss, lasso's sign(w) in the gradient")
def line_ridge_with_lasso_gradient(w, X, t, lam):
    r = X @ w - t
    loss = np.mean(r**2) + lam * np.sum(w**2)
    return loss, 2 * X.T @ r / len(X) + lam * np.sign(w)


@wrong("swapped_keys", "line_multi_b", "the two gradients are stored under each other's name")
def line_names_exchanged(model, X, T, lam):
    r = (X @ model["W"] + model["b"] - T) / len(T)
    d_first, d_second = r.sum(axis=0), X.T @ r + lam * model["W"]
    loss = 0.5 * len(T) * np.sum(r**2) + 0.5 * lam * np.sum(model["W"] ** 2)
    return loss, dict(zip(("W", "b"), (d_first, d_second), strict=True))


@wrong("scale_inv_N", "line_mixed", "the loss is a sum, the gradient a mean")
def line_sum_with_mean_gradient(w, X, t, lam):
    r = X @ w - t[:, None]
    return float(np.sum(r**2) + lam * np.sum(w**2)), X.T @ r * (2 / len(X)) + 2 * lam * w


@wrong("scale_N", "line_b", "averaged in the loss, summed in both gradients")
def line_b_summed_gradient(params, X, t, lam):
    errors = [x @ params["w"] + params["b"][0] - ti for x, ti in zip(X, t, strict=True)]
    loss = 0.5 * sum(e * e for e in errors) / len(errors)
    dw = sum(e * x for e, x in zip(errors, X, strict=True))
    return loss, {"w": dw, "b": np.array([sum(errors)])}


@wrong("example_dropped", "line_cols", "the gradient's loop starts at the second example")
def line_columns_from_second(W, X, T, lam):
    n = X.shape[1]
    E = W @ X - T
    loss = np.sum(E**2) / (2 * n) + lam * np.sum(W**2)
    dW = 2 * lam * W
    for i in range(1, n):
        dW += E[:, i : i + 1] * X[:, i] / n
    return loss, dW


# Other codes that describe the very same array (or the same symptom) equally well.
EQUIVALENT = {
    # the penalty's slice ends behind the biases instead of in front of them
    "soft_vector_penalty_on_all": {"reg_slice_wrong"},
    # it starts at the bias column instead of behind it
    "theta_bias_columns_penalized": {"reg_slice_wrong"},
    # it starts behind the intercept instead of at it; in that entry the penalty's gradient is 0
    "line_intercept_penalty_lost": {"reg_slice_wrong", "reg_missing"},
    # the weights in front are penalized in one place only
    "line_spares_last_weight": {"reg_bias"},
    # the textbook gradient, the loss is another one
    "line_square_residual": {"loss_wrong_grad_of_other"},
    "line_closure_root_forgotten": {"loss_wrong_grad_of_other"},
    # the gradient of a loss with another penalty
    "line_ridge_with_lasso_gradient": {"loss_wrong_grad_of_other"},
    # column order of (H, 1 + D) is the transposed array
    "soft_vector_column_flatten": {"transpose"},
    "theta_octave_ravel": {"transpose"},
    # (a - y) a (1 - a) is the error signal of the squared error
    "theta_output_slope_twice": {"loss_wrong_grad_of_other"},
    # the mask is the derivative of the activation
    "net_closure_all_units_on": {"activation_derivative_missing"},
    # the row of the intercept is that entry
    "line_intercept_never_learns": {"last_row_wrong"},
}
