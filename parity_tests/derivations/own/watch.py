"""A block of a person's own code, judged where it stands, with the variables around it."""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
import types
from typing import Any

from parity_tests.derivations.engine.python.surroundings import Piece, piece_of
from parity_tests.derivations.own.objects import verify_piece
from parity_tests.derivations.verdicts import Judged


class Watch:
    """A block of code that is watched; ``judged`` holds the verdicts once it is over."""

    judged: Judged

    def __init__(self, seed: int, strict: bool) -> None:
        self.seed, self.strict = seed, strict

    def __enter__(self) -> Watch:
        self.piece = _block(sys._getframe(1))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return
        judged = verify_piece(self.piece, seed=self.seed, strict=self.strict)
        if judged is None:
            raise ValueError("nothing of the block could be judged, expected a forward and a backward pass in it")
        self.judged = judged


def watch(*, seed: int = 0, strict: bool = False) -> Watch:
    """Judge a block of code, which runs as it is: ``with ... as seen:``; ``seen.judged`` then has the verdicts.

    J is the cost that the block computes, or the usual one that its gradients follow. Behind the block its source is
    read, and run again some hundred times on copies of the variables that it began with, silently and in this process:
    a block that writes a file writes it again. It needs a file or cell to stand in, and one ``with`` in its line.

    Raises ValueError, in one sentence, where the source cannot be read, or nothing of it can be judged; what the block
    itself raises comes first.
    """
    return Watch(seed, strict)


def _block(frame: types.FrameType) -> Piece:
    """The block that begins where a frame is, and what stands around it now."""
    file, line = frame.f_code.co_filename, frame.f_lineno
    rows = linecache.getlines(file, frame.f_globals)
    try:
        tree = ast.parse("".join(rows))
    except SyntaxError:
        tree = ast.Module([], [])
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any(_spans(each.context_expr, line) for each in node.items)
    ]
    if len(blocks) != 1:
        raise ValueError("the source of the block cannot be read, expected a file or a cell, and one with in the line")
    first, last = blocks[0].body[0].lineno, blocks[0].body[-1].end_lineno
    text = "\n" * (first - 1) + textwrap.dedent("".join(rows[first - 1 : last]))
    try:
        compile(text, file, "exec")
    except SyntaxError as error:
        raise ValueError(f"the block cannot be run by itself: {error.msg}") from error
    names: dict[str, Any] = {**frame.f_globals, **frame.f_locals}
    piece = piece_of("the block", text, names, file)
    return piece._replace(around=piece.around.kept())


def _spans(node: ast.expr, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or 0)
