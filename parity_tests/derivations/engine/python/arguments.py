"""The arguments of a call: each is made by a line of its own, of a rank and of sizes that are assumed."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.engine import costs, symbols
from parity_tests.derivations.engine.events import Run
from parity_tests.derivations.engine.python import ranks

SIZES = (6, 7, 9, 11, 8, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
"""Sizes of axes that nothing is known of: none stands in a call for anything else."""

STEPS = 5
"""How many steps a sequence (examples, steps, entries) has: each is a turn of the program's loop."""

FILTERS = re.compile(r"w|filt|kern", re.I)
ROUNDS = re.compile(r"epoch|iter|steps?$|rounds", re.I)
LISTS = re.compile(r"^(sizes|layers|layer_sizes|layer_dims|layers_dims|dims|layout|structure)$")
LAYERS = (3, 5, 7, 11)
OF_LAYERS = re.compile(r"^(weights|biases|Ws|bs|weight_list|bias_list)$")
BIASES = re.compile(r"^b")
SETTINGS = re.compile(r"_param$|hparam|hyper|config$")
SETTINGS_GIVEN = (
    '{"stride": 2, "pad": 1, "f": 2, "pool_height": 3, "pool_width": 2, "p": 0.7, "mode": "train", "eps": 1e-5}'
)
"""With a stride that fits the volumes below: one that is left out in the backward pass alone shows from 2 on."""
WINDOWS = {"stride": "2", "pad": "1", "padding": "1"}

COUNTS = re.compile(
    r"size|dim|^n_|^num_|_in$|_out$|input|hidden|output|features|units|^n[xhy]$|^[DHCNM]$|classes", re.I
)
BIAS = re.compile(r"^(b|bias|biases|gamma|beta|b\w{0,2}|bias_?\w{0,2})$")


IN_TORCH = (
    (r"np\.random\.randn\(\*np\.shape\((\w+)\)\)", r"torch.randn(\1.shape)"),
    (r"np\.random\.randn", "torch.randn"),
    (r"np\.random\.uniform\(0\.1, 0\.9, ", "torch.rand("),
    (r"np\.", "torch."),
)
"""How a call makes tensors in place of arrays."""


class Shapes(NamedTuple):
    """What is assumed of biases: flat, as a row, as a column; and of labels, data, weights: whether they are a matrix.

    What only scales the entries of others has the axes of a bias, or is as large as they are.
    """

    bias: tuple[int, ...]
    label: int
    data: int = 2
    scale: tuple[int, ...] = ()
    weights: int = 2

    def bias_of_volumes(self, count: int) -> tuple[int, ...]:
        """The axes of a bias beside volumes: flat, or with channels first or last."""
        if count == 4:
            return (1, 1, 1, 0)
        return {1: (0,)}.get(len(self.bias), (1, 0, 1, 1) if self.bias == (1, 0) else (1, 1, 1, 0))


ASSUMED = [Shapes(bias, label) for label, bias in itertools.product((2, 1), ((0,), (0, 1), (1, 0)))]
ASSUMED += [Shapes((0,), 1, 1), Shapes((0,), 2, scale=(0, 0))]
"""Each axis is 0 for a size of its own, or 1."""
NUMBERS = Shapes((), 1, 1, weights=0)
"""All that a program learns are single numbers: where nothing else fits."""
VECTORS = Shapes((), 1, weights=1)
"""A vector of weights and a bias that is a number: one output for each example."""


