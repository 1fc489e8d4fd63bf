"""The gradient checker: misses nothing, blames nothing that is right, names what it finds."""

from __future__ import annotations

import functools
import inspect
import itertools
import random
import re
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from corpus import linear, nets, vectors
from freeze import golden, report_record
from matplotlib.figure import Figure

from cs231n_helpers import (
    Finding,
    GradientReport,
    TwoLayerNet,
    WrongGradientError,
    check_gradient,
    softmax_input_gradient,
    softmax_loss,
    softmax_loss_vectorized,
    svm_input_gradient,
    svm_loss,
    svm_loss_naive,
    svm_loss_vectorized,
)
from cs231n_helpers.doctor import mistakes
from cs231n_helpers.doctor.backward import ACTIVATIONS, OUTPUT_LOSSES, Model
from cs231n_helpers.doctor.mistakes import MISTAKES
from cs231n_helpers.doctor.wrong_losses import WRONG_LOSSES

CORPUS = [(corpus, entry) for corpus in (linear, nets, vectors) for entry in corpus.REGISTRY]
WRONG = [(corpus, entry) for corpus, entry in CORPUS if entry["diagnosis"]]
RIGHT = [(corpus, entry) for corpus, entry in CORPUS if not entry["diagnosis"]]


def names(entries):
    return [entry["id"] for _, entry in entries]


def check(corpus, entry, seed=0):
    with np.errstate(all="ignore"):
        arguments = corpus.make_inputs(entry, seed)
    return check_gradient(entry["func"], *arguments, rng=np.random.default_rng(seed))


@functools.cache
def report_on_wrong(i):
    """What the checker says of the mistake WRONG[i], asked once for the tests that look at it."""
    return check(*WRONG[i])


def data(N=23, D=6, C=4, seed=0, scale=0.5):
    rng = np.random.RandomState(seed)
    W, X = scale * rng.standard_normal((D, C)), rng.standard_normal((N, D))
    return W, X, rng.randint(0, C, N)


def softmax(S):
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def changed(loss, change):
    """The same loss with its gradient changed."""

    def wrong(*args, **kwargs):
        value, gradient = loss(*args, **kwargs)
        return value, change(gradient)

    return wrong


def net_loss(params, X, y, reg):
    net = TwoLayerNet(X.shape[1], len(params["b1"]), len(params["b2"]))
    net.params = params
    return net.loss(X, y, reg)


def net_data(N=23, D=6, H=8, C=4, seed=0):
    rng = np.random.RandomState(seed)
    net = TwoLayerNet(D, H, C, std=0.5, rng=rng)
    return net.params, rng.standard_normal((N, D)), rng.randint(0, C, N)


class TestCorpus:
    """A hundred mistakes and more, written by other hands than the checker."""

    @pytest.mark.parametrize("i", range(len(WRONG)), ids=names(WRONG))
    def test_nothing_is_missed(self, i):
        report = report_on_wrong(i)
        assert report.verdict == "wrong"
        assert report.mistakes
        assert report.evaluations <= 80
        assert report_record(report) == golden("reports")[WRONG[i][1]["id"]]

    @pytest.mark.parametrize(("corpus", "entry"), RIGHT, ids=names(RIGHT))
    def test_nothing_right_is_blamed(self, corpus, entry):
        for seed in range(5):
            report = check(corpus, entry, seed)
            assert report.verdict == "correct", (seed, str(report))
            if seed == 0:
                assert report_record(report) == golden("reports")[entry["id"]]
            params = corpus.make_inputs(entry, seed)[0]
            limit = max(20, 8 + 3 * len(params)) if isinstance(params, dict) else 11
            assert report.evaluations <= limit, seed

    def test_most_are_named_first(self):
        unnamed = []
        for i, (corpus, entry) in enumerate(WRONG):
            allowed = {entry["diagnosis"]} | corpus.EQUIVALENT.get(entry["id"], set())
            if report_on_wrong(i).findings[0].code not in allowed:
                unnamed.append(entry["id"])
        assert len(unnamed) <= 0.08 * len(WRONG), unnamed


