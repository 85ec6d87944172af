"""What to say of a file of a run that cannot be read: where it is missing, what its folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from chainrule.errors import RunError

MOST: Final = 8  # names that are listed


def unreadable(path: Path, error: OSError) -> RunError:
    """The file is not there, or may not be read."""
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return RunError(f"{path} cannot be read ({error.strerror}): check its permissions, and those of its folder")
    return RunError(
        f"{path} is missing from its folder, which holds {held_by(path.parent)}: restore it, or train again"
    )


def held_by(folder: Path) -> str:
    """What is in a folder, by name: "data.json, history.jsonl and 3 more"."""
    names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{', '.join(names[:MOST])}{more}" if names else "nothing"
