"""A figure in words: one change is seen, noise is not, and no artist is too odd to be described."""

from __future__ import annotations

import datetime
import os
import sys
import warnings
from base64 import b64decode
from types import SimpleNamespace
from unittest.mock import Mock

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from IPython.core.events import EventManager, available_events
from IPython.core.formatters import DisplayFormatter
from IPython.core.pylabtools import select_figure_formats
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output

from cs231n_helpers import describe, load_ipython_extension, plots
from cs231n_helpers.described_values import Scale, as_numbers, color_name, ties, trend

x = np.linspace(-3, 7, 201)
A = np.random.RandomState(0).standard_normal((12, 16))
RGB = np.random.RandomState(0).uniform(size=(4, 10, 8, 3))
REGIONS = (np.add.outer(np.arange(30), np.arange(40)) > 35).astype(int)


def figure(draw=lambda ax: None, **settings):
    fig = Figure()
    ax = fig.subplots()
    draw(ax)
    ax.set(**settings)
    return fig


def words(draw=lambda ax: None, **settings):
    return describe(figure(draw, **settings))


def hinge(ax):
    ax.plot(x, np.maximum(0, 1 - x), "--", color="#0072B2", label="hinge")
    ax.plot([1, 2], [0, 3], "o", color="#D55E00", label="pairs")
    ax.annotate("at the\nmargin", (1, 0), (2, 2), arrowprops={"arrowstyle": "->"})
    ax.set(xlabel="lead", ylabel="cost", title="The hinge")
    ax.legend()


def test_lines_points_and_texts():
    assert words(hinge).split("\n") == [
        'Figure "The hinge". x axis "lead", -3.5 to 7.5; y axis "cost", -0.2 to 4.2.',
        'Dashed blue line "hinge", 201 points, x -3 to 7: falls from 4 to 0; smallest 0 at 121 '
        "places, first x = 1, largest 4 at x = -3; mean 0.806.",
        'Red-orange circles "pairs", 2 points: (1, 0), (2, 3).',
        'Text "at the / margin" with an arrow to (1, 0).',
        'Legend: "hinge", "pairs".',
    ]


def test_panels_of_a_figure_and_those_of_an_axes():
    fig = Figure()
    left, right = fig.subplots(1, 2)
    fig.suptitle("Both")
    left.bar(["cat", "dog"], [2, 3], color="k", label="count")
    mesh = right.pcolormesh([[0.25, 0.5], [1, np.nan]])
    fig.colorbar(mesh, label="accuracy")
    assert describe(left) == describe(fig)
    assert describe(fig).split("\n") == [
        'Figure "Both" with 2 panels.',
        "Panel 1. x axis, -0.49 to 1.49, ticks cat, dog; y axis, 0 to 3.15.",
        'Black bars "count", 2: 2 at cat, 3 at dog.',
        "Panel 2. x axis, 0 to 2; y axis, 0 to 2.",
        "Mesh, 2 x 2, 0.25 to 1 in viridis, rows from the top: 1, missing; 0.25, 0.5.",
        'Color bar "accuracy", 0.25 to 1.',
    ]


def test_an_empty_figure_and_what_is_none():
    assert describe(Figure()) == "Figure, empty."
    with pytest.raises(TypeError, match="figure is 3, but it must be a Matplotlib Figure or Axes"):
        describe(3)


def test_pictures_in_a_grid_are_told_apart():
    labels = ["bag", "coat", "shirt"]
    found = describe(plots.show_images(A[:3, :, None] + np.zeros((3, 16, 16)), labels, columns=2))
    assert "3 pictures." in found
    assert 'from the left: "bag", "coat".' in found or 'Text "bag"' in found


def image(data=A, **options):
    return lambda ax: ax.imshow(data, **options)


def drawn(method, *args, **options):
    return lambda ax: getattr(ax, method)(*args, **options)


def pictures(images, **options):
    return lambda ax: plots.show_images(images, ax=ax, **options)


def weights(W, **options):
    return lambda ax: plots.show_weights(W, (4, 4), ax=ax, **options)


