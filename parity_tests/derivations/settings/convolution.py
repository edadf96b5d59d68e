"""One convolution layer: dZ comes from above; loops over windows, and windows as rows of a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manual.conv import conv_forward, zero_pad
from manual.costs import l2_penalty
from manual.notation import Array, Scalar
from manual.shapes import conv_output_size
from parity_tests.derivations.settings import spellings
from parity_tests.derivations.settings.draws import learning_rate, regularisation, sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    Kind,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.derivations.settings.spellings import spelled
from parity_tests.derivations.settings.volumes import CORNERS, VOLUME_FUNCTIONS, over_windows
from parity_tests.judging.complex_step import STEP, complex_step

SIZES = ((3, 13, 15, 9, 7, 6, 2, 0), (4, 9, 10, 8, 3, 7, 1, 1), (7, 8, 11, 10, 6, 5, 3, 2))
"""Choices of (m, n_H_prev, n_W_prev, n_C_prev, n_C, f, stride, pad): without a border and with one, and a stride above
1 is smaller than the filter and leaves a remainder."""

SMALL = (5, 6, 4, 3, 2, 3, 2, 1)
"""Sizes on which a mistake is looked for: loops over few windows. What is found must hold on the others too."""


@dataclass(frozen=True, eq=False)
class ConvProblem:
    """A convolution whose dZ, the derivative of L(i) in Z, is given."""

    A_prev: Array
    W: Array
    b: Array
    dZ: Array
    stride: int
    pad: int
    lambda_: float
    alpha: float

    def given(self) -> Values:
        """Sizes, the layer's input and parameters, and what comes from above."""
        m, n_H_prev, n_W_prev, n_C_prev = self.A_prev.shape
        _, n_H, n_W, n_C = self.dZ.shape
        sizes = {"m": m, "n_H_prev": n_H_prev, "n_W_prev": n_W_prev, "n_C_prev": n_C_prev}
        return {**sizes, "n_H": n_H, "n_W": n_W, "n_C": n_C, "f": self.W.shape[0], **vars(self)}

    def by_numpy(self, l2: bool) -> Values:
        """Forward by the formula; derivatives by the complex step of sum(dZ * Z)."""
        m = self.A_prev.shape[0]
        found = {
            "A_prev_pad": zero_pad(self.A_prev, self.pad),
            "Z": self._forward(self.A_prev, self.W, self.b),
            "dA_prev": self._input_gradient(),
            "dW": self._weight_gradient(l2),
            "db": complex_step(lambda at: self._from(self.A_prev, self.W, at) / m, self.b),
        }
        return {**found, "W": self.W - self.alpha * found["dW"], "b": self.b - self.alpha * found["db"]}

    def by_torch(self, l2: bool) -> Values:
        """Forward by torch's convolution, derivatives by autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.convolution(**{**vars(self), "lambda_": self.lambda_ if l2 else 0.0})

    def _input_gradient(self) -> Array:
        """The complex step in A_prev, taken for every example at once: no window sees two."""
        dA_prev = np.empty_like(self.A_prev)
        for cell in np.ndindex(self.A_prev.shape[1:]):
            moved = self.A_prev.astype(np.complex128)
            moved[:, *cell] += 1j * STEP
            dA_prev[:, *cell] = np.imag(np.sum(self.dZ * self._forward(moved, self.W, self.b), axis=(1, 2, 3))) / STEP
        return dA_prev

    def _weight_gradient(self, l2: bool) -> Array:
        """The complex step of J in W, taken for every filter at once: no entry of Z sees two."""
        m, dW = self.A_prev.shape[0], np.empty_like(self.W)
        for cell in np.ndindex(self.W.shape[:3]):
            moved = self.W.astype(np.complex128)
            moved[cell] += 1j * STEP
            J = np.sum(self.dZ * self._forward(self.A_prev, moved, self.b), axis=(0, 1, 2)) / m
            if l2:
                J = J + [l2_penalty([moved[..., c]], self.lambda_, m) for c in range(len(J))]
            dW[cell] = np.imag(J) / STEP
        return dW

    def _from(self, A_prev: Array, W: Array, b: Array) -> Scalar:
        return np.sum(self.dZ * self._forward(A_prev, W, b))

    def _forward(self, A_prev: Array, W: Array, b: Array) -> Array:
        return conv_forward(A_prev, W, b, stride=self.stride, pad=self.pad)


def draw(seed: int) -> ConvProblem:
    """A layer with its input and dZ."""
    return _drawn(sizes_of(SIZES, seed), generator("convolution", seed))


def _drawn(sizes: tuple[int, ...], rng: np.random.Generator) -> ConvProblem:
    m, n_H_prev, n_W_prev, n_C_prev, n_C, f, stride, pad = sizes
    n_H, n_W = (conv_output_size(n, f, pad=pad, stride=stride) for n in (n_H_prev, n_W_prev))
    return ConvProblem(
        A_prev=rng.standard_normal((m, n_H_prev, n_W_prev, n_C_prev)),
        W=rng.standard_normal((f, f, n_C_prev, n_C)) / f,
        b=0.4 * rng.standard_normal((1, 1, 1, n_C)),
        dZ=rng.standard_normal((m, n_H, n_W, n_C)),
        stride=stride,
        pad=pad,
        lambda_=regularisation(rng),
        alpha=learning_rate(rng),
    )


def own(values: Values) -> ConvProblem:
    """A person's layer in place of a drawn one."""
    stride, pad = (int(values.pop(name)) for name in ("stride", "pad"))
    return ConvProblem(**values, stride=stride, pad=pad)


