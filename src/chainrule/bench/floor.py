"""The least time a step can take on a processor: what no system can undercut, so that any figure below it is an error.

Flops are those of the products, without the gradient of the first layer's input, which nobody needs; a multiplication
and an addition are two. Everything else (gathering, activations, the update) is counted as free, but for two cases:

- tanh of W9, of which there are so many: a rational approximation of degrees 13 and 6 costs 7.5 cycles a vector;
- W1, which has so few that each waits for the one before: 28 operations in a row, each as long as a multiply-add.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from chainrule.bench.task import Recipe

PASSES: Final = 3  # products of a layer: forward, gradient of the weight, gradient of the input
FLOPS: Final = 2

# 0.29 ns an element at 3.24 GHz with 8 lanes, the fastest measured; a vector of any width takes as long.
TANH_CYCLES: Final = 7.5

# Forward, for each of two layers: 2 multiply-adds, then the sigmoid as half of 1 + tanh(z/2): a square, 3 levels of two
# polynomials, a multiplication, a division of at least 3. Back: error, times slope; through the weight, times slope;
# gradient of the weight, times the sample, the sum over 4 samples in 2; update. 2 · (2 + 8) + 2 + 2 + 3 + 1.
CHAIN: Final = 28
WAITING: Final = 1_000  # products of fewer multiplications cannot fill the pipes: the chain is what counts


@dataclass(frozen=True, slots=True)
class Limits:
    """What the processor can do.

    Attributes:
        gflops: 10⁹ flops a second of float32 on one core.
        ghz: 10⁹ cycles a second.
        latency: cycles a fused multiply-add waits for the one before.
        light_ghz: 10⁹ cycles a second where no wide vectors are used.
        lanes: float32 in a vector.
    """

    gflops: float
    ghz: float
    latency: float
    light_ghz: float
    lanes: int


def flops(recipe: Recipe) -> int:
    """The flops of the products in a step."""
    layers = [i * o for i, o in pairwise(recipe.sizes)]
    return FLOPS * recipe.batch * (PASSES * sum(layers) - layers[0])


def floor_seconds(recipe: Recipe, limits: Limits) -> float:
    """The least time of a step on the recipe's cores."""
    if is_waiting(recipe):
        return CHAIN * limits.latency / limits.light_ghz / 1e9
    arithmetic = flops(recipe) / limits.gflops / 1e9
    vectors = _hidden_units(recipe) * recipe.batch / limits.lanes if recipe.hidden == "tanh" else 0.0
    return (arithmetic + vectors * TANH_CYCLES / limits.ghz / 1e9) / recipe.cores


def is_waiting(recipe: Recipe) -> bool:
    """Whether a step is so small that its operations wait for each other: more cores or lanes do not help."""
    return recipe.batch * sum(i * o for i, o in pairwise(recipe.sizes)) < WAITING


def share_of_peak(recipe: Recipe, seconds: float, limits: Limits) -> float:
    """The flops of the products in these seconds a step, as a share of what the cores can do."""
    return flops(recipe) / seconds / (limits.gflops * 1e9 * recipe.cores)


def _hidden_units(recipe: Recipe) -> int:
    return sum(recipe.sizes[1:-1])
