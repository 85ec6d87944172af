"""The examples in the room's docstrings are true, and every member of an open set has one."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
from typing import Any

import numpy as np
import pytest

from chainrule import nn
from chainrule.graph.expr import Expr, variable
from chainrule.graph.tensor_type import named
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layers import LAYERS, Dense
from chainrule.nn.losses import LOSSES
from chainrule.nn.optimizers import OPTIMIZERS
from tests.nn.values import value

MODULES = [module.name for module in pkgutil.walk_packages(nn.__path__, "chainrule.nn.")]
n, k = named("n"), named("k")


def row(name: str) -> Expr:
    return variable(name, "float64", (k,))


def rows(name: str) -> Expr:
    return variable(name, "float64", (n, k))


# What the letters of a module's examples stand for.
LETTERS: dict[str, dict[str, Any]] = {
    "activations": {"z": row("z"), "math": math},
    "initializers": {"np": np},
    "losses": {
        **{name: rows(name) for name in ("y_hat", "y")},
        **{name: variable(name, "float64", (n,)) for name in ("per_sample", "weight")},
        "labels": variable("labels", "int32", (n,)),
    },
    "layers.dense": {
        "x": variable("x", "float64", (n, 2)),
        "W": variable("W", "float64", (2, 2)),
        "b": variable("b", "float64", (2,)),
    },
    "layers.activation": {"x": rows("x")},
    "layers.flatten": {"image": variable("image", "float64", (n, 2, 2))},
    "network": {"Dense": Dense},
    **{
        f"optimizers.{kind}": {
            **{name: row(name) for name in ("W", "g", "v", "m")},
            "rate": variable("rate", "float64"),
            "step": variable("step", "uint32"),
        }
        for kind in ("sgd", "adam")
    },
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    module = importlib.import_module(name)
    letters = LETTERS.get(name.removeprefix("chainrule.nn."), {})
    failed, _ = doctest.testmod(module, extraglobs={"value": value, **letters}, report=True)
    assert failed == 0


MEMBERS = {
    **{row.name: row.formula for row in ACTIVATIONS.values()},
    **{row.name: row.per_sample for row in LOSSES.values()},
    **LAYERS,
    **{type(each).__name__: type(each) for each in OPTIMIZERS.values()},
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_is_documented_in_full(name: str) -> None:
    text = MEMBERS[name].__doc__ or ""
    assert "Args:" in text
    assert "Example:" in text
    assert ">>> " in text
