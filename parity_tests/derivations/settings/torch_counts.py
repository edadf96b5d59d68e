"""Sizes and scales by torch. Imported when they are first asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from torch_ref import initialization
from torch_ref.devices import array
from torch_ref.shapes import conv_output_size, conv_parameter_count, dense_parameter_count

Arrays = dict[str, Any]


def scales(n_prev: int, n: int) -> Arrays:
    """The scales of torch.nn.init, and 0.01 times its standard normal draws."""
    drawn, standard = (
        nn.init.normal_(torch.empty(1, dtype=torch.float64), std=std, generator=torch.Generator().manual_seed(0))
        for std in (0.01, 1.0)
    )
    found = {
        "he": initialization.he(n_prev),
        "xavier": initialization.xavier(n_prev, n),
        "lecun": initialization.lecun(n_prev),
        "small": (drawn / standard)[0],
    }
    return {name: array(value) for name, value in found.items()}


def sizes(
    n_H_prev: int, n_W_prev: int, f: int, stride: int, pad: int, n_C_prev: int, n_C: int, n_prev: int, n: int
) -> Arrays:
    """Shapes and parameters of layers without numbers in them."""
    found = {
        "n_H": conv_output_size(n_H_prev, f, pad=pad, stride=stride),
        "n_W": conv_output_size(n_W_prev, f, pad=pad, stride=stride),
        "same_pad": _same_pad(f),
        "conv_parameters": conv_parameter_count(f, n_C_prev, n_C),
        "conv_weights": conv_parameter_count(f, n_C_prev, n_C, bias=False),
        "dense_parameters": dense_parameter_count(n_prev, n),
        "dense_weights": dense_parameter_count(n_prev, n, bias=False),
    }
    return {name: float(value) for name, value in found.items()}


def _same_pad(f: int) -> int:
    """The rows of zeros that torch puts above: those that the first cell of a filter sees."""
    first = torch.zeros(1, 1, f, f)
    first[..., 0, 0] = 1
    seen = functional.conv2d(torch.ones(1, 1, f, f), first, padding="same")
    return int((seen[0, 0, :, -1] == 0).sum())
