"""What a sandbox raises: a student's own errors, the end of the process, no sandbox at all."""

from __future__ import annotations


class StudentError(Exception):
    """The submission's own code raised an error, or returned what is no plain data.

    `kind` is the name of the error's type, `text` its message, `cell` and `line` the place in the
    submission's cells, None where unknown. All is plain text of limited length.
    """

    def __init__(self, kind: str, text: str, cell: str | None = None, line: int | None = None):
        self.kind, self.text, self.cell, self.line = kind, text, cell, line
        where = "" if line is None else f" (line {line} of the cell)"
        super().__init__(f"{kind}{': ' if text else ''}{text}{where}")


class NotDefinedError(StudentError):
    """No cell defines the function, or its name stands for something else."""


class Stopped(Exception):  # noqa: N818
    """The submission's process is gone; the text is a sentence that says why.

    `reason` is "time", "memory", "output", "exit" (it ended, or was killed) or "protocol" (what it
    sent is no answer); `cell` is the cell in which it happened, None in a call.
    """

    def __init__(self, reason: str, sentence: str, cell: str | None = None):
        self.reason, self.cell = reason, cell
        super().__init__(sentence)


class UnavailableError(RuntimeError):
    """A submission cannot be contained on this system in the way that was asked for."""
