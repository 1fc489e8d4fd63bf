"""The exercises of the lessons: the table, the check after each, calling and comparing.

================ ==================================================================================
module           what it holds
================ ==================================================================================
table            which exercises there are, how one says that it is open or wrong
visible          the check after each exercise
stuck            which hint to open next
worked_examples  what the notebooks work out by hand, for the checks
reference        the reference solutions, where the teacher has handed them out
student_function calling a student's function without trusting it
compare          is a value right, and how does it differ
explain          right values from the gradient checker's models, for it to look beside
================ ==================================================================================
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .table import EXERCISES

if TYPE_CHECKING:
    from .reference import use_reference
    from .visible import check_exercise
else:
    _LATER = {"use_reference": "reference", "check_exercise": "visible"}  # the doctor, in the end

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f".{_LATER[name]}", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["EXERCISES", "check_exercise", "use_reference"]
