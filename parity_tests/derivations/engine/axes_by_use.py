"""What a text does with its names, as far as that says how many axes they have: index, loop, outer product, einsum."""

from __future__ import annotations

import ast

from parity_tests.derivations.engine import symbols

VOLUME = 4
"""The axes of what is summed over several, the third or a later one among them: examples, height, width, channels."""


def derived(tree: ast.Module) -> frozenset[str]:
    """The names of which another name of the text says that it is the derivative in them."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return frozenset(base for name in assigned for base in symbols.meant_by(name, read) if base != name)


def numbers_by_use(tree: ast.Module) -> set[str]:
    """The names that are numbers: the text only takes the root of them, or they are an exponent, a count or a size."""
    under: list[str] = []
    numbers: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="range") | ast.Attribute(attr="zeros" | "ones" | "empty"), args=[*sizes]):
                numbers |= {name for each in sizes for name in _added(each)}
            case ast.Call(func=ast.Attribute(attr="sqrt") | ast.Name(id="sqrt"), args=[ast.Name(id=name)]):
                under.append(name)
            case ast.BinOp(left=ast.Name(id=name), op=ast.Pow(), right=ast.Constant(value=0.5)):
                under.append(name)
            case ast.BinOp(op=ast.Pow(), right=ast.Name(id=name) | ast.BinOp(left=ast.Name(id=name), op=ast.Sub())):
                numbers.add(name)
    every = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return numbers | {name for name in under if under.count(name) == every.count(name)}


def _added(node: ast.expr) -> set[str]:
    """The names of a size, or of several, as far as they are added up: T and k of ``(T - k + 1, 3)``."""
    match node:
        case ast.Name(id=name):
            return {name}
        case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=right):
            return _added(left) | _added(right)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return {name for each in parts for name in _added(each)}
    return set()


def indices(tree: ast.Module) -> set[str]:
    """The names that stand alone between brackets."""
    subscripts = (node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript))
    return {each.id for each in subscripts if isinstance(each, ast.Name)}


def counted_through(tree: ast.Module) -> set[str]:
    """The names that loops take one entry of in each turn: ``x[t]``."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and isinstance(node.target, ast.Name)]
    return {
        each.value.id
        for loop in loops
        for each in ast.walk(loop)
        if isinstance(each, ast.Subscript)
        and isinstance(each.value, ast.Name)
        and isinstance(each.slice, ast.Name)
        and ast.unparse(loop.target) == each.slice.id
    }


def axes_by_use(tree: ast.Module) -> dict[str, tuple[int | None, ...]]:
    """The axes of names by what is done with them: ``b[:, None]``, ``np.outer(d, v)``, a rule of einsum.

    Those of a bias of which only the first place is asked for have one: ``b[0, 0, 0, c]``.
    """
    found: dict[str, tuple[int | None, ...]] = {name: (None,) * axes for name, axes in _counted_axes(tree).items()}
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=places)) if symbols.BIASES.match(name):
                first: tuple[int | None, ...] = tuple(1 if ast.unparse(each) == "0" else None for each in places)
                found |= {name: first} if len(first) == len(found.get(name, ())) and 1 in first else {}
    return found


