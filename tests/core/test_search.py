"""Searches against the loop that they replace, in processes, threads and on a Dask cluster."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from unittest.mock import create_autospec

import joblib
import numpy as np
import pytest
from joblib.parallel import ThreadingBackend
from threadpoolctl import threadpool_info

from cs231n_helpers import (
    LinearClassifier,
    LinearSVM,
    NotFiniteError,
    Softmax,
    TwoLayerNet,
    plot_search,
    sample_settings,
    search,
    softmax_loss_vectorized,
    validation,
)

GRID = {"learning_rate": [1e-3, 1e-2, 0.1], "reg": [1e-3, 0.1, 1.0]}
FAST = {"num_iters": 60, "batch_size": 16}
NET = {"hidden_size": 7, "std": 0.1, **FAST}
KEPT = []  # what a worker was given


def blobs(dtype=np.float64, num_features=6, num_classes=4, seed=3):
    """Overlapping blobs, N = 120 and 60, so that accuracies tell settings apart."""
    rng = np.random.RandomState(seed)
    y = rng.randint(num_classes, size=180)
    y[:num_classes] = np.arange(num_classes)
    centers = 2 * rng.standard_normal((num_classes, num_features))
    X = (centers[y] + 2 * rng.standard_normal((180, num_features))).astype(dtype)
    return X[:120], y[:120], X[120:], y[120:]


def single_run(make, X, y, X_val, y_val, **options):
    """What the course's loop does for one setting: model, losses, accuracies."""
    model = make()
    losses = model.train(X, y, **options)
    accuracies = [np.mean(model.predict(A) == b) for A, b in ((X, y), (X_val, y_val))]
    return model, losses, accuracies


