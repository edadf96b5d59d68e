"""Judges a derivation by its own forward pass: what it computes is J, and every gradient in it is held against J."""
