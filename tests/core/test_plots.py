"""What the pictures show: data, scales, order, labels."""

from __future__ import annotations

import re
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from cs231n_helpers import (
    NotFiniteError,
    Softmax,
    plot_decision_regions,
    plot_search,
    plot_training,
    show_images,
    show_weights,
    visualize_grid,
)

GRAY = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
RGB = np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3)


class TestVisualizeGrid:
    def test_size_and_places(self):
        grid = visualize_grid(RGB, padding=2)
        assert grid.shape == (2 * 4 + 2, 2 * 5 + 2, 3)
        assert grid.dtype == np.float64
        for k, (top, left) in enumerate([(0, 0), (0, 7), (6, 0)]):
            image = RGB[k].astype(float)
            expected = 255 * (image - image.min()) / (image.max() - image.min())
            np.testing.assert_allclose(grid[top : top + 4, left : left + 5], expected)
        assert not grid[4:6].any()
        assert not grid[:, 5:7].any()
        assert not grid[6:, 7:].any()

    def test_shape_follows_the_course(self):
        # ceil(sqrt(N)) images on a side, however many there are
        assert visualize_grid(np.zeros((2, 4, 5, 3))).shape == (9, 11, 3)
        assert visualize_grid(np.zeros((1, 4, 5, 3))).shape == (4, 5, 3)
        assert visualize_grid(np.zeros((5, 4, 5, 3)), padding=0).shape == (12, 15, 3)

    def test_shared_scale(self):
        images = np.array([[[0.0, 1.0]], [[2.0, 4.0]]])
        grid = visualize_grid(images, ubound=1.0, padding=0, shared=True)
        np.testing.assert_allclose(grid[0], [0, 0.25, 0.5, 1.0])
        grid = visualize_grid(images, ubound=1.0, padding=0)
        np.testing.assert_allclose(grid[0], [0, 1, 0, 1])

    @pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "g", "i1"])
    def test_any_real_dtype(self, dtype):
        grid = visualize_grid(GRAY.astype(dtype), ubound=19)
        np.testing.assert_allclose(grid[:4, :5], GRAY[0], rtol=1e-6)

    @pytest.mark.parametrize("shared", [False, True])
    def test_constant_images_are_gray(self, shared):
        grid = visualize_grid(np.full((1, 2, 2, 3), 7.0), ubound=10, shared=shared)
        np.testing.assert_array_equal(grid, 5.0)

    def test_refusals(self):
        for images in (GRAY[0], RGB[..., :2], GRAY[:0]):
            text = re.escape(f"Xs has shape {images.shape}, but must be (N, height, width) or")
            with pytest.raises(ValueError, match=f"{text} .* reshape rows with"):
                visualize_grid(images)
        for name, value in [("ubound", 0), ("padding", -1), ("padding", 1.0), ("padding", True)]:
            with pytest.raises(ValueError, match=f"{name} = {value}, but it must be"):
                visualize_grid(RGB, **{name: value})
        with pytest.raises(ValueError, match=r"100,000,000 are the most: .* a smaller padding"):
            visualize_grid(RGB, padding=10**6)


def panels(ax, corners, height=4, width=5):
    canvas = ax.images[0].get_array()
    return [np.asarray(canvas[t : t + height, c : c + width]) for t, c in corners]


