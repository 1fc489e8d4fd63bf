"""The trainer of nets since 2021, see `cs231n_helpers.Solver`."""

from typing import Any

from .. import solver
from .conventions import global_rng

__all__ = ["Solver"]


class Solver(solver.Solver):
    """`cs231n_helpers.Solver`, which draws from NumPy's global state here."""

    def __init__(self, model: Any, data: Any, **settings: Any) -> None:
        super().__init__(model, data, **{"rng": global_rng(), **settings})
