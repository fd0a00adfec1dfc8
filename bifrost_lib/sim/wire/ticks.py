"""The frames of ticks, written straight: nine tenths of what a gateway sends.

Prices and sizes are written with 15 significant digits, volatilities and Greeks with 10. The layouts are those of
version 156 and later; a session of an older version uses `encode`.
"""

from __future__ import annotations

import math
import struct

from bifrost_lib.sim.wire.errors import WireError
from bifrost_lib.sim.wire.fields import escaped

#: A tick is short: its length comes from a table.
_LENGTHS = tuple(struct.pack(">I", length) for length in range(512))
_NOT_COMPUTED = (-1.0, -2.0, -1.0, -1.0, -2.0, -2.0, -2.0, -1.0)


def tick_price(req_id: int, tick_type: int, price: float, size: float, mask: int = 0) -> bytes:
    """Return the frame of a TickPrice; NaN and infinity raise WireError, as in all ticks but computations."""
    body = b"1\x006\x00%d\x00%d\x00%.15g\x00%.15g\x00%d\x00" % (req_id, tick_type, price, size, mask)
    if b"n" in body:
        raise _not_finite(tick_type)
    return _LENGTHS[len(body)] + body


def tick_size(req_id: int, tick_type: int, size: float) -> bytes:
    """Return the frame of a TickSize."""
    body = b"2\x006\x00%d\x00%d\x00%.15g\x00" % (req_id, tick_type, size)
    if b"n" in body:
        raise _not_finite(tick_type)
    return _LENGTHS[len(body)] + body


def tick_generic(req_id: int, tick_type: int, value: float) -> bytes:
    """Return the frame of a TickGeneric."""
    body = b"45\x006\x00%d\x00%d\x00%.15g\x00" % (req_id, tick_type, value)
    if b"n" in body:
        raise _not_finite(tick_type)
    return _LENGTHS[len(body)] + body


def tick_string(req_id: int, tick_type: int, value: str) -> bytes:
    """Return the frame of a TickString; a text with a NUL in it raises WireError."""
    if "\0" in value:
        raise WireError(320, f"Error writing message. Tick {tick_type} has a NUL in it")
    body = b"46\x006\x00%d\x00%d\x00%s\x00" % (req_id, tick_type, escaped(value).encode())
    return struct.pack(">I", len(body)) + body


def tick_computation(
    req_id: int,
    tick_type: int,
    implied_vol: float,
    delta: float,
    option_price: float,
    pv_dividend: float,
    gamma: float,
    vega: float,
    theta: float,
    und_price: float,
    tick_attrib: int = 0,
) -> bytes:
    """Return the frame of a TickOptionComputation; NaN becomes IB's number for "not computed" (-1 or -2)."""
    body = b"21\x00%d\x00%d\x00%d\x00%.10g\x00%.10g\x00%.10g\x00%.10g\x00%.10g\x00%.10g\x00%.10g\x00%.10g\x00" % (
        req_id, tick_type, tick_attrib, implied_vol, delta, option_price, pv_dividend, gamma, vega, theta, und_price,
    )  # fmt: skip
    if b"n" in body:
        given = (implied_vol, delta, option_price, pv_dividend, gamma, vega, theta, und_price)
        if any(map(math.isinf, given)):
            raise _not_finite(tick_type)
        iv, d, p, pv, g, v, t, u = [
            none if math.isnan(value) else value for value, none in zip(given, _NOT_COMPUTED, strict=True)
        ]
        return tick_computation(req_id, tick_type, iv, d, p, pv, g, v, t, u, tick_attrib)
    return _LENGTHS[len(body)] + body


def market_data_type(req_id: int, kind: int) -> bytes:
    """Return the frame of a MarketDataType."""
    body = b"58\x001\x00%d\x00%d\x00" % (req_id, kind)
    return _LENGTHS[len(body)] + body


def tick_req_params(req_id: int, min_tick: float, bbo_exchange: str, snapshot_permissions: int) -> bytes:
    """Return the frame of a TickReqParams."""
    body = b"81\x00%d\x00%.15g\x00%s\x00%d\x00" % (req_id, min_tick, bbo_exchange.encode(), snapshot_permissions)
    return _LENGTHS[len(body)] + body


def _not_finite(tick_type: int) -> WireError:
    return WireError(
        320, f"Error writing message. Tick {tick_type} is not a finite number; missing values are not sent"
    )
