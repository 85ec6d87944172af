"""Pages as a person reads them, kept as golden texts at 80 columns, in Unicode and in ASCII."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any  # fields of an experiment

import numpy as np
import pytest

from chainrule.data.dataset import ScalingKind
from chainrule.document import find, render_text, to_plain
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import Adam
from tests.absent import require
from tests.conftest import Golden
from tests.explain.networks import ROWS, random_setting, random_weights
from tests.explain.subjects import Setting, setting, two_two_two, waves

KNOWN = Path(__file__).resolve().parents[3] / "shared" / "golden" / "two_two_two.json"
HOW = "the known answers are kept beside the repository, in ../shared/golden"
WIDTH = 80
WITNESS = re.compile("central difference|complex step|forward mode")


def digits_like(**fields: Any) -> Setting:
    """Eight pixels, some of them 0, six ReLU, five tanh and five classes."""
    weights = {
        "dense_1.W": waves(2, (8, 6), 0.8),
        "dense_1.b": waves(3, (6,), 0.1),
        "dense_2.W": waves(4, (6, 5), 0.8),
        "dense_2.b": waves(5, (5,), 0.1),
        "dense_3.W": waves(6, (5, 12), 0.9),
        "dense_3.b": waves(7, (12,), 0.2),
    }
    layers = [Dense(6, "relu"), Dense(5, "tanh"), Dense(12)]
    return setting(layers, waves(1, (14, 8)).clip(0), np.arange(14) % 12, weights=weights, **fields)


def regression() -> Setting:
    """Three inputs, four tanh, one linear output."""
    weights = {"dense_1.W": waves(1, (3, 4)), "dense_1.b": waves(2, (4,), 0.2), "dense_2.W": waves(3, (4, 1))}
    return setting([Dense(4, "tanh"), Dense(1)], waves(4, (5, 3)), waves(9, (5, 1), 2.0), weights=weights, loss="mse")


def yes_or_no() -> Setting:
    """Two inputs, two tanh, one sigmoid output with binary cross-entropy: 2-2-1."""
    weights = {"dense_1.W": [[0.5, -0.3], [0.2, 0.8]], "dense_1.b": [0.1, -0.1], "dense_2.W": [[0.7], [-0.6]]}
    x = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    return setting([Dense(2, "tanh"), Dense(1, "sigmoid")], x, [1, 1, 0, 0], weights=weights)


def under_adam() -> Setting:
    """The worked example after three steps of Adam."""
    slots = {"dense_1.W/m": [[0.001, 0.0], [0.0, 0.0]], "dense_1.W/v": [[1e-6, 0.0], [0.0, 0.0]]}
    return two_two_two(optimizer=Adam(0.01), step=3, slots=slots)


PAGES: dict[str, tuple[Callable[[], Setting], str, tuple[int, ...]]] = {
    "worked_example": (two_two_two, "dense_1.W[0, 0]", (0,)),
    "worked_output": (two_two_two, "dense_2.W[1, 0]", (0,)),
    "digits_like": (digits_like, "dense_1.W[2, 2]", (1,)),
    "digits_like_output": (digits_like, "dense_3.W[3, 7]", (7,)),
    "dead_unit": (digits_like, "dense_1.W[2, 3]", (1,)),
    "bias": (digits_like, "dense_2.b[1]", (4,)),
    "batch": (digits_like, "dense_1.W[2, 2]", tuple(range(14))),
    "weighted_batch": (lambda: digits_like(sample_weight=1.0 + np.arange(14) % 3), "dense_2.b[1]", (0, 1, 2, 3)),
    "regression": (regression, "dense_1.W[1, 3]", (2,)),
    "yes_or_no": (yes_or_no, "dense_2.W[1, 0]", (3,)),
    "adam": (under_adam, "dense_1.W[0, 0]", (0,)),
}


def settled(text: str) -> str:
    """The page without the last digits of its witnesses, which are rounding errors and differ between processors."""
    lines = [re.sub(r"[−-]?\d[\d.e−-]*", "#", line) if WITNESS.search(line) else line for line in text.splitlines()]
    return "\n".join(" ".join(line.split()) if WITNESS.search(line) or "off by" in line else line for line in lines)


def kept_or(name: str, text: str) -> str:
    """The kept text where it differs from this one in nothing but its witnesses' last digits."""
    file = Path(__file__).parent / "golden" / name
    kept = file.read_text(encoding="utf-8") if file.exists() and "UPDATE_GOLDEN" not in os.environ else ""
    return kept if settled(kept) == settled(text) else text


def test_what_differs_between_processors_is_settled_and_nothing_else() -> None:
    text = two_two_two().text("dense_1.W[0, 0]")
    assert settled(text) == settled(re.sub(r"(?<=complex step  ).*(?=agrees)", "1e-20  0.1  5e-11  1e-3  ", text))
    assert settled(text) != settled(text.replace("+0.0553994", "+0.0553995"))
    assert settled(text) != settled(text.replace("agrees", "DISAGREES", 1))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("alphabet", ["unicode", "ascii"])
def test_pages(page: str, alphabet: str, golden: Golden) -> None:
    make, weight, rows = PAGES[page]
    text = make().text(weight, rows, ascii=alphabet == "ascii")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.isascii() or alphabet == "unicode"
    name = f"{page}.{alphabet}.{WIDTH}.txt"
    golden(name, kept_or(name, text))


