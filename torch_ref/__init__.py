"""The same chapters on PyTorch: torch's own operations do the work, the layout is the notes'."""
