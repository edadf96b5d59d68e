"""The README in parts: blocks of code, commands, and prose."""

from __future__ import annotations

import re
import shlex

from parity_tests.tests.chores.readme import README

TEXT = README.read_text(encoding="utf-8")

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"^(python3?|pip|torchrun|source|\./|\.venv/) ?")


def blocks(language: str, text: str = TEXT) -> list[str]:
    """What stands in the blocks of a language."""
    return [inner for found, inner in FENCED.findall(text) if found == language]


def unfenced(text: str = TEXT) -> str:
    """The README without blocks and without what is made from data."""
    return FENCED.sub("", SECTION.sub("", text))


def prose(text: str = TEXT) -> str:
    """What is said in words, in one line; code and what is made from data are left out."""
    return " ".join(INLINE.sub("`", unfenced(text)).split())


def inline_code(text: str = TEXT) -> list[str]:
    """Code within sentences, a line break being a space."""
    return [" ".join(code.split()) for code in INLINE.findall(unfenced(text))]


def commands(text: str = TEXT) -> list[str]:
    """Every command: the parts between && of each line of the shell blocks, and those in sentences.

    A quoted argument may go over several lines.
    """
    lines: list[str] = []
    for block in blocks("sh", text):
        begun = ""
        for line in block.splitlines():
            begun = f"{begun}\n{line}" if begun else line
            if _closed(begun):
                lines += begun.split(" && ")
                begun = ""
        assert not begun, f"a quote is not closed: {begun}"
    lines += [code for code in inline_code(text) if COMMAND.match(code)]
    return list(dict.fromkeys(lines))


def _closed(line: str) -> bool:
    try:
        shlex.split(line)
    except ValueError:
        return False
    return True
