"""Hidden tests: judge a learner's function, part by part, and say what is wrong with it.

A function is judged by what it returns on data that nobody has seen: drawn from `rng`, of sizes
that all differ (so that no transposed product fits by luck), far from every kink (so that any
subgradient is right), and such that each known mistake shows on every draw. A part passes where
its values agree with the package's. Where they do not, the gradient checker says why: for a part
that is a loss it is asked about the learner's loss beside the right gradient, for a gradient
about the learner's gradient beside the right loss. So each part stands for itself.

Loops (gradient descent, training, search) get a callback that writes down what it is asked and
answers with known numbers; batches, steps, rates and losses are judged from that record.

Nothing here trusts the function: it may run in another process, return anything, raise, keep
state or change its arguments. All of that becomes a sentence for the learner. One exception is
passed on: `Stopped`, which says that the process it ran in is gone.

Shapes: N examples, D features, C classes, H hidden units, B rows of a minibatch.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs231n_helpers import Finding, check_gradient, softmax_loss
from cs231n_helpers import softmax_input_gradient as softmax_dx
from cs231n_helpers import softmax_loss_naive as softmax_linear
from cs231n_helpers import svm_input_gradient as svm_dx
from cs231n_helpers import svm_loss_naive as svm_linear
from cs231n_helpers.checker.mistakes import FACTORS, MESSAGES, MISTAKES
from cs231n_helpers.checker.reference import HEADS, Model, one_per_row
from cs231n_helpers.losses import regularisation

Array = NDArray[np.float64]
Arrays = dict[str, Array]
Function = Callable[..., Any]
MakeRng = Callable[[int], Any]
LONGEST = 700  # characters of a sentence


@dataclass(frozen=True)
class Part:
    """One part of an exercise, judged.

    Attributes
    ----------
    name : str
        "loss", "gradient", "W1", ...
    share : float
        Of the exercise's points; the shares of an exercise add up to 1.
    passed : bool
    sentence : str
        For the learner, in plain text: what is wrong and what to change.
    codes : tuple of str
        What was found, in the vocabulary of the gradient checker and some of our own.
    """

    name: str
    share: float
    passed: bool
    sentence: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """Why a part is lost."""

    sentence: str
    codes: tuple[str, ...]


Faults = dict[str, Fault]  # by part; a part that is not in it has passed


def grade_exercise(
    exercise_id: str,
    function: Any,
    rng: np.random.Generator,
    *,
    make_rng: MakeRng = np.random.RandomState,
) -> list[Part]:
    """Judge one function by the hidden tests of an exercise.

    Parameters
    ----------
    exercise_id : str
        A key of `FUNCTION`.
    function : callable
        Has the exercise's signature; whatever else it is becomes a sentence.
    rng : Generator
        Draws the data. The points do not depend on it.
    make_rng : callable
        Takes a seed; what it returns is passed as the argument `rng` of functions that draw.

    Returns
    -------
    list of Part
        In the order of `PARTS`.

    Raises
    ------
    KeyError
        If there is no such exercise.
    Stopped
        Any exception of that name that `function` raises.

    Examples
    --------
    >>> def penalty(W, reg, reg_scale=0.5):
    ...     return reg_scale * reg * np.sum(W**2), reg * np.sum(W)
    >>> for part in grade_exercise("penalty", penalty, np.random.default_rng(0)):
    ...     print(part.name, part.passed, part.codes)
    value True ()
    gradient False ('wrong_type',)
    """
    exercise = EXERCISES[exercise_id]
    learner = Learner(function, exercise.function, exercise.arguments)
    try:
        faults = exercise.judge(learner, rng, make_rng)
    except CallError as error:
        faults = dict.fromkeys(exercise.parts, error.fault)
    parts = []
    for name, points in exercise.parts.items():
        fault = faults.get(name)
        sentence = fault.sentence if fault else f"The part {name!r} is right on all hidden data."
        codes = tuple(dict.fromkeys(fault.codes)) if fault else ()
        share = points / exercise.points
        parts.append(Part(name, share, fault is None, _capped(sentence, LONGEST), codes))
    return parts


# ---- calling the learner's function ----


class CallError(Exception):
    """The learner's function raised, or is none; `kind` is the name of the exception."""

    def __init__(self, kind: str, fault: Fault) -> None:
        super().__init__(fault.sentence)
        self.kind, self.fault = kind, fault


class Learner:
    """The learner's function, called on copies of its arguments, counted and watched."""

    # No __dict__: the gradient checker puts back the attributes of all objects that it can reach,
    # and what runs on the other side of a pipe must not be put back.
    __slots__ = ("arguments", "calls", "changed", "function", "given", "name", "stopped")

    def __init__(self, function: Any, name: str, arguments: Sequence[str]) -> None:
        self.function, self.name, self.arguments = function, name, arguments
        self.calls = 0
        self.changed: Fault | None = None  # by the last call
        self.given: tuple[Any, ...] = ()  # the arguments of the last call, as it has left them
        self.stopped: Exception | None = None

    def __call__(self, *args: Any) -> Any:
        """Call it on copies; note which of them come back changed."""
        self.given, self.changed = _copied(args), None
        returned = self._call(self.given)
        for name, before, after in zip(self.arguments, args, self.given, strict=False):
            self.changed = self.changed or _changed(name, before, after)
        return returned

    def again(self) -> Any:
        """Call it once more with the arguments as the last call has left them."""
        return self._call(self.given)

    def _call(self, args: tuple[Any, ...]) -> Any:
        if not callable(self.function):
            says = f"There is no function {self.name}: define it in the cell of this exercise."
            raise CallError("", Fault(says, ("not_defined",)))
        self.calls += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.function(*args)
        except Exception as error:
            if type(error).__name__ == "Stopped" and hasattr(error, "reason"):
                self.stopped = error
                raise
            raise self._error(error) from None

    def _error(self, error: Exception) -> CallError:
        try:
            kind, text = type(error).__name__, str(error)
        except Exception:  # a __str__ of their own
            kind, text = type(error).__name__, ""
        if kind == "StudentError":  # raised in another process: "TypeName: message"
            kind, _, text = text.partition(":")
        kind, text = _capped(kind.strip(), 40), _capped(text.strip(), 250)
        if kind == "NotImplementedError":
            return CallError(kind, Fault("This exercise is not done yet.", ("not_done",)))
        return CallError(kind, Fault(f"{self.name} raised {kind}: {text}", ("raises",)))


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    return type(value)(map(_copied, value)) if type(value) in (list, tuple) else value


def _changed(name: str, before: Any, after: Any) -> Fault | None:
    """Tell how an argument differs from what it was before the call."""
    if isinstance(before, dict):
        if set(before) != set(after):
            return _mutated(name, "its keys are others now")
        found = (_changed(f"{name}[{k!r}]", before[k], after[k]) for k in before)
        return next(filter(None, found), None)
    if isinstance(before, list):
        return _mutated(name, "its items are others now") if before != after else None
    if not isinstance(before, np.ndarray):
        return None
    if type(after) is not np.ndarray or after.shape != before.shape:
        return _mutated(name, f"it is {_described(after)} now")
    if after.dtype != before.dtype:
        return _mutated(name, f"its dtype is {after.dtype} now")
    places = np.argwhere((after != before) & ((after == after) | (before == before)))
    if not len(places):
        return None
    at = tuple(int(i) for i in places[0])
    return _mutated(name, f"entry {at} went from {before[at]:.4g} to {after[at]:.4g}")


def _mutated(name: str, seen: str) -> Fault:
    says = (
        f"Your function changes its argument {name} in place ({seen}), so that whoever called it "
        "goes on with other data. Work on a copy: A = A - b instead of A -= b, or A.copy() first."
    )
    return Fault(says, ("mutates_input",))


# ---- reading what it returned ----


class UnfitError(Exception):
    """What was returned is not of the form that the exercise asks for."""

    def __init__(self, sentence: str, code: str = "wrong_type") -> None:
        super().__init__(sentence)
        self.fault = Fault(sentence, (code,))


def as_pair(returned: Any, what: str) -> tuple[Any, Any]:
    """Two things in a tuple or list, else UnfitError."""
    if type(returned) not in (tuple, list) or len(returned) != 2:
        raise UnfitError(f"It returned {_described(returned)}; it must return {what}.")
    return returned[0], returned[1]


def as_number(value: Any, name: str) -> float:
    """A real number, be it NaN or infinite; else UnfitError."""
    if type(value) is np.ndarray and value.size == 1 and value.dtype.kind in "fiu":
        return float(value.reshape(-1)[0])
    if isinstance(value, int | float | np.integer | np.floating) and type(value) is not bool:
        try:
            return float(value)
        except Exception:  # an integer beyond all floats, a __float__ of their own
            return np.inf
    hint = ": sum or average over the examples" if isinstance(value, np.ndarray) else ""
    raise UnfitError(f"{_start(name)} is {_described(value)}; it must be one real number{hint}.")


