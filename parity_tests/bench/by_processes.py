"""What the workers of several processes time: a training step, each on its share of the batch.

torchrun starts them. Rank 0 reads the requests, passes them on, and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cache
from typing import Any

from torch import distributed

from parity_tests.bench.by_torch import SharedTraining
from parity_tests.bench.sizes import Data
from torch_ref.distributed import World

PATIENCE = timedelta(hours=1)
"""How long the others wait for a request: as long as anything else is measured."""


@cache
def world() -> World:
    """The processes that torchrun started; they meet at the first call."""
    distributed.init_process_group("gloo", timeout=PATIENCE)
    return World(distributed.get_rank(), distributed.get_world_size())


def passed_on(requests: Iterable[str]) -> Iterator[str]:
    """The requests that rank 0 reads, in every process, until they end."""
    own = iter(requests)
    while True:
        request = [next(own, "") if world().leads else ""]
        distributed.broadcast_object_list(request)
        if not request[0]:
            break
        yield request[0]
    distributed.destroy_process_group()


def shared_step(data: Data) -> Callable[[], object]:
    """A training step."""
    return SharedTraining(data, world()).step


def second_cost(data: Data) -> Callable[[], float]:
    """The cost of the second step, which tells whether the first one was right."""
    return SharedTraining(data, world()).second_cost


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {"shared step": shared_step, "second cost": second_cost}
"""What can be asked for."""
