"""What may be asked of the server, and by whom: the page of this machine's own browser, opened with its key."""

from __future__ import annotations

import hmac
import json
import secrets
import select
import socket
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from parity_tests.derivations.settings import SETTINGS
from parity_tests.serve.examples import EXAMPLES
from parity_tests.serve.given import read
from parity_tests.serve.work import BusyError, EndedError, Processes

HOST = "127.0.0.1"

LARGEST = 8 * 2**20
"""Bytes of a request."""

SILENCE = 20
"""Seconds that whoever asks may be silent."""

PAGE = Path(__file__).parent / "page"
STYLES = Path(__file__).parents[1] / "report" / "templates" / "style.css"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own files, and the answers of this server."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class RefusedError(Exception):
    """A request that is not answered: the status, and why, in a sentence."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Server(ThreadingHTTPServer):
    """A thread for every request; ``key`` is what the page's address carries, new at every start.

    Other users of the machine reach the port too, and what is judged may be a program: so the key, and not the
    address alone, says who asks.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        self.key = secrets.token_urlsafe(18)
        self.processes = Processes()
        super().__init__((HOST, port), Handler)
        self.files = {
            "/script.js": ("text/javascript", (PAGE / "script.js").read_bytes()),
            "/style.css": ("text/css", STYLES.read_bytes() + (PAGE / "style.css").read_bytes()),
            "/start.json": ("application/json", json.dumps(start()).encode()),
        }

    @property
    def address(self) -> str:
        """Where the page is, with the key."""
        return f"http://{HOST}:{self.server_port}/?key={self.key}"

    def server_close(self) -> None:
        """End the processes too."""
        super().server_close()
        self.processes.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever went away in the middle is no error."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = SILENCE
    server_version, sys_version = "derivation-parity", ""

    def do_GET(self) -> None:
        """The page and its files."""
        self._within(self._page)

    def do_POST(self) -> None:
        """A text or a file to judge."""
        self._within(self._judge)

    def _within(self, work: Any) -> None:
        """Do it, or say why not."""
        try:
            self._from_here()
            work()
        except RefusedError as error:
            self._say({"problem": str(error)}, error.status)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _from_here(self) -> None:
        """Refuse what another page, or a name that leads here, has asked."""
        hosts = [f"{name}:{self.server.server_port}" for name in (HOST, "localhost")]
        host = self.headers.get_all("Host") or []
        if len(host) != 1 or host[0] not in hosts:
            raise RefusedError(HTTPStatus.FORBIDDEN, f"the host is {', '.join(host)!r}, expected {hosts[0]}")
        origins = self.headers.get_all("Origin") or []
        if any(origin != f"http://{host[0]}" for origin in origins) or len(origins) > 1:
            raise RefusedError(HTTPStatus.FORBIDDEN, f"the origin is {', '.join(origins)!r}, expected http://{host[0]}")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise RefusedError(HTTPStatus.FORBIDDEN, "another site asked, expected this page")

    def _page(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/":
            self._with_key(*parse_qs(parts.query).get("key", []))
            self._send("text/html", (PAGE / "index.html").read_bytes())
        elif parts.path in self.server.files:
            self._send(*self.server.files[parts.path])
        else:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here, expected the address that serve printed")

    def _judge(self) -> None:
        if self.path != "/judge":
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here, expected /judge")
        self._with_key(*(self.headers.get_all("X-Key") or []))
        if not self.headers.get("Origin"):
            raise RefusedError(HTTPStatus.FORBIDDEN, "the origin is missing, expected that of the page")
        if self.headers.get_content_type() != "application/json":
            kind = self.headers.get_content_type()
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content is {kind}, expected application/json")
        body = self._body()
        try:
            given = read(json.loads(body))
        except (ValueError, RecursionError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, " ".join(str(error).split())) from error
        try:
            self._say(self.server.processes.answer(given, self._gone))
        except BusyError as error:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"{error}: try again") from error
        except EndedError as error:
            self._say({"source": given.name, "problem": str(error), "lines": []})

    def _with_key(self, *keys: str) -> None:
        if len(keys) != 1 or not hmac.compare_digest(keys[0].encode(), self.server.key.encode()):
            why = "the key is missing or wrong, expected the address that serve printed"
            raise RefusedError(HTTPStatus.FORBIDDEN, why)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not length.isascii() or not length.isdigit():
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "the length is missing, expected Content-Length")
        if len(length) > 12 or int(length) > LARGEST:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request has {length[:12]} bytes, expected {LARGEST} at most"
            )
        return self.rfile.read(int(length))

    def _gone(self) -> bool:
        """Whether whoever asked has hung up: the page does so when something newer is typed."""
        with suppress(OSError, ValueError):
            if select.select([self.connection], [], [], 0)[0]:
                return not self.connection.recv(1, socket.MSG_PEEK)
        return False

    def _say(self, data: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send("application/json", json.dumps(data).encode(), status)

    def _send(self, kind: str, content: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
        with suppress(ConnectionError, TimeoutError):
            self.send_response(status)
            for name, value in HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request of a browser gets a sentence too."""
        self._say({"problem": message or HTTPStatus(code).phrase}, HTTPStatus(code))

    def log_message(self, *_: Any) -> None:
        """Nothing is logged: the address has the key."""


def start() -> dict[str, Any]:
    """What the page begins with: examples and settings."""
    return {
        "examples": [each._asdict() for each in EXAMPLES],
        "settings": [{"name": each.name, "what": each.summary, "J": each.cost} for each in SETTINGS.values()],
    }
