"""Whatever is known of a value is true of it: facts against numbers, on random graphs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import given

from chainrule.backends.reference import ReferenceBackend
from chainrule.graph.facts import Fact, Facts
from tests.laws.random_graphs import Example, examples

Array = npt.NDArray[Any]

# For each fact, what it says of an array. Rows may be off by rounding; nothing else may.
HOLDS: Final[dict[Fact, Callable[[Array], bool]]] = {
    Fact.NONNEGATIVE: lambda x: bool((x >= 0).all()),
    Fact.POSITIVE: lambda x: bool((x > 0).all()),
    Fact.NEGATIVE: lambda x: bool((x < 0).all()),
    Fact.BELOW_ONE: lambda x: bool((x < 1).all()),
    Fact.BINARY: lambda x: bool(((x == 0) | (x == 1)).all()),
    Fact.LABELS: lambda x: bool((x == np.floor(x)).all() and (x >= 0).all()),
    Fact.ROWS_SUM_TO_ONE: lambda x: bool(np.allclose(x.sum(-1, dtype=np.float64), 1.0, rtol=1e-12)),
    Fact.ONE_HOT: lambda x: bool(((x != 0).sum(-1) == 1).all() and ((x == 0) | (x == 1)).all()),
}


def test_every_fact_can_be_checked() -> None:
    assert set(HOLDS) == set(Fact)


@given(examples(bound=5.0))
def test_what_is_known_is_true(example: Example) -> None:
    """The bound keeps values where functions do not round to their limits: a fact is about exact numbers."""
    graph = example.graph
    nodes = graph.nodes
    named = {f"v{k}": node for k, node in enumerate(nodes)}
    values = ReferenceBackend().evaluate(graph.with_outputs(named), example.inputs)
    facts = Facts(graph.assumed())
    for name, node in named.items():
        for fact in facts.of(node):
            assert HOLDS[fact](values[name]), f"{node!r} is not {fact}: {values[name]}"
