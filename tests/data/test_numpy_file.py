""".npz and .npy files become data sets, and are never unpickled."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.data import load, load_source
from chainrule.errors import ChainruleError, DataError, InputError, ShapeError, UnreadableFileError

X = np.arange(8.0, dtype=np.float32).reshape(4, 2)
Y = np.array([0, 1, 0, 1])


@pytest.mark.parametrize("names", [("x", "y"), ("X", "y"), ("X", "Y"), ("data", "target")])
def test_an_npz_with_x_and_y(tmp_path: Path, names: tuple[str, str]) -> None:
    path = tmp_path / "set.npz"
    np.savez_compressed(path, **dict(zip(names, (X, Y), strict=True)))  # pyright: ignore[reportArgumentType]
    data = load(path)
    assert (data.name, data.task, data.x.dtype) == ("set", "classification", np.float32)
    assert np.array_equal(data.x, X)
    assert load_source(data.source).source == data.source
    assert load(path, task="regression").y.tolist() == [[0.0], [1.0], [0.0], [1.0]]


def test_an_npz_with_a_test_part_of_images(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    images = np.arange(5 * 2 * 2, dtype=np.uint8).reshape(5, 2, 2)
    labels = np.array([0, 1, 2, 1, 0], dtype=np.uint8)
    np.savez(path, x_train=images[:3], y_train=labels[:3], x_test=images[3:], y_test=labels[3:])
    data = load(path)
    assert data.test_rows is not None
    assert (data.test_rows.tolist(), data.image_shape, data.y.tolist()) == ([3, 4], (2, 2), labels.tolist())


def test_an_npy_with_a_target_column(tmp_path: Path) -> None:
    path = tmp_path / "table.npy"
    np.save(path, np.column_stack((X, [0.5, 1.5, 2.5, 3.5])))
    data = load(path, target=-1)
    assert (data.task, data.y[:, 0].tolist()) == ("regression", [0.5, 1.5, 2.5, 3.5])
    assert data.source.target == "-1"
    assert np.array_equal(load_source(data.source).x, data.x)


def damaged(tmp_path: Path, ending: str, how: str) -> Path:
    path = tmp_path / f"set{ending}"
    if ending == ".npz":
        np.savez(path, x=X, y=Y)
    else:
        np.save(path, X)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(
        {
            "empty": b"",
            "garbage": bytes(range(256)) * 4,
            "cut": content[: len(content) - 5],
            "cut in half": content[:middle],
            "wrong bytes": content[: middle - 8] + b"\xff" * 16 + content[middle + 8 :],
            "header only": content[:8],
        }[how]
    )
    return path


@pytest.mark.parametrize("how", ["empty", "garbage", "cut", "cut in half", "header only"])
@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_damaged_files_are_refused(tmp_path: Path, ending: str, how: str) -> None:
    options: dict[str, Any] = {"target": 0} if ending == ".npy" else {}
    with pytest.raises(UnreadableFileError, match="damaged or cut short"):
        load(damaged(tmp_path, ending, how), **options)


def test_a_wrong_byte_in_an_npz_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.savez(path, x=np.zeros((100, 2)), y=np.arange(100) % 2)
    content = bytearray(path.read_bytes())
    content[400] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableFileError, match="damaged"):
        load(path)


def test_a_size_beyond_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.npy"
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10**5)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, header)
    with pytest.raises(UnreadableFileError, match="damaged"):
        load(path, target=0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=8), whole=st.booleans()
)
def test_any_changed_bytes_load_or_are_refused(tmp_path: Path, changes: list[tuple[int, int]], whole: bool) -> None:
    path = tmp_path / ("set.npz" if whole else "set.npy")
    if whole:
        np.savez(path, x=X, y=Y)
    else:
        np.save(path, X)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(bytes(content))
    with contextlib.suppress(ChainruleError):
        load(path, **({} if whole else {"target": 0}))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("ending", [".npy", ".npz"])
def test_objects_are_never_loaded(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"set{ending}"
    objects = np.array([[{"a": 1}, None]], dtype=object)
    if ending == ".npz":
        np.savez(path, x=objects, y=Y)
    else:
        np.save(path, objects)
    with pytest.raises(UnreadableFileError, match="Python objects, which are never loaded"):
        load(path, **({"target": 0} if ending == ".npy" else {}))  # pyright: ignore[reportArgumentType]


NPZ: dict[str, tuple[dict[str, Any], type[ChainruleError], str]] = {
    "other names": ({"a": X, "b": Y}, DataError, "holds 'a', 'b', but x and y"),
    "nothing": ({}, DataError, "no arrays"),
    "rows": ({"x": X, "y": Y[:2]}, ShapeError, "4 rows but y has 2"),
    "test rows": ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y[:1]}, DataError, "number of rows"),
    "test shape": ({"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y}, DataError, "differ in shape"),
}


@pytest.mark.parametrize("case", NPZ)
def test_an_npz_that_makes_no_sense_is_refused(tmp_path: Path, case: str) -> None:
    arrays, error, words = NPZ[case]
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    with pytest.raises(error, match=words):
        load(path)


def test_the_wrong_ending_and_the_wrong_options_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", X)
    np.savez(tmp_path / "two.npz", x=X, y=Y)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(UnreadableFileError, match=r"rename it to \.npy"):
        load(tmp_path / "one.npz")
    (tmp_path / "two.npz").rename(tmp_path / "two.npy")
    with pytest.raises(UnreadableFileError, match=r"rename it to \.npz"):
        load(tmp_path / "two.npy", target=0)
    np.savez(tmp_path / "two.npz", x=X, y=Y)
    with pytest.raises(InputError, match="does not take the option target"):
        load(tmp_path / "two.npz", target="y")
