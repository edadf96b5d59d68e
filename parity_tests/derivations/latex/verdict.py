"""The verdict on a claim: holds, wrong with a cause and a repair, or doubtful with the convention in which it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import isclose

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.conventions import (
    LAYOUTS,
    Conventions,
    Taken,
    depends_on_cost,
    has_complement,
    names_products,
)
from parity_tests.derivations.latex.identities import identical
from parity_tests.derivations.latex.judge import (
    COLUMNS,
    SAME,
    Meant,
    another_target,
    by_entries,
    diagnosed,
    first_meant,
    holds,
    in_the_first_layer,
    is_loss,
    layers_are_guessed,
    other_products,
    stands,
    transposed_operands,
    with_letters,
)
from parity_tests.derivations.latex.notation import in_the_writers_letters
from parity_tests.derivations.latex.references import COSTS, SOFTMAX, Convention
from parity_tests.derivations.latex.rewritten import latex_of, rewritings
from parity_tests.derivations.latex.symbols import LARGE, MEANINGS, STEP
from parity_tests.derivations.latex.tree import Derivative, Negative, Node, NotReadError, Operation, Sum, symbols_of
from parity_tests.derivations.line_verdict import TURNED
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, WRONG, Verdict, not_judged, teach

PER_EXAMPLE = "db-not-summed + missing-1/m"
"""Of db = dZ: one thing to a reader."""

BRACKETS, LEFT_SIDE = "brackets-missing", "left-side"


class Judge:
    """Judges the claims of a note in what its sections take for granted."""

    def __init__(self, conventions: Conventions, weights: list[float]) -> None:
        self.conventions, self.weights = conventions, weights
        self.sections: dict[int, Taken] = {}

    def taken(self, section: int) -> Taken:
        """What a section takes for granted."""
        if section not in self.sections:
            self.sections[section] = self.conventions.of_section(section)
        return self.sections[section]

    def verdict(self, number: int) -> Verdict:
        """The verdict on the claim of that number."""
        claim = self.conventions.claims[number]
        taken = self.taken(claim.section)
        one = not self.conventions.many[number]
        main = taken.convention._replace(one=one)
        try:
            read = self.read(claim, main)
        except NotReadError as error:
            base = not_judged("", claim.line, claim.text, f"{claim_name(claim)}: {error}.")
            if str(error) == COLUMNS:
                message = "The entries of the matrix are those of the left side."
                return base._replace(verdict=HOLDS, message=message)
            if str(error) == SAME:
                return base._replace(verdict=NO_CLAIM, message=SAME)
            by_entry = self.by_entries(claim, number, main)
            if by_entry is not None:
                return by_entry
            same = self.identity(claim)
            if same is not None:
                return same
            return not_judged("", claim.line, claim.text, f"not read: {error}.")
        for each in read:
            found = stands(each)
            if found is not None and found.verdict == HOLDS and TURNED not in found.message:
                return found._replace(line=claim.line, text=claim.text, message=f"{claim_name(claim)} holds.")
        if main.rows and not any(each.base in LARGE for each in symbols_of((claim.target, claim.right))):
            lone = main._replace(rows=False, turned=False, one=True)  # a lone example is a column for all that
            if self.holds(claim, lone):
                return self.doubtful(claim, read[0], "")._replace(verdict=HOLDS, message=f"{claim_name(claim)} holds.")
        if all(stands(each) is None for each in read):
            why = "what it reads follows from what it gives"
            return not_judged(read[0].target, claim.line, claim.text, f"not judged: {why}.")
        settled = self.settled(claim, number, taken)
        also = ""
        for other in alternatives(claim, main):
            if not self.holds(claim, other):
                continue
            words = other.against(main)
            parts = changed(main, other)
            strict = self.conventions.told.strict or parts & settled
            if strict and not ("layout" in parts and self.defines_weights(read[0], main, other)):
                also = also or words
                continue
            return self.doubtful(claim, read[0], f"holds {words}")
        style, let = self.conventions.styles[claim.section], self.conventions.told.let
        lower = in_the_first_layer(claim, style, main, let)
        if lower is not None and holds(lower):
            return self.doubtful(claim, read[0], "holds for l = 1")
        return self.mistaken(claim, read, settled, taken, also)

    def by_entries(self, claim: Claim, number: int, main: Convention) -> Verdict | None:
        """The verdict on a claim whose sides are compared entry by entry; None where they cannot be."""
        style, let = self.conventions.styles[claim.section], self.conventions.told.let
        plain = with_letters(claim, style)
        base = not_judged("", claim.line, claim.text, "")
        if self.conventions.holds(number, main):
            return base._replace(verdict=HOLDS, message=f"{claim_name(claim)} holds.")
        settled = self.settled(claim, number, self.taken(claim.section))
        for other in alternatives(claim, main):
            if not changed(main, other) & settled and self.conventions.holds(number, other):
                words = other.against(main)
                return base._replace(verdict=DOUBTFUL, message=f"{claim_name(claim)} holds {words}.")
        tried = by_entries(claim, style, main, let)
        for entries in tried:
            for cause, changed_claim in one_change_away(plain):
                try:
                    if not entries.agree(changed_claim.target, changed_claim.right):
                        continue
                except NotReadError:
                    continue
                if cause == "index-order" and not self.indices_shown(claim):
                    return base._replace(verdict=DOUBTFUL, message=f"{claim_name(claim)} holds with indices turned.")
                repaired = f"{latex_of(changed_claim.target)} = {latex_of(changed_claim.right)}"
                said = f"{claim_name(claim)}: {teach(cause)}. With\n    {repaired}\nit holds."
                return base._replace(
                    verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=said
                )  # fmt: skip
        if tried:
            why = "does not hold, and which mistake it is cannot be told"
            return base._replace(verdict=DOUBTFUL, message=f"{claim_name(claim)} {why}.")
        return None

    def identity(self, claim: Claim) -> Verdict | None:
        """The verdict on two formulas of numbers; None for others."""
        style = self.conventions.styles[claim.section]
        chain = [each.right for each in self.conventions.claims if each.target is claim.target and each is not claim]
        if isinstance(claim.right, Derivative) and any(identical(claim.right, each, style) == 1 for each in chain):
            return not_judged("", claim.line, claim.text, "")._replace(
                verdict=HOLDS, message=f"{claim_name(claim)} holds."
            )
        if not (claim.identity or isinstance(claim.target, Derivative)):
            return None
        ratio = identical(claim.target, claim.right, style)
        if ratio is None:
            return None
        base = not_judged("", claim.line, claim.text, f"{claim_name(claim)} holds.")
        if ratio == 1:
            return base._replace(verdict=HOLDS)
        if isclose(ratio, -1):
            left = latex_of(claim.target)
            repaired = f"{left} = {latex_of(Negative(claim.right))}"
            said = f"{claim_name(claim)}: {teach('sign')}. With\n    {repaired}\nit holds."
            return base._replace(verdict=WRONG, cause="sign", causes=("sign",), repaired=repaired, message=said)
        if claim.identity:
            return base._replace(verdict=NO_CLAIM, message="an equation that does not hold for every number")
        return base._replace(verdict=DOUBTFUL, message=f"{claim_name(claim)} does not hold.")

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

    def defines_weights(self, read: Meant, main: Convention, other: Convention) -> bool:
        """Whether a line of a forward pass shows that weights lie the other way round there."""
        return read.target[0] == "Z" and main.rows == other.rows

    def read(self, claim: Claim, convention: Convention) -> list[Meant]:
        """A claim in every frame; NotReadError where there is none."""
        style = self.conventions.styles[claim.section]
        return first_meant(claim, style, convention, self.conventions.told.let)

    def holds(self, claim: Claim, convention: Convention) -> bool:
        """Whether a claim holds in a convention."""
        try:
            return any(map(holds, self.read(claim, convention)))
        except NotReadError:
            return False

    def settled(self, claim: Claim, number: int, taken: Taken) -> set[str]:
        """The parts of the convention that are no excuse for a claim."""
        found = set(taken.settled) - {"many"}
        told = self.conventions.told.examples
        strong = abs(claim.many) >= 9 or (abs(self.weights[number]) >= 3 and "many" in taken.settled)
        if told or strong:
            found.add("one")
        if told == "one":
            found.add("total")
        if is_loss(claim):
            found.add("one")
        if claim.units:
            found.add("hidden")
        return found

    def doubtful(self, claim: Claim, read: Meant, why: str) -> Verdict:
        """Neither right nor wrong."""
        base = not_judged(read.target, claim.line, claim.text, f"{claim_name(claim)} {why}.")
        return base._replace(verdict=DOUBTFUL)

    def mistaken(self, claim: Claim, read: list[Meant], settled: set[str], taken: Taken, also: str) -> Verdict:
        """The verdict on a claim that holds in no other convention."""
        wider = with_brackets(claim.right)
        if wider is not None:
            wide = claim._replace(right=wider)
            if self.holds(wide, read[0].frame.convention):
                message = "it holds with brackets around all that stands behind the sum"
                return self.wrong(claim, read[0], BRACKETS, "", message, also)
        turned = self.with_indices_turned(claim, read[0].frame.convention)
        if turned is not None:
            return turned
        best: Verdict | None = None
        if layers_are_guessed(claim, self.conventions.styles[claim.section], self.conventions.known_layers):
            return self.doubtful(claim, read[0], "does not hold if letters without a layer are those of the same layer")
        for each, found in self.diagnoses(claim, read):
            if found.cause in CAUSES:
                if found.cause == "epsilon-inside-root":
                    return self.doubtful(claim, each, "holds where epsilon is added under the root")
                if found.cause == "bias-missing":
                    return self.doubtful(claim, each, "holds where there are no biases")
                if not self.has_evidence(claim, each, settled):
                    return self.doubtful(
                        claim,
                        each,
                        f"does not hold with {each.frame.convention.words}: {teach(found.cause)}, if that is meant",
                    )
                repaired = ""
                if found.repaired:
                    repaired = in_the_writers_letters(found.repaired, each.frame, claim.target, claim.right)
                return self.wrong(claim, each, found.cause, repaired, teach(found.cause), also, found)
            best = best or found
        for each in read:
            name = another_target(each)
            if name and self.has_evidence(claim, each, settled):
                left = in_the_writers_letters(name, each.frame, claim.target, claim.right)
                return self.wrong(claim, each, LEFT_SIDE, "", f"the right side is {left}", also)
        why = f"does not hold with {read[0].frame.convention.words}, and which mistake it is cannot be told"
        if best is not None and best.cause and best.cause != "unknown":
            why = (
                f"does not hold with {read[0].frame.convention.words}; more than one thing would be wrong: {best.cause}"
            )
        return self.doubtful(claim, read[0], why)

    def with_indices_turned(self, claim: Claim, main: Convention) -> Verdict | None:
        """The verdict on a claim that holds with the indices of one weight in the other order; None for another."""
        for cause, right in rewritings(claim.right):
            if cause == "index-order" and self.holds(claim._replace(right=right), main):
                if not self.indices_shown(claim):
                    return None
                repaired = f"{latex_of(claim.target)} = {latex_of(right)}"
                base = not_judged(
                    "", claim.line, claim.text, f"{claim_name(claim)}: {teach(cause)}. With\n    {repaired}\nit holds."
                )
                return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired)
        return None

    def diagnoses(self, claim: Claim, read: list[Meant]) -> Iterator[tuple[Meant, Verdict]]:
        """What is wrong with a claim: as it was read, with products entry by entry, and for costs that may be meant."""
        main = read[0].frame.convention
        for each in read:
            found = diagnosed(each)
            if found is None or found.verdict != WRONG:
                continue
            if found.cause == PER_EXAMPLE:
                found = found._replace(cause="db-not-summed")
            if found.cause == "softmax-elementwise" and main.cost != SOFTMAX:
                found = found._replace(cause="unknown")
            turned = [other for other in other_products(each, swapped=True) if "star-for-matmul" in found.cause]
            for other in filter(holds, turned):
                yield each, found._replace(cause="operand-order", repaired=other.line)
            if found.cause in ("transpose-missing", "transpose-extra") or found.cause not in CAUSES:
                for other in filter(holds, transposed_operands(each)):  # a product of matrices, none by entries
                    extra = other.text.count(".T") < each.text.count(".T")
                    yield (
                        each,
                        found._replace(cause=f"transpose-{'extra' if extra else 'missing'}", repaired=other.line),
                    )
            yield each, found
            for other in other_products(each) if "star-for-matmul" in found.cause else ():
                again = diagnosed(other)
                if again is not None and again.verdict == WRONG and again.cause != "star-for-matmul":
                    yield other, again
        costs = self.conventions.costs() if depends_on_cost(claim) else ()
        if read[0].target == "J" and not has_complement(claim):
            costs = (*costs, SOFTMAX)
        for cost in dict.fromkeys(costs):
            try:
                others = self.read(claim, main._replace(cost=cost)) if cost != main.cost else []
            except NotReadError:
                continue
            for other in others:
                found = diagnosed(other)
                if found is not None and found.verdict == WRONG and found.cause != "softmax-elementwise":
                    yield other, found

    def has_evidence(self, claim: Claim, read: Meant, settled: set[str]) -> bool:
        """Whether what a claim depends on has been shown."""
        return read.frame.family == STEP or not names_products(claim) or "layout" in settled

    def wrong(
        self,
        claim: Claim,
        read: Meant,
        cause: str,
        repaired: str,
        message: str,
        also: str,
        found: Verdict | None = None,
    ) -> Verdict:
        base = found or stands(read) or not_judged(read.target, claim.line, claim.text, "")
        said = f"{claim_name(claim)}: {message}."
        if repaired:
            said += f" With\n    {repaired}\nit holds."
        if also:
            said += f" As written it holds {also}."
        return base._replace(
            verdict=WRONG,
            line=claim.line,
            text=claim.text,
            cause=cause,
            causes=(cause,),
            repaired=repaired,
            message=said,
        )


def claim_name(claim: Claim) -> str:
    """The right side as it is written, for a sentence."""
    return claim.own if len(claim.own) < 60 else "it"


def one_change_away(claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The claims that are one change away, with the mistake that it mends: of the right side, then of both."""
    for cause, right in rewritings(claim.right):
        yield cause, claim._replace(right=right)
    chain = links(claim.right)
    if chain is None or not isinstance(claim.target, Derivative):
        return
    for place, each in enumerate(chain[1:], 1):
        before = chain[place - 1]
        if each.of != before.by:
            yield (
                "missing-factor",
                claim._replace(
                    right=product_of([*chain[:place], Derivative(before.by, each.of or each.by), *chain[place:]])
                ),
            )
        turned = Derivative(claim.target.of, chain[0].by), [Derivative(chain[0].of, claim.target.by), *chain[1:]]
        yield LEFT_SIDE, claim._replace(target=turned[0], right=product_of(turned[1]))


