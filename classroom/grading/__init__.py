"""What comes back, graded."""
