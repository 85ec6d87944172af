"""Paths, dataframes and sources find their reader, or a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from chainrule.data import Source, check_source, load, load_source
from chainrule.errors import DataError, InputError, UnknownNameError, UnreadableFileError
from tests.absent import require


def test_importing_needs_neither_polars_nor_narwhals() -> None:
    code = "import sys, chainrule.data; chainrule.data.load('digits'); print({'polars', 'narwhals'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_path_that_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"there is no file .*nothing\.csv"):
        load("nothing.csv", target="t")
    with pytest.raises(UnreadableFileError, match="there is no file"):
        load(tmp_path / "digit")
    with pytest.raises(UnknownNameError, match="did you mean 'spirals'"):
        load("spiral")
    (tmp_path / "notes.pdf").write_bytes(b"x")
    with pytest.raises(UnreadableFileError, match=r"ending that is not known: known are \.csv"):
        load("notes.pdf")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UnreadableFileError, match="no IDX files"):
        load("folder.csv")


@pytest.mark.parametrize(
    ("error", "words"), [(PermissionError(13, "denied"), "may not be read"), (OSError(5, "I/O error"), "I/O error")]
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    def refuse(self: Path) -> bytes:
        raise error

    path = tmp_path / "secret.csv"
    path.write_text("a,t\n1,2\n")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UnreadableFileError, match=words):
        load(path, target="t")


def test_a_built_in_name_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor").mkdir()
    assert load("xor").row_count == 4
    with pytest.raises(UnreadableFileError, match="no IDX files"):
        load("./xor")


def test_a_path_is_remembered_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a,t\n1,2\n3,4\n")
    monkeypatch.chdir(tmp_path)
    source = load("t.csv", target="t").source
    monkeypatch.chdir("/")
    assert load_source(source).row_count == 2


FRAME = pl.DataFrame({"age": [20, 30, 40], "rich": [True, False, True], "name": ["b", "a", "b"], "t": [0.5, 1.5, 2.5]})


def test_a_dataframe() -> None:
    data = load(FRAME, target="t", drop=["name"])
    assert (data.task, data.x.tolist()) == ("regression", [[20.0, 1.0], [30.0, 0.0], [40.0, 1.0]])
    assert (data.feature_names, data.target_names) == (("age", "rich"), ("t",))
    named = load(FRAME, target="name")
    assert (named.class_names, named.y.tolist()) == (("a", "b"), [1, 0, 1])
    assert load(FRAME, target="rich", drop=["name"]).class_names == ("false", "true")


def test_a_dataframe_is_fingerprinted_by_content() -> None:
    same = load(FRAME.clone(), target="t", drop=["name"])
    other = load(FRAME.with_columns(name=pl.Series(["b", "a", "c"])), target="t", drop=["name"])
    source = load(FRAME, target="t", drop=["name"]).source
    assert check_source(same, source) is same
    with pytest.raises(DataError, match="the data changed"):
        check_source(other, source)
    with pytest.raises(DataError, match="were in memory"):
        load_source(source)


def test_dataframes_of_pandas() -> None:
    pandas = require("pandas", "pip install pandas")
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [True, False, True], "t": ["x", "y", "x"]})
    data = load(frame, target="t")
    assert (data.x.tolist(), data.class_names) == ([[1.0, 1.0], [2.0, 0.0], [3.0, 1.0]], ("x", "y"))
    numbered = load(pandas.DataFrame([[1.0, 2.0], [3.0, 5.0]]), target=1)
    assert (numbered.feature_names, numbered.y.tolist()) == (("0",), [[2.0], [5.0]])
    with pytest.raises(DataError, match="row 1, column 'b': a missing value"):
        load(frame.assign(b=[True, None, True]), target="t")
    with pytest.raises(DataError, match="distinct names"):
        load(pandas.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), target="a")
    with pytest.raises(DataError, match="of one name"):
        load(pandas.DataFrame([[1, 2], [3, 4]], columns=[0, "0"]), target="0")


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        (FRAME, {}, DataError, "needs a target.* with target="),
        (FRAME, {"target": "tt"}, UnknownNameError, "column in the dataframe 'tt'"),
        (FRAME, {"target": "t"}, DataError, r"row 0, column 'name': 'b' .* drop=\['name'\]"),
        (
            pl.DataFrame({"a": [1, None], "t": [1.0, 2.0]}),
            {"target": "t"},
            DataError,
            "row 1, column 'a': a missing value",
        ),
        (pl.DataFrame({"a": [1, 2], "t": ["x", None]}), {"target": "t"}, DataError, "row 1, .*target is missing"),
        (pl.DataFrame({"a": [1.0, float("inf")], "t": [1, 2]}), {"target": "t"}, DataError, "row 1, column 'a': 'inf'"),
        (pl.DataFrame({"a": [], "t": []}), {"target": "t"}, DataError, "no rows"),
        (FRAME.lazy(), {"target": "t"}, DataError, "lazy"),
        (FRAME, {"target": "t", "rows": 3}, InputError, "a dataframe does not take"),
    ],
)
def test_bad_dataframes_are_refused(frame: Any, options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        load(frame, **options)


def test_a_source_is_plain_data() -> None:
    source = load("spirals", rows=30, classes=3, noise=0.0, seed=5).source
    plain = msgspec.to_builtins(source)
    assert plain == {
        "kind": "builtin",
        "name": "spirals",
        "sha256": source.sha256,
        "rows": 30,
        "classes": 3,
        "noise": 0.0,
        "seed": 5,
    }
    assert msgspec.convert(plain, Source) == source
    assert msgspec.json.decode(msgspec.json.encode(source), type=Source) == source
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({**plain, "row": 3}, Source)
    assert np.array_equal(load_source(source).x, load("spirals", rows=30, classes=3, noise=0.0, seed=5).x)


def test_a_source_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match=r"the data changed since .* aaaaaaaaaaaa"):
        load_source(Source(kind="builtin", name="xor", sha256="a" * 64))
    assert load_source(Source(kind="builtin", name="xor")).row_count == 4
    with pytest.raises(UnknownNameError, match="did you mean 'xor'"):
        load_source(Source(kind="builtin", name="xorr"))
    with pytest.raises(InputError, match="rows"):
        load_source(Source(kind="builtin", name="xor", rows=5))
