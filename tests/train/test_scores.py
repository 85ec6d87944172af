"""Scores show themselves: printed as a table, in a notebook as HTML, and to programs as numbers."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

from chainrule.train.evaluate import Classified, Regressed, Scores, TargetScore, class_scores
from chainrule.train.scores import scores_document

CONFUSION = np.array([[48_721, 1_279], [0, 1_000]], dtype=np.int64)


def classified(accuracy: float | None = None) -> Classified:
    """Two classes, one of them rare; every row counts once where no accuracy is given."""
    rows = int(CONFUSION.sum())
    right = int(np.trace(CONFUSION)) / rows
    scores = class_scores(CONFUSION, ("usual", "rare"))
    return Classified(rows, 0.25, right if accuracy is None else accuracy, scores, CONFUSION)


def regressed() -> Regressed:
    """Two targets, one of them constant."""
    return Regressed(7, 0.5, (TargetScore("cost", 2.5, 2.0, 0.75), TargetScore("one", 1.0, 0.5, float("nan"))))


def cells(scores: Scores, begins: str) -> list[str]:
    """The cells of a printed line."""
    line = next(line for line in repr(scores).splitlines() if line.strip().startswith(begins))
    return re.split(r" {2,}", line.strip())


def test_classes_are_printed_as_a_table_with_their_counts() -> None:
    said = repr(classified())
    assert "on 51,000 rows" in said
    assert cells(classified(), "usual") == ["usual", "100.0%", "97.4%", "98.7%", "50,000", "rare (1,279 times)"]
    assert cells(classified(), "rare")[4] == "1,000"
    assert "accuracy 0.9749 (49,721 of 51,000 right), loss 0.25 nats" in said
    assert max(map(len, said.splitlines())) <= 80


def test_the_rows_that_are_right_are_not_told_where_rows_have_weights() -> None:
    said = repr(classified(accuracy=0.5))
    assert "accuracy 0.5000, loss 0.25 nats" in said
    assert "right" not in said


def test_targets_are_printed_as_a_table() -> None:
    assert cells(regressed(), "cost") == ["cost", "0.7500", "2.5", "2"]
    assert cells(regressed(), "one")[1] == "-"
    assert "on 7 rows" in repr(regressed())


@pytest.mark.parametrize("scores", [classified(), regressed()], ids=["classes", "targets"])
def test_a_notebook_shows_the_same(scores: Scores) -> None:
    shown = scores._repr_html_()  # what a notebook asks for
    bare = html.unescape(re.sub(r"<[^>]+>", " ", shown.partition("</style>")[2]))
    said = " ".join(bare.split())
    assert "<table" in shown
    assert "<script" not in shown
    words = [word for line in repr(scores).splitlines() for word in re.findall(r"[\w.,%]+", line)]
    assert not [word for word in words if word not in said]


def test_programs_read_the_numbers() -> None:
    told = scores_document(classified()).data
    assert told["confusion"] == CONFUSION.tolist()
    assert (told["rows"], told["accuracy"]) == (51_000, classified().accuracy)
