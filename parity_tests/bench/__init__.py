"""How long a training step and a convolution take by hand and in torch: two worker processes, timed in turn."""
