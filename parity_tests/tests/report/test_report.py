"""The page: nothing from outside, anchors, every formula with code, and what the pictures show."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from manual.shared.cli import GOOD, MISMATCH, USAGE
from parity_tests import cli
from parity_tests.commands import report as command
from parity_tests.comparison.run import compare
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.matrix import Outcome
from parity_tests.derivations.verify import verify
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result
from parity_tests.notes.run import ROWS
from parity_tests.report import evidence, mathematics, measure, sources
from parity_tests.report import make as making
from parity_tests.report.chapters import BY_ID
from parity_tests.report.collect import lines_of
from parity_tests.report.measure import measure_model, model_case
from parity_tests.report.page import page, wrapped
from parity_tests.report.pictures import PICTURES
from parity_tests.report.pictures.style import COLORS, NEUTRAL, Picture, embedded

VOID = {"meta", "link", "input", "br", "img", "hr", "wbr"}
ENVIRONMENT = {"python": "3", "device": "<none>"}


class Reader(HTMLParser):
    """Opening and closing tags must pair; ids, links and text are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []
        self.images: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        self.ids += [str(given["id"])] if "id" in given else []
        for name in ("href", "xlink:href"):
            self.links += [str(given[name])] if name in given else []
        for name in ("src", "srcset", "action", "data", "poster"):
            self.sources += [str(given[name])] if name in given else []
        if tag == "svg":
            self.images.append(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return compare("dense") + compare("activations") + compare("logistic/breast_cancer/lambda=0.7")


@pytest.fixture(scope="module")
def html(results: list[Result]) -> str:
    wrong = TESTBED[0]
    matrix = [Outcome(wrong, verify(wrong.formula, wrong.setting).lines[-1])]
    drawn = {name: PICTURES[name](0) for name in ("activations", "graph")}
    pictures = {name: Picture(name, each.caption, embedded(each, name)) for name, each in drawn.items()}
    return page(results, matrix, pictures, ENVIRONMENT)


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_page_is_well_formed(read: Reader) -> None:
    assert read.open == []


def test_page_loads_nothing_from_outside(html: str, read: Reader) -> None:
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in read.links)
    assert read.sources == []
    assert not re.search(r"@import|url\((?!#)|\bfetch\(|XMLHttpRequest|WebSocket|import\(", html)
    names = set(re.findall(r"https?://[^\s\"'<]+", html))
    assert names <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_every_anchor_is_there_once(read: Reader) -> None:
    assert [name for name, count in Counter(read.ids).items() if count > 1] == []
    assert {link[1:] for link in read.links if link.startswith("#")} <= set(read.ids)


def test_every_row_of_the_notes_has_its_anchor(read: Reader) -> None:
    assert {row.id for row in ROWS} <= set(read.ids)
    assert len(ROWS) == 266


def test_entry_shows_the_worst_line(results: list[Result]) -> None:
    shown = lines_of(BY_ID["dense.weight_gradient"], results)
    of_models = [line for line in results if line.model and line.quantity == "dW" and line.basis == "derived"]
    assert max(line.ratio for line in shown if line.model) == max(line.ratio for line in of_models)
    assert {line.pair for line in shown} == {"manual/torch", "manual/loop", "manual/complex step"}


def test_line_without_a_number_counts_as_worst(results: list[Result]) -> None:
    formula = BY_ID["dense.linear_forward"]
    broken = next(line for line in results if line.case == "dense.linear_forward")._replace(ratio=np.nan, verdict=FAILS)
    assert broken in lines_of(formula, [broken])
    assert broken in lines_of(formula, [*results, broken])


def test_page_shows_real_code_and_says_what_is_wrong(html: str) -> None:
    plain = re.sub(r"<[^>]+>", "", html)
    assert "dW[j, k] = (dW[j, k] + lambda_ * W[j, k]) / m" in plain
    assert "functional.linear(A_prev.T, W, b.flatten()).T" in plain
    assert "dW[1] = 1/m dZ[1] X^T" in plain
    assert "&lt;none&gt;" in html


def test_page_says_that_something_fails(results: list[Result]) -> None:
    broken = results[0]._replace(verdict=FAILS, ratio=np.inf)
    assert "1 of 1 lines fail" in page([broken], [], {}, ENVIRONMENT)
    good = next(line for line in results if line.verdict == HOLDS)
    unsure = good._replace(verdict=CANNOT_TELL)
    assert "1 of 2 lines hold, 1 cannot be told; the largest" in page([good, unsure], [], {}, ENVIRONMENT)


