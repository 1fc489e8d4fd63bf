"""Wrong and right loss functions of small neural nets, for measuring a gradient checker.

Each function returns the loss and a dict of gradients by its first argument, a dict of weights and
biases: two or three layers, with softmax, hinge, logistic or squared-error heads, in many layouts.
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
        family = next(f for f in ("hinge", "softmax", "logistic", "mse") if f in low) + "_net"
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
SIZES = {"N": 17, "D": 7, "H": 11, "G": 9, "C": 5}

# kind: names of the parameters by layer, weights (in, out) or (out, in), rows or columns, targets
LAYOUTS = {
    "weights": ("weights1 bias1 weights2 bias2", "io", "rows", "labels"),
    "fc": ("fc1.weight fc1.bias fc2.weight fc2.bias", "oi", "rows", "labels"),
    "theta_cols": ("Theta1 beta1 Theta2 beta2", "oi", "cols", "labels"),
    "onehot": ("w_hid b_hid w_out b_out", "io", "rows", "onehot"),
    "onehot_cols": ("W1 b1 W2 b2", "oi", "cols", "onehot"),
    "real": ("A a B b", "io", "rows", "real"),
    "real_cols": ("V v U u", "oi", "cols", "real"),
    "binary": ("kernel0 offset0 kernel1 offset1", "io", "rows", "binary"),
    "three": ("W0 b0 W1 b1 W2 b2", "io", "rows", "labels"),
    "three_oi": (
        "hidden1_w hidden1_b hidden2_w hidden2_b output_w output_b",
        "oi",
        "rows",
        "labels",
    ),
    "three_cols": ("W_1 b_1 W_2 b_2 W_3 b_3", "oi", "cols", "onehot"),
    "three_real": ("P p Q q R r", "io", "rows", "real"),
    "plain": ("W_in - W_out -", "io", "rows", "labels"),
    "held": ("Wx bx Wy by", "io", "rows", "labels"),
}


def _draw_labels(rng, n, c):
    once = np.arange(min(n, c))
    rest = rng.integers(0, c, size=n - once.size)
    return rng.permutation(np.concatenate([once, rest]))


def make_inputs(entry, seed=0):
    """Return the arguments of ``entry["func"]``; the gradient is taken by the first.

    The arguments are a dict of parameters, the data, the targets and the strength of the penalty.
    Biases are vectors, or columns where the examples are columns. Targets are labels (N,), one-hot
    rows (N, C) or columns (C, N), real numbers of those shapes, or 0.0 and 1.0 of shape (N,) with
    one output. ``plain`` has no biases and ``held`` returns the dict alone.
    """
    kind = entry["inputs"]
    o = {**SIZES, "lam": None, "scale": 1.0, "point": "generic", "dtype": np.float64}
    o.update(entry["case"])
    rng = np.random.default_rng([40961, seed])
    names, orient, layout, target = LAYOUTS[kind]
    names = names.split()
    n, d, h, g, c, point, dtype = (o[k] for k in ("N", "D", "H", "G", "C", "point", "dtype"))
    if target == "binary":
        c = 1
    lam = float(rng.uniform(0.08, 0.4)) if o["lam"] is None else o["lam"]
    if kind == "held":
        n, d, c = *_HELD_X.shape, _HELD_C
    x = o["scale"] * rng.normal(size=(n, d))
    if point == "blank":  # and the biases are 0: all hidden units are exactly 0 for example 0
        x[0] = 0.0
    if target == "real":
        y = rng.normal(size=(n, c)).astype(dtype)
    elif target == "binary":
        y = rng.permutation(np.arange(n) % 2).astype(dtype)
    else:
        y = _draw_labels(rng, n, c)
        if target == "onehot":
            y = np.eye(c, dtype=dtype)[y]
    if layout == "cols":
        x = np.ascontiguousarray(x.T)
        y = np.ascontiguousarray(y.T)

    widths = [d, h, c] if len(names) == 4 else [d, h, g, c]
    params = {}
    for i in range(len(widths) - 1):
        w = rng.normal(size=widths[i : i + 2]) * (1.6 / np.sqrt(widths[i]))
        b = rng.normal(scale=0.5, size=widths[i + 1])
        if point == "blank":
            b = 0 * b
        if point == "near" and i == 0:  # unit 2 is almost 0 for example 3
            b[2] = 2e-8 - x[3] @ w[:, 2]
        if point == "zero":
            w, b = 0 * w, 0 * b
        if point == "huge":
            w = 40 * w
        if orient == "oi":
            w = np.ascontiguousarray(w.T)
        if point == "fortran":
            w = np.asfortranarray(w)
        if layout == "cols":
            b = b[:, None]
        params[names[2 * i]] = w.astype(dtype)
        if names[2 * i + 1] != "-":
            params[names[2 * i + 1]] = b.astype(dtype)
    if kind == "held":
        return (params,)
    return params, x.astype(dtype), y, lam


_held = np.random.default_rng(58)
_HELD_X = _held.normal(size=(13, 6))
_HELD_C = 4
_HELD_Y = _draw_labels(_held, 13, _HELD_C)


# ------------------------------------------------------------------------------------------
# Pieces several functions use
# ------------------------------------------------------------------------------------------
def sigmoid(z):
    """1 / (1 + exp(-z)) for any z."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def softmax(scores, axis=1):
    """Probabilities along an axis."""
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def relu(z):
    """The larger of z and 0."""
    return np.maximum(z, 0)


# ------------------------------------------------------------------------------------------
# Right
# ------------------------------------------------------------------------------------------
@right("weights", "ReLU, softmax, half the penalty on the weights")
def relu_softmax_weights(params, images, labels, lam):
    n = len(images)
    hid = relu(images @ params["weights1"] + params["bias1"])
    p_hat = softmax(hid @ params["weights2"] + params["bias2"])
    loss = -np.log(p_hat[np.arange(n), labels]).mean()
    for k in ("weights1", "weights2"):
        loss += 0.5 * lam * np.sum(params[k] ** 2)
    p_hat[np.arange(n), labels] -= 1
    p_hat /= n
    back = p_hat @ params["weights2"].T
    back[hid <= 0] = 0
    return loss, {
        "weights1": images.T @ back + lam * params["weights1"],
        "bias1": back.sum(axis=0),
        "weights2": hid.T @ p_hat + lam * params["weights2"],
        "bias2": p_hat.sum(axis=0),
    }


@right("theta_cols", "examples are columns, tanh, no penalty on the biases, sum over examples")
def tanh_softmax_columns(theta, X, y, strength):
    T1, T2 = theta["Theta1"], theta["Theta2"]
    m = X.shape[1]
    A = np.tanh(T1 @ X + theta["beta1"])
    S = T2 @ A + theta["beta2"]
    S = S - S.max(axis=0)
    logz = np.log(np.exp(S).sum(axis=0))
    J = np.sum(logz - S[y, range(m)]) + strength * (np.sum(T1**2) + np.sum(T2**2))
    D2 = np.exp(S - logz)
    D2[y, range(m)] -= 1
    D1 = T2.T @ D2 * (1 - A**2)
    grads = {
        "Theta2": D2 @ A.T + 2 * strength * T2,
        "Theta1": D1 @ X.T + 2 * strength * T1,
        "beta2": D2.sum(axis=1, keepdims=True),
        "beta1": D1.sum(axis=1, keepdims=True),
    }
    return J, grads


@right("fc", "leaky ReLU and a hinge loss with delta 2, weights (out, in)")
def leaky_hinge_fc_delta(state, x, y, wd, delta=2.0, slope=0.1):
    n = x.shape[0]
    z = x @ state["fc1.weight"].T + state["fc1.bias"]
    gate = np.where(z > 0, 1.0, slope)
    s = (z * gate) @ state["fc2.weight"].T + state["fc2.bias"]
    margins = np.maximum(0, s - s[np.arange(n), y][:, None] + delta)
    margins[np.arange(n), y] = 0
    ds = (margins > 0) * 1.0
    ds[np.arange(n), y] = -np.count_nonzero(margins, axis=1)
    ds /= n
    dz = ds @ state["fc2.weight"] * gate
    loss = margins.sum() / n
    grads = {
        "fc1.weight": dz.T @ x,
        "fc1.bias": dz.sum(axis=0),
        "fc2.weight": ds.T @ (z * gate),
        "fc2.bias": ds.sum(axis=0),
    }
    for k in ("fc1.weight", "fc2.weight"):
        loss += wd * np.sum(state[k] ** 2)
        grads[k] += 2 * wd * state[k]
    return loss, grads


@right("weights", "squared hinge on a sigmoid layer: here the margins do go back")
def sigmoid_hinge_squared(params, feats, labels, lam):
    w1, w2 = params["weights1"], params["weights2"]
    n = len(feats)
    a = sigmoid(feats @ w1 + params["bias1"])
    s = a @ w2 + params["bias2"]
    v = relu(1 + s - s[np.arange(n), labels].reshape(n, 1))
    v[np.arange(n), labels] = 0
    loss = np.vdot(v, v) / n + lam * (np.vdot(w1, w1) + np.vdot(w2, w2))
    d = 2 * v / n
    d[np.arange(n), labels] -= d.sum(axis=1)
    back = d @ w2.T * (a - a**2)
    return loss, {
        "weights1": feats.T @ back + 2 * lam * w1,
        "bias1": back.sum(axis=0),
        "weights2": a.T @ d + 2 * lam * w2,
        "bias2": d.sum(axis=0),
    }


