"""Figures with controls: every setting draws, what is drawn is right, and the sliders move it."""

from __future__ import annotations

import base64
import io
import math
import re
import sys
from functools import cache

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from cs231n_helpers import (
    Explorer,
    NotFiniteError,
    TwoLayerNet,
    explore_graph,
    explore_input_step,
    explore_net,
    explore_softmax,
    explore_step_size,
    explore_svm,
    explore_update_rules,
    make_spiral,
)
from cs231n_helpers.exercises import worked_examples
from cs231n_helpers.explorers.graph import forward_values, gradient_of
from cs231n_helpers.explorers.net import draw_net
from cs231n_helpers.explorers.shell import clear
from cs231n_helpers.explorers.step_size import numerical_slope
from cs231n_helpers.explorers.update_rules import walk

X_TOY = np.array([[1.0, 1.0], [2.0, 1.0], [-1.0, -2.0], [2.0, -2.0]])
Y_TOY = np.array([0, 2, 1, 1])
W_TOY = np.array([[1.0, 2.0, 1.0], [2.0, 0.0, 0.0]])
SPIRAL = make_spiral(20)
IMAGES = np.random.RandomState(0).uniform(20, 235, (3, 4, 5))
W_PIXELS = np.random.RandomState(1).standard_normal((20, 3))


def pixel_scores(rows):
    return rows @ W_PIXELS / 100


def input_step(images=IMAGES, gradient=lambda X, y: (W_PIXELS[:, 1] - W_PIXELS[:, 0]) + 0 * X):
    return explore_input_step(images, [0, 0, 0], pixel_scores, gradient, ["a", "b", "c"])


def sgd(w, dw, config):
    return w - config["learning_rate"] * dw, config


def by_sign(w, dw, config):
    """A rule that keeps a state: it counts its steps."""
    t = config.get("t", 0) + 1
    return w - config["learning_rate"] * np.sign(dw) / t, {**config, "t": t}


EXPLORERS = {
    "svm": explore_svm(X_TOY, Y_TOY, W_TOY),
    "softmax": explore_softmax(),
    "net": explore_net(*SPIRAL, num_iters=10),
    "graph": explore_graph(*worked_examples.NET, times=8),
    "input_step": input_step(),
    "step_size": explore_step_size(lambda t: t**3, 1.0, 3.0),
    "update_rules": explore_update_rules({"sgd": sgd, "by sign": by_sign}),
}


def drawn(explorer, **changes):
    """Return (axes, sentence) of the first state with some settings changed."""
    axes = Figure().subplots(1, explorer.panels, squeeze=False)[0]
    return axes, explorer.draw(axes, **{**explorer.row[0], **changes})


def controls(widget):
    return {c.description.replace(" ", "_"): c for c in widget.children[0].children}


def picture(widget):
    """Return the PNG and the sentence that a widget shows."""
    html = widget.children[1].value
    png = base64.b64decode(re.search(r"base64,([^\"]+)\"", html)[1])
    assert png.startswith(b"\x89PNG")
    return png, re.search(r"<figcaption[^>]*>(.*)</figcaption>", html)[1]


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_value_of_every_control_draws(name):
    explorer = EXPLORERS[name]
    axes = Figure().subplots(1, explorer.panels, squeeze=False)[0]
    rng = np.random.default_rng(0)
    rounds = max(map(len, explorer.controls.values()))
    columns = {  # the values of each control, again and again, in an order of its own
        setting: [values[k % len(values)] for k in rng.permutation(rounds)]
        for setting, values in explorer.controls.items()
    }
    for state in zip(*columns.values(), strict=True):
        for ax in axes:
            clear(ax)
        sentence = explorer.draw(axes, **dict(zip(columns, state, strict=True)))
        assert re.fullmatch(r"[A-Z].*\.", sentence), sentence
        assert all(ax.get_title() for ax in axes)


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_move_changes_the_picture_and_the_way_back_restores_it(name):
    widget = EXPLORERS[name].widget()
    first = picture(widget)
    moving = {n for n, values in EXPLORERS[name].controls.items() if len(values) > 1}
    assert set(controls(widget)) == moving
    for setting, control in controls(widget).items():
        start = control.value
        assert start == EXPLORERS[name].row[0][setting]
        control.value = next(v for v in EXPLORERS[name].controls[setting][::-1] if v != start)
        assert picture(widget) != first or setting == "shift", setting
        control.value = start
        assert picture(widget) == first, f"{setting} leaves something behind"


