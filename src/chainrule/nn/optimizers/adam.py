"""Adam: a step for each parameter by its gradient's running mean and mean square."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.nn.bounds import POSITIVE, SHARE, real
from chainrule.nn.spoken import Spoken


class Adam(Spoken, frozen=True, forbid_unknown_fields=True, tag="adam"):
    """Step along the gradient's running mean m, measured by the root of its running mean square v.

    m ← β₁ m + (1 - β₁) g      m̂ = m / (1 - β₁ᵗ)
    v ← β₂ v + (1 - β₂) g²     v̂ = v / (1 - β₂ᵗ)     W ← W - η m̂ / (√v̂ + ε)

    t counts updates from 1. m and v start at 0; the divisions undo that, so that m̂ is the plain mean of what was seen,
    newest weighted most. The first step is η for each weight, whatever the size of its gradient.

    Args:
        learning_rate: η, above 0; 0.001 as in the paper.
        beta_1: β₁, from 0 to below 1; 0.9 as in the paper.
        beta_2: β₂, from 0 to below 1; 0.999 as in the paper.
        epsilon: ε, above 0, in the unit of the gradient; 1e-7 as in Keras (the paper and PyTorch have 1e-8).

    Raises: ExperimentError for a number outside its range.
    Example: at the first step m̂ = g = 2 and √v̂ = 2, so that W = 1 - 0.1 · 2 / 2:
        >>> after, _ = Adam().update(W, g, {"m": m, "v": v}, rate, step)
        >>> value(after, W=[1.0], g=[2.0], m=[0.0], v=[0.0], rate=0.1, step=0, digits=6)
        [0.9]

    Source: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1; PyTorch defines it so. Keras
        adds ε to √v before the correction (the paper's ε̂, section 2), which weighs ε more in the first steps.
    """

    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        bounds = {"learning_rate": POSITIVE, "beta_1": SHARE, "beta_2": SHARE, "epsilon": POSITIVE}
        for field, bound in bounds.items():
            msgspec.structs.force_setattr(self, field, real("adam", field, getattr(self, field), bound))

    @property
    def slots(self) -> tuple[str, ...]:
        """What is kept for each parameter, of its shape, 0 at first."""
        return ("m", "v")

    def update(
        self, parameter: Expr, gradient: Expr, slots: Mapping[str, Expr], rate: Expr, step: Expr
    ) -> tuple[Expr, dict[str, Expr]]:
        """The parameter and its slots after a step.

        Args:
            parameter: W, any shape.
            gradient: g = ∂L/∂W, the same shape.
            slots: "m" and "v", the same shape.
            rate: η, a scalar of the same dtype.
            step: updates done before, uint32 scalar; t = step + 1.
        """
        t = e.cast(step, parameter.dtype) + 1.0
        m = self.beta_1 * slots["m"] + (1.0 - self.beta_1) * gradient
        v = self.beta_2 * slots["v"] + (1.0 - self.beta_2) * gradient**2
        m_hat = m / _one_minus_power(self.beta_1, t)
        v_hat = v / _one_minus_power(self.beta_2, t)
        return parameter - rate * m_hat / (e.sqrt(v_hat) + self.epsilon), {"m": m, "v": v}


def _one_minus_power(beta: float, t: Expr) -> Expr:
    """1 - βᵗ, without cancellation: in float32, 1 - 0.999 would be off by 5 parts in 100,000."""
    if beta == 0.0:
        return e.like(1.0, t)
    return -e.expm1(math.log(beta) * t)
