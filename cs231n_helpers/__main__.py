"""What there is to do, once the package is installed: ``python -m cs231n_helpers``."""

from __future__ import annotations

import runpy
import sys

from .leftovers import exit_at_signals

#: Command -> its module, what may follow, and what it does.
COMMANDS = {
    "lessons": (
        "workbook", "[FOLDER]",
        "put the lessons into a folder (workbook), exercises open; yours are never overwritten",
    ),
    "exercises": (
        "exercises", "[FOLDER]",
        "say of each exercise in a folder's notebooks whether it is right",
    ),
    "doctor": (
        "doctor", "PATH",
        "check each function of an assignment 1 of any year of the course",
    ),
    "data": (
        "datasets.download", "[NAME ...]",
        "download the full Fashion-MNIST and CIFAR-10 into a cache, checked",
    ),
}  # fmt: skip
HEAD = "python -m cs231n_helpers"


def text() -> str:
    """Return the list of commands.

    >>> print(text().splitlines()[2])
      python -m cs231n_helpers lessons [FOLDER]
    """
    lines = ["A companion to CS231n, assignment 1. What there is to do:", ""]
    for name, (_, more, does) in COMMANDS.items():
        lines += [f"  {HEAD} {name} {more}", f"      {does}"]
    return "\n".join([*lines, "", f"{HEAD} COMMAND --help tells more of each."])


def main(arguments: list[str]) -> int:
    """List the commands, or run one; return the exit status."""
    name, *more = arguments or [""]
    if name in ("", "-h", "--help"):
        print(text())
        return 0
    if name not in COMMANDS:
        print(
            f"there is no command {name!r}: the choices are {', '.join(COMMANDS)}", file=sys.stderr
        )
        return 2
    module = f"{__package__}.{COMMANDS[name][0]}"
    sys.argv = [f"{HEAD} {name}", *more]
    runpy.run_module(module, run_name="__main__", alter_sys=False)
    return 0


if __name__ == "__main__":
    exit_at_signals()
    sys.exit(main(sys.argv[1:]))
