"""What a loss function can reach besides its arguments, and putting it back as it was."""

from __future__ import annotations

import copy
import dis
import functools
import operator
import random
import types
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..validation import shown

PLAIN = (int, float, complex, str, bytes, bool, type(None), np.generic, types.ModuleType, type)
EMPTY_CELL = types.CellType()
MOST_OBJECTS = 10_000  # that are looked at; a loss reaches far fewer


class StateSnapshot:
    """What a function can reach, put back at the end of a ``with``.

    That is: arguments, variables of its closure, globals that its code names, attributes of
    objects among these, random generators, and what containers among all of these hold. Only what
    differs is written. Arrays among the arguments are left out: they are passed as copies. Objects
    without ``__dict__`` (``__slots__``) are not looked into.
    """

    def __init__(self, loss: Callable[..., Any], *arguments: Any) -> None:
        self.arrays: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._states: list[tuple[Callable[[], Any], Callable[[Any], object], Any]] = []
        self._keep(np.random.get_state, np.random.set_state)
        self._keep(random.getstate, random.setstate)
        seen = {id(array): array for _, array in arrays_in(arguments)}
        waiting: deque[Any] = deque([loss, arguments])
        while waiting and len(seen) < MOST_OBJECTS:
            value = waiting.popleft()
            if id(value) not in seen:
                seen[id(value)] = value
                with suppress(Exception):  # proxies that raise when they are looked at
                    waiting += [v for v in self._look(value) if not isinstance(v, PLAIN)]

    def __enter__(self) -> StateSnapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.restore_arrays()
        for read, write, before in self._states:
            with suppress(Exception):
                if not _identical(read(), before):
                    write(before)

    def restore_arrays(self) -> None:
        for array, before in self.changed_arrays():
            with suppress(Exception):
                array[...] = before

    def changed_arrays(self) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """The arrays that are no longer what they were, each with a copy of what it was."""
        return [(array, before) for array, before in self.arrays if not same(array, before)]

    def _keep(self, read: Callable[[], Any], write: Callable[[Any], object]) -> None:
        self._states.append((read, write, read()))

    def _look(self, value: Any) -> Any:
        """Keep the state of one object, and return what else it leads to."""
        if isinstance(value, np.ndarray):
            if value.flags.writeable:
                self.arrays.append((value, value.copy(order="K")))
        elif isinstance(value, np.random.RandomState):
            self._keep(value.get_state, value.set_state)
        elif isinstance(value, random.Random):
            self._keep(value.getstate, value.setstate)
        elif isinstance(value, np.random.Generator):
            bits = value.bit_generator
            self._keep(lambda: bits.state, functools.partial(setattr, bits, "state"))
        elif isinstance(value, functools.partial):
            return [value.func, *value.args, *value.keywords.values()]
        elif isinstance(value, types.MethodType):
            return [value.__func__, value.__self__]
        elif isinstance(value, types.FunctionType):
            return self._look_at_function(value)
        elif isinstance(value, types.CellType) and value != EMPTY_CELL:
            write = functools.partial(setattr, value, "cell_contents")
            self._keep(lambda: [value.cell_contents], lambda before: write(*before))
            return [value.cell_contents]
        elif isinstance(value, dict | list | set | deque):
            self._keep(functools.partial(copy.copy, value), functools.partial(_refill, value))
            return list(value.values() if isinstance(value, dict) else value)
        elif isinstance(value, tuple):
            return value
        elif hasattr(value, "__dict__"):
            return [vars(value)]
        return []

    def _look_at_function(self, function: types.FunctionType) -> list[Any]:
        names, scope = global_names(function.__code__), function.__globals__

        def read() -> dict[str, Any]:
            return {name: scope[name] for name in names if name in scope}

        def write(before: dict[str, Any]) -> None:
            for name in names - set(before):
                scope.pop(name, None)
            scope.update(before)

        self._keep(read, write)
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
        cells = function.__closure__ or ()
        return [*read().values(), *cells, *defaults, vars(function)]


def _refill(container: Any, contents: Any) -> None:
    container.clear()
    add = container.extend if isinstance(container, list | deque) else container.update
    add(contents)


