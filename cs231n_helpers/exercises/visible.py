"""The exercises of notebooks 01 to 04, and the visible check after each.

`check_exercise` calls a learner's function on values worked out by hand and says in words what the
gradient checker finds. There is no solution in here: right values come from pencil and paper, and
from the checker's own model. The students' edition of this package has no code of its own where
that would give an exercise away; it listens to `when_right` for the functions it can call instead.

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
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..doctor import GradientReport, check_gradient
from ..doctor.backward import OUTPUT_LOSSES, Model, one_per_row
from ..validation import Labels

Function = Callable[..., Any]
Float64s = NDArray[np.float64]

ON_RANDOM_DATA = "check_gradient, on random data:"
REFERENCE = Path("reference.zip")  # from the teacher

#: Called as ``hook(exercise, function)`` with each function that is right, or taken from the
#: reference.
when_right: list[Callable[[str, Function], None]] = []


@dataclass(frozen=True)
class Exercise:
    """One exercise: the notebook it stands in, its number there, its function and its points."""

    notebook: str
    number: str
    function: str
    points: int

    def __str__(self) -> str:
        return f"Exercise {self.number} ({self.function})"


EXERCISES = {
    "svm_naive": Exercise("01_svm", "1.1", "hinge_loops", 5),
    "svm_gradient": Exercise("01_svm", "1.2", "hinge_gradient_loops", 6),
    "svm_vectorized": Exercise("01_svm", "1.3", "hinge_arrays", 8),
    "penalty": Exercise("01_svm", "1.4", "penalty", 5),
    "sgd": Exercise("01_svm", "1.5", "gradient_descent", 8),
    "search": Exercise("01_svm", "1.6", "grid_search", 6),
    "softmax_naive": Exercise("02_softmax", "2.1", "softmax_loops", 5),
    "softmax_gradient": Exercise("02_softmax", "2.2", "softmax_gradient_loops", 6),
    "softmax_vectorized": Exercise("02_softmax", "2.3", "softmax_arrays", 8),
    "net_forward": Exercise("03_two_layer_net", "3.1", "net_forward", 6),
    "net_backward": Exercise("03_two_layer_net", "3.2", "net_backward", 10),
    "net_training": Exercise("03_two_layer_net", "3.3", "train_net", 8),
    "svm_dx": Exercise("04_dx_derivation", "4.1", "svm_dx", 6),
    "softmax_dx": Exercise("04_dx_derivation", "4.2", "softmax_dx", 5),
    "net_dx": Exercise("04_dx_derivation", "4.3", "net_dx", 8),
}


class ExerciseError(Exception):
    """What to do next; a notebook shows it as a paragraph, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).split("\n")


class OpenExerciseError(ExerciseError, NotImplementedError):
    """An exercise that has not been solved yet."""


class WrongExerciseError(ExerciseError, AssertionError):
    """A solution that is not right yet, and what was found."""


