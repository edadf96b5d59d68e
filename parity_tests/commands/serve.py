"""``python -m parity_tests serve``: a page on this machine in which derivations are judged as they are typed."""

from __future__ import annotations

import argparse
import threading
import webbrowser

from manual.shared.cli import GOOD, UsageError, quiet_flag

EPILOG = """examples:
  python -m parity_tests serve                          opens the page in the browser
  python -m parity_tests serve --no-browser --port 0    prints its address, at any free port

The page is judged by the same engine as verify judges files. It is reached from this machine alone, by the address that
is printed, whose key is new at every start. Texts are only read; a .py file or a notebook that is dropped on the page
is run here, with your rights and within verify's limits: drop only what you would run yourself. Ctrl-C ends it.

exit code: 0 ended by Ctrl-C, 2 bad usage
"""

PORT, LAST = 8642, 65535


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--port", type=int, default=PORT, help=f"of this machine; 0: any free one; default: {PORT}")
    parser.add_argument("--no-browser", action="store_true", help="print the address alone")
    quiet_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    if not 0 <= args.port <= LAST:
        raise UsageError(f"port is {args.port}, expected 0 to {LAST}")
    from parity_tests.serve.server import Server

    try:
        server = Server(args.port)
    except OSError as error:
        raise UsageError(f"port is {args.port}, expected a free one: {error.strerror}; --port 0 takes any") from error
    with server:
        print(server.address, flush=True)
        if not args.quiet:
            print("Ctrl-C ends it.", flush=True)
        threading.Thread(target=server.processes.warm, daemon=True).start()
        if not args.no_browser:
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return GOOD
    return GOOD
