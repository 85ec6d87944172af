"""Arrays from Python become data sets; the dtype of y decides the task unless it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.data import load
from chainrule.errors import ChainruleError, DataError, DTypeError, InputError, ShapeError, UnknownNameError

X = np.arange(8.0, dtype=np.float32).reshape(4, 2)


@pytest.mark.parametrize(
    ("y", "labels", "names"),
    [
        (np.array([3, 1, 3, 7]), [1, 0, 1, 2], ("1", "3", "7")),
        (np.array([10, 9, 10, 9], dtype=np.uint8), [1, 0, 1, 0], ("9", "10")),
        (np.array([True, False, True, True]), [1, 0, 1, 1], ("false", "true")),
        (["b", "a", "b", "c"], [1, 0, 1, 2], ("a", "b", "c")),
        (np.array(["b", "a", "b", "c"], dtype=object), [1, 0, 1, 2], ("a", "b", "c")),
        (np.array([[1], [0], [1], [0]]), [1, 0, 1, 0], ("0", "1")),
        (np.array([-1, 1, -1, 1]), [0, 1, 0, 1], ("-1", "1")),
    ],
)
def test_whole_numbers_text_and_booleans_are_classes(y: Any, labels: list[int], names: tuple[str, ...]) -> None:
    data = load((X, y))
    assert (data.task, data.y.dtype, data.y.tolist(), data.class_names) == ("classification", np.int32, labels, names)
    assert data.x.dtype == np.float32
    assert data.feature_names == ("x[0]", "x[1]")


def test_floats_are_targets() -> None:
    data = load((X, np.array([0.5, 1.0, 2.0, 3.0], dtype=np.float32)))
    assert (data.task, data.y.shape, data.y.dtype, data.target_names) == ("regression", (4, 1), np.float32, ("y",))
    two = load((X, np.ones((4, 2)) * [[1.0, 2.0]]))
    assert (two.output_count, two.target_names) == (2, ("y[0]", "y[1]"))


def test_the_task_can_be_said() -> None:
    assert load((X, np.array([1, 2, 3, 4])), task="regression").y.tolist() == [[1.0], [2.0], [3.0], [4.0]]
    assert load((X, np.array([1.0, 2.0, 1.0, 2.0])), task="classification").class_names == ("1", "2")


def test_weights_enter_with_the_arrays() -> None:
    weighted = load((X, [0, 1, 0, 1]), sample_weight=np.array([1, 2, 3, 4]))
    assert weighted.sample_weight is not None
    assert weighted.sample_weight.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert weighted.source.sha256 != load((X, [0, 1, 0, 1])).source.sha256


def test_bytes_of_several_axes_are_images() -> None:
    images = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2)
    data = load((images, [0, 1, 0, 1]))
    assert (data.x.shape, data.image_shape, data.value_range) == ((4, 6), (3, 2), (0.0, 255.0))
    assert data.feature_names[3] == "pixel[1, 1]"
    assert data.x[2].tolist() == images[2].reshape(-1).tolist()
    assert load((images.astype(float), [0, 1, 0, 1])).x.shape == (4, 3, 2)


def test_a_table_names_its_target_by_number() -> None:
    table = np.array([[1.0, 10.0, 0.5], [2.0, 20.0, 0.25]])
    data = load(table, target=-1)
    assert (data.x.tolist(), data.y.tolist()) == ([[1.0, 10.0], [2.0, 20.0]], [[0.5], [0.25]])
    assert load(table, target="0").y.tolist() == [[1.0], [2.0]]


def test_a_data_set_is_returned_as_it_is() -> None:
    data = load("xor")
    assert load(data) is data


REFUSED: dict[str, tuple[Any, dict[str, Any], type[ChainruleError], str]] = {
    "ragged": (([[1.0], [1.0, 2.0]], [0, 1]), {}, ShapeError, "different lengths"),
    "text in x": (([["a"], ["b"]], [0, 1]), {}, DTypeError, "<U1"),
    "objects": (([[object()], [object()]], [0, 1]), {}, DTypeError, "object"),
    "missing class": ((X, ["a", None, "b", "a"]), {}, DTypeError, "object"),
    "rows": ((X, [0, 1]), {}, ShapeError, "x has 4 rows but y has 2"),
    "NaN": (([[1.0], [float("nan")]], [0, 1]), {}, DataError, "row 1"),
    "NaN target": ((X, [0.0, float("nan"), 1.0, 2.0]), {}, DataError, "y is nan at row 1"),
    "nothing": ((np.zeros((0, 2)), np.zeros(0)), {}, DataError, "zero rows"),
    "one-hot": ((X, np.eye(4, dtype=int)), {}, ShapeError, "one-hot"),
    "labels of two axes": ((X, np.eye(4)), {"task": "classification"}, ShapeError, "shape"),
    "fractional class": ((X, [0.5, 1.0, 2.0, 3.0]), {"task": "classification"}, DataError, "row 0"),
    "text target": ((X, list("abab")), {"task": "regression"}, DTypeError, "text"),
    "text weights": ((X, [0, 1, 0, 1]), {"sample_weight": list("abcd")}, DTypeError, "sample_weight"),
    "weights count": ((X, [0, 1, 0, 1]), {"sample_weight": [1.0]}, ShapeError, "sample_weight"),
    "three arrays": ((X, X, X), {}, InputError, "tuple of 3"),
    "a dictionary": ({"x": X}, {}, InputError, "dict"),
    "a number": (7, {}, InputError, "int"),
    "option": ((X, [0, 1, 0, 1]), {"target": "y"}, InputError, "target"),
    "task": ((X, [0, 1, 0, 1]), {"task": "regresion"}, UnknownNameError, "did you mean 'regression'"),
    "no target": (X, {}, DataError, "none is given"),
    "target name": (X, {"target": "age"}, DataError, "'age' came"),
    "target number": (X, {"target": 2}, DataError, "columns 0 to 1"),
    "one column": (X[:, :1], {"target": 0}, ShapeError, "1 column"),
    "flat table": (X[0], {"target": 0}, ShapeError, "table"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_arrays_are_refused_with_a_sentence(case: str) -> None:
    what, options, error, words = REFUSED[case]
    with pytest.raises(error, match=words) as raised:
        load(what, **options)
    assert "\n" not in str(raised.value)
