"""Call the losses, models and gradient checks with odd arguments: ``python tests/fuzz/calls.py``.

Each call may end in two ways. It returns what an independent formula in long double says, for
arguments that have a meaning; or the package refuses it, with a short error of its own. What has a
meaning is decided here, not by the package: real numbers in a plain array of the right shape,
labels 0..C-1, strengths that are finite and >= 0. The naive and the vectorized version end alike.
A call with nothing odd in it must return. Nothing may warn, and no argument may change.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from copy import deepcopy
from numbers import Integral, Real
from typing import Any

import numpy as np
from odd import Odd
from runner import ViolationError, main, outcome

import cs231n_helpers as package
from cs231n_helpers import layers, optim
from cs231n_helpers.losses import l2_penalty

Long = np.longdouble


class MeaninglessError(Exception):
    """The arguments have no meaning, so the call must be refused."""


# ---- what arguments mean ----


def numbers(value: Any, ndim: int | None, *, finite: bool = True, empty: bool = False) -> Any:
    """Return an argument as an array of real numbers in long double."""
    parts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise MeaninglessError
    try:
        array = np.asarray(value)
    except ValueError:
        raise MeaninglessError from None
    if array.dtype.kind not in "fiu" or ndim not in (None, array.ndim):
        raise MeaninglessError
    array = array.astype(Long)
    if (finite and not np.isfinite(array).all()) or (array.size == 0 and not empty):
        raise MeaninglessError
    return array


def strength(value: Any) -> Any:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise MeaninglessError
    try:
        value = Long(float(value))
    except OverflowError:
        raise MeaninglessError from None
    if not (np.isfinite(value) and value >= 0):
        raise MeaninglessError
    return value


def whole(value: Any) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool) or not 1 <= value <= 10**9:
        raise MeaninglessError
    return int(value)


def classes(value: Any, num_examples: int, num_classes: int) -> Any:
    labels = numbers(value, 1)
    if np.asarray(value).dtype.kind not in "iu" or len(labels) != num_examples:
        raise MeaninglessError
    if not all(0 <= int(label) < num_classes for label in np.asarray(value)):
        raise MeaninglessError
    return labels.astype(int)


def precision(*values: Any) -> Any:
    """Return the unit of rounding of a computation: that of its least precise part, or float's."""
    dtypes = [np.asarray(value).dtype for value in values]
    used = [np.result_type(d, np.float32) for d in dtypes if d.kind == "f"]
    return max(np.finfo(dtype).eps for dtype in (np.float64, *used))


# ---- independent formulas, each with a bound on its rounding in units of eps ----


def hinge(S: Any, y: Any, delta: Any) -> tuple[Any, Any, Any]:
    """Return losses (N,), dscores (N, C) and which margins lie how far from the kink (N, C)."""
    N, C = S.shape
    margins = np.array([[S[i, j] - S[i, y[i]] + delta for j in range(C)] for i in range(N)])
    margins[range(N), y] = -1
    active = (margins > 0).astype(Long)
    D = active.copy()
    D[range(N), y] = -active.sum(axis=1)
    return (margins * active).sum(axis=1), D / N, np.abs(margins)


def cross_entropy(S: Any, y: Any, _: Any) -> tuple[Any, Any, Any]:
    shifted = S - S.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    D = np.exp(logs)
    D[range(len(y)), y] -= 1
    return -logs[range(len(y)), y], D / len(y), np.full_like(S, np.inf)


def close(what: str, got: Any, expected: Any, bound: Any) -> None:
    """Hold a result to the formula; where that is beyond the dtype, nothing finite is right."""
    got = np.asarray(got).astype(Long)
    if got.shape != np.shape(expected):
        raise ViolationError(f"{what} has shape {got.shape}, not {np.shape(expected)}")
    if not np.isfinite(got).all():
        raise ViolationError(f"{what} is not finite: {got}")
    error = np.abs(got - expected)
    if (error > bound + 1e-37).any():
        worst = np.unravel_index(np.argmax(error - bound), error.shape)
        raise ViolationError(f"{what} is off by {error[worst]:.3g} of {expected[worst]:.3g}")


