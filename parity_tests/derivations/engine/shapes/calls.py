"""Shapes of what calls return: NumPy's functions, the text's own, sums over axes, einsum."""

from __future__ import annotations

import ast
from typing import Any

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.shapes.parts import Parts, axis_of
from parity_tests.derivations.engine.shapes.sizes import Clash, Shape, Size
from parity_tests.derivations.engine.shapes.values import Count, Each, Several, is_shape

REDUCE = frozenset(("sum", "mean", "max", "min", "amax", "amin", "prod", "var", "std", "average", "norm", "median"))
ENTRYWISE_TWO = frozenset(("add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "true_divide"))
INTEGER = frozenset(("argmax", "argmin"))


class Calls(Parts):
    """What functions make of shapes."""

    is_numpy_code = True
    """Whether ``sum`` is Python's own, which goes through the rows of a matrix."""

    def call(self, node: ast.Call) -> Any:
        function = node.func
        if isinstance(function, ast.Name):
            return self.plain_call(function.id, node)
        if not isinstance(function, ast.Attribute):
            return None
        if function.attr == "append" and len(node.args) == 1:
            return self.appended(function.value, self.of(node.args[0]))
        of_module = isinstance(function.value, ast.Name) and function.value.id in words.MODULES
        of_nested = isinstance(function.value, ast.Attribute) and function.value.attr in words.NESTED
        if of_nested and isinstance(function.value, ast.Attribute) and function.value.attr == "random":
            return self.drawn(function.attr, node)
        arguments = node.args if of_module or of_nested else [function.value, *node.args]
        return self.word(function.attr, arguments, {each.arg: each.value for each in node.keywords if each.arg})

    def appended(self, target: ast.expr, value: Any) -> None:
        """One more entry of a list, all of which have one shape."""
        base = self.of(target)
        if isinstance(base, Several) and len(base.parts) == 1 and isinstance(target, ast.Name):
            base = self.names[target.id] = Each(base.parts[0])
        if isinstance(base, Each):
            self.put(base, value)

    def plain_call(self, name: str, node: ast.Call) -> Any:
        if name in self.functions and self.depth < 4:
            return self.own(self.functions[name], node)
        if name == "len" and self.is_unmet(node.args[0]):
            return None
        if name == "range" or name == "len":
            value = self.of(node.args[-1 if name == "range" and len(node.args) < 2 else 0])
            if name == "len":
                return Count(self.shape(value)[0])
            if len(node.args) == 1:
                return (self.size(node.args[0]),)
            return None
        if name == "int" and node.args and isinstance(node.args[0], ast.BinOp):
            self.count_names(node.args[0])
        if name in ("float", "int", "abs", "reversed", "list", "round"):
            return self.of(node.args[0]) if node.args else ()
        if name in ("min", "max") and len(node.args) > 1:
            return self.sizes.together(*[self.shape(self.of(each)) for each in node.args][:2])
        is_own = name == "sum" and len(node.args) == 1 and self.is_numpy_code and not node.keywords
        if is_own and is_shape(over := self.of(node.args[0])) and over:
            return over[1:]  # Python's own sum goes through the rows
        if name in ("dot", "matmul", "outer", "where", *REDUCE):
            return self.word(name, node.args, {each.arg: each.value for each in node.keywords if each.arg})
        values = [self.of(each) for each in node.args]
        known = words.free_function(name) is not None or name == "softmax"
        return values[0] if known and values else None

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
        if len(node.args) == 1 and isinstance(shape := node.args[0], ast.Starred):
            return self.made(shape.value)
        if name in ("rand", "randn"):
            return tuple(self.size(each) for each in node.args)
        last = next((each.value for each in node.keywords if each.arg == "size"), node.args[-1] if node.args else None)
        return self.made(last)

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
        if name == "stack" and is_shape(rows := self.of(arguments[0])):
            place = (axis_of(settings, arguments[1:]) or 0) % len(rows)
            return (*rows[1 : place + 1], rows[0], *rows[place + 1 :])
        if name in ("concatenate", "stack", "hstack", "vstack", "column_stack"):
            return self.behind_one_another(name, arguments, settings)
        if name in ("split", "array_split"):
            axis = axis_of(settings, arguments[2:])
            return None if axis is None else self.split(arguments[0], arguments[1], axis)
        if name == "diag" and len(arguments) == 1:
            shape = self.shape(self.of(arguments[0]))
            return shape * 2 if len(shape) == 1 else (self.sizes.equal(*shape),)
        if name == "tensordot":
            return self.tensordot(arguments, settings)
        widths = settings.get("pad_width", arguments[1] if len(arguments) > 1 else None)
        if name == "pad" and widths is not None:
            return self.padded(self.shape(self.of(arguments[0])), widths)
        if name in ("einsum", "squeeze", "diag", "ravel"):
            for each in arguments:
                self.of(each)
            return self.einsum(arguments) if name == "einsum" else None
        value = self.of(arguments[0]) if arguments else None
        for each in arguments[1:]:
            self.of(each)
        entrywise = name in words.PROTOCOL or name in words.METHODS
        return value if entrywise and name not in ("flatten", "repeat", "tile", "take", "split") else None

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
            if not is_shape(shape):
                continue
            if len(shape) != len(part):
                raise Clash("einsum's rule has another number of axes")
            for letter, size in zip(part, shape, strict=True):
                letters[letter] = self.sizes.equal(letters.get(letter, size), size)
        return tuple(letters.get(letter, self.sizes.new()) for letter in output)

    def tensordot(self, arguments: list[ast.expr], settings: dict[str, ast.expr]) -> Any:
        """The axes that are left, first those of the first array."""
        left, right = (self.shape(self.of(each)) for each in arguments[:2])
        try:
            axes = ast.literal_eval(settings.get("axes", arguments[2] if len(arguments) > 2 else ast.Constant(2)))
        except ValueError:
            return None
        if isinstance(axes, int):
            axes = range(len(left) - axes, len(left)), range(axes)
        own, others = ([each] if isinstance(each, int) else list(each) for each in axes)
        for one, other in zip(own, others, strict=True):
            self.sizes.equal(left[one], right[other])
        gone = {each % len(left) for each in own}, {each % len(right) for each in others}
        parts = zip((left, right), gone, strict=True)
        return tuple(size for shape, out in parts for place, size in enumerate(shape) if place not in out)

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
