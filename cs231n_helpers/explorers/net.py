"""Notebook 03: what a two-layer net makes of the plane."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from ..classifiers import TwoLayerNet
from ..drawable import as_plane
from ..plots import CLASS_COLORS, plot_decision_regions
from ..validation import Floats, Labels, NotFiniteError, as_count, as_labels, count_classes
from .shell import Explorer, finish


def explore_net(X: ArrayLike, y: ArrayLike, *, num_iters: int = 200) -> Explorer:
    """Choose hidden units and learning rate of a two-layer net: what it makes of the plane.

    Parameters
    ----------
    X : (N, 2) array
    y : (N,) integer array, 0 <= y < C
    num_iters : int
        Steps of gradient descent on minibatches of min(N, 300); each run is kept once trained.

    Returns
    -------
    Explorer
        `draw_net` for few and many hidden units, and for learning rates too small, good and too
        large. Weights start with standard deviation 1; the penalty is 1e-4; no decay.

    Examples
    --------
    >>> explore_net([[0.0, 0.0], [1.0, 1.0]], [0, 1]).controls["hidden_units"]
    [1, 2, 3, 5, 8, 12, 20, 30]
    """
    X = as_plane("X", X)
    y = as_labels(y, len(X))
    num_iters = as_count("num_iters", num_iters)
    num_classes = count_classes(y)
    if num_classes < 2:
        raise ValueError("y has class 0 alone, but a net tells classes apart: pass at least two")

    @cache
    def fit(hidden_units: int, learning_rate: float) -> tuple[TwoLayerNet, list[float]]:
        net = TwoLayerNet(2, hidden_units, num_classes, 1.0, rng=np.random.RandomState(231))
        try:
            with warnings.catch_warnings():  # it is there to be seen
                warnings.filterwarnings("ignore", "the loss has grown")
                history = net.train(
                    X, y, X[:1], y[:1], learning_rate, 1.0, 1e-4, num_iters, min(len(X), 300),
                    rng=np.random.RandomState(0),
                )  # fmt: skip
            return net, history["loss_history"]
        except NotFiniteError:
            return net, []

    def draw(axes: Sequence[Axes], *, hidden_units: int, learning_rate: float) -> str:
        return draw_net(axes, X, y, *fit(hidden_units, learning_rate), learning_rate)

    controls: dict[str, list[Any]] = {
        "hidden_units": [1, 2, 3, 5, 8, 12, 20, 30],
        "learning_rate": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0],
    }
    states = [(30, 1.0), (3, 1.0), (30, 0.03), (30, 30.0)]
    row = [dict(zip(controls, state, strict=True)) for state in states]
    return Explorer("Decision regions of a two-layer net", draw, controls, row, 2)


def draw_net(
    axes: Sequence[Axes],
    X: Floats,
    y: Labels,
    net: TwoLayerNet,
    losses: Sequence[float],
    learning_rate: float,
) -> str:
    """Draw regions and the edges of the hidden units into axes[0], the losses into axes[1].

    No losses stand for a run that diverged. Returns the sentence.
    """
    W1, b1 = net.params["W1"], net.params["b1"]
    num_hidden, num_classes = W1.shape[1], len(net.params["b2"])
    plot_decision_regions(net.predict, X, y, resolution=120, ax=axes[0])
    if legend := axes[0].get_legend():
        legend.remove()
    axes[0].set(xlim=axes[0].get_xlim(), ylim=axes[0].get_ylim())  # edges go on beyond the picture
    length = np.where(W1.any(axis=0), np.hypot(*W1), np.nan)  # (H,); a dead unit has no edge
    normal = W1 / length  # (2, H)
    foot = -b1 / length * normal  # the point of each edge that is nearest to the origin
    along = 2 * np.ptp(X) * np.array([-normal[1], normal[0]])
    edges = np.stack([foot - along, foot + along, np.full_like(foot, np.nan)])  # (3, 2, H)
    axes[0].plot(*edges.transpose(1, 2, 0).reshape(2, -1), color="0.35", linewidth=0.5,
                 label="edges of the hidden units")  # fmt: skip
    accuracy = float(np.mean(net.predict(X) == y))
    units = f"{num_hidden} hidden unit{'s' if num_hidden > 1 else ''}"
    finish(axes[0], f"{units}: accuracy {accuracy:.2f}")
    axes[1].plot(losses, color=CLASS_COLORS[0], label="loss")
    axes[1].axhline(np.log(num_classes), color="0.5", linestyle=":", label="log C")
    for axis in (axes[0].xaxis, axes[0].yaxis, axes[1].xaxis):
        axis.set_major_locator(
            MaxNLocator(4, steps=[1, 2, 2.5, 5, 10])
        )  # each tick costs half a millisecond
    finish(axes[1], f"learning rate {learning_rate:g}", xlabel="step",
           ylabel="loss (dotted: log C)", yscale="log", ylim=(0.05, 1000))  # fmt: skip
    axes[1].yaxis.set_major_locator(FixedLocator([0.1, 1, 10, 100]))
    axes[1].yaxis.set_major_formatter("{x:g}")
    axes[1].yaxis.set_minor_locator(NullLocator())
    outcome = f"ends at a loss of {losses[-1]:.2f}" if losses else "diverges"
    return (
        f"With {units} and the learning rate {learning_rate:g} the training {outcome}, and "
        f"{accuracy:.0%} of the examples are right; "
        f"guessing costs log C = {np.log(num_classes):.2f}."
    )
