"""What the C library is brought to do with memory that is freed."""

from __future__ import annotations

import numpy as np

LARGEST = 2**25 - 2**16
"""Bytes just below the 32 MiB up to which glibc learns."""


def keep_freed_memory() -> None:
    """Have glibc keep the memory of freed arrays of up to 32 MiB for the next ones.

    As it starts, it takes every array above 128 KiB from the system and gives it back when it is freed, so that the
    next array of that size consists of new pages: in a training step they can cost more than the arithmetic. But when
    it frees a piece of up to 32 MiB, it keeps what is that small from then on (man mallopt, M_MMAP_THRESHOLD). So a
    piece of that size is freed, which nobody has written to. That is what any array of this size does, it changes no
    option of the process, and is not undone: at most 64 MiB stay with the process. Other C libraries do as they do.
    """
    np.empty(LARGEST, np.uint8)
