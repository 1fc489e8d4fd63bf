"""Which assignment is this? The same loss on small data of our own.

The arguments of the call, and what the function reads from its closure, its globals or its object,
are given roles by their shapes: examples, labels or targets, strength of the penalty, layer sizes.
Then all of it is replaced by small random data whose sizes are distinct primes, so that a ratio
names its cause: a gradient 11 times too large is N times too large, and nothing else.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..gradient_check import eval_numerical_gradient
from .backward import Array, Layer
from .evaluate import (
    Blocks,
    Evaluation,
    Probe,
    UnusableGradientError,
    Vector,
    helpers_of,
    surroundings,
)

N, D, C, HIDDEN = 11, 5, 7, (13, 17, 19, 23, 29, 31)
REG = 0.3
PENALTY_NAMES = ("reg", "lam", "l2", "decay", "weight_decay", "strength", "penalty")
Slot = tuple[Any, ...]  # ("arg", 0), ("closure", "X"), and ("closure", "data", 0) in a container
Arrays = dict[str, Array]


# ---- where the data are, and how to exchange them ----


class Call:
    """A call of a loss whose arguments, closure, globals and attributes can be exchanged."""

    def __init__(self, loss: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]):
        while isinstance(loss, functools.partial) and not loss.args:
            kwargs = {**loss.keywords, **kwargs}
            loss = loss.func
        self.loss, self.args, self.kwargs = loss, tuple(args), dict(kwargs)
        self.slots: dict[Slot, Any] = {("arg", i): v for i, v in enumerate(self.args)}
        self.slots |= {("kw", k): v for k, v in self.kwargs.items()}
        self._add_defaults()
        self.slots |= surroundings(loss)
        owner = getattr(loss, "__self__", None if inspect.isroutine(loss) else loss)
        if owner is not None and hasattr(owner, "__dict__"):
            self.slots |= {("self", k): v for k, v in vars(owner).items()}
        for slot, value in list(self.slots.items()):
            inside = _items(value)
            if any(isinstance(v, np.ndarray) for _, v in inside):
                self.slots |= {(*slot, k): v for k, v in inside}

    def _add_defaults(self) -> None:
        try:
            parameters = list(inspect.signature(self.loss).parameters.values())
        except (TypeError, ValueError):
            return
        for position, parameter in enumerate(parameters[1:]):
            given = position < len(self.args) or parameter.name in self.kwargs
            if not given and isinstance(parameter.default, float | int | tuple):
                self.slots["kw", parameter.name] = parameter.default

    def name(self, slot: Slot) -> str:
        """What the function calls this: the name of its parameter, variable or attribute."""
        if slot[0] != "arg" or len(slot) > 2:
            return str(slot[-1])
        try:
            return str(list(inspect.signature(self.loss).parameters)[slot[1] + 1])
        except (TypeError, ValueError, IndexError):
            return ""

    def exchanged(self, new: dict[Slot, Any]) -> tuple[Callable[..., Any], tuple[Any, ...], Any]:
        """The same call with the values in `new`: (loss, args, kwargs)."""
        new = _folded(new, self.slots)
        args = tuple(new.get(("arg", i), v) for i, v in enumerate(self.args))
        kwargs = {**self.kwargs, **{k: v for (kind, k), v in new.items() if kind == "kw"}}
        attributes = {k: v for (kind, k), v in new.items() if kind == "self"}
        names = {slot: v for slot, v in new.items() if slot[0] in ("closure", "global")}
        loss = self.loss
        if attributes:
            owner = getattr(loss, "__self__", loss)
            twin = copy.copy(owner)
            vars(twin).update(attributes)
            loss = twin if owner is loss else types.MethodType(loss.__func__, twin)  # type: ignore[attr-defined]
        elif names and isinstance(loss, types.FunctionType):
            loss = _rebound(loss, names)
        return loss, args, kwargs


def _items(value: Any) -> list[tuple[Any, Any]]:
    """What a small container holds, by its keys."""
    if isinstance(value, dict) and len(value) < 40:
        return list(value.items())
    return list(enumerate(value)) if type(value) in (tuple, list) and len(value) < 10 else []


def _folded(new: dict[Slot, Any], old: dict[Slot, Any]) -> dict[Slot, Any]:
    """Put values that belong into containers into copies of these."""
    folded = {slot: value for slot, value in new.items() if len(slot) == 2}
    for slot, value in new.items():
        if len(slot) > 2:
            whole = folded.get(slot[:2], old[slot[:2]])
            held = dict(_items(whole)) | {slot[2]: value}
            folded[slot[:2]] = held if isinstance(whole, dict) else type(whole)(held.values())
    return folded


def _rebound(function: types.FunctionType, new: dict[Slot, Any]) -> types.FunctionType:
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


# ---- how parameters make up layers ----


@dataclass(frozen=True)
class Structure:
    """Sizes of the layers, the shapes of the parameters, and ways to read layers from them."""

    sizes: tuple[int, ...]  # of the caller's: D, hidden, C; empty for losses of scores
    shapes: Callable[[tuple[int, ...]], dict[str, tuple[int, ...]]]
    readings: tuple[Callable[[Arrays, tuple[int, ...]], list[Layer]], ...]
    names: tuple[str, ...] = ()  # of the arrays W1, b1, W2, ... in the caller's dict


def _single(params: NDArray[Any], d: int, c: int) -> Iterator[Structure]:
    """One weight array: W (D, C), its transpose, with a row for the bias, or a vector."""
    shape = params.shape

    def read(augmented: str, transposed: bool) -> Any:
        def reading(arrays: Arrays, sizes: tuple[int, ...]) -> list[Layer]:
            W = arrays["params"]
            W = W.reshape(-1, 1) if sizes[1] == 1 else W.T if transposed else W
            if augmented == "first":
                return [(W[1:], W[0])]
            return [(W[:-1], W[-1])] if augmented == "last" else [(W, None)]

        return reading

    for extra, transposed in itertools.product((0, 1), (False, True)):
        wanted = (c, d + extra) if transposed else (d + extra, c)
        if shape != wanted and not (c == 1 and shape == (d + extra,)):
            continue

        def small(sizes: tuple[int, ...], extra: int = extra, transposed: bool = transposed) -> Any:
            rows = sizes[0] + extra
            if len(shape) == 1:
                return {"params": (rows,)}
            return {"params": (sizes[1], rows) if transposed else (rows, sizes[1])}

        kinds = ("first", "last") if extra else ("",)
        yield Structure((d, c), small, tuple(read(kind, transposed) for kind in kinds))


def _dictionary(shapes: dict[str, tuple[int, ...]], d: int, c: int) -> Iterator[Structure]:
    """Weights and biases by name: weights that make a chain from D to C, biases that fit them."""
    matrices = [k for k, s in shapes.items() if len(s) == 2 and min(s) > 1]
    others = [k for k in shapes if k not in matrices]
    columns = [k for k in others if len(shapes[k]) == 2]  # (H, 1): the weights of one output
    vectors = [k for k in others if int(np.prod(shapes[k])) == d and str(k)[:1] not in ("b", "B")]
    # (H,), the same; of two that would do, the later one is the weights
    outer = [k for k in reversed(others) if len(shapes[k]) == 1] if c == 1 else []
    ends = [[], *([k] for k in (*columns, *outer))]
    choices = [[*matrices, *end] for end in ends] if matrices else [[k] for k in vectors]
    yield from _augmented(shapes, d, c)
    for weights in choices if len(matrices) <= 4 else []:
        for order in itertools.permutations(weights):
            for flips in itertools.product((False, True), repeat=len(order)):
                chain, fits = [d], True
                for name, flip in zip(order, flips, strict=True):
                    shape = shapes[name] if len(shapes[name]) == 2 else (shapes[name][0], 1)
                    rows, wide = shape[::-1] if flip else shape
                    fits = fits and rows == chain[-1]
                    chain.append(wide)
                left = {k: shapes[k] for k in others if k not in weights}
                biases = _biases_for(chain[1:], left)
                if fits and chain[-1] == c and biases is not None:
                    yield _chained(shapes, order, flips, biases, tuple(chain))


def _augmented(shapes: dict[str, tuple[int, ...]], d: int, c: int) -> Iterator[Structure]:
    """Weights by name with their biases inside, as a further row or column."""
    if len(shapes) > 4 or any(len(s) != 2 for s in shapes.values()):
        return
    for order in itertools.permutations(shapes):
        for flip in (False, True):
            pairs = [shapes[k][::-1] if flip else shapes[k] for k in order]
            chain = (d, *(out for _, out in pairs))
            if chain[-1] != c or any(p[0] != n + 1 for p, n in zip(pairs, chain, strict=False)):
                continue

            def small(sizes: tuple[int, ...], order: Any = order, flip: bool = flip) -> Any:
                new = {
                    k: (i + 1, o)
                    for k, (i, o) in zip(order, itertools.pairwise(sizes), strict=True)
                }
                return {k: new[k][::-1] if flip else new[k] for k in shapes}

            def read(last: bool, order: Any = order, flip: bool = flip) -> Any:
                def reading(arrays: Arrays, sizes: tuple[int, ...]) -> list[Layer]:
                    both = [arrays[k].T if flip else arrays[k] for k in order]
                    return [(A[:-1], A[-1]) if last else (A[1:], A[0]) for A in both]

                return reading

            names = tuple(k for k in order for _ in range(2))
            yield Structure(chain, small, (read(True), read(False)), names)


def _biases_for(sizes: list[int], shapes: dict[str, tuple[int, ...]]) -> list[str | None] | None:
    left, found = dict(shapes), list[str | None]()
    for size in sizes:
        fitting = [k for k, s in left.items() if int(np.prod(s)) == size]
        found.append(fitting[0] if fitting else None)
        if fitting:
            del left[fitting[0]]
    return None if left else found


def _chained(
    shapes: dict[str, tuple[int, ...]],
    order: tuple[str, ...],
    flips: tuple[bool, ...],
    biases: list[str | None],
    chain: tuple[int, ...],
) -> Structure:
    def small(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        new: dict[str, tuple[int, ...]] = {}
        for depth, (name, flip, bias) in enumerate(zip(order, flips, biases, strict=True)):
            pair = (sizes[depth + 1], sizes[depth]) if flip else (sizes[depth], sizes[depth + 1])
            new[name] = pair if len(shapes[name]) == 2 else (sizes[depth],)
            if bias is not None:
                ones = shapes[bias]
                grown = tuple(1 if n == 1 and len(ones) > 1 else sizes[depth + 1] for n in ones)
                if len(ones) > 1 and all(n == 1 for n in ones):
                    grown = (1,) * (len(ones) - 1) + (sizes[depth + 1],)
                new[bias] = grown
        return {k: new[k] for k in shapes}

    def read(arrays: Arrays, sizes: tuple[int, ...]) -> list[Layer]:
        layers: list[Layer] = []
        for depth, (name, flip, bias) in enumerate(zip(order, flips, biases, strict=True)):
            W = arrays[name]
            W = W.reshape(sizes[depth], -1) if W.ndim == 1 else W.T if flip else W
            layers.append((W, None if bias is None else arrays[bias].reshape(-1)))
        return layers

    names = tuple(n for pair in zip(order, biases, strict=True) for n in pair if n is not None)
    return Structure(chain, small, (read,), names)


def _parts(kind: str, sizes: tuple[int, ...]) -> list[tuple[int, str, tuple[int, ...]]]:
    """How a vector is cut: (layer, "W", "b", "bW" or "Wb", shape) in their order."""
    order, wide, way = kind.split()
    layers = list(enumerate(itertools.pairwise(sizes)))[:: -1 if way == "back" else 1]

    def matrix(depth: int, i: int, o: int) -> tuple[int, str, tuple[int, ...]]:
        what = order if order in ("bW", "Wb") else "W"
        rows = i if what == "W" else i + 1
        return depth, what, (o, rows) if wide == "out" else (rows, o)

    W = [matrix(depth, i, o) for depth, (i, o) in layers]
    b = [(depth, "b", (o,)) for depth, (_, o) in layers]
    if order in ("W", "bW", "Wb"):
        return W
    if order in ("W,b", "b,W"):
        pairs = zip(W, b, strict=True) if order == "W,b" else zip(b, W, strict=True)
        return [part for pair in pairs for part in pair]
    return [*W, *b] if order == "WW,bb" else [*b, *W]


def _flat(size: int, chain: tuple[int, ...], matrix: tuple[int, ...]) -> Iterator[Structure]:
    """A vector that holds all layers one after the other, in one of the usual orders."""
    bare = sum(i * o for i, o in itertools.pairwise(chain))
    full = bare + sum(chain[1:])

    def read(kind: str, memory: Any) -> Any:
        def reading(arrays: Arrays, sizes: tuple[int, ...]) -> list[Layer]:
            vector, start = arrays["params"].reshape(-1), 0
            W: dict[int, Array] = {}
            b: dict[int, Array] = {}
            for depth, what, shape in _parts(kind, sizes):
                part = vector[start : start + int(np.prod(shape))].reshape(shape, order=memory)
                start += part.size
                part = part.T if part.ndim == 2 and " out " in kind else part
                if what == "bW":
                    b[depth], part = part[0], part[1:]
                elif what == "Wb":
                    b[depth], part = part[-1], part[:-1]
                (b if what == "b" else W)[depth] = part
            return [(W[depth], b.get(depth)) for depth in sorted(W)]

        reading.order = kind.split()[::2]  # type: ignore[attr-defined]
        return reading

    if size not in (bare, full):
        return
    orders = ["W"] if size == bare else ["bW", "W,b", "WW,bb", "Wb", "b,W", "bb,WW"]
    ways = ("on", "back") if len(chain) > 2 else ("on",)  # from the first layer or the last
    kinds = [f"{order} {wide} {way}" for way in ways for order in orders for wide in ("out", "in")]

    def small(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        n = sum(i * o for i, o in itertools.pairwise(sizes))
        n += 0 if size == bare else sum(sizes[1:])
        return {"params": (n, 1) if len(matrix) == 2 else (n,)}

    readings = tuple(read(kind, memory) for memory in ("C", "F") for kind in kinds)
    yield Structure(chain, small, readings)


# ---- the small problem ----


@dataclass
class Problem:
    """The learner's loss on small data, and how to read it."""

    call: Call
    structure: Structure
    sizes: tuple[int, ...]
    values: dict[Slot, Any]
    params: Any
    X: Array  # (N, D), or the scores where the parameters are the scores
    T: Array  # (N, C)
    reg: Slot | None
    evaluations: int = 0
    equal_sizes: tuple[str, ...] = ()  # of the caller's data, for a caution
    columns: bool = False  # scores (C, N), examples are columns
    by_input: bool = False  # the parameters are X, and the weights are an argument

    @property
    def of_scores(self) -> bool:
        """The parameters are no weights, but the scores or the input."""
        return not self.sizes

    @functools.cached_property
    def blocks(self) -> Blocks:
        """The small parameters as one vector."""
        return Blocks(self.params)

    def probe(self, reg: float | None = None) -> Probe:
        """The loss as a function of the small parameters; `reg` sets the penalty's strength."""
        values = dict(self.values)
        if self.reg is not None and reg is not None:
            values[self.reg] = reg
        loss, args, kwargs = self.call.exchanged(values)
        return Probe(loss, self.params, args, kwargs)

    def evaluate(self, x: Vector | None = None, reg: float | None = None) -> Evaluation:
        """Value and gradient at x, or at the small parameters."""
        probe = self.probe(reg)
        self.evaluations += 1
        return probe(probe.x if x is None else x)

    def numerical(self, reg: float | None = None, h: float = 1e-6) -> Vector:
        """The whole gradient by central differences."""
        probe = self.probe(reg)
        self.evaluations += 2 * probe.x.size

        def value(x: Any) -> float:
            return probe(x).value

        return np.asarray(eval_numerical_gradient(value, probe.x, h=h), dtype=np.float64)

    def arrays(self, vector: Vector) -> Arrays:
        """A vector of the parameters as arrays by name; scores as (N, C)."""
        arrays = self.blocks.split(vector)
        return {k: a.T for k, a in arrays.items()} if self.columns else arrays


