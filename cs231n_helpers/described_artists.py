"""Each thing that Matplotlib draws into a panel, in a sentence or two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import cm, collections, colormaps, container, image, lines, patches, quiver, text
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from .described_values import (
    NOISE,
    ROUNDING,
    Scale,
    as_numbers,
    color_name,
    counted,
    finite,
    log_mean_of,
    mean_of,
    missing,
    scale_of,
    ties,
    trend,
)

Values = NDArray[np.float64]
FEW = 8  # points, bars, pieces: so many are listed one by one
MANY = 12  # lines or shapes without a label: more are described together
FEW_VALUES = 10  # in an image: so many are parts of it and get their share
MOST_PIXELS = 10**6  # larger images are thinned out
STYLES = {"--": "dashed ", ":": "dotted ", "-.": "dash-dotted "}
MARKERS = {
    "o": "circles", "s": "squares", "^": "triangles", "v": "triangles down", "D": "diamonds",
    "<": "triangles left", ">": "triangles right", "P": "crosses", "p": "pentagons", "*": "stars",
    ".": "dots", ",": "pixels", "x": "x marks", "+": "plus marks",
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """The axes of a panel: how their places are written.

    Parameters
    ----------
    ax : Axes
    log : (bool, bool)
        Whether x and y are on a logarithmic axis.
    limits : ((low, high), (low, high))
    names : pair of callables or None
        What a place on x, and one on y, is called.
    """

    ax: Any
    log: tuple[bool, bool]
    limits: tuple[tuple[float, float], tuple[float, float]]
    names: tuple[Callable[[float], str | None] | None, Callable[[float], str | None] | None]

    def scale(self, axis: int, *values: Values) -> Scale:
        """Return how numbers along x (0) or y (1) are written."""
        low, high = self.limits[axis]
        return scale_of(*values, log=self.log[axis], limits=(low, high), name=self.names[axis])

    def grows(self, axis: int) -> bool:
        """Return whether x grows to the right, or y upwards."""
        low, high = self.limits[axis]
        return low <= high


def sentences(frame: Frame) -> Iterator[str]:
    """Yield what is drawn in a panel, a sentence each."""
    ax = frame.ax
    if ax.name == "3d":
        yield from _in_space(ax)
        return
    barred: set[int] = set()
    for it in ax.containers:
        if isinstance(it, container.BarContainer):
            barred.update(id(bar) for bar in it.patches)
    for shown in (im for im in ax.images if im.get_visible()):
        yield from _safe(_image, shown, frame)
    for it in ax.containers:
        if isinstance(it, container.BarContainer) and any(bar.get_visible() for bar in it.patches):
            yield from _safe(_bars, it, frame)
    kinds: tuple[tuple[Sequence[Any], Callable[..., Any], str], ...] = (
        (ax.lines, _line, "line"),
        (ax.collections, _collection, "collection"),
        ([patch for patch in ax.patches if id(patch) not in barred], _patch, "shape"),
        (ax.tables, _table, "table"),
        (ax.artists, _anything, "object"),
    )
    for artists, describer, what in kinds:
        visible = [artist for artist in artists if artist.get_visible()]
        unnamed = [artist for artist in visible if not label_of(artist)]
        if len(unnamed) > MANY:
            yield from _safe(_together, unnamed, frame, what)
            visible = [artist for artist in visible if label_of(artist)]
        for artist in visible:
            yield from _safe(describer, artist, frame)


def _in_space(ax: Any) -> Iterator[str]:
    """Yield what is drawn in three dimensions: the kinds, and of lines the ranges."""
    for artist in (*ax.lines, *ax.collections, *ax.patches):
        name = _named(type(artist).__name__, artist)
        if hasattr(artist, "get_data_3d"):
            data = [as_numbers(values) for values in artist.get_data_3d()]
            spans = ", ".join(
                f"{axis} {_range(scale_of(values), values)}"
                for axis, values in zip("xyz", data, strict=True)
                if finite(values).size
            )
            name += f", {counted(len(data[0]), 'point')}{', ' if spans else ''}{spans}"
        yield f"{name}."


def _safe(describer: Callable[..., Any], artist: Any, *more: Any) -> Iterator[str]:
    """Yield a describer's sentences; of what it cannot describe, the kind alone."""
    try:
        found = [sentence for sentence in describer(artist, *more) if sentence]
    except Exception:  # artists may hold anything: a description is no place to fail
        found = [f"{_named(type(artist).__name__, artist)}."]
    yield from found