def as_array(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """An array of real numbers of this shape, else UnfitError."""
    if type(value) is not np.ndarray or value.dtype.kind not in "fiu":
        raise UnfitError(
            f"{_start(name)} is {_described(value)}; it must be a NumPy array of real numbers of "
            f"the shape {shape}."
        )
    if value.shape != shape:
        says = f"{_start(name)} has the shape {value.shape}; it must have the shape {shape}."
        raise UnfitError(says, "wrong_shape")
    return np.array(value, dtype=np.float64)


def _described(value: Any) -> str:
    """In words what something is, whatever it is."""
    kind = _capped(type(value).__name__, 40)
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        of = "" if type(value) is np.ndarray else f" ({kind})"
        return f"an array of shape {value.shape} and dtype {_capped(str(value.dtype), 40)}{of}"
    if isinstance(value, tuple | list | dict):
        try:
            return f"a {kind} of {len(value)}"
        except Exception:  # a __len__ of their own
            return f"a {kind}"
    return f"an object of the type {kind}"


def _capped(text: str, most: int) -> str:
    """Printable, on one line and not too long."""
    text = "".join(c if c.isprintable() else " " for c in text[: 4 * most])
    text = re.sub(r" +", " ", text).strip()
    return text if len(text) <= most else text[: most - 4].rstrip() + " ..."


def _start(text: str) -> str:
    """Begin like a sentence, unless with a symbol."""
    return text[0].upper() + text[1:] if text[:3].isalpha() and text.islower() else text


# ---- data ----


@dataclass(frozen=True)
class Case:
    """Arguments to call the function with.

    `option` names what this case tries besides: the plain cases come first, and where only those
    with an option fail, that is what is wrong.
    """

    args: tuple[Any, ...]
    says: str
    option: str = ""
    value: float = 0.0
    tolerance: float = 1e-6

    def in_float32(self) -> Case:
        """The same numbers, in float32: all data are such that it holds them exactly."""
        args = _cast(self.args, np.float32)
        return Case(args, f"{self.says}, float32", "float32", 0.0, 1e-3)


def _cast(value: Any, dtype: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    if isinstance(value, dict):
        return {k: _cast(v, dtype) for k, v in value.items()}
    return tuple(_cast(v, dtype) for v in value) if type(value) is tuple else value


def _normal(rng: np.random.Generator, scale: float, *shape: int) -> Array:
    """Normal numbers that float32 holds exactly."""
    return (scale * rng.standard_normal(shape)).astype(np.float32).astype(np.float64)


def _sizes(rng: np.random.Generator) -> tuple[int, int, int, int]:
    """N, D, C and H: ranges that do not meet, so that all of them differ."""
    return (
        int(rng.integers(17, 24)), int(rng.integers(7, 10)),
        int(rng.integers(4, 7)), int(rng.integers(11, 16)),
    )  # fmt: skip


def _labels(rng: np.random.Generator, scores: Array) -> NDArray[np.int64]:
    """Labels of which about half are those with the highest score."""
    best = scores.argmax(axis=1)
    return np.where(
        rng.random(len(scores)) < 0.5, best, rng.integers(0, scores.shape[1], len(best))
    )


def _uneven(y: NDArray[np.int64], classes: int) -> bool:
    counts = np.bincount(y, minlength=classes)
    return bool(counts.min() > 0 and counts.max() > counts.min())


def linear_data(
    rng: np.random.Generator, delta: float = 1.0
) -> tuple[Array, Array, NDArray[np.int64]]:
    """W, X, y on which every known mistake with the hinge or the softmax loss shows.

    No margin is near its kink; some classes violate the margin by less than delta and some by
    more, some examples have no violation, some have several, the first and the last have some.
    """
    while True:
        N, D, C, _ = _sizes(rng)
        W, X = _normal(rng, 0.5, D, C), _normal(rng, 1.0, N, D)
        y = _labels(rng, X @ W)
        wrong = one_per_row(y, C) == 0
        gaps = X @ W - (X @ W)[np.arange(N), y, np.newaxis]
        if _uneven(y, C) and all(_tells(gaps, wrong, d) for d in {1.0, delta}):
            return W, X, y


def _tells(gaps: Array, wrong: NDArray[np.bool_], delta: float) -> bool:
    active = wrong & (gaps + delta > 0)
    counts = active.sum(axis=1)
    kinks = np.stack([gaps, gaps + delta, gaps - delta])[:, wrong]
    return bool(
        np.abs(kinks).min() > 1e-3
        and counts.min() == 0 and counts.max() > 1 and counts[0] and counts[-1]
        and active.any(axis=0).all()
        and (wrong & (gaps > -delta) & (gaps < 0)).any() and (wrong & (gaps > 0)).any()
    )  # fmt: skip


def net_data(rng: np.random.Generator) -> tuple[Arrays, Array, NDArray[np.int64]]:
    """Parameters, X, y: every hidden unit is on for some examples and off for some."""
    while True:
        N, D, C, H = _sizes(rng)
        params = {
            "W1": _normal(rng, 0.6, D, H), "b1": _normal(rng, 0.5, H),
            "W2": _normal(rng, 0.6, H, C), "b2": _normal(rng, 0.5, C),
        }  # fmt: skip
        X = _normal(rng, 1.0, N, D)
        z = X @ params["W1"] + params["b1"]
        y = _labels(rng, np.maximum(z, 0) @ params["W2"] + params["b2"])
        on = z > 0
        mixed = on.any(axis=0).all() and not on.all(axis=0).any()
        bias_counts = bool(((X @ params["W1"] > 0) != on).any())
        if mixed and bias_counts and np.abs(z).min() > 1e-3 and _uneven(y, len(params["b2"])):
            return params, X, y


def _strength(rng: np.random.Generator) -> float:
    return round(float(rng.uniform(0.15, 0.6)), 2)


def _named(**sizes: float) -> str:
    return ", ".join(f"{name} = {value}" for name, value in sizes.items())


def _linear_sizes(W: Array, X: Array, **more: float) -> str:
    return _named(N=len(X), D=W.shape[0], C=W.shape[1], **more)


def _net_sizes(params: Arrays, X: Array, **more: float) -> str:
    W2 = params["W2"]
    return _named(N=len(X), D=X.shape[1], H=W2.shape[0], C=W2.shape[1], **more)


def hinge_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y), (W, X, y, delta)."""
    low, high = ((0.35, 0.7), (1.4, 2.2))[int(rng.integers(2))]
    delta = round(float(rng.uniform(low, high)), 2)
    plain = [linear_data(rng) for _ in range(2)]
    W, X, y = linear_data(rng, delta)
    cases = [Case(data, _linear_sizes(*data[:2])) for data in plain]
    option = Case((W, X, y, delta), _linear_sizes(W, X, delta=delta), "delta", delta)
    return [*cases, option, cases[1].in_float32()]


def softmax_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y, reg)."""
    cases = []
    for reg in (0.0, _strength(rng), _strength(rng)):
        W, X, y = linear_data(rng)
        cases.append(Case((W, X, y, reg), _linear_sizes(W, X, reg=reg)))
    return [*cases, cases[1].in_float32()]


def penalty_cases(rng: np.random.Generator) -> list[Case]:
    """(W, reg), (W, reg, reg_scale)."""
    cases = []
    for option in ("", "", "reg_scale", "reg_scale"):
        _, D, C, _ = _sizes(rng)
        W, reg, scale = _normal(rng, 1.0, D, C), _strength(rng), round(rng.uniform(0.6, 2), 2)
        given = _named(D=D, C=C, reg=reg, **({option: scale} if option else {}))
        cases.append(Case((W, reg, scale) if option else (W, reg), given, option, scale))
    return [*cases, cases[0].in_float32()]


def forward_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X)."""
    data = [net_data(rng)[:2] for _ in range(2)]
    cases = [Case(d, _net_sizes(*d)) for d in data]
    return [*cases, cases[1].in_float32()]


def backward_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X, hidden, dscores, reg), (..., reg_scale)."""
    cases = []
    for reg, scale in ((0.0, None), (_strength(rng), None), (_strength(rng), 1.0)):
        params, X, _ = net_data(rng)
        hidden, scores = net_forward(params, X)
        dscores = _normal(rng, 1 / len(X), *scores.shape)
        args: tuple[Any, ...] = (params, X, hidden, dscores, reg)
        says = _net_sizes(params, X, reg=reg)
        if scale is None:
            cases.append(Case(args, says))
        else:
            cases.append(Case((*args, scale), f"{says}, reg_scale = 1", "reg_scale", scale))
    return [*cases, cases[1].in_float32()]


def input_cases(rng: np.random.Generator) -> list[Case]:
    """(W, X, y)."""
    data = [linear_data(rng) for _ in range(2)]
    cases = [Case(d, _linear_sizes(*d[:2])) for d in data]
    return [*cases, cases[1].in_float32()]


def net_input_cases(rng: np.random.Generator) -> list[Case]:
    """(params, X, y)."""
    data = [net_data(rng) for _ in range(2)]
    cases = [Case(d, _net_sizes(*d[:2])) for d in data]
    return [*cases, cases[1].in_float32()]


# ---- what is right ----


def net_forward(params: Arrays, X: Array) -> tuple[Array, Array]:
    """Hidden layer (N, H) after the ReLU, and scores (N, C)."""
    hidden = np.maximum(0, X @ params["W1"] + params["b1"])
    return hidden, hidden @ params["W2"] + params["b2"]


def _net(params: Arrays, X: Array, y: Any = None, **more: Any) -> Model:
    """The net as the checker's own chain of named pieces; without labels any will do."""
    classes = len(params["b2"])
    labels = np.zeros(len(X), int) if y is None else y
    layers = ((params["W1"], params["b1"]), (params["W2"], params["b2"]))
    return Model(layers, X, one_per_row(labels, classes), HEADS["softmax"], **more)


