"""The spiral of the course notes."""

import numpy as np
import pytest

from cs231n_helpers.datasets import make_spiral


def test_spiral_is_that_of_the_course_notes():
    """Arm by arm, from a generator seeded with 0."""
    X, y = make_spiral()
    rng = np.random.RandomState(0)
    for arm in range(3):
        radius = np.linspace(0, 1, 100)
        angle = np.linspace(4 * arm, 4 * arm + 4, 100) + 0.2 * rng.randn(100)
        expected = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
        np.testing.assert_allclose(X[100 * arm :][:100], expected, atol=1e-14)
        assert y[100 * arm :][:100].tolist() == [arm] * 100
    assert len(X) == len(y) == 300
    assert (X.dtype, y.dtype) == (np.float64, np.int64)


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
        ({"noise": [0.1]}, r"noise = \[0.1\], but it must be a finite number >= 0"),
        ({"noise": 1e308}, r"noise = 1e\+308 is too much, an angle is infinite: take less"),
        ({"points_per_class": 10**7}, r"num_classes = 30,000,000, but at most 10,000,000 points"),
        ({"num_classes": 10**8}, r"num_classes = 10,000,000,000, but at most 10,000,000 points"),
    ):
        with pytest.raises(ValueError, match=match):
            make_spiral(**options)
    with pytest.raises(TypeError, match="rng is 0, but it must be a generator"):
        make_spiral(rng=0)
