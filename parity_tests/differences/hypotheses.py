"""Which known change of a run gives somebody's numbers: named where it explains every entry to rounding.

A change counts as evidence by what it moves: an entry that it moves by 2^k bounds, to where it belongs, is k bits.
Below ENOUGH bits, over all entries together, agreement may be an accident, and nothing is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from manual.notation import Array
from parity_tests.differences.names import GRADIENT, STEP
from parity_tests.differences.steps import step_variants
from parity_tests.differences.trace import Arrays, Call, Patch, Trace
from parity_tests.differences.variants import Cause, applied, changes

ENOUGH = 30.0
"""Bits of evidence that a named cause has at least."""

USUAL_RATES = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003, 0.001)
"""Learning rates that are tried where none is said."""

Bounds = Mapping[str, float]


class Hypothesis(NamedTuple):
    """A cause, and all values as they would be; ``got`` is what somebody has."""

    cause: Cause
    values: Callable[[Mapping[str, Array]], Arrays]


class Explained(NamedTuple):
    """A cause, the quantities that it explains, how much it takes for it, and the run in which it is so."""

    cause: Cause
    names: frozenset[str]
    values: Arrays


def close(got: Array, value: Array, bound: float) -> bool:
    """Whether two arrays of one shape agree."""
    return got.shape == value.shape and bool(np.max(np.abs(got - value), initial=0.0) <= bound)


def evidence(moved: Array, base: Array, bound: float) -> float:
    """The bits by which a change shows."""
    if moved.shape != base.shape:
        return ENOUGH
    with np.errstate(divide="ignore"):
        return float(np.log2(np.maximum(np.abs(moved - base) / max(bound, np.finfo(float).tiny), 1.0)).sum())


def explain(
    trace: Trace,
    base: Arrays,
    got: Mapping[str, Array],
    wrong: set[str],
    first: str,
    bounds: Bounds,
    numbers: Mapping[str, float],
    put: Arrays,
) -> list[Explained]:
    """The changes that give ``got`` at ``first``, spoil nothing that agrees, and explain the most of what is wrong.

    Several are as good as each other where nothing tells them apart.
    """
    found: list[Explained] = []
    right = {name for name in got.keys() - wrong if close(got[name], base[name], bounds[name])}
    for hypothesis in hypotheses(trace, base, trace.values[first].stage, numbers, put):
        try:
            values = hypothesis.values(got)
        except (RuntimeError, ValueError, IndexError, TypeError, KeyError, ZeroDivisionError):
            continue  # it does not apply to these shapes
        if first not in values or not close(got[first], values[first], bounds[first]):
            continue
        agree = {name for name in got if name in values and close(got[name], values[name], bounds[name])}
        if any(name in values and name not in agree for name in right):
            continue
        names = frozenset(wrong & agree)
        if sum(evidence(values[name], base[name], bounds[name]) for name in names) >= ENOUGH:
            found.append(Explained(hypothesis.cause, names, values))
    best = max((len(each.names) for each in found), default=0)
    return [each for each in found if len(each.names) == best]


def hypotheses(
    trace: Trace, base: Arrays, stage: str, numbers: Mapping[str, float], put: Arrays
) -> Iterator[Hypothesis]:
    """All of them: of the step, of the gradients as a whole, and of every call."""
    if stage == STEP:
        for cause, stepped in step_variants(trace):
            yield Hypothesis(cause, partial(_instead, base, stepped(base)))
        return
    if stage == GRADIENT:
        yield from _of_gradients(trace, base, numbers)
    calls = trace.calls
    for number, call in enumerate(calls):
        for place, change in enumerate(changes(call)):
            yield Hypothesis(change.cause, partial(_patched, trace, put, number, place))
    for call in calls:
        if call.times:
            weight = call.given["weight"]
            uses = [n for n, each in enumerate(calls) if each.given.get("weight") is weight]
            for use in uses:
                away = {n: _constant for n in uses if n != use}
                which = "first" if use == uses[0] else "last" if use == uses[-1] else f"{uses.index(use) + 1}."
                text = f"{{one}} has the {which} use alone of a shared layer, used {len(uses)} times"
                cause = Cause("weight-sharing", f"{text}: the gradients of all uses add up")
                yield Hypothesis(cause, partial(_with_patches, trace, put, away))


def _patched(trace: Trace, put: Arrays, number: int, place: int, got: Mapping[str, Array]) -> Arrays:
    def patch(call: Call) -> object:
        return applied(list(changes(call))[place])(call)

    return trace.run({number: patch}, put=put)


def _with_patches(trace: Trace, put: Arrays, patches: Mapping[int, Patch], got: Mapping[str, Array]) -> Arrays:
    return trace.run(patches, put=put)


def _instead(base: Arrays, others: Mapping[str, Array], got: Mapping[str, Array]) -> Arrays:
    return {**base, **others}


def _constant(call: Call) -> object:
    """The call with parameters that get no gradient."""
    bias = call.given.get("bias")
    return call.run(weight=call.given["weight"].detach(), bias=None if bias is None else bias.detach())


def _of_gradients(trace: Trace, base: Arrays, numbers: Mapping[str, float]) -> Iterator[Hypothesis]:
    """Of the gradients as a whole: per example, accumulated, clipped, of parameters that were updated before."""
    m = len(trace.X)
    state = [name for name, _ in trace.module.named_parameters() if f"d {name}" in base]
    values = [name for name in base if name.startswith("d ") and name[2:] not in state]
    text = "{one} has dZ and dA per example, without 1/m (m = %d), {base} as Z.grad, which carries the 1/m of the mean"
    per_example = {name: m * base[name] for name in values}
    yield Hypothesis(Cause("per-example", text % m, "layout.dZ"), partial(_instead, base, per_example))
    text = "{base} has dZ and dA per example, without 1/m (m = %d), {one} carries the 1/m"
    yield Hypothesis(
        Cause("per-example", text % m, "layout.dZ"), lambda got: {**base, **{n: base[n] / m for n in values}}
    )
    rate = next((numbers[name] for name in ("lr", "learning_rate", "alpha") if name in numbers), None)
    if trace.optimizer is not None:
        rate = float(trace.optimizer.param_groups[0]["lr"])
    text = "{one} is accumulated over %s: call zero_grad() before backward()"
    for turns in (2, 3, 4):
        many = {f"d {name}": turns * base[f"d {name}"] for name in state}
        yield Hypothesis(Cause("stale-gradients", text % f"{turns} turns"), partial(_instead, base, many))
    for each in USUAL_RATES if rate is None else (rate,):
        cause = Cause("stale-gradients", text % "two steps")
        yield Hypothesis(cause, partial(_with_the_step_before, trace, base, state, each))
    if rate is not None:
        text = "{one} updates the parameters before the layers below use them"
        yield Hypothesis(Cause("updated-before-use", text), partial(_updated_before_use, trace, base, rate))
    limit = next((numbers[name] for name in ("max_norm", "clip", "clip_value") if name in numbers), None)
    if limit is not None:
        g = {f"d {name}": base[f"d {name}"] for name in state}
        norm = float(np.sqrt(sum(np.sum(each**2) for each in g.values())))
        ways: tuple[tuple[str, Callable[[Array], Array]], ...] = (
            ("all gradients together by their norm (clip_grad_norm_)", lambda a: a * min(1.0, limit / (norm + 1e-6))),
            ("all gradients together by their norm", lambda a: a * min(1.0, limit / norm)),
            ("each entry by its value (clip_grad_value_)", lambda a: np.clip(a, -limit, limit)),
            ("each array by its own norm", lambda a: a * min(1.0, limit / float(np.linalg.norm(a)))),
        )
        for words, clip in ways:
            cause = Cause("clipping", f"{{one}} clips {words}")
            yield Hypothesis(cause, partial(_instead, base, {name: clip(each) for name, each in g.items()}))


def _with_the_step_before(
    trace: Trace, base: Arrays, state: list[str], rate: float, got: Mapping[str, Array]
) -> Arrays:
    """The gradients plus those of the step before: what is too much must be the gradient where that step began."""
    more = {name: got[f"d {name}"] - base[f"d {name}"] for name in state}
    before = trace.moved({name: base[name] + rate * value for name, value in more.items()}).run(step=False)
    return {**base, **{f"d {name}": base[f"d {name}"] + before[f"d {name}"] for name in state}}


def _updated_before_use(trace: Trace, base: Arrays, rate: float, got: Mapping[str, Array]) -> Arrays:
    new = {name: torch.from_numpy(base[name] - rate * base[f"d {name}"]) for name in base if f"d {name}" in base}

    def patch(call: Call, number: int) -> object:
        W = new[trace.weights[number]]
        x = call.x
        return call.run(input=x.detach()) + call.run(input=x - x.detach(), weight=W, bias=None)

    patches: dict[int, Patch] = {n: partial(patch, number=n) for n in trace.weights if n}
    return trace.run(patches)
