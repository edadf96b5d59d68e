"""The claims about networks: linear layers collapse, how far apart units and activations are, and parity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

import manual.theory as by_hand
import torch_ref.theory as torch_side
from manual import dense, initialization, network
from manual.architecture import model
from manual.notation import Array
from parity_tests.formulas.case import N_1, N_2, N_X, Case, Inputs, M, normal
from parity_tests.formulas.dense import Z_bound
from parity_tests.formulas.formula import EXAMPLES, MATRIX, Formula, Sharp, Words, code, probe, refusal
from parity_tests.judging import bounds
from parity_tests.judging.bounds import Bound, Magnitudes, gamma
from torch_ref import dense as torch_dense
from torch_ref import network as torch_network
from torch_ref.devices import array


def two_linear_layers_bound(
    u: float, X: Magnitudes, W1: Magnitudes, b1: Magnitudes, W2: Magnitudes, b2: Magnitudes
) -> Bound:
    """W2 (W1 X + b1) + b2, in this order or as (W2 W1) X + (W2 b1 + b2): both add the same n_1 (n_x + 1) products of
    three and the bias, and no term of either passes more than n_x + n_1 + 4 roundings.
    """
    k = W1.shape[1] + W1.shape[0] + 4
    return gamma(k, u) * (np.abs(W2) @ (np.abs(W1) @ np.abs(X) + np.abs(b1)) + np.abs(b2))


def distance_bound(u: float, value: Magnitudes, terms: int) -> Bound:
    """sqrt(sum (x - y)^2): no cancellation, since x and y are exact; a difference's rounding counts twice, squared."""
    return bounds.rounded(u, value, terms + 4)


def spread_bound(u: float, A: Magnitudes) -> Bound:
    """Standard deviation of N entries, by two passes or by updating mean and squares together.

    The variance is off by about N u sqrt(1 + mean^2/variance) of itself (Chan, Golub and LeVeque, Algorithms for
    computing the sample variance, 1983), the root by half as much: N u/2 times the root mean square. The half is left
    for the constant that "about" stands for.
    """
    return gamma(A.size + 6, u) * np.sqrt(np.mean(np.square(A)))


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


BITS = 5
"""Bits of the parity probes: odd, so that the tree hands a bit on; every one of the 2^5 inputs is tried."""


def _two_layers(rng: np.random.Generator) -> Inputs:
    return {
        "W1": normal(rng, N_1, N_X),
        "b1": normal(rng, N_1, 1),
        "W2": normal(rng, N_2, N_1),
        "b2": normal(rng, N_2, 1),
    }


def _of_one_unit(rng: np.random.Generator, W1: float = 1, b1: float = 1, b2: float = 1, X: float = 1) -> Inputs:
    """Two layers, the first of one unit over one input, so that nothing is summed, each array of its own magnitude."""
    return {
        "W1": W1 * normal(rng, 1, 1),
        "b1": b1 * normal(rng, 1, 1),
        "W2": normal(rng, 3, 1),
        "b2": b2 * normal(rng, 3, 1),
        "X": X * normal(rng, 1, M),
    }


def _collapsed_forward(W1: Array, b1: Array, W2: Array, b2: Array, X: Array) -> Array:
    """The collapsed layer."""
    W, b = by_hand.collapse(W1, b1, W2, b2)
    return dense.linear_forward(X, W, b)


def _composed_loop(W1: Array, b1: Array, W2: Array, b2: Array, X: Array) -> Array:
    """One layer after the other."""
    return dense.linear_forward_loop(dense.linear_forward_loop(X, W1, b1), W2, b2)


def _composed(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, X: Tensor) -> Tensor:
    """One layer after the other."""
    return torch_dense.linear_forward(torch_dense.linear_forward(X, W1, b1), W2, b2)


def _parity(name: str, build: Callable[[int], by_hand.HandSet]) -> Case:
    """A network with hand-set weights on every input: by hand, against XOR bit by bit, and as a torch module."""
    architecture, params = build(BITS)

    def forward(X: Array) -> Array:
        return network.forward(architecture, {key: value.astype(X.dtype) for key, value in params.items()}, X).A[-1]

    def module(X: Tensor) -> Tensor:
        in_dtype = {key: value.astype(array(X).dtype) for key, value in params.items()}
        made = torch_network.module_with(architecture, in_dtype, device=str(X.device))
        return torch_network.forward(made, X).A[-1]

    return Case(
        f"theory.parity_{name}",
        "F191 F192",
        inputs=lambda rng: {"X": by_hand.all_inputs(BITS)},
        manual=forward,
        loop=by_hand.parity_loop,
        reference=module,
        bounds={"A": lambda u, at: bounds.exact(u, at.A)},
    )


W1, B1, W2, B2 = np.ones((3, 2)), np.ones((3, 1)), np.ones((4, 3)), np.ones((4, 1))
"""Two layers to be refused."""

SHALLOW = model("shallow", 3, 1)

