"""What the language of derivations refuses: each thing with its sentence, at its character, and quickly."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parity_tests.derivations.language.errors import DerivationSyntaxError, EvaluationError
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.formulas import MAX_DEPTH
from parity_tests.derivations.language.nodes import height
from parity_tests.derivations.language.syntax import parse
from parity_tests.tests.derivations.formula import parse_expression
from parity_tests.tests.work import at_most

PROTECTED = {"m", "X", "sigmoid", "lambda_"}
LOOPS = "".join("  " * level + f"for i{level} in range(3):\n" for level in range(5)) + " " * 10 + "J = 0"

# The text, a pattern of the sentence, and the column of the caret.

REFUSED = [
    # multiplication is written out
    ("a = dZ1 X.T", r"write \* or @ between 'dZ1' and 'X'", 9),
    ("a = 2m", r"write \* or @ between '2' and 'm'", 6),
    ("a = (b)(c)", r"write \* or @ between '\)' and '\('", 8),
    ("a = w^TX", r"write \* or @ between '\^T' and 'X'", 6),
    ("a = w.T(X)", r"write \* or @ between 'T' and '\('", 6),
    ("a = W²1", "put the power in brackets", 6),
    ("a = W².T", "put the power in brackets", 6),
    ("a = b *· c", "MIDDLE DOT", 8),
    # brackets and ends
    ("a = (b + c", r"'\(' was never closed", 5),
    ("a = b)", r"unmatched '\)'", 6),
    ("a = ", "a formula was expected before the end of the line", 4),
    ("a = * b", r"a formula was expected before '\*'", 5),
    ("a = np.sum(b axis=1)", "a comma is missing before 'axis'", 13),
    ("", "there is no formula here", 1),
    # assignments
    ("a + b", "there is no '='", 6),
    ("a == b", "'==' compares", 3),
    ("a = b = c", "one assignment a line: '='", 7),
    ("J = 0, dw = 0", "one assignment a line: '='", 11),
    ("a, b = 1", "left of '=' stands one name", 1),
    ("dJ/dW + 1 = 1", "left of '=' stands one name", 1),
    ("A[0][1] = 1", "left of '=' stands one name", 1),
    ("f(x) = x", "left of '=' stands one name", 1),
    ("a //= 2", "'//=' is not part of the language", 3),
    ("a **= 2", r"'\*\*=' is not part of the language", 3),
    # names that mean something
    ("m = 3", "m has a meaning here and cannot be assigned", 1),
    ("X[0] = 3", "X has a meaning here", 1),
    ("λ = 3", "λ has a meaning here", 1),
    ("np = 3", "np stands only before a function", 1),
    ("sum += 3", "sum has a meaning here", 1),
    ("for m in range(3):\n  a = 1", "m has a meaning here", 5),
    ("for i in range(3):\n  i = 1", "i counts the loop", 3),
    # functions
    ("a = np.load(b)", "np.load is not part of the language", 8),
    ("a = np.flor(b)", r"np.flor is not part of the language; did you mean np.floor\?", 8),
    ("a = np.mini(b)", r"did you mean np.min or np.minimum\?", 8),
    ("a = np.linalg.norm(b)", "np.linalg is not part of the language", 8),
    ("a = np.sum", r"np.sum is a function|sum is a function: write sum\(", 11),
    ("a = np.exp(b, c)", "exp takes 1 argument, but got 2", 8),
    ("a = np.zeros(2, 1)", r"shape in brackets of its own: np.zeros\(\(n_x, 1\)\)", 8),
    ("a = np.exp((b, c))", "a tuple is only for a shape", 8),
    ("a = (b, c)", "a tuple is only for a shape", 5),
    ("a = b[()]", "a tuple is only for a shape", 7),
    ("a = max(0, Z)", r"np.maximum\(a, b\) compares entry by entry", 5),
    ("a = sum(Z, 1)", "an axis is named: axis=1", 5),
    ("a = np.sum(b, axs=1)", "axs= is not part of the language; did you mean axis", 15),
    ("a = np.sum(b, axis=1, axis=0)", "axis= is given twice", 23),
    ("a = np.sum(b, axis=c)", "axis= is a whole number", 20),
    ("a = np.sum(b, keepdims=2)", "keepdims= is True or False", 24),
    ("a = np.sum(axis=1, b)", "positional argument follows keyword argument", 21),
    ("a = np.exp(b, axis=1)", "exp takes no axis", 8),
    ("a = g(b, axis=1)", "g takes no axis", 5),
    ("a = np.multiply(b)", "multiply takes 2 arguments", 8),
    # attributes
    ("a = X.shape[1]", "write the size by its name", 6),
    ("a = (Z > 0).astype(float)", "a comparison is already 0 or 1", 12),
    ("a = X.__class__.__mro__", "two underscores in a row", 7),
    ("a = X.real.imag", "'.real' is not part of the language", 6),
    ("a = X.sum.T", "sum is a function", 10),
    # Python that is not mathematics
    ("import os", "'import' is not part of the language", 1),
    ("def f(x):", "'def' is not part of the language", 1),
    ("a = b if c else d", "'if' is not part of the language", 7),
    ("a = lambda x: x", "lambda expressions are not part of the language", 5),
    ("a = (b := 3)", "':=' assigns only behind the name", 6),
    ("a = 1; b = 2", "';' is not part of the language", 6),
    ("a = 'text'", "text in quotes is not part of the language", 5),
    ('a = "text"', "text in quotes is not part of the language", 5),
    ("a = f'{b}'", "text in quotes is not part of the language", 6),
    ("a = True", "True is only for axis= and keepdims=", 5),
    ("a = [1, 2]", r"'\[1, 2\]' is not part of the language", 5),
    ("a = {1: 2}", "'{' is not part of the language", 5),
    ("a = b & c", "'&' is not part of the language", 7),
    # mathematics that is written otherwise
    ("a = A^[1]", "a layer is written in the name", 6),
    ("a = x^(i)", r"an example is written x\[i\]", 6),
    ("a = g''(z)", "one prime", 6),
    (r"a = \frac{1}{m}", "not in LaTeX", 5),
    ("a = 0 < b < 1", "one comparison at a time", 13),
    # loops
    ("for i in range(3): a = 1", "the lines of the loop follow below it", 20),
    ("for i in range(3):\na = 1", "the lines of the loop follow below it", 19),
    ("for i in range(3)\n  a = 1", "expected ':'", 18),
    ("for i in X:\n  a = 1", "a loop is written", 1),
    ("for i = 0 to m:\n  a = 1", "counts from 1", 1),
    ("for i in range(3):\n    a = 1\n  b = 2", "the indentation fits no line above it", 3),
    ("a = 1\n  b = 2", "the indentation fits no line above it", 3),
    (LOOPS, "loops are nested more than 4 deep", 9),
    # letters that look like others, and letters that nobody sees
    ("А = 3", r"'А' \(CYRILLIC CAPITAL LETTER A, U\+0410\) is not part of the language", 1),
    ("a = dΖ1", r"'Ζ' \(GREEK CAPITAL LETTER ZETA, U\+0396\)", 6),
    ("a = \uff21", r"FULLWIDTH LATIN CAPITAL LETTER A, U\+FF21", 5),
    ("a = b\u200b", r"ZERO WIDTH SPACE, U\+200B", 6),
    ("a = b\u0302", r"COMBINING CIRCUMFLEX ACCENT", 6),
    ("a = ٣", "ARABIC-INDIC DIGIT THREE", 5),
    ("a = \x1b[31m", r"the character \(a control character, U\+001B\) is not allowed", 5),
    ("a = b\x00", r"U\+0000", 6),
    ("a = b # \u202e", "RIGHT-TO-LEFT OVERRIDE.*not even in a comment", 9),
    ("a = \ud800", r"U\+D800", 5),
    # sizes
    ("a" * 1_000_000, "the text has 1,000,000 characters; at most 20,000 are read", 1),
    ("a = " + "b + " * 600, "this line has 2,404 characters; at most 2,000 are read", 1),
    ("a=b\n" * 501, "more than 500 lines", 1),
    ("a = " + "b" * 65, "a name has at most 64 characters", 5),
    ("a = " + "9" * 33, "a number has at most 32 characters", 5),
    ("a = 1e999", "too large for float64", 5),
    ("a = 0x1F", r"write \* or @ between '0' and 'x1F'", 6),
    ("a = " + "(" * 500 + "b" + ")" * 500, "too many nested parentheses", 205),
    ("a = " + "-" * 500 + "b", "more than 60 deep", 65),
    ("a = " + "g(" * 100 + "b" + ")" * 100, "more than 60 deep", 125),
    ("a = " + "b[" * 100 + "0" + "]" * 100, "more than 60 deep", 123),
    ("a = b" + ".T" * 500, "more than 60 deep", 5),
    ("a = b" + " + b" * 400, "more than 60 deep", 5),
]


def _id(text: str) -> str:
    return ascii(text[:24])


@pytest.mark.parametrize(("text", "sentence", "column"), REFUSED, ids=[_id(row[0]) for row in REFUSED])
def test_refused_with_a_sentence_at_the_character(text: str, sentence: str, column: int) -> None:
    with at_most(500_000), pytest.raises(DerivationSyntaxError, match=sentence) as caught:
        parse(text, protected=PROTECTED)
    assert caught.value.column == column
    assert "\n" not in caught.value.message


def test_the_caret_stands_under_the_character() -> None:
    with pytest.raises(DerivationSyntaxError) as caught:
        parse("a = 1\nb = dZ1 X.T")
    assert str(caught.value).split("\n") == [
        "line 2, column 9: write * or @ between 'dZ1' and 'X'",
        "    b = dZ1 X.T",
        "            ^",
    ]


@pytest.mark.parametrize("position", [0, 3, 60, 1_000, 1_990])
def test_a_long_line_is_shown_around_the_character(position: int) -> None:
    with pytest.raises(DerivationSyntaxError) as caught:
        parse("+" * position + "?" + "-" * (1_999 - position))
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) < 120
    assert shown[caret.index("^")] == "?"


def test_what_is_shown_moves_no_cursor() -> None:
    with pytest.raises(DerivationSyntaxError) as caught:
        parse("a = b \x1b[2J\t\ud800 + c")
    str(caught.value).encode("utf-8")
    assert "\x1b" not in str(caught.value)
    with pytest.raises(DerivationSyntaxError, match="a derivation is text, not bytes"):
        parse(b"a = 1")  # type: ignore[arg-type]


def test_the_depth_that_is_allowed_is_read() -> None:
    deep = parse_expression("(" * (MAX_DEPTH - 1) + "b" + ")" * (MAX_DEPTH - 1))
    assert height(deep) == 1
    assert parse_expression("b" * 64 + "**64 + " + "9" * 32)
    assert height(parse_expression("b" + " + b" * (MAX_DEPTH - 1))) == MAX_DEPTH


# Anything at all.

PIECES = "dW1 A X.T m λ lambda ( ) (( )) [ ] , : = += := == > + - * / @ ** ^ ^T ² g1'( np.sum( np. axis= keepdims= "
PIECES += "True 0 2 .5 1e-8 for i in range( to . .T .sum( # ' if import __x__ \n \n\t А"
pieces = st.lists(st.sampled_from([*PIECES.split(" "), " "]), max_size=25).map(" ".join)


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(st.one_of(pieces, pieces.map(lambda text: f"a = {text}"), st.text(max_size=80)))
@example("a = \U0001d400")
def test_any_text_is_read_or_refused(text: str) -> None:
    sentence = "read"
    with at_most(2_000_000):
        try:
            program = parse(text, protected=PROTECTED)
            run(program, {"X": 1.0, "A": 2.0, "m": 3, "lambda_": 0.5})
        except (DerivationSyntaxError, EvaluationError) as error:
            sentence = str(error)
    assert sentence
