"""The shapes of a text's free names, found by walking it once with sizes that are not known yet.

A value here is its shape (a tuple of sizes), ``Count`` (a whole number that is the size of something), ``Several`` (a
tuple of values), or None where nothing is known, which agrees with everything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.roles import NO_ROLES, Roles
from parity_tests.derivations.engine.sizes import Clash, Shape, Size, Sizes, without_ones
from parity_tests.derivations.engine.symbols import family_of, meant_by

FORWARD_CLASH, BACKWARD_CLASH = 10, 1
"""What a line that does not fit counts against a reading of the text."""


class Count(NamedTuple):
    """A whole number that is a size."""

    size: Size


class Turn(NamedTuple):
    """A counter: a whole number below a size, which is None where it is not known."""

    size: Size | None


class Several(NamedTuple):
    """A tuple or list of values."""

    parts: tuple[Any, ...]


Ranks = Callable[[str], "tuple[int | None, ...] | None"]
"""The axes that a free name is taken to have: 1, or None for a size to be found; None as a whole for a number."""

REDUCE = frozenset(("sum", "mean", "max", "min", "amax", "amin", "prod", "var", "std", "average", "norm", "median"))
ENTRYWISE_TWO = frozenset(("add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "true_divide"))
INTEGER = frozenset(("argmax", "argmin"))
MOST_PARTS = 64
"""Into how many parts an axis is cut."""


class Reading:
    """One walk over the text, under one assumption about the axes of its free names."""

    def __init__(self, tree: ast.Module, ranks: Ranks, declared: dict[str, Shape], roles: Roles = NO_ROLES) -> None:
        self.sizes, self.ranks, self.roles = Sizes(), ranks, roles
        self.names: dict[str, Any] = dict(declared)
        self.shapes: dict[str, Shape] = dict(declared)
        self.free: list[str] = list(declared)
        self.functions: dict[str, ast.FunctionDef] = {
            node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
        }
        self.called = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        } | set(words.FUNCTIONS)
        """Names that stand for functions where the text gives them no value."""
        self.labels: dict[str, Size] = {}
        self.counts: set[str] = set()
        self.measured: set[str] = set()
        """The names whose shape the text reads."""
        self.clashes = 0
        self.clashed: set[tuple[int, int]] = set()
        self.known: set[str] = set()
        self.depth = 0
        for size in {size for shape in declared.values() for size in shape if isinstance(size, str)}:
            self.count_named(size)
        self.block([each for each in tree.body if not isinstance(each, ast.FunctionDef)])

    # ---- statements
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
                    if weight == BACKWARD_CLASH:
                        self.keep_apart(kept, known)
                    for target in targets:
                        if target is not None:
                            self.assign(target, value, augmented=isinstance(node, ast.AugAssign))
                except _Unknown:
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
        match target:
            case ast.Name():
                name = target.id
                if augmented:
                    own, other = self.shape(self.name(name)), self.shape(value)
                    if len(own) < len(other):
                        raise Clash("an array of fewer axes in place")
                    self.sizes.together(own, other)
                    return
                if _is_shape(value):
                    for base in meant_by(name, self.names):
                        if _is_shape(self.names.get(base)):
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
            case ast.Subscript():
                place = self.indexed(target)
                if place is not None and _is_shape(value):
                    self.sizes.together(place, value)

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

    def known_size(self, node: ast.expr) -> Size | None:
        """The size that a formula is, None for any other number."""
        try:
            return self.size(node) if isinstance(node, ast.Name) or isinstance(self.of(node), Count) else None
        except (Clash, IndexError, TypeError, _Unknown):
            return None

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
        return (value[0], value[1:]) if _is_shape(value) and value else (None, None)

    def bind(self, target: ast.expr, value: Any) -> None:
        """Gives the names of a loop their values."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = value.parts if isinstance(value, Several) and len(value.parts) == len(target.elts) else None
            for place, each in enumerate(target.elts):
                self.bind(each, None if parts is None else parts[place])

    # ---- expressions
    def name(self, name: str) -> Any:
        if name not in self.names:
            if name in self.functions or (name in self.called and words.free_function(name) is not None):
                return None
            axes = self.ranks(name)
            bases = () if axes is None else meant_by(name, self.names)
            upstream = [base for base in bases if _is_shape(self.names[base])]
            shape: Any = (
                self.names[upstream[0]]
                if upstream
                else ()
                if axes is None
                else tuple(1 if each == 1 else self.sizes.new() for each in axes)
            )
            self.names[name] = self.shapes[name] = shape
            self.free.append(name)
            self.known.add(name)
        return self.names[name]

    def count_named(self, name: str) -> None:
        """A free name that stands where a size belongs."""
        self.names[name] = self.shapes[name] = ()
        self.free.append(name)
        self.counts.add(name)

    def shape(self, value: Any) -> Shape:
        """A value's shape; a size is a number, and what is not known raises Unknown."""
        if isinstance(value, Count | Turn):
            return ()
        if value is None or isinstance(value, Several):
            raise _Unknown
        shape: Shape = value
        return shape

    def of(self, node: ast.expr) -> Any:
        """The value of an expression, None where nothing is known of it."""
        try:
            return self._of(node)
        except _Unknown:
            return None

    def _of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return Count(node.value) if isinstance(node.value, int) and not isinstance(node.value, bool) else ()
            case ast.Name():
                return self.name(node.id)
            case ast.UnaryOp():
                return self.of(node.operand)
            case ast.BinOp():
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
            case ast.Tuple() | ast.List():
                return Several(tuple(self.of(each) for each in node.elts))
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.indexed(node)
            case ast.Call():
                return self.call(node)
        return None

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
        if labels and left and right and len(left) != len(right):
            self.clashes += BACKWARD_CLASH

    def attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id in words.MODULES:
            return ()
        base = self.shape(self.of(node.value))
        if node.attr == "T":
            return tuple(reversed(base))
        if node.attr == "shape":
            if isinstance(node.value, ast.Name):
                self.measured.add(node.value.id)
            return Several(tuple(Count(each) for each in base))
        return () if node.attr in ("ndim", "size") else None

    def indexed(self, node: ast.Subscript) -> Any:
        """``x[i, :, None]``: whole numbers take an axis away, labels and ranges take it as it is."""
        base = self.of(node.value)
        if isinstance(base, Several):
            try:
                return base.parts[int(ast.literal_eval(node.slice))]
            except (ValueError, TypeError):
                return None
        sizes = list(self.shape(base))
        items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        result: list[Size] = []
        fancy: Size | None = None
        for item in items:
            if ast.unparse(item) in ("None", "np.newaxis", "numpy.newaxis"):
                result.append(1)
                continue
            if isinstance(item, ast.Constant) and item.value is Ellipsis:
                return None
            axis = sizes.pop(0)
            if isinstance(item, ast.Slice):
                result.append(self.cut(axis, item))
                continue
            value = self.of(item)
            if isinstance(item, ast.Compare):
                return None
            if isinstance(value, Turn) and value.size is not None:
                known = isinstance(value.size, int) and isinstance(self.sizes.find(axis), int)
                axis = axis if known else self.sizes.equal(value.size, axis)
            if _is_shape(value) and len(value) == 1:
                if isinstance(item, ast.Name):
                    self.labels.setdefault(item.id, axis)
                elif isinstance(item, ast.Call):
                    value = (self.sizes.equal(value[0], axis),)
                if fancy is None:
                    result.append(value[0])
                    fancy = value[0]
                else:
                    self.sizes.equal(fancy, value[0])
            elif _is_shape(value) and len(value) > 1:
                if len(items) > 1:
                    raise Clash("a matrix as an index")
                if not isinstance(item, ast.Name) or item.id not in self.free:
                    raise _Unknown
                self.labels.setdefault(item.id, axis)  # a row of a table for each entry, such as that of a word
                result.extend(value)
        return tuple(result) + tuple(sizes)

    def cut(self, axis: Size, item: ast.Slice) -> Size:
        """How long ``a:b`` of an axis is: an axis that is cut at a size is that size and the rest."""
        if item.lower is None and item.upper is None and item.step is None:
            return axis
        if item.step is not None:
            return self.sizes.new()
        start = () if item.lower is None else self.extent(item.lower)
        if start is None:
            return self.sizes.new()
        if item.upper is not None:
            stop = self.extent(item.upper)
            between = None if stop is None else _without(stop, start)
            if stop is not None and item.lower is None:
                self.rest(axis, stop)
            return self.sizes.new() if between is None else self.sizes.total(between)
        return self.rest(axis, start)

    def rest(self, axis: Size, start: Shape) -> Size:
        """What is left of an axis behind some sizes; an axis of which nothing is known is their sum with a new one."""
        parts = self.sizes.parts(axis)
        left = _without(parts, start)
        if left is not None:
            return self.sizes.total(left)
        while parts and start and parts[0] == start[0]:
            parts, start = parts[1:], start[1:]
        if len(parts) != 1 or not isinstance(parts[0], str) or parts[0] in start:
            return self.sizes.new()
        new = self.sizes.new()
        self.sizes.sums[parts[0]] = (*start, new)
        return new

    def extent(self, node: ast.expr) -> Shape | None:
        """The sizes that add up to a whole number: H and H for ``2 * H``; None where that is not known."""
        match node:
            case ast.Constant(value=int() as value):
                return (value,) if value else ()
            case (
                ast.BinOp(op=ast.Mult(), left=ast.Constant(value=int() as times), right=one)
                | ast.BinOp(op=ast.Mult(), left=one, right=ast.Constant(value=int() as times))
            ):
                part = self.extent(one)
                return None if part is None or not 0 < times <= MOST_PARTS else part * times
            case ast.BinOp(op=ast.Add()):
                first, second = self.extent(node.left), self.extent(node.right)
                return None if first is None or second is None else first + second
            case ast.Name() | ast.Subscript():
                size = self.known_size(node)
                return None if size is None else self.sizes.parts(size)
        return None

    def joined(self, arrays: ast.expr, axis: int, *, stacked: bool = False) -> Any:
        """Arrays one behind the other: their sizes along the axis add up, the others are equal."""
        value = self.of(arrays)
        if not isinstance(value, Several) or not value.parts:
            return None
        shapes = [self.shape(each) for each in value.parts]
        if any(len(each) != len(shapes[0]) for each in shapes):
            raise Clash("arrays of different numbers of axes behind one another")
        if stacked:
            for each in shapes[1:]:
                self.sizes.match(shapes[0], each)
            place = axis % (len(shapes[0]) + 1)
            return (*shapes[0][:place], len(shapes), *shapes[0][place:])
        place = axis % len(shapes[0])
        for each in shapes[1:]:
            self.sizes.match(shapes[0][:place] + shapes[0][place + 1 :], each[:place] + each[place + 1 :])
        return (*shapes[0][:place], self.sizes.total(tuple(each[place] for each in shapes)), *shapes[0][place + 1 :])

    def split(self, array: ast.expr, count: ast.expr, axis: int) -> Any:
        """``np.split(a, 4, axis=1)``: parts of one size."""
        shape = self.shape(self.of(array))
        if not isinstance(count, ast.Constant) or not isinstance(count.value, int) or not 0 < count.value <= MOST_PARTS:
            return None
        place = axis % len(shape)
        own = self.sizes.parts(shape[place])
        part = own[0] if len(own) == count.value else self.sizes.new()
        self.sizes.equal(shape[place], self.sizes.total((part,) * count.value))
        return Several(((*shape[:place], part, *shape[place + 1 :]),) * count.value)

    # ---- calls
    def call(self, node: ast.Call) -> Any:
        function = node.func
        if isinstance(function, ast.Name):
            return self.plain_call(function.id, node)
        if not isinstance(function, ast.Attribute):
            return None
        of_module = isinstance(function.value, ast.Name) and function.value.id in words.MODULES
        of_nested = isinstance(function.value, ast.Attribute) and function.value.attr in words.NESTED
        if of_nested and isinstance(function.value, ast.Attribute) and function.value.attr == "random":
            return self.drawn(function.attr, node)
        arguments = node.args if of_module or of_nested else [function.value, *node.args]
        return self.word(function.attr, arguments, {each.arg: each.value for each in node.keywords if each.arg})

    def plain_call(self, name: str, node: ast.Call) -> Any:
        if name in self.functions and self.depth < 4:
            return self.own(self.functions[name], node)
        if name == "range" or name == "len":
            value = self.of(node.args[-1 if name == "range" and len(node.args) < 2 else 0])
            if name == "len":
                return Count(self.shape(value)[0])
            if len(node.args) == 1:
                return (self.size(node.args[0]),)
            return None
        if name in ("float", "int", "abs", "reversed", "list", "round"):
            return self.of(node.args[0]) if node.args else ()
        if name == "sum" and len(node.args) == 1 and _is_shape(over := self.of(node.args[0])) and over:
            return over[1:]  # Python's own sum goes through the rows
        if name in ("dot", "matmul", "outer", "where", *REDUCE):
            return self.word(name, node.args, {each.arg: each.value for each in node.keywords if each.arg})
        if words.free_function(name) is not None or name == "softmax":
            return self.of(node.args[0]) if node.args else None
        for each in node.args:
            self.of(each)
        return None

    def own(self, function: ast.FunctionDef, node: ast.Call) -> Any:
        """A function of the text, walked with its arguments' shapes."""
        outer = self.names
        parameters = [each.arg for each in function.args.args]
        values = [self.of(each) for each in node.args]
        self.names = dict(outer) | dict(zip(parameters, values, strict=False))
        self.depth += 1
        result = None
        try:
            for statement in function.body:
                if isinstance(statement, ast.Return) and statement.value is not None:
                    result = self.of(statement.value)
                    break
                self.statement(statement)
        finally:
            self.depth -= 1
            new = {name: value for name, value in self.names.items() if name in self.free and name not in parameters}
            self.names = outer | {name: value for name, value in new.items() if name not in outer}
        return result

    def drawn(self, name: str, node: ast.Call) -> Any:
        if name in ("rand", "randn"):
            return tuple(self.size(each) for each in node.args)
        last = next((each.value for each in node.keywords if each.arg == "size"), node.args[-1] if node.args else None)
        return self.made(last)

    def size(self, node: ast.expr) -> Size:
        """A whole number as the size that it is."""
        if isinstance(node, ast.Name) and node.id not in self.names:
            self.count_named(node.id)
        value = self.of(node)
        if isinstance(value, Count):
            return value.size
        if isinstance(node, ast.Name) and value == ():
            self.counts.add(node.id)
            return self.sizes.find(node.id)
        return self.sizes.new()

    def made(self, node: ast.expr | None) -> Any:
        """A shape that was written out: ``(N, D)``, ``W.shape``, or a number."""
        if node is None:
            return None
        if isinstance(node, ast.Tuple | ast.List):
            return tuple(self.size(each) for each in node.elts)
        value = self.of(node)
        if isinstance(value, Several):
            return tuple(each.size if isinstance(each, Count) else self.sizes.new() for each in value.parts)
        return (self.size(node),)

    def word(self, name: str, arguments: list[ast.expr], settings: dict[str, ast.expr]) -> Any:
        """What NumPy's function of that name makes of shapes."""
        name = words.OTHER_NAMES.get(name, name)
        if name in ("trace", "vdot"):
            shapes = [self.shape(self.of(each)) for each in arguments]
            self.sizes.match(*(shapes if name == "vdot" else (shapes[0][:1], shapes[0][1:])))
            return ()
        if name == "apply_along_axis" and len(arguments) == 3:
            return self.of(arguments[2])
        if name in ("zeros", "ones", "empty", "full"):
            return self.made(arguments[0] if arguments else None)
        if name in ("zeros_like", "ones_like", "empty_like", "full_like", "copy", "array", "asarray", "astype", "clip"):
            return self.of(arguments[0])
        if name in ("eye", "identity"):
            size = self.size(arguments[0])
            return (size, size)
        if name == "arange":
            return (self.size(arguments[0]),) if len(arguments) == 1 else None
        if name in ("dot", "matmul"):
            left, right = (self.shape(self.of(each)) for each in arguments[:2])
            if name == "dot" and not (left and right):
                return left or right
            return self.sizes.product(left, right)
        if name in ENTRYWISE_TWO:
            return self.sizes.together(*(self.shape(self.of(each)) for each in arguments[:2]))
        if name == "where" and len(arguments) == 3:
            first = self.sizes.together(*(self.shape(self.of(each)) for each in arguments[1:]))
            return self.sizes.together(self.shape(self.of(arguments[0])), first)
        if name == "outer":
            left, right = (self.shape(self.of(each)) for each in arguments[:2])
            if len(left) != 1 or len(right) != 1:
                raise Clash("an outer product of matrices")
            return (left[0], right[0])
        if name in REDUCE or name in INTEGER:
            return self.reduced(arguments, settings)
        if name in ("transpose",):
            axes = arguments[1:]
            base = self.shape(self.of(arguments[0]))
            flat = axes[0].elts if len(axes) == 1 and isinstance(axes[0], ast.Tuple) else axes
            if not flat:
                return tuple(reversed(base))
            return tuple(base[each.value] for each in flat if isinstance(each, ast.Constant))  # type: ignore[index]
        if name == "reshape":
            sizes = arguments[1].elts if isinstance(arguments[1], ast.Tuple) else arguments[1:]
            if len(sizes) == 1 and isinstance(self.of(sizes[0]), Several):
                return self.made(sizes[0])
            return self.reshaped(self.of(arguments[0]), list(sizes))
        if name == "stack" and _is_shape(rows := self.of(arguments[0])) and len(arguments) + len(settings) == 1:
            return rows
        if name in ("concatenate", "stack", "hstack", "vstack", "column_stack"):
            return self.behind_one_another(name, arguments, settings)
        if name in ("split", "array_split"):
            axis = _axis_of(settings, arguments[2:])
            return None if axis is None else self.split(arguments[0], arguments[1], axis)
        if name in ("einsum", "squeeze", "pad", "tensordot", "diag", "ravel"):
            for each in arguments:
                self.of(each)
            return self.einsum(arguments) if name == "einsum" else None
        value = self.of(arguments[0]) if arguments else None
        for each in arguments[1:]:
            self.of(each)
        entrywise = name in words.PROTOCOL or name in words.METHODS
        return value if entrywise and name not in ("flatten", "repeat", "tile", "take", "split") else None

    def behind_one_another(self, name: str, arguments: list[ast.expr], settings: dict[str, ast.expr]) -> Any:
        """``np.concatenate`` and its like."""
        axis = _axis_of(settings, arguments[1:])
        value = self.of(arguments[0])
        if axis is None or not isinstance(value, Several) or any(each is None for each in value.parts):
            return None
        axes = [len(self.shape(each)) for each in value.parts]
        if (name == "hstack" and axes[0] > 1) or (name == "column_stack" and axes == [2] * len(axes)):
            axis = 1
        elif name == "column_stack" or (name == "vstack" and axes[0] < 2):
            if axes != [1] * len(axes):
                return None
            return self.joined(arguments[0], 1 if name == "column_stack" else 0, stacked=True)
        return self.joined(arguments[0], axis, stacked=name == "stack")

    def reshaped(self, base: Any, sizes: list[ast.expr]) -> Any:
        """A shape written out, in which one -1 is the rest: of a flat array it is the whole."""
        result: list[Size] = []
        for each in sizes:
            negative = isinstance(each, ast.UnaryOp) and ast.unparse(each) == "-1"
            if negative and _is_shape(base) and len([b for b in base if b != 1]) == 1 and len(sizes) <= 2:
                result.append(next(b for b in base if b != 1))
            else:
                result.append(self.sizes.new() if negative else self.size(each))
        return tuple(result)

    def einsum(self, arguments: list[ast.expr]) -> Any:
        """The rule's letters are sizes."""
        rule = arguments[0].value if isinstance(arguments[0], ast.Constant) else None
        if not isinstance(rule, str) or "." in rule:
            return None
        if "->" not in rule:
            once = sorted(each for each in set(rule) if each.isalpha() and rule.count(each) == 1)
            rule = f"{rule}->{''.join(once)}"
        inputs, output = rule.replace(" ", "").split("->")
        letters: dict[str, Size] = {}
        for part, node in zip(inputs.split(","), arguments[1:], strict=False):
            shape = self.of(node)
            if not _is_shape(shape):
                continue
            if len(shape) != len(part):
                raise Clash("einsum's rule has another number of axes")
            for letter, size in zip(part, shape, strict=True):
                letters[letter] = self.sizes.equal(letters.get(letter, size), size)
        return tuple(letters.get(letter, self.sizes.new()) for letter in output)

    def reduced(self, arguments: list[ast.expr], settings: dict[str, ast.expr]) -> Any:
        """A sum over one axis, several, or all."""
        base = self.of(arguments[0])
        if isinstance(base, Several) and base.parts:
            shape: Shape = ()
            for each in base.parts:
                shape = self.sizes.together(shape, self.shape(each))
            base = (len(base.parts), *shape)
        base = self.shape(base)
        axis_node = settings.get("axis", settings.get("dim", arguments[1] if len(arguments) > 1 else None))
        keep = "keepdims" in settings and ast.unparse(settings["keepdims"]) in ("True", "1")
        if axis_node is None or ast.unparse(axis_node) == "None":
            return (1,) * len(base) if keep else ()
        try:
            axes = ast.literal_eval(axis_node)
        except ValueError:
            return None
        chosen = {each % max(1, len(base)) for each in ((axes,) if isinstance(axes, int) else axes)}
        if any(each >= len(base) for each in ((axes,) if isinstance(axes, int) else axes)):
            raise Clash("there is no such axis")
        return tuple(1 if place in chosen else size for place, size in enumerate(base) if keep or place not in chosen)


