"""A mistake of the forward pass that loss and gradient share, and labels that stand elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from loss_examples import data, softmax

from cs231n_helpers import check_gradient


def softmax_loss(probabilities=softmax, of_loss=lambda y: y, of_gradient=lambda y: y):
    """A right loss with one part exchanged."""

    def loss(W, X, y, reg):
        P, rows = probabilities(X @ W), np.arange(len(y))
        value = -np.log(P[rows, of_loss(y)]).mean() + reg * np.sum(W**2)
        P = P - np.eye(W.shape[1])[of_gradient(y)]
        return value, X.T @ P / len(y) + 2 * reg * W

    return loss


def hinge_loss(margins_of=None, clear="own", subtract="own", shift=0):
    def loss(W, X, y, reg):
        rows, S, y = np.arange(len(y)), X @ W, y - shift
        gap = S - S[rows, y][:, np.newaxis]
        M = np.maximum(0, gap + 1) if margins_of is None else margins_of(gap)
        M[(rows, y) if clear == "own" else (slice(None), y)] = 0
        A = (M != 0).astype(float)
        count = A.sum(axis=1)
        if subtract == "own":
            A[rows, y] -= count
        else:
            subtract(A, y, count)
        return M.sum() / len(y) + reg * np.sum(W**2), X.T @ A / len(y) + 2 * reg * W

    return loss


def exp_over(total):
    return lambda S: np.exp(S) / total(np.exp(S))


def set_columns(A, y, values):
    A[:, y] = values


def subtract_from_columns(A, y, values):
    A[:, y] -= values


def both(labels):
    return {"of_loss": labels, "of_gradient": labels}


SOFTMAX = [
    ({"probabilities": exp_over(np.sum)}, "over the whole matrix"),
    ({"probabilities": lambda S: exp_over(np.sum)(S - S.max())}, "over the whole matrix"),
    ({"probabilities": exp_over(lambda E: E.sum(axis=0))}, "over the examples"),
    ({"probabilities": lambda S: softmax(S - S.max(axis=0))}, "largest score of each column"),
    ({"probabilities": lambda S: softmax(np.maximum(S, 0))}, "clips the scores with a ReLU"),
    ({"probabilities": lambda S: softmax(np.tanh(S))}, "the scores through a tanh"),
    ({"of_gradient": lambda y: y - 1}, "labels are shifted"),
    ({"of_gradient": lambda y: y[::-1]}, "labels belong to other rows"),
    ({"of_loss": lambda y: y - 1}, "labels are shifted"),
    (both(lambda y: y - 1), "agree, but the labels are shif"),
    (both(lambda y: np.roll(y, 1)), "labels belong to other"),
    (both(lambda y: y[:1]), "the first example's label"),
]
HINGE = [
    ({"margins_of": lambda gap: np.maximum(0, gap)}, "margin delta is missing in both"),
    ({"margins_of": lambda gap: np.maximum(0, gap - 1)}, "the loss subtracts delta"),
    ({"margins_of": lambda gap: gap + 1}, "not clipped at 0"),
    ({"shift": 1}, "agree, but the labels are shifted"),
    ({"clear": "columns"}, "`margins[:, y] = 0` sets whole columns"),
    ({"subtract": subtract_from_columns}, "`A[:, y]` changes whole columns"),
    ({"subtract": set_columns}, "`A[:, y]` changes whole columns"),
    ({"subtract": lambda A, y, n: set_columns(A, y, -n)}, "`A[:, y]` changes whole columns"),
    ({"subtract": lambda A, y, n: set_columns(A, y, -n[:, None])}, "`A[:, y]` changes whole"),
    ({"subtract": lambda A, y, n: subtract_from_columns(A, y, 1)}, "`A[:, y]` changes whole"),
]


@pytest.mark.parametrize(
    ("loss", "said"),
    [(softmax_loss(**parts), said) for parts, said in SOFTMAX]
    + [(hinge_loss(**parts), said) for parts, said in HINGE],
    ids=[said for _, said in SOFTMAX + HINGE],
)
def test_the_mistake_is_named_first(loss, said):
    report = check_gradient(loss, *data(25, 12, 6, scale=0.1), 0.1)
    assert report.verdict == "wrong"
    assert said in report.findings[0].message, str(report)


@pytest.mark.parametrize("loss", [softmax_loss(), hinge_loss()])
def test_without_it_all_is_well(loss):
    assert check_gradient(loss, *data(25, 12, 6, scale=0.1), 0.1)


@pytest.mark.parametrize("lost", [0, 3], ids=["every class occurs", "the last class is absent"])
def test_labels_that_begin_at_1_may_be_shifted(lost):
    W, X, y = data(25, 12, 6)
    loss = softmax_loss(of_loss=lambda y: y - 1, of_gradient=lambda y: y - 1)
    assert check_gradient(loss, W, X, np.minimum(y, 5 - lost) + 1, 0.1)


def test_columns_set_to_0_are_seen_where_every_class_occurs():
    W, X, y = data(25, 12, 3)  # so that the loss is 0 whatever W is

    def columns_in_the_loss(W, X, y):
        return hinge_loss(clear="columns")(W, X, y, 0.0)[0], hinge_loss()(W, X, y, 0.0)[1]

    report = check_gradient(columns_in_the_loss, W, X, y)
    assert "`margins[:, y] = 0` sets whole columns" in report.findings[0].message
