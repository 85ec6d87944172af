"""Arrays that came from memory, kept with the run that was trained on them, so that it can go on without them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from chainrule.data.dataset import Array, Dataset
from chainrule.errors import RunError
from chainrule.train.data_record import DataRecord
from chainrule.train.durable import write_durably
from chainrule.train.tensors import encode_tensors, read_tensors, sha256_of

MOST_BYTES: Final = 50_000_000  # beyond, whoever resumes or explains gives the arrays again
DIGITS: Final = 16  # of the SHA-256, in the file's name


def keep_data(folder: Path, dataset: Dataset) -> None:
    """Write the arrays of a data set into a run's folder, where they came from memory and are not too large.

    Raises: WriteError.
    """
    arrays = _arrays(dataset)
    if dataset.source.kind != "memory" or sum(array.nbytes for array in arrays.values()) > MOST_BYTES:
        return
    content = encode_tensors(arrays)
    write_durably(folder / f"data-{sha256_of(content)[:DIGITS]}.safetensors", content)


def kept_data(folder: Path, record: DataRecord) -> Dataset | None:
    """The data set that was kept in a run's folder; None where there is none.

    Raises: RunError for a file that is damaged.
    """
    found = sorted(folder.glob("data-*.safetensors"))
    if not found:
        return None
    arrays = read_tensors(found[0])
    if sha256_of(encode_tensors(arrays))[:DIGITS] != found[0].stem.removeprefix("data-") or not {"x", "y"} <= set(
        arrays
    ):
        raise RunError(f"{found[0]} is damaged: its checksum is not the one in its name; restore it")
    return Dataset(
        name=record.source.name,
        x=arrays["x"],
        y=arrays["y"],
        task=record.task,
        source=record.source,
        feature_names=record.feature_names,
        class_names=record.class_names,
        target_names=record.target_names,
        sample_weight=arrays.get("sample_weight"),
        test_rows=arrays.get("test_rows"),
        image_shape=record.image_shape,
        value_range=record.value_range,
    )


def _arrays(dataset: Dataset) -> dict[str, Array]:
    given = {
        "x": dataset.x, "y": dataset.y, "sample_weight": dataset.sample_weight, "test_rows": dataset.test_rows,
    }  # fmt: skip
    return {name: np.asarray(array) for name, array in given.items() if array is not None}
