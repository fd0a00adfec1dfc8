"""Scans of the exchange's stocks."""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

import numpy as np

from bifrost_lib.sim.exchange import Board
from bifrost_lib.sim.gateway.columns import Floats
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    UNSET_DOUBLE,
    UNSET_INT,
    CancelScannerSubscription,
    ReqScannerParameters,
    ReqScannerSubscription,
    ScannerData,
    ScannerParameters,
    ScannerRow,
)

SCAN_S = 30.0
MOST_ROWS = 50


def _gain(board: Board) -> Floats:
    return board.values["last"] / board.values["close"] - 1.0


#: What a scan calls itself, and by which number it ranks, highest first.
SCANS: dict[str, tuple[str, Callable[[Board], Floats]]] = {
    "TOP_PERC_GAIN": ("Top % Gainers", _gain),
    "TOP_PERC_LOSE": ("Top % Losers", lambda board: -_gain(board)),
    "MOST_ACTIVE": ("Most Active", lambda board: board.values["volume"]),
    "MOST_ACTIVE_USD": ("Most Active ($)", lambda board: board.values["volume"] * board.values["last"]),
    "HOT_BY_VOLUME": ("Hot Contracts by Volume", lambda board: board.values["volume"]),
    "TOP_TRADE_COUNT": ("Top Trade Count", lambda board: board.values["trade_count"]),
    "HIGH_OPT_IMP_VOLAT": ("High Option Implied Volatility", lambda board: board.values["implied_vol"]),
    "LOW_OPT_IMP_VOLAT": ("Low Option Implied Volatility", lambda board: -board.values["implied_vol"]),
    "OPT_VOLUME_MOST_ACTIVE": (
        "Most Active by Option Volume",
        lambda board: board.values["call_volume"] + board.values["put_volume"],
    ),
    "OPT_OPEN_INTEREST_MOST_ACTIVE": (
        "Most Active by Option Open Interest",
        lambda board: board.values["call_open_interest"] + board.values["put_open_interest"],
    ),
}
_INSTRUMENTS = {"STK": "STK", "STOCK.NA": "STK", "ETF.EQ.US": "STK", "IND.US": "IND"}


@handles(ReqScannerSubscription)
def scan(session: Session, message: ReqScannerSubscription) -> None:
    """Send the contracts that rank first, again every half minute."""
    gateway = session.gateway
    if message.scan_code not in SCANS:
        raise Refusal(162, detail=f"No scanner subscription of code {message.scan_code}")
    if message.instrument not in _INSTRUMENTS:
        raise invalid(f"Invalid scanner instrument {message.instrument!r}")
    if ("scan", message.req_id) in session.repeated:
        raise Refusal(322, kind="duplicate")
    opened = sum(kind == "scan" for each in gateway.sessions for kind, _ in each.repeated)
    if gateway.limits.enforced and opened >= gateway.limits.scanners:
        raise Refusal(165, detail=f"Only {gateway.limits.scanners} simultaneous scanner subscriptions")

    def tell() -> None:
        session.send(ScannerData(message.req_id, _ranked(session, message)))

    tell()
    session.repeat("scan", message.req_id, SCAN_S, tell)


@handles(CancelScannerSubscription)
def cancel(session: Session, message: CancelScannerSubscription) -> None:
    """End a scan."""
    if not session.stop("scan", message.req_id):
        raise Refusal(300, ticker_id=message.req_id)
    session.refuse(message.req_id, 162, detail=f"API scanner subscription cancelled: {message.req_id}")


@handles(ReqScannerParameters)
def parameters(session: Session, _: ReqScannerParameters) -> None:
    """Send what can be scanned for."""
    types = "".join(
        f"<ScanType><displayName>{escape(name)}</displayName><scanCode>{code}</scanCode>"
        "<instruments>STK,STOCK.NA</instruments></ScanType>"
        for code, (name, _) in SCANS.items()
    )
    instruments = "".join(f"<Instrument><type>{name}</type></Instrument>" for name in _INSTRUMENTS)
    session.send(ScannerParameters(
        f'<?xml version="1.0" encoding="UTF-8"?><ScanParameterResponse><InstrumentList>{instruments}</InstrumentList>'
        "<LocationTree><Location><locationCode>STK.US.MAJOR</locationCode></Location></LocationTree>"
        f"<ScanTypeList>{types}</ScanTypeList></ScanParameterResponse>"
    ))  # fmt: skip


def _ranked(session: Session, message: ReqScannerSubscription) -> tuple[ScannerRow, ...]:
    market = session.gateway.market
    wanted = _INSTRUMENTS[message.instrument]
    listed = [one for one in market.instruments.underlyings() if one.sec_type == wanted]
    board = market.quotes([one.con_id for one in listed])
    rank = SCANS[message.scan_code][1](board)
    fits = ~np.isnan(rank) & _passes(message, board)
    order = [place for place in np.argsort(-rank, kind="stable").tolist() if fits[place]]
    most = message.number_of_rows if message.number_of_rows > 0 else MOST_ROWS
    return tuple(_row(place, listed[index]) for place, index in enumerate(order[: min(most, MOST_ROWS)]))


def _passes(message: ReqScannerSubscription, board: Board) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    price, volume = board.values["last"], board.values["volume"]
    fits = np.ones(len(price), dtype=bool)
    if message.above_price != UNSET_DOUBLE:
        fits &= price >= message.above_price
    if message.below_price != UNSET_DOUBLE:
        fits &= price <= message.below_price
    if message.above_volume != UNSET_INT:
        fits &= volume >= message.above_volume
    return fits


def _row(place: int, one: Instrument) -> ScannerRow:
    return ScannerRow(place, one.con_id, one.symbol, one.sec_type, exchange=one.exchange, currency=one.currency,
                      local_symbol=one.local_symbol, market_name=one.trading_class,
                      trading_class=one.trading_class)  # fmt: skip
