"""What the letters of a note mean in a setting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from parity_tests.derivations.latex.references import COSTS as COSTS_OF
from parity_tests.derivations.latex.references import Convention
from parity_tests.derivations.latex.style import NONE, Style
from parity_tests.derivations.latex.tree import NotReadError, Symbol
from parity_tests.derivations.settings import Setting

NETWORK, LOGISTIC, ACTIVATION, STEP, SIZE = "network", "logistic", "activation", "step", "size"

MEANINGS: dict[str, str] = {
    **dict.fromkeys(("W", "w", "\\theta", "\\Theta", "\\omega", "\\Omega"), "W"),
    **dict.fromkeys(("b", "B"), "b"),
    **dict.fromkeys(("z", "Z", "u", "o", "O", "s", "S"), "Z"),
    **dict.fromkeys(("a", "A", "h", "H", "p", "P"), "A"),
    **dict.fromkeys(("x", "X"), "X"),
    **dict.fromkeys(("y", "Y", "t"), "Y"),
    **dict.fromkeys(("dW", "dw", "dtheta", "dTheta"), "dW"),
    **dict.fromkeys(("db", "dB"), "db"),
    **dict.fromkeys(("dz", "dZ", "\\delta", "\\Delta", "do", "dO", "ds", "dS"), "dZ"),
    **dict.fromkeys(("da", "dA", "dh", "dH", "dp", "dP"), "dA"),
    **dict.fromkeys(("dx", "dX"), "dX"),
}  # fmt: skip
"""Letters of networks."""

LARGE = frozenset(("Z", "A", "X", "Y", "dZ", "dA", "dX", "H", "dH", "\\Delta", "S", "P", "O", "dS", "dP", "dO"))
SMALL = frozenset(("z", "a", "x", "y", "dz", "da", "dx", "h", "dh", "\\delta", "s", "p", "o", "ds", "dp", "do"))
COSTS = ("J", "L", "C", "E", "l", "cost", "\\ell", "\\xi")
HIDDEN = ("h", "H", "dh", "dH")
OUTPUTS = ("o", "O", "do", "dO", "s", "S", "ds", "dS", "p", "P", "dp", "dP")
"""Letters of the hidden layer of two, and of the output: linear, and as probabilities."""

RATES = ("\\alpha", "\\eta", "\\mu", "alpha", "\\epsilon")
COUNTS = ("m", "M", "N", "n")
OF_FILTERS = {**dict.fromkeys("fFkK", "f"), **dict.fromkeys("pP", "pad"), **dict.fromkeys("sS", "stride")}
"""Letters of convolutions; what else stands in a size is that of the input."""

UNITS = {
    **dict.fromkeys(("sigmoid", "Sigmoid", "sig", "expit", "logistic"), "sigmoid"), "tanh": "tanh",
    "softmax": "softmax", "Softmax": "softmax",
    **dict.fromkeys(("ReLU", "ReLu", "Relu", "relu", "RELU"), "relu"), "LeakyReLU": "leaky_relu",
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """Where a formula is read: a setting, its family and convention, and what letters of layers stand for.

    ``default`` is the layer of letters that carry none; ``let`` gives letters the names of the setting.
    """

    setting: Setting
    family: str
    convention: Convention
    style: Style
    depth: int = 1
    letters: Mapping[str, int] = field(default_factory=dict)
    default: int = 0
    let: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shapes(self) -> dict[str, tuple[str, ...]]:
        """The axes of every symbol."""
        return {
            each.name: tuple(part.strip() for part in each.shape.strip("()").split(",") if part.strip())
            for each in self.setting.symbols
            if each.shape != "function"
        }

    def with_layer(self, default: int) -> Frame:
        """The same with another default."""
        return replace(self, default=default)

    def unit_of(self, layer: int) -> str:
        """The activation of a layer."""
        return self.convention.hidden if layer < self.depth else COSTS_OF[self.convention.cost][0]

    def number_of(self, layer: str) -> int:
        """The number of a layer that is written as l - 1; NotReadError for another letter."""
        match = re.fullmatch(r"([A-Za-z]|\d+)(?:([-+])(\d))?", layer.replace(" ", ""))
        if not match:
            raise NotReadError(f"the layer {layer}")
        base = int(match[1]) if match[1].isdigit() else self.letters.get(match[1])
        if base is None:
            raise NotReadError(f"the layer {layer}")
        return base + (int(match[3]) * (1 if match[2] == "+" else -1) if match[3] else 0)

    def layer_of(self, symbol: Symbol) -> int | None:
        """The number of a symbol's layer, None where it carries none."""
        written = self.style.layer_of(symbol)
        if written and written in ("i", "j") and symbol.base in ("y", "Y"):
            return None
        if not written:
            return None
        is_value = MEANINGS.get(symbol.base, "")[-1:] in ("Z", "A")
        return self.number_of(written) - (self.convention.above and is_value)

    def name_of(self, symbol: Symbol) -> str:
        """The setting's name of a symbol, without its units and its example.

        Raises NotReadError for a letter that means nothing here.
        """
        if symbol.base in self.let:
            return self.let[symbol.base]
        if self.family == SIZE:
            return OF_FILTERS.get(symbol.base, "n_H_prev")
        for reading in (self._of_family, self._of_numbers):
            name = reading(symbol)
            if name and (name in self.shapes or name in self.setting.functions):
                return name
        raise NotReadError(f"{shown(symbol)} has no meaning here")

    def _of_numbers(self, symbol: Symbol) -> str:
        """Counts, rates and the cost."""
        base, plain = symbol.base, not symbol.subscripts and not self.style.layer_of(symbol)
        if base in COSTS and (plain or all(len(each) > 1 for each in symbol.subscripts) or symbol.subscripts == ("n",)):
            return "J"
        if base in RATES and plain:
            return "alpha"
        if base in ("\\lambda", "\\Lambda") and plain:
            return "lambda_"
        if base in COUNTS and plain and not symbol.round:
            return "m"
        return ""

    def _of_family(self, symbol: Symbol) -> str:
        base = symbol.base
        meaning = MEANINGS.get(base, "")
        if base in ("y", "Y", "p") and (symbol.accents & {"hat", "tilde"} or "pred" in symbol.subscripts):
            meaning = "A"
        if self.family != STEP and symbol.accents - {"hat", "bar", "tilde"} and meaning != "A":
            return ""
        if self.family == NETWORK:
            return self._of_network(symbol, meaning)
        if self.family == LOGISTIC:
            small = meaning.replace("W", "w")
            number = next((each for each in symbol.subscripts if each in ("1", "2")), "")
            if small in ("w", "dw") and number:
                return small + number
            return small if not self.style.layer_of(symbol) or self.style.layers == "none" else ""
        if self.family == ACTIVATION:
            return self._of_activation(symbol, meaning)
        if self.family == STEP:
            return self._of_step(symbol, meaning)
        return ""

    def _of_network(self, symbol: Symbol, meaning: str) -> str:
        layer = self.layer_of(symbol)
        if meaning in ("", "Y"):
            return meaning
        if meaning == "A" and symbol.base in ("y", "Y", "p"):
            return f"A{self.depth}"
        if meaning in ("X", "dX"):
            return meaning if layer in (None, 0) else ""
        if layer is None and self.style.layers != NONE and self.depth == 2 and symbol.base in HIDDEN:
            layer = 1
        if layer is None and symbol.base in OUTPUTS:
            layer = self.depth
        if layer is None:
            layer = self.default - bool({"prev", "in"} & set(symbol.subscripts)) + ("next" in symbol.subscripts)
        if layer == 0 and meaning in ("A", "dA"):
            return "X" if meaning == "A" else "dX"
        return f"{meaning}{layer}" if layer else ""

    def _of_activation(self, symbol: Symbol, meaning: str) -> str:
        if symbol.subscripts or symbol.layer:
            return ""
        if symbol.primes and symbol.base in ("a", "A", "g", "f", "\\sigma", "S", "y"):
            return "g_prime"
        if meaning in ("Z", "X") or symbol.base in ("t", "v"):
            return "z"
        return "a" if meaning in ("A", "Y") or symbol.base in ("g", "f", "\\sigma", "S") else ""

    def _of_step(self, symbol: Symbol, meaning: str) -> str:
        """The names of an optimizer: v_dW, S_dW and their corrected values, beta, epsilon, t."""
        base, number = symbol.base, next((each for each in symbol.subscripts if each in ("1", "2")), "")
        if base in ("v", "V", "s", "S", "r"):
            corrected = bool(symbol.accents & {"hat", "corrected"})
            return ("v" if base in "vV" else "s") + ("_corrected" if corrected else "")
        if base in ("\\gamma", "\\rho", "\\mu") and not number:
            base = "\\beta"
        if base == "\\beta":
            return f"beta{number}" if number else "beta" if "beta" in self.shapes else "beta2"
        if base in ("\\epsilon", "t"):
            return base.removeprefix("\\")
        return meaning.replace("db", "dW").replace("b", "W") if meaning in ("W", "b", "dW", "db") else ""


def shown(symbol: Symbol) -> str:
    """A symbol as it is named in a sentence."""
    below = f"_{''.join(symbol.subscripts)}" if symbol.subscripts else ""
    above = (
        (symbol.layer and not symbol.implied and f"^[{symbol.layer}]")
        or (symbol.round and f"^({symbol.round})")
        or (symbol.bare and f"^{symbol.bare}")
    )
    return f"{symbol.letter.removeprefix(chr(92))}{below}{above}"
