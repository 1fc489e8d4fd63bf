"""Where a submission runs: code of others in a process that can do no harm, and calls into it."""

from .conversation import Cell, Seed
from .errors import NotDefinedError, Stopped, StudentError, UnavailableError
from .process import Limits
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
]
