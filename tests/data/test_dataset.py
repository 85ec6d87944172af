"""A data set is checked where it enters, and its arrays cannot be changed afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.data import Dataset, Source, fingerprint
from chainrule.data.dataset import indexed_names
from chainrule.data.fingerprint import fingerprint_bytes
from chainrule.data.quoting import listed, printable, quoted
from chainrule.errors import ChainruleError, DataError, DTypeError, ShapeError

SOURCE = Source(kind="memory", name="set")


def classes(**changes: Any) -> Dataset:
    fields: dict[str, Any] = {
        "name": "set",
        "x": np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]),
        "y": np.array([0, 1, 0], dtype=np.int32),
        "task": "classification",
        "source": SOURCE,
        "feature_names": ("age", "salary"),
        "class_names": ("no", "yes"),
    }
    return Dataset(**{**fields, **changes})


def targets(**changes: Any) -> Dataset:
    fields: dict[str, Any] = {
        "y": np.array([[1.0], [2.0], [3.0]]),
        "task": "regression",
        "class_names": (),
        "target_names": ("price",),
    }
    return classes(**{**fields, **changes})


def test_sizes() -> None:
    assert (classes().row_count, classes().feature_count, classes().output_count) == (3, 2, 2)
    assert targets().output_count == 1
    assert repr(classes()) == "Dataset('set', 3 rows, 2 features, 2 classes)"
    assert classes().image_shape is None
    assert classes().default_test_fraction == 0.2


def test_the_arrays_are_read_only_but_the_callers_stay_free() -> None:
    x = np.zeros((3, 2))
    data = classes(x=x)
    with pytest.raises(ValueError, match="read-only"):
        data.x[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.y[0] = 1
    x[0, 0] = 1.0  # the caller's own array is not locked


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.bool_, np.float16, np.float32, np.float64])
def test_samples_keep_their_storage_dtype(dtype: type) -> None:
    assert classes(x=np.ones((3, 2), dtype=dtype)).x.dtype == dtype


def test_samples_may_have_several_axes() -> None:
    data = classes(x=np.zeros((3, 2, 2)), feature_names=indexed_names("x", (2, 2)))
    assert data.feature_count == 4
    assert data.feature_names == ("x[0, 0]", "x[0, 1]", "x[1, 0]", "x[1, 1]")


X_NAN = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, np.nan]])
X_INF = np.array([[0.0, 1.0], [-np.inf, 3.0], [4.0, 5.0]], dtype=np.float32)

REFUSED: dict[str, tuple[dict[str, Any], type[ChainruleError], str]] = {
    "NaN in x": ({"x": X_NAN}, DataError, "x is nan at row 2, column 'salary'"),
    "infinity in x": ({"x": X_INF}, DataError, "x is -inf at row 1, column 'age'"),
    "zero rows": ({"x": np.zeros((0, 2)), "y": np.zeros(0, dtype=np.int32)}, DataError, "zero rows"),
    "no features": ({"x": np.zeros((3, 0)), "feature_names": ()}, ShapeError, "no features"),
    "x without rows": ({"x": np.zeros(3)}, ShapeError, "reshape"),
    "text in x": ({"x": np.array([["a", "b"]] * 3)}, DTypeError, "numbers"),
    "complex x": ({"x": np.zeros((3, 2), dtype=complex)}, DTypeError, "complex128"),
    "feature names": ({"feature_names": ("age",)}, ShapeError, "1 feature names for 2"),
    "row counts": ({"y": np.array([0, 1], dtype=np.int32)}, ShapeError, "x has 3 rows but y has 2"),
    "label too large": ({"y": np.array([0, 2, 1], dtype=np.int32)}, DataError, "label 2 at row 1 is out of range"),
    "label negative": ({"y": np.array([0, 1, -1], dtype=np.int32)}, DataError, "label -1 at row 2"),
    "label dtype": ({"y": np.array([0, 1, 0])}, ShapeError, "int32"),
    "label shape": ({"y": np.zeros((3, 1), dtype=np.int32)}, ShapeError, "int32 of shape"),
    "image shape": ({"image_shape": (2, 2)}, ShapeError, "2 pixels"),
    "weights count": ({"sample_weight": np.ones(2)}, ShapeError, "sample_weight has 2"),
    "weights scalar": ({"sample_weight": np.array(1.0)}, ShapeError, "sample_weight"),
    "weights dtype": ({"sample_weight": np.ones(3, dtype=np.int64)}, ShapeError, "floats"),
    "weight negative": ({"sample_weight": np.array([1.0, -1.0, 1.0])}, DataError, "-1.0 at row 1"),
    "weight NaN": ({"sample_weight": np.array([1.0, 1.0, np.nan])}, DataError, "nan at row 2"),
    "weights all 0": ({"sample_weight": np.zeros(3)}, DataError, "every sample_weight is 0"),
    "test rows outside": ({"test_rows": np.array([3])}, DataError, "outside 0 to 2"),
    "test rows twice": ({"test_rows": np.array([1, 1])}, ShapeError, "sorted"),
    "test rows all": ({"test_rows": np.array([0, 1, 2])}, DataError, "none is left"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_with_a_sentence(case: str) -> None:
    changes, error, words = REFUSED[case]
    with pytest.raises(error, match=words) as raised:
        classes(**changes)
    assert "\n" not in str(raised.value)


def test_targets_are_checked() -> None:
    with pytest.raises(DataError, match="y is nan at row 1, column 'price'"):
        targets(y=np.array([[1.0], [np.nan], [3.0]]))
    with pytest.raises(ShapeError, match="floats of shape"):
        targets(y=np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ShapeError, match="floats of shape"):
        targets(y=np.array([[1], [2], [3]]))
    with pytest.raises(ShapeError, match="2 target names for 1"):
        targets(target_names=("a", "b"))


def test_a_fingerprint_depends_on_content_only() -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert fingerprint(x) == fingerprint(np.asfortranarray(x)) == fingerprint(x.astype(">f8"))
    others = [x.astype(np.float32), x.reshape(3, 2), x + 1, np.arange(12.0).reshape(4, 3)[::2]]
    assert len({fingerprint(other) for other in [x, *others]}) == 5
    assert len({fingerprint(x), fingerprint(x, None), fingerprint(x, x)}) == 3


def test_a_fingerprint_of_a_file_is_its_sha256() -> None:
    assert fingerprint_bytes([b"abc"]) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert fingerprint_bytes([b"ab", b"c"]) != fingerprint_bytes([b"a", b"bc"])


def test_foreign_text_is_quoted_escaped_and_short() -> None:
    assert quoted("a\x1b[31m\n") == r"'a\x1b[31m\n'"
    assert len(quoted("x" * 1000)) < 45
    assert printable("a\tb") == r"a\tb"
    assert listed(range(100)).endswith("'23' and 76 more")
