"""The site: nothing from outside, anchors, every formula with code, what is found, and what the pictures show."""

from __future__ import annotations

import json
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
from parity_tests.comparison.models import MODEL_CASES
from parity_tests.comparison.run import compare
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.matrix import Outcome
from parity_tests.derivations.verify import verify
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result
from parity_tests.notes.run import ROWS
from parity_tests.report import evidence, mathematics, sources
from parity_tests.report import make as making
from parity_tests.report.chapters import BY_ID, CHAPTERS
from parity_tests.report.collect import lines_of
from parity_tests.report.guides import GUIDES
from parity_tests.report.measure import measure_model, model_case
from parity_tests.report.pictures import PICTURES
from parity_tests.report.pictures.style import COLORS, NEUTRAL, Picture, embedded
from parity_tests.report.site import PICTURED, sentences, site, wrapped
from parity_tests.report.worked import worked
from parity_tests.tests.readme.readme_text import commands

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
def files(results: list[Result]) -> dict[str, str]:
    wrong = TESTBED[0]
    matrix = [Outcome(wrong, verify(wrong.formula, wrong.setting).lines[-1])]
    drawn = {name: PICTURES[name](0) for name in ("activations", "graph")}
    pictures = {name: Picture(name, each.caption, embedded(each, name)) for name, each in drawn.items()}
    return site(results, matrix, pictures, ENVIRONMENT)


@pytest.fixture(scope="module")
def pages(files: dict[str, str]) -> dict[str, Reader]:
    found = {}
    for name, html in files.items():
        if name.endswith(".html"):
            found[name] = Reader()
            found[name].feed(html)
            found[name].close()
    return found


@pytest.mark.slow
def test_pages_are_well_formed(pages: dict[str, Reader]) -> None:
    assert len(pages) > len(CHAPTERS)
    assert {name: read.open for name, read in pages.items() if read.open} == {}


@pytest.mark.slow
def test_pages_load_nothing_from_outside(files: dict[str, str], pages: dict[str, Reader]) -> None:
    own = "|".join(map(re.escape, files))
    for name, read in pages.items():
        assert [link for link in read.links if not re.match(rf"({own})?(#|$)|data:image/png;base64,", link)] == [], name
        assert read.sources == ["script.js"]
        assert "default-src 'none'" in files[name].replace("&#39;", "'")
        assert files[name].count("<script") == 1
    for name, text in files.items():
        assert not re.search(r"@import|url\((?!#)|\bfetch\(|XMLHttpRequest|WebSocket|import\(", text), name
        outside = set(re.findall(r"https?://[^\s\"'<]+", text))
        assert outside <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, name


@pytest.mark.slow
def test_every_link_leads_to_an_anchor_that_is_there_once(pages: dict[str, Reader]) -> None:
    for name, read in pages.items():
        assert [id_ for id_, count in Counter(read.ids).items() if count > 1] == [], name
        for link in (each for each in read.links if not each.startswith("data:")):
            page, _, anchor = link.partition("#")
            assert not anchor or anchor in pages.get(page or name, read).ids, (name, link)
            assert not page or page in pages or page == "style.css", (name, link)


def test_every_row_of_the_notes_has_one_anchor(pages: dict[str, Reader]) -> None:
    found = Counter(id_ for read in pages.values() for id_ in read.ids)
    assert [row.id for row in ROWS if found[row.id] != 1] == []
    assert len(ROWS) == 266
    assert "F098" in pages["dense.html"].ids


def test_a_row_leads_to_the_formula_it_is_about(files: dict[str, str]) -> None:
    shown = files["dense.html"].partition('id="F098"')[2]
    before = re.sub(r"<svg.*?</svg>", "[formula]", shown.partition("<details>")[0], flags=re.DOTALL)
    assert re.search(r"<h2>Gradient of the weights .*\[formula\].*Derivation", before, re.DOTALL)
    assert 'class="notes"' not in before
    assert "<details open" not in shown


def test_titles_beyond_the_notes_are_short_in_the_contents(files: dict[str, str]) -> None:
    assert '<a href="losses.html" aria-current="page">Losses</a>' in files["losses.html"]
    assert "<h1>Beyond the notes: losses</h1>" in files["losses.html"]


