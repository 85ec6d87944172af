"""What every processor that rounds x y + z once comes to, to the bit: kept as digests, with inputs that are exact."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pytest

from chainrule.backends.native.machine import Isa
from chainrule.backends.protocol import Step
from chainrule.graph import expr as e
from chainrule.graph.tensor_type import DType, TensorType, named
from tests.backends.native.agreement import ISAS, Array, bits_of, formula, native, train
from tests.backends.native.networks import network_step
from tests.conftest import Golden

FUSED: Final = [isa for isa in ISAS if isa.fused]
ROWS, BATCH, STEPS = 150, 16, 10  # the last batch is smaller
NETWORKS: Final[dict[str, dict[str, Any]]] = {
    "sgd, relu, uint8": {"widths": (64, 16, 10), "loss": "cross_entropy", "stored": "uint8"},
    "sgd, sigmoid, in registers": {"widths": (2, 2, 1), "activation": "sigmoid", "loss": "binary"},
    "momentum, tanh, float16": {
        "widths": (33, 17, 3),
        "activation": "tanh",
        "optimizer": "momentum",
        "stored": "float16",
    },
    "adam, tanh": {"widths": (40, 24, 17, 3), "activation": "tanh", "optimizer": "adam", "loss": "cross_entropy"},
    "adam, sigmoid": {"widths": (20, 50, 3), "activation": "sigmoid", "optimizer": "adam"},
}
FUNCTIONS: Final = (e.exp, e.log, e.expm1, e.log1p, e.tanh, e.sigmoid, e.softplus, e.erf, e.sqrt)


def numbers(rng: np.random.Generator, kind: TensorType) -> Array:
    """0, 1 and 2 for what is whole, else sixteenths up to 1: exact, and the same on every machine."""
    shape = tuple(dim if isinstance(dim, int) else ROWS for dim in kind.shape)
    if kind.is_float:
        return (rng.integers(-16, 17, shape) / 16).astype(kind.dtype)
    return rng.integers(0, 3, shape).astype(kind.dtype)


def given(step: Step) -> tuple[dict[str, Array], dict[str, Array]]:
    """First weights and biases, moments of 0, and samples."""
    rng = np.random.default_rng(4)
    start = {name: numbers(rng, step.graph.input(name).tensor) for name in step.state}
    moments = {name: np.zeros_like(array) for name, array in start.items() if name[0] in "mv"}
    return start | moments, {name: numbers(rng, step.graph.input(name).tensor) for name in step.columns}


def digest(values: dict[str, Array]) -> str:
    whole = b"".join(name.encode() + bits_of(array) for name, array in sorted(values.items()))
    return hashlib.sha256(whole).hexdigest()[:16]


def patterns(dtype: DType) -> Array:
    """Numbers of all sizes, spread evenly over the bits that there are, and those around 0 where functions bend."""
    size = {"float32": 32, "float64": 64}[dtype]
    everywhere = (np.arange(2**13, dtype=np.uint64) << np.uint64(size - 13)).astype(f"u{size // 8}").view(dtype)
    near = np.arange(-(2**13), 2**13) / 512
    return np.concatenate([everywhere, near.astype(dtype)])


@pytest.mark.parametrize("isa", FUSED, ids=lambda isa: isa.name)
def test_training_comes_to_the_same_bits_everywhere(isa: Isa, golden: Golden) -> None:
    lines: list[str] = []
    for name, options in NETWORKS.items():
        for dtype in ("float32", "float64"):
            step = network_step(**options, dtype=dtype, measure=("loss", "norms"))
            state, measured = train(step, native(isa), *given(step), BATCH, STEPS)
            assert all(np.isfinite(array).all() for array in state.values())
            lines.append(f"{name}, {dtype}: weights {digest(state)}, losses and norms {digest(measured)}\n")
    golden("training.txt", "".join(lines))


@pytest.mark.parametrize("isa", FUSED, ids=lambda isa: isa.name)
def test_functions_come_to_the_same_bits_everywhere(isa: Isa, golden: Golden) -> None:
    lines: list[str] = []
    for dtype in ("float32", "float64"):
        x = e.variable("x", dtype, (named("n"),))
        graph = formula(**{function.__name__: function(x) for function in FUNCTIONS}, power=x**1.7)
        for name, values in native(isa).evaluate(graph, {"x": patterns(dtype)}).items():
            lines.append(f"{name} {dtype} {digest({name: values})}\n")
    golden("functions.txt", "".join(lines))
