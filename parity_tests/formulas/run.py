"""Run the cases of the formulas: loop, torch and complex step, each against the vectorised form."""

from __future__ import annotations

import zlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from parity_tests.formulas.case import Case, Inputs
from parity_tests.judging import bounds
from parity_tests.judging.complex_step import complex_step
from parity_tests.judging.judge import Ledger, Result, Where
from torch_ref.devices import array, tensor

COMPLEX_STEP_FACTOR = 3
"""A complex product is two real products and a sum where the formula has one rounding."""


def generator(name: str, seed: int) -> np.random.Generator:
    """The case's own stream: its draws do not depend on which other cases run."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def run_case(case: Case, dtype: Any, seed: int, device: str = "cpu") -> list[Result]:
    """Every output of a case, against every version that it has.

    An output that a version lacks, and a case without outputs, are failures.
    """
    probe = case.inputs(generator(case.id, seed))
    inputs = cast(probe, dtype)
    versions = outputs_of(case, inputs, dtype, device)
    got = versions.pop("manual")
    if case.derivatives:
        versions["complex step"] = _by_complex_step(case, inputs, got)
    at = magnitudes(inputs, versions["torch"])
    ledger = Ledger(dtype, max(np.size(value) for value in inputs.values()))
    for version, outputs in versions.items():
        factor = COMPLEX_STEP_FACTOR if version == "complex step" else 1
        for name in case.derivatives if version == "complex step" else case.bounds:
            where = Where(case.id, name, f"manual/{version}")
            if name not in got or name not in outputs:
                ledger.fail(where, f"{name} is missing")
                continue
            bound = factor * case.bounds[name](bounds.unit_roundoff(dtype), at)
            ledger.add(where, got[name], outputs[name], bound)
    if not ledger.results():
        ledger.fail(Where(case.id, "", ""), "the case compares nothing")
    return ledger.results()


def outputs_of(case: Case, inputs: Inputs, dtype: Any, device: str = "cpu") -> dict[str, dict[str, Any]]:
    """What every version of a case gives on the same inputs: by version (manual, torch, loop), by output."""
    versions = {
        "manual": _outputs(case, case.manual(*inputs.values()), dtype),
        "torch": _outputs(case, case.reference(*_as_tensors(inputs, device)), dtype),
    }
    if case.loop is not None:
        versions["loop"] = _outputs(case, case.loop(*inputs.values()), dtype)
    return versions


def reference_outputs(case: Case, inputs: Inputs) -> dict[str, Any]:
    """What torch gives on a probe, by output."""
    return _outputs(case, case.reference(*_as_tensors(inputs, "cpu")), np.float64)


def cast(inputs: Inputs, dtype: Any) -> Inputs:
    """The arrays among the inputs in a dtype."""
    return {name: value.astype(dtype) if isinstance(value, np.ndarray) else value for name, value in inputs.items()}


def _as_tensors(inputs: Inputs, device: str) -> list[Any]:
    return [tensor(value, device) if isinstance(value, np.ndarray) else value for value in inputs.values()]


def _outputs(case: Case, value: Any, dtype: Any) -> dict[str, Any]:
    """The outputs by name: fields of a bundle, or the one value. Python floats have no dtype and take the case's."""
    if isinstance(value, np.ndarray | np.generic | float | torch.Tensor):
        found = dict.fromkeys(list(case.bounds)[:1], value)
    else:
        found = {name: getattr(value, name) for name in case.bounds if hasattr(value, name)}
    return {name: _as_array(each, dtype) for name, each in found.items()}


def _as_array(value: Any, dtype: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return array(value)
    return np.asarray(value, dtype if type(value) is float else None)


def magnitudes(inputs: Inputs, reference: dict[str, Any]) -> SimpleNamespace:
    """Inputs and reference outputs in float64, by name; an output that shares an input's name stays the input."""
    return SimpleNamespace(**cast({**reference, **inputs}, np.float64))


def _by_complex_step(case: Case, inputs: Inputs, got: dict[str, Any]) -> dict[str, Any]:
    """The derivatives that the case's outputs claim to be; where the output is a number, so is its derivative."""
    others = cast(inputs, np.float64)
    derivatives = {}
    for name, (of, wrt) in case.derivatives.items():

        def moved(at: Any, of: Any = of, wrt: str = wrt) -> Any:
            return of(**{**others, wrt: at})

        jacobian = complex_step(moved, np.asarray(inputs[wrt]))
        is_number = jacobian.size == 1 and np.shape(got.get(name, 0)) == ()
        derivatives[name] = jacobian.reshape(()) if is_number else jacobian
    return derivatives
