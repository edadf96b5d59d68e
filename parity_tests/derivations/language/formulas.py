"""From Python's tree of a formula to the language's: a white list of its nodes, with the writer's columns."""

from __future__ import annotations

import ast
import re
from dataclasses import replace as _with
from math import isfinite
from typing import TypeAlias

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.calls import TUPLE, Axis, build_call
from parity_tests.derivations.language.errors import DerivationSyntaxError, close_names, did_you_mean
from parity_tests.derivations.language.front import Line
from parity_tests.derivations.language.functions import FUNCTION_NAMES, METHODS
from parity_tests.derivations.language.nodes import Binary, CallForm, Compare, Expression, Rest, Shape, Span, Unary

MAX_DEPTH = 60
MAX_SHOWN = 40

Extent: TypeAlias = tuple[int, int]
"""Where something begins and ends in a line of plain text, from 0."""

BINARY: dict[type[ast.operator], nodes.BinaryOperator] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], nodes.Comparison] = {
    ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_DECIMAL = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INSTEAD = {
    "shape": "write the size by its name, as m or n_x",
    "astype": "a comparison is already 0 or 1",
    "copy": "a value never changes under another name",
}
_MISPLACED = {Shape: TUPLE, Rest: "a formula was expected before '...': it stands once, and only in an index"}


class FormulaReader:
    """The formulas of one line."""

    def __init__(self, line: Line, number: int) -> None:
        self.line = line
        self.number = number
        self.depth = 0

    def formula(self, node: ast.expr) -> Expression:
        """A formula whose tree is no deeper than the bound, so that whoever walks it may recurse."""
        return self.expression(node, (0, len(self.line.text)))

    def expression(self, node: ast.expr, within: Extent, also: type[Expression] | None = None) -> Expression:
        """The node of the language; ``within`` is the part of the line in which its own brackets stand.

        A shape and the dots of an index stand only where ``also`` says so.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(
                f"the formula is nested, or chained, more than {MAX_DEPTH} deep: split it over several lines", node
            )
        found, around = self.bare(node), self.brackets(node, within)
        self.depth -= 1
        if type(found) in _MISPLACED and type(found) is not also:
            raise self.error(_MISPLACED[type(found)], node)
        if around != extent(node) and isinstance(found, Unary | Binary | Compare):
            return _with(found, bracketed=True, span=self.span(around))
        return found

    def bare(self, node: ast.expr) -> Expression:
        """The node without the brackets around it."""
        here = extent(node)
        span = self.span(here)
        match node:
            case ast.Constant(value=value) if value is Ellipsis:
                return Rest(span=span)
            case ast.Constant():
                return self.number_in(node, span)
            case ast.Name() if node.id != "np":
                return nodes.Name(node.id, written=self.line.written(*here), span=span)
            case ast.UnaryOp(op=ast.USub()):
                return Unary(self.expression(node.operand, here), span=span)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.expression(node.operand, here)
            case ast.BinOp() if operator := BINARY.get(type(node.op)):
                return Binary(operator, self.expression(node.left, here), self.expression(node.right, here), span=span)
            case ast.BinOp(op=ast.FloorDiv()):
                quotient = Binary("/", self.expression(node.left, here), self.expression(node.right, here), span=span)
                return nodes.Call("floor", (quotient,), form="//", span=span)
            case ast.Compare(ops=[sign], comparators=[right]) if comparison := _COMPARE.get(type(sign)):
                return Compare(comparison, self.expression(node.left, here), self.expression(right, here), span=span)
            case ast.Compare(comparators=[_, second, *_]):
                raise self.error("one comparison at a time: put it in brackets", second)
            case ast.Attribute(attr="T", value=value) if not _is_numpy(value):
                dotted = "." in self.line.written(extent(value)[1], here[1])
                operand = self.expression(value, here)
                return nodes.Transpose(operand, form=".T" if dotted else "^T", span=span)
            case ast.Subscript():
                items = node.slice.elts if isinstance(node.slice, ast.Tuple) and node.slice.elts else [node.slice]
                if sum(isinstance(item, ast.Constant) and item.value is Ellipsis for item in items) > 1:
                    raise self.error(_MISPLACED[Rest], items[-1])
                base = self.expression(node.value, here)
                return nodes.Index(base, tuple(self.expression(item, here, Rest) for item in items), span=span)
            case ast.Slice():
                ends = (node.lower, node.upper, node.step)
                return nodes.Slice(*(None if end is None else self.expression(end, here) for end in ends), span=span)
            case ast.Tuple():
                return Shape(tuple(self.expression(size, here) for size in node.elts), span=span)
            case ast.Call():
                return self.call(node, span)
            case ast.Name() | ast.Attribute():
                name, *_ = self.function(node)
                raise self.error_at(f"{name} is a function: write {name}(...)", here[1])
            case ast.Starred():
                raise self.error("a formula was expected before '*'", node)
            case ast.NamedExpr():
                raise self.error("':=' assigns only behind the name that begins a line", node)
        raise self.error(f"{self.shown(node)} is not part of the language", node)

    def number_in(self, node: ast.Constant, span: Span) -> nodes.Number:
        """A number in decimals."""
        here = extent(node)
        plain, written = self.line.text[slice(*here)], self.line.written(*here)
        if isinstance(node.value, bool | None):
            raise self.error(f"{written} is only for axis= and keepdims=", node)
        if not _DECIMAL.fullmatch(plain):
            raise self.error(f"{self.shown(node)} is not part of the language: numbers are written in decimals", node)
        if not isfinite(float(plain)):
            raise self.error("this number is too large for float64", node)
        return nodes.Number(float(plain), written=written if written == plain else "", span=span)

    def function(self, node: ast.expr) -> tuple[str, CallForm, list[Expression]]:
        """The name of a function, how it was written, and what stood before the dot of a method."""
        end = extent(node)[1]
        match node:
            case ast.Name(id=name) if name != "np":
                return name, "plain", []
            case ast.Attribute(attr=name, value=value) if _is_numpy(value):
                if name in FUNCTION_NAMES:
                    return name, "np", []
                near = did_you_mean(tuple(f"np.{each}" for each in close_names(name, FUNCTION_NAMES)))
                raise self.error_at(f"np.{name} is not part of the language{near}", end - len(name))
            case ast.Attribute(attr=name, value=value):
                before = self.expression(value, extent(node))
                if name in METHODS:
                    return name, "method", [before]
                instead = _INSTEAD.get(name, "after a dot stand T, sum, mean, max, min, dot or reshape")
                raise self.error_at(f"'.{name}' is not part of the language: {instead}", end - len(name) - 1)
            case ast.Name():
                raise self.error("np stands only before a function, as in np.sum", node)
        raise self.error(f"{self.shown(node)} is not a function: write * or @ behind it", node)

    def call(self, node: ast.Call, span: Span) -> Expression:
        """The arguments of a function, and the node that it becomes."""
        name, form, arguments = self.function(node.func)
        end, inside = extent(node.func)[1], self.inside(node)
        arguments += [self.expression(each, inside, Shape) for each in node.args]
        keywords: dict[str, Axis | bool] = {}
        for each in node.keywords:
            if each.arg in keywords:
                raise self.error_at(f"{each.arg}= is given twice", each.col_offset)
            keywords[each.arg or ""] = self.keyword(each)
        written = self.line.written(end - len(name), end)
        built = build_call(name, written, form, tuple(arguments), keywords, span)
        if isinstance(built, str):
            raise self.error_at(built, end - len(name))
        return built

    def inside(self, node: ast.Call) -> Extent:
        """What the brackets of a call hold."""
        return self.line.text.index("(", extent(node.func)[1]) + 1, extent(node)[1] - 1

    def keyword(self, node: ast.keyword) -> Axis | bool:
        """The value of ``axis=`` or ``keepdims=``."""
        if node.arg not in ("axis", "keepdims"):
            near = did_you_mean(close_names(node.arg or "", ("axis", "keepdims")))
            raise self.error_at(f"{node.arg or '**'}= is not part of the language{near}", node.col_offset)
        try:
            value = ast.literal_eval(node.value)
        except ValueError:
            value = ""
        if node.arg == "keepdims":
            if value not in (False, True):
                raise self.error(f"keepdims= is True or False, not {self.shown(node.value)}", node.value)
            return bool(value)
        axes = value if isinstance(value, tuple) and value else (value,)
        if value is not None and not all(type(axis) is int and abs(axis) < 100 for axis in axes):
            raise self.error(f"axis= is a whole number such as 0 or 1, not {self.shown(node.value)}", node.value)
        return axes[0] if len(axes) == 1 else axes

    def brackets(self, node: ast.expr, within: Extent) -> Extent:
        """Where the node begins and ends with the brackets around it alone."""
        (start, stop), text = extent(node), self.line.text
        while True:
            before, behind = text[within[0] : start].rstrip(), text[stop : within[1]]
            if not before.endswith("(") or not behind.lstrip().startswith(")"):
                return start, stop
            start, stop = within[0] + len(before) - 1, stop + behind.index(")") + 1

    def span(self, here: Extent) -> Span:
        """The columns of the writer's line."""
        return Span(self.number, self.line.column(here[0]), self.line.stops[here[1] - 1] + 1)

    def shown(self, node: ast.expr) -> str:
        """What was written, as a sentence names it."""
        written = self.line.written(*extent(node))
        return f"'{written}'" if len(written) <= MAX_SHOWN else f"'{written[:MAX_SHOWN]}...'"

    def error(self, message: str, node: ast.expr) -> DerivationSyntaxError:
        """What is wrong with a node, pointing at its beginning."""
        return self.error_at(message, node.col_offset)

    def error_at(self, message: str, place: int) -> DerivationSyntaxError:
        """What is wrong at a place of the plain text."""
        return DerivationSyntaxError(message, self.number, self.line.column(place), self.line.row)


def extent(node: ast.expr) -> Extent:
    """Where a node begins and ends, as Python says: without the brackets around it."""
    return node.col_offset, node.end_col_offset or node.col_offset


def _is_numpy(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "np"
