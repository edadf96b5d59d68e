"""Which mistake a claim has that holds in no convention: by the engine, and by products that are read otherwise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.conventions import Conventions, depends_on_cost, has_complement
from parity_tests.derivations.latex.judge import Meant, diagnosed, holds
from parity_tests.derivations.latex.references import SOFTMAX
from parity_tests.derivations.latex.tree import NotReadError
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.settings.optimisers import RULES, Rule
from parity_tests.derivations.settings.setting import Setting
from parity_tests.derivations.verdicts import WRONG, Verdict

PER_EXAMPLE = "db-not-summed + missing-1/m"
"""Of db = dZ: one thing to a reader."""


def diagnoses(conventions: Conventions, claim: Claim, read: list[Meant]) -> Iterator[tuple[Meant, Verdict]]:
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
    costs = conventions.costs() if depends_on_cost(claim) else ()
    if read[0].target == "J" and not has_complement(claim):
        costs = (*costs, SOFTMAX)
    for cost in dict.fromkeys(costs):
        try:
            others = conventions.read(claim, main._replace(cost=cost)) if cost != main.cost else []
        except NotReadError:
            continue
        for other in others:
            found = diagnosed(other)
            if found is not None and found.verdict == WRONG and found.cause != "softmax-elementwise":
                yield other, found


@lru_cache
def _rules() -> tuple[tuple[Rule, Setting], ...]:
    return tuple((rule, rule.as_setting) for rule in RULES)


def rule_of(each: Meant) -> str:
    """The rule of an optimizer by which a claim holds, in words; "" for none.

    There v may be the step or its negative.
    """
    for rule, setting in _rules():
        if rule.setting.name != each.frame.setting.name:
            continue
        turned = re.sub(r"\bv\b", "(-v)", each.text)
        texts = each.text, f"-({turned})" if each.target == "v" else turned
        frame = replace(each.frame, setting=setting)
        if any(holds(each._replace(text=text, frame=frame)) for text in dict.fromkeys(texts)):
            return rule.words
    return ""


def other_products(each: Meant, *, swapped: bool = False) -> Iterator[Meant]:
    """A claim with one of its matrix products taken entry by entry, or with its operands ``swapped``."""
    tree = ast.parse(each.text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            before = node.left, node.op, node.right
            node.left, node.op, node.right = (
                (node.right, node.op, node.left) if swapped else (node.left, ast.Mult(), node.right)
            )
            yield each._replace(text=ast.unparse(tree))
            node.left, node.op, node.right = before


def transposed_operands(each: Meant) -> Iterator[Meant]:
    """A claim with one operand of a matrix product transposed."""
    tree = ast.parse(each.text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            for name in ("right", "left"):
                before = getattr(node, name)
                is_turned = isinstance(before, ast.Attribute) and before.attr == "T"
                setattr(node, name, before.value if is_turned else ast.Attribute(before, "T"))
                yield each._replace(text=ast.unparse(tree))
                setattr(node, name, before)


def another_target(each: Meant) -> str:
    """Another quantity whose formula the right side is, "" for none."""
    layer = each.target.removeprefix("dZ")
    if each.target == f"dZ{layer}" and holds(each._replace(text=f"dA{layer} * ({each.text})")):
        return f"g{layer}_prime(Z{layer})"
    for name, target in each.frame.setting.targets.items():
        if name == each.target or target.kind == "update":
            continue
        if holds(Meant(name, each.text, replace(each.frame))):
            return name
    return ""
