"""One run of a search: its data, its model, its record.

Shapes: N examples, D features.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .classifiers import training_data
from .validation import Floats, Labels, Rng, as_array, as_labels, count_classes, shown

Setting = dict[str, Any]
Record = dict[str, Any]


def checked(
    X_train: ArrayLike, y_train: ArrayLike, X_val: ArrayLike, y_val: ArrayLike
) -> tuple[Floats, Labels, Floats, Labels]:
    """Check the data as the models do, but all of it before the first run."""
    X, y = training_data(X_train, y_train, "_train")
    count_classes(y, "y_train")
    X_held_out, y_held_out = training_data(X_val, y_val, "_val")
    if X_held_out.shape[1] != X.shape[1]:
        raise ValueError(
            f"X_val has {X_held_out.shape[1]} columns and X_train has {X.shape[1]}, but both must "
            "have the same features: preprocess both alike, with a bias column or without"
        )
    if y_held_out.max() > y.max():
        i = int(np.argmax(y_held_out))
        raise ValueError(
            f"y_val[{i}] = {y_held_out[i]} is not a valid label: the labels of y_train end at "
            f"{y.max()}; split so that each class has examples to train on"
        )
    return X, y, X_held_out, y_held_out


def make(
    model: Callable[..., Any], setting: Setting, rng: Rng, num_features: int, num_classes: int
) -> tuple[Any, Setting]:
    """Make a model with the settings that it takes; return it and the rest, which train takes."""
    known = parameters(model)
    offered = {"input_size": num_features, "output_size": num_classes, "rng": rng, **setting}
    lacking = [name for name, needed in known.items() if needed and name not in offered]
    if lacking:
        raise TypeError(
            f"model needs {', '.join(lacking)}: pass it as a setting, or for all runs alike as in "
            f"search(..., {lacking[0]}=...)"
        )
    made = model(**{name: value for name, value in offered.items() if name in known})
    for method in ("train", "predict"):
        if not callable(getattr(made, method, None)):
            raise TypeError(
                f"model made {shown(made)}, which has no {method}: pass a class with train and "
                "predict, as LinearSVM"
            )
    return made, {name: value for name, value in setting.items() if name not in known}


def train_one(
    model: Callable[..., Any],
    setting: Setting,
    rng: Rng,
    X: Floats,
    y: Labels,
    X_val: Floats,
    y_val: Labels,
) -> tuple[Any, Record]:
    rng = deepcopy(rng)
    made, options = make(model, setting, rng, X.shape[1], int(y.max()) + 1)
    offered = {"X_val": X_val, "y_val": y_val, "rng": rng, **options}
    known = parameters(made.train)
    try:
        with warnings.catch_warnings():  # a search is there to find out
            warnings.filterwarnings("ignore", "the loss has grown")
            history = made.train(X, y, **{name: offered[name] for name in offered if name in known})
        losses = _losses(history)
        infinite = np.flatnonzero(~np.isfinite(losses))  # of a model that goes on after that
        if infinite.size:
            return made, record_of(diverged_at=int(infinite[0]))
        accuracies = [
            np.mean(as_labels(made.predict(A), len(A), name, f"predict({name})") == b)
            for A, b, name in ((X, y, "X_train"), (X_val, y_val, "X_val"))
        ]
    except FloatingPointError as error:  # the package's NotFiniteError is one
        return made, record_of(diverged_at=getattr(error, "iteration", None))
    return made, record_of(losses[-1], *accuracies)


def _losses(history: Any) -> NDArray[Any]:
    """Return the losses of what train returned, at least one."""
    losses: Any = history.get("loss_history") if isinstance(history, Mapping) else history
    array = as_array("the losses that train returned", losses)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "fiu":
        raise TypeError(
            f"train returned {shown(history)}, but it must return the losses, one number a step: "
            "a list, or a dict with loss_history"
        )
    return array


def record_of(
    final_loss: float = np.nan,
    train_accuracy: float = np.nan,
    val_accuracy: float = np.nan,
    diverged_at: int | None = None,
) -> Record:
    """Return what is reported of a run besides its settings; without a loss, it diverged."""
    return {
        "train_accuracy": float(train_accuracy),
        "val_accuracy": float(val_accuracy),
        "final_loss": float(final_loss),
        "status": "diverged" if np.isnan(final_loss) else "ok",
        "diverged_at": diverged_at,
    }


def best_of(records: list[Record]) -> int | None:
    """Return the number of the first record with the highest validation accuracy."""
    finished = [i for i, record in enumerate(records) if record["status"] == "ok"]
    return max(finished, key=lambda i: records[i]["val_accuracy"], default=None)


def parameters(function: Callable[..., Any]) -> dict[str, bool]:
    """Return the names that a function takes, and whether it needs them."""
    try:
        known = inspect.signature(function).parameters
        return {
            name: p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
            for name, p in known.items()
        }
    except ValueError as error:  # some of what is written in C
        raise TypeError(
            f"model or its train, {shown(function)}, does not say which arguments it takes: pass "
            "a class with train and predict, as LinearSVM"
        ) from error
