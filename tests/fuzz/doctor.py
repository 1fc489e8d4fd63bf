"""Check the gradients of right and wrong losses with odd input: ``python tests/fuzz/doctor.py``.

Each case is a loss whose gradient is known to be right or wrong, called with one or two oddities:
in the parameters, the data, the way it is called, or what it returns. Allowed are the right
verdict, an error that the package raises itself, and the loss' own error.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from runner import ViolationError, main, outcome

from cs231n_helpers import check_gradient, softmax_loss_vectorized, svm_loss_vectorized

# ---- losses: each takes (params, *data), and is right ----


def quadratic(w, a, t):
    return np.sum(a * (w - t) ** 2) / a.size, 2 * a * (w - t) / a.size


def linear(w, a, t):
    return np.sum(np.round(3 * a) * w), np.round(3 * a) + 0 * w


def log_cosh(w, a, t):
    return np.mean(np.logaddexp(a * w - t, t - a * w)), a * np.tanh(a * w - t) / a.size


def cross_entropy(W, X, y, reg):
    S = X @ W
    S = S - S.max(axis=1, keepdims=True)
    logP = S - np.log(np.exp(S).sum(axis=1, keepdims=True))
    dS = np.exp(logP)
    rows = np.arange(len(S))
    dS[rows, y] -= 1
    value = -logP[rows, y].mean() + 0.5 * reg * np.sum(W * W)
    return value, X.T @ dS / len(S) + reg * W


def of_dict(loss):
    """The same for a dict of two arrays, with data for each."""

    def both(params, *data):
        half = len(data) // 2
        parts = zip(params.items(), (data[:half], data[half:]), strict=True)
        found = {k: loss(w, *own) for (k, w), own in parts}
        return sum(v for v, _ in found.values()), {k: g for k, (_, g) in found.items()}

    return both


# ---- a case ----

FINE, ODD = True, False  # fine: only the right verdict will do; odd: an error of our own as well


@dataclass
class Case:
    """A call, what is odd about it, and what may come out."""

    rng: np.random.Generator
    loss: Callable[..., Any]
    params: Any
    data: list[Any]
    wrong: bool = False
    fine: bool = True
    rounded: bool = False  # inconclusive is right, too
    unknown: bool = False  # either verdict may be right
    changes: list[Callable[[Any], Any]] = field(default_factory=list)  # of what is returned
    oddities: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def returned(self, *args, **kwargs):
        found = self.loss(*args, **kwargs)
        for change in self.changes:
            found = change(found)
        return found

    def entry(self, values, number):
        """A copy in which one entry is this number."""
        array = np.array(values, float)
        array[tuple(self.rng.integers(n) for n in array.shape)] = number
        return array


def plain(rng: np.random.Generator) -> Case:
    """A right loss with usual parameters and data."""
    kind = rng.integers(6)
    if kind < 3:
        shape = [(), (3,), (1, 4), (5, 2), (2, 3, 2)][rng.integers(5)]
        loss = (quadratic, linear, log_cosh)[rng.integers(3)]
        params, *data = (rng.standard_normal(shape) for _ in range(3))
        data[0] = np.asarray(data[0]) + 0.7 * np.sign(data[0])
        return Case(rng, loss, params, [np.asarray(v) for v in data])
    N, D, C = rng.integers(2, 30), rng.integers(2, 8), rng.integers(2, 6)
    W, X, y = rng.standard_normal((D, C)), rng.standard_normal((N, D)), rng.integers(0, C, N)
    if kind == 3:
        shapes = [(3,), (2, 4)]
        arrays = [[rng.standard_normal(s) for s in shapes] for _ in range(3)]
        params = dict(zip(("W", "b"), arrays[0], strict=True))
        data = [arrays[1][0], arrays[2][0], arrays[1][1], arrays[2][1]]
        return Case(rng, of_dict(quadratic), params, data)
    loss = (cross_entropy, svm_loss_vectorized, softmax_loss_vectorized)[rng.integers(3)]
    return Case(rng, loss, W, [X, y, 0.1])


def mistaken(case: Case) -> None:
    """Make the gradient wrong."""
    case.wrong = True
    how = case.rng.integers(3)

    def spoiled(gradient):
        gradient = np.array(gradient)
        if how == 2:
            gradient[(0,) * gradient.ndim] += 0.5 + np.abs(gradient).max()
            return gradient
        return gradient * (3.0, -1.0)[how]

    def change(found):
        value, gradient = found
        if isinstance(gradient, dict):
            return value, {k: spoiled(g) for k, g in gradient.items()}
        return value, spoiled(gradient)

    case.changes.append(change)


# ---- oddities ----


def _masked(a):
    return np.ma.array(a, mask=np.arange(np.size(a)).reshape(np.shape(a)) == 0)


def _strided(a):
    return np.repeat(np.atleast_1d(a), 2, axis=0)[::2].reshape(np.shape(a))


def _read_only(a):
    a = np.array(a)
    a.flags.writeable = False
    return a


def _ragged(a):
    return [[1.0], [2.0, 3.0]]


def _structured(a):
    return np.zeros(np.shape(a), [("a", float)])


class Array(np.ndarray):
    """A class of one's own."""