def _counted_axes(tree: ast.Module) -> dict[str, int]:
    """How many axes names have by what is done with them."""
    found: dict[str, int] = {}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=target)],
                value=ast.Call(func=ast.Attribute(attr="array" | "stack"), args=[ast.List(elts=[*sums]), *_]),
            ) if sums and all(map(_is_a_sum_of_all, sums)):
                found |= dict.fromkeys(symbols.meant_by(target, names), 1)
            case ast.Assign(
                targets=[ast.Name(id=target)],
                value=ast.Call(
                    func=ast.Attribute(attr="zeros" | "empty"),
                    args=[ast.Name() | ast.Constant() | ast.BinOp(), *_],
                ),
            ):
                found |= dict.fromkeys(symbols.meant_by(target, names), 1)
            case ast.Assign(targets=[ast.Tuple(elts=sizes)], value=ast.Attribute(ast.Name(id=name), "shape")):
                found |= {name: len(sizes)}
            case ast.Subscript(
                slice=ast.Tuple(elts=[ast.Name(id=turn), ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=of))])
            ) if turn == of:
                found |= {name: 1}
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[_, _, _, *_] as places)):
                texts = [ast.unparse(each) for each in places]
                own = len(texts) - texts.count("None") - texts.count("np.newaxis")
                found |= {name: own} if "..." not in texts else {}
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[first, second])):
                kinds = {ast.unparse(first), ast.unparse(second)}
                found |= {name: 1} if kinds <= {":", "None", "np.newaxis"} and len(kinds) == 2 else {}
            case ast.For(target=ast.Name(id=turn), iter=ast.Call(func=ast.Name(id="range"), args=[_])):
                found |= dict.fromkeys(_windowed(node, turn), 1)
            case ast.Call(func=ast.Attribute(attr="outer"), args=[*factors]):
                found |= {each.id: 1 for each in factors if isinstance(each, ast.Name)}
            case ast.Call(func=ast.Attribute(attr="einsum"), args=[ast.Constant(value=str() as rule), *factors]):
                parts = rule.replace(" ", "").partition("->")[0].split(",")
                pairs = zip(factors, parts, strict=False)
                found |= {each.id: len(part) for each, part in pairs if isinstance(each, ast.Name) and "." not in part}
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name)), keywords=[ast.keyword("axis", ast.Tuple(axes)), *_]
            ):
                over = [each.value for each in axes if isinstance(each, ast.Constant) and isinstance(each.value, int)]
                found |= {name: max(VOLUME, max(over) + 1)} if max(over, default=0) > 1 else {}
            case (
                ast.Call(func=ast.Attribute(value=ast.Name(id="np")), args=[ast.Name(id=name)], keywords=keywords)
                | ast.Call(func=ast.Attribute(value=ast.Name(id=name)), args=[], keywords=keywords)
            ) if (axis := _last_axis(keywords)) > 1:
                found |= {name: max(axis + 1, found.get(name, 0))}
    return found


def _last_axis(keywords: list[ast.keyword]) -> int:
    """The axis that a call names, 0 for none."""
    axes = [each.value.value for each in keywords if each.arg == "axis" and isinstance(each.value, ast.Constant)]
    return next((axis for axis in axes if isinstance(axis, int)), 0)


def _windowed(loop: ast.For, turn: str) -> set[str]:
    """The names along which a loop moves a window by single places: ``x[i : i + k]``."""
    found = set()
    for node in ast.walk(loop):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=ast.Name(id=start))) if start == turn:
                found.add(name)
    return found


def sums_of_all(tree: ast.Module) -> set[str]:
    """The names of which a line says that the derivative in them is a single number."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _is_a_sum_of_all(node.value)]
    targets = [each.id for node in assigned for each in node.targets if isinstance(each, ast.Name)]
    return {name for target in targets for name in symbols.meant_by(target, names)}


def summed_along(tree: ast.Module) -> dict[str, int | None]:
    """The names in which the text says that the derivative is a sum, with its axis; None for one over all."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found: dict[str, int | None] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value):
                for axis in _axes_of_sums(value):
                    found |= dict.fromkeys(symbols.meant_by(target, names), axis)
    return found


def _axes_of_sums(node: ast.expr) -> list[int | None]:
    """The axis of a sum, of the average too, or of what is multiplied or divided by something."""
    match node:
        case ast.UnaryOp(operand=part) | ast.BinOp(left=part, op=ast.Div()):
            return _axes_of_sums(part)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _axes_of_sums(left) or _axes_of_sums(right)
        case ast.Call(func=ast.Attribute(value=base, attr="sum" | "mean"), args=arguments, keywords=keywords):
            named = [each.value for each in keywords if each.arg == "axis"]
            axes = [*named, *arguments[ast.unparse(base) == "np" :]]
            kept = len(keywords) > len(named)
            texts = [ast.unparse(each) for each in axes]
            return [] if kept else [int(text) for text in texts if text.lstrip("-").isdigit()] if texts else [None]
    return []


def _is_a_sum_of_all(node: ast.expr) -> bool:
    """Whether a value is a single number: the sum or the average of all entries of an array, or a multiple of it."""
    match node:
        case ast.UnaryOp(operand=part):
            return _is_a_sum_of_all(part)
        case ast.BinOp(left=ast.Constant(), op=ast.Mult(), right=part) | ast.BinOp(left=part, op=ast.Div()):
            return _is_a_sum_of_all(part)
        case ast.Call(func=ast.Attribute(value=base, attr="sum" | "mean"), args=arguments, keywords=[]):
            return len(arguments) == (ast.unparse(base) == "np")
    return False


def added_to(tree: ast.Module, weights: set[str]) -> set[str]:
    """The names that are added to a product with one of the weights."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Add(), left=product, right=ast.Name(id=bias)):
                names = {each.id for each in ast.walk(product) if isinstance(each, ast.Name)}
                found |= {bias} if names & weights else set()
    return found
