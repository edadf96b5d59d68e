"""The kinds of check, as small functions: each takes a statement and gives a ``Check`` that judges it on a seed.

``at`` holds the symbols of a setting of verify with their true values (``at.W1``, ``at.dZ2``, ``at.m``), and
``at.rng`` for what else is drawn.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from parity_tests.derivations import verdicts
from parity_tests.derivations.agreement import compare
from parity_tests.derivations.mistakes.search import counts
from parity_tests.derivations.settings import setting_named
from parity_tests.derivations.settings.setting import generator
from parity_tests.derivations.verify import verify
from parity_tests.notes.row import COUNT, EXPERIMENT, FORMULA, IDENTITY, SHAPE, SNIPPET, Check, Finding

At: TypeAlias = Any
"""The symbols of a setting by attribute."""

Value: TypeAlias = Any
"""What is computed from them."""

ERRORS = (TypeError, ValueError, RuntimeError, IndexError)
"""What NumPy and torch raise for arrays and arguments that do not fit."""


def formula(text: str, setting: str, *, l2: bool = False, cause: str = "") -> Check:
    """A formula, or several lines, through verify: on three probes, against torch and the complex step."""

    def judge(seed: int) -> Finding:
        bad = [
            each
            for each in verify(text, setting, l2=l2, seed=seed, strict=True).lines
            if each.verdict != verdicts.HOLDS
        ]
        if not bad:
            return Finding(True, "equal to rounding")
        untold = bad[0].verdict == verdicts.CANNOT_TELL
        return Finding(None if untold else False, numbers(bad[0]), bad[0].causes or (bad[0].cause,))

    return Check(FORMULA, text.strip().splitlines()[0] if "\n" not in text.strip() else text.strip(), judge, cause)


def same(text: str, setting: str, pair: Callable[[At], tuple[Any, Any]], *, cause: str = "") -> Check:
    """Two values, equal to rounding: the statement's and the true one."""

    def judge(seed: int) -> Finding:
        at = symbols(setting, seed)
        try:
            with np.errstate(all="ignore"):
                got, expected = pair(at)
        except ERRORS as error:
            return Finding(False, raised(error), (type(error).__name__,))
        found = compare(got, expected)
        if found.holds:
            return Finding(True, "equal to rounding" if found.error else "equal")
        return Finding(False if found.wrong else None, f"it {verdicts.explain(found, '', counts(vars(at)))}")

    return Check(IDENTITY, text, judge, cause)


def shaped(text: str, setting: str, pair: Callable[[At], tuple[Any, tuple[int, ...]]], *, cause: str = "") -> Check:
    """The shape of a value, and the one that the statement gives it."""

    def judge(seed: int) -> Finding:
        try:
            value, expected = pair(symbols(setting, seed))
        except ERRORS as error:
            return Finding(False, raised(error), (type(error).__name__,))
        shape = np.shape(value)
        if shape == expected:
            return Finding(True, f"{shape}")
        return Finding(False, f"the shape is {shape}, not {expected}")

    return Check(SHAPE, text, judge, cause)


def count(text: str, pair: Callable[[], tuple[Any, Any]], *, cause: str = "") -> Check:
    """Whole numbers, or tuples of them: what is counted, and what the statement says."""

    def judge(seed: int) -> Finding:
        try:
            found, said = pair()
        except ERRORS as error:
            return Finding(False, raised(error), (type(error).__name__,))
        return Finding(True, f"{found}") if found == said else Finding(False, f"{found}, not {said}")

    return Check(COUNT, text, judge, cause)


def snippet(code: Callable[[], Any], expected: Any, *, cause: str = "") -> Check:
    """Code of the notes as a function of this project: what it gives, entry by entry, or the error that it raises."""

    def judge(seed: int) -> Finding:
        try:
            got = code()
        except ERRORS as error:
            return Finding(False, raised(error), (type(error).__name__,))
        if np.shape(got) == np.shape(expected) and np.array_equal(got, expected):
            return Finding(True, "runs, and gives what it should")
        return Finding(False, f"gives {flat(got)}, not {flat(expected)}")

    return Check(SNIPPET, source(code), judge, cause)


def experiment(text: str, run: Callable[[int], Any], holds: Callable[[Any], bool], show: str) -> Check:
    """A claim about a run whose numbers vary with the seed: ``run`` gives figures, ``holds`` has a wide margin."""

    def judge(seed: int) -> Finding:
        figures = run(seed)
        return Finding(bool(holds(figures)), show.format(**figures._asdict()))

    return Check(EXPERIMENT, text, judge)


def symbols(setting: str, seed: int) -> SimpleNamespace:
    """The symbols of a setting on the numbers of a seed, and a generator of their own; "" has the generator alone."""
    return SimpleNamespace(**_environment(setting, seed), rng=generator("notes", seed))


@lru_cache(maxsize=64)
def _environment(setting: str, seed: int) -> dict[str, Any]:
    return setting_named(setting).probe(seed).environment if setting else {}


def numbers(verdict: verdicts.Verdict) -> str:
    """What verify saw, without the diagnosis that follows in its message."""
    for diagnosis in (f": {verdicts.teach(verdict.cause)}.", ": ambiguous, ", ": no small change "):
        seen, found, _ = verdict.message.partition(diagnosis)
        if found:
            return seen
    return verdict.message.removesuffix(".")


def raised(error: Exception) -> str:
    """An error in one line: of NumPy's long sentences the beginning, or the part that matters, in brackets."""
    text = str(error).splitlines()[0]
    if text.endswith(")") and len(text) > 100:
        text = text[text.rindex("(") + 1 : -1]
    return f"{type(error).__name__}: {text.partition(', and ')[0].partition('. ')[0]}"


def flat(value: Any) -> str:
    """A value in one line."""
    return " ".join(str(value).split())


def source(code: Callable[[], Any]) -> str:
    """What a snippet says: the body of its function, without docstring, remarks and the word return."""
    body = inspect.getsource(code).split('"""')[-1].strip().splitlines()
    lines = [line.split("  # ")[0].strip().removeprefix("return ") for line in body]
    return "; ".join(line for line in lines if line)