class Unreadable:
    """It says that it is an array, and is not."""

    def __array__(self, *_, **__):
        raise RuntimeError("no array")


LAYOUTS = {  # the same numbers otherwise
    "list": np.ndarray.tolist, "F": np.asfortranarray, "strided": _strided,
    "read-only": _read_only, "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "subclass": lambda a: a.view(Array),
}  # fmt: skip
REFUSED = {  # what holds no real numbers, or not the numbers that it shows
    "masked": _masked, "without a mask": np.ma.array, "complex": lambda a: a + 0j,
    "object": lambda a: a.astype(object), "strings": lambda a: a.astype(str), "ragged": _ragged,
    "structured": _structured, "None": lambda a: None, "dates": lambda a: a.astype("M8[s]"),
    "spans": lambda a: a.astype("m8[s]"), "text": lambda a: "abc", "bool": lambda a: a > 0,
    "empty": lambda a: a[..., :0] if a.ndim else a[None][:0],
    "fractions": lambda a: np.vectorize(Fraction, [object])(a).tolist(),
    "huge integers": lambda a: [10**400] * a.size, "a dict of dicts": lambda a: {"a": {"b": a}},
    "bytes": lambda a: b"abc", "a set": lambda a: {1.0, 2.0}, "iterator": lambda a: iter(a.ravel()),
    "void": lambda a: np.zeros(a.shape, "V8"), "a function": lambda a: np.sum,
    "a list of arrays": lambda a: [np.ones(2), np.ones(3)], "unreadable": lambda a: Unreadable(),
}  # fmt: skip
NUMBERS = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "1e300": 1e300, "1e160": 1e160,
           "1e60": 1e60, "1e308": 1.7e308}  # fmt: skip
TINY = {"1e-300": 1e-300, "1e-160": 1e-160, "denormal": 5e-324, "zero": 0.0}


def pick(rng, table):
    name = list(table)[rng.integers(len(table))]
    return name, table[name]


def _in_params(case: Case, change: Callable[[Any], Any]) -> None:
    if isinstance(case.params, dict):
        key = list(case.params)[case.rng.integers(len(case.params))]
        case.params = {k: change(v) if k == key else v for k, v in case.params.items()}
    else:
        case.params = change(np.asarray(case.params))


def odd_params(case: Case) -> str:
    """Parameters of another form, dtype or size."""
    rng, kind = case.rng, case.rng.integers(6)
    if kind == 0:
        name, change = pick(rng, LAYOUTS)
        _in_params(case, change)
    elif kind == 1:
        name, change = pick(rng, REFUSED)
        _in_params(case, change)
        case.fine = False
    elif kind == 2:
        name = ("float32", "float16", "longdouble", "int8", "uint8", "uint64")[rng.integers(6)]
        _in_params(case, lambda a: (3 * np.abs(a)).astype(name))
    elif kind == 3:
        name, number = pick(rng, NUMBERS)
        _in_params(case, lambda a: case.entry(a, number))
        case.fine = False
    elif kind == 4:
        name, number = pick(rng, TINY)
        _in_params(case, lambda a: a * number)
        case.rounded = True
    elif isinstance(case.params, dict):
        keys = [(1, 2), ("a b", "$x_"), (None, True), ((1, 2), 3.5), ("", "<b>")][rng.integers(5)]
        case.params = dict(zip(keys, case.params.values(), strict=True))
        name = f"the keys {keys}"
    else:
        name, case.fine = "np.matrix", False
        _in_params(case, lambda a: a.view(np.matrix) if a.ndim < 3 else a)
    return f"params: {name}"


