"""Modules of the students' package that call the learner's functions; this file stays here."""
