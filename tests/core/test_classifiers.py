"""Models and their training, step by step against recomputation, and the published oracle."""

from __future__ import annotations

import io
import re
import tracemalloc

import numpy as np
import pytest

from cs231n_helpers import (
    LinearClassifier,
    LinearSVM,
    NotFiniteError,
    Softmax,
    TwoLayerNet,
    eval_numerical_gradient,
    progress,
    rel_error,
    softmax_loss,
    softmax_loss_vectorized,
    svm_loss_vectorized,
    validation,
)


def blobs(num_examples=60, num_features=4, num_classes=3, seed=0, dtype=np.float64):
    rng = np.random.RandomState(seed)
    y = np.arange(num_examples) % num_classes
    centers = 3 * rng.standard_normal((num_classes, num_features))
    X = (centers[y] + rng.standard_normal((num_examples, num_features))).astype(dtype)
    return X, y


class TestLinearTraining:
    @pytest.mark.parametrize("model", [LinearSVM, Softmax])
    def test_it_learns(self, model):
        X, y = blobs()
        classifier = model()
        losses = classifier.train(X, y, learning_rate=0.05, num_iters=200, batch_size=20)
        assert len(losses) == 200
        assert all(type(loss) is float for loss in losses)
        assert np.mean(losses[-20:]) < 0.2 * losses[0]
        assert np.mean(classifier.predict(X) == y) > 0.95

    @pytest.mark.parametrize(
        ("model", "loss"), [(LinearSVM, svm_loss_vectorized), (Softmax, softmax_loss_vectorized)]
    )
    @pytest.mark.parametrize("make_rng", [np.random.RandomState, np.random.default_rng])
    def test_each_step(self, model, loss, make_rng):
        X, y = blobs()
        classifier = model()
        losses = classifier.train(
            X, y, learning_rate=0.1, reg=0.2, num_iters=5, batch_size=7, rng=make_rng(5)
        )
        rng = make_rng(5)
        W = 0.001 * rng.standard_normal((4, 3))
        for got in losses:
            rows = rng.choice(60, 7)
            expected, dW = loss(W, X[rows], y[rows], 0.2)
            assert got == expected
            W = W - 0.1 * dW
        np.testing.assert_array_equal(classifier.W, W)

    def test_conventions_reach_the_loss(self):
        X, y = blobs()
        svm, softmax = LinearSVM(delta=2.0, reg_scale=1.0), Softmax(reg_scale=1.0)
        svm.W = softmax.W = W = np.random.RandomState(0).standard_normal((4, 3))
        value, dW = svm_loss_vectorized(W, X, y, 0.3, delta=2.0, reg_scale=1.0)
        assert svm.loss(X, y, 0.3)[0] == value
        np.testing.assert_array_equal(svm.loss(X, y, 0.3)[1], dW)
        assert softmax.loss(X, y, 0.3)[0] == softmax_loss_vectorized(W, X, y, 0.3, reg_scale=1.0)[0]

    def test_a_second_call_goes_on(self):
        X, y = blobs()
        classifier = Softmax()
        first = classifier.train(X, y, num_iters=50, learning_rate=0.05)
        second = classifier.train(X, y, num_iters=50, learning_rate=0.05)
        assert second[0] < first[0] / 2

    def test_weights_kept_by_the_caller_do_not_move(self):
        classifier = Softmax()
        classifier.W = kept = np.eye(4, 3, order="F")  # which needs no copy
        classifier.train(*blobs(), num_iters=3)
        np.testing.assert_array_equal(kept, np.eye(4, 3))

    def test_a_loss_of_one_s_own(self):
        def squared(W, X, y, reg):
            difference = X @ W - np.eye(3)[y]
            return (difference**2).mean(), 2 * X.T @ difference / difference.size + reg * W

        X, y = blobs()
        classifier = LinearClassifier(squared)
        classifier.train(X, y, learning_rate=0.05, num_iters=300)
        assert np.mean(classifier.predict(X) == y) > 0.9

    def test_predict_by_hand(self):
        classifier = Softmax()
        classifier.W = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, -3.0]])
        np.testing.assert_array_equal(classifier.predict([[3, 1], [1, 1], [0, -1]]), [0, 1, 2])

    def test_types(self):
        X, y = blobs(dtype=np.float32)
        classifier = LinearSVM()
        classifier.train(X, y, num_iters=3)
        assert classifier.W.dtype == np.float32
        images = LinearSVM()
        images.train(np.full((3, 4), 200, np.uint8), [0, 1, 2], 1e-6, num_iters=3)
        assert images.W.dtype == np.float64
        assert images.predict(np.full((3, 4), 200, np.uint8)).shape == (3,)

    def test_verbose(self, capsys):
        Softmax().train(*blobs(), num_iters=101, verbose=True)
        lines = r"iteration 0 / 101: loss [\d.]+\niteration 100 / 101: loss [\d.]+\n"
        assert re.fullmatch(lines, capsys.readouterr().out)
        Softmax().train(*blobs(), num_iters=2)
        assert capsys.readouterr().out == ""

    def test_the_global_generator_is_left_alone(self):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        Softmax().train(*blobs(), num_iters=2)
        TwoLayerNet(4, 5, 3).train(*blobs(), *blobs(), num_iters=2)
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


