"""Tests of training, estimators and files."""
