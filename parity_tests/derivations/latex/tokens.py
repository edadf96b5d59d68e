"""A formula of LaTeX as tokens: macros expanded, fonts and spacing gone, words known as words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from parity_tests.derivations.latex.documents import Macro
from parity_tests.derivations.latex.tree import NotReadError

LONGEST = 12_000
"""Characters of a formula that is read."""

MOST_TOKENS = 8_000
MOST_EXPANSIONS = 400
DEEPEST = 60
"""Brackets within brackets."""

NUMPY = r"(?:numpy|np)\s*[.\-]\s*(?:random\s*\.\s*)?[a-z]+"
FUNCTIONS = (
    "LeakyReLU", "sigmoid", "Sigmoid", "softmax", "Softmax", "ReLU", "ReLu", "Relu", "relu", "RELU", "tanh", "log",
    "ln", "exp", "max", "sqrt", "abs", "diag", "sum", "mean", "sgn", "sign", "CE",
    "expit", "logistic", "sig", "tr", "rowsum",
)  # fmt: skip
DIFFERENTIALS = ("dW", "dw", "dZ", "dz", "dA", "da", "db", "dB", "dX", "dx", "dh", "dH",
                 "dS", "ds", "dO", "do", "dP", "dp")  # fmt: skip
WORDS = (
    *FUNCTIONS,
    *DIFFERENTIALS,
    "target",
    "out",
    "net",
    "axis",
    "keepdims",
    "True",
    "true",
    "ture",
    "prev",
    "corrected",
    "undef",
)
_TOKEN = re.compile(
    r"\|\||\\(?:begin|end)\s*\{[A-Za-z]+\*?\}|\\[A-Za-z]+\*?|\\.|" + NUMPY
    + "|" + "|".join(sorted(WORDS, key=len, reverse=True))
    + r"|\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?|\.\d+|[-+*/:]=|\.\*|[A-Za-z]|\s+|.",
    re.DOTALL,
)  # fmt: skip

DROPPED = frozenset((
    "left", "right", "middle", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr",
    "Biggl", "Biggr", "bigm", "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "large", "Large",
    "LARGE", "small", "normalsize", "tiny", "nonumber", "notag", "hfill", "rm", "bf", "it", "cal", "tt", "sf", "sc",
    "checkmark", "hline", "centering", "noindent", "mathstrut", "strut", "relax", "allowbreak",
))  # fmt: skip
SPACES = {"\\,", "\\!", "\\:", "\\;", "\\ ", "\\>", "~", "\\/"}
_QUOTES = {"&amp;", '"', "“", "”"}
WIDE = {"\\quad", "\\qquad"}
FONTS = frozenset((
    "mathbf", "boldsymbol", "bm", "mathsf", "mathit", "mathtt", "textbf", "textit", "textrm", "textsf", "texttt",
    "underline", "vec", "mathcal", "mathscr", "pmb", "mathnormal", "overrightarrow", "matr", "vecr", "mathfrak",
    "mathbb", "bold", "mathrm", "text", "mbox", "hbox", "operatorname", "boxed", "fbox", "emph",
))  # fmt: skip
PROSE = frozenset((
    "text", "mathrm", "textrm", "mbox", "hbox", "operatorname", "textbf", "textit", "texttt", "mathtt", "mathsf",
    "emph", "textsf",
))  # fmt: skip
_WITH_ARGUMENT = frozenset((
    "label", "tag", "hspace", "vspace", "textcircled", "color", "textcolor", "colorbox", "eqref", "ref", "phantom",
    "hphantom", "vphantom", "cite", "url", "href", "footnote",
))  # fmt: skip
_SAME = {
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\intercal": "T", "\\top": "T", "\\mid": "|",
    "||": "\\|",
    "\\prime": "'", "\\lvert": "|", "\\rvert": "|", "\\vert": "|", "\\lVert": "\\|", "\\rVert": "\\|", "\\Vert": "\\|",
    "\\lbrace": "\\{", "\\rbrace": "\\}", "\\lbrack": "[", "\\rbrack": "]", "\\ast": "*", "\\star": "*", "\\ell": "l",
    "\\varepsilon": "\\epsilon", "\\varsigma": "\\sigma", "\\varphi": "\\phi", "\\Bar": "\\bar", "\\part": "\\partial",
    "\\widehat": "\\hat", "\\widetilde": "\\tilde", "\\overline": "\\bar", "\\bullet": "\\cdot",
    "\\gets": "\\leftarrow",
    "\\coloneqq": ":=", "\\triangleq": ":=", "\\equiv": "=", "\\doteq": "=", "\\geq": "\\ge", "\\geqslant": "\\ge",
    "\\leq": "\\le", "\\leqslant": "\\le", "\\lt": "<", "\\gt": ">", "\\dots": "\\ldots", "\\cdots": "\\ldots",
    "\\dotsb": "\\ldots", "\\dotsc": "\\ldots", "\\bigodot": "\\odot", "\\otimes": "\\odot", "\\circ": "\\odot",
    "\\bigotimes": "\\odot", "⊙": "\\odot", "−": "-", "–": "-", "·": "\\cdot", "×": "\\times", "∂": "\\partial",
    "∑": "\\sum", "σ": "\\sigma", "δ": "\\delta", "′": "'", "’": "'", "∇": "\\nabla", "≥": "\\ge",
    "≤": "\\le", "→": "\\rightarrow", "α": "\\alpha", "λ": "\\lambda", "η": "\\eta", "ε": "\\epsilon", "ϵ": "\\epsilon",
    "β": "\\beta", "θ": "\\theta", "…": "\\ldots", "\\to": "\\rightarrow", "\\longrightarrow": "\\rightarrow",
    "\\implies": "\\Rightarrow", "\\Longrightarrow": "\\Rightarrow", "\\longleftarrow": "\\leftarrow-",
    "\\log": "log", "\\ln": "log", "ln": "log", "\\exp": "exp", "\\tanh": "tanh", "\\max": "max", "\\newline": "\\\\",
    "\\Pr": "Pr",
    "\\cr": "\\\\", "\\tanh*": "tanh", "\\langle": "(", "\\rangle": ")", "\\iota": "i",
}  # fmt: skip


class Token(NamedTuple):
    """A piece of a formula and the place where it stood; ``words`` are prose."""

    text: str
    at: int
    prose: bool = False


def tokens_of(text: str, macros: Mapping[str, Macro] | None = None) -> list[Token]:
    """The tokens of a formula.

    Raises NotReadError for one that is too long, whose braces do not match or are too deep, or whose macros do not end.
    """
    if len(text) > LONGEST:
        raise NotReadError(f"it has {len(text)} characters, at most {LONGEST} are read")
    pieces = [Token(match[0], match.start()) for match in _TOKEN.finditer(text)]
    pieces = _digit_by_digit(_expanded(pieces, macros or {}))
    _check_depth(pieces)
    return _plain(pieces)


def _digit_by_digit(tokens: list[Token]) -> list[Token]:
    r"""The tokens with the number behind a fraction taken apart, as TeX does: ``\frac12``."""
    done: list[Token] = []
    for each in tokens:
        before = next((other.text for other in done[::-1] if not other.text.isspace()), "")
        if _SAME.get(before, before) == "\\frac" and each.text.isdigit():
            done += [Token(each.text[:1], each.at), *([Token(each.text[1:], each.at + 1)] if each.text[1:] else [])]
        else:
            done.append(each)
    return done


def group(tokens: list[Token], start: int) -> tuple[list[Token], int]:
    """The argument that begins at ``start``, without its braces, and the place behind it."""
    while start < len(tokens) and tokens[start].text.isspace():
        start += 1
    if start >= len(tokens):
        raise NotReadError("it breaks off")
    if tokens[start].text != "{":
        return tokens[start : start + 1], start + 1
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place].text == "{") - (tokens[place].text == "}")
        if depth == 0:
            return tokens[start + 1 : place], place + 1
    raise NotReadError(f"a brace is not closed, column {tokens[start].at + 1}")


def written(tokens: list[Token]) -> str:
    """The tokens as text, without spaces."""
    return "".join(each.text for each in tokens if not each.text.isspace())


_SIZE = r"(?:[A-Z]|m|\d+|(?:n|\\eta)(?:_\{?[a-z]\}?)?(?:[_^](?:\{[^{}]*\}|\w))?)"
_SIZES = re.compile(rf"\(?({_SIZE})(?:\\times|,)({_SIZE})\)?")


def sizes_in(text: str) -> tuple[str, ...]:
    """The two sizes of a shape such as (n, m) or n x m; none where it is something else."""
    match = _SIZES.fullmatch(text)
    return (match[1], match[2]) if match else ()


def _check_depth(tokens: list[Token]) -> None:
    depth = 0
    for each in tokens:
        depth += (each.text in "{([") - (each.text in "})]") if len(each.text) == 1 else 0
        if depth > DEEPEST:
            raise NotReadError(f"brackets are more than {DEEPEST} deep, column {each.at + 1}")


def _expanded(tokens: list[Token], macros: Mapping[str, Macro]) -> list[Token]:
    """The tokens with the writer's commands replaced; NotReadError where that does not end."""
    if not macros or not any(each.text in macros for each in tokens):
        return tokens
    done: list[Token] = []
    waiting, count = tokens[::-1], 0
    while waiting:
        here = waiting.pop()
        macro = macros.get(here.text)
        if macro is None:
            done.append(here)
            continue
        count += 1
        if count > MOST_EXPANSIONS or len(waiting) + len(done) > MOST_TOKENS:
            raise NotReadError(f"{here.text} expands without end")
        arguments = []
        for _ in range(macro.arguments):
            ahead = waiting[::-1]
            argument, behind = group(ahead, 0)
            arguments.append(argument)
            waiting = ahead[behind:][::-1]
        body: list[Token] = []
        pieces = [match[0] for match in _TOKEN.finditer(macro.body)]
        for place, piece in enumerate(pieces):
            if piece == "#":
                continue
            if place and pieces[place - 1] == "#" and piece.isdigit():
                body += arguments[int(piece) - 1] if 0 < int(piece) <= len(arguments) else []
            else:
                body.append(Token(piece, here.at))
        waiting += body[::-1]
    return done


