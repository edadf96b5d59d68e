"""Tests of the README."""