def net_backward(
    params: Arrays, X: Array, hidden: Array, dscores: Array, reg: float, reg_scale: float = 0.5
) -> Arrays:
    """Gradients of all four arrays, the penalty on W1 and W2 included."""
    W1, b1, W2, b2 = _net(params, X).gradients(dscores=dscores)
    scale = 2 * reg_scale * reg
    return {"W1": W1 + scale * params["W1"], "b1": b1, "W2": W2 + scale * params["W2"], "b2": b2}


def net_dx(params: Arrays, X: Array, y: NDArray[np.int64]) -> Array:
    """Gradient of the softmax loss of the net by its input, (N, D)."""
    return _net(params, X, y, by_input=True).gradients()[0]


def _hinge(W: Array, X: Array, y: Any, delta: float = 1.0) -> dict[str, Any]:
    loss, dW = svm_linear(W, X, y, 0.0, delta=delta)
    return {"loss": loss, "gradient": dW}


def _softmax(W: Array, X: Array, y: Any, reg: float) -> dict[str, Any]:
    loss, dW = softmax_linear(W, X, y, reg)
    return {"loss": loss, "gradient": dW}


def _penalty(W: Array, reg: float, reg_scale: float = 0.5) -> dict[str, Any]:
    return dict(zip(("value", "gradient"), regularisation(W, reg, reg_scale), strict=True))


def _forward(params: Arrays, X: Array) -> dict[str, Any]:
    return dict(zip(("hidden", "scores"), net_forward(params, X), strict=True))


# ---- exercises that return values ----

Values = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Sheet:
    """How to judge a function that returns losses, gradients or activations.

    `names` has the parts in words. `split` takes what was returned apart, by part. `beside` takes
    two functions of the same arguments, value and gradient, and a case, and returns the arguments
    for the gradient checker. `follows` takes what was returned and the arguments and says what
    else is right, because it follows from another part that is wrong. `closely` names a mistake
    in a wrong part where the checker has nothing to ask about.
    """

    names: Mapping[str, str]
    split: Callable[[Any], dict[str, Any]]
    right: Values
    cases: Callable[[np.random.Generator], list[Case]]
    beside: Callable[[Function, Function, Case], tuple[Any, ...]] | None = None
    follows: Callable[[dict[str, Any], tuple[Any, ...]], dict[str, Any]] | None = None
    closely: Callable[[str, Any, tuple[Any, ...]], Fault | None] | None = None
    large_scores: bool = False

    def judge(self, learner: Learner, rng: np.random.Generator, make_rng: MakeRng) -> Faults:
        """Run all cases, then ask why the parts that failed did."""
        failed: dict[str, Failure] = {}
        mutated: dict[str, Fault] = {}
        for case in self.cases(rng):
            try:
                wrong, corrupted = self.run(learner, case)
            except CallError as error:
                if "not_done" in error.fault.codes or "not_defined" in error.fault.codes:
                    raise
                says = f"{error.fault.sentence} (with {case.says})"
                fault = Fault(says, error.fault.codes)
                wrong, corrupted = {name: Failure(case, fault) for name in self.names}, {}
            failed = {**wrong, **failed}  # the first failure of each
            mutated = {**corrupted, **mutated}
        known: Known = {}
        faults = {part: self.why(part, learner, fails, known) for part, fails in failed.items()}
        for part, fault in mutated.items():
            faults[part] = _joined(fault, faults[part]) if part in faults else fault
        if self.large_scores:
            large = self.scores_too_large(learner, rng)
            faults |= {"large scores": large} if large else {}
        return faults

    def run(self, learner: Learner, case: Case) -> tuple[dict[str, Failure], Faults]:
        """One case: the parts that are wrong, and those that a changed argument corrupts."""
        returned = _copied(learner(*case.args))
        wrong = self.compare(returned, case)
        if learner.changed is None:
            return wrong, {}
        change = learner.changed
        try:
            again = set(self.compare(learner.again(), case))
        except CallError:
            again = set(self.names)
        corrupted = [part for part in self.names if part in again and part not in wrong]
        if not corrupted and not wrong:
            corrupted = [next(iter(self.names))]
        return wrong, dict.fromkeys(corrupted or wrong, change)

    def compare(self, returned: Any, case: Case) -> dict[str, Failure]:
        """Parts whose values are not the right ones."""
        args = _cast(case.args, np.float64)
        right = self.right(*args)
        try:
            given = self.split(returned)
        except UnfitError as unfit:
            return dict.fromkeys(self.names, Failure(case, unfit.fault))
        follows = self.follows(given, args) if self.follows else {}
        failures = {}
        for part, name in self.names.items():
            fault = _compared(given[part], right[part], name, case)
            if fault and part in follows:
                fault = _compared(given[part], follows[part], name, case) and fault
            if fault:
                failures[part] = Failure(case, fault, given[part])
        return failures

    # ---- why ----

    def why(self, part: str, learner: Learner, failure: Failure, known: Known) -> Fault:
        """The sentence for a part, from the first case that failed."""
        case, fault, name = failure.case, failure.fault, self.names[part]
        if case.option == "float32":
            says = f"With float32 input, and not with float64: {fault.sentence}"
            return Fault(says, ("float32", *fault.codes))
        if case.option and "raises" not in fault.codes:
            says = OPTIONS[case.option].format(name=_start(name), value=case.value)
            return Fault(f"{says} {fault.sentence}", ("ignores_argument",))
        if self.closely is not None and fault.codes == ("unexplained",):
            named = self.closely(part, failure.given, _cast(case.args, np.float64))
            if named is not None:
                return named
        if self.beside is None or fault.codes[0] in ("wrong_type", "missing_key"):
            return fault
        malformed = fault.codes == ("wrong_shape",)
        key = ("grads" if part in PARAMETERS else part, malformed, id(case))
        if key not in known:
            known[key] = self.ask(part, learner, case, malformed)
        found = [f for f in known[key] if f.parameter in (None, part)]
        if "raises" in fault.codes or "wrong_shape" in fault.codes:
            found = [f for f in found if f.code in SHAPES]
        if not found:
            return fault
        of_loss = part in ("loss", "value")
        says = " ".join(_of_loss(f) if of_loss else _of_gradient(f, name) for f in found[:2])
        return Fault(f"{says} ({fault.sentence.rstrip('.')}.)", tuple(f.code for f in found))

    def ask(self, part: str, learner: Learner, case: Case, malformed: bool) -> list[Finding]:
        """Ask the gradient checker, with the learner's part beside the right other one."""
        assert self.beside is not None
        of_gradient = part not in ("loss", "value")

        def theirs(*args: Any) -> Any:
            try:
                given = self.split(learner(*args))
            except CallError as error:
                if error.kind in ("ValueError", "IndexError"):
                    raise ValueError(error.fault.sentence) from None
                raise
            return self.all_arrays(given, args, malformed) if part in PARAMETERS else given[part]

        def ours(*args: Any) -> Any:
            right = self.right(*args)
            return right.get("loss", right.get("value")) if of_gradient else right["gradient"]

        pair = (ours, Sparing(theirs)) if of_gradient else (theirs, ours)
        try:
            report = check_gradient(*self.beside(*pair, case))
        except Exception:  # it may raise on the checker's data, or return anything
            return []
        finally:
            if learner.stopped is not None:
                raise learner.stopped
        return [f for f in report.mistakes if f.code != "overflow" or not self.large_scores]

    def all_arrays(self, given: dict[str, Any], args: Any, malformed: bool) -> dict[str, Any]:
        """Gradients by name; the right one for those of a form that is judged elsewhere."""
        right = self.right(*args)
        return {
            k: v if type(v) is np.ndarray and (malformed or v.shape == right[k].shape) else right[k]
            for k, v in given.items()
        }

    def scores_too_large(self, learner: Learner, rng: np.random.Generator) -> Fault | None:
        """Raise all scores of an example by the same thousands: nothing may change."""
        W, X, y = linear_data(rng)
        shifted = W + np.round(1e4 * rng.standard_normal((len(W), 1)))
        parts = list(self.names)
        try:
            plain, other, far = (
                self.numbers(learner(A, X, y, 0.0), A) for A in (W, 0.5 * W, shifted)
            )
        except UnfitError as unfit:
            return unfit.fault
        except CallError as error:
            return error.fault
        seen = f"another {' or '.join(self.names[p] for p in parts)}"
        if not all(np.isfinite(v).all() for v in far):
            seen = "nan or infinity"
        if all(_near(a, b, 1e-6) for a, b in zip(plain, far, strict=True)):
            if not any(_near(a, b, 1e-6) for a, b in zip(plain, other, strict=True)):
                return None
            return Fault("What is returned does not depend on the scores.", ("ignores_argument",))
        return Fault(MESSAGES["overflow"].format(seen=seen), ("overflow",))

    def numbers(self, returned: Any, W: Array) -> list[Array]:
        """What was returned, loss or gradient or both, as arrays."""
        given, found = self.split(returned), []
        for part, name in self.names.items():
            if part == "loss":
                found.append(np.array(as_number(given[part], name)))
            else:
                found.append(as_array(given[part], W.shape, name))
        return found


@dataclass(frozen=True)
class Failure:
    """A part was wrong in a case."""

    case: Case
    fault: Fault
    given: Any = None


