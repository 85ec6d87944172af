"""THE TABLE of the closed vocabulary: each primitive, why it exists, how many inputs it takes, and its type rule.

The other tables have one row per primitive too: what is known of the result (`facts`), its derivative
(`autodiff.derivatives`), how it is written (`explain.formulas`), what it computes (`backends.reference`).
A test holds every cell of every table to be filled, or absent with a reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec

from chainrule.errors import DTypeError, GraphError, ShapeError, UnknownNameError, ValueRangeError
from chainrule.graph.node import Attribute, Attributes, Graph, Node, intern
from chainrule.graph.tensor_type import (
    DTYPES,
    AnyType,
    Dim,
    Shape,
    Size,
    TensorType,
    TupleType,
    normalize_axes,
    product,
    same_dtype,
    show_shape,
)

Kind: TypeAlias = Literal["source", "elementwise", "structure", "reduction", "product", "control"]
TypeRule: TypeAlias = Callable[[str, tuple[AnyType, ...], dict[str, Attribute]], AnyType]


class Primitive(msgspec.Struct, frozen=True):
    """One row: `arity` is the number of inputs (None: any), `attributes` the names it must be given."""

    name: str
    kind: Kind
    arity: int | None
    attributes: tuple[str, ...]
    type_rule: TypeRule
    reason: str


def apply(primitive: str, *inputs: Node, **attributes: Attribute) -> Node:
    """The node of a primitive applied to inputs.

    Raises: UnknownNameError for a primitive that does not exist; ShapeError, DTypeError when the inputs do not fit.
    """
    row = PRIMITIVES.get(primitive)
    if row is None:
        raise UnknownNameError("primitive", primitive, PRIMITIVES)
    type_ = infer(row, tuple(node.type for node in inputs), attributes)
    ordered: Attributes = tuple((name, attributes[name]) for name in row.attributes)
    return intern(primitive, inputs, ordered, type_)


def infer(row: Primitive, inputs: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    """The type of a primitive's result, from the types of its inputs and its attributes."""
    if row.arity is not None and len(inputs) != row.arity:
        raise GraphError(f"{row.name} takes {row.arity} inputs, and got {len(inputs)}")
    if set(attributes) != set(row.attributes):
        wanted, came = ", ".join(row.attributes) or "none", ", ".join(attributes) or "none"
        raise GraphError(f"{row.name} has the attributes {wanted}, and got {came}")
    return row.type_rule(row.name, inputs, attributes)


