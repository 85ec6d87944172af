"""What a network comes to in symbols: what it makes of a change of x, and what is left where x is 0.

Both are derived from its graph: the change by forward mode, dz = dx W¹ W² …, the rest by x = 0, and both simplified.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from chainrule.autodiff.forward import jvp
from chainrule.autodiff.simplify import simplify
from chainrule.document import Differential, Equation, Equations, Formula, Symbol, equals, juxtaposed, plus, symbol
from chainrule.explain.formulas import Writer
from chainrule.explain.notation import Notation, X
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, Node, depends_on, make_graph, transform
from chainrule.graph.primitives import apply, rebuild
from chainrule.graph.rewrite import is_constant

INPUT: Final = "input"
MOST_LINKS: Final = 6  # formulas; a deeper network shows its first and its last
MOVED: Final = "d"  # begins the name of a change


@dataclass(frozen=True, slots=True)
class Link:
    """How one pre-activation changes with an earlier one, or with x: through one layer, or a run of linear ones.

    Attributes:
        name: "dense_2.z".
        change: dz², linear in dz¹.
        names: of the nodes that `change` reads, those of changes among them: "d dense_1.z".
        before: the earlier one: "dense_1.z" or "input".
        through: the pre-activations of the layers it goes through; these have no activation between them.
        size: how many numbers the first of these layers reads, and how many the last puts out.
    """

    name: str
    change: Node
    names: Mapping[Node, str]
    before: str
    through: tuple[str, ...]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class OneMap:
    """A network from its inputs x to its last pre-activation z (n, k), and what becomes of a change dx.

    Attributes:
        last: the name of z.
        is_one: whether dz is the same for every x.
        product: W, of shape (i, k), where dz = dx W for every x; None where there is no such W.
        rest: z where x is 0, (n, k); where there is a W this is b, repeated for every row.
        links: layer by layer.
    """

    last: str
    is_one: bool
    product: Node | None
    rest: Node
    links: tuple[Link, ...]

    @property
    def is_through_zero(self) -> bool:
        """Whether no layer has a bias."""
        return is_constant(self.rest, 0.0)


def one_map(network: Graph, names: Sequence[str]) -> OneMap:
    """What the layers of a network come to.

    Args:
        network: from the input "input" to every value, by name, in order.
        names: of the pre-activations, in order.
    """
    x, z = network.input(INPUT), network[names[-1]]
    moved = e.variable(MOVED, x.tensor.dtype, x.tensor.shape).node
    nothing = e.constant(0.0, x.tensor).node
    rest = transform([z], lambda node, inputs: nothing if node is x else rebuild(node, inputs))[z]
    found, _ = simplify(make_graph({"change": jvp(z, {x: moved}), "rest": rest}))
    is_one = not _depends(found["change"], x)
    return OneMap(
        last=names[-1],
        is_one=is_one,
        product=_behind(found["change"], moved) if is_one else None,
        rest=found["rest"],
        links=_links(network, names),
    )


def _links(network: Graph, names: Sequence[str]) -> tuple[Link, ...]:
    """From x to the last pre-activation; layers that do nothing but multiply the change before them go with it."""
    found: list[Link] = []
    for before, name in pairwise((INPUT, *names)):
        link = _link(network, before, (name,))
        moved = next(node for node, each in link.names.items() if each == f"{MOVED} {before}")
        if found and _behind(link.change, moved) is not None:
            last = found.pop()
            link = _link(network, last.before, (*last.through, name))
        found.append(link)
    return tuple(found)


def _depends(node: Node, source: Node) -> bool:
    return node in depends_on([node], [source])


def _behind(product: Node, x: Node) -> Node | None:
    """W of a product x W, where x stands alone at its left end; changes of shape before the first factor are x too."""
    if product.primitive != "matmul" or _depends(product.inputs[1], x):
        return None
    left, right = product.inputs
    while left.primitive == "reshape":
        (left,) = left.inputs
    if left is x:
        return right
    before = _behind(product.inputs[0], x)
    return None if before is None else apply("matmul", before, right)


def _link(network: Graph, before: str, through: tuple[str, ...]) -> Link:
    """Layers by their pre-activations, cut off at the one before the first of them."""
    name = through[-1]
    begin = network.input(INPUT) if before == INPUT else network[before]
    held = e.variable(before, begin.tensor.dtype, begin.tensor.shape).node
    moved = e.variable(f"{MOVED} {before}", begin.tensor.dtype, begin.tensor.shape).node
    image = transform(network.results, lambda node, inputs: held if node is begin else rebuild(node, inputs))
    values = {each: image[node] for each, node in network.outputs if each != name and _depends(image[node], held)}
    found, _ = simplify(make_graph({**values, "change": jvp(image[network[name]], {held: moved})}))
    names = {found[each]: each for each in reversed(values)}
    read, made = (math.prod(d for d in node.tensor.shape[1:] if isinstance(d, int)) for node in (begin, network[name]))
    return Link(name, found["change"], {**names, held: before, moved: moved.label}, before, through, (read, made))


# ---- written ----


def written(found: OneMap, symbols: Mapping[str, Symbol]) -> Equations:
    """z = x W + b with W and b spelled out; where no one map does for every x, dz layer by layer.

    Args:
        found: what the layers come to.
        symbols: of parameters and values by name: "dense_1.W", "dense_1.z".
    """
    if found.product is None:
        lines = [_written_link(link, symbols) for link in found.links]
        if len(lines) > 2 * MOST_LINKS:
            lines = [*lines[:MOST_LINKS], symbol("…"), *lines[-MOST_LINKS:]]
        return Equations(tuple(map(Equation, lines)), inline=True, name="links")
    w, b = symbol("W"), symbol("b")
    writer = Writer(Notation(_parameters([found.product, found.rest], symbols)))
    parts = (juxtaposed(X, w),) if found.is_through_zero else (juxtaposed(X, w), b)
    whole = [equals(symbols[found.last], plus(*parts)), equals(w, writer.write(found.product))]
    whole += [] if found.is_through_zero else [equals(b, writer.write(found.rest))]
    return Equations(tuple(map(Equation, whole)), name="products")


def _written_link(link: Link, symbols: Mapping[str, Symbol]) -> Formula:
    named = {**symbols, INPUT: X}
    changes = {f"{MOVED} {name}": Differential(each, "d") for name, each in named.items()}
    known = {node: {**named, **changes}[name] for node, name in link.names.items()}
    writer = Writer(Notation({**_parameters([link.change], symbols), **known}))
    return equals(Differential(symbols[link.name], "d"), writer.write(link.change, named=False))


def _parameters(nodes: Sequence[Node], symbols: Mapping[str, Symbol]) -> dict[Node, Formula]:
    inputs = make_graph({str(place): node for place, node in enumerate(nodes)}).inputs
    return {node: symbols[node.label] for node in inputs if node.label in symbols}
