"""The visible check after each exercise.

`check_exercise` calls a student's function on values worked out by hand and says in words what the
gradient checker finds. There is no solution in here: right values come from pencil and paper, and
from the checker's own model.

Shapes: N examples, D features, H hidden units, C classes.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import linecache
import textwrap
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import FunctionType
from typing import Any

import numpy as np

from ..doctor import GradientReport, check_gradient, check_layer
from ..doctor.snapshot import copied, global_names, helpers_of, same
from . import worked_examples as by_hand
from .compare import Array, as_array, as_dict, as_number, as_numbers, as_tuple, compare, near
from .explain import as_loss_of_input, as_loss_of_net, model_of, penalty_value
from .reference import Function, announce
from .stuck import forget, next_hint
from .student_function import (
    CallError,
    FeedbackError,
    StudentFunction,
    described,
    quoted,
    read_error,
)
from .table import EXERCISES, OpenExerciseError, WrongExerciseError, find_exercise, paragraphs
from .worked_examples import published_step, random_data, random_layer, random_net

#: What typical wrong values mean.
Hints = Mapping[float, str] | Sequence[tuple[Any, str]]

ON_RANDOM_DATA = "check_gradient, on random data:"
TRY_AGAIN = "Change it, run its cell and this check again."


def check_exercise(exercise: str, function: Function) -> None:
    """Check a solution on small examples, and say in words what is right and what is not.

    Of a function that is not written yet it says no more than that. From the second wrong one on it
    names the hint to open.

    Parameters
    ----------
    exercise : str
        A key of `EXERCISES`.
    function : callable
        The solution, with the signature that the exercise gives.

    Raises
    ------
    WrongExerciseError
        If it is not right; the text quotes what `check_gradient` found.

    Examples
    --------
    >>> def penalty(W, reg, reg_scale=0.5):
    ...     return 0.0, np.zeros_like(W)
    >>> try:
    ...     check_exercise("penalty", penalty)
    ... except WrongExerciseError as error:
    ...     print(str(error).splitlines()[0])
    Exercise 1.4 (penalty) is not right yet.
    """
    judged(exercise, function)


def judged(exercise: str, function: Function) -> str:
    """Do what `check_exercise` does; return "open" or "right"."""
    it = find_exercise(exercise)
    student = StudentFunction(
        function, it, passed_on=(OpenExerciseError,), read_error=partial(_with_line, function)
    )
    right: list[str] = []
    try:
        remarks = list(_from_elsewhere(function))
        for line in CHECKS[exercise](student):
            right.append(line)
    except FeedbackError as error:
        if "not_done" in error.feedback.codes:
            print(f"{it} is open: write it in the cell above, and run both.")
            return "open"
        found = [f"Right: {line}" for line in right] + error.feedback.sentence.split("\n\n")
        hints = filter(None, [next_hint(exercise, function)])
        text = paragraphs(f"{it} is not right yet.", *found, TRY_AGAIN, *hints)
        raise WrongExerciseError(text) from None
    print(f"{it} is right:")
    for line in right + remarks:
        print(textwrap.fill(line, 94, initial_indent="- ", subsequent_indent="  "))
    forget(exercise)
    announce(exercise, function)
    return "right"


# ---- the function itself ----


def _with_line(function: Function, error: Exception) -> tuple[str, str]:
    """Read an error, and the line of the student's code in which it was raised."""
    kind, text = read_error(error) or ("", "")
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.line for frame in frames if code and frame.filename == code.co_filename]
    return kind, f"{text.strip()}, in the line `{own[-1]}`" if own and own[-1] else text


