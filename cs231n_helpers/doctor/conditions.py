"""The conditions of a check: what must hold before slopes are compared, and what limits it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..validation import Floats, NotFiniteError, as_floats
from .codes import Code
from .evaluate import HUGE, Evaluation, LossFunction, check_moderate
from .report import Finding
from .slopes import Detection, Detector, Outcome
from .small_problem import Call, N, Problem, recognize
from .snapshot import StateSnapshot

PARAMS = ("params",)  # beside the bindings of a call


def needs_equal_sizes(call: tuple[Any, ...], error: Exception) -> Finding:
    """An error about shapes may be a mistake that shows only where sizes differ."""
    square, _ = recognize(*call, classes=N)
    if square is None or recognize(*call)[0] is not None:
        raise error
    return shape_error(error, " (here it raises: {text})")


def shape_error(error: Exception, seen: str = ", as here") -> Finding:
    """Name the mistake behind an error that NumPy raises where sizes differ."""
    text = str(error).split("\n")[0]
    if any(word in text for word in ("matmul", "aligned", "core dimension", "einsum")):
        code = Code.TRANSPOSE
        cure = (
            "a product lacks a transpose: write the shapes of the factors side by side, the inner "
            "ones must meet"
        )
    else:
        code = Code.BROADCAST_SHAPE
        cure = (
            "a row stands where a column is needed: keep the axis with keepdims=True or "
            "[:, np.newaxis]"
        )
    message = (
        "The function runs only where the number of examples, features or classes is the same"
        f"{seen.format(text=text)}; on other data NumPy refuses. Most likely {cure}."
    )
    return Finding(code, message, evidence={"error": text})


def blame_numbers(call: tuple[Any, ...], snapshot: StateSnapshot, first: Evaluation) -> None:
    """Refuse NaN, infinity and huge numbers in what the loss reads, where it is finite without."""
    for name, values in _to_blame(call, snapshot, first):
        numbers = values[_is_extreme(values)]
        worst = numbers[np.argmax(np.where(np.isfinite(numbers), np.abs(numbers), np.inf))]
        raise NotFiniteError(
            f"no slope can be measured because {name} holds {worst:.4g}: check with finite numbers "
            "of ordinary size"
        )


def _to_blame(
    call: tuple[Any, ...], snapshot: StateSnapshot, first: Evaluation
) -> Iterator[tuple[str, Floats]]:
    """What holds extreme numbers, where loss and gradient are finite with others in their place."""
    loss, params, args, kwargs = call
    bound = Call(loss, args, kwargs)
    held = {PARAMS: first.x, **{b: _numbers(v) for b, v in bound.bindings.items()}}
    extreme = [binding for binding, values in held.items() if _is_extreme(values).any()]
    for changed in [*([binding] for binding in extreme), *([extreme] if extreme else [])]:
        tame = {binding: _tamed(held[binding]) for binding in changed}
        x = tame.pop(PARAMS, first.x)
        if _is_finite(bound, params, tame, x):
            name = "params" if PARAMS in changed else bound.name(changed[0]) or "an argument"
            yield name, held[changed[0]]
    outside = [array for array, _ in snapshot.arrays if _is_extreme(_numbers(array)).any()]
    for array in outside:
        array[...] = _tamed(array)
    finite = outside and _is_finite(bound, params, {}, first.x)
    snapshot.restore_arrays()
    if finite:
        yield "an array that it reads from outside", outside[0]


def _numbers(value: Any) -> Floats:
    """What a loss may compute with, as an array; empty where that is no numbers."""
    if isinstance(value, int | float | np.number | np.ndarray | list | tuple):
        with suppress(Exception):
            return as_floats("", value, integers_become=None)
    return np.zeros(0)


def _is_extreme(values: Floats) -> NDArray[np.bool_]:
    return ~(np.abs(values) <= HUGE)


def _tamed(values: Floats) -> Floats:
    return np.where(_is_extreme(values), 1, values).astype(values.dtype)


def _is_finite(bound: Call, params: Any, new: dict[Any, Any], x: Any) -> bool:
    """Whether loss and gradient are finite with other values in the call."""
    like = {
        k: v if isinstance(bound.bindings[k], np.ndarray) else v.tolist() for k, v in new.items()
    }
    with suppress(Exception):  # a loss need not run on them
        loss, args, kwargs = bound.rebind(like)
        return LossFunction(loss, params, args, kwargs)(x).finite
    return False


def not_finite(function: LossFunction, first: Evaluation) -> Finding:
    """Tell an overflow, which smaller parameters avoid, from a loss that is never finite."""
    if np.isfinite(first.value) and np.isfinite(first.gradient).all():
        check_moderate("the loss", np.asarray(first.value))
        check_moderate("the gradient", first.gradient)
    smaller = function(first.x * 1e-3)
    what, value = "loss", first.value
    if np.isfinite(value):
        what, value = "gradient", np.nan
    code = Code.OVERFLOW if smaller.finite else Code.NAN_LOSS
    if what == "gradient" and function.gradient_bytes < 4:
        message = "The gradient is float16, which ends at 65,504: compute in float64."
        return Finding(Code.OVERFLOW, message)
    if code == Code.NAN_LOSS:
        message = (
            f"The {what} is not finite ({value:g}) although every parameter is harmless: a "
            "logarithm or a division meets a number that is 0 or negative. Check that nothing is "
            "subtracted from the probabilities before the loss is taken (work on a copy)."
        )
    else:
        message = (
            f"The {what} is {value:g} here but {smaller.value:.4g} with the parameters divided by "
            "1,000: exp overflows, or log meets 0. Subtract each row's maximum before exp, and "
            "take the log of the sum, not of the quotient."
        )
    return Finding(code, message, evidence={"loss": first.value})


def is_starter(function: LossFunction, *seen: Evaluation) -> bool:
    """Tell whether loss and gradient are 0 here, and at parameters where no true loss is, too."""

    def is_zero(at: Evaluation) -> bool:
        return not (at.value or at.gradient.any())

    if not all(map(is_zero, seen)):
        return False
    with suppress(Exception):  # it need not run there
        return all(is_zero(function(x)) for x in (0 * seen[0].x, 1 - seen[-1].x))
    return False


def notice_changed_data(function: LossFunction, snapshot: StateSnapshot) -> None:
    """Data that the function reads from its closure or globals, and has changed."""
    for array, before in snapshot.changed_arrays():
        if not array.flags.writeable:
            continue
        after = array.copy()
        array[...] = before
        if array.size == 0 or array.dtype.kind not in "fiu":
            continue
        reference = function(function.x)
        array[...] = before
        if function(function.x).value != reference.value:
            return  # random: said later
        array[...] = before + 1 if array.dtype.kind in "iu" else before + 0.1 * (1 + abs(before))
        try:
            other = function(function.x)
        except Exception:  # it need not run with other numbers there
            other = reference
        array[...] = before
        if other.value != reference.value:  # it is read, so it is data and no work space
            function.add_mutation("an array it reads from outside", before, after)


def nondeterministic(function: LossFunction, first: Evaluation) -> Finding | None:
    """Call the function again where it was called first, and compare."""
    again = function(first.x)
    tolerance = 1e-6 if function.gradient_bytes < 8 else 1e-12
    largest = float(np.abs(first.gradient).max(initial=0.0))
    same = np.isclose(again.value, first.value, rtol=tolerance, atol=0) and np.allclose(
        again.gradient, first.gradient, rtol=tolerance, atol=tolerance * largest
    )
    if same:
        return None
    what, (a, b) = "loss", (first.value, again.value)
    if a == b:
        what = "norm of the gradient"
        a, b = (float(np.linalg.norm(e.gradient)) for e in (first, again))
    message = (
        f"Two calls with the same arguments differ ({what} {a:.6g}, then {b:.6g}): the function "
        "draws random numbers (a minibatch, dropout, noise) or keeps something from the call "
        "before. Draw outside and pass it in, and start every sum at 0."
    )
    evidence = {"first": a, "again": b, "what": what}
    return Finding(Code.NONDETERMINISTIC, message, evidence=evidence)


# ---- what a check cannot see ----


def cautions(detector: Detector, found: Detection, problem: Problem | None) -> list[Finding]:
    """What limits this check, and what it could not see."""
    function = detector.function
    kinds = sorted({str(dtype) for dtype in function.blocks.dtypes.values()})
    float32 = f"The parameters are {', '.join(kinds)}; they were raised to float64 for this check."
    raised = float32
    rounded = detector.float32 or function.gradient_bytes < 8
    if rounded:
        limit = "0.2%" if detector.coarse else "one in a million"
        kind = "float16" if function.gradient_bytes < 4 else "float32"
        float32 = (
            f"The function computes in {kind}, so errors below {limit} drown in rounding. Check "
            "in float64, train in float32."
        )
    equal_sizes = problem.equal_sizes if problem else []
    reg, strength = "reg", 1.0
    if problem and problem.reg:
        reg = problem.call.name(problem.reg) or reg
        strength = float(problem.call.bindings[problem.reg])
    table = [
        (found.outcome == Outcome.KINK, Code.KINK,
         "These parameters lie exactly on a kink (a margin or a ReLU at 0), where no gradient "
         "exists and any slope between the two sides is right. Close by the gradient is correct. "
         "Random parameters avoid this."),
        (rounded or {"float16", "float32"} & {*kinds}, Code.FLOAT32, float32),
        (any("int" in kind for kind in kinds), Code.INTEGER_PARAMS, raised),
        (not np.any(function.x), Code.ZERO_WEIGHTS,
         "All parameters are 0: every margin is active and every class equally likely, so masks "
         "and penalties cannot be told apart there. The check went to a random second point too."),
        (bool(equal_sizes), Code.EQUAL_SIZES,
         f"Your data have {' and '.join(equal_sizes)}: a missing transpose or axis goes unnoticed "
         "there. Check with different sizes."),
        (abs(strength) < 1e-4, Code.SMALL_PENALTY,
         f"{reg} = {strength:g} hides mistakes in the penalty from this data: pass {reg}=0.1 when "
         "you check (here it was tried on small data)."),
    ]  # fmt: skip
    return [Finding(code, message, caution=True) for is_seen, code, message in table if is_seen]