class Caller:
    """The lines of one call, and the sizes of the arrays in it."""

    def __init__(
        self, tree: ast.Module, assumed: Shapes, choice: tuple[str, str] = ("", ""), *, in_torch: bool = False
    ) -> None:
        self.tree, self.assumed, self.choice, self.in_torch = tree, assumed, choice, in_torch
        self.scope: Sequence[ast.AST] = [tree]
        """Where a name stands for the same argument."""
        self.lines: list[str] = []
        self.arrays: dict[str, list[int]] = {}
        self.whole: set[str] = set()
        self.known: dict[str, str] = {}
        self.sizes: Iterator[int] = iter(SIZES)
        self.returned: list[ast.expr] = []
        self.shares: dict[str, int] = {}
        self.layers = False
        """Whether a list of the layers' sizes is among the arguments."""
        self.exact = False
        """Whether a function is called as the gradient of another one: a constant factor is no convention then."""
        self.filters = 0
        """How many filters there are, each of which has a bias."""

    def within(self, *nodes: ast.AST) -> None:
        """Names are those of some functions or of a class: others may have an argument of the same name."""
        self.scope = ranks.reached(nodes, self.tree)

    def arguments(self, node: ast.FunctionDef, *, method: bool = False, makes: bool = False) -> str:
        """The arguments of a call, each made by a line of its own, or known already."""
        listed = [*node.args.posonlyargs, *node.args.args][method:]
        defaults = [*[None] * (len(listed) - len(node.args.defaults)), *node.args.defaults]
        given = []
        for argument, default in zip(listed, defaults, strict=True):
            name = argument.arg
            value = self.value(name, node, default, makes)
            if value is None:
                continue
            given.append(value if default is None else f"{name}={value}")
        return ", ".join(given)

    def value(self, name: str, node: ast.FunctionDef, default: ast.expr | None, makes: bool) -> str | None:
        plain = symbols.plain_symbol(name)
        same = {"params": "parameters", "x": "a0", "yhat": "al", "ypred": "al", "out": "al", "output": "al", "a2": "al"}
        for known, text in self.known.items():
            if plain == known or same.get(plain, plain) == same.get(known, known):
                return text
        if name == self.choice[0]:
            return repr(self.choice[1])
        if "parameters" in self.known and ranks.is_keyed(name, node):
            return self.known["parameters"]
        words = ranks.choices(name, self.tree) if default is None else []
        if words:
            return repr(words[0])
        if parts := ranks.unpacked(name, node):
            values = [self.value(each, node, None, makes) for each in parts]
            return f"({', '.join(map(str, values))})"
        if SETTINGS.search(name):
            return SETTINGS_GIVEN
        if name in WINDOWS and (default is None or ast.unparse(default) in ("0", "1")):
            return WINDOWS[name]
        if LISTS.match(name):
            self.layers = True
            self.sizes = (size for size in self.sizes if size not in LAYERS)
            return f"[{', '.join(map(str, LAYERS))}]"
        if OF_LAYERS.match(name):
            return self.listed(name)
        if ROUNDS.search(name):
            return "3" if default is None else None
        if default is not None and not symbols.is_label(name) and not symbols.is_data(name):
            return "0.1" if costs.RATES.match(name) else None
        if makes and (COUNTS.search(name) or ranks.is_size(name, node)):
            return str(next(self.sizes))
        if symbols.NUMBERS.match(name) and not BIAS.match(name) and not ranks.is_array(name, node):
            return "0.3"
        return self.array(name, node)

    def listed(self, name: str) -> str:
        """A list of the weights or biases of two layers, for rows or, with biases as columns, for columns."""
        sizes, columns = LAYERS[:3], self.assumed.bias == (0, 1)
        shapes: list[tuple[int, ...]] = [
            (out, given) if columns else (given, out) for given, out in itertools.pairwise(sizes)
        ]
        if BIASES.match(name):
            shapes = [tuple(each or 1 for each in (out * axis for axis in self.axes)) for out in sizes[1:]]
        arrays = ", ".join(f"0.5 * np.random.randn({', '.join(map(str, shape))})" for shape in shapes)
        self.known[symbols.plain_symbol(name)] = name
        self.lines.append(f"{name} = [{arrays}]")
        return name

    @property
    def axes(self) -> list[int]:
        """Which axes of a bias have the size of its layer."""
        return [1 - axis for axis in self.assumed.bias]

    def array(self, name: str, node: ast.FunctionDef) -> str:
        """A new array under this name."""
        axes: tuple[int, ...]
        if symbols.is_label(name):
            if _is_index(name, node):
                self.whole.add(name)
                axes = (0,)
            else:
                axes = (0,) * self.assumed.label
        elif BIAS.match(name):
            own = ranks.rank_of(name, self.scope) or 0
            volume = any(len(shape) == 4 for shape in self.arrays.values())
            axes = self.assumed.bias if own < 3 and not volume else self.assumed.bias_of_volumes(own)
        elif (count := ranks.rank_of(name, self.scope)) is not None and count != 2:
            axes = (0,) * count
        elif count is None and not symbols.is_data(name) and ranks.only_scales(name, node):
            axes = self.assumed.scale or self.assumed.bias
        else:
            axes = (0,) * (self.assumed.data if symbols.is_data(name) else count or self.assumed.weights)
        self.arrays[name] = [next(self.sizes) if each == 0 else 1 for each in axes]
        if self.layers and self.assumed.data == len(axes) == 1:
            self.arrays[name] = [LAYERS[-1] if symbols.is_label(name) else LAYERS[0]]
        if len(axes) == 3:
            self.arrays[name][1] = STEPS
        if len(axes) == 4 and not BIAS.match(name):
            self.arrays[name] = _volume(name, self.scope)
            if FILTERS.match(name):
                names = ranks.unpacked_as(name, self.scope)
                self.filters = self.arrays[name][-1 if names and names[0] == names[1] else 0]
        elif BIAS.match(name) and self.filters:
            self.arrays[name] = [self.filters if size > 1 else 1 for size in self.arrays[name]]
        self.known[symbols.plain_symbol(name)] = name
        self.lines.append(f"{name} = <{name}>")
        return name

    def text(self) -> str:
        """The lines, with the sizes that are known by now."""
        rows = []
        for line in self.lines:
            match = re.fullmatch(r"(\w+) = <(\w+)>", line)
            if match is None:
                rows.append(line)
                continue
            shape = self.arrays[match[1]]
            listed = ", ".join(map(str, shape))
            if match[1] in self.whole:
                rows.append(f"{match[1]} = np.arange({shape[0]}) % 3")
            elif symbols.is_label(match[1]):
                rows.append(f"{match[1]} = np.random.uniform(0.1, 0.9, ({listed},))")
                if match[1] in self.shares:
                    rows.append(f"{match[1]} /= np.sum({match[1]}, axis={self.shares[match[1]]}, keepdims=True)")
            else:
                scale = "0.5 * " if len(shape) > 1 and not symbols.is_data(match[1]) else ""
                rows.append(f"{match[1]} = {scale}np.random.randn({listed})")
        return "\n".join(map(_by_torch, rows) if self.in_torch else rows)

    def share(self, run: Run) -> bool:
        """Make labels add up to 1 over the classes where a softmax does; False where there is none, or they do."""
        new = {}
        sizes = {size for name, shape in self.arrays.items() if symbols.is_data(name) for size in shape}
        for name, shape in self.arrays.items():
            if symbols.is_label(name) and name not in self.shares and len(shape) == 2:
                axis = costs.softmax_axis(run, np.zeros(shape))
                if axis is not None and shape[axis] not in sizes:  # those of the examples are data's too
                    new[name] = axis
        self.shares |= new
        return bool(new)

    def count(self, run: Run) -> bool:
        """Make numbers of classes as many as there are examples; False where they are."""
        data = [shape for name, shape in self.arrays.items() if symbols.is_data(name)]
        sizes = {size for shape in data for size in shape}
        for name in self.whole:
            size = self.arrays[name][0]
            if data and size not in sizes and self.merge(size, _examples(run) or data[0][0]):
                return True
        return False

    def shorten(self, size: int, read: int) -> bool:
        """Makes labels as many as a loop reads of them, where there are as many examples; False where they are."""
        labels = {each for name, shape in self.arrays.items() if symbols.is_label(name) for each in shape}
        data = {each for name, shape in self.arrays.items() if symbols.is_data(name) for each in shape}
        return read < size and read in data and size in labels - data and self.merge(size, read)

    def lengthen(self, size: int) -> bool:
        """Makes an axis that a loop left as long as one that is longer: the examples of the data first."""
        data = [shape for name, shape in self.arrays.items() if symbols.is_data(name)]
        listed = [*(shape[0] for shape in data), *(each for shape in self.arrays.values() for each in shape)]
        longer = [each for each in listed if each > size]
        return bool(longer) and self.merge(size, longer[0])

    def merge(self, a: int, b: int) -> bool:
        """Makes two sizes one; False where neither belongs to an argument."""
        mine = {size for shape in self.arrays.values() for size in shape}
        old, new = (a, b) if a in mine else (b, a)
        if old not in mine:
            return False
        for shape in self.arrays.values():
            shape[:] = [new if size == old else size for size in shape]
        return True


def _by_torch(line: str) -> str:
    """A line of a call with torch's functions in place of NumPy's."""
    for ours, theirs in IN_TORCH:
        line = re.sub(ours, theirs, line)
    return line


def _examples(run: Run) -> int:
    """How many examples a softmax is taken of, 0 where there is none."""
    for event in run.events:
        if event.missing or np.ndim(event.value) != 2 or min(event.shape) < 2 or np.any(event.value <= 0):
            continue
        for axis in (0, 1):
            if np.allclose(np.sum(event.value, axis=axis), 1):
                return event.shape[1 - axis]
    return 0


def _volume(name: str, scope: Sequence[ast.AST]) -> list[int]:
    """The sizes of a volume, or of filters that are smaller: channels first, or last where both sides are called f."""
    if not FILTERS.match(name):
        return [3, 4, 7, 8]
    names = ranks.unpacked_as(name, scope)
    return [2, 2, 8, 5] if names and names[0] == names[1] else [5, 4, 3, 2]


def _is_index(name: str, node: ast.AST) -> bool:
    """Whether a function uses a name as the place of an entry."""
    return any(
        isinstance(each, ast.Subscript)
        and any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(each.slice))
        for each in ast.walk(node)
    )
