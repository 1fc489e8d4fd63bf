"""Calling somebody else's loss function safely, and looking at what it does.

A `LossFunction` turns ``loss(params, *args, **kwargs) -> (value, gradient)`` into a function of one
vector. Each call gets copies, is counted, and is watched: arguments that come back changed and a
gradient of the wrong form are kept as findings.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..validation import Floats, as_array, as_floats, check_finite
from .codes import Code
from .report import Finding, capitalized, not_written
from .snapshot import arrays_in, copied, first_change, same

Vector = NDArray[np.float64]
Loss = Callable[..., Any]

HUGE = 1e6  # of parameters and data: larger ones may overflow in a right loss
MOST = float(np.finfo(np.float64).max)
LARGEST = 1e100  # of parameters, loss and gradient: products of three are still floats


class UnusableGradientError(Exception):
    """The gradient cannot be compared with the parameters; `findings` say why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


def check_moderate(what: str, array: Floats) -> None:
    """Refuse NaN, infinity, and numbers of which nothing can be computed."""
    check_finite(what, array)
    largest = np.abs(array).max(initial=0)
    if largest > np.float64(LARGEST):  # a Python float would be cast to float16
        seen = np.format_float_scientific(largest, precision=2)
        raise ValueError(
            f"{what} reaches {seen}, but beyond {LARGEST:g} no slope can be measured: "
            "scale the parameters or the data down"
        )


class Blocks:
    """The parameters, one array or a dict of arrays, as one vector and back."""

    def __init__(self, params: Any) -> None:
        self.is_dict = isinstance(params, Mapping)
        if isinstance(params, list | tuple) and any(isinstance(p, np.ndarray) for p in params):
            raise TypeError(
                f"params is a {type(params).__name__} of arrays, but it must be one array, or a "
                "dict of arrays: pass {'W1': W1, 'b1': b1, ...}"
            )
        arrays = {}
        for name, values in self.named(params).items():
            what = f"params[{name!r}]" if self.is_dict else "params"
            if isinstance(values, np.matrix):
                raise TypeError(
                    f"{what} is a np.matrix, whose * and ** are matrix products, but the loss is "
                    f"called with arrays: pass np.asarray({what})"
                )
            arrays[name] = as_array(what, values)
            check_moderate(what, as_floats(what, arrays[name]))
        self.dtypes = {name: array.dtype for name, array in arrays.items()}
        self.shapes = {name: array.shape for name, array in arrays.items()}
        self.orders = {name: "F" if array.flags.fnc else "C" for name, array in arrays.items()}
        self.slices: dict[str, slice] = {}
        self.size = 0
        for name, array in arrays.items():
            self.slices[name] = slice(self.size, self.size + array.size)
            self.size += array.size
        if self.size == 0:
            raise ValueError(
                f"params is empty (shapes {list(self.shapes.values())}): pass parameters that hold "
                "numbers"
            )
        self.start = self.join(arrays)

    def named(self, params: Any) -> Any:
        """Parameters of the caller's form by name."""
        return params if self.is_dict else {"params": params}

    def join(self, arrays: Mapping[str, Any]) -> Vector:
        """Arrays by name as one float64 vector."""
        return np.concatenate([np.ravel(arrays[k]) for k in self.slices]).astype(
            np.float64, copy=False
        )

    def split(self, vector: Vector) -> dict[str, Vector]:
        """Views of `vector`, in the shapes of the parameters."""
        return {k: vector[s].reshape(self.shapes[k]) for k, s in self.slices.items()}

    def build(self, vector: Vector) -> Any:
        """Fresh float64 parameters of the caller's form."""
        arrays = {
            k: np.array(v, order=self.orders[k])  # type: ignore[call-overload]
            for k, v in self.split(vector).items()
        }
        return arrays if self.is_dict else arrays["params"]

    def label(self, name: str) -> str | None:
        """The key of a parameter, None for a single array."""
        return str(name) if self.is_dict else None


@dataclass(frozen=True)
class Evaluation:
    """Value and gradient of the loss at x."""

    x: Vector
    value: float
    gradient: Vector

    @property
    def finite(self) -> bool:
        """Finite, and not so large that no slope can be measured."""
        return bool(abs(self.value) <= LARGEST and (np.abs(self.gradient) <= LARGEST).all())


