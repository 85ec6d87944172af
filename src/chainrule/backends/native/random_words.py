"""Random words inside a loop: Philox at the place of each element, counted in the usual order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.backends.native import vector_math
from chainrule.backends.native.indices import Indices, Uniform, linear, number, vector
from chainrule.backends.native.ir import Value
from chainrule.backends.native.vocabulary import integer
from chainrule.graph.node import Node

if TYPE_CHECKING:
    from chainrule.backends.native.body import Body


def random_words(body: Body, node: Node, indices: Indices) -> Value:
    """The words of a `random_bits` node at an index."""
    seed, step = node.inputs
    extents = body.plan.sizes.extents(node.tensor.shape)
    lengths = [
        body.parameters.extent(extent, "drawn", axis, body.parameters.place(node))
        for axis, extent in enumerate(extents)
    ]
    place = linear(body.b, indices, lengths)
    elements = place.value if isinstance(place, Uniform) else vector(body.b, place)
    low, high = (body.value(seed, (Uniform(number(word)),)) for word in (0, 1))
    now = body.value(step, ())
    words = vector_math.random_words(
        body.b,
        body.b.extract(low, 0),
        body.b.extract(high, 0),
        body.b.extract(now, 0),
        integer(node, "purpose"),
        body.splat(elements),
    )
    return body.splat(words)
