"""The language of derivations: characters to a tree, and a tree to numbers."""
