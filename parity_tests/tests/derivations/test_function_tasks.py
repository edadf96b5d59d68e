"""Functions by their names: called with the parameters that people give them, right ones hold, wrong ones do not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from parity_tests.derivations.own.calls import Answer, Call
from parity_tests.derivations.own.function_verdicts import PROBES, judged, trials
from parity_tests.derivations.own.functions_file import verify_functions
from parity_tests.derivations.own.functions_runner import normal
from parity_tests.derivations.own.initial import INITIAL
from parity_tests.derivations.own.tasks import TASKS, setting_of
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WITH_A_BORDER, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.verdicts import of_functions
from parity_tests.tests.slices import sliced

COURSE = {
    "linear_forward": """
def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    return Z, (A, W, b)
""",
    "linear_backward": """
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T) / m, np.sum(dZ, axis=1, keepdims=True) / m
""",
    "sigmoid": """
def sigmoid(Z):
    return 1 / (1 + np.exp(-Z)), Z
""",
    "relu": """
def relu(Z):
    return np.maximum(0, Z), Z
""",
    "sigmoid_backward": """
def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache))
    return dA * s * (1 - s)
""",
    "relu_backward": """
def relu_backward(dA, cache):
    dZ = np.array(dA, copy=True)
    dZ[cache <= 0] = 0
    return dZ
""",
    "linear_activation_forward": """
def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (linear_cache, activation_cache)
""",
    "linear_activation_backward": """
def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)
""",
    "compute_cost": """
def compute_cost(AL, Y):
    m = Y.shape[1]
    return np.squeeze(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m)
""",
    "propagate": """
def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    return {"dw": np.dot(X, (A - Y).T) / m, "db": np.sum(A - Y) / m}, np.array(cost)
""",
    "update_parameters": """
