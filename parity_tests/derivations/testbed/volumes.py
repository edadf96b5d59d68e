"""Wrong formulas about volumes: convolution, pooling, flattening, sizes. See testbed."""

from __future__ import annotations

from parity_tests.derivations.settings.volumes import CORNERS, over_windows
from parity_tests.derivations.testbed.wrong import Wrong

_SLICE = "a_slice = A_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :]"
_CELLS = "[i, vert_start:vert_end, horiz_start:horiz_end, c]"
_UNSTRIDED = ("vert_start = h", "vert_end = vert_start + f", "horiz_start = w", "horiz_end = horiz_start + f")
_TWICE = ("vert_start = h * f", "vert_end = vert_start + f", "horiz_start = w * f", "horiz_end = horiz_start + f")
_WRITTEN = "i, h*s:h*s+f, w*s:w*s+f"
_CUT = ("dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]",)
_SUM = "dA_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :] += W[:, :, :, c] * dZ[i, h, w, c]"
_MASK = "mask = a == np.max(a)"


def _dW(*lines: str, after: str = "dW /= m") -> str:
    return over_windows(*lines, before=("dW = np.zeros((f, f, n_C_prev, n_C))",), after=(after,) if after else ())


def _dA(*lines: str, after: tuple[str, ...] = _CUT) -> str:
    return over_windows(*lines, before=("dA_prev_pad = np.zeros_like(A_prev_pad)",), after=after)


def _Z(*lines: str) -> str:
    return over_windows(*lines, before=("Z = np.zeros((m, n_H, n_W, n_C))",))


def _pooled(*lines: str) -> str:
    return over_windows(*lines, before=("dA_prev = np.zeros_like(A_prev)",))


_CONVOLUTION = (
    # the average over the examples
    (_dW(*CORNERS, _SLICE, "dW[:, :, :, c] += a_slice * dZ[i, h, w, c]", after=""), "missing-1/m"),
    (_dW(f"dW[..., c] += A_prev_pad[{_WRITTEN}] * dZ[i, h, w, c]", after=""), "missing-1/m"),
    (_dW(f"dW[..., c] += A_prev_pad[{_WRITTEN}] * dZ[i, h, w, c] / m"), "double-1/m"),
    ("dW = (im2col(A_prev, f, s, p).T @ dZ.reshape(-1, n_C)).reshape(f, f, n_C_prev, n_C)", "missing-1/m"),
    ("db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)", "missing-1/m"),
    (
        over_windows("db[:, :, :, c] += dZ[i, h, w, c]", before=("db = np.zeros((1, 1, 1, n_C))",)),
        "missing-1/m",
    ),
    ("db = np.mean(dZ, axis=(0, 1, 2), keepdims=True)", "db-mean-for-sum"),
    # the axes of db
    ("db = np.sum(dZ, axis=(0, 1, 2)) / m", "keepdims-missing"),
    ("db = (1/m) * np.sum(dZ, axis=(0, 1), keepdims=True)", "db-wrong-axis"),
    ("db = np.sum(dZ, axis=0, keepdims=True) / m", "db-wrong-axis"),
    ("db = np.sum(dZ) / m", "db-summed-over-all"),
    # windows, strides and borders
    (_dW(*_UNSTRIDED, _SLICE, "dW[:, :, :, c] += a_slice * dZ[i, h, w, c]"), "stride-ignored"),
    (_dW("dW[..., c] += A_prev_pad[i, h:h+f, w:w+f] * dZ[i, h, w, c]"), "stride-ignored"),
    (_dA(*_UNSTRIDED, _SUM), "stride-ignored"),
    (_dA(*_TWICE, _SUM), "stride-ignored"),
    (_dA("dA_prev_pad[i, h:h+f, w:w+f] += W[..., c] * dZ[i, h, w, c]"), "stride-ignored"),
    ("Z = conv_forward(A_prev, W, b, 1, pad)", "stride-ignored"),
    (_Z("Z[i, h, w, c] = np.sum(A_prev_pad[i, h:h+f, w:w+f] * W[..., c]) + b[0, 0, 0, c]"), "stride-ignored"),
    (_dW(f"dW[..., c] += A_prev[{_WRITTEN}] * dZ[i, h, w, c]"), "padding-ignored"),
    (_dA(*CORNERS, _SUM, after=("dA_prev = dA_prev_pad",)), "padding-ignored"),
    (
        over_windows(f"dA_prev[{_WRITTEN}] += W[..., c] * dZ[i, h, w, c]", before=("dA_prev = np.zeros_like(A_prev)",)),
        "padding-ignored",
    ),
    ("Z = conv_forward(A_prev, W, b, stride, 0)", "padding-ignored"),
    ("A_prev_pad = A_prev", "padding-ignored"),
    (_dA(*CORNERS, _SUM, after=("dA_prev = dA_prev_pad[:, pad:-pad, pad:-pad, :]",)), "pad-zero-slice"),
    (_dA(*CORNERS, _SUM, after=("dA_prev = dA_prev_pad[:, p:-p, p:-p]",)), "pad-zero-slice"),
    ("dW = (im2col(A_prev, f, 1, pad).T @ dZ.reshape(-1, n_C)).reshape(f, f, n_C_prev, n_C) / m", "stride-ignored"),
    # the filter
    (_dA(f"dA_prev_pad[{_WRITTEN}] += W[::-1, ::-1, :, c] * dZ[i, h, w, c]"), "kernel-flipped"),
    (_dA(f"dA_prev_pad[{_WRITTEN}] += np.flip(W, axis=(0, 1))[..., c] * dZ[i, h, w, c]"), "kernel-flipped"),
    (_Z(f"Z[i, h, w, c] = np.sum(A_prev_pad[{_WRITTEN}] * W[::-1, ::-1, :, c]) + b[0, 0, 0, c]"), "kernel-flipped"),
    ("Z = conv_forward(A_prev, np.flip(W, axis=(0, 1)), b, stride, pad)", "kernel-flipped"),
    # sums, signs, indices
    (_dA(*CORNERS, _SUM.replace("+=", "=")), "overwritten"),
    (_dW(f"dW[..., c] = A_prev_pad[{_WRITTEN}] * dZ[i, h, w, c]"), "overwritten"),
    (_dA(*CORNERS, _SUM.replace("+=", "-=")), "sign"),
    (_dA(*CORNERS, _SUM.replace("h, w, c]", "w, h, c]")), "index-order"),
    (_Z(*CORNERS, _SLICE, "Z[i, h, w, c] = np.sum(a_slice * W[:, :, :, c])"), "bias-missing"),
    # two at once
    (_dW(f"dW[..., c] += A_prev[{_WRITTEN}] * dZ[i, h, w, c]", after=""), "padding-ignored + missing-1/m"),
    (_dW("dW[..., c] += A_prev_pad[i, h:h+f, w:w+f] * dZ[i, h, w, c]", after=""), "stride-ignored + missing-1/m"),
)

