"""Figures with sliders, for notebooks 01 to 05 and 09."""

from .graph import explore_graph
from .input_step import explore_input_step
from .net import explore_net
from .shell import Explorer
from .softmax import explore_softmax
from .step_size import explore_step_size
from .svm import explore_svm
from .update_rules import explore_update_rules

__all__ = [
    "Explorer",
    "explore_graph",
    "explore_input_step",
    "explore_net",
    "explore_softmax",
    "explore_step_size",
    "explore_svm",
    "explore_update_rules",
]