class TestLargerThanMemory:
    """Training and predicting read a file in pieces, whatever its dtype and layout."""

    @pytest.mark.parametrize("dtype", [np.uint8, np.float32])
    @pytest.mark.parametrize("kind", ["linear", "net"])
    def test_memory_does_not_grow_with_the_data(self, kind, dtype, monkeypatch, tmp_path):
        monkeypatch.setattr(validation, "BLOCK_BYTES", 10_000)
        settings = {"learning_rate": 1e-5, "num_iters": 3, "batch_size": 20}
        peaks = []
        for num_examples in (2_000, 20_000):
            X = np.memmap(tmp_path / f"{num_examples}", dtype, "w+", shape=(num_examples, 200))
            X[:] = np.random.RandomState(0).randint(0, 9, X.shape)
            y = (np.arange(num_examples) % 3).astype(np.uint8)
            tracemalloc.start()
            if kind == "linear":
                model = Softmax()
                model.train(X, y, **settings)
                model.predict(X)
            else:
                TwoLayerNet(200, 4, 3).train(X, y, X, y, **settings)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            peaks.append(peak - 4 * 8 * num_examples)  # labels and classes are intp
        assert peaks[1] < 1.2 * peaks[0] < X.nbytes / 2

    @pytest.mark.parametrize("model", [LinearSVM(), TwoLayerNet(4, 6, 3, std=0.5)])
    def test_predicting_in_blocks(self, model, monkeypatch):
        X, _ = blobs(150)
        model.W = np.random.RandomState(1).standard_normal((4, 3))
        whole = model.predict(X)
        assert len(set(whole)) > 1
        monkeypatch.setattr(validation, "BLOCK_BYTES", 1)
        np.testing.assert_array_equal(model.predict(X), whole)
        np.testing.assert_array_equal(model.predict(X[:64]), whole[:64])


BAD_SETTINGS = [
    ({"learning_rate": -1}, "learning_rate = -1, but it must be a finite number >= 0"),
    ({"reg": -1}, "reg = -1, but"),
    ({"num_iters": 0}, "num_iters = 0, but it must be an integer >= 1"),
    ({"num_iters": 2.5}, "num_iters = 2.5, but .* divide with //"),
    ({"batch_size": True}, "batch_size = True, but"),
    ({"rng": 7}, r"rng is 7, but .* pass np.random.default_rng\(seed\)"),
]