COLLAPSED = "theory.collapsed_forward"


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "collapse", "F136"),),
        Words(
            "Linear layers collapse",
            r"W^{[2]} \bigl( W^{[1]} x + b^{[1]} \bigr) + b^{[2]} = W x + b, \qquad W = W^{[2]} W^{[1]}, \quad b = "
            "W^{[2]} b^{[1]} + b^{[2]}",
            "Multiply out. However many linear layers there are, they are one; under a sigmoid the whole network is "
            "logistic regression. It is the bend in $g$ that makes depth worth anything.",
            "bias-missing",
            "W2 b1 is forgotten: right only while the first biases are 0.",
        ),
        cases=(
            probe(
                _two_layers,
                {
                    "W": lambda u, at: bounds.product(u, at.W2, at.W1),
                    "b": lambda u, at: Z_bound(u, at.b1, at.W2, at.b2),
                },
            ),
            Case(
                COLLAPSED,
                "F136",
                inputs=lambda rng: {**_two_layers(rng), "X": normal(rng, N_X, M)},
                manual=_collapsed_forward,
                loop=_composed_loop,
                reference=_composed,
                bounds={"Z": lambda u, at: two_linear_layers_bound(u, at.X, at.W1, at.b1, at.W2, at.b2)},
            ),
        ),
        sharp=(
            Sharp(0.1, "b1 alone", lambda rng: _of_one_unit(rng, b2=1e-4, X=1e-4), of=COLLAPSED),
            Sharp(
                0.05, "b2 alone", lambda rng: _of_one_unit(rng, W1=1e-4, b1=1e-4, X=1e-4), of="theory.collapsed_forward"
            ),
            Sharp(0.1, "X alone", lambda rng: _of_one_unit(rng, b1=1e-4, b2=1e-4), of=COLLAPSED),
        ),
        refusals=(
            refusal(
                "W2 has shape (3, 4), expected (3, 3): W2 is (n_2, n_1), one column per row of W1",
                W1,
                B1,
                W2.T,
                B2,
            ),
            refusal("b1 has shape (1, 3), expected (3, 1): b1 is (n_1, 1), one bias per row of W1", W1, B1.T, W2, B2),
            refusal("b2 has shape (3, 1), expected (4, 1): b2 is (n_2, 1), one bias per row of W2", W1, B1, W2, B1),
            refusal(f"W1 has shape (2,), {MATRIX}: W1 is (n_1, n_x)", W1[0], B1, W2, B2),
            refusal(f"W2 has shape (3,), {MATRIX}: W2 is (n_2, n_1)", W1, B1, W2[0], B2),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "unit_distance", "F143 F144"),
            code(initialization, None, "zeros", "F143"),
            code(initialization, None, "constant", "F143"),
        ),
        Words(
            "Equal weights stay equal",
            r"d = \max_{j, k} \left\| w_j - w_k \right\|",
            "Units with the same weights see the same input, give the same output and get the same gradient: after "
            "any number of steps they are still one unit. With all weights 0, tanh and ReLU layers do not move at "
            "all.",
            "Every weight of a layer starts at the same number.",
            "All rows of dW are equal, and the cost stops where a network of one unit per layer would.",
        ),
        cases=(
            probe(
                lambda rng: {"W": normal(rng, N_1, N_X)},
                {"distance": lambda u, at: distance_bound(u, at.distance, N_X)},
            ),
        ),
        sharp=(
            Sharp(
                0.05,
                of=Case(
                    "distance, of one weight",
                    "",
                    lambda rng: {"W": normal(rng, 5, 1)},
                    by_hand.unit_distance,
                    None,
                    torch_side.unit_distance,
                    {"d": lambda u, at: distance_bound(u, at.d, 1)},
                ),
            ),
        ),
        refusals=(refusal(f"W has shape (2,), {MATRIX}: W is (n_l, n_prev)", W1[0]),),
    ),
    Formula(
        (code(by_hand, torch_side, "spread", "F147"), code(by_hand, None, "layer_spreads", "F146 F147")),
        Words(
            "How much of the signal is left",
            r"\mathrm{spread}(A) = \sqrt{\frac{1}{n m} \sum_{j, i} \bigl(a_{ji} - \bar a\bigr)^{2}}",
            "The standard deviation of a layer's activations, over units and examples. With weights of scale 0.01 a "
            r"tanh layer multiplies it by about $0.01 \sqrt{n_{prev}}$: eight layers on, nothing is left to learn "
            "from.",
            "0.01 is kept in a deep network.",
            "The cost stays where it began however long one trains; every gradient is tiny.",
        ),
        cases=(
            probe(
                lambda rng: {"A": np.tanh(normal(rng, N_1, M))},
                {"spread": lambda u, at: spread_bound(u, at.A)},
            ),
        ),
        sharp=(Sharp(0.03, "of four", lambda rng: {"A": normal(rng, 2, 2)}),),
        refusals=(
            refusal(f"A has shape (2,), {EXAMPLES}", W1[0]),
            refusal(f"A has shape (0, 2), {EXAMPLES}", W1[:0]),
            refusal(
                "params has [], expected ['W1', 'W2', 'b1', 'b2']: one W and b per layer",
                SHALLOW,
                {},
                W1,
                of=by_hand.layer_spreads,
            ),
        ),
        uncompared={"F146": "an experiment, in manual/test_theory"},
    ),
    Formula(
        (
            code(by_hand, torch_side, "parity", "F191"),
            code(by_hand, None, "xor_count", "F191"),
            code(by_hand, None, "tree_depth", "F191"),
            code(by_hand, None, "tree_units", "F191"),
            code(by_hand, None, "minterm_count", "F191"),
        ),
        Words(
            "Parity, the function that wants depth",
            r"x_1 \oplus x_2 \oplus \cdots \oplus x_n = \Bigl(\sum_{j} x_j\Bigr) \;\mathrm{mod}\; 2"
            "\n"
            r"\text{tree: } n - 1 \text{ XORs, depth } \left\lceil \log_2 n \right\rceil; \qquad \text{minterms: } "
            "2^{n-1}",
            "A tree of XORs halves the number of bits on each level. With one hidden layer of ANDs there must be a "
            "unit for every input of odd parity, and half of all inputs are odd.",
            "overstated",
            "The exponential count holds for ANDs; neurons can count, and need n units only: see the sawtooth.",
        ),
        cases=(
            probe(
                lambda rng: {"X": by_hand.all_inputs(BITS)},
                {"parity": lambda u, at: bounds.exact(u, at.parity)},
                stays_real={"X": "there is no complex remainder"},
            ),
        ),
        refusals=(
            refusal(f"X has shape (2,), {EXAMPLES}", W1[0]),
            refusal("n is 0, expected from 1 to 20: the number of bits", 0, of=by_hand.all_inputs),
            refusal("n is 21, expected from 1 to 20: the number of bits", 21, of=by_hand.all_inputs),
            refusal("n is 0, expected at least 1: the number of bits", 0, of=by_hand.xor_count),
            refusal("n is 0, expected at least 1: the number of bits", 0, of=by_hand.tree_depth),
            refusal("n is 0, expected at least 1: the number of bits", 0, of=by_hand.tree_units),
            refusal("n is 0, expected at least 1: the number of bits", 0, of=by_hand.minterm_count),
        ),
    ),
    Formula(
        (code(by_hand, None, "parity_tree", "F191 F192"),),
        Words(
            "Parity by a deep network",
            r"p \oplus q = \mathrm{relu}(p + q) - 2\, \mathrm{relu}(p + q - 1)",
            "For bits, $p + q$ is 0, 1 or 2, and the two units turn that into 0, 1, 0. Each level takes the bits in "
            "pairs.",
            "bias-missing",
            "Without the -1 both units are the same, and the XOR becomes -(p + q).",
            shapes="X is (n, m) of 0 and 1; the result is a network, with output (1, m).",
            lacks="A network with weights set by hand: what runs it is network.forward.",
        ),
        cases=(_parity("tree", by_hand.parity_tree),),
        refusals=(refusal("n is 0, expected at least 1: the number of bits", 0),),
    ),
    Formula(
        (code(by_hand, None, "parity_minterms", "F191 F192"),),
        Words(
            "Parity by one wide layer",
            r"\sum_{v \text{ odd}} \mathrm{relu}\bigl(1 - \left|x - v\right|\bigr)",
            "One unit for each odd input $v$: it is 1 at $v$ and 0 at every other corner of the cube. Their number "
            "doubles with each bit.",
            "wrong-count",
            "2^n units in place of 2^(n-1): the even inputs need none.",
            shapes="W1 is (2^(n-1), n), b1 (2^(n-1), 1), W2 (1, 2^(n-1)).",
            lacks="A network with weights set by hand: what runs it is network.forward.",
        ),
        cases=(_parity("minterms", by_hand.parity_minterms),),
        refusals=(refusal("n is 21, expected from 1 to 20: the number of bits", 21),),
    ),
    Formula(
        (code(by_hand, None, "parity_sawtooth", "F191"),),
        Words(
            "Parity by n units in one layer",
            r"\mathrm{relu}(s) - 2\,\mathrm{relu}(s - 1) + 2\,\mathrm{relu}(s - 2) - \cdots, \qquad s = \sum_j x_j",
            "All units look at the sum of the bits. Between whole numbers the function zigzags between 0 and 1, which "
            "is parity at the whole numbers themselves.",
            "overstated",
            "“One hidden layer needs exponentially many units” is true of ANDs alone.",
            shapes="W1 is (n, n), all ones; b1 (n, 1) counts down from 0; W2 (1, n).",
            lacks="A network with weights set by hand: what runs it is network.forward.",
        ),
        cases=(_parity("sawtooth", by_hand.parity_sawtooth),),
        refusals=(refusal("n is -1, expected at least 1: the number of bits", -1),),
    ),
)
# pragma: no mutate end
