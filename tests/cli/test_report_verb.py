"""`chainrule report`: a file in the run's folder or elsewhere, charts in a folder, mistakes in a sentence."""

from __future__ import annotations

from pathlib import Path

from chainrule import errors
from tests.cli.conftest import Command


def test_it_lies_in_the_folder_of_the_run_unless_said(command: Command, there: Path) -> None:
    ended = command("report", "line")
    (path,) = there.glob("runs/line-*/report.html")
    assert (ended.code, ended.out) == (0, f"{path.relative_to(there)}\n")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    path.unlink()
    assert command("report", "line", "-o", "told.html", "--weight", "dense_1.W[0, 0]", "--sample", "3").code == 0
    assert "sample 3" in Path("told.html").read_text(encoding="utf-8")
    assert not path.exists()


def test_charts_are_counted(command: Command, there: Path) -> None:
    ended = command("report", "line", "--output", "told.html", "--charts", "drawn")
    assert ended.out.splitlines()[1] == f"drawn: {len([*Path('drawn').glob('*.svg')])} charts as SVG, PNG and CSV"
    assert len([*Path("drawn").glob("*.png")]) == len([*Path("drawn").glob("*.csv")]) >= 8


def test_mistakes_are_answered_in_a_sentence(command: Command, there: Path) -> None:
    for words, said in (
        (("report", "lime"), "unknown run 'lime' in runs: known are digits-"),
        (("report", "line", "--weight", "dense_2.W[0, 0]"), "dense_1.W"),
        (("report", "line", "--sample", "50"), "samples 0 to 49"),
        (("report", "line", "-o", "no/such/folder/told.html"), "told.html"),
    ):
        ended = command(*words)
        assert ended.code in (errors.EXIT_USAGE, errors.EXIT_FAILED)
        assert said in ended.err
        assert "Traceback" not in ended.err
    Path("told.html").unlink(missing_ok=True)