def _from_elsewhere(function: Function) -> Iterator[str]:
    """Say what a function takes from other cells; refuse the package and other exercises."""
    if not isinstance(function, FunctionType):
        return
    source = "".join(linecache.getlines(function.__code__.co_filename))
    try:
        cell = compile(source, "cell", "exec", dont_inherit=True)
    except SyntaxError:  # of IPython's own
        return
    made = {step.argval for step in dis.get_instructions(cell) if step.opname == "STORE_NAME"}
    used = {name for helper in helpers_of(function) for name in global_names(helper.__code__)}
    foreign = sorted(
        (used & function.__globals__.keys()) - made - vars(builtins).keys() - {"np", "__name__"}
    )
    forbidden = [name for name in foreign if _is_ours(name, function.__globals__[name])]
    if forbidden:
        raise FeedbackError(
            f"It uses {_code(forbidden)}, and it is graded without the package and the other "
            "exercises: write it with NumPy alone."
        )
    if foreign:
        yield (
            f"(It uses {_code(foreign)} from another cell. In grading that is there only if you "
            "added that cell yourself, and the other notebooks do not see it: put all that the "
            "function needs into its own cell.)"
        )


def _is_ours(name: str, value: Any) -> bool:
    """Whether a name is one of the package's, or an exercise."""
    module = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    in_package = str(module).split(".")[0] == __name__.split(".")[0]
    return in_package or name in {it.function for it in EXERCISES.values()}


def _code(names: list[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _without_loop(f: StudentFunction) -> Iterator[str]:
    """Refuse a Python loop in its source, as far as that is known."""
    loops = (ast.For, ast.While, ast.comprehension)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(f.function)))
    except (OSError, TypeError, SyntaxError):
        tree = ast.Module([], [])
    if any(isinstance(node, loops) for node in ast.walk(tree)):
        raise FeedbackError("It is right, but this exercise asks for it without a Python loop.")
    yield "no Python loop"


# ---- what it returns ----


def _expect(
    name: str,
    given: Any,
    right: Any,
    N: int = 1,
    *,
    times: int = 1,
    tolerance: float = 1e-6,
    hints: Hints = (),
) -> None:
    """Compare with a value worked out by hand, and say how it is off.

    `times` is a factor that makes whole numbers, `hints` has what typical wrong values mean.
    """
    right = float(right) if np.ndim(right) == 0 else np.asarray(right, dtype=np.float64)
    try:
        if times != 1:
            given, name = times * as_array(given, right.shape, name), f"{times} times {name}"
        compare(given, right, name, tolerance=tolerance)
    except FeedbackError as error:
        (code,), text = error.feedback.codes, error.feedback.sentence
        if why := _why(code, given, right, N, hints):
            end = "" if why.endswith("?") else "."
            raise FeedbackError(f"{text.rstrip('.')}: {why}{end}", "explained") from None
        raise


def _why(code: str, given: Any, right: Any, N: int, hints: Hints) -> str:
    if given is None:
        return "is a `return` missing?"
    if code == "wrong_shape" and given.shape == right.shape[::-1]:
        return "it is transposed"
    if code == "not_finite":
        return "exp overflows, a logarithm gets 0, or something is divided by 0"
    if code != "unexplained":
        return ""
    factors = {
        -1.0: "the sign is the other way round",
        0.5: "that is half of it",
        2.0: "that is twice as much",
        float(N): f"that is N = {N} times too large: divide by N, the loss is a mean",
        1.0 / N: f"that is N = {N} times too small: divide by N once, and not again",
    }
    known = hints.items() if isinstance(hints, Mapping) else hints
    meanings = [*known, *((factor * right, text) for factor, text in factors.items())]
    return next((text for value, text in meanings if near(given, value)), "")


def _report(*args: Any, check: Callable[..., GradientReport] = check_gradient) -> GradientReport:
    try:
        with np.errstate(all="ignore"):
            return check(*args)
    except (FeedbackError, OpenExerciseError):
        raise
    except Exception as error:
        text = f"On other data it raises {type(error).__name__}: {error}."
        raise FeedbackError(text) from None


def _gradient_is_right(*args: Any, check: Callable[..., GradientReport] = check_gradient) -> str:
    """Ask the gradient checker about a loss and its arguments, or check_layer about a layer's."""
    report, what = _report(*args, check=check), f"{check.__name__}, on random data:"
    if not report:
        raise FeedbackError(f"{what}\n\n{report}")
    return f"{what} {str(report).splitlines()[0]}"


