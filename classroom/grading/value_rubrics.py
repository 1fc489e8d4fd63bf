"""Judge functions that return losses, gradients or activations: values are compared, part by part.

Where a part is wrong the gradient checker says why: for a loss it is asked about the student's
loss beside the right gradient, for a gradient about the student's gradient beside the right loss.
So each part stands for itself, and what the checker finds is about that part alone.

Shapes: N examples, D features, C classes, H hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cs231n_helpers import Finding, check_gradient, optim
from cs231n_helpers.doctor.report import capitalized
from cs231n_helpers.doctor.snapshot import copied
from cs231n_helpers.doctor.wrong_losses import OVERFLOW
from cs231n_helpers.exercises.compare import Array, as_array, as_number, as_tuple, compare, near
from cs231n_helpers.exercises.explain import (
    Function,
    SparingGradient,
    as_loss_of_input,
    as_loss_of_net,
)
from cs231n_helpers.exercises.student_function import (
    CallError,
    Feedback,
    FeedbackError,
    StudentFunction,
    described,
    feedback_of,
)

from . import hidden_data, value_mistakes
from .hidden_data import Case, Values, cast, linear_data, net_data, two_cases

PARAMETERS = ("W1", "b1", "W2", "b2")
GENERIC = {"unexplained", "loss_wrong_grad_of_other"}  # what a changed argument explains better
SHAPES = ("transpose", "broadcast_shape", "bias_axis", "swapped_keys", "shape_2d", "missing_key")
OPTIONS = {
    "delta": "{name} is right for the margin delta = 1 and wrong for delta = {value:g}: use the "
    "argument delta in each margin.",
    "reg_scale": "{name} is right with reg_scale = 0.5 and wrong with reg_scale = {value:g}: use "
    "the argument reg_scale; the penalty is reg_scale * reg * sum(W**2), its gradient "
    "2 * reg_scale * reg * W.",
}


@dataclass(frozen=True)
class Failure:
    """A part was wrong in a case."""

    case: Case
    feedback: Feedback
    given: Any = None


@dataclass(frozen=True)
class ValueRubric:
    """How to judge a function that returns losses, gradients or activations.

    `names` has the parts in words, `pair` what they are called where two are returned. `as_loss`
    takes two functions of the same arguments, value and gradient, and a case, and returns the
    arguments for the gradient checker. `follows` takes what was returned and the arguments and
    returns what else is right, because it follows from another part that is wrong. `named` names a
    mistake in a wrong part where the checker has nothing to ask about.
    """

    names: Mapping[str, str]
    right: Callable[..., Values]
    cases: Callable[[np.random.Generator], list[Case]]
    as_loss: Callable[[Function, Function, Case], tuple[Any, ...]] | None = None
    pair: str = ""
    follows: Callable[..., dict[str, Any]] | None = None
    named: Callable[..., Feedback | None] | None = None
    large_scores: bool = False
    keys: str = f"return a dict with the keys {', '.join(PARAMETERS)}"

    def split(self, returned: Any) -> dict[str, Any]:
        """What was returned, by part."""
        if self.pair:
            return dict(zip(self.names, as_tuple(returned, self.pair), strict=True))
        if len(self.names) == 1:
            return dict.fromkeys(self.names, returned)
        if type(returned) is not dict:
            text = f"It returned {described(returned)}; it must {self.keys}."
            raise FeedbackError(text, "wrong_type")
        return {name: returned[name] for name in PARAMETERS if name in returned}

    def judge(
        self, student: StudentFunction, rng: np.random.Generator, make_rng: Any
    ) -> dict[str, Feedback]:
        """Run all cases, then ask why the parts that failed did."""
        failed: dict[str, Failure] = {}
        mutated: dict[str, Feedback] = {}
        for case in self.cases(rng):
            try:
                wrong, corrupted = self.run(student, case)
            except CallError as error:
                if error.feedback.codes[0] != "raises":
                    raise
                text = f"{error.feedback.sentence} ({case.where})"
                failure = Failure(case, Feedback(text, error.feedback.codes))
                wrong, corrupted = dict.fromkeys(self.names, failure), {}
            failed = {**wrong, **failed}  # the first failure of each
            mutated = {**corrupted, **mutated}
        known: dict[Any, list[Finding]] = {}
        found = {part: self.why(part, student, fails, known) for part, fails in failed.items()}
        for part, changed in mutated.items():
            if part in found and not set(found[part].codes) <= GENERIC:
                text = f"{changed.sentence} {found[part].sentence}"
                changed = Feedback(text, (*changed.codes, *found[part].codes))
            found[part] = changed
        if self.large_scores and (large := feedback_of(self.check_large_scores, student, rng)):
            found["large scores"] = large
        return found

    def run(
        self, student: StudentFunction, case: Case
    ) -> tuple[dict[str, Failure], dict[str, Feedback]]:
        """One case: the parts that are wrong, and those that a changed argument corrupts."""
        returned = copied(student.call(*case.args))
        wrong = self.compare(returned, case)
        if student.changed is None:
            return wrong, {}
        changed = student.changed.feedback
        try:
            again = set(self.compare(student.call_again(), case))
        except CallError:
            again = set(self.names)
        corrupted = [part for part in self.names if part in again and part not in wrong]
        if not corrupted and not wrong:
            corrupted = [next(iter(self.names))]
        return wrong, dict.fromkeys(corrupted or wrong, changed)

    def compare(self, returned: Any, case: Case) -> dict[str, Failure]:
        """Parts whose values are not the right ones."""
        args = cast(case.args, np.float64)
        right = self.right(*args)
        try:
            given = self.split(returned)
        except FeedbackError as error:
            return dict.fromkeys(self.names, Failure(case, error.feedback))
        follows = self.follows(given, *args) if self.follows else {}
        failures = {}
        for part, name in self.names.items():
            if part not in given:
                text = f"There is no {name}: {self.keys}."
                failures[part] = Failure(case, Feedback(text, ("missing_key",)))
                continue
            check = partial(
                compare, given[part], name=name, where=f" {case.where}", tolerance=case.tolerance
            )
            feedback = feedback_of(check, right[part])
            if feedback and not (part in follows and not feedback_of(check, follows[part])):
                failures[part] = Failure(case, feedback, given[part])
        return failures

    # ---- why ----

    def why(self, part: str, student: StudentFunction, failure: Failure, known: Any) -> Feedback:
        """The feedback for a part, from the first case that failed."""
        case, feedback, name = failure.case, failure.feedback, self.names[part]
        codes = feedback.codes
        if case.option == "float32":
            return feedback.in_float32()
        if case.option and "raises" not in codes:
            text = OPTIONS[case.option].format(name=capitalized(name), value=case.args[-1])
            return Feedback(f"{text} {feedback.sentence}", ("ignores_argument",))
        if self.named is not None and codes == ("unexplained",):
            args = cast(case.args, np.float64)
            if named := self.named(part, failure.given, *args):
                return named
        if self.as_loss is None or codes[0] in ("wrong_type", "missing_key"):
            return feedback
        malformed = codes == ("wrong_shape",)
        key = ("grads" if part in PARAMETERS else part, malformed, id(case))
        if key not in known:
            known[key] = self.ask(part, student, case, malformed)
        found = [f for f in known[key] if f.parameter in (None, part)]
        if codes[0] in ("raises", "wrong_shape"):
            found = [f for f in found if f.code in SHAPES]
        if not found:
            return feedback
        codes = tuple(f.code for f in found)
        if "raises" in feedback.codes:
            return Feedback(found[0].message, codes)
        of_loss = part in ("loss", "value")
        text = " ".join(_about_loss(f) if of_loss else f.about(name) for f in found[:2])
        takes_scale = "reg_scale" in student.exercise.parameters
        if takes_scale and "reg * W" in text and "reg_scale" not in text:
            text += " That is with reg_scale = 0.5; in general it is 2 * reg_scale * reg * W."
        return Feedback(f"{text} ({feedback.sentence.rstrip('.')}.)", codes)

    def ask(
        self, part: str, student: StudentFunction, case: Case, malformed: bool
    ) -> list[Finding]:
        """Ask the gradient checker, with the student's part beside the right other one."""
        assert self.as_loss is not None
        of_gradient = part not in ("loss", "value")

        def theirs(*args: Any) -> Any:
            try:
                given = self.split(student.call(*args))
            except CallError as error:
                if error.kind in ("ValueError", "IndexError"):
                    raise ValueError(error.feedback.sentence) from None
                raise
            return self.all_arrays(given, args, malformed) if part in PARAMETERS else given[part]

        def ours(*args: Any) -> Any:
            right = self.right(*args)
            return right.get("loss", right.get("value")) if of_gradient else right["gradient"]

        pair = (ours, SparingGradient(theirs)) if of_gradient else (theirs, ours)
        try:
            report = check_gradient(*self.as_loss(*pair, case))
        except Exception:  # it may raise on the checker's data, or return anything
            return []
        finally:
            if student.stopped is not None:
                raise student.stopped
        return [f for f in report.mistakes if f.code != "overflow" or not self.large_scores]

    def all_arrays(self, given: dict[str, Any], args: Any, malformed: bool) -> dict[str, Any]:
        """Gradients by name; the right one for those of a form that is judged elsewhere."""
        arrays = {k: v for k, v in given.items() if type(v) is np.ndarray}
        right = self.right(*args)
        return {
            k: arrays[k] if k in arrays and (malformed or arrays[k].shape == v.shape) else v
            for k, v in right.items()
        }

    def check_large_scores(self, student: StudentFunction, rng: np.random.Generator) -> None:
        """Raise all scores of an example by the same thousands: nothing may change."""
        W, X, y = linear_data(rng)
        shifted = W + np.round(1e4 * rng.standard_normal((len(W), 1)))
        plain, other, far = (
            self.numbers(student.call(A, X, y, 0.0), A) for A in (W, 0.5 * W, shifted)
        )
        seen = f"another {' or '.join(self.names.values())}"
        if not all(np.isfinite(v).all() for v in far):
            seen = "nan or infinity"
        if not all(map(near, plain, far)):
            raise FeedbackError(OVERFLOW.format(seen=seen), "overflow")
        if any(map(near, plain, other)):
            text = "What is returned does not depend on the scores."
            raise FeedbackError(text, "ignores_argument")

    def numbers(self, returned: Any, W: Array) -> list[Array]:
        """What was returned, loss or gradient or both, as arrays."""
        given = self.split(returned)
        return [
            np.array(as_number(given[part], name))
            if part == "loss"
            else as_array(given[part], W.shape, name)
            for part, name in self.names.items()
        ]