class LossFunction:
    """The loss as a function of one vector, called on copies, counted and watched."""

    def __init__(self, loss: Loss, params: Any, args: tuple[Any, ...], kwargs: dict[str, Any]):
        if not callable(loss):
            raise TypeError(
                f"loss is {type(loss).__name__}, but it must be a function "
                "(params, *args) -> (value, gradient): pass the function, not what it returned"
            )
        self.loss, self.params = loss, params
        self.blocks = Blocks(params)
        self.given = (args, kwargs)
        for path, array in arrays_in(self.given):
            if isinstance(array, np.ma.MaskedArray):  # refused by its name
                as_array(f"the argument {self._name(path)}", array)
        self.passed = copied(self.given, _as_float64)
        self.findings: dict[str, Finding] = {}
        self.evaluations = 0
        self.raised: Exception | None = None  # by the loss, last
        self.gradient_bytes = 8  # of a number, at least
        self.x = self.blocks.start

    def __call__(self, x: Vector) -> Evaluation:
        params = self.blocks.build(x)
        if self.mutates:
            self.passed = copied(self.given, _as_float64)
        args, kwargs = self.passed
        self.evaluations += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.loss(params, *args, **kwargs)
        except NotImplementedError as error:
            raise UnusableGradientError([not_written("it raises NotImplementedError")]) from error
        except Exception as error:
            self.raised = error
            forms = ", ".join(f"{k} {s}" for k, s in self.blocks.shapes.items())
            error.add_note(
                f"raised inside the loss, in evaluation {self.evaluations} of check_gradient, "
                f"called with float64 copies of your parameters ({forms})"
            )
            raise
        self._notice_changed_parameters(params, x)
        value, gradient = _pair(self.loss, returned)
        return Evaluation(x, value, self._joined(gradient))

    def again(self, call: tuple[Any, ...]) -> LossFunction:
        """The same loss, called in another way, with what was noticed and counted so far."""
        other = LossFunction(*call)
        other.findings, other.evaluations = self.findings, self.evaluations
        return other

    def notice_lost_gradient(self, at: Evaluation) -> None:
        """The loss has a value where the gradient has none."""
        if abs(at.value) < HUGE and not at.finite and np.abs(at.x).max() < HUGE:
            message = (
                "At other, random parameters the loss is finite and the gradient is not: "
                "something is divided by 0 there, or exp overflows."
            )
            self.findings.setdefault("lost gradient", Finding(Code.NAN_LOSS, message))

    # ---- changed in place ----

    @property
    def mutates(self) -> bool:
        return any(f.code == Code.MUTATES_INPUT for f in self.findings.values())

    def notice_changed_arguments(self) -> None:
        """Compare every argument with what the caller passed."""
        after = dict(arrays_in(self.passed))
        for path, array in arrays_in(self.given):
            if path in after and same(array, after[path]):
                continue
            self.add_mutation(f"its argument {self._name(path)}", array, after.get(path))

    def _name(self, path: tuple[Any, ...]) -> str:
        """What the loss calls the argument that a path leads to."""
        if path[0] == 1:
            return str(path[1])
        try:
            return str(list(inspect.signature(self.loss).parameters)[path[1] + 1])
        except (TypeError, ValueError, IndexError):
            return f"number {path[1] + 2}"

    def _notice_changed_parameters(self, params: Any, x: Vector) -> None:
        after = self.blocks.named(params)
        for name, before in self.blocks.split(x).items():
            now = after.get(name)
            is_array = isinstance(now, np.ndarray | np.generic | float)
            if not is_array or not same(before, np.asarray(now)):
                what = f"params[{name!r}]" if self.blocks.is_dict else "its first argument"
                self.add_mutation(what, before, now, self.blocks.label(name))

    def add_mutation(
        self, what: str, before: Any, after: Any, parameter: str | None = None
    ) -> None:
        seen = "it was replaced"
        if isinstance(after, np.ndarray) and after.shape == np.shape(before):
            seen = first_change(before, after) or seen
        message = (
            f"The call changes {what} in place ({seen}), so the next call sees other data. "
            "Work on a copy: write `A = A - b` instead of `A -= b`, or A = A.copy() first."
        )
        finding = Finding(Code.MUTATES_INPUT, message, parameter, evidence={"argument": what})
        self.findings.setdefault(f"mutates {what}", finding)

    # ---- the form of the gradient ----

    def _joined(self, gradient: Any) -> Vector:
        """The gradient as one vector; note what is wrong with its form."""
        if self.blocks.is_dict and not isinstance(gradient, Mapping):
            raise TypeError(
                f"the gradient is {type(gradient).__name__} and params is a dict, but they "
                "must have the same form: return a dict with a gradient for each key"
            )
        given = self.blocks.named(gradient)
        self._check_keys(given)
        arrays = {name: self._as_numbers(name, given[name]) for name in self.blocks.slices}
        self._check_shapes(arrays)
        return self.blocks.join(arrays)

    def _check_keys(self, arrays: Mapping[str, Any]) -> None:
        missing = [k for k in self.blocks.slices if k not in arrays]
        extra = sorted(set(map(str, arrays)) - set(map(str, self.blocks.slices)))
        seen = f" (it has {', '.join(extra)} instead)" if extra else ""
        found = [
            Finding(
                Code.MISSING_KEY,
                f"The gradient has no entry for {k!r}{seen}. "
                f"Add grads[{k!r}], of shape {self.blocks.shapes[k]}.",
                self.blocks.label(k),
                evidence={"keys": sorted(map(str, arrays))},
            )
            for k in missing
        ]
        if found:
            raise UnusableGradientError(found)

    def _as_numbers(self, name: str, values: Any) -> NDArray[Any]:
        """The gradient of one parameter as an array; note a mask, and numbers of few digits."""
        what, label = self._gradient_of(name), self.blocks.label(name)
        if is_nothing(values):
            seen = f"{capitalized(what)} is {values}: compute it, or assign what was computed."
            raise UnusableGradientError([Finding(Code.MISSING_KEY, seen, label)])
        if isinstance(values, np.ma.MaskedArray):
            message = (
                f"{capitalized(what)} is a masked array, and NumPy goes on with what lies under "
                "the mask. Compute with plain arrays, or put numbers there with filled()."
            )
            finding = Finding(Code.MASKED_GRADIENT, message, label)
            if np.ma.is_masked(values):
                raise UnusableGradientError([finding])
            self.findings.setdefault(f"mask {name}", finding.as_caution())
            values = values.data
        array = as_array(what, values)
        if array.dtype.kind not in "fiu":
            kind = f"has dtype {array.dtype}" if array.ndim else f"is {type(values).__name__}"
            remedy = "return an array of floats"
            if isinstance(values, Mapping):
                remedy = "params must be a dict with the same keys"
            raise TypeError(f"{what} {kind}, but it must hold real numbers: {remedy}")
        if array.dtype.kind == "f":
            self.gradient_bytes = min(self.gradient_bytes, array.dtype.itemsize)
        elif array.size:
            message = (
                f"{capitalized(what)} has dtype {array.dtype}, so everything after the "
                "decimal point is cut off. Allocate it with np.zeros(W.shape) or "
                "np.zeros_like(W, dtype=float)."
            )
            evidence = {"dtype": str(array.dtype)}
            finding = Finding(Code.INT_TRUNCATION, message, label, evidence=evidence, caution=True)
            self.findings.setdefault(f"integers {name}", finding)
        return array

    def blame_integers(self) -> None:
        """Whole numbers may be right; where the slopes differ they are the mistake."""
        for key, finding in self.findings.items():
            if finding.code == Code.INT_TRUNCATION:
                self.findings[key] = replace(finding, caution=False)

    def _check_shapes(self, arrays: dict[str, Any]) -> None:
        """Accept leading axes of length 1; any other shape is a finding."""
        shapes, wrong = self.blocks.shapes, []
        for name, shape in shapes.items():
            got = arrays[name].shape
            if got == shape:
                continue
            swapped = [
                k for k, other in shapes.items() if arrays[k].shape == shape and other == got
            ]
            code, cure = _shape_error(got, shape, swapped)
            what = capitalized(self._gradient_of(name))
            seen = f"{what} has shape {got} and the parameter has {shape}"
            evidence = {"got": got, "expected": shape}
            finding = Finding(code, seen + cure, self.blocks.label(name), evidence=evidence)
            if code == Code.SHAPE_2D and got[len(got) - len(shape) :] == shape:
                self.findings.setdefault(f"shape {name}", finding.as_caution())
            else:
                wrong.append(finding)
        if wrong:
            raise UnusableGradientError(wrong)

    def _gradient_of(self, name: str) -> str:
        return f"the gradient of {name}" if self.blocks.is_dict else "the gradient"


