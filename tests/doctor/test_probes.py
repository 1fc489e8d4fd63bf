"""Losses that are not known: what parts of the data give away. And slopes that are polynomials."""

from __future__ import annotations

import numpy as np
import pytest
from loss_examples import net_data, softmax

from cs231n_helpers import check_gradient

rng = np.random.default_rng(0)


def first(report):
    assert report.verdict == "wrong"
    return report.findings[0]


def convolution(pad, cut, add=True):
    """One axis, a kernel of three; the padded gradient is cut back to its right place, or not."""

    def loss(p, dout):
        padded = np.pad(p["x"], ((0, 0), (pad, pad)))
        out, dpad, dk = np.zeros(dout.shape), np.zeros(padded.shape), np.zeros(3)
        for i in range(dout.shape[1]):
            window = padded[:, i : i + 3]
            out[:, i] = window @ p["k"]
            dk += dout[:, i] @ window
            dpad[:, i : i + 3] = dout[:, i : i + 1] * p["k"] + (dpad[:, i : i + 3] if add else 0)
        return np.sum(out * dout), {"x": cut(dpad), "k": dk}

    n = 9 + 2 * pad - 2
    return loss, {"x": rng.normal(size=(4, 9)), "k": rng.normal(size=3)}, rng.normal(size=(4, n))


@pytest.mark.parametrize("pad", [1, 2, 3])
def test_a_forgotten_pad(pad):
    assert check_gradient(*convolution(pad, lambda d: d[:, pad:-pad]))
    for cut, by in ((slice(None, 9), pad), (slice(2 * pad, None), pad)):
        finding = first(check_gradient(*convolution(pad, lambda d, cut=cut: d[:, cut])))
        assert finding.code == "pad_shift"
        assert f"{by} place" in finding.message


@pytest.mark.parametrize("pad", [0, 1, 2])
def test_windows_that_overwrite(pad):
    finding = first(check_gradient(*convolution(pad, lambda d: d[:, pad : pad + 9], add=False)))
    assert (finding.code, finding.parameter) == ("overwritten", "x")
    assert "+= instead of =" in finding.message


@pytest.mark.parametrize("words", [[0, 2, 5, 2], [[1, 1], [3, 4]], [6, 0, 6, 6, 1]])
@pytest.mark.parametrize("columns", [False, True])
def test_indices_that_repeat(words, columns):
    def loss(E, words, add):
        rows = (E.T if columns else E)[words]
        G = np.zeros_like(E)
        target = G.T if columns else G
        if add:
            np.add.at(target, words, 3 * rows**2)
        else:
            target[words] += 3 * rows**2
        return np.sum(rows**3), G

    E, words = rng.normal(size=(4, 7) if columns else (7, 4)), np.array(words)
    assert check_gradient(loss, E, words, True)
    finding = first(check_gradient(loss, E, words, False))
    assert finding.code == "overwritten"
    assert "words" in finding.message


def recurrent(lost=(), total=lambda a, b: a + b):
    """A recurrent net whose loss is the squared error of its states."""

    def loss(p, xs, targets):
        h, tape, value = np.zeros(3), [], 0.0
        for x, t in zip(xs, targets, strict=True):
            before, h = h, np.tanh(p["Wx"] @ x + p["Wh"] @ h)
            tape.append((x, before, h, h - t))
            value += np.sum((h - t) ** 2)
        g, after = {k: np.zeros_like(v) for k, v in p.items()}, np.zeros(3)
        for x, before, h, e in reversed(tape):
            d = (2 * e + (0 if "next" in lost else after)) * (1 - h**2)
            g["Wx"] = total(g["Wx"], np.outer(d, x))
            g["Wh"] = g["Wh"] + np.outer(d, before)
            after = d if "weights" in lost else p["Wh"].T @ d
        return value, g

    p = {"Wx": rng.normal(size=(3, 2)), "Wh": rng.normal(size=(3, 3))}
    return loss, p, rng.normal(size=(5, 2)), rng.normal(size=(5, 3))


@pytest.mark.parametrize(
    "wrong", [recurrent(("next",)), recurrent(("weights",)), recurrent(total=lambda a, b: b)]
)
def test_a_recurrent_term_that_is_lost(wrong):
    assert check_gradient(*recurrent())
    finding = first(check_gradient(*wrong))
    assert finding.code == "steps_not_added"
    assert "xs and targets" in finding.message
    assert "next step" in finding.message


SLOPES = [
    (np.tanh, lambda h, z: 1 + h**2, "taken to be 1 + h**2: it is 1 - h**2"),
    (np.tanh, lambda h, z: 1 - h, "taken to be 1 - h: it is 1 - h**2"),
    (np.tanh, lambda h, z: 1 - 2 * h**2, "taken to be 1 - 2 h**2"),
    (np.tanh, lambda h, z: 1 + z**2, "taken to be 1 + z**2: it is 1 - h**2"),
    (np.tanh, lambda h, z: 1 - z**2, "evaluated at z"),
    (lambda z: 1 / (1 + np.exp(-z)), lambda h, z: h * (1 + h), "taken to be h + h**2"),
    (lambda z: 1 / (1 + np.exp(-z)), lambda h, z: h, "taken to be h: it is h (1 - h)"),
]


@pytest.mark.parametrize(("activation", "slope", "said"), SLOPES, ids=[s for *_, s in SLOPES])
def test_a_slope_that_is_another_polynomial(activation, slope, said):
    def loss(p, X, y, reg):
        z = X @ p["W1"] + p["b1"]
        h, rows = activation(z), np.arange(len(y))
        P = softmax(h @ p["W2"] + p["b2"])
        value = -np.log(P[rows, y]).mean() + reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))
        P[rows, y] -= 1
        d = P @ p["W2"].T * slope(h, z) / len(y)
        return value, {
            "W1": X.T @ d + 2 * reg * p["W1"], "b1": d.sum(axis=0),
            "W2": h.T @ P / len(y) + 2 * reg * p["W2"], "b2": P.mean(axis=0),
        }  # fmt: skip

    assert said in first(check_gradient(loss, *net_data(), 0.1)).message
