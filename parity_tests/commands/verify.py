"""``python -m parity_tests verify``: is a derivation right, and if not, which mistake was made?"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from manual.shared.cli import GOOD, UsageError, console, output_flags, plain_table
from parity_tests.derivations.own.answers import Answer, Options, answers, verify_path
from parity_tests.derivations.own.fixed import fix, name_of_copy
from parity_tests.derivations.own.flags import Flags
from parity_tests.derivations.own.printed import exit_code, plain, rows_of_latex, show, show_table
from parity_tests.derivations.own.reports import write_csv, write_html, write_junit
from parity_tests.derivations.own.sources import Found, found, is_file_name
from parity_tests.derivations.settings import SETTINGS, listing, setting_named
from parity_tests.derivations.verdicts import (
    Judged,
)

EPILOG = """examples:
  python -m parity_tests verify "dW1 = dZ1 @ X.T" --setting shallow
  python -m parity_tests verify derivation.txt              one assignment a line, # comments
  python -m parity_tests verify my_network.txt              with a forward pass of its own: J is what it computes
  python -m parity_tests verify my_network.py               a program that trains: J is what it computes
  python -m parity_tests verify my_backprop.py              functions named like the public ones
  python -m parity_tests verify submissions --csv marks.csv every file of a folder, a row each
  python -m parity_tests verify "dW2 = dZ2 @ A1.T / m" --net "4-5-3 relu,softmax" --l2 "reg/2*W^2"
  python -m parity_tests verify --data run.npz --setting shallow
  python -m parity_tests verify notes.md                    formulas in LaTeX, in a .md, .tex or .ipynb file
  python -m parity_tests verify my_network.py --fix         a copy with all repairs, my_network.fixed.py
  python -m parity_tests verify "v_corrected = v / (1 - beta1)" --setting adam
  python -m parity_tests verify --settings                  what can be judged, with symbols and shapes
  python -m parity_tests verify --settings --setting deep

A formula, a .txt or .md text and a .npz file are only read. A .py file and the code cells of a notebook are run, here
and with the rights of whoever calls: give only what you would run yourself. Each runs in a process of its own, and
ends with all that it started: after 60 seconds in which it works or sleeps (a file of functions known by their names:
20), with more than 2 GB of memory, or more than 64 processes. It cannot write, rename or remove files, nor reach the
network by Python's sockets, and nobody answers input(); it can read what you can read. What it prints or plots is
dropped.

Of a folder every .py, .ipynb, .txt, .md and .tex file is judged, at every depth; hidden files and folders, links to
folders, virtual environments and __pycache__ are left out, and counted. A table that numpy.loadtxt does not find is
drawn instead, a .txt that open does not find is made up, and that is said. A file that cannot be judged is a row of
the table, with the reason. In a notebook, "cell 3" is the third code cell; lines for IPython and the shell are left
out, and said.

With --reference solution.py the others are called as the teacher's file is, with its arguments, where they have its
functions; and J is of the kind of its cost, also where a file writes another one, or none.

A note's formulas are judged in what its own sections take for granted: layers as [l], (l), ^l or _l, examples in
columns or rows, one example or m, the cost. What holds in another convention is doubtful, with the convention; what
cannot be read is said with the place. --layout, --cost and --let say more about a note. In its --json error, bound and
ratio are null: whether the two sides of a formula are equal is found on small numbers, without a bound of rounding.

--fix writes net.fixed.py beside net.py, never over a file that is there: with the repairs that hold in it on three
seeds. Of the file itself nothing is changed, and the exit code is that of the file as it is.

Every line or function is accounted for: judged, a helper of a judged one, or not judged, with the reason.