def recognise(
    loss: Callable[..., Any],
    params: Any,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    classes: int = C,
) -> tuple[Problem | None, Exception | None]:
    """Find the roles of the arguments and set up the small problem.

    Returns the first problem on which the loss runs; and, where it runs on none although the
    caller's sizes are equal so that it may run there by luck, what it raised.
    """
    misfit: Exception | None = None
    with suppress(Exception):  # arguments of forms that nobody thought of: a loss unknown to us
        call = Call(loss, args, kwargs)
        for problem in itertools.islice(_candidates(call, params, classes), 24):
            try:
                at = problem.evaluate()
            except UnusableGradientError:
                return problem, None
            except Exception as error:
                misfit = misfit or (error if problem.equal_sizes and _of_shapes(error) else None)
                continue
            if np.isfinite(at.value) or not problem.sizes:
                return problem, None
    return None, misfit


def _of_shapes(error: Exception) -> bool:
    words = ("shape", "broadcast", "dimension", "aligned", "matmul", "out of bounds")
    return isinstance(error, ValueError | IndexError) and any(w in str(error) for w in words)


def _candidates(call: Call, params: Any, classes: int) -> Iterator[Problem]:
    rng = np.random.RandomState(3)  # with this seed every hidden unit is on for some, off for some
    arrays = {s: v for s, v in call.slots.items() if isinstance(v, np.ndarray)}
    lists = {
        s: np.asarray(v) for s, v in call.slots.items()
        if s[0] in ("arg", "kw") and isinstance(v, list) and v
        and all(isinstance(n, int | float | np.number) for n in v)
    }  # fmt: skip
    arrays |= {s: v for s, v in lists.items() if v.dtype.kind in "iuf" and v.ndim <= 2}
    targets = {s: v for s, v in arrays.items() if 1 <= v.ndim <= 2 and v.size > 0}
    images = {s: v for s, v in arrays.items() if v.ndim == 2 and v.dtype.kind in "fiu"}
    single = None if isinstance(params, dict) else np.asarray(params)
    if single is not None and single.ndim == 2:
        for (slot, y), columns in itertools.product(targets.items(), (False, True)):
            n, c = single.shape[::-1] if columns else single.shape
            target = _targets(y, n, c)
            known = target is not None and target.kind != "values" and target.width == c
            if target and known and not _looks_like_data(images, slot, y):
                yield _of_scores(call, slot, target, (n, c), columns, rng, classes)
    for (xs, X), (ys, y) in itertools.product(images.items(), targets.items()):
        if xs == ys:
            continue
        if single is not None and single.ndim == 2 and single.shape[1] in X.shape:
            target = _targets(y, len(single), None)
            if target is not None and target.kind in ("labels", "one-hot"):
                yield _of_input(call, single, xs, ys, target, rng, classes)
        for examples in (0, 1):
            target = _targets(y, X.shape[examples], _highest(call, params, y))
            if target is None or (examples == 1 and X.shape[0] == X.shape[1]):
                continue
            for structure in _structures(call, params, X.shape[1 - examples], target):
                yield _of_data(call, params, xs, examples, ys, target, structure, rng, classes)


