"""Update rules, see `cs231n_helpers.optim`."""

from ..optim import adam, rmsprop, sgd, sgd_momentum

__all__ = ["adam", "rmsprop", "sgd", "sgd_momentum"]
