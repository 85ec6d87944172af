"""What lies at a path: a folder, a file, or nothing."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal

from chainrule.data.quoting import quoted
from chainrule.errors import UnreadableFileError

Kind = Literal["folder", "file"]


def kind_at(path: Path) -> Kind | None:
    """What lies there, links followed; None where nothing does.

    `Path.exists` and its kin do not serve: what the system refuses to say, some versions of Python raise and others
    take for nothing.

    Raises: UnreadableFileError when the system refuses, as the path is too long or leads through a closed folder.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableFileError(
            f"{quoted(path)} cannot be looked up ({reason}): check the path, and the permissions of the folders above"
        ) from error
    return "folder" if stat.S_ISDIR(mode) else "file"