def _highest(call: Call, params: Any, y: NDArray[Any]) -> int | None:
    """The highest label, where labels begin at 1 and some size says that it is their number."""
    if y.dtype.kind not in "iu" or y.size == 0 or y.min() != 1:
        return None
    sizes = {n for v in (params.values() if isinstance(params, dict) else [params])
             for n in np.shape(v)}  # fmt: skip
    for value in call.slots.values():
        sizes |= {value} if type(value) is int else set()
        sizes |= (
            set(value) if isinstance(value, tuple) and all(type(n) is int for n in value) else set()
        )
    highest = int(y.max())
    return highest if highest in sizes and highest + 1 not in sizes else None


def _looks_like_data(images: dict[Slot, Any], slot: Slot, y: Any) -> bool:
    return any(s != slot and len(y) in X.shape and np.ndim(y) < 2 for s, X in images.items())


@dataclass(frozen=True)
class Target:
    """What is to be learned: "labels", "from one", "signs", "binary", "one-hot" or "values"."""

    kind: str
    width: int
    shape: tuple[int, ...]
    examples: int  # the axis of the examples
    dtype: Any

    def small(self, rng: np.random.RandomState, width: int) -> tuple[Any, Array]:
        """Small targets of the same form, and the same as (N, width) numbers."""
        labels = rng.permutation(np.arange(N) % max(width, 2))
        hot = np.eye(max(width, 2))[labels]
        if self.kind == "values":
            T = rng.standard_normal((N, width))
            given = T[:, 0] if len(self.shape) == 1 else T if self.examples == 0 else T.T
            return given.astype(self.dtype), T
        if self.kind in ("signs", "binary"):
            T = labels[:, None].astype(float)
            given = 2 * labels - 1 if self.kind == "signs" else labels
            shape = (-1,) if len(self.shape) == 1 else (N, 1) if self.examples == 0 else (1, N)
            return given.astype(self.dtype).reshape(shape), T
        if self.kind == "one-hot":
            return (hot if self.examples == 0 else hot.T).astype(self.dtype), hot
        given = labels + (self.kind == "from one")
        shape = (-1,) if len(self.shape) == 1 else (N, 1) if self.examples == 0 else (1, N)
        return given.astype(self.dtype).reshape(shape), hot


