"""The rows of a formula, each a chain of equations, with the arrows and words around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from parity_tests.derivations.latex.cursor import split
from parity_tests.derivations.latex.documents import Formula, Macro
from parity_tests.derivations.latex.tokens import Token, sizes_in, tokens_of, written

EQUALS = ("=", ":=", "\\leftarrow", "+=", "-=", "/=", "*=")
ARROWS = ("\\rightarrow", "\\Rightarrow", "\\leftarrow-", "\\hookrightarrow", "\\downarrow", "\\uparrow", "\\nearrow",
          "\\therefore", "\\because", "\\hookleftarrow", "\\iff", "\\Leftrightarrow", "\\leftrightarrow", "\\mapsto",
          "\\xrightarrow")  # fmt: skip
OTHERS = ("\\in", "\\approx", "<", ">", "\\le", "\\ge", "\\neq", "\\ne", "\\sim", "\\propto", "\\subseteq", "\\subset",
          "\\ll", "\\gg", "\\simeq")  # fmt: skip
_ROWS = re.compile(r"\\(?:begin|end)\{(?:aligned|align|split|gathered|gather|eqnarray|alignedat|alignat|equation|"
                   r"multline|flalign|displaymath|math)\*?\}")  # fmt: skip
_AND = ("and", "und", "et", "where", "with")
MOST_STATEMENTS = 200


class Statement(NamedTuple):
    """Parts with the relations between them; ``aside`` is what stands behind an arrow, such as a shape."""

    parts: tuple[tuple[Token, ...], ...]
    relations: tuple[str, ...]
    text: str
    line: int
    aside: str = ""
    first: int = 0
    last: int = 0

    @property
    def is_equation(self) -> bool:
        """Whether it sets two things equal."""
        return any(each in EQUALS for each in self.relations)


def statements_of(formula: Formula, macros: Mapping[str, Macro]) -> list[Statement]:
    """The statements of a formula in their order; NotReadError where its tokens cannot be told."""
    tokens = tokens_of(formula.text, macros)
    tokens = _unframed(tokens)
    found: list[Statement] = []
    for row in split(tokens, ("\\\\",)):
        row = [each for each in row if each.text != "&"] if not _has_environment(row) else row
        for piece in _pieces(row):
            found += _at_arrows(piece, formula)
    return _with_texts(found[:MOST_STATEMENTS], formula)


_BEFORE = re.compile(r"^(?:\s|\\\\(?:\[[^\]\n]*\])?|[&,;}]|\\q?quad|\\left\.|\\begin\{[^}]*\}(?:\{[^}]*\})?)+")
_BEHIND = re.compile(
    r"(?:\s|\\\\|[&,;.]|\\q?quad|\\end\{[^}]*\}|\\(?:mathbf|vec|bm|boldsymbol|mathrm|underbrace)\s*\{?|\{)+$"
)


def _with_texts(found: list[Statement], formula: Formula) -> list[Statement]:
    """The statements with what the writer wrote, up to the next one."""
    if len(found) == 1 and not _ROWS.search(formula.text):
        return [found[0]._replace(text=" ".join(formula.text.split()))]
    texts, end = [], 0
    for place, each in enumerate(found):
        following = found[place + 1].first if place + 1 < len(found) else len(formula.text)
        text = _BEFORE.sub("", formula.text[end:following])
        if place + 1 < len(found):
            text = _BEHIND.sub("", text)
        texts.append(" ".join(re.sub(r"\\end\{[^}]*\}\s*$|(?<!\\)&", " ", text).split()).rstrip(" ,;"))
        end = max(end, each.last)
    return [each._replace(text=text) for each, text in zip(found, texts, strict=True)]


def _unframed(tokens: list[Token]) -> list[Token]:
    """The tokens without the environments that hold rows of equations."""
    done: list[Token] = []
    for place, each in enumerate(tokens):
        if _ROWS.fullmatch(each.text):
            continue
        ahead = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if each.text == "\\{" and ahead.startswith("\\begin{"):
            continue
        if each.text == "{" and done and _ROWS.fullmatch(tokens[place - 1].text) and "at" in tokens[place - 1].text:
            continue
        done.append(each)
    plain = [each for each in done if not each.text.isspace()]
    if plain and re.fullmatch(r"\\begin\{(cases|array|matrix)\}", plain[0].text) and plain[-1].text.startswith("\\end"):
        inside = plain[1:-1]
        if plain[0].text == "\\begin{array}" and inside and inside[0].text == "{":
            close = next((n for n, each in enumerate(inside) if each.text == "}"), 0)
            inside = inside[close + 1 :]
        rows = split(inside, ("\\\\",))
        if not _has_environment(inside) and all(any(t.text in EQUALS for t in row) or not row for row in rows):
            return inside
    return done


def _has_environment(tokens: list[Token]) -> bool:
    return any(each.text.startswith("\\begin{") for each in tokens)


def _pieces(row: list[Token]) -> list[list[Token]]:
    """A row at semicolons, wide spaces, and commas between equations."""
    found: list[list[Token]] = []
    row = [each._replace(text="\\quad", prose=False) if each.text in _AND else each for each in row]
    for wide in split(row, (";", "\\quad")):
        wide = [each for each in wide if each.text != "\\quad"]
        parts = split(wide, (",",))
        equations = [any(each.text in EQUALS for each in part) for part in parts]
        if len(parts) > 1 and not all(equations):
            text = written(wide)
            whole = [wide] if sum(equations) < 2 and not _ends_with_words(parts) else parts
            parts = whole if not text.endswith(",") or sum(equations) > 1 else [wide[:-1]]
        for part in parts:
            text = written(part).strip(".,")
            if not text:
                continue
            if found and not any(each.text in EQUALS for each in part) and _goes_on(part):
                found[-1] = [*found[-1], *part]
            else:
                found.append(part)
    return found


def _ends_with_words(parts: list[list[Token]]) -> bool:
    return any(each.prose for each in parts[-1]) or bool(re.match(r"\\forall|if|for|l=|i=", written(parts[-1])))


def _goes_on(part: list[Token]) -> bool:
    """Whether what stands behind a wide space goes on with the formula before it."""
    text = written(part)
    is_product = bool(re.match(r"[A-Z]|d[WZA]|\\odot|\\cdot|[-+*]", text))
    return is_product and not any(each.prose or each.text == "\\in" for each in part)


_LEADING = re.compile(r"(?:(?!alpha|beta|gamma|delta|epsilon|theta|lambda|sigma|softmax|tanh|diag|sign|tr|log|exp)"
                      r"[A-Z]?[a-z]{3,}\s+)+(?:\\ \s*)?(?=[A-Za-z\\])")  # fmt: skip
"""Words before a formula that are not set as text."""


def _at_arrows(tokens: list[Token], formula: Formula) -> list[Statement]:
    """The statements of a piece: arrows begin new ones; what equates nothing behind one is said of the one before."""
    found: list[Statement] = []
    while tokens and (tokens[0].text.isspace() or tokens[0].text == "*"):
        tokens = tokens[1:]
    if tokens and (words := _LEADING.match(formula.text, tokens[0].at)):
        tokens = [each for each in tokens if each.at >= words.end()]
    for part in split(_updates(tokens), (*ARROWS, ":")):
        if not written(part):
            continue
        made = _statement(part, formula)
        last = found[-1] if found else None
        if last is not None and ((last.is_equation and _is_shape(written(part))) or sizes_in(written(part))):
            found[-1] = last._replace(aside=f"{last.aside} {written(part)}".strip())
        else:
            found.append(made)
    return found


def _updates(tokens: list[Token]) -> list[Token]:
    r"""The tokens with a sign of equality for the arrow of ``w \rightarrow w - ...``."""
    place = next((number for number, each in enumerate(tokens) if each.text == "\\rightarrow"), 0)
    before, behind = written(tokens[:place]), written(tokens[place + 1 :])
    if not before or not re.match(re.escape(before) + "[-+]", behind):
        return tokens
    return [*tokens[:place], tokens[place]._replace(text=":="), *tokens[place + 1 :]]


def _is_shape(text: str) -> bool:
    """Whether a text holds shapes alone, such as (1 x m) = (1 x n)(n x m)."""
    return bool(re.match(r"\(?\(?[\\\w^\[\]]+(?:\\times|,)", text)) and not re.search(r"[dWZA]", text)


def _statement(tokens: list[Token], formula: Formula) -> Statement:
    parts: list[list[Token]] = [[]]
    relations: list[str] = []
    depth = 0
    for each in tokens:
        text = each.text
        opens = text in ("(", "[", "{", "\\{", "\\lfloor") or text.startswith("\\begin{")
        depth += opens - (text in (")", "]", "}", "\\}", "\\rfloor") or text.startswith("\\end{"))
        if depth <= 0 and text in (*EQUALS, *OTHERS):
            relations.append(text)
            parts.append([])
        else:
            parts[-1].append(each)
    plain = tuple(tuple(each for each in part if not each.text.isspace()) for part in parts)
    first = next((each for each in tokens if not each.text.isspace()), Token("", 0))
    line = formula.line + formula.text.count("\n", 0, first.at)
    last = max((each.at + len(each.text) for each in tokens), default=0)
    return Statement(plain, tuple(relations), "", line, "", first.at, last)
