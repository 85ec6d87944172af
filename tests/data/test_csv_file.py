"""CSV files become data sets; what stands in the way is named with its file, line and column."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.data import load, load_source
from chainrule.errors import ChainruleError, DataError, InputError, UnknownNameError, UnreadableFileError

TABULAR = Path(__file__).parents[3] / "shared" / "data" / "tabular"
PEOPLE = "age,salary,happy\n20,1000,yes\n30,2000,no\n40,3e3,yes\n"


def written(tmp_path: Path, text: str | bytes, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_numbers_are_regression_and_names_are_classes(tmp_path: Path) -> None:
    path = written(tmp_path, PEOPLE)
    data = load(path, target="happy")
    assert (data.name, data.task, data.class_names, data.y.tolist()) == (
        "people",
        "classification",
        ("no", "yes"),
        [1, 0, 1],
    )
    assert (data.x.dtype, data.x.tolist()) == (np.float64, [[20.0, 1000.0], [30.0, 2000.0], [40.0, 3000.0]])
    assert data.feature_names == ("age", "salary")
    salary = load(path, target="salary", drop=["happy"])
    assert (salary.task, salary.y.tolist(), salary.target_names) == (
        "regression",
        [[1000.0], [2000.0], [3000.0]],
        ("salary",),
    )


@pytest.mark.parametrize(
    ("cells", "task", "names"),
    [
        (["true", "false", "True"], None, ("false", "true")),
        (["2", "10", "2.0"], "classification", ("2", "10")),
        (["0.5", "1.5", "0.5"], "classification", ("0.5", "1.5")),
        (["a", "1", "a"], "classification", ("1", "a")),
        (["Zoë", "日本", "Zoë"], None, ("Zoë", "日本")),
    ],
)
def test_classes_are_sorted(tmp_path: Path, cells: list[str], task: Any, names: tuple[str, ...]) -> None:
    path = written(tmp_path, "x,t\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells)))
    assert load(path, target="t", task=task).class_names == names


def test_whole_numbers_are_regression_unless_said(tmp_path: Path) -> None:
    path = written(tmp_path, "x,t\n1,0\n2,1\n")
    assert load(path, target="t").task == "regression"
    data = load(path, target="t", task="classification")
    assert (data.class_names, data.source.task) == (("0", "1"), "classification")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_separators_line_ends_and_spaces(tmp_path: Path, separator: str, line_end: str) -> None:
    lines = [" a ", "b", "the t"], ["1", " 2.5 ", '"x, y; z"'], ["-3", "+.5", "w"], ["", "", ""]
    text = line_end.join(separator.join(cells) for cells in lines) + line_end + line_end
    data = load(written(tmp_path, "\ufeff" + text), target="the t")
    assert data.feature_names == ("a", "b")
    assert data.x.tolist() == [[1.0, 2.5], [-3.0, 0.5]]
    assert data.class_names == ("w", "x, y; z")


def test_booleans_are_features_and_packed_files_are_read(tmp_path: Path) -> None:
    text = "a,b,t\ntrue,1,x\nFALSE,2,y\n"
    data = load(written(tmp_path, gzip.compress(text.encode()), "people.csv.gz"), target="t")
    assert (data.name, data.x.tolist()) == ("people", [[1.0, 1.0], [0.0, 2.0]])


def test_columns_are_chosen_or_dropped(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c,t\n1,2,text,5\n3,4,,6\n")
    assert load(path, target="t", features=["b", "a"]).feature_names == ("b", "a")
    data = load(path, target="t", drop=["c"])
    assert data.feature_names == ("a", "b")
    assert load_source(data.source).source == data.source
    assert load(path, target="t", features="a").feature_names == ("a",)


def test_an_unnamed_column_gets_a_name(tmp_path: Path) -> None:
    assert load(written(tmp_path, ",a,t\n0,1,2\n"), target="t").feature_names == ("column_1", "a")


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 123456789.12345679]
    text = "x,t\n" + "".join(f"{number!r},{index}\n" for index, number in enumerate(numbers))
    read = load(written(tmp_path, text), target="t").x[:, 0]
    assert [value.hex() for value in read.tolist()] == [number.hex() for number in numbers]


BAD: dict[str, tuple[str | bytes, dict[str, Any], type[ChainruleError], str]] = {
    "no target": (PEOPLE, {}, DataError, "needs a target.* 'age', 'salary', 'happy' with --target"),
    "unknown target": (
        PEOPLE,
        {"target": "hapy"},
        UnknownNameError,
        "column in people.csv 'hapy': did you mean 'happy'",
    ),
    "unknown feature": (PEOPLE, {"target": "happy", "features": ["agee"]}, UnknownNameError, "did you mean 'age'"),
    "unknown drop": (PEOPLE, {"target": "happy", "drop": ["agee"]}, UnknownNameError, "did you mean 'age'"),
    "target dropped": (PEOPLE, {"target": "happy", "drop": ["happy"]}, DataError, "cannot be dropped"),
    "target as feature": (PEOPLE, {"target": "age", "features": ["age"]}, DataError, "cannot be a feature"),
    "nothing left": (PEOPLE, {"target": "happy", "drop": ["age", "salary"]}, DataError, "no feature columns"),
    "text in features": (
        PEOPLE,
        {"target": "age"},
        DataError,
        "people.csv, line 2, column 'happy': 'yes' where a finite number is needed; correct it, .* --drop happy",
    ),
    "text late": ("a,b,t\n1,1,1\n2,x,2\n", {"target": "t"}, DataError, "line 3, column 'b': 'x'"),
    "all text": ("a,t\nx,1\ny,2\n", {"target": "t"}, DataError, "choose other columns"),
    "missing feature": ("a,b,t\n1,2,3\n4,,6\n", {"target": "t"}, DataError, "line 3, column 'b': a missing value"),
    "NA feature": ("a,b,t\n1,2,3\nN/A,5,6\n", {"target": "t"}, DataError, "line 3, column 'a': a missing value"),
    "infinite feature": ("a,b,t\n1,2,3\n4,-inf,6\n", {"target": "t"}, DataError, "line 3, column 'b': '-inf'"),
    "too large": ("a,t\n1e999,3\n4,6\n", {"target": "t"}, DataError, "line 2, column 'a': '1e999'"),
    "short line": ("a,b,t\n1,2,3\n4\n", {"target": "t"}, DataError, "line 3, column 'b': a missing value"),
    "missing target": (
        "a,t\n1,x\n2,\n3,?\n",
        {"target": "t"},
        DataError,
        "line 3, .*'t': the target is missing .*1 more",
    ),
    "mixed target": (
        "a,t\n1,5\n2,6\n3,abc\n",
        {"target": "t"},
        DataError,
        "line 4, column 't': 'abc' is text, and the other rows",
    ),
    "text regression": (
        "a,t\n1,x\n2,y\n",
        {"target": "t", "task": "regression"},
        DataError,
        "line 2, .*is text, and regression",
    ),
    "infinite target": (
        "a,t\n1,1\n2,inf\n",
        {"target": "t"},
        DataError,
        "line 3, column 't': the target must be finite",
    ),
    "decimal comma": ("a;t\n1,5;2\n2,5;3\n", {"target": "t"}, DataError, r"'1,5' .*\(write decimals with a point\)"),
    "header only": ("a,b,t\n", {"target": "t"}, DataError, "a header but no rows"),
    "only blank lines": ("a,b,t\n\n,,\n", {"target": "t"}, DataError, "a header but no rows"),
    "one column": ("a\n1\n", {"target": "a"}, DataError, "line 1, names 1 columns"),
    "blank first line": ("\na,b\n1,2\n", {"target": "a"}, DataError, "line 1"),
    "columns of one name": ("a,a,t\n1,2,3\n", {"target": "t"}, DataError, "more than one column is named 'a'"),
    "no header": ("5,5,7\n1,2,3\n", {"target": "t"}, DataError, "is line 1 data"),
    "long line": ("a,t\n1,2\n3,4,5\n", {"target": "t"}, DataError, "line 3: 3 cells, but the header names 2"),
    "open quote": ('a,t\n1,"2\n3,4\n', {"target": "t"}, DataError, "a quote that is never closed"),
    "empty": ("", {"target": "t"}, UnreadableFileError, "is empty"),
    "blank": (" \n\n", {"target": "t"}, UnreadableFileError, "is empty"),
    "garbage": (bytes(range(256)), {"target": "t"}, UnreadableFileError, "not a text file"),
    "latin-1": ("a,t\n1,é\n".encode("latin-1"), {"target": "t"}, UnreadableFileError, "line 2, is not UTF-8"),
    "utf-16": (PEOPLE.encode("utf-16"), {"target": "t"}, UnreadableFileError, "not a text file"),
    "packed, cut": (gzip.compress(PEOPLE.encode())[:-6], {"target": "t"}, UnreadableFileError, "cut short"),
    "option": (PEOPLE, {"target": "happy", "rows": 3}, InputError, "does not take the option rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_a_sentence(tmp_path: Path, case: str) -> None:
    text, options, error, words = BAD[case]
    with pytest.raises(error, match=words) as raised:
        load(written(tmp_path, text), **options)
    assert "\n" not in str(raised.value)


def test_lines_are_counted_as_in_an_editor(tmp_path: Path) -> None:
    text = 'note,a,t\n"two\nlines",1,1\n\n"x",oops,2\n'
    with pytest.raises(DataError, match="line 5, column 'a': 'oops'"):
        load(written(tmp_path, text), target="t", drop=["note"])


def test_hostile_text_is_escaped(tmp_path: Path) -> None:
    path = written(tmp_path, "a,\x1b[31mb,t\n1,\x1b[2J,3\n")
    with pytest.raises(DataError, match=r"column '\\x1b\[31mb': '\\x1b\[2J'") as raised:
        load(path, target="t")
    assert "\x1b" not in str(raised.value)
    with pytest.raises(UnknownNameError) as unknown:
        load(path, target="b")
    assert "\x1b" not in str(unknown.value)


def test_changed_data_are_noticed(tmp_path: Path) -> None:
    source = load(written(tmp_path, PEOPLE), target="happy").source
    written(tmp_path, PEOPLE.replace("20", "21"))
    with pytest.raises(DataError, match="the data changed since"):
        load_source(source)


@pytest.mark.parametrize(
    ("name", "options", "rows", "features", "outputs"),
    [
        (
            "california_housing",
            {"target": "median_house_value", "drop": ["total_bedrooms", "ocean_proximity"]},
            20640,
            7,
            1,
        ),
        ("california_housing", {"target": "ocean_proximity", "drop": ["total_bedrooms"]}, 20640, 8, 5),
        ("mpg", {"target": "mpg", "drop": ["horsepower", "origin", "name"]}, 398, 5, 1),
        ("titanic", {"target": "Survived", "task": "classification", "features": ["Pclass", "Fare"]}, 891, 2, 2),
    ],
)
def test_real_tables(name: str, options: dict[str, Any], rows: int, features: int, outputs: int) -> None:
    if not TABULAR.is_dir():
        pytest.skip("needs the tables in ../shared/data/tabular")
    data = load(TABULAR / f"{name}.csv", **options)
    assert (data.row_count, data.feature_count, data.output_count) == (rows, features, outputs)


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("penguins", "species", "line 2, column 'island': 'Torgersen'"),
        ("mpg", "mpg", "line 34, column 'horsepower': a missing value .*--drop horsepower,origin,name"),
        ("titanic", "Survived", "line 2, column 'Name': .*--drop Name,Sex,Age,Ticket,Cabin,Embarked"),
        ("adult_test", "income", "more than one column is named '0'.*is line 1 data"),
    ],
)
def test_real_tables_that_need_more(name: str, target: str, words: str) -> None:
    if not TABULAR.is_dir():
        pytest.skip("needs the tables in ../shared/data/tabular")
    with pytest.raises(DataError, match=words):
        load(TABULAR / f"{name}.csv", target=target)
