"""IDX files, the format of MNIST: an image file and a label file, one pair or a folder with train and t10k.

The format: two zero bytes, a byte for the type, a byte for the number of axes, the size of each axis as a big-endian
32-bit number, then the values, big-endian, row by row. Source: Y. LeCun, C. Cortes, C. Burges, the MNIST database.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np

from chainrule.data.arrays import from_arrays
from chainrule.data.dataset import Array, Dataset
from chainrule.data.files import DENSEST, damage_told, is_packed, read_bytes, stream_of
from chainrule.data.fingerprint import fingerprint_bytes
from chainrule.data.paths import kind_at
from chainrule.data.source import Source
from chainrule.errors import DataError, UnreadableFileError

TYPES: Final = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
TRAIN, TEST = "train", "t10k"
HEADER: Final = 4  # bytes before the sizes
PIECE: Final = 2**16  # bytes read at a time: they are still in the cache when they are put where they belong


class _Begun(msgspec.Struct, frozen=True, eq=False):
    """A file whose header is read; the values are what follows in its stream.

    Attributes:
        path: of the file.
        dtype: of the values as they lie there.
        shape: as announced.
        stream: from the first value on.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    stream: BinaryIO

    @property
    def size(self) -> int:
        """Bytes of values, as announced."""
        return math.prod(self.shape) * self.dtype.itemsize


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
    if kind_at(labels) is None:
        raise UnreadableFileError(f"{path} has no labels beside it: {labels.name} is needed in the same folder")
    return _read(path, path.name.split("-images")[0], [(path, labels)])


def read_idx(path: Path, content: bytes) -> Array:
    """The array in the bytes of an IDX file, packed or not, in this machine's byte order.

    Raises:
        UnreadableFileError: bytes that are not IDX, or fewer or more than the header announces.
    """
    return _joined([_begun(path, content)])


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
    return next((path for path in (folder / spelling for spelling in spellings) if kind_at(path) == "file"), None)


def _read(path: Path, name: str, pairs: list[tuple[Path, Path]]) -> Dataset:
    contents = [(file, read_bytes(file)) for pair in pairs for file in pair]
    begun = [_begun(file, content) for file, content in contents]
    images, labels = begun[0::2], begun[1::2]
    for x, y in zip(images, labels, strict=True):
        if len(x.shape) < 2 or len(y.shape) != 1:
            raise DataError(f"{x.path} has shape {x.shape} and {y.path} {y.shape}: not images and labels")
        if x.shape[0] != y.shape[0]:
            raise DataError(
                f"{x.path} has {x.shape[0]} images but {y.path} has {y.shape[0]} labels: they do not belong together"
            )
        if x.shape[1:] != images[0].shape[1:]:
            raise DataError(f"{x.path} has images of {x.shape[1:]}, but training has {images[0].shape[1:]}")
    source = Source(kind="file", name=str(path), sha256=fingerprint_bytes(content for _, content in contents))
    rows = [y.shape[0] for y in labels]
    test_rows = np.arange(rows[0], sum(rows), dtype=np.int64) if len(rows) > 1 else None
    return from_arrays(
        _joined(images), _joined(labels), task="classification", name=name, source=source, test_rows=test_rows
    )


# ---- header and values ----


def _begun(path: Path, content: bytes) -> _Begun:
    """Read the header."""
    stream = stream_of(content)
    with damage_told(path):
        head = stream.read(HEADER)
        kind, axes = (head[2], head[3]) if len(head) == HEADER else (0, 0)
        sizes = stream.read(4 * axes)
    if head[:2] != b"\0\0" or kind not in TYPES or axes == 0 or len(sizes) < 4 * axes:
        raise UnreadableFileError(f"{path} is not an IDX file: it begins with {head.hex(' ') or 'nothing'}")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    begun = _Begun(path, np.dtype(TYPES[kind]), shape, stream)
    if begun.size > len(content) * (DENSEST if is_packed(content) else 1):
        raise _wrong_size(begun, _rest(begun))
    return begun


def _joined(parts: Sequence[_Begun]) -> Array:
    """The values of files with the same kind of rows, one after the other, in this machine's byte order."""
    dtype = parts[0].dtype
    if any(part.dtype != dtype for part in parts):
        return np.concatenate([_joined([part]) for part in parts])
    joined, first = np.empty((sum(part.shape[0] for part in parts), *parts[0].shape[1:]), dtype), 0
    for part in parts:
        _fill(joined[first : first + part.shape[0]], part)
        first += part.shape[0]
    return joined.astype(dtype.newbyteorder("="), copy=False)


def _fill(place: Array, part: _Begun) -> None:
    """Read the values to their place, piece by piece, and the stream to its end, where its checksum is."""
    flat, came = place.reshape(-1).view(np.uint8), 0
    with damage_told(part.path):
        while piece := part.stream.read(min(PIECE, flat.size - came)):
            flat[came : came + len(piece)] = np.frombuffer(piece, np.uint8)
            came += len(piece)
    came += _rest(part)
    if came != flat.size:
        raise _wrong_size(part, came)


def _rest(part: _Begun) -> int:
    """How many bytes are left in the stream."""
    with damage_told(part.path):
        return sum(map(len, iter(lambda: part.stream.read(PIECE), b"")))


def _wrong_size(part: _Begun, came: int) -> UnreadableFileError:
    return UnreadableFileError(
        f"{part.path} announces {part.size} bytes for shape {part.shape} but holds {came}: fetch it again"
    )
