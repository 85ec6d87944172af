"""Every way a run can end, on losses whose course is known in closed form."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import html5lib
import numpy as np
import numpy.typing as npt
import pytest

import chainrule as cr
from chainrule.document import Document, render_html, render_latex, render_text
from chainrule.errors import NonFiniteError, RunError
from tests.conftest import Golden

Floats = npt.NDArray[np.float64]

START, BEST, BEND = 0.7, 1 / 3, 2.88  # L = (1.2 w − 0.4)² = 1.44 (w − 1/3)², L″ = 2.88


def one_weight(optimizer: cr.SGD, epochs: int, runs: Path | None = None) -> cr.Run:
    return cr.train(
        [cr.Dense(1, use_bias=False)], "one_weight", loss="mse", optimizer=optimizer, epochs=epochs, dtype="float64",
        weights={"dense_1.W": [[START]]}, runs=runs,
    )  # fmt: skip


def plain(rate: float, steps: int) -> Floats:
    """The distance to the minimum after 0, 1, … steps of plain descent, d (1 − η L″)ᵏ."""
    return np.array([(START - BEST) * (1.0 - rate * BEND) ** k for k in range(steps + 1)])


def heavy_ball(rate: float, momentum: float, steps: int) -> Floats:
    """The same with momentum: d_{k+1} = (1 + β − η L″) d_k − β d_{k−1}, solved by the roots of its polynomial."""
    roots = np.roots([1.0, -(1.0 + momentum - rate * BEND), momentum]).astype(complex)
    first = START - BEST
    shares = np.linalg.solve(np.vander(roots, 2, increasing=True).T, [first, first * (1.0 - rate * BEND)])
    return np.array([(shares * roots**k).sum().real for k in range(steps + 1)])


def said(page: cr.Page) -> str:
    return " ".join(str(page).split())


# Each row: what the run should be called, its optimizer, its epochs, the distances it walks by its formula.
ENDS: list[tuple[str, cr.SGD, int, Floats]] = [
    ("converged", cr.SGD(0.1), 50, plain(0.1, 50)),
    ("still falling", cr.SGD(0.1), 11, plain(0.1, 11)),
    ("still falling", cr.SGD(0.68), 12, plain(0.68, 12)),  # from side to side, and nearer each time
    ("plateau", cr.SGD(1e-5), 30, plain(1e-5, 30)),
    ("diverging", cr.SGD(0.8), 12, plain(0.8, 12)),
    ("oscillating", cr.SGD(0.5, momentum=0.98), 40, heavy_ball(0.5, 0.98, 40)),
    ("oscillating", cr.SGD(2 / BEND), 30, plain(2 / BEND, 30)),  # to the same height on the other side, for ever
    ("too short", cr.SGD(0.1), 2, plain(0.1, 2)),
]


@pytest.mark.parametrize(("rest", "optimizer", "epochs", "away"), ENDS)
def test_a_parabola_ends_as_its_formula_says(rest: str, optimizer: cr.SGD, epochs: int, away: Floats) -> None:
    page = one_weight(optimizer, epochs).convergence()
    data: Any = page.data  # Any: plain JSON values
    assert data["rest"] == rest
    losses = BEND / 2 * away[:-1] ** 2  # of the epochs: each before its one step
    count = data["epochs"]
    window, half = losses[-count:], count // 2
    change = window[half:].mean() / window[:half].mean() - 1
    assert data["change"] == pytest.approx(change, rel=1e-6, abs=1e-12)
    np.testing.assert_allclose(data["losses"], losses, rtol=1e-6)  # where d is 1e-8 its digits are few
    steps = np.diff(away[-data["updates"] - 1 :])
    assert data["update"] == pytest.approx(np.abs(steps).mean() / abs(BEST + away[-1]), rel=1e-6)
    turns = np.sign(steps[1:] * steps[:-1]).mean()  # on a line every cosine is 1 or −1
    assert data["cosine"] == pytest.approx(turns, abs=1e-9)
    moves = np.diff(window)
    if np.abs(moves).sum() > 1e-12:
        assert data["swing"] == pytest.approx(np.abs(moves).mean() / window.mean(), rel=1e-6)
        assert data["upward"] == pytest.approx(moves[moves > 0].sum() / np.abs(moves).sum(), abs=1e-9)
    assert max(map(len, str(page).splitlines())) <= 80


def test_two_rows_that_pull_apart_swing_for_ever() -> None:
    """w ← w − 2 η (w − y) with y = 1, −1, 1, … settles to w = ± η / (1 − η), an update of twice that size."""
    rate = 0.2
    run = cr.train(
        [cr.Dense(1, use_bias=False)], ([[1.0], [1.0]], [1.0, -1.0]), loss="mse", optimizer=cr.SGD(rate), batch_size=1,
        epochs=60, dtype="float64", shuffle=False, scale_features="none", scale_targets="none", test_fraction=0.0,
        runs=None,
    )  # fmt: skip
    page = run.convergence()
    data: Any = page.data  # Any: plain JSON values
    assert abs(run.weights["dense_1.W"][0, 0]) == pytest.approx(rate / (1 - rate))
    assert data["rest"] == "oscillating"
    assert data["update"] == pytest.approx(2.0)
    assert data["cosine"] == pytest.approx(-1.0)
    assert "an update still moves the weights by 200% of their size, and the next one back" in said(page)


def test_a_loss_that_left_the_numbers_is_told_where(tmp_path: Path) -> None:
    """Each step multiplies the loss by (η L″ − 1)², until float64 has no more powers of ten."""
    rate = 1e30
    with pytest.raises(NonFiniteError):
        one_weight(cr.SGD(rate), 60, tmp_path)
    run = cr.open_run("latest", runs=tmp_path)
    first, factor = BEND / 2 * (START - BEST) ** 2, (rate * BEND - 1) ** 2
    steps = math.floor((math.log10(np.finfo(np.float64).max) - math.log10(first)) / math.log10(factor)) + 1
    page = run.convergence()
    data: Any = page.data  # Any: plain JSON values
    assert run.reason == "non-finite"
    assert data["rest"] == "left the numbers"
    assert f"Left the numbers: the loss became inf in epoch {steps + 1}, at step {steps}" in said(page)
    assert data["losses"] == pytest.approx([first * factor**k for k in range(steps)], rel=1e-9)


def test_it_is_told_even_where_no_epoch_was_done(tmp_path: Path) -> None:
    huge = ([[1.0], [1.0]], [1.0, 1e200])
    with pytest.raises(NonFiniteError):
        cr.train([cr.Dense(1)], huge, loss="mse", scale_targets="none", dtype="float64", test_fraction=0.0,
                 runs=tmp_path)  # fmt: skip
    page = cr.open_run("latest", runs=tmp_path).convergence()
    assert page.data["rest"] == "left the numbers"
    assert page.data["losses"] == []
    assert "in epoch 1" in said(page)


@pytest.mark.parametrize(
    ("rest", "index", "sentence"),
    [
        ("still falling", 1, "at this pace it halves every epoch"),
        ("still falling", 1, "a larger learning rate could get farther in as many steps"),
        ("still falling", 2, "It falls by 8.1% an epoch: at this pace it halves every 8 epochs"),
        ("still falling", 2, "An update takes back the one before (mean cosine −1)"),
        ("diverging", 4, "so a smaller learning rate would come nearer"),
        ("plateau", 3, "the loss changed by −0.029%, though"),
        ("too short", 7, "2 epochs are complete"),
    ],
)
def test_what_else_the_numbers_say(rest: str, index: int, sentence: str) -> None:
    name, optimizer, epochs, away = ENDS[index]
    assert name == rest
    factor = (away[-2] / away[-3]) ** 2  # of the loss, an epoch
    if "falls by 8.1%" in sentence:
        assert (round(100 * (1 - factor), 1), round(math.log(0.5) / math.log(factor))) == (8.1, 8)
    assert sentence in said(one_weight(optimizer, epochs).convergence())


def test_momentum_goes_straight_by_itself_and_is_not_told_to_hurry() -> None:
    page = one_weight(cr.SGD(0.002, momentum=0.5), 30).convergence()
    assert page.data["rest"] == "still falling"
    assert page.data["cosine"] == pytest.approx(1.0)
    assert "a larger learning rate" not in said(page)


def test_a_run_without_an_epoch_is_told_so() -> None:
    with pytest.raises(RunError, match="has no complete epoch yet"):
        one_weight(cr.SGD(0.1), 1).at(0).convergence()


# ---- as it is kept ----


def page(name: str) -> Document:
    return {
        "convergence.falling": one_weight(cr.SGD(0.1), 11),
        "convergence.oscillating": one_weight(cr.SGD(0.5, momentum=0.98), 40),
    }[name].convergence().document  # fmt: skip


STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
PAGES = ("convergence.falling", "convergence.oscillating")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("alphabet", ["unicode", "ascii"])
def test_it_reads_as_kept(name: str, alphabet: str, golden: Golden) -> None:
    text = render_text(page(name), 80, ascii=alphabet == "ascii")
    assert text.isascii() or alphabet == "unicode"
    golden(f"{name}.{alphabet}.80.txt", text)


@pytest.mark.parametrize("name", PAGES)
def test_it_is_kept_as_latex_and_html(name: str, golden: Golden) -> None:
    latex, html = render_latex(page(name)), render_html(page(name))
    assert latex.isascii()
    golden(f"{name}.tex", latex)
    html5lib.HTMLParser(strict=True).parse(html)
    assert not re.search(r"<script|https?://", html)
    golden(f"{name}.html", STYLE.sub("<style></style>", html))


def test_a_notebook_and_a_program_get_it_too() -> None:
    found = one_weight(cr.SGD(0.1), 11).convergence()
    assert "Still falling" in found._repr_html_()
    assert "Still falling" in found._repr_latex_()
    assert json.loads(found.to_json())["rest"] == "still falling"
