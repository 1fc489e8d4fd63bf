"""What a figure shows, in words: for whoever cannot see it, and for comparing stored outputs.

`describe` reads the artists of a Matplotlib figure, not its pixels: the same text on every machine,
whatever the fonts and the resolution. With ``%load_ext cs231n_helpers`` it becomes the text form of
every figure in a notebook, in place of ``<Figure size 640x480 with 1 Axes>``, and its alternative
text. Matplotlib is imported when the first figure is described.
"""

from __future__ import annotations

import sys
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from .described_values import ROUNDING
from .validation import shown

if TYPE_CHECKING:
    from .described_artists import Frame

IMAGES = ("image/png", "image/jpeg", "image/svg+xml")


def describe(figure: Any) -> str:
    """Describe a Matplotlib figure in words: titles, axes, and what is drawn, a sentence a line.

    Lines, points, bars, images and areas are named by color and label, with their number of
    points, range, extremes and mean, in three digits. Small differences, such as two processors
    make, do not change the text; what an eye could see should. A line or image whose values are
    rounding errors is not described after ``artist.set_gid("rounding")``, a line not left of 1e-5
    after ``line.set_gid("rounding below 1e-5")``.

    Parameters
    ----------
    figure : Figure or Axes
        Of an Axes, its whole figure is described.

    Returns
    -------
    str

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> ax = figure.subplots()
    >>> _ = ax.plot([0, 1, 2], [4, 1, 0], label="loss")
    >>> _ = ax.set(title="Training", xlabel="step", xlim=(0, 2), ylim=(0, 5))
    >>> print(describe(figure))
    Figure "Training". x axis "step", 0 to 2; y axis, 0 to 5.
    Blue line "loss", 3 points: (0, 4), (1, 1), (2, 0).
    """
    from matplotlib.axes import Axes
    from matplotlib.figure import FigureBase

    if isinstance(figure, Axes):
        figure = figure.figure
    if not isinstance(figure, FigureBase):
        raise TypeError(
            f"figure is {shown(figure)}, but it must be a Matplotlib Figure or Axes: pass the "
            "figure that plt.subplots() made"
        )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return "\n".join(_figure(figure))


