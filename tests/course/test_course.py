"""What is chosen by where a name comes from, what is drawn, saved and refused."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from datasets.small_sets import make_batches, write_pickled

import cs231n_helpers
from cs231n_helpers import course, load_cifar10
from cs231n_helpers.course.classifiers import LinearSVM, Softmax
from cs231n_helpers.course.classifiers.fc_net import FullyConnectedNet, TwoLayerNet
from cs231n_helpers.course.classifiers.linear_svm import svm_loss_naive, svm_loss_vectorized
from cs231n_helpers.course.classifiers.neural_net import TwoLayerNet as OldNet
from cs231n_helpers.course.classifiers.softmax import softmax_loss_naive, softmax_loss_vectorized
from cs231n_helpers.course.data_utils import get_CIFAR10_data, load_CIFAR10
from cs231n_helpers.course.solver import Solver

# The course draws from NumPy's global state, and so do these.
# ruff: noqa: NPY002
ROOT = Path(course.__file__).parent
X, Y = np.random.RandomState(0).randn(12, 4), np.arange(12) % 3
DATA = {"X_train": X, "y_train": Y, "X_val": X, "y_val": Y}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("CS231N_DATA", "CS231N_CIFAR10", "CS231N_CACHE"):
        monkeypatch.delenv(name, raising=False)
    state = np.random.get_state()
    yield
    np.random.set_state(state)
    course.use_year(2026)


def test_the_package_is_small():
    assert sum(len(p.read_text("utf-8").splitlines()) for p in ROOT.rglob("*.py")) <= 400


@pytest.mark.parametrize("folder", ["", "classifiers"])
def test_every_module_of_the_course_is_there(folder):
    names = {
        "": "data_utils features gradient_check layer_utils layers optim solver vis_utils",
        "classifiers": "fc_net k_nearest_neighbor linear_classifier linear_svm neural_net softmax",
    }[folder]
    assert set(names.split()) <= {path.stem for path in (ROOT / folder).glob("*.py")}


class TestConventions:
    @pytest.mark.parametrize(("year", "factor"), [(2016, 0.5), (2017, 1.0), (2026, 1.0)])
    def test_the_penalty_is_the_year_s(self, year, factor):
        course.use_year(year)
        W = np.random.randn(4, 3)
        added = pytest.approx(factor * 2.0 * np.sum(W**2))
        for loss in (svm_loss_naive, svm_loss_vectorized, softmax_loss_naive,
                     softmax_loss_vectorized):  # fmt: skip
            assert loss(W, X, Y, 2.0)[0] - loss(W, X, Y, 0.0)[0] == added
            model = LinearSVM() if "svm" in loss.__name__ else Softmax()
            model.W = W
            assert model.loss(X, Y, 2.0)[0] - model.loss(X, Y, 0.0)[0] == added
        net = OldNet(4, 5, 3, std=1.0)
        squares = sum(np.sum(net.params[name] ** 2) for name in ("W1", "W2"))
        assert net.loss(X, Y, 2.0)[0] - net.loss(X, Y)[0] == pytest.approx(factor * 2 * squares)
        slopes = net.loss(X, Y, 2.0)[1]["W1"] - net.loss(X, Y)[1]["W1"]
        np.testing.assert_allclose(slopes, 2 * factor * 2 * net.params["W1"])

    @pytest.mark.parametrize("year", [2016, 2026])
    def test_the_nets_of_layers_have_a_half_in_any_year(self, year):
        course.use_year(year)
        net = TwoLayerNet(4, 5, 3, weight_scale=1.0)
        bare, squares = net.loss(X, Y)[0], sum(np.sum(net.params[k] ** 2) for k in ("W1", "W2"))
        net.reg = 2.0
        assert net.loss(X, Y)[0] - bare == pytest.approx(0.5 * 2 * squares)

    @pytest.mark.parametrize("year", [2015, 2027, "2016", 2016.0])
    def test_years_that_nobody_knows_are_refused(self, year):
        with pytest.raises(ValueError, match="year = "):
            course.use_year(year)


class TestDraws:
    """NumPy's global state decides, number by number as in the course."""

    def test_linear_classifiers(self):
        model = Softmax()
        np.random.seed(5)
        losses = model.train(X, Y, learning_rate=0.1, reg=0.0, num_iters=2, batch_size=4)
        np.random.seed(5)
        W = 0.001 * np.random.randn(4, 3)
        for loss in losses:
            rows = np.random.choice(12, 4)
            expected, dW = cs231n_helpers.softmax_loss_vectorized(W, X[rows], Y[rows])
            assert loss == pytest.approx(expected, rel=1e-12)
            W -= 0.1 * dW

    def test_nets(self):
        for make, names in (
            (lambda: OldNet(5, 3, 3, std=0.5), "W1 W2"),
            (lambda: TwoLayerNet(5, 3, 3, weight_scale=0.5), "W1 W2"),
            (lambda: FullyConnectedNet([3, 3], 5, 3, weight_scale=0.5, dtype=float), "W1 W2 W3"),
        ):
            np.random.seed(6)
            params = make().params
            np.random.seed(6)
            for name in names.split():
                np.testing.assert_array_equal(
                    params[name], 0.5 * np.random.randn(*params[name].shape)
                )

    def test_the_solver(self):
        histories = []
        for _ in range(2):
            np.random.seed(7)
            solver = Solver(TwoLayerNet(4, 5, 3), DATA, batch_size=3, verbose=False)
            solver.train()
            histories.append(solver.loss_history)
        assert histories[0] == histories[1]
        assert len(set(histories[0])) > 1
        np.random.seed(7)
        np.random.randn(4 * 5 + 5 * 3)
        rows = np.random.choice(12, 3)
        first = TwoLayerNet(4, 5, 3)
        np.random.seed(7)
        first = TwoLayerNet(4, 5, 3)
        assert histories[0][0] == first.loss(X[rows], Y[rows])[0]


