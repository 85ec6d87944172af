"""The reference backend: graphs evaluated, and steps run one after the other, in NumPy on one thread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.given import NUMPY, as_array, check_names
from chainrule.backends.protocol import Array, Step
from chainrule.backends.reference.plan import Plan
from chainrule.backends.reference.program import ReferenceProgram
from chainrule.backends.reference.threads import ONE_BLAS_THREAD
from chainrule.backends.sizes import bind_sizes
from chainrule.graph.node import Graph

PLANS_KEPT: Final = 32  # graphs asked for again and again while one run is explained

_plan: Final = lru_cache(maxsize=PLANS_KEPT)(Plan)


class ReferenceBackend:
    """The specification: every primitive means what its row in `table` computes.

    `evaluate` also takes complex128 for float64 inputs, for the complex step: what depends on them becomes complex, and
    a primitive without a complex meaning raises BackendError.
    """

    name: Final = "reference"
    arithmetic: Final = ""

    def evaluate(self, graph: Graph, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Array]:
        """Every output of the graph, computed once; the caller owns what comes back."""
        check_names("input", inputs, graph.input_names)
        given = {
            node.label: np.asarray(as_array(node.label, inputs[node.label], node.tensor, complex_too=True), order="C")
            for node in graph.inputs
        }
        sizes = bind_sizes(graph, {name: array.shape for name, array in given.items()})
        plan = _plan(graph)
        with ONE_BLAS_THREAD, np.errstate(all="ignore"):
            bound = plan.bind(sizes)
            is_complex = any(array.dtype == NUMPY["complex128"] for array in given.values())
            results = plan.execute_complex(bound, given) if is_complex else plan.execute(bound, given)
        return {name: np.array(value, order="C") for name, value in results.items()}

    def compile(self, step: Step) -> ReferenceProgram:
        """The step as a loop over its plan."""
        return ReferenceProgram(step)
