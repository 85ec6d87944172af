"""Where compiled code is kept from one process to the next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "CHAINRULE_CACHE_DIR"


def folder() -> Path | None:
    """Where the files lie: CHAINRULE_CACHE_DIR, or the place for caches of this user; None when there is none."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("chainrule")) / "native"
    except (OSError, RuntimeError):
        return None
