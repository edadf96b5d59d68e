"""Mistakes planted on purpose, each with what must catch it: the comparison is shown to be able to fail.

A fault is caught when exactly the quantities that it names fail, so it is found where it was planted and nowhere else.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from manual import activations
from manual.architecture import Architecture, Conv, Dense, Flatten, Pool
from manual.draws import initial_parameters
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import run_once
from parity_tests.formulas import CASES, FORMULAS
from parity_tests.formulas.case import LAMBDA, N_1, N_2, N_X, Case, M, binary, normal
from parity_tests.formulas.planting import Fault
from parity_tests.formulas.run import generator, run_case
from parity_tests.judging.judge import FAILS, Result


class FaultResult(NamedTuple):
    """What came of a planted fault in one dtype."""

    fault: Fault
    dtype: str
    failed: frozenset[str]
    detail: str

    @property
    def caught(self) -> bool:
        """Whether exactly the named quantities failed."""
        return self.failed == self.fault.caught


FAULTS: tuple[Fault, ...] = tuple(fault for formula in FORMULAS for fault in formula.faults)

VOLUME_MODULES = ("conv", "pooling", "shapes")
"""Modules of manual whose faults are planted in the probe network over volumes."""

VOLUMES = Architecture(
    (5, 7, 3),
    (
        Conv(3, (2, 3), pad=(1, 0), activation="tanh"),
        Conv(3, 3, pad=1, activation="leaky_relu"),
        Pool(2, 1, "average"),
        Conv(2, 2, stride=2, pad=1, activation="sigmoid"),
        Pool(2, 1, "max"),
        Flatten(),
        Dense(N_1, "tanh"),
        Dense(N_2, "sigmoid"),
    ),
)
"""Filters of as many channels in as out, overlapping windows, a stride with padding, several channels to flatten."""

PROBE = ModelCase("faults", "probe", lambda_=LAMBDA, learning_rate=0.1, steps=1)
NETWORK = Architecture(
    N_X,
    (Dense(N_1, "tanh"), Dense(N_1, "sigmoid"), Dense(N_1, "leaky_relu"), Dense(N_1, "tanh"), Dense(N_2, "sigmoid")),
)
"""Layers 2, 3 and 4 have one shape, so that mixing them up is not given away; all other sizes are distinct."""


def probe(dtype: Any, seed: int = 0, architecture: Architecture = NETWORK) -> Start:
    """The network that the faults of manual are planted in."""
    rng = generator("faults", seed)
    params = initial_parameters(architecture, "xavier", rng)
    params = {name: (value + 0.1 * normal(rng, *value.shape)).astype(dtype) for name, value in params.items()}
    X = normal(rng, *architecture.batch_shape(0, M))
    return Start(architecture, params, X.astype(dtype), binary(rng, N_2, M).astype(dtype))


def run_fault(planted: Fault, dtype: Any) -> FaultResult:
    """Plant one fault and see which quantities fail; an exception of the by-hand side fails everything."""
    if planted.target.startswith("case:"):
        results = run_case(_spoilt(planted), dtype, seed=0)
    else:
        begin = probe(dtype, 0, VOLUMES if planted.target.split(".")[0] in VOLUME_MODULES else NETWORK)
        with in_place(planted):
            results = run_once(PROBE, begin)
    failed = [each for each in results if each.verdict == FAILS]
    return FaultResult(planted, np.dtype(dtype).name, frozenset(each.quantity for each in failed), _detail(failed))


def healthy(dtype: Any, seed: int = 0) -> list[Result]:
    """What fails without any fault: nothing, or the faults prove nothing."""
    results = [each for network in (NETWORK, VOLUMES) for each in run_once(PROBE, probe(dtype, seed, network))]
    return [each for each in results if each.verdict == FAILS]


def _spoilt(planted: Fault) -> Case:
    """The case with one field replaced."""
    name, field = planted.target.removeprefix("case:").split(" ")
    case = next(case for case in CASES if case.id == name)
    spoilt = replace(case, **{field: planted.change(getattr(case, field))})
    return replace(spoilt, derivatives={}) if field == "bounds" else spoilt


@contextmanager
def in_place(planted: Fault) -> Iterator[None]:
    """The fault in place of the function of manual, for as long as the context lasts."""
    module_name, name = planted.target.split(".")
    module = importlib.import_module(f"manual.{module_name}")
    if module is activations:
        unit, field = name.removesuffix("'"), "g_prime" if name.endswith("'") else "g"
        right = activations.ACTIVATIONS[unit]
        activations.ACTIVATIONS[unit] = right._replace(**{field: planted.change(getattr(right, field))})
        try:
            yield
        finally:
            activations.ACTIVATIONS[unit] = right
    else:
        right_function = getattr(module, name)
        setattr(module, name, planted.change(right_function))
        try:
            yield
        finally:
            setattr(module, name, right_function)


def _detail(failed: list[Result]) -> str:
    """The first failure in a few words."""
    if not failed:
        return ""
    first = failed[0]
    return first.reason or f"error / bound {first.ratio:.2g}"
