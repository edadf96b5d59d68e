"""Two steps of a program's parameters, with other numbers in place of the gradients of its first two rounds.

J says nothing of an optimiser's states. But the steps that follow given gradients are those of a known rule with the
program's own numbers, or they are not; and a change of one line may make them so.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.convention import ratio_of, same_factor
from parity_tests.derivations.engine.events import PART, Key
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.numbers.kinds import PLAIN
from parity_tests.derivations.engine.python.exchanged import target_of
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.engine.python.step_edits import LEAST_SHARE, StepEdit, changes_of
from parity_tests.derivations.engine.steps import is_maximised
from parity_tests.derivations.engine.truths import Truths

MOST_ENTRIES, MOST_EDITS, MOST_NUMBERS = 24, 500, 14
"""How many entries of a gradient are looked at, how many changes are tried, and how many of a program's numbers."""

SAME_WAY = 1e-11
"""One minus the cosine of steps that are those of a rule: they differ by less than 5 millionths."""

SAME_RATE, MOST_RATE = 1e-4, 0.9
MOST_SHARE = 0.99995
"""Between which numbers lies the share of a state that is left after a step."""


class Parameter(NamedTuple):
    """A parameter with the places of its first value, of its two steps, and of the gradient that goes into each."""

    first: Key
    steps: tuple[Key, Key]
    gradients: tuple[Key, Key]


class _Rules(NamedTuple):
    """What the rules make of the gradients of one parameter, each as a vector of length 1, its length, and its name."""

    ways: Any
    lengths: Any
    names: tuple[str, ...]


