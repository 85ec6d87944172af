"""Random steps of training: states, columns, rates and a clock, of every dtype, joined by every primitive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from chainrule.autodiff.reverse import gradients
from chainrule.backends.protocol import Step
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import DTYPES, Shape, TensorType, concrete, named, product, symbols_of
from tests.backends.native.examples import Example
from tests.backends.native.random_values import COMPUTED, MAKERS, Draw, Pool, common, computed

Array: TypeAlias = npt.NDArray[Any]

N, M = named("n"), named("m")  # the rows of a batch, and an axis of the state that is known when it starts
PALETTES: Final = (  # lengths of axes and of batches: some that stay in registers, and some that do not
    ((2, 3, 1, 4), (2, 1, 3, 4)),
    ((3, 1, 2, 5, 16, 17, 20, 33, 0), (2, 1, 3, 4, 7, 16, 17, 40, 200)),
)


class Inputs(NamedTuple):
    """The inputs of a step by their roles."""

    states: tuple[Expr, ...]
    columns: tuple[Expr, ...]
    rates: tuple[Expr, ...]
    clock: tuple[Expr, ...]


@st.composite
def examples(draw: Draw, *, values: int = 10) -> Example:
    """A random step, made of so many values at most, and what it is run on."""
    all_lengths, all_batches = draw(st.sampled_from(PALETTES))
    batches = draw(st.lists(st.sampled_from(all_batches), min_size=1, max_size=4))
    sizes = {"n": max(batches), "m": draw(st.sampled_from([3, 1, 4, 17]))}
    lengths = draw(st.lists(st.sampled_from(all_lengths), min_size=1, max_size=3))
    dims = (*lengths, *draw(st.sampled_from([(), (M,)])))
    pool = Pool(draw, draw(st.sampled_from(["float32", "float64"])), dims, sizes)
    inputs = _inputs(pool)
    pool.values.extend(x for each in inputs for x in each)
    pool.lengths = (*dims, N) if inputs.columns else dims
    for make in draw(st.lists(st.sampled_from(MAKERS), min_size=values // 2, max_size=values)):
        pool.keep(make(pool))
    for w in inputs.states:
        pool.keep(_seen(pool, w))
    following = {w.node.label: _following(pool, w) for w in inputs.states if draw(st.integers(0, 4)) > 0}
    many = {f"v{k}": _without_rows(pool, x) for k, x in enumerate(pool.values)}
    chosen = draw(st.lists(st.sampled_from(list(many)[::-1]), min_size=1, max_size=8, unique=True))
    few = {name: many[name] for name in chosen}
    return _on_values(draw, _step(inputs, following | few), _step(inputs, following | many), sizes, batches)


def _inputs(pool: Pool) -> Inputs:
    draw = pool.draw
    states = [_variable(pool, f"w{k}", ()) for k in range(draw(st.integers(1, 4)))]
    columns = [_variable(pool, f"x{k}", (N,)) for k in range(draw(st.sampled_from([1, 2, 1, 2, 0])))]
    rates = [e.variable("rate", dtype) for dtype in draw(st.sampled_from([(), ("float32",), ("float64",)]))]
    clock = [e.variable("step", d) for d in draw(st.sampled_from([(), ("uint32",), ("int32",), ("float32",)]))]
    if M in pool.lengths:
        states.append(e.variable("known", pool.dtype, (M,)))
    return Inputs(tuple(states), tuple(columns), tuple(rates), tuple(clock))


def _step(inputs: Inputs, outputs: dict[str, Expr]) -> Step:
    given = [x.node for each in inputs for x in each]
    states, columns, rates, clock = (tuple(x.node.label for x in each) for each in inputs)
    graph = make_graph({name: x.node for name, x in outputs.items()}, given)
    return Step(graph, states, columns, rates, clock[0] if clock else None)


def _variable(pool: Pool, name: str, first: Shape) -> Expr:
    dtype = pool.draw(st.sampled_from([pool.dtype] * 8 + list(DTYPES)))
    shape = pool.draw(st.lists(st.sampled_from(pool.lengths), max_size=3 - len(first)))
    return e.variable(name, dtype, (*first, *shape))


def _seen(pool: Pool, w: Expr) -> Expr:
    """A state read in another order than that in which its next value is written, or all of it at once."""
    x = computed(pool, w)
    if x.type.rank == 0 or x.dtype == "bool" or 0 in x.shape:
        return x
    last, rank = x.shape[-1], x.type.rank
    looks = [e.transpose(x, range(rank)[::-1]), e.sum(x, 0), e.sum(x, -1), e.max(x), e.argmax(x, 0), e.sum(x)]
    if isinstance(last, int):
        looks += [e.slice_axis(x, rank - 1, last // 2, last), e.pad(x, rank - 1, 1, 0)]
    if rank == 2 and x.type.is_float:
        looks += [x @ x.T, x.T @ x]
    return pool.draw(st.sampled_from(looks))


def _following(pool: Pool, w: Expr) -> Expr:
    """A next value: made of its own elements, a step down a slope, another value as it is, or one made to fit."""
    which = pool.draw(st.sampled_from(["own", "slope", "other", "fitted"]))
    same = [x for x in pool.values if x.type == w.type and x is not w]
    if which == "other" and same:
        return pool.draw(st.sampled_from(same[::-1]))
    if which == "slope" and w.type.is_float:
        loss = e.mean(e.tanh(pool.float()))
        (slope,) = gradients(loss.node, [w.node])
        return w - Expr(slope) * 0.1
    shapes = (w.shape, w.shape[::-1]) if pool.draw(st.booleans()) else None
    x = _fitted(pool, pool.any(lambda x: shapes is None or x.shape in shapes), w.shape)
    if which == "own" and w.type.is_float:
        return e.tanh(w * 0.5 + e.cast(x, w.dtype)) if pool.draw(st.booleans()) else e.tanh(e.tanh(w * 0.9) * 0.9)
    return e.cast(x, w.dtype)


def _fitted(pool: Pool, x: Expr, shape: Shape) -> Expr:
    """A value brought to a shape: turned, put into it in order, repeated, or summed and repeated."""
    x = computed(pool, x)
    if x.shape == shape[::-1] and pool.draw(st.booleans()):
        return e.transpose(x, range(x.type.rank)[::-1])
    if x.shape == shape:
        return x if pool.draw(st.booleans()) else _shifted(x)
    if product(x.shape) == product(shape):
        return e.reshape(x, shape)
    x = e.cast(x, "int32") if x.dtype == "bool" else x
    fits = common(x, e.variable("any", x.dtype, shape)) == shape
    return e.broadcast_to(x if fits else e.sum(x), shape)


def _shifted(x: Expr) -> Expr:
    """Each element one place farther along the first axis, 0 in front."""
    length = x.shape[0] if x.shape else None
    return e.slice_axis(e.pad(x, 0, 1, 0), 0, 0, length) if isinstance(length, int) else x


def _without_rows(pool: Pool, x: Expr) -> Expr:
    """A value as it is measured: summed over the rows of the batch, or the largest of them."""
    axes = [axis for axis, dim in enumerate(x.shape) if "n" in symbols_of((dim,))]
    if not axes:
        return x
    x = x if x.dtype in COMPUTED else e.cast(x, pool.dtype)
    return pool.draw(st.sampled_from([e.sum, e.max] if 0 not in x.shape else [e.sum]))(x, axes)


# ---- numbers ----


def _on_values(draw: Draw, step: Step, asked: Step, sizes: dict[str, int], batches: Sequence[int]) -> Example:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["whole", "near", "special"]))
    rows = max(batches) + 3
    start = {name: drawn(rng, step.graph.input(name).tensor, sizes, kind) for name in step.state}
    data = {name: drawn(rng, step.graph.input(name).tensor, {**sizes, "n": rows}, kind) for name in step.columns}
    offsets = np.array([0, *np.cumsum(batches)], np.int64)
    order = rng.integers(0, rows, int(offsets[-1])).astype(np.int64)
    rates = {name: rng.uniform(0, 0.5, len(batches)) for name in step.rates}
    return Example(step, asked, start, data, rates, order, offsets, draw(st.sampled_from([0, 1, 7])))


SPECIAL: Final = (0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1e30)


def drawn(rng: np.random.Generator, type_: TensorType, sizes: dict[str, int], kind: str) -> Array:
    """An array of a type: small whole numbers, of which many are equal, or numbers near 0, or some that are special."""
    shape = concrete(type_.shape, sizes)
    if type_.dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if type_.dtype in ("int32", "uint32", "uint8", "int8"):
        bounds = np.iinfo(type_.dtype)
        low, high = (max(-3, bounds.min), 4) if kind == "whole" else (bounds.min, bounds.max)
        return rng.integers(low, high, shape).astype(type_.dtype)
    x = rng.integers(-2, 3, shape).astype(np.float64) if kind == "whole" else np.asarray(rng.normal(size=shape))
    if kind == "special":
        x = np.where(rng.random(shape) < 0.1, rng.choice(SPECIAL, shape), x)
    with np.errstate(over="ignore"):
        return x.astype(type_.dtype)
