"""Training of any model that has `params` and ``loss(X, y)``, by any update rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .optim import RULES, Config
from .parameter_files import write_params
from .training import sgd
from .validation import (
    Floats,
    Labels,
    Rng,
    as_count,
    as_labels,
    as_non_negative,
    as_rng,
    as_rows,
    shown,
)

KEYS = {"X_train", "y_train", "X_val", "y_val"}


class Solver:
    """Minibatch training that keeps the parameters with the best validation accuracy.

    Parameters
    ----------
    model : object
        With a dict `params`, and ``loss(X, y)`` that returns (loss, gradients by the same names),
        ``loss(X)`` the scores (N, C).
    data : dict
        X_train (N, d_1, ..., d_k), y_train (N,), X_val, y_val.
    update_rule : str or callable
        A name in `optim`, or a rule of your own.
    optim_config : dict, optional
        The rule's numbers; each parameter gets a copy, and a state of its own.
    lr_decay : float
        The learning rate is multiplied by it after each epoch.
    batch_size, num_epochs, print_every : int
    num_train_samples, num_val_samples : int, optional
        Examples, drawn each time, on which accuracies are computed; None takes all.
    checkpoint_name : str, optional
        Write the parameters to ``<checkpoint_name>_epoch_<k>.npy`` whenever accuracies are noted.
    verbose : bool
        Print the loss every `print_every` steps, and the accuracies.
    rng : Generator or RandomState
        Draws minibatches and the examples for accuracies.

    Attributes
    ----------
    loss_history : list of float
        The loss of each minibatch before its step.
    train_acc_history, val_acc_history : list of float
        At the first and the last step and after each epoch.
    best_val_acc : float
    best_params : dict

    Examples
    --------
    >>> from cs231n_helpers import FullyConnectedNet
    >>> X, y = np.eye(4), np.array([0, 1, 2, 0])
    >>> solver = Solver(FullyConnectedNet([], 4, 3), dict(X_train=X, y_train=y, X_val=X, y_val=y),
    ...     optim_config={"learning_rate": 1.0}, batch_size=4, verbose=False)
    >>> solver.train()
    >>> len(solver.loss_history), len(solver.val_acc_history), solver.best_val_acc
    (10, 10, 1.0)
    """

    def __init__(
        self,
        model: Any,
        data: Mapping[str, ArrayLike],
        *,
        update_rule: Any = "sgd",
        optim_config: Mapping[str, Any] | None = None,
        lr_decay: float = 1.0,
        batch_size: int = 100,
        num_epochs: int = 10,
        num_train_samples: int | None = 1000,
        num_val_samples: int | None = None,
        checkpoint_name: str | None = None,
        print_every: int = 10,
        verbose: bool = True,
        rng: Rng | None = None,
    ) -> None:
        if not isinstance(getattr(model, "params", None), Mapping) or not hasattr(model, "loss"):
            raise TypeError(
                f"model is {shown(model)}, but it must have a dict `params` and `loss(X, y)`: pass "
                "a FullyConnectedNet or one of your own"
            )
        if not isinstance(data, Mapping) or not data.keys() >= KEYS:
            raise ValueError(
                f"data is {shown(data)}, but it must be a dict with {', '.join(sorted(KEYS))}"
            )
        optim_config = {} if optim_config is None else optim_config
        if not isinstance(optim_config, Mapping):
            raise TypeError(
                f"optim_config is {shown(optim_config)}, but it must be a dict: pass "
                "{'learning_rate': 1e-3}"
            )
        self.model, self.rng = model, as_rng(rng)
        self.X_train, self.y_train = _examples(data["X_train"], data["y_train"], "_train")
        self.X_val, self.y_val = _examples(data["X_val"], data["y_val"], "_val")
        self.update_rule = RULES.get(str(update_rule), update_rule)
        if not callable(self.update_rule):
            raise ValueError(
                f"update_rule = {shown(update_rule)}, but it must be one of {', '.join(RULES)}, or "
                "a function (w, dw, config) -> (next_w, config)"
            )
        self.lr_decay = as_non_negative("lr_decay", lr_decay)
        self.batch_size = as_count("batch_size", batch_size)
        self.num_epochs = as_count("num_epochs", num_epochs)
        self.print_every = as_count("print_every", print_every)
        self.num_train_samples, self.num_val_samples = num_train_samples, num_val_samples
        self.checkpoint_name, self.verbose = checkpoint_name, verbose
        self.optim_configs: dict[str, Config] = {name: dict(optim_config) for name in model.params}
        self.epoch, self.best_val_acc = 0, -1.0
        self.best_params: dict[str, Floats] = {}
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []

    def check_accuracy(
        self, X: Any, y: Any, num_samples: int | None = None, batch_size: int = 100
    ) -> float:
        """Return the share of X whose highest score is that of y, on all or on drawn examples."""
        X, y = _examples(X, y)
        if num_samples is not None and as_count("num_samples", num_samples) < len(X):
            rows = self.rng.choice(len(X), num_samples)
            X, y = X[rows], y[rows]
        hits = [
            np.argmax(self.model.loss(X[k : k + batch_size]), axis=1) == y[k : k + batch_size]
            for k in range(0, len(X), as_count("batch_size", batch_size))
        ]
        return float(np.mean(np.concatenate(hits)))

    def train(self) -> None:
        """Train for `num_epochs`; then the model has the best parameters.

        Raises
        ------
        NotFiniteError
            When the loss is no longer finite, with the iteration; the parameters stay as they were.
        """
        steps_an_epoch = max(len(self.X_train) // self.batch_size, 1)
        num_iters = self.num_epochs * steps_an_epoch

        def step(iteration: int, X_batch: Floats, y_batch: Labels) -> float:
            loss, grads = self.model.loss(X_batch, y_batch)
            if not np.isfinite(loss):
                return float(loss)  # which ends the training
            self.loss_history.append(float(loss))
            if self.verbose and iteration % self.print_every == 0:
                print(f"step {iteration} of {num_iters}: loss {loss:f}")
            self._step(grads)
            epoch_ends = (iteration + 1) % steps_an_epoch == 0
            if epoch_ends:
                self.epoch += 1
                for config in self.optim_configs.values():
                    config["learning_rate"] *= self.lr_decay
            if epoch_ends or iteration == 0:
                self._note()
            return float(loss)

        sgd(
            step, self.X_train, self.y_train, num_iters=num_iters, batch_size=self.batch_size,
            verbose=False, rng=self.rng, stacklevel=3,
        )  # fmt: skip
        self.model.params = _copied(self.best_params)

    def _step(self, grads: Mapping[str, Floats]) -> None:
        for name, config in self.optim_configs.items():
            w, config = self.update_rule(self.model.params[name], grads[name], config)
            self.model.params[name], self.optim_configs[name] = w, config

    def _note(self) -> None:
        train = self.check_accuracy(self.X_train, self.y_train, self.num_train_samples)
        val = self.check_accuracy(self.X_val, self.y_val, self.num_val_samples)
        self.train_acc_history.append(train)
        self.val_acc_history.append(val)
        if self.verbose:
            print(f"epoch {self.epoch}: accuracy {train:.3f} in training, {val:.3f} in validation")
        if self.checkpoint_name is not None:
            write_params(f"{self.checkpoint_name}_epoch_{self.epoch}.npy", self.model.params)
        if val > self.best_val_acc:
            self.best_val_acc = val
            self.best_params = _copied(self.model.params)


def _copied(params: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: np.array(p) for name, p in params.items()}


def _examples(X: ArrayLike, y: ArrayLike, suffix: str = "") -> tuple[Floats, Labels]:
    images, _ = as_rows("X" + suffix, X, integers_become=None)
    return images, as_labels(y, len(images), "X" + suffix, "y" + suffix)