y = np.sin(x)
one_off, shifted = y.copy(), np.roll(A, 1, axis=1)
one_off[100] += 0.5
W = np.random.RandomState(1).standard_normal((16, 4))
CHANGES = {
    "a value": (drawn("plot", x, y), drawn("plot", x, one_off)),
    "a sign": (drawn("plot", x, y), drawn("plot", x, -y)),
    "a factor": (drawn("plot", x, y), drawn("plot", x, 1.02 * y)),
    "x": (drawn("plot", x, y), drawn("plot", x + 0.1, y)),
    "the order": (drawn("plot", x, y), drawn("plot", x, y[::-1])),
    "a point less": (drawn("plot", x, y), drawn("plot", x[1:], y[1:])),
    "a gap": (drawn("plot", x, y), drawn("plot", x, np.where(x == 0, np.nan, y))),
    "a label": (drawn("plot", x, y, label="a"), drawn("plot", x, y, label="b")),
    "a color": (drawn("plot", x, y, color="r"), drawn("plot", x, y, color="b")),
    "a style": (drawn("plot", x, y), drawn("plot", x, y, "--")),
    "markers": (drawn("plot", x, y, "o"), drawn("plot", x, y, "s")),
    "points": (drawn("plot", x, y, "o"), drawn("plot", x, one_off, "o")),
    "the scale": (drawn("plot", x, y), drawn("semilogy", x, y)),
    "on a log axis": (drawn("semilogy", x, np.exp(x)), drawn("semilogy", x, 1.02 * np.exp(x))),
    "a level": (drawn("axhline", 1), drawn("axhline", 1.1)),
    "a place": (drawn("axvline", 1), drawn("axhline", 1)),
    "a band": (drawn("axvspan", 1, 2), drawn("axvspan", 1, 2.1)),
    "a slope": (drawn("axline", (0, 0), slope=1), drawn("axline", (0, 0), slope=2)),
    "scatter": (drawn("scatter", x, y), drawn("scatter", x, -y)),
    "scatter colors": (drawn("scatter", x, y, c=x), drawn("scatter", x, y, c=2 * x)),
    "bars": (drawn("bar", range(20), range(20)), drawn("bar", range(20), range(1, 21))),
    "bars exchanged": (drawn("bar", range(3), [1, 2, 3]), drawn("bar", range(3), [2, 1, 3])),
    "many exchanged": (drawn("bar", range(30), range(30)),
                       drawn("bar", range(30), [0, 2, 1, *range(3, 30)])),
    "a base": (drawn("bar", [1], [1]), drawn("bar", [1], [1], bottom=1)),
    "lying bars": (drawn("bar", [1], [1]), drawn("barh", [1], [1])),
    "a histogram": (drawn("hist", y, 20), drawn("hist", y**3, 20)),
    "an image": (image(), image(data=1.02 * A)),
    "an image upside down": (image(), image(data=A[::-1])),
    "an image mirrored": (image(), image(data=A[:, ::-1])),
    "an image shifted": (image(), image(data=shifted)),
    "a row order": (image(extent=(0, 1, 0, 1)), image(extent=(0, 1, 0, 1), origin="lower")),
    "color limits": (image(), image(vmin=-5)),
    "a color map": (image(), image(cmap="gray")),
    "regions": (image(data=REGIONS), image(data=1 - REGIONS)),
    "regions turned": (image(data=REGIONS), image(data=REGIONS[::-1])),
    "a mesh": (drawn("pcolormesh", A), drawn("pcolormesh", A[::-1])),
    "an area": (drawn("fill_between", x, y), drawn("fill_between", x, y, 1)),
    "contours": (drawn("contour", A), drawn("contour", A, levels=[0, 1])),
    "arrows": (drawn("quiver", x, y, x, y), drawn("quiver", x, y, y, x)),
    "an arrow": (drawn("arrow", 0, 0, 1, 2), drawn("arrow", 0, 0, 2, 1)),
    "pieces": (drawn("hlines", [1, 2], 0, 1), drawn("hlines", [1, 2], 0, 2)),
    "a text": (drawn("text", 0, 0, "a"), drawn("text", 0, 0, "b")),
    "a text's place": (drawn("text", 0, 0, "a"), drawn("text", 0, 1, "a")),
    "a colored cell": (
        drawn("table", [["1", "2", "3"]], cellColours=["wwr"]),
        drawn("table", [["1", "2", "3"]], cellColours=["wrw"]),
    ),
    "steps": (drawn("hist", y, 20, histtype="step"), drawn("hist", -y, 20, histtype="step")),
    "a table": (drawn("table", [["1"]]), drawn("table", [["2"]])),
    "pictures exchanged": (pictures(RGB), pictures(RGB[[1, 0, 2, 3]])),
    "a picture shifted": (pictures(RGB), pictures([*RGB[:3], np.roll(RGB[3], 2, axis=1)])),
    "a picture turned": (pictures(RGB), pictures([*RGB[:3], RGB[3, ::-1]])),
    "gray pictures": (pictures(RGB[..., 0]), pictures(RGB[[1, 0, 2, 3], ..., 0])),
    "labels exchanged": (pictures(RGB, labels=["a", "b", "c", "d"]),
                         pictures(RGB, labels=["b", "a", "c", "d"])),
    "templates": (weights(W), weights(W[:, ::-1])),
    "a template stretched": (weights(W), weights(W * [1, 1, 1, 0.9])),
    "their limit": (weights(W), weights(W, limit=1)),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_changes_the_text(change):
    before, after = CHANGES[change]
    assert words(before) != words(after)


@pytest.mark.parametrize(
    "setting",
    [{"title": "T"}, {"xlabel": "X"}, {"ylabel": "Y"}, {"xlim": (0, 1)}, {"ylim": (0, 1)},
     {"xscale": "log"}, {"xticks": [1, 2], "xticklabels": ["one", "two"]}, {"xticks": []},
     {"ylim": (5, -1)}],
)  # fmt: skip
def test_so_does_one_setting(setting):
    assert words(hinge) != words(hinge, **setting)


def test_so_do_a_legend_and_what_is_hidden():
    fig = figure(hinge)
    texts = [describe(fig)]
    fig.axes[0].get_legend().get_texts()[0].set_text("other")
    texts.append(describe(fig))
    fig.axes[0].get_legend().remove()
    texts.append(describe(fig))
    fig.axes[0].lines[0].set_visible(False)
    texts.append(describe(fig))
    fig.suptitle("All")
    texts.append(describe(fig))
    assert len(set(texts)) == 5


@pytest.mark.parametrize("change", CHANGES)
def test_noise_does_not(change):
    rng = np.random.RandomState(0)

    def noisy(draw):
        fig = figure(draw)
        for line in fig.axes[0].lines:
            data = as_numbers(line.get_ydata(orig=False))
            line.set_ydata(data + 1e-13 * rng.standard_normal(data.shape))
        for im in fig.axes[0].images:
            array = np.ma.asarray(im.get_array(), dtype=float)
            if array.ndim == 2 and array is not REGIONS and not change.startswith("region"):
                im.set_array(array + 1e-13 * rng.standard_normal(array.shape))
        return describe(fig)

    for draw in CHANGES[change]:
        assert noisy(draw) == words(draw)


def test_drawing_does_not():
    for before, _ in CHANGES.values():
        fig = figure(before)
        text = describe(fig)
        fig.canvas.draw()
        assert describe(fig) == text


def test_rounding_errors_can_be_left_out():
    def draw(ax):
        ax.loglog(10.0 ** np.arange(-12, 0), np.abs(A[0, :12]) * 1e-12, gid="rounding", label="e")

    assert words(draw).split("\n") == [
        "Figure. x axis, 2.82e-13 to 0.355 (log); y axis (log).",
        'Blue line "e", 12 points, x 1e-12 to 0.1: not described, differs between machines.',
    ]


def test_or_those_of_small_steps_alone():
    def draw(ax, noise=1.0):
        h = 10.0 ** np.arange(-12, 0)
        ax.loglog(h, h**2 + noise * 1e-16 / h, gid="rounding below 0.001", label="e")

    assert words(draw) == words(lambda ax: draw(ax, 2.0))
    assert words(draw).split("\n")[1] == (
        'Blue line "e", 12 points, x 1e-12 to 0.1; differs between machines below x = 0.001; '
        "above, 3 points: (0.001, 1e-6), (0.01, 0.0001), (0.1, 0.01)."
    )


def test_so_can_a_picture_whose_digits_differ_between_machines():
    text = words(lambda ax: ax.imshow(A, gid="rounding"))
    assert text.endswith("Image, 12 x 16: not described, differs between machines.")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.3125, "0.313"), (np.nextafter(0.3125, 0), "0.313"), (2.5, "2.5"), (-2.0, "-2"),
     (1e-12, "0"), (-0.0, "0"), (12345.6, "12346"), (12345, "12345"), (np.nan, "missing"),
     (np.inf, "+inf"), (0.0012345, "0.001"), (-1e-5, "0"), (0.1 + 0.2, "0.3"), (99.96, "100")],
)  # fmt: skip
def test_a_number(value, text):
    assert Scale(100, 100).text(value) == text


