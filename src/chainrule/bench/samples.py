"""The samples of the benchmark: read where they are, made up in the same shape where they are not, and said so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.bench.workloads import PIXEL, SampleSet, Storage
from chainrule.data.idx_file import read_idx_folder
from chainrule.draws import Purpose, normal, uniform
from chainrule.errors import UnreadableFileError

Array = npt.NDArray[Any]  # uint8 or float32 samples, int32 or float32 targets

MNIST: Final = Path("data") / "mnist"
MNIST_ROWS, PIXELS, CLASSES = 60_000, 784, 10
INK: Final = 0.2  # share of the pixels of a made-up image that are not 0, as in MNIST
MATRIX_ROWS: Final = 10_000
SQUARINGS, TERMS = 12, 12  # of the exponential: norms below 0.01 after scaling, 12 terms are exact in float64


@dataclass(frozen=True, eq=False, slots=True)
class Samples:
    """Rows to train on.

    Attributes:
        x: (n, i), uint8 pixels or float32 features.
        y: labels, int32 (n,); or targets, float32 (n, k).
        origin: a sentence on where they come from.
    """

    x: Array
    y: Array
    origin: str


def samples_of(kind: SampleSet, storage: Storage, folder: Path | None = None, rows: int | None = None) -> Samples:
    """The samples of a kind.

    Args:
        kind: which.
        storage: of MNIST's pixels: uint8 as they are, float32 divided by 255.
        folder: of MNIST's IDX files; where None, data/mnist here or beside the folder one is in is tried.
        rows: only the first so many; None for all.

    Raises: UnreadableFileError, DataError when a folder is named that holds no MNIST.
    """
    if kind == "xor":
        x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        return Samples(x, np.array([[0], [1], [1], [0]], np.float32), "the four rows of XOR")
    if kind == "matrix_exponential":
        return _matrices(rows or MATRIX_ROWS)
    return _stored(_mnist(folder), storage, rows)


def _mnist(folder: Path | None) -> Samples:
    """MNIST's training rows as bytes."""
    found = folder or next((each for each in _places() if each.is_dir()), None)
    if found is None:
        return _made_up(MNIST_ROWS)
    data = read_idx_folder(found)
    if data.feature_count != PIXELS or len(data.class_names) != CLASSES:
        raise UnreadableFileError(f"{found} holds {data!r}, and MNIST is wanted: name another folder with --data")
    count = data.row_count if data.test_rows is None else int(data.test_rows[0])
    return Samples(data.x[:count], data.y[:count], "MNIST's training rows")


def _places() -> tuple[Path, ...]:
    """Where MNIST is looked for: here, and in a folder `shared` beside this one."""
    return MNIST, Path("..") / "shared" / MNIST


def _made_up(rows: int) -> Samples:
    """Images of the shape of MNIST, with as many dark pixels."""
    pixels = uniform(0, Purpose.GENERATE, 0, (rows, PIXELS), np.float32)
    x = np.where(pixels < INK, np.ceil(pixels / INK * PIXEL), 0).astype(np.uint8)
    y = np.arange(rows, dtype=np.int32) % CLASSES
    return Samples(x, y, "made-up images of MNIST's shape, as MNIST was not found: name its folder with --data")


def _stored(samples: Samples, storage: Storage, rows: int | None) -> Samples:
    x, y = samples.x[:rows], samples.y[:rows]
    if storage == "float32":
        x = (x / np.float32(PIXEL)).astype(np.float32)
    return Samples(np.ascontiguousarray(x), np.ascontiguousarray(y, dtype=np.int32), samples.origin)


def _matrices(rows: int) -> Samples:
    """Matrices (a, b; c, d) of normal numbers as rows of 4, and their exponentials."""
    x = normal(0, Purpose.GENERATE, 1, (rows, 2, 2)).astype(np.float32)
    y = _exponential(x.astype(np.float64)).astype(np.float32)
    return Samples(x.reshape(rows, 4), y.reshape(rows, 4), f"{rows:,} matrices of normal numbers")


def _exponential(matrices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """e to the power of each matrix (n, 2, 2): a series for a small part of it, squared back."""
    small = matrices / 2.0**SQUARINGS
    result = np.broadcast_to(np.eye(2), matrices.shape)
    for term in range(TERMS, 0, -1):
        result = np.eye(2) + small @ result / term
    for _ in range(SQUARINGS):
        result = result @ result
    return result
