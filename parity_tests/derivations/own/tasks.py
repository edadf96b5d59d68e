"""Functions that are judged by their name: what they compute, what their parameters may be called, what they return."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from parity_tests.derivations.own.functions_runner import CHANNELS_FIRST, ROWS, normal
from parity_tests.derivations.settings import Setting, setting_named
from parity_tests.derivations.settings.layer import activated
from parity_tests.derivations.settings.optimisers import RULES

Bundles = Mapping[str, Mapping[str, str]]
"""By a parameter's name without case and underscores: a dict's keys, and the symbol behind each."""


NOTHING: Mapping[str, Any] = MappingProxyType({})

IN_ROWS_TOO = ("", ROWS)
CHANNELS_FIRST_TOO = ("", CHANNELS_FIRST)
CHANNELS_FIRST_MOSTLY = (CHANNELS_FIRST, "")

STEPS_BEFORE = "t - 1"
"""The symbol for the number of steps before this one."""


class Output(NamedTuple):
    """A returned value: the symbol that it must equal, and its key where a dict is returned; ``label`` is printed."""

    symbol: str
    key: str
    label: str


class Task(NamedTuple):
    """A function that computes symbols of a setting.

    ``order`` are the symbols of its parameters as the public function has them, ``names`` other parameters' names.
    ``fixed`` are arguments that are no symbols, as a mode. ``forwards`` are functions whose last returned value is the
    ``cache`` that it may take, and ``caches`` what such a cache may be: a symbol, a bundle's name, or a list of them
    for a tuple. ``layouts`` are those that it may be written for, the likeliest first. ``average``: outputs that may
    lack the 1/m where dZ carries it.
    """

    setting: str
    order: tuple[str, ...]
    outputs: tuple[Output, ...]
    names: Mapping[str, str] = NOTHING
    fixed: Mapping[str, Any] = NOTHING
    optional: tuple[str, ...] = ()
    bundles: Bundles = NOTHING
    forwards: tuple[str, ...] = ()
    caches: tuple[Any, ...] = ()
    layouts: tuple[str, ...] = ("",)
    average: tuple[str, ...] = ()

    def request(self) -> dict[str, Any]:
        """What the process that calls the function must know."""
        own = {symbol: symbol for symbol in self.order}
        spelled = {normal(name): symbol for name, symbol in {**own, **self.names}.items()}
        fields = ("order", "optional", "forwards", "caches", "layouts")
        names, bundles = {**spelled, **own, **self.names}, dict(self.bundles)
        return {"names": names, "bundles": bundles, "lists": (), **{name: getattr(self, name) for name in fields}}


def _outputs(*symbols: str) -> tuple[Output, ...]:
    return tuple(Output(symbol, normal(symbol), symbol) for symbol in symbols)


def _bundled(names: str, **symbols: str) -> dict[str, dict[str, str]]:
    return dict.fromkeys(names.split(), symbols)


RATES = dict.fromkeys(("learning_rate", "lr", "rate", "eta", "step_size"), "alpha")
RATES |= {"eps": "epsilon", **dict.fromkeys(("weight_decay", "wd", "decay"), "lambda_")}
UPSTREAM = {"dout": "dZ", "grad_output": "dZ", "upstream": "dZ", "delta": "dZ"}
INPUT = {"X": "A_prev", "x": "A_prev", "A": "A_prev", "a_prev": "A_prev", "input": "A_prev", "inputs": "A_prev"}
SIZES = "hparameters hparams hyperparameters hyperparams params convparam poolparam config"

_DENSE: dict[str, Any] = {
    "layouts": IN_ROWS_TOO,
    "names": {**INPUT, **UPSTREAM, "weights": "W", "b": "b", "bias": "b", "lambd": "lambda_"},
}
_GRADIENTS = _outputs("dA_prev", "dW", "db")
_LINEAR_CACHE: dict[str, Any] = {"forwards": ("linear_forward",), "caches": (["A_prev", "W", "b"],)}
_CONV_NAMES = {**INPUT, **UPSTREAM, "w": "W", "s": "stride", "strides": "stride", "p": "pad", "padding": "pad"}
_CONV = _bundled(SIZES, stride="stride", pad="pad")
_POOL_NAMES = {**INPUT, "dout": "dA", "size": "f", "pool_size": "f", "s": "stride", "strides": "stride"}
_POOL = _bundled(SIZES, f="f", size="f", stride="stride", pool_height="f", pool_width="f", pool_size="f")
_UNITS = ("sigmoid", "tanh", "relu", "leaky_relu")
_COSTS = ("binary_cross_entropy", "cross_entropy", "squared_error")
_PREDICTED = dict.fromkeys(("AL", "A_L", "A2", "y_hat", "Y_hat", "yhat", "y_pred", "pred", "predictions"), "A")
_TARGETS = dict.fromkeys(("y_true", "labels", "targets", "t"), "Y")


def _pooling(*order: str, outputs: tuple[str, ...], **more: Any) -> tuple[Task, ...]:
    return tuple(
        Task(
            f"{mode}-pool", (*order, "mode"), _outputs(*outputs), _POOL_NAMES, {"mode": mode}, ("mode",), _POOL,
            layouts=CHANNELS_FIRST_TOO, **more,
        )
        for mode in ("max", "average")
    )  # fmt: skip


def _pooling_of_one_mode(name: str, mode: str, ending: str) -> dict[str, tuple[Task, ...]]:
    """max_pool_forward_naive(x, pool_param) and its backward pass, for channels that come first."""
    forward = f"{name}_pool_forward{ending}"
    common: dict[str, Any] = {"names": _POOL_NAMES, "bundles": _POOL, "layouts": CHANNELS_FIRST_MOSTLY}
    backward: dict[str, Any] = {"forwards": (forward,), "caches": (["A_prev", "poolparam"],)}
    return {
        forward: (Task(f"{mode}-pool", ("A_prev", "f", "stride"), _outputs("A"), **common),),
        f"{name}_pool_backward{ending}": (
            Task(f"{mode}-pool", ("dA", "A_prev", "f", "stride"), _outputs("dA_prev"), **common, **backward),
        ),
    }


def _convolving(ending: str, layouts: tuple[str, ...]) -> dict[str, tuple[Task, ...]]:
    """The forward and the backward pass of a convolution, under the names of the public functions and an ending."""
    forward = f"conv_forward{ending}"
    order = ("A_prev", "W", "b", "stride", "pad")
    return {
        forward: (Task("convolution", order, _outputs("Z"), _CONV_NAMES, bundles=_CONV, layouts=layouts),),
        f"conv_backward{ending}": (
            Task(
                "convolution", ("dZ", "A_prev", "W", "stride", "pad"), _GRADIENTS, {**_CONV_NAMES, "b": "b"},
                bundles=_CONV, forwards=(forward,), caches=(["A_prev", "W", "b", "hparameters"],),
                layouts=layouts, average=("dW", "db"),
            ),
        ),
    }  # fmt: skip


def _activation(unit: str) -> dict[str, tuple[Task, ...]]:
    at = {"Z": "z", "x": "z", "X": "z", "dA": "da", "dout": "da", "A": "a"}
    backward: dict[str, Any] = {"forwards": (unit,), "caches": ("z", "a")}
    return {
        unit: (Task(unit, ("z",), _outputs("a"), at),),
        f"{unit}_prime": (Task(unit, ("z",), _outputs("g_prime"), at),),
        f"{unit}_backward": (Task(unit, ("da", "z"), _outputs("dz"), at, **backward),),
    }


def _cost(name: str) -> dict[str, tuple[Task, ...]]:
    names = {**_PREDICTED, **_TARGETS}
    return {
        name: (Task(name, ("A", "Y"), _outputs("J"), names, layouts=IN_ROWS_TOO),),
        f"{name}_prime": (Task(name, ("A", "Y"), _outputs("dA"), names, layouts=IN_ROWS_TOO),),
        f"{name}_from_logits": (
            Task(name, ("Z", "Y"), _outputs("J"), {"logits": "Z", **_TARGETS}, layouts=IN_ROWS_TOO),
        ),
    }


_LAYERS = {name: name for name in ("W1", "b1", "W2", "b2")}
_GRADS = {f"d{name}": f"d{name}" for name in _LAYERS}
_PARAMETERS = _bundled("parameters params", **_LAYERS)
_UPDATE = Task(
    "shallow",
    ("parameters", "grads", "alpha"),
    _outputs("W1", "b1", "W2", "b2"),
    RATES,
    bundles={**_PARAMETERS, **_bundled("grads gradients", **_GRADS)},
)


def _update(setting: str, states: str, numbers: tuple[str, ...]) -> tuple[Task, ...]:
    """A step of a rule on dicts: W1 and b1 are both the setting's W."""
    kept = {state: {"dW1": state, "db1": state} for state in states.split()}
    outputs = [Output("W", "w1", "W1"), Output("W", "b1", "b1")]
    for state in kept:
        outputs += [Output(state, "dw1", f"{state} of dW1"), Output(state, "db1", f"{state} of db1")]
    bundles = {
        **_bundled("parameters params", W1="W", b1="W"),
        **_bundled("grads gradients", dW1="dW", db1="dW"),
        **kept,
    }
    return (Task(setting, numbers, tuple(outputs), RATES, bundles=bundles),)