def _targets(y: NDArray[Any], n: int, c: int | None) -> Target | None:
    """Read y as the targets of n examples."""
    if n not in y.shape or y.size == 0 or y.dtype.kind not in "iufb":
        return None
    examples = 0 if y.shape[0] == n else 1
    width = 1 if y.ndim == 1 else y.shape[1 - examples]
    few = np.unique(y[:50] if examples == 0 else y[:, :50])  # most are settled by a few
    whole = y.dtype.kind in "iub" or bool(np.all(few == np.round(few)) and np.all(y == np.round(y)))
    kind = "values"
    if width > 1:
        ones = whole and set(few.tolist()) <= {0, 1} and y.min() == 0 and y.max() == 1
        if ones and np.all(y.sum(axis=1 - examples) == 1):
            kind = "one-hot"
    elif whole and y.min() == -1 and y.max() <= 1 and 0 not in few:
        kind = "signs"
    elif whole and y.min() >= 0 and (y.dtype.kind in "iub" or len(few) < max(min(n, 50) / 2, 3)):
        from_one = c is not None and y.min() >= 1 and y.max() == c
        kind, width = ("from one" if from_one else "labels"), c or int(y.max()) + 1
    return Target(kind, width, y.shape, examples, y.dtype)


def _structures(call: Call, params: Any, d: int, target: Target) -> Iterator[Structure]:
    labels = target.kind == "labels"
    if isinstance(params, dict):
        shapes = {k: np.shape(v) for k, v in params.items()}
        widths = {n for s in shapes.values() for n in s} | {1} if labels else {target.width}
        for c in sorted(widths, reverse=True):
            if not labels or c >= target.width or c == 1:
                yield from _dictionary(shapes, d, c)
        return
    array = np.asarray(params)
    if array.ndim == 2:
        for c in sorted(set(array.shape) | {1}, reverse=True):
            if c == target.width or (labels and (c > target.width or c == 1)):
                yield from _single(array, d, c)
    elif array.ndim == 1:
        for c in (1,) if labels or target.width == 1 else ():
            yield from _single(array, d, c)
    if array.ndim == 1 or 1 in array.shape:
        for chain in _chains(call, array.size, d, target, labels):
            yield from _flat(array.size, chain, array.shape)


