"""The tree of what a formula says, from its tokens; where one is not understood, the place and the reason."""

from __future__ import annotations

import re

from parity_tests.derivations.latex.patterns import summed
from parity_tests.derivations.latex.tokens import DIFFERENTIALS, FUNCTIONS, Token, group, sizes_in, written
from parity_tests.derivations.latex.tree import (
    Bars,
    Call,
    Cases,
    Derivative,
    Entry,
    Floor,
    Matrix,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Slope,
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
COSTS = ("J", "L", "C", "E", "\\ell")
MATRICES = ("matrix", "bmatrix", "pmatrix", "vmatrix", "array", "smallmatrix", "Bmatrix")
GENERIC = ("g", "f", "\\sigma", "\\phi", "S", "h", "\\psi", "\\Sigma")
"""Letters that may be functions."""

NUMBERED = ("W", "b", "Z", "A", "dW", "db", "dZ", "dA", "dz", "da")
"""Letters whose layer may stand right behind them, as in code."""

DIFFERENTIATED = frozenset("WwZzAabBXxhHsSoOpP") | {"\\theta", "\\Theta"}
_LAYER = r"(?:[lLkKi]|\d)(?:[-+]\d)?"


def parsed(tokens: list[Token]) -> Node:
    """The tree of a formula without relations; NotReadError with the place where it is not understood."""
    parser = _Parser([each for each in tokens if not each.text.isspace()])
    try:
        return parser.whole()
    except RecursionError as error:
        raise NotReadError("it is too deep") from error


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.place, self.bars = tokens, 0, 0

    def peek(self, ahead: int = 0) -> str:
        there = self.place + ahead
        return self.tokens[there].text if there < len(self.tokens) else ""

    def ahead(self) -> str:
        """The argument of the mark that comes next, as it is written."""
        return written(group(self.tokens, self.place + 1)[0])

    def take(self, wanted: str = "") -> Token:
        if self.place >= len(self.tokens):
            raise NotReadError("it breaks off")
        here = self.tokens[self.place]
        if wanted and here.text != wanted:
            raise NotReadError(f"expected {wanted} and got {here.text}, column {here.at + 1}")
        self.place += 1
        return here

    def whole(self) -> Node:
        node = self.sum()
        if self.peek():
            raise self.unclear()
        return node

    def unclear(self) -> NotReadError:
        here = self.tokens[min(self.place, len(self.tokens) - 1)] if self.tokens else Token("", 0)
        what = {"\\ldots": "an ellipsis", "\\vdots": "an ellipsis", "\\ddots": "an ellipsis"}.get(here.text, here.text)
        what = f"the words {what!r}" if here.prose else what
        return NotReadError(f"{what or 'nothing'} is not understood here, column {here.at + 1}")

    def argument(self) -> list[Token]:
        inside, self.place = group(self.tokens, self.place)
        return inside

    def sum(self) -> Node:
        node: Node
        if self.peek() == "-":
            self.take()
            node = Negative(self.term())
        else:
            if self.peek() == "+":
                self.take()
            node = self.term()
        terms = [node]
        while self.peek() in ("+", "-"):
            if self.peek() == "+" and self.peek(1) == "\\ldots":
                self.place += 2
                after = self.term() if self.peek() == "+" and self.take() else None
                return self.further(summed(terms, after))
            sign = self.take().text
            term = self.term()
            node = Operation(sign, node, term)
            terms.append(term if sign == "+" else Negative(term))
        return node

    def further(self, node: Node) -> Node:
        """What is added to a sum with an ellipsis."""
        while self.peek() in ("+", "-"):
            sign = self.take().text
            node = Operation(sign, node, self.term())
        return node

    def term(self) -> Node:
        node = self.product()
        while self.peek() in TIMES or self.peek() == "/":
            sign = self.take().text
            minus = self.peek() == "-" and bool(self.take())
            right = self.product()
            node = Operation("/" if sign == "/" else TIMES[sign], node, Negative(right) if minus else right)
        return node

    def product(self) -> Node:
        node = self.factor()
        while self.begins():
            node = Operation("", node, self.factor())
        return node

    def begins(self) -> bool:
        here = self.peek()
        if not here or self.tokens[self.place].prose:
            return False
        if here in ("|", "\\|"):
            return not self.bars
        return (
            here[0].isalnum() or here in ("(", "[", "{", "\\{", "\\lfloor", "\\lceil") or here in GREEK
            or here in ACCENTS or here in ("\\frac", "\\sqrt", "\\sum", "\\lim", "\\partial", "\\begin", "\\mathbb")
            or here.startswith("\\begin{")
        )  # fmt: skip

    def factor(self) -> Node:
        node = self.atom()
        while self.peek() in ("^", "_", "'", "[", "(", ".", "{"):
            after = self.marked(node)
            if after is None:
                break
            node = after
        if isinstance(node, Symbol) and is_named(node) and self.begins() and self.peek() not in ("(", "["):
            return Call(node, (self.factor(),))
        return node

    def marked(self, node: Node) -> Node | None:
        """The node with the next mark; None where what follows is no mark of it."""
        here = self.peek()
        if here == "'":
            self.take()
            return self.primed(node)
        if here in ("^", "_"):
            self.take()
            inside = self.argument()
            return self.raised(node, inside) if here == "^" else self.lowered(node, inside)
        if here == ".":
            if self.peek(1) == "T":
                self.place += 2
                return Transposed(node)
            return None
        if here == "{":
            if self.peek(1) in ("'", "^", "_") and "}" in (self.peek(2), self.peek(3)):  # g{'}
                inside = self.argument()
                if written(inside) in ("'", "^'"):
                    return self.primed(node)
            return None
        if here == "[" and isinstance(node, Symbol) and not node.layer and not is_named(node):
            text = written(self.tokens[self.place : self.place + 5])
            if match := re.match(rf"\[({_LAYER})\]", text):
                while self.take().text != "]":
                    pass
                node.layer = match[1]
                return node
        if here in ("(", "[") and isinstance(node, Symbol):
            return self.called(node)
        return None

    def called(self, node: Symbol) -> Node | None:
        """A symbol with brackets behind it: a function of them, an example, or a factor."""
        if self.peek() == "(" and self.peek(1) in ("i", "j") and self.peek(2) == ")" and not is_function(node):
            self.place += 3
            node.round = node.round or "i"
            return node
        if node.base in ("p", "P", "Pr") and self.peek() == "(":
            self.brackets("(", ")")
            return Call(Symbol("probability"), ())
        if node.base in COSTS and self.peek() == "(" and not node.primes:
            self.brackets("(", ")")
            return Call(node, ())
        if node.base in ("a", "A") and self.peek() == "(":  # a(z): the letter is used for the function too
            inside = written(self.tokens[self.place : self.place + 3])
            if re.match(r"\([zZ]", inside):
                node.base = "g"
                return Call(node, *self.arguments())
        if is_function(node):
            return Call(node, *self.arguments())
        return None

    def brackets(self, opening: str, closing: str) -> list[Token]:
        """What stands between brackets."""
        first = self.take(opening)
        depth, start = 1, self.place
        while depth:
            if self.place >= len(self.tokens):
                raise NotReadError(f"{opening} is not closed, column {first.at + 1}")
            text = self.take().text
            depth += (text == opening) - (text == closing)
        return self.tokens[start : self.place - 1]

    def arguments(self) -> tuple[tuple[Node, ...], dict[str, str]]:
        """Arguments and keywords of a call."""
        opening = self.peek()
        inside = self.brackets(opening, ")" if opening == "(" else "]")
        found: list[Node] = []
        keywords: dict[str, str] = {}
        for part in split(inside, (",",)):
            text = written(part)
            if match := re.match(r"(axis|keepdims|out)=(.+)", text):
                keywords[match[1]] = match[2]
            elif text.startswith("(") and "," in text:
                raise NotReadError("a shape as an argument")
            else:
                found.append(parsed(part))
        return tuple(found), keywords

    def primed(self, node: Node) -> Node:
        if isinstance(node, Symbol):
            node.primes += 1
            return node
        return Slope(node)

    def raised(self, node: Node, inside: list[Token]) -> Node:
        """What a superscript says: layers and examples of a symbol, a transpose, a prime, or a power."""
        inside = [each for each in inside if not each.text.isspace()]
        text = written(inside)
        while text.startswith("{") and text.endswith("}"):
            text = text[1:-1]
        if text in ("T", "t") and not (text == "t" and isinstance(node, Symbol) and node.base == "\\beta"):
            return Transposed(node)
        if text and set(text) <= {"'", "^", "{", "}"}:
            return self.primed(node)
        if text in ("*", "\\star"):
            return node
        if not isinstance(node, Symbol):
            return Power(node, parsed(inside))
        rest, turned = text, False
        while rest:
            if match := re.match(r"\[([^\]]*)\]", rest):
                node.layer = match[1]
            elif match := re.match(r"\(([^)]*)\)", rest):
                node.round = match[1]
            elif match := re.match(r"\\\{(\w)\\\}", rest):
                pass  # a mini-batch
            elif match := re.match(r"[,^]?\{?T\}?(?![A-Za-z])", rest):
                turned = True
            elif match := re.match(r"\^?\{?('+)\}?|,(?=[\[('T])", rest):
                node.primes += len(match[1] or "")
            elif match := re.match(r"corrected|corr(?![a-z])", rest):
                node.accents |= {"corrected"}
            elif match := re.match(rf"{_LAYER}(?=$|[,T'({{^])", rest):
                if not re.fullmatch(rf"{_LAYER}", text) and match[0] not in "lL" and len(match[0]) < 2 and rest == text:
                    node.bare = match[0]
                else:
                    node.bare = match[0]
            else:
                return Power(node, parsed(inside))
            rest = rest[match.end() :]
        return Transposed(node) if turned else node

    def lowered(self, node: Node, inside: list[Token]) -> Node:
        text = written(inside).strip("{}")
        if re.search(r"\\times|\\odot|n_h|n\^.*,|chunksize", text):  # a shape below a symbol
            if isinstance(node, Symbol | Transposed):
                node.sizes = node.sizes or sizes_in(written(inside))
            return node
        if word := re.fullmatch(r"[A-Z]{2,}([-+]1)?", text):  # a damaged letter of the last layer
            text = f"L{word[1] or ''}"
        parts = subscripts_of(text)
        if isinstance(node, Symbol) and (column := re.fullmatch(r":,([a-z])", text)):
            node.round = column[1]
            return node
        if isinstance(node, Symbol):
            node.subscripts += parts
            return node
        if isinstance(node, Transposed) and isinstance(node.operand, Symbol):
            node.operand.subscripts += parts
            return node
        if isinstance(node, Norm | Bars):
            return node
        if isinstance(node, Power) and isinstance(node.base, Symbol):  # beta^t_1
            node.base.subscripts += parts
            return node
        return Entry(node, parts)

    def atom(self) -> Node:
        if self.place < len(self.tokens) and self.tokens[self.place].prose:
            raise self.unclear()
        here = self.take()
        text = here.text
        if text[0].isdigit() or (text[0] == "." and len(text) > 1):
            return Number(text.replace(",", ""))
        if text in ("1", "\\ones") and self.compares():
            return self.atom()
        if text == "(" or text == "[":
            self.place -= 1
            node = self.in_brackets(self.brackets(text, ")" if text == "(" else "]"))
            if isinstance(node, Symbol) and self.peek() == "^" and re.fullmatch(r"\{?\d\}?", self.ahead()):
                self.take()
                return Power(node, parsed(self.argument()))  # a number behind brackets is no layer
            return node
        if text == "{":
            self.place -= 1
            return self.braced()
        if text == "\\{":
            self.place -= 1
            return self.in_brackets(self.brackets("\\{", "\\}"))
        if text in ("\\lfloor", "\\lceil"):
            self.place -= 1
            return Floor(parsed(self.brackets(text, "\\rfloor" if text == "\\lfloor" else "\\rceil")))
        if text in ("|", "\\|"):
            return self.between_bars(text)
        if text == "\\frac":
            return self.fraction()
        if text == "\\sqrt":
            if self.peek() == "[":
                raise NotReadError("a root that is no square root")
            return Call(Symbol("sqrt"), (parsed(self.argument()),))
        if text == "\\sum":
            return self.summed()
        if text == "\\partial":
            return self.differential()
        if text == "\\lim":
            return self.limit()
        if text == "\\nabla":
            return self.gradient()
        if text in ACCENTS:
            return self.accented(ACCENTS[text])
        if text.startswith("\\begin{"):
            return self.environment(text[7:-1])
        return self.letter(here)

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
        return any(each.text in COMPARISONS for each in inside)

    def in_brackets(self, inside: list[Token]) -> Node:
        """What stands in brackets: a formula, a comparison that is 0 or 1, or a row with an ellipsis."""
        sign = next((each.text for each in inside if each.text in COMPARISONS), "")
        if sign:
            parts = split(inside, (sign,))
            if len(parts) == 2:
                return Call(Symbol("indicator"), (parsed(parts[0]), parsed(parts[1])), {"sign": sign})
        places = [n for n, each in enumerate(inside) if each.text == "\\ldots"]
        if not places or any("+" in (each.text for each in inside[max(0, n - 1) : n + 2]) for n in places):
            return parsed(inside)
        entries: list[Node | None] = []
        for part in split(inside, (",", "\\quad")):
            rest = _Parser([each for each in part if not each.text.isspace()])
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
        node = parsed(self.argument())
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
        upper, lower = (_without_braces(each) for each in (upper, lower))
        if "\\times" in written(lower) and sizes_in(written(lower)):  # a symbol above its shape
            return parsed(upper)
        above, below = differential_of(upper), differential_of(lower)
        if above is not None and below:
            return Derivative(parsed(above), parsed(below)) if above else self.differentiated(parsed(below))
        if not upper or not lower:
            raise NotReadError("a fraction without a numerator or a divisor")
        return Operation("/", parsed(upper), parsed(lower))

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
        by, _, to = written(_without_braces(self.argument())).partition("\\rightarrow")
        return Call(Symbol("limit"), (self.product(),), {"by": by, "to": to})

    def gradient(self) -> Node:
        r"""``\nabla_a C``, and ``\nabla J_{W}``."""
        by: Node | None = None
        if self.peek() == "_":
            self.take()
            by = parsed(_without_braces(self.argument()))
        of = self.factor() if self.begins() else None
        if by is None and isinstance(of, Symbol) and of.subscripts:
            text = of.subscripts[0]
            match = re.fullmatch(r"(\\?[A-Za-z]+?)\^\{?\(?(\w(?:[-+]\d)?)\)?\}?", text)
            by = Symbol(match[1], round=match[2]) if match else Symbol(text)
            of.subscripts = of.subscripts[1:]
        if by is None:
            raise NotReadError("a gradient without the variable")
        if isinstance(by, Symbol) and self.peek() == "^":
            self.take()
            self.raised(by, self.argument())
        return Derivative(of, by)

    def summed(self) -> Node:
        lower = upper = ""
        while self.peek() in ("_", "^"):
            mark = self.take().text
            text = written(_without_braces(self.argument()))
            lower, upper = (text, upper) if mark == "_" else (lower, text)
        index, _, start = lower.partition("=")
        body = self.product()
        while self.peek() in TIMES or self.peek() == "/":
            sign = self.take().text
            body = Operation("/" if sign == "/" else TIMES[sign], body, self.product())
        return Sum(index.replace("\\ell", "l"), start, upper, body)

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
            return parsed([each for each in inside if each.text != "&"])
        plain = name.rstrip("*")
        if plain == "cases" or (plain == "array" and _is_cases(rows)):
            return Cases(tuple((_entry(row[0]), " ".join(map(_condition, row[1:]))) for row in rows))
        if plain in MATRICES:
            return Matrix(tuple(tuple(map(_entry, row)) for row in rows))
        raise NotReadError(f"{name} within a formula")


def _is_cases(rows: list[list[list[Token]]]) -> bool:
    """Whether the rows of an array are values and conditions."""
    return all(len(row) == 2 and any(each.text in ("<", ">", "\\ge", "\\le", "=") for each in row[1]) for row in rows)


def _entry(tokens: list[Token]) -> Node | None:
    """An entry of a matrix; None for dots and lines."""
    text = written(tokens)
    if re.fullmatch(r"(?:\\[lvd]dots|\|+|[-.+\\, ]|\\cdot|undef|---)*", text):
        return None
    return parsed(tokens)


def _condition(tokens: list[Token]) -> str:
    return " ".join(each.text for each in tokens if not each.text.isspace())


def _without_braces(tokens: list[Token]) -> list[Token]:
    """The tokens without spaces, and without braces around all of them."""
    tokens = [each for each in tokens if not each.text.isspace()]
    while tokens and tokens[0].text == "{" and group(tokens, 0)[1] == len(tokens):
        tokens = tokens[1:-1]
    return tokens


def differential_of(tokens: list[Token]) -> list[Token] | None:
    """What stands behind the d or partial at the beginning; None where there is none."""
    if not tokens:
        return None
    first = tokens[0]
    if first.text == "\\partial" or first.text == "d":
        return tokens[1:]
    if first.text in DIFFERENTIALS:
        return [Token(first.text[1:], first.at + 1), *tokens[1:]]
    return None


def split(tokens: list[Token], at: tuple[str, ...]) -> list[list[Token]]:
    """The pieces between separators outside of brackets and environments."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for each in tokens:
        text = each.text
        opens = text in ("(", "[", "{", "\\{", "\\lfloor") or text.startswith("\\begin{")
        depth += opens - (text in (")", "]", "}", "\\}", "\\rfloor") or text.startswith("\\end{"))
        if text in at and depth <= 0:
            parts.append([])
            depth = 0
        else:
            parts[-1].append(each)
    return parts


def is_named(node: Symbol) -> bool:
    """Whether a symbol is a function by its name."""
    return node.base in FUNCTIONS or node.base.startswith("np.")


def is_function(node: Symbol) -> bool:
    """Whether brackets behind a symbol hold its arguments."""
    return is_named(node) or node.base in GENERIC or (node.base in COSTS and node.base != "L" and node.primes > 0)


def subscripts_of(text: str) -> tuple[str, ...]:
    """The parts of a subscript: ``jk`` and ``j,k`` are two indices, ``11`` too, ``prev`` is a word."""
    text = re.sub(r"\\text|\\rm|[{}]", "", text)
    if re.fullmatch(r"axis=?\d", text):
        return (text,)
    if "," in text:
        return tuple(each for part in text.split(",") if part and part != ":" for each in subscripts_of(part))
    if match := re.fullmatch(r"(prev)([a-z]{1,2})", text):
        return (match[1], *subscripts_of(match[2]))
    if re.fullmatch(r"[a-z]{2}", text) and text not in ("in",):
        return tuple(text)
    if re.fullmatch(r"[1-9]{2}|[1-9][a-z]|[a-z][1-9]", text):
        return tuple(text)
    return (text,) if text else ()
