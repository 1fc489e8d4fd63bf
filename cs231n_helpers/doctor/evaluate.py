"""Calling somebody else's loss function safely, and looking at what it does.

A `Probe` turns ``loss(params, *args, **kwargs) -> (value, gradient)`` into a function of one
vector. Each call gets copies, is counted, and is watched: arguments that come back changed and a
gradient of the wrong form are kept as findings. `Restored` gives back all else that the function
can reach (its closure, its globals, the random generators) as it was.
"""

from __future__ import annotations

import copy
import dis
import functools
import inspect
import random
import types
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..validation import check_finite
from .codes import Code
from .report import Finding

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
        arrays = {k: np.asarray(v) for k, v in params.items()} if self.is_dict else {}
        if not self.is_dict:
            arrays = {"params": np.asarray(params)}
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
        self.orders = {
            name: "F" if a.flags.f_contiguous and not a.flags.c_contiguous else "C"
            for name, a in arrays.items()
        }
        self.slices: dict[str, slice] = {}
        self.size = 0
        for name, array in arrays.items():
            self.slices[name] = slice(self.size, self.size + array.size)
            self.size += array.size
        if self.size == 0:
            raise ValueError(
                f"params holds no number (shapes {list(self.shapes.values())}), but a gradient "
                "needs something to be taken by: pass the filled parameters"
            )
        self.start = self.join(arrays)

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
    """Value and gradient of the loss at x; `slope` is the derivative along a direction."""

    x: Vector
    value: float
    gradient: Vector

    def slope(self, direction: Vector) -> float:
        """The slope along a direction, as the gradient promises it."""
        return float(self.gradient @ direction)

    @property
    def finite(self) -> bool:
        """Neither value nor gradient holds NaN or infinity."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient.sum()))


class Probe:
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
        self.args, self.kwargs = (_copied(given) for given in self.given)
        self.findings: dict[str, Finding] = {}
        self.evaluations = 0
        self.gradient_is_float32 = False
        self.x = self.blocks.start

    def __call__(self, x: Vector) -> Evaluation:
        """Evaluate at x."""
        params = self.blocks.build(x)
        if self.mutates:
            self.args, self.kwargs = (_copied(given) for given in self.given)
        self.evaluations += 1
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                returned = self.loss(params, *self.args, **self.kwargs)
        except Exception as error:
            forms = ", ".join(f"{k} {s}" for k, s in self.blocks.shapes.items())
            error.add_note(
                f"raised inside the loss, in evaluation {self.evaluations} of check_gradient, "
                f"called with float64 copies of your parameters ({forms})"
            )
            raise
        self._notice_changed_parameters(params, x)
        value, gradient = _pair(returned)
        return Evaluation(x, value, self._conform(gradient))

    def notice_changed_arguments(self) -> None:
        """Compare every argument with what the caller passed."""
        before, after = dict(_arrays(self.given)), dict(_arrays((self.args, self.kwargs)))
        for path, array in before.items():
            if path in after and _same(array, after[path]):
                continue
            self._mutated(f"its argument {self._name(path)}", array, after.get(path))

    def _name(self, path: tuple[Any, ...]) -> str:
        """What the loss calls the argument that a path leads to."""
        if path[0] == 1:
            return str(path[1])
        try:
            return str(list(inspect.signature(self.loss).parameters)[path[1] + 1])
        except (TypeError, ValueError, IndexError):
            return f"number {path[1] + 2}"

    @property
    def mutates(self) -> bool:
        """A call has changed an argument."""
        return any(f.code == Code.MUTATES_INPUT for f in self.findings.values())

    def _notice_changed_parameters(self, params: Any, x: Vector) -> None:
        after = params if self.blocks.is_dict else {"params": params}
        for name, before in self.blocks.split(x).items():
            if name not in after or not _same(before, np.asarray(after[name])):
                what = f"params[{name!r}]" if self.blocks.is_dict else "its first argument"
                self._mutated(what, before, after.get(name), self.blocks.label(name))

    def _mutated(self, what: str, before: Any, after: Any, parameter: str | None = None) -> None:
        seen = "it was removed"
        if isinstance(after, np.ndarray) and after.shape == np.shape(before):
            places = np.argwhere(~((after == before) | ((after != after) & (before != before))))
            if len(places):
                i = tuple(int(k) for k in places[0])
                seen = f"entry {i} went from {before[i]:.4g} to {after[i]:.4g}"
        self.findings.setdefault(
            f"mutates {what}",
            Finding(
                Code.MUTATES_INPUT,
                f"The call changes {what} in place ({seen}), so the next call sees other data. "
                "Work on a copy: write `A = A - b` instead of `A -= b`, or A = A.copy() first.",
                parameter=parameter,
                evidence={"argument": what},
            ),
        )

    def _conform(self, gradient: Any) -> Vector:
        """The gradient as one vector; note what is wrong with its form."""
        blocks = self.blocks
        if blocks.is_dict:
            if not isinstance(gradient, Mapping):
                raise TypeError(
                    f"the gradient is {type(gradient).__name__} and params is a dict, but they "
                    "must have the same form: return a dict with a gradient for each key"
                )
            arrays = {k: np.asarray(v) for k, v in gradient.items()}
        else:
            arrays = {"params": np.asarray(gradient)}
        self._check_keys(arrays)
        self._check_dtypes(arrays)
        self._check_shapes(arrays)
        return blocks.join(arrays)

    def _check_keys(self, arrays: dict[str, Any]) -> None:
        missing = [k for k in self.blocks.slices if k not in arrays]
        if missing:
            extra = sorted(set(map(str, arrays)) - set(map(str, self.blocks.slices)))
            seen = f" (it has {', '.join(extra)} instead)" if extra else ""
            raise UnusableGradientError(
                [
                    Finding(
                        Code.MISSING_KEY,
                        f"The gradient has no entry for {k!r}{seen}. "
                        f"Add grads[{k!r}], of shape {self.blocks.shapes[k]}.",
                        parameter=self.blocks.label(k),
                        evidence={"keys": sorted(map(str, arrays))},
                    )
                    for k in missing
                ]
            )

    def _check_dtypes(self, arrays: dict[str, Any]) -> None:
        for name in self.blocks.slices:
            array, label = arrays[name], self.blocks.label(name)
            if array.dtype.kind in "iu" and array.size:
                self.findings.setdefault(
                    f"integers {name}",
                    Finding(
                        Code.INT_TRUNCATION,
                        f"{_d(label)} has dtype {array.dtype}, so everything after the decimal "
                        "point is cut off. Allocate it with np.zeros(W.shape) or "
                        "np.zeros_like(W, dtype=float).",
                        parameter=label,
                        evidence={"dtype": str(array.dtype)},
                    ),
                )
            elif array.dtype.kind != "f" and array.dtype.kind not in "iu":
                remedy = "convert it with .astype(float)"
                if array.dtype == object and isinstance(
                    array.item() if array.size == 1 else 0, dict
                ):
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
            got, label = arrays[name].shape, self.blocks.label(name)
            if got == shape:
                continue
            says = f"{_d(label)} has shape {got} and the parameter has {shape}"
            others = [k for k in shapes if k != name and shapes[k] == got != shape]
            swapped = [k for k in others if arrays[k].shape == shape]
            squeezed = tuple(n for n in got if n != 1) == tuple(n for n in shape if n != 1)
            if swapped:
                code, cure = (
                    Code.SWAPPED_KEYS,
                    (
                        f", which is the shape of {swapped[0]}: the two gradients are stored under "
                        "each other's name"
                    ),
                )
            elif squeezed:
                code, cure = Code.SHAPE_2D, f": return it as {shape}, with .reshape(params.shape)"
            elif got == shape[::-1]:
                code, cure = (
                    Code.TRANSPOSE,
                    (
                        ": it is transposed; exchange the factors of the product, "
                        "(A.T @ B).T = B.T @ A"
                    ),
                )
            elif np.prod(shape) > 1 and (
                len(got) > len(shape) or (len(got) == len(shape) and 1 in shape and 1 not in got)
            ):
                code, cure = (
                    Code.BROADCAST_SHAPE,
                    (
                        ": a column met a row and NumPy made a table of them; give both the same "
                        "shape first, with ravel() or reshape"
                    ),
                )
            elif len(shape) == 1 or (len(shape) == 2 and 1 in shape):
                code, cure = (
                    Code.BIAS_AXIS,
                    (": sum over the examples with axis=0, one number for each bias"),
                )
            else:
                code, cure = (
                    Code.TRANSPOSE,
                    (
                        ": a gradient has the shape of what it is taken by; write the shapes of "
                        "the factors side by side and transpose until they meet"
                    ),
                )
            finding = Finding(
                code,
                says + cure + ".",
                parameter=label,
                evidence={"got": got, "expected": shape},
            )
            leading = squeezed and got[len(got) - len(shape) :] == shape
            if leading:
                finding = finding.as_caution()
                self.findings.setdefault(f"shape {name}", finding)
            else:
                wrong.append(finding)
        if wrong:
            raise UnusableGradientError(wrong)


def _d(label: str | None) -> str:
    return f"The gradient of {label}" if label else "The gradient"


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


def _copied(value: Any) -> Any:
    """A deep copy of the arrays in nested tuples, lists and dicts; floats become float64."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            return value.astype(np.promote_types(value.dtype, np.float64), order="K", copy=True)
        return value.copy(order="K")
    if isinstance(value, dict):
        twin = copy.copy(value)  # of the same type
        twin.update({k: _copied(v) for k, v in value.items()})
        return twin
    if type(value) in (list, tuple):
        return type(value)(_copied(v) for v in value)
    return value


