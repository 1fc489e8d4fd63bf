"""Inside `check_gradient`: is it wrong, where is it wrong, what is wrong.

Three questions, three modules, one vocabulary between them (`report.Finding`):

=========  ==========================================================================
slopes     is it wrong, and where: slopes along random directions, then halving
small_     which assignment is this, and the same on small data of our own
  problem
identify   what is wrong: which of the declared mistakes predicts this very gradient
=========  ==========================================================================

`evaluate` calls the learner's function safely, `backward` is a backward pass in named pieces,
`mistakes` declares each known mistake as one small entry, and `report` says it in words.
"""

from .check import check_gradient
from .codes import Code
from .report import Finding, GradientReport, Step, WrongGradientError

__all__ = ["Code", "Finding", "GradientReport", "Step", "WrongGradientError", "check_gradient"]
