"""Histories as figures: every measurement where it belongs, and what a notebook shows."""

from __future__ import annotations

import math

import html5lib
import pytest

from chainrule.document import Figure, Table, find
from chainrule.train.curves import history_document, is_steep, loss_curve, score_curve
from chainrule.train.history import Entry, History


def history(**metrics: list[float]) -> History:
    count = len(next(iter(metrics.values())))
    rows = [{name: values[epoch] for name, values in metrics.items()} for epoch in range(count)]
    return History([Entry(epoch, 10 * (epoch + 1), row, 0.1) for epoch, row in enumerate(rows)])


def test_each_part_is_a_line_from_epoch_one() -> None:
    (loss,) = loss_curve(history(loss=[3.0, 2.0, 1.0], val_loss=[3.5, 2.5, 2.6]))
    assert [(one.name, one.x, one.y) for one in loss.series] == [
        ("training", (1, 2, 3), (3.0, 2.0, 1.0)),
        ("validation", (1, 2, 3), (3.5, 2.5, 2.6)),
    ]
    assert loss.alternative == "The training loss fell from 3 to 1 in 3 epochs."


def test_scores_are_those_that_were_measured() -> None:
    (accuracy,) = score_curve(history(loss=[1.0, 2.0], accuracy=[0.5, 0.75], val_accuracy=[0.25, 0.5]))
    assert accuracy.alternative == "Accuracy after 2 epochs: 0.75 in training and 0.5 in validation."
    (rmse,) = score_curve(history(loss=[1.0, 2.0], val_rmse=[4.0, 3.0]))
    assert [(one.name, one.y) for one in rmse.series] == [("validation", (4.0, 3.0))]
    assert score_curve(history(loss=[1.0, 2.0])) == ()


@pytest.mark.parametrize("losses", [[1.0], []])
def test_one_epoch_is_no_curve(losses: list[float]) -> None:
    short = History() if not losses else history(loss=losses)
    assert loss_curve(short) == score_curve(short) == ()
    table = find(history_document(short), "epochs")
    assert isinstance(table, Table)
    assert len(table.rows) == len(losses)


def test_only_a_loss_that_falls_far_is_shown_in_decades() -> None:
    assert is_steep(history(loss=[10.0, 0.1], val_loss=[10.0, 1.0]))
    assert not is_steep(history(loss=[10.0, 1.0]))
    assert not is_steep(history(loss=[10.0, 0.0]))
    assert not is_steep(history(loss=[math.nan, math.inf]))
    figure = find(history_document(history(loss=[10.0, 0.1])), "loss")
    assert isinstance(figure, Figure)
    assert figure.logarithmic


def test_a_notebook_shows_the_curves() -> None:
    shown = history(loss=[3.0, 2.0], accuracy=[0.5, 0.75])._repr_html_()  # what a notebook asks for
    assert shown.count("<svg") == 2
    html5lib.HTMLParser(strict=True).parseFragment(shown)
