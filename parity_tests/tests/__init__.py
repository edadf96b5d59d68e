"""The tests that pytest runs."""
