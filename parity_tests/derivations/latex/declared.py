"""What a whole note shows of its letters: which of them are functions, and that a prime turns a matrix over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from parity_tests.derivations.latex.claims import Aside, Claim, Found
from parity_tests.derivations.latex.cursor import is_function
from parity_tests.derivations.latex.symbols import COSTS
from parity_tests.derivations.latex.tree import (
    Call,
    Node,
    Operation,
    Slope,
    Symbol,
    Transposed,
    factors,
    mapped,
    symbols_of,
    walk,
)


def own_functions(found: Sequence[Found]) -> frozenset[str]:
    """The letters that a note gives formulas for as functions."""
    named = [each for each in found if isinstance(each, Aside) or (isinstance(each, Claim) and each.identity)]
    equations = [_sides(each) for each in named if "(" in each.text.partition("=")[0]]
    return frozenset(filter(None, (_function(*each) for each in equations if each)))


def with_functions(node: Node | None, functions: frozenset[str]) -> Node | None:
    """A formula in which those letters are functions."""
    return mapped(node, lambda each: _called(each, functions)) if node is not None and functions else node


def with_transposes(found: Sequence[Found]) -> list[Found]:
    """The claims and equations of a note with its primes as transposes, if they are that."""
    nodes = tuple(side for each in found for side in _sides(each))
    return _changed(found, _turned) if _primes_turn(nodes) else list(found)


def _sides(each: Found) -> tuple[Node, ...]:
    if isinstance(each, Claim):
        return each.target, each.right
    return each.equation or () if isinstance(each, Aside) else ()


def _changed(found: Sequence[Found], change: Callable[[Node], Node]) -> list[Found]:
    """The same with changed trees; the claims of one chain share their left side."""
    made: dict[int, Node] = {}

    def deep(node: Node) -> Node:
        if id(node) not in made:
            made[id(node)] = mapped(node, change)
        return made[id(node)]

    done: list[Found] = []
    for each in found:
        if isinstance(each, Claim):
            given = each.given and deep(each.given)
            each = each._replace(target=deep(each.target), right=deep(each.right), given=given)
        elif isinstance(each, Aside) and each.equation:
            each = each._replace(equation=(deep(each.equation[0]), deep(each.equation[1])))
        done.append(each)
    return done


def _function(left: Node, right: Node) -> str:
    """The letter of which a formula is given for any argument, as in R(u) = u^2; "" for another equation."""
    if not (isinstance(left, Operation) and not left.sign and isinstance(left.left, Symbol)):
        return ""
    of, by = left.left, left.right
    plain = isinstance(by, Symbol) and of == Symbol(of.base, accents=of.accents) and by == Symbol(by.base)
    inner = {each.base for each in symbols_of(right)}
    depends = of.base in COSTS or (isinstance(by, Symbol) and by.base in inner)
    return of.base if plain and depends and of.base not in inner else ""


def _called(node: Node, functions: frozenset[str]) -> Node:
    """A product of a letter that is a function with its argument as a call of it."""
    if not isinstance(node, Operation) or node.sign:
        return node
    before, of = (node.left.left, node.left.right) if _is_product(node.left) else (None, node.left)  # type: ignore[union-attr]
    if not (isinstance(of, Symbol) and of.base in functions and not of.subscripts):
        return node
    call = Call(of, (node.right,))
    return call if before is None else replace(node, left=before, right=call)


def _is_product(node: Node) -> bool:
    return isinstance(node, Operation) and not node.sign


def _is_primed(node: Node) -> bool:
    """Whether a prime stands behind what is no function."""
    if isinstance(node, Symbol):
        return node.primes == 1 and not is_function(node)
    return isinstance(node, Slope) and isinstance(node.operand, Operation)


def _primes_turn(nodes: tuple[Node, ...]) -> bool:
    """Whether primes are transposes: some stand before a factor, none on a left side alone, and nothing has a T."""
    parts = list(walk(nodes))
    if any(isinstance(each, Transposed) for each in parts) or any(map(_is_primed, nodes)):
        return False
    return any(_is_product(each) and _is_primed(factors(each.left)[-1][1]) for each in parts)  # type: ignore[union-attr]


def _turned(node: Node) -> Node:
    if isinstance(node, Call) and isinstance(node.function, Transposed):  # a function of the note's own
        return replace(node, function=replace(node.function.operand, primes=1))  # type: ignore[arg-type]
    if isinstance(node, Symbol) and _is_primed(node):
        return Transposed(replace(node, primes=0))
    return Transposed(node.operand) if isinstance(node, Slope) and _is_primed(node) else node
