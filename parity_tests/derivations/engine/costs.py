"""Which J? The scalar that the text writes down, or else the costs that its gradients may follow."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import GIVEN, NAMED, RETURNED, Event, Run
from parity_tests.derivations.engine.layouts import Layout
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.truths import Cost


def written_costs(run: Run, tree: ast.AST, named: str = "") -> list[Cost]:
    """The scalars that may be the cost, the likeliest first: ``named`` so, else like one, late before early.

    A cost that is built up has the value that it has last, before anything given is updated. Where none has such a
    name, it is the one number of which nothing is computed.
    """
    given = {event.name for event in run.events if event.role == GIVEN}
    found: dict[str, tuple[bool, Cost]] = {}
    for event in run.events:
        if found and event.role != GIVEN and event.name in given and np.ndim(event.value):
            break
        if event.role not in (NAMED, RETURNED) or event.missing or np.size(event.value) != 1 or _is_size(event):
            continue
        name = event.name or "the value that is returned"
        looks = event.name == named if named else symbols.is_cost(symbols.stem_of(event.name))
        if looks or (event.role == RETURNED and name not in found and not named):
            found[name] = looks, Cost(event.key, f"J is {name} (line {event.line})", event.line)
    ordered = sorted(found.values(), key=lambda each: (not each[0], -each[1].line))
    return [cost for _, cost in ordered] or ([] if named else _unread(run, tree))


SUMS = re.compile(r"(^|\.)(sum|mean|average|len|float)$")


def _unread(run: Run, tree: ast.AST) -> list[Cost]:
    """The one number that is computed and not read again; not the sum of values that go on, as of errors."""
    reads = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    names = {event.name for event in run.events}
    arrays = {event.name for event in run.events if not event.missing and np.ndim(event.value)}

    def is_linear(node: ast.AST) -> bool:
        match node:
            case ast.Call():
                return bool(SUMS.search(ast.unparse(node.func)))
            case ast.BinOp(op=ast.Pow() | ast.MatMult()):
                return False
            case ast.BinOp(op=ast.Mult()):
                sides = ({getattr(each, "id", "") for each in ast.walk(side)} for side in (node.left, node.right))
                return not all(arrays & side for side in sides)
        return True

    def may_be(event: Event) -> bool:
        value = getattr(event.statement, "value", None)
        if event.role != NAMED or event.missing or np.size(event.value) != 1 or not isinstance(value, ast.expr):
            return False
        if np.asarray(event.value).dtype.kind != "f" or reads[event.name] or symbols.meant_by(event.name, names):
            return False
        parts = list(ast.walk(value))
        goes_on = any(isinstance(each, ast.Name) and reads[each.id] > 1 for each in parts)
        return not (goes_on and all(map(is_linear, parts)))

    found = {
        event.name: Cost(event.key, f"J is {event.name} (line {event.line})", event.line, is_a_guess=True)
        for event in run.events
        if may_be(event)
    }
    return list(found.values()) if len(found) == 1 else []


def _is_size(event: Event) -> bool:
    """Whether a whole number is read off a shape."""
    node = getattr(event.statement, "value", None)
    return isinstance(node, ast.Attribute | ast.Subscript) and ".shape" in ast.unparse(node)


def implied_costs(run: Run, probe: Probe, whole: Collection[str], tree: ast.AST) -> list[Cost]:
    """The costs that the text may have in mind: of each value that has the labels' shape, every usual cost.

    ``whole`` are the labels that hold the numbers of classes. Where gradients carry a penalty, so does J: summed or
    averaged, with the half or without it.
    """
    found = []
    penalties = penalised(tree, probe)
    for label in (name for name in probe.given if probe.roles.is_label(name)):
        target = probe.given[label]
        beside = () if np.ndim(target) else _beside(symbols.base_of(label), tree)
        for output in _outputs(run, target, label in whole, probe):
            if not np.ndim(target) and symbols.base_of(output.name) not in beside:
                continue  # any number has the shape of one
            names = symbols.written(output.name), symbols.written(label)
            for text, formula, of in _usual(output, target, names, label in whole):
                found.append(Cost(output.key, text, 0, _with_penalty(of, 1.0, 0.0, "", ()), formula, names))
                for scale, averaged in ((1.0, ""), (1.0 / (probe.batch or 1), ", averaged,")):
                    for half, mark in ((0.5, "/2"), (1.0, "")):
                        found += [
                            Cost(output.key, f"{text}{averaged} with the penalty {rate}{mark} sum of squares", 0,
                                 _with_penalty(of, scale, half, rate, weights))
                            for rate, weights in penalties.items()
                        ]  # fmt: skip
    return found


def _beside(name: str, tree: ast.AST) -> set[str]:
    """The symbols that a difference or another operation takes together with a name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            sides = [symbols.base_of(ast.unparse(each)) for each in (node.left, node.right)]
            found |= set(sides) if name in sides else set()
    return found


