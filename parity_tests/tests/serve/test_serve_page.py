"""The page in a browser: typed, dropped, repaired, in both schemes, on a phone and on a desk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity_tests.tests.chores import page_checks as checks
from parity_tests.tests.chores.browser import Browser, browser, paths
from parity_tests.tests.serve.served import Served, served

LINES = "return [...document.querySelectorAll('#lines li')].map((each) => each.innerText)"
CLOSING = "return document.querySelector('#closing:not(.old)')?.innerText"
TYPE = """
const text = document.getElementById("text");
text.value = arguments[0];
text.dispatchEvent(new Event("input"));
"""
FLAG = """
const flag = document.getElementById(arguments[0]);
flag.value = arguments[1];
flag.dispatchEvent(new Event("change"));
"""
DROP = """
const given = new DataTransfer();
given.items.add(new File([arguments[1]], arguments[0]));
dispatchEvent(new DragEvent("drop", { dataTransfer: given }));
"""
PAGE = checks.Page(Path(), ())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    try:
        paths()
    except ValueError as error:
        pytest.skip(str(error))
    with served(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture
def opened(server: Served) -> Iterator[Browser]:
    with browser() as started:
        started.look(checks.WIDE)
        started.open(server.address)
        said(started, "6 judged: 5 hold, 1 wrong")
        yield started


def said(opened: Browser, words: str, seconds: float = 60) -> None:
    """Wait for the closing line."""
    end = time.monotonic() + seconds
    while words not in (opened.evaluate(CLOSING) or ""):
        assert time.monotonic() < end, opened.evaluate(CLOSING)
        time.sleep(0.1)


@pytest.mark.slow
def test_the_page(opened: Browser, server: Served) -> None:
    assert [line.split("\n")[0].split()[1] for line in opened.evaluate(LINES)] == ["9", "10", "11", "12", "13", "14"]
    assert "✗ 13" in opened.evaluate("return document.getElementById('gutter').innerText")
    wrong = next(line for line in opened.evaluate(LINES) if "wrong" in line)
    assert "missing-1/m" in wrong
    assert "What holds: dW1 = dZ1 @ X.T / m" in wrong
    assert opened.evaluate("return document.querySelectorAll('#graph .name').length") == 11
    for check in (checks.fitting, checks.accessible, checks.keyboard):
        opened.look(checks.WIDE)
        assert not check(opened, PAGE).problems

    opened.evaluate("document.querySelector('#lines .bad button:not(.place)').click()")
    said(opened, "6 judged: 6 hold")
    assert "dW1 = dZ1 @ X.T / m\n" in opened.evaluate("return document.getElementById('text').value")

    opened.evaluate(TYPE, "dW1 = dZ1 @ X.T  # <img src=x onerror=alert(1)>\nq = <script>alert(1)</script>")
    said(opened, "wrong")
    assert opened.evaluate("return document.querySelectorAll('main img, main script').length") == 0

    opened.evaluate(DROP, "notes.md", "$$dZ^{[2]} = A^{[2]} - Y$$\n\n$$dW^{[2]} = dZ^{[2]} A^{[1]T} / m$$")
    said(opened, "2 judged: 2 hold")
    opened.evaluate(DROP, "net.py", "import time\nwhile True: time.sleep(1)\n")
    assert opened.evaluate("return document.getElementById('text').readOnly")
    opened.evaluate("document.getElementById('close').click()")
    said(opened, "6 judged: 5 hold, 1 wrong")
    opened.evaluate(TYPE, "dW2 = dZ2 @ A1.T / m")
    opened.evaluate(FLAG, "net", "4-5-3 relu,softmax")
    said(opened, "1 judged: 1 holds")
    opened.evaluate(FLAG, "penalty", "reg/2*W^2")
    said(opened, "1 judged: 1 wrong")
    opened.evaluate("document.getElementById('more').open = true")
    for wide in (checks.WIDE, checks.NARROW):
        opened.look(wide)
        for check in (checks.fitting, checks.accessible):
            assert not check(opened, PAGE).problems
    opened.evaluate(TYPE, "")
    said(opened, "Nothing is written yet.")

    own = f"http://127.0.0.1:{server.port}/"
    assert [each for each in opened.requests() if not each.startswith((own, "data:"))] == []
    assert opened.messages() == []