def test_small_numbers_on_a_log_axis():
    assert [Scale().text(v) for v in (1.23456e-7, 9.996e-8, 1e12)] == ["1.23e-7", "1e-7", "1e12"]


@given(st.floats(-1e9, 1e9), st.floats(-1e-13, 1e-13))
@example(0.0125, -1e-14)
def test_a_bit_more_or_less_is_the_same_number(value, noise):
    scale = Scale(max(1.0, abs(value)), 0.0)
    rounded = float(f"{value:.4g}")  # among them all ties of three digits
    assert scale.text(rounded) == scale.text(rounded * (1 + noise))


def test_the_parts():
    assert ties(np.array([1.0, np.nan, 1 - 1e-12, 0]), 1, 1.0).tolist() == [0, 2]
    assert trend(np.array([0, 1e-12, 0]), 1.0) == "stays"
    colors = [color_name(plots.to_rgb(color)) for color in plots.CLASS_COLORS]
    assert len(set(colors)) == 10  # each class has a name of its own


def odd_figures():
    fig = Figure()
    ax = fig.add_subplot(2, 3, 1, projection="3d")
    ax.plot([1, 2], [2, 3], [3, 4])
    ax.plot_surface(*np.meshgrid([0, 1, 2], [0, 1, 2]), np.ones((3, 3)))
    fig.add_subplot(2, 3, 2, projection="polar").plot([0, 1, 2], [1, 2, 3])
    dates = fig.add_subplot(2, 3, 3)
    dates.plot([datetime.date(2020, 1, day) for day in range(1, 20)], range(19))
    twin = dates.twinx()
    twin.plot(np.ma.masked_greater(np.arange(20.0), 10))
    twin.inset_axes([0, 0, 1, 1]).plot([1, 2])
    twin.secondary_xaxis("top")
    many = fig.add_subplot(2, 3, 4)
    for _ in range(30):
        many.plot([1, 2, np.nan], [3, np.inf, 4])
    many.pie([1, 2, 3])
    many.errorbar([1, 2], [3, 4], yerr=1, label="bars")
    many.boxplot(A)
    many.hexbin(x, y, gridsize=4)
    many.axis("equal")
    empty = fig.add_subplot(2, 3, 5)
    empty.plot([])
    empty.scatter([], [])
    empty.imshow(np.full((9, 9), np.nan))
    empty.bar([], [])
    empty.fill_between([], [])
    huge = fig.add_subplot(2, 3, 6)
    huge.plot([-1e308, 1e308] * 9)
    huge.xaxis.set_major_formatter(lambda value, position: 1 / 0)
    huge.xaxis.set_ticks([1, 2])
    huge.plot(["a", "b"], ["c", "d"])
    yield fig
    parts = Figure().subfigures(1, 2)
    parts[0].subplots().stackplot([0, 1], [1, 2], [3, 4], labels=["u", "v"])
    parts[1].suptitle("right")
    yield parts[0].figure
    yield parts[1]


