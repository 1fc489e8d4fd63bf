"""Nets that keep their parameters, and functions that read the caller's own arrays."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from loss_examples import data, softmax

from cs231n_helpers import check_gradient

_, X, y = data()
D, C, H = X.shape[1], int(y.max()) + 1, 7


class Net:
    """A two-layer net that holds reg in itself; without y it returns the scores."""

    def __init__(self, bug="", dtype=float):
        rng = np.random.RandomState(1)
        self.bug, self.reg = bug, 0.7
        self.params = {
            "W1": rng.standard_normal((D, H)).astype(dtype), "b1": np.full(H, 0.3, dtype),
            "W2": rng.standard_normal((H, C)).astype(dtype), "b2": np.zeros(C, dtype),
        }  # fmt: skip

    def loss(self, X, y=None):
        p, n = self.params, len(X)
        h = np.maximum(0, X @ p["W1"] + p["b1"])
        P = softmax(h @ p["W2"] + p["b2"])
        if y is None:
            return h @ p["W2"] + p["b2"]
        squares = np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2)
        value = -np.log(P[np.arange(n), y]).mean() + 0.5 * self.reg * squares
        P[np.arange(n), y] -= 1
        P /= n if self.bug != "scale_N" else 1
        d = P @ p["W2"].T * (h > 0 if self.bug != "relu_mask_missing" else 1)
        grads = {"W1": X.T @ d, "b1": d.sum(0), "W2": h.T @ P + self.reg * p["W2"], "b2": P.sum(0)}
        grads["W1"] += self.reg * p["W1"] * (self.bug != "reg_missing")
        if self.bug == "missing_key":
            del grads["b1"]
        if self.bug == "raises" and p["b2"].any():
            raise RuntimeError("at other parameters")
        return value, grads


WAYS = {
    "the net": lambda net: check_gradient(net, X, y),
    "its method": lambda net: check_gradient(net.loss, X, y),
    "its method, with params too": lambda net: check_gradient(net.loss, net.params, X, y),
    "a function that ignores its argument": lambda net: check_gradient(
        lambda _: net.loss(X, y), net.params
    ),
}


@pytest.fixture(autouse=True)
def all_is_put_back(monkeypatch):
    """Every net comes back with the same arrays, bit for bit."""
    nets, start = [], Net.__init__

    def watched(self, *args, **kwargs):
        start(self, *args, **kwargs)
        nets.append((self.params, dict(self.params), {k: v.copy() for k, v in self.params.items()}))

    monkeypatch.setattr(Net, "__init__", watched)
    yield
    for params, arrays, values in nets:
        assert list(params) == list(arrays)
        assert all(params[k] is arrays[k] for k in arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, values[name], strict=True)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_a_right_net_is_correct(way, dtype):
    report = WAYS[way](Net(dtype=dtype))
    assert report.verdict == "correct"
    assert report.max_relative_error < 1e-7


@pytest.mark.parametrize("way", ["the net", "a function that ignores its argument"])
@pytest.mark.parametrize("bug", ["scale_N", "relu_mask_missing", "reg_missing", "missing_key"])
def test_a_mistake_is_named_as_in_a_function(way, bug):
    report = WAYS[way](Net(bug))
    assert (report.verdict, report.findings[0].code) == ("wrong", bug)
    if bug == "reg_missing":
        assert "add reg * W" in report.findings[0].message


@pytest.mark.parametrize("way", WAYS)
def test_an_error_inside_is_passed_on(way):
    with pytest.raises(RuntimeError, match="at other parameters"):
        WAYS[way](Net("raises"))


def test_scores_are_no_loss():
    with pytest.raises(TypeError, match="so pass X and y"):
        check_gradient(Net(), X)


def test_a_net_of_many_layers_may_be_read_only():
    rng = np.random.RandomState(2)

    class Deep:
        params: ClassVar = {f"W{k}": rng.standard_normal((3, 3)) for k in range(1, 6)}
        params |= {"gamma": np.ones(3), "beta": np.zeros(3), "skip": rng.standard_normal(2)}

        def loss(self, X, factor):
            h = [X]
            for k in range(1, 6):
                h.append(np.tanh(h[-1] @ self.params[f"W{k}"]))
            out = h[-1] * self.params["gamma"] + self.params["beta"]
            grads = {"gamma": (h[-1]).sum(0), "beta": np.full(3, 1.0 * len(X)), "skip": np.zeros(2)}
            d = np.ones_like(out) * self.params["gamma"]
            for k in range(5, 0, -1):
                d = d * (1 - h[k] ** 2)
                grads[f"W{k}"] = factor * h[k - 1].T @ d
                d = d @ self.params[f"W{k}"].T
            return out.sum(), grads | {"X": d}

    for array in Deep.params.values():
        array.flags.writeable = False
    X = rng.standard_normal((4, 3))
    assert check_gradient(Deep(), X, 1.0)
    report = check_gradient(Deep(), X, 2.0)
    assert {f.parameter for f in report.mistakes} == {f"W{k}" for k in range(1, 6)}
    assert not any(a.flags.writeable for a in Deep.params.values())


class Linear:
    def __init__(self, dtype=float):
        self.W = np.random.RandomState(3).standard_normal((D, C)).astype(dtype)

    def loss(self, X, y, reg, factor=1):
        P = softmax(X @ self.W)
        rows = np.arange(len(X))
        value = -np.log(P[rows, y]).mean() + reg * np.sum(self.W**2)
        P[rows, y] -= 1
        return value, factor * X.T @ P / len(X) + 2 * reg * self.W


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("factor", [1, -1])
def test_a_classifier_with_an_array_w(dtype, factor):
    model = Linear(dtype)
    W, before = model.W, model.W.copy()

    def reads_w():
        return (lambda other: other.loss(X, y, 0.1, factor))(model)

    for report in [
        check_gradient(model, X, y, 0.1, factor),
        check_gradient(model.loss, X, y, 0.1, factor=factor),
        check_gradient(lambda W: model.loss(X, y, 0.1, factor), model.W),
        check_gradient(lambda W: reads_w(), W),
    ]:
        assert report.verdict == ("correct" if factor == 1 else "wrong")
    assert model.W is W
    np.testing.assert_array_equal(W, before)


def test_a_loss_of_other_arrays_still_ignores_its_argument():
    model = Linear()
    report = check_gradient(lambda W: model.loss(X, y, 0.1), model.W.copy())
    assert [f.code for f in report.mistakes] == ["ignores_argument"]
