"""Settings without a network: activations, costs, and the scales of initial weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from manual import initialization
from manual.costs import OUTPUT_COSTS
from manual.notation import Array
from parity_tests.derivations.settings import spellings
from parity_tests.derivations.settings.draws import labels, sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    UNITS,
    Kind,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.derivations.settings.spellings import spelled
from parity_tests.judging.complex_step import STEP, complex_step

SIZES = ((3, 7), (5, 11), (7, 13), (11, 17), (13, 19))
"""Choices of (n, m), more examples than outputs."""

NO_L2 = "; L2 plays no part"


def _target(ids: str, right: tuple[str, ...], kind: Kind) -> Target:
    return Target(tuple(ids.split()), right, right, kind)


# Activations.


@dataclass(frozen=True, eq=False)
class ActivationProblem:
    """Values z on both sides of zero and not near it, and the derivative da that comes from above."""

    unit: str
    z: Array
    da: Array

    def given(self) -> Values:
        """Sizes, z and da."""
        n, m = self.z.shape
        return {"n": n, "m": m, "z": self.z, "da": self.da}

    def by_numpy(self, l2: bool) -> Values:
        """The formula, and its complex step."""
        g = UNITS[self.unit].g
        g_prime = np.imag(g(self.z + 1j * STEP)) / STEP
        return {"a": g(self.z), "g_prime": g_prime, "dz": complex_step(lambda at: np.sum(self.da * g(at)), self.z)}

    def by_torch(self, l2: bool) -> Values:
        """Torch's function and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.activation(self.unit, self.z, self.da)


def _draw_activation(unit: str, seed: int) -> ActivationProblem:
    rng = generator(unit, seed)
    shape = sizes_of(SIZES, seed)
    sizes, signs = 0.1 + np.abs(rng.standard_normal(shape)), rng.permuted(_alternating(shape), axis=1)
    return ActivationProblem(unit, sizes * signs, rng.standard_normal(shape))


def _alternating(shape: tuple[int, ...]) -> Array:
    """Rows of 1 and -1."""
    return np.broadcast_to(1.0 - 2.0 * (np.arange(shape[1]) % 2), shape)


def _activation(unit: str, summary: str, value_ids: str, slope_ids: str) -> Setting:
    here = {"Z": "z", "A": "a"}
    named, *spelled_out = spellings.activation(unit, "z")
    slopes = spelled(spellings.SLOPE[unit], **here)
    through = ("da * g'", "np.multiply(da, g')", *spellings.slope_times(unit, ("da",), **here))
    return Setting(
        unit,
        f"the activation {summary}, entry by entry",
        f"a = g(z); dz is the derivative of a loss in z where da is that in a{NO_L2}",
        (
            Symbol("n", "()", "number of units"),
            Symbol("m", "()", "number of examples"),
            Symbol("z", "(n, m)", "input of the activation, also Z"),
            Symbol("a", "(n, m)", "output of the activation, also A"),
            Symbol("g_prime", "(n, m)", "derivative of a in z, also written g'"),
            Symbol("da", "(n, m)", "derivative of the loss in a, also dA"),
            Symbol("dz", "(n, m)", "derivative of the loss in z, also dZ"),
        ),
        {
            "a": _target(value_ids, (*spelled_out, named), "function"),
            "g_prime": _target(slope_ids, slopes, "function"),
            "dz": _target("F095 F164", through, "derivative"),
        },
        {"A": ("a",), "Z": ("z",), "dA": ("da",), "dZ": ("dz",), "n": ("n", "m")},
        {"A": "a", "Z": "z", "dA": "da", "dZ": "dz", "da_dz": "g_prime"},
        lambda seed: _draw_activation(unit, seed),
        COMMON_FUNCTIONS,
    )


# Costs.


