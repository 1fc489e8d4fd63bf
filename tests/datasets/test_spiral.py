"""The spiral of the course notes."""

import numpy as np
import pytest

from cs231n_helpers.datasets import make_spiral


def course_notes_spiral():
    """The points of the course notes, arm by arm, from the global generator seeded with 0."""
    rng = np.random.RandomState(0)
    X, y = np.zeros((300, 2)), np.zeros(300, int)
    for arm in range(3):
        radius = np.linspace(0, 1, 100)
        angle = np.linspace(4 * arm, 4 * arm + 4, 100) + 0.2 * rng.randn(100)
        X[100 * arm : 100 * (arm + 1), 0] = radius * np.sin(angle)
        X[100 * arm : 100 * (arm + 1), 1] = radius * np.cos(angle)
        y[100 * arm : 100 * (arm + 1)] = arm
    return X, y


def test_spiral_is_that_of_the_course_notes():
    X, y = make_spiral()
    expected_X, expected_y = course_notes_spiral()
    np.testing.assert_allclose(X, expected_X, atol=1e-14)
    np.testing.assert_array_equal(y, expected_y)
    assert (X.dtype, y.dtype) == (np.float64, np.int64)


def test_linear_classifier_on_the_spiral():
    """Accuracy 0.49 in the course notes: no straight lines separate the arms."""
    X, y = make_spiral()
    W, b, target = np.zeros((2, 3)), np.zeros(3), np.eye(3)[y]
    for _ in range(200):
        scores = np.exp(X @ W + b)
        slope = (scores / scores.sum(axis=1, keepdims=True) - target) / len(y)
        W, b = W - X.T @ slope - 1e-3 * W, b - slope.sum(axis=0)
    assert 0.47 < np.mean((X @ W + b).argmax(axis=1) == y) < 0.55


def test_spiral_options():
    X, y = make_spiral(5, 4, noise=0)
    assert X.shape == (20, 2)
    assert y.tolist() == [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5
    np.testing.assert_allclose(np.hypot(*X.T), np.tile([0, 0.25, 0.5, 0.75, 1], 4), atol=1e-15)
    np.testing.assert_allclose(X[-1], [np.sin(16), np.cos(16)])
    np.testing.assert_allclose(X[6], [0.25 * np.sin(5), 0.25 * np.cos(5)])
    quiet, loud = (make_spiral(noise=noise)[0] for noise in (0.1, 0.3))
    still = make_spiral(noise=0)[0]
    assert np.abs(quiet - still).max() < np.abs(loud - still).max()


def test_spiral_draws_from_its_own_generator():
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    np.testing.assert_array_equal(make_spiral()[0], make_spiral(rng=np.random.RandomState(0))[0])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    rng = np.random.default_rng(0)
    first, second = make_spiral(rng=rng)[0], make_spiral(rng=rng)[0]
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, make_spiral(rng=np.random.default_rng(0))[0])


def test_bad_spirals():
    for options, match in (
        ({"points_per_class": 0}, "points_per_class = 0, but it must be an integer >= 1"),
        ({"num_classes": 2.5}, "num_classes = 2.5, but it must be an integer >= 1"),
        ({"noise": -0.1}, "noise = -0.1, but it must be a finite number >= 0"),
    ):
        with pytest.raises(ValueError, match=match):
            make_spiral(**options)
    with pytest.raises(TypeError, match="rng is 0, but it must be a generator"):
        make_spiral(rng=0)
