"""What must hold of the page in a browser: each check is a function of the browser and what is asked of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from parity_tests.report.browse.browser import Browser, View

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


class Asked(NamedTuple):
    """The page, the ids that must have an anchor in it, and the file of axe-core."""

    page: Path
    ids: Sequence[str]
    axe: Path


class Seen(NamedTuple):
    """What a check saw, in figures, and what is wrong with it."""

    figures: str
    problems: Sequence[str]


class Check(NamedTuple):
    """A name, what must hold, and the function that looks."""

    name: str
    rule: str
    look: Callable[[Browser, Asked], Seen]


def contents(browser: Browser, asked: Asked) -> Seen:
    """Every link of the contents is followed."""
    found = browser.run("contents")
    return Seen(f"{found['links']} links", found["problems"])


def anchors(browser: Browser, asked: Asked) -> Seen:
    """Every id is gone to, on a desk and on a phone."""
    problems = []
    for view in (WIDE, NARROW):
        browser.look(view)
        problems += [f"{view}: {each}" for each in browser.run("anchors", list(asked.ids))]
    return Seen(f"{len(asked.ids)} anchors", problems)


def search(browser: Browser, asked: Asked) -> Seen:
    """Ids are searched for, then what is not there, then nothing."""
    words = list(asked.ids[:: max(1, len(asked.ids) // WORDS)])
    found = browser.run("search", words)
    return Seen(f"{found['entries']} entries, {len(words)} searches", found["problems"])


def sorting(browser: Browser, asked: Asked) -> Seen:
    """Every column is sorted down and up."""
    found = browser.run("sorting")
    return Seen(f"{found['columns']} columns", found["problems"])


def fitting(browser: Browser, asked: Asked) -> Seen:
    """Everything is unfolded and measured, on a phone and on a desk."""
    seen, problems = 0, []
    unfold(browser)
    for view in (NARROW, WIDE):
        browser.look(view)
        found = browser.run("fits", view.width, False)
        seen = found["seen"]
        problems += [f"{view.width} px: {each}" for each in found["problems"]]
    return Seen(f"{seen} boxes at {NARROW.width} and {WIDE.width} px", problems)


def accessible(browser: Browser, asked: Asked) -> Seen:
    """axe-core's rules in every view, with everything unfolded."""
    unfold(browser)
    browser.evaluate(asked.axe.read_text(encoding="utf-8"))
    problems, found = [], {}
    for view in VIEWS:
        browser.look(view)
        found = browser.run("accessible")
        problems += [f"{view}: {each}" for each in found["problems"]]
    return Seen(f"axe-core {found['version']}: {found['rules']} rules in {len(VIEWS)} views", problems)


def keyboard(browser: Browser, asked: Asked) -> Seen:
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


def printing(browser: Browser, asked: Asked) -> Seen:
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


def quiet(browser: Browser, asked: Asked) -> Seen:
    """The console since the page was opened."""
    said = browser.messages()
    return Seen(f"{len(said)} messages", said)


def alone(browser: Browser, asked: Asked) -> Seen:
    """What was asked for since the page was opened, and whether the page itself forbids more."""
    own = asked.page.resolve().as_uri()
    asked_for = browser.requests()
    problems = [f"asks for {url}" for url in asked_for if not url.startswith(("data:", "blob:")) and _file(url) != own]
    if own not in map(_file, asked_for):
        problems.append("the page itself was not heard to be asked for: the log says nothing")
    if not browser.evaluate(FOREIGN):
        problems.append("no Content-Security-Policy forbids an image from elsewhere")
    browser.messages()  # those of that image
    return Seen(f"{len(asked_for)} requests, the page itself and data in it", problems)


CHECKS = (
    Check("contents", "every link of the contents leads to its heading, and every heading is among them", contents),
    Check("anchors", "every formula of the notes has an anchor that leads to it", anchors),
    Check("search", "the search shows the entries that have the word, and no others", search),
    Check("sorting", "every column of a table with buttons sorts down and up", sorting),
    Check("keyboard", "what the keyboard reaches is in sight, and shows it", keyboard),
    Check("fitting", "nothing is wider than the window", fitting),
    Check("accessible", "axe-core finds nothing", accessible),
    Check("printing", "on paper everything is unfolded, and nothing is cut off", printing),
    Check("quiet", "the console has no warning and no error", quiet),
    Check("alone", "nothing is asked for from outside, and the page forbids it", alone),
)
"""In this order: the last two hear what all the others did."""


def looked(browser: Browser, asked: Asked, checks: Sequence[Check] = CHECKS) -> Iterator[tuple[Check, Seen]]:
    """Open the page and make the checks, one after the other."""
    browser.look(WIDE)
    browser.open(asked.page)
    for check in checks:
        browser.look(WIDE)
        yield check, check.look(browser, asked)


def unfold(browser: Browser) -> None:
    """Open everything that can be folded up."""
    browser.evaluate("for (const one of document.querySelectorAll('details')) one.open = true;")


def pictures(browser: Browser, folder: Path) -> int:
    """The top of the page and every place in its contents, in every view, as PNG; says how many."""
    places = browser.evaluate("return ['', ...[...document.querySelectorAll('#contents a')].map((one) => one.hash)]")
    for view in VIEWS:
        browser.look(view)
        for place in places:
            browser.evaluate("location.hash = arguments[0]; if (!arguments[0]) scrollTo(0, 0);", place)
            name = f"{view.width}-{view.scheme}-{place[1:] or 'top'}.png"
            (folder / name).write_bytes(browser.picture())
    return len(VIEWS) * len(places)


def bundled_axe() -> Path | None:
    """axe-core as the package axe-playwright-python has it, where that is installed."""
    spec = find_spec("axe_playwright_python")
    return None if spec is None or spec.origin is None else Path(spec.origin).with_name("axe.min.js")


def _file(url: str) -> str:
    return url.partition("#")[0]
