"""Where the numbers that a run explains come from: their names in the data, their values there, and the scaling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from chainrule.data.dataset import ScalingKind
from chainrule.explain.subject import Origin
from chainrule.train.prepare import Prepared

SCALED: Final[dict[ScalingKind, str]] = {
    "none": "",
    "standardize": "standardized",
    "minmax": "scaled to 0…1",
    "unit": "divided by its range",
}


def origin_of(prepared: Prepared, rows: Sequence[int]) -> Origin:
    """What stands in the data for these rows."""
    record, dataset = prepared.record, prepared.dataset
    chosen = np.asarray(rows)
    y = None if dataset.task == "classification" else dataset.y[chosen].reshape(len(chosen), -1)
    return Origin(
        features=record.feature_names,
        outputs=record.class_names or record.target_names,
        x=dataset.x[chosen].reshape(len(chosen), -1),
        y=y,
        scaled=SCALED[record.features.kind],
        scaled_y=SCALED[record.targets.kind],
    )
