"""A person's arrays: what a file may hold, how layouts are turned, and which hidden units the arrays come from."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.own.dumps import (
    LAYOUTS,
    Layout,
    finite_only,
    hidden_units,
    in_columns,
    numbers_only,
    read,
    roundoff,
    units_of,
)
from parity_tests.derivations.settings.setting import UNITS

# --- files


def npy(value: Any, version: tuple[int, int] = (1, 0), shape: Any = None) -> bytes:
    """An array as .npy, with another shape in its header where one is given."""
    file = io.BytesIO()
    header = {"descr": value.dtype.str, "fortran_order": False, "shape": value.shape if shape is None else shape}
    write = np.lib.format.write_array_header_1_0 if version == (1, 0) else np.lib.format.write_array_header_2_0
    write(file, header)
    return file.getvalue() + bytes(value.tobytes())


def stored(path: Path, **members: bytes) -> Path:
    """A .npz with these members."""
    with zipfile.ZipFile(path / "dump.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path / "dump.npz"


def test_arrays_are_read(tmp_path: Path) -> None:
    X = np.arange(6.0).reshape(2, 3)
    found = read(stored(tmp_path, X=npy(X), y=npy(np.arange(2, dtype=np.int8), (2, 0)), none=npy(np.ones((0, 3)))))
    assert {name: (value.tolist(), value.dtype.str) for name, value in found.items()} == {
        "X": (X.tolist(), "<f8"),
        "y": ([0, 1], "|i1"),
        "none": ([], "<f8"),
    }


NOT = "dump.npz is not a .npz of plain arrays: "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(np.ones(3), shape=(10**12,)), "X claims shape (1000000000000,), 8000000000000 bytes, and has 24"),
        (npy(np.ones(3), shape=(2,)), "X claims shape (2,), 16 bytes, and has 24"),
        (npy(np.ones(3), shape=(2, 3)), "X claims shape (2, 3), 48 bytes, and has 24"),
        (npy(np.array([1]).astype(object)), "it is something else, or pickled"),
    ],
)
def test_arrays_that_are_not_what_they_claim(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as refused:
        read(stored(tmp_path, Y=npy(np.ones(1)), X=content))
    assert str(refused.value) == NOT + message


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x93NUMPY\x01\x00"])
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dump.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{NOT}File is not a zip file$"):
        read(path)


@pytest.mark.parametrize(
    ("error", "what"), [(ValueError("one\ntwo"), "one"), (MemoryError(), "MemoryError"), (TypeError("a"), "a")]
)
def test_one_line_says_what_is_wrong(
    error: Exception, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*args: Any, **named: Any) -> None:
        assert named == {"allow_pickle": False}
        raise error

    monkeypatch.setattr(np, "load", load)
    with pytest.raises(ValueError, match=f"^{NOT}{what}$"):
        read(stored(tmp_path, X=npy(np.ones(1))))


# --- numbers


def test_only_numbers_that_prove_something() -> None:
    numbers_only({name: np.ones(2).astype(name) for name in ("f8", "f4", "i4", "u1", "bool")})
    for dtype, message in (
        ("c16", "X has dtype complex128, expected numbers"),
        ("U1", "X has dtype <U1, expected numbers"),
        ("f2", "X is float16, expected float64 or float32: three digits prove nothing"),
    ):
        with pytest.raises(ValueError) as refused:
            numbers_only({"W": np.ones(2), "X": np.ones(2).astype(dtype)})
        assert str(refused.value) == message


def test_what_all_else_follows_from_is_finite() -> None:
    values = {"X": np.array([[1, 2], [np.nan, np.inf]]), "m": np.array(np.inf), "W": np.ones(2)}
    finite_only(("W",), values)
    for name, got in (("X", "nan at [1, 0]"), ("m", "inf")):
        with pytest.raises(ValueError) as refused:
            finite_only(("W", name), values)
        assert str(refused.value) == f"{name} is {got}, expected finite numbers: all else follows from it"


@pytest.mark.parametrize(
    ("dtypes", "unit"), [(["f8"], 2.0**-53), (["f8", "f4"], 2.0**-24), (["i4"], 2.0**-53), ([], 2.0**-53)]
)
def test_the_shortest_format_decides(dtypes: list[str], unit: float) -> None:
    assert roundoff({str(place): np.ones(1, dtype) for place, dtype in enumerate(dtypes)}) == unit


# --- layouts


def setting(units: str = "", **shapes: str) -> Any:
    """A setting with symbols of these shapes, and layers of these units."""
    return SimpleNamespace(
        symbols=[SimpleNamespace(name=name, shape=shape) for name, shape in shapes.items()],
        functions={f"g{l}": UNITS[unit].g for l, unit in enumerate(units.split(), 1)},
    )


ROWS, TURNED, BOTH = Layout(rows=True), Layout(weights_turned=True), Layout(rows=True, weights_turned=True)


def test_layouts_in_words() -> None:
    rows, weights = "your examples are rows: read transposed", "your weights are (units below, units): read transposed"
    assert [layout.text for layout in LAYOUTS] == ["", f"{rows}; {weights}", rows, weights]


@pytest.mark.parametrize(
    ("shape", "stored", "turned"),
    [
        ("(n, m)", (3, 2), {ROWS: (2, 3), BOTH: (2, 3)}),
        ("(1, m)", (4,), {ROWS: (1, 4), BOTH: (1, 4)}),
        ("(n, m)", (4,), {}),
        ("(1, m)", (4, 1), {ROWS: (1, 4), BOTH: (1, 4)}),
        ("( m , 1 )", (1, 4), {ROWS: (4, 1), BOTH: (4, 1)}),
        ("(n, m)", (2, 3, 4), {}),
        ("(n, 1)", (4,), {ROWS: (4, 1), BOTH: (4, 1)}),
        ("(n, 1)", (1, 4), {ROWS: (4, 1), BOTH: (4, 1)}),
        ("(n, 1)", (4, 1), {}),
        ("(n, 1)", (1, 4, 1), {}),
        ("(n, k)", (2, 3), {TURNED: (3, 2), BOTH: (3, 2)}),
        ("(n, k)", (3,), {}),
        ("(n, k)", (2, 3, 4), {}),
        ("(n, k, m)", (2, 3), {}),
        ("(m,)", (2, 3), {}),
        ("", (2, 3), {}),
        (None, (2, 3), {}),
    ],
)
def test_arrays_are_turned_to_columns(shape: str | None, stored: Any, turned: Any) -> None:
    value = np.arange(np.prod(stored)).reshape(stored)
    here = setting(**({} if shape is None else {"W": shape}))
    for layout in LAYOUTS:
        found = in_columns({"W": value}, here, layout)["W"]
        assert found.shape == turned.get(layout, stored)
        assert found.T.ravel().tolist() == value.ravel().tolist() or found.ravel().tolist() == value.ravel().tolist()
    if turned and value.ndim == 2:
        (some, *_) = turned
        assert in_columns({"W": value}, here, some)["W"].tolist() == value.T.tolist()


# --- hidden units


def arrays(*units: str, dtype: str = "f8") -> dict[str, Any]:
    """X, parameters, Z and A of a network with layers of these units."""
    rng = np.random.default_rng(0)
    A = rng.normal(size=(3, 4)).astype(dtype)
    found = {"X": A}
    for l, unit in enumerate(units, 1):
        W, b = rng.normal(size=(3, 3)).astype(dtype), rng.normal(size=(3, 1)).astype(dtype)
        Z = W @ A + b
        A = np.asarray(UNITS[unit].g(Z), dtype)
        found |= {f"W{l}": W, f"b{l}": b, f"Z{l}": Z, f"A{l}": A}
    return found


def test_units_of_a_network() -> None:
    assert units_of(setting("tanh relu sigmoid")) == ("tanh", "relu", "sigmoid")
    assert units_of(setting()) == ()


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize(
    ("own", "units"),
    [
        ("tanh sigmoid", "relu sigmoid"),
        ("tanh sigmoid", "tanh sigmoid"),
        ("tanh sigmoid", "sigmoid sigmoid"),
        ("tanh sigmoid", "leaky_relu sigmoid"),
        ("tanh sigmoid", "identity sigmoid"),
        ("tanh tanh softmax", "relu sigmoid softmax"),
        ("relu relu identity", "tanh relu identity"),
    ],
)
def test_hidden_units_are_those_from_which_the_arrays_follow(own: str, units: str, dtype: str) -> None:
    values = arrays(*units.split(), dtype=dtype)
    hidden = tuple(units.split()[:-1])
    assert hidden_units(setting(own), values) == hidden
    for left_out in (("Z1", "Z2"), ("A1",), ("A1", "Z2", "A2")):
        known = {name: value for name, value in values.items() if name not in left_out}
        found = hidden_units(setting(own), known)
        if len(hidden) == 1:
            assert found == (hidden if set(known) & {"A1", "Z2"} else tuple(own.split()[:-1]))


@pytest.mark.parametrize(
    ("own", "units", "found"),
    [
        ("sigmoid", "sigmoid", ()),
        ("", "tanh", ()),
        ("tanh sigmoid", "softmax sigmoid", ("tanh",)),  # none follows: the setting's own
        ("relu sigmoid", "softmax sigmoid", ("relu",)),
    ],
)
def test_hidden_units_that_are_not_found(own: str, units: str, found: tuple[str, ...]) -> None:
    assert hidden_units(setting(own), arrays(*units.split())) == found


def test_without_arrays_of_hidden_layers_the_units_are_the_settings_own() -> None:
    values = {name: value for name, value in arrays("relu", "sigmoid").items() if name in ("X", "Z1", "A2")}
    assert hidden_units(setting("tanh sigmoid"), values) == ("tanh",)  # and no parameter is looked for


def test_overflow_is_no_matter() -> None:
    values = arrays("relu", "sigmoid")
    values["X"] = values["X"] * 1e308
    assert hidden_units(setting("tanh sigmoid"), values) == ("tanh",)
