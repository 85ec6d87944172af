"""The bytes of a file, read once, unpacked where they are packed."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from chainrule.errors import UnreadableFileError

GZIP = b"\x1f\x8b"


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
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError(f"{path} is packed with gzip but damaged or cut short: fetch it again") from error
