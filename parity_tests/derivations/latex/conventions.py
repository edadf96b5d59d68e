"""What the sections of a note take for granted, by the formulas that hold in one convention and not in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.judge import Meant, first_meant, holds
from parity_tests.derivations.latex.kinds import (
    base_of,
    depends_on_cost,
    has_complement,
    has_layers_of_two_kinds,
    names_a_unit,
    unit_of,
)
from parity_tests.derivations.latex.references import (
    COSTS,
    SOFTMAX,
    Convention,
    costs_named,
)
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import LARGE, MEANINGS
from parity_tests.derivations.latex.targets import has_penalty
from parity_tests.derivations.latex.tree import (
    Derivative,
    NotReadError,
    Symbol,
    symbols_of,
)

UNITS_OF_HIDDEN = ("tanh", "sigmoid", "relu")
LAYOUTS = ((False, False), (True, False), (False, True), (True, True))
"""Rows, and turned weights."""


class Told(NamedTuple):
    """What is said beside a note: letters, layout, cost, and whether its formulas are for one example or many;
    ``strict``: what holds in another convention than the section's is no doubt.
    """

    let: Mapping[str, str] = {}
    layout: str = ""
    cost: str = ""
    examples: str = ""
    strict: bool = False


class Taken(NamedTuple):
    """A section's convention; ``settled`` are the parts with evidence, ``lines`` those that are it.

    "weights" is settled where all of a note's forward pass says how they lie, "numbers" where it says which layer's
    number they have; "disputed" where as many claims hold in one layout as in another.
    """

    convention: Convention
    settled: frozenset[str]
    lines: Mapping[str, tuple[int, ...]]


class Conventions:
    """Tries claims in conventions, and counts; what was tried is known."""

    def __init__(self, claims: Sequence[Claim], styles: Sequence[Style], many: Sequence[bool], told: Told) -> None:
        self.claims, self.styles, self.many, self.told = claims, styles, many, told
        self.held: dict[tuple[int, Convention], bool | None] = {}
        self.whole = self._taken(range(len(claims)), None)

    @cached_property
    def symbols(self) -> list[Symbol]:
        """All symbols of the claims, each once."""
        found = symbols_of(tuple((each.target, each.right) for each in self.claims))
        return list({repr(each): each for each in reversed(found)}.values())[::-1]

    def read(self, claim: Claim, convention: Convention) -> list[Meant]:
        """A claim in every frame; NotReadError where there is none."""
        return first_meant(claim, self.styles[claim.section], convention, self.told.let)

    def holds(self, number: int, convention: Convention) -> bool | None:
        """Whether a claim holds in a convention; None where it cannot be read there."""
        key = number, convention
        if key not in self.held:
            try:
                self.held[key] = any(map(holds, self.read(self.claims[number], convention)))
            except NotReadError:
                self.held[key] = None
        return self.held[key]

    def costs(self) -> tuple[str, ...]:
        """The costs that may be meant."""
        return costs_named(self.told.cost) or ((self.whole.convention.cost,) if "cost" in self.whole.settled else ())

    def of_section(self, section: int) -> Taken:
        """What a section takes for granted: what it shows itself, or else what the whole note does."""
        numbers = [number for number, each in enumerate(self.claims) if each.section == section]
        return self._taken(numbers, self.whole)

    def _taken(self, numbers: Iterable[int], whole: Taken | None) -> Taken:
        numbers = list(numbers)
        base = whole.convention if whole else Convention()
        weights = {MEANINGS.get(each.base) for number in numbers for each in self._symbols(number)}
        if whole is None or weights & {"W", "dW"}:
            base = base._replace(unbiased=bool(weights) and not weights & {"b", "db"})
        settled = set(whole.settled) if whole else set()
        lines: dict[str, tuple[int, ...]] = dict(whole.lines) if whole else {}
        penalties = [number for number in numbers if has_penalty(self.claims[number])]
        if penalties:
            given = any(MEANINGS.get(base_of(self.claims[number])) == "dW" for number in penalties)
            base = base._replace(decays=not given)
            settled |= {"decays"} if given else set()
        for name, usual, others in (("above", False, (True,)), ("hidden", base.hidden, UNITS_OF_HIDDEN)):
            if name == "hidden" and name in settled and not any(unit_of(self.claims[number]) for number in numbers):
                continue  # it is defined elsewhere in the note
            shown = self._shown(numbers, base, name, others)
            if name == "above":
                forward = {key for key, votes in shown.items() if any(map(self._is_forward, votes))}
                if len(forward) == 1:
                    settled |= {"numbers"} if whole is None else set()
                    shown = {key: shown[key] for key in forward}
                elif "numbers" in settled and not forward:
                    continue  # layers are numbered as in the note's forward pass
            if shown:
                best_value = max(shown, key=lambda key: (len(shown[key]), key == usual))
                base = base._replace(**{name: best_value})
                settled.add(name)
                lines[name] = tuple(self.claims[each].line for each in dict.fromkeys(shown[best_value]))
        layouts = self._layouts(numbers, base)
        forward = {number for votes in layouts.values() for number in votes if self._is_forward(number)}
        if whole is None and forward and len({rows != turned for rows, turned in layouts}) == 1:
            settled.add("weights")
        elif "weights" in settled and not forward:  # they lie as in the note's forward pass
            layouts = {key: votes for key, votes in layouts.items() if (key[0] != key[1]) == (base.rows != base.turned)}
        if self.told.layout:
            layouts = {key: votes for key, votes in layouts.items() if key[0] == (self.told.layout == "rows")}
            base = base._replace(rows=self.told.layout == "rows")
            settled.add("layout")
        if layouts:
            best = max(layouts, key=lambda key: (len(layouts[key]), key == (base.rows, base.turned), not key[1]))
            standing = layouts.get((base.rows, base.turned), ())
            if whole is None or len(layouts[best]) > len(standing) + 1 or not standing:
                base = base._replace(rows=best[0], turned=best[1])
                lines["layout"] = tuple(self.claims[each].line for each in layouts[best])
            rivals = [votes for votes in layouts.values() if not set(votes) & set(layouts[best])]
            disputed = len(layouts[best]) in map(len, rivals) and not any(
                map(self._is_forward, range(len(self.claims)))
            )
            settled |= {"disputed"} if disputed and not self.told.layout else {"layout"}
        costs = self._costs(numbers, base)
        if costs:
            best_cost = max(costs, key=lambda key: (costs[key][0], key == base.cost))
            if whole is None or costs[best_cost][0] > costs.get(base.cost, (0, ()))[0]:
                base = base._replace(cost=best_cost)
                lines["cost"] = costs[best_cost][1]
            settled.add("cost")
        elif whole is None and self.told.cost:
            base = base._replace(cost=costs_named(self.told.cost)[0])
        if self.told.cost:
            settled.add("cost")
        if shown := self._shown(penalties, base, "undivided", (True,)):
            base = base._replace(undivided=max(shown, key=lambda key: (len(shown[key]), not key)))
            settled.add("undivided")
        votes: Counter[bool | None] = Counter()
        outputs = [each for each in numbers if MEANINGS.get(base_of(self.claims[each])) in ("dZ", "dA")]
        said = any(self._divides_per_example(number, base) for number in outputs)
        for number in numbers if said else ():  # a partial fraction is a derivative of J anyway, and says little of dZ
            partial = isinstance(self.claims[number].target, Derivative)
            votes[self._divides_per_example(number, base)] += 1 if partial else 2
        disputed = 2 * min(votes[True], votes[False]) > max(votes[True], votes[False])
        if votes[True] and votes[True] >= votes[False]:
            base = base._replace(total=True)
            settled |= {"many"} if disputed else {"total", "many"}
        averages = [
            number
            for number in numbers
            if self.claims[number].many >= 9
            and MEANINGS.get(base_of(self.claims[number]), "")[:2] in ("dW", "db", "W", "b")
            and self.holds(number, base._replace(one=False)) and not self.holds(number, base._replace(total=True))
        ]  # fmt: skip
        if any(self._averages(number, base) for number in numbers):
            settled.add("many")
        if averages:
            settled |= {"many"} if base.total or disputed else {"many", "total"}
            lines["many"] = tuple(self.claims[each].line for each in averages)
        return Taken(base, frozenset(settled), lines)

    def _averages(self, number: int, base: Convention) -> bool:
        """Whether a derivative in a parameter is written out, from the labels on, as an average over the examples."""
        claim = self.claims[number]
        return (
            claim.many >= 9 and base_of(claim) in ("dw", "dW", "dtheta", "db") and depends_on_cost(claim)
            and not any(MEANINGS.get(each.base) == "dZ" for each in self._symbols(number))
            and bool(self.holds(number, base._replace(one=False)))
        )  # fmt: skip

    def _divides_per_example(self, number: int, base: Convention) -> bool | None:
        """Whether a claim says that the derivatives of the output are those of J itself, as dZ = (A - Y)/m does.

        None where it says neither.
        """
        claim = self.claims[number]
        named = MEANINGS.get(base_of(claim), "")
        parameter = named in ("dW", "db") and any(MEANINGS.get(each.base) == "dZ" for each in self._symbols(number))
        if not self.many[number] or not (parameter or (named in ("dZ", "dA") and depends_on_cost(claim))):
            return None
        here = base._replace(one=False, total=False)
        held = self.holds(number, here), self.holds(number, here._replace(total=True))
        return None if held[0] == held[1] else bool(held[1])

    def _symbols(self, number: int) -> list[Symbol]:
        """The symbols of a claim."""
        return symbols_of((self.claims[number].target, self.claims[number].right))

    def _layouts(self, numbers: Iterable[int], base: Convention) -> dict[tuple[bool, bool], list[int]]:
        """For each layout the claims that hold there and not everywhere."""
        found: dict[tuple[bool, bool], list[int]] = {}
        for number in numbers:
            used = {MEANINGS.get(each.base, "") for each in self._symbols(number)}
            if not used & {"W", "dW"} or ("dW" in used and "W" in used):
                continue
            one = not self.many[number]
            held: list[tuple[bool, bool]] = []
            costs = (base.cost, *(COSTS if depends_on_cost(self.claims[number]) else ()))
            weights = MEANINGS.get(base_of(self.claims[number])) == "dW" and not one
            for cost, total in product(costs, sorted({base.total, base.total or weights})):
                here = base._replace(one=one, cost=cost, total=total)
                held = held or [key for key in LAYOUTS if self.holds(number, here._replace(rows=key[0], turned=key[1]))]
            if 0 < len(held) < len(LAYOUTS):
                for key in held:
                    found.setdefault(key, []).append(number)
        voters = {number for votes in found.values() for number in votes}
        # a lone example is a column, wherever the examples of X lie; a forward pass says how weights lie
        for better in (self._names_matrices, self._is_forward):
            voters = set(filter(better, voters)) or voters
        kept = {key: [number for number in votes if number in voters] for key, votes in found.items()}
        return {key: votes for key, votes in kept.items() if votes}

    def _is_forward(self, number: int) -> bool:
        """Whether a claim is of a forward pass."""
        return MEANINGS.get(base_of(self.claims[number]), "") in ("Z", "A")

    def _names_matrices(self, number: int) -> bool:
        """Whether a claim has letters of all examples."""
        return any(each.base in LARGE for each in self._symbols(number))

    def _shown(
        self, numbers: Iterable[int], base: Convention, name: str, others: Iterable[Any]
    ) -> dict[Any, list[int]]:
        """For each value of a part of the convention the claims that hold with it and not with every value."""
        found: dict[Any, list[int]] = {}
        for number in numbers:
            claim = self.claims[number]
            if name == "above" and not has_layers_of_two_kinds(claim, self.styles[claim.section]):
                continue
            if name == "hidden" and not names_a_unit(claim):
                continue
            here = base._replace(one=not self.many[number])
            values = [getattr(base, name), *(each for each in others if each != getattr(base, name))]
            layouts = LAYOUTS if name == "above" else ((base.rows, base.turned),)
            held = [each for each in values if any(
                self.holds(number, here._replace(**{name: each, "rows": rows, "turned": turned}))
                for rows, turned in layouts)]  # fmt: skip
            if unit_of(claim) in ("relu", "tanh") and name == "hidden":
                held = [unit_of(claim)]
            if 0 < len(held) < len(values):
                for each in held:  # a definition says more than a formula that follows
                    found.setdefault(each, []).extend(
                        [number] * (3 if unit_of(claim) or base_of(claim) in ("J", "L") else 1)
                    )
        return found

    def _costs(self, numbers: Iterable[int], base: Convention) -> dict[str, tuple[float, tuple[int, ...]]]:
        """For each cost the claims that hold with it and not with every one: those that say J count more."""
        allowed = costs_named(self.told.cost) or tuple(COSTS)
        found: Counter[str] = Counter()
        lines: dict[str, list[int]] = {}
        for number in numbers:
            claim = self.claims[number]
            if unit_of(claim) == "softmax":
                found[SOFTMAX] += 3
                lines.setdefault(SOFTMAX, []).append(claim.line)
            if not depends_on_cost(claim):
                continue
            one = not self.many[number]
            trying = [cost for cost in allowed if cost != SOFTMAX or not has_complement(claim)]
            held = [cost for cost in trying if self.holds(number, base._replace(cost=cost, one=one))]
            if 0 < len(held) < len(COSTS):
                for cost in held:
                    found[cost] += 3 if base_of(claim) in ("J", "L", "C", "E") else 1
                    lines.setdefault(cost, []).append(claim.line)
        return {cost: (votes, tuple(lines[cost])) for cost, votes in found.items()}
