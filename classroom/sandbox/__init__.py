"""Where a submission runs: code of others in a process that can do no harm, and calls into it."""

from .contained import Cell, Contained, Limits, Seed
from .errors import NotDefinedError, Stopped, StudentError, UnavailableError

__all__ = [
    "Cell",
    "Contained",
    "Limits",
    "NotDefinedError",
    "Seed",
    "Stopped",
    "StudentError",
    "UnavailableError",
]
