"""One dense layer l of a network: what comes in from below and from above is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

from manual.dense import linear_forward
from manual.notation import Array
from parity_tests.derivations.settings import spellings
from parity_tests.derivations.settings.draws import learning_rate, regularisation, sizes_of
from parity_tests.derivations.settings.networks import weight_target
from parity_tests.derivations.settings.problems import LayerProblem, LinearProblem
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    FUNCTION,
    UNITS,
    Kind,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.derivations.settings.spellings import spelled

SIZES = ((3, 5, 11, 7), (5, 3, 7, 11), (7, 11, 3, 5), (11, 13, 5, 3), (13, 7, 17, 19))
"""Choices of (n_prev, n, n_next, m)."""


def draw(seed: int) -> LayerProblem:
    """A layer with its input, and the next layer's weights and dZ."""
    n_prev, n, n_next, m = sizes_of(SIZES, seed)
    rng = generator("layer", seed)
    return LayerProblem(
        A_prev=rng.standard_normal((n_prev, m)),
        W=rng.standard_normal((n, n_prev)) / n_prev**0.5,
        b=0.4 * rng.standard_normal((n, 1)),
        W_next=rng.standard_normal((n_next, n)) / n**0.5,
        dZ_next=rng.standard_normal((n_next, m)),
        lambda_=regularisation(rng),
        alpha=learning_rate(rng),
    )


def _plain(ids: str, right: tuple[str, ...], kind: Kind) -> Target:
    return Target(tuple(ids.split()), right, right, kind)


@dataclass(frozen=True, eq=False)
class ActivatedProblem:
    """A dense layer with one of the activations; dA, the derivative of L(i) in A, is given."""

    linear: LinearProblem
    unit: str
    dA: Array

    @property
    def A(self) -> Array:
        """The layer's output."""
        return UNITS[self.unit].g(linear_forward(self.linear.A_prev, self.linear.W, self.linear.b))

    def given(self) -> Values:
        """The linear part's, and dA."""
        return {**self.linear.given(), "dA": self.dA}

    def by_numpy(self, l2: bool) -> Values:
        """The linear part's by the complex step, where dZ is that of dA through the activation."""
        return {**self.linear.by_numpy(l2), "A": self.A}

    def by_torch(self, l2: bool) -> Values:
        """The linear part's by autograd."""
        return {**self.linear.by_torch(l2), "A": self.A}


_HERE = {"A_prev": "A_prev", "W": "W", "b": "b", "Z": "Z", "A": "A", "dA": "dA", "dZ": "dZ"}
_ABOVE = spelled(spellings.INPUT_GRADIENT, W="W_next", dZ="dZ_next")
_UPSTREAMS = ("dA", "(W_next.T @ dZ_next)")
_BY_INDEX = {
    "dW": """\
dW = np.zeros((n, n_prev))
for i in range(n):
    for j in range(n_prev):
        for e in range(m):
            dW[i, j] += dA[i, e] * g'(Z[i, e]) * A_prev[j, e]
dW /= m""",
    "dA_prev": """\
dA_prev = np.zeros((n_prev, m))
for i in range(n_prev):
    for j in range(m):
        for c in range(n):
            dA_prev[i, j] += dA[c, j] * g'(Z[c, j]) * W[c, i]""",
    "db": """\
db = np.zeros((n, 1))
for i in range(n):
    for e in range(m):
        db[i, 0] += dZ[i, e] / m""",
}
"""The sums of the notes, entry by entry."""

_DW = weight_target(("F168",), **_HERE)
_DB = spelled(spellings.BIAS_GRADIENT, **_HERE)
_UPDATE_W = spelled(spellings.UPDATE, W="W", dW="dW")