def rebuild(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same primitive with the same attributes on other inputs."""
    return node if inputs == node.inputs else apply(node.primitive, *inputs, **dict(node.attributes))


# ---- reading types and attributes ----


def _tensors(name: str, types: tuple[AnyType, ...]) -> tuple[TensorType, ...]:
    result = tuple(t for t in types if isinstance(t, TensorType))
    if len(result) < len(types):
        raise GraphError(f"{name} takes tensors, and got a tuple; read one of its items with item")
    stored = next((t for t in result if t.dtype in ("uint8", "int8", "float16")), None)
    if stored is not None and name not in ("cast", "reshape", "item", "scan"):
        raise DTypeError(f"{name} does not compute in {stored.dtype}, which is for storage; cast it to float32 first")
    return result


def _floats(name: str, types: tuple[AnyType, ...]) -> tuple[TensorType, ...]:
    tensors = _tensors(name, types)
    for t in tensors:
        if not t.is_float:
            raise DTypeError(f"{name} needs float32 or float64, and got {t}; cast it first")
    return tensors


def _integer(name: str, attributes: dict[str, Attribute], key: str) -> int:
    value = attributes[key]
    if type(value) is not int:
        raise GraphError(f"{name} needs a whole number as {key}, and got {value!r}")
    return value


def _integers(name: str, attributes: dict[str, Attribute], key: str) -> tuple[int, ...]:
    value = attributes[key]
    if not isinstance(value, tuple) or not all(type(v) is int for v in value):
        raise GraphError(f"{name} needs whole numbers as {key}, and got {value!r}")
    return tuple(v for v in value if isinstance(v, int))


def _shape(name: str, attributes: dict[str, Attribute]) -> Shape:
    value = attributes["shape"]
    if not isinstance(value, tuple) or not all(type(v) is int or isinstance(v, Size) for v in value):
        raise GraphError(f"{name} needs dimensions as shape, and got {value!r}")
    return tuple(v for v in value if isinstance(v, (int, Size)))


def _sorted_axes(name: str, attributes: dict[str, Attribute], rank: int) -> tuple[int, ...]:
    axes = _integers(name, attributes, "axes")
    if axes != normalize_axes(axes, rank):
        raise ShapeError(f"{name} needs axes counted from 0 in rising order, and got {axes}")
    return axes


def _one_axis(name: str, attributes: dict[str, Attribute], rank: int) -> int:
    axis = _integer(name, attributes, "axis")
    if not 0 <= axis < rank:
        raise ShapeError(f"{name} along axis {axis} of a value of {rank} axes; use 0 to {rank - 1}")
    return axis


def _equal_shapes(name: str, tensors: tuple[TensorType, ...]) -> Shape:
    for t in tensors[1:]:
        if t.shape != tensors[0].shape:
            raise ShapeError(
                f"{name} works element by element on one shape, and got {show_shape(tensors[0].shape)} and "
                f"{show_shape(t.shape)}; broadcast one of them"
            )
    return tensors[0].shape


# ---- type rules ----


def _input(name: str, _: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    kind = attributes["type"]
    if not isinstance(kind, TensorType) or not isinstance(attributes["name"], str):
        raise GraphError(f"{name} needs a name and a type, and got {attributes}")
    return kind


def _constant(name: str, _: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    kind, value = attributes["type"], attributes["value"]
    if not isinstance(kind, TensorType):
        raise GraphError(f"{name} needs a type, and got {kind!r}")
    _tensors(name, (kind,))
    wanted = float if kind.is_float else bool if kind.dtype == "bool" else int
    if type(value) is not wanted:
        raise DTypeError(f"a constant of {kind.dtype} holds a Python {wanted.__name__}, and got {value!r}")
    least, most = _RANGE.get(kind.dtype, (value, value))
    if isinstance(value, int) and not least <= value <= most:
        raise ValueRangeError(f"a constant of {kind.dtype} lies from {least} to {most}, and got {value}")
    return kind


_RANGE: Final[dict[str, tuple[int, int]]] = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1)}


def _size(name: str, _: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    if not isinstance(attributes["of"], Size):
        raise GraphError(f"{name} reads a named size such as n, and got {attributes['of']!r}; a number is a constant")
    return TensorType("int32")


def _iota(name: str, _: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    shape = _shape(name, attributes)
    _one_axis(name, attributes, len(shape))
    return TensorType("int32", shape)


def _random_bits(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    seed, step = _tensors(name, types)
    if seed != TensorType("uint32", (2,)) or step != TensorType("uint32"):
        raise DTypeError(f"{name} takes a seed uint32[2] and a step uint32[], and got {seed} and {step}")
    _integer(name, attributes, "purpose")
    return TensorType("uint32", _shape(name, attributes))


def _arithmetic(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    tensors = _tensors(name, types)
    dtype = same_dtype(name, tensors)
    if dtype == "bool":
        raise DTypeError(f"{name} needs numbers, and got bool; cast it first, or use the logical primitives")
    return TensorType(dtype, _equal_shapes(name, tensors))


def _elementwise_float(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    tensors = _floats(name, types)
    return TensorType(same_dtype(name, tensors), _equal_shapes(name, tensors))


def _power(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    if type(attributes["exponent"]) is not float:
        raise GraphError(f"{name} needs a Python float as exponent, and got {attributes['exponent']!r}")
    return _floats(name, types)[0]


def _comparison(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    tensors = _tensors(name, types)
    same_dtype(name, tensors)
    return TensorType("bool", _equal_shapes(name, tensors))


def _logical(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    tensors = _tensors(name, types)
    if any(t.dtype != "bool" for t in tensors):
        raise DTypeError(f"{name} needs bool, and got {' and '.join(t.dtype for t in tensors)}")
    return TensorType("bool", _equal_shapes(name, tensors))


def _select(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    condition, yes, no = _tensors(name, types)
    if condition.dtype != "bool":
        raise DTypeError(f"{name} chooses by a bool, and got {condition}")
    return TensorType(same_dtype(name, (yes, no)), _equal_shapes(name, (condition, yes, no)))


def _cast(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    wanted = attributes["dtype"]
    for dtype in DTYPES:
        if dtype == wanted:
            return x.with_dtype(dtype)
    raise UnknownNameError("dtype", str(wanted), DTYPES)


def _same(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    return _tensors(name, types)[0]


def _reshape(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    shape = _shape(name, attributes)
    if product(shape) != product(x.shape):
        raise ShapeError(
            f"{name} keeps the number of elements: {show_shape(x.shape)} has {product(x.shape)}, "
            f"{show_shape(shape)} has {product(shape)}"
        )
    return x.with_shape(shape)


def _transpose(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    order = _integers(name, attributes, "permutation")
    if sorted(order) != list(range(x.rank)):
        raise ShapeError(f"{name} of {x.rank} axes needs each of 0 to {x.rank - 1} once, and got {order}")
    return x.with_shape([x.shape[axis] for axis in order])


def _broadcast(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    shape = _shape(name, attributes)
    axes = _sorted_axes(name, attributes, len(shape))
    if tuple(d for axis, d in enumerate(shape) if axis not in axes) != x.shape:
        raise ShapeError(
            f"{name} repeats {show_shape(x.shape)} along new axes {axes} of {show_shape(shape)}; "
            "without them the shapes must be equal"
        )
    return x.with_shape(shape)


def _concatenate(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    tensors = _tensors(name, types)
    if not tensors:
        raise GraphError(f"{name} needs at least one input")
    dtype, first = same_dtype(name, tensors), tensors[0]
    axis = _one_axis(name, attributes, first.rank)
    total = 0
    for t in tensors:
        along = t.shape[axis] if t.rank == first.rank else None
        if not isinstance(along, int) or t.with_shape(_replaced(t.shape, axis, 0)).shape != _replaced(
            first.shape, axis, 0
        ):
            raise ShapeError(
                f"{name} along axis {axis} joins values that agree elsewhere and have a number there, and got "
                f"{show_shape(first.shape)} and {show_shape(t.shape)}"
            )
        total += along
    return TensorType(dtype, _replaced(first.shape, axis, total))


def _replaced(shape: Shape, axis: int, dim: Dim) -> Shape:
    return (*shape[:axis], dim, *shape[axis + 1 :])


def _slice(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    axis = _one_axis(name, attributes, x.rank)
    start, stop, along = _integer(name, attributes, "start"), _integer(name, attributes, "stop"), x.shape[axis]
    if not isinstance(along, int) or not 0 <= start <= stop <= along:
        raise ShapeError(f"{name} [{start}:{stop}] along axis {axis} of {show_shape(x.shape)} lies outside it")
    return x.with_shape(_replaced(x.shape, axis, stop - start))


def _pad(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    axis = _one_axis(name, attributes, x.rank)
    before, after, along = _integer(name, attributes, "before"), _integer(name, attributes, "after"), x.shape[axis]
    if not isinstance(along, int) or before < 0 or after < 0:
        raise ShapeError(f"{name} of {before} and {after} along axis {axis} of {show_shape(x.shape)}; use 0 or more")
    return x.with_shape(_replaced(x.shape, axis, before + along + after))


def _reduction(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    if x.dtype == "bool":
        raise DTypeError(f"{name} needs numbers, and got bool; cast it first")
    axes = _sorted_axes(name, attributes, x.rank)
    _nonempty(name, x, axes)
    return x.with_shape([d for axis, d in enumerate(x.shape) if axis not in axes])


def _nonempty(name: str, x: TensorType, axes: tuple[int, ...]) -> None:
    if name != "sum" and any(x.shape[axis] == 0 for axis in axes):
        raise ShapeError(f"{name} of no elements is undefined: {show_shape(x.shape)} is empty along {axes}")


def _argmax(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (x,) = _tensors(name, types)
    axis = _one_axis(name, attributes, x.rank)
    _nonempty(name, x, (axis,))
    return TensorType("int32", tuple(d for a, d in enumerate(x.shape) if a != axis))


def _matmul(name: str, types: tuple[AnyType, ...], _: dict[str, Attribute]) -> AnyType:
    x, w = _floats(name, types)
    if x.rank < 2 or x.rank != w.rank or x.shape[:-2] != w.shape[:-2] or x.shape[-1] != w.shape[-2]:
        raise ShapeError(
            f"{name} of {show_shape(x.shape)} and {show_shape(w.shape)}: the last axis of the first must equal the "
            "last but one of the second, and the axes before them must agree"
        )
    return TensorType(same_dtype(name, (x, w)), (*x.shape[:-1], w.shape[-1]))


def _scan(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    body, carries, slices = attributes["body"], _integer(name, attributes, "carries"), _integer(name, attributes, "xs")
    if not isinstance(body, Graph):
        raise GraphError(f"{name} needs a graph as body, and got {body!r}")
    tensors = _tensors(name, types)
    if carries < 0 or slices < 1 or carries + slices > len(tensors):
        raise GraphError(f"{name} of {len(tensors)} inputs cannot carry {carries} and run over {slices} of them")
    init, xs, consts = tensors[:carries], tensors[carries : carries + slices], tensors[carries + slices :]
    lengths = {x.shape[0] for x in xs}
    if len(lengths) != 1:
        raise ShapeError(f"{name} runs over inputs of one length along axis 0, and got {sorted(map(str, lengths))}")
    wanted = (*init, *(x.with_shape(x.shape[1:]) for x in xs), *consts)
    if tuple(node.type for node in body.inputs) != wanted:
        raise GraphError(f"{name}: the body takes {[str(n.type) for n in body.inputs]}, not {[str(t) for t in wanted]}")
    results = tuple(node.tensor for node in body.results)
    if results[:carries] != init:
        raise GraphError(f"{name}: the body must return its {carries} carried values first, with unchanged types")
    (length,) = lengths
    return TupleType((*init, *(t.with_shape((length, *t.shape)) for t in results[carries:])))


def _item(name: str, types: tuple[AnyType, ...], attributes: dict[str, Attribute]) -> AnyType:
    (several,) = types
    index = _integer(name, attributes, "index")
    if not isinstance(several, TupleType) or not 0 <= index < len(several.items):
        raise GraphError(f"{name} {index} of {several}: it reads one item of a tuple, counted from 0")
    return several.items[index]


_ROWS: Final[tuple[Primitive, ...]] = (
    # sources
    Primitive("input", "source", 0, ("name", "type"), _input, "what comes from outside: data, parameters, rates"),
    Primitive("constant", "source", 0, ("value", "type"), _constant, "one number, repeated over a shape"),
    Primitive("size", "source", 0, ("of",), _size, "the value of a named size, so that a mean over n divides by n"),
    Primitive("iota", "source", 0, ("shape", "axis"), _iota, "0, 1, 2, … along an axis: compare labels with classes"),
    Primitive(
        "random_bits", "source", 2, ("purpose", "shape"), _random_bits, "draws as a function of seed and step: masks"
    ),
    # arithmetic
    Primitive("add", "elementwise", 2, (), _arithmetic, "x + y"),
    Primitive("subtract", "elementwise", 2, (), _arithmetic, "x - y, rounded once"),
    Primitive("multiply", "elementwise", 2, (), _arithmetic, "x · y"),
    Primitive("divide", "elementwise", 2, (), _elementwise_float, "x / y, rounded once"),
    Primitive("negate", "elementwise", 1, (), _arithmetic, "-x, without a zero to subtract from"),
    Primitive("power", "elementwise", 1, ("exponent",), _power, "x to a fixed number: squares, cubes, roots"),
    Primitive("maximum", "elementwise", 2, (), _arithmetic, "the larger one: ReLU is maximum(x, 0)"),
    Primitive("minimum", "elementwise", 2, (), _arithmetic, "the smaller one: clipping, Huber"),
    # functions
    Primitive("exp", "elementwise", 1, (), _elementwise_float, "e to the x"),
    Primitive("log", "elementwise", 1, (), _elementwise_float, "natural logarithm: losses in nats"),
    Primitive("expm1", "elementwise", 1, (), _elementwise_float, "exp(x) - 1 without cancellation near 0: ELU"),
    Primitive("log1p", "elementwise", 1, (), _elementwise_float, "log(1 + x) without cancellation near 0"),
    Primitive("sqrt", "elementwise", 1, (), _elementwise_float, "square root, rounded correctly: Adam"),
    Primitive("tanh", "elementwise", 1, (), _elementwise_float, "its derivative is written with its own value"),
    Primitive("sigmoid", "elementwise", 1, (), _elementwise_float, "1 / (1 + exp(-x)), safe for large x"),
    Primitive(
        "softplus", "elementwise", 1, (), _elementwise_float, "log(1 + exp(x)), safe: its safe form has a kink at 0"
    ),
    Primitive("erf", "elementwise", 1, (), _elementwise_float, "the error function: GELU is not made of the others"),
    Primitive("abs", "elementwise", 1, (), _arithmetic, "|x|"),
    Primitive("sign", "elementwise", 1, (), _arithmetic, "-1, 0 or 1: the derivative of |x|"),
    # comparison and choice
    Primitive("greater", "elementwise", 2, (), _comparison, "x > y: where ReLU passes"),
    Primitive("greater_equal", "elementwise", 2, (), _comparison, "x >= y: the other side of a tie"),
    Primitive("equal", "elementwise", 2, (), _comparison, "x = y: labels against classes"),
    Primitive("logical_and", "elementwise", 2, (), _logical, "both"),
    Primitive("logical_not", "elementwise", 1, (), _logical, "not"),
    Primitive("select", "elementwise", 3, (), _select, "one of two values by a condition, without computing 0 · inf"),
    Primitive("cast", "elementwise", 1, ("dtype",), _cast, "the only way from one dtype to another"),
    Primitive("stop_gradient", "elementwise", 1, (), _same, "a value held constant by differentiation"),
    # structure
    Primitive("reshape", "structure", 1, ("shape",), _reshape, "the same elements in order under another shape"),
    Primitive("transpose", "structure", 1, ("permutation",), _transpose, "axes in another order"),
    Primitive("broadcast", "structure", 1, ("shape", "axes"), _broadcast, "repeat along new axes: sum transposed"),
    Primitive("concatenate", "structure", None, ("axis",), _concatenate, "join along an axis"),
    Primitive("slice", "structure", 1, ("axis", "start", "stop"), _slice, "a stretch of an axis: concatenate undone"),
    Primitive("pad", "structure", 1, ("axis", "before", "after"), _pad, "zeros around: slice transposed"),
    # reductions and products
    Primitive("sum", "reduction", 1, ("axes",), _reduction, "add up along axes: broadcast transposed"),
    Primitive("max", "reduction", 1, ("axes",), _reduction, "largest along axes: pooling and safe exponentials"),
    Primitive("argmax", "reduction", 1, ("axis",), _argmax, "where the largest is, the first of equals: accuracy"),
    Primitive("matmul", "product", 2, (), _matmul, "rows times columns, and per batch of matrices"),
    # control
    Primitive("scan", "control", None, ("body", "carries", "xs"), _scan, "a loop over axis 0 whose body is a graph"),
    Primitive("item", "control", 1, ("index",), _item, "one of several outputs"),
)

PRIMITIVES: Final[dict[str, Primitive]] = {row.name: row for row in _ROWS}

COMMUTATIVE: Final = frozenset({"add", "multiply", "maximum", "minimum", "equal", "logical_and"})
COMPARISONS: Final = frozenset({"greater", "greater_equal", "equal"})
