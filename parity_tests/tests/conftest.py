"""One thread and one seed for everybody: the arrays are small, and what is computed stays the same from run to run."""

import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell, which its children inherit
    signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

# so that a failure inside a helper shows its values, as one inside a test does
pytest.register_assert_rewrite(
    *(f"parity_tests.tests.{name}" for name in ("conv_probes", "dataset_checks", "saved_networks"))
)


@pytest.fixture(autouse=True)
def _one_thread_and_one_seed() -> None:
    """Torch computes in one thread, and draws the same parameters in every test."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
