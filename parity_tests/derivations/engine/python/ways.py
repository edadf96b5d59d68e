"""The ways to call what a file defines: its training, its pairs of forward and backward passes, its gradients alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.python import ranks
from parity_tests.derivations.engine.python.arguments import BIAS, VECTORS, Caller
from parity_tests.derivations.engine.python.surroundings import Around

CACHES = re.compile(r"cache|memory|stored|context|ctx", re.I)
UPSTREAM = re.compile(r"^(dout\w*|d[A-Za-z]\w*|grad\w*|upstream|delta)$")
OF_GRADIENTS = re.compile(r"grad|delta|\bd_?[A-Za-z]?\w* [-+*/@]?= ")
INITIAL, COSTS = re.compile(r"init|make|create"), re.compile(r"cost|loss|entropy|mse")
WORDS_OF_GRADIENTS = {
    "grad",
    "grads",
    "gradient",
    "gradients",
    "jac",
    "jacobian",
    "prime",
    "derivative",
    "deriv",
    "der",
    "d",
}
WORDS_OF_WORK = {
    "compute",
    "calculate",
    "calc",
    "get",
    "eval",
    "evaluate",
    "the",
    "of",
    "fn",
    "func",
    "function",
    "fun",
}
"""What names of functions say beside what the function is of: ``compute_gradient``, ``grad_of_loss``."""
TRAINING = ("train", "fit", "backprop", "loss", "train_step", "update", "step")


class Way(NamedTuple):
    """What writes the lines of a call into a Caller, False where it cannot; the function of gradients that it calls."""

    build: Any
    function: str = ""


def builders(tree: ast.Module, around: Around | None, pair: tuple[str, ...]) -> Iterator[Way]:
    """The ways to call a file, the likeliest first; a pair that another one calls comes behind it."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    if len(pair) == 2 and all(each in functions for each in pair):
        yield Way(_pair(functions, *pair), pair[1])
        return
    if len(pair) == 1 and pair[0] in functions:
        yield Way(lambda caller: alone(caller, functions[pair[0]]), pair[0])
        return
    made = {} if around is None else {type(value).__name__: name for name, value in around.values.items()}
    for node in reversed(classes):
        yield from _of_class(node, made.get(node.name, ""))
    known = list(pairs(functions))
    depth = {name: _calls_of([name for name, _ in known], functions[name]) for name, _ in known}
    known.sort(key=lambda each: sum(each[0] in called for called in depth.values()))
    yield from (Way(_pair(functions, *each), each[1]) for each in known)
    for cost, gradient in costs_and_gradients(functions):
        for vectors in (True, False):
            yield Way(_cost_and_gradient(cost, gradient, vectors=vectors), gradient.name)
    paired = {name for each in known for name in each}
    for each in sorted(functions.values(), key=lambda node: node.name in paired):
        if has_gradients(each):
            yield Way(lambda caller, node=each: _with_dict(caller, node, functions), each.name)
            yield Way(lambda caller, node=each: _chained(caller, node, functions), each.name)
            yield Way(lambda caller, node=each: alone(caller, node), each.name)
    for node in reversed(classes):
        yield from _of_class(node, made.get(node.name, ""), every=True)
    for each in functions.values():
        if not has_gradients(each) and _takes_steps(each):
            yield Way(lambda caller, node=each: alone(caller, node), each.name)


