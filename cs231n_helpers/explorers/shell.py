"""Figures with controls: move a slider, see the picture change.

Each is two things. A pure function ``draw(axes, **settings) -> sentence`` draws one state into the
Axes it is given and says in a sentence what is to be seen. An `Explorer` around it knows the values
that each setting can take. Where a notebook runs, it shows sliders and one state; a saved notebook
shows a row of states from the same function, so that the page is complete without a kernel.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from numbers import Real
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from ..describe import describe
from ..validation import as_count, as_number, shown

Settings = Mapping[str, Any]

PANEL_WIDTH, PAGE_WIDTH = 3.1, 7.2  # inches: type of 9 points can then be read on a phone
SMALL = 9  # points, of a legend


@dataclass(frozen=True)
class Explorer:
    """A drawing function together with the values that its settings can take.

    As the last line of a notebook cell it shows the controls and the picture; every control can be
    reached and moved with the keyboard. Saved, it shows the row of states, with its description
    as text form and alternative text.

    Parameters
    ----------
    title : str
        What the picture shows: also its text alternative.
    draw : callable
        ``draw(axes, **settings) -> sentence``: draws into a sequence of `panels` Axes.
    controls : dict
        Setting -> the values it can take: two booleans make a checkbox, texts make buttons,
        numbers a slider. One with a single value is fixed and gets no control.
    row : sequence of dict
        The states that a saved notebook shows, each a full set of settings; the first is the
        state in which the controls start.
    panels : int
        Axes that one state needs.
    size : (width, height), optional
        Inches that a panel needs, where the usual ones are too few.

    Examples
    --------
    >>> def draw(axes, power):
    ...     axes[0].plot([0, 1, 2], [0, 1, 2**power])
    ...     return f"2 to the power {power} is {2**power}"
    >>> Explorer("Powers of two", draw, {"power": [1, 2, 3]}, [{"power": 1}, {"power": 3}])
    Powers of two: run this notebook to move power
    """

    title: str
    draw: Callable[..., str]
    controls: Mapping[str, Sequence[Any]]
    row: Sequence[Settings]
    panels: int = 1
    size: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.title, str) or not callable(self.draw):
            raise TypeError(
                f"title is {shown(self.title)} and draw {shown(self.draw)}, but they must be a str "
                "and a function draw(axes, **settings) -> sentence"
            )
        as_count("panels", self.panels)
        if not isinstance(self.controls, Mapping) or not isinstance(self.row, Sequence):
            raise TypeError(
                f"controls is {shown(self.controls)} and row {shown(self.row)}, but they must be a "
                "dict, setting -> its values, and a list of states"
            )
        for name, values in self.controls.items():
            _check_values(name, values)
        if not self.row:
            raise ValueError("row is empty: a saved notebook needs a state to show")
        for state in self.row:
            if not isinstance(state, Mapping):
                raise TypeError(f"row has the state {shown(state)}, but it must be a dict")
            if set(state) != set(self.controls):
                raise ValueError(
                    f"a state of row sets {sorted(state, key=str)} and controls has "
                    f"{sorted(self.controls)}"
                )
            for name, value in state.items():
                if not isinstance(value, str | Real) or value not in self.controls[name]:
                    raise ValueError(
                        f"{name} = {shown(value)} in a state of row, but the control has only "
                        f"{shown(list(self.controls[name]))}"
                    )

    def figure(self) -> Figure:
        """Return the row of states as a figure: a state below the other, its panels side by side.

        One panel alone leaves room for two states beside each other.
        """
        return self._row()[0]

    def description(self) -> str:
        """Return in words what the row of states shows."""
        return self._described(*self._row())

    def _row(self) -> tuple[Figure, list[str]]:
        """Return the figure, and the sentence on each state."""
        beside = 2 if self.panels == 1 and len(self.row) > 1 else 1
        columns, rows = self.panels * beside, -(-len(self.row) // beside)
        width, height = self.size or (PANEL_WIDTH, 2.6)
        figsize = (min(width * columns, PAGE_WIDTH), height * rows)
        figure = Figure(figsize=figsize, dpi=100, layout="constrained")
        axes: Any = figure.subplots(rows, columns, squeeze=False).reshape(-1, self.panels)
        sentences = [self._drawn(*pair) for pair in zip(axes, self.row, strict=False)]
        for ax in axes[1:].flat:  # the first state says it for all
            if ax.get_legend():
                ax.get_legend().remove()
        for ax in axes[: len(self.row) - beside].flat:  # and the last, below which there is room
            ax.set_xlabel("")
        for ax in axes[len(self.row) :].flat:
            ax.remove()
        return figure, sentences

    def _described(self, figure: Figure, sentences: Sequence[str]) -> str:
        states = [f"State {k}: {sentence}" for k, sentence in enumerate(sentences, start=1)]
        return "\n".join([f"{self!r}.", *states, describe(figure)])

    def widget(self) -> Any:
        """Return the controls above the picture, as an ipywidgets box."""
        import ipywidgets

        moving = {
            name: _control(name, self.controls[name], self.row[0][name]) for name in self._moving()
        }
        width, height = self.size or (4.3, 3.7)
        figure = Figure(figsize=(width * self.panels, height), dpi=90, layout="constrained")
        axes = figure.subplots(1, self.panels, squeeze=False)[0]
        picture = ipywidgets.HTML()

        def redraw(_: Any = None) -> None:
            settings = {**self.row[0], **{name: c.value for name, c in moving.items()}}
            for ax in axes:
                clear(ax)
            sentence = self._drawn(axes, settings)
            picture.value = (
                f'<figure style="margin:0"><img style="max-width:100%" alt="{escape(self.title)}" '
                f'src="data:image/png;base64,{_png(figure)}">'
                f'<figcaption aria-live="polite">{escape(sentence)}</figcaption></figure>'
            )
            figure.set_layout_engine("none")  # laid out once: faster, and nothing jumps

        redraw()
        for control in moving.values():
            control.observe(redraw, names="value")
        row = ipywidgets.Box(list(moving.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
        return ipywidgets.VBox([row, picture])

    def _drawn(self, axes: Sequence[Axes], settings: Settings) -> str:
        sentence = self.draw(axes, **settings)
        if not isinstance(sentence, str):
            raise TypeError(
                f"draw returned {shown(sentence)}, but it must return a sentence on what is seen"
            )
        return sentence

    def _moving(self) -> list[str]:
        return [name for name, values in self.controls.items() if len(values) > 1]

    def __repr__(self) -> str:
        names = ", ".join(name.replace("_", " ") for name in self._moving())
        return f"{self.title}: run this notebook to move {names}"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Offer the frontend the controls, the row of states, and a line of text: it takes one."""
        figure, sentences = self._row()
        text = self._described(figure, sentences)
        bundle = {"text/plain": text, "image/png": _png(figure, 6)}
        with suppress(ImportError):  # without ipywidgets the row of states remains
            bundle = {**self.widget()._repr_mimebundle_(), **bundle}
        return bundle, {"image/png": {"alt": text}}


