"""Conventions in which a derivation is right that the notes would call wrong: a row each, with its setting.

Each names the row of the convention map (``parity_tests.conventions``) that explains the difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from parity_tests.derivations.settings.optimisers import ADAM, ADAM_TEXT, RULES, in_the_names_of_the_paper
from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Numbers, Setting, Values

if TYPE_CHECKING:
    from parity_tests.derivations.settings.problem import TextProblem

Factor: TypeAlias = Callable[[Values], float]
"""A factor as a function of what a problem is given: its sizes and numbers."""


class Reading(NamedTuple):
    """A convention in words, its row of the convention map, and the setting as it reads then.

    A derivation is read so where at least ``least`` lines hold that do not in the notes' convention, one of ``telling``
    among them, and fewer are left that do not. Where it is ``whole``, as a rule of several lines is, all of ``telling``
    must be assigned, and everything must hold. Where names are ``absent``, it must have gradients, and none of these.
    """

    words: str
    row: str
    setting: Setting
    telling: frozenset[str]
    whole: bool = False
    least: int = 2
    absent: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        """The convention, and where it is explained."""
        return f"{self.words} (row {self.row} of the conventions)" if self.row else self.words


class Scale(NamedTuple):
    """A convention by factors, of kinds of values or of single names, and where it can be met.

    ``telling`` is empty for all deltas and costs that the setting judges; ``cost`` is J over the notes' J, where it is
    another; ``least`` is that of Reading.
    """

    words: str
    row: str
    factors: Mapping[str, Factor]
    settings: tuple[str, ...]
    telling: tuple[str, ...] = ()
    cost: str = ""
    least: int = 2


def _m(given: Values) -> float:
    return float(given["chunk_size" if "chunk_size" in given else "m"])


def _n_L(given: Values) -> float:
    return float(len(given["Y"]))


def _over_outputs(factor: float) -> dict[str, Factor]:
    """A cost that is ``factor`` times the notes', over the number of outputs, and all its derivatives."""
    return dict.fromkeys(("cost", "gradient", "derivative"), lambda given: factor / _n_L(given))


def _with_m(factors: Mapping[str, Factor]) -> dict[str, Factor]:
    """The same where the deltas carry the 1/m too."""
    delta = factors["derivative"]
    return {**factors, "derivative": lambda given: delta(given) / _m(given)}


DELTA, GRADIENT = "derivative", "gradient"
_SQUARED = ("regression", "sigmoid-squared-error", "softmax-squared-error")
_DENSE = (
    "logistic", "shallow", "deep", "multilabel", "softmax", *_SQUARED, "relu-hidden", "sigmoid-hidden", "four-layers",
    "rows", "dropout-network",
)  # fmt: skip
_NETWORKS = (*_DENSE, "minibatch", "logistic-ones")
_SEVERAL = ("deep", "multilabel", "softmax", *_SQUARED)
_COSTS = ("binary_cross_entropy", "cross_entropy", "squared_error")
_BIASED = (*_DENSE, "labels", "labels-hidden")


def _minus(given: Values) -> float:
    return -1.0


SCALES = (
    Scale("deltas carry the 1/m", "layout.dZ", _with_m({DELTA: lambda given: 1.0}), _NETWORKS),
    Scale("deltas carry the 1/m", "layout.dZ", _with_m({DELTA: lambda given: 1.0}), _COSTS, least=1),
    Scale("dZ carries the 1/m", "layout.dZ", _with_m({DELTA: lambda given: 1.0}), ("convolution",), ("dW", "db")),
    Scale(
        "dscores is per example", "layout.dZ", dict.fromkeys(("dscores", "dh", "dZ1"), _m), ("labels", "labels-hidden")
    ),
    Scale("deltas carry a minus", "", {DELTA: _minus}, _NETWORKS),
    Scale("deltas carry a minus and the 1/m", "layout.dZ", _with_m({DELTA: _minus}), _NETWORKS),
    Scale("deltas and gradients carry a minus", "", {DELTA: _minus, GRADIENT: _minus}, _NETWORKS),
    Scale(
        "deltas and gradients carry a minus, deltas the 1/m",
        "layout.dZ",
        _with_m({DELTA: _minus, GRADIENT: _minus}),
        _NETWORKS,
    ),
    *(
        Scale(words + more, row, change(_over_outputs(factor)), settings, (), f"{factor}/n_L", least)
        for words, row, factor, settings, least in (
            ("J is a mean over the outputs too", "costs.several_outputs", 1, _SEVERAL, 2),
            ("J is a mean over the outputs too", "costs.several_outputs", 1, _COSTS, 1),
            ("J is the mean of the squares, without the half", "costs.squared_error", 2, _SQUARED, 2),
            ("J is the mean of the squares, without the half", "costs.squared_error", 2, ("squared_error",), 1),
        )
        for change, more in ((dict, ""), (_with_m, ", and deltas carry its 1/m"))
    ),
    Scale("D carries 1/keep_prob", "dropout.probability", {"D": lambda given: 1 / given["keep_prob"]}, ("dropout",)),
)
"""Factors that people's values carry, and the notes' do not."""


