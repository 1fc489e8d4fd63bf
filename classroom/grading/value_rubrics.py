"""Judge functions that return losses, gradients or activations: values are compared, part by part.

Where a part is wrong the gradient checker says why: for a loss it is asked about the learner's
loss beside the right gradient, for a gradient about the learner's gradient beside the right loss.
So each part stands for itself, and what the checker says is about that part alone.

Shapes: N examples, D features, C classes, H hidden units.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cs231n_helpers import Finding, check_gradient, softmax_loss
from cs231n_helpers import softmax_input_gradient as softmax_dx
from cs231n_helpers import softmax_loss_naive as softmax_linear
from cs231n_helpers import svm_loss_naive as svm_linear
from cs231n_helpers.doctor.mistakes import FACTORS, MESSAGES, MISTAKES

from .hidden_data import (
    Arrays,
    Case,
    backward_cases,
    cast,
    forward,
    forward_cases,
    hinge,
    hinge_cases,
    hinge_dx,
    input_cases,
    linear_data,
    net_backward,
    net_dx,
    net_forward,
    net_input_cases,
    net_model,
    penalty_cases,
    penalty_of,
    softmax,
    softmax_cases,
)  # fmt: skip
from .student_function import (
    Array,
    CallError,
    Fault,
    Faults,
    Learner,
    UnfitError,
    as_array,
    as_number,
    as_pair,
    capital,
    copied,
    described,
)  # fmt: skip

Function = Callable[..., Any]


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

    def judge(self, learner: Learner, rng: np.random.Generator, make_rng: Any) -> Faults:
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
            known_too = part in faults and not set(faults[part].codes) <= GENERIC
            faults[part] = _joined(fault, faults[part]) if known_too else fault
        if self.large_scores:
            large = self.scores_too_large(learner, rng)
            faults |= {"large scores": large} if large else {}
        return faults

    def run(self, learner: Learner, case: Case) -> tuple[dict[str, Failure], Faults]:
        """One case: the parts that are wrong, and those that a changed argument corrupts."""
        returned = copied(learner(*case.args))
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
        args = cast(case.args, np.float64)
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
            says = OPTIONS[case.option].format(name=capital(name), value=case.value)
            return Fault(f"{says} {fault.sentence}", ("ignores_argument",))
        if self.closely is not None and fault.codes == ("unexplained",):
            named = self.closely(part, failure.given, cast(case.args, np.float64))
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
        if "raises" in fault.codes:
            return Fault(found[0].message, tuple(f.code for f in found))
        of_loss = part in ("loss", "value")
        says = " ".join(_of_loss(f) if of_loss else f.about(name) for f in found[:2])
        if "reg_scale" in learner.arguments and "reg * W" in says and "reg_scale" not in says:
            says += " That is with reg_scale = 0.5; in general it is 2 * reg_scale * reg * W."
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
GENERIC = {"unexplained", "loss_wrong_grad_of_other"}  # what a changed argument explains better
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
        says = f"{capital(name)} is {number:.5g} and must be {right:.5g} {where}."
        return Fault(says, ("unexplained",) if np.isfinite(number) else ("not_finite",))
    array = as_array(given, right.shape, name)
    if _near(array, right, case.tolerance):
        return None
    if not np.isfinite(array).all():
        return Fault(f"{capital(name)} holds nan or infinity {where}.", ("not_finite",))
    largest = np.abs(right).max()
    off = np.abs(array - right) > case.tolerance * largest
    says = (
        f"{capital(name)} is wrong in {off.sum()} of {off.size} entries {where}, by up to "
        f"{np.abs(array - right).max():.2g}; the largest right entry is {largest:.2g}."
    )
    return Fault(says, ("unexplained",))


def _joined(*faults: Fault) -> Fault:
    return Fault(
        " ".join(f.sentence for f in faults), tuple(code for f in faults for code in f.codes)
    )


# ---- the checker's findings, as sentences about one part ----


# The checker was asked about the right gradient beside the learner's loss: what it says of the
# gradient, turned round, holds for the loss.
LOSS_SAYS = {
    "scale_N": "The loss is N times too small: divide by the number of examples once, not twice.",
    "scale_inv_N": "The loss is N times too large: it is a sum over the examples where the mean is "
    "asked for; divide by N.",
    "scale_half": "The loss is twice what it should be.",
    "sign": "The loss has the wrong sign.",
    "loss_reg_missing": "The penalty is missing: add reg_scale * reg * np.sum(W * W), with "
    "reg_scale = 0.5 where nothing else is said.",
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


def _margins_of(S: Array, label: Any, delta: float) -> Array:
    """max(0, s_j - s_label + delta) for all classes, the label's own included."""
    return np.maximum(0, S - np.take_along_axis(S, label[:, np.newaxis], axis=1) + delta)


