"""What is passed to `check_gradient`: a function of parameters, or an object that has them."""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np

from .small_problem import InPlace
from .snapshot import captured_variables

OF_PARAMETERS = ("p", "w", "theta", "beta")  # first letters of an argument that holds parameters


def as_function(loss: Any, params: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """(loss, params, args), where a net or its method stands for a function of its parameters.

    A net is any object with a dict `params`, or with one array `W`, and a method `loss`.
    """
    _refuse_misuse(loss, params, args)
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

    return InPlace(method, held, alone=True), held, args


def as_net(call: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """``lambda _: net.loss(X, y)`` as the call of the net itself, where it returns just that."""
    loss, params, args, kwargs = call
    for owner in captured_variables(loss).values():
        held = getattr(owner, "params", None), getattr(owner, "W", None)
        method = getattr(owner, "loss", None)
        if not any(v is params for v in held) or not isinstance(method, types.MethodType):
            continue
        seen: list[Any] = []

        def recorded(*args: Any, method: Any = method, seen: Any = seen, **kwargs: Any) -> Any:
            seen.append((args, kwargs, method(*args, **kwargs)))
            return seen[-1][2]

        vars(owner)["loss"] = recorded
        try:
            returned = loss(params, *args, **kwargs)
        finally:
            del vars(owner)["loss"]
        if len(seen) == 1 and returned is seen[0][2]:
            return InPlace(method, params, alone=True), params, *seen[0][:2]
    return None


def _refuse_misuse(loss: Any, params: Any, args: tuple[Any, ...]) -> None:
    """Answer calls that are not meant so with the call that is."""
    names = [written(v) for v in (loss, params, *args)]
    if isinstance(loss, tuple) and len(loss) == 2:
        raise TypeError(
            "loss is what a function returned, but the function itself is needed: "
            f"check_gradient(lambda W: my_loss(W, X, y), {names[1]}), or check_gradient(net, X, y)"
        )
    if callable(params) and not callable(loss):
        order = ", ".join([names[1], names[0], *names[2:]])
        raise TypeError(f"the function comes first: check_gradient({order})")
    if isinstance(loss, type) and hasattr(loss, "loss"):
        rest = ", ".join(names[1:])
        raise TypeError(
            f"{names[0]} is a class, but an object of it is needed: net = {names[0]}(...), then "
            f"check_gradient(net, {rest})"
        )
    is_alone = callable(loss) and _takes(loss, params) and not _takes(loss, params, *args)
    if is_alone and np.shape(args[0]) == np.shape(params):
        raise TypeError(
            f"{names[0]} takes the parameters alone, and returns loss and gradient: "
            f"check_gradient({names[0]}, {names[1]})"
        )


def _takes(loss: Any, *args: Any) -> bool:
    try:
        inspect.signature(loss).bind(*args)
    except (TypeError, ValueError):  # or it has no signature
        return False
    return True


def written(value: Any) -> str:
    """The caller's own name of a value, or how to write it."""
    frame = inspect.currentframe()
    package = __name__.split(".")[0]
    while frame and frame.f_globals.get("__name__", "").split(".")[0] == package:
        frame = frame.f_back
    scope = {**frame.f_globals, **frame.f_locals} if frame else {}
    own = (k for k, v in scope.items() if v is value and not k.startswith("_"))
    if isinstance(value, int | float | str):
        return repr(value)
    return next(own, getattr(value, "__name__", "..."))
