"""Hidden tests: whatever a function returns, raises, keeps or changes becomes a sentence."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from right_solutions import RIGHT, defined
from wrong_solutions import WRONG

from classroom.grading import hidden_data, rubrics
from classroom.grading.exercises import FUNCTION, NOTEBOOK, POINTS
from classroom.grading.rubrics import PARTS, Part, grade_exercise
from classroom.grading.training_rubrics import RecordingLoss
from classroom.sandbox import NotDefinedError, Stopped, StudentError
from cs231n_helpers import TwoLayerNet, eval_numerical_gradient, softmax_loss


def graded(exercise: str, function: Any, seed: int = 0, **more: Any) -> list[Part]:
    return grade_exercise(exercise, function, np.random.default_rng(seed), **more)


def lost(exercise: str, function: Any, seed: int = 0, **more: Any) -> set[str]:
    parts = graded(exercise, function, seed, **more)
    assert [p.name for p in parts] == list(PARTS[exercise])
    return {part.name for part in parts if not part.passed}


def first_right(exercise: str) -> Callable[..., Any]:
    return defined(right_source(exercise), exercise)


def right_source(exercise: str) -> str:
    return next(source for e, _, source in RIGHT if e == exercise)


# ---- the contract ----


def test_exercises_parts_and_points():
    assert POINTS == {
        "svm_naive": 5, "svm_gradient": 6, "svm_vectorized": 8, "penalty": 5, "sgd": 8,
        "search": 6, "softmax_naive": 5, "softmax_gradient": 6, "softmax_vectorized": 8,
        "net_forward": 6, "net_backward": 10, "net_training": 8, "svm_dx": 6, "softmax_dx": 5,
        "net_dx": 8, "affine_backward": 6, "relu_backward": 3, "sgd_momentum": 5, "adam": 6,
    }  # fmt: skip
    assert sum(POINTS.values()) == 120
    assert list(FUNCTION) == list(NOTEBOOK) == list(PARTS) == list(POINTS)
    for name, shares in PARTS.items():
        points = [share * POINTS[name] for share in shares.values()]
        assert sum(shares.values()) == pytest.approx(1)
        assert points == pytest.approx(np.round(points))  # a part has whole points


# ---- the data ----


@pytest.mark.parametrize("exercise", [e for e in POINTS if e != "search"])
def test_data_are_new_in_each_run_of_uneven_sizes_and_never_repeat(exercise):
    seen: list[tuple[Any, ...]] = []

    def spy(*args: Any) -> Any:
        seen.append(tuple(a for a in args if isinstance(a, np.ndarray | dict)))
        return first_right(exercise)(*args)

    for _ in range(2):
        lost(exercise, spy, 5)
    half = len(seen) // 2
    for again, before in zip(seen[half:], seen[:half], strict=True):
        assert repr(again) == repr(before)  # the seed alone decides
    lost(exercise, spy, 6)
    assert repr(seen[-1]) != repr(seen[half - 1])
    for args in seen:
        held = [a for v in args for a in (v.values() if isinstance(v, dict) else [v])]
        arrays = [a for a in held if isinstance(a, np.ndarray)]
        shapes = {a.shape for a in arrays if a.ndim == 2}
        assert all(min(shape) > 2 and shape[0] != shape[1] for shape in shapes)
        assert not shapes & {shape[::-1] for shape in shapes}
        labels = next((a for a in arrays if a.dtype.kind == "i" and len(a) > 11), None)
        if labels is not None:
            counts = np.bincount(labels)
            assert counts.min() > 0
            assert counts.max() > counts.min()


@pytest.mark.parametrize("seed", range(30))
def test_data_tell_mistakes_apart_and_keep_away_from_kinks(seed):
    rng = np.random.default_rng(seed)
    for case in hidden_data.hinge_cases(rng)[:3]:
        W, X, y, delta = (*case.args, 1.0)[:4]
        S = X @ W
        margins = S - S[np.arange(len(y)), y, np.newaxis] + delta
        margins[np.arange(len(y)), y] = -1
        assert np.abs(margins).min() > 5e-4
        counts = (margins > 0).sum(axis=1)
        assert counts.min() == 0  # so that "once for each example" is another gradient
        assert counts.max() > 1
        assert min(counts[0], counts[-1]) > 0  # so that leaving them out shows
        assert (margins > 0).any(axis=0).all()
    params, X, _ = hidden_data.net_data(rng)
    z = X @ params["W1"] + params["b1"]
    assert np.abs(z).min() > 5e-4
    assert (z > 0).any(axis=0).all()
    assert (z < 0).any(axis=0).all()
    assert ((X @ params["W1"] > 0) != (z > 0)).any()


def test_the_references_are_right():
    rng = np.random.default_rng(3)
    params, X, y = hidden_data.net_data(rng)
    net = TwoLayerNet(X.shape[1], len(params["b1"]), len(params["b2"]))
    net.params = params
    hidden_layer, scores = hidden_data.forward(params, X).values()
    np.testing.assert_allclose(scores, net.loss(X), rtol=1e-12)
    for reg_scale in (0.5, 1.0):
        _, grads = net.loss(X, y, 0.3, reg_scale=reg_scale)
        dscores = softmax_loss(scores, y)[1]
        given = hidden_data.backward(params, X, hidden_layer, dscores, 0.3, reg_scale)
        for name, gradient in grads.items():
            np.testing.assert_allclose(given[name], gradient, atol=1e-12)

    def loss(X: Any) -> float:
        return float(net.loss(X, y)[0])

    numerical = eval_numerical_gradient(loss, X, h=1e-6)
    np.testing.assert_allclose(
        hidden_data.by_input("softmax")(params, X, y)["gradient"], numerical, atol=1e-8
    )


# ---- whatever comes back ----


class Deceiver:
    """Equal to everything, and no help when it is looked at."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __len__(self) -> int:
        return -1

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Endless(float):
    def __float__(self) -> float:
        raise RuntimeError("no number")


