"""Networks backward, shallow and deep: F093 to F121 and F163 to F190."""

from __future__ import annotations

from parity_tests.report.chapters.formula import BY_INDEX, Formula

SHALLOW = (
    Formula(
        "dense.weight_gradient",
        "Gradient of the weights",
        r"dW^{[l]} = \frac{1}{m}\, dZ^{[l]} A^{[l-1]\,T} + \frac{\lambda}{m} W^{[l]}",
        "Weight $w_{jk}$ enters only $z_j$, and there with the factor $a_k$. Example $i$ therefore adds "
        "$dz_j^{(i)} a_k^{(i)}$. Summed over the examples, that is row $j$ of $dZ$ against row $k$ of $A$: the product "
        "$dZ\\, A^{T}$. The mean in $J$ gives $1/m$; the penalty $\\frac{\\lambda}{2m} w_{jk}^{2}$ adds "
        "$\\frac{\\lambda}{m} w_{jk}$.",
        "missing-1/m", "dW is m times too large everywhere. Training may even look faster; only numbers beside numbers "
        "show it, or a learning rate that stops working when m changes.",
        see="F097 F100 F104 F108 F109 F112 F113 F114 F115 F119 F118 F166 F174 F179", quantities="dW",
    ),
    Formula(
        "dense.bias_gradient",
        "Gradient of the biases",
        r"db^{[l]} = \frac{1}{m} \sum_{i=1}^{m} dz^{[l](i)}",
        "$b_j$ is added to $z_j$ of every example, so all of them have a say: the sum runs over the examples, along "
        "axis 1, and one number is left for each unit. keepdims=True keeps the column.",
        "db-summed-over-all", "All entries of db are equal: the sum ran over the units too.",
        cases="dense.bias_gradient dense.bias_gradient_of_layer",
        see="F101 F102 F105 F107 F111 F167 F177", quantities="db",
    ),
    Formula(
        "dense.input_gradient",
        "What a layer hands down",
        r"dA^{[l-1]} = W^{[l]\,T} dZ^{[l]}, \qquad dZ^{[l-1]} = dA^{[l-1]} * g^{[l-1]\prime}(Z^{[l-1]})",
        "$a_k$ reaches the loss through every unit above: $da_k = \\sum_j w_{jk}\\, dz_j$. That is column $k$ of $W$ "
        "against $dz$, hence the transpose. Per example, so without $1/m$. The activation's slope then multiplies "
        "entry "
        "by entry.",
        "gprime-missing", "dZ of every hidden layer is too large where units are saturated; the output layer is right.",
        quantities="dA", see="F093 F106 F116 F117 F178",
    ),
)  # fmt: skip

DEEP = (
    Formula(
        "dense.linear_backward",
        "A layer backward",
        r"dZ^{[l]} \;\mapsto\; \bigl(dA^{[l-1]}, dW^{[l]}, db^{[l]}\bigr)",
        "The three derivatives of $Z = W A + b$ under one $dZ$. They need $A^{[l-1]}$ and $W^{[l]}$ from the forward "
        "pass, "
        "which is why it keeps them.",
        "wrong-layer", "A[l] in place of A[l-1] in dW: the shapes clash, unless neighbouring layers are equally wide.",
        shapes="dZ is (n, m), dA_prev (n_prev, m), dW (n, n_prev), db (n, 1).",
    ),
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