def _expect_gradient(
    name: str,
    given: Any,
    right: Any,
    loss: Function,
    *args: Any,
    N: int,
    times: int = 1,
    hints: Hints = (),
) -> None:
    """Compare with a gradient worked out by hand; `check_gradient` may know why it is wrong."""
    try:
        _expect(name, given, right, N, times=times, hints=hints)
    except FeedbackError as error:
        if error.feedback.codes != ("unexplained",):
            raise
        text = error.feedback.sentence
        try:
            report = _report(loss, *args)
        except CallError as elsewhere:
            raise FeedbackError(f"{text}\n\nOn random data: {elsewhere}") from None
        if {finding.code for finding in report.mistakes} - {"unexplained"}:
            raise FeedbackError(f"{text}\n\n{ON_RANDOM_DATA}\n\n{report}") from None
        raise


def _expect_on_random_data(f: StudentFunction, right: float, number: float) -> str:
    W, X, y = random_data()
    _expect("the loss of random data", f(W, X, y, number), right, N=7)
    in_float32 = f(np.float32(W), np.float32(X), y, number)
    _expect("the loss in float32", in_float32, right, N=7, tolerance=1e-5)
    return "random data, in float64 and in float32"


# ---- the checks: each yields what is right, and raises FeedbackError ----

OWN_CLASS = "each example pays the margin for its own class, too: leave out j = y_i"
OWN_LABEL = {np.log(50 / 3) / 2: "each example has its own label, y[i]"}
HALF = "the penalty is half of reg times the sum of squares"
AGAINST = "a step goes against the gradient"
BATCHES_ARE_RIGHT = (
    "each step draws its minibatch with rng.choice, and rows of X and y belong together"
)
FOUR, TWO = "of the four examples by hand", "of the two examples by hand"


def _svm_naive(f: StudentFunction) -> Iterator[str]:
    hints = {
        3.0: OWN_CLASS,
        3.25: "the margin belongs inside, max(0, m_ij)",
        4.75: "m_ij has the score of the correct class with a minus",
    }
    _expect(f"the loss {FOUR}", f(*by_hand.SVM), 2, N=4, hints=hints)
    hints = {2.0: "that is the loss with the margin 1: use delta"}
    _expect("the loss with the margin 2", f(*by_hand.SVM, delta=2.0), 3, N=4, hints=hints)
    yield f"the loss {FOUR} is 2, with the margin 2 it is 3"
    _expect("at W = 0 the loss for three classes", f(0 * by_hand.SVM[0], *by_hand.SVM[1:]), 2, N=4)
    yield "at W = 0 it is C - 1"
    right = model_of(*random_data(), "hinge", delta_margin=0.7).loss()
    yield _expect_on_random_data(f, right, 0.7)


def _svm_gradient(f: StudentFunction) -> Iterator[str]:
    def loss(W: Array, X: Array, y: Any) -> Any:
        return model_of(W, X, y, "hinge", delta_margin=0.7).loss(), f(W, X, y, delta=0.7)

    dW = f(*by_hand.SVM, delta=0.5)
    _expect_gradient(f"dW {FOUR}", dW, by_hand.SVM_DW, loss, *random_data(), N=4)
    yield f"dW {FOUR}, with the margin 1/2"
    yield _gradient_is_right(loss, *random_data())
    yield from _at_the_kink(f(*by_hand.SVM))


def _svm_vectorized(f: StudentFunction) -> Iterator[str]:
    def loss_function(W: Array, X: Array, y: Any, delta: float = 0.7) -> Any:
        return as_tuple(f(W, X, y, delta=delta), "loss, dW")

    loss, dW = loss_function(*by_hand.SVM, 0.5)
    what = f"the loss {FOUR}, with the margin 1/2,"
    _expect(what, loss, 1.625, N=4, hints={2.125: OWN_CLASS})
    yield f"{what} is 1.625"
    _expect_gradient(f"dW {FOUR}", dW, by_hand.SVM_DW, loss_function, *random_data(), N=4)
    yield "their dW"
    yield _gradient_is_right(loss_function, *random_data())
    yield from _without_loop(f)
    yield from _at_the_kink(as_tuple(f(*by_hand.SVM), "loss, dW")[1])