Known = dict[tuple[str, bool, int], list[Finding]]  # what the checker was asked already
MISSING = object()
PARAMETERS = ("W1", "b1", "W2", "b2")
SHAPES = ("transpose", "broadcast_shape", "bias_axis", "swapped_keys", "shape_2d", "missing_key")
OPTIONS = {
    "delta": "{name} is right for the margin delta = 1 and wrong for delta = {value:g}: use the "
    "argument delta in each margin.",
    "reg_scale": "{name} is right with reg_scale = 0.5 and wrong with reg_scale = {value:g}: use "
    "the argument reg_scale; the penalty is reg_scale * reg * sum(W**2), its gradient "
    "2 * reg_scale * reg * W.",
}


class Sparing:
    """A gradient that is not computed again where one single number has moved.

    The checker differentiates the loss numerically, one number at a time, and looks at the loss
    alone there; each gradient would be a call of the learner's function for nothing.
    """

    __slots__ = ("called", "function")

    def __init__(self, function: Function) -> None:
        self.function = function
        self.called: dict[tuple[float, ...], tuple[Array, Any]] = {}  # by strength and the like

    def __call__(self, *args: Any) -> Any:
        """The function at these arguments, or where it was called last."""
        leaves = _leaves(args)
        at = np.concatenate([v.ravel() for v in leaves if isinstance(v, np.ndarray)])
        numbers = tuple(v for v in leaves if not isinstance(v, np.ndarray))
        last, answer = self.called.get(numbers, (np.zeros(0), None))
        if at.size != last.size or np.count_nonzero(at != last) != 1:
            answer = self.function(*args)
            self.called[numbers] = (at, answer)
        return answer


def _leaves(value: Any) -> list[Any]:
    """Arrays and numbers in nested tuples and dicts."""
    if isinstance(value, dict):
        value = tuple(value.values())
    return [leaf for v in value for leaf in _leaves(v)] if isinstance(value, tuple) else [value]


def _near(a: Array, b: Array, tolerance: float) -> bool:
    """Equal, relative to the largest number; what is not finite is near nothing."""
    largest = float(np.abs(b).max(initial=0.0))
    finite = np.isfinite(a).all() and np.isfinite(largest)
    return bool(finite and np.abs(a - b).max(initial=0.0) <= tolerance * largest)


def _compared(given: Any, right: Any, name: str, case: Case) -> Fault | None:
    """What is wrong with a value that was returned, in figures."""
    try:
        return _differs(given, right, name, case)
    except UnfitError as unfit:
        return unfit.fault


def _differs(given: Any, right: Any, name: str, case: Case) -> Fault | None:
    where = f"with {case.says}"
    if given is MISSING:
        says = f"There is no {name}: return a dict with the keys {', '.join(PARAMETERS)}."
        return Fault(says, ("missing_key",))
    if isinstance(right, float):
        number = as_number(given, name)
        if np.isfinite(number) and abs(number - right) <= 10 * case.tolerance * abs(right):
            return None
        says = f"{_start(name)} is {number:.5g} and must be {right:.5g} {where}."
        return Fault(says, ("unexplained",) if np.isfinite(number) else ("not_finite",))
    array = as_array(given, right.shape, name)
    if _near(array, right, case.tolerance):
        return None
    if not np.isfinite(array).all():
        return Fault(f"{_start(name)} holds nan or infinity {where}.", ("not_finite",))
    largest = np.abs(right).max()
    off = np.abs(array - right) > case.tolerance * largest
    says = (
        f"{_start(name)} is wrong in {off.sum()} of {off.size} entries {where}, by up to "
        f"{np.abs(array - right).max():.2g}; the largest entry is {largest:.2g}."
    )
    return Fault(says, ("unexplained",))


def _joined(*faults: Fault) -> Fault:
    return Fault(
        " ".join(f.sentence for f in faults), tuple(code for f in faults for code in f.codes)
    )


# ---- the checker's findings, as sentences about one part ----


def _of_gradient(finding: Finding, name: str) -> str:
    """Put the name in: "It is N times too large" becomes "dW is N times too large"."""
    says = finding.message
    where = "" if finding.where == "everywhere" else f"{finding.where} of {name}"
    if re.match(r"It (is|alone is) ", says):
        return f"{where or name}{says[2:]}"
    return f"{_start(where)}: {says}" if where else says


# The checker was asked about the right gradient beside the learner's loss: what it says of the
# gradient, turned round, holds for the loss.
LOSS_SAYS = {
    "scale_N": "The loss is N times too small: divide by the number of examples once, not twice.",
    "scale_inv_N": "The loss is N times too large: it is a sum over the examples where the mean is "
    "asked for; divide by N.",
    "scale_half": "The loss is twice what it should be.",
    "sign": "The loss has the wrong sign.",
    "reg_sign": "The penalty is subtracted from the loss: add it.",
    "reg_scale_N": "The penalty is multiplied or divided by N: only the part of the data is a mean "
    "over the examples.",
    "reg_wrong_norm": "The penalty is another one: reg_scale * reg * np.sum(W * W) sums squares.",
    "reg_wrong_matrix": "The penalty is another one: it must be reg_scale * reg * np.sum(W * W).",
}


def _of_loss(finding: Finding) -> str:
    """What the checker said of the gradient, turned round."""
    says = finding.message
    if finding.code in LOSS_SAYS:
        return LOSS_SAYS[finding.code]
    if finding.code == "scale_C":
        way = "small: np.mean averages over the classes too" if "large" in says else "large"
        return f"The loss is C times too {way}; sum over the classes and divide by N."
    if finding.code == "scale_const" and (found := re.match(r"It is (.+?) times what", says)):
        return (
            f"A constant factor stands in the loss: the right gradient is {found[1]} times the "
            "slope that this loss has (a factor 2 or 1/2, np.log2 or np.log10 instead of np.log?)."
        )
    if finding.code == "reg_factor_2" and finding.evidence.get("factor"):
        return (
            f"The penalty is {1 / finding.evidence['factor']:.3g} times what it should be: it is "
            "reg_scale * reg * np.sum(W * W), with reg_scale = 0.5 where nothing else is said."
        )
    if found := re.search(r"loss, (.*); the loss itself is (.*): make", says):
        return f"The loss is the {found[2]}; the {found[1]} is asked for."
    says = re.sub(r"^The gradient is that of the [^,]*, but ", "", says)
    says = re.sub(r"^The gradient is right but the loss", "the loss", says)
    return says[0].upper() + says[1:]


# ---- functions for the checker: a value beside a gradient, with names that it knows ----


