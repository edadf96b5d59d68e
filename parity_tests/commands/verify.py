"""``python -m parity_tests verify``: is a derivation right, and if not, which mistake was made?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, output_flags, plain_table
from parity_tests.derivations.settings import SETTINGS, listing, setting_named
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    HOLDS,
    NOT_JUDGED,
    NOTES_CONVENTION,
    WRONG,
    Judged,
    Summary,
    Verdict,
)

if TYPE_CHECKING:
    from parity_tests.derivations.engine.networks import Network

EPILOG = """examples:
  python -m parity_tests verify "dW1 = dZ1 @ X.T" --setting shallow
  python -m parity_tests verify derivation.txt              one assignment a line, # comments
  python -m parity_tests verify my_network.txt              with a forward pass of its own: J is what it computes
  python -m parity_tests verify my_network.py               a program that trains: J is what it computes
  python -m parity_tests verify my_backprop.py              functions named like the public ones
  python -m parity_tests verify "dW2 = dZ2 @ A1.T / m" --net "4-5-3 relu,softmax" --l2 "reg/2*W^2"
  python -m parity_tests verify --data run.npz --setting shallow
  python -m parity_tests verify "v_corrected = v / (1 - beta1)" --setting adam
  python -m parity_tests verify --settings                  what can be judged, with symbols and shapes
  python -m parity_tests verify --settings --setting deep

A .py file is run, with the rights of whoever calls: give only what you would run yourself. Its process has limits (20
seconds, a program 60; 2 GB of memory; no writing of files) and ends with all that it started. Text and .npz files are
only read.

Every line or function is accounted for: judged, a helper of a judged one, or not judged, with the reason.

exit code: 0 everything holds, 1 something is wrong or cannot be told, 2 bad usage,
           3 nothing is wrong, but something was not judged
"""

NOT_ALL = 3
"""The exit code where nothing is wrong, and something was not judged."""

MARKS = {HOLDS: "[green]holds[/]", WRONG: "[bold red]wrong[/]"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("derivation", nargs="?", help="a formula, or a file that ends in .txt or .py")
    parser.add_argument("--setting", help="what J is and which symbols exist; default: the first that knows every name")
    parser.add_argument(
        "--l2", nargs="?", const=True, default=False, metavar="PENALTY",
        help="J has the penalty lambda/(2m) sum W^2; with --net the one that is written, such as 'reg/2*W^2'",
    )  # fmt: skip
    parser.add_argument("--net", metavar="SIZES UNITS", help="the network of the lines, such as '4-5-3 relu,softmax'")
    parser.add_argument(
        "--cost", help="its J: cross_entropy or squared_error, then half, and sum or mean, such as squared_error,half"
    )
    parser.add_argument("--layout", help="whether its examples are rows or columns; default: what fits the lines")
    parser.add_argument("--no-bias", action="store_true", help="it has no biases")
    parser.add_argument("--chain", action="store_true", help="judge each line on the writer's own values")
    parser.add_argument("--strict", action="store_true", help="know the notes' conventions alone")
    parser.add_argument("--data", metavar="FILE", help="a .npz of your own X, Y, W1, b1, ..., dZ1, dW1, ...")
    parser.add_argument(
        "--call", default="", help='how a .py file is called: "net = Net(3, 5); net.train(X, y)"; np is there'
    )
    parser.add_argument("--seed", type=int, default=0, help="of the probes; default: 0")
    parser.add_argument("--settings", action="store_true", help="list the settings, or the symbols of one")
    output_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge, print, and say by the exit code whether everything holds."""
    try:
        return _run(args)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _run(args: argparse.Namespace) -> int:
    if isinstance(args.l2, str) and args.derivation is None and args.data is None:
        args.l2, args.derivation = True, args.l2  # --l2 stands before the formula
    if args.seed < 0:
        raise UsageError(f"seed is {args.seed}, expected 0 or more")
    if args.settings:
        return _list_settings(args)
    if (args.derivation is None) == (args.data is None):
        raise UsageError("expected a formula, a .txt or .py file, or --data with a .npz file: one of them")
    judged = _judged(args)
    if args.json:
        args.work.json(judged.as_json())
    else:
        show(judged, console(), quiet=args.quiet)
    return exit_code(judged.summary)


def exit_code(summary: Summary) -> int:
    """What the counts say to a script: what is wrong before what was not judged."""
    if summary.wrong or summary.cannot_tell:
        return MISMATCH
    return NOT_ALL if summary.not_judged else GOOD


def _judged(args: argparse.Namespace) -> Judged:
    if args.data is not None:
        from parity_tests.derivations.own.data import verify_data

        return verify_data(_file(args.data), args.setting, l2=bool(args.l2))
    if args.derivation.endswith(".py"):
        from parity_tests.derivations.own.program_file import verify_file

        return verify_file(_file(args.derivation), call=args.call, seed=args.seed, strict=args.strict)
    from parity_tests.derivations.verify import verify

    net = _network(args)
    text = args.derivation
    if text.endswith(".txt"):
        text = _file(text).read_text(encoding="utf-8", errors="replace")
    judged = verify(text, args.setting, l2=bool(args.l2), chain=args.chain, seed=args.seed, strict=args.strict, net=net)
    return judged._replace(source=args.derivation)


