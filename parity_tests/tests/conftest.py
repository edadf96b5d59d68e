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


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flag for what takes minutes."""
    parser.addoption("--bars", action="store_true", help="run the tests marked bars, and them alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, or all else."""
    wanted = bool(config.getoption("--bars"))
    left_out = [item for item in items if (item.get_closest_marker("bars") is not None) != wanted]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
