"""Scaling inside the graph: what is stored is cast, shifted and divided where it is used, so data stay as they are."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from chainrule.data.scaling import Scaling
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.tensor_type import DType, Shape, TensorType
from chainrule.train.data_record import Array, DataRecord
from chainrule.train.experiment import FloatType

# Stored types whose values a float32 would round: they are shifted and scaled in float64, and rounded after.
_WIDE: Final[frozenset[DType]] = frozenset({"float64", "int32", "uint32"})


class Scaled(msgspec.Struct, frozen=True):
    """The scaling of x or y: u = (v - shift) / scale.

    Attributes:
        dtype: in which the network computes.
        shift: a state input, None where values are taken as they are.
        scale: the same.
        scaling: the numbers.
    """

    dtype: FloatType
    shift: Expr | None
    scale: Expr | None
    scaling: Scaling

    @property
    def inputs(self) -> tuple[Expr, ...]:
        """The state inputs it needs."""
        return () if self.shift is None or self.scale is None else (self.shift, self.scale)

    @property
    def types(self) -> dict[str, TensorType]:
        """The type of each state input by name."""
        return {value.node.label: value.type for value in self.inputs}

    def values(self) -> dict[str, Array]:
        """The number of each state input by name, in its dtype and shape."""
        arrays = (self.scaling.shift_array, self.scaling.scale_array)
        return {
            value.node.label: np.array(array, dtype=value.dtype).reshape([d for d in value.shape if isinstance(d, int)])
            for value, array in zip(self.inputs, arrays, strict=False)
        }

    def scaled(self, v: Expr) -> Expr:
        """U in the network's dtype, of the shape of v."""
        if self.shift is None or self.scale is None:
            return e.cast(v, self.dtype)
        return e.cast((e.cast(v, self.shift.dtype) - self.shift) / self.scale, self.dtype)

    def unscaled(self, u: Expr) -> Expr:
        """V in its own units, float64."""
        wide = e.cast(u, "float64")
        if self.shift is None or self.scale is None:
            return wide
        return wide * e.cast(self.scale, "float64") + e.cast(self.shift, "float64")


def scaled_input(dtype: FloatType, record: DataRecord) -> Scaled:
    """The scaling of samples."""
    return _scaled("input", dtype, record.x_dtype, record.features, record.feature_shape)


def scaled_target(dtype: FloatType, record: DataRecord) -> Scaled:
    """The scaling of targets; classes have none."""
    scaling = Scaling() if record.task == "classification" else record.targets
    return _scaled("target", dtype, record.y_dtype, scaling, (record.output_count,))


def _scaled(name: str, dtype: FloatType, stored: DType, scaling: Scaling, shape: Shape) -> Scaled:
    if scaling.kind == "none":
        return Scaled(dtype, None, None, scaling)
    wide: FloatType = "float64" if stored in _WIDE else dtype
    of_one = shape if scaling.shift_array.ndim else ()
    shift, scale = (e.variable(f"{name}.{part}", wide, of_one) for part in ("shift", "scale"))
    return Scaled(dtype, shift, scale, scaling)
