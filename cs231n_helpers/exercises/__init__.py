"""The exercises of notebooks 01 to 04, and the check after each."""

from .visible import EXERCISES, check_exercise, use_reference

__all__ = ["EXERCISES", "check_exercise", "use_reference"]
