"""One formula, without the line around it."""

from __future__ import annotations

from parity_tests.derivations.language.nodes import Assign, Expression
from parity_tests.derivations.language.syntax import parse


def parse_assignment(line: str) -> Assign:
    """The only assignment of a text."""
    (statement,) = parse(line).statements
    assert isinstance(statement, Assign)
    return statement


def parse_expression(text: str) -> Expression:
    """The formula of a text without a left side."""
    return parse_assignment(f"_ = {text}").value