def same_arguments(before: Any, after: Any) -> None:
    for old, new in zip(before, after, strict=True):
        if not isinstance(new, np.ndarray) or new.dtype == object:
            continue
        if not ((old == new) | ((old != old) & (new != new))).all():
            raise ViolationError("an argument has changed")


# ---- the calls ----


def judged(odd: Odd, name: str, call: Callable[[], Any], judge: Callable[[Any], None]) -> str:
    """Make a call, hold it to what `judge` knows, and return how it ended."""
    got = outcome(call)
    if isinstance(got, Exception):
        try:
            judge(None)
        except MeaninglessError:
            return f"{name} refused"
        except (TypeError, AttributeError, ValueError, ViolationError):
            pass  # what was called has a meaning
        if odd.changed and ("overflow" in str(got) or "diverged" in str(got)):
            return f"{name} overflowed"
        raise ViolationError(f"{name} refused what is right: {got}")
    try:
        judge(got)
    except MeaninglessError:
        raise ViolationError(f"{name} accepted {', '.join(odd.changed)}: {got!r:.200}") from None
    return f"{name} right"


def scores_case(odd: Odd) -> str:
    N, C = odd.rng.integers(1, 6, 2)
    args = odd.array("scores", N, C, scale=odd.pick([1, 1, 100])), odd.labels("y", N, C)
    svm = odd.happens(2)
    delta = odd.number("delta", 1.0) if svm else 0.0
    loss, formula = (package.svm_loss, hinge) if svm else (package.softmax_loss, cross_entropy)
    before = deepcopy(args)

    def judge(got: Any) -> None:
        S = numbers(args[0], 2)
        y, margin = classes(args[1], *S.shape), strength(delta)
        losses, D, distance = formula(S, y, margin)
        rounding = 8 * precision(args[0]) * (4 + np.abs(S).max() + margin)
        close("loss", got[0], losses.mean(), rounding * S.shape[1])
        near = (distance < rounding).any(axis=1, keepdims=True) * Long(S.shape[1])
        close("dscores", got[1], D, near + min(rounding, 2) * S.shape[1])
        same_arguments(before, args)

    return judged(
        odd, loss.__name__, lambda: loss(*args, **({"delta": delta} if svm else {})), judge
    )


def weights_case(odd: Odd) -> str:
    N, D, C = odd.rng.integers(1, 6, 3)
    args = [odd.array("W", D, C), odd.array("X", N, D), odd.labels("y", N, C)]
    if odd.happens(6) and odd.happens(2):
        args[1] = np.abs(odd.rng.integers(0, 256, (N, D))).astype(np.uint8)
    svm = odd.happens(2)
    options = {"delta": odd.number("delta", 1.0)} if svm else {}
    formula = hinge if svm else cross_entropy
    kind = "svm" if svm else "softmax"
    if odd.happens(4):
        return input_case(odd, kind, args, options, formula)
    options["reg"], options["reg_scale"] = odd.number("reg", 0.1), odd.number("reg_scale", 0.5)
    before = deepcopy(args)

    def judge(got: Any) -> None:
        W, X = numbers(args[0], 2), numbers(args[1], 2)
        if X.shape[1] != len(W):
            raise MeaninglessError
        y = classes(args[2], len(X), W.shape[1])
        margin = strength(options.get("delta", 0.0))
        reg = strength(options["reg"]) * strength(options["reg_scale"])
        losses, dS, distance = formula(X @ W, y, margin)
        eps, largest = precision(*args[:2]), np.abs(X) @ np.abs(W)
        rounding = 8 * eps * len(W) * (4 + largest.max() + margin)
        penalty = reg * (W**2).sum()
        bound = rounding * W.shape[1] + 16 * eps * penalty + 1e-38 * (1 + reg)
        close("loss", got[0], losses.mean() + penalty, bound)
        near = (distance < rounding).any(axis=1, keepdims=True) * Long(W.shape[1])
        per_row = (near + min(rounding, 2) * W.shape[1]) / len(X)
        bound = np.abs(X).T @ np.broadcast_to(per_row, dS.shape) + 8 * eps * len(X) * (
            np.abs(X).T @ np.abs(dS) + 2 * reg * np.abs(W)
        )
        close("dW", got[1], X.T @ dS + 2 * reg * W, bound)
        same_arguments(before, args)

    ends = [
        judged(odd, loss.__name__, lambda loss=loss: loss(*args, **options), judge)
        for loss in (
            getattr(package, f"{kind}_loss_naive"), getattr(package, f"{kind}_loss_vectorized")
        )
    ]  # fmt: skip
    if len({end.split()[-1] for end in ends} - {"overflowed"}) > 1:
        raise ViolationError(f"{' but '.join(ends)}, with {', '.join(odd.changed)}")
    return ends[0].replace("_naive", "")