def _check_values(name: str, values: Sequence[Any]) -> None:
    what = f"controls[{shown(name)}]"
    several = isinstance(values, Sequence) and not isinstance(values, str | bytes)
    if not isinstance(name, str) or not several or not len(values):
        raise TypeError(f"{what} is {shown(values)}, but each name needs a list of values")
    if not any(all(isinstance(value, kind) for value in values) for kind in (bool, str)):
        for value in values:
            as_number(f"{what}: a value", value)


def _control(name: str, values: Sequence[Any], start: Any) -> Any:
    """Return a checkbox, buttons or a slider."""
    import ipywidgets

    style = {"description_width": "initial"}
    options: dict[str, Any] = {"value": start, "description": name.replace("_", " ")}
    if all(isinstance(value, bool) for value in values):
        return ipywidgets.Checkbox(indent=False, **options)
    if all(isinstance(value, str) for value in values):
        style["button_width"] = "5.5em"
        return ipywidgets.ToggleButtons(options=list(values), style=style, **options)
    labeled = [(f"{float(value):g}", value) for value in values]
    return ipywidgets.SelectionSlider(options=labeled, style=style, **options)


def clear(ax: Axes) -> None:
    """Remove what was drawn but keep the axes: to make new ones takes half of the drawing time."""
    for artist in (*ax.lines, *ax.patches, *ax.texts, *ax.collections, *ax.images):
        artist.remove()
    ax.dataLim = Bbox.null()


def finish(ax: Axes, title: str, **settings: Any) -> None:
    """Set a title at a fixed height: looking for a free one takes a third of the drawing time."""
    ax.set_title(title, y=1.0, pad=5, fontsize="medium", parse_math=False)
    ax.set(**settings)


def _png(figure: Figure, compress_level: int = 1) -> str:
    """Return the figure as a PNG in base64; drawn once, where `savefig` draws twice."""
    file = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file, pil_kwargs={"compress_level": compress_level})
    return base64.b64encode(file.getvalue()).decode("ascii")
