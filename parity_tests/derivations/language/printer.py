"""A tree back to text; ``parse(to_text(node)) == node`` for everything that parses."""

from __future__ import annotations

from parity_tests.derivations.language.front import plain_name
from parity_tests.derivations.language.functions import FUNCTION_NAMES, METHODS, OPERATOR_FUNCTIONS
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    BinaryOperator,
    Call,
    Compare,
    Expression,
    For,
    Index,
    Name,
    Node,
    Number,
    Program,
    Rest,
    Shape,
    Slice,
    Transpose,
    Unary,
)

LOOSEST, COMPARE, SUM, PRODUCT, UNARY, POWER, POSTFIX, ATOM = range(8)
"""How tightly a kind of expression binds, as in Python."""

PRECEDENCE: dict[BinaryOperator, int] = {
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "@": PRODUCT,
    "**": POWER,
}

_FUNCTION_OF = {operator: name for name, operator in OPERATOR_FUNCTIONS.items()}
_INDENT = "    "


def to_text(node: Node, *, as_written: bool = False) -> str:
    """The text of a node, with no more brackets than it needs.

    Equal nodes give equal text. With ``as_written`` the writer's own spelling is kept where the tree still says
    the same: brackets that were not needed, ``g1'``, Greek letters, ``1e-8``, ``^T``, ``A.sum()`` or
    ``sum(A)``, ``np.multiply``.
    """
    return _Printer(as_written).statement(node, "")


class _Printer:
    def __init__(self, as_written: bool) -> None:
        self.as_written = as_written

    def statement(self, node: Node, indent: str) -> str:
        match node:
            case Program():
                return "\n".join(self.statement(child, indent) for child in node.statements)
            case For():
                start = "" if node.start == Number(0.0) else f"{self.text(node.start)}, "
                head = f"{indent}for {node.variable} in range({start}{self.text(node.stop)}):"
                return "\n".join([head, *(self.statement(child, indent + _INDENT) for child in node.body)])
            case Assign():
                return f"{indent}{self.text(node.target)} {node.operator} {self.text(node.value)}"
            case Expression():
                return self.text(node)
        raise TypeError(f"to_text got {type(node).__name__}, expected a node of the language")

    def text(self, node: Expression, minimum: int = LOOSEST) -> str:
        """``node`` where something that binds at least as tightly as ``minimum`` is expected."""
        text, precedence = self.bare(node)
        kept = self.as_written and getattr(node, "bracketed", False)
        return f"({text})" if kept or precedence < minimum else text

    def bare(self, node: Expression) -> tuple[str, int]:
        match node:
            case Number():
                return self.number(node), ATOM
            case Name():
                return self.name(node.id, node.written), ATOM
            case Unary():
                return f"-{self.text(node.operand, UNARY)}", UNARY
            case Binary():
                return self.binary(node)
            case Compare():
                left, right = self.text(node.left, SUM), self.text(node.right, SUM)
                return f"{left} {node.operator} {right}", COMPARE
            case Transpose():
                return self.transpose(node), ATOM
            case Call("floor", (Binary("/", left, right),), form="//") if self.as_written:
                return f"{self.text(left, PRODUCT)} // {self.text(right, PRODUCT + 1)}", PRODUCT
            case Call():
                return self.call(node), ATOM
            case Index():
                items = ", ".join(self.text(item) for item in node.items)
                return f"{self.text(node.base, POSTFIX)}[{items}]", ATOM
            case Slice():
                ends = ["" if end is None else self.text(end) for end in node.ends]
                return ":".join(ends if node.step else ends[:2]).replace(" ", ""), LOOSEST
            case Rest():
                return "...", ATOM
            case Shape():
                sizes = ", ".join(self.text(size) for size in node.sizes)
                return sizes if len(node.sizes) == 1 else f"({sizes})", ATOM
        raise TypeError(f"to_text got {type(node).__name__}, expected a node of the language")

    def number(self, node: Number) -> str:
        if self.as_written and node.written and float(node.written) == node.value:
            return node.written
        return str(int(node.value)) if node.value.is_integer() and node.value < 1e15 else repr(node.value)

    def name(self, plain: str, written: str) -> str:
        return written if self.as_written and written and plain_name(written) == plain else plain

    def binary(self, node: Binary) -> tuple[str, int]:
        if self.as_written and node.form != "operator":
            prefix = "np." if node.form == "np" else ""
            arguments = f"{self.text(node.left)}, {self.text(node.right)}"
            return f"{prefix}{_FUNCTION_OF[node.operator]}({arguments})", ATOM
        precedence = PRECEDENCE[node.operator]
        if node.operator == "**":
            return f"{self.text(node.left, POSTFIX)}**{self.text(node.right, UNARY)}", precedence
        left, right = self.text(node.left, precedence), self.text(node.right, precedence + 1)
        tight = node.operator == "/" and " " not in left + right  # (1/m), lambda_/(2*m) and A / np.sum(A, axis=0)
        return f"{left}/{right}" if tight else f"{left} {node.operator} {right}", precedence

    def base(self, node: Expression) -> str:
        """What stands before a dot; ``2.T`` would read as a decimal point."""
        text = self.text(node, POSTFIX)
        return f"({text})" if isinstance(node, Number) else text

    def transpose(self, node: Transpose) -> str:
        form = node.form if self.as_written else ".T"
        axes = ", ".join(map(str, node.axes))
        if node.axes and form in ("method", "^T", ".T"):
            return f"{self.base(node.operand)}.transpose({axes})"
        if form in ("np", "plain"):
            order = f", ({axes})" if axes else ""
            return f"{'np.' if form == 'np' else ''}transpose({self.text(node.operand)}{order})"
        return f"{self.base(node.operand)}{'.transpose()' if form == 'method' else form}"

    def call(self, node: Call) -> str:
        form = node.form if self.as_written else "np"
        arguments = list(node.arguments)
        method = form == "method" and node.function in METHODS and bool(arguments)
        before = f"{self.base(arguments.pop(0))}." if method else ""
        if not method and form != "plain" and node.function in FUNCTION_NAMES:
            before = "np."
        last = arguments[-1] if arguments else None
        if method and isinstance(last, Shape):
            arguments[-1:] = last.sizes
        parts = [self.text(argument) for argument in arguments]
        if node.axis is not None:
            parts.append(f"axis={node.axis}")
        if node.keepdims:
            parts.append("keepdims=True")
        name = "range" if node.function == "arange" and not before else self.name(node.function, node.written)
        return f"{before}{name}({', '.join(parts)})"