LAYER = Setting(
    "layer",
    "one dense tanh layer inside a network; dZ_next comes from the layer above",
    "dA and dZ are derivatives of L(i), whose derivative in Z_next is dZ_next; dW and db are those of "
    "J = (1/m) * sum of L(i); with L2 also + lambda/(2*m) * sum of the squares of W",
    (
        Symbol("m", "()", "number of examples"),
        Symbol("n_prev", "()", "number of units of the layer below"),
        Symbol("n", "()", "number of units of this layer"),
        Symbol("n_next", "()", "number of units of the layer above"),
        Symbol("lambda_", "()", "strength of the L2 penalty, also written lambda"),
        Symbol("alpha", "()", "learning rate"),
        Symbol("A_prev", "(n_prev, m)", "output of the layer below"),
        Symbol("W", "(n, n_prev)", "weights"),
        Symbol("b", "(n, 1)", "biases"),
        Symbol("g", FUNCTION, "activation: tanh"),
        Symbol("g_prime", FUNCTION, "its derivative, also written g'"),
        Symbol("Z", "(n, m)", "linear part"),
        Symbol("A", "(n, m)", "output"),
        Symbol("W_next", "(n_next, n)", "weights of the layer above"),
        Symbol("dZ_next", "(n_next, m)", "derivative of L(i) in Z of the layer above, no 1/m"),
        Symbol("dA", "(n, m)", "derivative of L(i) in A, no 1/m"),
        Symbol("dZ", "(n, m)", "derivative of L(i) in Z, no 1/m"),
        Symbol("dW", "(n, n_prev)", "derivative of J in W"),
        Symbol("db", "(n, 1)", "derivative of J in b"),
        Symbol("dA_prev", "(n_prev, m)", "derivative of L(i) in A_prev, no 1/m"),
    ),
    {
        "Z": _plain("F151", spelled(spellings.LINEAR, **_HERE), "forward"),
        "A": _plain("F151", ("g(Z)", *spellings.activation("tanh", "Z")), "forward"),
        "dA": _plain("F170", _ABOVE, "derivative"),
        "dZ": _plain(
            "F164 F171",
            (
                "dA * g'(Z)",
                "np.multiply(dA, g'(Z))",
                "W_next.T @ dZ_next * g'(Z)",
                "np.dot(W_next.T, dZ_next) * g'(Z)",
                *spellings.slope_times("tanh", _UPSTREAMS, **_HERE),
            ),
            "derivative",
        ),
        "dW": _DW._replace(
            right=(*_DW.right, _BY_INDEX["dW"]), right_l2=(*_DW.right_l2, f"{_BY_INDEX['dW']}\ndW += (lambda_/m) * W")
        ),
        "db": _plain("F169", (*_DB, _BY_INDEX["db"]), "gradient"),
        "dA_prev": _plain("F170", (*spelled(spellings.INPUT_GRADIENT, **_HERE), _BY_INDEX["dA_prev"]), "derivative"),
        "W": Target(
            ("F181",),
            _UPDATE_W,
            (*_UPDATE_W, "(1 - alpha * lambda_ / m) * W - alpha * (1/m) * dZ @ A_prev.T"),
            "update",
        ),
        "b": _plain("F181", spelled(spellings.UPDATE, W="b", dW="db"), "update"),
    },
    {
        "W": ("W", "W_next"),
        "A": ("A_prev", "A"),
        "dA": ("dA_prev", "dA"),
        "dZ": ("dZ", "dZ_next"),
        "Z": ("Z",),
        "n": ("n_prev", "n", "n_next", "m"),
    },
    {"learning_rate": "alpha", "lambd": "lambda_"},
    draw,
    {**COMMON_FUNCTIONS, "g": UNITS["tanh"].g, "g_prime": UNITS["tanh"].g_prime},
    (
        Own(
            ("A_prev", "W", "b", "W_next", "dZ_next"),
            lambda values: LayerProblem(**values),
            ("Z", "A", "dA", "dZ", "dW", "db", "dA_prev"),
        ),
        Own(("A_prev", "W", "b", "dZ"), lambda values: LinearProblem(**values), ("Z", "dW", "db", "dA_prev")),
    ),
)


def activated(unit: str) -> Setting:
    """The same layer with another activation, for functions that take dA and the activation's name."""

    def drawn(seed: int) -> ActivatedProblem:
        inner, rng = draw(seed), generator(f"layer-{unit}", seed)
        dA = rng.standard_normal((inner.W.shape[0], inner.A_prev.shape[1]))
        Z = linear_forward(inner.A_prev, inner.W, inner.b)
        linear = LinearProblem(inner.A_prev, inner.W, inner.b, dA * UNITS[unit].g_prime(Z), inner.lambda_, inner.alpha)
        return ActivatedProblem(linear, unit, dA)

    right = spellings.activation(unit, "Z")
    targets = {name: LAYER.targets[name] for name in ("Z", "dW", "db", "dA_prev")}
    return replace(LAYER, draw=drawn, targets={**targets, "A": Target(("F151",), right, right, "forward")}, own=())
