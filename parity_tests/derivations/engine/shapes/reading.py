"""The shapes of a text's free names, found by walking it once with sizes that are not known yet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.axes_by_use import summed_along
from parity_tests.derivations.engine.roles import NO_ROLES, Roles
from parity_tests.derivations.engine.shapes.calls import Calls
from parity_tests.derivations.engine.shapes.sizes import Clash, Shape, Size, without_ones
from parity_tests.derivations.engine.shapes.values import Count, Each, Ranks, Several, Turn, Unknown, is_shape
from parity_tests.derivations.engine.symbols import family_of, meant_by

FORWARD_CLASH, BACKWARD_CLASH = 10, 1
"""What a line that does not fit counts against a reading of the text."""


class Reading(Calls):
    """One walk over the text, under one assumption about the axes of its free names."""

    def __init__(self, tree: ast.Module, ranks: Ranks, declared: dict[str, Shape], roles: Roles = NO_ROLES) -> None:
        super().__init__(tree, ranks, declared, roles)
        self.is_numpy_code, self.summed = words.is_numpy_code(tree), summed_along(tree)
        self.block([each for each in tree.body if not isinstance(each, ast.FunctionDef)])

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """One statement: what it says about sizes; what does not fit is counted and otherwise passed over."""
        match node:
            case ast.For():
                self.bind_loop(node)
                self.block(node.body)
            case ast.While() | ast.If() | ast.With():
                self.block(node.body)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Expr() | ast.Return():
                kept, known, weight = dict(self.sizes.same_as), set(self.known), FORWARD_CLASH
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                if any(isinstance(each, ast.Name) and self.is_claim(each.id) for each in targets):
                    weight = BACKWARD_CLASH
                names = [each.id for each in targets if isinstance(each, ast.Name)]
                state = next(filter(self.is_new_state, names), None)
                if state is not None:
                    self.names[state] = ()
                try:
                    value = self.of(node.value) if node.value is not None else None
                    if state is not None:
                        self.names[state] = self.shapes[state] = self.shape(value)
                        self.free.append(state)
                    for target in targets:
                        if isinstance(node, ast.Assign) and target is not None:
                            self.note(target, node.value)
                        if target is not None:
                            self.assign(target, value, augmented=isinstance(node, ast.AugAssign))
                    if weight == BACKWARD_CLASH:
                        self.keep_apart(kept, known)
                except Unknown:
                    pass
                except (Clash, IndexError, TypeError, ValueError, AttributeError):
                    self.sizes.same_as = kept
                    place = node.lineno, node.col_offset
                    self.clashes += 0 if place in self.clashed else weight  # once for all turns of a loop
                    self.clashed.add(place)
                    for target in targets:
                        if isinstance(target, ast.Name) and target.id not in self.names:
                            self.names[target.id] = None
            case _:
                pass

    def note(self, target: ast.expr, formula: ast.expr) -> None:
        """Keeps what a name is computed from: it may turn out to be a size."""
        match target, formula:
            case ast.Name(), ast.BinOp() | ast.Call():
                self.written[target.id] = formula
            case ast.Tuple(), ast.Tuple() if len(target.elts) == len(formula.elts):
                for one, other in zip(target.elts, formula.elts, strict=True):
                    self.note(one, other)

    def is_new_state(self, name: str) -> bool:
        """Whether a name is a state of an optimiser that is met first where it is updated: it has the new shape."""
        return name in self.roles.states and name not in self.names

    def keep_apart(self, before: dict[str, Size], known: set[str]) -> None:
        """A line of the backward pass may not make two sizes equal that the forward pass keeps apart."""
        used = {size for name in known for size in self._sizes_of(self.names.get(name))}
        roots: dict[Size, set[Size]] = {}
        for size in used:
            old: Size = size
            while isinstance(old, str) and old in before:
                old = before[old]
            roots.setdefault(self.sizes.find(size), set()).add(old)
        if any(len(group) > 1 for group in roots.values()):
            raise Clash("two sizes of the forward pass would be one")

    @staticmethod
    def _sizes_of(value: Any) -> Iterator[Size]:
        if isinstance(value, tuple) and not isinstance(value, Count | Turn | Several):
            yield from value

    def is_claim(self, name: str) -> bool:
        """Whether a name says that it is the derivative in another name of the text."""
        return bool(meant_by(name, self.names) or family_of(name, self.names))

    def assign(self, target: ast.expr, value: Any, *, augmented: bool) -> None:
        if isinstance(target, ast.Subscript) and is_shape(value):
            self.begin(target, value)
        match target:
            case ast.Name():
                name = target.id
                if augmented:
                    own, other = self.shape(self.name(name)), self.shape(value)
                    if len(own) < len(other):
                        raise Clash("an array of fewer axes in place")
                    self.sizes.together(own, other)
                    return
                if is_shape(value):
                    for base in meant_by(name, self.names):
                        if is_shape(self.names.get(base)) and base not in self.counts:
                            self.sizes.match(without_ones(self.names[base]), without_ones(value))
                            break
                    else:
                        self.known.add(name)
                self.names[name] = value
            case ast.Tuple() | ast.List():
                parts = self.unpacked(value, len(target.elts))
                for each, part in zip(target.elts, parts, strict=True):
                    if isinstance(each, ast.Name) and isinstance(part, Count):
                        self.names[each.id] = Count(self.sizes.equal(part.size, each.id))
                    else:
                        self.assign(each, part, augmented=False)
            case ast.Subscript() if isinstance(base := self.of(target.value), Each):
                self.put(base, value)
            case ast.Subscript():
                place = self.indexed(target)
                if place is not None and is_shape(value):
                    if len(place) < len(value):
                        raise Clash("an array in place of an entry")
                    self.sizes.together(place, value)

    def begin(self, target: ast.Subscript, entry: Shape) -> None:
        """An array that is met first where an entry is put in: ``S[i] = ...`` has an axis for each place in front."""
        if not isinstance(target.value, ast.Name) or (name := target.value.id) in self.names:
            return
        places = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        turns = [self.names.get(each.id) if isinstance(each, ast.Name) else None for each in places]
        sizes = [each.size or self.sizes.new() for each in turns if isinstance(each, Turn)]
        if len(sizes) == len(turns) and self.ranks(name) is not None:
            self.names[name] = self.shapes[name] = (*sizes, *entry)
            self.free.append(name)
            self.known.add(name)

    def unpacked(self, value: Any, count: int) -> tuple[Any, ...]:
        if isinstance(value, Several):
            if len(value.parts) != count:
                raise Clash("a tuple of another length")
            return value.parts
        return (None,) * count

    def bind_loop(self, node: ast.For | ast.comprehension) -> Size | None:
        """A counter is a place; over arrays it is one of their rows. Returns the number of turns, None if not known."""
        over = node.iter
        if isinstance(over, ast.Call) and ast.unparse(over.func) == "reversed" and over.args:
            over = over.args[0]
        if isinstance(over, ast.Call) and ast.unparse(over.func) == "enumerate" and isinstance(node.target, ast.Tuple):
            length, row = self.row_of(over.args[0])
            self.bind(node.target, Several((Turn(length), row)) if len(node.target.elts) == 2 else None)
            return length
        if isinstance(over, ast.Call) and ast.unparse(over.func) == "range":
            length = self.known_size(over.args[0]) if len(over.args) == 1 else None
            self.bind(node.target, Turn(length))
            return length
        length, row = self.row_of(over)
        self.bind(node.target, row)
        return length

    def row_of(self, over: ast.expr) -> tuple[Size | None, Any]:
        """How long something is that a loop goes through, and one of its rows."""
        if isinstance(over, ast.Call) and ast.unparse(over.func) == "zip":
            rows = [self.row_of(each) for each in over.args]
            lengths = [length for length, _ in rows if length is not None]
            try:
                for each in lengths[1:]:
                    self.sizes.equal(lengths[0], each)
            except Clash:
                self.clashes += BACKWARD_CLASH
            return (lengths[0] if lengths else None), Several(tuple(row for _, row in rows))
        try:
            value = self.of(over)
        except (Clash, IndexError, TypeError):
            value = None
        if isinstance(value, Each):
            return None, value.entry
        return (value[0], value[1:]) if is_shape(value) and value else (None, None)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Gives the names of a loop their values."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.parts if isinstance(value, Several) and len(value.parts) == len(target.elts) else None
            for place, each in enumerate(target.elts):
                self.bind(each, None if parts is None else parts[place])

    def _of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return Count(node.value) if isinstance(node.value, int) and not isinstance(node.value, bool) else ()
            case ast.Name():
                return self.name(node.id)
            case ast.UnaryOp():
                return self.of(node.operand)
            case ast.BinOp():
                self.adopt(node)
                if isinstance(node.op, ast.FloorDiv):
                    self.count_names(node)
                left, right = self.of(node.left), self.of(node.right)
                if isinstance(left, Count) and isinstance(right, Count):
                    return ()
                if isinstance(node.op, ast.MatMult):
                    return self.sizes.product(self.shape(left), self.shape(right))
                if isinstance(node.op, ast.Sub):
                    self.compare_labels(node, self.shape(left), self.shape(right))
                return self.sizes.together(self.shape(left), self.shape(right))
            case ast.Compare():
                return self.sizes.together(self.shape(self.of(node.left)), self.shape(self.of(node.comparators[0])))
            case ast.IfExp():
                self.of(node.orelse)
                return self.of(node.body)
            case ast.ListComp() | ast.GeneratorExp():
                return self.listed(node)
            case ast.List(elts=[]):
                return Each()
            case ast.Tuple() | ast.List():
                return Several(tuple(self.of(each) for each in node.elts))
            case ast.Dict():
                entries = [self.of(each) for each in node.values]
                if entries and all(
                    isinstance(each, ast.Constant) and isinstance(each.value, str) for each in node.keys
                ):
                    return dict(zip((ast.unparse(each) for each in node.keys if each), entries, strict=True))
                return Each(*entries) if len(entries) < 2 else None
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id="np"), attr=("c_" | "r_") as word)):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                return self.behind_one_another(words.JOINING[word], [ast.List(parts, ast.Load())], {})
            case ast.Subscript():
                return self.indexed(node)
            case ast.Call():
                return self.call(node)
        return None

    def adopt(self, node: ast.BinOp) -> None:
        """A name that only scales or shifts others has the shape of what it meets first."""
        for one, other in ((_of_numbers(node.left), node.right), (_of_numbers(node.right), node.left)):
            if isinstance(one, ast.Name) and self.is_unmet(one):
                shape: Any = None
                with suppress(Clash, IndexError, TypeError):
                    shape = self.of(other)
                computed = isinstance(other, ast.Name) and other.id not in self.free
                if is_shape(shape) and (shape or computed):
                    axis = self.summed.get(one.id)
                    if axis is not None and -len(shape) <= axis < len(shape):  # for each of what is not added up
                        shape = (*shape[: axis % len(shape)], *shape[axis % len(shape) + 1 :])
                    self.names[one.id] = self.shapes[one.id] = shape
                    self.free.append(one.id)
                    self.known.add(one.id)

    def listed(self, node: ast.ListComp | ast.GeneratorExp) -> Any:
        """A list of one value for each row: as long as what it is made from, each entry of one shape."""
        if len(node.generators) > 1 or node.generators[0].ifs:
            return None
        outer = dict(self.names)
        length = self.bind_loop(node.generators[0])
        entry = self.of(node.elt)
        bound = {each.id for each in ast.walk(node.generators[0].target) if isinstance(each, ast.Name)}
        self.names = {name: value for name, value in self.names.items() if name not in bound}
        self.names |= {name: outer[name] for name in bound if name in outer}
        return None if length is None or isinstance(entry, Several | None) else (length, *self.shape(entry))

    def compare_labels(self, node: ast.BinOp, left: Shape, right: Shape) -> None:
        """Labels have as many axes as what they are compared with."""
        labels = [
            each for each in (node.left, node.right) if isinstance(each, ast.Name) and self.roles.is_label(each.id)
        ]
        if labels and len(left) != len(right):
            self.clashes += BACKWARD_CLASH

    def attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id in words.MODULES:
            return ()
        if self.is_unmet(node.value):
            return None
        base = self.shape(self.of(node.value))
        if node.attr == "T":
            if base == () and isinstance(node.value, ast.Name):
                raise Clash("a number that is transposed")
            return tuple(reversed(base))
        if node.attr == "shape":
            if isinstance(node.value, ast.Name):
                self.measured.add(node.value.id)
            return Several(tuple(Count(each) for each in base))
        if node.attr == "size" and len(base) == 1:
            return Count(base[0])
        return () if node.attr in ("ndim", "size") else None


def _of_numbers(node: ast.expr) -> ast.expr:
    """The one part of a formula that is no number written out: ``done`` of ``1 - done``."""
    match node:
        case ast.UnaryOp(operand=part):
            return _of_numbers(part)
        case ast.BinOp(left=ast.Constant(), right=part) | ast.BinOp(left=part, right=ast.Constant()):
            return _of_numbers(part)
    return node