class TestSaved:
    @pytest.mark.parametrize("name", ["best", "best.npy", "of/mine.npy"])
    def test_models_come_back(self, name, capsys, tmp_path):
        svm, net = LinearSVM(), FullyConnectedNet([5, 4], 4, 3)
        svm.train(X, Y, num_iters=2)
        for model in (svm, net):
            model.save(name)
            assert capsys.readouterr().out == f"{name} saved.\n"
            other = LinearSVM() if model is svm else FullyConnectedNet([5, 4], 4, 3)
            assert other.load(name) is True
            for key, array in model.params.items():
                np.testing.assert_array_equal(other.params[key], array)
            assert len(list((tmp_path / "saved").rglob("*.npy"))) == 1

    def test_what_is_not_there_or_of_another_net(self):
        net = TwoLayerNet(4, 5, 3)
        assert net.load("best.npy") is False
        assert net.params.keys() == {"W1", "b1", "W2", "b2"}
        FullyConnectedNet([5, 4], 4, 3).save("best.npy")
        net.load("best.npy")
        with pytest.raises(ValueError, match="it must be a dict of W1, b1, W2 and b2"):
            net.loss(X)
        with pytest.raises(ValueError, match="the model has no weights yet"):
            LinearSVM().save("svm.npy")


class TestImages:
    @pytest.fixture
    def root(self, tmp_path):
        root = tmp_path / "cs231n" / "datasets" / "cifar-10-batches-py"
        root.mkdir(parents=True)
        write_pickled(root, make_batches(8))
        return root

    def test_all_images(self, root):
        batches = make_batches(8)
        X_train, y_train, X_test, y_test = load_CIFAR10(root)
        assert X_train.shape == (40, 32, 32, 3)
        assert X_train.dtype == X_test.dtype == np.float64
        planes = np.concatenate([pixels for pixels, _ in batches]).reshape(48, 3, 32, 32)
        images = np.concatenate([X_train, X_test]).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(images, planes)
        labels = np.concatenate([labels for _, labels in batches])
        np.testing.assert_array_equal(np.concatenate([y_train, y_test]), labels)

    @pytest.mark.usefixtures("root")
    @pytest.mark.parametrize("subtract_mean", [True, False])
    def test_in_three_parts_from_the_place_where_the_course_puts_them(self, subtract_mean):
        planes = np.concatenate([pixels for pixels, _ in make_batches(8)]).reshape(48, 3, 32, 32)
        mean = planes[:20].mean(axis=0) if subtract_mean else 0
        data = get_CIFAR10_data(20, 10, 4, subtract_mean=subtract_mean)
        labels = np.concatenate([labels for _, labels in make_batches(8)])
        for part, rows in {"train": slice(20), "val": slice(20, 30), "test": slice(40, 44)}.items():
            np.testing.assert_allclose(data[f"X_{part}"], planes[rows] - mean, atol=1e-9)
            np.testing.assert_array_equal(data[f"y_{part}"], labels[rows])
            assert data[f"X_{part}"].flags.c_contiguous

    def test_the_environment_variable_says_where_first(self, root, monkeypatch):
        there = root.rename(root.parent / "cifar")
        root.mkdir()  # no images are in it
        monkeypatch.setenv("CS231N_CIFAR10", str(there))
        assert len(get_CIFAR10_data(20, 10, 4)["X_train"]) == 20

    @pytest.mark.usefixtures("root")
    @pytest.mark.parametrize(
        ("parts", "text"),
        [
            ((40, 1, 1), "num_training = 40, but there are 39"),
            ((30, 11, 1), "num_validation = 11, but there are 10"),
            ((30, 10, 9), "num_test = 9, but there are 8"),
            ((0, 1, 1), "num_training = 0"),
        ],
    )
    def test_more_than_there_are_is_refused(self, parts, text):
        with pytest.raises(ValueError, match=text):
            get_CIFAR10_data(*parts)

    @pytest.mark.parametrize("load", [load_cifar10, load_CIFAR10])
    def test_where_there_are_none_a_command_is_named_that_everybody_has(self, load, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"`python -m (\S+)`") as caught:
            load(tmp_path / "nowhere")
        module = re.search(r"`python -m (\S+)`", str(caught.value))[1]
        assert callable(import_module(module).main)


