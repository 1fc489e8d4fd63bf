"""Odd arguments for pictures, explorers and searches: ``python tests/fuzz/pictures.py``.

Each case calls one function, most often with one odd argument. Two outcomes are allowed. It draws,
or searches, and then nothing that it drew is infinite and (in a sample) it can be rendered. Or it
refuses with an error of the package that names what was odd, before anything is drawn. A case is
made again from its number: ``--seed 1 --only 4711``; ``--cases 5000`` says how many.
"""

from __future__ import annotations

import math
import re
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from functools import partial
from typing import Any

import matplotlib

if __name__ == "__main__":
    matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from odd import NUMBERS, Odd
from runner import ViolationError, main, outcome

import cs231n_helpers as package

RENDERED = 12  # one in so many is rendered
TEXTS: list[Any] = [
    "abc", "", [], ["a"], ["a", None, "c"], [1, 2, 3], ["a", ["b"], "c"], {"a", "b", "c"}, 3, len,
    ["$\\bad$", "_b", ""], ["a\nb", "c", "d"], ("x", "y", "z"), np.array(["x", "y", "z"]),
    np.array([b"x", b"y", b"z"]), np.ma.array(["x", "y", "z"], mask=True), iter("abc"),
    [f"name {k}" for k in range(40)], {"x": 1, "y": 2, "z": 3}, ["a", "a", "a"], [["a", "b", "c"]],
]  # fmt: skip
PAIRS: list[Any] = [
    (0, 1), [0, 1], (1, 1), (1, 0), (0, np.nan), (-np.inf, np.inf), (0,), (0, 1, 2), "01", 5,
    (0, 5e-324), (-1e308, 1e308), (None, 1), ("0", "1"), (Fraction(1, 3), 1), np.array([[0, 1]]),
    (1, 1 + 1e-16), {0: 1}, np.ma.array([0, 1], mask=True), (True, False), (10**400, 0), (),
]  # fmt: skip
SHAPES: list[Any] = [
    (2, 3), [2, 3], np.array([2, 3]), (2, 1, 3), (6,), 6, (2, 3, 1), (2, 3, 2), (-2, -3),
    (2.0, 3.0), (2, 3.5), "23", (0, 6), (2**40, 2**40), (1, 2, 3, 1), ((2, 3), 1), (True, 6), {},
    (np.nan, 1), (np.uint8(2), np.uint8(3)), np.ma.array([2, 3], mask=True), (10**400, 1), (3, 2),
    (2, None),
]  # fmt: skip
JOBS: list[Any] = [1, None, "1", 0, 2.5, 1.0, True, [1], np.int64(1), np.nan, 1j, object()]
JUNK: list[Any] = [None, 3, "abc", (), [[1]], ["a"], {1: 2}, object(), len, dict, np.nan, 2j,
                   np.ma.masked, iter([1]), {"a"}, b"x", [None], [[1, 2], [3]]]  # fmt: skip


class Odder(Odd):
    """Draws what pictures and searches take besides numbers and arrays."""

    given: Any = ()  # the Axes that a function may draw into

    def other(self, name: str, usual: Any, choices: list[Any], one_in: int = 5) -> Any:
        if not self.happens(one_in):
            return usual
        value = self.pick(choices)
        self.note(f"{name} = {value!r:.60}")
        return value

    def axes(self) -> Any:
        """Draw None, an empty Axes or something like it."""
        figure = Figure()
        figure.subplots()
        self.given = figure.axes
        return self.other(
            "ax",
            figure.axes[0] if self.happens(2) else None,
            [figure, [figure.axes[0]], np.array([None]), "ax", 0, plt, Figure().subplots(1, 2),
             Figure().add_subplot(projection="polar")],
            10,
        )  # fmt: skip

    def _container(self, array: Any) -> tuple[Any, str]:
        while True:
            with suppress(ValueError):  # np.matrix has two axes
                return super()._container(array)

    def function(self, name: str, usual: Callable[..., Any]) -> Any:
        """Draw a function, something that is none, or one that returns something else."""
        match int(self.rng.integers(8)):
            case 0:
                return self.other(name, usual, [None, 3, "f", package.Softmax(), []], 1)
            case 1:
                junk = self.pick(JUNK)
                self.note(f"{name} returns {junk!r:.60}")
                return lambda *_: junk
            case 2:
                change = self.pick([self._dtype, self._entries, self._shape, self._container])
                seed = self.pick(range(1000))
                self.note(f"{name} returns something like it, {change.__name__} {seed}")

                def changed(*args: Any) -> Any:
                    self.rng = np.random.default_rng(seed)
                    with warnings.catch_warnings(), suppress(OverflowError, ValueError):
                        warnings.simplefilter("ignore")
                        return change(np.asarray(usual(*args)))[0]

                return changed
        return usual