class TestDeclaredMistakes:
    """Each entry, put into a right backward pass, is found again."""

    def report(self, mistake, head, activation, layers):
        rng = np.random.RandomState(3)
        sizes = (6, 8, 5) if layers == 2 else (6, 5)
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

    #: shows only in layouts that are not tried here, or is another entry's equal here
    ELSEWHERE = (
        "the gradient tests the margin 1 and the loss another one",
        "every bias gets the sum over everything",
        "delta @ W2 lacks a transpose",
    )

    @pytest.mark.parametrize("mistake", MISTAKES, ids=lambda m: f"{m.code}-{m.term}")
    def test_backward(self, mistake):
        if mistake.message.split(":")[0] in self.ELSEWHERE:
            pytest.skip("shows elsewhere")
        hidden = mistake.term in ("dh", "dz", "slope") or mistake.code == "wrong_activation"
        heads = [head for head in OUTPUT_LOSSES if head in mistake.when] or ["softmax"]
        activations = [a for a in ACTIVATIONS if a in mistake.when] or ["ReLU"]
        for activation in activations:
            report = self.report(mistake, heads[0], activation, 2 if hidden else 1)
            slope = re.search(r"\((.*)\)", activation)
            if slope and f"the slope {slope[1]} of" in mistake.message:
                assert report.verdict == "correct"  # the right slope of this activation
                continue
            assert report.verdict == "wrong"
            assert mistake.code in [f.code for f in report.mistakes], str(report)

    @pytest.mark.parametrize("entry", WRONG_LOSSES, ids=lambda e: f"{e.code}-{e.output_loss}")
    def test_losses(self, entry):
        rng = np.random.RandomState(3)

        def loss(W, X, y):
            model = Model(((W, None),), X, np.eye(W.shape[1])[y], OUTPUT_LOSSES[entry.output_loss])
            return float(entry.loss(model.terms_of_scores(X @ W))), model.gradients()[0]

        W, X = 0.6 * rng.standard_normal((6, 5)), rng.standard_normal((29, 6))
        report = check_gradient(loss, W, X, rng.randint(0, 5, 29))
        assert report.verdict == "wrong"
        if "delta" in entry.message and "missing" in entry.message:
            assert report.findings[0].code == "hinge_mask_wrong"  # of a hinge with delta = 0
        else:
            assert report.findings[0].code == entry.code
            assert entry.message.split(":")[0] in report.findings[0].message

    def test_adding_one_takes_five_lines(self):
        def shifted(W, X, y):
            P = softmax(X @ W)
            T = np.eye(W.shape[1])
            value = -np.log(P[np.arange(len(y)), y]).mean()
            return value, X.T @ (P - np.roll(T, 1, axis=1)[y]) / len(y)

        snippet = textwrap.dedent(mistakes.__doc__.split("::\n\n")[1].split("\n\n")[0])
        before = check_gradient(shifted, *data())
        try:
            exec(snippet, vars(mistakes))
            after = check_gradient(shifted, *data())
        finally:
            MISTAKES[:] = [m for m in MISTAKES if "shifted by one class" not in m.message]
        assert before.findings[0].code == "unexplained"
        assert after.findings[0].code == "onehot_indexing"
        assert "shifted by one class" in after.findings[0].message
        text = (Path(__file__).parent.parent.parent / "CONTRIBUTING.md").read_text()
        assert "lambda p: (p.P - np.roll(p.T, 1, axis=1)) / p.N" in text
        assert "lambda p: (p.P - np.roll(p.T, 1, axis=1)) / p.N" in snippet


