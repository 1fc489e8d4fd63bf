"""Calling somebody else's loss function safely, and looking at what it does.

A `LossFunction` turns ``loss(params, *args, **kwargs) -> (value, gradient)`` into a function of one
vector. Each call gets copies, is counted, and is watched: arguments that come back changed and a
gradient of the wrong form are kept as findings.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..validation import check_finite
from .codes import Code
from .report import Finding
from .snapshot import arrays_in, copied, first_change, same

Vector = NDArray[np.float64]
Loss = Callable[..., Any]


class UnusableGradientError(Exception):
    """The gradient cannot be compared with the parameters; `findings` say why."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(findings[0].message)
        self.findings = findings


class Blocks:
    """The parameters, one array or a dict of arrays, as one vector and back."""

    def __init__(self, params: Any) -> None:
        self.is_dict = isinstance(params, Mapping)
        if isinstance(params, list | tuple) and any(isinstance(p, np.ndarray) for p in params):
            raise TypeError(
                f"params is a {type(params).__name__} of arrays, but it must be one array, or a "
                "dict of arrays: pass {'W1': W1, 'b1': b1, ...}"
            )
        arrays = {k: np.asarray(v) for k, v in self.named(params).items()}
        for name, array in arrays.items():
            what = f"params[{name!r}]" if self.is_dict else "params"
            if array.dtype.kind not in "fiu":
                raise TypeError(
                    f"{what} has dtype {array.dtype}, but it must hold real numbers: "
                    "pass an array of floats, or a dict of such arrays"
                )
            check_finite(what, array.astype(np.float64))
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
        return np.concatenate([np.ravel(arrays[k]).astype(np.float64) for k in self.slices])

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
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient.sum()))


class LossFunction:
    """The loss as a function of one vector, called on copies, counted and watched."""

    def __init__(self, loss: Loss, params: Any, args: tuple[Any, ...], kwargs: dict[str, Any]):
        if not callable(loss):
            raise TypeError(
                f"loss is {type(loss).__name__}, but it must be a function "
                "(params, *args) -> (value, gradient): pass the function, not what it returned"
            )
        self.loss = loss
        self.blocks = Blocks(params)
        self.given = (args, kwargs)
        self.passed = copied(self.given, _as_float64)
        self.findings: dict[str, Finding] = {}
        self.evaluations = 0
        self.gradient_is_float32 = False
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
        except Exception as error:
            forms = ", ".join(f"{k} {s}" for k, s in self.blocks.shapes.items())
            error.add_note(
                f"raised inside the loss, in evaluation {self.evaluations} of check_gradient, "
                f"called with float64 copies of your parameters ({forms})"
            )
            raise
        self._notice_changed_parameters(params, x)
        value, gradient = _pair(returned)
        return Evaluation(x, value, self._joined(gradient))

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
            if name not in after or not same(before, np.asarray(after[name])):
                what = f"params[{name!r}]" if self.blocks.is_dict else "its first argument"
                self.add_mutation(what, before, after.get(name), self.blocks.label(name))

    def add_mutation(
        self, what: str, before: Any, after: Any, parameter: str | None = None
    ) -> None:
        seen = "it was removed"
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
        arrays = {k: np.asarray(v) for k, v in self.blocks.named(gradient).items()}
        self._check_keys(arrays)
        for name in self.blocks.slices:
            self._check_dtype(name, arrays[name])
        self._check_shapes(arrays)
        return self.blocks.join(arrays)

    def _check_keys(self, arrays: dict[str, Any]) -> None:
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

    def _check_dtype(self, name: str, array: Any) -> None:
        if array.dtype.kind in "iu" and array.size:
            message = (
                f"{self._gradient_of(name)} has dtype {array.dtype}, so everything after the "
                "decimal point is cut off. Allocate it with np.zeros(W.shape) or "
                "np.zeros_like(W, dtype=float)."
            )
            label, evidence = self.blocks.label(name), {"dtype": str(array.dtype)}
            finding = Finding(Code.INT_TRUNCATION, message, label, evidence=evidence)
            self.findings.setdefault(f"integers {name}", finding)
        elif array.dtype.kind not in "fiu":
            remedy = "convert it with .astype(float)"
            if array.dtype == object and isinstance(array.item() if array.size == 1 else 0, dict):
                remedy = "it is a dict, so params must be a dict with the same keys"
            raise TypeError(
                f"the gradient has dtype {array.dtype}, but it must hold real numbers: {remedy}"
            )
        elif array.dtype.itemsize < 8:
            self.gradient_is_float32 = True

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
            seen = f"{self._gradient_of(name)} has shape {got} and the parameter has {shape}"
            evidence = {"got": got, "expected": shape}
            finding = Finding(code, seen + cure, self.blocks.label(name), evidence=evidence)
            if code == Code.SHAPE_2D and got[len(got) - len(shape) :] == shape:
                self.findings.setdefault(f"shape {name}", finding.as_caution())
            else:
                wrong.append(finding)
        if wrong:
            raise UnusableGradientError(wrong)

    def _gradient_of(self, name: str) -> str:
        return f"The gradient of {name}" if self.blocks.is_dict else "The gradient"


