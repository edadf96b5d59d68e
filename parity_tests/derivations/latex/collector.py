"""What the formulas of a note claim, in their order: chains, sums that are collected, shapes, limits and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from parity_tests.derivations.latex.claims import Aside, Claim, Found, Numbers, Shape
from parity_tests.derivations.latex.cursor import split
from parity_tests.derivations.latex.declared import own_functions, with_functions, with_transposes
from parity_tests.derivations.latex.documents import Formula, Note
from parity_tests.derivations.latex.frames import is_size
from parity_tests.derivations.latex.limits import in_place, limits
from parity_tests.derivations.latex.numbers import Compared, compared
from parity_tests.derivations.latex.sides import (
    divides,
    is_assumption,
    is_number,
    is_target,
    speaks_of_many,
    tree_of,
    with_counts,
)
from parity_tests.derivations.latex.statements import EQUALS, Statement, statements_of
from parity_tests.derivations.latex.style import Style, style_of
from parity_tests.derivations.latex.symbols import COSTS, MEANINGS, UNITS
from parity_tests.derivations.latex.tokens import Token, sizes_in, written
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Matrix,
    Node,
    NotReadError,
    Number,
    Operation,
    Sum,
    Symbol,
    Transposed,
    symbols_of,
    walk,
)

MOST_ROWS = 4
"""Rows between a formula and the one that goes on with = ..."""


NO_EQUATION = "no equation"
_RANGE = re.compile(r"[a-zL]=(?:\w+(?:[-+]\d)?,)*(?:\\ldots|\.\.\.),?(?:\w+(?:[-+]\d)?,?)*")
"""As in l = 1, ..., L."""


def claims_of(note: Note, functions: frozenset[str] = frozenset()) -> tuple[list[Found], list[Style]]:
    """Everything that the formulas of a note say, and the style of each section; ``functions`` are its own."""
    found: list[Found] = []
    symbols: dict[int, list[Symbol]] = {}
    carried: tuple[Node | None, int] = (None, 0)
    known: dict[str, Any] = {}
    for formula in note.formulas:
        collector = _Collector(formula, note, found, carried, known, functions)
        try:
            statements = statements_of(formula, note.macros)
        except NotReadError as error:
            found.append(Aside(_shortened(formula.text), formula.line, formula.cell, str(error), read=False))
            continue
        for statement in statements:
            collector.statement(statement)
        carried = collector.carried, collector.carried_line
        symbols.setdefault(formula.section, []).extend(collector.symbols)
    if not functions and (functions := own_functions(found)):
        return claims_of(note, functions)
    everything = [each for part in symbols.values() for each in part]
    whole = style_of(everything)
    styles = [style_of(symbols.get(number, ())) for number in range(len(note.headings))]
    styles = [each if each.layers != "none" else whole for each in styles]
    deepest = max((each.deepest for each in styles), default=0)
    return with_transposes(found), [each._replace(deepest=each.deepest or deepest) for each in styles]


def _is_named(node: Node, target: Node | None) -> bool:
    """Whether what stands before a derivative is a name for it, as s(w)."""
    named = isinstance(node, Operation) and isinstance(node.left, Symbol) and isinstance(node.right, Symbol)
    return named and not node.sign and isinstance(target, Derivative)  # type: ignore[union-attr]


def _shortened(text: str, most: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]} ..."


class _Collector:
    """Goes through the statements of a formula."""

    def __init__(
        self, formula: Formula, note: Note, found: list[Found], carried: tuple[Node | None, int], known: dict[str, Any],
        functions: frozenset[str],
    ) -> None:  # fmt: skip
        self.formula, self.note, self.found, self.known, self.functions = formula, note, found, known, functions
        self.symbols: list[Symbol] = []
        self.carried, self.carried_line = carried
        before = f"{note.headings[formula.section]} {formula.before}"
        self.linear = any(isinstance(each, Claim) and each.linear and each.section == formula.section for each in found)
        self.words = tuple(re.findall(r"leaky|relu|tanh|sigmoid|softmax", before.lower()))

    def aside(self, statement: Statement, reason: str, *, read: bool = True, zero: Node | None = None) -> None:
        self.found.append(Aside(_shortened(statement.text), statement.line, self.formula.cell, reason, read, zero))

    def statement(self, statement: Statement) -> None:
        """Add what a statement says."""
        text = statement.text
        if not statement.is_equation:
            named = [tree_of(tuple(each))[0] for part in statement.parts for each in split(list(part), (",",))]
            self.symbols += symbols_of(tuple(named))
            behind = written(list(statement.parts[-1])).removeprefix("\\mathbb^{").removesuffix("}")
            sizes = sizes_in(behind if statement.relations == ("\\in",) else statement.aside)
            here = [each for each in self.found if isinstance(each, Claim) and each.section == self.formula.section]
            units = [*(unit for each in here for unit in each.units), *self.words]
            found = limits(statement.parts[0], units) if len(statement.parts) == 1 else None
            if not self.shapes(statement, named, sizes) and not self.matrices(statement, named, found):
                self.aside(statement, NO_EQUATION)
            return
        if _RANGE.fullmatch("=".join(written(list(part)) for part in statement.parts)):
            self.aside(statement, "a range of an index")
            return
        if re.search(r"\\mathbb|\\\{.*,.*\\\}", text) and "\\in" in statement.relations:
            self.aside(statement, "a set")
            return
        nodes: list[Node | None] = []
        reasons: list[str] = []
        for part, relation in zip(statement.parts, ("=", *statement.relations), strict=True):
            node, reason = (None, "") if relation not in EQUALS and nodes else tree_of(part)
            nodes.append(with_functions(node, self.functions))
            reasons.append(reason)
            self.symbols += symbols_of(node) if node else []
        self.numbers(statement, nodes)
        self.matrices(statement, nodes)
        self.shapes(statement, [each for node in nodes if node for each in walk(node)])
        unread = next((place for place, reason in enumerate(reasons) if reason and place), len(nodes))
        self.equation(statement, nodes[:unread], reasons)

    def shapes(self, statement: Statement, nodes: Sequence[Node | None], sizes: tuple[str, ...] = ()) -> int:
        """Add the shapes that symbols have, and count them: those below them, or else ``sizes``."""
        count = len(self.found)
        for node in nodes:
            if isinstance(node, Symbol | Transposed) and (own := node.sizes or sizes):
                where = statement.line, self.formula.cell, self.formula.section
                self.found.append(Shape(node, own, _shortened(statement.text), *where, below=not sizes))
        return len(self.found) - count

    def matrices(self, statement: Statement, nodes: Sequence[Node | None], also: Compared | None = None) -> int:
        """Add whether the entries of matrices stand in their places, and count what was added."""
        inner = [each for node in nodes if node is not None for each in walk(node) if isinstance(each, Matrix)]
        found = [each for each in (also, *map(in_place, inner)) if each is not None]
        where = _shortened(statement.text), statement.line, self.formula.cell
        self.found += [Numbers(*where, each) for each in found if each is also or not each.equal or len(nodes) == 1]
        return len(found)

    def numbers(self, statement: Statement, nodes: list[Node | None]) -> None:
        """Compare the numbers of a chain."""
        found = compared(nodes, self.known)
        if found is not None:
            self.found.append(Numbers(_shortened(statement.text), statement.line, self.formula.cell, found))

    def equation(self, statement: Statement, nodes: list[Node | None], reasons: list[str]) -> None:
        """The claims of a chain; what stands behind a part that was not read is not judged."""
        reason = next((each for each in reasons if each), "")
        target = self.carried if not statement.parts[0] else None
        place = -1
        if target is not None and self.carried_line < statement.line - MOST_ROWS:
            target = None
        if target is None:
            if nodes and nodes[0] == Symbol("l") and {"y", "Y"} & {each.base for each in symbols_of(tuple(nodes[1:]))}:
                nodes = [Symbol("L", written="\\ell"), *nodes[1:]]  # a loss
            place = next((n for n, node in enumerate(nodes) if node is not None and self.is_target(node)), -1)
            if place == 1 and nodes[0] == Symbol("p"):
                place = 0  # p = softmax(o)
            named = nodes[place] if place >= 0 else None
            if isinstance(named, Symbol) and named.base not in (*MEANINGS, *COSTS) and not named.primes:
                ahead = nodes[place + 1 : place + 2]
                if (
                    ahead and isinstance(ahead[0], Derivative) and len(nodes) > place + 2
                ):  # g = dJ/dz = ... is about dJ/dz
                    nodes, place = [*nodes[:place], None, *nodes[place + 1 :]], place + 1
            target = nodes[place] if place >= 0 else None
        if target is None:
            last = self.found[-1] if self.found else None
            if (isinstance(last, Numbers) and last.line == statement.line) or self.identity(statement, nodes):
                return
            numbers = any(isinstance(each, Number | Matrix) for each in nodes[1:])
            why = reason or ("numbers" if numbers else "the left side is no quantity that is computed")
            self.aside(statement, why, read=not reason)
            if len(nodes) > 1 and nodes[0] is not None and nodes[1] is not None:
                sides = nodes[0], nodes[1]
                self.found[-1] = self.found[-1]._replace(equation=sides, section=self.formula.section)  # type: ignore[call-arg]
            return
        if not self.formula.text[: statement.first].rstrip().endswith(":"):  # what a colon explains goes on
            self.carried, self.carried_line = target, statement.line
        made = False
        for number, (node, part) in enumerate(zip(nodes, statement.parts, strict=False)):
            if number == place or node is None or (number < place and _is_named(node, nodes[place])):
                continue
            relation = statement.relations[number - 1] if number else "="
            if isinstance(target, Symbol) and is_assumption(target, node):
                target, self.linear = node, True
                continue
            made |= self.claim(statement, target, node, part, relation, first=not made)
        if reason:
            self.aside(statement, reason, read=False)
        elif not made:
            zero = target if nodes[1:] == [Number("0")] else None
            self.aside(statement, "names, numbers or definitions", zero=zero)

    def is_target(self, node: Node) -> bool:
        return is_target(node) or (isinstance(node, Call) and node.function.base in self.functions)

    def identity(self, statement: Statement, nodes: list[Node | None]) -> bool:
        """Add the claim that two formulas are the same for every number."""
        left, right = (*nodes[:2], None, None)[:2]
        if left is None or right is None or statement.relations[0] != "=" or isinstance(left, Matrix | Symbol):
            return False
        if is_number(left) or not symbols_of((left, right)):
            return False
        letters = {each.base for each in symbols_of(left)}
        if "log" in statement.text and letters & {"y", "Y"} and any(isinstance(each, Sum) for each in walk(left)):
            J = Symbol("J")  # both sides are costs, if the left one is
            self.claim(statement, J, right, statement.parts[1], "=", first=True)
            self.found[-1] = self.found[-1]._replace(given=left)  # type: ignore[call-arg]
            return True
        self.found.append(
            Claim(
                left, right, statement.text, written(list(statement.parts[1])), statement.line, self.formula.cell,
                self.formula.section, len(self.found), 0, (), identity=True,
            )
        )  # fmt: skip
        return True

    def claim(
        self, statement: Statement, target: Node, right: Node, part: tuple[Token, ...], relation: str, *, first: bool
    ) -> bool:
        """Add one claim; False where the right side says nothing."""
        if is_number(right) or is_assumption(target, right) or right == Call(Symbol("probability"), ()):
            return False
        if isinstance(target, Symbol) and target.base == "n" and not is_size(target, right):
            return False
        adds = relation == "+="
        if relation in ("-=", "*="):
            sign = {"-=": "-", "*=": ""}[relation]
            right = Operation(sign, target, right)
        before = self._added(target)
        divided = relation == "/=" or divides(target, right)
        if divided:
            if before is None:
                return False
            count = right if relation == "/=" else right.right  # type: ignore[union-attr]
            right = Operation("/", Sum("i", "1", "m", before.right), count)
        right = with_counts(target, right)
        many = speaks_of_many(statement, (target, right), adds=adds)
        units = tuple(UNITS[each.base] for each in symbols_of((target, right)) if each.base in UNITS)
        averages = before.line if before and divided else 0
        claim = Claim(
            target, right, statement.text, written(list(part)), statement.line, self.formula.cell,
            self.formula.section, len(self.found), many, units or self.words, adds, averages, self.linear, first,
        )  # fmt: skip
        self.found.append(claim)
        if adds:
            self._begins_with_zero(target)
        return True

    def _begins_with_zero(self, target: Node) -> None:
        """What is set to 0 before anything is added to it is right."""
        for place, each in enumerate(self.found):
            if isinstance(each, Aside) and each.zero == target:
                self.found[place] = Numbers(each.text, each.line, each.cell, Compared(True))

    def _added(self, target: Node) -> Claim | None:
        """What an example adds to this target, in the same section; the last that was said."""
        for each in self.found[::-1]:
            if isinstance(each, Claim) and each.adds and each.section == self.formula.section and each.target == target:
                return each
        return None