def _network(args: argparse.Namespace) -> Network | None:
    """The network that the flags describe, None where they describe none."""
    flags = {"--cost": args.cost, "--layout": args.layout, "--no-bias": args.no_bias}
    if args.net is None:
        alone = [flag for flag, value in flags.items() if value]
        if alone or isinstance(args.l2, str):
            raise UsageError(
                f"{alone[0] if alone else '--l2 with a formula'} says more about a network, expected --net with it"
            )
        return None
    if args.setting or args.chain or args.l2 is True:
        flag = "--setting" if args.setting else "--chain" if args.chain else "--l2 without a formula"
        raise UsageError(f"{flag} belongs to settings, expected --net without it")
    from parity_tests.derivations.engine.networks import network

    return network(args.net, args.cost or "", args.layout or "", args.l2 or "", biases=not args.no_bias)


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"the file {name} was not found")
    return path


def show(judged: Judged, out: Console, *, quiet: bool = False) -> None:
    """What it was judged against, and each line with its verdict; ``quiet`` those alone that do not hold.

    A wrong line has what to do about it, one that was not judged has the reason; the closing line counts them all.
    """
    if not quiet:
        for row in against(judged):
            out.print(_plain(row), soft_wrap=True)
    for verdict in judged.lines:
        if quiet and verdict.verdict == HOLDS:
            continue
        _show_line(verdict, out)
    out.print(_plain(closing(judged)), soft_wrap=True)


def against(judged: Judged) -> list[str]:
    """J, the network, the layout and the referees, in two sentences."""
    text = judged.cost.text
    symbol, equals, formula = text.partition(" = ")
    rows = [f"{symbol} is {formula}." if equals and symbol.isidentifier() else f"{text}."] if text else []
    if judged.layout:
        rows.append(f"{judged.layout[0].upper()}{judged.layout[1:]}. Referees: {' and '.join(judged.referees)}.")
    if judged.convention not in ("", NOTES_CONVENTION):
        rows.append(f"Convention: {judged.convention}.")
    return rows


def _show_line(verdict: Verdict, out: Console) -> None:
    mark = MARKS.get(verdict.verdict, f"[yellow]{verdict.verdict}[/]")
    place = f"line {verdict.line}: " if verdict.line else ""
    text = verdict.text or verdict.target
    if verdict.verdict == HOLDS:
        ids = f" ({', '.join(verdict.formula_ids)})" if verdict.formula_ids else ""
        what = verdict.message.partition(" holds, ")[2].removesuffix(".")
        out.print(f"{place}{_plain(text)}  {mark}{_plain(f', {what}{ids}' if what else ids)}", soft_wrap=True)
        note = verdict.message.partition(" holds.")[2].strip()
        if note:
            out.print(f"    {_plain(note)}", soft_wrap=True)
        return
    cause = f" \\[{_plain(verdict.cause)}]" if verdict.cause and verdict.cause != AMBIGUOUS else ""
    if verdict.cause == AMBIGUOUS:
        cause = f" \\[ambiguous: {_plain(', '.join(verdict.causes))}]"
    out.print(f"{place}{_plain(text)}  {mark}{cause}", soft_wrap=True)
    for row in verdict.message.splitlines():
        out.print(f"    {_plain(row)}", soft_wrap=True)


def closing(judged: Judged) -> str:
    """The counts in words: 7 judged: 6 hold, 1 wrong; not judged: 2 (q, dB); 3 helpers."""
    left = [f"line {line.line}" if line.line else line.target for line in judged.lines if line.verdict == NOT_JUDGED]
    named = f"{len(left)} ({', '.join(left)})" if left else "none"
    parts = [judged.summary.sentence, f"not judged: {named}"]
    if judged.summary.helpers:
        parts.append(f"{judged.summary.helpers} helper{'s' if judged.summary.helpers > 1 else ''}")
    return "; ".join(parts) + "."


def _plain(text: str) -> str:
    """The text with rich's markup switched off."""
    return text.replace("[", "\\[")


def _list_settings(args: argparse.Namespace) -> int:
    out, name = console(), args.setting
    chosen = SETTINGS.values() if name is None else [setting_named(name)]
    if args.json:
        about = [(each, {"setting": each.name, "what": each.summary, "J": each.cost}) for each in chosen]
        args.work.json([{**texts, "symbols": [row._asdict() for row in listing(each)]} for each, texts in about])
        return GOOD
    if name is None:
        table = plain_table("Settings", ["setting", "what it is", "J"], verdict=False)
        for setting in SETTINGS.values():
            table.add_row(setting.name, _plain(setting.summary), _plain(setting.cost))
        out.print(table)
        return GOOD
    setting = setting_named(name)
    table = plain_table(f"{setting.name}: {setting.summary}", ["symbol", "shape", "meaning", "judged"], verdict=False)
    for row in listing(setting):
        table.add_row(*(_plain(str(cell)) if not isinstance(cell, bool) else ("yes" if cell else "") for cell in row))
    out.print(table)
    out.print(_plain(setting.cost))
    return GOOD