def _step(setting: str, order: str, outputs: str, **names: str) -> tuple[Task, ...]:
    return (Task(setting, tuple(order.split()), _outputs(*outputs.split()), {**RATES, **names}),)


def _configured(setting: str, outputs: str, W: str = "W", **held: str) -> tuple[Task, ...]:
    """A step with its numbers and states in a dict: sgd(w, dw, config) -> next_w, config."""
    states = tuple(Output(held[key], key, key) for key in outputs.split())
    names = {"w": W, "dw": f"d{W}"}
    bundles = _bundled("config", learning_rate="alpha", **held)
    return (Task(setting, (W, f"d{W}", "config"), (Output(W, "nextw", "next_w"), *states), names, bundles=bundles),)


_ADAM = _step("adam", "W dW v s t alpha beta1 beta2 epsilon", "W v s", w="W", dw="dW")
_RMSPROP = _step("rmsprop", "W dW s alpha beta2 epsilon", "W s", w="W", dw="dW")
_MOMENTUM = _step("momentum", "W dW v alpha beta", "W v", w="W", dw="dW")
_LOGISTIC = {"x": "X", "y": "Y"}

TASKS: dict[str, tuple[Task, ...]] = {
    "linear_forward": (Task("layer", ("A_prev", "W", "b"), _outputs("Z"), **_DENSE),),
    "weight_gradient": (
        Task("layer", ("dZ", "A_prev", "W", "lambda_"), _outputs("dW"), optional=("W", "lambda_"), **_DENSE),
    ),
    "bias_gradient": (Task("layer", ("dZ",), _outputs("db"), **_DENSE),),
    "input_gradient": (Task("layer", ("dZ", "W"), _outputs("dA_prev"), **_DENSE),),
    "linear_backward": (
        Task(
            "layer", ("dZ", "A_prev", "W", "lambda_"), _GRADIENTS, optional=("lambda_",), average=("dW", "db"),
            **_LINEAR_CACHE, **_DENSE,
        ),
    ),
    **{name: task for unit in _UNITS for name, task in _activation(unit).items()},
    **{
        f"linear_activation_{way}": tuple(
            Task(
                f"{unit} layer", ("dA" if backward else "A_prev", *(() if backward else ("W", "b")), "activation"),
                _GRADIENTS if backward else _outputs("A"),
                {**INPUT, "W": "W", "b": "b", "dout": "dA", "activation_function": "activation"},
                {"activation": unit}, layouts=IN_ROWS_TOO, average=("dW", "db") if backward else (),
                forwards=("linear_activation_forward",) if backward else (),
                caches=([["A_prev", "W", "b"], "Z"], ["A_prev", "W", "b", "Z"]) if backward else (),
            )
            for unit in ("relu", "sigmoid")
        )
        for way, backward in (("forward", False), ("backward", True))
    },
    "softmax": (
        Task(
            "softmax-jacobian", ("Z",), _outputs("A"), {"x": "Z", "scores": "Z", "logits": "Z"}, layouts=IN_ROWS_TOO,
        ),
    ),
    **{name: task for cost in _COSTS for name, task in _cost(cost).items()},
    "propagate": (Task("logistic", ("w", "b", "X", "Y"), _outputs("dw", "db", "J"), _LOGISTIC),),
    "one_example": (
        Task("logistic-one", ("w", "b", "x", "y"), _outputs("z", "a", "L", "da", "dz", "dw", "dw1", "dw2", "db")),
    ),
    "zero_pad": (Task("convolution", ("A_prev", "pad"), _outputs("A_prev_pad"), _CONV_NAMES),),
    **_convolving("", CHANNELS_FIRST_TOO),
    **_convolving("_naive", CHANNELS_FIRST_MOSTLY),
    **_convolving("_im2col", CHANNELS_FIRST_MOSTLY),
    **_convolving("_fast", CHANNELS_FIRST_MOSTLY),
    "flatten": (Task("flatten", ("A",), _outputs("A_flat"), {"X": "A", "x": "A"}),),
    "pool_forward": _pooling("A_prev", "f", "stride", outputs=("A",)),
    "pool_backward": _pooling(
        "dA", "A_prev", "f", "stride", outputs=("dA_prev",), forwards=("pool_forward",),
        caches=(["A_prev", "hparameters"],),
    ),
    **{
        name: task
        for short, mode in (("max", "max"), ("avg", "average"), ("average", "average"))
        for ending in ("", "_naive", "_fast")
        for name, task in _pooling_of_one_mode(short, mode, ending).items()
    },
    "dropout_forward": (Task("dropout", ("A", "D", "keep_prob"), _outputs("A_drop"), {"mask": "D", "X": "A"}),),
    "dropout_backward": (
        Task(
            "dropout", ("dA_drop", "D", "keep_prob"), _outputs("dA"),
            {"dA": "dA_drop", "dout": "dA_drop", "mask": "D"},
        ),
    ),
    "momentum_update": _MOMENTUM,
    "momentum": _MOMENTUM,
    "rmsprop_update": _RMSPROP,
    "rmsprop": (
        *_RMSPROP,
        *_configured("rmsprop", "cache", decay_rate="beta2", epsilon="epsilon", cache="s"),
    ),
    "adam_update": _ADAM,
    "adam": (
        *_ADAM,
        *_configured(
            "adam", "m v", beta1="beta1", beta2="beta2", epsilon="epsilon", m="v", v="s", t=STEPS_BEFORE,
        ),
    ),
    "adamw": _ADAM,
    "adamw_update": _ADAM,
    "sgd": (*_configured("shallow", "", "W1"), _UPDATE),
    "sgd_momentum": _configured("classical momentum", "velocity", momentum="beta", velocity="v"),
    "update_parameters": (_UPDATE,),
    "update_parameters_with_gd": (_UPDATE,),
    "update_parameters_with_momentum": _update("momentum", "v", ("beta", "alpha")),
    "update_parameters_with_rmsprop": _update("rmsprop", "s", ("beta2", "alpha", "epsilon")),
    "update_parameters_with_adam": _update("adam", "v s", ("t", "alpha", "beta1", "beta2", "epsilon")),
    "compute_cost": (
        Task("logistic", ("A", "Y"), _outputs("J"), {**_PREDICTED, **_TARGETS}, bundles=_bundled("parameters", w="w")),
    ),
}  # fmt: skip
"""The public functions, and those of well-known courses, by name."""

ALTERNATIVES = frozenset({"compute_cost"})
"""Functions whose name does not say which of their tasks is meant: one that holds is enough."""


@cache
def setting_of(name: str) -> Setting:
    """The setting of a task: a listed one, a rule of another convention, or a dense layer with another activation."""
    rule = next((rule for rule in RULES if rule.words == name), None)
    unit, _, layer = name.partition(" ")
    return rule.as_setting if rule else activated(unit) if layer else setting_named(name)
