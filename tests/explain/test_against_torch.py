"""Each factor of an opened weight equals what PyTorch retains of the same network."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.explain.opened import Opened
from tests.explain.in_torch import InTorch
from tests.explain.networks import ROWS, SEEDS, random_setting, random_weights
from tests.explain.subjects import Array

TOLERANCE = 1e-10  # in float64, of the value or 1


def near(ours: object, theirs: object) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE)  # type: ignore[arg-type]


def compare(opened: Opened, kept: InTorch, adjoints: dict[str, Array]) -> None:
    """Every number of the chain of one sample, from the loss to the weight."""
    unit, start = opened.unit, opened.start(0)
    near(opened.values["losses"][0], kept.losses[0].detach().numpy())
    for name, value in kept.values.items():
        near(opened.values[name], value.detach().numpy())
        if f"∂ {name}" in opened.values:
            near(opened.values[f"∂ {name}"], adjoints[name])
    near(start.value, adjoints[start.name][0, unit])
    for step in opened.steps(0):
        near(opened.slope(step, 0), kept.slope(step.upper, step.lower)[0, unit])
    near(opened.delta(0), adjoints[opened.route.z][0, unit])
    near(opened.gradient, adjoints[opened.parameter][opened.index])
    for path in opened.paths(0):
        if path.reader is not None:
            weight = opened.values[f"W {path.reader.W}"][unit, path.k]
            near(path.value, adjoints[path.reader.z][0, path.k] * weight)
            near(np.prod(path.factors[:-1]), adjoints[path.reader.z][0, path.k])
            assert path.factors[-1] == weight
        elif opened.route.beyond is not None:
            near(path.factors[0], adjoints[opened.route.beyond][0, path.k])
    if not opened.is_bias:
        named = [name for name in kept.values if opened.way.nodes[name] is opened.route.source]
        near(opened.source(0), (kept.values[named[0]] if named else kept.x)[0, opened.index[0]].item())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_factor_is_the_one_that_pytorch_retains(seed: int) -> None:
    made = random_setting(seed)
    row = seed % ROWS
    kept = InTorch(made, (row,))
    adjoints = kept.backward()
    for weight in random_weights(made, row, seed):
        compare(made.open(weight, (row,)), kept, adjoints)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_is_the_weighted_mean_of_its_samples(seed: int) -> None:
    made = random_setting(seed)
    rows = tuple(range(ROWS))
    adjoints = InTorch(made, rows).backward()
    for weight in random_weights(made, 0, seed):
        opened = made.open(weight, rows)
        own = [made.open(weight, (row,)).gradient for row in rows]
        shares = made.prepared.weights / made.prepared.weights.sum()
        near(opened.gradient, adjoints[opened.parameter][opened.index])
        near(opened.gradient, float(np.sum(opened.contributions)))
        near(opened.gradient, float(np.dot(shares, own)))
        near(opened.per_sample, own)
        near(opened.contributions, shares * own)
        near(opened.shares, shares)