def _shape_error(
    got: tuple[int, ...], shape: tuple[int, ...], swapped: list[str]
) -> tuple[Code, str]:
    """Name a wrong shape, and say what to do: the first line that holds."""
    without_ones = [tuple(n for n in s if n != 1) for s in (got, shape)]
    more_axes = len(got) > len(shape) or (len(got) == len(shape) and 1 in shape and 1 not in got)
    table = [
        (bool(swapped), Code.SWAPPED_KEYS, f", which is the shape of {(swapped or [''])[0]}: the "
         "two gradients are stored under each other's name."),
        (without_ones[0] == without_ones[1], Code.SHAPE_2D,
         f": return it as {shape}, with .reshape(params.shape)."),
        (got == shape[::-1], Code.TRANSPOSE, ": it is transposed; exchange the factors of the "
         "product, (A.T @ B).T = B.T @ A."),
        (np.prod(shape) > 1 and more_axes, Code.BROADCAST_SHAPE, ": a column met a row and NumPy "
         "made a table of them; give both the same shape first, with ravel() or reshape."),
        (len(shape) == 1 or (len(shape) == 2 and 1 in shape), Code.BIAS_AXIS,
         ": sum over the examples with axis=0, one number for each bias."),
        (True, Code.TRANSPOSE, ": the gradient must have the shape of the parameter; write "
         "the shapes of the factors side by side and transpose until they meet."),
    ]  # fmt: skip
    return next((code, cure) for holds, code, cure in table if holds)


def _pair(returned: Any) -> tuple[float, Any]:
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        many = f" of {len(returned)}" if isinstance(returned, tuple | list) else ""
        raise TypeError(
            f"the loss returned {type(returned).__name__}{many}, but it must return two things, "
            "(value, gradient): end the function with `return loss, dW`, or pass "
            "lambda *args: loss(*args)[:2]"
        )
    value = np.asarray(returned[0])
    if value.size != 1 and np.size(returned[1]) == 1 and not isinstance(returned[1], Mapping):
        raise TypeError(
            f"the loss returned an array of shape {value.shape} first, but it must return "
            "(value, gradient) in this order: exchange the two"
        )
    if value.size != 1 or value.dtype.kind not in "fiu":
        raise TypeError(
            f"the loss returned a value of shape {value.shape} and dtype {value.dtype}, but it "
            "must be one real number: sum or average over the examples first"
        )
    return float(value.reshape(())[()]), returned[1]


def _as_float64(array: NDArray[Any]) -> NDArray[Any]:
    """A copy; floats of less precision are raised to float64."""
    if array.dtype.kind == "f":
        return array.astype(np.promote_types(array.dtype, np.float64), order="K", copy=True)
    return array.copy(order="K")