class RuleRubric(ValueRubric):
    """How to judge an update rule: next_w, and each entry of config that is a part."""

    def split(self, returned: Any) -> dict[str, Any]:
        """What was returned, by part."""
        next_w, config = as_tuple(returned, "next_w, config")
        if type(config) is not dict:
            raise FeedbackError(f"config is {described(config)}; it must be a dict.", "wrong_type")
        return {"next_w": next_w, **{part: config[part] for part in self.names if part in config}}


# The checker was asked about the right gradient beside the student's loss: what it finds in the
# gradient, turned around, holds for the loss.
LOSS_MESSAGES = {
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
    "reg_not_squared": "The penalty is the norm of W, not its square: use np.sum(W * W).",
    "reg_wrong_norm": "The penalty is another one: reg_scale * reg * np.sum(W * W) sums squares.",
    "reg_wrong_matrix": "The penalty is another one: it must be reg_scale * reg * np.sum(W * W).",
}


def _about_loss(finding: Finding) -> str:
    """What the checker found in the gradient, turned around."""
    if finding.code in LOSS_MESSAGES:
        return LOSS_MESSAGES[finding.code]
    if finding.code == "scale_C" and finding.factor is not None:
        way = "small: np.mean averages over the classes too" if finding.factor > 1 else "large"
        return f"The loss is C times too {way}; sum over the classes and divide by N."
    if finding.code == "scale_const" and finding.factor is not None:
        return (
            f"A constant factor stands in the loss: the right gradient is {finding.factor:.4g} "
            "times the slope that this loss has (a factor 2 or 1/2, np.log2 or np.log10 instead of "
            "np.log?)."
        )
    if finding.code == "reg_factor_2" and finding.factor is not None:
        return (
            f"The penalty is {1 / finding.factor:.3g} times what it should be: it is "
            "reg_scale * reg * np.sum(W * W), with reg_scale = 0.5 where nothing else is said."
        )
    if finding.actual_loss:
        return f"The loss is the {finding.actual_loss}; the {finding.loss_name} is asked for."
    return finding.loss_message or finding.message


