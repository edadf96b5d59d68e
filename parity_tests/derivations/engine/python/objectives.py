"""Programs that train one network after the other, each on a cost of its own: a critic, then what it criticises.

In one round of these, each cost is followed by steps of parameters that no other cost's steps move. What lies between
the steps of one and those of the next is judged by its own cost; a gradient of the other network is no claim there.
"""

from __future__ import annotations

from collections.abc import Sequence

from parity_tests.derivations.engine.events import Key
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.replay import Round
from parity_tests.derivations.engine.truths import Cost
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged, in_order, summarised

MOST_OBJECTIVES = 4


def objectives(trial: Trial, costs: Sequence[Cost], steps: dict[Key, Key], rounds: Sequence[Key]) -> list[Cost]:
    """The costs of a round that are followed by steps of different parameters, each with what is not its own.

    ``steps`` are the places of new values with those of the old ones; a round ends at one of the ``rounds``.
    """
    events = Round(None, rounds[0] if rounds else None).events(trial.run.events)
    order = {event.key: place for place, event in enumerate(events)}
    first_of: dict[int, Cost] = {}
    for cost in costs:
        if cost.key in order and (cost.key[0] not in first_of or order[cost.key] < order[first_of[cost.key[0]].key]):
            first_of[cost.key[0]] = cost
    found = sorted(first_of.values(), key=lambda each: order[each.key])[:MOST_OBJECTIVES]
    if len(found) < 2:
        return []
    ends = [*(order[each.key] for each in found[1:]), len(events)]
    parts: list[tuple[Cost, int, set[Key]]] = []
    for cost, end in zip(found, ends, strict=True):
        own = [new for new in steps if order[cost.key] < order.get(new, -1) < end]
        if own:
            parts.append((cost, max(order[new] for new in own), {_first(new, steps) for new in own}))
    moved = [key for _, _, parameters in parts for key in parameters]
    if len(parts) < 2 or len(moved) != len(set(moved)):
        return []
    begun, judged = 0, []
    for cost, last, _ in parts:
        inside = {event.key for event in events[begun : last + 1]}
        judged.append(cost._replace(foreign=frozenset(event.key for event in trial.run.events) - inside))
        begun = last + 1
    return judged


def _first(key: Key, steps: dict[Key, Key]) -> Key:
    """Where a parameter got its first value."""
    while key in steps:
        key = steps[key]
    return key


def of_all(parts: Sequence[Judged]) -> Judged:
    """The verdicts under several costs as one: a line that serves several holds where it holds under each."""
    rank = {WRONG: 0, HOLDS: 2, NOT_JUDGED: 3}
    kept: dict[tuple[int, str], list[int]] = {}
    lines = [line for part in parts for line in part.lines]
    for place, line in enumerate(lines):
        kept.setdefault((line.line, line.target if line.verdict != NOT_JUDGED else ""), []).append(place)
    judged = {line.line for line in lines if line.verdict != NOT_JUDGED}
    worst = (min(places, key=lambda place: rank.get(lines[place].verdict, 1)) for places in kept.values())
    found = [lines[place] for place in worst]
    found = [line for line in found if line.verdict != NOT_JUDGED or line.line not in judged]
    text = "; then ".join(dict.fromkeys(part.cost.text for part in parts))
    conventions = dict.fromkeys(part.convention for part in parts if part.convention)
    notes = dict.fromkeys(note for part in parts for note in part.notes)
    ordered = in_order(found)
    return parts[0]._replace(
        cost=parts[0].cost._replace(text=text),
        convention="; ".join(conventions),
        lines=ordered,
        summary=summarised(ordered, max(part.summary.helpers for part in parts)),
        notes=tuple(notes),
    )
