"""How much memory a convolution by hand takes beyond its outputs."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from parity_tests.bench.by_hand import conv_backward, conv_forward
from parity_tests.bench.conv_sizes import ConvSize, draw_volumes


def beyond_outputs(call: Callable[[], tuple[Any, ...]]) -> int:
    """Bytes that the call held at its peak, less those of the arrays that it returns.

    NumPy reports every array to tracemalloc. What BLAS packs its operands into, a fixed piece for each thread, is not
    seen.
    """
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        outputs = call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before - sum(int(output.nbytes) for output in outputs)


def workspace(size: ConvSize, dtype: str) -> dict[str, Any]:
    """The larger of what the forward and the backward pass take, beside the unrolled matrix, in bytes."""
    data = draw_volumes(size, dtype)
    forward, backward = conv_forward(data), conv_backward(data)
    used = max(beyond_outputs(lambda: (forward(),)), beyond_outputs(backward))
    unrolled = size.unrolled * data.A_prev.itemsize
    return {"workspace_bytes": used, "unrolled_bytes": unrolled, "workspace/unrolled": round(used / unrolled, 4)}
