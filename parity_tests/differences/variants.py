"""What else a call of torch may have been: the rows of ``conventions``, then mistakes, each as a change of one call.

A change is run like the module itself; whoever's numbers it gives, entry by entry, has made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from parity_tests.differences.trace import LOSS_CALLS, ORDERS, UNIT_CALLS, Call, Patch


class Cause(NamedTuple):
    """A stable id, a sentence about one side (``{one}``) and the other (``{base}``), and the row of ``conventions``."""

    id: str
    text: str
    row: str = ""


class Change(NamedTuple):
    """A cause, and the call in place of the right one; None where it does not apply."""

    cause: Cause
    patch: Patch


def applied(change: Change) -> Patch:
    """The change of a call, or the call as it is."""

    def patch(call: Call) -> Any:
        found = change.patch(call)
        return call.run() if found is None else found

    return patch


def through(x: Tensor, value: Tensor, slope: Any = 1.0) -> Any:
    """The value, with this slope in place of its own on the way back."""
    return value.detach() + slope * (x - x.detach())


# --- products


def _same_above(call: Call) -> Any:
    if call.given.get("padding") != "same":
        return None
    sides = [f - 1 for f in reversed(call.given["weight"].shape[2:])]
    if not any(side % 2 for side in sides):
        return None
    return call.run(input=F.pad(call.x, [each for side in sides for each in (side - side // 2, side // 2)]), padding=0)


def _strides(call: Call) -> Any:
    if call.given.get("stride", 1) in (1, (1, 1)):
        return None
    right = call.run()
    return call.run(stride=1)[..., : right.shape[2], : right.shape[3]]


def _weight(turn: Callable[[Tensor], Tensor]) -> Patch:
    def patch(call: Call) -> Any:
        W = call.given["weight"]
        turned = turn(W)
        return call.run(weight=turned) if turned.shape == W.shape else None

    return patch


BIAS = Cause("bias-missing", "{one} leaves the bias out: add b to the products")
PRODUCTS = (
    Change(BIAS, lambda c: None if c.given.get("bias") is None else c.run(bias=None)),
    Change(Cause("transpose-missing", "{one} has W transposed: a square W fits both ways"), _weight(lambda W: W.mT)),
)
CONVOLUTIONS = (
    Change(
        Cause("kernel-flipped", "{one} computes with the filter flipped: torch's convolution does not flip it",
              "convolution.flip"),
        _weight(lambda W: W.flip(-1, -2)),
    ),
    Change(
        Cause("filters-transposed", "{one} has the filters by W.T: permute(3, 2, 0, 1) belongs there",
              "convolution.filters"),
        _weight(lambda W: W.mT),
    ),
    Change(
        Cause("filters-reshaped", "{one} reshapes the filters: permute(3, 2, 0, 1) is right", "convolution.filters"),
        _weight(lambda W: W.permute(2, 3, 1, 0).reshape(W.shape)),
    ),
    Change(Cause("stride-ignored", "{one} leaves the stride out: window h begins at h * stride"), _strides),
    Change(
        Cause("padding-ignored", "{one} leaves the padding out"),
        lambda c: None if c.given.get("padding", 0) in (0, (0, 0), "valid") else c.run(padding=0),
    ),
    Change(
        Cause("same-padding-above", "{one} pads the odd row and column above and left, torch below",
              "convolution.same_even"),
        _same_above,
    ),
    Change(
        Cause("channels-reversed", "{one} has the channels of the input back to front, as BGR for RGB"),
        _weight(lambda W: W.flip(1)),
    ),
)  # fmt: skip

# --- units

OTHER_UNITS: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("ReLU", torch.relu),
    *((f"leaky ReLU with slope {slope}", lambda z, s=slope: F.leaky_relu(z, s)) for slope in (0.01, 0.1, 0.2, 0.3)),
    ("sigmoid", torch.sigmoid),
    ("tanh", torch.tanh),
    ("GELU", F.gelu),
    ("GELU by tanh", lambda z: F.gelu(z, approximate="tanh")),
    ("SiLU", F.silu),
    ("no unit", lambda z: z * 1),
)


def _unit(name: str, g: Callable[[Tensor], Tensor]) -> Change:
    row = "activations.leaky_slope" if "slope" in name else ""
    return Change(Cause("wrong-function", f"{{one}} takes {name} there", row), lambda c: g(c.x))


def _slope_at(call: Call, at_value: bool) -> Any:
    at = (call.run() if at_value else call.x).detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(call.run(input=at).sum(), at)
    return through(call.x, call.run(), slope)


def _at_zero(value: float) -> Patch:
    def patch(call: Call) -> Any:
        if call.op not in ("relu", "leaky_relu"):
            return None
        return call.run() + value * torch.where(call.x == 0, call.x - call.x.detach(), 0.0)

    return patch


UNITS = (
    *(_unit(name, g) for name, g in OTHER_UNITS),
    Change(Cause("gprime-missing", "{one} leaves out the slope g'(Z) of this unit"), lambda c: through(c.x, c.run())),
    Change(Cause("gprime-at-a", "{one} takes the slope at A: it belongs at Z"), lambda c: _slope_at(c, True)),
    Change(Cause("relu-at-zero", "{one} gives ReLU the slope 1 at 0", "activations.relu_at_zero"), _at_zero(1.0)),
    Change(Cause("relu-at-zero", "{one} gives ReLU the slope 1/2 at 0", "activations.relu_at_zero"), _at_zero(0.5)),
)


def _along(dim: int, call: Call) -> Any:
    return call.run(dim=dim)


def _axes(call: Call) -> Iterator[Change]:
    for dim in range(call.x.ndim):
        if dim != call.given["dim"] % call.x.ndim:
            over = "the examples" if dim == 0 else f"axis {dim}"
            text = f"{{one}} takes the softmax over {over}, {{base}} over axis {call.given['dim']}: the classes"
            yield Change(Cause("wrong-axis", text, "costs.classes"), partial(_along, dim))


SOFTMAX = (
    Change(
        Cause("softmax-elementwise", "{one} takes the diagonal of the softmax's Jacobian alone: its entries mix"),
        lambda c: through(c.x, c.run(), (c.run() * (1 - c.run())).detach()),
    ),
    Change(Cause("softmax-of-all", "{one} divides by the sum over all entries, not over the classes"),
           lambda c: c.x.exp() / c.x.exp().sum() if c.op == "softmax" else None),
)  # fmt: skip

# --- windows


def _every_maximum(shares: bool) -> Patch:
    def patch(call: Call) -> Any:
        right, size = call.run(), call.given["kernel_size"]
        stride = call.given.get("stride") or size
        if call.given.get("padding", 0) not in (0, (0, 0)):
            return None
        m, n_C = call.x.shape[:2]
        cells = F.unfold(call.x, size, stride=stride).reshape(m, n_C, -1, right.shape[2] * right.shape[3])
        top = (cells == cells.amax(2, keepdim=True)).double()
        top = top / top.sum(2, keepdim=True) if shares else top
        return right.detach() + ((cells - cells.detach()) * top).sum(2).reshape(right.shape)

    return patch


def _zeros_around(call: Call) -> Any:
    pad = call.given.get("padding", 0)
    h, w = pad if isinstance(pad, tuple) else (pad, pad)
    return call.run(input=F.pad(call.x, (w, w, h, h)), padding=0) if h or w else None


def _other_pool(call: Call) -> Tensor:
    given = [call.given[name] for name in ("input", "kernel_size")]
    more = {name: call.given[name] for name in ("stride", "padding") if call.given.get(name) is not None}
    return F.avg_pool2d(*given, **more) if call.op == "max_pool2d" else F.max_pool2d(*given, **more)


MAX_POOLS = (
    Change(Cause("ties", "{one} gives the gradient to every maximum of a window with ties, torch to the first",
                 "pooling.ties"), _every_maximum(False)),
    Change(Cause("ties", "{one} shares the gradient among the maxima of a window with ties, torch does not",
                 "pooling.ties"), _every_maximum(True)),
    Change(Cause("pool-padding", "{one} pads with zeros before the maximum, torch with -inf", "pooling.max_padding"),
           _zeros_around),
    Change(Cause("wrong-function", "{one} takes the average of a window"), _other_pool),
)  # fmt: skip
AVERAGE_POOLS = (
    Change(Cause("pool-padding", "one side counts the zeros of the padding in the average, the other does not: "
                 "count_include_pad", "pooling.average_padding"),
           lambda c: c.run(count_include_pad=not c.given.get("count_include_pad", True))),
    Change(Cause("wrong-function", "{one} takes the maximum of a window"), _other_pool),
)  # fmt: skip

# --- normalisation


def normalised(
    call: Call, *, axes: Any = None, ddof: int = 0, outside: bool = False, constant: bool = False, gamma: bool = True
) -> Any:
    """Batch norm in training, or layer norm, with one thing otherwise."""
    x, eps = call.x, call.given.get("eps", 1e-5)
    batch = call.op == "batch_norm"
    if batch and not call.given.get("training"):
        return None
    over = (
        [n for n in range(x.ndim) if n != 1]
        if batch
        else list(range(x.ndim - len(call.given["normalized_shape"]), x.ndim))
    )
    over = over if axes is None else axes
    mean, var = x.mean(over, keepdim=True), x.var(over, correction=ddof, keepdim=True)
    if constant:
        mean, var = mean.detach(), var.detach()
    hat = (x - mean) / (var.sqrt() + eps if outside else (var + eps).sqrt())
    W, b = call.given.get("weight"), call.given.get("bias")
    shape = (
        (1, -1, *(1,) * (x.ndim - 2))
        if batch
        else (1,) * (x.ndim - (W.ndim if W is not None else 0)) + tuple(W.shape if W is not None else ())
    )
    scaled = hat if W is None else W.reshape(shape) * hat
    if not gamma:
        scaled = through(hat, scaled)
    return scaled if b is None else scaled + b.reshape(shape)


def _with_eps(eps: float) -> Change:
    cause = Cause("epsilon", f"{{one}} has epsilon = {eps:g} under the root, {{base}} another")
    return Change(cause, lambda c: c.run(eps=eps) if c.given.get("eps", 1e-5) != eps else None)


def _running(biased: bool, momentum: bool) -> Patch:
    def patch(call: Call) -> Any:
        mean, var, rate = (call.given.get(name) for name in ("running_mean", "running_var", "momentum"))
        if mean is None or var is None or rate is None or not call.given.get("training"):
            return None
        rate, before = 1 - rate if momentum else rate, (mean.clone(), var.clone())
        out = call.run()
        x = call.x.detach().transpose(0, 1).flatten(1)
        with torch.no_grad():
            mean.copy_((1 - rate) * before[0] + rate * x.mean(1))
            var.copy_((1 - rate) * before[1] + rate * x.var(1, correction=0 if biased else 1))
        return out if isinstance(out, Tensor) else None

    return patch


NORMS = (
    Change(Cause("ddof", "{one} divides the variance by m - 1 (ddof=1, unbiased), not by m"),
           lambda c: normalised(c, ddof=1)),
    Change(Cause("epsilon-inside-root", "{one} adds epsilon beside the root, {base} under the root"),
           lambda c: normalised(c, outside=True)),
    *(_with_eps(eps) for eps in (1e-5, 1e-8, 1e-3, 1e-6, 1e-12, 0.0)),
    Change(Cause("scale-missing", "{one} leaves out gamma and beta"), lambda c: c.run(weight=None, bias=None)),
    Change(Cause("shift-missing", "{one} leaves out beta"), lambda c: c.run(bias=None)),
    Change(Cause("gamma-missing", "{one} leaves out gamma on the way back: dx carries it, a factor per unit"),
           lambda c: normalised(c, gamma=False)),
    Change(Cause("statistics-constant", "{one} takes mean and variance as constants on the way back"),
           lambda c: normalised(c, constant=True)),
)  # fmt: skip
BATCH_NORMS = (
    Change(Cause("eval-mode", "one side is in evaluation mode (running mean and variance), the other in training: "
                 "module.train() or module.eval()"),
           lambda c: c.run(training=not c.given["training"], running_mean=c.given["running_mean"].clone(),
                           running_var=c.given["running_var"].clone())
           if c.given.get("running_mean") is not None else None),
    Change(Cause("running-var", "{one} averages the biased variance: running_var takes the unbiased one, with m - 1"),
           _running(True, False)),
    Change(Cause("running-momentum", "{one} has momentum the other way: torch's weighs the batch, 1 - momentum "
                 "what ran before"), _running(False, True)),
    Change(Cause("running-momentum", "{one} has momentum the other way, and averages the biased variance"),
           _running(True, True)),
    Change(Cause("wrong-axis", "{one} takes mean and variance over the units of an example, not over the examples"),
           lambda c: normalised(c, axes=list(range(1, c.x.ndim)))),
    Change(Cause("wrong-axis", "{one} takes mean and variance over the examples alone, not over height and width too"),
           lambda c: normalised(c, axes=[0]) if c.x.ndim > 2 else None),
)  # fmt: skip
LAYER_NORMS = (
    Change(Cause("wrong-axis", "{one} takes mean and variance over the examples, not over the units of one"),
           lambda c: normalised(c, axes=[0])),
)  # fmt: skip

# --- paths


def _channels_last(call: Call) -> Any:
    right = call.run()
    if call.x.ndim != 4 or right.ndim != 2:
        return None
    return call.x.permute(0, 2, 3, 1).reshape(right.shape)


FLATTEN = (
    Change(Cause("layout-flatten", "{one} flattens with channels last, torch with channels first: permute before",
                 "convolution.flatten"), _channels_last),
)  # fmt: skip


def _parts(call: Call) -> list[Any]:
    return list(call.rest[0]) if call.op == "cat" else list(call.rest[:2])


def _joined(call: Call, parts: list[Any]) -> Any:
    return call.function(parts, *call.rest[1:], **call.given) if call.op == "cat" else call.function(*parts)


def _without(number: int, *, back: bool) -> Patch:
    def patch(call: Call) -> Any:
        parts = _parts(call)
        if not all(isinstance(each, Tensor) for each in parts):
            return None
        if not back:
            return parts[1 - number] * 1 if call.op == "add" else None
        return _joined(call, [each.detach() if n == number else each for n, each in enumerate(parts)])

    return patch


PATHS = (
    *(
        Change(Cause("skip-missing", f"{{one}} leaves out path {n + 1} of a sum (a skip connection?) on the way back: "
                     "the gradients of all paths add up"), _without(n, back=True))
        for n in (0, 1)
    ),
    *(Change(Cause("missing-term", f"{{one}} lacks path {n + 1} of a sum"), _without(n, back=False)) for n in (0, 1)),
    Change(Cause("operand-order", "{one} puts the parts together in the other order"),
           lambda c: _joined(c, _parts(c)[::-1]) if c.op == "cat" else None),
)  # fmt: skip

# --- costs


def _kept(call: Call) -> int:
    """The examples that the mean is over."""
    y = call.given["target"]
    ignored = int(call.given.get("ignore_index", -100))
    return int((y != ignored).sum()) if y.dtype == torch.int64 else len(y)


def _over(count: float, call: Call) -> Any:
    return call.run(reduction="sum") / count / call.share


def _reductions(call: Call) -> Iterator[Change]:
    """The sum of all losses over other counts, in words; torch's mean is over n_L too, but for classes."""
    x, y = call.x, call.given["target"]
    if call.given.get("weight") is not None or call.given.get("reduction") == "none" or not len(x):
        return
    m, n, kept = len(x), x.numel() // len(x), _kept(call)
    counts = {"m": m, "m n_L": m * n, "2 m": 2 * m, "2 m n_L": 2 * m * n, "nothing": 1, "m^2": m * m, "2": 2}
    if kept != m:
        counts["the examples that ignore_index leaves"] = kept
    now = float((call.run(reduction="sum") / (call.share * call.run())).detach())
    base = next((words for words, count in counts.items() if abs(count - now) < 1e-9 * now), f"{now:.6g}")
    row = {"mse_loss": "costs.squared_error"}.get(call.op, "costs.several_outputs" if y.shape == x.shape else "")
    for words, count in counts.items():
        if words != base:
            name = {"nothing": "missing-1/m", "m^2": "double-1/m"}.get(words, "reduction")
            text = f"the sum of all losses is divided by {words} in {{one}}, by {base} in {{base}}"
            if words == "nothing" and base == "m":
                text += ": the average (1/m) is missing"
            if "n_L" in words + base:
                text += ": reduction='mean' divides by n_L too"
            if "2" in words + base and row == "costs.squared_error":
                text += ", and nn.MSELoss has no half"
            yield Change(Cause(name, text, row), partial(_over, count))


