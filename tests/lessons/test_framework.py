"""A lesson is marked by its own numbers: what holds, what does not, what is only measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, RunError, UnknownNameError, ValueRangeError
from chainrule.lessons import Lesson, bars, claim, curves, measured, opened, part, say, shown, table
from chainrule.lessons.taught import Told

MINE = '''
"""A lesson in a file of its own."""

import chainrule as cr
from chainrule.lessons import Lesson, claim, say


def teach(seed):
    run = cr.train([cr.Dense(1)], "one_weight", epochs=2, seed=seed, runs=None)
    first, last = run.history["loss"]
    return say("Two epochs."), claim("falls", "the loss falls from ", first, " to ", last, holds={holds})


Lesson("mine", "Mine", "Does it fall?", teach).main()
'''


def lesson(*statements: object) -> Lesson:
    def teach(seed: int) -> Told:
        return say("Seed ", seed, "."), *statements  # pyright: ignore[reportReturnType]

    return Lesson("made", "Made", "What for?", teach)


TRUE = claim("true", "2 is ", 2, holds=True, two=2)
FALSE = claim("false", "0.5 is ", 0.25, holds=False)
TIME = measured("time", "it took ", 0.125, " s", seconds=0.125)


def test_a_page_marks_what_holds_and_what_does_not() -> None:
    taught = lesson(TRUE, FALSE, TIME).run(3)
    text = str(taught)
    assert not taught.holds
    assert "Holds             2 is 2\n" in text
    assert "× Does not hold   0.5 is 0.25\n" in text
    assert "Measured          it took 0.125 s\n" in text
    assert "× In all" in text
    assert "1 of 2 statements holds in this run; not false; 1 is measured only" in " ".join(text.split())
    assert text.startswith("Made ")
    assert "seed 3" in text.splitlines()[0]
    assert "Seed 3." in text


def test_what_does_not_hold_stands_out_without_color_too() -> None:
    page = lesson(TRUE, FALSE).run().page
    found = re.findall(r'<div class="(\w+)" data-name="([\w-]+)"><dt>(.*?)</dt>', page.html)
    assert found == [
        ("evidence", "true", "Holds"), ("warning", "false", "× Does not hold"), ("warning", "in-all", "× In all"),
    ]  # fmt: skip
    assert "x Does not hold" in page.render(ascii=True)
    assert "\x1b[33m×\x1b[0m \x1b[33mDoes" in page.render(color=True)
    assert r"\times" in page.latex
    assert "warning" not in lesson(TRUE).run().page._repr_html_().partition("</style>")[2]


def test_what_is_only_measured_neither_holds_nor_fails() -> None:
    assert lesson(TRUE, TIME).run().holds
    assert lesson(TIME).run().statement("time").holds is None


def test_statements_are_data_too() -> None:
    found = json.loads(lesson(TRUE, FALSE).run(5).page.to_json())
    assert (found["lesson"], found["seed"], found["holds"]) == ("made", 5, False)
    assert found["statements"][0] == {"name": "true", "claim": "2 is 2", "holds": True, "numbers": {"two": 2}}
    assert {"name": "false", "label": "Does not hold", "text": "0.5 is 0.25"} in found["page"]["sentences"]


@pytest.mark.parametrize("statements", [(), (TRUE, TRUE)])
def test_a_lesson_states_something_and_each_thing_once(statements: tuple[object, ...]) -> None:
    with pytest.raises(RunError, match=r"states nothing|two statements named true"):
        lesson(*statements).run()


def test_an_unknown_statement_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'true'"):
        lesson(TRUE).run().statement("ture")


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (TRUE, r"the lesson made teaches one Statement: return a tuple, such as \(say\(…\), claim\(…\)\)"),
        (["words", TRUE], r"has a str on its page: put words into say\(…\)"),
        ([(say("a"), say("b")), TRUE], r"several blocks in one place: unpack them with a star, \*opened\(…\)"),
        (None, "teaches one NoneType"),
    ],
)
def test_what_is_no_page_is_told_in_a_sentence(told: Any, sentence: str) -> None:
    with pytest.raises(RunError, match=sentence):
        Lesson("made", "Made", "What for?", lambda _: told).run()


def test_names_are_looked_up_with_a_sentence() -> None:
    assert cr.lessons.named("one-weight").title == "One weight"
    with pytest.raises(UnknownNameError, match="unknown lesson 'one-wait': did you mean 'one-weight'"):
        cr.lesson("one-wait")
    with pytest.raises(ArgumentError, match="its name as text"):
        cr.lesson(3)  # pyright: ignore[reportArgumentType]


def test_a_notebook_shows_the_page() -> None:
    html = lesson(TRUE).run()._repr_html_()
    assert "Holds" in html
    assert "<style>" in html
    assert repr(lesson(TRUE).run()).endswith("1 of 1 statement holds in this run")


# ---- writing ----


def test_numbers_are_set_as_numbers() -> None:
    said = claim("n", "of ", 13002, " weights ", 1 / 3, " and ", 20000.0, " and ", 1e12, holds=True).text
    assert said == "of 13,002 weights 0.333 and 20,000 and 1e12"


def test_a_chart_is_read_off_its_points() -> None:
    figure = curves("T", {"a": ([1, 2, 3], [4.0, 9.0, 5.0]), "b": [2.0, 1.0, float("inf"), 3.0]}, x="step")
    assert figure.alternative == (
        "a goes from 4 at step = 1 to 5 at step = 3, highest 9 at 2; "
        "b goes from 2 at step = 0 to 3 at step = 3, lowest 1 at 1."
    )
    assert bars("B", {"few": 1.0, "many": 7.0}).alternative == "The largest is many, 7; the smallest few, 1."


def test_a_line_without_finite_points_is_said_to_have_none() -> None:
    assert "a has no finite point" in curves("T", {"a": [float("nan")]}).alternative


def test_a_table_has_one_cell_per_column() -> None:
    made = table(("name", "value"), [("a", 0.123456), ("b", shown(0.5))])
    assert [len(row.cells) for row in made.rows] == [2, 2]
    assert made.columns[0].heading


def test_blocks_of_another_page_come_by_name() -> None:
    run = cr.train(None, "one_weight", runs=None)
    page = run.explain("dense_1.W[0, 0]", sample=0)
    chain, checked = opened(page, "chain", "witnesses")
    assert (chain.name, checked in page.document.blocks) == ("chain", True)
    with pytest.raises(UnknownNameError, match="did you mean 'chain'"):
        opened(page, "chian")


def test_a_part_has_a_title() -> None:
    assert part("One").text == "One"


# ---- a file of one's own ----


def run_file(folder: Path, holds: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = folder / "mine.py"
    path.write_text(MINE.replace("{holds}", holds), encoding="utf-8")
    return subprocess.run([sys.executable, str(path), *words], capture_output=True, text=True, check=False, cwd=folder)


def test_a_file_with_a_lesson_is_a_program(tmp_path: Path) -> None:
    done = run_file(tmp_path, "last < first")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1 statement holds in this run" in done.stdout
    written = run_file(tmp_path, "last < first", "--format", "html", "--output", "mine.html", "--seed", "2")
    assert (written.returncode, written.stdout) == (0, "")
    page = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "seed 2" in page


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    nowhere = run_file(tmp_path, "last < first", "--output", "absent/mine.html")
    assert "there is no folder" in nowhere.stderr
    assert "make it, or name another place" in nowhere.stderr
    onto = run_file(tmp_path, "last < first", "--output", ".")
    assert "is a folder, and a file is wanted: name one in it" in onto.stderr
    assert nowhere.returncode == onto.returncode != 0


def test_it_fails_where_its_statement_does_not_hold(tmp_path: Path) -> None:
    done = run_file(tmp_path, "last > first", "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["statements"][0]["holds"] is False


def test_an_error_in_it_is_a_sentence(tmp_path: Path) -> None:
    done = run_file(tmp_path, "cr.lesson('nudge')")
    assert done.returncode == 2
    assert done.stderr.startswith("error[unknown-name]: unknown lesson 'nudge': did you mean 'nudges'")


def test_a_seed_is_held_against_its_range_before_anything_runs() -> None:
    lesson = Lesson("mine", "Mine", "What?", lambda seed: pytest.fail("it was taught"))
    for seed in (-1, 2**32):
        with pytest.raises(ValueRangeError, match=rf"^the seed of a lesson is {seed}: give a whole number from 0 to "):
            lesson.run(seed)
    for wrong in (1.5, True, "3"):
        with pytest.raises(ArgumentError, match=r"^seed takes a whole number, such as 3, and "):
            lesson.run(wrong)  # pyright: ignore[reportArgumentType]
