"""A person's arrays as they are stored: read within limits, turned to columns, and the hidden units they come from."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from manual.notation import Array
from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.settings.networks import with_hidden
from parity_tests.derivations.settings.setting import UNITS

Arrays = Mapping[str, Array]

HIDDEN_UNITS = ("tanh", "sigmoid", "relu", "leaky_relu", "identity")


def read(path: Path) -> dict[str, Array]:
    """The arrays of a .npz file; ValueError where it is none, or an array claims more entries than the file has."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                with archive.open(member) as inside:
                    _check_header(inside, member.filename.removesuffix(".npy"), member.file_size)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError, TypeError, MemoryError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path.name} is not a .npz of plain arrays: {what}") from error


def read_dump(path: Path) -> dict[str, Array]:
    """The arrays of a .npz, of a .safetensors (bfloat16 as float32), or of the .npy files of a folder.

    Raises ValueError for anything else; nothing is unpickled.
    """
    if path.is_dir():
        files = sorted(path.glob("*.npy"))
        if not files:
            raise ValueError(f"{path} holds no .npy file, expected one for each array")
        return {file.stem: _read_array(file) for file in files}
    if not path.is_file():
        raise ValueError(f"{path} is not there, expected a .npz, a .safetensors, or a folder of .npy files")
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as stored:
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{path.name} is not a .safetensors: {str(error).splitlines()[0]}") from error
        short = [name for name, tensor in tensors.items() if str(tensor.dtype) == "torch.bfloat16"]
        return {name: (value.float() if name in short else value).numpy() for name, value in tensors.items()}
    if path.suffix != ".npz":
        raise ValueError(f"{path.name} is not read, expected a .npz, a .safetensors, or a folder of .npy files")
    return read(path)


def _read_array(path: Path) -> Array:
    """The array of a .npy file."""
    try:
        with path.open("rb") as file:
            _check_header(file, path.name, path.stat().st_size)
            file.seek(0)
            return np.asarray(np.load(file, allow_pickle=False))
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise ValueError(f"{path.name} is no .npy of numbers: {str(error).splitlines()[0]}") from error


def _check_header(file: IO[bytes], name: str, size: int) -> None:
    """ValueError where the header of an array claims other entries than there are bytes, or pickled objects."""
    version = np.lib.format.read_magic(file)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(file)
    if dtype.hasobject:
        raise ValueError("it is something else, or pickled")
    claimed, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if claimed != there:
        raise ValueError(f"{name} claims shape {shape}, {claimed} bytes, and has {there}")


def numbers_only(values: Mapping[str, Any]) -> None:
    """ValueError unless all are real numbers that prove something."""
    for name, value in values.items():
        if value.dtype.kind not in "fiub":
            raise ValueError(f"{name} has dtype {value.dtype}, expected numbers")
        if value.dtype == np.float16:
            raise ValueError(f"{name} is float16, expected float64 or float32: three digits prove nothing")


def finite_only(names: tuple[str, ...], values: Arrays) -> None:
    """ValueError where what all else follows from is not finite."""
    for name in names:
        if not np.isfinite(values[name]).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(values[name]))[0])
            where = f" at {list(place)}" if place else ""
            raise ValueError(
                f"{name} is {values[name][place]}{where}, expected finite numbers: all else follows from it"
            )


class Layout(NamedTuple):
    """How arrays are stored: examples in rows, and weights as (units below, units)."""

    rows: bool = False
    weights_turned: bool = False

    @property
    def text(self) -> str:
        """In words; empty for the notes' own layout."""
        examples = "your examples are rows: read transposed" if self.rows else ""
        weights = "your weights are (units below, units): read transposed" if self.weights_turned else ""
        return "; ".join(each for each in (examples, weights) if each)


LAYOUTS = (Layout(), Layout(rows=True, weights_turned=True), Layout(rows=True), Layout(weights_turned=True))


def in_columns(values: Arrays, setting: Setting, layout: Layout) -> dict[str, Array]:
    """The arrays as the setting has them: an example a column, W (units, units below), b a column."""
    shapes = {symbol.name: symbol.shape for symbol in setting.symbols}
    return {name: _turned(value, shapes.get(name, ""), layout) for name, value in values.items()}


def _turned(value: Array, shape: str, layout: Layout) -> Array:
    axes = [axis.strip() for axis in shape.strip("()").split(",") if axis.strip()]
    if len(axes) != 2:
        return value
    if "m" in axes:
        flat = layout.rows and value.ndim == 1 and axes[0] == "1"
        return value.reshape(1, -1) if flat else value.T if layout.rows and value.ndim == 2 else value
    if "1" in axes:
        row = value.ndim == 1 or (value.ndim == 2 and value.shape[0] == 1)
        return value.reshape(-1, 1) if layout.rows and row else value
    return value.T if layout.weights_turned and value.ndim == 2 else value


def units_of(setting: Setting) -> tuple[str, ...]:
    """The units of a network's layers, the output's last; empty for what is no network of g1, g2, ..."""
    found: list[str] = []
    while (g := setting.functions.get(f"g{len(found) + 1}")) is not None:
        found.append(next(name for name, unit in UNITS.items() if unit.g is g))
    return tuple(found)


def hidden_units(setting: Setting, values: Arrays) -> tuple[str, ...]:
    """The hidden units under which the most of the given Z and A follow, the setting's own where none do better."""
    *own, output = units_of(setting) or ("",)
    if not shows_units(setting, values):
        return tuple(own)
    tried = [tuple(own), *product(HIDDEN_UNITS, repeat=len(own))]
    return max(tried, key=lambda units: sum(_followed(values, (*units, output))))  # the first of equals


def shows_units(setting: Setting, names: Collection[str]) -> bool:
    """Whether a Z or A behind a hidden unit is among the names."""
    hidden = units_of(setting)[:-1]
    return any({f"A{l}", f"Z{l + 1}"} & {*names} for l in range(1, len(hidden) + 1))


def with_other_units(setting: Setting) -> list[Setting]:
    """The setting with each other hidden unit, the same in all its layers."""
    *own, _ = units_of(setting) or ("",)
    return [with_hidden(setting, (unit,) * len(own)) for unit in HIDDEN_UNITS if own and {*own} != {unit}]


def _followed(values: Arrays, units: tuple[str, ...]) -> Iterator[bool]:
    """For each Z and A that is given: whether it follows from X and the parameters with these units."""
    unit = roundoff(values)
    A = values["X"].astype(np.float64)
    with np.errstate(all="ignore"):
        for l, name in enumerate(units, 1):
            Z = values[f"W{l}"].astype(np.float64) @ A + values[f"b{l}"]
            for given, there in ((f"Z{l}", Z), (f"A{l}", A := UNITS[name].g(Z))):
                if given in values:
                    yield agrees(values[given].astype(np.float64), there, unit)


def roundoff(values: Arrays) -> float:
    """The unit roundoff of the shortest format among the arrays."""
    single = any(value.dtype == np.float32 for value in values.values())
    return float(np.finfo(np.float32 if single else np.float64).eps) / 2
