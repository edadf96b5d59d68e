"""``python -m torch_ref predict``: what a trained network says of the examples of a file, by torch."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.shared import predict_cli
from manual.shared.cli import door
from manual.shared.predict_cli import Answer
from torch_ref.devices import DEVICES, array, device_named, tensor
from torch_ref.jobs import check_alone
from torch_ref.layout import to_rows
from torch_ref.network import module_with

PROGRAM = "python -m torch_ref"


def configure(parser: argparse.ArgumentParser) -> None:
    """The shared flags, and the device."""
    predict_cli.configure(parser, PROGRAM)
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help=f"{', '.join(DEVICES)} or cuda:N; default: auto"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict and print."""
    check_alone("predict")
    return predict_cli.run(args, partial(answers, device=str(door(device_named, args.device))))


def answers(architecture: Architecture, params: dict[str, NDArray[Any]], device: str) -> Answer:
    """X -> A[L], on the device."""
    module = module_with(architecture, params, device=device).eval()

    def answer(X: NDArray[Any]) -> NDArray[Any]:
        with torch.inference_mode():
            return array(module(to_rows(tensor(X, device))).T)

    return answer
