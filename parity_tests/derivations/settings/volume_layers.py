"""Layers of volumes: a convolution, pooling, and volumes as the columns of a dense layer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Answers, Setting
from parity_tests.derivations.settings.volumes import CORNERS, VOLUME_FUNCTIONS, over_windows

if TYPE_CHECKING:
    from parity_tests.derivations.settings.problem import TextProblem


def _block(text: str) -> str:
    """A right side of several lines, as a text has it."""
    return "".join(f"    {row}\n" for row in text.splitlines())


_DW = over_windows(
    *CORNERS,
    "a_slice = A_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :]",
    "dW[:, :, :, c] += a_slice * dZ[i, h, w, c]",
    before=("dW = np.zeros((f, f, n_C_prev, n_C))",),
    after=("dW = dW / m",),
)
_DA = over_windows(
    *CORNERS,
    "dA_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :] += W[:, :, :, c] * dZ[i, h, w, c]",
    before=("dA_prev_pad = np.zeros_like(A_prev_pad)",),
    after=("dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]",),
)

CONVOLUTION = reference(
    f"""\
convolution: one convolution layer; dZ comes from above
cost: dA_prev is the derivative of L(i), whose derivative in Z is dZ; dW and db are those of \
J = (1/m) * sum of L(i); with L2 also + lambda/(2*m) * sum of the squares of W
sizes: m n_H_prev n_W_prev n_C_prev n_C f stride pad = 3 13 15 9 7 6 2 0 | 4 9 10 8 3 7 1 1 | 7 8 11 10 6 5 3 2
small: 5 6 4 3 2 3 2 1
per example: m
also: s = stride, p = pad, A_pad = A_prev_pad, learning_rate = alpha, lambd = lambda_
own: A_prev W b dZ stride pad
n_H_prev  # height of the input
n_W_prev  # width of the input
n_C_prev  # channels of the input
n_H := (n_H_prev + 2*pad - f) // stride + 1  # height of the output
n_W := (n_W_prev + 2*pad - f) // stride + 1  # width of the output
n_C  # number of filters
f  # height and width of a filter
stride  # step from window to window, also s
pad  # zeros around the input, also p
A_prev (m, n_H_prev, n_W_prev, n_C_prev) ~ normal  # input
W (f, f, n_C_prev, n_C) ~ normal / f  # filters
b (1, 1, 1, n_C) ~ normal * 0.4  # biases
dZ (m, n_H, n_W, n_C) ~ normal  # derivative of L(i) in Z, no 1/m
A_prev_pad (m, n_H_prev + 2*pad, n_W_prev + 2*pad, n_C_prev) = zero_pad(A_prev, pad)  # F220; \
input with its border, also A_pad
Z (m, n_H, n_W, n_C) = conv_forward(A_prev, W, b, stride, pad)  # F219 F225 F234; output before the activation
cost = np.sum(dZ * Z) / m
    l2: + (lambda_/(2*m)) * np.sum(W**2)
dW:  # F225 F237
{_block(_DW)}    l2: dW += (lambda_/m) * W  # F202
db = (1/m) * np.sum(dZ, axis=(0, 1, 2), keepdims=True)  # F238
dA_prev:  # F225 F235
{_block(_DA)}W = W - alpha * dW  # F181
b = b - alpha * db  # F181
zero_pad function  # a function of volumes
conv_forward function  # a function of volumes
im2col function  # im2col(A_prev, f, stride, pad): every window as a row
col2im function  # col2im(rows, n_H_prev, n_W_prev, f, stride, pad): the rows added up again
""",
    VOLUME_FUNCTIONS,
)

_CELLS = "[i, vert_start:vert_end, horiz_start:horiz_end, c]"
_START = ("dA_prev = np.zeros_like(A_prev)",)
_MASKED = over_windows(
    *CORNERS, f"a_slice = A_prev{_CELLS}", "mask = a_slice == np.max(a_slice)",
    f"dA_prev{_CELLS} += mask * dA[i, h, w, c]", before=_START,
)  # fmt: skip
_SHARED = over_windows(*CORNERS, f"dA_prev{_CELLS} += dA[i, h, w, c] / (f * f)", before=_START)


def _pooling(mode: str, what: str, value: str, backward: str) -> Setting:
    forward = over_windows(
        *CORNERS, f"a_slice = A_prev{_CELLS}", f"A[i, h, w, c] = {value}", before=("A = np.zeros((m, n_H, n_W, n_C))",)
    )
    return reference(
        f"""\
{mode}-pool: one pooling layer that keeps {what} of every window; dA comes from above
cost: dA_prev is the derivative of L(i), whose derivative in A is dA; L2 plays no part
sizes: m n_H_prev n_W_prev n_C f stride = 3 13 15 7 6 2 | 4 14 23 5 7 3 | 6 11 8 3 5 1
small: 5 8 6 2 3 2
also: s = stride, size = f
own: A_prev dA f stride
n_H_prev  # height of the input
n_W_prev  # width of the input
n_C  # number of channels
n_H := (n_H_prev - f) // stride + 1  # height of the output
n_W := (n_W_prev - f) // stride + 1  # width of the output
f  # height and width of a window, also size
stride  # step from window to window, also s
A_prev (m, n_H_prev, n_W_prev, n_C) ~ normal  # input
dA (m, n_H, n_W, n_C) ~ normal  # derivative of L(i) in A, no 1/m
A (m, n_H, n_W, n_C):  # F223 F239 {{{mode}_pool(A_prev, f, stride)}}; output
{_block(forward)}cost = np.sum(dA * A)
dA_prev:  # F239 [pool]; derivative of L(i) in A_prev, no 1/m
{_block(backward)}{mode}_pool function  # {mode}_pool(A_prev, f, stride)
""",
        VOLUME_FUNCTIONS,
    )


def _tied() -> tuple[TextProblem, Answers]:
    """Entries 0, 1 and 2: nearly every window has its maximum more than once."""
    problem = MAX_POOL.draw(0)
    tied = replace(problem, values={**problem.values, "A_prev": np.floor(np.abs(2 * problem.values["A_prev"])) % 3})
    everything = run(parse(_MASKED), {**tied.given(), **VOLUME_FUNCTIONS})["dA_prev"]
    return tied, {"dA_prev": {"the first takes all": tied.by_torch(l2=False)["dA_prev"], "all do": everything}}


MAX_POOL = replace(_pooling("max", "the largest value", "np.max(a_slice)", _MASKED), tied=_tied)
AVERAGE_POOL = _pooling("average", "the average", "np.mean(a_slice)", _SHARED)

FLATTEN = reference("""\
flatten: volumes as the columns of a dense layer's input, channels last
cost: dA is the derivative of L(i) in A, whose derivative in A_flat is dA_flat; L2 plays no part
sizes: m n_H n_W n_C = 7 3 5 11 | 5 7 3 13 | 11 5 7 3 | 3 4 6 5 | 4 6 8 7
own: A dA_flat
n_H  # height
n_W  # width
n_C  # number of channels
A (m, n_H, n_W, n_C) ~ normal  # volumes
dA_flat (n_H*n_W*n_C, m) ~ normal  # derivative of L(i) in A_flat
A_flat (n_H*n_W*n_C, m) = A.reshape(m, -1).T  # F235; a column for each example
cost = np.sum(dA_flat * A_flat)
dA = dA_flat.T.reshape(m, n_H, n_W, n_C)  # F235; derivative of L(i) in A
""")
