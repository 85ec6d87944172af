"""Float32 and float64 as records: their bits, and the constants and coefficients of the functions in each.

The polynomials are minimax for the relative error of the function they serve, found by Remez exchange and rounded to
the format, lowest power first; a test measures each against its function. `ln2_high` ends in zeros, so that the product
with any exponent is exact.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import msgspec

from chainrule.backends.native.ir import F32, F64, I32, I64, Type

Coefficients: TypeAlias = tuple[float, ...]  # lowest power first


class Format(msgspec.Struct, frozen=True):
    """One floating-point format.

    Attributes:
        element: the type of a number.
        integer: the integer of its size.
        mantissa: bits after the leading one.
        bias: what is added to an exponent.
        ln2_high: log 2, short.
        ln2_low: the rest of log 2.
        ordinary: exp(x) is a normal number for |x| up to here.
        overflow: exp is infinite from here on.
        underflow: exp is 0 from here down.
        one_below: expm1 is -1 from here down.
        one_above: tanh is 1 from here on.
        exp_tail: q of exp(r) = 1 + r + r² q(r), for |r| <= log(2) / 2.
        tanh_tail: p of tanh(r) = r + r³ p(r²), for |r| <= log(2) / 4.
        split_at: where the significand of a logarithm begins; it ends at twice that.
        log_tail: p of log(1 + f) = f + f² p(f), for |f| <= 1/3; empty where `log_odd` serves.
        log_odd: p of log((1 + s) / (1 - s)) = 2 s + s³ p(s²), for |s| <= 3 - 2 sqrt(2); empty where `log_tail` serves.
        unit_tail: p of log(1 + f) = f + f² p(f), for f from 0 to 1; empty where `log_odd` serves.
        erf_split: where one approximation of erf gives way to the other.
        erf_end: erf is 1 from here on.
        erf_near: p of erf(x) = x + x p(x²), for |x| <= erf_split.
        erf_far: q of erf(x) = 1 - exp(q(x - erf_split)), from there to erf_end.
    """

    element: Type
    integer: Type
    mantissa: int
    bias: int
    ln2_high: float
    ln2_low: float
    ordinary: float
    overflow: float
    underflow: float
    one_below: float
    one_above: float
    exp_tail: Coefficients
    tanh_tail: Coefficients
    split_at: float
    log_tail: Coefficients
    log_odd: Coefficients
    unit_tail: Coefficients
    erf_split: float
    erf_end: float
    erf_near: Coefficients
    erf_far: Coefficients

    @property
    def one(self) -> int:
        """The bits of 1."""
        return self.bias << self.mantissa

    @property
    def sign(self) -> int:
        """The bit of the sign."""
        return -(1 << (self.element.bits - 1))

    @property
    def least_normal(self) -> float:
        """The smallest number with a full mantissa."""
        return 2.0 ** (1 - self.bias)

    @property
    def rounder(self) -> float:
        """Added to a number, it leaves the nearest integer in the low bits."""
        return 1.5 * 2.0**self.mantissa

    @property
    def counter(self) -> float:
        """A power of two whose low bits count in ones."""
        return 2.0**self.mantissa

    def bits(self, number: float) -> int:
        """The bits of a positive number."""
        return int.from_bytes(struct.pack("<f" if self.element == F32 else "<d", number), "little")


INFINITY: Final = float("inf")
NAN: Final = float("nan")
LN2: Final = 0.6931471805599453
LOG2_E: Final = 1.4426950408889634

FLOAT32: Final = Format(
    element=F32,
    integer=I32,
    mantissa=23,
    bias=127,
    ln2_high=float.fromhex("0x1.62e4p-1"),
    ln2_low=float.fromhex("0x1.7f7d1cf79abcap-20"),
    ordinary=87.0,
    overflow=88.75,
    underflow=-104.0,
    one_below=-18.0,
    one_above=9.25,
    exp_tail=(
        0.5,
        0.16666539013385773,
        0.04166661202907562,
        0.008367102593183517,
        0.0013917709002271295,
    ),
    tanh_tail=(-0.33333322405815125, 0.1333114057779312, -0.05271453037858009),
    split_at=float.fromhex("0x1.555556p-1"),  # 2/3
    log_tail=(
        -0.5,
        0.33333179354667664,
        -0.24999971687793732,
        0.20012527704238892,
        -0.1667129397392273,
        0.13971179723739624,
        -0.12326468527317047,
        0.14153578877449036,
        -0.12222837656736374,
    ),
    log_odd=(),
    unit_tail=(
        -0.5,
        0.33332347869873047,
        -0.24976786971092224,
        0.19785486161708832,
        -0.15607011318206787,
        0.110954649746418,
        -0.06166942045092583,
        0.022296801209449768,
        -0.003775213612243533,
    ),
    erf_split=0.84375,
    erf_end=4.0,
    erf_near=(
        0.12837916612625122,
        -0.3761259615421295,
        0.11282951384782791,
        -0.02681116946041584,
        0.005064552649855614,
        -0.0006390048656612635,
    ),
    erf_far=(
        -1.4576858282089233,
        -2.378696918487549,
        -0.8221144080162048,
        -0.04817037284374237,
        0.011356687173247337,
        -0.0019461188931018114,
        0.00016581881209276617,
    ),
)

FLOAT64: Final = Format(
    element=F64,
    integer=I64,
    mantissa=52,
    bias=1023,
    ln2_high=float.fromhex("0x1.62e42fefa38p-1"),
    ln2_low=float.fromhex("0x1.ef35793c7673p-45"),
    ordinary=708.0,
    overflow=709.8,
    underflow=-746.0,
    one_below=-38.0,
    one_above=19.25,
    exp_tail=(
        0.5000000000000006,
        0.16666666666666688,
        0.04166666666657329,
        0.008333333333312855,
        0.001388888893254745,
        0.0001984126990783057,
        2.4801504195080813e-05,
        2.7557222814012183e-06,
        2.762644104257152e-07,
        2.511634927961526e-08,
    ),
    tanh_tail=(
        -0.3333333333333247,
        0.13333333332774921,
        -0.05396825276647225,
        0.02186936954225953,
        -0.00885726917182439,
        0.00344434563715984,
    ),
    split_at=float.fromhex("0x1.6a09e667f3bcdp-1"),  # sqrt(1/2)
    log_tail=(),
    log_odd=(
        0.6666666666666731,
        0.39999999999433317,
        0.2857142873905146,
        0.22222198858223943,
        0.18183551746199086,
        0.15314327103036493,
        0.1479355630284974,
    ),
    unit_tail=(),
    erf_split=1.0,
    erf_end=6.0,
    erf_near=(
        0.12837916709551256,
        -0.3761263890318355,
        0.11283791670945252,
        -0.026866170643276,
        0.005223977607422064,
        -0.000854832598964449,
        0.00012055295319299037,
        -1.4924744646215366e-05,
        1.6447517526776734e-06,
        -1.6209175142155683e-07,
        1.372297435715096e-08,
        -7.801187568404836e-10,
    ),
    erf_far=(
        -1.8496055099332482,
        -2.638967514234791,
        -0.8431072563585149,
        -0.04156109804576136,
        0.010033825424137593,
        -0.001977902940481513,
        0.00023732429305275244,
        2.627183018699342e-05,
        -2.7144736936431254e-05,
        9.58389555599525e-06,
        -2.0274009724645116e-06,
        1.1135564427801399e-07,
        1.2073254875902945e-07,
        -6.48992123283077e-08,
        2.0244801030836985e-08,
        -4.487806146282857e-09,
        7.197599717614818e-10,
        -7.993098455975665e-11,
        5.507380550981805e-12,
        -1.7716168366265097e-13,
    ),
)


def format_of(type_: Type) -> Format:
    """The format of a float's type."""
    return FLOAT32 if type_.element == F32.element else FLOAT64
