"""A person's own functions, known by their names: called apart on the probes of a setting, and judged like numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from parity_tests.derivations.own.calls import Answer, called
from parity_tests.derivations.own.drawn import DRAWN, drawn_request, judged_drawn
from parity_tests.derivations.own.function_verdicts import judged, request, together, trials
from parity_tests.derivations.own.initial import INITIAL, initial_request, judged_initial
from parity_tests.derivations.own.not_looked_at import binds, counts_from_the_end, functions_of, not_looked_at
from parity_tests.derivations.own.tasks import TASKS, Task, setting_of
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.settings.readings import Reading, readings_of
from parity_tests.derivations.verdicts import (
    HOLDS,
    NOT_JUDGED,
    NOTES_CONVENTION,
    REFEREES,
    Cost,
    Judged,
    Verdict,
    not_judged,
    summarised,
)

EACH = "J = what the docstring of each public function says"
LAYOUT = "examples in columns, volumes (m, n_H, n_W, n_C); the functions named like the public ones are called"

EXAMPLES = "linear_backward, propagate, conv_backward, pool_forward, adam or initialize_parameters"

Verdicts = dict[str, list[Verdict]]
"""The verdicts on functions, by name."""


def verify_functions(path: Path, *, seed: int = 0, strict: bool = False) -> Judged:
    """Judge every function of a .py file whose name is known, as the public ones and those of well-known courses.

    The others, what cannot be called, and gradients computed outside of functions, are "not judged". A file without a
    known name is not run. Functions that are right in another convention than the notes', such as torch's momentum,
    hold in it, and it is named; with ``strict`` they are wrong.

    Raises ValueError where the file cannot be run, or has neither functions nor gradients.
    """
    source = path.read_text(encoding="utf-8", errors="replace")
    names = [name for name in (*TASKS, *INITIAL) if binds(source, (name,))]
    found = _judge_known(path, source, names, seed) if names else {}
    conventions = [NOTES_CONVENTION]
    if not strict:
        elsewhere, readings = _in_other_conventions(path, source, found, seed)
        found |= elsewhere
        conventions = [reading.sentence for reading in readings] or conventions
    left, helpers = not_looked_at(source, found)
    if not found and not left:
        raise ValueError(f"{path.name} has no function to judge, expected one with a known name, such as {EXAMPLES}")
    rows = (*(verdict for verdicts in found.values() for verdict in verdicts), *left)
    convention = "; ".join(dict.fromkeys(conventions))
    return Judged(path.name, Cost(EACH), convention, LAYOUT, REFEREES, rows, summarised(rows, helpers))


def _judge_known(path: Path, source: str, names: Sequence[str], seed: int) -> Verdicts:
    """The verdicts on the functions of these names."""
    requests = {
        name: [request(task, setting_of(task.setting), seed) for task in TASKS[name]] for name in names if name in TASKS
    }
    requests |= {name: [initial_request(INITIAL[name])] for name in names if name in INITIAL}
    for name in DRAWN.keys() & requests.keys():
        requests[name].append(drawn_request(DRAWN[name]))
    found = {}
    for name, answers in called(path, requests).items():
        if name in INITIAL:
            found[name] = judged_initial(name, INITIAL[name], answers[0])
            continue
        drawn = judged_drawn(name, DRAWN[name], source, answers.pop()) if name in DRAWN else []
        verdicts = [
            _judged(source, name, task, setting_of(task.setting), answer, seed)
            for task, answer in zip(TASKS[name], answers, strict=True)
        ]
        found[name] = _of_one_mode(source, name, verdicts) or together(name, verdicts)
        if any(row.verdict != NOT_JUDGED for row in drawn) and all(row.verdict == NOT_JUDGED for row in found[name]):
            found[name] = drawn
    return found


def _judged(
    source: str, name: str, task: Task, setting: Setting, answer: Answer, seed: int, *, causes: bool = True
) -> list[Verdict]:
    from_the_end = counts_from_the_end(source, name)
    probes = trials(setting, seed)
    return judged(name, task, setting, probes, answer, counts_from_the_end=from_the_end, causes=causes)


def _in_other_conventions(
    path: Path, source: str, before: Mapping[str, list[Verdict]], seed: int
) -> tuple[Verdicts, list[Reading]]:
    """What holds in another convention, of the functions that do not hold; and the conventions.

    As for the lines of a text, one value alone is no convention, for it may be a mistake, unless the function can only
    be called so, as one of dropout that takes no keep_prob, or is a cost, of which people take the mean over the
    outputs too: then its derivative must be that of the same cost.
    """
    left = [name for name, rows in before.items() if name in TASKS and any(row.verdict != HOLDS for row in rows)]
    tried = {name: list(_readings(name)) for name in left}
    requests = {
        name: [request(task, reading.setting, seed) for task, reading in pairs]
        for name, pairs in tried.items()
        if pairs
    }
    found: dict[str, dict[str, _Under]] = {}
    for name, answers in called(path, requests).items() if requests else ():
        for (task, reading), answer in zip(tried[name], answers, strict=True):
            rows = _judged(source, name, task, reading.setting, answer, seed, causes=False)
            if all(row.verdict == HOLDS for row in rows):
                found.setdefault(reading.words, {}).setdefault(name, _Under(task.setting, reading, rows))
    costs = {
        task.setting: setting_of(task.setting).cost
        for name, rows in before.items()
        if name in TASKS and name not in left
        for task in TASKS[name]
    }
    taken: dict[str, _Under] = {}
    for by_name in sorted(found.values(), key=lambda each: -sum(len(under.rows) for under in each.values())):
        new = {name: under for name, under in by_name.items() if name not in taken and not under.contradicts(costs)}
        least = min((under.reading.least for under in new.values()), default=0)
        only_so = any(all(row.verdict == NOT_JUDGED for row in before[name]) for name in new)
        if new and (only_so or sum(len(under.rows) for under in new.values()) >= least):
            taken |= new
            costs |= {under.setting: under.reading.setting.cost for under in new.values()}
    return (
        {name: [_under(under.reading, row) for row in under.rows] for name, under in taken.items()},
        [under.reading for under in taken.values()],
    )


class _Under(NamedTuple):
    """A function of a setting that holds in another convention."""

    setting: str
    reading: Reading
    rows: list[Verdict]

    def contradicts(self, costs: Mapping[str, str]) -> bool:
        """Whether a function of one value keeps to another J than those of its setting that hold."""
        cost = self.reading.setting.cost
        return self.reading.least == 1 and costs.get(self.setting, cost) != cost


def _under(reading: Reading, row: Verdict) -> Verdict:
    note = row.message.partition(" holds.")[2]
    return row._replace(message=f"{row.target} holds. It is right under: {reading.sentence}.{note}")


def _readings(name: str) -> Iterator[tuple[Task, Reading]]:
    """The conventions that a function may keep to: those that say something about what it takes or returns."""
    for task in TASKS[name]:
        returned = {output.symbol for output in task.outputs}
        for reading in readings_of(setting_of(task.setting)):
            known = returned | (set() if reading.whole else set(task.order))
            told = known >= reading.telling if reading.whole else bool(known & reading.telling)
            if told and not reading.absent and returned <= reading.setting.targets.keys():
                yield task._replace(optional=(*task.optional, "keep_prob")), reading


def _of_one_mode(source: str, name: str, verdicts: list[list[Verdict]]) -> list[Verdict]:
    """The verdicts on a function that is right in one mode, and never reads which one is meant; else none.

    In the other modes it is not judged where it takes a mode, and not asked where it takes none.
    """
    right = next((place for place, each in enumerate(verdicts) if all(one.verdict == HOLDS for one in each)), None)
    function = dict(functions_of(ast.parse(source))).get(name)
    if right is None or function is None or function.args.kwarg or not TASKS[name][right].fixed:
        return []
    ((fixed, mode),) = TASKS[name][right].fixed.items()
    if any(isinstance(node, ast.Name) and node.id == fixed for node in ast.walk(function)):
        return []
    why = f"{name} does not read {fixed}, and what it returns is right for {mode}"
    others = [one for place, each in enumerate(verdicts) if place != right for one in each]
    left = [not_judged(one.target, 0, one.target, f"{one.target} is not judged: {why}.") for one in others]
    takes = any(isinstance(node, ast.arg) and node.arg == fixed for node in ast.walk(function.args))
    return verdicts[right] + (left if takes else [])