def check_exercise(exercise: str, function: Function) -> None:
    """Check a solution on small examples, and say in words what is right and what is not.

    Parameters
    ----------
    exercise : str
        A key of `EXERCISES`.
    function : callable
        The solution, with the signature that the exercise gives.

    Raises
    ------
    OpenExerciseError
        If the function is not written yet.
    WrongExerciseError
        If it is not right; the text quotes what `check_gradient` found.
    ValueError
        If there is no such exercise.

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
    it = _exercise(exercise)
    right: list[str] = []
    try:
        remarks = list(_by_itself(function))
        for line in CHECKS[exercise](_Learner(function)):
            right.append(line)
    except OpenExerciseError:
        raise
    except NotImplementedError:
        raise OpenExerciseError(paragraphs(f"{it} is open.", *_what_next(exercise))) from None
    except _WrongError as wrong:
        said = [f"Right: {line}" for line in right]
        message = paragraphs(f"{it} is not right yet.", *said, *wrong.args, *_try_again(exercise))
        raise WrongExerciseError(message) from None
    print(f"{it} is right:")
    for line in right + remarks:
        print(textwrap.fill(line, 94, initial_indent="- ", subsequent_indent="  "))
    for hook in when_right:
        hook(exercise, function)


def use_reference(exercise: str) -> Function:
    """Return the reference solution of an exercise, where your teacher has handed it out.

    It is read from ``reference.zip`` beside the notebook. From then on the package uses it, too.

    Parameters
    ----------
    exercise : str
        A key of `EXERCISES`.

    Raises
    ------
    OpenExerciseError
        If there is no ``reference.zip``, or the exercise is not in it.
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> try:
    ...     hinge_loops = use_reference("svm_naive")
    ... except OpenExerciseError as error:
    ...     print(str(error)[:56])
    There is no reference for Exercise 1.1 (hinge_loops) her
    """
    it = _exercise(exercise)
    try:
        with zipfile.ZipFile(REFERENCE) as archive:
            source = archive.read(f"{exercise}.py").decode()
    except (OSError, KeyError, zipfile.BadZipFile):
        raise OpenExerciseError(
            paragraphs(
                f"There is no reference for {it} here.",
                f"Your teacher may hand out {REFERENCE}: put it beside this notebook, as it is.",
            )
        ) from None
    function = function_from(source, exercise)
    for hook in when_right:
        hook(exercise, function)
    return function


def function_from(source: str, exercise: str) -> Function:
    """Return the function that the source of an exercise's cell defines.

    Raises OpenExerciseError where the source does not run by itself.

    >>> function_from("def penalty(W, reg): return 0.0, np.zeros_like(W)", "penalty")([1.0], 2.0)
    (0.0, array([0.]))
    """
    it = _exercise(exercise)
    namespace: dict[str, Any] = {"np": np, "__name__": "solved"}
    name = f"<{it}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        exec(compile(source, name, "exec"), namespace)
        function: Function = namespace[it.function]
    except Exception as error:
        raise OpenExerciseError(
            paragraphs(
                f"{it} of {it.notebook}.ipynb does not run by itself ({type(error).__name__}: "
                f"{error}). Let its cell use NumPy alone, and run the check after it once more."
            )
        ) from None
    return function


# ---- words ----


def _exercise(exercise: str) -> Exercise:
    if exercise not in EXERCISES:
        raise ValueError(
            f"there is no exercise {exercise!r}: the choices are {', '.join(EXERCISES)}"
        )
    return EXERCISES[exercise]


def paragraphs(*lines: str) -> str:
    """Text of one paragraph a line, wrapped; what is wrapped already stays as it is."""
    return "\n".join(line if "\n" in line else textwrap.fill(line, 96) for line in lines)


def _what_next(exercise: str) -> list[str]:
    return [
        "Put your code in the place of `raise NotImplementedError`, run that cell and this check.",
        reference_hint(exercise),
    ]


def _try_again(exercise: str) -> list[str]:
    return ["Change it, run its cell and this check again.", reference_hint(exercise)]


def reference_hint(exercise: str) -> str:
    """Return what to do for whoever is stuck."""
    return (
        "Stuck? The other exercises do not need this one: go on with the next. Where your\n"
        "teacher has handed out the reference, two lines in a cell give it to later cells:\n"
        "    from cs231n_helpers import use_reference\n"
        f'    {EXERCISES[exercise].function} = use_reference("{exercise}")'
    )


# ---- calling a learner's function ----


class _WrongError(Exception):
    """What is wrong, in one paragraph or more."""


class _UnexplainedError(_WrongError):
    """A value that is wrong, and no word on why."""


def _by_itself(function: Function) -> Iterator[str]:
    """Say what a function takes from other cells; refuse the package and other exercises."""
    code = getattr(function, "__code__", None)
    source = "".join(linecache.getlines(code.co_filename)) if code else ""
    if not source:
        return
    try:
        cell = compile(source, "cell", "exec", dont_inherit=True)
    except SyntaxError:  # of IPython's own
        return
    made = {step.argval for step in dis.get_instructions(cell) if step.opname == "STORE_NAME"}
    used = _globals_of(function, made)
    foreign = sorted(
        (used & function.__globals__.keys()) - made - vars(builtins).keys() - {"np", "__name__"}
    )
    forbidden = [name for name in foreign if _is_ours(name, function.__globals__[name])]
    if forbidden:
        raise _WrongError(
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


def _globals_of(function: Function, made: set[str]) -> set[str]:
    """Return the global names that a function uses, and those functions that its cell has made."""
    found: set[str] = set()
    codes: list[Any] = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        steps = dis.get_instructions(code)
        names = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"} - found
        found |= names
        helpers = (getattr(function.__globals__.get(n), "__code__", None) for n in names & made)
        codes += filter(None, helpers)
    return found


@dataclass(frozen=True)
class _Learner:
    """A learner's function: errors become words, and arguments must come back unchanged."""

    function: Function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = [a if callable(a) else deepcopy(a) for a in args]
        try:
            with np.errstate(all="ignore"):
                result = self.function(*given, **kwargs)
        except (NotImplementedError, _WrongError):
            raise
        except Exception as error:
            raise _WrongError(
                f"It raises {type(error).__name__}: {str(error).strip()}{self._line(error)}"
            ) from None
        if not all(map(_unchanged, args, given)):
            raise _WrongError(
                "It changes one of its arguments in place, and whoever calls it next gets the "
                "changed one: write x = x - ... in place of x -= ..., or begin with a copy."
            )
        return result

    def _line(self, error: Exception) -> str:
        """Where in the learner's code it was raised."""
        code = getattr(self.function, "__code__", None)
        frames = traceback.extract_tb(error.__traceback__)
        mine = [frame.line for frame in frames if code and frame.filename == code.co_filename]
        return f", in the line `{mine[-1]}`." if mine and mine[-1] else "."

    def pair(self, names: str, *args: Any, **kwargs: Any) -> Any:
        """Call it for two results."""
        result = self(*args, **kwargs)
        if not isinstance(result, tuple) or len(result) != 2:
            raise _WrongError(f"It must return a pair ({names}), and it returns {_shown(result)}.")
        return result

    def has_loops(self) -> bool:
        """Whether there is a Python loop in its source, as far as that is known."""
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        except (OSError, TypeError, SyntaxError):
            return False
        loops = (ast.For, ast.While, ast.comprehension)
        return any(isinstance(node, loops) for node in ast.walk(tree))