def input_case(odd: Odd, kind: str, args: Any, options: Any, formula: Any) -> str:
    function = getattr(package, f"{kind}_input_gradient")
    before = deepcopy(args)

    def judge(got: Any) -> None:
        W, X = numbers(args[0], 2), numbers(args[1], 2)
        if X.shape[1] != len(W):
            raise MeaninglessError
        y = classes(args[2], len(X), W.shape[1])
        margin = strength(options.get("delta", 0.0))
        _, dS, distance = formula(X @ W, y, margin)
        eps, largest = precision(*args[:2]), np.abs(X) @ np.abs(W)
        rounding = 8 * eps * len(W) * (4 + largest.max() + margin)
        near = (distance < rounding).any(axis=1, keepdims=True) * Long(W.shape[1])
        per_row = np.broadcast_to((near + min(rounding, 2) * W.shape[1]) / len(X), dS.shape)
        close("dX", got, dS @ W.T, (per_row + 8 * eps * W.shape[1] * np.abs(dS)) @ np.abs(W).T)
        same_arguments(before, args)

    return judged(odd, function.__name__, lambda: function(*args, **options), judge)


def penalty_case(odd: Odd) -> str:
    W, reg, scale = odd.array("W", 3, 2), odd.number("reg", 0.1), odd.number("reg_scale", 0.5)

    def judge(got: Any) -> None:
        values = numbers(W, None, empty=True)
        factor = strength(reg) * strength(scale)
        eps = 16 * precision(W)
        squares = factor * (values**2).sum()
        close("penalty", got[0], squares, eps * squares + 1e-38 * (1 + factor))
        gradient = 2 * factor * values
        close("its gradient", got[1], gradient, eps * np.abs(gradient))

    return judged(odd, "l2_penalty", lambda: l2_penalty(W, reg, scale), judge)


def net_case(odd: Odd) -> str:
    N, D, H, C = (int(size) for size in odd.rng.integers(1, 5, 4))
    net = package.TwoLayerNet(D, H, C)
    net.params = {
        "W1": odd.array("W1", D, H), "b1": odd.array("b1", H),
        "W2": odd.array("W2", H, C), "b2": odd.array("b2", C),
    }  # fmt: skip
    params, X, y = dict(net.params), odd.array("X", N, D), odd.labels("y", N, C)
    reg = odd.number("reg", 0.1)

    def forward() -> Any:
        W1, W2 = numbers(params["W1"], 2), numbers(params["W2"], 2)
        b1, b2, examples = numbers(params["b1"], 1), numbers(params["b2"], 1), numbers(X, 2)
        sizes = examples.shape[1], len(b1), len(b2)
        if W1.shape != sizes[:2] or W2.shape != sizes[1:]:
            raise MeaninglessError
        Z = examples @ W1 + b1
        S = np.maximum(Z, 0) @ W2 + b2
        largest = (np.abs(examples) @ np.abs(W1) + np.abs(b1)) @ np.abs(W2) + np.abs(b2)
        rounding = 16 * precision(X, *params.values()) * (D + H) * (4 + largest.max())
        return examples, W1, W2, Z, S, rounding

    def judge_scores(got: Any) -> None:
        *_, S, rounding = forward()
        close("scores", got, S, rounding)

    def judge_classes(got: Any) -> None:
        *_, S, rounding = forward()
        if (S[range(len(S)), got] < S.max(axis=1) - 2 * rounding).any():
            raise ViolationError(f"predict returned {got}, but the scores are {S}")

    def judge_loss(got: Any) -> None:
        if y is None:
            return judge_scores(got)
        examples, W1, W2, Z, S, rounding = forward()
        losses, dS, _ = cross_entropy(S, classes(y, *S.shape), 0)
        penalty = strength(reg) / 2 * ((W1**2).sum() + (W2**2).sum())
        eps = 64 * precision(X, *params.values())
        close("loss", got[0], losses.mean() + penalty, 4 * rounding + eps * penalty + 1e-38)
        if rounding > 1e-2:
            return  # a ReLU may switch, which is no error
        dZ = dS @ W2.T * (Z > 0)
        kinks = np.abs(Z) < rounding
        expected = {
            "W1": examples.T @ dZ + strength(reg) * W1, "b1": dZ.sum(axis=0),
            "W2": np.maximum(Z, 0).T @ dS + strength(reg) * W2, "b2": dS.sum(axis=0),
        }  # fmt: skip
        largest = max(1, *(np.abs(a).max() for a in (examples, W1, W2, Z)))
        bound = 8 * (rounding * largest**2 + eps * strength(reg) * largest) + 1e-37
        if not kinks.any():
            for name, gradient in expected.items():
                close(f"d{name}", got[1][name], gradient, bound)

    match int(odd.rng.integers(3)):
        case 0:
            return judged(odd, "net scores", lambda: net.loss(X), judge_scores)
        case 1:
            return judged(odd, "net predict", lambda: net.predict(X), judge_classes)
        case _:
            return judged(odd, "net loss", lambda: net.loss(X, y, reg), judge_loss)


