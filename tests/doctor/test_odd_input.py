"""Odd input to the gradient checker: the right verdict, or an error of its own that helps."""

from __future__ import annotations

import warnings
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from loss_examples import changed, data, softmax

from cs231n_helpers import check_gradient
from cs231n_helpers.doctor import Code
from cs231n_helpers.validation import NotFiniteError

W = np.array([1.0, -2.0, 0.5])


def quadratic(w, *data):
    return np.sum(w**2), 2 * w


def both(params):
    return sum(np.sum(w**2) for w in params.values()), {k: 2 * w for k, w in params.items()}


def cross_entropy(W, X, y, reg=0.1):
    P = softmax(X @ W)
    rows = np.arange(len(y))
    loss = -np.log(P[rows, y]).mean() + 0.5 * reg * np.sum(W * W)
    P[rows, y] -= 1
    return loss, X.T @ P / len(y) + reg * W


def returning(value=lambda loss: loss, gradient=lambda dW: dW):
    """A right loss, whose value and gradient come in another form."""

    def loss(w):
        return value(np.sum(w**2)), gradient(2 * w)

    return loss


def codes(report):
    return [f.code for f in report.findings]


@pytest.fixture(autouse=True)
def _nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


class TestRefused:
    @pytest.mark.parametrize(
        ("params", "error", "message"),
        [
            (np.ma.array([1.0, 100.0], mask=[0, 1]), TypeError, "params is a masked array"),
            ({"b": np.ma.array([1.0])}, TypeError, r"params\['b'\] is a masked array"),
            ([[1.0], [2.0, 3.0]], ValueError, "params is ragged"),
            ({"W": [[1.0], [2.0, 3.0]]}, ValueError, r"params\['W'\] is ragged"),
            (
                np.array([[1.0, 2.0]]).view(np.matrix),
                TypeError,
                r"params is a np.matrix.*np.asarray\(params\)",
            ),
            ([Fraction(1, 3)], TypeError, "dtype object"),
            ([10**400], TypeError, "dtype object"),
            (None, TypeError, "dtype object"),
            ("text", TypeError, "must hold real numbers"),
            (W + 0j, TypeError, "dtype complex128"),
            (np.zeros(2, [("a", float)]), TypeError, "must hold real numbers"),
            (np.array(["2020-01-01"], "M8[D]"), TypeError, "dtype datetime64"),
            ({"W": {"b": W}}, TypeError, r"params\['W'\] has dtype object"),
            (1e300 * W, ValueError, r"params reaches 2.e\+300, but beyond 1e\+100"),
            (np.longdouble("1e4000") * W, ValueError, r"params reaches"),
        ],
    )
    def test_parameters(self, params, error, message):
        with pytest.raises(error, match=message):
            check_gradient(both if isinstance(params, dict) else quadratic, params)

    @pytest.mark.parametrize("how", ["positional", "named", "inside"])
    def test_a_masked_argument(self, how):
        X = np.ma.array([1.0, 2.0], mask=[0, 1])
        args, kwargs = {
            "positional": ((X,), {}), "named": ((), {"X": X}), "inside": (({"X": X},), {})
        }[how]  # fmt: skip
        with pytest.raises(TypeError, match="the argument X is a masked array"):
            check_gradient(lambda w, X: quadratic(w), W, *args, **kwargs)

    @pytest.mark.parametrize(
        "value",
        [Fraction, Decimal, str, complex, np.float16, lambda v: 10**400,
         lambda v: True, lambda v: iter([v]), lambda v: np.datetime64("2020")],
    )  # fmt: skip
    def test_a_value_that_is_no_number(self, value):
        with pytest.raises(TypeError, match="must be one real number"):
            check_gradient(returning(value), W)

    @pytest.mark.parametrize(
        ("value", "error", "message"),
        [
            (lambda v: np.ma.masked, TypeError, "the loss is a masked array"),
            (lambda v: [[1.0], [2.0, 3.0]], ValueError, "the loss is ragged"),
            (lambda v: np.longdouble("1e4000"), ValueError, r"the loss reaches 1.8e\+308"),
            (lambda v: 1e300 * v, ValueError, "scale the parameters or the data down"),
        ],
    )
    def test_other_values(self, value, error, message):
        with pytest.raises(error, match=message):
            check_gradient(returning(value), W)

    @pytest.mark.parametrize(
        ("gradient", "error", "message"),
        [
            (lambda g: iter(g), TypeError, "it must hold real numbers: return an array"),
            (lambda g: {"w": g}, TypeError, "params must be a dict with the same keys"),
            (lambda g: g + 0j, TypeError, "the gradient has dtype complex128"),
            (lambda g: g.astype(object), TypeError, "the gradient has dtype object"),
            (lambda g: [Fraction(v) for v in g], TypeError, "the gradient has dtype object"),
            (lambda g: [[1.0], [2.0, 3.0]], ValueError, "the gradient is ragged"),
            (lambda g: [np.ones(2), np.ones(1)], ValueError, "the gradient is ragged"),
            (lambda g: 1e120 * g, ValueError, "the gradient reaches"),
        ],
    )
    def test_gradients(self, gradient, error, message):
        with pytest.raises(error, match=message):
            check_gradient(returning(gradient=gradient), W)

    @pytest.mark.parametrize("rng", [3, "text", np.nan, np.random, np.random.RandomState])
    def test_what_does_not_draw(self, rng):
        with pytest.raises(TypeError, match=r"pass np\.random\.default_rng"):
            check_gradient(quadratic, W, rng=rng)

    def test_ragged_things_are_no_matter_of_shapes(self):
        """Although data of equal sizes are recognized, where a shape error would be a mistake."""
        W, X, y = data(4, 4, 4)

        def loss(W, X, y):
            return 1.0, [[1.0], [2.0, 3.0]]

        with pytest.raises(ValueError, match="the gradient is ragged"):
            check_gradient(loss, W, X, y)

    def test_what_cannot_be_read(self):
        class Tensor:
            def __array__(self, *_, **__):
                raise RuntimeError("it requires grad")

        for call in ((quadratic, Tensor()), (returning(gradient=lambda g: Tensor()), W)):
            with pytest.raises(TypeError, match=r"cannot be read as an array \(it requires grad\)"):
                check_gradient(*call)

    def test_containers_that_hold_themselves(self):
        a, b = [1.0, W], {"W": W}
        a += [a, b]
        b["b"] = b
        assert check_gradient(quadratic, W, a, b)
        with pytest.raises(ValueError, match="params is ragged"):
            check_gradient(quadratic, a[::2])