PAPER = reference(in_the_names_of_the_paper(ADAM_TEXT))
NAMES = "those of the paper: m, v"


@cache
def readings_of(setting: Setting) -> tuple[Reading, ...]:
    """The conventions that a setting may be read in."""
    rules = [
        Reading(rule.words, rule.row, rule.as_setting, frozenset(rule.right), whole=True)
        for rule in RULES
        if rule.setting is setting
    ]
    names = [Reading(f"the names are {NAMES}", "optimizers.adam", PAPER, frozenset({"m"}))]
    names += [
        Reading(f"{rule.words}; the names are {NAMES}", rule.row, reference(in_the_names_of_the_paper(rule.written())),
                frozenset({"m", "v", "W"}), whole=True)
        for rule in RULES
        if rule.setting is ADAM
    ]  # fmt: skip
    scales = [_scaled(scale, setting) for scale in SCALES if setting.name in scale.settings]
    bare = [_without_biases(each, setting) for each in (None, *scales) if setting.name in _BIASED]
    return (*rules, *(names if setting is ADAM else ()), *scales, *bare)


def _without_biases(scale: Reading | None, setting: Setting) -> Reading:
    """A model that has no biases, in the notes' convention or in another: no line reads one, or gives its gradient."""
    read = scale.setting if scale else setting
    biases = {name for name, target in setting.targets.items() if name.startswith("b") and target.kind == "update"}
    biases |= {symbol.name for symbol in setting.symbols if symbol.name == "b"}
    gone = biases | {f"d{name}" for name in biases}
    absent = frozenset(gone | {alias for alias, name in setting.aliases.items() if name in gone})
    sums = frozenset(name for name in setting.targets if re.fullmatch(r"Z\d*|scores", name))
    words, row, telling = ("", "", sums) if scale is None else (f"{scale.words}, and ", scale.row, scale.telling)
    bare = replace(read, draw=lambda numbers: read.draw(numbers).unbiased())
    return Reading(f"{words}the model has no biases", row, bare, telling, least=3 if scale else 1, absent=absent)


def _scaled(scale: Scale, setting: Setting) -> Reading:
    """Deltas that are given, as the dZ of a convolution, are scaled too."""
    factors: dict[str, Factor] = {}
    for symbol in setting.symbols:
        target = setting.targets.get(symbol.name)
        given = target is None and re.fullmatch(r"d[AZ]\w*", symbol.name)
        kind = target.kind if target else DELTA if given else ""
        factor = scale.factors.get(symbol.name) or scale.factors.get(kind)
        if factor:
            factors[symbol.name] = factor
    telling = scale.telling or tuple(
        name for name in factors if name in setting.targets and setting.targets[name].kind != GRADIENT
    )

    def drawn(numbers: Numbers) -> TextProblem:
        problem = setting.draw(numbers)
        given = problem.given()
        return problem.scaled({name: factor(given) for name, factor in factors.items()})

    read = replace(setting, draw=drawn)
    if scale.cost:
        read = replace(read, cost=setting.cost.replace("J = ", f"J = {scale.cost} times ", 1))
    return Reading(scale.words, scale.row, read, frozenset(telling or scale.factors), least=scale.least)