@cache
def saved_row(name):
    return EXPLORERS[name].figure()


@pytest.mark.parametrize("name", EXPLORERS)
def test_the_saved_row_shows_each_state(name):
    explorer, figure = EXPLORERS[name], saved_row(name)
    description = explorer.description()
    axes = np.array(figure.axes).reshape(len(explorer.row), explorer.panels)
    for panels, state in zip(axes, explorer.row, strict=True):
        wanted, sentence = drawn(explorer, **state)
        assert [ax.get_title() for ax in panels] == [ax.get_title() for ax in wanted]
        assert [len(ax.lines) for ax in panels] == [len(ax.lines) for ax in wanted]
        assert f": {sentence}\n" in description
    assert len({tuple(ax.get_title() for ax in panels) for panels in axes}) == len(explorer.row)
    assert not any(ax.get_xlabel() for ax in axes[:-1].flat)
    assert not any(ax.get_legend() for ax in axes[1:].flat)
    assert figure.get_figwidth() <= 7.2  # inches, so that a phone shows type of 9 points at half


@pytest.mark.parametrize("name", EXPLORERS)
def test_type_of_the_saved_row_is_large(name):
    found = [text for ax in saved_row(name).axes for text in ax.findobj(Text) if text.get_text()]
    assert {round(text.get_fontsize()) for text in found} <= {9, 10, 12}


def test_one_panel_a_state_leaves_room_for_two():
    def draw(axes, k):
        axes[0].plot([0, k])
        axes[0].set(title=str(k), xlabel="x")
        return f"To {k}."

    explorer = Explorer("t", draw, {"k": [1, 2, 3]}, [{"k": k} for k in (1, 2, 3)])
    figure = explorer.figure()
    assert [ax.get_title() for ax in figure.axes] == ["1", "2", "3"]
    assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == (2, 2)
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "x", "x"]
    assert explorer.description().split("\n")[:5] == [
        "t: run this notebook to move k.",
        "State 1: To 1.", "State 2: To 2.", "State 3: To 3.", "Figure with 3 panels.",
    ]  # fmt: skip


def test_a_frontend_is_offered_controls_picture_and_text(monkeypatch):
    controls = {"a_b": [1, 2], "c": [3], "d": [True, False]}
    explorer = Explorer("t", lambda axes, **_: "A.", controls, [{"a_b": 1, "c": 3, "d": True}])
    data, metadata = explorer._repr_mimebundle_()
    assert repr(explorer) == "t: run this notebook to move a b, d"
    assert data["text/plain"] == explorer.description()
    assert data["text/plain"].startswith("t: run this notebook to move a b, d.\nState 1: A.\n")
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in data
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert set(explorer._repr_mimebundle_()[0]) == {"text/plain", "image/png"}


def test_texts_are_escaped():
    explorer = Explorer('<b>"', lambda axes, k: "<i>", {"k": [1, 2]}, [{"k": 1}])
    html = explorer.widget().children[1].value
    assert "<b>" not in html
    assert "<i>" not in html
    assert 'alt="&lt;b&gt;&quot;"' in html


def test_states_must_fit_the_controls():
    with pytest.raises(ValueError, match=r"sets \['j'\] and controls has \['k'\]"):
        Explorer("t", lambda axes: "", {"k": [1]}, [{"j": 1}])
    with pytest.raises(ValueError, match=r"k = 3 in a state of row, but the control has only"):
        Explorer("t", lambda axes: "", {"k": [1, 2]}, [{"k": 3}])
    with pytest.raises(ValueError, match="row is empty"):
        Explorer("t", lambda axes: "", {"k": [1]}, [])


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"title": None}, TypeError, "title is None"),
        ({"draw": "f"}, TypeError, "draw 'f', but"),
        ({"controls": 3}, TypeError, "controls is 3"),
        ({"row": {"k": 1}}, TypeError, "row {'k': 1}, but"),
        ({"row": [3]}, TypeError, "row has the state 3"),
        ({"row": [{"k": np.ones(2)}]}, ValueError, r"k = array\(.* in a state of row"),
        ({"controls": {3: [1]}}, TypeError, r"controls\[3\] is \[1\], but each name"),
        ({"controls": {"k": []}}, TypeError, r"controls\['k'\] is \[\], but"),
        ({"controls": {"k": "ab"}}, TypeError, r"controls\['k'\] is 'ab', but"),
        ({"controls": {"k": [1, "a"]}}, ValueError, r"controls\['k'\]: a value = 'a'"),
        ({"controls": {"k": [1, np.nan]}}, ValueError, r"controls\['k'\]: a value = nan"),
        ({"panels": 0}, ValueError, "panels = 0"),
    ],
)
def test_odd_parts_of_an_explorer(changes, error, match):
    parts = {"title": "t", "draw": print, "controls": {"k": [1, 2]}, "row": [{"k": 1}]}
    with pytest.raises(error, match=match):
        Explorer(**parts | changes)


