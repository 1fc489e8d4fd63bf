"""The visible checks: what is right is found right, what is wrong is said."""

from __future__ import annotations

import contextlib
import re
import zipfile

import numpy as np
import pytest

from cs231n_helpers import check_exercise, use_reference
from cs231n_helpers.exercises import reference, stuck
from cs231n_helpers.exercises.reference import function_from
from cs231n_helpers.exercises.table import (
    EXERCISES,
    OpenExerciseError,
    WrongExerciseError,
    reference_hint,
)
from cs231n_helpers.workbook import exercise_of, open_lesson, solutions


@pytest.fixture(autouse=True)
def _nobody_has_tried(monkeypatch):
    monkeypatch.setattr(stuck, "wrong", {})


def altered(exercise, old, new):
    source = solutions()[exercise]
    assert source.count(old) == 1, (exercise, old)
    return function_from(source.replace(old, new), exercise)


def unwrapped(caught):
    return re.sub(r"\s+", " ", str(caught.value))


WRONG = [
    ("svm_naive", "return loss / len(X)", "return loss", "4 times too large: divide by N, "),
    ("svm_naive", "+ delta", "+ 1", "must be 3: that is the loss with the margin 1: use"),
    ("svm_naive", "j != label and ", "", "is 3 and must be 2: .* its own class"),
    ("svm_naive", "return loss / len(X)",
     "loss / len(X)", "is None; .* is a `return` missing"),
    ("svm_naive", "loss += margin", "loss -= margin", "the sign is the other way round"),
    ("svm_naive", "return loss / len(X)", "return [loss]", "must be one real number"),
    ("svm_gradient", "return dW / len(X)", "return dW", "4 times too large"),
    ("svm_gradient", "dW[:, label] -= x_i", "dW[:, label] += x_i", "dW of the four examples"),
    ("svm_gradient", "dW[:, label] -= x_i", "pass", "missing_correct_class"),
    ("svm_gradient", "dW = np.zeros_like(W)", "dW = np.zeros_like(W.T)",
     "ValueError: .*in the line"),
    ("svm_vectorized", "    margins[rows, y] = 0\n", "", "is 2.125 and must be 1.625"),
    ("svm_vectorized", "X.T @ A / len(y)", "X.T @ A", "4 times too large"),
    ("svm_vectorized", "X.T @ A / len(y)", "A.T @ X / len(y)",
     r"has the shape \(3, 2\); it must have the shape \(2, 3\): it is transposed"),
    ("svm_vectorized", "scores = X @ W", "scores = np.array([x @ W for x in X])",
     "without a Python loop"),
    ("svm_vectorized", "return np.maximum(0, margins).sum() / len(y), ", "return ",
     "return two things"),
    ("svm_vectorized", "    margins[rows, y] = 0\n", "    margins[rows, y] = 0\n    W *= 2\n",
     "in place"),
    ("penalty", "reg_scale * reg * np.sum(W**2), ", "reg * np.sum(W**2), ", "twice as much"),
    ("penalty", "2 * reg_scale * reg * W", "reg * W", "reg_scale 1.0, is .* half of it"),
    ("penalty", "np.sum(W**2)", "np.sum(W)", "is 6 and must be 10: it sums the weights"),
    ("sgd", "W - learning_rate * dW", "W + learning_rate * dW",
     "after 1 step is 6 and must be 4: .* against"),
    ("sgd", "W = W - ", "W -= ", "in place"),
    ("sgd", "y[rows], reg", "y[rows[::-1]], reg", "do not belong together"),
    ("sgd", "rng.choice(len(X), batch_size)", "np.arange(batch_size)",
     "draw its rows with rng.choice"),
    ("sgd", "rng.choice(len(X), batch_size)", "rng.choice(len(X), 2)", "has batch_size = 4 rows"),
    ("sgd", "y[rows], reg", "y[rows], 0.0", "should be given reg"),
    ("sgd", "losses.append(loss)", "losses.insert(0, loss)", "The list of losses"),
    ("sgd", "range(num_iters)", "range(num_iters + 1)", "3 steps ask loss_function once each"),
    ("search", "max(accuracies", "min(accuracies", r"key \(0.2, 1.0\), and yours is \(0.3, 10.0\)"),
    ("search", "] = evaluate(learning_rate, reg)", "] = evaluate(reg, learning_rate)",
     "the rate comes first"),
    ("search", "for reg in regs:", "for reg in regs[:1]:", "make 6 pairs"),
    ("search", "accuracies[learning_rate, reg]", "accuracies[reg]", "should be a dict"),
    ("softmax_naive", "loss / len(X) +", "loss +", "is 3.912 and must be 1.956"),
    ("softmax_naive", "np.log(np.exp", "np.log2(np.exp", "two examples by hand"),
    ("softmax_naive", "0.5 * reg", "reg", "the penalty is half of reg"),
    ("softmax_naive", "[label]", "[y[0]]", "each example has its own label"),
    ("softmax_naive", " - np.max(x_i @ W)", "", "exp overflows"),
    ("softmax_gradient", "(c == label)", "(c != label)", "dW of the two examples"),
    ("softmax_gradient", " + reg * W", "", "reg_missing"),
    ("softmax_gradient", " + reg * W", " + 2 * reg * W", "reg_factor_2"),
    ("softmax_gradient", " - np.max(x_i @ W)", "", "exp overflows"),
    ("softmax_vectorized", "G[rows, y] -= 1", "G[:, y] -= 1", "onehot_indexing"),
    ("softmax_vectorized", " + 0.5 * reg * np.sum(W**2)", "", r"\[(reg|loss)_"),
    ("softmax_vectorized", "X.T @ G / len(X)", "X.T @ G", "N = 2 times too large"),
    ("softmax_vectorized", "    S = S - S.max(axis=1, keepdims=True)\n", "", "exp overflows"),
    ("net_forward", "np.maximum(0, X", "np.abs(X", "The array hidden of the net for a pencil"),
    ("net_forward", " + params[\"b2\"]", "", "The array scores of the net for a pencil is"),
    ("net_forward", "return hidden, hidden @ params[\"W2\"] + params[\"b2\"]",
     "return hidden, np.maximum(0, hidden @ params[\"W2\"] + params[\"b2\"])",
     r"of 15 entries: at \(\d, \d\) it is 0.0 and must be -"),
    ("net_forward", "return hidden, hidden", "return hidden", "return two things"),
    ("net_backward", " * (hidden > 0)", "", "8 times dW1 of the net.*relu_mask_missing"),
    ("net_backward", "X.T @ dpre", "X @ dpre", "8 times dW1 .*random data: net_backward raised V"),
    ("net_backward", "dscores.sum(axis=0)", "dscores.sum(axis=1)", r"must have the shape \(4,\)"),
    ("net_backward", "for name in (\"W1\", \"W2\")", "for name in (\"W1\",)", "reg_missing"),
    ("net_backward", "for name in (\"W1\", \"W2\")", "for name in params", "bias"),
    ("net_backward", "2 * reg_scale * reg", "reg", "reg_scale 1"),
    ("net_backward", "return grads", "return [*grads.values()]",
     "What it returned is a list of 4; it must be a dict with W1, b1, W2 and b2"),
    ("net_training", "] - learning_rate", "] + learning_rate", "is 0 and must be -2: .* against"),
    ("net_training", "if step % epoch == 0:", "if step % 3 == 0:", "with the decay 0.5"),
    ("net_training", "max(len(X) // batch_size, 1)", "len(X) / batch_size", "with the decay 0.5"),
    ("net_training", "max(len(X) // batch_size, 1)", "len(X) // batch_size", "ZeroDivisionError"),
    ("net_training", "for name in params}", "for name in params if name != \"b1\"}",
     "a dict with W1, b1, W2 and b2"),
    ("net_training", "y[rows], reg", "y[rows], 0.0", "should be given reg"),
    ("svm_dx", "A @ W.T / len(y)", "-A @ W.T / len(y)", "the sign is the other way round"),
    ("svm_dx", "A @ W.T / len(y)", "A @ W.T", "N = 2 times too large"),
    ("svm_dx", "+ delta", "+ 1", "with the margin 4 .*: that is their dX with the margin 1: use"),
    ("softmax_dx", "P[np.arange(len(y)), y] -= 1", "P[np.arange(len(y)), y] += 1", "30 times dX"),
    ("softmax_dx", "P @ W.T / len(y)", "P @ W / len(y)", "ValueError"),
    ("softmax_dx", "return P", "P", r"dX of .* is None; .*is a `return` missing\? Change"),
    ("net_dx", "return ", "", "dX of .* is None"),
    ("net_backward", "return grads", "return {**grads, \"b2\": None}", "db2 .* is None"),
    ("net_dx", " * (hidden > 0)", "", "8 times dX of the net.* hands nothing back: is the mask"),
    ("net_dx", "((P / len(y))", "(P", "N = 2 times too large"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "old", "new", "words"), WRONG)