class TestDetection:
    @pytest.mark.parametrize("factor", [1e-6, -1e-6, 1e-5, 1e-3, 0.1, 1.0, 1e3])
    @pytest.mark.parametrize("loss", [svm_loss_vectorized, softmax_loss_vectorized])
    def test_scaled_errors(self, loss, factor):
        W, X, y = data()
        assert check_gradient(loss, W, X, y, 0.1)
        assert not check_gradient(changed(loss, lambda g: g * (1 + factor)), W, X, y, 0.1)

    @pytest.mark.parametrize("loss", [svm_loss_vectorized, softmax_loss_vectorized])
    def test_one_entry_of_many_by_a_thousandth(self, loss):
        W, X, y = data(200, 1000, 10, scale=0.01)
        rng = np.random.RandomState(0)
        for trial in range(10):
            i, j = rng.randint(1000), rng.randint(10)

            def off(g, i=i, j=j):
                g = g.copy()
                g[i, j] += 1e-3 * np.sqrt(np.mean(g**2))
                return g

            generator = np.random.default_rng(trial)
            report = check_gradient(changed(loss, off), W, X, y, 0.1, rng=generator)
            assert report.verdict == "wrong"
            assert report.findings[0].code == "entry_wrong"
            assert report.findings[0].where == f"entry ({i}, {j})"
            assert report.evaluations <= 80

    @pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
    def test_one_entry_of_a_net(self, name):
        params, X, y = net_data(40, 60, 30, 10)

        def off(grads):
            grads = {k: g.copy() for k, g in grads.items()}
            grads[name].flat[7] += 1e-3 * np.sqrt(np.mean(grads[name] ** 2))
            return grads

        report = check_gradient(changed(net_loss, off), params, X, y, 0.1)
        assert report.verdict == "wrong"
        assert report.findings[0].parameter == name
        shape = params[name].shape
        place = tuple(int(i) for i in np.unravel_index(7, shape))
        assert report.findings[0].where == f"entry {place if len(place) > 1 else place[0]}"

    def test_rows_and_columns_are_located(self):
        W, X, y = data(30, 300, 10, scale=0.05)

        def rows(g):
            return np.where(np.arange(300)[:, None] == 123, 0.0, g)

        def columns(g):
            return np.where(np.isin(np.arange(10), (3, 7)), 2 * g, g)

        report = check_gradient(changed(svm_loss_vectorized, rows), W, X, y, 0.1)
        assert report.findings[0].where == "row 123"
        report = check_gradient(changed(svm_loss_vectorized, columns), W, X, y, 0.1)
        assert "columns 3, 7" in report.explain()

    @pytest.mark.parametrize("seed", range(20))
    def test_exact_kinks(self, seed):
        rng = np.random.RandomState(seed)
        X, W = rng.randint(-2, 3, (11, 5)).astype(float), rng.randint(-1, 2, (5, 7)).astype(float)
        assert check_gradient(svm_loss_vectorized, W, X, rng.randint(0, 7, 11), 0.1)
        params, X, y = net_data(seed=seed)
        params = {k: np.round(2 * v) for k, v in params.items()}
        assert check_gradient(net_loss, params, np.round(X), y, 0.1)

    @pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-9, 1e-7, 1e-5, -1e-8])
    def test_near_kinks(self, distance):
        for seed in range(5):
            W, X, y = data(seed=seed)
            j = (y[0] + 1) % 4
            margin = X[0] @ W[:, j] - X[0] @ W[:, y[0]] + 1
            W[:, j] -= X[0] * (margin - distance) / (X[0] @ X[0])
            assert check_gradient(svm_loss_vectorized, W, X, y, 0.1)

    def test_a_kink_is_mentioned(self):
        report = check_gradient(lambda w: (np.abs(w).sum(), np.sign(w)), np.array([0.0, 1.0, -2.0]))
        assert report.verdict == "correct"
        report = check_gradient(lambda w: (np.abs(w).sum(), np.sign(w) + 0.5), np.zeros(3))
        assert report.verdict == "wrong"
        net = {k: np.zeros_like(v) for k, v in net_data()[0].items()}
        assert check_gradient(net_loss, net, *net_data()[1:], 0.1).verdict == "correct"
        report = check_gradient(lambda w: (np.abs(w).sum(), np.sign(w)), np.zeros(3))
        assert [f.code for f in report.cautions] == ["zero_weights"]

        def middle(w):  # wrong at the kink, on both sides
            return np.abs(w).sum(), np.where(w == 0, 0.3, np.sign(w))

        report = check_gradient(middle, np.zeros(3))
        assert report.verdict == "correct"
        assert "kink" in [f.code for f in report.cautions]

    def test_float32(self):
        W, X, y = data()
        single = [a.astype(np.float32) for a in (W, X)]
        report = check_gradient(softmax_loss_vectorized, *single, y, 0.1)
        assert report.verdict == "correct"
        assert "float32" in [f.code for f in report.cautions]

        def inside(W, X, y, reg):
            return softmax_loss_vectorized(W.astype(np.float32), X.astype(np.float32), y, reg)

        def rounded(W, X, y, reg):
            value, gradient = inside(W, X, y, reg)
            return np.float32(value), gradient

        for loss in (inside, rounded):
            assert check_gradient(loss, W, X, y, 0.1)
            assert not check_gradient(changed(loss, lambda g: 1.1 * g), W, X, y, 0.1)

    def test_costs(self):
        W, X, y = data(100, 500, 10, scale=0.01)
        counts = {100: itertools.count(), 11: itertools.count()}

        def counted(W, X, y, reg):
            next(counts[len(X)])
            return svm_loss_vectorized(W, X, y, reg)

        report = check_gradient(counted, W, X, y, 0.1)
        assert next(counts[100]) == report.evaluations <= 10
        assert next(counts[11]) == report.small_evaluations
        report = check_gradient(net_loss, *net_data(), 0.1)
        assert report.evaluations <= 20

    def test_wrong_only_at_the_point_given(self):
        # the penalty is 0 at W = 0 and so is its gradient: the second point shows that it lacks
        def no_penalty(W, X, y, reg):
            value, gradient = softmax_loss_vectorized(W, X, y, reg)
            return value, gradient - reg * W

        W, X, y = data()
        report = check_gradient(no_penalty, np.zeros_like(W), X, y, 0.1)
        assert report.verdict == "wrong"
        assert report.findings[0].code == "reg_missing"

    def test_the_same_report_each_time(self):
        W, X, y = data()
        wrong = changed(svm_loss_vectorized, lambda g: 2 * g)
        first, second = (check_gradient(wrong, W, X, y, 0.1) for _ in range(2))
        assert str(first) == str(second)
        assert first.explain() == second.explain()


