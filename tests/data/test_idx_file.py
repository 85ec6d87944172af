"""IDX files are read as their format says, and damaged ones are told from whole ones."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from chainrule.data import load, load_source, split
from chainrule.errors import DataError, UnreadableFileError

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, kind, array.ndim]) + sizes + array.tobytes()


IMAGES = np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)
LABELS = np.array([0, 1, 2, 1, 0], dtype=np.uint8)


def write(folder: Path, part: str, images: bytes, labels: bytes, ending: str = "") -> None:
    pack = gzip.compress if ending == ".gz" else bytes
    (folder / f"{part}-images-idx3-ubyte{ending}").write_bytes(pack(images))
    (folder / f"{part}-labels-idx1-ubyte{ending}").write_bytes(pack(labels))


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_folder_with_both_parts(tmp_path: Path, ending: str) -> None:
    write(tmp_path, "train", idx(IMAGES), idx(LABELS), ending)
    write(tmp_path, "t10k", idx(IMAGES[:2] + 100), idx(LABELS[:2]), ending)
    data = load(tmp_path)
    assert (data.x.shape, data.x.dtype, data.image_shape) == ((7, 6), np.uint8, (3, 2))
    assert data.y.tolist() == [0, 1, 2, 1, 0, 0, 1]
    assert data.test_rows is not None
    assert data.test_rows.tolist() == [5, 6]
    assert data.x[6].tolist() == (IMAGES[1] + 100).reshape(-1).tolist()
    assert data.value_range == (0.0, 255.0)
    assert load_source(data.source).source == data.source


def test_a_folder_without_test_part_and_with_dots(tmp_path: Path) -> None:
    (tmp_path / "train-images.idx3-ubyte").write_bytes(idx(IMAGES))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx(LABELS))
    assert load(str(tmp_path)).test_rows is None


def test_one_pair_by_its_image_file(tmp_path: Path) -> None:
    write(tmp_path, "t10k", idx(IMAGES), idx(LABELS), ".gz")
    data = load(tmp_path / "t10k-images-idx3-ubyte.gz")
    assert (data.name, data.row_count, data.test_rows) == ("t10k", 5, None)


def test_values_are_big_endian(tmp_path: Path) -> None:
    values = np.array([[1, -2], [300, 4]], dtype=">i4")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(values, 0x0C))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.array([0, 1], dtype=np.uint8)))
    data = load(tmp_path)
    assert data.x.tolist() == [[1, -2], [300, 4]]
    assert data.x.dtype == np.int32
    assert data.x.dtype.isnative


def test_parts_of_other_types_are_joined(tmp_path: Path) -> None:
    """As NumPy does it; and a packed part may be in several pieces of gzip, as `cat` makes it."""
    wide = np.arange(12, dtype=">i4").reshape(2, 3, 2)
    write(tmp_path, "train", idx(IMAGES), idx(LABELS))
    write(tmp_path, "t10k", idx(wide, 0x0C), idx(LABELS[:2]))
    assert load(tmp_path).x.tolist() == np.concatenate([IMAGES, wide]).tolist()
    parted = b"".join(gzip.compress(part) for part in (idx(IMAGES)[:21], idx(IMAGES)[21:]))
    (tmp_path / "train-images-idx3-ubyte").write_bytes(parted)
    assert load(tmp_path).x[:5].tolist() == IMAGES.tolist()


def test_values_go_where_they_stay(tmp_path: Path) -> None:
    """No second copy of what is unpacked is made on the way: a copy of one part alone would be half as much again."""
    images = np.random.default_rng(1).integers(0, 256, (10_000, 20, 20)).astype(np.uint8)
    for part in ("train", "t10k"):
        write(tmp_path, part, idx(images), idx((np.arange(10_000) % 2).astype(np.uint8)), ".gz")
    tracemalloc.start()
    data = load(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    packed = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert peak < packed + 1.25 * data.x.nbytes


DAMAGED = {
    "empty": b"",
    "cut in the header": idx(IMAGES)[:9],
    "cut in the values": idx(IMAGES)[:-1],
    "longer than announced": idx(IMAGES) + b"\0",
    "wrong magic": b"\1" + idx(IMAGES)[1:],
    "unknown type": idx(IMAGES, 0x0A),
    "no axes": b"\0\0\x08\0",
    "huge sizes": b"\0\0\x08\3" + b"\xff" * 12,
    "packed, cut in the values": gzip.compress(idx(IMAGES)[:-1]),
    "packed, longer than announced": gzip.compress(idx(IMAGES) + b"\0"),
    "packed, huge sizes": gzip.compress(b"\0\0\x08\3" + b"\xff" * 12),
    "packed, with a wrong checksum": gzip.compress(idx(IMAGES))[:-8] + bytes(8),
    "a packed file cut short": gzip.compress(idx(IMAGES))[:-12],
    "a packed file with a wrong byte": gzip.compress(idx(IMAGES))[:12]
    + b"\xff\xff\xff"
    + gzip.compress(idx(IMAGES))[15:],
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_are_refused(tmp_path: Path, case: str) -> None:
    write(tmp_path, "train", DAMAGED[case], idx(LABELS))
    with pytest.raises(UnreadableFileError, match="train-images-idx3-ubyte"):
        load(tmp_path)


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "train", idx(IMAGES), idx(LABELS[:4]))
    with pytest.raises(DataError, match=r"5 images but .* 4 labels"):
        load(tmp_path)
    write(tmp_path, "train", idx(IMAGES), idx(IMAGES))
    with pytest.raises(DataError, match="not images and labels"):
        load(tmp_path)
    write(tmp_path, "train", idx(IMAGES), idx(LABELS))
    write(tmp_path, "t10k", idx(IMAGES.reshape(5, 2, 3)), idx(LABELS))
    with pytest.raises(DataError, match=r"\(2, 3\), but training has \(3, 2\)"):
        load(tmp_path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no IDX files"):
        load(tmp_path)
    images = tmp_path / "train-images-idx3-ubyte"
    images.write_bytes(idx(IMAGES))
    with pytest.raises(UnreadableFileError, match="no train-labels-idx1-ubyte"):
        load(tmp_path)
    with pytest.raises(UnreadableFileError, match="no labels beside it"):
        load(images)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(LABELS))
    with pytest.raises(UnreadableFileError, match="not named like a file of images"):
        load(labels)


def test_changed_data_are_noticed(tmp_path: Path) -> None:
    write(tmp_path, "train", idx(IMAGES), idx(LABELS))
    source = load(tmp_path).source
    write(tmp_path, "train", idx(IMAGES), idx(LABELS[[1, 0, 2, 3, 4]]))
    with pytest.raises(DataError, match="the data changed since"):
        load_source(source)


def test_mnist() -> None:
    if not MNIST.is_dir():
        pytest.skip("needs the four MNIST files in ../shared/data/mnist")
    data = load(MNIST)
    assert (data.x.shape, data.x.dtype, data.image_shape) == ((70_000, 784), np.uint8, (28, 28))
    assert data.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.y[60_000:60_005].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(data.y[:60_000]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert float(data.x[:60_000].mean()) == pytest.approx(33.318421, abs=1e-6)
    parts = split(data, test_fraction=0.2, validation_fraction=0.1, seed=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (54_000, 6_000, 10_000)
    assert parts.test[0] == 60_000