class TestLinearErrors:
    X, y = blobs()

    @pytest.mark.parametrize(("settings", "text"), BAD_SETTINGS)
    def test_settings(self, settings, text):
        model = Softmax()
        with pytest.raises((ValueError, TypeError), match=text):
            model.train(self.X, self.y, **settings)
        assert model.W is None

    def test_data(self):
        X = self.X.copy()
        X[50, 2] = np.nan
        model = Softmax()
        with pytest.raises(NotFiniteError, match=r"X\[50, 2\] = nan"):
            model.train(X, self.y, batch_size=1, num_iters=1)
        assert model.W is None
        with pytest.raises(ValueError, match=r"X has shape \(60, 2, 2\)"):
            model.train(self.X.reshape(60, 2, 2), self.y)
        with pytest.raises(TypeError, match="y has dtype float64"):
            model.train(self.X, self.y * 1.0)
        with pytest.raises(ValueError, match="y has 59 labels and X has 60 rows"):
            model.train(self.X, self.y[1:])

    def test_other_data_than_before(self):
        model = Softmax()
        model.train(self.X, self.y, num_iters=1)
        with pytest.raises(ValueError, match="X has 3 columns and W has 4 rows"):
            model.train(self.X[:, :3], self.y)
        with pytest.raises(ValueError, match=r"y\[2\] = 5 is not a valid label: W has 3 columns"):
            model.train(self.X, np.where(self.y == 2, 5, self.y))
        with pytest.raises(ValueError, match="X has 3 columns and W has 4 rows"):
            model.predict(self.X[:, :3])

    @pytest.mark.parametrize("use", [lambda m, X, y: m.predict(X), lambda m, X, y: m.loss(X, y, 0)])
    def test_before_training(self, use):
        with pytest.raises(ValueError, match="the model has no weights yet: call train first"):
            use(LinearSVM(), self.X, self.y)

    @pytest.mark.filterwarnings("ignore:the loss has grown")
    def test_divergence_names_the_iteration_and_keeps_finite_weights(self):
        model = LinearSVM()
        text = r"training diverged at iteration \d+ \(loss before: \S+\): .* ten times smaller"
        with pytest.raises(NotFiniteError, match=text) as error:
            model.train(self.X, self.y, learning_rate=1e60, reg=1.0, num_iters=100)
        assert f"at iteration {error.value.iteration} (" in str(error.value)
        assert np.isfinite(model.W).all()

    def test_own_loss_that_is_wrong(self):
        with pytest.raises(TypeError, match=r"loss_function is 'svm', but it must be a function"):
            LinearClassifier("svm")
        nan = LinearClassifier(lambda W, X, y, reg: (np.nan, W))
        with pytest.raises(NotFiniteError, match=r"diverged at iteration 0 .*the loss is nan"):
            nan.train(self.X, self.y)
        transposed = LinearClassifier(lambda W, X, y, reg: (1.0, W.T))
        text = r"gradient of shape \(3, 4\), but it must be like W, \(4, 3\)"
        with pytest.raises(ValueError, match=text):
            transposed.train(self.X, self.y)


ORACLE_SCORES = [
    [-0.81233741, -1.27654624, -0.70335995],
    [-0.17129677, -1.18803311, -0.47310444],
    [-0.51590475, -1.01354314, -0.8504215],
    [-0.15419291, -0.48629638, -0.52901952],
    [-0.00618733, -0.12435261, -0.15226949],
]


def toy():
    net = TwoLayerNet(4, 10, 3, std=1e-1, rng=np.random.RandomState(0))
    return net, 10 * np.random.RandomState(1).randn(5, 4), np.array([0, 1, 2, 2, 1])


class TestPublishedOracle:
    def test_scores(self):
        net, X, _ = toy()
        np.testing.assert_allclose(net.loss(X), ORACLE_SCORES, atol=5e-9)

    def test_loss_in_both_conventions(self):
        net, X, y = toy()
        assert net.loss(X, y, 0.1)[0] == pytest.approx(1.30378789133, abs=5e-12)
        assert net.loss(X, y, 0.05, reg_scale=1.0)[0] == pytest.approx(1.30378789133, abs=5e-12)

    def test_training(self):
        net, X, y = toy()
        history = net.train(X, y, X, y, learning_rate=1e-1, reg=5e-6, num_iters=100)
        assert history["loss_history"][-1] < 0.02
        assert history["train_acc_history"][-1] == history["val_acc_history"][-1] == 1.0


