"""nbgrader's gradebook, filled in by us: its API and `nbgrader export` read it.

What a teacher enters there (a manual score, extra credit, an extension) stays and counts.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader import api
from nbgrader.plugins import LateSubmissionPlugin
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Float
from traitlets.utils.importstring import import_item

from .rubrics import NOTEBOOK, POINTS


@dataclass(frozen=True)
class Row:
    """What the gradebook says of a student."""

    points: Mapping[str, float]  # by exercise, with what the teacher changed
    raw: float  # their sum
    penalty: float  # for being late
    total: float
    seconds_late: float
    due: datetime | None  # for this student, with an extension; UTC without a zone


class PerTime(LateSubmissionPlugin):  # type: ignore[misc]
    """Takes off a share of the score for each day or hour that has begun.

    >>> PerTime(share=0.1, seconds=3600).late_submission_penalty("anna", 40.0, 3601)
    8.0
    """

    share = Float()
    seconds = Float()

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float:
        return float(score * self.share * math.ceil(total_seconds_late / self.seconds))


def late_plugin(rule: str) -> Any:
    """Return the nbgrader plugin for a rule: none, zero, 10%/day, 2%/hour or package.Class.

    >>> late_plugin("zero").late_submission_penalty("anna", 40.0, 1.0)
    40.0
    """
    if rule in ("none", "zero"):
        return LateSubmissionPlugin(penalty_method=rule)
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)%/(day|hour)", rule):
        return PerTime(share=float(match[1]) / 100, seconds={"day": 86400, "hour": 3600}[match[2]])
    try:
        plugin = import_item(rule)
        if not (isinstance(plugin, type) and issubclass(plugin, LateSubmissionPlugin)):
            raise TypeError("it is no class of nbgrader's LateSubmissionPlugin")
        return plugin()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{rule!r} is no rule for late submissions ({error}): give none, zero, 10%/day, "
            "2%/hour or the class of an nbgrader plugin, as in late.SubMarks"
        ) from error


def check_database(url: str) -> None:
    """Raise ValueError unless a database answers at a URL of SQLAlchemy."""
    try:
        engine = create_engine(url)
        engine.connect().close()
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise ValueError(
            f"--db opens no database ({str(error).splitlines()[0]}): give a URL as in "
            "sqlite:///gradebook.db or postgresql+psycopg2://user@host/name, of a server that "
            "runs, and install its driver into .venv"
        ) from error


class Gradebook:
    """The gradebook at a URL of SQLAlchemy, for one assignment.

    `deadline` is UTC without a zone; None leaves the one that the gradebook has. `late` is a rule
    of `late_plugin`.
    """

    def __init__(self, url: str, assignment: str, deadline: datetime | None, late: str) -> None:
        self._late = late_plugin(late)
        self._assignment = assignment
        self._book = _opened(url)
        due = {} if deadline is None else {"duedate": deadline}
        self._book.update_or_create_assignment(assignment, **due)
        for notebook in dict.fromkeys(NOTEBOOK.values()):
            self._book.update_or_create_notebook(notebook, assignment)
        for exercise, points in POINTS.items():
            place = NOTEBOOK[exercise], assignment
            self._book.update_or_create_solution_cell(exercise, *place)
            self._book.update_or_create_grade_cell(
                f"{exercise}_check", *place, max_score=points, cell_type="code"
            )

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    @property
    def deadline(self) -> datetime | None:
        """When the assignment is due, UTC without a zone."""
        due: datetime | None = self._book.find_assignment(self._assignment).duedate
        return due

    def record(
        self,
        student: str,
        timestamp: datetime | None,
        points: Mapping[str, float],
        comments: Mapping[str, str],
    ) -> Row:
        """Enter the points of a student and return what counts.

        An exercise without points was not graded, and is left to the teacher.
        """
        db = self._book.db
        self._book.update_or_create_student(student)
        with db.no_autoflush:  # else SQLAlchemy warns of what nbgrader does there
            submission = self._book.update_or_create_submission(
                self._assignment, student, timestamp=timestamp
            )
        try:
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    exercise = grade.name.removesuffix("_check")
                    score = points.get(exercise)
                    if exercise in POINTS and (score != grade.auto_score or score is None):
                        grade.auto_score = score
                        grade.needs_manual_grade = score is None or grade.manual_score is not None
                for comment in notebook.comments:
                    if comment.name in POINTS:
                        comment.auto_comment = comments.get(comment.name)
            db.flush()
            db.expire_all()  # scores are computed by the database
            row = self._row(submission)
            db.commit()
        except BaseException:
            db.rollback()
            raise
        return row

    def _row(self, submission: Any) -> Row:
        """Set the penalty of each notebook by nbgrader's rules, and sum up."""
        seconds_late, student = submission.total_seconds_late, submission.student_id
        points: dict[str, float] = {}
        raw = penalty = 0.0
        for notebook in submission.notebooks:
            taken_off, score = None, notebook.score
            if seconds_late > 0:
                taken_off = self._late.late_submission_penalty(student, score, seconds_late)
            if taken_off is not None:
                taken_off = min(max(taken_off, 0), score)
            notebook.late_submission_penalty = taken_off
            raw += score
            penalty += taken_off or 0
            for grade in notebook.grades:
                points[grade.name.removesuffix("_check")] = grade.score
        return Row(
            {exercise: points[exercise] for exercise in POINTS},
            raw,
            penalty,
            max(0.0, raw - penalty),
            seconds_late,
            submission.duedate if self.deadline else None,
        )


def _opened(url: str) -> api.Gradebook:
    """Open nbgrader's gradebook.

    A new file gets its tables under another name, so that it is never there with some of them.
    Meanwhile nbgrader calls alembic, which is to be found where .venv is not activated.
    """
    made, before = make_url(url), os.environ.get("PATH", "")
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + before
    try:
        if made.get_backend_name() == "sqlite" and made.database:
            path = Path(made.database)
            if not path.exists() or not path.stat().st_size:
                new = path.with_name(f"{path.name}.new")
                new.unlink(missing_ok=True)
                api.Gradebook(f"sqlite:///{new}").close()
                os.replace(new, path)
        return api.Gradebook(url)
    finally:
        os.environ["PATH"] = before
