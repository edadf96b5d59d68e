"""Activations: F122 to F142."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from manual import activations, theory
from manual.activations import sigmoid, sigmoid_prime, tanh, tanh_prime
from parity_tests.notes.check_kinds import At, Value, experiment, formula, same
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, WRONG, Row
from parity_tests.notes.training import hidden_units, linear_hidden, linear_target

FAR = np.array([[-400.0, 400.0]])
ZERO = np.zeros((1, 1))


def collapsed(at: At) -> Value:
    """W x + b with W = W2 W1 and b = W2 b1 + b2."""
    W, b = theory.collapse(at.W1, at.b1, at.W2, at.b2)
    return W @ at.X + b


TORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "clamp": lambda z: torch.clamp(z, min=0),
    "maximum": lambda z: torch.maximum(z, torch.zeros_like(z)),
}


def torch_slope_at_zero(name: str) -> Value:
    """What torch says at z = 0."""
    z = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(TORCH[name](z).sum(), z)[0].numpy()


PLUS, MINUS = "(np.exp(z) + np.exp(-z))", "(np.exp(z) - np.exp(-z))"

ROWS = (
    Row(
        "F122", "N0 L368-381; N3 L192; N4 L235-237", "sigmoid' = a (1 - a)",
        "sigma'(z) = sigma(z)(1 - sigma(z)), a' = a(1 - a)", HOLDS,
        (formula("g_prime = sigma(z)*(1 - sigma(z))", "sigmoid"), formula("g_prime = a*(1 - a)", "sigmoid")),
        (formula("g_prime = 1 - a**2", "sigmoid"),),
    ),
    Row(
        "F123", "N4 L237", "sigmoid', minus lost",
        "g'(z) = 1/(1 + e^-z) (1 - 1/(1 + e^-z)) = g(z) (1/(1 + e^-z)) = a(1 - a)", WRONG,
        (formula("g_prime = sigma(z)*(1 - 1/(1 + np.exp(-z)))", "sigmoid"),),
        (formula("g_prime = sigma(z)*(1/(1 + np.exp(-z)))", "sigmoid"),),
        "g'(z) = g(z)(1 - 1/(1 + e^-z))", "missing-term",
    ),
    Row(
        "F124", "N0 L378", "values of the sigmoid at 0",
        "z -> inf: g -> 1; z -> -inf: g -> 0; z = 0: g(z) = 1/2 x 1/2 = 1/4", WRONG,
        (same("sigma(0) = 1/2", "", lambda at: (sigmoid(ZERO), ZERO + 0.5)),
         same("sigma'(0) = 1/4", "", lambda at: (sigmoid_prime(ZERO), ZERO + 0.25)),
         same("the limits are 0 and 1", "", lambda at: (sigmoid(FAR), np.array([[0.0, 1.0]])))),
        (same("sigma(0) = 1/4", "", lambda at: (ZERO + 0.25, sigmoid(ZERO))),),
        "g(0) = 1/2; 1/4 is g'(0)", "gprime-for-g",
    ),
    Row(
        "F125", "N0 L385; N2 L77-79; N4 L241", "tanh", "tanh z = (e^z - e^-z)/(e^z + e^-z)", HOLDS,
        (formula("a = (np.exp(z) - np.exp(-z))/(np.exp(z) + np.exp(-z))", "tanh"),),
        (formula("a = (np.exp(z) + np.exp(-z))/(np.exp(z) + np.exp(-z))", "tanh", cause="sign"),),
    ),
    Row(
        "F126", "N3 L196", "tanh, upside down", "tanh z = (e^z + e^-z)/(e^z - e^-z)", WRONG,
        (formula("a = (np.exp(z) - np.exp(-z))/(np.exp(z) + np.exp(-z))", "tanh"),),
        (formula("a = (np.exp(z) + np.exp(-z))/(np.exp(z) - np.exp(-z))", "tanh", cause="wrong-operator"),),
        "tanh z = (e^z - e^-z)/(e^z + e^-z); the note's is coth",
    ),
    Row(
        "F127", "N0 L387-389; N2 L91; N3 L196; N4 L243", "tanh' = 1 - a^2",
        "g'(z) = 1 - tanh^2 z = 1 - a^2 = 1 - np.power(a, 2)", HOLDS,
        (formula("g_prime = 1 - tanh(z)**2", "tanh"), formula("g_prime = 1 - np.power(a, 2)", "tanh")),
        (formula("g_prime = 1 + a**2", "tanh", cause="sign"),),
    ),
    Row(
        "F128", "N2 L89", "tanh' by the quotient rule", "((e^z + e^-z)^2 - (e^z - e^-z)^2)/(e^z + e^-z)^2", HOLDS,
        (formula(f"g_prime = ({PLUS}**2 - {MINUS}**2)/{PLUS}**2", "tanh"),),
        (formula(f"g_prime = ({PLUS}**2 + {MINUS}**2)/{PLUS}**2", "tanh", cause="sign"),),
    ),
    Row(
        "F129", "N0 L393", "limits of tanh", "tanh: z -> inf: 1; z -> -inf: 0; z = 0: 0", WRONG,
        (same("the limits are -1 and 1", "", lambda at: (tanh(FAR), np.array([[-1.0, 1.0]]))),
         same("tanh 0 = 0", "", lambda at: (tanh(ZERO), ZERO)),
         same("it is the slope that goes to 0", "", lambda at: (tanh_prime(FAR), np.zeros((1, 2))))),
        (same("the limits are 0 and 1", "", lambda at: (np.array([[0.0, 1.0]]), tanh(FAR))),),
        "z -> -inf: -1", "limit",
    ),
    Row(
        "F130", "N2 L85-87; N3 L201; N4 L249", "ReLU", "ReLU: g(z) = max(0, z)", HOLDS,
        (formula("a = np.maximum(0, z)", "relu"), formula("a = np.where(z >= 0, z, 0)", "relu")),
        (formula("a = np.minimum(0, z)", "relu"),),
    ),
    Row(
        "F131", "N0 L372-374", "ReLU and its derivative mixed up",
        "ReLU: g(z) = 0 if z < 0, 1 if z > 0, undefined at 0", WRONG,
        (formula("a = np.where(z > 0, z, 0)", "relu"), formula("g_prime = np.where(z > 0, 1, 0)", "relu")),
        (formula("a = np.where(z > 0, 1, 0)", "relu"),),
        "that is g'(z); g(z) = max(0, z)", "gprime-for-g",
    ),
    Row(
        "F132", "N0 L350, 374; N3 L201; N4 L251", "ReLU' at 0", "ReLU'(0) is 0 or 1 / undefined / 1", CONVENTION,
        (same("0, as torch.relu", "", lambda at: (activations.relu_prime(ZERO), torch_slope_at_zero("relu"))),
         same("1, as torch.clamp", "",
             lambda at: (activations.relu_prime(ZERO, at_zero=1.0), torch_slope_at_zero("clamp")))),
        (same("1, as torch.relu", "",
            lambda at: (activations.relu_prime(ZERO, at_zero=1.0), torch_slope_at_zero("relu"))),
         same("0, as torch.maximum", "", lambda at: (activations.relu_prime(ZERO), torch_slope_at_zero("maximum")))),
        "any number from 0 to 1 will do; torch.relu takes 0",
    ),
    Row(
        "F133", "N4 L255; N3 L205", "leaky ReLU", "leaky ReLU: max(0.01 z, z)", HOLDS,
        (formula("a = np.maximum(0.01*z, z)", "leaky_relu"),),
        (formula("a = np.minimum(0.01*z, z)", "leaky_relu"),),
    ),
    Row(
        "F134", "N4 L257; N3 L205; N0 L376", "leaky ReLU' and its value at 0",
        "leaky ReLU': 0.01 for z < 0, 1 for z > 0; at 0: 1 (N4), undefined (N3)", CONVENTION,
        (formula("g_prime = np.where(z > 0, 1, 0.01)", "leaky_relu"),
         same("0.01 at 0, as torch", "",
              lambda at: (activations.leaky_relu_prime(ZERO), torch_slope_at_zero("leaky_relu")))),
        (same("1 at 0, as torch", "",
              lambda at: (activations.leaky_relu_prime(ZERO, at_zero=1.0), torch_slope_at_zero("leaky_relu"))),),
        "pick one; torch takes the slope, 0.01",
    ),
    Row(
        "F135", "N2 L94", "slope of the leaky ReLU", "leaky ReLU: a(z) = 0.001 z", AMBIGUOUS,
        (formula("a = np.maximum(0.01*z, z)", "leaky_relu"),),
        (formula("a = 0.001*z", "leaky_relu"), formula("a = np.maximum(0.001*z, z)", "leaky_relu",
            cause="wrong-number")),
        "for z < 0 alone; the slope is a parameter, 0.01 in the other notes", "wrong-number",
    ),
    Row(
        "F136", "N0 L358-360; N2 L63-73", "linear layers collapse into one",
        "linear hidden layers collapse: W = W[2] W[1], b = W[2] b[1] + b[2]", HOLDS,
        (
            same("two linear layers are one", "shallow",
                lambda at: (collapsed(at), at.W2 @ (at.W1 @ at.X + at.b1) + at.b2)),
            experiment("trained, they are logistic regression", linear_hidden,
                       lambda run: abs(run.linear - run.logistic) < 0.02 * run.logistic,
                       "J {linear:.4f} with a linear hidden layer, {logistic:.4f} without one, {tanh:.4f} with tanh"),
        ),
        (
            same("two tanh layers are one", "shallow", lambda at: (collapsed(at), at.Z2)),
            experiment("a tanh layer is no more than logistic regression", linear_hidden,
                       lambda run: run.tanh > 0.8 * run.logistic, "J {tanh:.4f} with tanh, {logistic:.4f} without"),
        ),
    ),
    Row(
        "F137", "N0 L362-364", "identity output for regression",
        "a linear output for regression, such as the price of houses", HOLDS,
        (
            formula("dZ2 = A2 - Y", "regression"),
            experiment("a linear output reaches any number", linear_target, lambda run: run.linear < 1e-3,
                       "half the squared error {linear:.2g} with a linear output, {sigmoid:.2g} with a sigmoid"),
        ),
        (
            formula("dZ2 = 2 * (A2 - Y)", "regression"),
            experiment("so does a sigmoid output", linear_target, lambda run: run.sigmoid < 1e-3,
                       "half the squared error {sigmoid:.2g}: a sigmoid stays below 1"),
        ),
        "with half the squared error, which the notes do not say",
    ),
    Row(
        "F138", "N0 L332", "tanh beats sigmoid in hidden layers",
        "tanh nearly always does better than sigmoid in hidden layers", HOLDS,
        (experiment("tanh ends lower in most of 5 runs", hidden_units, lambda run: run.tanh_below_sigmoid >= 4,
                    "J {tanh:.3f} with tanh, {sigmoid:.3f} with sigmoid, {tanh_below_sigmoid} of 5 runs"),),
        (experiment("sigmoid does as well", hidden_units, lambda run: run.sigmoid < 1.1 * run.tanh,
                    "J {sigmoid:.3f} with sigmoid, {tanh:.3f} with tanh"),),
    ),
    Row(
        "F139", "N0 L334", "sigmoid for binary outputs",
        "sigmoid for the output of binary classification, where a probability is wanted", HOLDS,
        (same("0 < sigma < 1", "shallow",
            lambda at: (((at.A2 > 0) & (at.A2 < 1)).astype(float), np.ones_like(at.A2))),),
        (same("0 < tanh < 1", "shallow", lambda at: (((at.A1 > 0) & (at.A1 < 1)).astype(float), np.ones_like(at.A1))),),
    ),
    Row(
        "F140", "N0 L343-346", "sigmoid and tanh saturate",
        "sigmoid and tanh: the slope is small where z is very large or very small", HOLDS,
        (same("at z = -400 and 400 it is 0 to 15 digits", "",
            lambda at: (np.round(sigmoid_prime(FAR) + tanh_prime(FAR), 15), np.zeros((1, 2)))),
         same("sigma' is at most 1/4", "sigmoid", lambda at: (np.minimum(at.g_prime, 0.25), at.g_prime))),
        (same("ReLU's is 0 there too", "", lambda at: (activations.relu_prime(FAR), np.zeros((1, 2)))),
         same("sigma' is at most 0.1", "sigmoid", lambda at: (np.minimum(at.g_prime, 0.1), at.g_prime))),
    ),
    Row(
        "F141", "N0 L350-354", "ReLU is the default",
        "ReLU is the default; it usually learns much faster than tanh and sigmoid", CONVENTION,
        (experiment("ReLU is ahead of sigmoid in most of 5 runs", hidden_units, lambda run: run.relu_below_sigmoid >= 4,
                    "J {relu:.3f} with ReLU, {sigmoid:.3f} with sigmoid, lower in {relu_below_sigmoid} of 5 runs"),),
        (experiment("sigmoid is as fast", hidden_units, lambda run: run.sigmoid < 1.1 * run.relu,
                    "J {sigmoid:.3f} with sigmoid, {relu:.3f} with ReLU"),),
        "than sigmoid; beside tanh it wins in some runs and not in others, on small data",
    ),
    Row(
        "F142", "N0 L337-339; N4 L231", "activations may differ by layer", "g[l] may differ from layer to layer", HOLDS,
        (formula("A1 = tanh(Z1)\nA2 = relu(Z2)\ndZ1 = W2.T @ dZ2 * (1 - A1**2)\ndZ2 = W3.T @ dZ3 * (Z2 > 0)", "deep"),),
        (same("tanh's slope for ReLU's", "deep", lambda at: (at.W3.T @ at.dZ3 * (1 - at.A2**2), at.dZ2)),),
    ),
)  # fmt: skip
"""Rows of the errata."""
