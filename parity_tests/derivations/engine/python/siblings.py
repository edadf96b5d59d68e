"""A program in several files: the modules beside it that it imports stand in front of it, and each line has its file.

Their functions are instrumented with the program's; a module as such is never run, so that its values are recorded.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from parity_tests.derivations.engine.python.statements import runs_by_itself
from parity_tests.derivations.verdicts import CALL, NOT_JUDGED, Judged, located, placed, summarised


class Joined(NamedTuple):
    """The files as one program: the imported ones and where each begins, then the file itself."""

    text: str
    begins: tuple[tuple[int, str], ...] = ()

    def place(self, line: int) -> tuple[str | int, int]:
        """The file that a line of the program stands in, 0 for the one that imports, and the line there."""
        if not self.begins or not 0 < line < CALL:
            return 0, line
        begin, name = max(each for each in self.begins if each[0] <= line)
        return name or 0, line - begin + 1

    def located(self, judged: Judged) -> Judged:
        """The verdicts with lines of files; of what a module has beside what is used, nothing is said."""
        if not self.begins:
            return judged
        own = [each for each in judged.lines if each.verdict != NOT_JUDGED or not self.place(each.line)[0]]
        names = ", ".join(name for _, name in self.begins if name)
        notes = (*judged.notes, f"Judged with what it imports from {names}.")
        summary = summarised(own, judged.summary.helpers)
        return located(judged._replace(lines=tuple(own), summary=summary, notes=notes), self.place)

    def said(self, text: str) -> str:
        """A sentence with lines of files."""
        return placed(text, self.place)


def joined(file: Path, text: str) -> Joined:
    """The file behind the modules beside it that it imports; alone where names of several files are the same."""
    found: dict[Path, str] = {}
    own = _without_imports(file.parent, text, found, (file,)) if _parsed(text) is not None else None
    if own is None or not found:
        return Joined(text)
    texts = [*found.values(), own]
    begins, line = [], 1
    for each, name in zip(texts, [*(each.relative_to(file.parent).as_posix() for each in found), ""], strict=True):
        begins.append((line, name))
        line += each.count("\n") + 1
    whole = "\n".join(texts)
    return Joined(text) if _clash(texts) else Joined(whole, tuple(begins))


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _without_imports(folder: Path, text: str, found: dict[Path, str], around: tuple[Path, ...]) -> str | None:
    """The text without its imports of modules in the folder, whose texts are put among the found, the first first.

    None where one of them cannot stand in front: it changes a name of its own for all, is no Python, or imports one of
    the files ``around`` it, which import it.
    """
    rows = text.split("\n")
    for node in ast.parse(text).body:
        for module, instead in _imported(node):
            path = folder.joinpath(*module.split(".")).with_suffix(".py")
            if not path.is_file():
                continue
            if path not in found:
                source = path.read_text(encoding="utf-8", errors="replace")
                tree = _parsed(source)
                if path in around or tree is None or any(isinstance(each, ast.Global) for each in ast.walk(tree)):
                    return None
                own = _without_imports(folder, _definitions(source, tree), found, (*around, path))
                if own is None:
                    return None
                found[path] = own
            _blank(rows, node, instead or _as_namespace(node, found[path]))
    return "\n".join(rows)


def _imported(node: ast.stmt) -> list[tuple[str, str]]:
    """The modules that a statement imports, one alone, and what stands in its place where names get others."""
    if isinstance(node, ast.ImportFrom) and node.module and node.level < 2:
        others = [each for each in node.names if each.asname not in (None, each.name)]
        return [(node.module, "; ".join(f"{each.asname} = {each.name}" for each in others) or "pass")]
    return [(node.names[0].name, "")] if isinstance(node, ast.Import) and len(node.names) == 1 else []


def _as_namespace(node: ast.stmt, text: str) -> str:
    """``import layers as L``: an object that has the module's names."""
    assert isinstance(node, ast.Import)
    names = ", ".join(f"{name!r}: {name}" for name in sorted(_names(text)))
    return f"{node.names[0].asname or node.names[0].name} = type('module', (), {{{names}}})"


def _definitions(text: str, tree: ast.Module) -> str:
    """A module without what it does where it is run itself, and without what it asks of the compiler."""
    rows = text.split("\n")
    for node in tree.body:
        compiler = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if compiler or (isinstance(node, ast.If) and runs_by_itself(node, tree)):
            _blank(rows, node, "pass")
    return "\n".join(rows)


def _blank(rows: list[str], node: ast.stmt, instead: str) -> None:
    last = node.end_lineno or node.lineno
    rows[node.lineno - 1 : last] = [instead, *[""] * (last - node.lineno)]


def _names(text: str) -> set[str]:
    """What a module defines at its top."""
    tree = ast.parse(text)
    names = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    stored = (each for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) for each in ast.walk(node))
    return names | {each.id for each in stored if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _clash(texts: Sequence[str]) -> bool:
    """Whether several files define one name at their tops."""
    names = [name for text in texts for name in _names(text)]
    return len(names) > len(set(names))
