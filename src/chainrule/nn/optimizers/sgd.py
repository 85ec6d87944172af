"""Gradient descent, plain, with momentum, and with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chainrule.errors import ExperimentError
from chainrule.graph.expr import Expr
from chainrule.nn.bounds import POSITIVE, SHARE, real, truth
from chainrule.nn.spoken import Spoken


class SGD(Spoken, frozen=True, forbid_unknown_fields=True, tag="sgd"):
    """Step against the gradient, with η the learning rate and μ the momentum.

    plain      W ← W - η g
    momentum   v ← μ v - η g     W ← W + v
    Nesterov   v ← μ v - η g     W ← W + μ v - η g, with the new v

    The velocity v starts at 0. Batch, stochastic and mini-batch descent are this one rule: they differ in how many
    samples the gradient g is the mean of.

    Args:
        learning_rate: η, above 0; 0.01 as in Keras.
        momentum: μ, from 0 to below 1; 0 is the plain rule.
        nesterov: whether the step looks ahead; it needs momentum.

    Raises: ExperimentError for a number outside its range, or Nesterov without momentum.
    Example: from W = 1 with g = 2, η = 0.1: W = 1 - 0.2. With v = 1, μ = 0.5 too: v = 0.5 - 0.2 and W = 1 + 0.3:
        >>> value(SGD().update(W, g, {}, rate, step)[0], W=[1.0], g=[2.0], rate=0.1)
        [0.8]
        >>> value(SGD(momentum=0.5).update(W, g, {"velocity": v}, rate, step)[0], W=[1.0], g=[2.0], v=[1.0], rate=0.1)
        [1.3]

    Source: plain and momentum: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors",
        1986, equations 8 and 9. Nesterov: Sutskever, Martens, Dahl, Hinton, "On the importance of initialization and
        momentum in deep learning", 2013, equations 3 and 4, told at the point looked ahead to.
        Keras defines all three so. PyTorch keeps v without η (v ← μ v + g, W ← W - η v): the same weights as long as η
        stays the same, another path when it changes.
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        rate = real("sgd", "learning_rate", self.learning_rate, POSITIVE)
        momentum = real("sgd", "momentum", self.momentum, SHARE)
        if truth("sgd", "nesterov", self.nesterov) and momentum == 0.0:
            raise ExperimentError("nesterov needs a momentum above 0, and got 0; add momentum=0.9, or leave it out")
        msgspec.structs.force_setattr(self, "learning_rate", rate)
        msgspec.structs.force_setattr(self, "momentum", momentum)

    @property
    def slots(self) -> tuple[str, ...]:
        """What is kept for each parameter, of its shape, 0 at first."""
        return ("velocity",) if self.momentum else ()

    def update(
        self, parameter: Expr, gradient: Expr, slots: Mapping[str, Expr], rate: Expr, step: Expr
    ) -> tuple[Expr, dict[str, Expr]]:
        """The parameter and its slots after a step.

        Args:
            parameter: W, any shape.
            gradient: g = ∂L/∂W, the same shape.
            slots: "velocity" where there is momentum, the same shape.
            rate: η, a scalar of the same dtype.
            step: updates done before, uint32 scalar; not used.
        """
        if not self.momentum:
            return parameter - rate * gradient, {}
        velocity = self.momentum * slots["velocity"] - rate * gradient
        if self.nesterov:
            return parameter + (self.momentum * velocity - rate * gradient), {"velocity": velocity}
        return parameter + velocity, {"velocity": velocity}
