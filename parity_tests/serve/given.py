"""What a request gives, and what is answered: a file in a folder of its own, judged as ``verify`` judges any file."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from parity_tests.derivations.own.flags import Flags
from parity_tests.derivations.own.sources import PROGRAMS, TEXTS
from parity_tests.derivations.settings import SETTINGS

DATA = ".npz"
SUFFIXES = (*TEXTS, *PROGRAMS, DATA)

SECONDS, SECONDS_OF_PROGRAMS = 20.0, 90.0
"""How long an answer may take; a program is ended by ``verify`` before that."""

SECONDS_FOR_A_GRAPH = 5.0
"""Of processor time: a text that took longer to judge gets no graph."""

KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "text", "content", "setting", "net", "cost", "layout", "let", "call", "grads"), str),
    **dict.fromkeys(("no_bias", "chain", "strict"), bool), "l2": (bool, str),
}  # fmt: skip
"""What a request may have; ``l2`` is true for the penalty of a setting, a formula for that of a network."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ -]{0,60}")


class Given(NamedTuple):
    """A file by its name and content, and the flags of ``verify`` that say how it is judged."""

    name: str
    content: bytes
    flags: Flags = Flags()

    @property
    def is_program(self) -> bool:
        """Whether it is run, apart, and not only read."""
        return Path(self.name).suffix in PROGRAMS

    @property
    def seconds(self) -> float:
        """How long its answer may take."""
        return SECONDS_OF_PROGRAMS if self.is_program else SECONDS


def read(data: Any) -> Given:
    """What a request gives; ValueError, one sentence, for anything else.

    ``text`` is a text, ``content`` a file in base64, beside a ``name`` that ends as files do that can be judged. The
    other keys are the flags of ``verify``.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"the request is a {type(data).__name__}, expected an object")
    for key, value in data.items():
        if key not in KINDS or not isinstance(value, KINDS[key]):
            raise ValueError(f"the request has {key}, expected one of {', '.join(KINDS)}, each of its kind")
    if ("text" in data) == ("content" in data):
        raise ValueError("the request has no text and no content, or both, expected one of them")
    name = Path(data.get("name", "derivation.txt").replace("\\", "/"))
    if name.suffix not in SUFFIXES:
        raise ValueError(f"the file is {name.name!r}, expected one that ends with {', '.join(SUFFIXES)}")
    if data.get("setting", "") not in ("", *SETTINGS):
        raise ValueError(f"setting is {data['setting']!r}, expected one of {', '.join(SETTINGS)}")
    try:
        content = data["text"].encode() if "text" in data else base64.b64decode(data["content"].encode(), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError(f"the file cannot be read: {error}") from error
    stem = name.stem if NAME.fullmatch(name.stem) else "file"
    said = {key: data[key] for key in Flags._fields if data.get(key)}
    return Given(f"{stem}{name.suffix}", content, Flags(**said))


def answered(given: Given, folder: Path) -> dict[str, Any]:
    """The answer on a file that is written into ``folder``: what ``verify --json`` says, and how the page shows it."""
    from parity_tests.derivations.own.answers import Answer, answer
    from parity_tests.derivations.verdicts import against, closing

    start = time.process_time()
    path = folder / given.name
    path.write_bytes(given.content)
    try:
        found = _numbers(path, given.flags) if path.suffix == DATA else answer(path, given.flags.options([path]))
    except (ValueError, OSError) as error:
        found = Answer(path.name, None, " ".join(str(error).split()))
    data = Answer(given.name, found.judged, found.problem.replace(f"{folder}/", "")).as_json()
    if found.judged is None:
        return data
    drawn = _drawing()
    for line, shown in zip(found.judged.lines, data["lines"], strict=True):
        shown |= {"place": line.place, "why": line.why}
        shown |= {"formula": drawn(line.text), "holds": drawn(line.repaired)}
    graph = _graph(path, given) if time.process_time() - start < SECONDS_FOR_A_GRAPH else []
    return {**data, "against": against(found.judged), "closing": closing(found.judged), "graph": graph}


def _graph(path: Path, given: Given) -> list[dict[str, Any]]:
    """The graph of a text that has a forward pass of its own."""
    from parity_tests.derivations.own.sources import is_note
    from parity_tests.serve.graph import graph_of

    if path.suffix not in TEXTS or given.flags.setting or given.flags.net or is_note(path):
        return []
    return graph_of(given.content.decode(errors="replace"))


def _numbers(path: Path, flags: Flags) -> Any:
    """The answer on a file of numbers."""
    from parity_tests.derivations.own.answers import Answer
    from parity_tests.derivations.own.data import verify_data

    flags.refuse_with_numbers()
    if not flags.setting:
        raise ValueError("expected a setting with numbers: it says what J is")
    return Answer(path.name, verify_data(path, flags.setting, l2=bool(flags.l2)))


def _drawing() -> Any:
    """Draws a formula as SVG; "" for what is none, and for all where the packages of the page are missing."""
    if importlib.util.find_spec("ziamath") is None:
        return lambda text: ""
    from parity_tests.derivations.latex.printer import latex
    from parity_tests.report.mathematics import drawn

    def draw(text: str) -> str:
        if not text:
            return ""
        try:
            return str(drawn(text if "\\" in text else latex(text)))
        except (SyntaxError, ValueError, RecursionError):
            return ""

    return draw
