"""``python -m parity_tests seeds``: the false-alarm run. Right code, many seeds: nothing may fail."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

import joblib
import numpy as np

from manual.shared.cli import (
    GOOD,
    MISMATCH,
    UsageError,
    console,
    default_jobs,
    in_processes,
    output_flags,
    plain_table,
    toy_datasets,
)
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, start
from parity_tests.comparison.random_networks import NAME, run_random
from parity_tests.comparison.run import one_thread
from parity_tests.comparison.snap import run_steps
from parity_tests.comparison.tables import describe
from parity_tests.formulas import CASES
from parity_tests.formulas.run import run_case
from parity_tests.judging.judge import FAILS, Ledger, Result, Where

EPILOG = """examples:
  python -m parity_tests seeds                    100 seeds of formulas, 5 of models, 1 of free runs, 200 networks
  python -m parity_tests seeds --count 1000       the long run: 1000, 50, 10 and 2000
  python -m parity_tests seeds --count 200 -k deep
  python -m parity_tests seeds --count 1000 -k "random networks"

exit code: 0 no false alarm, 1 a false alarm, 2 bad usage
"""

FORMULAS_PER_MODEL, FORMULAS_PER_FREE_RUN, NETWORKS_PER_FORMULA = 20, 100, 2
"""A model gets one seed for so many of a formula, and a free run one; of random networks there are more than seeds."""

RANDOM = "random networks"
"""The case of which every seed is another network."""

BATCH = 25
"""Seeds of a formula, or networks, that one piece of work runs."""


class Piece(NamedTuple):
    """Seeds of one case in one dtype, for one process."""

    kind: str
    case: str
    dtype: str
    seeds: range


class Tally(NamedTuple):
    """What came of a piece."""

    piece: Piece
    arrays: int
    untold: int
    worst: float
    failed: list[Result]


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--count", type=int, default=100, help="seeds of every formula; models get a twentieth, free "
                        "runs a hundredth, at least one; twice as many networks are drawn; default: 100")  # fmt: skip
    parser.add_argument("--first", type=int, default=0, help="the first seed; default: 0")
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only cases whose id contains TEXT")
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="processes that share the work")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run every seed, print a line per case, say by the exit code whether any failed."""
    for name, value, least in (("count", args.count, 1), ("first", args.first, 0), ("jobs", args.jobs, 1)):
        if value < least:
            raise UsageError(f"{name} is {value}, expected {least} or more")
    work = list(pieces(args.text, args.first, args.count))
    if not work:
        raise UsageError(f"-k is {args.text!r}, expected part of a case's id: no case has it")
    runs = in_processes((joblib.delayed(run_piece)(piece) for piece in work), args.jobs)
    tallies: list[Tally] = args.work.gather("batches of seeds", runs, len(work))
    failed = [result for tally in tallies for result in tally.failed]
    if args.json:
        args.work.json([_as_json(*line) for line in _lines(tallies)])
    else:
        _show(tallies, failed, quiet=args.quiet)
    return MISMATCH if failed else GOOD


def pieces(text: str, first: int, count: int) -> Iterator[Piece]:
    """The work in pieces; the long ones come first."""
    models = range(first, first + max(1, count // FORMULAS_PER_MODEL))
    free = range(first, first + max(1, count // FORMULAS_PER_FREE_RUN))
    for dtype in ("float64", "float32"):
        for model_case in MODEL_CASES:
            if text in model_case.id:
                yield from (Piece("model", model_case.id, dtype, range(seed, seed + 1)) for seed in models)
                yield from (Piece("free run", model_case.id, dtype, range(seed, seed + 1)) for seed in free)
        if text in RANDOM:
            networks = range(NETWORKS_PER_FORMULA * first, NETWORKS_PER_FORMULA * (first + count))
            yield from (Piece("network", RANDOM, dtype, seeds) for seeds in _batches(networks))
        for case in CASES:
            if text in case.id:
                seeds_of_case = range(first, first + count)
                yield from (Piece("formula", case.id, dtype, seeds) for seeds in _batches(seeds_of_case))


def _batches(seeds: range) -> Iterator[range]:
    return (seeds[begin : begin + BATCH] for begin in range(0, len(seeds), BATCH))


def run_piece(piece: Piece) -> Tally:
    """All seeds of a piece."""
    with one_thread():
        results = [result for seed in piece.seeds for result in _results(piece, seed)]
    return Tally(
        piece,
        sum(result.arrays for result in results),
        sum(result.cannot_tell for result in results),
        max(result.ratio for result in results),
        [result for result in results if result.verdict == FAILS],
    )


def _results(piece: Piece, seed: int) -> list[Result]:
    dtype = np.dtype(piece.dtype).type
    if piece.kind == "network":
        return _network(seed, dtype)
    if piece.kind == "formula":
        return run_case(next(case for case in CASES if case.id == piece.case), dtype, seed)
    case = next(case for case in MODEL_CASES if case.id == piece.case)
    begin = start(case, toy_datasets().load(case.dataset, seed=seed), dtype, seed)
    if piece.kind == "model":
        return run_steps(case, begin, case.steps, seed)
    return run_free(case, begin, case.free.steps, seed)


def _network(seed: int, dtype: Any) -> list[Result]:
    """A random network; one that raises an exception fails, and the others go on."""
    try:
        return run_random(seed, dtype)
    except Exception as error:
        ledger = Ledger(dtype, 1)
        ledger.fail(Where(f"{NAME}/{seed}", "network"), f"{type(error).__name__}: {error}")
        return ledger.results()


def _lines(tallies: list[Tally]) -> Iterator[tuple[tuple[str, str, str], list[Tally]]]:
    """Tallies by kind, case and dtype."""
    lines: dict[tuple[str, str, str], list[Tally]] = {}
    for tally in tallies:
        lines.setdefault(tally.piece[:3], []).append(tally)
    yield from lines.items()


def _as_json(line: tuple[str, str, str], tallies: list[Tally]) -> dict[str, object]:
    return {
        "kind": line[0],
        "case": line[1],
        "dtype": line[2],
        "seeds": sum(len(tally.piece.seeds) for tally in tallies),
        "arrays": sum(tally.arrays for tally in tallies),
        "cannot tell": sum(tally.untold for tally in tallies),
        "worst": max(tally.worst for tally in tallies),
        "false alarms": sum(len(tally.failed) for tally in tallies),
    }


def _show(tallies: list[Tally], failed: list[Result], *, quiet: bool) -> None:
    table = plain_table(
        "False alarms: right code, many seeds", ["case", "kind", "dtype"], ["seeds", "arrays", "cannot tell", "worst"]
    )
    for line, group in _lines(tallies):
        data = _as_json(line, group)
        alarms = data["false alarms"]
        table.add_row(
            line[1],
            line[0],
            line[2],
            *(str(data[name]) for name in ("seeds", "arrays", "cannot tell")),
            f"{data['worst']:.3f}",
            f"[bold red]{alarms} false alarms[/]" if alarms else "[green]none[/]",
        )
    out = console()
    if not quiet:
        out.print(table)
    for result in failed:
        out.print(describe(result), style="bold red")
    seeds = sum(len(tally.piece.seeds) for tally in tallies)
    arrays = sum(tally.arrays for tally in tallies)
    out.print(f"{seeds} runs over {arrays} arrays: {len(failed)} false alarms.")
