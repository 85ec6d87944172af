"""The generator gives the published words, and a draw is a function of its arguments only."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.draws import Purpose, philox4x32, random_bits
from chainrule.errors import ValueRangeError

# The three known answers for "philox4x32 10" published with Random123: counter, key, words.
KNOWN_ANSWERS = {
    "zeros": (
        (0, 0, 0, 0),
        (0, 0),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    "ones": (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    "pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_known_answers(name: str) -> None:
    counter, key, words = KNOWN_ANSWERS[name]
    assert tuple(int(word) for word in philox4x32(counter, key)) == words


def test_arrays_of_counters_give_the_same_words_as_one_by_one() -> None:
    first = np.arange(5, dtype=np.uint32)[:, None]
    second = np.array([0, 7, 0xFFFFFFFF], dtype=np.uint32)
    together = philox4x32((first, second, 3, 0), (11, 12))
    for word in together:
        assert word.shape == (5, 3)
        assert word.dtype == np.uint32
    for i in range(5):
        for j in range(3):
            alone = philox4x32((int(first[i, 0]), int(second[j]), 3, 0), (11, 12))
            assert [int(w) for w in alone] == [int(word[i, j]) for word in together]


def test_random_bits_follow_the_stated_counter() -> None:
    seed = 0x0123456789ABCDEF
    bits = random_bits(seed, Purpose.DROPOUT, 9, (11,))
    for element in range(11):
        block = philox4x32((element // 4, 9, int(Purpose.DROPOUT), 0), (0x89ABCDEF, 0x01234567))
        assert bits[element] == block[element % 4]


def test_random_bits_of_a_shape_are_the_flat_words_row_by_row() -> None:
    flat = random_bits(5, Purpose.EXPLAIN, 0, (35,))
    assert np.array_equal(random_bits(5, Purpose.EXPLAIN, 0, (5, 7)).reshape(-1), flat)
    assert np.array_equal(random_bits(5, Purpose.EXPLAIN, 0, (33,)), flat[:33])
    assert random_bits(5, Purpose.EXPLAIN, 0, ()).shape == ()
    assert random_bits(5, Purpose.EXPLAIN, 0, (0, 3)).shape == (0, 3)


@pytest.mark.parametrize("other", [(2, 3, 4), (1, 4, 4), (1, 3, 5), (1 + 2**32, 3, 4), (2**63, 3, 4)])
def test_another_seed_purpose_or_step_gives_other_words(other: tuple[int, int, int]) -> None:
    assert not np.any(random_bits(1, 3, 4, (64,)) == random_bits(*other, (64,)))


def test_words_are_spread_evenly() -> None:
    bits = random_bits(0, Purpose.GENERATE, 0, (40_000,))
    ones = np.array([np.mean((bits >> np.uint32(k)) & np.uint32(1)) for k in range(32)])
    assert np.all(np.abs(ones - 0.5) < 5 * 0.5 / np.sqrt(40_000))  # five standard deviations
    counts = np.bincount(bits >> np.uint32(24), minlength=256)
    chi_square = np.sum((counts - 40_000 / 256) ** 2 / (40_000 / 256))
    assert 255 - 5 * np.sqrt(510) < chi_square < 255 + 5 * np.sqrt(510)


def test_purposes_keep_their_numbers() -> None:
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "INITIALIZE": 1,
        "SHUFFLE": 2,
        "SPLIT": 3,
        "DROPOUT": 4,
        "GENERATE": 5,
        "EXPLAIN": 6,
    }


@pytest.mark.parametrize(
    ("seed", "purpose", "step", "shape", "word"),
    [
        (-1, 1, 0, (1,), "seed"),
        (2**64, 1, 0, (1,), "seed"),
        (0, -1, 0, (1,), "purpose"),
        (0, 1, 2**32, (1,), "step"),
        (0, 1, 0, (-1,), "negative"),
        (0, 1, 0, (2**20, 2**20), "elements"),
    ],
)
def test_arguments_out_of_range_are_refused(
    seed: int, purpose: int, step: int, shape: tuple[int, ...], word: str
) -> None:
    with pytest.raises(ValueRangeError, match=word):
        random_bits(seed, purpose, step, shape)


def test_counter_words_out_of_range_are_refused() -> None:
    with pytest.raises(ValueRangeError, match="counter"):
        philox4x32((2**32, 0, 0, 0), (0, 0))
    with pytest.raises(ValueRangeError, match="counter"):
        philox4x32((np.array([1, -1]), 0, 0, 0), (0, 0))
    with pytest.raises(ValueRangeError, match="key"):
        philox4x32((0, 0, 0, 0), (0, -1))
