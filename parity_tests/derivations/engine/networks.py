"""Single lines of a backward pass, judged against a network that is described in a few words.

``Network("4-5-3 relu,softmax", "cross_entropy")`` becomes the text of a forward pass in the writer's likely names. What
the lines read of the backward pass and do not compute (``dZ2`` of ``dW2 = dZ2 @ A1.T / m``) is its true value there.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.judged import judge_reading
from parity_tests.derivations.engine.layouts import find_layout
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.texts import TextReading
from parity_tests.derivations.engine.truths import Truths
from parity_tests.derivations.language.front import Source, plain_line, read
from parity_tests.derivations.verdicts import HOLDS, WRONG, Judged, Verdict

HIDDEN = {
    "relu": "np.maximum({z}, 0)",
    "tanh": "np.tanh({z})",
    "sigmoid": "1 / (1 + np.exp(-{z}))",
    "leaky": "np.where({z} > 0, {z}, 0.01 * {z})",
    "linear": "{z}",
}
UNITS = (*HIDDEN, "softmax")
LAYOUTS = ("rows", "columns")
COSTS = ("cross_entropy", "squared_error")
MOST_LAYERS = 9
CARRIED = "what the lines read and do not compute is m * dJ/d(...), to be averaged later"

LIKELY = {"inputs": ("X", "x"), "labels": ("Y", "y"), "count": ("m", "N", "n", "batch_size")}
OTHER_NAMES = {
    "A0": ("A0", "a0"),
    "output": ("AL", "y_hat", "Y_hat", "yhat", "y_pred", "probs", "P", "A"),
}


class NetworkError(ValueError):
    """A description that is no network, in one sentence."""


class Network(NamedTuple):
    """A dense network: its units by layer, J, the layout, the penalty's formula and whether it has biases."""

    units: tuple[str, ...]
    cost: str
    half: bool
    averaged: bool
    layout: str = ""
    l2: str = ""
    biases: bool = True

    @property
    def described(self) -> str:
        """The network in words."""
        where = f"examples are {self.layout}; " if self.layout else ""
        return f"{where}layers of {', '.join(self.units)}{'' if self.biases else ', no biases'}"


def network(net: str, cost: str = "", layout: str = "", l2: str = "", *, biases: bool = True) -> Network:
    """The network of a description such as ``"4-5-3 relu,softmax"``; NetworkError for what is none."""
    sizes, _, listed = net.strip().partition(" ")
    if not re.fullmatch(r"\d+(-\d+)+", sizes):
        raise NetworkError(f"net is {net!r}, expected sizes and units such as '4-5-3 relu,softmax'")
    depth = sizes.count("-")
    if depth > MOST_LAYERS:
        raise NetworkError(f"net has {depth} layers, expected at most {MOST_LAYERS}")
    units = tuple(each.strip().lower() for each in listed.split(",") if each.strip()) or ("tanh", "softmax")[-depth:]
    if len(units) == 2 and depth > 2:
        units = (units[0],) * (depth - 1) + units[1:]
    if len(units) != depth:
        raise NetworkError(f"net has {len(units)} units for {depth} layers, expected one each, or hidden,output")
    for place, unit in enumerate(units):
        if unit not in UNITS or (unit == "softmax" and place + 1 < depth):
            last = "" if unit not in UNITS else "; softmax is the output's alone"
            raise NetworkError(f"net has the unit {unit!r}, expected one of {', '.join(UNITS)}{last}")
    default = "cross_entropy" if units[-1] in ("softmax", "sigmoid") else "squared_error,half"
    name, *marks = (each.strip() for each in (cost or default).split(","))
    if name not in COSTS or not set(marks) <= {"half", "sum", "mean"} or {"sum", "mean"} <= set(marks):
        raise NetworkError(f"cost is {cost!r}, expected cross_entropy or squared_error, then half, and sum or mean")
    if name == "cross_entropy" and units[-1] not in ("softmax", "sigmoid"):
        raise NetworkError(f"cost is cross_entropy and the output {units[-1]}, expected softmax or sigmoid with it")
    if layout not in ("", *LAYOUTS):
        raise NetworkError(f"layout is {layout!r}, expected rows or columns")
    return Network(units, name, "half" in marks, "sum" not in marks, layout, _penalty(l2), biases)