class TestRefused:
    @pytest.mark.parametrize(
        "statement",
        [
            "from cs231n_helpers.course.classifiers import KNearestNeighbor",
            "from cs231n_helpers.course.classifiers.k_nearest_neighbor import *",
            "from cs231n_helpers.course.features import *",
            "from cs231n_helpers.course.features import color_histogram_hsv, hog_feature",
        ],
    )
    def test_what_has_no_gradient_says_so(self, statement):
        with pytest.raises(ImportError, match=r"no gradient and .* take cs231n\.\S+ from the"):
            exec(statement, {})

    def test_other_names_are_missing_as_ever(self):
        with pytest.raises(ImportError, match="cannot import name 'LinearSwm'"):
            exec("from cs231n_helpers.course.classifiers import LinearSwm", {})

    @pytest.mark.parametrize(
        ("settings", "text"),
        [
            ({"dropout_keep_ratio": 0.5}, "dropout_keep_ratio = 0.5 .* belong to assignment 2"),
            ({"normalization": "batchnorm"}, "normalization = 'batchnorm', but .* assignment 2"),
        ],
    )
    def test_dropout_and_normalization_belong_to_assignment_2(self, settings, text):
        with pytest.raises(ValueError, match=text):
            FullyConnectedNet([5], **settings)
        FullyConnectedNet([5], 4, 3, 1, None, 0.0, 1e-2, np.float32, 3)


def test_all_star_imports_hand_on_layers():
    names = {}
    exec("from cs231n_helpers.course.classifiers.fc_net import *", names)
    wanted = {"FullyConnectedNet", "TwoLayerNet", "svm_loss", "softmax_loss"}
    wanted |= {
        f"{it}_{way}" for it in ("affine", "relu", "affine_relu") for way in ("forward", "backward")
    }
    assert set(names) - {"__builtins__"} == wanted
