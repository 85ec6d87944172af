"""Scores are what scikit-learn and a pencil make of the same predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.data.load import load
from chainrule.errors import DataError, RunError, ShapeError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import Adam
from chainrule.train import evaluate as module
from chainrule.train.evaluate import Classified, Regressed, class_scores, confusion, evaluate, measure, predict
from chainrule.train.experiment import Preprocessing, SplitPlan
from chainrule.train.fit import Fit, fit
from chainrule.train.prepare import columns, samples
from chainrule.train.resolve import design
from tests.absent import require

SKLEARN = "pip install 'chainrule[dev]'"


def classified(weighted: bool = False) -> Fit:
    moons = load("moons", rows=200, noise=0.3)
    weight = np.linspace(0.5, 2.0, 200) if weighted else None
    data = load((moons.x, moons.y), sample_weight=weight) if weighted else moons
    return fit(design(data, [Dense(6, "relu"), Dense(2)], epochs=3, optimizer=Adam(0.02)), data)


def regressed(**fields: Any) -> Fit:
    x = np.linspace(0.0, 10.0, 150).reshape(-1, 1)
    y = np.concatenate([1000.0 + 50.0 * np.sin(x), 0.001 * x], axis=1)
    data = load((x, y))
    return fit(design(data, [Dense(8, "tanh"), Dense(2)], **{"epochs": 5, "optimizer": Adam(0.02), **fields}), data)


def parts(result: Fit) -> tuple[Any, ...]:
    prepared = result.prepared
    return prepared.graphs, prepared.record, result.state, prepared.columns


def said(result: Fit) -> dict[str, np.ndarray]:
    prepared = result.prepared
    return predict(prepared.graphs, result.state, prepared.columns["x"][prepared.split.test])


@pytest.mark.parametrize("weighted", [False, True])
def test_classes_agree_with_scikit_learn(weighted: bool) -> None:
    metrics = require("sklearn.metrics", SKLEARN)
    result = classified(weighted)
    rows = result.prepared.split.test
    y, prediction = result.prepared.dataset.y[rows], said(result)
    weight = result.prepared.weights[rows]
    shares = prediction["y_hat"].astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)  # scikit-learn wants rows that sum to 1 in float64
    scores = result.scores
    assert isinstance(scores, Classified)
    assert scores.accuracy == pytest.approx(metrics.accuracy_score(y, prediction["prediction"], sample_weight=weight))
    assert scores.loss == pytest.approx(metrics.log_loss(y, shares, sample_weight=weight), rel=1e-5)
    assert np.array_equal(scores.confusion, metrics.confusion_matrix(y, prediction["prediction"]))
    table = metrics.precision_recall_fscore_support(y, prediction["prediction"])
    for k, score in enumerate(scores.classes):
        assert (score.precision, score.recall, score.f1, score.rows) == pytest.approx([column[k] for column in table])
    assert 0.5 < scores.accuracy < 1.0, "a perfect score would test little"


def test_numbers_agree_with_scikit_learn() -> None:
    metrics = require("sklearn.metrics", SKLEARN)
    result = regressed()
    y = result.prepared.dataset.y[result.prepared.split.test]
    prediction = said(result)["prediction"]
    scores = result.scores
    assert isinstance(scores, Regressed)
    for k, score in enumerate(scores.targets):
        assert score.rmse == pytest.approx(metrics.root_mean_squared_error(y[:, k], prediction[:, k]))
        assert score.mae == pytest.approx(metrics.mean_absolute_error(y[:, k], prediction[:, k]))
        assert score.r2 == pytest.approx(metrics.r2_score(y[:, k], prediction[:, k]))
    assert scores.metrics["rmse"] == pytest.approx(np.mean([score.rmse for score in scores.targets]))


def test_predictions_are_in_the_targets_own_units() -> None:
    result = regressed(epochs=150)
    prediction = said(result)
    assert prediction["prediction"].dtype == np.float64
    y = result.prepared.dataset.y[result.prepared.split.test]
    assert np.abs(prediction["prediction"] - y).max(axis=0) == pytest.approx([0.0, 0.0], abs=60)
    assert result.scores is not None
    assert result.scores.metrics["r2"] > 0.9
    scaling = result.prepared.record.targets
    np.testing.assert_allclose(scaling.invert(prediction["y_hat"]), prediction["prediction"], rtol=1e-12)


def test_validation_of_numbers_is_in_their_own_units_too() -> None:
    result = regressed(split=SplitPlan(test_fraction=0.0, validation_fraction=0.3))
    rows = result.prepared.split.validation
    graphs, record, state, laid = parts(result)
    scores = evaluate(graphs, record, state, laid, rows)
    assert result.history["val_loss"][-1] == pytest.approx(scores.loss, rel=1e-6)  # float32, by two backends
    assert result.history["val_rmse"][-1] == pytest.approx(scores.metrics["rmse"])
    assert result.scores is None


def test_the_size_of_a_block_changes_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    result = classified(weighted=True)
    graphs, record, state, laid = parts(result)
    rows = np.arange(200, dtype=np.int64)
    whole = measure(graphs, state, laid, rows)
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    assert measure(graphs, state, laid, rows) == pytest.approx(whole, rel=1e-7)
    assert evaluate(graphs, record, state, laid, rows).metrics == pytest.approx(whole, rel=1e-7)


def test_precision_recall_and_f1_by_hand() -> None:
    labels, called = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 0])
    table = confusion(labels, called, 4)
    assert table.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    a, b, c, d = class_scores(table, ("a", "b", "c", "d"))
    assert (a.precision, a.recall, a.f1, a.rows) == (2 / 4, 2 / 3, 4 / 7, 3)
    assert (b.precision, b.recall, b.f1, b.rows) == (1 / 2, 1 / 2, 1 / 2, 2)
    assert np.isnan(c.precision)
    assert (c.recall, c.f1, c.rows) == (0.0, 0.0, 1)
    assert np.isnan([d.precision, d.recall, d.f1]).all()


def test_a_constant_target_has_no_variance_to_explain() -> None:
    data = load((np.arange(10.0).reshape(-1, 1), np.full(10, 3.0)))
    result = fit(design(data, [Dense(1)], epochs=1), data)
    assert result.scores is not None
    assert np.isnan(result.scores.metrics["r2"])


def test_nothing_to_look_at_is_refused() -> None:
    graphs, record, state, laid = parts(classified())
    with pytest.raises(DataError, match="zero rows to evaluate"):
        evaluate(graphs, record, state, laid, np.zeros(0, dtype=np.int64))
    with pytest.raises(DataError, match="zero rows to predict"):
        predict(graphs, state, laid["x"][:0])


def test_other_data_must_be_of_the_same_kind() -> None:
    moons = classified().prepared
    with pytest.raises(ShapeError, match=r"shape \(n, 2\) are wanted, and \(1797, 64\) came: give the features"):
        columns(moons.experiment, moons.record, load("digits"))
    with pytest.raises(RunError, match="was trained on upper, lower, and the target of circles is outer, inner"):
        columns(moons.experiment, moons.record, load("circles"))
    assert columns(moons.experiment, moons.record, load("moons", rows=5))["x"].shape == (5, 2)


def test_samples_are_taken_as_the_run_knows_them() -> None:
    digits = load("digits")
    record = fit(design(digits, [Dense(10)], epochs=1), digits).prepared.record
    x = digits.x[:3]
    for given in (x, x.astype(np.float64), x.astype(np.int64), x.tolist()):
        assert np.array_equal(samples(record, given), x)
        assert samples(record, given).dtype == np.uint8
    with pytest.raises(RunError, match=r"hold other values, from 0\.0 to 1\.0"):
        samples(record, x / 16)
    with pytest.raises(ShapeError, match=r"\(64,\) came: one sample is written x\[None\]"):
        samples(record, x[0])
    with pytest.raises(RunError, match="convert them"):
        samples(record, x.astype(str))
    numbers = regressed(preprocessing=Preprocessing(features="none")).prepared.record
    assert samples(numbers, np.array([[0.1]], dtype=np.float32)).dtype == np.float64
    with pytest.raises(RunError, match="NaN or infinity"):
        samples(numbers, [[np.nan]])