class TestWaysToCall:
    def test_forms_of_functions(self):
        W, X, y = data()
        reg = 0.1

        def wrong(W, X, y, reg):
            value, gradient = svm_loss_vectorized(W, X, y, reg)
            return value, len(X) * (gradient - reg * W) + reg * W

        class Model:
            def __init__(self):
                self.X, self.y = X, y

            def cost(self, W, reg):
                return wrong(W, self.X, self.y, reg)

            def __call__(self, W):
                return wrong(W, self.X, self.y, 0.1)

        calls = [
            (wrong, (X, y, 0.1), {}),
            (wrong, (X, y), {"reg": 0.1}),
            (lambda W: wrong(W, X, y, reg), (), {}),
            (lambda W, strength=0.1: wrong(W, X, y, strength), (), {}),
            (functools.partial(wrong, X=X, y=y), (), {"reg": 0.1}),
            (Model().cost, (0.1,), {}),
            (Model(), (), {}),
        ]
        for loss, args, kwargs in calls:
            report = check_gradient(loss, W, *args, **kwargs)
            assert report.verdict == "wrong"
            assert report.findings[0].code == "scale_N", loss
            assert len(report.mistakes) == 1

    def test_scores_and_inputs(self):
        W, X, y = data()
        assert check_gradient(softmax_loss, X @ W, y)
        assert check_gradient(svm_loss, X @ W, y)
        assert check_gradient(
            lambda X: (softmax_loss(X @ W, y)[0], softmax_input_gradient(W, X, y)), X
        )
        report = check_gradient(changed(softmax_loss, lambda g: len(g) * g), X @ W, y)
        assert report.findings[0].code == "scale_N"

    def test_gradient_by_the_input(self):
        W, X, y = data()

        def wrong(factor, X, W, y):
            value, dscores = softmax_loss(X @ W, y)
            return value, factor(len(X)) * dscores @ W.T

        cases = {"scale_N": lambda n: n, "sign": lambda n: -1, "scale_half": lambda n: 0.5}
        for code, factor in cases.items():
            report = check_gradient(lambda X, f=factor: wrong(f, X, W, y), X)
            assert report.findings[0].code == code

        def transposed(X, W, y):  # unnoticed where D == C
            value, dscores = softmax_loss(X @ W, y)
            return value, dscores @ W

        assert check_gradient(transposed, X[:, :4], W[:4], y).findings[0].code == "transpose"

    def test_factors_are_named_where_the_assignment_is_not_known(self):
        A = np.random.RandomState(0).standard_normal((9, 3))
        factors = {1 / 9: "scale_inv_N", 9: "scale_N", -1: "sign", 0.5: "scale_half"}
        factors |= {0: "grad_zero", 7: "scale_const"}
        for factor, code in factors.items():

            def loss(w, A, factor=factor):
                return np.sum(np.cosh(A @ w)), factor * A.T @ np.sinh(A @ w)

            report = check_gradient(loss, np.array([0.3, -0.2, 0.5]), A)
            assert report.findings[0].code == code
            assert not [f for f in report.mistakes if f.code == "misfit"]

    def test_memory_layouts(self):
        W, X, y = data()
        for layout in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2]):
            assert check_gradient(svm_loss_vectorized, layout(W), layout(X), y, 0.1)
        for array in (W, X, y):
            array.flags.writeable = False
        assert check_gradient(svm_loss_vectorized, W, X, y, 0.1)
        assert check_gradient(svm_loss_naive, W.tolist(), X, y.tolist(), 0.1)

    def test_integer_parameters_are_raised(self):
        report = check_gradient(lambda w: (np.sum(w**2), 2 * w), np.array([1, 2, 3]))
        assert report.verdict == "correct"
        assert [f.code for f in report.cautions] == ["integer_params"]

    @pytest.mark.parametrize("value", [float, np.array, np.float64, lambda v: np.array([v]), int])
    def test_kinds_of_scalars(self, value):
        w = np.array([3.0, -1.0])
        report = check_gradient(lambda w: (value(np.sum(w**2)), 2 * w), w)
        assert report.verdict == ("inconclusive" if value is int else "correct")

    def test_parameters_of_any_number_of_axes(self):
        rng = np.random.RandomState(0)
        for shape in ((), (1,), (3, 2, 4), (1, 1)):
            w = rng.standard_normal(shape)
            assert check_gradient(lambda w: (np.sum(w**2), 2 * w), w)
            assert not check_gradient(lambda w: (np.sum(w**2), 3 * w), w)

    def test_an_empty_array_among_others(self):
        params = {"w": np.ones(3), "none": np.zeros((0, 4))}

        def loss(params):
            return np.sum(params["w"] ** 2), {"w": 2 * params["w"], "none": params["none"]}

        assert check_gradient(loss, params)


