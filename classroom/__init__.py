"""The classroom: from the notebooks a student's bundle, and grades for what comes back."""