def _plain(tokens: list[Token]) -> list[Token]:
    """The tokens without fonts and spacing; what stands under braces, and tags, are left out."""
    done: list[Token] = []
    place = 0
    while place < len(tokens):
        here = tokens[place]
        name = here.text[1:].rstrip("*") if here.text.startswith("\\") else ""
        place += 1
        if here.text in SPACES or here.text in _QUOTES or (name in DROPPED and name):
            dot = tokens[place : place + 1]
            if name in ("left", "right") and dot and dot[0].text == ".":
                place += 1
        elif here.text in WIDE:
            done.append(Token("\\quad", here.at))
        elif name in _WITH_ARGUMENT:
            _, place = group(tokens, place)
            if name in ("textcolor", "colorbox", "href"):
                inside, place = group(tokens, place)
                done += _plain(inside)
        elif name in ("underbrace", "overbrace", "underbracket"):
            inside, place = group(tokens, place)
            done += [Token("{", here.at), *_plain(inside), Token("}", here.at)]
            while place < len(tokens) and tokens[place].text.isspace():
                place += 1
            if place < len(tokens) and tokens[place].text in ("_", "^"):
                below, place = group(tokens, place + 1)
                if sizes_in(written(below)):
                    done += [Token("_", here.at), Token("{", here.at), *_plain(below), Token("}", here.at)]
        elif name in ("underset", "overset", "stackrel"):
            _, place = group(tokens, place)
            inside, place = group(tokens, place)
            done += _plain(inside)
        elif name in ("cancel", "xcancel", "bcancel", "sout"):
            _, place = group(tokens, place)
            done.append(Token("struck out", here.at, prose=True))
        elif name in FONTS:
            inside, place = group(tokens, place)
            done += _in_a_font(inside, here.at, name)
        elif name == "substack":
            _, place = group(tokens, place)
        else:
            done.append(here._replace(text=_SAME.get(here.text, here.text)))
    return done


def _in_a_font(inside: list[Token], at: int, name: str) -> list[Token]:
    """What a font command makes of its argument: prose, a word, or the same tokens."""
    text = "".join(each.text for each in inside).strip()
    if name in PROSE and not re.fullmatch(rf"{NUMPY}|[A-Za-z]|.*(?:axis|keepdims|np\.|[_^\\=]).*", text, re.DOTALL):
        word = text.strip("., ")
        if word in WORDS:
            return [Token(_SAME.get(word, word), at)]
        return [Token(word, at, prose=not re.fullmatch(r"[A-Za-z]\w*|\W*", word) or len(word) > 14)] if word else []
    if name == "mathbb" and text != "1":
        return [Token("\\mathbb", at)]
    if text == "1" and name in ("vec", "mathbf", "bm", "boldsymbol", "mathbb"):
        return [Token("\\ones", at)]
    if re.fullmatch("[a-z]{3,}", text) and text not in WORDS:
        return [Token(text, at)]
    plain = _plain([each for each in inside if not each.text.isspace()])
    if len(plain) == 1 or (name in PROSE and (re.fullmatch(NUMPY, text) or "axis" in text or "keepdims" in text)):
        return plain
    return [Token("{", at), *plain, Token("}", at)]
