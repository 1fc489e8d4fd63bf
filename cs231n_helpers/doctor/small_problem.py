"""Which assignment is this? The same loss on small data of our own.

The arguments of the call, and what the function reads from its closure, its globals or its object,
are given roles by their shapes: examples, labels or targets, strength of the penalty, layer sizes.
Then all of it is replaced by small random data whose sizes are distinct primes, so that a ratio
names its cause: a gradient 11 times too large is N times too large, and nothing else. Where the
call has one example, which may be a row, a column or a vector, the small problem has one, too.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..gradient_check import eval_numerical_gradient
from .backward import Array
from .evaluate import Blocks, Evaluation, LossFunction, UnusableGradientError, Vector
from .layouts import FixedLayout, ParameterLayout, flat_layouts, linear_layouts, net_layouts
from .snapshot import PLAIN, captured_variables, helpers_of

N, D, C, HIDDEN = 11, 5, 7, (13, 17, 19, 23, 29, 31)
REG = 0.3
MOST_TRIED = 24  # ways to read the arguments
PENALTY_NAMES = ("reg", "lam", "l2", "decay", "weight_decay", "strength", "penalty")
# names of real numbers that are no strength of a penalty
OTHER_NAMES = ("delta", "margin", "eps", "alpha", "leak", "slope", "mu", "momentum", "temp", "drop")
TARGET_NAMES = ("y", "t", "label")
Binding = tuple[Any, ...]  # ("arg", 0), ("closure", "X"), and ("closure", "data", 0) in a container
WHOLE = (int, np.int64, np.int32)


# ---- what a call is bound to, and how to rebind it ----


class Call:
    """A call of a loss, whose arguments, closure, globals and attributes can be rebound."""

    def __init__(self, loss: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]):
        self.in_place = loss if isinstance(loss, InPlace) else None
        loss = self.in_place.loss if self.in_place else loss
        while isinstance(loss, functools.partial) and not loss.args:
            kwargs = {**loss.keywords, **kwargs}
            loss = loss.func
        self.loss, self.args, self.kwargs = loss, tuple(args), dict(kwargs)
        self.bindings: dict[Binding, Any] = {("arg", i): v for i, v in enumerate(self.args)}
        self.bindings |= {("kw", k): v for k, v in self.kwargs.items()}
        self.parameters: list[inspect.Parameter] = []  # after the first
        with suppress(TypeError, ValueError):  # built in: it has no signature
            taken = list(inspect.signature(loss).parameters.values())
            self.parameters = taken if self.in_place and self.in_place.alone else taken[1:]
        for parameter in self.parameters[len(self.args) :]:
            if isinstance(parameter.default, float | int | tuple):
                self.bindings.setdefault(("kw", parameter.name), parameter.default)
        self.bindings |= captured_variables(loss)
        owner = getattr(loss, "__self__", None if inspect.isroutine(loss) else loss)
        if owner is not None and hasattr(owner, "__dict__"):
            self.bindings |= {("self", k): v for k, v in vars(owner).items()}
        for binding, value in list(self.bindings.items()):
            inside = _items(value)
            if any(isinstance(v, np.ndarray | dict) for _, v in inside):
                self.bindings |= {(*binding, k): v for k, v in inside}

    def name(self, binding: Binding) -> str:
        """What the function calls this: the name of its parameter, variable or attribute."""
        if binding[0] != "arg" or len(binding) > 2:
            return str(binding[-1])
        position = binding[1]
        return self.parameters[position].name if position < len(self.parameters) else ""

    def arrays(self) -> dict[Binding, NDArray[Any]]:
        """The arrays, and lists of numbers among the arguments, that may be data or targets."""
        found = {b: v for b, v in self.bindings.items() if isinstance(v, np.ndarray)}
        for binding, value in self.bindings.items():
            is_list = binding[0] in ("arg", "kw") and isinstance(value, list) and value
            if is_list and all(isinstance(n, int | float | np.number) for n in value):
                found[binding] = np.asarray(value)
        return found

    def numbers(self) -> dict[Binding, NDArray[Any]]:
        """Numbers among the arguments that may be the label or target of one example."""
        found = {}
        for binding, value in self.bindings.items():
            name, kind = self.name(binding).lower(), binding[0]
            is_number = type(value) in (*WHOLE, float, np.float64)
            likely = kind == "arg" or name in self.kwargs or name.startswith(TARGET_NAMES)
            if is_number and likely and not name.startswith((*PENALTY_NAMES, *OTHER_NAMES)):
                found[binding] = np.asarray(value)
        return found

    def rebind(
        self, new: Mapping[Binding, Any]
    ) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """The same call with the values in `new`: (loss, args, kwargs)."""
        whole = {binding: value for binding, value in new.items() if len(binding) == 2}
        for (*outer, key), value in new.items():
            if len(outer) > 1:  # it belongs into a copy of a container
                container = whole.get((*outer,), self.bindings[(*outer,)])
                held = dict(_items(container)) | {key: value}
                whole[(*outer,)] = _like(container, held)
        new = whole
        args = tuple(new.get(("arg", i), v) for i, v in enumerate(self.args))
        kwargs = {**self.kwargs, **{k: v for (kind, k), v in new.items() if kind == "kw"}}
        attributes = {k: v for (kind, k), v in new.items() if kind == "self"}
        names = {binding: v for binding, v in new.items() if binding[0] in ("closure", "global")}
        loss = self.loss
        owner, function = getattr(loss, "__self__", None), getattr(loss, "__func__", loss)
        if names and isinstance(function, types.FunctionType):
            function = _rebound(function, names)
        if attributes:
            twin = copy.copy(loss if owner is None else owner)
            vars(twin).update(attributes)
            owner, function = (None, twin) if owner is None else (twin, function)
        if function is not loss:
            loss = function if owner is None else types.MethodType(function, owner)
        if self.in_place:
            loss = InPlace(loss, self.in_place.params, alone=self.in_place.alone)
        return loss, args, kwargs


def _items(value: Any) -> list[tuple[Any, Any]]:
    """What a small container holds, by its keys, or an object in its attributes."""
    if not isinstance(value, (*PLAIN, np.ndarray)) and not inspect.isroutine(value):
        value = getattr(value, "__dict__", value)
    if isinstance(value, dict) and len(value) < 40:
        return list(value.items())
    return list(enumerate(value)) if type(value) in (tuple, list) and len(value) < 10 else []


def _like(container: Any, held: dict[Any, Any]) -> Any:
    """A container or an object of the same kind with these contents."""
    if isinstance(container, dict):
        return held
    if isinstance(container, tuple | list):
        return type(container)(held.values())
    twin = copy.copy(container)
    vars(twin).update(held)
    return twin


def _rebound(function: types.FunctionType, new: dict[Binding, Any]) -> types.FunctionType:
    """The same code with other values in its closure and among its globals."""
    scope = {**function.__globals__, **{k: v for (kind, k), v in new.items() if kind == "global"}}
    for helper in helpers_of(function)[1:]:  # they read the same globals
        twin = _copy_of(helper, scope, helper.__closure__)
        scope.update({k: twin for k, v in function.__globals__.items() if v is helper})
    cells = tuple(
        types.CellType(new["closure", name]) if ("closure", name) in new else cell
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        )
    )
    return _copy_of(function, scope, cells)


def _copy_of(function: types.FunctionType, scope: dict[str, Any], cells: Any) -> types.FunctionType:
    twin = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, cells
    )
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


class InPlace:
    """A loss that reads the caller's own parameters, as a function of its argument.

    For the time of one call the trial values stand where the loss reads them: in the arrays, in the
    dict that holds them, or in their place among its variables. Then all is put back.
    """

    def __init__(self, loss: Callable[..., Any], params: Any, *, alone: bool = False) -> None:
        self.loss, self.params = loss, params
        self.alone = alone  # it takes no parameters: it is a method of a net that has them
        self.rounds = False  # float32 is read, and not a float64 copy
        with suppress(TypeError, ValueError):
            self.__signature__ = signature = inspect.signature(loss)
            if alone:
                first = inspect.Parameter("parameters", inspect.Parameter.POSITIONAL_ONLY)
                every = [first, *signature.parameters.values()]
                self.__signature__ = signature.replace(parameters=every)

    def __call__(self, params: Any, *args: Any, **kwargs: Any) -> Any:
        call = Call(self.loss, args, kwargs)
        held = {b: params for b, value in call.bindings.items() if value is self.params}
        with self._written(params, elsewhere=bool(held)):
            loss, args, kwargs = call.rebind(held)
            return loss(*(() if self.alone else (params,)), *args, **kwargs)

    @contextmanager
    def _written(self, params: Any, *, elsewhere: bool) -> Iterator[None]:
        is_dict = isinstance(self.params, dict)
        own, new = (self.params, params) if is_dict else ({"": self.params}, {"": params})
        before = {k: (own[k], np.copy(own[k])) for k in new}
        locked = []
        try:
            for name, (array, _) in before.items():
                fits = isinstance(array, np.ndarray) and array.shape == np.shape(new[name])
                if fits and not array.flags.writeable:
                    with suppress(ValueError):
                        array.flags.writeable = True
                        locked.append(array)
                if fits and array.dtype.kind == "f" and array.flags.writeable:
                    array[...] = new[name]
                    self.rounds |= array.dtype != np.float64 and not (is_dict or elsewhere)
                if is_dict and (not fits or array.dtype != np.float64):
                    own[name] = new[name]
                elif not (fits or elsewhere):
                    raise LookupError("the loss reads its own parameters, of another shape")
            yield
            if is_dict:  # what the call has changed in them is to be seen
                params.update({k: np.copy(own[k]) for k in new})
        finally:
            for name, (array, values) in before.items():
                if isinstance(array, np.ndarray) and array.flags.writeable:
                    array[...] = values
                own[name] = array
            for array in locked:
                array.flags.writeable = False


# ---- the small problem ----


@dataclass
class Problem:
    """The learner's loss on small data, and how to read it."""

    call: Call
    layouts: Sequence[ParameterLayout]  # one or more, of the same shapes
    values: dict[Binding, Any]  # what the call is bound to instead of the caller's data
    params: Any
    X: Array  # (N, D), or the scores where the parameters are the scores
    T: Array  # (N, C)
    sizes: dict[str, int]  # of the caller's data
    examples_axis: int = 0  # of the scores or the input, where these are the parameters
    by_input: bool = False  # the parameters are X, and the weights are an argument
    data: Binding | None = None  # what X is in the call
    evaluations: int = 0

    @property
    def examples(self) -> int:
        """How many examples the small data have."""
        return len(self.T)

    @property
    def of_scores(self) -> bool:
        """The parameters are no weights, but the scores or the input."""
        return not self.layouts[0].layer_sizes

    @property
    def equal_sizes(self) -> list[str]:
        pairs = itertools.combinations(self.sizes, 2)
        return [f"{a} == {b}" for a, b in pairs if self.sizes[a] == self.sizes[b] > 1]

    @property
    def labels_lack_0(self) -> bool:
        """The caller's labels may begin at 1, so that y - 1 is no mistake."""
        held = (v for b, v in self.call.arrays().items() if b in self.values and v.ndim == 1)
        return any(v.size > 0 and v.dtype.kind in "iu" and v.min() > 0 for v in held)

    def in_letters(self, factor: float) -> tuple[str, float] | None:
        """A factor made of sizes, and its value on the caller's data: ("N / D", 50.0)."""
        letters = {
            letter: (small, self.sizes[letter]) for letter, small in self.small_sizes.items()
            if small > 1
        }  # fmt: skip
        letters["1"] = (1, 1)
        for (over, a), (under, b) in itertools.permutations(letters.items(), 2):
            for k, times in ((1, ""), (2, "2 * "), (-1, "-")):
                if np.isclose(factor, k * a[0] / b[0], rtol=2e-4, atol=0):
                    text = over if under == "1" else f"{over} / {under}"
                    return times + text, k * a[1] / b[1]
        return None

    @property
    def small_sizes(self) -> dict[str, int]:
        """N, D, ... of the small data, of the letters that `sizes` has."""
        sizes = {"N": len(self.T), "D": self.X.shape[1], "C": self.T.shape[1], "H": HIDDEN[0]}
        return {letter: sizes[letter] for letter in self.sizes}

    @functools.cached_property
    def reg(self) -> Binding | None:
        """Where the strength of the penalty is: by its name, else the only real number."""
        names = {
            binding: self.call.name(binding) for binding, value in self.call.bindings.items()
            if binding not in self.values and not isinstance(value, bool)
            and isinstance(value, int | float | np.floating | np.integer)
        }  # fmt: skip
        for start in PENALTY_NAMES:
            for binding, name in names.items():
                if name.lower().lstrip("_").startswith(start):
                    return binding
        real = [
            b for b, name in names.items() if isinstance(self.call.bindings[b], float | np.floating)
            and not name.lower().startswith(OTHER_NAMES) and name not in ("h", "t", "p")
            and not hasattr(self.call.bindings.get(b[:-1]), "__dict__")
        ]  # fmt: skip
        return real[-1] if real and real[-1][0] in ("arg", "kw", "closure") else None

    @functools.cached_property
    def blocks(self) -> Blocks:
        return Blocks(self.params)

    def function(self, reg: float | None = None, scale: float = 1.0) -> LossFunction:
        """The loss of the small parameters; `reg` sets the strength of its penalty, if any."""
        new = {**self.values} | ({} if self.reg is None or reg is None else {self.reg: reg})
        if self.data is not None and scale != 1:
            new[self.data] = scaled(new[self.data], scale)
        loss, args, kwargs = self.call.rebind(new)
        return LossFunction(loss, self.params, args, kwargs)

    def forget_false_strength(self) -> None:
        """What changes with the data is no penalty, as with the gamma of a focal loss."""
        if self.reg is None or self.call.name(self.reg).lower().startswith(PENALTY_NAMES):
            return
        x = self.blocks.start
        changes = []
        for point, scale in ((x, 1.0), (1.25 * x if self.of_scores else x, 1.25)):
            values = [self.evaluate(point, strength, scale).value for strength in (REG, 0.0)]
            changes.append(values[0] - values[1])
        if not np.isclose(changes[0], changes[1], rtol=1e-3, atol=1e-6 * abs(values[0])):
            self.reg = None

    def evaluate(
        self, x: Vector | None = None, reg: float | None = None, scale: float = 1.0
    ) -> Evaluation:
        function = self.function(reg, scale)
        self.evaluations += 1
        return function(function.x if x is None else x)

    def numerical(self, reg: float | None = None, h: float = 1e-6) -> Vector:
        """The whole gradient by central differences."""
        function = self.function(reg)
        self.evaluations += 2 * function.x.size

        def value(x: Any) -> float:
            return function(x).value

        return np.asarray(eval_numerical_gradient(value, function.x, h=h), dtype=np.float64)

    def arrays(self, vector: Vector) -> dict[str, Array]:
        """A vector of the parameters as arrays by name; scores as (N, C)."""
        arrays = self.blocks.split(vector)
        if not self.of_scores:
            return arrays
        return {k: _as_rows(a, self.examples_axis) for k, a in arrays.items()}


