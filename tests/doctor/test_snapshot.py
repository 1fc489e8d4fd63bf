"""What the loss changes is put back."""

from __future__ import annotations

import random

import numpy as np
from loss_examples import data

from cs231n_helpers import check_gradient, softmax_loss, softmax_loss_vectorized


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

        def centers(W):
            nonlocal X
            X -= X.mean(axis=0)
            return softmax_loss_vectorized(W, X, y, 0.1)

        report = check_gradient(centers, W)
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

    def test_attributes_and_globals_that_the_loss_sets(self):
        class Net:
            params = np.zeros(3)

        net = Net()
        net.params, net.caches = np.ones(3), []
        scope = {"np": np, "net": net, "latest": None}
        exec(
            "def loss(w):\n"
            "    global latest, first\n"
            "    latest = first = net.params = w\n"
            "    net.caches, net.calls = [w], 1\n"
            "    return np.sum(w**2), 2 * w",
            scope,
        )
        before = dict(vars(net))
        assert check_gradient(scope["loss"], np.ones(3))
        assert all(vars(net)[k] is v for k, v in before.items())
        assert set(vars(net)) == set(before)
        assert scope["latest"] is None
        assert "first" not in scope

    def test_only_what_differs_is_written(self):
        class Watched(list):
            cleared = 0

            def clear(self):
                Watched.cleared += 1
                super().clear()

        kept, grown = Watched([1, [2]]), Watched()

        def loss(w):
            grown.append(kept[1])
            return np.sum(w**2), 2 * w

        assert check_gradient(loss, np.ones(3))
        assert (kept, grown, Watched.cleared) == ([1, [2]], [], 1)

    def test_objects_without_a_dict_keep_what_the_loss_does_to_them(self):
        class Counter:
            __slots__ = ("calls",)

        counter = Counter()
        counter.calls = 0

        def loss(w):
            counter.calls += 1
            return np.sum(w**2), 2 * w

        report = check_gradient(loss, np.ones(3))
        assert counter.calls == report.evaluations
