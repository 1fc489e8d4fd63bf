"""The net of any depth, its trainer, and the files of parameters."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import FullyConnectedNet, NotFiniteError, Solver, check_gradient, optim
from cs231n_helpers.parameter_files import read_params, write_params

rng = np.random.default_rng(16)
Y = np.arange(60) % 3
X = rng.normal(size=(60, 2, 2)) + 4 * np.eye(4)[Y].reshape(60, 2, 2)
DATA = {"X_train": X[:40], "y_train": Y[:40], "X_val": X[40:], "y_val": Y[40:]}


def solver(dims=(5,), data=DATA, **settings):
    net = FullyConnectedNet(dims, 4, 3, weight_scale=0.3, rng=np.random.RandomState(1))
    settings = {"batch_size": 8, "num_epochs": 10, "verbose": False} | settings
    return Solver(net, data, **settings)


class TestNetOfAnyDepth:
    @pytest.mark.parametrize("dims", [[], [7], [5, 6, 5, 6]])
    def test_gradients_are_the_slopes(self, dims):
        net = FullyConnectedNet(dims, 4, 3, reg=0.4, weight_scale=0.7)
        net.params = {name: p + 0.1 for name, p in net.params.items()}

        def loss(params, X, y):
            net.params = params
            return net.loss(X, y)

        assert check_gradient(loss, net.params, X[:8].reshape(8, 4), Y[:8]).verdict == "correct"

    def test_first_parameters(self):
        net = FullyConnectedNet([3, 2], 4, 3, weight_scale=0.5, rng=np.random.RandomState(3))
        rng = np.random.RandomState(3)
        for name, shape in {"W1": (4, 3), "W2": (3, 2), "W3": (2, 3)}.items():
            np.testing.assert_array_equal(net.params[name], 0.5 * rng.randn(*shape))
        assert [net.params[f"b{k}"].tolist() for k in (1, 2, 3)] == [[0] * 3, [0] * 2, [0] * 3]

    def test_its_dtype_is_that_of_all(self):
        net = FullyConnectedNet([3], 4, 3, dtype=np.float32)
        images = (X * 20).astype(np.int8)
        loss, grads = net.loss(images, Y)
        assert isinstance(loss, float)
        assert {array.dtype for array in (net.loss(X), *grads.values())} == {np.dtype(np.float32)}
        np.testing.assert_allclose(net.loss(images), net.loss(images.astype(float)))

    @pytest.mark.parametrize(
        ("call", "kind", "text"),
        [
            (
                lambda: FullyConnectedNet(100),
                TypeError,
                r"hidden_dims is 100, .*: pass \[100\] for",
            ),
            (lambda: FullyConnectedNet([3, 0]), ValueError, r"hidden_dims\[1\] = 0"),
            (lambda: FullyConnectedNet([3], num_classes=2.5), ValueError, "num_classes = 2.5"),
            (lambda: FullyConnectedNet([3], dtype=int), TypeError, "dtype = "),
            (lambda: FullyConnectedNet([3], reg=-1), ValueError, "reg = -1"),
            (lambda: FullyConnectedNet([3], weight_scale=1e308, dtype="f"), NotFiniteError, "weig"),
            (lambda: FullyConnectedNet([3]).loss(X), ValueError, "X has 4 columns and W1 has 3072"),
            (lambda: solver().model.loss(X[0, 0]), ValueError, "for one example pass"),
            (lambda: solver().model.loss(X, np.eye(3)[Y]), ValueError, "if its rows are one-hot"),
            (lambda: solver().model.loss(X, Y + 1), ValueError, "W2 has 3 columns"),
            (lambda: solver().model.loss(X * np.nan, Y), NotFiniteError, r"X\[0, 0\] = nan"),
            (lambda: solver().model.loss(X, Y * 1.0), TypeError, "y has dtype float64"),
        ],
    )
    def test_bad_input_is_refused_by_name(self, call, kind, text):
        with pytest.raises(kind, match=text):
            call()

    def test_parameters_that_do_not_fit_are_named(self):
        net = FullyConnectedNet([3, 2], 4, 3)
        for name, wrong, text in (
            ("W2", np.ones((2, 2)), r"b2|W2 has shape \(2, 2\).* need \(3, 2\)"),
            ("b3", np.ones(1), r"b3 has shape \(1,\).* need \(3,\)"),
        ):
            with pytest.raises(ValueError, match=text):
                FullyConnectedNet.loss(_with(net, name, wrong), X)
        del net.params["b1"]
        with pytest.raises(ValueError, match="must be a dict of W1, b1, W2, b2, W3 and b3"):
            net.loss(X)


def _with(net, name, value):
    other = FullyConnectedNet([3, 2], 4, 3)
    other.params = {**net.params, name: value}
    return other


class TestSolver:
    @pytest.mark.parametrize("rule", optim.RULES)
    def test_it_learns_by_each_rule(self, rule):
        rate = {"sgd": 0.5, "sgd_momentum": 0.1}.get(rule, 0.02)
        it = solver(update_rule=rule, optim_config={"learning_rate": rate})
        it.train()
        assert it.best_val_acc == max(it.val_acc_history) >= 0.9
        assert it.loss_history[-1] < it.loss_history[0] / 2

    def test_each_step(self):
        """Two epochs by hand: draws, a state for each parameter, decay, the best parameters."""
        it = solver(update_rule="sgd_momentum", optim_config={"learning_rate": 0.5}, lr_decay=0.1,
                    num_epochs=2, num_train_samples=10, rng=np.random.RandomState(7))  # fmt: skip
        it.train()
        draws, net = np.random.RandomState(7), solver().model
        velocity = {name: 0 * p for name, p in net.params.items()}
        losses, accuracies, best = [], [], (-1, None)
        for k in range(10):
            rows = draws.choice(40, 8)
            loss, grads = net.loss(X[rows], Y[rows])
            losses.append(loss)
            for name, gradient in grads.items():
                velocity[name] = 0.9 * velocity[name] - (0.5, 0.05)[k // 5] * gradient
                net.params[name] = net.params[name] + velocity[name]
            if k in (0, 4, 9):
                rows = draws.choice(40, 10)
                hits = np.argmax(net.loss(X[rows]), axis=1) == Y[rows]
                val = np.mean(np.argmax(net.loss(X[40:]), axis=1) == Y[40:])
                accuracies.append((np.mean(hits), val))
                if val > best[0]:
                    best = val, dict(net.params)
        np.testing.assert_allclose(it.loss_history, losses)
        np.testing.assert_allclose(
            np.transpose([it.train_acc_history, it.val_acc_history]), accuracies
        )
        for name, p in best[1].items():
            np.testing.assert_allclose(it.model.params[name], p)

    def test_a_second_call_goes_on(self):
        it = solver()
        it.train()
        it.train()
        assert (it.epoch, len(it.loss_history)) == (20, 100)

    def test_the_best_parameters_outlast_a_second_call_that_finds_no_better(self):
        def spoil(w, dw, config):
            w *= 0  # in place, as a rule of one's own may
            return w, config

        it = solver(optim_config={"learning_rate": 0.5})
        it.train()
        best = {name: p.copy() for name, p in it.model.params.items()}
        it.update_rule = spoil
        it.train()
        for name, p in best.items():
            np.testing.assert_array_equal(it.model.params[name], p)

    def test_a_rule_of_one_s_own(self):
        it = solver(update_rule=lambda w, dw, config: (w, {"learning_rate": 0.0}))
        before = it.model.params["W1"].copy()
        it.train()
        np.testing.assert_array_equal(it.model.params["W1"], before)

    def test_what_it_prints_and_writes(self, capsys, tmp_path):
        it = solver(verbose=True, num_epochs=2, print_every=3, checkpoint_name=str(tmp_path / "it"))
        it.train()
        lines = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
        assert lines == [
            "step 0 of 10", "epoch 0", "step 3 of 10", "epoch 1", "step 6 of 10", "step 9 of 10",
            "epoch 2",
        ]  # fmt: skip
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "it_epoch_0.npy", "it_epoch_1.npy", "it_epoch_2.npy",
        ]  # fmt: skip
        assert read_params(tmp_path / "it_epoch_2.npy").keys() == it.model.params.keys()

    def test_divergence_names_the_iteration_and_keeps_finite_parameters(self):
        it = solver([5, 5], optim_config={"learning_rate": 1e200})
        with pytest.raises(NotFiniteError, match=r"diverged at iteration \d+") as caught:
            it.train()
        assert caught.value.iteration == 0
        assert all(np.isfinite(p).all() for p in it.model.params.values())

    @pytest.mark.parametrize(
        ("settings", "kind", "text"),
        [
            (
                {"update_rule": "adma"},
                ValueError,
                "update_rule = 'adma', .* sgd, sgd_momentum, rms",
            ),
            ({"batch_size": 0}, ValueError, "batch_size = 0"),
            ({"num_epochs": 1.5}, ValueError, "num_epochs = 1.5"),
            ({"lr_decay": -1}, ValueError, "lr_decay = -1"),
            ({"print_every": 0}, ValueError, "print_every = 0"),
            ({"num_train_samples": 0}, ValueError, "num_samples = 0"),
            ({"optim_config": {"learning_rate": -1}}, ValueError, "learning_rate = -1"),
            ({"optim_config": 1e-3}, TypeError, "optim_config is 0.001, but it must be a dict"),
            (
                {"data": {"X_train": X, "y_train": Y}},
                ValueError,
                "with X_train, X_val, y_train, y_v",
            ),
            ({"data": [X, Y]}, ValueError, "data is .* a dict with X_train, "),
            ({"data": DATA | {"y_val": np.eye(3)[Y[40:]]}}, ValueError, "use y_val.argmax"),
            (
                {"data": DATA | {"y_train": Y}},
                ValueError,
                "y_train has 60 labels and X_train has 40",
            ),
            ({"data": DATA | {"X_val": X > 0}}, TypeError, "X_val has dtype bool"),
            ({"data": DATA | {"X_val": X[:0]}}, ValueError, "X_val of shape .* is empty"),
        ],
    )
    def test_bad_input_is_refused_by_name(self, settings, kind, text):
        with pytest.raises(kind, match=text):
            solver(**settings).train()

    def test_what_is_no_model_or_no_data_is_refused_by_name(self):
        with pytest.raises(TypeError, match=r"model is .* a dict `params` and `loss"):
            Solver(FullyConnectedNet, DATA)
        with pytest.raises(ValueError, match="if its rows are one-hot"):
            solver().check_accuracy(X, np.eye(3)[Y])

    def test_images_as_lists_and_integers_are_numbers_too(self):
        data = {name: (10 * array).astype(int).tolist() if name[0] == "X" else array.tolist()
                for name, array in DATA.items()}  # fmt: skip
        it = solver(data=data, optim_config={"learning_rate": 0.02})
        it.train()
        assert it.best_val_acc > 0.8


class TestParameterFiles:
    def test_what_is_written_is_read(self, tmp_path):
        params = {"W1": X, "b": np.float32([1, 2]), "none": np.zeros((0, 3))}
        write_params(tmp_path / "new" / "params.npy", params)
        found = read_params(tmp_path / "new" / "params.npy")
        assert list(found) == list(params)
        for name, array in params.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype

    @pytest.mark.parametrize("what", ["text", "pickle", "array", "half", "nan"])
    def test_anything_else_is_refused(self, what, tmp_path):
        path = tmp_path / "params.npy"
        write_params(path, {"W": X if what != "nan" else X * np.nan})
        if what == "text":
            path.write_text("W", "utf-8")
        elif what == "half":
            path.write_bytes(path.read_bytes()[:-8])
        elif what != "nan":
            np.save(path, {"W": X} if what == "pickle" else X, allow_pickle=True)
        text = r"W\[0, 0, 0\] = nan" if what == "nan" else "params.npy holds no parameters"
        with pytest.raises(ValueError, match=text):
            read_params(path)
