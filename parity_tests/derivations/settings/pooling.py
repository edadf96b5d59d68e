"""Pooling layers: dA comes from above, and every window hands it back to its cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from manual.notation import Array
from manual.pooling import pool_forward
from manual.shapes import conv_output_size
from parity_tests.derivations.settings.draws import sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    Answers,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.derivations.settings.volumes import CORNERS, VOLUME_FUNCTIONS, over_windows
from parity_tests.judging.complex_step import STEP

SIZES = ((3, 13, 15, 7, 6, 2), (4, 14, 23, 5, 7, 3), (6, 11, 8, 3, 5, 1))
"""Choices of (m, n_H_prev, n_W_prev, n_C, f, stride): windows overlap, and a stride above 1 leaves cells over at the
edge."""

SMALL = (5, 8, 6, 2, 3, 2)
"""Sizes on which a mistake is looked for: loops over few windows. What is found must hold on the others too."""


@dataclass(frozen=True, eq=False)
class PoolProblem:
    """A pooling layer whose dA, the derivative of L(i) in A, is given."""

    mode: str
    A_prev: Array
    dA: Array
    f: int
    stride: int

    def given(self) -> Values:
        """Sizes, the layer's input, and what comes from above."""
        m, n_H_prev, n_W_prev, n_C = self.A_prev.shape
        sizes = {"m": m, "n_H_prev": n_H_prev, "n_W_prev": n_W_prev, "n_C": n_C}
        sizes |= {"n_H": self.dA.shape[1], "n_W": self.dA.shape[2], "f": self.f, "stride": self.stride}
        return {**sizes, "A_prev": self.A_prev, "dA": self.dA}

    def by_numpy(self, l2: bool) -> Values:
        """Forward by the formula, backward by the complex step of sum(dA * A), taken for every example and channel."""
        dA_prev = np.empty_like(self.A_prev)
        for y, x in np.ndindex(self.A_prev.shape[1:3]):  # no window sees two examples or two channels
            moved = self.A_prev.astype(np.complex128)
            moved[:, y, x] += 1j * STEP
            dA_prev[:, y, x] = np.imag(np.sum(self.dA * self._forward(moved), axis=(1, 2))) / STEP
        return {"A": self._forward(self.A_prev), "dA_prev": dA_prev}

    def by_torch(self, l2: bool) -> Values:
        """Torch's pooling and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.pooling(self.mode, self.A_prev, self.dA, self.f, self.stride)

    def _forward(self, A_prev: Array) -> Array:
        return pool_forward(A_prev, self.f, self.stride, mode=self.mode)


def _draw(mode: str, seed: int) -> PoolProblem:
    return _drawn(mode, sizes_of(SIZES, seed), generator(f"{mode}-pool", seed))


def _drawn(mode: str, sizes: tuple[int, ...], rng: np.random.Generator) -> PoolProblem:
    m, n_H_prev, n_W_prev, n_C, f, stride = sizes
    n_H, n_W = (conv_output_size(n, f, stride=stride) for n in (n_H_prev, n_W_prev))
    A_prev, dA = rng.standard_normal((m, n_H_prev, n_W_prev, n_C)), rng.standard_normal((m, n_H, n_W, n_C))
    return PoolProblem(mode, A_prev, dA, f, stride)


TIED_SIZES = (3, 11, 13, 7, 5, 2)
"""Sizes of the probe with ties."""


def _tied() -> tuple[PoolProblem, Answers]:
    """Entries 0, 1 and 2: nearly every window has its maximum more than once."""
    problem = _drawn("max", TIED_SIZES, generator("max-pool-ties", 0))
    problem = replace(problem, A_prev=np.floor(np.abs(2 * problem.A_prev)) % 3)
    first, all_of_them = problem.by_torch(l2=False)["dA_prev"], np.zeros_like(problem.A_prev)
    for i, h, w, c in np.ndindex(problem.dA.shape):
        top, left = h * problem.stride, w * problem.stride
        window = i, slice(top, top + problem.f), slice(left, left + problem.f), c
        cells = problem.A_prev[window]
        all_of_them[window] += (cells == np.max(cells)) * problem.dA[i, h, w, c]
    return problem, {"dA_prev": {"the first takes all": first, "all do": all_of_them}}


def _own(mode: str, values: Values) -> PoolProblem:
    return PoolProblem(mode, values["A_prev"], values["dA"], int(values["f"]), int(values["stride"]))


_CELLS = "[i, vert_start:vert_end, horiz_start:horiz_end, c]"
_WRITTEN_OUT = "[i, h*stride:h*stride+f, w*stride:w*stride+f, c]"
_SLICE = f"a_slice = A_prev{_CELLS}"
_START = "dA_prev = np.zeros_like(A_prev)"
_MASKED = (
    over_windows(
        *CORNERS, _SLICE, "mask = a_slice == np.max(a_slice)", f"dA_prev{_CELLS} += mask * dA[i, h, w, c]",
        before=(_START,),
    ),
    over_windows(
        f"a = A_prev{_WRITTEN_OUT}", f"dA_prev{_WRITTEN_OUT} += (a == np.max(a)) * dA[i, h, w, c]",
        before=("dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C))",),
    ),
)  # fmt: skip
_SHARED = (
    over_windows(*CORNERS, f"dA_prev{_CELLS} += dA[i, h, w, c] / (f * f)", before=(_START,)),
    over_windows(
        *CORNERS, "average = dA[i, h, w, c] / f**2", f"dA_prev{_CELLS} += np.ones((f, f)) * average", before=(_START,)
    ),
    over_windows(f"dA_prev{_WRITTEN_OUT} += (1/(f*f)) * dA[i, h, w, c]", before=(_START,)),
)


def _forward(value: str) -> tuple[str, ...]:
    start = ("A = np.zeros((m, n_H, n_W, n_C))",)
    return (
        over_windows(*CORNERS, _SLICE, f"A[i, h, w, c] = {value.format('a_slice')}", before=start),
        over_windows(f"A[i, h, w, c] = {value.format(f'A_prev{_WRITTEN_OUT}')}", before=start),
    )


def _setting(mode: str, what: str, forward: tuple[str, ...], backward: tuple[str, ...]) -> Setting:
    return Setting(
        f"{mode}-pool",
        f"one pooling layer that keeps {what} of every window; dA comes from above",
        "dA_prev is the derivative of L(i), whose derivative in A is dA; L2 plays no part",
        (
            Symbol("m", "()", "number of examples"),
            Symbol("n_H_prev", "()", "height of the input"),
            Symbol("n_W_prev", "()", "width of the input"),
            Symbol("n_C", "()", "number of channels"),
            Symbol("n_H", "()", "height of the output"),
            Symbol("n_W", "()", "width of the output"),
            Symbol("f", "()", "height and width of a window, also size"),
            Symbol("stride", "()", "step from window to window, also s"),
            Symbol("A_prev", "(m, n_H_prev, n_W_prev, n_C)", "input"),
            Symbol("A", "(m, n_H, n_W, n_C)", "output"),
            Symbol("dA", "(m, n_H, n_W, n_C)", "derivative of L(i) in A, no 1/m"),
            Symbol("dA_prev", "(m, n_H_prev, n_W_prev, n_C)", "derivative of L(i) in A_prev, no 1/m"),
            Symbol(f"{mode}_pool", "function", f"{mode}_pool(A_prev, f, stride)"),
        ),
        {
            "A": Target(("F223", "F239"), forward, forward, "forward"),
            "dA_prev": Target(("F239",), backward, backward, "pool"),
        },
        {"n": ("n_H_prev", "n_W_prev", "n_C", "n_H", "n_W", "m", "f")},
        {"s": "stride", "size": "f"},
        lambda seed: _draw(mode, seed),
        {**COMMON_FUNCTIONS, **VOLUME_FUNCTIONS},
        (Own(("A_prev", "dA", "f", "stride"), lambda values: _own(mode, values), ("A", "dA_prev")),),
        lambda: _drawn(mode, SMALL, generator(f"{mode}-pool", 0)),
        _tied if mode == "max" else None,
    )


MAX_POOL = _setting("max", "the largest value", (*_forward("np.max({})"), "max_pool(A_prev, f, stride)"), _MASKED)
AVERAGE_POOL = _setting(
    "average",
    "the average",
    (*_forward("np.mean({})"), *_forward("np.sum({}) / (f * f)"), "average_pool(A_prev, f, stride)"),
    _SHARED,
)