def visualize_grid(odd: Odder) -> Any:
    images = odd.array("Xs", 3, 4, 5, *odd.pick([(), (3,)]))
    options = {"ubound": odd.number("ubound", 255.0), "padding": odd.count("padding", 1)}
    shared = odd.happens(2)

    def call() -> None:
        found = package.visualize_grid(images, **options, shared=shared)
        if not (found.min() >= 0 and found.max() <= options["ubound"]):
            raise ViolationError(f"the grid goes from {found.min()} to {found.max()}")

    return call


def show_images(odd: Odder) -> Any:
    images = odd.array("images", 3, 4, 5, *odd.pick([(), (3,)]))
    return partial(
        package.show_images, images, odd.other("labels", None, TEXTS, 3),
        columns=odd.count("columns", 2), limits=odd.other("limits", None, PAIRS), ax=odd.axes(),
    )  # fmt: skip


def show_weights(odd: Odder) -> Any:
    return partial(
        package.show_weights, odd.array("W", 6, 3), odd.other("image_shape", (2, 3), SHAPES),
        odd.other("labels", None, TEXTS, 4), columns=odd.count("columns", 2),
        limit=odd.number("limit", 2.0) if odd.happens(2) else None, ax=odd.axes(),
    )  # fmt: skip


def plot_training(odd: Odder) -> Any:
    losses = odd.array("history", 9)
    if odd.happens(2):
        return partial(package.plot_training, losses, window=odd.count("window", 3), ax=odd.axes())
    history = {"loss_history": losses}
    for part in ("train", "val"):
        accuracies = odd.array("history", 4)
        if odd.happens(9):
            odd.note("history: not within 0 and 1")
        elif isinstance(accuracies, np.ndarray) and accuracies.dtype.kind == "f":
            accuracies = np.abs(accuracies) % 1
        history[f"{part}_acc_history"] = accuracies
    if odd.happens(6):
        del history[odd.pick(list(history))]
        odd.note("history without a key")
    axes = odd.other("ax", None, [Figure().subplots(1, 2), Figure().subplots(), "ax", [None, None]])
    return partial(package.plot_training, history, window=odd.count("window", 3), ax=axes)


def plot_search(odd: Odder) -> Any:
    values = [0.5, (0.9, 0.3), np.float32(0.1), 1, 0, np.nan, (0.5, np.nan)]
    odd_values = [*NUMBERS, (), "0.5", (0.5, "a"), [[0.5], [0.1, 0.2]], 45.0, np.ones((2, 2))]
    results: Any = {}
    for _ in range(odd.pick([1, 2, 5])):
        pair = odd.number("results", odd.pick([0.001, 0.01, 1])), odd.number("results", 0.1)
        with suppress(TypeError):  # no key
            results[pair] = odd.other("results", odd.pick(values), odd_values)
    results = odd.other("results", results, [
        *JUNK, {}, {1: 0.5}, {(1, 2, 3): 0.5}, {"ab": 0.5}, {(1, (2, 3)): 0.5}, {("a", "b"): 0.5},
        {(0.1, 0.1): 0.5, (math.nextafter(0.1, 1), 0.1): 0.4}, {frozenset({1, 2}): 0.1},
    ])  # fmt: skip
    return partial(package.plot_search, results, ax=odd.axes())


def plot_decision_regions(odd: Odder) -> Any:
    return partial(
        package.plot_decision_regions,
        odd.function("predict", lambda points: (points[:, 0] > 0).astype(int)),
        odd.array("X", 9, 2), odd.labels("y", 9, 3),
        class_names=odd.other("class_names", None, TEXTS, 3),
        resolution=odd.count("resolution", 5), ax=odd.axes(),
    )  # fmt: skip


