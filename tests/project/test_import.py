"""`import chainrule` costs little: nothing heavy is imported before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = (
    "cyclopts",
    "jax",
    "llvmlite",
    "msgspec",
    "narwhals",
    "PIL",
    "platformdirs",
    "polars",
    "rich",
    "safetensors",
    "sklearn",
    "tomli_w",
    "torch",
)


def modules_after(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def modules() -> set[str]:
    return modules_after("import chainrule")


@pytest.mark.parametrize("library", LATER)
def test_a_library_is_imported_when_it_is_used(library: str, modules: set[str]) -> None:
    assert library not in modules


def test_this_way_of_looking_sees_an_import() -> None:
    assert "msgspec" in modules_after("import msgspec")