class TestNet:
    def test_forward_by_hand(self):
        net = TwoLayerNet(2, 2, 2)
        net.params = {
            "W1": np.array([[1.0, -1.0], [2.0, 0.0]]), "b1": np.array([0.0, 1.0]),
            "W2": np.array([[1.0, 0.0], [3.0, -2.0]]), "b2": np.array([0.5, 0.0]),
        }  # fmt: skip
        # hidden: relu(3, 0) and relu(-1, 2)
        np.testing.assert_array_equal(net.loss([[1, 1], [-1, 0]]), [[3.5, 0.0], [6.5, -4.0]])
        np.testing.assert_array_equal(net.predict([[1, 1], [-1, 0]]), [0, 0])

    def test_first_parameters(self):
        net = TwoLayerNet(3, 4, 2, std=0.5, rng=np.random.RandomState(3))
        rng = np.random.RandomState(3)
        np.testing.assert_array_equal(net.params["W1"], 0.5 * rng.randn(3, 4))
        np.testing.assert_array_equal(net.params["W2"], 0.5 * rng.randn(4, 2))
        assert net.params["b1"].tolist() == [0] * 4
        assert net.params["b2"].tolist() == [0] * 2
        assert TwoLayerNet(9, 9, 9).params["W1"].std() == pytest.approx(1e-4, rel=0.2)

    @pytest.mark.parametrize("reg_scale", [0.5, 1.0])
    def test_gradients(self, reg_scale):
        net, X, y = toy()
        net.params = {k: p + 0.05 for k, p in net.params.items()}
        _, grads = net.loss(X, y, 0.3, reg_scale=reg_scale)
        assert list(grads) == ["W1", "b1", "W2", "b2"]
        for name in grads:
            numerical = eval_numerical_gradient(
                lambda _: net.loss(X, y, 0.3, reg_scale=reg_scale)[0], net.params[name]
            )
            assert grads[name].shape == net.params[name].shape
            assert rel_error(numerical, grads[name]) < 1e-6

    def test_penalty_is_on_the_weights_alone(self):
        net, X, y = toy()
        net.params["b1"] = net.params["b1"] + 1.0
        squares = sum((net.params[k] ** 2).sum() for k in ("W1", "W2"))
        bare, dbare = net.loss(X, y)
        assert bare == pytest.approx(softmax_loss(net.loss(X), y)[0])
        value, grads = net.loss(X, y, 2.0)
        assert value - bare == pytest.approx(squares)
        np.testing.assert_array_equal(grads["b1"], dbare["b1"])
        np.testing.assert_allclose(grads["W1"] - dbare["W1"], 2 * net.params["W1"])

    def test_a_unit_at_exactly_zero_passes_nothing_back(self):
        net = TwoLayerNet(2, 3, 2, std=0.0)
        net.params["W2"] = np.ones((3, 2)) * [1.0, -1.0]
        _, grads = net.loss([[1.0, 2.0]], [0])
        np.testing.assert_array_equal(grads["b1"], 0)

    def test_a_second_call_gives_the_same_and_changes_nothing(self):
        net, X, y = toy()
        before = {k: p.copy() for k, p in net.params.items()}, X.copy(), y.copy()
        first, second = net.loss(X, y, 0.1), net.loss(X, y, 0.1)
        assert first[0] == second[0]
        for k in before[0]:
            np.testing.assert_array_equal(first[1][k], second[1][k])
            np.testing.assert_array_equal(net.params[k], before[0][k])
        np.testing.assert_array_equal(X, before[1])

    def test_float32(self):
        net = TwoLayerNet(4, 5, 3, dtype=np.float32)
        X, y = blobs(dtype=np.float32)
        assert net.loss(X).dtype == np.float32
        assert {g.dtype for g in net.loss(X, y, 0.1)[1].values()} == {np.dtype(np.float32)}
        net.train(X, y, X, y, num_iters=2)
        assert {p.dtype for p in net.params.values()} == {np.dtype(np.float32)}

    def test_images(self):
        net = TwoLayerNet(4, 5, 3, std=0.1)
        images, y = np.full((6, 4), 200, np.uint8), [0, 1, 2] * 2
        assert net.loss(images, y)[0] == net.loss(images.astype(float), y)[0]