def explore_svm(odd: Odder) -> Any:
    return partial(
        package.explore_svm, odd.array("X", 4, 2), odd.labels("y", 4, 3),
        odd.array("W", 2, 3, scale=0.5), delta=odd.number("delta", odd.pick([0, 1.0, 2.5])),
    )  # fmt: skip


def explore_softmax(odd: Odder) -> Any:
    return partial(package.explore_softmax, odd.other("class_names", ["a", "b", "c"], TEXTS, 2))


def explore_net(odd: Odder) -> Any:
    iterations = odd.other("num_iters", 3, [0, -1, 2.0, "3", None, True, 10**30, [3]])
    return partial(
        package.explore_net, odd.array("X", 6, 2), odd.labels("y", 6, 3), num_iters=iterations
    )


def explore_graph(odd: Odder) -> Any:
    sizes = {"W1": (2, 3), "b1": (3,), "W2": (3, 2), "b2": (2,)}
    params = {name: odd.array(name, *size) for name, size in sizes.items()}
    return partial(
        package.explore_graph, params, odd.array("X", 4, 2), odd.labels("y", 4, 2),
        times=odd.number("times", 8.0),
        steps=odd.other("steps", (0, 6), [*JUNK, [7], (1.0,), [True], ["1"], [1, 1]]),
    )  # fmt: skip


def explore_input_step(odd: Odder) -> Any:
    images = odd.array("images", 2, 2, 3)
    if odd.happens(9):
        odd.note("images: not gray levels")
    elif isinstance(images, np.ndarray) and images.dtype.kind == "f":
        images = np.abs(20 * images) % 255
    return partial(
        package.explore_input_step, images, odd.labels("labels", 2, 3),
        odd.function("scores", lambda X: X[:, :3] / 100),
        odd.function("input_gradient", lambda X, y: np.ones_like(X)),
        odd.other("class_names", ["a", "b", "c"], TEXTS),
    )  # fmt: skip


def explore_step_size(odd: Odder) -> Any:
    functions = [np.exp, lambda t: t**3, math.sin, np.log, lambda t: 1 / t, lambda t: [t],
                 lambda t: "t", lambda t: t > 0, np.sqrt, lambda t: np.exp(300 * t)]  # fmt: skip
    f = odd.other("f", np.sin, [*functions, None, 3, "f", len, dict])
    return partial(package.explore_step_size, f, odd.number("x", 1.0), odd.number("slope", 0.54))


def explorer(odd: Odder) -> Any:
    def draw(axes: Any, **settings: Any) -> Any:
        axes[0].plot([0, 1])
        return odd.other("draw", "A sentence.", [None, 3, b"x"], 20)

    values = [[1, 2.5], [True, False], ["a", "b"], [7]]
    controls = {name: odd.pick(values) for name in ("k", "m")}
    if odd.happens(3):
        name = odd.other("controls", "k", ["k", 3, None, ()], 2)
        controls[name] = odd.other(
            "controls",
            [1, 2],
            [*JUNK, [], [1, "a"], [True, 2], [np.nan], [np.ones(2)], {"a": 1}],
            2,
        )
    row: Any = [
        {name: odd.pick(it) if isinstance(it, list) and it else 0 for name, it in controls.items()}
    ]
    if odd.happens(4):
        row = odd.other("row", row, [*JUNK, [], [{}], [{"k": np.ones(2)}], [{1: 2, "a": 3}]], 1)
    return partial(
        package.Explorer, odd.other("title", "A title", [None, 3, b"x"], 9),
        odd.other("draw", draw, [None, "f"], 9),
        odd.other("controls", controls, [*JUNK, {}], 9), row,
        odd.other("panels", 1, [0, -1, 1.0, "1", None, True], 9),
    )  # fmt: skip


class Own:
    """A model of one's own, that returns what it is told."""

    returned: Any
    predict: Any

    def train(
        self, X: Any, y: Any, learning_rate: Any = 0.1, reg: Any = 0.1, hidden: Any = 1
    ) -> Any:
        return self.returned