class TestShowImages:
    def test_gray(self):
        ax = show_images(GRAY, ["a", "b", "c"], columns=3)
        for k, panel in enumerate(panels(ax, [(0, 0), (0, 6), (0, 12)])):
            np.testing.assert_array_equal(panel, GRAY[k])
        image = ax.images[0]
        assert image.get_clim() == (0, 255)
        assert image.get_cmap().name == "gray"
        assert np.isnan(image.get_array()[:, 5].filled(np.nan)).all()
        assert [t.get_text() for t in ax.texts] == ["a", "b", "c"]
        assert [t.get_position() for t in ax.texts] == [(2, -1), (8, -1), (14, -1)]
        low, high = ax.get_ylim()
        assert low == 3.5
        assert high <= -1.5  # the labels of the first row are inside
        assert not ax.axison

    def test_color(self):
        ax = show_images(RGB, columns=1)
        corners = [(0, 0), (5, 0), (10, 0)]
        for k, panel in enumerate(panels(ax, corners)):
            np.testing.assert_allclose(panel, RGB[k] / 255)
        np.testing.assert_array_equal(ax.images[0].get_array()[4], 1)

    def test_floats_share_their_own_limits(self):
        ax = show_images(GRAY / 4 - 3)
        assert ax.images[0].get_clim() == (-3, 59 / 4 - 3)
        (panel,) = panels(show_images(RGB / 2.0), [(0, 0)])
        np.testing.assert_allclose(panel, RGB[0] / 179, atol=1e-12)
        assert show_images(GRAY, limits=(10, 20)).images[0].get_clim() == (10, 20)

    def test_a_constant_image_is_no_error(self):
        np.testing.assert_array_equal(panels(show_images(np.ones((1, 4, 5, 3))), [(0, 0)])[0], 0)

    def test_it_draws_where_it_is_told(self):
        _, ax = plt.subplots()
        assert show_images(GRAY, ax=ax) is ax
        assert len(plt.get_fignums()) == 1
        assert show_images(GRAY) is not ax

    def test_number_of_labels(self):
        with pytest.raises(ValueError, match="there are 2 labels and 3 images"):
            show_images(GRAY, ["a", "b"])
        with pytest.raises(ValueError, match="columns = -1"):
            show_images(GRAY, columns=-1)


class TestShowWeights:
    W = np.random.RandomState(0).standard_normal((21, 3))  # 4 x 5 pixels and a bias

    def test_gray_is_diverging_around_zero(self):
        W = self.W.copy()
        W[-1] = 100  # a bias must not reach the scale
        ax = show_weights(W, (4, 5), ["x", "y", "z"], columns=3)
        limit = np.abs(W[:20]).max()
        assert ax.images[0].get_clim() == (-limit, limit)
        assert ax.images[0].get_cmap().name == "cividis"
        for k, panel in enumerate(panels(ax, [(0, 0), (0, 6), (0, 12)])):
            np.testing.assert_array_equal(panel, W[:20, k].reshape(4, 5))
        assert [t.get_text() for t in ax.texts] == ["x", "y", "z"]

    def test_zero_is_mid_gray(self):
        red, green, blue, _ = plt.get_cmap("cividis")(0.5)
        assert max(red, green, blue) - min(red, green, blue) < 0.04
        assert 0.4 < green < 0.6
        ax = show_weights(np.zeros((60, 2)), (4, 5, 3), columns=2)
        assert (panels(ax, [(0, 0)])[0] == 0.5).all()

    def test_color(self):
        W = np.random.RandomState(0).standard_normal((60, 2))
        for limit in (2.0, None):
            ax = show_weights(W, (4, 5, 3), columns=2, limit=limit)
            scaled = np.clip(0.5 + W / (2 * (limit or np.abs(W).max())), 0, 1)
            for k, panel in enumerate(panels(ax, [(0, 0), (0, 6)])):
                np.testing.assert_allclose(panel, scaled[:, k].reshape(4, 5, 3))

    def test_limit_and_no_bias(self):
        ax = show_weights(self.W[:20], (4, 5), limit=9)
        assert ax.images[0].get_clim() == (-9, 9)
        assert show_weights(np.zeros((20, 1)), (4, 5)).images[0].get_clim() == (-1, 1)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"W has 3 rows and image_shape \(4, 5\) has 20 pix"):
            show_weights(self.W.T, (4, 5))
        with pytest.raises(ValueError, match="limit = 0, but it must be a finite number > 0"):
            show_weights(self.W, (4, 5), limit=0)
        with pytest.raises(ValueError, match="1 labels and 3 images"):
            show_weights(self.W, (4, 5), ["a"])


