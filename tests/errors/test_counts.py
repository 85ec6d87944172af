"""One thing and several are told apart in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors.counts import all_of, counted, plural, spelled, verb_of
from chainrule.lessons import Lesson, claim


@pytest.mark.parametrize(
    ("count", "word", "number", "every", "does"),
    [
        (0, "rows", "0 rows", "all 0 rows", "hold"),
        (1, "row", "1 row", "the one row", "holds"),
        (2, "rows", "2 rows", "all 2 rows", "hold"),
        (1437, "rows", "1,437 rows", "all 1,437 rows", "hold"),
    ],
)
def test_a_count_has_its_word_and_its_verb(count: int, word: str, number: str, every: str, does: str) -> None:
    assert plural(count, "row") == word
    assert counted(count, "row") == number
    assert all_of(count, "row") == every
    assert verb_of(count, "holds", "hold") == does


def test_small_counts_are_words() -> None:
    assert [spelled(count) for count in (0, 1, 4, 12, 13, 1437)] == ["zero", "one", "four", "twelve", "13", "1,437"]


def one_of_each(tmp_path: Path | None = None) -> cr.Run:
    """One row, one feature, one layer of one weight without a bias, one epoch of one step."""
    one = np.array([[2.0]])
    return cr.train(
        [cr.Dense(1, use_bias=False)], one, one, epochs=1, batch_size=1, test_fraction=0, runs=tmp_path,
        scale_features="none", scale_targets="none", optimizer=cr.SGD(0.1),
    )  # fmt: skip


def one_line(shown: object) -> str:
    return " ".join(str(shown).split())


def test_pages_of_a_run_of_one_row_and_one_layer(tmp_path: Path) -> None:
    run = one_of_each(tmp_path)
    assert "1 layer with 1 number does what one map of 2 does, on the one row, to rounding" in one_line(run.collapse())
    assert "1 row, 1 feature, target" in one_line(run.summary())
    assert "1 of 1 epoch, 1 step" in one_line(run.summary())
    assert repr(run.history).startswith("History of 1 epoch\n")
    assert "1 epoch" in repr(run)
    assert "1 epochs" not in repr(run)
    assert repr(run.dataset).endswith("1 row, 1 feature, 1 target)")
    assert "where the one weight moves: d is ±1" in one_line(run.explain(network=True))
    assert "1 of 1 is not 0" in one_line(run.check_gradients(1))
    with pytest.raises(cr.errors.RunError, match=r"has done the one epoch: ask for more than 1 epoch to go on$"):
        run.resume()


def test_a_lesson_of_one_statement() -> None:
    def said(*holds: bool) -> str:
        claims = tuple(claim(f"s{k}", "It is ", k, holds=each) for k, each in enumerate(holds))
        return one_line(Lesson("few", "Few", "How many?", lambda seed: claims).run())

    assert "1 of 1 statement holds in this run" in said(True)
    assert "0 of 1 statement holds in this run; not s0" in said(False)
    assert "1 of 2 statements holds in this run" in said(True, False)
    assert "2 of 2 statements hold in this run" in said(True, True)
