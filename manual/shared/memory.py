"""What the C library and OpenBLAS are brought to do with memory before a run."""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST = 2**25 - 2**16
"""Bytes just below the 32 MiB up to which glibc learns."""


@cache
def prepare_memory() -> None:
    """Have glibc keep the memory of freed arrays of up to 32 MiB for the next ones, and OpenBLAS take what it needs.

    As it starts, glibc takes every array above 128 KiB from the system and gives it back when it is freed, so that the
    next array of that size consists of new pages: in a training step they can cost more than the arithmetic. But when
    it frees a piece of up to 32 MiB, it keeps what is that small from then on (man mallopt, M_MMAP_THRESHOLD). So a
    piece of that size is freed, which nobody has written to. That is what any array of this size does, it changes no
    option of the process, and is not undone: at most 64 MiB stay with the process. Other C libraries do as they do.

    OpenBLAS packs what it multiplies into memory of its own, and its kernels look ahead of what is packed. As long as
    nothing was ever packed there, looking costs more than computing: the product of two float32 matrices of side 256
    takes four times as long as after a wider one. So a wide one comes first, in 3 ms.
    """
    np.empty(LARGEST, np.uint8)
    np.zeros((8, 256)) @ np.zeros((256, 4096))