def from_above(run: Run, probe: Probe) -> list[Cost]:
    """J of a text whose derivative in one result is given, as ``da``: the sum of da * a; none where more are given."""
    computed = {event.name: event for event in run.events if event.role == NAMED and event.name not in probe.given}
    slopes = [
        name
        for name, value in probe.given.items()
        if symbols.meant_by(name, computed) or (np.ndim(value) and symbols.may_be_gradient(name))
    ]
    bases = [base for name in slopes for base in symbols.meant_by(name, computed)]
    if len(slopes) != 1 or len(bases) != 1:
        return []
    (name,), event = slopes, computed[bases[0]]
    slope = probe.given[name]
    if event.missing or event.shape != np.shape(slope):
        return []
    text = f"J is np.sum({name} * {event.name}), as {name} comes from above"
    return [Cost(event.key, text, 0, lambda value, _: np.sum(slope * value))]


def _with_penalty(
    of: Callable[[Any], Any], scale: float, half: float, rate: str, weights: tuple[str, ...]
) -> Callable[[Any, Mapping[str, Any]], Any]:
    def cost(value: Any, given: Mapping[str, Any]) -> Any:
        total = of(value) * scale
        for name in weights:
            total = total + half * given[rate] * np.sum(given[name] * given[name])
        return total

    return cost


RATES = re.compile(r"^(reg\w*|lam\w*|lmbda|l2\w*|wd|weight_decay|decay)$")


