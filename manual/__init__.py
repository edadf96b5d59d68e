"""The notes by hand: every formula written out in NumPy, one chapter per module."""