def label_of(artist: Any) -> str:
    """Return an artist's label, "" if it has none of its own."""
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else plain(label)


def plain(words: Any) -> str:
    """Return a text in one line."""
    return " / ".join(part.strip() for part in str(words).split("\n") if part.strip())


def _named(what: str, artist: Any) -> str:
    label = label_of(artist)
    return f'{what} "{label}"' if label else what


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


# Lines and points


def _line(line: Any, frame: Frame) -> list[str]:
    x, y = (as_numbers(data) for data in (line.get_xdata(orig=False), line.get_ydata(orig=False)))
    in_data = line.get_transform().contains_branch_seperately(frame.ax.transData)
    color = color_name(to_rgb(line.get_color()))
    style, marker = line.get_linestyle(), line.get_marker()
    drawn = style not in ("None", "none", "", " ")
    form = str(STYLES.get(style, "")) if drawn else ""
    if isinstance(line, lines.AxLine):
        slope = line.get_slope()
        point = "({}, {})".format(*map(Scale().text, as_numbers(line.get_xy1())))
        way = f"with slope {Scale().text(slope)}" if slope is not None else (
            "and ({}, {})".format(*map(Scale().text, as_numbers(line.get_xy2()))))  # fmt: skip
        return [f"{_named(_upper(f'{form}{color} straight line'), line)} through {point} {way}."]
    if in_data == (False, True) and len(y) == 2:
        name = _named(_upper(f"{form}{color} horizontal line"), line)
        return [f"{name} at y = {frame.scale(1, y).text(y[0])}."]
    if in_data == (True, False) and len(x) == 2:
        name = _named(_upper(f"{form}{color} vertical line"), line)
        return [f"{name} at x = {frame.scale(0, x).text(x[0])}."]
    marks = "" if marker in ("None", "none", "", " ", None) else MARKERS.get(marker, "marks")
    if drawn:
        name = _named(_upper(f"{form}{color} line"), line) + (f" with {marks}" if marks else "")
    elif marks:
        name = _named(_upper(f"{color} {marks}"), line)
    else:
        return []
    if not any(in_data):
        return [f"{name}, {counted(len(x), 'point')}, not placed by the axes."]
    noisy = str(line.get_gid() or "")
    if noisy.startswith(ROUNDING):
        name += f", {counted(len(x), 'point')}, x {_range(frame.scale(0, x), x)}"
        below = noisy.removeprefix(ROUNDING).removeprefix(" below ")
        if not below or drawn is False:
            return [f"{name}: not described, differs between machines."]
        sure = x >= float(below)
        name += f"; differs between machines below x = {below}; above"
        return [f"{name}, {_curve(x[sure], y[sure], frame)}."]
    return [f"{name}, {_curve(x, y, frame) if drawn else _cloud(x, y, frame)}."]


def _range(scale: Scale, values: Values) -> str:
    kept = finite(values)
    low, high = (scale.text(end) for end in (kept.min(), kept.max()))
    return low if low == high else f"{low} to {high}"


def _listed(x: Values, y: Values, frame: Frame) -> str:
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    places = ", ".join(f"({xs.text(a)}, {ys.text(b)})" for a, b in zip(x, y, strict=True))
    return f"{counted(len(x), 'point')}: {places}" if len(x) else "no points"


