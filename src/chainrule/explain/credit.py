"""How far each gradient of a weight's past has moved it by the end: the optimizer's rule, differentiated and followed.

Where the rule is linear, the weight's whole change is a sum with one term a gradient. With momentum a gradient goes on
moving the weight in later steps: its term is the sum of all that. A slot that is not linear in the gradients, such as
Adam's mean square v, is taken as it was; what is left is linear again, so the terms still add up exactly.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from chainrule.autodiff.reverse import gradients
from chainrule.backends.protocol import Array
from chainrule.errors import DerivativeError
from chainrule.explain.nudges import Floats
from chainrule.explain.numbers import evaluate
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, Node, depends_on, transform
from chainrule.graph.primitives import rebuild

PARAMETER, GRADIENT = "parameter", "gradient"


class Credit(msgspec.Struct, frozen=True, eq=False):
    """What the gradients of s steps are worth in a weight's change.

    Attributes:
        factors: ∂(weight after the last step)/∂(gradient of a step), (s,).
        at_once: the same for the weight after that very step, (s,).
        carried: what the state before the first step goes on moving the weight by: a velocity from earlier steps.
        held: the slots that are taken as they were.
    """

    factors: Floats
    at_once: Floats
    carried: float
    held: tuple[str, ...]


def credit_of(rule: Graph, given: Mapping[str, Array]) -> Credit:
    """The worth of each gradient.

    Args:
        rule: the update of many weights at once, each of the vectors' entries a step; outputs "parameter" and each
            slot's next value, inputs of these names, "gradient", "rate" and "step".
        given: for each input a vector (s,) or a number: weight, gradient and slots before each step.

    Raises: DerivativeError for a rule that is not linear in the gradients even with slots taken as they were.
    """
    slots = [name for name in rule.output_names if name != PARAMETER]
    held = tuple(slot for slot in slots if not _is_linear(rule, rule[slot], (GRADIENT, slot)))
    after = _with_held(rule, held)
    moving = (PARAMETER, *(slot for slot in slots if slot not in held))
    asked = {"steps": rule.input(GRADIENT)}  # which has their number, as a slope may be the same in all
    for name in moving:
        if not _is_linear(rule, after[name], (GRADIENT, *moving)):
            raise DerivativeError(f"the next {name} is no sum over the gradients, so no sample has a share in it")
        for source in (GRADIENT, *moving):
            asked[f"{name} by {source}"] = gradients(after[name], [rule.input(source)])[0]
    known = dict(given) | evaluate({_held(slot): rule[slot] for slot in held}, given)
    found = evaluate(asked, known) if len(given[GRADIENT]) else {}
    return _followed(found, moving, held, given)


def _followed(
    found: Mapping[str, Array], moving: tuple[str, ...], held: tuple[str, ...], given: Mapping[str, Array]
) -> Credit:
    """Back from the last step to the first: what a small change of weight and slots makes of the last weight."""
    count = len(given[GRADIENT])
    across = np.zeros((count, len(moving), len(moving)))  # (step, after, before)
    into = np.zeros((count, len(moving)))
    for i, name in enumerate(moving):
        if count:
            into[:, i] = found[f"{name} by {GRADIENT}"]
        for j, source in enumerate(moving):
            if count:
                across[:, i, j] = found[f"{name} by {source}"]
    worth = np.zeros(len(moving))
    worth[0] = 1.0
    factors = np.zeros(count)
    for step in range(count - 1, -1, -1):
        factors[step] = worth @ into[step]
        worth = worth @ across[step]
    carried = 0.0
    if count:
        before = np.array([float(np.asarray(given[name])[0]) for name in moving])
        carried = float(worth @ before - before[0])
    return Credit(factors, into[:, 0], carried, held)


def _is_linear(rule: Graph, value: Node, sources: tuple[str, ...]) -> bool:
    """Whether no slope of the value depends on one of the sources."""
    inputs = [rule.input(source) for source in sources]
    slopes = gradients(value, inputs)
    return not any(slope in depends_on([slope], inputs) for slope in slopes)


def _with_held(rule: Graph, held: tuple[str, ...]) -> dict[str, Node]:
    """The outputs, with the next values of the held slots as inputs."""
    replaced = {
        rule[slot]: e.variable(_held(slot), rule[slot].tensor.dtype, rule[slot].tensor.shape).node for slot in held
    }
    image = transform(rule.results, lambda node, inputs: replaced.get(node) or rebuild(node, inputs))
    return {name: image[node] for name, node in rule.outputs}


def _held(slot: str) -> str:
    return f"{slot} as it was"
