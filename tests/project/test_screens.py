"""The kept screens are what the terminal shows today, and fit it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.document.text.characters import width
from tests.project import screens, wildcard

LISTING = screens.commands(screens.COMMANDS.read_text(encoding="utf-8"))
AGAIN = "run python -m tests.project.screens and read the difference"


@pytest.mark.documents
def test_every_screen_shows_what_is_kept() -> None:
    for screen in screens.take(LISTING):
        kept = screens.SCREENS / f"{screen.name}.txt"
        assert kept.exists(), f"{kept.name} is not kept: {AGAIN}"
        found = wildcard.difference(kept.read_text(encoding="utf-8"), screen.text)
        assert found is None, f"'{screen.command}' shows something else; {AGAIN}:\n{found}"


def test_there_is_no_screen_without_a_command() -> None:
    kept = {path.stem for path in screens.SCREENS.glob("*.txt") if path != screens.COMMANDS}
    assert kept == set(LISTING), AGAIN


def test_screens_fit_eighty_columns() -> None:
    for name in LISTING:
        for line in (screens.SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            assert line.startswith("$ ") or width(line) <= 80, f"{name}: {line}"


def test_documents_show_the_kept_screens() -> None:
    texts = {name: (screens.SCREENS / f"{name}.txt").read_text(encoding="utf-8") for name in LISTING}
    for document in screens.documents():
        text = document.read_text(encoding="utf-8")
        assert screens.filled(text, texts) == text, f"{document.name}: {AGAIN}"


def test_times_rates_dates_and_folders_become_an_ellipsis(tmp_path: Path) -> None:
    text = f"epoch 3  loss 0.25  1.42 s  12,345 samples/s  in {tmp_path}/runs/digits on 2026-03-01 12:30:05, 2.1 GiB"
    assert screens.steady(text, tmp_path) == "epoch 3  loss 0.25  …  …  in … on …, …"


def test_the_size_of_rounding_becomes_an_ellipsis(tmp_path: Path) -> None:
    text = "central difference  1e-4  0.00303315581  3e-12  1e-10  agrees\nforward mode  0.25  0  2e-14  agrees\n"
    steady = "central difference  1e-4  0.00303315581  …  …  agrees\nforward mode  0.25  …  …  agrees\n"
    assert screens.steady(text, tmp_path) == steady


def test_numbers_that_matter_stay(tmp_path: Path) -> None:
    text = "step 12 · 1 sample · accuracy 0.9722 · dense_1.W[28, 3] · 64-32-10"
    assert screens.steady(text, tmp_path) == text


@pytest.mark.parametrize("line", ["no colon", "Two Words: chainrule runs", "empty:", "a: chainrule runs\na: chainrule"])
def test_a_list_that_says_nothing_clear_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="line"):
        screens.commands(line)


def test_a_document_is_filled_with_its_screens() -> None:
    document = "before\n\n<!-- screen: runs -->\n```text\nold\n```\n\n```text\nanother\n```\n"
    assert screens.filled(document, {"runs": "$ chainrule runs\nnone\n"}) == document.replace(
        "old\n", "$ chainrule runs\nnone\n"
    )