class Trials:
    """A program whose parameters take two steps, with other numbers in place of their gradients."""

    def __init__(self, program: PythonProgram, truths: Truths) -> None:
        self.program, self.truths = program, truths
        self.last = program.begun.rounds[-1]
        self.sites = program.codes[True].sites if True in program.codes else program._code(light=True).sites
        self.plain = self.values_of(program, {})
        self.parameters: list[Parameter] = []
        self.given: dict[Key, Any] = {}
        self.values: dict[Key, Any] = {}
        self.statements: list[ast.Assign | ast.AugAssign] = []
        self.of_numbers: set[int] = set()
        """The statements, by their ids, that compute a single number."""
        self.lines: set[int] = set()
        self.rules: dict[Parameter, _Rules] = {}
        self.numbers = self._numbers()
        self.rule = ""
        """The rule that most steps follow."""

    @classmethod
    def of(cls, text: str, call: str, seed: int, cost: str = "") -> Trials | None:
        """The trials of a program, whose J is a ``cost`` if one was said; None where its steps cannot be looked at."""
        reading = PythonReading("", text, call, cost=cost)
        trial = reading.trial(seed)
        program = trial.program
        assert isinstance(program, PythonProgram)
        costs = reading.written(trial)[:1] or reading.implied(trial)[:1]
        if program.begun.velocities & program.moved.keys():  # from rest
            program.moved = {key: each for key, each in program.moved.items() if key not in program.begun.velocities}
            run = program.run({})
            trial = Trial(program, program.probe(run), run)
        if len(program.begun.rounds) < 2 or not costs:
            return None
        truths = Truths(*trial, costs[0])
        found = cls(program, truths)
        if is_maximised(truths) or not found._find_parameters() or found._decays():
            return None
        found._find_statements()
        found.rules = {each: found._rules_for(each) for each in found.parameters}
        return found

    # ---- runs
    def values_of(self, program: PythonProgram, overrides: Mapping[Key, Any]) -> dict[Key, Any]:
        """All values of two rounds by their places, in their order."""
        values: dict[Key, Any] = {}

        def hook(key: Key, value: Any) -> Any:
            if key in overrides and np.shape(value) == np.shape(overrides[key]):
                value = np.array(overrides[key])
            values[key] = np.array(value)
            return value

        program.run({}, PLAIN, hook, self.last, keep=False)
        return values

    def _numbers(self) -> list[float]:
        """The single numbers of a program, written or computed before its second step."""
        written = [
            float(each.value)
            for each in ast.walk(self.program.tree)
            if isinstance(each, ast.Constant) and isinstance(each.value, int | float)
        ]
        computed = [float(value) for value in self.plain.values() if np.ndim(value) == 0]
        return list(dict.fromkeys(each for each in (*written, *computed) if np.isfinite(each)))

    # ---- what there is
    def _find_parameters(self) -> bool:
        """The parameters whose gradients are found; whether there are any, and all of them are."""
        steps, order = self.program.begun.steps, {key: place for place, key in enumerate(self.plain)}
        after = {old: new for new, old in steps.items()}
        end = order.get(self.program.begun.rounds[0], 0)
        in_round = Counter(key[0] for key, place in order.items() if place <= end)
        found: list[tuple[Key, Key, Key, list[Key]]] = []
        for first in [old for old in after if old not in steps]:
            one, two = after[first], after.get(after[first])
            truth = self.truths.by_key.get(first)
            if two is None or truth is None or two not in self.plain or first not in self.plain:
                continue
            found.append((first, one, two, self._along(truth.gradient, order, order[one])))
        if not found:
            return False
        chosen: dict[Key, int] = {each[0]: 0 for each in found}
        for _ in range(3):
            self.parameters = []
            for first, one, two, keys in found:
                if chosen[first] < len(keys):
                    number, count = keys[chosen[first]]
                    self.parameters.append(
                        Parameter(first, (one, two), ((number, count), (number, count + in_round[number])))
                    )
            self.given = self._drawn(0)
            values, others = self.values_of(self.program, self.given), self.values_of(self.program, self._drawn(1))
            self.values = values
            passed = [each for each in self.parameters if not self._depends(each, values, others)]
            for each in passed:
                chosen[each.first] += 1
            if not passed:
                break
        keys = [key for each in self.parameters for key in each.gradients]
        known = all(key in self.values and self.values[key].shape == self.given[key].shape for key in keys)
        return known and not passed and len(self.parameters) == len(found)

    def _along(self, truth: Any, order: Mapping[Key, int], before: int) -> list[Key]:
        """The values before a step that are a multiple of a derivative, the first ones first."""
        found = []
        for key, place in order.items():
            site = self.sites.get(key[0])
            if place >= before or site is None or site.role == PART or key in self.truths.by_key:
                continue
            ratio = ratio_of(self.plain[key], truth) if self.plain[key].shape == np.shape(truth) else None
            if ratio is not None and (np.size(truth) > 1 or same_factor(abs(ratio), 1.0)):
                found.append(key)
        return found

    def _drawn(self, number: int) -> dict[Key, Any]:
        """Gradients of both rounds for all parameters; not near to 0."""
        draws = np.random.default_rng([7, number])
        found: dict[Key, Any] = {}
        for each in self.parameters:
            for key in each.gradients:
                value = draws.standard_normal(self.plain[each.gradients[0]].shape)
                found[key] = value + 0.5 * np.sign(value)
        return found

    @staticmethod
    def _depends(parameter: Parameter, values: Mapping[Key, Any], others: Mapping[Key, Any]) -> bool:
        """Whether both steps change with the gradients."""
        return all(
            key in values and key in others and not np.array_equal(values[key], others[key]) for key in parameter.steps
        )

    def _decays(self) -> bool:
        """Whether a step depends on the parameter itself, as where its weights decay."""
        moved = {each.first: self.plain[each.first] + 0.7 for each in self.parameters}
        values = self.values_of(self.program, {**self.given, **moved})
        steps = [(self._change(each, self.values), self._change(each, values)) for each in self.parameters]
        finite = [(old, new) for old, new in steps if old is not None and new is not None]
        return any(not np.allclose(old, new, 1e-6, 1e-12) for old, new in finite)

    def gradients_hold(self) -> bool:
        """Whether all gradients are the derivatives of J, by one factor: what is wrong is then behind them."""
        factors = [
            ratio_of(self.plain[each.gradients[0]], self.truths.by_key[each.first].gradient) for each in self.parameters
        ]
        return all(each is not None and each > 0 and same_factor(each, factors[0] or 0.0) for each in factors)

    def has_a_schedule(self) -> bool:
        """Whether a number in the steps is another one in the second round, but in a correction ``1 - beta ** t``.

        A rate that decays, or a share that grows, is no part of the rules that are known.
        """
        others = self.values_of(self.program, self._drawn(1))
        seen: dict[str, set[float]] = {}
        corrected: set[str] = set()
        for key, value in self.values.items():
            site = self.sites.get(key[0])
            other = others.get(key)
            if site is None or site.role == PART or np.ndim(value) or other is None or not np.array_equal(value, other):
                continue  # what the gradients change is none
            name = symbols.base_of(site.name)
            seen.setdefault(name, set()).add(float(value))
            corrected |= {name} if site.statement is not None and any(_corrections(site.statement)) else set()
        vary = {name for name, values in seen.items() if len(values) > 1} - corrected
        steps = [each for each in self.statements if symbols.base_of(ast.unparse(target_of(each))) not in vary]
        return any(_read_beside_corrections(each.value, vary) for each in steps)

    def keep_a_state(self) -> bool:
        """Whether a second step depends on the first gradient: any function of one gradient may be meant."""
        firsts = {each.gradients[0] for each in self.parameters}
        values = self.values_of(
            self.program, {key: 1.1 * each if key in firsts else each for key, each in self.given.items()}
        )
        for each in self.parameters:
            one, other = self._change(each, self.values), self._change(each, values)
            if one is None:
                return True  # the root of a negative number: only what is kept may be one
            half = len(one) // 2
            if other is not None and not np.allclose(one[half:], other[half:], 1e-9, 1e-15):
                return True
        return False

    def _find_statements(self) -> None:
        """The statements between the gradients and the steps, and the single numbers that are computed there."""
        order = {key: place for place, key in enumerate(self.values)}
        start = min(order[each.gradients[0]] for each in self.parameters)
        ends = {key for each in self.parameters for key in each.gradients}
        others = self.values_of(self.program, self._drawn(1))
        found: dict[int, ast.Assign | ast.AugAssign] = {}
        for key, value in self.values.items():
            site = self.sites.get(key[0])
            if site is None or site.statement is None or key in ends or key in self.truths.by_key or not site.name:
                continue
            if order[key] <= start or order[key] > order.get(self.program.begun.rounds[0], 0):
                continue
            changed = key in others and not np.array_equal(value, others[key])
            if (changed or np.ndim(value) == 0) and isinstance(site.statement, ast.Assign | ast.AugAssign):
                found[id(site.statement)] = site.statement
                self.of_numbers |= set() if np.ndim(value) else {id(site.statement)}
        self.statements = list(found.values())
        self.lines = {each.lineno for each in self.statements}

    # ---- rules
    def _rules_for(self, parameter: Parameter) -> _Rules:
        """What known rules make of its gradients, with the program's own numbers."""
        one, two = (np.ravel(self.given[key])[:MOST_ENTRIES] for key in parameter.gradients)
        numbers = self.numbers
        parts = (round(part, 12) for each in numbers for part in (each, 1 - each))
        shares = list(dict.fromkeys(each for each in parts if LEAST_SHARE < each < MOST_SHARE))
        shares = sorted(shares, reverse=True)[:MOST_NUMBERS]
        small = [0.0, *sorted({each for each in numbers if 0 < each < 0.02})[:4]]
        ways, lengths, names = [], [], []
        for name, first, second in itertools.chain(_linear(one, two, shares), _scaled(one, two, shares, small)):
            way = -np.concatenate([first, second])
            length = np.linalg.norm(way)
            if np.isfinite(length) and length > 0:
                ways.append(way / length)
                lengths.append(length)
                names.append(name)
        return _Rules(np.array(ways), np.array(lengths), tuple(names))

    @staticmethod
    def _change(parameter: Parameter, values: Mapping[Key, Any]) -> Any:
        """Both steps as one vector; None where there are none."""
        keys = (parameter.first, *parameter.steps)
        if not all(key in values for key in keys) or len({values[key].shape for key in keys}) > 1:
            return None
        first, one, two = (np.ravel(values[key])[:MOST_ENTRIES] for key in keys)
        with np.errstate(all="ignore"):
            steps = np.concatenate([one - first, two - one])
        return steps if np.all(np.isfinite(steps)) else None

    def rules_of(self, parameter: Parameter, values: Mapping[Key, Any]) -> frozenset[str]:
        """The rules that its steps follow; the rate of one whose steps have a length of their own has to be written."""
        steps = self._change(parameter, values)
        length = 0.0 if steps is None else float(np.linalg.norm(steps))
        if not length:
            return frozenset()
        rules = self.rules[parameter]
        fitting = np.flatnonzero(rules.ways @ (steps / length) > 1 - SAME_WAY)
        found = ((rules.names[each], length / rules.lengths[each]) for each in fitting)
        return frozenset(name for name, rate in found if name not in SCALED or self._is_a_rate(rate))

    def _is_a_rate(self, rate: float) -> bool:
        """Whether a number of the program is the rate of a step."""
        return rate < MOST_RATE and any(abs(rate - abs(each)) <= SAME_RATE * rate for each in self.numbers)

    def bad(self) -> list[Parameter]:
        """The parameters whose steps do not follow the rule of most."""
        found = {each: self.rules_of(each, self.values) for each in self.parameters}
        votes = Counter(name for names in found.values() for name in names)
        self.rule = max(votes, key=lambda name: votes[name], default="")
        return [each for each, names in found.items() if self.rule not in names]

    def _kept(self) -> dict[str, int]:
        """The gradients and the states by the first word of their names, and how many statements read a state."""
        gradients = {
            _word(self.sites[key[0]].name)
            for key, value in self.values.items()
            if key[0] in self.sites and np.size(value) > 1
            if any(np.array_equal(value, each) for each in self.given.values())
        }
        states = {_word(ast.unparse(target_of(each))) for each in self.statements if _reads_itself(each)} - gradients
        read = {name: sum(name in _words(each.value) for each in self.statements) for name in states}
        return {**dict.fromkeys(gradients, len(self.statements) + 1), **read}

    def _leaves_out(self, edit: StepEdit, kept: Mapping[str, int]) -> bool:
        """Whether a change makes a simpler optimiser of it: a gradient or a state is not read there any more.

        Unless it reads a state in its place that nothing else reads.
        """
        before, after = _words(edit.statement.value), _words(edit.new.value)
        gained = {name for name in after - before if kept.get(name, 2) <= 1}
        return bool((before - after) & kept.keys()) and not gained

    def repair(self) -> StepEdit | None:
        """The likeliest change with which all steps follow one rule, that of those that follow one where there are."""
        edits = sorted(changes_of(self.statements, self.of_numbers), key=lambda each: each.cost)
        found: list[StepEdit] = []
        kept = self._kept()
        for edit in (each for each in edits[:MOST_EDITS] if not self._leaves_out(each, kept)):
            if found and edit.cost > found[0].cost:
                break
            changed = self.program.replaced(edit.statement, [edit.new])
            if changed is None:
                continue
            values = self.values_of(changed, self.given)
            rules = [self.rules_of(each, values) for each in self.parameters]
            common = frozenset.intersection(*rules)
            if self.rule in common or (common and not self.rule):
                found.append(edit)
                self.rule = self.rule or min(common)
        return found[0] if found else None


