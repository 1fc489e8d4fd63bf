"""A training whose loss grows is warned of: once, with the cure, and where the user stands."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from cs231n_helpers import FullyConnectedNet, LinearSVM, Solver, TwoLayerNet, search
from cs231n_helpers.progress_bar import warn_of_growth

rng = np.random.RandomState(0)
X, y = rng.standard_normal((60, 5)), rng.randint(0, 3, 60)
TEXT = (
    r"the loss has grown from [\d.]+ to [\d.e+]+ by iteration \d+: "
    "take a learning rate ten times smaller"
)


def linear(rate):
    LinearSVM().train(X, y, rate, 0.5, 40, 20, rng=np.random.RandomState(0))


def net(rate):
    made = TwoLayerNet(5, 8, 3, 1.0, rng=np.random.RandomState(0))
    made.train(X, y, X, y, rate, 1.0, 0.0, 40, 20, rng=np.random.RandomState(0))


def solver(rate):
    made = FullyConnectedNet([8], 5, 3, weight_scale=1.0, rng=np.random.RandomState(0))
    data = {"X_train": X, "y_train": y, "X_val": X, "y_val": y}
    Solver(made, data, optim_config={"learning_rate": rate}, num_epochs=13, batch_size=20,
           verbose=False, rng=np.random.RandomState(0)).train()  # fmt: skip


@pytest.mark.parametrize(("train", "rate"), [(linear, 4.0), (net, 30.0), (solver, 30.0)])
def test_one_warning_with_the_cure(train, rate):
    with pytest.warns(RuntimeWarning, match=TEXT) as found:
        train(rate)
    assert [warning.filename for warning in found] == [__file__]
    train(rate / 100)  # no warning: one would be an error here


def test_a_search_is_not_warned():
    found = search(TwoLayerNet, X, y, X, y, {"learning_rate": [30.0]}, hidden_size=8, std=1.0,
                   num_iters=40, batch_size=20, rng=np.random.RandomState(0))  # fmt: skip
    assert len(found.records) == 1


def test_ten_times_the_start_and_no_less():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        assert not warn_of_growth(2.0, 20.0, 5, 1)
        assert not warn_of_growth(0.001, 10.0, 5, 1)  # noise, not an explosion
        assert warn_of_growth(2.0, 20.1, 5, 1)
    assert [str(warning.message) for warning in found] == [
        "the loss has grown from 2 to 20.1 by iteration 5: take a learning rate ten times smaller"
    ]