def test_no_page_is_too_large(files: dict[str, str]) -> None:
    assert max(len(text.encode()) for text in files.values()) < 10**6


def test_every_model_has_its_pictures_on_one_page() -> None:
    pictured = [name for _, names in PICTURED.values() for name in names.split()]
    assert sorted(pictured) == sorted({case.model for case in MODEL_CASES})


def entries(files: dict[str, str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(files["search.js"].removeprefix("window.SEARCH = ").removesuffix(";\n"))
    return found


def test_the_search_knows_every_anchor_and_phrases(files: dict[str, str], pages: dict[str, Reader]) -> None:
    found = entries(files)
    for entry in found:
        assert set(entry["ids"].split()) <= set(pages[entry["page"]].ids)
        assert entry["id"] in entry["ids"].split()
    assert {id_ for entry in found for id_ in entry["ids"].split()} >= {row.id for row in ROWS}
    where = {(entry["page"], entry["title"]) for entry in found if "sum runs over the examples" in entry["text"]}
    assert where == {("dense.html", "Gradient of the biases"), ("recipe.html", "Softmax")}
    assert {entry["page"] for entry in found} == set(pages)
    (weights,) = (entry for entry in found if entry["id"] == "dense.weight_gradient")
    assert "Weight w_{jk} enters only z_j, and there with the factor a_k" in weights["text"].replace(" ,", ",")


def test_a_derivation_is_divided_into_its_steps() -> None:
    assert sentences("It is $a. B$ here. Then $c$ follows? Yes, e.g. this.") == [
        "It is $a. B$ here.", "Then $c$ follows?", "Yes, e.g. this.",
    ]  # fmt: skip
    assert len(sentences(BY_ID["dense.weight_gradient"].words.derivation)) == 4


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


def test_pages_show_real_code_and_say_what_is_wrong(files: dict[str, str]) -> None:
    plain = re.sub(r"<[^>]+>", "", files["dense.html"])
    assert "dW[j, k] = (dW[j, k] + lambda_ * W[j, k]) / m" in plain
    assert "dW[1] = 1/m dZ[1] X^T" in plain
    assert "functional.linear(A_prev.T, W, b.flatten()).T" in re.sub(r"<[^>]+>", "", files["shallow-forward.html"])
    assert "&lt;none&gt;" in files["index.html"]


def test_the_site_says_that_something_fails(results: list[Result]) -> None:
    broken = results[0]._replace(verdict=FAILS, ratio=np.inf)
    assert "1 of 1 lines fail" in site([broken], [], {}, ENVIRONMENT, [])["index.html"]
    good = next(line for line in results if line.verdict == HOLDS)
    unsure = good._replace(verdict=CANNOT_TELL)
    told = site([good, unsure], [], {}, ENVIRONMENT, [])["index.html"]
    assert "1 of 2 lines hold, 1 cannot be told; the largest" in told


def test_pages_are_accessible(files: dict[str, str], pages: dict[str, Reader]) -> None:
    for name, read in pages.items():
        html = files[name]
        assert all(image.get("aria-label") or image.get("aria-hidden") == "true" for image in read.images)
        assert '<html lang="en">' in html
        tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
        assert all('<th scope="col"' in table and "<caption>" in table for table in tables)
        labels = re.findall(r'role="region"[^>]*aria-label="([^"]+)"', html)
        assert [label for label, count in Counter(labels).items() if count > 1] == [], name
    assert "<table" in files["parity-float64.html"]
    assert "prefers-color-scheme: dark" in files["style.css"]
    assert "@media print" in files["style.css"]


def test_every_command_of_the_guides_is_one_of_the_readme() -> None:
    known = set(commands())
    told = [line for guide in GUIDES for _, code in guide.steps for line in code.splitlines()]
    ours = [line for line in told if line.startswith("python -m")]
    assert len(ours) >= 15
    assert [line for line in ours if line not in known and line != "python -m parity_tests serve"] == []


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


def test_an_example_is_what_the_formula_gives_on_its_first_probe() -> None:
    found = worked(BY_ID["dense.weight_gradient"])
    assert found is not None
    assert [(box.name, box.size) for box in found.given] == [("dZ", "5 × 7"), ("A_prev", "3 × 7"), ("W", "5 × 3")]
    assert (found.values, found.numbers) == ((("lambda", "0.7"),), ())
    dZ, A_prev, W, dW = (np.array([[float(each.replace("−", "-")) for each in row] for row in box.rows])
                         for box in (*found.given, *found.found))  # fmt: skip
    np.testing.assert_allclose(dW, (dZ @ A_prev.T + 0.7 * W) / 7, atol=0.03)
    volumes = worked(BY_ID["conv.conv_forward"])
    assert volumes is not None
    assert [(box.name, box.shape, box.rows) for box in volumes.found] == [("Z", (2, 3, 3, 3), ())]
    wide = worked(BY_ID["theory.parity"])
    assert wide is not None
    assert [(box.shape, box.rows) for box in wide.given] == [((5, 32), ())]
    assert worked(BY_ID["training.fit"]) is None


def test_names_of_cases_break_where_a_part_ends() -> None:
    assert wrapped("wide/digits/lambda=0.7") == "wide/<wbr>digits/<wbr>lambda=0.7"
    assert wrapped("costs.a_b<c") == "costs.<wbr>a_<wbr>b&lt;c"


def test_what_another_process_has_drawn_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathematics, "_DRAWN", {})
    found = mathematics.drawings(["a + 1\nb"], ["c is $c_1$"])
    assert set(found) == {("a + 1", False), ("b", False), ("c_1", True)}
    mathematics.know({("no latex {", False): found["b", False]})
    assert mathematics.drawn("no latex {") == found["b", False]


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


@pytest.mark.slow
def test_command_writes_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(making, "MODEL_CASES", (model_case("shallow/moons/lambda=0.7"),))
    monkeypatch.setattr(making, "PICTURES", {"activations": PICTURES["activations"]})
    monkeypatch.setattr(making, "TESTBED", TESTBED[:2])
    target, folder = tmp_path / "site", tmp_path / "pictures"
    assert cli.main(["report", "--site", str(target), "--pictures", str(folder), "--jobs", "1"]) == GOOD
    assert sorted(path.name for path in folder.iterdir()) == ["activations.png", "errors-shallow-moons.png"]
    assert "picture-errors-shallow-moons" in (target / "models.html").read_text(encoding="utf-8")
    evidence_page = (target / "evidence.html").read_text(encoding="utf-8")
    assert all(wrong.cause in evidence_page for wrong in TESTBED[:2])
    shown = capsys.readouterr().out
    assert f"{len(list(target.glob('*.html')))} pages, the largest 0." in shown
    assert "0 fail" in shown


def test_the_evidence_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(evidence, "TESTBED", TESTBED[:2])
    assert cli.main(["report", "--evidence"]) == GOOD
    shown = capsys.readouterr().out
    assert re.findall(r"^## (.*)", shown, re.MULTILINE) == ["Mistakes that are named", *evidence.sections()]
    assert f"| {TESTBED[0].cause} |" in shown
    assert cli.main(["report"]) == USAGE
    assert "--site is missing, expected a folder for the pages, or --evidence" in capsys.readouterr().err


def test_command_says_by_its_exit_code_that_something_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: list[Result]
) -> None:
    made = making.Made({"index.html": "<html>"}, [results[0]._replace(verdict=FAILS)])
    monkeypatch.setattr(making, "pieces", lambda *_: ((each for each in list[Any]()), 0))
    monkeypatch.setattr(making, "make", lambda *_: made)
    assert cli.main(["report", "--site", str(tmp_path)]) == MISMATCH


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--site", "/dev/null/site"], "--site is /dev/null/site, expected a folder"),
        (["--site", "site", "--seed", "-1"], "seed is -1"),
        (["--site", "site", "--jobs", "0"], "jobs is 0"),
    ],
)
def test_command_refuses(flags: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", *flags]) == USAGE
    assert says in capsys.readouterr().err


def test_command_names_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "PACKAGES", ("matplotlib", "no_such_package"))
    assert cli.main(["report", "--site", "site"]) == USAGE
    assert 'no_such_package not found: the site needs the extra "page"' in capsys.readouterr().err