def _at_the_kink(dW: Any) -> Iterator[str]:
    """Any slope between the two sides is right; the notebook's later figures take 0."""
    if not near(as_array(dW, by_hand.SVM_DW.shape, "dW"), by_hand.SVM_DW):
        yield (
            "(At a kink, a margin of exactly 0, your slope is not 0. That is no mistake, but "
            "the notebook takes 0: with > in place of >= its later figures agree with yours.)"
        )


def _penalty(f: StudentFunction) -> Iterator[str]:
    def of(W: Array, reg: float, *reg_scale: float) -> Any:
        return as_tuple(f(W, reg, *reg_scale), "value, gradient")

    W = by_hand.SVM[0]
    for reg_scale, right in ((0.5, 10), (1.0, 20)):
        what = f"the value for W with squares that sum to 10, reg 2 and reg_scale {reg_scale}"
        hints = {0.6 * right: "it sums the weights, and must sum their squares"}
        _expect(what, of(W, 2.0, reg_scale)[0], right, hints=hints)
    yield "the value for squares that sum to 10, reg 2, with and without the half"
    for reg_scale, factor in ((0.5, 2), (1.0, 4)):
        gradient = of(W, 2.0, reg_scale)[1]
        _expect(f"its gradient, with reg_scale {reg_scale},", gradient, factor * W)
    _expect("the value where reg_scale is not given", of(W, 2.0)[0], 10)
    yield "its gradient, in both conventions"
    yield _gradient_is_right(lambda W, reg: of(W, reg, 0.8), random_data()[0], 0.3)


def _sgd(f: StudentFunction) -> Iterator[str]:
    asked, W, losses = _train(f, np.full((2, 3), 5.0), 2.0, 10, 3, 0.5)
    yield BATCHES_ARE_RIGHT
    for step, at in enumerate(asked):
        what = "W from 5, with the gradient 2 everywhere and the rate 0.5, after "
        what += f"{step} step{'s' * (step != 1)}"
        _expect(what, at[0, 0], 5 - step, hints={5.0 + step: AGAINST})
    _expect("W after three steps", W, np.full((2, 3), 2.0))
    yield "each step goes against the gradient, as far as the rate says"
    _expect_losses(losses, [1, 2, 3])
    yield "one loss a step"


def _search(f: StudentFunction) -> Iterator[str]:
    rates, regs = [0.1, 0.2, 0.3], [1.0, 10.0]
    pairs = [(rate, reg) for rate in rates for reg in regs]
    known = dict(zip(pairs, [0.5, 0.7, 0.9, 0.6, 0.8, 0.2], strict=True))
    asked: list[tuple[float, float]] = []

    def evaluate(learning_rate: float, reg: float) -> float:
        asked.append((learning_rate, reg))
        if asked[-1] not in known:
            raise FeedbackError(
                f"evaluate was asked for the rate {learning_rate} and reg {reg}, which "
                "is not a pair of the grid: the rate comes first."
            )
        return known[asked[-1]]

    accuracies, best = as_tuple(f(evaluate, rates, regs), "accuracies, best")
    if sorted(asked) != sorted(known):
        raise FeedbackError(
            f"3 rates and 2 regs make 6 pairs, each evaluated once: you asked for {asked}"
        )
    is_right = type(accuracies) is dict and accuracies.keys() == known.keys()
    if not is_right or known != {
        k: as_number(v, f"accuracies[{k}]") for k, v in accuracies.items()
    }:
        raise FeedbackError(
            "accuracies should be a dict {(learning_rate, reg): accuracy}, "
            f"{known}, and yours is {quoted(accuracies)}."
        )
    yield "each pair of the grid is evaluated once, and noted"
    if type(best) is not tuple or [as_number(v, "best") for v in best] != [0.2, 1.0]:
        raise FeedbackError(
            "best should be the pair with the highest accuracy, the key (0.2, 1.0), and yours is "
            f"{quoted(best)}."
        )
    yield "the best pair is the one with the highest accuracy"


