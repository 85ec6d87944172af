"""Philox4x32-10 in vectors: the words of `chainrule.draws.random_bits`, computed where they are used.

A word of 32 bits lies in a lane of 64, so that one multiplication gives the whole product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.backends.native.ir import I32, I64, Builder, Value
from chainrule.draws.philox import KEY_STEPS, MULTIPLIERS, ROUNDS

LOW: Final = 2**32 - 1
BLOCK: Final = 4  # words made at once from one counter


def random_words(b: Builder, low: Value, high: Value, step: Value, purpose: int, elements: Value) -> Value:
    """The word of each element, wherever the elements lie.

    Args:
        b: where to write.
        low: the seed's low 32 bits, a scalar i32.
        high: its high 32 bits.
        step: the counter's second word, a scalar i32.
        purpose: its third word.
        elements: element numbers in row-major order, less than 2^34, i64 or i32, any number of lanes.

    Returns: i32, as many lanes.
    """
    wide = b.convert("zext", elements, I64)
    words = _blocks(b, (low, high), step, purpose, b.shift_right(wide, 2))
    which = b.bit_and(wide, BLOCK - 1)
    result = words[0]
    for k in range(1, BLOCK):
        result = b.select(b.compare("eq", which, k), words[k], result)
    return b.convert("trunc", result, I32)


def random_stretch(
    b: Builder,
    low: Value,
    high: Value,
    step: Value,
    purpose: int,
    first: Value,
    lanes: int,
    *,
    aligned: bool = False,
) -> Value:
    """The words of elements that follow one another, at a fraction of the cost of `random_words`.

    Args:
        b: where to write.
        low: the seed's low 32 bits, a scalar i32.
        high: its high 32 bits.
        step: the counter's second word, a scalar i32.
        purpose: its third word.
        first: the first element's number, a scalar i64.
        lanes: how many, a power of two, 4 or more.
        aligned: whether `first` is known to be a multiple of 4, which halves the cost again.

    Returns: i32, that many lanes.
    """
    blocks = lanes // BLOCK if aligned else 1 << (lanes // BLOCK).bit_length()  # one more than lanes / 4, at least
    counters = b.splat(b.shift_right(first, 2), blocks)
    if blocks > 1:
        counters = b.add(counters, b.constants(I64.of(blocks), range(blocks)))
    w0, w1, w2, w3 = (b.convert("trunc", word, I32) for word in _blocks(b, (low, high), step, purpose, counters))
    words = b.joined(b.joined(w0, w1), b.joined(w2, w3))  # word w of block k at w · blocks + k
    windows = [
        b.shuffle(words, words, [(e % BLOCK) * blocks + e // BLOCK for e in range(begin, begin + lanes)])
        for begin in range(1 if aligned else BLOCK)
    ]
    offset = b.bit_and(first, BLOCK - 1)
    result = windows[0]
    for k in range(1, len(windows)):
        result = b.select(b.splat(b.compare("eq", offset, k), lanes), windows[k], result)
    return result


def _blocks(b: Builder, seed: tuple[Value, Value], step: Value, purpose: int, counters: Value) -> Sequence[Value]:
    """The four words of each counter, in lanes of 64 bits."""
    lanes = counters.type.lanes
    k0, k1 = seed
    x = b.bit_and(counters, LOW)
    y = b.splat(b.convert("zext", step, I64), lanes)
    z, w = b.constant(counters.type, purpose), b.constant(counters.type, 0)
    for _ in range(ROUNDS):
        left, right = b.multiply(x, int(MULTIPLIERS[0])), b.multiply(z, int(MULTIPLIERS[1]))
        x, y, z, w = (
            b.bit_xor(b.bit_xor(b.shift_right(right, 32), y), b.splat(b.convert("zext", k0, I64), lanes)),
            b.bit_and(right, LOW),
            b.bit_xor(b.bit_xor(b.shift_right(left, 32), w), b.splat(b.convert("zext", k1, I64), lanes)),
            b.bit_and(left, LOW),
        )
        k0, k1 = b.add(k0, _signed(KEY_STEPS[0])), b.add(k1, _signed(KEY_STEPS[1]))
    return x, y, z, w


def _signed(word: int) -> int:
    return word - 2**32 if word >= 2**31 else word
