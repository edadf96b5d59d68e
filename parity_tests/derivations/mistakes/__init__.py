"""Which mistake was made: its vocabulary, and the small changes that undo each."""
