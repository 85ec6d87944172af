"""What is given to a graph, held against the types of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.protocol import Array
from chainrule.errors import DTypeError, InputError, ShapeError, UnknownNameError, ValueRangeError
from chainrule.graph.tensor_type import TensorType

NUMPY: Final[dict[str, np.dtype[np.generic]]] = {
    name: np.dtype(name)
    for name in ("bool", "int32", "uint32", "float32", "float64", "uint8", "int8", "float16", "complex128")
}
_WEAKER: Final = {"b": "biuf", "i": "iuf", "u": "iuf", "f": "f"}  # kinds that a Python value of a kind may become


def check_names(what: str, given: Iterable[str], wanted: Iterable[str]) -> None:
    """Refuse a name that is missing or not wanted; `what` says what is named, such as "input"."""
    came, needed = list(given), list(wanted)
    for name in came:
        if name not in needed:
            raise UnknownNameError(what, name, needed)
    missing = [name for name in needed if name not in came]
    if missing:
        raise InputError(f"the {what} {missing[0]} is missing: given are {', '.join(came) or 'none'}; give it too")


def as_array(name: str, value: npt.ArrayLike, kind: TensorType, *, complex_too: bool = False) -> Array:
    """The value as an array of the dtype of `kind`; the shape is for `bind_sizes` to check.

    A NumPy array or scalar must have the dtype already. A Python number or list takes it where nothing is lost but
    digits. With `complex_too`, complex128 stands in for float64.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name} is no array: its rows differ in length; give {kind}") from error
    wanted = NUMPY[kind.dtype]
    if complex_too and kind.dtype == "float64" and array.dtype == NUMPY["complex128"]:
        return array
    if array.dtype != wanted:
        array = _converted(name, value, array, kind)
    return array


def _converted(name: str, value: npt.ArrayLike, array: Array, kind: TensorType) -> Array:
    wanted = NUMPY[kind.dtype]
    is_weak = not isinstance(value, (np.ndarray, np.generic)) and not hasattr(value, "__array__")
    if not is_weak or wanted.kind not in _WEAKER.get(array.dtype.kind, ""):
        raise DTypeError(f"{name} has dtype {array.dtype}, and {kind.dtype} is wanted; convert it with astype")
    if wanted.kind in "iu" and array.size:
        bounds = np.iinfo(kind.dtype)
        if int(array.min()) < bounds.min or int(array.max()) > bounds.max:
            raise ValueRangeError(f"{name} holds a number outside {bounds.min} to {bounds.max}, the range of {wanted}")
    with np.errstate(over="ignore"):
        return array.astype(wanted)


def check_fixed(name: str, array: Array, wanted: tuple[int, ...]) -> None:
    """Refuse an array of another shape, where the shape is in numbers."""
    if array.shape != wanted:
        raise ShapeError(f"{name} has shape {array.shape}, and {wanted} is wanted")


def checked_order(order: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], rows: int | None) -> int:
    """The number of steps, if the order and its offsets make sense for data of so many rows.

    Raises: DTypeError, ShapeError, ValueRangeError with what is wrong.
    """
    for name, array in (("order", order), ("offsets", offsets)):
        if array.dtype != np.int64:
            raise DTypeError(f"{name} has dtype {array.dtype}, and int64 is wanted; convert it with astype")
        if array.ndim != 1:
            raise ShapeError(f"{name} has shape {array.shape}, and one axis is wanted")
    if len(offsets) == 0:
        raise ShapeError("offsets is empty; give one number more than there are steps")
    if offsets[0] < 0 or offsets[-1] > len(order) or (len(offsets) > 1 and int(np.diff(offsets).min()) < 1):
        raise ValueRangeError(
            f"offsets must rise by at least 1 from 0 or more to at most {len(order)}, the length of order"
        )
    used = order[offsets[0] : offsets[-1]]
    if rows is not None and used.size and (int(used.min()) < 0 or int(used.max()) >= rows):
        raise ValueRangeError(f"order names a row outside 0 to {rows - 1}, the rows of the data")
    return len(offsets) - 1


def row_count(data: Mapping[str, Array]) -> int | None:
    """The number of rows that all columns share; None without columns.

    Raises: ShapeError naming two columns that differ.
    """
    first: tuple[str, int] | None = None
    for name, column in data.items():
        if column.ndim == 0:
            raise ShapeError(f"column {name} is one number; give an array with a row for each sample")
        if first is None:
            first = (name, len(column))
        elif len(column) != first[1]:
            raise ShapeError(f"column {name} has {len(column)} rows, and {first[0]} has {first[1]}; they must agree")
    return None if first is None else first[1]