# ---- functions for the checker: a value beside a gradient, with names that it knows ----


def _as_hinge(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(W: Array, X: Array, y: Any, delta: float) -> tuple[Any, Any]:
        return value(W, X, y, delta), gradient(W, X, y, delta)

    return (loss, *case.args[:3], 1.0)


def _as_softmax(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    def loss(W: Array, X: Array, y: Any, reg: float) -> tuple[Any, Any]:
        return value(W, X, y, reg), gradient(W, X, y, reg)

    return (loss, *case.args)


def _as_penalty(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    """With a softmax loss as the part of the data, so that the checker knows what it sees."""

    def loss(W: Array, X: Array, y: Any, reg: float) -> tuple[Any, Any]:
        data, added = hidden_data.softmax(W, X, y, 0.0), gradient(W, reg)
        fits = type(added) is np.ndarray and added.shape == W.shape
        total = data["loss"] + as_number(value(W, reg), "value")
        return total, data["gradient"] + added if fits else added

    W, reg = case.args[:2]
    rng = np.random.RandomState(0)
    return loss, W, rng.standard_normal((23, len(W))), rng.randint(0, W.shape[1], 23), reg


def _as_net(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
    params, X, _, dscores, reg = case.args[:5]
    return as_loss_of_net(gradient), params, X, dscores.argmin(axis=1), reg


def _as_input(loss_name: str) -> Callable[[Function, Function, Case], tuple[Any, ...]]:
    def arguments(value: Function, gradient: Function, case: Case) -> tuple[Any, ...]:
        params, X, y = case.args[:3]
        return as_loss_of_input(gradient, loss_name), X, params, y

    return arguments


def _scores_of(given: dict[str, Any], params: dict[str, Array], X: Array) -> dict[str, Any]:
    """The scores of the hidden layer that was returned, if that is one."""
    try:
        hidden = as_array(given["hidden"], (len(X), len(params["b1"])), "hidden")
    except FeedbackError:
        return {}
    if not np.isfinite(hidden).all() or not hidden.any(axis=0).all():
        return {}
    return {"scores": hidden @ params["W2"] + params["b2"]}


# ---- the exercises ----


LOSS, DW, DX = {"loss": "the loss"}, {"gradient": "dW"}, {"gradient": "dX"}
LOSS_AND_DW: dict[str, Any] = {"names": {**LOSS, **DW}, "pair": "loss, dW"}
_hinge = partial(
    ValueRubric, right=hidden_data.hinge, cases=hidden_data.hinge_cases, as_loss=_as_hinge,
    named=value_mistakes.in_hinge,
)  # fmt: skip
_softmax = partial(
    ValueRubric, right=hidden_data.softmax, cases=hidden_data.softmax_cases, as_loss=_as_softmax,
    named=value_mistakes.in_softmax, large_scores=True,
)  # fmt: skip


def _input(loss_name: str, cases: Any, named: Any = None) -> ValueRubric:
    right, as_loss = hidden_data.by_input(loss_name), _as_input(loss_name)
    return ValueRubric(DX, right, cases, as_loss, named=named)


def _rule(
    rule: Callable[..., Any], parts: Sequence[str], cases: Any, mistakes: Any,
    move: Callable[[Any], Array],
) -> ValueRubric:  # fmt: skip
    """Judge an update rule by ours, and by `parts`, what it remembers; `move` steps by them."""

    def right(w: Array, dw: Array, config: Any = None) -> Values:
        next_w, after = rule(w, dw, dict(config or {}))
        state = {
            part: after[part] if np.ndim(after[part]) else float(after[part]) for part in parts
        }
        return {"next_w": next_w, **state}

    def follows(given: dict[str, Any], w: Array, dw: Array, config: Any = None) -> dict[str, Any]:
        """The step that follows from the state that was returned, if that is one."""
        try:
            state = {
                part: as_number(given[part], part)
                if part == "t"
                else as_array(given[part], w.shape, part)
                for part in parts
            }
        except (FeedbackError, KeyError):
            return {}
        if not all(np.all(np.isfinite(value)) for value in state.values()) or state.get("t") == 0:
            return {}
        _, after = rule(w, dw, dict(config or {}))
        return {"next_w": move({**after, **state, "w": w, "rate": after["learning_rate"]})}

    return RuleRubric(
        {"next_w": "next_w", **{part: f'config["{part}"]' for part in parts}}, right, cases,
        follows=follows, named=value_mistakes.in_rule(rule, mistakes),
        keys="leave it in config for the next step",
    )  # fmt: skip


VALUE_RUBRICS = {
    "svm_naive": _hinge(LOSS),
    "svm_gradient": _hinge(DW),
    "svm_vectorized": _hinge(**LOSS_AND_DW),
    "penalty": ValueRubric(
        {"value": "the penalty", "gradient": "the gradient of the penalty"},
        hidden_data.penalty, hidden_data.penalty_cases, _as_penalty, "value, gradient",
    ),
    "softmax_naive": _softmax(LOSS),
    "softmax_gradient": _softmax(DW),
    "softmax_vectorized": _softmax(**LOSS_AND_DW),
    "net_forward": ValueRubric(
        {"hidden": "hidden", "scores": "scores"}, hidden_data.forward,
        partial(two_cases, lambda rng: net_data(rng)[:2]), pair="hidden, scores",
        follows=_scores_of, named=value_mistakes.in_forward,
    ),
    "net_backward": ValueRubric(
        {name: f"grads[{name!r}]" for name in PARAMETERS},
        hidden_data.backward, hidden_data.backward_cases, _as_net,
    ),
    "svm_dx": _input("hinge", hidden_data.hinge_cases),
    "softmax_dx": _input("softmax", partial(two_cases, linear_data)),
    "net_dx": _input("softmax", partial(two_cases, net_data), value_mistakes.in_net_dx),
    "affine_backward": ValueRubric(
        {name: f"the gradient {name}" for name in ("dx", "dw", "db")},
        hidden_data.affine, hidden_data.affine_cases,
        pair="dx, dw, db", named=value_mistakes.in_affine,
    ),
    "relu_backward": ValueRubric(
        {"dx": "the gradient dx"}, hidden_data.relu, hidden_data.relu_cases,
        named=value_mistakes.in_relu,
    ),
    "sgd_momentum": _rule(
        optim.sgd_momentum, ("velocity",), hidden_data.momentum_cases, value_mistakes.MOMENTUM,
        lambda p: p["w"] + p["velocity"],
    ),
    "adam": _rule(
        optim.adam, ("m", "v", "t"), hidden_data.adam_cases, value_mistakes.ADAM,
        value_mistakes.adam_step,
    ),
}  # fmt: skip
