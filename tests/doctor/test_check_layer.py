"""`check_layer`: right layers are right, and what is wrong in a backward pass is named."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import check_layer

RNG = np.random.RandomState(0)
X4 = RNG.standard_normal((2, 2, 4, 4))
X = RNG.standard_normal((4, 2, 3))
W, B = RNG.standard_normal((6, 5)), RNG.standard_normal(5)
ROWS = RNG.standard_normal((6, 5))


def affine(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_back(dx=lambda d, x, w: (d @ w.T).reshape(x.shape), dw=lambda d, x: x.T @ d,
                db=lambda d: d.sum(axis=0)):  # fmt: skip
    def backward(dout, cache):
        x, w = cache
        return dx(dout, x, w), dw(dout, x.reshape(len(x), -1)), db(dout)

    return backward


def relu(x):
    return np.maximum(x, 0), x


def dropout(x, dropout_param):
    rng = np.random.RandomState(dropout_param["seed"])
    mask = (rng.random_sample(x.shape) < dropout_param["p"]) / dropout_param["p"]
    return x * mask, mask


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


def batchnorm(x, gamma, beta, bn_param):
    bn_param["running_mean"] = x.mean(axis=0)  # as the course's layers do
    hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + bn_param.get("eps", 1e-5))
    return gamma * hat + beta, (hat, gamma, np.sqrt(x.var(axis=0) + bn_param.get("eps", 1e-5)))


def batchnorm_back(mean=1.0, variance=1.0):
    def backward(dout, cache):
        hat, gamma, std = cache
        u = dout * gamma / std
        dx = u - mean * u.mean(axis=0) - variance * hat * (u * hat).mean(axis=0)
        return dx, (dout * hat).sum(axis=0), dout.sum(axis=0)

    return backward


def spatial(x, gamma, beta):
    std = np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + 1e-5)
    hat = (x - x.mean(axis=(0, 2, 3), keepdims=True)) / std
    gamma = gamma[:, np.newaxis, np.newaxis]
    return gamma * hat + beta[:, np.newaxis, np.newaxis], (hat, gamma / std)


def spatial_back(dout, cache):
    hat, factor = cache
    return dout * factor, (dout * hat).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))


def conv(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    n, f, k = len(x), len(w), w.shape[2]
    size = (padded.shape[2] - k) // stride + 1
    out = np.zeros((n, f, size, size))
    for i in range(size):
        for j in range(size):
            window = padded[:, :, i * stride : i * stride + k, j * stride : j * stride + k]
            out[:, :, i, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (padded, w, stride, pad)


def conv_back(bug=""):
    def backward(dout, cache):
        padded, w, stride, pad = cache
        dx, dw, k = np.zeros_like(padded), np.zeros_like(w), w.shape[2]
        for n in range(len(dout)):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    rows, cols = (
                        slice(i * stride, i * stride + k),
                        slice(j * stride, j * stride + k),
                    )
                    part = np.tensordot(dout[n, :, i, j], w, axes=1)
                    if bug == "= in dx":
                        dx[n, :, rows, cols] = part
                    else:
                        dx[n, :, rows, cols] += part
                    outer = np.multiply.outer(dout[n, :, i, j], padded[n, :, rows, cols])
                    dw = outer if bug == "= in dw" else dw + outer
        height = padded.shape[2] - 2 * pad
        cut = slice(0, height) if bug == "pad" else slice(pad, pad + height)
        db = dout.sum(axis=(0, 2, 3)) / (32 if bug == "mean in db" else 1)
        return dx[:, :, cut, cut], dw, db, None

    return backward


def max_pool(x, size=2):
    n, c, h, w = x.shape
    windows = x[:, :, : h // size * size, : w // size * size]
    windows = windows.reshape(n, c, h // size, size, w // size, size)
    out = windows.max(axis=(3, 5))
    return out, (x, windows == out[:, :, :, np.newaxis, :, np.newaxis])


def max_pool_back(dout, cache):
    x, mask = cache
    n, c, h, _, w, _ = mask.shape
    dx = np.zeros_like(x)
    part = mask * dout[:, :, :, np.newaxis, :, np.newaxis]
    dx[:, :, : 2 * h, : 2 * w] = part.reshape(n, c, 2 * h, 2 * w)
    return dx


def embed(table, index):
    return table[index], (table, index)


def embed_back(dout, cache, add=np.add.at):
    table, index = cache
    dtable = np.zeros_like(table)
    add(dtable, index, dout)
    return dtable, None


def times_sine(x, y):
    return x * np.sin(y), (x, y)


def times_sine_back(dout, cache):
    x, y = cache
    return dout * np.sin(y), dout * x * np.cos(y)


def product_by_name(dout, cache):
    dx, dy = times_sine_back(dout, cache)
    return {"x": dx, "dy": dy}


def tanh(x):
    return np.tanh(x), np.tanh(x)


def put(array, index, values):
    array[index] += values


CONV = (X4, RNG.standard_normal((3, 2, 3, 3)), RNG.standard_normal(3), {"stride": 1, "pad": 1})
NORM = (ROWS, RNG.standard_normal(5), RNG.standard_normal(5), {"mode": "train"})
SPATIAL = (X4, RNG.standard_normal(2), RNG.standard_normal(2))
DROP = (ROWS, {"p": 0.7, "seed": 3})
INDEX = np.array([[0, 2, 2], [1, 0, 4]])


@pytest.mark.parametrize(
    ("forward", "backward", "inputs"),
    [
        (affine, affine_back(), (X, W, B)),
        (relu, lambda d, x: d * (x > 0), (X4,)),
        (dropout, lambda d, mask: (d * mask, None), DROP),
        (softmax, lambda d, p: p * (d - (d * p).sum(1, keepdims=True)), (ROWS,)),
        (batchnorm, batchnorm_back(), NORM),
        (conv, conv_back(), CONV),
        (conv, conv_back(), (*CONV[:3], {"stride": 2, "pad": 1})),
        (max_pool, max_pool_back, (X4,)),
        (embed, embed_back, (ROWS, INDEX)),
        (times_sine, lambda d, c: product_by_name(d, c), (ROWS, ROWS)),
    ],
)  # fmt: skip
def test_a_right_layer_is_correct(forward, backward, inputs):
    report = check_layer(forward, backward, *inputs)
    assert report.verdict == "correct", str(report)
    assert not report.findings


def wrong(forward, backward, inputs, where, code, says=""):
    return pytest.param(forward, backward, inputs, where, code, says, id=f"{where}-{code}-{says}")


def affine_wrong(where, code, says="", **back):
    return wrong(affine, affine_back(**back), AFFINE, where, code, says)


NORM_TERM = "normalization_term"
AFFINE, RELU = (X, W, B), (X4,)


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "where", "code", "says"),
    [
        affine_wrong("b", "bias_axis", "axis=0", db=lambda d: d),
        affine_wrong("b", "scale_inv_N", "N = 4", db=lambda d: d.mean(0)),
        affine_wrong("b", "bias_axis", "last example", db=lambda d: d[-1]),
        affine_wrong("b", "bias_axis", "sum", db=lambda d: np.full(5, d.sum())),
        affine_wrong("x", "shape_2d", "reshape", dx=lambda d, x, w: d @ w.T),
        affine_wrong("x", "sign", dx=lambda d, x, w: -(d @ w.T).reshape(x.shape)),
        affine_wrong("x", "transpose", dx=lambda d, x, w: (w @ d.T).reshape(x.shape)),
        affine_wrong("x", "ignores_argument", "dout is left out",
                     dx=lambda d, x, w: (np.ones_like(d) @ w.T).reshape(x.shape)),
        affine_wrong("w", "transpose", dw=lambda d, x: d.T @ x),
        affine_wrong("w", "transpose", dw=lambda d, x: (d.T @ x).reshape(W.shape)),
        affine_wrong("w", "scale_inv_N", dw=lambda d, x: x.T @ d / len(x)),
        affine_wrong("w", "example_dropped", dw=lambda d, x: np.outer(x[-1], d[-1])),
        affine_wrong("w", "grad_zero", dw=lambda d, x: 0 * W),
        wrong(affine, lambda d, c: affine_back()(d, c)[::-1], AFFINE, "x", "swapped_keys"),
        wrong(times_sine, lambda d, c: times_sine_back(d, c)[::-1], (ROWS, 2 * ROWS),
              "x", "swapped_keys", "order"),
        wrong(relu, lambda d, x: d, RELU, "x", "relu_mask_missing"),
        wrong(relu, lambda d, x: d * (x < 0), RELU, "x", "relu_mask_wrong", "wrong way round"),
        wrong(relu, lambda d, x: d * (d > 0), RELU, "x", "relu_mask_wrong", "from the gradient"),
        wrong(tanh, lambda d, h: d * (2 + h**3), (ROWS,), "x", "unexplained"),
        wrong(tanh, lambda d, h: d, (ROWS,), "x", "activation_derivative_missing", "unchanged"),
        wrong(dropout, lambda d, m: (d, None), DROP, "x", "relu_mask_missing", "mask"),
        wrong(dropout, lambda d, m: (d * (m > 0), None), DROP, "x", "relu_mask_wrong", "its mask"),
        wrong(softmax, lambda d, p: d * p * (1 - p), (ROWS,), "x", "softmax_jacobian_diagonal"),
        wrong(batchnorm, batchnorm_back(0, 0), NORM, "x", NORM_TERM, "mean is missing and"),
        wrong(batchnorm, batchnorm_back(1, 0), NORM, "x", NORM_TERM, "variance is missing"),
        wrong(batchnorm, batchnorm_back(0, 1), NORM, "x", NORM_TERM, "mean is missing"),
        wrong(batchnorm, batchnorm_back(1, 2), NORM, "x", NORM_TERM, "2 times"),
        wrong(spatial, spatial_back, SPATIAL, "x", NORM_TERM, "mean is missing and"),
        wrong(conv, conv_back("pad"), CONV, "x", "pad_shift", "shifted by 1"),
        wrong(conv, conv_back("mean in db"), CONV, "b", "scale_const", "32 times too small"),
        wrong(conv, conv_back("= in dx"), CONV, "x", "overwritten", "+="),
        wrong(conv, conv_back("= in dw"), CONV, "w", "overwritten", "+="),
        wrong(embed, lambda d, c: embed_back(d, c, put), (ROWS, INDEX),
              "table", "overwritten", "np.add.at"),
    ],
)  # fmt: skip
def test_a_wrong_layer_is_named(forward, backward, inputs, where, code, says):
    report = check_layer(forward, backward, *inputs)
    assert report.verdict == "wrong"
    assert (report.findings[0].parameter, report.findings[0].code) == (where, code), str(report)
    assert says in report.findings[0].message
    assert "scores" not in str(report)
    # the inputs that are right are not spoken of
    assert {f.parameter for f in report.findings} <= {where, "b", "y"}


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda x: (None, None), lambda d, c: None),
        (lambda x: None, lambda d, c: None),
        (relu, lambda d, c: None),
        (relu, lambda d, c: np.zeros_like(c)),
    ],
)
def test_a_layer_without_content_is_not_written_or_never_filled(forward, backward):
    report = check_layer(forward, backward, ROWS)
    assert [f.code for f in report.findings] in (["not_written"], ["grad_zero"])


def test_what_does_not_fit_is_refused_in_words():
    with pytest.raises(TypeError, match="backward returned 2 gradients for the inputs x, w, b"):
        check_layer(affine, lambda d, c: (d, d), X, W, B)
    with pytest.raises(TypeError, match=r"must return two things, \(out, cache\)"):
        check_layer(lambda x: x, lambda d, c: d, X)
    with pytest.raises(TypeError, match=r"pass x.astype\(float\)"):
        check_layer(relu, lambda d, x: d, np.arange(4))
    with pytest.raises(ValueError, match="dout has shape"):
        check_layer(relu, lambda d, x: d * (x > 0), ROWS, dout=np.ones(3))


def test_dout_may_be_given_and_nothing_is_changed():
    x, dout = X.copy(), np.ones((4, 5))
    assert check_layer(affine, affine_back(), x, W, B, dout=dout)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(dout, 1)
