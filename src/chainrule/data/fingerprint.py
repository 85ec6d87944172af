"""The SHA-256 of arrays and of bytes, by which a run knows its data again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt


def fingerprint(*arrays: npt.NDArray[Any] | None) -> str:
    """SHA-256 of dtype, shape and values of the arrays, in order; None counts as absent.

    Values are taken row by row and in little-endian order, so neither memory layout nor machine matters.

    Returns: 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"absent;")
            continue
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{plain.dtype.str}{array.shape};".encode())
        digest.update(plain.tobytes())
    return digest.hexdigest()


def fingerprint_bytes(parts: Iterable[bytes]) -> str:
    """SHA-256 of one file's bytes, or of several files': of their own digests, one after the other.

    Returns: 64 hexadecimal digits.
    """
    digests = [hashlib.sha256(part) for part in parts]
    if len(digests) == 1:
        return digests[0].hexdigest()
    return hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()