def test_what_is_wrong_is_said(exercise, old, new, words):
    with pytest.raises(WrongExerciseError) as caught:
        check_exercise(exercise, altered(exercise, old, new))
    assert re.search(words, unwrapped(caught)), str(caught.value)
    lines = caught.value._render_traceback_()
    assert lines[0] == f"{EXERCISES[exercise]} is not right yet."
    assert "run its cell and this check again" in str(caught.value)
    assert max(len(line) for line in lines) <= 100


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_solution_is_right_and_the_empty_cell_is_open(exercise, capsys):
    source = solutions()[exercise]
    check_exercise(exercise, function_from(source, exercise))
    assert capsys.readouterr().out.startswith(f"{EXERCISES[exercise]} is right:\n- ")
    cells = open_lesson(EXERCISES[exercise].notebook).cells
    emptied = next(cell.source for cell in cells if exercise_of(cell) == exercise)
    check_exercise(exercise, function_from(emptied, exercise))
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"{EXERCISES[exercise]} is open: write it in the cell above, and run both."
    assert len(line) < 96


def last_line_about(source):
    with pytest.raises(WrongExerciseError) as caught:
        check_exercise("penalty", function_from(source, "penalty"))
    return str(caught.value).splitlines()[-1]


def test_whoever_fails_again_is_told_the_next_hint(capsys):
    source = solutions()["penalty"].replace("### BEGIN SOLUTION", "").replace("**2", "**{}")
    assert last_line_about(source.format(1)) == "Change it, run its cell and this check again."
    assert last_line_about(source.format(1)) == "Change it, run its cell and this check again."
    for power, told in (
        (3, "hint 1"),
        (3, "hint 1"),
        (4, "hint 2"),
        (5, "hint 3"),
        (6, "the solution"),
    ):
        assert last_line_about(source.format(power)) == f"Stuck? Open {told} below."
    check_exercise("penalty", function_from(source.format(2), "penalty"))
    assert last_line_about(source.format(1)) == "Change it, run its cell and this check again."


