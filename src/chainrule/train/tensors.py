"""Named arrays as safetensors: bytes that can only be read as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import RunError
from chainrule.train.durable import write_durably

Array: TypeAlias = npt.NDArray[Any]


def write_tensors(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays durably.

    Raises: WriteError when the file cannot be written; a previous one is intact.
    """
    write_durably(path, encode_tensors(arrays))


def encode_tensors(arrays: Mapping[str, Array]) -> bytes:
    """The arrays as the content of a safetensors file; the same arrays give the same bytes."""
    from safetensors.numpy import save  # only runs need it

    return save({name: np.asarray(array, order="C") for name, array in arrays.items()})


def sha256_of(content: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_tensors(path: Path, sha256: str | None = None) -> dict[str, Array]:
    """The arrays in the file, by name.

    Args:
        path: of a safetensors file.
        sha256: what its content must hash to, where that is known.

    Raises: RunError for a file that is missing, damaged or not the one expected.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror}): restore the file") from error
    if sha256 is not None and sha256_of(content) != sha256:
        raise RunError(
            f"{path} is damaged: its checksum is not the one recorded; restore it, or delete it and its .json"
        )
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged or holds no tensors ({error}): restore the file") from error
