r"""Run the cells of a submission in a sandbox, and call the functions that they define.

The submission is hostile until shown otherwise. It runs in a process of its own (`worker.py`),
contained by bubblewrap (`launch.py`), which gets arrays and numbers and answers with arrays and
numbers (`protocol.py`). What is right, what is tested and what is graded never goes there.

>>> import cs231n_helpers, numpy as np
>>> package = Path(cs231n_helpers.__file__).parent
>>> with Sandbox(package, [Cell("double", "def double(x):\n    return 2 * x")]) as sandbox:
...     sandbox.function("double")(np.arange(3.0))
array([0., 2., 4.])
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from .conversation import Cell, Conversation, Function, StudentError, one_line
from .launch import UnavailableError, started_worker
from .process import Limits, Stopped

CONTAINED = (
    "Contained by bubblewrap: no network, no other processes, Python and its packages read-only, "
    "nothing else to see"
)
UNCONTAINED = (
    "Not contained, in a process of its own with limits only: a submission can read what this user "
    "can read, use the network, fill the disk and kill this user's processes"
)


class Sandbox:
    """A submission's cells, run in a process of their own; used as a context.

    Parameters
    ----------
    package : Path
        The package that the submission may import, with no solutions in it.
    cells : sequence of Cell
        Run in this order, each by itself. ``np``, ``plt`` and the package's names need no import.
    limits : Limits
    contained : bool
        In bubblewrap; else with limits only.
    copies : Path, optional
        Where `copy_package` has put the package, for many sandboxes; one that is not contained, and
        could change it, makes a copy of its own, as all do without.

    Attributes
    ----------
    errors : dict
        What went wrong in which cell, by the cell's id.
    containment : str
        A sentence: how the submission is contained on this machine.

    Raises
    ------
    Stopped
        On entering, where a cell ends the process; its `cell` says which.
    UnavailableError
        On entering, where nothing can be run in this way on this system.
    """

    def __init__(
        self,
        package: Path,
        cells: Sequence[Cell],
        limits: Limits | None = None,
        *,
        contained: bool = True,
        copies: Path | None = None,
    ) -> None:
        self.errors: dict[str, str] = {}
        self.containment = CONTAINED if contained else UNCONTAINED
        self._cells = cells
        self._worker = started_worker(package.resolve(), limits or Limits(), contained, copies)

    def __enter__(self) -> Self:
        with ExitStack() as resources:
            try:
                self._process = resources.enter_context(self._worker)
                hello, _ = self._process.receive()
            except OSError as error:
                raise UnavailableError(f"submissions cannot be run here: {error}") from None
            except Stopped as stopped:
                why = one_line(self._process.output) or str(stopped)
                raise UnavailableError(f"submissions cannot be run here: {why}") from None
            self._process.is_ready()
            if hello["missing"]:
                self.containment += f"; not limited here: {' and '.join(hello['missing'])}"
            self.containment += "."
            self._conversation = Conversation(self._process, self._cells)
            for cell in self._cells:
                try:
                    self._conversation.run(cell)
                except StudentError as error:
                    self.errors[cell.id] = str(error)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    @property
    def output(self) -> str:
        """The beginning of what the submission has printed, as plain text."""
        return self._process.output

    def function(self, name: str) -> Function:
        """Return a stand-in for a function of the submission, called as that would be.

        Arrays, numbers, text, None, and lists, tuples and dicts of these go in and come out; a
        `Seed` goes in as a generator; a callable that goes in is called back here. Arguments that
        the function changes in place are changed here as well.

        Raises
        ------
        StudentError
            When called: the function is not defined (NotDefinedError), raises, or returns
            something else.
        Stopped
            When called: the process has ended in this call, or had before.
        """
        return Function(self._conversation, name)
