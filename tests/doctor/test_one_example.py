"""One example at a time: a column, a row or a vector, with nothing summed over examples."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import check_gradient

D, H, C = 12, 8, 6
FORMS = ("column", "row", "vector")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


ACTIVATIONS = {
    "sigmoid": (sigmoid, lambda z, h: h * (1 - h)),
    "tanh": (np.tanh, lambda z, h: 1 - h**2),
    "ReLU": (lambda z: np.maximum(z, 0), lambda z, h: z > 0),
}
LOSSES = {  # value and slope, of scores and targets
    "softmax": (lambda z, t: -np.sum(t * np.log(softmax(z))), lambda z, t: softmax(z) - t),
    "logistic": (
        lambda z, t: -np.sum(t * np.log(sigmoid(z)) + (1 - t) * np.log(1 - sigmoid(z))),
        lambda z, t: sigmoid(z) - t,
    ),
    "logistic squared": (
        lambda z, t: 0.5 * np.sum((sigmoid(z) - t) ** 2),
        lambda z, t: (sigmoid(z) - t) * sigmoid(z) * (1 - sigmoid(z)),
    ),
    "squared": (lambda z, t: np.sum((z - t) ** 2), lambda z, t: 2 * (z - t)),
}


def net_of(form, activation, loss, slope=None, dscores=None):
    act, right_slope = ACTIVATIONS[activation]
    value, right_dscores = LOSSES[loss]
    slope, dscores = slope or right_slope, dscores or right_dscores

    def net(p, x, t, reg=0.0, penalty=1):
        W1, W2 = (p[k].T if form == "row" else p[k] for k in ("W1", "W2"))
        a = x.T if form == "row" else x
        z = W1 @ a + p["b1"].T if form == "row" else W1 @ a + p["b1"]
        h = act(z)
        s = W2 @ h + (p["b2"].T if form == "row" else p["b2"])
        target = t
        if np.ndim(t) == 0 and s.size > 1:  # a label
            target = (np.arange(s.size) == t).reshape(s.shape)
        elif form == "row":
            target = t.T
        d2 = dscores(s, target)
        d1 = (W2.T @ d2) * slope(z, h)
        total = value(s, target) + 0.5 * reg * (np.sum(W1**2) + np.sum(W2**2))
        outer = np.outer if form == "vector" else lambda d, a: d @ a.T
        grads = [outer(d1, a) + penalty * reg * W1, d1, outer(d2, h) + penalty * reg * W2, d2]
        return total, dict(zip(p, [g.T if form == "row" else g for g in grads], strict=True))

    return net


def example(form, kind="one-hot", classes=C):
    rng = np.random.RandomState(2)
    shapes = {"W1": (H, D), "b1": (H, 1), "W2": (classes, H), "b2": (classes, 1)}
    params = {k: rng.standard_normal(s) / 2 for k, s in shapes.items()}
    x = rng.rand(D, 1)
    t = np.eye(classes)[:, [2 % classes]] if kind == "one-hot" else rng.rand(classes, 1)
    turned = {
        "column": lambda a: a,
        "row": lambda a: a.T.copy(),
        "vector": lambda a: a.ravel() if a.shape[1] == 1 else a,
    }[form]
    return {k: turned(v) for k, v in params.items()}, turned(x), 2 if kind == "label" else turned(t)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("activation", "loss"),
    [("ReLU", "softmax"), ("sigmoid", "logistic"), ("tanh", "logistic squared"),
     ("ReLU", "squared")],
)  # fmt: skip
def test_a_right_net_is_correct(form, activation, loss):
    report = check_gradient(net_of(form, activation, loss), *example(form))
    assert report.verdict == "correct"
    assert not report.mistakes


MISTAKES = {
    "missing_onehot": ("ReLU", "softmax", {"dscores": lambda z, t: softmax(z)}),
    "extra_activation_derivative": (
        "tanh", "logistic", {"dscores": lambda z, t: (sigmoid(z) - t) * sigmoid(z) * sigmoid(-z)}
    ),
    "activation_derivative_missing": (
        "tanh", "logistic squared", {"dscores": lambda z, t: sigmoid(z) - t}
    ),
    "activation_derivative_input": (
        "sigmoid", "logistic", {"slope": lambda z, h: z * (1 - z)}
    ),
    "relu_mask_missing": ("ReLU", "squared", {"slope": lambda z, h: 1}),
    "scale_half": ("tanh", "squared", {"dscores": lambda z, t: z - t}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "code"),
    [
        pytest.param(form, code, marks=[] if k % 3 == j else pytest.mark.slow)
        for k, code in enumerate(MISTAKES)
        for j, form in enumerate(FORMS)
    ],
)
def test_a_mistake_is_named(form, code):
    activation, loss, wrong = MISTAKES[code]
    report = check_gradient(net_of(form, activation, loss, **wrong), *example(form))
    assert (report.verdict, {f.code for f in report.mistakes}) == ("wrong", {code})
    assert "shape" not in str(report)


@pytest.mark.parametrize("form", FORMS)
def test_a_label_is_a_target_and_a_strength_is_none(form):
    params, x, y = example(form, "label")
    net = net_of(form, "ReLU", "softmax", dscores=lambda z, t: softmax(z))
    assert check_gradient(net_of(form, "ReLU", "softmax"), params, x, y, 0.1)
    assert [f.code for f in check_gradient(net, params, x, y, 0.1).mistakes] == ["missing_onehot"]
    report = check_gradient(net_of(form, "ReLU", "softmax"), params, x, y, 0.1, 0)
    assert [f.code for f in report.mistakes] == ["reg_missing"] * 2


@pytest.mark.parametrize("t", [0.0, 1.0, 1, 0.7])
def test_a_single_neuron_is_told_from_others_by_a_second_point(t):
    """Of one example and one output every gradient is a multiple of x."""
    rng = np.random.RandomState(0)

    def neuron(p, x, t, extra):
        a = sigmoid(p["w"] @ x + p["b"])
        delta = (a - t) * (a * (1 - a) if extra else 1)
        return -t * np.log(a) - (1 - t) * np.log(1 - a), {"w": delta * x, "b": delta}

    call = {"w": rng.standard_normal(D), "b": np.array(0.3)}, rng.rand(D), t
    assert check_gradient(lambda *args: neuron(*args, extra=False), *call)
    report = check_gradient(lambda p, x, t: neuron(p, x, t, extra=True), *call)
    assert [f.code for f in report.mistakes] == ["extra_activation_derivative"]


@pytest.mark.parametrize("t", [0.0, 1.0, 0.4])
def test_a_column_net_with_one_output(t):
    params, x, _ = example("column", classes=1)
    net = net_of("column", "sigmoid", "logistic")
    assert check_gradient(net, params, x, np.array([[t]]))
    net = net_of("column", "sigmoid", "logistic", slope=lambda z, h: 1)
    report = check_gradient(net, params, x, np.array([[t]]))
    assert [f.code for f in report.mistakes] == ["activation_derivative_missing"] * 2


@pytest.mark.parametrize("shape", [(C,), (1, C), (C, 1)])
@pytest.mark.parametrize("kind", ["label", "one-hot"])
def test_scores_of_one_example(shape, kind):
    scores = np.random.RandomState(0).standard_normal(shape)
    y = 2 if kind == "label" else np.eye(C)[2].reshape(shape)

    def loss(s, y, missing=False):
        T = (np.arange(s.size) == y).reshape(s.shape) if np.ndim(y) == 0 else y
        return -np.sum(T * np.log(softmax(s))), softmax(s) - T * (not missing)

    assert check_gradient(loss, scores, y)
    report = check_gradient(lambda s, y: loss(s, y, missing=True), scores, y)
    assert [f.code for f in report.mistakes] == ["missing_onehot"]


@pytest.mark.parametrize("shape", [(D,), (1, D)])
def test_the_gradient_by_the_input_of_one_example(shape):
    rng = np.random.RandomState(0)

    def loss(x, W, y, factor=1):
        s = (x @ W).reshape(-1)
        d = softmax(s) - (np.arange(s.size) == y)
        return -np.log(softmax(s)[y]), factor * (W @ d).reshape(x.shape)

    x, W = rng.standard_normal(shape), rng.standard_normal((D, C))
    assert check_gradient(loss, x, W, 3)
    assert check_gradient(lambda x, W, y: loss(x, W, y, -1), x, W, 3).findings[0].code == "sign"


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("kind", ["one-hot", "label"])
def test_a_list_of_pairs(count, kind):
    pairs = [example("column", kind)[1:] for _ in range(count)]
    params = example("column")[0]

    def mean(net, params, data, lmbda):
        results = [net(params, x, t, lmbda) for x, t in data]
        total = {k: sum(g[k] for _, g in results) / len(data) for k in params}
        return sum(v for v, _ in results) / len(data), total

    right = net_of("column", "sigmoid", "logistic")
    wrong = net_of("column", "sigmoid", "logistic", slope=lambda z, h: 1)
    assert check_gradient(lambda *args: mean(right, *args), params, pairs, 0.1)
    report = check_gradient(lambda *args: mean(wrong, *args), params, pairs, 0.1)
    assert {f.code for f in report.mistakes} == {"activation_derivative_missing"}
