"""Inverted dropout: a mask and its scale on the way forward, the same mask and scale on the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manual.notation import Array
from parity_tests.derivations.settings.draws import sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    Kind,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.judging.complex_step import complex_step

SIZES = ((5, 7), (7, 11), (3, 13), (11, 5), (13, 3))
"""Choices of (n, m)."""


@dataclass(frozen=True, eq=False)
class DropoutProblem:
    """Outputs of a layer, the numbers of its mask, and the derivative in what is left of the outputs."""

    A: Array
    U: Array
    dA_drop: Array
    keep_prob: float

    @property
    def D(self) -> Array:
        """The mask."""
        return np.where(self.keep_prob > self.U, 1.0, 0.0)

    def given(self) -> Values:
        """Sizes, the outputs, the mask's numbers, and what comes from above, also under the name that it overwrites."""
        n, m = self.A.shape
        return {"n": n, "m": m, **vars(self), "dA": self.dA_drop}

    def by_numpy(self, l2: bool) -> Values:
        """Forward as the definition says, backward by the complex step of sum(dA_drop * A_drop)."""
        dropped = self._forward(self.A)
        dA = complex_step(lambda at: np.sum(self.dA_drop * self._forward(at)), self.A)
        return {"D": self.D, "A_drop": dropped, "A": dropped, "dA": dA}

    def by_torch(self, l2: bool) -> Values:
        """The same by torch and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.dropout(self.A, self.U, self.dA_drop, self.keep_prob)

    def _forward(self, A: Array) -> Array:
        return np.where(self.keep_prob > self.U, A / self.keep_prob, 0.0)


def _draw(seed: int) -> DropoutProblem:
    rng = generator("dropout", seed)
    shape = sizes_of(SIZES, seed)
    keep_prob = float(rng.uniform(0.55, 0.75))
    U = rng.permuted(np.linspace(0.02, 0.98, shape[0] * shape[1])).reshape(shape)  # some are kept, some are not
    return DropoutProblem(rng.standard_normal(shape), U, rng.standard_normal(shape), keep_prob)


@dataclass(frozen=True, eq=False)
class MaskedProblem(DropoutProblem):
    """A person's dropout, whose mask is given and not the numbers it came from."""

    def given(self) -> Values:
        """What was drawn, and the mask."""
        return {**super().given(), "D": self.D}


def _own(values: Values) -> MaskedProblem:
    """The mask stands for its numbers: 0 is kept, 1 is not."""
    keep_prob = float(np.ravel(values["keep_prob"])[0])
    if not 0 < keep_prob < 1:
        raise ValueError(f"keep_prob is {keep_prob}, expected above 0 and below 1")
    return MaskedProblem(values["A"], 1.0 - values["D"], values["dA_drop"], keep_prob)


def _target(right: tuple[str, ...], kind: Kind) -> Target:
    return Target(("F254",), right, right, kind)


_STEPS = "{name} = {start}\n{name} = {name} / keep_prob"

DROPOUT = Setting(
    "dropout",
    "inverted dropout on the outputs of one layer: D is 1 where an output is kept",
    "dA is the derivative of L(i) in A before dropout, whose derivative after it is dA_drop; A = ... and dA = ... may "
    "also be overwritten, as in A = A * D / keep_prob; L2 plays no part",
    (
        Symbol("n", "()", "number of units"),
        Symbol("m", "()", "number of examples"),
        Symbol("keep_prob", "()", "probability that an output is kept"),
        Symbol("U", "(n, m)", "numbers between 0 and 1, drawn for the mask"),
        Symbol("D", "(n, m)", "mask: 1 where U is below keep_prob, else 0"),
        Symbol("A", "(n, m)", "outputs before dropout, and after A is overwritten those after it"),
        Symbol("A_drop", "(n, m)", "outputs after dropout"),
        Symbol("dA_drop", "(n, m)", "derivative of L(i) in A_drop"),
        Symbol("dA", "(n, m)", "derivative of L(i) in A; where it is overwritten, dA_drop before that"),
    ),
    {
        "D": _target(("U < keep_prob", "np.where(U < keep_prob, 1, 0)", "keep_prob > U"), "function"),
        "A_drop": _target(
            ("A * D / keep_prob", "np.multiply(A, D) / keep_prob", "(1/keep_prob) * A * D", "A * (D / keep_prob)"),
            "dropout",
        ),
        "A": _target(
            ("A * D / keep_prob", "np.multiply(A, D) / keep_prob", _STEPS.format(name="A", start="A * D")), "dropout"
        ),
        "dA": _target(
            (
                "dA_drop * D / keep_prob",
                "dA * D / keep_prob",
                "np.multiply(dA_drop, D) / keep_prob",
                _STEPS.format(name="dA", start="dA * D"),
                "(1/keep_prob) * dA_drop * D",
            ),
            "dropout",
        ),
    },
    {"n": ("n", "m")},
    {f"{name}{l}": name for name in ("A", "D", "dA") for l in (1, 2)} | {"mask": "D"},
    _draw,
    COMMON_FUNCTIONS,
    (Own(("A", "D", "dA_drop", "keep_prob"), _own, ("A_drop", "dA")),),
)