def _shape_error(
    got: tuple[int, ...], shape: tuple[int, ...], swapped: list[str]
) -> tuple[Code, str]:
    """Name a wrong shape, and say what to do: the first line that holds."""
    without_ones = [tuple(n for n in s if n != 1) for s in (got, shape)]
    more_axes = len(got) > len(shape) or (len(got) == len(shape) and 1 in shape and 1 not in got)
    same_size = len(shape) > 2 and math.prod(got) == math.prod(shape)  # a batch that was flattened
    table = [
        (bool(swapped), Code.SWAPPED_KEYS, f", which is the shape of {(swapped or [''])[0]}: "
         "exchange the two gradients."),
        (without_ones[0] == without_ones[1] or (same_size and got[0] == shape[0]), Code.SHAPE_2D,
         f": return it as {shape}, with .reshape(params.shape)."),
        (got == shape[::-1], Code.TRANSPOSE, ": it is transposed; exchange the factors of the "
         "product, (A.T @ B).T = B.T @ A."),
        (len(shape) == 1 and len(got) > 1 and got[-1] == shape[0] and got[0] != shape[0],
         Code.BIAS_AXIS, ": sum over the examples, axis=0 (over all axes but the last)."),
        (np.prod(shape) > 1 and more_axes, Code.BROADCAST_SHAPE, ": a column met a row and NumPy "
         "made a table of them; give both the same shape first, with ravel() or reshape."),
        (len(shape) == 1 or (len(shape) == 2 and 1 in shape), Code.BIAS_AXIS,
         ": sum over the examples with axis=0, one number for each bias."),
        (True, Code.TRANSPOSE, ": the gradient must have the shape of the parameter; write "
         "the shapes of the factors side by side and transpose until they meet."),
    ]  # fmt: skip
    return next((code, cure) for holds, code, cure in table if holds)


