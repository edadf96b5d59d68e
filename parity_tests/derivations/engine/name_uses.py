"""How a text uses its free names: in matrix products, in sums, beside labels, in updates."""

from __future__ import annotations

import ast
import re
from collections import Counter

from parity_tests.derivations.engine import symbols, words
from parity_tests.derivations.engine.formula_kinds import (
    PRODUCTS,
    has_logarithm,
    in_order,
    is_counted,
    is_name,
    is_product,
    is_reduced,
    is_sum,
    joined,
    operand,
)

WEIGHTS = re.compile(r"^(w|theta|weight|kernel|u$|v$|coef|beta)", re.I)
COST = re.compile(r"^(J|L|E|\w*loss|\w*cost|nll|objective)$")


class Uses:
    """How a text uses its free names."""

    def __init__(self, tree: ast.Module) -> None:
        body = [node for node in tree.body if not isinstance(node, ast.FunctionDef)]
        self.nodes = [each for node in body for each in ast.walk(node)]
        self.parents = {id(child): node for node in self.nodes for child in ast.iter_child_nodes(node)}
        names = [node for node in self.nodes if isinstance(node, ast.Name)]
        self.loads = [node for node in names if isinstance(node.ctx, ast.Load)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        self.depends: dict[str, set[str]] = {}
        """The names that a name has been computed from."""
        begun: set[str] = set()
        self.free: set[str] = set()
        self.updated: set[str] = set()
        called = {id(node.func) for node in self.nodes if isinstance(node, ast.Call)}
        for node in in_order(body):
            here = [each for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in called]
            own = {each.id for each in here if isinstance(each.ctx, ast.Store)}
            read = {each.id for each in here if isinstance(each.ctx, ast.Load)}
            first = read | own if isinstance(node, ast.AugAssign) else read
            self.free |= first - begun - words.MODULES
            self.updated |= own & self.free
            sources = read - own | (first & self.free)
            reach = sources.union(*(self.depends.get(each, set()) for each in sources))
            for name in own:
                self.depends.setdefault(name, set()).update(reach)
            begun |= own
        forward = {each for name in stored if COST.match(name) for each in self.depends[name]}
        backward = stored - forward
        self.derived = {base for name in backward for base in symbols.meant_by(name, self.free) if base != name}
        self.aliases: dict[str, str] = {}
        """Names that are another name for a free one: ``A0 = X``."""
        for each in self.nodes:
            if isinstance(each, ast.Assign) and is_name(target := each.targets[0]):
                for name in operand(each.value) if not symbols.meant_by(target.id, stored | self.free) else ():
                    self.aliases.setdefault(target.id, self.aliases.get(name, name))
        self.joined: dict[str, set[str]] = {}
        """What stands one behind the other under a new name, as examples beside a column of ones."""
        for each in self.nodes:
            if isinstance(each, ast.Assign) and is_name(target := each.targets[0]) and (parts := joined(each.value)):
                self.joined[target.id] = parts
        self.tables = {
            each.value.id
            for each in self.nodes
            if isinstance(each, ast.Subscript)
            and isinstance(each.value, ast.Name)
            and isinstance(each.slice, ast.Name)
            and each.slice.id in self.free
        }
        """The names of which another free name picks rows: vectors of words."""
        self.in_products, self.partners = self._products()
        self.compared = self._compared()
        self.taken_apart = {
            each.value.id
            for each in self.nodes
            if isinstance(each, ast.Subscript | ast.Attribute) and isinstance(each.value, ast.Name)
        }
        self.indices = {
            each.id
            for node in self.nodes
            if isinstance(node, ast.Subscript)
            for each in ast.walk(node.slice)
            if isinstance(each, ast.Name)
        }

    def _products(self) -> tuple[set[str], list[tuple[set[str], set[str]]]]:
        """The names that are operands of a matrix product, and the names of both sides of each."""
        found: set[str] = set()
        partners = []
        for node in self.nodes:
            match node:
                case ast.BinOp(op=ast.MatMult()):
                    operands = [node.left, node.right]
                case ast.Call(func=ast.Attribute(value=base, attr=word)) if word in PRODUCTS:
                    operands = [base, *node.args]
                case _:
                    continue
            if any(has_logarithm(each) for each in operands):
                continue
            own = [
                {part for name in operand(each) for part in self.joined.get(name, {self.aliases.get(name, name)})}
                & self.free
                for each in operands
            ]
            found |= set().union(*own)
            partners += [(one, other) for one in own for other in own if one is not other]
        return found, partners

    def meets(self, name: str, learned: set[str]) -> bool:
        """Whether a name stands in a product with a parameter."""
        return any(name in one and other & learned for one, other in self.partners)

    def examples(self, learned: set[str]) -> set[str]:
        """Of two names that meet in the first product, and in both of which the text takes a derivative, the data."""
        learned = learned - self.tables
        for one, other in self.partners:
            if one & learned and other & learned:
                looks = [bool(WEIGHTS.match(symbols.stem_of(min(each)))) for each in (one, other)]
                return other if looks == [True, False] else one
        return set()

    def _compared(self) -> Counter[str]:
        """The names that a computed value is compared with, which does not depend on them, and how often."""
        found: Counter[str] = Counter()
        for node in self.loads:
            if node.id not in self.free:
                continue
            parent = self.parents.get(id(node))
            match parent:
                case ast.BinOp(op=ast.Sub()):
                    other = parent.left if parent.right is node else parent.right
                    if self._computed(other) and node.id not in self._reached(other):
                        found[node.id] += 1
                case ast.BinOp(op=ast.Mult()):
                    other = parent.left if parent.right is node else parent.right
                    if has_logarithm(other) and not is_reduced(other):
                        found[node.id] += 1
                case ast.Tuple() if isinstance(self.parents.get(id(parent)), ast.Subscript):
                    found[node.id] += 1
        return found

    def is_late(self, name: str) -> bool:
        """Whether a name stands only where J is computed and in derivatives."""
        assigned = {
            target.id if isinstance(target, ast.Name) else ""
            for node in self.nodes
            if isinstance(node, ast.Assign) and name in {each.id for each in ast.walk(node.value) if is_name(each)}
            for target in node.targets
        }
        return all(symbols.is_cost(each) or symbols.meant_by(each, self.free | set(self.depends)) for each in assigned)

    def _computed(self, node: ast.expr) -> bool:
        """Whether a formula reads what the text computes, or is a product of its own."""
        return any(isinstance(each, ast.Name) and each.id in self.depends for each in ast.walk(node)) or any(
            isinstance(each, ast.Call | ast.MatMult) for each in ast.walk(node)
        )

    def _reached(self, node: ast.expr) -> set[str]:
        names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        return names.union(*(self.depends.get(each, set()) for each in names - self.updated))

    def decays(self, name: str) -> bool:
        """Whether the text updates a name to a share of itself and something else: ``v = mu * v - lr * dW``."""
        for node in self.nodes:
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=target)],
                    value=ast.BinOp(left=ast.BinOp(op=ast.Mult(), left=one, right=other), op=ast.Add() | ast.Sub()),
                ) if target == name and ast.unparse(one) != ast.unparse(other):
                    return any(is_name(each) and each.id == name for each in (one, other))
        return False

    def is_loose(self, name: str) -> bool:
        """Whether a name that looks like nothing else only stands in sums, differences, products and quotients.

        It may be handed on as a whole, as ``J = np.sum(a * R)`` has the derivative ``da = R``, added up, or counted.
        """
        is_number = symbols.NUMBERS.match(name) and not (name == "M" and self.is_factor(name))
        looks = symbols.is_data(name), symbols.is_label(name), is_number, symbols.BIASES.match(name)
        places = [self.parents.get(id(node)) for node in self.loads if node.id == name]
        return (
            not any(looks)
            and any(isinstance(each, ast.BinOp) for each in places)
            and all(
                isinstance(each, ast.BinOp | ast.Assign) or (each is not None and is_counted(each)) for each in places
            )
        )

    def is_factor(self, name: str) -> bool:
        """Whether all that is done with a name is that something computed is multiplied by it."""
        places = [(node, self.parents.get(id(node))) for node in self.loads if node.id == name]
        return all(
            isinstance(each, ast.BinOp)
            and isinstance(each.op, ast.Mult)
            and self._computed(other := each.left if each.right is node else each.right)
            and not is_reduced(other)
            for node, each in places
        )

    def is_state(self, name: str) -> bool:
        """Whether all that reads a name is an update."""
        for node in self.nodes:
            if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr):
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                updates = any(is_name(each) and each.id in self.updated for each in targets)
                if not updates and any(is_name(each) and each.id == name for each in ast.walk(node)):
                    return False
        return True

    def is_number(self, name: str) -> bool:
        """Whether a name only divides, multiplies a whole sum, or scales a step or a parameter; or is a bound."""
        places = [node for node in self.loads if node.id == name]
        if any(map(self._bounds, places)):
            return True
        scales = [self._scales(node) for node in places]
        factors = [parent for node in places if isinstance(parent := self._unsigned(node), ast.BinOp)]
        if not any(scales) or len(factors) < len(places):
            return False
        return all(isinstance(each.op, ast.Mult | ast.Div | ast.Pow) for each in factors) or all(scales)

    def _bounds(self, node: ast.Name) -> bool:
        """Whether a name is what a computed value is held against, or cut off at: ``np.abs(r) <= delta``."""
        match self._unsigned(node):
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], comparators=[right]):
                return self._computed(right if left is node else left)
            case ast.Call(func=function, args=[first, *_]):
                return ast.unparse(function).rpartition(".")[2] == "clip" and first is not node
        return False

    def _unsigned(self, node: ast.AST) -> ast.AST | None:
        """What a name with its sign stands in."""
        parent = self.parents.get(id(node))
        return self._unsigned(parent) if isinstance(parent, ast.UnaryOp) else parent

    def _scales(self, node: ast.expr) -> bool:
        parent = self.parents.get(id(node))
        match parent:
            case ast.BinOp(op=ast.Div(), right=right) if right is node:
                return True
            case ast.BinOp(op=ast.Mult() | ast.Div() | ast.Pow()):
                other = parent.left if parent.right is node else parent.right
                if isinstance(other, ast.Constant):
                    return self._scales(parent) or isinstance(self.parents.get(id(parent)), ast.BinOp)
                return is_sum(other) or self._is_step(parent, other)
            case ast.UnaryOp():
                return self._scales(parent)
        return False

    def _is_step(self, product: ast.expr, other: ast.expr) -> bool:
        """Whether a product is what a parameter is changed by, or the share of a parameter in its gradient."""
        own = set(operand(other))
        if own & (self.derived | self.updated):
            return True
        node: ast.AST | None = product
        while isinstance(node, ast.expr):
            node = self.parents.get(id(node))
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        return any(isinstance(each, ast.Name) and each.id in self.updated for each in targets)

    def is_offset(self, name: str) -> bool:
        """Whether a name is only ever added to a matrix product, as the bias of a layer."""
        parents = [self.parents.get(id(node)) for node in self.loads if node.id == name]
        return bool(parents) and all(
            isinstance(each, ast.BinOp)
            and isinstance(each.op, ast.Add)
            and isinstance(each.right, ast.Name)
            and is_product(each.left)
            for each in parents
        )

    def entrywise(self, name: str) -> bool:
        """Whether a parameter is added, or written small and multiplied."""
        for node in self.loads:
            parent = self._unsigned(node)
            if node.id == name and isinstance(parent, ast.BinOp):
                if isinstance(parent.op, ast.Add) and not isinstance(parent.left, ast.Constant):
                    return True
                if isinstance(parent.op, ast.Mult) and name.islower():
                    return True
        return False