def _identical(now: Any, before: Any) -> bool:
    """Tell whether two containers hold the same objects."""
    if isinstance(now, dict):
        return now.keys() == before.keys() and all(v is before[k] for k, v in now.items())
    if isinstance(now, list | deque):
        return len(now) == len(before) and all(map(operator.is_, now, before))
    return isinstance(now, set) and now == before


# ---- variables that a function reads ----


@functools.lru_cache(maxsize=1000)
def global_names(code: types.CodeType) -> frozenset[str]:
    """The global names that a function's code, nested functions included, reads or sets."""
    names = {
        str(i.argval)
        for i in dis.get_instructions(code)
        if i.opname in ("LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL")
    }
    nested = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return frozenset(names.union(*map(global_names, nested)))


def captured_variables(loss: Callable[..., Any]) -> dict[tuple[str, str], Any]:
    """What a function reads besides its arguments: ("closure" or "global", name) -> value."""
    loss = getattr(loss, "__func__", loss)
    if not isinstance(loss, types.FunctionType):
        return {}
    cells = zip(loss.__code__.co_freevars, loss.__closure__ or (), strict=True)
    found = {("closure", name): c.cell_contents for name, c in cells if c != EMPTY_CELL}
    scope = loss.__globals__
    for function in helpers_of(loss):
        names = global_names(function.__code__)
        found |= {("global", name): scope[name] for name in names if name in scope}
    return found


def helpers_of(loss: types.FunctionType) -> list[types.FunctionType]:
    """The function itself and those of the same namespace that it calls by their global names."""
    found, scope = [loss], loss.__globals__
    for function in found:  # grows on the way
        for value in map(scope.get, sorted(global_names(function.__code__))):
            if isinstance(value, types.FunctionType) and value.__globals__ is scope:
                found += [] if value in found else [value]
    return found


# ---- arrays in nested containers ----


def arrays_in(
    value: Any, path: tuple[Any, ...] = (), around: frozenset[int] = frozenset()
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every array in nested tuples, lists and dicts, with the way to it.

    A container that holds itself, which is one of those `around` (by id), is not looked into again.
    """
    if isinstance(value, np.ndarray):
        yield path, value
    elif (isinstance(value, dict) or type(value) in (list, tuple)) and id(value) not in around:
        for k, v in value.items() if isinstance(value, dict) else enumerate(value):
            yield from arrays_in(v, (*path, k), around | {id(value)})


def copied(
    value: Any,
    copy_array: Callable[[Any], Any] = np.copy,
    around: frozenset[int] = frozenset(),
) -> Any:
    """Nested tuples, lists and dicts with copies of the arrays in them; all else as it is."""
    if isinstance(value, np.ndarray):
        return copy_array(value)
    if id(value) in around:  # a container that holds itself
        return value
    around |= {id(value)}
    if isinstance(value, dict):
        twin = copy.copy(value)  # of the same type
        twin.update({k: copied(v, copy_array, around) for k, v in value.items()})
        return twin
    if type(value) in (list, tuple):
        return type(value)(copied(v, copy_array, around) for v in value)
    return value


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether two arrays hold the same, NaN included."""
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "O":  # of what is in there nothing is known but whether it is the same
        return all(map(operator.is_, a.flat, b.flat))
    if np.array_equal(a, b):
        return True
    may_be_nan = {a.dtype.kind, b.dtype.kind} <= set("fcmM")
    return may_be_nan and np.array_equal(a, b, equal_nan=True)


def first_change(before: Any, after: Any) -> str:
    """Say where an array has changed: "entry (0, 1) went from 2 to 3"; empty where it has not.

    >>> first_change(np.zeros(3), np.array([0.0, 2.0, 5.0]))
    'entry (1,) went from 0 to 2'
    """
    if "O" in (before.dtype.kind, after.dtype.kind):  # as in `same`
        changed = np.array([a is not b for a, b in zip(before.flat, after.flat, strict=True)])
    elif {before.dtype.kind, after.dtype.kind} <= set("biufc"):
        changed = ~((after == before) | ((after != after) & (before != before)))
    else:
        changed = np.asarray(after != before)
    places = np.argwhere(changed.reshape(before.shape))
    if not len(places):
        return ""
    i = tuple(int(k) for k in places[0])
    return f"entry {i} went from {_in_digits(before[i])} to {_in_digits(after[i])}"


def _in_digits(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float | np.number) else shown(value)