def test_after_the_hints_comes_the_reference_in_a_class(monkeypatch):
    monkeypatch.setattr(stuck, "after_hints", [reference_hint])
    monkeypatch.setattr(stuck, "wrong", {"penalty": [None] * 4})
    source = solutions()["penalty"].replace("**2", "**3")
    assert last_line_about(source) == '    penalty = use_reference("penalty")'


def test_what_is_no_function_counts_each_time():
    told = []
    for _ in range(3):
        with pytest.raises(WrongExerciseError) as caught:
            check_exercise("penalty", np.ones(3))
        told.append(str(caught.value).splitlines()[-1])
    assert told[1:] == ["Stuck? Open hint 1 below.", "Stuck? Open hint 2 below."]


ODD = {
    "masked": lambda a: np.ma.array(a, mask=np.ones(a.shape, bool)),
    "float16": np.float16, "complex": lambda a: a + 0j, "object": lambda a: a.astype(object),
    "None": lambda a: None, "huge": lambda a: 10**400, "nan": lambda a: np.nan * a,
    "ragged": lambda a: [[1.0], [2.0, 3.0]], "dates": lambda a: a.astype("M8[s]"),
    "long double": lambda a: np.longdouble("1e4000") + a,
}  # fmt: skip


def made_odd(returned, odd):
    """Each array and number in what a function returned."""
    if isinstance(returned, dict):
        return {k: made_odd(v, odd) for k, v in returned.items()}
    if isinstance(returned, tuple):
        return tuple(made_odd(v, odd) for v in returned)
    return odd(np.asarray(returned))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("exercise", EXERCISES)
def test_odd_things_that_come_back_are_told_apart_in_a_sentence(exercise, odd):
    right = function_from(solutions()[exercise], exercise)

    def solution(*args, **kwargs):
        return made_odd(right(*args, **kwargs), ODD[odd])

    with pytest.raises(WrongExerciseError, match="is not right yet"):
        check_exercise(exercise, solution)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_what_is_odd_in_the_last_call_alone_is_no_error_of_the_check(exercise, capsys):
    right, calls = function_from(solutions()[exercise], exercise), []

    def solution(*args, **kwargs):
        calls.append(args)
        returned = right(*args, **kwargs)
        return made_odd(returned, ODD["ragged"]) if len(calls) == last else returned

    last = 0
    check_exercise(exercise, solution)
    last = len(calls)
    calls.clear()
    with contextlib.suppress(WrongExerciseError):
        check_exercise(exercise, solution)


@pytest.mark.parametrize("exercise", ["sgd", "net_training"])
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rows = rng.choice(len(X), batch_size)", "rows = 0", "should be given arrays of rows"),
        ("y[rows]", "y[rows].astype(str)", "should be given arrays of rows"),
        ("y[rows]", "y[rows][:, None]", "do not belong together"),
        ("y[rows]", "y[rows] + 1000", "do not belong together"),
        ("y[rows], reg", "y[rows], [reg]", "Reg is a list of 1; it must be one real number"),
    ],
)
def test_odd_minibatches_are_told(exercise, old, new, words):
    with pytest.raises(WrongExerciseError) as caught:
        check_exercise(exercise, altered(exercise, old, new))
    assert words in unwrapped(caught)


