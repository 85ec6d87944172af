"""The native backend: graphs evaluated, and steps compiled to code for this processor."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.backends.given import as_array, check_names
from chainrule.backends.native import machine
from chainrule.backends.native.arenas import StatePlaces
from chainrule.backends.native.compiled import Compiled
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.program import NativeProgram
from chainrule.backends.native.schedule import Roles
from chainrule.backends.native.vocabulary import check
from chainrule.backends.protocol import Array, Step, StopFlag
from chainrule.backends.sizes import bind_sizes
from chainrule.graph.node import Graph

GRAPHS_KEPT: Final = 32  # evaluated again and again while one run goes on
_ONE_STEP: Final = np.array([0, 1], np.int64)
_NO_ORDER: Final = np.zeros(1, np.int64)

_Key: TypeAlias = tuple[Graph, Sizes]


class NativeBackend:
    """Code generated for this processor through llvmlite.

    Args:
        isa: what code may use; None for the best that this processor has.
        hasty: whether what is evaluated once is compiled quickly rather than well; the bits are the same.

    Raises: BackendError when llvmlite is missing, or CHAINRULE_CPU asks for what this processor lacks.
    """

    name: Final = "native"

    def __init__(self, isa: machine.Isa | None = None, *, hasty: bool = True) -> None:
        self.isa, self.hasty = isa or machine.this_machine(), hasty
        self._evaluated: OrderedDict[_Key, Compiled] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def arithmetic(self) -> str:
        """Whether products are added in one rounding: of sets that do so, and of those that do not, bits are equal."""
        return "x y + z rounded once" if self.isa.fused else "x y + z rounded twice"

    def evaluate(self, graph: Graph, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """Every output of the graph, computed once; the caller owns what comes back."""
        check_names("input", inputs, graph.input_names)
        given = {node.label: as_array(node.label, inputs[node.label], node.tensor) for node in graph.inputs}
        sizes = Sizes.of(bind_sizes(graph, {name: array.shape for name, array in given.items()}))
        with self._lock:
            compiled = self._compiled(graph, sizes)
            memory = StatePlaces(graph, graph.input_names, sizes).pack(given, flushes=self.isa.flushes)
            reports = compiled.reports(1)
            compiled.run(memory, {}, _NO_ORDER, _ONE_STEP, {}, reports, 0, StopFlag())
        return {name[1:]: values[0] for name, values in reports.items()}

    def compile(self, step: Step) -> NativeProgram:
        """The step as code, written when the sizes and the largest batch are known."""
        check(step.graph)
        return NativeProgram(step, self.isa)

    def _compiled(self, graph: Graph, sizes: Sizes) -> Compiled:
        key = (graph, sizes)
        found = self._evaluated.pop(key, None)
        if found is None:
            renamed = graph.with_outputs({f"={name}": node for name, node in graph.outputs})
            isa = self.isa.in_haste if self.hasty else self.isa
            found = Compiled(renamed, Roles(graph.input_names), sizes, isa, hasty=self.hasty)
        self._evaluated[key] = found
        while len(self._evaluated) > GRAPHS_KEPT:
            self._evaluated.popitem(last=False)
        return found