def _beside_hinge(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(W: Array, X: Array, y: Any, delta: float) -> tuple[Any, Any]:
        return value(W, X, y, delta), gradient(W, X, y, delta)

    return (loss, *case.args[:3], 1.0)


def _beside_softmax(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(W: Array, X: Array, y: Any, reg: float) -> tuple[Any, Any]:
        return value(W, X, y, reg), gradient(W, X, y, reg)

    return (loss, *case.args)


def _beside_penalty(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    """With a softmax loss as the part of the data, so that the checker knows what it sees."""

    def loss(W: Array, X: Array, y: Any, reg: float) -> tuple[Any, Any]:
        data_loss, dW = softmax_linear(W, X, y)
        added = gradient(W, reg)
        fits = type(added) is np.ndarray and added.shape == W.shape
        return data_loss + as_number(value(W, reg), "value"), dW + added if fits else added

    W, reg = case.args[:2]
    rng = np.random.RandomState(0)
    return loss, W, rng.standard_normal((23, len(W))), rng.randint(0, W.shape[1], 23), reg


def _beside_backward(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def backward(params: Arrays, X: Array, y: Any, reg: float) -> Any:
        hidden, scores = net_forward(params, X)
        return gradient(params, X, hidden, softmax_loss(scores, y)[1], reg)

    spared = Sparing(backward)  # hidden and dscores move with the parameters

    def loss(params: Arrays, X: Array, y: Any, reg: float) -> tuple[Any, Any]:
        penalty = 0.5 * reg * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
        data_loss = softmax_loss(net_forward(params, X)[1], y)[0]
        return data_loss + penalty, spared(params, X, y, reg)

    params, X, _, dscores, reg = case.args[:5]
    return loss, params, X, dscores.argmin(axis=1), reg


def _beside_svm_dx(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(X: Array, W: Array, y: Any, delta: float) -> tuple[Any, Any]:
        return svm_linear(W, X, y, delta=delta)[0], gradient(W, X, y, delta)

    W, X, y = case.args[:3]
    return loss, X, W, y, 1.0


def _beside_softmax_dx(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(X: Array, W: Array, y: Any) -> tuple[Any, Any]:
        return softmax_linear(W, X, y)[0], gradient(W, X, y)

    W, X, y = case.args[:3]
    return loss, X, W, y


def _beside_net_dx(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(X: Array, params: Arrays, y: Any) -> tuple[Any, Any]:
        return softmax_loss(net_forward(params, X)[1], y)[0], gradient(params, X, y)

    params, X, y = case.args
    return loss, X, params, y


# ---- mistakes that are no matter of a gradient, or of one that the checker does not know ----


def _counts_correct_class(part: str, given: Any, args: tuple[Any, ...]) -> Fault | None:
    """Say so where the hinge loss is off by delta; the checker does not compare its value."""
    delta = args[3] if len(args) > 3 else 1.0
    if part != "loss" or abs(as_number(given, "") - _hinge(*args)["loss"] - delta) > 1e-6:
        return None
    says = MESSAGES["loss_offset"].format(offset=delta).replace("The gradient is right but t", "T")
    return Fault(says, ("loss_offset",))


def _input_mistake(part: str, given: Any, args: tuple[Any, ...]) -> Fault | None:
    """Name the known mistake in the net's backward pass that gives this gradient by the input."""
    params, X, y = args
    right = net_dx(params, X, y)
    for factor in FACTORS:
        if _near(given, factor.value(len(X), len(params["b2"])) * right, 1e-6):
            return Fault(f"dX{factor.says[2:]}." if factor.says[:2] == "it" else
                         f"dX: {factor.says}.", (factor.code,))  # fmt: skip
    for mistake in MISTAKES:
        if mistake.when and not {"softmax", "ReLU"} & set(mistake.when):
            continue
        for layer in (None, 0, 1):
            replaced = {mistake.piece: mistake.wrong}
            model = _net(params, X, y, by_input=True, replaced=replaced, only=layer)
            try:
                with np.errstate(all="ignore"):
                    wrong = model.gradients()[0]
            except (ValueError, IndexError, TypeError):  # the piece does not fit these shapes
                continue
            if wrong.shape == given.shape and _near(given, wrong, 1e-6):
                return Fault(f"In dX, {mistake.says}.", (mistake.code,))
    return None


def _follows_from_hidden(given: dict[str, Any], args: tuple[Any, ...]) -> dict[str, Any]:
    """The scores of the hidden layer that was returned, if that is one."""
    params, X = args
    shape = (len(X), len(params["b1"]))
    try:
        hidden = as_array(given["hidden"], shape, "hidden")
    except UnfitError:
        return {}
    if not np.isfinite(hidden).all() or not hidden.any(axis=0).all():
        return {}
    return {"scores": hidden @ params["W2"] + params["b2"]}


HIDDEN_MISTAKES: list[tuple[str, str, Callable[[Arrays, Array], Array]]] = [
    ("relu_missing", "The ReLU is missing: hidden = np.maximum(0, X @ W1 + b1).",
     lambda p, X: X @ p["W1"] + p["b1"]),
    ("bias_missing", "The bias b1 is missing: hidden = np.maximum(0, X @ W1 + b1).",
     lambda p, X: np.maximum(0, X @ p["W1"])),
    ("bias_missing", "The bias b1 is added after the ReLU: it belongs inside, "
     "hidden = np.maximum(0, X @ W1 + b1).",
     lambda p, X: np.maximum(0, X @ p["W1"]) + p["b1"]),
    ("activation_mismatch", "The hidden layer has another activation, a sigmoid: this net has a "
     "ReLU, np.maximum(0, z).", lambda p, X: 1 / (1 + np.exp(-X @ p["W1"] - p["b1"]))),
    ("activation_mismatch", "The hidden layer has another activation, a tanh: this net has a "
     "ReLU, np.maximum(0, z).", lambda p, X: np.tanh(X @ p["W1"] + p["b1"])),
    ("relu_mask_wrong", "This is the mask of the ReLU, z > 0: the hidden layer is max(0, z).",
     lambda p, X: np.where(X @ p["W1"] + p["b1"] > 0, 1.0, 0.0)),
    ("relu_mask_wrong", "The ReLU is the wrong way round: it keeps what is positive, max(0, z).",
     lambda p, X: np.minimum(0, X @ p["W1"] + p["b1"])),
]  # fmt: skip
SCORES_MISTAKES: list[tuple[str, str, Callable[[Arrays, Array], Array]]] = [
    ("activation_mismatch", "The scores go through a ReLU: they are affine in the hidden layer, "
     "hidden @ W2 + b2, and may be negative.",
     lambda p, X: np.maximum(0, net_forward(p, X)[1])),
    ("bias_missing", "The bias b2 is missing: scores = hidden @ W2 + b2.",
     lambda p, X: net_forward(p, X)[0] @ p["W2"]),
    ("wrong_activation", "The scores are taken from the pre-activation: use the hidden layer after "
     "its ReLU, hidden @ W2 + b2.",
     lambda p, X: (X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]),
    ("stops_at_probs", "These are probabilities: return the scores, hidden @ W2 + b2; the softmax "
     "belongs to the loss.",
     lambda p, X: (lambda E: E / E.sum(1, keepdims=True))(np.exp(net_forward(p, X)[1]))),
]  # fmt: skip


def _forward_mistake(part: str, given: Any, args: tuple[Any, ...]) -> Fault | None:
    params, X = args
    for code, says, wrong in HIDDEN_MISTAKES if part == "hidden" else SCORES_MISTAKES:
        array = wrong(params, X)
        if _near(given, array, 1e-6):
            return Fault(says, (code,))
    return None


# ---- exercises with a loop: what they asked the callback ----


@dataclass(frozen=True)
class Asked:
    """One call of the loss function: with what, and what it answered."""

    params: Arrays
    X: Array  # (B, D)
    y: Array  # (B,)
    reg: float
    value: float
    gradient: Arrays


class Bowl:
    """A loss function with known answers that writes down what it is asked, and never raises.

    loss = a/2 sum((P - T)**2) + m sum(U P), where m is a number that depends on the batch.
    """

    STEEP = 0.4

    def __init__(self, rng: np.random.Generator, params: Any, features: int, most: int) -> None:
        self.single = not isinstance(params, dict)
        self.start: Arrays = _cast({"W": params} if self.single else params, np.float64)
        self.centre = {k: _normal(rng, 1.0, *v.shape) for k, v in self.start.items()}
        self.tilt = {k: _normal(rng, 0.5, *v.shape) for k, v in self.start.items()}
        self.mix = _normal(rng, 1.0, features)
        self.most = most
        self.asked: list[Asked] = []
        self.misuse = ""

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[float, Any]:
        """Answer (loss, gradient), whatever it is called with."""
        name = "W" if self.single else "params"
        try:
            given = [*args, *kwargs.values()]
            if len(given) != 4:
                form = f"loss_function({name}, X_batch, y_batch, reg)"
                raise UnfitError(f"It was called with {len(given)} arguments instead of as {form}.")
            asked = self.answer(*given)
        except UnfitError as unfit:
            self.misuse = self.misuse or f"In a call of loss_function: {unfit.fault.sentence}"
            asked = Asked(self.start, np.zeros((0, 0)), np.zeros(0), 0.0, 0.0, self.tilt)
        else:
            if len(self.asked) < self.most:
                self.asked.append(asked)
        gradient = _copied(asked.gradient)
        return asked.value, gradient["W"] if self.single else gradient

    def answer(self, params: Any, X: Any, y: Any, reg: Any) -> Asked:
        """What this bowl says at these parameters, for this batch."""
        P = self.arrays(params)
        rows = len(X) if type(X) is np.ndarray and X.ndim == 2 else -1
        X = as_array(X, (max(rows, 1), len(self.mix)), "X_batch")
        size = len(y) if type(y) is np.ndarray and y.ndim == 1 else -1
        y = as_array(y, (size if size >= 0 else rows,), "y_batch")
        value = self.value(P, X)
        m = float((X @ self.mix).mean())
        gradient = {k: self.STEEP * (P[k] - self.centre[k]) + m * self.tilt[k] for k in P}
        return Asked(P, X, y, as_number(reg, "reg"), value, gradient)

    def value(self, P: Arrays, X: Array) -> float:
        """The loss alone."""
        m = float((X @ self.mix).mean())
        bowl = sum(float(((P[k] - self.centre[k]) ** 2).sum()) for k in P)
        return self.STEEP / 2 * bowl + m * sum(float((self.tilt[k] * P[k]).sum()) for k in P)

    def arrays(self, params: Any) -> Arrays:
        """The learner's parameters by name, else UnfitError."""
        if self.single:
            return {"W": as_array(params, self.start["W"].shape, "W")}
        if type(params) is not dict:
            raise UnfitError(f"params is {_described(params)}; it must be a dict of arrays.")
        missing = [k for k in self.start if k not in params]
        if missing:
            raise UnfitError(f"params has no entry {missing[0]!r}.", "missing_key")
        return {k: as_array(params[k], v.shape, f"params[{k!r}]") for k, v in self.start.items()}


@dataclass
class Run:
    """One run of a training loop, as its callback and its return value tell it."""

    bowl: Bowl
    X: Array
    y: NDArray[np.int64]
    rate: float
    reg: float
    num_iters: int
    batch_size: int
    decay: float = 1.0
    changed: Fault | None = None
    final: Arrays | None = None
    unfit: Fault | None = None  # of the parameters returned
    losses: Any = None
    steps: list[int] = field(default_factory=list)  # which of the calls steps were taken from

    @property
    def asked(self) -> list[Asked]:
        """The calls of the loss function."""
        return self.bowl.asked

    @property
    def points(self) -> list[Arrays]:
        """The parameters in each call, and those returned."""
        return [a.params for a in self.asked] + ([self.final] if self.final else [])

    def step(self, k: int) -> Arrays:
        """How the parameters went on from call k."""
        before, after = self.points[k], self.points[k + 1]
        return {name: after[name] - before[name] for name in before}

    def find_steps(self) -> None:
        """Every call is a step, or if there were more calls, those after which something moves."""
        last = len(self.points) - 1
        calls = range(min(len(self.asked), last))
        if len(self.asked) != self.num_iters:
            moves = [k for k in calls if any(v.any() for v in self.step(k).values())]
            calls = moves or calls  # type: ignore[assignment]
        self.steps = list(calls)


def _run(
    learner: Learner,
    rng: np.random.Generator,
    given_rng: Any,
    *,
    net: bool,
    num_iters: int,
    sizes: tuple[int, int] | None = None,
    like: Run | None = None,
    dtype: Any = np.float64,
) -> Run:
    """Call a training loop once; `like` repeats the settings of another run."""
    if like is not None:
        run = Run(Bowl(rng, _start_of(like), like.X.shape[1], 20 * num_iters), like.X, like.y,
                  like.rate, like.reg, num_iters, like.batch_size, like.decay)  # fmt: skip
    else:
        N, D, C, H = _sizes(rng)
        N, B = sizes or (N, int(rng.integers(4, 7)))
        while sizes is None and N % B == 0:
            B = int(rng.integers(4, 7))
        params: Any = {
            "W1": _normal(rng, 0.5, D, H), "b1": _normal(rng, 0.5, H),
            "W2": _normal(rng, 0.5, H, C), "b2": _normal(rng, 0.5, C),
        } if net else _normal(rng, 0.5, D, C)  # fmt: skip
        y = rng.permutation(np.r_[np.arange(C), rng.integers(0, C - 1, max(N - C, 0))])[:N]
        rate, decay = round(rng.uniform(0.06, 0.16), 3), round(rng.uniform(0.7, 0.9), 2)
        run = Run(Bowl(rng, params, D, 20 * num_iters), _normal(rng, 1.0, N, D), y,
                  rate, _strength(rng), num_iters, B, decay if net else 1.0)  # fmt: skip
    settings = (run.rate, run.decay) if net else (run.rate,)
    returned = learner(
        run.bowl, _cast(_start_of(run), dtype), run.X.astype(dtype), run.y, *settings,
        run.reg, num_iters, run.batch_size, given_rng,
    )  # fmt: skip
    run.changed = learner.changed
    what = "params" if net else "W"
    try:
        final, run.losses = as_pair(returned, f"two things, ({what}, losses)")
        run.final = run.bowl.arrays(final)
    except UnfitError as unfit:
        run.unfit = unfit.fault
    run.find_steps()
    return run


def _start_of(run: Run) -> Any:
    return run.bowl.start["W"] if run.bowl.single else run.bowl.start


NEVER_ASKED = Fault(
    "loss_function is never called: call it once in each step, with the current parameters and "
    "the minibatch.", ("no_update",),
)  # fmt: skip


def judge_training(
    learner: Learner, rng: np.random.Generator, make_rng: MakeRng, *, net: bool
) -> Faults:
    """Judge gradient descent on minibatches, of W or of the parameters of a net."""
    seeds = [int(s) for s in rng.integers(0, 2**31, 2)]
    run = _run(learner, rng, make_rng(seeds[0]), net=net, num_iters=61)
    if run.bowl.misuse or not run.asked:
        fault = Fault(run.bowl.misuse, ("wrong_type",)) if run.bowl.misuse else NEVER_ASKED
        return dict.fromkeys(("minibatches", "update", "decay", "losses"), fault)
    verdicts: dict[str, Fault | None] = {
        "minibatches": _batches_wrong(run),
        "update": run.changed or _update_wrong(run),
        "losses": _losses_wrong(run),
    }
    if net:
        verdicts["decay"] = _decay_wrong(run)
    again = _run(learner, rng, make_rng(seeds[0]), net=net, num_iters=61, like=run)
    other = _run(learner, rng, make_rng(seeds[1]), net=net, num_iters=61, like=run)
    verdicts["minibatches"] = verdicts["minibatches"] or _rng_ignored(run, again, other)
    single = _run(learner, rng, make_rng(seeds[1]), net=net, num_iters=9, dtype=np.float32)
    if not verdicts["update"] and (in_float32 := single.changed or _update_wrong(single, 1e-3)):
        says = f"With float32 input, and not with float64: {in_float32.sentence}"
        verdicts["update"] = Fault(says, ("float32", *in_float32.codes))
    if net and not verdicts["decay"]:
        verdicts["decay"] = _short_epoch_wrong(learner, rng, make_rng(seeds[1]))
    return {part: fault for part, fault in verdicts.items() if fault}


def _batches_wrong(run: Run) -> Fault | None:
    size, N = run.batch_size, len(run.X)
    batches = [run.asked[k] for k in run.steps]
    for k, batch in enumerate(batches):
        if len(batch.X) != size or len(batch.y) != size:
            says = f"The minibatch of step {k} has {len(batch.X)} rows and {len(batch.y)} labels"
            says += f", and batch_size is {size} (of {N} examples): rng.choice(len(X), batch_size)."
            return Fault(says, ("batch_size",))
    apart = [np.abs(b.X[:, np.newaxis] - run.X).max(axis=2) for b in batches]  # (B, N) each
    if any((d.min(axis=1) > 1e-5).any() for d in apart):
        says = "A minibatch holds rows that are no rows of X: take X[rows], unchanged."
        return Fault(says, ("wrong_index",))
    rows = [d.argmin(axis=1) for d in apart]
    mismatched = sum((run.y[r] != b.y).any() for r, b in zip(rows, batches, strict=True))
    if mismatched:
        says = (
            f"In {mismatched} of {len(batches)} steps the labels belong to other rows than those "
            "of X_batch: draw the indices once, and use them for both, X[rows] and y[rows]."
        )
        return Fault(says, ("labels_mismatched",))
    if all(np.array_equal(r, rows[0]) for r in rows):
        says = "Every step sees the same minibatch: draw a new one in each step, inside the loop."
        return Fault(says, ("same_batch",))
    left_out = sorted(set(range(N)) - {int(i) for r in rows for i in r})
    if left_out:
        says = (
            f"In {len(rows)} steps {len(left_out)} of the {N} examples never turn up, the first "
            f"of them number {left_out[0]}: draw from all of them, rng.choice(len(X), batch_size)."
        )
        return Fault(says, ("rows_missing",))
    return None


def _rng_ignored(run: Run, again: Run, other: Run) -> Fault | None:
    """The same generator gives the same minibatches, another one others."""
    first, same, another = ([r.asked[k].X for k in r.steps] for r in (run, again, other))
    if not _all_equal(first, same):
        says = (
            "Two runs with generators of the same seed see other minibatches: draw with the "
            "argument rng, rng.choice, and not with np.random, so that a run can be repeated."
        )
    elif _all_equal(first, another):
        says = (
            "Runs with generators of different seeds see the same minibatches: draw with the "
            "argument rng, rng.choice(len(X), batch_size), and make no generator of your own."
        )
    else:
        return None
    return Fault(says, ("rng_ignored",))


def _all_equal(a: list[Array], b: list[Array]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _rates(run: Run, tolerance: float) -> list[dict[str, float | None]]:
    """For each step and array r with change = -r * gradient; None where there is no such r."""
    found = []
    for k in run.steps:
        change, gradient = run.step(k), run.asked[k].gradient
        rates: dict[str, float | None] = {}
        for name, g in gradient.items():
            d = change[name]
            r = -float((d * g).sum()) / float((g * g).sum())
            size = max(float(np.abs(d).max()), 1e-9)
            fits = np.isfinite(d).all() and float(np.abs(d + r * g).max()) <= tolerance * size
            rates[name] = r if fits or not d.any() else None
        found.append(rates)
    return found


def _update_wrong(run: Run, tolerance: float = 1e-6) -> Fault | None:
    if run.unfit is not None:
        return run.unfit
    if any(a.reg != run.reg for a in run.asked):
        seen = next(a.reg for a in run.asked if a.reg != run.reg)
        says = f"loss_function is called with reg = {seen:g}, and reg is {run.reg:g}: pass it on."
        return Fault(says, ("ignores_argument",))
    name = "W" if run.bowl.single else "params"
    if all(_same_arrays(a.params, run.asked[0].params) for a in run.asked[1:]):
        says = (
            f"loss_function sees the same {name} in every step: update it, {name} - learning_rate "
            "* gradient, and call loss_function with the new one."
        )
        return Fault(says, ("no_update",))
    if len(run.steps) != run.num_iters:
        says = f"It takes {len(run.steps)} steps, and num_iters is {run.num_iters}."
        return Fault(says, ("wrong_steps",))
    rates = _rates(run, tolerance)
    if not any(rates[-1].values()) and all(any(r.values()) for r in rates[:-1]):
        says = (
            f"The {name} that is returned lacks the last step: return the one after it, which the "
            "loss function has not seen."
        )
        return Fault(says, ("last_step_missing",))
    for part in run.bowl.start:
        of = [r[part] for r in rates]
        fault = _rates_wrong(run, [r for r in of if r is not None], len(of), part, tolerance)
        if fault is not None:
            return fault
    return None


def _rates_wrong(
    run: Run, rates: list[float], steps: int, name: str, tolerance: float
) -> Fault | None:
    """What is wrong with the steps of one array; the decay is looked at elsewhere."""
    if len(rates) < steps:
        says = f"The step of {name} is no multiple of the gradient that loss_function has just "
        says += f"returned: {name} - learning_rate * gradient."
        return Fault(says, (_step_code(run, name),))
    if not any(rates):
        return Fault(f"{name} never changes: update it in every step.", ("no_update",))
    exponents = [_exponent(r, run) for r in rates]
    if all(e is not None and e >= 0 for e in exponents):
        return None
    if all(_exponent(-r, run) is not None for r in rates):
        says = (
            f"The step of {name} goes uphill: the gradient is added; subtract it, "
            f"{name} - learning_rate * gradient."
        )
        return Fault(says, ("sign",))
    first = rates[0]
    if abs(first - 1) < 1e-3 or (run.decay != 1 and abs(first - run.decay) < 1e-3):
        says = f"The step of {name} is the gradient itself: multiply it by learning_rate."
        return Fault(says, ("ignores_argument",))
    N, B = len(run.X), run.batch_size
    usual = {"batch_size": B, "1 / batch_size": 1 / B, "N": N, "1 / N": 1 / N, "2": 2, "1/2": 0.5}
    ratio = first / run.rate
    called = next((k for k, v in usual.items() if abs(ratio - v) < 1e-3 * v), f"{ratio:.3g}")
    if np.ptp(rates) > 1e-3 * abs(first):
        says = f"The rate of the steps of {name} changes: {first:.4g} first, {rates[-1]:.4g} last"
        says += f", and learning_rate is {run.rate:g}."
        return Fault(says, ("scale_const",))
    says = f"The steps of {name} are {called} times what they should be: learning_rate * gradient, "
    says += "where the gradient is a mean already."
    return Fault(says, ("scale_const",))


def _exponent(rate: float, run: Run) -> int | None:
    """How often a rate has decayed; without decay 0. None where it is not that."""
    if rate <= 0:
        return None
    near = 0 if run.decay == 1 else round(float(np.log(rate / run.rate) / np.log(run.decay)))
    return near if abs(rate - run.rate * run.decay**near) <= 1e-3 * rate else None


def _step_code(run: Run, name: str) -> str:
    """Whether each step uses the gradient of an earlier call."""
    for k in run.steps[1:4]:
        change = run.step(k)[name]
        for earlier in run.asked[:k]:
            if np.allclose(change, -run.rate * earlier.gradient[name], rtol=1e-4, atol=1e-9):
                return "stale_gradient"
    return "unexplained"


def _same_arrays(a: Arrays, b: Arrays) -> bool:
    return all(np.array_equal(a[k], b[k]) for k in a)


def _losses_wrong(run: Run) -> Fault | None:
    if run.unfit is not None and run.losses is None:
        return run.unfit
    if type(run.losses) is np.ndarray and run.losses.ndim == 1:
        given: list[Any] = list(run.losses)
    elif type(run.losses) in (list, tuple):
        given = list(run.losses)
    else:
        says = f"losses is {_described(run.losses)}; it must be a list with one number a step."
        return Fault(says, ("wrong_type",))
    try:
        losses = np.array([as_number(v, f"losses[{i}]") for i, v in enumerate(given[:9999])])
    except UnfitError as unfit:
        return unfit.fault
    right = np.array([run.asked[k].value for k in run.steps])
    if len(losses) != len(right):
        says = f"losses has {len(given)} numbers for {len(right)} steps: append one in each step."
        return Fault(says, ("wrong_shape",))
    if np.allclose(losses, right, rtol=1e-6, atol=1e-9):
        return None
    after = [run.bowl.value(run.points[k + 1], run.asked[k].X) for k in run.steps]
    if np.allclose(losses, after, rtol=1e-6, atol=1e-9) or np.allclose(losses[:-1], right[1:]):
        says = "losses holds the loss after each step: keep the one that loss_function returned "
        return Fault(says + "before it, together with the gradient.", ("losses_after_step",))
    i = int(np.flatnonzero(~np.isclose(losses, right, rtol=1e-6, atol=1e-9))[0])
    says = f"losses[{i}] is {losses[i]:.5g}, and loss_function returned {right[i]:.5g} in step {i}:"
    return Fault(f"{says} keep each value as it is.", ("losses_wrong",))


def _decay_wrong(run: Run) -> Fault | None:
    """Compare how often the rate has decayed in each step; its first value is another part."""
    rates = [next((r for r in step.values() if r), None) for step in _rates(run, 1e-6)]
    if run.unfit is not None or not rates or any(r is None for r in rates):
        says = "How the learning rate decays cannot be seen before the update is right."
        return Fault(says, ("unexplained",))
    sizes = np.abs(np.array(rates, dtype=np.float64))
    epoch = max(len(run.X) // run.batch_size, 1)
    wanted = np.arange(len(sizes)) // epoch
    seen = np.log(sizes / sizes[0]) / np.log(run.decay)
    early = _exponent(sizes[0], run)
    if np.allclose(seen, wanted, atol=1e-3) and not early:
        return None
    every = f"multiply it by decay after each epoch of N // batch_size = {epoch} steps"
    if np.allclose(seen, 0, atol=1e-3):
        return Fault(f"The learning rate never decays: {every}.", ("decay_missing",))
    if np.allclose(seen, np.arange(len(sizes)), atol=1e-3):
        return Fault(f"The learning rate decays in each step: {every}.", ("decay_each_step",))
    if early and np.allclose(seen, wanted, atol=1e-3):
        says = f"The learning rate has decayed before the first step: {every}."
        return Fault(says, ("decay_early",))
    i = int(np.flatnonzero(~np.isclose(seen, wanted, atol=1e-3))[0])
    says = (
        f"In step {i} (counted from 0) the learning rate has been multiplied by decay "
        f"{seen[i]:.3g} times, and should have been {wanted[i]} times: {every}, an integer."
    )
    return Fault(says, ("decay_wrong",))


def _short_epoch_wrong(learner: Learner, rng: np.random.Generator, given_rng: Any) -> Fault | None:
    """With a minibatch larger than N an epoch is one step."""
    try:
        run = _run(learner, rng, given_rng, net=True, num_iters=4, sizes=(8, 11))
    except CallError as error:
        if not re.search("divi|modulo", error.fault.sentence):
            return None  # drawn without replacement, which nobody forbids
        says = f"With batch_size = 11 and N = 8, {error.fault.sentence}: an epoch has "
        return Fault(f"{says}max(N // batch_size, 1) steps.", error.fault.codes)
    return _decay_wrong(run) if len(run.steps) == run.num_iters else None


# ---- search ----


class Table:
    """Known validation accuracies of pairs; writes down which pairs it is asked for."""

    def __init__(self, accuracies: dict[tuple[float, float], float], most: int) -> None:
        self.accuracies, self.most = accuracies, most
        self.asked: list[tuple[float, float]] = []
        self.misuse = ""

    def __call__(self, *args: Any, **kwargs: Any) -> float:
        """The accuracy of a pair; of pairs that are none of the grid, 0."""
        given = [*args, *kwargs.values()]
        try:
            if len(given) != 2:
                raise UnfitError(f"evaluate was called with {len(given)} arguments; it takes 2.")
            pair = (as_number(given[0], "learning_rate"), as_number(given[1], "reg"))
        except UnfitError as unfit:
            self.misuse = self.misuse or unfit.fault.sentence
            return 0.0
        if len(self.asked) < self.most:
            self.asked.append(pair)
        return self.accuracies.get(pair, 0.0)


def judge_search(learner: Learner, rng: np.random.Generator, make_rng: MakeRng) -> Faults:
    """Judge a search over a grid: where the best pair is first, last and in the middle."""
    found: dict[str, list[Fault]] = {}
    for place in ("middle", "last", "first"):
        rates = [float(v) for v in np.round(rng.permutation(10 ** rng.uniform(-8, -1, 4)), 12)]
        regs = [float(v) for v in np.round(rng.permutation(10 ** rng.uniform(1, 5, 3)), 3)]
        pairs = [(rate, reg) for rate in rates for reg in regs]
        values = np.sort(rng.choice(np.arange(20, 900), len(pairs), replace=False) / 1000)
        best = {"first": 0, "last": len(pairs) - 1, "middle": int(rng.integers(4, 8))}[place]
        order = np.insert(rng.permutation(len(pairs) - 1), best, len(pairs) - 1)
        table = Table(
            {p: float(values[k]) for p, k in zip(pairs, order, strict=True)}, 20 * len(pairs)
        )
        returned = learner(table, rates, regs)
        for part, fault in _search_wrong(table, returned, learner.changed).items():
            found.setdefault(part, []).append(fault)
    # what is special (the best is the worst) in one run is chance if it is not so in others
    return {part: min(faults, key=lambda f: f.codes != ("best_wrong",))
            for part, faults in found.items()}  # fmt: skip


def _search_wrong(table: Table, returned: Any, changed: Fault | None) -> Faults:
    if table.misuse:
        return dict.fromkeys(("all pairs", "best"), Fault(table.misuse, ("wrong_type",)))
    try:
        accuracies, best = as_pair(returned, "two things, (accuracies, best)")
    except UnfitError as unfit:
        return dict.fromkeys(("all pairs", "best"), unfit.fault)
    tried = changed or _pairs_wrong(table, accuracies)
    verdicts = {"all pairs": tried, "best": _best_wrong(table, best)}
    return {part: fault for part, fault in verdicts.items() if fault}


def _pairs_wrong(table: Table, accuracies: Any) -> Fault | None:
    pairs, asked = set(table.accuracies), set(table.asked)
    if asked and not asked & pairs and {(b, a) for a, b in asked} <= pairs:
        says = "evaluate gets its arguments the wrong way round: evaluate(learning_rate, reg)."
        return Fault(says, ("pairs_swapped",))
    if asked != pairs:
        says = f"{len(pairs - asked)} of the {len(pairs)} pairs are never tried"
        says += f", and {len(asked - pairs)} that are none" if asked - pairs else ""
        says += ": two loops, one in the other, over all rates and over all strengths."
        return Fault(says, ("pairs_missing",))
    if len(table.asked) > len(pairs):
        says = f"evaluate is called {len(table.asked)} times for {len(pairs)} pairs: each call "
        return Fault(says + "trains a model, so keep its answer.", ("pairs_repeated",))
    if type(accuracies) is not dict:
        says = f"accuracies is {_described(accuracies)}; it must be a dict with an accuracy for "
        return Fault(says + "each pair (learning_rate, reg).", ("wrong_type",))
    keys = [k for k in accuracies if isinstance(k, tuple)]
    if set(keys) != pairs or len(keys) != len(accuracies):
        swapped = {k[::-1] for k in keys} == pairs
        says = f"accuracies has {len(accuracies)} entries, and of the {len(pairs)} pairs "
        says += f"(learning_rate, reg) it lacks {len(pairs - set(keys))}"
        says += ": its keys are (reg, learning_rate)." if swapped else "."
        return Fault(says, ("pairs_swapped" if swapped else "pairs_missing",))
    for pair in sorted(pairs):
        right = table.accuracies[pair]
        try:
            value = as_number(accuracies[pair], f"accuracies[{pair}]")
        except UnfitError as unfit:
            return unfit.fault
        if not abs(value - right) <= 1e-9:
            says = f"accuracies[{pair}] is {value:.4g}, and evaluate returned {right:.4g} for it."
            return Fault(says, ("accuracies_wrong",))
    return None


def _best_wrong(table: Table, best: Any) -> Fault | None:
    asked = [p for p in table.asked if p in table.accuracies]
    if not asked:
        says = "No pair was tried, so there is no best one: call evaluate(learning_rate, reg)."
        return Fault(says, ("best_wrong",))
    by_accuracy = sorted(set(asked), key=table.accuracies.__getitem__)
    what = f"best is {_described(best)}; it must be the pair (learning_rate, reg) with the "
    what += "highest accuracy."
    if type(best) not in (tuple, list) or len(best) != 2:
        return Fault(what, ("wrong_type",))
    try:
        pair = (as_number(best[0], "best[0]"), as_number(best[1], "best[1]"))
    except UnfitError:
        return Fault(what, ("wrong_type",))
    if pair == by_accuracy[-1]:
        return None
    if pair == by_accuracy[0] and len(by_accuracy) > 1:
        says = "best is the pair with the lowest accuracy: the highest is the best."
        return Fault(says, ("best_is_worst",))
    if pair[::-1] == by_accuracy[-1]:
        says = "best has its two numbers the wrong way round: (learning_rate, reg)."
        return Fault(says, ("pairs_swapped",))
    place = next((k for k, p in enumerate(by_accuracy[::-1]) if p == pair), None)
    seen = f"the number {place + 1} of all" if place is not None else "none of those tried"
    says = f"best is not the pair with the highest accuracy: {pair} is {seen}."
    return Fault(says, ("best_wrong",))


# ---- the exercises ----


def _one(part: str) -> Callable[[Any], dict[str, Any]]:
    return lambda returned: {part: returned}


def _two(first: str, second: str, what: str) -> Callable[[Any], dict[str, Any]]:
    return lambda returned: dict(zip((first, second), as_pair(returned, what), strict=True))


def _by_name(returned: Any) -> dict[str, Any]:
    if type(returned) is not dict:
        keys = ", ".join(PARAMETERS)
        says = f"It returned {_described(returned)}; it must return a dict with the keys {keys}."
        raise UnfitError(says)
    return {name: returned.get(name, MISSING) for name in PARAMETERS}


@dataclass(frozen=True)
class Exercise:
    """An exercise: where it is, its parts with their points, and how it is judged."""

    notebook: str
    function: str
    arguments: Sequence[str]
    parts: Mapping[str, int]
    judge: Callable[[Learner, np.random.Generator, MakeRng], Faults]

    @property
    def points(self) -> int:
        """Of all parts."""
        return sum(self.parts.values())


def _gradient_of(what: str, right: Function, cases: Any, beside: Any, **more: Any) -> Sheet:
    """A sheet for a function that returns one gradient."""

    def values(*args: Any) -> dict[str, Any]:
        return {"gradient": right(*args)}

    return Sheet({"gradient": what}, _one("gradient"), values, cases, beside, **more)


def _hinge_dx(W: Array, X: Array, y: Any, delta: float = 1.0) -> Array:
    dX: Array = svm_dx(W, X, y, delta=delta)  # type: ignore[assignment]
    return dX


LOSS_AND_DW = _two("loss", "gradient", "two things, (loss, dW)")
LOSS, DW = {"loss": "the loss"}, {"gradient": "dW"}
LINEAR, NET = ("W", "X", "y"), ("params", "X", "y")

EXERCISES: dict[str, Exercise] = {
    "svm_naive": Exercise(
        "01_svm", "hinge_loops", (*LINEAR, "delta"), {"loss": 5},
        Sheet(LOSS, _one("loss"), _hinge, hinge_cases, _beside_hinge,
            closely=_counts_correct_class).judge,
    ),
    "svm_gradient": Exercise(
        "01_svm", "hinge_gradient_loops", (*LINEAR, "delta"), {"gradient": 6},
        Sheet(DW, _one("gradient"), _hinge, hinge_cases, _beside_hinge).judge,
    ),
    "svm_vectorised": Exercise(
        "01_svm", "hinge_arrays", (*LINEAR, "delta"), {"loss": 4, "gradient": 4},
        Sheet({**LOSS, **DW}, LOSS_AND_DW, _hinge, hinge_cases, _beside_hinge,
            closely=_counts_correct_class).judge,
    ),
    "penalty": Exercise(
        "01_svm", "penalty", ("W", "reg", "reg_scale"), {"value": 2, "gradient": 3},
        Sheet(
            {"value": "the penalty", "gradient": "the gradient of the penalty"},
            _two("value", "gradient", "two things, (value, gradient)"),
            _penalty, penalty_cases, _beside_penalty,
        ).judge,
    ),
    "sgd": Exercise(
        "01_svm", "gradient_descent",
        ("loss_function", "W", "X", "y", "learning_rate", "reg", "num_iters", "batch_size", "rng"),
        {"minibatches": 3, "update": 3, "losses": 2}, partial(judge_training, net=False),
    ),
    "search": Exercise(
        "01_svm", "grid_search", ("evaluate", "learning_rates", "regs"),
        {"all pairs": 3, "best": 3}, judge_search,
    ),
    "softmax_naive": Exercise(
        "02_softmax", "softmax_loops", (*LINEAR, "reg"), {"loss": 3, "large scores": 2},
        Sheet(
            LOSS, _one("loss"), _softmax, softmax_cases, _beside_softmax, large_scores=True
        ).judge,
    ),
    "softmax_gradient": Exercise(
        "02_softmax", "softmax_gradient_loops", (*LINEAR, "reg"),
        {"gradient": 5, "large scores": 1},
        Sheet(
            DW, _one("gradient"), _softmax, softmax_cases, _beside_softmax, large_scores=True
        ).judge,
    ),
    "softmax_vectorised": Exercise(
        "02_softmax", "softmax_arrays", (*LINEAR, "reg"),
        {"loss": 3, "gradient": 4, "large scores": 1},
        Sheet(
            {**LOSS, **DW}, LOSS_AND_DW, _softmax, softmax_cases, _beside_softmax,
            large_scores=True,
        ).judge,
    ),
    "net_forward": Exercise(
        "03_two_layer_net", "net_forward", ("params", "X"), {"hidden": 3, "scores": 3},
        Sheet(
            {"hidden": "hidden", "scores": "scores"},
            _two("hidden", "scores", "two things, (hidden, scores)"), _forward, forward_cases,
            follows=_follows_from_hidden, closely=_forward_mistake,
        ).judge,
    ),
    "net_backward": Exercise(
        "03_two_layer_net", "net_backward",
        ("params", "X", "hidden", "dscores", "reg", "reg_scale"),
        {"W1": 3, "b1": 2, "W2": 3, "b2": 2},
        Sheet(
            {name: f"grads[{name!r}]" for name in PARAMETERS}, _by_name, net_backward,
            backward_cases, _beside_backward,
        ).judge,
    ),
    "net_training": Exercise(
        "03_two_layer_net", "train_net",
        ("loss_function", "params", "X", "y", "learning_rate", "decay", "reg", "num_iters",
         "batch_size", "rng"),
        {"minibatches": 2, "update": 2, "decay": 2, "losses": 2},
        partial(judge_training, net=True),
    ),
    "svm_dx": Exercise(
        "04_dx_derivation", "svm_dx", (*LINEAR, "delta"), {"gradient": 6},
        _gradient_of("dX", _hinge_dx, hinge_cases, _beside_svm_dx).judge,
    ),
    "softmax_dx": Exercise(
        "04_dx_derivation", "softmax_dx", LINEAR, {"gradient": 5},
        _gradient_of("dX", softmax_dx, input_cases, _beside_softmax_dx).judge,
    ),
    "net_dx": Exercise(
        "04_dx_derivation", "net_dx", NET, {"gradient": 8},
        _gradient_of(
            "dX", net_dx, net_input_cases, _beside_net_dx, closely=_input_mistake
        ).judge,
    ),
}  # fmt: skip

POINTS = {name: exercise.points for name, exercise in EXERCISES.items()}
FUNCTION = {name: exercise.function for name, exercise in EXERCISES.items()}
NOTEBOOK = {name: exercise.notebook for name, exercise in EXERCISES.items()}
PARTS = {
    name: {part: points / exercise.points for part, points in exercise.parts.items()}
    for name, exercise in EXERCISES.items()
}
