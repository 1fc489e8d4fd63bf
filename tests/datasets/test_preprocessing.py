"""From images to design matrices."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from small_sets import ARRAYS

from cs231n_helpers import NotFiniteError
from cs231n_helpers.datasets import Splits, design_matrix, mean_image, preprocess


def pictures(n=7, shape=(3, 2), seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
def test_mean_image(dtype):
    X = pictures(dtype=dtype)
    mean = mean_image(X)
    expected = [sum(float(x[r, c]) for x in X) / 7 for r in range(3) for c in range(2)]
    assert mean.dtype == np.float64
    np.testing.assert_allclose(mean, expected, rtol=1e-15)
    np.testing.assert_array_equal(mean_image(X.reshape(7, 6)), mean)


def test_mean_image_of_many_bright_images_is_exact():
    assert mean_image(np.full((70_000, 1, 2), 255, np.uint8)).tolist() == [255, 255]
    assert mean_image(np.full((70_000, 2), 0.1, np.float32)) == pytest.approx([0.1, 0.1], rel=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("n", [1, 255, 256, 257, 600])
def test_design_matrix(n, dtype):
    X = pictures(n)
    mean = np.linspace(0.1, 99.9, 6)
    matrix = design_matrix(X, mean, dtype=dtype)
    assert matrix.shape == (n, 7)
    assert matrix.dtype == dtype
    np.testing.assert_array_equal(matrix[:, 6], np.ones(n))
    expected = (X.reshape(n, 6).astype(np.float64) - mean).astype(dtype)
    np.testing.assert_array_equal(matrix[:, :6], expected)
    np.testing.assert_array_equal(design_matrix(X, mean, bias=False, dtype=dtype), expected)
    np.testing.assert_array_equal(
        design_matrix(X, dtype=dtype)[:, :6], X.reshape(n, 6).astype(dtype)
    )


def test_design_matrix_flattens_row_by_row_with_channels_last():
    X = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    matrix = design_matrix(X, bias=False)
    assert matrix[1, 3 * 3 * 1 + 3 * 2 + 1] == X[1, 1, 2, 1]


def test_bad_images():
    with pytest.raises(TypeError, match=r"X_train has dtype bool: use uint8"):
        mean_image(np.ones((2, 3), bool))
    with pytest.raises(TypeError, match=r"X has dtype <U1: use"):
        design_matrix([["a"]])
    for shape in ((), (4,), (0, 28, 28), (3, 0)):
        match = re.escape(f"X_train has shape {shape}, but must be (N, ...) with N >= 1 images")
        with pytest.raises(ValueError, match=match + r".*pass X_train\[np.newaxis\]"):
            mean_image(np.zeros(shape))
    for mean in (np.zeros(5), np.zeros((1, 6)), 0.0):
        match = r"mean has shape .* and a row of X 6 features: pass mean_image\(X_train\)"
        with pytest.raises(ValueError, match=match):
            design_matrix(pictures(), mean)
    with pytest.raises(TypeError, match=r"dtype = .*uint8.* must be np.float32 or"):
        design_matrix(pictures(), dtype=np.uint8)


MASKED = np.ma.masked_array([[1.0, 2.0], [3.0, 100.0]], [[False, False], [False, True]])
RAGGED = [[1, 2], [3]]
NO_IMAGES = {
    "masked": (MASKED, TypeError, "X is a masked array"),
    "masked rows": ([MASKED[0], MASKED[1]], TypeError, "X is a masked array"),
    "ragged": (RAGGED, ValueError, "X is ragged"),
    "complex": ([[1j]], TypeError, "X has dtype complex128: use"),
    "objects": ([[None]], TypeError, "X has dtype object: use"),
    "beyond float": ([[10**400]], TypeError, "X has dtype object: use"),
    "nothing": (None, TypeError, "X has dtype object: use"),
    "nan": ([[0.0, np.nan]], NotFiniteError, r"X\[0, 1\] = nan"),
    "inf": ([[-np.inf]], NotFiniteError, r"X\[0, 0\] = -inf"),
}


@pytest.mark.parametrize(("images", "kind", "match"), NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_are_no_images(images, kind, match):
    with pytest.raises(kind, match=match):
        design_matrix(images)
    with pytest.raises(kind, match=match.replace("X", "X_train", 1)):
        mean_image(images)


NO_MEANS = {
    "masked": (MASKED[1], TypeError, "mean is a masked array"),
    "ragged": ([1, [2]], ValueError, "mean is ragged"),
    "complex": ([1j, 1], TypeError, "mean has dtype complex128, but"),
    "strings": (["1", "2"], TypeError, "mean has dtype <U1, but"),
    "booleans": ([True, False], TypeError, "mean has dtype bool, but"),
    "objects": ([None, 1], TypeError, "mean has dtype object, but"),
    "nan": ([1, np.nan], NotFiniteError, r"mean\[1\] = nan"),
    "a row": ([[1, 2]], ValueError, r"mean has shape \(1, 2\)"),
    "a number": (3.0, ValueError, r"mean has shape \(\)"),
}


@pytest.mark.parametrize(("mean", "kind", "match"), NO_MEANS.values(), ids=NO_MEANS)
def test_what_is_no_mean(mean, kind, match):
    with pytest.raises(kind, match=match):
        design_matrix([[1, 2]], mean)


@pytest.mark.parametrize("dtype", [int, str, complex, object, "nonsense", None, 3, [], "f4,f4", ()])
def test_what_is_no_floating_dtype(dtype, splits):
    match = r"dtype = .* must be np.float32 or"
    with pytest.raises(TypeError, match=match):
        design_matrix([[1, 2]], dtype=dtype)
    with pytest.raises(TypeError, match=match):
        preprocess(splits, dtype=dtype)


@pytest.mark.parametrize("bias", [2, -1, None, "no", [True]])
def test_bias_is_a_yes_or_a_no(bias):
    with pytest.raises(TypeError, match=r"bias = .*, but it must be True or False"):
        design_matrix([[1, 2]], bias=bias)


@pytest.mark.parametrize(
    "column",
    [
        np.array([2**63 - 1, 2**63 - 1, 2**63 - 4]),
        np.array([-(2**63), -(2**63), 5]),
        np.array([2**64 - 1, 2**64 - 3, 1], np.uint64),
        np.array([2**62, -(2**62), 2**62, 1]),
        np.array([2**31 - 1] * 3, np.int32),
        np.array([1.7e308, 1.7e308, -1e300]),
        np.array([6e4] * 5, np.float16),
        np.array([3e38] * 5, np.float32),
    ],
)
def test_mean_of_huge_numbers(column):
    exact = sum(map(Fraction, column.tolist())) / len(column)
    assert mean_image(column[:, np.newaxis]) == pytest.approx([float(exact)], rel=1e-15)


@pytest.mark.parametrize(
    ("value", "dtype"), [(7e4, np.float16), (1e39, np.float32), (1.7e308, np.float64)]
)
def test_what_a_dtype_cannot_hold_is_refused(value, dtype):
    match = r"X - mean is beyond float\d\d, which ends at .*: use a larger dtype, or scale X down"
    with pytest.raises(ValueError, match=match):
        design_matrix([[value]], [-value], dtype=dtype)


def test_long_doubles_are_rounded_once():
    X = np.array([[1]], np.longdouble) + np.finfo(np.longdouble).eps
    assert (design_matrix(X, [1.0], dtype=np.longdouble)[0, 0] > 0) == (X[0, 0] > 1)


@pytest.mark.parametrize("splits", [None, 3, "fashion_mnist", np.zeros((2, 28, 28)), {}])
def test_preprocess_of_what_is_no_splits(splits):
    with pytest.raises(TypeError, match=r"splits is .*: pass what a loader returns"):
        preprocess(splits)


@pytest.fixture
def splits():
    rng = np.random.default_rng(4)
    X = [rng.integers(0, 256, (n, 28, 28)).astype(np.uint8) for n in (300, 20, 10)]
    y = [rng.integers(0, 10, len(x)) for x in X]
    return Splits(X[0], y[0], X[1], y[1], X[2], y[2], ("class",) * 10, (28, 28), "mine")


def test_preprocess(splits):
    before = {name: getattr(splits, name).copy() for name in ARRAYS}
    result = preprocess(splits)
    mean = splits.X_train.mean(axis=0).ravel()
    for name in ("X_train", "X_val", "X_test"):
        X, matrix = getattr(splits, name), getattr(result, name)
        assert matrix.shape == (len(X), 785)
        assert matrix.dtype == np.float32
        np.testing.assert_allclose(matrix[:, :784], X.reshape(len(X), 784) - mean, atol=1e-5)
        assert (matrix[:, 784] == 1).all()
    for name in ("y_train", "y_val", "y_test", "class_names", "image_shape", "name"):
        assert getattr(result, name) is getattr(splits, name)
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(splits, name), array)
    assert abs(result.X_train[:, :784].mean(axis=0, dtype=float)).max() < 1e-4
    assert preprocess(splits, bias=False).X_val.shape == (20, 784)
    assert preprocess(splits, dtype=np.float64).X_test.dtype == np.float64


def test_nothing_leaks_into_the_mean(splits):
    result = preprocess(splits)
    changes = {"X_val": 255 - splits.X_val, "X_test": splits.X_test[:1]}
    other = preprocess(replace(splits, y_val=splits.y_val[::-1], **changes))
    np.testing.assert_array_equal(other.X_train, result.X_train)
    np.testing.assert_array_equal(other.X_test, result.X_test[:1])
    shifted = preprocess(replace(splits, X_train=np.full((300, 28, 28), 9, np.uint8)))
    np.testing.assert_array_equal(shifted.X_val[:, :784], splits.X_val.reshape(20, 784) - 9.0)


def test_preprocess_twice(splits):
    match = r"X_train has shape \(300, 785\), but images are \(N, \*\(28, 28\)\): preprocess what a"
    with pytest.raises(ValueError, match=match):
        preprocess(preprocess(splits))