class TestPlotTraining:
    history = {  # noqa: RUF012
        "loss_history": [4.0, 2.0, 3.0, 1.0, 0.0],
        "train_acc_history": [0.2, 0.6],
        "val_acc_history": [0.1, 0.5],
    }

    def test_losses(self):
        ax = plot_training(self.history["loss_history"], window=2)
        raw, mean = ax.lines
        assert list(raw.get_ydata()) == self.history["loss_history"]
        assert list(mean.get_ydata()) == [4.0, 3.0, 2.5, 2.0, 0.5]
        assert ax.get_yscale() == "linear"  # they reach 0
        centered = plot_training(self.history["loss_history"], window=3).lines[1]
        assert list(centered.get_ydata()) == pytest.approx([3.0, 3.0, 2.0, 4 / 3, 0.5])
        assert list(mean.get_xdata()) == [0, 1, 2, 3, 4]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("iteration", "loss")
        assert [line.get_label() for line in ax.lines] == ["minibatch", "mean of 2 steps"]
        assert len(ax.get_legend().get_texts()) == 2
        wider = plot_training([4.0, 2.0])
        assert list(wider.lines[1].get_ydata()) == [4.0, 3.0]
        assert wider.get_yscale() == "linear"  # a log axis would have no round number
        wide = plot_training([4.0, 2.0, 0.5])
        assert wide.get_yscale() == "log"
        wide.figure.canvas.draw()
        assert {"0.5", "1", "2"} <= {text.get_text() for text in wide.get_yticklabels()}
        plot_training([1e5, 1e-5]).figure.canvas.draw()

    def test_accuracies(self):
        loss, accuracy = plot_training(self.history)
        assert len(loss.lines) == 2
        train, val = accuracy.lines
        assert list(train.get_ydata()) == [0.2, 0.6]
        assert list(val.get_ydata()) == [0.1, 0.5]
        assert list(val.get_xdata()) == [1, 2]
        assert (train.get_label(), val.get_label()) == ("train", "val")
        assert accuracy.get_ylabel() == "accuracy"
        assert accuracy.get_xlabel() == "epoch"

    def test_given_axes(self):
        _, axes = plt.subplots(1, 2)
        assert plot_training(self.history, ax=axes) is axes
        assert len(axes[1].lines) == 2
        assert plot_training([1.0], ax=axes[0]) is axes[0]
        with pytest.raises(ValueError, match="ax holds 1 Axes, but a pair is needed"):
            plot_training(self.history, ax=axes[0])
        with pytest.raises(ValueError, match="ax holds 2 Axes, but one is needed"):
            plot_training([1.0], ax=axes)

    def test_refusals(self):
        with pytest.raises(ValueError, match=r"history has shape \(0,\)"):
            plot_training([])
        with pytest.raises(ValueError, match="window = 0"):
            plot_training([1.0], window=0)


