"""Scalings are fitted on the rows given, undo themselves, and survive being saved."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from chainrule.data import Scaling, fit_scaling, load, resolve_scaling, resolve_target_scaling, split
from chainrule.draws import Purpose, normal
from chainrule.errors import DataError, ShapeError, UnknownNameError, ValueRangeError

TABLE = normal(0, Purpose.GENERATE, 0, (50, 3)) * [1.0, 100.0, 1e-3] + [0.0, 50_000.0, 7.0]


def test_standardize_gives_mean_zero_and_deviation_one() -> None:
    scaled = fit_scaling(TABLE, "standardize").apply(TABLE)
    assert scaled.mean(axis=0) == pytest.approx(0.0, abs=1e-10)
    assert scaled.std(axis=0) == pytest.approx(1.0, abs=1e-12)


def test_standardize_by_hand() -> None:
    scaling = fit_scaling(np.array([[1.0], [2.0], [3.0], [6.0]]), "standardize")
    assert scaling.shift == (3.0,)
    assert scaling.scale == (3.5**0.5,)


def test_minmax_gives_zero_to_one() -> None:
    scaled = fit_scaling(TABLE, "minmax").apply(TABLE)
    assert scaled.min(axis=0).tolist() == [0.0, 0.0, 0.0]
    assert scaled.max(axis=0).tolist() == [1.0, 1.0, 1.0]


def test_unit_divides_by_the_declared_range() -> None:
    scaling = fit_scaling(np.array([[3, 4]], dtype=np.uint8), "unit", value_range=(0.0, 255.0))
    assert (scaling.shift, scaling.scale) == (0.0, 255.0)
    assert scaling.apply(np.array([[0, 51, 255]], dtype=np.uint8)).tolist() == [[0.0, 0.2, 1.0]]
    assert fit_scaling(TABLE, "unit", value_range=(-1.0, 1.0)).apply(np.array([[-1.0, 0.0, 1.0]])).tolist() == [
        [0, 0.5, 1]
    ]
    with pytest.raises(DataError, match="declared value range"):
        fit_scaling(TABLE, "unit")


def test_none_leaves_the_values() -> None:
    assert np.array_equal(fit_scaling(TABLE, "none").apply(TABLE), TABLE)


@pytest.mark.parametrize("kind", ["none", "standardize", "minmax"])
def test_a_scaling_can_be_undone(kind: str) -> None:
    scaling = fit_scaling(TABLE, kind)
    assert scaling.invert(scaling.apply(TABLE)) == pytest.approx(TABLE, rel=1e-14, abs=1e-12)


@pytest.mark.parametrize("kind", ["standardize", "minmax"])
@pytest.mark.parametrize("constant", [0.1, -3.0, 0.0, 1e300, 123456789.123456789])
def test_a_constant_column_becomes_zero(kind: str, constant: float) -> None:
    values = np.full((7, 1), constant)
    scaling = fit_scaling(values, kind)
    assert (scaling.shift, scaling.scale) == ((constant,), (1.0,))
    assert scaling.apply(values).tolist() == [[0.0]] * 7
    assert np.array_equal(scaling.invert(scaling.apply(values)), values)


def test_one_row_is_constant() -> None:
    assert fit_scaling(np.array([[5.0, 6.0]]), "standardize").scale == (1.0, 1.0)


def test_a_spread_that_float32_cannot_hold_counts_as_constant() -> None:
    assert fit_scaling(np.array([[0.0], [1e-300]]), "standardize").scale == (1.0,)


@pytest.mark.parametrize("kind", ["standardize", "minmax"])
def test_a_spread_that_float64_cannot_hold_is_refused(kind: str) -> None:
    with pytest.raises(DataError, match="column 1 runs from"):
        fit_scaling(np.array([[0.0, -1.7e308], [1.0, 1.7e308]]), kind)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.bool_])
def test_every_storage_dtype_is_fitted_in_float64(dtype: type) -> None:
    values = (np.arange(600).reshape(300, 2) % 251).astype(dtype)
    scaling = fit_scaling(values, "standardize")
    assert scaling.shift == pytest.approx(values.astype(np.float64).mean(axis=0), rel=1e-14)
    assert scaling.scale == pytest.approx(values.astype(np.float64).std(axis=0), rel=1e-14)
    assert fit_scaling(values, "minmax").apply(values).max() == 1.0


def test_a_large_table_is_fitted_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_scaling(TABLE, "standardize")
    monkeypatch.setattr("chainrule.data.scaling.BLOCK", 21)
    assert fit_scaling(TABLE, "standardize").scale == pytest.approx(whole.scale, rel=1e-14)


def test_samples_of_several_axes() -> None:
    values = TABLE[:48].reshape(6, 8, 3)
    scaling = fit_scaling(values, "standardize")
    assert len(scaling.scale_array) == 24
    assert scaling.apply(values).shape == (6, 8, 3)
    assert scaling.apply(values).reshape(6, 24).std(axis=0) == pytest.approx(1.0)


def test_a_scaling_survives_being_saved() -> None:
    for scaling in (fit_scaling(TABLE, "standardize"), Scaling(kind="unit", scale=16.0), Scaling()):
        assert msgspec.json.decode(msgspec.json.encode(scaling), type=Scaling) == scaling
        assert msgspec.convert(msgspec.to_builtins(scaling), Scaling) == scaling


def test_the_held_out_rows_leave_no_trace() -> None:
    data = load("moons")
    parts = split(data, test_fraction=0.2, seed=0)
    changed = data.x.copy()
    changed[parts.test] = 1e6
    assert fit_scaling(changed[parts.train], "standardize") == fit_scaling(data.x[parts.train], "standardize")
    assert fit_scaling(changed, "standardize", rows=parts.train) == fit_scaling(data.x[parts.train], "standardize")


@pytest.mark.parametrize(
    ("name", "features", "targets"),
    [
        ("digits", "unit", "none"),
        ("xor", "none", "none"),
        ("one_weight", "none", "none"),
        ("moons", "standardize", "none"),
    ],
)
def test_auto_means(name: str, features: str, targets: str) -> None:
    data = load(name)
    assert (resolve_scaling(data), resolve_target_scaling(data)) == (features, targets)
    assert resolve_scaling(data, "minmax") == resolve_target_scaling(data, "minmax") == "minmax"


def test_auto_for_arrays() -> None:
    table = load((TABLE, TABLE[:, 0]))
    assert (resolve_scaling(table), resolve_target_scaling(table)) == ("standardize", "standardize")
    images = load((np.zeros((2, 3, 3), dtype=np.uint8), [0, 1]))
    assert resolve_scaling(images) == "unit"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'standardize'"):
        fit_scaling(TABLE, "standardise")
    with pytest.raises(UnknownNameError, match="unknown scaling 'auto'"):
        fit_scaling(TABLE, "auto")
    with pytest.raises(UnknownNameError):
        resolve_scaling(load("xor"), "unitt")
    with pytest.raises(ShapeError, match="at least one row"):
        fit_scaling(TABLE[:0], "standardize")
    with pytest.raises(ShapeError, match="at least one row"):
        fit_scaling(TABLE, "standardize", rows=np.arange(0))
    with pytest.raises(ShapeError, match="2 columns, but the scaling was fitted on 3"):
        fit_scaling(TABLE, "minmax").apply(TABLE[:, :2])
    with pytest.raises(ValueRangeError, match="above 0"):
        Scaling(scale=0.0)
    with pytest.raises(ValueRangeError, match="finite"):
        Scaling(shift=float("nan"))
    with pytest.raises(ShapeError, match="as many"):
        Scaling(shift=(1.0, 2.0), scale=(1.0,))
