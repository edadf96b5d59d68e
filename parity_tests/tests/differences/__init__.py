"""Tests of the comparison of two sets of numbers."""
