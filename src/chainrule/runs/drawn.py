"""The network of a run drawn with its weights, and counted layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from chainrule.document import Diagram, Document, Plain
from chainrule.nn.drawing import drawing
from chainrule.runs.page import Page
from chainrule.runs.summary import network_table

if TYPE_CHECKING:
    from chainrule.runs.run import Run


def network_page(run: Run) -> Page:
    """The drawing, and under it a row a layer; see `Run.network`."""
    layers, shape = run.experiment.layers, run.record.feature_shape
    listed: list[Plain] = [
        {"name": row.layer, "kind": row.kind, "output": list(row.output_shape), "parameters": row.parameters}
        for row in layers.summary(shape)
    ]
    return Page(
        Document(
            "Network",
            (replace(network_drawing(run), title=""), network_table(run.experiment, run.record)),
            subtitle=f"of {run.name}",
            context=f"step {run.step:,}",
            name="layers",
            data={"parameters": layers.parameter_count(shape), "inputs": list(shape), "layers": listed},
        )
    )


def network_drawing(run: Run) -> Diagram:
    """The network with its weights as lines, its inputs by their names, and its outputs by those of what is told."""
    record = run.record
    return drawing(
        run.experiment.layers,
        record.feature_shape,
        weights=run.weights,
        inputs=record.feature_names,
        outputs=record.class_names or record.target_names,
    )