class TestNothingIsChanged:
    def test_arguments(self):
        W, X, y = data()
        before = [a.copy() for a in (W, X, y)]

        def vandal(W, X, y, extra):
            value, gradient = softmax_loss_vectorized(W, X, y, 0.1)
            W *= 2
            X[0] = 0
            y[:] = 0
            extra["list"][0] += 1
            return value, gradient

        extra = {"list": [np.zeros(2)]}
        report = check_gradient(vandal, W, X, y, extra)
        assert report.verdict == "wrong"
        assert {f.code for f in report.mistakes} == {"mutates_input"}
        assert len(report.mistakes) == 4
        assert "W" not in str(report.findings[0].parameter)
        for array, copy in zip((W, X, y), before, strict=True):
            np.testing.assert_array_equal(array, copy)
        assert not extra["list"][0].any()

    def test_closures_globals_and_objects(self):
        W, X, y = data()
        X_before = X.copy()

        def centres(W):
            nonlocal X
            X -= X.mean(axis=0)
            return softmax_loss_vectorized(W, X, y, 0.1)

        report = check_gradient(centres, W)
        assert report.verdict == "wrong"
        assert report.findings[0].code == "mutates_input"
        np.testing.assert_array_equal(X, X_before)

        history, cache = [], {}

        def remembers(W):
            history.append(1)
            cache["W"] = W
            return softmax_loss_vectorized(W, X, y, 0.1)

        assert check_gradient(remembers, W)
        assert history == []
        assert cache == {}

    def test_a_work_space_is_no_argument(self):
        W, X, y = data()
        scores = np.zeros((len(X), W.shape[1]))

        def with_buffer(W):
            np.matmul(X, W, out=scores)
            value, dscores = softmax_loss(scores, y)
            return value, X.T @ dscores

        assert check_gradient(with_buffer, W)
        assert not scores.any()

    def test_random_generators(self):
        W, X, y = data()
        np.random.seed(3)  # noqa: NPY002
        random.seed(3)
        expected = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002

        def noisy(W):
            noise = np.random.standard_normal(X.shape) * random.random()  # noqa: NPY002
            return softmax_loss_vectorized(W, X + noise, y, 0.1)

        report = check_gradient(noisy, W)
        assert report.findings[0].code == "nondeterministic"
        assert (np.random.get_state()[1].tolist(), random.getstate()) == expected  # noqa: NPY002

    def test_generators_that_the_loss_can_reach(self):
        W, X, y = data()
        legacy, modern, passed = np.random.RandomState(1), *map(np.random.default_rng, (1, 1))

        def noisy(W, rng):
            noise = legacy.uniform() + modern.uniform() + rng.uniform()
            return softmax_loss_vectorized(W, X + noise, y, 0.1)

        assert check_gradient(noisy, W, passed).findings[0].code == "nondeterministic"
        assert legacy.uniform() == np.random.RandomState(1).uniform()
        assert modern.uniform() == passed.uniform() == np.random.default_rng(1).uniform()

    def test_what_grows_from_call_to_call(self):
        total = np.zeros(3)

        def accumulates(w):
            nonlocal total
            total = total + 2 * w
            return np.sum(w**2), total

        report = check_gradient(accumulates, np.ones(3))
        assert report.findings[0].code == "nondeterministic"
        assert not total.any()


class TestBadInput:
    def test_errors_inside_the_loss_are_passed_on_with_a_note(self):
        def broken(w):
            raise KeyError("bias")

        with pytest.raises(KeyError, match="bias") as caught:
            check_gradient(broken, np.ones(2))
        assert "evaluation 1 of check_gradient" in caught.value.__notes__[0]

        def shapes(w, X):
            return np.sum(X @ w), X.sum(axis=0)

        with pytest.raises(ValueError, match="matmul"):
            check_gradient(shapes, np.ones(2), np.ones((4, 3)))

    @pytest.mark.parametrize(
        ("loss", "params", "error", "message"),
        [
            ((1.0, 2.0), np.ones(2), TypeError, "must be a function"),
            (lambda w: np.sum(w), np.ones(2), TypeError, r"must return two things, \(value"),
            (lambda w: (w, w), np.ones(2), TypeError, "must be one real number"),
            (lambda w: (1j, w), np.ones(2), TypeError, "must be one real number"),
            (lambda w: (1.0, "dW"), np.ones(2), TypeError, "must hold real numbers"),
            (lambda w: (1.0, w["a"]), {"a": np.ones(2)}, TypeError, "must have the same form"),
            (lambda w: (1.0, w), np.array([]), ValueError, "params is empty"),
            (lambda w: (1.0, w), {}, ValueError, "params is empty"),
            (lambda w: (1.0, w), np.zeros((3, 0)), ValueError, "params is empty"),
            (lambda w: (1.0, w), np.array(["a"]), TypeError, "must hold real numbers"),
            (lambda w: (1.0, w), np.array([1.0, np.nan]), ValueError, r"params\[1\] = nan"),
            (lambda w: (1.0, w), {"b": np.array([np.inf])}, ValueError, r"params\['b'\]"),
        ],
    )
    def test_it_says_what_was_wrong(self, loss, params, error, message):
        with pytest.raises(error, match=message):
            check_gradient(loss, params)

    def test_rng_must_draw(self):
        with pytest.raises(TypeError, match="rng is 3"):
            check_gradient(lambda w: (np.sum(w), w), np.ones(2), rng=3)

    def test_no_classes(self):
        W, X, y = np.zeros((3, 0)), np.ones((2, 3)), np.zeros(2, int)
        with pytest.raises(ValueError, match="params is empty"):
            check_gradient(svm_loss_vectorized, W, X, y, 0.1)

    def test_loss_that_is_not_finite(self):
        def alias(W, X, y):
            P = softmax(X @ W)
            P[np.arange(len(y)), y] -= 1
            return -np.log(P[np.arange(len(y)), y]).mean(), X.T @ P / len(y)

        report = check_gradient(alias, *data())
        assert report.verdict == "wrong"
        assert report.findings[0].code == "nan_loss"

        def unshifted(W, X, y):
            P = np.exp(X @ W)
            P /= P.sum(axis=1, keepdims=True)
            T = np.eye(W.shape[1])[y]
            return -np.log(P[np.arange(len(y)), y]).mean(), X.T @ (P - T) / len(y)

        W, X, y = data()
        for scale in (1, 5000):  # harmless here, and not finite there
            report = check_gradient(unshifted, scale * W, X, y)
            assert report.verdict == "wrong"
            assert report.findings[0].code == "overflow"


