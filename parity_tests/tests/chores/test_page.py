"""The checks of the page in a browser: a small page passes them all, and each fault planted in it is caught."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from manual.shared.cli import GOOD
from parity_tests import cli
from parity_tests.notes.run import ROWS
from parity_tests.tests.chores import page_checks as checks
from parity_tests.tests.chores.browser import Browser, browser, paths
from parity_tests.tests.chores.page_checks import Page

TEMPLATES = Path(cli.__file__).parent / "report" / "templates"

STYLE = "body { margin: 1rem; } table { width: 100%; } pre { overflow-x: auto; } [hidden] { display: none; }"

GOOD_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Small</title>
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' file:; img-src data:">
<style>{STYLE}</style></head>
<body>
<form role="search"><button type="button" id="menu">Contents</button><label for="search">Search</label>
<input id="search" type="search"> <output id="found"></output>
<div id="results" role="region" aria-label="Found" hidden></div></form>
<nav id="contents" aria-label="Contents"><ul><li><a href="#one">One</a></li></ul></nav>
<main><h1>A small page</h1>
<section class="chapter" aria-labelledby="one"><h2 id="one">One</h2>
<article id="F001">F001 says something of itself.</article>
<article id="F002">F002 says something else.</article>
<details><summary>More</summary><p>What is folded up.</p></details>
<table><caption>Numbers</caption><thead><tr><th scope="col"><button type="button">name</button></th>
<th scope="col" class="number"><button type="button">error</button></th></tr></thead>
<tbody><tr><td>a</td><td>0.001</td></tr><tr><td>c</td><td>20</td></tr>
<tr><td>b</td><td>3</td></tr></tbody></table></section></main>
<script>{(TEMPLATES / "script.js").read_text(encoding="utf-8")}</script>
</body></html>
"""
"""With the script of the site itself."""

FOUND = [
    {"page": "page.html", "id": name, "ids": name, "of": "Small", "title": title, "text": text}
    for name, title, text in (
        ("F001", "First", "something is said, and of what of itself"),
        ("F002", "Second", "what is said of something"),
        ("F003", "Third", "of itself something is said"),
    )
]

END = "</body>"

FAULTS = {
    "contents without a link": ("contents", r'<a href="#one">One</a>', "One", "there is no list of contents"),
    "link to nowhere": ("contents", 'href="#one"', 'href="#two"', "One leads nowhere"),
    "anchor missing": ("anchors", 'id="F002"', 'id="F003"', "#F002 is not there"),
    "anchor in what stays hidden": ("anchors", 'id="F002"', 'id="F002" style="display:none"', "#F002 is not in sight"),
    "anchor covered": (
        "anchors",
        "<main>",
        '<div style="position:fixed;inset:0;background:red;z-index:9"></div><main>',
        "#F001 is not in sight",
    ),
    "anchor of nothing": ("anchors", "F002 says something else.", "F002", "#F002 says nothing"),
    "no search": ("search", 'type="search"', 'type="text"', "there is no search box"),
    "search that finds too much": (
        "search",
        "!words.every((word) => text.includes(word))",
        "false",
        "F001: 3 shown, 1 have",
    ),
    "search that finds nothing": ("search", 'search.addEventListener("input"', "void (0", "there is nothing to search"),
    "search without an end": ("search", "results.hidden = true;\n    found", "found", "when the search is over"),
    "phrases behind": (
        "search",
        "[a], [b]) => a - b",
        "[a], [b]) => b - a",
        "of itself something is: what has it is not first",
    ),
    "search in the way": (
        "search",
        'event.target.closest("#results a")) results',
        "false) results",
        "stays in the way",
    ),
    "no sorting": ("sorting", "<button", "<span", "there is no table that can be sorted"),
    "sorted as text": ("sorting", "numeric ?", "false ?", "error, descending: "),
    "sorted one way": ("sorting", '!== "descending";', "!== 0;", "name: sorted one way only"),
    "row lost": (
        "sorting",
        "const rows =",
        "table.tBodies[0].rows[0].remove(); const rows =",
        "3 rows have become",
    ),
    "focus unseen": ("keyboard", "[hidden]", ":focus { outline: none; } [hidden]", "does not show it"),
    "focus out of sight": (
        "keyboard",
        "<main>",
        '<main><a href="#one" style="position:fixed;left:-999px">far</a>',
        "has the focus out of sight",
    ),
    "page too wide": (
        "fitting",
        "F002 says",
        '<p style="width:500px">wide</p>F002 says',
        "390 px: p in #F002 sticks out",
    ),
    "something cut off": (
        "fitting",
        "F002 says",
        '<div style="overflow:hidden;width:90px"><p style="width:300px">wide</p></div>F002 says',
        "div in #F002 hides what it holds",
    ),
    "folded and too wide": ("fitting", "<p>What", '<p style="width:2000px">What', "1280 px: p sticks out"),
    "label missing": ("accessible", '<label for="search">Search</label>', "", "label: #search"),
    "too faint by night": (
        "accessible",
        "[hidden]",
        "@media (prefers-color-scheme: dark) { p { color: #999; background: #888; } } [hidden]",
        "390 px dark: color-contrast",
    ),
    "folded up on paper": ("printing", '"beforeprint"', '"never"', "folded up on paper: More"),
    "cut off on paper": (
        "printing",
        "F002 says",
        f"<pre>{'long ' * 60}</pre>F002 says",
        "pre in #F002 is cut off",
    ),
    "warning": ("quiet", END, '<script>console.warn("odd")</script></body>', "odd"),
    "error": ("quiet", END, "<script>nothing.at.all</script></body>", "nothing is not defined"),
    "request": (
        "alone",
        "img-src data:",
        "img-src *",
        "no Content-Security-Policy forbids",
    ),
    "picture from outside": (
        "alone",
        END,
        '<img src="http://example.invalid/x.png" alt=""></body>',
        "asks for http://example.invalid/x.png",
    ),
}
"""The check that must catch it, what stands in the good page, what takes its place, and what is said of it."""


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    try:
        paths()
    except ValueError as error:
        pytest.skip(str(error))
    with browser() as started:
        yield started