def _curve(x: Values, y: Values, frame: Frame) -> str:
    """Describe points in their order: how they go on, from where to where, and the extremes."""
    both = np.isfinite(x) & np.isfinite(y)
    lacking = missing(np.where(both, x, np.nan))
    if len(x) <= FEW or not both.any():
        return _listed(x, y, frame)
    count = counted(len(x), "point")
    x, y = x[both], y[both]
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    way = trend(y, 0.0 if frame.log[1] else ys.size)
    start = f"{count}{lacking}, x {_range(xs, x)}: "
    if way == "stays":
        return f"{start}stays at {ys.text(y[0])}"
    ends = f"from {ys.text(y[0])} to {ys.text(y[-1])}"
    return f"{start}{way} {ends}; {_extremes(x, y, xs, ys)}; {_mean(y, ys, frame.log[1])}"


def _mean(values: Values, scale: Scale, log: bool) -> str:
    if log:
        return f"geometric mean {scale.text(log_mean_of(values))}"
    return f"mean {Scale(scale.size, scale.span).text(mean_of(values))}"


def _extremes(x: Values, y: Values, xs: Scale, ys: Scale, along: str = "x") -> str:
    """Say where the smallest and the largest of y are."""
    found = []
    for word, sign in (("smallest", -1), ("largest", 1)):
        tied = ties(y, sign, ys.size)
        places = f"{along} = {xs.text(x[tied[0]])}"
        if len(tied) > 1:
            places = f"{len(tied)} places, first {places}"
        found.append(f"{word} {ys.text(y[tied[0]])} at {places}")
    return ", ".join(found)


def _cloud(x: Values, y: Values, frame: Frame) -> str:
    """Describe points whose order says nothing: where they lie."""
    both = np.isfinite(x) & np.isfinite(y)
    if len(x) <= FEW or not both.any():
        return _listed(x, y, frame)
    lacking, count = missing(np.where(both, x, np.nan)), counted(len(x), "point")
    x, y = x[both], y[both]
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    middle = [
        Scale(scale.size, scale.span).text((log_mean_of if log else mean_of)(values))
        for scale, values, log in zip((xs, ys), (x, y), frame.log, strict=True)
    ]
    lowest, highest = (x[ties(y, sign, ys.size)[0]] for sign in (-1, 1))
    return (
        f"{count}{lacking}, x {_range(xs, x)}, y {_range(ys, y)}, mean ({middle[0]}, {middle[1]}); "
        f"lowest at x = {xs.text(lowest)}, highest at x = {xs.text(highest)}"
    )


# Bars


def _bars(bars: Any, frame: Frame) -> list[str]:
    upright = bars.orientation != "horizontal"
    corners = as_numbers(
        [(b.get_x(), b.get_width(), b.get_y(), b.get_height()) for b in bars.patches]
    ).T
    start, width, base, length = corners if upright else corners[[2, 3, 0, 1]]
    middle, axis = start + width / 2, 0 if upright else 1
    places, sizes = frame.scale(axis, middle), frame.scale(1 - axis, length, base)
    along = "xy"[axis]
    colors = _some(dict.fromkeys(color_name(bar.get_facecolor()) for bar in bars.patches))
    kind = "bars" if upright else "horizontal bars"
    name = f"{_named(_upper(f'{colors} {kind}'), bars)}, {len(length)}"
    if len(length) <= max(FEW, MANY):
        listed = []
        for place, size, start in zip(middle, length, base, strict=True):
            if abs(size) <= NOISE * sizes.size:
                continue
            above = "" if frame.log[1 - axis] or abs(start) <= NOISE * sizes.size else (
                f" from {sizes.text(start)} on")  # fmt: skip
            listed.append(f"{sizes.text(size)} at {places.text(place)}{above}")
        if len(listed) < len(length):
            listed.append("else 0" if listed else "all 0")
        return [f"{name}: {', '.join(listed)}."]
    kept = np.isfinite(length)
    extremes = _extremes(middle[kept], length[kept], places, sizes, along)
    total = Scale().text(mean_of(length) * kept.sum())
    edges = frame.scale(axis, start, start + width)
    span = f"{edges.text(np.nanmin(start))} to {edges.text(np.nanmax(start + width))}"
    center = mean_of(length * middle) / mean_of(length) if mean_of(length) else np.nan
    total += f", balanced at {along} = {places.text(center)}"
    way = trend(length, sizes.size).rstrip(",")
    return [f"{name}, {along} {span}: {way}; {extremes}; sum {total}{missing(length)}."]