class TestNetTraining:
    def test_each_step(self):
        X, y = blobs()
        X_val, y_val = blobs(21, seed=1)
        net = TwoLayerNet(4, 6, 3, std=0.1, rng=np.random.RandomState(2))
        twin = TwoLayerNet(4, 6, 3, std=0.1, rng=np.random.RandomState(2))
        history = net.train(
            X, y, X_val, y_val, learning_rate=0.2, learning_rate_decay=0.5, reg=0.1,
            num_iters=8, batch_size=25, rng=np.random.RandomState(9),
        )  # fmt: skip
        rng = np.random.RandomState(9)
        rate, train, val = 0.2, [], []
        for step in range(1, 9):  # an epoch is 60 // 25 = 2 steps
            rows = rng.choice(60, 25)
            loss, grads = twin.loss(X[rows], y[rows], 0.1)
            assert history["loss_history"][step - 1] == loss
            twin.params = {k: p - rate * grads[k] for k, p in twin.params.items()}
            if step % 2 == 0:
                rate *= 0.5
                train.append(np.mean(twin.predict(X) == y))
                val.append(np.mean(twin.predict(X_val) == y_val))
        for k, p in net.params.items():
            np.testing.assert_array_equal(p, twin.params[k])
        assert history["train_acc_history"] == train
        assert history["val_acc_history"] == val
        assert list(history) == ["loss_history", "train_acc_history", "val_acc_history"]

    @pytest.mark.parametrize(("steps", "entries"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
    def test_the_end_of_training_counts_as_the_end_of_an_epoch(self, steps, entries):
        X, y = blobs()
        history = TwoLayerNet(4, 6, 3).train(X, y, X, y, num_iters=steps, batch_size=30)
        assert len(history["loss_history"]) == steps
        assert len(history["train_acc_history"]) == len(history["val_acc_history"]) == entries

    def test_training_accuracy_is_on_a_fixed_spread_sample(self):
        # sorted by class: the first 1,000 would be one class only
        y = np.repeat([0, 1], 1500)
        X = np.where(y == 1, 1.0, -1.0)[:, np.newaxis]
        net = TwoLayerNet(1, 2, 2)
        net.params["b2"] = np.array([5.0, 0.0])
        history = net.train(X, y, X, y, learning_rate=0.0, num_iters=1)
        assert history["train_acc_history"] == [0.5]

    def test_parameters_kept_by_the_caller_do_not_move(self):
        X, y = blobs()
        net = TwoLayerNet(4, 6, 3, std=0.1)
        for _ in range(2):
            kept = dict(net.params)
            before = {name: p.copy() for name, p in kept.items()}
            net.train(X, y, X, y, learning_rate=0.1, num_iters=3)
            for name, p in before.items():
                np.testing.assert_array_equal(kept[name], p)
                assert not np.array_equal(net.params[name], p)

    def test_a_loss_of_one_s_own_is_honored_and_its_nan_changes_nothing(self):
        class Own(TwoLayerNet):
            calls = 0

            def loss(self, X, y=None, reg=0.0, **settings):
                if y is None:
                    return super().loss(X)
                self.calls += 1
                value, grads = super().loss(X, y, reg, **settings)
                return (value if self.calls < 3 else np.nan), grads

        X, y = blobs()
        own, twin = Own(4, 6, 3, std=0.1), TwoLayerNet(4, 6, 3, std=0.1)
        with pytest.raises(NotFiniteError, match=r"diverged at iteration 2 .*the loss is nan"):
            own.train(X, y, X, y, learning_rate=0.1, num_iters=9)
        twin.train(X, y, X, y, learning_rate=0.1, num_iters=2)
        for name, p in twin.params.items():
            np.testing.assert_array_equal(own.params[name], p)

    def test_divergence(self):
        X, y = blobs()
        net = TwoLayerNet(4, 6, 3, std=0.1)
        with pytest.raises(NotFiniteError, match=r"training diverged at iteration \d+ "):
            net.train(X, y, X, y, learning_rate=1e200, num_iters=50)


class TestNetErrors:
    X, y = blobs()

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ((0, 5, 3), "input_size = 0, but it must be an integer >= 1"),
            ((4, 5.0, 3), "hidden_size = 5.0"),
            ((4, 5, -3), "output_size = -3"),
            ((4, 5, 3, -1), "std = -1"),
        ],
    )
    def test_construction(self, settings, text):
        with pytest.raises(ValueError, match=text):
            TwoLayerNet(*settings)
        with pytest.raises(TypeError, match="rng is 3"):
            TwoLayerNet(4, 5, 3, rng=3)

    @pytest.mark.parametrize(
        ("case", "text"),
        [
            ((X[:, :3], y), "X has 3 columns and W1 has 4 rows, .* may lack its bias column"),
            ((np.c_[X, X[:, :1]], y), "a bias column of ones too many"),
            ((X[0],), r"X has shape \(4,\)"),
            ((X, y - 1), r"y\[0\] = -1 is not a valid label"),
            ((X, y + 1), r"y\[2\] = 3 is not a valid label: W2 has 3 columns"),
            ((X, y[:-1]), "y has 59 labels"),
            ((X, y, -1), "reg = -1"),
            ((X[:0], y[:0]), "is empty"),
        ],
    )
    def test_loss(self, case, text):
        with pytest.raises(ValueError, match=text):
            TwoLayerNet(4, 5, 3).loss(*case)

    def test_not_finite(self):
        net = TwoLayerNet(4, 5, 3, std=1.0)
        X = self.X.copy()
        X[3, 1] = np.inf
        with pytest.raises(NotFiniteError, match=r"X\[3, 1\] = inf"):
            net.loss(X, self.y)
        with pytest.raises(NotFiniteError, match=r"X_val\[3, 1\] = inf"):
            net.train(self.X, self.y, X, self.y)
        net.params["W2"][1, 2] = np.nan
        with pytest.raises(NotFiniteError, match=r"W2\[1, 2\] = nan"):
            net.loss(self.X, self.y)

    @pytest.mark.parametrize(
        ("settings", "text"),
        [*BAD_SETTINGS, ({"learning_rate_decay": np.nan}, "learning_rate_decay = nan")],
    )
    def test_training(self, settings, text):
        with pytest.raises((ValueError, TypeError), match=text):
            TwoLayerNet(4, 5, 3).train(self.X, self.y, self.X, self.y, **settings)

    def test_validation_data_is_named(self):
        net = TwoLayerNet(4, 5, 3)
        with pytest.raises(ValueError, match="y_val has 59 labels and X_val has 60 rows"):
            net.train(self.X, self.y, self.X, self.y[1:])
        with pytest.raises(ValueError, match=r"y_val\[2\] = 3 is not a valid label"):
            net.train(self.X, self.y, self.X, self.y + 1)
        with pytest.raises(ValueError, match=r"y\[2\] = 3 is not a valid label"):
            net.train(self.X, self.y + 1, self.X, self.y)
        with pytest.raises(ValueError, match="X_val has 3 columns"):
            net.train(self.X, self.y, self.X[:, :3], self.y)


