"""The ways to call the checker, its errors, and what it warns of."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from loss_examples import changed, data, softmax

from cs231n_helpers import (
    check_gradient,
    softmax_input_gradient,
    softmax_loss,
    softmax_loss_vectorized,
    svm_loss,
    svm_loss_naive,
    svm_loss_vectorized,
)


class TestWaysToCall:
    def test_forms_of_functions(self):
        W, X, y = data()
        reg = 0.1

        def wrong(W, X, y, reg):
            value, gradient = svm_loss_vectorized(W, X, y, reg)
            return value, len(X) * (gradient - reg * W) + reg * W

        class Model:
            def __init__(self):
                self.X, self.y = X, y

            def cost(self, W, reg):
                return wrong(W, self.X, self.y, reg)

            def __call__(self, W):
                return wrong(W, self.X, self.y, 0.1)

        calls = [
            (wrong, (X, y, 0.1), {}),
            (wrong, (X, y), {"reg": 0.1}),
            (lambda W: wrong(W, X, y, reg), (), {}),
            (lambda W, strength=0.1: wrong(W, X, y, strength), (), {}),
            (functools.partial(wrong, X=X, y=y), (), {"reg": 0.1}),
            (Model().cost, (0.1,), {}),
            (Model(), (), {}),
        ]
        for loss, args, kwargs in calls:
            report = check_gradient(loss, W, *args, **kwargs)
            assert report.verdict == "wrong"
            assert report.findings[0].code == "scale_N", loss
            assert len(report.mistakes) == 1

    def test_scores_and_inputs(self):
        W, X, y = data()
        assert check_gradient(softmax_loss, X @ W, y)
        assert check_gradient(svm_loss, X @ W, y)
        assert check_gradient(
            lambda X: (softmax_loss(X @ W, y)[0], softmax_input_gradient(W, X, y)), X
        )
        report = check_gradient(changed(softmax_loss, lambda g: len(g) * g), X @ W, y)
        assert report.findings[0].code == "scale_N"

    def test_gradient_by_the_input(self):
        W, X, y = data()

        def wrong(factor, X, W, y):
            value, dscores = softmax_loss(X @ W, y)
            return value, factor(len(X)) * dscores @ W.T

        cases = {"scale_N": lambda n: n, "sign": lambda n: -1, "scale_half": lambda n: 0.5}
        for code, factor in cases.items():
            report = check_gradient(lambda X, f=factor: wrong(f, X, W, y), X)
            assert report.findings[0].code == code

        def transposed(X, W, y):  # unnoticed where D == C
            value, dscores = softmax_loss(X @ W, y)
            return value, dscores @ W

        assert check_gradient(transposed, X[:, :4], W[:4], y).findings[0].code == "transpose"

    def test_factors_are_named_where_the_assignment_is_not_known(self):
        A = np.random.RandomState(0).standard_normal((9, 3))
        factors = {1 / 9: "scale_inv_N", 9: "scale_N", -1: "sign", 0.5: "scale_half"}
        factors |= {0: "grad_zero", 7: "scale_const"}
        for factor, code in factors.items():

            def loss(w, A, factor=factor):
                return np.sum(np.cosh(A @ w)), factor * A.T @ np.sinh(A @ w)

            report = check_gradient(loss, np.array([0.3, -0.2, 0.5]), A)
            assert [f.code for f in report.mistakes] == [code]  # and no error of shapes

    def test_memory_layouts(self):
        W, X, y = data()
        for layout in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2]):
            assert check_gradient(svm_loss_vectorized, layout(W), layout(X), y, 0.1)
        for array in (W, X, y):
            array.flags.writeable = False
        assert check_gradient(svm_loss_vectorized, W, X, y, 0.1)
        assert check_gradient(svm_loss_naive, W.tolist(), X, y.tolist(), 0.1)

    def test_integer_parameters_are_raised(self):
        report = check_gradient(lambda w: (np.sum(w**2), 2 * w), np.array([1, 2, 3]))
        assert report.verdict == "correct"
        assert [f.code for f in report.cautions] == ["integer_params"]

    @pytest.mark.parametrize("value", [float, np.array, np.float64, lambda v: np.array([v]), int])
    def test_kinds_of_scalars(self, value):
        w = np.array([3.0, -1.0])
        report = check_gradient(lambda w: (value(np.sum(w**2)), 2 * w), w)
        assert report.verdict == ("wrong" if value is int else "correct")

    def test_parameters_of_any_number_of_axes(self):
        rng = np.random.RandomState(0)
        for shape in ((), (1,), (3, 2, 4), (1, 1)):
            w = rng.standard_normal(shape)
            assert check_gradient(lambda w: (np.sum(w**2), 2 * w), w)
            assert not check_gradient(lambda w: (np.sum(w**2), 3 * w), w)

    def test_an_empty_array_among_others(self):
        params = {"w": np.ones(3), "none": np.zeros((0, 4))}

        def loss(params):
            return np.sum(params["w"] ** 2), {"w": 2 * params["w"], "none": params["none"]}

        assert check_gradient(loss, params)


def quadratic(w):
    return np.sum(w**2), 2 * w


class Net:
    def loss(self, X, y):
        raise AssertionError


class TestBadInput:
    def test_errors_inside_the_loss_are_passed_on_with_a_note(self):
        def broken(w):
            raise KeyError("bias")

        with pytest.raises(KeyError, match="bias") as caught:
            check_gradient(broken, np.ones(2))
        assert "evaluation 1 of check_gradient" in caught.value.__notes__[0]

        def shapes(w, X):
            return np.sum(X @ w), X.sum(axis=0)

        with pytest.raises(ValueError, match="matmul"):
            check_gradient(shapes, np.ones(2), np.ones((4, 3)))

    @pytest.mark.parametrize(
        ("loss", "params", "error", "message"),
        [
            ((1.0, 2.0), np.ones(2), TypeError, "the function itself is needed: check_gradient"),
            (np.ones(2), quadratic, TypeError, r"comes first: check_gradient\(quadratic, "),
            (Net, np.ones(2), TypeError, r"Net is a class.*net = Net\(\.\.\.\), then check_gr"),
            (lambda w: np.sum(w), np.ones(2), TypeError, r"must return two things, \(value"),
            (lambda w: (1.0, w, 0.5), np.ones(3), TypeError, "must return two things"),
            (lambda w: (w, 1.0), np.ones(3), TypeError, "exchange the two"),
            (lambda p: (1.0, p), [np.ones(3)] * 2, TypeError, r"pass \{'W1': W1"),
            (lambda w: (1.0, {"w": w}), np.ones(3), TypeError, "a dict with the same keys"),
            (lambda w: (1j, w), np.ones(2), TypeError, "must be one real number"),
            (lambda w: (1.0, "dW"), np.ones(2), TypeError, "must hold real numbers"),
            (lambda w: (1.0, w["a"]), {"a": np.ones(2)}, TypeError, "must have the same form"),
            (lambda w: (1.0, w), np.array([]), ValueError, "params is empty"),
            (lambda w: (1.0, w), {}, ValueError, "params is empty"),
            (lambda w: (1.0, w), np.zeros((3, 0)), ValueError, "params is empty"),
            (lambda w: (1.0, w), np.array(["a"]), TypeError, "must hold real numbers"),
            (lambda w: (1.0, w), np.array([1.0, np.nan]), ValueError, r"params\[1\] = nan"),
            (lambda w: (1.0, w), {"b": np.array([np.inf])}, ValueError, r"params\['b'\]"),
        ],
    )
    def test_it_says_what_was_wrong(self, loss, params, error, message):
        with pytest.raises(error, match=message):
            check_gradient(loss, params)

    def test_the_call_that_was_meant_is_written_with_the_names_of_the_caller(self):
        weights, dW = np.ones(2), np.ones(2)
        with pytest.raises(TypeError, match=r"alone.*: check_gradient\(quadratic, weights\)"):
            check_gradient(quadratic, weights, dW)
        W, X, y = data()
        report = check_gradient(softmax_loss_vectorized, X, W, y, reg=0.1)
        meant = "call check_gradient(softmax_loss_vectorized, W, X, y, reg=0.1)"
        assert meant in report.findings[0].message

    def test_rng_must_draw(self):
        with pytest.raises(TypeError, match="rng is 3"):
            check_gradient(lambda w: (np.sum(w), w), np.ones(2), rng=3)

    def test_loss_that_is_not_finite(self):
        def alias(W, X, y):
            P = softmax(X @ W)
            P[np.arange(len(y)), y] -= 1
            return -np.log(P[np.arange(len(y)), y]).mean(), X.T @ P / len(y)

        report = check_gradient(alias, *data())
        assert report.verdict == "wrong"
        assert report.findings[0].code == "nan_loss"

        def unshifted(W, X, y):
            P = np.exp(X @ W)
            P /= P.sum(axis=1, keepdims=True)
            T = np.eye(W.shape[1])[y]
            return -np.log(P[np.arange(len(y)), y]).mean(), X.T @ (P - T) / len(y)

        W, X, y = data()
        for scale in (1, 5000):  # harmless here, and not finite there
            report = check_gradient(unshifted, scale * W, X, y)
            assert report.verdict == "wrong"
            assert report.findings[0].code == "overflow"


class TestCautions:
    def codes(self, *args, **kwargs):
        report = check_gradient(*args, **kwargs)
        assert report.verdict == "correct"
        return [f.code for f in report.cautions]

    def test_of_the_data(self):
        W, X, y = data()
        assert self.codes(softmax_loss_vectorized, W, X, y, 0.1) == []
        assert self.codes(softmax_loss_vectorized, W, X, y, 0.0) == ["small_penalty"]
        assert self.codes(softmax_loss_vectorized, W, X, y, 5e-6) == ["small_penalty"]
        assert self.codes(softmax_loss_vectorized, 0 * W, X, y, 0.1) == ["zero_weights"]
        assert self.codes(softmax_loss_vectorized, *data(5, 4, 4), 0.1) == ["equal_sizes"]
        assert self.codes(softmax_loss_vectorized, *data(4, 5, 4), 0.1) == ["equal_sizes"]

    def test_sums_for_means(self):
        def summed(S, y):
            value, gradient = softmax_loss(S, y)
            return value * len(S), gradient * len(S)

        W, X, y = data()
        assert self.codes(summed, X @ W, y) == ["loss_value"]

    def test_what_the_data_hide_is_found_on_other_data(self):
        def no_penalty(W, X, y, reg):
            value, gradient = softmax_loss_vectorized(W, X, y, reg)
            return value, gradient - reg * W

        W, X, y = data()
        report = check_gradient(no_penalty, W, X, y, 0.0)
        assert report.verdict == "wrong"
        assert report.findings[0].code == "reg_missing"
        assert str(report).startswith("No error shows with these parameters and data, but on other")
        assert "reg = 0.1" in report.reason
