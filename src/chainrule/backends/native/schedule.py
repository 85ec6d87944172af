"""A step as the native backend sees it: its groups in order, and a place in memory for every value that is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from chainrule.backends.native.arenas import Buffer, StatePlaces
from chainrule.backends.native.grouping import Group, Grouping, is_elementwise, operand
from chainrule.backends.native.layout import Layout, Sizes
from chainrule.backends.native.lighten import lighten
from chainrule.backends.native.strips import Part, Strips, carried, has_rows, is_far, strips, sums_over_rows
from chainrule.backends.native.vocabulary import check, is_product, is_reduction
from chainrule.backends.protocol import Step
from chainrule.graph.node import Graph, Node, topological, transform, users
from chainrule.graph.primitives import apply, rebuild


class Roles(msgspec.Struct, frozen=True):
    """What each input is for; outputs named like a state are its next values, the others are reported.

    Attributes:
        state: kept by the program, in panels.
        columns: rows of data, gathered.
        rates: one number for each step.
        clock: the number of the step.
    """

    state: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    clock: str | None = None

    @staticmethod
    def of(step: Step) -> Roles:
        """The roles of a training step."""
        return Roles(step.state, step.columns, step.rates, step.clock)


@dataclass(slots=True)
class Schedule:
    """What runs when, and where each value is.

    Attributes:
        graph: as given, with copies of columns and of inputs that are results.
        sizes: the values of named sizes.
        roles: of the inputs.
        grouping: the groups in order.
        buffers: for each node that is kept, its place.
        moves: buffers to be copied after the last group, from a next value to its state.
        reports: (name, node) of each output that is no next value.
        strips: how the rows of a large batch pass through the groups; None where they do so all at once.
        near: the nodes of which the rows of one strip are kept at a time.
        carried: for each reduction that goes on from strip to strip, where its vectors wait.
        state_bytes, work_bytes: the sizes of the arenas.
    """

    graph: Graph
    sizes: Sizes
    roles: Roles
    grouping: Grouping
    buffers: dict[Node, Buffer] = field(default_factory=dict[Node, Buffer])
    moves: list[tuple[Buffer, Buffer]] = field(default_factory=list[tuple[Buffer, Buffer]])
    reports: list[tuple[str, Node]] = field(default_factory=list[tuple[str, Node]])
    strips: Strips | None = None
    near: frozenset[Node] = frozenset()
    carried: dict[Node, Buffer] = field(default_factory=dict[Node, Buffer])
    state_bytes: int = 0
    work_bytes: int = 0

    @property
    def groups(self) -> list[Group]:
        """The groups in the order in which they run."""
        return self.grouping.groups

    @property
    def columns(self) -> frozenset[Node]:
        """The inputs that are gathered."""
        return frozenset(self.graph.input(name) for name in self.roles.columns)

    def layout(self, node: Node) -> Layout:
        """Where the elements of a node lie."""
        whole = Layout.of(node.tensor, self.sizes)
        return whole if self.strips is None or node not in self.near else whole.cut(self.strips.rows)

    def resumes(self, node: Node) -> bool:
        """Whether a node adds up over the rows of the batch strip by strip."""
        return self.strips is not None and self.strips.part(self.grouping.place[node]) is Part.SUMS


def schedule(graph: Graph, roles: Roles, sizes: Sizes) -> Schedule:
    """Group a graph and give every kept value its place.

    Raises: BackendError when the graph holds a primitive the backend lacks.
    """
    check(graph)
    graph = _prepared(lighten(graph, sizes), roles)
    columns = [graph.input(name) for name in roles.columns]
    replaced = {graph.input(name): node for name, node in graph.outputs if name in roles.state}
    reports = [(name, node) for name, node in graph.outputs if name not in roles.state]
    results = [*(node for _, node in reports), *_deepest_first(replaced.values())]
    grouping, found = _grouped(results, replaced, columns, sizes)
    made = Schedule(graph, sizes, roles, grouping, reports=reports, strips=found)
    _place_state(made, replaced)
    return made


def _grouped(
    results: Sequence[Node], replaced: dict[Node, Node], columns: Sequence[Node], sizes: Sizes
) -> tuple[Grouping, Strips | None]:
    """The groups, in strips where that is worth it: sums over rows are then apart from what follows them."""
    order = topological(results)
    if is_far(order, sizes):
        alone = [node for node in order if sums_over_rows(node, sizes)]
        grouping = Grouping(results, replaced, columns, sizes, alone)
        if (found := strips(grouping)) is not None:
            return grouping, found
    return Grouping(results, replaced, columns, sizes), None


def _prepared(graph: Graph, roles: Roles) -> Graph:
    """Copies where a node must be computed: of columns that are read more than once, of results that are inputs."""
    readers = users(topological((*graph.inputs, *graph.results)))
    gathered = {
        graph.input(name)
        for name in roles.columns
        if graph.input(name) in readers and not _read_once(readers[graph.input(name)])
    }

    def change(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node in gathered:
            return _copy(node)
        return rebuild(node, inputs)

    image = transform(graph.results, change)
    outputs: dict[str, Node] = {}
    for name, node in graph.outputs:
        if name in roles.state and node is graph.input(name):
            continue
        outputs[name] = _copy(image[node]) if image[node].primitive == "input" else image[node]
    return Graph(graph.inputs, tuple(outputs.items()))


def _read_once(readers: Sequence[Node]) -> bool:
    return len(readers) <= 1 and all(is_elementwise(r) and r.primitive != "stop_gradient" for r in readers)


def _copy(node: Node) -> Node:
    return apply("reshape", node, shape=node.tensor.shape)


def _deepest_first(nodes: Iterable[Node]) -> list[Node]:
    """Results whose computation is longest come first, so that what they read is read before it is overwritten."""
    listed = list(nodes)
    depth: dict[Node, int] = {}
    for node in topological(listed):
        depth[node] = 1 + max((depth[source] for source in node.inputs), default=0)
    return sorted(listed, key=lambda node: -depth[node])


# ---- memory ----


def _place_state(made: Schedule, replaced: Mapping[Node, Node]) -> None:
    """Give the state its arena, next values their state's place where nothing reads the old one later, others work."""
    places = StatePlaces(made.graph, made.roles.state, made.sizes)
    made.buffers.update({made.graph.input(name): buffer for name, buffer in places.buffers.items()})
    made.state_bytes = places.bytes
    last = _last_uses(made)
    moved: list[tuple[Node, Node]] = []
    for source, node in replaced.items():
        if node not in made.buffers and _may_overwrite(made, source, node):
            made.buffers[node] = made.buffers[source]
        else:
            moved.append((source, node))
            last[node] = len(made.groups)
    for _, node in made.reports:
        last[node] = len(made.groups)
    made.near = _near(made, last)
    _place_work(made, last)
    made.moves = [(made.buffers[node], made.buffers[source]) for source, node in moved]