def test_the_worked_example_is_the_known_one() -> None:
    known = json.loads(require(KNOWN, HOW).read_text())
    made = two_two_two()
    for name in ("W1", "W2"):
        parameter = f"dense_{name[1]}.W"
        for index in np.ndindex(2, 2):
            page = made.page(f"{parameter}[{index[0]}, {index[1]}]")
            assert page.data["gradient"] == pytest.approx(known[f"d{name}"][index[0]][index[1]], abs=5e-9)
            after = find(page, "update").data["after"]
            assert after == pytest.approx(known[f"{name}_after"][index[0]][index[1]], abs=5e-9)
    assert made.page("dense_1.W[0, 0]").data["loss"] == pytest.approx(known["loss_before"], abs=5e-10)


def test_the_numbers_of_the_worked_example() -> None:
    page = two_two_two().page("dense_1.W[0, 0]")
    text = render_text(page, WIDTH)
    assert find(page, "paths").data["sum"] == pytest.approx(0.036350, abs=5e-7)
    assert page.data["delta"]["value"] == pytest.approx(0.008771, abs=5e-7)  # type: ignore[index,call-overload]
    for number in (
        "0.298371109",
        "+0.0553994",
        "−0.0190491",
        "+0.0363503",
        "+0.00877135",
        "0.000438568",
        "0.149780716",
    ):
        assert number in text


def test_the_question_comes_first_and_the_answer_last() -> None:
    text = two_two_two().text("dense_1.W[0, 0]")
    order = ["dense_1.W[0, 0]", "The network", "The loss", "The chain", "through", "In one line", "The update"]
    places = [text.index(each) for each in [*order, "Checked", "Facts used", "Read on"]]
    assert places == sorted(places)


@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_no_page_is_wider_than_asked_or_shows_a_raw_name(seed: int) -> None:
    made = random_setting(seed)
    row = seed % ROWS
    for weight, rows in zip(random_weights(made, row, seed), ((row,), tuple(range(ROWS))), strict=False):
        page = made.page(weight, rows)
        for width in (40, WIDTH):
            text = render_text(page, width)
            assert max(map(len, text.splitlines())) <= width
            assert not any(raw in text for raw in ("input.", "target.", "learning_rate", "broadcast", "select", "w["))
        json.dumps(to_plain(page))


@pytest.mark.parametrize("scaling", ["standardize", "minmax"])
def test_scaled_data_is_told_as_the_network_reads_it(scaling: ScalingKind) -> None:
    made = setting([Dense(3, "tanh"), Dense(1)], waves(1, (6, 2), 40.0), waves(2, (6, 1), 9.0), scaling=scaling)
    for rows in ((1,), (0, 1, 2)):
        text = made.text("dense_1.W[0, 1]", rows)
        assert "In the data" in text
        formulas = re.sub(r"In the data(.|\n)*?\n\n", "", text)
        assert "shift" not in formulas
        assert "scale" not in formulas
    opened = made.open("dense_1.W[0, 1]", (1,))
    assert abs(opened.source(0)) < 4.0  # of ±40 as stored


def test_saturated_predictions_are_told_by_their_delta() -> None:
    """ŷ is exactly 0 where y is 1, so that −y/ŷ is infinite, and δ = ŷ − y still is −1."""
    weights = {"dense_1.W": [[1.0, 0.0, -1.0]], "dense_1.b": [0.0, 0.0, 0.0]}
    made = setting([Dense(3)], [[1000.0], [0.0], [1.0]], [2, 1, 0], weights=weights)
    page = made.page("dense_1.W[0, 2]", (0,))
    assert page.data["gradient"] == -1000.0
    assert page.data["terms"] == [-1000.0]
    assert all(witness["agrees"] for witness in page.data["witnesses"])  # type: ignore[index,union-attr,call-overload]
    yes = setting([Dense(1)], [[1000.0], [0.0]], [0, 1], weights={"dense_1.W": [[1.0]], "dense_1.b": [0.0]})
    assert yes.page("dense_1.W[0, 0]", (0,)).data["terms"] == [1000.0]


def test_a_deep_network_shows_its_first_and_last_formulas() -> None:
    layers = [*(Dense(2, "tanh" if place % 2 else "sigmoid") for place in range(9)), Dense(2)]
    text = setting(layers, waves(1, (2, 2)), [0, 1]).text("dense_4.W[0, 1]")
    assert "…" in text
    assert "z¹ = x W¹ + b¹" in text
    assert "z¹⁰ = a⁹ W¹⁰ + b¹⁰" in text
    assert text.count("‖δ") == 7  # from dense_10 back to dense_4


def test_a_deep_network_of_layers_that_are_alike_shows_them_once() -> None:
    layers = [*(Dense(2, "sigmoid") for _ in range(9)), Dense(2)]
    text = setting(layers, waves(1, (2, 2)), [0, 1]).text("dense_4.W[0, 1]")
    assert " ".join(text.split()).count("zˡ = aˡ⁻¹ Wˡ + bˡ aˡ = σ(zˡ) l = 1, …, 9 a⁰ = x z¹⁰ = a⁹ W¹⁰ + b¹⁰") == 1


def test_float32_is_told_beside_float64() -> None:
    page = two_two_two(dtype="float32").page("dense_1.W[0, 0]")
    trained = find(page, "trained").data
    assert trained["dtype"] == "float32"
    assert trained["gradient"] != page.data["gradient"]
    assert trained["gradient"] == pytest.approx(page.data["gradient"], rel=1e-5)
