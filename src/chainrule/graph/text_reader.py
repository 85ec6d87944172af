"""Reads the lines that `text.to_text` writes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final, NoReturn

from chainrule.errors import ChainruleError, GraphError, UnknownNameError
from chainrule.graph.facts import Fact
from chainrule.graph.node import Attribute, Graph, Node
from chainrule.graph.primitives import PRIMITIVES, apply
from chainrule.graph.tensor_type import DTYPES, AnyType, Dim, TensorType, TupleType, named, product

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)|(?P<infinite>-Inf)'
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_.]*)|(?P<value>%[0-9]+)|(?P<body>@[0-9]+)|(?P<mark>[()\[\],:=*]))"
)
_SPECIAL: Final[dict[str, Attribute]] = {
    "True": True,
    "False": False,
    "Inf": float("inf"),
    "-Inf": float("-inf"),
    "NaN": float("nan"),
}
LONGEST: Final = 64  # entries of a tuple or a shape: NumPy has no more axes
DEEPEST: Final = 8  # tuples inside tuples


@dataclass
class _Unfinished:
    """A graph of which some lines are read."""

    label: str
    inputs: dict[str, Node] = field(default_factory=dict[str, Node])
    facts: list[tuple[str, tuple[Fact, ...]]] = field(default_factory=list[tuple[str, tuple[Fact, ...]]])
    values: dict[str, Node] = field(default_factory=dict[str, Node])
    outputs: list[tuple[str, Node]] = field(default_factory=list[tuple[str, Node]])


class Reader:
    """Reads one text; `bodies` are the loops' bodies that are complete."""

    def __init__(self) -> None:
        self.bodies: dict[str, Graph] = {}
        self._open: _Unfinished | None = None

    def read(self, text: str) -> Graph:
        """The graph without a label, which is the last one.

        Raises: GraphError with the number of the line.
        """
        number = 0
        for number, content in enumerate(text.splitlines(), 1):
            if content.strip():
                self._line(_Line(number, content))
        if self._open is None or self._open.label:
            raise GraphError(f"line {number}: the text ends before a graph without a label, which is the one wanted")
        return _finished(self._open)

    def _line(self, line: _Line) -> None:
        try:
            if line.take_if("graph"):
                self._header(line)
            elif self._open is None:
                line.fail("graph")
            elif line.take_if("input"):
                self._input(line, self._open)
            elif line.take_if("assume"):
                self._assume(line, self._open)
            elif line.take_if("output"):
                self._output(line, self._open)
            else:
                self._node(line, self._open)
        except GraphError as error:
            raise error if line.is_told(error) else GraphError(f"line {line.number}: {error}") from error
        except ChainruleError as error:
            raise GraphError(f"line {line.number}: {error}") from error

    def _header(self, line: _Line) -> None:
        label = line.take("body", "mark")
        if label.startswith("@"):
            line.expect(":")
        elif label == ":":
            label = ""
        else:
            line.fail("a label such as @1, or a colon", label)
        line.end()
        if self._open is not None and not self._open.label:
            line.fail("the end of the text after the graph without a label", "graph")
        if self._open is not None:
            self.bodies[self._open.label] = _finished(self._open)
        if label in self.bodies:
            line.fail("a label that is new", label)
        self._open = _Unfinished(label)

    def _input(self, line: _Line, graph: _Unfinished) -> None:
        name = line.name()
        line.expect(":")
        kind = line.tensor()
        line.end()
        if name in graph.inputs:
            line.fail("an input with a new name", name)
        graph.inputs[name] = apply("input", name=name, type=kind)

    def _assume(self, line: _Line, graph: _Unfinished) -> None:
        name = line.name()
        line.expect(":")
        written = [part.strip() for part in line.rest().split(",")]
        facts = [_fact(part) for part in written] if written != [""] else []
        graph.facts.append((name, tuple(facts)))

    def _output(self, line: _Line, graph: _Unfinished) -> None:
        name = line.name()
        line.expect("=")
        node = self._reference(line, graph)
        line.end()
        graph.outputs.append((name, node))

    def _node(self, line: _Line, graph: _Unfinished) -> None:
        label = line.take("value")
        line.expect("=")
        primitive = line.take("word")
        inputs, attributes = self._arguments(line, graph)
        line.expect(":")
        kind = line.type()
        line.end()
        if label in graph.values:
            line.fail("a label that is new", label)
        node = _applied(primitive, inputs, attributes)
        if node.type != kind:
            line.fail(f"the type {node.type}", str(kind))
        graph.values[label] = node

    def _arguments(self, line: _Line, graph: _Unfinished) -> tuple[list[Node], dict[str, Attribute]]:
        inputs: list[Node] = []
        attributes: dict[str, Attribute] = {}
        line.expect("(")
        while not line.take_if(")"):
            if line.is_attribute():
                key = line.take("word")
                line.expect("=")
                if key in attributes:
                    line.fail("an attribute that is new", key)
                attributes[key] = line.value(self.bodies)
            else:
                inputs.append(self._reference(line, graph))
            if not line.take_if(","):
                line.expect(")")
                break
        return inputs, attributes

    def _reference(self, line: _Line, graph: _Unfinished) -> Node:
        label = line.take_if_kind("value")
        if label is not None:
            return graph.values[label] if label in graph.values else line.fail("a value of a line above", label)
        name = line.name()
        if name not in graph.inputs:
            raise UnknownNameError("input", name, graph.inputs)
        return graph.inputs[name]