class TestWhereItIsNotFinite:
    @pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e300])
    @pytest.mark.parametrize("way", ["argument", "list", "closure", "object", "container"])
    def test_the_data_are_named_that_hold_it(self, number, way):
        W, X, y = data()
        X = np.repeat(X, 2, axis=0)[::2]
        X[2, 3], X[3, 3] = number, 1e300

        def unshifted(W, X, y):  # right for ordinary numbers
            S = np.asarray(X) @ W
            P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
            T = np.eye(W.shape[1])[y]
            return -np.log((P * T).sum(axis=1)).mean(), np.asarray(X).T @ (P - T) / len(y)

        held = SimpleNamespace(inner=SimpleNamespace(X=X))
        split = {"X": X, "y": y}
        call = {
            "argument": (unshifted, W, X, y), "list": (unshifted, W, X.tolist(), y),
            "closure": (lambda W: unshifted(W, X, y), W),
            "object": (lambda W: unshifted(W, held.inner.X, y), W),
            "container": (lambda W, split: unshifted(W, split["X"], split["y"]), W, split),
        }[way]  # fmt: skip
        before = X.copy()
        name = "an array that it reads from outside" if way == "object" else "X"
        seen = "1e.300" if np.isfinite(number) else str(number)
        with pytest.raises(NotFiniteError, match=f"because {name} holds {seen}: check with finite"):
            check_gradient(*call)
        np.testing.assert_array_equal(X, before)

    @pytest.mark.parametrize("reg", [np.nan, np.inf, 1e308])
    def test_a_number_is_named(self, reg):
        W, X, y = data()
        for call in ((cross_entropy, W, X, y, reg), (lambda W: cross_entropy(W, X, y, reg), W)):
            with pytest.raises(NotFiniteError, match=f"because reg holds {reg}".replace("+", ".")):
                check_gradient(*call)

    def test_huge_parameters_are_named(self):
        with pytest.raises(NotFiniteError, match=r"because params holds -2e\+80"):
            check_gradient(lambda w: (np.sum(w**4), 4 * w**3), 1e80 * W)

    def test_two_that_hold_it_are_told_by_the_first(self):
        W, X, y = data()
        with pytest.raises(NotFiniteError, match="because X holds nan"):
            check_gradient(cross_entropy, W, np.nan * X, y, np.nan)

    def test_nan_that_is_not_to_blame_is_left_in_peace(self):
        spare = np.full(3, np.nan)
        report = check_gradient(lambda w, X: (np.sum(np.log(w)), 1 / w), W, spare)
        assert codes(report) == [Code.NAN_LOSS]
        assert check_gradient(quadratic, W, spare)

    def test_a_gradient_that_is_lost_elsewhere_is_wrong(self):
        report = check_gradient(returning(gradient=lambda g: np.where(g > 2, np.nan, g)), W)
        assert report.verdict == "wrong"
        assert codes(report)[0] == Code.NAN_LOSS


