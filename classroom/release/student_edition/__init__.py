"""What the students' bundle holds of its own; its files replace those of the same name."""
