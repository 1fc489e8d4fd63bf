"""Run by ``python -m classroom.grading``: processes that are started then import it only once."""

import sys

try:
    from .command import main
except KeyboardInterrupt:  # nothing has begun
    sys.exit(130)
sys.exit(main())
