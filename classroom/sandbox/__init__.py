"""Where a submission runs."""