def wait_for(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class Recorder:
    """A model of one's own: notes where it was trained, and waits for a file if it is to."""

    def __init__(self, folder, score=0):
        self.folder, self.score = Path(folder), score

    def train(self, X, y, wait=False, fail=False, keep=False):
        (self.folder / f"{os.getpid()}-{self.score}-{uuid.uuid4().hex}").touch()
        if fail:
            raise KeyError("a mistake of the learner")
        if wait:
            wait_for((self.folder / "go").exists)
        if keep:
            KEPT.append(X)
        base = X
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        self.mapped = isinstance(base, np.memmap)
        self.threads = [pool["num_threads"] for pool in threadpool_info()]
        return [1.0 / (1 + self.score)]

    def predict(self, X):
        return np.arange(len(X)) % (1 + self.score)


def starts(folder):
    """Return (process, score) of each run that was begun."""
    return [tuple(map(int, file.name.split("-")[:2])) for file in Path(folder).glob("*-*-*")]


@pytest.fixture
def no_model_trains_by_itself(monkeypatch):
    for model in (LinearClassifier, TwoLayerNet):
        train = create_autospec(model.train, side_effect=AssertionError("trained by itself"))
        monkeypatch.setattr(model, "train", train)


class TestTogether:
    @pytest.mark.parametrize(
        "make",
        [LinearSVM, Softmax, partial(LinearSVM, delta=0.3, reg_scale=1.0),
         partial(Softmax, reg_scale=0.7)],
        ids=["svm", "softmax", "svm_options", "softmax_options"],
    )  # fmt: skip
    @pytest.mark.parametrize("make_rng", [np.random.RandomState, np.random.default_rng])
    def test_same_as_single_runs(self, make, make_rng, monkeypatch):
        monkeypatch.setattr(validation, "BLOCK_BYTES", 1)  # 64 rows of 120: the last block is short
        data = blobs()
        result = search(make, *data, GRID, rng=make_rng(5), **FAST)
        grid = list(itertools.product(*GRID.values()))
        assert [(r["learning_rate"], r["reg"]) for r in result.records] == grid
        runs = []
        for record in result.records:
            setting = {name: record[name] for name in GRID}
            model, losses, accuracies = single_run(make, *data, **setting, **FAST, rng=make_rng(5))
            np.testing.assert_allclose(record["final_loss"], losses[-1], rtol=1e-10)
            assert [record["train_accuracy"], record["val_accuracy"]] == accuracies
            assert (record["status"], record["diverged_at"]) == ("ok", None)
            # each run wins a search of its own, trained together with one that learns nothing
            pair = [{"learning_rate": 0.0, "reg": 1.0}, setting]
            found = search(make, *data, pair, rng=make_rng(5), **FAST)
            assert found.best == found.records[1]
            np.testing.assert_allclose(found.best_model.W, model.W, rtol=0, atol=1e-10)
            runs.append((accuracies[1], model))
        best = max(runs, key=lambda run: run[0])[1]
        np.testing.assert_allclose(result.best_model.W, best.W, rtol=0, atol=1e-10)
        assert type(result.best_model) is type(best)
        assert result.best_model.W.base is None  # and keeps no other run's weights alive
        assert len({r["val_accuracy"] for r in result.records}) > 3  # there was something to find

    @pytest.mark.usefixtures("no_model_trains_by_itself")
    @pytest.mark.parametrize("model", [LinearSVM, Softmax])
    def test_no_run_is_trained_alone(self, model):
        many = {"learning_rate": [1e-3, 1e-2], "reg": list(np.logspace(-3, 0, 10))}  # 20 > 16
        assert len(search(model, *blobs(), many, **FAST).records) == 20

    def test_more_runs_than_are_trained_at_once(self):
        many = [{"reg": reg} for reg in np.linspace(0, 1, 40)]
        all_runs = search(Softmax, *blobs(), many, learning_rate=0.1, **FAST).records
        for i in (0, 15, 16, 39):
            alone = search(Softmax, *blobs(), many[i : i + 1], learning_rate=0.1, **FAST)
            assert all_runs[i]["final_loss"] == pytest.approx(alone.best["final_loss"], rel=1e-10)

    @pytest.mark.filterwarnings("ignore:the loss has grown")
    @pytest.mark.parametrize("model", [LinearSVM, Softmax])
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_a_run_that_diverges_disturbs_no_other(self, model, dtype):
        data = blobs(dtype)
        calm = [{"learning_rate": 0.01, "reg": reg} for reg in (0.01, 0.1)]
        wild = [{"learning_rate": rate, "reg": 50.0} for rate in (0.0401, 0.1, 1.0, 1e30)]
        options = {"num_iters": 1000, "batch_size": 16}
        mixed = search(model, *data, [calm[0], *wild, calm[1]], **options).records
        undisturbed = search(model, *data, calm, **options).records
        for got, expected in zip((mixed[0], mixed[5]), undisturbed, strict=True):
            np.testing.assert_allclose(got["final_loss"], expected["final_loss"], rtol=1e-5)
            assert got["val_accuracy"] == expected["val_accuracy"]
        for got, setting in zip(mixed[2:5], wild[1:], strict=True):
            with pytest.raises(NotFiniteError) as error, np.errstate(all="ignore"):
                model().train(*data[:2], **setting, **options)
            assert got["status"] == "diverged"
            assert got["diverged_at"] == error.value.iteration
            assert f"iteration {error.value.iteration} " in str(error.value)
            assert np.isnan([got["train_accuracy"], got["val_accuracy"], got["final_loss"]]).all()
        assert mixed[1]["status"] == "ok"  # grows by 1.005 a step: large, but finite

    @pytest.mark.parametrize("dtype", [np.float32, np.uint8])
    def test_dtypes(self, dtype):
        X, y, X_val, y_val = blobs()
        data = ((8 * X + 99).astype(dtype), y, (8 * X_val + 99).astype(dtype), y_val)
        setting = {"learning_rate": [1e-5, 1e-4], "reg": [0.1]}
        result = search(LinearSVM, *data, setting, **FAST)
        model, losses, accuracies = single_run(
            LinearSVM, *data, learning_rate=result.best["learning_rate"], reg=0.1, **FAST
        )
        assert result.best_model.W.dtype == model.W.dtype
        tolerance = 1e-4 if dtype == np.float32 else 1e-10
        spread = tolerance * abs(model.W).max()
        np.testing.assert_allclose(result.best_model.W, model.W, atol=spread)
        np.testing.assert_allclose(result.best["final_loss"], losses[-1], rtol=tolerance)
        assert result.best["val_accuracy"] == accuracies[1]

    def test_first_weights_of_one_s_own(self):
        data = blobs()

        def from_zero(columns=4):
            model = Softmax()
            model.W = np.zeros((6, columns))
            return model

        for columns in (4, 5):  # one class more than there are labels: trained alone
            make = partial(from_zero, columns)
            result = search(make, *data, {"learning_rate": [0.01, 0.02]}, reg=0.1, **FAST)
            rate = result.best["learning_rate"]
            model, _, _ = single_run(make, *data, learning_rate=rate, reg=0.1, **FAST)
            np.testing.assert_allclose(result.best_model.W, model.W, rtol=0, atol=1e-12)

    def test_other_settings_are_searched_run_by_run(self):
        data = blobs()
        settings = {"num_iters": [5, 30], "delta": [0.5, 2.0], "learning_rate": [1e-3, 1e-2]}
        for record in search(LinearSVM, *data, settings, batch_size=16).records:
            options = {name: record[name] for name in ("learning_rate", "num_iters")}
            make = partial(LinearSVM, delta=record["delta"])
            _, losses, accuracies = single_run(make, *data, **options, batch_size=16)
            np.testing.assert_allclose(record["final_loss"], losses[-1], rtol=1e-10)
            assert [record["train_accuracy"], record["val_accuracy"]] == accuracies

    def test_a_subclass_is_trained_by_its_own_train(self):
        class Lazy(Softmax):
            def train(self, X, y, learning_rate, rng=None):
                self.W = np.eye(6, 4)
                return [learning_rate]

        result = search(Lazy, *blobs(), {"learning_rate": [2.0, 3.0]})
        assert [record["final_loss"] for record in result.records] == [2.0, 3.0]

    def test_another_loss_is_not_taken_for_the_usual_one(self):
        def half(W, X, y, reg):
            loss, dW = softmax_loss_vectorized(W, X, y, reg)
            return loss / 2, dW / 2

        data = blobs()
        make = partial(LinearClassifier, half)
        record = search(make, *data, GRID, **FAST).records[-1]
        _, losses, _ = single_run(make, *data, learning_rate=0.1, reg=1.0, **FAST)
        assert record["final_loss"] == losses[-1]

    def test_rng_and_data_stay_as_they_are(self):
        rng, data = np.random.RandomState(1), blobs()
        copies = [part.copy() for part in data]
        first = search(Softmax, *data, GRID, rng=rng, **FAST)
        assert rng.get_state()[2] == np.random.RandomState(1).get_state()[2]
        assert repr(search(Softmax, *data, GRID, rng=rng, **FAST)) == repr(first)
        for part, copy in zip(data, copies, strict=True):
            np.testing.assert_array_equal(part, copy)


class TestAlone:
    def test_net_is_made_and_trained_as_by_hand(self):
        X, y, X_val, y_val = data = blobs()
        result = search(TwoLayerNet, *data, GRID, rng=np.random.RandomState(4), **NET)
        for record in result.records:
            rng = np.random.RandomState(4)
            net = TwoLayerNet(6, 7, 4, 0.1, rng=rng)
            history = net.train(*data, record["learning_rate"], reg=record["reg"], rng=rng, **FAST)
            assert record["final_loss"] == history["loss_history"][-1]
            assert record["val_accuracy"] == np.mean(net.predict(X_val) == y_val)
            assert record["train_accuracy"] == np.mean(net.predict(X) == y)
            if record is result.best:
                np.testing.assert_array_equal(result.best_model.params["W1"], net.params["W1"])

    @pytest.mark.filterwarnings("ignore:the loss has grown")
    def test_a_net_that_diverges(self):
        data = blobs()
        options = {**NET, "num_iters": 300, "learning_rate_decay": 1.0}
        result = search(TwoLayerNet, *data, {"learning_rate": [0.1, 1.0], "reg": [9.0]}, **options)
        rng = np.random.RandomState(0)
        net = TwoLayerNet(6, 7, 4, 0.1, rng=rng)
        with pytest.raises(NotFiniteError) as error, np.errstate(all="ignore"):
            net.train(*data, 1.0, 1.0, 9.0, 300, 16, rng=rng)
        assert [record["status"] for record in result.records] == ["ok", "diverged"]
        assert result.records[1]["diverged_at"] == error.value.iteration > 1

    def test_a_model_that_goes_on_after_it_diverged(self):
        class Course(Recorder):
            def train(self, X, y, learning_rate):
                return [1.0, learning_rate, np.nan, np.inf]

        result = search(partial(Course, "."), *blobs(), {"learning_rate": [np.inf, 2.0]})
        assert [record["diverged_at"] for record in result.records] == [1, 2]

    def test_a_model_that_stops_with_an_error_of_its_own(self):
        class Strict(Recorder):
            def train(self, X, y, learning_rate):
                with np.errstate(all="raise"):
                    return [float(np.float64(1e200) * learning_rate)]

        result = search(partial(Strict, "."), *blobs(), {"learning_rate": [1.0, 1e200]})
        assert [record["diverged_at"] for record in result.records] == [None, None]
        assert [record["status"] for record in result.records] == ["ok", "diverged"]
        assert repr(result).splitlines()[2].split() == ["1e+200", "-", "-", "-", "diverged"]

    def test_an_error_names_its_settings(self, tmp_path):
        with pytest.raises(KeyError, match="learner") as error:
            search(partial(Recorder, tmp_path), *blobs(), {"score": [3], "fail": [False, True]})
        assert error.value.__notes__ == ["search: while training with [{'score': 3, 'fail': True}]"]


class TestResult:
    def test_best_and_ties(self, tmp_path):
        X, _, X_val, _ = blobs()
        data = (X, np.arange(len(X)) % 3, X_val, np.arange(len(X_val)) % 3)  # score 2 is right
        settings = {"score": [0, 2, 1], "wait": [False, False]}
        result = search(partial(Recorder, tmp_path), *data, settings)
        assert result.best is result.records[2]
        assert result.best["val_accuracy"] == 1
        assert result.best_model.score == 2
        assert result.names == ("score", "wait")

    def test_records_hold_plain_python(self):
        settings = {"learning_rate": np.logspace(-3, 30, 3), "num_iters": np.array([5, 6])}
        for record in search(Softmax, *blobs(), settings, reg=100.0).records:
            assert {type(value) for value in record.values()} <= {float, int, str, type(None)}

    def test_table(self):
        settings = [{"learning_rate": 0.1, "reg": 0.1}, {"learning_rate": 0.1, "reg": 99.0}]
        result = search(Softmax, *blobs(), settings, num_iters=500)
        record, bad = result.records
        assert repr(result).splitlines() == [
            "learning_rate  reg  train    val   loss           status",
            f"          0.1  0.1  {record['train_accuracy']:.3f}  {record['val_accuracy']:.3f}"
            f"  {record['final_loss']:5.3g}               ok",
            f"          0.1   99      -      -      -  diverged at {bad['diverged_at']}",
            f"best: learning_rate 0.1, reg 0.1: validation accuracy {record['val_accuracy']:.3f}",
        ]

    def test_all_diverged(self):
        result = search(LinearSVM, *blobs(), {"learning_rate": [1.0], "reg": [99.0]}, num_iters=300)
        for name in ("best", "best_model"):
            with pytest.raises(ValueError, match=r"all 1 runs diverged.*ten times smaller"):
                getattr(result, name)
        assert repr(result).endswith("best: none, all runs diverged")

    def test_accuracies_are_ready_to_plot(self):
        settings = {"hidden_size": [2, 9], "learning_rate": [0.01, 0.5], "reg": [0.1, 50.0]}
        options = {"num_iters": 300, "batch_size": 16, "std": 0.1}
        result = search(TwoLayerNet, *blobs(), settings, **options)
        assert np.isnan(result.accuracies[0.5, 50.0])
        for rate, reg in ((0.01, 0.1), (0.5, 0.1), (0.01, 50.0)):
            assert result.accuracies[rate, reg] == max(
                record["val_accuracy"]
                for record in result.records
                if (record["learning_rate"], record["reg"]) == (rate, reg)
            )
        assert [text.get_text() for text in plot_search(result.accuracies).texts][3] == "diverged"
        with pytest.raises(ValueError, match="axes are learning_rate and reg"):
            _ = search(Softmax, *blobs(), {"learning_rate": [0.1]}).accuracies


class TestSampling:
    @pytest.mark.parametrize("make_rng", [np.random.RandomState, np.random.default_rng])
    def test_uniform_in_the_logarithm(self, make_rng):
        drawn = sample_settings({"a": (1e-6, 1e2), "b": [4, 8]}, 4000, rng=make_rng(1))
        logs = np.log10([setting["a"] for setting in drawn])
        assert -6 <= logs.min() < -5.9
        assert 1.9 < logs.max() <= 2
        assert abs(logs.mean() + 2) < 0.2  # 5 standard errors, 8 / sqrt(12 * 4000)
        assert abs(np.mean([setting["b"] for setting in drawn]) - 6) < 0.2
        assert {type(value) for setting in drawn for value in setting.values()} == {float, int}
        assert drawn == sample_settings({"a": (1e-6, 1e2), "b": [4, 8]}, 4000, rng=make_rng(1))

    def test_first_numbers(self):
        (drawn,) = sample_settings({"rate": (1e-4, 1.0)}, 1)
        assert drawn["rate"] == pytest.approx(10 ** (-4 + 4 * np.random.RandomState(0).uniform()))

    @pytest.mark.parametrize("values", [(1, 2, 3), (0, 1), (2, 1), (-1, 1), ()])
    def test_no_range(self, values):
        with pytest.raises(ValueError, match=r"ranges\['reg'\].*pass a list"):
            sample_settings({"reg": values}, 3)

    @pytest.mark.parametrize(
        ("ranges", "error", "match"),
        [
            (None, TypeError, "ranges is None, but it must be a dict"),
            ({}, TypeError, "ranges is {}, but"),
            ([("reg", (1, 2))], TypeError, r"ranges is \[\('reg', \(1, 2\)\)\], but"),
            ({3: [1]}, TypeError, "ranges has the name 3, but names are str"),
            ({"reg": 3}, TypeError, r"ranges\['reg'\] = 3, but it must be \(low, high\) or a list"),
            ({"reg": "ab"}, TypeError, r"ranges\['reg'\] = 'ab'"),
            ({"reg": {"a", "b"}}, TypeError, r"ranges\['reg'\] = {'"),
            ({"reg": np.array(3)}, TypeError, r"ranges\['reg'\] = array\(3\)"),
            ({"reg": ("a", "b")}, ValueError, r"ranges\['reg'\] = 'a', but it must be a finite"),
            ({"reg": (1, np.inf)}, ValueError, r"ranges\['reg'\] = inf"),
            ({"reg": (1, 10**400)}, ValueError, r"ranges\['reg'\] = 1000"),
        ],
    )
    def test_odd_ranges(self, ranges, error, match):
        with pytest.raises(error, match=match):
            sample_settings(ranges, 3)

    def test_nothing_to_draw(self):
        with pytest.raises(ValueError, match=r"ranges\['reg'\] is empty"):
            sample_settings({"reg": []}, 3)
        with pytest.raises(ValueError, match="num_samples = 0"):
            sample_settings({"reg": [1]}, 0)


@pytest.mark.usefixtures("no_model_trains_by_itself")
class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "error", "match"),
        [
            ({}, ValueError, "holds no run"),
            ([], ValueError, "holds no run"),
            ({"reg": []}, ValueError, "holds no run"),
            ({"reg": 0.1}, TypeError, r"settings\['reg'\] = 0.1.*pass \[0.1\], or reg=0.1 outside"),
            ({"reg": "abc"}, TypeError, "needs a list of values"),
            ({"rate": [1]}, ValueError, "settings name rate.*LinearSVM.*delta, learning_rate"),
            ({"rng": [1]}, ValueError, r"settings name rng"),
            ({"learning_rate": [0.1, -0.1]}, ValueError, r"learning_rate = -0.1.* >= 0"),
            ({"reg": [float("nan")]}, ValueError, "reg = nan"),
            ({"delta": [-1.0]}, ValueError, "delta = -1.0"),
            ({"batch_size": [20.0]}, ValueError, r"batch_size = 20.0.*integer"),
            ({"num_iters": [0]}, ValueError, "num_iters = 0"),
            ([{"reg": 1}, {"delta": 1}], ValueError, r"\[1\] names delta and settings\[0\] reg"),
            (None, TypeError, "settings is None, but it must be a dict, name -> list"),
            (3, TypeError, "settings is 3, but"),
            ("ab", TypeError, r"settings\[0\] is 'a', but it must be a dict"),
            ([[1]], TypeError, r"settings\[0\] is \[1\], but it must be a dict"),
            ([{}], ValueError, "holds no run"),
            ({3: [1]}, TypeError, "settings has the name 3, but names are str"),
            ({"reg": itertools.count()}, TypeError, r"settings\['reg'\] = count\(0\), but a grid"),
            (
                {"reg": np.ma.array([1.0], mask=True)},
                TypeError,
                r"settings\['reg'\] = masked_array",
            ),
            ({"reg": [[0.1, 0.2]]}, ValueError, r"reg = \[0.1, 0.2\], but"),
            ({"reg": ["0.1"]}, ValueError, "reg = '0.1', but"),
            ({"reg": [10**400]}, ValueError, "reg = 1000"),
        ],
    )
    def test_settings(self, settings, error, match):
        with pytest.raises(error, match=match):
            search(LinearSVM, *blobs(), settings)

    @pytest.mark.parametrize(
        ("options", "error", "match"),
        [
            ({"hidden_size": -3}, ValueError, "hidden_size = -3"),
            ({"hidden_size": 3, "std": -1.0}, ValueError, "std = -1.0"),
            ({"hidden_size": 3, "learning_rate_decay": -1.0}, ValueError, "rate_decay = -1"),
            ({"hidden_size": 3, "reg": 0.1}, ValueError, "reg = 0.1 is the same for all.*searched"),
            ({"hidden_size": 3, "hiden": 1}, ValueError, "settings name hiden.*hidden_size"),
            ({"hidden_size": 3, "rng": 5}, TypeError, "rng is 5"),
            ({}, TypeError, "hidden_size"),
        ],
    )
    def test_options(self, options, error, match):
        with pytest.raises(error, match=match):
            search(TwoLayerNet, *blobs(), {"reg": [0.1, 1.0]}, **options)

    @pytest.mark.parametrize(
        ("place", "value", "error", "match"),
        [
            (0, np.ones(120), ValueError, "X_train has shape"),
            (0, np.full((120, 6), np.nan), NotFiniteError, r"X_train\[0, 0\] = nan"),
            (2, np.full((60, 6), np.inf), NotFiniteError, r"X_val\[0, 0\] = inf"),
            (2, np.ones((60, 7)), ValueError, "X_val has 7 columns and X_train has 6.*bias"),
            (1, np.zeros(119, int), ValueError, "y_train has 119 labels and X_train has 120"),
            (3, np.zeros(61, int), ValueError, "y_val has 61 labels and X_val has 60"),
            (1, np.full(120, -1), ValueError, r"y_train\[0\] = -1 is not a valid label"),
            (3, np.full(60, 4), ValueError, r"y_val\[0\] = 4 is not a valid.*y_train end at 3"),
            (1, np.full(120, 2**40), ValueError, r"y_train\[0\] = 1099511627776 would make"),
            (0, np.ma.ones((120, 6)), TypeError, "X_train is a masked array"),
            (2, [[1.0], [1.0, 2.0]], ValueError, "X_val is ragged"),
        ],
    )
    def test_data(self, place, value, error, match):
        data = list(blobs())
        data[place] = value
        for model, options in ((Softmax, {}), (TwoLayerNet, {"hidden_size": 3})):
            with pytest.raises(error, match=match):
                search(model, *data, {"reg": [0.1, 1.0]}, **options)

    def test_an_object_in_place_of_a_class(self):
        with pytest.raises(TypeError, match="pass the class and not an object"):
            search(LinearSVM(), *blobs(), GRID)

    @pytest.mark.parametrize(
        ("model", "match"),
        [
            (lambda: None, "model made None, which has no train"),
            (lambda: np, "model made <module 'numpy'.*, which has no train"),
            (dict, "model or its train, <class 'dict'>, does not say which arguments it takes"),
            (lambda depth: None, r"model needs depth: pass it .* search\(..., depth=...\)"),
        ],
    )
    def test_no_model(self, model, match):
        with pytest.raises(TypeError, match=match):
            search(model, *blobs(), [{"reg": 1}])

    @pytest.mark.parametrize("n_jobs", ["2", 0, 2.5, True, [1], np.nan])
    def test_no_number_of_processes(self, n_jobs):
        with pytest.raises(ValueError, match=r"n_jobs = .*-1 takes all processors"):
            search(LinearSVM, *blobs(), GRID, n_jobs=n_jobs)