class TestOddPlaces:
    """Where a correct function must not be blamed, and a wrong one not be overlooked."""

    @pytest.mark.parametrize("confidence", [5, 10, 15, 20, 25])
    def test_losses_near_zero(self, confidence):
        rng = np.random.RandomState(0)
        y = rng.randint(0, 4, 20)
        X = np.eye(4)[y] + 0.01 * rng.standard_normal((20, 4))
        W = confidence * np.eye(4) + 0.1 * rng.standard_normal((4, 4))
        report = check_gradient(softmax_loss_vectorized, W, X, y)
        assert report.verdict == "correct"
        assert "float32" not in [f.code for f in report.cautions]
        wrong = changed(softmax_loss_vectorized, lambda g: 1.001 * g)
        assert check_gradient(wrong, W, X, y).verdict == "wrong"

    @pytest.mark.parametrize("names", ["wb", "bw"])
    def test_a_kink_in_one_array_hides_no_error_in_another(self, names):
        def loss(p):
            w, b = p["w"], p["b"]
            gradient = {"w": np.where(w == 0, 0.3, np.sign(w)), "b": 3 * b}
            return np.abs(w).sum() + (b**2).sum(), {k: gradient[k] for k in p}

        start = {"w": np.zeros(3), "b": np.ones(3)}
        report = check_gradient(loss, {k: start[k] for k in names})
        assert report.verdict == "wrong"

    def test_losses_that_are_not_defined_everywhere(self):
        W, X, y = data()

        def guarded(W, X, y, reg):
            if reg <= 0 or not W.any() or abs(X @ W).max() > 100 or len(X) != 23:
                raise ValueError("not here")
            return softmax_loss_vectorized(W, X, y, reg)

        def determinant(S):
            np.linalg.cholesky(S)  # raises where S is not positive definite
            return np.linalg.slogdet(S)[1], np.linalg.inv(S).T

        assert check_gradient(guarded, W, X, y, 0.1)
        assert check_gradient(determinant, np.eye(3) + 0.1)

    @pytest.mark.parametrize(
        "argument",
        [[[1, 2], [3]], [1, np.ones(2)], {"a": {}}, np.array([np.nan + 0j]), np.array([None, 1.0]),
         np.array(["NaT"], "datetime64[s]"), np.arange(6.0).reshape(6, 1), object(), range(3)],
    )  # fmt: skip
    def test_arguments_of_any_kind(self, argument):
        assert check_gradient(lambda w, _: (np.sum(w**2), 2 * w), np.ones(3), argument)

    def test_keys_of_any_kind(self):
        params = {0: np.ones(2), ("a", 1): np.ones(3)}
        assert check_gradient(lambda p: (sum((v**2).sum() for v in p.values()),
                                         {k: 2 * v for k, v in p.items()}), params)  # fmt: skip
        report = check_gradient(lambda p: (np.sum(p[0] ** 2), {0: p[0]}), {0: np.ones(2)})
        assert "0: " in str(report)

    def test_objects_that_the_loss_changes(self):
        class Net:
            def __init__(self):
                self.params = {"W": np.ones(3)}
                self.calls = [0]
                self.rng = random.Random(1)

            def loss(self, w, other):
                self.params["W"] += 1
                self.calls[0] += 1
                self.rng.random()
                other.params["W"] *= 2
                Net.latest = w
                loss.calls = getattr(loss, "calls", 0) + 1
                return np.sum(w**2), 2 * w

        net, other = Net(), Net()

        def loss(w, other):
            return net.loss(w, other)

        assert check_gradient(loss, np.ones(3), other)
        np.testing.assert_array_equal(net.params["W"], np.ones(3))
        np.testing.assert_array_equal(other.params["W"], np.ones(3))
        assert net.calls == [0]
        assert net.rng.random() == random.Random(1).random()
        assert not hasattr(loss, "calls")

    def test_a_long_list_is_not_walked_through(self):
        history = [0.5] * 2_000_000

        def loss(w):
            return np.sum(w**2) + 0 * history[0], 2 * w

        assert check_gradient(loss, np.ones(3))

    def test_eps_inside_the_logarithm(self):
        def guarded(W, X, y):
            P = softmax(X @ W)
            T = np.eye(W.shape[1])[y]
            return -np.log((P * T).sum(axis=1) + 1e-8).mean(), X.T @ (P - T) / len(y)

        report = check_gradient(guarded, *data())
        assert report.verdict == "correct"
        assert "eps_in_log" in [f.code for f in report.cautions]

    def test_a_forgotten_unpacking(self):
        w = np.ones(3)
        with pytest.raises(TypeError, match="must return two things"):
            check_gradient(lambda w: (1.0, w, 0.5), w)
        with pytest.raises(TypeError, match="exchange the two"):
            check_gradient(lambda w: (w, 1.0), w)
        with pytest.raises(TypeError, match=r"pass \{'W1': W1"):
            check_gradient(lambda p: (1.0, p), [w, w])
        with pytest.raises(TypeError, match="params must be a dict with the same keys"):
            check_gradient(lambda w: (1.0, {"w": w}), w)

    @pytest.mark.parametrize("params", [3.0, {"w": np.ones(2), "b": 0.5, "none": np.ones((0, 2))}])
    def test_pictures_of_single_numbers(self, params):
        def loss(p):
            if isinstance(p, dict):
                return sum(np.sum(v**2) for v in p.values()), {k: 2 * v for k, v in p.items()}
            return p**2, 2 * p

        assert isinstance(check_gradient(loss, params).plot(), Figure)


