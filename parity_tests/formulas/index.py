"""From a formula of the notes to the code that has it: by hand, as a loop, in torch, and the cases that compare them.

The links are read from the sources: ids stand in docstrings of ``manual`` behind "Notes:"; a loop form is called like
its formula, with ``_loop`` behind; torch's function is called like the one by hand, in the module of the same name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import manual
import torch_ref
from parity_tests.formulas import CASES
from parity_tests.formulas.index_exceptions import NO_CASE, NO_FORMULA, WITHOUT_FORMULAS
from parity_tests.notes.lines import LINES

IDS = re.compile(r"Notes:\s+(F\d+(?:-F\d+)?(?:,\s+F\d+(?:-F\d+)?)*)")
"""Ids and ranges of ids, as docstrings have them: F098, F168-F172."""

LOOP = "_loop"


class Code(NamedTuple):
    """A function, class or module of ``manual``, its ids, and where its loop form and torch's counterpart are.

    What does not exist is "". ``needs_id`` says whether it is a formula: a function that is neither a check nor the
    loop form of another, or an optimiser.
    """

    name: str
    ids: tuple[str, ...]
    loop: str
    torch: str
    needs_id: bool


class Entry(NamedTuple):
    """A formula: where the notes have it, what it is about, the code that has it, and the cases that compare it."""

    id: str
    source: str
    text: str
    code: tuple[Code, ...]
    cases: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**self._asdict(), "code": [code._asdict() for code in self.code]}


def ids_in(docstring: str | None) -> tuple[str, ...]:
    """The ids of the formulas that a docstring names, ranges written out."""
    found = IDS.search(docstring or "")
    if not found:
        return ()
    ids: list[str] = []
    for part in re.split(r",\s+", found[1]):
        first, _, last = part.partition("-")
        width = len(first) - 1
        ids += [f"F{number:0{width}}" for number in range(int(first[1:]), int((last or first)[1:]) + 1)]
    return tuple(ids)


def read_codes(by_hand: Path, in_torch: Path) -> list[Code]:
    """The public functions and classes of one folder with their counterparts in another, then the modules.

    A module has the ids of its docstring that no function or class names.
    """
    trees = {
        ".".join(path.relative_to(by_hand).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in (*sorted(by_hand.glob("*.py")), *sorted(by_hand.glob("recipe/*.py")))
        if path.stem not in WITHOUT_FORMULAS
    }
    codes = [
        code
        for module, tree in trees.items()
        for code in _of_module(module, tree, in_torch / f"{module.replace('.', '/')}.py")
    ]
    named = {name for code in codes for name in code.ids}
    for module, tree in trees.items():
        rest = tuple(name for name in ids_in(ast.get_docstring(tree)) if name not in named)
        codes.append(Code(module, rest, "", "", needs_id=False))
    return codes


def _of_module(module: str, tree: ast.Module, other: Path) -> list[Code]:
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and _public(node.name)]
    names = {node.name for node in nodes}
    counterparts = _counterparts(other)
    return [
        Code(
            f"{module}.{node.name}",
            ids_in(ast.get_docstring(node)),
            loop=f"{module}.{node.name}{LOOP}" if node.name + LOOP in names else "",
            torch=counterparts.get(_plain(node.name), ""),
            needs_id=_is_formula(node, names),
        )
        for node in nodes
    ]


def _is_formula(node: ast.FunctionDef | ast.ClassDef, names: set[str]) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(isinstance(method, ast.FunctionDef) and method.name == "step" for method in node.body)
    return not node.name.startswith("check_") and node.name.removesuffix(LOOP) not in names - {node.name}


def entries() -> list[Entry]:
    """Every formula of the notes, in their order."""
    codes = all_codes()
    return [
        Entry(
            name,
            line.source,
            line.text,
            tuple(code for code in codes if name in code.ids),
            tuple(case.id for case in CASES if name in case.formulas.split()),
        )
        for name, line in LINES.items()
    ]


def all_codes() -> list[Code]:
    """The code of ``manual``, with its counterparts in ``torch_ref``."""
    return read_codes(_folder(manual), _folder(torch_ref))


def problems(
    codes: Sequence[Code], cases: Mapping[str, str], no_formula: Mapping[str, str], no_case: Mapping[str, str]
) -> list[str]:
    """What is wrong with the links, in plain sentences.

    ``cases`` gives the formulas of every case, separated by spaces; the tables of exceptions give names of functions,
    and of formulas, by reason.
    """
    cited = {name: code.name for code in codes for name in code.ids}
    cased = {name: case for case, formulas in cases.items() for name in formulas.split()}
    nameless = {code.name for code in codes if code.needs_id and not code.ids}
    caseless = cited.keys() - cased.keys()
    excused_functions, excused_formulas = (
        {name for names in table.values() for name in names.split()} for table in (no_formula, no_case)
    )
    return [
        *(
            f"{name} names no formula: expected Notes: F... in its docstring"
            for name in sorted(nameless - excused_functions)
        ),
        *(
            f"{place} names {name}, expected one of {min(LINES)} to {max(LINES)}: the notes have no other"
            for name, place in {**cited, **cased}.items()
            if name not in LINES
        ),
        *(
            f"{name} of {cited[name]} has no case: expected one, or a reason in NO_CASE"
            for name in sorted(caseless - excused_formulas)
        ),
        *(f"NO_FORMULA excuses {name}, which needs no excuse" for name in sorted(excused_functions - nameless)),
        *(f"NO_CASE excuses {name}, which needs no excuse" for name in sorted(excused_formulas - caseless)),
    ]


def current_problems() -> list[str]:
    """What is wrong with the links as they are."""
    return problems(all_codes(), {case.id: case.formulas for case in CASES}, NO_FORMULA, NO_CASE)


def _folder(package: Any) -> Path:
    return Path(package.__file__).parent


def _public(name: str) -> bool:
    return not name.startswith("_")


def _plain(name: str) -> str:
    """GradientDescent and gradient_descent are one name."""
    return name.replace("_", "").lower()


def _counterparts(path: Path) -> dict[str, str]:
    """What a file defines, by plain name."""
    if not path.exists():
        return {}
    names: list[str] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
    return {_plain(name): f"{path.stem}.{name}" for name in names if _public(name)}
