"""First values have the stated range and variance, and are a function of the seed and the parameter's index."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chainrule.draws import Purpose, normal, uniform
from chainrule.errors import ExperimentError, UnknownNameError, ValueRangeError
from chainrule.nn.initializers import INITIALIZERS, Constant, fans, initial_value

SHAPE = (300, 200)  # inputs, outputs
VARIANCES = {"glorot": 2 / 500, "he": 2 / 300, "lecun": 1 / 300}
DRAWN = [name for name, row in INITIALIZERS.items() if row.distribution != "same"]


@pytest.mark.parametrize("name", DRAWN)
def test_mean_and_variance_are_the_stated_ones(name: str) -> None:
    values = initial_value(name, SHAPE, seed=5, index=0)
    variance = VARIANCES[name.split("_")[0]]
    kurtosis = 3.0 if name.endswith("normal") else 1.8
    assert values.dtype == np.float64
    assert values.shape == SHAPE
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert abs(values.var() / variance - 1) < 5 * math.sqrt((kurtosis - 1) / values.size)


@pytest.mark.parametrize("name", [name for name in DRAWN if name.endswith("uniform")])
def test_uniform_values_reach_and_keep_their_limit(name: str) -> None:
    limit = math.sqrt(3 * VARIANCES[name.split("_")[0]])
    values = initial_value(name, SHAPE, seed=1, index=0)
    assert -limit <= values.min() < -0.999 * limit
    assert 0.999 * limit < values.max() < limit


@pytest.mark.parametrize("name", [name for name in DRAWN if name.endswith("normal")])
def test_normal_values_are_not_truncated(name: str) -> None:
    deviation = math.sqrt(VARIANCES[name.split("_")[0]])
    beyond = np.mean(np.abs(initial_value(name, SHAPE, seed=1, index=0)) > 2 * deviation)
    assert beyond == pytest.approx(0.0455, abs=5 * math.sqrt(0.0455 / math.prod(SHAPE)))


def test_the_numbers_are_those_of_the_draws() -> None:
    drawn = uniform(9, Purpose.INITIALIZE, 4, (2, 4))
    np.testing.assert_array_equal(initial_value("glorot_uniform", (2, 4), seed=9, index=4), 2 * drawn - 1)  # √(6/6)
    np.testing.assert_array_equal(
        initial_value("lecun_normal", (4, 3), seed=9, index=4), normal(9, Purpose.INITIALIZE, 4, (4, 3)) / 2
    )


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_seed_gives_the_same_bits_and_another_parameter_others(name: str) -> None:
    first = initial_value(name, (20, 30), seed=3, index=0)
    assert first.tobytes() == initial_value(name, (20, 30), seed=3, index=0).tobytes()
    for seed, index in ((3, 1), (4, 0)):
        assert not np.any(first == initial_value(name, (20, 30), seed=seed, index=index))


@pytest.mark.parametrize(("choice", "expected"), [("zeros", 0.0), ("ones", 1.0), (Constant(-0.25), -0.25)])
def test_equal_values(choice: str | Constant, expected: float) -> None:
    values = initial_value(choice, (2, 3), seed=0, index=0)
    assert values.dtype == np.float64
    assert values.tolist() == [[expected] * 3] * 2


@pytest.mark.parametrize(
    ("shape", "expected"), [((), (1, 1)), ((7,), (7, 7)), ((4, 9), (4, 9)), ((3, 3, 2, 8), (18, 72))]
)
def test_inputs_and_outputs_of_a_unit(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert fans(shape) == expected


def test_pytorch_draws_from_the_same_distributions() -> None:
    assert INITIALIZERS["glorot_uniform"].number(3, 5) == 2 / 8
    assert INITIALIZERS["he_normal"].number(3, 5) == 2 / 3
    assert INITIALIZERS["lecun_normal"].number(3, 5) == 1 / 3


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'he_normal'"):
        initial_value("he_norml", (2, 2), seed=0, index=0)
    with pytest.raises(ValueRangeError):
        initial_value("he_normal", (2, 2), seed=-1, index=0)
    constant: Any = Constant  # as code without types calls it
    for bad in (math.nan, math.inf, "0.5", True):
        with pytest.raises(ExperimentError, match="constant needs a finite number as value"):
            constant(bad)