HOSTILE: list[Any] = [
    None, True, 0, 0.0, np.nan, np.inf, 10**400, 1j, "loss", b"loss", [], [[1.0]], (), {}, set(),
    (None, None), ("a", "b"), [np.nan, np.nan], (0.0, 0.0, 0.0), Deceiver(), Endless(1.0),
    (Deceiver(), Deceiver()), {"W1": Deceiver()}, {"W1": None, 3: 4}, object, len, iter([1]),
    np.array(3.0), np.array([]), np.zeros((3, 0)), np.array(None), np.array(["a"]),
    np.zeros(3, complex), np.full((18, 8), np.nan), np.zeros((2, 2, 2)), np.zeros(3, bool),
    np.zeros(3, [("a", float)]), np.ma.masked_array([1.0], [True]), np.array([[None]]),
    np.float32(1), np.datetime64("2020"), (np.nan, np.zeros((3, 3))), ({}, ()), ([], []),
    ({(1, 2): Deceiver()}, ("a", 1)), ({}, [[], []]), (1, [Deceiver()]), range(10**9),
]  # fmt: skip


@pytest.mark.parametrize("exercise", POINTS)
def test_anything_may_be_returned(exercise):
    for value in HOSTILE:
        for part in grade_exercise(exercise, lambda *a, v=value: v, np.random.default_rng(1)):
            assert not part.passed, (value, part)
            assert 10 < len(part.sentence) <= rubrics.LONGEST
            assert part.sentence.isprintable()
            assert part.codes


@pytest.mark.parametrize("exercise", POINTS)
def test_zeros_of_the_right_shape_get_nothing(exercise):
    """No part is given for returning something of the right form."""
    right = first_right(exercise)

    def emptied(value: Any) -> Any:
        if isinstance(value, np.ndarray | float | int):
            return value * 0.0
        if isinstance(value, dict):
            return {k: emptied(v) for k, v in value.items()}
        return type(value)(map(emptied, value)) if isinstance(value, tuple | list) else value

    def function(*args: Any) -> Any:
        return emptied(right(*args))

    # what was asked of the callback is right, and judged by itself
    kept = {"sgd": {"minibatches"}, "net_training": {"minibatches"}, "search": set()}
    assert lost(exercise, function, 2) == set(PARTS[exercise]) - kept.get(exercise, set())


