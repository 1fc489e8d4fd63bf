"""Losses against hand calculation, SciPy, numerical slopes and invariants."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from cs231n_helpers import (
    NotFiniteError,
    softmax_input_gradient,
    softmax_loss,
    softmax_loss_naive,
    softmax_loss_vectorized,
    svm_input_gradient,
    svm_loss,
    svm_loss_naive,
    svm_loss_vectorized,
    validation,
)
from cs231n_helpers.losses import l2_penalty

N, D, C = 7, 6, 4
SVM = [svm_loss_naive, svm_loss_vectorized]
SOFTMAX = [softmax_loss_naive, softmax_loss_vectorized]
WEIGHT_LOSSES = SVM + SOFTMAX
INPUT_GRADIENTS = [svm_input_gradient, softmax_input_gradient]


def problem(seed=0, num_examples=N, num_classes=C, dtype=np.float64):
    rng = np.random.RandomState(seed)
    W = rng.standard_normal((D, num_classes)).astype(dtype)
    X = rng.standard_normal((num_examples, D)).astype(dtype)
    return W, X, rng.randint(num_classes, size=num_examples)


def slopes(f, x, h=1e-6):
    """Central differences, written apart from the package."""
    steps = h * np.eye(x.size).reshape(-1, *x.shape)
    return np.reshape([f(x + step) - f(x - step) for step in steps], x.shape) / (2 * h)


@st.composite
def scores_and_labels(draw):
    shape = num_examples, num_classes = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    rng = np.random.RandomState(draw(st.integers(0, 10_000)))
    scores = draw(st.sampled_from([1e-3, 1.0, 30.0])) * rng.standard_normal(shape)
    return scores, rng.randint(num_classes, size=num_examples)


class TestHingeByHand:
    @pytest.mark.parametrize(
        ("delta", "total", "slopes"),
        [
            # margins: (-1, .5), (-1, 3), (-3, -3), and all of them 1.25 more
            ({}, 3.5, [[-1, 0, 1], [0, -1, 1], [0, 0, 0]]),
            ({"delta": 2.25}, 6.5, [[-2, 1, 1], [1, -2, 1], [0, 0, 0]]),
        ],
    )
    def test_three_examples(self, delta, total, slopes):
        scores = [[3.0, 1.0, 2.5], [0.0, 2.0, 4.0], [1.0, 1.0, 5.0]]
        loss, dscores = svm_loss(scores, [0, 1, 2], **delta)
        assert loss == pytest.approx(total / 3)
        np.testing.assert_allclose(dscores * 3, slopes)

    @pytest.mark.parametrize("delta", [0.0, 0.5, 1.0])
    def test_a_kink_takes_the_slope_zero(self, delta):
        loss, dscores = svm_loss([[2.0, 2.0 - delta]], [0], delta=delta)
        assert loss == 0
        np.testing.assert_array_equal(dscores, [[0, 0]])

    def test_kinks_in_the_loops_too(self):
        _, dW = svm_loss_naive([[2.0, 1.0]], [[1.0]], [0])
        np.testing.assert_array_equal(dW, [[0, 0]])


class TestSoftmaxByHand:
    def test_probabilities_one_to_three(self):
        loss, dscores = softmax_loss(np.log([[1.0, 3.0]]), [0])
        assert loss == pytest.approx(np.log(4))
        np.testing.assert_allclose(dscores, [[-0.75, 0.75]])

    def test_scores_of_ten_thousand(self):
        loss, dscores = softmax_loss([[1e4, -1e4], [-1e4, 1e4]], [1, 1])
        assert loss == 1e4
        np.testing.assert_array_equal(dscores, [[0.5, -0.5], [0, 0]])

    @pytest.mark.parametrize("loss", SOFTMAX)
    def test_weights_that_make_scores_of_ten_thousand(self, loss):
        value, dW = loss(np.array([[1e4, -1e4]]), np.array([[1.0], [-1.0]]), [1, 1])
        assert value == 1e4
        np.testing.assert_array_equal(dW, [[0.5, -0.5]])


@given(scores_and_labels())
def test_softmax_agrees_with_scipy(case):
    scores, y = case
    loss, dscores = softmax_loss(scores, y)
    logs = log_softmax(scores, axis=1)
    rows = np.arange(len(y))
    assert loss == pytest.approx(-logs[rows, y].mean(), rel=1e-12, abs=1e-14)
    expected = np.exp(logs)
    expected[rows, y] -= 1
    np.testing.assert_allclose(dscores, expected / len(y), atol=1e-14)


@given(scores_and_labels(), st.floats(0, 3))
def test_hinge_agrees_with_its_definition(case, delta):
    scores, y = case
    loss, dscores = svm_loss(scores, y, delta=delta)
    total, gradient = 0.0, np.zeros(scores.shape)
    for i, label in enumerate(y):
        for j in set(range(scores.shape[1])) - {label}:
            margin = scores[i, j] - scores[i, label] + delta
            total += max(0.0, margin)
            gradient[i, j] += margin > 0
            gradient[i, label] -= margin > 0
    assert loss == pytest.approx(total / len(y), rel=1e-12)
    np.testing.assert_allclose(dscores, gradient / len(y), atol=1e-15)


@pytest.mark.parametrize("loss", [svm_loss, softmax_loss])
class TestInvariants:
    @given(case=scores_and_labels(), shift=st.floats(-50, 50))
    def test_rows_sum_to_zero_and_shifts_change_nothing(self, loss, case, shift):
        scores, y = case
        value, dscores = loss(scores, y)
        np.testing.assert_allclose(dscores.sum(axis=1), 0, atol=1e-14)
        if loss is softmax_loss:  # the hinge's kinks make its gradient jump on rounding
            shifted, dshifted = loss(scores + shift, y)
            assert shifted == pytest.approx(value, abs=1e-12)
            np.testing.assert_allclose(dshifted, dscores, atol=1e-12)

    @given(case=scores_and_labels(), seed=st.integers(0, 99))
    def test_permuting_classes_and_examples(self, loss, case, seed):
        scores, y = case
        rng = np.random.RandomState(seed)
        rows, columns = rng.permutation(len(y)), rng.permutation(scores.shape[1])
        value, dscores = loss(scores, y)
        new_name = np.argsort(columns)
        moved, dmoved = loss(scores[rows][:, columns], new_name[y[rows]])
        assert moved == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(dmoved, dscores[rows][:, columns], atol=1e-14)

    @given(case=scores_and_labels())
    def test_every_example_twice_changes_nothing_but_the_share(self, loss, case):
        scores, y = case
        value, dscores = loss(scores, y)
        twice, dtwice = loss(np.tile(scores, (2, 1)), np.tile(y, 2))
        assert twice == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(2 * dtwice, np.tile(dscores, (2, 1)), atol=1e-14)

    @settings(max_examples=30)
    @given(case=scores_and_labels())
    def test_gradient_is_the_slope(self, loss, case):
        scores, y = case
        margins = scores - scores[np.arange(len(y)), y, np.newaxis] + 1
        margins[np.arange(len(y)), y] = 9
        assume(np.abs(margins).min() > 1e-4)
        np.testing.assert_allclose(
            loss(scores, y)[1], slopes(lambda S: loss(S, y)[0], scores), atol=1e-6
        )

    def test_two_classes_are_the_binary_case(self, loss):
        s = np.array([[0.3, -0.8], [2.0, 0.1], [-1.0, 0.4]])
        y = np.array([0, 1, 1])
        t = np.where(y == 1, 1, -1) * (s[:, 1] - s[:, 0])  # signed distance
        binary = np.maximum(0, 1 - t) if loss is svm_loss else np.log1p(np.exp(-t))
        assert loss(s, y)[0] == pytest.approx(binary.mean())

    def test_one_class_costs_nothing(self, loss):
        value, dscores = loss([[4.0], [5.0]], [0, 0])
        assert value == 0
        np.testing.assert_array_equal(dscores, [[0], [0]])

    def test_types(self, loss):
        scores = np.array([[1, 2], [0, 5]])
        value, dscores = loss(scores, np.array([0, 1], np.uint8))
        assert type(value) is float
        assert dscores.dtype == np.float64
        assert loss(scores.astype(np.float32), [0, 1])[1].dtype == np.float32


class TestLinear:
    @pytest.mark.parametrize(
        ("loss", "expected"), [(f, C - 1) for f in SVM] + [(f, np.log(C)) for f in SOFTMAX]
    )
    def test_known_value_at_zero_weights(self, loss, expected):
        _, X, y = problem()
        assert loss(np.zeros((D, C)), X, y)[0] == pytest.approx(expected, rel=1e-14)

    @pytest.mark.parametrize("loss", WEIGHT_LOSSES)
    @pytest.mark.parametrize("reg", [0.0, 0.3])
    @pytest.mark.parametrize("reg_scale", [0.5, 1.0])
    def test_gradient_is_the_slope(self, loss, reg, reg_scale):
        W, X, y = problem(3)
        _, dW = loss(W, X, y, reg, reg_scale=reg_scale)
        expected = slopes(lambda W: loss(W, X, y, reg, reg_scale=reg_scale)[0], W)
        np.testing.assert_allclose(dW, expected, atol=1e-8)

    @pytest.mark.parametrize("loss", WEIGHT_LOSSES)
    def test_penalty(self, loss):
        W, X, y = problem()
        bare, dbare = loss(W, X, y)
        value, dW = loss(W, X, y, 0.7, reg_scale=2.0)
        assert value - bare == pytest.approx(2 * 0.7 * (W**2).sum())
        np.testing.assert_allclose(dW - dbare, 4 * 0.7 * W, atol=1e-14)
        halved, _ = loss(W, X, y, 0.7)
        assert halved - bare == pytest.approx(0.5 * 0.7 * (W**2).sum())

    @pytest.mark.parametrize(("naive", "vectorized"), [SVM, SOFTMAX])
    @pytest.mark.parametrize("settings", [{}, {"reg": 0.2}, {"reg": 0.2, "reg_scale": 1.0}])
    def test_loops_and_matrices_agree(self, naive, vectorized, settings):
        for seed in range(5):
            case = problem(seed, num_examples=seed + 1, num_classes=seed + 1)
            (a, da), (b, db) = naive(*case, **settings), vectorized(*case, **settings)
            assert a == pytest.approx(b, rel=1e-13)
            np.testing.assert_allclose(da, db, atol=1e-14)

    @pytest.mark.parametrize("loss", SVM)
    @pytest.mark.parametrize("delta", [0.0, 0.4, 7.0])
    def test_margin_is_passed_on(self, loss, delta):
        W, X, y = problem()
        value, dW = loss(W, X, y, delta=delta)
        expected, dscores = svm_loss(X @ W, y, delta=delta)
        assert value == pytest.approx(expected, rel=1e-13)
        np.testing.assert_allclose(dW, X.T @ dscores, atol=1e-14)
        np.testing.assert_allclose(
            svm_input_gradient(W, X, y, delta=delta), dscores @ W.T, atol=1e-14
        )

    @pytest.mark.parametrize(
        ("gradient", "loss"),
        [(svm_input_gradient, svm_loss), (softmax_input_gradient, softmax_loss)],
    )
    def test_input_gradient_is_the_slope(self, gradient, loss):
        W, X, y = problem(4)
        expected = slopes(lambda X: loss(X @ W, y)[0], X)
        np.testing.assert_allclose(gradient(W, X, y), expected, atol=1e-8)

    @pytest.mark.parametrize("loss", WEIGHT_LOSSES)
    def test_types_and_images(self, loss):
        W, X, y = problem(dtype=np.float32)
        value, dW = loss(W, X, y, np.float64(0.1))
        assert type(value) is float
        assert dW.dtype == np.float32
        images = (X * 20 + 128).astype(np.uint8)
        _, dW = loss(W, images, y, 0.1)
        assert dW.dtype == np.float32
        np.testing.assert_allclose(dW, loss(W, images.astype(np.float32), y, 0.1)[1])
        assert loss(W, X.astype(np.float64), y)[1].dtype == np.float32
        assert loss(np.zeros((D, C), int), X, y)[1].dtype == np.float64

    @pytest.mark.parametrize("gradient", INPUT_GRADIENTS)
    def test_input_gradient_types(self, gradient):
        W, X, y = problem(dtype=np.float32)
        assert gradient(W, X, y).dtype == np.float32
        assert gradient(W.astype(np.float64), X, y).dtype == np.float32
        assert gradient(W, np.full((N, D), 200, np.uint8), y).shape == (N, D)

    @pytest.mark.parametrize("function", [*WEIGHT_LOSSES, *INPUT_GRADIENTS, svm_loss, softmax_loss])
    def test_arguments_stay_as_they_are(self, function):
        W, X, y = problem()
        arguments = (X @ W, y) if function in (svm_loss, softmax_loss) else (W, X, y)
        before = [a.copy() for a in arguments]
        function(*arguments)
        for a, b in zip(arguments, before, strict=True):
            np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("function", WEIGHT_LOSSES + INPUT_GRADIENTS)
    def test_memory_order_changes_nothing(self, function):
        W, X, y = problem()
        a = function(W, X, y)
        b = function(np.asfortranarray(W), X[::-1].copy()[::-1], y)
        np.testing.assert_allclose(a[-1], b[-1], rtol=1e-13)


@pytest.mark.parametrize("loss", [svm_loss_vectorized, softmax_loss_vectorized])
class TestBlocks:
    """X is gone through in blocks of rows; the cuts must not show in any result."""

    # 64 rows is the smallest block: one row short of a block, a whole one, one more, two, and more
    @pytest.mark.parametrize("num_examples", [63, 64, 65, 128, 150])
    @pytest.mark.parametrize("images", [False, True])
    def test_cuts_do_not_show(self, loss, num_examples, images, monkeypatch):
        W, X, y = problem(num_examples=num_examples)
        if images:
            X = (X * 20 + 128).astype(np.uint8)
        y[-1] = (y[-1] + 1) % C
        on_scores = svm_loss if loss is svm_loss_vectorized else softmax_loss
        value, dscores = on_scores(X @ W, y)
        for block_bytes in (1, 70 * D * 8, 10**9):
            monkeypatch.setattr(validation, "BLOCK_BYTES", block_bytes)
            got, dW = loss(W, X, y)
            assert got == pytest.approx(value, rel=1e-12)
            np.testing.assert_allclose(dW, X.T.astype(float) @ dscores, rtol=1e-12, atol=1e-14)

    def test_an_infinity_in_the_last_block_is_found(self, loss, monkeypatch):
        monkeypatch.setattr(validation, "BLOCK_BYTES", 1)
        W, X, y = problem(num_examples=150)
        X[[70, 149], [3, 2]] = np.inf
        with pytest.raises(NotFiniteError, match=r"X\[70, 3\] = inf \(2 of 900 entries"):
            loss(W, X, y)

    @pytest.mark.parametrize("bad", [False, True])
    def test_memory_does_not_grow_with_the_data(self, loss, bad, monkeypatch, tmp_path):
        monkeypatch.setattr(validation, "BLOCK_BYTES", 10_000)
        peaks = []
        for num_examples in (10_000, 10_000, 40_000):  # the first starts the threads
            shape = (num_examples, 150)
            X = np.memmap(tmp_path / "X", np.float32 if bad else np.uint8, "w+", shape=shape)
            if bad:
                X[:] = np.nan
            y = np.zeros(num_examples, np.uint8)
            tracemalloc.start()
            try:
                loss(np.zeros((150, C)), X, y)
            except NotFiniteError:
                assert bad
            peaks.append(tracemalloc.get_traced_memory()[1] - 8 * num_examples)  # labels
            tracemalloc.stop()
        assert peaks[2] < 2 * peaks[1] < X.nbytes / 2


def test_l2_penalty_of_any_shape():
    value, gradient = l2_penalty(np.array([[1.0, -2.0], [3.0, 0.0]]), 0.1, 1.0)
    assert value == pytest.approx(1.4)
    np.testing.assert_allclose(gradient, [[0.2, -0.4], [0.6, 0]])
    big = np.full(1_000_000, 0.1, np.float32)
    assert l2_penalty(big, 1.0)[0] == pytest.approx(5000, rel=1e-6)  # summed in float64
    assert l2_penalty(big, 1.0)[1].dtype == np.float32


W, X, y = problem()
BAD_BATCHES = [
    ((W, X, y - 1), {}, r"y\[\d\] = -1 is not a valid label: labels start at 0 .* relabel or drop"),
    ((W, X, y + 1), {}, r"y\[\d\] = 4 is not a valid label: W has 4 columns, so 0 <= y < 4"),
    ((W, X, y.astype(float)), {}, r"y has dtype float64, but labels are integers .*astype\(int\)"),
    ((W, X, y > 1), {}, "y has dtype bool, but labels are integers"),
    ((W, X, y[:-1]), {}, "y has 6 labels and X has 7 rows, .* slice both alike"),
    ((W, X, np.eye(C)[y]), {}, r"y has shape \(7, 4\), but it must be \(N,\).*argmax.*ravel"),
    ((W, X, y[:, None]), {}, r"y has shape \(7, 1\)"),
    ((W.T.copy(), X, y), {}, r"X has 6 columns and W has 4 rows, .* W looks transposed, pass W\.T"),
    ((W, X[:, :5], y), {}, "X has 5 columns and W has 6 rows, .* may lack its bias column"),
    ((W, np.c_[X, X[:, :1]], y), {}, "X has 7 columns .* a bias column of ones too many"),
    ((W, X[:, :2], y), {}, "X has 2 columns .* come from different data"),
    ((W, X[0], y[:1]), {}, r"X has shape \(6,\), .* X\[np.newaxis, :\]"),
    ((W, X.reshape(7, 6, 1), y), {}, r"X has shape \(7, 6, 1\), .* X.reshape\(len\(X\), -1\)"),
    ((W[:, 0], X, y), {}, r"W has shape \(6,\), but it must be a matrix of shape \(D, C\)"),
    ((W, X[:0], y[:0]), {}, r"X of shape \(0, 6\) is empty"),
    ((W[:, :0], X, y), {}, r"W of shape \(6, 0\) is empty"),
    ((W, X.astype(complex), y), {}, "X has dtype complex128, but it must hold real numbers"),
    ((W, X.astype(object), y), {}, "X has dtype object"),
]  # fmt: skip
BAD_PENALTIES = [
    ((W, X, y, -0.1), {}, r"reg = -0.1, but it must be a finite number >= 0: check its sign"),
    ((W, X, y, float("nan")), {}, "reg = nan, but"),
    ((W, X, y, np.ones(2)), {}, "reg = array"),
    ((W, X, y), {"reg_scale": -1}, "reg_scale = -1, but"),
]


@pytest.mark.parametrize(
    ("function", "case", "settings", "text"),
    [(f, *bad) for f in WEIGHT_LOSSES for bad in BAD_BATCHES + BAD_PENALTIES]
    + [(f, *bad) for f in INPUT_GRADIENTS for bad in BAD_BATCHES],
)
def test_bad_input_is_refused_by_name(function, case, settings, text):
    with pytest.raises((ValueError, TypeError), match=text):
        function(*case, **settings)


@pytest.mark.parametrize("function", [*SVM, svm_input_gradient])
@pytest.mark.parametrize("delta", [-1.0, np.inf])
def test_bad_margin(function, delta):
    with pytest.raises(ValueError, match=r"delta = .*, but it must be a finite number >= 0"):
        function(W, X, y, delta=delta)
    with pytest.raises(ValueError, match="delta = "):
        svm_loss(X @ W, y, delta=delta)


@pytest.mark.parametrize("loss", [svm_loss, softmax_loss])
@pytest.mark.parametrize(
    ("case", "text"),
    [
        (([[1.0, 2.0]], [2]), r"y\[0\] = 2 is not .*: scores has 2 columns, so 0 <= y < 2"),
        (([[1.0, 2.0]], [-1]), r"y\[0\] = -1 is not a valid label"),
        (([[1.0, 2.0]], [0, 1]), "y has 2 labels and scores has 1 rows"),
        (([1.0, 2.0], [0]), r"scores has shape \(2,\)"),
        (([[True, False]], [0]), "scores has dtype bool"),
        ((np.zeros((0, 3)), []), r"scores of shape \(0, 3\) is empty"),
        (([[1.0, np.nan]], [1]), r"scores\[0, 1\] = nan \(1 of 2 entries are not finite\)"),
        (([[1.0, np.inf]], [0]), r"scores\[0, 1\] = inf"),
    ],
)
def test_bad_scores(loss, case, text):
    with pytest.raises((ValueError, TypeError), match=text):
        loss(*case)


@pytest.mark.parametrize("function", WEIGHT_LOSSES + INPUT_GRADIENTS)
class TestNotFinite:
    def test_in_the_input(self, function):
        W, X, y = problem()
        W[1, 0] = np.inf
        with pytest.raises(NotFiniteError, match=r"W\[1, 0\] = inf"):
            function(W, X, y)
        W[1, 0], X[2, 3] = 0, np.nan
        with pytest.raises(NotFiniteError, match=r"X\[2, 3\] = nan \(1 of 42 entries"):
            function(W, X, y)

    def test_overflow(self, function):
        W, X, y = problem()
        with pytest.raises(NotFiniteError, match=r"although every input is finite \(max \|W\| ="):
            function(1e200 * W, 1e200 * X, y)
