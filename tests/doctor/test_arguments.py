"""Causes that stand in the arguments come first, and are said as the package's losses say them."""

from __future__ import annotations

import numpy as np
import pytest
from loss_examples import data, softmax

from cs231n_helpers import check_gradient

W, X, y = data()
N, C = len(X), W.shape[1]
PIXELS = np.random.RandomState(0).randint(0, 256, X.shape).astype(np.uint8)


def cross_entropy(W, X, y, reg, times=1):
    n = X.shape[0]
    P = softmax(X.dot(W))
    value = -np.log(P[np.arange(n), y]).mean() + reg * np.sum(W * W)
    P[np.arange(n), y] -= 1
    return value, times * X.T.dot(P) / n + 2 * reg * W


def with_equality(W, X, y, reg):
    P = softmax(X @ W)
    T = (y[:, None] == np.arange(W.shape[1])).astype(float)
    return -np.sum(T * np.log(P)) / len(X) + reg * np.sum(W * W), X.T @ (P - T) / len(
        X
    ) + 2 * reg * W


def hinge_in_loops(W, X, y, reg):
    dW, value = np.zeros_like(W), 0.0
    for x, label in zip(X, y, strict=True):
        s = x @ W
        for j in range(W.shape[1]):
            if j != label and s[j] - s[label] + 1 > 0:
                value += s[j] - s[label] + 1
                dW[:, j] += x
                dW[:, label] += -x
    return value / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


def hinge_by_first_column(W, X, y, reg):
    n, S = len(X), X @ W
    M = np.maximum(0, S - S[np.arange(n), y][:, :1] + 1)
    M[np.arange(n), y] = 0
    A = (M > 0).astype(float)
    A[np.arange(n), y] -= A.sum(1)
    return M.sum() / n + reg * np.sum(W * W), X.T @ A / n + 2 * reg * W


def says(loss, message, W=W, X=X, y=y):
    return pytest.param(loss, W, X, y, message, id=f"{loss.__name__}-{message}")


COLUMN = f"y has shape ({N}, 1), but it must be (N,), one label an example: use y.ravel()."
ONE_HOT = f"y has shape ({N}, {C}), but it must be (N,), one label an example: its rows are one-hot"
BYTES = "X has dtype uint8, where results wrap around below 0: convert it with X.astype(float)."
FLOATS = "y has dtype float64, but labels are integers 0..C-1: convert them with y.astype(int)."


@pytest.mark.parametrize(
    ("loss", "W", "X", "y", "message"),
    [
        says(cross_entropy, COLUMN, y=y[:, None]),
        says(with_equality, COLUMN, y=y[:, None]),
        says(hinge_by_first_column, COLUMN, y=y[:, None]),
        says(cross_entropy, ONE_HOT, y=np.eye(C)[y]),
        says(with_equality, ONE_HOT, y=np.eye(C, dtype=int)[y]),
        says(cross_entropy, FLOATS, y=y.astype(float)),
        says(with_equality, "y is a list, which cannot be compared", y=y.tolist()),
        says(cross_entropy, f"= {C} is not a valid label: W has {C} columns", y=y + 1),
        says(with_equality, "labels start from 0, use y - 1.", y=y + 1),
        says(hinge_in_loops, BYTES, W=W / 1000, X=PIXELS),
        says(cross_entropy, "W looks transposed, pass W.T.", W=W.T),
        says(cross_entropy, "looks transposed: pass X.T.", X=X.T),
        says(cross_entropy, "flatten images with X.reshape(len(X), -1).", X=X.reshape(N, 2, -1)),
        says(cross_entropy, "X may lack its bias column of ones.", W=np.vstack([W, W[:1]])),
        says(cross_entropy, "another order, call check_gradient(", X=y, y=X),
    ],
)  # fmt: skip
def test_the_argument_is_to_blame(loss, W, X, y, message):
    report = check_gradient(loss, W, X, y, 0.1)
    assert report.verdict == "wrong"
    assert [f.code for f in report.findings] == ["argument"], str(report)
    assert message in report.findings[0].message


@pytest.mark.parametrize(
    ("W", "X", "y"), [(W, X, y[None]), (W / 1000, PIXELS, y), (W, X, y.tolist())]
)
def test_what_is_right_all_the_same_is_correct(W, X, y):
    assert check_gradient(cross_entropy, W, X, y, 0.1).verdict == "correct"


def test_a_mistake_beside_it_is_named_too():
    report = check_gradient(cross_entropy, W, X, np.eye(C)[y], 0.1, N)
    assert [f.code for f in report.findings] == ["argument", "scale_N"]
    report = check_gradient(cross_entropy, W / 1000, PIXELS, y, 0.1, N)
    assert [f.code for f in report.findings] == ["scale_N"]


def test_targets_that_are_a_column_by_right_are_not_blamed():
    def one_column(w, X, t):
        r = X @ w - t
        return np.mean(r**2), 2 * X.T @ r / len(t)

    t = np.random.RandomState(0).randint(0, 5, (N, 1))
    assert check_gradient(one_column, W[:, :1], X, t)
    report = check_gradient(one_column, W[:, 0], X, t + 0.5)
    assert "pass t.ravel()" in report.findings[0].message


def test_an_error_of_the_loss_itself_is_passed_on():
    def unfinished(W, X, y, reg):
        raise ValueError("half of it")

    with pytest.raises(ValueError, match="half of it"):
        check_gradient(unfinished, W, X, y[:, None], 0.1)
