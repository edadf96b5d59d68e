"""The marks of a symbol: what stands above and below it, primes, and brackets behind it."""

from __future__ import annotations

import re

from parity_tests.derivations.latex.cursor import (
    COSTS,
    LAYER,
    Cursor,
    is_function,
    is_named,
    split,
    subscripts_of,
)
from parity_tests.derivations.latex.tokens import Token, sizes_in, written
from parity_tests.derivations.latex.tree import (
    Bars,
    Call,
    Entry,
    Node,
    Norm,
    NotReadError,
    Power,
    Slope,
    Symbol,
    Transposed,
)


class Marks(Cursor):
    """Reads marks."""

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
            if match := re.match(rf"\[({LAYER})\]", text):
                while self.take().text != "]":
                    pass
                node.layer = match[1]
                return node
        if (
            here == "["
            and isinstance(node, Symbol)
            and node.subscripts
            and re.match(r"\[[a-z]_[^,;]*\]", written(self.tokens[self.place :]))
        ):
            raise NotReadError("an entry by its label")
        if here in ("(", "[") and isinstance(node, Symbol):
            return self.called(node)
        return None

    def called(self, node: Symbol) -> Node | None:
        """A symbol with brackets behind it: a function of them, an example, or a factor."""
        if self.peek() == "(" and self.peek(1) in ("i", "j") and self.peek(2) == ")" and not is_function(node):
            self.place += 3
            node.round = node.round or "i"
            return node
        if node.base in ("p", "P", "Pr") and self.peek() == "(" and not node.subscripts:
            self.brackets("(", ")")
            return Call(Symbol("probability"), ())
        listed = node.base == "l" and "," in written(self.tokens[self.place :])
        if (node.base in COSTS or listed) and self.peek() == "(" and not node.primes:
            return Call(node, (), {"of": written(self.brackets("(", ")"))})
        if node.base in ("a", "A") and self.peek() == "(":  # a(z): the letter is used for the function too
            inside = written(self.tokens[self.place : self.place + 3])
            if re.match(r"\([zZ]", inside):
                node.base = "g"
                return Call(node, *self.arguments())
        if is_function(node):
            return Call(node, *self.arguments())
        return None

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
                found.append(self.parsed(part))
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
            return Power(node, self.parsed(inside))
        rest, turned = text, False
        while rest:
            if match := re.match(rf"x,(?={LAYER}$)", rest):
                node.round = "x"
            elif match := re.match(r"\[([^\]]*)\]", rest):
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
            elif match := re.match(rf"{LAYER}(?=$|[,T'({{^])", rest):
                if not re.fullmatch(rf"{LAYER}", text) and match[0] not in "lL" and len(match[0]) < 2 and rest == text:
                    node.bare = match[0]
                else:
                    node.bare = match[0]
            else:
                return Power(node, self.parsed(inside))
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