@right("three_real", "softplus twice, sum over the examples, biases penalized in both places")
def three_softplus_mse_biases_penalized(net, x, target, lam):
    z1 = x @ net["P"] + net["p"]
    h1 = np.log1p(np.exp(z1))
    z2 = h1 @ net["Q"] + net["q"]
    h2 = np.log1p(np.exp(z2))
    e = h2 @ net["R"] + net["r"] - target
    loss = np.sum(e**2) + lam * sum(np.sum(v**2) for v in net.values())
    d3 = 2 * e
    d2 = d3 @ net["R"].T / (1 + np.exp(-z2))
    d1 = d2 @ net["Q"].T / (1 + np.exp(-z1))
    grads = {"P": x.T @ d1, "Q": h1.T @ d2, "R": h2.T @ d3}
    grads.update(p=d1.sum(axis=0), q=d2.sum(axis=0), r=d3.sum(axis=0))
    return loss, {k: grads[k] + 2 * lam * net[k] for k in net}


@right("binary", "labels 0 and 1, one output, tanh, no penalty", lam=0.0)
def tanh_logistic_logaddexp(params, x, t, lam):
    h = np.tanh(x @ params["kernel0"] + params["offset0"])
    z = h @ params["kernel1"][:, 0] + params["offset1"][0]
    loss = np.logaddexp(0, z).mean() - t @ z / len(t)
    d = (sigmoid(z) - t) / len(t)
    dh = np.outer(d, params["kernel1"][:, 0]) * (1 - h * h)
    return loss, {
        "kernel0": x.T @ dh,
        "offset0": dh.sum(axis=0),
        "kernel1": (h.T @ d)[:, None],
        "offset1": np.array([d.sum()]),
    }


@right("three", "a blank image and biases 0: some units are exactly 0", point="blank")
def three_relu_hinge_blank_image(params, X, y, lam):
    a0 = relu(X @ params["W0"] + params["b0"])
    a1 = relu(a0 @ params["W1"] + params["b1"])
    s = a1 @ params["W2"] + params["b2"]
    n = len(y)
    m = relu(s - s[np.arange(n), y][:, None] + 1)
    m[np.arange(n), y] = 0
    d2 = np.sign(m)
    d2[np.arange(n), y] = -d2.sum(axis=1)
    d2 /= n
    d1 = d2 @ params["W2"].T * np.sign(a1)
    d0 = d1 @ params["W1"].T * np.sign(a0)
    loss = m.sum() / n + 0.5 * lam * sum(np.sum(params[k] ** 2) for k in ("W0", "W1", "W2"))
    return loss, {
        "W0": X.T @ d0 + lam * params["W0"],
        "b0": d0.sum(axis=0),
        "W1": a0.T @ d1 + lam * params["W1"],
        "b1": d1.sum(axis=0),
        "W2": a1.T @ d2 + lam * params["W2"],
        "b2": d2.sum(axis=0),
    }


@right("weights", "float32 from beginning to end", dtype=np.float32)
def relu_softmax_float32(params, images, labels, lam):
    return relu_softmax_weights(params, images, labels, lam)


@right("weights", "one unit is 2e-8: a step crosses the corner of its ReLU", point="near")
def relu_softmax_near_kink(params, images, labels, lam):
    return relu_softmax_weights(params, images, labels, lam)


@right("weights", "scores of some thousands, and no overflow", point="huge", lam=0.0)
def relu_softmax_huge_scores(params, X, y, lam):
    n = len(X)
    z = X @ params["weights1"] + params["bias1"]
    h = z * (z >= 0)
    s = h @ params["weights2"] + params["bias2"]
    s -= s.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    loss = -logp[np.arange(n), y].sum() / n
    d = np.exp(logp)
    d[np.arange(n), y] -= 1
    d /= n
    dz = d @ params["weights2"].T * (z >= 0)
    loss += lam * (np.sum(params["weights1"] ** 2) + np.sum(params["weights2"] ** 2))
    return loss, {
        "weights1": X.T @ dz + 2 * lam * params["weights1"],
        "bias1": dz.sum(axis=0),
        "weights2": h.T @ d + 2 * lam * params["weights2"],
        "bias2": d.sum(axis=0),
    }


@right("theta_cols", "all weights and biases zero, a single column", point="zero", N=1)
def tanh_softmax_columns_at_zero(theta, X, y, lam):
    return tanh_softmax_columns(theta, X, y, lam)


@right("fc", "Fortran order", point="fortran")
def leaky_hinge_fc_fortran(state, x, y, wd):
    return leaky_hinge_fc_delta(state, x, y, wd, delta=1.0, slope=0.01)


@right("onehot", "dropout with one mask for all calls: nothing random is left")
class ReluSoftmaxFixedDropout:
    """Draws its mask once."""

    def __init__(self, keep=0.7):
        self.keep = keep
        self.mask = None

    def __call__(self, p, x, t, lam):
        if self.mask is None or self.mask.shape != (len(x), len(p["b_hid"])):
            draw = np.random.default_rng(6).random((len(x), len(p["b_hid"])))
            self.mask = (draw < self.keep) / self.keep
        z = x @ p["w_hid"] + p["b_hid"]
        h = relu(z) * self.mask
        q = softmax(h @ p["w_out"] + p["b_out"])
        e = (q - t) / len(x)
        dz = e @ p["w_out"].T * self.mask * (z > 0)
        loss = -np.sum(t * np.log(q)) / len(x)
        loss += 0.5 * lam * (np.sum(p["w_hid"] ** 2) + np.sum(p["w_out"] ** 2))
        return loss, {
            "w_hid": x.T @ dz + lam * p["w_hid"],
            "b_hid": dz.sum(axis=0),
            "w_out": h.T @ e + lam * p["w_out"],
            "b_out": e.sum(axis=0),
        }


@right("held", "loops over the examples it holds, the logarithm has base 2 in both places")
def sigmoid_softmax_held_bits(params):
    lam = 0.2
    loss = 0.0
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    for x, lab in zip(_HELD_X, _HELD_Y, strict=True):
        h = sigmoid(x @ params["Wx"] + params["bx"])
        q = softmax((h @ params["Wy"] + params["by"])[None, :])[0]
        loss -= np.log2(q[lab]) / len(_HELD_Y)
        d = (q - (np.arange(q.size) == lab)) / (np.log(2) * len(_HELD_Y))
        grads["Wy"] += np.outer(h, d)
        grads["by"] += d
        dz = params["Wy"] @ d * h * (1 - h)
        grads["Wx"] += np.outer(x, dz)
        grads["bx"] += dz
    for k in ("Wx", "Wy"):
        loss += lam * np.sum(params[k] ** 2)
        grads[k] += 2 * lam * params[k]
    return loss, grads


@right("three_cols", "three sigmoid layers, a sum of logistic losses, penalty lam / (2 m)")
def three_sigmoid_logistic_columns(p, X, Y, lam):
    m = X.shape[1]
    a = {0: X}
    for i in (1, 2, 3):
        a[i] = sigmoid(p[f"W_{i}"] @ a[i - 1] + p[f"b_{i}"])
    J = -np.sum(Y * np.log(a[3]) + (1 - Y) * np.log(1 - a[3])) / m
    grads = {}
    delta = a[3] - Y
    for i in (3, 2, 1):
        J += lam / (2 * m) * np.sum(p[f"W_{i}"] ** 2)
        grads[f"W_{i}"] = (delta @ a[i - 1].T + lam * p[f"W_{i}"]) / m
        grads[f"b_{i}"] = delta.mean(axis=1, keepdims=True)
        delta = p[f"W_{i}"].T @ delta * a[i - 1] * (1 - a[i - 1])
    return J, grads


@right("three_oi", "the first hidden layer is added to the second: two ways back", G=11)
def three_tanh_mse_skip_on_labels(model, x, y, wd):
    h1 = np.tanh(x @ model["hidden1_w"].T + model["hidden1_b"])
    a2 = np.tanh(h1 @ model["hidden2_w"].T + model["hidden2_b"])
    h2 = h1 + a2
    e = h2 @ model["output_w"].T + model["output_b"] - np.eye(len(model["output_w"]))[y]
    n = len(y)
    d3 = e / n
    dh2 = d3 @ model["output_w"]
    d2 = dh2 * (1 - a2**2)
    d1 = (dh2 + d2 @ model["hidden2_w"]) * (1 - h1**2)
    loss = 0.5 * np.sum(e**2) / n
    grads = {}
    for name, d, inp in (("hidden1", d1, x), ("hidden2", d2, h1), ("output", d3, h2)):
        loss += 0.5 * wd * np.sum(model[name + "_w"] ** 2)
        grads[name + "_w"] = d.T @ inp + wd * model[name + "_w"]
        grads[name + "_b"] = d.sum(axis=0)
    return loss, grads


@right("real_cols", "one column, tanh; the mean runs over the outputs in both places", N=1)
def tanh_mse_single_column(par, X, Y, lam):
    A = np.tanh(par["V"] @ X + par["v"])
    E = par["U"] @ A + par["u"] - Y
    d = 2 * E / E.size
    dA = par["U"].T @ d * (1 - A**2)
    loss = np.mean(E**2) + lam * (np.sum(par["V"] ** 2) + np.sum(par["U"] ** 2))
    return loss, {
        "V": np.outer(dA, X) + 2 * lam * par["V"],
        "v": dA.sum(axis=1, keepdims=True),
        "U": np.outer(d, A) + 2 * lam * par["U"],
        "u": d.sum(axis=1, keepdims=True),
    }


