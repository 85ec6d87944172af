"""The same network in PyTorch, every value on the way kept with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.nn.layers import ActivationLayer, Dense
from tests.absent import require
from tests.explain.subjects import Array, Setting

HOW = "pip install 'chainrule[oracles]'"
ACTIVATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "linear": lambda torch, z: z * 1.0,
    "softmax": lambda torch, z: torch.softmax(z, -1),
    "sigmoid": lambda torch, z: torch.sigmoid(z),
    "tanh": lambda torch, z: torch.tanh(z),
    "leaky_relu": lambda torch, z: torch.nn.functional.leaky_relu(z, 0.01),
}


class InTorch:
    """The forward pass of a setting on some rows.

    Attributes:
        values: by name as in a subject ("dense_1.z"), besides "y_hat"; each retains its gradient.
        parameters: by name.
        losses: of each sample, (n,).
        loss: their weighted mean.
    """

    def __init__(self, made: Setting, rows: tuple[int, ...]) -> None:
        self.torch = require("torch", HOW)
        self.made, self.rows = made, rows
        tensor = self.torch.tensor
        names = made.names
        self.parameters = {name: tensor(made.state[name], requires_grad=True) for name in names}
        self.values: dict[str, Any] = {}
        self.x = tensor(made.prepared.columns["x"][list(rows)], dtype=self.torch.float64)
        self._forward()
        self.losses = self._losses()
        weight = made.prepared.columns.get("w")
        counts = self.torch.ones(len(rows)) if weight is None else tensor(np.asarray(weight[list(rows)], float))
        self.loss = (counts * self.losses).sum() / counts.sum()

    def _forward(self) -> None:
        network = self.made.prepared.experiment.layers
        a = self.x
        for name, layer in zip(network.names, network.layers, strict=True):
            if isinstance(layer, Dense):
                z = a @ self.parameters[f"{name}.W"]
                self.values[f"{name}.z"] = z + self.parameters[f"{name}.b"] if layer.use_bias else z
                a = self._activated(layer.activation, self.values[f"{name}.z"])
            elif isinstance(layer, ActivationLayer):
                a = self._activated(layer.kind, a)
            else:
                a = a.reshape(len(self.rows), -1) * 1.0
            self.values[f"{name}.a"] = a
        loss, last = self.made.prepared.experiment.loss, network.last_activation
        link = {"categorical_cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, last)
        self.values["y_hat"] = a if last == link else self._activated(link, a)
        for value in self.values.values():
            if value.requires_grad:  # what comes before the first weights has no gradient
                value.retain_grad()

    def _activated(self, name: str, z: Any) -> Any:
        own = ACTIVATIONS.get(name)
        return own(self.torch, z) if own else getattr(self.torch.nn.functional, name)(z)

    def _losses(self) -> Any:
        """Spelled out, on the prediction itself."""
        y_hat = self.values["y_hat"]
        y = self._targets(y_hat)
        match self.made.prepared.experiment.loss:
            case "categorical_cross_entropy":
                return -(y * y_hat.log()).sum(1)
            case "binary_cross_entropy":
                return -(y * y_hat.log() + (1 - y) * (1 - y_hat).log()).sum(1)
            case "half_squared_error":
                return ((y_hat - y) ** 2).sum(1) / 2
            case _:
                return ((y_hat - y) ** 2).mean(1)

    def _targets(self, y_hat: Any) -> Any:
        y = self.torch.tensor(np.asarray(self.made.prepared.columns["y"][list(self.rows)]))
        if y.ndim == 2:
            return y.to(self.torch.float64)
        if y_hat.shape[1] == 1:
            return y.to(self.torch.float64)[:, None]
        return self.torch.nn.functional.one_hot(y.long(), y_hat.shape[1]).to(self.torch.float64)

    def backward(self) -> dict[str, Array]:
        """∂L/∂v of every value and parameter by name."""
        self.loss.backward(retain_graph=True)
        kept = {**self.values, **self.parameters}
        return {name: each.grad.clone().numpy() for name, each in kept.items() if each.requires_grad}

    def slope(self, upper: str, lower: str) -> Array:
        """∂upper/∂lower of values that are elementwise."""
        above, below = self.values[upper], self.values[lower]
        return self.torch.autograd.grad(above.sum(), below, retain_graph=True)[0].numpy()
