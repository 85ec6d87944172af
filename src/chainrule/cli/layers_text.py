"""Layers as they are typed: `flatten, dense(64, relu), dense(10)`."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from chainrule.errors import ExperimentError, UnknownNameError
from chainrule.nn.layers import LAYERS, Layer

_LAYER: Final = re.compile(r"\s*(?P<kind>\w+)\s*(?:\((?P<options>[^()]*)\))?\s*(?:,|$)")


def read_layers(text: str) -> tuple[Layer, ...]:
    """The layers that a text names, in order.

    A layer is its kind and, in parentheses, its options in order or by name: `dense(16, relu, use_bias=false)`.

    Raises: ExperimentError for text that names no layers, or an option that does not fit; UnknownNameError for a kind,
        an option or an activation that does not exist.
    """
    layers: list[Layer] = []
    at = 0
    while at < len(text):
        found = _LAYER.match(text, at)
        if found is None:
            raise ExperimentError(
                f"'{text[at:].strip()}' names no layer: write them as in 'dense(64, relu), dense(10)'"
            )
        layers.append(_layer(found["kind"], found["options"] or ""))
        at = found.end()
    return tuple(layers)


def _layer(kind: str, text: str) -> Layer:
    if kind not in LAYERS:
        raise UnknownNameError("layer", kind, LAYERS)
    wanted = LAYERS[kind]
    fields = wanted.__struct_fields__
    options: dict[str, str] = {}
    for place, part in enumerate(part for part in text.split(",") if part.strip()):
        name, is_named, value = part.partition("=")
        if not is_named and place >= len(fields):
            raise ExperimentError(f"{kind}({text}) has more options than there are: {', '.join(fields)}")
        key = name.strip() if is_named else fields[place]
        if key not in fields:
            raise UnknownNameError(f"option of {kind}", key, fields)
        options[key] = (value if is_named else name).strip()
    return _made(wanted, kind, text, options)


def _made(wanted: Any, kind: str, text: str, options: dict[str, str]) -> Layer:  # Any: a class of the union
    try:
        return msgspec.convert(options, wanted, strict=False)
    except msgspec.ValidationError as error:
        sentence = str(error).split(" - at `", maxsplit=1)[0]
        raise ExperimentError(f"{kind}({text}): {sentence[:1].lower()}{sentence[1:]}") from error
