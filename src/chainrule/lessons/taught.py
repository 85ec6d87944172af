"""What a lesson is: a question, the experiments that answer it, and statements held against what they gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast, get_args

from chainrule.document import Block, Content, Document, Labeled, Paragraph, Plain, Tone
from chainrule.document.text.spans import Pen
from chainrule.errors import RunError, UnknownNameError, ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.errors.counts import counted, verb_of
from chainrule.runs.page import Page

HOLDS: Final = "Holds"
FAILS: Final = "Does not hold"
MEASURED: Final = "Measured"

_TONES: Final[dict[bool | None, Tone]] = {True: "evidence", False: "warning", None: "plain"}
_PEN: Final = Pen()


def _no_numbers() -> Mapping[str, Plain]:
    return {}


@dataclass(frozen=True, slots=True)
class Statement:
    """What a lesson says of its own experiments.

    Attributes:
        name: by which a program finds it.
        claim: a sentence with the numbers in it.
        holds: whether the numbers bear the sentence out; None of what is only measured, such as a time.
        numbers: what it was decided by.
    """

    name: str
    claim: Content
    holds: bool | None
    numbers: Mapping[str, Plain] = field(default_factory=_no_numbers, hash=False)

    @property
    def text(self) -> str:
        """The claim on one line."""
        return _PEN.line(self.claim)

    @property
    def verdict(self) -> str:
        """Whether it holds, in a word or three."""
        return MEASURED if self.holds is None else HOLDS if self.holds else FAILS

    def block(self) -> Labeled:
        """The statement as it stands on a page, the verdict in front."""
        return Labeled(self.verdict, (Paragraph(self.claim),), _TONES[self.holds], name=self.name)

    def data(self) -> dict[str, Plain]:
        """The statement for programs."""
        return {"name": self.name, "claim": self.text, "holds": self.holds, "numbers": self.numbers}


Told: TypeAlias = "Sequence[Block | Statement]"
LARGEST_SEED: Final = 2**32 - 1  # from which a lesson can make a hundred seeds of its own
BLOCKS: Final = (Statement, *get_args(Block))


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question, and the experiments that answer it.

    Args:
        name: what is typed.
        title: what stands above the page.
        question: which the page answers.
        teach: trains what there is to train with the seed it is given, and returns the page from the top down: blocks
            of a document, and statements among them where their evidence has just been shown.

    Example: `Lesson("mine", "Mine", "What is shown?", teach).run(seed=3)`; see docs/lessons.md.
    """

    name: str
    title: str
    question: str
    teach: Callable[[int], Told]

    def run(self, seed: int = 0) -> Taught:
        """Do the experiments.

        Args: seed: of everything in them that is drawn.
        Raises: ArgumentError, ValueRangeError for what is no seed; RunError for a lesson that states nothing, or two
            things by one name, or teaches what is no block; what its experiments raise.
        """
        check_kind("seed", seed, int, "a whole number, such as 3")
        if not 0 <= seed <= LARGEST_SEED:
            raise ValueRangeError(f"the seed of a lesson is {seed}: give a whole number from 0 to {LARGEST_SEED:,}")
        told = _told(self.name, self.teach(seed))
        return Taught(self, seed, told, _checked(self.name, told))

    def main(self, words: Sequence[str] | None = None) -> None:
        """Run as a program of its own: the last line of a file that holds a lesson.

        Args: words: options as typed, see docs/lessons.md; None for those of this process.
        Raises: SystemExit with 1 where a statement does not hold.
        """
        from chainrule.lessons.program import run_as_program

        run_as_program(self, words)


@dataclass(frozen=True, eq=False, slots=True)
class Taught:
    """A lesson that was run: printed it is its page.

    Attributes:
        lesson: which.
        seed: with which it was run.
        told: its blocks and statements in reading order.
        statements: what it says of its experiments, in order.
    """

    lesson: Lesson
    seed: int
    told: tuple[Block | Statement, ...]
    statements: tuple[Statement, ...]

    @property
    def holds(self) -> bool:
        """Whether every statement does; those that are only measured do not count."""
        return all(each.holds is not False for each in self.statements)

    def statement(self, name: str) -> Statement:
        """The statement of that name.

        Raises: UnknownNameError where there is none.
        """
        for each in self.statements:
            if each.name == name:
                return each
        raise UnknownNameError("statement", name, [each.name for each in self.statements])

    @property
    def page(self) -> Page:
        """The page, every statement marked as holding or not, and at its end how many do."""
        blocks = [block.block() if isinstance(block, Statement) else block for block in self.told]
        lesson = self.lesson
        return Page(
            Document(
                lesson.title,
                (Paragraph(lesson.question, name="question"), *blocks, _in_all(self.statements)),
                context=f"seed {self.seed}",
                name="lesson",
                data={
                    "lesson": lesson.name,
                    "seed": self.seed,
                    "holds": self.holds,
                    "statements": [each.data() for each in self.statements],
                },
            )
        )

    def __str__(self) -> str:
        return self.page.text

    def __repr__(self) -> str:
        return self.page.text.rstrip("\n")

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return self.page._repr_html_()  # pyright: ignore[reportPrivateUsage] - a notebook's own protocol


def _told(lesson: str, told: object) -> tuple[Block | Statement, ...]:
    """What was taught, where it is a page.

    Raises: RunError for what a page does not hold.
    """
    if not isinstance(told, list | tuple):
        came = type(told).__name__
        raise RunError(f"the lesson {lesson} teaches one {came}: return a tuple, such as (say(…), claim(…))")
    parts = cast("Sequence[object]", told)
    for part in parts:
        if isinstance(part, list | tuple):
            raise RunError(f"the lesson {lesson} has several blocks in one place: unpack them with a star, *opened(…)")
        if not isinstance(part, BLOCKS):
            raise RunError(f"the lesson {lesson} has a {type(part).__name__} on its page: put words into say(…)")
    return cast("tuple[Block | Statement, ...]", tuple(parts))


def _checked(lesson: str, told: Told) -> tuple[Statement, ...]:
    statements = tuple(block for block in told if isinstance(block, Statement))
    names = [each.name for each in statements]
    if not names:
        raise RunError(f"the lesson {lesson} states nothing: give it a statement that its numbers can bear out")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise RunError(f"the lesson {lesson} has two statements named {twice}: give each its own name")
    return statements


def _in_all(statements: Sequence[Statement]) -> Labeled:
    """How many statements hold, which do not, and how many were only measured."""
    decided = [each for each in statements if each.holds is not None]
    failed = [each.name for each in decided if not each.holds]
    held = len(decided) - len(failed)
    hold = verb_of(held if len(decided) > 1 else 1, "holds", "hold")
    parts = [f"{held} of {counted(len(decided), 'statement')} {hold} in this run"] if decided else []
    parts += [f"not {', '.join(failed)}"] if failed else []
    measured = len(statements) - len(decided)
    parts += [f"{measured} {verb_of(measured, 'is', 'are')} measured only"] if measured else []
    tone: Tone = "warning" if failed else "plain"
    return Labeled("In all", (Paragraph("; ".join(parts)),), tone, name="in-all")
