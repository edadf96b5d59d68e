"""What the formulas of a note claim, in their order: chains, sums that are collected, shapes, limits and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from parity_tests.derivations.latex.claims import Aside, Claim, Found, Numbers, Shape
from parity_tests.derivations.latex.cursor import split
from parity_tests.derivations.latex.documents import Formula, Note
from parity_tests.derivations.latex.frames import is_size
from parity_tests.derivations.latex.limits import in_place, limits
from parity_tests.derivations.latex.numbers import Compared, compared
from parity_tests.derivations.latex.parser import parsed
from parity_tests.derivations.latex.statements import EQUALS, Statement, statements_of
from parity_tests.derivations.latex.style import Style, style_of
from parity_tests.derivations.latex.symbols import COSTS, COUNTS, LARGE, RATES, SMALL, UNITS
from parity_tests.derivations.latex.tokens import Token, sizes_in, written
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
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


def claims_of(note: Note) -> tuple[list[Found], list[Style]]:
    """Everything that the formulas of a note say, and the style of each section."""
    found: list[Found] = []
    symbols: dict[int, list[Symbol]] = {}
    carried: tuple[Node | None, int] = (None, 0)
    known: dict[str, Any] = {}
    for formula in note.formulas:
        collector = _Collector(formula, note, found, carried, known)
        try:
            statements = statements_of(formula, note.macros)
        except NotReadError as error:
            found.append(Aside(_shortened(formula.text), formula.line, formula.cell, str(error), read=False))
            continue
        for statement in statements:
            collector.statement(statement)
        carried = collector.carried, collector.carried_line
        symbols.setdefault(formula.section, []).extend(collector.symbols)
    everything = [each for part in symbols.values() for each in part]
    whole = style_of(everything)
    styles = [style_of(symbols.get(number, ())) for number in range(len(note.headings))]
    styles = [each if each.layers != "none" else whole for each in styles]
    deepest = max((each.deepest for each in styles), default=0)
    return found, [each._replace(deepest=each.deepest or deepest) for each in styles]


def _shortened(text: str, most: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]} ..."


class _Collector:
    """Goes through the statements of a formula."""

    def __init__(
        self, formula: Formula, note: Note, found: list[Found], carried: tuple[Node | None, int], known: dict[str, Any]
    ) -> None:
        self.formula, self.note, self.found, self.known = formula, note, found, known
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
            named = [_tree(tuple(each))[0] for part in statement.parts for each in split(list(part), (",",))]
            self.symbols += symbols_of(tuple(named))
            behind = written(list(statement.parts[-1])).removeprefix("\\mathbb^{").removesuffix("}")
            sizes = sizes_in(behind if statement.relations == ("\\in",) else statement.aside)
            here = [each for each in self.found if isinstance(each, Claim) and each.section == self.formula.section]
            units = [*(unit for each in here for unit in each.units), *self.words]
            found = limits(statement.parts[0], units) if len(statement.parts) == 1 else None
            if not self.shapes(statement, named, sizes) and not self.matrices(statement, named, found):
                self.aside(statement, NO_EQUATION)
            return
        if re.search(r"\\mathbb|\\\{.*,.*\\\}", text) and "\\in" in statement.relations:
            self.aside(statement, "a set")
            return
        nodes: list[Node | None] = []
        reasons: list[str] = []
        for part, relation in zip(statement.parts, ("=", *statement.relations), strict=True):
            node, reason = (None, "") if relation not in EQUALS and nodes else _tree(part)
            nodes.append(node)
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
            place = next((n for n, node in enumerate(nodes) if node is not None and is_target(node)), -1)
            if place == 1 and nodes[0] == Symbol("p"):
                place = 0  # p = softmax(o)
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
            if number == place or node is None:
                continue
            relation = statement.relations[number - 1] if number else "="
            if isinstance(target, Symbol) and _is_assumption(target, node):
                target, self.linear = node, True
                continue
            made |= self.claim(statement, target, node, part, relation, first=not made)
        if reason:
            self.aside(statement, reason, read=False)
        elif not made:
            zero = target if nodes[1:] == [Number("0")] else None
            self.aside(statement, "names, numbers or definitions", zero=zero)

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
        if is_number(right) or _is_assumption(target, right):
            return False
        if isinstance(target, Symbol) and target.base == "n" and not is_size(target, right):
            return False
        adds = relation == "+="
        if relation in ("-=", "*="):
            sign = {"-=": "-", "*=": ""}[relation]
            right = Operation(sign, target, right)
        before = self._added(target)
        divides = relation == "/=" or _divides(target, right)
        if divides:
            if before is None:
                return False
            count = right if relation == "/=" else right.right  # type: ignore[union-attr]
            right = Operation("/", Sum("i", "1", "m", before.right), count)
        many = _many(statement, (target, right), adds=adds)
        units = tuple(UNITS[each.base] for each in symbols_of((target, right)) if each.base in UNITS)
        averages = before.line if before and divides else 0
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


def _tree(part: tuple[Token, ...]) -> tuple[Node | None, str]:
    """The tree of a part, or why there is none."""
    tokens = [each for each in part if each.text != "&"] if not any(_opens(each) for each in part) else list(part)
    while tokens and tokens[-1].text in (".", ",", ";"):
        tokens = tokens[:-1]
    tokens = _without_shape(tokens)
    if not tokens:
        return None, ""
    try:
        return parsed(tokens), ""
    except NotReadError as error:
        return None, str(error)
    except IndexError:
        return None, "it breaks off"


def _without_shape(tokens: list[Token]) -> list[Token]:
    """The tokens of a formula without the shape behind it: ``W^T dz (n, m)``."""
    for place in range(1, len(tokens)):
        if tokens[place].text == "(" and "n" in (text := written(tokens[place:])) and sizes_in(text):
            return tokens[:place]
    return tokens


def _opens(token: Token) -> bool:
    return token.text.startswith("\\begin{")


_NO_TARGETS = frozenset(["\\lambda", "\\beta", "\\ones", *"eijklfspcN"])


def is_target(node: Node) -> bool:
    """Whether a part names a quantity that a formula can be given for."""
    if isinstance(node, Symbol):
        if node.base == "n":
            return bool(node.layer or node.subscripts)
        if node.base in "msvrVSM" and re.fullmatch(r"t(?:\+1)?", "".join(node.subscripts[-1:])):
            return True  # the state of an optimizer at a step
        if node.base in (*COUNTS, *RATES, *_NO_TARGETS):
            return bool(node.layer) and node.base not in COUNTS
        return node.base != "L" or not node.layer
    if isinstance(node, Derivative):
        return True
    if isinstance(node, Call):
        return node.function.base in (*COSTS, *UNITS, "g", "f", "\\sigma", "\\phi", "S", "h")
    return False


def is_number(node: Node) -> bool:
    """Whether a part is made of numbers alone."""
    return not any(isinstance(each, Symbol | Derivative | Cases) for each in walk(node))


def _is_assumption(target: Node, right: Node) -> bool:
    """Whether two quantities are set equal: g(z) = z for what follows, A0 = X."""
    if not isinstance(target, Symbol) or not isinstance(right, Symbol):
        return False
    inputs = target.base in ("x", "X") or target.layer == "0"
    return inputs or (target.base in "aAh" and right.base in "zZxX" and not right.accents)


def _divides(target: Node, right: Node) -> bool:
    """``dw = dw / m``."""
    return isinstance(right, Operation) and right.sign == "/" and right.left == target


_AVERAGE = re.compile(
    r"\\[dt]?frac\s*\{?\s*[12]\s*\}?\s*\{?\s*2?\s*[mMN]\b|1\s*/\s*[mMN]\b|\\[dt]?frac\s*\{?1\}?\s*\{?2?n\b(?!_)|\}\s*\{\s*[mM]\s*\}|/\s*[mM]\b"
)


def _many(statement: Statement, nodes: tuple[Node, ...], *, adds: bool) -> int:
    """How much a statement speaks of m examples: below 0 it speaks of one."""
    text = statement.text
    found = symbols_of(nodes)
    sums = [each for each in walk(nodes) if isinstance(each, Sum)]
    if adds:
        return -9
    if _AVERAGE.search(text) or re.search(r"axis\s*=|keepdims|\bsum\s*\(", text):
        return 9
    if any(each.upper in ("m", "M", "N") for each in sums) or any(each.base == "\\ones" for each in found):
        return 9
    if re.search(r"\bm\b|\\times\s*m", statement.aside):
        return 5
    if any(each.round == "i" for each in found) and not sums:
        return -9
    large = any(each.base in LARGE for each in found)
    small = any(each.base in SMALL and not (each.base == "y" and large) for each in found)
    return 2 * large - 2 * small
