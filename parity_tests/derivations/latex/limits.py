"""Limits that are written with arrows, and matrices of symbols: what is said in rows instead of equations."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from parity_tests.derivations.latex.cursor import split
from parity_tests.derivations.latex.evaluation import FUNCTIONS
from parity_tests.derivations.latex.numbers import Compared, value_of
from parity_tests.derivations.latex.parser import parsed
from parity_tests.derivations.latex.tokens import Token, tokens_of
from parity_tests.derivations.latex.tree import Matrix, Node, NotReadError, Symbol

_FUNCTIONS = {name.removesuffix("_relu"): FUNCTIONS[name] for name in ("sigmoid", "tanh", "relu", "leaky_relu")}
_FAR = {"\\infty": 700.0, "+\\infty": 700.0, "-\\infty": -700.0, "0": 0.0}
_TO = r"[zx](?:\\rightarrow|=)(?P<to>[-+]?\\infty|0)"
_IS = r"(?:g|f|\\sigma|tanh)\([zx]\)(?:\\rightarrow|=)(?P<value>[^,]+?)"
_ROW = (re.compile(rf"{_TO}(?:,|\\rightarrow|:)*{_IS}"), re.compile(rf"{_IS},?(?:when|as|for|if)?{_TO}"))
_STEP = 1e-6
_INDEX = r"(?:\\eta|[a-z]|\d)(?:\^\[\w\]|_\w)?"


def limits(tokens: Sequence[Token], named: Sequence[str]) -> Compared | None:
    """Whether rows such as ``z -> infinity: g(z) -> 1`` are the limits of an activation; None where there are none.

    The activation is the one that is named last, or else the only one that most rows are limits of.
    """
    inside = list(tokens[1:-1]) if tokens and tokens[0].text.startswith("\\begin{") else list(tokens)
    rows: list[tuple[float, float]] = []
    for row in split(inside, ("\\\\",)):
        text = "".join(each.text.strip(" ,") if each.prose else each.text for each in row if not each.text.isspace())
        match = next((found for found in (each.fullmatch(text) for each in _ROW) if found), None)
        if match is None:
            return None
        try:
            value = match["value"].rpartition("=")[2]
            rows.append((_FAR[match["to"]], float(value_of(parsed(tokens_of(value)), {}).item())))
        except NotReadError:
            return None
    if len(rows) < 2:
        return None
    fits = {name: [bool(abs(g(np.float64(to)) - value) < 1e-9) for to, value in rows] for name, g in _FUNCTIONS.items()}
    most = max(map(sum, fits.values()))
    best = [name for name, found in fits.items() if sum(found) == most]
    chosen = next((name for name in (*named[::-1], *(best if len(best) == 1 else ())) if name in best), "")
    if not chosen or most < 2 or most < len(rows) - 1:
        return None
    if most == len(rows):
        return Compared(True)
    to, value = rows[fits[chosen].index(False)]
    g = _FUNCTIONS[chosen]
    slope = (g(np.float64(to + _STEP)) - g(np.float64(to - _STEP))) / (2 * _STEP)
    cause = "gprime-for-g" if abs(slope - value) < _STEP and not np.isinf(value) else "limit"
    at = "0" if to == 0 else "infinity" if to > 0 else "minus infinity"
    return Compared(False, f"{chosen} of {at} is {g(np.float64(to)):.6g}, not {value:.6g}", cause=cause)


def in_place(matrix: Matrix) -> Compared | None:
    """Whether the entries of a matrix of symbols stand where their two indices say; None for other matrices."""
    places = [
        (row, column, _indices(each)) for row, entries in enumerate(matrix.rows) for column, each in enumerate(entries)
        if each is not None
    ]  # fmt: skip
    if len(matrix.rows) < 2 or len(places) < 4 or any(len(indices) != 2 for _, _, indices in places):
        return None
    for first in (0, 1):
        rows = {(row, found[first]) for row, _, found in places}
        columns = {(column, found[1 - first]) for _, column, found in places}
        alone = len({row for row, _ in rows}) == len({index for _, index in rows}) == len(rows)
        if alone and len({column for column, _ in columns}) == len(columns):
            return Compared(True)
    return Compared(False, "the indices of its entries are not those of their rows and columns", cause="index")


def _indices(entry: Node) -> tuple[str, ...]:
    match = re.fullmatch(rf"({_INDEX})({_INDEX})", "".join(entry.subscripts)) if isinstance(entry, Symbol) else None
    return match.groups() if match else ()
