"""Types: dimensions that are numbers or named sizes, broadcasting, and what is refused."""

from __future__ import annotations

import pytest

from chainrule.errors import DTypeError, ShapeError, UnknownNameError
from chainrule.graph.tensor_type import (
    Size,
    TensorType,
    broadcast_shapes,
    concrete,
    named,
    normalize_axes,
    parse_dim,
    product,
    same_dtype,
    show_shape,
    symbols_of,
)

N, T = named("n"), named("t")


def test_a_product_of_dimensions_has_one_form() -> None:
    assert product((2, N, 3)) == Size(6, ("n",))
    assert product((T, N)) == product((N, T)) == Size(1, ("n", "t"))
    assert product((2, 3)) == 6
    assert product(()) == 1
    assert product((0, N)) == 0


@pytest.mark.parametrize("dim", [0, 16, N, product((3, N, T)), product((N, N))])
def test_a_dimension_is_read_as_it_is_written(dim: int | Size) -> None:
    assert parse_dim(str(dim)) == dim


@pytest.mark.parametrize("name", ["N", "", "3n", "n m", "n-1"])
def test_a_size_is_a_lower_case_word(name: str) -> None:
    with pytest.raises(ShapeError, match="lower-case word"):
        named(name)


def test_named_sizes_become_numbers() -> None:
    assert concrete((N, 3, product((2, N, T))), {"n": 4, "t": 5}) == (4, 3, 40)
    assert symbols_of((product((T, N)), 3, N)) == ("n", "t")
    with pytest.raises(UnknownNameError, match="unknown size 't'"):
        concrete((T,), {"n": 4})


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((N, 3), (3,), (N, 3)),
        ((N, 1), (1, 3), (N, 3)),
        ((), (N,), (N,)),
        ((1,), (N,), (N,)),
        ((2, 1, 4), (3, 1), (2, 3, 4)),
        ((0,), (1,), (0,)),
    ],
)
def test_shapes_broadcast_as_in_numpy(left: tuple[int, ...], right: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert broadcast_shapes(left, right) == expected
    assert broadcast_shapes(right, left) == expected


@pytest.mark.parametrize(("left", "right"), [((N, 3), (4,)), ((N,), (T,)), ((N,), (3,)), ((2, 3), (3, 2))])
def test_shapes_that_do_not_broadcast_are_both_named(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as caught:
        broadcast_shapes(left, right)
    assert show_shape(left) in str(caught.value)
    assert show_shape(right) in str(caught.value)


def test_the_axes_that_disagree_are_counted_from_the_end() -> None:
    with pytest.raises(ShapeError, match="3 against 4 at axis -2"):
        broadcast_shapes((5, 3, 2), (4, 2))


def test_axes_are_counted_from_zero() -> None:
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes(-1, 3) == (2,)
    assert normalize_axes((2, 0), 3) == (0, 2)
    with pytest.raises(ShapeError, match="axis 3 does not exist"):
        normalize_axes(3, 3)
    with pytest.raises(ShapeError, match="twice"):
        normalize_axes((0, -3), 3)


def test_a_type_refuses_what_cannot_be() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'float32'"):
        TensorType("float23")  # pyright: ignore[reportArgumentType]
    for dim in (-1, True):
        with pytest.raises(ShapeError, match="0 or more"):
            TensorType("float32", (dim,))


def test_a_type_reads_as_a_person_writes_it() -> None:
    assert str(TensorType("float32", (N, 16))) == "float32[n, 16]"
    assert str(TensorType("bool")) == "bool[]"
    assert [show_shape(shape) for shape in ((N, 16), (3,), ())] == ["(n, 16)", "(3,)", "()"]


def test_dtypes_are_not_promoted() -> None:
    assert same_dtype("add", [TensorType("int32"), TensorType("int32")]) == "int32"
    with pytest.raises(DTypeError, match="float32 and float64; cast one"):
        same_dtype("add", [TensorType("float32"), TensorType("float64")])