class TestOneSOwnModels:
    """Whatever they return, a record is right or the search says what is wrong."""

    @staticmethod
    def search(losses=(1.0,), predict=lambda X: np.zeros(len(X), int), settings=None):
        class Own:
            def train(self, X, y, learning_rate=0, reg=0):
                return losses

        Own.predict = staticmethod(predict)
        return search(Own, *blobs(), settings or {"learning_rate": [0.1], "reg": [0.1]})

    @pytest.mark.parametrize(
        "losses",
        [None, [], "abc", ["a"], [[1.0]], 0.5, [10**400], [1j], [None], {}, {"loss_history": []}],
    )
    def test_no_losses(self, losses):
        with pytest.raises(TypeError, match=r"train returned .*, but it must return the losses"):
            self.search(losses)

    def test_losses_that_hide_nan(self):
        with pytest.raises(TypeError, match="masked array"):
            self.search(np.ma.array([1.0, np.nan], mask=[False, True]))
        assert self.search([np.nan]).records[0]["status"] == "diverged"

    @pytest.mark.parametrize(
        ("predict", "match"),
        [
            (lambda X: np.zeros((len(X), 1), int), r"predict\(X_train\) has shape \(120, 1\)"),
            (lambda X: 0, r"predict\(X_train\) has shape \(\)"),
            (lambda X: np.zeros(60, int), r"predict\(X_train\) has 60 labels and X_train has 120"),
            (lambda X: X[:, 0], r"predict\(X_train\) has dtype float64"),
            (lambda X: None, r"predict\(X_train\) has shape \(\)"),
        ],
    )
    def test_no_classes(self, predict, match):
        with pytest.raises((TypeError, ValueError), match=match):
            self.search(predict=predict)

    def test_predictions_that_overflow_are_those_of_a_run_that_diverged(self):
        def predict(X):
            raise NotFiniteError("the scores overflow")

        assert self.search(predict=predict).records[0]["status"] == "diverged"

    def test_settings_of_any_kind(self):
        found = self.search(settings={"learning_rate": [[1], {}], "reg": [np.ones(2)]})
        assert len(found.records) == 2
        with pytest.raises(ValueError, match=r"learning_rate = \[1\], but it must be a finite num"):
            _ = found.accuracies


