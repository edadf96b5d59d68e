"""Derivations to begin with, from the notes: right ones, and the mistakes that people make most."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """A text with the setting it is judged in, "" where its own forward pass says what J is."""

    title: str
    text: str
    setting: str = ""
    l2: bool = False


_FORWARD = """\
# forward: X is (n_x, m), an example a column
Z1 = W1 @ X + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = 1 / (1 + np.exp(-Z2))
J = -(1/m) * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

# backward
"""

EXAMPLES: tuple[Example, ...] = (
    Example(
        "A two-layer network, one mistake",
        f"""{_FORWARD}\
dZ2 = A2 - Y
dW2 = (1/m) * dZ2 @ A1.T
db2 = (1/m) * np.sum(dZ2, axis=1, keepdims=True)
dZ1 = W2.T @ dZ2 * (1 - A1**2)
dW1 = dZ1 @ X.T
db1 = (1/m) * np.sum(dZ1, axis=1, keepdims=True)
""",
    ),
    Example(
        "The same, right",
        f"""{_FORWARD}\
dZ2 = A2 - Y
dW2 = (1/m) * dZ2 @ A1.T
db2 = (1/m) * np.sum(dZ2, axis=1, keepdims=True)
dZ1 = W2.T @ dZ2 * (1 - A1**2)
dW1 = (1/m) * dZ1 @ X.T
db1 = (1/m) * np.sum(dZ1, axis=1, keepdims=True)
""",
    ),
    Example(
        "Logistic regression, one example",
        """\
z = np.dot(w.T, x) + b
a = sigmoid(z)
da = -y/a + (1 - y)/(1 - a)
dz = y - a
dw = x * dz
db = dz
""",
        "logistic-one",
    ),
    Example(
        "Softmax and ReLU, examples in rows",
        """\
# X: (N, D), labels y: (N,)
h = np.maximum(0, X @ W1 + b1)
scores = h @ W2 + b2
p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
loss = -np.mean(np.log(p[np.arange(N), y]))

dscores = p.copy()
dscores[np.arange(N), y] -= 1
dscores /= N
dW2 = h.T @ dscores
db2 = np.sum(dscores, axis=0)
dh = dscores @ W2.T
dh[h < 0] = 0
dW1 = X.T @ dh
db1 = np.sum(dh, axis=0)
""",
    ),
    Example(
        "The penalty forgotten",
        """\
dW2 = (1/m) * dZ2 @ A1.T + (lambda/m) * W2
dW1 = (1/m) * dZ1 @ X.T
""",
        "shallow",
        True,
    ),
    Example(
        "A step of Adam",
        """\
v = beta1 * v + (1 - beta1) * dW
s = beta2 * s + (1 - beta2) * dW
v_corrected = v / (1 - beta1**t)
s_corrected = s / (1 - beta2**t)
W = W - alpha * v_corrected / (np.sqrt(s_corrected) + epsilon)
""",
        "adam",
    ),
    Example(
        "Notes in LaTeX",
        r"""Two layers, tanh and sigmoid, examples in columns, cross-entropy.

$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = \tanh(Z^{[1]})$$

$$dZ^{[2]} = A^{[2]} - Y$$

$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$

$$dZ^{[1]} = W^{[2]} dZ^{[2]} * (1 - A^{[1]2})$$

$$dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T$$
""",
    ),
)