def odd_data(case: Case) -> str:
    """One of the arguments."""
    rng, at = case.rng, case.rng.integers(len(case.data))
    value, kind = case.data[at], case.rng.integers(5)
    case.fine = False
    if np.ndim(value) == 0 and not isinstance(value, np.ndarray):
        name, number = pick(rng, {**NUMBERS, "0": 0.0, "-1": -1.0, "True": True, "text": "0.1"})
        case.data[at], case.rounded, case.unknown = number, True, True
    elif value.dtype.kind == "i":
        name, change = pick(rng, {
            "uint8": lambda y: y.astype(np.uint8), "list": np.ndarray.tolist,
            "beyond intp": lambda y: y.astype(np.uint64) - np.uint64(9),
            "2**40": lambda y: y + 2**40, "negative": lambda y: y - 2, "floats": lambda y: y * 1.0,
            "one-hot": lambda y: np.eye(9)[y], "column": lambda y: y[:, np.newaxis], **REFUSED,
        })  # fmt: skip
        case.data[at] = change(value)
        case.unknown |= name in ("None", "negative", "beyond intp", "column")
    elif kind == 0:
        name, change = pick(rng, LAYOUTS)
        case.data[at] = change(value)
        case.fine = name != "list"
        case.unknown |= name == "list"  # 3 * a is a longer one
    elif kind == 1:
        name, change = pick(rng, REFUSED)
        case.data[at] = change(value)
        case.rounded = True
        case.unknown |= name in ("masked", "bool", "empty")
    elif kind == 2:
        name = ("float32", "float16", "longdouble", "uint8")[rng.integers(4)]
        case.data[at] = (3 * np.abs(value) + 1).astype(name)
    elif kind == 3:
        name, number = pick(rng, NUMBERS)
        case.data[at], case.rounded = case.entry(value, number), True
        case.unknown |= not abs(number) < 1e50  # all slopes drown, if there are any
    else:
        name, number = pick(rng, TINY)
        case.data[at], case.rounded, case.unknown = value * number, True, True
    return f"argument {at + 2}: {name}"


def odd_gradient(case: Case) -> str:
    """Another form of the gradient that is returned."""
    rng, kind = case.rng, case.rng.integers(6)
    name, change = pick(rng, LAYOUTS)
    if kind == 1:
        name, change = pick(rng, REFUSED)
        case.fine = False
    elif kind == 2:
        name = ("float32", "float16", "longdouble")[rng.integers(3)]
        case.rounded = name != "longdouble"
    elif kind == 3:
        name = ("int8", "uint8", "int64", "uint64")[rng.integers(4)]
        case.unknown |= case.loss is linear
        case.wrong, case.rounded = True, True
    elif kind == 4:
        name, change = "matrix", lambda a: a.view(np.matrix) if a.ndim < 3 else a
    elif kind == 5:
        number = (np.nan, np.inf)[rng.integers(2)]
        name, change, case.wrong = str(number), lambda a: case.entry(a, number), True
    if kind in (2, 3):
        change = lambda a: np.asarray(a).astype(name)  # noqa: E731
    case.wrong = case.wrong or name in ("masked", "empty")

    def other(found):
        value, gradient = found
        if not isinstance(gradient, dict):
            return value, change(np.asarray(gradient))
        last = list(gradient)[-1]
        extra = {"more": _ragged(0)} if rng.integers(2) else {}
        return value, {k: change(g) if k == last else g for k, g in gradient.items()} | extra

    case.changes.append(other)
    return f"gradient: {name}"


VALUES = {
    "0-d": np.asarray, "in a list": lambda v: [v], "longdouble": np.longdouble, "float": float,
    "Fraction": Fraction, "Decimal": Decimal, "huge": lambda v: 10**400,
    "1e4000": lambda v: np.longdouble("1e4000"), "masked": lambda v: np.ma.masked, "str": str,
    "None": lambda v: None, "bool": lambda v: True, "float16": np.float16, "complex": complex,
    "float32": np.float32, "ragged": _ragged, "generator": lambda v: (v for v in [v]),
    "two": lambda v: [v, v], "object": lambda v: np.array(v, object), "inf": lambda v: np.inf,
    "date": lambda v: np.datetime64("2020"), "1e300": lambda v: v * 1e300,
}  # fmt: skip