class TestFewDigits:
    def test_whole_numbers_are_a_mistake_only_where_they_are_wrong(self):
        right = check_gradient(lambda w: (np.sum(w), np.ones(3, np.uint8)), W)
        assert right.verdict == "correct"
        assert codes(right) == [Code.INT_TRUNCATION]
        for dtype in (np.int8, np.uint8, np.int64):
            wrong = check_gradient(returning(gradient=lambda g, t=dtype: g.astype(t)), np.abs(W))
            assert wrong.verdict == "wrong"
            assert codes(wrong)[0] == Code.INT_TRUNCATION

    @pytest.mark.parametrize("loss", [quadratic, lambda w: (np.sum(np.cosh(w)), np.sinh(w))])
    def test_float16_gradients(self, loss):
        right = check_gradient(changed(loss, np.float16), W)
        assert right.verdict == "correct"
        assert "float16, so errors below 0.2%" in str(right)
        assert not check_gradient(changed(loss, lambda g: np.float16(1.02 * g)), W)

    def test_float16_gradients_of_a_known_assignment(self):
        assert check_gradient(changed(cross_entropy, np.float16), *data())

        def of_sum(W, X, y):
            value, gradient = cross_entropy(W, X, y)
            return value, np.float16(len(X) * gradient)

        report = check_gradient(of_sum, *data())
        assert report.mistakes[0].code == "scale_N"

    def test_float16_ends_early(self):
        report = check_gradient(lambda w: (np.sum(1e5 * w), np.float16(1e5 + 0 * w)), W)
        assert "ends at 65,504" in str(report)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble, np.uint8, ">f8"])
    def test_parameters_of_any_dtype(self, dtype):
        assert check_gradient(quadratic, np.abs(W).astype(dtype))
        assert not check_gradient(changed(quadratic, lambda g: 3 * g), np.abs(W).astype(dtype))

    def test_a_float32_loss_that_is_0_here(self):
        assert check_gradient(lambda w: (np.float32(np.sum(w * W)), W), 0 * W)

    @pytest.mark.parametrize("size", [1e-300, 1e-160, 5e-324, 0.0, 1e40])
    def test_parameters_of_any_size(self, size):
        for factor in (1, -1):
            report = check_gradient(changed(quadratic, lambda g, f=factor: f * g), size * W)
            assert report.verdict == ("correct" if factor == 1 else "wrong")

    def test_slopes_that_overflow_on_the_way_say_nothing(self):
        w = np.zeros(1)
        report = check_gradient(lambda w: (1e300 * abs(w[0]), 0 * w), w)
        assert report.verdict == "inconclusive"

    def test_truncated_small_arrays_beside_others_in_float32(self):
        params = {"W": np.array([3.2, -0.2, -2.5]), "b": np.array([-0.3, 0.1, 0.24, -0.13])}

        def loss(params):
            value, gradient = both(params)
            return np.float32(value), {**gradient, "b": gradient["b"].astype(int)}

        assert check_gradient(loss, params).verdict == "wrong"

    def test_slopes_below_rounding_say_nothing(self):
        for factor in (1, 3):

            def loss(w, factor=factor):
                return 1 + 1e-30 * np.sum(w**2), factor * 2e-30 * w

            report = check_gradient(loss, W)
            assert report.verdict == "inconclusive"
            assert "drown in the rounding" in str(report)