def _some(words: Any) -> str:
    listed = list(words)
    return ", ".join(listed[:FEW]) + (" and others" if len(listed) > FEW else "")


# Images


def _image(shown: Any, frame: Frame) -> list[str]:
    if not isinstance(shown, image.AxesImage):
        return _anything(shown, frame)
    left, right, bottom, top = shown.get_extent()
    array: Any = shown.get_array()
    rows, columns = np.shape(array)[:2]
    first, last = (bottom, top) if shown.origin == "lower" else (top, bottom)
    y = first + (np.arange(rows) + 0.5) / rows * (last - first)
    x = left + (np.arange(columns) + 0.5) / columns * (right - left)
    return _pixels(_named("Image", shown), array, x, y, shown, frame)


def _mesh(mesh: Any, frame: Frame) -> list[str]:
    array, corners = mesh.get_array(), as_numbers(mesh.get_coordinates())
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    shape = np.shape(array)[:2] if np.ndim(array) > 1 else (rows, columns)
    array = np.reshape(as_numbers(array), (*shape, *np.shape(array)[2:]))
    x, y = corners[0, :, 0], corners[:, 0, 1]
    if shape == (rows, columns):
        centers = []
        for edges, log in zip((x, y), frame.log, strict=True):
            pair = edges[:-1], edges[1:]
            centers.append(np.sqrt(pair[0] * pair[1]) if log else (pair[0] + pair[1]) / 2)
        x, y = centers
    return _pixels(_named("Mesh", mesh), array, x, y, mesh, frame)


def _pixels(name: str, array: Any, x: Values, y: Values, shown: Any, frame: Frame) -> list[str]:
    """Describe an array of values or colors as it lies on the screen, top row first."""
    values = as_numbers(array)
    if not values.size:
        return [f"{name}, empty."]
    if np.asarray(array).dtype.kind == "u" and values.ndim == 3:
        values = values / 255
    down = np.argsort(-y if frame.grows(1) else y, kind="stable")
    across = np.argsort(x if frame.grows(0) else -x, kind="stable")
    values, x, y = values[down][:, across], x[across], y[down]
    size = f"{name}, {len(y)} x {len(x)}"
    if shown.get_gid() == ROUNDING:
        return [f"{size}: not described, differs between machines."]
    if values.ndim == 3:
        size += ", RGB"
        values = values[..., :3]
        scale = Scale(1.0, 1.0)
    else:
        low, high = shown.get_clim()
        scale = scale_of(values, limits=(low or 0.0, high or 0.0))
        norm = type(shown.norm).__name__
        log = (
            " on a log scale" if norm == "LogNorm" else "" if norm == "Normalize" else f" ({norm})"
        )
        ends = f"{scale.text(low)} to {scale.text(high)}" if low is not None else "no limits"
        size += f", {ends}{_colors(shown)}{log}"
    if not np.isfinite(values).any():
        return [f"{size}, all missing."]
    tiles = _tiles(values)
    if tiles:
        return [f"{size}: {counted(len(tiles), 'picture')}.", *_pictures(tiles, values, scale)]
    if np.ptp(finite(values)) <= NOISE * scale.size:
        return [f"{size}, all {scale.text(finite(values)[0])}{missing(values)}."]
    thin = int(np.ceil(np.sqrt(values.shape[0] * values.shape[1] / MOST_PIXELS)))
    values, x, y = values[::thin, ::thin], x[::thin], y[::thin]
    parts = _parts(values, x, y, scale, shown, frame)
    if parts:
        return [f"{size}, in parts: {parts}."]
    if values.ndim == 3:
        means = scale.texts(values[..., k][np.isfinite(values[..., k])].mean() for k in range(3))
        return [f"{size}, mean red, green, blue {means}; {_quarters(values, scale)}."]
    if len(y) <= FEW and len(x) <= FEW:
        rows = "; ".join(scale.texts(row) for row in values)
        return [f"{size}, rows from the top: {rows}."]
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    return [
        f"{size}, values {_range(scale, values)}{missing(values)}, mean "
        f"{scale.text(mean_of(values))}; {_peaks(values, x, y, xs, ys, scale)}; "
        f"{_quarters(values, scale)}."
    ]


