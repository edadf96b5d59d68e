"""Dropout that draws its own mask: dropout_forward(x, dropout_param), and dropout_backward(dout, cache) behind it."""

from __future__ import annotations

import ast
import re
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.own.calls import Answer, Call, Request
from parity_tests.derivations.own.functions_runner import FORWARD, normal
from parity_tests.derivations.own.not_looked_at import functions_of
from parity_tests.derivations.verdicts import HOLDS, WRONG, Verdict, not_judged, teach

P = 0.7
"""The probability that is given: it must not be its own complement."""

SHAPE = (40, 61)
"""Of x: so large that the share of entries that are kept can be told."""

SIGMAS = 6
"""Standard errors that this share may be off by."""

ROUNDED = 1e-9

NAMES = {
    **dict.fromkeys(("x", "A", "a", "input", "inputs", "Z"), "x"),
    **dict.fromkeys(("dout", "dA", "grad_output", "upstream"), "dout"),
    **dict.fromkeys(("p", "keep_prob", "keep", "p_keep", "drop_prob", "rate", "dropout_rate"), "p"),
    **dict.fromkeys(("training", "train", "is_training", "is_train"), "training"),
    "mode": "mode",
    "seed": "seed",
}
_PARAM = {"p": "p", "keep_prob": "p", "mode": "mode", "seed": "seed"}


class Drawn(NamedTuple):
    """A pass of dropout: the symbol that it is given, and what it returns."""

    takes: str
    returns: str


DRAWN = {"dropout_forward": Drawn("x", "out"), "dropout_backward": Drawn("dout", "dx")}
"""The two passes by name."""


def drawn_request(drawn: Drawn) -> Request:
    """How such a function is to be called: in training, and in use."""
    rng = np.random.default_rng(0)
    kept = rng.random(SHAPE) < P
    fields = {
        "names": {**{normal(name): symbol for name, symbol in NAMES.items()}, **NAMES},
        "order": (drawn.takes,),
        "optional": (),
        "bundles": dict.fromkeys(("dropoutparam", "dropoutparams", "param", "params", "config"), _PARAM),
        "forwards": ("dropout_forward",) if drawn.takes == "dout" else (),
        "caches": (["dropoutparam", "mask"],) if drawn.takes == "dout" else (),
        "lists": (),
        "layouts": ("",),
        "with_forward": True,
    }
    values: dict[str, Any] = {"x": rng.uniform(1, 2, SHAPE), "dout": rng.uniform(1, 2, SHAPE), "p": P, "seed": 3}
    values["mask"] = kept / P
    return Request(fields, [{**values, "mode": mode, "training": mode == "train"} for mode in ("train", "test")])


def judged_drawn(name: str, drawn: Drawn, source: str, answer: Answer) -> list[Verdict]:
    """A verdict on what is returned in training, and on what is in use where the function knows the difference."""
    text = ast.unparse(dict(functions_of(ast.parse(source)))[name])
    (training,), (use,) = answer.calls
    rows = []
    for mode, call in (("train", training), ("test", use)) if re.search("mode|train|test", text) else (("", training),):
        target = f"{name}{f' ({mode})' if mode else ''}: {drawn.returns}"
        value = _returned(call)
        if value is None:
            why = f"it {call.problem}" if call.problem else f"no way of calling {answer.signature} is known"
            if call.fits and not call.problem:
                why = f"it returned nothing of the shape of {drawn.takes}"
            expected = f"{name}({'x, dropout_param' if drawn.takes == 'x' else 'dout, cache'})"
            message = f"{target} is not judged: {why}; expected {expected} with the keys p and mode."
            rows.append(not_judged(target, 0, target, message))
            continue
        if drawn.takes == "dout":
            wrong, cause, note = _backward(value, call, mode)
        elif mode == "test":
            wrong, cause, note = _in_use(value, _returned(training))
        else:
            wrong, cause, note = _forward(value, _returned(use) if mode else None, any_p="keep" not in text)
        message = f"{target} {wrong}." if wrong else f"{target} holds.{note}"
        message += f" {teach(cause)[0].upper()}{teach(cause)[1:]}." if cause else ""
        rows.append(
            Verdict(
                target, 0, target, WRONG if wrong else HOLDS, cause, (cause,) if cause else (), "", ("F254",),
                np.nan, np.nan, np.nan, np.shape(value), SHAPE, message,
            )
        )  # fmt: skip
    return rows


