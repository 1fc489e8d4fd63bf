"""Each declared mistake, put into a right backward pass, is found again."""

from __future__ import annotations

import itertools
import re
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from loss_examples import data, softmax

from cs231n_helpers import check_gradient
from cs231n_helpers.doctor import mistakes
from cs231n_helpers.doctor.backward import ACTIVATIONS, LEAKS, OUTPUT_LOSSES, Model
from cs231n_helpers.doctor.mistakes import MISTAKES
from cs231n_helpers.doctor.wrong_losses import WRONG_LOSSES

#: shows only in layouts that are not tried here, or is another entry's equal here
ELSEWHERE = (
    "the gradient tests the margin 1 and the loss another one",
    "every bias gets the sum over everything",
    "delta @ W2 lacks a transpose",
)
CASES = [
    pytest.param(
        mistake,
        activation,
        id=f"{mistake.code}-{mistake.term}-{activation}",
        # five more slopes of the leaky ReLU are the formulas of the first
        marks=[pytest.mark.slow] if activation in [f"leaky ReLU ({k})" for k in LEAKS[1:]] else [],
    )
    for mistake in MISTAKES
    if mistake.message.split(":")[0] not in ELSEWHERE
    for activation in [a for a in ACTIVATIONS if a in mistake.when] or ["ReLU"]
]


def report_of(mistake, activation):
    """Put the mistake into a right backward pass, and check that."""
    hidden = mistake.term in ("dh", "dz", "slope") or mistake.code == "wrong_activation"
    head = next((head for head in OUTPUT_LOSSES if head in mistake.when), "softmax")
    rng = np.random.RandomState(3)
    sizes = (6, 8, 5) if hidden else (6, 5)
    params = {}
    for k, (rows, columns) in enumerate(itertools.pairwise(sizes), start=1):
        params[f"W{k}"] = 0.6 * rng.standard_normal((rows, columns))
        params[f"b{k}"] = 0.4 * rng.standard_normal(columns)

    def loss(params, X, y):
        arrays = list(params.values())
        chain = tuple(zip(arrays[::2], arrays[1::2], strict=True))
        T = np.eye(arrays[-1].size)[y]
        model = Model(chain, X, T, OUTPUT_LOSSES[head], ACTIVATIONS[activation])
        only = 1 if mistake.code == "wrong_activation" else None
        wrong = replace(model, replaced={mistake.term: mistake.wrong}, only=only)
        return model.loss(), dict(zip(params, wrong.gradients(), strict=True))

    X, y = rng.standard_normal((29, 6)), rng.randint(0, 5, 29)
    return check_gradient(loss, params, X, y)


def is_right_here(mistake, activation):
    """The wrong slope of one leaky ReLU is the right one of another."""
    slope = re.search(r"\((.*)\)", activation)
    return bool(slope) and f"the slope {slope[1]} of" in mistake.message


def report_of_loss(entry):
    """Put the wrong loss beside the textbook's gradient, and check that."""
    rng = np.random.RandomState(3)

    def loss(W, X, y):
        model = Model(((W, None),), X, np.eye(W.shape[1])[y], OUTPUT_LOSSES[entry.output_loss])
        return float(entry.loss(model.terms_of_scores(X @ W))), model.gradients()[0]

    W, X = 0.6 * rng.standard_normal((6, 5)), rng.standard_normal((29, 6))
    return check_gradient(loss, W, X, rng.randint(0, 5, 29))


class TestDeclaredMistakes:
    @pytest.mark.parametrize(("mistake", "activation"), CASES)
    def test_backward(self, mistake, activation):
        report = report_of(mistake, activation)
        if is_right_here(mistake, activation):
            assert report.verdict == "correct"
        else:
            assert report.verdict == "wrong"
            assert mistake.code in [f.code for f in report.mistakes], str(report)

    @pytest.mark.parametrize("entry", WRONG_LOSSES, ids=lambda e: f"{e.code}-{e.output_loss}")
    def test_losses(self, entry):
        report = report_of_loss(entry)
        assert report.verdict == "wrong"
        if "delta" in entry.message and "missing" in entry.message:
            assert report.findings[0].code == "hinge_mask_wrong"  # of a hinge with delta = 0
        else:
            assert report.findings[0].code == entry.code
            assert entry.message.split(":")[0] in report.findings[0].message

    def test_adding_one_takes_five_lines(self):
        def subtracts_the_label(W, X, y):
            P = softmax(X @ W)
            T = np.eye(W.shape[1])
            value = -np.log(P[np.arange(len(y)), y]).mean()
            return value, X.T @ (P - y[:, None] * T[y]) / len(y)

        snippet = textwrap.dedent(mistakes.__doc__.split("::\n\n")[1].split("\n\n")[0])
        before = check_gradient(subtracts_the_label, *data())
        try:
            exec(snippet, vars(mistakes))
            after = check_gradient(subtracts_the_label, *data())
        finally:
            MISTAKES[:] = [m for m in MISTAKES if "label itself" not in m.message]
        assert before.findings[0].code == "unexplained"
        assert after.findings[0].code == "onehot_indexing"
        assert "label itself" in after.findings[0].message
        text = (Path(__file__).parent.parent.parent / "CONTRIBUTING.md").read_text("utf-8")
        assert "lambda p: (p.P - p.T * p.y[:, None]) / p.N" in text
        assert "lambda p: (p.P - p.T * p.y[:, None]) / p.N" in snippet
