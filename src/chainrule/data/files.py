"""The bytes of a file, read once, unpacked where they are packed."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from chainrule.errors import UnreadableFileError

GZIP: Final = b"\x1f\x8b"
DENSEST: Final = 1032  # times what is packed may be larger unpacked; zlib's technical notes, "maximum compression"


def read_bytes(path: Path) -> bytes:
    """The bytes of the file as they are on disk.

    Raises:
        UnreadableFileError: no such file, a directory, or no permission.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableFileError(f"there is no file {path}: check the path, seen from {Path.cwd()}") from error
    except IsADirectoryError as error:
        raise UnreadableFileError(f"{path} is a directory, but a file is needed: name a file in it") from error
    except PermissionError as error:
        raise UnreadableFileError(f"{path} may not be read: change its permissions, or copy it") from error
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read ({error.strerror}): check the disk") from error


def unpacked(path: Path, content: bytes) -> bytes:
    """The content itself, or what is in it where it is packed with gzip.

    Raises:
        UnreadableFileError: packed content that is damaged or ends early.
    """
    if not is_packed(content):
        return content
    with damage_told(path):
        return gzip.decompress(content)


def stream_of(content: bytes) -> BinaryIO:
    """The same bytes to be read one after the other, so that they are never all unpacked beside where they go."""
    held = io.BytesIO(content)
    return gzip.GzipFile(fileobj=held) if is_packed(content) else held  # pyright: ignore[reportReturnType]


def is_packed(content: bytes) -> bool:
    """Whether it is packed with gzip."""
    return content.startswith(GZIP)


@contextmanager
def damage_told(path: Path) -> Generator[None]:
    """While packed content is read.

    Raises:
        UnreadableFileError: it is damaged or ends early.
    """
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError(f"{path} is packed with gzip but damaged or cut short: fetch it again") from error
