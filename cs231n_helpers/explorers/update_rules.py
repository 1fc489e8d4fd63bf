"""Notebook 09: the path of an update rule down a narrow valley."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..plots import CLASS_COLORS
from ..validation import Floats, as_floats, shown
from .shell import SMALL, Explorer, finish

Rule = Callable[[Floats, Floats, dict[str, Any]], tuple[Floats, Any]]

START = np.array([-4.0, 1.0])
STEPS = 100
ROW = 100.0  # ratio of the row of states
GONE = 100.0  # who is further away will not come back


def explore_update_rules(rules: Mapping[str, Rule]) -> Explorer:
    """Move the rate and the shape of the valley f(w) = (w0**2 + ratio * w1**2) / 2.

    Parameters
    ----------
    rules : dict
        Name -> update rule ``(w, dw, config) -> (next_w, config)``, with the learning rate in
        ``config["learning_rate"]`` and a state of its own in whatever config it returns.

    Returns
    -------
    Explorer
        `draw_update_rule`: each rule at the rate, among those offered, that brings it furthest.

    Examples
    --------
    >>> def sgd(w, dw, config):
    ...     return w - config["learning_rate"] * dw, config
    >>> explore_update_rules({"sgd": sgd}).row
    [{'rule': 'sgd', 'log10_of_rate': -1.75, 'ratio': 100.0}]
    """
    if not isinstance(rules, Mapping) or not rules or not all(map(callable, rules.values())):
        raise TypeError(
            f"rules is {shown(rules)}, but it must be a dict, name -> update rule "
            "(w, dw, config) -> (next_w, config)"
        )
    exponents = [k / 4 for k in range(-12, 1)]
    controls: dict[str, Sequence[Any]] = {
        "rule": [str(name) for name in rules],
        "log10_of_rate": exponents,
        "ratio": [1.0, 3.0, 10.0, 30.0, 100.0],
    }
    known = dict(zip(controls["rule"], rules.values(), strict=True))

    def draw(axes: Sequence[Axes], *, rule: str, log10_of_rate: float, ratio: float) -> str:
        paths = {name: walk(it, 10**log10_of_rate, ratio) for name, it in known.items()}
        return draw_update_rule(axes, paths, rule, 10**log10_of_rate, ratio)

    row = []
    for name, rule in known.items():
        tails = {a: valley(walk(rule, 10**a, ROW)[-20:], ROW).max() for a in exponents}
        row.append({"rule": name, "log10_of_rate": min(tails, key=tails.__getitem__), "ratio": ROW})
    return Explorer("Update rules on their way down a narrow valley", draw, controls, row, 2)


def valley(w: Floats, ratio: float) -> Floats:
    """Return (w0**2 + ratio * w1**2) / 2 for points w (..., 2)."""
    height: Floats = w**2 @ np.array([0.5, 0.5 * ratio])
    return height


def walk(rule: Rule, rate: float, ratio: float) -> Floats:
    """Return the points of 100 steps, (101, 2), or fewer: up to the first that is far away.

    >>> walk(lambda w, dw, config: (w - config["learning_rate"] * dw, config), 0.5, 2.0)[:3]
    array([[-4.,  1.],
           [-2.,  0.],
           [-1.,  0.]])
    """
    path, config = [START], {"learning_rate": rate}
    while len(path) <= STEPS and np.abs(path[-1]).max() < GONE:
        returned = rule(path[-1].copy(), np.array([1.0, ratio]) * path[-1], config)
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise TypeError(
                f"a rule returned {shown(returned)}, but it must return (next_w, config)"
            )
        next_w, config = as_floats("next_w", returned[0]), returned[1]
        if next_w.shape != (2,):
            raise ValueError(f"next_w has shape {next_w.shape}, but it must have w's, (2,)")
        path.append(np.nan_to_num(next_w, nan=GONE))
    return np.array(path)


def draw_update_rule(
    axes: Sequence[Axes], paths: Mapping[str, Floats], rule: str, rate: float, ratio: float
) -> str:
    """Draw the path of one rule into axes[0], the loss of all against the step into axes[1].

    Returns the sentence.
    """
    colors = {name: CLASS_COLORS[k % len(CLASS_COLORS)] for k, name in enumerate(paths)}
    plane = np.stack(np.meshgrid(np.linspace(-5, 5, 80), np.linspace(-2, 2, 60)), axis=-1)
    levels = valley(START, ratio) * 4.0 ** np.arange(-5, 2)
    axes[0].contour(
        plane[..., 0], plane[..., 1], valley(plane, ratio), levels, colors="0.75", linewidths=1
    )
    axes[0].plot(*paths[rule].T, ".-", color=colors[rule], linewidth=1, label=rule)
    axes[0].plot(0, 0, "+", color="0.2", markersize=12, label="minimum")
    finish(axes[0], f"{rule}, rate {rate:.2g}, ratio {ratio:g}", xlabel="w0, the flat direction",
           ylabel="w1, the steep one", xlim=(-5, 5), ylim=(-2, 2))  # fmt: skip
    losses = {name: np.maximum(valley(path, ratio), 1e-12) for name, path in paths.items()}
    for name, curve in losses.items():
        width = 3 if name == rule else 1
        axes[1].semilogy(curve, color=colors[name], linewidth=width, label=name)
    end, steps = losses[rule][-1], len(paths[rule]) - 1
    how = "diverged" if np.abs(paths[rule][-1]).max() >= GONE else "after"
    finish(axes[1], f"{how} {steps} steps: loss {end:.1e}", xlabel="step", ylabel="loss",
           xlim=(0, STEPS), ylim=(1e-6, 1e4))  # fmt: skip
    axes[1].legend(fontsize=SMALL, loc="lower left")
    least = min(losses, key=lambda name: losses[name][-1])
    return (
        f"At the rate {rate:.2g}, in a valley {ratio:g} times as steep across as along, {rule} "
        f"{'has left' if how == 'diverged' else 'has gone down to'} a loss of {end:.1e} after "
        f"{steps} steps; the lowest of all is {least}."
    )
