"""Free runs: each side trains alone, and the parameters at the end are compared.

Rounding grows over the steps of a free run in a way that no useful worst-case bound covers, so these lines are judged by
sensitivity: the by-hand run is repeated from five starts moved by one unit in the last place, and the two sides may differ by ten
times the spread that this causes. Such lines say "measured", not "derived".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from manual import network as by_hand
from manual.notation import Parameters
from manual.optimizers import GradientDescent
from parity_tests import bounds
from parity_tests.formulas import generator
from parity_tests.judge import Result, Where, judge
from parity_tests.models import ModelCase, Start
from torch_ref import network as torch_side
from torch_ref.devices import tensor
from torch_ref.optimizers import gradient_descent

REPEATS = 5
ALLOWANCE = 10
MOST_EXAMPLES = 500
"""Examples that a free run trains on: digits has more, and six runs of all of them would take longer than all else."""


def run_free(case: ModelCase, begin: Start, steps: int, seed: int, device: str = "cpu") -> list[Result]:
    """The parameters after ``steps`` steps of each side alone, on at most MOST_EXAMPLES examples."""
    begin = begin._replace(X=begin.X[:, :MOST_EXAMPLES], Y=begin.Y[:, :MOST_EXAMPLES])
    dtype = begin.X.dtype
    rng = generator(case.id + "/free", seed)
    got = _by_hand(case, begin, begin.params, steps)
    moved = [_by_hand(case, begin, _moved(begin.params, rng), steps) for _ in range(REPEATS)]
    reference = _by_torch(case, begin, steps, device)
    results = []
    for name, value in got.items():
        spread = max(float(np.max(np.abs(run[name] - value))) for run in moved)
        least = bounds.unit_roundoff(dtype) * float(np.max(np.abs(value)))
        where = Where(
            case.id,
            f"{name[0]} after {steps} free steps",
            model=case.model,
            dataset=case.dataset,
            layer=int(name[1:]),
            basis="measured",
        )
        allowed = ALLOWANCE * max(spread, least)
        results.append(judge(where, [value], [reference[name]], [np.float64(allowed)], dtype, floor=allowed))
    return results


def _moved(params: Parameters, rng: np.random.Generator) -> Parameters:
    """Every entry moved to the next number of its dtype, up or down."""
    return {
        name: np.nextafter(value, rng.choice([-np.inf, np.inf], value.shape).astype(value.dtype))
        for name, value in params.items()
    }


def _by_hand(case: ModelCase, begin: Start, params: Parameters, steps: int) -> Parameters:
    rule = GradientDescent(case.learning_rate)
    state = rule.init(params)
    for _ in range(steps):
        passed = by_hand.forward(begin.architecture, params, begin.X)
        back = by_hand.backward(begin.architecture, params, passed, begin.Y, case.lambda_, only_grads=True)
        params, state = rule.step(params, back.grads, state)
    return params


def _by_torch(case: ModelCase, begin: Start, steps: int, device: str) -> dict[str, Any]:
    module = torch_side.module_with(begin.architecture, begin.params, device=device)
    rule = gradient_descent(module, case.learning_rate)
    X, Y = tensor(begin.X, device), tensor(begin.Y, device)
    for _ in range(steps):
        rule.zero_grad()
        J = torch_side.cost(module, torch_side.forward(module, X), Y, case.lambda_)
        J.backward()  # type: ignore[no-untyped-call]
        rule.step()
    return torch_side.export_params(module)
