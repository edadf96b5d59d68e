"""Functions that begin a training: parameters by an initialisation scheme, and the states of an optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.own.calls import Answer, Request
from parity_tests.derivations.own.functions_runner import normal
from parity_tests.derivations.verdicts import HOLDS, WRONG, Verdict, not_judged, teach

SIZES = (150, 80, 40)
"""n_x, n_h and n_y: so large that the scale of random entries can be told, so unlike that schemes differ."""

SIGMAS = 6
"""Standard errors that the deviation of random entries may be off by."""

Scale = Callable[[int, int], float]

SCHEMES: dict[str, Scale] = {
    "sqrt(2 / n_prev), He's": lambda n, n_prev: np.sqrt(2 / n_prev),
    "sqrt(1 / n_prev), Xavier's": lambda n, n_prev: np.sqrt(1 / n_prev),
    "sqrt(2 / (n + n_prev)), Glorot's": lambda n, n_prev: np.sqrt(2 / (n + n_prev)),
}
HE, XAVIER, GLOROT = SCHEMES

NAMES = {
    **dict.fromkeys(("n_x", "n_in", "n_0", "input_size", "input_dim", "n_inputs", "dim"), "n_x"),
    **dict.fromkeys(("n_h", "n_hidden", "hidden_size", "hidden_dim"), "n_h"),
    **dict.fromkeys(("n_y", "n_out", "output_size", "output_dim", "n_outputs"), "n_y"),
    **dict.fromkeys(("layer_dims", "layers_dims", "layer_sizes", "layers", "dims", "sizes"), "layer_dims"),
    "seed": "seed",
}


class Initial(NamedTuple):
    """What a function returns that begins a training.

    ``order`` are its parameters. ``shapes`` are those of what it returns, by name. ``schemes`` are the scales that its
    weights may have: none for zeros, all of them for any scale above 0.
    """

    order: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    schemes: tuple[str, ...] = ()
    copies: int = 1

    @property
    def is_state(self) -> bool:
        """Whether it is the state of an optimiser, for parameters that are given."""
        return self.order == ("parameters",)


PARAMETERS: dict[str, tuple[int, ...]] = {
    name: shape for l in (1, 2) for name, shape in ((f"W{l}", (SIZES[l], SIZES[l - 1])), (f"b{l}", (SIZES[l], 1)))
}
_STATES = {f"d{name}": shape for name, shape in PARAMETERS.items()}
_ANY = tuple(SCHEMES)

INITIAL = {
    "initialize_with_zeros": Initial(("n_x",), {"w": (SIZES[0], 1), "b": ()}),
    "initialize_parameters": Initial(("n_x", "n_h", "n_y"), PARAMETERS, _ANY),
    "initialize_parameters_deep": Initial(("layer_dims",), PARAMETERS, _ANY),
    "initialize_parameters_random": Initial(("layer_dims",), PARAMETERS, _ANY),
    "initialize_parameters_zeros": Initial(("layer_dims",), PARAMETERS),
    "initialize_parameters_he": Initial(("layer_dims",), PARAMETERS, (HE,)),
    "initialize_parameters_xavier": Initial(("layer_dims",), PARAMETERS, (XAVIER, GLOROT)),
    "initialize_velocity": Initial(("parameters",), _STATES),
    "initialize_adam": Initial(("parameters",), _STATES, copies=2),
}
"""The functions of well-known courses, by name."""


def initial_request(initial: Initial) -> Request:
    """How such a function is to be called."""
    bundle = {name: name for name in PARAMETERS} if initial.is_state else {}
    fields = {
        "names": {**{normal(name): symbol for name, symbol in NAMES.items()}, **NAMES},
        "order": () if initial.is_state else ("n_x", "n_h", "n_y", "layer_dims"),
        "optional": ("n_x", "n_h", "n_y", "layer_dims"),
        "bundles": {"parameters": bundle, "params": bundle} if bundle else {},
        "forwards": (),
        "caches": (),
        "lists": ("layer_dims",),
        "layouts": ("",),
    }
    values: dict[str, Any] = {"seed": 3, "layer_dims": SIZES, **dict(zip(("n_x", "n_h", "n_y"), SIZES, strict=True))}
    return Request(fields, [{**values, **{name: np.ones(shape) for name, shape in PARAMETERS.items()}}])


def judged_initial(name: str, initial: Initial, answer: Answer) -> list[Verdict]:
    """A verdict for every array that the function is to return."""
    call = answer.calls[0][0]
    returned = ", ".join(initial.shapes)
    if call.problem or not call.fits:
        why = f"it {call.problem}" if call.problem else f"no way of calling {answer.signature} is known"
        expected = f"expected {name}({', '.join(initial.order)}), returning {returned}"
        return [not_judged(name, 0, name, f"{name} is not judged: {why}; {expected}.")]
    keys = [key or list(initial.shapes)[place % len(initial.shapes)] for place, key in enumerate(call.names)]
    first = next(iter(initial.shapes))
    if keys and (normal(keys[0]), np.shape(call.values[0])) == (normal(first), initial.shapes[first][::-1]):
        initial = initial._replace(shapes={key: shape[::-1] for key, shape in initial.shapes.items()})  # in rows
    rows = []
    for key, shape in initial.shapes.items():
        target = f"{name}: {key}"
        found = [value for each, value in zip(keys, call.values, strict=True) if normal(each) == normal(key)]
        if len(found) < initial.copies:
            why = f"{name} does not return it, expected {returned}"
            rows.append(not_judged(target, 0, target, f"{target} is not judged: {why}."))
            continue
        problem, note = _about(key, shape, found, initial)
        message = f"{target} {problem}." if problem else f"{target} holds.{note}"
        rows.append(
            Verdict(
                target, 0, target, WRONG if problem else HOLDS, "init-scale" if problem else "",
                ("init-scale",) if problem else (), "", (), np.nan, np.nan, np.nan, np.shape(found[0]), shape, message,
            )
        )  # fmt: skip
    return rows


def _about(key: str, shape: tuple[int, ...], values: list[Any], initial: Initial) -> tuple[str, str]:
    """What is wrong with arrays of one name, and what is to be said of those that are right."""
    for value in values:
        flat = key[0] != "W" and np.size(value) == np.prod(shape)
        if np.shape(value) != shape and not flat:
            return f"has shape {np.shape(value)}, expected {shape}", ""
    if key[0] != "W" or not initial.schemes:
        largest = max(float(np.max(np.abs(value), initial=0.0)) for value in values)
        return (f"has the entry {largest:.4g} in size, expected zeros", "") if largest else ("", "")
    n, n_prev = PARAMETERS[key]
    deviation = float(np.std(values[0]))
    if deviation == 0:
        return "has equal entries everywhere: units that begin alike stay alike, weights are drawn at random", ""
    near = [words for words, scale in SCHEMES.items() if _is_near(deviation, scale(n, n_prev), n * n_prev)]
    said = next(iter(near), f"{deviation:.3g}")
    if set(initial.schemes) < set(SCHEMES) and not set(near) & set(initial.schemes):
        return f"has the scale {said}, expected {' or '.join(initial.schemes)}: {teach('init-scale')}", ""
    return "", f" Its scale is {said}."


def _is_near(deviation: float, scale: float, count: int) -> bool:
    """Whether so many random entries with this deviation may have been drawn with that scale."""
    return bool(abs(deviation / scale - 1) <= SIGMAS / np.sqrt(2 * count))
