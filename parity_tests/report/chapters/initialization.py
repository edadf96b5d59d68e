"""Initial weights, and what depth is good for: F143 to F147 and F191 to F195."""

from __future__ import annotations

from parity_tests.report.chapters.formula import ONE_NUMBER, Formula

FORMULAS = (
    Formula(
        "theory.unit_distance initialization.zeros initialization.constant",
        "Equal weights stay equal",
        r"d = \max_{j, k} \left\| w_j - w_k \right\|",
        "Units with the same weights see the same input, give the same output and get the same gradient: after any "
        "number "
        "of steps they are still one unit. With all weights 0, tanh and ReLU layers do not move at all.",
        "Every weight of a layer starts at the same number.", "All rows of dW are equal, and the cost stops where a "
        "network of one unit per layer would.",
    ),
    Formula(
        "initialization.small",
        "Small random weights",
        r"w \sim 0.01 \cdot \mathcal{N}(0, 1)",
        "Random, so that units differ; small, so that tanh and sigmoid start where they are steep. Enough for shallow "
        "networks.",
        "wrong-function", "np.random.rand in place of randn: all weights positive, mean 0.005, and the units pull the "
        "same way.",
        shapes="A number, which multiplies a W of (n, n_prev).",
        lacks="A number, the same for every layer; torch.nn.init has no name for it.",
    ),
    Formula(
        "initialization.lecun initialization.xavier initialization.he",
        "The scale that keeps the signal",
        r"\text{LeCun: } \sqrt{\frac{1}{n_{prev}}}, \qquad \text{Xavier: } \sqrt{\frac{2}{n_{prev} + n}}, "
        r"\qquad \text{He: } \sqrt{\frac{2}{n_{prev}}}",
        "A sum of $n_{prev}$ independent terms has $n_{prev}$ times the variance of one. To keep the variance from "
        "layer "
        "to layer each weight must have variance $1/n_{prev}$; twice that where ReLU throws half of it away; Xavier "
        "balances it with the way back, where sums run over $n$ units.",
        "init-scale", "Activations shrink or grow by a constant factor per layer: in deep networks by orders of "
        "magnitude.",
        cases="initialization.*",
        shapes="A number from n_prev and n, which multiplies a W of (n, n_prev).",
        lacks=ONE_NUMBER,
    ),
    Formula(
        "theory.spread theory.layer_spreads",
        "How much of the signal is left",
        r"\mathrm{spread}(A) = \sqrt{\frac{1}{n m} \sum_{j, i} \bigl(a_{ji} - \bar a\bigr)^{2}}",
        "The standard deviation of a layer's activations, over units and examples. With weights of scale 0.01 a tanh "
        "layer "
        "multiplies it by about $0.01 \\sqrt{n_{prev}}$: eight layers on, nothing is left to learn from.",
        "0.01 is kept in a deep network.", "The cost stays where it began however long one trains; every gradient is "
        "tiny.",
        cases="theory.spread",
    ),
    Formula(
        "draws.initial_parameters draws.fans",
        "Drawing the parameters",
        r"W^{[l]} = \mathrm{scale}(n^{[l-1]}, n^{[l]}) \cdot \mathcal{N}(0, 1), \qquad b^{[l]} = 0",
        "Normal draws times the scale of the scheme; biases may start at 0, since the weights already tell the units "
        "apart. A filter has $f^{2} n_C^{prev}$ inputs.",
        "code", "np.zeros(2, 1) raises: shapes are a tuple, np.zeros((2, 1)).",
        shapes="W (n, n_prev) and b (n, 1); of a convolution (f, f, n_C_prev, n_C) and (1, 1, 1, n_C).",
        lacks="NumPy's generator fills whole arrays. torch starts from the same arrays: only so can the two be "
        "compared.",
    ),
)  # fmt: skip

THEORY = (
    Formula(
        "theory.parity theory.xor_count theory.tree_depth theory.tree_units theory.minterm_count",
        "Parity, the function that wants depth",
        r"x_1 \oplus x_2 \oplus \cdots \oplus x_n = \Bigl(\sum_{j} x_j\Bigr) \;\mathrm{mod}\; 2" "\n"
        r"\text{tree: } n - 1 \text{ XORs, depth } \left\lceil \log_2 n \right\rceil; \qquad \text{minterms: } 2^{n-1}",
        "A tree of XORs halves the number of bits on each level. With one hidden layer of ANDs there must be a unit "
        "for "
        "every input of odd parity, and half of all inputs are odd.",
        "overstated", "The exponential count holds for ANDs; neurons can count, and need n units only: see the "
        "sawtooth.",
        cases="theory.parity",
    ),
    Formula(
        "theory.parity_tree",
        "Parity by a deep network",
        r"p \oplus q = \mathrm{relu}(p + q) - 2\, \mathrm{relu}(p + q - 1)",
        "For bits, $p + q$ is 0, 1 or 2, and the two units turn that into 0, 1, 0. Each level takes the bits in pairs.",
        "bias-missing", "Without the -1 both units are the same, and the XOR becomes -(p + q).",
        shapes="X is (n, m) of 0 and 1; the result is a network, with output (1, m).",
        lacks="A network with weights set by hand: what runs it is network.forward.",
    ),
    Formula(
        "theory.parity_minterms",
        "Parity by one wide layer",
        r"\sum_{v \text{ odd}} \mathrm{relu}\bigl(1 - \left|x - v\right|\bigr)",
        "One unit for each odd input $v$: it is 1 at $v$ and 0 at every other corner of the cube. Their number doubles "
        "with each bit.",
        "wrong-count", "2^n units in place of 2^(n-1): the even inputs need none.",
        shapes="W1 is (2^(n-1), n), b1 (2^(n-1), 1), W2 (1, 2^(n-1)).",
        lacks="A network with weights set by hand: what runs it is network.forward.",
    ),
    Formula(
        "theory.parity_sawtooth",
        "Parity by n units in one layer",
        r"\mathrm{relu}(s) - 2\,\mathrm{relu}(s - 1) + 2\,\mathrm{relu}(s - 2) - \cdots, \qquad s = \sum_j x_j",
        "All units look at the sum of the bits. Between whole numbers the function zigzags between 0 and 1, which is "
        "parity at the whole numbers themselves.",
        "overstated", "“One hidden layer needs exponentially many units” is true of ANDs alone.",
        shapes="W1 is (n, n), all ones; b1 (n, 1) counts down from 0; W2 (1, n).",
        lacks="A network with weights set by hand: what runs it is network.forward.",
    ),
)  # fmt: skip
