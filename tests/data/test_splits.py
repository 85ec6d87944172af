"""Splits are disjoint, complete, stratified, repeatable, and always leave rows of every class to train on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.data import Dataset, Source, Split, load, split
from chainrule.draws import Purpose, permutation
from chainrule.errors import DataError, ValueRangeError


def labeled(counts: list[int], **changes: object) -> Dataset:
    y = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    fields: dict[str, object] = {
        "name": "set",
        "x": np.arange(float(len(y)))[:, None],
        "y": y,
        "task": "classification",
        "source": Source(kind="memory", name="set"),
        "feature_names": ("x",),
        "class_names": tuple(str(label) for label in range(len(counts))),
    }
    return Dataset(**{**fields, **changes})  # pyright: ignore[reportArgumentType]


def whole(parts: Split) -> list[int]:
    return sorted(np.concatenate((parts.train, parts.validation, parts.test)).tolist())


@given(
    counts=st.lists(st.integers(0, 12), min_size=2, max_size=6).filter(lambda c: sum(n > 0 for n in c) > 1),
    test=st.sampled_from([0.0, 0.01, 0.2, 0.5, 0.99]),
    validation=st.sampled_from([0.0, 0.1, 0.5]),
    seed=st.integers(0, 5),
    stratify=st.booleans(),
)
def test_every_row_lands_in_one_part(
    counts: list[int], test: float, validation: float, seed: int, stratify: bool
) -> None:
    data = labeled(counts)
    groups = [count for count in counts if count] if stratify else [sum(counts)]
    spare = sum(groups) - len(groups)
    taken = min(spare, max(1, math.floor(test * sum(groups) + 0.5))) if test else 0
    if spare < (test > 0) or spare - taken < (validation > 0):
        with pytest.raises(DataError, match="too few"):
            split(data, test_fraction=test, validation_fraction=validation, seed=seed, stratify=stratify)
        return
    parts = split(data, test_fraction=test, validation_fraction=validation, seed=seed, stratify=stratify)
    assert len(parts.test) == taken
    assert whole(parts) == list(range(data.row_count))
    for rows in (parts.train, parts.validation, parts.test):
        assert rows.dtype == np.int64
        assert np.all(np.diff(rows) > 0)
    assert bool(len(parts.test)) == (test > 0)
    assert bool(len(parts.validation)) == (validation > 0)
    if stratify:
        present = {label for label, count in enumerate(counts) if count}
        assert set(data.y[parts.train].tolist()) == present


def test_classes_are_held_out_in_proportion() -> None:
    parts = split(labeled([100, 50, 10]), test_fraction=0.2, validation_fraction=0.25, seed=0)
    labels = labeled([100, 50, 10]).y
    assert np.bincount(labels[parts.test]).tolist() == [20, 10, 2]
    assert np.bincount(labels[parts.validation]).tolist() == [20, 10, 2]
    assert np.bincount(labels[parts.train]).tolist() == [60, 30, 6]


def test_leftover_rows_go_to_the_largest_remainders() -> None:
    # 0.2 of 17 rows is 3.4, so 3; the quotas are 1.76, 0.88 and 0.35
    parts = split(labeled([10, 5, 2]), test_fraction=0.2, seed=0)
    assert np.bincount(labeled([10, 5, 2]).y[parts.test], minlength=3).tolist() == [2, 1, 0]


def test_a_class_of_one_row_trains() -> None:
    data = labeled([1, 40])
    for seed in range(5):
        parts = split(data, test_fraction=0.5, validation_fraction=0.5, seed=seed)
        assert 0 in parts.train
        assert (len(parts.test), len(parts.validation)) == (21, 10)


def test_the_split_of_digits() -> None:
    data = load("digits")
    parts = split(data, test_fraction=0.2, seed=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (1438, 0, 359)
    share = np.bincount(data.y[parts.test]) / np.bincount(data.y)
    assert np.all(np.abs(share - 359 / 1797) < 1 / 174)


def test_the_seed_decides() -> None:
    data = load("moons")
    first, again, other = (split(data, test_fraction=0.2, validation_fraction=0.2, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.test, again.test)
    assert np.array_equal(first.validation, again.validation)
    assert not np.array_equal(first.test, other.test)


def test_the_validation_fraction_does_not_move_the_test() -> None:
    data = load("moons")
    assert np.array_equal(
        split(data, test_fraction=0.2, seed=0).test,
        split(data, test_fraction=0.2, validation_fraction=0.3, seed=0).test,
    )


def test_every_row_has_the_same_chance() -> None:
    data = labeled([10, 10])
    held = np.zeros(20)
    for seed in range(400):
        held[split(data, test_fraction=0.3, seed=seed).test] += 1
    assert np.all(np.abs(held - 120) < 5 * np.sqrt(400 * 0.3 * 0.7))


def test_regression_is_split_without_classes() -> None:
    data = load((np.arange(10.0)[:, None], np.arange(10.0)))
    parts = split(data, test_fraction=0.25, validation_fraction=0.25, seed=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (5, 2, 3)
    assert whole(parts) == list(range(10))


def test_the_draws_are_the_stated_ones() -> None:
    data = load("moons")
    parts = split(data, test_fraction=0.2, validation_fraction=0.25, seed=9, stratify=False)
    order = permutation(9, Purpose.SPLIT, 0, 500)
    assert parts.test.tolist() == sorted(order[:100].tolist())
    rest = np.sort(order[100:])
    assert parts.validation.tolist() == sorted(rest[permutation(9, Purpose.SPLIT, 1, 400)[:100]].tolist())


def test_tiny_sets_can_be_used_whole() -> None:
    for name in ("xor", "one_weight"):
        data = load(name)
        parts = split(data, test_fraction=data.default_test_fraction, seed=0)
        assert parts.train.tolist() == list(range(data.row_count))
        assert len(parts.test) == len(parts.validation) == 0


def test_rows_the_source_declares_as_test_are_the_test() -> None:
    data = labeled([6, 6], test_rows=np.array([4, 5, 10, 11]))
    parts = split(data, test_fraction=0.9, validation_fraction=0.25, seed=0)
    assert parts.test.tolist() == [4, 5, 10, 11]
    assert len(parts.validation) == 2
    assert whole(parts) == list(range(12))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match=r"1 row is too few .* as at least .*--test-fraction 0 or"):
        split(load("one_weight"), test_fraction=0.2, seed=0)
    with pytest.raises(DataError, match=r"every class needs a row to train on.*--validation-fraction 0"):
        split(labeled([1, 1]), test_fraction=0.0, validation_fraction=0.5, seed=0)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, float("nan"), float("inf")])
def test_fractions_that_leave_nothing_are_refused(fraction: float) -> None:
    with pytest.raises(ValueRangeError, match="test_fraction"):
        split(load("xor"), test_fraction=fraction, seed=0)
    with pytest.raises(ValueRangeError, match="validation_fraction"):
        split(load("xor"), test_fraction=0.0, validation_fraction=fraction, seed=0)
