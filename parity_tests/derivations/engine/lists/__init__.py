"""Lists and dicts of layers, and the loops that count through them, written out."""
