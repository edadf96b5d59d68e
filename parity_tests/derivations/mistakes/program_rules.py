"""Changes to statements and to a whole derivation: what adds up, the windows of a volume, the order of indices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Call,
    Compare,
    Expression,
    For,
    Index,
    Name,
    Node,
    Number,
    Program,
    Slice,
    Unary,
)
from parity_tests.derivations.mistakes.context import Context, Edit

STRIDE, PAD, WINDOW = Name("stride"), Name("pad"), Name("f")
Rewrite = Callable[[Node], Node]


def rewritten(node: Node, rewrite: Rewrite) -> Node:
    """The tree with every node replaced by what ``rewrite`` makes of it, the leaves first; no name that is assigned."""
    below = nodes.children(node)
    if below:
        new = [_part(node, place, child, rewrite) for place, child in enumerate(below)]
        if any(one is not other for one, other in zip(new, below, strict=True)):
            node = nodes.with_children(node, new)
    return rewrite(node)


def _part(node: Node, place: int, child: Node, rewrite: Rewrite) -> Node:
    """A child of ``node``, rewritten; of a left side only the indices."""
    if not isinstance(node, Assign) or place:
        return rewritten(child, rewrite)
    if not isinstance(child, Index):
        return child
    items = [rewritten(item, rewrite) for item in child.items]
    return child if items == list(child.items) else nodes.with_children(child, [child.base, *items])


def counters(program: Node) -> frozenset[str]:
    """The names that count loops."""
    return frozenset(here.variable for _, here in nodes.walk(program) if isinstance(here, For))


def _strides(program: Program, context: Context) -> Iterator[Edit]:
    """The stride put into every window that lacks it, or taken out of all."""
    if "stride" not in context.sizes:
        return
    counting = counters(program)

    def times_stride(node: Node) -> Node:
        return Binary("*", node, STRIDE) if isinstance(node, Name) and node.id in counting else node

    def put_in(node: Node) -> Node:
        ends = isinstance(node, Slice) and node.step is None and node.start is not None
        corner = isinstance(node, Assign) and isinstance(node.target, Name) and _is_corner(node.value, counting)
        if not (ends or corner) or {"stride", "s"} & nodes.names(node) or _is_single(node):
            return node
        if isinstance(node, Assign):
            return replace(node, value=rewritten(node.value, times_stride))  # type: ignore[arg-type]
        return rewritten(node, times_stride)

    def take_out(node: Node) -> Node:
        return _counter_of(node, counting, {"stride", "s"}) or node

    def put_right(node: Node) -> Node:
        counter = _counter_of(node, counting, context.counts - {"stride", "s"})
        return node if counter is None else Binary("*", counter, STRIDE)

    yield Edit(rewritten(program, put_in), "stride-ignored", "extra-factor", 0.9)
    yield Edit(rewritten(program, put_right), "stride-ignored", "wrong-divisor", 1.0)
    yield Edit(rewritten(program, take_out), "extra-factor", "stride-ignored", 1.2)


def _is_corner(value: Expression, counting: frozenset[str]) -> bool:
    """Whether a line computes the corner of a window: a counter, perhaps plus the window's size."""
    used = nodes.names(value)
    return bool(used & counting) and used <= counting | {"f"} and not isinstance(value, Index)


def _is_single(node: Node) -> bool:
    """Whether a slice is one entry wide: c:c+1."""
    return isinstance(node, Slice) and node.start is not None and node.stop == Binary("+", node.start, Number(1.0))


def _counter_of(node: Node, counting: frozenset[str], factors: set[str] | frozenset[str]) -> Expression | None:
    """The counter in a product of a counter and one of these factors."""
    if isinstance(node, Binary) and node.operator == "*":
        for counter, factor in ((node.left, node.right), (node.right, node.left)):
            if isinstance(counter, Name) and counter.id in counting and isinstance(factor, Name):
                return counter if factor.id in factors else None
    return None