def test_a_drawing_must_say_what_is_seen():
    explorer = Explorer("t", lambda axes, k: None, {"k": [1, 2]}, [{"k": 1}])
    for show in (explorer.figure, explorer.widget):
        with pytest.raises(TypeError, match="draw returned None, but it must return a sentence"):
            show()


class TestSvm:
    def test_bars_are_the_losses_by_class(self):
        # the margins of the notebook: example 1 has 3 and 3, example 2 has 2, the rest nothing
        axes, sentence = drawn(EXPLORERS["svm"])
        pieces = np.array([bar.get_width() for bar in axes[1].patches]).reshape(3, 4)
        assert pieces.T.tolist() == [[0, 0, 0], [3, 3, 0], [0, 0, 2], [0, 0, 0]]
        left = np.array([bar.get_x() for bar in axes[1].patches]).reshape(3, 4)
        np.testing.assert_array_equal(left, np.cumsum(pieces, axis=0) - pieces)
        assert sentence == (
            "The mean loss is 2; 2 of 4 examples are active: example 1 pays 6 for class 0 and 1, "
            "example 2 pays 2 for class 2."
        )
        assert axes[0].get_title() == "margin 1: loss 2"

    def test_regions_arrows_and_rings(self):
        axes, _ = drawn(EXPLORERS["svm"])
        rings = axes[0].collections[-1].get_offsets()
        np.testing.assert_array_equal(rings, X_TOY[[1, 2]])
        image = axes[0].images[0]
        left, right, bottom, top = image.get_extent()
        assert image.origin == "lower"
        pixels = np.asarray(image.get_array())
        for point in np.array([[-1.0, 2.0], [-2.0, -2.0], [2.0, -2.0]]):
            row = int((point[1] - bottom) / (top - bottom) * 200)
            column = int((point[0] - left) / (right - left) * 200)
            best = int(np.argmax(point @ W_TOY))
            color = axes[0].lines[best].get_color()
            np.testing.assert_allclose(pixels[row, column], 0.7 + 0.3 * np.array(color))
        tips = [[text.xy[0], text.xy[1]] for text in axes[0].texts]
        np.testing.assert_array_equal(tips, W_TOY.T)

    def test_a_larger_margin_makes_more_active(self):
        _, sentence = drawn(EXPLORERS["svm"], margin=2.0)
        assert sentence.startswith("The mean loss is 3; 3 of 4 examples are active: example 0 pays")
        _, sentence = drawn(EXPLORERS["svm"], margin=0.0, w0_x=0.0, w0_y=0.0, w1_x=0.0, w2_x=0.0)
        assert sentence.endswith("0 of 4 examples are active, so the gradient is zero.")

    def test_the_last_state_is_one_step_further(self):
        # W - dW / 2 with dW = [[0.5, 0.75, -1.25], [0.25, 0.75, -1]] by hand, in the notebook
        last = EXPLORERS["svm"].row[-1]
        assert [last[f"w{k}_x"] for k in range(3)] == [0.75, 1.625, 1.625]
        assert [last[f"w{k}_y"] for k in range(3)] == [1.875, -0.375, 0.5]

    def test_only_the_plane(self):
        with pytest.raises(ValueError, match="W has 1 rows, but the plane has two features"):
            explore_svm([[1.0]], [0], [[1.0, 2.0]])

    @pytest.mark.parametrize(
        ("X", "W", "delta", "match"),
        [
            (X_TOY * np.nan, W_TOY, 1.0, r"X\[0, 0\] = nan"),
            (X_TOY, W_TOY * np.nan, 1.0, r"W\[0, 0\] = nan"),
            (X_TOY, 2 * W_TOY, 1.0, "W reaches 4, but the sliders go from -3 to 3"),
            (X_TOY, np.ones((2, 11)), 1.0, "W has 11 columns, but there are colors for 10"),
            (X_TOY, W_TOY, 0.3, "delta = 0.3, but the first margin is one of"),
            (X_TOY, W_TOY, "1", "delta = '1'"),
        ],
    )
    def test_odd_arguments(self, X, W, delta, match):
        with pytest.raises(ValueError, match=match):
            explore_svm(X, Y_TOY, W, delta=delta)


