"""Work that several processes share: results in order as they come, and processes that end with whoever asked."""

from __future__ import annotations

import multiprocessing
import signal
import warnings
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from manual.shared.stopping import unheard

Given = TypeVar("Given")
Found = TypeVar("Found")


def in_processes(calls: Iterable[Any], jobs: int) -> Generator[Any, None, None]:
    """The results of joblib's ``delayed`` calls; closed early, or cut short by an exception, it ends the processes."""
    from joblib import Parallel

    with unheard():
        results = Parallel(n_jobs=jobs, return_as="generator")(calls)
    try:
        yield from results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # results that nobody takes are meant
            results.close()


def in_forks(
    function: Callable[[Given], Found], given: Sequence[Given], jobs: int, method: str
) -> Generator[Found, None, None]:
    """The results of a function for each of ``given``, from processes that are forked or spawned, as joblib's are not.

    Closed early, or cut short by an exception, it ends the processes at once.
    """
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context(method), initializer=_own_end)
    before = set(multiprocessing.active_children())
    try:
        with unheard():
            results = pool.map(function, given)
        yield from results
    except BaseException:
        for process in set(multiprocessing.active_children()) - before:
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _own_end() -> None:
    """SIGTERM ends a process of the pool, whatever it would do to the one that started it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