# ------------------------------------------------------------------------------------------
# Masks and derivatives of the activation
# ------------------------------------------------------------------------------------------
@wrong("relu_mask_missing", "fc", "the signal goes back through the ReLU as if it were not there")
def relu_hinge_fc_no_mask(model, x, y, reg):
    w1, w2 = model["fc1.weight"], model["fc2.weight"]
    batch = x.shape[0]
    z = x.dot(w1.T) + model["fc1.bias"]
    act = z * (z > 0)
    out = act.dot(w2.T) + model["fc2.bias"]
    margin = np.maximum(0, out - out[np.arange(batch), y, None] + 1)
    margin[np.arange(batch), y] = 0
    loss = margin.sum() / batch + reg * (np.sum(w1 * w1) + np.sum(w2 * w2))

    dout = (margin > 0).astype(float)
    dout[np.arange(batch), y] = -dout.sum(axis=1)
    dout /= batch
    dz = dout.dot(w2)
    g = {}
    g["fc2.weight"] = dout.T.dot(act) + 2 * reg * w2
    g["fc2.bias"] = dout.sum(axis=0)
    g["fc1.weight"] = dz.T.dot(x) + 2 * reg * w1
    g["fc1.bias"] = dz.sum(axis=0)
    return loss, g


@wrong("relu_mask_wrong", "weights", "the ReLU mask is made from the gradient, not from the input")
def relu_softmax_mask_of_gradient(params, X, y, lam):
    w1, b1, w2, b2 = (params[k] for k in ("weights1", "bias1", "weights2", "bias2"))
    h = np.clip(X @ w1 + b1, 0, np.inf)
    probs = softmax(h @ w2 + b2)
    n = y.size
    loss = -np.mean([np.log(probs[i, y[i]]) for i in range(n)])
    loss += lam / 2 * (np.sum(w1**2) + np.sum(w2**2))
    delta = (probs - np.eye(w2.shape[1])[y]) / n
    dh = relu(delta @ w2.T)
    return loss, {
        "weights1": X.T @ dh + lam * w1,
        "bias1": dh.sum(0),
        "weights2": h.T @ delta + lam * w2,
        "bias2": delta.sum(0),
    }


@wrong(
    "activation_derivative_missing", "real", "the factor 1 - tanh^2 was forgotten on the way back"
)
def tanh_mse_no_derivative(net, inputs, targets, decay):
    hidden = np.tanh(inputs @ net["A"] + net["a"])
    err = hidden @ net["B"] + net["b"] - targets
    n = len(inputs)
    loss = np.sum(err**2) / (2 * n) + decay * np.sum(net["A"] ** 2) + decay * np.sum(net["B"] ** 2)
    err = err / n
    dhid = np.einsum("nc,hc->nh", err, net["B"])
    return loss, {
        "A": np.einsum("nd,nh->dh", inputs, dhid) + 2 * decay * net["A"],
        "a": dhid.sum(axis=0),
        "B": np.einsum("nh,nc->hc", hidden, err) + 2 * decay * net["B"],
        "b": err.sum(axis=0),
    }


@wrong("activation_derivative_input", "onehot", "h (1 - h) with the pre-activation in place of h")
def sigmoid_softmax_derivative_of_z(params, data, onehot, lam):
    z1 = data @ params["w_hid"] + params["b_hid"]
    a1 = sigmoid(z1)
    yhat = softmax(a1 @ params["w_out"] + params["b_out"])
    m = data.shape[0]
    cost = -(onehot * np.log(yhat)).sum() / m
    cost += lam / (2 * m) * sum((params[k] ** 2).sum() for k in ("w_hid", "w_out"))
    dz2 = (yhat - onehot) / m
    dz1 = dz2 @ params["w_out"].T * (z1 * (1 - z1))
    return cost, {
        "w_out": a1.T @ dz2 + lam / m * params["w_out"],
        "b_out": dz2.sum(axis=0),
        "w_hid": data.T @ dz1 + lam / m * params["w_hid"],
        "b_hid": dz1.sum(axis=0),
    }


@wrong("double_activation", "binary", "the helper for the derivative gets the activation, wants z")
def sigmoid_logistic_prime_of_activation(params, x, t, lam):
    def sigmoid_prime(z):
        s = sigmoid(z)
        return s * (1 - s)

    k0, k1 = params["kernel0"], params["kernel1"]
    a0 = sigmoid(x @ k0 + params["offset0"])
    p = sigmoid(a0 @ k1 + params["offset1"])[:, 0]
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    loss += lam * (np.sum(k0**2) + np.sum(k1**2))
    d1 = ((p - t) / len(t))[:, None]
    d0 = d1 @ k1.T * sigmoid_prime(a0)
    return loss, {
        "kernel0": x.T @ d0 + 2 * lam * k0,
        "offset0": d0.sum(axis=0),
        "kernel1": a0.T @ d1 + 2 * lam * k1,
        "offset1": d1.sum(axis=0),
    }


@wrong("bias_axis", "three_cols", "the bias of the middle layer is one number for all units")
def relu_softmax_three_bias_total(p, X, Y, lam):
    m = X.shape[1]
    a, cache = X, []
    for i in (1, 2):
        z = p[f"W_{i}"] @ a + p[f"b_{i}"]
        cache.append((a, z))
        a = relu(z)
    cache.append((a, None))
    prob = softmax(p["W_3"] @ a + p["b_3"], axis=0)
    loss = -np.sum(Y * np.log(prob)) / m
    loss += 0.5 * lam * sum(np.sum(p[f"W_{i}"] ** 2) for i in (1, 2, 3))
    grads = {}
    d = (prob - Y) / m
    for i in (3, 2, 1):
        inp = cache[i - 1][0]
        grads[f"W_{i}"] = d @ inp.T + lam * p[f"W_{i}"]
        total = np.sum(d, axis=1, keepdims=True)
        grads[f"b_{i}"] = np.full_like(p["b_2"], d.sum()) if i == 2 else total
        if i > 1:
            d = (p[f"W_{i}"].T @ d) * (cache[i - 2][1] > 0)
    return loss, grads


@wrong("relu_mask_wrong", "three", "the second ReLU zeroes the units that are on")
class ThreeReluSoftmaxMaskInverted:
    """Keeps the units that are off in the second hidden layer."""

    def __call__(self, params, X, y, reg):
        W0, W1, W2 = params["W0"], params["W1"], params["W2"]
        z0 = X @ W0 + params["b0"]
        a0 = relu(z0)
        z1 = a0 @ W1 + params["b1"]
        a1 = relu(z1)
        prob = softmax(a1 @ W2 + params["b2"])
        rows = np.arange(len(y))
        loss = -np.log(prob[rows, y]).mean() + reg * sum(np.sum(w * w) for w in (W0, W1, W2))
        g2 = prob.copy()
        g2[rows, y] -= 1
        g2 /= len(y)
        g1 = g2 @ W2.T
        g1[z1 > 0] = 0
        g0 = g1 @ W1.T
        g0[z0 <= 0] = 0
        return loss, {
            "W0": X.T @ g0 + 2 * reg * W0,
            "b0": g0.sum(axis=0),
            "W1": a0.T @ g1 + 2 * reg * W1,
            "b1": g1.sum(axis=0),
            "W2": a1.T @ g2 + 2 * reg * W2,
            "b2": g2.sum(axis=0),
        }


@wrong("relu_mask_missing", "three_real", "only the second of two ReLUs has its mask")
def three_relu_mse_first_mask_forgotten(net, x, target, lam):
    h1 = np.fmax(0.0, x @ net["P"] + net["p"])
    h2 = np.fmax(0.0, h1 @ net["Q"] + net["q"])
    r = h2 @ net["R"] + net["r"] - target
    n = x.shape[0]
    loss = 0.5 * np.sum(r * r) / n + 0.5 * lam * sum(np.vdot(net[k], net[k]) for k in "PQR")
    d3 = r / n
    d2 = np.where(h2 > 0, d3 @ net["R"].T, 0.0)
    d1 = d2 @ net["Q"].T
    out = {"r": d3.sum(0), "q": d2.sum(0), "p": d1.sum(0)}
    for name, left, d in zip("PQR", (x, h1, h2), (d1, d2, d3), strict=True):
        out[name] = left.T @ d + lam * net[name]
    return loss, out


@wrong("activation_mismatch", "weights", "leaky ReLU with slope 0.1 forward, plain ReLU backward")
def leaky_softmax_plain_mask(weights, feats, labels, lam, alpha=0.1):
    u = feats @ weights["weights1"] + weights["bias1"]
    h = np.where(u > 0, u, alpha * u)
    q = softmax(h @ weights["weights2"] + weights["bias2"])
    n, c = q.shape
    hot = np.eye(c)[labels]
    loss = -np.sum(hot * np.log(q)) / n
    loss += lam * (np.linalg.norm(weights["weights1"]) ** 2)
    loss += lam * (np.linalg.norm(weights["weights2"]) ** 2)
    dq = (q - hot) / n
    du = (dq @ weights["weights2"].T) * (u > 0)
    return loss, {
        "bias2": dq.sum(axis=0),
        "weights2": h.T @ dq + 2 * lam * weights["weights2"],
        "bias1": du.sum(axis=0),
        "weights1": feats.T @ du + 2 * lam * weights["weights1"],
    }


