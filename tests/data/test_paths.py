"""What lies at a path; what the system refuses to say is told, by every Python alike, and never taken for nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.data import load
from chainrule.data.paths import kind_at
from chainrule.data.unlabeled import load_samples
from chainrule.errors import UnreadableFileError

LONG = "x" * 5000


def test_a_folder_a_file_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,t\n1,2\n")
    (tmp_path / "link").symlink_to("t.csv")
    (tmp_path / "dangling").symlink_to("nothing")
    assert kind_at(tmp_path) == "folder"
    assert kind_at(tmp_path / "t.csv") == kind_at(tmp_path / "link") == "file"
    assert kind_at(tmp_path / "nothing") is None
    assert kind_at(tmp_path / "t.csv" / "below a file") is None
    assert kind_at(tmp_path / "dangling") is None
    assert kind_at(Path("/dev/null")) == "file"


@pytest.mark.parametrize(("name", "why"), [(LONG, "File name too long"), ("loop", "symbolic links"), ("a\0b", "null")])
def test_what_the_system_refuses_to_say_is_told(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnreadableFileError, match=rf"^'.{{1,40}}' cannot be looked up \(.*{why}.*\): check the path"):
        kind_at(tmp_path / name)


@pytest.mark.parametrize("name", [f"{LONG}.csv", "loop/t.csv", "loop"])
def test_data_that_cannot_be_looked_up(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for read in (load, load_samples):
        with pytest.raises(UnreadableFileError, match="cannot be looked up"):
            read(str(tmp_path / name), features=())


def test_images_that_cannot_be_looked_up(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").symlink_to("train-images-idx3-ubyte")
    with pytest.raises(UnreadableFileError, match="cannot be looked up"):
        load(tmp_path)
