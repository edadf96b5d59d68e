"""What names say: which symbol a gradient's name means, and what a free name is likely to be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache

_ENTRY = re.compile(r"""^(?P<base>.*?)\[['"](?P<key>\w+)['"]\]$|^(?P<object>\w+)\.(?P<attribute>\w+)$""")
_BEFORE = re.compile(
    r"^(?:d(?:J|L|C|E|loss|cost|Loss)_?d_?|d_|d(?=[A-Za-z])|g(?=[A-Z]|[wb]\d*$)|grads?_|gradients?_|g_|delta_?|nabla_?|del_?|partial_?)(.+)$"
)
_BEHIND = re.compile(r"^(.+?)_?(?:grads?|gradients?|delta|deriv|derivative|_d)$")
_WITHIN = re.compile(r"^(.+?)s?_(?:grads?|gradients?|deltas?)_?(\d+)$")
_GRADIENTS = re.compile(r"grad|deriv|delta|nabla|(^|#)[dg]$", re.I)


def written(name: str) -> str:
    """The name as it is written: without the mark that tells the same name of two calls or objects apart."""
    return name.rpartition("#")[2]


@cache
def base_of(name: str) -> str:
    """The symbol itself: ``params["W1"]``, ``self.W1`` and ``W1`` are all W1."""
    name = written(name)
    match = _ENTRY.match(name)
    return name if match is None else match["key"] or match["attribute"]


_PLACE = re.compile(r"^(?P<stem>.*[\w\"'\]])(?P<place>\[-?\d+\]'?)$")


_NODE = re.compile(r"^(.+)\.(?:grad|gradient|derivative|adjoint)$")
"""The derivative that a node of a graph holds beside its own value: ``self.grad`` in ``self.data``."""


def is_of_a_node(name: str) -> bool:
    """Whether a name says that it is the derivative in the node that holds it."""
    return _NODE.match(name) is not None


def stem_of(name: str) -> str:
    """The symbol without the place in a list: ``W`` of ``W[2]``."""
    match = _PLACE.match(name)
    return base_of(name if match is None else match["stem"])


def meant_by(name: str, known: Collection[str]) -> tuple[str, ...]:
    """The known names whose derivative this name says it is: ``dW1``, ``grad_W1``, ``W1_grad``, ``grads["W1"]``."""
    place = _PLACE.match(name)
    if place is not None:
        return _meant_by_entry(written(place["stem"]), place["place"], [each for each in known if each != name])
    if (node := _NODE.match(name)) is not None:
        held = tuple(each for value in ("data", "value", "val") if (each := f"{node[1]}.{value}") in known)
        if held:
            return held
    match = _ENTRY.match(name)
    symbol = base_of(name)
    candidates = []
    holder = "" if match is None else match["base"] or match["object"]
    if _GRADIENTS.search(holder) or holder in ("g", "d"):
        candidates.append(symbol)
    candidates += _candidates(symbol)
    if not candidates:
        return ()
    known = [each for each in known if each != name]
    exact = tuple(each for each in known if base_of(each) in candidates)
    wanted = {plain_symbol(each) for each in candidates}
    same = exact or tuple(each for each in known if plain_symbol(base_of(each)) in wanted)
    same = same or tuple(each for each in known if each[-1:] == "]" and plain_symbol(written(each)) in wanted)
    initials = {_INITIAL[each] for each in candidates if each in _INITIAL}
    return same or tuple(each for each in known if _INITIAL.get(base_of(each)) in initials)


def may_be_gradient(name: str) -> bool:
    """Whether a name may say that it is the derivative in something."""
    return bool(_candidates(base_of(name)))


def family_of(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The entries of a list of which a name in a loop says that it is the derivative: every Z[l] for ``dZ``."""
    candidates = _candidates(base_of(name))
    if not candidates or _PLACE.match(name):
        return ()
    return tuple(each for each in known if each[-1:] in "]'" and _PLACE.match(each) and stem_of(each) in candidates)


def _candidates(symbol: str) -> list[str]:
    within = _WITHIN.match(symbol)
    numbered = [f"{within[1]}_{within[2]}", f"{within[1]}s_{within[2]}"] if within else []
    behind = _BEHIND.match(symbol)
    plural = [f"{behind[1]}s"] if behind and len(behind[1]) > 1 else []
    return [found[1] for found in (_BEFORE.match(symbol), behind) if found] + numbered + plural


def _meant_by_entry(stem: str, place: str, known: list[str]) -> tuple[str, ...]:
    """``W[2]`` for ``dW[2]``; where the gradients are counted otherwise, every W."""
    stems = {stem_of(each) for each in known if _PLACE.match(each)}
    family = meant_by(stem, stems) or tuple(
        each for each in stems if _INITIAL.get(each) in {_INITIAL.get(base, base) for base in _candidates(stem)}
    )
    members = [each for each in known if stem_of(each) in family and _PLACE.match(each)]
    return tuple(each for each in members if each.endswith(place)) or tuple(members)


_INITIAL = {"weights": "w", "weight": "w", "W": "w", "w": "w", "biases": "b", "bias": "b", "b": "b"}


@cache
def plain_symbol(name: str) -> str:
    """A symbol without the marks that people put in or leave out."""
    return re.sub(r"[\W_]", "", name).lower()


NUMBERS = re.compile(
    r"^(m|M|n|N|B|L|T|K|lr|alpha|eta|learning_rate|lambda_?|lambd|lmbda|lam\w*|reg\w*|eps|epsilon|num_\w+|n_\w+|batch_size|"
    r"step_size|beta\d|beta|rho|mu|momentum|t|decay|weight_decay|l2|l2_\w+|keep_prob|p|slope|scale|rate|\w+_size|leak|"
    r"samples|examples|dropout\w*|d_k|dk|wd|gamma_|keep|margin|tau|temp|temperature|threshold|clip\w*|max_norm|lr_?\w{1,4}|epochs?|iteration)$"
)
ALONE = re.compile(r"^(grads?|gradients?|d[JL]|nabla|grad_?[JL])$")
"""Names that say of no parameter that they are the derivative in it: of the only one."""
COUNTS = re.compile(r"^(m|M|n|N|B|num_\w+|n_\w+|batch_size|samples|examples|\w+_size)$")
CLASSES = re.compile(r"^(C|K|k|nc|(n_?|num_?)?(classes|labels)|(n|num)_(out|outputs?))$")
"""How many classes there are."""
COSTS = re.compile(
    r"(^|_)(j|l|loss|losses|cost|costs|c|e|err|error|objective|nll|mse|ce|bce|xent|cross_?entropy|total|obj|"
    r"ll|log_?lik\w*|likelihood|elbo|kl)(\d*)($|_)",
    re.I,
)
_IN_A_COST = re.compile(r"^(?:d|del|partial)_?(?:j|l|e|c|loss|cost|err|error)_?(?:d|del|partial)_?\w", re.I)
BIASES = re.compile(r"^(b|bias|biases|c|gamma|beta|bf|bi|bo|bg|bc|by|bh|bias_\w+|b_?\w{1,3}|b_\w+|bias\d)$")
_SET = r"(?:batch|mini|mini_?batch|train|training|train_set|training_set)"
_END = r"(?:_(?:batch|mini|train|training|true|data|set|list|vec|vector|one_?hot))?"
LABELS = re.compile(
    rf"^((?:{_SET}_)?(?:y|Y|t|T|ys|targets?|labels?|one_?hot){_END}|{_SET}_outputs?|outputs?_(?:train|training)|"
    r"desired\w*|outputs?|expected\w*|target_(?:values?|outputs?)|true_(?:y|labels?|outputs?|values?)|"
    r"(?:ground_?)?truths?|actuals?|correct_outputs?|[yY]_?tr(?:ain)?)$"
)

DATA = re.compile(
    rf"^({_SET}_(?:X|x|data|inputs?|images?|features?)|features|X|x|A0|a0|X_?\w{{0,5}}|x_?\w{{0,5}}|inputs?|data|dout\w*|"
    r"upstream|dy|grad_out\w*|dnext\w*|d\w_next|h0|h|prev_\w+|\w+_prev|c0|images?|batch|observations|"
    r"(?:inputs?|features?)_(?:data|set|list|vec|vector|values?|train|training))$"
)


def is_cost(symbol: str) -> bool:
    """Whether a symbol is likely to be the cost, and not a derivative of it such as ``d_L_d_out``."""
    return bool(COSTS.search(symbol)) and not _IN_A_COST.match(symbol)


def is_label(name: str) -> bool:
    """Whether a free name is likely to hold what the network should say."""
    return bool(LABELS.match(stem_of(name)))


def is_data(name: str) -> bool:
    """Whether a free name is likely to hold examples."""
    return bool(DATA.match(stem_of(name)))