def _softmax_naive(f: StudentFunction) -> Iterator[str]:
    hand = np.log(50) / 2  # of log 10 and log 5
    _expect(f"the loss {TWO}", f(*by_hand.SOFTMAX, 0.0), hand, N=2, hints=OWN_LABEL)
    yield f"the loss {TWO}, (log 10 + log 5) / 2"
    W = np.array([[1.0, 2], [3, 0]])  # squares that sum to 14
    _expect(
        "with scores of 0, two classes, reg 2 and squares that sum to 14, the loss",
        f(W, np.zeros((1, 2)), np.array([1]), 2.0),
        np.log(2) + 14,
        hints={np.log(2): "the penalty is missing", np.log(2) + 28: HALF},
    )
    yield "the penalty"
    _expect("the loss for scores of 10000 and -10000", f(*by_hand.LARGE, 0.0), 1e4, N=2)
    yield "scores of 10000"
    W, X, y = random_data()
    right = model_of(W, X, y).loss() + penalty_value(0.3, W)
    yield _expect_on_random_data(f, right, 0.3)


def _softmax_gradient(f: StudentFunction) -> Iterator[str]:
    def loss(W: Array, X: Array, y: Any, reg: float) -> Any:
        return model_of(W, X, y).loss() + penalty_value(reg, W), f(W, X, y, reg)

    dW = f(*by_hand.SOFTMAX, 0.0)
    _expect_gradient(f"dW {TWO}", dW, by_hand.SOFTMAX_DW, loss, *random_data(), 0.3, N=2)
    yield f"dW {TWO}"
    yield _gradient_is_right(loss, *random_data(), 0.3)
    _expect("dW for scores of 10000", f(*by_hand.LARGE, 0.0), [[0.5, 0, -0.5]], N=2)
    yield "scores of 10000"


def _softmax_vectorized(f: StudentFunction) -> Iterator[str]:
    def loss_function(W: Array, X: Array, y: Any, reg: float) -> Any:
        return as_tuple(f(W, X, y, reg), "loss, dW")

    loss, dW = loss_function(*by_hand.SOFTMAX, 0.0)
    _expect(f"the loss {TWO}", loss, np.log(50) / 2, N=2, hints=OWN_LABEL)
    yield f"the loss {TWO}, (log 10 + log 5) / 2"
    _expect_gradient(f"dW {TWO}", dW, by_hand.SOFTMAX_DW, loss_function, *random_data(), 0.3, N=2)
    yield "their dW"
    yield _gradient_is_right(loss_function, *random_data(), 0.3)
    W, X, y = random_data()
    data_loss = model_of(W, X, y).loss()
    hints = {data_loss: "the penalty is missing", data_loss + penalty_value(0.6, W): HALF}
    right = data_loss + penalty_value(0.3, W)
    _expect("the loss of random data with reg 0.3", f(W, X, y, 0.3)[0], right, N=7, hints=hints)
    loss, dW = loss_function(*by_hand.LARGE, 0.0)
    _expect("the loss for scores of 10000 and -10000", loss, 1e4, N=2)
    _expect("dW for scores of 10000", dW, [[0.5, 0, -0.5]], N=2)
    yield "scores of 10000"
    yield from _without_loop(f)


def _net_forward(f: StudentFunction) -> Iterator[str]:
    hidden, scores = as_tuple(f(*by_hand.NET[:2]), "hidden, scores")
    _expect("the array hidden of the net for a pencil", hidden, by_hand.NET_HIDDEN)
    yield "hidden of the net for a pencil"
    _expect("the array scores of the net for a pencil", scores, by_hand.NET_SCORES)
    yield "its scores"
    params, X, y = random_net()
    right = model_of(params, X, y).forward()[0][1:]
    returned = as_tuple(f(params, X), "hidden, scores")
    for what, array, wanted in zip(("hidden", "scores"), returned, right, strict=True):
        _expect(f"the array {what} of a random net", array, wanted)
    yield "a random net of other sizes"