class _Unknown(Exception):  # noqa: N818
    """Nothing is known of a value."""


def _without(sizes: Shape, taken: Shape) -> Shape | None:
    """What is left of sizes that add up when those in front are taken away; None where they are others."""
    return sizes[len(taken) :] if sizes[: len(taken)] == taken else None


def _axis_of(settings: dict[str, ast.expr], arguments: list[ast.expr]) -> int | None:
    """The axis that a call names, 0 without one, None where it is not known."""
    node = settings.get("axis", arguments[0] if arguments else ast.Constant(0))
    try:
        axis = ast.literal_eval(node)
    except ValueError:
        return None
    return axis if isinstance(axis, int) else None


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and not isinstance(value, Count | Turn | Several)


_DECLARED = re.compile(r"#\s*([A-Za-z_][\w.]*(?:\[['\"]?\w+['\"]?\])?)\s*:\s*\(([^()]*)\)")


def declarations(rows: tuple[str, ...]) -> dict[str, Shape]:
    """What comments say: ``# X: (N, D)`` and ``# b: (H,)``."""
    found: dict[str, Shape] = {}
    for row in rows:
        for match in _DECLARED.finditer(row):
            sizes = [each.strip() for each in match[2].split(",") if each.strip()]
            if all(re.fullmatch(r"\w+", each) for each in sizes):
                found[match[1]] = tuple(int(each) if each.isdigit() else each for each in sizes)
    return found