class TestJobs:
    def test_local_processes(self, tmp_path, monkeypatch):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")  # make test says 1
        X, y, *validation_data = blobs()
        data = np.repeat(X, 250, axis=0), np.repeat(y, 250), *validation_data  # 1.4 MB
        settings = {"score": [0, 1, 2], "wait": [False, False]}
        result = search(partial(Recorder, tmp_path), *data, settings, n_jobs=2)
        assert Counter(score for _, score in starts(tmp_path)) == {0: 2, 1: 2, 2: 2}
        assert os.getpid() not in {process for process, _ in starts(tmp_path)}
        assert result.best_model.mapped  # from the one copy of the data
        assert set(result.best_model.threads) == {1}
        wait_for(lambda: not mapped_files())

    @pytest.mark.parametrize("backend", ["loky", "threading"])
    @pytest.mark.parametrize(("model", "options"), [(LinearSVM, FAST), (TwoLayerNet, NET)])
    def test_same_table_as_here(self, backend, model, options):
        with joblib.parallel_config(backend, n_jobs=2):
            there = search(model, *blobs(), GRID, **options)
        here = search(model, *blobs(), GRID, **options)
        assert repr(there) == repr(here)
        for got, expected in zip(weights(there), weights(here), strict=True):
            np.testing.assert_allclose(got, expected, atol=1e-12)

    def test_a_model_that_no_process_can_import(self, tmp_path):
        class Own(Recorder):
            pass

        found = search(lambda score: Own(tmp_path, score), *blobs(), {"score": [1, 2]}, n_jobs=2)
        assert os.getpid() not in {process for process, _ in starts(tmp_path)}
        assert type(found.best_model) is Own

    def test_an_error_in_a_process(self, tmp_path):
        with pytest.raises(KeyError, match="learner") as error:
            search(partial(Recorder, tmp_path), *blobs(), {"score": [1, 2]}, n_jobs=2, fail=True)
        (note,) = error.value.__notes__
        assert re.fullmatch(r"search: while training with \[{'fail': True, 'score': [12]}\]", note)
        wait_for(lambda: not running({process for process, _ in starts(tmp_path)}))
        wait_for(lambda: not mapped_files())

    def test_a_process_that_dies(self):
        with pytest.raises(Exception, match="unexpectedly terminated"):
            search(partial(os_exit, os.getpid()), *blobs(), {"status": [0, 1]}, n_jobs=2)

    def test_no_job(self):
        with pytest.raises(ValueError, match="n_jobs = 0"):
            search(TwoLayerNet, *blobs(), GRID, n_jobs=0, **NET)

    def test_linear_runs_are_tasks_of_sixteen(self, counting):
        search(Softmax, *blobs(), {"reg": [0.1] * 40}, num_iters=2)
        assert counting == [16, 16, 8]

    def test_after_an_error_the_rest_is_not_begun(self, tmp_path):
        settings = [{"score": s, "fail": s == 0, "wait": s == 1} for s in range(50)]
        with joblib.parallel_config("threading", n_jobs=2), pytest.raises(KeyError):
            search(partial(Recorder, tmp_path), *blobs(), settings)
        (tmp_path / "go").touch()
        assert len(starts(tmp_path)) <= 4

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    def test_an_interrupt_leaves_neither_process_nor_file(self, tmp_path):
        process = started_search(tmp_path)
        os.killpg(process.pid, signal.SIGINT)  # to all processes, as a terminal and Jupyter do
        _, errors = process.communicate(timeout=90)
        assert process.returncode != 0
        assert errors.strip().endswith("KeyboardInterrupt")
        assert errors.count("Traceback") == 1  # only the search itself speaks of it
        assert len(starts(tmp_path)) == 2  # the pending ones were not begun
        nothing_is_left(process, tmp_path)

    @pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
    def test_nothing_is_left_when_the_search_is_killed(self, tmp_path):
        """The other signals are sent by test_interrupts."""
        process = started_search(tmp_path)
        process.kill()
        process.communicate(timeout=90)
        assert process.returncode == -signal.SIGKILL
        nothing_is_left(process, tmp_path)


