"""What a program is made of, kept beside the code, so that its text is not written again to find what was compiled.

A recipe is known by the graph, as text that reads back as the same graph, by what its inputs and sizes are, by the
instruction set, and by the sources of what writes code.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from chainrule.backends.native import cache
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.schedule import Schedule
from chainrule.graph.node import Graph
from chainrule.graph.text import to_text


@dataclass(frozen=True, slots=True)
class Recipe:
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
    meetings: int
    modules: tuple[str, ...]
    scratch: int
    is_shared: bool
    places: str


def recipe_name(graph: Graph, plan: Schedule, isa: Isa, *, many: bool) -> str:
    """The hash a recipe is kept under."""
    parts = (_sources(), cache.key("", isa), isa.name, to_text(graph), repr(plan.roles), repr(plan.sizes), str(many))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def places_of(plan: Schedule) -> str:
    """A hash of where everything lies: code that was made for other places is not for this plan."""
    lines = [f"{b.name} {b.arena} {b.offset} {b.layout.bytes}" for b in plan.buffers.values()]
    whole = "\n".join((*lines, f"{plan.state_bytes} {plan.work_bytes}"))
    return hashlib.sha256(whole.encode()).hexdigest()


def read_recipe(name: str, plan: Schedule) -> Recipe | None:
    """The recipe of that name, if it is there and for this plan."""
    content = cache.kept(name)
    if content is None:
        return None
    with suppress(ValueError, TypeError, KeyError):
        said: dict[str, Any] = json.loads(content)
        said["modules"] = tuple(said["modules"])
        recipe = Recipe(**said)
        if recipe.places == places_of(plan):
            return recipe
    return None


def keep_recipe(name: str, recipe: Recipe) -> None:
    """Remember a recipe, and write it."""
    cache.keep(name, json.dumps(asdict(recipe)).encode())


@lru_cache(maxsize=1)
def _sources() -> str:
    """A hash of all that decides what text a graph gives."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted((*here.rglob("*.py"), *(here.parents[1] / "graph").glob("*.py"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
