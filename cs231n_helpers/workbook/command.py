"""Your own copy of the lessons, with open exercises and folded solutions.

What is in the folder is never overwritten: a later run copies what is missing, and says which
lessons have changed since. With --fresh it puts a new copy of one lesson beside yours.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .folder import fresh, update


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m cs231n_helpers.workbook",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("workbook"))
    parser.add_argument("--fresh", metavar="LESSON", help="02_softmax, say, or 02")
    options = parser.parse_args(arguments)
    try:
        if options.fresh:
            print(f"{fresh(options.folder, options.fresh)}: a fresh copy")
        else:
            for line in update(options.folder):
                print(line)
    except (ValueError, ModuleNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        where = error.filename or options.folder
        refused = f"{where} cannot be written ({error.strerror}): mend that, or name another folder"
        print(f"{refused}; what you have stays" if error.errno else error, file=sys.stderr)
        return 1
    return 0
