"""Simplification is sound, never enlarges, takes time in proportion, and says the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from cProfile import Profile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.simplify import simplify
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import TIDY_RULES, rows_sum_to_one, tidy
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, Node
from chainrule.graph.rewrite import Trail, rewrite
from chainrule.graph.text import to_text
from chainrule.graph.verify import verify
from tests.laws import deep, exact
from tests.laws.random_graphs import Example, examples
from tests.laws.test_random_graphs import differentiable, sizes_of

Array = npt.NDArray[Any]

ULPS: Final = 4  # for each node, relative to the largest number met on the way
NEAR: Final = 1e-9  # numbers nearer than this are compared as rounding has it

patient = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def with_gradients(example: Example) -> Graph:
    """The outputs of the example and the gradient of its loss with respect to every input."""
    graph, wrt = example.graph, differentiable(example)
    found = gradients(graph["loss"], list(wrt.values()))
    return graph.with_outputs({**dict(graph.outputs), **dict(zip((f"d{name}" for name in wrt), found, strict=True))})


def numbers(graph: Graph, inputs: dict[str, Array]) -> dict[Node, Array]:
    """The value of every node."""
    named = {str(k): node for k, node in enumerate(graph.nodes)}
    found = ReferenceBackend().evaluate(graph.with_outputs(named), inputs)
    return {node: found[name] for name, node in named.items()}


# ---- the value stays ----


def exact_values(graph: Graph, inputs: dict[str, exact.Exact], sizes: dict[str, int]) -> dict[Node, exact.Exact]:
    try:
        return exact.evaluate(graph.results, inputs, sizes)
    except ZeroDivisionError:
        assume(False)
        raise


def check_exactly(before: Graph, after: Graph, trail: Trail, example: Example) -> None:
    """Both graphs, and both sides of every step, have the same value to the last digit."""
    sizes, inputs = sizes_of(before, example.inputs), exact.rationals(before, example.inputs)
    old, new = exact_values(before, inputs, sizes), exact.evaluate(after.results, inputs, sizes)
    for (name, left), (_, right) in zip(before.outputs, after.outputs, strict=True):
        assert (old[left] == new[right]).all(), f"{name} differs\n{to_text(before)}\n{to_text(after)}"
    for step in trail:
        sides = exact.evaluate([step.before, step.after], inputs, sizes)
        assert (sides[step.before] == sides[step.after]).all(), step


@patient
@given(examples(steps=6, without=frozenset({"erf"})))
def test_simplification_is_exact_in_exact_numbers(example: Example) -> None:
    """Without erf, whose slope 2/√π is no number that a product of floats is rounded to."""
    graph = with_gradients(example)
    after, trail = simplify(graph)
    check_exactly(graph, verify(after), trail, example)


@patient
@given(examples(steps=6))
def test_tidying_is_exact_in_exact_numbers(example: Example) -> None:
    graph = with_gradients(example)
    after, trail = rewrite(graph, TIDY_RULES)
    assert after.outputs == tidy(graph).outputs
    check_exactly(graph, verify(after), trail, example)


def test_an_unsound_rule_would_be_seen() -> None:
    """(a + b) · c, and a + b · c: the exact values tell them apart."""
    a, b, c = (e.variable(name, "float64", (2,)) for name in "abc")
    values = {name: exact.rationals_of([k + 1, 2 * k - 3]) for k, name in enumerate("abc")}
    found = exact.evaluate([((a + b) * c).node, (a + b * c).node, (a * c + b * c).node], values, {})
    assert (found[((a + b) * c).node] == found[(a * c + b * c).node]).all()
    assert (found[((a + b) * c).node] != found[(a + b * c).node]).any()


def undecided(values: dict[Node, Array]) -> bool:
    """Whether rounding decides a comparison, as where a maximum has a near tie."""
    return any(
        _near(node, values) for node in values if node.primitive in ("greater", "greater_equal", "equal", "sign")
    )


def _near(node: Node, values: dict[Node, Array]) -> bool:
    x, y = node.inputs[0], node.inputs[-1]
    if not x.tensor.is_float or (x is y and node.primitive != "sign"):
        return False
    distance = np.abs(values[x] - values[y]) if x is not y else np.abs(values[x])
    is_largest = y.primitive == "broadcast" and y.inputs[0].primitive == "max" and y.inputs[0].inputs[0] is x
    return bool(((distance < NEAR) & ((distance > 0) | (not is_largest))).any())


@patient
@given(examples())
def test_simplification_keeps_the_value_but_for_rounding(example: Example) -> None:
    graph = with_gradients(example)
    old = numbers(graph, example.inputs)
    assume(not undecided(old))
    after, _ = simplify(graph)
    new = numbers(after, example.inputs)
    largest = max(float(np.abs(x).max()) for x in old.values() if x.dtype == np.float64 and x.size)
    bound = ULPS * np.finfo(np.float64).eps * len(old) * largest
    for (name, left), (_, right) in zip(graph.outputs, after.outputs, strict=True):
        finite = np.isfinite(old[left]) & np.isfinite(new[right])
        difference = np.abs(old[left] - new[right])[finite]
        assert (difference <= bound).all(), f"{name} differs\n{to_text(graph)}\n{to_text(after)}"


def same_bits(example: Example) -> None:
    """What `tidy` leaves has the bits it had; the one rule that replaces a rounded 1 by 1 is left out."""
    graph = with_gradients(example)
    after, _ = rewrite(graph, [rule for rule in TIDY_RULES if rule is not rows_sum_to_one])
    old, new = numbers(graph, example.inputs), numbers(after, example.inputs)
    for (name, left), (_, right) in zip(graph.outputs, after.outputs, strict=True):
        finite = np.isfinite(old[left]) & np.isfinite(new[right])
        assert (old[left] == new[right])[finite].all(), f"{name} differs\n{to_text(graph)}\n{to_text(after)}"


@patient
@given(examples(dtype="float64"))
def test_tidying_keeps_every_bit_in_float64(example: Example) -> None:
    same_bits(example)


@patient
@given(examples(dtype="float32"))
def test_tidying_keeps_every_bit_in_float32(example: Example) -> None:
    same_bits(example)


@patient
@given(examples(bound=5.0))
def test_the_safe_form_is_the_same_function(example: Example) -> None:
    after = verify(stabilize(example.graph))
    old, new = numbers(example.graph, example.inputs), numbers(after, example.inputs)
    assume(not undecided(old))
    for (name, left), (_, right) in zip(example.graph.outputs, after.outputs, strict=True):
        assert np.allclose(old[left], new[right], rtol=1e-9, atol=1e-9, equal_nan=True), name


# ---- the graph does not grow ----


@patient
@given(examples())
def test_passes_are_well_formed_and_never_enlarge(example: Example) -> None:
    """Nor do they when they are repeated; and rules fire far less often than they may, which is 40 times a node."""
    graph = verify(with_gradients(example))
    simple, trail = simplify(graph)
    assert len(simplify(verify(simple))[0].nodes) <= len(simple.nodes) <= len(graph.nodes)
    assert len(trail) <= 4 * len(graph.nodes)
    tidied, trail = rewrite(graph, TIDY_RULES)
    assert tidy(verify(tidied)).outputs == tidied.outputs
    assert len(tidied.nodes) <= len(graph.nodes)
    assert len(trail) <= 4 * len(graph.nodes)
    safe = verify(stabilize(graph))
    assert stabilize(safe).outputs == safe.outputs
    for after in (simple, tidied, safe):
        assert (after.inputs, after.facts, after.output_names) == (graph.inputs, graph.facts, graph.output_names)


# ---- the work grows in proportion ----


def work(act: Callable[[], object]) -> int:
    """How many functions are called, in Python and in C: a count, not a time."""
    counter = Profile()
    counter.runcall(act)
    return sum(entry.callcount for entry in counter.getstats())


PASSES: Final[dict[str, Callable[[Graph], object]]] = {
    "stabilize": stabilize,
    "differentiate": deep.differentiated,
    "tidy": lambda graph: tidy(deep.differentiated(stabilize(graph))),
    "simplify": lambda graph: simplify(deep.differentiated(graph)),
    "verify": verify,
}


def depths(kind: str) -> tuple[int, int]:
    """Fewer layers where each has many nodes."""
    return (25, 50) if kind.endswith("relu") else (10, 20)


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("kind", deep.KINDS)
def test_twice_the_depth_is_at_most_twice_the_work(kind: str, name: str) -> None:
    half, whole = (deep.network(kind, depth) for depth in depths(kind))
    once, twice = (work(lambda graph=graph: PASSES[name](graph)) for graph in (half, whole))
    assert twice / once < 2.3, (once, twice)


@pytest.mark.parametrize("kind", deep.KINDS)
def test_graphs_and_trails_grow_with_the_depth(kind: str) -> None:
    sizes: list[int] = []
    steps: list[int] = []
    for depth in depths(kind):
        after, trail = simplify(deep.differentiated(deep.network(kind, depth)))
        sizes.append(len(after.nodes))
        steps.append(len(trail))
    assert sizes[1] / sizes[0] < 2.1
    assert steps[1] <= 2 * steps[0] + 5


def test_building_a_deep_network_is_linear() -> None:
    half, whole = (work(lambda depth=depth: deep.network("residual relu", depth)) for depth in (25, 50))
    assert whole / half < 2.3


# ---- the same every time ----


def test_what_was_built_before_does_not_show() -> None:
    before = deep.texts()
    others = [deep.step_graph("residual gelu", 3), simplify(deep.differentiated(deep.network("dense tanh", 3)))]
    assert deep.texts() == before
    assert len(others) == 2


def test_the_text_does_not_depend_on_the_hash_seed() -> None:
    root = Path(__file__).parents[2]
    code = "from tests.laws.deep import texts; import sys; sys.stdout.buffer.write(texts().encode())"
    expected = deep.texts()
    for seed in ("0", "1", "2", "17", "4242"):
        paths = os.pathsep.join([str(root), *(path for path in sys.path if path)])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        found = subprocess.run([sys.executable, "-c", code], env=environment, cwd=root, check=True, capture_output=True)
        assert found.stdout.decode() == expected, seed
