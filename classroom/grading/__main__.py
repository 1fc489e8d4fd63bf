"""Run by ``python -m classroom.grading``: processes that are started then import it only once."""

import sys

from classroom.orderly import end_with_make, status, stop_at_signals

stop_at_signals()
end_with_make()
try:
    from .command import main
except KeyboardInterrupt as stop:  # nothing has begun
    sys.exit(status(stop))
sys.exit(main())
