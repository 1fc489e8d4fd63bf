"""Pictures of images, weights, training curves, searches and decision regions.

Every function draws into the Axes it is given (a new figure where `ax` is None), returns it, and
leaves showing and saving to the caller. Panels that are compared share one color scale; colors
are readable with any color vision (cividis, viridis and the palette of Okabe and Ito).

What cannot be drawn is refused by name before anything is: a wrong kind with TypeError, NaN and
infinity with `NotFiniteError`, any other value with ValueError.

Shapes: N examples, D features, C classes; images (N, height, width) or (N, height, width, 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from .drawable import (
    as_drawable,
    as_history,
    as_image_shape,
    as_images,
    as_limits,
    as_names,
    as_plane,
    as_table,
    check_axes,
    check_function,
)
from .validation import (
    Floats,
    as_array,
    as_count,
    as_labels,
    as_matrix,
    as_positive,
    count_classes,
    shown,
)

#: Okabe and Ito, Color Universal Design, 2008; and two more grays for ten classes.
CLASS_COLORS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9",
    "#D55E00", "#F0E442", "#000000", "#999999", "#5D3A9B",
)  # fmt: skip
MARKERS = "os^Dv<>Pp*"  # one for each class, too: color is never the only difference
_ACCURACIES = (("train", 0, "o-"), ("val", 5, "s--"))
MOST_PIXELS = 10**8
MOST_POINTS = 4000  # along a side
SMALL = 9  # points: what is smaller cannot be read on a phone
PANEL_INCHES, PAGE_INCHES = 1.4, 7.0  # an image in a row, and a row of five, which fits a phone
MOST_INCHES = 100.0  # at 100 pixels an inch, about what a figure can have on a side


def visualize_grid(
    Xs: ArrayLike, ubound: float = 255.0, padding: int = 1, *, shared: bool = False
) -> Floats:
    """Arrange images in a square grid, each stretched to 0..ubound, or all by one shared scale.

    Parameters
    ----------
    Xs : (N, H, W, C) or (N, H, W) array
    ubound : float
        Value of the brightest pixel, > 0.
    padding : int
        Black pixels between images, >= 0.
    shared : bool
        Stretch all by the smallest and the largest value of all, so that they can be compared.

    Returns
    -------
    (height, width, C) or (height, width) array
        Values in 0..ubound; a constant image is ubound / 2. With M = ceil(sqrt(N)) the height is
        M H + (M - 1) padding.

    Examples
    --------
    >>> visualize_grid([[[0.0, 2.0]], [[5.0, 5.0]]], ubound=1.0)
    array([[0. , 1. , 0. , 0.5, 0.5],
           [0. , 0. , 0. , 0. , 0. ],
           [0. , 0. , 0. , 0. , 0. ]])
    """
    images = as_images("Xs", Xs)
    ubound = as_positive("ubound", ubound)
    if not isinstance(padding, Integral) or isinstance(padding, bool) or padding < 0:
        raise ValueError(f"padding = {shown(padding)}, but it must be an integer >= 0")
    axes = None if shared else tuple(range(1, images.ndim))
    low = images.min(axis=axes, keepdims=True)
    span = images.max(axis=axes, keepdims=True) - low
    flat = span == 0
    stretched = np.where(flat, 0.5, (images - low) / np.where(flat, 1, span))
    columns = int(np.ceil(np.sqrt(len(images))))
    grid, _ = _mosaic(ubound * stretched, columns, (padding, padding), fill=0.0, rows=columns)
    return grid


def show_images(
    images: ArrayLike,
    labels: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show images side by side on one shared scale, gray or RGB by their shape.

    Parameters
    ----------
    images : (N, H, W) or (N, H, W, 3) array
    labels : sequence of N str, optional
        Written above the images.
    columns : int, optional
        Images in a row, >= 1; by default as many as make the grid about square.
    limits : (low, high), optional
        Values shown as black and white, low < high; by default (0, 255) for integer images, else
        the smallest and the largest value of all.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = show_images(np.zeros((2, 28, 28), np.uint8), ["shirt", "bag"])
    >>> [text.get_text() for text in ax.texts]
    ['shirt', 'bag']
    """
    integers = as_array("images", images).dtype.kind in "iu"
    stack = as_images("images", images)
    if limits is None:
        limits = (0.0, 255.0) if integers else (float(stack.min()), float(stack.max()))
    else:
        limits = as_limits(limits)
    return _draw_panels(stack, limits, "gray", labels, columns, ax)