WINDOWS = (
    "A_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :]",
    "A_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f]",
)
"""One window of the padded input, by its corners and written out."""

_DW_START = "dW = np.zeros((f, f, n_C_prev, n_C))"
_DW = (
    over_windows(
        *CORNERS,
        f"a_slice = {WINDOWS[0]}",
        "dW[:, :, :, c] += a_slice * dZ[i, h, w, c]",
        before=(_DW_START,),
        after=("dW = dW / m",),
    ),
    over_windows(f"dW[..., c] += (1/m) * {WINDOWS[1]} * dZ[i, h, w, c]", before=("dW = np.zeros_like(W)",)),
    "(im2col(A_prev, f, stride, pad).T @ dZ.reshape(-1, n_C)).reshape(f, f, n_C_prev, n_C) / m",
)
_DW_L2 = (
    *(f"{right}\ndW += (lambda_/m) * W" for right in _DW[:2]),
    f"{_DW[2]} + (lambda_/m) * W",
)
_DA = (
    over_windows(
        *CORNERS,
        "dA_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :] += W[:, :, :, c] * dZ[i, h, w, c]",
        before=("dA_prev_pad = np.zeros_like(A_prev_pad)",),
        after=("dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]",),
    ),
    "dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C_prev))\ndA_prev_pad = zero_pad(dA_prev, pad)\nfor i in range(m):\n"
    "    da_prev_pad = dA_prev_pad[i]\n"
    "    for h in range(n_H):\n        for w in range(n_W):\n            for c in range(n_C):\n"
    + "".join(f"{' ' * 16}{line}\n" for line in CORNERS)
    + f"{' ' * 16}da_prev_pad[vert_start:vert_end, horiz_start:horiz_end, :] += W[..., c] * dZ[i, h, w, c]\n"
    "    dA_prev[i, :, :, :] = da_prev_pad[pad:pad+n_H_prev, pad:pad+n_W_prev, :]",
    "col2im(dZ.reshape(-1, n_C) @ W.reshape(-1, n_C).T, n_H_prev, n_W_prev, f, stride, pad)",
)
_DB = (
    "(1/m) * np.sum(dZ, axis=(0, 1, 2), keepdims=True)",
    "np.sum(dZ, axis=(0, 1, 2), keepdims=True) / m",
    "1/m * dZ.sum(axis=(0, 1, 2)).reshape(1, 1, 1, n_C)",
    over_windows("db[:, :, :, c] += dZ[i, h, w, c]", before=("db = np.zeros((1, 1, 1, n_C))",), after=("db /= m",)),
    over_windows("db[..., c] += dZ[i, h, w, c] / m", before=("db = np.zeros_like(b)",)),
)
_Z = (
    "conv_forward(A_prev, W, b, stride, pad)",
    over_windows(
        *CORNERS,
        f"a_slice = {WINDOWS[0]}",
        "Z[i, h, w, c] = np.sum(a_slice * W[:, :, :, c]) + b[0, 0, 0, c]",
        before=("Z = np.zeros((m, n_H, n_W, n_C))",),
    ),
    over_windows(
        f"Z[i, h, w, c] = np.sum(np.multiply({WINDOWS[1]}, W[..., c])) + np.sum(b[..., c])",
        before=("Z = np.zeros((m, n_H, n_W, n_C))",),
    ),
    "(im2col(A_prev, f, stride, pad) @ W.reshape(-1, n_C)).reshape(m, n_H, n_W, n_C) + b",
)


