"""A formula of the language as LaTeX, in the notation of a note."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

_OPERATORS: dict[type, tuple[str, int]] = {
    ast.Add: (" + ", 1), ast.Sub: (" - ", 1), ast.Mult: (r" \odot ", 2), ast.MatMult: (" ", 2), ast.Div: ("/", 2),
    ast.Pow: ("^", 4),
}  # fmt: skip
_FUNCTIONS = {
    "log": r"\log", "exp": r"\exp", "tanh": r"\tanh", "sigmoid": r"\sigma", "sigmoid_prime": r"\sigma'",
    "maximum": r"\max", "relu": r"\mathrm{ReLU}", "softmax": r"\mathrm{softmax}", "floor": r"\lfloor",
}  # fmt: skip
_GREEK = {"alpha": r"\alpha", "lambda_": r"\lambda", "beta": r"\beta", "epsilon": r"\epsilon", "beta1": r"\beta_1",
          "beta2": r"\beta_2", "theta": r"\theta", "delta": r"\delta"}  # fmt: skip
SCALARS = frozenset(("m", "alpha", "lambda_", "beta", "beta1", "beta2", "epsilon", "t"))


def latex(formula: str, names: Mapping[str, str] | None = None) -> str:
    """A formula or assignment as LaTeX; ``names`` are the writer's own symbols.

    Raises SyntaxError for what is no line of the language.
    """
    statement = ast.parse(formula.strip().replace("g'", "g_prime")).body[0]
    printer = _Printer(names or {})
    if isinstance(statement, ast.Assign):
        return f"{printer.text(statement.targets[0])} = {printer.text(statement.value)}"
    if isinstance(statement, ast.AugAssign):
        sign = _OPERATORS[type(statement.op)][0].strip()
        return f"{printer.text(statement.target)} \\mathrel{{{sign}}}= {printer.text(statement.value)}"
    if isinstance(statement, ast.Expr):
        return printer.text(statement.value)
    raise SyntaxError("a loop has no formula")


class _Printer:
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def text(self, node: ast.expr, least: int = 0) -> str:
        """A node, in brackets where what is around it binds tighter than ``least``."""
        match node:
            case ast.Constant():
                return ast.unparse(node)
            case ast.Name():
                return self.name(node.id)
            case ast.BinOp():
                return self.operation(node, least)
            case ast.UnaryOp():
                inner = f"-{self.text(node.operand, 2)}"
                return f"({inner})" if least > 1 else inner
            case ast.Attribute():
                inner = self.text(node.value, 5)
                return f"{inner}^T" if "^" not in inner or inner.startswith("(") else _raised(inner)
            case ast.Call():
                return self.call(node)
            case ast.Compare():
                signs = {ast.Gt: ">", ast.GtE: r"\ge", ast.Lt: "<", ast.LtE: r"\le", ast.Eq: "=", ast.NotEq: r"\ne"}
                return f"({self.text(node.left)} {signs[type(node.ops[0])]} {self.text(node.comparators[0])})"
            case ast.Subscript():
                return f"{self.text(node.value, 5)}_{{{ast.unparse(node.slice)}}}"
        return ast.unparse(node)

    def operation(self, node: ast.BinOp, least: int) -> str:
        sign, binds = _OPERATORS[type(node.op)]
        if isinstance(node.op, ast.Div):
            return rf"\frac{{{self.text(node.left)}}}{{{self.text(node.right)}}}"
        if isinstance(node.op, ast.Pow):
            base = self.text(node.left, 5)  # no symbol takes two superscripts
            return f"{f'({base})' if re.search(SUPERSCRIPT, base) else base}^{{{self.text(node.right)}}}"
        if isinstance(node.op, ast.Mult) and (_is_number(node.left) or _is_number(node.right)):
            sign = r" \cdot " if _is_number(node.right) and isinstance(node.right, ast.Constant) else " "
        left, right = self.text(node.left, binds), self.text(node.right, binds + 1)
        inner = f"{left}{sign}{right}"
        return f"({inner})" if binds < least else inner

    def call(self, node: ast.Call) -> str:
        name = ast.unparse(node.func).removeprefix("np.")
        inside = ", ".join(self.text(each) for each in node.args)
        axis = "".join(ast.unparse(each.value) for each in node.keywords if each.arg == "axis")
        if name == "sum":
            below = rf"_{{\text{{axis}}={axis}}}" if axis else ""
            return rf"\sum{below} {self.text(node.args[0], 2)}"
        if name == "mean":
            return rf"\frac{{1}}{{m}} \sum {self.text(node.args[0], 2)}"
        if name == "sqrt":
            return rf"\sqrt{{{inside}}}"
        if name == "floor":
            return rf"\left\lfloor {inside} \right\rfloor"
        if name == "exp":
            return f"e^{{{inside}}}"
        if name == "where" and len(node.args) == 3:
            test, yes, no = (self.text(each) for each in node.args)
            return rf"\begin{{cases}} {yes} & {test.strip('()')} \\ {no} & \text{{else}} \end{{cases}}"
        if name in _FUNCTIONS:
            return f"{_FUNCTIONS[name]}({inside})"
        return f"{self.name(name)}({inside})"

    def name(self, name: str) -> str:
        """The writer's symbol, or the usual one."""
        if name in self.names:
            return self.names[name]
        if name in _GREEK:
            return _GREEK[name]
        match = re.fullmatch(r"(d?[A-Za-z]+?)(\d?)(_prime|_prev|_next|_corrected)?", name)
        if match is None:
            return rf"\mathrm{{{name}}}".replace("_", r"\_")
        base, layer, mark = match.groups()
        base = rf"\mathrm{{{base}}}" if len(base.removeprefix("d")) > 1 else base
        above = f"^{{[{layer}]}}" if layer else ""
        above = f"^{{[{layer}]\\prime}}" if layer and mark == "_prime" else "'" if mark == "_prime" else above
        below = rf"_{{\mathrm{{{mark[1:]}}}}}" if mark and mark != "_prime" else ""
        return f"{base}{below}{above}"


SUPERSCRIPT = r"(?:\^\{[^{}]*\}|\^.|')$"
"""A text that ends in a superscript."""


def _raised(text: str) -> str:
    """A symbol with a superscript, transposed."""
    return f"{text[:-1]} T}}" if text.endswith("]}") else f"({text})^T"


def _is_number(node: ast.expr) -> bool:
    """Whether a factor is a number, so that no product of entries is meant."""
    return all(each.id in SCALARS for each in ast.walk(node) if isinstance(each, ast.Name)) and not any(
        isinstance(each, ast.Call) for each in ast.walk(node)
    )
