"""The frames in which a claim may be read, the likeliest first: settings, and what letters of layers stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.kinds import (
    depends_on_units,
    has_labels,
    is_about_activation,
    is_loss,
    is_step_of_training,
)
from parity_tests.derivations.latex.references import MOST_LAYERS, Convention, logistic_setting, network_setting
from parity_tests.derivations.latex.style import NONE, Style, own_style
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    HIDDEN,
    LOGISTIC,
    MEANINGS,
    NETWORK,
    OF_FILTERS,
    OUTPUTS,
    SIZE,
    STEP,
    Frame,
)
from parity_tests.derivations.latex.tree import (
    Call,
    Floor,
    Node,
    Number,
    Operation,
    Sum,
    Symbol,
    symbols_of,
    walk,
)
from parity_tests.derivations.settings import setting_named

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu")


def frames(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> Iterator[Frame]:
    """The frames in which a claim may be read, the likeliest first."""
    if is_size(claim.target, claim.right):
        yield Frame(setting_named("sizes"), SIZE, convention, style, let=let)
        return
    found = symbols_of((claim.target, claim.right))
    penalty = any(each.base == "\\lambda" for each in found)
    convention = convention._replace(one=convention.one or is_loss(claim), l2=convention.l2 or penalty)
    if not depends_on_units(claim):  # what plays no part makes no other numbers
        convention = convention._replace(hidden="tanh")
    style = own_style(found, style)
    layers = [style.layer_of(each) for each in found]
    above = int(convention.above)
    numbers = [
        int(layer) - above * (MEANINGS.get(each.base, "")[-1:] in ("Z", "A"))
        for each, layer in zip(found, layers, strict=True)
        if layer.isdigit()
    ]
    letters = [each for each in layers if each and each[0].isalpha()]
    if any({"prev", "in", "out"} & set(each.subscripts) for each in found):
        setting = network_setting(3, convention)
        yield Frame(setting, NETWORK, convention, style, 3, {"L": 2, "l": 2}, 2, let)
        return
    if layers and any(layers):
        yield from _networks(claim, style, convention, let, numbers, letters, found)
        return
    units = {each.base for each in found}
    if is_step_of_training(claim):
        for name in _steps(found):
            yield Frame(setting_named(name), STEP, convention, style, let=let)
        return
    if is_about_activation(claim):
        for name in activation_names(claim):
            yield Frame(setting_named(name), ACTIVATION, convention, style, let=let)
    yield Frame(logistic_setting(convention), LOGISTIC, convention, style, let=let)
    single = network_setting(1, convention)
    yield Frame(single, NETWORK, convention, style, 1, {}, 1, let)
    target = claim.target.base if isinstance(claim.target, Symbol) else ""
    if MEANINGS.get(target) in ("dA", "dZ") or units & {"dA", "da"}:
        yield Frame(network_setting(3, convention), NETWORK, convention, style, 3, {}, 2, let)


def is_size(target: Node, right: Node) -> bool:
    """Whether the size of an output of a convolution is claimed, from those of an input and of filters."""
    parts = walk(right)
    if not isinstance(target, Symbol) or not all(isinstance(x, Number | Symbol | Operation | Floor) for x in parts):
        return False
    found = [each for each in symbols_of(right) if each.base not in OF_FILTERS]
    letters = {OF_FILTERS[each.base] for each in symbols_of(right) if each.base in OF_FILTERS}
    inputs = {target.base, *("i" if target.base == "o" else "")}
    return len(found) == 1 and found[0].base in inputs and "f" in letters and target.base in (*"nHWhwo",)


def _networks(
    claim: Claim, style: Style, convention: Convention, let: Mapping[str, str], numbers: list[int],
    letters: list[str], found: list[Symbol],
) -> Iterator[Frame]:  # fmt: skip
    """Networks whose layers are those of the claim."""
    labels = has_labels(claim)
    above = int(convention.above)
    summed = {each.index for each in walk((claim.target, claim.right)) if isinstance(each, Sum)}
    named = set(letters) - summed
    depth = 3 if named or (not numbers and letters) else max(2, style.deepest - above, *numbers, 0)
    if not named and numbers and labels:
        depth = max([*numbers, 1 if max(numbers, default=2) == 1 else 2])
    depth = max(depth, *numbers, 1)
    if depth > MOST_LAYERS:
        return
    setting = network_setting(depth, convention)
    small = {each[0] for each in letters} - {"L"}
    middle = depth if labels and "L" not in {each[0] for each in letters} else 2
    places = {
        **dict.fromkeys(small, middle),
        **({"L": depth + above} if len(small) < len({each[0] for each in letters}) else {}),
    }
    yield Frame(setting, NETWORK, convention, style, depth, places, 0, let)
    if letters and not labels and not small:
        yield Frame(setting, NETWORK, convention, style, depth, {"L": 2}, 0, let)


def default_layer(claim: Claim, frame: Frame) -> int:
    """The layer of letters that carry none: that of the line, or the only one there is."""
    if frame.family != NETWORK:
        return 0
    found = set()
    for each in symbols_of((claim.target, claim.right)):
        if each.base in MEANINGS and MEANINGS[each.base] not in ("X", "Y"):
            layer = frame.layer_of(each)
            if layer:
                found.add(layer)
    own = [frame.layer_of(each) for each in symbols_of(claim.target)]
    if not any(own) and has_labels(claim):
        return frame.depth  # beside the labels stand the outputs
    return next((each for each in own if each), max(found, default=frame.default or (1 if frame.depth == 1 else 0)))


def layers_are_guessed(claim: Claim, style: Style) -> bool:
    """Whether some quantities of a claim carry a layer and others do not."""
    if has_labels(claim):
        return False
    outputs = {
        id(each.function) for each in walk((claim.target, claim.right)) if isinstance(each, Call) and each.arguments
    }
    found = [
        each for each in symbols_of((claim.target, claim.right)) if id(each) not in outputs
        if MEANINGS.get(each.base, "X") not in ("X", "Y", "dX") and each.base not in ("u", *OUTPUTS)
    ]  # fmt: skip
    style = own_style(found, style)
    sure = HIDDEN if style.layers != NONE else ()
    return len({bool(style.layer_of(each)) for each in found if each.base.removeprefix("d") not in sure}) > 1


def _steps(found: list[Symbol]) -> list[str]:
    """The optimizers that a claim may be about, the likeliest first."""
    bases = {each.base for each in found}
    corrected = "t" in bases or any({"hat", "corrected"} & each.accents for each in found)
    if corrected or (bases & {"v", "V"} and bases & {"s", "S"}):
        return ["adam", "rmsprop", "momentum"]
    return ["rmsprop", "adam"] if bases & {"s", "S"} else ["momentum", "adam"]


def activation_names(claim: Claim) -> list[str]:
    """The activations that a claim may be about, those that are named first and alone."""
    named = [{"leaky": "leaky_relu"}.get(each, each) for each in claim.units]
    named = [each for each in named if each in ACTIVATIONS]
    explicit = {each.base for each in symbols_of(claim.target)}
    if named and "tanh" in explicit | {"tanh"} and any(isinstance(each, Call) for each in walk(claim.target)):
        return list(dict.fromkeys([named[-1], *ACTIVATIONS]))
    return list(dict.fromkeys([*named[::-1], *ACTIVATIONS]))
