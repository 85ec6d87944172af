"""What all tests share: a folder for native code, a disk that is not waited for, and golden texts.

A golden text is what a test shows, kept as a file beside it, reviewed as a diff. `UPDATE_GOLDEN=1 pytest <the tests>`
writes the files anew; look at the difference before committing it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Golden = Callable[[str, str], None]


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Native code goes to a folder of this session and all its workers, not to the user's, where no folder is named."""
    own = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        if "CHAINRULE_CACHE_DIR" not in os.environ:
            shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
            patch.setenv("CHAINRULE_CACHE_DIR", str(shared / "native"))
        yield


@pytest.fixture(scope="session", autouse=True)
def disk() -> Iterator[None]:
    """Nothing waits until it is on the disk, as no test cuts the power; a file that is not open is still refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        yield


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with the file of that name in `golden/` beside the test: golden("page.txt", text)."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        file = folder / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            return
        if not file.exists():
            pytest.fail(f"there is no golden text {file}: write it with UPDATE_GOLDEN=1 pytest {request.path.name}")
        kept = file.read_bytes().decode()
        if kept != text:
            changes = difflib.unified_diff(kept.splitlines(), text.splitlines(), "kept", "now", lineterm="")
            listed = "\n".join(changes)
            pytest.fail(f"{name} differs (UPDATE_GOLDEN=1 rewrites it):\n{listed}", pytrace=False)

    return compare