class _NoTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    "error",
    [ValueError("\x1b[31m" + "x" * 100_000), KeyError(), _NoTextError(), RecursionError("deep"),
     MemoryError(), StopIteration(), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")],
    ids=lambda e: type(e).__name__,
)  # fmt: skip
@pytest.mark.parametrize("exercise", ["svm_vectorized", "penalty", "sgd", "search", "net_backward"])
def test_an_exception_is_a_finding_that_quotes_it(exercise, error):
    def function(*args: Any) -> Any:
        raise error

    for part in graded(exercise, function):
        assert not part.passed
        assert part.codes == ("raises",)
        assert f"{FUNCTION[exercise]} raised {type(error).__name__}" in part.sentence
        assert len(part.sentence) <= rubrics.LONGEST
        assert part.sentence.isprintable()


@pytest.mark.parametrize("exercise", POINTS)
def test_not_done_and_not_defined(exercise):
    def function(*args: Any) -> Any:
        raise NotImplementedError("write your code here")

    for done, code in ((function, "not_done"), (None, "not_defined"), (3, "not_defined")):
        parts = graded(exercise, done)
        assert {part.codes for part in parts} == {(code,)}
        assert len({part.sentence for part in parts}) == 1


def test_exceptions_from_the_sandbox_are_read():
    right = first_right("svm_vectorized")

    def told(W: Any, X: Any, y: Any, delta: float = 1.0) -> Any:
        if len(X) == W.shape[1]:
            return right(W, X, y, delta)
        raise StudentError("ValueError", "operands could not be broadcast together", "a", 3)

    def not_done(*args: Any) -> Any:
        raise StudentError("NotImplementedError", "write your code here", "a", 9)

    def not_defined(*args: Any) -> Any:
        raise NotDefinedError("NameError", "net_dx is not defined, but must be a function")

    for part in graded("svm_vectorized", told):
        assert part.codes == ("broadcast_shape",)
    for part in graded("sgd", not_done):
        assert part.codes == ("not_done",)
    for part in graded("net_dx", not_defined):
        assert part.codes == ("not_defined",)


@pytest.mark.parametrize("exercise", POINTS)
@pytest.mark.parametrize("after", [0, 2, 5, 9, 40])
def test_stopped_is_passed_on(exercise, after):
    """At any call, those of the gradient checker included, which catches what a loss raises."""
    source = next(w.source for w in WRONG if w.exercise == exercise and "not_done" not in w.code)
    wrong, calls = defined(source, exercise), [0]

    def dies(*args: Any) -> Any:
        calls[0] += 1
        if calls[0] > after:
            raise Stopped("time", "it took longer than 20 s")
        return wrong(*args)

    try:
        lost(exercise, dies)
    except Stopped:
        assert calls[0] == after + 1 or after > 0
    else:
        assert calls[0] <= after


# ---- state, arguments, precision ----


@pytest.mark.parametrize("exercise", ["svm_gradient", "softmax_vectorized", "net_backward"])
def test_right_at_first_and_wrong_afterwards(exercise):
    right, calls = first_right(exercise), [0]

    def tires(*args: Any) -> Any:
        calls[0] += 1
        value = right(*args)
        if isinstance(value, dict):
            return {k: v * min(calls[0], 2) for k, v in value.items()}
        parts = value if isinstance(value, tuple) else (value,)
        parts = tuple(v * min(calls[0], 2) for v in parts)
        return parts if isinstance(value, tuple) else parts[0]

    wrong = {name for name in PARTS[exercise] if name != "large scores"}
    assert lost(exercise, tires) == wrong


def test_what_a_function_keeps_of_its_arguments_changes_nothing():
    right, kept = first_right("svm_vectorized"), []

    def keeps(W: Any, X: Any, y: Any, delta: float = 1.0) -> Any:
        for array in kept:
            array[...] = 0
        kept.append(X)
        return right(W, X, y, delta)

    assert lost("svm_vectorized", keeps) == set()