def looked(opened: Browser, tmp_path: Path, html: str, *names: str) -> dict[str, checks.Seen]:
    page = tmp_path / "page.html"
    page.write_text(html, encoding="utf-8")
    (tmp_path / "search.js").write_text(f"window.SEARCH = {json.dumps(FOUND)};", encoding="utf-8")
    ids = ("F001", "F002")
    chosen = [check for check in checks.CHECKS if check.name in names]
    return {check.name: seen for check, seen in checks.looked(opened, Page(page, ids), chosen)}


def sent(url: str, document: str) -> tuple[str, dict[str, str]]:
    """A line of the log of requests."""
    params = {"request": {"url": url}, "documentURL": document}
    return "INFO", {"message": json.dumps({"message": {"method": "Network.requestWillBeSent", "params": params}})}


class Logged:
    """A driver that has nothing but logs."""

    LOGS: ClassVar = {
        "performance": [
            sent("chrome://resources/js/load_time_data.js", "chrome://new-tab-page/"),
            sent("chrome-untrusted://new-tab-page/one-google-bar", "chrome-untrusted://new-tab-page/"),
            sent("file:///page.html", "file:///page.html"),
            sent("chrome://resources/asked-by-the-page.js", "file:///page.html"),
            sent("http://example.invalid/x.png", "file:///page.html"),
        ],
        "browser": [
            ("WARNING", {"message": "chrome://new-tab-page/ 0:0 something of its own"}),
            ("INFO", {"message": "file:///page.html 1:1 hello"}),
            ("SEVERE", {"message": "file:///page.html 2:2 odd"}),
        ],
    }

    def get_log(self, name: str) -> list[dict[str, str]]:
        return [{"level": level, **entry} for level, entry in self.LOGS[name]]


def test_what_the_browser_does_beside_the_page_is_not_the_pages() -> None:
    logged = Browser(cast(Any, Logged()))
    assert logged.requests() == [
        "file:///page.html",
        "chrome://resources/asked-by-the-page.js",
        "http://example.invalid/x.png",
    ]
    assert logged.messages() == ["file:///page.html 2:2 odd"]


@pytest.mark.slow
def test_good_page_passes(opened: Browser, tmp_path: Path) -> None:
    names = [check.name for check in checks.CHECKS]
    seen = looked(opened, tmp_path, GOOD_PAGE, *names)
    assert {name: list(each.problems) for name, each in seen.items()} == {name: [] for name in names}
    assert seen["anchors"].figures == "2 anchors"
    assert seen["sorting"].figures == "2 columns"
    assert re.fullmatch(r"[1-9]\d* stops", seen["keyboard"].figures)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(fault: str, opened: Browser, tmp_path: Path) -> None:
    check, right, wrong, says = FAULTS[fault]
    assert right in GOOD_PAGE
    if "http://" in wrong:
        html = re.sub(r"<meta http-equiv[^>]*>", "", GOOD_PAGE).replace(right, wrong)
    else:
        html = GOOD_PAGE.replace(right, wrong)
    problems = looked(opened, tmp_path, html, check)[check].problems
    assert any(says in problem for problem in problems), list(problems)


@pytest.mark.slow
def test_every_check_can_fail() -> None:
    assert {check.name for check in checks.CHECKS} == {fault[0] for fault in FAULTS.values()}


@pytest.mark.bars
def test_the_site_of_report_passes(opened: Browser, tmp_path: Path) -> None:
    assert cli.main(["report", "--site", str(tmp_path), "--quiet"]) == GOOD
    problems: dict[tuple[str, str], list[str]] = {}
    for file in sorted(tmp_path.glob("*.html")):
        text = file.read_text(encoding="utf-8")
        ids = [row.id for row in ROWS if f'id="{row.id}"' in text]
        left_out = {"sorting": '<th scope="col"><button' not in text, "search": not ids}
        chosen = [check for check in checks.CHECKS if not left_out.get(check.name)]
        for check, seen in checks.looked(opened, Page(file, ids), chosen):
            problems[file.name, check.name] = list(seen.problems)
    assert len(problems) > 200
    assert {where: found for where, found in problems.items() if found} == {}