def _unchanged(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(
            _unchanged(before[k], after[k]) for k in before
        )
    return not isinstance(before, np.ndarray) or np.array_equal(before, after)


def _shown(value: Any) -> str:
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, np.ndarray | np.generic | float | int) and np.size(value) <= 12:
        return str(np.round(np.asarray(value, dtype=float), 4).tolist())
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, dict | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{type(value).__name__} {value!r}"


def _is(
    what: str,
    got: Any,
    wanted: Any,
    N: int = 1,
    tolerance: float = 1e-6,
    times: int = 1,
    hints: dict[float, str] | None = None,
) -> None:
    """Compare with a value worked out by hand, and say how it is off.

    `times` is a factor that makes whole numbers, `hints` says what typical wrong values mean.
    """
    right = np.asarray(wanted, dtype=float)
    what = _upper(what if times == 1 else f"{times} {what}")
    try:
        found = times * np.asarray(got, dtype=float)
    except (TypeError, ValueError):
        found = None
    if got is None or found is None:
        raise _WrongError(f"{what} should be {_shown(right)}, and yours is {_shown(got)}.")
    if found.shape != right.shape:
        rule = f"has the shape {right.shape}" if right.ndim else "is one number"
        yours = f"has the shape {found.shape}" if found.ndim else f"is {_shown(found)}"
        turned = found.ndim == 2 and np.array_equal(found.shape, right.shape[::-1])
        raise _WrongError(f"{what} {rule}, and yours {yours}{': it is transposed' * turned}.")
    close = np.isclose(found, right, rtol=tolerance, atol=tolerance)
    if close.all():
        return
    factors = {
        -1.0: "the sign is the other way round",
        0.5: "that is half of it",
        2.0: "that is twice as much",
        float(N): f"that is N = {N} times too large: divide by N, the loss is a mean",
        1.0 / N: f"that is N = {N} times too small: divide by N once, and not again",
    }
    ratios = [h for k, h in factors.items() if np.allclose(found, k * right, rtol=1e-6)]
    values = [h for k, h in (hints or {}).items() if np.allclose(found, k, rtol=1e-6)]
    why = next(iter([*values, *ratios]), "")
    if not np.isfinite(found).all():
        why = "exp overflows, a logarithm gets 0, or something is divided by 0"
    ending = f": {why}." if why else "."
    error = _WrongError if why else _UnexplainedError
    if right.size <= 12:
        raise error(f"{what} should be {_shown(right)}, and yours is {_shown(found)}{ending}")
    place = tuple(np.argwhere(~close)[0].tolist())
    raise error(
        f"{what}: {np.sum(~close)} of {right.size} numbers are off. At {list(place)} it should be "
        f"{_shown(right[place])}, and yours is {_shown(found[place])}{ending}"
    )


def _upper(text: str) -> str:
    return text if text[1].isupper() else text[0].upper() + text[1:]  # dW stays dW


def _report(loss: Function, params: Any, *args: Any) -> GradientReport:
    """Return what `check_gradient` says."""
    try:
        with np.errstate(all="ignore"):
            return check_gradient(loss, params, *args)
    except (_WrongError, NotImplementedError):
        raise
    except Exception as error:
        raise _WrongError(f"On other data it raises {type(error).__name__}: {error}.") from None


def _gradient_is_right(loss: Function, params: Any, *args: Any) -> str:
    """What `check_gradient` says, if the gradient is right."""
    report = _report(loss, params, *args)
    if not report:
        raise _WrongError(ON_RANDOM_DATA, str(report))
    return f"{ON_RANDOM_DATA} {str(report).splitlines()[0]}"