def test_an_argument_whose_items_become_arrays_is_told():
    def grid_search(evaluate, learning_rates, regs):
        learning_rates[0] = np.ones(2)
        return {}, (0.2, 1.0)

    with pytest.raises(WrongExerciseError) as caught:
        check_exercise("search", grid_search)
    assert "learning_rates in place (its items are others now)" in unwrapped(caught)


def test_any_slope_at_a_kink_is_right(capsys):
    check_exercise("svm_gradient", altered("svm_gradient", "margin > 0", "margin >= 0"))
    assert "That is no mistake" in capsys.readouterr().out


def test_other_right_ways_are_right():
    def hinge_arrays(W, X, y, delta=1.0):
        Y = np.eye(W.shape[1])[y]
        S = X @ W
        margins = np.maximum(0, S - (S * Y).sum(1, keepdims=True) + delta) * (1 - Y)
        active = (margins > 0).astype(float)
        return margins.sum(1).mean(), X.T.dot(active - Y * active.sum(1, keepdims=True)) / len(X)

    def grid_search(evaluate, learning_rates, regs):
        pairs = [(rate, reg) for reg in regs for rate in learning_rates]
        found = {pair: evaluate(*pair) for pair in pairs[::-1]}
        return found, sorted(found, key=found.get)[-1]

    check_exercise("svm_vectorized", hinge_arrays)
    check_exercise("search", grid_search)


def test_what_comes_from_other_cells_is_said(capsys):
    def check(source, **others):
        function = function_from(source, "penalty")
        function.__globals__.update(others)
        check_exercise("penalty", function)
        return "from another cell" in capsys.readouterr().out

    body = "def penalty(W, reg, reg_scale=0.5):\n    return {}, 2 * reg_scale * reg * W"
    helper = body.format("reg_scale * reg * squares(W)")
    assert check(helper, squares=lambda W: np.sum(W**2))
    assert not check(f"def squares(W): return np.sum(W**2)\n{helper}")
    assert not check(f"{body.format('reg_scale * reg * np.sum(W**2)')}\nprint(__name__)")
    within = f"def squares(W): return square(W)\n{helper}"
    assert check(within, square=lambda W: np.sum(W**2))
    with pytest.raises(WrongExerciseError, match="NameError: name 'squares' is not defined"):
        check(helper)
    inner = body.format("sum((lambda v: reg_scale * reg * square(v))(v) for v in W.ravel())")
    assert check(inner, square=np.square)
    assert not check(f"from numpy import square\n{inner}")
    with pytest.raises(WrongExerciseError, match="It uses `square`, and it is graded without the"):
        check(inner, square=use_reference)  # of the package
    with pytest.raises(WrongExerciseError, match="It uses `hinge_loops`"):
        check(helper.replace("squares", "hinge_loops"), hinge_loops=lambda W: np.sum(W**2))


def test_what_is_right_is_passed_to_whoever_listens(monkeypatch):
    heard = []
    monkeypatch.setattr(reference, "when_right", [lambda *args: heard.append(args)])
    function = altered("penalty", "W**2", "W * W")
    check_exercise("penalty", function)
    assert heard == [("penalty", function)]
    with pytest.raises(WrongExerciseError):
        check_exercise("penalty", altered("penalty", "W**2", "W"))
    assert len(heard) == 1


def test_use_reference(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OpenExerciseError, match="Your teacher may hand out reference"):
        use_reference("penalty")
    with zipfile.ZipFile("reference.zip", "w") as archive:
        archive.writestr("penalty.py", solutions()["penalty"])
    assert use_reference("penalty")(np.ones(3), 2.0)[0] == 3
    (tmp_path / "reference.zip").write_bytes(b"no zip")
    with pytest.raises(OpenExerciseError, match="no reference"):
        use_reference("penalty")
    for call in (use_reference, lambda name: check_exercise(name, print)):
        with pytest.raises(ValueError, match="there is no exercise 'svm'"):
            call("svm")
        with pytest.raises(ValueError, match=r"there is no exercise \[\]"):
            call([])


def test_a_source_that_does_not_run_by_itself():
    with pytest.raises(OpenExerciseError) as caught:
        function_from("def penalty(W, reg=missing): pass", "penalty")
    assert re.search(r"\(NameError: .*Let its cell use NumPy", unwrapped(caught))
