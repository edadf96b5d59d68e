"""The answers on files as other programs read them: CSV, a row a file; JUnit's XML, a test case a line; a page."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from html import escape
from pathlib import Path

from parity_tests.derivations.own.answers import Answer
from parity_tests.derivations.own.sources import is_note
from parity_tests.derivations.verdicts import CANNOT_TELL, DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG, Verdict
from parity_tests.html import mark, sentences

COLUMNS = ("file", "judged", "holds", "wrong", "cannot tell", "not judged", "place", "cause", "message", "notes")

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def first_cause(answer: Answer) -> tuple[str, str]:
    """Where a file first goes wrong, or was first not judged, and why, in a word; of one that all holds, ""."""
    line = answer.first
    if line is None:
        return "", answer.problem
    if line.verdict != WRONG:
        return line.place, line.verdict
    return line.place, line.cause if line.cause != "ambiguous" else " or ".join(line.causes)


def write_csv(answers: Sequence[Answer], file: Path) -> None:
    """A row a file, with the first line that does not hold."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for answer in answers:
            counts = answer.summary
            place, cause = first_cause(answer)
            message = answer.problem or (answer.first.message if answer.first else "")
            numbers = (counts.judged, counts.holds, counts.wrong, counts.cannot_tell, counts.not_judged)
            notes = " ".join(answer.judged.notes) if answer.judged else ""
            writer.writerow([answer.file, *numbers, place, cause, message, notes])


def write_junit(answers: Sequence[Answer], file: Path) -> None:
    """A test suite a file, a test case a line: a failure where it is wrong or cannot be told, skipped if not judged.

    A file without verdicts is a test case with an error.
    """
    root = ElementTree.Element("testsuites", name="verify")
    for answer in answers:
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(answer.file))
        counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        if answer.judged is None:
            counts |= {"tests": 1, "errors": 1}
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(answer.file), name="judged", time="0")
            ElementTree.SubElement(case, "error", type="not judged", message=_xml(answer.problem))
        names: dict[str, int] = {}
        for line in (each for each in answer.lines if each.verdict != NO_CLAIM):
            name = _case(line)
            names[name] = names.get(name, 0) + 1
            name += f" ({names[name]})" if names[name] > 1 else ""
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(answer.file), name=_xml(name), time="0")
            counts["tests"] += 1
            if line.verdict in (WRONG, CANNOT_TELL):
                counts["failures"] += 1
                first = line.message.partition("\n")[0]
                inside = ElementTree.SubElement(case, "failure", type=line.cause or line.verdict, message=_xml(first))
                inside.text = _xml(line.message)
            elif line.verdict in (NOT_JUDGED, DOUBTFUL):
                counts["skipped"] += 1
                ElementTree.SubElement(case, "skipped", message=_xml(line.message))
            else:
                assert line.verdict == HOLDS
        for key, count in counts.items():
            suite.set(key, str(count))
        suite.set("time", "0")
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def write_html(answers: Sequence[Answer], file: Path) -> None:
    """A page: a table a file, each line with its verdict and what would hold; a note with verdicts in its margin."""
    parts = [f"<h2>{escape(each.file)}</h2>{_body(each)}" for each in answers]
    head = "<!doctype html><meta charset='utf-8'><title>verify</title>"
    file.write_text(f"{head}<body style='font-family: sans-serif'>{''.join(parts)}", encoding="utf-8")


def _body(answer: Answer) -> str:
    """What is said of a file."""
    if answer.judged is None:
        return f"<p>{escape(answer.problem)}</p>"
    path = Path(answer.file)
    if path.suffix == ".ipynb" or not is_note(path):
        return answer.judged._repr_html_()
    counts = answer.summary
    said = f"{counts.holds} hold, {counts.wrong} wrong, {counts.doubtful} doubtful, {counts.not_judged} not judged."
    return f"<p>{escape(answer.judged.layout)}. {said}</p>{in_the_margin(path, answer.lines)}"


def in_the_margin(path: Path, lines: Sequence[Verdict]) -> str:
    """The text of a note, line by line, with the verdicts on the formulas that begin in a line beside it."""
    by_line: dict[int, list[Verdict]] = {}
    for each in lines:
        by_line.setdefault(each.line, []).append(each)
    rows = []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        margin = "".join(_remark(each) for each in by_line.get(number, ()) if each.verdict != NO_CLAIM)
        rows.append(
            f"<tr><td style='color: #888; text-align: right'>{number}</td>"
            f"<td><code style='white-space: pre-wrap'>{escape(text)}</code></td><td>{margin}</td></tr>"
        )
    return f"<table style='border-collapse: collapse; vertical-align: top'>{''.join(rows)}</table>"


def _remark(line: Verdict) -> str:
    """A verdict for the margin: holds in a word, what does not with the reason."""
    found = mark(line.verdict, line.cause)
    return f"<div>{found if line.verdict == HOLDS else f'{found} {sentences(line.message)}'}</div>"


def _case(line: Verdict) -> str:
    """The name of a line's test case."""
    return ": ".join(part for part in (line.place, line.text or line.target) if part) or "the file"


def _xml(text: str) -> str:
    """The text without the characters that XML cannot hold."""
    return NOT_IN_XML.sub("?", text)
