"""What a program is made of, kept beside the code, so that its text is not written again to find what was compiled.

A recipe is known by the graph, as text that reads back as the same graph, by what its inputs and sizes are, by the
instruction set, and by the sources of what writes code.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from chainrule.backends.native import cache
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.schedule import Schedule
from chainrule.graph.node import Graph
from chainrule.graph.text import to_text

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program for one thread or for several.

    Attributes:
        name: of the function that runs a slice.
        meetings: how often threads meet in a step.
        modules: the keys of all its code in the cache.
        scratch: bytes of scratch each thread needs.
        is_shared: whether some stage is worth sharing among threads.
        places: a hash of where everything lies.
    """

    name: str
    meetings: Count
    modules: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    scratch: Count
    is_shared: bool
    places: str


def recipe_name(graph: Graph, plan: Schedule, isa: Isa, *, many: bool, hasty: bool) -> str | None:
    """The hash a recipe is kept under; None where it is not known what writes code."""
    if SOURCES is None:
        return None
    decided = (repr(isa), to_text(graph), repr(plan.roles), repr(plan.sizes), str(many), str(hasty))
    parts = (SOURCES, cache.key("", isa), *decided)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def places_of(plan: Schedule) -> str:
    """A hash of where everything lies: code that was made for other places is not for this plan."""
    buffers = (*plan.buffers.values(), *plan.carried.values())
    lines = [f"{b.name} {b.arena} {b.offset} {b.layout.bytes}" for b in buffers]
    whole = "\n".join((*lines, f"{plan.state_bytes} {plan.work_bytes}"))
    return hashlib.sha256(whole.encode()).hexdigest()


def read_recipe(name: str | None, plan: Schedule) -> Recipe | None:
    """The recipe of that name, if it is there and for this plan."""
    content = None if name is None else cache.kept(name)
    if content is None:
        return None
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        recipe = msgspec.json.decode(content, type=Recipe)
        return recipe if recipe.places == places_of(plan) else None
    return None


def keep_recipe(name: str | None, recipe: Recipe) -> None:
    """Remember a recipe, and write it, unless the sources are no longer those that this process runs."""
    if name is not None and sources() == SOURCES:
        cache.keep(name, msgspec.json.encode(recipe))


def sources() -> str | None:
    """A hash of all that decides what text a graph gives; None where it cannot be read, as in an archive."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    try:
        for path in sorted((*here.rglob("*.py"), *(here.parents[1] / "graph").glob("*.py"))):
            if not path.name.startswith("."):
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest() if Path(__file__).suffix == ".py" and Path(__file__).is_file() else None
    except OSError:
        return None


SOURCES: Final = sources()  # as this process imports them: what is edited later writes no code here