class TestCautions:
    def codes(self, *args, **kwargs):
        report = check_gradient(*args, **kwargs)
        assert report.verdict == "correct"
        return [f.code for f in report.cautions]

    def test_of_the_data(self):
        W, X, y = data()
        assert self.codes(softmax_loss_vectorized, W, X, y, 0.1) == []
        assert self.codes(softmax_loss_vectorized, W, X, y, 0.0) == ["small_penalty"]
        assert self.codes(softmax_loss_vectorized, W, X, y, 5e-6) == ["small_penalty"]
        assert self.codes(softmax_loss_vectorized, 0 * W, X, y, 0.1) == ["zero_weights"]
        assert self.codes(softmax_loss_vectorized, *data(5, 4, 4), 0.1) == ["equal_sizes"]
        assert self.codes(softmax_loss_vectorized, *data(4, 5, 4), 0.1) == ["equal_sizes"]

    def test_sums_for_means(self):
        def summed(S, y):
            value, gradient = softmax_loss(S, y)
            return value * len(S), gradient * len(S)

        W, X, y = data()
        assert self.codes(summed, X @ W, y) == ["loss_value"]

    def test_what_the_data_hide_is_found_on_other_data(self):
        def no_penalty(W, X, y, reg):
            value, gradient = softmax_loss_vectorized(W, X, y, reg)
            return value, gradient - reg * W

        W, X, y = data()
        report = check_gradient(no_penalty, W, X, y, 0.0)
        assert report.verdict == "inconclusive"
        assert not report
        assert report.findings[0].code == "reg_missing"
        assert "reg = 0.1" in report.reason