def _chains(
    call: Call, size: int, d: int, target: Target, labels: bool
) -> Iterator[tuple[int, ...]]:
    """Layer sizes that a vector of this size can hold."""
    sequences = [
        tuple(int(n) for n in v) for v in call.slots.values()
        if (isinstance(v, tuple | list) or (isinstance(v, np.ndarray) and v.ndim == 1))
        and 1 < len(v) < 6 and all(isinstance(n, int | np.integer) for n in v)
    ]  # fmt: skip
    yield from (s for s in sequences if s[0] == d)
    yield from ((d, *s) for s in sequences)
    integers = {int(v) for v in call.slots.values() if type(v) in (int, np.int64, np.int32)}
    widths = {target.width} if not labels else {target.width, *integers, 1}
    for c in sorted(widths, reverse=True):
        yield (d, c)
        hidden, rest = divmod(size - c, d + 1 + c)
        if rest == 0 and hidden > 0:
            yield (d, hidden, c)
        hidden, rest = divmod(size, d + c)
        if rest == 0 and hidden > 0:
            yield (d, hidden, c)


def _of_scores(
    call: Call,
    slot: Slot,
    target: Target,
    shape: tuple[int, int],
    columns: bool,
    rng: np.random.RandomState,
    classes: int,
) -> Problem:
    """The parameters are the scores themselves, (N, C), or (C, N) where examples are columns."""
    given, T = target.small(rng, classes)
    S = 1.5 * rng.standard_normal((N, classes))
    values = {slot: given, **_whole_numbers(call, {shape[0]: N, shape[1]: classes}, {})}
    structure = Structure((), lambda sizes: {}, (lambda arrays, sizes: [],))
    return Problem(
        call, structure, (), values, S.T.copy() if columns else S, S, T, _penalty(call, values),
        equal_sizes=("N == C",) if shape[0] == shape[1] else (), columns=columns,
    )  # fmt: skip