class TestSoftmax:
    def heights(self, **changes):
        axes, sentence = drawn(EXPLORERS["softmax"], **changes)
        return [[bar.get_height() for bar in ax.patches] for ax in axes], sentence

    @pytest.mark.parametrize("shift", [False, True])
    def test_probabilities_and_gradient(self, shift):
        # exp(0), exp(0), exp(10 / 10): shares 1 : 1 : e
        (p, gradient), sentence = self.heights(
            score_of_cat=0.0, score_of_ship=10.0, temperature=10.0, truth="dog", shift=shift
        )
        np.testing.assert_allclose(p, np.array([1, 1, np.e]) / (2 + np.e))
        np.testing.assert_allclose(gradient, np.array(p) - [0, 1, 0])
        assert "cat 0.21, dog 0.21, ship 0.58; the truth is dog, so the loss is 1.55" in sentence
        assert "gradient by that score -0.79" in sentence

    def test_overflow_without_the_shift(self):
        changes = {"score_of_ship": 10.0, "temperature": 0.01}
        (p, _), sentence = self.heights(shift=False, **changes)
        assert p == [0, 0]  # the ship has no bar: inf / inf
        assert "inf / inf is NaN" in sentence
        axes, _ = drawn(EXPLORERS["softmax"], shift=False, **changes)
        assert [text.get_text() for text in axes[0].texts].count("NaN") == 1
        (p, _), sentence = self.heights(shift=True, **changes)
        assert p == [0, 0, 1]
        assert "the loss is 950" in sentence

    def test_underflow_without_the_shift(self):
        low = dict.fromkeys(("score_of_cat", "score_of_dog", "score_of_ship"), -10.0)
        (p, _), sentence = self.heights(shift=False, temperature=0.01, **low)
        assert p == []
        assert "0 / 0 is NaN" in sentence

    def test_three_names(self):
        for names in (["a", "b", "a"], ["a", "b", "c", "a"], []):
            with pytest.raises((TypeError, ValueError), match="class_names is"):
                explore_softmax(names)
        for names in (None, "abc", [1, 2, 3], {"a", "b", "c"}):
            with pytest.raises(TypeError, match=r"class_names is .*, but it must be a list of str"):
                explore_softmax(names)

    def test_names_are_taken_at_their_word(self):
        axes, _ = drawn(explore_softmax(["$\\bad$", "_", ""]))
        axes[0].figure.savefig(io.BytesIO())


def trained_net(hidden_units):
    """Return the net that the explorer draws, trained as its docstring says."""
    net = TwoLayerNet(2, hidden_units, 3, std=1.0, rng=np.random.RandomState(231))
    net.train(
        *SPIRAL, *SPIRAL, learning_rate=1.0, learning_rate_decay=1.0, reg=1e-4, num_iters=10,
        batch_size=60, rng=np.random.RandomState(0),
    )  # fmt: skip
    return net


class TestNet:
    def test_edges_are_where_units_switch(self):
        axes, sentence = drawn(EXPLORERS["net"], hidden_units=5)
        X, y = SPIRAL
        net = trained_net(5)
        edges = axes[0].lines[0].get_xydata().reshape(5, 3, 2)  # two ends and a gap
        assert np.isnan(edges[:, 2]).all()
        for ends, w, b in zip(edges[:, :2], net.params["W1"].T, net.params["b1"], strict=True):
            np.testing.assert_allclose(ends @ w, -b)
            assert np.linalg.norm(ends[1] - ends[0]) > 4 * np.ptp(X) - 1e-9
        accuracy = np.mean(net.predict(X) == y)
        assert axes[0].get_title() == f"5 hidden units: accuracy {accuracy:.2f}"
        assert f"{accuracy:.0%} of the examples are right" in sentence

    def test_losses_start_near_each_other_and_are_all_shown(self):
        axes, sentence = drawn(EXPLORERS["net"], hidden_units=1)
        losses = axes[1].lines[0].get_ydata()
        assert len(losses) == 10
        start = "With 1 hidden unit and the learning rate 1 the training ends at a loss of"
        assert sentence.startswith(f"{start} {losses[-1]:.2f}, and ")
        assert axes[1].lines[1].get_ydata()[0] == np.log(3)

    def test_a_unit_without_weights_has_no_edge(self):
        net = trained_net(3)
        net.params["W1"][:, 1] = 0
        axes = Figure().subplots(1, 2)
        draw_net(axes, *SPIRAL, net, [1.0], 1.0)
        drawn_ends = np.isfinite(axes[0].lines[0].get_xdata()).reshape(3, 3)[:, :2]
        assert drawn_ends.tolist() == [[True] * 2, [False] * 2, [True] * 2]

    def test_divergence_is_said(self):
        axes = Figure().subplots(1, 2)
        assert "the training diverges" in draw_net(axes, *SPIRAL, trained_net(3), [], 1e9)

    @pytest.mark.parametrize(
        ("X", "y", "num_iters", "match"),
        [
            (np.ones((2, 3)), [0, 1], 1, "X has 3 columns, but a picture of the plane needs 2"),
            (np.full((2, 2), np.nan), [0, 1], 1, r"X\[0, 0\] = nan"),
            (np.ones((2, 2)), [0, 0], 1, "y has class 0 alone"),
            (np.ones((2, 2)), [0, 2**40], 1, r"y\[1\] = 1099511627776 would make"),
            (np.ones((2, 2)), [0, 1], 2.0, "num_iters = 2.0"),
        ],
    )
    def test_odd_arguments(self, X, y, num_iters, match):
        with pytest.raises(ValueError, match=match):
            explore_net(X, y, num_iters=num_iters)


