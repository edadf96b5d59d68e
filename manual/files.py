"""Parameters and checkpoints on disk: .safetensors, with the architecture as JSON in the metadata.

Nothing is ever unpickled. A file is written aside, flushed to the disk and renamed, so that whatever happens, even
kill -9, the old file or the new one is there, whole. A checksum of all that it holds is written along and verified by
whoever reads it. Files of earlier versions have none: they are loaded, and a warning is logged.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors_numpy

from manual.architecture import Architecture
from manual.architecture_json import from_json, to_json
from manual.checks import check_parameters
from manual.notation import Array, Parameters

CHECKPOINT = "checkpoint.safetensors"
"""The name of the file that a directory of checkpoints holds."""

DTYPES = ("float32", "float64")
"""What parameters are kept in."""

STORED = {
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    "BOOL": "bool",
}
"""The dtypes that a file may hold: safetensors' name and NumPy's."""

FORMAT = "derivation-parity 2"
"""What a file with a checksum calls itself."""

RESERVED = ("architecture", "format", "sha256")
"""The metadata that ``save`` writes itself."""

PARAMS, STATE, REST = "params.", "state.", "rest"
"""How the arrays of a checkpoint are named; the rest is JSON, byte by byte: names of the state, and the progress."""


class Saved(NamedTuple):
    """What ``load`` finds in a file."""

    params: Parameters
    architecture: Architecture


class Checkpoint(NamedTuple):
    """All that a run needs to go on as if nothing had happened.

    Attributes
    ----------
    architecture : Architecture
    params : dict
        The parameters; not finite where the run exploded.
    state : dict
        The optimiser's state as plain arrays by name.
    progress : dict
        Everything else, such as epoch, step, history, settings and the states of the generators, made of what JSON
        knows: dicts keyed by strings, lists (a tuple comes back as a list), strings, whole numbers of any size, floats
        (kept to the last bit, nan and inf too), True, False and None.
    """

    architecture: Architecture
    params: Parameters
    state: dict[str, Array]
    progress: dict[str, Any]


def save(
    path: str | os.PathLike[str], params: Parameters, architecture: Architecture, about: Mapping[str, str] | None = None
) -> None:
    """Write parameters and their architecture to a .safetensors file, in place of whatever file is there.

    ``about`` is free text by name that travels along, such as the name of the data set.

    Raises ValueError for parameters that do not fit the architecture, are not all float32 or all float64, or are not
    finite, and for an ``about`` that is no text; OSError, in one sentence, where the file cannot be written.
    """
    about = dict(about or {})
    for name, text in about.items():
        if not isinstance(name, str) or not isinstance(text, str) or name in RESERVED:
            own = f"{', '.join(RESERVED[:-1])} and {RESERVED[-1]} have their own place"
            raise ValueError(f"about has {name!r}: {text!r}, expected text by name; {own}")
    params = {name: np.asarray(value) for name, value in params.items()}
    _check_parameters(architecture, params)
    _check_finite(params)
    _write(Path(path), params, {"architecture": to_json(architecture), **about})


def load(path: str | os.PathLike[str]) -> Saved:
    """The parameters and the architecture that ``save`` wrote, in either package.

    Raises ValueError, in one sentence, for a file that is missing, cut short, of another kind (a pickle is refused,
    never opened), whose contents do not match its checksum, or whose arrays do not fit its architecture or are not
    finite.
    """
    path = Path(path)
    with _reading(path):
        tensors, metadata = _read(path)
        if REST in tensors:
            raise ValueError("it is a checkpoint, expected parameters alone: load_checkpoint reads its directory")
        architecture = from_json(metadata["architecture"])
        _check_parameters(architecture, tensors)
        _check_finite(tensors)
    return Saved({name: tensors[name] for name in architecture.parameter_shapes}, architecture)


def load_about(path: str | os.PathLike[str]) -> dict[str, str]:
    """The free text by name that ``save`` wrote along.

    Raises ValueError for a file that cannot be read, or whose contents do not match its checksum.
    """
    path = Path(path)
    with _reading(path):
        metadata = _read(path)[1]
    return {name: text for name, text in metadata.items() if name not in RESERVED}


def save_checkpoint(directory: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint into a directory, made if need be, in place of the last one.

    Killed at any moment, it leaves the last one or the new one. What an interrupted write left behind is removed.

    Raises ValueError for parameters that do not fit the architecture, state that is no plain array, or progress that
    JSON cannot hold; OSError, in one sentence, where the file cannot be written: the last checkpoint stays.
    """
    params = {name: np.asarray(value) for name, value in checkpoint.params.items()}
    state = {name: np.asarray(value) for name, value in checkpoint.state.items()}
    _check_parameters(checkpoint.architecture, params)
    _check_state(state)
    progress: Any = checkpoint.progress
    if not isinstance(progress, dict):
        raise ValueError(f"progress is a {type(progress).__name__}, expected a dict")
    _check_json("progress", progress)
    text = json.dumps({"state": list(state), "progress": progress}).encode("ascii")
    tensors = {
        **{PARAMS + name: value for name, value in params.items()},
        **{STATE + name: value for name, value in state.items()},
        REST: np.frombuffer(text, np.uint8),
    }
    make_directory(directory)
    _write(Path(directory) / CHECKPOINT, tensors, {"architecture": to_json(checkpoint.architecture)})


