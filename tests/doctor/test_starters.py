"""A function that nobody has written yet is told from a wrong one."""

from __future__ import annotations

import numpy as np
import pytest
from loss_examples import data

from cs231n_helpers import check_gradient

W, X, y = data()
NET = {"W1": W, "b1": np.ones(W.shape[1])}


def raises_not_implemented(W, X, y):
    raise NotImplementedError("your code here")


def ends_with_pass(W, X, y):
    pass


def is_an_ellipsis(W, X, y): ...


@pytest.mark.parametrize(
    ("starter", "params"),
    [
        (raises_not_implemented, W),
        (ends_with_pass, W),
        (is_an_ellipsis, W),
        (lambda W, X, y: (None, None), W),
        (lambda W, X, y: (0.0, np.zeros_like(W)), W),
        (lambda W, X, y: (0, np.zeros(W.shape, int)), W),
        (lambda W, X, y: (0, 0), W),
        (lambda W, X, y: (np.squeeze(None), np.zeros_like(W)), W),
        (lambda params, X, y: (0, {}), NET),
        (lambda params, X, y: (None, dict.fromkeys(params)), NET),
        (lambda params, X, y: (0.0, {k: 0 * v for k, v in params.items()}), NET),
    ],
)
def test_a_starter_is_not_written_yet(starter, params):
    report = check_gradient(starter, params, X, y)
    assert (report.verdict, report.is_written) == ("wrong", False)
    assert [f.code for f in report.findings] == ["not_written"]
    assert "Not written yet" in str(report)


def test_a_loss_without_its_gradient_is_half_written():
    report = check_gradient(lambda W, X, y: (np.sum(W**2), None), W, X, y)
    assert [f.message for f in report.findings] == ["Not written yet: the gradient is None."]
    assert not report.is_written


def test_one_array_that_is_none_is_a_mistake_of_what_is_written():
    def loss(params, X, y):
        return sum(np.sum(a**2) for a in params.values()), {"W1": 2 * params["W1"], "b1": None}

    report = check_gradient(loss, NET, X, y)
    assert report.is_written
    assert [(f.code, f.parameter) for f in report.findings] == [("missing_key", "b1")]


def test_zeros_here_alone_are_no_starter_and_no_evidence():
    def hinge(w):
        return max(0.0, 1 - w.sum()), -np.ones(3) * (w.sum() < 1)

    report = check_gradient(hinge, np.full(3, 0.4))
    assert (report.verdict, report.is_written) == ("inconclusive", True)
