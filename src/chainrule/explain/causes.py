"""Why the loudest sample of a batch asks what it asks of a weight: what its unit wants of what it reads, for whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.backends.protocol import Array
from chainrule.explain.chain import Route, Way, route_of
from chainrule.explain.numbers import evaluate
from chainrule.explain.subject import Subject
from chainrule.graph.facts import Fact
from chainrule.graph.node import Node, depends_on

MOSTLY = 0.5  # of the sum of the sizes of all paths: from here on one of them is named
VOWELS = ("a", "e", "i", "o", "8")  # an 8, as it is spoken


def causes_of(
    subject: Subject, way: Way, weights: Sequence[tuple[str, tuple[int, ...]]], loudest: Sequence[int]
) -> tuple[str, ...]:
    """For each weight a sentence about its loudest sample: "sample 2 is a 2, and output 2 wants more of unit 3".

    Args:
        subject: a loss on a batch.
        way: of the subject.
        weights: at least one.
        loudest: of each weight, the place in the batch of the sample that asks loudest.
    """
    routes = {name: route_of(subject, way, name) for name in dict.fromkeys(name for name, _ in weights)}
    asked: dict[str, Node] = {}
    for name, route in routes.items():
        asked[f"δ {name}"] = way.adjoint(route.z)
        asked |= {} if route.source is None else {f"source {name}": route.source}
        if len(route.readers) == 1:
            asked[f"above {name}"] = way.adjoint(route.readers[0].z)
            asked[f"through {name}"] = way.nodes[route.readers[0].W]
    found = evaluate(asked, subject.inputs)
    return tuple(
        f"{_is(subject, place)}, and {_wants(subject, way, routes[name], name, index, place, found)}"
        for (name, index), place in zip(weights, loudest, strict=True)
    )


def _is(subject: Subject, place: int) -> str:
    """What the sample is: its class, or its numbers."""
    sample, target = f"sample {subject.rows[place]}", subject.targets[place]
    if Fact.LABELS not in tuple(subject.facts.get("y", ())):
        return f"sample {subject.rows[place]} has the target {target}"
    article = "an" if target.lower().startswith(VOWELS) or target in ("11", "18") else "a"
    return f"{sample} is {article} {target}"


def _wants(
    subject: Subject,
    way: Way,
    route: Route,
    name: str,
    index: tuple[int, ...],
    place: int,
    found: dict[str, Array],
) -> str:
    """What the unit wants for that sample, of what it reads, and whom it wants it for."""
    unit = f"{'output' if route.z == _last_z(subject) else 'unit'} {index[-1]}"
    wish = -float(found[f"δ {name}"][place, index[-1]])
    more = "larger" if wish > 0.0 else "smaller"
    if route.source is None or len(index) != 2:
        return f"{unit} wants to be {more}{_for_whom(subject, route, name, index, place, found)}"
    read = f"{'input' if _is_input(subject, way, route.source) else 'unit'} {index[0]}"
    value = float(found[f"source {name}"][place, index[0]])
    ends = _for_whom(subject, route, name, index, place, found)
    if value > 0.0:
        return f"{unit} wants {'more' if wish > 0.0 else 'less'} of {read}{ends}"
    return f"{unit} wants to be {more}, where {read} is {'negative' if value < 0.0 else '0'}{ends}"


def _for_whom(
    subject: Subject, route: Route, name: str, index: tuple[int, ...], place: int, found: dict[str, Array]
) -> str:
    """The unit of the next layer that asks most of this one, where one does."""
    if len(route.readers) != 1:
        return ""
    reader = route.readers[0]
    through = found[f"through {name}"]
    paths = np.abs(found[f"above {name}"][place] * through[index[-1]])
    total = float(paths.sum())
    if through.ndim != 2 or len(paths) < 2 or not total > 0.0 or float(np.max(paths)) < MOSTLY * total:
        return ""
    kind = "output" if reader.z == _last_z(subject) else f"unit of {reader.z.rpartition('.')[0]}"
    return f", mostly for {kind} {int(np.argmax(paths))}"


def _last_z(subject: Subject) -> str:
    return [name for name in subject.values if name.endswith(".z")][-1]


def _is_input(subject: Subject, way: Way, source: Node) -> bool:
    layers = [way.nodes[name] for name in subject.values if name.endswith(".z")]
    return source not in depends_on([source], layers)