def _target(ids: str, right: tuple[str, ...], kind: Kind, right_l2: tuple[str, ...] = ()) -> Target:
    return Target(tuple(ids.split()), right, right_l2 or right, kind, ("F202",) if right_l2 else ())


CONVOLUTION = Setting(
    "convolution",
    "one convolution layer; dZ comes from above",
    "dA_prev is the derivative of L(i), whose derivative in Z is dZ; dW and db are those of J = (1/m) * sum of L(i); "
    "with L2 also + lambda/(2*m) * sum of the squares of W",
    (
        Symbol("m", "()", "number of examples"),
        Symbol("n_H_prev", "()", "height of the input"),
        Symbol("n_W_prev", "()", "width of the input"),
        Symbol("n_C_prev", "()", "channels of the input"),
        Symbol("n_H", "()", "height of the output"),
        Symbol("n_W", "()", "width of the output"),
        Symbol("n_C", "()", "number of filters"),
        Symbol("f", "()", "height and width of a filter"),
        Symbol("stride", "()", "step from window to window, also s"),
        Symbol("pad", "()", "zeros around the input, also p"),
        Symbol("lambda_", "()", "strength of the L2 penalty, also written lambda"),
        Symbol("alpha", "()", "learning rate"),
        Symbol("A_prev", "(m, n_H_prev, n_W_prev, n_C_prev)", "input"),
        Symbol("W", "(f, f, n_C_prev, n_C)", "filters"),
        Symbol("b", "(1, 1, 1, n_C)", "biases"),
        Symbol("dZ", "(m, n_H, n_W, n_C)", "derivative of L(i) in Z, no 1/m"),
        Symbol("A_prev_pad", "(m, n_H_prev + 2*pad, n_W_prev + 2*pad, n_C_prev)", "input with its border, also A_pad"),
        Symbol("Z", "(m, n_H, n_W, n_C)", "output before the activation"),
        Symbol("dW", "(f, f, n_C_prev, n_C)", "derivative of J in W"),
        Symbol("db", "(1, 1, 1, n_C)", "derivative of J in b"),
        Symbol("dA_prev", "(m, n_H_prev, n_W_prev, n_C_prev)", "derivative of L(i) in A_prev, no 1/m"),
        *(Symbol(name, "function", "a function of volumes") for name in ("zero_pad", "conv_forward")),
        Symbol("im2col", "function", "im2col(A_prev, f, stride, pad): every window as a row"),
        Symbol("col2im", "function", "col2im(rows, n_H_prev, n_W_prev, f, stride, pad): the rows added up again"),
    ),
    {
        "A_prev_pad": _target("F220", ("zero_pad(A_prev, pad)",), "forward"),
        "Z": _target("F219 F225 F234", _Z, "forward"),
        "dA_prev": _target("F225 F235", _DA, "derivative"),
        "dW": _target("F225 F237", _DW, "gradient", _DW_L2),
        "db": _target("F238", _DB, "gradient"),
        "W": _target("F181", spelled(spellings.UPDATE, W="W", dW="dW"), "update"),
        "b": _target("F181", spelled(spellings.UPDATE, W="b", dW="db"), "update"),
    },
    {"n": ("n_H_prev", "n_W_prev", "n_C_prev", "n_H", "n_W", "n_C", "m", "f")},
    {"s": "stride", "p": "pad", "A_pad": "A_prev_pad", "learning_rate": "alpha", "lambd": "lambda_"},
    draw,
    {**COMMON_FUNCTIONS, **VOLUME_FUNCTIONS},
    (Own(("A_prev", "W", "b", "dZ", "stride", "pad"), own, ("A_prev_pad", "Z", "dA_prev", "dW", "db")),),
    lambda: _drawn(SMALL, generator("convolution", 0)),
)
