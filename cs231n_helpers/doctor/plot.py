"""Pictures of a gradient check: where the slopes agree, where they do not, and at which step."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..described_values import ROUNDING
from .evaluate import LossFunction, Vector
from .slopes import Detector, Slope
from .snapshot import StateSnapshot

PATCHES, FEWER = 16, 8  # at most, along each axis of a small and of a large parameter
STEPS = 10.0 ** np.arange(-11, 0.0)


def draw(call: tuple[Any, ...], *, float32: bool = False) -> Figure:
    """Measure every entry of small parameters, patches of entries of large ones, and draw them."""
    loss, params, args, kwargs = call
    rng = np.random.RandomState(0)
    with StateSnapshot(loss, *args, *kwargs.values()), np.errstate(all="ignore"):
        function = LossFunction(loss, params, args, kwargs)
        detector = Detector(function, rng, float32=float32)
        at = function(function.x)

        def along(patch: NDArray[Any]) -> Slope:
            """Measure along a random direction within one patch."""
            v = np.zeros(function.blocks.size)
            v[patch] = 1.0 if patch.size == 1 else rng.standard_normal(patch.shape)
            v /= np.linalg.norm(v)
            return detector.measure(at, v, detector.step(at, v))

        slopes = {
            name: np.array([[along(patch) for patch in row] for row in _patches(function, name)])
            for name, shape in function.blocks.shapes.items()
            if 0 not in shape
        }
        v = detector.direction()
        curve = [detector.measure(at, v, step * max(1.0, abs(at.x).max())) for step in STEPS]
    return _figure(slopes, curve, function)


def _patches(function: LossFunction, name: str) -> list[list[NDArray[Any]]]:
    """Where in x the entries of a parameter are: as a matrix, cut into rows of patches."""
    most = PATCHES if function.blocks.size <= 1000 else FEWER
    rows, columns = _as_matrix(function.blocks.shapes[name])
    places = np.arange(function.blocks.size)[function.blocks.slices[name]].reshape(rows, columns)
    bands = np.array_split(places, min(rows, most))
    return [np.array_split(band, min(columns, most), axis=1) for band in bands]


def _as_matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the picture of a parameter."""
    if len(shape) < 2:
        return 1, int(np.prod(shape))
    return shape[0], int(np.prod(shape[1:]))


def _figure(slopes: dict[str, NDArray[Any]], curve: list[Slope], function: LossFunction) -> Figure:
    figure = Figure(figsize=(7.4, 6.6), layout="constrained")  # type can be read on a phone
    halves: Any = figure.subfigures(2, 1, height_ratios=[1.2, 1])
    top, bottom = halves
    scatter, steps = top.subplots(1, 2)
    _scatter(scatter, slopes, function)
    _steps(steps, curve)
    images = np.atleast_1d(bottom.subplots(1, len(slopes)))
    largest = max(abs(s.numerical) for t in slopes.values() for s in t.flat)
    errors = {k: _errors(t, max(largest, 1e-300)) for k, t in slopes.items()}
    limit = max(1e-6, *(float(np.nanmax(e, initial=0.0)) for e in errors.values()))
    for ax, (name, error) in zip(images, errors.items(), strict=True):
        shown = ax.imshow(error, cmap="cividis", vmin=0, vmax=limit, aspect="auto")
        shape = function.blocks.shapes[name]
        rows, columns = _as_matrix(shape)
        shown.set_extent((-0.5, columns - 0.5, rows - 0.5, -0.5))
        ax.set_title(f"{name if function.blocks.is_dict else 'error'} {shape}")
        ax.set_xlabel("column")
        if ax is images[0]:
            ax.set_ylabel("row")
        for axis, n in ((ax.xaxis, columns), (ax.yaxis, rows)):
            axis.get_major_locator().set_params(integer=True)
            if n == 1:
                axis.set_ticks([0])
    bar = bottom.colorbar(shown, ax=list(images), shrink=0.9)
    bar.set_label("|analytic - numerical| / largest")
    return figure


def _errors(table: NDArray[Any], largest: float) -> NDArray[np.float64]:
    found = np.zeros(table.shape)
    for index, slope in np.ndenumerate(table):
        if not slope.agrees:
            found[index] = abs(slope.best_error) / largest
    return found


def _scatter(ax: Axes, slopes: dict[str, NDArray[Any]], function: LossFunction) -> None:
    markers = "osD^vPX*"
    for k, (name, table) in enumerate(slopes.items()):
        points = [(s.numerical, s.analytic) for s in table.flat]
        x, y = np.array(points).T
        label = str(name) if function.blocks.is_dict else "slopes"
        ax.plot(x, y, markers[k % 8], color=f"C{k}", markersize=4, alpha=0.7, label=label)
    ax.axline((0, 0), slope=1, color="0.5", linewidth=1, zorder=0, label="equal")
    ax.set_xlabel("numerical slope, of the loss")
    ax.set_ylabel("analytic slope, the gradient's")
    ax.set_title("On the line: right")
    ax.legend(fontsize=9)


def _steps(ax: Axes, curve: list[Slope]) -> None:
    size = max(max(abs(s.analytic), abs(s.numerical)) for s in curve) or 1.0
    errors: Vector = np.array([abs(s.analytic - s.numerical) / size for s in curve])
    ax.loglog([s.h for s in curve], np.maximum(errors, 1e-17), "o-", markersize=4,
              label="error", gid=f"{ROUNDING} below 0.001")  # fmt: skip
    ax.set_xlabel("step h of the central difference")
    ax.set_ylabel("relative error")
    ax.set_ylim(1e-17, 10)
    ax.set_title("Right: a V. Wrong: a floor")