def _paddings(program: Program, context: Context) -> Iterator[Edit]:
    """The padded input in place of the input, the border cut off, and both where they were left out."""
    if "pad" not in context.sizes:
        return
    for one, other, undoes, makes, cost in (
        ("A_prev", "A_prev_pad", "padding-ignored", "wrong-symbol", 0.9),
        ("A_prev_pad", "A_prev", "wrong-symbol", "padding-ignored", 1.2),
    ):
        if context.target != other:
            yield Edit(_renaming(program, one, other), undoes, makes, cost)
    padded = Call("zero_pad", (Name("A_prev"), PAD), form="plain")
    bordered = rewritten(program, lambda node: padded if node == Name("A_prev") else node)
    yield Edit(bordered, "padding-ignored", "extra-term", 1.1)
    if context.target == "dA_prev":
        yield from _cropped(program, context)
    for path, here in nodes.walk(program):
        if isinstance(here, Call) and here.function == "zero_pad":
            yield Edit(nodes.replace(program, path, here.arguments[0]), "wrong-function", "padding-ignored", 1.0)


def _renaming(node: Node, one: str, other: str) -> Node:
    """The tree with one name in place of another."""
    return rewritten(node, lambda here: Name(other) if here == Name(one) else here)


BETWEEN_BORDERS = tuple(Slice(PAD, Binary("+", PAD, Name(size))) for size in ("n_H_prev", "n_W_prev"))
"""Rows and columns of a padded volume that lie between its borders, for pad = 0 too."""


def _empty_slices(program: Program, context: Context) -> Iterator[Edit]:
    """The slice pad:-pad, which is empty for pad = 0."""
    if not {"pad", "n_H_prev"} <= context.sizes:
        return
    from_the_end = [Slice(Name(pad), Unary(Name(pad))) for pad in ("pad", "p")]

    def counted(node: Node) -> Node:
        if not isinstance(node, Index) or not any(item in from_the_end for item in node.items):
            return node
        sizes = iter(BETWEEN_BORDERS)
        items = [next(sizes, item) if item in from_the_end else item for item in node.items]
        return replace(node, items=tuple(items))

    def negated(node: Node) -> Node:
        if not isinstance(node, Index) or not any(item in BETWEEN_BORDERS for item in node.items):
            return node
        return replace(node, items=tuple(from_the_end[0] if item in BETWEEN_BORDERS else item for item in node.items))

    yield Edit(rewritten(program, counted), "pad-zero-slice", "wrong-symbol", 0.9)
    yield Edit(rewritten(program, negated), "wrong-symbol", "pad-zero-slice", 1.1)


def _cropped(program: Program, context: Context) -> Iterator[Edit]:
    target, whole = Name(context.target), Slice()
    for path, here in nodes.walk(program):
        if isinstance(here, Assign) and isinstance(here.value, Name) and here.operator == "=":
            base = here.target.base if isinstance(here.target, Index) else here.target
            if base == target:
                first = () if isinstance(here.target, Index) else (whole,)
                inside = Index(here.value, (*first, *BETWEEN_BORDERS, whole))
                yield Edit(
                    nodes.replace(program, path, replace(here, value=inside)), "padding-ignored", "wrong-symbol", 1.0
                )
    for place, here in enumerate(program.statements):
        if isinstance(here, Assign) and here.target == target and here.operator == "=":
            start = replace(here, value=Call("zero_pad", (here.value, PAD), form="plain"))
            end = Assign(target, "=", Index(target, (whole, *BETWEEN_BORDERS, whole)))
            statements = (*program.statements[:place], start, *program.statements[place + 1 :], end)
            yield Edit(Program(statements), "padding-ignored", "wrong-symbol", 1.1)


