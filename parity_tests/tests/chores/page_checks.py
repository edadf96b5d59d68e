"""What must hold of a page in a browser: each check is a function of the browser and what the page must have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from axe_playwright_python.base import AXE_SCRIPT

from parity_tests.tests.chores.browser import Browser, View

WIDE, NARROW = View(1280, 900, "light"), View(390, 844, "light")

VIEWS = tuple(view._replace(scheme=scheme) for view in (NARROW, WIDE) for scheme in ("light", "dark"))
"""A phone and a desk, by day and by night."""

PAPER = View(718, 1047, "light")
"""A4 within its margins, at 96 dots an inch."""

TABS = 40
"""So many times the tabulator is pressed."""

WORDS = 12
"""So many ids are searched for: all of them where there are fewer, else evenly spread."""

FOREIGN = """
const heard = new Promise((done) => {
  setTimeout(() => done(false), 500);
  document.addEventListener("securitypolicyviolation", () => done(true), { once: true });
});
document.body.append(Object.assign(new Image(), { src: "https://example.invalid/x.png", alt: "" }));
return heard;
"""
"""Puts an image from elsewhere into the page; true where the page's own policy forbids it."""


class Page(NamedTuple):
    """The file of a page, and the ids that must have an anchor in it."""

    file: Path
    ids: Sequence[str]


class Seen(NamedTuple):
    """What a check saw, in figures, and what is wrong with it."""

    figures: str
    problems: Sequence[str]


class Check(NamedTuple):
    """A name, what must hold, and the function that looks."""

    name: str
    rule: str
    look: Callable[[Browser, Page], Seen]


def contents(browser: Browser, page: Page) -> Seen:
    """Every link of the contents into this page is followed."""
    found = browser.run("contents")
    return Seen(f"{found['links']} links", found["problems"])


def anchors(browser: Browser, page: Page) -> Seen:
    """Every id is gone to, on a desk and on a phone."""
    problems = []
    for view in (WIDE, NARROW):
        browser.look(view)
        problems += [f"{view}: {each}" for each in browser.run("anchors", list(page.ids))]
    return Seen(f"{len(page.ids)} anchors", problems)


def search(browser: Browser, page: Page) -> Seen:
    """Ids are searched for, then phrases, what is not there, and nothing."""
    words = list(page.ids[:: max(1, len(page.ids) // WORDS)])
    found = browser.run("search", words)
    return Seen(f"{found['entries']} entries, {len(words)} searches", found["problems"])


def sorting(browser: Browser, page: Page) -> Seen:
    """Every column is sorted down and up."""
    found = browser.run("sorting")
    return Seen(f"{found['columns']} columns", found["problems"])


def fitting(browser: Browser, page: Page) -> Seen:
    """Everything is unfolded and measured, on a phone and on a desk."""
    seen, problems = 0, []
    unfold(browser)
    for view in (NARROW, WIDE):
        browser.look(view)
        found = browser.run("fits", view.width, False)
        seen = found["seen"]
        problems += [f"{view.width} px: {each}" for each in found["problems"]]
    return Seen(f"{seen} boxes at {NARROW.width} and {WIDE.width} px", problems)


def accessible(browser: Browser, page: Page) -> Seen:
    """axe-core's rules in every view, with everything unfolded."""
    unfold(browser)
    browser.evaluate(AXE_SCRIPT)
    problems, rules = [], 0
    for view in VIEWS:
        browser.look(view)
        found = browser.run("accessible")
        rules = found["rules"]
        problems += [f"{view}: {each}" for each in found["problems"]]
    return Seen(f"{rules} rules in {len(VIEWS)} views", problems)


def keyboard(browser: Browser, page: Page) -> Seen:
    """The tabulator is pressed from the top on."""
    browser.evaluate("document.activeElement?.blur(); scrollTo(0, 0);")
    stops: list[dict[str, Any]] = []
    for _ in range(TABS):
        browser.press_tab()
        if stop := browser.run("focus"):
            stops.append(stop)
    problems = [] if stops else ["the keyboard reaches nothing"]
    problems += [f"{stop['what']} has the focus and does not show it" for stop in stops if not stop["ring"]]
    problems += [f"{stop['what']} has the focus out of sight" for stop in stops if not stop["inside"]]
    return Seen(f"{len(stops)} stops", problems)


def printing(browser: Browser, page: Page) -> Seen:
    """The page as PDF: nothing is folded up or cut off."""
    browser.run("printing")
    pdf = browser.pdf()
    folded = browser.evaluate("return window.folded ?? ['the page was not told of it']")
    problems = [f"folded up on paper: {name}" for name in folded]
    unfold(browser)
    browser.look(PAPER, "print")
    problems += browser.run("fits", PAPER.width, True)["problems"]
    pages = pdf.count(b"/Type /Page\n")
    if not pdf.startswith(b"%PDF") or not pages:
        problems.append("what was printed is no PDF, or has no pages")
    return Seen(f"{pages} pages, {len(pdf) / 1e6:.1f} MB", problems)


def quiet(browser: Browser, page: Page) -> Seen:
    """The console since the page was opened."""
    messages = browser.messages()
    return Seen(f"{len(messages)} messages", messages)


def alone(browser: Browser, page: Page) -> Seen:
    """What was asked for since the page was opened, and whether the page itself forbids more."""
    own, folder = page.file.resolve().as_uri(), page.file.resolve().parent.as_uri()
    asked_for = browser.requests()
    problems = [f"asks for {url}" for url in asked_for if not url.startswith(("data:", "blob:", f"{folder}/"))]
    if own not in map(_file, asked_for):
        problems.append("the log has no request for the page itself")
    if not browser.evaluate(FOREIGN):
        problems.append("no Content-Security-Policy forbids an image from elsewhere")
    browser.messages()  # those of that image
    return Seen(f"{len(asked_for)} requests, the site itself and data in it", problems)


CHECKS = (
    Check("contents", "every link of the contents into the page leads to its heading", contents),
    Check("anchors", "every formula of the notes has an anchor that leads to it", anchors),
    Check("search", "the search shows the entries that have the word, and no others, and phrases first", search),
    Check("sorting", "every column of a table with buttons sorts down and up", sorting),
    Check("keyboard", "what the keyboard reaches is in sight, and shows it", keyboard),
    Check("fitting", "nothing is wider than the window", fitting),
    Check("accessible", "axe-core finds nothing", accessible),
    Check("printing", "on paper everything is unfolded, and nothing is cut off", printing),
    Check("quiet", "the console has no warning and no error", quiet),
    Check("alone", "nothing is asked for from outside, and the page forbids it", alone),
)
"""In this order: the last two see what all the others did."""


def looked(browser: Browser, page: Page, checks: Sequence[Check] = CHECKS) -> Iterator[tuple[Check, Seen]]:
    """Open the page and make the checks, one after the other."""
    browser.look(WIDE)
    browser.open(page.file)
    for check in checks:
        browser.look(WIDE)
        yield check, check.look(browser, page)


def unfold(browser: Browser) -> None:
    """Open everything that can be folded up."""
    browser.evaluate("for (const one of document.querySelectorAll('details')) one.open = true;")


def _file(url: str) -> str:
    return url.partition("#")[0]