def odd_value(case: Case) -> str:
    """Another kind of loss."""
    name, change = pick(case.rng, VALUES)
    case.fine = name in ("0-d", "in a list", "longdouble", "float", "float32")
    case.rounded = name in ("float32", "1e300")
    case.wrong = case.wrong or name == "inf"
    case.unknown |= name == "1e300"
    case.changes.append(lambda found: (change(found[0]), found[1]))
    return f"value: {name}"


FORMS = {
    "a list": list, "three": lambda found: (*found, 1), "one": lambda found: found[0],
    "exchanged": lambda found: found[::-1], "None": lambda found: None, "a generator": iter,
    "a dict": lambda found: {"loss": 1.0, "gradient": 2.0}, "text": lambda found: "ab",
    "an array": lambda found: np.array([1.0, 2.0]), "a number": lambda found: 3,
}  # fmt: skip


def odd_form(case: Case) -> str:
    """Something else than two things."""
    name, change = pick(case.rng, FORMS)
    case.fine = name == "a list"
    case.wrong = case.wrong or name == "exchanged"
    case.unknown |= name == "one"  # a list of two may stand for a loss and its gradient
    case.changes.append(change)
    return f"returns: {name}"


def odd_rng(case: Case) -> str:
    """The generator."""
    rngs = {"3": 3, "text": "a", "module": np.random, "class": np.random.RandomState,
            "Generator": np.random.default_rng(3), "None": None}  # fmt: skip
    name, case.settings["rng"] = pick(case.rng, rngs)
    case.fine = case.fine and name in ("Generator", "None")
    return f"rng: {name}"


ODDITIES = (odd_params, odd_data, odd_gradient, odd_value, odd_form, odd_rng)
SHARES = (0.35, 0.25, 0.2, 0.1, 0.05, 0.05)


def make(rng: np.random.Generator) -> tuple[Case, str]:
    """Return a random case, and what is odd about it."""
    case = plain(rng)
    if rng.integers(2):
        mistaken(case)
    chosen = rng.choice(len(ODDITIES), rng.integers(1, 3), replace=False, p=SHARES)
    fine, rounded, said = True, False, [case.loss.__name__]
    for k in sorted(chosen):
        case.fine, case.rounded = True, False
        said.append(ODDITIES[k](case))
        fine, rounded = fine and case.fine, rounded or case.rounded
    case.fine, case.rounded = fine and len(chosen) == 1, rounded or len(chosen) > 1
    said.append("a wrong gradient" if case.wrong else "a right gradient")
    return case, "; ".join(said)


def called(case: Case):
    """The loss and its arguments, in one of the ways to call it."""
    loss, data, way = case.returned, case.data, case.rng.integers(4)
    if way == 0:
        return (lambda params: loss(params, *data)), ()
    if way == 1:
        return functools.partial(loss), data
    if way == 2:
        held = SimpleNamespace(data=data)
        return (lambda params: loss(params, *held.data)), ()
    return (lambda params, *rest: loss(params, *rest)), data


def case(rng: np.random.Generator) -> str:
    """Check the gradient of a random loss, and return the verdict, or who refused it."""
    made, said = make(rng)
    loss, data = called(made)
    try:
        report = outcome(lambda: shown(check_gradient(loss, made.params, *data, **made.settings)))
    except ViolationError as violation:
        notes = getattr(violation.__cause__, "__notes__", ())
        if made.fine or not any("raised inside the loss" in note for note in notes):
            raise ViolationError(f"{violation} [{said}]") from violation
        return "the loss' error"
    if isinstance(report, Exception):
        if made.fine:
            raise ViolationError(f"refused: {report} [{said}]")
        return "our error"
    expected = {"wrong" if made.wrong else "correct"}
    expected |= {"inconclusive"} if made.rounded else set()
    expected |= {"correct", "wrong"} if made.unknown else set()
    if report.verdict not in expected:
        raise ViolationError(f"{report.verdict} and not {expected} [{said}]")
    return report.verdict


def shown(report: Any) -> Any:
    """Write a report in every form, and draw each twentieth."""
    texts = str(report), repr(report), report._repr_html_(), report.explain()
    if not all(texts[:3]):
        raise ViolationError("the report is empty")
    if len(texts[0]) % 20 == 0 and report._pictures is not None:
        report.plot()
    return report


if __name__ == "__main__":
    raise SystemExit(main(__doc__ or "", case))