class TestInputStep:
    @pytest.mark.parametrize("step", [0, 4, 40])
    def test_image_change_and_probabilities(self, step):
        axes, sentence = drawn(EXPLORERS["input_step"], example=2, step=step)
        direction = W_PIXELS[:, 1] - W_PIXELS[:, 0]
        change = step * direction / np.sqrt(np.mean(direction**2))
        changed = IMAGES[2] + change.reshape(4, 5)
        np.testing.assert_allclose(axes[0].images[0].get_array(), changed)
        assert axes[0].images[0].get_clim() == (0, 255)
        np.testing.assert_allclose(axes[1].images[0].get_array(), change.reshape(4, 5), atol=1e-12)
        low, high = axes[1].images[0].get_clim()
        np.testing.assert_allclose([-low, high], np.abs(change).max() or 1)
        S = np.stack([IMAGES[2].ravel(), changed.ravel()]) @ W_PIXELS / 100
        P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
        np.testing.assert_allclose([bar.get_width() for bar in axes[2].patches], P[1])
        np.testing.assert_allclose(axes[2].lines[0].get_xdata(), P[0])
        before, after = ("abc"[k] for k in P.argmax(axis=1))
        said = f"still says {after}" if before == after else f"says {after} instead of {before}"
        assert f"A step of {step} gray levels rms" in sentence
        assert f"the model {said}, with probability {P[1].max():.2f}." in sentence

    def test_a_large_step_changes_the_prediction(self):
        sentences = [drawn(EXPLORERS["input_step"], step=step)[1] for step in (0, 40)]
        assert "still" in sentences[0]
        assert "instead of" in sentences[1]

    def test_color_images(self):
        images = np.random.RandomState(0).uniform(0, 255, (2, 3, 3, 3))
        explorer = explore_input_step(
            images, [0, 1], lambda X: X[:, :2], lambda X, y: np.ones_like(X), ["a", "b"]
        )
        axes, _ = drawn(explorer, step=0)
        np.testing.assert_allclose(axes[0].images[0].get_array(), images[0] / 255)

    def test_a_useless_gradient_is_refused(self):
        with pytest.raises(ValueError, match=r"\(3, 21\), but it must be \(3, 20\): drop the bias"):
            input_step(gradient=lambda X, y: np.ones((len(X), 21)))
        with pytest.raises(ValueError, match=r"input_gradient is zero for images\[0\]"):
            input_step(gradient=lambda X, y: np.zeros_like(X))

    @pytest.mark.parametrize(
        ("changes", "error", "match"),
        [
            ({"images": IMAGES - 128}, ValueError, r"images go from .*, but gray levels"),
            ({"images": IMAGES * np.nan}, NotFiniteError, r"images\[0, 0, 0\] = nan"),
            ({"labels": [0, 3]}, ValueError, "labels has 2 labels"),
            ({"labels": [0, 3, 0]}, ValueError, r"labels\[1\] = 3 is not a valid label"),
            ({"scores": TwoLayerNet(20, 3, 3)}, TypeError, "scores is <"),
            ({"scores": lambda X: X[:, 0]}, ValueError, r"scores returned shape \(3,\)"),
            ({"scores": lambda X: X[:, :3] * np.nan}, NotFiniteError, r"scores\(rows\)\[0, 0\]"),
            ({"input_gradient": None}, TypeError, "input_gradient is None"),
            ({"input_gradient": lambda X, y: X[0]}, ValueError, r"returned shape \(20,\)"),
            ({"input_gradient": lambda X, y: None}, TypeError, "input_gradient.* has dtype object"),
            ({"class_names": ["a", "b"]}, ValueError, "2 class_names need"),
            ({"class_names": "abc"}, TypeError, "class_names is 'abc'"),
        ],
    )
    def test_odd_arguments(self, changes, error, match):
        usual = {
            "images": IMAGES, "labels": [0, 0, 0], "scores": pixel_scores,
            "input_gradient": lambda X, y: np.ones_like(X), "class_names": ["a", "b", "c"],
        }  # fmt: skip
        with pytest.raises(error, match=match):
            explore_input_step(**usual | changes)

    def test_classes_of_one_name_are_two_classes(self):
        explorer = explore_input_step(
            [[[100]]],
            [0],
            lambda X: np.hstack([0 * X, X - 100]),
            lambda X, y: 0 * X + 1,
            ["a", "a"],
        )
        assert "says a instead of a" in drawn(explorer, step=4)[1]