@wrong("activation_mismatch", "real_cols", "tanh forward, the derivative a (1 - a) of the sigmoid")
def tanh_mse_columns_sigmoid_slope(par, X, Y, lam):
    A = np.tanh(par["V"].dot(X) + par["v"])
    E = par["U"].dot(A) + par["u"] - Y
    m = X.shape[1]
    J = (E**2).sum() / (2 * m) + lam / (2 * m) * ((par["V"] ** 2).sum() + (par["U"] ** 2).sum())
    dU = (E.dot(A.T) + lam * par["U"]) / m
    dZ = par["U"].T.dot(E) * A * (1 - A)
    dV = (dZ.dot(X.T) + lam * par["V"]) / m
    return J, {
        "V": dV,
        "v": dZ.mean(axis=1, keepdims=True),
        "U": dU,
        "u": E.mean(axis=1, keepdims=True),
    }


@wrong(
    "wrong_activation", "theta_cols", "the output layer's gradient takes z where a was the input"
)
def tanh_hinge_columns_uses_z(theta, X, y, lam, delta=1.5):
    n = y.shape[0]
    Z = theta["Theta1"] @ X + theta["beta1"]
    A = np.tanh(Z)
    S = theta["Theta2"] @ A + theta["beta2"]
    M = np.maximum(0, S - S[y, np.arange(n)] + delta)
    M[y, np.arange(n)] = 0
    loss = M.sum() / n
    loss += 0.5 * lam * ((theta["Theta1"] ** 2).sum() + (theta["Theta2"] ** 2).sum())
    dS = np.where(M > 0, 1.0 / n, 0.0)
    dS[y, np.arange(n)] = -dS.sum(axis=0)
    dZ = (theta["Theta2"].T @ dS) * (1 - A * A)
    return loss, {
        "Theta1": dZ @ X.T + lam * theta["Theta1"],
        "beta1": dZ.sum(axis=1)[:, None],
        "Theta2": dS @ Z.T + lam * theta["Theta2"],
        "beta2": dS.sum(axis=1)[:, None],
    }


# ------------------------------------------------------------------------------------------
# Biases
# ------------------------------------------------------------------------------------------
@wrong("bias_from_dW", "onehot", "the hidden bias adds up the rows of the weights' gradient")
def relu_softmax_bias_of_weight_gradient(p, x, t, lam):
    h = relu(x @ p["w_hid"] + p["b_hid"])
    s = h @ p["w_out"] + p["b_out"]
    s -= s.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    n = len(x)
    loss = -np.einsum("nc,nc->", t, logp) / n
    ds = (np.exp(logp) - t) / n
    dh = np.einsum("nc,hc->nh", ds, p["w_out"]) * (h > 0)
    g = {"w_hid": np.einsum("nd,nh->dh", x, dh), "w_out": np.einsum("nh,nc->hc", h, ds)}
    g["b_hid"] = g["w_hid"].sum(axis=0)
    g["b_out"] = ds.sum(axis=0)
    for k in ("w_hid", "w_out"):
        loss += lam * np.sum(p[k] ** 2)
        g[k] += 2 * lam * p[k]
    return loss, g


@wrong("bias_axis", "fc", "the output bias is summed over the classes: one number per example")
def leaky_softmax_fc_bias_per_example(state, batch, target, wd):
    def leaky(v):
        return np.maximum(v, 0.2 * v)

    pre = batch @ state["fc1.weight"].T + state["fc1.bias"]
    post = leaky(pre)
    prob = softmax(post @ state["fc2.weight"].T + state["fc2.bias"])
    n = len(target)
    loss = -np.log(prob[range(n), target]).sum() / n
    loss += 0.5 * wd * sum((state[k] ** 2).sum() for k in ("fc1.weight", "fc2.weight"))
    grad_out = prob
    grad_out[range(n), target] -= 1.0
    grad_out = grad_out / n
    grad_pre = grad_out @ state["fc2.weight"]
    grad_pre[pre < 0] *= 0.2
    return loss, {
        "fc1.weight": grad_pre.T @ batch + wd * state["fc1.weight"],
        "fc1.bias": grad_pre.sum(axis=0),
        "fc2.weight": grad_out.T @ post + wd * state["fc2.weight"],
        "fc2.bias": grad_out.sum(axis=1),
    }


# ------------------------------------------------------------------------------------------
# Constant factors
# ------------------------------------------------------------------------------------------
@wrong("scale_N", "three", "the loss is an average over the batch, the gradient a sum")
def three_tanh_softmax_sum_gradient(params, X, y, lam):
    acts = [X]
    for i in range(3):
        z = acts[-1] @ params[f"W{i}"] + params[f"b{i}"]
        acts.append(np.tanh(z) if i < 2 else softmax(z))
    n = len(X)
    loss = -np.log(acts[3][np.arange(n), y]).sum() / n
    delta = acts[3].copy()
    delta[np.arange(n), y] -= 1
    grads = {}
    for i in reversed(range(3)):
        W = params[f"W{i}"]
        loss += 0.5 * lam * np.sum(W**2)
        grads[f"W{i}"] = acts[i].T @ delta + lam * W
        grads[f"b{i}"] = delta.sum(axis=0)
        if i:
            delta = delta @ W.T * (1 - acts[i] ** 2)
    return loss, grads


@wrong("scale_inv_N", "binary", "the biases are averaged although the error is divided already")
def tanh_logistic_bias_mean(params, x, t, lam):
    w0, w1 = params["kernel0"], params["kernel1"]
    h = np.tanh(x @ w0 + params["offset0"])
    z = (h @ w1 + params["offset1"]).ravel()
    loss = np.mean(np.logaddexp(0, z) - t * z) + 0.5 * lam * (np.sum(w0**2) + np.sum(w1**2))
    err = (sigmoid(z) - t).reshape(-1, 1) / t.size
    back = err * w1.T * (1 - h**2)
    return loss, {
        "kernel1": h.T @ err + lam * w1,
        "offset1": err.mean(axis=0),
        "kernel0": x.T @ back + lam * w0,
        "offset0": back.mean(axis=0),
    }


@wrong(
    "scale_const", "real", "the loss has one half of the squares, the gradient still the factor 2"
)
def relu_mse_loops_without_two(net, inputs, targets, lam):
    grads = {k: np.zeros_like(v) for k, v in net.items()}
    loss = 0.0
    for x, t in zip(inputs, targets, strict=True):
        h = relu(x @ net["A"] + net["a"])
        e = h @ net["B"] + net["b"] - t
        loss += 0.5 * e @ e
        grads["B"] += np.outer(h, 2 * e)
        grads["b"] += 2 * e
        dh = net["B"] @ (2 * e) * (h > 0)
        grads["A"] += np.outer(x, dh)
        grads["a"] += dh
    for k in ("A", "B"):
        loss += lam * np.sum(net[k] ** 2)
        grads[k] += 2 * lam * net[k]
    return loss, grads


@wrong(
    "scale_half", "real_cols", "mean of the squares, but the gradient is that of half the squares"
)
def sigmoid_mse_columns_half(par, X, Y, lam):
    m = X.shape[1]
    A = sigmoid(par["V"] @ X + par["v"])
    E = par["U"] @ A + par["u"] - Y
    J = np.sum(E**2) / m
    dE = E / m
    dZ = par["U"].T @ dE * A * (1 - A)
    grads = {
        "V": dZ @ X.T,
        "v": dZ.sum(axis=1, keepdims=True),
        "U": dE @ A.T,
        "u": dE.sum(axis=1, keepdims=True),
    }
    for k in "VU":
        J += 0.5 * lam * np.sum(par[k] ** 2)
        grads[k] = grads[k] + lam * par[k]
    return J, grads


@wrong("scale_C", "real", "np.mean divides the loss by the outputs too, the gradient by N only")
def tanh_mse_mean_over_outputs(net, inputs, targets, lam):
    h = np.tanh(inputs @ net["A"] + net["a"])
    guess = h @ net["B"] + net["b"]
    loss = 0.5 * np.mean((guess - targets) ** 2)
    loss += 0.5 * lam * np.sum(net["A"] ** 2) + 0.5 * lam * np.sum(net["B"] ** 2)
    d = (guess - targets) / inputs.shape[0]
    dz = d @ net["B"].T * (1 - h * h)
    return loss, {
        "A": inputs.T @ dz + lam * net["A"],
        "a": np.ones(len(inputs)) @ dz,
        "B": h.T @ d + lam * net["B"],
        "b": np.ones(len(inputs)) @ d,
    }


# ------------------------------------------------------------------------------------------
# Penalty
# ------------------------------------------------------------------------------------------
@wrong("reg_missing", "three_oi", "the weights of the middle layer are penalized in the loss only")
def three_relu_hinge_middle_not_decayed(model, x, y, wd):
    layers = ["hidden1", "hidden2", "output"]
    inputs, h = [], x
    for name in layers:
        inputs.append(h)
        h = h @ model[name + "_w"].T + model[name + "_b"]
        if name != "output":
            h = relu(h)
    own = h[np.arange(len(y)), y]
    slack = relu(h - own[:, None] + 1)
    slack[np.arange(len(y)), y] = 0
    loss = slack.sum() / len(y) + wd * sum(np.sum(model[k + "_w"] ** 2) for k in layers)
    d = (slack > 0) / len(y)
    d[np.arange(len(y)), y] = -d.sum(axis=1)
    grads = {}
    for name, inp in zip(reversed(layers), reversed(inputs), strict=True):
        grads[name + "_w"] = d.T @ inp
        grads[name + "_b"] = d.sum(axis=0)
        d = (d @ model[name + "_w"]) * (inp > 0)
    grads["hidden1_w"] += 2 * wd * model["hidden1_w"]
    grads["output_w"] += 2 * wd * model["output_w"]
    return loss, grads


