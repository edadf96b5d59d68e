"""Free runs: each side trains alone, and the parameters at the end are compared.

Rounding grows over the steps of a free run in a way that no useful worst-case bound covers, so these lines are judged
by sensitivity: the by-hand run is repeated from five starts moved by one unit in the last place, and the two sides
may differ by ten times the spread that this causes. Such lines say "measured", not "derived".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from manual import network as by_hand
from manual.notation import Parameters
from manual.optimizers import GradientDescent
from parity_tests import bounds
from parity_tests.formulas import generator
from parity_tests.judge import Judgement, Ledger, Result, Where, judge
from parity_tests.models import ModelCase, Start, first_examples
from torch_ref import network as torch_side
from torch_ref.devices import array, tensor
from torch_ref.optimizers import gradient_descent

REPEATS = 5
ALLOWANCE = 10


def run_free(case: ModelCase, begin: Start, steps: int, seed: int, device: str = "cpu") -> list[Result]:
    """The parameters after ``steps`` steps of each side alone, on as many examples as the case says.

    Where a unit with a kink (ReLU) ends up on the other side of it, one rounding changes a whole gradient, and the
    spread of five runs says nothing. Such a line cannot be told, provided that up to that step the two sides agree;
    otherwise it fails.
    """
    X, Y = first_examples(begin.X, begin.Y, case.free.examples)
    begin = begin._replace(X=X, Y=Y)
    judged = _judge_after(case, begin, steps, seed, device)
    if any(judgement.fails for judgement in judged.values()):
        kink = _first_kink(case, begin, steps, device)
        if kink and not any(early.fails for early in _judge_after(case, begin, kink, seed, device).values()):
            reason = f"a unit took the other side of its kink at step {kink}; up to there the two sides agree"
            judged = {
                name: judgement._replace(fails=False, untold=True, reason=reason) if judgement.fails else judgement
                for name, judgement in judged.items()
            }
    ledger = Ledger(begin.X.dtype, 1)
    for name, judgement in judged.items():
        quantity = f"{name[0]} after {steps} free steps"
        ledger.add_judged(
            Where(case.id, quantity, "manual/torch", case.model, case.dataset, int(name[1:]), "measured"), judgement
        )
    return ledger.results()


def _judge_after(case: ModelCase, begin: Start, steps: int, seed: int, device: str) -> dict[str, Judgement]:
    """Every parameter after ``steps`` steps, judged by the spread of the repeated runs."""
    dtype = begin.X.dtype
    rng = generator(case.id + "/free", seed)
    got = _by_hand(case, begin, begin.params, steps)
    repeats = [_by_hand(case, begin, moved(begin.params, rng), steps) for _ in range(REPEATS)]
    return judge_by_spread(got, _by_torch(case, begin, steps, device), repeats, dtype)


def judge_by_spread(
    got: Parameters, reference: Parameters, repeats: Sequence[Parameters], dtype: Any
) -> dict[str, Judgement]:
    """Every parameter at the end of a run, which may differ by ALLOWANCE times the spread of the repeated runs."""
    judged = {}
    for name, value in got.items():
        spread = max(float(np.max(np.abs(run[name] - value))) for run in repeats)
        least = bounds.unit_roundoff(dtype) * float(np.max(np.abs(value)))
        allowed = np.float64(ALLOWANCE * max(spread, least))
        judged[name] = judge(value, reference[name], allowed, dtype, floor=float(allowed))
    return judged


def _first_kink(case: ModelCase, begin: Start, steps: int, device: str) -> int | None:
    """The first step at which the two sides' Z differ in sign anywhere."""
    signs: list[list[list[Any]]] = [[], []]
    _by_hand(case, begin, begin.params, steps, lambda Z: signs[0].append([value > 0 for value in Z]))
    _by_torch(case, begin, steps, device, lambda Z: signs[1].append([array(value) > 0 for value in Z]))
    for step, (ours, theirs) in enumerate(zip(*signs, strict=True)):
        if any((one != other).any() for one, other in zip(ours, theirs, strict=True)):
            return step
    return None


def moved(params: Parameters, rng: np.random.Generator) -> Parameters:
    """Every entry moved to the next number of its dtype, up or down."""
    return {
        name: np.nextafter(value, rng.choice([-np.inf, np.inf], value.shape).astype(value.dtype))
        for name, value in params.items()
    }


def _by_hand(
    case: ModelCase, begin: Start, params: Parameters, steps: int, see: Callable[[Any], None] | None = None
) -> Parameters:
    """Train by hand; ``see`` is shown every Z of every step."""
    rule = GradientDescent(case.learning_rate)
    state = rule.init(params)
    for _ in range(steps):
        passed = by_hand.forward(begin.architecture, params, begin.X)
        if see:
            see([Z for Z in passed.Z if Z is not None])
        back = by_hand.backward(begin.architecture, params, passed, begin.Y, case.lambda_, only_grads=True)
        params, state = rule.step(params, back.grads, state)
    return params


def _by_torch(
    case: ModelCase, begin: Start, steps: int, device: str, see: Callable[[Any], None] | None = None
) -> dict[str, Any]:
    """Train with torch; ``see`` is shown every Z of every step."""
    module = torch_side.module_with(begin.architecture, begin.params, device=device)
    rule = gradient_descent(module, case.learning_rate)
    X, Y = tensor(begin.X, device), tensor(begin.Y, device)
    for _ in range(steps):
        rule.zero_grad()
        passed = torch_side.forward(module, X)
        if see:
            see([Z for Z in passed.Z if Z is not None])
        J = torch_side.cost(module, passed, Y, case.lambda_)
        J.backward()  # type: ignore[no-untyped-call]
        rule.step()
    return torch_side.export_params(module)
