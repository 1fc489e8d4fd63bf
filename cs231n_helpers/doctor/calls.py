"""What is passed to `check_gradient`: a function of parameters, or an object that has them."""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

from .small_problem import InPlace

OF_PARAMETERS = ("p", "w", "theta", "beta")  # first letters of an argument that holds parameters


def as_function(loss: Any, params: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """(loss, params, args), where a net or its method stands for a function of its parameters.

    A net is any object with a dict `params`, or with one array `W`, and a method `loss`.
    """
    is_method = isinstance(loss, types.MethodType)
    owner = loss.__self__ if is_method else loss
    method = loss if is_method else getattr(owner, "loss", None)
    held = getattr(owner, "params", None)
    if not isinstance(held, dict) or not held:
        held = getattr(owner, "W", None)
    if isinstance(owner, type) or not callable(method) or not isinstance(held, dict | np.ndarray):
        return loss, params, args
    signature = inspect.signature(method)
    names = list(signature.parameters)
    if names and names[0].lower().startswith(OF_PARAMETERS):
        return loss, params, args
    if params is not held:
        args = (params, *args)

    def of_own_parameters(self: Any, _: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, method.__name__)(*args, **kwargs)

    first = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("self", "_")]
    taken = [p for p in signature.parameters.values() if p.name not in ("self", "_")]
    of_own_parameters.__signature__ = signature.replace(parameters=[*first, *taken])  # type: ignore[attr-defined]
    return InPlace(types.MethodType(of_own_parameters, owner), held), held, args
