"""What is typed after a verb: by place, by name, in records, several times; and one sentence for what cannot be."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from chainrule.cli.option import Option, settings_of
from chainrule.cli.parse import call
from chainrule.errors import InputError

taken: dict[str, object] = {}


@dataclass(frozen=True, kw_only=True)
class Look:
    """Options that several verbs have."""

    width: Annotated[int | None, Option(help="Columns.")] = None
    ascii: Annotated[bool, Option(negative=(), help="Plain.")] = False
    output: Annotated[Path | None, Option(name=("--output", "-o"), help="A file.")] = None


USUAL = Look()


def draw(
    what: Annotated[str, Option(help="What.")],
    which: Annotated[str, Option(help="Which.")] = "latest",
    /,
    *,
    times: Annotated[int, Option(help="How often.")],
    learning_rate: Annotated[float | None, Option(name=("--learning-rate", "--lr"), help="How far.")] = None,
    colors: Annotated[tuple[str, ...], Option(negative=(), help="In which.")] = (),
    shuffle: Annotated[bool | None, Option(help="In another order.")] = None,
    form: Annotated[Literal["text", "html"], Option(help="As what.")] = "text",
    look: Annotated[Look, Option(name="*")] = USUAL,
    typed: Annotated[str, Option(parse=False)] = "",
) -> int:
    """Draw something."""
    taken.clear()
    taken.update(locals())
    return 7


def gather(*things: Annotated[int, Option(help="Which.")]) -> int:
    """Gather some things."""
    taken.clear()
    taken["things"] = things
    return 0


def drawn(words: str) -> dict[str, object]:
    """What the function got that is not as usual."""
    assert call("draw", functools.partial(draw, typed="so"), words.split()) == 7
    assert taken["typed"] == "so"
    usual = {"which": "latest", "learning_rate": None, "colors": (), "shuffle": None, "form": "text", "look": USUAL}
    return {name: value for name, value in taken.items() if name != "typed" and usual.get(name, "unusual") != value}


@pytest.mark.parametrize(
    ("words", "got"),
    [
        ("it --times 3", {}),
        ("--times=3 it", {}),
        ("it that --times 3", {"which": "that"}),
        ("it --times 3 --lr 1e-3", {"learning_rate": 1e-3}),
        ("it --learning-rate -0.5 --times 3", {"learning_rate": -0.5}),
        ("it --learning_rate=-.5 --times 3", {"learning_rate": -0.5}),
        ("it --times 3 --colors red --colors green,blue", {"colors": ("red", "green,blue")}),
        ("it --times 3 --shuffle", {"shuffle": True}),
        ("it --times 3 --no-shuffle", {"shuffle": False}),
        ("it --times 3 --shuffle=no", {"shuffle": False}),
        ("it --times 3 --form html", {"form": "html"}),
        ("it --times 3 --ascii --width 60", {"look": Look(ascii=True, width=60)}),
        ("it --times 3 --ascii=false -o a.html", {"look": Look(output=Path("a.html"))}),
        ("--times 3 -- it --times", {"which": "--times"}),
        ("it - --times 3", {"which": "-"}),
        ("it -2 --times 3", {"which": "-2"}),
    ],
)
def test_what_is_typed_is_what_the_function_gets(words: str, got: dict[str, object]) -> None:
    assert drawn(words) == {"what": "it", "times": 3, **got}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "WHAT is missing"),
        ("it", "--times is missing"),
        ("it --times", "--times needs a value"),
        ("it --times --ascii", "--times needs a value"),
        ("it --times 3 --times 4", "--times came twice: give it once"),
        ("it --times 3 --ascii --ascii", "--ascii came twice: give it once"),
        ("it --times 3.0", "--times takes a whole number, and got '3.0'"),
        ("it --times 3 --lr fast", "--lr takes a number, and got 'fast'"),
        ("it --times 3 --shuffle=maybe", "--shuffle takes yes or no, and got 'maybe'"),
        ("it --times 3 --form htm", "unknown --form 'htm': did you mean 'html'? known are text, html"),
        ("it --times 3 --color red", "there is no option --color, did you mean --colors"),
        ("it --times 3 --no-ascii", "there is no option --no-ascii, did you mean --ascii"),
        ("it --times 3 --typed x", "there is no option --typed"),
        ("it --times 3 -q", "there is no option -q"),
        ("it that more and more --times 3", "too many words came: more, and, more (several names for one"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        call("draw", draw, words.split())
    assert str(raised.value).startswith(said)
    assert str(raised.value).endswith("; see chainrule draw --help")


def test_words_without_end() -> None:
    assert call("gather", gather, ["3", "-4", "5"]) == 0
    assert taken["things"] == (3, -4, 5)
    assert call("gather", gather, []) == 0
    assert taken["things"] == ()
    with pytest.raises(InputError, match="THINGS takes a whole number, and got 'x'"):
        call("gather", gather, ["3", "x"])


def test_help_is_shown_wherever_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    taken.clear()
    for words in (["--help"], ["it", "--nonsense", "-h"]):
        assert call("draw", draw, words) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert shown.startswith("Usage: chainrule draw --times INT [OPTIONS] WHAT")
        for said in (
            "Draw something.",
            "--learning-rate --lr FLOAT",
            "--shuffle --no-shuffle",
            "[choices: text, html]",
        ):
            assert said in shown
        assert "--typed" not in shown
    assert taken == {}
    assert call("draw", draw, ["--times", "3", "--", "--help"]) == 7
    assert taken["what"] == "--help"


def test_settings_are_all_that_can_be_typed_in_order() -> None:
    settings = settings_of(functools.partial(draw, typed="so"))
    assert [each.names[0] for each in settings] == [
        "WHAT", "WHICH", "--times", "--learning-rate", "--colors", "--shuffle", "--form", "--width", "--ascii",
        "--output",
    ]  # fmt: skip
    assert [each.names[0] for each in settings if each.is_needed] == ["WHAT", "--times"]
    assert {each.names[0]: each.negatives for each in settings if each.negatives} == {"--shuffle": ("--no-shuffle",)}
