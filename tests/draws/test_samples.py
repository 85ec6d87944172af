"""Uniforms, normals and permutations come from the stated words, have the right distribution and never leave it."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.draws import Purpose, normal, permutation, random_bits, uniform
from chainrule.draws import samples as samples_module
from chainrule.errors import DTypeError, ValueRangeError


def test_float32_uniforms_are_the_top_24_bits() -> None:
    bits = random_bits(3, Purpose.DROPOUT, 2, (101,))
    expected = [(int(word) >> 8) / 2**24 for word in bits]
    drawn = uniform(3, Purpose.DROPOUT, 2, (101,), np.float32)
    assert drawn.dtype == np.float32
    assert [float(value) for value in drawn] == expected


def test_float64_uniforms_are_53_bits_of_two_words() -> None:
    words = [int(word) for word in random_bits(3, Purpose.DROPOUT, 2, (14,))]
    expected = [((words[2 * e] >> 5) * 2**26 + (words[2 * e + 1] >> 6)) / 2**53 for e in range(7)]
    drawn = uniform(3, Purpose.DROPOUT, 2, (7,), "float64")
    assert drawn.dtype == np.float64
    assert [float(value) for value in drawn] == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniforms_fill_the_unit_interval(dtype: str) -> None:
    drawn = uniform(0, Purpose.EXPLAIN, 0, (100, 200), dtype)
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    assert abs(float(drawn.mean()) - 0.5) < 5 / np.sqrt(12 * 20_000)


@pytest.mark.parametrize(("dtype", "largest"), [("float32", 1 - 2.0**-24), ("float64", 1 - 2.0**-53)])
def test_the_largest_word_stays_below_one(monkeypatch: pytest.MonkeyPatch, dtype: str, largest: float) -> None:
    monkeypatch.setattr(samples_module, "random_bits", _all_ones)
    assert float(uniform(0, 1, 0, (1,), dtype)[0]) == largest


def _all_ones(seed: int, purpose: int, step: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, 0xFFFFFFFF, dtype=np.uint32)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(DTypeError, match="float32 or float64"):
        uniform(0, 1, 0, (1,), np.float16)


def test_normals_stay_finite_at_the_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_module, "random_bits", _all_ones)
    drawn = normal(0, 1, 0, (2,))
    assert np.all(np.isfinite(drawn))
    assert np.hypot(*drawn) == pytest.approx(np.sqrt(2 * 53 * np.log(2)))


def test_normals_have_the_moments_of_a_normal() -> None:
    drawn = normal(7, Purpose.INITIALIZE, 0, (200, 500))
    n = drawn.size
    assert drawn.dtype == np.float64
    assert abs(drawn.mean()) < 5 / np.sqrt(n)
    assert abs(np.mean(drawn**2) - 1) < 5 * np.sqrt(2 / n)
    assert abs(np.mean(drawn**3)) < 5 * np.sqrt(15 / n)
    assert abs(np.mean(drawn**4) - 3) < 5 * np.sqrt(96 / n)
    assert abs(np.mean(drawn[:, ::2] * drawn[:, 1::2])) < 5 / np.sqrt(n / 2)  # the two of a pair are independent


def test_a_larger_normal_draw_begins_with_the_smaller() -> None:
    assert np.array_equal(normal(1, 1, 0, (9,))[:5], normal(1, 1, 0, (5,)))
    assert normal(1, 1, 0, ()).shape == ()


def test_parameters_of_one_network_get_distinct_numbers() -> None:
    first, second = (normal(0, Purpose.INITIALIZE, index, (1000,)) for index in (0, 1))
    assert not np.any(first == second)
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(1000)


def test_a_permutation_sorts_the_stated_keys() -> None:
    words = random_bits(4, Purpose.SHUFFLE, 6, (12,)).reshape(6, 2)
    keys = [int(high) * 2**32 + int(low) for high, low in words]
    assert permutation(4, Purpose.SHUFFLE, 6, 6).tolist() == sorted(range(6), key=lambda e: keys[e])


def test_equal_keys_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples_module, "random_bits", lambda *draw: random_bits(*draw) & np.uint32(1))
    keys = [2 * int(high) + int(low) for high, low in random_bits(0, 1, 0, (500, 2)) & np.uint32(1)]
    assert permutation(0, 1, 0, 500).tolist() == sorted(range(500), key=lambda e: keys[e])


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_permutation_holds_every_index_once(count: int) -> None:
    order = permutation(0, Purpose.SHUFFLE, 0, count)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))


def test_every_order_is_equally_likely() -> None:
    tally: dict[tuple[int, ...], int] = {}
    for step in range(1200):
        order = tuple(permutation(0, Purpose.SHUFFLE, step, 3).tolist())
        tally[order] = tally.get(order, 0) + 1
    assert len(tally) == 6
    assert all(abs(count - 200) < 5 * np.sqrt(200) for count in tally.values())


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueRangeError, match="0 or more"):
        permutation(0, Purpose.SHUFFLE, 0, -1)
