"""Run by ``python -m classroom.grading``: processes that are started then import it only once."""

import sys

from .command import main

sys.exit(main())
