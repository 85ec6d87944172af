"""Samples to predict on need no target, and columns nobody asked for do not matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from chainrule.data import load
from chainrule.data.unlabeled import load_samples
from chainrule.errors import ChainruleError, DataError, DTypeError, UnknownNameError, UnreadableFileError

X = np.arange(6.0).reshape(3, 2)
IMAGES = b"\0\0\x08\3" + bytes([0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3]) + bytes(range(6))
LABELS = b"\0\0\x08\1" + bytes([0, 0, 0, 2, 0, 1])


def test_a_table_gives_the_columns_asked_for(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("note,b,a\nx,1,2\n,3,4\n")
    assert load_samples(tmp_path / "new.csv", ("a", "b")).tolist() == [[2.0, 1.0], [4.0, 3.0]]
    frame = pl.DataFrame({"note": ["x", None], "b": [1, 3], "a": [2, 4]})
    assert load_samples(frame, ("a", "b")).tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_arrays_come_from_memory_and_from_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "one.npz", anything=X)
    np.savez(tmp_path / "two.npz", y=np.zeros(3), X=X)
    for what in (X, X.tolist(), tmp_path / "x.npy", str(tmp_path / "one.npz"), tmp_path / "two.npz"):
        assert load_samples(what, ()).tolist() == X.tolist()


def test_images_need_no_labels_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(IMAGES)
    assert load_samples(path, ()).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_whole_data_sets_give_their_samples(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(IMAGES)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(LABELS)
    for folder in (tmp_path, str(tmp_path)):
        assert load_samples(folder, ()).tolist() == [[0, 1, 2], [3, 4, 5]]
    xor = load("xor")
    assert load_samples(xor, ()) is xor.x
    assert np.array_equal(load_samples("xor", ()), xor.x)


CSV = "a,b\n1,2\n3,x\n,4\n"
BAD: dict[str, tuple[str, str | bytes, tuple[str, ...], type[ChainruleError], str]] = {
    "text": ("new.csv", CSV, ("b",), DataError, "line 3, column 'b': 'x' where a finite number is needed"),
    "missing": ("new.csv", CSV, ("a",), DataError, "line 4, column 'a': a missing value"),
    "column": ("new.csv", CSV, ("aa",), DataError, "new.csv lacks 'aa', which the run was trained on"),
    "no rows": ("new.csv", "a,b\n", ("a",), DataError, "no rows"),
    "ending": ("new.pdf", b"x", (), UnreadableFileError, "not known"),
    "damaged array": ("new.npy", b"x", (), UnreadableFileError, "damaged"),
    "damaged images": ("x-idx3-ubyte", IMAGES[:-1], (), UnreadableFileError, "fetch it again"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_a_sentence(tmp_path: Path, case: str) -> None:
    name, content, features, error, words = BAD[case]
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(error, match=words):
        load_samples(tmp_path / name, features)


def test_what_cannot_be_samples_is_refused(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"a": X, "b": X}
    np.savez(tmp_path / "new.npz", **arrays)
    with pytest.raises(DataError, match="holds 'a', 'b', but samples named 'x'"):
        load_samples(tmp_path / "new.npz", ())
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(DataError, match="holds no arrays"):
        load_samples(tmp_path / "empty.npz", ())
    with pytest.raises(UnreadableFileError, match="there is no file"):
        load_samples(tmp_path / "nothing.csv", ("a",))
    with pytest.raises(UnknownNameError, match="did you mean 'digits'"):
        load_samples("digit", ())
    with pytest.raises(DTypeError, match="object"):
        load_samples([object()], ())