def show_weights(
    W: ArrayLike,
    image_shape: tuple[int, ...],
    labels: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    limit: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show each column of W as an image: what a class, or a hidden unit, looks for.

    Zero is mid-gray and all panels share one limit: for gray images negative weights are blue and
    positive ones yellow (cividis), for RGB images each channel is 0.5 + w / (2 limit).

    Parameters
    ----------
    W : (D, C) or (D + 1, C) array
        With D = prod(image_shape); a last row of bias weights is left out.
    image_shape : tuple of int
        (height, width) or (height, width, 3).
    labels : sequence of C str, optional
    columns : int, optional
        Panels in a row, >= 1.
    limit : float, optional
        Weight shown at the end of the scale, > 0; by default the largest absolute weight.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> show_weights(np.array([[1.0], [-4.0], [0.0], [2.0]]), (2, 2)).images[0].get_clim()
    (-4.0, 4.0)
    """
    W = as_drawable("W", as_matrix("W", W, "(D, C)"))
    image_shape = as_image_shape(image_shape)
    num_pixels = math.prod(image_shape)
    if len(W) not in (num_pixels, num_pixels + 1):
        raise ValueError(
            f"W has {len(W)} rows and image_shape {image_shape} has {num_pixels} pixels, "
            "but W needs one row for each pixel, and at most one more for the bias: pass W (D, C), "
            "not its transpose, and the image_shape of the data it was trained on"
        )
    templates = W[:num_pixels].T.reshape(-1, *image_shape)
    if limit is None:
        limit = float(np.abs(templates).max()) or 1.0
    else:
        limit = as_positive("limit", limit)
        as_limits((-limit, limit))
    return _draw_panels(templates, (-limit, limit), "cividis", labels, columns, ax)


def plot_training(
    history: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    window: int = 50,
    ax: Axes | Sequence[Axes] | None = None,
) -> Any:
    """Plot the loss with its running mean and, where there are any, the accuracies.

    The loss is on a log axis, so that its first steps do not flatten all others, unless it reaches
    0 or the largest is less than three times the smallest.

    Parameters
    ----------
    history : list of float, or dict
        The losses of `LinearClassifier.train`, or what `TwoLayerNet.train` returns.
    window : int
        Steps in the running mean, >= 1, as many before a step as after it; at both ends of the run
        those there are.
    ax : Axes, or a pair of Axes, optional
        One for losses alone, a pair (loss, accuracy) for a dict.

    Returns
    -------
    Axes or array of two Axes, like `ax`

    Examples
    --------
    >>> ax = plot_training([4.0, 2.0, 3.0], window=3)
    >>> [float(loss) for loss in ax.lines[1].get_ydata()]
    [3.0, 3.0, 2.5]
    """
    losses, *accuracies = as_history(history)
    is_dict = bool(accuracies)
    window = min(as_count("window", window), losses.size)
    if ax is None:
        _, ax = plt.subplots(1, 2 if is_dict else 1, figsize=(7.2 if is_dict else 5.5, 3.6),
                             layout="constrained")  # fmt: skip
    panels = np.atleast_1d(np.asarray(ax, dtype=object))
    if panels.shape != (1 + is_dict,):
        raise ValueError(
            f"ax holds {panels.size} Axes, but {'a pair' if is_dict else 'one'} is needed: "
            "the loss alone goes into one, the loss and the accuracies into two"
        )
    for panel in panels:
        check_axes(panel)
    before = window // 2
    means = [losses[max(t - before, 0) : t - before + window].mean() for t in range(losses.size)]
    panels[0].plot(losses, color="0.75", linewidth=0.8, label="minibatch")
    panels[0].plot(means, color=CLASS_COLORS[0], label=f"mean of {window} steps")
    panels[0].set(xlabel="iteration", ylabel="loss", title="Training loss")
    if losses.min() > 0 and losses.max() >= 3 * losses.min():
        _log_axis(panels[0], losses)
    panels[0].legend()
    if is_dict:
        for (name, color, style), accuracy in zip(_ACCURACIES, accuracies, strict=True):
            panels[1].plot(np.arange(1, len(accuracy) + 1), accuracy, style, markersize=4,
                           color=CLASS_COLORS[color], label=name)  # fmt: skip
        panels[1].set(xlabel="epoch", ylabel="accuracy", title="Accuracy after each epoch")
        panels[1].xaxis.set_major_locator(MaxNLocator(integer=True))
        panels[1].legend()
    return ax


def plot_search(results: Mapping[tuple[float, float], Any], *, ax: Axes | None = None) -> Axes:
    """Show a search over learning rates and regularization strengths as a heat map in log axes.

    Parameters
    ----------
    results : dict
        (learning_rate, reg) -> accuracy, or a tuple whose last number is the validation accuracy,
        as in the course. Accuracies in [0, 1]; NaN marks a run that diverged. Pairs may be missing.
    ax : Axes, optional

    Returns
    -------
    Axes
        Learning rate from left to right, reg upwards; the best pair is framed.

    Examples
    --------
    >>> ax = plot_search({(1e-3, 0.1): 0.25, (1e-2, 0.1): float("nan")})
    >>> [text.get_text() for text in ax.texts]
    ['0.250', 'diverged']
    """
    if ax is not None:
        check_axes(ax)
    table = as_table(results)
    rates, regs = (np.unique([pair[k] for pair in table]) for k in (0, 1))
    accuracy = np.full((len(regs), len(rates)), np.nan)
    for (rate, reg), value in table.items():
        accuracy[np.searchsorted(regs, reg), np.searchsorted(rates, rate)] = value
    ax = ax or plt.subplots(figsize=(6.5, 4.5), layout="constrained")[1]
    known = accuracy[np.isfinite(accuracy)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    edges_x, edges_y = _log_edges(rates), _log_edges(regs)
    mesh = ax.pcolormesh(edges_x, edges_y, accuracy, cmap="viridis", vmin=low, vmax=high)
    ax.set_facecolor("0.85")
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="reg",
           title="Validation accuracy")  # fmt: skip
    for axis, values in ((ax.xaxis, rates), (ax.yaxis, regs)):
        axis.set_major_locator(FixedLocator(values.tolist()))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(NullLocator())
    ax.figure.colorbar(mesh, ax=ax, label="accuracy")
    for (rate, reg), value in table.items():
        color = "white" if value < low + 0.6 * (high - low) else "black"
        ax.text(rate, reg, f"{value:.3f}" if np.isfinite(value) else "diverged", color=color,
                ha="center", va="center", fontsize=SMALL)  # fmt: skip
    if known.size:
        row, column = np.unravel_index(np.nanargmax(accuracy), accuracy.shape)
        x, y = edges_x[column : column + 2], edges_y[row : row + 2]
        ax.plot(x[[0, 1, 1, 0, 0]], y[[0, 0, 1, 1, 0]], color="#D55E00", linewidth=3, clip_on=False,
                label="best")  # fmt: skip
    return ax


def plot_decision_regions(
    predict: Callable[[Floats], ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    resolution: int = 200,
    ax: Axes | None = None,
) -> Axes:
    """Color the plane by the predicted class, with the examples on top.

    Parameters
    ----------
    predict : callable
        Takes points (M, 2), returns their classes (M,) as integers.
    X : (N, 2) array
    y : (N,) integer array
    class_names : sequence of str, optional
        At least C of them.
    resolution : int
        Points along each side of the grid, 1 to 4000.
    ax : Axes, optional

    Returns
    -------
    Axes
        With a legend beside it where the figure has a layout engine to make room for it.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> plot_decision_regions(lambda P: (P[:, 0] > 0.5).astype(int), X, [0, 1]).get_title()
    'Decision regions'
    """
    check_function("predict", predict, "points (M, 2)", ": pass model.predict")
    X = as_plane("X", X)
    labels = as_labels(y, len(X))
    names = None if class_names is None else as_names("class_names", class_names)
    resolution = as_count("resolution", resolution)
    if resolution > MOST_POINTS:
        raise ValueError(
            f"resolution = {resolution}, but {MOST_POINTS} points along a side are the most: "
            "200 will do on a screen"
        )
    if ax is not None:
        check_axes(ax)
    margin = 0.1 * (np.ptp(X, axis=0) + 1e-9 * max(1.0, np.abs(X).max()))
    low, high = X.min(axis=0) - margin, X.max(axis=0) + margin
    centers = (np.arange(resolution) + 0.5) / resolution  # of the picture's pixels, in 0..1
    grid = np.stack(np.meshgrid(centers, centers), axis=-1).reshape(-1, 2)  # (resolution**2, 2)
    plane = low + grid * (high - low)
    regions = as_labels(predict(plane), len(plane), "the grid", "predict(points)")
    num_classes = max(count_classes(labels), count_classes(regions, "predict(points)"))
    if names is None:
        names = [f"class {k}" for k in range(num_classes)]
    if len(names) < num_classes:
        raise ValueError(
            f"class_names has {len(names)} names, but y and predict have {num_classes} classes: "
            "name each class"
        )
    colors = [to_rgb(CLASS_COLORS[k % len(CLASS_COLORS)]) for k in range(num_classes)]
    ax = ax or plt.subplots(figsize=(5, 4.5), layout="constrained")[1]
    ax.imshow(
        regions.reshape(resolution, resolution), origin="lower", aspect="auto", alpha=0.35,
        extent=(low[0], high[0], low[1], high[1]), cmap=ListedColormap(colors),
        vmin=-0.5, vmax=num_classes - 0.5, interpolation="nearest",
    )  # fmt: skip
    size = float(np.clip(4000 / len(X), 14, 60))  # fewer points, larger ones
    present = np.unique(labels)
    points = [
        ax.scatter(X[labels == k, 0], X[labels == k, 1], s=size, color=colors[k],
                   marker=MARKERS[k % 10], edgecolor="white", linewidth=0.4, label=f"class {k}")
        for k in present
    ]  # fmt: skip
    ax.set(xlabel="x[0]", ylabel="x[1]", title="Decision regions")
    beside: dict[str, Any] = {
        "loc": "upper left",
        "bbox_to_anchor": (1, 1),
        "borderaxespad": 0,
        "frameon": False,
    }
    inside: dict[str, Any] = {"loc": "upper right", "framealpha": 1}  # lines do not shine through
    has_room = ax.figure.get_layout_engine() is not None
    legend = ax.legend(
        handles=points, fontsize=SMALL, markerscale=1.5, **(beside if has_room else inside)
    )
    for k, text in zip(present, legend.get_texts(), strict=True):
        text.set(text=names[k], parse_math=False)  # as a label, "_a" would be left out
    return ax


def _mosaic(
    images: Floats, columns: int, gap: tuple[int, int], fill: float, rows: int | None = None
) -> tuple[Floats, list[tuple[int, int]]]:
    """Return one array with the images side by side, and each image's (top, left)."""
    height, width = images.shape[1:3]
    rows = rows or -(-len(images) // columns)
    down, across = height + gap[0], width + gap[1]
    size = (rows * down - gap[0], columns * across - gap[1])
    if math.prod(size) > MOST_PIXELS:
        raise ValueError(
            f"images make a picture of {size[0]} x {size[1]} pixels, but {MOST_PIXELS:,} are the "
            "most: show fewer, or take a smaller padding"
        )
    canvas = np.full((*size, *images.shape[3:]), fill)
    corners = [(k // columns * down, k % columns * across) for k in range(len(images))]
    for image, (top, left) in zip(images, corners, strict=True):
        canvas[top : top + height, left : left + width] = image
    return canvas, corners


def _draw_panels(
    images: Floats,
    limits: tuple[float, float],
    cmap: str,
    labels: Sequence[str] | None,
    columns: int | None,
    ax: Axes | None,
) -> Axes:
    """Draw images on one scale, white between them, labels above."""
    names = [""] * len(images) if labels is None else as_names("labels", labels)
    if len(names) != len(images):
        raise ValueError(
            f"there are {len(names)} labels and {len(images)} images, but each image needs one: "
            "slice both alike"
        )
    if ax is not None:
        check_axes(ax)
    if columns is None:
        columns = math.ceil(math.sqrt(len(images)))
    columns = as_count("columns", columns)
    columns = min(columns, len(images))
    height, width = images.shape[1:3]
    gap = max(1, height // 10)
    lines = 0 if labels is None else max(name.count("\n") + 1 for name in names)
    headroom = max(gap, lines * height // 4 + gap // 2)  # room for the labels above each row
    low, high = limits
    fill = np.nan
    if images.ndim == 4:
        with np.errstate(over="ignore"):  # far beyond the limits is as good as at them
            images, fill = np.clip((images - low) / ((high - low) or 1.0), 0, 1), 1.0
    canvas, corners = _mosaic(images, columns, (headroom, gap), fill)
    if ax is None:
        inches = max(2.0, min(PANEL_INCHES * columns, PAGE_INCHES), 0.7 * columns)
        size = (inches, max(1.0, inches * (canvas.shape[0] + headroom) / canvas.shape[1]))
        figsize = np.minimum(size, MOST_INCHES)
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    ax.imshow(canvas, interpolation="nearest", cmap=cmap, vmin=low, vmax=high)
    if labels is not None:
        ax.set_ylim(canvas.shape[0] - 0.5, -0.5 - headroom)
        for (top, left), name in zip(corners, names, strict=True):
            ax.text(left + width / 2 - 0.5, top - 1, name, ha="center", va="bottom",
                    fontsize=SMALL, parse_math=False)  # fmt: skip
    ax.set_axis_off()
    return ax


def _log_axis(ax: Axes, values: Floats) -> None:
    """Make y logarithmic, with ticks that read 0.5, 1, 2 and not 5 x 10**-1."""
    few = values.max() < 1000 * values.min()
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_locator(NullLocator())


def _log_edges(centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of cells around `centers` > 0, halfway between them in the logarithm."""
    logs = np.log(centers)
    gaps = np.diff(logs) if len(logs) > 1 else np.ones(1)
    logs = np.concatenate([logs[:1] - gaps[0], logs, logs[-1:] + gaps[-1]])
    return np.exp((logs[:-1] + logs[1:]) / 2)
