"""The kinds of numbers that a derivation is computed on: float64, complex steps, and tensors that record."""
