"""A wrong gradient is not overlooked, a right one not blamed, wherever it is checked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from loss_examples import changed, data, net_data, net_loss, softmax

from cs231n_helpers import check_gradient, softmax_loss_vectorized, svm_loss_vectorized


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

    def test_eps_inside_the_logarithm(self):
        def guarded(W, X, y):
            P = softmax(X @ W)
            T = np.eye(W.shape[1])[y]
            return -np.log((P * T).sum(axis=1) + 1e-8).mean(), X.T @ (P - T) / len(y)

        report = check_gradient(guarded, *data())
        assert report.verdict == "correct"
        assert "eps_in_log" in [f.code for f in report.cautions]
