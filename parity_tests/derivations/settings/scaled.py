"""A setting in another convention: values times a factor, symbols under other names, or a model without biases."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from parity_tests.derivations.settings.setting import Problem, Setting, Truths, Values

Factor: TypeAlias = Callable[[Values], float]
"""A factor as a function of what a problem is given: its sizes and numbers."""


@dataclass(frozen=True, eq=False)
class Changed:
    """A problem whose values have other factors, or other names, before anyone sees them."""

    problem: Problem
    factors: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def given(self) -> Values:
        """The symbols that were drawn."""
        return dict(self._seen(self.problem.given()))

    def by_numpy(self, l2: bool) -> Mapping[str, Any]:
        """What follows, by the formulas and the complex step."""
        return self._seen(self.problem.by_numpy(l2))

    def by_torch(self, l2: bool) -> Mapping[str, Any]:
        """What follows, by torch."""
        return self._seen(self.problem.by_torch(l2))

    def _seen(self, values: Mapping[str, Any]) -> Truths:
        there = {self.names.get(name, name): name for name in values}

        def find(name: str) -> Any:
            value = values[there[name]]
            return value * self.factors[name] if name in self.factors else value

        return Truths(there, find)


def scaled(setting: Setting, factors: Mapping[str, Factor]) -> Setting:
    """The setting with these values multiplied, wherever they stand."""

    def times(problem: Problem) -> Problem:
        given = problem.given()
        return Changed(problem, {name: factor(given) for name, factor in factors.items()})

    small = setting.small
    return replace(
        setting,
        draw=lambda seed: times(setting.draw(seed)),
        small=None if small is None else lambda: times(small()),
    )


def unbiased(problem: Problem) -> Problem:
    """The same numbers in a model whose biases are 0."""
    from parity_tests.derivations.settings.problem import TextProblem  # torch and the engine only where they are used

    if isinstance(problem, Changed):
        return replace(problem, problem=unbiased(problem.problem))
    if isinstance(problem, TextProblem):
        zeros = {name: 0 * value for name, value in problem.values.items() if re.fullmatch(r"b\d*", name)}
        return replace(problem, values={**problem.values, **zeros})
    raise TypeError(f"{type(problem).__name__} has no biases")


def renamed(setting: Setting, names: Mapping[str, str], aliases: Mapping[str, str]) -> Setting:
    """The setting with other names for some symbols; ``aliases`` are those of the new names."""
    pattern = re.compile(rf"\b({'|'.join(sorted(names, key=len, reverse=True))})\b")

    def text(right: str) -> str:
        return pattern.sub(lambda found: names[found[0]], right)

    targets = {
        names.get(name, name): target._replace(
            right=text(target.right),
            right_l2=text(target.right_l2),
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
        draw=lambda seed: Changed(setting.draw(seed), names=names),
    )