def _word(text: str) -> str:
    """The first word of a name: ``grads`` of ``grads[k]``, ``m`` of ``self.m[k]``."""
    return re.split(r"[\[.]", symbols.written(text).removeprefix("self."))[0]


def _words(node: ast.AST) -> set[str]:
    """The first words of the names that a formula reads."""
    read = (each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute))
    return {_word(ast.unparse(each)) for each in read} - {"self", "np"}


def _reads_itself(statement: ast.Assign | ast.AugAssign) -> bool:
    return isinstance(statement, ast.AugAssign) or _word(ast.unparse(target_of(statement))) in _words(statement.value)


def _corrections(node: ast.AST) -> Iterator[ast.AST]:
    """The parts ``1 - beta ** t`` of a statement."""
    for each in ast.walk(node):
        match each:
            case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=ast.BinOp(op=ast.Pow())):
                yield each


def _read_beside_corrections(node: ast.expr, names: Collection[str]) -> bool:
    """Whether a formula reads one of some names anywhere but in a correction."""
    inside = {id(part) for each in _corrections(node) for part in ast.walk(each)}
    read = (each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute) and id(each) not in inside)
    return any(symbols.base_of(ast.unparse(each)) in names for each in read)


Rule = tuple[str, Any, Any]

SCALED = frozenset(("Adam", "RMSprop", "AdaGrad"))
"""The rules whose steps are as long as their rate says, whatever the gradients are."""