def recognize(
    loss: Callable[..., Any],
    params: Any,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    classes: int = C,
) -> tuple[Problem | None, Exception | None]:
    """Find the roles of the arguments and set up the small problem.

    Returns the first problem on which the loss runs; and, where it runs on none although the
    caller's sizes are equal so that it may run there by luck, the error about shapes it raised.
    """
    shape_error: Exception | None = None
    with suppress(Exception):  # arguments of forms that nobody thought of: a loss unknown to us
        call = Call(*_unpaired(loss, args), kwargs)
        for problem in itertools.islice(_problems(call, params, classes), MOST_TRIED):
            try:
                at = problem.evaluate()
            except UnusableGradientError:
                return problem, None
            except Exception as error:
                by_luck = problem.equal_sizes and _is_about_shapes(error)
                shape_error = shape_error or (error if by_luck else None)
                continue
            if np.isfinite(at.value) or problem.of_scores:
                with suppress(Exception):  # a loss need not be defined for other numbers
                    problem.forget_false_strength()
                return problem, None
    return None, shape_error


def _unpaired(loss: Callable[..., Any], args: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
    """The same call with X and T, an example in each row, for a list of pairs (x, t)."""
    for i, pairs in enumerate(args):
        if (
            not isinstance(pairs, list)
            or not pairs
            or not all(
                type(pair) in (tuple, list) and len(pair) == 2 and isinstance(pair[0], np.ndarray)
                for pair in pairs
            )
        ):
            continue
        forms = [tuple(1 if n == 1 else -1 for n in np.shape(one)) for one in pairs[0]]
        stacked = [np.stack([np.reshape(pair[k], -1) for pair in pairs]) for k in (0, 1)]
        stacked[1] = stacked[1] if forms[1] else stacked[1][:, 0]  # labels
        paired = functools.partial(_call_with_pairs, loss, i, forms)
        return paired, (*args[:i], *stacked, *args[i + 1 :])
    return loss, args


def _call_with_pairs(
    loss: Callable[..., Any], i: int, forms: Sequence[tuple[int, ...]], params: Any, *args: Any
) -> Any:
    rows = zip(args[i], args[i + 1], strict=True)
    pairs = [
        tuple(np.reshape(v, form)[()] for v, form in zip(row, forms, strict=True)) for row in rows
    ]
    return loss(params, *args[:i], pairs, *args[i + 2 :])


def _is_about_shapes(error: Exception) -> bool:
    words = ("shape", "broadcast", "dimension", "aligned", "matmul", "out of bounds")
    return isinstance(error, ValueError | IndexError) and any(w in str(error) for w in words)


# ---- roles ----


@dataclass(frozen=True)
class Target:
    """What is to be learned: "labels", "from one", "signs", "binary", "one-hot" or "values"."""

    kind: str
    width: int
    ndim: int
    examples_axis: int
    dtype: Any
    only: int | None  # the label of the small example, where there is one

    def small(self, rng: np.random.RandomState, width: int) -> tuple[Any, Array]:
        """Small targets of the same form, and the same as (N, width) numbers."""
        # one class never occurs, so that P[:, y] is not all of P
        present = [k for k in range(max(width, 2)) if k != 2 or width < 4]
        labels = rng.permutation(np.resize(present, N))[:, np.newaxis]
        if self.only is not None:
            labels = np.array([[self.only]])
        T = np.eye(max(width, 2))[labels[:, 0]]
        y = labels + (self.kind == "from one")
        if self.kind in ("signs", "binary"):
            T = labels.astype(float)
            y = 2 * labels - 1 if self.kind == "signs" else labels
        elif self.kind == "values":
            y = T = rng.standard_normal((len(labels), width))
        elif self.kind == "one-hot":
            y = T
        return _as_given(y, self.ndim, self.examples_axis).astype(self.dtype)[()], T


@dataclass(frozen=True)
class Roles:
    """What the bindings of a call are for; without X the parameters are the scores or the data."""

    y: Binding
    target: Target
    X: Binding | None = None
    W: Binding | None = None  # the weights, where the parameters are the data
    examples_axis: int = 0  # of X or the scores


def _as_rows(array: NDArray[Any], examples_axis: int) -> NDArray[Any]:
    """A view with an example in each row; a vector or a number is one example."""
    if array.ndim < 2:
        return array.reshape(1, -1)
    return array.T if examples_axis else array


def scaled(X: Array, scale: float) -> Array:
    """Other data of the same form: ones, as for the biases, stay."""
    return np.where(X == 1, 1.0, scale * X) if scale != 1 else X


def _as_given(rows: Array, ndim: int, examples_axis: int) -> NDArray[Any]:
    """A copy of `rows` in the form that the caller has; a vector or number is a row or column."""
    array = rows.T if examples_axis else rows
    return array.copy() if ndim == 2 else array.reshape((-1,)[:ndim]).copy()


def _target(y: NDArray[Any], n: int, c: int | None) -> Target | None:
    """Read y as the targets of n examples; c is the number of classes, where it is known."""
    ndim = y.ndim
    if ndim < 2:
        y = y.reshape(n, -1) if n in (1, y.size) else y
    if n not in y.shape or y.size == 0 or y.dtype.kind not in "iufb":
        return None
    axis = 0 if y.shape[0] == n else 1
    width = y.shape[1 - axis]
    few = np.unique(y[:50] if axis == 0 else y[:, :50])  # most are settled by a few
    whole = y.dtype.kind in "iub" or bool(np.all(few == np.round(few)) and np.all(y == np.round(y)))
    kind = "values"
    if width > 1:
        ones = whole and set(few.tolist()) <= {0, 1} and y.min() == 0 and y.max() == 1
        kind = "one-hot" if ones and np.all(y.sum(axis=1 - axis) == 1) else "values"
    elif whole and y.min() == -1 and y.max() <= 1 and 0 not in few:
        kind = "signs"
    elif whole and y.min() >= 0 and (y.dtype.kind in "iub" or len(few) < max(min(n, 50) / 2, 3)):
        kind = "from one" if c is not None and y.min() >= 1 and y.max() == c else "labels"
        width = c or int(y.max()) + 1
    return Target(kind, width, ndim, axis, y.dtype, int(y.max() > 0) if n == 1 else None)


def _roles(call: Call, params: Any) -> Iterator[Roles]:
    """Every way to tell data from targets."""
    arrays = call.arrays()
    targets = {b: v for b, v in arrays.items() if v.ndim <= 2 and v.size > 0}
    targets |= {b: v for b, v in call.numbers().items() if b not in targets}
    data = {b: v for b, v in arrays.items() if v.ndim == 2 and v.dtype.kind in "fiu"}
    vectors = {b: v for b, v in arrays.items() if v.ndim == 1 and v.size > 1}
    shape: tuple[int, ...] = () if isinstance(params, dict) else np.shape(params)
    if shape:
        axes = (1, 0) if shape[1:] == (1,) else (0, 1)[: len(shape)]  # one example, not one class
        for (ys, y), axis in itertools.product(targets.items(), axes):
            n, c = _as_rows(np.empty(shape), axis).shape
            target = _target(y, n, c)
            if target is None or target.kind == "values" or target.width != c:
                continue
            others = [X for b, X in data.items() if b != ys and (n == 1 or n in X.shape)]
            if n == 1 and len(arrays) > (ys in arrays):
                continue
            if (y.ndim == 2 and n > 1) or not others:
                yield Roles(ys, target, examples_axis=axis)
    for (xs, X), (ys, y) in itertools.product({**data, **vectors}.items(), targets.items()):
        if xs == ys:
            continue
        for axis in (0, 1)[: len(shape)]:
            n, d = _as_rows(np.empty(shape), axis).shape
            target = _target(y, n, None)
            is_only = axis == 0 if n > 1 else len(arrays) == 1 + (ys in arrays)
            fits = X.ndim == 2 and d in X.shape and is_only
            if fits and target is not None and target.kind in ("labels", "one-hot"):
                yield Roles(ys, target, W=xs, examples_axis=axis)
        for axis in (0,) if X.shape[0] == X.shape[-1] else (0, 1):
            n = len(_as_rows(X, axis))
            target = _target(y, n, _highest(call, params, y) if n > 1 else None)
            if target is not None:
                yield Roles(ys, target, X=xs, examples_axis=axis)


def _highest(call: Call, params: Any, y: NDArray[Any]) -> int | None:
    """The highest label, where labels begin at 1 and some size says that it is their number."""
    if y.dtype.kind not in "iu" or y.size == 0 or y.min() != 1:
        return None
    arrays = params.values() if isinstance(params, dict) else [params]
    sizes = {n for v in arrays for n in np.shape(v)}
    for value in call.bindings.values():
        whole = value if isinstance(value, tuple) else (value,)
        sizes |= set(whole) if all(type(n) is int for n in whole) else set()
    highest = int(y.max())
    return highest if highest in sizes and highest + 1 not in sizes else None


def _layouts(call: Call, params: Any, d: int, target: Target) -> Iterator[list[ParameterLayout]]:
    """How the parameters may make up layers that lead from D features to these targets."""
    labels = target.kind == "labels"
    if isinstance(params, dict):
        shapes = {k: np.shape(v) for k, v in params.items()}
        widths = {n for s in shapes.values() for n in s} | {1} if labels else {target.width}
        for c in sorted(widths, reverse=True):
            if not labels or c >= target.width or c == 1:
                yield from net_layouts(shapes, d, c)
        return
    shape = np.shape(params)
    for c in sorted({*shape, 1} if len(shape) == 2 else {1}, reverse=True):
        if c == target.width or (labels and (c > target.width or c == 1)):
            yield from linear_layouts(shape, d, c)
    if len(shape) == 1 or 1 in shape:
        for layer_sizes in _chains(call, int(np.prod(shape)), d, target):
            yield from flat_layouts(shape, layer_sizes)


def _chains(call: Call, size: int, d: int, target: Target) -> Iterator[tuple[int, ...]]:
    """Layer sizes that a vector of this size can hold."""
    sequences = [
        tuple(int(n) for n in v) for v in call.bindings.values()
        if (isinstance(v, tuple | list) or (isinstance(v, np.ndarray) and v.ndim == 1))
        and 1 < len(v) < 6 and all(isinstance(n, int | np.integer) for n in v)
    ]  # fmt: skip
    yield from (s for s in sequences if s[0] == d)
    yield from ((d, *s) for s in sequences)
    widths = {target.width}
    if target.kind == "labels":
        widths |= {int(v) for v in call.bindings.values() if type(v) in WHOLE} | {1}
    for c in sorted(widths, reverse=True):
        yield (d, c)
        for hidden, rest in (divmod(size - c, d + 1 + c), divmod(size, d + c)):  # biases, or none
            if rest == 0 and hidden > 0:
                yield (d, hidden, c)


# ---- small data for these roles ----


def _problems(call: Call, params: Any, classes: int) -> Iterator[Problem]:
    """Small problems for all readings of the call, the likelier ones first."""
    rng = np.random.RandomState(3)  # with this seed every hidden unit is on for some, off for some
    for roles in _roles(call, params):
        if roles.X is not None:
            yield from _of_data(call, params, roles, rng, classes)
        elif roles.W is not None:
            yield _of_input(call, params, roles, rng, classes)
        else:
            yield _of_scores(call, params, roles, rng, classes)


def _of_scores(
    call: Call, params: Any, roles: Roles, rng: np.random.RandomState, classes: int
) -> Problem:
    """The parameters are the scores themselves."""
    axis = roles.examples_axis
    n, c = _as_rows(np.asarray(params), axis).shape
    y, T = roles.target.small(rng, classes)
    S = 1.5 * rng.standard_normal((len(T), classes))
    values = _resized_numbers(call, {n: len(T), c: classes}) | {roles.y: y}
    return Problem(
        call, [FixedLayout(())], values, _as_given(S, np.ndim(params), axis), S, T,
        {"N": n, "C": c}, examples_axis=axis,
    )  # fmt: skip


def _of_input(
    call: Call, params: Any, roles: Roles, rng: np.random.RandomState, classes: int
) -> Problem:
    """The parameters are the input X, and the weights W (D, C) or (C, D) an argument."""
    assert roles.W is not None
    axis, shape = roles.examples_axis, call.bindings[roles.W].shape
    n, d = _as_rows(np.asarray(params), axis).shape
    transposed = shape[0] != d
    y, T = roles.target.small(rng, classes)
    W, X = 0.6 * rng.standard_normal((D, classes)), rng.standard_normal((len(T), D))
    sizes = {"N": n, "D": d, "C": shape[0] if transposed else shape[1]}
    values = _resized_numbers(call, dict(zip(sizes.values(), (len(T), D, classes), strict=True)))
    values |= {roles.W: W.T.copy() if transposed else W, roles.y: y}
    layout, x = FixedLayout((), ((W, None),)), _as_given(X, np.ndim(params), axis)
    return Problem(call, [layout], values, x, X, T, sizes, by_input=True, examples_axis=axis)


def _of_data(
    call: Call, params: Any, roles: Roles, rng: np.random.RandomState, classes: int
) -> Iterator[Problem]:
    """The parameters are weights, in one of the known layouts."""
    assert roles.X is not None
    given = np.asarray(call.bindings[roles.X])
    X = _as_rows(given, roles.examples_axis)
    ones = [k for k in (0, -1) if X.shape[1] > 1 and np.all(X[:, k] == 1)]
    for layouts in _layouts(call, params, X.shape[1], roles.target):
        old, target = layouts[0].layer_sizes, roles.target
        new = (D, *HIDDEN[: len(old) - 2], 1 if old[-1] == 1 else classes)
        if target.kind == "labels" and new[-1] == 1:
            target = replace(target, kind="binary")
        y, T = target.small(rng, new[-1])
        small = rng.standard_normal((len(T), D))
        small[[0, -1]] *= 0.3  # small scores: these two always count in a hinge loss
        small[:, ones] = 1.0
        resized = [layout.resized(new) for layout in layouts]
        arrays = {k: _weights(rng, s) for k, s in resized[0].shapes.items()}
        counts = {len(X): len(T), **dict(zip(old, new, strict=True))}
        values = _resized_numbers(call, counts, old, new)
        values |= {roles.X: _as_given(small, given.ndim, roles.examples_axis), roles.y: y}
        sizes = {"N": len(X), "D": old[0], "C": old[-1]} | ({"H": old[1]} if len(old) > 2 else {})
        start = arrays if isinstance(params, dict) else arrays["params"]
        yield Problem(call, resized, values, start, small, T, sizes, data=roles.X)


def _weights(rng: np.random.RandomState, shape: tuple[int, ...]) -> Array:
    """Random weights; the signs in a short vector differ, so that sign(w) is no constant."""
    if len(shape) > 1 and min(shape) > 1:
        return 0.6 * rng.standard_normal(shape)
    z = 0.4 * rng.standard_normal(shape)
    size = int(np.prod(shape))
    return np.abs(z) * (-1.0) ** np.arange(size).reshape(shape) if 1 < size < 10 else z


def _resized_numbers(
    call: Call,
    new: dict[int, int],
    old_sizes: tuple[int, ...] = (),
    new_sizes: tuple[int, ...] = (),
) -> dict[Binding, Any]:
    """Sizes that are passed as integers or sequences of them, exchanged for the small ones."""

    def resized(value: Any) -> Any:
        """The same for whole numbers in nested tuples, lists and dicts; arrays stay as they are."""
        if type(value) is int:
            return new.get(value, value)
        held = _items(value)
        if not held or any(not isinstance(v, int | float | str | tuple | list) for _, v in held):
            return value
        if isinstance(value, dict):
            return {k: resized(v) for k, v in held}
        for k in (0, 1):
            if tuple(value) == old_sizes[k:]:
                return type(value)(new_sizes[k:])
        return type(value)(resized(v) for _, v in held)

    found: dict[Binding, Any] = {}
    for binding, value in call.bindings.items():
        if type(value) in WHOLE:
            if int(value) in new and (binding[0] != "arg" or int(value) > 1):
                found[binding] = new[int(value)]
        elif isinstance(value, tuple | list | dict) and len(binding) == 2:
            other = resized(value)
            if other != value:
                found[binding] = other
    return found
