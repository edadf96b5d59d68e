"""Random trees of the derivation language, for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

from hypothesis import strategies as st

from parity_tests.derivations.language.functions import FUNCTIONS, SHAPE_AT
from parity_tests.derivations.language.nodes import (
    Assign,
    AssignmentOperator,
    Binary,
    BinaryOperator,
    Call,
    Compare,
    Comparison,
    Expression,
    For,
    Index,
    Name,
    Number,
    Program,
    Rest,
    Shape,
    Slice,
    Statement,
    Transpose,
    Unary,
)

ARRAYS = ("A", "B")
SYMBOLS = (*ARRAYS, "dZ1", "m", "lambda_", "A_prev")
OPERATORS = cast("tuple[BinaryOperator, ...]", get_args(BinaryOperator))

names = st.sampled_from(SYMBOLS).map(Name)
numbers = st.one_of(
    st.integers(0, 64).map(float),
    st.floats(0.0, 1e300).filter(lambda value: str(value) != "-0.0"),
).map(Number)
small = st.integers(0, 4).map(float).map(Number)


AROUND: list[Callable[[Expression], Expression]] = [
    Unary,
    Transpose,
    *(lambda inner, each=each: Binary(each, inner, Name("B")) for each in OPERATORS),
    *(lambda inner, each=each: Binary(each, Name("B"), inner) for each in OPERATORS if each != "**"),
    lambda inner: Binary("**", Name("B"), Binary("*", Name("m"), inner)),
    lambda inner: Compare(">", inner, Name("B")),
    lambda inner: Compare("==", Name("B"), inner),
    lambda inner: Index(inner, (Name("m"),)),
    lambda inner: Index(Name("B"), (Slice(inner, inner), inner)),
    lambda inner: Call("sum", (inner,), axis=0),
    lambda inner: Call("zeros", (Shape((inner, Name("m"))),)),
]
"""Every kind of node around another, on either side."""


def _pick(*choices: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """One of the choices, each as likely: one_of would count the functions of the white list one by one."""
    return st.integers(0, len(choices) - 1).flatmap(lambda index: choices[index])


def _binary(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    powers = st.builds(Binary, st.just("**"), inner, st.one_of(names, small, names.map(Unary)))
    others = st.builds(Binary, st.sampled_from([each for each in OPERATORS if each != "**"]), inner, inner)
    return _pick(others, others, powers)


def _call(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    shapes = st.lists(inner, min_size=1, max_size=3).map(tuple).map(Shape)
    choices: list[st.SearchStrategy[Expression]] = [
        st.builds(Call, st.sampled_from(["g1", "sigmoid_prime"]), st.tuples(inner), form=st.just("plain"))
    ]
    for name, function in FUNCTIONS.items():
        arguments: st.SearchStrategy[tuple[Expression, ...]] = st.tuples(*[inner] * function.arity)
        if function.kind in SHAPE_AT:
            arguments = st.tuples(*[inner] * (function.arity - 1), shapes)
        axis = st.sampled_from([None, 0, 1, -1, (0, 1)]) if function.keywords else st.none()
        keepdims = st.booleans() if "keepdims" in function.keywords else st.just(False)
        choices.append(st.builds(Call, st.just(name), arguments, axis, keepdims, form=st.sampled_from(["np", "plain"])))
    return _pick(*choices)


def _index(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    ends = st.one_of(st.none(), inner)
    items = st.lists(st.one_of(inner, st.builds(Slice, ends, ends, ends)), min_size=1, max_size=2).map(tuple)
    dotted = items.map(lambda some: (Rest(), *some))
    return st.builds(Index, inner, st.one_of(items, items, dotted))


def _extend(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    compare = st.builds(Compare, st.sampled_from(get_args(Comparison)), inner, inner)
    axes = st.sampled_from([(), (), (1, 0), (0, 2, 1)])
    transposes = st.builds(Transpose, inner, axes, form=st.sampled_from([".T", "^T", "np", "method"]))
    unary = st.builds(Unary, inner, bracketed=st.booleans())
    binary = _binary(inner)
    return _pick(binary, binary, binary, unary, unary, compare, transposes, _call(inner), _index(inner))


expressions: st.SearchStrategy[Expression] = st.recursive(st.one_of(names, numbers), _extend, max_leaves=16)

arithmetic: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(st.sampled_from(ARRAYS).map(Name), st.sampled_from([1.5, 0.3, 4.7]).map(Number)),
    lambda inner: _pick(_binary(inner), _binary(inner), st.builds(Unary, inner), st.builds(Transpose, inner)),
    max_leaves=8,
)
"""Signs, operators and transposes alone, which Python reads too."""

assignments = st.builds(
    Assign,
    st.one_of(st.sampled_from(["dW1", "J"]).map(Name), st.just(Index(Name("dw"), (Name("j"),)))),
    st.sampled_from(cast("tuple[AssignmentOperator, ...]", get_args(AssignmentOperator))),
    expressions,
)


def _loops(inner: st.SearchStrategy[Statement], variable: str) -> st.SearchStrategy[Statement]:
    body = st.lists(inner, min_size=1, max_size=2).map(tuple)
    return st.builds(For, st.just(variable), st.one_of(st.just(Number(0.0)), names), names, body)


_inner = st.one_of(assignments, _loops(assignments, "k"))
programs = st.lists(st.one_of(assignments, _loops(_inner, "i")), min_size=1, max_size=3).map(tuple).map(Program)
