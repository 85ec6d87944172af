"""Native code against the reference: what is compared, and how far it may be off."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.native import NativeBackend
from chainrule.backends.native.machine import Isa, runnable
from chainrule.backends.protocol import Step, StopFlag
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, make_graph
from tests.absent import require

require("llvmlite", "pip install llvmlite")

Array = npt.NDArray[Any]
REFERENCE: Final = ReferenceBackend()
ISAS: Final[tuple[Isa, ...]] = runnable()


@lru_cache(maxsize=8)
def native(isa: Isa = ISAS[0], *, hasty: bool = False) -> NativeBackend:
    return NativeBackend(isa, hasty=hasty)


def both(graph: Graph, inputs: Mapping[str, Any], isa: Isa = ISAS[0]) -> tuple[dict[str, Array], dict[str, Array]]:
    """What native code and the reference make of a graph; code compiled in haste makes the same of it, to the bit.

    The reference is given what native code takes its inputs to be.
    """
    given = {name: inputs[name] for name in graph.input_names}
    taken = {name: flushed(each) for name, each in given.items()} if isa.flushes else given
    ours, wanted = native(isa).evaluate(graph, given), REFERENCE.evaluate(graph, taken)
    hasty = native(isa, hasty=True).evaluate(graph, given)
    for name, array in wanted.items():
        assert (ours[name].dtype, ours[name].shape) == (array.dtype, array.shape), name
        assert bits_of(hasty[name]) == bits_of(ours[name]), name
    return ours, wanted


def flushed(values: Any) -> Array:
    """The values, with 0 of the same sign for those too small to be normal; float16 has no arithmetic of its own."""
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.float64):
        return array
    return np.where(np.abs(array) < np.finfo(array.dtype).smallest_normal, np.copysign(0, array), array)


def bits_of(values: Array) -> bytes:
    """The bits, of a NaN no more than that it is one."""
    return np.where(np.isnan(values), np.nan, values).tobytes() if values.dtype.kind == "f" else values.tobytes()


def formula(**outputs: Expr) -> Graph:
    return make_graph({name: each.node for name, each in outputs.items()})


def distance(ours: Array, wanted: Array) -> float:
    """The largest distance in units in the last place; infinities and NaN must agree, and what is flushed is 0."""
    ours, wanted = flushed(ours), flushed(wanted)
    if ours.dtype.kind != "f":
        return 0.0 if np.array_equal(ours, wanted) else np.inf
    finite = np.isfinite(wanted)
    if not np.array_equal(ours[~finite], wanted[~finite], equal_nan=True) or not np.isfinite(ours[finite]).all():
        return np.inf
    apart = np.abs(ours[finite].astype(np.float64) - wanted[finite].astype(np.float64))
    with np.errstate(over="ignore"):
        units = np.minimum(np.spacing(np.abs(wanted[finite])), np.finfo(wanted.dtype).max)
    return float((apart / units).max(initial=0.0))


def train(
    step: Step, backend: Any, start: Mapping[str, Array], data: Mapping[str, Array], batch: int, steps: int
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The state and the measurements after some steps of a batch size, the last one smaller where it does not fit."""
    rows = len(next(iter(data.values())))
    order = np.random.default_rng(5).permutation(rows).astype(np.int64)
    offsets = np.array([*range(0, rows, batch), rows], np.int64)[: steps + 1]
    program = backend.compile(step)
    rates = {name: np.full(len(offsets) - 1, 0.05) for name in step.rates}
    result = program.run(program.start(start), data, order, offsets, rates, 1, StopFlag())
    assert result.steps_done == len(offsets) - 1
    return program.read(result.state), result.measurements
