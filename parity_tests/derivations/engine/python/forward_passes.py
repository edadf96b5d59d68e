"""A forward pass of dense layers for a backward pass that stands alone, by the names and keys that it reads."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from parity_tests.derivations.engine import costs, symbols
from parity_tests.derivations.engine.python import ranks
from parity_tests.derivations.engine.python.ways import has_gradients

SIZES = (9, 8, 6, 13, 5)
"""Of the layers' units, the data's first; the last layer has the last of them: no 2 or 4, which stand in formulas."""
EQUAL = (9, 6, 6, 6, 6)
"""The same where layers that are mixed up raise no error."""
BATCH = 7
LAYERS = 3
"""How many layers there are where nothing says so."""

WEIGHTS, BIASES = re.compile(r"^(?:W|w|weights?|theta)_?(\d)$"), re.compile(r"^(?:b|bias|biases)_?(\d)$")
SUMS, UNITS = re.compile(r"^(?:Z|z|net)_?(\d)$"), re.compile(r"^(?:A|a|h|H|hidden|act)_?(\d?)$")
OUTPUTS = re.compile(r"^(?:A_?L|a_?l|[yY]_?hat|[yY]_?pred|outputs?|out|probs?|predictions?|preds?|[yY]_)$")
CACHES = re.compile(r"^caches$")

SLOPES = {
    "relu": re.compile(r"[<>]=? ?0|maximum|relu", re.I),
    "tanh": re.compile(r"tanh|1 - [\w.\[\]' +()]+ ?\*\* ?2|1 - np\.(?:square|power)"),
    "sigmoid": re.compile(r"sig\w*|\* ?\(1 - ", re.I),
}
"""How the slope of a unit is written."""

VALUES = {
    "relu": "np.maximum(0, {z})", "tanh": "np.tanh({z})", "sigmoid": "1 / (1 + np.exp(-{z}))", "linear": "{z} + 0",
    "softmax": "np.exp({z}) / np.sum(np.exp({z}), axis={axis}, keepdims=True)",
}  # fmt: skip


class Network(NamedTuple):
    """One way to go forward: where the examples are, and the units of the layers."""

    rows: bool
    units: tuple[str, ...]
    sizes: tuple[int, ...] = SIZES


def forward_calls(tree: ast.Module) -> Iterator[str]:
    """Calls of a backward pass, each behind a forward pass that gives what it reads."""
    node = backward_pass(tree)
    if node is not None:
        reads = _Reads(node, tree)
        yield from (call for network in reads.networks() if (call := reads.call(network)))


def backward_pass(tree: ast.Module) -> ast.FunctionDef | None:
    """The last function of gradients that takes labels."""
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef) and has_gradients(each)]
    taking = [each for each in functions if any(symbols.is_label(one.arg) for one in each.args.args)]
    return taking[-1] if taking else None


class _Reads:
    """What a function reads: its arguments, what they are unpacked into, and the keys of those that are dicts."""

    def __init__(self, node: ast.FunctionDef, tree: ast.Module) -> None:
        self.node, self.tree = node, tree
        self.text = "\n".join(ast.unparse(each) for each in self._reached())
        self.names = [each.arg for each in node.args.args]
        self.unpacked = {name: parts for name in self.names if (parts := ranks.unpacked(name, node))}
        self.keyed = {
            each.value.id
            for each in ast.walk(node)
            if isinstance(each, ast.Subscript) and isinstance(each.value, ast.Name) and _is_text(each.slice)
        }
        inside = itertools.chain.from_iterable(self.unpacked.values())
        keys = re.findall(r"\[['\"](\w+)['\"]\]", self.text)
        self.own = {name: name for name in (*self.names, *inside, *keys)}
        found = [int(match[1]) for name in self.own for match in [WEIGHTS.match(name)] if match]
        self.described = self._described()
        self.layers = max(found) if found else len(self.described) or LAYERS
        self.symbols: dict[str, str] = {}

    def _reached(self) -> list[ast.FunctionDef]:
        """The function, and those that it calls."""
        known = {each.name: each for each in self.tree.body if isinstance(each, ast.FunctionDef)}
        reached, todo = [self.node], [self.node]
        while todo:
            names = {each.id for each in ast.walk(todo.pop()) if isinstance(each, ast.Name)}
            new = [known[name] for name in names if name in known and known[name] not in reached]
            reached += new
            todo += new
        return reached

    def _described(self) -> list[str]:
        """The units of a list of layers outside of functions, such as ``[{"activation": "relu"}, ...]``."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
                units = re.findall(r"'activation': '(\w+)'", ast.unparse(node.value))
                if units and len(units) == len(node.value.elts):
                    self.list = ast.unparse(node.targets[0])
                    return units
        return []

    def networks(self) -> Iterator[Network]:
        """The forward passes that may be meant."""
        hidden = [unit for unit, slope in SLOPES.items() if slope.search(self.text)] or ["linear"]
        if self.described and all(unit in VALUES for unit in self.described):
            choices = [tuple(self.described)]
        else:
            choices = [
                (*[unit] * (self.layers - 1), last)
                for unit in hidden
                for last in ("sigmoid", "softmax", "linear")
            ]  # fmt: skip
        for sizes, rows, units in itertools.product((SIZES, EQUAL), (False, True), choices):
            yield Network(rows, units, sizes)

    def call(self, network: Network) -> str:
        """The lines of the call, "" where something that the function takes is no value of such a network."""
        if self.layers >= len(network.sizes):
            return ""
        sizes = (*network.sizes[: self.layers], network.sizes[-1])
        rows = network.rows
        named = {name: self._symbol(name) for name in self.own}
        own = {symbol: name for name, symbol in named.items() if symbol and name in self._free()}
        own.setdefault(
            "A0", next((each for each in self.names if symbols.is_data(each) and each not in own.values()), "X")
        )
        self.symbols = own
        lines = [f"{self._name('A0')} = np.random.randn({_shape(BATCH, sizes[0], rows=rows)})"]
        for layer in range(1, self.layers + 1):
            before, size = sizes[layer - 1], sizes[layer]
            flat = rows and "keepdims" not in self.text
            W, b, Z, A = (self._name(f"{each}{layer}") for each in "WbZA")
            shape = f"{before}, {size}" if rows else f"{size}, {before}"
            bias = str(size) if flat else _shape(1, size, rows=rows)
            lines.append(f"{W} = 0.5 * np.random.randn({shape})")
            lines.append(f"{b} = np.random.randn({bias})")
            last = self._name(f"A{layer - 1}")
            lines.append(f"{Z} = {f'{last} @ {W}' if rows else f'{W} @ {last}'} + {b}")
            lines.append(f"{A} = {VALUES[network.units[layer - 1]].format(z=Z, axis=1 if rows else 0)}")
        values = [self._argument(name, network) for name in self.names]
        if None in values:
            return ""
        label = next(each for each in self.names if symbols.is_label(each))
        lines.append(f"{label} = np.random.uniform(0.1, 0.9, ({_shape(BATCH, sizes[-1], rows=rows)}))")
        if network.units[-1] == "softmax":
            lines.append(f"{label} /= np.sum({label}, axis={1 if rows else 0}, keepdims=True)")
        lines.append(f"grads = {self.node.name}({', '.join(map(str, values))})")
        return "\n".join(lines)

    def _free(self) -> set[str]:
        """The names that may be given to values of the forward pass."""
        inside = itertools.chain.from_iterable(self.unpacked.values())
        return {name for name in (*self.names, *inside) if name not in self.unpacked and name not in self.keyed}

    def _name(self, symbol: str) -> str:
        return self.symbols.get(symbol, "X" if symbol == "A0" else symbol)

    def _symbol(self, name: str) -> str:
        """The name of the value in the notes: ``A1`` of ``h``, ``A2`` of ``yhat``; "" for what is none."""
        for letter, pattern in (("W", WEIGHTS), ("b", BIASES), ("Z", SUMS), ("A", UNITS)):
            match = pattern.match(name)
            if match:
                return f"{letter}{match[1] or 1}"
        return f"A{self.layers}" if OUTPUTS.match(name) else ""

    def _argument(self, name: str, network: Network) -> str | None:
        if name in self.unpacked:
            parts = [self._argument(each, network) for each in self.unpacked[name]]
            return None if None in parts else f"({', '.join(map(str, parts))})"
        symbol = self._symbol(name)
        if symbol and int(symbol[1:]) <= self.layers:
            return self._name(symbol)
        if symbols.is_label(name):
            return name
        if name == self._name("A0"):
            return name
        if name in self.keyed:
            pairs = [(letter + str(layer)) for layer in range(1, self.layers + 1) for letter in "WbZA"]
            inside = [f"'{each}': {self._name(each)}" for each in ("A0", *pairs)]
            return f"{{{', '.join(inside)}}}"
        if CACHES.match(name):
            layers = [
                f"(({self._name(f'A{layer - 1}')}, {self._name(f'W{layer}')}, {self._name(f'b{layer}')}), "
                f"{self._name(f'Z{layer}')})"
                for layer in range(1, self.layers + 1)
            ]
            return f"[{', '.join(layers)}]"
        if self.described and re.search(r"arch|layers|struct|config", name):
            return self.list
        if symbols.COUNTS.match(name):
            return str(BATCH)
        if costs.RATES.match(name) or symbols.NUMBERS.match(name):
            return "0.1"
        words = ranks.choices(name, self.tree)
        return repr(words[0]) if words else None


def _shape(batch: int, size: int, *, rows: bool) -> str:
    return f"{batch}, {size}" if rows else f"{size}, {batch}"


def _is_text(node: ast.AST) -> bool:
    """Whether an index is a word, or begins with one."""
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(node))
