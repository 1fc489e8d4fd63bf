"""Inside `check_gradient`: is it wrong, where is it wrong, what is wrong.

Three questions, a module for each, one vocabulary between them (`report.Finding`):

=========  ==========================================================================
slopes     is it wrong: slopes along random directions
locate     where is it wrong: halving the entries
diagnose   what is wrong: which of the declared mistakes predicts this very gradient
=========  ==========================================================================

`layer` asks the same of the forward and backward pass of a layer. `calls` knows what else may be
passed. `evaluate` calls the learner's function safely, `snapshot` puts back what it changes,
`small_problem` runs it on small data of our own, whose parameters `layouts` reads as layers.
`diagnose` asks `identify`, `explain`, `penalty` and `wrong_losses` in turn; `backward` is a
backward pass in named terms, and `mistakes` declares each known mistake as one small entry.
`codes` has their names, `report` says it in words, and `explanations` why it happens.

`house_call` looks at all functions of an assignment, which `house_process` runs: what each is tried
on is in `house_checks`, and `house_report` says what was found.
"""

from .check import check_gradient
from .codes import Code
from .layer import check_layer
from .report import Finding, GradientReport, Step, WrongGradientError

__all__ = [
    "Code",
    "Finding",
    "GradientReport",
    "Step",
    "WrongGradientError",
    "check_gradient",
    "check_layer",
]
