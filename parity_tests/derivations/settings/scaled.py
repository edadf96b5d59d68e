"""A setting in another convention: values times a factor, symbols under other names, or a model without biases."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from parity_tests.derivations.settings.labels import LabelProblem
from parity_tests.derivations.settings.problems import NetworkProblem, ViewedProblem
from parity_tests.derivations.settings.setting import Problem, Setting, Values

Factor: TypeAlias = Callable[[Values], float]
"""A factor as a function of what a problem is given: its sizes and numbers."""


@dataclass(frozen=True, eq=False)
class Changed:
    """A problem whose values are changed before anyone sees them."""

    problem: Problem
    change: Callable[[Values], Values]

    def given(self) -> Values:
        """The symbols that were drawn."""
        return self.change(self.problem.given())

    def by_numpy(self, l2: bool) -> Values:
        """What follows, by the formulas and the complex step."""
        return self.change(self.problem.by_numpy(l2))

    def by_torch(self, l2: bool) -> Values:
        """What follows, by torch."""
        return self.change(self.problem.by_torch(l2))


def scaled(setting: Setting, factors: Mapping[str, Factor]) -> Setting:
    """The setting with these values multiplied, wherever they stand."""

    def times(problem: Problem) -> Problem:
        given = problem.given()
        numbers = {name: factor(given) for name, factor in factors.items()}
        return Changed(
            problem, lambda values: {**values, **{n: numbers[n] * values[n] for n in numbers if n in values}}
        )

    small = setting.small
    return replace(
        setting,
        draw=lambda seed: times(setting.draw(seed)),
        small=None if small is None else lambda: times(small()),
    )


def unbiased(problem: Problem) -> Problem:
    """The same numbers in a model whose biases are 0."""
    if isinstance(problem, Changed):
        return replace(problem, problem=unbiased(problem.problem))
    if isinstance(problem, ViewedProblem):
        return replace(problem, network=_unbiased(problem.network))
    if isinstance(problem, NetworkProblem):
        return _unbiased(problem)
    if isinstance(problem, LabelProblem):
        return replace(problem, b=np.zeros_like(problem.b))
    raise TypeError(f"{type(problem).__name__} has no biases")


def _unbiased(network: NetworkProblem) -> NetworkProblem:
    params = {name: np.zeros_like(each) if name.startswith("b") else each for name, each in network.params.items()}
    return replace(network, params=params)


def renamed(setting: Setting, names: Mapping[str, str], aliases: Mapping[str, str]) -> Setting:
    """The setting with other names for some symbols; ``aliases`` are those of the new names."""
    pattern = re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\b")

    def text(right: str) -> str:
        return pattern.sub(lambda found: names[found[0]], right)

    def change(values: Values) -> Values:
        return {names.get(name, name): value for name, value in values.items()}

    targets = {
        names.get(name, name): target._replace(
            right=tuple(map(text, target.right)),
            right_l2=tuple(map(text, target.right_l2)),
            after=tuple(names.get(each, each) for each in target.after),
        )
        for name, target in setting.targets.items()
    }
    symbols = tuple(each._replace(name=names.get(each.name, each.name)) for each in setting.symbols)
    kept = {alias: name for alias, name in setting.aliases.items() if alias not in targets and name not in names}
    return replace(
        setting,
        cost=text(setting.cost),
        symbols=symbols,
        targets=targets,
        aliases={**kept, **aliases},
        draw=lambda seed: Changed(setting.draw(seed), change),
    )
