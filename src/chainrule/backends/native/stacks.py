"""A product of stacks of matrices, as a function: element by element over the depth, sixteen columns at a time."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.backends.native.indices import Index, Uniform, number
from chainrule.backends.native.ir import Value
from chainrule.backends.native.loops import LoopWriter


class StackWriter(LoopWriter):
    """Writes a product with axes before the matrices: element by element over the depth, sixteen columns at a time."""

    def _compute(self, at: dict[int, Index]) -> None:
        b, body, (node,) = self.b, self.body, self.group.members
        x, w = node.inputs
        indices = self._indices(node, at)
        depth = body.plan.sizes.extent(x.tensor.shape[-1])

        def once(k: Value, values: tuple[Value, ...]) -> Sequence[Value]:
            body.begin()
            left = body.splat(body.value(x, (*indices[:-1], Uniform(k))))
            right = body.splat(body.value(w, (*indices[:-2], Uniform(k), indices[-1])))
            return [b.fma(left, right, values[0])]

        zero = b.constant(body.type_of(node), 0.0)
        length = body.parameters.extent(depth, "depth")
        (total,) = b.loop(number(0), length, 1, [zero], once)
        body.begin()
        self.store(node, total, indices)
