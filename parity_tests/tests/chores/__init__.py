"""Tests of what only the makers run."""