exit code: 0 everything holds, 1 something is wrong or cannot be told, 2 bad usage,
           3 nothing is wrong, but something was not judged, or J is not written and another usual one would not do
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument(
        "derivation", nargs="*", help="a formula; or files and folders: .py, .ipynb, .txt, .md and .tex, at every depth"
    )
    parser.add_argument("--setting", help="what J is and which symbols exist; default: the first that knows every name")
    parser.add_argument(
        "--l2", nargs="?", const=True, default=False, metavar="PENALTY",
        help="J has the penalty lambda/(2m) sum W^2; with --net the one that is written, such as 'reg/2*W^2'",
    )  # fmt: skip
    parser.add_argument("--net", metavar="SIZES UNITS", help="the network of the lines, such as '4-5-3 relu,softmax'")
    parser.add_argument(
        "--cost",
        help="its J: cross_entropy or squared_error, then half, and sum or mean, such as squared_error,half; of a text "
        "without --net the name of J; of a .py file the name of a value or function, or a formula in its names, such "
        "as 'np.mean((out - y)**2)'",
    )
    parser.add_argument("--layout", help="whether its examples are rows or columns; default: what fits the lines")
    parser.add_argument(
        "--let", metavar="H=A1", help="of a note: what a letter of its own stands for; several with commas"
    )
    parser.add_argument("--no-bias", action="store_true", help="it has no biases")
    parser.add_argument("--chain", action="store_true", help="judge each line on the writer's own values")
    parser.add_argument("--strict", action="store_true", help="know the notes' conventions alone")
    parser.add_argument("--data", metavar="FILE", help="a .npz of your own X, Y, W1, b1, ..., dZ1, dW1, ...")
    parser.add_argument(
        "--call", default="", help='how a .py file is called: "net = Net(3, 5); net.train(X, y)"; np is there'
    )
    parser.add_argument("--grads", default="", metavar="NAMES", help="what the call returns, in order, such as dW1,db1")
    parser.add_argument(
        "--reference",
        metavar="FILE",
        help="a teacher's file: the others are called as it is, and J is of its kind",
    )
    parser.add_argument("--fix", action="store_true", help="write a repaired copy beside the file: net.fixed.py")
    parser.add_argument("--seed", type=int, default=0, help="of the probes; default: 0")
    parser.add_argument("--settings", action="store_true", help="list the settings, or the symbols of one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="files at a time; default: the cores")
    parser.add_argument("--csv", metavar="FILE", help="write a row for each file")
    parser.add_argument("--html", metavar="FILE", help="write a page: each line with its verdict, and what holds")
    parser.add_argument("--latex", action="store_true", help="print the derivation as LaTeX, what is wrong repaired")
    parser.add_argument("--junit", metavar="FILE", help="write JUnit's XML: a test case for each line")
    output_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Judge, print, and say by the exit code whether everything holds."""
    try:
        return _run(args)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _run(args: argparse.Namespace) -> int:
    if isinstance(args.l2, str) and not args.derivation and args.data is None:
        args.l2, args.derivation = True, [args.l2]  # --l2 stands before the formula
    if args.seed < 0:
        raise UsageError(f"seed is {args.seed}, expected 0 or more")
    if args.jobs < 1:
        raise UsageError(f"jobs is {args.jobs}, expected 1 or more")
    if args.settings:
        return _list_settings(args)
    if bool(args.derivation) == (args.data is not None):
        raise UsageError("expected a formula, files or folders, or --data with a .npz file: one of them")
    _files_to_fix(args)
    for flag in ("csv", "junit", "html"):
        _place_for(flag, getattr(args, flag))
    if len(args.derivation) > 1 or any(map(os.path.isdir, args.derivation)):
        return _many(args, found(args.derivation))
    with args.work.bar("judging"):
        judged = _judged(args)
        file = Path(args.derivation[0]) if args.fix else None
        fixed = fix(file, judged, _options(args, [file])) if file else None
    only = Answer(judged.source, judged)
    _write([only], args)
    if args.json:
        args.work.json(judged.as_json() | ({"fixed": fixed.as_json()} if fixed else {}))
    elif args.latex:
        for row in rows_of_latex(judged):
            print(row)
    else:
        show(judged, console(), quiet=args.quiet)
    if fixed and not args.json:
        console().print(plain(fixed.sentence), soft_wrap=True)
    return exit_code(only)


def _files_to_fix(args: argparse.Namespace) -> None:
    """Refuse --fix for what is no file; and before anything is judged where the one copy is there already."""
    if not args.fix:
        return
    if args.data is not None or args.latex:
        raise UsageError(f"--fix writes a copy of a derivation, and {'--data' if args.data else '--latex'} has none")
    formulas = [each for each in args.derivation if not is_file_name(each)]
    if formulas:
        raise UsageError(f"--fix writes a copy of a file, got the formula {formulas[0]!r}")
    if len(args.derivation) == 1 and os.path.lexists(copy := name_of_copy(Path(args.derivation[0]))):
        raise UsageError(f"--fix would write {copy}, which is there already: move it, no file is written over")


def _many(args: argparse.Namespace, files: Found) -> int:
    """Judge several files, and print a row for each."""
    options = _options(args, files.files)
    parts = answers(files.files, options, min(args.jobs, len(files.files)))
    rows = args.work.gather("files", parts, len(files.files))
    wrong = [row for row in rows if args.fix and row.judged is not None and row.summary.wrong]
    copies = {row.file: fix(Path(row.file), row.judged, options) for row in wrong if row.judged}
    _write(rows, args)
    if args.json:
        fixed = {file: {"fixed": each.as_json()} for file, each in copies.items()}
        args.work.json([row.as_json() | fixed.get(row.file, {}) for row in rows])
    else:
        show_table(rows, files, console(), quiet=args.quiet)
        for file, each in copies.items():
            console().print(plain(f"{file}: {each.sentence}"), soft_wrap=True)
    return exit_code(*rows)


def _write(rows: Sequence[Answer], args: argparse.Namespace) -> None:
    """The reports in files."""
    for name, write in ((args.csv, write_csv), (args.junit, write_junit), (args.html, write_html)):
        if name:
            write(rows, Path(name))


def _place_for(flag: str, name: str | None) -> None:
    """Refuse a report's name before anything is judged where it cannot be written there."""
    if name and (Path(name).is_dir() or not Path(name).absolute().parent.is_dir()):
        raise UsageError(f"--{flag} is {name}, expected a file in a folder that is there")


def _options(args: argparse.Namespace, files: Sequence[Path]) -> Options:
    """How the flags have these files judged."""
    if args.reference:
        _file(args.reference)
    return _flags(args).options(files)


def _flags(args: argparse.Namespace) -> Flags:
    return Flags(**{flag: getattr(args, flag) for flag in Flags._fields if getattr(args, flag) is not None})


def _judged(args: argparse.Namespace) -> Judged:
    """What is said of a formula, of one file, or of a file of numbers."""
    if args.data is not None:
        from parity_tests.derivations.own.data import verify_data

        _flags(args).refuse_with_numbers()
        return verify_data(_file(args.data), args.setting, l2=bool(args.l2))
    (text,) = args.derivation
    if is_file_name(text):
        path = _file(text)
        return verify_path(path, _options(args, [path]))
    from parity_tests.derivations.verify import verify

    told = _options(args, [])
    setting, l2, chain, seed, strict, net, *_ = told
    return verify(text, setting, l2=l2, chain=chain, seed=seed, strict=strict, net=net, cost=told.named)


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"the file {name} was not found")
    return path


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
            table.add_row(setting.name, plain(setting.summary), plain(setting.cost))
        out.print(table)
        return GOOD
    setting = setting_named(name)
    table = plain_table(f"{setting.name}: {setting.summary}", ["symbol", "shape", "meaning", "judged"], verdict=False)
    for row in listing(setting):
        table.add_row(*(plain(str(cell)) if not isinstance(cell, bool) else ("yes" if cell else "") for cell in row))
    out.print(table)
    out.print(plain(setting.cost))
    return GOOD
