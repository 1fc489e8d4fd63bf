"""Figures with controls: move a slider, see the picture change.

Each is two things. A pure function ``draw(axes, **settings) -> sentence`` draws one state into the
Axes it is given and says in a sentence what is to be seen. An `Explorer` around it knows the values
that each setting can take. Where a notebook runs, it shows sliders and one state; a saved notebook
shows a row of states from the same function, so that the page is complete without a kernel.

Shapes: N examples, D features, C classes; W (D, C), X (N, D), y (N,).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike
from scipy.special import softmax

from ..classifiers import TwoLayerNet
from ..losses import softmax_loss, svm_loss, svm_loss_vectorized
from ..plots import CLASS_COLOURS, MARKERS, plot_decision_regions, show_images
from ..validation import Floats, Labels, NotFiniteError, as_batch, as_labels, as_matrix

Settings = Mapping[str, Any]

BLUE, ORANGE, GREEN, RED = (CLASS_COLOURS[k] for k in (0, 1, 2, 5))


@dataclass(frozen=True)
class Explorer:
    """A drawing function together with the values that its settings can take.

    As the last line of a notebook cell it shows the controls and the picture; every control can be
    reached and moved with the keyboard. Saved, it shows the row of states.

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

    Raises
    ------
    ValueError
        If a state of `row` names other settings than `controls`, or a value it does not have.

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

    def __post_init__(self) -> None:
        for state in self.row:
            if set(state) != set(self.controls):
                raise ValueError(
                    f"a state of row sets {sorted(state)} and controls has "
                    f"{sorted(self.controls)}, but each state needs a value for each control"
                )
            for name, value in state.items():
                if value not in self.controls[name]:
                    raise ValueError(
                        f"{name} = {value!r} in a state of row, but the control has only "
                        f"{list(self.controls[name])}: take one of these, or add it there"
                    )
        if not self.row:
            raise ValueError("row is empty, but a saved notebook must show something: add a state")

    def figure(self) -> Figure:
        """Return the row of states as a figure: one column a state, one row a panel."""
        columns = len(self.row)
        figure = Figure(figsize=(2.9 * columns, 2.6 * self.panels), dpi=80, layout="constrained")
        axes = figure.subplots(self.panels, columns, squeeze=False)
        for column, state in zip(axes.T, self.row, strict=True):
            self.draw(column, **state)
        for ax in axes[:, 1:].flat:  # the first column says it for all
            ax.set_ylabel("")
            if ax.get_legend():
                ax.get_legend().remove()
        return figure

    def widget(self) -> Any:
        """Return the controls above the picture, as an ipywidgets box."""
        import ipywidgets

        moving = {
            name: _control(ipywidgets, name, values, self.row[0][name])
            for name, values in self.controls.items()
            if len(values) > 1
        }
        figure = Figure(figsize=(4.3 * self.panels, 3.7), dpi=90, layout="constrained")
        axes = figure.subplots(1, self.panels, squeeze=False)[0]
        picture = ipywidgets.HTML()

        def redraw(_: Any = None) -> None:
            settings = {**self.row[0], **{name: c.value for name, c in moving.items()}}
            for ax in axes:
                _empty(ax)
            sentence = self.draw(axes, **settings)
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

    def __repr__(self) -> str:
        moving = [name.replace("_", " ") for name, v in self.controls.items() if len(v) > 1]
        return f"{self.title}: run this notebook to move {', '.join(moving)}"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Offer the frontend the controls, the row of states, and a line of text: it takes one."""
        bundle = {"text/plain": repr(self), "image/png": _png(self.figure())}
        with suppress(ImportError):  # without ipywidgets the row of states remains
            bundle = {**self.widget()._repr_mimebundle_(), **bundle}
        return bundle, {"image/png": {"alt": self.title}}


def explore_svm(X: ArrayLike, y: ArrayLike, W: ArrayLike, *, delta: float = 1.0) -> Explorer:
    """Move the weights of a linear SVM in the plane: who is inside the margin, and what it costs.

    Parameters
    ----------
    X : (N, 2) array
    y : (N,) integer array, 0 <= y < C
    W : (2, C) array
        The first weights, between -3 and 3; each entry becomes a slider in steps of 1/8.
    delta : float
        The first margin, 0 to 4, a multiple of 1/4.

    Returns
    -------
    Explorer
        `draw_svm` at W, at half its margin, at twice its length and after one step of gradient
        descent with the rate 1/2, rounded to eighths.

    Raises
    ------
    TypeError, ValueError
        For input of the wrong shape or range.

    Examples
    --------
    >>> explore_svm([[1.0, 0.0]], [0], [[1.0, 0.5], [0.0, 0.0]]).row[0]["w1_x"]
    0.5
    """
    W, X, y = as_batch(W, X, y)
    if len(W) != 2:
        raise ValueError(f"W has {len(W)} rows, but the plane has two features: pass W (2, C)")
    num_classes = W.shape[1]
    names = [f"w{k}_{axis}" for k in range(num_classes) for axis in "xy"]

    def state(W: Floats, delta: float) -> dict[str, float]:
        eighths = np.clip(np.round(8 * W.T.ravel()) / 8, -3, 3)
        return {**dict(zip(names, eighths.tolist(), strict=True)), "margin": float(delta)}

    def draw(axes: Sequence[Axes], *, margin: float, **entries: float) -> str:
        weights = np.reshape([entries[name] for name in names], (num_classes, 2)).T
        return draw_svm(axes, X, y, weights, margin)

    after = W - 0.5 * svm_loss_vectorized(W, X, y, delta=delta)[1]
    entries = (np.arange(-24, 25) / 8).tolist()
    controls = {**dict.fromkeys(names, entries), "margin": (np.arange(17) / 4).tolist()}
    row = [state(W, delta), state(W, delta / 2), state(1.5 * W, delta), state(after, delta)]
    return Explorer(
        "Three classes in the plane and what each example costs", draw, controls, row, 2
    )


def draw_svm(axes: Sequence[Axes], X: Floats, y: Labels, W: Floats, delta: float) -> str:
    """Draw regions, weights and active examples into axes[0], their losses into axes[1].

    An example is ringed where it is active, that is where it loses anything; its bar in axes[1] has
    a piece for each class that is closer than the margin. Returns the sentence.
    """
    scores = X @ W  # (N, C)
    loss, _ = svm_loss(scores, y, delta=delta)
    margins = _costs(scores, y, delta)
    active = margins.any(axis=1)
    colours = [to_rgb(CLASS_COLOURS[k]) for k in range(W.shape[1])]
    reach = 1.25 * max(np.abs(X).max(), 3.0)
    side = np.linspace(-reach, reach, 200)
    plane = np.stack(np.meshgrid(side, side), axis=-1)  # (200, 200, 2)
    regions = 0.7 + 0.3 * np.array(colours)[np.argmax(plane @ W, axis=-1)]
    axes[0].imshow(regions, origin="lower", extent=(-reach, reach, -reach, reach))
    for k, colour in enumerate(colours):
        axes[0].plot(*X[y == k].T, MARKERS[k], color=colour, markersize=7, markeredgecolor="black")
        axes[0].arrow(0, 0, *W[:, k], color=colour, width=0.06, length_includes_head=True)
        axes[0].annotate(f"w{k}", (W[0, k], W[1, k]), textcoords="offset points", xytext=(4, 4))
    axes[0].scatter(
        X[active, 0], X[active, 1], s=230, facecolors="none", edgecolors="black", linewidths=1.5
    )
    _title(axes[0], f"margin {delta:g}: loss {loss:.3g}")
    axes[0].set(xlabel="feature 0", ylabel="feature 1",
                xlim=(-reach, reach), ylim=(-reach, reach))  # fmt: skip
    left = np.zeros(len(y))
    for k, colour in enumerate(colours):
        axes[1].barh(np.arange(len(y)), margins[:, k], left=left, color=colour,
                     edgecolor="black")  # fmt: skip
        left += margins[:, k]
    _title(axes[1], f"{active.sum()} of {len(y)} are active")
    axes[1].set(yticks=np.arange(len(y)), ylabel="example", xlabel="loss, by offending class",
                xlim=(0, max(8, left.max())), ylim=(len(y) - 0.5, -0.5))  # fmt: skip
    costs = [
        f"example {i} pays {left[i]:.3g} for class "
        + " and ".join(str(k) for k in np.flatnonzero(margins[i]))
        for i in np.flatnonzero(active)
    ]
    return (
        f"The mean loss is {loss:.3g}; {active.sum()} of {len(y)} examples are active"
        + (": " + ", ".join(costs) if costs else ", so the gradient is zero")
        + "."
    )


def _costs(scores: Floats, y: Labels, delta: float) -> Floats:
    """What each class costs each example, (N, C): the loss of that class beside the right one."""
    costs = np.zeros_like(scores)
    for i, k in np.ndindex(*scores.shape):
        if k != y[i]:
            costs[i, k] = svm_loss(scores[i : i + 1, [k, y[i]]], [1], delta=delta)[0]
    return costs


def explore_softmax(class_names: Sequence[str] = ("cat", "dog", "ship")) -> Explorer:
    """Move three scores and the temperature: probabilities, loss, gradient p - y, and overflow.

    Parameters
    ----------
    class_names : sequence of three str

    Returns
    -------
    Explorer
        `draw_softmax` at T = 1, 0.5 and 5, and at T = 0.01 with the shift turned off.

    Raises
    ------
    ValueError
        If there are not three different names.

    Examples
    --------
    >>> explore_softmax().controls["temperature"][0]
    0.01
    """
    names = list(class_names)
    if len(set(names)) != 3:
        raise ValueError(f"class_names is {names}, but it must be three different names")
    scores = (np.arange(-20, 21) / 2).tolist()
    controls: dict[str, list[Any]] = {
        **{f"score_of_{name}": scores for name in names},
        "temperature": [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0],
        "truth": names,
        "shift": [False, True],
    }
    start: dict[str, Any] = dict(zip(controls, [0.5, 0.0, 2.0, 1.0, names[0], True], strict=True))
    high = {f"score_of_{names[2]}": 10.0}
    row = [
        start,
        {**start, "temperature": 0.5},
        {**start, "temperature": 5.0},
        {**start, **high, "temperature": 0.01, "shift": False},
    ]

    def draw(
        axes: Sequence[Axes], *, temperature: float, truth: str, shift: bool, **scores: float
    ) -> str:
        s = np.array([scores[f"score_of_{name}"] for name in names])
        return draw_softmax(axes, s, names.index(truth), temperature, shift, names)

    return Explorer("Probabilities and gradient of three scores", draw, controls, row, 2)


def draw_softmax(
    axes: Sequence[Axes],
    scores: Floats,
    label: int,
    temperature: float,
    shift: bool,
    class_names: Sequence[str],
) -> str:
    """Draw the probabilities of scores / temperature into axes[0], p - y into axes[1].

    With `shift` the largest score is subtracted first, as `softmax_loss` does; without it the
    formula is taken at its word, and overflows where a score / temperature exceeds 709.8. What is
    not a number is drawn as a cross. Returns the sentence.
    """
    scaled = scores / temperature  # (C,)
    truth = np.eye(len(scores))[label]
    if shift:
        loss, gradient = softmax_loss(scaled[np.newaxis], [label])
        p = gradient[0] + truth
    else:
        with np.errstate(all="ignore"):
            p = np.exp(scaled) / np.exp(scaled).sum()
            loss = float(-np.log(p[label]))
    places = np.arange(len(scores))
    colours = [CLASS_COLOURS[k] for k in places]
    panels = (
        (axes[0], p, (0, 1.1), f"T = {temperature:g}: probabilities"),
        (axes[1], p - truth, (-1.25, 1.25), f"loss {loss:.3g}, gradient p - y"),
    )
    for ax, heights, limits, title in panels:
        known = np.isfinite(heights)
        bars = ax.bar(places[known], heights[known], color=np.array(colours)[known])
        ax.bar_label(bars, fmt="%.2f")
        ax.plot(places[~known], np.zeros((~known).sum()), "x", color="black", markersize=14,
                markeredgewidth=3)  # fmt: skip
        for k in places[~known]:
            ax.annotate("NaN", (k, 0), ha="center", xytext=(0, 12), textcoords="offset points")
        ax.axhline(0, color="black", linewidth=0.8)
        _title(ax, title)
        ax.set(ylim=limits, xticks=places, xticklabels=class_names, xlim=(-0.6, 2.6))
    if not np.isfinite(p).all():
        cause = "inf / inf" if scaled.max() > 0 else "0 / 0"
        return (
            f"The largest score over T is {scaled.max():g}: {cause} is NaN, "
            "and the shift by the largest score is the cure."
        )
    said = ", ".join(f"{name} {value:.2f}" for name, value in zip(class_names, p, strict=True))
    return (
        f"The probabilities are {said}; the truth is {class_names[label]}, so the loss is "
        f"{loss:.3g} and its gradient by that score {p[label] - 1:.2f}."
    )


def explore_net(X: ArrayLike, y: ArrayLike, *, num_iters: int = 200) -> Explorer:
    """Choose hidden units and learning rate of a two-layer net: what it makes of the plane.

    Parameters
    ----------
    X : (N, 2) array
    y : (N,) integer array, 0 <= y < C
    num_iters : int
        Steps of gradient descent on minibatches of min(N, 300); each run is kept once trained.

    Returns
    -------
    Explorer
        `draw_net` for few and many hidden units, and for learning rates too small, good and too
        large. Weights start with standard deviation 1; the penalty is 1e-4; no decay.

    Raises
    ------
    TypeError, ValueError
        For input of the wrong shape or range.

    Examples
    --------
    >>> explore_net([[0.0, 0.0], [1.0, 1.0]], [0, 1]).controls["hidden_units"]
    [1, 2, 3, 5, 8, 12, 20, 30]
    """
    X = as_matrix("X", X, "(N, 2)")
    y = as_labels(y, len(X))

    @cache
    def fit(hidden_units: int, learning_rate: float) -> tuple[TwoLayerNet, list[float]]:
        net = TwoLayerNet(2, hidden_units, int(y.max()) + 1, 1.0, rng=np.random.RandomState(231))
        try:
            history = net.train(
                X, y, X[:1], y[:1], learning_rate, 1.0, 1e-4, num_iters, min(len(X), 300),
                rng=np.random.RandomState(0),
            )  # fmt: skip
        except NotFiniteError:
            return net, []
        return net, history["loss_history"]

    def draw(axes: Sequence[Axes], *, hidden_units: int, learning_rate: float) -> str:
        return draw_net(axes, X, y, *fit(hidden_units, learning_rate), learning_rate)

    controls: dict[str, list[Any]] = {
        "hidden_units": [1, 2, 3, 5, 8, 12, 20, 30],
        "learning_rate": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0],
    }
    states = [(30, 1.0), (3, 1.0), (30, 0.03), (30, 10.0)]
    row = [dict(zip(controls, state, strict=True)) for state in states]
    return Explorer("Decision regions of a two-layer net", draw, controls, row, 2)


def draw_net(
    axes: Sequence[Axes],
    X: Floats,
    y: Labels,
    net: TwoLayerNet,
    losses: Sequence[float],
    learning_rate: float,
) -> str:
    """Draw regions and the edges of the hidden units into axes[0], the losses into axes[1].

    No losses stand for a run that diverged. Returns the sentence.
    """
    W1, b1 = net.params["W1"], net.params["b1"]
    num_hidden, num_classes = W1.shape[1], len(net.params["b2"])
    plot_decision_regions(net.predict, X, y, resolution=120, ax=axes[0])
    if legend := axes[0].get_legend():
        legend.remove()
    axes[0].set(xlim=axes[0].get_xlim(), ylim=axes[0].get_ylim())  # edges go on beyond the picture
    length = np.where(W1.any(axis=0), np.hypot(*W1), np.nan)  # (H,); a dead unit has no edge
    normal = W1 / length  # (2, H)
    foot = -b1 / length * normal  # the point of each edge that is nearest to the origin
    along = 2 * np.ptp(X) * np.array([-normal[1], normal[0]])
    edges = np.stack([foot - along, foot + along, np.full_like(foot, np.nan)])  # (3, 2, H)
    axes[0].plot(*edges.transpose(1, 2, 0).reshape(2, -1), color="0.35", linewidth=0.5)
    accuracy = float(np.mean(net.predict(X) == y))
    units = f"{num_hidden} hidden unit{'s' if num_hidden > 1 else ''}"
    _title(axes[0], f"{units}: accuracy {accuracy:.2f}")
    axes[1].plot(losses, color=BLUE)
    axes[1].axhline(np.log(num_classes), color="0.5", linestyle=":")
    for ax in axes[:2]:
        ax.locator_params(nbins=4)  # each tick costs half a millisecond
    _title(axes[1], f"learning rate {learning_rate:g}")
    axes[1].set(xlabel="step", ylabel="loss (dotted: log C)", ylim=(0, 2.2 * np.log(num_classes)))
    outcome = f"ends at a loss of {losses[-1]:.2f}" if losses else "diverges"
    return (
        f"With {units} and the learning rate {learning_rate:g} the training {outcome}, and "
        f"{accuracy:.0%} of the examples are right; "
        f"guessing costs log C = {np.log(num_classes):.2f}."
    )


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
        In grey levels 0 to 255.
    labels : (N,) integer array
        The classes whose loss the step raises: the predicted ones, to change the prediction.
    scores : callable
        Takes images as rows (N, D) in grey levels, returns scores (N, C).
    input_gradient : callable
        Takes such rows and labels (N,), returns dL/dX (N, D).
    class_names : sequence of C str

    Returns
    -------
    Explorer
        `draw_input_step` for the first image and steps of 0, 4, 10 and 24 grey levels rms.

    Raises
    ------
    TypeError, ValueError
        For input of the wrong shape or range, or a gradient that is zero.

    Examples
    --------
    >>> W = np.array([[0.02, 0.01]])
    >>> explorer = explore_input_step(
    ...     np.full((1, 1, 1), 100), [0], lambda X: X @ W, lambda X, y: -0.01 * np.ones_like(X),
    ...     ["light", "dark"])
    >>> explorer.controls["example"]
    [0]
    """
    pictures = np.asarray(images, dtype=np.float64)
    rows = as_matrix("images", pictures.reshape(len(pictures), -1), "(N, D)")
    y = as_labels(labels, len(rows), "images", "labels")
    gradients = np.asarray(input_gradient(rows, y))
    rms = np.sqrt(np.mean(gradients**2, axis=1, keepdims=True))  # (N, 1)
    if gradients.shape != rows.shape or not np.all(rms > 0):
        raise ValueError(
            f"input_gradient returned shape {gradients.shape} with the smallest rms "
            f"{rms.min():.3g}, but it must be {rows.shape} and not zero: drop the bias column, and "
            "use the softmax loss, whose gradient never vanishes"
        )
    directions = gradients / rms  # one grey level rms each

    def draw(axes: Sequence[Axes], *, example: int, step: float) -> str:
        changed = rows[example] + step * directions[example]
        return draw_input_step(
            axes, pictures[example], changed.reshape(pictures.shape[1:]), scores, class_names
        )

    controls: dict[str, list[Any]] = {
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
    mid-grey. Returns the sentence.
    """
    rows = np.stack([image.ravel(), changed.ravel()])  # (2, D)
    S = np.asarray(scores(rows))  # (2, C)
    P = softmax(S, axis=1)
    before, after = (class_names[k] for k in P.argmax(axis=1))
    change = changed - image
    rms, limit = float(np.sqrt(np.mean(change**2))), float(np.abs(change).max()) or 1.0
    show_images(changed[np.newaxis], limits=(0, 255), ax=axes[0])
    _title(axes[0], f"step of {rms:.3g}: {after}")
    show_images(change[np.newaxis], limits=(-limit, limit), ax=axes[1])
    _title(axes[1], f"the change, within ±{limit:.3g}" if change.any() else "no change")
    colours = [ORANGE if name == after else "0.7" for name in class_names]
    axes[2].barh(np.arange(len(class_names)), P[1], color=colours)
    axes[2].plot(P[0], np.arange(len(class_names)), "|", color="black", markersize=9)
    _title(axes[2], "probability (line: before)")
    axes[2].set(xlim=(0, 1), yticks=np.arange(len(class_names)), yticklabels=class_names,
                ylim=(len(class_names) - 0.5, -0.5))  # fmt: skip
    verdict = f"still says {after}" if before == after else f"says {after} instead of {before}"
    return (
        f"A step of {rms:.3g} grey levels rms, {limit if change.any() else 0:.3g} at most: "
        f"the model {verdict}, with probability {P[1].max():.2f}."
    )


def explore_step_size(f: Callable[[Any], Any], x: float, slope: float) -> Explorer:
    """Move the step h of a numerical derivative: Taylor's error, rounding, and the best between.

    Parameters
    ----------
    f : callable
        Function of one number of dtype float32, float64, complex64 or complex128, which computes
        in that precision and is analytic, so that the complex step is allowed.
    x : float
        The point.
    slope : float
        The true derivative there.

    Returns
    -------
    Explorer
        `draw_step_size`: central differences in both precisions, with a good step and a poor one.

    Raises
    ------
    ValueError
        If x or slope is not finite, or slope is zero: errors are relative to it.

    Examples
    --------
    >>> explorer = explore_step_size(lambda t: t**3, 1.0, 3.0)
    >>> explorer.controls["method"]
    ['forward', 'central', 'complex']
    """
    if not np.isfinite(x) or not np.isfinite(slope) or slope == 0:
        raise ValueError(
            f"x = {x!r} and slope = {slope!r}, but both must be finite and slope not zero: errors "
            "are relative to it, so choose a point where the function rises or falls"
        )
    exponents = (np.arange(-64, 1) / 4).tolist()
    steps = 10.0 ** np.array(exponents)

    @cache
    def errors(dtype: str, method: str) -> Floats:
        slopes = np.array([numerical_slope(f, x, h, method, dtype) for h in steps])
        return np.abs(slopes - slope) / abs(slope)

    def draw(axes: Sequence[Axes], *, log10_of_h: float, method: str, precision: str) -> str:
        curves = {name: errors(precision, name) for name in ("forward", "central", "complex")}
        k = exponents.index(log10_of_h)
        return draw_step_size(axes, f, x, slope, steps, curves, k, method, precision)

    controls: dict[str, list[Any]] = {
        "log10_of_h": exponents,
        "method": ["forward", "central", "complex"],
        "precision": ["float64", "float32"],
    }
    states = [(-5.0, "central", "float64"), (-6.5, "central", "float32"),
              (-2.0, "central", "float32"), (0.0, "forward", "float64")]  # fmt: skip
    row = [dict(zip(controls, state, strict=True)) for state in states]
    return Explorer("A numerical slope and its error against the step h", draw, controls, row, 2)


def numerical_slope(f: Callable[[Any], Any], x: float, h: float, method: str, dtype: str) -> float:
    """Return (f(x+h) - f(x)) / h, (f(x+h) - f(x-h)) / 2h or Im f(x+ih) / h, computed in dtype.

    >>> round(numerical_slope(lambda t: t**3, 1.0, 0.1, "central", "float64"), 6)
    3.01
    """
    number = np.dtype(dtype).type
    x, h = number(x), number(h)
    if method == "complex":
        direction = np.result_type(number, np.complex64).type(1j)
        return float(np.imag(f(x + h * direction)) / h)
    if method == "forward":
        return float((f(x + h) - f(x)) / h)
    return float((f(x + h) - f(x - h)) / (2 * h))


def draw_step_size(
    axes: Sequence[Axes],
    f: Callable[[Any], Any],
    x: float,
    slope: float,
    steps: Floats,
    errors: Mapping[str, Floats],
    k: int,
    method: str,
    dtype: str,
) -> str:
    """Draw f within 2 h of x into axes[0], the errors of all methods against h into axes[1].

    In axes[0] the true slope is the diagonal whatever h is: what is measured should lie on it.
    `errors` holds, for each method, the relative error at each of `steps`; the state is that of
    ``steps[k]`` and `method`. Returns the sentence.
    """
    h, error = float(steps[k]), float(errors[method][k])
    number = np.dtype(dtype).type
    here = f(number(x))
    rise = np.vectorize(lambda u: float(f(number(x) + number(u * h)) - here) / (h * slope))
    units = np.linspace(-2, 2, 161)  # of h
    axes[0].plot(units, rise(units), color="0.35", label="f, as computed")
    axes[0].plot(units, units, ":", color=GREEN, label="true slope")
    if method != "complex":
        ends = np.array([-1.0 if method == "central" else 0.0, 1.0])
        axes[0].plot(ends, rise(ends), "o-", color=RED, label="measured slope")
    _title(axes[0], f"{dtype}, h = {h:.1e}")
    axes[0].set(xlabel="way from the point, in h", ylabel="change of f / (h slope)",
                xlim=(-2.1, 2.1), ylim=(-3, 3))  # fmt: skip
    axes[0].legend(fontsize="small", loc="upper left")
    styles = {"forward": ("-", ORANGE), "central": ("-", BLUE), "complex": ("--", GREEN)}
    for name, (style, colour) in styles.items():
        axes[1].loglog(steps, np.maximum(errors[name], 1e-17), style, color=colour, label=name)
    axes[1].plot(h, max(error, 1e-17), "o", color=RED, markersize=10)
    _title(axes[1], f"{method}: error {error:.0e}")
    axes[1].set(xlabel="step h", ylabel="relative error of the slope", ylim=(3e-18, 1e5))
    for axis in (axes[1].xaxis, axes[1].yaxis):  # few and plain: mathematical text is slow to set
        axis.set_major_locator(FixedLocator([1e-16, 1e-8, 1]))
        axis.set_major_formatter("{x:.0e}")
        axis.set_minor_locator(NullLocator())
    axes[1].legend(
        fontsize="small", loc="upper center", ncols=3, handlelength=0.8, columnspacing=0.6
    )
    best = float(steps[np.argmin(errors[method])])
    return (
        f"In {dtype} with h = {h:.1e} the {method} difference is off by {error:.1e} of the slope; "
        f"it does best, {errors[method].min():.0e}, near h = {best:.0e}."
    )


def _control(ipywidgets: Any, name: str, values: Sequence[Any], start: Any) -> Any:
    """Return the checkbox, the buttons or the slider for a setting."""
    label = name.replace("_", " ")
    style = {"description_width": "initial"}
    if all(isinstance(value, bool) for value in values):
        return ipywidgets.Checkbox(value=start, description=label, indent=False)
    if all(isinstance(value, str) for value in values):
        return ipywidgets.ToggleButtons(
            options=list(values), value=start, description=label,
            style={**style, "button_width": "5.5em"},
        )  # fmt: skip
    options = [(_text(value), value) for value in values]
    return ipywidgets.SelectionSlider(
        options=options, value=start, description=label, style=style, continuous_update=True
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _empty(ax: Axes) -> None:
    """Remove what was drawn but keep the axes: to make new ones takes half of the drawing time."""
    for artist in (*ax.lines, *ax.patches, *ax.texts, *ax.collections, *ax.images):
        artist.remove()
    ax.dataLim = Bbox.null()


def _title(ax: Axes, title: str) -> None:
    """Set a title at a fixed height: looking for a free one takes a third of the drawing time."""
    ax.set_title(title, y=1.0, pad=5, fontsize="medium")


def _png(figure: Figure) -> str:
    """Return the figure as a PNG in base64; drawn once, where `savefig` draws twice."""
    file = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file, pil_kwargs={"compress_level": 1})
    return base64.b64encode(file.getvalue()).decode("ascii")
