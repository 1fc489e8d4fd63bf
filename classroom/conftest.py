"""Windows cannot contain submissions, so their examples are not run there."""

import os

collect_ignore = [] if hasattr(os, "fork") else ["sandbox"]