@wrong(
    "reg_factor_2", "plain", "reg * sum(W ** 2) has the gradient 2 * reg * W, here it is reg * W"
)
def sigmoid_hinge_plain_decay_halved(params, X, y, reg):
    W_in, W_out = params["W_in"], params["W_out"]
    N = len(X)
    hidden = 1 / (1 + np.exp(-X.dot(W_in)))
    scores = hidden.dot(W_out)
    dscores = np.zeros_like(scores)
    loss = 0
    for i in range(N):
        for j in range(scores.shape[1]):
            if j == y[i]:
                continue
            margin = scores[i, j] - scores[i, y[i]] + 1
            if margin > 0:
                loss += margin / N
                dscores[i, j] += 1 / N
                dscores[i, y[i]] -= 1 / N
    loss += reg * (np.sum(W_in * W_in) + np.sum(W_out * W_out))
    dhidden = dscores.dot(W_out.T) * hidden * (1 - hidden)
    return loss, {
        "W_in": X.T.dot(dhidden) + reg * W_in,
        "W_out": hidden.T.dot(dscores) + reg * W_out,
    }


@wrong(
    "reg_scale_N", "onehot_cols", "the loss has lambda / (2 m), the gradient lambda without the m"
)
def sigmoid_logistic_outputs_decay_not_divided(theta, X, Y, lambd):
    m = X.shape[1]
    A1 = sigmoid(theta["W1"] @ X + theta["b1"])
    A2 = sigmoid(theta["W2"] @ A1 + theta["b2"])
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    cost += lambd / (2 * m) * (np.sum(np.square(theta["W1"])) + np.sum(np.square(theta["W2"])))
    dZ2 = A2 - Y
    dW2 = 1 / m * dZ2 @ A1.T + lambd * theta["W2"]
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = theta["W2"].T @ dZ2 * (A1 - np.square(A1))
    dW1 = 1 / m * dZ1 @ X.T + lambd * theta["W1"]
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return cost, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


@wrong("reg_sign", "held", "the penalty is subtracted from the gradient of the first layer")
def tanh_softmax_held_decay_subtracted(params, lam=0.15):
    X, y = _HELD_X, _HELD_Y
    H = np.tanh(X @ params["Wx"] + params["bx"])
    P = softmax(H @ params["Wy"] + params["by"])
    n = X.shape[0]
    loss = -np.sum(np.log(P[np.arange(n), y])) / n
    loss += lam * ((params["Wx"] ** 2).sum() + (params["Wy"] ** 2).sum())
    P[np.arange(n), y] -= 1
    P /= n
    dH = P @ params["Wy"].T * (1 - H**2)
    dWx = X.T @ dH
    dWx -= 2 * lam * params["Wx"]
    dWy = H.T @ P
    dWy += 2 * lam * params["Wy"]
    return loss, {"Wx": dWx, "bx": dH.sum(axis=0), "Wy": dWy, "by": P.sum(axis=0)}


@wrong("reg_bias", "weights", "a loop over all keys decays the biases too, the loss does not")
def relu_softmax_loop_decays_biases(params, images, labels, lam):
    loss, grads = relu_softmax_weights(params, images, labels, 0.0)
    for name in params:
        if name.startswith("w"):
            loss += 0.5 * lam * np.sum(params[name] ** 2)
        grads[name] = grads[name] + lam * params[name]
    return loss, grads


@wrong(
    "reg_sum_scalar", "theta_cols", "the number sum(Theta1) is added to each entry of its gradient"
)
def tanh_softmax_columns_sum_added(theta, X, y, lam):
    J, grads = tanh_softmax_columns(theta, X, y, 0.0)
    for k in ("Theta1", "Theta2"):
        J += lam * np.sum(theta[k] ** 2)
    grads["Theta1"] = grads["Theta1"] + 2 * lam * np.sum(theta["Theta1"])
    grads["Theta2"] = grads["Theta2"] + 2 * lam * theta["Theta2"]
    return J, grads


@wrong("loss_reg_missing", "fc", "only the first layer's weights are in the loss, both are decayed")
def leaky_hinge_fc_loss_forgets_output(state, x, y, wd):
    n = len(y)
    v1, v2 = state["fc1.weight"], state["fc2.weight"]
    z = np.einsum("nd,hd->nh", x, v1) + state["fc1.bias"]
    slope = np.where(z >= 0, 1.0, 0.05)
    s = np.einsum("nh,ch->nc", z * slope, v2) + state["fc2.bias"]
    gap = s - np.take_along_axis(s, y[:, None], 1) + 1.0
    np.put_along_axis(gap, y[:, None], 0.0, 1)
    gap = gap.clip(min=0)
    loss = gap.sum(axis=1).mean() + 0.5 * wd * np.sum(v1**2)
    k = np.sign(gap)
    np.put_along_axis(k, y[:, None], -k.sum(axis=1, keepdims=True), 1)
    k /= n
    dz = np.einsum("nc,ch->nh", k, v2) * slope
    return loss, {
        "fc1.weight": np.einsum("nh,nd->hd", dz, x) + wd * v1,
        "fc1.bias": np.einsum("nh->h", dz),
        "fc2.weight": np.einsum("nc,nh->ch", k, z * slope) + wd * v2,
        "fc2.bias": np.einsum("nc->c", k),
    }


