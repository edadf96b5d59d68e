"""The language of derivations: what is read, how it is printed back, what is refused, and where the caret points."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings

from parity_tests.derivations.language import syntax
from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Call,
    Expression,
    For,
    Index,
    Name,
    Number,
    Program,
    Span,
    Transpose,
    Unary,
    at,
    functions,
    height,
    names,
    replace,
    size,
    targets,
    walk,
    with_children,
)
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.tests.derivations import derivation_trees as trees
from parity_tests.tests.derivations.formula import parse_assignment, parse_expression

# What is read: a spelling, and the spelling that means the same.

SAME = [
    ("-a**2", "-(a**2)"),
    ("-a * b", "(-a) * b"),
    ("a - b - c", "(a - b) - c"),
    ("a - (b - c)", "a - (b - c)"),
    ("a / b * c", "(a / b) * c"),
    ("a @ b * c", "(a @ b) * c"),
    ("a ** b ** c", "a ** (b ** c)"),
    ("a**-b * c", "(a**(-b)) * c"),
    ("-W.T @ x", "(-(W.T)) @ x"),
    ("+a", "a"),
    ("1/m * dZ @ A.T", "((1/m) * dZ) @ (A.T)"),
    ("Z > 0", "(Z) > (0)"),
    ("a + b > c * d", "(a + b) > (c * d)"),
    ("x^2", "x**2"),
    ("x^n * x**(n - 1)", "(x**n) * (x**(n - 1))"),
    ("x²", "x**2"),
    ("2² * x³ + (a + b)²", "2**2 * x**3 + (a + b)**2"),
    ("A^T", "A.T"),
    ("(A + B)ᵀ * A\t.Tᵀ", "(A + B).T * A.T.T"),
    ("W2^T @ dZ2", "W2.T @ dZ2"),
    ("np.transpose(A)", "A.T"),
    ("A.transpose()", "A.T"),
    ("A · B", "A * B"),
    ("A × B", "A * B"),
    ("A − B", "A - B"),
    ("A ≥ 0", "A >= 0"),
    ("λ / m", "lambda / m"),
    ("lambda / m", "lambda_ / m"),
    ("α * β1 + σ(z) / ε", "alpha * beta1 + sigma(z) / epsilon"),
    ("g1'(Z1)", "g1_prime(Z1)"),
    ("σ’(z) + g′(z)", "sigma_prime(z) + g_prime(z)"),
    (".5 + 1e-8 + 2.", "0.5 + 0.00000001 + 2"),
    ("A.sum(axis=1, keepdims=True)", "np.sum(A, axis=1, keepdims=True)"),
    ("sum(A, keepdims=1, axis=1)", "np.sum(A, axis=1, keepdims=True)"),
    ("np.sum(A, 1)", "np.sum(A, axis=1)"),
    ("np.max(A, -1)", "A.max(axis=-1)"),
    ("np.sum(A, axis=None, keepdims=False)", "A.sum()"),
    ("np.sum(A, axis=(0, 1))", "A.sum(axis=(0,1,))"),
    ("mean(A)", "A.mean()"),
    ("w.T.dot(X)", "np.dot(w.T, X)"),
    ("np.multiply(A, B + C)", "A * (B + C)"),
    ("np.matmul(A, B)", "A @ B"),
    ("power(a, 2) - np.divide(a, b)", "a**2 - a / b"),
    ("np.zeros(n)", "np.zeros((n,))"),
    ("A.reshape(1, -1)", "np.reshape(A, (1, -1))"),
    ("dJ/dW + ∂J/∂b", "dJ / dW + dJ / db"),
    ("A + B  # a comment, with words in 中文 and ‘quotes’", "A + B"),
]


@pytest.mark.parametrize(("written", "meant"), SAME)
def test_spellings_of_one_formula_give_one_tree(written: str, meant: str) -> None:
    first, second = parse_expression(written), parse_expression(meant)
    assert first == second
    assert hash(first) == hash(second)
    assert to_text(first) == to_text(second)


DIFFERENT = ["A * B", "A @ B", "B * A", "A / B", "A**B", "A", "A.T", "-A", "A + B", "A - B", "A > B", "A >= B", "g(A)"]
DIFFERENT += ["np.sum(A)", "np.sum(A, axis=0)", "np.sum(A, axis=0, keepdims=True)", "np.dot(A, B)", "A[0]", "A[:, 0]"]


def test_formulas_that_mean_different_things_are_not_equal() -> None:
    assert len({parse_expression(text) for text in DIFFERENT}) == len(DIFFERENT)


def test_the_tree_of_an_assignment() -> None:
    expected = Assign(Index(Name("dw"), (Name("j"),)), "+=", Binary("*", Unary(Number(2.0)), Transpose(Name("X"))))
    assert parse_assignment("dw[j] += -2 * X.T") == expected
    assert parse_assignment("dw[j] := x") == parse_assignment("dw[j] = x")


LOOP = """
J = 0
dw = np.zeros((n_x, 1))   # accumulators
for i = 1 to m
    z = b

    for j in range(n_x):
        z += w[j] * X[j, i]
    J += -(Y[0, i] * log(sigmoid(z)) + (1 - Y[0, i]) * log(1 - sigmoid(z)))
    for j in range(0, n_x):
        dw[j] += X[j][i] * (sigmoid(z) - Y[0, i])
