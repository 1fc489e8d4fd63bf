"""What only the small problem has, its sizes and its strength, is not told as the caller's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from loss_examples import data, net_data, net_loss, softmax

from cs231n_helpers import check_gradient

N, D = 25, 12


def line(N=N, D=D):
    rng = np.random.RandomState(0)
    return rng.standard_normal(D), rng.standard_normal((N, D)), rng.standard_normal(N)


def squared(w, X, t, factor=1.0, penalty=0.0, slope=0.0):
    r = X @ w - t
    return 0.5 * np.mean(r**2) + penalty, factor * X.T @ r / len(t) + slope


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        (lambda n, d: n / d, "N / D times what it should be, here 50: divide by N, the number of "
                             "examples, not by D"),
        (lambda n, d: d / n, "D / N times what it should be, here 0.02"),
        (lambda n, d: 2 * n, "2 * N times what it should be, here 200"),
        (lambda n, d: 1 / d, "1 / D times what it should be, here 0.5"),
        (lambda n, d: 3, "3 times what it should be: "),
    ],
)  # fmt: skip
def test_a_factor_is_told_in_letters(factor, said):
    def loss(w, X, t):
        return squared(w, X, t, factor(*X.shape))

    [finding] = check_gradient(loss, *line(N=100, D=2)).mistakes
    assert finding.code == "scale_const"
    assert said in finding.message


@pytest.mark.parametrize(
    ("outer", "factor"),
    [
        (np.sqrt, lambda X: 2),  # depends on W
        (np.log, lambda X: 2),
        (lambda v: v, np.linalg.norm),  # depends on X
    ],
)
def test_what_depends_on_parameters_or_data_is_no_factor(outer, factor):
    def loss(w, X, t):
        value, gradient = squared(w, X, t, factor(X))
        return outer(value), gradient

    report = check_gradient(loss, *line())
    assert report.verdict == "wrong"
    assert "times" not in str(report).split("\n", 1)[1]


@pytest.mark.parametrize("reg", [0.05, 0.7])
def test_the_strength_that_a_net_keeps_is_not_named(reg):
    def loss(params, X, y):
        h = np.maximum(0, X @ params["W1"] + params["b1"])
        P = softmax(h @ params["W2"] + params["b2"])
        rows = np.arange(len(y))
        squares = np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2)
        value = -np.log(P[rows, y]).mean() + 0.5 * reg * squares
        P[rows, y] -= 1
        dh = P @ params["W2"].T * (h > 0)
        grads = {"W1": X.T @ dh, "b1": dh.sum(0), "W2": h.T @ P, "b2": P.sum(0)}
        grads = {k: g / len(y) for k, g in grads.items()}
        return value, grads | {"W2": grads["W2"] + reg * params["W2"]}

    [finding] = check_gradient(loss, *net_data()).mistakes
    assert (finding.code, finding.parameter) == ("reg_missing", "W1")
    assert "add reg * W" in finding.message
    assert not any(figure in finding.message for figure in (str(reg), "0.3", "2.33", "0.167"))


@pytest.mark.parametrize(
    ("kept", "said"),
    [(slice(-1), "The last example"), (slice(1, None), "The first example"),
     (slice(-1, None), "Only the last example")],
)  # fmt: skip
def test_examples_that_are_left_out_have_no_numbers(kept, said):
    def loss(w, X, t):
        value, _ = squared(w, X, t)
        return value, X[kept].T @ (X[kept] @ w - t[kept]) / len(t)

    [finding] = check_gradient(loss, *line()).mistakes
    assert finding.code == "example_dropped"
    assert finding.message.startswith(said)
    assert not any(c.isdigit() for c in finding.message)


NORMS = {  # penalty and its gradient
    "sum(W**2)": (lambda w: np.sum(w**2), lambda w: 2 * w),
    "sqrt(sum(W**2))": (np.linalg.norm, lambda w: w / np.linalg.norm(w)),
    "sum(|W|)": (lambda w: np.abs(w).sum(), np.sign),
    "sum(|W|)**2": (lambda w: np.abs(w).sum() ** 2, lambda w: 2 * np.abs(w).sum() * np.sign(w)),
    "sum(|W|**3)": (lambda w: np.sum(np.abs(w) ** 3), lambda w: 3 * w * np.abs(w)),
}


PAIRS = list(itertools.product(NORMS, repeat=2))
FAST = [*PAIRS[1::4], PAIRS[12]]


@pytest.mark.parametrize(
    ("one", "other"),
    [pytest.param(*pair, marks=[] if pair in FAST else pytest.mark.slow) for pair in PAIRS],
)
def test_a_penalty_is_checked_before_it_is_named(one, other):
    def loss(w, X, t, lam):
        return squared(w, X, t, 1, lam * NORMS[one][0](w), lam * NORMS[other][1](w))

    report = check_gradient(loss, *line(), 0.7)
    if one == other:
        assert report.verdict == "correct"
        return
    rooted = (one, other) == ("sqrt(sum(W**2))", "sum(W**2)")
    [finding] = report.mistakes
    assert finding.code == ("reg_not_squared" if rooted else "reg_wrong_norm")
    assert one in finding.message
    assert rooted or f"{other}:" in finding.message


def test_a_norm_without_a_square_is_seen_where_no_strength_can_be_set():
    def loss(w, X, t):
        return squared(w, X, t, 1, 0.7 * np.linalg.norm(w), 0.7 * w)

    assert [f.code for f in check_gradient(loss, *line()).mistakes] == ["reg_not_squared"]


def test_three_times_another_penalty_is_a_factor():
    def loss(w, X, t, lam):
        return squared(w, X, t, 1, lam * np.abs(w).sum(), 3 * lam * np.sign(w))

    [finding] = check_gradient(loss, *line(), 0.7).mistakes
    assert finding.code == "reg_factor_2"
    assert "3 times what it should be" in finding.message
    assert "it is reg * sign(W)" in finding.message


@pytest.mark.parametrize("bug", [False, True])
def test_a_number_that_changes_the_part_of_the_data_is_no_strength(bug):
    def focal(W, X, y, gamma):
        P = softmax(X @ W)
        T = np.eye(W.shape[1])[y]
        p = (P * T).sum(axis=1)
        dp = -((1 - p) ** gamma) / p
        dp += 0 if bug else gamma * (1 - p) ** (gamma - 1) * np.log(p)
        dscores = (dp * p)[:, None] * (T - P)
        return -np.mean((1 - p) ** gamma * np.log(p)), X.T @ dscores / len(y)

    report = check_gradient(focal, *data(), 2.0)
    assert report.verdict == ("wrong" if bug else "correct")
    assert not any(f.code.startswith(("reg", "loss_reg")) for f in report.mistakes)


def test_a_penalty_that_is_right_is_not_differentiated_entry_by_entry():
    def noisy(params, X, y, reg):
        value, grads = net_loss(params, X, y, reg)
        noise = np.random.RandomState(3).standard_normal
        return value, {k: g + 0.1 * noise(g.shape) for k, g in grads.items()}

    params, X, y = net_data(D=30, H=9, C=5, seed=1)
    report = check_gradient(noisy, params, X, y, 0.1)
    assert {f.code for f in report.mistakes} == {"unexplained"}
    assert report.small_evaluations < 3 * 176  # the small net has 176 parameters
