"""The networks in PyTorch: as modules, and with the backward pass and the update written by hand."""

from __future__ import annotations

from typing import Any

from chainrule.bench.peers.contract import library
from chainrule.bench.task import Recipe, Task

Tensor = Any  # PyTorch's


def prepared_torch(task: Task) -> Any:
    """PyTorch, told how many cores it may use."""
    torch = library("torch")
    torch.set_num_threads(task.recipe.cores)
    return torch


def module_of(task: Task) -> Any:
    """The network as PyTorch's documentation writes it, with the task's weights; its output is before the softmax."""
    torch = library("torch")
    layers: list[Any] = []
    activation = {"relu": torch.nn.ReLU, "sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh}
    for k, (w, b) in enumerate(task.weights):
        dense = torch.nn.Linear(*w.shape)
        with torch.no_grad():
            dense.weight.copy_(torch.tensor(w.T))
            dense.bias.copy_(torch.tensor(b))
        layers.append(dense)
        if k + 1 < len(task.weights):
            layers.append(activation[task.recipe.hidden]())
        elif task.recipe.last == "sigmoid":
            layers.append(torch.nn.Sigmoid())
    return torch.nn.Sequential(*layers)


def loss_module(recipe: Recipe) -> Any:
    """The mean loss of outputs and targets."""
    torch = library("torch")
    return torch.nn.CrossEntropyLoss() if recipe.loss == "cross_entropy" else torch.nn.MSELoss()


def optimizer_of(recipe: Recipe, module: Any, **options: Any) -> Any:
    """PyTorch's optimizer over the module's parameters."""
    torch = library("torch")
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(module.parameters(), lr=recipe.learning_rate, **options)
    betas = (recipe.beta_1, recipe.beta_2)
    return torch.optim.Adam(module.parameters(), lr=recipe.learning_rate, betas=betas, eps=recipe.epsilon, **options)


def targets_of(task: Task) -> Tensor:
    """Labels as int64, which the loss wants; other targets as they are."""
    tensor = library("torch").from_numpy(task.y.copy())
    return tensor.long() if task.recipe.loss == "cross_entropy" else tensor


def features(torch: Any, recipe: Recipe, x: Tensor) -> Tensor:
    """Samples as the first layer reads them."""
    return x if recipe.divisor == 1 else x.to(torch.float32) * (1 / recipe.divisor)


class Parameters:
    """Weights (i, o), biases and moments, and a step that moves them in place without automatic differentiation."""

    def __init__(self, task: Task) -> None:
        self._torch = library("torch")
        self._task, self._recipe = task, task.recipe
        self.weights: list[Tensor] = [self._torch.from_numpy(array) for array in task.copied()]
        self.m = [self._torch.zeros_like(w) for w in self.weights]
        self.v = [self._torch.zeros_like(w) for w in self.weights]
        self.restart()

    def restart(self) -> None:
        """Everything as at first; the tensors stay the same."""
        for mine, given in zip(self.weights, self._task.copied(), strict=True):
            mine.copy_(self._torch.from_numpy(given))
        for moment in (*self.m, *self.v):
            moment.zero_()

    def step(self, x: Tensor, y: Tensor, corrections: tuple[Any, Any]) -> Tensor:
        """One update; the loss before it.

        Args:
            x: samples as stored.
            y: targets.
            corrections: of Adam: η / (1 - β₁ᵗ) and 1 / √(1 - β₂ᵗ).
        """
        loss, gradients = self._loss_and_gradients(features(self._torch, self._recipe, x), y)
        if self._recipe.optimizer == "sgd":
            self._torch._foreach_add_(self.weights, gradients, alpha=-self._recipe.learning_rate)
        else:
            self._adam(gradients, *corrections)
        return loss

    def _loss_and_gradients(self, x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
        torch, count = self._torch, len(self.weights) // 2
        act = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}[self._recipe.hidden]
        values = [x]
        for k in range(count):
            z = torch.addmm(self.weights[2 * k + 1], values[-1], self.weights[2 * k])
            values.append(act(z) if k + 1 < count else z)
        loss, delta = self._loss_and_delta(values[-1], y)
        gradients: list[Tensor] = [None] * len(self.weights)
        for k in range(count - 1, -1, -1):
            gradients[2 * k] = values[k].t() @ delta
            gradients[2 * k + 1] = delta.sum(0)
            if k:
                delta = self._through(values[k], delta @ self.weights[2 * k].t())
        return loss, gradients

    def _through(self, a: Tensor, gradient: Tensor) -> Tensor:
        """The gradient before a hidden activation, from the one behind it."""
        if self._recipe.hidden == "relu":
            return gradient * (a > 0)
        return gradient * (a * (1 - a) if self._recipe.hidden == "sigmoid" else 1 - a * a)

    def _loss_and_delta(self, z: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        torch = self._torch
        if self._recipe.loss == "cross_entropy":
            log_p = torch.log_softmax(z, 1)
            picked = log_p.gather(1, y.unsqueeze(1))
            delta = torch.exp(log_p).scatter_add(1, y.unsqueeze(1), torch.full_like(picked, -1.0))
            return -picked.mean(), delta * (1 / len(y))
        y_hat = torch.sigmoid(z) if self._recipe.last == "sigmoid" else z
        difference = y_hat - y
        delta = difference * (2 / difference.numel())
        if self._recipe.last == "sigmoid":
            delta = delta * y_hat * (1 - y_hat)
        return (difference * difference).mean(), delta

    def _adam(self, gradients: list[Tensor], rate: Any, root: Any) -> None:
        recipe = self._recipe
        for w, m, v, g in zip(self.weights, self.m, self.v, gradients, strict=True):
            m.mul_(recipe.beta_1).add_(g, alpha=1 - recipe.beta_1)
            v.mul_(recipe.beta_2).addcmul_(g, g, value=1 - recipe.beta_2)
            w.sub_(m / (v.sqrt() * root + recipe.epsilon) * rate)

    def corrections(self, step: int) -> tuple[float, float]:
        """η / (1 - β₁ᵗ) and 1 / √(1 - β₂ᵗ), t counted from 1."""
        recipe = self._recipe
        if recipe.optimizer == "sgd":
            return 0.0, 0.0
        return recipe.learning_rate / (1 - recipe.beta_1 ** (step + 1)), (1 - recipe.beta_2 ** (step + 1)) ** -0.5