class TestReport:
    def wrong(self):
        return check_gradient(
            changed(net_loss, lambda g: {**g, "W2": 2 * g["W2"]}), *net_data(), 0.1
        )

    def test_words(self):
        report = self.wrong()
        assert isinstance(report, GradientReport)
        assert str(report).startswith(
            "The gradient is wrong (relative error 0.5).\n1. W2: It is 2 "
        )
        assert str(report).endswith("[scale_const]")
        assert repr(report) == "<GradientReport wrong: scale_const>"
        twice = changed(net_loss, lambda g: {**g, "W1": 2 * g["W1"], "b2": 2 * g["b2"]})
        report = check_gradient(twice, *net_data(), 0.1)
        assert repr(report) == "<GradientReport wrong: scale_const>"
        assert str(report).splitlines()[1].startswith("1. W1, b2: It is 2 times ")
        right = check_gradient(net_loss, *net_data(), 0.1)
        assert str(right) == "The gradient is correct (relative error below 1e-7)."
        assert repr(right) == "<GradientReport correct>"
        assert 0 <= right.max_relative_error < 1e-7
        np.testing.assert_allclose(self.wrong().max_relative_error, 0.5, atol=0.02)

    def test_lines_fit_the_screen(self):
        for text in (str(self.wrong()), self.wrong().explain()):
            assert max(map(len, text.splitlines())) <= 96

    def test_html(self):
        html = self.wrong()._repr_html_()
        assert "<td style='text-align:left'>W2</td>" in html
        assert "<code>scale_const</code>" in html
        assert html.count("<tr>") == html.count("</tr>") == 2
        html = Finding("code", "use `a < b` here").as_caution()
        report = GradientReport("correct", (html,), 9, 0.0)
        assert "use <code>a &lt; b</code> here" in report._repr_html_()
        assert "<table" not in check_gradient(net_loss, *net_data(), 0.1)._repr_html_()

        def named(params):
            return np.sum(params["<b>"] ** 2), {"<b>": params["<b>"]}

        html = check_gradient(named, {"<b>": np.ones(2)})._repr_html_()
        assert "&lt;b&gt;" in html
        assert "<b></td>" not in html

    def test_raise_if_wrong(self):
        check_gradient(net_loss, *net_data(), 0.1).raise_if_wrong()
        with pytest.raises(WrongGradientError, match="W2: It is 2 times") as caught:
            self.wrong().raise_if_wrong()
        assert caught.value.report.verdict == "wrong"

    def test_explain_has_the_figures(self):
        report = self.wrong()
        text = report.explain()
        assert "W2: everywhere" in text
        assert "softmax cross-entropy, hidden ReLU" in text
        assert len(report.steps) >= 5

    def test_plot(self):
        params, X, y = net_data()
        report = self.wrong()
        figure = report.plot()
        assert isinstance(figure, Figure)
        scatter, steps, *images = figure.axes[:6]
        lines = {line.get_label(): line for line in scatter.lines}
        _, gradient = net_loss(params, X, y, 0.1)
        for name in params:
            numerical, analytic = (np.asarray(a) for a in lines[name].get_data())
            exact = gradient[name].ravel()
            np.testing.assert_allclose(numerical, exact, atol=1e-8)
            np.testing.assert_allclose(analytic, 2 * exact if name == "W2" else exact, atol=1e-12)
        assert len(steps.lines[0].get_xdata()) == 11
        assert steps.get_xscale() == steps.get_yscale() == "log"
        largest = max(np.abs(g).max() for g in gradient.values())
        for name, ax in zip(params, images, strict=True):
            image = ax.images[0]
            expected = np.abs(gradient[name]) / largest if name == "W2" else 0 * gradient[name]
            np.testing.assert_allclose(
                image.get_array(), np.atleast_2d(expected), atol=1e-6 * expected.max() + 1e-9
            )
            assert image.get_clim() == images[0].images[0].get_clim()
            assert image.get_clim()[0] == 0
            assert str(params[name].shape) in ax.get_title()
        assert report.evaluations == self.wrong().evaluations

    def test_plot_of_many_entries_is_quick_and_changes_nothing(self):
        W, X, y = data(50, 300, 10, scale=0.05)
        calls, seen = itertools.count(), []

        def counted(W, X, y, reg):
            next(calls)
            seen.append(W)
            return svm_loss_vectorized(W, X, y, reg)

        report = check_gradient(counted, W, X, y, 0.1)
        before = next(calls)
        figure = report.plot()
        assert next(calls) - before < 400
        assert seen == []
        assert figure.axes[2].images[0].get_array().shape == (8, 8)

    @pytest.mark.parametrize("delta", [0.3, 0.7, 0.9, 1.0, 1.3])
    def test_a_margin_that_cannot_be_seen_from_outside_is_no_offset(self, delta):
        rng = np.random.RandomState(231)
        W, X = rng.standard_normal((5, 4)), rng.standard_normal((7, 5))
        y = np.array([0, 3, 3, 1, 3, 2, 1])

        def by_input(X):
            loss = svm_loss(X @ W, y, delta=delta)[0]
            return loss, svm_input_gradient(W, X, y, delta=delta)

        def counted(X):  # max(0, delta) at the correct class, too
            loss = svm_loss(X @ W, y, delta=delta)[0] + delta
            return loss, svm_input_gradient(W, X, y, delta=delta)

        assert check_gradient(by_input, X).verdict == "correct"
        assert [f.code for f in check_gradient(counted, X).findings] == ["loss_offset"]

    def test_plot_of_nothing(self):
        report = check_gradient(lambda w: (1.0, np.ones(3)), np.ones(2))
        with pytest.raises(ValueError, match="nothing to draw"):
            report.plot()

    def test_it_is_silent(self, capfd):
        self.wrong()
        assert capfd.readouterr() == ("", "")

    def test_signature(self):
        parameters = inspect.signature(check_gradient).parameters
        assert list(parameters) == ["loss", "params", "args", "rng", "kwargs"]
