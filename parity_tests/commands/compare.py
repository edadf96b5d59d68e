"""``python -m parity_tests [compare]``: the main job."""

from __future__ import annotations

import argparse
import json
import sys
from typing import cast

from manual.cli import GOOD, MISMATCH, console, default_jobs, door, progress
from parity_tests import comparison as job
from parity_tests.judge import FAILS, Result
from parity_tests.tables import show

EPILOG = """examples:
  python -m parity_tests                         every formula and model, in float64
  python -m parity_tests -k dense                the formulas of a dense layer
  python -m parity_tests -k wide/digits --dtype both
  python -m parity_tests --json > results.json

exit code: 0 everything within its bound, 1 something is not, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the comparison."""
    parser.epilog = EPILOG
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only cases whose id contains TEXT")
    parser.add_argument("--dtype", choices=list(job.DTYPES), default="float64", help="default: float64")
    parser.add_argument("--device", default="cpu", help="where torch computes: auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--seed", type=int, default=0, help="of probes, splits and initial weights; default: 0")
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="processes that share the work")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and say by the exit code whether everything holds."""
    with progress("comparing") as advance:
        results = cast(
            list[Result],
            door(
                job.compare,
                args.text,
                dtype=args.dtype,
                device=args.device,
                seed=args.seed,
                jobs=args.jobs,
                on_progress=advance,
            ),
        )
    if args.json:
        report = {
            "environment": job.environment(args.device),
            "results": [result.as_json() for result in results],
            "summary": job.summary(results),
        }
        json.dump(report, sys.stdout, indent=1)
        print()
    else:
        show(results, console())
    return MISMATCH if any(result.verdict == FAILS for result in results) else GOOD
