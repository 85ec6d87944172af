"""IDX files, the format of MNIST: an image file and a label file, one pair or a folder with train and t10k.

The format: two zero bytes, a byte for the type, a byte for the number of axes, the size of each axis as a big-endian
32-bit number, then the values, big-endian, row by row. Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np

from chainrule.data.arrays import from_arrays
from chainrule.data.dataset import Array, Dataset
from chainrule.data.files import read_bytes, unpacked
from chainrule.data.fingerprint import fingerprint_bytes
from chainrule.data.source import Source
from chainrule.errors import DataError, UnreadableFileError

TYPES: Final = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
TRAIN, TEST = "train", "t10k"
HEADER = 4  # bytes before the sizes


def is_idx_name(path: Path) -> bool:
    """Whether a file is named like an IDX file: `...-ubyte`, `....idx`, packed or not."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(("-ubyte", ".idx"))


def read_idx_folder(folder: Path) -> Dataset:
    """Images and labels of a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and perhaps the t10k pair.

    Names may have .idx in place of -idx, as some archives unpack them, and may end in .gz. The t10k rows follow the
    training rows and are the test rows of the data set.

    Raises:
        DataError: files whose row counts or image sizes do not fit.
        UnreadableFileError: no training pair, or a damaged file.
    """
    train = _pair(folder, TRAIN)
    if train is None:
        raise UnreadableFileError(
            f"the directory {folder} holds no IDX files: {TRAIN}-{IMAGES} and {TRAIN}-{LABELS} "
            "(or both with .gz) are needed"
        )
    test = _pair(folder, TEST)
    return _read(folder, folder.name, [train] if test is None else [train, test])


def read_idx_file(path: Path) -> Dataset:
    """Images of one IDX file, with the labels of the file beside it that has "labels-idx1" for "images-idx3".

    Raises:
        DataError: files whose row counts do not fit.
        UnreadableFileError: no file of labels, or a damaged file.
    """
    labels = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    if labels == path:
        raise UnreadableFileError(
            f"{path} is not named like a file of images: give the ...-{IMAGES} file or the folder it is in"
        )
    if not labels.exists():
        raise UnreadableFileError(f"{path} has no labels beside it: {labels.name} is needed in the same folder")
    return _read(path, path.name.split("-images")[0], [(path, labels)])


def read_idx(path: Path, content: bytes) -> Array:
    """The array in the bytes of an IDX file, packed or not, in this machine's byte order.

    Raises:
        UnreadableFileError: bytes that are not IDX, or fewer or more than the header announces.
    """
    plain = unpacked(path, content)
    kind, axes = (plain[2], plain[3]) if len(plain) >= HEADER else (0, 0)
    start = HEADER + 4 * axes
    if plain[:2] != b"\0\0" or kind not in TYPES or axes == 0 or len(plain) < start:
        raise UnreadableFileError(f"{path} is not an IDX file: it begins with {plain[:HEADER].hex(' ') or 'nothing'}")
    shape = tuple(int(size) for size in np.frombuffer(plain, dtype=">u4", count=axes, offset=HEADER))
    dtype = np.dtype(TYPES[kind])
    wanted = math.prod(shape) * dtype.itemsize
    if len(plain) - start != wanted:
        raise UnreadableFileError(
            f"{path} announces {wanted} bytes for shape {shape} but holds {len(plain) - start}: fetch it again"
        )
    return np.frombuffer(plain, dtype=dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _pair(folder: Path, part: str) -> tuple[Path, Path] | None:
    """The image and the label file of a part, or None where the folder has neither."""
    images, labels = (_find(folder, f"{part}-{what}") for what in (IMAGES, LABELS))
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there, lacking = (LABELS, IMAGES) if images is None else (IMAGES, LABELS)
        raise UnreadableFileError(f"{folder} holds {part}-{there} but no {part}-{lacking}: both are needed")
    return images, labels


def _find(folder: Path, name: str) -> Path | None:
    spellings = (name, f"{name}.gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz")
    return next((path for path in (folder / spelling for spelling in spellings) if path.is_file()), None)


def _read(path: Path, name: str, pairs: list[tuple[Path, Path]]) -> Dataset:
    contents = [(file, read_bytes(file)) for pair in pairs for file in pair]
    arrays = [read_idx(file, content) for file, content in contents]
    images, labels = arrays[0::2], arrays[1::2]
    for (image_file, label_file), x, y in zip(pairs, images, labels, strict=True):
        if x.ndim < 2 or y.ndim != 1:
            raise DataError(f"{image_file} has shape {x.shape} and {label_file} {y.shape}: not images and labels")
        if len(x) != len(y):
            raise DataError(
                f"{image_file} has {len(x)} images but {label_file} has {len(y)} labels: they do not belong together"
            )
        if x.shape[1:] != images[0].shape[1:]:
            raise DataError(f"{image_file} has images of {x.shape[1:]}, but training has {images[0].shape[1:]}")
    source = Source(kind="file", name=str(path), sha256=fingerprint_bytes(content for _, content in contents))
    first = len(labels[0])
    test_rows = np.arange(first, first + len(labels[1]), dtype=np.int64) if len(labels) > 1 else None
    x, y = np.concatenate(images), np.concatenate(labels)
    return from_arrays(x, y, task="classification", name=name, source=source, test_rows=test_rows)