def test_page_is_accessible(html: str, read: Reader) -> None:
    assert all(image.get("aria-label") or image.get("aria-hidden") == "true" for image in read.images)
    assert '<html lang="en">' in html
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    assert tables
    assert all('<th scope="col"' in table and "<caption>" in table for table in tables)
    named = [re.sub(r"<[^>]+>", "", name) for name in re.findall(r"<h2[^>]*>(.*?)</h2>", html)]
    labels = [*named, *re.findall(r'role="region"[^>]*aria-label="([^"]+)"', html)]
    assert [name for name, count in Counter(labels).items() if count > 1] == []
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_told_apart_from_the_paper(dark: bool) -> None:
    style = (Path(sources.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    colours = dict(re.findall(r"--(\w+): (#\w{6})", blocks[dark]))
    for name in ("ink", "faint", "link", "good", "bad", "unsure", "keyword", "string", "comment", "number", "name"):
        for ground in ("paper", "card"):
            assert _contrast(colours[name], colours[ground]) >= 4.5, (name, ground)


def test_marks_are_told_apart_from_the_paper() -> None:
    style = (Path(sources.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    papers = set(re.findall(r"--(?:paper|card): (#\w{6})", style))
    assert len(papers) == 4
    for paper in papers:
        assert all(_contrast(colour, paper) >= 3 for colour in COLORS), paper
        assert _contrast(NEUTRAL, paper) >= 3.7, paper


def _contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts_ = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(parts_ <= 0.04045, parts_ / 12.92, ((parts_ + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_text_is_escaped_and_mathematics_drawn() -> None:
    drawn = mathematics.text("a < b & $x_1$")
    assert drawn.startswith("a &lt; b &amp; <svg")
    assert 'aria-label="x_1"' in drawn
    with pytest.raises(ValueError, match="expected LaTeX"):
        mathematics.drawn(r"\frac{1}{")


def test_names_of_cases_break_where_a_part_ends() -> None:
    assert wrapped("wide/digits/lambda=0.7") == "wide/<wbr>digits/<wbr>lambda=0.7"
    assert wrapped("costs.a_b<c") == "costs.<wbr>a_<wbr>b&lt;c"


def test_page_runs_no_script_but_its_own(html: str) -> None:
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in html.replace("&#39;", "'")
    assert "default-src 'none'" in html


def test_letters_are_shared() -> None:
    twice = f"<body>{mathematics.drawn('x + x')}{mathematics.drawn('x', inline=True)}</body>"
    gathered = mathematics.shared(twice)
    ElementTree.fromstring(gathered)
    ids = re.findall(r'<symbol id="([^"]+)"', gathered)
    assert len(ids) == len(set(ids)) >= 2
    assert {name[1:] for name in re.findall(r'href="([^"]+)"', gathered)} == set(ids)


def test_sources_are_the_files_own() -> None:
    assert sources.source("torch_ref", "activations.tanh_prime") == "tanh_prime = derivative(tanh)"
    assert sources.source("manual", "optimizers.Adam").startswith("@dataclass")
    assert sources.shapes("dense.input_gradient").startswith("dZ is (n, m), W (n, n_prev)")
    assert sources.shapes("conv.conv_backward").startswith("dZ is (m, n_H, n_W, n_C), per example")
    assert sources.shapes("activations.sigmoid") == ""
    assert sources.words("``f`` < 1") == "<code>f</code> &lt; 1"
    with pytest.raises(KeyError):
        sources.source("manual", "dense.nothing")


def test_model_is_measured_step_by_step() -> None:
    measured = measure_model(model_case("shallow/moons/lambda=0.7"), "float64", 0)
    traces = {(trace.quantity, trace.layer): trace for trace in measured.traces}
    line = next(line for line in measured.results if line.quantity == "dW" and line.layer == 1)
    ratios = traces["dW", 1].ratios
    assert len(ratios) == 10
    assert line.ratio == max(ratios)
    assert any(line.basis == "measured" for line in measured.results)


def test_command_writes_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(making, "MODEL_CASES", (model_case("shallow/moons/lambda=0.7"),))
    monkeypatch.setattr(making, "PICTURES", {"activations": PICTURES["activations"]})
    monkeypatch.setattr(measure, "TESTBED", TESTBED[:2])
    target, folder = tmp_path / "page.html", tmp_path / "pictures"
    assert cli.main(["report", "--html", str(target), "--pictures", str(folder), "--jobs", "1"]) == GOOD
    assert sorted(path.name for path in folder.iterdir()) == ["activations.png", "errors-shallow-moons.png"]
    text = target.read_text(encoding="utf-8")
    assert "picture-errors-shallow-moons" in text
    assert all(wrong.cause in text for wrong in TESTBED[:2])
    assert "0 fail" in capsys.readouterr().out


def test_the_evidence_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(evidence, "TESTBED", TESTBED[:2])
    assert cli.main(["report", "--evidence"]) == GOOD
    shown = capsys.readouterr().out
    assert re.findall(r"^## (.*)", shown, re.MULTILINE) == ["Mistakes that are named", *evidence.sections()]
    assert f"| {TESTBED[0].cause} |" in shown
    assert cli.main(["report"]) == USAGE
    assert "--html is missing, expected a file for the page, or --evidence" in capsys.readouterr().err


def test_command_says_by_its_exit_code_that_something_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: list[Result]
) -> None:
    made = making.Made("<html>", [results[0]._replace(verdict=FAILS)])
    monkeypatch.setattr(making, "pieces", lambda *_: ((each for each in list[Any]()), 0))
    monkeypatch.setattr(making, "make", lambda *_: made)
    assert cli.main(["report", "--html", str(tmp_path / "page.html")]) == MISMATCH


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--html", "/nowhere/page.html"], "expected a file in a folder that exists"),
        (["--html", "page.html", "--seed", "-1"], "seed is -1"),
        (["--html", "page.html", "--jobs", "0"], "jobs is 0"),
    ],
)
def test_command_refuses(flags: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", *flags]) == USAGE
    assert says in capsys.readouterr().err


def test_command_names_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "PACKAGES", ("matplotlib", "no_such_package"))
    assert cli.main(["report", "--html", "page.html"]) == USAGE
    assert 'no_such_package not found: the page needs the extra "page"' in capsys.readouterr().err