def words(ax):
    """Return what stands in a graph: each text once, as lists of words a line."""
    return [text.get_text() for text in ax.texts]


def as_printed(array):
    """Return whole numbers as a node shows them, the spaces that align them left out."""
    rows = np.atleast_2d(array).astype(int)
    return [[str(number) for number in row] for row in rows.tolist()]


def tables(ax):
    """Return the numbers in the nodes of a graph, by color, as they are printed."""
    found = {}
    for text in ax.texts:
        if text.get_family() == ["monospace"]:
            rows = [line.split() for line in text.get_text().splitlines()]
            found.setdefault(text.get_color(), []).append(rows)
    return found


class TestGraph:
    FORWARD, BACKWARD = "#0072B2", "#D55E00"

    def test_all_numbers_of_the_net_for_a_pencil(self):
        (ax,), sentence = drawn(EXPLORERS["graph"], step=6)
        params, X, _ = worked_examples.NET
        forward = [
            X, worked_examples.NET_PRE, worked_examples.NET_HIDDEN, worked_examples.NET_SCORES,
            *params.values(),
        ]  # fmt: skip
        backward = [
            worked_examples.NET_DPRE, worked_examples.NET_DHIDDEN, 8 * worked_examples.NET_DSCORES,
            *worked_examples.NET_GRADS.values(),
        ]  # fmt: skip
        found = tables(ax)
        found[self.FORWARD].remove([["1.39"]])  # log 4, the loss
        for color, arrays in ((self.FORWARD, forward), (self.BACKWARD, backward)):
            assert sorted(found[color]) == sorted(as_printed(array) for array in arrays)
        assert sentence.endswith("the way back is complete.")

    @pytest.mark.parametrize(
        ("step", "names"),
        [
            (0, []), (1, []), (2, ["dscores"]), (3, ["dW2", "db2"]), (4, ["dhidden"]),
            (5, ["dpre"]), (6, ["dW1", "db1"]),
        ],
    )  # fmt: skip
    def test_each_step_adds_what_it_says(self, step, names):
        (ax,), _ = drawn(EXPLORERS["graph"], step=step)
        before = words(drawn(EXPLORERS["graph"], step=max(step - 1, 0))[0][0])
        added = [text[2:] for text in words(ax) if text not in before and text.startswith("8 d")]
        assert sorted(added) == sorted(names)
        assert (self.FORWARD in tables(ax)) == (step > 0)
        assert (self.BACKWARD in tables(ax)) == (step > 1)

    def test_arrows_carry_the_shapes_of_their_nodes(self):
        (ax,), _ = drawn(EXPLORERS["graph"], step=0)
        shapes = [text for text in words(ax) if text.startswith("(")]
        assert shapes == ["(2, 2)"] + 4 * ["(2, 3)"] + 2 * ["(2, 4)"]
        for node in ("W1 (2, 3)", "b1 (3,)", "W2 (3, 4)", "b2 (4,)", "pre", "loss"):
            assert node in words(ax)

    @pytest.mark.parametrize(("step", "arrows"), [(1, 0), (2, 2), (3, 5), (4, 6), (5, 8), (6, 11)])
    def test_a_gradient_comes_back_along_each_arrow_once(self, step, arrows):
        """To each array from what is below it; that of X is not asked for."""
        (ax,), _ = drawn(EXPLORERS["graph"], step=step)
        colors = [patch.get_edgecolor() for patch in ax.patches if hasattr(patch, "get_arrowstyle")]
        orange = to_rgba(self.BACKWARD)
        assert sum(color == orange for color in colors) == arrows
        assert len(colors) - arrows == 12

    def test_measured_gradients_are_those_of_the_net(self):
        """Also where a unit is at exactly 0, a kink, and passes nothing back."""
        rng = np.random.RandomState(0)
        net = TwoLayerNet(3, 4, 2, std=1.0, rng=rng)
        net.params["W1"][:, 0] = 0
        X, y = rng.standard_normal((4, 3)), np.array([0, 1, 1, 0])
        values = forward_values({"X": X, **net.params}, y)
        loss, gradients = net.loss(X, y)
        assert values["loss"] == pytest.approx(loss)
        for name, gradient in gradients.items():
            measured = gradient_of(name, values, y)
            np.testing.assert_allclose(measured, gradient, rtol=1e-6, atol=1e-9)

    @pytest.mark.parametrize(
        ("changes", "error", "match"),
        [
            ({"X": np.ones((5, 2)), "y": [0] * 5}, ValueError, "N = 5, but at most 4 have room"),
            ({"X": np.ones((2, 3))}, ValueError, "X has 3 columns and W1 has 2 rows"),
            ({"y": [0, 4]}, ValueError, "y"),
            ({"params": {}}, ValueError, "params is {}"),
            ({"times": 0}, ValueError, "times = 0"),
            ({"steps": 3}, ValueError, "steps is 3, but it must be a list"),
            ({"steps": []}, ValueError, "row is empty"),
            ({"steps": [7]}, ValueError, r"steps is \[7\], but"),
        ],
    )
    def test_odd_arguments(self, changes, error, match):
        usual = dict(zip(("params", "X", "y"), worked_examples.NET, strict=True))
        with pytest.raises(error, match=match):
            explore_graph(**usual | changes)