def test_nothing_is_too_odd():
    with np.errstate(all="ignore"):
        texts = list(map(describe, odd_figures()))
    assert "Line3D, 2 points, x 1 to 2, y 2 to 3, z 3 to 4." in texts[0]
    assert "2020-01-01 00:00 to 2020-01-19 00:00" in texts[0]
    assert "lines without a label, together" in texts[0]
    assert "not described" not in "".join(texts)
    assert 'Figure "right" with 1' not in texts[1]


anything = st.lists(st.floats() | st.none() | st.complex_numbers(), max_size=12)


@settings(max_examples=60, deadline=None)
@given(anything, st.sampled_from(["linear", "log", "symlog"]), st.text(max_size=5))
def test_no_value_is_too_odd(values, scale, label):
    numbers = as_numbers(values)

    def draw(ax):
        ax.plot(numbers, label=label)
        ax.plot(numbers, numbers, "o", label=label)
        ax.scatter(numbers, numbers, c=np.arange(len(numbers)))
        if len(numbers):
            ax.bar(range(len(numbers)), np.nan_to_num(numbers))
            ax.imshow(numbers[None, :])
        ax.text(0, 0, label, parse_math=False)
        ax.set(yscale=scale)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        fig = figure(draw)
    assert "not described" not in describe(fig)