def started_search(folder):
    """A script in whose search two processes train, and wait for a file."""
    script = folder / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            from functools import partial
            sys.path.insert(0, {str(Path(__file__).parent)!r})
            from cs231n_helpers import search
            from test_search import Recorder, blobs

            class Own(Recorder):
                pass

            X, y, *rest = blobs()
            data = X.repeat(250, axis=0), y.repeat(250), *rest
            model = partial(Own, {str(folder)!r})
            search(model, *data, {{"score": list(range(9))}}, wait=True, n_jobs=2)
            """
        ),
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, script],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    wait_for(lambda: len(starts(folder)) == 2)
    assert mapped_files(process.pid)
    return process


def nothing_is_left(process, folder):
    wait_for(lambda: not running({worker for worker, _ in starts(folder)}))
    wait_for(lambda: not mapped_files(process.pid))
    wait_for(lambda: not list(Path("/dev/shm").glob(f"*{process.pid}*")))


def weights(result):
    model = result.best_model
    return [model.W] if hasattr(model, "W") else list(model.params.values())


def mapped_files(process=None):
    """What joblib wrote for the processes of a search to map."""
    pattern = f"joblib_memmapping_folder_{process or os.getpid()}_*/*"
    return [file for folder in ("/dev/shm", gettempdir()) for file in Path(folder).glob(pattern)]


def running(processes):
    psutil = pytest.importorskip("psutil")
    return [process for process in processes if psutil.pid_exists(process)]


def kept():
    return [id(X) for X in KEPT]


def os_exit(home, status):
    if os.getpid() != home:
        os._exit(status)
    return Recorder(".")


@pytest.fixture
def counting():
    """Train in threads, and note the number of runs in each task."""
    sizes = []

    class Counting(ThreadingBackend):
        def submit(self, func, callback=None):
            sizes.extend(len(args[1]) for _, args, _ in func.items)
            return super().submit(func, callback)

    joblib.register_parallel_backend("counting", Counting)
    with joblib.parallel_config("counting", n_jobs=2):
        yield sizes


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    import dask

    keep = {"distributed.scheduler.active-memory-manager.start": False}  # else it drops copies
    with (
        dask.config.set(keep),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


class TestDask:
    @pytest.mark.parametrize(("model", "options"), [(LinearSVM, FAST), (TwoLayerNet, NET)])
    def test_same_table_as_here(self, client, model, options):
        data = blobs()
        settings = sample_settings({"learning_rate": (1e-3, 0.1), "reg": (1e-2, 1e7)}, 20)
        with joblib.parallel_config("dask", client=client, scatter=data):
            there = search(model, *data, settings, **options)
        here = search(model, *data, settings, **options)
        assert repr(there) == repr(here)
        for got, expected in zip(there.records, here.records, strict=True):
            for name in ("train_accuracy", "val_accuracy"):
                np.testing.assert_equal(got[name], expected[name])
        assert {record["status"] for record in here.records} == {"ok", "diverged"}

    def test_data_crosses_the_wire_once_a_worker(self, client, tmp_path):
        # Data of no other test: Dask knows them by their hash, and may still be dropping those.
        data = blobs(seed=7)
        model = partial(Recorder, tmp_path)
        with joblib.parallel_config("dask", client=client, scatter=data):
            search(model, *data, {"score": list(range(12))}, keep=True)
        assert len(starts(tmp_path)) == 12
        ids = client.run(kept)
        assert sum(map(len, ids.values())) == 12
        assert all(len(set(copies)) <= 1 for copies in ids.values())

    def test_a_killed_worker_loses_no_result(self, client, tmp_path):
        psutil = pytest.importorskip("psutil")
        data, settings = blobs(), {"score": list(range(6))}
        model = partial(Recorder, tmp_path)

        def on_the_cluster():
            with joblib.parallel_config("dask", client=client, scatter=data):
                return search(model, *data, settings, wait=True)

        with ThreadPoolExecutor(1) as thread:
            found = thread.submit(on_the_cluster)
            try:
                wait_for(lambda: len({process for process, _ in starts(tmp_path)}) == 2)
                victim, lost_score = starts(tmp_path)[0]
                assert not found.done()  # both workers are in the middle of a run
                psutil.Process(victim).kill()
                wait_for(lambda: not psutil.pid_exists(victim))
            finally:
                (tmp_path / "go").touch()
            result = found.result(timeout=60)
        client.wait_for_workers(2, timeout=60)  # its successor is there before the cluster closes
        assert repr(result) == repr(search(model, *data, settings))
        again = {process for process, score in starts(tmp_path) if score == lost_score}
        assert len(again - {victim, os.getpid()}) == 1  # trained by another worker