def predict_case(odd: Odd) -> str:
    N, D, C = odd.rng.integers(1, 6, 3)
    model = package.LinearSVM()
    model.W, X = odd.array("W", D, C), odd.array("X", N, D)
    given = model.W

    def judge(got: Any) -> None:
        W, examples = numbers(given, 2), numbers(X, 2)
        if examples.shape[1] != len(W):
            raise MeaninglessError
        S = examples @ W
        rounding = 8 * precision(given, X) * len(W) * (np.abs(examples) @ np.abs(W)).max()
        if (S[range(len(S)), got] < S.max(axis=1) - 2 * rounding).any():
            raise ViolationError(f"predict returned {got}, but the scores are {S}")

    return judged(odd, "predict", lambda: model.predict(X), judge)


def training_case(odd: Odd) -> str:
    """Train, and compare the first loss: the weights are then 0.001 times a standard normal."""
    N, D, C = (int(size) for size in odd.rng.integers(2, 6, 3))
    X, y = odd.array("X", N, D), odd.labels("y", N, C)
    options = {
        "learning_rate": odd.number("learning_rate", 1e-2), "reg": odd.number("reg", 0.1),
        "num_iters": odd.count("num_iters", 2), "batch_size": odd.count("batch_size", 3),
    }  # fmt: skip
    svm = odd.happens(2)
    model: Any = package.LinearSVM() if svm else package.Softmax()

    def judge(losses: Any) -> None:
        examples = numbers(X, 2)
        labels = classes(y, len(examples), 10_000)
        reg, _ = strength(options["reg"]), strength(options["learning_rate"])
        steps, size = (whole(options[name]) for name in ("num_iters", "batch_size"))
        rng = np.random.RandomState(0)
        W = 0.001 * rng.standard_normal((examples.shape[1], labels.max() + 1)).astype(Long)
        rows = rng.choice(len(examples), size)
        formula = hinge if svm else cross_entropy
        first = formula(examples[rows] @ W, labels[rows], 1)[0].mean() + reg / 2 * (W**2).sum()
        if len(losses) != steps or not np.isfinite(losses).all():
            raise ViolationError(f"the losses are {losses}")
        size = np.abs(examples).max() * np.abs(W).max() * len(W)
        close("first loss", losses[0], first, 1e-5 * (1 + size * W.shape[1] + first))
        if model.W.shape != W.shape or model.W.dtype == np.float16:
            raise ViolationError(f"W is {model.W.dtype} {model.W.shape}")

    return judged(odd, "train", lambda: model.train(X, y, **options), judge)


