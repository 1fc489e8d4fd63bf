"""What NumPy would accept in silence and get wrong: refused by name, or computed right."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import (
    LinearSVM,
    NotFiniteError,
    Softmax,
    TwoLayerNet,
    eval_numerical_gradient,
    eval_numerical_gradient_array,
    grad_check_sparse,
    rel_error,
    search,
    softmax_input_gradient,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
    svm_input_gradient,
    svm_loss,
    svm_loss_naive,
    svm_loss_vectorized,
)
from cs231n_helpers.losses import l2_penalty

OF_WEIGHTS = [
    svm_loss_naive, svm_loss_vectorized, softmax_loss_naive, softmax_loss_vectorized,
    svm_input_gradient, softmax_input_gradient,
]  # fmt: skip
X, W = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[1.0, -1.0], [0.5, 2.0]])
Y = np.array([0, 1])


def on_net(X, y=None, **params):
    net = TwoLayerNet(2, 2, 2)
    net.params |= params
    return net.loss(X, y)


class TestLabels:
    @pytest.mark.parametrize(
        ("y", "text"),
        [
            (np.array([0, 1], np.uint64) - np.uint64(1), r"y\[0\] = 18446744073709551615 is not"),
            (
                np.array([1, 2**64 - 3], np.uint64),
                r"y\[1\] = 18446744073709551613 is not a valid label",
            ),
            (np.array([1, 2**63], np.uint64), r"y\[1\] = 9223372036854775808 is not a valid label"),
            ([0, 2**40], r"y\[1\] = 1099511627776 is not a valid label"),
        ],
    )
    @pytest.mark.parametrize("function", OF_WEIGHTS)
    def test_those_that_would_wrap_around_are_named(self, function, y, text):
        with pytest.raises(ValueError, match=text):
            function(W, X, y)
        with pytest.raises(ValueError, match=text):
            svm_loss(X, y)
        with pytest.raises(ValueError, match=text):
            on_net(X, y)

    @pytest.mark.parametrize("label", [10_000, 2**40])
    def test_training_makes_no_column_for_each_number_below_an_identifier(self, label):
        text = r"\[1\] = \d+ would make [\d,]+ classes for 2 examples.*np.unique"
        with pytest.raises(ValueError, match="y" + text):
            Softmax().train(X, [0, label])

    def test_many_classes_are_no_mistake(self):
        model = LinearSVM()
        model.train(X, [0, 9_999], num_iters=1)
        assert model.W.shape == (2, 10_000)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
class TestInactiveInfinities:
    """Where no margin or ReLU is active, 0 * inf hides in the gradient alone, or nowhere."""

    @pytest.mark.parametrize("function", OF_WEIGHTS)
    @pytest.mark.parametrize("num_classes", [1, 2])
    def test_every_version_names_the_example(self, function, num_classes, bad):
        examples = np.array([[1.0, 1.0], [bad, 1.0]])
        weights = np.array([[1.0, -1.0], [9.0, -9.0]])[:, :num_classes]
        with pytest.raises(NotFiniteError, match=r"X\[1, 0\] = -?(nan|inf)"):
            function(weights, examples, [0, 0])

    @pytest.mark.parametrize("loss", [svm_loss, softmax_loss])
    def test_scores(self, loss, bad):
        with pytest.raises(NotFiniteError, match=r"scores\[0, 1\] = "):
            loss([[9.0, bad]], [0])

    @pytest.mark.parametrize("y", [None, [0, 1]])
    def test_a_net_whose_units_are_off(self, y, bad):
        off = np.array([[-1.0, -1.0], [0.0, 0.0]])
        with pytest.raises(NotFiniteError, match=r"X\[1, 0\] = "):
            on_net(np.array([[1.0, 1.0], [bad, 1.0]]), y, W1=off)

    def test_prediction(self, bad):
        examples = np.ones((300, 2))
        examples[257, 1] = bad
        linear, net = LinearSVM(), TwoLayerNet(2, 2, 2)
        linear.W = W
        for model in (linear, net):
            with pytest.raises(NotFiniteError, match=r"X\[257, 1\] = "):
                model.predict(examples)


@pytest.mark.parametrize("function", OF_WEIGHTS[:4])
def test_a_gradient_that_overflows_alone_is_said(function):
    with pytest.raises(NotFiniteError, match="overflow"):
        function(np.zeros((1, 2), np.float32), np.full((2, 1), 1e300), [0, 0])


def test_no_penalty_needs_no_squares():
    large = np.full((2, 2), 1e25, np.float32)  # whose squares are beyond float32
    assert l2_penalty(large, 0.0)[0] == 0
    assert l2_penalty(large, 1e-50)[0] == pytest.approx(2)


def test_the_cause_of_an_overflow_is_named():
    with pytest.raises(NotFiniteError, match=r"the penalty overflows .*max \|reg\| = 1e\+308"):
        svm_loss_vectorized(W, X, Y, 1e308)
    with pytest.raises(NotFiniteError, match=r"the scores overflow float32.*max \|X\| = 1e\+30"):
        svm_loss_vectorized(1e20 * W.astype("f4"), 1e30 * X.astype("f4") / 3, Y)


class TestFloat16:
    def test_many_examples(self):
        N = 70_000
        ones, labels = np.ones((N, 1), np.float16), np.zeros(N, int)
        for function in (svm_loss_vectorized, svm_loss_naive):
            loss, dW = function(np.zeros((1, 2), np.float16), ones, labels)
            assert loss == 1
            np.testing.assert_allclose(dW, [[-1, 1]], rtol=1e-5)
        dscores = svm_loss(np.zeros((N, 2), np.float16), labels)[1]
        np.testing.assert_allclose(dscores.sum(axis=0, dtype=float), [-1, 1], rtol=1e-6)

    @pytest.mark.parametrize("loss", [svm_loss_vectorized, svm_loss_naive])
    def test_large_images(self, loss):
        _, dW = loss(np.zeros((1, 2), np.float16), np.full((100, 1), 100_000.0), np.zeros(100, int))
        assert dW.tolist() == [[-100_000, 100_000]]

    def test_models_train_in_float32(self):
        model = LinearSVM()
        model.train(X.astype(np.float16), Y, num_iters=2)
        assert model.W.dtype == np.float32
        assert on_net(X.astype(np.float16)).dtype == np.float64  # that of the weights


MASKED = np.ma.array([[1.0, 2.0], [3.0, 100.0]], mask=[[0, 0], [0, 1]])


@pytest.mark.parametrize(
    "call",
    [
        *(lambda M, f=f: f(W, M, Y) for f in OF_WEIGHTS),
        *(lambda M, f=f: f(M, X, Y) for f in OF_WEIGHTS),
        lambda M: svm_loss(M, Y),
        lambda M: softmax_loss([*M], Y),
        lambda M: svm_loss(X, M[1].astype(int)),
        lambda M: l2_penalty(M, 1.0),
        on_net,
        lambda M: on_net(X, W1=M),
        lambda M: Softmax().train(M, Y),
        lambda M: rel_error(M, X),
        lambda M: eval_numerical_gradient(np.sum, M),
        lambda M: eval_numerical_gradient(lambda x: M[1, 1], X.copy()),
        lambda M: eval_numerical_gradient_array(lambda x: x, X.copy(), M),
        lambda M: eval_numerical_gradient_array(lambda x: M, X.copy(), X),
        lambda M: grad_check_sparse(np.sum, X.copy(), M),
        lambda M: search(LinearSVM, M, Y, X, Y, {"reg": [0.0]}),
    ],
)
def test_a_mask_is_not_lost(call):
    with pytest.raises(TypeError, match="is a masked array"):
        call(MASKED)


@pytest.mark.parametrize("dtype", [int, bool, str, complex, object, np.float16, "nonsense", ">f8"])
def test_a_net_has_real_parameters(dtype):
    with pytest.raises(TypeError, match=r"dtype = .*, but it must be np.float32 or np.float64"):
        TwoLayerNet(2, 2, 2, dtype=dtype)


class TestParameters:
    @pytest.mark.parametrize(
        ("params", "text"),
        [
            ({"b2": np.ones((2, 1))}, r"b2 has shape \(2, 1\), but W1 .* need \(2,\)"),
            ({"b1": np.ones((1, 2))}, r"b1 has shape \(1, 2\), but"),
            ({"b1": np.float64(1)}, r"b1 has shape \(\), but"),
            ({"W2": np.ones((1, 2))}, r"W2 has shape \(1, 2\), but"),
            ({"W1": np.ones(2)}, r"W1 has shape \(2,\)"),
            ({"W1": X.astype(complex)}, "W1 has dtype complex128"),
            ({"b2": np.array([None, 1])}, "b2 has dtype object"),
            ({"b2": [[1.0], [2.0, 3.0]]}, "b2 is ragged"),
            ({"W3": X}, "params is .*, but it must be a dict of W1, b1, W2 and b2"),
        ],
    )
    @pytest.mark.parametrize("y", [None, Y])
    def test_of_another_shape_or_kind_are_refused(self, params, text, y):
        with pytest.raises((ValueError, TypeError), match=text):
            on_net(X, y, **params)

    def test_integers_and_lists_are_what_they_say(self):
        expected = on_net(X, Y, W1=W, b1=np.array([1.0, 2.0]))
        loss, grads = on_net(X, Y, W1=W.tolist(), b1=np.array([1, 2]))
        assert loss == expected[0]
        np.testing.assert_array_equal(grads["W1"], expected[1]["W1"])
        net = TwoLayerNet(2, 2, 2)
        net.params["b1"] = np.array([1, 2])
        net.train(X, Y, X, Y, learning_rate=0.1, num_iters=3)
        assert net.params["b1"].dtype == np.float64


@pytest.mark.parametrize(
    ("x", "h", "text"),
    [
        (np.array([2.0], np.float16), 1e-5, r"h = 1e-05 is lost .*take h = 2e-01, or better pass"),
        (np.array([500.0], np.float32), 1e-5, r"x\[0\] = 500.0 of dtype float32: take h = 2e\+00"),
        (np.array([1e12]), 1e-5, r"take h = 6e\+06$"),
        (np.array([1.0]), 1e-17, "take h = 6e-06"),
    ],
)
def test_a_step_that_is_lost_in_rounding_gives_no_slope_of_zero(x, h, text):
    for call in (
        lambda: eval_numerical_gradient(lambda x: float(x[0] ** 2), x, h=h),
        lambda: eval_numerical_gradient_array(lambda x: x**2, x, np.ones(1), h),
        lambda: grad_check_sparse(lambda x: float(x[0] ** 2), x, 2 * x, h=h),
    ):
        with pytest.raises(ValueError, match=text):
            call()


def test_a_step_that_is_rounded_counts_as_it_came_out():
    x = np.array([60.0, -100.0], np.float32)  # numbers are 4e-6 and 8e-6 apart there
    gradient = eval_numerical_gradient(lambda x: float(np.sum(x.astype(float) ** 2)), x)
    np.testing.assert_allclose(gradient, 2 * x, rtol=1e-6)


@pytest.mark.parametrize("x", [[1.0], (1.0,), 1.0])
def test_what_f_cannot_see_change_is_refused(x):
    with pytest.raises(TypeError, match=r"x is a .*, but f must see x change in place"):
        eval_numerical_gradient(lambda _: 1.0, x)


@pytest.mark.parametrize("value", [1j, "1", None, [None], True])
def test_a_loss_is_a_real_number(value):
    with pytest.raises(TypeError, match=r"f returned .*, but it must return one number"):
        eval_numerical_gradient(lambda x: value, np.ones(1))


def test_relative_errors_of_the_largest_numbers():
    assert rel_error(1.7e308, 1.6e308) == pytest.approx(1 / 33)
    assert np.isnan(rel_error([np.inf], [np.inf]))
    with pytest.raises(TypeError, match="x has dtype complex128"):
        rel_error([1j], [1.0])


@pytest.mark.parametrize("value", [True, 10**400, 1j, "1", np.array(1.0), None])
def test_a_strength_is_one_real_number(value):
    with pytest.raises(ValueError, match=r"reg = .{1,60}, but it must be a finite number >= 0"):
        svm_loss_vectorized(W, X, Y, value)


@pytest.mark.parametrize("ragged", [[[1.0, 2.0], [3.0]], [np.ones(2), np.ones(3)]])
def test_ragged_rows_are_named(ragged):
    with pytest.raises(ValueError, match="X is ragged"):
        svm_loss_vectorized(W, ragged, Y)
