"""Notebook 04: from an image along its gradient until the prediction changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.special import softmax

from ..drawable import as_drawable, as_images, as_names, check_function
from ..plots import CLASS_COLORS, show_images
from ..validation import Floats, Labels, as_labels, check_label_range
from .shell import Explorer, finish


def explore_input_step(
    images: ArrayLike,
    labels: ArrayLike,
    scores: Callable[[Floats], Floats],
    input_gradient: Callable[[Floats, Labels], Floats],
    class_names: Sequence[str],
) -> Explorer:
    """Walk from an image along its dL/dX until the prediction changes.

    Parameters
    ----------
    images : (N, height, width) or (N, height, width, 3) array
        In gray levels 0 to 255.
    labels : (N,) integer array
        The classes whose loss the step raises: the predicted ones, to change the prediction.
    scores : callable
        Takes images as rows (N, D) in gray levels, returns scores (N, C).
    input_gradient : callable
        Takes such rows and labels (N,), returns dL/dX (N, D).
    class_names : sequence of C str

    Returns
    -------
    Explorer
        `draw_input_step` for the first image and steps of 0, 4, 10 and 24 gray levels rms.

    Examples
    --------
    >>> W = np.array([[0.02, 0.01]])
    >>> explorer = explore_input_step(
    ...     np.full((1, 1, 1), 100), [0], lambda X: X @ W, lambda X, y: -0.01 * np.ones_like(X),
    ...     ["light", "dark"])
    >>> explorer.controls["example"]
    [0]
    """
    check_function("scores", scores, "rows (N, D)")
    check_function("input_gradient", input_gradient, "rows (N, D) and labels (N,)")
    pictures = as_images("images", images)
    if pictures.min() < 0 or pictures.max() > 255:
        raise ValueError(
            f"images go from {pictures.min():g} to {pictures.max():g}, but gray levels are in "
            "[0, 255]: pass them as they were before preprocessing"
        )
    rows = pictures.reshape(len(pictures), -1)  # (N, D)
    y = as_labels(labels, len(rows), "images", "labels")
    names = as_names("class_names", class_names)
    check_label_range(y, len(names), "scores", "labels")

    def checked_scores(rows: Floats) -> Floats:
        found = as_drawable("scores(rows)", scores(rows))
        if found.shape != (len(rows), len(names)):
            raise ValueError(
                f"scores returned shape {found.shape}, but {len(rows)} rows and {len(names)} "
                "class_names need one row an image, one column a class"
            )
        return found

    checked_scores(rows)  # refused now, and not in the middle of a picture
    gradients = as_drawable("input_gradient(rows, labels)", input_gradient(rows, y))
    if gradients.shape != rows.shape:
        raise ValueError(
            f"input_gradient returned shape {gradients.shape}, but it must be {rows.shape}: drop "
            "the bias column"
        )
    rms = np.sqrt(np.mean(gradients**2, axis=1, keepdims=True))  # (N, 1)
    if not rms.all():
        raise ValueError(
            f"input_gradient is zero for images[{int(np.argmin(rms))}], so there is no direction "
            "to walk: leave that image out"
        )
    directions = gradients / rms  # one gray level rms each

    def draw(axes: Sequence[Axes], *, example: int, step: float) -> str:
        changed = rows[example] + step * directions[example]
        return draw_input_step(
            axes, pictures[example], changed.reshape(pictures.shape[1:]), checked_scores, names
        )

    controls = {
        "example": list(range(len(rows))),
        "step": [0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40],
    }
    row = [{"example": 0, "step": step} for step in (0, 4, 10, 24)]
    return Explorer("An image, a step along dX, and the prediction", draw, controls, row, 3)


def draw_input_step(
    axes: Sequence[Axes],
    image: Floats,
    changed: Floats,
    scores: Callable[[Floats], Floats],
    class_names: Sequence[str],
) -> str:
    """Draw the changed image into axes[0], the change into axes[1], probabilities into axes[2].

    The change is drawn on its own scale, from minus to plus its largest entry, with no change in
    mid-gray. Returns the sentence.
    """
    rows = np.stack([image.ravel(), changed.ravel()])  # (2, D)
    P = softmax(scores(rows), axis=1)  # (2, C)
    k_before, k_after = P.argmax(axis=1)
    before, after = class_names[k_before], class_names[k_after]
    change = changed - image
    rms, limit = float(np.sqrt(np.mean(change**2))), float(np.abs(change).max()) or 1.0
    show_images(changed[np.newaxis], limits=(0, 255), ax=axes[0])
    finish(axes[0], f"step of {rms:.3g}: {after}")
    show_images(change[np.newaxis], limits=(-limit, limit), ax=axes[1])
    finish(axes[1], f"the change, within ±{limit:.3g}" if change.any() else "no change")
    places = np.arange(len(class_names))
    colors = np.where(places == k_after, CLASS_COLORS[1], "0.7")
    axes[2].barh(places, P[1], color=colors, label="after")
    axes[2].plot(P[0], places, "|", color="black", markersize=9, label="before")
    axes[2].set_yticks(places, class_names, parse_math=False)
    finish(axes[2], "probability (line: before)", xlim=(0, 1), ylim=(len(places) - 0.5, -0.5))
    verdict = f"still says {after}" if k_before == k_after else f"says {after} instead of {before}"
    return (
        f"A step of {rms:.3g} gray levels rms, {limit if change.any() else 0:.3g} at most: "
        f"the model {verdict}, with probability {P[1].max():.2f}."
    )
