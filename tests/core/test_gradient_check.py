"""The course's gradient checkers: right on what is known, awake to small errors, careful with x."""

from __future__ import annotations

import numpy as np
import pytest

from cs231n_helpers import (
    TwoLayerNet,
    eval_numerical_gradient,
    eval_numerical_gradient_array,
    grad_check_sparse,
    rel_error,
    softmax_loss_vectorized,
)

CHECKERS = [
    eval_numerical_gradient,
    lambda f, x, **kw: eval_numerical_gradient_array(lambda x: np.array(f(x)), x, 1.0, **kw),
    lambda f, x, **kw: grad_check_sparse(f, x, np.zeros_like(x), **kw),
]


def cubic(x):
    return float(np.sum(x**3))


class TestNumericalGradient:
    def test_cubic(self):
        x = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
        gradient = eval_numerical_gradient(cubic, x)
        np.testing.assert_allclose(gradient, 3 * x**2, atol=1e-8)

    def test_it_is_the_central_difference_of_the_given_step(self):
        # ((x + h)**3 - (x - h)**3) / 2h = 3 x**2 + h**2
        gradient = eval_numerical_gradient(cubic, np.array([2.0]), h=0.1)
        np.testing.assert_allclose(gradient, [12.01], rtol=1e-12)

    def test_default_step(self):
        seen = []
        eval_numerical_gradient(lambda x: seen.append(float(x[0])) or 0.0, np.array([0.0]))
        assert seen == [1e-5, -1e-5]

    def test_verbose_prints_each_coordinate(self, capsys):
        eval_numerical_gradient(lambda x: 2.0 * float(x[0]), np.array([0.0, 0.0]), True)
        assert capsys.readouterr().out == "(0,) 2.0\n(1,) 0.0\n"

    def test_a_function_that_reads_x_where_it_lives(self):
        # the course's lambda W: net.loss(X, y, reg)[0]
        net = TwoLayerNet(3, 4, 2, std=0.5, rng=np.random.RandomState(0))
        X, y = np.random.RandomState(1).standard_normal((5, 3)), [0, 1, 1, 0, 1]
        _, grads = net.loss(X, y, 0.1)
        for name, analytic in grads.items():
            numerical = eval_numerical_gradient(lambda _: net.loss(X, y, 0.1)[0], net.params[name])
            assert rel_error(numerical, analytic) < 1e-6

    def test_scalars_of_all_kinds(self):
        x = np.array(3.0)
        for f in (lambda x: x**2, lambda x: np.array([x**2]), lambda x: float(x) ** 2):
            np.testing.assert_allclose(eval_numerical_gradient(f, x), 6, rtol=1e-8)

    def test_float32_gives_float32(self):
        assert eval_numerical_gradient(cubic, np.ones(2, np.float32), h=1e-2).dtype == np.float32


class TestNumericalGradientArray:
    def test_jacobian_times_df(self):
        A = np.random.RandomState(0).standard_normal((4, 3))
        df = np.array([1.0, -2.0, 0.0, 0.5])
        gradient = eval_numerical_gradient_array(lambda x: A @ x, np.ones(3), df)
        np.testing.assert_allclose(gradient, A.T @ df, atol=1e-9)

    def test_step_and_a_buffer_used_twice(self):
        buffer = np.empty(1)

        def f(x):
            buffer[:] = x**3
            return buffer

        gradient = eval_numerical_gradient_array(f, np.array([2.0]), np.array([10.0]), h=0.1)
        np.testing.assert_allclose(gradient, [120.1], rtol=1e-12)

    def test_shapes_must_agree(self):
        text = r"f\(x\) has shape \(2,\) and df has shape \(3,\), .* pass the gradient that arrives"
        with pytest.raises(ValueError, match=text):
            eval_numerical_gradient_array(lambda x: x, np.ones(2), np.ones(3))