class TestPlotSearch:
    results = {  # noqa: RUF012
        (1e-3, 10.0): (0.9, 0.3), (1e-2, 10.0): (0.9, 0.5), (1e-1, 10.0): (0.9, np.nan),
        (1e-3, 100.0): (0.9, 0.2), (1e-2, 100.0): (0.9, 0.4),
    }  # fmt: skip

    def test_cells(self):
        ax = plot_search(self.results)
        mesh = ax.collections[0]
        drawn, corners = mesh.get_array().filled(np.nan), np.log10(mesh.get_coordinates())
        np.testing.assert_array_equal(drawn, [[0.3, 0.5, np.nan], [0.2, 0.4, np.nan]])
        np.testing.assert_allclose(corners[0, :, 0], [-3.5, -2.5, -1.5, -0.5])
        np.testing.assert_allclose(corners[:, 0, 1], [0.5, 1.5, 2.5])
        assert mesh.get_clim() == (0.2, 0.5)
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "reg")
        ax.figure.canvas.draw()
        assert [t.get_text() for t in ax.get_xticklabels()] == ["0.001", "0.01", "0.1"]
        assert [t.get_text() for t in ax.get_yticklabels()] == ["10", "100"]
        assert not ax.get_xticks(minor=True).size

    def test_words_in_their_cells(self):
        words = {t.get_position(): t.get_text() for t in plot_search(self.results).texts}
        assert words == {
            (1e-3, 10.0): "0.300", (1e-2, 10.0): "0.500", (1e-1, 10.0): "diverged",
            (1e-3, 100.0): "0.200", (1e-2, 100.0): "0.400",
        }  # fmt: skip

    def test_words_can_be_read(self):
        colors = {t.get_text(): t.get_color() for t in plot_search(self.results).texts}
        assert colors["0.200"] == "white"
        assert colors["0.500"] == colors["diverged"] == "black"

    def test_the_best_is_framed(self):
        frame = plot_search(self.results).lines[0]
        assert frame.get_label() == "best"
        x, y = np.log10(frame.get_data())
        np.testing.assert_allclose([x.min(), x.max(), y.min(), y.max()], [-2.5, -1.5, 0.5, 1.5])

    def test_plain_accuracies_and_given_axes(self):
        _, ax = plt.subplots()
        assert plot_search({(1.0, 1.0): 0.25}, ax=ax) is ax
        assert ax.collections[0].get_array().tolist() == [[0.25]]

    def test_all_diverged(self):
        ax = plot_search({(1.0, 1.0): np.nan, (2.0, 1.0): np.nan})
        assert not ax.lines
        ax.figure.canvas.draw()

    @pytest.mark.parametrize(
        ("results", "error", "match"),
        [
            ({}, ValueError, "results is empty"),
            ({(0.0, 1.0): 0.1}, ValueError, "beyond log axes.*leave out 0"),
            (
                {(1.0, 1.0): 0.1, (1.0, -2): 0.2},
                ValueError,
                r"results\[\(1.0, -2\)\] is beyond log",
            ),
        ],
    )
    def test_refusals(self, results, error, match):
        with pytest.raises(error, match=match):
            plot_search(results)


