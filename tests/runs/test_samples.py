"""Rows handed to a trained network: from files without a target, dataframes, other orders of classes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule as cr

HEADER = "length,width,kind\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> cr.Run:
    """Three kinds that differ in length, from a CSV file."""
    table = tmp_path_factory.mktemp("data") / "kinds.csv"
    rows = [f"{k % 3 * 10 + k / 100},{k / 50},{'abc'[k % 3]}\n" for k in range(90)]
    table.write_text(HEADER + "".join(rows))
    data = cr.load(table, target="kind")
    return cr.train([cr.Dense(8, "tanh"), cr.Dense(3)], data, optimizer=cr.Adam(0.05), epochs=30, runs=None)


def test_a_table_needs_no_target_and_no_order_of_columns(run: cr.Run, tmp_path: Path) -> None:
    table = tmp_path / "new.csv"
    table.write_text("other,width,length\nx,0.3,0.1\ny,0.4,10.2\nz,0.5,20.3\n")
    assert run.predict(table).tolist() == ["a", "b", "c"]
    assert run.predict(pl.read_csv(table)).tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("width\n0.3\n", "at least two"),
        ("width,x\n0.3,1\n", "lacks .*, which the run was trained on"),
        ("width,length\n0.3,much\n", "line 2, column 'length': 'much'"),
        ("width,length\n0.3,\n", "a missing value"),
        ("width,length\n", "no rows"),
    ],
)
def test_tables_that_do_not_fit_are_refused(run: cr.Run, tmp_path: Path, text: str, says: str) -> None:
    table = tmp_path / "bad.csv"
    table.write_text(text)
    with pytest.raises(cr.errors.InputError, match=says):
        run.predict(table)


def test_arrays_of_a_file(run: cr.Run, tmp_path: Path) -> None:
    x = np.array([[0.1, 0.3], [20.3, 0.5]])
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x, more=np.zeros(3))
    np.savez(tmp_path / "other.npz", u=x, v=x)
    assert run.predict(tmp_path / "x.npy").tolist() == ["a", "c"]
    assert run.predict(str(tmp_path / "x.npz")).tolist() == ["a", "c"]
    with pytest.raises(cr.errors.DataError, match="'u', 'v'"):
        run.predict(tmp_path / "other.npz")
    with pytest.raises(cr.errors.UnreadableFileError, match="no file"):
        run.predict(tmp_path / "absent.npy")
    with pytest.raises(cr.errors.UnreadableFileError, match="ending"):
        run.predict(tmp_path / "x.pkl")


def test_images_may_have_their_axes(digits_run: cr.Run) -> None:
    x = digits_run.dataset.x[:4]
    assert (digits_run.predict(x.reshape(4, 8, 8)) == digits_run.predict(x)).all()


def test_classes_are_known_by_name(run: cr.Run, tmp_path: Path) -> None:
    table = tmp_path / "two.csv"
    table.write_text(HEADER + "20.1,0.5,c\n10.1,0.5,b\n20.2,0.1,c\n")
    scores = run.evaluate(table)
    assert isinstance(scores, cr.Classified)
    assert scores.accuracy == 1.0
    assert [each.rows for each in scores.classes] == [0, 1, 2]
    table.write_text(HEADER + "20.1,0.5,c\n10.1,0.5,d\n")
    with pytest.raises(cr.errors.RunError, match="the class 'd'"):
        run.evaluate(table)
    assert run.evaluate((np.array([[0.1, 0.3], [20.3, 0.5]]), np.array(["a", "c"]))).metrics["accuracy"] == 1.0


def test_a_run_without_held_out_rows_needs_data() -> None:
    run = cr.train(None, "xor", epochs=1, runs=None)
    with pytest.raises(cr.errors.RunError, match="held out no rows"):
        run.evaluate()
    assert run.evaluate("xor").rows == 4


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((64,), "samples of shape (n, 64) are wanted, and (64,) came: one sample is written x[None]"),
        ((8, 8), "samples of shape (n, 64) are wanted, and (8, 8) came: one sample is written x[None]"),
        ((3, 4, 16), "samples of shape (n, 64) are wanted, and (3, 4, 16) came: write x.reshape(len(x), -1)"),
        ((3, 784), "samples of shape (n, 64) are wanted, and (3, 784) came: give the features that the run was "),
        ((), "samples of shape (n, 64) are wanted, and () came: give the features that the run was trained on"),
    ],
)
def test_a_shape_that_does_not_fit_is_told_with_the_axis_of_the_samples_and_a_remedy(
    digits_run: cr.Run, shape: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(cr.errors.ShapeError, match=re.escape(sentence)):
        digits_run.predict(np.zeros(shape))


def test_the_remedies_for_a_shape_work(digits_run: cr.Run) -> None:
    x = cr.load("digits").x[:3].astype(float)
    assert digits_run.predict(x[0][None]).tolist() == digits_run.predict(x).tolist()[:1]
    assert digits_run.predict(x[0].reshape(8, 8)[None]).tolist() == digits_run.predict(x).tolist()[:1]
    spread = x.reshape(3, 4, 16)
    assert digits_run.predict(spread.reshape(len(spread), -1)).tolist() == digits_run.predict(x).tolist()


def test_rows_of_one_class_are_scored_and_not_trained_on(run: cr.Run, tmp_path: Path) -> None:
    """Of a table, of arrays and of a dataframe: what is right of each class is asked often enough."""
    table = tmp_path / "one.csv"
    table.write_text(HEADER + "".join(f"{10 + k / 100},{k / 50},b\n" for k in range(5)))
    x = np.array([[10 + k / 100, k / 50] for k in range(5)])
    for scores in (run.evaluate(table), run.evaluate(x, ["b"] * 5), run.evaluate(pl.read_csv(table))):
        assert isinstance(scores, cr.Classified)
        assert (scores.rows, scores.accuracy) == (5, 1.0)
        assert [each.rows for each in scores.classes] == [0, 5, 0]
    with pytest.raises(cr.errors.DataError, match=r"one class only \('b'\): a classifier needs rows of at least two"):
        cr.train(None, cr.load(table, target="kind"), runs=None)
