"""Bad input: one sentence, the right exit code, never a traceback."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Command


def table(text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "t.csv"
        path.write_text(text)
        return path

    return write


def arrays(x: object, y: object) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        np.savez(folder / "t.npz", x=np.array(x), y=np.array(y))
        return folder / "t.npz"

    return write


def truncated_images(folder: Path) -> Path:
    header = struct.pack(">HBBIII", 0, 8, 3, 10, 4, 4)
    (folder / "train-images-idx3-ubyte").write_bytes(header + bytes(100))
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 10) + bytes(range(10)))
    return folder


def truncated_npz(folder: Path) -> Path:
    path = arrays(np.zeros((9, 2)), [0, 1, 2] * 3)(folder)
    path.write_bytes(path.read_bytes()[:-40])
    return path


def array(folder: Path) -> Path:
    np.save(folder / "a.npy", np.ones((4, 3)))
    return folder / "a.npy"


def empty_experiment(folder: Path) -> Path:
    (folder / "e.toml").write_text("format_version = 1\n")
    return folder / "e.toml"


def folder_without_data(folder: Path) -> Path:
    return folder


ROWS = "".join(f"{k},{k % 3}.5,{'ab'[k % 2]}\n" for k in range(10))
MISTAKES = {
    "text where numbers should be": (table("x,u,y\nred,1,2\n3,4,5\n"), ["--target", "y"], "'red'"),
    "a missing value": (table("x,u,y\n,1,2\n3,4,5\n"), ["--target", "y"], "missing value"),
    "no target": (table("x,u,y\n" + ROWS), [], "--target"),
    "an unknown target": (table("x,u,kind\n" + ROWS), ["--target", "knd"], "did you mean 'kind'"),
    "an unknown column": (table("x,u,kind\n" + ROWS), ["--target", "kind", "--drop", "w"], "unknown column"),
    "zero rows": (table("x,u,y\n"), ["--target", "y"], "no rows"),
    "an empty file": (table(""), ["--target", "y"], "empty"),
    "one class": (table("x,y\n1,a\n2,a\n"), ["--target", "y"], "one class only"),
    "too many cells": (table("x,y\n1,2\n3,4,5\n"), ["--target", "y"], "line 3"),
    "too few rows": (table("x,y\n1,a\n2,b\n"), ["--target", "y"], "too few"),
    "NaN in inputs": (arrays([[np.nan, 1.0], [2.0, 3.0]], [0, 1]), [], "nan at row 0"),
    "rows that do not fit": (arrays(np.zeros((3, 2)), [0, 1]), [], "3 rows"),
    "images cut short": (truncated_images, [], "fetch it again"),
    "an archive cut short": (truncated_npz, [], "cut short"),
    "a folder without data": (folder_without_data, [], "holds no IDX files"),
    "one row of numbers": (table("x,u,y\n1,2,3\n"), ["--target", "y"], "1 row is too few"),
    "text to predict": (table("x,u,y\n1,2,a\n"), ["--target", "y", "--task", "regression"], "is text, and regression"),
    "no column of an array": (array, [], "say it with --target"),
    "an empty experiment": (empty_experiment, [], "the key 'name' is missing, add it"),
    "an unknown loss": (table("x,u,y\n" + ROWS), ["--target", "y", "--loss", "mce"], "unknown loss"),
    "a loss for classes": (table("x,u,y\n" + ROWS), ["--target", "u", "--drop", "y", "--loss", "cross_entropy"],
                           "compares classes"),
    "a layer of the wrong width": (table("x,u,y\n" + ROWS), ["--target", "y", "--layers", "dense(3)"], "2 units"),
    "a frozen name": (table("x,u,y\n" + ROWS), ["--target", "y", "--frozen", "dense_7.W"], "dense_1.W"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_two(command: Command, tmp_path: Path, mistake: str) -> None:
    write, options, says = MISTAKES[mistake]
    ended = command("train", str(write(tmp_path)), *options, "--runs", str(tmp_path / "runs"), "--epochs", "1")
    assert ended.code == 2, ended
    assert ended.err.startswith("error["), ended.err
    assert ended.err.count("\n") == 1, ended.err
    assert says in ended.err
    assert ended.out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("train", "digts"), "did you mean 'digits'"),
        (("train", "nowhere/data.csv", "--target", "y"), "no file"),
        (("train", "absent.toml"), "cannot be read"),
        (("train", "xor", "--backend", "gpu"), "unknown backend 'gpu'"),
        (("train", "xor", "--epochs", "0"), "as epochs, and got 0; choose another number"),
        (("open", "digits"), "unknown command"),
        (("explain", "digits", "--weight", "dense_9.W[0, 0]"), "known are dense_1.W"),
        (("explain", "digits", "--weight", "dense_1.W[0, 16]"), "0 to 15"),
        (("explain", "digits", "--weight", "dense_1.W[0, 1]", "--sample", "-1"), "samples 0 to 1796"),
        (("explain", "digits", "--weight", "dense_1.W[0, 1]", "--sample", "5000"), "samples 0 to 1796"),
        (("explain", "digits", "--weight", "dense_1.W[0, 1]", "--batch", "45"), "0 to 44"),
        (("explain", "digits", "--weight", "dense_1.W[0, 1]", "--batch", "0", "--sample", "1"), "exclude"),
        (("explain", "nothing", "--weight", "dense_1.W[0, 1]"), "unknown run"),
        (("predict", "line", "absent.csv"), "no file"),
        (
            ("predict", "digits", "line.csv"),
            "line.csv lacks 'pixel[0, 0]', 'pixel[0, 1]', 'pixel[0, 2]' and 61 more",
        ),
        (("evaluate", "digits", "line.csv"), "--target"),
        (("gradcheck", "digits", "--weights", "0"), "at least 1"),
        (("resume", "digits"), "more than 2 epochs"),
    ],
)
def test_what_does_not_exist_is_said_in_one_sentence(
    command: Command, there: Path, words: tuple[str, ...], says: str
) -> None:
    ended = command(*words)
    assert ended.code == 2, ended
    assert ended.err.startswith("error[")
    assert ended.err.count("\n") == 1
    assert says in ended.err


def test_a_folder_that_cannot_be_written_is_said(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    ended = command("train", "xor", "--epochs", "1", "--runs", str(tmp_path / "runs"))
    assert ended.code == 1
    assert ended.err.startswith("error[write]: ")
    assert ended.err.count("\n") == 1