def _net_backward(f: StudentFunction) -> Iterator[str]:
    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return as_dict(f(*args, **kwargs), by_hand.PENCIL, "what it returned")

    grads = gradients(*by_hand.NET[:2], by_hand.NET_HIDDEN, by_hand.NET_DSCORES, 0.0)
    loss, data = as_loss_of_net(f), (*random_net(), 0.3)
    for name, right in by_hand.NET_GRADS.items():
        what = f"d{name} of the net for a pencil"
        _expect_gradient(what, grads[name], right, loss, *data, N=2, times=8)
        yield what
    yield _gradient_is_right(loss, *data)
    zero = np.zeros((2, 4))
    grads = gradients(*by_hand.NET[:2], by_hand.NET_HIDDEN, zero, 0.5, reg_scale=1.0)
    what = "dW1 with reg 0.5 and reg_scale 1, where nothing arrives from the scores,"
    _expect(what, grads["W1"], by_hand.PENCIL["W1"])
    yield "the penalty in both conventions"


def _net_training(f: StudentFunction) -> Iterator[str]:
    asked, params, losses = _train(f, by_hand.PENCIL, 1.0, 10, 6, 1.0, 0.5)
    yield BATCHES_ARE_RIGHT
    what = "after a step of the rate 1 where the gradient is 1, b2[0], which starts at -1,"
    _expect(what, asked[1]["b2"][0], -2, hints={0.0: AGAINST})
    yield "each step goes against the gradient, as far as the rate says"
    what = (
        "10 examples in batches of 4 are 2 steps an epoch: with the decay 0.5, b2[0] after 6 steps"
    )
    _expect(what, params["b2"][0], -1 - (1 + 1 + 0.5 + 0.5 + 0.25 + 0.25))
    for name in by_hand.PENCIL:
        _expect(f"{name} after 6 steps", params[name], by_hand.PENCIL[name] - 3.5)
    _expect_losses(losses, [1, 2, 3, 4, 5, 6])
    yield "the rate decays after each epoch, and all four parameters move; one loss a step"
    _, params, _ = _train(f, by_hand.PENCIL, 1.0, 3, 2, 1.0, 0.5)
    what = "3 examples in batches of 4 are one step an epoch, so b2[0] after 2 steps"
    _expect(what, params["b2"][0], -2.5)
    yield "an epoch has at least one step"


def _train(
    f: StudentFunction, start: Any, slope: float, num_examples: int, num_iters: int, *rates: float
) -> tuple[list[Any], Any, Any]:
    """Train with a constant gradient; return the parameters of each step, the last, and the losses.

    Each step must draw its minibatch from the generator, and pass reg on.
    """
    size, seen = 4, []

    what = f.exercise.parameters[1]

    def arrays(params: Any, name: str) -> Any:
        """Copies of parameters like those at the start."""
        if not isinstance(start, dict):
            return as_array(params, start.shape, name)
        held = as_dict(params, start, name)
        return {k: as_array(held[k], v.shape, f"{k} of {name}") for k, v in start.items()}

    def loss_function(params: Any, X_batch: Array, y_batch: Any, reg: float) -> Any:
        params = arrays(params, f"the {what} that loss_function is given")
        if any(
            type(v) is not np.ndarray or v.ndim == 0 or v.dtype.kind not in "fiu"
            for v in (X_batch, y_batch)
        ):
            given = f"{described(X_batch)} and {described(y_batch)}"
            raise FeedbackError(f"loss_function should be given arrays of rows, and gets {given}.")
        seen.append((params, X_batch.copy(), y_batch.copy(), as_number(reg, "reg")))
        return float(len(seen)), copied(params, lambda array: np.full_like(array, slope))

    X, y = np.arange(2.0 * num_examples).reshape(-1, 2), np.arange(num_examples)
    rng = np.random.RandomState(7)
    returned = f(loss_function, start, X, y, *rates, 0.1, num_iters, size, rng)
    params, losses = as_tuple(returned, f"{what}, losses")
    if len(seen) != num_iters:
        raise FeedbackError(
            f"num_iters = {num_iters} steps ask loss_function once each, and yours {len(seen)} "
            "times."
        )
    rng = np.random.RandomState(7)
    for _, X_batch, y_batch, reg in seen:
        rows = rng.choice(len(X), size)
        if len(X_batch) != size or len(y_batch) != size:
            raise FeedbackError(
                f"A minibatch has batch_size = {size} rows, and yours has {len(X_batch)} "
                f"of X and {len(y_batch)} of y."
            )
        if y_batch.ndim != 1 or not same(X_batch, np.stack([2.0 * y_batch, 2.0 * y_batch + 1], 1)):
            raise FeedbackError(
                "The rows of X and of y in a minibatch do not belong together: draw "
                "once, and index both with the same numbers."
            )
        if not same(y_batch, y[rows]):
            raise FeedbackError(
                "Each step should draw its rows with rng.choice(len(X), batch_size), "
                "once, from the rng it is given."
            )
        if reg != 0.1:
            raise FeedbackError("loss_function should be given reg, as it is.")
    return [params for params, *_ in seen], arrays(params, what), losses


