"""Networks backward, shallow and deep: F093 to F121 and F163 to F190."""

from __future__ import annotations

from parity_tests.report.chapters.formula import BY_INDEX, Formula, recorded

SHALLOW = (
    *recorded("dense.weight_gradient", "dense.bias_gradient", "dense.input_gradient"),
)  # fmt: skip

DEEP = (
    *recorded("dense.linear_backward"),
    Formula(
        "network.backward",
        "A network backward",
        r"dZ^{[L]} = A^{[L]} - Y, \qquad dZ^{[l]} = W^{[l+1]\,T} dZ^{[l+1]} * g^{[l]\prime}(Z^{[l]})" "\n"
        r"dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l-1]\,T}, \qquad db^{[l]} = \frac{1}{m} \sum_{i} dz^{[l](i)}",
        "The chain rule from the top: each layer turns the derivative in its output into those in its parameters and "
        "in "
        "its input, and the input is the output of the layer below. Every path from a weight to the loss is counted "
        "once, at the cost of about two forward passes.",
        "g-for-gprime", "Hidden gradients carry the activation where its slope belongs: for tanh some even change "
        "sign.",
        quantities="dZ|dW|db|dA", see="F165 F173 F176",
        lacks="It walks the layers, and they have the loops: dense.linear_backward, conv.conv_backward, "
        "pooling.pool_backward.",
    ),
    Formula(
        "jacobians.dZ_dW",
        "Index by index: Z by W",
        r"\frac{\partial z_{ke}}{\partial w_{ij}} = \delta_{ki}\, a_{je}",
        "$z_{ke} = \\sum_j w_{kj} a_{je} + b_k$ contains $w_{ij}$ only if $k = i$, and then with the factor $a_{je}$.",
        "index", "a_ej for a_je: the indices of A_prev are swapped, which only a square A_prev allows.",
        see="F182",
        lacks=BY_INDEX,
    ),
    Formula(
        "jacobians.dA_dZ",
        "Index by index: A by Z",
        r"\frac{\partial a_{ke}}{\partial z_{ij}} = g'(z_{ke})\, \delta_{ki}\, \delta_{ej}",
        "The activation acts entry by entry: an entry of $A$ depends on the entry of $Z$ in its own place alone. "
        "Softmax is "
        "the exception.",
        "gprime-at-a", "g'(a) in place of g'(z): right sign, wrong size, for every activation but ReLU and identity.",
        lacks=BY_INDEX,
    ),
    Formula(
        "jacobians.dZ_dA_prev",
        "Index by index: Z by A_prev",
        r"\frac{\partial z_{kl}}{\partial a_{ij}} = w_{ki}\, \delta_{lj}",
        "Example $l$ of $Z$ sees example $l$ of $A_{prev}$ only, each entry with its weight.",
        "left-side", "The left side names L, not z: then a sum over k is missing.",
        lacks=BY_INDEX,
    ),
    Formula(
        "jacobians.dA_dW",
        "Index by index: A by W",
        r"\frac{\partial a_{ke}}{\partial w_{ij}} = \sum_{c} \sum_{f} \frac{\partial a_{ke}}{\partial z_{cf}} "
        r"\frac{\partial z_{cf}}{\partial w_{ij}} = g'(z_{ke})\, a_{je}\, \delta_{ki}",
        "Sum over every entry of $Z$ in between; the deltas leave one term. The names of the sums must be new letters, "
        "different from those on the left.",
        "index", "A summation index that also stands on the left: the sum no longer means what it says.",
        lacks=BY_INDEX,
    ),
    Formula(
        "jacobians.weight_gradient_by_index",
        "Index by index: L by W",
        r"\frac{\partial L}{\partial w_{ij}} = \sum_{e=1}^{m} \frac{\partial L}{\partial a_{ie}}\, g'(z_{ie})\, a_{je}",
        "Put the pieces together: $\\delta_{ki}$ removes the sum over the units, the sum over the examples stays. "
        "Read as "
        "matrices it is $(dA * g'(Z))\\, A_{prev}^{T}$.",
        "index", "The sum stops at the number of units, not of examples: examples are left out.",
        lacks=BY_INDEX,
    ),
    Formula(
        "jacobians.input_gradient_by_index",
        "Index by index: L by A_prev",
        r"\frac{\partial L}{\partial a_{ij}} = \sum_{c} \frac{\partial L}{\partial a_{cj}^{[l]}}\, g'(z_{cj})\, w_{ci}",
        "Here the sum over the units stays and the examples do not mix. Read as matrices: $W^{T} (dA * g'(Z))$.",
        "g-for-gprime", "g for g' in the middle factor: the number is of the right size, and wrong.",
        lacks=BY_INDEX,
    ),
)  # fmt: skip
