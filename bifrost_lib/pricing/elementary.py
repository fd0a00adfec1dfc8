"""Exponential, logarithm and Mills ratio without branches or library calls, so that loops over them become SIMD.

Every function takes and returns scalars and reads no global state, so the same source compiles for a GPU.
The coefficients were fitted in 80-digit arithmetic; the approximation errors stated are relative.
"""

from __future__ import annotations

import numpy as np

from bifrost_lib.core.kernels import kernel

SCALAR = {"forceinline": True, "error_model": "numpy", "fastmath": {"contract"}}

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.6931471803691238  # its last 21 bits are zero, so that k * _LN2_HIGH is exact
_LN2_LOW = 1.9082149292705877e-10
_ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding it leaves the nearest integer in the low bits
_SQRT_HALF = 0.7071067811865476
_SQRT_TWO = 1.4142135623730951
_FRACTION = 0x000FFFFFFFFFFFFF
_ONE = 0x3FF0000000000000
_SMALLEST_EXPONENT = -708.0
_LARGEST_EXPONENT = 709.0


@kernel(**SCALAR)
def exponential(x: float) -> float:
    """Return e**x to about 1 ulp; 0 below x = -708, and the value at 709 above it."""
    clipped = _SMALLEST_EXPONENT if x < _SMALLEST_EXPONENT else (_LARGEST_EXPONENT if x > _LARGEST_EXPONENT else x)
    shifted = clipped * _LOG2_E + _ROUNDER
    whole = shifted - _ROUNDER
    r = clipped - whole * _LN2_HIGH
    r = r - whole * _LN2_LOW
    p = 2.0914679376583953e-09
    p = p * r + 2.510520637395701e-08
    p = p * r + 2.7557273661348637e-07
    p = p * r + 2.7557255425746435e-06
    p = p * r + 2.4801587325533363e-05
    p = p * r + 0.00019841269874800493
    p = p * r + 0.0013888888888883752
    p = p * r + 0.008333333333326141
    p = p * r + 0.04166666666666667
    p = p * r + 0.1666666666666667
    p = p * r + 0.5
    scale = np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    value = ((r * r) * p + r + 1.0) * scale
    return 0.0 if x < _SMALLEST_EXPONENT else value


@kernel(**SCALAR)
def log_given(f: float) -> float:
    """Return ln(a / b), given f = (a - b) / (a + b), for numbers of which neither is over 1.41 times the other."""
    w = f * f
    p = 0.13086626147840102
    p = p * w + 0.13268773138656886
    p = p * w + 0.15386239702814658
    p = p * w + 0.18181795640132906
    p = p * w + 0.22222222391713917
    p = p * w + 0.28571428570803614
    p = p * w + 0.4000000000000088
    p = p * w + 0.6666666666666666
    return 2.0 * f + (f * w) * p


@kernel(**SCALAR)
def log_ratio(a: float, b: float) -> float:
    """Return ln(a / b) for normal positive numbers, accurate in relative terms also where a is close to b."""
    bits_a = np.float64(a).view(np.int64)
    bits_b = np.float64(b).view(np.int64)
    ma = np.int64((bits_a & _FRACTION) | _ONE).view(np.float64)
    mb = np.int64((bits_b & _FRACTION) | _ONE).view(np.float64)
    exponent = float((bits_a >> 52) - (bits_b >> 52))
    high = ma > mb * _SQRT_TWO
    low = ma < mb * _SQRT_HALF
    exponent = exponent + (1.0 if high else (-1.0 if low else 0.0))
    ma = ma * (0.5 if high else (2.0 if low else 1.0))
    close = log_given((ma - mb) / (ma + mb))
    value = exponent * _LN2_HIGH + (close + exponent * _LN2_LOW)
    return value if a * b == a * b else a * b


@kernel(**SCALAR)
def _mills_parts(z: float) -> tuple[float, float]:
    p = 8.400196998909442e-07
    p = p * z + 2.4631615430606665e-05
    p = p * z + 0.00035786322759221736
    p = p * z + 0.00333974783870553
    p = p * z + 0.021978437539906123
    p = p * z + 0.10604843076998528
    p = p * z + 0.379166955387427
    p = p * z + 0.9925181286310072
    p = p * z + 1.8270713972579502
    p = p * z + 2.1531388645074148
    p = p * z + 1.2533141373155003
    q = 8.400196998909442e-07
    q = q * z + 2.463161543060668e-05
    q = q * z + 0.0003587032472921003
    q = q * z + 0.003364379454137921
    q = q * z + 0.022334620727895674
    q = q * z + 0.10933891539158576
    q = q * z + 0.4004380660566341
    q = q * z + 1.0921333990181326
    q = q * z + 2.165797507916189
    q = q * z + 2.9651426055226837
    q = q * z + 2.5158408180579452
    q = q * z + 1.0
    return p, q


@kernel(**SCALAR)
def mills_ratio(z: float) -> float:
    """Return (1 - N(z)) / n(z), N and n being the normal distribution and density, for z >= 0; error 2e-17."""
    p, q = _mills_parts(1e20 if z > 1e20 else z)
    return p / q


@kernel(**SCALAR)
def mills_ratios(y: float, z: float) -> tuple[float, float]:
    """Return the Mills ratios of two numbers >= 0 with one division; beyond 1000, where n is 0, those of 1000."""
    py, qy = _mills_parts(1e3 if y > 1e3 else y)
    pz, qz = _mills_parts(1e3 if z > 1e3 else z)
    inverse = 1.0 / (qy * qz)
    return py * (qz * inverse), pz * (qy * inverse)


@kernel(**SCALAR)
def mills_slope(z: float) -> float:
    """Return 1 - z * mills_ratio(z) without its cancellation, for z >= 0; error 4e-17."""
    z = 1e20 if z > 1e20 else z
    p = 2.5167773190879924e-07
    p = p * z + 7.646037037978822e-06
    p = p * z + 0.00011697655795460712
    p = p * z + 0.0011644299507361335
    p = p * z + 0.00827209371459807
    p = p * z + 0.04360880274862936
    p = p * z + 0.17253096822818062
    p = p * z + 0.5066805271114924
    p = p * z + 1.062588310059685
    p = p * z + 1.4515877401207826
    p = p * z + 1.0
    q = 2.5167773190879924e-07
    q = q * z + 7.64603703797883e-06
    q = q * z + 0.00011773159115032807
    q = q * z + 0.0011873680618514312
    q = q * z + 0.008621513321896722
    q = q * z + 0.04705621639181301
    q = q * z + 0.1966559598314359
    q = q * z + 0.6308415121188621
    q = q * z + 1.535356887833832
    q = q * z + 2.7557284655780943
    q = q * z + 3.4526800731018747
    q = q * z + 2.7049018774362814
    q = q * z + 1.0
    return p / q