def _expect_losses(given: Any, right: list[int]) -> None:
    losses = as_numbers(given, "losses", "a list with one number a step")
    _expect("the list of losses, one a step, before the step,", losses, right)


def _svm_dx(f: StudentFunction) -> Iterator[str]:
    W, X, y = random_data()
    loss, what = as_loss_of_input(f, "hinge"), f"dX {TWO}"
    _expect_gradient(what, f(*by_hand.BY_INPUT), by_hand.SVM_DX[1.0], loss, X, W, y, N=2)
    hints = [(by_hand.SVM_DX[1.0], "that is their dX with the margin 1: use delta")]
    dX = f(*by_hand.BY_INPUT, delta=4.0)
    _expect("their dX with the margin 4", dX, by_hand.SVM_DX[4.0], N=2, hints=hints)
    yield f"{what}, with the margins 1 and 4"
    yield _gradient_is_right(loss, X, W, y)


def _softmax_dx(f: StudentFunction) -> Iterator[str]:
    W, X, y = random_data()
    loss, what = as_loss_of_input(f, "softmax"), f"dX {TWO}"
    dX = f(*by_hand.BY_INPUT_LOG)
    _expect_gradient(what, dX, by_hand.SOFTMAX_DX, loss, X, W, y, N=2, times=30)
    yield what
    yield _gradient_is_right(loss, X, W, y)
    _expect("dX for scores of 10000", f(*by_hand.LARGE), [[0], [1e4]], N=2)
    yield "scores of 10000"


def _net_dx(f: StudentFunction) -> Iterator[str]:
    params, X, y = random_net()
    loss, what = as_loss_of_input(f, "softmax"), "dX of the net for a pencil (notebook 03)"
    hints = [([[4, 7], [-4, -9]], "a unit that is off hands nothing back: is the mask missing?")]
    dX = f(*by_hand.NET)
    _expect_gradient(what, dX, by_hand.NET_DX, loss, X, params, y, N=2, times=8, hints=hints)
    yield what
    yield _gradient_is_right(loss, X, params, y)


def _affine_backward(f: StudentFunction) -> Iterator[str]:
    def forward(x: Array, w: Array, b: Array) -> tuple[Array, Any]:
        return x.reshape(len(x), -1) @ w + b, (x, w, b)

    cache = (by_hand.NET_HIDDEN, by_hand.PENCIL["W2"], by_hand.PENCIL["b2"])
    right = (by_hand.NET_DHIDDEN, by_hand.NET_GRADS["W2"], by_hand.NET_GRADS["b2"])
    returned = as_tuple(f(by_hand.NET_DSCORES, cache), "dx, dw, db")
    for name, given, wanted in zip(("dx", "dw", "db"), returned, right, strict=True):
        what = f"{name} of the second layer of the net for a pencil"
        _expect(what, given, wanted, N=2, times=8)
        yield what
    x, w, b = random_layer()
    dx = as_tuple(f(np.ones((4, 5)), (x, w, b)), "dx, dw, db")[0]
    as_array(dx, x.shape, "dx of images x")
    yield _gradient_is_right(forward, f, x, w, b, check=check_layer)


