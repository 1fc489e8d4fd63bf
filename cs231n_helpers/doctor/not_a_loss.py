"""What is returned first is no loss: a count of mistakes, an output, one loss for each example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import expit

from .codes import Code
from .evaluate import Evaluation
from .report import Finding
from .slopes import Detector, second_point

COUNTS = (
    "The loss jumps from value to value and is flat between, like a count of mistakes or a number "
    "cut to an integer: its slope is 0 wherever it has one, and no gradient belongs to it. "
    "Differentiate a smooth loss, in floats, and count the mistakes beside it."
)
ALIKE = 1e-5  # of two ratios


def is_count(detector: Detector, at: Evaluation) -> bool:
    """Tell whether a loss is flat at every point, but not the same everywhere."""
    values = set()
    for _ in range(5):
        x = second_point(detector, at)
        value = detector.function(x).value
        if detector.function(x + 1e-7 * detector.direction()).value != value:
            return False
        values.add(value)
    return len(values) > 1


def output_not_loss(detector: Detector, at: Evaluation) -> Finding | None:
    """Tell whether the gradient is that of a loss of what is returned.

    Then it has the direction of the slope of that, and a factor that changes with the parameters.
    """
    outputs, factors = [], []
    for k in (None, 1.0, 0.3, 0.1, 0.03):
        point = at if k is None else detector.function(k * second_point(detector, at))
        directions = (detector.direction() for _ in range(2))
        slopes = [detector.measure(point, v, detector.step(point, v)) for v in directions]
        if all(s.tolerance < ALIKE * abs(s.numerical) for s in slopes):
            a, b = (s.analytic / s.numerical for s in slopes)
            if abs(a - b) > ALIKE * max(abs(a), abs(b)):
                return None
            outputs.append(point.value)
            factors.append(a)
    f, r = np.array(outputs), np.array(factors)
    if len(r) < 3 or np.ptp(r) <= 1e-3 * np.abs(r).max():
        return None  # a factor, and nothing else
    for of, constant in _losses(f, r):
        if np.ptp(constant) <= 1e-4 * max(1.0, float(np.abs(constant).max())):
            target = round(float(constant.mean()), 4) + 0.0
            of = of.format(f"(out - {target:g})" if target else "out", target)
            message = (
                f"The gradient is not that of what is returned first, out, but that of {of}. "
                "Return that: out is the output of the net, or a part of the loss."
            )
            code = Code.NOT_A_LOSS if target or "cross" in of else Code.LOSS_WRONG_GRAD_OF_OTHER
            return Finding(code, message, evidence={"gradient_of": of})
    message = (
        "The gradient has the direction of what is returned first, times a factor that changes "
        "with the parameters: a step of the chain rule is missing in one of the two, or the output "
        "of the net is returned and not its loss."
    )
    return Finding(Code.UNEXPLAINED, message)


def _losses(f: Any, r: Any) -> Iterator[tuple[str, Any]]:
    """Losses of an output f with the derivative r, each with what must then be the same."""
    twice = (r[0] - r[1]) / (f[0] - f[1])
    half = " / 2" if abs(twice - 1) < 1e-3 else ""
    yield "the squared error {0}**2" + half, f - r / twice
    yield "the cross-entropy of out with the target {1:g}", f - r * f * (1 - f)
    yield "the cross-entropy of sigmoid(out) with the target {1:g}", expit(f) - r
    yield "exp(out)", np.exp(f) - r
