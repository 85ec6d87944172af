"""A graph written as text, one line for each node, and read back as the same graph.

Example, the mean of x · w over n:

    graph:
      input x: float32[n]
      input w: float32[n]
      assume w: nonnegative
      %1 = multiply(x, w): float32[n]
      %2 = sum(%1, axes=(0,)): float32[]
      %3 = size(of=n): int32[]
      %4 = cast(%3, dtype="float32"): float32[]
      %5 = divide(%2, %4): float32[]
      output mean = %5

A loop's body stands before the graph that uses it, as `graph @1:`, and is used as `body=@1`. Names that are no plain
words are written as JSON strings; floats so that they come back exactly; the type at the end of a line is checked.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final

from chainrule.graph.node import Attribute, Graph, Node, topological
from chainrule.graph.tensor_type import Size, TensorType
from chainrule.graph.text_reader import Reader
from chainrule.graph.verify import verify

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")


def to_text(graph: Graph) -> str:
    """The graph as text.

    Raises: GraphError when the graph is not well formed.
    """
    bodies = {body: f"@{k}" for k, body in enumerate(_bodies(verify(graph)), 1)}
    sections = [_section(body, label, bodies) for body, label in bodies.items()]
    return "\n".join([*sections, _section(graph, "", bodies)])


def parse(text: str) -> Graph:
    """The graph that `to_text` wrote: the same nodes, not copies.

    Text from a stranger can at worst be refused: it names primitives, never code, and what is read is verified.

    Raises: GraphError with the number of the line, what stands there and what was wanted.
    """
    return verify(Reader().read(text))


def _bodies(graph: Graph) -> list[Graph]:
    """Every body of a loop in the graph, each after the bodies inside it."""
    order: list[Graph] = []
    done = {graph}
    stack = [(graph, iter(_used(graph)))]
    while stack:
        each, pending = stack[-1]
        following = next((body for body in pending if body not in done), None)
        if following is not None:
            done.add(following)
            stack.append((following, iter(_used(following))))
        else:
            order.append(each)
            stack.pop()
    return order[:-1]


def _used(graph: Graph) -> list[Graph]:
    return [value for node in graph.nodes for _, value in node.attributes if isinstance(value, Graph)]


def _section(graph: Graph, label: str, bodies: dict[Graph, str]) -> str:
    names = {node: word(node.label) for node in graph.inputs}
    lines = [f"graph {label}:" if label else "graph:"]
    lines += [f"input {names[node]}: {node.type}" for node in graph.inputs]
    lines += [f"assume {word(name)}: {', '.join(facts)}" for name, facts in graph.facts]
    for node in topological(graph.results):
        if node not in names:
            names[node] = f"%{len(names) - len(graph.inputs) + 1}"
            lines.append(f"{names[node]} = {_call(node, names, bodies)}: {node.type}")
    lines += [f"output {word(name)} = {names[node]}" for name, node in graph.outputs]
    return "\n  ".join(lines) + "\n"


def _call(node: Node, names: dict[Node, str], bodies: dict[Graph, str]) -> str:
    inputs = [names[i] for i in node.inputs]
    return f"{node.primitive}({', '.join(inputs + [f'{k}={_value(v, bodies)}' for k, v in node.attributes])})"


def _value(value: Attribute, bodies: dict[Graph, str]) -> str:
    if isinstance(value, Graph):
        return bodies[value]
    if isinstance(value, tuple):
        inner = ", ".join(_value(v, bodies) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, (bool, int, Size, TensorType)):
        return str(value)
    return json.dumps(value)


def _float(value: float) -> str:
    """The shortest digits that give the float back; Inf and NaN in capitals, as a size may be called inf."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return repr(value)


def word(name: str) -> str:
    """A name as it is written: itself if it is a plain word, else a JSON string."""
    return name if _WORD.match(name) else json.dumps(name)
