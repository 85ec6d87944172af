"""History keeps every epoch's measurements, in memory and on disk, and survives a torn last line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from chainrule.errors import RunError, UnknownNameError, WriteError
from chainrule.train.history import Entry, History, HistoryFile, read_history
from chainrule.train.tally import Tally

EPOCHS = History(
    [
        Entry(0, 45, {"loss": 0.1 + 0.2, "accuracy": 0.5}, seconds=1.25),
        Entry(1, 90, {"loss": 5e-324, "accuracy": 1.0}, seconds=1.5),
    ]
)


def test_columns_by_name() -> None:
    assert EPOCHS["loss"] == [0.1 + 0.2, 5e-324]
    assert list(EPOCHS) == ["loss", "accuracy"]
    assert dict(EPOCHS) == {"loss": [0.1 + 0.2, 5e-324], "accuracy": [0.5, 1.0]}
    assert "val_loss" not in EPOCHS
    with pytest.raises(UnknownNameError, match="unknown measurement 'los': did you mean 'loss'"):
        EPOCHS["los"]


def test_what_is_appended_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    file = HistoryFile(path)
    for entry in EPOCHS.entries:
        file.append(entry)
    file.flush()
    file.close()
    assert read_history(path) == EPOCHS
    assert list(read_history(path).entries) == EPOCHS.entries
    assert json.loads(path.read_text().splitlines()[0]) == {
        "epoch": 0,
        "step": 45,
        "loss": 0.30000000000000004,
        "accuracy": 0.5,
        "seconds": 1.25,
    }


def test_values_that_are_not_finite_stay_what_they_are(tmp_path: Path) -> None:
    file = HistoryFile(tmp_path / "h", History([Entry(0, 1, {"val_loss": math.inf, "val_accuracy": math.nan}, 0.0)]))
    file.close()
    back = read_history(tmp_path / "h")
    assert back["val_loss"] == [math.inf]
    assert math.isnan(back["val_accuracy"][0])


@pytest.mark.parametrize("torn", [b'{"epoch": 2, "st', b"{", b'{"epoch": 2, "step": 3, "seconds": 1}'])
def test_a_torn_last_line_is_left_out(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "history.jsonl"
    HistoryFile(path, EPOCHS).close()
    path.write_bytes(path.read_bytes() + torn)
    assert read_history(path) == EPOCHS


@pytest.mark.parametrize(
    "damaged", [b"[]\n", b"{}\n", b"not json\n", b'{"epoch": 5, "step": 3, "seconds": 1}\n', b"\n"]
)
def test_damage_elsewhere_is_named_with_its_line(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "history.jsonl"
    HistoryFile(path, EPOCHS).close()
    path.write_bytes(path.read_bytes() + damaged + b"{}\n")
    with pytest.raises(RunError, match=r"history\.jsonl, line 3, is damaged"):
        read_history(path)


def test_what_was_read_can_be_cut_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    HistoryFile(path, EPOCHS).close()
    first = History(read_history(path).entries[:1])
    assert (first.epochs, first["loss"]) == (1, EPOCHS["loss"][:1])
    first.entries.append(EPOCHS.entries[1])
    assert first == EPOCHS
    assert first.entries[-1] == EPOCHS.entries[1]
    HistoryFile(path, first).close()
    assert read_history(path) == EPOCHS


def test_of_a_missing_history_is_said_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"history\.jsonl is missing from its folder, which holds nothing: restore it"):
        read_history(tmp_path / "history.jsonl")
    for number in range(10):
        (tmp_path / f"{number}.bin").touch()
    with pytest.raises(RunError, match=r"which holds 0\.bin, 1\.bin, \S+ \S+ \S+ \S+ \S+ 7\.bin and 2 more: restore"):
        read_history(tmp_path / "history.jsonl")


def test_a_history_that_is_a_folder_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").mkdir()
    with pytest.raises(RunError, match=r"history\.jsonl cannot be read \(.+\): check its permissions"):
        read_history(tmp_path / "history.jsonl")


def test_going_on_begins_with_the_epochs_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    HistoryFile(path, EPOCHS).close()
    file = HistoryFile(path, History(EPOCHS.entries[:1]))
    file.append(EPOCHS.entries[1])
    file.close()
    assert read_history(path) == EPOCHS


def test_a_full_disk_is_told() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full, which this system does not have")
    file = HistoryFile.__new__(HistoryFile)
    file._path, file._file = full, full.open("ab", buffering=0)
    with pytest.raises(WriteError, match="No space left on device"):
        file.append(EPOCHS.entries[0])
    file.close()


@pytest.mark.parametrize("cut", [1, 2, 7, 45, 299])
def test_a_tally_is_the_same_however_it_is_cut(cut: int) -> None:
    means = np.exp(np.linspace(-20.0, 3.0, 300)).astype(np.float32)
    weights = np.linspace(0.1, 7.0, 300)
    whole = Tally().add_means({"loss": means}, weights)
    parts = Tally()
    for start in range(0, 300, cut):
        parts = parts.add_means({"loss": means[start : start + cut]}, weights[start : start + cut])
    assert parts == whole
    assert whole.means()["loss"] == pytest.approx(np.average(means.astype(np.float64), weights=weights), rel=1e-14)


def test_a_tally_weighs_a_smaller_last_batch_less() -> None:
    tally = Tally().add_means({"loss": np.array([1.0, 4.0])}, np.array([3, 1]))
    assert tally.means() == {"loss": 7.0 / 4.0}
    assert math.isnan(Tally().add_sums({"loss": np.array([0.0])}, np.array([0.0])).means()["loss"])
