"""The values of named sizes, found from the shapes of what is given."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NoReturn

import msgspec

from chainrule.errors import ShapeError
from chainrule.graph.node import Graph
from chainrule.graph.tensor_type import Size, show_shape


class _Equation(msgspec.Struct, frozen=True):
    """An axis of an input says that a size has a value."""

    name: str
    size: Size
    value: int


def bind_sizes(graph: Graph, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """The one value of each named size in the inputs whose shapes are given.

    Inputs whose shape is left out say nothing.

    Raises: ShapeError when a rank or a number differs, when two inputs disagree about a size, when a size is 0 or is
        not determined by the shapes.
    """
    equations = [e for name, shape in shapes.items() for e in _equations(graph, name, shape)]
    found: dict[str, int] = {}
    source: dict[str, str] = {}
    pending = equations
    while pending:
        solvable = [e for e in pending if len(_unknown(e, found)) == 1]
        if not solvable:
            undetermined = [e for e in pending if _unknown(e, found)]
            if undetermined:
                _refuse_undetermined(undetermined[0], found)
            break
        equation = min(solvable, key=lambda each: len(each.size.symbols))
        (symbol,) = _unknown(equation, found)
        found[symbol] = _solve(equation, symbol, found)
        source[symbol] = equation.name
        pending = [e for e in pending if e is not equation]
    for equation in equations:
        _check(equation, found, source)
    return found


def _equations(graph: Graph, name: str, shape: tuple[int, ...]) -> Iterator[_Equation]:
    wanted = graph.input(name).tensor.shape
    if len(shape) != len(wanted) or any(isinstance(w, int) and w != s for s, w in zip(shape, wanted, strict=True)):
        raise ShapeError(f"{name} has shape {show_shape(shape)}, and {show_shape(wanted)} is wanted")
    for dim, value in zip(wanted, shape, strict=True):
        if isinstance(dim, Size):
            if value == 0:
                raise ShapeError(f"{name} has shape {show_shape(shape)}, so {dim} is 0; give at least one")
            yield _Equation(name, dim, value)


def _unknown(equation: _Equation, found: dict[str, int]) -> set[str]:
    return {symbol for symbol in equation.size.symbols if symbol not in found}


def _solve(equation: _Equation, symbol: str, found: dict[str, int]) -> int:
    known = equation.size.factor * math.prod(found[s] for s in equation.size.symbols if s != symbol)
    power = equation.size.symbols.count(symbol)
    value = round((equation.value / known) ** (1 / power))
    if known * value**power != equation.value:
        raise ShapeError(
            f"{equation.name} has {equation.value} where {equation.size} is wanted: no whole {symbol} fits"
        )
    return value


def _check(equation: _Equation, found: dict[str, int], source: dict[str, str]) -> None:
    expected = equation.size.factor * math.prod(found[s] for s in equation.size.symbols)
    if expected == equation.value:
        return
    others = [s for s in equation.size.symbols if source[s] != equation.name] or list(equation.size.symbols)
    told = " and ".join(f"{source[s]} has {s} = {found[s]}" for s in dict.fromkeys(others))
    raise ShapeError(f"{equation.name} has {equation.size} = {equation.value}, but {told}; they must agree")


def _refuse_undetermined(equation: _Equation, found: dict[str, int]) -> NoReturn:
    names = " and ".join(sorted(_unknown(equation, found)))
    raise ShapeError(
        f"{equation.name} has {equation.size} = {equation.value}, which does not say what {names} are; "
        "give an input that has one of them alone"
    )
