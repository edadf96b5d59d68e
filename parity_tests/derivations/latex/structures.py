"""What has a form of its own: letters, fractions, sums, bars, gradients, cases and matrices."""

from __future__ import annotations

import re
from dataclasses import replace

from parity_tests.derivations.latex.cursor import (
    COSTS,
    condition,
    differential_of,
    is_cases,
    split,
    subscripts_of,
    without_braces,
)
from parity_tests.derivations.latex.marks import Marks
from parity_tests.derivations.latex.tokens import Token, group, sizes_in, written
from parity_tests.derivations.latex.tree import (
    Bars,
    Call,
    Cases,
    Derivative,
    Matrix,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    Transposed,
)

TIMES = {"\\cdot": ".", "\\times": "x", "*": "*", "\\odot": "*", ".*": "*", "@": "."}
GREEK = frozenset("\\" + each for each in (
    "alpha", "beta", "gamma", "lambda", "eta", "epsilon", "sigma", "phi", "delta", "Delta", "theta", "Theta",
    "omega", "Omega", "xi", "mu", "rho", "Sigma", "psi", "Psi", "zeta", "tau", "nu", "chi", "pi", "Phi", "kappa",
    "Lambda", "hbar", "nabla", "iota", "upsilon", "Gamma", "ones",
))  # fmt: skip
COMPARISONS = ("<", ">", "\\le", "\\ge")
ACCENTS = {"\\hat": "hat", "\\bar": "bar", "\\tilde": "tilde", "\\dot": "dot", "\\check": "check"}
MATRICES = ("matrix", "bmatrix", "pmatrix", "vmatrix", "array", "smallmatrix", "Bmatrix")

NUMBERED = ("W", "b", "Z", "A", "dW", "db", "dZ", "dA", "dz", "da")
"""Letters whose layer may stand right behind them, as in code."""
DIFFERENTIATED = frozenset("WwZzAabBXxhHsSoOpP") | {"\\theta", "\\Theta"}


def without_power(node: Node, power: str) -> Node | None:
    """What stands below a power, None where there is another one."""
    if isinstance(node, Symbol) and node.bare == power:
        return replace(node, bare="")
    return node.base if isinstance(node, Power) and node.exponent == Number(power) else None


