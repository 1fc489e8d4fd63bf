"""What each function of the assignment is tried on, and what is right there.

Values are compared with formulas of our own, gradients are the business of `check_gradient`. All of
it runs in the process of the student's code. N examples, D features, H hidden units, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import log_softmax

from .backward import Array
from .check import check_gradient
from .codes import Code
from .layer import check_layer
from .report import GradientReport, capitalized

N, D, H, C, REG = 9, 6, 8, 5, 0.3
PENALTIES = (0.5, 1.0)  # times reg * sum(W**2)
TOLERANCE = 2e-3  # of a value: float32, or an eps in a logarithm, does not make it wrong
Function = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """What is to be said of a function: "not written yet", "right", "wrong" or "not covered"."""

    status: str
    message: str = ""
    code: str = ""
    note: str = ""
    penalty: float | None = None  # its factor, on which loss and gradient agree
    details: str = ""


RIGHT = Answer("right")
wrong = partial(Answer, "wrong")
UNWRITTEN = Answer("not written yet")
UNKNOWN = Answer("not covered")  # no function of the assignment


class Data:
    """The same small data for every function, made anew so that no change goes on."""

    def __init__(self) -> None:
        self.draw = draw = np.random.RandomState(15).standard_normal
        self.X, self.W, self.S = draw((N, D)), draw((D, C)) / 2, draw((N, C))
        self.y: Any = np.arange(N) * 2 % C

    def params(self, *sizes: int) -> dict[str, Array]:
        shapes = enumerate(pairwise(sizes), start=1)
        pairs = [{f"W{k}": self.draw(s) / 2, f"b{k}": self.draw(s[1]) / 2} for k, s in shapes]
        return {name: array for pair in pairs for name, array in pair.items()}


# ---- what is right; a student's layers that are not are exchanged for these under a net ----


def affine_forward(x: Array, w: Array, b: Array) -> Any:
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout: Array, cache: Any) -> Any:
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x: Array) -> Any:
    return np.maximum(0, x), x


def relu_backward(dout: Array, cache: Any) -> Any:
    return dout * (cache > 0)


def softmax_loss(x: Array, y: Array) -> Any:
    log_p, T = log_softmax(x, axis=1), np.eye(x.shape[1])[y]
    return -float(np.sum(T * log_p)) / len(y), (np.exp(log_p) - T) / len(y)


def svm_loss(x: Array, y: Array) -> Any:
    T = np.eye(x.shape[1])[y]
    margins = (x - np.sum(T * x, axis=1, keepdims=True) + 1) * (1 - T)
    active = (margins > 0).astype(float)
    slopes = active - T * active.sum(axis=1, keepdims=True)
    return float(np.sum(margins * active)) / len(y), slopes / len(y)


LAYERS: dict[str, Function] = {
    f.__name__: f
    for f in (affine_forward, affine_backward, relu_forward, relu_backward, softmax_loss)
}


def net_scores(params: Mapping[str, Array], X: Array, floor: float = 0.0) -> Array:
    """Scores of a net of any depth with ReLUs between its layers; no ReLUs at a `floor` of -inf."""
    for k in range(1, len(params) // 2 + 1):
        X = np.maximum(floor, X) if k > 1 else X
        X = X @ params[f"W{k}"] + params[f"b{k}"]
    return X


# ---- values and losses ----


def compare(what: str, got: Any, expected: Array, causes: Mapping[str, Array] = {}) -> Answer:
    """Compare with what is right, and with what comes of known `causes` of its not being so."""
    if got is None or (np.shape(got) == expected.shape and not np.any(got) and expected.any()):
        return UNWRITTEN
    if np.shape(got) != expected.shape:
        return wrong(f"The {what} have shape {np.shape(got)}, but they should be {expected.shape}.")
    off = ~np.isclose(got, expected, rtol=TOLERANCE, atol=1e-6)
    if not off.any():
        return RIGHT
    for cause, suspect in causes.items():
        if np.allclose(got, suspect, rtol=TOLERANCE, atol=1e-6):
            return wrong(f"The {what} are wrong: {cause}.")
    i = tuple(int(k) for k in np.argwhere(off)[0])
    seen = f"entry {i} is {np.asarray(got)[i]:.4g}, not {expected[i]:.4g}"
    return wrong(f"{off.sum()} of {off.size} {what} are wrong: {seen} on small data.")


def _of_report(report: GradientReport) -> Answer:
    note = " ".join(f.message for f in report.cautions if f.code == Code.EPS_IN_LOG)
    if report or not report.is_written:
        return replace(RIGHT, note=note) if report else UNWRITTEN
    if any(f.code == Code.GRAD_ZERO and f.parameter is None for f in report.mistakes):
        return replace(UNWRITTEN, message="The gradient is still 0 throughout.")
    places: dict[str, list[str]] = {}
    for finding in report.mistakes:
        message = finding.message if finding.place else capitalized(finding.about("the gradient"))
        places.setdefault(message, []).extend(filter(None, [finding.place]))
    said = [f"{', '.join(where)}: {what}" if where else what for what, where in places.items()]
    codes = ", ".join(dict.fromkeys(f.code for f in report.mistakes))
    return wrong(" ".join(said) or report.reason, codes, note, details=report.explain())


def _judge(loss: Function, params: Any, data: tuple[Any, ...], right: float,
           weights: float = 0.0, biases: float = 0.0) -> Answer:  # fmt: skip
    """Judge ``loss(params, *data, reg)``; without sums of squared `weights` it takes no reg.

    Beside the gradient the value is judged, which is to be `right` at reg = 0.
    """
    strength, none = ((REG,), (0.0,)) if weights else ((), ())
    answer = _of_report(check_gradient(loss, params, *data, *strength))
    if answer == UNWRITTEN or answer.code.startswith("loss"):
        return answer
    at_none, at_reg = (float(loss(params, *data, *reg)[0]) for reg in (none, strength))
    weights, biases = weights * REG, biases * REG
    off, factor = "", (at_reg - at_none) / weights if weights else 0.5

    def near(a: float, b: float) -> bool:
        return abs(a - b) <= TOLERANCE * max(1, abs(b))

    if near(at_none / N, right) and not near(at_none, right):
        off = "The loss is a sum over the examples: divide it by their number"
    elif answer.status == "wrong":
        return answer
    elif not near(at_none, right):
        off = f"Without a penalty the loss of small data is {at_none:.4g}, not {right:.4g}"
    elif near(factor, 0):
        off = "The penalty is missing: reg changes nothing"
    elif biases and any(near(factor, f * (1 + biases / weights)) for f in PENALTIES):
        off = "The penalty is on the biases too, but it belongs on the weights alone"
    elif not any(near(factor, f) for f in PENALTIES):
        off = f"The penalty is {factor:.3g} * reg * sum(W**2), but it should be 0.5 or 1 times"
    elif answer.status != "right":
        return replace(answer, message=f"{answer.message} The loss is right.")
    if off:
        return wrong(f"{answer.message} {off}.".strip(), answer.code, details=answer.details)
    return replace(answer, penalty=round(factor, 1) if weights else None)


def _linear_loss(right: Function, f: Function, _: Any) -> Answer:
    data = Data()
    value, squares = right(data.X @ data.W, data.y)[0], float(np.sum(data.W**2))
    return _judge(f, data.W, (data.X, data.y), value, squares)


def _score_loss(right: Function, f: Function, _: Any) -> Answer:
    data = Data()
    return _judge(f, data.S, (data.y,), right(data.S, data.y)[0])


# ---- classifiers and nets: `make` makes one, with a penalty of strength reg inside or none ----


def _linear(cls: Any) -> Any:
    model = cls()
    model.W = Data().W
    return model


def _net_of_2016(cls: Any, reg: float = 0.0) -> Any:
    net = cls(D, H, C)
    net.params, loss = Data().params(D, H, C), net.loss
    net.loss = lambda X, *y: loss(X, *y, reg=reg) if y else loss(X)
    return net


def _net_of_2021(cls: Any, reg: float = 0.0) -> Any:
    net = cls(input_dim=D, hidden_dim=H, num_classes=C, reg=reg)
    net.params = Data().params(D, H, C)
    return net


def _deep_net(cls: Any, reg: float = 0.0) -> Any:
    net = cls([H, H + 3], input_dim=D, num_classes=C, reg=reg, dtype=np.float64)
    net.params = Data().params(D, H, H + 3, C)
    return net


def _net_loss(make: Function, cls: Any, _: Any) -> Answer:
    def loss(params: Any, X: Array, y: Array, reg: float) -> Any:
        net = make(cls, reg)
        net.params = params
        return net.loss(X, y)

    data, net = Data(), make(cls)
    params = dict(net.params)
    scores = net_scores(params, data.X)
    weights, biases = ({k: a for k, a in params.items() if k[0] == kind} for kind in "Wb")
    without_biases = weights | {k: 0 * a for k, a in biases.items()}
    causes = {
        "the ReLU is missing": net_scores(params, data.X, -np.inf),
        "there is a ReLU after the last layer too": np.maximum(0, scores),
        "the biases are left out": net_scores(without_biases, data.X),
    }
    answer = compare("scores", net.loss(data.X), scores, causes)
    if answer.status != "right":
        return answer
    squares = [float(sum(np.sum(a**2) for a in some.values())) for some in (weights, biases)]
    return _judge(loss, params, (data.X, data.y), softmax_loss(scores, data.y)[0], *squares)


def _first_weights(hidden: Mapping[str, Any], cls: Any, _: Any) -> Answer:
    net = cls(input_dim=60, num_classes=40, weight_scale=0.02, **hidden)
    if not getattr(net, "params", None):
        return UNWRITTEN
    for name, like in Data().params(60, 50, 40).items():
        got = np.asarray(net.params.get(name, np.nan))
        if got.shape != like.shape:
            return wrong(f"{name} has shape {got.shape}, but it should be {like.shape}.")
        if name[0] == "b" and got.any():
            return wrong(f"{name} should start at 0.")
        if name[0] == "W" and not 0.8 < got.std() / 0.02 < 1.2:
            seen = f"The standard deviation of {name} is {got.std():.1g} at weight_scale 0.02"
            return wrong(f"{seen}: draw weight_scale * np.random.randn(...).")
    return RIGHT


def _train(make: Function, cls: Any, _: Any) -> Answer:
    """Train with a loss of our own, whose gradient is 1, and look at the batches and the steps."""
    X, y = np.arange(40)[:, np.newaxis] * np.ones(D), np.arange(40) % C
    model, batches = make(cls), list[Any]()
    is_net = hasattr(model, "params")

    def now() -> dict[str, Array]:
        return {k: np.array(a) for k, a in (model.params if is_net else {"W": model.W}).items()}

    def loss(*args: Any, **kwargs: Any) -> Any:
        batches.append([*args, *kwargs.values()][:2])
        gradient = {k: np.ones_like(a) for k, a in before.items()}
        return 1.0, gradient if is_net else gradient["W"]

    before, validation = now(), (X[:3], y[:3]) if is_net else ()
    settings = {"learning_rate_decay": 1.0} if is_net else {}
    model.loss, model.predict = loss, lambda X: np.zeros(len(X), dtype=int)
    model.train(X, y, *validation, learning_rate=0.1, num_iters=5, batch_size=4, **settings)
    if not batches or any(part is None for batch in batches for part in batch):
        return UNWRITTEN
    if {(np.shape(rows), np.shape(labels)) for rows, labels in batches} != {((4, D), (4,))}:
        shapes = " and ".join(str(np.shape(part)) for part in batches[0])
        return wrong(f"With batch_size 4 and {D} features the minibatch has shapes {shapes}.")
    if any((rows[:, 0] % C != labels).any() for rows, labels in batches):
        return wrong("The labels are not those of the rows: index X and y with the same indices.")
    if len({tuple(rows[:, 0]) for rows, _ in batches}) == 1:
        return wrong("Every minibatch has the same examples: draw new ones in each iteration.")
    moves = np.concatenate([(a - before[k]).ravel() for k, a in now().items()])
    if not moves.any():
        return replace(UNWRITTEN, message="The minibatches are right, but no step is taken.")
    uphill = {"they go up the gradient, so subtract instead of adding": np.full(moves.shape, 0.5)}
    what = "changes after 5 steps of 0.1 against a gradient of 1"
    return compare(what, moves, np.full(moves.shape, -0.5), uphill)


def _predict(make: Function, cls: Any, _: Any) -> Answer:
    model, data = make(cls), Data()
    scores = net_scores(model.params, data.X) if hasattr(model, "params") else data.X @ data.W
    return compare("predicted classes", model.predict(data.X), scores.argmax(axis=1))


def _distances(method: str, cls: Any, _: Any) -> Answer:
    data, model = Data(), cls()
    train = data.draw((7, D))
    model.train(train, np.arange(7) % C)
    right = cdist(data.X, train)
    causes = {"take the square root": right**2}
    return compare("distances", getattr(model, method)(data.X), right, causes)


def _nearest(cls: Any, _: Any) -> Answer:
    distances = np.array([[1.0, 2, 5, 6, 7, 8], [9, 9, 9, 5, 1, 2], [3, 9, 9, 9, 2, 1.0]])
    model = cls()
    model.train(np.zeros((6, D)), np.array([2, 1, 1, 2, 0, 3]))
    got = [model.predict_labels(distances, k=k) for k in (1, 2, 3)]  # the smaller label wins
    expected = np.array([[2, 0, 3], [1, 0, 0], [1, 0, 0]])
    return compare("labels at k = 1, 2, 3", None if got[0] is None else got, expected)


# ---- layers and update rules ----


def _inputs(name: str) -> list[Array]:
    data = Data()
    return [data.draw((N, 2, 3)), data.W, data.draw(C)][: 3 if "affine" in name else 1]


def _forward(name: str, f: Function, _: Any) -> Answer:
    out = f(*_inputs(name))
    out = out[0] if isinstance(out, tuple) else out
    return compare("outputs", out, LAYERS[name](*_inputs(name))[0])


def _backward(name: str, f: Function, find: Callable[[str], Function]) -> Answer:
    return _of_report(check_layer(find(name), f, *_inputs(name)))


def _update(rule: str, f: Function, _: Any) -> Answer:
    """Three steps of an update rule, against its formula."""
    draw, config = Data().draw, {"learning_rate": 1.0}
    w, m, v = draw((4, 5)), np.zeros((4, 5)), np.zeros((4, 5))
    for t in (1, 2, 3):
        dw = draw(w.shape)
        m, v = RULES[rule](dw, m, v)
        if rule == "adam":
            step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        else:
            step = m / (np.sqrt(v) + 1e-8) if rule == "rmsprop" else m
        got, config = f(w.copy(), dw.copy(), config)
        w = w - step
        answer = compare(f"entries after step {t}", got, w)
        if answer.status != "right":
            return answer
    return RIGHT


RULES: dict[str, Function] = {  # the new averages of gradient and squared gradient
    "sgd": lambda dw, m, v: (dw, v),
    "sgd_momentum": lambda dw, m, v: (0.9 * m + dw, v),
    "rmsprop": lambda dw, m, v: (dw, 0.99 * v + 0.01 * dw**2),
    "adam": lambda dw, m, v: (0.9 * m + 0.1 * dw, 0.999 * v + 0.001 * dw**2),
}


# ---- the list ----


@dataclass(frozen=True)
class Item:
    """A function of the assignment, and what has to be right for it to be judged for itself."""

    file: str  # its usual module
    name: str
    check: Callable[[Any, Callable[[str], Function]], Answer]
    needs: tuple[str, ...] = ()


def _items() -> list[Item]:
    knn, linear, losses = "k_nearest_neighbor", "linear_classifier", (svm_loss, softmax_loss)
    distances = [f"compute_distances_{loops}" for loops in ("two_loops", "one_loop", "no_loops")]
    return [
        *(Item(knn, f"KNearestNeighbor.{m}", partial(_distances, m)) for m in distances),
        Item(knn, "KNearestNeighbor.predict_labels", _nearest),
        *(Item(file, f"{right.__name__}_{style}", partial(_linear_loss, right))
          for file, right in zip(("linear_svm", "softmax"), losses, strict=True)
          for style in ("naive", "vectorized")),
        Item(linear, "LinearClassifier.train", partial(_train, _linear)),
        Item(linear, "LinearClassifier.predict", partial(_predict, _linear)),
        Item("neural_net", "TwoLayerNet.loss", partial(_net_loss, _net_of_2016)),
        Item("neural_net", "TwoLayerNet.train", partial(_train, _net_of_2016)),
        Item("neural_net", "TwoLayerNet.predict", partial(_predict, _net_of_2016)),
        *(item for kind in ("affine", "relu") for item in (
            Item("layers", f"{kind}_forward", partial(_forward, f"{kind}_forward")),
            Item("layers", f"{kind}_backward", partial(_backward, f"{kind}_forward"),
                 (f"{kind}_forward",)))),
        *(Item("layers", right.__name__, partial(_score_loss, right)) for right in losses),
        Item("fc_net", "TwoLayerNet.__init__", partial(_first_weights, {"hidden_dim": 50})),
        Item("fc_net", "TwoLayerNet.loss", partial(_net_loss, _net_of_2021), tuple(LAYERS)),
        Item("fc_net", "FullyConnectedNet.__init__",
             partial(_first_weights, {"hidden_dims": [50]})),
        Item("fc_net", "FullyConnectedNet.loss", partial(_net_loss, _deep_net), tuple(LAYERS)),
        *(Item("optim", r, partial(_update, r)) for r in RULES),
    ]  # fmt: skip


ITEMS = _items()
