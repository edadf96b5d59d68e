"""``python -m parity_tests [compare]``: the main job."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

from manual.layers import OUTPUT_UNITS
from manual.shared.cli import GOOD, MISMATCH, UsageError, console, default_jobs, door, output_flags
from parity_tests.comparison import run as job
from parity_tests.comparison.own_module import Own, compare_own, own_file
from parity_tests.comparison.tables import show, summary
from parity_tests.judging.judge import FAILS, Result
from torch_ref.devices import device_named

EPILOG = """examples:
  python -m parity_tests                         every formula and model, in float64
  python -m parity_tests -k dense                the formulas of a dense layer
  python -m parity_tests -k wide/digits --dtype both
  python -m parity_tests -k wide/wine --compile  what torch.compile makes of a model
  python -m parity_tests --json > results.json
  python -m parity_tests --module my_model.py:net --data run.npz     your own nn.Sequential, layer by layer

With --module the .py file is run, with the rights of whoever calls: give only what you would run yourself. Its process
has limits (a minute, 8 GB of memory, no writing of files) and ends with all that it started. The .npz is only read.
X has an example in every row, or images (m, n_C, n_H, n_W); Y class numbers, or a row of targets for every example.

exit code: 0 everything within its bound, 1 something is not, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the comparison."""
    parser.epilog = EPILOG
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only cases whose id contains TEXT")
    parser.add_argument("--dtype", choices=list(job.DTYPES), default="float64", help="default: float64")
    parser.add_argument("--device", default="cpu", help="where torch computes: auto, cpu, cuda, cuda:N or mps")
    short = "of torch's products; tf32 and bf16: the models alone, each layer under the bound of the format"
    parser.add_argument("--precision", choices=job.PRECISIONS, default="ieee", help=f"{short}; default: ieee")
    compiled = "the models alone, torch.compile'd: layer by layer, then whole; many seconds for each"
    parser.add_argument("--compile", dest="compiled", action="store_true", help=compiled)
    parser.add_argument("--seed", type=int, default=0, help="of probes, splits and initial weights; default: 0")
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="processes that share the work")
    own = parser.add_argument_group("your own module")
    own.add_argument(
        "--module", metavar="FILE.py:NAME", help="an nn.Sequential, or a function that gives one; FILE is run"
    )
    own.add_argument("--data", metavar="FILE.npz", help="X and Y, as torch takes them")
    own.add_argument(
        "--output", choices=OUTPUT_UNITS, help="of a module that ends in logits; default: what Y looks like"
    )
    output_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and say by the exit code whether everything holds."""
    if args.module or args.data or args.output:
        return _run_own(args)
    names = ("dtype", "device", "precision", "compiled", "seed", "jobs")
    asked = {name: getattr(args, name) for name in names}
    work = cast(list[job.Unit], door(job.units, args.text, **asked))
    parts = args.work.gather("parts of the comparison", job.run_all(work, args.jobs), len(work))
    return _report(args, [result for part in parts for result in part], {})


def _run_own(args: argparse.Namespace) -> int:
    """Compare a module of the user's."""
    if not (args.module and args.data):
        raise UsageError("expected --module FILE.py:NAME and --data FILE.npz, both of them")
    if args.text or args.seed < 0 or args.precision != "ieee" or args.compiled:
        rule = "it is compared alone"
        raise UsageError(f"expected neither -k, --precision, --compile nor a seed below 0 beside --module: {rule}")
    device = str(door(device_named, args.device))
    with args.work.bar(f"running {args.module}"):
        own = cast(Own, door(own_file, args.module, Path(args.data), args.output))
        results = job.on_device(device, lambda: compare_own(own, job.DTYPES[args.dtype], device, args.seed))
    if not (args.json or args.quiet):
        console().print(own.describe(), markup=False, soft_wrap=True)
    return _report(args, results, {"module": own.describe()})


def _report(args: argparse.Namespace, results: list[Result], about: dict[str, str]) -> int:
    """Print the results, and give the exit code."""
    if args.json:
        report = {
            **about,
            "environment": job.environment(args.device),
            "results": [result.as_json() for result in results],
            "summary": summary(results),
        }
        args.work.json(report)
    else:
        show(results, console(), quiet=args.quiet)
    return MISMATCH if any(result.verdict == FAILS for result in results) else GOOD