class TestStepSize:
    def test_three_slopes_of_a_cube(self):
        # f(1.1) = 1.331, f(0.9) = 0.729, Im (1 + 0.1i)**3 = 0.299
        slopes = [
            numerical_slope(lambda t: t**3, 1.0, 0.1, method, "float64")
            for method in ("forward", "central", "complex")
        ]
        np.testing.assert_allclose(slopes, [3.31, 3.01, 2.99])

    @pytest.mark.parametrize(("dtype", "kind"), [("float32", "c8"), ("float64", "c16")])
    def test_it_computes_in_the_precision_it_says(self, dtype, kind):
        seen = set()

        def f(t):
            seen.add(np.asarray(t).dtype)
            return t * t

        for method in ("forward", "central", "complex"):
            numerical_slope(f, 1.0, 1e-3, method, dtype)
        assert seen == {np.dtype(dtype), np.dtype(kind)}

    def test_curves_and_the_dot(self):
        axes, sentence = drawn(EXPLORERS["step_size"], log10_of_h=-1.0, method="forward")
        dot = axes[1].lines[-1].get_xydata()[0]
        np.testing.assert_allclose(dot, [0.1, 0.31 / 3])
        forward, central, complex_step = (line.get_xydata() for line in axes[1].lines[:3])
        k = np.argmin(abs(forward[:, 0] - 0.1))
        np.testing.assert_allclose(
            [forward[k, 1], central[k, 1], complex_step[k, 1]],
            [0.31 / 3, 0.01 / 3, 0.01 / 3], rtol=1e-9,
        )  # fmt: skip
        assert "h = 1.0e-01 the forward difference has an error of 1e-01 of the slope" in sentence
        sentence = drawn(EXPLORERS["step_size"], log10_of_h=-7.0, precision="float32")[1]
        assert "has rounding errors of a percent or more; it does best near h = 5e-03" in sentence

    def test_the_secant_in_units_of_h(self):
        axes, _ = drawn(EXPLORERS["step_size"], log10_of_h=0.0)  # central: (8 - 0) / 2 = 4 for 3
        curve, diagonal, secant = axes[0].lines
        np.testing.assert_allclose(secant.get_xydata(), [[-1, -1 / 3], [1, 7 / 3]])
        np.testing.assert_allclose(*diagonal.get_data())
        np.testing.assert_allclose(curve.get_ydata()[[0, -1]], [-2 / 3, 26 / 3])  # t = -1 and 3
        axes, _ = drawn(EXPLORERS["step_size"], log10_of_h=0.0, method="forward")
        np.testing.assert_allclose(axes[0].lines[2].get_xydata(), [[0, 0], [1, 7 / 3]])
        axes, _ = drawn(EXPLORERS["step_size"], method="complex")
        assert len(axes[0].lines) == 2

    def test_float32_is_a_staircase_at_small_steps(self):
        axes, _ = drawn(EXPLORERS["step_size"], log10_of_h=-7.0, precision="float32")
        assert len(np.unique(axes[0].lines[0].get_ydata())) < 10

    def test_refusals(self):
        for x, slope, match in (
            (1.0, 0.0, "slope = 0, but"), (np.nan, 1.0, "x = nan"), (1.0, np.inf, "slope = inf"),
        ):  # fmt: skip
            with pytest.raises(ValueError, match=match):
                explore_step_size(lambda t: t, x, slope)

    @pytest.mark.parametrize(
        ("f", "error", "match"),
        [
            (None, TypeError, "f is None, but it must be a function"),
            (math.sin, TypeError, "f takes no complex.*np.sin and not math.sin"),
            (np.log, NotFiniteError, r"f\(-1.0\) = nan, but the picture needs numbers within 2"),
            (lambda t: np.exp(200 * t), ValueError, r"f\(.*\) = inf|the error relative to slope"),
            (lambda t: [t], TypeError, r"f\(-1.0\) is array.*, but it must be one number"),
            (lambda t: "a", TypeError, r"f\(-1.0\) is array\('a'"),
        ],
    )
    def test_odd_functions(self, f, error, match):
        with pytest.raises(error, match=match):
            explore_step_size(f, 1.0, 1.0)


