"""Tests of the page that judges while one types."""
