"""Notebook 01: the weights of a linear SVM in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike

from ..drawable import as_drawable
from ..losses import svm_loss, svm_loss_vectorized
from ..plots import CLASS_COLORS, MARKERS
from ..validation import Floats, Labels, as_batch, as_number
from .shell import Explorer, finish


def explore_svm(X: ArrayLike, y: ArrayLike, W: ArrayLike, *, delta: float = 1.0) -> Explorer:
    """Move the weights of a linear SVM in the plane: who is inside the margin, and what it costs.

    Parameters
    ----------
    X : (N, 2) array
    y : (N,) integer array, 0 <= y < C
    W : (2, C) array
        The first weights, between -3 and 3; each entry becomes a slider in steps of 1/8.
    delta : float
        The first margin, 0 to 4, a multiple of 1/2.

    Returns
    -------
    Explorer
        `draw_svm` at W, at half its margin, at twice its length and after one step of gradient
        descent with the rate 1/2, rounded to eighths.

    Examples
    --------
    >>> explore_svm([[1.0, 0.0]], [0], [[1.0, 0.5], [0.0, 0.0]]).row[0]["w1_x"]
    0.5
    """
    W, X, y = as_batch(W, X, y)
    if len(W) != 2:
        raise ValueError(f"W has {len(W)} rows, but the plane has two features: pass W (2, C)")
    W, X = as_drawable("W", W), as_drawable("X", X)
    num_classes = W.shape[1]
    if num_classes > len(CLASS_COLORS):
        raise ValueError(
            f"W has {num_classes} columns, but there are colors for {len(CLASS_COLORS)} classes: "
            "leave some out"
        )
    if np.abs(W).max() > 3:
        raise ValueError(
            f"W reaches {np.abs(W).max():.3g}, but the sliders go from -3 to 3: scale it down"
        )
    if as_number("delta", delta) not in np.arange(9) / 2:
        raise ValueError(f"delta = {delta}, but the first margin is one of 0, 0.5, 1, ... 4")
    names = [f"w{k}_{axis}" for k in range(num_classes) for axis in "xy"]

    def state(W: Floats, delta: float) -> dict[str, float]:
        eighths = np.clip(np.round(8 * W.T.ravel()) / 8, -3, 3)
        return {**dict(zip(names, eighths.tolist(), strict=True)), "margin": float(delta)}

    def draw(axes: Sequence[Axes], *, margin: float, **entries: float) -> str:
        weights = np.reshape([entries[name] for name in names], (num_classes, 2)).T
        return draw_svm(axes, X, y, weights, margin)

    after = W - 0.5 * svm_loss_vectorized(W, X, y, delta=delta)[1]
    entries = (np.arange(-24, 25) / 8).tolist()
    controls = {**dict.fromkeys(names, entries), "margin": (np.arange(17) / 4).tolist()}
    row = [state(W, delta), state(W, delta / 2), state(1.5 * W, delta), state(after, delta)]
    title = "Three classes in the plane and what each example costs"
    return Explorer(title, draw, controls, row, 2)


def draw_svm(axes: Sequence[Axes], X: Floats, y: Labels, W: Floats, delta: float) -> str:
    """Draw regions, weights and active examples into axes[0], their losses into axes[1].

    An example is ringed where it is active, that is where it loses anything; its bar in axes[1] has
    a piece for each class that is closer than the margin. Returns the sentence.
    """
    scores = X @ W  # (N, C)
    loss, _ = svm_loss(scores, y, delta=delta)
    margins = _costs(scores, y, delta)
    active = margins.any(axis=1)
    colors = [to_rgb(CLASS_COLORS[k]) for k in range(W.shape[1])]
    reach = 1.25 * max(np.abs(X).max(), 3.0)
    side = np.linspace(-reach, reach, 200)
    plane = np.stack(np.meshgrid(side, side), axis=-1)  # (200, 200, 2)
    plane += [1e-6, 3e-6]  # off the lines where whole-number weights make scores tie
    regions = 0.7 + 0.3 * np.array(colors)[np.argmax(plane @ W, axis=-1)]
    axes[0].imshow(regions, origin="lower", extent=(-reach, reach, -reach, reach))
    for k, color in enumerate(colors):
        axes[0].plot(*X[y == k].T, MARKERS[k], color=color, markersize=7, markeredgecolor="black",
                     label=f"class {k}")  # fmt: skip
        axes[0].arrow(0, 0, *W[:, k], color=color, width=0.06, length_includes_head=True)
        axes[0].annotate(f"w{k}", (W[0, k], W[1, k]), textcoords="offset points", xytext=(4, 4))
    axes[0].scatter(
        X[active, 0], X[active, 1], s=230, facecolors="none", edgecolors="black", linewidths=1.5,
        label="active",
    )  # fmt: skip
    finish(axes[0], f"margin {delta:g}: loss {loss:.3g}", xlabel="feature 0", ylabel="feature 1",
           xlim=(-reach, reach), ylim=(-reach, reach))  # fmt: skip
    places, left = np.arange(len(y)), np.zeros(len(y))
    for k, color in enumerate(colors):
        axes[1].barh(places, margins[:, k], left=left, color=color, edgecolor="black",
                     label=f"class {k}")  # fmt: skip
        left += margins[:, k]
    finish(axes[1], f"{active.sum()} of {len(y)} are active", yticks=places, ylabel="example",
           xlabel="loss, by offending class", xlim=(0, max(8, left.max())),
           ylim=(len(y) - 0.5, -0.5))  # fmt: skip
    costs = [
        f"example {i} pays {left[i]:.3g} for class "
        + " and ".join(str(k) for k in np.flatnonzero(margins[i]))
        for i in np.flatnonzero(active)
    ]
    return (
        f"The mean loss is {loss:.3g}; {active.sum()} of {len(y)} examples are active"
        + (": " + ", ".join(costs) if costs else ", so the gradient is zero")
        + "."
    )


def _costs(scores: Floats, y: Labels, delta: float) -> Floats:
    """Return what each class costs each example, (N, C): the loss of it and the right one alone.

    The formula itself stays out of here, because learners get this file before they have found it.
    """
    costs = np.zeros_like(scores)
    for i, k in np.ndindex(*scores.shape):
        if k != y[i]:
            costs[i, k] = svm_loss(scores[i : i + 1, [k, y[i]]], [1], delta=delta)[0]
    return costs
