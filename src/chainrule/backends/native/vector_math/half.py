"""Float16 to float32 and back, rounded to nearest even: by instructions where there are some, else by their bits."""

from __future__ import annotations

from typing import Final

from chainrule.backends.native.ir import F16, F32, F64, I16, I32, Builder, Value

SIGN: Final = 0x8000
INFINITE: Final = 0x7C00  # exponent all ones
QUIET: Final = 0x7E00  # a NaN
SHIFT: Final = 13  # bits of mantissa that float32 has more
REBIAS: Final = (127 - 15) << 23  # of the exponents
LEAST: Final = 0x400  # the smallest normal float16


def from_half(b: Builder, x: Value) -> Value:
    """A float16 as float32, exactly."""
    if b.module.isa.half:
        return b.convert("fpext", x, F32)
    bits = b.convert("zext", b.bits_as(x, I16), I32)
    size = b.bit_and(bits, SIGN - 1)
    grown = b.shift_left(size, SHIFT)
    normal = b.add(grown, REBIAS)
    # a denormal is the mantissa alone: 2^-14 is put before it and taken away, so that no float32 is denormal
    small = b.bits_as(b.subtract(b.bits_as(b.add(normal, 1 << 23), F32), 2.0**-14), I32)
    value = b.select(b.compare("ult", size, LEAST), small, normal)
    value = b.select(b.compare("uge", size, INFINITE), b.bit_or(grown, 0x7F800000), value)
    return b.bits_as(b.bit_or(value, b.shift_left(b.bit_and(bits, SIGN), 16)), F32)


def to_half(b: Builder, x: Value) -> Value:
    """A float32 or float64 rounded once to float16."""
    single = _to_odd(b, x) if x.type.scalar == F64 else x
    if b.module.isa.half:
        return b.convert("fptrunc", single, F16)
    bits = b.bits_as(single, I32)
    size = b.bit_and(bits, 0x7FFFFFFF)
    last = b.bit_and(b.shift_right(size, SHIFT), 1)
    rounded = b.add(b.add(size, (1 << (SHIFT - 1)) - 1), last)  # halves go to the even neighbor
    normal = b.subtract(b.shift_right(rounded, SHIFT), (127 - 15) << 10)
    # 1/2 has its last bit where float16's denormals have theirs, so adding it rounds there
    small = b.subtract(b.bits_as(b.add(b.bits_as(size, F32), 0.5), I32), 126 << 23)
    value = b.select(b.compare("ult", size, (127 - 14) << 23), small, normal)
    value = b.select(b.compare("uge", size, (127 + 16) << 23), b.constant(value.type, INFINITE), value)
    value = b.select(b.compare("ugt", size, 0x7F800000), b.constant(value.type, QUIET), value)
    sign = b.bit_and(b.shift_right(bits, 16), SIGN)
    return b.bits_as(b.convert("trunc", b.bit_or(value, sign), I16), F16)


def _to_odd(b: Builder, x: Value) -> Value:
    """A float64 cut to float32, the last bit set where something was lost: a later rounding is as if from float64."""
    near = b.convert("fptrunc", x, F32)
    back = b.convert("fpext", near, F64)
    bits = b.bits_as(near, I32)
    is_beyond = b.compare("ogt", b.absolute(back), b.absolute(x))
    inward = b.select(is_beyond, b.subtract(bits, 1), bits)
    return b.bits_as(b.select(b.compare("one", back, x), b.bit_or(inward, 1), bits), F32)