class Structures(Marks):
    """Reads forms."""

    def compares(self) -> bool:
        """Whether a comparison in brackets follows, as behind the 1 of an indicator."""
        if self.peek() == "_":
            inside, behind = group(self.tokens, self.place + 1)
            if any(each.text in COMPARISONS for each in inside):
                self.tokens[self.place : behind] = [Token("(", 0), *inside, Token(")", 0)]
                return True
        if self.peek() not in ("(", "[", "{", "\\{"):
            return False
        start = self.place
        closing = {"(": ")", "[": "]", "{": "}", "\\{": "\\}"}[self.peek()]
        try:
            inside = self.brackets(self.peek(), closing)
        except NotReadError:
            inside = []
        self.place = start
        return any(each.text in (*COMPARISONS, "=") for each in inside)

    def in_brackets(self, inside: list[Token]) -> Node:
        """What stands in brackets: a formula, a comparison that is 0 or 1, or a row with an ellipsis."""
        labels = split(inside, ("=",))
        if len(labels) == 2 and isinstance(label := self.parsed(labels[0]), Symbol) and label.base in ("y", "Y", "t"):
            unit = subscripts_of(written(labels[1]))
            return replace(label, base="Y", written="", subscripts=(*label.subscripts, *unit))
        sign = next((each.text for each in inside if each.text in COMPARISONS), "")
        if sign:
            parts = split(inside, (sign,))
            if len(parts) == 2:
                return Call(Symbol("indicator"), (self.parsed(parts[0]), self.parsed(parts[1])), {"sign": sign})
        places = [n for n, each in enumerate(inside) if each.text == "\\ldots"]
        if not places or any("+" in (each.text for each in inside[max(0, n - 1) : n + 2]) for n in places):
            return self.parsed(inside)
        entries: list[Node | None] = []
        for part in split(inside, (",", "\\quad")):
            rest = type(self)([each for each in part if not each.text.isspace()])
            while rest.peek():
                if rest.peek() == "\\ldots":
                    rest.take()
                    entries.append(None)
                elif len(split(inside, (",", "\\quad"))) > 1:
                    entries.append(rest.whole())
                else:
                    entries.append(rest.factor())
        return Matrix((tuple(entries),))

    def letter(self, here: Token) -> Node:
        text = here.text
        if text == "d" and self.begins() and self.peek() not in ("(", "["):
            start = self.place
            inner = self.atom()
            if isinstance(inner, Symbol) and inner.base in DIFFERENTIATED:
                inner.base = f"d{inner.base.removeprefix(chr(92))}"
                return inner
            self.place = start
        further = int(self.peek() == "\\delta")
        what = self.peek(further) if further else self.peek().removeprefix("d") if self.peek().startswith("d") else ""
        if text in ("S", "V") and what in ("W", "w", "b"):
            self.place += 1 + further
            return Symbol(text, subscripts=("dW",))
        if text == "\\delta" and self.peek() in ("W", "w", "b"):
            return Symbol(f"d{self.take().text}")
        if text in NUMBERED and self.place < len(self.tokens):
            ahead = self.tokens[self.place]
            if ahead.at == here.at + len(text) and re.fullmatch(r"[1-9]|L", ahead.text):  # A2, dAL
                self.place += 1
                return Symbol(text, layer=ahead.text)
        if re.fullmatch(r"(?:numpy|np)\s*[.\-].*", text, re.DOTALL):
            return Symbol("np." + re.split(r"[.\-]", text)[-1].strip())
        if text in GREEK or text[0].isalpha():
            return Symbol(text)
        self.place -= 1
        raise self.unclear()

    def braced(self) -> Node:
        """What stands in braces; a lone symbol takes the marks behind them."""
        inside = [each for each in self.argument() if not each.text.isspace()]
        if not inside:
            if self.peek() in ("^", "_"):
                self.take()
                self.argument()
            return self.factor() if self.begins() else self.atom()
        return self.in_brackets(inside)

    def accented(self, accent: str) -> Node:
        node = self.parsed(self.argument())
        inner = node.operand if isinstance(node, Transposed) else node
        if not isinstance(inner, Symbol):
            raise NotReadError(f"a {accent} over more than a letter")
        inner.accents |= {accent}
        return node

    def between_bars(self, bar: str) -> Node:
        opening = self.place
        self.bars += 1
        node = self.sum()
        self.bars -= 1
        if self.peek() != bar and not (bar == "\\|" and self.peek() == "|"):
            self.place = opening
            raise NotReadError(f"bars are not closed, column {self.tokens[opening - 1].at + 1}")
        self.take()
        if bar == "|" and self.peek() == "|":
            self.take()
        return Norm(node) if bar == "\\|" else Bars(node)

    def fraction(self) -> Node:
        upper, lower = self.argument(), self.argument()
        upper, lower = (without_braces(each) for each in (upper, lower))
        if "\\times" in written(lower) and sizes_in(written(lower)):  # a symbol above its shape
            return self.parsed(upper)
        above, below = differential_of(upper), differential_of(lower)
        if above and below and above[0].text == "^" and written(group(above, 1)[0]) == "2":
            return self.second(above, below)
        if above is not None and below:
            return (
                Derivative(self.parsed(above), self.parsed(below)) if above else self.differentiated(self.parsed(below))
            )
        if not upper or not lower:
            raise NotReadError("a fraction without a numerator or a divisor")
        return Operation("/", self.parsed(upper), self.parsed(lower))

    def second(self, above: list[Token], below: list[Token]) -> Node:
        r"""``\partial^2 l / \partial b \partial b^T``, a derivative of a derivative."""
        found = [self.parsed(each) for each in split(below, ("\\partial", "d")) if each]
        if len(found) == 1 and (squared := without_power(found[0], "2")):
            found = [squared, squared]
        by = [each.operand if isinstance(each, Transposed) else each for each in found]
        if len(by) != 2:
            raise NotReadError("a second derivative without its variables")
        of = self.parsed(above[group(above, 1)[1] :]) if len(above) > group(above, 1)[1] else None
        first = self.differentiated(by[0]) if of is None else Derivative(of, by[0])
        return Derivative(first, by[1])

    def differentiated(self, by: Node) -> Node:
        """The derivative of all that stands behind ``d/dz``, or of the cost."""
        if not self.begins():
            return Derivative(None, by)
        of = self.factor()
        named = of.function if isinstance(of, Call) else of
        while not (isinstance(named, Symbol) and named.base in COSTS) and self.begins():
            of = Operation("", of, self.factor())
        return Derivative(of, by)

    def differential(self) -> Node:
        r"""``\partial L / \partial z`` in one line; ``\partial w`` alone is the writer's dw."""
        if not self.begins():
            raise self.unclear()
        of = self.factor()
        if self.peek() == "/" and self.peek(1) in ("\\partial", "d"):
            self.place += 2
            return Derivative(of, self.factor())
        if isinstance(of, Symbol):
            of.base = f"d{of.base.removeprefix(chr(92))}"
            return of
        raise NotReadError("a differential alone")

    def limit(self) -> Node:
        r"""``\lim_{z \to \infty} g(z)``."""
        self.take("_")
        by, _, to = written(without_braces(self.argument())).partition("\\rightarrow")
        return Call(Symbol("limit"), (self.product(),), {"by": by, "to": to})

    def gradient(self) -> Node:
        r"""``\nabla_a C``, and ``\nabla J_{W}``."""
        by: Node | None = None
        twice = self.peek() == "^" and self.ahead() == "2"
        if twice:
            self.take()
            self.argument()
        if self.peek() == "_":
            self.take()
            by = self.parsed(without_braces(self.argument()))
            if self.peek() == "^" and self.ahead() == "2":
                self.take()
                twice = bool(self.argument())
        of = self.factor() if self.begins() else None
        if by is None and isinstance(of, Symbol) and of.subscripts:
            text = of.subscripts[0]
            match = re.fullmatch(r"(\\?[A-Za-z]+?)\^\{?\(?(\w(?:[-+]\d)?)\)?\}?", text)
            by = Symbol(match[1], round=match[2]) if match else Symbol(text)
            of.subscripts = of.subscripts[1:]
        behind = [each.text for each in self.tokens[self.place - 3 : self.place]]
        if by is None and isinstance(of, Call) and behind[::2] == ["(", ")"]:
            by = Symbol(behind[1])  # of J(w)
        if by is None:
            raise NotReadError("a gradient without the variable")
        if isinstance(by, Symbol) and self.peek() == "^":
            self.take()
            self.raised(by, self.argument())
        return Derivative(Derivative(of, by), by) if twice else Derivative(of, by)

    def summed(self) -> Sum:
        lower = upper = ""
        while self.peek() in ("_", "^"):
            mark = self.take().text
            text = written(without_braces(self.argument()))
            lower, upper = (text, upper) if mark == "_" else (lower, text)
        index, _, start = lower.partition("=")
        minus = self.peek() == "-" and bool(self.take())
        body = Negative(self.product()) if minus else self.product()
        while self.peek() in TIMES or self.peek() == "/":
            sign = self.take().text
            body = Operation("/" if sign == "/" else TIMES[sign], body, self.product())
        index = index.replace("\\ell", "l")
        return Sum(",".join(index) if re.fullmatch("[a-z]{2,3}", index) else index, start, upper, body)

    def environment(self, name: str) -> Node:
        depth, start = 1, self.place
        while depth:
            if self.place >= len(self.tokens):
                raise NotReadError(f"\\begin{{{name}}} has no end")
            text = self.take().text
            depth += text.startswith("\\begin{") - text.startswith("\\end{")
        inside = self.tokens[start : self.place - 1]
        if name == "array":
            _, behind = group(inside, 0)
            inside = inside[behind:]
        rows = [split(row, ("&",)) for row in split(inside, ("\\\\",)) if written(row)]
        if len(rows) == 1 and any("+" in written(each) and "\\ldots" in written(each) for each in rows[0]):
            return self.parsed([each for each in inside if each.text != "&"])
        plain = name.rstrip("*")
        if plain == "cases" or (plain == "array" and is_cases(rows)):
            return Cases(tuple((self.entry(row[0]), " ".join(map(condition, row[1:]))) for row in rows))
        if plain in MATRICES:
            return Matrix(tuple(tuple(map(self.entry, row)) for row in rows))
        raise NotReadError(f"{name} within a formula")

    def entry(self, tokens: list[Token]) -> Node | None:
        """An entry of a matrix; None for dots and lines."""
        text = written(tokens)
        if re.fullmatch(r"(?:\\[lvd]dots|\|+|[-.+\\, ]|\\cdot|undef|---)*", text):
            return None
        return self.parsed(tokens)