def _peaks(values: Values, x: Values, y: Values, xs: Scale, ys: Scale, scale: Scale) -> str:
    found = []
    for word, sign in (("smallest", -1), ("largest", 1)):
        tied = ties(values, sign, scale.size)
        row, column = divmod(int(tied[0]), values.shape[1])
        place = f"({xs.text(x[column])}, {ys.text(y[row])})"
        several = f"{len(tied)} places, first " if len(tied) > 1 else ""
        found.append(f"{word} at {several}{place}")
    return ", ".join(found)


def _quarters(values: Values, scale: Scale) -> str:
    """Return the means of the four quarters: what is turned, shifted or swapped changes them."""
    row, column = (max(1, length // 2) for length in values.shape[:2])
    means = [
        scale.text(mean_of(part)) if np.isfinite(part).any() else "missing"
        for part in (values[:row, :column], values[:row, column:],
                     values[row:, :column], values[row:, column:])
    ]  # fmt: skip
    return "means at the upper left {}, upper right {}, lower left {}, lower right {}".format(
        *means
    )


def _parts(values: Values, x: Values, y: Values, scale: Scale, shown: Any, frame: Frame) -> str:
    """Return which few values or colors cover how much, and where; "" if there are many."""
    if min(values.shape[:2]) < 2 or values.shape[0] * values.shape[1] <= FEW * FEW:
        return ""
    if values.ndim == 3:
        coded = np.nan_to_num(np.round(values * 255)) @ np.array([65536.0, 256.0, 1.0])
    else:
        coded = values
    kept = np.isfinite(coded)
    kinds, where = np.unique(coded[kept], return_inverse=True)
    if len(kinds) > FEW_VALUES or len(kinds) < 2:
        return ""
    total, grid = coded.size, np.meshgrid(x, y)
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    found = []
    for k, kind in enumerate(kinds):
        inside = where.ravel() == k
        share = inside.sum()
        middle = [
            _coarse(axis[kept][inside].mean(), axis, places)
            for axis, places in zip(grid, (xs, ys), strict=True)
        ]
        covers = f"in {counted(int(share), 'cell')}" if total <= 1000 else (
            f"on {int(100 * share / total + 0.5)}%")  # fmt: skip
        rgb = (
            shown.to_rgba(np.array([[kind]]))[0, 0, :3]
            if values.ndim == 2
            else [kind // 65536 / 255, kind // 256 % 256 / 255, kind % 256 / 255]
        )
        what = color_name(rgb) + ("" if values.ndim == 3 else f" ({scale.text(kind)})")
        found.append(f"{what} {covers} around ({middle[0]}, {middle[1]})")
    lacking = missing(coded)
    return "; ".join(found) + lacking


def _coarse(value: float, values: Values, scale: Scale) -> str:
    """Return a place to a twentieth of what there is: a pixel more or less shall not matter."""
    low, high = float(values.min()), float(values.max())
    step = (high - low) / 20
    return Scale(scale.size).text(low + step * np.floor((value - low) / step + 0.5)) if step else (
        Scale(scale.size).text(value))  # fmt: skip


def _tiles(values: Values) -> list[tuple[slice, slice]]:
    """Return where pictures lie that are laid out in a grid, with NaN or white between them."""
    blank = np.isnan(values) if values.ndim == 2 else (values == 1).all(axis=2)
    spans = []
    for axis in (1, 0):
        filled = np.concatenate([[False], ~blank.all(axis=axis), [False]])
        edges = np.flatnonzero(np.diff(filled.astype(int)))
        spans.append([slice(*pair) for pair in edges.reshape(-1, 2)])
    tiles = [(down, across) for down in spans[0] for across in spans[1]]
    if len(tiles) < 2 or len({(s.stop - s.start) for s in spans[0]}) > 1 or len(
        {(s.stop - s.start) for s in spans[1]}) > 1:  # fmt: skip
        return []
    if spans[0][0].stop - spans[0][0].start < 2:
        return []
    return [tile for tile in tiles if not blank[tile].all()]


def _pictures(tiles: list[tuple[slice, slice]], values: Values, scale: Scale) -> Iterator[str]:
    """Yield the mean of each picture, and those of its upper and its left half, row by row."""
    rows: dict[int, list[str]] = {}
    for down, across in tiles:
        tile = values[down, across]
        upper, left = tile[: max(1, len(tile) // 2)], tile[:, : max(1, tile.shape[1] // 2)]
        means = [mean_of(part) for part in (tile, upper, left)]
        rows.setdefault(down.start, []).append("{} ({}, {})".format(*map(scale.text, means)))
    for number, row in enumerate(rows.values(), start=1):
        what = "mean (of the upper half, of the left half)" if number == 1 else "mean"
        yield f"Row {number}, {what}: {'; '.join(row)}."


# Collections, shapes and the rest


def _collection(group: Any, frame: Frame) -> list[str]:
    if isinstance(group, collections.QuadMesh):
        return _mesh(group, frame)
    if hasattr(group, "levels"):
        return _contours(group, frame)
    if isinstance(group, quiver.Quiver):
        x, y = as_numbers(group.X), as_numbers(group.Y)
        arrows = [as_numbers(part) for part in (group.U, group.V)]
        mean = ", ".join(Scale().text(mean_of(part)) for part in arrows)
        return [f"{_named('Arrows', group)}, {_cloud(x, y, frame)}; mean arrow ({mean})."]
    filled = len(group.get_facecolor()) > 0
    colors = group.get_facecolor() if filled else group.get_edgecolor()
    color = _some(dict.fromkeys(color_name(color) for color in colors))
    if group.get_array() is not None:
        color = "colored"
    if isinstance(group, collections.LineCollection):
        return [_segments(_named(_upper(f"{color} pieces of line"), group), group, frame)]
    if isinstance(group, collections.PathCollection):
        x, y = as_numbers(group.get_offsets()).reshape(-1, 2).T
        name = _named(_upper(f"{'' if filled else 'hollow '}{color} points"), group)
        return [f"{name}, {_cloud(x, y, frame)}{_mapped(group)}."]
    if isinstance(group, collections.PolyCollection):
        name = _named(_upper(f"{color} area"), group)
        return [f"{_areas(name, group, frame)}{_mapped(group)}."]
    box = group.get_datalim(frame.ax.transData)
    return [_box(_named(_upper(f"{color} {type(group).__name__}"), group), box, frame) + "."]


def _mapped(group: Any) -> str:
    """Return what the colors of points stand for."""
    if group.get_array() is None:
        return ""
    values, (low, high) = as_numbers(group.get_array()), group.get_clim()
    scale = scale_of(values)
    return (
        f"; the colors stand for {_range(scale, values)}, mean {scale.text(mean_of(values))}, "
        f"{scale.text(low)} to {scale.text(high)}{_colors(group)}"
    )


def _colors(shown: Any) -> str:
    """Return the name of a color map, if it is one of Matplotlib's own."""
    name = shown.get_cmap().name
    return f" in {name}" if name in colormaps else ""


def _segments(name: str, group: Any, frame: Frame) -> str:
    segments = [as_numbers(segment) for segment in group.get_segments() if len(segment)]
    if not segments:
        return f"{name}, none."
    points = np.concatenate(segments)
    xs, ys = frame.scale(0, points[:, 0]), frame.scale(1, points[:, 1])
    if len(segments) <= FEW:
        ends = (
            " to ".join(f"({xs.text(x)}, {ys.text(y)})" for x, y in s[[0, -1]]) for s in segments
        )
        return f"{name}: from {', from '.join(ends)}."
    return f"{name}, {len(segments)} of them, {_cloud(points[:, 0], points[:, 1], frame)}."


def _areas(name: str, group: Any, frame: Frame) -> str:
    outlines = [as_numbers(path.vertices) for path in group.get_paths() if len(path.vertices)]
    if not outlines:
        return f"{name}, empty"
    x, y = np.concatenate(outlines).T
    covered = sum(abs(np.sum(o[:-1, 0] * o[1:, 1] - o[1:, 0] * o[:-1, 1])) / 2 for o in outlines)
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    many = f", {len(outlines)} pieces" if len(outlines) > 1 else ""
    size = Scale(xs.size * ys.size).text(covered)
    return f"{name}{many}, x {_range(xs, x)}, y {_range(ys, y)}, size {size}"


def _contours(group: Any, frame: Frame) -> list[str]:
    levels = as_numbers(group.levels)
    kind = "Filled contours" if group.filled else "Contour lines"
    scale = scale_of(levels)
    name = f"{_named(kind, group)} at {scale.texts(levels)}"
    spans = []
    for level, path in zip(levels, group.get_paths(), strict=False):
        x, y = as_numbers(path.vertices).reshape(-1, 2).T
        if len(x):
            xs, ys = frame.scale(0, x), frame.scale(1, y)
            spans.append(f"{scale.text(level)} over x {_range(xs, x)}, y {_range(ys, y)}")
    if len(spans) > FEW:
        spans = [spans[0], spans[len(spans) // 2], spans[-1]]
    return [f"{name}: {'; '.join(spans) or 'none inside'}."]


def _patch(patch: Any, frame: Frame) -> list[str]:
    if isinstance(patch, patches.FancyArrowPatch):
        return []  # an annotation's, or without a place of its own
    filled = patch.get_fill() and patch.get_facecolor()[3] > 0
    color = color_name(patch.get_facecolor() if filled else patch.get_edgecolor())
    kind = {"FancyArrow": "arrow", "FancyBboxPatch": "box"}.get(
        type(patch).__name__, type(patch).__name__.lower()
    )
    name = _named(_upper(f"{'' if filled else 'hollow '}{color} {kind}"), patch)
    in_data = patch.get_transform().contains_branch_seperately(frame.ax.transData)
    corners = as_numbers(getattr(patch, "get_xy", lambda: ())())
    if isinstance(patch, patches.Polygon) and len(corners) > MANY and in_data == (True, True):
        return [f"{name}, {_outline(corners, frame)}."]
    box = patch.get_path().get_extents(patch.get_patch_transform())
    if in_data == (True, True):
        return [f"{_box(name, box, frame)}."]
    found = []
    for axis, inside in enumerate(in_data):
        if inside:
            ends = np.array([box.min[axis], box.max[axis]])
            found.append(f", {'xy'[axis]} {_range(frame.scale(axis, ends), ends)}")
    return [f"{name}{''.join(found)}."]


def _outline(corners: Values, frame: Frame) -> str:
    """Describe a polygon of many corners, a histogram for instance."""
    x, y = corners.T
    xs, ys = frame.scale(0, x), frame.scale(1, y)
    across = np.log(x) if frame.log[0] and (x > 0).all() else x
    area = abs(np.sum(across[:-1] * y[1:] - across[1:] * y[:-1])) / 2
    unit = np.ptp(across) or 1.0
    return (
        f"{counted(len(x), 'corner')}, x {_range(xs, x)}, y {_range(ys, y)}; highest at x = "
        f"{xs.text(x[ties(y, 1, ys.size)[0]])}, mean height {ys.text(area / unit)}"
    )


def _box(name: str, box: Any, frame: Frame) -> str:
    spans = [
        f"{'xy'[k]} {_range(frame.scale(k, ends), ends)}"
        for k, ends in enumerate(np.array([box.min, box.max]).T)
        if np.isfinite(ends).all()
    ]
    return ", ".join([name, *spans])


def _together(artists: Sequence[Any], frame: Frame, what: str) -> list[str]:
    """Describe many things of one kind that have no names of their own."""
    name = f"{len(artists)} {what}s without a label"
    if what == "line":
        data = [(as_numbers(a.get_xdata(orig=False)), as_numbers(a.get_ydata(orig=False)))
                for a in artists]  # fmt: skip
        x, y = (np.concatenate([pair[k] for pair in data]) for k in (0, 1))
        return [f"{name}, together {_cloud(x, y, frame)}."]
    boxes = []
    for artist in artists:
        if isinstance(artist, patches.Patch) and not isinstance(artist, patches.FancyArrowPatch):
            box = artist.get_path().get_extents(artist.get_patch_transform())
            boxes.append(np.mean([box.min, box.max], axis=0))
    if not boxes:
        return [f"{name}."]
    x, y = np.array(boxes).T
    return [f"{name}, their middles {_cloud(x, y, frame)}."]


def _table(table: Any, frame: Frame) -> list[str]:
    rows: dict[int, list[str]] = {}
    cells = sorted(table.get_celld().items())
    colors = {place: color_name(cell.get_facecolor()) for place, cell in cells}
    ground = max(colors.values(), key=list(colors.values()).count, default="")
    for place, cell in cells:
        color = f" ({colors[place]})" if colors[place] != ground else ""
        rows.setdefault(place[0], []).append(plain(cell.get_text().get_text()) + color)
    return [f"{_named('Table', table)}: {'; '.join(', '.join(row) for row in rows.values())}."]


def _anything(artist: Any, frame: Frame) -> list[str]:
    if isinstance(artist, cm.ScalarMappable) and artist.get_array() is not None:
        values = as_numbers(artist.get_array())
        scale = scale_of(values)
        name = _named(type(artist).__name__, artist)
        return [f"{name}, {np.shape(values)}, values {_range(scale, values)}."]
    return [f"{_named(type(artist).__name__, artist)}."]


# Texts


def texts(frame: Frame) -> list[str]:
    """Return what is written into a panel, row by row from the top."""
    rows: dict[str, list[tuple[float, str]]] = {}
    found = []
    for it in frame.ax.texts:
        words = plain(it.get_text())
        if not it.get_visible():
            continue
        try:
            if isinstance(it, text.Annotation) and it.arrow_patch is not None:
                found.append(_arrow(it, words, frame))
                continue
            if not words:
                continue
            at, in_data = it.get_position(), it.get_transform() == frame.ax.transData
            if isinstance(it, text.Annotation):
                at, in_data = it.xy, it.xycoords == "data"
            x, y = (float(axis.convert_units(v)) for axis, v in
                    zip((frame.ax.xaxis, frame.ax.yaxis), at, strict=True))  # fmt: skip
            height = frame.scale(1, np.array([y])).text(y) if in_data else f"{y:g} of the height"
            rows.setdefault(height, []).append((x, words))
        except (TypeError, ValueError):
            found.append(f'Text "{words}".')
    written = []
    single = sum(map(len, rows.values())) <= FEW
    for height, row in rows.items():
        ordered = sorted(row, key=lambda pair: pair[0])
        if single:
            written += [
                f'Text "{words}" at ({frame.scale(0, np.array([x])).text(x)}, {height}).'
                for x, words in ordered
            ]
        else:
            listed = ", ".join(f'"{words}"' for _, words in ordered)
            written.append(f"Texts at y = {height}, from the left: {listed}.")
    return written + found


def _arrow(it: Any, words: str, frame: Frame) -> str:
    ends = []
    for at, coords in ((it.xyann, it.anncoords), (it.xy, it.xycoords)):
        if coords == "data":
            scales = (frame.scale(k, as_numbers([at[k]])) for k in (0, 1))
            ends.append(
                "({})".format(", ".join(s.text(v) for s, v in zip(scales, at, strict=True)))
            )
        else:
            ends.append("")
    start = f" from {ends[0]}" if ends[0] and not words else ""
    name = f'Text "{words}" with an arrow' if words else "Arrow"
    style = type(it.arrow_patch.get_arrowstyle()).__name__
    back = ", pointing back" if style == "CurveA" else ""
    return f"{name}{start}{f' to {ends[1]}' if ends[1] else ''}{back}."
