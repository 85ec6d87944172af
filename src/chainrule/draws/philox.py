"""Philox4x32-10, the counter-based generator behind every random number.

Ten rounds turn a counter of four 32-bit words and a key of two into four random words. There is no state: the same
counter and key give the same words on every machine and for any number of threads.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3. NumPy's own
Philox is the 4x64 variant, a different generator.
"""

from __future__ import annotations

import math
import operator
from typing import Any, Final, SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import ValueRangeError

Words: TypeAlias = npt.NDArray[np.uint32]
WordLike: TypeAlias = "int | npt.NDArray[np.integer[Any]]"  # any integer width: the values are checked, not the width

ROUNDS: Final = 10
MULTIPLIERS: Final = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))  # Salmon et al. 2011, as in Random123 1.0
KEY_STEPS: Final = (0x9E3779B9, 0xBB67AE85)  # golden ratio and sqrt(3) - 1, times 2**32
WORD: Final = 2**32
LOW: Final = np.uint64(WORD - 1)
HALF: Final = np.uint64(32)
WORDS_PER_BLOCK: Final = 4


def philox4x32(
    counter: tuple[WordLike, WordLike, WordLike, WordLike], key: tuple[int, int]
) -> tuple[Words, Words, Words, Words]:
    """Four random 32-bit words for every counter.

    Args:
        counter: four words, integers in [0, 2**32) or arrays of them; shapes broadcast.
        key: two integers in [0, 2**32), the same for all counters.
    Returns: four uint32 arrays of the broadcast shape.

    Raises:
        ValueRangeError: a word of the counter or of the key lies outside [0, 2**32).
    Source: Salmon et al. 2011, section 3.3; checked against the known answers published with Random123.
    """
    a, b, c, d = (_word64(word, "counter") for word in counter)
    k0, k1 = (_in_range(word, WORD, "key word") for word in key)
    for _ in range(ROUNDS):
        left, right = a * MULTIPLIERS[0], c * MULTIPLIERS[1]
        a, b, c, d = (
            (right >> HALF) ^ b ^ np.uint64(k0),
            right & LOW,
            (left >> HALF) ^ d ^ np.uint64(k1),
            left & LOW,
        )
        k0, k1 = (k0 + KEY_STEPS[0]) % WORD, (k1 + KEY_STEPS[1]) % WORD
    a, b, c, d = np.broadcast_arrays(a, b, c, d)
    return a.astype(np.uint32), b.astype(np.uint32), c.astype(np.uint32), d.astype(np.uint32)


def random_bits(seed: int, purpose: int, step: int, shape: tuple[int, ...]) -> Words:
    """Random 32-bit words, one per element: the meaning of the graph's primitive `random_bits`.

    Element e, counted row by row, is word e % 4 of the block with key `seed` and counter (e // 4, step, purpose, 0). So
    a larger shape begins with the words of a smaller one.

    Args:
        seed: integer in [0, 2**64); its low and its high 32 bits are the key.
        purpose: a `Purpose`, or an integer in [0, 2**32).
        step: integer in [0, 2**32), for instance the training step or the epoch.
        shape: sizes of the result, at most 2**34 elements.
    Returns: uint32 array of that shape, every word equally likely.

    Raises:
        ValueRangeError: an argument lies outside its range.
    """
    count = _elements(shape)
    seed = _in_range(seed, WORD * WORD, "seed")
    blocks = np.arange(-(-count // WORDS_PER_BLOCK), dtype=np.uint64)
    words = philox4x32(
        (blocks, _in_range(step, WORD, "step"), _in_range(purpose, WORD, "purpose"), 0), (seed % WORD, seed // WORD)
    )
    return np.stack(words, axis=-1).reshape(-1)[:count].reshape(shape)


def _elements(shape: tuple[int, ...]) -> int:
    if any(size < 0 for size in shape):
        raise ValueRangeError(f"the shape {shape} holds a negative size: sizes are 0 or more")
    count = math.prod(shape)
    if count > WORD * WORDS_PER_BLOCK:
        raise ValueRangeError(f"the shape {shape} has {count} elements: one draw gives at most 2**34, use more steps")
    return count


def _word64(word: WordLike, what: str) -> npt.NDArray[np.uint64]:
    """A counter word, widened so that a 32 by 32 bit product fits."""
    if isinstance(word, np.ndarray):
        if word.size and (int(word.min()) < 0 or int(word.max()) >= WORD):
            raise ValueRangeError(f"a {what} word lies outside 0 to 2**32 - 1")
        return word.astype(np.uint64)
    return np.array(_in_range(word, WORD, f"{what} word"), dtype=np.uint64)


def _in_range(value: SupportsIndex, limit: int, what: str) -> int:
    number = operator.index(value)
    if not 0 <= number < limit:
        raise ValueRangeError(f"{what} {number} is out of range: give an integer from 0 to {limit - 1}")
    return number
