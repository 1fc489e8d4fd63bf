"""`python -m cs231n_helpers.doctor PATH/assignment1`: a house call, see `house_call`."""

import sys

from .house_call import main

if __name__ == "__main__":
    sys.exit(main())