def _without_class(c: int) -> Callable[[Array, Any, float], Any]:
    def terms(S: Array, y: Any, delta: float) -> Any:
        classes = np.arange(S.shape[1])
        counted = (classes != y[:, np.newaxis]) & (classes != classes[c])
        return _margins_of(S, y, delta) * counted

    return terms


HINGE_MISTAKES: list[tuple[str, str, Callable[[Array, Any, float], Any]]] = [
    ("loss_offset", "The loss is off by delta: the correct class is counted too; leave j = y_i out "
     "of the sum.", lambda S, y, delta: _margins_of(S, y, delta)),
    ("onehot_indexing", "The label of the first example is used for every example: index with "
     "y[i], or with [np.arange(N), y].",
     lambda S, y, delta: _margins_of(S, y * 0 + y[0], delta) * (np.arange(S.shape[1]) != y[0])),
    ("onehot_indexing", "The score of the first example's label is used for every example: "
     "compare with s[y[i]].", lambda S, y, delta: _margins_of(S, y * 0 + y[0], delta)
     * (np.arange(S.shape[1]) != y[:, np.newaxis])),
    *[("single_class_wrong", "The loop over the classes leaves one out: it must run over all of "
       "them, range(C), except j = y_i.", _without_class(c)) for c in (0, -1)],
    ("loss_wrong_grad_of_other", "Only the class with the largest margin counts: the loss sums "
     "over all classes but the correct one.", lambda S, y, delta:
     (_margins_of(S, y, delta) * (np.arange(S.shape[1]) != y[:, np.newaxis])).max(axis=1)),
]  # fmt: skip


def _hinge_mistake(part: str, given: Any, args: tuple[Any, ...]) -> Fault | None:
    """Name a wrong hinge loss by its value, which the checker does not look at."""
    W, X, y = args[:3]
    delta = args[3] if len(args) > 3 else 1.0
    for code, says, terms in HINGE_MISTAKES if part == "loss" else ():
        value = float(np.sum(terms(X @ W, y, delta))) / len(X)
        if abs(as_number(given, "") - value) <= 1e-6 * abs(value):
            return Fault(says, (code,))
    return None


def _softmax_mistake(part: str, given: Any, args: tuple[Any, ...]) -> Fault | None:
    """Name the loss in which the logarithm and the exponential cancel."""
    W, X, y, reg = args
    S, penalty = X @ W, penalty_of(W, reg)["value"]
    for scores in (S, S - S.max(axis=1, keepdims=True)) if part == "loss" else ():
        value = (scores.sum(axis=1) - scores[np.arange(len(y)), y]).mean() + penalty
        if abs(as_number(given, "") - value) <= 1e-6 * abs(value):
            says = "The exponential is taken of the sum: it must be the sum of the exponentials, "
            return Fault(f"{says}np.sum(np.exp(scores)).", ("exp_of_sum",))
    return None