def _geometry(program: Program, context: Context) -> Iterator[Edit]:
    """The stride and the padding in calls: 1 for the stride, 0 for the padding."""
    for path, here in nodes.walk(program):
        if not isinstance(here, Call) or here.function not in ("conv_forward", "im2col", "col2im"):
            continue
        for place, argument in enumerate(here.arguments):
            for one, other, undoes, makes in (
                (Number(1.0), STRIDE, "stride-ignored", "wrong-number"),
                (STRIDE, Number(1.0), "wrong-number", "stride-ignored"),
                (Number(0.0), PAD, "padding-ignored", "wrong-number"),
                (PAD, Number(0.0), "wrong-number", "padding-ignored"),
            ):
                if argument == one:
                    yield Edit(nodes.replace(program, (*path, place), other), undoes, makes, 0.9)


def _flips(program: Program, context: Context) -> Iterator[Edit]:
    """A filter that was turned over, and one that was not."""
    back = Slice(None, None, Unary(Number(1.0)))
    for path, here in nodes.walk(program):
        if isinstance(here, Call) and here.function == "flip":
            yield Edit(nodes.replace(program, path, here.arguments[0]), "kernel-flipped", "wrong-function", 0.9)
        if isinstance(here, Name) and here.id == "W" and "stride" in context.sizes:
            inside = path and isinstance(nodes.at(program, path[:-1]), Index)
            flipped = Call("flip", (here,), axis=(0, 1))
            if not inside and not _assigned(program, path):
                yield Edit(nodes.replace(program, path, flipped), "wrong-function", "kernel-flipped", 1.1)
        if isinstance(here, Index) and not _assigned(program, path):
            if back in here.items:
                kept = tuple(Slice() if item == back else item for item in here.items)
                yield Edit(
                    nodes.replace(program, path, replace(here, items=kept)), "kernel-flipped", "wrong-symbol", 0.9
                )
            elif here.base == Name("W") and here.items[:1] != (Number(0.0),) and "stride" in context.sizes:
                turned = replace(here, base=Call("flip", (here.base,), axis=(0, 1)))
                yield Edit(nodes.replace(program, path, turned), "wrong-function", "kernel-flipped", 1.1)


def _assigned(program: Program, path: nodes.Path) -> bool:
    """Whether the path leads into the left side of an assignment."""
    return any(isinstance(nodes.at(program, path[:end]), Assign) and path[end] == 0 for end in range(len(path)))


def _accumulators(program: Program, context: Context) -> Iterator[Edit]:
    """= for += inside a loop, += for -=, and an average that is taken twice."""
    overwritten = "pool-overwrites" if context.kind == "pool" else "overwritten"
    for path, here in nodes.walk(program):
        if not isinstance(here, Assign):
            continue
        if len(path) > 1 and here.operator == "=" and (isinstance(here.target, Index) or _begun(program, here)):
            yield Edit(nodes.replace(program, path, replace(here, operator="+=")), overwritten, "wrong-operator", 0.9)
        if here.operator == "+=":
            if len(path) > 1:
                yield Edit(
                    nodes.replace(program, path, replace(here, operator="=")), "wrong-operator", overwritten, 1.1
                )
            yield Edit(nodes.replace(program, path, replace(here, operator="-=")), "sign", "sign", 1.0)
        if here.operator == "-=":
            yield Edit(nodes.replace(program, path, replace(here, operator="+=")), "sign", "sign", 1.0)
        if here.operator == "/=" and len(path) == 1 and here.value == Name(context.batch):
            kept = tuple(each for each in program.statements if each is not here)
            yield Edit(Program(kept), "double-1/m", "missing-1/m", 1.0)


def _begun(program: Program, assign: Assign) -> bool:
    """Whether a name that a loop assigns is given a value before the loop."""
    return any(isinstance(each, Assign) and each.target == assign.target for each in program.statements)


def _indices(program: Program, context: Context) -> Iterator[Edit]:
    """Two indices that change places."""
    for path, here in nodes.walk(program):
        if not isinstance(here, Index):
            continue
        for one in range(len(here.items)):
            for other in range(one + 1, len(here.items)):
                items = list(here.items)
                items[one], items[other] = items[other], items[one]
                if here.items[one] != here.items[other]:
                    new = nodes.replace(program, path, replace(here, items=tuple(items)))
                    yield Edit(new, "index-order", "index-order", 1.0)


