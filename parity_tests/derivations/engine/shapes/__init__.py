"""Shapes of a text's free names, inferred from how it uses them."""
