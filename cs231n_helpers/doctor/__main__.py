"""`python -m cs231n_helpers.doctor PATH/assignment1`: a house call, see `house_call`."""

import sys

from ..leftovers import exit_at_signals
from .house_call import main

if __name__ == "__main__":
    exit_at_signals()  # and end the student's process
    sys.exit(main())