def links(node: Node) -> list[Derivative] | None:
    """The factors of a product of derivatives; None for another formula."""
    if isinstance(node, Derivative):
        return [node]
    if isinstance(node, Operation) and node.sign not in ("+", "-", "/"):
        left, right = links(node.left), links(node.right)
        return None if left is None or right is None else [*left, *right]
    return None


def product_of(factors: list[Derivative]) -> Node:
    """Derivatives side by side."""
    whole: Node = factors[0]
    for each in factors[1:]:
        whole = Operation("", whole, each)
    return whole


def alternatives(claim: Claim, main: Convention) -> Iterator[Convention]:
    """Other conventions in which a claim may hold: those that differ in one thing first, then in two."""
    layouts = [main._replace(rows=rows, turned=turned) for rows, turned in LAYOUTS] if names_products(claim) else []
    costs = [main._replace(cost=cost) for cost in COSTS] if depends_on_cost(claim) else []
    units = ("sigmoid", "relu", "tanh", *(("identity",) if claim.linear else ()))
    single = [
        main._replace(one=not main.one), main._replace(total=not main.total), *layouts, *costs,
        *(main._replace(hidden=unit) for unit in units), main._replace(single=True),
        main._replace(l2=True), main._replace(above=not main.above),
        *([] if main.unbiased else [main._replace(unbiased=True)]),
    ]  # fmt: skip
    double = [
        *(each._replace(one=not main.one) for each in (*layouts, *costs)),
        *(each._replace(total=not main.total) for each in (*layouts, *costs)),
        *(layout._replace(cost=cost.cost) for layout in layouts for cost in costs),
    ]
    seen = {main}
    for each in (*single, *double):
        if each not in seen:
            seen.add(each)
            yield each


def changed(main: Convention, other: Convention) -> set[str]:
    """The parts in which two conventions differ."""
    parts = {name for name, a, b in zip(main._fields, main, other, strict=True) if a != b}
    return {"layout" if each in ("rows", "turned") else each for each in parts}


def with_brackets(node: Node) -> Node | None:
    """A + B where A ends with a sum: the sum over all of it; None where there is no such thing."""
    if not (isinstance(node, Operation) and node.sign in ("+", "-")):
        return None

    def deeper(here: Node) -> Node | None:
        if isinstance(here, Sum):
            inner = deeper(here.body) if isinstance(here.body, Sum) else None
            return replace(here, body=inner or Operation(node.sign, here.body, node.right))
        if isinstance(here, Operation):
            inner = deeper(here.right)
            return None if inner is None else replace(here, right=inner)
        if isinstance(here, Negative):
            inner = deeper(here.operand)
            return None if inner is None else Negative(inner)
        return None

    return deeper(node.left)
