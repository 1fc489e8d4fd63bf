"""The workbook: a learner's own copy of the lessons, with open exercises and folded solutions.

======= ===========================================================================================
module  what it holds
======= ===========================================================================================
lessons where the lessons lie, and their exercises, solved and open
edition a lesson as it stands in a workbook
folder  the folder of a workbook: copying what is missing, saying what has changed
command `python -m cs231n_helpers.workbook`
======= ===========================================================================================
"""

from .edition import open_lesson
from .lessons import NOTEBOOKS, exercise_of, lesson, solutions

__all__ = ["NOTEBOOKS", "exercise_of", "lesson", "open_lesson", "solutions"]