def search(odd: Odder) -> Any:
    data = [
        odd.array("X_train", 12, 2), odd.labels("y_train", 12, 3),
        odd.array("X_val", 6, 2), odd.labels("y_val", 6, 2),
    ] if odd.happens(2) else [np.ones((3, 2)), [0, 1, 2], np.ones((2, 2)), [0, 1]]  # fmt: skip
    options: dict[str, Any] = {"num_iters": odd.count("num_iters", 3)}
    if odd.happens(2):
        model: Any = odd.pick([package.Softmax, package.LinearSVM])
    elif odd.happens(3):
        model = package.TwoLayerNet
        options["hidden_size"] = odd.count("hidden_size", 3)
    else:
        model, options = type("Own", (Own,), {}), {}
        model.predict = staticmethod(odd.function("predict", lambda X: np.zeros(len(X), int)))
        model.returned = odd.other("train", [1.0, 0.5], [
            *JUNK, [], [np.nan], [np.inf, 1], {"loss_history": [1.0]}, {"loss": [1]}, [[1.0]], 0.5,
            {"loss_history": None}, [10**400], [Fraction(1, 2)], np.ma.array([1.0]), [True], [1j],
        ], 3)  # fmt: skip
    model = odd.other("model", model, [
        None, "Softmax", package.Softmax(), dict, len, int, object, lambda: None, lambda a: None,
        package.TwoLayerNet,
    ], 12)  # fmt: skip

    def values(name: str, usual: float) -> Any:
        return odd.other("settings", [odd.number(name, usual), usual], [
            *JUNK, [], [[1]], range(2), np.array([0.1, 0.2]), np.array(0.1), ["a"], (0.5,),
            np.ma.array([0.1, 0.2], mask=[0, 1]), [np.ones(2)], [[0.1], [0.1, 0.2]], {0.1, 0.2},
        ])  # fmt: skip

    settings: Any = {"learning_rate": values("learning_rate", 0.1), "reg": values("reg", 0.01)}
    settings = odd.other("settings", settings, [
        *JUNK, {}, [], [{}], "ab", [[1]], {3: [1]}, [{"reg": 1}, 3], [{"reg": 1}, {"delta": 1}],
        ({"reg": k} for k in (1, 2)), [{"reg": 1}] * 20, {"rate": [1]}, {"": [1]}, [{3: 1}],
        {"verbose": [np.ones(2), np.ones(2)]}, {"hidden": [[1], {}]}, {"rng": [1]},
    ], 4)  # fmt: skip
    n_jobs = odd.other("n_jobs", None, JOBS, 8)
    rng = odd.other("rng", None, [*JUNK, 0, np.random, np.random.default_rng(1)], 12)

    def call() -> Any:
        found = package.search(model, *data, settings, n_jobs=n_jobs, rng=rng, **options)
        for record in found.records:
            shares = record["train_accuracy"], record["val_accuracy"]
            if record["status"] == "ok" and not (
                math.isfinite(record["final_loss"]) and 0 <= min(shares) <= max(shares) <= 1
            ):
                raise ViolationError(f"the record {record}")
        repr(found)
        if not {"learning_rate", "reg"} <= set(found.names):
            return None
        odd.note("results: those of search")
        return package.plot_search(found.accuracies)

    return call


def sample_settings(odd: Odder) -> Any:
    ranges: Any = {"reg": odd.other("ranges", (0.1, 1), [
        *JUNK, [], (), (1,), (1, 2, 3), (2, 1), (0, 1), (1, 1), (1, np.inf), (np.nan, 1), "ab",
        ("a", "b"), (Fraction(1, 3), 1), (1, 10**400), (5e-324, 1e308), [None], range(3), {"a": 1},
        np.arange(3), np.array(3), np.ma.array([1, 2], mask=[0, 1]), ([1], [2]), [[1], [1, 2]],
        (True, 2), (1j, 2),
    ], 2)}  # fmt: skip
    ranges = odd.other("ranges", ranges, [*JUNK, {}, [("reg", (1, 2))], {3: [1]}, {None: [1]}], 6)
    count = odd.other("num_samples", 3, [0, -1, 2.0, "3", None, True, 10**30, np.int8(2), [3]])
    rng = odd.other("rng", None, [*JUNK, 0, np.random, np.random.default_rng(1)], 12)

    def call() -> None:
        for setting in package.sample_settings(ranges, count, rng=rng):
            if isinstance(ranges["reg"], tuple):
                low, high = ranges["reg"]
                if not low <= setting["reg"] <= high:
                    raise ViolationError(f"{setting['reg']} is not within {low} and {high}")

    return call


