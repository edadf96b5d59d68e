"""What verify makes of many formulas: wrong ones must get their mistake's name, right ones must never be called wrong.

``python -m parity_tests.tests.chores.derivations [--seeds N]``: the confusion matrix of the test-bed and of mutations
of the right formulas, then every right formula of every setting on N seeds. Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import joblib
import torch

from manual.shared.cli import default_jobs
from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.setting import derivation_of
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.matrix import figures, outcomes
from parity_tests.derivations.testbed.wrong import Wrong
from parity_tests.derivations.verdicts import HOLDS
from parity_tests.tests.derivations.right_formulas import rights_of

TOP, LISTED, MOST_AMBIGUOUS = 0.85, 0.95, 0.10
"""The bars: top cause right, right or among those listed, ambiguous at most."""

MUTATIONS: tuple[tuple[str, str, str], ...] = (
    (r"\(1/m\) \* ", "", "missing-1/m"),
    (r" / m$", "", "missing-1/m"),
    (r"^", "(1/m) * ", "double-1/m"),
    (r"^", "-", "sign"),
    (r"(\w+)\.T @ (dZ\w*)", r"\1 @ \2", "transpose-missing"),
    (r"@ (\w+)\.T", r"@ \1", "transpose-missing"),
    (r" @ ", " * ", "star-for-matmul"),
    (r"axis=1", "axis=0", "db-wrong-axis"),
    (r", keepdims=True", "", "keepdims-missing"),
    (r", axis=1, keepdims=True", "", "db-summed-over-all"),
    (r"(g\d?)'\(", r"\1(", "g-for-gprime"),
    (r"g(\d)'\(Z\1\)", r"g\1'(A\1)", "gprime-at-a"),
    (r" \* g\d?'\(Z\d?\)", "", "gprime-missing"),
    (r"lambda_? ?/ ?m", "lambda_", "l2-not-over-m"),
    (r"\(lambda_? ?/ ?m\)", "(lambda_/(2*m))", "l2-factor-2"),
    (r" \+ \(lambda_? ?/ ?\w+\) \* [Ww]\d?(\[[^\]]*\])?", "", "l2-missing"),
    (r" \+ b\d?$", "", "bias-missing"),
    (r"alpha \* ", "", "learning-rate-missing"),
)
"""Mistakes made by rewriting the text of a right formula: pattern, replacement, cause."""

WHERE = re.compile(r"^(Z|A|J|d[AZWbwz]|[Wbw])")
"""Targets that the mutations are made in."""


def mutated() -> Iterator[Wrong]:
    """Wrong formulas made from the right ones by one mutation of their text; those that happen to hold are left out."""
    for setting in SETTINGS.values():
        for l2 in (False, True):
            for name, target in setting.targets.items():
                if not WHERE.match(name) or (l2 and target.right_l2 == target.right):
                    continue
                right = target.formula(l2)
                if "\n" not in right:
                    yield from _mutations_of(setting.name, name, right, target.kind, l2)


def _mutations_of(setting: str, name: str, right: str, kind: str, l2: bool) -> Iterator[Wrong]:
    for pattern, replacement, cause in MUTATIONS:
        if cause == "double-1/m" and kind not in ("derivative", "gradient"):
            continue
        if cause == "double-1/m" and setting == "logistic-one":
            continue  # one example: there is no m
        if cause in ("db-wrong-axis", "keepdims-missing", "db-summed-over-all") and not name.startswith("db"):
            continue
        if (cause == "sign" and right.startswith("-")) or (cause == "learning-rate-missing" and kind != "update"):
            continue
        wrong = re.sub(pattern, replacement, right, count=1)
        if wrong != right:
            yield Wrong(setting, f"{name} = {wrong}", cause, l2)


def right_formulas(name: str, l2: bool) -> list[tuple[str, Program]]:
    """Every formula of a setting that holds, by target."""
    return [
        (symbol, parse(derivation_of(symbol, right)))
        for symbol in setting_named(name).targets
        for right in rights_of(name, symbol, l2)
    ]


def alarms(name: str, l2: bool, seeds: range) -> tuple[int, list[tuple[str, str, bool, int]]]:
    """How many judgements were made, and the false alarms among them: setting, formula, l2 and seed."""
    torch.set_num_threads(1)
    setting, formulas = setting_named(name), right_formulas(name, l2)
    found: list[tuple[str, str, bool, int]] = []
    for seed in seeds:
        probe = setting.probe(seed, l2)
        for symbol, program in formulas:
            value = run(program, setting.environment(probe, symbol))[symbol]
            if not all(agrees(value, referee[symbol]) for referee in probe.truths):
                found.append((name, f"{symbol} = {program.statements[0]}", l2, seed))
    return len(formulas) * len(seeds), found


def show_matrix() -> bool:
    """Print how often each mistake was given each name; whether every bar is met."""
    wrongs = list(dict.fromkeys((*TESTBED, *mutated())))
    # a mutation may leave the formula right
    found = [each for each in outcomes(wrongs) if each.wrong in TESTBED or each.verdict.verdict != HOLDS]
    names = Counter((each.wrong.cause, each.verdict.cause or each.verdict.verdict) for each in found)
    for (made, named), times in sorted(names.items()):
        print(f"{made} -> {named}: {times}")
    shares = figures(found)
    print(", ".join(f"{name}: {value}" for name, value in shares.items()) + ".")
    good = shares["top cause right"] >= TOP and shares["right or listed"] >= LISTED
    return bool(good and shares["ambiguous"] <= MOST_AMBIGUOUS and not shares["called right"])


def show_alarms(seeds: int) -> bool:
    """Print every right formula that is called wrong; whether there is none."""
    pieces = [(name, l2) for name in SETTINGS for l2 in ((False, True) if SETTINGS[name].penalised else (False,))]
    parts = joblib.Parallel(n_jobs=default_jobs())(joblib.delayed(alarms)(*piece, range(seeds)) for piece in pieces)
    found = [alarm for _, some in parts for alarm in some]
    for setting, formula, l2, seed in found:
        print(f"false alarm: {setting}, seed {seed}, l2 {l2}: {formula}")
    print(f"{sum(judged for judged, _ in parts)} judgements of right formulas: {len(found)} false alarms.")
    return not found


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the wrong ones, then the right ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="of every right formula; default: 100")
    args = parser.parse_args(argv)
    return 0 if all([show_matrix(), show_alarms(args.seeds)]) else 1


if __name__ == "__main__":
    sys.exit(main())
