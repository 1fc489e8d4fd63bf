"""Notebook 02: probabilities of three scores, their loss and gradient, and overflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..drawable import as_names
from ..losses import softmax_loss
from ..plots import CLASS_COLORS
from ..validation import Floats, shown
from .shell import Explorer, finish


def explore_softmax(class_names: Sequence[str] = ("cat", "dog", "ship")) -> Explorer:
    """Move three scores and the temperature: probabilities, loss, gradient p - y, and overflow.

    Parameters
    ----------
    class_names : sequence of three str

    Returns
    -------
    Explorer
        `draw_softmax` at T = 1, 0.5 and 5, and at T = 0.01 with the shift turned off.

    Examples
    --------
    >>> explore_softmax().controls["temperature"][0]
    0.01
    """
    names = as_names("class_names", class_names)
    if len(names) != 3 or len(set(names)) != 3:
        raise ValueError(f"class_names is {shown(names)}, but it must be three different names")
    scores = (np.arange(-20, 21) / 2).tolist()
    controls: dict[str, list[Any]] = {
        **{f"score_of_{name}": scores for name in names},
        "temperature": [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0],
        "truth": names,
        "shift": [False, True],
    }
    states = [
        (0.5, 0.0, 2.0, 1.0, names[0], True),
        (0.5, 0.0, 2.0, 0.5, names[0], True),
        (0.5, 0.0, 2.0, 5.0, names[0], True),
        (0.5, 0.0, 10.0, 0.01, names[0], False),
    ]
    row = [dict(zip(controls, state, strict=True)) for state in states]

    def draw(
        axes: Sequence[Axes], *, temperature: float, truth: str, shift: bool, **scores: float
    ) -> str:
        s = np.array([scores[f"score_of_{name}"] for name in names])
        return draw_softmax(axes, s, names.index(truth), temperature, shift, names)

    return Explorer("Probabilities and gradient of three scores", draw, controls, row, 2)


def draw_softmax(
    axes: Sequence[Axes],
    scores: Floats,
    label: int,
    temperature: float,
    shift: bool,
    class_names: Sequence[str],
) -> str:
    """Draw the probabilities of scores / temperature into axes[0], p - y into axes[1].

    With `shift` the largest score is subtracted first, as `softmax_loss` does; without it the
    formula is taken at its word, and overflows where a score / temperature exceeds 709.8. What is
    not a number is drawn as a cross. Returns the sentence.
    """
    scaled = scores / temperature  # (C,)
    truth = np.eye(len(scores))[label]
    if shift:
        loss, gradient = softmax_loss(scaled[np.newaxis], [label])
        p = gradient[0] + truth
    else:
        with np.errstate(all="ignore"):
            p = np.exp(scaled) / np.exp(scaled).sum()
            loss = float(-np.log(p[label]))
    places = np.arange(len(scores))
    colors = np.array(CLASS_COLORS)[places]
    panels = (
        (axes[0], p, (0, 1.1), f"T = {temperature:g}: probabilities"),
        (axes[1], p - truth, (-1.25, 1.25), f"loss {loss:.3g}, gradient p - y"),
    )
    for ax, heights, limits, title in panels:
        known = np.isfinite(heights)
        bars = ax.bar(places[known], heights[known], color=colors[known])
        ax.bar_label(bars, fmt="%.2f")
        ax.plot(places[~known], np.zeros((~known).sum()), "x", color="black", markersize=14,
                markeredgewidth=3)  # fmt: skip
        for k in places[~known]:
            ax.annotate("NaN", (k, 0), ha="center", xytext=(0, 12), textcoords="offset points")
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_xticks(places, class_names, parse_math=False)
        finish(ax, title, ylim=limits, xlim=(-0.6, 2.6))
    if not np.isfinite(p).all():
        cause = "inf / inf" if scaled.max() > 0 else "0 / 0"
        return (
            f"The largest score over T is {scaled.max():g}: {cause} is NaN, "
            "and the shift by the largest score is the cure."
        )
    said = ", ".join(f"{name} {value:.2f}" for name, value in zip(class_names, p, strict=True))
    return (
        f"The probabilities are {said}; the truth is {class_names[label]}, so the loss is "
        f"{loss:.3g} and its gradient by that score {p[label] - 1:.2f}."
    )