def load_ipython_extension(shell: Any) -> None:
    """Give every Matplotlib figure of this session its description: ``%load_ext cs231n_helpers``.

    It is the text form that a notebook stores beside the image, and the image's alternative text.
    The formatter of whole bundles is the one that survives a change of backend or image format. And
    figures are drawn once a cell and not twice.
    """
    formatter = shell.display_formatter

    def bundle(figure: Any, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        text = describe(figure)
        metadata: dict[str, Any] = {}
        for kind in IMAGES if figure.axes else ():
            with suppress(KeyError):
                draw = formatter.formatters[kind].lookup(figure)
                retina = "retina" in getattr(getattr(draw, "func", draw), "__name__", "")
                metadata |= {"alt": text} if retina else {kind: {"alt": text}}
        data = {"text/plain": text}
        if figure.axes and not metadata and hasattr(shell, "kernel"):  # pyplot has not drawn yet
            figure.savefig(image := BytesIO(), format="png", bbox_inches="tight")
            data["image/png"] = b64encode(image.getvalue()).decode()
            metadata["image/png"] = {"alt": text}
        return data, metadata

    formatter.mimebundle_formatter.for_type_by_name("matplotlib.figure", "Figure", bundle)
    shell.events.register("pre_run_cell", _draw_once)


def _draw_once(*_: Any) -> None:
    """Keep pyplot from drawing each figure after a cell where the backend does so to show it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot and "inline" in pyplot.get_backend():  # a change of backend connects it again
        pyplot.uninstall_repl_displayhook()


def _figure(figure: Any) -> Iterator[str]:
    panels = [ax for ax in figure.axes if ax.get_visible()]
    panels += [child for ax in panels for child in ax.child_axes if hasattr(child, "get_title")]
    bars = [ax for ax in panels if ax.get_label() == "<colorbar>"]
    panels = [ax for ax in panels if ax not in bars]
    titles = [figure.get_suptitle(), *(sub.get_suptitle() for sub in figure.subfigs)]
    title = "".join(f' "{_plain(words)}"' for words in titles if words)
    if not panels:
        yield f"Figure{title}, empty."
    elif len(panels) > 1:
        yield f"Figure{title} with {len(panels)} panels."
    elif title:
        yield f"Figure{title}."
    for number, ax in enumerate(panels, start=1):
        name = f"Panel {number}" if len(panels) > 1 else "" if title else "Figure"
        try:
            yield from list(_panel(ax, name))
        except Exception:  # panels may be of any kind, and hold anything
            yield f"{name or 'Panel'} ({ax.name}), not described."
    for ax in bars:
        axis = ax.yaxis if ax.get_ylabel() or not ax.get_xlabel() else ax.xaxis
        label, (low, high) = _plain(axis.get_label_text()), axis.get_view_interval()
        yield f"Color bar{f' {chr(34)}{label}{chr(34)}' if label else ''}{_span(low, high)}."
    for what, words in (("x", figure.get_supxlabel()), ("y", figure.get_supylabel())):
        if words:
            yield f'All {what} axes: "{_plain(words)}".'
    said = [*titles, figure.get_supxlabel(), figure.get_supylabel()]
    for text in figure.texts:
        if text.get_text().strip() and text.get_text() not in said:
            yield f'Text "{_plain(text.get_text())}".'
    for legend in figure.legends:
        yield from _legend(legend)


def _panel(ax: Any, name: str) -> Iterator[str]:
    from .described_artists import sentences, texts

    frame = _frame(ax)
    words = [_plain(ax.get_title(loc)) for loc in ("left", "center", "right")]
    title = ", ".join(f'"{part}"' for part in words if part)
    kind = "" if ax.name == "rectilinear" else f" ({ax.name})"
    head = f"{name}{' ' if name and title else ''}{title}{kind}"
    axes = "; ".join(_axis(frame, k) for k in range(2)) if ax.axison else ""
    line = ". ".join(part for part in (head, axes) if part)
    if line:
        yield f"{line[0].upper()}{line[1:]}."
    yield from sentences(frame)
    yield from texts(frame)
    if ax.get_legend() is not None and ax.get_legend().get_visible():
        yield from _legend(ax.get_legend())


def _legend(legend: Any) -> Iterator[str]:
    entries = ", ".join(f'"{_plain(text.get_text())}"' for text in legend.get_texts())
    title = _plain(legend.get_title().get_text())
    yield f"Legend{f' {chr(34)}{title}{chr(34)}' if title else ''}: {entries or 'empty'}."


def _frame(ax: Any) -> Frame:
    from .described_artists import Frame

    limits = tuple(axis.get_view_interval() for axis in (ax.xaxis, ax.yaxis))
    with suppress(Exception):
        limits = (ax.get_xlim(), ax.get_ylim())
    return Frame(
        ax,
        (ax.get_xscale() == "log", ax.get_yscale() == "log"),
        tuple((float(low), float(high)) for low, high in limits),  # type: ignore[arg-type]
        (_names(ax.xaxis), _names(ax.yaxis)),
    )


def _axis(frame: Frame, k: int) -> str:
    """Describe an axis: label, limits, scale, and ticks that say more than their number."""
    ax = frame.ax
    axis, scale = (ax.xaxis, ax.get_xscale()) if k == 0 else (ax.yaxis, ax.get_yscale())
    if not axis.get_visible():
        return f"{'xy'[k]} axis hidden"
    label = _plain(axis.get_label_text())
    said = f"{'xy'[k]} axis" + (f' "{label}"' if label else "")
    if not _from_layout(frame, k):
        said += _span(*frame.limits[k], frame.names[k], scale == "log")
    if scale != "linear":
        said += f" ({scale})"
    ticks = _ticks(axis, k)
    return said + (f", ticks {', '.join(ticks)}" if ticks else "")


def _from_layout(frame: Frame, k: int) -> bool:
    """Return whether the limits depend on fonts and window, or on rounding errors."""
    ax = frame.ax
    automatic = ax.get_autoscalex_on() if k == 0 else ax.get_autoscaley_on()
    noisy = k == 1 and any(str(line.get_gid()).startswith(ROUNDING) for line in ax.lines)
    stretched = ax.get_aspect() != "auto" and ax.get_adjustable() == "datalim"
    return stretched or (automatic and noisy)


def _span(
    low: float,
    high: float,
    name: Callable[[float], str | None] | None = None,
    log: bool = False,
) -> str:
    from .described_values import scale_of

    scale = scale_of(np.array([low, high]), log=log, name=name)
    return f", {scale.text(low)} to {scale.text(high)}"


def _names(axis: Any) -> Callable[[float], str | None] | None:
    """Return what places on an axis are called: categories, dates, fixed labels; else None."""
    from matplotlib import category, dates

    formatter = axis.get_major_formatter()
    if isinstance(formatter, category.StrCategoryFormatter):
        return lambda value: _category(formatter, value)
    if isinstance(
        formatter, dates.AutoDateFormatter | dates.ConciseDateFormatter | dates.DateFormatter
    ):
        return _date
    labels = {round(place, 6): label for place, label in _fixed_ticks(axis) if label}
    return (lambda value: labels.get(round(float(value), 6))) if labels else None


def _category(formatter: Any, value: float) -> str | None:
    whole = round(value)
    return (_plain(formatter(whole, 0)) or None) if abs(value - whole) < 1e-6 else None


def _date(value: float) -> str | None:
    from matplotlib.dates import num2date

    with suppress(ValueError, OverflowError):
        convert: Any = num2date
        return str(convert(round(value, 6)).isoformat(sep=" ", timespec="minutes"))[:16]
    return None


def _ticks(axis: Any, k: int) -> list[str]:
    """Return the labels of fixed ticks, unless they only repeat their places."""
    from matplotlib import category, ticker

    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    if isinstance(formatter, category.StrCategoryFormatter):
        low, high = sorted(axis.get_view_interval())
        found = [_category(formatter, place) for place in range(100) if low <= place <= high]
        return [name for name in found if name]
    if isinstance(locator, ticker.NullLocator) or (
        isinstance(locator, ticker.FixedLocator) and not _places(locator)
    ):
        return ["none"]
    return [label for _, label in _fixed_ticks(axis)]


def _fixed_ticks(axis: Any) -> list[tuple[float, str]]:
    """Return (place, label) of fixed ticks, if any says more than its place."""
    from matplotlib import ticker

    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    plain_numbers = ticker.ScalarFormatter | ticker.LogFormatter | ticker.NullFormatter
    if not isinstance(locator, ticker.FixedLocator) or isinstance(formatter, plain_numbers):
        return []
    try:
        places = _places(locator)
        labels = [_plain(label) for label in formatter.format_ticks(places)]
    except Exception:  # a formatter may be anybody's function
        return []
    pairs = list(zip(places, labels, strict=False))
    return pairs if any(_says_more(*pair) for pair in pairs) else []


def _places(locator: Any) -> list[float]:
    return [float(place) for place in locator.locs]


def _says_more(place: float, label: str) -> bool:
    try:
        return abs(float(label.replace("\N{MINUS SIGN}", "-")) - place) > 1e-6 * abs(place)
    except ValueError:
        return bool(label)


def _plain(words: Any) -> str:
    from .described_artists import plain

    return plain(words)