def _may_overwrite(made: Schedule, source: Node, node: Node) -> bool:
    """Whether everything that reads the old value has done so, at its own index, when the new one is written."""
    grouping = made.grouping
    here = grouping.place[node]
    if made.strips is not None and made.strips.inside(here):
        return False
    for reader, same in grouping.readers[source]:
        there = grouping.place[reader]
        if there > here or (there == here and not same):
            return False
    return True


def _last_uses(made: Schedule) -> dict[Node, int]:
    """For each node that needs memory, the last group that reads it."""
    grouping = made.grouping
    last: dict[Node, int] = {}
    for number, group in enumerate(made.groups):
        for node in group.members:
            if is_reduction(node) and node not in grouping.copied:
                last.setdefault(node, number)
            for read in grouping.reads(node):
                if read.node.primitive != "input" and (grouping.place[read.node] < number or is_product(node)):
                    last[read.node] = number
    return last


def _near(made: Schedule, last: Mapping[Node, int]) -> frozenset[Node]:
    """What has rows and is needed nowhere but in the strips."""
    if made.strips is None:
        return frozenset()
    inside = (node for node in last if node not in made.buffers and made.strips.inside(last[node]))
    return frozenset(n for n in inside if has_rows(n, made.sizes) and made.strips.inside(made.grouping.place[n]))


def _place_work(made: Schedule, last: Mapping[Node, int]) -> None:
    """Places in the work arena; a place is used again when what was there is no longer needed."""
    wanted = [(made.buffers, n, made.layout(n), _needed(made, n, last[n])) for n in last if n not in made.buffers]
    wanted += _carried(made)
    active: list[Buffer] = []
    for places, node, layout, (first, final) in sorted(wanted, key=lambda each: each[3][0]):
        active = [buffer for buffer in active if buffer.last >= first]
        places[node] = Buffer(node.label, "work", _gap(active, layout.bytes), layout, first, final)
        active.append(places[node])
        made.work_bytes = max(made.work_bytes, places[node].offset + layout.bytes)


def _carried(made: Schedule) -> list[tuple[dict[Node, Buffer], Node, Layout, tuple[int, int]]]:
    """What reductions over the rows of the batch hand from strip to strip."""
    if made.strips is None:
        return []
    span = made.strips.first, made.strips.after - 1
    groups = made.groups[made.strips.sums : made.strips.after]
    return [
        (made.carried, node, carried(group, node), span)
        for group in groups
        for node in group.members
        if is_reduction(node)
    ]


def _needed(made: Schedule, node: Node, last: int) -> tuple[int, int]:
    """The groups between which a node is needed: as long as strips turn, but for what each strip makes anew."""
    first, passes = made.grouping.place[node], made.strips
    if passes is None:
        return first, last
    if node in made.near:
        return first, max(last, passes.sums - 1)
    if passes.inside(first):
        return passes.first, max(last, passes.after - 1)
    return first, max(last, passes.after - 1) if passes.inside(last) else last


def _gap(active: Sequence[Buffer], wanted: int) -> int:
    """The lowest offset at which so many bytes are free."""
    offset = 0
    for buffer in sorted(active, key=lambda b: b.offset):
        if buffer.offset - offset >= wanted:
            break
        offset = max(offset, buffer.offset + buffer.layout.bytes)
    return offset


def product_operands(node: Node) -> tuple[Node, Node]:
    """The two values a product reads, transposed or not."""
    x, w = node.inputs
    return operand(x), operand(w)