def _of_input(
    call: Call,
    X: NDArray[Any],
    ws: Slot,
    ys: Slot,
    target: Target,
    rng: np.random.RandomState,
    classes: int,
) -> Problem:
    """The parameters are the input X (N, D), and the weights W (D, C) or (C, D) an argument."""
    W = np.asarray(call.slots[ws])
    flipped = W.shape[0] != X.shape[1]
    given, T = target.small(rng, classes)
    small, inputs = 0.6 * rng.standard_normal((D, classes)), rng.standard_normal((N, D))
    layers: list[Layer] = [(small, None)]
    dims = {"N": len(X), "D": X.shape[1], "C": W.shape[0] if flipped else W.shape[1]}
    new = {dims["N"]: N, dims["D"]: D, dims["C"]: classes}
    values = {ws: small.T.copy() if flipped else small, ys: given}
    values |= _whole_numbers(call, new, {})
    structure = Structure((), lambda sizes: {}, (lambda arrays, sizes: layers,))
    return Problem(
        call, structure, (), values, inputs, inputs, T, _penalty(call, values),
        equal_sizes=_equal(dims), by_input=True,
    )  # fmt: skip


def _equal(dims: dict[str, int]) -> tuple[str, ...]:
    """Which of these sizes are the same."""
    pairs = itertools.combinations(dims, 2)
    return tuple(f"{a} == {b}" for a, b in pairs if dims[a] == dims[b] > 1)