J /= m
"""


def test_loops_nest_as_in_the_notes() -> None:
    program = parse(LOOP)
    loop = program.statements[2]
    assert isinstance(loop, For)
    assert (loop.variable, loop.start, loop.stop) == ("i", Number(0.0), Name("m"))
    assert [type(statement) for statement in loop.body] == [Assign, For, Assign, For]
    assert isinstance(program.statements[3], Assign)
    assert targets(program) == ("J", "dw", "z")
    assert parse(to_text(program)) == program
    assert parse("\ufeff" + LOOP.replace("\n", "\r\n").replace("    ", "\t")) == program


# Printing back.


@settings(deadline=None, max_examples=100)
@given(trees.expressions)
def test_printing_and_reading_back_gives_the_same_tree(node: Expression) -> None:
    assert parse_expression(to_text(node)) == node
    assert parse_expression(to_text(node, as_written=True)) == node


@pytest.mark.slow
def test_every_nesting_of_three_nodes_reads_back() -> None:
    for outer, middle, inner in itertools.product(trees.AROUND, repeat=3):
        node = outer(middle(inner(Name("A"))))
        assert parse_expression(to_text(node)) == node
    for outer, inner in itertools.product(trees.AROUND, repeat=2):
        node = outer(inner(Number(2.0)))
        assert parse_expression(to_text(node)) == node


@settings(deadline=None, max_examples=50)
@given(trees.programs)
def test_programs_read_back_too(program: Program) -> None:
    assert parse(to_text(program)) == program
    assert parse(to_text(program, as_written=True)) == program


@settings(deadline=None, max_examples=100)
@given(trees.expressions)
def test_no_bracket_is_printed_that_could_be_left_out(node: Expression) -> None:
    text = to_text(node)
    opening: list[int] = []
    for place, character in enumerate(text):
        if character == "(":
            opening.append(place)
        elif character == ")":
            start = opening.pop()
            if (start and (text[start - 1].isalnum() or text[start - 1] == "_")) or text[place + 1 : place + 2] == ".":
                continue  # a call, or (2).T, where 2.T would read as a decimal point
            without = f"{text[:start]} {text[start + 1 : place]} {text[place + 1 :]}"
            try:
                shorter = parse_expression(without)
            except DerivationSyntaxError:
                continue
            assert shorter != node, f"{text} could be {without}"


WRITTEN = [
    "(1/m) * (dZ1 @ X.T) + (λ/m) * W1",
    "W2^T @ dZ2 * g1'(Z1)",
    "dZ.sum(axis=1, keepdims=True) / m",
    "np.multiply(A, sum(B)) + 1e-8",
    "x[:, i:i+1] @ np.transpose(lambda)",
    "-(a + b) - np.zeros((2, 1))",
    "(n_H_prev - f + 2 * pad) // stride + 1",
    "a // (b // c) // (d * e) / np.floor(f/g)",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_the_writers_spelling_is_kept_on_request(text: str) -> None:
    assert to_text(parse_expression(text), as_written=True) == text


def test_a_spelling_that_no_longer_fits_the_tree_is_not_printed() -> None:
    assert to_text(Name("W1", written="λ"), as_written=True) == "W1"
    assert to_text(Number(2.0, written="1e-8"), as_written=True) == "2"
    assert to_text(Binary("+", Unary(Name("a")), Binary("*", Name("b"), Name("c"))), as_written=True) == "-a + b * c"
    assert to_text(Call("g2_prime", (Name("Z"),), written="g1'"), as_written=True) == "g2_prime(Z)"


# The tree as a search uses it.


def test_a_tree_is_walked_and_rewritten() -> None:
    tree = parse_assignment("dW1 = (1/m) * dZ1 @ g(X).T")
    found = {to_text(node): path for path, node in walk(tree)}
    assert found["X"] == (1, 1, 0, 0)
    assert at(tree, found["g(X)"]) == parse_expression("g(X)")
    assert to_text(replace(tree, found["X"], Name("A0")), as_written=True) == "dW1 = (1/m) * dZ1 @ g(A0).T"
    assert to_text(tree) == "dW1 = 1/m * dZ1 @ g(X).T"
    assert replace(tree, (), Name("x")) == Name("x")
    assert names(tree) == {"dW1", "m", "dZ1", "X"}
    assert functions(tree) == {"g"}
    assert (size(tree), height(tree)) == (11, 5)


@settings(deadline=None, max_examples=50)
@given(trees.programs)
def test_rewriting_a_node_by_itself_changes_nothing(program: Program) -> None:
    for path, node in walk(program):
        assert at(program, path) is node
        assert replace(program, path, node) == program
    with pytest.raises(ValueError, match="got 99 children, expected"):
        with_children(program, [Name("x")] * 99)


def test_a_number_in_the_tree_has_no_sign() -> None:
    for value in (-1.0, -0.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="expected finite and not negative"):
            Number(value)


def test_every_node_knows_its_columns() -> None:
    text = "\ndb = np.sum( dZ1 , axis=1) + λ³ * (a - b)[0]"
    (statement,) = parse(text).statements
    line = text.split("\n")[1]
    spans = {line[node.span.start - 1 : node.span.stop - 1] for _, node in walk(statement) if node.span}
    expected = {
        line,
        "db",
        line[5:],
        "np.sum( dZ1 , axis=1)",
        "dZ1",
        "λ³ * (a - b)[0]",
        "λ³",
        "λ",
        "³",
        "(a - b)[0]",
        "(a - b)",
    }
    assert spans == expected | {"a", "b", "0"}
    assert statement.span == Span(2, 1, len(line) + 1)


def test_the_example_of_the_documentation_is_read() -> None:
    lines = (syntax.__doc__ or "").split("::\n")[1].split("\n\nNothing")[0]
    program = parse(lines)
    assert targets(program) == ("dZ2", "dW2", "db2", "dZ1", "z", "dW", "probs")
    assert "g1'(Z1)" in to_text(program, as_written=True)