class TestPlotDecisionRegions:
    X = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [4.0, 2.0]])
    y = np.array([0, 1, 2, 1])

    @staticmethod
    def predict(points):  # left and low: 0, right: 1, left and high: 2
        return np.where(points[:, 0] > 2, 1, np.where(points[:, 1] > 1, 2, 0))

    def test_regions_are_where_they_are_predicted(self):
        ax = plot_decision_regions(self.predict, self.X, self.y, resolution=11)
        image = ax.images[0]
        left, right, bottom, top = image.get_extent()
        assert (left, right, bottom, top) == pytest.approx((-0.4, 4.4, -0.2, 2.2))
        assert image.origin == "lower"
        drawn = image.get_array()
        assert drawn.shape == (11, 11)
        assert (drawn[0, 0], drawn[0, -1], drawn[-1, 0], drawn[-1, -1]) == (0, 1, 2, 1)
        across, up = np.linspace(left, right, 23)[1::2], np.linspace(bottom, top, 23)[1::2]
        x, y = np.meshgrid(across, up)  # the centers of the pixels
        expected = self.predict(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(11, 11)
        np.testing.assert_array_equal(drawn, expected)

    def test_points_have_the_color_of_their_region(self):
        ax = plot_decision_regions(self.predict, self.X, self.y, class_names=["a", "b", "c"])
        for k, points in enumerate(ax.collections):
            np.testing.assert_array_equal(points.get_offsets(), self.X[self.y == k])
            region = ax.images[0].get_cmap()(ax.images[0].norm(k))[:3]
            np.testing.assert_allclose(points.get_facecolor()[0][:3], region)
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b", "c"]
        ax.figure.draw_without_rendering()
        assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1  # beside it
        assert ax.get_title() == "Decision regions"

    def test_default_names_and_given_axes(self):
        _, ax = plt.subplots()
        assert plot_decision_regions(self.predict, self.X, self.y, ax=ax) is ax
        assert ax.get_legend().get_texts()[2].get_text() == "class 2"
        assert ax.get_legend().get_frame().get_alpha() == 1

    def test_refusals(self):
        with pytest.raises(ValueError, match="X has 3 columns, but a picture of the plane needs 2"):
            plot_decision_regions(self.predict, np.ones((4, 3)), self.y)
        with pytest.raises(ValueError, match="y has 3 labels and X has 4 rows"):
            plot_decision_regions(self.predict, self.X, self.y[:3])
        with pytest.raises(TypeError, match=r"predict\(points\) has dtype float64"):
            plot_decision_regions(lambda P: P[:, 0], self.X, self.y)


HISTORY = TestPlotTraining.history
POINTS, LABELS, NAN = TestPlotDecisionRegions.X, TestPlotDecisionRegions.y, float("nan")


def images(values, **options):
    return lambda ax: show_images(values, ax=ax, **options)


def weights(W, image_shape=(1, 2), **options):
    return lambda ax: show_weights(W, image_shape, ax=ax, **options)


def losses(history, **options):
    return lambda ax: plot_training(history, **{"ax": ax, **options})


def table(results):
    return lambda ax: plot_search(results, ax=ax)


def regions(predict=TestPlotDecisionRegions.predict, X=POINTS, y=LABELS, **options):
    return lambda ax: plot_decision_regions(predict, X, y, **{"ax": ax, **options})


@pytest.mark.parametrize(
    ("draw", "error", "match"),
    [
        (images(["a"]), TypeError, "images has dtype <U1"),
        (images(None), TypeError, "images has dtype object"),
        (images([[[1.0], [1.0, 2.0]]]), ValueError, "images is ragged"),
        (images(np.ma.array(GRAY, mask=GRAY > 9)), TypeError, "images is a masked array"),
        (images(GRAY + 1j), TypeError, "images has dtype complex128"),
        (images(GRAY > 9), TypeError, "images has dtype bool"),
        (images([[[Fraction(1, 3)]]]), TypeError, "images has dtype object"),
        (images([[[10**400]]]), TypeError, "images has dtype object"),
        (images(GRAY * NAN), NotFiniteError, r"images\[0, 0, 0\] = nan"),
        (images(GRAY * 1e200), ValueError, r"images reaches 5.9e\+201, but"),
        (images(GRAY, labels="abc"), TypeError, "labels is 'abc', but it must be a list of str"),
        (images(GRAY, labels=[1, 2, 3]), TypeError, r"labels is \[1, 2, 3\], but it must"),
        (images(GRAY, labels={"a", "b", "c"}), TypeError, "labels is {.*}, but it must be a list"),
        (images(GRAY, labels=3), TypeError, "labels is 3, but"),
        (images(GRAY, columns=2.0), ValueError, "columns = 2.0"),
        (images(GRAY, columns=0), ValueError, "columns = 0"),
        (images(GRAY, limits=(2, 2)), ValueError, r"limits = \(2, 2\), but .* low < high"),
        (images(GRAY, limits=(0, NAN)), NotFiniteError, r"limits\[1\] = nan"),
        (images(GRAY, limits=5), ValueError, "limits = 5, but they must be"),
        (images(GRAY, limits=(0, 5e-324)), ValueError, "limits = "),
        (weights([[NAN], [1.0]]), NotFiniteError, r"W\[0, 0\] = nan"),
        (weights(np.ones((2, 1)), limit=NAN), ValueError, "limit = nan"),
        (weights(np.ones((2, 1)), limit="1"), ValueError, "limit = '1'"),
        *(
            (weights(np.ones((6, 1)), shape), ValueError, r"image_shape = .*\(height, width\) or")
            for shape in [(-2, -3), (2.0, 3.0), (1, 3, 2), (2, 3, 1), 6, "23", (0, 6), (True, True)]
        ),
        (weights(np.ones((6, 1)), (2**32, 2**32)), ValueError, "has 18446744073709551616 pixels"),
        (losses(Softmax()), ValueError, r"history has shape \(\), .*: pass what train returned"),
        (losses(["a"]), TypeError, "history has dtype <U1"),
        (losses([1.0, NAN]), NotFiniteError, r"history\[1\] = nan"),
        (losses(3), ValueError, r"history has shape \(\)"),
        (losses([1.0], window="2"), ValueError, "window = '2'"),
        (losses({"loss_history": [1.0]}), ValueError, "lacks train_acc_history, val_acc_history"),
        (losses(HISTORY | {"val_acc_history": [NAN]}), NotFiniteError, r"val_acc_history\[0\]"),
        (losses(HISTORY | {"val_acc_history": [45.0]}), ValueError, "divide percentages by 100"),
        (losses(HISTORY | {"train_acc_history": []}), ValueError, "train_acc_history has shape"),
        (losses([1.0], ax=[None]), TypeError, "ax is None, but it must be one plain Axes"),
        (table(None), TypeError, "results is None.*pass `accuracies` of what search returned"),
        (table({(1, np.inf): 0.1}), ValueError, r"results\[\(1, inf\)\]: reg = inf, but"),
        (table({(1, 2, 3): 0.1}), TypeError, r"results\[\(1, 2, 3\)\] has no pair"),
        (table({"ab": 0.1}), TypeError, r"results\['ab'\] has no pair"),
        (table({("a", 1): 0.1}), ValueError, "rate = 'a', but it must be a finite number"),
        (table({(1, 1): 45.0}), ValueError, r"\[0, 1\]"),
        (table({(1, 1): np.inf}), ValueError, r"results\[\(1, 1\)\] = inf, but it must be an acc"),
        (table({(1, 1): ()}), ValueError, r"results\[\(1, 1\)\] = \(\), but"),
        (table({(1, 1): "0.5"}), TypeError, r"results\[\(1, 1\)\] has dtype"),
        (regions(Softmax()), TypeError, "predict is <.*Softm.*: pass model.predict"),
        (regions(Softmax), TypeError, "predict is <class .*: pass model.predict"),
        (regions(lambda: 0), TypeError, r"predict is <function .*a function of points \(M, 2\)"),
        (regions(lambda points: None), ValueError, r"predict\(points\) has shape \(\)"),
        (regions(lambda points: points > 0), ValueError, r"predict\(points\) has shape"),
        (regions(lambda it: np.full(len(it), 2**40)), ValueError, r"predict\(points\)\[0\]"),
        (regions(y=[0, 1, 2, 2**40]), ValueError, r"y\[3\] = 1099511627776 would make"),
        (regions(X=POINTS * NAN), NotFiniteError, r"X\[0, 0\] = nan"),
        (regions(class_names=["a", "b"]), ValueError, "class_names has 2 names, but .* 3 classes"),
        (regions(class_names="abc"), TypeError, "class_names is 'abc'"),
        (regions(resolution=10**6), ValueError, "resolution = 1000000, but 4000 points"),
        *((regions(ax=ax), TypeError, "ax is .*one plain Axes") for ax in ["ax", Figure(), [None]]),
    ],
)  # fmt: skip
def test_odd_arguments_are_refused_before_anything_is_drawn(draw, error, match):
    ax = Figure().subplots()
    with pytest.raises(error, match=match):
        draw(ax)
    assert not ax.has_data()
    assert not plt.get_fignums()


def test_names_are_taken_at_their_word():
    names = ["$\\bad$", "_", ""]
    ax = show_images(GRAY, names)
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.texts] == names
    ax = plot_decision_regions(
        TestPlotDecisionRegions.predict, POINTS, LABELS, class_names=names, resolution=3
    )
    ax.figure.canvas.draw()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == names


def test_many_images_make_no_figure_that_cannot_be_drawn():
    figure = show_images(np.zeros((2000, 2, 2)), columns=1).figure
    assert max(figure.get_size_inches()) <= 100


def test_a_class_far_from_the_origin_has_room_around_it():
    ax = plot_decision_regions(lambda P: np.zeros(len(P), int), [[1e16, 0]], [0], resolution=3)
    left, right = ax.get_xlim()
    assert left < 1e16 < right
