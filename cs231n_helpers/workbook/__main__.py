"""`python -m cs231n_helpers.workbook [FOLDER]`, see `command`."""

import sys

from ..leftovers import exit_at_signals
from .command import main

if __name__ == "__main__":
    exit_at_signals()
    sys.exit(main())
