"""The claims about what J does not change with: a bias before a softmax, or one whose parts cancel."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.claims import INNER, UPDATE, Claim, Claims, mark_of
from parity_tests.derivations.engine.convention import same_shape
from parity_tests.derivations.engine.events import GIVEN, PART, Event, Run
from parity_tests.derivations.engine.truths import ZERO


def claims_of_zero(claims: Claims, run: Run) -> list[Claim]:
    """The claims about what J does not change with, the last of each name; their factor is 1 where they are 0."""
    truths = {truth.event.name: truth for truth in claims.truths.vanishing.values() if truth.event.role != PART}
    for name in claims.names & truths.keys():
        del truths[name]
    known = claims.truths.by_key.keys() | claims.truths.vanishing.keys()
    found: dict[str, Claim] = {}
    old: dict[str, Event] = {}
    for event in claims.own(run):
        key, name = event.key, event.name
        if event.missing or not name or key in known:
            old[name] = event
            continue
        bases = [base for base in symbols.meant_by(name, truths) if base != name and not claims.meant.get(name)]
        may_step = claims.truths.probe.places is None or key in claims.truths.probe.steps
        if may_step and name in truths and name in old and not old[name].missing and event.shape == old[name].shape:
            found[name] = Claim(event, truths[name], _zero(event.value - old[name].value), UPDATE)
        elif bases and (truths[bases[0]].event.role == GIVEN or "delta" not in name.lower()):
            truth = truths[bases[0]]
            is_zero = same_shape(event.shape, np.shape(truth.gradient)) and _zero(event.value)
            found[name] = Claim(event, truth, is_zero or None, INNER)
        old[name] = event
    listed = _together(list(found.values()))
    later = [{mark_of(each.truth) for each in listed[n:] if "#" not in each.event.name} for n in range(len(listed))]
    return [each for n, each in enumerate(listed) if not ("#" in each.event.name and mark_of(each.truth) in later[n])]


def _together(claims: list[Claim]) -> list[Claim]:
    """The claims; what several calls of one function contribute to a derivative that is 0 may cancel."""
    parts: dict[str, list[Claim]] = {}
    for each in claims:
        if each.kind == INNER and "#" in each.event.name:
            parts.setdefault(symbols.written(each.event.name), []).append(each)
    cancel = {
        each.event.key
        for same in parts.values()
        if len({each.event.shape for each in same}) == 1 and _zero(sum(each.event.value for each in same))
        for each in same
    }
    return [each._replace(factor=1.0) if each.event.key in cancel else each for each in claims]


def _zero(value: Any) -> float | None:
    """1 for what is 0 up to rounding."""
    return 1.0 if np.max(np.abs(value), initial=0.0) <= ZERO else None
