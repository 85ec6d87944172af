"""What the symbols of an explained weight are in the data: a column, its value there, a class, a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.document import Labeled, Table, find, render_text

ROWS = 40


def table(folder: Path, name: str, last: Sequence[object]) -> cr.Dataset:
    """Ages and salaries, and a last column to predict."""
    lines = [f"{20 + row},{1000 * ((7 * row) % ROWS)},{value}" for row, value in enumerate(last)]
    file = folder / f"{name}.csv"
    file.write_text("\n".join(["age,salary,wanted", *lines]), encoding="utf-8")
    return cr.load(file, target="wanted")


def trained(data: object, *layers: cr.Dense, **options: object) -> cr.Run:
    return cr.train([*layers], data, epochs=1, runs=None, dtype="float64", **options)  # pyright: ignore[reportArgumentType]


def said(page: cr.Page) -> str:
    """The row of the page, as one line; nothing where there is none."""
    found = find(page.document, "origin") if "In the data" in page.text else None
    assert found is None or isinstance(found, Labeled)
    return (
        "" if found is None else " ".join(render_text(cr.Document("", (found,)), 400).split("In the data")[1].split())
    )


def test_a_weight_of_the_first_layer_tells_its_column_and_the_value_there(tmp_path: Path) -> None:
    run = trained(table(tmp_path, "points", [3 * row for row in range(ROWS)]), cr.Dense(3, "tanh"), cr.Dense(1))
    page = run.explain("dense_1.W[1, 2]", sample=5)
    scaling = run.record.features
    assert said(page) == ("x₁ is salary, 35000 before it was standardized; y₀ is wanted, 15 before it was standardized")
    x = (35000 - scaling.shift_array[1]) / scaling.scale_array[1]
    assert f"x₁ {x:.6g}"[:7].replace("-", "−") in " ".join(page.text.split())
    assert said(run.explain("dense_1.W[0, 2]", batch=0)) == "x₀ is age, standardized; y₀ is wanted, standardized"
    assert said(run.explain("dense_2.W[0, 0]", sample=5)) == "y₀ is wanted, 15 before it was standardized"
    assert said(run.explain("dense_1.b[0]", sample=5)).startswith("y₀ is wanted")


def test_classes_are_named_by_their_outputs(tmp_path: Path) -> None:
    many = [f"kind {row % 8}" for row in range(ROWS)]
    run = trained(table(tmp_path, "kinds", many), cr.Dense(8), scale_features="none")
    assert said(run.explain("dense_1.W[0, 7]", sample=3)) == (
        "x₀ is age, 23; output 0 is kind 0, 1 kind 1, 2 kind 2, 3 kind 3, 4 kind 4, 5 kind 5, and 2 more"
    )
    two = table(tmp_path, "two", ["no" if row % 2 else "yes" for row in range(ROWS)])
    one = trained(two, cr.Dense(1, "sigmoid"), loss="binary_cross_entropy")
    assert said(one.explain("dense_1.b[0]", sample=3)) == f"ŷ₀ is the probability of {one.record.class_names[1]}"


@pytest.mark.parametrize(("scale", "says"), [("none", ""), ("minmax", "x₁ was 0.25 before it was scaled to 0…1")])
def test_nothing_is_said_where_it_is_no_news(scale: str, says: str) -> None:
    x = np.array([[row % 3, row / 4] for row in range(ROWS)])
    run = trained((x, np.arange(ROWS) % 2), cr.Dense(2), scale_features=scale)
    assert said(run.explain("dense_1.W[1, 0]", sample=1)) == says
    assert said(run.explain("dense_1.W[1, 0]", batch=0)) == ("x₁ is scaled to 0…1" if says else "")
    assert said(run.explain(layer="dense_1", sample=1)) == (
        "x₀ was 1 before it was scaled to 0…1; x₁ 0.25" if says else ""
    )
    assert said(run.explain(layer="dense_1", batch=0)) == ("x₀, x₁ are scaled to 0…1" if says else "")


def test_pages_of_many_weights_tell_the_inputs_that_they_name(tmp_path: Path) -> None:
    run = trained(table(tmp_path, "points", [3 * row for row in range(ROWS)]), cr.Dense(3, "tanh"), cr.Dense(1))
    target = "y₀ is wanted, 15 before it was standardized"
    whole = "x₀ is age, 25 before it was standardized; x₁ salary, 35000"
    for asked in ({"unit": "dense_1[2]"}, {"layer": "dense_1"}, {"network": True}):
        assert said(run.explain(**asked, sample=5)) == f"{whole}; {target}"  # pyright: ignore[reportArgumentType]
    batch = "x₀ is age, x₁ salary, each standardized; y₀ is wanted, standardized"
    assert said(run.explain(layer="dense_1", batch=0)) == batch
    assert said(run.explain(layer="dense_2", sample=5)) == target
    assert said(run.explain("dense_1.W[1, 2]", depth="matrix", sample=5)).startswith("x₁ is salary, 35000 before")
    assert said(run.nudges(["dense_1.W[1, 2]", "dense_1.b[0]", "dense_1.W[0, 1]", "dense_1.W[1, 0]"])) == (
        "input 0 is age, input 1 salary, each standardized; y₀ is wanted, standardized"
    )
    assert said(run.nudges(["dense_2.W[1, 0]"])) == "y₀ is wanted, standardized"


def test_of_many_inputs_those_are_told_that_stand_on_the_page(digits_run: cr.Run) -> None:
    """Witnesses: the rows of the table, and the weights of the update, by their own blocks."""
    names, x = digits_run.record.feature_names, digits_run.dataset.x
    page = digits_run.explain(layer="dense_1", sample=3)
    products = find(page.document, "products dense_1.W")
    assert isinstance(products, Labeled)
    (shown,) = products.blocks
    assert isinstance(shown, Table)
    rows = sorted(int(str(row.cells[0])) for row in shown.rows)
    first, *others = [f"{names[row]}, {x[3].reshape(-1)[row]}" for row in rows]
    subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    places = [f"x{row}".translate(subscripts) for row in rows]
    assert said(page) == "; ".join(
        [f"{places[0]} is {first} before it was divided by its range"]
        + [f"{place} {other}" for place, other in zip(places[1:], others, strict=True)]
    )
    asked = [f"dense_1.W[{row}, 0]" for row in range(20, 28)]
    told = [f"input {row} {'is ' if row == 20 else ''}{names[row]}" for row in range(20, 26)]
    assert said(digits_run.nudges(asked)) == f"{', '.join(told)}, and 2 more, each divided by its range"
    assert "In the data" not in digits_run.nudges(layer="dense_2").text


def test_the_number_of_a_pixel_is_told_through_a_flattened_image() -> None:
    images = np.arange(ROWS * 6, dtype=np.float64).reshape(ROWS, 2, 3) % 11
    data = cr.load((images, np.arange(ROWS) % 2))
    run = cr.train([cr.Flatten(), cr.Dense(2)], data, epochs=1, runs=None, scale_features="standardize")
    name = run.record.feature_names[4]
    value = f"{images[2].ravel()[4]:g}"
    told = said(run.explain("dense_1.W[4, 1]", sample=2))
    assert value in told
    assert name.partition("[")[0] == "x" or name in told
