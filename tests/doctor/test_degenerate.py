"""What agrees because it is 0, or because there is no other, is no evidence."""

from __future__ import annotations

import numpy as np
import pytest
from loss_examples import data, softmax

from cs231n_helpers import check_gradient


def unknown(w, A, change=lambda g: g, outer=(lambda v: v, lambda v: 1.0)):
    """A loss that no textbook has, with its gradient changed."""
    value = np.sum(np.cosh(A @ w))
    return outer[0](value), change(outer[1](value) * A.T @ np.sinh(A @ w))


def matrix(seed=0, shape=(6, 4)):
    rng = np.random.RandomState(seed)
    return 0.3 * rng.standard_normal(shape), rng.standard_normal((9, shape[0]))


def times(mask):
    return lambda g: np.where(mask, 1.5 * g, g)


def test_right_elsewhere_needs_an_elsewhere_that_is_not_0():
    def output(p, x, t):
        out = p["w"] @ x
        return np.exp(out), {"w": (out - t) * x}

    report = check_gradient(output, {"w": np.array([0.3, 0.6])}, np.array([1.0, 0.0]), 0.1)
    assert report.verdict == "wrong"
    assert "right elsewhere" not in str(report)


def test_one_entry_is_no_place_and_its_ratio_at_one_point_no_factor():
    def loss(p):
        return np.exp(p["a"]) + np.sin(p["b"]), {"a": np.exp(p["a"]), "b": np.array(0.7)}

    report = check_gradient(loss, {"a": np.array(0.5), "b": np.array(0.3)})
    assert [f.code for f in report.mistakes] == ["unexplained"]
    assert "times" not in report.mistakes[0].message


@pytest.mark.parametrize("outer", [(np.log, lambda v: 1.0), (np.sqrt, lambda v: 1.0)])
def test_a_factor_that_depends_on_the_parameters_is_none(outer):
    report = check_gradient(lambda w, A: unknown(w, A, outer=outer), *matrix())
    [finding] = report.mistakes
    assert finding.code == "loss_wrong_grad_of_other"  # the gradient of what is inside
    assert not finding.factor
    assert "times" not in finding.message


@pytest.mark.parametrize("entries", [[(0, 1), (2, 3), (4, 0)], [(0, 0), (1, 1), (2, 2), (3, 3)]])
def test_scattered_errors_are_said_to_be_scattered(entries):
    w, A = matrix()
    mask = np.zeros(w.shape, bool)
    mask[tuple(zip(*entries, strict=True))] = True
    report = check_gradient(lambda w, A: unknown(w, A, times(mask)), w, A)
    [finding] = report.mistakes
    assert "scattered" in finding.message
    assert "everywhere" not in finding.message


def test_half_of_all_entries_are_not_all():
    w, A = matrix()
    mask = np.random.RandomState(1).rand(*w.shape) < 0.5
    report = check_gradient(lambda w, A: unknown(w, A, times(mask)), w, A)
    assert "scattered" in report.mistakes[0].message


@pytest.mark.parametrize("rows", [[1], [1, 2]])
def test_whole_rows_are_not_scattered(rows):
    w, A = matrix()
    mask = np.zeros(w.shape, bool)
    mask[rows] = True
    report = check_gradient(lambda w, A: unknown(w, A, times(mask)), w, A)
    assert report.findings[0].where == ("row 1" if rows == [1] else "rows 1, 2")
    assert "scattered" not in str(report)


def test_scattered_where_the_loss_is_known():
    W, X, y = data()
    mask = np.random.RandomState(0).rand(5, 7) < 0.3  # the shape of the small problem, too

    def loss(W, X, y):
        P = softmax(X @ W)
        value = -np.log(P[np.arange(len(y)), y]).mean()
        P[np.arange(len(y)), y] -= 1
        dW = X.T @ P / len(y)
        return value, np.where(mask[: W.shape[0], : W.shape[1]], dW + 0.1, dW)

    [finding] = check_gradient(loss, W[:5], X[:, :5], y).mistakes
    assert "scattered" in finding.message


def test_the_bias_is_named_where_a_slice_broadcasts_onto_it():
    rng = np.random.RandomState(0)
    X = np.c_[np.ones(20), rng.standard_normal(20)]

    def ridge(w, X, t, lam):
        r = X @ w - t
        value = 0.5 * np.mean(r**2) + 0.5 * lam * np.sum(w[1:] ** 2)
        return value, X.T @ r / len(t) + lam * w[1:]

    for shape in ((2,), (2, 1)):
        w, t = rng.standard_normal(shape), rng.standard_normal((20, *shape[1:]))
        report = check_gradient(ridge, w, X, t, 0.5)
        assert "bias" in report.mistakes[0].message


def test_a_loss_of_one_class_shows_nothing():
    """One class is always right: the loss is a constant, and the gradient 0."""
    W, X, y = data()

    def loss(W, X, y):
        P = softmax(X @ W)
        rows = np.arange(len(y))
        value = 1 - np.log(P[rows, y]).mean()
        P[rows, y] -= 1
        return value, X.T @ P / len(y)

    report = check_gradient(loss, W[:, :1], X, 0 * y)
    assert report.verdict == "inconclusive"
    assert "0 is 0 shows nothing" in " ".join(report.reason.split())
