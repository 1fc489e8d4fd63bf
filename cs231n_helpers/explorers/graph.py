"""Notebook 03: the computational graph of a two-layer net, forward and step by step backward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.typing import ArrayLike

from ..classifiers import as_net_params
from ..drawable import as_drawable
from ..gradient_check import eval_numerical_gradient
from ..losses import softmax_loss
from ..validation import (
    Floats,
    Labels,
    as_labels,
    as_matrix,
    as_positive,
    check_columns,
    check_label_range,
    shown,
)
from .shell import Explorer, finish

FORWARD, BACKWARD = "#0072B2", "#D55E00"
MOST = 4  # examples, features, hidden units and classes: more have no room
_RULES: dict[str, Callable[[Mapping[str, Floats]], Floats]] = {
    "pre": lambda a: a["X"] @ a["W1"] + a["b1"],
    "hidden": lambda a: a["on"] * a["pre"],
    "scores": lambda a: a["hidden"] @ a["W2"] + a["b2"],
}
#: The step at which each array gets its gradient, and at which it hands it on to what is above.
_ARRIVES = {"scores": 2, "W2": 3, "b2": 3, "hidden": 4, "pre": 5, "W1": 6, "b1": 6}
_LEAVES = {"loss": 2, "scores": 3, "hidden": 5, "pre": 6}
_NEVER = 99
_TITLES = (
    "shapes alone",
    "forward: values",
    "backward to scores",
    "backward to W2 and b2",
    "backward to hidden",
    "backward to pre",
    "backward to W1 and b1",
)
_COLUMN, _WIDTH = 20.0, 16.4  # left side of the chain of nodes, width of a node: in characters
_TRUNK = _COLUMN + 5  # where the arrows of the chain are


def explore_graph(
    params: Mapping[str, ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    *,
    times: float = 1.0,
    steps: Sequence[int] = (1, 6),
) -> Explorer:
    """Go through a two-layer net as a computational graph: forward, then backward step by step.

    Parameters
    ----------
    params : dict
        W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).
    X : (N, D) array
    y : (N,) integer array, 0 <= y < C
        N, D, H and C are at most 4, so that all numbers can be read.
    times : float
        Gradients are shown times this, > 0: with 8 they are counted in eighths.
    steps : sequence of int
        The states that a saved notebook shows: 0 shapes alone, 1 forward, 2 to 6 backward to the
        scores, W2 and b2, hidden, pre, W1 and b1. The slider starts at the first.

    Returns
    -------
    Explorer
        `draw_graph` after each step.

    Examples
    --------
    >>> eye = np.eye(2)
    >>> params = {"W1": eye, "b1": eye[0], "W2": eye, "b2": eye[0]}
    >>> explore_graph(params, eye, [0, 1]).controls["step"]
    [0, 1, 2, 3, 4, 5, 6]
    """
    arrays = as_net_params(params, 2)
    X = as_matrix("X", X, "(N, D)")
    check_columns(X, len(arrays["W1"]), "W1")
    y = as_labels(y, len(X))
    check_label_range(y, len(arrays["b2"]), "W2")
    for name, size in zip("NDHC", (*X.shape, *arrays["W2"].shape), strict=True):
        if size > MOST:
            raise ValueError(f"{name} = {size}, but at most {MOST} have room: take a smaller net")
    times = as_positive("times", times)
    numbers = list(range(len(_TITLES)))
    if not isinstance(steps, Sequence) or any(step not in numbers for step in steps):
        raise ValueError(f"steps is {shown(steps)}, but it must be a list of steps, 0 to 6")
    values = {name: as_drawable(name, array) for name, array in {"X": X, **arrays}.items()}
    values = forward_values(values, y)
    gradients = {name: times * gradient_of(name, values, y) for name in _ARRIVES}

    def draw(axes: Sequence[Axes], *, step: int) -> str:
        return draw_graph(axes[0], values, gradients, y, step, times)

    controls = {"step": numbers}
    row = [{"step": int(step)} for step in steps]
    size = (3.6, 0.16 * (len(X) * 7 + 25))  # a line is 0.16 inches high
    return Explorer("A two-layer net as a computational graph", draw, controls, row, 1, size)


def forward_values(values: Mapping[str, Floats], y: Labels) -> dict[str, Floats]:
    """Return X and the parameters with all that follows: pre, on, hidden, scores, loss."""
    found = dict(values)
    found["pre"] = _RULES["pre"](found)
    found["on"] = (found["pre"] > 0).astype(float)
    return _completed(found, y)


def gradient_of(name: str, values: Mapping[str, Floats], y: Labels) -> Floats:
    """Return dL/d(name), measured: learners get this file before they have found the formulas.

    Which units are on stays as it is, so that at a kink the slope is 0, as in `layers`.
    """
    follows = [*_RULES, "loss"]
    if name in _RULES:
        follows = follows[follows.index(name) + 1 :]
    known = {key: value for key, value in values.items() if key not in follows}

    def loss(array: Floats) -> float:
        return float(_completed({**known, name: array}, y)["loss"])

    return eval_numerical_gradient(loss, np.array(values[name], float))


def _completed(values: dict[str, Floats], y: Labels) -> dict[str, Floats]:
    for name, rule in _RULES.items():
        if name not in values:
            values[name] = rule(values)
    values["loss"] = np.array(softmax_loss(values["scores"], y)[0])
    return values


def draw_graph(
    ax: Axes,
    values: Mapping[str, Floats],
    gradients: Mapping[str, Floats],
    y: Labels,
    step: int,
    times: float = 1.0,
) -> str:
    """Draw nodes with their values (blue) and the gradients that `step` has reached (orange).

    Arrows go forward in blue and back in orange; beside each stands the shape of what it carries.
    Returns the sentence.
    """
    ax.set_axis_off()
    heights = {name: 1.6 + 2 * _lines(values[name]) for name in _ARRIVES}
    heights |= {"X": 1.5 + _lines(values["X"]), "loss": 2.5}
    top = {"X": 0.0}
    chain = ("X", "pre", "hidden", "scores", "loss")
    said = ("X W1 + b1", "max(0, pre)", "hidden W2 + b2", f"softmax loss, y = {y.tolist()}")
    for before, after, operation in zip(chain, chain[1:], said, strict=False):
        bottom = top[before] + heights[before]
        middle, top[after] = bottom + 2.0, bottom + 4.0
        _arrow_down(ax, values[before], bottom, step, _ARRIVES.get(before, _NEVER))
        _arrow_down(ax, values[after], bottom + 2.8, step, _LEAVES[after])
        ax.text(_COLUMN, middle, operation, va="center", fontsize=9,
                bbox={"boxstyle": "round", "facecolor": "0.92", "edgecolor": "0.5"})  # fmt: skip
        if after in ("pre", "scores"):
            W, b = ("W1", "b1") if after == "pre" else ("W2", "b2")
            top[W], top[b] = middle - heights[W] - 0.2, middle + 0.8
            for name in (W, b):
                start, end = top[name] + heights[name] / 2, middle
                _arrows(ax, (_WIDTH, start), (_COLUMN - 0.6, end), (0, 0.3), step, _ARRIVES[name])
    for name in top:
        _node(ax, name, top[name], heights[name], values[name] if step else None,
              gradients[name] if step >= _ARRIVES.get(name, _NEVER) else None,
              values[name].shape, times, new=step == _ARRIVES.get(name))  # fmt: skip
    finish(ax, f"{step}: {_TITLES[step]}", xlim=(-0.3, 36.7),
           ylim=(top["loss"] + 2.9, min(top.values()) - 0.4))  # fmt: skip
    return _sentence(values, step)


def _lines(array: Floats) -> int:
    return len(np.atleast_2d(array))


def _node(
    ax: Axes,
    name: str,
    top: float,
    height: float,
    value: Floats | None,
    gradient: Floats | None,
    shape: tuple[int, ...],
    times: float,
    *,
    new: bool,
) -> None:
    """Draw a box with the name, below it the value, below that the gradient."""
    left = _COLUMN if name not in ("W1", "b1", "W2", "b2") else 0.0
    edge, width = (BACKWARD, 2.0) if new else ("0.3", 0.8)
    ax.add_patch(Rectangle((left, top), _WIDTH, height, facecolor="white", edgecolor=edge,
                           linewidth=width, zorder=3))  # fmt: skip
    title: dict[str, Any] = {"va": "top", "zorder": 4, "weight": "bold", "fontsize": 9}
    said = name if left else f"{name} {shape}"  # the chain has its shapes on the arrows
    ax.text(left + 0.5, top + 0.2, said, **title)
    if value is not None:
        _print(ax, (left + 0.5, top + 1.4), value, FORWARD)
    if gradient is not None:
        said = f"d{name}" if times == 1 else f"{times:g} d{name}"
        ax.text(left + _WIDTH - 0.5, top + 0.2, said, ha="right", color=BACKWARD, **title)
        _print(ax, (left + 0.5, top + 1.5 + _lines(gradient)), gradient, BACKWARD)


def _print(ax: Axes, place: tuple[float, float], array: Floats, color: str) -> None:
    """Write the numbers of an array as rows, smaller where they are long."""
    rows = [[f"{round(float(v), 2) + 0.0:g}" for v in row] for row in np.atleast_2d(array)]
    width = max(len(text) for row in rows for text in row)
    text = "\n".join(" ".join(text.rjust(width) for text in row) for row in rows)
    size = 9 * min(1, 14 / len(text.partition("\n")[0]))
    ax.text(*place, text, fontsize=size, color=color, family="monospace", linespacing=1.15,
            va="top", zorder=4)  # fmt: skip


def _arrow_down(ax: Axes, value: Floats, top: float, step: int, back_at: int) -> None:
    """Draw the arrows of one piece of the chain, and the shape of what goes along them."""
    _arrows(ax, (_TRUNK, top), (_TRUNK, top + 1.2), (0.8, 0), step, back_at)
    shape = str(value.shape) if value.ndim else "one number"
    ax.text(_TRUNK + 2.2, top + 0.6, shape, va="center", fontsize=9)


def _arrows(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    shift: tuple[float, float],
    step: int,
    back_at: int,
) -> None:
    """Draw an arrow forward and, from the step `back_at` on, one back beside it."""
    (x0, y0), (x1, y1), (dx, dy) = start, end, shift
    drawn = [((x0 - dx, y0 - dy), (x1 - dx, y1 - dy), FORWARD, 1.2)]
    if step >= back_at:
        wide = 2.2 if step == back_at else 1.2
        drawn.append(((x1 + dx, y1 + dy), (x0 + dx, y0 + dy), BACKWARD, wide))
    for tail, head, color, width in drawn:
        ax.add_patch(FancyArrowPatch(tail, head, arrowstyle="-|>", color=color, linewidth=width,
                                     mutation_scale=9, shrinkA=0, shrinkB=0))  # fmt: skip


def _sentence(values: Mapping[str, Floats], step: int) -> str:
    shape = {name: str(value.shape) for name, value in values.items()}
    on, loss = values["on"], float(values["loss"])
    return (
        f"X {shape['X']} becomes pre and hidden {shape['pre']}, scores {shape['scores']} and one "
        "number, the loss; W1, b1, W2 and b2 join on the way.",
        f"Forward, in blue: each array is computed from those above it, and the loss is "
        f"{loss:.3g}.",
        f"Backward, in orange: the gradient of the loss by the scores has their shape "
        f"{shape['scores']}. It is the upstream gradient of all that follows.",
        f"W2 {shape['W2']} and b2 {shape['b2']} take their gradients from the upstream gradient of "
        "the scores.",
        f"The upstream gradient of the scores goes on through W2, and becomes that of hidden "
        f"{shape['hidden']}.",
        f"The ReLU passes the upstream gradient on where a unit is on, {on.sum():g} times of "
        f"{on.size}, and stops it elsewhere.",
        f"W1 {shape['W1']} and b1 {shape['b1']} take their gradients from the upstream gradient of "
        "pre: the way back is complete.",
    )[step]