@dataclass(frozen=True, eq=False)
class CostProblem:
    """Outputs of a unit, and what they should be."""

    unit: str
    Z: Array
    Y: Array

    @property
    def A(self) -> Array:
        """The outputs."""
        return UNITS[self.unit].g(self.Z)

    def given(self) -> Values:
        """Sizes, Z, A and Y."""
        n_L, m = self.Z.shape
        return {"n_L": n_L, "m": m, "Z": self.Z, "A": self.A, "Y": self.Y}

    def by_numpy(self, l2: bool) -> Values:
        """J on A, and the complex step of m J in A and in Z."""
        cost, g, m = OUTPUT_COSTS[self.unit].from_A, UNITS[self.unit].g, self.Z.shape[1]
        return {
            "J": cost(self.A, self.Y),
            "dA": m * complex_step(lambda at: cost(at, self.Y), self.A),
            "dZ": m * complex_step(lambda at: cost(g(at), self.Y), self.Z),
        }

    def by_torch(self, l2: bool) -> Values:
        """Torch's loss and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.cost(self.unit, self.A, self.Z, self.Y)


def _draw_cost(name: str, unit: str, seed: int) -> CostProblem:
    rng = generator(name, seed)
    n_L, m = sizes_of(SIZES, seed)
    return CostProblem(unit, rng.standard_normal((n_L, m)), labels(unit, rng, n_L, m))


def _cost(name: str, unit: str, cost: str, ids: Mapping[str, str]) -> Setting:
    here = {"Z": "Z", "A": "A", "Y": "Y", "dA": "dA"}
    slope = () if unit == "softmax" else (f"dA * {unit}'(Z)",)
    return Setting(
        name,
        f"the cost that goes with {'an' if unit == 'identity' else 'a'} {unit} output, summed over outputs",
        f"J = {cost}, over outputs and examples, with A = {unit}(Z){NO_L2}",
        (
            Symbol("n_L", "()", "number of outputs"),
            Symbol("m", "()", "number of examples"),
            Symbol("Z", "(n_L, m)", "linear part of the output layer"),
            Symbol("A", "(n_L, m)", "outputs"),
            Symbol("Y", "(n_L, m)", "what the outputs should be"),
            Symbol("J", "()", "cost"),
            Symbol("dA", "(n_L, m)", "derivative of L(i) in A, no 1/m"),
            Symbol("dZ", "(n_L, m)", "derivative of L(i) in Z, no 1/m"),
        ),
        {
            "J": _target(ids["J"], spelled(spellings.COST[unit], **here), "cost"),
            "dA": _target(ids["dA"], spelled(spellings.COST_PRIME[unit], **here), "derivative"),
            "dZ": _target(ids["dZ"], (*spelled(spellings.OUTPUT_DZ[unit], **here), *slope), "derivative"),
        },
        {"A": ("A",), "Z": ("Z",), "dA": ("dA",), "dZ": ("dZ",), "n": ("n_L", "m")},
        {"a": "A", "z": "Z", "y": "Y", "da": "dA", "dz": "dZ"} | dict.fromkeys(("yhat", "Yhat", "y_hat", "Y_hat"), "A"),
        lambda seed: _draw_cost(name, unit, seed),
        COMMON_FUNCTIONS,
    )


# Scales of initial weights.


@dataclass(frozen=True, eq=False)
class ScaleProblem:
    """Fan-in and fan-out of a layer."""

    n_prev: int
    n: int

    def given(self) -> Values:
        """The two sizes."""
        return {"n_prev": self.n_prev, "n": self.n}

    def by_numpy(self, l2: bool) -> Values:
        """The formulas by hand."""
        return {
            "he": initialization.he(self.n_prev),
            "xavier": initialization.xavier(self.n_prev, self.n),
            "lecun": initialization.lecun(self.n_prev),
            "small": initialization.small(),
        }

    def by_torch(self, l2: bool) -> Values:
        """Read off torch's draws."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.scales(self.n_prev, self.n)


SCALE_SIZES = ((17, 29), (31, 19), (23, 41), (43, 37), (29, 53))
"""Choices of (n_prev, n)."""

INITIALIZATION = Setting(
    "initialization",
    "standard deviation of the initial weights of a layer",
    f"there is no J: a scale is the standard deviation that the draws are multiplied with{NO_L2}",
    (
        Symbol("n_prev", "()", "number of units of the layer below, fan-in"),
        Symbol("n", "()", "number of units of the layer, fan-out"),
        Symbol("he", "()", "scale for ReLU layers"),
        Symbol("xavier", "()", "scale between fan-in and fan-out, for tanh and sigmoid layers"),
        Symbol("lecun", "()", "scale from the fan-in alone"),
        Symbol("small", "()", "scale for shallow networks"),
    ),
    {
        "he": _target("F147", ("np.sqrt(2/n_prev)", "(2/n_prev)**0.5", "np.sqrt(2) / np.sqrt(n_prev)"), "scale"),
        "xavier": _target("F147", ("np.sqrt(2/(n_prev + n))", "(2/(n_prev + n))**0.5"), "scale"),
        "lecun": _target("F147", ("1/np.sqrt(n_prev)", "np.sqrt(1/n_prev)", "n_prev**-0.5"), "scale"),
        "small": _target("F144", ("0.01", "1/100"), "scale"),
    },
    {"n": ("n_prev", "n")},
    {"n_in": "n_prev", "n_out": "n", "fan_in": "n_prev", "fan_out": "n"},
    lambda seed: ScaleProblem(*sizes_of(SCALE_SIZES, seed)),
    COMMON_FUNCTIONS,
)

FUNCTIONS: tuple[Setting, ...] = (
    _activation("sigmoid", "1/(1 + e^-z)", "F003", "F013 F122"),
    _activation("tanh", "(e^z - e^-z)/(e^z + e^-z)", "F125", "F127"),
    _activation("relu", "max(0, z)", "F130", "F131 F132"),
    _activation("leaky_relu", "max(0.01 z, z)", "F133", "F134"),
    _cost(
        "binary_cross_entropy",
        "sigmoid",
        "-(1/m) * sum of Y log A + (1 - Y) log(1 - A)",
        {"J": "F175 F198", "dA": "F010 F011", "dZ": "F050"},
    ),
    _cost("cross_entropy", "softmax", "-(1/m) * sum of Y log A", {"J": "F247", "dA": "F247", "dZ": "F098"}),
    _cost("squared_error", "identity", "1/(2*m) * sum of (A - Y)^2", dict.fromkeys(("J", "dA", "dZ"), "F137")),
    INITIALIZATION,
)