def _finished(graph: _Unfinished) -> Graph:
    return Graph(tuple(graph.inputs.values()), tuple(graph.outputs), tuple(graph.facts))


def _applied(primitive: str, inputs: list[Node], attributes: dict[str, Attribute]) -> Node:
    row = PRIMITIVES.get(primitive)
    for key in attributes:
        if row is not None and key not in row.attributes:
            raise UnknownNameError(f"attribute of {primitive}", key, row.attributes)
    return apply(primitive, *inputs, **attributes)


def _fact(text: str) -> Fact:
    for fact in Fact:
        if fact == text:
            return fact
    raise UnknownNameError("fact", text, list(Fact))


class _Line:
    """The tokens of one line, taken one after the other."""

    def __init__(self, number: int, content: str) -> None:
        self.number = number
        self._content = content
        self._position = 0
        self._tokens: dict[int, tuple[str, str, int]] = {}  # by where they begin; each is looked at several times
        self._told: GraphError | None = None

    # ---- tokens ----

    def _peek(self, position: int | None = None) -> tuple[str, str, int]:
        """The next token's kind and text, and where it ends; kind "" at the end or where there is no token."""
        at = self._position if position is None else position
        token = self._tokens.get(at)
        if token is None:
            token = self._tokens[at] = self._token(at)
        return token

    def _token(self, at: int) -> tuple[str, str, int]:
        match = _TOKEN.match(self._content, at)
        if match is None or match.lastgroup is None:
            return "", self._content[at:].strip(), at
        return match.lastgroup, match.group(match.lastgroup), match.end()

    def take(self, *kinds: str) -> str:
        """The next token, which must be of one of these kinds."""
        kind, text, end = self._peek()
        if kind not in kinds:
            self.fail(" or ".join(_KINDS[k] for k in kinds))
        self._position = end
        return text

    def take_if(self, text: str) -> bool:
        """Whether this is the next token, which is then taken."""
        kind, came, end = self._peek()
        if kind in ("word", "mark") and came == text:
            self._position = end
            return True
        return False

    def take_if_kind(self, kind: str) -> str | None:
        """The next token if it is of this kind."""
        return self.take(kind) if self._peek()[0] == kind else None

    def expect(self, mark: str) -> None:
        """Take this mark."""
        if not self.take_if(mark):
            self.fail(f"'{mark}'")

    def rest(self) -> str:
        """Everything that is left."""
        left = self._content[self._position :].strip()
        self._position = len(self._content)
        return left

    def end(self) -> None:
        """Nothing may be left."""
        if self._content[self._position :].strip():
            self.fail("the end of the line")

    def is_attribute(self) -> bool:
        """Whether a word and = come next."""
        kind, _, end = self._peek()
        return kind == "word" and self._peek(end)[1] == "="

    def fail(self, wanted: str, came: str | None = None) -> NoReturn:
        """Refuse the line: what came, and what was wanted."""
        text = self._peek()[1] if came is None else came
        shown = f"'{text[:60]}'" if text else "the end of the line"
        self._told = GraphError(f"line {self.number}: {shown} came, and {wanted} is wanted")
        raise self._told

    def is_told(self, error: GraphError) -> bool:
        """Whether the error names the line already."""
        return error is self._told

    # ---- values ----

    def name(self) -> str:
        """A plain word, or a JSON string."""
        text = self.take("word", "string")
        return self._string(text) if text.startswith('"') else text

    def _string(self, text: str) -> str:
        try:
            return str(json.loads(text))
        except ValueError:
            self.fail("a JSON string", text)

    def value(self, bodies: dict[str, Graph], depth: int = 0) -> Attribute:
        """What is written after the = of an attribute."""
        kind, text, end = self._peek()
        if text in _SPECIAL and kind in ("word", "infinite"):
            self._position = end
            return _SPECIAL[text]
        if kind == "string":
            return self._string(self.take("string"))
        if kind == "body":
            label = self.take("body")
            return bodies[label] if label in bodies else self.fail("a graph that stands above", label)
        if kind == "number":
            return self._number() if self._peek(end)[1] != "*" else self.dim()
        if kind == "word":
            return self.tensor() if self._peek(end)[1] == "[" else self.dim()
        return self._tuple(bodies, depth + 1)

    def _tuple(self, bodies: dict[str, Graph], depth: int) -> Attribute:
        self.expect("(")
        if depth > DEEPEST:
            self.fail(f"at most {DEEPEST} tuples inside each other", "one more")
        result: list[Attribute] = []
        while not self.take_if(")"):
            result.append(self.value(bodies, depth))
            self._bounded(len(result))
            if not self.take_if(","):
                self.expect(")")
                break
        return tuple(result)

    def _bounded(self, length: int) -> None:
        if length > LONGEST:
            self.fail(f"at most {LONGEST} entries", "one more")

    def _number(self) -> int | float:
        text = self.take("number")
        if "." in text or "e" in text:
            return float(text)
        return self._integer(text)

    def _integer(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            self.fail("a whole number of at most a few thousand digits", text)

    def dim(self) -> Dim:
        """A dimension: a number, a named size, or a product of them."""
        parts = [self._factor()]
        while self.take_if("*"):
            parts.append(self._factor())
            self._bounded(len(parts))
        return product(parts)

    def _factor(self) -> Dim:
        kind, text, _ = self._peek()
        if kind == "number" and text.isdigit():
            return self._integer(self.take("number"))
        return named(self.take("word"))

    def tensor(self) -> TensorType:
        """The type of one tensor: a dtype and, in brackets, its shape."""
        dtype = self.take("word")
        shape: list[Dim] = []
        self.expect("[")
        while not self.take_if("]"):
            shape.append(self.dim())
            self._bounded(len(shape))
            if not self.take_if(","):
                self.expect("]")
                break
        for known in DTYPES:
            if known == dtype:
                return TensorType(known, tuple(shape))
        raise UnknownNameError("dtype", dtype, DTYPES)

    def type(self) -> AnyType:
        """The type of a tensor, or of several in parentheses."""
        if not self.take_if("("):
            return self.tensor()
        items: list[TensorType] = []
        while not self.take_if(")"):
            items.append(self.tensor())
            if not self.take_if(","):
                self.expect(")")
                break
        return TupleType(tuple(items))


_KINDS: Final = {
    "string": "a name in quotes",
    "number": "a number",
    "word": "a word",
    "value": "a value such as %1",
    "body": "a graph such as @1",
    "mark": "a mark",
}
