"""How a file without a main block can be called: its functions and classes, on arrays whose sizes are found by trying.

Every axis of an argument begins with a size of its own. The functions are run; where two sizes meet that have to be
equal, they are one from then on, and it is run again.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import costs, symbols
from parity_tests.derivations.engine.events import NAMED, Event, Run
from parity_tests.derivations.engine.numbers.kinds import Kind
from parity_tests.derivations.engine.python import ranks
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.verdicts import CALL

SIZES = (6, 7, 9, 11, 8, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)
"""Sizes of axes that nothing is known of: none stands in a call for anything else."""
MOST_TRIES = 40

FILTERS = re.compile(r"w|filt|kern", re.I)
ROUNDS = re.compile(r"epoch|iter|steps?$|rounds", re.I)
LISTS = re.compile(r"^(sizes|layers|layer_sizes|layer_dims|layers_dims|dims|layout|structure)$")
LAYERS = (3, 5, 4, 2)
OF_LAYERS = re.compile(r"^(weights|biases|Ws|bs|weight_list|bias_list)$")
BIASES = re.compile(r"^b")
SETTINGS = re.compile(r"_param$|hparam|hyper|config$")
SETTINGS_GIVEN = (
    '{"stride": 1, "pad": 1, "f": 2, "pool_height": 2, "pool_width": 2, "p": 0.7, "mode": "train", "eps": 1e-5}'
)
COUNTS = re.compile(
    r"size|dim|^n_|^num_|_in$|_out$|input|hidden|output|features|units|^n[xhy]$|^[DHCNM]$|classes", re.I
)
CACHES = re.compile(r"cache|memory|stored|context|ctx", re.I)
UPSTREAM = re.compile(r"^(dout\w*|d[A-Za-z]\w*|grad\w*|upstream|delta)$")
BIAS = re.compile(r"^(b|bias|biases|gamma|beta|b\w{0,2}|bias_?\w{0,2})$")
OF_GRADIENTS = re.compile(r"grad|delta|\bd_?[A-Za-z]?\w* [-+*/@]?= ")
TRAINING = ("train", "fit", "backprop", "loss", "train_step", "update", "step")


class UnequalError(ValueError):
    """Two sizes that meet have to be equal."""


class Sized(np.ndarray[Any, np.dtype[Any]]):
    """An array that says which two sizes do not fit."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        plain = [np.asarray(each) for each in inputs]
        if method == "__call__" and len(plain) == 2:
            _check(plain[0].shape, plain[1].shape, ufunc is np.matmul)
        out = settings.pop("out", None)
        if out is not None:
            settings["out"] = tuple(np.asarray(each) for each in out)
        result = getattr(ufunc, method)(*plain, **settings)
        return out[0] if out is not None else _sized(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, settings: Any) -> Any:
        if function is np.dot:
            _check(np.shape(arguments[0]), np.shape(arguments[1]), True)
        return _sized(function(*_bare(arguments), **{name: _bare(value) for name, value in settings.items()}))

    def __getitem__(self, index: Any) -> Any:
        _check_places(index)
        return _sized(self.view(np.ndarray)[_bare(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        _check_places(index)
        self.view(np.ndarray)[_bare(index)] = _bare(value)


def _check_places(index: Any) -> None:
    """Lists of rows and of columns go together entry by entry."""
    lengths = [np.shape(each)[0] for each in index if np.ndim(each) == 1] if isinstance(index, tuple) else []
    if len(lengths) == 2:
        _check((lengths[0],), (lengths[1],), False)


def _bare(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_bare(each) for each in value)
    return np.asarray(value) if isinstance(value, Sized) else value


def _sized(value: Any) -> Any:
    return value.view(Sized) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


SIZED = Kind(
    "sizes",
    lambda value: np.asarray(value).view(Sized) if getattr(getattr(value, "dtype", None), "kind", "") == "f" else value,
)
MET: list[tuple[int, int]] = []
"""The sizes that met last."""


def _check(first: tuple[int, ...], second: tuple[int, ...], product: bool) -> None:
    if product and first and second:
        pairs = [(first[-1], second[-2 if len(second) > 1 else 0])]
    else:
        pairs = [(a, b) for a, b in zip(reversed(first), reversed(second), strict=False) if 1 not in (a, b)]
    for a, b in pairs:
        if a != b:
            MET[:] = [(a, b)]
            raise UnequalError(f"{a} and {b}")


class Shapes(NamedTuple):
    """What is assumed of biases: flat, as a row, as a column; and of labels and data: whether they are a matrix."""

    bias: tuple[int, ...]
    label: int
    data: int = 2

    def bias_of_volumes(self, count: int) -> tuple[int, ...]:
        """The axes of a bias beside volumes: flat, or with channels first or last."""
        if count == 4:
            return (1, 1, 1, 0)
        return {1: (0,)}.get(len(self.bias), (1, 0, 1, 1) if self.bias == (1, 0) else (1, 1, 1, 0))


ASSUMED = [Shapes(bias, label) for label, bias in itertools.product((2, 1), ((0,), (0, 1), (1, 0)))]
ASSUMED.append(Shapes((0,), 1, 1))
"""Each axis is 0 for a size of its own, or 1."""


class _Caller:
    """The lines of one call, and the sizes of the arrays in it."""

    def __init__(self, tree: ast.Module, assumed: Shapes) -> None:
        self.tree, self.assumed = tree, assumed
        self.lines: list[str] = []
        self.arrays: dict[str, list[int]] = {}
        self.whole: set[str] = set()
        self.known: dict[str, str] = {}
        self.sizes = iter(SIZES)
        self.returned: list[ast.expr] = []
        self.shares: dict[str, int] = {}
        self.layers = False
        """Whether a list of the layers' sizes is among the arguments."""
        self.filters = 0
        """How many filters there are, each of which has a bias."""

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
        if SETTINGS.search(name):
            return SETTINGS_GIVEN
        if LISTS.match(name):
            self.layers = True
            return f"[{', '.join(map(str, LAYERS))}]"
        if OF_LAYERS.match(name):
            return self.listed(name)
        if ROUNDS.search(name):
            return "3" if default is None else None
        if default is not None and not symbols.is_label(name) and not symbols.is_data(name):
            return "0.1" if costs.RATES.match(name) else None
        if makes and COUNTS.search(name):
            return str(next(self.sizes))
        if symbols.NUMBERS.match(name) and not BIAS.match(name) and not ranks.is_array(name, node):
            return "0.3"
        return self.array(name, node)

    def listed(self, name: str) -> str:
        """A list of the weights or biases of two layers, for rows or, with biases as columns, for columns."""
        sizes, columns = (3, 5, 2), self.assumed.bias == (0, 1)
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
            own = ranks.rank_of(name, self.tree) or 0
            volume = any(len(shape) == 4 for shape in self.arrays.values())
            axes = self.assumed.bias if own < 3 and not volume else self.assumed.bias_of_volumes(own)
        elif (count := ranks.rank_of(name, self.tree)) is not None and count != 2:
            axes = (0,) * count
        else:
            axes = (0,) * (self.assumed.data if symbols.is_data(name) else 2)
        self.arrays[name] = [next(self.sizes) if each == 0 else 1 for each in axes]
        if self.layers and self.assumed.data == len(axes) == 1:
            self.arrays[name] = [LAYERS[-1] if symbols.is_label(name) else LAYERS[0]]
        if len(axes) == 4 and not BIAS.match(name):
            self.arrays[name] = _volume(name, self.tree)
            if FILTERS.match(name):
                names = ranks.unpacked_as(name, self.tree)
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
        return "\n".join(rows)

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


def _volume(name: str, tree: ast.AST) -> list[int]:
    """The sizes of a volume, or of filters that are smaller: channels first, or last where both sides are called f."""
    if not FILTERS.match(name):
        return [3, 4, 7, 6]
    names = ranks.unpacked_as(name, tree)
    return [2, 2, 6, 5] if names and names[0] == names[1] else [5, 4, 3, 2]


def _is_index(name: str, node: ast.AST) -> bool:
    """Whether a function uses a name as the place of an entry."""
    return any(
        isinstance(each, ast.Subscript)
        and any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(each.slice))
        for each in ast.walk(node)
    )


class Tried(NamedTuple):
    """The lines of a call, and why it ended early, "" where it runs to its end."""

    call: str
    problem: str


def calls(text: str, around: Around | None = None, pair: tuple[str, ...] = ()) -> Iterator[Tried]:
    """The ways to call what a file defines, the likeliest first, with sizes that fit as far as they can be found.

    ``around`` are variables that the file finds there: they are arguments under their own names. With a ``pair`` of
    names, forward and backward, or one function that does both, these alone are called.
    """
    tree = ast.parse(text)
    seen = set()
    for build in _builders(tree, around, pair):
        every = (_fitted(text, tree, build, assumed, around) for assumed in ASSUMED)
        found = [each for each in every if each is not None]
        if found:
            _, best = max(found, key=lambda each: (not each[1].problem, each[0]))
            if best.call not in seen:
                seen.add(best.call)
                yield best


def template(text: str) -> Tried | None:
    """A call of the longest function, to be completed, where nothing says which are forward and backward passes."""
    tree = ast.parse(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.args.args]
    if not functions:
        return None
    longest = max(functions, key=lambda node: (node.end_lineno or 0) - node.lineno)
    found = _fitted(text, tree, lambda caller: _alone(caller, longest), ASSUMED[0], None)
    return None if found is None else found[1]


def _fitted(
    text: str, tree: ast.Module, build: Any, assumed: Shapes, around: Around | None
) -> tuple[tuple[int, int], Tried] | None:
    """A call with sizes that fit as far as they can be found, None where it cannot be built.

    It comes with how many gradients have the shape of what they belong to, and with how many different sizes there
    are: the assumption in which most do is the likeliest.
    """
    caller = _Caller(tree, assumed)
    caller.known |= {symbols.plain_symbol(name): name for name in (around.values if around is not None else ())}
    if not build(caller):
        return None
    call = problem = ""
    for _ in range(MOST_TRIES):
        call = caller.text()
        MET.clear()
        run = PythonProgram(text, call, 0, around).run({}, SIZED)
        problem = run.problems[0][1] if run.problems else ""
        if not problem and caller.share(run):
            continue
        if not problem:
            shapes = {name: tuple(shape) for name, shape in caller.arrays.items() if not symbols.is_label(name)}
            like = {event.name for event in run.events for name in _meant(event, shapes) if event.shape == shapes[name]}
            sizes = {size for shape in caller.arrays.values() for size in shape} - {1}
            new, count = _named(call, caller.returned, run.events, shapes)
            return (len(like) + count, len(sizes)), Tried(new, "")
        short = re.search(r"index (\d+) is out of bounds for axis \d+ with size (\d+)", run.problems[0][1])
        if MET:
            if not caller.merge(*MET[0]):
                break
        elif short is None or not caller.lengthen(int(short[2])):
            break
    return (0, 0), Tried(call, problem)


def _meant(event: Event, shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    return symbols.meant_by(event.name, shapes) if event.role == NAMED and not event.missing else ()


def _named(
    call: str, returned: list[ast.expr], events: Iterable[Event], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[str, int]:
    """The call with a name for each gradient that is returned without one: that of the argument of its shape."""
    *before, last = call.splitlines()
    target, _, rest = last.partition(" = ")
    found = {event.name: event.shape for event in events if event.line >= CALL}
    names = []
    for place, each in enumerate(returned):
        shape = found.get(f"{target}[{place}]")
        like = [name for name, other in shapes.items() if other == shape and not isinstance(each, ast.Name)]
        names.append(f"d{like[0]}" if len(like) == 1 else "_")
    mine = [name for name in names if name != "_"]
    if not mine or len(set(mine)) < len(mine):
        return call, 0
    return "\n".join([*before, f"{', '.join(names)} = {rest}"]), len(mine)


def _builders(tree: ast.Module, around: Around | None, pair: tuple[str, ...]) -> Iterator[Any]:
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if len(pair) == 2 and all(each in functions for each in pair):
        yield _pair(functions, *pair)
        return
    if len(pair) == 1 and pair[0] in functions:
        yield lambda caller: _alone(caller, functions[pair[0]])
        return
    made = {} if around is None else {type(value).__name__: name for name, value in around.values.items()}
    for node in reversed(classes):
        yield from _of_class(node, made.get(node.name, ""))
    yield from _of_functions(functions)
    for each in functions.values():
        if _has_gradients(each):
            yield lambda caller, node=each: _chained(caller, node, functions)
            yield lambda caller, node=each: _alone(caller, node)
    for node in reversed(classes):
        yield from _of_class(node, made.get(node.name, ""), every=True)


def _of_class(node: ast.ClassDef, known: str, *, every: bool = False) -> Iterator[Any]:
    """The methods of an object, ``known`` under that name or made anew: its training, or its forward and backward pass.

    Of ``every`` class, what other methods compute gradients.
    """
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    net = known or "net"

    def made(caller: _Caller) -> None:
        if known:
            return
        begin = methods.get("__init__")
        inside = "" if begin is None else caller.arguments(begin, method=True, makes=True)
        caller.lines.append(f"net = {node.name}({inside})")

    gradients = [name for name, each in methods.items() if name not in TRAINING and _has_gradients(each)]
    for name in gradients if every else TRAINING:
        if name in methods:

            def train(caller: _Caller, name: str = name) -> bool:
                made(caller)
                caller.lines.append(f"{net}.{name}({caller.arguments(methods[name], method=True)})")
                return True

            yield train
    forward, backward = methods.get("forward"), methods.get("backward")
    if forward is not None and backward is not None and not every:

        def pair(caller: _Caller) -> bool:
            made(caller)
            return _forth_and_back(caller, forward, backward, f"{net}.", method=True)

        yield pair


def _of_functions(functions: dict[str, ast.FunctionDef]) -> Iterator[Any]:
    for name in functions:
        partners = [name.replace("forward", "backward"), name.replace("forward", "back"), f"{name}_backward"]
        partners += [re.sub(r"^f", "b", name)] if name.startswith("f") else []
        backward = next((each for each in partners if each in functions and each != name), None)
        if backward is not None:
            yield _pair(functions, name, backward)


def _pair(functions: dict[str, ast.FunctionDef], forward: str, backward: str) -> Any:
    """The call of two functions, with what makes the parameters and the cost where there is such a function."""
    others = {name: node for name, node in functions.items() if name not in (forward, backward)}
    first = next((node for name, node in others.items() if re.search(r"init", name)), None)
    cost = next((node for name, node in others.items() if re.search(r"cost|loss|entropy|mse", name)), None)

    def whole(caller: _Caller) -> bool:
        if first is not None:
            inside = caller.arguments(first, makes=True)
            names = _returned(first)
            caller.lines.append(f"{', '.join(names) or 'params'} = {first.name}({inside})")
            for each in names or ["params"]:
                caller.known[symbols.plain_symbol(each)] = each
            if not names or len(names) == 1:
                caller.known["parameters"] = names[0] if names else "params"
        return _forth_and_back(caller, functions[forward], functions[backward], "", cost=cost)

    return whole


def _forth_and_back(
    caller: _Caller,
    forward: ast.FunctionDef,
    backward: ast.FunctionDef,
    prefix: str,
    *,
    method: bool = False,
    cost: ast.FunctionDef | None = None,
) -> bool:
    """The forward pass, its cost or a random cotangent, and the backward pass."""
    taken = [each.arg for each in forward.args.args][method:]
    inside = caller.arguments(forward, method=method)
    names = _returned(forward)
    listed = [each.arg for each in backward.args.args][method:]
    free = [
        each
        for each in listed
        if symbols.plain_symbol(each) not in caller.known
        and each not in names
        and not (symbols.is_label(each) or UPSTREAM.match(each) or CACHES.search(each))
    ]
    data = [each for each in taken if symbols.is_data(each)]
    for each in [each for each in free if symbols.is_data(each) and len(data) == 1]:
        caller.known[symbols.plain_symbol(each)] = data[0]  # the same examples under another name
        free.remove(each)
    for place, each in enumerate(names):
        if re.fullmatch(r"out\d*", each) and free:
            names[place] = free.pop(0)
    outputs = [each for each in names if not CACHES.search(each)] if names else ["out"]
    caller.lines.append(f"{', '.join(names) or 'out'} = {prefix}{forward.name}({inside})")
    for each in names or ["out"]:
        caller.known[symbols.plain_symbol(each)] = each
    cached = next((each for each in names if CACHES.search(each)), None)
    upstream = [each for each in listed if UPSTREAM.match(each) and symbols.plain_symbol(each) not in caller.known]
    if cost is not None and not upstream:
        caller.known.setdefault("al", outputs[0])
        caller.lines.append(f"J = {cost.name}({caller.arguments(cost)})")
    elif upstream or not any(symbols.is_label(each) for each in listed):
        terms = []
        for name, output in zip(upstream or ["dout"], outputs, strict=False):
            caller.lines.append(f"{name} = np.random.randn(*np.shape({output}))")
            caller.known[symbols.plain_symbol(name)] = name
            terms.append(f"np.sum({name} * {output})")
        caller.lines.append(f"J = {' + '.join(terms)}")
    for each in listed:
        if CACHES.search(each) and cached is not None:
            caller.known[symbols.plain_symbol(each)] = cached
    made = set(caller.arrays)
    inside = caller.arguments(backward, method=method)
    if any(not symbols.is_label(each) for each in set(caller.arrays) - made):
        return False  # it needs something that the forward pass does not give
    caller.returned = _elements(backward)
    arrays = [each for each in taken if each in caller.arrays]
    if not caller.returned and len(arrays) == 1:
        caller.lines.append(f"d{arrays[0]} = {prefix}{backward.name}({inside})")
    else:
        caller.lines.append(f"grads = {prefix}{backward.name}({inside})")
    return True


def _chained(caller: _Caller, node: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> bool:
    """A function of gradients behind the functions that return what it takes, by the names of what they return."""
    made = {name: each for each in functions.values() if each is not node for name in _returned(each)}
    called: list[ast.FunctionDef] = []
    taken = {each.arg for maker in made.values() for each in maker.args.args}
    rest = [each.arg for each in node.args.args if each.arg not in made.keys() | taken and not _is_given(each.arg)]

    def before(one: ast.FunctionDef) -> None:
        for argument in one.args.args:
            maker = made.get(argument.arg)
            if maker is not None and maker is not one and maker not in called:
                called.append(maker)
                before(maker)
                inside = caller.arguments(maker, makes=True)
                names = _returned(maker)
                unnamed = [place for place, each in enumerate(_elements(maker)) if not isinstance(each, ast.Name)]
                if len(unnamed) == len(rest):
                    for place, name in zip(unnamed, rest, strict=True):
                        names[place] = name
                caller.lines.append(f"{', '.join(names)} = {maker.name}({inside})")
                caller.known |= {symbols.plain_symbol(name): name for name in names}

    before(node)
    return bool(called) and _alone(caller, node)


def _is_given(name: str) -> bool:
    """Whether a name is that of data, labels or a number, which no function of a forward pass returns."""
    return symbols.is_data(name) or symbols.is_label(name) or bool(symbols.NUMBERS.match(name) and not BIAS.match(name))


def _alone(caller: _Caller, node: ast.FunctionDef) -> bool:
    caller.returned = _elements(node)
    caller.lines.append(f"returned = {node.name}({caller.arguments(node)})")
    return True


def _elements(node: ast.FunctionDef) -> list[ast.expr]:
    """The elements of the tuple that a function returns last; none for a single value."""
    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value is not None]
    return list(returned[-1].elts) if returned and isinstance(returned[-1], ast.Tuple) else []


def _returned(node: ast.FunctionDef) -> list[str]:
    """Names for what a function returns, one by one; none for a single value."""
    elements = _elements(node)
    names = []
    for place, each in enumerate(elements):
        last = place == len(elements) - 1
        names.append(
            each.id if isinstance(each, ast.Name)
            else "cache" if last and len(elements) > 1 and isinstance(each, ast.Tuple | ast.Dict | ast.List)
            else "out" if place == 0
            else f"out{place + 1}"
        )  # fmt: skip
    return names


def _has_gradients(node: ast.FunctionDef) -> bool:
    """Whether a function computes gradients, by what it calls them."""
    return len(node.args.args) >= 2 and bool(OF_GRADIENTS.search(ast.unparse(node)))