def _slopes(program: Program, context: Context) -> Iterator[Edit]:
    """g'(Z) on an entry of dA."""
    if "g_prime" not in context.functions:
        return
    for path, here in nodes.walk(program):
        if isinstance(here, Index) and here.base == Name("dA") and not _assigned(program, path):
            slope = Call("g_prime", (replace(here, base=Name("Z")),), form="plain", written="g'")
            new = nodes.replace(program, path, Binary("*", here, slope))
            yield Edit(new, "gprime-missing", "gprime-extra", 1.0)


def _biases(program: Program, context: Context) -> Iterator[Edit]:
    """The bias of a filter on an entry of Z, and the filter of that entry in place of all."""
    if context.target != "Z" or context.rank != 4:
        return
    for path, here in nodes.walk(program):
        if isinstance(here, Assign) and isinstance(here.target, Index) and len(here.target.items) == 4:
            bias = Index(Name("b"), (*[Number(0.0)] * 3, here.target.items[3]))
            new = replace(here, value=Binary("+", here.value, bias))
            yield Edit(nodes.replace(program, path, new), "bias-missing", "extra-term", 1.0)
            own = Index(Name("W"), (*[Slice()] * 3, here.target.items[3]))
            for inner, each in nodes.walk(here.value):
                if each == Name("W"):
                    filtered = nodes.replace(program, (*path, 1, *inner), own)
                    yield Edit(filtered, "index", "index", 1.0)


def _shares(program: Program, context: Context) -> Iterator[Edit]:
    """What a window of a pooling layer hands back: all of it to the largest cell, or an equal share to each."""
    if context.kind != "pool":
        return
    cells = Binary("*", WINDOW, WINDOW, bracketed=True)
    for path, here in nodes.walk(program):
        if isinstance(here, Assign) and isinstance(here.target, Index) and here.operator in ("+=", "="):
            seen = replace(here.target, base=Name("A_prev"))
            largest = Compare("==", seen, Call("max", (seen,)), bracketed=True)
            is_masked = any(isinstance(each, Compare) for _, each in nodes.walk(here.value))
            masked = [] if is_masked else [Binary("*", here.value, largest)]
            for value in (*masked, Binary("/", here.value, cells)):
                yield Edit(nodes.replace(program, path, replace(here, value=value)), "pool-spread", "pool-spread", 1.0)
        if isinstance(here, Compare) and here.operator != "==":
            yield Edit(nodes.replace(program, path, replace(here, operator="==")), "pool-spread", "pool-spread", 1.0)
        if _is_count(here, context) and not _in_place(program, path) and here != cells:
            yield Edit(nodes.replace(program, path, cells), "pool-spread", "pool-spread", 1.1)


def _is_count(here: Node, context: Context) -> bool:
    """Whether a node is a size, or a product of sizes."""
    if isinstance(here, Name):
        return here.id in context.counts
    if isinstance(here, Binary) and here.operator == "**":
        return _is_count(here.left, context)
    return (
        isinstance(here, Binary) and here.operator == "*" and all(_is_count(e, context) for e in nodes.children(here))
    )


def _in_place(program: Program, path: nodes.Path) -> bool:
    """Whether a node says where, not what: the head of a loop, an index, a shape."""
    above = [nodes.at(program, path[:end]) for end in range(1, len(path))]
    return any(isinstance(each, Index | nodes.Shape) for each in above) or isinstance(above[-1], For)


PROGRAM_RULES: tuple[Callable[[Program, Context], Iterator[Edit]], ...] = (
    _strides,
    _paddings,
    _empty_slices,
    _geometry,
    _flips,
    _accumulators,
    _indices,
    _biases,
    _slopes,
    _shares,
)
