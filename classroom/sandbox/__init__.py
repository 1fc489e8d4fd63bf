"""Where a submission runs: code of others in a process that can do no harm, and calls into it."""

from .conversation import Cell, NotDefinedError, Seed, StudentError
from .launch import UnavailableError, copy_package
from .process import Limits, Stopped
from .sandbox import Sandbox

__all__ = [
    "Cell",
    "Limits",
    "NotDefinedError",
    "Sandbox",
    "Seed",
    "Stopped",
    "StudentError",
    "UnavailableError",
    "copy_package",
]