def _linear(one: Any, two: Any, shares: Sequence[float]) -> Iterator[Rule]:
    """The rules whose steps are sums of gradients."""
    yield "gradient descent", one, two
    for share in shares:
        yield "momentum", one, two + share * one
        yield "momentum", one, (two + share * one) / (1 + share)
        yield "Nesterov's momentum", (1 + share) * one, (1 + share) * two + share**2 * one


def _scaled(one: Any, two: Any, shares: Sequence[float], small: Sequence[float]) -> Iterator[Rule]:
    """The rules that divide by a root of squares: epsilon beside the root or under it, averages corrected or not."""
    for eps, inside in [(each, inside) for each in small for inside in ((False, True) if each else (False,))]:
        yield "AdaGrad", one / _root(one**2, eps, inside), two / _root(one**2 + two**2, eps, inside)
        for of_squares in shares:
            first, second = _averages(one**2, two**2, of_squares)
            roots = _root(first, eps, inside), _root(second, eps, inside)
            yield "RMSprop", one / roots[0], two / roots[1]
            hats = first / (1 - of_squares), second / (1 - of_squares**2)
            corrected = _root(hats[0], eps, inside), _root(hats[1], eps, inside)
            largest = _root(np.maximum(*hats), eps, inside)
            for share in shares:
                means = _averages(one, two, share)
                late = 1 - share, 1 - share**2
                rates = np.sqrt(1 - of_squares) / late[0], np.sqrt(1 - of_squares**2) / late[1]
                ahead = share * means[0] / late[0] + one, share * means[1] / late[1] + (1 - share) * two / late[1]
                yield "RMSprop", one / roots[0], share * one / roots[0] + two / roots[1]
                yield "Adam", means[0] / roots[0], means[1] / roots[1]
                yield "Adam", rates[0] * means[0] / roots[0], rates[1] * means[1] / roots[1]
                yield "Adam", means[0] / late[0] / corrected[0], means[1] / late[1] / corrected[1]
                yield "Adam", means[0] / late[0] / corrected[0], means[1] / late[1] / largest
                yield "Adam", ahead[0] / corrected[0], ahead[1] / corrected[1]


def _averages(one: Any, two: Any, share: float) -> tuple[Any, Any]:
    """A moving average that begins at 0, after one value and after two."""
    first = (1 - share) * one
    return first, share * first + (1 - share) * two


def _root(squares: Any, eps: float, inside: bool) -> Any:
    return np.sqrt(squares + eps) if inside else np.sqrt(squares) + eps