def _arrays(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every array in nested tuples, lists and dicts, with the way to it."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _arrays(v, (*path, k))
    elif type(value) in (list, tuple):
        for k, v in enumerate(value):
            yield from _arrays(v, (*path, k))


def _same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "O":  # of what is in there nothing is known but whether it is the same
        return all(x is y for x, y in zip(a.flat, b.flat, strict=True))
    return bool(np.array_equal(a, b) or np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM"))


# ---- what a function can reach besides its arguments ----


@functools.lru_cache(maxsize=1000)
def names_in(code: types.CodeType) -> frozenset[str]:
    """The global names that a function's code, nested functions included, reads or sets."""
    names = {
        str(i.argval)
        for i in dis.get_instructions(code)
        if i.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_in(constant)
    return frozenset(names)


def surroundings(loss: Loss) -> dict[tuple[str, str], Any]:
    """What a function reads besides its arguments: ("closure" or "global", name) -> value."""
    loss = getattr(loss, "__func__", loss)
    if not isinstance(loss, types.FunctionType):
        return {}
    found: dict[tuple[str, str], Any] = {}
    for name, cell in zip(loss.__code__.co_freevars, loss.__closure__ or (), strict=True):
        try:
            found["closure", name] = cell.cell_contents
        except ValueError:  # a cell that is still empty
            continue
    for function in helpers_of(loss):
        for name in names_in(function.__code__):
            if name in loss.__globals__:
                found["global", name] = loss.__globals__[name]
    return found


def helpers_of(loss: types.FunctionType) -> list[types.FunctionType]:
    """The function itself and those of the same namespace that it calls by their global names."""
    found = [loss]
    for function in found:  # grows on the way
        for name in sorted(names_in(function.__code__)):
            value = loss.__globals__.get(name)
            if isinstance(value, types.FunctionType) and value not in found:
                found += [value] if value.__globals__ is loss.__globals__ else []
    return found


PLAIN = (int, float, complex, str, bytes, bool, type(None), np.generic, types.ModuleType, type)
MOST_OBJECTS = 10_000  # that are looked at; a loss reaches far fewer


class Restored:
    """What a function can reach, put back at the end: in arguments, closure, globals and objects.

    Arrays, lists, dicts and sets keep their identity and get their contents back; names in its
    closure and among its globals get their values back, and random generators their state. Arrays
    among the arguments are left out: they are passed as copies.
    """

    def __init__(self, loss: Loss, *arguments: Any) -> None:
        self.arrays: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._undo: list[Callable[[], None]] = []
        seen = {id(array): array for _, array in _arrays(arguments)}
        waiting: list[Any] = [loss, arguments]
        while waiting and len(seen) < MOST_OBJECTS:
            value = waiting.pop(0)
            if id(value) not in seen and not isinstance(value, PLAIN):
                seen[id(value)] = value
                with suppress(Exception):  # proxies that raise when they are looked at
                    waiting += [v for v in self._keep(value) if not isinstance(v, PLAIN)]

    def _keep(self, value: Any) -> Any:
        """Remember how to put one object back, and return what it holds."""
        undo = self._undo.append
        if isinstance(value, np.ndarray):
            if value.flags.writeable:
                self.arrays.append((value, value.copy(order="K")))
            return []
        if isinstance(value, np.random.RandomState):
            undo(partial(value.set_state, value.get_state()))
            return []
        if isinstance(value, random.Random):
            undo(partial(value.setstate, value.getstate()))
            return []
        if isinstance(value, np.random.Generator):
            undo(partial(setattr, value.bit_generator, "state", value.bit_generator.state))
            return []
        if isinstance(value, functools.partial):
            return [value.func, *value.args, *value.keywords.values()]
        if isinstance(value, types.MethodType):
            return [value.__func__, value.__self__]
        if isinstance(value, types.FunctionType):
            return self._keep_function(value)
        if isinstance(value, dict | list | set | deque):
            undo(partial(_refill, value, copy.copy(value)))
            return list(value.values() if isinstance(value, dict) else value)
        if isinstance(value, tuple):
            return list(value)
        return [vars(value)] if hasattr(value, "__dict__") else []

    def _keep_function(self, function: types.FunctionType) -> list[Any]:
        around, scope = surroundings(function), function.__globals__
        for name in names_in(function.__code__):
            back = partial(scope.__setitem__, name, scope[name]) if name in scope else None
            self._undo.append(back or partial(scope.pop, name, None))
        for cell in function.__closure__ or ():
            with suppress(ValueError):
                self._undo.append(partial(setattr, cell, "cell_contents", cell.cell_contents))
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        return [*around.values(), *defaults, vars(function)]

    def changed(self) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """The arrays that are no longer what they were, each with a copy of what it was."""
        return [(array, before) for array, before in self.arrays if not _same(array, before)]

    def restore(self) -> None:
        """Put everything back, as far as that is possible."""
        for array, before in self.changed():
            with suppress(Exception):
                array[...] = before
        for undo in self._undo:
            with suppress(Exception):
                undo()


def _refill(container: Any, contents: Any) -> None:
    container.clear()
    add = container.extend if isinstance(container, list | deque) else container.update
    add(contents)


@contextmanager
def restored(loss: Loss, *arguments: Any) -> Iterator[Restored]:
    """Run something that calls `loss`, then put back what the calls have changed.

    The state of NumPy's and Python's global random generators is put back as well.
    """
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    world = Restored(loss, *arguments)
    try:
        yield world
    finally:
        world.restore()
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