_MAX_POOL = (
    (_pooled(*CORNERS, f"a = A_prev{_CELLS}", _MASK, f"dA_prev{_CELLS} = mask * dA[i, h, w, c]"), "pool-overwrites"),
    (_pooled(*CORNERS, f"dA_prev{_CELLS} += dA[i, h, w, c]"), "pool-spread"),
    (_pooled(*CORNERS, f"a = A_prev{_CELLS}", "mask = a == np.min(a)", f"dA_prev{_CELLS} += mask * dA[i, h, w, c]"),
     "pool-spread"),
    (_pooled(*_UNSTRIDED, f"a = A_prev{_CELLS}", _MASK, f"dA_prev{_CELLS} += mask * dA[i, h, w, c]"), "stride-ignored"),
    (_pooled(*CORNERS, f"a = A_prev{_CELLS}", _MASK, f"dA_prev{_CELLS} -= mask * dA[i, h, w, c]"), "sign"),
)  # fmt: skip

_AVERAGE_POOL = (
    (_pooled(*CORNERS, f"dA_prev{_CELLS} = dA[i, h, w, c] / (f * f)"), "pool-overwrites"),
    (_pooled(*CORNERS, f"dA_prev{_CELLS} += dA[i, h, w, c]"), "pool-spread"),
    (_pooled(*CORNERS, f"dA_prev{_CELLS} += dA[i, h, w, c] / f"), "pool-spread"),
    (_pooled(*CORNERS, f"dA_prev{_CELLS} += dA[i, h, w, c] / (n_H * n_W)"), "pool-spread"),
    (_pooled(*CORNERS, f"dA_prev{_CELLS} += np.ones((f, f)) * dA[i, h, w, c] / m"), "pool-spread"),
    (_pooled("dA_prev[i, h:h+f, w:w+f, c] += dA[i, h, w, c] / (f * f)"), "stride-ignored"),
)

_FLATTEN = (
    ("A_flat = A.transpose(0, 3, 1, 2).reshape(m, -1).T", "layout-flatten"),
    ("A_flat = A.reshape(-1, m)", "layout-flatten"),
    ("A_flat = A.reshape(m, -1)", "transpose-missing"),
    ("dA = dA_flat.T.reshape(m, n_C, n_H, n_W).transpose(0, 2, 3, 1)", "layout-flatten"),
    ("dA = dA_flat.T.reshape(m, n_C, n_H, n_W)", "layout-flatten"),
    ("dA = dA_flat.reshape(m, n_H, n_W, n_C)", "transpose-missing"),
)

_SIZES = (
    ("n_H = (n_H_prev + 2*pad - f)/stride + 1", "floor-missing"),
    ("n_W = np.ceil((n_W_prev + 2*pad - f)/stride) + 1", "floor-missing"),
    ("n_H = np.floor((n_H_prev - f)/stride) + 1", "padding-ignored"),
    ("n_H = np.floor((n_H_prev + pad - f)/stride) + 1", "padding-once"),
    ("n_H = n_H_prev + 2*p - f + 1", "stride-ignored"),
    ("n_H = np.floor((n_H_prev + 2*pad - f)/stride)", "missing-term"),
    ("n_W = int((n_W_prev + 2*pad + f)/stride) + 1", "sign"),
    ("same_pad = (f + 1)/2", "sign"),
    ("conv_parameters = f*f*n_C_prev*n_C", "bias-missing"),
    ("dense_parameters = n * n_prev", "bias-missing"),
    ("conv_weights = f*n_C_prev*n_C", "missing-factor"),
    ("dense_weights = (n_prev + 1) * n", "extra-term"),
)

VOLUMES: tuple[Wrong, ...] = tuple(
    Wrong(setting, formula, cause)
    for setting, wrongs in (
        ("convolution", _CONVOLUTION),
        ("max-pool", _MAX_POOL),
        ("average-pool", _AVERAGE_POOL),
        ("flatten", _FLATTEN),
        ("sizes", _SIZES),
    )
    for formula, cause in wrongs
)