def _values() -> dict[str, Any]:
    return dict(drawn_request(DRAWN["dropout_forward"]).values[0])


def _returned(call: Call, name: str = "") -> Any:
    """The first array of the right shape, of the forward pass where its name is given."""
    if call.problem or not call.fits:
        return None
    found = (value for each, value in zip(call.names, call.values, strict=True) if (each == FORWARD) is bool(name))
    return next((value for value in found if np.shape(value) == SHAPE), None)


def _same(a: Any, b: Any) -> bool:
    return bool(np.allclose(a, b, rtol=ROUNDED, atol=0))


def _kept(factor: Any) -> tuple[float, float] | None:
    """The share of the entries that are kept, and their factor; None where they have not one factor."""
    kept = factor[factor != 0]
    if not kept.size or not _same(kept, kept[0]):
        return None
    return kept.size / factor.size, float(kept[0])


def _forward(out: Any, in_use: Any, *, any_p: bool) -> tuple[str, str, str]:
    """What is wrong with the outputs in training, the cause, and what is to be said of right ones.

    Where the output in use is scaled by the probability, that in training is not.
    """
    x = _values()["x"]
    found = _kept(out / x)
    if found is None:
        return "is no mask of 0 and one number times x", "", ""
    share, scale = found
    near = [q for q in (P, 1 - P) if abs(share - q) <= SIGMAS * np.sqrt(q * (1 - q) / x.size)]
    if not near or (near[0] != P and not any_p):
        return f"keeps {share:.0%} of the entries for p = {P}, expected the share p", "", ""
    (q,) = near
    meant = (
        "" if q == P else " It holds where p is the probability to drop (row dropout.probability of the conventions)."
    )
    if _same(scale, 1 / q):
        return "", "", meant
    if _same(scale, 1) and in_use is not None and _same(in_use, q * x):
        return "", "", f"{meant} It holds where the outputs in use are scaled, and not those in training."
    said = f"scales what it keeps by {scale:.4g}, expected {1 / q:.4g}, one over the share that is kept"
    return said, "dropout-not-rescaled" if _same(scale, 1) else "", ""


def _in_use(out: Any, in_training: Any) -> tuple[str, str, str]:
    """The same for the outputs in use: x as it is, or scaled by the probability where those in training are not."""
    x = _values()["x"]
    plain = None if in_training is None else _kept(in_training / x)
    if _same(out, x) or (plain is not None and _same(plain[1], 1) and (_same(out, P * x) or _same(out, (1 - P) * x))):
        return "", "", ""
    return "is not x: nothing is dropped in use", "", ""


def _backward(dx: Any, call: Call, mode: str) -> tuple[str, str, str]:
    """The same for the derivative: dout times what the forward pass multiplied x by."""
    values = _values()
    out = _returned(call, FORWARD)
    factor = out / values["x"] if out is not None else np.ones(SHAPE) if mode == "test" else values["mask"]
    if _same(dx, values["dout"] * factor):
        return "", "", ""
    kept = factor != 0
    if not kept.all() and _same(dx[kept], (values["dout"] * factor)[kept]):
        return "is not 0 where the forward pass dropped an entry", "dropout-mask-forgotten-backward", ""
    if not kept.all() and _same(dx, values["dout"] * kept):
        return "lacks the scale of the forward pass", "dropout-not-rescaled", ""
    if _same(dx, values["dout"]):
        return "is dout itself", "" if kept.all() else "dropout-mask-forgotten-backward", ""
    return "is not dout times what the forward pass multiplied x by, entry by entry", "", ""