def update_parameters(parameters, grads, learning_rate=1.2):
    for l in range(len(parameters) // 2):
        parameters["W" + str(l + 1)] = parameters["W" + str(l + 1)] - learning_rate * grads["dW" + str(l + 1)]
        parameters["b" + str(l + 1)] = parameters["b" + str(l + 1)] - learning_rate * grads["db" + str(l + 1)]
    return parameters
""",
    "update_parameters_with_momentum": """
def update_parameters_with_momentum(parameters, grads, v, beta, learning_rate):
    for name in list(parameters):
        v["d" + name] = beta * v["d" + name] + (1 - beta) * grads["d" + name]
        parameters[name] = parameters[name] - learning_rate * v["d" + name]
    return parameters, v
""",
    "update_parameters_with_adam": """
def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for name in list(parameters):
        d = "d" + name
        v[d] = beta1 * v[d] + (1 - beta1) * grads[d]
        s[d] = beta2 * s[d] + (1 - beta2) * grads[d] ** 2
        step = v[d] / (1 - beta1**t) / (np.sqrt(s[d] / (1 - beta2**t)) + epsilon)
        parameters[name] = parameters[name] - learning_rate * step
    return parameters, v, s
""",
    "zero_pad": """
def zero_pad(X, pad):
    return np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
""",
    "conv_forward": """
def conv_forward(A_prev, W, b, hparameters):
    stride, pad, f = hparameters["stride"], hparameters["pad"], len(W)
    P = zero_pad(A_prev, pad)
    n_H, n_W = ((n - f) // stride + 1 for n in P.shape[1:3])
    Z = np.zeros((len(A_prev), n_H, n_W, W.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            window = P[:, h * stride:h * stride + f, w * stride:w * stride + f]
            Z[:, h, w] = np.tensordot(window, W, 3) + b[0, 0, 0]
    return Z, (A_prev, W, b, hparameters)
""",
    "conv_backward": """
def conv_backward(dZ, cache):
    A_prev, W, b, hparameters = cache
    stride, pad, f, m = hparameters["stride"], hparameters["pad"], len(W), len(dZ)
    P = zero_pad(A_prev, pad)
    dP, dW = np.zeros_like(P), np.zeros_like(W)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            at = (slice(None), slice(h * stride, h * stride + f), slice(w * stride, w * stride + f))
            dP[at] += np.tensordot(dZ[:, h, w], W, (1, 3))
            dW += np.tensordot(P[at], dZ[:, h, w], (0, 0))
    n_H, n_W = A_prev.shape[1:3]
    db = dZ.sum(axis=(0, 1, 2), keepdims=True)
    return dP[:, pad:pad + n_H, pad:pad + n_W], dW / m, db / m
""",
    "pool_forward": """
def pool_forward(A_prev, hparameters, mode="max"):
    f, stride = hparameters["f"], hparameters["stride"]
    n_H, n_W = ((n - f) // stride + 1 for n in A_prev.shape[1:3])
    A = np.zeros((len(A_prev), n_H, n_W, A_prev.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            window = A_prev[:, h * stride:h * stride + f, w * stride:w * stride + f]
            A[:, h, w] = window.max(axis=(1, 2)) if mode == "max" else window.mean(axis=(1, 2))
    return A, (A_prev, hparameters)
""",
    "pool_backward": """
def pool_backward(dA, cache, mode="max"):
    A_prev, hparameters = cache
    f, stride = hparameters["f"], hparameters["stride"]
    dA_prev = np.zeros(A_prev.shape)
    for i, h, w, c in np.ndindex(dA.shape):
        at = (i, slice(h * stride, h * stride + f), slice(w * stride, w * stride + f), c)
        share = A_prev[at] == A_prev[at].max() if mode == "max" else 1 / f**2
        dA_prev[at] += share * dA[i, h, w, c]
    return dA_prev
""",
    "conv_forward_naive": """
def conv_forward_naive(x, w, b, conv_param):
    s, p, (F, _, HH, WW) = conv_param["stride"], conv_param["pad"], w.shape
    P = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    out = np.zeros((len(x), F, (P.shape[2] - HH) // s + 1, (P.shape[3] - WW) // s + 1))
    for h in range(out.shape[2]):
        for v in range(out.shape[3]):
            out[:, :, h, v] = np.tensordot(P[:, :, h * s:h * s + HH, v * s:v * s + WW], w, ((1, 2, 3), (1, 2, 3))) + b
    return out, (x, w, b, conv_param)
""",
    "conv_backward_naive": """
def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    s, p, (_, _, HH, WW) = conv_param["stride"], conv_param["pad"], w.shape
    P = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dP, dw = np.zeros_like(P), np.zeros_like(w)
    for n, k, h, v in np.ndindex(dout.shape):
        at = (n, slice(None), slice(h * s, h * s + HH), slice(v * s, v * s + WW))
        dP[at] += w[k] * dout[n, k, h, v]
        dw[k] += P[at] * dout[n, k, h, v]
    return dP[:, :, p:p + x.shape[2], p:p + x.shape[3]], dw, np.sum(dout, axis=(0, 2, 3))
""",
    "max_pool_forward_naive": """
def max_pool_forward_naive(x, pool_param):
    f, s = pool_param["pool_height"], pool_param["stride"]
    out = np.zeros((*x.shape[:2], (x.shape[2] - f) // s + 1, (x.shape[3] - f) // s + 1))
    for h in range(out.shape[2]):
        for w in range(out.shape[3]):
            out[:, :, h, w] = x[:, :, h * s:h * s + f, w * s:w * s + f].max(axis=(2, 3))
    return out, (x, pool_param)
""",
    "max_pool_backward_naive": """
def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    f, s, dx = pool_param["pool_height"], pool_param["stride"], np.zeros_like(x)
    for n, c, h, w in np.ndindex(dout.shape):
        at = (n, c, slice(h * s, h * s + f), slice(w * s, w * s + f))
        dx[at] += (x[at] == x[at].max()) * dout[n, c, h, w]
    return dx
""",
    "sgd": """
def sgd(w, dw, config=None):
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config
""",
    "sgd_momentum": """
def sgd_momentum(w, dw, config=None):
    v = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config
""",
    "rmsprop": """
def rmsprop(w, dw, config=None):
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (np.sqrt(config["cache"]) + config["epsilon"]), config
""",
    "adam": """
def adam(w, dw, config=None):
    config["t"] += 1
    m = config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    v = config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * dw**2
    m, v = m / (1 - config["beta1"] ** config["t"]), v / (1 - config["beta2"] ** config["t"])
    return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config
""",
    "initialize_with_zeros": """
def initialize_with_zeros(dim):
    return np.zeros((dim, 1)), 0.0
""",
    "initialize_parameters": """
def initialize_parameters(n_x, n_h, n_y):
    return {"W1": np.random.randn(n_h, n_x) * 0.01, "b1": np.zeros((n_h, 1)),
            "W2": np.random.randn(n_y, n_h) * 0.01, "b2": np.zeros((n_y, 1))}
""",
    "initialize_parameters_deep": """
def initialize_parameters_deep(layer_dims):
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters
""",
    "initialize_parameters_he": """
def initialize_parameters_he(layers_dims):
    parameters = {}
    for l in range(1, len(layers_dims)):
        parameters[f"W{l}"] = np.random.randn(layers_dims[l], layers_dims[l - 1]) * np.sqrt(2 / layers_dims[l - 1])
        parameters[f"b{l}"] = np.zeros((layers_dims[l], 1))
    return parameters
""",
    "initialize_adam": """
def initialize_adam(parameters):
    v = {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
    return v, {name: np.zeros_like(value) for name, value in v.items()}
""",
}
"""The functions of well-known courses, as people have them, each right."""

MISTAKES = {
    "linear_forward": ("np.dot(W, A) + b", "np.dot(W, A)"),
    "linear_backward": ("np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ)"),
    "sigmoid": ("np.exp(-Z)", "np.exp(Z)"),
    "relu": ("np.maximum(0, Z)", "np.minimum(0, Z)"),
    "sigmoid_backward": ("dA * s * (1 - s)", "dA * s"),
    "relu_backward": ("cache <= 0", "cache > 0"),
    "linear_activation_forward": ("sigmoid(Z) if", "relu(Z) if"),
    "linear_activation_backward": ('== "relu"', '!= "relu"'),
    "compute_cost": ("/ m)", ")"),
    "propagate": ("np.dot(X, (A - Y).T) / m", "np.dot(X, (Y - A).T) / m"),
    "update_parameters": ("- learning_rate * grads", "+ learning_rate * grads"),
    "update_parameters_with_momentum": ("- learning_rate * v", "+ learning_rate * v"),
    "update_parameters_with_adam": ("(1 - beta1**t)", "(1 - beta1)"),
    "zero_pad": ("((0, 0), (pad, pad), (pad, pad), (0, 0))", "((0, 0), (pad, pad), (pad, 0), (0, 0))"),
    "conv_forward": ("+ b[0, 0, 0]", "- b[0, 0, 0]"),
    "conv_backward": ("dW / m", "dW"),
    "pool_forward": ('window.max(axis=(1, 2)) if mode == "max"', 'window.min(axis=(1, 2)) if mode == "max"'),
    "pool_backward": ("1 / f**2", "1 / f"),
    "conv_forward_naive": (" + b\n", " - b\n"),
    "conv_backward_naive": ("axis=(0, 2, 3)", "axis=(0, 2, 3)) / len(dout"),
    "max_pool_forward_naive": (".max(", ".min("),
    "max_pool_backward_naive": ("dx[at] +=", "dx[at] ="),
    "sgd": ("w - ", "w + "),
    "sgd_momentum": ('"] = v', '"] = -v'),
    "rmsprop": ("dw**2", "dw"),
    "adam": ('config["t"] += 1', "pass"),
    "initialize_with_zeros": ("0.0", "1.0"),
    "initialize_parameters": ("(n_y, n_h)", "(n_h, n_y)"),
    "initialize_parameters_deep": ("np.random.randn(layer_dims[l], layer_dims[l - 1])", "np.ones((80, 150))"),
    "initialize_parameters_he": ("np.sqrt(2 /", "np.sqrt(1 /"),
    "initialize_adam": ("np.zeros_like(value) for name, value in v", "np.ones_like(value) for name, value in v"),
}
"""One mistake in each: what is written, and what is written in its place."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("functions")


@pytest.mark.parametrize("name", sliced(COURSE, 6))
def test_functions_of_courses_hold_as_they_are(name: str, folder: Path) -> None:
    verdicts = of_functions("".join(COURSE.values()), folder)[name]
    assert {verdict.verdict for verdict in verdicts} == {HOLDS}, [verdict.message for verdict in verdicts]


CALLING = ("linear_activation_forward", "linear_activation_backward", "conv_forward", "conv_backward")
"""Functions that call others, which are right where these have a mistake."""


def with_mistakes(names: Iterable[str]) -> str:
    """The functions of courses, these with a mistake each."""
    text = ""
    for name, right in COURSE.items():
        before, after = MISTAKES[name] if name in names else ("", "")
        assert before in right
        text += right.replace(before, after, 1)
    return text


@pytest.mark.parametrize("name", sliced(MISTAKES, 6))
def test_a_mistake_in_one_is_wrong_and_nothing_else_is_not_judged(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parity_tests.derivations.own.data.recognise", lambda *_: None)  # verdicts alone
    text = with_mistakes(CALLING if name in CALLING else MISTAKES.keys() - set(CALLING))
    verdicts = of_functions(text, folder)[name]
    found = {verdict.verdict for verdict in verdicts}
    assert WRONG in found
    assert NOT_JUDGED not in found, [verdict.message for verdict in verdicts]


def test_every_name_of_a_course_is_tried() -> None:
    assert COURSE.keys() == MISTAKES.keys()
    assert COURSE.keys() <= TASKS.keys() | INITIAL.keys()


RETURNS = """
def linear_backward(dZ, A_prev, W):
    m = dZ.shape[1]
    return {{"db": dZ.sum(axis=1, keepdims=True) / m, "dW": {dW}, "dA_prev": W.T @ dZ}}

def adam_update(w, dw, v, s, t, lr=0.1, beta_1=0.9, beta_2=0.999, eps=1e-8):
    v = beta_1 * v + (1 - beta_1) * dw
    s = beta_2 * s + (1 - beta_2) * dw**2
    return s, v, w - lr * v / (1 - beta_1**t) / (np.sqrt(s / (1 - beta_2**t)) + eps)

def input_gradient(dZ, W, scale=1.0):
    return [W.T @ dZ * scale]
"""


@pytest.mark.parametrize(("dW", "verdict"), [("dZ @ A_prev.T / m", HOLDS), ("dZ @ A_prev.T", WRONG)])
def test_dicts_orders_names_and_defaults(dW: str, verdict: str, folder: Path) -> None:
    found = of_functions(RETURNS.format(dW=dW), folder)
    assert {each.target: each.verdict for each in found["linear_backward"]} == {
        "linear_backward: dA_prev": HOLDS,
        "linear_backward: dW": verdict,
        "linear_backward: db": HOLDS,
    }
    assert [each.verdict for each in found["adam_update"]] == [HOLDS] * 3
    assert [each.verdict for each in found["input_gradient"]] == [HOLDS]


ROWS = """
def softmax(scores):
    e = np.exp(scores - scores.max(axis={axis}, keepdims=True))
    return e / e.sum(axis={axis}, keepdims=True)

def linear_forward(X, W, b):
    return X @ W + b

def linear_backward(dZ, A_prev, W):
    m = len(dZ)
    return dZ @ W.T, A_prev.T @ dZ {over}, dZ.sum(axis=0) {over}
"""


def test_examples_in_rows_are_right_and_said(folder: Path) -> None:
    found = of_functions(ROWS.format(axis=1, over="/ m"), folder)
    for name in ("softmax", "linear_forward", "linear_backward"):
        for verdict in found[name]:
            assert (verdict.verdict, verdict.message) == (
                HOLDS,
                f"{verdict.target} holds. It holds where examples are rows.",
            )
    assert "rows" not in of_functions(ROWS.format(axis=0, over="/ m"), folder)["softmax"][0].message
    averaged = of_functions(ROWS.format(axis=1, over=""), folder)["linear_backward"]
    assert [each.verdict for each in averaged] == [HOLDS] * 3
    assert averaged[1].message.startswith("linear_backward: dW holds. It holds where dZ carries the 1/m")


UNFIT = """
def conv_forward(image, kernel):
    return image

def linear_forward(A_prev, W, b):
    return W @ A_prev + c

def linear_backward(first, second, third, fourth, fifth):
    return first

def weight_gradient(signal, dout):
    return dout

def dropout_forward(A, mask, keep_prob):
    return "A"

def bias_gradient(dZ):
    return None

def tanh(Z, *more, **others):
    return np.tanh(Z)

def adam(w, dw, moments, settings):
    return w - 0.001 * dw, settings
"""


def test_what_cannot_be_called_is_not_judged_and_what_is_expected_is_said(folder: Path) -> None:
    found = {name: each[0] for name, each in of_functions(UNFIT, folder).items()}
    assert {name: each.verdict for name, each in found.items()} == {
        **dict.fromkeys(("conv_forward", "linear_forward", "linear_backward", "dropout_forward"), NOT_JUDGED),
        **dict.fromkeys(("bias_gradient", "adam", "weight_gradient"), NOT_JUDGED),
        "tanh": HOLDS,
    }
    assert "no way of calling conv_forward(image, kernel) is known" in found["conv_forward"].message
    assert "expected conv_forward(A_prev, W, b, stride, pad) or conv_forward(A_prev, W, b, hparameters)" in (
        found["conv_forward"].message
    )
    assert "it raised NameError in line 7: name 'c' is not defined" in found["linear_forward"].message
    assert (
        "expected linear_backward(dZ, A_prev, W, lambda_) or linear_backward(dZ, cache), returning dA_prev, dW, db"
        in (found["linear_backward"].message)
    )


CLASSICAL = "v = beta * v - learning_rate * dW\n    return W + v, v"
UNDER = [
    (f"def momentum_update(W, dW, v, learning_rate, beta):\n    {CLASSICAL}", "classical momentum"),
    ("def momentum(w, dw, v, lr, beta):\n    v = beta * v + dw\n    return w - lr * v, v", "torch's momentum"),
    (
        COURSE["update_parameters_with_momentum"].replace("(1 - beta) * ", ""),
        "torch's momentum",
    ),
    (
        "def rmsprop_update(W, dW, s, alpha, beta2, eps):\n    s = beta2 * s + (1 - beta2) * dW**2\n"
        "    return W - alpha * dW / np.sqrt(s + eps), s",
        "TensorFlow's epsilon",
    ),
    (
        "def adamw(w, dw, v, s, t, lr, beta1, beta2, eps, weight_decay):\n    w = w - lr * weight_decay * w\n"
        "    v, s = beta1 * v + (1 - beta1) * dw, beta2 * s + (1 - beta2) * dw**2\n"
        "    return w - lr * v / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + eps), v, s",
        "AdamW",
    ),
    (
        "def dropout_forward(A, mask):\n    return A * mask\n\ndef dropout_backward(dA, mask):\n    return dA * mask",
        "D carries 1/keep_prob",
    ),
]
"""Functions that are right in another convention than the notes'."""

MEAN, OVER_OUTPUTS = (
    "return np.mean((A - Y) ** 2)",
    "def binary_cross_entropy(y_pred, y_true):\n    return -np.mean({})",
)
CROSS_ENTROPY = "y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred)"
UNDER += [
    (f"def squared_error(A, Y):\n    {MEAN}", "the mean of the squares, without the half (row costs.squared_error"),
    (f"def squared_error(A, Y):\n    {MEAN} / 2", "a mean over the outputs too (row costs.several_outputs"),
    (OVER_OUTPUTS.format(CROSS_ENTROPY), "J is a mean over the outputs too"),
    (f"def squared_error(A, Y):\n    {MEAN}\n\ndef squared_error_prime(A, Y):\n    return 2 * (A - Y) / np.size(Y)",
     "without the half, and deltas carry its 1/m"),
    ("def squared_error_prime(A, Y):\n    return 2 * (A - Y) / len(Y)", "without the half"),
    ("def squared_error_prime(A, Y):\n    return (A - Y) / Y.shape[1]", "deltas carry the 1/m"),
]  # fmt: skip
"""Costs, of which one value is enough; in rows and in columns."""


@pytest.mark.parametrize(("text", "words"), sliced(UNDER, 6), ids=[words for _, words in UNDER])
def test_functions_are_read_in_the_conventions_that_texts_are_read_in(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\n\n{text}\n")
    found = verify_functions(path)
    assert {line.verdict for line in found.lines} == {HOLDS}, [line.message for line in found.lines]
    assert all("It is right under: " in line.message and words in line.message for line in found.lines)
    assert words in found.convention
    assert {line.verdict for line in verify_functions(path, strict=True).lines} != {HOLDS}


@pytest.mark.parametrize(
    "text",
    sliced(
        [
            "def dropout_forward(A, mask, keep_prob):\n    return A * mask",  # one value alone may be a mistake
            f"def momentum_update(W, dW, v, learning_rate, beta):\n    {CLASSICAL.replace('W + v', 'W - v')}",
            "def squared_error(A, Y):\n    return np.sum((A - Y) ** 2)",
            "def squared_error(A, Y):\n    return np.mean((A - Y) ** 2, axis=0)",
            pytest.param(OVER_OUTPUTS.format(CROSS_ENTROPY.replace("+", "-")), marks=pytest.mark.slow),
            "def squared_error_prime(A, Y):\n    return (A - Y) / 2",
        ],
        5,
    ),
)
def test_a_function_that_keeps_to_no_convention_is_wrong(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\n\n{text}\n")
    assert verify_functions(path).lines[0].verdict == WRONG


HALF = "return np.sum((A - Y) ** 2) / (2 * Y.shape[1])"


@pytest.mark.parametrize(
    ("cost", "slope", "expected"),
    [
        (HALF, "return (A - Y) / Y.shape[1]", {"squared_error": HOLDS, "squared_error_prime": HOLDS}),
        (HALF, "return 2 * (A - Y) / np.size(Y)", {"squared_error": HOLDS, "squared_error_prime": WRONG}),
        (MEAN, "return A - Y", {"squared_error": WRONG, "squared_error_prime": HOLDS}),
    ],
)
def test_the_derivative_of_a_cost_is_that_of_the_cost_beside_it(
    cost: str, slope: str, expected: dict[str, str], folder: Path
) -> None:
    text = f"def squared_error(A, Y):\n    {cost}\n\ndef squared_error_prime(A, Y):\n    {slope}\n"
    assert {name: rows[0].verdict for name, rows in of_functions(text, folder).items()} == expected


SLICED = """
def conv_backward(dZ, A_prev, W, stride, pad):
    {body}
    P = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dP, dW, f, m = np.zeros_like(P), np.zeros_like(W), len(W), len(dZ)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            at = (slice(None), slice(h * stride, h * stride + f), slice(w * stride, w * stride + f))
            dP[at] += np.tensordot(dZ[:, h, w], W, (1, 3))
            dW += np.tensordot(P[at], dZ[:, h, w], (0, 0))
    {result}
"""
EMPTY = "return dP[:, pad:-pad, pad:-pad], dW / m, dZ.sum(axis=(0, 1, 2), keepdims=True) / m"
FILLED = """dA_prev = np.zeros_like(A_prev)
    dA_prev[...] = dP[:, pad:-pad, pad:-pad]
    return dA_prev, dW / m, dZ.sum(axis=(0, 1, 2), keepdims=True) / m"""
WHOLE = EMPTY.replace("pad:-pad", "pad:len(dP[0]) - pad", 1).replace("pad:-pad", "pad:len(dP[0, 0]) - pad")

CROPPED = """dA_prev_pad = np.zeros_like(A_prev_pad)
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
                dA_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f, :] += W[:, :, :, c] * dZ[i, h, w, c]
dA_prev = dA_prev_pad[:, pad:-pad, pad:-pad, :]"""


@pytest.mark.parametrize(("result", "saw"), sliced([(EMPTY, "has shape"), (FILLED, "has no value with pad = 0")], 2))
def test_a_slice_that_is_empty_without_a_border_is_wrong_in_functions_and_texts(
    result: str, saw: str, folder: Path
) -> None:
    wrong = of_functions(SLICED.format(body="pass", result=result), folder)["conv_backward"]
    assert [each.verdict for each in wrong] == [WRONG, HOLDS, HOLDS]
    as_text = verify(CROPPED, "convolution").lines[-1]
    for line in (wrong[0], as_text):
        assert (line.verdict, line.cause) == (WRONG, "pad-zero-slice")
        assert "for pad = 0 the slice pad:-pad is empty" in line.message
        assert line.message.endswith(WITH_A_BORDER)
    assert saw in wrong[0].message
    right = CROPPED.replace("pad:-pad, pad:-pad", "pad:pad+n_H_prev, pad:pad+n_W_prev")
    assert verify(right, "convolution").lines[-1].verdict == HOLDS


def test_a_function_that_refuses_to_have_no_border_holds_and_that_is_said(folder: Path) -> None:
    raises = of_functions(SLICED.format(body="assert pad, 'no border'", result=WHOLE), folder)["conv_backward"]
    assert [each.verdict for each in raises] == [HOLDS] * 3
    assert "With pad = 0 it raised AssertionError in line 4: no border" in raises[0].message


@pytest.mark.parametrize("name", sliced(TASKS, 6))
def test_the_truths_of_every_task_hold_and_their_negatives_do_not(name: str) -> None:
    for task in TASKS[name]:
        setting = setting_of(task.setting)
        probes, small, tied = trials(setting, 5), "small" in setting.further, setting.tied
        assert len(probes) == PROBES + bool(small) + bool(tied)
        for factor, verdict in ((1, HOLDS), (-1, WRONG))[: 1 if small else 2]:
            calls = [
                [Call([""] * len(task.outputs), [factor * np.asarray(each.plain.by_torch[output.symbol])
                 for output in task.outputs], [], "", True)]
                for each in probes
            ]  # fmt: skip
            keyed = {output.key for output in task.outputs} & {"dw1", "b1"}
            if keyed:  # answers in dicts
                calls = [[call[0]._replace(names=[output.key for output in task.outputs])] for call in calls]
            plain = task._replace(layouts=("",))
            found = judged(name, plain, setting, probes, Answer(name, calls))
            assert {each.verdict for each in found} == {verdict}, [each.message for each in found]


def test_parameters_are_known_without_case_and_underscores() -> None:
    for name, tasks in TASKS.items():
        for task in tasks:
            known = task.request()["names"]
            assert set(task.order) <= known.keys() | task.bundles.keys(), name
            assert all(normal(each) in known or each in task.bundles for each in task.order), name