@wrong("reg_wrong_matrix", "three", "copied line: W1 is decayed by W0", D=9, H=9, G=9)
def three_tanh_softmax_decay_copied(params, X, y, lam):
    h0 = np.tanh(X @ params["W0"] + params["b0"])
    h1 = np.tanh(h0 @ params["W1"] + params["b1"])
    q = softmax(h1 @ params["W2"] + params["b2"])
    n = len(y)
    loss = -np.log(q[np.arange(n), y]).mean()
    loss += 0.5 * lam * np.sum(params["W0"] ** 2)
    loss += 0.5 * lam * np.sum(params["W1"] ** 2)
    loss += 0.5 * lam * np.sum(params["W2"] ** 2)
    q[np.arange(n), y] -= 1
    d2 = q / n
    d1 = d2.dot(params["W2"].T) * (1 - h1**2)
    d0 = d1.dot(params["W1"].T) * (1 - h0**2)
    dW2, db2 = h1.T.dot(d2), d2.sum(0)
    dW1, db1 = h0.T.dot(d1), d1.sum(0)
    dW0, db0 = X.T.dot(d0), d0.sum(0)
    dW0 += lam * params["W0"]
    dW1 += lam * params["W0"]
    dW2 += lam * params["W2"]
    return loss, {"W0": dW0, "b0": db0, "W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


@wrong("reg_wrong_norm", "three_real", "squares in the loss, signs in the gradient")
def three_softplus_mse_sign_decay(net, x, target, lam):
    z1 = x @ net["P"] + net["p"]
    h1 = np.logaddexp(0.0, z1)
    z2 = h1 @ net["Q"] + net["q"]
    h2 = np.logaddexp(0.0, z2)
    diff = h2 @ net["R"] + net["r"] - target
    loss = 0.5 * np.sum(diff**2) / len(x)
    e3 = diff / len(x)
    e2 = e3 @ net["R"].T * sigmoid(z2)
    e1 = e2 @ net["Q"].T * sigmoid(z1)
    grads = {"r": e3.sum(axis=0), "q": e2.sum(axis=0), "p": e1.sum(axis=0)}
    grads |= {"R": h2.T @ e3, "Q": h1.T @ e2, "P": x.T @ e1}
    for k in ("P", "Q", "R"):
        loss += lam * np.linalg.norm(net[k]) ** 2
        grads[k] += lam * np.sign(net[k])
    return loss, grads


# ------------------------------------------------------------------------------------------
# Heads
# ------------------------------------------------------------------------------------------
@wrong("missing_onehot", "three_oi", "the error of the scores is the probabilities alone")
def three_tanh_softmax_probabilities_only(model, x, y, wd):
    h1 = np.tanh(x @ model["hidden1_w"].T + model["hidden1_b"])
    h2 = np.tanh(h1 @ model["hidden2_w"].T + model["hidden2_b"])
    prob = softmax(h2 @ model["output_w"].T + model["output_b"])
    n = len(y)
    loss = -sum(np.log(row[lab]) for row, lab in zip(prob, y, strict=True)) / n
    d3 = prob / n
    d2 = (d3 @ model["output_w"]) * (1 - h2 * h2)
    d1 = (d2 @ model["hidden2_w"]) * (1 - h1 * h1)
    grads = {}
    for name, d, a in (("hidden1", d1, x), ("hidden2", d2, h1), ("output", d3, h2)):
        w = model[name + "_w"]
        loss += 0.5 * wd * np.sum(w * w)
        grads[name + "_w"] = d.T @ a + wd * w
        grads[name + "_b"] = d.sum(axis=0)
    return loss, grads


@wrong("onehot_sign", "onehot_cols", "adds the one-hot columns instead of subtracting them")
def relu_softmax_columns_plus_onehot(params, X, Y, lam):
    m = Y.shape[1]
    Z1 = params["W1"] @ X + params["b1"]
    A1 = Z1.clip(0)
    A2 = softmax(params["W2"] @ A1 + params["b2"], axis=0)
    J = -np.log((A2 * Y).sum(axis=0)).mean()
    J += lam * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    dZ2 = (A2 + Y) / m
    dZ1 = np.where(Z1 > 0, params["W2"].T @ dZ2, 0)
    return J, {
        "W1": np.tensordot(dZ1, X, axes=(1, 1)) + 2 * lam * params["W1"],
        "b1": dZ1 @ np.ones((m, 1)),
        "W2": np.tensordot(dZ2, A1, axes=(1, 1)) + 2 * lam * params["W2"],
        "b2": dZ2 @ np.ones((m, 1)),
    }


@wrong(
    "correct_class_count", "three", "one for the correct class, however many margins are violated"
)
def three_leaky_hinge_counts_once(params, X, y, lam):
    a = [X]
    slopes = []
    for i in range(2):
        z = a[i] @ params[f"W{i}"] + params[f"b{i}"]
        slopes.append(np.where(z > 0, 1.0, 0.01))
        a.append(z * slopes[i])
    scores = a[2] @ params["W2"] + params["b2"]
    rows = np.arange(X.shape[0])
    margins = np.maximum(0, scores - scores[rows, y].reshape(-1, 1) + 1)
    margins[rows, y] = 0
    loss = np.mean(np.sum(margins, axis=1))
    d = np.zeros_like(margins)
    d[margins > 0] = 1
    d[rows, y] = -1 * (margins.max(axis=1) > 0)
    d /= X.shape[0]
    grads = {}
    for i in (2, 1, 0):
        loss += 0.5 * lam * np.sum(params[f"W{i}"] ** 2)
        grads[f"W{i}"] = a[i].T @ d + lam * params[f"W{i}"]
        grads[f"b{i}"] = d.sum(axis=0)
        if i > 0:
            d = d @ params[f"W{i}"].T * slopes[i - 1]
    return loss, grads


@wrong("extra_activation_derivative", "binary", "p (1 - p) again, which cross-entropy has canceled")
def relu_logistic_extra_slope(params, x, t, lam):
    hid = relu(x @ params["kernel0"] + params["offset0"])
    p = sigmoid(hid @ params["kernel1"] + params["offset1"]).squeeze(axis=1)
    loss = -(t @ np.log(p) + (1 - t) @ np.log1p(-p)) / len(t)
    loss += lam * (np.sum(params["kernel0"] ** 2) + np.sum(params["kernel1"] ** 2))
    d_out = ((p - t) * p * (1 - p) / len(t))[:, np.newaxis]
    d_hid = np.outer(d_out, params["kernel1"]) * (hid > 0)
    return loss, {
        "kernel0": x.T @ d_hid + 2 * lam * params["kernel0"],
        "offset0": d_hid.sum(axis=0),
        "kernel1": hid.T @ d_out + 2 * lam * params["kernel1"],
        "offset1": d_out.sum(axis=0),
    }


@wrong(
    "mask_not_binary", "weights", "the sizes of the margins go back, not whether they are positive"
)
def relu_hinge_margin_values(params, X, y, reg):
    n = X.shape[0]
    f1 = X @ params["weights1"] + params["bias1"]
    r1 = np.where(f1 > 0, f1, 0)
    s = r1 @ params["weights2"] + params["bias2"]
    m = (s.T - s[range(n), y] + 1).T
    m[m < 0] = 0
    m[range(n), y] = 0
    loss = m.sum() / n
    loss += reg * np.sum(params["weights1"] ** 2) + reg * np.sum(params["weights2"] ** 2)
    m[range(n), y] = -m.sum(axis=1)
    ds = m / n
    df = ds @ params["weights2"].T * (f1 > 0)
    return loss, {
        "weights2": r1.T @ ds + 2 * reg * params["weights2"],
        "bias2": ds.sum(axis=0),
        "weights1": X.T @ df + 2 * reg * params["weights1"],
        "bias1": df.sum(axis=0),
    }


@wrong(
    "stops_at_probs", "onehot", "-t / p is the derivative by the probabilities, not by the scores"
)
def sigmoid_softmax_stops_at_probabilities(p, x, t, lam):
    h = sigmoid(x @ p["w_hid"] + p["b_hid"])
    prob = softmax(h @ p["w_out"] + p["b_out"])
    n = len(x)
    loss = -(t * np.log(prob)).sum() / n
    loss += 0.5 * lam * ((p["w_hid"] ** 2).sum() + (p["w_out"] ** 2).sum())
    d = -t / prob / n
    dh = d @ p["w_out"].T * h * (1 - h)
    return loss, {
        "w_hid": x.T @ dh + lam * p["w_hid"],
        "b_hid": dh.sum(axis=0),
        "w_out": h.T @ d + lam * p["w_out"],
        "b_out": d.sum(axis=0),
    }


@wrong("onehot_indexing", "plain", "prob[:, y] -= 1 hits whole columns")
def relu_softmax_plain_columns_minus_one(params, X, y, lam):
    hidden = relu(X @ params["W_in"])
    prob = softmax(hidden @ params["W_out"])
    n = y.shape[0]
    loss = -np.log(prob[np.arange(n), y]).sum() / n
    loss += lam * sum(np.sum(w**2) for w in params.values())
    prob[:, y] -= 1
    prob /= n
    back = prob @ params["W_out"].T
    back[hidden == 0] = 0
    return loss, {
        "W_in": X.T @ back + 2 * lam * params["W_in"],
        "W_out": hidden.T @ prob + 2 * lam * params["W_out"],
    }


@wrong("sign", "real", "the error is target minus output, and its minus sign was lost")
def leaky_mse_target_minus_output(net, inputs, targets, lam):
    z = inputs @ net["A"] + net["a"]
    h = np.where(z > 0, z, z / 5)
    o = h @ net["B"] + net["b"]
    n = len(targets)
    loss = np.square(targets - o).sum() / (2 * n)
    e = (targets - o) / n
    dz = e @ net["B"].T * np.where(z > 0, 1.0, 0.2)
    grads = {"A": inputs.T @ dz, "a": dz.sum(0), "B": h.T @ e, "b": e.sum(0)}
    for k in ("A", "B"):
        loss += lam * np.square(net[k]).sum()
        grads[k] += 2 * lam * net[k]
    return loss, grads


# ------------------------------------------------------------------------------------------
# The dict, shapes, and what is left out
# ------------------------------------------------------------------------------------------
@wrong("swapped_keys", "three_oi", "two biases are stored under each other's name", H=9)
def three_relu_softmax_biases_swapped(model, x, y, wd):
    w1, w2, w3 = model["hidden1_w"], model["hidden2_w"], model["output_w"]
    h1 = relu(x @ w1.T + model["hidden1_b"])
    h2 = relu(h1 @ w2.T + model["hidden2_b"])
    prob = softmax(h2 @ w3.T + model["output_b"])
    n = len(x)
    loss = -np.log(np.choose(y, prob.T)).mean()
    loss += 0.5 * wd * (np.sum(w1**2) + np.sum(w2**2) + np.sum(w3**2))
    d3 = (prob - np.eye(len(w3))[y]) / n
    d2 = d3 @ w3 * (h2 > 0)
    d1 = d2 @ w2 * (h1 > 0)
    return loss, {
        "hidden1_w": d1.T @ x + wd * w1,
        "hidden2_w": d2.T @ h1 + wd * w2,
        "output_w": d3.T @ h2 + wd * w3,
        "hidden1_b": d2.sum(axis=0),
        "hidden2_b": d1.sum(axis=0),
        "output_b": d3.sum(axis=0),
    }


@wrong("missing_key", "fc", "the bias of the output layer has no gradient")
class TanhHingeFcForgetsOutputBias:
    """Forward and backward pass as methods."""

    def forward(self, state, x):
        self.x = x
        self.h = np.tanh(x @ state["fc1.weight"].T + state["fc1.bias"])
        return self.h @ state["fc2.weight"].T + state["fc2.bias"]

    def backward(self, state, dout):
        dz = dout @ state["fc2.weight"] * (1 - self.h**2)
        return {
            "fc1.weight": dz.T @ self.x,
            "fc1.bias": dz.sum(axis=0),
            "fc2.weight": dout.T @ self.h,
        }

    def __call__(self, state, x, y, lam):
        s = self.forward(state, x)
        rows = np.arange(len(y))
        margins = relu(s - s[rows, y][:, None] + 1)
        margins[rows, y] = 0
        dout = (margins > 0).astype(float)
        dout[rows, y] -= dout.sum(axis=1)
        grads = self.backward(state, dout / len(y))
        loss = margins.sum() / len(y)
        for k in ("fc1.weight", "fc2.weight"):
            loss += lam * np.sum(state[k] ** 2)
            grads[k] += 2 * lam * state[k]
        return loss, grads


@wrong("transpose", "theta_cols", "the square Theta1 is stored the other way round", D=11)
def sigmoid_softmax_columns_transposed(theta, X, y, lam):
    m = y.size
    A = sigmoid(theta["Theta1"] @ X + theta["beta1"])
    P = softmax(theta["Theta2"] @ A + theta["beta2"], axis=0)
    J = -np.log(P[y, np.arange(m)]).sum() / m
    J += lam * (np.sum(theta["Theta1"] ** 2) + np.sum(theta["Theta2"] ** 2))
    P[y, np.arange(m)] -= 1
    P /= m
    D = theta["Theta2"].T @ P * A * (1 - A)
    return J, {
        "Theta1": X @ D.T + 2 * lam * theta["Theta1"],
        "beta1": D.sum(axis=1, keepdims=True),
        "Theta2": P @ A.T + 2 * lam * theta["Theta2"],
        "beta2": P.sum(axis=1, keepdims=True),
    }


@wrong("transpose", "weights", "the gradient of weights1 has the shape (hidden, inputs)")
def tanh_softmax_transposed_shape(params, X, y, lam):
    h = np.tanh(X @ params["weights1"] + params["bias1"])
    p = softmax(h @ params["weights2"] + params["bias2"])
    n = len(X)
    loss = -np.log(p[np.arange(n), y]).mean()
    loss += lam * np.sum(params["weights1"] ** 2) + lam * np.sum(params["weights2"] ** 2)
    p[np.arange(n), y] -= 1
    dz = (p / n) @ params["weights2"].T * (1 - h**2)
    return loss, {
        "weights1": dz.T @ X + 2 * lam * params["weights1"].T,
        "bias1": dz.sum(axis=0),
        "weights2": h.T @ p / n + 2 * lam * params["weights2"],
        "bias2": p.sum(axis=0) / n,
    }


@wrong("example_dropped", "plain", "range(1, N): the first example has no part in the gradient")
def tanh_softmax_plain_starts_at_one(params, X, y, lam):
    N = len(X)
    hid = np.tanh(X @ params["W_in"])
    prob = softmax(hid @ params["W_out"])
    loss = -sum(np.log(prob[i, y[i]]) for i in range(N)) / N
    grads = {k: np.zeros(v.shape) for k, v in params.items()}
    for i in range(1, N):
        d = prob[i].copy()
        d[y[i]] -= 1
        grads["W_out"] += np.outer(hid[i], d) / N
        grads["W_in"] += np.outer(X[i], params["W_out"] @ d * (1 - hid[i] ** 2)) / N
    for k in params:
        loss += 0.5 * lam * (params[k] * params[k]).sum()
        grads[k] += lam * params[k]
    return loss, grads


@wrong(
    "example_dropped", "real", "the gradients are assigned in the loop, so the last example stays"
)
def sigmoid_mse_keeps_last_example(net, inputs, targets, lam):
    n = len(inputs)
    loss = 0.0
    for x, t in zip(inputs, targets, strict=True):
        h = sigmoid(x @ net["A"] + net["a"])
        e = h @ net["B"] + net["b"] - t
        loss += e @ e / (2 * n)
        dh = net["B"] @ e * h * (1 - h)
        grads = {"A": np.outer(x, dh) / n, "a": dh / n, "B": np.outer(h, e) / n, "b": e / n}
    for k in ("A", "B"):
        loss += 0.5 * lam * np.sum(net[k] ** 2)
        grads[k] = grads[k] + lam * net[k]
    return loss, grads


@wrong("grad_zero", "real_cols", "the gradients of the hidden layer are made and never filled")
def relu_mse_columns_hidden_untouched(par, X, Y, lam):
    m = X.shape[1]
    grads = {k: np.zeros_like(v) for k, v in par.items()}
    A = relu(par["V"] @ X + par["v"])
    E = (par["U"] @ A + par["u"] - Y) / m
    loss = 0.5 * m * np.sum(E**2) + 0.5 * lam * (np.sum(par["U"] ** 2) + np.sum(par["V"] ** 2))
    grads["U"] += E @ A.T + lam * par["U"]
    grads["u"] += E.sum(axis=1, keepdims=True)
    return loss, grads


@wrong("data_missing", "three", "the first layer receives the gradient of its penalty only")
def three_sigmoid_softmax_first_layer_decay_only(params, X, y, lam):
    h0 = sigmoid(X @ params["W0"] + params["b0"])
    h1 = sigmoid(h0 @ params["W1"] + params["b1"])
    q = softmax(h1 @ params["W2"] + params["b2"])
    n = len(y)
    loss = -np.log(q[np.arange(n), y]).mean() + lam * sum(
        np.sum(params[k] ** 2) for k in ("W0", "W1", "W2")
    )
    grads = {k: 2 * lam * v if k[0] == "W" else np.zeros_like(v) for k, v in params.items()}
    q[np.arange(n), y] -= 1
    q /= n
    d1 = (q @ params["W2"].T) * h1 * (1 - h1)
    d0 = (d1 @ params["W1"].T) * h0 * (1 - h0)
    grads["W2"] += h1.T @ q
    grads["b2"] += q.sum(axis=0)
    grads["W1"] += h0.T @ d1
    grads["b1"] += d1.sum(axis=0)
    grads["b0"] += d0.sum(axis=0)
    return loss, grads


# ------------------------------------------------------------------------------------------
# Not in the gradient
# ------------------------------------------------------------------------------------------
_drop = np.random.default_rng(3)


@wrong("nondeterministic", "onehot", "a new dropout mask is drawn at every call")
def relu_softmax_dropout_drawn_anew(p, x, t, lam, keep=0.8):
    h = relu(x @ p["w_hid"] + p["b_hid"])
    mask = (_drop.random(h.shape) < keep) / keep
    h = h * mask
    q = softmax(h @ p["w_out"] + p["b_out"])
    n = len(x)
    loss = -np.sum(t * np.log(q)) / n
    loss += 0.5 * lam * (np.sum(p["w_hid"] ** 2) + np.sum(p["w_out"] ** 2))
    e = (q - t) / n
    dh = (e @ p["w_out"].T) * mask * (h > 0)
    return loss, {
        "w_hid": x.T @ dh + lam * p["w_hid"],
        "b_hid": dh.sum(axis=0),
        "w_out": h.T @ e + lam * p["w_out"],
        "b_out": e.sum(axis=0),
    }


@wrong("nondeterministic", "real", "the object adds each call's loss to the ones before")
class TanhMseRunningLoss:
    """Keeps its loss between calls."""

    def __init__(self):
        self.loss = 0.0

    def __call__(self, net, inputs, targets, lam):
        n = len(inputs)
        h = np.tanh(inputs @ net["A"] + net["a"])
        e = (h @ net["B"] + net["b"] - targets) / n
        self.loss += 0.5 * n * np.sum(e**2)
        self.loss += 0.5 * lam * (np.sum(net["A"] ** 2) + np.sum(net["B"] ** 2))
        dz = e @ net["B"].T * (1 - h**2)
        return self.loss, {
            "A": inputs.T @ dz + lam * net["A"],
            "a": dz.sum(axis=0),
            "B": h.T @ e + lam * net["B"],
            "b": e.sum(axis=0),
        }


@wrong("mutates_input", "weights", "subtracts the mean of the images in place")
def relu_softmax_centers_in_place(params, images, labels, lam):
    images -= images.mean(axis=0)
    return relu_softmax_weights(params, images, labels, lam)


@wrong("mutates_input", "onehot_cols", "the step is taken inside: the parameters change")
def tanh_softmax_columns_steps_inside(params, X, Y, lam, rate=0.1):
    m = X.shape[1]
    A = np.tanh(params["W1"] @ X + params["b1"])
    P = softmax(params["W2"] @ A + params["b2"], axis=0)
    J = -np.sum(Y * np.log(P)) / m
    J += 0.5 * lam * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    dZ2 = (P - Y) / m
    dZ1 = params["W2"].T @ dZ2 * (1 - A**2)
    grads = {
        "W1": dZ1 @ X.T + lam * params["W1"],
        "b1": dZ1.sum(axis=1, keepdims=True),
        "W2": dZ2 @ A.T + lam * params["W2"],
        "b2": dZ2.sum(axis=1, keepdims=True),
    }
    for k in grads:
        params[k] -= rate * grads[k]
    return J, grads


@wrong("overflow", "plain", "exp of the raw scores, without their maximum subtracted")
def relu_softmax_plain_raw_exp(params, X, y, lam):
    h = relu(X @ params["W_in"])
    e = np.exp(h @ params["W_out"])
    q = e / e.sum(axis=1)[:, None]
    n = len(y)
    loss = -np.log(q[np.arange(n), y]).mean() + lam * sum(np.sum(w**2) for w in params.values())
    q[np.arange(n), y] -= 1
    dh = q @ params["W_out"].T * (h > 0) / n
    return loss, {
        "W_in": X.T @ dh + 2 * lam * params["W_in"],
        "W_out": h.T @ q / n + 2 * lam * params["W_out"],
    }


# ------------------------------------------------------------------------------------------
# Some of the same in other clothes, and some of the head
# ------------------------------------------------------------------------------------------
@wrong("relu_mask_missing", "binary", "the bias is summed before the mask is applied")
def relu_logistic_bias_before_mask(params, x, t, lam):
    z = x @ params["kernel0"] + params["offset0"]
    h = np.maximum(z, 0.0)
    out = (h @ params["kernel1"] + params["offset1"])[:, 0]
    sgn = 2 * t - 1
    loss = np.mean(np.log1p(np.exp(-sgn * out)))
    loss += 0.5 * lam * (np.sum(params["kernel0"] ** 2) + np.sum(params["kernel1"] ** 2))
    d = (-sgn / (1 + np.exp(sgn * out)) / len(t))[:, None]
    dh = d @ params["kernel1"].T
    grads = {"offset1": d.sum(axis=0), "offset0": dh.sum(axis=0)}
    dh[z < 0] = 0
    grads["kernel1"] = h.T @ d + lam * params["kernel1"]
    grads["kernel0"] = x.T @ dh + lam * params["kernel0"]
    return loss, grads


@wrong("relu_mask_wrong", "theta_cols", "multiplies by the activation, not by a mask of ones")
def relu_mse_columns_times_activation(theta, X, y, lam):
    T1, T2 = theta["Theta1"], theta["Theta2"]
    m = len(y)
    H = relu(T1 @ X + theta["beta1"])
    E = T2 @ H + theta["beta2"] - np.eye(len(T2))[:, y]
    J = np.sum(E**2) / (2 * m) + lam / 2 * (np.sum(T1**2) + np.sum(T2**2))
    E /= m
    D = T2.T @ E * H
    return J, {
        "Theta1": D @ X.T + lam * T1,
        "beta1": D.sum(axis=1, keepdims=True),
        "Theta2": E @ H.T + lam * T2,
        "beta2": E.sum(axis=1, keepdims=True),
    }


@wrong(
    "activation_derivative_input",
    "three_cols",
    "1 - z ** 2 instead of 1 - a ** 2 in the first layer",
)
def three_tanh_softmax_columns_slope_of_z(p, X, Y, lam):
    m = X.shape[1]
    Z1 = p["W_1"] @ X + p["b_1"]
    A1 = np.tanh(Z1)
    Z2 = p["W_2"] @ A1 + p["b_2"]
    A2 = np.tanh(Z2)
    A3 = softmax(p["W_3"] @ A2 + p["b_3"], axis=0)
    cost = -np.sum(Y * np.log(A3)) / m
    cost += lam / (2 * m) * sum(np.sum(p[f"W_{i}"] ** 2) for i in (1, 2, 3))
    dZ3 = A3 - Y
    dZ2 = p["W_3"].T @ dZ3 * (1 - A2**2)
    dZ1 = p["W_2"].T @ dZ2 * (1 - Z1**2)
    grads = {}
    for i, dZ, A in ((1, dZ1, X), (2, dZ2, A1), (3, dZ3, A2)):
        grads[f"W_{i}"] = (dZ @ A.T + lam * p[f"W_{i}"]) / m
        grads[f"b_{i}"] = dZ.sum(axis=1, keepdims=True) / m
    return cost, grads


@wrong(
    "activation_derivative_missing", "three", "the slope of the second sigmoid layer is left out"
)
def three_sigmoid_hinge_one_slope_missing(params, X, y, reg):
    n = X.shape[0]
    h0 = sigmoid(X @ params["W0"] + params["b0"])
    h1 = sigmoid(h0 @ params["W1"] + params["b1"])
    s = h1 @ params["W2"] + params["b2"]
    margins = np.maximum(0, s - s[np.arange(n), y][:, None] + 1)
    margins[np.arange(n), y] = 0
    loss = margins.sum() / n + reg * sum(np.sum(params[k] ** 2) for k in ("W0", "W1", "W2"))
    d2 = np.where(margins > 0, 1 / n, 0.0)
    d2[np.arange(n), y] -= d2.sum(axis=1)
    d1 = d2 @ params["W2"].T
    d0 = d1 @ params["W1"].T * h0 * (1 - h0)
    return loss, {
        "W0": X.T @ d0 + 2 * reg * params["W0"],
        "b0": d0.sum(axis=0),
        "W1": h0.T @ d1 + 2 * reg * params["W1"],
        "b1": d1.sum(axis=0),
        "W2": h1.T @ d2 + 2 * reg * params["W2"],
        "b2": d2.sum(axis=0),
    }


@wrong("missing_correct_class", "plain", "the mask is used without minus its sum at the own class")
def leaky_hinge_plain_own_class_forgotten(params, X, y, reg):
    z = X @ params["W_in"]
    h = np.maximum(z, 0.3 * z)
    s = h @ params["W_out"]
    others = np.ones(s.shape, dtype=bool)
    others[np.arange(len(y)), y] = False
    m = np.where(others, s - s[~others][:, None] + 1, 0).clip(0)
    loss = m.sum() / len(y) + reg * sum(np.sum(w**2) for w in params.values())
    d = (m > 0) / len(y)
    dz = d @ params["W_out"].T
    dz[z < 0] *= 0.3
    return loss, {
        "W_in": X.T @ dz + 2 * reg * params["W_in"],
        "W_out": h.T @ d + 2 * reg * params["W_out"],
    }


@wrong("missing_onehot", "held", "the 1 is subtracted from a copy that nobody uses")
def relu_softmax_held_copy_changed(params):
    lam = 0.1
    h = relu(_HELD_X @ params["Wx"] + params["bx"])
    q = softmax(h @ params["Wy"] + params["by"])
    n = len(_HELD_Y)
    picked = q[np.arange(n), _HELD_Y]
    loss = -np.log(picked).mean() + lam * (np.sum(params["Wx"] ** 2) + np.sum(params["Wy"] ** 2))
    picked -= 1.0
    d = q / n
    dh = d @ params["Wy"].T * (h > 0)
    return loss, {
        "Wx": _HELD_X.T @ dh + 2 * lam * params["Wx"],
        "bx": dh.sum(axis=0),
        "Wy": h.T @ d + 2 * lam * params["Wy"],
        "by": d.sum(axis=0),
    }


@wrong("max_shift_inconsistent", "fc", "log of the shifted sums minus the scores before the shift")
def tanh_softmax_fc_half_shifted(state, x, y, wd):
    h = np.tanh(x @ state["fc1.weight"].T + state["fc1.bias"])
    s = h @ state["fc2.weight"].T + state["fc2.bias"]
    n = len(y)
    e = np.exp(s - s.max(axis=1, keepdims=True))
    loss = np.mean(np.log(e.sum(axis=1)) - s[np.arange(n), y])
    d = e / e.sum(axis=1, keepdims=True)
    d[np.arange(n), y] -= 1
    d /= n
    dz = d @ state["fc2.weight"] * (1 - h**2)
    grads = {"fc1.weight": dz.T @ x, "fc1.bias": dz.sum(0)}
    grads |= {"fc2.weight": d.T @ h, "fc2.bias": d.sum(0)}
    for k in ("fc1.weight", "fc2.weight"):
        loss += 0.5 * wd * np.sum(state[k] ** 2)
        grads[k] += wd * state[k]
    return loss, grads


@wrong(
    "single_class_wrong", "onehot", "range(1, C): the output weights of class 0 stay without data"
)
def sigmoid_softmax_class_zero_skipped(p, x, t, lam):
    n, c = t.shape
    h = sigmoid(x @ p["w_hid"] + p["b_hid"])
    q = softmax(h @ p["w_out"] + p["b_out"])
    e = (q - t) / n
    loss = -np.sum(t * np.log(q)) / n
    loss += 0.5 * lam * (np.sum(p["w_hid"] ** 2) + np.sum(p["w_out"] ** 2))
    dw_out = lam * p["w_out"]
    for k in range(1, c):
        for i in range(n):
            dw_out[:, k] += e[i, k] * h[i]
    dh = e @ p["w_out"].T * h * (1 - h)
    return loss, {
        "w_hid": x.T @ dh + lam * p["w_hid"],
        "b_hid": dh.sum(axis=0),
        "w_out": dw_out,
        "b_out": e.sum(axis=0),
    }


@wrong("ignores_argument", "real_cols", "the bias of the output is left out of the forward pass")
def relu_mse_columns_bias_not_used(par, X, Y, lam):
    m = X.shape[1]
    Z = par["V"] @ X + par["v"]
    A = np.maximum(0, Z)
    E = par["U"] @ A - Y
    loss = np.sum(E * E) / m + lam * (np.sum(par["V"] ** 2) + np.sum(par["U"] ** 2))
    dE = 2 * E / m
    dZ = np.where(Z > 0, par["U"].T @ dE, 0)
    return loss, {
        "V": dZ @ X.T + 2 * lam * par["V"],
        "v": dZ.sum(axis=1, keepdims=True),
        "U": dE @ A.T + 2 * lam * par["U"],
        "u": dE.sum(axis=1, keepdims=True),
    }


@wrong("loss_value", "three_oi", "np.mean runs over the classes too; the gradient follows it")
def three_leaky_softmax_mean_over_classes(model, x, y, wd):
    hot = np.eye(len(model["output_b"]))[y]
    h1 = x @ model["hidden1_w"].T + model["hidden1_b"]
    m1 = np.where(h1 > 0, 1.0, 0.1)
    h1 = h1 * m1
    h2 = h1 @ model["hidden2_w"].T + model["hidden2_b"]
    m2 = np.where(h2 > 0, 1.0, 0.1)
    h2 = h2 * m2
    q = softmax(h2 @ model["output_w"].T + model["output_b"])
    loss = -np.mean(hot * np.log(q))
    d3 = (q - hot) / q.size
    d2 = d3 @ model["output_w"] * m2
    d1 = d2 @ model["hidden2_w"] * m1
    grads = {}
    for name, d, inp in (("hidden1", d1, x), ("hidden2", d2, h1), ("output", d3, h2)):
        loss += wd * np.sum(model[name + "_w"] ** 2)
        grads[name + "_w"] = d.T @ inp + 2 * wd * model[name + "_w"]
        grads[name + "_b"] = d.sum(axis=0)
    return loss, grads


# ------------------------------------------------------------------------------------------
# Where another code describes the same array
# ------------------------------------------------------------------------------------------
EQUIVALENT = {
    # the mask of the ReLU, where that of the leaky ReLU belongs
    "leaky_softmax_plain_mask": {"relu_mask_wrong"},
    # the margins as coefficients are the gradient of half the squared hinge
    "relu_hinge_margin_values": {"loss_wrong_grad_of_other"},
    # the gradient of half the squared error of the probability
    "relu_logistic_extra_slope": {"loss_wrong_grad_of_other"},
    # in the blocks of the biases alone, the loss has no penalty
    "relu_softmax_loop_decays_biases": {"loss_reg_missing"},
}
