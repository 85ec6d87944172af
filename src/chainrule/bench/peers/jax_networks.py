"""The networks in JAX: as its documentation writes them with optax, and with the backward pass written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.bench.peers.contract import library
from chainrule.bench.task import Recipe, Task

Tree = Any  # JAX's arrays, in lists and tuples
Step = Callable[[Tree, Any, Any], tuple[Tree, Any]]  # (carry, x, y) -> (carry, loss)


def documented_step(task: Task) -> tuple[Tree, Step]:
    """The first carry (parameters, optimizer's state) and a step by automatic differentiation and optax."""
    jax, jnp, optax = library("jax"), library("jax.numpy"), library("optax")
    recipe = task.recipe
    parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in task.weights]
    if recipe.optimizer == "sgd":
        optimizer = optax.sgd(recipe.learning_rate)
    else:
        optimizer = optax.adam(recipe.learning_rate, recipe.beta_1, recipe.beta_2, recipe.epsilon)

    def loss_of(parameters: Tree, x: Any, y: Any) -> Any:
        for w, b in parameters[:-1]:
            x = _hidden(jax, jnp, recipe.hidden)(x @ w + b)
        w, b = parameters[-1]
        z = x @ w + b
        if recipe.loss == "cross_entropy":
            return optax.softmax_cross_entropy_with_integer_labels(z, y).mean()
        y_hat = jax.nn.sigmoid(z) if recipe.last == "sigmoid" else z
        return jnp.mean((y_hat - y) ** 2)

    def step(carry: Tree, x: Any, y: Any) -> tuple[Tree, Any]:
        parameters, state = carry
        loss, gradient = jax.value_and_grad(loss_of)(parameters, _features(jnp, recipe, x), y)
        updates, state = optimizer.update(gradient, state, parameters)
        return (optax.apply_updates(parameters, updates), state), loss

    return (parameters, optimizer.init(parameters)), step


def handwritten_step(task: Task, *, transposed: bool = False) -> tuple[Tree, Step]:
    """The first carry (parameters, m, v, t) and a step whose backward pass and update are written out.

    Args:
        task: to be trained.
        transposed: keep the first weight as (o, i), so that rows of samples and weights run along the same axis.
    """
    jax, jnp = library("jax"), library("jax.numpy")
    recipe = task.recipe
    weights = [jnp.asarray(array) for array in task.copied()]
    if transposed:
        weights[0] = weights[0].T.copy()
    adam = recipe.optimizer == "adam"
    moments = [jnp.zeros_like(w) for w in weights] if adam else []
    count = len(weights) // 2

    def product(k: int, a: Any, w: Any) -> Any:
        return jax.lax.dot_general(a, w, (((1,), (1,)), ((), ()))) if transposed and k == 0 else a @ w

    def step(carry: Tree, x: Any, y: Any) -> tuple[Tree, Any]:
        weights, m, v, t = carry
        values = [_features(jnp, recipe, x)]
        for k in range(count):
            z = product(k, values[-1], weights[2 * k]) + weights[2 * k + 1]
            values.append(_hidden(jax, jnp, recipe.hidden)(z) if k + 1 < count else z)
        loss, delta = _loss_and_delta(jax, jnp, recipe, values[-1], y)
        gradients: list[Any] = [None] * len(weights)
        for k in range(count - 1, -1, -1):
            gradients[2 * k] = delta.T @ values[k] if transposed and k == 0 else values[k].T @ delta
            gradients[2 * k + 1] = delta.sum(axis=0)
            if k:
                delta = (delta @ weights[2 * k].T) * _slope(jnp, recipe.hidden, values[k])
        if adam:
            return _adam(jnp, recipe, (weights, m, v, t), gradients), loss
        return ([w - recipe.learning_rate * g for w, g in zip(weights, gradients, strict=True)], m, v, t), loss

    return (weights, moments, [w.copy() for w in moments], jnp.float32(0)), step


def fresh(tree: Tree) -> Tree:
    """A copy of every array, for a program that consumes what it is given."""
    return library("jax").tree.map(_copied, tree)


def _copied(array: Any) -> Any:
    return array.copy()


def _adam(jnp: Any, recipe: Recipe, carry: Tree, gradients: list[Any]) -> Tree:
    weights, m, v, t = carry
    t = t + 1
    m = [recipe.beta_1 * each + (1 - recipe.beta_1) * g for each, g in zip(m, gradients, strict=True)]
    v = [recipe.beta_2 * each + (1 - recipe.beta_2) * g * g for each, g in zip(v, gradients, strict=True)]
    rate = recipe.learning_rate / (1 - jnp.float32(recipe.beta_1) ** t)
    root = 1 / jnp.sqrt(-jnp.expm1(t * jnp.log(jnp.float32(recipe.beta_2))))
    triples = zip(weights, m, v, strict=True)
    return [w - rate * mean / (jnp.sqrt(square) * root + recipe.epsilon) for w, mean, square in triples], m, v, t


def _features(jnp: Any, recipe: Recipe, x: Any) -> Any:
    return x if recipe.divisor == 1 else x.astype(jnp.float32) * (1 / recipe.divisor)


def _hidden(jax: Any, jnp: Any, name: str) -> Any:
    return {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}[name]


def _slope(jnp: Any, name: str, a: Any) -> Any:
    """The derivative of an activation, from its value."""
    if name == "relu":
        return (a > 0).astype(jnp.float32)
    return a * (1 - a) if name == "sigmoid" else 1 - a * a


def _loss_and_delta(jax: Any, jnp: Any, recipe: Recipe, z: Any, y: Any) -> tuple[Any, Any]:
    """The mean loss and its gradient before the last activation."""
    if recipe.loss == "cross_entropy":
        shifted = z - z.max(axis=1, keepdims=True)
        e = jnp.exp(shifted)
        total = e.sum(axis=1, keepdims=True)
        is_class = y[:, None] == jnp.arange(z.shape[1])
        loss = jnp.mean(jnp.log(total[:, 0]) - jnp.where(is_class, shifted, 0).sum(axis=1))
        return loss, (e / total - is_class) * (1 / len(y))
    y_hat = jax.nn.sigmoid(z) if recipe.last == "sigmoid" else z
    difference = y_hat - y
    delta = difference * (2 / difference.size)
    if recipe.last == "sigmoid":
        delta = delta * y_hat * (1 - y_hat)
    return jnp.mean(difference * difference), delta
