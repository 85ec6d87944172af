"""What a run must remember of its data: enough to build its graphs and to predict, without the data."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from chainrule.data.dataset import Array, Dataset
from chainrule.data.scaling import Scaling
from chainrule.data.source import Source, Task
from chainrule.data.splits import Rows, Split
from chainrule.errors import RunError
from chainrule.graph.tensor_type import DType
from chainrule.train.durable import write_durably
from chainrule.train.missing import unreadable

DATA_VERSION: Final = 1


class DataRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of a data set, the names in it, how it was divided and scaled.

    Attributes:
        source: where it came from, with the SHA-256 of its content.
        task: "classification" or "regression".
        feature_shape: of one sample.
        feature_names: one for each number of a sample.
        class_names: by label; empty for regression.
        target_names: by column of y; empty for classification.
        x_dtype: in which x is handed to the backend.
        y_dtype: in which y is handed to the backend.
        weighted: whether samples bear weights.
        image_shape: where a sample is an image; or None.
        value_range: smallest and largest value of a feature as declared; or None.
        rows: how many train, validate, test.
        split_sha256: of the rows of the three parts.
        features: how features are scaled, fitted on the training rows.
        targets: how targets are scaled, fitted on the training rows.
        format_version: of this record.
    """

    source: Source
    task: Task
    feature_shape: tuple[int, ...]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    target_names: tuple[str, ...]
    x_dtype: DType
    y_dtype: DType
    weighted: bool
    image_shape: tuple[int, ...] | None
    value_range: tuple[float, float] | None
    rows: tuple[int, int, int]
    split_sha256: str
    features: Scaling
    targets: Scaling
    format_version: int = DATA_VERSION

    @property
    def output_count(self) -> int:
        """How many classes there are, or how many targets a sample has, k."""
        return len(self.class_names) if self.task == "classification" else len(self.target_names)


# NumPy's dtypes that a graph takes as they are, and what the others become; whole numbers stay exact below 2**53.
_STORED: Final[dict[str, DType]] = {
    "bool": "uint8", "uint8": "uint8", "int8": "int8", "float16": "float16", "float32": "float32",
    "float64": "float64", "int32": "int32", "uint32": "uint32", "int16": "int32", "uint16": "int32",
    "int64": "float64", "uint64": "float64",
}  # fmt: skip


def stored_dtype(values: Array) -> DType:
    """The graph's dtype in which these values are handed over."""
    return _STORED[values.dtype.name]


def stored(values: Array, dtype: DType) -> Array:
    """The values in that dtype, in C order; themselves where they have it already."""
    return np.asarray(values, dtype=np.dtype(dtype), order="C")


def record_of(dataset: Dataset, split: Split, features: Scaling, targets: Scaling) -> DataRecord:
    """The record of a data set that is divided and scaled so."""
    return DataRecord(
        source=dataset.source,
        task=dataset.task,
        feature_shape=tuple(dataset.x.shape[1:]),
        feature_names=dataset.feature_names,
        class_names=dataset.class_names,
        target_names=dataset.target_names,
        x_dtype=stored_dtype(dataset.x),
        y_dtype="int32" if dataset.task == "classification" else stored_dtype(dataset.y),
        weighted=dataset.sample_weight is not None,
        image_shape=dataset.image_shape,
        value_range=dataset.value_range,
        rows=(len(split.train), len(split.validation), len(split.test)),
        split_sha256=_fingerprint(split.train, split.validation, split.test),
        features=features,
        targets=targets,
    )


def write_record(path: Path, record: DataRecord) -> None:
    """Write the record as JSON; floats come back to the last bit."""
    write_durably(path, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")


def read_record(path: Path) -> DataRecord:
    """The record in a file.

    Raises: RunError for a file that is missing, damaged or of a newer version.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=DataRecord)
    except OSError as error:
        raise unreadable(path, error) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged or from a newer chainrule ({error}): restore the file") from error


def _fingerprint(*parts: Rows) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)};".encode())
        digest.update(np.ascontiguousarray(part, dtype="<i8").tobytes())
    return digest.hexdigest()