def _is_gradient(
    what: str,
    got: Any,
    wanted: Any,
    loss: Function,
    params: Any,
    *args: Any,
    N: int,
    times: int = 1,
) -> None:
    """Compare with a gradient worked out by hand; `check_gradient` may know why it is wrong."""
    try:
        _is(what, got, wanted, N=N, times=times)
    except _UnexplainedError as wrong:
        try:
            report = _report(loss, params, *args)
        except _WrongError as elsewhere:
            raise _WrongError(*wrong.args, "On random data:", *elsewhere.args) from None
        if {finding.code for finding in report.mistakes} - {"unexplained"}:
            raise _WrongError(*wrong.args, ON_RANDOM_DATA, str(report)) from None
        raise


# ---- examples, worked out by hand in the notebooks ----

W_SVM = np.array([[1.0, 2, 1], [2, 0, 0]])  # (D, C), the four examples of notebook 01
X_SVM = np.array([[1.0, 1], [2, 1], [-1, -2], [2, -2]])
Y_SVM = np.array([0, 2, 1, 1])
OWN_CLASS = "each example pays the margin for its own class, too: leave out j = y_i"
DW_SVM = [[0.5, 0.75, -1.25], [0.25, 0.75, -1.0]]  # with the margin 1/2

W_LOG = np.log([[1 / 2, 3, 1 / 7], [4, 1 / 3, 49]])  # (D, C), the two examples of notebook 02
X_LOG = np.array([[1.0, 1], [2, 1]])
Y_LOG = np.array([1, 0])
DW_LOG = [[-0.7, 0.15, 0.55], [-0.3, -0.15, 0.45]]
W_LARGE, X_LARGE, Y_LARGE = np.array([[1e4, 0, -1e4]]), np.ones((2, 1)), np.array([0, 2])

NET = {  # the net for a pencil of notebook 03
    "W1": np.array([[0.0, 1, 0], [1, 0, 2]]),
    "b1": np.array([0.0, -2, -3]),
    "W2": np.array([[0.0, 0, 0, 1], [1, 0, -1, 0], [2, 1, 0, 0]]),
    "b2": np.array([-1.0, 0, 1, -1]),
}
X_NET, Y_NET = np.array([[1.0, 2], [3, 1]]), np.array([2, 0])
DSCORES_NET = np.array([[1.0, 1, -3, 1], [-3, 1, 1, 1]]) / 8
GRADIENTS_NET = {  # in eighths
    "W1": [[4, -12, 3], [3, -4, 6]],
    "b1": [2, -4, 3],
    "W2": [[-1, 3, -5, 3], [-3, 1, 1, 1], [1, 1, -3, 1]],
    "b2": [-2, 2, -2, 2],
}

W_DX = np.array([[2.0, 1, 0, -1], [1, 2, 1, 0], [0, 1, 3, 1]])  # (D, C), the toy of notebook 04
X_DX, Y_DX = np.array([[2.0, 1, 0], [1, 1, 1]]), np.array([1, 0])


def _random(head: str = "hinge") -> tuple[Float64s, Float64s, Labels]:
    """W (5, 4), X (7, 5), y (7,): no two sizes are equal, so no product fits by luck."""
    rng = np.random.RandomState(231)
    W, X = rng.standard_normal((5, 4)), rng.standard_normal((7, 5))
    return W, X, np.array([0, 3, 3, 1, 3, 2, 1])