def make_directory(directory: str | os.PathLike[str]) -> None:
    """The directory and those above it, unless they are there; OSError, in one sentence, where it cannot be made."""
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"{directory} cannot be made a directory: {error.strerror}") from error


@contextmanager
def exclusive(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keep a file or a directory to this process for the block; the system gives it free when the process ends, even by
    kill -9, and nothing is left behind.

    Windows and some network file systems have no such locks: there nothing is kept.

    Raises ValueError where another process has it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    number = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{path} is in use by another run, expected one run at a time") from None
        except OSError:
            pass  # a file system without locks
        yield
    finally:
        os.close(number)


def load_checkpoint(directory: str | os.PathLike[str]) -> Checkpoint | None:
    """The checkpoint in a directory; None where there is none yet.

    Raises ValueError, in one sentence, for a file that ``save_checkpoint`` did not write or that was changed since.
    """
    path = Path(directory) / CHECKPOINT
    if not path.exists():
        return None
    with _reading(path):
        tensors, metadata = _read(path)
        architecture = from_json(metadata["architecture"])
        names, progress = _rest(tensors.pop(REST, None))
        expected = [PARAMS + name for name in architecture.parameter_shapes] + [STATE + name for name in names]
        if tensors.keys() != set(expected):
            raise ValueError(f"it holds {sorted(tensors)}, expected {sorted(expected)}")
        params = {name: tensors[PARAMS + name] for name in architecture.parameter_shapes}
        _check_parameters(architecture, params)
    return Checkpoint(architecture, params, {name: tensors[STATE + name] for name in names}, progress)


def _rest(stored: Array | None) -> tuple[list[str], dict[str, Any]]:
    """The names of the state and the progress that bytes of JSON stand for."""
    if stored is None:
        raise ValueError("it holds parameters alone, expected a checkpoint")
    try:
        rest = json.loads(stored.tobytes())
        names, progress = [str(name) for name in rest["state"]], dict(rest["progress"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("it says nothing of the progress, expected a checkpoint") from None
    return names, progress


def _check_parameters(architecture: Architecture, params: Parameters) -> None:
    """ValueError unless the parameters are the architecture's, in one dtype."""
    check_parameters(architecture, params)
    first = next(iter(params.values())).dtype
    for name, value in params.items():
        if value.dtype.name not in DTYPES or value.dtype != first:
            raise ValueError(f"{name} has dtype {value.dtype}, expected float32 or float64, the same for all")


def _check_finite(params: Parameters) -> None:
    """ValueError at the first NaN or infinity."""
    for name, value in params.items():
        if not np.isfinite(value).all():
            place = tuple(int(index) for index in np.argwhere(~np.isfinite(value))[0])
            raise ValueError(f"{name} is {value[place]} at {place}, expected finite numbers: the run exploded")


def _check_state(state: Mapping[str, Array]) -> None:
    """ValueError for an array that is no array of numbers."""
    for name, value in state.items():
        if value.dtype.name not in STORED.values():
            raise ValueError(f"state {name} has dtype {value.dtype}, expected real numbers or booleans")


def _check_json(name: str, value: Any) -> None:
    """ValueError for what JSON would refuse or silently turn into something else."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{name} has the key {key!r}, expected strings: JSON knows no other keys")
            _check_json(f"{name}[{key!r}]", entry)
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            _check_json(f"{name}[{index}]", entry)
    elif not isinstance(value, str | int | float | bool | None):
        raise ValueError(
            f"{name} is a {type(value).__name__}, expected what JSON knows: numbers, strings, lists, dicts"
        )


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Every way in which a file can be unfit to read, as one sentence that names it."""
    try:
        yield
    except FileNotFoundError:
        raise ValueError(f"{path} is not there, expected a .safetensors file") from None
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path.name} is no whole .safetensors file, expected one saved here: {reason}") from error
    except ValueError as error:
        raise ValueError(f"{path.name} cannot be used: {error}") from error


def _read(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the metadata of a .safetensors file, verified."""
    if path.exists() and not path.is_file():
        raise ValueError("it is a directory or a device, expected a file")
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata() or {})
        if "architecture" not in metadata:
            raise ValueError("its metadata has no architecture, expected a file saved here")
        names = list(file.keys())
        for name in names:
            dtype = file.get_slice(name).get_dtype()
            if dtype not in STORED:
                raise ValueError(f"{name} has dtype {dtype}, expected one of {', '.join(STORED)}")
        tensors = {name: file.get_tensor(name) for name in names}
    _verify(path, tensors, metadata)
    return tensors, metadata


def _verify(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """ValueError unless the contents match their checksum; a warning where an earlier version wrote none."""
    if not metadata.keys() & {"format", "sha256"}:
        logging.getLogger(__name__).warning("%s has no checksum: damage to it would go unnoticed", path.name)
    elif checksum(tensors, metadata) != metadata.get("sha256"):
        raise ValueError("its contents do not match its checksum, expected the file as it was saved: it is damaged")
    elif metadata.get("format") != FORMAT:
        raise ValueError(f"its format is {metadata.get('format')!r:.40}, expected {FORMAT!r}")


def checksum(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """SHA-256, in hexadecimal, of the metadata (but for the checksum itself) and of the name, dtype, shape and bytes of
    every array, in the order of their names.
    """
    described = {
        "metadata": {name: text for name, text in metadata.items() if name != "sha256"},
        "arrays": {name: [value.dtype.name, value.shape] for name, value in tensors.items()},
    }
    found = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name]
        flat = np.ravel(value).astype(value.dtype.newbyteorder("<"), copy=False)
        found.update(flat.data)
    return found.hexdigest()


def _write(path: Path, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Put tensors and metadata in place of whatever file is there."""
    metadata = {**metadata, "format": FORMAT}
    metadata["sha256"] = checksum(tensors, metadata)
    # safetensors writes the memory of an array as it lies there, whatever its strides.
    data = safetensors_numpy.save({name: np.array(value, order="C") for name, value in tensors.items()}, metadata)
    replace_file(path, _sorted_header(data))


def replace_file(path: Path, data: bytes) -> None:
    """Write aside, flush, rename: the old file or the new one, never a part of one.

    Raises OSError, in one sentence, where the file cannot be written: what was there before stays.
    """
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is no file, expected a name to write to")
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        for leftover in path.parent.glob(f".{path.name}.*.partial"):
            leftover.unlink(missing_ok=True)
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(f"{path} cannot be written: {error.strerror}; what was there before stays") from error
        raise


def _sorted_header(data: bytes) -> bytes:
    """The same file with its metadata in sorted order, which safetensors leaves to chance: same network, same bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the arrays begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + data[end:]
