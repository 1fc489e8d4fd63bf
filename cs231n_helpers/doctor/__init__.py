"""Inside `check_gradient`: is it wrong, where is it wrong, what is wrong.

Three questions, a module for each, one vocabulary between them (`report.Finding`):

=========  ==========================================================================
slopes     is it wrong: slopes along random directions
locate     where is it wrong: halving the entries
identify   what is wrong: which of the declared mistakes predicts this very gradient
=========  ==========================================================================

`evaluate` calls the learner's function safely, `snapshot` puts back what it changes,
`small_problem` runs it on small data of our own, `backward` is a backward pass in named terms,
`mistakes` declares each known mistake as one small entry, `codes` has their names, and `report`
says it in words.
"""

from .check import check_gradient
from .codes import Code
from .report import Finding, GradientReport, Step, WrongGradientError

__all__ = ["Code", "Finding", "GradientReport", "Step", "WrongGradientError", "check_gradient"]
