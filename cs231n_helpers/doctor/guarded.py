"""Eps inside the log: how large it is, and the same loss without it.

A loss that takes log(p + eps) is not quite the one whose gradient is P - onehot(y). Where p is 0
it ends at -log(eps), so the size is told by how much the loss grows as the scores do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ..gradient_check import eval_numerical_gradient
from .backward import BackwardTerms, Model
from .identify import Match, Measurement, arrays_of, models
from .layouts import ParameterLayout

Form = Callable[[Any, float], Any]
FORMS: dict[str, Form] = {
    "log(p + {eps})": lambda p, eps: p + eps,
    "log(max(p, {eps}))": np.maximum,
    "log(clip(p, {eps}, 1 - {eps}))": lambda p, eps: np.clip(p, eps, 1 - eps),
}
FAR = 300.0  # the largest score, so that its exp is a float with the maximum subtracted or not
LEAST, MOST = 1e-30, 0.5


@dataclass(frozen=True)
class Guard:
    """The loss takes log(p + eps), or something like it."""

    form: str
    eps: float
    unguarded: Measurement  # of the same loss without it

    def __str__(self) -> str:
        return self.form.format(eps=f"{self.eps:.1g}")


def find_guard(measurement: Measurement, match: Match | None) -> Guard | None:
    """Find eps in the log of a cross-entropy, of the one that matches even so, if one does."""
    for layout in [match.layout] if match else measurement.problem.layouts:
        learner = cache(partial(_value, measurement, layout))
        for model in [match.model] if match else models(measurement, layout):
            if model.output_loss.name in ("softmax", "logistic"):
                with np.errstate(all="ignore"):
                    found = _guard_of(measurement, layout, model, learner)
                if found is not None:
                    return found
    return None


def _guard_of(
    measurement: Measurement, layout: ParameterLayout, model: Model,
    learner: Callable[[float, int], float],
) -> Guard | None:  # fmt: skip
    """Find the eps that explains how a multiple of this model's loss grows with the scores."""
    S = model.forward()[0][-1]
    # a power of two: models whose scores are about as large share the learner's evaluations
    far = float(np.exp2(np.floor(np.log2(FAR / max(float(np.abs(S).max()), 1e-9)))))
    if not math.isfinite(learner(far, 0)):
        return None
    some = next(iter(FORMS.values()))

    @cache
    def terms(scale: float, by: int) -> BackwardTerms:
        """Those of scaled scores, those of classes exchanged."""
        return model.terms_of_scores(scale * np.roll(S, by, axis=1))

    def rise(scale: float, by: int) -> float:
        return _loss(model, terms(scale, by), some, 1e-9)

    # far away, where the loss is large; and a penalty inside, which is the same there, cancels
    classes = 1 if measurement.problem.by_input else S.shape[1]
    points = [(sign * far, by) for sign in (1, -1) for by in range(classes)]
    most = max(points, key=lambda point: rise(*point))
    least = min(points, key=lambda point: rise(*point)) if measurement.penalty_is_inside else None

    def difference(value: Callable[[float, int], float], scale: float) -> float:
        sides = [value(scale * point[0] / far, point[1]) for point in (most, least) if point]
        return sides[0] - sum(sides[1:])

    tried = (0.5, 2.0, far / 2)
    measured = cache(partial(difference, learner))
    for text, form in FORMS.items():

        def textbook(scale: float, eps: float, form: Form = form) -> float:
            return difference(lambda *point: _loss(model, terms(*point), form, eps), scale)

        def excess(log_eps: float, textbook: Callable[[float, float], float] = textbook) -> float:
            near, away = (textbook(scale, math.exp(log_eps)) for scale in (1.0, far))
            return away * measured(1.0) - near * measured(far)

        ends = [math.log(LEAST), math.log(MOST)]
        if not excess(ends[0]) * excess(ends[1]) < 0:
            continue
        eps = math.exp(brentq(excess, *ends))
        factor = measured(1.0) / (textbook(1.0, eps) or math.nan)
        off = {s: abs(measured(s) - factor * textbook(s, eps)) for s in tried}
        if factor > 0 and all(off[s] <= measurement.exact * abs(measured(s)) for s in tried):
            return Guard(text, eps, _unguarded(measurement, layout, model, form, eps, factor))
    return None


def _loss(model: Model, p: BackwardTerms, form: Form, eps: float) -> float:
    """The model's loss with eps inside the log."""
    if model.output_loss.name == "softmax":
        return float(-(p.T * np.log(form(p.P, eps))).sum() / p.N)
    logs = p.T * np.log(form(p.Q, eps)) + (1 - p.T) * np.log(form(1 - p.Q, eps))
    return float(-logs.sum() / p.N)


def _value(measurement: Measurement, layout: ParameterLayout, scale: float, by: int) -> float:
    """The learner's loss with all scores `scale` times as large, and those of classes exchanged."""
    x = measurement.at.x.copy()
    arrays = measurement.problem.arrays(x)  # views of x
    of_scores = measurement.problem.of_scores
    for array in arrays.values() if of_scores else arrays_of(layout.unpack(arrays)[-1:]):
        array[...] = scale * np.roll(array, by, axis=-1)
    return measurement.evaluate(x).value


def _unguarded(
    measurement: Measurement, layout: ParameterLayout, model: Model, form: Form, eps: float,
    factor: float,
) -> Measurement:  # fmt: skip
    """Take what eps changes away from the value and from the numerical gradient."""

    def excess(of: Measurement, x: Any) -> float:
        layers, X = of.unpack(layout, x)
        there = replace(model, layers=layers, X=X)
        return factor * (_loss(there, p := there.terms_of_scores(), form, eps) - float(p.loss))

    at = measurement.at
    slopes = np.asarray(eval_numerical_gradient(partial(excess, measurement), at.x.copy(), h=1e-6))
    knows_eps = all(block.is_right for block in measurement.blocks())
    at = replace(
        at,
        value=at.value - excess(measurement, at.x),
        gradient=at.gradient - (slopes if knows_eps else 0),
    )
    return replace(measurement, at=at, numerical=measurement.numerical - slopes, excess=excess)