def _of_data(
    call: Call,
    params: Any,
    xs: Slot,
    examples: int,
    ys: Slot,
    target: Target,
    structure: Structure,
    rng: np.random.RandomState,
    classes: int,
) -> Problem:
    X = np.asarray(call.slots[xs])
    chain = structure.sizes
    last = 1 if chain[-1] == 1 else classes
    sizes = (D, *HIDDEN[: len(chain) - 2], last)
    if target.kind == "labels" and last == 1:
        target = Target("binary", 1, target.shape, target.examples, target.dtype)
    given, T = target.small(rng, last)
    small = rng.standard_normal((N, D))
    small[[0, -1]] *= 0.3  # small scores: these two always count in a hinge loss
    rows = X if examples == 0 else X.T
    for column in (0, -1):
        if rows.shape[1] > 1 and np.all(rows[:, column] == 1):
            small[:, column] = 1.0
    values: dict[Slot, Any] = {xs: small if examples == 0 else small.T.copy(), ys: given}
    n_given = rows.shape[0]
    values |= _whole_numbers(call, {n_given: N}, dict(zip(chain, sizes, strict=True)), chain, sizes)
    shapes = structure.shapes(sizes)
    arrays = {k: _weights(rng, s) for k, s in shapes.items()}
    dims = {"N": n_given, "D": chain[0], "C": chain[-1]}
    dims |= {"H": chain[1]} if len(chain) > 2 else {}
    return Problem(
        call, structure, sizes, values, arrays if isinstance(params, dict) else arrays["params"],
        small, T, _penalty(call, values), equal_sizes=_equal(dims),
    )  # fmt: skip


