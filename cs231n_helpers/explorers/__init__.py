"""Figures with sliders, one for each notebook from 01 to 05."""

from .figures import (
    Explorer,
    explore_input_step,
    explore_net,
    explore_softmax,
    explore_step_size,
    explore_svm,
)

__all__ = [
    "Explorer",
    "explore_input_step",
    "explore_net",
    "explore_softmax",
    "explore_step_size",
    "explore_svm",
]
