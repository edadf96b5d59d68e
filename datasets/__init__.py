"""Toy data for the comparison: scikit-learn's sets, generated sets, your own arrays."""
