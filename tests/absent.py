"""Something outside that a test needs: use it, or skip with a sentence, or fail where nothing may be absent."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest


def require(name: str | Path, how_to_get: str) -> Any:
    """The module, the program's path or the path called `name`.

    Args:
        name: a `Path` for a file or folder; otherwise the name of a module (`torch`) or of a program (`latex`).
        how_to_get: what a person does to have it, as an order: "pip install 'chainrule[oracles]'".

    Returns: the imported module, or a `Path`.

    If it is absent the test is skipped with a sentence; under `CHECK_ALL=1` it fails instead. Call it in a test, in a
    fixture or at the top of a test module.
    """
    if isinstance(name, Path):
        return name if name.exists() else _absent(name.name, how_to_get)
    if importlib.util.find_spec(name) is not None:
        return importlib.import_module(name)
    program = shutil.which(name)
    return Path(program) if program else _absent(name, how_to_get)


def _absent(name: str, how_to_get: str) -> NoReturn:
    sentence = f"needs {name}, which is not here: {how_to_get}"
    if os.environ.get("CHECK_ALL") == "1":
        pytest.fail(f"{sentence} (under CHECK_ALL=1 nothing may be absent)", pytrace=False)
    pytest.skip(sentence, allow_module_level=True)