CASES = [
    visualize_grid, show_images, show_weights, plot_training, plot_search, plot_decision_regions,
    explore_svm, explore_softmax, explore_net, explore_graph, explore_input_step,
    explore_step_size, explorer, search, sample_settings,
]  # fmt: skip
ALSO = {  # what an error may name besides the odd argument: the one that it does not fit
    "W": "X y", "X": "y", "X_train": "X_val y_train", "X_val": "y_val",
    "class_names": "scores labels", "controls": "row", "draw": "row controls",
    "hidden_size": "model", "image_shape": "W", "images": "labels", "input_gradient": "rows",
    "labels": "scores", "num_iters": "settings", "predict": "class_names", "row": "controls",
    "settings": "learning_rate reg rng", "slope": "f", "title": "draw", "x": "f",
    "y": "class_names X W", "y_train": "y_val X_train", "y_val": "X_val",
}  # fmt: skip


def case(rng: np.random.Generator) -> str:
    """Call one function; return what came of it."""
    odd = Odder(rng)
    function = odd.pick(CASES)
    rendered = odd.happens(RENDERED)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # those of making odd arguments
        call = function(odd)
    before = plt.get_fignums()
    try:
        found = outcome(call)
        if isinstance(found, Exception):
            _check_refusal(found, odd, before)
            return f"{function.__name__} refused"
        if found is not None:
            found = outcome(partial(_check_picture, found, odd, rendered))
        if isinstance(found, Exception) and "draw returned" not in str(found):
            raise ViolationError(f"while drawing: {found}") from found
        return f"{function.__name__} {'rendered' if rendered else 'drawn'}"
    except Exception as error:
        raise ViolationError(
            f"{function.__name__}: {'; '.join(odd.changed) or 'nothing odd'}: {error}"
        ) from error
    finally:
        for number in set(plt.get_fignums()) - set(before):
            plt.close(number)


def _check_refusal(error: Exception, odd: Odder, before: list[int]) -> None:
    text = str(error)
    names = {re.split(r"[ :,\[]", change)[0] for change in odd.changed}
    known = [*names, *(also for name in names for also in ALSO.get(name, "").split())]
    if not any(re.search(rf"(?<![a-z]){re.escape(name)}", text) for name in known):
        raise ViolationError(f"refused without naming any of {sorted(names)}: {text}") from error
    drawn = [ax for ax in odd.given if ax.has_data()]
    if drawn or plt.get_fignums() != before:
        raise ViolationError(f"half drawn when it was refused: {text}") from error


def _figure(found: Any, odd: Odder, rendered: bool) -> Figure:
    """Return the figure of what was drawn; of an explorer its row of states, or any one state."""
    if not isinstance(found, package.Explorer):
        return np.ravel(found)[0].figure
    if rendered:
        return found.figure()
    figure = Figure()
    axes = figure.subplots(1, found.panels, squeeze=False)[0]
    found.draw(axes, **{name: odd.pick(values) for name, values in found.controls.items()})
    return figure


def _check_picture(found: Any, odd: Odder, rendered: bool) -> None:
    figure = _figure(found, odd, rendered)
    for ax in figure.axes:
        for name, numbers in (
            ("lines", [line.get_xydata() for line in ax.lines]),
            ("images", [image.get_array() for image in ax.images]),
            ("points", [points.get_offsets() for points in ax.collections]),
            ("bars", [patch.get_extents().get_points() for patch in ax.patches]),
            ("limits", [[*ax.get_xlim(), *ax.get_ylim()]]),
        ):  # fmt: skip
            if any(np.isinf(np.ma.filled(it, 0)).any() for it in numbers):
                raise ViolationError(f"infinite {name} in {ax.get_title()!r}")
    told = package.describe(figure)
    if "(rectilinear), not described" in told:
        raise ViolationError(f"not put into words: {told}")
    if rendered:
        FigureCanvasAgg(figure).draw()


if __name__ == "__main__":
    sys.exit(main(str(__doc__), case))