def formatted(fig, kind="png"):
    shell = SimpleNamespace(display_formatter=DisplayFormatter(), events=Mock())
    load_ipython_extension(shell)
    select_figure_formats(shell, kind)  # what a change of backend does, after it
    return shell.display_formatter.format(fig)


def test_a_notebook_gets_it_with_each_image():
    data, metadata = formatted(figure(hinge))
    assert set(data) == {"text/plain", "image/png"}
    assert data["text/plain"] == metadata["image/png"]["alt"] == words(hinge)
    assert formatted(Figure()) == ({"text/plain": "Figure, empty."}, {})
    data, metadata = formatted(figure(hinge), "retina")  # has a size of its own at image/png
    assert data["text/plain"] == metadata["alt"] == words(hinge)


def test_a_figure_is_an_image_before_pyplot_has_drawn():
    shell = SimpleNamespace(display_formatter=DisplayFormatter(), kernel=None, events=Mock())
    load_ipython_extension(shell)
    data, metadata = shell.display_formatter.format(figure(hinge))
    assert b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] == words(hinge)


@pytest.mark.parametrize(("backend", "calls"), [("inline", 1), ("QtAgg", 0)])
def test_pyplot_leaves_the_drawing_to_the_backend_that_shows(monkeypatch, backend, calls):
    disconnect = Mock()
    monkeypatch.setattr(plt, "uninstall_repl_displayhook", disconnect)
    monkeypatch.setattr(plt, "get_backend", lambda: backend)
    shell = SimpleNamespace(display_formatter=DisplayFormatter())
    shell.events = EventManager(shell, available_events)
    load_ipython_extension(shell)
    shell.events.trigger("pre_run_cell", None)
    assert disconnect.call_count == calls


def test_nbval_sees_a_changed_curve(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    drawing = '_ = __import__("matplotlib.pyplot").pyplot.plot([1, 2, 3])'
    text = words(drawn("plot", [1, 2, 3]))
    output = new_output("display_data", data={"text/plain": text, "image/png": ""})
    sources = ["%load_ext cs231n_helpers", drawing, drawing.replace("3", "4")]
    cells = [
        new_code_cell(source, execution_count=k, outputs=[output] * (k > 1))
        for k, source in enumerate(sources, start=1)
    ]
    nbformat.write(new_notebook(cells=cells), pytester.path / "a.ipynb")
    options = ["--nbval", "--nbval-current-env", "-p", "no:xdist", "-p", "no:cacheprovider"]
    pytester.runpytest_subprocess(*options, "a.ipynb").assert_outcomes(passed=2, failed=1)


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")
