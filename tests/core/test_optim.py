"""Update rules against published steps, hand calculation, and their own invariants."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import NotFiniteError
from cs231n_helpers.optim import RULES, adam, rmsprop, sgd_momentum

W, DW = (np.linspace(*ends, 20).reshape(4, 5) for ends in ((-0.4, 0.6), (-0.6, 0.4)))
STATE = np.linspace(0.6, 0.9, 20).reshape(4, 5)
PUBLISHED = [
    (sgd_momentum, {"learning_rate": 1e-3, "velocity": STATE}, 0.1406),
    (rmsprop, {"learning_rate": 1e-2, "cache": STATE}, -0.39223849),
    (
        adam,
        {"learning_rate": 1e-2, "m": STATE, "v": np.linspace(0.7, 0.5, 20).reshape(4, 5), "t": 5},
        -0.40094747,
    ),
]
EACH = pytest.mark.parametrize("rule", RULES.values())


@pytest.mark.parametrize(("rule", "config", "first"), PUBLISHED)
def test_published_steps(rule, config, first):
    next_w, after = rule(W, DW, config)
    assert next_w[0, 0] == pytest.approx(first, abs=5e-9)
    assert after is config  # what is remembered is found where it was given


def test_two_steps_by_hand():
    """The rate is 0.5, the gradient 2 and then -1; adam's moments are exact fractions."""
    expected = {
        "sgd": (0.0, 0.5),
        "sgd_momentum": (0.0, 0.0 - 0.9 + 0.5),
        "rmsprop": (1 - 0.5 / 0.1, 1 - 0.5 / 0.1 + 0.5 / np.sqrt(0.99 * 0.04 + 0.01)),
        "adam": (0.5, 0.5 - 0.5 * (0.08 / 0.19) / np.sqrt((0.999 * 0.004 + 0.001) / 0.001999)),
    }
    for name, steps in expected.items():
        w, config = np.array([1.0]), {"learning_rate": 0.5}
        for gradient, then in zip((2.0, -1.0), steps, strict=True):
            w, config = RULES[name](w, np.array([gradient]), config)
            assert w[0] == pytest.approx(then, abs=1e-6), name


@EACH
class TestEachRule:
    def test_defaults_are_the_published_ones(self, rule):
        _, config = rule(W, DW)
        numbers = {name: value for name, value in config.items() if np.ndim(value) == 0}
        assert (
            numbers
            == {
                "sgd": {"learning_rate": 1e-2},
                "sgd_momentum": {"learning_rate": 1e-2, "momentum": 0.9},
                "rmsprop": {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8},
                "adam": {
                    "learning_rate": 1e-3,
                    "beta1": 0.9,
                    "beta2": 0.999,
                    "epsilon": 1e-8,
                    "t": 1,
                },
            }[rule.__name__]
        )

    def test_types_and_arguments(self, rule):
        before = W.copy(), DW.copy()
        _, config = rule(W, DW)
        kept = {name: np.copy(value) for name, value in config.items()}
        state = dict(config)
        rule(W, DW, config)
        np.testing.assert_array_equal((W, DW), before)
        for name, value in state.items():
            np.testing.assert_array_equal(value, kept[name])
        next_w, config = rule(W.astype(np.float32), DW, {"learning_rate": np.float64(0.1)})
        arrays = [next_w, *(value for value in config.values() if np.ndim(value))]
        assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
        assert rule([1, 2], [3, 4])[0].shape == (2,)

    def test_it_finds_the_bottom_of_a_valley(self, rule):
        w, config = np.array([1.0, 1.0]), {"learning_rate": 0.02}
        for _ in range(400):
            w, config = rule(w, np.array([1.0, 20.0]) * w, config)
        assert np.abs(w).max() < 0.05

    @pytest.mark.parametrize(
        ("w", "dw", "config", "kind", "text"),
        [
            (W, DW.T, None, ValueError, r"dw has shape \(5, 4\) and w has shape \(4, 5\)"),
            (W, DW[0], None, ValueError, r"dw has shape \(5,\)"),
            (W, DW > 0, None, TypeError, "dw has dtype bool"),
            (W, DW, [0.1], TypeError, r"config is \[0.1\], but it must be a dict"),
            (W, DW, {"learning_rate": -1}, ValueError, "learning_rate = -1, but"),
            (W, DW, {"learning_rate": "0.1"}, ValueError, "learning_rate = '0.1', but"),
            (W * np.nan, DW, None, NotFiniteError, r"w\[0, 0\] = nan"),
            (W, DW * np.inf, None, NotFiniteError, r"dw\[0, 0\] = -inf"),
            (W, DW, {"learning_rate": 1e308, "epsilon": 0.0}, NotFiniteError, "step overflows"),
        ],
    )
    def test_bad_input_is_refused_by_name(self, rule, w, dw, config, kind, text):
        if kind is NotFiniteError and config:
            dw = dw * 1e300
        with pytest.raises(kind, match=text):
            rule(w, dw, config if config is None else config.copy())


@pytest.mark.parametrize(
    ("rule", "config", "text"),
    [
        (sgd_momentum, {"momentum": 1.0}, "momentum = 1.0, but it must be a number >= 0 and < 1"),
        (rmsprop, {"decay_rate": -0.1}, "decay_rate = -0.1"),
        (rmsprop, {"epsilon": None}, "epsilon = None"),
        (adam, {"beta1": 2}, "beta1 = 2"),
        (adam, {"beta2": 1}, "beta2 = 1"),
        (adam, {"t": -1}, "t = -1"),
        (sgd_momentum, {"velocity": STATE[0]}, r"velocity has shape \(5,\) and w .* of its own"),
        (rmsprop, {"cache": [1.0]}, "cache has shape"),
        (adam, {"m": STATE, "v": 0.0}, "v has shape"),
    ],
)
def test_bad_numbers_and_states_are_refused_by_name(rule, config, text):
    with pytest.raises(ValueError, match=text):
        rule(W, DW, config)