class TestProgress:
    @pytest.fixture
    def bar(self, monkeypatch):
        def make(**environment):
            for name in ("PYTEST_CURRENT_TEST", "CS231N_PROGRESS"):
                monkeypatch.delenv(name, raising=False)
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            return progress(range(3), "counting")

        return make

    @pytest.mark.parametrize("environment", [{}, {"CS231N_PROGRESS": "1"}])
    def test_where_somebody_watches(self, bar, monkeypatch, environment):
        class Screen(io.StringIO):
            def isatty(self):
                return True

        monkeypatch.setattr("sys.stderr", Screen())
        shown = bar(**environment)
        assert (shown.desc, shown.delay, shown.leave) == ("counting", 1, False)
        assert not shown.disable
        assert list(shown) == [0, 1, 2]

    @pytest.mark.parametrize("name", ["PYTEST_CURRENT_TEST", "CS231N_PROGRESS"])
    def test_silent_under_nbval_and_on_request(self, bar, name):
        assert bar(**{name: "0"}) == range(3)

    def test_nothing_is_written_without_a_terminal(self, bar, capfd):
        assert list(bar()) == [0, 1, 2]
        assert capfd.readouterr() == ("", "")


def test_a_loss_may_be_an_object_that_has_no_hash():
    class Loss:
        __hash__ = None

        def __call__(self, W, X, y, reg):
            assert isinstance(X, np.ndarray)
            return svm_loss_vectorized(W, X, y, reg)

    X, y = np.eye(3), np.arange(3)
    losses = LinearClassifier(Loss()).train(X, y, num_iters=2)
    assert losses == LinearClassifier(svm_loss_vectorized).train(X, y, num_iters=2)
