"""torch.compile'd models against ``manual``: every layer compiled by itself, node by node; then the whole at once.

A layer by itself is held to the derived bound of its operation. Compiled as a whole, operations are fused and nothing
between input and output can be looked at: cost, Z[L] and gradients are judged as free runs are, by ten times the spread
of five runs by hand whose parameters are moved by one unit in the last place. Such lines say "measured".
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from manual import network as by_hand
from manual.notation import Array
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.comparison.models import ModelCase, Start, about, every_step
from parity_tests.comparison.snap import Step, longest_sum
from parity_tests.formulas.run import generator
from parity_tests.judging.judge import Ledger, Result
from torch_ref import network as torch_side
from torch_ref.costs import OUTPUT_COSTS
from torch_ref.devices import array, tensor
from torch_ref.layout import to_rows

INDUCTOR = "inductor"
"""torch.compile's own backend."""


def check_compiler(device: str) -> None:
    """ValueError where torch.compile has no C++ compiler for the CPU."""
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if device == "cpu" and shutil.which(compiler) is None:
        raise ValueError(f"{compiler} is not there, expected a C++ compiler: torch.compile writes C++ for the CPU")


def run_compiled(
    case: ModelCase, begin: Start, seed: int = 0, device: str = "cpu", backend: Any = INDUCTOR
) -> list[Result]:
    """One forward and backward pass of a model, compiled layer by layer and as a whole."""
    here = next(every_step(case, begin, seed))
    ledger = Ledger(begin.X.dtype, longest_sum(begin))
    for part in (_layers, _whole):
        try:
            part(case, here, ledger, seed, device, backend)
        except RuntimeError as error:  # torch has no public name for those of its compiler
            where = about(case)._replace(quantity=f"torch.compile of {part.__name__[1:]}")
            ledger.fail(where, "torch.compile failed: " + " ".join(str(error).strip().splitlines()[:2]))
    return ledger.results()


def compiled(function: Callable[..., Any], backend: Any) -> Callable[..., Any]:
    """The function, compiled anew at every call.

    The built-in layers share their code, of which torch.compile keeps eight versions and then goes on uncompiled
    without a word: so it is made to forget.
    """

    def run(*arguments: Any) -> Any:
        torch.compiler.reset()
        with warnings.catch_warnings():
            # torch.compile itself asks for the .grad of its inputs
            warnings.filterwarnings("ignore", "The .grad attribute of a Tensor that is not a leaf Tensor")
            return torch.compile(function, fullgraph=True, dynamic=False, backend=backend)(*arguments)

    return run


def _layers(case: ModelCase, here: Start, ledger: Ledger, seed: int, device: str, backend: Any) -> None:
    """Every layer by itself."""
    module = torch_side.module_with(here.architecture, here.params, device=device)
    for layer in module:
        layer.forward = compiled(layer.forward, backend)
    Step(case, here, module, ledger, device).run()


def _whole(case: ModelCase, here: Start, ledger: Ledger, seed: int, device: str, backend: Any) -> None:
    """Forward pass, cost and backward pass of all layers together."""
    rng = generator(case.id + "/compiled", seed)
    repeats = [_by_hand(case, here._replace(params=moved(here.params, rng))) for _ in range(REPEATS)]
    reference = _by_torch(case, here, device, backend)
    layers = {k: l for l, _, k in here.architecture.numbered()}
    for name, judgement in judge_by_spread(_by_hand(case, here), reference, repeats, here.X.dtype).items():
        layer = layers[int(name[2:])] if name[0] == "d" else None
        quantity = f"{name[:2] if layer else name} of the compiled whole"
        ledger.add_judged(about(case)._replace(quantity=quantity, layer=layer, basis="measured"), judgement)


def _by_hand(case: ModelCase, here: Start) -> dict[str, Array]:
    """Cost, Z[L] and gradients."""
    architecture, params, X, Y, masks = here
    passed = by_hand.forward(architecture, params, X, masks)
    J = by_hand.cost(architecture, params, passed, Y, case.lambda_)
    grads = by_hand.backward(architecture, params, passed, Y, case.lambda_, only_grads=True).grads
    Z_L = passed.Z[-1]
    assert Z_L is not None
    return {"J": np.asarray(J, X.dtype), "Z_L": Z_L, **grads}


def _by_torch(case: ModelCase, here: Start, device: str, backend: Any) -> dict[str, Array]:
    """The same through one compiled function and autograd."""
    module = torch_side.module_with(here.architecture, here.params, device=device)
    m = here.Y.shape[1]
    torch_side.set_masks(module, here.masks, m)
    logits = torch_side.Logits(module)
    from_Z = OUTPUT_COSTS[here.architecture.output_unit].from_Z

    def cost(rows: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
        Z_L = logits(rows)
        J = from_Z(Z_L.T, Y)
        return (J + torch_side.penalty(module, case.lambda_, m) if case.lambda_ else J), Z_L

    rows = to_rows(tensor(here.X, device)).contiguous()
    J, Z_L = compiled(cost, backend)(rows, tensor(here.Y, device))
    return {"J": array(J), "Z_L": array(Z_L.T), **torch_side.backward(module, J)}