def _calls_of(names: Collection[str], node: ast.AST) -> set[str]:
    """Those of some functions that a function calls."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}.intersection(names)


def _of_class(node: ast.ClassDef, known: str, *, every: bool = False) -> Iterator[Way]:
    """The methods of an object, ``known`` under that name or made anew: its training, or its forward and backward pass.

    Of ``every`` class, what other methods compute gradients.
    """
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    net = known or "net"

    def made(caller: Caller) -> None:
        caller.within(node)
        if known:
            return
        begin = methods.get("__init__")
        inside = "" if begin is None else caller.arguments(begin, method=True, makes=True)
        caller.lines.append(f"net = {node.name}({inside})")

    gradients = [name for name, each in methods.items() if name not in TRAINING and has_gradients(each)]
    for name in gradients if every else TRAINING:
        if name in methods:

            def train(caller: Caller, name: str = name) -> bool:
                made(caller)
                caller.lines.append(f"{net}.{name}({caller.arguments(methods[name], method=True)})")
                return True

            yield Way(train)
    forward, backward = methods.get("forward"), methods.get("backward")
    if forward is not None and backward is not None and not every:

        def pair(caller: Caller) -> bool:
            made(caller)
            return _forth_and_back(caller, forward, backward, f"{net}.", method=True)

        yield Way(pair)


def pairs(functions: Collection[str]) -> Iterator[tuple[str, str]]:
    """The functions that are forward and backward passes, by their names."""
    for name in functions:
        partners = [name.replace("forward", "backward"), name.replace("forward", "back"), f"{name}_backward"]
        partners += [re.sub(r"^f", "b", name)] if name.startswith("f") else []
        backward = next((each for each in partners if each in functions and each != name), None)
        if backward is not None:
            yield name, backward


def costs_and_gradients(functions: dict[str, ast.FunctionDef]) -> Iterator[tuple[ast.FunctionDef, ast.FunctionDef]]:
    """The functions that are a cost and its gradient, by their names and arguments: ``f`` and ``f_grad``.

    A gradient that is called like no other function belongs to the only function of a cost.
    """
    words = {name: [each.lower() for each in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)] for name in functions}
    plain = {name: frozenset(each) - WORDS_OF_WORK - WORDS_OF_GRADIENTS for name, each in words.items()}
    gradients = {name for name, each in words.items() if WORDS_OF_GRADIENTS.intersection(each)}
    gradients |= {name for name in functions if name[:1] == "d" and name[1:] in functions}
    costs = [name for name in functions if name not in gradients and COSTS.search(name)]
    for name in gradients:
        same = [
            each for each in functions if each not in gradients and plain[each] in (plain[name], plain.get(name[1:]))
        ]
        for cost in (same or costs)[:1] if len(same or costs) == 1 else ():
            if _required(functions[cost]) <= {each.arg for each in functions[name].args.args}:
                yield functions[cost], functions[name]


def _required(node: ast.FunctionDef) -> set[str]:
    """The arguments without which a function cannot be called."""
    listed = [each.arg for each in node.args.args]
    return set(listed[: len(listed) - len(node.args.defaults)])


def _cost_and_gradient(cost: ast.FunctionDef, gradient: ast.FunctionDef, *, vectors: bool) -> Any:
    """The call of a cost and of the function that is its gradient, in all parameters or in the first."""

    def both(caller: Caller) -> bool:
        caller.exact = True
        if vectors:
            caller.assumed = VECTORS if len(gradient.args.args) > 1 else VECTORS._replace(data=1)
        inside = caller.arguments(gradient)
        caller.lines.append(f"J = {cost.name}({caller.arguments(cost)})")
        caller.returned = _elements(gradient)
        arrays = [each.arg for each in gradient.args.args if each.arg in caller.arrays]
        parameters = [each for each in arrays if not (symbols.is_data(each) or symbols.is_label(each))] or arrays
        target = "returned" if caller.returned or not parameters else f"d{parameters[0]}"
        caller.lines.append(f"{target} = {gradient.name}({inside})")
        return True

    return both


def _pair(functions: dict[str, ast.FunctionDef], forward: str, backward: str) -> Any:
    """The call of two functions, with what makes the parameters and the cost where there is such a function."""
    others = {name: node for name, node in functions.items() if name not in (forward, backward)}
    first = next((node for name, node in others.items() if INITIAL.search(name) and ranks.makes_arrays(node)), None)
    cost = next((node for name, node in others.items() if COSTS.search(name)), None)

    def whole(caller: Caller) -> bool:
        caller.within(functions[forward], functions[backward])
        if first is not None:
            _begun(caller, first)
        return _forth_and_back(caller, functions[forward], functions[backward], "", cost=cost)

    return whole


def _begun(caller: Caller, first: ast.FunctionDef) -> None:
    """The parameters, by the function that makes them."""
    inside = caller.arguments(first, makes=True)
    names = _returned(first)
    caller.lines.append(f"{', '.join(names) or 'params'} = {first.name}({inside})")
    for each in names or ["params"]:
        caller.known[symbols.plain_symbol(each)] = each
    if not names or len(names) == 1:
        caller.known["parameters"] = names[0] if names else "params"


def _with_dict(caller: Caller, node: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> bool:
    """A function of gradients whose parameters are a dict, behind the function that makes it and the cost of both."""
    others = {name: each for name, each in functions.items() if each is not node}
    first = next((each for name, each in others.items() if INITIAL.search(name) and _returns_a_dict(each)), None)
    if first is None or not any(ranks.is_keyed(each.arg, node) for each in node.args.args):
        return False
    taken = {each.arg for each in node.args.args}
    _begun(caller, first)
    inside = caller.arguments(node)
    cost = next((each for name, each in others.items() if COSTS.search(name)), None)
    if cost is not None and {each.arg for each in cost.args.args} <= taken:
        caller.lines.append(f"J = {cost.name}({caller.arguments(cost)})")
    caller.lines.append(f"grads = {node.name}({inside})")
    return True


def _returns_a_dict(node: ast.FunctionDef) -> bool:
    made = [each.value for each in ast.walk(node) if isinstance(each, ast.Return | ast.Assign)]
    made_by = [ast.unparse(each.func) for each in made if isinstance(each, ast.Call)]
    return "dict" in made_by or any(isinstance(each, ast.Dict | ast.DictComp) for each in made)


def _forth_and_back(
    caller: Caller,
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
    names = _returned(forward) or [_returned_alone(forward)]
    listed = [each.arg for each in backward.args.args][method:]
    optional = listed[len(listed) - len(backward.args.defaults) :] if backward.args.defaults else []
    if len(names) > 1 and not any(map(CACHES.search, names)):  # ``return np.maximum(0, x), x`` beside (dout, cache)
        names[-1] = next(filter(CACHES.search, listed), names[-1])
    free = [
        each
        for each in listed
        if symbols.plain_symbol(each) not in caller.known
        and each not in [*names, *optional]
        and not (symbols.is_label(each) or UPSTREAM.match(each) or CACHES.search(each))
    ]
    data = [each for each in taken if symbols.is_data(each)]
    for each in [each for each in free if symbols.is_data(each) and len(data) == 1]:
        caller.known[symbols.plain_symbol(each)] = data[0]  # the same examples under another name
        free.remove(each)
    for place, each in enumerate(names):
        if re.fullmatch(r"out\d*", each) and free:
            names[place] = free.pop(0)
    outputs = [each for each in names if not CACHES.search(each)]
    caller.lines.append(f"{', '.join(names)} = {prefix}{forward.name}({inside})")
    for each in names:
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


def _chained(caller: Caller, node: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> bool:
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
    return bool(called) and alone(caller, node)


def _is_given(name: str) -> bool:
    """Whether a name is that of data, labels or a number, which no function of a forward pass returns."""
    return symbols.is_data(name) or symbols.is_label(name) or bool(symbols.NUMBERS.match(name) and not BIAS.match(name))


def alone(caller: Caller, node: ast.FunctionDef) -> bool:
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


def _returned_alone(node: ast.FunctionDef) -> str:
    """The name of the value that a function returns last, "out" for a formula."""
    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
    return returned[-1].id if returned and isinstance(returned[-1], ast.Name) else "out"


def has_gradients(node: ast.FunctionDef) -> bool:
    """Whether a function computes gradients, by what it calls them."""
    return len(node.args.args) >= 2 and bool(OF_GRADIENTS.search(ast.unparse(node)))


def _takes_steps(node: ast.FunctionDef) -> bool:
    """Whether a function with labels moves what it was given: ``a = a - rate * x * (z - y)``."""
    names = {each.arg for each in node.args.args}
    names |= {part for name in names for part in ranks.unpacked(name, node)}
    moved = [
        ast.unparse(each.targets[0])
        for each in ast.walk(node)
        if isinstance(each, ast.Assign)
        and isinstance(each.value, ast.BinOp)
        and isinstance(each.value.op, ast.Add | ast.Sub)
        and ast.unparse(each.value.left) == ast.unparse(each.targets[0])
    ]
    moved += [ast.unparse(each.target) for each in ast.walk(node) if isinstance(each, ast.AugAssign)]
    return any(map(symbols.is_label, names)) and bool(names.intersection(moved))