def _smoothed(call: Call) -> Any:
    share, y = call.given.get("label_smoothing", 0.0), call.given["target"]
    if call.op != "cross_entropy" or not share or y.dtype != torch.int64:
        return None
    n = call.x.shape[1]
    soft = torch.full_like(call.x, share / (n - 1)).scatter(1, y.unsqueeze(1), 1 - share)
    return call.run(target=soft, label_smoothing=0.0)


def _logits(change: Callable[[Tensor], Tensor], *ops: str) -> Patch:
    return lambda call: call.run(input=change(call.x)) if call.op in ops else None


def _with_slope(call: Call) -> Any:
    if call.op not in ("cross_entropy", "binary_cross_entropy_with_logits"):
        return None
    A = call.x.softmax(1) if call.op == "cross_entropy" else call.x.sigmoid()
    return call.run(input=through(call.x, call.x, (A * (1 - A)).detach()))


def _other_classes(call: Call) -> Any:
    return F.nll_loss(call.x.log_softmax(0), call.given["target"]) if call.op == "cross_entropy" else None


def _is_probability(call: Call) -> bool:
    return call.x.ndim > 1 and bool(((call.x >= 0) & (call.x <= 1)).all())


COSTS = (
    Change(Cause("double-softmax", "softmax is applied twice: {base} takes a softmax of a softmax; "
                 "nn.CrossEntropyLoss takes logits", "costs.softmax"),
           lambda c: c.run(input=c.x.log()) if c.op == "cross_entropy" and _is_probability(c) else None),
    Change(Cause("double-softmax", "softmax is applied twice: {one} takes a softmax of a softmax; nn.CrossEntropyLoss "
                 "takes logits", "costs.softmax"), _logits(lambda z: z.softmax(1), "cross_entropy")),
    Change(Cause("double-sigmoid", "{one} applies the sigmoid twice: BCEWithLogitsLoss takes logits"),
           _logits(torch.sigmoid, "binary_cross_entropy_with_logits")),
    Change(Cause("wrong-axis", "{one} takes the softmax over the examples, {base} over the classes", "costs.classes"),
           _other_classes),
    Change(Cause("gprime-extra-at-output", "{one} has the slope of the output unit once more: dZ is A - Y already"),
           _with_slope),
    Change(Cause("label-smoothing", "label smoothing: {one} spreads it over the n_L - 1 others, torch over all n_L"),
           _smoothed),
    Change(Cause("label-smoothing", "{one} has no label smoothing, {base} has"),
           lambda c: c.run(label_smoothing=0.0) if c.given.get("label_smoothing") else None),
    Change(Cause("sign", "{one} has the cost's sign turned: right for whoever descends by adding"), lambda c: -c.run()),
)  # fmt: skip

CHANGES: dict[str, tuple[Change, ...]] = {
    "linear": PRODUCTS,
    "conv2d": (PRODUCTS[0], *CONVOLUTIONS),
    "max_pool2d": MAX_POOLS,
    "avg_pool2d": AVERAGE_POOLS,
    "batch_norm": (*NORMS, *BATCH_NORMS),
    "layer_norm": (*NORMS, *LAYER_NORMS),
    "add": PATHS,
    "cat": PATHS,
    **dict.fromkeys(ORDERS, FLATTEN),
    **dict.fromkeys(LOSS_CALLS, COSTS),
    **dict.fromkeys(UNIT_CALLS, UNITS),
    "softmax": SOFTMAX,
    "log_softmax": SOFTMAX,
}


def changes(call: Call) -> Iterator[Change]:
    """What a call may have been instead, the rows of ``conventions`` first."""
    if call.op in ("softmax", "log_softmax"):
        yield from _axes(call)
    if call.op in LOSS_CALLS:
        yield from _reductions(call)
    yield from sorted(CHANGES.get(call.op, ()), key=lambda each: not each.cause.row)
