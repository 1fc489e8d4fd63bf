"""A backward pass in named terms, each of which can be replaced by a wrong one.

A model here is a chain of affine layers with one hidden activation and a loss on the scores; a
linear classifier is the chain of length one. `TERMS` says how each term follows from others,
`OUTPUT_LOSSES` and `ACTIVATIONS` bring the formulas of a loss and of an activation. A mistake is
one term computed wrongly: everything after it follows by itself.

Shapes: N examples, D features, C classes or outputs; S (N, C) scores, T (N, C) targets (one-hot for
labels); in a layer: a (N, in) input, W (in, out), delta (N, out) gradient of its output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_softmax

Array = NDArray[np.float64]
Formula = Callable[[Any], Any]


class BackwardTerms:
    """Values by name: what is not known yet is computed from its formula, once."""

    def __init__(self, formulas: Mapping[str, Formula], known: Mapping[str, Any]) -> None:
        self._formulas, self._known = formulas, known
        self.__dict__.update(known)

    def but(self, **known: Any) -> BackwardTerms:
        """The same terms with other values for some of those that are known from the start."""
        return BackwardTerms(self._formulas, {**self._known, **known})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._formulas:
            raise AttributeError(f"there is no term named {name!r}: see backward.TERMS")
        value = self._formulas[name](self)
        self.__dict__[name] = value
        return value


def one_per_row(columns: Any, width: int) -> Array:
    """(N, width) zeros with a one in the given column of each row."""
    return np.asarray(np.arange(width) == np.asarray(columns)[:, None], dtype=np.float64)


# How each term follows from the others. Known from the start: S, T, N, C and, in a layer,
# a, W, b, delta, and for what lies below it z_in (pre-activation of its input).
TERMS: dict[str, Formula] = {
    "y": lambda p: p.T.argmax(axis=1),
    # softmax
    "E": lambda p: np.exp(p.S - p.S.max(axis=1, keepdims=True)),
    "P": lambda p: p.E / p.E.sum(axis=1, keepdims=True),
    # hinge, sum over j != y_i
    "gap": lambda p: p.S - (p.S * p.T).sum(axis=1, keepdims=True),
    "margins": lambda p: np.maximum(0, p.gap + p.delta_margin) * (1 - p.T),
    "active": lambda p: (p.margins > 0).astype(float),
    "count": lambda p: p.active.sum(axis=1, keepdims=True),
    # squared error, sigmoid
    "R": lambda p: p.S - p.T,
    "Q": lambda p: expit(p.S),
    # a layer
    "dW": lambda p: p.a.T @ p.delta,
    "db": lambda p: p.delta.sum(axis=0),
    "dh": lambda p: p.delta @ p.W.T,
    "slope": lambda p: p.act_slope(p.z_in),
    "dz": lambda p: p.dh * p.slope,
}


@dataclass(frozen=True)
class OutputLoss:
    """A loss on scores: its value and its gradient, both as means over the examples."""

    name: str
    title: str
    loss: Formula
    dscores: Formula


OUTPUT_LOSSES = {loss.name: loss for loss in [
    OutputLoss("softmax", "softmax cross-entropy",
               lambda p: -(p.T * log_softmax(p.S, axis=1)).sum() / p.N,
               lambda p: (p.P - p.T) / p.N),
    OutputLoss("hinge", "multiclass hinge loss",
               lambda p: p.margins.sum() / p.N,
               lambda p: (p.active - p.T * p.count) / p.N),
    OutputLoss("squared hinge", "squared hinge loss",
               lambda p: (p.margins**2).sum() / p.N,
               lambda p: 2 * (p.margins - p.T * p.margins.sum(axis=1, keepdims=True)) / p.N),
    OutputLoss("worst hinge", "hinge loss of the worst class only",
               lambda p: p.margins.max(axis=1).sum() / p.N,
               lambda p: (one_per_row(p.margins.argmax(1), p.C) - p.T)
               * (p.margins.max(axis=1, keepdims=True) > 0) / p.N),
    OutputLoss("squared error", "squared error",
               lambda p: (p.R**2).sum() / p.N,
               lambda p: 2 * p.R / p.N),
    OutputLoss("logistic", "cross-entropy of sigmoid outputs",
               lambda p: (np.logaddexp(0, p.S) - p.T * p.S).sum() / p.N,
               lambda p: (p.Q - p.T) / p.N),
    OutputLoss("logistic squared", "squared error of sigmoid outputs",
               lambda p: ((p.Q - p.T) ** 2).sum() / p.N,
               lambda p: 2 * (p.Q - p.T) * p.Q * (1 - p.Q) / p.N),
    OutputLoss("softmax squared", "squared error of softmax probabilities",
               lambda p: ((p.P - p.T) ** 2).sum() / p.N,
               lambda p: 2 * p.P * ((p.P - p.T) - ((p.P - p.T) * p.P).sum(1, keepdims=True)) / p.N),
    OutputLoss("tanh squared", "squared error of tanh outputs",
               lambda p: ((np.tanh(p.S) - p.T) ** 2).sum() / p.N,
               lambda p: 2 * (np.tanh(p.S) - p.T) * (1 - np.tanh(p.S) ** 2) / p.N),
    OutputLoss("binary hinge", "binary hinge loss",
               lambda p: np.maximum(0, p.delta_margin - (2 * p.T - 1) * p.S).sum() / p.N,
               lambda p: -(2 * p.T - 1) * (p.delta_margin - (2 * p.T - 1) * p.S > 0) / p.N),
]}  # fmt: skip


@dataclass(frozen=True)
class Activation:
    """A hidden activation and its slope, both as functions of the pre-activation z."""

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]


LEAKS = (0.01, 0.1, 0.2, 0.3, 0.05, 0.001)


def _leaky(k: float) -> Activation:
    name = f"leaky ReLU ({k})"
    return Activation(name, lambda z: np.where(z > 0, z, k * z), lambda z: np.where(z > 0, 1.0, k))


ACTIVATIONS = {activation.name: activation for activation in [
    Activation("ReLU", lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    Activation("sigmoid", expit, lambda z: expit(z) * (1 - expit(z))),
    Activation("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    *[_leaky(k) for k in LEAKS],
    Activation("softplus", lambda z: np.logaddexp(0, z), expit),
    Activation("identity", lambda z: z, np.ones_like),
]}  # fmt: skip

Layer = tuple[Array, Array | None]  # W (in, out), b (out,) or None


@dataclass(frozen=True)
class Model:
    """A chain of layers, a hidden activation and an output loss, on data X with targets T.

    `replaced` maps a term's name to a wrong formula, and `only` limits it to one layer.
    """

    layers: tuple[Layer, ...]  # none: the parameters are the scores themselves
    X: Array  # (N, D); with no layers the scores (N, C)
    T: Array  # (N, C)
    output_loss: OutputLoss
    activation: Activation = ACTIVATIONS["ReLU"]
    delta_margin: float = 1.0
    replaced: Mapping[str, Formula] = field(default_factory=dict)
    only: int | None = None
    by_input: bool = False  # the gradient is taken by X

    def __str__(self) -> str:
        hidden = f", hidden {self.activation.name}" if len(self.layers) > 1 else ""
        return self.output_loss.title + hidden

    def forward(self) -> tuple[list[Array], list[Array]]:
        """Inputs a of each layer and the last scores; pre-activations z_in of those inputs."""
        inputs, before = [self.X], [self.X]
        for depth, (W, b) in enumerate(self.layers):
            z = inputs[-1] @ W + (0 if b is None else b)
            before.append(z)
            inputs.append(self.activation.value(z) if depth < len(self.layers) - 1 else z)
        return inputs, before

    def terms_of_scores(self, S: Array | None = None) -> BackwardTerms:
        """Terms of the loss on scores S, by default the model's own."""
        return self._terms(self.forward()[0][-1] if S is None else S)

    def _terms(self, S: Array, layer: int | None = None, **of_layer: Any) -> BackwardTerms:
        known = {
            "S": S, "T": self.T, "N": len(S), "C": S.shape[1],
            "delta_margin": self.delta_margin, "act_slope": self.activation.slope, **of_layer,
        }  # fmt: skip
        formulas = {**TERMS, "loss": self.output_loss.loss, "dscores": self.output_loss.dscores}
        right = BackwardTerms(formulas, known)
        if not self.replaced or (self.only is not None and layer not in (None, self.only)):
            return right
        wrong = {name: (lambda _, f=f: f(right)) for name, f in self.replaced.items()}
        return BackwardTerms(
            {**formulas, **wrong}, {k: v for k, v in known.items() if k not in wrong}
        )

    def loss(self) -> float:
        """Value of the loss without any penalty."""
        return float(self.terms_of_scores().loss)

    def gradients(self, dscores: Any = None) -> list[Array]:
        """Gradients of all arrays in order W1, b1, W2, b2, ... (of the scores, without layers).

        They follow from `dscores`, by default those of the output loss. By the input: dX alone.
        """
        inputs, before = self.forward()
        delta = self._terms(inputs[-1]).dscores if dscores is None else dscores
        if not self.layers:
            return [delta]
        found: list[Array] = []
        for depth in reversed(range(len(self.layers))):
            W, b = self.layers[depth]
            below = self.layers[depth - 1][1] if depth else None
            p = self._terms(
                inputs[-1], depth, a=inputs[depth], z_in=before[depth], W=W, b=b, delta=delta,
                below=below,
            )  # fmt: skip
            if self.by_input and not depth:
                return [p.dh]
            found = [p.dW, *([] if b is None else [p.db]), *found]
            if depth:
                delta = p.dz
        return found
