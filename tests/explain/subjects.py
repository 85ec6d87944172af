"""Networks on data, with weights at hand, ready to be opened: the worked example, and any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.data.arrays import from_arrays
from chainrule.data.dataset import ScalingKind
from chainrule.document import Document, render_text
from chainrule.explain.opened import Opened
from chainrule.explain.subject import Subject, parse_weight
from chainrule.explain.walkthrough import explain_batch, explain_sample
from chainrule.nn.layers import Dense, Layer
from chainrule.nn.optimizers import SGD
from chainrule.runs.subject import Moment, subject_of
from chainrule.train.experiment import Preprocessing, SplitPlan
from chainrule.train.prepare import Prepared, prepare
from chainrule.train.resolve import design
from chainrule.train.state import initial_state

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Setting:
    """An experiment on data, and the state of a moment."""

    prepared: Prepared
    state: Mapping[str, Array]
    step: int = 0

    @property
    def names(self) -> list[str]:
        """Of all parameters."""
        return [each.name for each in self.prepared.graphs.parameters]

    def subject(self, rows: Sequence[int], *parameters: str) -> Subject:
        """The loss on these rows, as a run hands it over."""
        moment = Moment(self.state, self.step, f"step {self.step}")
        return subject_of(self.prepared, moment, rows, parameters, "reference")

    def open(self, weight: str, rows: Sequence[int] = (0,)) -> Opened:
        """A weight, opened on these rows."""
        subject = self.subject(rows, weight.partition("[")[0])
        return Opened(subject, *parse_weight(weight, subject.parameters))

    def page(self, weight: str, rows: Sequence[int] = (0,)) -> Document:
        """The page of a sample or, of several rows, of the batch."""
        opened = self.open(weight, rows)
        return explain_sample(opened) if len(rows) == 1 else explain_batch(opened)

    def text(self, weight: str, rows: Sequence[int] = (0,), **options: bool) -> str:
        """The page at 80 columns."""
        return render_text(self.page(weight, rows), 80, **options)


def setting(
    layers: Sequence[Layer],
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    weights: Mapping[str, npt.ArrayLike] | None = None,
    slots: Mapping[str, npt.ArrayLike] | None = None,
    sample_weight: npt.ArrayLike | None = None,
    step: int = 0,
    scaling: ScalingKind = "none",
    **fields: Any,  # Any: fields of the experiment
) -> Setting:
    """A network on arrays, in float64 unless told otherwise, nothing scaled, plain SGD with η = 0.5."""
    data = from_arrays(x, y, sample_weight=sample_weight, name="arrays")
    chosen: dict[str, Any] = {
        "optimizer": SGD(0.5),
        "preprocessing": Preprocessing(features=scaling, targets=scaling),
        "split": SplitPlan(test_fraction=0.0),
        "dtype": "float64",
        **fields,
    }
    prepared = prepare(design(data, layers, **chosen), data)
    state = initial_state(prepared.experiment, prepared.record, prepared.graphs, weights)
    state |= {name: np.asarray(value, state[name].dtype) for name, value in (slots or {}).items()}
    return Setting(prepared, state, step)


def two_two_two(**fields: Any) -> Setting:
    """The worked example: 2 inputs, 2 hidden units, 2 outputs, all sigmoid; its biases are fixed."""
    return setting(
        [Dense(2, "sigmoid"), Dense(2, "sigmoid")],
        [[0.05, 0.10]],
        [[0.01, 0.99]],
        weights={
            "dense_1.W": [[0.15, 0.25], [0.20, 0.30]],
            "dense_1.b": [0.35, 0.35],
            "dense_2.W": [[0.40, 0.50], [0.45, 0.55]],
            "dense_2.b": [0.60, 0.60],
        },
        **{"loss": "half_squared_error", "frozen": ("*.b",), **fields},
    )


def waves(seed: int, shape: Sequence[int], size: float = 1.0) -> Array:
    """Numbers in ±size that look arbitrary and are the same everywhere."""
    count = int(np.prod(shape))
    return (size * np.sin(1.7 * np.arange(1, count + 1) * (seed + 1) + seed)).reshape(shape).round(3)
