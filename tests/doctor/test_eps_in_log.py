"""Eps inside the log: its size is told, and what it changes here; it hides no other mistake."""

from __future__ import annotations

import numpy as np
import pytest
from loss_examples import data, net_data, softmax

from cs231n_helpers import check_gradient

SHIFT, LARGER, CLIP = (lambda p, e: p + e), np.maximum, (lambda p, e: np.clip(p, e, 1 - e))


def guarded(eps, form=SHIFT, probabilities=softmax, factor=1, knows_eps=False):
    def loss(W, X, y, reg):
        n, P = len(y), probabilities(X @ W)
        p = P[np.arange(n), y]
        d = P - np.eye(W.shape[1])[y]
        d = d * (p / (p + eps))[:, np.newaxis] if knows_eps else d
        value = -np.log(form(p, eps)).mean() + reg * np.sum(W**2)
        return value, factor * X.T @ d / n + 2 * reg * W

    return loss


def without_a_shift(S):
    return np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)


def check(loss, scale=0.05):
    return check_gradient(loss, *data(25, 12, 6, scale=scale), 0.1)


def note(report):
    return next(f for f in report.findings if f.code == "eps_in_log")


@pytest.mark.parametrize("eps", [1e-15, 1e-12, 1e-8, 1e-6, 1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("knows_eps", [False, True])
def test_a_note_tells_its_size(eps, knows_eps):
    report = check(guarded(eps, knows_eps=knows_eps))
    assert report.verdict == "correct"
    assert note(report).caution
    assert f"log(p + {eps:.0e})" in note(report).message.replace("0.001)", "1e-03)").replace(
        "0.0001)", "1e-04)"
    )
    expected = 0.0 if knows_eps else 6 * eps  # the probabilities are about 1/6
    assert report.max_relative_error == pytest.approx(expected, rel=0.5, abs=1e-7)


@pytest.mark.parametrize("form", [LARGER, CLIP])
@pytest.mark.parametrize("eps", [1e-7, 1e-2])
def test_a_clipped_probability_is_told_likewise(form, eps):
    report = check(guarded(eps, form))
    assert report.verdict == "correct"
    assert "1e-07" in str(report) or "0.01" in str(report)


@pytest.mark.parametrize("eps", [1e-7, 1e-3])
def test_an_overflow_is_all_that_is_wrong(eps):
    report = check(guarded(eps, probabilities=without_a_shift))
    assert [f.code for f in report.mistakes] == ["overflow"]
    assert "The slopes agree" in str(report)
    assert report.max_relative_error < 0.01


def test_one_that_makes_a_difference_here_is_a_mistake():
    report = check(guarded(0.05))
    assert report.verdict == "wrong"
    assert [f.code for f in report.mistakes] == ["eps_in_log"]
    assert "log(p + 0.05)" in note(report).message


@pytest.mark.parametrize("eps", [1e-7, 1e-4, 0.05])
@pytest.mark.parametrize(("factor", "code"), [(-1, "sign"), (25, "scale_N"), (0.5, "scale_half")])
def test_it_hides_no_other_mistake(eps, factor, code):
    report = check(guarded(eps, factor=factor))
    assert report.findings[0].code == code


@pytest.mark.parametrize("eps", [1e-6, 1e-3])
@pytest.mark.parametrize("factor", [1, 2])
def test_a_net_that_holds_its_penalty(eps, factor):
    def loss(params, X, y):
        h = np.maximum(0, X @ params["W1"] + params["b1"])
        P, rows = softmax(h @ params["W2"] + params["b2"]), np.arange(len(y))
        penalty = 0.35 * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
        value = -np.log(P[rows, y] + eps).mean() + penalty
        P[rows, y] -= 1
        d = factor * P @ params["W2"].T * (h > 0) / len(y)
        return value, {
            "W1": X.T @ d + 0.7 * params["W1"], "b1": d.sum(axis=0),
            "W2": h.T @ P / len(y) + 0.7 * params["W2"], "b2": P.mean(axis=0),
        }  # fmt: skip

    report = check_gradient(loss, *net_data())
    assert report.verdict == ("correct" if factor == 1 else "wrong")
    assert "loss_wrong_grad_of_other" not in [f.code for f in report.findings]
    assert "log(p + " in note(report).message


@pytest.mark.parametrize("eps", [0.0, 1e-9, 1e-4])
def test_a_sigmoid(eps):
    def loss(w, X, t):
        a = 1 / (1 + np.exp(-X @ w))
        value = -np.mean(t * np.log(a + eps) + (1 - t) * np.log(1 - a + eps))
        return value, X.T @ (a - t) / len(t)

    W, X, y = data(25, 12, 2, scale=0.1)
    report = check_gradient(loss, W[:, 0], X, y * 1.0)
    assert report.verdict == "correct"
    assert ("eps_in_log" in [f.code for f in report.findings]) == (eps > 0)