class TestSparse:
    x = np.random.RandomState(0).standard_normal((30, 10))

    def test_right_gradient(self, capsys):
        errors = grad_check_sparse(cubic, self.x, 3 * self.x**2, 25)
        assert errors.shape == (25,)
        assert errors.max() < 1e-6
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 25
        assert lines[0].startswith("numerical: ")

    def test_line_and_error(self, capsys):
        errors = grad_check_sparse(lambda x: 3 * float(x[0]), np.ones(1), np.array([-1.0]))
        np.testing.assert_allclose(errors, [1.0])
        expected = "numerical: 3.000000 analytic: -1.000000, relative error: 1.000000e+00\n"
        assert capsys.readouterr().out == expected

    @pytest.mark.parametrize("size", [1.001, 0.999])
    def test_one_part_in_a_thousand_is_seen(self, size):
        errors = grad_check_sparse(cubic, self.x, size * 3 * self.x**2)
        np.testing.assert_allclose(errors, 5e-4, rtol=0.01)

    def test_zero_by_zero_is_no_error(self):
        assert grad_check_sparse(lambda x: 1.0, np.ones(3), np.zeros(3)).tolist() == [0, 0, 0]

    def test_coordinates_are_different_and_drawn_by_rng(self):
        x = np.zeros((3, 4))
        f = lambda x: float(x.ravel() @ np.arange(12.0))  # noqa: E731
        analytic = np.arange(12.0).reshape(3, 4)
        assert len(grad_check_sparse(f, x, analytic, 100)) == 12
        errors = grad_check_sparse(f, x, 2 * analytic * (analytic == 7), 12)
        assert sorted(errors.round(3))[:2] == [0, 0.333]  # all but two coordinates are wrong

        def drawn(rng):
            seen = []
            note = lambda x: seen.append(int(np.abs(x).argmax())) or 0.0  # noqa: E731
            grad_check_sparse(note, x, x, 5, rng=rng)
            return seen[::2]

        assert drawn(np.random.default_rng(1)) == drawn(np.random.default_rng(1))
        assert drawn(np.random.default_rng(1)) != drawn(np.random.RandomState(2))
        assert drawn(None) == drawn(np.random.RandomState(0))
        assert len(set(drawn(None))) == 5

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"analytic_grad has shape \(10, 30\) and x has shape"):
            grad_check_sparse(cubic, self.x, self.x.T)
        with pytest.raises(ValueError, match="num_checks = 0, but it must be an integer >= 1"):
            grad_check_sparse(cubic, self.x, self.x, 0)


@pytest.mark.parametrize("check", CHECKERS)
class TestCareWithX:
    def test_restored_to_the_bit(self, check):
        x = np.random.RandomState(0).standard_normal((4, 3)) * 1e-3
        before = x.copy()
        check(cubic, x)
        assert x.tobytes() == before.tobytes()

    def test_restored_when_f_raises(self, check):
        x = np.full(3, 0.1)

        def f(x):
            raise RuntimeError("inside")

        with pytest.raises(RuntimeError, match="inside"):
            check(f, x)
        assert x.tolist() == [0.1, 0.1, 0.1]

    def test_read_only_fortran_order_and_views(self, check):
        x = np.asfortranarray(np.random.RandomState(0).standard_normal((4, 3)))
        expected = check(cubic, x.copy())
        np.testing.assert_allclose(check(cubic, x), expected)
        np.testing.assert_allclose(check(cubic, x.repeat(2, axis=0)[::2]), expected)
        x.flags.writeable = False
        np.testing.assert_allclose(check(cubic, x), expected)

    @pytest.mark.parametrize("dtype", [int, bool, complex])
    def test_refuses_what_is_not_floating_point(self, check, dtype):
        with pytest.raises(TypeError, match=r"x has dtype .*, but x \+ h needs floating point"):
            check(cubic, np.ones(3, dtype))

    def test_refuses_empty_and_bad_steps(self, check):
        with pytest.raises(ValueError, match=r"x of shape \(0, 3\) is empty"):
            check(cubic, np.zeros((0, 3)))
        for h in (0, -1e-5, np.nan):
            with pytest.raises(ValueError, match=r"h = .*, but it must be a finite number > 0"):
                check(cubic, np.ones(3), h=h)


@pytest.mark.parametrize("check", [CHECKERS[0], CHECKERS[2]])
def test_f_must_return_the_loss_alone(check):
    W = np.ones((3, 2))
    with pytest.raises(TypeError, match=r"f returned tuple .* take the loss alone, as in lambda W"):
        check(lambda W: softmax_loss_vectorized(W, np.ones((4, 3)), [0, 1, 1, 0]), W)
    with pytest.raises(TypeError, match="f returned ndarray"):
        check(lambda W: W, W)


class TestRelativeError:
    def test_largest_of_all(self):
        assert rel_error([1.0, -2.0, 5.0], [1.0, 2.0, 4.0]) == 1.0
        assert rel_error([4.0], [5.0]) == pytest.approx(1 / 9)
        assert type(rel_error([4.0], [5.0])) is float

    def test_zero_and_tiny(self):
        assert rel_error(np.zeros(3), np.zeros(3)) == 0
        assert rel_error(1e-9, 0.0) == pytest.approx(0.1)

    def test_unsigned_integers_do_not_wrap(self):
        assert rel_error(np.array([1], np.uint8), np.array([3], np.uint8)) == 0.5

    def test_nan_is_never_small(self):
        assert not rel_error([np.nan, 1.0], [1.0, 1.0]) < 1

    def test_shapes(self):
        with pytest.raises(ValueError, match=r"x has shape \(2, 1\) and y has shape \(2,\)"):
            rel_error(np.ones((2, 1)), np.ones(2))
        with pytest.raises(ValueError, match=r"x has shape \(0,\)"):
            rel_error([], [])
