"""A headless Chromium, driven by Selenium, and what its developer tools say of a page."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.common.print_page_options import PrintOptions

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""What it may be called."""

FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-ipc-flooding-protection",  # hundreds of anchors are gone to
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # a request to the outside is logged, and gets nothing
)

OWN_PAGES = ("chrome:", "chrome-untrusted:", "chrome-search:", "chrome-extension:", "devtools:")
"""Schemes of the pages that Chromium itself opens beside the one it is told to, such as that of a new tab."""

TIMEOUT = 300
"""Seconds that a script in the page may take."""


class View(NamedTuple):
    """A window in one of the two colour schemes; a narrow one behaves like a phone's."""

    width: int
    height: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.width} px {self.scheme}"

    @property
    def phone(self) -> bool:
        """Whether a phone has such a window: it respects the page's viewport."""
        return self.width < 600


class Browser:
    """A page in Chromium: it is opened, looked at in several views, examined by scripts, printed."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def open(self, page: Path | str) -> None:
        """Load a file, or an address; what was logged of the page before is forgotten."""
        for name in ("browser", "performance"):
            self._log(name)
        self._driver.get(page if isinstance(page, str) else page.resolve().as_uri())

    def look(self, view: View, media: str = "screen") -> None:
        """Take another window, colour scheme or medium."""
        screen = {"width": view.width, "height": view.height, "deviceScaleFactor": 1 + view.phone, "mobile": view.phone}
        scheme = {"name": "prefers-color-scheme", "value": view.scheme}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})

    def run(self, script: str, *given: object) -> Any:
        """What a script of this folder returns, called with ``given``."""
        return self.evaluate(f"{_script('common')}\n{_script(script)}", *given)

    def evaluate(self, source: str, *given: object) -> Any:
        """What JavaScript returns, called with ``given``; a promise is waited for."""
        return self._driver.execute_script(f"return (async () => {{ {source} }})()", *given)

    def press_tab(self) -> None:
        """Go on to the next thing that the keyboard reaches."""
        ActionChains(self._driver).send_keys(Keys.TAB).perform()

    def messages(self) -> list[str]:
        """Warnings and errors on the page's console since it was opened or they were asked for."""
        logged = [entry for entry in self._log("browser") if entry["level"] in ("WARNING", "SEVERE")]
        return [entry["message"] for entry in logged if not entry["message"].startswith(OWN_PAGES)]

    def requests(self) -> list[str]:
        """Every address that the page asked for since it was opened or they were asked for."""
        logged = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [
            each["params"].get("request", each["params"])["url"]
            for each in logged
            if each["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated")
            and not each["params"].get("documentURL", "").startswith(OWN_PAGES)
        ]

    def _log(self, name: str) -> list[dict[str, Any]]:
        """What was logged since it was last read."""
        entries: list[dict[str, Any]] = self._driver.get_log(name)  # type: ignore[no-untyped-call]
        return entries

    def pdf(self) -> bytes:
        """The page on A4."""
        options = PrintOptions()
        options.set_page_size(PrintOptions.A4)
        return base64.b64decode(self._driver.print_page(options))


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium of its own, gone at the end.

    Raises ValueError where Chromium or its driver is not installed.
    """
    chromium, driver = paths()
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    flags = (*FLAGS, "--no-sandbox") if os.geteuid() == 0 else FLAGS  # root has no sandbox
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for flag in (*flags, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        started = webdriver.Chrome(options=options, service=Service(driver))
        try:
            started.set_script_timeout(TIMEOUT)
            yield Browser(started)
        finally:
            started.quit()


def paths() -> tuple[str, str]:
    """Chromium and its driver.

    Raises ValueError where one of them is not installed.
    """
    chromium = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        raise ValueError("chromium or chromedriver not found: apt install chromium chromium-driver")
    return chromium, driver


@cache
def _script(name: str) -> str:
    return (Path(__file__).parent / "scripts" / f"{name}.js").read_text(encoding="utf-8")
