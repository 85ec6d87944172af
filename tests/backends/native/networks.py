"""Training steps of small networks, made as training makes them: loss, stable form, gradients, update, tidied."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.protocol import Step
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import DType, named

Array = npt.NDArray[Any]
N: Final = named("n")
ACTIVATIONS: Final[dict[str, Callable[[Expr], Expr]]] = {
    "relu": lambda z: e.maximum(z, 0.0),
    "tanh": e.tanh,
    "sigmoid": e.sigmoid,
}


def _loss(kind: str, z: Expr, dtype: DType) -> Expr:
    if kind == "cross_entropy":
        y = e.variable("y", "int32", (N,))
        one_hot = e.cast(e.equal(e.iota(z.shape, 1), e.broadcast(y, z.shape, (1,))), dtype)
        return -e.mean(e.sum(one_hot * e.log(e.exp(z) / e.sum(e.exp(z), -1, keepdims=True)), 1))
    y = e.variable("y", dtype, z.shape)
    if kind == "binary":
        p = e.sigmoid(z)
        return -e.mean(y * e.log(p) + (1.0 - y) * e.log(1.0 - p))
    return e.mean((z - y) ** 2)


def _update(kind: str, p: Expr, g: Expr, state: dict[str, Expr]) -> dict[str, Expr]:
    """The next value of a parameter and of what the optimizer keeps of it."""
    name, rate = p.node.label, e.variable("rate", p.dtype)
    if kind == "sgd":
        return {name: p - rate * g}
    if kind == "decay":
        return {name: p - rate * (g + 0.01 * p)}
    v = state[f"v_{name}"] = e.variable(f"v_{name}", p.dtype, p.shape)
    if kind == "momentum":
        velocity = 0.9 * v + g
        return {f"v_{name}": velocity, name: p - rate * velocity}
    m, time = e.variable(f"m_{name}", p.dtype, p.shape), e.variable("time", p.dtype)
    state[f"m_{name}"] = m
    first, second = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * (g * g)
    corrected = second / (1.0 - e.exp(time * math.log(0.999)))
    step = first / (1.0 - e.exp(time * math.log(0.9))) / (e.sqrt(corrected) + 1e-8)
    return {f"m_{name}": first, f"v_{name}": second, name: p - rate * step}


def network_step(
    widths: tuple[int, ...],
    *,
    activation: str = "relu",
    loss: str = "squares",
    optimizer: str = "sgd",
    dtype: DType = "float32",
    stored: DType | None = None,
    measure: tuple[str, ...] = ("loss",),
) -> Step:
    """A network of dense layers; measures the loss, and of each parameter the gradient's norm if "norms" is asked."""
    x = e.variable("x", stored or dtype, (N, widths[0]))
    a = e.cast(x, dtype) * (1 / 16) if stored else x
    parameters: list[Expr] = []
    for k, (i, o) in enumerate(itertools.pairwise(widths)):
        parameters += [e.variable(f"W{k}", dtype, (i, o)), e.variable(f"b{k}", dtype, (o,))]
        z = a @ parameters[-2] + parameters[-1]
        a = ACTIVATIONS[activation](z) if k < len(widths) - 2 else z
    value = stabilize(make_graph({"loss": _loss(loss, a, dtype).node}))["loss"]
    slopes = [Expr(g) for g in gradients(value, [p.node for p in parameters])]
    state, outputs = {p.node.label: p for p in parameters}, dict[str, Expr]()
    for p, g in zip(parameters, slopes, strict=True):
        outputs |= _update(optimizer, p, g, state)
    extra = {"loss": Expr(value), "rows": e.size("n")}
    norms = {f"norm_{p.node.label}": e.sqrt(e.sum(g**2)) for p, g in zip(parameters, slopes, strict=True)}
    means = {"mean": e.mean(a, 0), "alive": e.mean(e.cast(a > 0.0, dtype))}
    for name in measure:
        outputs |= {"norms": norms, "means": means}.get(name) or {name: extra[name]}
    graph = tidy(make_graph({name: each.node for name, each in outputs.items()}))
    return Step(graph, tuple(state), ("x", "y"), ("rate",), "time" if optimizer == "adam" else None)


def first_state(step: Step) -> dict[str, Array]:
    rng = np.random.default_rng(1)
    result: dict[str, Array] = {}
    for name in step.state:
        kind = step.graph.input(name).tensor
        shape = tuple(d for d in kind.shape if isinstance(d, int))
        scale = {"W": 1 / math.sqrt(shape[0]), "b": 0.1}.get(name[0], 0.0)
        result[name] = (scale * rng.normal(size=shape)).astype(kind.dtype)
    return result


def samples(step: Step, rows: int) -> dict[str, Array]:
    rng = np.random.default_rng(2)
    x, y = (step.graph.input(name).tensor for name in ("x", "y"))
    inner = tuple(d for d in x.shape[1:] if isinstance(d, int))
    values = rng.integers(0, 100, (rows, *inner)) if x.dtype in ("uint8", "int8") else rng.normal(size=(rows, *inner))
    if y.dtype == "int32":
        return {"x": values.astype(x.dtype), "y": rng.integers(0, 3, rows).astype(np.int32)}
    columns = tuple(d for d in y.shape[1:] if isinstance(d, int))
    return {"x": values.astype(x.dtype), "y": rng.integers(0, 2, (rows, *columns)).astype(y.dtype)}