def _random_net() -> tuple[dict[str, Float64s], Float64s, Labels]:
    """A net with D, H, C = 4, 6, 3 and N = 5 examples."""
    rng = np.random.RandomState(231)
    shapes = {"W1": (4, 6), "b1": (6,), "W2": (6, 3), "b2": (3,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return params, rng.standard_normal((5, 4)), np.array([0, 2, 1, 1, 2])


def _model(head: str, params: Any, X: Float64s, y: Labels, delta: float = 1.0) -> Model:
    """The checker's own model of a linear classifier W, or of a net."""
    layers = [(params, None)]
    if isinstance(params, dict):
        layers = [(params["W1"], params["b1"]), (params["W2"], params["b2"])]
    targets = one_per_row(y, layers[-1][0].shape[1])
    return Model(tuple(layers), X, targets, OUTPUT_LOSSES[head], delta_margin=delta)


def _with_penalty(loss: float, reg: float, *weights: Float64s) -> float:
    return loss + reg / 2 * sum(float(np.vdot(w, w)) for w in weights)


# ---- the checks: each yields what is right, and raises _WrongError ----


def _svm_naive(f: _Learner) -> Iterator[str]:
    hints = {
        3.0: OWN_CLASS,
        3.25: "the margin belongs inside, max(0, m_ij)",
        4.75: "m_ij has the score of the right class with a minus",
    }
    _is("the loss of the four examples by hand", f(W_SVM, X_SVM, Y_SVM), 2, N=4, hints=hints)
    _is("the loss with the margin 2", f(W_SVM, X_SVM, Y_SVM, delta=2.0), 3, N=4)
    yield "the loss of the four examples by hand is 2, with the margin 2 it is 3"
    _is("at W = 0 the loss for three classes", f(0 * W_SVM, X_SVM, Y_SVM), 2, N=4)
    yield "at W = 0 it is C - 1"
    W, X, y = _random()
    wanted = _model("hinge", W, X, y, 0.7).loss()
    _is("the loss of random data", f(W, X, y, delta=0.7), wanted, N=7)
    _is("the loss in float32", f(*_single(W, X), y, delta=0.7), wanted, N=7, tolerance=1e-4)
    yield "random data, in float64 and in float32"


def _svm_gradient(f: _Learner) -> Iterator[str]:
    def loss(W: Float64s, X: Float64s, y: Labels) -> Any:
        return _model("hinge", W, X, y, 0.7).loss(), f(W, X, y, delta=0.7)

    dW = f(W_SVM, X_SVM, Y_SVM, delta=0.5)
    _is_gradient("dW of the four examples by hand", dW, DW_SVM, loss, *_random(), N=4)
    yield "dW of the four examples by hand, with the margin 1/2"
    yield _gradient_is_right(loss, *_random())
    yield from _at_the_kink(f(W_SVM, X_SVM, Y_SVM))


def _svm_vectorized(f: _Learner) -> Iterator[str]:
    def loss_function(W: Float64s, X: Float64s, y: Labels) -> Any:
        return f.pair("loss, dW", W, X, y, delta=0.7)

    loss, dW = f.pair("loss, dW", W_SVM, X_SVM, Y_SVM, delta=0.5)
    what = "the loss of the four examples by hand, with the margin 1/2,"
    _is(what, loss, 1.625, N=4, hints={2.125: OWN_CLASS})
    yield f"{what} is 1.625"
    _is_gradient("dW of the four examples by hand", dW, DW_SVM, loss_function, *_random(), N=4)
    yield "their dW"
    yield _gradient_is_right(loss_function, *_random())
    yield from _no_loop(f)
    yield from _at_the_kink(f.pair("loss, dW", W_SVM, X_SVM, Y_SVM)[1])


def _penalty(f: _Learner) -> Iterator[str]:
    for reg_scale, value in ((0.5, 10), (1.0, 20)):
        found = f.pair("value, gradient", W_SVM, 2.0, reg_scale)
        _is(
            f"the value for W with squares that sum to 10, reg 2 and reg_scale {reg_scale}",
            found[0],
            value,
        )
    yield "the value for squares that sum to 10, reg 2, with and without the half"
    for reg_scale, factor in ((0.5, 2), (1.0, 4)):
        found = f.pair("value, gradient", W_SVM, 2.0, reg_scale)
        _is(f"its gradient, with reg_scale {reg_scale},", found[1], factor * W_SVM)
    _is("the value where reg_scale is not given", f(W_SVM, 2.0)[0], 10)
    yield "its gradient, in both conventions"

    def loss(W: Float64s, reg: float) -> Any:
        return f.pair("value, gradient", W, reg, 0.8)

    yield _gradient_is_right(loss, _random()[0], 0.3)


AGAINST = "a step goes against the gradient"


def _sgd(f: _Learner) -> Iterator[str]:
    seen: list[Any] = []

    def loss_function(W: Float64s, X_batch: Float64s, y_batch: Labels, reg: float) -> Any:
        seen.append((W.copy(), np.array(X_batch), np.array(y_batch), reg))
        return float(len(seen)), 2 * np.ones_like(W)

    X, y, W = np.arange(20.0).reshape(10, 2), np.arange(10), np.full((2, 3), 5.0)
    rng = np.random.RandomState(7)
    result = f.pair("W, losses", loss_function, W, X, y, 0.5, 0.1, 3, 4, rng)
    _calls(len(seen), 3)
    _batches(seen, X, y, 4)
    if any(reg != 0.1 for *_, reg in seen):
        raise _WrongError("loss_function should be given reg, as it is.")
    yield "each step draws its minibatch with rng.choice, and rows of X and y belong together"
    for step, (at, *_) in enumerate(seen):
        after = f"after {step} step{'s' * (step != 1)}"
        _is(
            f"W from 5, with the gradient 2 everywhere and the rate 0.5, {after}",
            at[0, 0],
            5 - step,
            hints={5.0 + step: AGAINST},
        )
    _is("and W after three steps", result[0], np.full((2, 3), 2.0))
    yield "each step goes against the gradient, as far as the rate says"
    _is("the list of losses, one a step, before the step,", result[1], [1, 2, 3])
    yield "one loss a step"


def _search(f: _Learner) -> Iterator[str]:
    table = {
        (0.1, 1.0): 0.5,
        (0.1, 10.0): 0.7,
        (0.2, 1.0): 0.9,
        (0.2, 10.0): 0.6,
        (0.3, 1.0): 0.8,
        (0.3, 10.0): 0.2,
    }
    asked: list[tuple[float, float]] = []

    def evaluate(learning_rate: float, reg: float) -> float:
        asked.append((learning_rate, reg))
        if asked[-1] not in table:
            raise _WrongError(
                f"evaluate was asked for the rate {learning_rate} and reg {reg}, which "
                "is not a pair of the grid: the rate comes first."
            )
        return table[asked[-1]]

    result = f.pair("accuracies, best", evaluate, [0.1, 0.2, 0.3], [1.0, 10.0])
    accuracies, best = result
    if sorted(asked) != sorted(table):
        raise _WrongError(
            f"3 rates and 2 regs make 6 pairs, each evaluated once: you asked for {asked}"
        )
    if accuracies != table:
        raise _WrongError(
            "accuracies should be a dict {(learning_rate, reg): accuracy}, "
            f"{table}, and yours is {accuracies}."
        )
    yield "each pair of the grid is evaluated once, and noted"
    if best != (0.2, 1.0):
        raise _WrongError(
            "best should be the pair with the highest accuracy, the key (0.2, 1.0), and yours is "
            f"{best!r}."
        )
    yield "the best pair is the one with the highest accuracy"


OWN_LABEL = {np.log(50 / 3) / 2: "each example has its own label, y[i]"}
HALF = "the penalty is half of reg times the sum of squares"


def _softmax_naive(f: _Learner) -> Iterator[str]:
    hand = np.log(50) / 2  # of log 10 and log 5
    found = f(W_LOG, X_LOG, Y_LOG, 0.0)
    _is("the loss of the two examples by hand", found, hand, N=2, hints=OWN_LABEL)
    yield "the loss of the two examples by hand, (log 10 + log 5) / 2"
    W = np.array([[1.0, 2], [3, 0]])  # squares that sum to 14
    zeros = np.zeros((1, 2))
    found = f(W, zeros, np.array([1]), 2.0)
    _is(
        "with scores of 0, two classes, reg 2 and squares that sum to 14, the loss",
        found,
        np.log(2) + 14,
        hints={np.log(2): "the penalty is missing", np.log(2) + 28: HALF},
    )
    yield "the penalty"
    _is("the loss for scores of 10000 and -10000", f(W_LARGE, X_LARGE, Y_LARGE, 0.0), 1e4, N=2)
    yield "scores of 10000"
    W, X, y = _random()
    wanted = _with_penalty(_model("softmax", W, X, y).loss(), 0.3, W)
    _is("the loss of random data", f(W, X, y, 0.3), wanted, N=7)
    _is("the loss in float32", f(*_single(W, X), y, 0.3), wanted, N=7, tolerance=1e-4)
    yield "random data, in float64 and in float32"


def _softmax_gradient(f: _Learner) -> Iterator[str]:
    def loss(W: Float64s, X: Float64s, y: Labels, reg: float) -> Any:
        return _with_penalty(_model("softmax", W, X, y).loss(), reg, W), f(W, X, y, reg)

    dW = f(W_LOG, X_LOG, Y_LOG, 0.0)
    _is_gradient("dW of the two examples by hand", dW, DW_LOG, loss, *_random(), 0.3, N=2)
    yield "dW of the two examples by hand"
    yield _gradient_is_right(loss, *_random(), 0.3)
    _is("dW for scores of 10000", f(W_LARGE, X_LARGE, Y_LARGE, 0.0), [[0.5, 0, -0.5]], N=2)
    yield "scores of 10000"


def _softmax_vectorized(f: _Learner) -> Iterator[str]:
    def loss_function(W: Float64s, X: Float64s, y: Labels, reg: float) -> Any:
        return f.pair("loss, dW", W, X, y, reg)

    loss, dW = f.pair("loss, dW", W_LOG, X_LOG, Y_LOG, 0.0)
    what = "the loss of the two examples by hand"
    _is(what, loss, np.log(50) / 2, N=2, hints=OWN_LABEL)
    yield "the loss of the two examples by hand, (log 10 + log 5) / 2"
    by_hand = "dW of the two examples by hand"
    _is_gradient(by_hand, dW, DW_LOG, loss_function, *_random(), 0.3, N=2)
    yield "their dW"
    yield _gradient_is_right(loss_function, *_random(), 0.3)
    W, X, y = _random()
    data_loss = _model("softmax", W, X, y).loss()
    hints = {data_loss: "the penalty is missing", _with_penalty(data_loss, 0.6, W): HALF}
    wanted = _with_penalty(data_loss, 0.3, W)
    _is("the loss of random data with reg 0.3", f(W, X, y, 0.3)[0], wanted, N=7, hints=hints)
    loss, dW = f.pair("loss, dW", W_LARGE, X_LARGE, Y_LARGE, 0.0)
    _is("the loss for scores of 10000 and -10000", loss, 1e4, N=2)
    _is("dW for scores of 10000", dW, [[0.5, 0, -0.5]], N=2)
    yield "scores of 10000"
    yield from _no_loop(f)


def _net_forward(f: _Learner) -> Iterator[str]:
    hidden, scores = f.pair("hidden, scores", NET, X_NET)
    _is("hidden of the net for a pencil", hidden, [[2, 0, 1], [1, 1, 0]])
    yield "hidden of the net for a pencil"
    _is("its scores", scores, [[1] * 4, [0] * 4])
    yield "its scores"
    params, X, y = _random_net()
    inputs = _model("softmax", params, X, y).forward()[0]
    for what, got, wanted in zip(("hidden", "scores"), f(params, X), inputs[1:], strict=True):
        _is(f"{what} of a random net", got, wanted)
    yield "a random net of other sizes"


def _net_backward(f: _Learner) -> Iterator[str]:
    hidden = np.array([[2.0, 0, 1], [1, 1, 0]])
    grads = f(NET, X_NET, hidden, DSCORES_NET, 0.0)
    if not isinstance(grads, dict) or grads.keys() != NET.keys():
        raise _WrongError(
            f"It must return a dict with W1, b1, W2 and b2, and it returns {_shown(grads)}."
        )

    def loss(params: dict[str, Float64s], X: Float64s, y: Labels, reg: float) -> Any:
        model = _model("softmax", params, X, y)
        inputs = model.forward()[0]
        dscores = model.terms_of_scores(inputs[2]).dscores
        value = _with_penalty(model.loss(), reg, params["W1"], params["W2"])
        return value, f(params, X, inputs[1], dscores, reg)

    for name in ("W2", "b2", "W1", "b1"):  # in the order of the way back
        what, by_hand = f"d{name} of the net for a pencil", GRADIENTS_NET[name]
        _is_gradient(what, grads[name], by_hand, loss, *_random_net(), 0.3, N=2, times=8)
        yield what
    yield _gradient_is_right(loss, *_random_net(), 0.3)
    grads = f(NET, X_NET, hidden, np.zeros((2, 4)), 0.5, reg_scale=1.0)
    _is(
        "dW1 with reg 0.5 and reg_scale 1, where nothing arrives from the scores,",
        grads["W1"],
        NET["W1"],
    )
    yield "the penalty in both conventions"


def _net_training(f: _Learner) -> Iterator[str]:
    seen: list[Any] = []

    def loss_function(params: Any, X_batch: Float64s, y_batch: Labels, reg: float) -> Any:
        seen.append((deepcopy(params), np.array(X_batch), np.array(y_batch), reg))
        return float(len(seen)), {name: np.ones_like(p) for name, p in params.items()}

    def run(num_examples: int, num_iters: int) -> Any:
        seen.clear()
        X, y = np.arange(2.0 * num_examples).reshape(-1, 2), np.arange(num_examples)
        rng = np.random.RandomState(7)
        result = f.pair(
            "params, losses", loss_function, deepcopy(NET), X, y, 1.0, 0.5, 0.1, num_iters, 4, rng
        )
        _calls(len(seen), num_iters)
        _batches(seen, X, y, 4)
        if not isinstance(result[0], dict) or result[0].keys() != NET.keys():
            raise _WrongError("params must come back as a dict with W1, b1, W2 and b2.")
        return result

    params, losses = run(10, 6)
    yield "each step draws its minibatch with rng.choice, and rows of X and y belong together"
    _is(
        "after a step of the rate 1 where the gradient is 1, b2[0], which starts at -1,",
        seen[1][0]["b2"][0],
        -2,
        hints={0.0: AGAINST},
    )
    yield "each step goes against the gradient, as far as the rate says"
    _is(
        "10 examples in batches of 4 are 2 steps an epoch: with the decay 0.5 b2[0] after 6 steps",
        params["b2"][0],
        -1 - (1 + 1 + 0.5 + 0.5 + 0.25 + 0.25),
    )
    for name in NET:
        _is(f"{name} after 6 steps", params[name], NET[name] - 3.5)
    _is("the list of losses, one a step, before the step,", losses, [1, 2, 3, 4, 5, 6])
    yield "the rate decays after each epoch, and all four parameters move; one loss a step"
    params, _ = run(3, 2)
    _is(
        "3 examples in batches of 4 are one step an epoch, so b2[0] after 2 steps",
        params["b2"][0],
        -2.5,
    )
    yield "an epoch has at least one step"


def _svm_dx(f: _Learner) -> Iterator[str]:
    by_hand = [[0.5, -0.5, -0.5], [-1.5, 0.5, 2.0]]
    W, X, y = _random()

    def loss(X: Float64s) -> Any:
        return _model("hinge", W, X, y).loss(), f(W, X, y)

    what = "dX of the two examples by hand"
    _is_gradient(what, f(W_DX, X_DX, Y_DX), by_hand, loss, X, N=2)
    with_margin_4 = [[0, -1, 0.5], [-3, 0, 2.5]]
    _is("their dX with the margin 4", f(W_DX, X_DX, Y_DX, delta=4.0), with_margin_4, N=2)
    yield f"{what}, with the margins 1 and 4"
    yield _gradient_is_right(loss, X)


def _softmax_dx(f: _Learner) -> Iterator[str]:
    W, X, y = _random()

    def loss(X: Float64s) -> Any:
        return _model("softmax", W, X, y).loss(), f(W, X, y)

    what, by_hand = "dX of the two examples by hand", [[4, -12, -4], [-55 / 3, 5, 55 / 3]]
    found = f(W_DX, np.log(2) * np.array([[1.0, 0, 0], [0, 1, 0]]), Y_DX)
    _is_gradient(what, found, by_hand, loss, X, N=2, times=30)
    yield what
    yield _gradient_is_right(loss, X)
    _is("dX for scores of 10000", f(W_LARGE, X_LARGE, Y_LARGE), [[0], [1e4]], N=2)
    yield "scores of 10000"


def _net_dx(f: _Learner) -> Iterator[str]:
    params, X, y = _random_net()

    def loss(X: Float64s) -> Any:
        return _model("softmax", params, X, y).loss(), f(params, X, y)

    what = "dX of the net for a pencil (notebook 03)"
    _is_gradient(what, f(NET, X_NET, Y_NET), [[0, 7], [-4, 1]], loss, X, N=2, times=8)
    yield what
    yield _gradient_is_right(loss, X)


def _single(*arrays: Float64s) -> list[Float64s]:
    return [array.astype(np.float32) for array in arrays]


def _no_loop(f: _Learner) -> Iterator[str]:
    if f.has_loops():
        raise _WrongError("It is right, but this exercise asks for it without a Python loop.")
    yield "no Python loop"


def _at_the_kink(dW: Any) -> Iterator[str]:
    """Any slope between the two sides is right; the notebook's later figures take 0."""
    if not np.allclose(dW, DW_SVM):
        yield (
            "(At a kink, a margin of exactly 0, your slope is not 0. That is no mistake, but "
            "the notebook takes 0: with > in place of >= its later figures agree with yours.)"
        )


def _calls(found: int, wanted: int) -> None:
    if found != wanted:
        raise _WrongError(
            f"num_iters = {wanted} steps ask loss_function once each, and yours {found} times."
        )


def _batches(seen: list[Any], X: Float64s, y: Labels, size: int) -> None:
    rng = np.random.RandomState(7)
    for _, X_batch, y_batch, _ in seen:
        rows = rng.choice(len(X), size)
        if len(X_batch) != size or len(y_batch) != size:
            raise _WrongError(
                f"A minibatch has batch_size = {size} rows, and yours has {len(X_batch)} "
                f"of X and {len(y_batch)} of y."
            )
        if not np.array_equal(X_batch, X[y_batch]):
            raise _WrongError(
                "The rows of X and of y in a minibatch do not belong together: draw "
                "once, and index both with the same numbers."
            )
        if not np.array_equal(y_batch, y[rows]):
            raise _WrongError(
                "Each step should draw its rows with rng.choice(len(X), batch_size), "
                "once, from the rng it is given."
            )


CHECKS: dict[str, Callable[[_Learner], Iterator[str]]] = {
    "svm_naive": _svm_naive,
    "svm_gradient": _svm_gradient,
    "svm_vectorized": _svm_vectorized,
    "penalty": _penalty,
    "sgd": _sgd,
    "search": _search,
    "softmax_naive": _softmax_naive,
    "softmax_gradient": _softmax_gradient,
    "softmax_vectorized": _softmax_vectorized,
    "net_forward": _net_forward,
    "net_backward": _net_backward,
    "net_training": _net_training,
    "svm_dx": _svm_dx,
    "softmax_dx": _softmax_dx,
    "net_dx": _net_dx,
}