def _input_mistake(part: str, given: Any, args: tuple[Any, ...]) -> Fault | None:
    """Name the known mistake in the net's backward pass that gives this gradient by the input."""
    params, X, y = args
    right = net_dx(params, X, y)
    for factor in FACTORS:
        if _near(given, factor.value(len(X), len(params["b2"])) * right, 1e-6):
            says = factor.message if "{it}" in factor.message else f"{{it}}: {factor.message}"
            return Fault(f"{says.replace('{it}', 'dX')}.", (factor.code,))
    for mistake in MISTAKES:
        if mistake.when and not {"softmax", "ReLU"} & set(mistake.when):
            continue
        for layer in (None, 0, 1):
            replaced = {mistake.term: mistake.wrong}
            model = net_model(params, X, y, by_input=True, replaced=replaced, only=layer)
            try:
                with np.errstate(all="ignore"):
                    wrong = model.gradients()[0]
            except (ValueError, IndexError, TypeError):  # the piece does not fit these shapes
                continue
            if wrong.shape == given.shape and _near(given, wrong, 1e-6):
                return Fault(f"In dX, {mistake.message}.", (mistake.code,))
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


# ---- the exercises ----

Split = Callable[[Any], dict[str, Any]]


def _one(part: str) -> Split:
    return lambda returned: {part: returned}


def _two(first: str, second: str, what: str) -> Split:
    return lambda returned: dict(zip((first, second), as_pair(returned, what), strict=True))


def _by_name(returned: Any) -> dict[str, Any]:
    if type(returned) is not dict:
        keys = ", ".join(PARAMETERS)
        says = f"It returned {described(returned)}; it must return a dict with the keys {keys}."
        raise UnfitError(says)
    return {name: returned.get(name, MISSING) for name in PARAMETERS}


def _gradient_of(right: Function, cases: Any, beside: Any, **more: Any) -> Sheet:
    """A sheet for a function that returns dX."""

    def values(*args: Any) -> dict[str, Any]:
        return {"gradient": right(*args)}

    return Sheet({"gradient": "dX"}, _one("gradient"), values, cases, beside, **more)


LOSS, DW = {"loss": "the loss"}, {"gradient": "dW"}
LOSS_AND_DW = _two("loss", "gradient", "two things, (loss, dW)")
_margins = partial(
    Sheet, right=hinge, cases=hinge_cases, beside=_beside_hinge, closely=_hinge_mistake
)
_probabilities = partial(
    Sheet, right=softmax, cases=softmax_cases, beside=_beside_softmax, closely=_softmax_mistake,
    large_scores=True,
)  # fmt: skip

SHEETS = {
    "svm_naive": _margins(LOSS, _one("loss")),
    "svm_gradient": _margins(DW, _one("gradient")),
    "svm_vectorized": _margins({**LOSS, **DW}, LOSS_AND_DW),
    "penalty": Sheet(
        {"value": "the penalty", "gradient": "the gradient of the penalty"},
        _two("value", "gradient", "two things, (value, gradient)"),
        penalty_of, penalty_cases, _beside_penalty,
    ),
    "softmax_naive": _probabilities(LOSS, _one("loss")),
    "softmax_gradient": _probabilities(DW, _one("gradient")),
    "softmax_vectorized": _probabilities({**LOSS, **DW}, LOSS_AND_DW),
    "net_forward": Sheet(
        {"hidden": "hidden", "scores": "scores"},
        _two("hidden", "scores", "two things, (hidden, scores)"),
        forward, forward_cases, follows=_follows_from_hidden, closely=_forward_mistake,
    ),
    "net_backward": Sheet(
        {name: f"grads[{name!r}]" for name in PARAMETERS}, _by_name,
        net_backward, backward_cases, _beside_backward,
    ),
    "svm_dx": _gradient_of(hinge_dx, hinge_cases, _beside_svm_dx),
    "softmax_dx": _gradient_of(softmax_dx, input_cases, _beside_softmax_dx),
    "net_dx": _gradient_of(net_dx, net_input_cases, _beside_net_dx, closely=_input_mistake),
}  # fmt: skip
