"""Run by ``python -m classroom.grading``: processes that are started then import it only once."""

import sys

from .run import main

sys.exit(main())
