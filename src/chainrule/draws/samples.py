"""What is made of random bits: uniform numbers, normal numbers, permutations.

Each is a pure function of (seed, purpose, step, element). Uniforms and permutations are exact integer work and so the
same on every machine; normals pass through log, sin and cos, whose last bit belongs to the installed NumPy.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.draws.philox import random_bits
from chainrule.errors import DTypeError, ValueRangeError

FLOAT32_BITS: Final = 24  # bits of a float32 significand
FLOAT64_BITS: Final = 53  # bits of a float64 significand: 27 from the first word, 26 from the second


def uniform(
    seed: int, purpose: int, step: int, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float64
) -> npt.NDArray[np.floating[Any]]:
    """Uniform numbers in [0, 1).

    A float32 is the top 24 bits of word e times 2**-24; a float64 is 53 bits from the words 2e and 2e + 1 times 2**-53.
    Both are exact: no rounding can produce 1.

    Args:
        seed: integer in [0, 2**64).
        purpose: a `Purpose`, or an integer in [0, 2**32).
        step: integer in [0, 2**32).
        shape: sizes of the result.
        dtype: float32 or float64.

    Raises:
        DTypeError: another dtype.
        ValueRangeError: an argument lies outside its range.
    """
    wanted = np.dtype(dtype)
    if wanted == np.float32:
        bits = random_bits(seed, purpose, step, shape) >> np.uint32(32 - FLOAT32_BITS)
        return bits.astype(np.float32) * np.float32(2.0**-FLOAT32_BITS)
    if wanted == np.float64:
        return _uniform64(seed, purpose, step, shape)
    raise DTypeError(f"uniform numbers of dtype {wanted} do not exist: ask for float32 or float64")


def normal(seed: int, purpose: int, step: int, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Standard normal numbers in float64, by the Box-Muller transform.

    The elements 2p and 2p + 1 are r cos(t) and r sin(t), r = sqrt(-2 log(1 - u)), t = 2 pi v, with u and v the float64
    uniforms 2p and 2p + 1. As u < 1, the logarithm is finite; the largest |value| is sqrt(2 * 53 * log 2) = 8.57.

    Args:
        seed: integer in [0, 2**64).
        purpose: a `Purpose`, or an integer in [0, 2**32).
        step: integer in [0, 2**32).
        shape: sizes of the result, at most 2**33 elements.

    Raises:
        ValueRangeError: an argument lies outside its range.
    Source: Box, Muller, "A note on the generation of random normal deviates", 1958.
    """
    count = math.prod(shape)
    pairs = _uniform64(seed, purpose, step, (-(-count // 2), 2))
    radius = np.sqrt(-2.0 * np.log(1.0 - pairs[:, 0]))
    angle = 2.0 * np.pi * pairs[:, 1]
    values = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    return values.reshape(-1)[:count].reshape(shape)


def permutation(seed: int, purpose: int, step: int, count: int) -> npt.NDArray[np.int64]:
    """A random order of 0 .. count - 1.

    Element e gets the 64-bit key (word 2e, word 2e + 1), high word first, and the elements are sorted by key; equal
    keys (one chance in 2**64 a pair) keep their order. Unlike swapping in place, this is the same however computed.

    Args:
        seed: integer in [0, 2**64).
        purpose: a `Purpose`, or an integer in [0, 2**32).
        step: integer in [0, 2**32).
        count: how many elements, 0 or more.
    Returns: int64 array (count,).

    Raises:
        ValueRangeError: an argument lies outside its range.
    """
    if count < 0:
        raise ValueRangeError(f"cannot order {count} elements: give 0 or more")
    words = random_bits(seed, purpose, step, (count, 2)).astype(np.uint64)
    keys = (words[:, 0] << np.uint64(32)) | words[:, 1]
    order = np.argsort(keys)  # three times as quick as a stable sort, which differs only where keys are equal
    ordered = keys[order]
    if bool((ordered[1:] == ordered[:-1]).any()):
        order = np.argsort(keys, kind="stable")
    return order.astype(np.int64, copy=False)


def _uniform64(seed: int, purpose: int, step: int, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    words = random_bits(seed, purpose, step, (*shape, 2)).astype(np.uint64)
    bits = ((words[..., 0] >> np.uint64(5)) << np.uint64(26)) | (words[..., 1] >> np.uint64(6))
    return bits.astype(np.float64) * 2.0**-FLOAT64_BITS