def net_training_case(odd: Odd) -> str:
    N, D, C = (int(size) for size in odd.rng.integers(2, 6, 3))
    X, y = odd.array("X", N, D), odd.labels("y", N, C)
    X_val, y_val = odd.array("X_val", N, D), odd.labels("y_val", N, C)
    options = {
        "learning_rate": odd.number("learning_rate", 1e-2), "reg": odd.number("reg", 0.1),
        "learning_rate_decay": odd.number("learning_rate_decay", 0.9),
        "num_iters": odd.count("num_iters", 2), "batch_size": odd.count("batch_size", 3),
    }  # fmt: skip
    sizes = odd.count("input_size", D), odd.count("hidden_size", 3), odd.count("output_size", C)
    std, dtype = odd.number("std", 0.1), np.float64
    if odd.happens(6):
        dtype = odd.pick([np.float32, int, bool, str, complex, object, "f2", ">f4", "x", None, 3])
        odd.note(f"dtype {dtype}")

    def call() -> Any:
        net = package.TwoLayerNet(*sizes, std, dtype=dtype)
        return net, net.train(X, y, X_val, y_val, **options)

    def judge(got: Any) -> None:
        num_features, _, num_classes = map(whole, sizes)
        for examples, labels in ((X, y), (X_val, y_val)):
            matrix = numbers(examples, 2)
            if matrix.shape[1] != num_features:
                raise MeaninglessError
            classes(labels, len(matrix), num_classes)
        for value in (std, *list(options.values())[:3]):
            strength(value)
        whole(options["num_iters"])
        whole(options["batch_size"])
        if dtype not in (np.float32, np.float64, None):
            raise MeaninglessError
        net, history = got
        if {p.dtype for p in net.params.values()} != {np.dtype(dtype)}:
            raise ViolationError(f"dtype {dtype} gave {net.params}")
        losses, *accuracies = history.values()
        if len(losses) != options["num_iters"] or not np.isfinite(losses).all():
            raise ViolationError(f"the losses are {losses}")
        if not all(0 <= accuracy <= 1 for part in accuracies for accuracy in part):
            raise ViolationError(f"the accuracies are {accuracies}")

    return judged(odd, "net train", call, judge)


def numerical_case(odd: Odd) -> str:
    """The slope of x**3 between x - h and x + h is 3 x**2 + h**2."""
    shape = tuple(odd.rng.integers(1, 4, odd.rng.integers(1, 3)))
    x, h = odd.array("x", *shape), odd.number("h", 1e-5)
    if isinstance(h, int | float | np.uint64) and h > 1e10:
        h = 1e10  # or the cubes overflow, and not the package
    before, kind = deepcopy(x), int(odd.rng.integers(3))

    def cubes(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(x, Long) ** 3

    def total(x: Any) -> float:
        return float(np.sum(cubes(x)))

    def call() -> Any:
        if kind == 0:
            return package.eval_numerical_gradient(total, x, h=h)
        analytic = np.ones(x.shape) if isinstance(x, np.ndarray) else x
        if kind == 1:
            return package.eval_numerical_gradient_array(cubes, x, analytic, h)
        with contextlib.redirect_stdout(io.StringIO()):
            return package.grad_check_sparse(total, x, analytic, shape[0] * 9, h)

    def judge(got: Any) -> None:
        values, step = numbers(x, None), strength(h)
        dtype = np.asarray(x).dtype
        with np.errstate(all="ignore"):
            ends = [(values + side).astype(dtype) for side in (-step, step)]
        moved = (ends[0] < x) & (x < ends[1]) & np.isfinite(ends).all(axis=0)
        if dtype.kind != "f" or not moved.all() or not isinstance(x, np.ndarray):
            raise MeaninglessError
        if np.abs(values).max() > 1e30:
            return  # the cubes overflow
        expected = 3 * values**2 + step**2
        noise = 1e-14 * max(1, (np.abs(values) + step).max() ** 3) * values.size / step
        noise += np.abs(expected).max() * 8 * precision(x) + 1e-3 * expected.max()
        if kind < 2:
            close("the slope", got, expected, noise)
        elif not ((got >= 0) & (got <= 1)).all():
            raise ViolationError(f"relative errors are {got}")
        same_arguments([before], [x])

    return judged(odd, "numerical gradient", call, judge)


def relative_case(odd: Odd) -> str:
    x, y = odd.array("x", 3, 2), odd.array("y", 3, 2)

    def judge(got: Any) -> None:
        a, b = (numbers(value, None, finite=False) for value in (x, y))
        if a.shape != b.shape:
            raise MeaninglessError
        if not np.isfinite([a, b]).all():
            a, b = np.zeros(2) if np.isnan(got) else (a, b)  # its docstring says NaN
            got = 0
        close("error", got, (np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b))).max(), 1e-12)

    return judged(odd, "rel_error", lambda: package.rel_error(x, y), judge)


