"""`check_layer`: the backward pass of a layer against its forward pass.

The layer becomes a function of one number, sum(out * dout) with a random dout, which is checked
like any loss. Where it fails, the forward pass alone gives the Jacobian J of the layer; each known
mistake is a gradient that follows from J, dout, the inputs and the output.

Raises TypeError where forward and backward are not of the form described.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..validation import Rng, as_array, as_floats, as_rng
from .backward import ACTIVATIONS, TERMS, Array, BackwardTerms
from .check import examine
from .codes import Code
from .evaluate import Evaluation, UnusableGradientError, is_nothing
from .locate import Place, unidentified
from .mistakes import MISTAKES, Mistake
from .report import Finding, GradientReport, capitalized, never_filled, not_written
from .slopes import Detector
from .snapshot import copied

DRAWS = 2  # of dout
SEED = 97  # not 0: a dout that was drawn like the inputs could be equal to them
MOST = 2_000  # entries of an input that are differentiated one by one
STEP = 1e-5
EPSILONS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)  # that people add to a variance
NO_DOUT = "dout is left out: multiply by what comes from above, as the chain rule says."
UNCHANGED = "dout passes unchanged: multiply it by the {}."
UNSCALED = "The mask is applied, but not the factor beside it in the forward pass: use its mask."
DIAGONAL = (
    "Only the diagonal of the derivative is used: an input acts on other outputs of its row or "
    "column, too."
)
MOVED = (
    "These are the right numbers in the wrong places: transpose, do not reshape, or exchange the "
    "factors of the product."
)
SHIFTED = (
    "It is shifted by {pad}: the padding was cut off at one end only. Take [{pad}:-{pad}] along "
    "each padded axis."
)
SUM_OF_ALL = "Every entry gets the sum over all of dout: sum over the other axes only."
LAST_KEPT = (
    "Of several contributions to an entry only the last is kept: where windows overlap or an index "
    "repeats, write += (np.add.at for an array of indices), not =."
)
Prediction = tuple[Code, str, Any]  # the gradient that a mistake leads to, and how to say it


def check_layer(
    forward: Callable[..., Any], backward: Callable[..., Any], *inputs: Any,
    dout: Any = None, rng: Rng | None = None, **settings: Any,
) -> GradientReport:  # fmt: skip
    r"""Check the backward pass of a layer, and say what is wrong with it.

    The gradient of :math:`\sum_k out_k\, dout_k` by each input is compared with its slopes, for
    random ``dout``, as in `check_gradient`.

    Parameters
    ----------
    forward : callable
        ``forward(*inputs, **settings) -> (out, cache)``.
    backward : callable
        ``backward(dout, cache) -> gradients`` in the order of the inputs; one array where there is
        one input, None for what has no gradient.
    *inputs
        Arrays of floats are checked. All else (labels, a dict of settings) is passed on.
    dout : array of the output's shape, optional
        What comes from above; default: drawn by `rng`, twice.
    rng : Generator or RandomState
    **settings
        Passed on to `forward`.

    Returns
    -------
    GradientReport
        True where the gradients are correct; findings name the input that they belong to.

    Raises
    ------
    Exception
        Whatever the layer itself raises.

    Examples
    --------
    The biases are added to every example, so their gradient is a sum over the examples:

    >>> def affine_forward(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def affine_backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, dout.mean(axis=0)
    >>> x, w, b = np.arange(6.0).reshape(3, 2), np.ones((2, 4)), np.zeros(4)
    >>> report = check_layer(affine_forward, affine_backward, x, w, b)
    >>> report.verdict, report.findings[0].parameter, report.findings[0].code
    ('wrong', 'b', 'scale_inv_N')
    """
    rng = as_rng(np.random.RandomState(SEED) if rng is None else rng)
    evaluations = 0
    for _ in range(DRAWS if dout is None else 1):
        layer = Layer(forward, backward, inputs, settings, rng, dout)
        report = examine((layer, layer.params, (), {}), rng, layer.explain)
        evaluations += report.evaluations
        if not report:
            break
    return replace(report, evaluations=evaluations)


class Layer:
    """A layer as a loss, sum(out * dout), of those inputs that have a gradient."""

    def __init__(
        self, forward: Callable[..., Any], backward: Callable[..., Any], inputs: tuple[Any, ...],
        settings: dict[str, Any], rng: Rng, dout: Any,
    ) -> None:  # fmt: skip
        self.forward, self.backward, self.settings = forward, backward, settings
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [n for n, p in inspect.signature(forward).parameters.items() if p.kind in kinds]
        names += [f"input {k + 1}" for k in range(len(names), len(inputs))]
        self.inputs = dict(zip(names, inputs, strict=False))
        self.params = {
            k: v
            for k, v in self.inputs.items()
            if isinstance(v, np.ndarray) and v.dtype.kind == "f"
        }
        if not self.params:
            raise TypeError(
                "none of the inputs is an array of floats, so there is no gradient to check: pass "
                "x.astype(float)"
            )
        self.rng, self.dout = rng, None if dout is None else as_floats("dout", dout)

    def __call__(self, params: Mapping[str, Any]) -> tuple[float, dict[str, Any]]:
        out, cache = self.outputs(params)
        if self.dout is None:
            self.dout = self.rng.standard_normal(out.shape)
        if self.dout.shape != out.shape:
            raise ValueError(f"dout has shape {self.dout.shape}, but it must be out's, {out.shape}")
        returned = self.backward(self.dout.copy(), cache)
        if isinstance(returned, Mapping):
            returned = [returned.get(k, returned.get(f"d{k}")) for k in self.inputs]
        if not isinstance(returned, tuple | list):
            returned = [returned] * (len(self.params) if returned is None else 1)
        names = self.inputs if len(returned) == len(self.inputs) else self.params
        if len(returned) != len(names):
            raise TypeError(
                f"backward returned {len(returned)} gradients for the inputs "
                f"{', '.join(self.inputs)}, but it must return one for each, in this order: None "
                "for an input that has none"
            )
        found = dict(zip(names, returned, strict=True))
        return float(np.sum(out * self.dout)), {k: found[k] for k in self.params}

    def outputs(self, params: Mapping[str, Any]) -> tuple[Any, Any]:
        """Output and cache at these parameters."""
        inputs = {k: params.get(k, copied(v)) for k, v in self.inputs.items()}
        returned = self.forward(*inputs.values(), **copied(self.settings))
        if is_nothing(returned) or (isinstance(returned, tuple) and is_nothing(returned[0])):
            raise UnusableGradientError([not_written("forward returns None")])
        if not isinstance(returned, tuple | list) or len(returned) != 2:
            raise TypeError(
                f"forward returned {type(returned).__name__}, but it must return two things, "
                "(out, cache): what backward needs goes into cache"
            )
        return as_array("out", returned[0]), returned[1]

    # ---- what is wrong ----

    def explain(
        self, call: Any, detector: Detector, at: Evaluation, places: Mapping[str | None, Place]
    ) -> list[Finding]:
        """A finding for each input whose gradient is wrong."""
        values = {k: v.copy() for k, v in detector.function.blocks.split(at.x).items()}
        analytic = detector.function.blocks.split(at.gradient)
        jacobians = {k: self._jacobian(values, k) for k, v in values.items() if v.size <= MOST}
        found = []
        for label, place in places.items():
            name = str(label)
            finding = None
            if not analytic[name].any():
                finding = never_filled(name)
            elif name in jacobians:
                finding = self._named(name, analytic[name], values, jacobians)
            if finding is None and not (place.everywhere and name in jacobians):
                [finding] = unidentified(call, detector, at, {label: place})
            elif finding is None:
                message = (
                    f"No known mistake explains it: write down how {name} acts on the output; its "
                    "gradient is that derivative times dout, summed over the outputs."
                )
                finding = Finding(Code.UNEXPLAINED, message, name)
            found.append(finding)
        return found

    def _jacobian(self, values: Mapping[str, Array], name: str) -> Array:
        """(outputs, entries of one input), by central differences of the forward pass."""
        columns, x = [], values[name]
        step = STEP * (float(np.sqrt(np.mean(x**2))) or 1.0)
        for k in range(x.size):
            ends = []
            for h in (step, -step):
                moved = {n: v.copy() for n, v in values.items()}
                moved[name].flat[k] += h
                ends.append(np.ravel(self.outputs(moved)[0]).astype(float))
            columns.append((ends[0] - ends[1]) / (2 * step))
        return np.stack(columns, axis=1)

    def _named(
        self, name: str, analytic: Array, values: Mapping[str, Array], jacobians: dict[str, Array]
    ) -> Finding | None:
        """The first mistake that predicts the gradient of an input, up to a known factor."""
        assert self.dout is not None
        d = np.ravel(self.dout).astype(float)
        right = {k: (d @ J).reshape(values[k].shape) for k, J in jacobians.items()}
        for other, array in right.items():
            if other != name and _same(analytic, array):
                message = (
                    f"This is the gradient of {other}: return them in the order of the inputs."
                )
                return Finding(Code.SWAPPED_KEYS, message, name)
        out = np.asarray(self.outputs(values)[0], dtype=float)
        case = Case(name, values, jacobians[name], d, out, right[name], analytic)
        for code, message, predicted in case.predictions():
            if _same(analytic, predicted):
                return Finding(code, message, name)
        factor = float(np.vdot(analytic, right[name]) / np.vdot(right[name], right[name]))
        return case.factor(factor) if _same(analytic, factor * right[name]) else None


def _same(a: Array, b: Any, tolerance: float = 1e-5) -> bool:
    if np.shape(b) != a.shape or not np.isfinite(b).all():
        return False
    return bool(np.linalg.norm(a - b) <= tolerance * max(np.linalg.norm(a), np.linalg.norm(b)))


@dataclass(frozen=True)
class Case:
    """One input of a layer, and the gradients that known mistakes make of it."""

    name: str
    values: Mapping[str, Array]
    jacobian: Array  # (outputs, entries)
    d: Array  # dout, flat
    out: Array
    right: Array
    analytic: Array

    @property
    def x(self) -> Array:
        return self.values[self.name]

    def factor(self, factor: float) -> Finding:
        """The gradient is the right one times a number."""
        n = len(self.out) if self.out.ndim else 1
        terms = round((np.abs(self.jacobian) > 1e-9).sum() / self.x.size)  # of each entry's sum
        for value, code, message in [
            (-1, Code.SIGN, "The sign is wrong."),
            (n, Code.SCALE_N, f"It is N = {n} times too large."),
            (1 / n, Code.SCALE_INV_N, f"It is N = {n} times too small: sum over the examples; a "
             "mean, where the loss has one, is in dout already."),
            (1 / max(terms, 1), Code.SCALE_CONST, f"It is {terms} times too small: sum over all "
             "outputs that it acts on; a mean, where the loss has one, is in dout already."),
            (0.5, Code.SCALE_HALF, "It is half of what it should be."),
        ]:  # fmt: skip
            if abs(factor - value) <= 1e-4 * abs(value):
                return Finding(code, message, self.name, factor=factor)
        message = f"It is {factor:.4g} times what it should be: compare with the forward pass."
        return Finding(Code.SCALE_CONST, message, self.name, factor=factor)

    def predictions(self) -> Iterator[Prediction]:
        """The wrong gradients, in the order in which they are believed."""
        shape = self.x.shape
        yield Code.IGNORES_ARGUMENT, NO_DOUT, self.jacobian.sum(axis=0).reshape(shape)
        if self.out.shape == shape:
            yield from self._elementwise()
        if len(shape) > 1:
            yield Code.TRANSPOSE, MOVED, self.right.T.reshape(shape)
            yield Code.TRANSPOSE, MOVED, np.swapaxes(self.right, -1, -2).reshape(shape)
            yield Code.TRANSPOSE, MOVED, np.flip(self.right, (-1, -2))
        yield from self._dense()
        yield from self._shifted()
        yield Code.BIAS_AXIS, SUM_OF_ALL, np.full(shape, self.d.sum())
        yield from self._examples()
        yield from self._overwritten()

    def _elementwise(self) -> Iterator[Prediction]:
        """The output has the shape of the input: activations, dropout, softmax, normalization."""
        J, shape = self.jacobian, self.x.shape
        d, slope = self.d.reshape(shape), J.diagonal().reshape(shape)
        if np.abs(J - np.diag(J.diagonal())).max() > 1e-6:
            yield Code.SOFTMAX_JACOBIAN_DIAGONAL, DIAGONAL, slope * d
            yield from self._normalized()
            return
        if slope.all():
            yield Code.ACTIVATION_DERIVATIVE_MISSING, UNCHANGED.format("slope of the layer"), d
        else:
            yield Code.RELU_MASK_MISSING, UNCHANGED.format("mask of the forward pass"), d
            yield Code.RELU_MASK_WRONG, UNSCALED, d * (slope != 0)
        names = {k for k, a in ACTIVATIONS.items() if _same(self.out, a.value(self.x))}
        terms = {"z_in": self.x, "a": self.out, "slope": slope, "dh": d}
        for mistake in MISTAKES:
            if mistake.term == "slope" and names & set(mistake.when):
                yield from _predicted(mistake, terms, shape, d)

    def _dense(self) -> Iterator[Prediction]:
        """Out = x @ w + b, with x of any shape: the mistakes of the products."""
        n = len(self.out) if self.out.ndim == 2 else 0
        for x in [v for v in self.values.values() if n and v.ndim > 1 and len(v) == n]:
            a = x.reshape(n, -1)
            for w in [
                v for v in self.values.values() if v.shape == (a.shape[1], self.out.shape[1])
            ]:
                rest = self.out - a @ w
                if np.ptp(rest, axis=0).max() > 1e-9 * max(np.abs(self.out).max(), 1):
                    continue
                term = "dh" if self.x is x else "dW" if self.x is w else "db"
                delta = self.d.reshape(self.out.shape)
                terms = {"a": a, "W": w, "b": rest[0], "delta": delta, "N": n}
                for mistake in MISTAKES:
                    if mistake.term == term and not mistake.when:
                        yield from _predicted(mistake, terms, self.x.shape)

    def _shifted(self) -> Iterator[Prediction]:
        """A pad that was not cut off: everything stands some places further on."""
        for axes in [(-1,), (-2, -1), (1, 2)] if self.x.ndim > 2 else []:
            most = min(self.x.shape[k] for k in axes) // 2
            for pad, up in itertools.product(range(1, min(most, 3) + 1), (True, False)):
                ends = [[slice(None)] * self.x.ndim for _ in range(2)]
                for axis in axes:
                    ends[up][axis], ends[not up][axis] = slice(pad, None), slice(None, -pad)
                predicted = self.analytic.copy()  # nothing is known of what lies in the pad
                predicted[tuple(ends[1])] = self.right[tuple(ends[0])]
                if predicted[tuple(ends[1])].any():
                    yield Code.PAD_SHIFT, SHIFTED.format(pad=pad), predicted

    def _normalized(self) -> Iterator[Prediction]:
        """Mean and variance of a normalization depend on x, which brings a term for each."""
        x, d = self.x, self.d.reshape(self.x.shape)
        others = [v for k, v in self.values.items() if k != self.name and v.ndim < x.ndim + 1]
        rest = tuple(k for k in range(x.ndim) if k != 1)
        others += [v.reshape(-1, *[1] * (x.ndim - 2)) for v in others if x.ndim > 2 and v.ndim == 1]
        axes_of = dict.fromkeys([(0,), (x.ndim - 1,), rest] if x.ndim > 1 else [])
        for axes in axes_of:
            center = x - x.mean(axes, keepdims=True)
            for gamma, eps in itertools.product([np.ones(1), *others], EPSILONS):
                std = np.sqrt((center**2).mean(axes, keepdims=True) + eps)
                try:
                    u = d * gamma / std
                except ValueError:  # not of a shape that meets x
                    continue
                hat = center / std
                terms = [u, u.mean(axes, keepdims=True) + 0 * u]
                terms.append(hat * (u * hat).mean(axes, keepdims=True))
                if not _same(self.right, terms[0] - terms[1] - terms[2], 1e-7):
                    continue
                columns = np.stack([t.ravel() for t in terms], axis=1)
                of = np.linalg.lstsq(columns, self.analytic.ravel(), rcond=None)[0]
                said = [
                    f"the term through the {what} is {_times(-c)}"
                    for what, c in zip(("mean", "variance"), of[1:], strict=True)
                    if abs(c + 1) > 1e-3
                ]
                if abs(of[0] - 1) < 1e-3 and said:
                    message = f"{' and '.join(said)}: mean and variance depend on every x, too."
                    yield Code.NORMALIZATION_TERM, capitalized(message), np.tensordot(of, terms, 1)
                return

    def _examples(self) -> Iterator[Prediction]:
        """Some of the examples are left out."""
        n = len(self.out) if self.out.ndim > 1 else 0
        if not 1 < n < self.x.size:
            return
        parts = (self.jacobian * self.d[:, np.newaxis]).reshape(n, -1, self.x.size).sum(axis=1)
        weights = np.linalg.lstsq(parts.T, self.analytic.ravel(), rcond=None)[0]
        kept, all_of = weights > 0.5, ", ".join(map(str, np.flatnonzero(weights <= 0.5)))
        message = f"Of {n} examples these contribute nothing: {all_of}; sum over all of them."
        if kept.sum() == 1:
            message = f"Only example {kept.argmax()} contributes: sum over all, += inside the loop."
        yield Code.EXAMPLE_DROPPED, message, (kept @ parts).reshape(self.x.shape)

    def _overwritten(self) -> Iterator[Prediction]:
        """Of all that an entry gets in a loop over some axes of the output, the last is kept."""
        J, index = self.jacobian, np.indices(self.out.shape).reshape(self.out.ndim, -1)
        acts = np.abs(J) > 1e-9
        for count in range(1, self.out.ndim + 1):
            for axes in itertools.combinations(range(self.out.ndim), count):
                turn = np.ravel_multi_index(
                    tuple(index[list(axes)]), tuple(self.out.shape[k] for k in axes)
                )
                last = np.where(acts, turn[:, np.newaxis], -1).max(axis=0)
                for kept in (turn[:, np.newaxis] == last, turn[:, np.newaxis] == turn[-1]):
                    predicted = self.d @ np.where(kept, J, 0)
                    yield Code.OVERWRITTEN, LAST_KEPT, predicted.reshape(self.x.shape)


def _times(c: float) -> str:
    return "missing" if abs(c) < 1e-3 else f"{c:.4g} times what it should be"


def _predicted(
    mistake: Mistake, terms: dict[str, Any], shape: tuple[int, ...], factor: Any = 1.0
) -> Iterator[Prediction]:
    """What one of the mistakes of a backward pass makes of this layer, if it fits."""
    with suppress(Exception):  # it needs terms that this layer does not have
        wrong = np.asarray(mistake.wrong(BackwardTerms(TERMS, terms)), dtype=float)
        yield mistake.code, capitalized(f"{mistake.message}."), factor * wrong.reshape(shape)
