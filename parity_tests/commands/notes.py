"""``python -m parity_tests notes``: the errata of the notes, with every row executed."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from rich.markup import escape

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, default_jobs, output_flags, plain_table
from parity_tests.notes.errata import as_json, checks_table, errata_table, refutations, selected, sentence, summary
from parity_tests.notes.row import ERRATA, VERDICTS, Row
from parity_tests.notes.run import find_alarms, run_rows, seed_pieces

NOTES = ("N0", "N1", "N2", "N3", "N4")

EPILOG = """examples:
  python -m parity_tests notes                    all 266 rows
  python -m parity_tests notes --wrong            what the notes have wrong, and misprints
  python -m parity_tests notes --note N3 -k dW    rows of one note, with a text in them
  python -m parity_tests notes -k F100 --checks   with every check of the row, and what it saw
  python -m parity_tests notes --read notes       what the reader of LaTeX says of the files themselves
  python -m parity_tests notes --seeds 1000       the false-alarm run

A row holds what a note says, what is true, and checks: statements that must hold, and false alternatives, first of all
the wrong lines of the notes themselves, that must be rejected.

exit code: 0 every row comes out as it says, 1 one does not, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--wrong", action="store_true", help="only rows that are wrong as written, or misprinted")
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only rows with TEXT in them, such as F100")
    parser.add_argument("--note", choices=NOTES, default="", help="only rows of this note")
    parser.add_argument("--checks", action="store_true", help="also print every check: what had to hold, and what not")
    parser.add_argument(
        "--read",
        metavar="FOLDER",
        help="hold what the LaTeX of the five notes in this folder says to the rows",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the numbers that are drawn; default: 0")
    parser.add_argument("--seeds", type=int, metavar="N", help="the false-alarm run: right formulas on N seeds, "
                        "experiments and false alternatives on a fiftieth of them")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="processes that share the work")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the rows, print them, say by the exit code whether every one comes out as it says."""
    for name, value, least in (("seed", args.seed, 0), ("seeds", args.seeds, 1), ("jobs", args.jobs, 1)):
        if value is not None and value < least:
            raise UsageError(f"{name} is {value}, expected {least} or more")
    if args.seeds is not None:
        return _show_alarms(args)
    rows = selected(args.text, args.note, args.wrong)
    if not rows:
        raise UsageError(f"-k is {args.text!r}, expected a text that a row has, such as F100 or dW: none has it")
    if args.read is not None:
        return _show_readings(args, rows)
    outcomes = args.work.gather("rows", run_rows(rows, seed=args.seed, jobs=args.jobs), len(rows))
    counts = summary(outcomes)
    if args.json:
        args.work.json({"rows": [as_json(outcome) for outcome in outcomes], "summary": counts})
    else:
        out = console()
        if not args.quiet:
            out.print(errata_table(outcomes))
        if args.checks and not args.quiet:
            out.print(checks_table(outcomes))
        for line in refutations(outcomes):
            out.print(escape(line), style="bold red", soft_wrap=True)
        out.print(_counted(counts), soft_wrap=True)
    return MISMATCH if counts["refuted"] else GOOD


def _show_readings(args: argparse.Namespace, rows: list[Row]) -> int:
    """Each row beside what was read of it; 1 where a right row was called wrong."""
    from parity_tests.notes.reading import DIFFERS, figures, judged_notes, readings

    try:
        found = readings(rows, judged_notes(Path(args.read)))
    except (ValueError, OSError) as error:
        raise UsageError(str(error)) from error
    counts = Counter(each.outcome for each in found)
    if args.json:
        args.work.json({"rows": [each.as_json() for each in found], "summary": counts})
    else:
        table = plain_table("The notes' own text", ["row", "the row says", "the text", "mistakes"], verdict=False)
        for each in found:
            table.add_row(each.id, each.verdict, each.outcome, escape(", ".join(each.causes)))
        if not args.quiet:
            console().print(table)
        console().print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) + ".")
        console().print(f"{figures(rows, found)}.", soft_wrap=True)
    return MISMATCH if any(each.outcome == DIFFERS and each.verdict not in ERRATA for each in found) else GOOD


def _counted(counts: dict[str, int]) -> str:
    """The counts in sentences."""
    verdicts = ", ".join(f"{verdict} {counts[verdict]}" for verdict in VERDICTS)
    right, false = counts["right statements"], counts["false alternatives"]
    return (
        f"{counts['rows']} rows: {verdicts}; {counts['not checked']} of them no machine can check.\n"
        f"{right} statements had to hold, {false} false ones to be rejected; {counts['refuted']} rows are refuted."
    )


def _show_alarms(args: argparse.Namespace) -> int:
    """Run the seeds, print the alarms and the counts."""
    pieces = seed_pieces(args.seeds)
    found = args.work.gather("batches of seeds", find_alarms(pieces, jobs=args.jobs), len(pieces))
    judged, alarms = sum(some for some, _ in found), [alarm for _, some in found for alarm in some]
    if args.json:
        sentences = [{"seed": alarm.seed, "says": sentence(alarm.id, alarm.judged)} for alarm in alarms]
        args.work.json({"seeds": args.seeds, "judgements": judged, "alarms": sentences})
        return MISMATCH if alarms else GOOD
    out = console()
    for alarm in alarms:
        out.print(escape(f"seed {alarm.seed}, {sentence(alarm.id, alarm.judged)}"), style="bold red", soft_wrap=True)
    out.print(f"{judged} judgements on {args.seeds} seeds: {len(alarms)} came out otherwise than their row says.")
    return MISMATCH if alarms else GOOD