def _relu_backward(f: StudentFunction) -> Iterator[str]:
    what = "dx of the ReLU of the net for a pencil"
    dout = by_hand.NET_DHIDDEN / 8
    _expect(what, f(dout, by_hand.NET_PRE), by_hand.NET_DPRE, times=8)
    yield what
    x = random_layer()[0]
    yield _gradient_is_right(lambda x: (np.clip(x, 0, None), x), f, x, check=check_layer)


def _sgd_momentum(f: StudentFunction) -> Iterator[str]:
    first, velocity = np.array([1.3, -2.9]), np.array([0.3, -0.9])
    config = {"learning_rate": 0.1, "momentum": 0.5, "velocity": np.array([1.0, -1.0])}
    next_w, config = _step(f, *by_hand.STEP, config)
    _expect("the velocity, from (1, -1) with the momentum 1/2,", config.get("velocity"), velocity)
    _expect("next_w, which is w and the new velocity,", next_w, first)
    yield "a step by hand, and the velocity that it leaves in config"
    next_w, config = _step(f, *by_hand.STEP, None)
    _expect("next_w with the settings that are usual", next_w, [0.98, -2.04])
    next_w, _ = _step(f, next_w, by_hand.STEP[1], config)
    _expect("next_w after a second such step", next_w, [0.942, -2.116])
    yield "two steps from rest, with the rate 0.01 and the momentum 0.9"
    w, dw, state = published_step()
    next_w, _ = _step(f, w, dw, {"learning_rate": 1e-3, "velocity": state})
    _expect(
        "next_w[0, 0] of the course's own check", as_array(next_w, (4, 5), "next_w")[0, 0], 0.1406
    )
    yield "the published number 0.1406"


def _adam(f: StudentFunction) -> Iterator[str]:
    w, dw = by_hand.STEP
    next_w, config = _step(f, w, dw, None)
    hints = {0.99683772: "m and v start at 0 and must be divided by 1 - beta**t", 1.001: AGAINST}
    _expect("next_w[0] after the first step, which is one rate long,",
            as_array(next_w, (2,), "next_w")[0], 0.999, hints=hints)  # fmt: skip
    _expect("next_w after the first step", next_w, [0.999, -2.001])
    yield "the first step is one rate long in every coordinate, whatever the gradient"
    for name, right in (("m", 0.1 * dw), ("v", 0.001 * dw * dw), ("t", 1)):
        _expect(f"{name} in config after the first step", config.get(name), right)
    yield "m, v and t are left in config"
    next_w, _ = _step(f, next_w, -2 * dw, config)
    _expect("next_w after a second step, with the gradient -2 dw,", next_w, [0.9993661, -2.0006339])
    yield "a second step goes on from them"
    w, dw, state = published_step()
    v = np.linspace(0.7, 0.5, 20).reshape(4, 5)
    next_w, _ = _step(f, w, dw, {"learning_rate": 1e-2, "m": state, "v": v, "t": 5})
    _expect("next_w[0, 0] of the course's own check, where t is 5 before the step,",
            as_array(next_w, (4, 5), "next_w")[0, 0], -0.40094747)  # fmt: skip
    yield "the published number -0.40094747"


def _step(f: StudentFunction, w: Array, dw: Array, config: Any) -> tuple[Array, dict[str, Any]]:
    """One step of an update rule: (next_w, config)."""
    next_w, config = as_tuple(f(w, dw, config), "next_w, config")
    if type(config) is not dict:
        raise FeedbackError(f"config is {described(config)}; it must be a dict.", "wrong_type")
    return as_array(next_w, w.shape, "next_w"), config


#: By exercise, each named as it is.
CHECKS: dict[str, Callable[[StudentFunction], Iterator[str]]] = {
    check.__name__[1:]: check
    for check in (
        _svm_naive, _svm_gradient, _svm_vectorized, _penalty, _sgd, _search, _softmax_naive,
        _softmax_gradient, _softmax_vectorized, _net_forward, _net_backward, _net_training,
        _svm_dx, _softmax_dx, _net_dx, _affine_backward, _relu_backward, _sgd_momentum, _adam,
    )
}  # fmt: skip