def _penalty(written: str) -> str:
    """The factor of sum W^2 in ``reg/2*W^2``, "" for no penalty."""
    if not written:
        return ""
    message = f"l2 is {written!r}, expected a factor times W^2, such as 'reg/2*W^2'"
    try:
        node = ast.parse(plain_line(written).text, mode="eval").body
    except SyntaxError:
        raise NetworkError(message) from None
    match node:
        case ast.BinOp(op=ast.Mult(), right=ast.BinOp(ast.Name("W"), ast.Pow(), ast.Constant(2))):
            return f"({ast.unparse(node.left)})"
        case ast.BinOp(ast.Name("W"), ast.Pow(), ast.Constant(2)):
            return "1"
    raise NetworkError(message)


def forward_pass(net: Network, rows: bool, used: set[str]) -> list[str]:
    """The text of the network, in the names that some lines use."""
    x, y, m = (next((each for each in names if each in used), names[0]) for names in LIKELY.values())
    z, a, w, b = (_case(symbol, used) for symbol in "ZAWb")
    before, depth = x, len(net.units)
    lines = [f"{each} = {x}" for each in OTHER_NAMES["A0"] if each in used]
    for layer, unit in enumerate(net.units, 1):
        product = f"{before} @ {w}{layer}" if rows else f"{w}{layer} @ {before}"
        lines.append(f"{z}{layer} = {product}" + (f" + {b}{layer}" if net.biases else ""))
        here = f"{z}{layer}"
        if unit == "softmax":
            lines.append(f"{a}{layer} = np.exp({here}) / np.sum(np.exp({here}), axis={int(rows)}, keepdims=True)")
        else:
            lines.append(f"{a}{layer} = {HIDDEN[unit].format(z=here)}")
        before = f"{a}{layer}"
    lines += [f"{each} = {before}" for each in OTHER_NAMES["output"] if each in used]
    lines += _shapes(net, rows, (x, y, m), (w, b))
    if "J" in used:
        return lines
    out = before
    if net.cost == "squared_error":
        cost = f"np.sum(({out} - {y})**2)"
    elif net.units[-1] == "softmax":
        cost = f"-np.sum({y} * np.log({out}))"
    else:
        cost = f"-np.sum({y} * np.log({out}) + (1 - {y}) * np.log(1 - {out}))"
    cost = ("0.5 * " if net.half else "") + cost + (f" / {m}" if net.averaged else "")
    if net.l2:
        squares = " + ".join(f"np.sum({w}{layer}**2)" for layer in range(1, depth + 1))
        cost += f" + {net.l2} * ({squares})"
    return [*lines, f"J = {cost}"]


def _shapes(net: Network, rows: bool, names: tuple[str, str, str], parameters: tuple[str, str]) -> list[str]:
    """The shapes as comments: sizes are named n0, n1, ..."""
    (x, y, m), (w, b), depth = names, parameters, len(net.units)
    shapes = {x: ("n0", m), y: (f"n{depth}", m)}
    shapes |= {f"{w}{layer}": (f"n{layer}", f"n{layer - 1}") for layer in range(1, depth + 1)}
    said = [f"# {name}: ({', '.join(shape[::-1] if rows else shape)})" for name, shape in shapes.items()]
    if net.biases:
        said += [f"# {b}{layer}: (n{layer}{',' if rows else ', 1'})" for layer in range(1, depth + 1)]
    return said


def _case(symbol: str, used: set[str]) -> str:
    """Z or z, as the lines have it."""
    small = symbol.lower()
    counts = {each: sum(bool(re.fullmatch(rf"d?{each}\d", name)) for name in used) for each in (symbol, small)}
    return small if counts[small] > counts[symbol] else symbol


