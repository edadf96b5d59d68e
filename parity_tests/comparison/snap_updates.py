"""Snap and compare for the optimisers: torch steps; W, v and s are compared with NumPy's, then replaced by them.

torch's optimiser lives as long as the run. So what it carries from step to step is its own wherever nothing is
compared: the number of the step, and that there is a state at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from manual.notation import Array, Gradients, Parameters
from manual.optimizers import OPTIMIZERS
from parity_tests.comparison.models import ModelCase, Start, about
from parity_tests.formulas.update_bounds import RULES
from parity_tests.judging import bounds
from parity_tests.judging.judge import NEAR_OVERFLOW, Ledger
from torch_ref import network as torch_side
from torch_ref.network import Network
from torch_ref.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS
from torch_ref.optimizers import export_state, load_state


class Updates:
    """The steps of one optimiser on both sides, each from the same parameters, gradients, v and s."""

    def __init__(self, case: ModelCase, begin: Start, module: Network, ledger: Ledger) -> None:
        """Both optimisers before their first step; the module takes torch's steps."""
        self.rule = OPTIMIZERS[case.optimizer](case.learning_rate)
        self.state = self.rule.init({name: begin.params[name] for name in begin.architecture.learned})
        self.torch_rule = TORCH_OPTIMIZERS[case.optimizer](module, case.learning_rate)
        self.module, self.ledger, self.about, self.t = module, ledger, about(case), 0
        self.layers = {k: l for l, _, k in begin.architecture.numbered() if k}
        self.largest = NEAR_OVERFLOW * np.sqrt(np.finfo(begin.X.dtype).max)
        self.u, self.tiny = bounds.unit_roundoff(begin.X.dtype), bounds.smallest_normal(begin.X.dtype)

    def step(self, params: Parameters, grads: Gradients) -> Parameters:
        """The parameters after a step by hand. The module holds the parameters as they were before it."""
        self.t += 1
        before = self._state()
        moved, self.state = self.rule.step(params, grads, self.state)  # type: ignore[arg-type]
        torch_side.load_grads(self.module, grads)
        self.torch_rule.step()
        reference = torch_side.export_params(self.module)
        state, reference_state = self._state(), export_state(self.module, self.torch_rule)
        for name, W in params.items():
            d = "d" + name
            arrays = {"W": W, "dW": grads[d], **{part: values[d] for part, values in before.items()}}
            wide = {symbol: value.astype(np.float64) for symbol, value in arrays.items()}
            wide["dW"] = bounds.divided(wide["dW"], 1, self.tiny)
            allowed = RULES[type(self.rule)](self.u, self.rule, self.t, **wide)
            where = self.about._replace(quantity=f"{name[0]} after a step", layer=self.layers[int(name[1:])])
            of = partial(self._within_reach, wide)
            self.ledger.add(where, moved[name], reference[name], allowed.pop("W"), of)
            for part, bound in allowed.items():
                of_part = where._replace(quantity=f"{part}_d{name[0]} after a step")
                self.ledger.add(of_part, state[part][d], reference_state[part][d], bound, of)
        load_state(self.module, self.torch_rule, state)
        return moved

    def _within_reach(self, arrays: Mapping[str, Array]) -> list[Array]:
        """The arrays, with infinity in place of what may overflow when it is squared."""
        return [np.where(np.abs(value) < self.largest, value, np.inf) for value in arrays.values()]

    def _state(self) -> dict[str, Gradients]:
        """The rule's v and s, where it has them."""
        return {part: value for part, value in self.state._asdict().items() if part != "t"}