class TestForms:
    def test_a_masked_gradient_is_a_mistake_where_something_is_masked(self):
        masked = check_gradient(returning(gradient=lambda g: np.ma.array(g, mask=[1, 0, 0])), W)
        assert masked.verdict == "wrong"
        assert codes(masked) == [Code.MASKED_GRADIENT]
        bare = check_gradient(returning(gradient=np.ma.array), W)
        assert bare.verdict == "correct"
        assert codes(bare) == [Code.MASKED_GRADIENT]

    @pytest.mark.parametrize("keys", [(1, 2), (None, (1, 2)), ("", "<b>"), ("$x_", "a\nb")])
    def test_any_keys(self, keys):
        params = dict.fromkeys(keys, W)
        assert check_gradient(both, params)
        report = check_gradient(changed(both, lambda g: {k: 3 * v for k, v in g.items()}), params)
        assert report.verdict == "wrong"
        assert all([str(report), report.explain(), report._repr_html_(), report.plot()])

    def test_what_else_is_in_the_gradient_does_not_matter(self):
        def loss(params):
            value, gradient = both(params)
            return value, {**gradient, "cache": [[1.0], [2.0, 3.0]], "none": None}

        assert check_gradient(loss, {"w": W})

    @pytest.mark.parametrize("y", [2**40, np.uint64(2**64 - 1), 2**63 - 1])
    def test_labels_make_no_arrays(self, y):
        W, X, _ = data()
        assert check_gradient(quadratic, W, X, np.full(23, y))

    def test_data_that_is_not_read_is_not_blamed(self):
        W, X, y = data()
        assert check_gradient(quadratic, W, X, y)
        assert check_gradient(quadratic, W, X, y * 1.0)

    def test_an_elementwise_loss_is_not_taken_for_a_net(self):
        a, t, w = np.random.RandomState(0).uniform(1, 2, (3, 1, 4))
        assert check_gradient(lambda w, a, t: (np.sum(a * (w - t) ** 2), 2 * a * (w - t)), w, a, t)

    @pytest.mark.parametrize(
        "held",
        [np.array(["a", "b"]), np.array([None, 1], object), np.zeros(2, [("a", float)]),
         np.array(["2020", "2021"], "M8[Y]"), np.array([True, False]), np.zeros(2, complex)],
        ids=lambda a: a.dtype.kind,
    )  # fmt: skip
    def test_any_array_that_is_changed_in_place_is_told(self, held):
        def loss(w, held):
            held[0] = held[1]
            return quadratic(w)

        report = check_gradient(loss, W, held)
        same = held.dtype.kind in "Vc"  # both were 0
        assert codes(report) == ([] if same else [Code.MUTATES_INPUT])

    @pytest.mark.parametrize("new", [None, "text", [[1.0], [2.0, 3.0]], np.array(["a", "b", "c"])])
    def test_a_parameter_that_is_replaced_is_told(self, new):
        def loss(params):
            found = both(params)
            params["w"] = new
            return found

        report = check_gradient(loss, {"w": W})
        assert codes(report) == [Code.MUTATES_INPUT]


def test_pictures_of_a_loss_in_float32_that_overflows_there():
    report = check_gradient(lambda w: (np.float32(1e36 * np.sum(w**2)), 2e36 * w), W)
    assert report.plot()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("at", [1, 2, 5, 30])
def test_an_interrupt_goes_through_and_leaves_all_as_it_was(error, at):
    calls, (W, X, y) = [], data()
    state, before = {"calls": calls}, X.copy()

    def loss(W):
        calls.append(0)
        X[0, 0] += at < 30  # else it goes on to small data
        if len(calls) == at:
            raise error
        value, gradient = cross_entropy(W, X, y)
        return value, 2 * gradient

    with pytest.raises(error):
        check_gradient(loss, W)
    assert state == {"calls": []}
    np.testing.assert_array_equal(X, before)