@dataclass(frozen=True)
class NetworkReading(TextReading):
    """Lines and the network that they belong to; what they read of its backward pass has its true value.

    With ``times_m`` that is m * dJ/d(...), as where the parameters' gradients are averaged later.
    """

    times_m: bool

    def trial(self, seed: int) -> Trial:
        """The lines on values of the network."""
        trial = super().trial(seed)
        known = {event.name for event in trial.run.events if event.name}
        above = {name: base for name in trial.probe.given if (base := meant(name, known))}
        if not above:
            return trial
        (cost,) = self.written(trial)[:1]
        named = {truth.event.name: truth.gradient for truth in Truths(*trial, cost).named()}
        scale = (trial.probe.batch or 1) if self.times_m else 1
        given = {name: scale * named[base] for name, base in above.items() if base in named}
        probe = trial.probe._replace(given={**trial.probe.given, **given})
        return Trial(self.program, probe, self.program.run(probe.given))


_DELTA = re.compile(r"^(?:delta|d)_?(\d)$")


def meant(name: str, known: set[str]) -> str:
    """The value of the network whose derivative a free name is, "" for none."""
    if match := _DELTA.match(name):
        return next((each for each in (f"Z{match[1]}", f"z{match[1]}") if each in known), "")
    bases = symbols.meant_by(name, known)
    return bases[0] if bases and name.lower()[0] in "dg" else ""


def verify_lines(text: str, net: Network, seed: int = 0, *, strict: bool = False) -> Judged:
    """Judge lines against a network; of layouts and conventions that are not said, those in which most lines hold.

    Raises DerivationError for a text that cannot be read, NetworkError for one that has a forward pass of its own.
    """
    found: list[tuple[tuple[int, int, int, bool], Judged, bool]] = []
    for layout in (net.layout,) if net.layout else ("columns", "rows"):
        for scaled in (False, True) if net.averaged else (False,):
            judged = _judged(text, net._replace(layout=layout), scaled, seed, strict)
            if judged is not None:
                found.append((_misses(judged), judged, scaled))
    if not found:
        raise NetworkError("no line gives a derivative of the network a value, such as dW1 = ... or db1 = ...")
    _, judged, scaled = min(found, key=lambda each: each[0])
    if scaled:  # of equals the first is taken: that what comes from above carries m makes a difference here
        return judged._replace(convention="; ".join(filter(None, (judged.convention, CARRIED))))
    return judged


def _misses(judged: Judged) -> tuple[int, int, int, bool]:
    """The lines that do not hold, against those that do; then how much is wrong with them."""
    holds = sum(line.verdict == HOLDS for line in judged.lines)
    mistakes = sum(_mistakes(line) for line in judged.lines if line.verdict == WRONG)
    return len(judged.lines) - holds, -holds, mistakes, bool(judged.convention)


def _mistakes(line: Verdict) -> int:
    """The mistakes that a repair mends; more where there is none, and most where nothing can be computed at all."""
    if line.repaired:
        return len(line.cause.split(" + "))
    return _UNREPAIRED if line.shape_got else 2 * _UNREPAIRED


_UNREPAIRED = 4


def _judged(text: str, net: Network, scaled: bool, seed: int, strict: bool) -> Judged | None:
    source = read(text)
    used = {each.id for each in ast.walk(source.tree) if isinstance(each, ast.Name)}
    own = forward_pass(net, net.layout == "rows", used)
    forward = read("\n".join(own)).tree
    for node in ast.walk(forward):
        if hasattr(node, "lineno"):
            node.lineno = 0
    values = {each.id for each in ast.walk(forward) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in values - {"J"}:
            raise NetworkError(
                f"line {node.lineno} gives {node.id} a value, expected lines of a backward pass with net"
            )
    lines = Source(source.rows, ast.Module([*forward.body, *source.tree.body], []), source.refused)
    program = TextProgram(lines)
    layout = find_layout(program.tree, (*source.rows, *own))
    reading = NetworkReading(lines, program, layout, text, scaled)
    judged = judge_reading(reading, seed, strict=strict)
    if judged is None:
        return None
    cost = judged.cost._replace(text=_cost_text(net)) if not judged.cost.line else judged.cost
    return judged._replace(cost=cost, layout=net.described)


def _cost_text(net: Network) -> str:
    kind = net.cost.replace("_", "-" if net.cost == "cross_entropy" else " ")
    half = "half the " if net.half else "the "
    how = "averaged over the examples" if net.averaged else "summed over the examples"
    return f"J is {half}{kind}, {how}" + (f", with the penalty {net.l2} * sum W^2" if net.l2 else "")
