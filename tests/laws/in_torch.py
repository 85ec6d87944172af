"""The primitives as somebody else computes and differentiates them: a graph run by PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chainrule.draws import random_bits
from chainrule.graph.node import Attribute, Node, topological
from chainrule.graph.tensor_type import Size, TensorType, concrete
from tests.absent import require


def run(outputs: list[Node], values: Mapping[str, Any], sizes: Mapping[str, int]) -> list[Any]:
    """Each output as a tensor of PyTorch, differentiable with respect to the tensors in `values`."""
    torch = require("torch", "pip install 'chainrule[oracles]'")
    table = _table(torch)
    found: dict[Node, Any] = {}
    for node in topological(outputs):
        if node.primitive == "input":
            found[node] = values[node.label]
        else:
            attributes = {name: _in_numbers(value, dict(sizes)) for name, value in node.attributes}
            found[node] = table[node.primitive](*(found[i] for i in node.inputs), **attributes)
    return [found[node] for node in outputs]


def _in_numbers(value: Attribute, sizes: dict[str, int]) -> Any:
    if isinstance(value, Size):
        return concrete((value,), sizes)[0]
    if isinstance(value, TensorType):
        return value.with_shape(concrete(value.shape, sizes))
    return tuple(_in_numbers(each, sizes) for each in value) if isinstance(value, tuple) else value


def _table(torch: Any) -> dict[str, Callable[..., Any]]:
    def constant(value: float, type: Any) -> Any:  # noqa: A002 - the attribute's name
        return torch.full(type.shape, value, dtype=getattr(torch, type.dtype))

    def iota(shape: tuple[int, ...], axis: int) -> Any:
        along = torch.arange(shape[axis], dtype=torch.int32)
        return along.reshape([-1 if a == axis else 1 for a in range(len(shape))]).expand(shape)

    def bits(seed: Any, step: Any, purpose: int, shape: tuple[int, ...]) -> Any:
        low, high = (int(word) for word in seed)
        return torch.from_numpy(random_bits(low + high * 2**32, purpose, int(step), shape).astype("int64"))

    def broadcast(x: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
        for axis in axes:
            x = x.unsqueeze(axis)
        return x.expand(shape)

    def pad(x: Any, axis: int, before: int, after: int) -> Any:
        zeros = [torch.zeros([*x.shape[:axis], k, *x.shape[axis + 1 :]], dtype=x.dtype) for k in (before, after)]
        return torch.cat([zeros[0], x, zeros[1]], axis)

    elementwise = (
        "exp",
        "log",
        "expm1",
        "log1p",
        "sqrt",
        "tanh",
        "sigmoid",
        "erf",
        "abs",
        "sign",
        "maximum",
        "minimum",
    )
    return {
        **{name: getattr(torch, name) for name in (*elementwise, "matmul", "logical_and", "logical_not")},
        "constant": constant,
        "size": lambda of: torch.tensor(of, dtype=torch.int32),
        "iota": iota,
        "random_bits": bits,
        "add": torch.add,
        "subtract": torch.sub,
        "multiply": torch.mul,
        "divide": torch.div,
        "negate": torch.neg,
        "power": torch.pow,
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "greater": torch.gt,
        "greater_equal": torch.ge,
        "equal": torch.eq,
        "select": torch.where,
        "cast": lambda x, dtype: x.to(getattr(torch, dtype)),
        "stop_gradient": lambda x: x.detach(),
        "reshape": lambda x, shape: x.reshape(shape),
        "transpose": lambda x, permutation: x.permute(permutation),
        "broadcast": broadcast,
        "concatenate": lambda *parts, axis: torch.cat(parts, axis),
        "slice": lambda x, axis, start, stop: x.narrow(axis, start, stop - start),
        "pad": pad,
        "sum": lambda x, axes: x.sum(dim=axes),
        "max": lambda x, axes: torch.amax(x, dim=axes),
        "argmax": lambda x, axis: torch.argmax(x, axis).to(torch.int32),
    }