def penalised(tree: ast.AST, probe: Probe) -> dict[str, tuple[str, ...]]:
    """The parameters that the text multiplies by the rate of a penalty, by rate."""
    found: dict[str, dict[str, None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
            rates = [name for name in names if RATES.match(symbols.base_of(name)) and name in probe.given]
            weights = [
                name for name in names if np.ndim(probe.given.get(name, 0)) > 0 and not probe.roles.is_data(name)
            ]
            if rates and len(weights) == 1 and not probe.roles.is_label(weights[0]):
                found.setdefault(rates[0], {})[weights[0]] = None
    return {rate: tuple(weights) for rate, weights in found.items()}


MOST_OUTPUTS = 6


def _outputs(run: Run, target: Any, whole: bool, probe: Probe) -> list[Event]:
    """Named values that may be compared with the labels."""
    outputs: dict[tuple[tuple[int, ...], bytes], list[Event]] = {}
    names = {event.name for event in run.events}
    given = {(np.shape(value), np.asarray(value).tobytes()) for value in probe.given.values()}
    for event in run.events:
        if event.role not in (NAMED, RETURNED) or event.missing or event.name in probe.given:
            continue
        mark = np.shape(event.value), np.asarray(event.value).tobytes()
        if mark in given:
            continue  # a label under another name
        fits = np.shape(event.value) == np.shape(target)
        if whole:
            shape = np.shape(event.value)
            fits = len(shape) == 2 and np.size(target) in shape
        fits = fits and not symbols.meant_by(event.name, names)
        if fits and not np.allclose(event.value, 0) and not (mark in outputs and event.role == RETURNED):
            outputs[mark] = [*(each for each in outputs.pop(mark, ()) if each.name), event]
    found = [event for same in outputs.values() for event in same]
    return found if not np.ndim(target) else found[:MOST_OUTPUTS]


def _usual(
    output: Event, target: Any, names: tuple[str, str], whole: bool
) -> Iterator[tuple[str, str, Callable[[Any], Any]]]:
    """The usual costs of an output and its labels, without constant factors: in words, as a formula, to compute."""
    name, value = symbols.base_of(output.name) or "the output", output.value
    label = symbols.base_of(names[1])
    out, y = names
    positive = bool(np.all(value > 0))
    if whole:
        rows, classes = np.arange(np.size(target)), np.ravel(target).astype(np.intp)
        by_rows = np.shape(value)[0] == np.size(target)
        place = (rows, classes) if by_rows else (classes, rows)
        at = f"{out}[np.arange(len({y})), {y}]" if by_rows else f"{out}[{y}, np.arange(len({y}))]"
        if positive:
            yield (
                f"-sum log {name} at the labels {label}",
                f"-np.sum(np.log({at}))",
                lambda v: -np.sum(np.log(v[place])),
            )
        else:
            axis = 1 if by_rows else 0
            yield (
                f"-sum log softmax({name}) at the labels {label}",
                f"np.sum(np.log(np.sum(np.exp({out}), axis={axis}))) - np.sum({at})",
                lambda v: np.sum(np.log(np.sum(np.exp(v), axis=axis))) - np.sum(v[place]),
            )
        return
    yield (
        f"the squared error of {name} and {label}",
        f"0.5 * np.sum(({out} - {y})**2)",
        lambda v: np.sum((v - target) * (v - target)) * 0.5,
    )
    if positive and np.all(value < 1):
        yield (
            f"the cross-entropy of {name} and {label}",
            f"-np.sum({y} * np.log({out}) + (1 - {y}) * np.log(1 - {out}))",
            lambda v: -np.sum(target * np.log(v) + (1 - target) * np.log(1 - v)),
        )
        if any(np.allclose(np.sum(value, axis=axis), 1) for axis in range(np.ndim(value))):
            yield (
                f"the cross-entropy -sum {label} log {name}",
                f"-np.sum({y} * np.log({out}))",
                lambda v: -np.sum(target * np.log(v)),
            )


def over_the_examples(run: Run, probe: Probe, layout: Layout) -> list[Event]:
    """The values that add up to 1 over the examples, or as a whole, and not over the classes: softmaxes along the wrong
    axis, or without one.
    """
    axes = {shape.index(layout.batch) for shape in layout.shapes.values() if len(shape) == 2 and layout.batch in shape}
    return [
        event
        for event in run.events
        if event.role == NAMED
        and not event.missing
        and len(axes) == 1
        and np.ndim(event.value) == 2
        and min(event.shape) > 1
        and event.shape[min(axes)] == probe.batch != event.shape[1 - min(axes)]
        and np.all(event.value > 0)
        and (np.allclose(np.sum(event.value, axis=min(axes)), 1) or np.isclose(np.sum(event.value), 1))
    ]


def softmax_axis(run: Run, target: Any) -> int | None:
    """The axis along which some value of the targets' shape, or of their rows', adds up to 1; None for none."""
    for event in run.events:
        if event.missing:
            continue
        value = event.value
        axes = np.ndim(value)
        if not axes or np.shape(value) != np.shape(target)[-axes:] or np.ndim(target) > axes + 1:
            continue
        value = np.exp(value) if np.all(value < 0) else value  # the logarithm of a softmax
        if np.any(value < 0):
            continue
        for axis in range(axes):
            if np.shape(value)[axis] > 1 and np.allclose(np.sum(value, axis=axis), 1):
                return axis - axes
    return None
