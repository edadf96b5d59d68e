"""One thread for everybody: the arrays are small, and timings and sums stay the same from run to run."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Torch computes in one thread."""
    import torch

    torch.set_num_threads(1)