def _weights(rng: np.random.RandomState, shape: tuple[int, ...]) -> Array:
    """Random weights; the signs in a short vector differ, so that sign(w) is no constant."""
    if len(shape) > 1 and min(shape) > 1:
        return 0.6 * rng.standard_normal(shape)
    z = 0.4 * rng.standard_normal(shape)
    size = int(np.prod(shape))
    return np.abs(z) * (-1.0) ** np.arange(size).reshape(shape) if 1 < size < 10 else z


def _whole_numbers(
    call: Call,
    counts: dict[int, int],
    layers: dict[int, int],
    chain: tuple[int, ...] = (),
    sizes: tuple[int, ...] = (),
) -> dict[Slot, Any]:
    """Sizes that are passed as integers or sequences of them, exchanged for the small ones."""
    found: dict[Slot, Any] = {}
    new = {**counts, **layers}
    for slot, value in call.slots.items():
        if type(value) in (int, np.int64, np.int32):
            if int(value) in new and (slot[0] != "arg" or int(value) > 1):
                found[slot] = new[int(value)]
        elif isinstance(value, tuple | list | dict) and len(slot) == 2:
            mapped = _mapped(value, new, chain, sizes)
            if mapped != value:
                found[slot] = mapped
    return found


def _mapped(value: Any, new: dict[int, int], chain: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    """Whole numbers in nested tuples, lists and dicts exchanged; arrays stay as they are."""
    if type(value) is int:
        return new.get(value, value)
    if isinstance(value, dict) and len(value) < 40 and not _holds_arrays(value):
        return {k: _mapped(v, new, chain, sizes) for k, v in value.items()}
    if type(value) in (tuple, list) and len(value) < 10 and not _holds_arrays(value):
        for k in (0, 1):
            if tuple(value) == chain[k:]:
                return type(value)(sizes[k:])
        return type(value)(_mapped(v, new, chain, sizes) for v in value)
    return value


def _holds_arrays(value: Any) -> bool:
    return any(not isinstance(v, int | float | str | tuple | list) for _, v in _items(value))


def _penalty(call: Call, values: dict[Slot, Any]) -> Slot | None:
    """The slot that holds the strength of the penalty: by its name, else the only real number."""
    numbers = {
        slot: value for slot, value in call.slots.items()
        if slot not in values and isinstance(value, int | float | np.floating | np.integer)
        and not isinstance(value, bool)
    }  # fmt: skip
    for start in PENALTY_NAMES:
        for slot in numbers:
            if call.name(slot).lower().lstrip("_").startswith(start):
                return slot
    real = [s for s, v in numbers.items() if isinstance(v, float | np.floating)]
    others = ("delta", "margin", "eps", "alpha", "leak", "slope", "mu", "momentum", "temp", "drop")
    real = [s for s in real if not call.name(s).lower().startswith(others)]
    real = [s for s in real if call.name(s) not in ("h", "t", "p")]
    return real[-1] if real and real[-1][0] in ("arg", "kw", "closure") else None
