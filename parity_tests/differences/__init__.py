"""Two sets of numbers that should be equal: the first that differs, and why."""