def is_nothing(value: Any) -> bool:
    """None or an ellipsis, and what holds nothing else."""
    if isinstance(value, np.ndarray):
        value = value[()] if value.dtype == object and value.ndim == 0 else value
    elif isinstance(value, Mapping | tuple | list):
        return all(map(is_nothing, value.values() if isinstance(value, Mapping) else value))
    return value is None or value is ...


def _refuse_nothing(**returned: Any) -> None:
    """A starter that nobody has filled in, or only one half of it."""
    empty = {what for what, value in returned.items() if is_nothing(value)}
    zero = {what for what, v in returned.items() if type(v) in (int, float) and v == 0}
    if empty or len(zero) == len(returned):
        seen = (f"the {what} is {v}" for what, v in returned.items() if what in empty | zero)
        raise UnusableGradientError([not_written(" and ".join(seen))])


def _pair(loss: Loss, returned: Any) -> tuple[float, Any]:
    if is_nothing(returned) and not isinstance(returned, tuple | list):
        seen = "nothing is returned (or `return loss, dW` is missing at the end of the function)"
        raise UnusableGradientError([not_written(seen)])
    if isinstance(returned, np.ndarray) and returned.ndim == 2:
        raise TypeError(
            f"the loss returned an array of shape {returned.shape}, but it must return two things, "
            "(value, gradient): a net returns scores where it gets no labels, so pass X and y"
        )
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        many = f" of {len(returned)}" if isinstance(returned, tuple | list) else ""
        raise TypeError(
            f"the loss returned {type(returned).__name__}{many}, but it must return two things, "
            "(value, gradient): end the function with `return loss, dW`, or pass "
            "lambda *args: loss(*args)[:2]"
        )
    _refuse_nothing(loss=returned[0], gradient=returned[1])
    value = as_array("the loss", returned[0])
    is_number = isinstance(returned[1], int | float | np.generic | np.ndarray)
    if value.size != 1 and is_number and np.size(returned[1]) == 1:
        raise TypeError(
            f"the loss returned an array of shape {value.shape} first, but it must return "
            "(value, gradient) in this order: exchange the two"
        )
    if value.size > 1 and value.dtype.kind in "fiu":
        raise UnusableGradientError([_several_numbers(loss, value.shape, returned[1])])
    if value.size != 1 or value.dtype.kind not in "fiu" or value.dtype == np.float16:
        raise TypeError(
            f"the loss returned a value of shape {value.shape} and dtype {value.dtype}, but it "
            "must be one real number: sum or average over the examples, in float64"
        )
    if np.isfinite(value):
        value = np.clip(value, -MOST, MOST)  # a long double goes further
    return float(value.reshape(())[()]), returned[1]


def _several_numbers(loss: Loss, shape: tuple[int, ...], gradient: Any) -> Finding:
    """An array stands where the loss belongs."""
    what = "the scores of a net; compute the loss from them"
    if not isinstance(gradient, np.ndarray | Mapping):
        name = getattr(loss, "__name__", "forward")
        names = [name, name.replace("forward", "backward")]
        with suppress(TypeError, ValueError):
            names += inspect.signature(loss).parameters
        what = f"the output of a layer: check_layer({', '.join(names)})"
    elif len(shape) == 1 or 1 in shape:
        what = (
            "one loss for each example; return their mean, and the gradient of the mean (or the "
            "sum, in both)"
        )
    message = f"The loss has shape {shape}, but it must be one number. It looks like {what}."
    return Finding(Code.NOT_A_LOSS, message, evidence={"shape": shape})


def _as_float64(array: NDArray[Any]) -> NDArray[Any]:
    """A copy; floats of less precision are raised to float64."""
    if array.dtype.kind == "f":
        return array.astype(np.promote_types(array.dtype, np.float64), order="K", copy=True)
    return array.copy(order="K")
