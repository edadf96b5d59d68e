"""The code that the page shows: read from the files, so that it is what runs, and highlighted."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

import manual
import torch_ref

FOLDERS = {package.__name__: Path(str(package.__file__)).parent for package in (manual, torch_ref)}

SENTENCE = re.compile(r"(?<=\.)\s+(?=[A-Z`])")
CODE = re.compile(r"``([^`]+)``")
SHAPE = re.compile(r"\((?:m|r|c|1|L \+ 1|n(?:_\w+)?(?: n_\w+)*)(?:, ?[^()]+|,)\)|\bshape")
"""Of an array: (n, m), (m, n_H, n_W, n_C), (n_H n_W n_C, m), or "the shape of W"."""

LEXER, FORMATTER = PythonLexer(), HtmlFormatter(nowrap=True)

Definition = ast.FunctionDef | ast.ClassDef


def source(package: str, name: str) -> str:
    """The definition of ``module.name``, as it stands in the file; of a module, its docstring.

    Raises KeyError where the module has no such name.
    """
    text, inner, found = _definitions(package, name)
    if not inner:
        docstring = ast.get_docstring(ast.parse(text), clean=False) or ""
        return f'"""{docstring}"""'
    node = found[inner]
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def docstring(name: str) -> str:
    """The docstring of ``module.name`` in ``manual``, or of the module."""
    text, inner, found = _definitions("manual", name)
    node = found[inner] if inner else ast.parse(text)
    return (ast.get_docstring(node) if isinstance(node, Definition | ast.Module) else None) or ""


def shapes(name: str) -> str:
    """The sentences of a docstring that give a shape."""
    paragraphs = docstring(name).split("\n\n")[1:]
    told = [" ".join(part.split()) for part in paragraphs if not part.startswith(("Raises", "Notes", "Differs"))]
    return " ".join(said for part in told for said in SENTENCE.split(part) if SHAPE.search(said))


def words(docstring: str) -> Markup:
    """Words of a docstring, with its code as code."""
    parts = CODE.split(docstring)
    marked = (Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts))
    return Markup("").join(marked)


def _definitions(package: str, name: str) -> tuple[str, str, dict[str, ast.stmt]]:
    """Of ``module.name``, or of ``folder.module.name``: the module's text, the name in it, and all that it defines."""
    module, _, inner = name.partition(".")
    if (FOLDERS[package] / module).is_dir():
        below, _, inner = inner.partition(".")
        module = f"{module}/{below}"
    text, found = _read(FOLDERS[package] / f"{module}.py")
    return text, inner, found


@cache
def _read(path: Path) -> tuple[str, dict[str, ast.stmt]]:
    """A file's text, and what it defines by name."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(text).body:
        if isinstance(node, Definition):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return text, found


@cache
def highlighted(code: str) -> Markup:
    """Python as HTML; the page's style sheet has the colours."""
    return Markup(highlight(code, LEXER, FORMATTER))