class TestUpdateRules:
    def test_a_path_is_what_the_rule_says(self):
        """Each coordinate of gradient descent shrinks by a factor of its own at every step."""
        steps = np.arange(101)[:, np.newaxis]
        exact = [-4.0, 1.0] * (1 - 0.01 * np.array([1.0, 30.0])) ** steps
        np.testing.assert_allclose(walk(sgd, 0.01, 30.0), exact, rtol=1e-9)
        harmonic = np.cumsum(1 / np.arange(1, 4))
        np.testing.assert_allclose(walk(by_sign, 0.1, 3.0)[1:4, 0], -4 + 0.1 * harmonic)

    def test_a_path_ends_where_it_diverges_or_is_no_number(self):
        axes, sentence = drawn(EXPLORERS["update_rules"], log10_of_rate=-0.5)
        assert re.match(r"diverged \d steps", axes[1].get_title())
        assert "sgd has left a loss of" in sentence
        assert len(walk(lambda w, dw, config: (w * np.nan, config), 0.1, 3.0)) == 2

    def test_the_row_starts_each_rule_at_its_best_rate(self):
        explorer = EXPLORERS["update_rules"]
        assert [state["rule"] for state in explorer.row] == ["sgd", "by sign"]
        last = [walk(sgd, 10**a, 100.0)[-1] for a in explorer.controls["log10_of_rate"]]
        heights = [w[0] ** 2 + 100 * w[1] ** 2 for w in last]
        best = explorer.controls["log10_of_rate"][int(np.argmin(heights))]
        assert explorer.row[0]["log10_of_rate"] == best

    def test_a_rule_that_works_in_place_draws_the_same(self):
        def in_place(w, dw, config):
            w -= config["learning_rate"] * dw
            return w, config

        np.testing.assert_array_equal(walk(in_place, 0.01, 3.0), walk(sgd, 0.01, 3.0))

    @pytest.mark.parametrize(
        ("rules", "error", "match"),
        [
            ({}, TypeError, "rules is {}, but it must be a dict"),
            ([sgd], TypeError, "rules is .*, but it must be a dict, name -> update rule"),
            ({"sgd": 0.1}, TypeError, "rules is .*, but it must be a dict"),
            ({"sgd": lambda w, dw, config: w}, TypeError, r"must return \(next_w, config\)"),
            ({"sgd": lambda w, dw, config: (w[0], config)}, ValueError, "next_w has shape"),
            ({"sgd": lambda w, dw, config: (["a", "b"], config)}, TypeError, "next_w"),
        ],
    )
    def test_odd_rules_are_refused(self, rules, error, match):
        with pytest.raises(error, match=match):
            explore_update_rules(rules)
