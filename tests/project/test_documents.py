"""Every example in the README and under docs/ runs and is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import documents, screens

EXAMPLES = documents.examples(screens.documents())


@pytest.mark.documents
@pytest.mark.parametrize("document", EXAMPLES, ids=lambda path: path.relative_to(screens.ROOT).as_posix())
def test_examples_run(document: Path, tmp_path: Path) -> None:
    assert documents.execute(document, tmp_path) > 0
