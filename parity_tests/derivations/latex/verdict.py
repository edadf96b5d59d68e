"""The verdict on a claim: holds, wrong with a cause and a repair, or doubtful with the convention in which it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from math import isclose

from parity_tests.derivations.latex.alternatives import (
    LEFT_SIDE,
    alternatives,
    broken_chain,
    changed,
    one_change_away,
    other_values,
    with_brackets,
)
from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.conventions import LAYOUTS, Conventions, Taken
from parity_tests.derivations.latex.diagnosis import (
    MOST,
    Mistake,
    another_target,
    diagnoses,
    rule_of,
    simpler_size,
    two_mistakes,
)
from parity_tests.derivations.latex.frames import layers_are_guessed
from parity_tests.derivations.latex.identities import identical, index_of_entry, inlined, names_matrices
from parity_tests.derivations.latex.judge import (
    COLUMNS,
    SAME,
    Meant,
    holds,
    in_the_first_layer,
)
from parity_tests.derivations.latex.kinds import depends_on_cost, is_loss, is_of_a_sum, names_products
from parity_tests.derivations.latex.own_forward import is_function
from parity_tests.derivations.latex.references import COSTS, Convention
from parity_tests.derivations.latex.repairs import Known, repairs
from parity_tests.derivations.latex.rewritten import affordable, latex_of, rewritings
from parity_tests.derivations.latex.sides import NAMED_FUNCTIONS
from parity_tests.derivations.latex.symbols import LARGE, MEANINGS, SIZE, STEP
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Floor,
    Negative,
    NotReadError,
    Number,
    Operation,
    Symbol,
    Transposed,
    symbols_of,
    walk,
)
from parity_tests.derivations.latex.wording import UNTOLD, equation, held_by_the_notes, said, wrong
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, Verdict, not_judged, teach

BRACKETS = "brackets-missing"
CONVENTIONAL = {
    "epsilon-inside-root": "holds where epsilon is added under the root",
    "bias-missing": "holds where there are no biases",
}
"""What is a convention in a note, by the mistake that it is elsewhere."""


class Judge:
    """Judges the claims of a note in what its sections take for granted."""

    def __init__(self, conventions: Conventions, weights: list[float]) -> None:
        self.conventions, self.weights = conventions, weights
        self.sections: dict[int, Taken] = {}
        self.unknown: dict[int, bool] = {}
        named = ((is_function(each), each) for each in conventions.claims)
        self.functions = {letter: each for letter, each in named if letter and letter not in NAMED_FUNCTIONS}
        """The functions of the note's own, by their letters."""

    def taken(self, section: int) -> Taken:
        """What a section takes for granted."""
        if section not in self.sections:
            self.sections[section] = self.conventions.of_section(section)
        return self.sections[section]

    def verdict(self, number: int) -> Verdict:
        """The verdict on the claim of that number."""
        claim = self.conventions.claims[number]
        main = self.taken(claim.section).convention._replace(one=not self.conventions.many[number])
        if claim.given is not None:
            costs = [main._replace(cost=cost, one=False) for cost in COSTS]
            held = next((each for each in costs if self.holds(claim._replace(right=claim.given), each)), None)
            if held is None:
                return said(claim, NO_CLAIM, "the left side has no name")
            main = held
        if inlined(claim.target, self.functions) != claim.target:
            why = "not read: a function of the note's own."
            return self.identity(claim) or not_judged("", claim.line, claim.text, why)
        try:
            if claim.identity and names_matrices((claim.target, claim.right)):
                raise NotReadError("an equation of matrices")
            read = self.conventions.read(claim, main)
        except NotReadError as error:
            return self.unread(claim, number, main, str(error))
        for each in read:
            if holds(each):
                alone = main.turned and set(self.taken(claim.section).lines.get("layout", ())) == {claim.line}
                if "disputed" in self.taken(claim.section).settled and names_products(claim) and each.target[:1] == "d":
                    other = main._replace(rows=not main.rows)
                    return said(
                        claim, DOUBTFUL, f"holds {main.against(other)}, in which another line does not", each.target
                    )
                if alone and each.target.startswith("dW"):  # which says of itself how weights lie
                    return said(claim, DOUBTFUL, f"holds {main.against(main._replace(turned=False))}", each.target)
                return self.misprint(claim) or held_by_the_notes(claim, each)
        if main.rows and not any(each.base in LARGE for each in symbols_of((claim.target, claim.right))):
            lone = main._replace(rows=False, turned=False, one=True)  # a lone example is a column for all that
            if self.holds(claim, lone):
                return held_by_the_notes(claim, read[0])
        settled = self.settled(claim, number)
        also = ""
        for other in alternatives(claim, main):
            if not self.holds(claim, other):
                continue
            parts = changed(main, other)
            strict = self.conventions.told.strict or parts & settled
            if strict and not ("layout" in parts and _defines_weights(read[0], main, other)):
                also = also or other.against(main)
                continue
            return said(claim, DOUBTFUL, f"holds {other.against(main)}", read[0].target)
        if not read[0].target:
            summed = main._replace(total=True)
            if not main.total and is_of_a_sum(claim):
                if self.conventions.holds(number, summed):
                    return said(claim, DOUBTFUL, f"holds {summed.against(main)}")
                with suppress(NotReadError):
                    read = [*read, *self.conventions.read(claim, summed)]
            return self.of_entries(claim, read)
        lower = in_the_first_layer(claim, self.conventions.styles[claim.section], main, self.conventions.told.let)
        if lower is not None and holds(lower):
            return said(claim, DOUBTFUL, "holds for l = 1", read[0].target)
        return self.mistaken(claim, read, settled, also)

    def has_unknown_letters(self, section: int) -> bool:
        """Whether a letter of a section's forward pass has no meaning: then others may have another one, too."""
        if section not in self.unknown:
            self.unknown[section] = any(
                each.section == section and isinstance(each.target, Symbol) and not each.target.accents
                and MEANINGS.get(each.target.base) in ("Z", "A") and self.is_unknown(each)
                for each in self.conventions.claims
            )  # fmt: skip
        return self.unknown[section]

    def is_unknown(self, claim: Claim) -> bool:
        """Whether a claim is not read for a letter in it."""
        try:
            self.conventions.read(claim, self.taken(claim.section).convention)
        except NotReadError as error:
            return bool(re.fullmatch(r"\w has no meaning here", str(error)))
        return False

    def misprint(self, claim: Claim) -> Verdict | None:
        """That examples stand in the brackets of layers, or on what is summed over them; None where they do not."""
        target, symbols = claim.target, self.conventions.symbols
        carries = isinstance(target, Symbol) and self.conventions.styles[claim.section].example_of(target)
        if claim.adds and carries and MEANINGS.get(getattr(target, "base", "")) in ("dW", "db"):
            return wrong(claim, "index", message="what is summed over the examples is not that of one of them")
        match = re.search(r"[yY]\}?\^\{?\[([ij])\]", claim.own)
        if match and any(each.round == match[1] for each in symbols):
            message = f"[{match[1]}] is a layer, the example is ({match[1]}) elsewhere in the note"
            return wrong(claim, "misprint", message=message)
        return None

    def unread(self, claim: Claim, number: int, main: Convention, why: str) -> Verdict:
        """The verdict on a claim that is no formula of a setting: it may be an identity."""
        if why == COLUMNS:
            message = "The entries of the matrix are those of the left side."
            return not_judged("", claim.line, claim.text, message)._replace(verdict=HOLDS)
        if why == SAME:
            before = enumerate(self.conventions.claims[:number])
            sums = [place for place, each in before if each.averages and each.target == claim.target]
            if sums and isinstance(claim.right, Derivative):  # what an accumulator has come to
                return self.verdict(sums[-1])._replace(line=claim.line, text=claim.text)
            return not_judged("", claim.line, claim.text, SAME)._replace(verdict=NO_CLAIM)
        unread = not_judged("", claim.line, claim.text, f"not read: {why}.")
        return self.of_another_value(claim, main) or self.identity(claim) or unread

    def of_entries(self, claim: Claim, read: list[Meant]) -> Verdict:
        """The verdict on a claim whose sides are not equal entry by entry."""
        for each in read:
            for cause, other in islice(one_change_away(each.claim), affordable(claim.right, MOST)):
                if not holds(each.but(claim=other)):
                    continue
                if cause == "index-order" and not self.indices_shown(claim):
                    return said(claim, DOUBTFUL, "holds with indices turned")
                return wrong(claim, cause, equation(other.target, other.right))
        if found := self.of_another_value(claim, read[0].frame.convention):
            return found
        cause = broken_chain(claim)
        why = f"does not hold, {UNTOLD}"
        return wrong(claim, cause) if cause else said(claim, DOUBTFUL, why)

    def of_another_value(self, claim: Claim, main: Convention) -> Verdict | None:
        """That the left side differentiates another value than the right one; None where it does not."""
        for target in other_values(claim):
            if self.holds(claim._replace(target=target), main):
                return wrong(claim, LEFT_SIDE, equation(target, claim.right))
        return None

    def identity(self, claim: Claim) -> Verdict | None:
        """The verdict on two formulas of numbers; None for others."""
        style = self.conventions.styles[claim.section]
        chain = [each.right for each in self.conventions.claims if each.target is claim.target and each is not claim]
        if isinstance(claim.right, Derivative) and any(identical(claim.right, each, style) == 1 for each in chain):
            return said(claim, HOLDS, "holds")
        target = inlined(claim.target, self.functions)
        if target != claim.target:
            claim = claim._replace(identity=True)
        ratio = identical(target, inlined(claim.right, self.functions), style)
        entry = bool(index_of_entry(claim.target))
        named = isinstance(claim.target, Symbol | Call) and not (claim.identity or entry)
        if (ratio is None and not entry) or (named and ratio != 1):
            return None
        if ratio == 1:
            return said(claim, HOLDS, "holds")
        if ratio is not None and isclose(ratio, -1):
            return wrong(claim, "sign", equation(claim.target, Negative(claim.right)))
        turned = isinstance(claim.target, Transposed) and isinstance(claim.target.operand, Operation)
        claimed = turned or entry or target != claim.target or not claim.identity
        tried = repairs(claim.right, target, Known()) if claimed else ()
        for cause, right in islice(tried, affordable(claim.right, MOST)):
            if identical(target, inlined(right, self.functions), style) == 1:
                return wrong(claim, cause, equation(claim.target, right))
        if ratio is None:
            return None
        if claim.identity and not entry:
            return said(claim, NO_CLAIM, "is an equation that does not hold for every number")
        return said(claim, DOUBTFUL, "does not hold")

    def indices_shown(self, claim: Claim) -> bool:
        """Whether another claim shows which index of a weight is that of the unit, or this one that of a value."""
        own = self.conventions.styles[claim.section]
        values = [s for s in symbols_of((claim.target, claim.right)) if MEANINGS.get(s.base, "")[-1:] in ("Z", "A")]
        if sum(len([each for each in own.indices_of(s) if len(each) == 1]) == 2 for s in values) > 1:
            return True
        for number, each in enumerate(self.conventions.claims):
            style = self.conventions.styles[each.section]
            weights = [s for s in symbols_of((each.target, each.right)) if MEANINGS.get(s.base) == "W"]
            if each.line != claim.line and any(len(style.indices_of(s)) == 2 for s in weights):
                main = self.taken(each.section).convention._replace(one=not self.conventions.many[number])
                if self.holds(each, main):
                    return True
        return False

    def holds(self, claim: Claim, convention: Convention) -> bool:
        """Whether a claim holds in a convention."""
        try:
            return any(map(holds, self.conventions.read(claim, convention)))
        except NotReadError:
            return False

    def settled(self, claim: Claim, number: int) -> set[str]:
        """The parts of the convention that are no excuse for a claim."""
        taken, told = self.taken(claim.section), self.conventions.told.examples
        found = set(taken.settled) - {"many"}
        strong = abs(claim.many) >= 9 or (abs(self.weights[number]) >= 3 and "many" in taken.settled)
        if isinstance(claim.target, Derivative) and not taken.convention.total:
            found.discard("total")  # a derivative of J is one, whatever dZ stands for
        if told or strong or is_loss(claim):
            found.add("one")
        if told == "one":
            found.add("total")
        if claim.units:
            found.add("hidden")
        return found

    def in_other_layouts(self, claim: Claim, main: Convention) -> Iterator[tuple[Meant, Mistake]]:
        """The mistake that a claim has in each layout but the section's."""
        for rows, turned in LAYOUTS:
            other = main._replace(rows=rows, turned=turned)
            with suppress(NotReadError):
                if other != main:
                    yield from self.named(claim, self.conventions.read(claim, other), MOST // len(LAYOUTS))

    def named(self, claim: Claim, read: list[Meant], most: int = MOST) -> list[tuple[Meant, Mistake]]:
        """The first mistake that has a name."""
        found = diagnoses(self.conventions, claim, read, most)
        return list(islice((each for each in found if each[1].cause in (*CAUSES, *CONVENTIONAL)), 1))

    def mistaken(self, claim: Claim, read: list[Meant], settled: set[str], also: str) -> Verdict:
        """The verdict on a claim that holds in no other convention."""
        main, target = read[0].frame.convention, read[0].target
        wider = with_brackets(claim.right)
        if wider is not None and self.holds(claim._replace(right=wider), main):
            message = "it holds with brackets around all that stands behind the sum"
            return wrong(claim, BRACKETS, message=message, also=also)
        if read[0].penalised and main.decays and target != "J":  # dW is another than the engine's
            for cause, right in rewritings(claim.right):
                if cause == "sign" and self.holds(claim._replace(right=right), main):
                    return wrong(claim, cause, equation(claim.target, right), also=also)
            return said(claim, DOUBTFUL, f"does not hold with {main.words}", target)
        for cause, right in rewritings(claim.right):
            if cause == "index-order" and self.holds(claim._replace(right=right), main) and self.indices_shown(claim):
                return wrong(claim, cause, equation(claim.target, right))
        style = self.conventions.styles[claim.section]
        layered = any(style.layer_of(each) and not each.implied for each in symbols_of((claim.target, claim.right)))
        if names_products(claim) and not layered and self.has_unknown_letters(claim.section):
            return said(claim, DOUBTFUL, "does not hold if its letters stand for what they usually do", target)
        if layers_are_guessed(claim, style):
            why = "does not hold if letters without a layer are those of the same layer"
            return said(claim, DOUBTFUL, why, target)
        rules = {STEP: rule_of, SIZE: simpler_size}
        found = (rules[each.frame.family](each) for each in read if each.frame.family in rules)
        if where := next(filter(None, found), ""):
            return said(claim, DOUBTFUL, f"holds {where}", target)
        if read[0].frame.family == SIZE and not any(isinstance(each, Floor) for each in walk(claim.right)):
            floored = Operation("+", Floor(claim.right), Number("1"))
            if self.holds(claim._replace(right=floored), main):
                return wrong(claim, "missing-term", equation(claim.target, floored), also=also)
            read = self.conventions.read(claim._replace(right=Floor(claim.right)), main)
        found_by = self.named(claim, read)
        if not has_evidence(claim, read[0], settled):  # whatever the layout is, it is the same mistake
            found_by += self.in_other_layouts(claim, main)
        for each, mistake in found_by[:1]:
            if mistake.cause in CONVENTIONAL:
                return said(claim, DOUBTFUL, CONVENTIONAL[mistake.cause], target)
            if len({other.cause for _, other in found_by}) > 1:
                why = f"does not hold with {each.frame.convention.words}: {teach(mistake.cause)}, if that is meant"
                return said(claim, DOUBTFUL, why, target)
            return wrong(claim, mistake.cause, equation(claim.given or claim.target, mistake.right), also=also)
        for each in read:
            other = another_target(each)
            if other and has_evidence(claim, each, settled):
                name, left = other
                cause = {"a of g_prime": "gprime-for-g", "g_prime of a": "g-for-gprime"}.get(
                    f"{each.target} of {name}", LEFT_SIDE
                )
                return wrong(claim, cause, message=f"the right side is {latex_of(left)}", also=also)
        why = f"does not hold with {main.words}, {UNTOLD}"
        costs = COSTS if depends_on_cost(claim) and target != "J" and has_evidence(claim, read[0], settled) else ()
        negated = claim._replace(right=Negative(claim.right))  # the sign is wrong for every cost
        if any(self.holds(negated, main._replace(cost=cost, total=total)) for cost in costs for total in (False, True)):
            return wrong(claim, "sign", equation(claim.target, negated.right), also=also)
        layered = any(read[0].frame.style.layer_of(each) for each in symbols_of(claim.right))
        sure = layered and not also and {"weights", "numbers"} <= settled and has_evidence(claim, read[0], settled)
        if sure and (both := two_mistakes(read[0])):
            return wrong(claim, both.cause, equation(claim.target, both.right))
        return said(claim, DOUBTFUL, why, target)


def _defines_weights(read: Meant, main: Convention, other: Convention) -> bool:
    """Whether a line of a forward pass shows that weights lie the other way round there."""
    return read.target.startswith("Z") and main.rows == other.rows


def has_evidence(claim: Claim, read: Meant, settled: set[str]) -> bool:
    """Whether what a claim depends on has been shown."""
    return read.frame.family in (SIZE, STEP) or not names_products(claim) or "layout" in settled
