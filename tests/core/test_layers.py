"""Layers against hand calculation, published numbers, the checker, and the net that they make."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cs231n_helpers import NotFiniteError, TwoLayerNet, check_gradient, check_layer, softmax_loss
from cs231n_helpers.layers import (
    affine_backward,
    affine_forward,
    affine_relu_backward,
    affine_relu_forward,
    net_forward,
    relu_backward,
    relu_forward,
)
from cs231n_helpers.losses import net_loss

rng = np.random.default_rng(9)
x, w, b = rng.normal(size=(6, 2, 3)), rng.normal(size=(6, 4)), rng.normal(size=4)


def deep(*sizes, scale=1.0):
    """Parameters of a net with layers of these sizes."""
    params = {}
    for k, shape in enumerate(pairwise(sizes), start=1):
        params |= {f"W{k}": scale * rng.normal(size=shape), f"b{k}": rng.normal(size=shape[1])}
    return params


def test_published_affine_output():
    x = np.linspace(-0.1, 0.5, 240).reshape(2, 4, 5, 6)
    w, b = np.linspace(-0.2, 0.3, 360).reshape(120, 3), np.linspace(-0.3, 0.1, 3)
    published = [[1.49834967, 1.70660132, 1.91485297], [3.25553199, 3.5141327, 3.77273342]]
    np.testing.assert_allclose(affine_forward(x, w, b)[0], published, atol=5e-9)


@pytest.mark.parametrize(
    ("forward", "backward", "inputs"),
    [
        (affine_forward, affine_backward, (x, w, b)),
        (affine_forward, affine_backward, (x.reshape(6, 6), w, b)),
        (relu_forward, relu_backward, (x,)),
        (affine_relu_forward, affine_relu_backward, (x, w, b)),
    ],
)
class TestEachLayer:
    def test_gradients_are_the_slopes(self, forward, backward, inputs):
        assert check_layer(forward, backward, *inputs).verdict == "correct"

    def test_types_and_arguments(self, forward, backward, inputs):
        before = [it.copy() for it in inputs]
        out, cache = forward(*inputs)
        dout = np.ones_like(out)
        backward(dout, cache)
        for now, then in zip((*inputs, dout), (*before, np.ones_like(out)), strict=True):
            np.testing.assert_array_equal(now, then)
        single = [it.astype(np.float32) for it in inputs]
        out, cache = forward(*single)
        gradients = backward(out, cache)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        assert [g.dtype for g in (out, *gradients)] == [np.float32] * (1 + len(gradients))
        assert [g.shape for g in gradients] == [it.shape for it in inputs]

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_what_is_not_finite_is_named(self, forward, backward, inputs, bad):
        for k, name in enumerate("xwb"[: len(inputs)]):
            wrong = [it.copy() for it in inputs]
            wrong[k].flat[1] = bad
            with pytest.raises(NotFiniteError, match=rf"^{name}\[.*\] = .*{bad}"):
                forward(*wrong)
        out, cache = forward(*inputs)
        with pytest.raises(NotFiniteError, match=r"^dout\["):
            backward(np.full_like(out, bad), cache)


def test_lists_and_images_are_numbers_too():
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3) + 200
    out, cache = affine_forward(images, np.ones((12, 1), np.float32), [0])
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out[:, 0], images.astype(float).sum(axis=(1, 2, 3)))
    assert affine_backward([[1], [2]], cache)[0].shape == images.shape
    np.testing.assert_array_equal(relu_forward([[-1, 2]])[0], [[0, 2]])


def test_the_relu_stops_at_the_kink_and_below():
    np.testing.assert_array_equal(relu_backward([1.0, 2.0, 3.0], [-1.0, 0.0, 1e-300]), [0, 0, 3])


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: affine_forward(x[0, 0], w, b), ValueError, r"for one example pass x\[np.newaxis"),
        (lambda: affine_forward(x[:0], w, b), ValueError, r"x of shape \(0, 6\) is empty"),
        (lambda: affine_forward(x, w[:5], b), ValueError, "x has 6 columns and w has 5 rows"),
        (lambda: affine_forward(x, w[:, 0], b), ValueError, "w has shape .* must be a matrix"),
        (lambda: affine_forward(x, w, b[:3]), ValueError, r"b has shape \(3,\), but w \(6, 4\)"),
        (lambda: affine_forward(x, w, b[:1]), ValueError, r"b has shape \(1,\), but w \(6, 4\)"),
        (lambda: affine_forward(x > 0, w, b), TypeError, "x has dtype bool"),
        (lambda: relu_forward("x"), TypeError, "x has dtype <U1"),
        (lambda: affine_backward(x, (x, w, b)), ValueError, r"dout has shape .* \(6, 4\)"),
        (lambda: affine_backward(b, (x, w, b)), ValueError, r"dout has shape \(4,\)"),
        (lambda: affine_backward(b, (x, w)), TypeError, "cache is .* value of affine_forward"),
        (lambda: affine_backward(b, x), TypeError, "cache is .* value of affine_forward"),
        (lambda: affine_relu_backward(b, (x, w, b)), TypeError, "value of affine_relu_forward"),
        (lambda: relu_backward(w[:1], w), ValueError, r"dout has shape \(1, 4\)"),
        (
            lambda: affine_forward(x * 1e200, w * 1e200, b),
            NotFiniteError,
            "output overflows float64",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_the_two_layer_net_is_its_layers_put_together():
    X, y = rng.normal(size=(7, 5)), rng.integers(3, size=7)
    net = TwoLayerNet(5, 4, 3)
    net.params = params = deep(5, 4, 3)
    hidden, first = affine_relu_forward(X, params["W1"], params["b1"])
    scores, second = affine_forward(hidden, params["W2"], params["b2"])
    loss, dscores = softmax_loss(scores, y)
    dhidden, dW2, db2 = affine_backward(dscores, second)
    _, dW1, db1 = affine_relu_backward(dhidden, first)
    found, grads = net.loss(X, y)
    assert found == loss
    for name, gradient in {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}.items():
        np.testing.assert_array_equal(grads[name], gradient)


@pytest.mark.parametrize("sizes", [(6, 3), (6, 5, 3), (6, 5, 4, 5, 4, 3)])
@pytest.mark.parametrize("reg_scale", [0.5, 1.0])
def test_gradients_of_a_net_of_any_depth_are_the_slopes(sizes, reg_scale):
    params, X, y = deep(*sizes), rng.normal(size=(8, 6)), np.arange(8) % 3
    assert [it.shape[1] for it in net_forward(params, X)[1]] == list(sizes[:-1])
    report = check_gradient(lambda p, X, y: net_loss(p, X, y, 0.3, reg_scale), params, X, y)
    assert report.verdict == "correct"


def test_overflow_in_a_net_is_named_by_where_it_happens():
    X, y = np.ones((2, 4)), np.array([0, 1])
    params = {name: np.abs(it) for name, it in deep(4, 4, 4, 2, scale=1e150).items()}
    with pytest.raises(NotFiniteError, match="hidden layer overflows"):
        net_loss({**params, "W2": params["W2"] * 1e50}, X, y, 0.0, 0.5)
    with pytest.raises(NotFiniteError, match="scores overflow"):
        net_loss(params, X, y, 0.0, 0.5)