def layer_case(odd: Odd) -> str:
    N, D, M = (int(size) for size in odd.rng.integers(1, 5, 3))
    x, w, b = odd.array("x", N, D), odd.array("w", D, M), odd.array("b", M)
    dout, relu = odd.array("dout", N, M), odd.happens(2)
    before = deepcopy((x, w, b, dout))

    def inputs() -> Any:
        X, W, B = numbers(x, None), numbers(w, 2), numbers(b, 1)
        if X.ndim < 2 or X[0].size != len(W) or len(B) != W.shape[1]:
            raise MeaninglessError
        X = X.reshape(len(X), -1)
        Z, largest = X @ W + B, np.abs(X) @ np.abs(W) + np.abs(B)
        eps = 8 * precision(x, w, b) * (D + N + M)
        return X, W, Z, eps * largest + 1e-37

    def judge_forward(got: Any) -> None:
        *_, Z, rounding = inputs()
        close("out", got[0], np.maximum(Z, 0) if relu else Z, rounding)
        same_arguments(before, (x, w, b, dout))

    def judge_backward(got: Any) -> None:
        X, W, Z, rounding = inputs()
        dZ, eps = numbers(dout, 2), 8 * precision(x, w, b, dout) * (D + N + M)
        if dZ.shape != Z.shape:
            raise MeaninglessError
        if relu and (np.abs(Z) <= rounding).any():
            return  # a ReLU may switch, which is no error
        dZ = dZ * (Z > 0) if relu else dZ
        size = np.abs(dZ)
        expected = (dZ @ W.T, size @ np.abs(W).T), (X.T @ dZ, np.abs(X).T @ size)
        for name, gradient, (value, bound) in zip(("dx", "dw"), got, expected, strict=False):
            close(name, gradient.reshape(value.shape), value, eps * bound)
        close("db", got[2], dZ.sum(axis=0), eps * size.sum(axis=0))
        same_arguments(before, (x, w, b, dout))

    forward = layers.affine_relu_forward if relu else layers.affine_forward
    backward = layers.affine_relu_backward if relu else layers.affine_backward
    if odd.happens(2):
        return judged(odd, forward.__name__, lambda: forward(x, w, b), judge_forward)
    return judged(
        odd, backward.__name__, lambda: backward(dout, forward(x, w, b)[1]), judge_backward
    )


def momentum_case(odd: Odd) -> str:
    shape = tuple(odd.rng.integers(1, 4, odd.rng.integers(1, 3)))
    w, dw, velocity = (odd.array(name, *shape) for name in ("w", "dw", "velocity"))
    rate, momentum = odd.number("learning_rate", 0.1), odd.number("momentum", 0.9)
    config = {"learning_rate": rate, "momentum": momentum, "velocity": velocity}
    before = deepcopy((w, dw, velocity))

    def judge(got: Any) -> None:
        weights, slopes, speed = (numbers(value, None, empty=True) for value in (w, dw, velocity))
        if not weights.shape == slopes.shape == speed.shape or strength(momentum) >= 1:
            raise MeaninglessError
        parts = strength(momentum) * speed, -strength(rate) * slopes, weights
        bound = 8 * precision(w, dw, velocity) * sum(map(np.abs, parts)) + 1e-37
        close("next_w", got[0], sum(parts), bound)
        close("velocity", config["velocity"], parts[0] + parts[1], bound)
        same_arguments(before, (w, dw, velocity))

    return judged(odd, "sgd_momentum", lambda: optim.sgd_momentum(w, dw, config), judge)


CASES = [
    scores_case, weights_case, weights_case, weights_case, penalty_case, net_case, net_case,
    predict_case, training_case, net_training_case, numerical_case, relative_case,
    layer_case, momentum_case,
]  # fmt: skip


def case(rng: np.random.Generator) -> str:
    """Make one random call, and return how it ended."""
    odd = Odd(rng)
    try:
        return odd.pick(CASES)(odd)
    except ViolationError as error:
        error.args = (f"{error} [{'; '.join(odd.changed)}]",)
        raise


if __name__ == "__main__":
    raise SystemExit(main(__doc__ or "", case))
