"""A small network's training step, written out by hand: what the contract of a backend is tried on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.protocol import Step
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import DType, named

Array = npt.NDArray[Any]
N: Final = named("n")


def softmax_step(dtype: DType = "float32", *, measure: tuple[str, ...] = ("loss",)) -> Step:
    """Softmax regression of three classes on four features, with momentum; measures what is asked for."""
    x, y = e.variable("x", dtype, (N, 4)), e.variable("y", "int32", (N,))
    w, v = e.variable("W", dtype, (4, 3)), e.variable("v", dtype, (4, 3))
    rate, time = e.variable("learning_rate", dtype), e.variable("step", "uint32")
    z = x @ w
    shifted = z - e.max(z, -1, keepdims=True)
    log_p = shifted - e.log(e.sum(e.exp(shifted), -1, keepdims=True))
    target = e.cast(e.equal(e.reshape(y, (N, 1)), e.iota((N, 3), 1)), dtype)
    delta = e.exp(log_p) - target
    gradient = x.T @ (delta / e.count(N, dtype))
    velocity = 0.5 * v + gradient
    possible: dict[str, Expr] = {
        "loss": e.mean(-e.sum(target * log_p, -1)),
        "norm": e.sqrt(e.sum(gradient**2)),
        "gradient": gradient,
        "clock": time + 0,
        "rows": e.size("n"),
        "delta": e.sum(delta, 0),
        "log_p": e.sum(log_p, 0),
    }
    outputs = {"W": w - rate * velocity, "v": velocity} | {name: possible[name] for name in measure}
    graph = make_graph({name: each.node for name, each in outputs.items()}, [x.node, y.node, time.node])
    return Step(graph, ("W", "v"), ("x", "y"), ("learning_rate",), "step")


def data(rows: int = 23, dtype: DType = "float32") -> dict[str, Array]:
    """Random samples and labels."""
    rng = np.random.default_rng(7)
    return {"x": rng.normal(size=(rows, 4)).astype(dtype), "y": rng.integers(0, 3, rows).astype(np.int32)}


def state(dtype: DType = "float32") -> dict[str, Array]:
    """Initial weights and velocity."""
    rng = np.random.default_rng(8)
    return {"W": rng.normal(size=(4, 3)).astype(dtype), "v": np.zeros((4, 3), dtype)}


def schedule(rows: int = 23, batch: int = 5, epochs: int = 2) -> tuple[Array, Array]:
    """An order and its offsets; the last batch of each epoch is smaller."""
    rng = np.random.default_rng(9)
    order = np.concatenate([rng.permutation(rows) for _ in range(epochs)]).astype(np.int64)
    starts = [epoch * rows + start for epoch in range(epochs) for start in range(0, rows, batch)]
    return order, np.array([*starts, epochs * rows], np.int64)


def by_hand(steps: int, rate: float = 0.1) -> tuple[Array, list[float]]:
    """The weights and losses after so many steps, in plain float64 NumPy."""
    samples, start = data(dtype="float64"), state("float64")
    order, offsets = schedule()
    w, v, losses = start["W"], start["v"], []
    for k in range(steps):
        rows = order[offsets[k] : offsets[k + 1]]
        x, y = samples["x"][rows], np.eye(3)[samples["y"][rows]]
        p = np.exp(x @ w) / np.exp(x @ w).sum(1, keepdims=True)
        losses.append(float(-(y * np.log(p)).sum(1).mean()))
        v = 0.5 * v + x.T @ (p - y) / len(rows)
        w = w - rate * v
    return w, losses