@pytest.mark.parametrize("exercise", ["svm_dx", "softmax_naive", "net_forward", "net_dx", "sgd"])
def test_float32_must_work_too(exercise):
    right = first_right(exercise)

    def double(*args: Any) -> Any:
        arrays = [v for a in args for v in (a.values() if isinstance(a, dict) else [a])]
        floats = [a for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        if any(a.dtype == np.float32 for a in floats):
            raise TypeError("float64 only")
        return right(*args)

    assert lost(exercise, double)


@pytest.mark.parametrize("exercise", ["sgd", "net_training"])
def test_steps_in_float32_are_looked_at(exercise):
    source = right_source(exercise)
    doubled = source.replace("learning_rate * ", "learning_rate * (1 + (X.itemsize < 8)) * ")
    function = defined(doubled, exercise)
    update = graded(exercise, function)[1]
    assert update.codes[:1] == ("float32",)


def test_each_changed_argument_is_named():
    right = first_right("net_backward")
    changes: dict[str, Callable[..., Any]] = {
        "params['b1']": lambda p, X, h, d: p["b1"].fill(0),
        "X": lambda p, X, h, d: X.fill(1),
        "hidden": lambda p, X, h, d: np.minimum(h, 1, out=h),
        "dscores": lambda p, X, h, d: d.__itruediv__(2),
        "params": lambda p, X, h, d: p.update(more=1),
    }
    for name, change in changes.items():

        def function(params: Any, X: Any, h: Any, d: Any, *rest: Any, change: Any = change) -> Any:
            grads = right(params, X, h, d, *rest)
            change(params, X, h, d)
            return grads

        parts = graded("net_backward", function)
        told = [part for part in parts if not part.passed]
        assert told
        for part in told:
            assert part.codes == ("mutates_input",)
            assert f"changes its argument {name} in place" in part.sentence
    # the labels and the example's own arrays are as they were for the next call
    assert lost("net_backward", right) == set()


def test_the_gradient_of_the_penalty_is_told_for_each_reg_scale():
    def penalty(W, reg, reg_scale=0.5):
        return reg_scale * reg * np.sum(W * W), 2 * reg * W

    _, gradient = graded("penalty", penalty)
    assert "in general it is 2 * reg_scale * reg * W." in gradient.sentence


def test_a_changed_argument_costs_the_part_that_it_corrupts():
    right = first_right("net_backward")

    def function(params: Any, X: Any, hidden: Any, dscores: Any, *rest: Any) -> Any:
        grads = right(params, X, hidden, dscores, *rest)
        X *= 2  # the next call gets W1 wrong, and nothing else
        return grads

    assert lost("net_backward", function) == {"W1"}


def test_a_changed_argument_stands_for_what_it_causes():
    """No hint to look for an unknown mistake where the changed argument is the mistake."""
    source = next(w.source for w in WRONG if w.name == "collects into W")
    (part,) = graded("svm_gradient", defined(source, "svm_gradient"))
    assert part.codes == ("mutates_input",)
    assert "No known mistake" not in part.sentence


def test_two_mistakes_are_told_apart():
    """A sum, and unshifted scores: each in the sentence of its part alone."""
    source = right_source("softmax_gradient")
    source = source.replace(" - (X[i] @ W).max()", "").replace("dW / len(X)", "dW")
    function = defined(source, "softmax_gradient")
    gradient, large = graded("softmax_gradient", function)
    assert gradient.codes == ("scale_N",)
    assert large.codes == ("overflow",)


# ---- loops ----


@pytest.mark.parametrize("exercise", ["sgd", "net_training"])
def test_the_seed_is_wrapped(exercise):
    made = []

    def make(seed: int) -> Any:
        made.append(seed)
        return SimpleNamespace(choice=np.random.RandomState(seed).choice)

    assert lost(exercise, first_right(exercise), make_rng=make) == set()
    assert len(made) > 2
    assert all(0 <= seed < 2**32 for seed in made)


@pytest.mark.parametrize("exercise", ["sgd", "net_training"])
@pytest.mark.parametrize(
    "misuse",
    [lambda f, P, X, y: f(), lambda f, P, X, y: f(None, None, None, None),
     lambda f, P, X, y: f(P, y, X, 0.1), lambda f, P, X, y: f(P, X.T, y, 0.1),
     lambda f, P, X, y: f(P, X, y, "a"), lambda f, P, X, y: f(P, X[0], y[0], 0.1),
     lambda f, P, X, y: f({}, X, y, 0.1), lambda f, P, X, y: f(X, X, X, X)],
)  # fmt: skip
def test_the_loss_function_may_be_called_with_anything(exercise, misuse):
    def function(loss_function: Any, params: Any, X: Any, y: Any, *rest: Any) -> Any:
        misuse(loss_function, params, X, y)
        return params, [0.0]

    for part in graded(exercise, function):
        assert not part.passed
        assert part.sentence.startswith("In a call of loss_function: ")


@pytest.mark.parametrize("exercise", ["sgd", "net_training"])
def test_what_the_loss_function_returned_may_be_changed(exercise):
    right = first_right(exercise)

    def function(loss_function: Any, *rest: Any) -> Any:
        def loss(*args: Any) -> Any:
            value, gradient = loss_function(*args)
            for array in gradient.values() if isinstance(gradient, dict) else [gradient]:
                array *= 3
            return value, gradient

        return right(loss, *rest)

    assert lost(exercise, function) == {"update"}


def test_endless_calls_of_the_callback_are_not_kept():
    def function(loss_function: Any, W: Any, X: Any, y: Any, *rest: Any) -> Any:
        for _ in range(1500):
            loss_function(W, X, y, 0.1)
        return W, []

    assert lost("sgd", function) == {"minibatches", "update", "losses"}
    loss = RecordingLoss(np.random.default_rng(0), np.ones((4, 3)), 4)
    for _ in range(1500):
        loss(np.ones((4, 3)), np.ones((2, 4)), np.ones(2, int), 0.1)
    assert len(loss.asked) == loss.MOST


def test_diverging_loops_are_judged_all_the_same():
    """A rate a thousand times too large overflows; the minibatches are right."""
    source = right_source("sgd")
    faster = defined(source.replace("learning_rate * dW", "1e9 * learning_rate * dW"), "sgd")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lost("sgd", faster) == {"update"}


# ---- small errors ----


def _one_entry_off(value: Any) -> Any:
    """One entry wrong by 0.1% of the largest, as a number or in an array."""
    if not isinstance(value, np.ndarray):
        return value * 1.001
    off = value.copy()
    off.flat[0] += 1e-3 * np.abs(value).max()
    return off


@pytest.mark.parametrize(
    ("exercise", "part"), [(e, part) for e, shares in PARTS.items() for part in shares]
)
def test_one_entry_wrong_by_a_thousandth_costs_its_part(exercise, part):
    if part in ("minibatches", "all pairs", "best", "large scores", "decay", "update"):
        return  # no values
    right, place = first_right(exercise), list(PARTS[exercise]).index(part)

    def function(*args: Any) -> Any:
        value = right(*args)
        if part == "losses":
            return value[0], [*value[1][:-1], value[1][-1] * 1.001]
        if isinstance(value, dict):
            return {**value, part: _one_entry_off(value[part])}
        if part in ("velocity", "m", "v", "t"):
            return value[0], {**value[1], part: _one_entry_off(value[1][part])}
        if isinstance(value, tuple):
            return tuple(_one_entry_off(v) if k == place else v for k, v in enumerate(value))
        return _one_entry_off(value)

    # of values the shift by large scores cannot make one wrong that is only scaled
    assert lost(exercise, function, 4) - {"large scores"} == {part}


@pytest.mark.parametrize("exercise", ["sgd", "net_training"])
def test_one_step_off_by_a_hundredth_costs_the_update(exercise):
    source = right_source(exercise)
    once = "learning_rate * (1.01 if len(losses) == 30 else 1)"
    function = defined(source.replace("learning_rate * ", once + " * "), exercise)
    assert "update" in lost(exercise, function)


def test_one_decay_too_late_costs_the_decay():
    source = right_source("net_training")
    late = source.replace("% epoch == 0:", "% epoch == (1 if step > 40 else 0):")
    assert lost("net_training", defined(late, "net_training")) == {"decay"}
