"""Mine against theirs: every array that both have, in order, the first that differs, its cause, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.differences.causes import NAMES, Sides, roots_by_patterns, roots_by_rebuilding, roots_by_trace
from parity_tests.differences.judged import (
    AGREES,
    CANNOT_TELL,
    DIFFERS,
    Entry,
    Root,
    entries_of,
    format_of_pairs,
    per_example,
    spreads,
)
from parity_tests.differences.names import (
    GIVEN,
    Quantity,
    examples_of,
    known_numbers,
    marked,
    matched,
    read_quantities,
    real_arrays,
    some,
)
from parity_tests.differences.trace import Trace


class Difference(NamedTuple):
    """What came of two sets of numbers. True where all that both have agrees, and nothing was left out.

    ``conventions`` say under which convention arrays agree that are not the same numbers.
    """

    entries: tuple[Entry, ...]
    roots: tuple[Root, ...]
    mine_alone: tuple[str, ...]
    theirs_alone: tuple[str, ...]
    not_compared: tuple[str, ...]
    conventions: tuple[Root, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of the verdicts."""
        found = {entry.verdict for entry in self.entries}
        return DIFFERS if DIFFERS in found else AGREES if found == {AGREES} else CANNOT_TELL

    @property
    def exit_code(self) -> int:
        """0 all agrees, 1 something differs, 3 nothing differs, and something of mine was not compared."""
        left = self.mine_alone or self.not_compared or self.verdict == CANNOT_TELL
        return 1 if self.verdict == DIFFERS else 3 if left else 0

    def __bool__(self) -> bool:
        """Whether all agrees."""
        return self.exit_code == 0

    def __str__(self) -> str:
        """The roots in order, then the counts."""
        lines = []
        for place, root in enumerate(self.roots):
            entry = next(each for each in self.entries if each.name == root.name)
            lines.append(f"{'first' if not place else 'then'}: {entry.name} {_numbers(entry)}")
            lines.append(f"    {root.text}{f' (conventions: {root.row})' if root.row else ''}")
            if root.follows:
                lines.append(f"    what follows from it: {', '.join(root.follows)}")
        said = {name for root in self.roots for name in (root.name, *root.follows)}
        rest = [each.name for each in self.entries if each.verdict == DIFFERS and each.name not in said]
        if rest:
            lines.append(f"also different, and behind it: {', '.join(rest)}")
        for each in self.conventions:
            lines.append(f"right under a convention (conventions: {each.row}): {each.text}")
        agree, differ, untold = (sum(e.verdict == v for e in self.entries) for v in (AGREES, DIFFERS, CANNOT_TELL))
        lines.append(f"{len(self.entries)} arrays compared: {agree} agree, {differ} differ, {untold} cannot tell")
        left = {"mine alone": self.mine_alone, "theirs alone": self.theirs_alone, "not compared": self.not_compared}
        for words, names in left.items():
            if names:
                lines.append(f"{words}, {len(names)}: {some(names)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        """What a prompt shows."""
        return str(self)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        entries = [
            {
                **{name: getattr(each, name) for name in ("name", "mine", "theirs", "stage", "verdict", "note")},
                **{n: v if np.isfinite(v := getattr(each, n)) else None for n in ("error", "bound", "ratio")},
                "shape": each.expected.shape,
                "worst_index": each.worst_index,
            }
            for each in self.entries
        ]
        names = ("mine_alone", "theirs_alone", "not_compared", "verdict")
        roots = {n: [each._asdict() for each in getattr(self, n)] for n in ("roots", "conventions")}
        return {"entries": entries, **roots, **{n: getattr(self, n) for n in names}}


@np.errstate(all="ignore")  # numbers may be of any kind
def diff(
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
    called: tuple[str, str] = NAMES,
) -> Difference:
    """Compare two sets of arrays by name: forward values, gradients, and the parameters after a step, in this order.

    ``names`` gives their name for a name of mine where they do not match by themselves: W1, conv1.weight and weights1
    are the same, dW1, W1_grad, grad_W1 and fc1.weight.grad, and W1_new; layouts are recognised. Bounds come from the
    shortest format of what differs: float64, float32, float16, bfloat16, also where it is stored in a longer one.
    ``called`` is what a cause calls the two sides.

    Raises ValueError where no array of one has a counterpart in the other.
    """
    ours, bad = real_arrays(mine)
    others, worse = real_arrays(theirs)
    quantities = read_quantities(ours), read_quantities(others)
    found = matched(*quantities, names or {})
    if not found.pairs:
        raise ValueError(
            f"no name of mine ({some(ours)}) matches one of theirs ({some(others)}), expected --map or names"
        )
    kind = format_of_pairs([(a.value, b.value) for a, b in found.pairs])
    numbers = known_numbers(mine, theirs)
    m = int(numbers["m"]) if "m" in numbers else examples_of({b.show: b.value for _, b in found.pairs})
    entries, conventions = per_example(entries_of(found.pairs, kind, m), m)
    roots: list[Root] = []
    if any(each.verdict == DIFFERS for each in entries):
        given = {each.show: each.value for side in quantities for each in side if each.stage == GIVEN}
        roots = roots_by_rebuilding(entries, kind, numbers, called, given)
        roots = roots or roots_by_patterns(entries, Sides(*called, m, numbers))
    return Difference(tuple(entries), tuple(roots), found.mine, found.theirs, (*bad, *worse), conventions)


@np.errstate(all="ignore")
def diff_module(mine: Mapping[str, Any], trace: Trace, names: Mapping[str, str] | None = None) -> Difference:
    """Compare a person's arrays with what a module computes, its gradients, and one step of its optimiser.

    Raises ValueError where no array has a name of the module's.
    """
    ours, bad = real_arrays(mine)
    quantities = []
    for n, (key, (aliases, stage, _)) in enumerate(trace.values.items()):
        if key in trace.base:
            shown = tuple(marked(stage, alias) for alias in aliases)
            quantities.append(Quantity(key, stage, shown, trace.base[key], (n,), shown[0]))
    found = matched(read_quantities(ours), quantities, names or {})
    if not found.pairs:
        have = some([each.show for each in quantities])
        raise ValueError(f"no name of mine ({some(ours)}) is one of the module's ({have}), expected names")
    kind = format_of_pairs([(a.value, b.value) for a, b in found.pairs])
    numbers, m = known_numbers(mine), len(trace.X)
    entries, conventions = per_example(entries_of(found.pairs, kind, m, spreads(trace, kind)), m)
    roots = roots_by_trace(trace, entries, found.keys, Sides(m=m, numbers=numbers))
    return Difference(tuple(entries), tuple(roots), found.mine, (), tuple(bad), conventions)


def _numbers(entry: Entry) -> str:
    """The numbers of a root, in words."""
    if entry.note.startswith("shape"):
        return f"differs: {entry.note}"
    where = f" at {list(entry.worst_index)}" if entry.worst_index else ""
    a, b = entry.got[entry.worst_index], entry.expected[entry.worst_index]
    return f"differs{where}: mine {a:.6g}, theirs {b:.6g}, error / bound {entry.ratio:.2g}"
