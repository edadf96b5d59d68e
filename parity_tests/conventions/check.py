"""Run the conventions: the translation must be exact within its bound, and every naive one must not be."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.comparison.run import one_thread
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.run import generator, reference_outputs, run_case
from parity_tests.judging.judge import FAILS, HOLDS, Result


class Gap(NamedTuple):
    """How far one naive translation is off: its largest difference over the largest exact value, and the verdict."""

    naive: str
    off: float
    ratio: float
    differs: bool


class ConventionResult(NamedTuple):
    """What came of one convention in one dtype: a line for every output, a gap for every naive translation."""

    convention: Convention
    dtype: str
    results: list[Result]
    gaps: list[Gap]

    @property
    def exact(self) -> bool:
        """Whether the translation holds."""
        return all(result.verdict == HOLDS for result in self.results)

    @property
    def telling(self) -> bool:
        """Whether every naive translation differs."""
        return bool(self.gaps) and all(gap.differs for gap in self.gaps)

    @property
    def worst(self) -> Result:
        """The output with the largest error/bound."""
        return max(self.results, key=lambda result: (result.verdict == FAILS, result.ratio))

    def as_json(self) -> dict[str, Any]:
        """Plain data, with the texts of the convention."""
        about = self.convention
        texts = {name: getattr(about, name) for name in ("id", "topic", "notes", "torch", "translation", "model")}
        return {
            **texts,
            "formulas": about.formulas.split(),
            "dtype": self.dtype,
            "exact": self.exact,
            "results": [result.as_json() for result in self.results],
            "naive": [gap._asdict() for gap in self.gaps],
        }


def check(convention: Convention, dtype: str, seed: int = 0) -> ConventionResult:
    """One convention in one dtype, on the probe of one seed."""
    kind = np.dtype(dtype).type
    results = run_case(convention.case(convention.exact), kind, seed)
    gaps = [_gap(convention, naive, kind, seed) for naive in convention.naive]
    return ConventionResult(convention, dtype, results, gaps)


def check_all(conventions: Sequence[Convention]) -> Generator[ConventionResult, None, None]:
    """Every convention in every dtype that it has."""
    with one_thread():
        for convention in conventions:
            for dtype in convention.dtypes:
                yield check(convention, dtype)


def _gap(convention: Convention, naive: str, dtype: Any, seed: int) -> Gap:
    case = convention.case(convention.naive[naive])
    results = run_case(case, dtype, seed)
    probe = {
        name: value.astype(dtype) if isinstance(value, np.ndarray) else value
        for name, value in case.inputs(generator(case.id, seed)).items()
    }
    right = reference_outputs(convention.case(convention.exact), probe)
    wrong = reference_outputs(case, probe)
    return Gap(
        naive,
        off=max(float(np.abs(wrong[name] - right[name]).max() / np.abs(right[name]).max()) for name in right),
        ratio=max(result.ratio for result in results),
        differs=any(result.verdict == FAILS for result in results),
    )
