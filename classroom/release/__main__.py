"""Run by ``python -m classroom.release``: signals are heard while it imports for seconds."""

import sys

from classroom.orderly import status, stop_at_signals

stop_at_signals()
try:
    from .bundle import main

    sys.exit(main())
except KeyboardInterrupt as stop:
    print("stopped before all was made: run it again", file=sys.stderr)
    sys.exit(status(stop))
