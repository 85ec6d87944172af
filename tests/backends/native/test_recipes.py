"""A program whose recipe is kept is loaded without its text being written, to the same bits; else it is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainrule.backends.kept_code import folder
from chainrule.backends.native import NativeBackend, cache, driver, recipes
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import Isa, named, runnable
from chainrule.backends.native.schedule import Roles, Schedule, schedule
from chainrule.backends.protocol import Step
from tests.absent import require
from tests.backends.native.agreement import train
from tests.backends.native.networks import first_state, network_step, samples

require("llvmlite", "pip install llvmlite")
ROWS, BATCH = 40, 8
BEST = runnable()[0]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("CHAINRULE_THREADS", "1")
    monkeypatch.setattr(recipes, "SOURCES", recipes.sources())
    forget()
    yield
    forget()


def forget() -> None:
    """As a new process: nothing is in memory."""
    cache.settle()
    cache._objects.clear()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Schedule]:
    """The plans whose text was written."""
    seen: list[Schedule] = []
    write = driver.write

    def noted(plan: Schedule, isa: Any) -> driver.Code:
        seen.append(plan)
        return write(plan, isa)

    monkeypatch.setattr(driver, "write", noted)
    return seen


def step_of(width: int = 20) -> Step:
    """Of one layer, as its code is soon compiled."""
    return network_step((width, 5), loss="cross_entropy")


def bits(step: Step) -> dict[str, bytes]:
    state = train(step, NativeBackend(), first_state(step), samples(step, ROWS), BATCH, 3)[0]
    return {name: array.tobytes() for name, array in state.items()}


def test_a_program_known_from_before_is_not_written_again(written: list[Schedule]) -> None:
    first = bits(step_of())
    assert len(written) == 1
    forget()
    assert bits(step_of()) == first
    assert len(written) == 1
    forget()
    assert bits(step_of(21)).keys() == first.keys()
    assert len(written) == 2


def test_the_plan_that_is_shown_is_the_same_with_and_without_a_recipe(written: list[Schedule]) -> None:
    before = NativeBackend().compile(step_of()).plan(BATCH)
    forget()
    after = NativeBackend().compile(step_of()).plan(BATCH)
    assert (after.stages, after.places, after.scratch_bytes) == (before.stages, before.places, before.scratch_bytes)
    assert before.effort.text > after.effort.text == 0.0
    assert before.effort.modules == after.effort.modules == after.effort.kept
    assert before.effort.kept < before.effort.modules
    assert len(written) == 2  # the second time for the stages that are shown


@pytest.mark.parametrize("harm", ["cut", "gone", "changed"])
def test_a_piece_that_is_damaged_or_gone_is_made_again(written: list[Schedule], harm: str) -> None:
    first = bits(step_of())
    forget()
    home = folder()
    assert home is not None
    for path in sorted(home.iterdir())[::2]:
        content = path.read_bytes()
        if harm == "gone":
            path.unlink()
        else:
            path.write_bytes(content[:-9] if harm == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    assert bits(step_of()) == first
    assert len(written) == 2
    forget()
    assert bits(step_of()) == first
    assert len(written) == 2


def plan_of(step: Step, batch: int = BATCH) -> Schedule:
    return schedule(step.graph, Roles.of(step), Sizes.of({}, step.size, batch))


def name_of(step: Step, plan: Schedule, isa: Isa = BEST, *, many: bool = False, hasty: bool = False) -> str | None:
    return recipes.recipe_name(step.graph, plan, isa, many=many, hasty=hasty)


def test_whatever_decides_the_code_is_in_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    step = step_of()
    plan = plan_of(step)
    first = name_of(step, plan)
    assert name_of(step_of(), plan_of(step_of())) == first
    names = {
        first,
        name_of(step, plan, many=True),
        name_of(step, plan, hasty=True),
        name_of(step, plan, named("generic")),
        name_of(step, plan_of(step, 9)),
        name_of(step_of(21), plan_of(step_of(21))),
    }
    monkeypatch.setattr(recipes, "SOURCES", "other sources")
    names.add(name_of(step, plan))
    assert len(names) == 7


def test_a_recipe_for_other_places_is_not_used(written: list[Schedule], monkeypatch: pytest.MonkeyPatch) -> None:
    first = bits(step_of())
    forget()
    monkeypatch.setattr("chainrule.backends.native.recipes.places_of", lambda _: "elsewhere")
    assert bits(step_of()) == first
    assert len(written) == 2


def test_a_recipe_that_says_something_else_is_not_used() -> None:
    plan = plan_of(step_of())
    cache.keep("aa" * 32, b'{"name": "cr_slice_alone"}')
    assert recipes.read_recipe("aa" * 32, plan) is None
    cache.keep("bb" * 32, b"no recipe at all")
    assert recipes.read_recipe("bb" * 32, plan) is None


def test_code_of_sources_that_were_edited_since_is_not_kept(
    written: list[Schedule], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "sources", lambda: "edited")
    first = bits(step_of())
    forget()
    assert bits(step_of()) == first
    assert len(written) == 2


def test_where_sources_cannot_be_read_nothing_is_kept(
    written: list[Schedule], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recipes, "__file__", str(tmp_path / "archive.zip" / "native" / "recipes.pyc"))
    assert recipes.sources() is None
    monkeypatch.setattr(recipes, "SOURCES", None)
    first = bits(step_of())
    forget()
    assert bits(step_of()) == first
    assert len(written) == 2


@pytest.mark.parametrize("change", [{"modules": []}, {"modules": [5]}, {"scratch": "x"}, {"name": "cr_nobody"}])
def test_a_recipe_with_wrong_parts_is_made_again(
    written: list[Schedule], monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    keep = cache.keep
    monkeypatch.setattr(
        cache, "keep", lambda name, said: keep(name, json.dumps({**json.loads(said), **change}).encode())
    )
    first = bits(step_of())
    forget()
    assert bits(step_of()) == first
    assert len(written) == 2


def test_threads_that_change_while_code_is_made_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([1, 2, 2, 2, 2, 2])
    monkeypatch.setattr("chainrule.backends.native.compiled.thread_count", lambda: next(counts))
    step = network_step((784, 256, 10), loss="cross_entropy")
    state = train(step, NativeBackend(), first_state(step), samples(step, 64), 64, 3)[0]
    monkeypatch.setattr("chainrule.backends.native.compiled.thread_count", lambda: 1)
    alone_ = train(step, NativeBackend(), first_state(step), samples(step, 64), 64, 3)[0]
    assert all(state[name].tobytes() == array.tobytes() for name, array in alone_.items())
