"""`./check` refuses what it cannot do with a sentence and exit code 2, before it makes anything."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.project.test_tree import ROOT


def check(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / "check"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_stage() -> None:
    done = check("lints")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("check: unknown stage 'lints': known are environment format lint types")


def test_an_environment_that_is_not_one() -> None:
    done = check("lint", CHECK_ENV="no/such/folder")
    assert done.returncode == 2
    assert "'no/such/folder', where there is no bin/python" in done.stderr


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_a_python_that_does_not_do(python: str) -> None:
    done = check("environment", CHECK_ENV="", PYTHON=python)
    assert done.returncode == 2
    assert f"'{python}' is not Python 3.11 or newer" in done.stderr
