"""How long a training step takes by hand, in torch, and at the least: two worker processes, timed in turn."""
