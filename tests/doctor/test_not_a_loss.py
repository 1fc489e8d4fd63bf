"""What is returned first is a count, the output of a net, or one loss for each example."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from cs231n_helpers import check_gradient

RNG = np.random.RandomState(0)
w, A, t = RNG.standard_normal(5), RNG.standard_normal((40, 5)), RNG.randint(0, 2, 40)
x = RNG.standard_normal(5)


def guess(w, A):
    return (A @ w > 0).astype(int)


@pytest.mark.parametrize(
    "count",
    [
        lambda w, A, t: np.mean(guess(w, A) != t),
        lambda w, A, t: np.sum(guess(w, A) != t),
        lambda w, A, t: 100 * np.mean(guess(w, A) == t),
        lambda w, A, t: np.mean((np.round(expit(A @ w)) - t) ** 2),
        lambda w, A, t: int(np.sum((A @ w - t) ** 2)),
    ],
)
def test_a_count_has_no_slope(count):
    report = check_gradient(lambda w, A, t: (count(w, A, t), A.T @ (guess(w, A) - t) / 40), w, A, t)
    assert report.verdict == "wrong"
    assert [f.code for f in report.findings] == ["not_a_loss"], str(report)
    assert "its slope is 0 wherever it has one" in report.findings[0].message


def test_a_count_with_a_penalty_is_one_still():
    def loss(w, A, t, reg):
        return np.mean(guess(w, A) != t) + reg * w @ w, A.T @ (guess(w, A) - t) / 40 + 2 * reg * w

    assert check_gradient(loss, w, A, t, 0.1).findings[0].code == "not_a_loss"


@pytest.mark.parametrize(
    ("out", "factor", "says"),
    [
        (lambda z: z, lambda z: z - 0.1, "(out - 0.1)**2 / 2"),
        (lambda z: z, lambda z: 2 * (z + 3), "(out - -3)**2."),
        (np.tanh, lambda z: (np.tanh(z) - 0.3) * (1 - np.tanh(z) ** 2), "(out - 0.3)**2 / 2"),
        (expit, lambda z: expit(z) - 1, "cross-entropy of out with the target 1"),
        (lambda z: z, lambda z: expit(z) - 1, "cross-entropy of sigmoid(out) with the target 1"),
    ],
)
def test_an_output_is_told_from_its_loss(out, factor, says):
    report = check_gradient(lambda w, x: (float(out(w @ x)), factor(w @ x) * x), w, x)
    assert [f.code for f in report.findings] == ["not_a_loss"], str(report)
    assert says in report.findings[0].message


def test_a_factor_that_stays_is_a_factor():
    report = check_gradient(lambda w: (np.sum(np.cosh(w)), 7 * np.sinh(w)), w)
    assert [f.code for f in report.findings] == ["scale_const"]


def affine_forward(w, x, b):
    return x @ w + b, (x, w)


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (lambda w, A, t: ((A @ w - t) ** 2, 2 * A.T @ (A @ w - t)), "one loss for each example"),
        (lambda w, A, t: (((A @ w - t) ** 2)[:, None], w), "return their mean"),
        (lambda w, A, t: (np.outer(A @ w, t), w), "the scores of a net"),
        (affine_forward, "check_layer(affine_forward, affine_backward, w, x, b)"),
    ],
)  # fmt: skip
def test_an_array_is_no_loss(returned, says):
    report = check_gradient(returned, w, A, t)
    assert (report.verdict, report.findings[0].code) == ("wrong", "not_a_loss")
    assert says in report.findings[0].message
